// SPDX-License-Identifier: MIT
#pragma once

/// @file Distinct values of a column chunk, numbered in the order in which they come, when there are few enough.
///
///     dictionary_builder<std::string_view> words;
///     if (words.build(values)) …                 // words.values(), words.indexes()

#include <edge/frame/detail/text_index.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace edge::frame::parquet {

/// Numbers of integers, as `text_index` has them of texts.
class number_index {
public:
    template <class Known>
    std::uint32_t insert(std::uint64_t value, Known&& known) {
        if (2 * (size_ + 1) > slots_.size()) grow(known);
        std::uint32_t& slot = slots_[place(value, known)];
        if (slot == 0) slot = ++size_;  // 0 is: free
        return slot - 1;
    }
    void clear() noexcept {
        slots_.clear();
        size_ = 0;
    }

private:
    template <class Known>
    [[nodiscard]] std::size_t place(std::uint64_t value, Known&& known) const {
        // Fibonacci hashing: the high bits of the product depend on all bits of the value.
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = static_cast<std::size_t>(value * 0x9E3779B97F4A7C15U >> 32) & mask;
        while (slots_[at] != 0 && known(slots_[at] - 1) != value) at = (at + 1) & mask;
        return at;
    }
    template <class Known>
    void grow(Known&& known) {
        slots_.assign(slots_.empty() ? 1024 : 4 * slots_.size(), 0);
        for (std::uint32_t i = 0; i < size_; ++i) slots_[place(known(i), known)] = i + 1;
    }

    std::vector<std::uint32_t> slots_;
    std::uint32_t size_ = 0;
};

/// K is an unsigned integer, the bits of a number (so that NaN and -0 stay as they are), or std::string_view.
template <class K>
class dictionary_builder {
public:
    /// Numbers the values. False, at once, when too many of those seen are distinct for it to pay: sensor readings give
    /// up after some hundred.
    [[nodiscard]] bool build(std::span<const K> values) {
        values_.clear();
        index_.clear();
        indexes_.resize(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            indexes_[i] = index_.insert(values[i], [this](std::uint32_t known) { return values_[known]; });
            if (indexes_[i] != values_.size()) continue;
            if (values_.size() > i / 2 + 256 || values_.size() >= most) return false;
            values_.push_back(values[i]);
        }
        return !values.empty();
    }

    [[nodiscard]] std::span<const K> values() const noexcept { return values_; }
    [[nodiscard]] std::span<const std::uint32_t> indexes() const noexcept { return indexes_; }

private:
    static constexpr std::size_t most = std::size_t{1} << 17;  // readers hold a dictionary in memory whole

    std::conditional_t<std::is_integral_v<K>, number_index, frame::detail::text_index> index_;
    std::vector<K> values_;
    std::vector<std::uint32_t> indexes_;
};

}  // namespace edge::frame::parquet
