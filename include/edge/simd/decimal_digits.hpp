// SPDX-License-Identifier: MIT
#pragma once

/// @file Characters that are digits to the number they are, sixteen at a time.
///
///     const auto x = edge::simd::read_decimal<Arch>(end, n);    // the n characters before end, as "12.345678"
///     if (x.valid) value = x.digits / power_of_ten[x.places];
///
/// All sixteen are looked at for numbers of any length, so nothing is guessed: columns of numbers of one digit more or
/// less take no longer. A point is found by comparing, and taken out by one shuffle. Without instructions for it, digits
/// are words of eight. Sources: Mula 2014, "SSE: conversion integers to decimal representation"; Lemire 2022, "Parsing
/// series of integers with SIMD"; Intel intrinsics guide (maddubs_epi16), Arm intrinsics reference (vqtbl1q_u8).

#include <edge/simd/byte_bits.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace edge::simd {

/// Digits of which one or none is followed by a point: digits / 10^places, with a point if `has_point`.
struct decimal_digits {
    std::uint64_t digits;
    int places;  ///< 0 to 15
    bool has_point;
    bool valid;  ///< whether the characters are such a number and nothing else
};

/// Digits as their values, the first one lowest, to the number they are.
[[nodiscard]] constexpr std::uint64_t eight_digits(std::uint64_t d) noexcept {
    d = d * 10 + (d >> 8);
    constexpr std::uint64_t pairs = 0x000000FF000000FFU;
    return (((d & pairs) * 0x000F424000000064U) + ((d >> 16 & pairs) * 0x0000271000000001U)) >> 32 & 0xFFFFFFFFU;
}

/// Not 0 where a byte is no value of a digit.
[[nodiscard]] constexpr std::uint64_t not_digits(std::uint64_t d) noexcept {
    return ((d + 0x7676767676767676U) | d) & 0x8080808080808080U;
}

namespace detail {

template <class Arch>
inline constexpr bool shuffles_bytes = std::is_base_of_v<xsimd::ssse3, Arch> || is_avx<Arch> || is_avx512<Arch>;

/// The last `n` of eight characters as the values of digits, 0 before them.
/// @param n  1 to 8
[[nodiscard]] inline std::uint64_t last_digits(const char* end, std::size_t n) noexcept {
    return (load_word(end - 8) ^ 0x3030303030303030U) & ~std::uint64_t{0} << (64 - 8 * n);
}

/// The last point among the values of digits, as the high bit of its byte; 0 for none.
[[nodiscard]] constexpr std::uint64_t point_of(std::uint64_t d) noexcept {
    const std::uint64_t at = zero_bytes(d ^ 0x1E1E1E1E1E1E1E1EU);
    return at & (~at + 1);
}

/// Takes the byte of a point out; those before it move up, and `in` becomes the first one.
[[nodiscard]] constexpr std::uint64_t without_point(std::uint64_t d, std::uint64_t point, std::uint64_t in) noexcept {
    const std::uint64_t before = (point >> 7) - 1;
    const std::uint64_t after = ~((point >> 7 << 8) - 1);
    return point != 0 ? (d & after) | (d & before) << 8 | in : d;
}

/// How many of eight bytes follow that of a point.
[[nodiscard]] constexpr int places_after(std::uint64_t point) noexcept { return (63 - std::countr_zero(point)) >> 3; }

/// What moves the bytes before a point up by one, by the number of bytes after it; the last row leaves all as they are.
struct point_shuffles {
    alignas(16) std::uint8_t rows[17][16];
};
[[nodiscard]] constexpr point_shuffles make_point_shuffles() noexcept {
    point_shuffles s{};
    for (int after = 0; after <= 16; ++after)
        for (int i = 0; i < 16; ++i)
            s.rows[after][i] = static_cast<std::uint8_t>(after == 16 || i + after > 15 ? i : i == 0 ? 128 : i - 1);
    return s;
}
inline constexpr point_shuffles without_point_after = make_point_shuffles();

/// Sixteen bytes from `last_bytes + n` on are zeros and then n times 255.
inline constexpr std::array<std::uint8_t, 32> last_bytes = [] {
    std::array<std::uint8_t, 32> bytes{};
    for (std::size_t i = 16; i < bytes.size(); ++i) bytes[i] = 255;
    return bytes;
}();

/// 16 bytes that are the same four again and again, in memory: compilers make such a constant anew each time it is used.
template <int a, int b = a, int c = a, int d = b>
struct repeated_bytes {
    alignas(16) static constexpr std::uint8_t bytes[16] = {a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d};
};

}  // namespace detail

/// The number that the `n` characters before `end` are.
/// @param n  1 to 16; but 16 characters before `end` are read
template <class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE decimal_digits read_decimal(const char* end, std::size_t n) noexcept {
    using namespace detail;
#if defined(__SSSE3__)
    if constexpr (shuffles_bytes<Arch>) {
        const auto all = []<class Four>(Four) { return _mm_load_si128(reinterpret_cast<const __m128i*>(Four::bytes)); };
        const auto load = [](const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); };
        __m128i x = _mm_xor_si128(load(end - 16), all(repeated_bytes<'0'>{}));
        x = _mm_and_si128(x, load(last_bytes.data() + n));
        const auto points =
            static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(x, all(repeated_bytes<'.' ^ '0'>{}))));
        const int after = std::countl_zero(points << 16 | 0x8000);  // 16 for no point
        x = _mm_shuffle_epi8(x, load(without_point_after.rows[after]));
        const int bad = _mm_movemask_epi8(_mm_adds_epu8(x, all(repeated_bytes<0x76>{})));
        x = _mm_maddubs_epi16(x, all(repeated_bytes<10, 1>{}));
        x = _mm_madd_epi16(x, all(repeated_bytes<100, 0, 1, 0>{}));
        x = _mm_packs_epi32(x, x);
        x = _mm_madd_epi16(x, all(repeated_bytes<10'000 & 255, 10'000 / 256, 1, 0>{}));
        const auto halves = static_cast<std::uint64_t>(_mm_cvtsi128_si64(x));
        return {(halves & 0xFFFFFFFFU) * 100'000'000 + (halves >> 32), after & 15, after != 16,
                bad == 0 && n + static_cast<std::size_t>(after) > 1};
    }
#elif defined(__aarch64__)
    if constexpr (is_neon64<Arch>) {
        const auto load = [](const void* p) { return vld1q_u8(static_cast<const std::uint8_t*>(p)); };
        uint8x16_t x = veorq_u8(load(end - 16), vdupq_n_u8('0'));
        x = vandq_u8(x, load(last_bytes.data() + n));
        const uint16x8_t points = vreinterpretq_u16_u8(vceqq_u8(x, vdupq_n_u8('.' ^ '0')));
        const int after = std::countl_zero(vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(points, 4)), 0)) / 4;
        x = vqtbl1q_u8(x, load(without_point_after.rows[after]));
        const bool all_digits = vmaxvq_u8(x) <= 9;
        const uint8x16_t tens = vuzp1q_u8(x, x);
        const uint16x8_t pairs = vmlal_u8(vmovl_u8(vget_low_u8(vuzp2q_u8(x, x))), vget_low_u8(tens), vdup_n_u8(10));
        const uint16x8_t hundreds = vuzp1q_u16(pairs, pairs);
        const uint32x4_t quads =
            vmlal_u16(vmovl_u16(vget_low_u16(vuzp2q_u16(pairs, pairs))), vget_low_u16(hundreds), vdup_n_u16(100));
        const uint32x4_t upper = vuzp1q_u32(quads, quads);
        const uint64x2_t halves =
            vmlal_u32(vmovl_u32(vget_low_u32(vuzp2q_u32(quads, quads))), vget_low_u32(upper), vdup_n_u32(10'000));
        return {vgetq_lane_u64(halves, 0) * 100'000'000 + vgetq_lane_u64(halves, 1), after & 15, after != 16,
                all_digits && n + static_cast<std::size_t>(after) > 1};
    }
#endif
    std::uint64_t low = last_digits(end, n < 8 ? n : 8);
    const std::uint64_t in_low = point_of(low);
    if (n <= 8) {
        const bool has_point = in_low != 0;
        low = without_point(low, in_low, 0);
        return {eight_digits(low), has_point ? places_after(in_low) : 0, has_point,
                not_digits(low) == 0 && n > has_point};
    }
    std::uint64_t high = last_digits(end - 8, n - 8);
    const std::uint64_t in_high = in_low != 0 ? 0 : point_of(high);
    low = without_point(low, in_low, high >> 56);
    high = in_low != 0 ? high << 8 : without_point(high, in_high, 0);
    return {eight_digits(high) * 100'000'000 + eight_digits(low),
            in_low != 0    ? places_after(in_low)
            : in_high != 0 ? 8 + places_after(in_high)
                           : 0,
            (in_low | in_high) != 0, (not_digits(low) | not_digits(high)) == 0};
}

}  // namespace edge::simd
