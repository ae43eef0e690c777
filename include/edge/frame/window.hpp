// SPDX-License-Identifier: MIT
#pragma once

/// @file Rolling windows: an aggregate of the last rows, or of the last while, at each row.
///
///     t.add("ax_smooth", rolling(t, mean("ax"), 5));                                  // of each row and the four before
///     t.add("ax_shake", rolling(t, stddev("ax"), {.rows = 100, .by = "sensor"}));     // of the same sensor
///     t.add("ax_peak", rolling(t, max("ax"), {.time = 2s, .on = "ts"}));              // later than two seconds ago
///     table all = rolling(t, {mean("ax"), min("ax")}, {.rows = 100, .by = "sensor"}); // a column each
///
/// The rows of a key count in the order in which they appear; a missing key is a key too. Missing values and NaN are
/// skipped. A window by time is (t - time, t], with all rows of time t, also later ones; its times must ascend within
/// each key. A sum is as good as if computed with twice the digits and rounded once, and what has left a window leaves
/// no trace in it. The bits of the result do not depend on the number of threads.

#include <edge/frame/detail/rolling_columns.hpp>
#include <edge/frame/rolling_options.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace edge::frame {

/// One aggregate of the windows, a row for each of the table. count, sum, mean, min, max, std, var: O(1) a row, whatever
/// the window; median and quantile: O(log rows of the window); first and last: O(1).
/// @throws argument_error  if a column is not there or of the wrong kind, or the options name no window, or times that
///                         are missing or not in order
[[nodiscard]] inline column rolling(const table& t, const aggregate& what, const rolling_options& options) {
    return std::move(detail::rolling_columns(t, options).results({&what, 1}).front());
}

/// Several aggregates of the same windows: the keys are looked at once.
[[nodiscard]] inline table rolling(const table& t, const std::vector<aggregate>& what, const rolling_options& options) {
    std::vector<column> columns = detail::rolling_columns(t, options).results(what);
    table results;
    for (std::size_t i = 0; i < what.size(); ++i) results.add(what[i].result_name(), std::move(columns[i]));
    return results;
}

/// An aggregate of the last `rows` rows, at each row; of fewer at the beginning.
[[nodiscard]] inline column rolling(const table& t, const aggregate& what, std::size_t rows) {
    return rolling(t, what, rolling_options{.rows = rows});
}

}  // namespace edge::frame
