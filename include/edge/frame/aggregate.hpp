// SPDX-License-Identifier: MIT
#pragma once

/// @file Aggregates: what is computed of the rows of a group or of a window, by name.
///
///     t.group_by("sensor").agg(count(), mean("ax"), quantile("ay", 0.95).as("ay_p95"));
///
/// Missing values and NaN are skipped. Of no values, the count and the sum are 0 and everything else is missing; the
/// standard deviation and the variance (both with n - 1) of one value are missing too.

#include <edge/core/error.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace edge::frame {

enum class statistic : std::uint8_t {
    count,     ///< int64: values that are there
    sum,       ///< int64 of integers, wrapping, and of booleans; float64 of floats
    mean,      ///< float64
    min,       ///< as the column
    max,       ///< as the column
    std,       ///< float64, with n - 1
    var,       ///< float64, with n - 1
    median,    ///< float64
    quantile,  ///< float64, interpolated between the two nearest
    first,     ///< as the column: of the first row that has a value
    last,      ///< as the column
    nunique    ///< int64: different values
};

inline constexpr std::array<std::string_view, 12> statistic_names{
    "count", "sum", "mean", "min", "max", "std", "var", "median", "quantile", "first", "last", "nunique"};

[[nodiscard]] inline std::string to_string(statistic s) {
    return std::string(statistic_names[static_cast<std::size_t>(s)]);
}

struct aggregate {
    statistic what = statistic::count;
    std::string column = {};  ///< empty, for `count` only: rows
    double q = 0.5;           ///< of `quantile`, in [0, 1]
    std::string name = {};    ///< of the result; by default the column's, an underscore, and what is computed

    [[nodiscard]] aggregate as(std::string result) const& {
        aggregate named = *this;
        named.name = std::move(result);
        return named;
    }

    /// `mean`, `quantile@0.95`.
    [[nodiscard]] std::string function() const {
        return what == statistic::quantile ? message(to_string(what), "@", q) : to_string(what);
    }

    [[nodiscard]] std::string result_name() const {
        if (!name.empty()) return name;
        return column.empty() ? function() : message(column, "_", function());
    }
};

/// Rows of the group.
[[nodiscard]] inline aggregate count() { return {}; }
/// Values that are there.
[[nodiscard]] inline aggregate count(std::string column) { return {statistic::count, std::move(column)}; }
[[nodiscard]] inline aggregate sum(std::string column) { return {statistic::sum, std::move(column)}; }
[[nodiscard]] inline aggregate mean(std::string column) { return {statistic::mean, std::move(column)}; }
[[nodiscard]] inline aggregate min(std::string column) { return {statistic::min, std::move(column)}; }
[[nodiscard]] inline aggregate max(std::string column) { return {statistic::max, std::move(column)}; }
[[nodiscard]] inline aggregate stddev(std::string column) { return {statistic::std, std::move(column)}; }
[[nodiscard]] inline aggregate variance(std::string column) { return {statistic::var, std::move(column)}; }
[[nodiscard]] inline aggregate median(std::string column) { return {statistic::median, std::move(column)}; }
[[nodiscard]] inline aggregate first(std::string column) { return {statistic::first, std::move(column)}; }
[[nodiscard]] inline aggregate last(std::string column) { return {statistic::last, std::move(column)}; }
[[nodiscard]] inline aggregate nunique(std::string column) { return {statistic::nunique, std::move(column)}; }

/// @throws argument_error  if q is outside [0, 1]
[[nodiscard]] inline aggregate quantile(std::string column, double q) {
    if (!(q >= 0 && q <= 1)) throw argument_error(message("quantile ", q, "; expected 0 to 1"));
    return {statistic::quantile, std::move(column), q};
}

/// An aggregate by the name of its function: `mean`, `quantile@0.95`.
/// @throws argument_error  if there is no such function
[[nodiscard]] inline aggregate aggregate_from_string(std::string_view function, std::string column) {
    const std::size_t at = function.find('@');
    const std::string_view word = function.substr(0, at);
    for (std::size_t i = 0; i < statistic_names.size(); ++i) {
        if (word != statistic_names[i]) continue;
        const auto what = static_cast<statistic>(i);
        if ((at != std::string_view::npos) != (what == statistic::quantile)) break;
        if (what != statistic::quantile) return {what, std::move(column)};
        const std::string_view text = function.substr(at + 1);
        double q = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), q);
        if (error != std::errc{} || end != text.data() + text.size()) break;
        return quantile(std::move(column), q);
    }
    throw argument_error(message("'", function,
                                 "' is not an aggregate; expected count, sum, mean, min, max, std, var, "
                                 "median, quantile@0.95, first, last or nunique"));
}

}  // namespace edge::frame
