// SPDX-License-Identifier: MIT
#pragma once

/// @file The inner loop of matrix products: a tile of c in registers, one step of k after the other.
///
/// Each element of c is one chain of multiply-adds in the order of k, wherever its tile begins and however large it is.

#include <edge/core/shape.hpp>
#include <edge/simd/detail/operation.hpp>
#include <edge/simd/prefetch.hpp>
#include <edge/simd/unrolled.hpp>

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

namespace edge::simd {

/// Leaves sums as they are: what a product does with them unless it is told otherwise.
struct as_is {};

namespace detail {

/// Rows and registers of columns of a tile.
///
/// Per step of k, a tile loads `vectors` registers of b, broadcasts `rows` elements of a, and does rows x vectors
/// multiply-adds: enough of them to hide their latency of four or five cycles on two ports, and as many as the registers
/// hold. 16 registers: 6x2 sums, 2 of b, 1 of a; where a product needs a register of its own, 4x2. 32 registers of a
/// cache line: 14x2; of a quarter: 6x4. Tiles of one register of columns have `narrow_rows`; with a load for each
/// multiply-add they reach 0.75 of the peak where registers are cache lines, which no number of rows changes.
template <class Arch, class T>
struct gemm_tile {
    static constexpr bool is_float = std::is_floating_point_v<T>;
    static constexpr std::size_t bytes = lanes<T, Arch> * sizeof(T);
#if defined(__FMA__)
    static constexpr bool has_fma = true;
#else
    static constexpr bool has_fma = false;
#endif
#if defined(__aarch64__)
    static constexpr int rows = is_float ? 6 : 4;
    static constexpr int vectors = is_float ? 4 : 2;
#else
    static constexpr int rows = !is_float ? 4 : bytes == 64 ? 14 : has_fma ? 6 : 4;
    static constexpr int vectors = 2;
#endif
    static constexpr int narrow_rows = !is_float ? 4 : bytes == 64 ? 14 : 2 * rows;
    static constexpr auto columns = static_cast<index_t>(vectors * lanes<T, Arch>);

    /// Whether a tile fetches what the next will read. With registers of a cache line, products outrun the third cache by
    /// a half; narrower ones only lose the address that it takes.
    static constexpr bool fetches_ahead = bytes == 64;

    template <int registers>
    static constexpr int most_rows = registers == 1 ? narrow_rows : rows;
};

/// How many rows are done in tiles of the most rows and of the next lower height; what is left takes lower ones.
///
/// Both heights are near the peak, the lower ones are not: 49 rows as 4 tiles of 6 and 5 of 5 leave nothing, 8 of 6 would
/// leave one row to a tile of its own.
struct tile_heights {
    index_t tall;
    index_t next;

    [[nodiscard]] static constexpr int below(int most) noexcept { return most > 6 ? most / 2 : most - 1; }

    tile_heights(index_t m, int most) noexcept : tall(m / most) {
        const int lower = below(most);
        for (index_t i = tall; i >= 0 && i > tall - lower; --i)
            if ((m - i * most) % lower == 0) {
                tall = i;
                break;
            }
        next = (m - tall * most) / lower;
    }
};

/// Copies rows of fewer elements than two tiles have columns, in few steps: whole registers, then halves.
template <class Arch, class T>
void copy_rows(const T* from, index_t from_step, T* to, index_t to_step, index_t rows, index_t columns) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    for (; rows > 0; --rows, from += from_step, to += to_step) {
        index_t j = 0;
        for (; j + n <= columns; j += n) std::copy_n(from + j, n, to + j);
        unrolled<std::bit_width(static_cast<unsigned>(n)) - 1>([&](auto i) {
            constexpr index_t some = n >> (i + 1);
            if ((columns & some) == 0) return;
            std::copy_n(from + j, some, to + j);
            j += some;
        });
    }
}

/// Copies a block whose columns may be apart.
template <class Arch, class T>
EDGE_NEVER_INLINE void copy_block(const T* from, index_t from_row, index_t from_step, T* to, index_t to_row,
                                  index_t to_step, index_t rows, index_t columns) noexcept {
    if (from_step == 1 && to_step == 1) return copy_rows<Arch>(from, from_row, to, to_row, rows, columns);
    for (index_t i = 0; i < rows; ++i)
        for (index_t j = 0; j < columns; ++j) to[i * to_row + j * to_step] = from[i * from_row + j * from_step];
}

/// Where the sums of a tile go, and what they begin with.
template <class T, class Finish>
struct tile_target {
    T* c;
    index_t row_step;
    index_t column_step;
    index_t width;         ///< columns that exist
    bool accumulate;       ///< whether sums begin with what is in c
    const Finish* finish;  ///< null while there is more of k to come
    index_t row;           ///< of the tile in the whole result, for `finish`
    index_t column;
    const T* ahead = nullptr;  ///< what will be read next, to be fetched in the meantime
    index_t ahead_step = 0;    ///< elements of it for each step of k
};

/// A block of the left side. Elements of a row are `step` apart; with a table of places, runs of them begin anywhere, in
/// each row alike.
template <class T>
struct left_block {
    const T* data;
    index_t row_step;
    index_t step = 1;
    const index_t* places = nullptr;
    index_t run = 0;  ///< elements from each place on; a divisor of k
};

/// c[i, j] (+)= Σ_p a[i, p]·b[p, j] for `rows` rows and the columns of `vectors` registers.
template <class Arch, int rows, int vectors, class T, class Finish>
EDGE_NEVER_INLINE void multiply_tile(const left_block<T>& a, const T* b, index_t b_step, index_t k,
                                     const tile_target<T, Finish>& to) {
    using B = batch<T, Arch>;
    using tile = gemm_tile<Arch, T>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    constexpr index_t width = vectors * n;
    alignas(alignment) T apart[rows * width];  // of tiles that add to c, are cut off or whose columns are apart
    B sums[rows][vectors];
    if (to.accumulate) {
        copy_block<Arch>(to.c, to.row_step, to.column_step, apart, width, 1, rows, to.width);
        unrolled<rows * vectors>([&](auto t) { sums[t / vectors][t % vectors] = B::load_aligned(apart + t * n); });
    } else {
        unrolled<rows * vectors>([&](auto t) { sums[t / vectors][t % vectors] = B(T{}); });
    }
    // Rows are reached from every third one: an address has a base and an index of 1 to 8 elements, and a pointer to each
    // row would not fit the registers.
    constexpr int shared = 3;
    const T* base[(rows + shared - 1) / shared];
    unrolled<(rows + shared - 1) / shared>([&](auto i) { base[i] = a.data + i * shared * a.row_step; });
    const index_t row_step = a.row_step;
    const index_t step = a.step;
    [[maybe_unused]] const T* ahead = to.ahead;
    [[maybe_unused]] const index_t ahead_step = to.ahead_step;
    const index_t* place = a.places;
    const index_t run = place == nullptr ? k : a.run;
    for (index_t left_over = k; left_over > 0; left_over -= run) {
        index_t at = place == nullptr ? 0 : *place++;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 4  // worth 0.02 of the peak with g++
#endif
        for (index_t p = 0; p < run; ++p, at += step, b += b_step) {
            if constexpr (tile::fetches_ahead) {
                prefetch(ahead);
                ahead += ahead_step;
            }
            B right[vectors];
            unrolled<vectors>([&](auto j) { right[j] = B::load_unaligned(b + j * n); });
            B left;
            unrolled<rows * vectors>([&](auto t) {
                constexpr int i = t / vectors;
                constexpr int j = t % vectors;
                if constexpr (j == 0) left = B(base[i / shared][at + i % shared * row_step]);
                sums[i][j] = op::fma::apply(left, right[j], sums[i][j]);
            });
        }
    }
    if constexpr (!std::is_same_v<Finish, as_is>) {
        if (to.finish != nullptr) (*to.finish)(sums, to.row, to.column, to.width);
    }
    if (to.width == width && to.column_step == 1) {
        T* at = to.c;  // a copy: the compiler cannot know that c does not lie in `to`
        const index_t c_row = to.row_step;
        unrolled<rows * vectors>([&](auto t) {
            sums[t / vectors][t % vectors].store_unaligned(at + t % vectors * n);
            if constexpr (t % vectors == vectors - 1) at += c_row;
        });
    } else {
        unrolled<rows * vectors>([&](auto t) { sums[t / vectors][t % vectors].store_aligned(apart + t * n); });
        copy_block<Arch>(apart, width, 1, to.c, to.row_step, to.column_step, rows, to.width);
    }
}

/// Most steps of k that are done at a time where panels are not packed for good.
template <class T>
inline constexpr auto gemm_depth = static_cast<index_t>(2048 / sizeof(T));

/// Between packed rows: not a power of two of bytes, so that they do not compete for the same lines of the first cache.
template <class T>
inline constexpr auto packed_row = gemm_depth<T> + static_cast<index_t>(alignment / sizeof(T));

/// The rows of a block times one panel of b. `heights` are those of m rows in tiles of `vectors`.
template <class Arch, int vectors, class T, class Finish>
void multiply_panel(left_block<T> a, index_t m, const tile_heights& heights, const T* b, index_t b_step, index_t k,
                    tile_target<T, Finish> to) {
    constexpr int most = gemm_tile<Arch, T>::template most_rows<vectors>;
    constexpr int next = tile_heights::below(most);
    index_t i = 0;
    if (to.ahead == nullptr) to.ahead = b;
    const auto tiles = [&]<int rows>(std::integral_constant<int, rows>, index_t count) {
        for (; count > 0; --count, i += rows) {
            multiply_tile<Arch, rows, vectors>(a, b, b_step, k, to);
            to.ahead += k * to.ahead_step;
            a.data += rows * a.row_step;
            to.c += rows * to.row_step;
            to.row += rows;
        }
    };
    tiles(std::integral_constant<int, most>{}, heights.tall);
    tiles(std::integral_constant<int, next>{}, heights.next);
    if constexpr (next > 4) tiles(std::integral_constant<int, 4>{}, (m - i) / 4);
    if constexpr (next > 2) tiles(std::integral_constant<int, 2>{}, (m - i) / 2);
    tiles(std::integral_constant<int, 1>{}, m - i);
}

}  // namespace detail
}  // namespace edge::simd
