// SPDX-License-Identifier: MIT
#pragma once

/// @file Unique rows: one of each set of rows with equal keys, in the order of the table.
///
///     table newest = unique(t, {"vehicle", "sensor"}, keep::last);
///     table once = unique(t, {}, keep::none);                            // all columns are keys; rows without a double
///     table counts = value_counts(t, "state");
///
/// Missing values are equal to each other, and so are NaN.

#include <edge/frame/detail/keys.hpp>
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
    detail::numbering n = detail::number_keys(chosen.columns(), t.rows());
    std::vector<std::size_t> rows(n.rows.begin(), n.rows.end());
    if (which != keep::first) {
        std::vector<std::size_t> last(rows.size());
        for (std::size_t row = 0; row < t.rows(); ++row) last[n.of_row[row]] = row;
        std::vector<bool> stays(t.rows());
        for (std::size_t id = 0; id < rows.size(); ++id) stays[last[id]] = which == keep::last;
        if (which == keep::none) {
            std::vector<std::uint8_t> count(rows.size());
            for (const std::uint32_t id : n.of_row) count[id] = count[id] == 0 ? 1 : 2;
            for (std::size_t id = 0; id < rows.size(); ++id) stays[rows[id]] = count[id] == 1;
        }
        rows.clear();
        for (std::size_t row = 0; row < t.rows(); ++row)
            if (stays[row]) rows.push_back(row);
    } else {
        std::sort(rows.begin(), rows.end());  // a missing key has the last number, wherever it appears
    }
    return rows.size() == t.rows() ? t : take(t, rows, threads);
}

/// How often each value of a column appears: the values and `count`, the most frequent first, equally frequent ones in
/// the order they appear. A missing value is one too, after the others that are as frequent.
/// @throws argument_error  if the column is not there, or is itself named count
[[nodiscard]] inline table value_counts(const table& t, const std::string& name) {
    const column& c = t.column(name);
    const column one[] = {c};
    const detail::numbering n = detail::number_keys(one, t.rows());
    std::vector<std::int64_t> counts(n.rows.size());
    for (const std::uint32_t id : n.of_row) ++counts[id];
    const std::vector<std::size_t> rows(n.rows.begin(), n.rows.end());
    return sort({{name, take(c, rows)}, {"count", column(std::move(counts))}}, {{"count", order::descending}});
}

}  // namespace edge::frame
