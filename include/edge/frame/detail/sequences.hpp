// SPDX-License-Identifier: MIT
#pragma once

/// @file The rows of each key, in the order in which they appear: what a window, a lag or a running sum goes along.

#include <edge/frame/detail/row_ids.hpp>
#include <edge/frame/detail/tasks.hpp>
#include <edge/frame/key_names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Where each row comes when the rows lie key by key: keys in an order of their own, rows of a key in theirs. A missing
/// key is a key too.
///
/// Going through the rows and to their places reads memory in order and writes a stream for each key, whose ends stay in
/// the cache; going through the places and to their rows would touch every cache line many times.
struct sequences {
    growing<std::uint32_t> places;   ///< of the rows; none where they lie so already
    std::vector<std::size_t> begin;  ///< place of each key's first row, and the end; a key may have none

    [[nodiscard]] bool in_place() const noexcept { return places.size() == 0; }
    [[nodiscard]] std::size_t count() const noexcept { return begin.size() - 1; }

    /// The row at a place. O(rows).
    [[nodiscard]] std::size_t row_at(std::size_t place) const noexcept {
        if (in_place()) return place;
        std::size_t row = 0;
        while (places[row] != place) ++row;
        return row;
    }
};

/// Calls `f(place, row)` for all rows, on all threads.
template <class F>
void each_row(const sequences& s, std::size_t rows, const parallel_options& threads, const F& f) {
    parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t first, index_t last) {
        const F each = f;  // of this thread
        const auto end = static_cast<std::size_t>(last);
        if (s.in_place()) {
            for (auto i = static_cast<std::size_t>(first); i < end; ++i) each(i, i);
        } else {
            const std::uint32_t* place = s.places.data();
            for (auto i = static_cast<std::size_t>(first); i < end; ++i) each(std::size_t{place[i]}, i);
        }
    });
}

/// The row at each place.
[[nodiscard]] inline growing<std::uint32_t> rows_by_place(const sequences& s, std::size_t rows,
                                                          const parallel_options& threads) {
    growing<std::uint32_t> at;
    std::uint32_t* to = at.extend(rows);
    each_row(s, rows, threads,
             [to](std::size_t place, std::size_t row) { to[place] = static_cast<std::uint32_t>(row); });
    return at;
}

/// Places of rows by their ids: a counting sort, stable, all of whose ids are below `groups`.
[[nodiscard]] inline sequences sequences_by_id(std::span<const std::uint32_t> ids, std::size_t groups,
                                               const parallel_options& threads) {
    const auto count = static_cast<index_t>(ids.size());
    int parts = parts_for(count, by_rows(threads));
    if (groups > ids.size() / 16) parts = 1;  // counting would cost more than it saves
    std::vector<std::vector<std::uint32_t>> next(static_cast<std::size_t>(parts));
    const auto each_part = [&](auto&& f) {
        parallel_parts(parts, [&](int p) {
            const auto [first, last] = partition(count, parts, p);
            f(next[static_cast<std::size_t>(p)], static_cast<std::size_t>(first), static_cast<std::size_t>(last));
        });
    };
    each_part([&](std::vector<std::uint32_t>& counts, std::size_t first, std::size_t last) {
        counts.assign(groups, 0);
        for (std::size_t i = first; i < last; ++i) ++counts[ids[i]];
    });
    sequences s;
    s.begin.resize(groups + 1);
    std::size_t at = 0;
    for (std::size_t g = 0; g < groups; ++g) {
        s.begin[g] = at;
        for (auto& of_part : next) at += std::exchange(of_part[g], static_cast<std::uint32_t>(at));
    }
    s.begin[groups] = at;
    std::uint32_t* to = s.places.extend(ids.size());
    each_part([&](std::vector<std::uint32_t>& places, std::size_t first, std::size_t last) {
        std::uint32_t* const place = places.data();
        for (std::size_t i = first; i < last; ++i) to[i] = place[ids[i]]++;
    });
    return s;
}

/// @throws argument_error  if a key column is not there
[[nodiscard]] inline sequences sequences_of(const table& t, const key_names& by, const parallel_options& threads) {
    check_row_numbers(t.rows());
    if (by.empty()) return {{}, {0, t.rows()}};
    const row_ids ids = number_rows_of(t.select(by.list()).columns(), t.rows(), threads);
    const std::span<const std::uint32_t> of_row(ids.of_row.data(), t.rows());
    if (!std::is_sorted(of_row.begin(), of_row.end())) return sequences_by_id(of_row, ids.groups, threads);
    sequences s;
    s.begin.resize(ids.groups + 1);
    for (const std::uint32_t id : of_row) ++s.begin[id + 1];
    for (std::size_t g = 0; g < ids.groups; ++g) s.begin[g + 1] += s.begin[g];
    return s;
}

}  // namespace edge::frame::detail
