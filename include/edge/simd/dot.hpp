// SPDX-License-Identifier: MIT
#pragma once

/// @file Dot products of 8-bit integers, accumulated exactly in int32.
///
///     std::int32_t y = edge::simd::dot<Arch>(x, w, k);        // x uint8 or int8, w uint8 or int8
///
/// Exact means: no product and no pair of products saturates, as `pmaddubsw` does at full 8-bit range. The sum cannot
/// leave int32 for k up to 33025 (u8·u8), 65793 (u8·s8) or 131071 (s8·s8); beyond, it wraps modulo 2^32, on every
/// architecture alike. The widened form costs two unpacks for a multiply; it is the fast exact one below AVX-VNNI.

#include <edge/simd/widen.hpp>

#include <cstdint>

namespace edge::simd {

namespace detail {

/// The same in the fewest lines, and the remainder of the others.
template <class Arch, byte_integer A, byte_integer B>
[[nodiscard]] inline std::uint32_t dot_scalar(const A* a, const B* b, std::ptrdiff_t count) noexcept {
    std::uint32_t sum = 0;  // unsigned, so that it wraps
    for (std::ptrdiff_t i = 0; i < count; ++i)
        sum += static_cast<std::uint32_t>(std::int32_t{a[i]} * std::int32_t{b[i]});
    return sum;
}

template <class Arch, byte_integer A, byte_integer B>
[[nodiscard]] inline std::uint32_t dot_generic(const A* a, const B* b, std::ptrdiff_t count) noexcept {
    constexpr auto n = static_cast<std::ptrdiff_t>(lanes<std::int32_t, Arch>);
    batch<std::int32_t, Arch> sum(0);
    std::ptrdiff_t i = 0;
    for (; i + n <= count; i += n) sum += load_as_int<Arch>(a + i) * load_as_int<Arch>(b + i);
    return static_cast<std::uint32_t>(detail::reduce_add(sum)) + dot_scalar<Arch>(a + i, b + i, count - i);
}

#if defined(__SSE2__)
/// Eight bytes as int16.
template <class Arch, byte_integer T>
inline __m128i widen_8(const T* from) noexcept {
    const __m128i x = load_8<Arch>(from);
    if constexpr (std::is_signed_v<T>) {
        return _mm_srai_epi16(_mm_unpacklo_epi8(x, x), 8);
    } else {
        return _mm_unpacklo_epi8(x, _mm_setzero_si128());
    }
}

template <class Arch>
inline std::uint32_t sum_of_lanes(__m128i x) noexcept {
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, _MM_SHUFFLE(1, 0, 3, 2)));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, _MM_SHUFFLE(2, 3, 0, 1)));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(x));
}

template <class Arch, byte_integer A, byte_integer B>
[[nodiscard]] inline std::uint32_t dot_sse2(const A* a, const B* b, std::ptrdiff_t count) noexcept {
    __m128i s0 = _mm_setzero_si128();
    __m128i s1 = s0;
    const auto step = [&](__m128i& s, std::ptrdiff_t at) {
        s = _mm_add_epi32(s, _mm_madd_epi16(widen_8<Arch>(a + at), widen_8<Arch>(b + at)));
    };
    std::ptrdiff_t i = 0;
    for (; i + 16 <= count; i += 16) {
        step(s0, i);
        step(s1, i + 8);
    }
    for (; i + 8 <= count; i += 8) step(s0, i);
    return sum_of_lanes<Arch>(_mm_add_epi32(s0, s1)) + dot_scalar<Arch>(a + i, b + i, count - i);
}
#endif

#if defined(__AVX2__)
template <class Arch, byte_integer T>
inline __m256i widen_16(const T* from) noexcept {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return std::is_signed_v<T> ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x);
}

template <class Arch, byte_integer A, byte_integer B>
[[nodiscard]] inline std::uint32_t dot_avx2(const A* a, const B* b, std::ptrdiff_t count) noexcept {
    // Four sums, since a multiply-add takes five cycles and two start in each.
    __m256i s0 = _mm256_setzero_si256();
    __m256i s1 = s0;
    __m256i s2 = s0;
    __m256i s3 = s0;
    const auto step = [&](__m256i& s, std::ptrdiff_t at) {
        s = _mm256_add_epi32(s, _mm256_madd_epi16(widen_16<Arch>(a + at), widen_16<Arch>(b + at)));
    };
    std::ptrdiff_t i = 0;
    for (; i + 64 <= count; i += 64) {
        step(s0, i);
        step(s1, i + 16);
        step(s2, i + 32);
        step(s3, i + 48);
    }
    for (; i + 16 <= count; i += 16) step(s0, i);
    const __m256i all = _mm256_add_epi32(_mm256_add_epi32(s0, s1), _mm256_add_epi32(s2, s3));
    const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    return sum_of_lanes<Arch>(half) + dot_scalar<Arch>(a + i, b + i, count - i);
}
#endif

#if defined(__aarch64__)
template <class Arch, byte_integer T>
inline int16x8_t widen_8(const T* from) noexcept {
    if constexpr (std::is_signed_v<T>) {
        return vmovl_s8(vld1_s8(from));
    } else {
        return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from)));
    }
}

template <class Arch, byte_integer A, byte_integer B>
[[nodiscard]] inline std::uint32_t dot_neon64(const A* a, const B* b, std::ptrdiff_t count) noexcept {
    int32x4_t s0 = vdupq_n_s32(0);
    int32x4_t s1 = s0;
    std::ptrdiff_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const int16x8_t x = widen_8<Arch>(a + i);
        const int16x8_t y = widen_8<Arch>(b + i);
        s0 = vmlal_s16(s0, vget_low_s16(x), vget_low_s16(y));
        s1 = vmlal_high_s16(s1, x, y);
    }
    return static_cast<std::uint32_t>(vaddvq_s32(vaddq_s32(s0, s1))) + dot_scalar<Arch>(a + i, b + i, count - i);
}
#endif

}  // namespace detail

/// Σ a[i]·b[i] in exact int32 arithmetic. Any alignment; count may be 0. Two widening loads and one multiply-add for
/// every 16 products with AVX2, so the loads are the limit while both operands are in cache.
template <class Arch, byte_integer A, byte_integer B>
[[nodiscard]] inline std::int32_t dot(const A* a, const B* b, std::ptrdiff_t count) noexcept {
#if defined(__AVX2__)
    if constexpr (detail::is_avx2<Arch> || detail::is_avx512<Arch>)
        return static_cast<std::int32_t>(detail::dot_avx2<Arch>(a, b, count));
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch> || detail::is_avx<Arch>)
        return static_cast<std::int32_t>(detail::dot_sse2<Arch>(a, b, count));
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) return static_cast<std::int32_t>(detail::dot_neon64<Arch>(a, b, count));
#endif
    return static_cast<std::int32_t>(detail::dot_generic<Arch>(a, b, count));
}

}  // namespace edge::simd
