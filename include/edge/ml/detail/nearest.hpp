// SPDX-License-Identifier: MIT
#pragma once

/// @file Kernels of k-means: squared distances of rows to a few centres, a register of centres at a time.
///
/// Centres are packed by `pack_centres` as [d, padded]: one column a lane, so no sum ever crosses lanes and a distance
/// has the same bits whatever the tile. The columns beyond the last centre are NaN, which is nearest to nothing.

#include <edge/core/tensor.hpp>
#include <edge/simd/batch.hpp>

#include <cstdint>
#include <limits>

namespace edge::ml::detail {

template <class Arch, class T>
inline constexpr index_t lanes = static_cast<index_t>(simd::lanes<T, Arch>);

template <class Arch, class T>
[[nodiscard]] constexpr index_t padded(index_t centres) noexcept {
    return (centres + lanes<Arch, T> - 1) / lanes<Arch, T> * lanes<Arch, T>;
}

/// [k, d] → [d, padded]
template <class Arch, class T>
[[nodiscard]] tensor<T> pack_centres(const T* centres, index_t k, index_t d) {
    const index_t columns = padded<Arch, T>(k);
    tensor<T> packed({d, columns}, std::numeric_limits<T>::quiet_NaN());
    for (index_t c = 0; c < k; ++c)
        for (index_t j = 0; j < d; ++j) packed[j * columns + c] = centres[c * d + j];
    return packed;
}

/// Squared distances of `Rows` rows of x [Rows, d] to the centres in one register's columns, from `packed` on.
///
/// A step: 1 load, Rows broadcasts, Rows subtractions, Rows multiply-adds; with 4 rows the two ports of the latter are
/// the limit, not the loads.
template <class Arch, int Rows, class T>
EDGE_ALWAYS_INLINE void distance_tile(const T* x, index_t d, const T* packed, index_t columns,
                                      simd::batch<T, Arch> (&sum)[Rows]) noexcept {
    using batch = simd::batch<T, Arch>;
    for (int r = 0; r < Rows; ++r) sum[r] = batch(T(0));
    for (index_t j = 0; j < d; ++j) {
        const batch centre = batch::load_aligned(packed + j * columns);
        for (int r = 0; r < Rows; ++r) {
            const batch difference = batch(x[r * d + j]) - centre;
            sum[r] = xsimd::fma(difference, difference, sum[r]);
        }
    }
}

/// The nearest centre of `Rows` rows, the lowest of equally near ones.
template <class Arch, int Rows, class T>
void nearest_tile(const T* x, index_t d, const T* packed, index_t columns, std::int32_t* label, T* distance) noexcept {
    using batch = simd::batch<T, Arch>;
    constexpr index_t width = lanes<Arch, T>;
    batch best[Rows];
    batch first[Rows];  // of the register's columns in which the best one is; exact, as k is at most 2^24
    for (int r = 0; r < Rows; ++r) {
        best[r] = batch(std::numeric_limits<T>::infinity());
        first[r] = batch(T(0));
    }
    for (index_t c = 0; c < columns; c += width) {
        batch sum[Rows];
        distance_tile<Arch, Rows>(x, d, packed + c, columns, sum);
        for (int r = 0; r < Rows; ++r) {
            const auto nearer = sum[r] < best[r];
            best[r] = xsimd::select(nearer, sum[r], best[r]);
            first[r] = xsimd::select(nearer, batch(static_cast<T>(c)), first[r]);
        }
    }
    for (int r = 0; r < Rows; ++r) {
        alignas(alignment) T value[width];
        alignas(alignment) T column[width];
        best[r].store_aligned(value);
        first[r].store_aligned(column);
        T least = value[0];
        auto at = static_cast<index_t>(column[0]);
        for (index_t i = 1; i < width; ++i) {
            const index_t here = static_cast<index_t>(column[i]) + i;
            if (value[i] < least || (value[i] == least && here < at)) {
                least = value[i];
                at = here;
            }
        }
        label[r] = static_cast<std::int32_t>(at);
        distance[r] = least;
    }
}

/// label[i], distance[i]: the nearest centre of row i of x [rows, d], and its squared distance.
template <class Arch, class T>
void nearest_rows(const T* x, index_t rows, index_t d, const T* packed, index_t columns, std::int32_t* label,
                  T* distance) noexcept {
    index_t i = 0;
    for (; i + 4 <= rows; i += 4) nearest_tile<Arch, 4>(x + i * d, d, packed, columns, label + i, distance + i);
    for (; i < rows; ++i) nearest_tile<Arch, 1>(x + i * d, d, packed, columns, label + i, distance + i);
}

/// out [columns]: the squared distances of one row to every packed centre.
template <class Arch, class T>
void row_distances(const T* x, index_t d, const T* packed, index_t columns, T* out) noexcept {
    for (index_t c = 0; c < columns; c += lanes<Arch, T>) {
        simd::batch<T, Arch> sum[1];
        distance_tile<Arch, 1>(x, d, packed + c, columns, sum);
        sum[0].store_aligned(out + c);
    }
}

}  // namespace edge::ml::detail
