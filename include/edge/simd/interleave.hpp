// SPDX-License-Identifier: MIT
#pragma once

/// @file Registers of bytes as four registers of int32 each and back, and products of bytes that lie above each other.
///
///     edge::simd::batch<std::int32_t, A> part[4];               // A is byte_arch<Arch>
///     edge::simd::widen_bytes<A>(bytes, part);                  // byte i is in lane quarter_place<A>(i) % lanes of a part
///     bytes = edge::simd::narrow_bytes<A>(part, zero_point);    // saturated; the order of the bytes again
///
///     using taps = edge::simd::byte_taps<A, edge::simd::taps_at_once<Arch>>;
///     taps::interleave<3>(rows, factors);                       // once
///     taps::multiply_add(part, factors, weights);               // for each column of weights
///
/// Nothing crosses 128 bits: interleaving and packing undo each other there, so that neither needs a permutation. What
/// is added or multiplied in between is stored in the order of the parts. Sources: Intel intrinsics guide (unpacklo_epi8,
/// packs_epi32, dpbusd_epi32, madd_epi16), Arm intrinsics reference (vzip, vmlal, vdotq, vusdotq).

#include <edge/simd/dot/groups.hpp>
#include <edge/simd/unrolled.hpp>
#include <edge/simd/widen.hpp>

namespace edge::simd {

namespace detail {

template <class Arch>
inline constexpr bool is_avx512bw = std::is_base_of_v<xsimd::avx512bw, Arch>;

template <class Arch>
using byte_arch_of = std::conditional_t<is_avx512bw<Arch>, xsimd::avx512bw,
                                        std::conditional_t<is_avx512<Arch> || is_avx2<Arch>, xsimd::avx2,
                                                           std::conditional_t<is_avx<Arch>, xsimd::sse4_2, Arch>>>;

/// Whether there are products of four bytes with four, summed exactly into int32.
template <class Arch>
[[nodiscard]] constexpr bool multiplies_quads() noexcept {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    if (is_avx512bw<Arch> || is_avx2<Arch>) return true;
#elif defined(__AVXVNNI__)
    if (is_avx2<Arch>) return true;
#endif
#if defined(__ARM_FEATURE_DOTPROD)
    if (is_neon64<Arch>) return true;
#endif
    return false;
}

}  // namespace detail

/// The architecture whose registers hold bytes: the widest within `Arch` that has instructions for them. (Where these are
/// the same for two, there is one kernel.)
template <class Arch>
using byte_arch = detail::byte_arch_of<Arch>;

/// Whether there are instructions for what is below; without them it takes loops, and there are no `byte_taps`.
template <class A>
inline constexpr bool interleaves_bytes =
    detail::is_sse2<A> || detail::is_avx2<A> || detail::is_avx512bw<A> || detail::is_neon64<A>;

/// The next narrower registers, for what does not fill those of `A`; the narrowest are their own.
template <class A>
using half_arch =
    std::conditional_t<detail::is_avx512<A>, xsimd::avx2, std::conditional_t<detail::is_avx<A>, xsimd::sse4_2, A>>;

template <class A>
using bytes = batch<std::uint8_t, A>;

/// Where byte i of a register is among the lanes of its four parts, one after the other.
template <class A>
[[nodiscard]] constexpr std::size_t quarter_place(std::size_t i) noexcept {
    return i % 16 / 4 * lanes<std::int32_t, A> + i / 16 * 4 + i % 4;
}

namespace detail {

/// `x`, of which the compiler knows nothing: it would add products to each other first, and keep all of them.
template <class T>
EDGE_ALWAYS_INLINE T in_order(T x) noexcept {
#if defined(__AVX512F__)
    __asm__("" : "+v"(x));
#elif defined(__SSE2__)
    __asm__("" : "+x"(x));
#endif
    return x;
}

template <class A>
struct byte_registers;  // the instructions of an architecture

#if defined(__SSE2__)
/// Each function is one instruction for 128, 256 or 512 bits.
template <class A>
requires is_sse2<A>
struct byte_registers<A> : neighbours_128<A> {
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
};
#endif

#if defined(__AVX2__)
template <class A>
requires is_avx2<A>
struct byte_registers<A> : neighbours_256<A> {
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
};
#endif

#if defined(__AVX512BW__)
template <class A>
requires is_avx512bw<A>
struct byte_registers<A> : neighbours_512<A> {
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
    if constexpr (!interleaves_bytes<A>) {
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
    if constexpr (!interleaves_bytes<A>) {
        return detail::narrow_bytes_generic<A>(part, zero);
    } else {
#if defined(__aarch64__)
        const int16x8_t low = vcombine_s16(vqmovn_s32(part[0]), vqmovn_s32(part[1]));
        const int16x8_t high = vcombine_s16(vqmovn_s32(part[2]), vqmovn_s32(part[3]));
        const int16x8_t all = vdupq_n_s16(zero);
        return vcombine_u8(vqmovun_s16(vqaddq_s16(low, all)), vqmovun_s16(vqaddq_s16(high, all)));
#else
        using r = detail::byte_registers<A>;
        typename r::type low = r::pack32(part[0], part[1]);
        typename r::type high = r::pack32(part[2], part[3]);
        if (zero != 0) {
            const typename r::type all = r::all16(zero);
            low = r::add16(low, all);
            high = r::add16(high, all);
        }
        return r::pack16(low, high);
#endif
    }
}

/// How many bytes that lie above each other are multiplied at once, as `byte_taps` does: 4 with an instruction for it.
template <class Arch>
inline constexpr int taps_at_once = detail::multiplies_quads<byte_arch<Arch>>() ? 4 : 2;

/// Sums of products of bytes with signed bytes, for each byte of a register, `rows` above each other at once. Exact: sums
/// wrap modulo 2^32.
///
/// Bytes are interleaved once and multiplied as often as needed. Weights of rows that are left out must be 0.
template <class A, int rows>
struct byte_taps {
    static_assert(interleaves_bytes<A>);
    static_assert(rows == 2 || (rows == 4 && detail::multiplies_quads<A>()) || (rows == 4 && detail::is_sse2<A>));

    using integers = batch<std::int32_t, A>;
    using weight = std::conditional_t<rows == 4, std::int8_t, std::int16_t>;
    static constexpr std::size_t width = lanes<std::uint8_t, A>;
    static constexpr std::size_t weights = width * rows;  ///< that one multiplication takes

#if defined(__aarch64__) && !defined(__ARM_FEATURE_MATMUL_INT8)
    /// What is taken off each byte before it is multiplied.
    static constexpr std::int32_t offset = rows == 4 ? 128 : 0;
#else
    static constexpr std::int32_t offset = 0;
#endif

    /// Where the weight of a row for byte i is.
    [[nodiscard]] static constexpr std::size_t place(std::size_t row, std::size_t i) noexcept {
        if (rows == 2 && detail::is_neon64<A>) return row * width + i;
        return quarter_place<A>(i) * rows + row;
    }

    /// Bytes of `count` rows as factors.
    template <int count>
    EDGE_ALWAYS_INLINE static void interleave(const bytes<A> (&x)[count], integers (&in)[4]) noexcept {
        static_assert(0 < count && count <= rows);
        using r = detail::byte_registers<A>;
#if defined(__aarch64__)
        const auto integers_of = [](auto v) { return vreinterpretq_s32_u8(v); };
        if constexpr (rows == 2) {
            in[0] = vreinterpretq_s32_u16(vmovl_u8(vget_low_u8(x[0])));
            in[1] = vreinterpretq_s32_u16(vmovl_high_u8(x[0]));
            in[2] = vreinterpretq_s32_u16(vmovl_u8(vget_low_u8(x[count - 1])));
            in[3] = vreinterpretq_s32_u16(vmovl_high_u8(x[count - 1]));
            return;
        }
        const auto row = [&](int i) { return veorq_u8(x[i < count ? i : count - 1], vdupq_n_u8(offset)); };
#else
        const auto integers_of = [](typename r::type v) { return v; };
        const auto row = [&](int i) -> typename r::type { return x[i < count ? i : count - 1]; };
#endif
        const typename r::type low = r::low8(row(0), row(1));
        const typename r::type high = r::high8(row(0), row(1));
        if constexpr (rows == 4) {
            const typename r::type next_low = r::low8(row(2), row(3));
            const typename r::type next_high = r::high8(row(2), row(3));
            in[0] = integers_of(r::low16(low, next_low));
            in[1] = integers_of(r::high16(low, next_low));
            in[2] = integers_of(r::low16(high, next_high));
            in[3] = integers_of(r::high16(high, next_high));
        } else {
            const typename r::type zero = r::zero();
            in[0] = integers_of(r::low8(low, zero));
            in[1] = integers_of(r::high8(low, zero));
            in[2] = integers_of(r::low8(high, zero));
            in[3] = integers_of(r::high8(high, zero));
        }
    }

    /// sum += factors times weights, which are in the registers that `place` says.
    EDGE_ALWAYS_INLINE static void multiply_add(integers (&sum)[4], const integers (&in)[4],
                                                const integers (&w)[4]) noexcept {
#if defined(__aarch64__)
        if constexpr (rows == 2) {
            unrolled<2>([&](auto row) {
                const int16x8_t low = vreinterpretq_s16_s32(in[2 * row]);
                const int16x8_t high = vreinterpretq_s16_s32(in[2 * row + 1]);
                const int16x8_t w_low = vreinterpretq_s16_s32(w[2 * row]);
                const int16x8_t w_high = vreinterpretq_s16_s32(w[2 * row + 1]);
                sum[0] = vmlal_s16(sum[0], vget_low_s16(low), vget_low_s16(w_low));
                sum[1] = vmlal_high_s16(sum[1], low, w_low);
                sum[2] = vmlal_s16(sum[2], vget_low_s16(high), vget_low_s16(w_high));
                sum[3] = vmlal_high_s16(sum[3], high, w_high);
            });
        } else {
            unrolled<4>([&](auto j) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
                sum[j] = vusdotq_s32(sum[j], vreinterpretq_u8_s32(in[j]), vreinterpretq_s8_s32(w[j]));
#elif defined(__ARM_FEATURE_DOTPROD)
                sum[j] = vdotq_s32(sum[j], vreinterpretq_s8_s32(in[j]), vreinterpretq_s8_s32(w[j]));
#endif
            });
        }
#else
        using r = detail::byte_registers<A>;
        unrolled<4>([&](auto j) {
            if constexpr (rows == 4) {
                sum[j] = r::quads(sum[j], in[j], w[j]);
            } else {
                sum[j] = detail::in_order(r::pairs(sum[j], in[j], w[j]));
            }
        });
#endif
    }
};

}  // namespace edge::simd
