// SPDX-License-Identifier: MIT
#pragma once

/// @file Keys of a stream's groups: what their columns held, numbered as they come.

#include <edge/frame/detail/group_aggregates.hpp>
#include <edge/frame/detail/row_groups.hpp>
#include <edge/frame/dictionary.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Texts and their numbers, in bytes.
inline void write_texts(const string_dictionary& texts, byte_writer& to) {
    to.put(static_cast<std::uint64_t>(texts.size()));
    for (std::size_t i = 0; i < texts.size(); ++i) to.put_text(texts[i]);
}
[[nodiscard]] inline string_dictionary read_texts(byte_reader& from) {
    string_dictionary texts;
    const auto count = from.get<std::uint64_t>();
    for (std::uint64_t i = 0; i < count; ++i)
        if (static_cast<std::uint64_t>(texts.code(from.get_text())) != i) from.fail("a text that was there already");
    return texts;
}

/// A key is a word for each column: of numbers what `to_ordered` says, of strings a number; and a word of bits that say
/// which are missing.
class stored_keys {
public:
    static constexpr std::size_t most_columns = 64;

    stored_keys() = default;
    explicit stored_keys(std::vector<kind> kinds) : kinds_(std::move(kinds)), texts_(kinds_.size()) {}

    [[nodiscard]] std::size_t size() const noexcept { return words_.size() / stride(); }
    [[nodiscard]] std::span<const kind> kinds() const noexcept { return kinds_; }

    /// A key column as one of numbers: a text as its number, which is that of the same text in all batches.
    [[nodiscard]] column numbered(std::size_t key, const column& c, const parallel_options& threads) {
        if (kinds_[key] != kind::string) return c;
        string_dictionary& texts = texts_[key];
        growing<std::uint32_t> numbers;
        std::uint32_t* const to = numbers.extend(c.size());
        const bit_view valid = c.validity();
        const auto each_part = [&](auto&& f) {
            parallel_for(static_cast<index_t>(c.size()), {.threads = threads.threads, .grain = 1 << 14},
                         [&](index_t first, index_t last) {
                             f(static_cast<std::size_t>(first), static_cast<std::size_t>(last));
                         });
        };
        if (c.is_dictionary()) {
            std::vector<std::uint32_t> here(c.dictionary().size() + 1, none);  // and the code of what is missing
            const auto number = [&](std::size_t code) {
                here[code] = static_cast<std::uint32_t>(texts.code(c.dictionary().text(code)));
            };
            const std::int32_t* const codes = c.codes().data();
            if (c.dictionary().size() <= c.size()) {
                for (std::size_t i = 0; i < c.dictionary().size(); ++i) number(i);
            } else {  // most of it is of other rows
                for (std::size_t i = 0; i < c.size(); ++i)
                    if (const auto code = static_cast<std::size_t>(codes[i]); valid[i] && here[code] == none)
                        number(code);
            }
            each_part([&](std::size_t first, std::size_t last) {
                for (std::size_t i = first; i < last; ++i) to[i] = here[static_cast<std::size_t>(codes[i])];
            });
        } else {
            std::atomic<bool> has_new{false};
            const std::int64_t* const offsets = c.offsets().data();
            const char* const bytes = c.text_bytes();
            const auto text = [&](std::size_t i) {
                return std::string_view(bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
            };
            each_part([&](std::size_t first, std::size_t last) {
                texts.find(first, last, text, to + first);
                if (std::find(to + first, to + last, none) != to + last) has_new = true;
            });
            for (std::size_t i = 0; has_new && i < c.size(); ++i)
                if (to[i] == none) to[i] = valid[i] ? static_cast<std::uint32_t>(texts.code(c.text(i))) : 0;
        }
        growing_bits there;
        if (c.null_count() != 0) there.append(valid);
        return column(kind::uint32, c.size(), there.finish(), numbers.finish());
    }

    /// Numbers of the keys of some slots, new ones after those that are there. @param groups  of columns as `numbered`
    [[nodiscard]] std::vector<std::uint32_t> insert(const row_groups& groups, std::span<const std::uint32_t> slots,
                                                    const parallel_options& threads) {
        std::vector<std::uint64_t> words(slots.size() * stride());
        groups.each_key(slots, [&](const key_field& field, std::span<const std::uint64_t> codes) {
            const key_codes& from = *field.codes;
            const std::uint64_t missing = from.has_missing() ? from.last_code() : ~std::uint64_t{0};
            for (std::size_t i = 0; i < slots.size(); ++i) {
                std::uint64_t* const key = words.data() + i * stride();
                if (from.has_missing() && codes[i] == missing)
                    key[kinds_.size()] |= std::uint64_t{1} << field.column;
                else
                    key[field.column] = from.ordered(codes[i]);
            }
        });
        return insert(words, threads);
    }

    /// Numbers of the keys of rows, new ones after those that are there, as the first of their rows come.
    /// @param keys  columns as `numbered`
    [[nodiscard]] growing<std::uint32_t> insert(std::span<const column> keys, std::size_t rows,
                                                const parallel_options& threads) {
        if (growing<std::uint32_t> same; alike_ == size() && alike_ != 0 && keys[0].null_count() == 0) {
            const std::uint32_t* const from = keys[0].values<std::uint32_t>().data();
            std::uint32_t* const to = same.extend(rows);
            std::atomic<bool> has_new{false};
            parallel_for(static_cast<index_t>(rows), {.threads = threads.threads, .grain = 1 << 14},
                         [&](index_t first, index_t last) {
                             std::uint32_t greatest = 0;
                             for (index_t i = first; i < last; ++i) greatest = (std::max)(greatest, to[i] = from[i]);
                             if (greatest >= alike_) has_new.store(true, std::memory_order_relaxed);
                         });
            if (!has_new) return same;
        }
        return insert(
            rows, [&](std::size_t first, std::size_t count, std::uint64_t* to) { load(keys, first, count, to); },
            threads);
    }

    /// Numbers of the keys of other groups, of the same kinds.
    [[nodiscard]] std::vector<std::uint32_t> insert(const stored_keys& other, const parallel_options& threads) {
        std::vector<std::uint64_t> words = other.words_;
        for (std::size_t c = 0; c < kinds_.size(); ++c) {
            if (kinds_[c] != kind::string) continue;
            std::vector<std::uint64_t> known;
            for (std::size_t i = 0; i < other.texts_[c].size(); ++i)
                known.push_back(static_cast<std::uint64_t>(texts_[c].code(other.texts_[c][i])));
            for (std::size_t i = 0; i < other.size(); ++i) {
                std::uint64_t& word = words[i * stride() + c];
                if ((words[i * stride() + kinds_.size()] >> c & 1) == 0) word = known[word];
            }
        }
        return insert(words, threads);
    }

    /// The key columns, a row for each key; strings as codes.
    [[nodiscard]] std::vector<column> columns() const {
        std::vector<column> found;
        for (std::size_t c = 0; c < kinds_.size(); ++c) {
            const auto word = [&](std::size_t i) { return words_[i * stride() + c]; };
            const auto there = [&](std::size_t i) { return (words_[i * stride() + kinds_.size()] >> c & 1) == 0; };
            if (kinds_[c] != kind::string) {
                found.push_back(column_of_ordered(kinds_[c], size(), there, word));
                continue;
            }
            growing<std::int32_t> codes;
            std::int32_t* const to = codes.extend(size());
            for (std::size_t i = 0; i < size(); ++i) to[i] = static_cast<std::int32_t>(word(i));  // 0 where missing
            found.push_back(column::encoded(size(), validity_of(size(), there), codes.finish(),
                                            string_dictionary(texts_[c]).finish()));
        }
        return found;
    }

    void write(byte_writer& to) const {
        to.put_array(std::span<const kind>(kinds_));
        for (const string_dictionary& t : texts_) write_texts(t, to);
        to.put_array(std::span<const std::uint64_t>(words_));
    }
    void read(byte_reader& from) {
        *this = stored_keys(from.get_array<kind>(most_columns));
        for (const kind k : kinds_)
            if (static_cast<std::size_t>(k) >= kind_names.size()) from.fail("a key of no known kind");
        for (string_dictionary& t : texts_) t = read_texts(from);
        const std::vector<std::uint64_t> words = from.get_array<std::uint64_t>(from.left() / 8);
        if (words.size() % stride() != 0) from.fail("keys that end too soon");
        const std::size_t count = words.size() / stride();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t* const key = words.data() + i * stride();
            if (kinds_.size() < 64 && key[kinds_.size()] >> kinds_.size() != 0)
                from.fail("more columns than there are");
            for (std::size_t c = 0; c < kinds_.size(); ++c) {
                const std::size_t least = key[kinds_.size()] >> c & 1;  // what is missing has word 0, of no text also
                if (kinds_[c] == kind::string && key[c] >= (std::max)(texts_[c].size(), least))
                    from.fail("a text that is not there");
            }
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
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        std::size_t at = static_cast<std::size_t>(hash) & mask;
        while (slots_[at].number != none && !(slots_[at].tag == tag && equal(slots_[at].number, key)))
            at = (at + 1) & mask;
        return at;
    }

    /// Whether `dense_` has a place for a key.
    [[nodiscard]] bool is_addressed(const std::uint64_t* key) const noexcept {
        return dense_.size() != 0 && key[0] - least_ < dense_.size() && key[1] == 0;
    }

    /// Number of a key, or none.
    [[nodiscard]] std::uint32_t number_of(const std::uint64_t* key) const noexcept {
        if (is_addressed(key)) return dense_[key[0] - least_];
        return slots_[find(key, hash_of(key))].number;
    }

    [[nodiscard]] std::uint32_t add(const std::uint64_t* key) {
        if (2 * (size() + 1) > slots_.size()) grow(4 * slots_.size());
        const std::uint64_t hash = hash_of(key);
        slot& s = slots_[find(key, hash)];
        if (s.number != none) return s.number;
        if (size() >= none - 1) throw unsupported_error("more than 4294967294 different keys");
        s = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(size())};
        if (kinds_.size() == 1 && kinds_[0] == kind::string && alike_ == size() && key[0] == alike_ && key[1] == 0)
            ++alike_;
        words_.insert(words_.end(), key, key + stride());
        if (is_addressed(key)) dense_[key[0] - least_] = s.number;
        return s.number;
    }

    /// @param load  load(first, count, to) puts the words of keys there
    template <class Load>
    growing<std::uint32_t> insert(std::size_t count, Load&& load, const parallel_options& threads) {
        growing<std::uint32_t> numbers;
        std::uint32_t* const to = numbers.extend(count);
        if (slots_.size() == 0) grow(64);
        std::atomic<bool> has_new{false};
        parallel_for(static_cast<index_t>(count), {.threads = threads.threads, .grain = 1 << 12},
                     [&](index_t begin, index_t end) {
                         std::vector<std::uint64_t> words(block * stride());
                         const auto last = static_cast<std::size_t>(end);
                         for (auto first = static_cast<std::size_t>(begin); first < last; first += block) {
                             const std::size_t n = (std::min)(block, last - first);
                             load(first, n, words.data());
                             bool all = true;
                             for (std::size_t i = 0; i < n; ++i) {
                                 to[first + i] = number_of(words.data() + i * stride());
                                 all = all && to[first + i] != none;
                             }
                             if (!all) has_new.store(true, std::memory_order_relaxed);
                         }
                     });
        if (!has_new) return numbers;
        std::vector<std::uint64_t> words(block * stride());
        for (std::size_t first = 0; first < count; first += block) {
            const std::size_t n = (std::min)(block, count - first);
            if (std::find(to + first, to + first + n, none) == to + first + n) continue;
            load(first, n, words.data());
            for (std::size_t i = 0; i < n; ++i)
                if (to[first + i] == none) to[first + i] = add(words.data() + i * stride());
        }
        address_directly();
        return numbers;
    }
    /// @param words  keys, one after the other
    std::vector<std::uint32_t> insert(std::span<const std::uint64_t> words, const parallel_options& threads) {
        const growing<std::uint32_t> numbers = insert(
            words.size() / stride(),
            [&](std::size_t first, std::size_t count, std::uint64_t* to) {
                std::copy_n(words.data() + first * stride(), count * stride(), to);
            },
            threads);
        return {numbers.data(), numbers.data() + numbers.size()};
    }

    /// Words of the keys of rows [first, first + count).
    void load(std::span<const column> keys, std::size_t first, std::size_t count, std::uint64_t* to) const {
        const std::size_t step = stride();
        for (std::size_t i = 0; i < count; ++i) to[i * step + step - 1] = 0;
        for (std::size_t c = 0; c < keys.size(); ++c) {
            const auto miss = [&](std::size_t i) {
                to[i * step + c] = 0;
                to[i * step + step - 1] |= std::uint64_t{1} << c;
            };
            if (keys[c].kind() == kind::boolean) {
                const bit_view bits = keys[c].booleans();
                for (std::size_t i = 0; i < count; ++i) to[i * step + c] = bits[first + i];
            } else {
                dispatch_stored(keys[c].kind(), [&]<class T>() {
                    const T* const values = keys[c].values<T>().data() + first;
                    for (std::size_t i = 0; i < count; ++i) {
                        to[i * step + c] = to_ordered_key(values[i]);
                        if (values[i] != values[i]) miss(i);
                    }
                });
            }
            if (keys[c].null_count() == 0) continue;
            const bit_view valid = keys[c].validity();
            for (std::size_t i = 0; i < count; ++i)
                if (!valid[first + i]) miss(i);
        }
    }

    /// Many keys of one column that lie close to each other are addressed by themselves.
    void address_directly() {
        if (kinds_.size() != 1 || size() < 1024 || size() < 2 * addressed_) return;
        addressed_ = size();
        std::uint64_t greatest = 0;
        least_ = ~std::uint64_t{0};
        for (std::size_t i = 0; i < size(); ++i) {
            if (words_[2 * i + 1] != 0) continue;
            least_ = (std::min)(least_, words_[2 * i]);
            greatest = (std::max)(greatest, words_[2 * i]);
        }
        dense_ = {};
        if (greatest - least_ >= 8 * size()) return;
        dense_ = slot_array<std::uint32_t>(2 * static_cast<std::size_t>(greatest - least_ + 1), none);
        for (std::size_t i = 0; i < size(); ++i)
            if (words_[2 * i + 1] == 0) dense_[words_[2 * i] - least_] = static_cast<std::uint32_t>(i);
    }

    void grow(std::size_t slots) {
        slots_ = slot_array<slot>(slots, {});
        for (std::size_t i = 0; i < size(); ++i) {
            const std::uint64_t hash = hash_of(words_.data() + i * stride());
            std::size_t at = static_cast<std::size_t>(hash) & (slots - 1);
            while (slots_[at].number != none) at = (at + 1) & (slots - 1);
            slots_[at] = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(i)};
        }
    }

    static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);
    static constexpr std::size_t block = 1024;

    struct slot {
        std::uint32_t tag = 0;  ///< of the hash
        std::uint32_t number = none;
    };

    std::vector<kind> kinds_;
    std::vector<string_dictionary> texts_;  // of columns of strings
    std::vector<std::uint64_t> words_;
    slot_array<slot> slots_;           // at most half full
    slot_array<std::uint32_t> dense_;  // numbers of the keys from `least_` on, none where there is none
    std::uint64_t least_ = 0;
    std::size_t alike_ = 0;      // first keys, of one column of strings, that have the numbers of their texts
    std::size_t addressed_ = 0;  // keys there were when `dense_` was made
};

}  // namespace edge::frame::detail
