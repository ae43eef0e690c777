// SPDX-License-Identifier: MIT
#pragma once

/// @file Filters: the rows for which a comparison of a column with a value holds.
///
///     table fast = filter(imu, "speed >= 2.5");
///     table left = filter(imu, condition{"sensor", comparison::equal, "left wheel"});
///
/// A missing value or NaN is in no comparison: such a row is dropped, by != too. Integers are compared exactly, also with
/// a value that is none ("id < 2.5"). Strings compare by their bytes; timestamps with ISO 8601 text or nanoseconds.

#include <edge/frame/csv.hpp>
#include <edge/frame/take.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame {

enum class comparison : std::uint8_t { equal, not_equal, less, less_or_equal, greater, greater_or_equal };

struct condition {
    std::string column;
    comparison compare = comparison::equal;
    std::string value;  ///< as text; it is read as the column's kind
};

namespace detail {

inline constexpr std::array<std::pair<std::string_view, comparison>, 7> comparison_signs{{
    {"==", comparison::equal},
    {"!=", comparison::not_equal},
    {"<=", comparison::less_or_equal},  // before "<"
    {">=", comparison::greater_or_equal},
    {"<", comparison::less},
    {">", comparison::greater},
    {"=", comparison::equal},
}};

/// Rows for which `holds(value of the row)`.
template <class At, class Holds>
std::vector<std::size_t> matching(const column& c, At&& at, Holds&& holds) {
    std::vector<std::size_t> rows(c.size());
    const bit_view valid = c.validity();
    const bool has_gaps = c.null_count() != 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {  // without a branch, which would often be mispredicted
        rows[kept] = i;
        kept += holds(at(i)) && (!has_gaps || valid[i]) ? 1 : 0;
    }
    rows.resize(kept);
    return rows;
}

/// Rows whose value compares so with `value`. NaN compares with nothing.
template <class At, class T>
std::vector<std::size_t> matching(const column& c, At&& at, comparison compare, const T& value) {
    switch (compare) {
        case comparison::equal: return matching(c, at, [&](const T& v) { return v == value; });
        case comparison::not_equal: return matching(c, at, [&](const T& v) { return v == v && v != value; });
        case comparison::less: return matching(c, at, [&](const T& v) { return v < value; });
        case comparison::less_or_equal: return matching(c, at, [&](const T& v) { return v <= value; });
        case comparison::greater: return matching(c, at, [&](const T& v) { return v > value; });
        case comparison::greater_or_equal: break;
    }
    return matching(c, at, [&](const T& v) { return v >= value; });
}

/// A number as the integer below or equal to it, and whether they differ.
struct number_floor {
    bool negative;
    std::optional<std::uint64_t> magnitude;  ///< of the number without what is after its point; none: 2^64 or more
    bool has_rest;                           ///< whether something but zeros is there
};

/// Exactly, where the text has no exponent; else of the nearest double.
/// @param value  what the text is, as a double
[[nodiscard]] inline number_floor floor_of(std::string_view text, double value) noexcept {
    text = trim(text);
    if (text.find_first_not_of("+-.0123456789") == std::string_view::npos) {
        const std::size_t sign = text.find_first_of("+-") == 0 ? 1 : 0;
        const std::size_t point = (std::min)(text.find('.'), text.size());
        const std::string_view digits = text.substr(sign, point - sign);
        return {text[0] == '-', digits.empty() ? std::optional<std::uint64_t>(0) : parse_number<std::uint64_t>(digits),
                text.find_first_not_of('0', (std::min)(point + 1, text.size())) != std::string_view::npos};
    }
    const double size = std::fabs(value);
    constexpr double beyond = 18446744073709551616.0;  // 2^64
    if (!(size < beyond)) return {value < 0, std::nullopt, false};
    return {value < 0, static_cast<std::uint64_t>(size), std::floor(size) != size};
}

/// A comparison of integers with a number that need not be one, as a comparison with an integer.
/// @return  false if no Integer can be written so: then it holds for all or for none, as `all` says
template <class Integer>
bool integer_comparison(comparison& compare, std::string_view text, double value, Integer& integer, bool& all) {
    const bool greater = compare == comparison::greater || compare == comparison::greater_or_equal;
    const bool less = compare == comparison::less || compare == comparison::less_or_equal;
    if (value != value) {
        all = false;
        return false;
    }
    const number_floor number = floor_of(text, value);
    constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<Integer>::max)());
    constexpr std::uint64_t most_negative = std::is_signed_v<Integer> ? most + 1 : 0;
    const std::uint64_t down = number.negative && number.has_rest;  // the integer below is further from 0
    const bool inside = number.magnitude && (number.negative ? *number.magnitude <= most_negative - down &&
                                                                   (most_negative != 0 || down == 0)
                                                             : *number.magnitude <= most);
    if (!inside || (number.has_rest && !greater && !less)) {
        all = compare == comparison::not_equal || (number.negative ? greater : less);
        return false;
    }
    integer = static_cast<Integer>(number.negative ? std::uint64_t{0} - *number.magnitude - down : *number.magnitude);
    if (number.has_rest) compare = less ? comparison::less_or_equal : comparison::greater;
    return true;
}

}  // namespace detail

/// A comparison as text: `column OP value`, with OP one of == = != < <= > >=. Blanks around the value are not part of it
/// unless it is in single or double quotes. Where a column's name holds a sign itself, the name that is there is taken.
/// @throws argument_error  if there is no sign, or no such column before it
[[nodiscard]] inline condition parse_condition(std::string_view text, const table& t) {
    std::string_view tried;
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (const auto& [sign, compare] : detail::comparison_signs) {
            if (!text.substr(i).starts_with(sign)) continue;
            const std::string_view name = detail::trim(text.substr(0, i));
            std::string_view value = detail::trim(text.substr(i + sign.size()));
            if (!t.has(name)) {
                if (tried.empty()) tried = name;
                break;
            }
            if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
                value = value.substr(1, value.size() - 2);
            return {std::string(name), compare, std::string(value)};
        }
    }
    if (!tried.empty()) (void)t.column(tried);  // says what there is
    throw argument_error(
        message("'", text, "' is not a comparison; expected COLUMN OP VALUE with OP == != < <= > or >="));
}

/// The numbers of the rows for which it holds, ascending. O(n).
/// @throws argument_error  if the column is not there, or the value is not of its kind
[[nodiscard]] inline std::vector<std::size_t> rows_where(const table& t, const condition& where) {
    const column& c = t.column(where.column);
    if (c.null_count() == c.size()) return {};  // whatever the kind, which then says nothing
    const auto bad = [&](std::string_view expected) -> argument_error {
        return argument_error(message("'", detail::shown(where.value), "' compared with column '", where.column,
                                      "' of ", to_string(c.kind()), "; expected ", expected));
    };
    switch (c.kind()) {
        case kind::string:
            return detail::matching(
                c, [&](std::size_t i) { return c.text(i); }, where.compare, std::string_view(where.value));
        case kind::boolean: {
            const auto value = detail::parse_boolean(where.value);
            if (!value) throw bad("true or false");
            return detail::matching(
                c, [&](std::size_t i) { return c.boolean(i); }, where.compare, *value);
        }
        case kind::float32:
        case kind::float64: {
            const auto value = detail::parse_number<double>(where.value);
            if (!value) throw bad("a number");
            return dispatch_stored(c.kind(), [&]<class T>() {
                const auto values = c.values<T>();
                return detail::matching(
                    c, [&](std::size_t i) { return static_cast<double>(values[i]); }, where.compare, *value);
            });
        }
        default: break;
    }
    const auto compared = [&]<class Integer>(std::optional<Integer> integer) {
        comparison compare = where.compare;
        if (!integer) {
            if (c.kind() == kind::timestamp) throw bad("an ISO 8601 time or nanoseconds");
            if (c.kind() == kind::date) throw bad("a date such as 2024-01-31, or days since 1970");
            const auto value = detail::parse_number<double>(where.value);
            if (!value) throw bad("a number");
            bool all = false;
            integer.emplace();
            if (!detail::integer_comparison(compare, where.value, *value, *integer, all))
                return detail::matching(
                    c, [](std::size_t) { return 0; }, [all](int) { return all; });
        }
        return dispatch_stored(c.kind(), [&]<class T>() {
            const auto values = c.values<T>();
            return detail::matching(
                c, [&](std::size_t i) { return static_cast<Integer>(values[i]); }, compare, *integer);
        });
    };
    if (c.kind() == kind::uint64) return compared(detail::parse_number<std::uint64_t>(where.value));
    auto integer = detail::parse_number<std::int64_t>(where.value);
    if (!integer && c.kind() == kind::timestamp) integer = parse_timestamp(detail::trim(where.value));
    if (!integer && c.kind() == kind::date) integer = parse_date(detail::trim(where.value));
    return compared(integer);
}

/// @throws argument_error  as `rows_where`
[[nodiscard]] inline table filter(const table& t, const condition& where) { return take(t, rows_where(t, where)); }

/// @throws argument_error  as `parse_condition` and `rows_where`
[[nodiscard]] inline table filter(const table& t, std::string_view where) {
    return filter(t, parse_condition(where, t));
}

}  // namespace edge::frame
