// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbers and times to text: the same characters as std::to_chars, several times as fast for what tables hold.
///
/// A float of at most 15 digits is an integer over a power of ten: if that quotient is the float, the integer's digits
/// are its shortest form, because no two numbers of 15 digits are the same double. Source of the way from an integer to
/// digits: Khuong 2017, "How to print integers really fast".

#include <edge/frame/detail/decimal.hpp>
#include <edge/frame/timestamp.hpp>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

namespace edge::frame::detail {

/// Room that a number or time needs at most, and that may be written to beyond its end.
inline constexpr std::size_t number_room = 64;

/// Eight digits as their values, the first one lowest.
[[nodiscard]] EDGE_ALWAYS_INLINE constexpr std::uint64_t digits_of(std::uint32_t value) noexcept {
    std::uint64_t v = value / 10000 | std::uint64_t{value % 10000} << 32;
    std::uint64_t tens = (v * 10486 >> 20) & 0x0000007F0000007FU;
    v = tens | (v - 100 * tens) << 16;
    tens = (v * 103 >> 10) & 0x000F000F000F000FU;
    return tens | (v - 10 * tens) << 8;
}

inline void store_word(char* to, std::uint64_t word) noexcept {
    if constexpr (std::endian::native == std::endian::big) {
        std::uint64_t swapped = simd::load_word(reinterpret_cast<const char*>(&word));
        std::memcpy(to, &swapped, sizeof swapped);
    } else {
        std::memcpy(to, &word, sizeof word);
    }
}

/// 16 digits and how many of them are zeros before the first other one, and after the last one.
struct sixteen_digits {
    char text[32];  ///< the second half is of any value
    int before, after;

    explicit sixteen_digits(std::uint64_t value) noexcept {
        const std::uint64_t high = digits_of(static_cast<std::uint32_t>(value / 100'000'000));
        const std::uint64_t low = digits_of(static_cast<std::uint32_t>(value % 100'000'000));
        store_word(text, high | 0x3030303030303030U);
        store_word(text + 8, low | 0x3030303030303030U);
        before = high != 0 ? std::countr_zero(high) / 8 : 8 + std::countr_zero(low) / 8;
        after = low != 0 ? std::countl_zero(low) / 8 : 8 + std::countl_zero(high) / 8;
    }
};

inline char* put_unsigned(char* to, std::uint64_t value) noexcept {
    constexpr std::uint64_t most = 10'000'000'000'000'000;
    if (value >= most) {
        to = std::to_chars(to, to + 8, value / most).ptr;
        const sixteen_digits rest(value % most);
        std::memcpy(to, rest.text, 16);
        return to + 16;
    }
    if (value < 100'000'000) {
        const std::uint64_t digits = digits_of(static_cast<std::uint32_t>(value));
        const int before = digits != 0 ? std::countr_zero(digits) / 8 : 7;
        store_word(to, (digits | 0x3030303030303030U) >> (8 * before));
        return to + 8 - before;
    }
    const sixteen_digits digits(value);
    const int before = digits.before < 15 ? digits.before : 15;
    std::memcpy(to, digits.text + before, 16);
    return to + 16 - before;
}

inline char* put_signed(char* to, std::int64_t value) noexcept {
    const bool negative = value < 0;
    *to = '-';
    return put_unsigned(to + negative, negative ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                                                : static_cast<std::uint64_t>(value));
}

/// Writes floats of a column, which mostly have as many places after the point as the one before.
template <class T>
requires std::is_floating_point_v<T>
class float_writer {
public:
    /// "1" would read back as an integer, "1.0" does not.
    char* put(char* to, T value) noexcept {
        if (waiting_ > 0) {
            --waiting_;
            return put_slowly(to, value);
        }
        const double a = std::fabs(static_cast<double>(value));
        if (!(a < most)) return put_slowly(to, value);
        std::uint64_t m = 0;
        if (!is_quotient(a, places_, m) && !find_places(a, m)) {
            if (++failures_ >= 8) {  // a column of floats of all their digits: look again now and then
                failures_ = 0;
                waiting_ = 120;
            }
            return put_slowly(to, value);
        }
        if constexpr (std::is_same_v<T, float>)  // several numbers of so many digits are the same float
            while (places_ > 0 && is_quotient(a, places_ - 1, m)) --places_;
        failures_ = 0;
        if (m < 100'000'000 && places_ < 8) {  // in a register
            const std::uint64_t digits = digits_of(static_cast<std::uint32_t>(m));
            const int before = digits != 0 ? std::countr_zero(digits) / 8 : 8;
            const int after = digits != 0 ? std::countl_zero(digits) / 8 : 8;
            const form f = form_of(8 - before, after);
            if (f.is_long) return put_slowly(to, value);
            const std::uint64_t text = (digits | 0x3030303030303030U) >> (8 * (8 - places_ - f.whole));
            *to = '-';
            to += std::signbit(value);
            store_word(to, text);
            to += f.whole;
            *to++ = '.';
            store_word(to, f.places != 0 ? text >> (8 * f.whole) : std::uint64_t{'0'});
            return to + (f.places != 0 ? f.places : 1);
        }
        const sixteen_digits digits(m);
        const form f = form_of(16 - digits.before, digits.after);
        if (f.is_long) return put_slowly(to, value);
        *to = '-';
        to += std::signbit(value);
        std::memcpy(to, digits.text + (16 - places_ - f.whole), 16);
        to += f.whole;
        *to++ = '.';
        *to = '0';
        if (f.places == 0) return to + 1;
        std::memcpy(to, digits.text + 16 - places_, 16);
        return to + f.places;
    }

private:
    /// Below it the digits of a whole number are its shortest form.
    static constexpr double most = std::is_same_v<T, float> ? 16'777'216 : 1e15;

    /// Of which the nearest integer has at most 15 digits.
    static constexpr double below_digits = 999'999'999'999'999;

    struct form {
        int whole;     ///< digits before the point, at least one
        int places;    ///< after it, without zeros at the end
        bool is_long;  ///< longer than with an exponent, as 1.5e-07
    };

    /// Of an integer over 10^places_.
    /// @param count  its digits, 0 of 0
    /// @param after  zeros at its end
    [[nodiscard]] form form_of(int count, int after) const noexcept {
        const int places = count == 0 || places_ < after ? 0 : places_ - after;
        const int whole = count > places_ ? count - places_ : 1;
        const int significant = count - after;
        const int length = whole + (places != 0 ? 1 + places : 0);
        return {whole, places, count != 0 && length > significant + (significant > 1) + 4};
    }

    /// Whether a is m / 10^places, for the nearest integer m of at most 15 digits.
    static bool is_quotient(double a, int places, std::uint64_t& m) noexcept {
        const double power = powers_of_ten[static_cast<std::size_t>(places)];
        const double scaled = a * power;
        if (!(scaled < below_digits)) return false;
        auto nearest = static_cast<std::int64_t>(scaled + 0.5);
        if (static_cast<double>(nearest) - scaled == 0.5) nearest -= nearest & 1;  // half to even, as std::to_chars
        const double quotient = static_cast<double>(nearest) / power;
        bool is = quotient == a;
        if constexpr (std::is_same_v<T, float>) {
            constexpr std::uint64_t below = (std::uint64_t{1} << 29) - 1;
            is = static_cast<double>(static_cast<float>(quotient)) == a &&
                 (std::bit_cast<std::uint64_t>(quotient) & below) != (below + 1) / 2;
        }
        if (is) m = static_cast<std::uint64_t>(nearest);
        return is;
    }

    bool find_places(double a, std::uint64_t& m) noexcept {
        if constexpr (std::is_same_v<T, double>) {  // what no integer of 15 digits is, none of fewer is
            int most_places = 15;
            while (most_places > 0 && a * powers_of_ten[static_cast<std::size_t>(most_places)] >= below_digits)
                --most_places;
            if (!is_quotient(a, most_places, m)) return false;
        }
        for (int places = 0; places <= 15; ++places) {
            if (!is_quotient(a, places, m)) continue;
            places_ = places;
            return true;
        }
        return false;
    }

    static char* put_slowly(char* to, T value) noexcept {
        char* const end = std::to_chars(to, to + number_room, value).ptr;
        const std::string_view text(to, static_cast<std::size_t>(end - to));
        if (text.find_first_of(".en") != std::string_view::npos) return end;  // "nan" has an n, as "inf" has
        end[0] = '.';
        end[1] = '0';
        return end + 2;
    }

    int places_ = 2;
    int failures_ = 0;
    int waiting_ = 0;
};

inline char* put_pair(char* to, std::uint32_t value) noexcept {
    to[0] = static_cast<char>('0' + value / 10);
    to[1] = static_cast<char>('0' + value % 10);
    return to + 2;
}

/// Writes times of a column; the day is that of the one before more often than not.
class time_writer {
public:
    char* put_date(char* to, std::int32_t days) {
        set_day(days);
        std::memcpy(to, day_, sizeof day_);
        return to + length_;
    }

    /// As `format_timestamp`.
    char* put_timestamp(char* to, std::int64_t ns) {
        constexpr std::int64_t ns_per_day = seconds_per_day * ns_per_second;
        std::int64_t days = ns / ns_per_day;
        std::int64_t of_day = ns % ns_per_day;
        if (of_day < 0) {
            --days;
            of_day += ns_per_day;
        }
        to = put_date(to, static_cast<std::int32_t>(days));
        const auto seconds = static_cast<std::uint32_t>(of_day / ns_per_second);
        const auto fraction = static_cast<std::uint32_t>(of_day % ns_per_second);
        *to++ = 'T';
        to = put_pair(to, seconds / 3600);
        *to++ = ':';
        to = put_pair(to, seconds / 60 % 60);
        *to++ = ':';
        to = put_pair(to, seconds % 60);
        if (fraction != 0) {
            *to++ = '.';
            const std::uint32_t first = fraction / 10;
            store_word(to, digits_of(first) | 0x3030303030303030U);
            to[8] = static_cast<char>('0' + fraction % 10);
            to += fraction % 1'000'000 == 0 ? 3 : fraction % 1'000 == 0 ? 6 : 9;
        }
        *to++ = 'Z';
        return to;
    }

private:
    void set_day(std::int32_t days) {
        if (days == of_ && length_ != 0) return;
        const std::string text = format_date(days);
        of_ = days;
        length_ = text.size();
        std::memcpy(day_, text.data(), length_);
    }

    char day_[16] = {};
    std::size_t length_ = 0;
    std::int32_t of_ = 0;
};

}  // namespace edge::frame::detail
