// SPDX-License-Identifier: MIT
#pragma once

/// @file Bytes to lanes and back: 8-bit integers as int32 or float, and rounded and saturated down again.
///
///     auto x = edge::simd::load_as_float<Arch>(q);            // lanes<float, Arch> bytes, signed or unsigned
///     x = (x - zero_point) * scale;
///     edge::simd::store_saturated(x / step, out);             // half to even, saturated, NaN to the lowest value
///
/// The generic path works on every architecture and gives the same bits; xsimd's own conversions take 25 instructions
/// and more for what is two here, and truncate without saturating. Sources: Intel intrinsics guide (cvtepi8_epi32,
/// cvtps_epi32, packs_epi32), Arm intrinsics reference (vmovl, vcvtnq, vqmovn).

#include <edge/simd/detail/xsimd_compat.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace edge::simd {

/// An 8-bit integer, signed or not; plain char is not one.
template <class T>
concept byte_integer = std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t>;

namespace detail {

template <class Arch>
inline constexpr bool is_sse2 = std::is_base_of_v<xsimd::sse2, Arch>;
template <class Arch>
inline constexpr bool is_avx = std::is_base_of_v<xsimd::avx, Arch>;
template <class Arch>
inline constexpr bool is_avx2 = std::is_base_of_v<xsimd::avx2, Arch>;
template <class Arch>
inline constexpr bool is_avx512 = std::is_base_of_v<xsimd::avx512f, Arch>;
template <class Arch>
inline constexpr bool is_neon64 = std::is_base_of_v<xsimd::neon64, Arch>;

#if defined(__SSE2__)
// Each takes the architecture, though it is not used: builds for several of them must not share one of these.

/// Four bytes, in the low part of a register that is zero above them.
template <class Arch, byte_integer T>
inline __m128i load_4(const T* from) noexcept {
    std::int32_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

template <class Arch, byte_integer T>
inline __m128i load_8(const T* from) noexcept {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
}

/// The low four bytes as int32.
template <class Arch, byte_integer T>
inline __m128i widen_4(__m128i x) noexcept {
#if defined(__SSE4_1__)
    return std::is_signed_v<T> ? _mm_cvtepi8_epi32(x) : _mm_cvtepu8_epi32(x);
#else
    if constexpr (std::is_signed_v<T>) {
        const __m128i pairs = _mm_unpacklo_epi8(x, x);
        return _mm_srai_epi32(_mm_unpacklo_epi16(pairs, pairs), 24);
    } else {
        const __m128i zero = _mm_setzero_si128();
        return _mm_unpacklo_epi16(_mm_unpacklo_epi8(x, zero), zero);
    }
#endif
}

/// Sixteen int16 as saturated bytes.
template <class Arch, byte_integer T>
inline __m128i narrow_16(__m128i low, __m128i high) noexcept {
    return std::is_signed_v<T> ? _mm_packs_epi16(low, high) : _mm_packus_epi16(low, high);
}
#endif

}  // namespace detail

/// lanes<int32, Arch> bytes from any address, as int32.
template <class Arch, byte_integer T>
[[nodiscard]] inline batch<std::int32_t, Arch> load_as_int(const T* from) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return std::is_signed_v<T> ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x);
    }
#endif
#if defined(__AVX2__)
    if constexpr (detail::is_avx2<Arch>) {
        const __m128i x = detail::load_8<Arch>(from);
        return std::is_signed_v<T> ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x);
    }
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>) {
        const __m128i low = detail::widen_4<Arch, T>(detail::load_4<Arch>(from));
        const __m128i high = detail::widen_4<Arch, T>(detail::load_4<Arch>(from + 4));
        return _mm256_insertf128_si256(_mm256_castsi128_si256(low), high, 1);
    }
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) {
        return detail::widen_4<Arch, T>(detail::load_4<Arch>(from));
    }
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) {
        std::uint32_t bytes;
        std::memcpy(&bytes, from, sizeof bytes);
        const uint8x8_t x = vreinterpret_u8_u32(vdup_n_u32(bytes));
        if constexpr (std::is_signed_v<T>) {
            return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(x))));
        } else {
            return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(x))));
        }
    }
#endif
    alignas(alignment) std::int32_t wide[lanes<std::int32_t, Arch>];
    for (std::size_t i = 0; i < lanes<std::int32_t, Arch>; ++i) wide[i] = from[i];
    return batch<std::int32_t, Arch>::load_aligned(wide);
}

/// lanes<float, Arch> bytes from any address, as float; exact.
template <class Arch, byte_integer T>
[[nodiscard]] inline batch<float, Arch> load_as_float(const T* from) noexcept {
    return xsimd::to_float(load_as_int<Arch>(from));
}

/// To the nearest integer, half to even; x must be inside the range of int32.
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> round_to_int(const batch<float, Arch>& x) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>) {
        return _mm512_cvtps_epi32(x);
    }
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>) {
        return _mm256_cvtps_epi32(x);
    }
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) {
        return _mm_cvtps_epi32(x);
    }
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) {
        return vcvtnq_s32_f32(x);
    }
#endif
    return xsimd::nearbyint_as_int(x);
}

/// lanes<int32, Arch> values as bytes at any address, saturated.
template <class Arch, byte_integer T>
inline void store_saturated(const batch<std::int32_t, Arch>& x, T* to) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>) {
        const __m128i bytes = std::is_signed_v<T> ? _mm512_cvtsepi32_epi8(x)
                                                  : _mm512_cvtusepi32_epi8(_mm512_max_epi32(x, _mm512_setzero_si512()));
        return _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    }
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>) {
        const __m256i all = x;
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extractf128_si256(all, 1));
        return _mm_storel_epi64(reinterpret_cast<__m128i*>(to), detail::narrow_16<Arch, T>(words, words));
    }
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) {
        const __m128i words = _mm_packs_epi32(x, x);
        const std::int32_t bytes = _mm_cvtsi128_si32(detail::narrow_16<Arch, T>(words, words));
        std::memcpy(to, &bytes, sizeof bytes);
        return;
    }
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) {
        const int16x4_t half = vqmovn_s32(x);
        const int16x8_t words = vcombine_s16(half, half);
        std::uint32_t bytes;
        if constexpr (std::is_signed_v<T>) {
            bytes = vget_lane_u32(vreinterpret_u32_s8(vqmovn_s16(words)), 0);
        } else {
            bytes = vget_lane_u32(vreinterpret_u32_u8(vqmovun_s16(words)), 0);
        }
        std::memcpy(to, &bytes, sizeof bytes);
        return;
    }
#endif
    alignas(alignment) std::int32_t wide[lanes<std::int32_t, Arch>];
    x.store_aligned(wide);
    constexpr std::int32_t lowest = (std::numeric_limits<T>::min)();
    constexpr std::int32_t highest = (std::numeric_limits<T>::max)();
    for (std::size_t i = 0; i < lanes<std::int32_t, Arch>; ++i)
        to[i] = static_cast<T>(wide[i] < lowest ? lowest : wide[i] > highest ? highest : wide[i]);
}

/// lanes<float, Arch> values as bytes at any address: to the nearest, half to even, saturated; NaN gives the lowest.
template <class Arch, byte_integer T>
inline void store_saturated(const batch<float, Arch>& x, T* to) noexcept {
    // In float first: a conversion of what int32 does not hold differs between instruction sets. NaN fails `>`.
    const batch<float, Arch> lowest(static_cast<float>((std::numeric_limits<T>::min)()));
    const batch<float, Arch> highest(static_cast<float>((std::numeric_limits<T>::max)()));
    const batch<float, Arch> above = xsimd::select(x > lowest, x, lowest);
    store_saturated<Arch>(round_to_int(xsimd::select(above < highest, above, highest)), to);
}

/// Bytes as int16, from and to any address.
template <class Arch>
inline void widen_row(const std::uint8_t* from, std::int16_t* to, std::ptrdiff_t count) noexcept {
    std::ptrdiff_t i = 0;
    // The last few of many are done with some of those before them once more.
    const auto in_steps_of = [&](std::ptrdiff_t n, auto&& widen) {
        if (count < n) return;
        for (; i + n <= count; i += n) widen(from + i, to + i);
        if (i < count) widen(from + count - n, to + count - n);
        i = count;
    };
#if defined(__AVX2__)
    if constexpr (detail::is_avx2<Arch> || detail::is_avx512<Arch>)
        in_steps_of(16, [](const std::uint8_t* x, std::int16_t* y) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm256_cvtepu8_epi16(bytes));
        });
#endif
#if defined(__SSE2__)
    in_steps_of(8, [](const std::uint8_t* x, std::int16_t* y) {
        const __m128i bytes = detail::load_8<Arch>(x);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm_unpacklo_epi8(bytes, _mm_setzero_si128()));
    });
#endif
#if defined(__aarch64__)
    in_steps_of(
        8, [](const std::uint8_t* x, std::int16_t* y) { vst1q_s16(y, vreinterpretq_s16_u16(vmovl_u8(vld1_u8(x)))); });
#endif
    for (; i < count; ++i) to[i] = from[i];
}

/// 4·lanes int32, saturated to int16, each plus `zero_point`, as bytes held in [low, high], in the order a, b, c, d.
/// @tparam plain  whether the zero point is 0 and all bytes are in the range
template <class Arch, bool plain>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<std::uint8_t, Arch> narrowed(
    const batch<std::int32_t, Arch>& a, const batch<std::int32_t, Arch>& b, const batch<std::int32_t, Arch>& c,
    const batch<std::int32_t, Arch>& d, std::int16_t zero_point, std::uint8_t low, std::uint8_t high) noexcept {
#if defined(__AVX512BW__)
    if constexpr (detail::is_avx512<Arch>) {
        __m512i ab = _mm512_packs_epi32(a, b);
        __m512i cd = _mm512_packs_epi32(c, d);
        if constexpr (!plain) {
            ab = _mm512_adds_epi16(ab, _mm512_set1_epi16(zero_point));
            cd = _mm512_adds_epi16(cd, _mm512_set1_epi16(zero_point));
        }
        const __m512i parts = _mm512_packus_epi16(ab, cd);  // quarters of a, b, c, d in each 128 bits
        const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        const __m512i all = _mm512_permutexvar_epi32(order, parts);
        if constexpr (plain) return all;
        const __m512i raised = _mm512_max_epu8(all, _mm512_set1_epi8(static_cast<char>(low)));
        return _mm512_min_epu8(raised, _mm512_set1_epi8(static_cast<char>(high)));
    }
#endif
#if defined(__AVX2__)
    if constexpr (detail::is_avx2<Arch>) {
        __m256i ab = _mm256_packs_epi32(a, b);
        __m256i cd = _mm256_packs_epi32(c, d);
        if constexpr (!plain) {
            ab = _mm256_adds_epi16(ab, _mm256_set1_epi16(zero_point));
            cd = _mm256_adds_epi16(cd, _mm256_set1_epi16(zero_point));
        }
        const __m256i parts = _mm256_packus_epi16(ab, cd);
        const __m256i all = _mm256_permutevar8x32_epi32(parts, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        if constexpr (plain) return all;
        const __m256i raised = _mm256_max_epu8(all, _mm256_set1_epi8(static_cast<char>(low)));
        return _mm256_min_epu8(raised, _mm256_set1_epi8(static_cast<char>(high)));
    }
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch> && !detail::is_avx<Arch>) {
        const __m128i zero = _mm_set1_epi16(zero_point);
        const __m128i ab = _mm_adds_epi16(_mm_packs_epi32(a, b), zero);
        const __m128i cd = _mm_adds_epi16(_mm_packs_epi32(c, d), zero);
        const __m128i raised = _mm_max_epu8(_mm_packus_epi16(ab, cd), _mm_set1_epi8(static_cast<char>(low)));
        return _mm_min_epu8(raised, _mm_set1_epi8(static_cast<char>(high)));
    }
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) {
        const int16x8_t zero = vdupq_n_s16(zero_point);
        const int16x8_t ab = vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), zero);
        const int16x8_t cd = vqaddq_s16(vcombine_s16(vqmovn_s32(c), vqmovn_s32(d)), zero);
        const uint8x16_t all = vcombine_u8(vqmovun_s16(ab), vqmovun_s16(cd));
        return vminq_u8(vmaxq_u8(all, vdupq_n_u8(low)), vdupq_n_u8(high));
    }
#endif
    constexpr auto n = static_cast<std::ptrdiff_t>(lanes<std::int32_t, Arch>);
    alignas(alignment) std::int32_t wide[4 * n];
    alignas(alignment) std::uint8_t bytes[4 * n];
    a.store_aligned(wide);
    b.store_aligned(wide + n);
    c.store_aligned(wide + 2 * n);
    d.store_aligned(wide + 3 * n);
    for (std::ptrdiff_t i = 0; i < 4 * n; ++i) {
        const std::int32_t held = wide[i] < -32768 ? -32768 : wide[i] > 32767 ? 32767 : wide[i];
        const std::int32_t sum = held + zero_point;
        bytes[i] = static_cast<std::uint8_t>(sum < low ? low : sum > high ? high : sum);
    }
    return batch<std::uint8_t, Arch>::load_aligned(bytes);
}

/// The parts of a register of bytes, 1, 2 or 4 of them, each to a row of its own.
template <class Arch, int parts>
EDGE_ALWAYS_INLINE void store_parts(const batch<std::uint8_t, Arch>& x, std::uint8_t* to,
                                    std::ptrdiff_t row_step) noexcept {
    if constexpr (parts == 1) return x.store_unaligned(to);
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch> && parts == 2) {
        const auto row = [&](int i) { return reinterpret_cast<__m256i*>(to + i * row_step); };
        _mm256_storeu_si256(row(0), _mm512_castsi512_si256(x));
        return _mm256_storeu_si256(row(1), _mm512_extracti64x4_epi64(x, 1));
    }
    if constexpr (detail::is_avx512<Arch> && parts == 4) {
        const auto row = [&](int i) { return reinterpret_cast<__m128i*>(to + i * row_step); };
        _mm_storeu_si128(row(0), _mm512_castsi512_si128(x));
        _mm_storeu_si128(row(1), _mm512_extracti32x4_epi32(x, 1));
        _mm_storeu_si128(row(2), _mm512_extracti32x4_epi32(x, 2));
        return _mm_storeu_si128(row(3), _mm512_extracti32x4_epi32(x, 3));
    }
#endif
#if defined(__AVX2__)
    if constexpr (detail::is_avx2<Arch> && parts == 2) {
        const auto row = [&](int i) { return reinterpret_cast<__m128i*>(to + i * row_step); };
        _mm_storeu_si128(row(0), _mm256_castsi256_si128(x));
        return _mm_storeu_si128(row(1), _mm256_extracti128_si256(x, 1));
    }
    if constexpr (detail::is_avx2<Arch> && parts == 4) {
        const __m128i low = _mm256_castsi256_si128(x);
        const __m128i high = _mm256_extracti128_si256(x, 1);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), low);
        _mm_storeh_pi(reinterpret_cast<__m64*>(to + row_step), _mm_castsi128_ps(low));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 2 * row_step), high);
        return _mm_storeh_pi(reinterpret_cast<__m64*>(to + 3 * row_step), _mm_castsi128_ps(high));
    }
#endif
    constexpr std::size_t each = lanes<std::uint8_t, Arch> / static_cast<std::size_t>(parts);
    alignas(alignment) std::uint8_t bytes[parts * each];
    x.store_aligned(bytes);
    for (int i = 0; i < parts; ++i) std::memcpy(to + i * row_step, bytes + static_cast<std::size_t>(i) * each, each);
}

}  // namespace edge::simd
