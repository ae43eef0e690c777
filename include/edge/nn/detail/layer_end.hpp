// SPDX-License-Identifier: MIT
#pragma once

/// @file How the sums of a layer become its results: + bias, + residual, activation. A `finish` of simd/gemm.hpp.

#include <edge/nn/activation.hpp>
#include <edge/simd/packed_gemm.hpp>

namespace edge::nn::detail {

template <class Arch>
struct layer_end {
    const float* bias;      ///< [columns], or null
    const float* residual;  ///< [rows, columns], or null
    index_t residual_row;   ///< between its rows
    nn::activation activation;

    template <std::size_t rows, std::size_t vectors>
    EDGE_ALWAYS_INLINE void operator()(simd::batch<float, Arch> (&sums)[rows][vectors], index_t row, index_t column,
                                       index_t count) const noexcept {
        using batch = simd::batch<float, Arch>;
        constexpr auto n = static_cast<index_t>(batch::size);
        constexpr index_t width = static_cast<index_t>(vectors) * n;
        constexpr int columns = static_cast<int>(vectors);
        constexpr int all = static_cast<int>(rows) * columns;
        // Of columns that are cut off, a copy that is as wide as the tile.
        alignas(64) float apart[static_cast<index_t>(rows) * width];
        if (bias != nullptr) {
            const float* from = bias + column;
            if (count < width) {
                simd::copy_block<Arch>(from, 0, 1, apart, width, 1, 1, count);
                from = apart;
            }
            batch b[vectors];
            unrolled<vectors>([&](auto j) { b[j] = batch::load_unaligned(from + j * n); });
            unrolled<all>(
                [&](auto t) { sums[t / columns][t % columns] = sums[t / columns][t % columns] + b[t % columns]; });
        }
        if (residual != nullptr) {
            const float* from = residual + row * residual_row + column;
            index_t step = residual_row;
            if (count < width) {
                simd::copy_block<Arch>(from, step, 1, apart, width, 1, static_cast<index_t>(rows), count);
                from = apart;
                step = width;
            }
            unrolled<all>([&](auto t) {
                const index_t at = t / columns * step + t % columns * n;
                sums[t / columns][t % columns] = sums[t / columns][t % columns] + batch::load_unaligned(from + at);
            });
        }
        if (activation.kind != activation_kind::clamp) {
            constexpr nn::activation only{activation_kind::hard_swish};
            unrolled<all>([&](auto t) {
                sums[t / columns][t % columns] = activated<Arch>(only, sums[t / columns][t % columns]);
            });
        } else if (activation.limits != clamp{}) {
            const batch low(activation.limits.low);
            const batch high(activation.limits.high);
            unrolled<all>([&](auto t) {
                sums[t / columns][t % columns] = clamped<Arch>(sums[t / columns][t % columns], low, high);
            });
        }
    }
};

}  // namespace edge::nn::detail
