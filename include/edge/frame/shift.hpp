// SPDX-License-Identifier: MIT
#pragma once

/// @file Values of rows before and after, and what changed since.
///
///     t.add("ax_before", lag(t, "ax"));
///     t.add("ax_step", diff(t, "ax", {.by = "sensor"}));           // since the sensor's row before
///     t.add("growth", pct_change(t, "count", {.rows = 7}));        // 0.5: half as much again as seven rows ago
///
/// The rows of a key count in the order in which they appear; a missing key is a key too. Where there is no such row, or
/// a value is missing, so is the result.

#include <edge/frame/detail/neighbours.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace edge::frame {

struct shift_options {
    std::size_t rows = 1;  ///< how far
    key_names by = {};     ///< columns whose values both rows share
    parallel_options threads = {};
};

namespace detail {

[[nodiscard]] inline column shifted(const table& t, const std::string& name, const shift_options& o, bool before) {
    const column& c = t.column(name);
    const growing<std::uint32_t> rows =
        rows_apart(sequences_of(t, o.by, o.threads), t.rows(), o.rows, before, o.threads);
    return take_rows<std::uint32_t>(c, {rows.data(), rows.size()}, false, o.threads);
}

/// A column of f(value, value before), missing where one of them is.
template <class Result, class F>
[[nodiscard]] column with_lag(const table& t, const std::string& name, const shift_options& o, F&& f) {
    const column& now = t.column(name);
    const column then = shifted(t, name, o, true);
    growing<Result> values;
    Result* to = values.extend(t.rows());
    dispatch_stored(now.kind(), [&]<class T>() {
        const T* x = now.values<T>().data();
        const T* y = then.values<T>().data();
        for (std::size_t i = 0; i < t.rows(); ++i) to[i] = f(x[i], y[i]);
    });
    growing_bits validity;
    if (now.null_count() != 0 || then.null_count() != 0)
        for (std::size_t i = 0; i < t.rows(); ++i) validity.push_back(now.is_valid(i) && then.is_valid(i));
    return column(kind_of<Result>, t.rows(), validity.finish(), values.finish());
}

}  // namespace detail

/// The value `rows` rows before, of any kind.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline column lag(const table& t, const std::string& name, const shift_options& options = {}) {
    return detail::shifted(t, name, options, true);
}

/// The value `rows` rows after.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline column lead(const table& t, const std::string& name, const shift_options& options = {}) {
    return detail::shifted(t, name, options, false);
}

/// The value less the one `rows` rows before: float64 of floats; int64, modulo 2^64, of integers and times.
/// @throws argument_error  if a column is not there, or of booleans or strings
[[nodiscard]] inline column diff(const table& t, const std::string& name, const shift_options& options = {}) {
    if (is_float(t.column(name).kind()))
        return detail::with_lag<double>(t, name, options,
                                        [](auto x, auto y) { return static_cast<double>(x) - static_cast<double>(y); });
    return detail::with_lag<std::int64_t>(t, name, options, [](auto x, auto y) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y));
    });
}

/// The same as a share of the value before, in float64.
/// @throws argument_error  if a column is not there, or not of numbers
[[nodiscard]] inline column pct_change(const table& t, const std::string& name, const shift_options& options = {}) {
    if (!is_number(t.column(name).kind()))
        throw argument_error(
            message("change of column '", name, "' of ", to_string(t.column(name).kind()), "; expected numbers"));
    return detail::with_lag<double>(t, name, options,
                                    [](auto x, auto y) { return static_cast<double>(x) / static_cast<double>(y) - 1; });
}

}  // namespace edge::frame
