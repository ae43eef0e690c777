// SPDX-License-Identifier: MIT
#pragma once

/// @file Whether bytes are UTF-8.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace edge::frame::detail {

/// Where text stops being UTF-8, or its size. Overlong forms, surrogates and what is above U+10FFFF are not UTF-8.
[[nodiscard]] inline std::size_t valid_utf8(std::string_view text) noexcept {
    const auto* s = reinterpret_cast<const unsigned char*>(text.data());
    const std::size_t n = text.size();
    std::size_t i = 0;
    while (i < n) {
        if (s[i] < 0x80) {
            ++i;
            for (std::uint64_t word; n - i >= sizeof word; i += sizeof word) {  // ASCII, eight at a time
                std::memcpy(&word, s + i, sizeof word);
                if ((word & 0x8080808080808080U) != 0) break;
            }
            continue;
        }
        const unsigned lead = s[i];
        const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead < 0xC2 || lead > 0xF4 || n - i < length) return i;
        const unsigned second_low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned second_high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (s[i + 1] < second_low || s[i + 1] > second_high) return i;
        for (std::size_t k = 2; k < length; ++k)
            if (s[i + k] < 0x80 || s[i + k] > 0xBF) return i;
        i += length;
    }
    return n;
}

}  // namespace edge::frame::detail
