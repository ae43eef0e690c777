// SPDX-License-Identifier: MIT
#pragma once

/// @file As-of join: to each row the latest row of another table that is not later.
///
///     table fused = join_asof(imu, gnss, {.on = "ts", .by = "vehicle", .tolerance = 50ms});
///
/// Every row of the left table stays, in its order, and gets the right table's other columns, missing where no row
/// matches. Neither table needs to be sorted. Of right rows at the same time the last one is taken.

#include <edge/frame/detail/keys.hpp>
#include <edge/frame/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace edge::frame {

/// How much earlier a row may be: any time by default, a number in the units of the column, or a duration.
class tolerance {
public:
    tolerance() = default;

    template <class Number>
    requires std::is_arithmetic_v<Number> tolerance(Number value)  // NOLINT: a number is a tolerance
        : tolerance(value, static_cast<double>(value), 1, false) {}

    /// A duration of std::chrono, for timestamps.
    template <class Duration>
    requires requires(Duration d) {
        d.count();
        typename Duration::period;
    }
    tolerance(Duration d)  // NOLINT: a duration is a tolerance
        : tolerance(d.count(),
                    static_cast<double>(d.count()) * 1e9 * static_cast<double>(Duration::period::num) /
                        static_cast<double>(Duration::period::den),
                    1'000'000'000 * Duration::period::num / Duration::period::den, true) {}

    [[nodiscard]] bool is_limited() const noexcept { return limited_; }
    [[nodiscard]] bool is_duration() const noexcept { return duration_; }

    /// In units of the column, or nanoseconds.
    [[nodiscard]] double value() const noexcept { return value_; }

    /// The same, rounded down to a whole number.
    [[nodiscard]] std::int64_t ticks() const noexcept { return ticks_; }

private:
    template <class Count>
    tolerance(Count count, double value, std::int64_t ticks_each, bool duration) noexcept
        : limited_(true), duration_(duration), value_(value) {
        constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)();
        if (!(value < 9.2e18))
            ticks_ = most;
        else if (std::is_integral_v<Count> && ticks_each > 0 && value >= 0)
            ticks_ = static_cast<std::int64_t>(count) * ticks_each;  // exact where the double is not
        else
            ticks_ = value >= 0 ? static_cast<std::int64_t>(value) : -1;
    }

    bool limited_ = false;
    bool duration_ = false;
    std::int64_t ticks_ = 0;
    double value_ = 0;
};

struct asof_options {
    std::string on;                   ///< column of numbers or timestamps in both tables
    std::string by = {};              ///< column that must be equal, in both tables; empty: none
    frame::tolerance tolerance = {};  ///< greatest difference that still matches
    std::string suffix = "_right";    ///< for right columns whose name the left table has
};

namespace detail {

/// For each left row, the last right row with on(right) <= on(left) in the same group, or `no_row`.
template <class T>
std::vector<std::size_t> asof_rows(const column& left, const column& right, std::span<const std::uint32_t> left_ids,
                                   std::span<const std::uint32_t> right_ids, std::size_t groups,
                                   const tolerance& limit) {
    const auto numbers = [](const column& c) {
        std::vector<T> values;
        values.reserve(c.size());
        dispatch_stored(c.kind(), [&]<class S>() {
            for (const S v : c.values<S>()) values.push_back(static_cast<T>(v));
        });
        return values;
    };
    const std::vector<T> at = numbers(left);
    const std::vector<T> from = numbers(right);

    // Right rows, by time within each group.
    std::vector<std::size_t> order(right.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const std::size_t present = missing_last(right, order);
    sort_rows(right, order::ascending, order);
    std::vector<std::size_t> begin(groups + 1);
    for (std::size_t i = 0; i < present; ++i)
        if (right_ids[order[i]] != no_id) ++begin[right_ids[order[i]] + 1];
    for (std::size_t g = 0; g < groups; ++g) begin[g + 1] += begin[g];
    std::vector<std::size_t> row_of(begin.back());
    std::vector<T> time_of(begin.back());
    std::vector<std::size_t> next(begin.begin(), begin.end() - 1);
    for (std::size_t i = 0; i < present; ++i) {
        const std::size_t row = order[i];
        if (right_ids[row] == no_id) continue;
        row_of[next[right_ids[row]]] = row;
        time_of[next[right_ids[row]]++] = from[row];
    }

    std::vector<std::size_t> found(left.size(), no_row);
    for (std::size_t row = 0; row < found.size(); ++row) {
        const std::uint32_t g = left_ids[row];
        if (g == no_id || !left.is_valid(row) || at[row] != at[row]) continue;
        const auto first = time_of.begin() + static_cast<std::ptrdiff_t>(begin[g]);
        const auto last = time_of.begin() + static_cast<std::ptrdiff_t>(begin[g + 1]);
        const auto after = std::upper_bound(first, last, at[row]);
        if (after == first) continue;
        const T matched = *(after - 1);
        if (limit.is_limited()) {
            if constexpr (std::is_integral_v<T>) {  // as unsigned: the difference of two int64 can be 2^64 - 1
                const auto apart = static_cast<std::uint64_t>(at[row]) - static_cast<std::uint64_t>(matched);
                if (apart > static_cast<std::uint64_t>(limit.ticks())) continue;
            } else if (!(at[row] == matched || at[row] - matched <= limit.value())) {
                continue;
            }
        }
        found[row] = row_of[static_cast<std::size_t>(after - 1 - time_of.begin())];
    }
    return found;
}

}  // namespace detail

/// O((n + m) log m).
/// @throws argument_error  if a column is not there or of the wrong kind, or the tolerance is negative or a duration
///                         where `on` holds no timestamps
[[nodiscard]] inline table join_asof(const table& left, const table& right, const asof_options& options) {
    const column& at = left.column(options.on);
    const column& from = right.column(options.on);
    for (const column* c : {&at, &from})
        if (!is_number(c->kind()) && c->kind() != kind::timestamp)
            throw argument_error(
                message("on '", options.on, "' of ", to_string(c->kind()), "; expected numbers or timestamps"));
    const bool times = at.kind() == kind::timestamp;
    if (times != (from.kind() == kind::timestamp) && at.null_count() != at.size() && from.null_count() != from.size())
        throw argument_error(message("on '", options.on, "' is ", to_string(at.kind()), " on the left and ",
                                     to_string(from.kind()), " on the right"));
    if (options.tolerance.is_duration() && !times && at.null_count() != at.size())
        throw argument_error(message("a duration as the tolerance of '", options.on, "' of ", to_string(at.kind()),
                                     "; expected a number in its units"));
    if (options.tolerance.is_limited() && !(options.tolerance.value() >= 0))
        throw argument_error(message("tolerance ", options.tolerance.value(), "; expected 0 or more"));

    std::vector<std::uint32_t> left_ids(left.rows(), 0);
    std::vector<std::uint32_t> right_ids(right.rows(), 0);
    std::size_t groups = 1;
    if (!options.by.empty()) {
        const table both[] = {left.select(options.by), right.select(options.by)};
        const detail::numbering n = detail::number_values(concat(both).columns().front());
        std::copy_n(n.of_row.begin(), left.rows(), left_ids.begin());
        std::copy_n(n.of_row.begin() + static_cast<std::ptrdiff_t>(left.rows()), right.rows(), right_ids.begin());
        groups = n.rows.size();
    }
    const bool floats = is_float(at.kind()) || is_float(from.kind());
    const std::vector<std::size_t> rows =
        floats ? detail::asof_rows<double>(at, from, left_ids, right_ids, groups, options.tolerance)
               : detail::asof_rows<std::int64_t>(at, from, left_ids, right_ids, groups, options.tolerance);
    table joined = left;
    for (std::size_t c = 0; c < right.names().size(); ++c) {
        const std::string& name = right.names()[c];
        if (name == options.on || name == options.by) continue;
        joined.add(left.has(name) ? name + options.suffix : name, take(right.columns()[c], rows));
    }
    return joined;
}

}  // namespace edge::frame
