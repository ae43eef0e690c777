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
#include <edge/simd/detail/box.hpp>
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

EDGE_NEVER_INLINE inline void run_parts(index_t count, const compute_options& options, const loop_part& part) {
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

/// A node made ready to be computed in parts, on any thread: its rows, and where those of its arrays and its result lie.
template <expression E, class Arch = simd::detail::default_arch>
class prepared_loop {
public:
    using value_type = typename E::value_type;
    using store = simd::detail::store_result<value_type>;

    prepared_loop(const E& node, const tensor_view<value_type>& result) : prepared_loop(node, result.shape()) {
        arrays_.add({result.data(), sizeof(value_type), result.shape(), result.strides(), result.shape()});
        loop_ = simd::detail::join_axes(result.shape(), arrays_.span());
    }
    /// With no result: to be read.
    explicit prepared_loop(const E& node) : prepared_loop(node, tensor_view<value_type>(nullptr, node.shape())) {}

    [[nodiscard]] bool overlaps() const noexcept { return simd::detail::overlaps(arrays_.span(), loop_); }

    /// Everything to the result, on some threads.
    void store_all(index_t size, int threads) const {
        const auto arrays = arrays_.span();
        if (!simd::detail::wants_boxes(arrays, loop_)) {
            return run_parts(size, parallel_options{.threads = threads, .grain = elements_per_thread, .align = 64},
                             [&](index_t first, index_t last) {
                                 store mine;
                                 run(mine, first, last);
                             });
        }
        const simd::detail::box_plan plan(arrays, loop_);
        const index_t grain = 1 + elements_per_thread * plan.total / size;
        run_parts(plan.total, parallel_options{.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
            store mine;
            simd::detail::run_boxes<lane_for<E>, Arch>(bound_, mine, arrays, loop_, plan, first, last);
        });
    }

    /// Elements [first, last) to where a `Result` takes them, or to the result.
    template <class Result>
    void run(Result& result, index_t first, index_t last) const noexcept {
        const auto arrays = arrays_.span().first(bound_type::arrays + Result::arrays);
        simd::detail::run_range<lane_for<E>, Arch>(bound_, result, arrays, loop_, first, last);
    }

    /// Elements [first, first + count), one after the other.
    void read(index_t first, index_t count, value_type* to) const noexcept {
        auto arrays = arrays_;
        arrays.span().back().begin = reinterpret_cast<const char*>(to - first);
        store result;
        simd::detail::run_range<lane_for<E>, Arch>(bound_, result, arrays.span(), loop_, first, first + count);
    }

private:
    using bound_type = decltype(std::declval<const E&>().bind());

    prepared_loop(const E& node, const shape& extents) : bound_(node.bind()) { node.describe(arrays_, extents); }

    bound_type bound_;
    simd::detail::array_list<bound_type::arrays + 1> arrays_;
    index_list loop_;
};

template <class E>
void check_divisor(const E& divisor) {
    bool found = false;
    if constexpr (requires { divisor.value(); }) {
        found = divisor.value() == 0;
    } else {
        const index_t size = divisor.shape().size();
        if (size == 0) return;
        simd::detail::find_zero result;
        prepared_loop<E>(divisor).run(result, 0, size);
        found = result.found;
    }
    if (found) throw argument_error("integer division by zero");
}

/// Whether a result is stored past the caches.
[[nodiscard]] inline bool is_large(const void* data, index_t bytes) noexcept {
    return bytes >= large_result_bytes && reinterpret_cast<std::uintptr_t>(data) % alignment == 0;
}

/// Everything that a thread needs for its part of the elements, where all arrays are contiguous.
template <class T, class Bound, class Lane>
struct flat_assignment {
    Bound expression;
    simd::detail::store_result<T> result;

    static void run(const void* context, index_t first, index_t last) {
        const auto& self = *static_cast<const flat_assignment*>(context);
        simd::detail::store_result<T> mine = self.result;
        simd::detail::run_contiguous<Lane, simd::detail::default_arch>(self.expression, mine, first, last);
    }
};

/// Computes a node into contiguous memory, if it goes there in one run.
/// @return  whether it did
template <expression E>
bool try_flat(typename E::value_type* to, const shape& extents, const E& e, const compute_options& options) {
    using T = typename E::value_type;
    const index_t size = extents.size();
    if (!e.is_flat({extents, reinterpret_cast<const char*>(to), reinterpret_cast<const char*>(to + size), sizeof(T)}))
        return false;
    e.check();
    if (size == 0) return true;
    const flat_assignment<T, decltype(e.bind()), lane_for<E>> all{
        e.bind(), {simd::detail::row<T>(to), is_large(to, size * static_cast<index_t>(sizeof(T)))}};
    if (size >= 2 * elements_per_thread) {
        run_parts(size, options, {&all.run, &all});
    } else {
        all.run(&all, 0, size);
    }
    return true;
}

/// Computes a node into memory, unless writing there could change what is read later.
/// @return  whether it did
template <expression E>
bool try_strided(const tensor_view<typename E::value_type>& out, const E& e, const compute_options& options) {
    const shape& extents = out.shape();
    check_fits(e.shape(), extents);
    e.check();
    if (extents.size() == 0) return true;
    const prepared_loop<E> loop(e, out);
    if (loop.overlaps()) return false;
    loop.store_all(extents.size(), options.threads);
    return true;
}

template <expression E>
void assign_node(const tensor_view<typename E::value_type>& out, const E& e, const compute_options& options) {
    if (out.is_contiguous() && try_flat(out.data(), out.shape(), e, options)) return;
    if (try_strided(out, e, options)) return;
    auto apart = tensor<typename E::value_type>::uninitialized(out.shape());
    try_strided(apart.view(), e, options);
    try_strided(out, array_node<typename E::value_type>(apart.view()), options);
}

}  // namespace detail

/// Computes an expression into a new tensor of its shape.
/// @throws shape_error     if its operands do not broadcast
/// @throws argument_error  if an integer is divided by zero
template <array X>
[[nodiscard]] auto eval(X&& x, const compute_options& options = {}) {
    const auto node = detail::as_node(std::forward<X>(x));
    auto result = tensor<typename decltype(node)::value_type>::uninitialized(node.shape());
    if (!detail::try_flat(result.data(), result.shape(), node, options))
        detail::try_strided(result.view(), node, options);  // fresh memory overlaps nothing
    return result;
}

/// Computes an expression into memory that is there. `out` may be one of the operands.
/// @param out  a tensor or a view of the expression's shape, or of one it broadcasts to
/// @throws shape_error     if the shapes do not fit; nothing is written then
/// @throws argument_error  if an integer is divided by zero; nothing is written then
template <class Out, array X>
requires edge_array<Out> &&(!expression<Out>)&&std::same_as<value_type_of<Out>, value_type_of<X>> void assign(
    Out&& out, X&& x, const compute_options& options = {}) {
    using T = value_type_of<Out>;
    const auto node = detail::as_node(std::forward<X>(x));
    if constexpr (std::is_same_v<std::remove_cvref_t<Out>, tensor<T>>) {
        if (detail::try_flat(out.data(), out.shape(), node, options)) return;
    }
    detail::assign_node(tensor_view<T>(out), node, options);
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
