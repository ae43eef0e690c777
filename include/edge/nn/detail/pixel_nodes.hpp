// SPDX-License-Identifier: MIT
#pragma once

/// @file Nodes of the domain "edge" that passes make: their inputs and attributes.
///
/// Values are [n, h, w, c].
/// - `edge.Conv` x, w, bias, residual → act(conv(x, w) + bias + residual). Weights and attributes as of ONNX's Conv; the
///   activation as attributes. With `planar` 1, x is [n, c, h, w].
/// - `edge.InvertedResidual` x, w, bias of the expansion, w, bias of the depthwise layer, w, bias of the projection,
///   residual. Attributes of the window are those of the depthwise layer; without an expansion, its inputs are "".
/// - `edge.AveragePool`, `edge.MaxPool`, `edge.GlobalAveragePool`: as in ONNX.

#include <edge/nn/activation.hpp>
#include <edge/nn/graph.hpp>

namespace edge::nn::detail {

inline void set_activation(node& n, std::string_view layer, const activation& a) {
    const std::string prefix(layer);
    if (a.kind == activation_kind::hard_swish) n.attributes.insert_or_assign(prefix + "activation", "hard_swish");
    if (a.limits != clamp{}) {
        n.attributes.insert_or_assign(prefix + "low", a.limits.low);
        n.attributes.insert_or_assign(prefix + "high", a.limits.high);
    }
}

/// @param layer  "", or what stands in front of the names in a node of several layers
[[nodiscard]] inline activation activation_of(const node& n, std::string_view layer = "") {
    const std::string prefix(layer);
    activation a;
    if (n.text(prefix + "activation", "") == "hard_swish") a.kind = activation_kind::hard_swish;
    a.limits.low = n.real(prefix + "low", a.limits.low);
    a.limits.high = n.real(prefix + "high", a.limits.high);
    return a;
}

}  // namespace edge::nn::detail
