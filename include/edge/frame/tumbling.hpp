// SPDX-License-Identifier: MIT
#pragma once

/// @file Windows that lie at regular places: tumbling, one after the other, and hopping, which overlap or leave gaps.
///
///     t.add("second", tumbling(t.column("ts"), 1'000'000'000));           // start of the row's second
///     table per_second = t.group_by("second").agg(stddev("ax"));
///     table smooth = hopping(t, {.on = "ts", .every = 1s, .period = 5s, .by = "sensor"}, {mean("ax"), max("ax")});
///
/// A window holds the times from its start on that are less than its length later.

#include <edge/frame/detail/row_ids.hpp>
#include <edge/frame/group_by.hpp>
#include <edge/frame/key_names.hpp>
#include <edge/frame/time_span.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

namespace detail {

/// Calls `f(row, time, start)` for the rows that are not missing, with the start of the last window that begins at or
/// before the time.
/// @throws argument_error  if `at` is of another kind, or a window starts before all int64
template <class F>
void each_start(const column& at, std::int64_t width, std::int64_t offset, F&& f) {
    if (!(is_integer(at.kind()) && at.kind() != kind::uint64) && at.kind() != kind::date &&
        at.kind() != kind::timestamp)
        throw argument_error(message("windows over ", to_string(at.kind()), "; expected integers or times"));
    const std::int64_t shift = offset % width;
    dispatch_stored(at.kind(), [&]<class T>() {
        const auto values = at.values<T>();
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!at.is_valid(i)) continue;
            const auto value = static_cast<std::int64_t>(values[i]);
            std::int64_t past = value % width;
            if (past < 0) past += width;
            past -= shift;
            if (past < 0) past += width;
            if (value < (std::numeric_limits<std::int64_t>::min)() + past)
                throw argument_error(message("row ", i, ": the window of ", value, " starts before all int64"));
            f(i, value, value - past);
        }
    });
}

/// Times as a column like `at`, of int64 where that holds narrower integers.
[[nodiscard]] inline column times_like(const column& at, std::vector<std::int64_t> times,
                                       const std::vector<bool>& there) {
    if (at.kind() == kind::timestamp) return column::timestamps(std::move(times), there);
    if (at.kind() == kind::date) return column::dates(std::vector<std::int32_t>(times.begin(), times.end()), there);
    return column(std::move(times), there);
}

}  // namespace detail

/// Start of the window that each row falls in: windows of `width`, one after the other, one of which starts at 0.
/// @param at     signed or narrow integers, dates or timestamps; missing where they are
/// @param width  in units of the column, nanoseconds for timestamps; above 0
/// @return       times as times, integers as int64
/// @throws argument_error  if `at` is of another kind, the width is not above 0, or a window starts before all int64
[[nodiscard]] inline column tumbling(const column& at, std::int64_t width) {
    if (width <= 0) throw argument_error(message("windows of ", width, "; expected more than 0"));
    std::vector<std::int64_t> starts(at.size());
    std::vector<bool> there(at.null_count() == 0 ? 0 : at.size());
    detail::each_start(at, width, 0, [&](std::size_t row, std::int64_t, std::int64_t start) {
        starts[row] = start;
        if (!there.empty()) there[row] = true;
    });
    return detail::times_like(at, std::move(starts), there);
}

struct hopping_options {
    std::string on = {};    ///< column of times, in any order; rows without one are in no window
    time_span every = {};   ///< from the start of a window to that of the next
    time_span period = {};  ///< length of a window; without, `every`
    time_span offset = {};  ///< windows start here, and at whole numbers of `every` before and after
    key_names by = {};
    parallel_options threads = {};
};

/// Aggregates of the rows in each window: the key columns, `on` (the window's start), and the aggregates; a row for each
/// window with rows, in ascending order of keys and starts. O(rows · period / every).
/// @throws argument_error  if a column is not there or of the wrong kind, or a length is not above 0
[[nodiscard]] inline table hopping(const table& t, const hopping_options& options,
                                   const std::vector<aggregate>& wanted) {
    const column& at = t.column(options.on);
    for (const time_span* span : {&options.every, &options.period, &options.offset})
        detail::check_span(*span, at.kind(), "length of windows", options.on);
    const std::int64_t every = options.every.ticks();
    const std::int64_t period = options.period.is_set() ? options.period.ticks() : every;
    if (every <= 0 || period <= 0 || options.offset.ticks() < 0)
        throw argument_error(message("windows every ", options.every.value(), " of length ",
                                     options.period.is_set() ? options.period.value() : options.every.value(), " from ",
                                     options.offset.value(), " on; expected lengths above 0, and 0 or more"));
    std::vector<std::size_t> rows;
    std::vector<std::int64_t> starts;
    detail::each_start(at, every, options.offset.ticks(), [&](std::size_t row, std::int64_t time, std::int64_t start) {
        // The earlier windows that reach to the time, the earliest first.
        const auto late = static_cast<std::uint64_t>(time - start);
        if (late >= static_cast<std::uint64_t>(period)) return;
        std::uint64_t more = (static_cast<std::uint64_t>(period) - 1 - late) / static_cast<std::uint64_t>(every);
        const auto above =
            static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::min)());
        more = (std::min)(more, above / static_cast<std::uint64_t>(every));
        detail::check_row_numbers(rows.size() + more);
        for (std::uint64_t back = more + 1; back-- > 0;) {
            rows.push_back(row);
            starts.push_back(start - static_cast<std::int64_t>(back) * every);
        }
    });
    table members = rows.size() == t.rows() && period <= every ? t : take(t, rows, options.threads);
    std::string name = options.on;  // of the starts, while the times are there too
    while (members.has(name)) name += "_start";
    members.add(name, detail::times_like(at, std::move(starts), {}));
    std::vector<std::string> keys = options.by.list();
    keys.push_back(name);
    const table grouped = members.group_by(keys).agg(wanted, options.threads);
    std::vector<std::string> names(grouped.names().begin(), grouped.names().end());
    names[keys.size() - 1] = options.on;
    return table(std::move(names), {grouped.columns().begin(), grouped.columns().end()});
}

}  // namespace edge::frame
