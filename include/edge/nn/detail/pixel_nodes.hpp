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
///
/// Of uint8 with one scale, by the rules of integer/byte_end.hpp, whose numbers are attributes:
/// - `edge.QConv` x, w (int8), bias (int32), multipliers (float, one a channel), residual. With a residual, the `sum_`
///   attributes say how it is added.
/// - `edge.QInvertedResidual` x, then w, bias and multipliers of each of the three layers, residual.
/// - `edge.QAdd` x, other. `edge.QAveragePool`, `edge.QGlobalAveragePool` x: `x_scale` and `y_scale` are attributes.
/// - `edge.QuantizePixels` x (float [n, c, h, w]), scale, zero point → [n, h, w, c].

#include <edge/nn/activation.hpp>
#include <edge/nn/graph.hpp>
#include <edge/nn/integer/byte_end.hpp>

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

/// Without the multipliers.
inline void set_byte_end(node& n, std::string_view layer, const integer::byte_end& end) {
    const std::string prefix(layer);
    n.attributes.insert_or_assign(prefix + "y_zero", std::int64_t{end.zero_point});
    n.attributes.insert_or_assign(prefix + "low", std::int64_t{end.range.low});
    n.attributes.insert_or_assign(prefix + "high", std::int64_t{end.range.high});
}

[[nodiscard]] inline integer::byte_end byte_end_of(const node& n, std::string_view layer = "") {
    const std::string prefix(layer);
    return {{},
            static_cast<std::int32_t>(n.integer(prefix + "y_zero", 0)),
            {static_cast<int>(n.integer(prefix + "low", 0)), static_cast<int>(n.integer(prefix + "high", 255))}};
}

inline void set_byte_sum(node& n, const integer::byte_sum& sum) {
    n.attributes.insert_or_assign("sum_x_scale", sum.x_scale);
    n.attributes.insert_or_assign("sum_other_scale", sum.other_scale);
    n.attributes.insert_or_assign("sum_x_zero", std::int64_t{sum.x_zero});
    n.attributes.insert_or_assign("sum_other_zero", std::int64_t{sum.other_zero});
    set_byte_end(n, "sum_", {{}, sum.zero_point, sum.range});
}

[[nodiscard]] inline integer::byte_sum byte_sum_of(const node& n) {
    const integer::byte_end end = byte_end_of(n, "sum_");
    return {.x_scale = n.real("sum_x_scale", 1),
            .other_scale = n.real("sum_other_scale", 1),
            .x_zero = static_cast<std::int32_t>(n.integer("sum_x_zero", 0)),
            .other_zero = static_cast<std::int32_t>(n.integer("sum_other_zero", 0)),
            .zero_point = end.zero_point,
            .range = end.range};
}

}  // namespace edge::nn::detail
