// SPDX-License-Identifier: MIT
#pragma once

/// @file sin and cos of registers: the argument less a multiple of π/2, then a polynomial.
///
/// xsimd's choose the way of reduction by all lanes together, so that a value depends on its neighbours, and lose digits
/// near multiples of π. Here float64 is reduced by π/2 in four parts with what each subtraction loses carried along, and
/// float32 is computed in float64, which makes it correctly rounded but for a few arguments in a million. Arguments
/// beyond 2^20·π/2 go to the C library one by one. Constants and polynomials: FreeBSD msun, e_rem_pio2.c, k_sin.c, k_cos.c.

#include <edge/simd/detail/xsimd_compat.hpp>

#include <cmath>

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

/// sin of x for `quarters` 0, cos for 1; |x| up to 2^20·π/2.
template <class Arch>
batch<double, Arch> reduced_sine(const batch<double, Arch>& x, double quarters) {
    using B = batch<double, Arch>;
    const B n = xsimd::nearbyint(x * B(6.36619772367581382433e-01));
    // Each part has 33 bits or fewer, so that its product with n, below 2^20, is exact.
    const difference<B> first(x - n * B(1.57079632673412561417e+00), n * B(6.07710050630396597660e-11));
    const difference<B> second(first.value, n * B(2.02226624871116645580e-21));
    const B lost = first.error + (second.error - rounded(n * B(8.47842766036889956997e-32)));
    const B r = second.value + lost;
    const B tail = (second.value - r) + lost;

    const B z = r * r;
    const B half_z = z * B(0.5);
    const B s = B(8.33333333332248946124e-03) +
                z * (B(-1.98412698298579493134e-04) +
                     z * (B(2.75573137070700676789e-06) +
                          z * (B(-2.50507602534068634195e-08) + z * B(1.58969099521155010221e-10))));
    const B cube = z * r;
    const B sine = r - ((z * (tail * B(0.5) - cube * s) - tail) - cube * B(-1.66666666666666324348e-01));
    const B c = z * (B(4.16666666666666019037e-02) +
                     z * (B(-1.38888888888741095749e-03) +
                          z * (B(2.48015872894767294178e-05) +
                               z * (B(-2.75573143513906633035e-07) +
                                    z * (B(2.08757232129817482790e-09) + z * B(-1.13596475577881948265e-11))))));
    const B one(1.0);
    const B near = one - half_z;
    const B cosine = near + (((one - near) - half_z) + (z * c - r * tail));

    const B turned = n + B(quarters);
    const B quadrant = turned - B(4.0) * xsimd::floor(turned * B(0.25));  // 0, 1, 2 or 3
    const B magnitude = xsimd::select((quadrant == B(1.0)) | (quadrant == B(3.0)), cosine, sine);
    return xsimd::select(quadrant >= B(2.0), B(-0.0) ^ magnitude, magnitude);
}

/// For the lanes beyond the reduction's range: `scalar` of the argument.
template <class T, class Arch, class F>
batch<T, Arch> large_arguments(const batch<T, Arch>& x, const batch<T, Arch>& result, F scalar) {
    const auto is_small = xsimd::abs(x) <= batch<T, Arch>(T(1647099));  // false for NaN
    if (xsimd::all(is_small)) return result;
    alignas(alignment) T from[lanes<T, Arch>];
    alignas(alignment) T to[lanes<T, Arch>];
    x.store_aligned(from);
    result.store_aligned(to);
    for (std::size_t i = 0; i < lanes<T, Arch>; ++i)
        if (!(std::fabs(from[i]) <= T(1647099))) to[i] = scalar(from[i]);
    return batch<T, Arch>::load_aligned(to);
}

template <class Arch>
batch<double, Arch> sine_or_cosine(const batch<double, Arch>& x, double quarters) {
    return reduced_sine(x, quarters);
}

template <class Arch>
batch<float, Arch> sine_or_cosine(const batch<float, Arch>& x, double quarters) {
    alignas(alignment) float narrow[lanes<float, Arch>];
    alignas(alignment) double wide[lanes<float, Arch>];
    x.store_aligned(narrow);
    for (std::size_t i = 0; i < lanes<float, Arch>; ++i) wide[i] = static_cast<double>(narrow[i]);
    for (std::size_t i = 0; i < lanes<float, Arch>; i += lanes<double, Arch>)
        reduced_sine(batch<double, Arch>::load_aligned(wide + i), quarters).store_aligned(wide + i);
    for (std::size_t i = 0; i < lanes<float, Arch>; ++i) narrow[i] = static_cast<float>(wide[i]);
    return batch<float, Arch>::load_aligned(narrow);
}

template <class T, class Arch>
batch<T, Arch> sine(const batch<T, Arch>& x) {
    const batch<T, Arch> result = xsimd::select(x == batch<T, Arch>(T(0)), x, sine_or_cosine(x, 0.0));  // -0 stays -0
    return large_arguments(x, result, [](T v) { return std::sin(v); });
}

template <class T, class Arch>
batch<T, Arch> cosine(const batch<T, Arch>& x) {
    return large_arguments(x, sine_or_cosine(x, 1.0), [](T v) { return std::cos(v); });
}

}  // namespace edge::simd::detail
