// SPDX-License-Identifier: MIT
#pragma once

/// @file Writes a quantized graph down with pairs of QuantizeLinear and DequantizeLinear.

#include <edge/nn/ptq/plan.hpp>
#include <edge/nn/ptq/weights.hpp>

namespace edge::nn::ptq {

/// Whether integers of these parameters do what a ReLU or Clip would: its bounds are the first and the last of them.
[[nodiscard]] inline bool is_implied(const clamp& b, const quant::parameters& p) {
    constexpr quant::limits all = quant::limits_of<std::uint8_t>;
    return quant::quantize_one<std::uint8_t>(b.low, p) == all.low &&
           quant::quantize_one<std::uint8_t>(b.high, p) == all.high;
}

class qdq_writer {
public:
    explicit qdq_writer(graph& g) : g_(g) {}

    /// Weights and bias of a layer: constants and their DequantizeLinear.
    /// @param x  parameters of what the layer reads
    void layer(std::size_t at, const quantized_weights& q, const quant::parameters& x) {
        const std::string x_name = g_.nodes[at].inputs[0];
        const std::string wish = g_.nodes[at].inputs[1];
        const auto channels = static_cast<index_t>(q.parameters.size());
        const edge::shape each = channels != 1 ? edge::shape{channels} : edge::shape{};
        tensor<float> scales(each);
        for (index_t i = 0; i < channels; ++i) scales.data()[i] = q.parameters[static_cast<std::size_t>(i)].scale;
        std::string& zero = zeros_[channels];
        if (zero.empty()) zero = g_.constant("zero_point", tensor<std::int8_t>(each));
        const std::string scale = g_.constant(wish + "_scale", scales);
        std::string weights = dequantize(wish, q.values, scale, zero, each, q.channel_axis);
        std::string bias;
        if (!q.bias.empty()) {
            tensor<std::int32_t> b({static_cast<index_t>(q.bias.size())});
            for (std::size_t i = 0; i < q.bias.size(); ++i)
                b.data()[i] = quant::quantize_bias(q.bias[i], x.scale, q.scale(i));
            // Scales of many channels are not written down twice.
            std::string product;
            if (channels == 1) {
                product = g_.constant(wish + "_bias_scale", tensor<float>(each, scales.data()[0] * x.scale));
            } else {
                product = g_.fresh_name(wish + "_bias_scale");
                g_.nodes.push_back({"Mul", "", {scale, constants_of(x_name, x).scale}, {product}});
            }
            const bool has_name = g_.nodes[at].has_input(2);
            bias = dequantize(has_name ? g_.nodes[at].inputs[2] : wish + "_bias", std::move(b), product, "", each, 0);
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
        const auto [scale, zero] = constants_of(name, p);
        const std::string q = g_.fresh_name(name + "_quantized");
        g_.nodes.push_back({"QuantizeLinear", q, {from, scale, zero}, {q}});
        g_.nodes.push_back({"DequantizeLinear", to, {q, scale, zero}, {to}});
    }

private:
    struct constants {
        std::string scale, zero;
    };

    /// Names of a value's scale and zero point.
    const constants& constants_of(const std::string& value, const quant::parameters& p) {
        constants& of = values_[value];
        if (of.scale.empty()) {
            of.scale = g_.constant(value + "_scale", tensor<float>(edge::shape{}, p.scale));
            of.zero = g_.constant(value + "_zero_point",
                                  tensor<std::uint8_t>(edge::shape{}, static_cast<std::uint8_t>(p.zero_point)));
        }
        return of;
    }

    /// DequantizeLinear of a constant. Returns its output's name.
    std::string dequantize(const std::string& wish, any_tensor integers, const std::string& scale,
                           const std::string& zero, const edge::shape& scales, index_t axis) {
        std::vector<std::string> inputs = {g_.constant(wish + "_quantized", std::move(integers)), scale};
        if (!zero.empty()) inputs.push_back(zero);
        const std::string to = g_.fresh_name(wish + "_dequantized");
        g_.nodes.push_back({"DequantizeLinear", to, std::move(inputs), {to}});
        if (scales.rank() != 0) g_.nodes.back().attributes.emplace("axis", axis);
        return to;
    }

    graph& g_;
    std::map<std::string, constants, std::less<>> values_;
    std::map<index_t, std::string> zeros_;  // of weights, by the number of scales
};

}  // namespace edge::nn::ptq
