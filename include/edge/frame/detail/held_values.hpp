// SPDX-License-Identifier: MIT
#pragma once

/// @file Values of a stream that are kept, for the aggregates of all values of a group: 8 bytes a value, or for the number
/// of different values about 20 bytes for each different one.

#include <edge/frame/detail/aggregate_rows.hpp>
#include <edge/frame/detail/stored_keys.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// A list of values for each group, in blocks of up to 512 that lie in slabs of a megabyte: nothing is moved when it grows.
class value_lists {
public:
    value_lists() = default;
    value_lists(const value_lists& other) : lists_(other.lists_), next_(other.next_), size_(other.size_) {
        for (const auto& slab : other.slabs_) std::copy_n(slab.get(), slab_words, new_slab());
    }
    value_lists(value_lists&&) noexcept = default;
    value_lists& operator=(value_lists other) noexcept {
        lists_.swap(other.lists_);
        slabs_.swap(other.slabs_);
        std::swap(next_, other.next_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~value_lists() = default;

    /// Values of all groups.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// @throws unsupported_error  beyond 2^32 values and some
    void push_back(std::uint32_t group, std::uint64_t value) {
        if (group >= lists_.size()) lists_.resize((std::max)(std::size_t{group} + 1, 2 * lists_.size()));
        list& l = lists_[group];
        if (l.next == l.end) add_block(l);
        word(l.next++) = value;
        ++size_;
    }

    /// Calls `f(values)` with the values of a group, some at a time, the last ones first.
    template <class F>
    void each(std::size_t group, F&& f) const {
        if (group >= lists_.size()) return;
        std::uint32_t end = lists_[group].next;
        for (std::uint32_t block = lists_[group].block; block != none;) {
            const std::uint64_t head = word(block);
            f(std::span<const std::uint64_t>(&word(block) + 1, end - block - 1));
            block = static_cast<std::uint32_t>(head);  // the one before, which is full, and where it ends
            end = block + static_cast<std::uint32_t>(head >> 32);
        }
    }

    /// One past the last group that may have values.
    [[nodiscard]] std::size_t groups() const noexcept { return lists_.size(); }

private:
    static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);
    static constexpr int slab_bits = 17;
    static constexpr std::size_t slab_words = std::size_t{1} << slab_bits;
    static constexpr std::uint32_t most_words = 512;  // of a block, which never lies in two slabs

    struct list {
        std::uint32_t block = none;  ///< the last one: its first word says which was before, and how long that is
        std::uint32_t next = 0;
        std::uint32_t end = 0;
    };

    [[nodiscard]] std::uint64_t& word(std::uint32_t at) const noexcept {
        return slabs_[at >> slab_bits][at & (slab_words - 1)];
    }
    std::uint64_t* new_slab() {
        slabs_.push_back(std::make_unique_for_overwrite<std::uint64_t[]>(slab_words));
        return slabs_.back().get();
    }
    void add_block(list& l) {
        const std::uint32_t before = l.block == none ? 0 : l.end - l.block;
        const std::uint32_t words = (std::min)(most_words, before == 0 ? 4 : 2 * before);
        if ((next_ & (slab_words - 1)) + words > slab_words || slabs_.size() << slab_bits == next_) {
            if (slabs_.size() >= (std::size_t{1} << (32 - slab_bits)) - 1)
                throw unsupported_error("more than four thousand million values of a stream's median");
            next_ = slabs_.size() << slab_bits;
            new_slab();
        }
        const auto at = static_cast<std::uint32_t>(next_);
        next_ += words;
        word(at) = static_cast<std::uint64_t>(before) << 32 | l.block;
        l = {at, at + 1, at + words};
    }

    std::vector<list> lists_;
    std::vector<std::unique_ptr<std::uint64_t[]>> slabs_;
    std::size_t next_ = 0;  // word that is free
    std::size_t size_ = 0;
};

class held_values {
public:
    /// @param all  every value is kept; else each different one of a group
    held_values(kind k, bool all) : kind_(k), all_(all) {}

    [[nodiscard]] std::size_t size() const noexcept { return all_ ? lists_.size() : values_.size(); }

    /// The values of a column. @param group_of  of each row
    void add(const column& c, std::span<const std::uint32_t> group_of) {
        const auto reader = std::make_unique<value_reader>();
        std::vector<std::uint64_t> texts;
        for (std::size_t first = 0; first < c.size(); first += row_block::most) {
            const std::size_t count = (std::min)(row_block::most, c.size() - first);
            const row_block rows{first, nullptr, count, group_of.data() + first};
            value_block block = reader->read(c, {.ordered = kind_ != kind::string}, rows);
            if (kind_ == kind::string) {
                texts.clear();
                for (std::size_t i = 0; i < block.count; ++i)
                    texts.push_back(number_of(c.text(first + (block.at == nullptr ? i : block.at[i]))));
                block.ordered = texts.data();
            }
            for (std::size_t i = 0; i < block.count; ++i) put(block.slots[i], same_zero(block.ordered[i]));
        }
    }

    /// The values of another stream. @param group_of  of its groups
    void add(const held_values& other, std::span<const std::uint32_t> group_of) {
        std::vector<std::uint64_t> known;
        for (std::size_t i = 0; i < other.texts_.size(); ++i) known.push_back(number_of(other.texts_[i]));
        const auto value = [&](std::uint64_t v) { return kind_ == kind::string ? known[v] : v; };
        for (std::size_t i = 0; i < other.values_.size(); ++i) put(group_of[other.groups_[i]], value(other.values_[i]));
        for (std::size_t g = 0; g < (std::min)(other.lists_.groups(), group_of.size()); ++g)
            other.lists_.each(g, [&](std::span<const std::uint64_t> values) {
                for (const std::uint64_t v : values) put(group_of[g], value(v));
            });
    }

    [[nodiscard]] column different(std::span<const std::uint32_t> groups, std::size_t count) const {
        std::vector<std::int64_t> counts(count);
        for (const std::uint32_t g : groups_) ++counts[g];
        std::vector<std::int64_t> of;
        for (const std::uint32_t g : groups) of.push_back(counts[g]);
        return column(std::move(of));
    }

    [[nodiscard]] column quantile(std::span<const std::uint32_t> groups, double q,
                                  const parallel_options& threads) const {
        growing<double> found;
        double* const to = found.extend(groups.size());
        parallel_for(static_cast<index_t>(groups.size()), {.threads = threads.threads, .grain = 4},
                     [&](index_t first, index_t last) {
                         std::vector<std::uint64_t> values;
                         for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g) {
                             values.clear();
                             lists_.each(groups[g], [&](std::span<const std::uint64_t> some) {
                                 values.insert(values.end(), some.begin(), some.end());
                             });
                             to[g] = values.empty() ? 0 : value_at(quantile_of(values, q), kind_);
                         }
                     });
        buffer validity = validity_of(groups.size(), [&](std::size_t g) {
            bool any = false;
            lists_.each(groups[g], [&](std::span<const std::uint64_t>) { any = true; });
            return any;
        });
        return column(kind::float64, groups.size(), std::move(validity), found.finish());
    }

    void write(byte_writer& to) const {
        write_texts(texts_, to);
        if (!all_) {
            to.put_array(std::span<const std::uint32_t>(groups_));
            to.put_array(std::span<const std::uint64_t>(values_));
            return;
        }
        std::vector<std::uint32_t> group_of;
        std::vector<std::uint64_t> values;
        for (std::size_t g = 0; g < lists_.groups(); ++g)
            lists_.each(g, [&](std::span<const std::uint64_t> some) {
                group_of.insert(group_of.end(), some.size(), static_cast<std::uint32_t>(g));
                values.insert(values.end(), some.begin(), some.end());
            });
        to.put_array(std::span<const std::uint32_t>(group_of));
        to.put_array(std::span<const std::uint64_t>(values));
    }
    /// @param count  of groups
    void read(byte_reader& from, std::size_t count) {
        texts_ = read_texts(from);
        const auto groups = from.get_array<std::uint32_t>(from.left());
        const auto values = from.get_array<std::uint64_t>(from.left());
        if (values.size() != groups.size()) from.fail("values of another number");
        for (std::size_t i = 0; i < groups.size(); ++i) {
            if (groups[i] >= count) from.fail("a group that is not there");
            if (kind_ == kind::string && values[i] >= texts_.size()) from.fail("a text that is not there");
            put(groups[i], values[i]);
        }
        if (size() != groups.size()) from.fail("a value that was there already");
    }

private:
    [[nodiscard]] std::uint64_t number_of(std::string_view text) {
        return static_cast<std::uint64_t>(texts_.code(text));
    }

    /// -0 as 0 where different values are counted.
    [[nodiscard]] std::uint64_t same_zero(std::uint64_t ordered) const noexcept {
        if (all_ || !is_float(kind_)) return ordered;
        return kind_ == kind::float32 ? to_ordered_key(from_ordered<float>(ordered))
                                      : to_ordered_key(from_ordered<double>(ordered));
    }

    void put(std::uint32_t group, std::uint64_t value) {
        if (all_) return lists_.push_back(group, value);
        if (2 * (size() + 1) > slots_.size()) grow();
        std::size_t at = hash(group, value) & (slots_.size() - 1);
        for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1))
            if (groups_[slots_[at] - 1] == group && values_[slots_[at] - 1] == value) return;
        slots_[at] = size() + 1;
        groups_.push_back(group);
        values_.push_back(value);
    }
    [[nodiscard]] static std::size_t hash(std::uint32_t group, std::uint64_t value) noexcept {
        std::uint64_t h = (value ^ (value >> 32) ^ group * 0x9E3779B97F4A7C15ULL) * 0xFF51AFD7ED558CCDULL;
        h ^= h >> 32;
        return static_cast<std::size_t>(h);
    }
    void grow() {
        slots_.assign(slots_.empty() ? 256 : 2 * slots_.size(), 0);
        for (std::size_t i = 0; i < size(); ++i) {
            std::size_t at = hash(groups_[i], values_[i]) & (slots_.size() - 1);
            while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = i + 1;
        }
    }

    kind kind_;
    bool all_;
    string_dictionary texts_;
    value_lists lists_;                  // of all values
    std::vector<std::uint32_t> groups_;  // of different values
    std::vector<std::uint64_t> values_;
    std::vector<std::size_t> slots_;  // of different values, and 1; at most half full
};

}  // namespace edge::frame::detail
