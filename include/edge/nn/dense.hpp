// SPDX-License-Identifier: MIT
#pragma once

/// @file Dense layer: y = clamp(x·w + bias), float.
///
///     edge::tensor<float> x({8, 32}), w({32, 16}), y({8, 16});
///     edge::nn::dense(x, w, bias, y, {.limits = edge::nn::relu});
///
/// An element of y depends on its row of x and its column of w alone, added up in the order of k: the bits do not
/// depend on the number of rows, the tile it falls into or the number of threads.

#include <edge/core/parallel.hpp>
#include <edge/core/tensor_view.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/window.hpp>

#include <span>

namespace edge::nn {

namespace detail {

/// Rows x (Vectors·lanes) of y at once. With `Whole` false, Vectors is 1 and only `columns` of its lanes exist.
///
/// Registers (AVX2, 6x16): 12 sums, 2 weights, 1 broadcast. Per k: 2 loads, 6 broadcasts, 12 multiply-adds on two
/// ports, so the multiplies are the limit.
template <class Arch, int Rows, int Vectors, bool Whole>
inline void dense_f32_tile(const float* x, index_t ldx, const float* w, index_t ldw, const float* bias, float* y,
                           index_t ldy, index_t k, index_t columns, const clamp& limits) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const auto load = [&](const float* p, int j) {
        if constexpr (Whole) return batch::load_unaligned(p + j * lanes);
        return load_some<Arch>(p, columns);
    };
    batch sum[Rows][Vectors];
    unrolled<Vectors>([&](auto j) {
        const batch start = bias == nullptr ? batch(0.0f) : load(bias, j);
        unrolled<Rows>([&](auto i) { sum[i][j] = start; });
    });
    for (index_t p = 0; p < k; ++p, w += ldw) {
        batch wp[Vectors];
        unrolled<Vectors>([&](auto j) { wp[j] = load(w, j); });
        unrolled<Rows>([&](auto i) {
            const batch xp(x[i * ldx + p]);
            unrolled<Vectors>([&](auto j) { sum[i][j] = xsimd::fma(xp, wp[j], sum[i][j]); });
        });
    }
    const batch low(limits.low);
    const batch high(limits.high);
    unrolled<Rows>([&](auto i) {
        unrolled<Vectors>([&](auto j) {
            const batch v = clamped(sum[i][j], low, high);
            if constexpr (Whole)
                v.store_unaligned(y + i * ldy + j * lanes);
            else
                store_some<Arch>(y + i * ldy, v, columns);
        });
    });
}

template <class Arch, int Vectors, bool Whole>
inline void dense_f32_panel(const float* x, index_t ldx, const float* w, index_t ldw, const float* bias, float* y,
                            index_t ldy, index_t m, index_t k, index_t columns, const clamp& limits) noexcept {
    index_t i = 0;
    for (; i + 6 <= m; i += 6)
        dense_f32_tile<Arch, 6, Vectors, Whole>(x + i * ldx, ldx, w, ldw, bias, y + i * ldy, ldy, k, columns, limits);
    for (; i + 2 <= m; i += 2)
        dense_f32_tile<Arch, 2, Vectors, Whole>(x + i * ldx, ldx, w, ldw, bias, y + i * ldy, ldy, k, columns, limits);
    for (; i < m; ++i)
        dense_f32_tile<Arch, 1, Vectors, Whole>(x + i * ldx, ldx, w, ldw, bias, y + i * ldy, ldy, k, columns, limits);
}

/// y[m, n] = clamp(x[m, k]·w[k, n] + bias[n]); `bias` may be null; ld* are the distances between rows, in elements.
template <class Arch>
void dense_f32(const float* x, index_t ldx, const float* w, index_t ldw, const float* bias, float* y, index_t ldy,
               index_t m, index_t n, index_t k, const clamp& limits) noexcept {
    constexpr auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
    const auto bias_at = [bias](index_t j) { return bias == nullptr ? nullptr : bias + j; };
    index_t j = 0;
    for (; j + 2 * lanes <= n; j += 2 * lanes)
        dense_f32_panel<Arch, 2, true>(x, ldx, w + j, ldw, bias_at(j), y + j, ldy, m, k, 0, limits);
    for (; j + lanes <= n; j += lanes)
        dense_f32_panel<Arch, 1, true>(x, ldx, w + j, ldw, bias_at(j), y + j, ldy, m, k, 0, limits);
    if (j < n) dense_f32_panel<Arch, 1, false>(x, ldx, w + j, ldw, bias_at(j), y + j, ldy, m, k, n - j, limits);
}

/// The same on several threads, cut by rows, or by columns where there are few rows.
template <class Arch>
void dense_f32(const float* x, index_t ldx, const float* w, index_t ldw, const float* bias, float* y, index_t ldy,
               index_t m, index_t n, index_t k, const clamp& limits, int threads) {
    constexpr index_t worth = 1 << 15;  // multiplies that pay for waking a thread
    const index_t each = (std::max)(index_t{1}, k);
    if (m >= n / 16) {
        const index_t grain = (std::max)(index_t{6}, worth / (std::max)(index_t{1}, n * each));
        parallel_for(m, {.threads = threads, .grain = grain, .align = 6}, [&](index_t first, index_t last) {
            dense_f32<Arch>(x + first * ldx, ldx, w, ldw, bias, y + first * ldy, ldy, last - first, n, k, limits);
        });
    } else {
        const index_t grain = (std::max)(index_t{16}, worth / (std::max)(index_t{1}, m * each));
        parallel_for(n, {.threads = threads, .grain = grain, .align = 16}, [&](index_t first, index_t last) {
            dense_f32<Arch>(x, ldx, w + first, ldw, bias == nullptr ? nullptr : bias + first, y + first, ldy, m,
                            last - first, k, limits);
        });
    }
}

}  // namespace detail

struct layer_options {
    clamp limits = {};  ///< an activation folded into the layer: `relu`, `relu6` or any range
    int threads = 0;    ///< 0: the process default
};

/// @param x     [m, k], rows may be apart
/// @param w     [k, n], rows may be apart
/// @param bias  [n], or empty for none
/// @param y     [m, n], rows may be apart; must not overlap x or w
/// @throws shape_error  if the shapes do not fit or elements of a row are apart
inline void dense(tensor_view<const float> x, tensor_view<const float> w, std::span<const float> bias,
                  tensor_view<float> y, const layer_options& options = {}) {
    const auto has_rows = [](const auto& v) { return v.rank() == 2 && (v.strides()[1] == 1 || v.shape()[1] <= 1); };
    if (!has_rows(x) || !has_rows(w) || !has_rows(y) || x.shape()[1] != w.shape()[0] || y.shape()[0] != x.shape()[0] ||
        y.shape()[1] != w.shape()[1])
        throw shape_error(message("dense: input ", x.shape(), ", weights ", w.shape(), ", output ", y.shape(),
                                  "; expected [m, k], [k, n], [m, n] with contiguous rows"));
    if (!bias.empty() && static_cast<index_t>(bias.size()) != w.shape()[1])
        throw shape_error(message("dense: ", bias.size(), " biases for weights ", w.shape()));
    detail::dense_f32<detail::native>(x.data(), x.strides()[0], w.data(), w.strides()[0],
                                      bias.empty() ? nullptr : bias.data(), y.data(), y.strides()[0], x.shape()[0],
                                      w.shape()[1], x.shape()[1], options.limits, options.threads);
}

}  // namespace edge::nn
