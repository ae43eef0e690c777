// SPDX-License-Identifier: MIT
#pragma once

/// @file Layers with weights as quantization sees them: Conv, Gemm and MatMul alike.

#include <edge/nn/graph.hpp>

#include <optional>

namespace edge::nn::ptq {

/// The weights of a layer whose every result has weights and, if any, a bias of its own.
struct layer {
    index_t channel_axis = 0;  ///< of the weights
    index_t channels = 0;      ///< results
};

[[nodiscard]] inline bool is_bias(const graph& g, const std::string& id, index_t channels) {
    const any_tensor* b = g.find_initializer(id);
    return b != nullptr && b->is<float>() && b->shape().rank() > 0 && b->size() == channels &&
           b->shape().back() == channels;
}

/// Whether a node is a layer that can be quantized: float weights that are constant, an input that is not.
[[nodiscard]] inline std::optional<layer> find_layer(const graph& g, const node& n) {
    if (!n.domain.empty() || n.inputs.size() < 2 || n.outputs.size() != 1) return {};
    const any_tensor* w = g.find_initializer(n.inputs[1]);
    if (g.find_initializer(n.inputs[0]) != nullptr || w == nullptr || !w->is<float>() || w->size() == 0) return {};
    layer found{};
    if (n.op_type == "Conv") {
        if (w->shape().rank() < 3) return {};
    } else if (n.op_type == "Gemm" || n.op_type == "MatMul") {
        if (w->shape().rank() != 2 || n.integer("transA", 0) != 0 || n.real("alpha", 1) != 1) return {};
        found.channel_axis = n.integer("transB", 0) != 0 ? 0 : 1;
    } else {
        return {};
    }
    found.channels = w->shape()[static_cast<std::size_t>(found.channel_axis)];
    if (n.has_input(2) && (n.real("beta", 1) != 1 || !is_bias(g, n.inputs[2], found.channels))) return {};
    return found;
}

/// Name of a node for people: its own, or that of its result.
[[nodiscard]] inline const std::string& name_of(const node& n) {
    return n.name.empty() && !n.outputs.empty() ? n.outputs.front() : n.name;
}

}  // namespace edge::nn::ptq
