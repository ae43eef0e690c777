// SPDX-License-Identifier: MIT
#pragma once

/// @file Columns of what came out of each group.

#include <edge/frame/column.hpp>
#include <edge/frame/detail/ordered_bits.hpp>
#include <edge/frame/take.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace edge::frame::detail {

/// Bitmap of `f(i)` for i in [0, count); no bytes where it is always true.
template <class F>
[[nodiscard]] buffer validity_of(std::size_t count, F&& f) {
    std::size_t there = 0;
    while (there < count && f(there)) ++there;
    if (there == count) return {};
    growing_bits bits;
    bits.reserve(count);
    bits.append(there, true);
    for (std::size_t i = there; i < count; ++i) bits.push_back(f(i));
    return bits.finish();
}

/// Column of values of which `ordered` is what `to_ordered` said, of booleans 0 or 1; anything where they are missing.
[[nodiscard]] inline column column_from_ordered(kind k, std::span<const std::uint64_t> ordered, buffer validity) {
    if (k == kind::boolean) {
        growing_bits bits;
        for (const std::uint64_t value : ordered) bits.push_back(value == 1);
        return column(k, ordered.size(), std::move(validity), bits.finish());
    }
    return dispatch_stored(k, [&]<class T>() {
        growing<T> values;
        T* const to = values.extend(ordered.size());
        for (std::size_t i = 0; i < ordered.size(); ++i) to[i] = from_ordered<T>(ordered[i]);
        return column(k, ordered.size(), std::move(validity), values.finish());
    });
}

/// Column of values of which `ordered(i)` is what `to_ordered` said, of booleans 0 or 1.
template <class Valid, class Ordered>
[[nodiscard]] column column_of_ordered(kind k, std::size_t count, Valid&& valid, Ordered&& ordered) {
    growing<std::uint64_t> values;
    std::uint64_t* const to = values.extend(count);
    buffer validity = validity_of(count, valid);
    for (std::size_t i = 0; i < count; ++i) to[i] = validity.empty() || valid(i) ? ordered(i) : 0;
    return column_from_ordered(k, {to, count}, std::move(validity));
}

/// A word and whether it is there for each group, which come in parts and become a column.
class result_column {
public:
    explicit result_column(std::size_t groups) : groups_(groups) {
        (void)words_.extend(groups);
        (void)there_.extend(bitmap_bytes(groups));
    }

    /// `value(slot)` where `valid(slot)`, for groups `first` and on. Parts that begin at multiples of 64 may be put at the
    /// same time.
    template <class Valid, class Value>
    void put(std::size_t first, std::span<const std::uint32_t> slots, Valid&& valid, Value&& value) {
        std::uint64_t* const to = words_.data() + first;
        for (std::size_t i = 0; i < slots.size(); i += 8) {
            unsigned bits = 0;
            for (std::size_t j = i; j < (std::min)(i + 8, slots.size()); ++j) {
                const bool is_there = valid(slots[j]);
                bits |= unsigned{is_there} << (j - i);
                to[j] = is_there ? std::bit_cast<std::uint64_t>(value(slots[j])) : 0;
            }
            there_[(first + i) / 8] = static_cast<std::uint8_t>(bits);
        }
    }

    /// The words are values of this kind: int64, uint64 or float64.
    [[nodiscard]] column finish(kind k) { return column(k, groups_, there_.finish(), words_.finish()); }
    /// They are what `to_ordered` said of values of this kind.
    [[nodiscard]] column finish_ordered(kind k) {
        return column_from_ordered(k, {words_.data(), groups_}, there_.finish());
    }
    /// They are rows of another column.
    [[nodiscard]] column finish_rows(const column& from, const parallel_options& threads) {
        for (std::size_t i = 0; i < groups_; ++i)
            if (!get_bit(there_.data(), i)) words_[i] = static_cast<std::uint64_t>(-1);
        return take_rows(from, row_list<std::uint64_t>(words_.data(), groups_), false, threads);
    }

private:
    std::size_t groups_;
    growing<std::uint64_t> words_;
    growing<std::uint8_t> there_;
};

}  // namespace edge::frame::detail
