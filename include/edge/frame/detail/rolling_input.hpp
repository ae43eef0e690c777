// SPDX-License-Identifier: MIT
#pragma once

/// @file What rolling windows work on: the rows key by key, where each row's window begins, and the values in that order.

#include <edge/frame/detail/rolling_states.hpp>
#include <edge/frame/detail/sequences.hpp>
#include <edge/frame/time_span.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
            each_row(s, c.size(), threads,
                     [=](std::size_t place, std::size_t row) { to[place] = static_cast<X>(from[row]); });
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
    growing<std::uint8_t> by_place;
    growing<std::uint8_t> by_row;
    std::atomic<bool> any{false};
    const auto pack = [&](growing<std::uint8_t>& bits, const auto& is_there) {
        std::uint8_t* to = bits.extend(bitmap_bytes(rows));
        parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t first, index_t last) {
            const auto is = is_there;
            const auto end = static_cast<std::size_t>(last);
            unsigned all = 0xFF;
            for (auto i = static_cast<std::size_t>(first); i < end; i += 8) {
                unsigned byte = 0xFF;
                for (std::size_t k = i; k < (std::min)(i + 8, end); ++k) byte ^= unsigned{!is(k)} << (k - i);
                to[i / 8] = static_cast<std::uint8_t>(byte);
                all &= byte;
            }
            if (all != 0xFF) any.store(true, std::memory_order_relaxed);
        });
    };
    pack(by_place, [is_missing](std::size_t place) { return !is_missing(place); });
    if (!any.load()) return {};
    if (s.in_place()) return by_place.finish();
    pack(by_row,
         [places = s.places.data(), bits = by_place.data()](std::size_t row) { return get_bit(bits, places[row]); });
    return by_row.finish();
}

/// Where the windows are.
struct windows {
    sequences order;
    std::vector<std::uint32_t> from;   ///< first place of the window of each place
    std::vector<std::uint32_t> until;  ///< by time: last place with the same time as each; else none
    std::vector<window_block> blocks;

    /// The place whose window is that of place i.
    [[nodiscard]] std::size_t end(std::size_t i) const noexcept { return until.empty() ? i : until[i]; }
};

[[nodiscard]] inline windows windows_of_rows(sequences order, std::size_t rows, std::size_t window) {
    windows w{std::move(order), std::vector<std::uint32_t>(rows), {}, {}};
    for (std::size_t k = 0; k < w.order.count(); ++k) {
        const std::size_t begin = w.order.begin[k];
        const std::size_t end = w.order.begin[k + 1];
        const std::size_t full = end - begin < window ? end : begin + window;
        for (std::size_t i = begin; i < full; ++i) w.from[i] = static_cast<std::uint32_t>(begin);
        for (std::size_t i = full; i < end; ++i) w.from[i] = static_cast<std::uint32_t>(i + 1 - window);
        std::size_t before = begin;
        for (std::size_t first = begin; first < end; first += (std::min)(window, end - first)) {
            w.blocks.push_back({before, first, end - first < window ? end : first + window});
            before = first;
        }
    }
    return w;
}

/// Windows of the rows later than `span` before each row, and not later than the row.
[[nodiscard]] inline windows windows_of_time(sequences order, const growing<std::int64_t>& times, std::uint64_t span) {
    const std::size_t rows = times.size();
    windows w{std::move(order), std::vector<std::uint32_t>(rows), std::vector<std::uint32_t>(rows), {}};
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
        cut_blocks(w.from, begin, end, w.blocks);
    }
    return w;
}

}  // namespace edge::frame::detail
