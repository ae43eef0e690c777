// SPDX-License-Identifier: MIT
#pragma once

/// @file The operations behind `edge/simd/math.hpp`: for each function of floats the kernel that computes a register.

#include <edge/simd/detail/hyperbolic.hpp>
#include <edge/simd/detail/inverse.hpp>
#include <edge/simd/detail/operation.hpp>
#include <edge/simd/detail/special.hpp>
#include <edge/simd/detail/trigonometry.hpp>

namespace edge::simd::detail {

/// `x` with the sign bit of `a`, which it has or lost: SSE2 goes through integers, where -0 is 0.
template <class B>
EDGE_ALWAYS_INLINE B keep_sign(const B& x, const B& a) {
    return x | sign_of(a);
}

/// f, which is for float64 only; float32 goes by way of it, and is correctly rounded but for a few in a million.
template <class F, class B, class... More>
EDGE_ALWAYS_INLINE B by_float64(F f, const B& a, const More&... b) {
    if constexpr (is_float32<B>) {
        return in_float64(f, a, b...);
    } else {
        return f(a, b...);
    }
}

namespace op {
struct floor : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return keep_sign(xsimd::floor(a), a);
    }
};

struct ceil : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return keep_sign(xsimd::ceil(a), a);
    }
};

struct trunc : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return keep_sign(xsimd::trunc(a), a);
    }
};

struct round : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return xsimd::nearbyint(a);
    }
};

struct reciprocal : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return simd::divide(B(lane_of<B>(1)), a);
    }
};

struct rsqrt : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return simd::divide(B(lane_of<B>(1)), simd::square_root(a));
    }
};

struct copysign : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return xsimd::abs(a) | sign_of(b);
    }
};

struct exp : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return exponential(a);
    }
};

struct exp2 : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return exponential2(a);
    }
};

struct expm1 : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return detail::expm1(a);
    }
};

struct log : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return logarithm<natural>(a);
    }
};

struct log2 : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return logarithm<binary>(a);
    }
};

struct log10 : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return logarithm<decimal>(a);
    }
};

struct log1p : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return detail::log1p(a);
    }
};

struct sin : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return sine(a);
    }
};

struct cos : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return cosine(a);
    }
};

struct tan : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return tangent(a);
    }
};

struct asin : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return arcsine(a);
    }
};

struct acos : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return arccosine(a);
    }
};

struct atan : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return arctangent(a);
    }
};

struct sinh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return hyperbolic_sine(a);
    }
};

struct cosh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return hyperbolic_cosine(a);
    }
};

struct tanh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return hyperbolic_tangent(a);
    }
};

struct sigmoid : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return detail::sigmoid(a);
    }
};

struct asinh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return by_float64([](const auto& x) { return inverse_hyperbolic_sine(x); }, a);
    }
};

struct acosh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return by_float64([](const auto& x) { return inverse_hyperbolic_cosine(x); }, a);
    }
};

struct atanh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return by_float64([](const auto& x) { return inverse_hyperbolic_tangent(x); }, a);
    }
};

struct cbrt : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return by_float64([](const auto& x) { return cube_root(x); }, a);
    }
};

struct erf : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        if constexpr (is_float32<B>) {
            return error_function(a);
        } else {
            return lane_by_lane([](double x) { return std::erf(x); }, a);
        }
    }
};

struct erfc : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return by_float64([](const auto& x) { return lane_by_lane([](double v) { return std::erfc(v); }, x); }, a);
    }
};

struct atan2 : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return arctangent2(a, b);
    }
};

struct hypot : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return length(a, b);
    }
};

struct pow : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (is_float32<B>) {
            return in_float64([](const auto& x, const auto& y) { return power_for_float32(x, y); }, a, b);
        } else {
            return lane_by_lane([](double x, double y) { return std::pow(x, y); }, a, b);
        }
    }
};

struct nextafter : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return lane_by_lane([](lane_of<B> x, lane_of<B> y) { return std::nextafter(x, y); }, a, b);
    }
};

struct silu : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return rounded(a * detail::sigmoid(a));
    }
};

struct softplus : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        const B zero(lane_of<B>(0));
        return xsimd::select(a < zero, zero, a) + detail::log1p(exponential(-xsimd::abs(a)));
    }
};

struct gelu : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        using T = lane_of<B>;
        return rounded(a * B(T(0.5)) * (B(T(1)) + erf::apply(a * B(T(0x1.6a09e667f3bcdp-1)))));
    }
};

struct gelu_tanh : function {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        using T = lane_of<B>;
        const B inner = a * B(T(0x1.9884533d43651p-1)) * simd::fma(a * a, B(T(0.044715)), B(T(1)));
        return rounded(a * B(T(0.5)) * (B(T(1)) + hyperbolic_tangent(inner)));
    }
};

}  // namespace op
}  // namespace edge::simd::detail
