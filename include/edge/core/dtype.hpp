// SPDX-License-Identifier: MIT
#pragma once

/// @file Element types by name, for data whose type is known only at run time: files, models, command lines.
///
///     edge::to_string(edge::dtype_of<float>);      // "float32"
///     edge::dtype_from_string("uint8");            // dtype::u8

#include <edge/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace edge {

enum class dtype : std::uint8_t { boolean, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64 };

namespace detail {

struct dtype_row {
    dtype type;
    std::string_view name;
    std::size_t bytes;
};

inline constexpr dtype_row dtype_rows[] = {
    {dtype::boolean, "bool", 1}, {dtype::i8, "int8", 1},     {dtype::u8, "uint8", 1},    {dtype::i16, "int16", 2},
    {dtype::u16, "uint16", 2},   {dtype::i32, "int32", 4},   {dtype::u32, "uint32", 4},  {dtype::i64, "int64", 8},
    {dtype::u64, "uint64", 8},   {dtype::f32, "float32", 4}, {dtype::f64, "float64", 8},
};

template <class T>
consteval dtype dtype_for() {
    if constexpr (std::is_same_v<T, bool>) {
        return dtype::boolean;
    } else if constexpr (std::is_same_v<T, float>) {
        return dtype::f32;
    } else if constexpr (std::is_same_v<T, double>) {
        return dtype::f64;
    } else {
        // By size and sign: long and long long are both 64 bits wide on some systems, and either may be int64_t.
        static_assert(std::is_integral_v<T> && sizeof(T) <= 8, "edge::dtype_of: not an element type of edge");
        constexpr int log2_bytes = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
        return static_cast<dtype>(1 + 2 * log2_bytes + (std::is_unsigned_v<T> ? 1 : 0));
    }
}

}  // namespace detail

/// The name of an element type. bool is one byte, 0 or 1.
template <class T>
inline constexpr dtype dtype_of = detail::dtype_for<std::remove_cv_t<T>>();

[[nodiscard]] constexpr std::size_t size_of(dtype type) noexcept {
    return detail::dtype_rows[static_cast<std::size_t>(type)].bytes;
}

/// NumPy's name: "float32", "uint8", "bool".
[[nodiscard]] inline std::string to_string(dtype type) {
    return std::string(detail::dtype_rows[static_cast<std::size_t>(type)].name);
}

/// @throws argument_error  if there is no such type
[[nodiscard]] inline dtype dtype_from_string(std::string_view name) {
    for (const auto& row : detail::dtype_rows)
        if (row.name == name) return row.type;
    throw argument_error(message("'", name, "' is not an element type; expected bool, int8 ... uint64, float32, float64"));
}

/// Calls `f.template operator()<T>()` with the C++ type of `type`.
template <class F>
decltype(auto) dispatch(dtype type, F&& f) {
    switch (type) {
        case dtype::boolean: return f.template operator()<bool>();
        case dtype::i8: return f.template operator()<std::int8_t>();
        case dtype::u8: return f.template operator()<std::uint8_t>();
        case dtype::i16: return f.template operator()<std::int16_t>();
        case dtype::u16: return f.template operator()<std::uint16_t>();
        case dtype::i32: return f.template operator()<std::int32_t>();
        case dtype::u32: return f.template operator()<std::uint32_t>();
        case dtype::i64: return f.template operator()<std::int64_t>();
        case dtype::u64: return f.template operator()<std::uint64_t>();
        case dtype::f32: return f.template operator()<float>();
        case dtype::f64: break;
    }
    return f.template operator()<double>();
}

}  // namespace edge
