// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbering of integer keys in their order: by a hash table on each thread where few are different, else by sorting
/// the rows.

#include <edge/frame/detail/radix_sort.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Different keys, numbered in ascending order, and their rows in one of two forms.
struct numbered_keys {
    std::size_t count = 0;          ///< of different keys
    growing<std::uint64_t> keys;    ///< by number, where `of_row` is known
    growing<std::uint32_t> of_row;  ///< number of each row's key
    growing<radix_row> sorted;      ///< the other form: rows of the first key, of the second …, each in their order
    growing<std::uint32_t> begins;  ///< where each key's begin in `sorted`, and the end of the last

    [[nodiscard]] bool has_numbers() const noexcept { return begins.size() == 0; }
    [[nodiscard]] std::uint64_t key(std::size_t number) const noexcept {
        return has_numbers() ? keys[number] : sorted[begins[number]].key;
    }
};

/// Keys of a part of the rows, each once.
class key_index {
public:
    [[nodiscard]] std::span<const std::uint64_t> keys() const noexcept { return keys_; }

    std::uint32_t insert(std::uint64_t key) {
        if (2 * (keys_.size() + 1) > slots_.size()) grow();
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = hash(key) & mask;; at = (at + 1) & mask) {
            slot& s = slots_[at];
            if (s.number == 0) {
                keys_.push_back(key);
                s = {key, static_cast<std::uint32_t>(keys_.size())};
                return s.number - 1;
            }
            if (s.key == key) return s.number - 1;
        }
    }

private:
    struct slot {
        std::uint64_t key = 0;
        std::uint32_t number = 0;  ///< and 1; 0: free
    };

    [[nodiscard]] static std::size_t hash(std::uint64_t key) noexcept {
        const std::uint64_t h = key * 0x9E3779B97F4A7C15ULL;
        return static_cast<std::size_t>(h ^ h >> 32);
    }
    void grow() {
        slots_.assign(slots_.empty() ? 256 : 4 * slots_.size(), {});
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            std::size_t at = hash(keys_[i]) & (slots_.size() - 1);
            while (slots_[at].number != 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = {keys_[i], static_cast<std::uint32_t>(i + 1)};
        }
    }

    std::vector<slot> slots_;  // at most half full
    std::vector<std::uint64_t> keys_;
};

/// Numbers keys by hashing. @return  false, and nothing, where a part of the rows holds more than `most` different ones
inline bool number_by_hash(const key_blocks& keys, std::size_t most, const parallel_options& threads,
                           numbered_keys& result) {
    const auto rows = static_cast<index_t>(keys.size());
    const int parts = parts_for(rows, {.threads = threads.threads, .grain = 1 << 14});
    std::vector<key_index> indexes(static_cast<std::size_t>(parts));
    growing<std::uint32_t> numbers;
    std::uint32_t* const of_row = numbers.extend(keys.size());
    std::atomic<bool> too_many{false};
    parallel_parts(parts, [&](int part) {
        const auto [first, last] = partition(rows, parts, part);
        key_index& index = indexes[static_cast<std::size_t>(part)];
        std::uint64_t before = 0;
        std::uint32_t number = 0;
        keys.each(static_cast<std::size_t>(first), static_cast<std::size_t>(last), 0,
                  [&](std::size_t i, std::uint64_t key) {
                      if (key != before || index.keys().empty()) {  // keys often come in runs
                          before = key;
                          number = index.insert(key);
                          if (number >= most) too_many.store(true, std::memory_order_relaxed);
                          if ((i & 1023) == 0 && too_many.load(std::memory_order_relaxed)) return false;
                      }
                      of_row[i] = number;
                      return true;
                  });
    });
    if (too_many.load()) return false;
    growing<std::uint64_t> all;
    std::vector<std::size_t> begins(indexes.size());
    for (std::size_t p = 0; p < indexes.size(); ++p) {
        begins[p] = all.size();
        all.append(indexes[p].keys());
    }
    const growing<radix_row> sorted =
        sorted_by_key(std::span<const std::uint64_t>(all.data(), all.size()), 64, threads);
    std::vector<std::uint32_t> number(all.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i == 0 || sorted[i].key != sorted[i - 1].key) result.keys.push_back(sorted[i].key);
        number[sorted[i].row] = static_cast<std::uint32_t>(result.keys.size() - 1);
    }
    parallel_parts(parts, [&](int part) {
        const auto [first, last] = partition(rows, parts, part);
        const std::uint32_t* const to = number.data() + begins[static_cast<std::size_t>(part)];
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            of_row[i] = to[of_row[i]];
    });
    result.of_row = std::move(numbers);
    result.count = result.keys.size();
    return true;
}

/// Rows beside their keys, sorted by them.
[[nodiscard]] inline growing<radix_row> in_order_of_keys(const key_blocks& keys, int bits,
                                                         const parallel_options& threads) {
    std::uint64_t before = 0;
    const bool in_order =
        keys.each(0, keys.size(), 0, [&](std::size_t, std::uint64_t key) { return std::exchange(before, key) <= key; });
    if (!in_order) return sorted_by_key(keys, bits, threads);
    growing<radix_row> sorted;
    radix_row* const to = sorted.extend(keys.size());
    parallel_for(static_cast<index_t>(keys.size()), {.threads = threads.threads, .grain = 1 << 14},
                 [&](index_t first, index_t last) {
                     keys.each(static_cast<std::size_t>(first), static_cast<std::size_t>(last), 0,
                               [&](std::size_t i, std::uint64_t key) {
                                   to[i] = {key, static_cast<std::uint32_t>(i)};
                                   return true;
                               });
                 });
    return sorted;
}

/// Numbers keys by sorting the rows, if they are not sorted already.
inline numbered_keys number_by_sort(const key_blocks& keys, int bits, const parallel_options& threads) {
    numbered_keys result;
    result.sorted = in_order_of_keys(keys, bits, threads);
    const radix_row* const sorted = result.sorted.data();
    const auto rows = static_cast<index_t>(keys.size());
    const int parts = parts_for(rows, {.threads = threads.threads, .grain = 1 << 14});
    std::vector<std::size_t> begins(static_cast<std::size_t>(parts) + 1);
    const auto each_first = [&](int part, auto&& f) {
        const auto [first, last] = partition(rows, parts, part);
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            f(i, i == 0 || sorted[i].key != sorted[i - 1].key);
    };
    parallel_parts(parts, [&](int part) {
        std::size_t here = 0;
        each_first(part, [&](std::size_t, bool is_first) { here += is_first; });
        begins[static_cast<std::size_t>(part) + 1] = here;
    });
    for (std::size_t p = 1; p < begins.size(); ++p) begins[p] += begins[p - 1];
    result.count = begins.back();
    std::uint32_t* const at = result.begins.extend(result.count + 1);
    at[result.count] = static_cast<std::uint32_t>(keys.size());
    parallel_parts(parts, [&](int part) {
        std::size_t next = begins[static_cast<std::size_t>(part)];
        each_first(part, [&](std::size_t i, bool is_first) {
            if (is_first) at[next++] = static_cast<std::uint32_t>(i);
        });
    });
    return result;
}

/// @param bits  of the keys that may be set
inline numbered_keys number_keys_of(const key_blocks& keys, int bits, const parallel_options& threads) {
    constexpr std::size_t few = std::size_t{1} << 18;
    numbered_keys result;
    if (number_by_hash(keys, few, threads, result)) return result;
    return number_by_sort(keys, bits, threads);
}

/// From rows in the order of their keys to the number of each row's key, and the keys.
inline void number_rows(numbered_keys& n, const parallel_options& threads) {
    if (n.has_numbers()) return;
    std::uint32_t* const of_row = n.of_row.extend(n.sorted.size());
    std::uint64_t* const keys = n.keys.extend(n.count);
    parallel_for(static_cast<index_t>(n.count), {.threads = threads.threads, .grain = 1 << 12},
                 [&](index_t first, index_t last) {
                     for (auto k = static_cast<std::size_t>(first); k < static_cast<std::size_t>(last); ++k) {
                         keys[k] = n.sorted[n.begins[k]].key;
                         for (std::size_t i = n.begins[k]; i < n.begins[k + 1]; ++i)
                             of_row[n.sorted[i].row] = static_cast<std::uint32_t>(k);
                     }
                 });
    n.sorted = {};
    n.begins = {};
}

}  // namespace edge::frame::detail
