// SPDX-License-Identifier: MIT
#pragma once

/// @file Registers of one element type as registers of another, and reading fewer elements than a register has.
///
/// A loop goes by registers of the result's type. Below a conversion the elements beside these are of another size: then
/// several registers make one, or the lower part of one does.

#include <edge/simd/detail/loop.hpp>
#include <edge/simd/exact.hpp>

#include <cstring>
#include <limits>

namespace edge::simd::detail {

/// A number as another type: to a float the nearest, to bool whether it is not zero, to an integer from a float toward
/// zero, the nearest end of the range where that is outside and zero from NaN, else modulo 2^n.
template <class To, class From>
constexpr To converted(From x) noexcept {
    if constexpr (std::is_same_v<To, bool>) {
        return x != From(0);
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
        constexpr From low = static_cast<From>((std::numeric_limits<To>::min)());
        constexpr From above = static_cast<From>((std::numeric_limits<To>::max)() / 2 + 1) * From(2);  // 2^n, exact
        const From inside = x > low ? x < above ? x : From(0) : low;                                   // NaN fails both
        const To whole = static_cast<To>(inside);
        return x >= above ? (std::numeric_limits<To>::max)() : x == x ? whole : To(0);
    } else {
        return static_cast<To>(x);
    }
}

/// The first `n` elements at an address, fewer than a register has; what is in the other lanes is of no use.
template <class Arch, index_t n, class T>
EDGE_ALWAYS_INLINE batch<T, Arch> load_few(const T* from) noexcept {
    constexpr std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
    if constexpr (bytes == 4 || bytes == 8) {
        std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t> all;
        std::memcpy(&all, from, bytes);
        return detail::bitwise_cast<T>(batch<decltype(all), Arch>(all));
    } else {
        alignas(alignment) T values[lanes<T, Arch>] = {};
        std::memcpy(values, from, bytes);
        return batch<T, Arch>::load_aligned(values);
    }
}

/// `n` neighbours, fewer than a register of Lane has.
template <class Lane, class Arch, index_t n>
struct few {
    using arch = Arch;
    static constexpr bool is_hot = false;
    index_t i;

    template <class T>
    EDGE_ALWAYS_INLINE auto load(const row<const T>& from) const noexcept {
        if constexpr (std::is_same_v<T, bool>) {
            constexpr auto all = static_cast<index_t>(lanes<Lane, Arch>);
            return load_apart<batch_bool<Lane, Arch>, all>(from.data() + i, index_t{1}, n);
        } else {
            return load_few<Arch, n>(from.data() + i);
        }
    }
};

/// The place of the `k`th register of type From beside a place of another lane type, of which it holds `n` elements.
template <class From, index_t n, class Arch>
EDGE_ALWAYS_INLINE auto neighbours(index_t i, index_t k) noexcept {
    constexpr auto width = static_cast<index_t>(lanes<From, Arch>);
    if constexpr (width > n) {
        return few<From, Arch, n>{i};
    } else {
        return whole<From, Arch>{i + (k * width < n ? k * width : 0)};
    }
}
template <class From, class Lane, class Arch>
EDGE_ALWAYS_INLINE auto place_for(const whole<Lane, Arch>& at, index_t k) noexcept {
    return neighbours<From, static_cast<index_t>(lanes<Lane, Arch>), Arch>(at.i, k);
}
template <class From, class Lane, class Arch, index_t n>
EDGE_ALWAYS_INLINE auto place_for(const few<Lane, Arch, n>& at, index_t k) noexcept {
    return neighbours<From, n, Arch>(at.i, k);
}
template <class From, class Lane, class Arch>
EDGE_ALWAYS_INLINE auto place_for(const part<Lane, Arch>& at, index_t k) noexcept {
    constexpr auto width = static_cast<index_t>(lanes<From, Arch>);
    const index_t skipped = k * width < at.count ? k * width : 0;
    return part<From, Arch>{at.i + skipped, (std::min)(width, at.count - skipped)};
}

/// One register of To from as many of From as it takes.
template <class To, class From, class Arch, std::size_t count>
EDGE_ALWAYS_INLINE batch<To, Arch> convert(const batch<From, Arch> (&from)[count]) noexcept {
    constexpr std::size_t n = lanes<To, Arch>;
    if constexpr (std::is_same_v<To, From>) {
        return from[0];
    } else if constexpr (std::is_integral_v<To> && std::is_integral_v<From> && sizeof(To) == sizeof(From)) {
        return detail::bitwise_cast<To>(from[0]);
    } else if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double>) {
        return narrow(from[0], from[1]);
    } else if constexpr (std::is_same_v<To, double> && std::is_same_v<From, float>) {
        return widen_low(from[0]);
    } else if constexpr (std::is_same_v<To, float> && std::is_same_v<From, std::int32_t>) {
        return xsimd::to_float(from[0]);
    } else if constexpr (std::is_same_v<To, std::int32_t> && std::is_same_v<From, float>) {
        const batch<float, Arch> x = from[0];
        const batch<float, Arch> above(0x1p31f);
        const batch<float, Arch> none(0.0f);
        const batch<float, Arch> inside = at_most(at_least(x, -0x1p31f), 0x1.fffffep30f);
        const auto whole = xsimd::to_int(xsimd::select(x == x, inside, none));
        const auto most =
            detail::bitwise_cast<float>(batch<std::int32_t, Arch>((std::numeric_limits<std::int32_t>::max)()));
        return detail::bitwise_cast<std::int32_t>(xsimd::select(x >= above, most, detail::bitwise_cast<float>(whole)));
    } else {
        alignas(alignment) From values[count * lanes<From, Arch>];
        alignas(alignment) To result[n];
        for (std::size_t k = 0; k < count; ++k) from[k].store_aligned(values + k * lanes<From, Arch>);
        for (std::size_t i = 0; i < n; ++i) result[i] = converted<To>(values[i]);
        return batch<To, Arch>::load_aligned(result);
    }
}

}  // namespace edge::simd::detail
