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

#include <edge/frame/detail/rolling_input.hpp>
#include <edge/frame/detail/rolling_quantile.hpp>
#include <edge/frame/detail/rolling_states.hpp>
#include <edge/frame/tumbling.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame {

struct rolling_options {
    std::size_t rows = 0;         ///< of a window, the row itself the last; or
    time_span time = {};          ///< how long a window is, in units of `on` or a duration
    std::string on = {};          ///< column of times, for `time`
    key_names by = {};            ///< columns whose values rows of a window share
    std::size_t min_periods = 1;  ///< values without which a window has no result; a count always has one
    parallel_options threads = {};
};

namespace detail {

/// The column of one aggregate; several of the same column share its values.
class rolling_columns {
public:
    rolling_columns(const table& t, const rolling_options& options)
        : table_(t), options_(options), rows_(t.rows()), windows_(make_windows(t, options)) {}

    /// Values in the window of a place, as a function that threads copy.
    struct counter_of {
        const std::uint32_t* from;
        const std::uint32_t* counts;
        EDGE_ALWAYS_INLINE std::size_t operator()(std::size_t i) const noexcept {
            return counts == nullptr ? i + 1 - from[i] : std::size_t{counts[i + 1] - counts[from[i]]};
        }
    };

    [[nodiscard]] column result(const aggregate& a) {
        const column& c = table_.column(a.column);
        check(a, c.kind());
        switch (a.what) {
            case statistic::count:
                use(a.column);
                return make(kind::int64, 0,
                            [count = counter()](std::size_t i) { return static_cast<std::int64_t>(count(i)); });
            case statistic::sum:
                if (!is_float(c.kind()))
                    return integer_result<wrapping_sum_state>(a, result_kind(a.what, c.kind()), 0, false);
                return from_states<sum_state>(a, kind::float64, 1);
            case statistic::mean: {
                use(a.column);
                const growing<double> means =
                    run<sum_state>(numbers(), missing_number, [count = counter()](std::size_t i, double sum) {
                        return sum / static_cast<double>(static_cast<std::int64_t>(count(i)));
                    });
                return make(kind::float64, 1, [x = means.data()](std::size_t i) { return x[i]; });
            }
            case statistic::min: return extreme<least_state>(a, c.kind(), (std::numeric_limits<std::int64_t>::max)());
            case statistic::max:
                return extreme<greatest_state>(a, c.kind(), (std::numeric_limits<std::int64_t>::lowest)());
            case statistic::var: return from_states<spread_state>(a, kind::float64, 2);
            case statistic::std: {
                use(a.column);
                const growing<double> roots = run<spread_state>(
                    numbers(), missing_number, [](std::size_t, double variance) { return std::sqrt(variance); });
                return make(kind::float64, 2, [x = roots.data()](std::size_t i) { return x[i]; });
            }
            case statistic::median: return quantile(a, 0.5);
            case statistic::quantile: return quantile(a, a.q);
            case statistic::first: return chosen(a, true);
            default: return chosen(a, false);
        }
    }

private:
    static constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();

    [[nodiscard]] static windows make_windows(const table& t, const rolling_options& o) {
        if ((o.rows != 0) == o.time.is_set())
            throw argument_error(message("rolling over ", o.rows, " rows", o.time.is_set() ? " and a time" : "",
                                         "; expected 1 or more rows, or a time"));
        sequences order = sequences_of(t, o.by, o.threads);
        if (o.rows != 0) return windows_of_rows(std::move(order), t.rows(), o.rows);
        check_span(o.time, t.column(o.on).kind(), "time", o.on);
        if (o.time.ticks() <= 0)
            throw argument_error(message("rolling over a time of ", o.time.value(), "; expected more than 0"));
        const growing<std::int64_t> times = times_in_order(t, o.on, order, o.threads);
        return windows_of_time(std::move(order), times, static_cast<std::uint64_t>(o.time.ticks()));
    }

    static void check(const aggregate& a, kind k) {
        check_kind(a, k, a.column);
        const bool any_kind = a.what == statistic::count || a.what == statistic::first || a.what == statistic::last;
        if (a.what > statistic::last)
            throw argument_error(message("rolling ", a.function(),
                                         " is not there; expected count, sum, mean, min, max, std, var, median, "
                                         "quantile, first or last"));
        if (any_kind || is_number(k) || k == kind::date || k == kind::timestamp) return;
        if (k == kind::boolean && a.what != statistic::min && a.what != statistic::max) return;
        throw argument_error(
            message("rolling ", a.function(), " of column '", a.column, "' of ", to_string(k), "; expected numbers"));
    }

    [[nodiscard]] counter_of counter() const noexcept {
        return {windows_.from.data(), counts_.empty() ? nullptr : counts_.data()};
    }

    /// Makes a column the one whose values are counted.
    void use(const std::string& name) {
        if (name == used_ && is_used_) return;
        used_ = name;
        is_used_ = true;
        numbers_ = {};
        counts_.clear();
        const column& c = table_.column(name);
        if (c.null_count() == 0 && !is_float(c.kind())) return;
        const auto count_values = [&](const auto* values, auto is_there) {
            std::atomic<bool> all{true};
            parallel_for(static_cast<index_t>(rows_), by_rows(options_.threads), [&](index_t first, index_t last) {
                index_t n = 0;
                for (index_t i = first; i < last; ++i) n += is_there(values[i]) ? 1 : 0;
                if (n != last - first) all.store(false, std::memory_order_relaxed);
            });
            if (all.load()) return;
            counts_.assign(rows_ + 1, 0);
            for (std::size_t i = 0; i < rows_; ++i) counts_[i + 1] = counts_[i] + (is_there(values[i]) ? 1U : 0U);
        };
        if (c.kind() != kind::string) return count_values(numbers(), [](double x) { return x == x; });
        growing<std::uint8_t> there;
        std::uint8_t* to = there.extend(rows_);
        each_row(windows_.order, rows_, options_.threads,
                 [to, valid = c.validity()](std::size_t place, std::size_t row) { to[place] = valid[row]; });
        count_values(to, [](std::uint8_t is) { return is != 0; });
    }

    /// Values of the used column as double, in the order of the keys; where they lie so already, where they are.
    [[nodiscard]] const double* numbers() {
        const column& c = table_.column(used_);
        if (c.kind() == kind::float64 && c.null_count() == 0 && windows_.order.in_place())
            return c.values<double>().data();
        if (numbers_.size() == 0)
            numbers_ =
                values_in_order<double>(booleans_as_numbers(c), windows_.order, missing_number, options_.threads);
        return numbers_.data();
    }

    /// @param after  made of each result: after(place, result)
    template <template <class> class State, class X, class After>
    [[nodiscard]] growing<X> run(const X* values, X missing, const After& after) const {
        growing<X> results;
        X* to = results.extend(rows_);
        using lanes = rolling_lanes<State, X>;
        const std::span blocks(windows_.blocks);
        const std::size_t groups = (blocks.size() + lanes::lanes - 1) / lanes::lanes;
        const auto rows_a_group = static_cast<index_t>(rows_ / (std::max)(groups, std::size_t{1}) + 1);
        parallel_for(static_cast<index_t>(groups),
                     {.threads = options_.threads.threads, .grain = (std::max)(rows_each / rows_a_group, index_t{1})},
                     [&](index_t first, index_t last) {
                         const auto work = std::make_unique<lanes>();
                         const After f = after;
                         for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g) {
                             auto some = blocks.subspan(g * lanes::lanes);
                             some = some.first((std::min)(some.size(), lanes::lanes));
                             work->run(values, missing, windows_.from.data(), some, to);
                             for (std::size_t i = some.front().first; i < some.back().last; ++i) to[i] = f(i, to[i]);
                         }
                     });
        return results;
    }
    template <template <class> class State, class X>
    [[nodiscard]] growing<X> run(const X* values, X missing) const {
        return run<State>(values, missing, [](std::size_t, X x) { return x; });
    }

    /// The result column, where windows with fewer than `fewest` values, or `min_periods`, have none.
    template <class Value>
    [[nodiscard]] column make(kind k, std::size_t fewest, const Value& value) const {
        using T = decltype(value(std::size_t{}));
        const auto of_ends = [&](const auto& f) {
            return [f, until = windows_.until.data()](std::size_t i) { return f(until[i]); };
        };
        const auto in_rows = [&](const auto& f) {
            return results_in_rows<T>(windows_.order, rows_, options_.threads, f);
        };
        const std::size_t least = fewest == 0 ? 0 : (std::max)(fewest, options_.min_periods);
        const auto is_missing = [count = counter(), least](std::size_t i) { return count(i) < least; };
        const auto missing = [&](const auto& f) { return missing_in_rows(windows_.order, rows_, options_.threads, f); };
        buffer validity;
        const bool by_time = !windows_.until.empty();
        if (least > (counts_.empty() ? 1U : 0U))
            validity = by_time ? missing(of_ends(is_missing)) : missing(is_missing);
        return column(k, rows_, std::move(validity), by_time ? in_rows(of_ends(value)) : in_rows(value));
    }

    template <template <class> class State>
    [[nodiscard]] column from_states(const aggregate& a, kind k, std::size_t fewest) {
        use(a.column);
        const growing<double> results = run<State>(numbers(), missing_number);
        return make(k, fewest, [x = results.data()](std::size_t i) { return x[i]; });
    }

    template <template <class> class State>
    [[nodiscard]] column integer_result(const aggregate& a, kind k, std::int64_t missing, bool compares) {
        const bool flips = compares && k == kind::uint64;
        use(a.column);
        const column c = booleans_as_numbers(table_.column(a.column));
        growing<std::int64_t> values = values_in_order(c, windows_.order, missing, options_.threads);
        const auto flip = [&](growing<std::int64_t>& all) {  // so that unsigned values compare as they should
            if (flips)
                for (std::size_t i = 0; i < rows_; ++i)
                    all[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(all[i]) ^ (std::uint64_t{1} << 63));
        };
        flip(values);
        if (flips && !counts_.empty())
            for (std::size_t i = 0; i < rows_; ++i)
                if (counts_[i + 1] == counts_[i]) values[i] = missing;
        growing<std::int64_t> results = run<State>(static_cast<const std::int64_t*>(values.data()), missing);
        flip(results);
        return make(k, 1, [x = results.data()](std::size_t i) { return x[i]; });
    }

    /// Values of up to 32 bits, and floats, as double; wider ones as integers.
    template <template <class> class State>
    [[nodiscard]] column extreme(const aggregate& a, kind k, std::int64_t missing) {
        if (!is_float(k) && value_bytes(k) == 8) return integer_result<State>(a, k, missing, true);
        use(a.column);
        const growing<double> results = run<State>(numbers(), missing_number);
        return dispatch_stored(k, [&]<class T>() {
            return make(k, 1, [x = results.data()](std::size_t i) { return static_cast<T>(x[i]); });
        });
    }

    [[nodiscard]] column quantile(const aggregate& a, double q) {
        use(a.column);
        const double* values = numbers();
        std::vector<std::pair<std::size_t, std::size_t>> runs;
        for (std::size_t k = 0; k < windows_.order.count(); ++k)
            for (std::size_t first = windows_.order.begin[k]; first < windows_.order.begin[k + 1];) {
                const std::size_t last =
                    rolling_quantile::end_of_run(windows_.from.data(), first, windows_.order.begin[k + 1]);
                runs.emplace_back(first, last);
                first = last;
            }
        growing<double> results;
        double* to = results.extend(rows_);
        parallel_for(static_cast<index_t>(runs.size()), {.threads = options_.threads.threads},
                     [&](index_t first, index_t last) {
                         rolling_quantile work(q);
                         for (auto r = static_cast<std::size_t>(first); r < static_cast<std::size_t>(last); ++r)
                             work.run(values, windows_.from.data(), runs[r].first, runs[r].second, to);
                     });
        return make(kind::float64, 1, [x = results.data()](std::size_t i) { return x[i]; });
    }

    /// The first or last value that is there, found as a row.
    [[nodiscard]] column chosen(const aggregate& a, bool is_first) {
        use(a.column);
        constexpr auto none = static_cast<std::uint32_t>(-1);
        std::vector<std::uint32_t> nearest(rows_);  // place of a value, from each place on, or back
        const auto has = [&](std::size_t i) { return counts_.empty() || counts_[i + 1] != counts_[i]; };
        std::uint32_t at = none;
        if (is_first)
            for (std::size_t i = rows_; i-- > 0;) nearest[i] = at = has(i) ? static_cast<std::uint32_t>(i) : at;
        else
            for (std::size_t i = 0; i < rows_; ++i) nearest[i] = at = has(i) ? static_cast<std::uint32_t>(i) : at;
        growing<std::uint32_t> rows;
        std::uint32_t* to = rows.extend(rows_);
        const growing<std::uint32_t> row_at = rows_by_place(windows_.order, rows_, options_.threads);
        const std::size_t least = (std::max)(options_.min_periods, std::size_t{1});
        each_row(windows_.order, rows_, options_.threads, [&, count = counter()](std::size_t place, std::size_t row) {
            const std::size_t end = windows_.end(place);
            to[row] = count(end) < least ? none : row_at[nearest[is_first ? windows_.from[end] : end]];
        });
        return take_rows<std::uint32_t>(table_.column(a.column), {to, rows_}, false, options_.threads);
    }

    const table& table_;
    const rolling_options& options_;
    std::size_t rows_;
    windows windows_;
    std::string used_;
    bool is_used_ = false;
    growing<double> numbers_;
    std::vector<std::uint32_t> counts_;  ///< values before each place; none where nothing is missing
};

}  // namespace detail

/// One aggregate of the windows, a row for each of the table. count, sum, mean, min, max, std, var: O(1) a row, whatever
/// the window; median and quantile: O(log rows of the window); first and last: O(1).
/// @throws argument_error  if a column is not there or of the wrong kind, or the options name no window, or times that
///                         are missing or not in order
[[nodiscard]] inline column rolling(const table& t, const aggregate& what, const rolling_options& options) {
    return detail::rolling_columns(t, options).result(what);
}

/// Several aggregates of the same windows: the keys are looked at once.
[[nodiscard]] inline table rolling(const table& t, const std::vector<aggregate>& what, const rolling_options& options) {
    detail::rolling_columns windows(t, options);
    table results;
    for (const aggregate& a : what) results.add(a.result_name(), windows.result(a));
    return results;
}

/// An aggregate of the last `rows` rows, at each row; of fewer at the beginning.
[[nodiscard]] inline column rolling(const table& t, const aggregate& what, std::size_t rows) {
    return rolling(t, what, rolling_options{.rows = rows});
}

}  // namespace edge::frame
