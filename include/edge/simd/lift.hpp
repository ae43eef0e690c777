// SPDX-License-Identifier: MIT
#pragma once

/// @file Your own functions, element by element, in the same one pass.
///
///     constexpr auto softsign = edge::lift([](auto x) { return x / (1 + abs(x)); });
///     edge::assign(out, softsign(a) * b);
///
/// A generic function is called with registers, on which the operators and functions of this library work; each step is
/// done once, however often its result is used. One that takes numbers, such as `[](float x) { return std::lgamma(x); }`,
/// is called for each element; say `lift_scalar` where it is generic. Results are of the arguments' type, or truth
/// values. A function depends on nothing but its arguments, may run on several threads, and does not throw; what it
/// divides by an integer zero is zero.

#include <edge/simd/elementwise.hpp>

namespace edge {
namespace detail {

template <class X, class T>
inline constexpr bool is_lifted_operand = scalar_for<X, T>;
template <array X, class T>
inline constexpr bool is_lifted_operand<X, T> = std::same_as<value_type_of<X>, T>;

}  // namespace detail

/// What a lifted function is called with: one to three arrays of one type of numbers, and scalars beside them.
template <class... X>
concept lifted_operands = (array<X> || ...) && (sizeof...(X) <= 3) &&
                          (detail::is_lifted_operand<X, detail::element_of_t<X...>> && ...);

namespace detail {

/// What stands for an argument of type X.
template <class T, class X>
using pack_for = pack<T, simd::detail::default_arch>;

/// F of registers.
template <class F, bool gives_truth>
struct lifted_operation : simd::detail::op::function {
    static constexpr auto result = gives_truth ? simd::detail::op::gives::truth : simd::detail::op::gives::number;
    [[no_unique_address]] F f;
    explicit lifted_operation(const F& callable) : f(callable) {}
    template <class... B>
    EDGE_ALWAYS_INLINE auto apply(const B&... b) const {
        return f(as_pack(b)...).values;
    }
};

/// F of elements, one by one.
template <class F>
struct lifted_scalar_operation : simd::detail::op::function {
    [[no_unique_address]] F f;
    explicit lifted_scalar_operation(const F& callable) : f(callable) {}
    template <class T, class Arch, class... B>
    EDGE_ALWAYS_INLINE auto apply(const simd::batch<T, Arch>& first, const B&... rest) const {
        constexpr std::size_t n = simd::lanes<T, Arch>;
        alignas(alignment) T values[1 + sizeof...(B)][n];
        std::size_t k = 0;
        first.store_aligned(values[k++]);
        (rest.store_aligned(values[k++]), ...);
        for (std::size_t i = 0; i < n; ++i) values[0][i] = call(values, i, std::index_sequence_for<B...>());
        return simd::batch<T, Arch>::load_aligned(values[0]);
    }

private:
    template <class T, std::size_t count, std::size_t n, std::size_t... k>
    EDGE_ALWAYS_INLINE T call(const T (&values)[count][n], std::size_t i, std::index_sequence<k...>) const {
        static_assert(
            std::is_same_v<std::invoke_result_t<const F&, T, std::remove_cvref_t<decltype(values[k + 1][i])>...>, T>,
            "a lifted function of elements gives what it takes");
        return f(values[0][i], values[k + 1][i]...);
    }
};

template <class Op, class T, class... X>
[[nodiscard]] auto lifted_node(const Op& op, X&&... x) {
    return operation_node<Op, decltype(as_operand<T>(std::forward<X>(x)))...>(op, as_operand<T>(std::forward<X>(x))...);
}

}  // namespace detail

/// What a generic function is called with: a register of T. For those who name it, as a table of functions does.
template <element T>
using packed = detail::pack<T, simd::detail::default_arch>;

/// A function of elements as one of arrays; `f` is called for each element.
template <class F>
class lift_scalar {
public:
    constexpr explicit lift_scalar(F f) : f_(std::move(f)) {}

    template <class... X>
    requires lifted_operands<X...>
    [[nodiscard]] auto operator()(X&&... x) const {
        using T = detail::element_of_t<X...>;
        return detail::lifted_node<detail::lifted_scalar_operation<F>, T>(detail::lifted_scalar_operation<F>(f_),
                                                                          std::forward<X>(x)...);
    }

private:
    [[no_unique_address]] F f_;
};

/// A function of registers, or else of elements, as one of arrays.
template <class F>
class lift {
public:
    constexpr explicit lift(F f) : f_(std::move(f)) {}

    template <class... X>
    requires lifted_operands<X...>
    [[nodiscard]] auto operator()(X&&... x) const {
        using T = detail::element_of_t<X...>;
        if constexpr (std::is_invocable_v<const F&, detail::pack_for<T, X>...>) {
            using R = std::invoke_result_t<const F&, detail::pack_for<T, X>...>;
            static_assert(detail::is_pack<R>, "a lifted function gives a value for each element");
            using op = detail::lifted_operation<F, std::same_as<typename R::value_type, bool>>;
            // Once here, where it may throw that a number in it is none of T.
            if constexpr (std::is_integral_v<T>)
                static_cast<void>(f_(detail::pack_for<T, X>(simd::batch<T, simd::detail::default_arch>(T(1)))...));
            return detail::lifted_node<op, T>(op(f_), std::forward<X>(x)...);
        } else {
            return lift_scalar<F>(f_)(std::forward<X>(x)...);
        }
    }

    /// Of numbers, as the function is, to try it.
    template <class... X>
    requires(std::is_arithmetic_v<std::remove_cvref_t<X>>&&...) [[nodiscard]] constexpr auto operator()(X... x) const {
        return f_(x...);
    }

private:
    [[no_unique_address]] F f_;
};

}  // namespace edge
