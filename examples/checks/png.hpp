// SPDX-License-Identifier: MIT
#pragma once

/// @file A PNG file of one colour, for checks of what reads images. Source: PNG specification (W3C, 2003), RFC 1950, 1951.
///
///     folder.write("red.png", png(4, 4, {255, 0, 0}));

#include <array>
#include <cstdint>
#include <string>

inline std::string png(std::uint32_t width, std::uint32_t height, const std::array<std::uint8_t, 3>& colour) {
    const auto big_endian = [](std::uint32_t v) {
        return std::string{static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
                           static_cast<char>(v)};
    };
    const auto chunk = [&](const std::string& typed) {
        std::uint32_t crc = 0xffffffffU;
        for (const char c : typed) {
            crc ^= static_cast<std::uint8_t>(c);
            for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
        }
        return big_endian(static_cast<std::uint32_t>(typed.size() - 4)) + typed + big_endian(~crc);
    };
    std::string rows;
    for (std::uint32_t y = 0; y < height; ++y) {
        rows += '\0';  // no filter
        for (std::uint32_t x = 0; x < width; ++x)
            for (const std::uint8_t c : colour) rows += static_cast<char>(c);
    }
    std::uint32_t a = 1, b = 0;  // Adler's checksum
    for (const char c : rows) {
        a = (a + static_cast<std::uint8_t>(c)) % 65521;
        b = (b + a) % 65521;
    }
    std::string packed = "\x78\x01";
    for (std::size_t at = 0; at < rows.size(); at += 65535) {  // blocks that are stored as they are
        const std::string block = rows.substr(at, 65535);
        const auto n = static_cast<unsigned>(block.size());
        packed += at + n == rows.size() ? '\1' : '\0';
        for (const unsigned v : {n, ~n}) packed += {static_cast<char>(v), static_cast<char>(v >> 8)};
        packed += block;
    }
    packed += big_endian(b << 16 | a);
    const std::string form{8, 2, 0, 0, 0};  // 8 bits, RGB
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR" + big_endian(width) + big_endian(height) + form) +
           chunk("IDAT" + packed) + chunk("IEND");
}
