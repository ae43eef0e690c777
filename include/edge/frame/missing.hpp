// SPDX-License-Identifier: MIT
#pragma once

/// @file Missing values: found, filled, dropped.
///
///     t = t.with("ax", fill_missing(t.column("ax"), 0.0f));
///     t = drop_missing(t, {"lat", "lon"});            // rows that have both
///
/// To fill from the values before and after, see interpolate in resample.hpp.

#include <edge/frame/key_names.hpp>
#include <edge/frame/take.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame {

/// Whether each row's value is missing, as booleans. NaN is a value.
[[nodiscard]] inline column is_missing(const column& c) {
    growing_bits bits;
    bits.reserve(c.size());
    const bit_view valid = c.validity();
    for (std::size_t i = 0; i < c.size(); ++i) bits.push_back(!valid[i]);
    return column(kind::boolean, c.size(), {}, bits.finish());
}

/// The column with `value` where one is missing. A time is filled with its days or nanoseconds.
/// @throws argument_error  if the column stores another type than T
template <stored T>
[[nodiscard]] column fill_missing(const column& c, T value) {
    const auto values = c.values<T>();
    if (c.null_count() == 0) return c;
    growing<T> filled;
    T* to = filled.extend(values.size());
    const bit_view valid = c.validity();
    for (std::size_t i = 0; i < values.size(); ++i) to[i] = valid[i] ? values[i] : value;
    return column(c.kind(), c.size(), {}, filled.finish());
}

/// @throws argument_error  if it is not a column of booleans
[[nodiscard]] inline column fill_missing(const column& c, std::same_as<bool> auto value) {
    const bit_view bits = c.booleans();
    const bit_view valid = c.validity();
    growing_bits filled;
    filled.reserve(c.size());
    for (std::size_t i = 0; i < c.size(); ++i) filled.push_back(valid[i] ? bits[i] : value);
    return column(kind::boolean, c.size(), {}, filled.finish());
}

/// @throws argument_error  if it is not a column of strings
[[nodiscard]] inline column fill_missing(const column& c, std::string_view value) {
    if (c.kind() == kind::string && c.null_count() == 0) return c;
    column_builder filled(kind::string);
    filled.reserve(c.size());
    for (std::size_t i = 0; i < c.size(); ++i) filled.append(c.is_valid(i) ? c.text(i) : value);
    return c.is_dictionary() ? dictionary_encoded(filled.finish()) : filled.finish();
}
[[nodiscard]] inline column fill_missing(const column& c, const char* value) {
    return fill_missing(c, std::string_view(value));
}

/// The rows that have a value in each of these columns; in all, where none is named.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline table drop_missing(const table& t, const key_names& columns = {}) {
    const table chosen = columns.empty() ? t : t.select(columns.list());
    std::vector<std::size_t> rows(t.rows());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        bool whole = true;
        for (const column& c : chosen.columns()) whole = whole && c.is_valid(i);
        rows[kept] = i;
        kept += whole ? 1 : 0;
    }
    rows.resize(kept);
    return kept == t.rows() ? t : take(t, rows);
}

}  // namespace edge::frame
