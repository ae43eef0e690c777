// SPDX-License-Identifier: MIT
#pragma once

/// @file Evaluation: one pass over the operands, no temporaries.
///
///     edge::tensor<float> d = edge::eval(a * b + 2.0f * c);
///     edge::assign(out, a * b);                                  // into your memory; allocates nothing
///     edge::assign(out, a * b, {.threads = 2});
///
/// Every element is computed by the same operations in the same order wherever it lies and on whichever thread, so the
/// bits do not depend on the number of threads, and a fused expression gives those of its steps one by one.

#include <edge/core/parallel.hpp>
#include <edge/simd/expression.hpp>

namespace edge {

struct compute_options {
    int threads = 0;  ///< 0: the process default
};

namespace detail {

/// Fewest elements that pay for a thread: a fork and join costs about what 30000 additions do.
inline constexpr index_t elements_per_thread = 32768;

/// Results from this size on are stored past the caches: it is that of the largest ones of edge devices and laptops, and
/// a result this large is not in them when it is next read. Saves a fifth of the time of `c = a * b` and more.
inline constexpr index_t large_result_bytes = index_t{32} << 20;

/// The type whose lanes compute a node; bool arrays alone go by bytes.
template <class E>
using lane_for = std::conditional_t<std::is_void_v<typename E::lane_type>, std::uint8_t, typename E::lane_type>;

/// @throws shape_error  if an expression of shape `from` does not fill a result of shape `to`
inline void check_fits(const shape& from, const shape& to) {
    if (!(from == to) && !(broadcast(from, to) == to))
        throw shape_error(message("expression of shape ", from, " does not fit a result of shape ", to));
}

/// A loop over part of the elements, its expression known only to `run`.
struct loop_part {
    void (*run)(const void* context, index_t first, index_t last);
    const void* context;
    void operator()(index_t first, index_t last) const { run(context, first, last); }
};

inline void run_parts(index_t count, const compute_options& options, const loop_part& part) {
    parallel_for(count, {.threads = options.threads, .grain = elements_per_thread, .align = 64}, part);
}

/// The same for a loop over anything; `part` is called as `part(first, last)`.
template <class F>
void run_parts(index_t count, const parallel_options& options, const F& part) {
    const auto call = [](const void* context, index_t first, index_t last) {
        (*static_cast<const F*>(context))(first, last);
    };
    parallel_for(count, options, loop_part{call, &part});
}

template <class E>
void check_divisor(const E& divisor) {
    bool found = false;
    if constexpr (requires { divisor.value(); }) {
        found = divisor.value() == 0;
    } else {
        const shape extents = divisor.shape();
        if (extents.size() == 0) return;
        auto bound = divisor.bind(extents);
        simd::detail::find_zero result;
        const simd::detail::cursor_list<decltype(bound)::cursors> list(bound);
        const index_list loop = simd::detail::join_axes(extents, list.span());
        simd::detail::run_range<lane_for<E>, simd::detail::default_arch>(bound, result, loop, 0, extents.size());
        found = result.found;
    }
    if (found) throw argument_error("integer division by zero");
}

/// Everything that a thread needs for its part of the elements.
template <class T, class Bound, class Lane>
struct assignment {
    Bound expression;
    simd::detail::store_result<T> result;
    index_list loop;

    static void run(const void* context, index_t first, index_t last) {
        const auto& self = *static_cast<const assignment*>(context);
        simd::detail::store_result<T> mine = self.result;
        simd::detail::run_range<Lane, simd::detail::default_arch>(self.expression, mine, self.loop, first, last);
    }
};

/// Computes a node into memory, unless writing there could change what is read later.
/// @return  whether it did
template <class T, expression E>
bool try_assign(const tensor_view<T>& out, const E& e, const compute_options& options) {
    const shape& extents = out.shape();
    check_fits(e.shape(), extents);
    e.check();
    if (extents.size() == 0) return true;
    using bound_type = decltype(e.bind(extents));
    assignment<T, bound_type, lane_for<E>> all{e.bind(extents), {{out, extents}}, {}};
    const simd::detail::cursor_list<bound_type::cursors + 1> list(all.expression, all.result);
    all.loop = simd::detail::join_axes(extents, list.span());
    if (simd::detail::overlaps(list.span(), all.loop)) return false;
    all.result.is_large = all.loop.size() == 1 &&
                          extents.size() * static_cast<index_t>(sizeof(T)) >= large_result_bytes &&
                          reinterpret_cast<std::uintptr_t>(out.data()) % alignment == 0;
    run_parts(extents.size(), options, {&all.run, &all});
    return true;
}

template <class T, expression E>
void assign_node(const tensor_view<T>& out, const E& e, const compute_options& options) {
    if (try_assign(out, e, options)) return;
    auto apart = tensor<T>::uninitialized(out.shape());
    try_assign(apart.view(), e, options);
    try_assign(out, array_node<T>(apart.view()), options);
}

}  // namespace detail

/// Computes an expression into a new tensor of its shape.
/// @throws shape_error     if its operands do not broadcast
/// @throws argument_error  if an integer is divided by zero
template <array X>
[[nodiscard]] auto eval(X&& x, const compute_options& options = {}) {
    const auto node = detail::as_node(std::forward<X>(x));
    auto result = tensor<typename decltype(node)::value_type>::uninitialized(node.shape());
    detail::try_assign(result.view(), node, options);  // fresh memory overlaps nothing
    return result;
}

/// Computes an expression into memory that is there. `out` may be one of the operands.
/// @param out  a tensor or a view of the expression's shape, or of one it broadcasts to
/// @throws shape_error     if the shapes do not fit; nothing is written then
/// @throws argument_error  if an integer is divided by zero; nothing is written then
template <class Out, array X>
requires edge_array<Out> &&(!expression<Out>)&&std::same_as<value_type_of<Out>, value_type_of<X>> void assign(
    Out&& out, X&& x, const compute_options& options = {}) {
    detail::assign_node(tensor_view<value_type_of<Out>>(out), detail::as_node(std::forward<X>(x)), options);
}

/// Computes an expression into a contiguous range of as many elements, in row-major order.
/// @throws shape_error     if the numbers of elements differ; nothing is written then
/// @throws argument_error  if an integer is divided by zero; nothing is written then
template <element_range Out, array X>
requires std::same_as<value_type_of<Out>, value_type_of<X>>
void assign(Out&& out, X&& x, const compute_options& options = {}) {
    const auto node = detail::as_node(std::forward<X>(x));
    const auto flat = edge::view(out);
    const shape extents = node.shape();
    if (flat.size() != extents.size())
        throw shape_error(
            message("expression of shape ", extents, " does not fit a range of ", flat.size(), " elements"));
    detail::assign_node(flat.reshape(extents), node, options);
}

}  // namespace edge
