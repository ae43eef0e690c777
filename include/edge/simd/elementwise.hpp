// SPDX-License-Identifier: MIT
#pragma once

/// @file Elementwise operations: arithmetic, comparisons, choice. Each gives an expression; `eval` or `assign` computes it.
///
///     auto e = edge::where(a > 0.0f, edge::sqrt(a), edge::minimum(a, b) / 2.0f);
///
/// | numbers  | `+ - * /`, unary `-`, `abs sign square sqrt clip fma relu`, `minimum maximum fmin fmax` |
/// | division | `%`, `fmod`, `remainder`, `floor_divide`                                              |
/// | truth    | `< <= > >= == !=`, `isnan isinf isfinite signbit`                                     |
/// | logic    | `& \| ^ ~` of truth values, `logical_and logical_or logical_xor logical_not` of all    |
/// | choice   | `where(condition, a, b)`                                                              |
///
/// Operands are tensors, views, expressions, contiguous ranges and scalars; an operator needs one that is of this
/// library, for a range alone say `edge::view(v)`. Floats are those of IEEE 754 and NumPy: `minimum` and `maximum` give
/// NaN where either operand is NaN, `fmin` and `fmax` the other one. Integers wrap; they divide toward zero as in C++, and
/// a zero divisor is an `argument_error`. `a % b` of integers and `fmod` have the sign of a, as in C++; `remainder` has
/// that of b, as NumPy's `%`, and goes with `floor_divide`. Bits of integers are in `edge/simd/bits.hpp`, functions of
/// floats in `edge/simd/math.hpp`.

#include <edge/simd/cast.hpp>

namespace edge {

/// Two arrays of one type, or one and a scalar.
template <class A, class B>
concept number_operands = same_element_types<A, B> ||(number_array<A>&& scalar_for<B, value_type_of<A>>) ||
                          (number_array<B> && scalar_for<A, value_type_of<B>>);

/// Operands of an operator, one of which is of this library, so that those of others are left alone.
template <class A, class B>
concept operator_operands = (edge_array<A> || edge_array<B>)&&number_operands<A, B>;

namespace detail {

/// The same as one atom: clang 14 crashes when it compares the parts of a concept for `a == b` and its reverse.
template <class A, class B>
inline constexpr bool comparable = operator_operands<A, B>;

template <class A, class... Rest>
struct element_of {
    using type = typename element_of<Rest...>::type;
};
template <array A, class... Rest>
struct element_of<A, Rest...> {
    using type = value_type_of<A>;
};
template <class A>
requires(!array<A>) struct element_of<A> {
    using type = std::remove_cvref_t<A>;
};

/// The type that an operation on these operands has: that of the first array.
template <class... X>
using element_of_t = typename element_of<X...>::type;

template <class Op, class... X>
[[nodiscard]] auto number_node(X&&... x) {
    using T = element_of_t<X...>;
    return make_node<Op>(as_operand<T>(std::forward<X>(x))...);
}

}  // namespace detail

template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator+(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::add>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator-(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::subtract>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator*(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::multiply>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator/(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::divide>(std::forward<A>(a), std::forward<B>(b));
}

/// Two arrays of one type of integers, or one and a scalar.
template <class A, class B>
concept integer_operands = number_operands<A, B> && std::integral<detail::element_of_t<A, B>>;

/// What an integer division leaves, with the sign of a.
template <class A, class B>
requires operator_operands<A, B> && integer_operands<A, B>
[[nodiscard]] auto operator%(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::fmod>(std::forward<A>(a), std::forward<B>(b));
}
template <edge_array A>
requires number_array<A>
[[nodiscard]] auto operator-(A&& a) { return detail::number_node<simd::detail::op::negative>(std::forward<A>(a)); }

template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator<(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::less>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator<=(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::less_equal>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator>(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::greater>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires operator_operands<A, B>
[[nodiscard]] auto operator>=(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::greater_equal>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires(detail::comparable<A, B>) [[nodiscard]] auto operator==(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::equal>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires(detail::comparable<A, B>) [[nodiscard]] auto operator!=(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::not_equal>(std::forward<A>(a), std::forward<B>(b));
}

namespace detail {

/// Truth values, of whatever numbers they are about, in the lanes of the first that has some.
template <class Op, class A, class B>
[[nodiscard]] auto truth_node(A a, B b) {
    using T = typename first_lane<typename A::lane_type, typename B::lane_type>::type;
    if constexpr (std::is_void_v<T>) {
        return make_node<Op>(std::move(a), std::move(b));
    } else {
        return make_node<Op>(as_lanes<T>(std::move(a)), as_lanes<T>(std::move(b)));
    }
}

}  // namespace detail

template <edge_array A, edge_array B>
requires truth_array<A> && truth_array<B>
[[nodiscard]] auto operator&(A&& a, B&& b) {
    return detail::truth_node<simd::detail::op::logical_and>(detail::as_node(std::forward<A>(a)),
                                                             detail::as_node(std::forward<B>(b)));
}
template <edge_array A, edge_array B>
requires truth_array<A> && truth_array<B>
[[nodiscard]] auto operator|(A&& a, B&& b) {
    return detail::truth_node<simd::detail::op::logical_or>(detail::as_node(std::forward<A>(a)),
                                                            detail::as_node(std::forward<B>(b)));
}
template <edge_array A, edge_array B>
requires truth_array<A> && truth_array<B>
[[nodiscard]] auto operator^(A&& a, B&& b) {
    return detail::truth_node<simd::detail::op::logical_xor>(detail::as_node(std::forward<A>(a)),
                                                             detail::as_node(std::forward<B>(b)));
}
template <edge_array A>
requires truth_array<A>
[[nodiscard]] auto operator~(A&& a) {
    return detail::make_node<simd::detail::op::logical_not>(detail::as_node(std::forward<A>(a)));
}

template <array A, array B>
[[nodiscard]] auto logical_and(A&& a, B&& b) {
    return detail::truth_node<simd::detail::op::logical_and>(edge::cast<bool>(std::forward<A>(a)),
                                                             edge::cast<bool>(std::forward<B>(b)));
}
template <array A, array B>
[[nodiscard]] auto logical_or(A&& a, B&& b) {
    return detail::truth_node<simd::detail::op::logical_or>(edge::cast<bool>(std::forward<A>(a)),
                                                            edge::cast<bool>(std::forward<B>(b)));
}
template <array A, array B>
[[nodiscard]] auto logical_xor(A&& a, B&& b) {
    return detail::truth_node<simd::detail::op::logical_xor>(edge::cast<bool>(std::forward<A>(a)),
                                                             edge::cast<bool>(std::forward<B>(b)));
}
template <array A>
[[nodiscard]] auto logical_not(A&& a) {
    return detail::make_node<simd::detail::op::logical_not>(edge::cast<bool>(std::forward<A>(a)));
}

/// |a|; of the lowest integer, itself.
template <number_array A>
[[nodiscard]] auto abs(A&& a) {
    return detail::number_node<simd::detail::op::absolute>(std::forward<A>(a));
}

/// -1, 0 or 1; NaN of NaN.
template <number_array A>
[[nodiscard]] auto sign(A&& a) {
    return detail::number_node<simd::detail::op::sign>(std::forward<A>(a));
}

template <number_array A>
[[nodiscard]] auto square(A&& a) {
    return detail::number_node<simd::detail::op::square>(std::forward<A>(a));
}

/// Correctly rounded; NaN below zero.
template <number_array A>
requires std::floating_point<value_type_of<A>>
[[nodiscard]] auto sqrt(A&& a) { return detail::number_node<simd::detail::op::square_root>(std::forward<A>(a)); }

template <number_array A>
requires std::floating_point<value_type_of<A>>
[[nodiscard]] auto isnan(A&& a) { return detail::number_node<simd::detail::op::isnan>(std::forward<A>(a)); }
template <number_array A>
requires std::floating_point<value_type_of<A>>
[[nodiscard]] auto isinf(A&& a) { return detail::number_node<simd::detail::op::isinf>(std::forward<A>(a)); }
template <number_array A>
requires std::floating_point<value_type_of<A>>
[[nodiscard]] auto isfinite(A&& a) { return detail::number_node<simd::detail::op::isfinite>(std::forward<A>(a)); }
template <number_array A>
requires std::floating_point<value_type_of<A>>
[[nodiscard]] auto signbit(A&& a) { return detail::number_node<simd::detail::op::signbit>(std::forward<A>(a)); }

/// The smaller of each pair, NaN where either is NaN.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto minimum(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::minimum>(std::forward<A>(a), std::forward<B>(b));
}

/// The larger of each pair, NaN where either is NaN.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto maximum(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::maximum>(std::forward<A>(a), std::forward<B>(b));
}

/// The smaller of each pair, NaN where both are.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto fmin(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::fmin>(std::forward<A>(a), std::forward<B>(b));
}

/// The larger of each pair, NaN where both are.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto fmax(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::fmax>(std::forward<A>(a), std::forward<B>(b));
}

/// a - b·n, n the whole number toward zero: it has the sign of a. Exact.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto fmod(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::fmod>(std::forward<A>(a), std::forward<B>(b));
}

/// a - b·n, n the whole number below a / b: it has the sign of b. Exact before the last sum.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto remainder(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::remainder>(std::forward<A>(a), std::forward<B>(b));
}

/// The whole number below a / b.
template <class A, class B>
requires number_operands<A, B>
[[nodiscard]] auto floor_divide(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::floor_divide>(std::forward<A>(a), std::forward<B>(b));
}

/// `minimum(maximum(a, low), high)`, as NumPy's: `high` wins where the bounds cross.
template <number_array A, class Low, class High>
requires number_operands<A, Low> && number_operands<A, High>
[[nodiscard]] auto clip(A&& a, Low&& low, High&& high) {
    return edge::minimum(edge::maximum(std::forward<A>(a), std::forward<Low>(low)), std::forward<High>(high));
}

/// a·b + c, rounded once where the processor has the instruction, else twice. Integers wrap.
template <class A, class B, class C>
requires number_operands<A, B> &&(number_operands<A, C> || number_operands<B, C>)
    [[nodiscard]] auto fma(A&& a, B&& b, C&& c) {
    return detail::number_node<simd::detail::op::fma>(std::forward<A>(a), std::forward<B>(b), std::forward<C>(c));
}

/// Element by element: `a` where the condition holds, else `b`. Both are computed.
template <truth_array C, class A, class B>
requires(number_operands<A, B> ||
         (std::same_as<std::remove_cvref_t<A>, std::remove_cvref_t<B>> && std::is_arithmetic_v<std::remove_cvref_t<A>>))
    [[nodiscard]] auto where(C&& condition, A&& a, B&& b) {
    using T = detail::element_of_t<A, B>;
    return detail::make_node<simd::detail::op::where>(detail::as_lanes<T>(detail::as_node(std::forward<C>(condition))),
                                                      detail::as_operand<T>(std::forward<A>(a)),
                                                      detail::as_operand<T>(std::forward<B>(b)));
}

}  // namespace edge
