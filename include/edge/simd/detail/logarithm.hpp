// SPDX-License-Identifier: MIT
#pragma once

/// @file Logarithms of registers: of x and of 1 + x, to the bases e, 2 and 10.
///
///     x = 2^k·(1 + f), √½ ≤ 1 + f < √2        log(1 + f) = f + tail(f)
///
/// The tail of float32 is the polynomial of least error (2^-27 of f, by Remez' algorithm); that of float64 a series in
/// f / (2 + f), whose form is that of FreeBSD msun, e_log.c, with coefficients for this interval (2^-58).

#include <edge/simd/detail/polynomial.hpp>

namespace edge::simd::detail {

/// log x = k·ln 2 + (f + tail)
template <class B>
struct logarithm_parts {
    B k;
    B f;
    B tail;
};

/// log(1 + f) - f
template <class B>
EDGE_ALWAYS_INLINE B logarithm_tail(const B& f) {
    using T = lane_of<B>;
    const B half_square = f * f * B(T(0.5));
    if constexpr (is_float32<B>) {
        const B p = polynomial(f, 0x1.55554ap-2f, -0x1.00022p-2f, 0x1.99a596p-3f, -0x1.54788ap-3f, 0x1.226e54p-3f,
                               -0x1.0ce082p-3f, 0x1.07d0b8p-3f, -0x1.41ed6ap-4f);
        return simd::fms(f * f * f, p, half_square);
    } else {
        const B s = f / (B(T(2)) + f);
        const B z = s * s;
        const B r =
            z * polynomial(z, 0x1.5555555555593p-1, 0x1.999999997fb2fp-2, 0x1.2492494217c67p-2, 0x1.c71c51e7dd198p-3,
                           0x1.74664631263a7p-3, 0x1.39a0f49e1804ap-3, 0x1.2f0d91e8b3d18p-3);
        return simd::fms(s, half_square + rounded(r), half_square);
    }
}

/// The parts of a positive normal number, or of one that was brought there: x·2^`up`.
template <class B>
EDGE_ALWAYS_INLINE logarithm_parts<B> split_normal(const B& x, const B& up) {
    using T = lane_of<B>;
    using U = bits_of<B>;
    using I = batch<U, typename B::arch_type>;
    constexpr U one = is_float32<B> ? U(0x3f800000) : U(0x3ff0000000000000);
    constexpr U root = is_float32<B> ? U(0x3f3504f3) : U(0x3fe6a09e667f3bcd);   // √½
    constexpr U power = is_float32<B> ? U(0x4b000000) : U(0x4330000000000000);  // 2^23, 2^52: they show their low bits
    const I bits = detail::bitwise_cast<U>(x) + I(one - root);
    const B exponent = detail::bitwise_cast<T>((bits >> mantissa_bits<B>) | I(power));
    const B m = detail::bitwise_cast<T>((bits & I((U(1) << mantissa_bits<B>)-1)) + I(root));
    const B f = m - B(T(1));
    return {exponent - (B((is_float32<B> ? T(0x1p23) : T(0x1p52)) + T(exponent_bias<B>)) + up), f, logarithm_tail(f)};
}

/// The parts of a positive number.
template <class B>
EDGE_ALWAYS_INLINE logarithm_parts<B> split_logarithm(const B& x) {
    using T = lane_of<B>;
    const auto is_small = x < B((std::numeric_limits<T>::min)());
    const B up(is_float32<B> ? T(25) : T(54));
    return split_normal(xsimd::select(is_small, x * B(is_float32<B> ? T(0x1p25) : T(0x1p54)), x),
                        xsimd::select(is_small, up, B(T(0))));
}

/// `y` where x is positive and finite; what x, of which it is the logarithm, asks for elsewhere.
template <class B>
EDGE_ALWAYS_INLINE B logarithm_ends(const B& x, const B& y) {
    using limits = std::numeric_limits<lane_of<B>>;
    const B zero(lane_of<B>(0));
    const B positive = xsimd::select(x < B(limits::infinity()), y, x);  // infinity and NaN are their own
    const B not_positive = xsimd::select(x < zero, B(limits::quiet_NaN()), B(-limits::infinity()));
    return xsimd::select(x <= zero, not_positive, positive);
}

// Sums of the parts, the large ones last. The first parts of ln 2 and log10 2 have few bits: their product with k is exact.

struct natural {
    template <class B>
    EDGE_ALWAYS_INLINE static B of(const logarithm_parts<B>& x) {
        using T = lane_of<B>;
        const B high(is_float32<B> ? T(0x1.62e4p-1) : T(0x1.62e42fefa4p-1));
        const B low(is_float32<B> ? T(0x1.7f7d1cp-20) : T(-0x1.8432a1b0e2634p-43));
        return simd::fma(x.k, high, x.f + simd::fma(x.k, low, x.tail));
    }
};
struct binary {
    template <class B>
    EDGE_ALWAYS_INLINE static B of(const logarithm_parts<B>& x) {
        using T = lane_of<B>;
        const B high(is_float32<B> ? T(0x1.715476p+0) : T(0x1.71547652b82fep+0));
        const B low(is_float32<B> ? T(0x1.4ae0cp-26) : T(0x1.777d0ffda0d24p-56));
        return x.k + simd::fma(x.f, high, simd::fma(x.tail, high, x.f * low));
    }
};
struct decimal {
    template <class B>
    EDGE_ALWAYS_INLINE static B of(const logarithm_parts<B>& x) {
        using T = lane_of<B>;
        const B high(is_float32<B> ? T(0x1.bcb7b2p-2) : T(0x1.bcb7b1526e50ep-2));
        const B low(is_float32<B> ? T(-0x1.5b235ep-27) : T(0x1.95355baaafad3p-57));
        const B two_high(is_float32<B> ? T(0x1.344p-2) : T(0x1.34413509f8p-2));
        const B two_low(is_float32<B> ? T(0x1.3509f8p-18) : T(-0x1.80433b83b532ap-44));
        const B small = simd::fma(x.k, two_low, simd::fma(x.tail, high, x.f * low));
        return simd::fma(x.k, two_high, simd::fma(x.f, high, small));
    }
};

/// A register that holds a zero, a negative or subnormal number, an infinity or NaN.
template <class Base, class B>
EDGE_NEVER_INLINE B logarithm_of_any(B x) {
    return logarithm_ends(x, Base::of(split_logarithm(x)));
}

/// The same bits either way.
template <class Base, class B>
EDGE_ALWAYS_INLINE B logarithm(const B& x) {
    using limits = std::numeric_limits<lane_of<B>>;
    if (!xsimd::all((x >= B((limits::min)())) & (x < B(limits::infinity())))) return logarithm_of_any<Base>(x);
    return Base::of(split_normal(x, B(lane_of<B>(0))));
}

/// log(1 + x + low): what the sum lost is added again, over the sum.
template <class B>
EDGE_ALWAYS_INLINE B log1p(const B& x, const B& low) {
    using T = lane_of<B>;
    const B one(T(1));
    const B sum = one + x;
    const B lost = xsimd::select(x < one, x - (sum - one), one - (sum - x));
    auto parts = split_logarithm(sum);
    parts.tail = parts.tail + simd::divide(lost + low, sum);
    const B y = logarithm_ends(sum, natural::of(parts));
    return xsimd::select(x == B(T(0)), x, y);  // -0 stays
}
template <class B>
EDGE_ALWAYS_INLINE B log1p(const B& x) {
    return log1p(x, B(lane_of<B>(0)));
}

/// log(1 + (a + b)), a ≥ b ≥ 0
template <class B>
EDGE_ALWAYS_INLINE B log1p_of_sum(const B& a, const B& b) {
    const B sum = a + b;
    return log1p(sum, b - (sum - a));
}

}  // namespace edge::simd::detail
