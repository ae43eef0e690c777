// SPDX-License-Identifier: MIT
#pragma once

/// @file Matrix products: c = a·b, or c += a·b, with any distances between rows and columns.
///
///     edge::simd::gemm<Arch, float>({a, m, k, lda}, {b, k, n, ldb}, {c, m, n, ldc}, {.threads = 2});
///
/// A right side that many products share is packed once: packed_gemm.hpp.
///
/// Each element of c is one chain of multiply-adds in the order of k, of its row of a and its column of b alone: the bits
/// do not depend on the number of threads, rows or columns, or on the tile that an element falls into. Integers wrap.

#include <edge/core/parallel.hpp>
#include <edge/simd/detail/gemm_pack.hpp>

namespace edge::simd {

/// A matrix somewhere in memory. `T` may be const.
template <class T>
struct matrix {
    T* data;
    index_t rows;
    index_t columns;
    index_t row_step;  ///< between elements of a column; any, also 0 or negative
    index_t column_step = 1;

    operator matrix<const T>() const noexcept requires(!std::is_const_v<T>) {
        return {data, rows, columns, row_step, column_step};
    }
    [[nodiscard]] matrix transposed() const noexcept { return {data, columns, rows, column_step, row_step}; }
    [[nodiscard]] matrix block(index_t row, index_t column, index_t m, index_t n) const noexcept {
        return {data + row * row_step + column * column_step, m, n, row_step, column_step};
    }
};

struct gemm_options {
    bool accumulate = false;  ///< c += a·b: the chains begin with what is in c
    int threads = 0;          ///< 0: the process default
};

/// Products that are done in one call: where the operands of each are. Steps may be 0.
struct gemm_batch {
    index_list extents;
    strides a;
    strides b;
    strides c;

    [[nodiscard]] index_t size() const noexcept {
        index_t product = 1;
        for (const index_t n : extents) product *= n;
        return product;
    }
    [[nodiscard]] index_t offset(const strides& steps, index_t i) const noexcept {
        index_t result = 0;
        for (std::size_t axis = extents.size(); axis-- > 0; i /= extents[axis])
            result += i % extents[axis] * steps[axis];
        return result;
    }
};

namespace detail {

/// Multiply-adds that pay for waking a thread.
inline constexpr index_t gemm_grain = index_t{1} << 18;

/// A product, on this thread. Its first element is [row, column] of a larger one.
template <class Arch, class T, class Finish>
void multiply_here(const matrix<const T>& a, const matrix<const T>& b, const matrix<T>& c, bool accumulate,
                   const Finish& finish, index_t row, index_t column) {
    using tile = gemm_tile<Arch, T>;
    using most = gemm_blocks<Arch, T>;
    constexpr index_t width = tile::columns;
    constexpr auto n_lanes = static_cast<index_t>(lanes<T, Arch>);
    const index_t k = a.columns;
    // Panels pay where they are read often.
    const bool packs_a = c.columns >= 4 * width && c.rows >= tile::rows;
    const bool packs_b = b.column_step != 1 || c.rows >= 4 * tile::rows;
    const index_t k_block = even_blocks(k, most::k, 1).each;
    const index_t m_block = packs_a ? even_blocks(c.rows, most::rows, tile::rows).each : c.rows;
    const index_t n_block = even_blocks(c.columns, most::columns, width).each;
    const index_t a_size = packs_a ? m_block * packed_row<T> : 0;
    const index_t b_size = k_block * (packs_b ? n_block : width);
    T* const b_panels = static_cast<T*>(thread_scratch(static_cast<std::size_t>(a_size + b_size) * sizeof(T)));
    T* const a_panels = b_panels + b_size;
    for (index_t j0 = 0; j0 < c.columns; j0 += n_block) {
        const index_t n = (std::min)(n_block, c.columns - j0);
        index_t p0 = 0;
        do {  // once where k is 0
            const index_t depth = (std::min)(k_block, k - p0);
            const bool is_last = p0 + depth == k;
            const matrix<const T> right = b.block(p0, j0, depth, n);
            if (packs_b) pack_panels<width>(right.data, right.column_step, right.row_step, n, depth, b_panels);
            for (index_t i0 = 0; i0 < c.rows; i0 += m_block) {
                const index_t m = (std::min)(m_block, c.rows - i0);
                const matrix<const T> left = a.block(i0, p0, m, depth);
                left_block<T> rows{left.data, left.row_step, left.column_step};
                if (packs_a) {
                    pack_rows(left.data, left.row_step, left.column_step, m, depth, a_panels);
                    rows = {a_panels, packed_row<T>, 1};
                }
                const tile_heights heights(m, tile::rows);
                const tile_heights narrow(m, tile::narrow_rows);
                for (index_t j = 0; j < n; j += width) {
                    const index_t exist = (std::min)(width, n - j);
                    const T* panel = b_panels + j * depth;
                    index_t step = width;
                    if (!packs_b && exist == width) {
                        panel = right.data + j;
                        step = right.row_step;
                    } else if (!packs_b) {
                        panel = b_panels;
                        step = exist <= n_lanes ? n_lanes : width;
                        if (i0 == 0) {
                            std::fill_n(b_panels, depth * step, T{});
                            copy_rows<Arch>(right.data + j, right.row_step, b_panels, step, depth, exist);
                        }
                    }
                    const tile_target<T, Finish> to{c.data + i0 * c.row_step + (j0 + j) * c.column_step,
                                                    c.row_step,
                                                    c.column_step,
                                                    exist,
                                                    accumulate || p0 != 0,
                                                    is_last ? &finish : nullptr,
                                                    row + i0,
                                                    column + j0 + j};
                    if (exist <= n_lanes) {
                        multiply_panel<Arch, 1>(rows, m, narrow, panel, step, depth, to);
                    } else {
                        multiply_panel<Arch, tile::vectors>(rows, m, heights, panel, step, depth, to);
                    }
                }
            }
            p0 += depth;
        } while (p0 < k);
    }
}

/// How a product is shared out: cells of rows and columns, of each matrix of a batch.
struct gemm_grid {
    int rows = 1;
    int columns = 1;

    /// As square as the cells get, since each packs its rows of a and its columns of b for itself.
    gemm_grid(index_t m, index_t n, index_t tile_rows, index_t tile_columns, int cells) noexcept {
        double least = 0;
        for (int r = 1; r <= cells; ++r) {
            if (cells % r != 0) continue;
            const int q = cells / r;
            const double packed = static_cast<double>(m) / r + static_cast<double>(n) / q;
            const bool fits = r * tile_rows <= m && q * tile_columns <= n;
            if (!fits || (least != 0 && packed >= least)) continue;
            least = packed;
            rows = r;
            columns = q;
        }
    }
    [[nodiscard]] index_t cells() const noexcept { return index_t{rows} * columns; }
};

template <class Arch, class T, class Finish>
void multiply_all(const gemm_batch& batch, const matrix<const T>& a, const matrix<const T>& b, const matrix<T>& c,
                  const gemm_options& options, const Finish& finish) {
    using tile = gemm_tile<Arch, T>;
    const index_t count = batch.size();
    if (count == 0 || c.rows == 0 || c.columns == 0) return;
    const double work = static_cast<double>(c.rows) * static_cast<double>(c.columns) * static_cast<double>(a.columns) *
                        static_cast<double>(count);
    if (count == 1 && work < static_cast<double>(2 * gemm_grain))
        return multiply_here<Arch>(a, b, c, options.accumulate, finish, 0, 0);
    const int parts =
        parts_for(static_cast<index_t>((std::min)(work, 1e15)), {.threads = options.threads, .grain = gemm_grain});
    const int cells = count % parts == 0 || count >= 8 * parts ? 1 : parts;
    const gemm_grid grid(c.rows, c.columns, tile::rows, tile::columns, cells);
    parallel_for(count * grid.cells(), {.threads = parts}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) {
            const index_t at = i / grid.cells();
            const auto cell = static_cast<int>(i % grid.cells());
            const auto [i0, i1] = partition(c.rows, grid.rows, cell / grid.columns, tile::rows);
            const auto [j0, j1] = partition(c.columns, grid.columns, cell % grid.columns, tile::columns);
            if (i0 >= i1 || j0 >= j1) continue;
            matrix<const T> left = a.block(i0, 0, i1 - i0, a.columns);
            matrix<const T> right = b.block(0, j0, b.rows, j1 - j0);
            matrix<T> result = c.block(i0, j0, i1 - i0, j1 - j0);
            left.data += batch.offset(batch.a, at);
            right.data += batch.offset(batch.b, at);
            result.data += batch.offset(batch.c, at);
            multiply_here<Arch>(left, right, result, options.accumulate, finish, i0, j0);
        }
    });
}

}  // namespace detail

/// c[m, n] = a[m, k]·b[k, n] for each matrix of a batch.
///
/// @param finish  called as `finish(sums, row, column, count)` with each tile of sums, a two-dimensional array of
///                registers, before it is stored: its first element is in that row and column, and `count` of its columns
///                exist. For biases, activations, residuals.
/// Operands must fit and c must not overlap them; nothing is checked here.
template <class Arch, class T, class Finish = as_is>
void gemm(const gemm_batch& batch, const matrix<const T>& a, const matrix<const T>& b, const matrix<T>& c,
          const gemm_options& options = {}, const Finish& finish = {}) {
    detail::multiply_all<Arch, T>(batch, a, b, c, options, finish);
}

/// The same of one matrix.
template <class Arch, class T, class Finish = as_is>
void gemm(const matrix<const T>& a, const matrix<const T>& b, const matrix<T>& c, const gemm_options& options = {},
          const Finish& finish = {}) {
    detail::multiply_all<Arch, T>({}, a, b, c, options, finish);
}

}  // namespace edge::simd
