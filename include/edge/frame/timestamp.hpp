// SPDX-License-Identifier: MIT
#pragma once

/// @file Timestamps as text: ISO 8601 to and from nanoseconds since 1970-01-01T00:00:00 UTC.
///
///     auto ns = parse_timestamp("2024-03-01 12:00:00.5+01:00");     // 1709290800500000000
///     format_timestamp(*ns);                                        // "2024-03-01T11:00:00.500Z"
///
/// int64 nanoseconds reach from 1677-09-21 to 2262-04-11.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace edge::frame {

namespace detail {

inline constexpr std::int64_t ns_per_second = 1'000'000'000;
inline constexpr std::int64_t seconds_per_day = 86'400;

/// Days since 1970-01-01 of a date of the Gregorian calendar, and back.
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil and civil_from_days.
[[nodiscard]] constexpr std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) noexcept {
    y -= m <= 2;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const auto yoe = static_cast<unsigned>(y - era * 400);
    const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

struct civil {
    std::int64_t year;
    unsigned month, day;
};

[[nodiscard]] constexpr civil civil_from_days(std::int64_t z) noexcept {
    z += 719468;
    const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const auto doe = static_cast<unsigned>(z - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    const unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return {static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

[[nodiscard]] constexpr unsigned days_in_month(std::int64_t year, unsigned month) noexcept {
    constexpr unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/// Reads a text from its beginning, piece by piece.
struct text_cursor {
    std::string_view rest;

    bool skip(char c) noexcept {
        if (rest.empty() || rest.front() != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    /// A number of exactly `count` digits, at most `most`.
    bool digits(std::size_t count, unsigned most, unsigned& value) noexcept {
        if (rest.size() < count) return false;
        value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest[i] < '0' || rest[i] > '9') return false;
            value = value * 10 + static_cast<unsigned>(rest[i] - '0');
        }
        rest.remove_prefix(count);
        return value <= most;
    }
};

}  // namespace detail

/// `YYYY-MM-DD`, optionally with `T` or a space and `HH:MM[:SS[.f…]]` (nine digits at most), and then with `Z`, ` UTC`
/// or `±HH[[:]MM]`; without one of these it is UTC.
/// @return  nanoseconds since 1970-01-01T00:00:00 UTC, or nothing if it is no such text or does not fit int64
[[nodiscard]] inline std::optional<std::int64_t> parse_timestamp(std::string_view text) noexcept {
    detail::text_cursor at{text};
    unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0;
    if (!at.digits(4, 9999, year) || !at.skip('-') || !at.digits(2, 12, month) || !at.skip('-') || month == 0 ||
        !at.digits(2, detail::days_in_month(year, month), day) || day == 0)
        return std::nullopt;
    std::int64_t offset_seconds = 0;
    if (at.skip('T') || at.skip(' ')) {
        if (!at.digits(2, 23, hour) || !at.skip(':') || !at.digits(2, 59, minute)) return std::nullopt;
        if (at.skip(':')) {
            if (!at.digits(2, 59, second)) return std::nullopt;
            if (at.skip('.')) {
                unsigned places = 0, digit = 0;
                for (; places < 9 && at.digits(1, 9, digit); ++places) fraction = fraction * 10 + digit;
                if (places == 0) return std::nullopt;
                for (; places < 9; ++places) fraction *= 10;
            }
        }
        const bool ahead = at.rest.substr(0, 1) == "+";
        if (at.skip('+') || at.skip('-')) {
            unsigned h = 0, m = 0;
            if (!at.digits(2, 23, h)) return std::nullopt;
            if ((at.skip(':') || !at.rest.empty()) && !at.digits(2, 59, m)) return std::nullopt;
            offset_seconds = static_cast<std::int64_t>(h * 3600 + m * 60) * (ahead ? 1 : -1);
        } else if (at.rest == " UTC") {
            at.rest = {};
        } else {
            at.skip('Z');
        }
    }
    if (!at.rest.empty()) return std::nullopt;
    std::int64_t seconds = detail::days_from_civil(year, month, day) * detail::seconds_per_day + hour * 3600 +
                           minute * 60 + second - offset_seconds;
    std::int64_t ns = fraction;
    if (seconds < 0 && ns != 0) {  // towards zero first, so that the earliest instant does not overflow on the way
        ++seconds;
        ns -= detail::ns_per_second;
    }
    constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)();
    if (seconds > (most - (ns > 0 ? ns : 0)) / detail::ns_per_second ||
        seconds < (-most - 1 - (ns < 0 ? ns : 0)) / detail::ns_per_second)
        return std::nullopt;
    return seconds * detail::ns_per_second + ns;
}

/// `YYYY-MM-DD`, or a sign and a year of up to seven digits, as `format_date` writes years that have not four.
/// @return  days since 1970-01-01, or nothing if it is no such text or does not fit int32
[[nodiscard]] inline std::optional<std::int32_t> parse_date(std::string_view text) noexcept {
    detail::text_cursor at{text};
    unsigned year = 0, month = 0, day = 0;
    const bool before = at.skip('-');
    const bool has_sign = before || at.skip('+');
    const std::size_t width = has_sign ? at.rest.substr(0, 8).find('-') : 4;
    if (width < 4 || width > 7 || !at.digits(width, 9'999'999, year) || !at.skip('-') || !at.digits(2, 12, month) ||
        !at.skip('-') || month == 0)
        return std::nullopt;
    const std::int64_t signed_year = before ? -std::int64_t{year} : year;
    if (!at.digits(2, detail::days_in_month(signed_year, month), day) || day == 0 || !at.rest.empty())
        return std::nullopt;
    const std::int64_t days = detail::days_from_civil(signed_year, month, day);
    if (days < (std::numeric_limits<std::int32_t>::min)() || days > (std::numeric_limits<std::int32_t>::max)())
        return std::nullopt;
    return static_cast<std::int32_t>(days);
}

/// `YYYY-MM-DD`; years beyond four digits, and before year 0, as ISO 8601 extends them: with a sign.
[[nodiscard]] inline std::string format_date(std::int32_t days) {
    const detail::civil date = detail::civil_from_days(days);
    const auto padded = [](std::uint64_t value, std::size_t width) {
        std::string digits = std::to_string(value);
        return digits.size() < width ? digits.insert(0, width - digits.size(), '0') : digits;
    };
    const auto magnitude = static_cast<std::uint64_t>(date.year < 0 ? -date.year : date.year);
    return (date.year < 0      ? "-"
            : date.year > 9999 ? "+"
                               : "") +
           padded(magnitude, 4) + '-' + padded(date.month, 2) + '-' + padded(date.day, 2);
}

/// `YYYY-MM-DDTHH:MM:SSZ`, with 3, 6 or 9 digits after the second where they are not zero.
[[nodiscard]] inline std::string format_timestamp(std::int64_t ns) {
    std::int64_t seconds = ns / detail::ns_per_second;
    std::int64_t fraction = ns % detail::ns_per_second;
    if (fraction < 0) {
        --seconds;
        fraction += detail::ns_per_second;
    }
    std::int64_t days = seconds / detail::seconds_per_day;
    std::int64_t of_day = seconds % detail::seconds_per_day;
    if (of_day < 0) {
        --days;
        of_day += detail::seconds_per_day;
    }
    const detail::civil date = detail::civil_from_days(days);
    std::string text;
    const auto put = [&text](std::int64_t value, std::size_t width) {
        char digits[10] = {};
        for (std::size_t i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
        text.append(digits, width);
    };
    put(date.year, 4);
    text += '-';
    put(date.month, 2);
    text += '-';
    put(date.day, 2);
    text += 'T';
    put(of_day / 3600, 2);
    text += ':';
    put(of_day / 60 % 60, 2);
    text += ':';
    put(of_day % 60, 2);
    if (fraction != 0) {
        text += '.';
        if (fraction % 1'000'000 == 0)
            put(fraction / 1'000'000, 3);
        else if (fraction % 1'000 == 0)
            put(fraction / 1'000, 6);
        else
            put(fraction, 9);
    }
    text += 'Z';
    return text;
}

}  // namespace edge::frame
