// SPDX-License-Identifier: MIT
#pragma once

/// @file Dates and timestamps in their usual form, read quickly: a column of them repeats the day many times.
///
///     day_reader days;
///     if (!days.read_timestamp(begin, end, ns)) …     // in another form, or none: ask parse_timestamp

#include <edge/frame/detail/decimal.hpp>
#include <edge/frame/timestamp.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace edge::frame::detail {

class day_reader {
public:
    /// `YYYY-MM-DD`, days since 1970-01-01.
    [[nodiscard]] bool read_date(const char* begin, const char* end, std::int32_t& days) noexcept {
        if (end - begin != 10 || !find_day(begin)) return false;
        days = days_;
        return true;
    }

    /// `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, at most nine digits after a point, perhaps `Z`.
    [[nodiscard]] bool read_timestamp(const char* begin, const char* end, std::int64_t& ns) noexcept {
        if (end - begin < 19 || (begin[10] != 'T' && begin[10] != ' ') || !find_day(begin)) return false;
        const std::uint64_t time = simd::load_word(begin + 11);
        constexpr std::uint64_t colons = 0x0000FF0000FF0000U;
        const std::uint64_t d = (time ^ 0x3030303030303030U) & ~colons;
        if ((time & colons) != 0x00003A00003A0000U || simd::not_digits(d) != 0) return false;
        const std::uint64_t pairs = d * 10 + (d >> 8);
        const std::uint64_t hour = pairs & 0xFF, minute = pairs >> 24 & 0xFF, second = pairs >> 48 & 0xFF;
        if (hour > 23 || minute > 59 || second > 59) return false;
        const char* at = begin + 19;
        end -= at != end && end[-1] == 'Z';
        std::uint64_t fraction = 0;
        if (at != end) {
            const auto places = static_cast<std::size_t>(end - at) - 1;
            if (*at != '.' || places - 1 > 8) return false;
            const simd::decimal_digits digits = simd::read_decimal<xsimd::default_arch>(end, places);
            if (!digits.valid || digits.has_point) return false;
            constexpr std::uint64_t units[] = {1'000'000'000, 100'000'000, 10'000'000, 1'000'000, 100'000,
                                               10'000,        1'000,       100,        10,        1};
            fraction = digits.digits * units[places];
        }
        constexpr std::int32_t most_days = 106'750;  // within int64 nanoseconds at any time of the day
        if (days_ > most_days || days_ < -most_days) return false;
        ns = (days_ * seconds_per_day + static_cast<std::int64_t>(hour * 3600 + minute * 60 + second)) * ns_per_second +
             static_cast<std::int64_t>(fraction);
        return true;
    }

private:
    /// The day of the ten characters from `begin` on: the last one's, if they are the same.
    bool find_day(const char* begin) noexcept {
        if (std::memcmp(begin, day_, sizeof day_) == 0) return true;
        const auto days = parse_date({begin, sizeof day_});
        if (!days) return false;
        days_ = *days;
        std::memcpy(day_, begin, sizeof day_);
        return true;
    }

    char day_[10] = {};  // of `days_`; no day at first
    std::int32_t days_ = 0;
};

}  // namespace edge::frame::detail
