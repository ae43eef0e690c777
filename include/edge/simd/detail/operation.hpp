// SPDX-License-Identifier: MIT
#pragma once

/// @file What an operation does to registers. Integers wrap, and no operation depends on its neighbours' lanes.
///
///     batch<float, Arch> c = op::minimum::apply(a, b);       // NaN where either is, as in NumPy
///
/// Everything is said in operations that give the same bits in every version of xsimd and on every architecture.

#include <edge/simd/exact.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace edge::simd::detail {

template <class B>
using lane_of = typename B::value_type;
template <class B>
inline constexpr bool is_signed_int = std::is_integral_v<lane_of<B>>&& std::is_signed_v<lane_of<B>>;

/// f of the same bits as unsigned lanes, since overflow of signed ones is undefined where a loop stands in for a missing
/// instruction.
template <class F, class T, class Arch, class... B>
EDGE_ALWAYS_INLINE batch<T, Arch> as_unsigned(F f, const batch<T, Arch>& a, const B&... b) {
    if constexpr (is_signed_int<batch<T, Arch>>) {
        using U = std::make_unsigned_t<T>;
        return detail::bitwise_cast<T>(f(detail::bitwise_cast<U>(a), detail::bitwise_cast<U>(b)...));
    } else {
        return f(a, b...);
    }
}

/// f for each lane, where there is no instruction.
template <class F, class T, class Arch>
EDGE_ALWAYS_INLINE batch<T, Arch> lane_by_lane(F f, const batch<T, Arch>& a, const batch<T, Arch>& b) {
    alignas(alignment) T x[lanes<T, Arch>];
    alignas(alignment) T y[lanes<T, Arch>];
    a.store_aligned(x);
    b.store_aligned(y);
    for (std::size_t i = 0; i < lanes<T, Arch>; ++i) x[i] = f(x[i], y[i]);
    return batch<T, Arch>::load_aligned(x);
}

namespace op {

/// Results of an operation: numbers of the operands' type, or truth values.
enum class gives { number, truth };

struct add {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return as_unsigned([](const auto& x, const auto& y) { return x + y; }, a, b);
    }
};

struct subtract {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return as_unsigned([](const auto& x, const auto& y) { return x - y; }, a, b);
    }
};

struct multiply {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return rounded(a * b);
        } else {
            return as_unsigned([](const auto& x, const auto& y) { return x * y; }, a, b);
        }
    }
};

/// Integers as C++ divides them, toward zero; the lowest by -1 wraps. That no divisor is zero was checked before.
struct divide {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        using T = lane_of<B>;
        if constexpr (std::is_floating_point_v<T>) {
            return simd::divide(a, b);
        } else {
            return lane_by_lane(
                [](T x, T y) {
                    if constexpr (std::is_signed_v<T>) {
                        if (y == T{-1})
                            return static_cast<T>(std::make_unsigned_t<T>{0} - static_cast<std::make_unsigned_t<T>>(x));
                    }
                    return static_cast<T>(x / y);
                },
                a, b);
        }
    }
};

struct negative {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return a ^ B(lane_of<B>{-0.0f});  // 0 - a would lose the sign of zero
        } else {
            return as_unsigned([](const auto& x) { return std::decay_t<decltype(x)>(0) - x; }, a);
        }
    }
};

struct absolute {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        if constexpr (is_signed_int<B>) {
            return xsimd::select(a < B(0), negative::apply(a), a);
        } else {
            return xsimd::abs(a);
        }
    }
};

struct square_root {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return simd::square_root(a);
    }
};

/// NaN where either operand is one; xsimd's own differ between versions there.
struct minimum {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::select((a < b) | xsimd::isnan(a), a, b);
        } else {
            return xsimd::select(a < b, a, b);
        }
    }
};

struct maximum {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::select((a > b) | xsimd::isnan(a), a, b);
        } else {
            return xsimd::select(a > b, a, b);
        }
    }
};

struct fma {
    static constexpr gives result = gives::number;
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b, const B& c) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::fma(a, b, c);
        } else {
            return add::apply(multiply::apply(a, b), c);
        }
    }
};

struct less {
    static constexpr gives result = gives::truth;
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a < b;
    }
};
struct less_equal {
    static constexpr gives result = gives::truth;
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a <= b;
    }
};
struct greater {
    static constexpr gives result = gives::truth;
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a > b;
    }
};
struct greater_equal {
    static constexpr gives result = gives::truth;
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a >= b;
    }
};
struct equal {
    static constexpr gives result = gives::truth;
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a == b;
    }
};
struct not_equal {
    static constexpr gives result = gives::truth;
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return ~(a == b);  // xsimd 8.1's `!=` is false for NaN on AVX
    }
};

struct logical_and {
    static constexpr gives result = gives::truth;
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a, const M& b) {
        return a & b;
    }
};
struct logical_or {
    static constexpr gives result = gives::truth;
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a, const M& b) {
        return a | b;
    }
};
struct logical_not {
    static constexpr gives result = gives::truth;
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a) {
        return !a;
    }
};

struct where {
    static constexpr gives result = gives::number;
    template <class M, class B>
    EDGE_ALWAYS_INLINE static B apply(const M& condition, const B& a, const B& b) {
        return xsimd::select(condition, a, b);
    }
};

}  // namespace op
}  // namespace edge::simd::detail
