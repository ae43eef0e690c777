// SPDX-License-Identifier: MIT
#pragma once

/// @file Powers, roots, lengths and the error function.

#include <edge/simd/detail/exponential.hpp>
#include <edge/simd/detail/logarithm.hpp>

namespace edge::simd::detail {

/// Two polynomials by Remez' algorithm: erf x = x + x·p(x²) up to 1.08 (2^-27.9), and the fourth root of 1 - erf x, so
/// that the fourth power is right to 2^-26.2, up to 3.93, from where on erf is 1. float64 is the C library's.
template <class Arch>
EDGE_ALWAYS_INLINE batch<float, Arch> error_function(const batch<float, Arch>& x) {
    using B = batch<float, Arch>;
    const B a = xsimd::abs(x);
    const B t = at_most(a, 3.93f);
    const B z = t * t;
    const B small = polynomial(z, 0x1.06eba8p-3f, -0x1.81273p-2f, 0x1.ce2a56p-4f, -0x1.b7cb52p-6f, 0x1.52a2c8p-8f,
                               -0x1.9a2122p-11f, 0x1.2f69c4p-14f);
    const B root = polynomial(t - B(2.5f), 0x1.22e228p-3f, -0x1.853ee4p-3f, 0x1.7f7dd8p-4f, -0x1.94360ep-7f,
                              -0x1.aa3a92p-8f, 0x1.6ad3acp-9f, 0x1.f385acp-14f, -0x1.694cdap-13f);
    const B square = root * root;
    const B large = simd::fnma(square, square, B(1.0f));
    return xsimd::select(a < B(1.08f), simd::fma(t, small, t), large) | sign_of(x);
}

/// The root of m in [1, 8) from a polynomial (2^-16.7) and two steps of Newton's. float64 only.
template <class B>
EDGE_ALWAYS_INLINE B cube_root(const B& x) {
    using U = std::uint64_t;
    using I = batch<U, typename B::arch_type>;
    const B a = xsimd::abs(x);
    const auto is_small = a < B((std::numeric_limits<double>::min)());
    const I bits = detail::bitwise_cast<U>(xsimd::select(is_small, a * B(0x1p54), a));
    const B exponent = detail::bitwise_cast<double>((bits >> 52) | I(U(0x4330000000000000))) - B(0x1p52 + 1023) -
                       xsimd::select(is_small, B(54.0), B(0.0));
    const B third = nearest_integer((exponent - B(1.0)) * B(1.0 / 3));  // rounded down
    const B rest = exponent - B(3.0) * third;                           // 0, 1 or 2
    const B m = detail::bitwise_cast<double>((bits & I((U(1) << 52) - 1)) | I(U(0x3ff0000000000000)));
    const B one(1.0);
    const B factor = xsimd::select(rest == B(0.0), one,
                                   xsimd::select(rest == one, B(0x1.428a2f98d728bp+0), B(0x1.965fea53d6e3dp+0)));
    const B scaled = m * power_of_two(rest);
    B y = factor * polynomial(m, 0x1.0392cc7a5e608p-1, 0x1.6fb1df9fbffa3p-1, -0x1.33d381504753ep-2,
                              0x1.60a1472ef42cfp-4, -0x1.5b77d9593f6e2p-7);
    for (int step = 0; step < 2; ++step) {
        const B square = y * y;
        y = y - (simd::fms(square, y, scaled)) / (square * B(3.0));
    }
    y = (y * power_of_two(third)) | sign_of(x);
    return xsimd::select((a > B(0.0)) & (a < B(std::numeric_limits<double>::infinity())), y, x);
}

/// x^y in float64, to float32's precision: e^(y·log|x|), and the sign and the special values of C's pow.
template <class B>
EDGE_ALWAYS_INLINE B power_for_float32(const B& x, const B& y) {
    const B zero(0.0);
    const B one(1.0);
    const B a = xsimd::abs(x);
    const B magnitude = xsimd::select((a == one) & (y == y), one, exponential(y * logarithm<natural>(a)));
    const B b = xsimd::abs(y);
    const auto is_whole = (nearest_integer(b) == b) | (b >= B(0x1p51));
    const B half = b * B(0.5);
    const auto is_odd = is_whole & (b < B(0x1p24)) & (nearest_integer(half) != half);  // floats from 2^24 on are even
    const auto is_negative = (one | sign_of(x)) < zero;
    B result = xsimd::select(is_odd & is_negative, magnitude | B(-0.0), magnitude);
    const auto has_none = (x < zero) & (a < B(std::numeric_limits<double>::infinity())) & (b == b) & ~is_whole;
    result = xsimd::select(has_none, B(std::numeric_limits<double>::quiet_NaN()), result);
    return xsimd::select((y == zero) | (x == one), one, result);
}

/// √(x² + y²) of numbers brought near one, so that no square is lost.
template <class B>
EDGE_ALWAYS_INLINE B length(const B& x, const B& y) {
    using T = lane_of<B>;
    constexpr T big = is_float32<B> ? T(0x1p60) : T(0x1p500);
    constexpr T small = is_float32<B> ? T(0x1p-60) : T(0x1p-500);
    constexpr T down = is_float32<B> ? T(0x1p-100) : T(0x1p-600);
    constexpr T up = is_float32<B> ? T(0x1p100) : T(0x1p600);
    const B infinity(std::numeric_limits<T>::infinity());
    const B a = xsimd::abs(x);
    const B b = xsimd::abs(y);
    const B most = xsimd::select(a > b, a, b);
    const B one(T(1));
    const auto is_big = most > B(big);
    const auto is_small = most < B(small);
    const B there = xsimd::select(is_big, B(down), xsimd::select(is_small, B(up), one));
    const B back = xsimd::select(is_big, B(up), xsimd::select(is_small, B(down), one));
    const B p = a * there;
    const B q = b * there;
    const B result = rounded(simd::square_root(simd::fma(p, p, q * q)) * back);
    return xsimd::select((a == infinity) | (b == infinity), infinity, result);
}

}  // namespace edge::simd::detail
