// SPDX-License-Identifier: MIT
#pragma once

/// @file Matrix products: c = a·b, or c += a·b, with any distances between rows and columns.
///
///     edge::simd::gemm<Arch, float>({a, m, k, lda}, {b, k, n, ldb}, {c, m, n, ldc}, {.threads = 2});
///
///     edge::simd::packed_matrix<float, Arch> w({b, k, n, ldb});       // once: weights
///     edge::simd::gemm<Arch, float>(x, w, y, {}, bias_and_relu);      // often
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

/// The right side of products, in the order in which `Arch` reads it.
template <class T, class Arch>
class packed_matrix {
public:
    /// O(rows·columns).
    explicit packed_matrix(const matrix<const T>& b) : rows_(b.rows), columns_(b.columns) {
        constexpr index_t width = detail::gemm_tile<Arch, T>::columns;
        width_ = (columns_ + width - 1) / width * width;
        memory_ = edge::detail::allocate_bytes(static_cast<std::size_t>(
            checked_multiply(checked_multiply(rows_, width_), static_cast<index_t>(sizeof(T)), "number of bytes")));
        const index_t each = detail::even_blocks(rows_, detail::gemm_blocks<T>::k, 1).each;
        for (index_t p = 0; p < rows_; p += each)
            detail::pack_panels<width>(b.data + p * b.row_step, b.column_step, b.row_step, columns_,
                                       (std::min)(each, rows_ - p), static_cast<T*>(memory_.get()) + p * width_);
    }

    [[nodiscard]] index_t rows() const noexcept { return rows_; }
    [[nodiscard]] index_t columns() const noexcept { return columns_; }
    [[nodiscard]] const T* data() const noexcept { return static_cast<const T*>(memory_.get()); }

    /// Elements from one block of rows to the next, by row.
    [[nodiscard]] index_t width() const noexcept { return width_; }

private:
    index_t rows_;
    index_t columns_;
    index_t width_;
    std::unique_ptr<void, edge::detail::aligned_delete> memory_;
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

/// A product, on this thread. Its first element is [row, column] of a larger one: `packed`, where it is not null, is the
/// whole right side of that, `packed_width` wide; columns of cells begin with those of its panels.
template <class Arch, class T, class Finish>
void multiply_here(const matrix<const T>& a, const matrix<const T>& b, const T* packed, index_t packed_width,
                   const matrix<T>& c, bool accumulate, const Finish& finish, index_t row, index_t column) {
    using tile = gemm_tile<Arch, T>;
    using most = gemm_blocks<T>;
    constexpr index_t width = tile::columns;
    constexpr auto n_lanes = static_cast<index_t>(lanes<T, Arch>);
    const index_t k = a.columns;
    // Panels pay where they are read often.
    const bool packs_a = c.columns >= 4 * width && c.rows >= tile::rows;
    const bool packs_b = packed == nullptr && (b.column_step != 1 || c.rows >= 4 * tile::rows);
    const index_t k_block = even_blocks(k, most::k, 1).each;
    const index_t m_block = packs_a ? even_blocks(c.rows, most::rows, tile::rows).each : c.rows;
    const index_t n_block = even_blocks(c.columns, most::columns, width).each;
    const index_t a_size = packs_a ? m_block * packed_row<T> : 0;
    const index_t b_size = packed != nullptr ? 0 : k_block * (packs_b ? n_block : width);
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
                left_block<T> rows{left.data, left.row_step, left.column_step, packs_a};
                if (packs_a) {
                    pack_rows(left.data, left.row_step, left.column_step, m, depth, a_panels);
                    rows = {a_panels, packed_row<T>, 1, true};
                }
                for (index_t j = 0; j < n; j += width) {
                    const index_t exist = (std::min)(width, n - j);
                    const T* panel = b_panels + j * depth;
                    index_t step = width;
                    if (packed != nullptr) {
                        panel = packed + p0 * packed_width + (column + j0 + j) * depth;
                    } else if (!packs_b && exist == width) {
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
                        multiply_panel<Arch, 1>(rows, m, panel, step, depth, to);
                    } else {
                        multiply_panel<Arch, tile::vectors>(rows, m, panel, step, depth, to);
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
void multiply_all(const gemm_batch& batch, const matrix<const T>& a, const matrix<const T>& b,
                  const packed_matrix<T, Arch>* packed, const matrix<T>& c, const gemm_options& options,
                  const Finish& finish) {
    using tile = gemm_tile<Arch, T>;
    const index_t count = batch.size();
    if (count == 0 || c.rows == 0 || c.columns == 0) return;
    const double work = static_cast<double>(c.rows) * static_cast<double>(c.columns) * static_cast<double>(a.columns) *
                        static_cast<double>(count);
    const index_t packed_width = packed == nullptr ? 0 : packed->width();
    const T* const panels = packed == nullptr ? nullptr : packed->data();
    if (count == 1 && work < static_cast<double>(2 * gemm_grain))
        return multiply_here<Arch>(a, b, panels, packed_width, c, options.accumulate, finish, 0, 0);
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
            multiply_here<Arch>(left, right, panels, packed_width, result, options.accumulate, finish, i0, j0);
        }
    });
}

}  // namespace detail

/// c[m, n] = a[m, k]·b[k, n] for each matrix of a batch.
///
/// @param finish  called as `finish(row, column, count, x)` with each register of sums before it is stored, `count` of its
///                lanes existing, the first of them in that row and column; returns what is stored. For biases,
///                activations, residuals.
/// Operands must fit and c must not overlap them; nothing is checked here.
template <class Arch, class T, class Finish = as_is>
void gemm(const gemm_batch& batch, const matrix<const T>& a, const matrix<const T>& b, const matrix<T>& c,
          const gemm_options& options = {}, const Finish& finish = {}) {
    detail::multiply_all<Arch, T>(batch, a, b, nullptr, c, options, finish);
}

/// The same of one matrix.
template <class Arch, class T, class Finish = as_is>
void gemm(const matrix<const T>& a, const matrix<const T>& b, const matrix<T>& c, const gemm_options& options = {},
          const Finish& finish = {}) {
    detail::multiply_all<Arch, T>({}, a, b, nullptr, c, options, finish);
}

/// The same with the right side packed before.
template <class Arch, class T, class Finish = as_is>
void gemm(const matrix<const T>& a, const packed_matrix<T, Arch>& b, const matrix<T>& c,
          const gemm_options& options = {}, const Finish& finish = {}) {
    detail::multiply_all<Arch, T>({}, a, {nullptr, b.rows(), b.columns(), 0, 0}, &b, c, options, finish);
}

}  // namespace edge::simd
