// SPDX-License-Identifier: MIT
#pragma once

/// @file Keys of a stream's groups: what their columns held, numbered as they come.

#include <edge/frame/detail/group_aggregates.hpp>
#include <edge/frame/detail/row_groups.hpp>
#include <edge/frame/dictionary.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Texts and their numbers; a copy has its own.
class text_store {
public:
    text_store() = default;
    text_store(const text_store& other) {
        for (std::size_t i = 0; i < other.words_.size(); ++i) (void)words_.code(other.words_[i]);
    }
    text_store(text_store&&) noexcept = default;
    text_store& operator=(text_store other) noexcept {
        std::swap(words_, other.words_);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept { return words_[i]; }
    [[nodiscard]] std::uint64_t code(std::string_view text) { return static_cast<std::uint64_t>(words_.code(text)); }

    void write(byte_writer& to) const {
        to.put(static_cast<std::uint64_t>(size()));
        for (std::size_t i = 0; i < size(); ++i) to.put_text(words_[i]);
    }
    void read(byte_reader& from) {
        const auto count = from.get<std::uint64_t>();
        for (std::uint64_t i = 0; i < count; ++i)
            if (code(from.get_text()) != i) from.fail("a text that was there already");
    }

private:
    string_dictionary words_;
};

/// A key is a word for each column: of numbers what `to_ordered` says, of strings a number; and a word of bits that say
/// which are missing.
class stored_keys {
public:
    static constexpr std::size_t most_columns = 64;

    stored_keys() = default;
    explicit stored_keys(std::vector<kind> kinds) : kinds_(std::move(kinds)), texts_(kinds_.size()) {}

    [[nodiscard]] std::size_t size() const noexcept { return hashes_.size(); }
    [[nodiscard]] std::span<const kind> kinds() const noexcept { return kinds_; }

    /// Numbers of the keys of some slots, new ones after those that are there.
    [[nodiscard]] std::vector<std::uint32_t> insert(const row_groups& groups, std::span<const std::uint32_t> slots,
                                                    const parallel_options& threads) {
        std::vector<std::uint64_t> words(slots.size() * stride());
        groups.each_key(slots, [&](const key_field& field, std::span<const std::uint64_t> codes) {
            const key_codes& from = *field.codes;
            const std::uint64_t none = from.has_missing() ? from.last_code() : ~std::uint64_t{0};
            const bool is_text = kinds_[field.column] == kind::string;
            constexpr std::uint64_t unknown = ~std::uint64_t{0};
            std::vector<std::uint64_t> known(is_text ? static_cast<std::size_t>(from.last_code()) + 1 : 0, unknown);
            for (std::size_t i = 0; i < slots.size(); ++i) {
                std::uint64_t* const key = words.data() + i * stride();
                if (from.has_missing() && codes[i] == none) {
                    key[kinds_.size()] |= std::uint64_t{1} << field.column;
                } else if (is_text) {
                    if (known[codes[i]] == unknown) known[codes[i]] = texts_[field.column].code(from.text(codes[i]));
                    key[field.column] = known[codes[i]];
                } else {
                    key[field.column] = from.ordered(codes[i]);
                }
            }
        });
        return insert(words, threads);
    }

    /// Numbers of the keys of other groups, of the same kinds.
    [[nodiscard]] std::vector<std::uint32_t> insert(const stored_keys& other, const parallel_options& threads) {
        std::vector<std::uint64_t> words = other.words_;
        for (std::size_t c = 0; c < kinds_.size(); ++c) {
            if (kinds_[c] != kind::string) continue;
            std::vector<std::uint64_t> known;
            for (std::size_t i = 0; i < other.texts_[c].size(); ++i)
                known.push_back(texts_[c].code(other.texts_[c][i]));
            for (std::size_t i = 0; i < other.size(); ++i) {
                std::uint64_t& word = words[i * stride() + c];
                if ((words[i * stride() + kinds_.size()] >> c & 1) == 0) word = known[word];
            }
        }
        return insert(words, threads);
    }

    /// The key columns, a row for each key.
    [[nodiscard]] std::vector<column> columns() const {
        std::vector<column> found;
        for (std::size_t c = 0; c < kinds_.size(); ++c) {
            const auto word = [&](std::size_t i) { return words_[i * stride() + c]; };
            const auto there = [&](std::size_t i) { return (words_[i * stride() + kinds_.size()] >> c & 1) == 0; };
            if (kinds_[c] != kind::string) {
                found.push_back(column_of_ordered(kinds_[c], size(), there, word));
                continue;
            }
            column_builder texts(kind::string);
            for (std::size_t i = 0; i < size(); ++i) {
                if (there(i))
                    texts.append(texts_[c][word(i)]);
                else
                    texts.append_null();
            }
            found.push_back(texts.finish());
        }
        return found;
    }

    void write(byte_writer& to) const {
        to.put_array(std::span<const kind>(kinds_));
        for (const text_store& t : texts_) t.write(to);
        to.put_array(std::span<const std::uint64_t>(words_));
    }
    void read(byte_reader& from) {
        *this = stored_keys(from.get_array<kind>(most_columns));
        for (const kind k : kinds_)
            if (static_cast<std::size_t>(k) >= kind_names.size()) from.fail("a key of no known kind");
        for (text_store& t : texts_) t.read(from);
        const std::vector<std::uint64_t> words = from.get_array<std::uint64_t>(from.left() / 8);
        if (words.size() % stride() != 0) from.fail("keys that end too soon");
        const std::size_t count = words.size() / stride();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t* const key = words.data() + i * stride();
            if (kinds_.size() < 64 && key[kinds_.size()] >> kinds_.size() != 0)
                from.fail("more columns than there are");
            for (std::size_t c = 0; c < kinds_.size(); ++c)
                if (kinds_[c] == kind::string && key[c] >= (std::max)(texts_[c].size(), std::size_t{1}))
                    from.fail("a text that is not there");
            for (std::size_t c = 0; c < kinds_.size(); ++c)
                if (kinds_[c] == kind::string && texts_[c].size() == 0 && (key[kinds_.size()] >> c & 1) == 0)
                    from.fail("a text that is not there");
        }
        (void)insert(words, {.threads = 1});
        if (size() != count) from.fail("a key that was there already");
    }

private:
    [[nodiscard]] std::size_t stride() const noexcept { return kinds_.size() + 1; }

    [[nodiscard]] std::uint64_t hash_of(const std::uint64_t* key) const noexcept {
        std::uint64_t h = 0;
        for (std::size_t i = 0; i < stride(); ++i) {
            h = (h ^ key[i]) * 0x9E3779B97F4A7C15ULL;
            h ^= h >> 32;
        }
        return h;
    }
    [[nodiscard]] bool equal(std::size_t number, const std::uint64_t* key) const noexcept {
        const std::uint64_t* const known = words_.data() + number * stride();
        for (std::size_t i = 0; i < stride(); ++i)
            if (known[i] != key[i]) return false;
        return true;
    }
    /// Place in `slots_` of a key, or the free one where it would be.
    [[nodiscard]] std::size_t find(const std::uint64_t* key, std::uint64_t hash) const noexcept {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = static_cast<std::size_t>(hash) & mask;
        while (slots_[at] != free && !(hashes_[slots_[at]] == hash && equal(slots_[at], key))) at = (at + 1) & mask;
        return at;
    }

    /// @param words  keys, one after the other
    std::vector<std::uint32_t> insert(std::span<const std::uint64_t> words, const parallel_options& threads) {
        const std::size_t count = words.size() / stride();
        std::vector<std::uint32_t> numbers(count);
        std::vector<std::uint64_t> hashes(count);
        if (slots_.empty()) grow(64);
        parallel_for(static_cast<index_t>(count), {.threads = threads.threads, .grain = 1 << 12},
                     [&](index_t first, index_t last) {
                         for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
                             const std::uint64_t* const key = words.data() + i * stride();
                             hashes[i] = hash_of(key);
                             numbers[i] = slots_[find(key, hashes[i])];
                         }
                     });
        for (std::size_t i = 0; i < count; ++i) {
            if (numbers[i] != free) continue;
            if (2 * (size() + 1) > slots_.size()) grow(4 * slots_.size());
            const std::uint64_t* const key = words.data() + i * stride();
            std::uint32_t& slot = slots_[find(key, hashes[i])];
            if (slot == free) {
                if (size() >= free - 1) throw unsupported_error("more than 4294967294 different keys");
                slot = static_cast<std::uint32_t>(size());
                hashes_.push_back(hashes[i]);
                words_.insert(words_.end(), key, key + stride());
            }
            numbers[i] = slot;
        }
        return numbers;
    }
    void grow(std::size_t slots) {
        slots_.assign(slots, free);
        for (std::size_t i = 0; i < size(); ++i) {
            std::size_t at = static_cast<std::size_t>(hashes_[i]) & (slots - 1);
            while (slots_[at] != free) at = (at + 1) & (slots - 1);
            slots_[at] = static_cast<std::uint32_t>(i);
        }
    }

    static constexpr std::uint32_t free = static_cast<std::uint32_t>(-1);

    std::vector<kind> kinds_;
    std::vector<text_store> texts_;  // of columns of strings
    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> slots_;  // at most half full
};

}  // namespace edge::frame::detail
