// SPDX-License-Identifier: MIT
#pragma once

/// @file Groups of a result, and where each one's states are.

#include <edge/core/parallel.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Slots in the order of the groups: all of them as they come, or those of a list.
class slot_list {
public:
    static constexpr std::size_t block = 4096;  ///< a multiple of 64

    slot_list() = default;
    explicit slot_list(std::size_t all) : size_(all) {}
    slot_list(std::vector<std::uint32_t> slots) : size_(slots.size()), is_list_(true), slots_(std::move(slots)) {}
    slot_list(std::span<const std::uint32_t> slots)
        : slot_list(std::vector<std::uint32_t>(slots.begin(), slots.end())) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_list() const noexcept { return is_list_; }
    [[nodiscard]] std::uint32_t operator[](std::size_t group) const noexcept {
        return is_list_ ? slots_[group] : static_cast<std::uint32_t>(group);
    }

    /// Calls `f(first group, slots)` for blocks of the groups, on all threads.
    template <class F>
    void each_block(const parallel_options& threads, F&& f) const {
        parallel_for(static_cast<index_t>(size_), {.threads = threads.threads, .grain = 1 << 14, .align = block},
                     [&](index_t begin, index_t end) {
                         std::uint32_t slots[block];
                         const auto last = static_cast<std::size_t>(end);
                         for (auto first = static_cast<std::size_t>(begin); first < last; first += block) {
                             const std::size_t count = (std::min)(block, last - first);
                             for (std::size_t i = 0; i < count; ++i) slots[i] = (*this)[first + i];
                             f(first, std::span<const std::uint32_t>(slots, count));
                         }
                     });
    }

private:
    std::size_t size_ = 0;
    bool is_list_ = false;
    std::vector<std::uint32_t> slots_;
};

}  // namespace edge::frame::detail
