// SPDX-License-Identifier: MIT
#pragma once

/// @file Sorting: rows in the order of one or more columns.
///
///     table t = sort(imu, {{"sensor"}, {"ts", order::descending}});
///
/// Stable: rows with equal keys stay in the order they had. Missing values and NaN come last, in either direction.
/// Strings compare by their bytes, which is the order of their code points; false comes before true.

#include <edge/frame/take.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace edge::frame {

enum class order : std::uint8_t { ascending, descending };

struct sort_key {
    std::string column;
    frame::order order = frame::order::ascending;
};

namespace detail {

/// Rows of `rows` whose value is there, first, in their order; the others after them. NaN counts as missing.
inline std::size_t missing_last(const column& c, std::span<std::size_t> rows) {
    const auto split = [&](auto&& there) {
        return static_cast<std::size_t>(std::stable_partition(rows.begin(), rows.end(), there) - rows.begin());
    };
    const bit_view valid = c.validity();
    if (is_float(c.kind()))
        return dispatch_stored(c.kind(), [&]<class T>() {
            const auto values = c.values<T>();
            return split([&](std::size_t row) { return valid[row] && values[row] == values[row]; });
        });
    return c.null_count() == 0 ? rows.size() : split([&](std::size_t row) { return valid[row]; });
}

/// Stable sort of `rows` by one column.
inline void sort_rows(const column& c, order direction, std::span<std::size_t> rows) {
    rows = rows.first(missing_last(c, rows));
    const auto by = [&](auto&& key) {
        const auto up = [&](std::size_t a, std::size_t b) { return key(a) < key(b); };
        const auto down = [&](std::size_t a, std::size_t b) { return key(b) < key(a); };
        if (direction == order::ascending) {
            if (!std::is_sorted(rows.begin(), rows.end(), up)) std::stable_sort(rows.begin(), rows.end(), up);
        } else {
            if (!std::is_sorted(rows.begin(), rows.end(), down)) std::stable_sort(rows.begin(), rows.end(), down);
        }
    };
    switch (c.kind()) {
        case kind::boolean: return by([bits = c.booleans()](std::size_t row) { return bits[row]; });
        case kind::string: return by([&c](std::size_t row) { return c.text(row); });
        default:
            dispatch_stored(c.kind(), [&]<class T>() { by([v = c.values<T>()](std::size_t row) { return v[row]; }); });
    }
}

}  // namespace detail

/// The rows' numbers in sorted order. O(n log n) for each key.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline std::vector<std::size_t> sorted_rows(const table& t, std::span<const sort_key> keys) {
    std::vector<std::size_t> rows(t.rows());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    for (std::size_t k = keys.size(); k-- > 0;)  // the last key first: each sort keeps the order of those before
        detail::sort_rows(t.column(keys[k].column), keys[k].order, rows);
    return rows;
}

/// @throws argument_error  if a column is not there
[[nodiscard]] inline table sort(const table& t, const std::vector<sort_key>& keys) {
    return take(t, sorted_rows(t, keys));
}

}  // namespace edge::frame
