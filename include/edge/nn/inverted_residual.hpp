// SPDX-License-Identifier: MIT
#pragma once

/// @file Inverted residual: a pointwise layer to more channels, a depthwise layer, a pointwise layer to few channels, and
/// the input or another tensor added; in one pass, so that the many channels never leave a near cache.
///
///     edge::nn::inverted_residual block({.inputs = 16, .hidden = 96, .outputs = 24, .window = win, …});   // once
///     block.run(x, nullptr, y, batch, in_h, in_w, scratch, threads);                                     // often
///
/// Strips of rows, or where images are small whole layers: detail/inverted_block.hpp. The bits are those of the layers, one after
/// the other.
/// Source: Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks", section 3 and 5.1.

#include <edge/nn/dense.hpp>
#include <edge/nn/depthwise.hpp>
#include <edge/nn/detail/inverted_block.hpp>

#include <optional>

namespace edge::nn {

/// The layers of a block, weights as ONNX has them. Biases may be null.
struct inverted_residual_layers {
    index_t inputs = 0;
    index_t hidden = 0;
    index_t outputs = 0;
    nn::window window = {};                 ///< of the depthwise layer
    const float* expand = nullptr;          ///< [hidden, inputs, 1, 1]; null where the depthwise layer comes first
    const float* expand_bias = nullptr;     ///< [hidden]
    const float* depthwise = nullptr;       ///< [hidden, 1, kernel_h, kernel_w]
    const float* depthwise_bias = nullptr;  ///< [hidden]
    const float* project = nullptr;         ///< [outputs, hidden, 1, 1]
    const float* project_bias = nullptr;    ///< [outputs]
    activation after_expand = {};
    activation after_depthwise = {};
    activation after_project = {};  ///< and after the residual
};

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = detail::native>
class inverted_residual : public detail::inverted_block<float, dense_layer<Arch>, depthwise_layer<Arch>> {
public:
    /// @throws argument_error  if the channels do not fit each other, or as `check` of the window
    explicit inverted_residual(const inverted_residual_layers& l)
        : detail::inverted_block<float, dense_layer<Arch>, depthwise_layer<Arch>>(
              l.inputs,
              l.expand == nullptr ? std::optional<dense_layer<Arch>>()
                                  : pointwise(l.expand, l.inputs, l.hidden, l.expand_bias, l.after_expand),
              {l.depthwise, l.depthwise_bias, l.hidden, l.window, l.after_depthwise},
              pointwise(l.project, l.hidden, l.outputs, l.project_bias, l.after_project)) {}

private:
    [[nodiscard]] static dense_layer<Arch> pointwise(const float* w, index_t inputs, index_t outputs, const float* bias,
                                                     const activation& after) {
        return dense_layer<Arch>(simd::matrix<const float>{w, outputs, inputs, inputs}.transposed(), bias, after);
    }
};

}  // namespace edge::nn
