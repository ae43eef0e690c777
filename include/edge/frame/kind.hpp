// SPDX-License-Identifier: MIT
#pragma once

/// @file What a column holds: the kinds, their names, and the C++ types that store them.
///
///     edge::frame::to_string(kind::timestamp);              // "timestamp"
///     dispatch_stored(c.kind(), [&]<class T>() { use(c.values<T>()); });

#include <edge/core/error.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace edge::frame {

/// Kind of the values of a column. A date is int32 days since 1970-01-01, a timestamp int64 nanoseconds since
/// 1970-01-01T00:00:00 UTC.
enum class kind : std::uint8_t {
    boolean,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    float32,
    float64,
    date,
    timestamp,
    string
};

inline constexpr std::array<std::string_view, 14> kind_names{"boolean", "int8",   "int16",     "int32",  "int64",
                                                             "uint8",   "uint16", "uint32",    "uint64", "float32",
                                                             "float64", "date",   "timestamp", "string"};

[[nodiscard]] inline std::string to_string(kind k) { return std::string(kind_names[static_cast<std::size_t>(k)]); }

/// @throws argument_error  if there is no such kind
[[nodiscard]] inline kind kind_from_string(std::string_view name) {
    std::string known;
    for (std::size_t i = 0; i < kind_names.size(); ++i) {
        if (kind_names[i] == name) return static_cast<kind>(i);
        known += (i == 0 ? "" : i + 1 == kind_names.size() ? " or " : ", ") + std::string(kind_names[i]);
    }
    throw argument_error(message("'", name, "' is not a kind of column; expected ", known));
}

namespace detail {

template <class T, class... Types>
inline constexpr bool is_one_of = (std::is_same_v<T, Types> || ...);

}  // namespace detail

/// C++ types that a column stores as they are: one value after the other in memory.
template <class T>
concept stored = detail::is_one_of<T, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t,
                                   std::uint16_t, std::uint32_t, std::uint64_t, float, double>;

/// The kind that a vector of T becomes by itself.
template <stored T>
inline constexpr kind kind_of = std::is_same_v<T, std::int8_t>     ? kind::int8
                                : std::is_same_v<T, std::int16_t>  ? kind::int16
                                : std::is_same_v<T, std::int32_t>  ? kind::int32
                                : std::is_same_v<T, std::int64_t>  ? kind::int64
                                : std::is_same_v<T, std::uint8_t>  ? kind::uint8
                                : std::is_same_v<T, std::uint16_t> ? kind::uint16
                                : std::is_same_v<T, std::uint32_t> ? kind::uint32
                                : std::is_same_v<T, std::uint64_t> ? kind::uint64
                                : std::is_same_v<T, float>         ? kind::float32
                                                                   : kind::float64;

/// The kind of numbers that a kind is stored as: a date as int32, a timestamp as int64, numbers as they are.
[[nodiscard]] constexpr kind stored_kind(kind k) noexcept {
    return k == kind::date ? kind::int32 : k == kind::timestamp ? kind::int64 : k;
}

/// Whether `T` is how a column of this kind stores its values.
template <stored T>
[[nodiscard]] constexpr bool is_stored_as(kind k) noexcept {
    return stored_kind(k) == kind_of<T>;
}

[[nodiscard]] constexpr bool is_float(kind k) noexcept { return k == kind::float32 || k == kind::float64; }
[[nodiscard]] constexpr bool is_integer(kind k) noexcept { return k >= kind::int8 && k <= kind::uint64; }
[[nodiscard]] constexpr bool is_unsigned(kind k) noexcept { return k >= kind::uint8 && k <= kind::uint64; }

/// Numbers, which can be added up; a date or timestamp cannot.
[[nodiscard]] constexpr bool is_number(kind k) noexcept { return is_integer(k) || is_float(k); }

/// Calls `f.template operator()<T>()` with the type that stores the kind.
/// @throws argument_error  for booleans (bits) and strings (bytes and offsets), which have none
template <class F>
decltype(auto) dispatch_stored(kind k, F&& f) {
    switch (k) {
        case kind::int8: return std::forward<F>(f).template operator()<std::int8_t>();
        case kind::int16: return std::forward<F>(f).template operator()<std::int16_t>();
        case kind::int32:
        case kind::date: return std::forward<F>(f).template operator()<std::int32_t>();
        case kind::int64:
        case kind::timestamp: return std::forward<F>(f).template operator()<std::int64_t>();
        case kind::uint8: return std::forward<F>(f).template operator()<std::uint8_t>();
        case kind::uint16: return std::forward<F>(f).template operator()<std::uint16_t>();
        case kind::uint32: return std::forward<F>(f).template operator()<std::uint32_t>();
        case kind::uint64: return std::forward<F>(f).template operator()<std::uint64_t>();
        case kind::float32: return std::forward<F>(f).template operator()<float>();
        case kind::float64: return std::forward<F>(f).template operator()<double>();
        case kind::boolean:
        case kind::string: break;
    }
    throw argument_error(message("a ", to_string(k), " column has no plain values; expected a number or a time"));
}

/// Bytes of a value in memory; 0 for booleans and strings.
[[nodiscard]] constexpr std::size_t value_bytes(kind k) noexcept {
    switch (stored_kind(k)) {
        case kind::int8:
        case kind::uint8: return 1;
        case kind::int16:
        case kind::uint16: return 2;
        case kind::int32:
        case kind::uint32:
        case kind::float32: return 4;
        case kind::boolean:
        case kind::string: return 0;
        default: return 8;
    }
}

/// The kind that holds the values of both. Of integers the narrowest that holds both ranges, float64 for those that no
/// integer holds and for an integer beside a float; a timestamp for a date and a timestamp; otherwise none.
[[nodiscard]] constexpr std::optional<kind> common_kind(kind a, kind b) noexcept {
    if (a == b) return a;
    if ((a == kind::date && b == kind::timestamp) || (a == kind::timestamp && b == kind::date)) return kind::timestamp;
    if (!is_number(a) || !is_number(b)) return std::nullopt;
    if (is_float(a) || is_float(b)) return kind::float64;
    if (is_unsigned(a) == is_unsigned(b)) return a < b ? b : a;
    const kind with_sign = is_unsigned(a) ? b : a;
    const kind without = is_unsigned(a) ? a : b;
    if (without == kind::uint64) return kind::float64;
    const auto above = static_cast<kind>(static_cast<int>(without) - 3);  // the signed one of twice the bits
    return with_sign < above ? above : with_sign;
}

}  // namespace edge::frame
