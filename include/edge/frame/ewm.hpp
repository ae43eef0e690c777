// SPDX-License-Identifier: MIT
#pragma once

/// @file Exponentially weighted moving average: each row counts for less, the longer ago it is.
///
///     t.add("ax_slow", ewm_mean(t, "ax", {.alpha = 0.05}));
///     t.add("ax_slow", ewm_mean(t, "ax", {.half_life = 20, .by = "sensor"}));            // rows
///     t.add("ax_slow", ewm_mean(t, "ax", {.half_life = 500ms, .on = "ts"}));             // time
///
/// As in pandas: with `adjust` the result is the weighted mean of all values so far, with weights (1 - alpha)^age, where
/// age counts rows, also those without a value; without, it is y = (1 - alpha) y + alpha x from the first value on.
/// A row without a value has the result of the row before.

#include <edge/frame/detail/neighbours.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace edge::frame {

struct ewm_options {
    double alpha = 0;             ///< in (0, 1]; or
    time_span half_life = {};     ///< after which a weight is a half: rows, or in units of `on`
    std::string on = {};          ///< column of times, ascending within each key
    bool adjust = true;           ///< weigh all values so far, and not the first one like all before it
    std::size_t min_periods = 1;  ///< values without which there is no result
    key_names by = {};
    parallel_options threads = {};
};

/// float64. O(1) a row.
/// @throws argument_error  if a column is not there or of the wrong kind, not one of alpha and half_life is given, or one
///                         is out of its range
[[nodiscard]] inline column ewm_mean(const table& t, const std::string& name, const ewm_options& options) {
    const column& c = t.column(name);
    if (!is_number(c.kind()))
        throw argument_error(
            message("weighted mean of column '", name, "' of ", to_string(c.kind()), "; expected numbers"));
    const bool by_time = !options.on.empty();
    if (options.half_life.is_set() == (options.alpha != 0) || (by_time && !options.half_life.is_set()))
        throw argument_error(by_time ? "weighted mean by time; expected a half-life, and no alpha"
                                     : "weighted mean; expected alpha or a half-life, and not both");
    if (!options.half_life.is_set() && !(options.alpha > 0 && options.alpha <= 1))
        throw argument_error(message("alpha ", options.alpha, "; expected above 0, at most 1"));
    if (options.half_life.is_set() && !(options.half_life.value() > 0))
        throw argument_error(message("half-life ", options.half_life.value(), "; expected more than 0"));
    detail::check_span(options.half_life, by_time ? t.column(options.on).kind() : kind::float64, "half-life",
                       by_time ? options.on : name);

    const auto& threads = options.threads;
    const detail::sequences s = detail::sequences_of(t, options.by, threads);
    growing<std::int64_t> times;
    if (by_time) times = detail::times_in_order(t, options.on, s, threads);
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    growing<double> values = detail::values_in_order<double>(c, s, none, threads);
    std::vector<std::uint8_t> missing(t.rows());
    const double row_decay = options.half_life.is_set() ? std::exp2(-1 / options.half_life.value()) : 1 - options.alpha;
    parallel_for(static_cast<index_t>(s.count()), {.threads = threads.threads}, [&](index_t first, index_t last) {
        for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(last); ++k) {
            double mean = none;
            double old_weight = 1;
            std::size_t count = 0;
            for (std::size_t i = s.begin[k]; i < s.begin[k + 1]; ++i) {
                const double x = values[i];
                if (count != 0)
                    old_weight *= by_time ? std::exp2(-static_cast<double>(detail::apart(times[i - 1], times[i])) /
                                                      options.half_life.value())
                                          : row_decay;
                if (x == x && count++ == 0) {
                    mean = x;
                } else if (x == x) {
                    // Without adjustment both weights come to one, however long ago the last value was.
                    const double weight = options.adjust ? 1 : by_time ? 1 - old_weight : 1 - row_decay;
                    if (mean != x) mean = (old_weight * mean + weight * x) / (old_weight + weight);
                    old_weight = options.adjust ? old_weight + weight : 1;
                }
                values[i] = mean;
                missing[i] = count < options.min_periods || count == 0;
            }
        }
    });
    buffer validity =
        detail::missing_in_rows(s, t.rows(), threads, [is = missing.data()](std::size_t i) { return is[i] != 0; });
    return column(
        kind::float64, t.rows(), std::move(validity),
        detail::results_in_rows<double>(s, t.rows(), threads, [x = values.data()](std::size_t i) { return x[i]; }));
}

}  // namespace edge::frame
