// SPDX-License-Identifier: MIT
#pragma once

/// @file Bits of integers, element by element.
///
///     edge::tensor<std::uint16_t> green = edge::eval((rgb565 >> 5) & 0x3f);
///
/// | bits   | `& | ^ ~` |
/// | shifts | `<< >>`   |
///
/// Both operands have one type. A count that is negative or as large as the type has bits leaves no bit of the number:
/// zero, or, for a negative number to the right, -1, as NumPy defines it.

#include <edge/simd/elementwise.hpp>

namespace edge {

/// Integers with an operator between them, one of which is of this library.
template <class A, class B>
concept bit_operands = operator_operands<A, B> && integer_operands<A, B>;

template <class A, class B>
requires bit_operands<A, B>
[[nodiscard]] auto operator&(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::bit_and>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires bit_operands<A, B>
[[nodiscard]] auto operator|(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::bit_or>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires bit_operands<A, B>
[[nodiscard]] auto operator^(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::bit_xor>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires bit_operands<A, B>
[[nodiscard]] auto operator<<(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::shift_left>(std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B>
requires bit_operands<A, B>
[[nodiscard]] auto operator>>(A&& a, B&& b) {
    return detail::number_node<simd::detail::op::shift_right>(std::forward<A>(a), std::forward<B>(b));
}
template <edge_array A>
requires number_array<A> && std::integral<value_type_of<A>>
[[nodiscard]] auto operator~(A&& a) { return detail::number_node<simd::detail::op::bit_not>(std::forward<A>(a)); }

}  // namespace edge
