// SPDX-License-Identifier: MIT
#pragma once

/// @file Inverted residual of bytes: the layers of nn/inverted_residual.hpp, quantized, in one pass.
///
///     edge::nn::integer::inverted_residual block({.inputs = 16, .hidden = 96, .outputs = 24, .window = win, …});   // once
///     block.run(x, nullptr, y, batch, in_h, in_w, scratch, threads);                                     // often
///
/// Strips of rows, or where images are small whole layers: nn/detail/inverted_block.hpp. The bits are those of the layers, one
/// after the other.

#include <edge/nn/detail/inverted_block.hpp>
#include <edge/nn/integer/dense.hpp>
#include <edge/nn/integer/depthwise.hpp>

#include <optional>

namespace edge::nn::integer {

/// The layers of a block, weights as ONNX has them, biases in the scale of sums. Biases may be null.
struct inverted_residual_layers {
    index_t inputs = 0;
    index_t hidden = 0;
    index_t outputs = 0;
    nn::window window = {};                     ///< of the depthwise layer
    const std::int8_t* expand = nullptr;        ///< [hidden, inputs, 1, 1]; null where the depthwise layer comes first
    const std::int32_t* expand_bias = nullptr;  ///< [hidden]
    const std::int8_t* depthwise = nullptr;     ///< [hidden, 1, kernel_h, kernel_w]
    const std::int32_t* depthwise_bias = nullptr;  ///< [hidden]
    const std::int8_t* project = nullptr;          ///< [outputs, hidden, 1, 1]
    const std::int32_t* project_bias = nullptr;    ///< [outputs]
    std::int32_t x_zero = 0;                       ///< zero point of the input
    byte_end after_expand = {};                    ///< not read where nothing expands
    byte_end after_depthwise = {};
    byte_end after_project = {};
    std::optional<byte_sum> sum = {};  ///< how a residual is added
};

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels. A
/// residual is taken with the `byte_sum` of the layers alone.
template <class Arch = nn::detail::native>
class inverted_residual : public nn::detail::inverted_block<std::uint8_t, dense_layer<Arch>, depthwise_layer<Arch>> {
public:
    /// @throws argument_error  if the channels or ends do not fit each other, or as `check` of the window
    explicit inverted_residual(const inverted_residual_layers& l)
        : nn::detail::inverted_block<std::uint8_t, dense_layer<Arch>, depthwise_layer<Arch>>(
              l.inputs,
              l.expand == nullptr
                  ? std::optional<dense_layer<Arch>>()
                  : dense_layer<Arch>(pointwise(l.expand, l.inputs, l.hidden), l.expand_bias, l.x_zero, l.after_expand),
              {l.depthwise, l.depthwise_bias, l.hidden, l.window,
               l.expand == nullptr ? l.x_zero : l.after_expand.zero_point, l.after_depthwise},
              {pointwise(l.project, l.hidden, l.outputs), l.project_bias, l.after_depthwise.zero_point, l.after_project,
               l.sum}) {}

private:
    [[nodiscard]] static simd::matrix<const std::int8_t> pointwise(const std::int8_t* w, index_t inputs,
                                                                   index_t outputs) noexcept {
        return simd::matrix<const std::int8_t>{w, outputs, inputs, inputs}.transposed();
    }
};

}  // namespace edge::nn::integer
