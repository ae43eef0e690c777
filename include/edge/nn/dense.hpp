// SPDX-License-Identifier: MIT
#pragma once

/// @file Dense layer: y = activation(x·w + bias + residual), float.
///
///     edge::nn::dense_layer layer({w, k, n, n}, bias, {.limits = edge::nn::relu});   // packs the weights
///     layer.run(x, nullptr, y, rows, threads);                                        // often, on several threads
///
///     edge::nn::dense(x, w, bias, y, {.limits = edge::nn::relu});                     // once
///
/// An element of y depends on its row of x and its column of w alone, added up in the order of k: the bits do not
/// depend on the number of rows, the tile it falls into or the number of threads.

#include <edge/core/parallel.hpp>
#include <edge/core/tensor_view.hpp>
#include <edge/nn/detail/layer_end.hpp>
#include <edge/simd/packed_gemm.hpp>

#include <span>
#include <vector>

namespace edge::nn {

namespace detail {

/// y[m, n] = clamp(x[m, k]·w[k, n] + bias[n]); `bias` may be null; ld* are the distances between rows, in elements.
template <class Arch>
void dense_f32(const float* x, index_t ldx, const float* w, index_t ldw, const float* bias, float* y, index_t ldy,
               index_t m, index_t n, index_t k, const clamp& limits, int threads = 1) {
    const layer_end<Arch> end{bias, nullptr, 0, {.limits = limits}};
    simd::gemm<Arch, float>({x, m, k, ldx}, {w, k, n, ldw}, {y, m, n, ldy}, {.threads = threads}, end);
}

}  // namespace detail

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = detail::native>
class dense_layer {
public:
    /// @param w     [k, n], or ONNX's [n, k] by `transposed()`
    /// @param bias  [n], or null
    explicit dense_layer(const simd::matrix<const float>& w, const float* bias = nullptr, const activation& act = {})
        : weights_(w), activation_(act) {
        if (bias != nullptr) bias_.assign(bias, bias + w.columns);
    }

    [[nodiscard]] index_t inputs() const noexcept { return weights_.rows(); }
    [[nodiscard]] index_t outputs() const noexcept { return weights_.columns(); }

    /// Of packed weights and bias.
    [[nodiscard]] std::size_t bytes() const noexcept { return weights_.bytes() + bias_.size() * sizeof(float); }

    /// @param x         [rows, inputs]
    /// @param residual  [rows, outputs], or null
    /// @param y         [rows, outputs]; must not overlap x; may be the residual
    /// @param threads   0: the process default
    void run(const float* x, const float* residual, float* y, index_t rows, int threads = 0) const {
        const detail::layer_end<Arch> end{bias_.empty() ? nullptr : bias_.data(), residual, outputs(), activation_};
        simd::gemm<Arch, float>({x, rows, inputs(), inputs()}, weights_, {y, rows, outputs(), outputs()},
                                {.threads = threads}, end);
    }

private:
    simd::packed_matrix<float, Arch> weights_;
    std::vector<float> bias_;
    activation activation_;
};

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
