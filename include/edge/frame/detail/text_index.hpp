// SPDX-License-Identifier: MIT
#pragma once

/// @file Hash table of texts: equal ones have one number, in the order in which they come.
///
///     text_index index;
///     const std::uint32_t n = index.insert(text, [&](std::uint32_t known) { return texts[known]; });
///     if (n == texts.size()) texts.push_back(text);        // a new one
///
/// Only those of more than 16 bytes are looked at in the memory of their owner; others are compared as two words.

#include <edge/frame/buffer.hpp>
#include <edge/simd/prefetch.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace edge::frame::detail {

class text_index {
public:
    static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

    text_index() = default;
    text_index(const text_index& other) : size_(other.size_) {
        slots_.append({other.slots_.data(), other.slots_.size()});
    }
    text_index(text_index&& other) noexcept
        : slots_(std::exchange(other.slots_, {})), size_(std::exchange(other.size_, 0)) {}
    text_index& operator=(text_index other) noexcept {
        std::swap(slots_, other.slots_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~text_index() = default;

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

    /// Numbers of the texts `text(i)` for i in [first, last), `none` where one was never inserted. The memory of several
    /// is waited for at the same time: large tables are three times as quick as by single look-ups.
    template <class Text, class Known>
    void find(std::size_t first, std::size_t last, Text&& text, Known&& known, std::uint32_t* out) const {
        if (size_ == 0) return std::fill_n(out, last - first, none), void();
        constexpr std::size_t block = 32;
        words w[block];
        for (; first < last; first += block) {
            const std::size_t count = (std::min)(block, last - first);
            for (std::size_t i = 0; i < count; ++i) {
                w[i] = words_of(text(first + i));
                simd::prefetch(&slots_[w[i].hash() & (slots_.size() - 1)]);
            }
            for (std::size_t i = 0; i < count; ++i) *out++ = slots_[place(w[i], text(first + i), known)].number;
        }
    }

    void clear() noexcept { *this = {}; }

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
        growing<slot> grown;
        grown.append(slots_.size() == 0 ? 64 : slots_.size() * (slots_.size() < 1 << 16 ? 4 : 2), slot{});
        const std::size_t mask = grown.size() - 1;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            const slot& s = slots_[i];
            if (s.number == none) continue;
            std::size_t at = words{s.first, s.last, s.size}.hash() & mask;
            while (grown[at].number != none) at = (at + 1) & mask;
            grown[at] = s;
        }
        slots_ = std::move(grown);
    }

    growing<slot> slots_;  // at most half full
    std::uint32_t size_ = 0;
};

}  // namespace edge::frame::detail
