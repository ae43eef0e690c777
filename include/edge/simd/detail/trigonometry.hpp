// SPDX-License-Identifier: MIT
#pragma once

/// @file sin, cos and tan of registers: the argument less a multiple of π/2, then a polynomial.
///
/// xsimd's choose the way of reduction by all lanes together, so that a value depends on its neighbours, and lose digits
/// near multiples of π. Here float64 is reduced by π/2 in four parts with what each subtraction loses carried along.
/// float32 is reduced by three parts where a product and a sum are one instruction: the first of them is then exact.
/// Without one it is computed in float64. Larger arguments go to the C library one by one. Constants and polynomials:
/// float64 FreeBSD msun, e_rem_pio2.c, k_sin.c, k_cos.c; float32 by Remez' algorithm, sin to 2^-27.9, cos to 2^-33.1.

#include <edge/simd/detail/polynomial.hpp>

namespace edge::simd::detail {

/// a - b and what its rounding lost. Source: Knuth, "The art of computer programming" 2, section 4.2.2, theorem B.
template <class B>
struct difference {
    B value;
    B error;
    difference(const B& a, const B& b) : value(a - b), error(b) {
        const B taken = value - a;
        error = (a - (value - taken)) - (b + taken);
    }
};

/// sin and cos of x less `turns` quarter turns, which lie within an eighth of a turn.
template <class B>
struct reduced_angle {
    B turns;
    B sine;
    B cosine;
};

/// |x| up to 2^20·π/2
template <class Arch>
EDGE_ALWAYS_INLINE reduced_angle<batch<double, Arch>> reduce_angle(const batch<double, Arch>& x) {
    using B = batch<double, Arch>;
    const B n = nearest_integer(x, B(6.36619772367581382433e-01));
    // Each part has 33 bits or fewer, so that its product with n, below 2^20, is exact.
    const difference<B> first(x - n * B(1.57079632673412561417e+00), n * B(6.07710050630396597660e-11));
    const difference<B> second(first.value, n * B(2.02226624871116645580e-21));
    const B lost = first.error + (second.error - rounded(n * B(8.47842766036889956997e-32)));
    const B r = second.value + lost;
    const B tail = (second.value - r) + lost;

    const B z = r * r;
    const B half_z = z * B(0.5);
    const B s = polynomial(z, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                           -2.50507602534068634195e-08, 1.58969099521155010221e-10);
    const B cube = z * r;
    const B bent = simd::fms(z, simd::fnma(cube, s, tail * B(0.5)), tail);
    const B sine = r - simd::fma(cube, B(1.66666666666666324348e-01), bent);
    const B c = z * polynomial(z, 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                               -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11);
    const B one(1.0);
    const B near = one - half_z;
    return {n, sine, near + (((one - near) - half_z) + simd::fms(z, c, r * tail))};
}

/// |x| up to 2^16. x - n·(first part of π/2) fits 24 bits: both are multiples of the last bit of the smaller.
template <class Arch>
EDGE_ALWAYS_INLINE reduced_angle<batch<float, Arch>> reduce_angle(const batch<float, Arch>& x) {
    using B = batch<float, Arch>;
    const B n = nearest_integer(x, B(0x1.45f306p-1f));
    B r = simd::fnma(n, B(0x1.921fb6p+0f), x);
    r = simd::fma(n, B(0x1.777a5cp-25f), r);
    r = simd::fma(n, B(0x1.ee59dap-50f), r);
    const B z = r * r;
    const B s = polynomial(z, -0x1.555544p-3f, 0x1.1106fcp-7f, -0x1.992c06p-13f);
    const B c = polynomial(z, -0.5f, 0x1.55554ap-5f, -0x1.6c0c22p-10f, 0x1.99e352p-16f);
    return {n, simd::fma(r * z, s, r), simd::fma(z, c, B(1.0f))};
}

/// Whether `turns`, of which the low bits of `turns + magic` are a whole number, is odd; and its second bit as a sign.
template <class B>
EDGE_ALWAYS_INLINE B turned(const reduced_angle<B>& angle, const B& turns) {
    using U = bits_of<B>;
    using I = batch<U, typename B::arch_type>;
    const I bits = detail::bitwise_cast<U>(turns + B(integer_magic<B>));
    const B odd = detail::bitwise_cast<lane_of<B>>(bits << (8 * sizeof(U) - 1));  // -0 or 0
    const B sign = detail::bitwise_cast<lane_of<B>>((bits >> 1) << (8 * sizeof(U) - 1));
    const B one(lane_of<B>(1));
    return xsimd::select((one | odd) < B(lane_of<B>(0)), angle.cosine, angle.sine) ^ sign;
}

/// For the lanes beyond the reduction's range: `scalar` of the argument.
template <class T, class Arch, class F>
EDGE_ALWAYS_INLINE batch<T, Arch> large_arguments(const batch<T, Arch>& x, T limit, const batch<T, Arch>& result,
                                                  F scalar) {
    const auto is_small = xsimd::abs(x) <= batch<T, Arch>(limit);  // false for NaN
    if (xsimd::all(is_small)) return result;
    alignas(alignment) T from[lanes<T, Arch>];
    alignas(alignment) T to[lanes<T, Arch>];
    x.store_aligned(from);
    result.store_aligned(to);
    for (std::size_t i = 0; i < lanes<T, Arch>; ++i)
        if (!(std::fabs(from[i]) <= limit)) to[i] = scalar(from[i]);
    return batch<T, Arch>::load_aligned(to);
}

template <class B>
inline constexpr lane_of<B> largest_angle = is_float32<B> ? lane_of<B>(65536) : lane_of<B>(1647099);

/// f(angle), or `scalar` of what is too large, with -0 kept where f is odd.
template <class T, class Arch, class F, class S>
EDGE_ALWAYS_INLINE batch<T, Arch> of_angle(const batch<T, Arch>& x, F f, S scalar) {
    using B = batch<T, Arch>;
    if constexpr (std::is_same_v<T, float> && !has_fma<Arch>) {
        const auto wide = [&](const auto& v) { return f(v, reduce_angle(v)); };
        return large_arguments(x, largest_angle<B>, in_float64(wide, x), scalar);
    } else {
        return large_arguments(x, largest_angle<B>, f(x, reduce_angle(x)), scalar);
    }
}

template <class T, class Arch>
EDGE_ALWAYS_INLINE batch<T, Arch> sine(const batch<T, Arch>& x) {
    const auto f = [](const auto& v, const auto& angle) {
        using B = std::remove_cvref_t<decltype(v)>;
        return xsimd::select(v == B(lane_of<B>(0)), v, turned(angle, angle.turns));
    };
    return of_angle(x, f, [](T v) { return std::sin(v); });
}

template <class T, class Arch>
EDGE_ALWAYS_INLINE batch<T, Arch> cosine(const batch<T, Arch>& x) {
    const auto f = [](const auto&, const auto& angle) {
        using B = std::remove_cvref_t<decltype(angle.turns)>;
        return turned(angle, angle.turns + B(lane_of<B>(1)));
    };
    return of_angle(x, f, [](T v) { return std::cos(v); });
}

/// float32 by way of float64: the quotient of two floats would be off by two units.
template <class T, class Arch>
EDGE_ALWAYS_INLINE batch<T, Arch> tangent(const batch<T, Arch>& x) {
    const auto f = [](const auto& v) {
        using B = std::remove_cvref_t<decltype(v)>;
        const auto angle = reduce_angle(v);
        const B one(lane_of<B>(1));
        const B y = turned(angle, angle.turns) / turned(angle, angle.turns + one);
        return xsimd::select(v == B(lane_of<B>(0)), v, y);
    };
    batch<T, Arch> y;
    if constexpr (std::is_same_v<T, float>) {
        y = in_float64(f, x);
    } else {
        y = f(x);
    }
    return large_arguments(x, largest_angle<batch<T, Arch>>, y, [](T v) { return std::tan(v); });
}

}  // namespace edge::simd::detail
