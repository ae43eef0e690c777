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
#include <cstring>
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

/// Bytes of each of the pieces that are worked on at the same time.
inline constexpr int crc_piece_bits = 10;
inline constexpr std::size_t crc_piece = std::size_t{1} << crc_piece_bits;

using crc_shift_tables = std::array<std::array<std::uint32_t, 256>, 4>;

/// What `crc_piece` zero bytes make of each byte of a CRC. Adding a byte is linear, so what one does to each bit is
/// squared for 2, 4, 8 … of them.
[[nodiscard]] constexpr crc_shift_tables make_crc_shift() noexcept {
    std::array<std::uint32_t, 32> of_bit{};
    for (std::size_t i = 0; i < 32; ++i) {
        const std::uint32_t c = std::uint32_t{1} << i;
        of_bit[i] = c >> 8 ^ crc_table[0][c & 255];
    }
    const auto shifted = [&](std::uint32_t c) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; c != 0; ++i, c >>= 1)
            if ((c & 1) != 0) sum ^= of_bit[i];
        return sum;
    };
    for (int k = 0; k < crc_piece_bits; ++k) {
        std::array<std::uint32_t, 32> twice{};
        for (std::size_t i = 0; i < 32; ++i) twice[i] = shifted(of_bit[i]);
        of_bit = twice;
    }
    crc_shift_tables t{};
    for (std::uint32_t k = 0; k < 4; ++k)
        for (std::uint32_t b = 0; b < 256; ++b) t[k][b] = shifted(b << (8 * k));
    return t;
}

inline constexpr crc_shift_tables crc_shift = make_crc_shift();

[[nodiscard]] inline std::uint32_t crc_shifted(std::uint32_t c) noexcept {
    return crc_shift[0][c & 255] ^ crc_shift[1][c >> 8 & 255] ^ crc_shift[2][c >> 16 & 255] ^ crc_shift[3][c >> 24];
}

/// Eight more bytes. Source: Kounavis, Berry 2005, "A systematic approach to building high performance, software-based,
/// CRC generators": a table for each of the bytes.
[[nodiscard]] inline std::uint32_t crc_step(std::uint32_t c, const std::byte* from) noexcept {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, from, 4);
    std::memcpy(&high, from + 4, 4);
    const auto& t = crc_table;
    c ^= low;
    return t[7][c & 255] ^ t[6][c >> 8 & 255] ^ t[5][c >> 16 & 255] ^ t[4][c >> 24] ^ t[3][high & 255] ^
           t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
}

}  // namespace detail

/// @param seed  the CRC of the bytes before these
[[nodiscard]] inline std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept {
    const std::byte* from = bytes.data();
    std::size_t left = bytes.size();
    std::uint32_t c = ~seed;
    // A step waits for the one before: three pieces side by side take little longer than one.
    for (constexpr std::size_t n = detail::crc_piece; left >= 3 * n; left -= 3 * n, from += 3 * n) {
        std::uint32_t second = 0;
        std::uint32_t third = 0;
        for (std::size_t i = 0; i < n; i += 8) {
            c = detail::crc_step(c, from + i);
            second = detail::crc_step(second, from + n + i);
            third = detail::crc_step(third, from + 2 * n + i);
        }
        c = detail::crc_shifted(detail::crc_shifted(c) ^ second) ^ third;
    }
    for (; left >= 8; left -= 8, from += 8) c = detail::crc_step(c, from);
    for (; left > 0; --left, ++from)
        c = c >> 8 ^ detail::crc_table[0][(c ^ std::to_integer<std::uint32_t>(*from)) & 255];
    return ~c;
}

}  // namespace edge::frame::parquet
