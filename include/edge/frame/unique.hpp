// SPDX-License-Identifier: MIT
#pragma once

/// @file Unique rows: one of each set of rows with equal keys, in the order of the table.
///
///     table newest = unique(t, {"vehicle", "sensor"}, keep::last);
///     table once = unique(t, {}, keep::none);                            // all columns are keys; rows without a double
///     table counts = value_counts(t, "state");
///
/// Missing values and NaN are equal to each other, as in a group-by.

#include <edge/frame/detail/row_ids.hpp>
#include <edge/frame/key_names.hpp>
#include <edge/frame/sort.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

/// Which of the rows with equal keys stays.
enum class keep : std::uint8_t { first, last, none };

/// @param keys  columns; none for all. O(rows).
/// @throws argument_error  if a column is not there
[[nodiscard]] inline table unique(const table& t, const key_names& keys = {}, keep which = keep::first,
                                  const parallel_options& threads = {}) {
    const table chosen = keys.empty() ? t : t.select(keys.list());
    if (t.rows() == 0) return t;
    const detail::row_ids ids = detail::number_rows_of(chosen.columns(), t.rows(), threads);
    std::vector<std::size_t> rows;
    if (which == keep::first) {
        rows = ids.first_rows();
    } else {
        std::vector<std::size_t> last(ids.groups);
        std::vector<std::uint8_t> several(ids.groups);
        for (std::size_t row = 0; row < t.rows(); ++row) {
            const std::uint32_t id = ids.of_row[row];
            several[id] = several[id] == 0 ? 1 : 2;
            last[id] = row;
        }
        for (std::size_t row = 0; row < t.rows(); ++row) {
            const std::uint32_t id = ids.of_row[row];
            if (last[id] == row && (which == keep::last || several[id] == 1)) rows.push_back(row);
        }
    }
    return rows.size() == t.rows() ? t : take(t, rows, threads);
}

/// How often each value of a column appears: the values and `count`, the most frequent first, equally frequent ones in
/// the order they appear. A missing value is a value too.
/// @throws argument_error  if the column is not there, or is itself named count
[[nodiscard]] inline table value_counts(const table& t, const std::string& name) {
    const column& c = t.column(name);
    const column one[] = {c};
    const detail::row_ids ids = detail::number_rows_of(one, t.rows(), {});
    std::vector<std::int64_t> of_id(ids.groups);
    for (std::size_t row = 0; row < t.rows(); ++row) ++of_id[ids.of_row[row]];
    const std::vector<std::size_t> rows = ids.first_rows();
    std::vector<std::int64_t> counts;
    for (const std::size_t row : rows) counts.push_back(of_id[ids.of_row[row]]);
    return sort({{name, take(c, rows)}, {"count", column(std::move(counts))}}, {{"count", order::descending}});
}

}  // namespace edge::frame
