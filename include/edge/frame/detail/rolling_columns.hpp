// SPDX-License-Identifier: MIT
#pragma once

/// @file The columns of rolling windows: aggregates of the same column share its values and one pass over them.

#include <edge/frame/detail/rolling_input.hpp>
#include <edge/frame/detail/rolling_lanes.hpp>
#include <edge/frame/detail/rolling_quantile.hpp>
#include <edge/frame/detail/rolling_states.hpp>
#include <edge/frame/rolling_options.hpp>
#include <edge/simd/prefetch.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Columns of aggregates; those of the same column share its values.
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

    [[nodiscard]] std::vector<column> results(std::span<const aggregate> wanted) {
        for (const aggregate& a : wanted) check(a, table_.column(a.column).kind());
        std::vector<column> made(wanted.size());
        std::vector<bool> is_made(wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (is_made[i]) continue;
            if (way_of(wanted[i]) != way::numbers) {
                made[i] = way_of(wanted[i]) == way::alone ? alone(wanted[i]) : integer_result(wanted[i]);
                continue;
            }
            std::vector<std::size_t> together;
            for (std::size_t k = i; k < wanted.size(); ++k) {
                if (wanted[k].column != wanted[i].column || way_of(wanted[k]) != way::numbers) continue;
                together.push_back(k);
                is_made[k] = true;
            }
            use(wanted[i].column);
            run<double>(numbers(), missing_number, wanted, together, made);
        }
        return made;
    }

private:
    enum class way : std::uint8_t { numbers, integers, alone };

    [[nodiscard]] way way_of(const aggregate& a) const {
        const kind k = table_.column(a.column).kind();
        switch (a.what) {
            case statistic::sum: return is_float(k) ? way::numbers : way::integers;
            case statistic::min:
            case statistic::max: return is_float(k) || value_bytes(k) != 8 ? way::numbers : way::integers;
            case statistic::mean:
            case statistic::var:
            case statistic::std: return way::numbers;
            default: return way::alone;
        }
    }

    [[nodiscard]] column alone(const aggregate& a) {
        switch (a.what) {
            case statistic::count:
                use(a.column);
                return make(kind::int64, 0,
                            [count = counter()](std::size_t i) { return static_cast<std::int64_t>(count(i)); });
            case statistic::median: return quantile(a, 0.5);
            case statistic::quantile: return quantile(a, a.q);
            case statistic::first: return chosen(a, true);
            default: return chosen(a, false);
        }
    }

    static constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();

    [[nodiscard]] static windows make_windows(const table& t, const rolling_options& o) {
        if ((o.rows != 0) == o.time.is_set())
            throw argument_error(message("rolling over ", o.rows, " rows", o.time.is_set() ? " and a time" : "",
                                         "; expected 1 or more rows, or a time"));
        sequences order = sequences_of(t, o.by, o.threads);
        if (o.rows != 0) return windows_of_rows(std::move(order), t.rows(), o.rows, o.threads);
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

    /// Bits of what is missing of results that need at least so many values.
    [[nodiscard]] buffer missing(std::size_t fewest) const {
        const std::size_t least = fewest == 0 ? 0 : (std::max)(fewest, options_.min_periods);
        if (least <= (counts_.empty() ? 1U : 0U)) return {};
        const auto pack = [&](const auto& is) { return missing_in_rows(windows_.order, rows_, options_.threads, is); };
        if (windows_.until.empty()) return pack([count = counter(), least](std::size_t i) { return count(i) < least; });
        return pack([count = counter(), least, until = windows_.until.data()](std::size_t i) {
            return count(until[i]) < least;
        });
    }

    /// Statistics of some values: all in one pass over them, and then put into rows, also in one.
    /// @param values    by place
    /// @param which     of the wanted ones
    /// @param is_moved  whether unsigned integers were made signed ones of the same order
    template <class X>
    void run(const X* values, X none, std::span<const aggregate> wanted, std::span<const std::size_t> which,
             std::vector<column>& made, bool is_moved = false) const {
        const std::size_t count = which.size();
        std::vector<kind> kinds(count);
        bool stay = windows_.order.in_place() && windows_.until.empty() && !is_moved;
        for (std::size_t i = 0; i < count; ++i) {
            kinds[i] = result_kind(wanted[which[i]].what, table_.column(wanted[which[i]].column).kind());
            stay = stay && value_bytes(kinds[i]) == sizeof(X);
        }
        std::vector<growing<std::byte>> columns(count);
        growing<X> cells;  // of a place side by side, so that a row finds its own in one cache line
        X* const cell = stay ? nullptr : cells.extend(rows_ * count);
        std::vector<rolling_results<X>> results;
        for (std::size_t i = 0; i < count; ++i) {
            std::byte* const to = columns[i].extend(rows_ * value_bytes(kinds[i]));
            results.push_back({wanted[which[i]].what, stay ? reinterpret_cast<X*>(to) : cell + i, stay ? 1 : count});
        }
        run_blocks<X>(values, none, results);
        if (!stay) {
            const std::int64_t moved = is_moved ? (std::numeric_limits<std::int64_t>::min)() : 0;
            parallel_for(static_cast<index_t>(rows_), by_rows(options_.threads), [&](index_t first, index_t last) {
                constexpr index_t block = 512;
                std::uint32_t at[block];
                const auto place_of = [&](index_t row) {
                    const auto r = static_cast<std::size_t>(row);
                    const std::uint32_t place =
                        windows_.order.in_place() ? static_cast<std::uint32_t>(row) : windows_.order.places[r];
                    return windows_.until.empty() ? place : windows_.until[place];
                };
                for (; first < last; first += block) {
                    const index_t end = (std::min)(first + block, last);
                    for (index_t row = first; row < end; ++row) at[row - first] = place_of(row);
                    for (index_t row = end; row < (std::min)(end + block, last); ++row)
                        simd::prefetch(cell + place_of(row) * count);
                    for (std::size_t i = 0; i < count; ++i) {
                        const X* const from = cell + i;
                        const auto put = [&](auto* to) {
                            using T = std::remove_pointer_t<decltype(to)>;
                            for (index_t k = 0; k < end - first; ++k) {
                                const X x = from[at[k] * count];
                                if constexpr (std::is_integral_v<X>)
                                    to[first + k] = x ^ moved;
                                else
                                    to[first + k] = static_cast<T>(x);
                            }
                        };
                        if constexpr (std::is_integral_v<X>)
                            put(reinterpret_cast<X*>(columns[i].data()));  // also of uint64 and times: the same bits
                        else
                            dispatch_stored(kinds[i], [&]<class T>() { put(reinterpret_cast<T*>(columns[i].data())); });
                    }
                }
            });
        }
        std::optional<buffer> bits[2];
        for (std::size_t i = 0; i < count; ++i) {
            const statistic what = wanted[which[i]].what;
            const std::size_t fewest = what == statistic::var || what == statistic::std ? 2 : 1;
            if (!bits[fewest - 1]) bits[fewest - 1] = missing(fewest);
            made[which[i]] = column(kinds[i], rows_, *bits[fewest - 1], columns[i].finish());
        }
    }

    template <class X>
    void run_blocks(const X* values, X none, std::span<const rolling_results<X>> results) const {
        using lanes = rolling_lanes<X>;
        const std::span blocks(windows_.blocks);
        const std::size_t groups = (blocks.size() + lanes::lanes - 1) / lanes::lanes;
        const auto rows_a_group = static_cast<index_t>(rows_ / (std::max)(groups, std::size_t{1}) + 1);
        parallel_for(static_cast<index_t>(groups),
                     {.threads = options_.threads.threads, .grain = (std::max)(rows_each / rows_a_group, index_t{1})},
                     [&](index_t first, index_t last) {
                         const auto work = std::make_unique<lanes>(results);
                         for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g) {
                             const std::span<const window_block> rest = blocks.subspan(g * lanes::lanes);
                             work->run(values, none, windows_.from.data(), windows_.rows,
                                       rest.first((std::min)(rest.size(), lanes::lanes)));
                         }
                     });
    }

    /// Of integers of 64 bits, and sums of any.
    [[nodiscard]] column integer_result(const aggregate& a) {
        use(a.column);
        const column c = booleans_as_numbers(table_.column(a.column));
        const std::int64_t none = a.what == statistic::min   ? (std::numeric_limits<std::int64_t>::max)()
                                  : a.what == statistic::max ? (std::numeric_limits<std::int64_t>::lowest)()
                                                             : 0;
        growing<std::int64_t> values = values_in_order(c, windows_.order, none, options_.threads);
        const bool moves = c.kind() == kind::uint64 && a.what != statistic::sum;
        if (moves)
            for (std::size_t i = 0; i < rows_; ++i)
                values[i] = !counts_.empty() && counts_[i + 1] == counts_[i]
                                ? none
                                : values[i] ^ (std::numeric_limits<std::int64_t>::min)();
        std::vector<column> made(1);
        const std::size_t which[] = {0};
        run<std::int64_t>(values.data(), none, {&a, 1}, which, made, moves);
        return std::move(made.front());
    }

    /// The result column, of value(place), where windows with fewer than `fewest` values, or `min_periods`, have none.
    template <class Value>
    [[nodiscard]] column make(kind k, std::size_t fewest, const Value& value) const {
        using T = decltype(value(std::size_t{}));
        const auto in_rows = [&](const auto& f) {
            return results_in_rows<T>(windows_.order, rows_, options_.threads, f);
        };
        if (windows_.until.empty()) return column(k, rows_, missing(fewest), in_rows(value));
        return column(k, rows_, missing(fewest),
                      in_rows([value, until = windows_.until.data()](std::size_t i) { return value(until[i]); }));
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

}  // namespace edge::frame::detail
