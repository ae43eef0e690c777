// SPDX-License-Identifier: MIT
#pragma once

/// @file Exponentials of registers: e^x, 2^x and e^x - 1, from one reduction and one polynomial.
///
///     x = n·ln 2 + r, |r| ≤ ln 2 / 2        e^x = 2^n·(1 + (r + r²·q(r)))
///
/// q is the polynomial of least relative error, by Remez' algorithm: degree 4 for float32 (2^-28), 9 for float64 (2^-58).

#include <edge/simd/detail/polynomial.hpp>

namespace edge::simd::detail {

/// e^r - 1 for |r| ≤ ln 2 / 2; relative to r, so that what it is added to decides the error.
template <class B>
EDGE_ALWAYS_INLINE B small_exponential(const B& r) {
    B q;
    if constexpr (is_float32<B>) {
        q = polynomial(r, 0x1p-1f, 0x1.55548ep-3f, 0x1.55545cp-5f, 0x1.123c78p-7f, 0x1.6db5bcp-10f);
    } else {
        q = polynomial(r, 0x1.000000000000cp-1, 0x1.5555555555561p-3, 0x1.555555554feedp-5, 0x1.111111110d54ep-7,
                       0x1.6c16c185f018ap-10, 0x1.a01a01bb31a82p-13, 0x1.a01995c80abd8p-16, 0x1.71dddf1c2df33p-19,
                       0x1.28b10b0dd96f5p-22, 0x1.af869b04d90dfp-26);
    }
    return simd::fma(r * r, q, r);
}

/// x = n·ln 2 + r
template <class B>
struct reduced_exponent {
    B n;
    B r;
};

/// n is zero where it is told to be.
template <class B, class... M>
EDGE_ALWAYS_INLINE reduced_exponent<B> reduce_exponent(const B& x, const M&... none) {
    using T = lane_of<B>;
    B n = nearest_integer(x, B(T(0x1.71547652b82fep+0)));
    ((n = xsimd::select(none, B(T(0)), n)), ...);
    // The first part of ln 2 has so few bits that its product with n is exact.
    const B high(is_float32<B> ? T(0x1.62e4p-1) : T(0x1.62e42fefa4p-1));
    const B low(is_float32<B> ? T(0x1.7f7d1cp-20) : T(-0x1.8432a1b0e2634p-43));
    return {n, simd::fnma(n, low, simd::fnma(n, high, x))};
}

/// The range outside of which e^x is infinite or zero, with room for what callers shift it by.
template <class B>
EDGE_ALWAYS_INLINE B clamp_exponent(const B& x) {
    using T = lane_of<B>;
    return at_least(at_most(x, is_float32<B> ? T(91) : T(712)), is_float32<B> ? T(-106) : T(-748));
}

template <class B>
EDGE_ALWAYS_INLINE B exponential(const B& x) {
    using T = lane_of<B>;
    const auto [n, r] = reduce_exponent(clamp_exponent(x));
    return scale_by_power_of_two(B(T(1)) + small_exponential(r), n);
}

/// 2^x. The reduction is exact.
template <class B>
EDGE_ALWAYS_INLINE B exponential2(const B& x) {
    using T = lane_of<B>;
    const B a = at_least(at_most(x, is_float32<B> ? T(130) : T(1026)), is_float32<B> ? T(-152) : T(-1078));
    const B n = nearest_integer(a);
    return scale_by_power_of_two(B(T(1)) + small_exponential((a - n) * B(T(0x1.62e42fefa39efp-1))), n);
}

/// e^x - 1. Up to one half n is 0, so that nothing is taken away from what 2^n - 1 lost; q has a degree more for it.
template <class B>
EDGE_ALWAYS_INLINE B expm1(const B& x) {
    using T = lane_of<B>;
    // Below the first bound it is -1. Above the second one e^x takes over, which knows how to overflow.
    const T high = is_float32<B> ? T(80) : T(700);
    const B a = at_least(at_most(x, high), is_float32<B> ? T(-20) : T(-40));
    const auto [n, r] = reduce_exponent(a, xsimd::abs(x) < B(T(0.5)));
    B q;
    if constexpr (is_float32<B>) {
        q = polynomial(r, 0x1.000002p-1f, 0x1.555558p-3f, 0x1.55527ap-5f, 0x1.110edap-7f, 0x1.6ef232p-10f,
                       0x1.a34dbep-13f);
    } else {
        q = polynomial(r, 0x1p-1, 0x1.55555555555e4p-3, 0x1.555555555561cp-5, 0x1.11111110f1959p-7,
                       0x1.6c16c16be76ddp-10, 0x1.a01a0230659bdp-13, 0x1.a01a02379a0b2p-16, 0x1.71dd19bfe3e47p-19,
                       0x1.27e4105bbf432p-22, 0x1.b070210005700p-26, 0x1.204c6bcb34e5ap-29);
    }
    const B scale = power_of_two(n);
    const B y = simd::fma(scale, simd::fma(r * r, q, r), scale - B(T(1))) | sign_of(x);  // keeps -0
    return xsimd::select(x > B(high), exponential(x), y);
}

/// 1 / (1 + e^-x), by e = e^-|x|: the quotient y, and then 1 - e·y or e - e·y, which takes the error of y by its part e.
template <class B>
EDGE_ALWAYS_INLINE B sigmoid(const B& x) {
    using T = lane_of<B>;
    const B one(T(1));
    const B e = exponential(-xsimd::abs(x));
    const B above = xsimd::select(x < B(T(0)), e, one);
    return simd::fnma(e, simd::divide(above, one + e), above);
}

}  // namespace edge::simd::detail
