// SPDX-License-Identifier: MIT
#pragma once

/// @file Distinct values of a column chunk, numbered in the order in which they come, when there are few enough.
///
///     dictionary_builder<std::string_view> words;
///     if (words.build(values)) …                 // words.values(), words.indexes()

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace edge::frame::parquet {

/// K is an unsigned integer, the bits of a number (so that NaN and -0 stay as they are), or std::string_view.
template <class K>
class dictionary_builder {
public:
    /// Numbers the values. False, at once, when too many of those seen are distinct for it to pay: sensor readings give
    /// up after some hundred.
    [[nodiscard]] bool build(std::span<const K> values) {
        values_.clear();
        indexes_.resize(values.size());
        slots_.assign(1024, 0);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const K value = values[i];
            std::size_t slot = place(value);
            for (;; slot = (slot + 1) & (slots_.size() - 1)) {
                const std::uint32_t taken = slots_[slot];
                if (taken == 0) {
                    if (values_.size() > i / 2 + 256 || values_.size() >= most) return false;
                    values_.push_back(value);
                    slots_[slot] = static_cast<std::uint32_t>(values_.size());  // 0 is: free
                    indexes_[i] = static_cast<std::uint32_t>(values_.size() - 1);
                    if (values_.size() * 2 > slots_.size()) grow();
                    break;
                }
                if (values_[taken - 1] == value) {
                    indexes_[i] = taken - 1;
                    break;
                }
            }
        }
        return !values.empty();
    }

    [[nodiscard]] std::span<const K> values() const noexcept { return values_; }
    [[nodiscard]] std::span<const std::uint32_t> indexes() const noexcept { return indexes_; }

private:
    static constexpr std::size_t most = std::size_t{1} << 17;  // readers hold a dictionary in memory whole

    [[nodiscard]] std::size_t place(const K& value) const noexcept {
        std::uint64_t h = 0;
        if constexpr (std::is_integral_v<K>)
            h = value;
        else
            h = std::hash<K>()(value);
        // Fibonacci hashing: the high bits of the product depend on all bits of the value.
        h *= 0x9E3779B97F4A7C15U;
        return static_cast<std::size_t>(h >> 32) & (slots_.size() - 1);
    }

    void grow() {
        slots_.assign(slots_.size() * 4, 0);
        for (std::size_t v = 0; v < values_.size(); ++v) {
            std::size_t slot = place(values_[v]);
            while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
            slots_[slot] = static_cast<std::uint32_t>(v + 1);
        }
    }

    std::vector<K> values_;
    std::vector<std::uint32_t> indexes_;
    std::vector<std::uint32_t> slots_;
};

}  // namespace edge::frame::parquet
