// SPDX-License-Identifier: MIT
#pragma once

/// @file Values of a few thousand rows at a time, without those that are missing, as the aggregates want them.
///
/// All kinds of numbers become double, uint64 (modulo 2^64) or ordered bits in an array that stays in the first cache, so
/// that each aggregate is one loop and not one for each kind.

#include <edge/core/parallel.hpp>
#include <edge/frame/column.hpp>
#include <edge/frame/detail/ordered_bits.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace edge::frame::detail {

/// Calls `f(i)` for i in [0, count), most of them in loops of a constant length, which compilers turn into vector code
/// even where they optimize little.
template <class F>
inline void each_of(std::size_t count, F&& f) {
    constexpr std::size_t step = 64;
    std::size_t i = 0;
    for (; i + step <= count; i += step)
        for (std::size_t j = 0; j < step; ++j) f(i + j);
    for (; i < count; ++i) f(i);
}

template <class T>
[[nodiscard]] bool has_nan(const T* values, std::size_t count) noexcept {
    using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr auto infinity = std::bit_cast<bits_of>(std::numeric_limits<T>::infinity());
    bits_of any = 0;  // its highest bit is set by what lies above infinity
    each_of(count, [&](std::size_t i) {
        any |= static_cast<bits_of>(infinity - (std::bit_cast<bits_of>(values[i]) & (~bits_of{0} >> 1)));
    });
    return any >> (8 * sizeof(T) - 1) != 0;
}

/// Rows of a table and the slot of each: `count` rows from `first` on, or those in `rows`.
struct row_block {
    static constexpr std::size_t most = 2048;

    std::size_t first = 0;
    const std::uint32_t* rows = nullptr;
    std::size_t count = 0;
    const std::uint32_t* slots = nullptr;

    [[nodiscard]] std::size_t row(std::size_t i) const noexcept { return rows == nullptr ? first + i : rows[i]; }
};

/// What the values of a column are wanted as.
struct value_forms {
    bool numbers = false;   ///< double
    bool integers = false;  ///< uint64, modulo 2^64
    bool ordered = false;   ///< `to_ordered`
};

/// Values that are there, of a block of rows.
struct value_block {
    std::size_t count = 0;
    const std::uint32_t* slots = nullptr;
    const std::uint32_t* at = nullptr;  ///< place of each in the block of rows; null: all are there
    const double* numbers = nullptr;
    const std::uint64_t* integers = nullptr;
    const std::uint64_t* ordered = nullptr;
};

/// Reads values of one column; the arrays it gives live until the next block.
class value_reader {
public:
    /// @param forms  only of columns that have numbers; of booleans 0 and 1
    value_block read(const column& c, const value_forms& forms, const row_block& rows) {
        value_block block{rows.count, rows.slots, nullptr, nullptr, nullptr, nullptr};
        const bit_view valid = c.validity();
        bool all = true;
        if (valid.bytes != nullptr) {
            for (std::size_t i = 0; i < rows.count; ++i) there_[i] = valid[rows.row(i)];
            all = false;
        }
        if (c.kind() == kind::boolean) {
            const bit_view bits = c.booleans();
            for (std::size_t i = 0; i < rows.count; ++i) bits_[i] = bits[rows.row(i)];
            convert<std::uint8_t>(bits_, forms, rows.count, block);
        } else if (c.kind() != kind::string) {
            dispatch_stored(c.kind(), [&]<class T>() {
                const T* values = c.values<T>().data() + rows.first;
                if (rows.rows != nullptr) {
                    T* const gathered = reinterpret_cast<T*>(gathered_);
                    const T* const from = c.values<T>().data();
                    for (std::size_t i = 0; i < rows.count; ++i) gathered[i] = from[rows.rows[i]];
                    values = gathered;
                }
                if constexpr (std::is_floating_point_v<T>) {
                    if (has_nan(values, rows.count)) {
                        for (std::size_t i = 0; i < rows.count; ++i)
                            there_[i] = (all || there_[i] != 0) && values[i] == values[i];
                        all = false;
                    }
                }
                convert(values, forms, rows.count, block);
            });
        }
        if (!all) drop_missing(block);
        return block;
    }

    /// Keeps of the block just read the places that are also in `other`, and of `other` those that are in it.
    static void keep_both(value_reader& a, value_block& of_a, value_reader& b, value_block& of_b, std::size_t count) {
        if (of_a.at == nullptr && of_b.at == nullptr) return;
        std::size_t kept = 0;
        std::size_t i = 0;
        std::size_t j = 0;
        for (std::uint32_t place = 0; place < count; ++place) {
            const bool in_a = i < of_a.count && (of_a.at == nullptr ? i : of_a.at[i]) == place;
            const bool in_b = j < of_b.count && (of_b.at == nullptr ? j : of_b.at[j]) == place;
            if (in_a && in_b) {
                a.numbers_[kept] = of_a.numbers[i];
                b.numbers_[kept] = of_b.numbers[j];
                a.slots_[kept] = of_a.slots[i];
                ++kept;
            }
            i += in_a;
            j += in_b;
        }
        of_a.count = of_b.count = kept;
        of_a.slots = of_b.slots = a.slots_;
        of_a.numbers = a.numbers_;
        of_b.numbers = b.numbers_;
    }

private:
    template <class T>
    void convert(const T* values, const value_forms& forms, std::size_t count, value_block& block) {
        if (forms.numbers) {
            if constexpr (std::is_same_v<T, double>) {
                block.numbers = values;
            } else {
                each_of(count, [&](std::size_t i) { numbers_[i] = static_cast<double>(values[i]); });
                block.numbers = numbers_;
            }
        }
        if constexpr (std::is_integral_v<T>) {
            if (forms.integers) {
                each_of(count, [&](std::size_t i) { integers_[i] = static_cast<std::uint64_t>(values[i]); });
                block.integers = integers_;
            }
        }
        if (forms.ordered) {
            each_of(count, [&](std::size_t i) { ordered_[i] = to_ordered(values[i]); });
            block.ordered = ordered_;
        }
    }

    void drop_missing(value_block& block) {
        std::size_t kept = 0;
        for (std::uint32_t i = 0; i < block.count; ++i) {
            at_[kept] = i;
            kept += there_[i] != 0;
        }
        const auto pack = [&](auto& from, auto* to) {
            if (from == nullptr) return;
            for (std::size_t i = 0; i < kept; ++i) to[i] = from[at_[i]];
            from = to;
        };
        pack(block.slots, slots_);
        pack(block.numbers, numbers_);
        pack(block.integers, integers_);
        pack(block.ordered, ordered_);
        block.at = at_;
        block.count = kept;
    }

    double numbers_[row_block::most];
    std::uint64_t integers_[row_block::most];
    std::uint64_t ordered_[row_block::most];
    std::uint64_t gathered_[row_block::most];
    std::uint32_t slots_[row_block::most];
    std::uint32_t at_[row_block::most];
    std::uint8_t there_[row_block::most];
    std::uint8_t bits_[row_block::most];
};

}  // namespace edge::frame::detail
