// SPDX-License-Identifier: MIT
#pragma once

/// @file Hash table of texts: equal ones have one number, in the order in which they come.
///
///     text_index index;
///     const std::uint32_t n = index.insert(text, [&](std::uint32_t known) { return texts[known]; });
///     if (n == texts.size()) texts.push_back(text);        // a new one
///
/// Only those of more than 15 bytes are looked at in the memory of their owner; others are compared as two words. A slot
/// has 8 bytes and a text 16 more, so that a million texts take 40 MB, and two cache misses each.

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
    text_index(const text_index& other) {
        slots_.append({other.slots_.data(), other.slots_.size()});
        known_.append({other.known_.data(), other.known_.size()});
    }
    text_index(text_index&& other) noexcept
        : slots_(std::exchange(other.slots_, {})), known_(std::exchange(other.known_, {})) {}
    text_index& operator=(text_index other) noexcept {
        std::swap(slots_, other.slots_);
        std::swap(known_, other.known_);
        return *this;
    }
    ~text_index() = default;

    [[nodiscard]] std::size_t size() const noexcept { return known_.size(); }

    /// Number of a text; `size()` as it was before of one that is new. O(bytes) expected.
    /// @param known  known(number) is the text of a number
    template <class Known>
    std::uint32_t insert(std::string_view text, Known&& known) {
        if (2 * (size() + 1) > slots_.size()) grow();
        const words w = words_of(text);
        const std::uint64_t hash = w.hash();
        slot& s = slots_[place(hash, w, text, known)];
        if (s.number == none) {
            s = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(size())};
            known_.push_back(w);
        }
        return s.number;
    }

    /// Numbers of the texts `text(i)` for i in [first, last), `none` where one was never inserted. The memory of several
    /// is waited for at the same time: large tables are four times as quick as by single look-ups.
    template <class Text, class Known>
    void find(std::size_t first, std::size_t last, Text&& text, Known&& known, std::uint32_t* out) const {
        if (size() == 0) return std::fill_n(out, last - first, none), void();
        struct asked {
            words w;
            std::uint64_t hash;
            std::string_view text;
            std::uint32_t number;
        };
        constexpr std::size_t ahead = 32;
        constexpr std::size_t half = ahead / 2;
        asked ring[ahead];
        const std::size_t mask = slots_.size() - 1;
        const auto ask = [&](std::size_t i) {  // for the slot
            asked& a = ring[i % ahead];
            a.text = text(i);
            a.w = words_of(a.text);
            a.hash = a.w.hash();
            simd::prefetch(&slots_[a.hash & mask]);
        };
        const auto ask_words = [&](std::size_t i) {  // of the text with the same tag, which is nearly always the same
            asked& a = ring[i % ahead];
            const auto tag = static_cast<std::uint32_t>(a.hash >> 32);
            std::size_t at = static_cast<std::size_t>(a.hash) & mask;
            while (slots_[at].tag != tag && slots_[at].number != none) at = (at + 1) & mask;
            a.number = slots_[at].number;
            simd::prefetch(known_.data() + (a.number == none ? 0 : a.number));
        };
        for (std::size_t i = first; i < last + ahead; ++i) {
            if (i >= first + ahead) {
                const asked& a = ring[i % ahead];
                const bool is_it =
                    a.number == none || (known_[a.number] == a.w && (a.text.size() < 16 || known(a.number) == a.text));
                *out++ = is_it ? a.number : slots_[place(a.hash, a.w, a.text, known)].number;
            }
            if (i < last) ask(i);
            if (i >= first + half && i < last + half) ask_words(i - half);
        }
    }

    void clear() noexcept { *this = {}; }

private:
    /// The text itself, its size in the highest byte, if it has up to 15 bytes; of a longer one a hash of it.
    struct words {
        std::uint64_t first;
        std::uint64_t last;

        [[nodiscard]] std::uint64_t hash() const noexcept {
            std::uint64_t h = (first ^ std::rotl(last, 31)) * 0xFF51AFD7ED558CCDULL;
            h = (h ^ h >> 32 ^ last) * 0xC4CEB9FE1A85EC53ULL;
            return h ^ h >> 29;
        }
        bool operator==(const words&) const = default;
    };
    struct slot {
        std::uint32_t tag = 0;  ///< of the hash, the half that does not say the place
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
        words w{0, std::uint64_t{(std::min)(size, std::size_t{16})} << 56};
        if (size >= 16) {
            w.first = load<std::uint64_t>(at);
            for (std::size_t i = 8; i + 8 < size; i += 8)
                w.first = std::rotl(w.first * 0x9E3779B97F4A7C15ULL, 29) ^ load<std::uint64_t>(at + i);
            w.last |= (load<std::uint64_t>(at + size - 8) * 0x9E3779B97F4A7C15ULL ^ size) >> 8;
        } else if (size >= 8) {
            w.first = load<std::uint64_t>(at);
            w.last |= load<std::uint64_t>(at + size - 8) >> 8 >> (8 * (15 - size));
        } else if (size >= 4) {
            w.first = load<std::uint32_t>(at) | load<std::uint32_t>(at + size - 4) << (8 * (size - 4));
        } else if (size != 0) {
            w.first = load<std::uint8_t>(at) | load<std::uint8_t>(at + size / 2) << (8 * (size / 2)) |
                      load<std::uint8_t>(at + size - 1) << (8 * (size - 1));
        }
        return w;
    }

    /// Place of the slot of a text, or of the free one where it would be.
    template <class Known>
    [[nodiscard]] std::size_t place(std::uint64_t hash, const words& w, std::string_view text, Known&& known) const {
        const std::size_t mask = slots_.size() - 1;
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        std::size_t at = static_cast<std::size_t>(hash) & mask;
        for (;; at = (at + 1) & mask) {
            const slot& s = slots_[at];
            if (s.number == none) return at;
            if (s.tag == tag && known_[s.number] == w && (text.size() < 16 || known(s.number) == text)) return at;
        }
    }

    void grow() {
        growing<slot> grown;
        grown.append(slots_.size() == 0 ? 64 : slots_.size() * (slots_.size() < 1 << 16 ? 4 : 2), slot{});
        const std::size_t mask = grown.size() - 1;
        for (std::size_t i = 0; i < size(); ++i) {
            const std::uint64_t hash = known_[i].hash();
            std::size_t at = static_cast<std::size_t>(hash) & mask;
            while (grown[at].number != none) at = (at + 1) & mask;
            grown[at] = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(i)};
        }
        slots_ = std::move(grown);
    }

    growing<slot> slots_;   // at most half full
    growing<words> known_;  // of each number
};

}  // namespace edge::frame::detail
