// SPDX-License-Identifier: MIT
#pragma once

/// @file Stable sort of rows by a key of up to 64 bits, a few bits at a time, on all threads.
///
/// One pass spreads the rows over about a thousand buckets by the highest bits of the key; each bucket then fits a
/// second-level cache and is sorted there. A bucket that does not fit is spread once more.

#include <edge/core/parallel.hpp>
#include <edge/frame/buffer.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::frame::detail {

struct radix_row {
    std::uint64_t key;
    std::uint32_t row;
};

/// Sorts `rows` by the lowest `bits` of the keys. @param other  as many, for the work
inline void sort_bucket(radix_row* rows, radix_row* other, std::size_t count, int bits) {
    constexpr std::size_t few = 24;
    if (count <= few) {
        for (std::size_t i = 1; i < count; ++i) {
            const radix_row moved = rows[i];
            std::size_t to = i;
            for (; to != 0 && moved.key < rows[to - 1].key; --to) rows[to] = rows[to - 1];
            rows[to] = moved;
        }
        return;
    }
    std::uint64_t varies = 0;
    for (std::size_t i = 1; i < count; ++i) varies |= rows[i].key ^ rows[0].key;
    bits = (std::min)(bits, static_cast<int>(std::bit_width(varies)));
    constexpr std::size_t cached = std::size_t{1} << 15;
    if (count > cached && bits > 8) {
        const int shift = bits - 8;
        std::array<std::size_t, 257> begins{};
        for (std::size_t i = 0; i < count; ++i) ++begins[(rows[i].key >> shift & 255) + 1];
        for (std::size_t b = 0; b < 256; ++b) begins[b + 1] += begins[b];
        std::array<std::size_t, 257> next = begins;
        for (std::size_t i = 0; i < count; ++i) other[next[rows[i].key >> shift & 255]++] = rows[i];
        std::copy(other, other + count, rows);
        for (std::size_t b = 0; b < 256; ++b)
            sort_bucket(rows + begins[b], other + begins[b], begins[b + 1] - begins[b], shift);
        return;
    }
    radix_row* from = rows;
    radix_row* to = other;
    for (int shift = 0; shift < bits; shift += 8) {
        if ((varies >> shift & 255) == 0) continue;
        std::array<std::uint32_t, 256> next{};
        for (std::size_t i = 0; i < count; ++i) ++next[from[i].key >> shift & 255];
        std::uint32_t sum = 0;
        for (std::uint32_t& n : next) {
            const std::uint32_t here = n;
            n = sum;
            sum += here;
        }
        for (std::size_t i = 0; i < count; ++i) to[next[from[i].key >> shift & 255]++] = from[i];
        std::swap(from, to);
    }
    if (from != rows) std::copy(from, from + count, rows);
}

/// Runs `f(i)` for i in [0, count) on the threads, each taking the next when it is done: for work of uneven size.
template <class F>
void parallel_each(std::size_t count, const parallel_options& options, F&& f) {
    std::atomic<std::size_t> next{0};
    parallel_parts(parts_for(static_cast<index_t>(count), options), [&](int) {
        for (std::size_t i = next.fetch_add(1, std::memory_order_relaxed); i < count;
             i = next.fetch_add(1, std::memory_order_relaxed))
            f(i);
    });
}

/// Rows 0, 1, 2 … in the order of their keys, of which the lowest `bits` count.
[[nodiscard]] inline growing<radix_row> sorted_by_key(std::span<const std::uint64_t> keys, int bits,
                                                      const parallel_options& threads) {
    const std::size_t count = keys.size();
    growing<radix_row> sorted;
    radix_row* const to = sorted.extend(count);
    const int shift = (std::max)(0, bits - 10);
    const auto bucket = [shift](std::uint64_t key) { return static_cast<std::size_t>(key >> shift) & 1023; };
    const int parts = parts_for(static_cast<index_t>(count), {.threads = threads.threads, .grain = 1 << 14});
    std::vector<std::array<std::size_t, 1024>> next(static_cast<std::size_t>(parts));
    const auto each_row = [&](int part, auto&& f) {
        const auto [first, last] = partition(static_cast<index_t>(count), parts, part);
        auto& mine = next[static_cast<std::size_t>(part)];
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            f(mine[bucket(keys[i])], i);
    };
    parallel_parts(parts, [&](int part) { each_row(part, [](std::size_t& n, std::size_t) { ++n; }); });
    std::array<std::size_t, 1025> begins{};
    std::size_t sum = 0;
    for (std::size_t b = 0; b < 1024; ++b) {
        begins[b] = sum;
        for (auto& mine : next) {
            const std::size_t here = mine[b];
            mine[b] = sum;
            sum += here;
        }
    }
    begins[1024] = sum;
    parallel_parts(parts, [&](int part) {
        each_row(part, [&](std::size_t& n, std::size_t i) { to[n++] = {keys[i], static_cast<std::uint32_t>(i)}; });
    });
    if (shift == 0) return sorted;
    parallel_each(1024, threads, [&](std::size_t b) {
        growing<radix_row> other;  // small, and its memory is soon used again
        const std::size_t here = begins[b + 1] - begins[b];
        sort_bucket(to + begins[b], other.extend(here), here, shift);
    });
    return sorted;
}

}  // namespace edge::frame::detail
