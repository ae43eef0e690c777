// SPDX-License-Identifier: MIT
#pragma once

/// @file Columns in array expressions: computed in one pass, without temporaries, and made columns again.
///
///     const auto ax = view<float>(imu.column("ax")), ay = view<float>(imu.column("ay"));
///     imu = imu.with("shake", to_column(edge::sqrt(ax * ax + ay * ay)));
///     table moving = filter(imu, ax * ax + ay * ay > 4.0f);
///
/// Arrays know no missing values, so a column that has some is refused: `fill_missing` or `drop_missing` them first. NaN
/// is a value like any other here; a comparison with it is false.

#include <edge/frame/take.hpp>
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame {

/// The values of a column as an array of shape (rows), over the column's memory.
/// @throws argument_error  if the column stores another type than T, or misses values
template <stored T>
[[nodiscard]] tensor_view<const T> view(const column& c) {
    const auto values = c.values<T>();
    if (c.null_count() != 0)
        throw argument_error(message("a column that misses ", c.null_count(), " of ", c.size(),
                                     " values in an expression; fill_missing() or drop_missing() them first"));
    return {values.data(), shape{static_cast<index_t>(values.size())}};
}

/// The elements of an array or expression as a column, booleans as one of `kind::boolean`. An array that is moved in
/// gives its memory.
/// @throws shape_error  if it has another rank than 1
template <edge_array X>
[[nodiscard]] column to_column(X&& array) {
    using T = value_type_of<X>;
    const auto computed = [&]() -> tensor<T> {
        if constexpr (std::is_same_v<X, tensor<T>>)
            return std::move(array);
        else
            return edge::eval(array);
    };
    auto values = std::make_shared<const tensor<T>>(computed());
    if (values->rank() != 1)
        throw shape_error(message("an array of shape ", values->shape(), " as a column; expected one axis"));
    const auto rows = static_cast<std::size_t>(values->size());
    if constexpr (std::is_same_v<T, bool>) {
        growing_bits bits;
        bits.reserve(rows);
        for (const bool bit : values->flat()) bits.push_back(bit);
        return column(kind::boolean, rows, {}, bits.finish());
    } else {
        const T* data = values->data();
        return column(kind_of<T>, rows, {}, buffer(std::move(values), data, rows * sizeof(T)));
    }
}

/// The rows for which a condition holds.
/// @param holds  bool, of shape (rows)
/// @throws shape_error  if it has another shape
template <edge_array X>
requires(std::is_same_v<value_type_of<X>, bool>) [[nodiscard]] table filter(const table& t, const X& holds) {
    const auto mask = edge::eval(holds);
    if (mask.shape() != shape{static_cast<index_t>(t.rows())})
        throw shape_error(message("a condition of shape ", mask.shape(), " for a table of ", t.rows(), " rows"));
    std::vector<std::size_t> rows(t.rows());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[kept] = i;
        kept += mask[static_cast<index_t>(i)] ? 1 : 0;
    }
    rows.resize(kept);
    return take(t, rows);
}

}  // namespace edge::frame
