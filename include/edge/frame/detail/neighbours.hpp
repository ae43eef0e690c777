// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows before and after a row, of the same key.

#include <edge/frame/detail/rolling_input.hpp>
#include <edge/frame/take.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::frame::detail {

/// Whether the value at each place is there, and a number where it is a float.
[[nodiscard]] inline std::vector<std::uint8_t> values_there(const column& c, const sequences& s,
                                                            const parallel_options& threads) {
    std::vector<std::uint8_t> there(c.size());
    std::uint8_t* to = there.data();
    each_row(s, c.size(), threads,
             [to, valid = c.validity()](std::size_t place, std::size_t row) { to[place] = valid[row]; });
    if (is_float(c.kind()))
        dispatch_stored(c.kind(), [&]<class T>() {
            each_row(s, c.size(), threads, [to, x = c.values<T>().data()](std::size_t place, std::size_t row) {
                to[place] = static_cast<std::uint8_t>(to[place] != 0 && x[row] == x[row]);
            });
        });
    return there;
}

/// For each place the nearest one of the same key with a value, itself or one before it; `no_id` where there is none.
[[nodiscard]] inline std::vector<std::uint32_t> value_before(std::span<const std::uint8_t> there, const sequences& s) {
    std::vector<std::uint32_t> found(there.size());
    for (std::size_t k = 0; k < s.count(); ++k) {
        std::uint32_t at = no_id;
        for (std::size_t i = s.begin[k]; i < s.begin[k + 1]; ++i)
            found[i] = at = there[i] != 0 ? static_cast<std::uint32_t>(i) : at;
    }
    return found;
}

/// The same, itself or one after it.
[[nodiscard]] inline std::vector<std::uint32_t> value_after(std::span<const std::uint8_t> there, const sequences& s) {
    std::vector<std::uint32_t> found(there.size());
    for (std::size_t k = 0; k < s.count(); ++k) {
        std::uint32_t at = no_id;
        for (std::size_t i = s.begin[k + 1]; i-- > s.begin[k];)
            found[i] = at = there[i] != 0 ? static_cast<std::uint32_t>(i) : at;
    }
    return found;
}

/// For each row, the row that is `distance` rows of the same key before it, or after it; `no_id` where there is none.
[[nodiscard]] inline growing<std::uint32_t> rows_apart(const sequences& s, std::size_t rows, std::size_t distance,
                                                       bool before, const parallel_options& threads) {
    const growing<std::uint32_t> row_at = rows_by_place(s, rows, threads);
    std::vector<std::uint32_t> of_place(rows, no_id);
    for (std::size_t k = 0; k < s.count(); ++k) {
        const std::size_t begin = s.begin[k];
        const std::size_t end = s.begin[k + 1];
        for (std::size_t i = begin; i < end && distance < end - i; ++i)
            (before ? of_place[i + distance] : of_place[i]) = before ? row_at[i] : row_at[i + distance];
    }
    growing<std::uint32_t> found;
    std::uint32_t* to = found.extend(rows);
    each_row(s, rows, threads,
             [to, from = of_place.data()](std::size_t place, std::size_t row) { to[row] = from[place]; });
    return found;
}

}  // namespace edge::frame::detail
