// SPDX-License-Identifier: MIT
#pragma once

/// @file Memory for a kernel's output: at a chosen misalignment, with bytes around it that must not change.
///
///     guarded<float> y(n, 4);                // the first element lies 4 bytes past a 64-byte boundary
///     kernel(x, y.data(), n);
///     REQUIRE(y.is_intact());

#include <edge/core/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

template <class T>
class guarded {
public:
    explicit guarded(std::size_t count, std::size_t misalignment = 0) : count_(count), bytes_(size(), fill) {
        const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
        start_ = (edge::alignment - address % edge::alignment) % edge::alignment + edge::alignment + misalignment;
    }

    [[nodiscard]] T* data() noexcept { return reinterpret_cast<T*>(bytes_.data() + start_); }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::vector<T> values() { return {data(), data() + count_}; }

    [[nodiscard]] bool is_intact() const {
        const auto untouched = [](unsigned char b) { return b == fill; };
        const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(start_);
        return std::all_of(bytes_.begin(), first, untouched) &&
               std::all_of(first + static_cast<std::ptrdiff_t>(count_ * sizeof(T)), bytes_.end(), untouched);
    }

private:
    static constexpr unsigned char fill = 0xa5;
    [[nodiscard]] std::size_t size() const noexcept { return count_ * sizeof(T) + 4 * edge::alignment; }

    std::size_t count_;
    std::vector<unsigned char> bytes_;
    std::size_t start_ = 0;
};
