// SPDX-License-Identifier: MIT
#pragma once

/// @file Functions of floats, element by element: as the operators, they give expressions.
///
///     edge::tensor<float> y = edge::eval(edge::tanh(w * x + b));
///
/// | rounding       | `floor ceil trunc round` (half to even), exact                |
/// | exponential    | `exp log tanh`, within 2 ulp of correctly rounded             |
/// | trigonometric  | `sin cos`, within 2 ulp                                       |
///
/// NaN, infinities, signed zeros and the ends of the range are NumPy's.

#include <edge/simd/detail/trigonometry.hpp>
#include <edge/simd/elementwise.hpp>

namespace edge {

/// An array of float32 or float64.
template <class X>
concept float_array = number_array<X> && std::floating_point<value_type_of<X>>;

namespace simd::detail::op {

// The longer ones are called, not inlined: a call is a tenth of their time, and every expression would hold two copies.

/// `x` with the sign bit of `a`, which it has or lost: SSE2 goes through integers, where -0 is 0.
template <class B>
EDGE_ALWAYS_INLINE B keep_sign(const B& x, const B& a) {
    return x | (a & B(lane_of<B>(-0.0)));
}

struct floor {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return keep_sign(xsimd::floor(a), a);
    }
};
struct ceil {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return keep_sign(xsimd::ceil(a), a);
    }
};
struct trunc {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return keep_sign(xsimd::trunc(a), a);
    }
};
struct round {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return xsimd::nearbyint(a);
    }
};
/// xsimd's ends early on both sides: infinity from 88.38 on where floats last to 88.72, and zero for what is subnormal.
/// There the argument is shifted by a number whose exponential is a float to within 0.005 units of its last place.
struct exp {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_NEVER_INLINE static B apply(const B& a) {
        using T = lane_of<B>;
        constexpr bool is_double = std::is_same_v<T, double>;
        constexpr T shift = is_double ? T(227.109375) : T(42.21875);
        constexpr T up = is_double ? T(0x1.91964b0086b05p+327) : T(0x1.e0a124p+60);    // exp(shift)
        constexpr T down = is_double ? T(0x1.46628f670e9bbp-328) : T(0x1.10b584p-61);  // exp(-shift)
        const auto is_large = a > B(is_double ? T(709) : T(88));
        const auto is_small = a < B(is_double ? T(-708) : T(-87));
        const B shifted = xsimd::select(is_large, a - B(shift), xsimd::select(is_small, a + B(shift), a));
        return xsimd::exp(shifted) * xsimd::select(is_large, B(up), xsimd::select(is_small, B(down), B(T(1))));
    }
};

/// xsimd's is wrong for subnormal float64: they are scaled up first.
struct log {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_NEVER_INLINE static B apply(const B& a) {
        using T = lane_of<B>;
        const auto is_small = a < B((std::numeric_limits<T>::min)());
        const B scaled = xsimd::select(is_small, a * B(T(0x1p54)), a);
        return xsimd::log(scaled) - xsimd::select(is_small, B(T(37.429947750237046)), B(T(0)));  // 54 ln 2
    }
};
struct tanh {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_NEVER_INLINE static B apply(const B& a) {
        return xsimd::tanh(a);
    }
};
struct sin {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_NEVER_INLINE static B apply(const B& a) {
        return sine(a);
    }
};
struct cos {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_NEVER_INLINE static B apply(const B& a) {
        return cosine(a);
    }
};

}  // namespace simd::detail::op

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
template <float_array A>
[[nodiscard]] auto round(A&& a) {
    return detail::number_node<simd::detail::op::round>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto exp(A&& a) {
    return detail::number_node<simd::detail::op::exp>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto log(A&& a) {
    return detail::number_node<simd::detail::op::log>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto tanh(A&& a) {
    return detail::number_node<simd::detail::op::tanh>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto sin(A&& a) {
    return detail::number_node<simd::detail::op::sin>(std::forward<A>(a));
}
template <float_array A>
[[nodiscard]] auto cos(A&& a) {
    return detail::number_node<simd::detail::op::cos>(std::forward<A>(a));
}

}  // namespace edge
