// SPDX-License-Identifier: MIT
#pragma once

/// @file Aggregates: what is computed of the rows of a group or of a window, by name.
///
///     t.group_by("sensor").agg(count(), mean("ax"), quantile("ay", 0.95).as("ay_p95"));
///     t.group_by("sensor").agg(arg_max("ts", "ax"), corr("ax", "ay"), largest("ax", 3));
///
/// Missing values and NaN are skipped; by `corr`, the rows where either is missing or NaN. Of no values, the count, the sum
/// and the number of different values are 0 and everything else is missing; the standard deviation, the variance (both
/// with n - 1) and the correlation of one value are missing too, and so is the correlation with a constant. `arg_min` and
/// `arg_max` take the first of rows with equal least or greatest values, and what stands there may be missing.

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
    sum,       ///< int64 of integers, wrapping, and of booleans; uint64 of uint64; float64 of floats
    mean,      ///< float64
    min,       ///< as the column
    max,       ///< as the column
    std,       ///< float64, with n - 1
    var,       ///< float64, with n - 1
    median,    ///< float64
    quantile,  ///< float64, interpolated between the two nearest
    first,     ///< as the column: of the first row that has a value
    last,      ///< as the column
    nunique,   ///< int64: different values
    arg_min,   ///< as the column: in the row where another one is least
    arg_max,   ///< as the column: in the row where another one is greatest
    largest,   ///< as the column, up to k rows a group, the greatest first
    smallest,  ///< as the column, up to k rows a group, the least first
    corr       ///< float64: Pearson's correlation with another column
};

inline constexpr std::array<std::string_view, 17> statistic_names{
    "count", "sum",  "mean",    "min",    "max",    "std",     "var",      "median", "quantile",
    "first", "last", "nunique", "argmin", "argmax", "largest", "smallest", "corr"};

[[nodiscard]] inline std::string to_string(statistic s) {
    return std::string(statistic_names[static_cast<std::size_t>(s)]);
}

struct aggregate {
    statistic what = statistic::count;
    std::string column = {};  ///< empty, for `count` only: rows
    double q = 0.5;           ///< of `quantile`, in [0, 1]
    std::string name = {};    ///< of the result; by default the column's, an underscore, and what is computed
    std::string other = {};   ///< second column, of `arg_min`, `arg_max` and `corr`
    std::size_t k = 0;        ///< of `largest` and `smallest`

    [[nodiscard]] aggregate as(std::string result) const& {
        aggregate named = *this;
        named.name = std::move(result);
        return named;
    }

    /// `mean`, `quantile@0.95`, `largest@3`, `argmax@ax`, `corr@ax`.
    [[nodiscard]] std::string function() const {
        if (what == statistic::quantile) return message(to_string(what), "@", q);
        if (what == statistic::largest || what == statistic::smallest) return message(to_string(what), "@", k);
        return other.empty() ? to_string(what) : message(to_string(what), "@", other);
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

/// Greatest k of `largest` and `smallest`: each group has room for k values. For more, sort.
inline constexpr std::size_t most_of_largest = 1024;

namespace detail {

[[nodiscard]] inline aggregate with_other(statistic what, std::string column, std::string other) {
    aggregate a{what, std::move(column)};
    a.other = std::move(other);
    return a;
}

[[nodiscard]] inline aggregate with_k(statistic what, std::string column, std::size_t k) {
    if (k == 0 || k > most_of_largest)
        throw argument_error(message("the ", k, " ", to_string(what), " values; expected 1 to ", most_of_largest));
    aggregate a{what, std::move(column)};
    a.k = k;
    return a;
}

}  // namespace detail

/// The column's value in the row where `by` is least: `arg_min("ts", "ax")` is when ax was least.
[[nodiscard]] inline aggregate arg_min(std::string column, std::string by) {
    return detail::with_other(statistic::arg_min, std::move(column), std::move(by));
}
/// The column's value in the row where `by` is greatest.
[[nodiscard]] inline aggregate arg_max(std::string column, std::string by) {
    return detail::with_other(statistic::arg_max, std::move(column), std::move(by));
}
[[nodiscard]] inline aggregate corr(std::string x, std::string y) {
    return detail::with_other(statistic::corr, std::move(x), std::move(y));
}

/// The k greatest values, a row each: the result has as many rows for a group as its longest list, at least one, and
/// repeats what has one value.
/// @throws argument_error  if k is not 1 to `most_of_largest`
[[nodiscard]] inline aggregate largest(std::string column, std::size_t k) {
    return detail::with_k(statistic::largest, std::move(column), k);
}
/// @throws argument_error  if k is not 1 to `most_of_largest`
[[nodiscard]] inline aggregate smallest(std::string column, std::size_t k) {
    return detail::with_k(statistic::smallest, std::move(column), k);
}

/// An aggregate by the name of its function: `mean`, `quantile@0.95`, `largest@3`, `argmax@ax`, `corr@ax`, where what
/// follows the @ is the share, the number of values, or the other column.
/// @throws argument_error  if there is no such function
[[nodiscard]] inline aggregate aggregate_from_string(std::string_view function, std::string column) {
    const auto number = [](std::string_view text, auto& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && end == text.data() + text.size();
    };
    const std::size_t at = function.find('@');
    const std::string_view word = function.substr(0, at);
    const std::string_view rest = at == std::string_view::npos ? std::string_view() : function.substr(at + 1);
    for (std::size_t i = 0; i < statistic_names.size(); ++i) {
        if (word != statistic_names[i]) continue;
        const auto what = static_cast<statistic>(i);
        const bool alone = what != statistic::quantile && what < statistic::arg_min;
        if (alone ? at != std::string_view::npos : rest.empty()) break;
        if (alone) return {what, std::move(column)};
        double q = -1;
        std::size_t k = 0;
        switch (what) {
            case statistic::quantile:
                if (number(rest, q)) return quantile(std::move(column), q);
                break;
            case statistic::largest:
            case statistic::smallest:
                if (number(rest, k)) return detail::with_k(what, std::move(column), k);
                break;
            default: return detail::with_other(what, std::move(column), std::string(rest));
        }
        break;
    }
    throw argument_error(message("'", function,
                                 "' is not an aggregate; expected count, sum, mean, min, max, std, var, median, "
                                 "quantile@0.95, first, last, nunique, argmin@other, argmax@other, largest@3, "
                                 "smallest@3 or corr@other"));
}

}  // namespace edge::frame
