// SPDX-License-Identifier: MIT
#pragma once

/// @file Where the smallest and the largest element is: the first of equal ones, and of NaNs if any is one.
///
///     std::int64_t at = edge::argmax(scores);                        // position in row-major order
///     edge::tensor<std::int64_t> label = edge::argmax(logits, -1);   // along an axis
///
/// Of nothing: argument_error. As exact for expressions, which are never stored, and for any number of threads.

#include <edge/simd/detail/find_rows.hpp>
#include <edge/simd/reduce.hpp>

#include <optional>

namespace edge {
namespace detail {

/// Positions along the axis, whose extent is at least one.
/// @param to  [outer, inner]
template <class Beats, class T>
void find_split(const source<T>& from, const axis_split& split, std::int64_t* to, int threads) {
    using arch = simd::detail::default_arch;
    if (split.outer * split.inner == 0) return;
    const part_plan<T> plan(split);
    const index_t each = plan.parts * split.inner;
    auto values = tensor<T>::uninitialized({split.outer * each});
    auto places = tensor<index_t>::uninitialized({split.outer * each});
    run_parts(plan.items(split), parallel_options{.threads = threads, .grain = plan.grain()},
              [&](index_t first, index_t last) {
                  const bool in_rows = split.inner == 1;
                  constexpr index_t block = simd::detail::rows_per_block;
                  const index_t step = in_rows ? (from.data != nullptr ? plan.extent : buffered_elements) : block;
                  scratch<T> buffer(from.data != nullptr ? 0 : step * plan.tile);
                  for (index_t i = first; i < last; ++i) {
                      const part_item item(split, plan, i);
                      const index_t slot = item.slice * each + item.part * split.inner + item.column;
                      T* value = values.data() + slot;
                      index_t* place = places.data() + slot;
                      for (index_t r = 0; r < item.extent; r += step) {
                          const index_t rows = (std::min)(step, item.extent - r);
                          const auto read = from.read(item.first(split) + r * split.inner, rows, split.inner,
                                                      item.width, buffer.data());
                          if (!in_rows) {
                              simd::detail::find_in_block<arch, Beats>(read, rows, item.width, r, value, place);
                              continue;
                          }
                          const auto here = simd::detail::find_in_row<arch, Beats>(read.from, rows);
                          if (r != 0 && !simd::detail::comes_before<Beats>(here.value, *value)) continue;
                          *value = here.value;
                          *place = r + here.at;
                      }
                  }
              });
    for (index_t o = 0; o < split.outer; ++o)
        for (index_t c = 0; c < split.inner; ++c) {
            index_t best = o * each + c;
            index_t begin = 0;
            for (index_t p = 1; p < plan.parts; ++p) {
                const index_t other = o * each + p * split.inner + c;
                if (!simd::detail::comes_before<Beats>(values[other], values[best])) continue;
                best = other;
                begin = p * plan.extent;
            }
            to[o * split.inner + c] = begin + places[best];
        }
}

template <class Beats, array X>
[[nodiscard]] tensor<std::int64_t> find(X&& x, const char* what, std::optional<index_t> axis,
                                        const reduce_options& options) {
    using T = stored_type<value_type_of<X>>;
    const auto node = as_node(std::forward<X>(x));
    const shape extents = node.shape();
    const axis_split split =
        axis ? axis_split(extents, *axis, options.keepdims) : axis_split(extents, 0, extents.rank(), options.keepdims);
    if (split.extent == 0 && split.reduced.size() != 0) refuse_empty(what, extents);
    auto result = tensor<std::int64_t>::uninitialized(split.reduced);
    if (result.empty()) return result;
    node.check();
    find_split<Beats>(node_source<T, std::remove_const_t<decltype(node)>>(node).source(), split, result.data(),
                      options.threads);
    return result;
}

}  // namespace detail

/// Position of the smallest element in row-major order.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] std::int64_t argmin(X&& x, const compute_options& options = {}) {
    return detail::find<simd::detail::is_lower>(std::forward<X>(x), "argmin", {}, {.threads = options.threads})[0];
}
/// Positions along an axis.
/// @throws argument_error  if there is no such axis, or nothing along it
template <array X>
[[nodiscard]] tensor<std::int64_t> argmin(X&& x, index_t axis, const reduce_options& options = {}) {
    return detail::find<simd::detail::is_lower>(std::forward<X>(x), "argmin", axis, options);
}

/// Position of the largest element in row-major order.
/// @throws argument_error  if there is none
template <array X>
[[nodiscard]] std::int64_t argmax(X&& x, const compute_options& options = {}) {
    return detail::find<simd::detail::is_higher>(std::forward<X>(x), "argmax", {}, {.threads = options.threads})[0];
}
/// Positions along an axis.
/// @throws argument_error  if there is no such axis, or nothing along it
template <array X>
[[nodiscard]] tensor<std::int64_t> argmax(X&& x, index_t axis, const reduce_options& options = {}) {
    return detail::find<simd::detail::is_higher>(std::forward<X>(x), "argmax", axis, options);
}

}  // namespace edge
