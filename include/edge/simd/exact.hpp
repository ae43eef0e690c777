// SPDX-License-Identifier: MIT
#pragma once

/// @file Division and square root of float lanes, correctly rounded on every architecture, as IEEE 754 asks, and float32
/// as float64 and back; a product and a sum in one step where there is one.
///
///     auto q = edge::simd::divide(x, scale);
///
/// xsimd's are Newton steps from an estimate on Arm, a few units off in the last place, and wrong for infinities and
/// subnormals. Source: xsimd 8.1 and 14, xsimd_neon.hpp, `div` and `sqrt`; both are single instructions of AArch64.

#include <edge/simd/widen.hpp>

namespace edge::simd {

template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> divide(const batch<T, Arch>& a, const batch<T, Arch>& b) noexcept {
#if defined(__aarch64__)
    if constexpr (std::is_same_v<T, float> && detail::is_neon64<Arch>) return vdivq_f32(a, b);
#endif
    return a / b;
}

template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> square_root(const batch<T, Arch>& a) noexcept {
#if defined(__aarch64__)
    if constexpr (std::is_same_v<T, float> && detail::is_neon64<Arch>) return vsqrtq_f32(a);
#endif
    return xsimd::sqrt(a);
}

// a·b + c, a·b - c and c - a·b, rounded once wherever the processor has an instruction for it: xsimd 8.1 leaves the first
// two out for AVX-512 and the last for Arm.

template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> fma(const batch<T, Arch>& a, const batch<T, Arch>& b,
                                                    const batch<T, Arch>& c) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch> && std::is_same_v<T, float>) return _mm512_fmadd_ps(a, b, c);
    if constexpr (detail::is_avx512<Arch> && std::is_same_v<T, double>) return _mm512_fmadd_pd(a, b, c);
#endif
    return xsimd::fma(a, b, c);
}
template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> fms(const batch<T, Arch>& a, const batch<T, Arch>& b,
                                                    const batch<T, Arch>& c) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch> && std::is_same_v<T, float>) return _mm512_fmsub_ps(a, b, c);
    if constexpr (detail::is_avx512<Arch> && std::is_same_v<T, double>) return _mm512_fmsub_pd(a, b, c);
#endif
    return xsimd::fms(a, b, c);
}
template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> fnma(const batch<T, Arch>& a, const batch<T, Arch>& b,
                                                     const batch<T, Arch>& c) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch> && std::is_same_v<T, float>) return _mm512_fnmadd_ps(a, b, c);
    if constexpr (detail::is_avx512<Arch> && std::is_same_v<T, double>) return _mm512_fnmadd_pd(a, b, c);
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch> && std::is_same_v<T, float>) return vfmsq_f32(c, a, b);
    if constexpr (detail::is_neon64<Arch> && std::is_same_v<T, double>) return vfmsq_f64(c, a, b);
#endif
    return xsimd::fnma(a, b, c);
}

namespace detail {

template <class Arch>
batch<double, Arch> widen_half(const batch<float, Arch>& x, std::size_t first) noexcept {
    alignas(alignment) float from[lanes<float, Arch>];
    alignas(alignment) double to[lanes<double, Arch>];
    x.store_aligned(from);
    for (std::size_t i = 0; i < lanes<double, Arch>; ++i) to[i] = static_cast<double>(from[first + i]);
    return batch<double, Arch>::load_aligned(to);
}

}  // namespace detail

/// The first half of the lanes.
template <class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<double, Arch> widen_low(const batch<float, Arch>& x) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>) return _mm512_cvtps_pd(_mm512_castps512_ps256(x));
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>) return _mm256_cvtps_pd(_mm256_castps256_ps128(x));
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) return _mm_cvtps_pd(x);
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) return vcvt_f64_f32(vget_low_f32(x));
#endif
    return detail::widen_half<Arch>(x, 0);
}

/// The second half of the lanes.
template <class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<double, Arch> widen_high(const batch<float, Arch>& x) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>)
        return _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1)));
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>) return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) return _mm_cvtps_pd(_mm_movehl_ps(x, x));
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) return vcvt_high_f64_f32(x);
#endif
    return detail::widen_half<Arch>(x, lanes<double, Arch>);
}

/// Both halves again, rounded to float32.
template <class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<float, Arch> narrow(const batch<double, Arch>& low,
                                                           const batch<double, Arch>& high) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>) {
        const __m512d first = _mm512_castps_pd(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)));
        return _mm512_castpd_ps(_mm512_insertf64x4(first, _mm256_castps_pd(_mm512_cvtpd_ps(high)), 1));
    }
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>)
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
#endif
#if defined(__aarch64__)
    if constexpr (detail::is_neon64<Arch>) return vcvt_high_f32_f64(vcvt_f32_f64(low), high);
#endif
    constexpr std::size_t half = lanes<double, Arch>;
    alignas(alignment) double from[2 * half];
    alignas(alignment) float to[2 * half];
    low.store_aligned(from);
    high.store_aligned(from + half);
    for (std::size_t i = 0; i < 2 * half; ++i) to[i] = static_cast<float>(from[i]);
    return batch<float, Arch>::load_aligned(to);
}

/// The smaller of x and a bound, NaN where x is one; xsimd's `min` differs between versions there.
template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> at_most(const batch<T, Arch>& x, const batch<T, Arch>& high) noexcept {
    [[maybe_unused]] constexpr bool is_float = std::is_same_v<T, float>;
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch> && is_float) return _mm512_min_ps(high, x);
    if constexpr (detail::is_avx512<Arch> && !is_float) return _mm512_min_pd(high, x);
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch> && is_float) return _mm256_min_ps(high, x);
    if constexpr (detail::is_avx<Arch> && !is_float) return _mm256_min_pd(high, x);
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch> && is_float) return _mm_min_ps(high, x);
    if constexpr (detail::is_sse2<Arch> && !is_float) return _mm_min_pd(high, x);
#endif
    return xsimd::select(x > high, high, x);
}
template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> at_most(const batch<T, Arch>& x, T bound) noexcept {
    return at_most(x, batch<T, Arch>(bound));
}

/// The larger of x and a bound, NaN where x is one.
template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> at_least(const batch<T, Arch>& x, const batch<T, Arch>& low) noexcept {
    [[maybe_unused]] constexpr bool is_float = std::is_same_v<T, float>;
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch> && is_float) return _mm512_max_ps(low, x);
    if constexpr (detail::is_avx512<Arch> && !is_float) return _mm512_max_pd(low, x);
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch> && is_float) return _mm256_max_ps(low, x);
    if constexpr (detail::is_avx<Arch> && !is_float) return _mm256_max_pd(low, x);
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch> && is_float) return _mm_max_ps(low, x);
    if constexpr (detail::is_sse2<Arch> && !is_float) return _mm_max_pd(low, x);
#endif
    return xsimd::select(x < low, low, x);
}
template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> at_least(const batch<T, Arch>& x, T bound) noexcept {
    return at_least(x, batch<T, Arch>(bound));
}

/// x·2^n for a whole number n, rounded once: one instruction for what takes eight elsewhere.
template <class T, class Arch>
requires detail::is_avx512<Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> scale(const batch<T, Arch>& x,
                                                      [[maybe_unused]] const batch<T, Arch>& n) noexcept {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) {
        return _mm512_scalef_ps(x, n);
    } else {
        return _mm512_scalef_pd(x, n);
    }
#else
    return x;
#endif
}

}  // namespace edge::simd
