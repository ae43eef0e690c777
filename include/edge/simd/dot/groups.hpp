// SPDX-License-Identifier: MIT
#pragma once

/// @file What integer products are made of: a few neighbouring bytes of one row times those of many columns, exact.
///
///     using product = edge::simd::byte_product<Arch>;
///     auto sums = product::sums::load_aligned(start);
///     sums = product::add(sums, product::broadcast(x + k), product::load(w + k * lanes));     // k += product::group
///
/// sums[c] += Σ_g x[g]·w[c][g], u8 × s8 over the full range of both, for `group` neighbours along k. Where the instruction
/// set multiplies four bytes at a time (AVX-VNNI, AVX-512 VNNI, Arm dot product) x is read as it lies; elsewhere x is
/// widened to int16 beforehand (`widen_row`) and pairs of int16 are multiplied, which is exact and half as fast.
/// Sources: Intel intrinsics guide (dpbusd, madd_epi16), Arm intrinsics reference (vdotq, vusdotq, vmlal_lane).

#include <edge/simd/widen.hpp>

#include <edge/core/shape.hpp>

namespace edge::simd {

namespace detail {

/// What the ways have in common: `Group` neighbours of x, read as `Left`; whether product and sum are one instruction.
template <class Left, int Group, bool Fused>
struct byte_group {
    using left = Left;
    static constexpr int group = Group;
    static constexpr int left_offset = 0;  ///< taken off each x: the sum lacks that much of the sum of weights
    static constexpr bool is_fused = Fused;

    /// Where the weight of a column and a neighbour lies within a register's bytes.
    static constexpr index_t place(index_t lane, index_t g) noexcept { return lane * Group + g; }
};

/// Four bytes of x, of which `count`, at most three, exist.
template <class Arch>
inline std::int32_t some_bytes(const std::uint8_t* x, int count) noexcept {
    std::int32_t bytes = 0;
    for (int i = 0; i < count; ++i) bytes |= std::int32_t{x[i]} << (i * 8);
    return bytes;
}

template <class Arch>
inline std::int32_t four_bytes(const void* x) noexcept {
    std::int32_t bytes;
    std::memcpy(&bytes, x, sizeof bytes);
    return bytes;
}

/// sum + x·w: of pairs of int16, exact, as no sum of two products of 9 and 8 bits leaves int32; of four bytes, where there
/// is an instruction for it.
#if defined(__SSE2__)
template <class Arch>
struct neighbours_128 {
    static __m128i pairs(__m128i sum, __m128i x, __m128i w) noexcept {
        return _mm_add_epi32(sum, _mm_madd_epi16(x, w));
    }
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    static __m128i quads(__m128i sum, __m128i x, __m128i w) noexcept { return _mm_dpbusd_epi32(sum, x, w); }
#elif defined(__AVXVNNI__)
    static __m128i quads(__m128i sum, __m128i x, __m128i w) noexcept { return _mm_dpbusd_avx_epi32(sum, x, w); }
#endif
};
#endif

#if defined(__AVX2__)
template <class Arch>
struct neighbours_256 {
    static __m256i pairs(__m256i sum, __m256i x, __m256i w) noexcept {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
    }
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    static __m256i quads(__m256i sum, __m256i x, __m256i w) noexcept { return _mm256_dpbusd_epi32(sum, x, w); }
#elif defined(__AVXVNNI__)
    static __m256i quads(__m256i sum, __m256i x, __m256i w) noexcept { return _mm256_dpbusd_avx_epi32(sum, x, w); }
#endif
};
#endif

#if defined(__AVX512BW__)
template <class Arch>
struct neighbours_512 {
    static __m512i pairs(__m512i sum, __m512i x, __m512i w) noexcept {
        return _mm512_add_epi32(sum, _mm512_madd_epi16(x, w));
    }
#if defined(__AVX512VNNI__)
    static __m512i quads(__m512i sum, __m512i x, __m512i w) noexcept { return _mm512_dpbusd_epi32(sum, x, w); }
#endif
};
#endif

}  // namespace detail

/// The fastest exact way of `Arch` with what the compiler was told of the machine. Without instructions for it, here: one
/// at a time, as int32.
template <class Arch>
struct byte_product : detail::byte_group<std::uint8_t, 1, false> {
    using sums = batch<std::int32_t, Arch>;
    static sums load(const std::int8_t* w) noexcept { return load_as_int<Arch>(w); }
    static sums broadcast(const std::uint8_t* x) noexcept { return sums(std::int32_t{*x}); }
    static sums add(const sums& s, const sums& x, const sums& w) noexcept { return s + x * w; }
};

#if defined(__SSE2__)
template <class Arch>
requires(detail::is_sse2<Arch> && !detail::is_avx<Arch>) struct byte_product<Arch>
    : detail::byte_group<std::int16_t, 2, false> {
    using sums = batch<std::int32_t, Arch>;
    static __m128i load(const std::int8_t* w) noexcept {
        const __m128i x = detail::load_8<Arch>(w);
        return _mm_srai_epi16(_mm_unpacklo_epi8(x, x), 8);
    }
    static __m128i broadcast(const std::int16_t* x) noexcept { return _mm_set1_epi32(detail::four_bytes<Arch>(x)); }
    static sums add(const sums& s, __m128i x, __m128i w) noexcept {
        return detail::neighbours_128<Arch>::pairs(s, x, w);
    }
};
#endif

#if defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))
template <class Arch>
requires detail::is_avx2<Arch>
struct byte_product<Arch> : detail::byte_group<std::uint8_t, 4, true> {
    using sums = batch<std::int32_t, Arch>;
    static __m256i load(const std::int8_t* w) noexcept {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
    }
    static __m256i broadcast(const std::uint8_t* x) noexcept { return _mm256_set1_epi32(detail::four_bytes<Arch>(x)); }
    static __m256i broadcast(const std::uint8_t* x, int count) noexcept {
        return _mm256_set1_epi32(detail::some_bytes<Arch>(x, count));
    }
    static sums add(const sums& s, __m256i x, __m256i w) noexcept {
        return detail::neighbours_256<Arch>::quads(s, x, w);
    }
};
#elif defined(__AVX2__)
template <class Arch>
requires detail::is_avx2<Arch>
struct byte_product<Arch> : detail::byte_group<std::int16_t, 2, false> {
    using sums = batch<std::int32_t, Arch>;
    static __m256i load(const std::int8_t* w) noexcept {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
    }
    static __m256i broadcast(const std::int16_t* x) noexcept { return _mm256_set1_epi32(detail::four_bytes<Arch>(x)); }
    static sums add(const sums& s, __m256i x, __m256i w) noexcept {
        return detail::neighbours_256<Arch>::pairs(s, x, w);
    }
};
#endif

#if defined(__AVX512VNNI__)
template <class Arch>
requires detail::is_avx512<Arch>
struct byte_product<Arch> : detail::byte_group<std::uint8_t, 4, true> {
    using sums = batch<std::int32_t, Arch>;
    static __m512i load(const std::int8_t* w) noexcept { return _mm512_loadu_si512(w); }
    static __m512i broadcast(const std::uint8_t* x) noexcept { return _mm512_set1_epi32(detail::four_bytes<Arch>(x)); }
    static __m512i broadcast(const std::uint8_t* x, int count) noexcept {
        return _mm512_set1_epi32(detail::some_bytes<Arch>(x, count));
    }
    static sums add(const sums& s, __m512i x, __m512i w) noexcept {
        return detail::neighbours_512<Arch>::quads(s, x, w);
    }
};
#elif defined(__AVX512BW__)
template <class Arch>
requires detail::is_avx512<Arch>
struct byte_product<Arch> : detail::byte_group<std::int16_t, 2, false> {
    using sums = batch<std::int32_t, Arch>;
    static __m512i load(const std::int8_t* w) noexcept {
        return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)));
    }
    static __m512i broadcast(const std::int16_t* x) noexcept { return _mm512_set1_epi32(detail::four_bytes<Arch>(x)); }
    static sums add(const sums& s, __m512i x, __m512i w) noexcept {
        return detail::neighbours_512<Arch>::pairs(s, x, w);
    }
};
#endif

#if defined(__aarch64__) && (defined(__ARM_FEATURE_MATMUL_INT8) || defined(__ARM_FEATURE_DOTPROD))
template <class Arch>
requires detail::is_neon64<Arch>
struct byte_product<Arch> : detail::byte_group<std::uint8_t, 4, true> {
    using sums = batch<std::int32_t, Arch>;
    static int8x16_t load(const std::int8_t* w) noexcept { return vld1q_s8(w); }
#if defined(__ARM_FEATURE_MATMUL_INT8)
    static uint8x16_t from(std::int32_t bytes) noexcept { return vreinterpretq_u8_s32(vdupq_n_s32(bytes)); }
    static sums add(const sums& s, uint8x16_t x, int8x16_t w) noexcept { return vusdotq_s32(s, x, w); }
#else
    // Products of s8 and s8 alone: x - 128, which has the same bits but the highest.
    static constexpr int left_offset = 128;
    static int8x16_t from(std::int32_t bytes) noexcept {
        return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_s32(vdupq_n_s32(bytes)), vdupq_n_u8(0x80)));
    }
    static sums add(const sums& s, int8x16_t x, int8x16_t w) noexcept { return vdotq_s32(s, x, w); }
#endif
    static auto broadcast(const std::uint8_t* x) noexcept { return from(detail::four_bytes<Arch>(x)); }
    static auto broadcast(const std::uint8_t* x, int count) noexcept {
        return from(detail::some_bytes<Arch>(x, count));
    }
};
#elif defined(__aarch64__)
template <class Arch>
requires detail::is_neon64<Arch>
struct byte_product<Arch> : detail::byte_group<std::int16_t, 2, true> {
    using sums = batch<std::int32_t, Arch>;
    static constexpr index_t place(index_t lane, index_t g) noexcept { return g * 4 + lane; }
    static int16x8_t load(const std::int8_t* w) noexcept { return vmovl_s8(vld1_s8(w)); }
    static int16x4_t broadcast(const std::int16_t* x) noexcept {
        return vreinterpret_s16_s32(vdup_n_s32(detail::four_bytes<Arch>(x)));
    }
    static sums add(const sums& s, int16x4_t x, int16x8_t w) noexcept {
        return vmlal_high_lane_s16(vmlal_lane_s16(s, vget_low_s16(w), x, 0), w, x, 1);
    }
};
#endif

}  // namespace edge::simd
