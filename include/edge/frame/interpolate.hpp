// SPDX-License-Identifier: MIT
#pragma once

/// @file Values between values: missing ones filled in, and whole tables on a regular grid of time.
///
///     column whole = interpolate(t, "ax", {.on = "ts", .by = "sensor"});
///     table grid = resample(t, {.on = "ts", .every = 10ms, .by = "sensor"});
///
/// Linear interpolation gives float64; columns that hold no numbers take the previous value. Nothing is made up before
/// the first value or after the last one: a row there stays missing where it needs both neighbours. NaN counts as missing.

#include <edge/frame/detail/neighbours.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

enum class fill : std::uint8_t {
    linear,    ///< on the line between the values before and after
    previous,  ///< the value before
    next       ///< the value after
};

struct interpolate_options {
    fill how = fill::linear;
    std::string on = {};  ///< column of times, ascending within each key; without, rows are equally far apart
    key_names by = {};
    parallel_options threads = {};
};

struct resample_options {
    std::string on = {};   ///< column of times, ascending within each key
    time_span every = {};  ///< of the grid, one of whose points is 0; in units of `on` or a duration
    key_names by = {};
    fill how = fill::previous;
    parallel_options threads = {};
};

namespace detail {

/// On the line from y at `from` to z, at share `part`.
[[nodiscard]] inline double on_line(double y, double z, double part) noexcept {
    if (part <= 0 || y == z) return y;
    return part < 0.5 ? y + (z - y) * part : z - (z - y) * (1 - part);
}

/// Values of a column between the places with values, at any points.
/// @param places  at or before each point; no_id where there is none
/// @param part    part(point, before, after): how far the point is from the place before to the one after, in [0, 1]
template <class AtPlace, class Part>
[[nodiscard]] column values_between(const column& c, const sequences& s, std::size_t points, fill how,
                                    const parallel_options& threads, const AtPlace& at_place, const Part& part) {
    const std::vector<std::uint8_t> there = values_there(c, s, threads);
    const std::vector<std::uint32_t> before = value_before(there, s);
    std::vector<std::uint32_t> after;
    if (how != fill::previous) after = value_after(there, s);
    growing<std::uint32_t> rows;
    rows.append(points, no_id);
    if (how == fill::linear && is_number(c.kind())) {
        const growing<double> values = values_in_order<double>(c, s, 0.0, threads);
        growing<double> results;
        growing_bits validity;
        results.append(points, 0.0);
        validity.reserve(points);
        for (std::size_t i = 0; i < points; ++i) {
            const auto [low, high] = at_place(i);
            const std::uint32_t b = low == no_id ? no_id : before[low];
            const std::uint32_t a = high == no_id ? no_id : after[high];
            const bool is = b != no_id && a != no_id;
            if (is) results[i] = a == b ? values[b] : on_line(values[b], values[a], part(i, b, a));
            validity.push_back(is);
        }
        return column(kind::float64, points, validity.finish(), results.finish());
    }
    const growing<std::uint32_t> row_at = rows_by_place(s, c.size(), threads);
    for (std::size_t i = 0; i < points; ++i) {
        const auto [low, high] = at_place(i);
        const std::uint32_t place =
            how == fill::next ? (high == no_id ? no_id : after[high]) : (low == no_id ? no_id : before[low]);
        if (place != no_id) rows[i] = row_at[place];
    }
    return take_rows<std::uint32_t>(c, {rows.data(), points}, false, threads);
}

struct neighbours {
    std::uint32_t before;  ///< the last place at or before a point; `no_id` where there is none
    std::uint32_t after;   ///< the first place at or after it
};

}  // namespace detail

/// The column with its missing values filled in.
/// @throws argument_error  if a column is not there, or times are missing, not in order or of the wrong kind
[[nodiscard]] inline column interpolate(const table& t, const std::string& name,
                                        const interpolate_options& options = {}) {
    const column& c = t.column(name);
    const detail::sequences s = detail::sequences_of(t, options.by, options.threads);
    growing<std::int64_t> times;
    if (!options.on.empty()) times = detail::times_in_order(t, options.on, s, options.threads);
    const auto place = [&](std::size_t row) {
        const auto at = static_cast<std::uint32_t>(s.in_place() ? row : s.places[row]);
        return detail::neighbours{at, at};
    };
    return detail::values_between(c, s, t.rows(), options.how, options.threads, place,
                                  [&](std::size_t row, std::uint32_t before, std::uint32_t after) {
                                      const std::uint32_t at = place(row).before;
                                      if (times.size() == 0)
                                          return static_cast<double>(at - before) / static_cast<double>(after - before);
                                      const std::uint64_t all = detail::apart(times[before], times[after]);
                                      return all == 0 ? 0.0
                                                      : static_cast<double>(detail::apart(times[before], times[at])) /
                                                            static_cast<double>(all);
                                  });
}

/// The table at regular times: for each key the multiples of `every` from its first time to its last. Keys come as they do
/// in the table's sequence of keys, times ascend; the columns are the table's, with their values at that time, or between.
/// @throws argument_error     if a column is not there or of the wrong kind, `every` is not above 0, or times are missing
///                            or not in order
/// @throws unsupported_error  if the result has 2^32 - 1 rows or more
[[nodiscard]] inline table resample(const table& t, const resample_options& options) {
    const column& on = t.column(options.on);
    if (options.every.ticks() <= 0)
        throw argument_error(message("resampling every ", options.every.value(), "; expected 1 or more"));
    detail::check_span(options.every, on.kind(), "step", options.on);
    if (on.kind() == kind::uint64)
        throw argument_error(message("on '", options.on, "' of uint64; expected signed integers or times"));
    const detail::sequences s = detail::sequences_of(t, options.by, options.threads);
    const growing<std::int64_t> times = detail::times_in_order(t, options.on, s, options.threads);
    const std::int64_t every = options.every.ticks();

    std::vector<std::int64_t> grid;
    std::vector<detail::neighbours> near;
    std::vector<std::uint32_t> key_place;
    for (std::size_t k = 0; k < s.count(); ++k) {
        const std::size_t begin = s.begin[k];
        const std::size_t end = s.begin[k + 1];
        if (begin == end) continue;
        const std::int64_t first = times[begin];
        const std::int64_t rest = first % every;
        const std::uint64_t skip = rest == 0  ? 0
                                   : rest > 0 ? static_cast<std::uint64_t>(every - rest)
                                              : static_cast<std::uint64_t>(-rest);
        const std::uint64_t whole = detail::apart(first, times[end - 1]);
        if (skip > whole) continue;
        const std::uint64_t steps = (whole - skip) / static_cast<std::uint64_t>(every);
        if (steps >= detail::no_id) throw unsupported_error(message("resampling to ", steps, " rows of one key"));
        detail::check_row_numbers(grid.size() + static_cast<std::size_t>(steps));
        std::size_t at = begin;
        for (std::uint64_t i = 0; i <= steps; ++i) {
            const auto time = static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + skip +
                                                        i * static_cast<std::uint64_t>(every));
            while (at + 1 < end && times[at + 1] <= time) ++at;
            grid.push_back(time);
            near.push_back(
                {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(times[at] == time ? at : at + 1)});
            key_place.push_back(static_cast<std::uint32_t>(begin));
        }
    }

    const growing<std::uint32_t> row_at = detail::rows_by_place(s, t.rows(), options.threads);
    std::vector<std::size_t> key_rows(grid.size());
    for (std::size_t i = 0; i < grid.size(); ++i) key_rows[i] = row_at[key_place[i]];
    std::vector<column> columns;
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        const column& from = t.columns()[c];
        if (t.names()[c] == options.on) {
            columns.push_back(dispatch_stored(on.kind(), [&]<class T>() {
                growing<T> values;
                T* to = values.extend(grid.size());
                for (std::size_t i = 0; i < grid.size(); ++i) to[i] = static_cast<T>(grid[i]);
                return column(on.kind(), grid.size(), {}, values.finish());
            }));
        } else if (options.by.has(t.names()[c])) {
            columns.push_back(take(from, key_rows, options.threads));
        } else {
            columns.push_back(detail::values_between(
                from, s, grid.size(), options.how, options.threads, [&](std::size_t i) { return near[i]; },
                [&](std::size_t i, std::uint32_t before, std::uint32_t after) {
                    const std::uint64_t all = detail::apart(times[before], times[after]);
                    return all == 0
                               ? 0.0
                               : static_cast<double>(detail::apart(times[before], grid[i])) / static_cast<double>(all);
                }));
        }
    }
    return table({t.names().begin(), t.names().end()}, std::move(columns));
}

}  // namespace edge::frame
