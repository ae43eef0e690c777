// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbers as text, read exactly: the same bits as std::from_chars, several times as fast for what tables hold.
///
///     double x;
///     if (!read_short_decimal(begin, end, x)) …        // not a plain number of 19 digits at most: ask parse_number
///     auto y = parse_number<float>(" +1.5e3 ");        // any text
///
/// Digits come sixteen at a time, so that numbers of any length up to that take no branch that depends on it. Sources:
/// Clinger 1990, "How to read floating point numbers accurately" (an integer below 2^53 divided by a power of ten up to
/// 10^22 is rounded once); Lemire 2021, "Number parsing at a gigabyte per second" (more digits, by a truncated 128-bit
/// reciprocal of the power of five).

#include <edge/frame/csv_options.hpp>
#include <edge/simd/decimal_digits.hpp>

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace edge::frame::detail {

/// What the fast readers may look at before the end of a text.
inline constexpr std::ptrdiff_t decimal_reach = 32;

/// A sign and at most 19 digits, of which one or none is followed by a point: value = ±digits / 10^places.
struct short_decimal {
    std::uint64_t digits;
    int places;
    bool negative;
};

/// More characters than a register holds.
/// @param n  more than 16
template <class Arch>
[[nodiscard]] EDGE_NEVER_INLINE simd::decimal_digits read_long_decimal(const char* end, std::size_t n) noexcept {
    if (n > 20) return {};
    const simd::decimal_digits first = simd::read_decimal<Arch>(end - 16, n - 16);
    const simd::decimal_digits last = simd::read_decimal<Arch>(end, 16);
    const bool has_point = first.has_point || last.has_point;
    return {first.digits * (last.has_point ? 1'000'000'000'000'000 : 10'000'000'000'000'000) + last.digits,
            first.has_point ? 16 + first.places : last.places, has_point,
            first.valid && last.valid && !(first.has_point && last.has_point) && (n < 20 || has_point)};
}

/// @param begin, end  not empty; the `decimal_reach` bytes before `end` can be read
/// @return  whether the text is such a number and nothing else
template <bool with_point, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE bool read_digits(const char* begin, const char* end, short_decimal& number) noexcept {
    number.negative = *begin == '-';
    const auto n = static_cast<std::size_t>(end - begin) - number.negative;
    if (n == 0) return false;
    const simd::decimal_digits read = n <= 16 ? simd::read_decimal<Arch>(end, n) : read_long_decimal<Arch>(end, n);
    number.digits = read.digits;
    number.places = read.places;
    return read.valid && (with_point || !read.has_point);
}

/// The upper and lower half of a product.
struct product_128 {
    std::uint64_t high, low;
};
[[nodiscard]] constexpr product_128 multiply_wide(std::uint64_t a, std::uint64_t b) noexcept {
#if defined(__SIZEOF_INT128__)
    __extension__ using wide = unsigned __int128;
    const wide p = static_cast<wide>(a) * b;
    return {static_cast<std::uint64_t>(p >> 64), static_cast<std::uint64_t>(p)};
#else
    const std::uint64_t a0 = a & 0xFFFFFFFFU, a1 = a >> 32, b0 = b & 0xFFFFFFFFU, b1 = b >> 32;
    const std::uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    const std::uint64_t other = a0 * b1 + (middle & 0xFFFFFFFFU);
    return {a1 * b1 + (middle >> 32) + (other >> 32), a * b};
#endif
}

inline constexpr std::array<double, 23> powers_of_ten{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// 128 bits of 5^-q for q of 0 to 27, the highest one set, rounded up where it is no power of two.
struct reciprocal_of_five {
    std::uint64_t high, low;
};
[[nodiscard]] constexpr std::array<reciprocal_of_five, 28> reciprocals_of_five() noexcept {
    std::array<reciprocal_of_five, 28> table{};
    table[0] = {std::uint64_t{1} << 63, 0};
    std::uint64_t five = 1;
    for (std::size_t q = 1; q < table.size(); ++q) {
        five *= 5;
        // 2^(z + 127) / 5^q, where 2^z is the next power of two: 128 bits of quotient, one at a time.
        const int z = static_cast<int>(std::bit_width(five));
        reciprocal_of_five r{0, 0};
        std::uint64_t rest = 1;  // below 5^q < 2^63
        for (int bit = 0; bit < z + 127; ++bit) {
            rest <<= 1;
            r.high = r.high << 1 | r.low >> 63;
            r.low <<= 1;
            if (rest >= five) {
                rest -= five;
                r.low |= 1;
            }
        }
        if (++r.low == 0) ++r.high;
        table[q] = r;
    }
    return table;
}
inline constexpr std::array<reciprocal_of_five, 28> fives = reciprocals_of_five();

/// digits / 10^places, rounded to the nearest double, half to even, for any digits but 0 and places of 0 to 27.
[[nodiscard]] EDGE_NEVER_INLINE inline double divide_long(std::uint64_t digits, int places) noexcept {
    const int zeros = std::countl_zero(digits);
    const std::uint64_t w = digits << zeros;
    const reciprocal_of_five& five = fives[static_cast<std::size_t>(places)];
    product_128 p = multiply_wide(w, five.high);
    if ((p.high & 0x1FF) == 0x1FF) {  // the bits below may carry into those that count
        const product_128 more = multiply_wide(w, five.low);
        p.low += more.high;
        if (more.high > p.low) ++p.high;
    }
    const int upper = static_cast<int>(p.high >> 63);
    std::uint64_t mantissa = p.high >> (upper + 9);
    // log2(5) of Lemire 2021, section 8; no power of ten here makes an exponent that is not normal.
    int exponent = ((217706 * -places) >> 16) + 63 + upper - zeros + 1023;
    if (p.low <= 1 && places <= 4 && (mantissa & 3) == 1 && mantissa << (upper + 9) == p.high)
        mantissa &= ~std::uint64_t{1};
    mantissa += mantissa & 1;
    mantissa >>= 1;
    if (mantissa >= std::uint64_t{1} << 53) {
        mantissa = std::uint64_t{1} << 52;
        ++exponent;
    }
    mantissa &= ~(std::uint64_t{1} << 52);
    return std::bit_cast<double>(mantissa | static_cast<std::uint64_t>(exponent) << 52);
}

template <class Arch = xsimd::default_arch>
[[nodiscard]] EDGE_ALWAYS_INLINE bool read_short_decimal(const char* begin, const char* end, double& value) noexcept {
    short_decimal number;
    if (!read_digits<true, Arch>(begin, end, number)) return false;
    const double x = number.digits <= std::uint64_t{1} << 53
                         ? static_cast<double>(static_cast<std::int64_t>(number.digits)) /
                               powers_of_ten[static_cast<std::size_t>(number.places)]
                         : divide_long(number.digits, number.places);
    value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) | std::uint64_t{number.negative} << 63);
    return true;
}

/// The nearest float. A double that is no midpoint of two floats is on the same side of it as the number itself.
template <class Arch = xsimd::default_arch>
[[nodiscard]] inline bool read_short_decimal(const char* begin, const char* end, float& value) noexcept {
    double wide = 0;
    if (!read_short_decimal<Arch>(begin, end, wide)) return false;
    constexpr std::uint64_t below = (std::uint64_t{1} << 29) - 1;  // bits that a float lacks
    const double magnitude = wide < 0 ? -wide : wide;
    if ((std::bit_cast<std::uint64_t>(wide) & below) == (below + 1) / 2 ||
        (magnitude < 1e-37 && magnitude != 0))  // where floats have fewer bits
        return false;
    value = static_cast<float>(wide);
    return true;
}

template <class Arch = xsimd::default_arch, class T>
requires std::is_integral_v<T>
[[nodiscard]] inline bool read_short_decimal(const char* begin, const char* end, T& value) noexcept {
    short_decimal number;
    if (!read_digits<false, Arch>(begin, end, number)) return false;
    constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<T>::max)());
    if ((std::is_unsigned_v<T> && number.negative) || number.digits > most + number.negative) return false;
    const std::uint64_t sign = std::uint64_t{0} - number.negative;  // no branch: half of the numbers may have one
    value = static_cast<T>((number.digits ^ sign) - sign);
    return true;
}

/// A number that is the whole text but for blanks around it and a plus sign. "nan" and "inf" are floats.
template <stored T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) noexcept {
    text = trim(text);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
    if (text.empty() || text.back() == ')') return std::nullopt;  // from_chars also takes "nan(...)"
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// true or false, in lower case, in upper case, or with a capital.
[[nodiscard]] inline std::optional<bool> parse_boolean(std::string_view text) noexcept {
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return std::nullopt;
}

}  // namespace edge::frame::detail
