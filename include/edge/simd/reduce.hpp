// SPDX-License-Identifier: MIT
#pragma once

/// @file Reductions: many elements to one, over all of them or along axes.
///
///     float total = edge::sum(x * x);                                    // of an expression: it is never stored
///     edge::tensor<float> means = edge::mean(x, 0);                      // along axis 0
///     edge::tensor<float> peaks = edge::max(x, {0, -1}, {.keepdims = true});  // [n, m, k] to [1, m, 1]
///
/// | `sum prod mean norm`    | of nothing: 0, 1, NaN, 0                                          |
/// | `min max`               | of nothing: argument_error; NaN wins, as in NumPy                 |
/// | `any all count_nonzero` | whether some or all are not zero, and how many; NaN is not zero   |
///
/// Others are in headers of their own: `moments.hpp` (var, stddev), `argminmax.hpp`, `cumulative.hpp`.
///
/// Sums and products of integers and truth values are int64, or uint64 where those are unsigned, and wrap; means of
/// them are float64. Sums of floats are in pairs: the error grows with log n. The order of the additions follows from
/// the shape and the axes alone, so that the bits are the same on every architecture and for every number of threads.

#include <edge/simd/cast.hpp>
#include <edge/simd/detail/reduce_axes.hpp>
#include <edge/simd/elementwise.hpp>

#include <cmath>
#include <initializer_list>
#include <limits>

namespace edge {

/// What a sum or product of T is: T for floats, else 64 bits wide.
template <element T>
using sum_type = std::conditional_t<
    std::is_floating_point_v<T>, T,
    std::conditional_t<std::is_unsigned_v<T> && !std::is_same_v<T, bool>, std::uint64_t, std::int64_t>>;

/// What a mean of T is: T for floats, else float64.
template <element T>
using mean_type = std::conditional_t<std::is_floating_point_v<T>, T, double>;

/// Sum of all elements.
template <array X>
[[nodiscard]] auto sum(X&& x, const compute_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_all<simd::detail::sum_of, S>(std::forward<X>(x), S{0}, options.threads);
}
/// Sums along axes.
/// @throws argument_error  if there is no such axis, or one is given twice
template <array X>
[[nodiscard]] auto sum(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_axes<simd::detail::sum_of, S>(std::forward<X>(x), axes, S{0}, options);
}

/// Product of all elements.
template <array X>
[[nodiscard]] auto prod(X&& x, const compute_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_all<simd::detail::product_of, S>(std::forward<X>(x), S{1}, options.threads);
}
template <array X>
[[nodiscard]] auto prod(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    using S = sum_type<value_type_of<X>>;
    return detail::reduce_axes<simd::detail::product_of, S>(std::forward<X>(x), axes, S{1}, options);
}

namespace detail {

/// What a mean of T adds up: integers of up to 32 bits exactly.
template <class T>
using mean_sum_type = std::conditional_t<std::is_integral_v<T> && sizeof(T) < 8, sum_type<T>, mean_type<T>>;

}  // namespace detail

/// The sum, divided by the number of elements.
template <array X>
[[nodiscard]] auto mean(X&& x, const compute_options& options = {}) {
    using M = mean_type<value_type_of<X>>;
    using S = detail::mean_sum_type<value_type_of<X>>;
    auto node = detail::as_node(std::forward<X>(x));
    const auto count = static_cast<M>(node.shape().size());
    return static_cast<M>(detail::reduce_all<simd::detail::sum_of, S>(std::move(node), S{0}, options.threads)) / count;
}
template <array X>
[[nodiscard]] auto mean(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    using M = mean_type<value_type_of<X>>;
    using S = detail::mean_sum_type<value_type_of<X>>;
    auto node = detail::as_node(std::forward<X>(x));
    const auto count = static_cast<M>(detail::axis_plan(node.shape(), axes, false).elements);
    auto sums = detail::reduce_axes<simd::detail::sum_of, S>(std::move(node), axes, S{0}, options);
    auto means = tensor<M>::uninitialized(sums.shape());
    std::transform(sums.begin(), sums.end(), means.begin(), [count](S s) { return static_cast<M>(s) / count; });
    return means;
}

namespace detail {

template <class Join, array X>
[[nodiscard]] auto extreme_of_all(X&& x, const char* what, int threads) {
    using T = value_type_of<X>;
    auto node = as_node(std::forward<X>(x));
    if (node.shape().size() == 0) refuse_empty(what, node.shape());
    return static_cast<T>(reduce_all<Join, stored_type<T>>(std::move(node), {}, threads));
}

/// Bytes as truth values.
[[nodiscard]] inline tensor<bool> as_bools(const tensor<std::uint8_t>& bytes) {
    auto result = tensor<bool>::uninitialized(bytes.shape());
    std::transform(bytes.begin(), bytes.end(), result.begin(), [](std::uint8_t b) { return b != 0; });
    return result;
}

template <class Join, array X>
[[nodiscard]] auto extremes_along(X&& x, const axis_list& axes, const char* what, const reduce_options& options) {
    using T = value_type_of<X>;
    auto node = as_node(std::forward<X>(x));
    const axis_plan plan(node.shape(), axes, options.keepdims);
    if (plan.elements == 0 && plan.reduced.size() != 0) refuse_empty(what, node.shape());
    auto result = reduce_axes<Join, stored_type<T>>(std::move(node), axes, {}, options);
    if constexpr (std::is_same_v<T, bool>) {
        return as_bools(result);
    } else {
        return result;
    }
}

}  // namespace detail

/// The smallest element; NaN if any is.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] auto min(X&& x, const compute_options& options = {}) {
    return detail::extreme_of_all<simd::detail::lowest_of>(std::forward<X>(x), "min", options.threads);
}
template <array X>
[[nodiscard]] auto min(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    return detail::extremes_along<simd::detail::lowest_of>(std::forward<X>(x), axes, "min", options);
}

/// The largest element; NaN if any is.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] auto max(X&& x, const compute_options& options = {}) {
    return detail::extreme_of_all<simd::detail::highest_of>(std::forward<X>(x), "max", options.threads);
}
template <array X>
[[nodiscard]] auto max(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    return detail::extremes_along<simd::detail::highest_of>(std::forward<X>(x), axes, "max", options);
}

/// Whether some element is not zero.
template <array X>
[[nodiscard]] bool any(X&& x, const compute_options& options = {}) {
    return detail::reduce_all<simd::detail::highest_of, std::uint8_t>(edge::cast<bool>(std::forward<X>(x)), 0,
                                                                      options.threads) != 0;
}
template <array X>
[[nodiscard]] tensor<bool> any(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    return detail::as_bools(detail::reduce_axes<simd::detail::highest_of, std::uint8_t>(
        edge::cast<bool>(std::forward<X>(x)), axes, 0, options));
}

/// Whether no element is zero.
template <array X>
[[nodiscard]] bool all(X&& x, const compute_options& options = {}) {
    return detail::reduce_all<simd::detail::lowest_of, std::uint8_t>(edge::cast<bool>(std::forward<X>(x)), 1,
                                                                     options.threads) != 0;
}
template <array X>
[[nodiscard]] tensor<bool> all(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    return detail::as_bools(detail::reduce_axes<simd::detail::lowest_of, std::uint8_t>(
        edge::cast<bool>(std::forward<X>(x)), axes, 1, options));
}

/// How many elements are not zero.
template <array X>
[[nodiscard]] std::int64_t count_nonzero(X&& x, const compute_options& options = {}) {
    return edge::sum(edge::cast<bool>(std::forward<X>(x)), options);
}
template <array X>
[[nodiscard]] tensor<std::int64_t> count_nonzero(X&& x, const axis_list& axes, const reduce_options& options = {}) {
    return edge::sum(edge::cast<bool>(std::forward<X>(x)), axes, options);
}

struct norm_options {
    double order = 2;  ///< 1: sum of the magnitudes; 2: root of the sum of the squares; infinity: the largest magnitude
    bool keepdims = false;  ///< along axes: whether they stay, with extent 1
    int threads = 0;        ///< 0: the process default
};

namespace detail {

inline constexpr double infinite_order = std::numeric_limits<double>::infinity();

inline void check_order(double order) {
    if (order != 1 && order != 2 && order != infinite_order)
        throw argument_error(message("norm of order ", order, "; expected 1, 2 or infinity"));
}

}  // namespace detail

/// The norm of all elements as one vector: of a matrix, with order 2, that of Frobenius.
/// @throws argument_error  if the order is not 1, 2 or infinity
template <number_array X>
requires std::floating_point<value_type_of<X>>
[[nodiscard]] auto norm(const X& x, const norm_options& options = {}) {
    using T = value_type_of<X>;
    using simd::detail::highest_of;
    detail::check_order(options.order);
    if (options.order == 1) return edge::sum(edge::abs(x), {.threads = options.threads});
    if (options.order == 2) return std::sqrt(edge::sum(x * x, {.threads = options.threads}));
    return detail::reduce_all<highest_of, T>(edge::abs(x), T{0}, options.threads);
}
template <number_array X>
requires std::floating_point<value_type_of<X>>
[[nodiscard]] auto norm(const X& x, const axis_list& axes, const norm_options& options = {}) {
    using T = value_type_of<X>;
    using simd::detail::highest_of;
    const reduce_options how{.keepdims = options.keepdims, .threads = options.threads};
    detail::check_order(options.order);
    if (options.order == 1) return edge::sum(edge::abs(x), axes, how);
    if (options.order != 2) return detail::reduce_axes<highest_of, T>(edge::abs(x), axes, T{0}, how);
    auto sums = edge::sum(x * x, axes, how);
    std::transform(sums.begin(), sums.end(), sums.begin(), [](T s) { return std::sqrt(s); });
    return sums;
}
template <number_array X>
requires std::floating_point<value_type_of<X>>
[[nodiscard]] auto norm(const X& x, std::initializer_list<index_t> axes, const norm_options& options = {}) {
    return edge::norm(x, axis_list(index_list(axes)), options);
}

}  // namespace edge
