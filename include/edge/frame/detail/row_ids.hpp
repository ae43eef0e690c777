// SPDX-License-Identifier: MIT
#pragma once

/// @file A small number for each row: the same where the keys are equal.

#include <edge/core/parallel.hpp>
#include <edge/frame/detail/row_groups.hpp>
#include <edge/frame/detail/tasks.hpp>
#include <edge/frame/table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::frame::detail {

/// Of no row, or of a row without a key.
inline constexpr std::uint32_t no_id = static_cast<std::uint32_t>(-1);

struct row_ids {
    growing<std::uint32_t> of_row;
    std::size_t groups = 0;  ///< all ids are below; some may have no rows

    /// The first row of each id that has one, in the order of the rows.
    [[nodiscard]] std::vector<std::size_t> first_rows() const {
        std::vector<bool> seen(groups);
        std::vector<std::size_t> rows;
        for (std::size_t row = 0; row < of_row.size(); ++row) {
            if (seen[of_row[row]]) continue;
            seen[of_row[row]] = true;
            rows.push_back(row);
        }
        return rows;
    }
};

/// @throws unsupported_error  for 2^32 - 1 rows or more
inline void check_row_numbers(std::size_t rows) {
    if (rows >= no_id) throw unsupported_error(message(rows, " rows; expected fewer than ", no_id));
}

/// Missing values are equal to each other, and so are NaN.
[[nodiscard]] inline row_ids number_rows_of(std::span<const column> keys, std::size_t rows,
                                            const parallel_options& threads) {
    check_row_numbers(rows);
    const row_groups by_key(keys, rows, threads);
    row_ids ids;
    ids.groups = by_key.slots();
    std::uint32_t* const to = ids.of_row.extend(rows);
    if (!by_key.has_numbers()) {
        by_key.numbers({to, rows});
        return ids;
    }
    parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t first, index_t last) {
        by_key.load(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first), to + first);
    });
    return ids;
}

}  // namespace edge::frame::detail
