// SPDX-License-Identifier: MIT
#pragma once

/// @file Reductions in pairs: the order of the additions is fixed by the shape alone.
///
/// Elements are rows, with a total for each column. Sixteen rows are added one after the other; such blocks are joined
/// as a binary tree, so that the error of a sum of n floats grows with 16 + log2(n / 16) roundings, where one running
/// total has n. Arrays with less than 128 bytes to a row are taken as `columns<T>` rows side by side, whose totals are
/// joined in halves at the end: a contiguous array is rows of 128 bytes. The same on every architecture, so the bits of
/// a sum depend on neither the registers nor the threads.
/// Source of the error bound: Higham 1993, "The accuracy of floating point summation", section 3.

#include <edge/core/shape.hpp>
#include <edge/simd/detail/operation.hpp>
#include <edge/simd/prefetch.hpp>
#include <edge/simd/unrolled.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace edge::simd::detail {

/// Elements of 128 bytes: enough additions in flight on every architecture.
template <class T>
inline constexpr index_t columns = static_cast<index_t>(128 / sizeof(T));

inline constexpr index_t rows_per_block = 16;

/// How two totals of a kind become one; on registers and on single values.
struct sum_of {
    template <class T, class Arch>
    EDGE_ALWAYS_INLINE static batch<T, Arch> join(const batch<T, Arch>& a, const batch<T, Arch>& b) {
        return op::add::apply(a, b);
    }
    template <class T>
    requires std::is_arithmetic_v<T> EDGE_ALWAYS_INLINE static T join(T a, T b) {
        if constexpr (std::is_integral_v<T>) {
            return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
        } else {
            return a + b;
        }
    }
};

struct product_of {
    template <class T, class Arch>
    EDGE_ALWAYS_INLINE static batch<T, Arch> join(const batch<T, Arch>& a, const batch<T, Arch>& b) {
        return op::multiply::apply(a, b);
    }
    template <class T>
    requires std::is_arithmetic_v<T> EDGE_ALWAYS_INLINE static T join(T a, T b) {
        if constexpr (std::is_integral_v<T>) {
            return static_cast<T>(std::uint64_t{1} * static_cast<std::make_unsigned_t<T>>(a) *
                                  static_cast<std::make_unsigned_t<T>>(b));
        } else {
            return a * b;
        }
    }
};

struct lowest_of {
    template <class T, class Arch>
    EDGE_ALWAYS_INLINE static batch<T, Arch> join(const batch<T, Arch>& a, const batch<T, Arch>& b) {
        return op::minimum::apply(a, b);
    }
    template <class T>
    requires std::is_arithmetic_v<T> EDGE_ALWAYS_INLINE static T join(T a, T b) { return a < b || a != a ? a : b; }
};

struct highest_of {
    template <class T, class Arch>
    EDGE_ALWAYS_INLINE static batch<T, Arch> join(const batch<T, Arch>& a, const batch<T, Arch>& b) {
        return op::maximum::apply(a, b);
    }
    template <class T>
    requires std::is_arithmetic_v<T> EDGE_ALWAYS_INLINE static T join(T a, T b) { return a > b || a != a ? a : b; }
};

/// What is kept of each column: one total of its elements.
template <class Join>
struct total_of {
    using join = Join;
    static constexpr index_t totals = 1;

    template <class B>
    struct column {
        EDGE_ALWAYS_INLINE std::array<B, 1> operator()(const B& x) const { return {x}; }
    };
    template <class B>
    EDGE_ALWAYS_INLINE column<B> at(index_t) const {
        return {};
    }
};

/// What is kept of each column for its variance: the sum of the distances from `shift`, and that of their squares.
template <class T>
struct deviations_from {
    using join = sum_of;
    static constexpr index_t totals = 2;
    const T* shift;  ///< of each column, padded to a whole number of registers

    template <class B>
    struct column {
        B shift;
        EDGE_ALWAYS_INLINE std::array<B, 2> operator()(const B& x) const {
            const B d = x - shift;
            return {d, op::multiply::apply(d, d)};
        }
    };
    template <class B>
    EDGE_ALWAYS_INLINE column<B> at(index_t i) const {
        return {B::load_unaligned(shift + i)};
    }
};

/// Joins `count` totals in place with those that come after them.
template <class Arch, class Join, class T>
void join_totals(T* to, const T* after, index_t count) noexcept {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    index_t i = 0;
    for (; i + n <= count; i += n)
        Join::join(B::load_unaligned(to + i), B::load_unaligned(after + i)).store_unaligned(to + i);
    for (; i < count; ++i) to[i] = Join::join(to[i], after[i]);
}

/// `count` rows of totals, at least one, in halves: the first becomes that of all.
template <class Arch, class Join, class T>
void fold(T* totals, index_t count, index_t width = 1) noexcept {
    while (count > 1) {
        const index_t half = (count + 1) / 2;
        join_totals<Arch, Join>(totals, totals + half * width, (count - half) * width);
        count = half;
    }
}

/// Rows that lie `stride` apart.
template <class T>
struct rows_at {
    const T* from;
    index_t stride;
};

/// A few registers of columns.
/// @param begins  whether the totals begin here, else they go on
template <class Arch, int registers, class Kernel, class T>
EDGE_ALWAYS_INLINE void reduce_strip(const Kernel& kernel, rows_at<T> rows, index_t count, index_t at, T* totals,
                                     index_t pitch, bool begins) noexcept {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    constexpr int kept = static_cast<int>(Kernel::totals);
    typename Kernel::template column<B> column[registers];
    B total[registers][kept];
    const T* from = rows.from;
    const auto total_at = [&](int i, int k) { return totals + k * pitch + at + i * n; };
    unrolled<registers>([&](auto i) {
        column[i] = kernel.template at<B>(at + i * n);
        const auto value = column[i](B::load_unaligned(from + i * n));
        for (int k = 0; k < kept; ++k)
            total[i][k] =
                begins ? value[static_cast<std::size_t>(k)]
                       : Kernel::join::join(B::load_unaligned(total_at(i, k)), value[static_cast<std::size_t>(k)]);
    });
    // A kilobyte or two ahead of the reads, in the order in which blocks are: worth a tenth and more of the time.
    const index_t ahead = rows.stride == columns<T> ? 8 * columns<T> : columns<T>;
    for (index_t r = 1; r < count; ++r) {
        from += rows.stride;
        if constexpr (registers > 1) {
            for (index_t i = 0; i < registers * n; i += columns<T> / 2) prefetch<3>(from + ahead + i);
        }
        unrolled<registers>([&](auto i) {
            const auto value = column[i](B::load_unaligned(from + i * n));
            for (int k = 0; k < kept; ++k)
                total[i][k] = Kernel::join::join(total[i][k], value[static_cast<std::size_t>(k)]);
        });
    }
    unrolled<registers>([&](auto i) {
        for (int k = 0; k < kept; ++k) total[i][k].store_unaligned(total_at(i, k));
    });
}

/// Rows of a block, one after the other, added to the totals of each of `width` columns.
/// @param totals  [Kernel::totals, pitch]; pitch is width, rounded up to whole registers
template <class Arch, class Kernel, class T>
void reduce_block(const Kernel& kernel, rows_at<T> rows, index_t count, index_t width, T* totals, index_t pitch,
                  bool begins = true) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    constexpr index_t strip = columns<T>;
    const auto from = [&](index_t i) { return rows_at<T>{rows.from + i, rows.stride}; };
    index_t i = 0;
    for (; i + strip <= width; i += strip)
        reduce_strip<Arch, static_cast<int>(strip / n)>(kernel, from(i), count, i, totals, pitch, begins);
    for (; i + n <= width; i += n) reduce_strip<Arch, 1>(kernel, from(i), count, i, totals, pitch, begins);
    if (i == width) return;
    T padded[rows_per_block * n] = {};
    for (index_t r = 0; r < count; ++r)
        for (index_t k = 0; k < n; ++k) padded[r * n + k] = rows.from[r * rows.stride + (std::min)(i + k, width - 1)];
    reduce_strip<Arch, 1>(kernel, rows_at<T>{padded, n}, count, i, totals, pitch, begins);
}

/// `width` rounded up to what scratch memory is made of.
template <class T>
[[nodiscard]] constexpr index_t padded(index_t width) noexcept {
    return (width + columns<T> - 1) / columns<T> * columns<T>;
}

/// Room that `reduce_tree` needs: for each level of the tree, and for the block that is to join it.
template <class T>
[[nodiscard]] constexpr index_t scratch_size(index_t totals, index_t rows, index_t width) noexcept {
    index_t levels = 1;
    for (index_t joined = (rows - 1) / rows_per_block; joined > 0; joined /= 2) ++levels;
    return levels * totals * padded<T>(width);
}

/// Totals of each column of `rows` rows, at least one.
/// @param read     gives rows [first, first + count) as `rows_at`; asked in order, `ahead` rows at a time
/// @param ahead    a multiple of sixteen, or a part of it
/// @param scratch  [scratch_size(Kernel::totals, rows, width)]
/// @return  [Kernel::totals, padded(width)], in scratch
template <class Arch, class Kernel, class T, class Read>
[[nodiscard]] T* reduce_tree(const Kernel& kernel, Read&& read, index_t rows, index_t ahead, index_t width,
                             T* scratch) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    const index_t used = (width + n - 1) / n * n;
    const index_t pitch = padded<T>(width);
    T* level_of[48];  // level k holds the total of 2^k blocks where bit k of `blocks` is set
    T* block = scratch;
    T* unused = scratch + Kernel::totals * pitch;
    std::uint64_t blocks = 0;
    for (index_t first = 0; first < rows; first += ahead) {
        const index_t here = (std::min)(ahead, rows - first);
        const rows_at<T> read_rows = read(first, here);
        for (index_t r = 0; r < here; r += rows_per_block) {
            const index_t at = first + r;
            reduce_block<Arch>(kernel, rows_at<T>{read_rows.from + r * read_rows.stride, read_rows.stride},
                               (std::min)(rows_per_block, here - r), width, block, pitch, at % rows_per_block == 0);
            const index_t done = (std::min)(at - at % rows_per_block + rows_per_block, first + here);
            const bool is_last = done == rows;
            if (done % rows_per_block != 0 && !is_last) break;  // the block goes on with the next rows
            std::size_t level = 0;
            for (; blocks >> level != 0; ++level) {
                if ((blocks >> level & 1) == 0) {
                    if (is_last) continue;
                    break;
                }
                for (index_t k = 0; k < Kernel::totals; ++k)
                    join_totals<Arch, typename Kernel::join>(level_of[level] + k * pitch, block + k * pitch, used);
                std::swap(level_of[level], block);
            }
            if (is_last) return block;
            if (blocks >> level == 0) {  // the first on this level
                level_of[level] = unused;
                unused += Kernel::totals * pitch;
            }
            std::swap(level_of[level], block);
            ++blocks;
        }
    }
    return block;
}

}  // namespace edge::simd::detail
