// SPDX-License-Identifier: MIT
#pragma once

/// @file Dense layer: y = activation(x·w + bias + residual), float.
///
///     edge::nn::dense_layer layer({w, k, n, n}, bias, {.limits = edge::nn::relu});   // packs the weights
///     layer.run(x, nullptr, y, rows, threads);                                        // often, on several threads
///
/// An element of y depends on its row of x and its column of w alone, added up in the order of k: the bits do not
/// depend on the number of rows, the tile it falls into or the number of threads.

#include <edge/nn/detail/layer_end.hpp>
#include <edge/simd/packed_gemm.hpp>

#include <vector>

namespace edge::nn {

namespace detail {

/// y[m, n] = clamp(x[m, k]·w[k, n] + bias[n]) with weights that come with each run; `bias` may be null; ld* are the
/// distances between rows, in elements.
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

}  // namespace edge::nn
