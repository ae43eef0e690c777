// SPDX-License-Identifier: MIT
#pragma once

/// @file Quantization that needs no data: of weights alone, and of linear layers whose input is quantized when it comes.
///
///     const auto fast = edge::nn::quantize_dynamic(model);     // MatMul and Gemm in integers
///     const auto small = edge::nn::quantize_weights(model);    // a quarter of the file; layers compute in float

#include <edge/nn/ptq/qdq.hpp>

namespace edge::nn {

namespace ptq {

inline void refuse_quantized(const graph& g) {
    if (g.opset < 13) throw unsupported_error(message("model of opset ", g.opset, "; expected 13 or newer"));
    for (const node& n : g.nodes)
        if (n.op_type == "DequantizeLinear" || n.op_type == "QuantizeLinear" || n.op_type.starts_with("QLinear") ||
            n.op_type.ends_with("Integer") || n.op_type == "DynamicQuantizeLinear")
            throw argument_error(message("node ", n, ": the model is quantized already"));
}

}  // namespace ptq

/// MatMul and Gemm with constant weights compute in integers: DynamicQuantizeLinear takes the range of each input as it
/// comes, MatMulInteger sums exactly, one Mul makes floats of the sums. Weights are int8 on [-127, 127]. Other layers stay
/// as they are.
/// @throws argument_error  if the model is quantized already, has no such layer, or a weight is not finite
[[nodiscard]] inline graph quantize_dynamic(graph g, granularity shared = granularity::per_channel) {
    ptq::refuse_quantized(g);
    std::map<std::string, std::string> quantized;  // inputs, and the first output of their DynamicQuantizeLinear
    std::vector<node> nodes;
    std::size_t layers = 0;
    for (const node& n : std::vector<node>(g.nodes)) {
        const auto found = n.op_type == "Conv" ? std::nullopt : ptq::find_layer(g, n);
        if (!found) {
            nodes.push_back(n);
            continue;
        }
        ++layers;
        ptq::quantized_weights q = ptq::quantize_weights(g, n, shared);
        ptq::round_weights(q, g.find_initializer(n.inputs[1])->as<float>());
        const bool turned = found->channel_axis == 0;
        const edge::shape each = q.parameters.size() == 1 ? edge::shape{} : edge::shape{found->channels};
        tensor<float> scales(each);
        for (std::size_t i = 0; i < q.parameters.size(); ++i) scales.data()[i] = q.parameters[i].scale;
        const std::string weights = g.constant(
            n.inputs[1] + "_quantized", turned ? any_tensor(copy(q.values.view().transpose())) : any_tensor(q.values));
        const std::string scale = g.constant(n.inputs[1] + "_scale", std::move(scales));
        const std::string zero = g.constant(n.inputs[1] + "_zero_point", tensor<std::int8_t>(each));

        const std::string& x = n.inputs[0];
        const auto [at, is_new] = quantized.try_emplace(x, x + "_quantized");
        const std::string& bytes = at->second;
        if (is_new)
            nodes.push_back({"DynamicQuantizeLinear", bytes, {x}, {bytes, bytes + "_scale", bytes + "_zero_point"}});
        const std::string& y = n.outputs[0];
        const std::string real = n.has_input(2) ? y + "_product" : y;
        nodes.push_back(
            {"MatMulInteger", ptq::name_of(n), {bytes, weights, bytes + "_zero_point", zero}, {y + "_sums"}});
        nodes.push_back({"Cast", y + "_cast", {y + "_sums"}, {y + "_cast"}, {{"to", 1}}});
        nodes.push_back({"Mul", y + "_scales", {bytes + "_scale", scale}, {y + "_scales"}});
        nodes.push_back({"Mul", real, {y + "_cast", y + "_scales"}, {real}});
        if (n.has_input(2)) nodes.push_back({"Add", y, {real, n.inputs[2]}, {y}});
    }
    if (layers == 0) throw argument_error("the model has no Gemm or MatMul with constant weights");
    g.nodes = std::move(nodes);
    g.sort();
    g.remove_unused();
    return g;
}

/// Weights of Conv, Gemm and MatMul are kept as int8 on [-127, 127] with their scales, and made floats when the model is
/// loaded: a quarter of the file, at the speed of floats.
/// @throws argument_error  if the model is quantized already, has no such layer, or a weight is not finite
[[nodiscard]] inline graph quantize_weights(graph g, granularity shared = granularity::per_channel) {
    ptq::refuse_quantized(g);
    std::size_t layers = 0;
    for (std::size_t i = 0, count = g.nodes.size(); i < count; ++i) {
        if (!ptq::find_layer(g, g.nodes[i])) continue;
        ++layers;
        ptq::quantized_weights q = ptq::quantize_weights(g, g.nodes[i], shared);
        ptq::round_weights(q, g.find_initializer(g.nodes[i].inputs[1])->as<float>());
        q.bias.clear();  // stays float
        ptq::qdq_writer(g).layer(i, q, {});
    }
    if (layers == 0) throw argument_error("the model has no Conv, Gemm or MatMul with constant weights");
    g.sort();
    g.remove_unused();
    return g;
}

}  // namespace edge::nn
