// SPDX-License-Identifier: MIT
#pragma once

/// @file How many columns of a terminal a text takes, and texts cut to as many.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edge::frame::detail {

/// One character of UTF-8.
struct utf8_character {
    char32_t code = 0xFFFD;  ///< that of bytes that are no UTF-8
    std::size_t bytes = 1;
};

/// The character at the beginning of a text, which is not empty.
[[nodiscard]] inline utf8_character first_character(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || bytes > text.size()) return {};
    char32_t code = lead & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3FU);
    }
    const bool is_short = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
    if (is_short || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return {};
    return {code, bytes};
}

/// Columns of a character: none for marks that join the one before, two for those of East Asia and emoji, else one.
/// Source: Unicode Standard Annex 11, properties W and F, and general category Mn, in blocks.
[[nodiscard]] inline std::size_t display_width(char32_t c) noexcept {
    struct range {
        char32_t first, last;
        std::uint8_t width;
    };
    static constexpr std::array<range, 25> ranges{
        {{0x300, 0x36F, 0},    {0x483, 0x489, 0},     {0x591, 0x5BD, 0},     {0x610, 0x61A, 0},
         {0x64B, 0x65F, 0},    {0x1100, 0x115F, 2},   {0x1AB0, 0x1AFF, 0},   {0x200B, 0x200F, 0},
         {0x202A, 0x202E, 0},  {0x2060, 0x2064, 0},   {0x20D0, 0x20FF, 0},   {0x2E80, 0x303E, 2},
         {0x3041, 0x4DBF, 2},  {0x4E00, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},
         {0xFE00, 0xFE0F, 0},  {0xFE30, 0xFE6F, 2},   {0xFEFF, 0xFEFF, 0},   {0xFF01, 0xFF60, 2},
         {0xFFE0, 0xFFE6, 2},  {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1FAFF, 2},
         {0x20000, 0x3FFFD, 2}}};
    const auto at = std::partition_point(ranges.begin(), ranges.end(), [c](const range& r) { return r.last < c; });
    return at != ranges.end() && c >= at->first ? at->width : 1;
}

[[nodiscard]] inline std::size_t display_width(std::string_view text) noexcept {
    std::size_t columns = 0;
    while (!text.empty()) {
        const utf8_character c = first_character(text);
        columns += display_width(c.code);
        text.remove_prefix(c.bytes);
    }
    return columns;
}

/// A text for a terminal, of `most` columns at most: cut where it is longer, which "…" says; control characters and bytes
/// that are no UTF-8 do not reach the terminal.
[[nodiscard]] inline std::string displayed(std::string_view text, std::size_t most) {
    std::string shown;
    std::size_t columns = 0;
    std::size_t cut = 0;  // bytes of what leaves room for "…"
    while (!text.empty()) {
        const utf8_character c = first_character(text);
        std::string_view part = text.substr(0, c.bytes);
        std::size_t width = display_width(c.code);
        if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
            part = c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r";
            width = 2;
        } else if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0) || c.code == 0xFFFD) {
            part = "\xEF\xBF\xBD";
        }
        if (columns + width > most) return shown.substr(0, cut) + (most == 0 ? "" : "…");
        shown += part;
        columns += width;
        if (columns < most) cut = shown.size();
        text.remove_prefix(c.bytes);
    }
    return shown;
}

}  // namespace edge::frame::detail
