// SPDX-License-Identifier: MIT
#pragma once

/// @file Gaps: where nothing came for too long.
///
///     table lost = gaps(t, {.on = "ts", .longer_than = 1s, .by = "sensor"});   // sensor, start, end, duration

#include <edge/frame/detail/neighbours.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace edge::frame {

struct gap_options {
    std::string on = {};         ///< column of times, ascending within each key
    time_span longer_than = {};  ///< in units of `on` or a duration
    key_names by = {};
    parallel_options threads = {};
};

/// A row for each two rows of a key that follow each other by more than `longer_than`: the key columns, `start` and `end`
/// (the times of both rows) and `duration` (int64, in units of the column; the greatest int64 where it is more). In the
/// order of the rows after the gaps.
/// @throws argument_error  if a column is not there or of the wrong kind, the time is negative or not given, or times are
///                         missing or not in order
[[nodiscard]] inline table gaps(const table& t, const gap_options& options) {
    const column& on = t.column(options.on);
    if (!options.longer_than.is_set() || options.longer_than.ticks() < 0)
        throw argument_error(message("gaps longer than ", options.longer_than.value(), "; expected 0 or more"));
    detail::check_span(options.longer_than, on.kind(), "length of gaps", options.on);
    const detail::sequences s = detail::sequences_of(t, options.by, options.threads);
    const growing<std::int64_t> times = detail::times_in_order(t, options.on, s, options.threads);
    const growing<std::uint32_t> before = detail::rows_apart(s, t.rows(), 1, true, options.threads);
    std::vector<std::size_t> starts;
    std::vector<std::size_t> ends;
    std::vector<std::int64_t> durations;
    for (std::size_t row = 0; row < t.rows(); ++row) {
        if (before[row] == detail::no_id) continue;
        const std::size_t place = s.in_place() ? row : s.places[row];
        const std::uint64_t apart = detail::apart(times[place - 1], times[place]);
        if (apart <= static_cast<std::uint64_t>(options.longer_than.ticks())) continue;
        starts.push_back(before[row]);
        ends.push_back(row);
        constexpr std::uint64_t most = static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
        durations.push_back(static_cast<std::int64_t>((std::min)(apart, most)));
    }
    table found;
    for (const std::string& key : options.by.list()) found.add(key, take(t.column(key), ends));
    found.add("start", take(on, starts));
    found.add("end", take(on, ends));
    found.add("duration", column(std::move(durations)));
    return found;
}

}  // namespace edge::frame
