// SPDX-License-Identifier: MIT
#pragma once

/// @file Positions of extremes in memory: the first that no other beats, NaN before all numbers.
///
/// Neighbours: the extreme of a few kilobytes is taken as any reduction is, and looked up only if it beats those before.
/// Columns: sixteen rows keep the place of each column's extreme beside it, in registers; the place in the array is
/// written only where these beat the rows before.

#include <edge/simd/detail/reduce_rows.hpp>

namespace edge::simd::detail {

struct is_lower {
    using join = lowest_of;
    template <class V>
    EDGE_ALWAYS_INLINE static auto beats(const V& a, const V& b) {
        return a < b;
    }
    template <class V>
    EDGE_ALWAYS_INLINE static auto ties(const V& a, const V& b) {
        return a <= b;
    }
};

struct is_higher {
    using join = highest_of;
    template <class V>
    EDGE_ALWAYS_INLINE static auto beats(const V& a, const V& b) {
        return a > b;
    }
    template <class V>
    EDGE_ALWAYS_INLINE static auto ties(const V& a, const V& b) {
        return a >= b;
    }
};

/// Whether `a` comes before an earlier `b`: it beats it, or is the first NaN.
template <class Beats, class T>
[[nodiscard]] bool comes_before(T a, T b) noexcept {
    return Beats::beats(a, b) || (a != a && b == b);
}

/// Where a value was found.
template <class T>
struct found {
    T value;
    index_t at;
};

/// Position of the first of `count` neighbours that is `value`, which one of them is; NaN is any NaN.
template <class Arch, class T>
[[nodiscard]] index_t find_value(const T* from, index_t count, T value) noexcept {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    const B wanted(value);
    index_t i = 0;
    if (value == value)
        while (i + n <= count && !xsimd::any(B::load_unaligned(from + i) == wanted)) i += n;
    while (i + 1 < count && !(from[i] == value || (value != value && from[i] != from[i]))) ++i;
    return i;
}

/// The first extreme of `count` neighbours, at least one.
template <class Arch, class Beats, class T>
[[nodiscard]] found<T> find_in_row(const T* from, index_t count) noexcept {
    constexpr index_t block = 4 * rows_per_block * columns<T>;
    T scratch[4 * columns<T>];
    found<T> best{from[0], 0};
    for (index_t first = 0; first < count && best.value == best.value; first += block) {
        const index_t here = (std::min)(block, count - first);
        const index_t rows = here / columns<T>;
        T value = from[first];
        if (rows != 0) {
            const auto read = [&](index_t r, index_t) { return rows_at<T>{from + first + r * columns<T>, columns<T>}; };
            T* totals = reduce_tree<Arch, total_of<typename Beats::join>, T>({}, read, rows, rows_per_block, columns<T>,
                                                                             scratch);
            fold<Arch, typename Beats::join>(totals, columns<T>);
            value = totals[0];
        }
        for (index_t i = rows * columns<T>; i < here; ++i) value = Beats::join::join(value, from[first + i]);
        if (first != 0 && !comes_before<Beats>(value, best.value)) continue;
        best = {value, first + find_value<Arch>(from + first, here, value)};
    }
    return best;
}

/// A few registers of columns in a block of up to sixteen rows, against those before. From the last row to the first, so
/// that the first of equal ones and of NaNs stays.
/// @param count  columns that are wanted of them
template <class Arch, class Beats, int registers, class T>
EDGE_ALWAYS_INLINE void find_in_strip(rows_at<T> rows, index_t height, index_t count, index_t first, T* values,
                                      index_t* places) noexcept {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    const T* from = rows.from + (height - 1) * rows.stride;
    B best[registers];
    B at[registers];
    B row(static_cast<T>(height - 1));
    unrolled<registers>([&](auto i) {
        best[i] = B::load_unaligned(from + i * n);
        at[i] = row;
    });
    for (index_t r = 1; r < height; ++r) {
        from -= rows.stride;
        row = row - B(T{1});
        for (index_t i = 0; i < registers * n; i += columns<T> / 2) prefetch<3>(from + columns<T> + i);
        unrolled<registers>([&](auto i) {
            const B x = B::load_unaligned(from + i * n);
            auto wins = Beats::ties(x, best[i]);
            if constexpr (std::is_floating_point_v<T>) wins = wins | xsimd::isnan(x);
            best[i] = xsimd::select(wins, x, best[i]);
            at[i] = xsimd::select(wins, row, at[i]);
        });
    }
    T block_values[registers * n];
    T block_places[registers * n];
    bool is_better = first == 0 || count != registers * n;
    unrolled<registers>([&](auto i) {
        best[i].store_unaligned(block_values + i * n);
        at[i].store_unaligned(block_places + i * n);
        if (is_better) return;
        const B before = B::load_unaligned(values + i * n);
        is_better = xsimd::any(~(Beats::ties(before, best[i])));
    });
    for (index_t k = 0; is_better && k < count; ++k) {
        if (first != 0 && !comes_before<Beats>(block_values[k], values[k])) continue;
        values[k] = block_values[k];
        places[k] = first + static_cast<index_t>(block_places[k]);
    }
}

/// The first extreme of each of `width` columns in up to sixteen rows, the `first` and the next, against those before.
/// @param values, places  [width] of the rows before, if there are any
template <class Arch, class Beats, class T>
void find_in_block(rows_at<T> rows, index_t height, index_t width, index_t first, T* values, index_t* places) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    const auto from = [&](index_t i) { return rows_at<T>{rows.from + i, rows.stride}; };
    index_t i = 0;
    for (; i + 4 * n <= width; i += 4 * n)
        find_in_strip<Arch, Beats, 4>(from(i), height, 4 * n, first, values + i, places + i);
    for (; i + n <= width; i += n) find_in_strip<Arch, Beats, 1>(from(i), height, n, first, values + i, places + i);
    if (i == width) return;
    T padded[rows_per_block * n] = {};
    for (index_t r = 0; r < height; ++r)
        for (index_t k = 0; k < n; ++k) padded[r * n + k] = rows.from[r * rows.stride + (std::min)(i + k, width - 1)];
    find_in_strip<Arch, Beats, 1>(rows_at<T>{padded, n}, height, width - i, first, values + i, places + i);
}

}  // namespace edge::simd::detail
