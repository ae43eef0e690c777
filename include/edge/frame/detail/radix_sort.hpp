// SPDX-License-Identifier: MIT
#pragma once

/// @file Stable sort of rows by a key of up to 64 bits, a few bits at a time, on all threads.
///
/// One pass spreads the rows over about a thousand buckets by the highest bits of the key; each bucket then fits a
/// second-level cache and is sorted there.

#include <edge/core/parallel.hpp>
#include <edge/frame/buffer.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

struct radix_row {
    std::uint64_t key;
    std::uint32_t row;
};

/// Keys of rows that lie in memory, or are made where they are wanted, a block at a time.
class key_blocks {
public:
    key_blocks(std::span<const std::uint64_t> keys)
        : count_(keys.size()),
          from_(keys.data()),
          load_([](const void* from, std::size_t first, std::size_t count, int, std::uint64_t* out) {
              std::copy_n(static_cast<const std::uint64_t*>(from) + first, count, out);
          }) {}
    /// @param load  `load(first, count, lowest, out)` makes keys, of which bits below `lowest` may be left out; it outlives
    ///              this
    template <class Load>
    key_blocks(std::size_t count, const Load& load)
        : count_(count),
          from_(&load),
          load_([](const void* from, std::size_t first, std::size_t n, int lowest, std::uint64_t* out) {
              (*static_cast<const Load*>(from))(first, n, lowest, out);
          }) {}

    [[nodiscard]] std::size_t size() const noexcept { return count_; }

    /// Calls `f(i, key)` for rows i in [first, last) until it says false. @return  whether it never did
    template <class F>
    bool each(std::size_t first, std::size_t last, int lowest, F&& f) const {
        std::uint64_t keys[1024];
        for (; first < last; first += std::size(keys)) {
            const std::size_t count = (std::min)(std::size(keys), last - first);
            load_(from_, first, count, lowest, keys);
            for (std::size_t i = 0; i < count; ++i)
                if (!f(first + i, keys[i])) return false;
        }
        return true;
    }

private:
    std::size_t count_;
    const void* from_;
    void (*load_)(const void*, std::size_t, std::size_t, int, std::uint64_t*);
};

/// Copies rows, each before those with greater keys; quick where few are out of order. @param to  may be `from`
inline void insert_rows(const radix_row* from, radix_row* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = from[i].key;
        const std::uint32_t row = from[i].row;
        std::size_t at = i;
        for (; at != 0 && key < to[at - 1].key; --at) {  // by members: read in the pieces in which they were written
            to[at].key = to[at - 1].key;
            to[at].row = to[at - 1].row;
        }
        to[at].key = key;
        to[at].row = row;
    }
}

/// Sorts `rows` by the lowest `bits` of the keys: by a digit about as wide as leaves a row or two each, then those.
/// @param other  as many, for the work
inline void sort_bucket(radix_row* rows, radix_row* other, std::size_t count, int bits) {
    constexpr std::size_t few = 24;
    if (count <= few) return insert_rows(rows, rows, count);
    std::uint64_t varies = 0;
    for (std::size_t i = 1; i < count; ++i) varies |= rows[i].key ^ rows[0].key;
    bits = (std::min)(bits, static_cast<int>(std::bit_width(varies)));
    if (bits == 0) return;
    constexpr int widest = 13;  // that many places to write to fit the second cache
    const int digit = (std::min)({bits, widest, static_cast<int>(std::bit_width(count)) - 1});
    const int shift = bits - digit;
    const std::size_t digits = std::size_t{1} << digit;
    std::vector<std::uint32_t> ends(digits);
    for (std::size_t i = 0; i < count; ++i) ++ends[rows[i].key >> shift & (digits - 1)];
    std::uint32_t sum = 0;
    std::uint32_t most = 0;
    for (std::size_t d = 0; d < digits; ++d) {
        most = (std::max)(most, ends[d]);
        sum += std::exchange(ends[d], sum);
    }
    for (std::size_t i = 0; i < count; ++i) other[ends[rows[i].key >> shift & (digits - 1)]++] = rows[i];
    if (shift != 0 && most <= few) return insert_rows(other, rows, count);
    std::copy_n(other, count, rows);
    if (shift == 0) return;
    for (std::size_t d = 0, begin = 0; d < digits; begin = ends[d++])
        if (ends[d] - begin > 1) sort_bucket(rows + begin, other + begin, ends[d] - begin, shift);
}

/// Rows 0, 1, 2 … in the order of their keys, of which the lowest `bits` count; fewer than 2^32 of them.
[[nodiscard]] inline growing<radix_row> sorted_by_key(const key_blocks& keys, int bits,
                                                      const parallel_options& threads) {
    const std::size_t count = keys.size();
    growing<radix_row> sorted;
    radix_row* const to = sorted.extend(count);
    const int shift = (std::max)(0, bits - 10);
    const int parts = parts_for(static_cast<index_t>(count), {.threads = threads.threads, .grain = 1 << 14});
    std::vector<std::array<std::size_t, 1024>> next(static_cast<std::size_t>(parts));
    const auto each_row = [&](int part, int lowest, auto&& f) {
        const auto [first, last] = partition(static_cast<index_t>(count), parts, part);
        auto& mine = next[static_cast<std::size_t>(part)];
        keys.each(static_cast<std::size_t>(first), static_cast<std::size_t>(last), lowest,
                  [&](std::size_t i, std::uint64_t key) {
                      f(mine[static_cast<std::size_t>(key >> shift) & 1023], i, key);
                      return true;
                  });
    };
    parallel_parts(parts,
                   [&](int part) { each_row(part, shift, [](std::size_t& n, std::size_t, std::uint64_t) { ++n; }); });
    std::array<std::size_t, 1025> begins{};
    std::size_t sum = 0;
    for (std::size_t b = 0; b < 1024; ++b) {
        begins[b] = sum;
        for (auto& mine : next) sum += std::exchange(mine[b], sum);
    }
    begins[1024] = sum;
    parallel_parts(parts, [&](int part) {
        each_row(part, 0, [&](std::size_t& n, std::size_t i, std::uint64_t key) {
            to[n++] = {key, static_cast<std::uint32_t>(i)};
        });
    });
    if (shift == 0) return sorted;
    parallel_tasks(1024, threads, [&](index_t task, int) {
        const auto b = static_cast<std::size_t>(task);
        growing<radix_row> other;  // small, and its memory is soon used again
        const std::size_t here = begins[b + 1] - begins[b];
        sort_bucket(to + begins[b], other.extend(here), here, shift);
    });
    return sorted;
}

}  // namespace edge::frame::detail
