// SPDX-License-Identifier: MIT
#pragma once

/// @file Windows over rows in their order: rolling (the last n rows, at each row) and tumbling (one after the other).
///
///     t.add("ax_smooth", rolling(t, mean("ax"), 5));                      // of each row and the four before
///     t.add("second", tumbling(t.column("ts"), 1'000'000'000));           // start of the row's second
///     table per_second = t.group_by("second").agg(stddev("ax"));

#include <edge/frame/group_by.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace edge::frame {

namespace detail {

/// Moments of the last `window` rows at each row.
///
/// Rows are cut into blocks as long as the window, which then is the end of one block and the beginning of the next:
/// both are running statistics that only ever take values, so nothing is subtracted and a huge value leaves no trace
/// once it is out of the window. Three additions or merges a row, whatever the window.
/// Source: van Herk 1992, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels".
template <class W>
column rolling_moments(const column& c, statistic what, std::size_t window, kind result_kind) {
    using state = running<W>;
    const std::int64_t fewest = what == statistic::count ? 0 : (std::max)(fewest_values(what), std::int64_t{1});
    const auto values = c.values<W>();
    const bit_view valid = c.validity();
    const auto put = [&](state& s, std::size_t i) {
        if (valid[i] && values[i] == values[i]) s.template add<true>(values[i]);
    };
    column_builder result(result_kind);
    result.reserve(values.size());
    std::vector<state> ends(window + 1);  // of the block before, from each of its rows on
    for (std::size_t block = 0; block < values.size(); block += window) {
        const std::size_t end = (std::min)(block + window, values.size());
        state begin;
        for (std::size_t i = block; i < end; ++i) {
            put(begin, i);
            state both = ends[i - block + 1];
            both.merge(begin);
            append_statistic(result, both, what, fewest);
        }
        if (end == values.size()) break;
        state rest;
        ends[window] = rest;
        for (std::size_t i = window; i-- > 0;) {
            put(rest, block + i);
            ends[i] = rest;
        }
    }
    return result.finish();
}

/// Quantile of the last `window` rows at each row. O(window) a row, with a small constant: a move of sorted memory.
inline column rolling_quantiles(const column& c, double q, std::size_t window) {
    const auto values = c.values<double>();
    const bit_view valid = c.validity();
    const auto counts = [&](std::size_t i) { return valid[i] && values[i] == values[i]; };
    std::vector<double> sorted;
    column_builder result(kind::float64);
    result.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i >= window && counts(i - window))
            sorted.erase(std::lower_bound(sorted.begin(), sorted.end(), values[i - window]));
        if (counts(i)) {
            sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), values[i]), values[i]);
        }
        if (sorted.empty()) {
            result.append_null();
            continue;
        }
        const double place = q * static_cast<double>(sorted.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        result.append(between(sorted[below], sorted[(std::min)(below + 1, sorted.size() - 1)],
                              place - static_cast<double>(below)));
    }
    return result.finish();
}

}  // namespace detail

/// An aggregate of the last `rows` rows, at each row; of fewer at the beginning. Missing values are skipped; where the
/// rows hold no value, so does the result, but for a count.
/// @throws argument_error  if the column is not there or not of numbers, `rows` is 0, or the aggregate is first, last or
///                         nunique
[[nodiscard]] inline column rolling(const table& t, const aggregate& what, std::size_t rows) {
    const column& c = t.column(what.column);
    detail::check_kind(what, c.kind(), what.column);
    if (rows == 0) throw argument_error(message("rolling ", what.function(), " of 0 rows; expected 1 or more"));
    if (what.what >= statistic::first)
        throw argument_error(message("rolling ", what.function(),
                                     " is not there; expected count, sum, mean, min, max, "
                                     "std, var, median or quantile"));
    if (c.kind() == kind::string)
        throw argument_error(
            message("rolling ", what.function(), " of column '", what.column, "' of string; expected numbers"));
    column numbers = detail::booleans_as_numbers(c);
    if (is_number(c.kind())) numbers = convert(numbers, is_float(c.kind()) ? kind::float64 : kind::int64);
    const kind result = detail::result_kind(what.what, c.kind());
    const std::size_t window = (std::max)((std::min)(rows, c.size()), std::size_t{1});
    if (!detail::is_moment(what.what)) {
        const double q = what.what == statistic::median ? 0.5 : what.q;
        return detail::rolling_quantiles(convert(numbers, kind::float64), q, window);
    }
    return numbers.kind() == kind::float64 ? detail::rolling_moments<double>(numbers, what.what, window, result)
                                           : detail::rolling_moments<std::int64_t>(numbers, what.what, window, result);
}

/// Start of the window that each row falls in: windows of `width`, one after the other, one of which starts at 0.
/// @param at     integers or timestamps; missing where they are
/// @param width  in units of the column, nanoseconds for timestamps; above 0
/// @return       of the kind of `at`, but int64 for int32
/// @throws argument_error  if `at` is of another kind, the width is not above 0, or a window starts before all int64
[[nodiscard]] inline column tumbling(const column& at, std::int64_t width) {
    if (width <= 0) throw argument_error(message("windows of ", width, "; expected more than 0"));
    if (at.kind() != kind::int32 && at.kind() != kind::int64 && at.kind() != kind::timestamp)
        throw argument_error(message("windows over ", to_string(at.kind()), "; expected integers or timestamps"));
    column_builder starts(at.kind() == kind::timestamp ? kind::timestamp : kind::int64);
    starts.reserve(at.size());
    dispatch_stored(at.kind(), [&]<class T>() {
        const auto values = at.values<T>();
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!at.is_valid(i)) {
                starts.append_null();
                continue;
            }
            const auto value = static_cast<std::int64_t>(values[i]);
            std::int64_t past = value % width;
            if (past < 0) past += width;
            if (value < (std::numeric_limits<std::int64_t>::min)() + past)
                throw argument_error(message("row ", i, ": the window of ", value, " starts before all int64"));
            starts.append(value - past);
        }
    });
    return starts.finish();
}

}  // namespace edge::frame
