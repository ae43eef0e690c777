// SPDX-License-Identifier: MIT
#pragma once

/// @file Hash table of texts: equal ones have one number, in the order in which they come.
///
///     text_index index;
///     const std::uint32_t n = index.insert(text, [&](std::uint32_t known) { return texts[known]; });
///     if (n == texts.size()) texts.push_back(text);        // a new one
///
/// Only those of more than 16 bytes are looked at in the memory of their owner; others are compared as two words.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame::detail {

class text_index {
public:
    static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Number of a text; `size()` as it was before of one that is new. O(bytes) expected.
    /// @param known  known(number) is the text of a number
    template <class Known>
    std::uint32_t insert(std::string_view text, Known&& known) {
        if (2 * (size_ + 1) > slots_.size()) grow();
        const words w = words_of(text);
        slot& s = slots_[place(w, text, known)];
        if (s.number == none) s = {w.first, w.last, static_cast<std::uint32_t>(text.size()), size_++};
        return s.number;
    }

    /// Number of a text, `none` where it was never inserted. O(bytes) expected.
    template <class Known>
    [[nodiscard]] std::uint32_t find(std::string_view text, Known&& known) const {
        return slots_.empty() ? none : slots_[place(words_of(text), text, known)].number;
    }

    void clear() noexcept {
        slots_.clear();
        size_ = 0;
    }

private:
    /// With the size, the words are the text if it has up to 16 bytes; of a longer one they are a hash of it.
    struct words {
        std::uint64_t first;
        std::uint64_t last;
        std::uint64_t size;

        [[nodiscard]] std::size_t hash() const noexcept {
            std::uint64_t h = (first ^ std::rotl(last, 31) ^ size) * 0xFF51AFD7ED558CCDULL;
            h = (h ^ h >> 32 ^ last) * 0xC4CEB9FE1A85EC53ULL;
            return static_cast<std::size_t>(h ^ h >> 29);
        }
    };
    struct slot {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint32_t size = 0;
        std::uint32_t number = none;
    };

    template <class T>
    [[nodiscard]] static std::uint64_t load(const char* from) noexcept {
        T value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }

    [[nodiscard]] static words words_of(std::string_view text) noexcept {
        const char* const at = text.data();
        const std::size_t size = text.size();
        words w{0, 0, size};
        if (size >= 8) {
            w.first = load<std::uint64_t>(at);
            w.last = load<std::uint64_t>(at + size - 8);
            for (std::size_t i = 8; i + 8 < size; i += 8)
                w.first = std::rotl(w.first * 0x9E3779B97F4A7C15ULL, 29) ^ load<std::uint64_t>(at + i);
        } else if (size >= 4) {
            w.first = load<std::uint32_t>(at);
            w.last = load<std::uint32_t>(at + size - 4);
        } else if (size != 0) {
            w.first = load<std::uint8_t>(at) | load<std::uint8_t>(at + size / 2) << 8;
            w.last = load<std::uint8_t>(at + size - 1);
        }
        return w;
    }

    /// Place of the slot of a text, or of the free one where it would be.
    template <class Known>
    [[nodiscard]] std::size_t place(const words& w, std::string_view text, Known&& known) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = w.hash() & mask;
        for (;; at = (at + 1) & mask) {
            const slot& s = slots_[at];
            if (s.number == none) return at;
            if (s.first == w.first && s.last == w.last && s.size == static_cast<std::uint32_t>(text.size()) &&
                (text.size() <= 16 || known(s.number) == text))
                return at;
        }
    }

    void grow() {
        std::vector<slot> grown(slots_.empty() ? 64 : slots_.size() * (slots_.size() < 1 << 16 ? 4 : 2));
        const std::size_t mask = grown.size() - 1;
        for (const slot& s : slots_) {
            if (s.number == none) continue;
            std::size_t at = words{s.first, s.last, s.size}.hash() & mask;
            while (grown[at].number != none) at = (at + 1) & mask;
            grown[at] = s;
        }
        slots_ = std::move(grown);
    }

    std::vector<slot> slots_;  // at most half full
    std::uint32_t size_ = 0;
};

}  // namespace edge::frame::detail
