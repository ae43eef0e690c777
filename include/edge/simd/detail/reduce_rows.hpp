// SPDX-License-Identifier: MIT
#pragma once

/// @file Reductions in pairs: the order of the additions is fixed by the number of elements alone.
///
/// Elements are rows of `width` columns, one total a column. Sixteen rows are added one after the other; such blocks are
/// joined as a binary tree, so that the error of a sum of n floats grows with 16 + log2(n / 16) roundings, where one
/// running total has n. A contiguous array is rows of 128 bytes, whose columns are joined in halves at the end: the
/// same on every architecture, so the bits of a sum depend on neither the registers nor the threads.
/// Source of the error bound: Higham 1993, "The accuracy of floating point summation", section 3.

#include <edge/core/shape.hpp>
#include <edge/simd/detail/operation.hpp>

#include <algorithm>

namespace edge::simd::detail {

/// Columns of a contiguous array: 128 bytes, enough additions in flight on every architecture.
template <class T>
inline constexpr index_t columns = static_cast<index_t>(128 / sizeof(T));

inline constexpr index_t rows_per_block = 16;

/// Levels of the tree: enough for all rows that an address space can hold.
inline constexpr int tree_levels = 48;

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

/// A row of `columns<T>` totals, in registers.
template <class Arch, class T>
struct wide_row {
    static constexpr std::size_t n = lanes<T, Arch>;
    static constexpr std::size_t count = 128 / sizeof(T) / n;
    batch<T, Arch> part[count];

    EDGE_ALWAYS_INLINE void load(const T* from) noexcept {
        for (std::size_t i = 0; i < count; ++i) part[i] = batch<T, Arch>::load_unaligned(from + i * n);
    }
    EDGE_ALWAYS_INLINE void store(T* to) const noexcept {
        for (std::size_t i = 0; i < count; ++i) part[i].store_unaligned(to + i * n);
    }
    /// The other's elements came before these in the array.
    template <class Join>
    EDGE_ALWAYS_INLINE void join_before(const T* other) noexcept {
        for (std::size_t i = 0; i < count; ++i)
            part[i] = Join::join(batch<T, Arch>::load_unaligned(other + i * n), part[i]);
    }
    template <class Join>
    EDGE_ALWAYS_INLINE void join_after(const T* other) noexcept {
        for (std::size_t i = 0; i < count; ++i)
            part[i] = Join::join(part[i], batch<T, Arch>::load_unaligned(other + i * n));
    }
};

/// A row of fewer totals, one at a time; the same bits.
template <class Arch, class T>
struct narrow_row {
    index_t width;
    T part[columns<T>];

    void load(const T* from) noexcept { std::copy_n(from, width, part); }
    void store(T* to) const noexcept { std::copy_n(part, width, to); }
    template <class Join>
    void join_before(const T* other) noexcept {
        for (index_t i = 0; i < width; ++i) part[i] = Join::join(other[i], part[i]);
    }
    template <class Join>
    void join_after(const T* other) noexcept {
        for (index_t i = 0; i < width; ++i) part[i] = Join::join(part[i], other[i]);
    }
};

/// Totals of each column of `rows` rows, at least one, `stride` apart.
/// @param read  gives the address of rows [first, first + count); asked in order, sixteen at a time
template <class Arch, class Join, class Row, class T, class Read>
void reduce_rows(Row row, Read&& read, index_t rows, index_t stride, T* totals) noexcept {
    T tree[tree_levels][columns<T>];  // tree[k] holds the total of 2^k blocks
    std::uint64_t blocks = 0;
    for (index_t first = 0;; first += rows_per_block) {
        const index_t count = (std::min)(rows_per_block, rows - first);
        const T* from = read(first, count);
        row.load(from);
        for (index_t r = 1; r < count; ++r) row.template join_after<Join>(from + r * stride);
        if (first + count == rows) break;
        int level = 0;
        for (; (blocks >> level & 1) != 0; ++level) row.template join_before<Join>(tree[level]);
        row.store(tree[level]);
        ++blocks;
    }
    for (int level = 0; blocks >> level != 0; ++level)
        if ((blocks >> level & 1) != 0) row.template join_before<Join>(tree[level]);
    row.store(totals);
}

/// The total of `count` values, at least one, in halves. Destroys them.
template <class Arch, class Join, class T>
[[nodiscard]] T fold(T* values, index_t count) noexcept {
    while (count > 1) {
        const index_t half = (count + 1) / 2;
        for (index_t i = 0; i + half < count; ++i) values[i] = Join::join(values[i], values[i + half]);
        count = half;
    }
    return values[0];
}

/// The total of `count` values, at least one.
/// @param read  gives the address of values [first, first + count); asked in order, up to sixteen rows at a time
template <class Arch, class Join, class T, class Read>
[[nodiscard]] T reduce_values(Read&& read, index_t count) noexcept {
    alignas(alignment) T totals[columns<T>];
    const index_t rows = count / columns<T>;
    const index_t rest = count % columns<T>;
    if (rows == 0) {
        std::copy_n(read(index_t{0}, rest), rest, totals);
        return fold<Arch, Join>(totals, rest);
    }
    const auto read_rows = [&](index_t first, index_t n) { return read(first * columns<T>, n * columns<T>); };
    reduce_rows<Arch, Join>(wide_row<Arch, T>{}, read_rows, rows, columns<T>, totals);
    if (rest != 0) {
        const T* last = read(rows * columns<T>, rest);
        for (index_t i = 0; i < rest; ++i) totals[i] = Join::join(totals[i], last[i]);
    }
    return fold<Arch, Join>(totals, columns<T>);
}

/// The total of `count` neighbours, at least one.
template <class Arch, class Join, class T>
[[nodiscard]] T reduce_contiguous(const T* from, index_t count) noexcept {
    return reduce_values<Arch, Join, T>([from](index_t first, index_t) { return from + first; }, count);
}

/// The total of each of up to `columns<T>` columns of `rows` rows, at least one.
template <class Arch, class Join, class T>
void reduce_columns(const T* from, index_t rows, index_t stride, index_t width, T* totals) noexcept {
    const auto read = [from, stride](index_t first, index_t) { return from + first * stride; };
    if (width == columns<T>) {
        reduce_rows<Arch, Join>(wide_row<Arch, T>{}, read, rows, stride, totals);
    } else {
        reduce_rows<Arch, Join>(narrow_row<Arch, T>{width, {}}, read, rows, stride, totals);
    }
}

}  // namespace edge::simd::detail
