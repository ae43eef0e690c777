// SPDX-License-Identifier: MIT
#pragma once

/// @file Angles from their sine, cosine or tangent.
///
///     atan x = x + x³·a(x²), |x| ≤ 1         asin x = x + x³·b(x²), |x| ≤ 0.55
///
/// a and b are of least relative error by Remez' algorithm, float32 to 2^-28.7 and 2^-29.5, float64 to 2^-57.7 and
/// 2^-55.3 of x.

#include <edge/simd/detail/polynomial.hpp>

namespace edge::simd::detail {

/// π and π/2 as the sum of two floats.
template <class B>
struct pi_parts {
    using T = lane_of<B>;
    static constexpr T high = is_float32<B> ? T(0x1.921fb6p+1) : T(0x1.921fb54442d18p+1);
    static constexpr T low = is_float32<B> ? T(-0x1.777a5cp-24) : T(0x1.1a62633145c07p-53);
};

/// atan of 0 … 1
template <class B>
EDGE_ALWAYS_INLINE B small_arctangent(const B& x) {
    const B z = x * x;
    B p;
    if constexpr (is_float32<B>) {
        p = polynomial(z, -0x1.55554p-2f, 0x1.999276p-3f, -0x1.2426f8p-3f, 0x1.c0d288p-4f, -0x1.58dc78p-4f,
                       0x1.dd0ed4p-5f, -0x1.01af84p-5f, 0x1.6a8f86p-7f, -0x1.defeacp-10f);
    } else {
        p = polynomial(z, -0x1.555555555552ap-2, 0x1.9999999995ae5p-3, -0x1.24924923922dap-3, 0x1.c71c718425336p-4,
                       -0x1.745d11fb0b290p-4, 0x1.3b136a160937bp-4, -0x1.110e6d89fe4b9p-4, 0x1.e1bcf7564bdbep-5,
                       -0x1.ae644bb4a0421p-5, 0x1.82eeaa4e7b3b5p-5, -0x1.59d7e6339948dp-5, 0x1.2c98044c083eep-5,
                       -0x1.eb48ecdfaa0cbp-6, 0x1.69d834aee49bap-6, -0x1.ca971de8c4ba3p-7, 0x1.dc03d5774e843p-8,
                       -0x1.7ea5cef266431p-9, 0x1.ba3bf6aebcfc1p-11, -0x1.44a3456e7b00ap-13, 0x1.c4a216df42f4bp-17);
    }
    return simd::fma(x * z, p, x);
}

template <class B>
EDGE_ALWAYS_INLINE B arctangent(const B& x) {
    using T = lane_of<B>;
    const B one(T(1));
    const B a = xsimd::abs(x);
    const auto is_large = a > one;
    const B y = small_arctangent(xsimd::select(is_large, simd::divide(one, a), a));
    const B rest = B(pi_parts<B>::high / 2) - (y - B(pi_parts<B>::low / 2));
    return xsimd::select(is_large, rest, y) | sign_of(x);
}

/// The angle of the point (x, y).
template <class B>
EDGE_ALWAYS_INLINE B arctangent2(const B& y, const B& x) {
    using T = lane_of<B>;
    const B one(T(1));
    const B zero(T(0));
    const B a = xsimd::abs(x);
    const B b = xsimd::abs(y);
    const auto is_steep = b > a;
    const B large = xsimd::select(is_steep, b, a);
    const B small = xsimd::select(is_steep, a, b);
    const B quotient = simd::divide(small, large);
    const B ratio = xsimd::select(small == large, xsimd::select(large == zero, zero, one), quotient);
    B angle = small_arctangent(ratio);
    angle = xsimd::select(is_steep, B(pi_parts<B>::high / 2) - (angle - B(pi_parts<B>::low / 2)), angle);
    const auto is_left = (one | sign_of(x)) < zero;
    angle = xsimd::select(is_left, B(pi_parts<B>::high) - (angle - B(pi_parts<B>::low)), angle);
    return xsimd::select((x == x) & (y == y), angle | sign_of(y), x + y);
}

/// asin of 0 … 0.55
template <class B>
EDGE_ALWAYS_INLINE B small_arcsine(const B& x, const B& z) {
    B p;
    if constexpr (is_float32<B>) {
        p = polynomial(z, 0x1.555532p-3f, 0x1.334446p-4f, 0x1.6aff4cp-5f, 0x1.11efdap-5f, 0x1.19ae58p-7f,
                       0x1.72d1a2p-5f);
    } else {
        p = polynomial(z, 0x1.55555555557dcp-3, 0x1.33333332e27dcp-4, 0x1.6db6dba5fe4a0p-5, 0x1.f1c708b576f17p-6,
                       0x1.6e8dac298eeb6p-6, 0x1.1c2c55d64fa54p-6, 0x1.cca8416abe582p-7, 0x1.62927a07cee61p-7,
                       0x1.c25d985110e49p-7, -0x1.acbc67fa35355p-8, 0x1.6d1587e34a2c6p-5, -0x1.9f5a6f2878951p-5,
                       0x1.974848bdf5ac6p-5);
    }
    return simd::fma(x * z, p, x);
}

/// asin of |x|, or, for |x| > 0.55, of √((1 - |x|) / 2), which is half of what it lacks to π/2. NaN beyond 1.
template <class B>
struct arcsine_parts {
    B magnitude = B(lane_of<B>(0));
    B angle;
    EDGE_ALWAYS_INLINE explicit arcsine_parts(const B& x) {
        using T = lane_of<B>;
        magnitude = xsimd::abs(x);
        const auto is_near = magnitude <= B(T(0.55));
        const B z = xsimd::select(is_near, x * x, (B(T(1)) - magnitude) * B(T(0.5)));
        angle = small_arcsine(xsimd::select(is_near, magnitude, simd::square_root(z)), z);
    }
};

template <class B>
EDGE_ALWAYS_INLINE B arcsine(const B& x) {
    using T = lane_of<B>;
    const arcsine_parts<B> parts(x);
    const B far = B(pi_parts<B>::high / 2) - (parts.angle + parts.angle - B(pi_parts<B>::low / 2));
    return xsimd::select(parts.magnitude <= B(T(0.55)), parts.angle, far) | sign_of(x);
}

template <class B>
EDGE_ALWAYS_INLINE B arccosine(const B& x) {
    using T = lane_of<B>;
    const arcsine_parts<B> parts(x);
    const B near = B(pi_parts<B>::high / 2) - ((parts.angle | sign_of(x)) - B(pi_parts<B>::low / 2));
    const B twice = parts.angle + parts.angle;
    const B left = B(pi_parts<B>::high) - (twice - B(pi_parts<B>::low));
    return xsimd::select(parts.magnitude <= B(T(0.55)), near, xsimd::select(x < B(T(0)), left, twice));
}

}  // namespace edge::simd::detail
