// SPDX-License-Identifier: MIT
#pragma once

/// @file The inner loop of matrix products: a tile of c in registers, one step of k after the other.
///
/// Each element of c is one chain of multiply-adds in the order of k, wherever its tile begins and however large it is.

#include <edge/core/shape.hpp>
#include <edge/simd/detail/operation.hpp>
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
/// cache line: 12x2; of a quarter: 6x4.
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
    static constexpr int rows = !is_float ? 4 : bytes == 64 ? 12 : has_fma ? 6 : 4;
    static constexpr int vectors = 2;
#endif
    static constexpr auto columns = static_cast<index_t>(vectors * lanes<T, Arch>);
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
};

/// c[i, j] (+)= Σ_p a[i, p]·b[p, j] for `rows` rows and the columns of `vectors` registers.
/// The steps of a are numbers, or compile-time constants where it is packed.
template <class Arch, int rows, int vectors, class T, class Finish, class RowStep, class Step>
EDGE_NEVER_INLINE void multiply_tile(const T* a, RowStep a_row, Step a_step, const T* b, index_t b_step, index_t k,
                                     const tile_target<T, Finish>& to) {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    constexpr index_t width = vectors * n;
    const bool is_whole = to.width == width && to.column_step == 1;
    alignas(alignment) T apart[rows * width];  // of tiles that are cut off or whose columns are apart
    T* const c = is_whole ? to.c : apart;
    const index_t c_row = is_whole ? to.row_step : width;
    B sums[rows][vectors];
    if (to.accumulate) {
        if (!is_whole) {
            std::fill_n(apart, rows * width, T{});
            for (index_t i = 0; i < rows; ++i)
                for (index_t j = 0; j < to.width; ++j)
                    apart[i * width + j] = to.c[i * to.row_step + j * to.column_step];
        }
        unrolled<rows>(
            [&](auto i) { unrolled<vectors>([&](auto j) { sums[i][j] = B::load_unaligned(c + i * c_row + j * n); }); });
    } else {
        unrolled<rows>([&](auto i) { unrolled<vectors>([&](auto j) { sums[i][j] = B(T{}); }); });
    }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 4  // worth 0.04 of the peak with g++
#endif
    for (index_t p = 0; p < k; ++p, a += a_step, b += b_step) {
        B right[vectors];
        unrolled<vectors>([&](auto j) { right[j] = B::load_unaligned(b + j * n); });
        unrolled<rows>([&](auto i) {
            const B left(a[i * a_row]);
            unrolled<vectors>([&](auto j) { sums[i][j] = op::fma::apply(left, right[j], sums[i][j]); });
        });
    }
    if constexpr (!std::is_same_v<Finish, as_is>) {
        if (to.finish != nullptr) {
            unrolled<rows>([&](auto i) {
                unrolled<vectors>([&](auto j) {
                    const index_t count = (std::min)(n, to.width - j * n);
                    if (count > 0) sums[i][j] = (*to.finish)(to.row + i, to.column + j * n, count, sums[i][j]);
                });
            });
        }
    }
    unrolled<rows>(
        [&](auto i) { unrolled<vectors>([&](auto j) { sums[i][j].store_unaligned(c + i * c_row + j * n); }); });
    if (!is_whole && to.column_step == 1) {
        copy_rows<Arch>(apart, width, to.c, to.row_step, rows, to.width);
    } else if (!is_whole) {
        for (index_t i = 0; i < rows; ++i)
            for (index_t j = 0; j < to.width; ++j) to.c[i * to.row_step + j * to.column_step] = apart[i * width + j];
    }
}

/// Most steps of k that are done at a time.
template <class T>
inline constexpr auto gemm_depth = static_cast<index_t>(2048 / sizeof(T));

/// Between packed rows: not a power of two of bytes, so that they do not compete for the same lines of the first cache.
template <class T>
inline constexpr auto packed_row = gemm_depth<T> + static_cast<index_t>(alignment / sizeof(T));

/// A block of a: its rows as they lie, or copied `packed_row` apart, which is known to the compiler.
template <class T>
struct left_block {
    const T* data;
    index_t row_step;
    index_t step;
    bool is_packed;
};

/// The rows of a block times one panel of b.
template <class Arch, int vectors, class T, class Finish>
void multiply_panel(const left_block<T>& a, index_t m, const T* b, index_t b_step, index_t k,
                    tile_target<T, Finish> to) {
    constexpr int rows = gemm_tile<Arch, T>::rows;
    index_t i = 0;
    const auto tiles_of = [&]<int count>(std::integral_constant<int, count>, auto row_step, auto step) {
        for (; m - i >= count; i += count) {
            multiply_tile<Arch, count, vectors>(a.data + i * a.row_step, row_step, step, b, b_step, k, to);
            to.c += count * to.row_step;
            to.row += count;
        }
    };
    if (a.is_packed)
        tiles_of(std::integral_constant<int, rows>{}, std::integral_constant<index_t, packed_row<T>>{},
                 std::integral_constant<index_t, 1>{});
    const index_t row_step = a.row_step;
    const index_t step = a.step;
    if (!a.is_packed) tiles_of(std::integral_constant<int, rows>{}, row_step, step);
    if constexpr (rows > 4) tiles_of(std::integral_constant<int, 4>{}, row_step, step);
    tiles_of(std::integral_constant<int, 2>{}, row_step, step);
    tiles_of(std::integral_constant<int, 1>{}, row_step, step);
}

}  // namespace detail
}  // namespace edge::simd
