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
#include <bit>
#include <cstddef>
#include <cstdint>
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

/// Unsigned integer in the order of the number. Of NaN: any.
template <stored T>
[[nodiscard]] std::uint64_t order_bits(T value) noexcept {
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;
    if constexpr (std::is_integral_v<T>) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) ^ sign;
    } else {
        const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(value) + 0.0);  // -0 becomes 0
        return (bits & sign) != 0 ? ~bits : bits | sign;
    }
}

template <class Key>
struct keyed_row {
    Key key;
    std::size_t row;
};

/// Stable sort of `rows` by `key(row)`. The keys are laid out beside the rows first: sorting then reads memory in order.
template <class KeyOf>
void sort_by_key(std::span<std::size_t> rows, bool descending, KeyOf&& key) {
    using keyed = keyed_row<decltype(key(std::size_t{}))>;
    std::vector<keyed> keys;
    keys.reserve(rows.size());
    for (const std::size_t row : rows) keys.push_back({key(row), row});
    const auto before = [descending](const keyed& a, const keyed& b) {
        return descending ? b.key < a.key : a.key < b.key;
    };
    if (std::is_sorted(keys.begin(), keys.end(), before)) return;
    std::stable_sort(keys.begin(), keys.end(), before);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = keys[i].row;
}

/// Stable sort of `rows` by one column.
inline void sort_rows(const column& c, order direction, std::span<std::size_t> rows) {
    rows = rows.first(missing_last(c, rows));
    const bool descending = direction == order::descending;
    if (c.kind() == kind::string) return sort_by_key(rows, descending, [&c](std::size_t row) { return c.text(row); });
    std::vector<std::uint64_t> bits(c.size());
    if (c.kind() == kind::boolean)
        for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = c.boolean(i);
    else
        dispatch_stored(c.kind(), [&]<class T>() {
            const auto values = c.values<T>();
            for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = order_bits(values[i]);
        });
    sort_by_key(rows, descending, [&bits](std::size_t row) { return bits[row]; });
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
