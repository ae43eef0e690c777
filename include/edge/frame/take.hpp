// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows by number: any rows, in any order, some of them none.
///
///     table shuffled = take(t, order);
///     column found = take(c, std::vector<std::size_t>{4, no_row, 4});      // the second row is missing

#include <edge/frame/detail/tasks.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame {

/// In a list of rows: none, which gives a missing value.
inline constexpr std::size_t no_row = static_cast<std::size_t>(-1);

namespace detail {

/// Rows as 32 or 64 bits; all bits set are no row.
template <class Index>
using row_list = std::span<const Index>;

template <class Index>
[[nodiscard]] bool names_all(row_list<Index> rows, const parallel_options& threads) {
    std::atomic<bool> all{true};
    parallel_for(static_cast<index_t>(rows.size()), by_rows(threads), [&](index_t first, index_t last) {
        Index largest = 0;
        for (index_t i = first; i < last; ++i) largest = (std::max)(largest, rows[static_cast<std::size_t>(i)]);
        if (largest == static_cast<Index>(-1)) all.store(false, std::memory_order_relaxed);
    });
    return all.load();
}

/// Values of `Width` bytes of the rows; of no row, zeros.
template <std::size_t Width, class Index>
buffer take_values(const std::byte* from, row_list<Index> rows, bool all, const parallel_options& threads) {
    growing<std::byte> taken;
    std::byte* const begin = taken.extend(rows.size() * Width);
    parallel_for(static_cast<index_t>(rows.size()), by_rows(threads), [&](index_t first, index_t last) {
        const Index* const row = rows.data();  // bytes may be anything, so what is captured would be read each time
        const std::byte* const values = from;
        std::byte* const to = begin;
        const auto end = static_cast<std::size_t>(last);
        if (all) {
            for (auto i = static_cast<std::size_t>(first); i < end; ++i)
                std::memcpy(to + i * Width, values + row[i] * Width, Width);
            return;
        }
        for (auto i = static_cast<std::size_t>(first); i < end; ++i) {
            if (row[i] != static_cast<Index>(-1))
                std::memcpy(to + i * Width, values + row[i] * Width, Width);
            else
                std::memset(to + i * Width, 0, Width);
        }
    });
    return taken.finish();
}

/// Bits of the rows; of no row, 0.
template <class Index>
buffer take_bits(const bit_view& from, row_list<Index> rows, const parallel_options& threads) {
    growing<std::uint8_t> taken;
    std::uint8_t* to = taken.extend(bitmap_bytes(rows.size()));
    parallel_for(static_cast<index_t>(rows.size()), by_rows(threads), [&](index_t first, index_t last) {
        const auto end = static_cast<std::size_t>(last);
        auto i = static_cast<std::size_t>(first);
        const auto is_all = [&] {
            Index largest = 0;
            for (std::size_t k = i; k < i + 64; ++k) largest = (std::max)(largest, rows[k]);
            return largest != static_cast<Index>(-1);
        };
        while (i < end) {
            if (from.bytes == nullptr && i + 64 <= end && is_all()) {
                std::memset(to + i / 8, 0xFF, 8);
                i += 64;
                continue;
            }
            unsigned bits = 0;
            for (std::size_t k = i; k < (std::min)(i + 8, end); ++k)
                bits |= unsigned{rows[k] != static_cast<Index>(-1) && from[rows[k]]} << (k - i);
            to[i / 8] = static_cast<std::uint8_t>(bits);
            i += 8;
        }
    });
    return taken.finish();
}

/// Plain strings: their lengths first, so that each thread knows where to copy.
template <class Index>
column take_texts(const column& c, row_list<Index> rows, buffer validity, const parallel_options& threads) {
    const std::span<const std::int64_t> from = c.offsets();
    const bit_view valid = c.validity();
    const auto is_there = [&](std::size_t i) { return rows[i] != static_cast<Index>(-1) && valid[rows[i]]; };
    const auto count = static_cast<index_t>(rows.size());
    const int parts = parts_for(count, by_rows(threads));
    std::vector<std::int64_t> begin(static_cast<std::size_t>(parts) + 1);
    const auto each_part = [&](auto&& f) {
        parallel_parts(parts, [&](int p) {
            const auto [first, last] = partition(count, parts, p, 64);
            f(static_cast<std::size_t>(p), static_cast<std::size_t>(first), static_cast<std::size_t>(last));
        });
    };
    each_part([&](std::size_t p, std::size_t first, std::size_t last) {
        std::int64_t bytes = 0;
        for (std::size_t i = first; i < last; ++i)
            if (is_there(i)) bytes += from[rows[i] + 1] - from[rows[i]];
        begin[p + 1] = bytes;
    });
    for (std::size_t p = 1; p < begin.size(); ++p) begin[p] += begin[p - 1];
    growing<std::int64_t> offsets;
    growing<char> text;
    std::int64_t* ends = offsets.extend(rows.size() + 1);
    char* to = text.extend(static_cast<std::size_t>(begin.back()));
    ends[0] = 0;
    each_part([&](std::size_t p, std::size_t first, std::size_t last) {
        std::int64_t at = begin[p];
        for (std::size_t i = first; i < last; ++i) {
            if (is_there(i)) {
                const std::int64_t size = from[rows[i] + 1] - from[rows[i]];
                if (size != 0) std::memcpy(to + at, c.text_bytes() + from[rows[i]], static_cast<std::size_t>(size));
                at += size;
            }
            ends[i + 1] = at;
        }
    });
    return column(kind::string, rows.size(), std::move(validity), offsets.finish(), text.finish());
}

template <class Index>
column take_rows(const column& c, row_list<Index> rows, bool all, const parallel_options& threads) {
    buffer validity;
    if (!all || c.null_count() != 0) validity = take_bits(c.validity(), rows, threads);
    const std::size_t size = rows.size();
    if (c.kind() == kind::string) {
        if (!c.is_dictionary()) return take_texts(c, rows, std::move(validity), threads);
        const auto* codes = reinterpret_cast<const std::byte*>(c.codes().data());
        return column::encoded(size, std::move(validity), take_values<4>(codes, rows, all, threads), c.dictionary());
    }
    if (c.kind() == kind::boolean)
        return column(c.kind(), size, std::move(validity), take_bits(c.booleans(), rows, threads));
    const auto values = [&] {
        switch (value_bytes(c.kind())) {
            case 1: return take_values<1>(c.raw_values(), rows, all, threads);
            case 2: return take_values<2>(c.raw_values(), rows, all, threads);
            case 4: return take_values<4>(c.raw_values(), rows, all, threads);
            default: return take_values<8>(c.raw_values(), rows, all, threads);
        }
    };
    return column(c.kind(), size, std::move(validity), values());
}

template <class Index>
table take_rows(const table& t, row_list<Index> rows, const parallel_options& threads) {
    const bool all = names_all(rows, threads);
    std::vector<column> columns;
    for (const column& c : t.columns()) columns.push_back(take_rows(c, rows, all, threads));
    return table({t.names().begin(), t.names().end()}, std::move(columns));
}

}  // namespace detail

/// @param rows  each below c.size(), or `no_row`. O(rows), and the bytes of strings.
[[nodiscard]] inline column take(const column& c, std::span<const std::size_t> rows,
                                 const parallel_options& threads = {}) {
    return detail::take_rows(c, rows, detail::names_all(rows, threads), threads);
}

[[nodiscard]] inline table take(const table& t, std::span<const std::size_t> rows,
                                const parallel_options& threads = {}) {
    return detail::take_rows(t, rows, threads);
}

}  // namespace edge::frame
