// SPDX-License-Identifier: MIT
#pragma once

/// @file What kernels of functions are made of: polynomials, powers of two, signs.
///
///     B y = polynomial(x, 1.0f, 0.5f, 0.25f);        // 1 + x/2 + x²/4
///
/// Every kernel is written once for float32 and float64, without branches: special values are chosen at the end. The
/// products and sums are joined where the processor has an instruction for it, so the last bit may differ between one
/// that has it and one that has not; never between two elements of one array. So that a compiler joins no others, which it
/// might do in one place a kernel is inlined in and not in the next, a product that is added to something is said by
/// `fma`, is exact, or is `rounded`.

#include <edge/simd/exact.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

namespace edge::simd::detail {

template <class B>
using lane_of = typename B::value_type;
template <class B>
inline constexpr bool is_float32 = std::is_same_v<lane_of<B>, float>;

/// Whether a·b + c is one instruction that rounds once.
template <class Arch>
inline constexpr bool has_fma = std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>> || is_avx512<Arch> || is_neon64<Arch>;

/// c0 + c1·x + c2·x² + …
template <class B>
EDGE_ALWAYS_INLINE B polynomial(const B&, lane_of<B> c0) {
    return B(c0);
}
template <class B, class... C>
EDGE_ALWAYS_INLINE B polynomial(const B& x, lane_of<B> c0, C... higher) {
    return simd::fma(polynomial(x, higher...), x, B(c0));
}

/// The sign bit of each lane, all else zero.
template <class B>
EDGE_ALWAYS_INLINE B sign_of(const B& x) {
    return x & B(lane_of<B>(-0.0));
}

/// 1.5·2^23 or 1.5·2^52: a number added to it is rounded to an integer, half to even, which is in its low bits.
template <class B>
inline constexpr lane_of<B> integer_magic = is_float32<B> ? lane_of<B>(0x1.8p23) : lane_of<B>(0x1.8p52);

/// For numbers below 2^22 or 2^51.
template <class B>
EDGE_ALWAYS_INLINE B nearest_integer(const B& x) {
    return (x + B(integer_magic<B>)) - B(integer_magic<B>);
}

/// x·c rounded to an integer.
template <class B>
EDGE_ALWAYS_INLINE B nearest_integer(const B& x, const B& c) {
    return simd::fma(x, c, B(integer_magic<B>)) - B(integer_magic<B>);
}

template <class B>
using bits_of = std::conditional_t<is_float32<B>, std::uint32_t, std::uint64_t>;
template <class B>
inline constexpr int mantissa_bits = is_float32<B> ? 23 : 52;
template <class B>
inline constexpr int exponent_bias = is_float32<B> ? 127 : 1023;

/// 2^n for an integer that is an exponent of a normal number.
template <class B>
EDGE_ALWAYS_INLINE B power_of_two(const B& n) {
    const B biased = n + B(integer_magic<B> + lane_of<B>(exponent_bias<B>));
    return detail::bitwise_cast<lane_of<B>>(detail::bitwise_cast<bits_of<B>>(biased) << mantissa_bits<B>);
}

/// x·2^n, rounded once: in two steps, for results that are subnormal or infinite.
template <class B>
EDGE_ALWAYS_INLINE B scale_by_power_of_two(const B& x, const B& n) {
    if constexpr (requires { simd::scale(x, n); }) {
        return simd::scale(x, n);
    } else {
        const B half = nearest_integer(n * B(lane_of<B>(0.5)));
        return rounded(x * power_of_two(half) * power_of_two(n - half));
    }
}

/// f, which is known for float64, of float32.
template <class F, class Arch, class... B>
EDGE_ALWAYS_INLINE batch<float, Arch> in_float64(F f, const batch<float, Arch>& a, const B&... b) {
    return narrow(f(widen_low(a), widen_low(b)...), f(widen_high(a), widen_high(b)...));
}

}  // namespace edge::simd::detail
