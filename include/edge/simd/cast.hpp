// SPDX-License-Identifier: MIT
#pragma once

/// @file Element types beside one another: conversion inside the one pass.
///
///     auto y = (edge::cast<float>(pixels) - 127.5f) * scale;            // uint8 is read, float32 is computed
///     edge::assign(out, edge::cast<std::int16_t>(edge::rint(y)));
///
/// To a float: the nearest. Between integers: modulo 2^n. From a float to an integer: toward zero, saturated, and zero from
/// NaN (NumPy agrees wherever the number fits; where it does not, its answer is the processor's). To bool: whether not
/// zero; from bool: 0 or 1. A condition fits values of any type.

#include <edge/simd/detail/convert.hpp>
#include <edge/simd/expression.hpp>

namespace edge {
namespace detail {

/// The elements of `A`, whose lanes are of type From, as lanes of type To.
template <class To, class From, class A>
struct bound_cast {
    static constexpr std::size_t arrays = A::arrays;
    static constexpr bool is_long = true;
    A a;

    template <class At>
    EDGE_ALWAYS_INLINE auto get(const At& at) const noexcept {
        using arch = typename At::arch;
        constexpr std::size_t to = simd::lanes<To, arch>;
        constexpr std::size_t from = simd::lanes<From, arch>;
        if constexpr (simd::byte_integer<From> && std::is_same_v<To, float> && std::is_same_v<A, bound_array<From>> &&
                      At::is_hot) {
            return simd::load_as_float<arch>(a.from.data() + at.i);
        } else {
            return convert_from(at, std::make_index_sequence<(to > from ? to / from : 1)>());
        }
    }
    template <class List>
    void collect(List& list) {
        a.collect(list);
    }

private:
    template <class At, std::size_t... k>
    EDGE_ALWAYS_INLINE auto convert_from(const At& at, std::index_sequence<k...>) const noexcept {
        using arch = typename At::arch;
        const simd::batch<From, arch> parts[] = {
            numbers(a.get(simd::detail::place_for<From>(at, static_cast<index_t>(k))))...};
        return simd::detail::convert<To>(parts);
    }
    template <class Arch>
    EDGE_ALWAYS_INLINE static auto numbers(const simd::batch<From, Arch>& x) noexcept {
        return x;
    }
    template <class Arch>
    EDGE_ALWAYS_INLINE static auto numbers(const simd::batch_bool<From, Arch>& x) noexcept {
        return xsimd::select(x, simd::batch<From, Arch>(From(1)), simd::batch<From, Arch>(From(0)));
    }
};

/// A node of another element type than the one below.
template <element To, expression E>
class cast_node : public expression_base {
public:
    using value_type = To;
    using lane_type = To;

    explicit cast_node(E from) : from_(std::move(from)) {}

    [[nodiscard]] edge::shape shape() const { return from_.shape(); }
    void check() const { from_.check(); }
    [[nodiscard]] bool is_flat(const flat_result& to) const noexcept { return from_.is_flat(to); }
    [[nodiscard]] auto bind() const noexcept {
        using below = typename E::lane_type;
        using from =
            std::conditional_t<std::is_void_v<below>, To, below>;  // bool arrays take the lanes that are asked for
        return bound_cast<To, from, decltype(from_.bind())>{from_.bind()};
    }
    template <class List>
    void describe(List& arrays, const edge::shape& to) const {
        from_.describe(arrays, to);
    }

private:
    E from_;
};

/// Truth values as lanes beside numbers of type T.
template <element T, expression E>
[[nodiscard]] auto as_lanes(E e) {
    if constexpr (is_pack<E> || std::is_void_v<typename E::lane_type> || std::is_same_v<typename E::lane_type, T>) {
        return e;
    } else {
        return make_node<simd::detail::op::not_equal>(cast_node<T, E>(std::move(e)), constant_node<T>(T(0)));
    }
}

}  // namespace detail

/// The elements as type To, converted in the pass that uses them.
template <element To, array A>
[[nodiscard]] auto cast(A&& a) {
    using node = detail::node_of<A>;
    if constexpr (std::same_as<value_type_of<A>, To>) {
        return detail::as_node(std::forward<A>(a));
    } else if constexpr (detail::is_pack<node>) {
        static_assert(!detail::is_pack<node>, "a lifted function has one element type: cast its arguments instead");
    } else if constexpr (std::same_as<To, bool>) {
        using T = value_type_of<A>;
        return detail::make_node<simd::detail::op::not_equal>(detail::as_node(std::forward<A>(a)),
                                                              detail::constant_node<T>(T(0)));
    } else {
        return detail::cast_node<To, node>(detail::as_node(std::forward<A>(a)));
    }
}

}  // namespace edge
