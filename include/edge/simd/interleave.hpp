// SPDX-License-Identifier: MIT
#pragma once

/// @file Registers of bytes as four registers of int32 each and back, and products of bytes that lie above each other.
///
///     edge::simd::batch<std::int32_t, A> part[4];               // A is byte_arch<Arch>
///     edge::simd::widen_bytes<A>(bytes, part);                  // byte i is in lane quarter_place<A>(i) % lanes of a part
///     bytes = edge::simd::narrow_bytes<A>(part, zero_point);    // saturated; the order of the bytes again
///
/// Nothing crosses 128 bits: interleaving and packing undo each other there, so that neither needs a permutation. What
/// is added or multiplied in between is stored in the order of the parts. Sources: Intel intrinsics guide (unpacklo_epi8,
/// packs_epi32, dpbusd_epi32, madd_epi16), Arm intrinsics reference (vzip, vmlal, vdotq, vusdotq).

#include <edge/simd/unrolled.hpp>
#include <edge/simd/widen.hpp>

namespace edge::simd {

namespace detail {

template <class Arch>
inline constexpr bool is_avx512bw = std::is_base_of_v<xsimd::avx512bw, Arch>;

/// Without instructions for whole registers of bytes, the next smaller registers that have them.
template <class Arch>
using byte_arch_of = std::conditional_t<is_avx512<Arch> && !is_avx512bw<Arch>, xsimd::avx2,
                                        std::conditional_t<is_avx<Arch> && !is_avx2<Arch>, xsimd::sse4_2, Arch>>;

template <class Arch>
using half_arch_of = std::conditional_t<is_avx512<Arch>, xsimd::avx2, xsimd::sse4_2>;

/// Whether there are products of four bytes with four, summed exactly into int32.
template <class Arch>
[[nodiscard]] constexpr bool multiplies_quads() noexcept {
#if defined(__AVX512VNNI__)
    if (is_avx512bw<Arch>) return true;
#endif
#if defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))
    if (is_avx2<Arch>) return true;
#endif
#if defined(__ARM_FEATURE_DOTPROD)
    if (is_neon64<Arch>) return true;
#endif
    return false;
}

/// Whether `Arch` has the instructions below, rather than the loops that say the same.
template <class Arch>
inline constexpr bool interleaves = is_sse2<Arch> || is_avx2<Arch> || is_avx512bw<Arch> || is_neon64<Arch>;

}  // namespace detail

/// The architecture whose registers hold bytes: `Arch` itself wherever that has instructions for them.
template <class Arch>
using byte_arch = detail::byte_arch_of<Arch>;

template <class A>
using bytes = batch<std::uint8_t, A>;

/// Where byte i of a register is among the lanes of its four parts, one after the other.
template <class A>
[[nodiscard]] constexpr std::size_t quarter_place(std::size_t i) noexcept {
    return i % 16 / 4 * lanes<std::int32_t, A> + i / 16 * 4 + i % 4;
}

namespace detail {

template <class A>
struct byte_registers;  // the instructions of an architecture

#if defined(__SSE2__)
/// Each function is one instruction for 128, 256 or 512 bits.
template <class A>
requires is_sse2<A>
struct byte_registers<A> {
    using type = __m128i;
    static type zero() noexcept { return _mm_setzero_si128(); }
    static type low8(type a, type b) noexcept { return _mm_unpacklo_epi8(a, b); }
    static type high8(type a, type b) noexcept { return _mm_unpackhi_epi8(a, b); }
    static type low16(type a, type b) noexcept { return _mm_unpacklo_epi16(a, b); }
    static type high16(type a, type b) noexcept { return _mm_unpackhi_epi16(a, b); }
    static type pack32(type a, type b) noexcept { return _mm_packs_epi32(a, b); }
    static type pack16(type a, type b) noexcept { return _mm_packus_epi16(a, b); }
    static type add16(type a, type b) noexcept { return _mm_adds_epi16(a, b); }
    static type all16(std::int16_t a) noexcept { return _mm_set1_epi16(a); }
    static type pairs(type sum, type x, type w) noexcept { return _mm_add_epi32(sum, _mm_madd_epi16(x, w)); }
    static type quads(type sum, [[maybe_unused]] type x, [[maybe_unused]] type w) noexcept {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
        sum = _mm_dpbusd_epi32(sum, x, w);
#elif defined(__AVXVNNI__)
        sum = _mm_dpbusd_avx_epi32(sum, x, w);
#endif
        return sum;
    }
};
#endif

#if defined(__AVX2__)
template <class A>
requires is_avx2<A>
struct byte_registers<A> {
    using type = __m256i;
    static type zero() noexcept { return _mm256_setzero_si256(); }
    static type low8(type a, type b) noexcept { return _mm256_unpacklo_epi8(a, b); }
    static type high8(type a, type b) noexcept { return _mm256_unpackhi_epi8(a, b); }
    static type low16(type a, type b) noexcept { return _mm256_unpacklo_epi16(a, b); }
    static type high16(type a, type b) noexcept { return _mm256_unpackhi_epi16(a, b); }
    static type pack32(type a, type b) noexcept { return _mm256_packs_epi32(a, b); }
    static type pack16(type a, type b) noexcept { return _mm256_packus_epi16(a, b); }
    static type add16(type a, type b) noexcept { return _mm256_adds_epi16(a, b); }
    static type all16(std::int16_t a) noexcept { return _mm256_set1_epi16(a); }
    static type pairs(type sum, type x, type w) noexcept { return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w)); }
    static type quads(type sum, [[maybe_unused]] type x, [[maybe_unused]] type w) noexcept {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
        sum = _mm256_dpbusd_epi32(sum, x, w);
#elif defined(__AVXVNNI__)
        sum = _mm256_dpbusd_avx_epi32(sum, x, w);
#endif
        return sum;
    }
};
#endif

#if defined(__AVX512BW__)
template <class A>
requires is_avx512bw<A>
struct byte_registers<A> {
    using type = __m512i;
    static type zero() noexcept { return _mm512_setzero_si512(); }
    static type low8(type a, type b) noexcept { return _mm512_unpacklo_epi8(a, b); }
    static type high8(type a, type b) noexcept { return _mm512_unpackhi_epi8(a, b); }
    static type low16(type a, type b) noexcept { return _mm512_unpacklo_epi16(a, b); }
    static type high16(type a, type b) noexcept { return _mm512_unpackhi_epi16(a, b); }
    static type pack32(type a, type b) noexcept { return _mm512_packs_epi32(a, b); }
    static type pack16(type a, type b) noexcept { return _mm512_packus_epi16(a, b); }
    static type add16(type a, type b) noexcept { return _mm512_adds_epi16(a, b); }
    static type all16(std::int16_t a) noexcept { return _mm512_set1_epi16(a); }
    static type pairs(type sum, type x, type w) noexcept { return _mm512_add_epi32(sum, _mm512_madd_epi16(x, w)); }
    static type quads(type sum, [[maybe_unused]] type x, [[maybe_unused]] type w) noexcept {
#if defined(__AVX512VNNI__)
        sum = _mm512_dpbusd_epi32(sum, x, w);
#endif
        return sum;
    }
};
#endif

#if defined(__aarch64__)
template <class A>
requires is_neon64<A>
struct byte_registers<A> {
    using type = uint8x16_t;
    static type zero() noexcept { return vdupq_n_u8(0); }
    static type low8(type a, type b) noexcept { return vzip1q_u8(a, b); }
    static type high8(type a, type b) noexcept { return vzip2q_u8(a, b); }
    static type low16(type a, type b) noexcept {
        return vreinterpretq_u8_u16(vzip1q_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
    }
    static type high16(type a, type b) noexcept {
        return vreinterpretq_u8_u16(vzip2q_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
    }
};
#endif

/// The same in the fewest lines.
template <class A>
void widen_bytes_generic(const bytes<A>& x, batch<std::int32_t, A> (&part)[4]) noexcept {
    constexpr std::size_t n = lanes<std::int32_t, A>;
    alignas(alignment) std::uint8_t from[4 * n];
    alignas(alignment) std::int32_t to[4 * n];
    x.store_aligned(from);
    for (std::size_t i = 0; i < 4 * n; ++i) to[quarter_place<A>(i)] = from[i];
    for (std::size_t j = 0; j < 4; ++j) part[j] = batch<std::int32_t, A>::load_aligned(to + j * n);
}

template <class A>
[[nodiscard]] bytes<A> narrow_bytes_generic(const batch<std::int32_t, A> (&part)[4], std::int16_t zero) noexcept {
    constexpr std::size_t n = lanes<std::int32_t, A>;
    alignas(alignment) std::int32_t from[4 * n];
    alignas(alignment) std::uint8_t to[4 * n];
    for (std::size_t j = 0; j < 4; ++j) part[j].store_aligned(from + j * n);
    for (std::size_t i = 0; i < 4 * n; ++i) {
        const std::int64_t v = std::int64_t{from[quarter_place<A>(i)]} + zero;
        to[i] = static_cast<std::uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    return bytes<A>::load_aligned(to);
}

}  // namespace detail

/// Each byte as int32.
template <class A>
EDGE_ALWAYS_INLINE void widen_bytes(const bytes<A>& x, batch<std::int32_t, A> (&part)[4]) noexcept {
    if constexpr (!detail::interleaves<A>) {
        detail::widen_bytes_generic<A>(x, part);
    } else {
        using r = detail::byte_registers<A>;
        const typename r::type zero = r::zero();
        const typename r::type low = r::low8(x, zero);
        const typename r::type high = r::high8(x, zero);
#if defined(__aarch64__)
        const auto integers = [](uint8x16_t v) { return vreinterpretq_s32_u8(v); };
#else
        const auto integers = [](typename r::type v) { return v; };
#endif
        part[0] = integers(r::low16(low, zero));
        part[1] = integers(r::high16(low, zero));
        part[2] = integers(r::low16(high, zero));
        part[3] = integers(r::high16(high, zero));
    }
}

/// Each int32 plus `zero`, saturated to a byte; `zero` is in [0, 255].
template <class A>
[[nodiscard]] EDGE_ALWAYS_INLINE bytes<A> narrow_bytes(const batch<std::int32_t, A> (&part)[4],
                                                       std::int16_t zero) noexcept {
    if constexpr (!detail::interleaves<A>) {
        return detail::narrow_bytes_generic<A>(part, zero);
    } else {
#if defined(__aarch64__)
        const int16x8_t low = vcombine_s16(vqmovn_s32(part[0]), vqmovn_s32(part[1]));
        const int16x8_t high = vcombine_s16(vqmovn_s32(part[2]), vqmovn_s32(part[3]));
        const int16x8_t all = vdupq_n_s16(zero);
        return vcombine_u8(vqmovun_s16(vqaddq_s16(low, all)), vqmovun_s16(vqaddq_s16(high, all)));
#else
        using r = detail::byte_registers<A>;
        const typename r::type all = r::all16(zero);
        return r::pack16(r::add16(r::pack32(part[0], part[1]), all), r::add16(r::pack32(part[2], part[3]), all));
#endif
    }
}

}  // namespace edge::simd
