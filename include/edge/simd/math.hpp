// SPDX-License-Identifier: MIT
#pragma once

/// @file Functions of floats, element by element: as the operators, they give expressions.
///
///     edge::tensor<float> y = edge::eval(edge::tanh(w * x + b));
///
/// | rounding      | `floor ceil trunc rint` (half to even; `round` is the same, as in NumPy), exact             |
/// | exponential   | `exp exp2 expm1 sigmoid softplus`                                                           |
/// | logarithm     | `log log2 log10 log1p`                                                                      |
/// | trigonometric | `sin cos tan asin acos atan atan2`                                                          |
/// | hyperbolic    | `sinh cosh tanh asinh acosh atanh`                                                          |
/// | power         | `pow cbrt rsqrt reciprocal hypot`; `sqrt` and `square` are in `edge/simd/elementwise.hpp`   |
/// | special       | `erf erfc`, of networks `relu silu gelu gelu_tanh`                                          |
/// | bits          | `copysign nextafter`, exact                                                                 |
///
/// Within 2 units of the last place of the true value over the whole range, but for `erfc` and the float64 `erf` and
/// `pow`, which are the C library's, and `softplus silu gelu gelu_tanh`, which are the formulas said here, each step
/// so exact. NaN, infinities, signed zeros and the ends of the range are NumPy's. An element does not depend on its
/// neighbours; its last bit may differ between a processor that multiplies and adds in one step and one that does not.

#include <edge/simd/detail/math_operation.hpp>
#include <edge/simd/elementwise.hpp>

namespace edge {

/// An array of float32 or float64.
template <class X>
concept float_array = number_array<X> && std::floating_point<value_type_of<X>>;

/// Two arrays of one type of floats, or one and a scalar.
template <class A, class B>
concept float_operands = number_operands<A, B> && std::floating_point<detail::element_of_t<A, B>>;

template <float_array A>
[[nodiscard]] auto floor(A&& a) {
    return detail::number_node<simd::detail::op::floor>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto ceil(A&& a) {
    return detail::number_node<simd::detail::op::ceil>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto trunc(A&& a) {
    return detail::number_node<simd::detail::op::trunc>(std::forward<A>(a));
}
/// To the nearest whole number, half to even.
template <float_array A>
[[nodiscard]] auto rint(A&& a) {
    return detail::number_node<simd::detail::op::round>(std::forward<A>(a));
}
/// As `rint`, not as std::round: NumPy's.
template <float_array A>
[[nodiscard]] auto round(A&& a) {
    return detail::number_node<simd::detail::op::round>(std::forward<A>(a));
}

template <float_array A>
[[nodiscard]] auto exp(A&& a) {
    return detail::number_node<simd::detail::op::exp>(std::forward<A>(a));
}
/// 2^a
template <float_array A>
[[nodiscard]] auto exp2(A&& a) {
    return detail::number_node<simd::detail::op::exp2>(std::forward<A>(a));
}
/// e^a - 1, without loss near zero.
template <float_array A>
[[nodiscard]] auto expm1(A&& a) {
    return detail::number_node<simd::detail::op::expm1>(std::forward<A>(a));
}
/// 1 / (1 + e^-a)
template <float_array A>
[[nodiscard]] auto sigmoid(A&& a) {
    return detail::number_node<simd::detail::op::sigmoid>(std::forward<A>(a));
}
/// log(1 + e^a)
template <float_array A>
[[nodiscard]] auto softplus(A&& a) {
    return detail::number_node<simd::detail::op::softplus>(std::forward<A>(a));
}

/// The natural logarithm: -infinity of zero, NaN below.
template <float_array A>
[[nodiscard]] auto log(A&& a) {
    return detail::number_node<simd::detail::op::log>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto log2(A&& a) {
    return detail::number_node<simd::detail::op::log2>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto log10(A&& a) {
    return detail::number_node<simd::detail::op::log10>(std::forward<A>(a));
}
/// log(1 + a), without loss near zero.
template <float_array A>
[[nodiscard]] auto log1p(A&& a) {
    return detail::number_node<simd::detail::op::log1p>(std::forward<A>(a));
}

template <float_array A>
[[nodiscard]] auto sin(A&& a) {
    return detail::number_node<simd::detail::op::sin>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto cos(A&& a) {
    return detail::number_node<simd::detail::op::cos>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto tan(A&& a) {
    return detail::number_node<simd::detail::op::tan>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto asin(A&& a) {
    return detail::number_node<simd::detail::op::asin>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto acos(A&& a) {
    return detail::number_node<simd::detail::op::acos>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto atan(A&& a) {
    return detail::number_node<simd::detail::op::atan>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto sinh(A&& a) {
    return detail::number_node<simd::detail::op::sinh>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto cosh(A&& a) {
    return detail::number_node<simd::detail::op::cosh>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto tanh(A&& a) {
    return detail::number_node<simd::detail::op::tanh>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto asinh(A&& a) {
    return detail::number_node<simd::detail::op::asinh>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto acosh(A&& a) {
    return detail::number_node<simd::detail::op::acosh>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto atanh(A&& a) {
    return detail::number_node<simd::detail::op::atanh>(std::forward<A>(a));
}

/// The real cube root, also of negative numbers.
template <float_array A>
[[nodiscard]] auto cbrt(A&& a) {
    return detail::number_node<simd::detail::op::cbrt>(std::forward<A>(a));
}
/// 1 / √a, each step correctly rounded.
template <float_array A>
[[nodiscard]] auto rsqrt(A&& a) {
    return detail::number_node<simd::detail::op::rsqrt>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto reciprocal(A&& a) {
    return detail::number_node<simd::detail::op::reciprocal>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto erf(A&& a) {
    return detail::number_node<simd::detail::op::erf>(std::forward<A>(a));
}
/// 1 - erf a, without loss where that is small.
template <float_array A>
[[nodiscard]] auto erfc(A&& a) {
    return detail::number_node<simd::detail::op::erfc>(std::forward<A>(a));
}
/// a · sigmoid(a)
template <float_array A>
[[nodiscard]] auto silu(A&& a) {
    return detail::number_node<simd::detail::op::silu>(std::forward<A>(a));
}
/// a / 2 · (1 + erf(a / √2))
template <float_array A>
[[nodiscard]] auto gelu(A&& a) {
    return detail::number_node<simd::detail::op::gelu>(std::forward<A>(a));
}
/// a / 2 · (1 + tanh(√(2/π)·(a + 0.044715·a³)))
template <float_array A>
[[nodiscard]] auto gelu_tanh(A&& a) {
    return detail::number_node<simd::detail::op::gelu_tanh>(std::forward<A>(a));
}

/// The larger of a and 0; NaN of NaN.
template <number_array A>
[[nodiscard]] auto relu(A&& a) {
    return edge::maximum(std::forward<A>(a), value_type_of<A>(0));
}

/// a^b; NaN of a negative number to a power that is not whole.
template <class A, class B>
requires float_operands<A, B>
[[nodiscard]] auto pow(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::pow>(std::forward<A>(a), std::forward<B>(b));
}
/// The angle of the points (b, a), from -π to π.
template <class A, class B>
requires float_operands<A, B>
[[nodiscard]] auto atan2(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::atan2>(std::forward<A>(a), std::forward<B>(b));
}
/// √(a² + b²), without overflow on the way.
template <class A, class B>
requires float_operands<A, B>
[[nodiscard]] auto hypot(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::hypot>(std::forward<A>(a), std::forward<B>(b));
}
/// |a| with the sign of b.
template <class A, class B>
requires float_operands<A, B>
[[nodiscard]] auto copysign(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::copysign>(std::forward<A>(a), std::forward<B>(b));
}
/// The next number from a toward b.
template <class A, class B>
requires float_operands<A, B>
[[nodiscard]] auto nextafter(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::nextafter>(std::forward<A>(a), std::forward<B>(b));
}

}  // namespace edge
