// SPDX-License-Identifier: MIT
#pragma once

/// @file Kernels under every condition that breaks them: each compiled architecture, counts around the register width,
/// pointers that are not aligned, and bytes on both sides that must stay as they were.
///
///     sweep([&]<class Arch>(arch_tag<Arch>, std::size_t count, std::size_t misalignment) {
///         guarded<float> out(count, misalignment);
///         kernel<Arch>(in, out.data(), count);
///         REQUIRE(out.is_intact());
///     }, 2 * 16 + 1);

#include "support/architectures.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

/// Calls `f(arch, count, misalignment)` for each architecture, count up to `most`, and three misalignments in elements.
template <class F>
void sweep(F&& f, std::size_t most) {
    for_each_arch([&](auto arch) {
        for (std::size_t count = 0; count <= most; ++count)
            for (const std::size_t misalignment : {0U, 1U, 3U}) {
                INFO("count " << count << ", misaligned by " << misalignment);
                f(arch, count, misalignment);
            }
    });
}

/// `count` elements that begin `misalignment` elements after a 64-byte boundary, with 64 watched bytes on both sides.
template <class T>
class guarded {
public:
    explicit guarded(std::size_t count, std::size_t misalignment = 0) : count_(count) {
        bytes_.assign(4 * guard + (count + misalignment) * sizeof(T), pattern);
        void* start = bytes_.data();
        std::size_t space = bytes_.size();
        std::align(guard, 1, start, space);
        offset_ = bytes_.size() - space + guard + misalignment * sizeof(T);
    }

    [[nodiscard]] T* data() { return reinterpret_cast<T*>(bytes_.data() + offset_); }
    [[nodiscard]] std::span<T> values() { return {data(), count_}; }

    /// Whether nothing was written outside.
    [[nodiscard]] bool is_intact() const {
        for (std::size_t i = 0; i < bytes_.size(); ++i)
            if ((i < offset_ || i >= offset_ + count_ * sizeof(T)) && bytes_[i] != pattern) return false;
        return true;
    }

private:
    static constexpr std::size_t guard = 64;
    static constexpr unsigned char pattern = 0xa5;

    std::size_t count_;
    std::size_t offset_ = 0;
    std::vector<unsigned char> bytes_;
};
