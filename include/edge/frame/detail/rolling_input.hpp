// SPDX-License-Identifier: MIT
#pragma once

/// @file What rolling windows work on: the rows key by key, where each row's window begins, and the values in that order.

#include <edge/frame/detail/rolling_states.hpp>
#include <edge/frame/detail/sequences.hpp>
#include <edge/frame/time_span.hpp>
#include <edge/simd/prefetch.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// A column of numbers or times in the order of the keys, as X: `missing` where there is no value.
template <class X>
[[nodiscard]] growing<X> values_in_order(const column& c, const sequences& s, X missing,
                                         const parallel_options& threads) {
    growing<X> values;
    X* to = values.extend(c.size());
    const bit_view valid = c.validity();
    dispatch_stored(c.kind(), [&]<class T>() {
        const T* from = c.values<T>().data();
        if (valid.bytes == nullptr)
            each_row(s, c.size(), threads, [=](std::size_t place, std::size_t row) {
                simd::prefetch(to + place + 16);  // there are as many streams as keys, too many for the processor
                to[place] = static_cast<X>(from[row]);
            });
        else
            each_row(s, c.size(), threads, [=](std::size_t place, std::size_t row) {
                to[place] = valid[row] ? static_cast<X>(from[row]) : missing;
            });
    });
    return values;
}

/// Times as int64 in the order of the keys, ascending within each. An unsigned one is moved down by 2^63.
/// @throws argument_error  if the column is of another kind, a time is missing, or one comes before the row before it
[[nodiscard]] inline growing<std::int64_t> times_in_order(const table& t, const std::string& on, const sequences& s,
                                                          const parallel_options& threads) {
    const column& c = t.column(on);
    if (!is_integer(c.kind()) && c.kind() != kind::date && c.kind() != kind::timestamp)
        throw argument_error(message("on '", on, "' of ", to_string(c.kind()), "; expected integers or times"));
    if (c.null_count() != 0) {
        std::size_t row = 0;
        while (c.is_valid(row)) ++row;
        throw argument_error(message("on '", on, "': row ", row, " is missing; expected a time in every row"));
    }
    growing<std::int64_t> times = values_in_order<std::int64_t>(c, s, 0, threads);
    if (c.kind() == kind::uint64)
        for (std::size_t i = 0; i < times.size(); ++i) times[i] ^= (std::numeric_limits<std::int64_t>::min)();
    parallel_for(static_cast<index_t>(s.count()), {.threads = threads.threads}, [&](index_t first, index_t last) {
        for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(last); ++k)
            for (std::size_t i = s.begin[k] + 1; i < s.begin[k + 1]; ++i)
                if (times[i] < times[i - 1])
                    throw argument_error(message("on '", on, "': row ", s.row_at(i), " is before row ", s.row_at(i - 1),
                                                 "; expected ascending times"));
    });
    return times;
}

/// b - a, which may not fit int64.
[[nodiscard]] constexpr std::uint64_t apart(std::int64_t a, std::int64_t b) noexcept {
    return static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}

/// A column of results, made key by key and put where the rows are.
/// @param value  value(place): what stands in the row
template <class T, class Value>
[[nodiscard]] buffer results_in_rows(const sequences& s, std::size_t rows, const parallel_options& threads,
                                     const Value& value) {
    growing<T> values;
    T* to = values.extend(rows);
    each_row(s, rows, threads, [value, to](std::size_t place, std::size_t row) { to[row] = value(place); });
    return values.finish();
}

/// Bits of the rows, cleared where `is_missing(place)`; no bytes where there are none.
template <class IsMissing>
[[nodiscard]] buffer missing_in_rows(const sequences& s, std::size_t rows, const parallel_options& threads,
                                     const IsMissing& is_missing) {
    // @param is_whole  is_whole(first, last): whether none of these is missing
    const auto pack = [&](std::atomic<std::size_t>& missing, const auto& is, const auto& is_whole) {
        constexpr std::size_t block = 512;
        growing<std::uint8_t> bits;
        std::uint8_t* const to = bits.extend(bitmap_bytes(rows));
        parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t begin, index_t end) {
            const auto is_missing_at = is;
            for (auto first = static_cast<std::size_t>(begin); first < static_cast<std::size_t>(end); first += block) {
                const std::size_t last = (std::min)(first + block, static_cast<std::size_t>(end));
                if (is_whole(first, last)) {
                    std::memset(to + first / 8, 0xFF, bitmap_bytes(last - first));
                    continue;
                }
                std::size_t there = 0;
                for (std::size_t i = first; i < last; i += 8) {
                    const std::size_t here = (std::min)(std::size_t{8}, last - i);
                    unsigned byte = 0;
                    for (std::size_t k = 0; k < here; ++k) byte |= unsigned{!is_missing_at(i + k)} << k;
                    to[i / 8] = static_cast<std::uint8_t>(byte);
                    there += static_cast<std::size_t>(std::popcount(byte));
                }
                missing.fetch_add(last - first - there, std::memory_order_relaxed);
            }
        });
        return bits;
    };
    std::atomic<std::size_t> missing{0};
    growing<std::uint8_t> by_place = pack(missing, is_missing, [is_missing](std::size_t first, std::size_t last) {
        std::uint32_t n = 0;
        for (std::size_t i = first; i < last; ++i) n += is_missing(i) ? 1U : 0U;
        return n == 0;
    });
    if (missing.load() == 0) return {};
    if (s.in_place()) return by_place.finish();
    std::atomic<std::size_t> found{0};  // once all are, which often are in the first rows, the rest is there
    return pack(
               found,
               [places = s.places.data(), bits = by_place.data()](std::size_t row) {
                   return !get_bit(bits, places[row]);
               },
               [&, all = missing.load()](std::size_t, std::size_t) {
                   return found.load(std::memory_order_relaxed) == all;
               })
        .finish();
}

/// Where the windows are.
struct windows {
    sequences order;
    growing<std::uint32_t> from;       ///< first place of the window of each place
    std::vector<std::uint32_t> until;  ///< by time: last place with the same time as each; else none
    std::vector<window_block> blocks;
    std::size_t rows = 0;  ///< of a window, by rows

    /// The place whose window is that of place i.
    [[nodiscard]] std::size_t end(std::size_t i) const noexcept { return until.empty() ? i : until[i]; }
};

[[nodiscard]] inline windows windows_of_rows(sequences order, std::size_t rows, std::size_t window,
                                             const parallel_options& threads) {
    windows w{std::move(order), {}, {}, {}, window};
    std::uint32_t* const from = w.from.extend(rows);
    for (std::size_t k = 0; k < w.order.count(); ++k) {
        const std::size_t begin = w.order.begin[k];
        const std::size_t end = w.order.begin[k + 1];
        std::size_t before = begin;
        for (std::size_t first = begin; first < end; first += (std::min)(window, end - first)) {
            w.blocks.push_back({before, first, end - first < window ? end : first + window});
            before = first;
        }
    }
    parallel_for(
        static_cast<index_t>(w.blocks.size()),
        {.threads = threads.threads, .grain = static_cast<index_t>(w.blocks.size() * rows_each / (rows + 1) + 1)},
        [&](index_t first, index_t last) {
            for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(last); ++k) {
                const window_block& b = w.blocks[k];  // full windows move on, others begin with the key
                const std::size_t step = b.before == b.first ? 0 : 1;
                std::size_t begin = b.before + step;
                for (std::size_t i = b.first; i < b.last; ++i, begin += step)
                    from[i] = static_cast<std::uint32_t>(begin);
            }
        });
    return w;
}

/// Windows of the rows later than `span` before each row, and not later than the row.
[[nodiscard]] inline windows windows_of_time(sequences order, const growing<std::int64_t>& times, std::uint64_t span) {
    const std::size_t rows = times.size();
    windows w{std::move(order), {}, std::vector<std::uint32_t>(rows), {}};
    (void)w.from.extend(rows);
    for (std::size_t k = 0; k < w.order.count(); ++k) {
        const std::size_t begin = w.order.begin[k];
        const std::size_t end = w.order.begin[k + 1];
        std::size_t from = begin;
        for (std::size_t i = begin; i < end; ++i) {
            while (apart(times[from], times[i]) >= span) ++from;
            w.from[i] = static_cast<std::uint32_t>(from);
        }
        for (std::size_t i = end; i-- > begin;)
            w.until[i] = i + 1 < end && times[i + 1] == times[i] ? w.until[i + 1] : static_cast<std::uint32_t>(i);
        cut_blocks({w.from.data(), rows}, begin, end, w.blocks);
    }
    return w;
}

}  // namespace edge::frame::detail
