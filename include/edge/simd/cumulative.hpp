// SPDX-License-Identifier: MIT
#pragma once

/// @file Running sums and products: each element with all before it.
///
///     edge::tensor<float> path = edge::cumsum(steps);            // flattened
///     edge::tensor<float> rows = edge::cumsum(x, -1);            // along an axis
///
/// Added in order, one after the other, as NumPy does: the error grows with the position. Integers and truth values
/// become int64, or uint64 where they are unsigned, and wrap. The same bits for every number of threads.

#include <edge/simd/reduce.hpp>

#include <optional>

namespace edge {
namespace detail {

/// Joins each row of `to` to the one before: [outer, extent, inner].
template <class Join, class T>
void scan(T* to, const axis_split& split, int threads) {
    const index_t size = split.extent * split.inner;
    const index_t grain = (std::max)(index_t{1}, elements_per_thread / (std::max)(index_t{1}, size));
    run_parts(split.outer, parallel_options{.threads = threads, .grain = grain}, [=](index_t first, index_t last) {
        for (index_t o = first; o < last; ++o) {
            T* row = to + o * size;
            if (split.inner == 1) {
                for (index_t i = 1; i < size; ++i) row[i] = Join::join(row[i - 1], row[i]);
                continue;
            }
            for (index_t i = 1; i < split.extent; ++i, row += split.inner)
                simd::detail::join_totals<simd::detail::default_arch, Join>(row + split.inner, row, split.inner);
        }
    });
}

template <class Join, array X>
[[nodiscard]] auto accumulate(X&& x, std::optional<index_t> axis, int threads) {
    using S = sum_type<value_type_of<X>>;
    const auto node = as_node(std::forward<X>(x));
    const shape extents = node.shape();
    const axis_split split = axis ? axis_split(extents, *axis, true) : axis_split(extents, 0, extents.rank(), true);
    auto result = tensor<S>::uninitialized(axis ? extents : shape{extents.size()});
    if (result.empty()) return result;
    node.check();
    const node_source<S, std::remove_const_t<decltype(node)>> values(node);
    const source<S> from = values.source();
    run_parts(result.size(), parallel_options{.threads = threads, .grain = elements_per_thread},
              [&](index_t first, index_t last) {
                  const auto read = from.read(first, 1, last - first, last - first, result.data() + first);
                  if (from.data != nullptr) std::copy_n(read.from, last - first, result.data() + first);
              });
    scan<Join>(result.data(), split, threads);
    return result;
}

}  // namespace detail

/// Sums of each element and all before it, in row-major order.
/// @return  [size]
template <array X>
[[nodiscard]] auto cumsum(X&& x, const compute_options& options = {}) {
    return detail::accumulate<simd::detail::sum_of>(std::forward<X>(x), {}, options.threads);
}
/// The same along an axis; the shape stays.
/// @throws argument_error  if there is no such axis
template <array X>
[[nodiscard]] auto cumsum(X&& x, index_t axis, const compute_options& options = {}) {
    return detail::accumulate<simd::detail::sum_of>(std::forward<X>(x), axis, options.threads);
}

/// Products of each element and all before it, in row-major order.
/// @return  [size]
template <array X>
[[nodiscard]] auto cumprod(X&& x, const compute_options& options = {}) {
    return detail::accumulate<simd::detail::product_of>(std::forward<X>(x), {}, options.threads);
}
/// The same along an axis; the shape stays.
/// @throws argument_error  if there is no such axis
template <array X>
[[nodiscard]] auto cumprod(X&& x, index_t axis, const compute_options& options = {}) {
    return detail::accumulate<simd::detail::product_of>(std::forward<X>(x), axis, options.threads);
}

}  // namespace edge
