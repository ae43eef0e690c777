// SPDX-License-Identifier: MIT
#pragma once

/// @file Products whose right side is packed once and used often, as the weights of a layer are.
///
///     edge::simd::packed_matrix<float, Arch> w({b, k, n, ldb});
///     edge::simd::gemm<Arch, float>(x, w, y, {.threads = 2}, bias_and_relu);
///
/// Each element is one chain of multiply-adds that stays in its register from the first to the last, so k is not cut into
/// blocks and nothing is allocated. The left side is read as it lies.

#include <edge/simd/gemm.hpp>

namespace edge::simd {

/// The right side of products, in the order in which `Arch` reads it: panels [k, columns of a tile], then the registers of
/// columns that are left over as panels of one register each. Columns that do not exist are zero.
template <class T, class Arch>
class packed_matrix {
public:
    packed_matrix() = default;

    /// O(rows·columns).
    explicit packed_matrix(const matrix<const T>& b) : rows_(b.rows), columns_(b.columns) {
        const index_t width = vectors() * n;
        memory_ = edge::detail::allocate_bytes(static_cast<std::size_t>(
            checked_multiply(checked_multiply(rows_, width), static_cast<index_t>(sizeof(T)), "number of bytes")));
        T* const to = static_cast<T*>(memory_.get());
        const index_t j = (std::min)(columns_, wide_vectors() * n);
        detail::pack_panels<tile::columns>(b.data, b.column_step, b.row_step, j, rows_, to);
        detail::pack_panels<n>(b.data + j * b.column_step, b.column_step, b.row_step, columns_ - j, rows_,
                               to + wide_vectors() * n * rows_);
    }

    [[nodiscard]] index_t rows() const noexcept { return rows_; }
    [[nodiscard]] index_t columns() const noexcept { return columns_; }

    /// Registers of columns, the last of which may not be full.
    [[nodiscard]] index_t vectors() const noexcept { return (columns_ + n - 1) / n; }

    /// Those of them that lie in panels as wide as a tile.
    [[nodiscard]] index_t wide_vectors() const noexcept { return vectors() / tile::vectors * tile::vectors; }

    [[nodiscard]] std::size_t bytes() const noexcept {
        return static_cast<std::size_t>(rows_ * vectors() * n) * sizeof(T);
    }

    /// Where the columns of a register lie: its first row, and the distance between rows.
    struct place {
        const T* data;
        index_t step;
    };
    [[nodiscard]] place at(index_t vector) const noexcept {
        const T* const from = static_cast<const T*>(memory_.get());
        if (vector >= wide_vectors()) return {from + vector * n * rows_, n};
        return {from + vector / tile::vectors * tile::columns * rows_ + vector % tile::vectors * n, tile::columns};
    }

private:
    using tile = detail::gemm_tile<Arch, T>;
    static constexpr auto n = static_cast<index_t>(lanes<T, Arch>);

    index_t rows_ = 0;
    index_t columns_ = 0;
    std::unique_ptr<void, edge::detail::aligned_delete> memory_;
};

namespace detail {

/// How a product of `m` rows and so many registers of columns is shared out.
struct packed_split {
    int rows = 1;
    int columns = 1;

    /// The way whose largest cell is done first: its multiply-adds at two a cycle, its operands at 16 bytes.
    /// @param lanes  of a register
    /// @param align  of rows: the lower of the tile heights that are near the peak
    packed_split(index_t m, index_t vectors, index_t lanes, index_t align, int cells) noexcept {
        const auto most = [](index_t count, int parts, index_t each) {
            return static_cast<double>(((count + each - 1) / each + parts - 1) / parts * each);
        };
        double least = 0;
        for (int r = 1; r <= cells; ++r) {
            if (cells % r != 0) continue;
            const int q = cells / r;
            const double high = most(m, r, align);
            const double wide = most(vectors, q, 1);
            const double cost = high * wide / 2 + (high + wide * static_cast<double>(lanes)) / 4;
            if (least != 0 && cost >= least) continue;
            least = cost;
            rows = r;
            columns = q;
        }
    }
    [[nodiscard]] int cells() const noexcept { return rows * columns; }
};

}  // namespace detail

// For layers that make rows of the left side as they go, and finish tiles.
using detail::copy_block;
using detail::left_block;

/// Rows of a that are done for all panels of b, so that they stay in a near cache meanwhile, and so that the rows of c
/// are written together: 32 KiB of both, at least some tiles.
template <class Arch, class T>
[[nodiscard]] constexpr index_t packed_rows(index_t k, index_t n) noexcept {
    constexpr index_t tall = detail::gemm_tile<Arch, T>::rows;
    constexpr index_t bytes = 32768;
    return (std::max)(bytes / (static_cast<index_t>(sizeof(T)) * (k + n + 1)) / tall, index_t{56} / tall) * tall;
}

/// Rows [i0, i1) and registers [v0, v1) of the columns of a·b, on this thread.
///
/// @param block  called with a first row and a count of at most `packed_rows`: the left_block of them
/// @param c      the whole result; rows are `c_row` apart
/// @param column  of the result at which b begins, for `finish`
template <class Arch, class T, class Block, class Finish>
void multiply_packed(const Block& block, index_t i0, index_t i1, const packed_matrix<T, Arch>& b, index_t v0,
                     index_t v1, T* c, index_t c_row, const Finish& finish, index_t column = 0,
                     bool accumulate = false) {
    using tile = detail::gemm_tile<Arch, T>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    const index_t k = b.rows();
    const index_t each = detail::even_blocks(i1 - i0, packed_rows<Arch, T>(k, b.columns()), tile::rows).each;
    for (index_t i = i0; i < i1; i += each) {
        const index_t m = (std::min)(each, i1 - i);
        const auto rows = block(i, m);
        const detail::tile_heights heights(m, tile::rows);
        const detail::tile_heights narrow(m, tile::narrow_rows);
        for (index_t v = v0; v < v1;) {
            const bool is_wide = v % tile::vectors == 0 && v + tile::vectors <= (std::min)(v1, b.wide_vectors());
            const auto [panel, step] = b.at(v);
            const index_t j = v * n;
            detail::tile_target<T, Finish> to{c + i * c_row + column + j,
                                              c_row,
                                              1,
                                              (std::min)(is_wide ? tile::columns : n, b.columns() - j),
                                              accumulate,
                                              &finish,
                                              i,
                                              column + j};
            // Weights that are read by few tiles come from far away each time.
            if (tile::fetches_ahead && is_wide && m <= 8 * tile::rows &&
                v + 2 * tile::vectors <= (std::min)(v1, b.wide_vectors())) {
                to.ahead = panel + k * step;
                // A tile of few rows is itself as fast as what it reads: no faster than it.
                to.ahead_step = 2 * m < tile::rows ? step : step * tile::rows / m;
            }
            if (is_wide) {
                detail::multiply_panel<Arch, tile::vectors>(rows, m, heights, panel, step, k, to);
            } else {
                detail::multiply_panel<Arch, 1>(rows, m, narrow, panel, step, k, to);
            }
            v += is_wide ? tile::vectors : 1;
        }
    }
}

/// Multiply-adds in all to the number of threads that they pay for.
[[nodiscard]] inline int product_parts(index_t m, index_t n, index_t k, int threads) {
    const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    return parts_for(static_cast<index_t>((std::min)(work, 1e15)), {.threads = threads, .grain = detail::gemm_grain});
}

/// Calls `part(cell, i0, i1, v0, v1)` for the cells of a product on as many threads as pay.
template <class Arch, class T, class Part>
void share_packed(index_t m, const packed_matrix<T, Arch>& b, int threads, const Part& part) {
    if (m == 0 || b.columns() == 0) return;
    constexpr index_t align = detail::gemm_tile<Arch, T>::rows == 14 ? 7 : 1;
    const int parts = product_parts(m, b.columns(), b.rows() + 1, threads);
    const detail::packed_split split(m, b.vectors(), static_cast<index_t>(lanes<T, Arch>), align, parts);
    parallel_parts(split.cells(), [&](int cell) {
        const auto [i0, i1] = partition(m, split.rows, cell / split.columns, align);
        const auto [v0, v1] = partition(b.vectors(), split.columns, cell % split.columns);
        if (i0 < i1 && v0 < v1) part(cell, i0, i1, v0, v1);
    });
}

/// c[m, n] = a[m, k]·b[k, n]. Columns of c must not be apart; `finish` as in gemm.hpp. Allocates nothing.
template <class Arch, class T, class Finish = as_is>
void gemm(const matrix<const T>& a, const packed_matrix<T, Arch>& b, const matrix<T>& c,
          const gemm_options& options = {}, const Finish& finish = {}) {
    share_packed(a.rows, b, options.threads, [&](int, index_t i0, index_t i1, index_t v0, index_t v1) {
        const auto block = [&](index_t i, index_t) {
            return left_block<T>{a.data + i * a.row_step, a.row_step, a.column_step};
        };
        multiply_packed<Arch>(block, i0, i1, b, v0, v1, c.data, c.row_step, finish, 0, options.accumulate);
    });
}

}  // namespace edge::simd
