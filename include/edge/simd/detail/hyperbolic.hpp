// SPDX-License-Identifier: MIT
#pragma once

/// @file Hyperbolic functions of registers and their inverses, from e^x - 1 and log(1 + x) of |x|.

#include <edge/simd/detail/exponential.hpp>
#include <edge/simd/detail/logarithm.hpp>

namespace edge::simd::detail {

/// e^2x + 1 for 0.55 ≤ x ≤ 10, float32: rounded twice, which is halved and more by what follows.
template <class B>
EDGE_ALWAYS_INLINE B square_exponential_and_one(const B& x) {
    if constexpr (is_float32<B>) {
        const B c(0x1.715476p+1f);  // 2 log2 e
        const B magic(integer_magic<B> + 127.0f);
        const B shifted = simd::fma(x, c, magic);
        const B f = simd::fms(x, c, shifted - magic);
        const B p = polynomial(f, 1.0f, 0x1.62e43p-1f, 0x1.ebfbdap-3f, 0x1.c6aed2p-5f, 0x1.3b2dc2p-7f, 0x1.5f4732p-10f,
                               0x1.41d206p-13f);
        const B power = detail::bitwise_cast<float>(detail::bitwise_cast<std::uint32_t>(shifted) << 23);
        return simd::fma(p, power, B(1.0f));
    } else {
        return exponential(x + x) + B(1.0);
    }
}

/// x + x³·p(x²) below, else 1 - 2 / (e^2x + 1). Below: float32 to 0.55 by Remez' algorithm, float64 to 5/8 the quotient
/// of Cephes, tanh.c.
template <class B>
EDGE_ALWAYS_INLINE B hyperbolic_tangent(const B& x) {
    using T = lane_of<B>;
    const B a = xsimd::abs(x);
    const B z = a * a;
    B p;
    if constexpr (is_float32<B>) {
        p = polynomial(z, -0x1.55545ap-2f, 0x1.10d01ap-3f, -0x1.af96acp-5f, 0x1.0da914p-6f);
    } else {
        p = polynomial(z, -1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1) /
            polynomial(z, 4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0);
    }
    const B near = simd::fma(a * z, p, a);
    const B e = square_exponential_and_one(at_most(a, T(is_float32<B> ? 10 : 20)));  // it is 1 from there on
    const B far = B(T(1)) - simd::divide(B(T(2)), e);
    return xsimd::select(a >= B(T(is_float32<B> ? 0.55 : 0.625)), far, near) | sign_of(x);  // NaN is near
}

/// e^|x| / 2, which is finite wherever sinh and cosh are.
template <class B>
EDGE_ALWAYS_INLINE B half_exponential(const B& magnitude) {
    const B one(lane_of<B>(1));
    const auto [n, r] = reduce_exponent(clamp_exponent(magnitude));
    return scale_by_power_of_two(one + small_exponential(r), n - one);
}

/// By Remez' algorithm below 1, float32 to 2^-34, float64 to 2^-73.
template <class B>
EDGE_ALWAYS_INLINE B hyperbolic_sine(const B& x) {
    using T = lane_of<B>;
    const B a = xsimd::abs(x);
    const B z = a * a;
    B p;
    if constexpr (is_float32<B>) {
        p = polynomial(z, 0x1.555556p-3f, 0x1.111136p-7f, 0x1.9ffe12p-13f, 0x1.7a267cp-19f);
    } else {
        p = polynomial(z, 0x1.5555555555555p-3, 0x1.1111111111111p-7, 0x1.a01a01a019fbdp-13, 0x1.71de3a557431ep-19,
                       0x1.ae645673db93cp-26, 0x1.61246b20c08dbp-33, 0x1.ae755680c631ep-41, 0x1.9a7f590b291f2p-49);
    }
    const B half = half_exponential(a);
    const B far = half - simd::divide(B(T(0.25)), half);
    return xsimd::select(a < B(T(1)), simd::fma(a * z, p, a), far) | sign_of(x);
}

template <class B>
EDGE_ALWAYS_INLINE B hyperbolic_cosine(const B& x) {
    const B half = half_exponential(xsimd::abs(x));
    return half + simd::divide(B(lane_of<B>(0.25)), half);
}

/// log(|x| + √(x² + 1)), float64 only, as the two below: float32 goes by way of it.
template <class B>
EDGE_ALWAYS_INLINE B inverse_hyperbolic_sine(const B& x) {
    const B one(1.0);
    const B a = xsimd::abs(x);
    const auto is_large = a > B(0x1p28);  // where x² + 1 is x²
    const B safe = xsimd::select(is_large, one, a);
    const B square = safe * safe;
    const B more = square / (one + xsimd::sqrt(simd::fma(safe, safe, one)));
    auto parts = split_logarithm(xsimd::select(is_large, a, one));
    parts.k = parts.k + one;
    const B large = xsimd::select(a < B(std::numeric_limits<double>::infinity()), natural::of(parts), a);
    return xsimd::select(is_large, large, log1p_of_sum(safe, more)) | sign_of(x);
}

/// log(x + √(x² - 1)) by x - 1, which is exact where it matters; NaN below 1.
template <class B>
EDGE_ALWAYS_INLINE B inverse_hyperbolic_cosine(const B& x) {
    const B one(1.0);
    const auto is_large = x > B(0x1p28);
    const B t = xsimd::select(is_large, one, x - one);
    auto parts = split_logarithm(xsimd::select(is_large, x, one));
    parts.k = parts.k + one;
    const B large = xsimd::select(x < B(std::numeric_limits<double>::infinity()), natural::of(parts), x);
    const B small = log1p_of_sum(xsimd::sqrt(simd::fma(t, t, t + t)), t);
    return xsimd::select(is_large, large, xsimd::select(x < one, B(std::numeric_limits<double>::quiet_NaN()), small));
}

/// log((1 + x) / (1 - x)) / 2; infinite at ±1, NaN beyond.
template <class B>
EDGE_ALWAYS_INLINE B inverse_hyperbolic_tangent(const B& x) {
    const B one(1.0);
    const B a = xsimd::abs(x);
    return (log1p((a + a) / (one - a)) * B(0.5)) | sign_of(x);
}

}  // namespace edge::simd::detail
