// SPDX-License-Identifier: MIT
#pragma once

/// @file Values as unsigned integers that compare as the values do, so that keys, least and greatest values and medians
/// of all kinds of numbers are one piece of code.

#include <edge/frame/kind.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace edge::frame::detail {

/// Of floats -0 comes before 0, and every number lies strictly between 0 and the greatest integer of as many bits. Of
/// NaN: any. Narrow integers keep a narrow range, floats have that of 32 bits.
template <stored T>
[[nodiscard]] constexpr std::uint64_t to_ordered(T value) noexcept {
    if constexpr (std::is_floating_point_v<T>) {
        using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        constexpr bits_of sign = bits_of{1} << (8 * sizeof(T) - 1);
        const auto bits = std::bit_cast<bits_of>(value);
        return (bits & sign) != 0 ? static_cast<bits_of>(~bits) : static_cast<bits_of>(bits | sign);
    } else if constexpr (std::is_signed_v<T>) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) ^ (std::uint64_t{1} << 63);
    } else {
        return value;
    }
}

/// As `to_ordered`, with -0 made 0: equal exactly when the values are.
template <stored T>
[[nodiscard]] constexpr std::uint64_t to_ordered_key(T value) noexcept {
    if constexpr (std::is_floating_point_v<T>) value += T{0};
    return to_ordered(value);
}

template <stored T>
[[nodiscard]] constexpr T from_ordered(std::uint64_t ordered) noexcept {
    if constexpr (std::is_floating_point_v<T>) {
        using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        constexpr bits_of sign = bits_of{1} << (8 * sizeof(T) - 1);
        const auto bits = static_cast<bits_of>(ordered);
        return std::bit_cast<T>((bits & sign) != 0 ? static_cast<bits_of>(bits ^ sign) : static_cast<bits_of>(~bits));
    } else if constexpr (std::is_signed_v<T>) {
        return static_cast<T>(static_cast<std::int64_t>(ordered ^ (std::uint64_t{1} << 63)));
    } else {
        return static_cast<T>(ordered);
    }
}

}  // namespace edge::frame::detail
