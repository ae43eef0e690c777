// SPDX-License-Identifier: MIT
#pragma once

/// @file The weights of a layer as int8, and its bias.

#include <edge/nn/ptq/layer.hpp>
#include <edge/nn/ptq/options.hpp>
#include <edge/quant/linear.hpp>
#include <edge/quant/observer.hpp>

namespace edge::nn::ptq {

/// int8 on [-127, 127], zero point 0.
struct quantized_weights {
    tensor<std::int8_t> values;
    std::vector<quant::parameters> parameters;  ///< one, or one a channel
    std::vector<float> bias;                    ///< one a channel; empty for none
    index_t channel_axis = 0;

    [[nodiscard]] float scale(std::size_t channel) const {
        return parameters[parameters.size() == 1 ? 0 : channel].scale;
    }
    [[nodiscard]] tensor<float> real() const {
        return parameters.size() == 1 ? quant::dequantize(values, parameters[0])
                                      : quant::dequantize(values, parameters, channel_axis);
    }
    /// The bias as the int32 that the file holds says it.
    [[nodiscard]] tensor<float> real_bias(float x_scale) const {
        tensor<float> b({static_cast<index_t>(bias.size())});
        for (std::size_t i = 0; i < bias.size(); ++i)
            b[static_cast<index_t>(i)] =
                static_cast<float>(quant::quantize_bias(bias[i], x_scale, scale(i))) * (x_scale * scale(i));
        return b;
    }
};

/// @throws argument_error  if a weight or bias is not finite; names the node
[[nodiscard]] inline quantized_weights quantize_weights(const graph& g, const node& n, granularity shared) {
    const layer found = *find_layer(g, n);
    const tensor<float>& w = g.find_initializer(n.inputs[1])->as<float>();
    quantized_weights q;
    q.channel_axis = found.channel_axis;
    try {
        if (shared == granularity::per_channel) {
            quant::channel_minmax_observer seen(found.channel_axis);
            seen.observe(w);
            q.parameters = seen.parameters_for(dtype::i8);
        } else {
            quant::minmax_observer seen;
            seen.observe(w.flat());
            q.parameters.push_back(seen.parameters_for(dtype::i8));
        }
        if (n.has_input(2)) {
            const auto b = g.find_initializer(n.inputs[2])->as<float>().flat();
            quant::minmax_observer().observe(b);
            q.bias.assign(b.begin(), b.end());
        }
    } catch (const argument_error& e) {
        throw argument_error(message("node ", n, ": weights or bias: ", e.what()));
    }
    return q;
}

/// Makes scales coarse enough for the bias to be an int32 of scale x_scale · w_scale: weights may be next to nothing.
inline void make_room_for_bias(quantized_weights& q, float x_scale) {
    for (std::size_t i = 0; i < q.bias.size(); ++i) {
        float& own = q.parameters[q.parameters.size() == 1 ? 0 : i].scale;
        own = (std::max)(own, std::abs(q.bias[i]) / (x_scale * 0x1p30f));
    }
}

/// Each weight becomes the nearest integer.
inline void round_weights(quantized_weights& q, const tensor<float>& w) {
    constexpr quant::limits range{-127, 127};
    q.values = q.parameters.size() == 1 ? quant::quantize<std::int8_t>(w, q.parameters[0], range)
                                        : quant::quantize<std::int8_t>(w, q.parameters, q.channel_axis, range);
}

}  // namespace edge::nn::ptq
