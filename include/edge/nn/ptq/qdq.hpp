// SPDX-License-Identifier: MIT
#pragma once

/// @file Writes a quantized graph down with pairs of QuantizeLinear and DequantizeLinear.

#include <edge/nn/ptq/plan.hpp>
#include <edge/nn/ptq/weights.hpp>

namespace edge::nn::ptq {

/// Whether integers of these parameters do what a ReLU or Clip would: its bounds are the first and the last of them.
[[nodiscard]] inline bool is_implied(const bounds& b, const quant::parameters& p) {
    constexpr quant::limits all = quant::limits_of<std::uint8_t>;
    return quant::quantize_one<std::uint8_t>(b.low, p) == all.low &&
           quant::quantize_one<std::uint8_t>(b.high, p) == all.high;
}

class qdq_writer {
public:
    explicit qdq_writer(graph& g) : g_(g) {}

    /// Weights and bias of a layer: constants and their DequantizeLinear.
    void layer(std::size_t at, const quantized_weights& q, float x_scale) {
        const std::string wish = g_.nodes[at].inputs[1];
        const bool per_channel = q.parameters.size() != 1;
        const edge::shape each = per_channel ? edge::shape{static_cast<index_t>(q.parameters.size())} : edge::shape{};
        tensor<float> scales(each);
        for (std::size_t i = 0; i < q.parameters.size(); ++i) scales.data()[i] = q.parameters[i].scale;
        std::string weights = dequantize(wish, q.values, scales, tensor<std::int8_t>(each), q.channel_axis);
        std::string bias;
        if (!q.bias.empty()) {
            tensor<std::int32_t> b({static_cast<index_t>(q.bias.size())});
            for (std::size_t i = 0; i < q.bias.size(); ++i)
                b.data()[i] = quant::quantize_bias(q.bias[i], x_scale, q.scale(i));
            for (float& s : scales) s *= x_scale;
            const bool has_name = g_.nodes[at].has_input(2);
            bias =
                dequantize(has_name ? g_.nodes[at].inputs[2] : wish + "_bias", std::move(b), std::move(scales), {}, 0);
        }
        node& n = g_.nodes[at];  // the vector has grown
        n.inputs[1] = std::move(weights);
        if (!bias.empty()) {
            n.inputs.resize(3);
            n.inputs[2] = std::move(bias);
        }
    }

    /// A value: all who read it read what comes back from 8 bits.
    void value(const std::string& name, const quant::parameters& p) {
        std::string from = name;
        std::string to = name;
        if (g_.is_output(name) && g_.producer(name) != nullptr) {
            from = g_.fresh_name(name + "_real");
            for (node& n : g_.nodes) {
                std::replace(n.outputs.begin(), n.outputs.end(), name, from);
                std::replace(n.inputs.begin(), n.inputs.end(), name, from);
            }
        } else {
            to = g_.fresh_name(name + "_dequantized");
        }
        g_.replace_uses(from, to);
        const std::string scale = g_.constant(name + "_scale", tensor<float>(edge::shape{}, p.scale));
        const std::string zero = g_.constant(
            name + "_zero_point", tensor<std::uint8_t>(edge::shape{}, static_cast<std::uint8_t>(p.zero_point)));
        const std::string q = g_.fresh_name(name + "_quantized");
        g_.nodes.push_back({"QuantizeLinear", q, {from, scale, zero}, {q}});
        g_.nodes.push_back({"DequantizeLinear", to, {q, scale, zero}, {to}});
    }

private:
    /// DequantizeLinear of constants. Returns its output's name.
    std::string dequantize(const std::string& wish, any_tensor integers, any_tensor scale, any_tensor zero,
                           index_t axis) {
        const bool per_channel = scale.shape().rank() != 0;
        std::vector<std::string> inputs = {g_.constant(wish + "_quantized", std::move(integers)),
                                           g_.constant(wish + "_scale", std::move(scale))};
        if (zero.size() != 0) inputs.push_back(g_.constant(wish + "_zero_point", std::move(zero)));
        const std::string to = g_.fresh_name(wish + "_dequantized");
        g_.nodes.push_back({"DequantizeLinear", to, std::move(inputs), {to}});
        if (per_channel) g_.nodes.back().attributes.emplace("axis", axis);
        return to;
    }

    graph& g_;
};

}  // namespace edge::nn::ptq
