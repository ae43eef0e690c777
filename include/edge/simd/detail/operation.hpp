// SPDX-License-Identifier: MIT
#pragma once

/// @file What an operation does to registers. Integers wrap, and no operation depends on its neighbours' lanes.
///
///     batch<float, Arch> c = op::minimum::apply(a, b);       // NaN where either is, as in NumPy
///
/// Everything is said in operations that give the same bits in every version of xsimd and on every architecture.

#include <edge/simd/detail/polynomial.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace edge::simd::detail {

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
template <class F, class T, class Arch, class... B>
EDGE_ALWAYS_INLINE batch<T, Arch> lane_by_lane(F f, const batch<T, Arch>& a, const B&... b) {
    constexpr std::size_t n = lanes<T, Arch>;
    alignas(alignment) T x[n];
    alignas(alignment) T others[sizeof...(B) + 1][n];
    a.store_aligned(x);
    std::size_t k = 0;
    (b.store_aligned(others[k++]), ...);
    for (std::size_t i = 0; i < n; ++i) {
        if constexpr (sizeof...(B) == 0) {
            x[i] = f(x[i]);
        } else {
            x[i] = f(x[i], others[0][i]);
        }
    }
    return batch<T, Arch>::load_aligned(x);
}

namespace op {

/// Results of an operation: numbers of the operands' type, or truth values.
enum class gives { number, truth };

/// What an operation is unless it says otherwise.
struct number {
    static constexpr gives result = gives::number;
    static constexpr bool divides = false;  ///< by its second operand, which must not be zero where it is an integer
    static constexpr bool is_long = false;  ///< so that a second copy of it in a loop would not pay
};
struct truth : number {
    static constexpr gives result = gives::truth;
};
struct division : number {
    static constexpr bool divides = true;
};
struct function : number {
    static constexpr bool is_long = true;
};

struct add : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return as_unsigned([](const auto& x, const auto& y) { return x + y; }, a, b);
    }
};

struct subtract : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return as_unsigned([](const auto& x, const auto& y) { return x - y; }, a, b);
    }
};

struct multiply : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return rounded(a * b);
        } else {
            return as_unsigned([](const auto& x, const auto& y) { return x * y; }, a, b);
        }
    }
};

/// x / y of integers, defined for all: by -1 it wraps, and by zero, which is refused before where it can be, it is zero.
template <class T>
constexpr T quotient(T x, T y) noexcept {
    if constexpr (std::is_signed_v<T>) {
        if (y == T{-1}) return static_cast<T>(std::make_unsigned_t<T>{0} - static_cast<std::make_unsigned_t<T>>(x));
    }
    return y == T{0} ? T{0} : static_cast<T>(x / y);
}

/// What x / y leaves, with the sign of x.
template <class T>
constexpr T rest_of(T x, T y) noexcept {
    if constexpr (std::is_signed_v<T>) {
        if (y == T{-1}) return T{0};
    }
    return y == T{0} ? T{0} : static_cast<T>(x % y);
}

/// Integers as C++ divides them, toward zero; the lowest by -1 wraps. That no divisor is zero was checked before.
struct divide : division {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        using T = lane_of<B>;
        if constexpr (std::is_floating_point_v<T>) {
            return simd::divide(a, b);
        } else {
            return lane_by_lane([](T x, T y) { return quotient(x, y); }, a, b);
        }
    }
};

struct negative : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return a ^ B(lane_of<B>{-0.0f});  // 0 - a would lose the sign of zero
        } else {
            return as_unsigned([](const auto& x) { return std::decay_t<decltype(x)>(0) - x; }, a);
        }
    }
};

struct absolute : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        if constexpr (is_signed_int<B>) {
            return xsimd::select(a < B(0), negative::apply(a), a);
        } else {
            return xsimd::abs(a);
        }
    }
};

struct square_root : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return simd::square_root(a);
    }
};

/// NaN where either operand is one; xsimd's own differ between versions there.
struct minimum : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::select((a < b) | xsimd::isnan(a), a, b);
        } else {
            return xsimd::select(a < b, a, b);
        }
    }
};

struct maximum : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::select((a > b) | xsimd::isnan(a), a, b);
        } else {
            return xsimd::select(a > b, a, b);
        }
    }
};

/// What is left of a whole number of divisors: with the sign of the dividend, as C++'s `%` and std::fmod.
struct fmod : division {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        using T = lane_of<B>;
        return lane_by_lane(
            [](T x, T y) {
                if constexpr (std::is_floating_point_v<T>) {
                    return std::fmod(x, y);
                } else {
                    return rest_of(x, y);
                }
            },
            a, b);
    }
};

/// The same with the sign of the divisor, as NumPy's and Python's.
struct remainder : division {
    template <class T>
    static T of(T x, T y) {
        if constexpr (std::is_floating_point_v<T>) {
            const T rest = std::fmod(x, y);
            if (rest == T{0}) return std::copysign(T{0}, y);
            return (rest < T{0}) != (y < T{0}) ? rest + y : rest;
        } else {
            const T rest = rest_of(x, y);
            return rest != T{0} && (rest < T{0}) != (y < T{0}) ? static_cast<T>(rest + y) : rest;
        }
    }
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return lane_by_lane([](lane_of<B> x, lane_of<B> y) { return of(x, y); }, a, b);
    }
};

/// The quotient rounded down: what with `remainder` makes up the dividend.
struct floor_divide : division {
    template <class T>
    static T of(T x, T y) {
        if constexpr (std::is_floating_point_v<T>) {
            if (y == T{0}) return x / y;
            const T rest = std::fmod(x, y);
            T whole = (x - rest) / y;  // near a whole number
            if (rest != T{0} && (rest < T{0}) != (y < T{0})) whole -= T{1};
            if (whole == T{0}) return std::copysign(T{0}, x / y);
            const T down = std::floor(whole);
            return whole - down > T(0.5) ? down + T{1} : down;
        } else {
            const T whole = quotient(x, y);
            const T rest = rest_of(x, y);
            return rest != T{0} && (rest < T{0}) != (y < T{0}) ? static_cast<T>(whole - 1) : whole;
        }
    }
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return lane_by_lane([](lane_of<B> x, lane_of<B> y) { return of(x, y); }, a, b);
    }
};

/// -1, 0 or 1; NaN of NaN.
struct sign : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        using T = lane_of<B>;
        const B zero(T(0));
        const B up = xsimd::select(a > zero, B(T(1)), zero);
        if constexpr (std::is_unsigned_v<T>) {
            return up;
        } else if constexpr (std::is_integral_v<T>) {
            return xsimd::select(a < zero, B(T(-1)), up);
        } else {
            return xsimd::select(a == a, xsimd::select(a < zero, B(T(-1)), up), a);
        }
    }
};

struct square : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return multiply::apply(a, a);
    }
};

/// As `minimum` and `maximum`, but NaN only where both are.
struct fmin : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::select((a <= b) | xsimd::isnan(b), a, b);
        } else {
            return minimum::apply(a, b);
        }
    }
};
struct fmax : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return xsimd::select((a >= b) | xsimd::isnan(b), a, b);
        } else {
            return maximum::apply(a, b);
        }
    }
};

struct fma : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b, const B& c) {
        if constexpr (std::is_floating_point_v<lane_of<B>>) {
            return simd::fma(a, b, c);
        } else {
            return add::apply(multiply::apply(a, b), c);
        }
    }
};

struct less : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a < b;
    }
};
struct less_equal : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a <= b;
    }
};
struct greater : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a > b;
    }
};
struct greater_equal : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a >= b;
    }
};
struct equal : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return a == b;
    }
};
struct not_equal : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a, const B& b) {
        return ~(a == b);  // xsimd 8.1's `!=` is false for NaN on AVX
    }
};

struct isnan : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a) {
        return xsimd::isnan(a);
    }
};
struct isinf : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a) {
        return xsimd::abs(a) == B(std::numeric_limits<lane_of<B>>::infinity());
    }
};
struct isfinite : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a) {
        return xsimd::abs(a) < B(std::numeric_limits<lane_of<B>>::infinity());
    }
};
struct signbit : truth {
    template <class B>
    EDGE_ALWAYS_INLINE static auto apply(const B& a) {
        return (sign_of(a) | B(lane_of<B>(1))) < B(lane_of<B>(0));
    }
};

struct logical_and : truth {
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a, const M& b) {
        return a & b;
    }
};
struct logical_or : truth {
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a, const M& b) {
        return a | b;
    }
};
struct logical_xor : truth {
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a, const M& b) {
        return (a | b) & !(a & b);  // xsimd 8.1's `^` is `|` on AVX-512
    }
};
struct logical_not : truth {
    template <class M>
    EDGE_ALWAYS_INLINE static M apply(const M& a) {
        return !a;
    }
};

struct bit_and : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return a & b;
    }
};
struct bit_or : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return a | b;
    }
};
struct bit_xor : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        return a ^ b;
    }
};
struct bit_not : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a) {
        return ~a;
    }
};

/// All bits are gone where the count is that of the type or more, or negative; a sign stays to the right.
struct shift_left : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        using T = lane_of<B>;
        using U = std::make_unsigned_t<T>;
        return lane_by_lane(
            [](T x, T by) {
                const bool fits = static_cast<U>(by) < 8 * sizeof(T);
                return static_cast<T>(fits ? static_cast<U>(static_cast<U>(x) << (fits ? by : 0)) : U{0});
            },
            a, b);
    }
};
struct shift_right : number {
    template <class B>
    EDGE_ALWAYS_INLINE static B apply(const B& a, const B& b) {
        using T = lane_of<B>;
        return lane_by_lane(
            [](T x, T by) {
                const bool fits = static_cast<std::make_unsigned_t<T>>(by) < 8 * sizeof(T);
                return fits ? static_cast<T>(x >> (fits ? by : 0)) : static_cast<T>(x < T{0} ? -1 : 0);
            },
            a, b);
    }
};

struct where : number {
    template <class M, class B>
    EDGE_ALWAYS_INLINE static B apply(const M& condition, const B& a, const B& b) {
        return xsimd::select(condition, a, b);
    }
};

}  // namespace op
}  // namespace edge::simd::detail
