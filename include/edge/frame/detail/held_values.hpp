// SPDX-License-Identifier: MIT
#pragma once

/// @file Values of a stream that are kept, for the aggregates of all values of a group: 12 bytes a value, or for the
/// number of different values about 20 bytes for each different one.

#include <edge/frame/detail/aggregate_rows.hpp>
#include <edge/frame/detail/stored_keys.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::frame::detail {

class held_values {
public:
    /// @param all  every value is kept; else each different one of a group
    held_values(kind k, bool all) : kind_(k), all_(all) {}

    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

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
        for (std::size_t i = 0; i < other.size(); ++i)
            put(group_of[other.groups_[i]], kind_ == kind::string ? known[other.values_[i]] : other.values_[i]);
    }

    [[nodiscard]] column different(std::span<const std::uint32_t> groups, std::size_t count) const {
        std::vector<std::int64_t> counts(count);
        for (const std::uint32_t g : groups_) ++counts[g];
        std::vector<std::int64_t> of;
        for (const std::uint32_t g : groups) of.push_back(counts[g]);
        return column(std::move(of));
    }

    [[nodiscard]] column quantile(std::span<const std::uint32_t> groups, std::size_t count, double q,
                                  const parallel_options& threads) const {
        slot_values by;
        gather_by_slot<std::uint64_t>(
            size(), count,
            [this](std::size_t first, std::size_t n, auto&& f) {
                for (std::size_t i = first; i < first + n; ++i) f(groups_[i], values_[i]);
            },
            threads, by.values, by.begins);
        return quantiles(by, kind_, groups, q, threads);
    }

    void write(byte_writer& to) const {
        write_texts(texts_, to);
        to.put_array(std::span<const std::uint32_t>(groups_));
        to.put_array(std::span<const std::uint64_t>(values_));
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
        if (!all_) {
            if (2 * (size() + 1) > slots_.size()) grow();
            std::size_t at = hash(group, value) & (slots_.size() - 1);
            for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1))
                if (groups_[slots_[at] - 1] == group && values_[slots_[at] - 1] == value) return;
            slots_[at] = size() + 1;
        }
        if (size() >= 0xFFFFFFFE) throw unsupported_error("more than 4294967294 values of a stream's median");
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
    std::vector<std::uint32_t> groups_;
    std::vector<std::uint64_t> values_;
    std::vector<std::size_t> slots_;  // of different values, and 1; at most half full
};

}  // namespace edge::frame::detail
