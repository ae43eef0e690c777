// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows by number: any rows, in any order, some of them none.
///
///     table shuffled = take(t, order);
///     column found = take(c, std::vector<std::size_t>{4, no_row, 4});      // the second row is missing

#include <edge/frame/table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace edge::frame {

/// In a list of rows: none, which gives a missing value.
inline constexpr std::size_t no_row = static_cast<std::size_t>(-1);

/// @param rows  each below c.size(), or `no_row`. O(rows), and the bytes of strings.
[[nodiscard]] inline column take(const column& c, std::span<const std::size_t> rows) {
    column_builder taken(c.kind());
    taken.reserve(rows.size());
    const bit_view valid = c.validity();
    const auto each = [&](auto&& append) {
        for (const std::size_t row : rows) {
            if (row != no_row && valid[row])
                append(row);
            else
                taken.append_null();
        }
    };
    switch (c.kind()) {
        case kind::boolean: each([&](std::size_t row) { taken.append(c.boolean(row)); }); break;
        case kind::string: each([&](std::size_t row) { taken.append(c.text(row)); }); break;
        default:
            dispatch_stored(c.kind(), [&]<class T>() {
                const std::span<const T> values = c.values<T>();
                if (c.null_count() == 0 && std::find(rows.begin(), rows.end(), no_row) == rows.end()) {
                    const std::span<T> to = taken.extend<T>(rows.size());
                    for (std::size_t i = 0; i < rows.size(); ++i) to[i] = values[rows[i]];
                } else {
                    each([&](std::size_t row) { taken.append(values[row]); });
                }
            });
    }
    return taken.finish();
}

[[nodiscard]] inline table take(const table& t, std::span<const std::size_t> rows) {
    std::vector<column> columns;
    for (const column& c : t.columns()) columns.push_back(take(c, rows));
    return table({t.names().begin(), t.names().end()}, std::move(columns));
}

}  // namespace edge::frame
