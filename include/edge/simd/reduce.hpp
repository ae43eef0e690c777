// SPDX-License-Identifier: MIT
#pragma once

/// @file Reductions: many elements to one, over all of them or along one axis.
///
///     float total = edge::sum(x * x);                                    // of an expression: it is never stored
///     edge::tensor<float> means = edge::mean(x, 0);                      // along axis 0
///     edge::tensor<float> peaks = edge::max(x, -1, {.keepdims = true});  // [n, m] to [n, 1]
///
/// | `sum prod mean var stddev` | of nothing: 0, 1, NaN, NaN, NaN                     |
/// | `min max argmin argmax`    | of nothing: argument_error; NaN wins, as in NumPy   |
/// | `any all`                  | whether some or all are not zero                    |
///
/// Sums and products of integers and truth values are int64, or uint64 where those are unsigned, and wrap; means of
/// them are float64. Sums of floats are in pairs: the error grows with log n. The same bits on every architecture and
/// for every number of threads.

#include <edge/simd/detail/reduce_rows.hpp>
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

#include <cmath>
#include <limits>

namespace edge {

struct reduce_options {
    bool keepdims = false;  ///< whether the axis stays, with extent 1
    int threads = 0;        ///< 0: the process default
};

/// What a sum or product of T is: T for floats, else 64 bits wide.
template <element T>
using sum_type = std::conditional_t<
    std::is_floating_point_v<T>, T,
    std::conditional_t<std::is_unsigned_v<T> && !std::is_same_v<T, bool>, std::uint64_t, std::int64_t>>;

/// What a mean of T is: T for floats, else float64.
template <element T>
using mean_type = std::conditional_t<std::is_floating_point_v<T>, T, double>;

namespace detail {

/// Elements of a part that is reduced on its own, on some thread. Part of what fixes the bits: not to be tuned by machine.
template <class T>
inline constexpr index_t reduce_part = 64 * simd::detail::rows_per_block* simd::detail::columns<T>;

/// Elements [first, first + count) of a node, as numbers of type T.
template <class T, expression E>
class node_source {
public:
    explicit node_source(const E& node) : loop_(node) {}

    void read(index_t first, index_t count, T* to) const noexcept {
        using V = typename E::value_type;
        if constexpr (std::is_same_v<T, V>) {
            loop_.read(first, count, to);
        } else {
            V values[512];
            for (index_t done = 0; done < count; done += 512) {
                const index_t n = (std::min)(index_t{512}, count - done);
                loop_.read(first + done, n, values);
                for (index_t i = 0; i < n; ++i) to[done + i] = static_cast<T>(values[i]);
            }
        }
    }

private:
    prepared_loop<E> loop_;
};

/// Reads a source ahead, into a buffer that stays in the first cache.
template <class T, class Source>
class source_reader {
public:
    source_reader(const Source& source, index_t first, index_t count) noexcept
        : source_(source), start_(first), count_(count) {}

    /// As `reduce_values` asks.
    const T* operator()(index_t first, index_t) noexcept {
        if (first >= last_) {
            first_ = first;
            last_ = (std::min)(count_, first + size);
            source_.read(start_ + first_, last_ - first_, buffer_);
        }
        return buffer_ + (first - first_);
    }

private:
    static constexpr index_t size = 8 * simd::detail::rows_per_block * simd::detail::columns<T>;
    const Source& source_;
    index_t start_;
    index_t count_;
    index_t first_ = 0;
    index_t last_ = 0;
    T buffer_[size];
};

/// Total of the elements of a node, joined as T.
template <class Join, class T, expression E>
[[nodiscard]] T reduce_node(const E& node, index_t size, int threads) {
    constexpr index_t part = reduce_part<T>;
    const node_source<T, E> source(node);
    const auto total_of = [&](index_t first, index_t count) {
        source_reader<T, node_source<T, E>> reader(source, first, count);
        return simd::detail::reduce_values<simd::detail::default_arch, Join, T>(reader, count);
    };
    if (size <= part) return total_of(0, size);
    const index_t parts = (size + part - 1) / part;
    auto totals = tensor<T>::uninitialized({parts});
    run_parts(parts, parallel_options{.threads = threads}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) totals[i] = total_of(i * part, (std::min)(part, size - i * part));
    });
    return simd::detail::fold<simd::detail::default_arch, Join>(totals.data(), parts);
}

/// The same of contiguous memory.
template <class Join, class T>
[[nodiscard]] T reduce_memory(const T* from, index_t size, int threads) {
    constexpr index_t part = reduce_part<T>;
    if (size <= part) return simd::detail::reduce_contiguous<simd::detail::default_arch, Join>(from, size);
    const index_t parts = (size + part - 1) / part;
    auto totals = tensor<T>::uninitialized({parts});
    run_parts(parts, parallel_options{.threads = threads}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i)
            totals[i] = simd::detail::reduce_contiguous<simd::detail::default_arch, Join>(
                from + i * part, (std::min)(part, size - i * part));
    });
    return simd::detail::fold<simd::detail::default_arch, Join>(totals.data(), parts);
}

/// An axis of a row-major array: [outer, extent, inner].
struct axis_split {
    index_t outer = 1;
    index_t extent = 1;
    index_t inner = 1;
    shape reduced;

    axis_split(const shape& extents, index_t axis, bool keepdims) {
        const std::size_t a = extents.axis(axis);
        for (std::size_t i = 0; i < a; ++i) outer *= extents[i];
        for (std::size_t i = a + 1; i < extents.rank(); ++i) inner *= extents[i];
        extent = extents[a];
        index_list rest = extents.extents();
        if (keepdims) {
            rest[a] = 1;
        } else {
            rest.erase(a);
        }
        reduced = shape(rest);
    }
};

/// Totals along one axis of contiguous memory, whose extent is at least one.
template <class Join, class T>
[[nodiscard]] tensor<T> reduce_axis(const T* from, const axis_split& split, int threads) {
    auto result = tensor<T>::uninitialized(split.reduced);
    if (result.empty()) return result;
    T* totals = result.data();
    const index_t extent = split.extent;
    const index_t inner = split.inner;
    if (inner == 1 && extent > reduce_part<T>) {  // few long rows: each is cut itself
        for (index_t o = 0; o < split.outer; ++o) totals[o] = reduce_memory<Join>(from + o * extent, extent, threads);
        return result;
    }
    // Many short rows, or tiles of columns, are shared out.
    constexpr index_t width = simd::detail::columns<T>;
    const index_t tiles = (inner + width - 1) / width;
    const index_t grain = (std::max)(index_t{1}, elements_per_thread / (extent * (std::min)(inner, width)));
    run_parts(split.outer * tiles, parallel_options{.threads = threads, .grain = grain},
              [=](index_t first, index_t last) {
                  using arch = simd::detail::default_arch;
                  for (index_t i = first; i < last; ++i) {
                      if (inner == 1) {
                          totals[i] = simd::detail::reduce_contiguous<arch, Join>(from + i * extent, extent);
                      } else {
                          const index_t o = i / tiles;
                          const index_t column = i % tiles * width;
                          simd::detail::reduce_columns<arch, Join>(from + o * extent * inner + column, extent, inner,
                                                                   (std::min)(simd::detail::columns<T>, inner - column),
                                                                   totals + o * inner + column);
                      }
                  }
              });
    return result;
}

/// The elements of an array or expression as a tensor of T; none copied where it is one.
template <class T, array X>
[[nodiscard]] decltype(auto) as_tensor_of(X&& x, int threads) {
    using V = value_type_of<X>;
    if constexpr (std::is_same_v<T, V> && std::is_same_v<std::remove_cvref_t<X>, tensor<T>>) {
        return static_cast<const tensor<T>&>(x);
    } else if constexpr (std::is_same_v<T, V>) {
        return eval(std::forward<X>(x), {.threads = threads});
    } else {
        const auto values = eval(std::forward<X>(x), {.threads = threads});
        auto converted = tensor<T>::uninitialized(values.shape());
        std::transform(values.begin(), values.end(), converted.begin(), [](V v) { return static_cast<T>(v); });
        return converted;
    }
}

/// Total of all elements as T; `nothing` where there are none.
template <class Join, class T, array X>
[[nodiscard]] T reduce_all(X&& x, T nothing, int threads) {
    const auto node = as_node(std::forward<X>(x));
    const shape extents = node.shape();
    if (extents.size() == 0) return nothing;
    node.check();
    if constexpr (requires { node.view(); } && std::is_same_v<T, typename decltype(node)::value_type>) {
        if (node.view().is_contiguous()) return reduce_memory<Join>(node.view().data(), extents.size(), threads);
    }
    return reduce_node<Join, T>(node, extents.size(), threads);
}

/// Totals along an axis as T; `nothing` where it has no elements.
template <class Join, class T, array X>
[[nodiscard]] tensor<T> reduce_along(X&& x, index_t axis, T nothing, const reduce_options& options) {
    const auto& values = as_tensor_of<T>(std::forward<X>(x), options.threads);
    const axis_split split(values.shape(), axis, options.keepdims);
    if (split.extent == 0) return tensor<T>(split.reduced, nothing);
    return reduce_axis<Join>(values.data(), split, options.threads);
}

[[noreturn]] inline void refuse_empty(const char* what, const shape& extents) {
    throw argument_error(message(what, " of no elements: shape ", extents));
}

/// As `reduce_along`, for what nothing has none of.
template <class Join, array X>
[[nodiscard]] auto reduce_along(X&& x, index_t axis, const char* what, const reduce_options& options) {
    using T = value_type_of<X>;
    using N = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
    const auto& values = as_tensor_of<N>(std::forward<X>(x), options.threads);
    const axis_split split(values.shape(), axis, options.keepdims);
    if (split.extent == 0 && split.reduced.size() != 0) refuse_empty(what, values.shape());
    if (split.reduced.size() == 0) return tensor<T>(split.reduced);
    auto totals = reduce_axis<Join>(values.data(), split, options.threads);
    if constexpr (std::is_same_v<T, N>) {
        return totals;
    } else {
        return eval(totals != N{0});
    }
}

template <class Join, array X>
[[nodiscard]] auto reduce_all(X&& x, const char* what, int threads) {
    using T = value_type_of<X>;
    using N = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
    auto node = as_node(std::forward<X>(x));
    if (node.shape().size() == 0) refuse_empty(what, node.shape());
    return static_cast<T>(reduce_all<Join, N>(std::move(node), N{}, threads));
}

/// Position of the first element that beats all others, NaN first.
template <class Beats, class T>
[[nodiscard]] index_t find_best(const T* from, index_t count, index_t stride, Beats beats) noexcept {
    index_t best = 0;
    for (index_t i = 0; i < count; ++i) {
        const T v = from[i * stride];
        if (v != v) return i;
        if (beats(v, from[best * stride])) best = i;
    }
    return best;
}

template <class Beats, array X>
[[nodiscard]] std::int64_t find_all(X&& x, const char* what, int threads, Beats beats) {
    const auto& values = as_tensor_of<value_type_of<X>>(std::forward<X>(x), threads);
    if (values.empty()) refuse_empty(what, values.shape());
    return find_best(values.data(), values.size(), 1, beats);
}

template <class Beats, array X>
[[nodiscard]] tensor<std::int64_t> find_along(X&& x, index_t axis, const char* what, const reduce_options& options,
                                              Beats beats) {
    const auto& values = as_tensor_of<value_type_of<X>>(std::forward<X>(x), options.threads);
    const axis_split split(values.shape(), axis, options.keepdims);
    if (split.extent == 0 && split.reduced.size() != 0) refuse_empty(what, values.shape());
    tensor<std::int64_t> result(split.reduced);
    for (index_t i = 0; i < result.size(); ++i) {
        const index_t o = i / split.inner;
        result[i] = find_best(values.data() + o * split.extent * split.inner + i % split.inner, split.extent,
                              split.inner, beats);
    }
    return result;
}

inline constexpr auto is_lower = [](auto a, auto b) { return a < b; };
inline constexpr auto is_higher = [](auto a, auto b) { return a > b; };

}  // namespace detail

/// Sum of all elements.
template <array X>
[[nodiscard]] auto sum(X&& x, const compute_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_all<simd::detail::sum_of, S>(std::forward<X>(x), S{0}, options.threads);
}
/// Sums along an axis, counted from the end where it is negative.
/// @throws argument_error  if there is no such axis
template <array X>
[[nodiscard]] auto sum(X&& x, index_t axis, const reduce_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_along<simd::detail::sum_of, S>(std::forward<X>(x), axis, S{0}, options);
}

template <array X>
[[nodiscard]] auto prod(X&& x, const compute_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_all<simd::detail::product_of, S>(std::forward<X>(x), S{1}, options.threads);
}
template <array X>
[[nodiscard]] auto prod(X&& x, index_t axis, const reduce_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_along<simd::detail::product_of, S>(std::forward<X>(x), axis, S{1}, options);
}

template <array X>
[[nodiscard]] auto mean(X&& x, const compute_options& options = {}) {
    using M = mean_type<value_type_of<X>>;
    auto node = detail::as_node(std::forward<X>(x));
    const auto count = static_cast<M>(node.shape().size());
    return detail::reduce_all<simd::detail::sum_of, M>(std::move(node), M{0}, options.threads) / count;
}
template <array X>
[[nodiscard]] auto mean(X&& x, index_t axis, const reduce_options& options = {}) {
    using M = mean_type<value_type_of<X>>;
    auto node = detail::as_node(std::forward<X>(x));
    const shape extents = node.shape();
    const auto count = static_cast<M>(extents[extents.axis(axis)]);
    return eval(detail::reduce_along<simd::detail::sum_of, M>(std::move(node), axis, M{0}, options) / count,
                {.threads = options.threads});
}

/// Mean of the squared distances from the mean, in two passes.
template <array X>
[[nodiscard]] auto var(X&& x, const compute_options& options = {}) {
    using M = mean_type<value_type_of<X>>;
    const auto& values = detail::as_tensor_of<M>(std::forward<X>(x), options.threads);
    const auto from_mean = values - mean(values, options);
    return mean(from_mean * from_mean, options);
}
template <array X>
[[nodiscard]] auto var(X&& x, index_t axis, const reduce_options& options = {}) {
    using M = mean_type<value_type_of<X>>;
    const auto& values = detail::as_tensor_of<M>(std::forward<X>(x), options.threads);
    const auto from_mean = values - mean(values, axis, {.keepdims = true, .threads = options.threads});
    return mean(from_mean * from_mean, axis, options);
}

/// Square root of the variance.
template <array X>
[[nodiscard]] auto stddev(X&& x, const compute_options& options = {}) {
    return std::sqrt(var(std::forward<X>(x), options));
}
template <array X>
[[nodiscard]] auto stddev(X&& x, index_t axis, const reduce_options& options = {}) {
    return eval(edge::sqrt(var(std::forward<X>(x), axis, options)));
}

/// The smallest element; NaN if any is.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] auto min(X&& x, const compute_options& options = {}) {
    return detail::reduce_all<simd::detail::lowest_of>(std::forward<X>(x), "min", options.threads);
}
template <array X>
[[nodiscard]] auto min(X&& x, index_t axis, const reduce_options& options = {}) {
    return detail::reduce_along<simd::detail::lowest_of>(std::forward<X>(x), axis, "min", options);
}

/// The largest element; NaN if any is.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] auto max(X&& x, const compute_options& options = {}) {
    return detail::reduce_all<simd::detail::highest_of>(std::forward<X>(x), "max", options.threads);
}
template <array X>
[[nodiscard]] auto max(X&& x, index_t axis, const reduce_options& options = {}) {
    return detail::reduce_along<simd::detail::highest_of>(std::forward<X>(x), axis, "max", options);
}

/// Position of the first smallest element in row-major order, or along an axis; that of the first NaN if any is.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] std::int64_t argmin(X&& x, const compute_options& options = {}) {
    return detail::find_all(std::forward<X>(x), "argmin", options.threads, detail::is_lower);
}
template <array X>
[[nodiscard]] tensor<std::int64_t> argmin(X&& x, index_t axis, const reduce_options& options = {}) {
    return detail::find_along(std::forward<X>(x), axis, "argmin", options, detail::is_lower);
}

/// Position of the first largest element in row-major order, or along an axis; that of the first NaN if any is.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] std::int64_t argmax(X&& x, const compute_options& options = {}) {
    return detail::find_all(std::forward<X>(x), "argmax", options.threads, detail::is_higher);
}
template <array X>
[[nodiscard]] tensor<std::int64_t> argmax(X&& x, index_t axis, const reduce_options& options = {}) {
    return detail::find_along(std::forward<X>(x), axis, "argmax", options, detail::is_higher);
}

namespace detail {

/// An array as truth values: whether each element is not zero. NaN is not.
template <array X>
[[nodiscard]] auto as_truth(X&& x) {
    if constexpr (truth_array<X>) {
        return as_node(std::forward<X>(x));
    } else {
        return number_node<simd::detail::op::not_equal>(std::forward<X>(x), value_type_of<X>{0});
    }
}

}  // namespace detail

/// Whether some element is not zero.
template <array X>
[[nodiscard]] bool any(X&& x, const compute_options& options = {}) {
    return detail::reduce_all<simd::detail::highest_of, std::uint8_t>(detail::as_truth(std::forward<X>(x)), 0,
                                                                      options.threads) != 0;
}
template <array X>
[[nodiscard]] tensor<bool> any(X&& x, index_t axis, const reduce_options& options = {}) {
    return eval(detail::reduce_along<simd::detail::highest_of, std::uint8_t>(detail::as_truth(std::forward<X>(x)), axis,
                                                                             0, options) != 0);
}

/// Whether no element is zero.
template <array X>
[[nodiscard]] bool all(X&& x, const compute_options& options = {}) {
    return detail::reduce_all<simd::detail::lowest_of, std::uint8_t>(detail::as_truth(std::forward<X>(x)), 1,
                                                                     options.threads) != 0;
}
template <array X>
[[nodiscard]] tensor<bool> all(X&& x, index_t axis, const reduce_options& options = {}) {
    return eval(detail::reduce_along<simd::detail::lowest_of, std::uint8_t>(detail::as_truth(std::forward<X>(x)), axis,
                                                                            1, options) != 0);
}

}  // namespace edge
