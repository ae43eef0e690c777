// SPDX-License-Identifier: MIT
#pragma once

/// @file Where values lie in one block of memory, so that those that do not live at the same time share bytes.

#include <edge/core/shape.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace edge::nn::detail {

/// A value that is written in step `first` and read for the last time in step `last`.
struct arena_block {
    index_t bytes;
    std::size_t first, last;
    index_t offset = 0;

    [[nodiscard]] bool meets(const arena_block& other) const noexcept {
        return first <= other.last && other.first <= last;
    }
};

/// Most bytes that are alive in one step: no arena is smaller.
[[nodiscard]] inline index_t largest_live_set(std::span<const arena_block> blocks) {
    index_t most = 0;
    for (const arena_block& at : blocks) {  // the most is reached where one begins
        index_t alive = 0;
        for (const arena_block& b : blocks)
            if (b.first <= at.first && at.first <= b.last) alive += b.bytes;
        most = (std::max)(most, alive);
    }
    return most;
}

/// Gives the blocks offsets in the order given, each the lowest place that is free while it lives. Returns the bytes of
/// the arena. O(blocks²).
inline index_t place_in_order(std::span<arena_block> blocks, std::span<const std::size_t> order) {
    index_t total = 0;
    std::vector<std::size_t> placed;  // by offset
    for (const std::size_t i : order) {
        arena_block& b = blocks[i];
        index_t at = 0;
        for (const std::size_t k : placed) {
            const arena_block& other = blocks[k];
            if (!b.meets(other)) continue;
            if (at + b.bytes <= other.offset) break;
            at = (std::max)(at, other.offset + other.bytes);
        }
        b.offset = at;
        total = (std::max)(total, at + b.bytes);
        const auto behind = std::upper_bound(placed.begin(), placed.end(), at,
                                             [&](index_t offset, std::size_t k) { return offset < blocks[k].offset; });
        placed.insert(behind, i);
    }
    return total;
}

/// Gives each block its offset, a multiple of `align`. Returns the bytes of the arena. O(blocks²).
///
/// The larger ones first, or those first that are alive where the most is, whichever takes less.
/// Source: greedy by size and by breadth, in Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference,
/// 2020.
[[nodiscard]] inline index_t place(std::span<arena_block> blocks, index_t align) {
    for (arena_block& b : blocks) b.bytes = (b.bytes + align - 1) / align * align;
    // What is alive together with a block, at the most.
    std::vector<index_t> breadth(blocks.size(), 0);
    for (const arena_block& at : blocks) {
        index_t alive = 0;
        for (const arena_block& b : blocks)
            if (b.first <= at.first && at.first <= b.last) alive += b.bytes;
        for (std::size_t i = 0; i < blocks.size(); ++i)
            if (blocks[i].first <= at.first && at.first <= blocks[i].last) breadth[i] = (std::max)(breadth[i], alive);
    }
    std::vector<std::size_t> by_size(blocks.size());
    std::iota(by_size.begin(), by_size.end(), std::size_t{0});
    std::stable_sort(by_size.begin(), by_size.end(),
                     [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
    std::vector<std::size_t> by_breadth = by_size;
    std::stable_sort(by_breadth.begin(), by_breadth.end(),
                     [&](std::size_t a, std::size_t b) { return breadth[a] > breadth[b]; });
    const index_t total = place_in_order(blocks, by_size);
    std::vector<arena_block> other(blocks.begin(), blocks.end());
    const index_t other_total = place_in_order(other, by_breadth);
    if (other_total >= total) return total;
    std::copy(other.begin(), other.end(), blocks.begin());
    return other_total;
}

}  // namespace edge::nn::detail
