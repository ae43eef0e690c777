// SPDX-License-Identifier: MIT
#pragma once

/// @file What a column holds: the kinds, their names, and the C++ types that store them.
///
///     edge::frame::to_string(kind::timestamp);              // "timestamp"
///     dispatch_stored(c.kind(), [&]<class T>() { use(c.values<T>()); });
///
/// Kinds will be added (more integers, dates): a `switch` over them should have an answer for one it does not know.

#include <edge/core/error.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace edge::frame {

/// Kind of the values of a column. A timestamp is int64 nanoseconds since 1970-01-01T00:00:00 UTC.
enum class kind : std::uint8_t { boolean, int32, int64, float32, float64, timestamp, string };

inline constexpr std::array<std::string_view, 7> kind_names{"boolean", "int32",     "int64", "float32",
                                                            "float64", "timestamp", "string"};

[[nodiscard]] inline std::string to_string(kind k) { return std::string(kind_names[static_cast<std::size_t>(k)]); }

/// @throws argument_error  if there is no such kind
[[nodiscard]] inline kind kind_from_string(std::string_view name) {
    for (std::size_t i = 0; i < kind_names.size(); ++i)
        if (kind_names[i] == name) return static_cast<kind>(i);
    throw argument_error(message("'", name,
                                 "' is not a kind of column; expected boolean, int32, int64, float32, "
                                 "float64, timestamp or string"));
}

/// C++ types that a column stores as they are: one value after the other in memory.
template <class T>
concept stored =
    std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> || std::same_as<T, float> || std::same_as<T, double>;

/// Whether `T` is how a column of this kind stores its values. A timestamp is stored as int64.
template <stored T>
[[nodiscard]] constexpr bool is_stored_as(kind k) noexcept {
    if constexpr (std::is_same_v<T, std::int32_t>) return k == kind::int32;
    if constexpr (std::is_same_v<T, std::int64_t>) return k == kind::int64 || k == kind::timestamp;
    if constexpr (std::is_same_v<T, float>) return k == kind::float32;
    return std::is_same_v<T, double> && k == kind::float64;
}

/// The kind that a vector of T becomes by itself.
template <stored T>
inline constexpr kind kind_of = std::is_same_v<T, std::int32_t>   ? kind::int32
                                : std::is_same_v<T, std::int64_t> ? kind::int64
                                : std::is_same_v<T, float>        ? kind::float32
                                                                  : kind::float64;

/// Numbers, which can be added up; a timestamp cannot.
[[nodiscard]] constexpr bool is_number(kind k) noexcept {
    return k == kind::int32 || k == kind::int64 || k == kind::float32 || k == kind::float64;
}

[[nodiscard]] constexpr bool is_float(kind k) noexcept { return k == kind::float32 || k == kind::float64; }

/// Calls `f.template operator()<T>()` with the type that stores the kind.
/// @throws argument_error  for booleans (bits) and strings (bytes and offsets), which have none
template <class F>
decltype(auto) dispatch_stored(kind k, F&& f) {
    switch (k) {
        case kind::int32: return std::forward<F>(f).template operator()<std::int32_t>();
        case kind::int64:
        case kind::timestamp: return std::forward<F>(f).template operator()<std::int64_t>();
        case kind::float32: return std::forward<F>(f).template operator()<float>();
        case kind::float64: return std::forward<F>(f).template operator()<double>();
        case kind::boolean:
        case kind::string: break;
    }
    throw argument_error(message("a ", to_string(k), " column has no plain values; expected a number or a timestamp"));
}

}  // namespace edge::frame
