// SPDX-License-Identifier: MIT
#pragma once

/// @file Matrix products of numbers: c = a·b, b in panels of two registers' columns.
///
/// Tiles of four rows by two registers: eight sums, two loads and four broadcasts for eight multiply-adds, so the
/// multiplies are the limit while a panel is in the second cache.

#include <edge/core/tensor_view.hpp>
#include <edge/simd/detail/operation.hpp>

#include <algorithm>

namespace edge::simd::detail {

/// Columns of a panel.
template <class Arch, class T>
inline constexpr index_t panel = static_cast<index_t>(2 * lanes<T, Arch>);

/// Columns [first, first + panel) of b, as [k, panel], zero past the last.
template <class Arch, class T>
void pack_panel(const tensor_view<const T>& b, index_t first, T* to) noexcept {
    const index_t rows = b.shape()[0];
    const index_t width = (std::min)(panel<Arch, T>, b.shape()[1] - first);
    for (index_t k = 0; k < rows; ++k) {
        const T* from = b.data() + k * b.strides()[0] + first * b.strides()[1];
        for (index_t j = 0; j < panel<Arch, T>; ++j) *to++ = j < width ? from[j * b.strides()[1]] : T{0};
    }
}

/// Rows of c, `width` of their columns: a is [rows, k] with stride `lda`, b a panel.
template <class Arch, int rows, class T>
void multiply_tile(const T* a, index_t lda, const T* b, index_t k, T* c, index_t ldc, index_t width) noexcept {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    B sums[rows][2];
    for (auto& row : sums) row[0] = row[1] = B(T{0});
    for (index_t i = 0; i < k; ++i) {
        const B b0 = B::load_unaligned(b + 2 * n * i);
        const B b1 = B::load_unaligned(b + 2 * n * i + n);
        for (int r = 0; r < rows; ++r) {
            const B x(a[r * lda + i]);
            sums[r][0] = op::fma::apply(x, b0, sums[r][0]);
            sums[r][1] = op::fma::apply(x, b1, sums[r][1]);
        }
    }
    for (int r = 0; r < rows; ++r) {
        T row[2 * lanes<T, Arch>];
        sums[r][0].store_unaligned(row);
        sums[r][1].store_unaligned(row + n);
        std::copy_n(row, width, c + r * ldc);
    }
}

/// Columns of c = a·b for one packed panel of b.
template <class Arch, class T>
void multiply_panel(const T* a, index_t lda, const T* b, index_t m, index_t k, T* c, index_t ldc,
                    index_t width) noexcept {
    index_t i = 0;
    for (; i + 4 <= m; i += 4) multiply_tile<Arch, 4>(a + i * lda, lda, b, k, c + i * ldc, ldc, width);
    for (; i < m; ++i) multiply_tile<Arch, 1>(a + i * lda, lda, b, k, c + i * ldc, ldc, width);
}

}  // namespace edge::simd::detail
