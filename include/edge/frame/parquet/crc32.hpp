// SPDX-License-Identifier: MIT
#pragma once

/// @file CRC-32 of pages, as gzip and Ethernet have it: polynomial 0x04C11DB7, reflected.
///
///     crc32(bytes);                      // 0xCBF43926 for "123456789"
///
/// Eight bytes a step, by eight tables. Source: Kounavis and Berry 2005, "A systematic approach to building high
/// performance software-based CRC generators" (slicing-by-8).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace edge::frame::parquet {

namespace detail {

using crc_tables = std::array<std::array<std::uint32_t, 256>, 8>;

[[nodiscard]] constexpr crc_tables make_crc_tables() noexcept {
    crc_tables t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int k = 0; k < 8; ++k) c = c >> 1 ^ (0xEDB88320U & (~(c & 1) + 1));
        t[0][i] = c;
    }
    for (std::size_t s = 1; s < 8; ++s)
        for (std::size_t i = 0; i < 256; ++i) t[s][i] = t[s - 1][i] >> 8 ^ t[0][t[s - 1][i] & 255];
    return t;
}

inline constexpr crc_tables crc_table = make_crc_tables();

}  // namespace detail

/// @param seed  the CRC of the bytes before these
[[nodiscard]] inline std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept {
    const auto& t = detail::crc_table;
    const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    std::uint32_t c = ~seed;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        c ^= at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
        c = t[7][c & 255] ^ t[6][c >> 8 & 255] ^ t[5][c >> 16 & 255] ^ t[4][c >> 24] ^ t[3][at(i + 4)] ^
            t[2][at(i + 5)] ^ t[1][at(i + 6)] ^ t[0][at(i + 7)];
    }
    for (; i < bytes.size(); ++i) c = c >> 8 ^ t[0][(c ^ at(i)) & 255];
    return ~c;
}

}  // namespace edge::frame::parquet
