// SPDX-License-Identifier: MIT
#pragma once

/// @file Elements of any type as double, int64 or uint64, a block at a time.
///
/// Operators that are not hot compute in these three alone: a tenth of the code of one loop a type. float results are the
/// same as if computed in float for + - * / and sqrt, since double has more than twice the digits; integers wrap.

#include <edge/core/dtype.hpp>
#include <edge/core/shape.hpp>

#include <limits>

namespace edge::nn::detail {

/// Elements that are worked on at a time: three blocks of eight bytes each stay in the nearest cache.
inline constexpr index_t wide_block = 256;

/// Calls `f.template operator()<W>()` with the wide type of `type`; bool is 0 or 1 in int64.
template <class F>
decltype(auto) with_wide(dtype type, F&& f) {
    if (type == dtype::f32 || type == dtype::f64) return f.template operator()<double>();
    if (type == dtype::u64) return f.template operator()<std::uint64_t>();
    return f.template operator()<std::int64_t>();
}

template <class W, class T>
void widen_elements(const void* x, index_t step, index_t n, W* to) noexcept {
    const auto* from = static_cast<const T*>(x);
    for (index_t i = 0; i < n; ++i) to[i] = static_cast<W>(from[i * step]);
}

/// n elements of `type`, each `step` after the one before, 0 for the same one again. W is the wide type of `type`.
template <class W>
void read_wide(dtype type, const void* x, index_t step, index_t n, W* to) noexcept {
    if constexpr (std::is_same_v<W, double>) {
        type == dtype::f32 ? widen_elements<W, float>(x, step, n, to) : widen_elements<W, double>(x, step, n, to);
    } else if constexpr (std::is_same_v<W, std::uint64_t>) {
        widen_elements<W, std::uint64_t>(x, step, n, to);
    } else {
        switch (type) {
            case dtype::boolean: return widen_elements<W, bool>(x, step, n, to);
            case dtype::i8: return widen_elements<W, std::int8_t>(x, step, n, to);
            case dtype::u8: return widen_elements<W, std::uint8_t>(x, step, n, to);
            case dtype::i16: return widen_elements<W, std::int16_t>(x, step, n, to);
            case dtype::u16: return widen_elements<W, std::uint16_t>(x, step, n, to);
            case dtype::i32: return widen_elements<W, std::int32_t>(x, step, n, to);
            case dtype::u32: return widen_elements<W, std::uint32_t>(x, step, n, to);
            default: return widen_elements<W, std::int64_t>(x, step, n, to);
        }
    }
}

/// One number as another type. Floats become integers toward zero and saturate (NaN gives 0); integers become narrower
/// ones by wrapping; anything but zero is true.
template <class To, class From>
[[nodiscard]] constexpr To converted(From v) noexcept {
    if constexpr (std::is_same_v<To, bool>) {
        return v != From{};
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
        constexpr auto low = (std::numeric_limits<To>::min)();
        constexpr auto high = (std::numeric_limits<To>::max)();
        if (v != v) return 0;
        return v <= static_cast<From>(low) ? low : v >= static_cast<From>(high) ? high : static_cast<To>(v);
    } else {
        return static_cast<To>(v);
    }
}

template <class T, class W>
void narrow_elements(const W* from, index_t n, void* y) noexcept {
    auto* to = static_cast<T*>(y);
    for (index_t i = 0; i < n; ++i) to[i] = converted<T>(from[i]);
}

/// n elements as `type`, whatever it is.
template <class W>
void write_wide(dtype type, const W* from, index_t n, void* y) noexcept {
    switch (type) {
        case dtype::boolean: return narrow_elements<bool>(from, n, y);
        case dtype::i8: return narrow_elements<std::int8_t>(from, n, y);
        case dtype::u8: return narrow_elements<std::uint8_t>(from, n, y);
        case dtype::i16: return narrow_elements<std::int16_t>(from, n, y);
        case dtype::u16: return narrow_elements<std::uint16_t>(from, n, y);
        case dtype::i32: return narrow_elements<std::int32_t>(from, n, y);
        case dtype::u32: return narrow_elements<std::uint32_t>(from, n, y);
        case dtype::i64: return narrow_elements<std::int64_t>(from, n, y);
        case dtype::u64: return narrow_elements<std::uint64_t>(from, n, y);
        case dtype::f32: return narrow_elements<float>(from, n, y);
        case dtype::f64: return narrow_elements<double>(from, n, y);
    }
}

/// The address of element i.
[[nodiscard]] inline const void* element(dtype type, const void* x, index_t i) noexcept {
    return static_cast<const char*>(x) + i * static_cast<index_t>(size_of(type));
}
[[nodiscard]] inline void* element(dtype type, void* x, index_t i) noexcept {
    return static_cast<char*>(x) + i * static_cast<index_t>(size_of(type));
}

/// One element as T.
template <class T>
[[nodiscard]] T read_as(dtype type, const void* x) {
    return with_wide(type, [&]<class W>() {
        W v{};
        read_wide(type, x, 1, 1, &v);
        return converted<T>(v);
    });
}

}  // namespace edge::nn::detail
