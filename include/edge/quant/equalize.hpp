// SPDX-License-Identifier: MIT
#pragma once

/// @file Equalization across layers: channels of one scale before quantizing, so that one scale a tensor is enough.
///
///     edge::quant::layer_weights block[] = {{w1, b1}, {w2, b2, channels}, {w3, b3}};   // expand, depthwise, project
///     const auto scales = edge::quant::equalize(block);
///     const auto limit = edge::quant::scaled_limit(6.0f, scales[0]);                   // of the ReLU6 between 0 and 1
///
/// Between two layers only what keeps positive factors may stand: nothing, ReLU, a leaky ReLU. A clamp at a limit t, as
/// ReLU6's, becomes one at t / s[c] for channel c. Whether the model gets limits per channel, a ReLU instead (the answers
/// change where values were clamped), or no equalization there is for the caller to decide; nothing here does it.
///
/// Source: Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction", sections 4.1
/// and appendix A.

#include <edge/quant/layer_weights.hpp>

#include <algorithm>

namespace edge::quant {

/// The greatest magnitude of the weights of each output. O(weights).
[[nodiscard]] inline std::vector<float> output_ranges(const const_layer_weights& layer) {
    layer.check();
    std::vector<float> all(static_cast<std::size_t>(layer.outputs()));
    detail::for_each_weight(layer, [&](float w, index_t o, index_t) {
        float& r = all[static_cast<std::size_t>(o)];
        r = (std::max)(r, std::abs(w));
    });
    return all;
}

/// The greatest magnitude of the weights that read each input. O(weights).
[[nodiscard]] inline std::vector<float> input_ranges(const const_layer_weights& layer) {
    layer.check();
    std::vector<float> all(static_cast<std::size_t>(layer.inputs()));
    detail::for_each_weight(layer, [&](float w, index_t, index_t i) {
        float& r = all[static_cast<std::size_t>(i)];
        r = (std::max)(r, std::abs(w));
    });
    return all;
}

/// Divides each output's weights and bias by its factor: what `layer` gives shrinks by them. O(weights).
/// @throws shape_error  if there is not one for each output
inline void divide_outputs(const layer_weights& layer, std::span<const float> factors) {
    layer.check();
    if (static_cast<index_t>(factors.size()) != layer.outputs())
        throw shape_error(message(factors.size(), " factors for weights ", layer.weights.shape()));
    detail::for_each_weight(layer, [&](float& w, index_t o, index_t) { w /= factors[static_cast<std::size_t>(o)]; });
    for (std::size_t o = 0; o < layer.bias.size(); ++o) layer.bias[o] /= factors[o];
}

/// Multiplies the weights that read each input by its factor. O(weights).
/// @throws shape_error  if there is not one for each input
inline void multiply_inputs(const layer_weights& layer, std::span<const float> factors) {
    layer.check();
    if (static_cast<index_t>(factors.size()) != layer.inputs())
        throw shape_error(message(factors.size(), " factors for the inputs of weights ", layer.weights.shape()));
    detail::for_each_weight(layer, [&](float& w, index_t, index_t i) { w *= factors[static_cast<std::size_t>(i)]; });
}

/// Scales the channels between two layers so that what `first` gives and what `second` reads have the same range:
/// s[c] = √(r1[c]·r2[c]) / r2[c], first's outputs divided by it, second's inputs multiplied. Exact but for rounding, as
/// what stands between them keeps positive factors. A channel with no weights on one side keeps 1. O(weights).
/// @return  s, [channels]
/// @throws shape_error     if second does not read as many channels as first gives
/// @throws argument_error  if a weight is not finite
inline std::vector<float> equalize(const layer_weights& first, const layer_weights& second) {
    const std::vector<float> given = output_ranges(first), read = input_ranges(second);
    if (given.size() != read.size())
        throw shape_error(message("equalize: ", given.size(), " outputs of weights ", first.weights.shape(), " for ",
                                  read.size(), " inputs of weights ", second.weights.shape()));
    std::vector<float> scales(given.size(), 1.0f);
    for (std::size_t c = 0; c < scales.size(); ++c) {
        if (!std::isfinite(given[c]) || !std::isfinite(read[c]))
            throw argument_error(message("equalize: a weight of channel ", c, " is not finite"));
        if (!(given[c] > 0.0f && read[c] > 0.0f)) continue;
        // √(r1·r2) / r2 = √(r1 / r2), which does not leave the range of double.
        const auto s = static_cast<float>(std::sqrt(static_cast<double>(given[c]) / static_cast<double>(read[c])));
        if (s > 0.0f && std::isfinite(s) && std::isfinite(1.0f / s)) scales[c] = s;
    }
    divide_outputs(first, scales);
    multiply_inputs(second, scales);
    return scales;
}

struct equalize_options {
    int rounds = 20;       ///< at most; for expand, depthwise and project each one quarters what is left
    float change = 1e-3f;  ///< ends when no scale of a round differs from 1 by more
};

/// The same along a chain of layers, each reading what the one before gives: pair by pair, again until nothing changes.
/// @return  for each pair the product of its scales, [layers - 1][channels]
/// @throws shape_error     if neighbours do not fit
/// @throws argument_error  if a weight is not finite
inline std::vector<std::vector<float>> equalize(std::span<const layer_weights> chain,
                                                const equalize_options& options = {}) {
    std::vector<std::vector<float>> all(chain.empty() ? 0 : chain.size() - 1);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].assign(static_cast<std::size_t>(chain[i].outputs()), 1.0f);
    for (int round = 0; round < options.rounds; ++round) {
        float change = 0.0f;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::vector<float> scales = equalize(chain[i], chain[i + 1]);
            for (std::size_t c = 0; c < scales.size(); ++c) {
                all[i][c] *= scales[c];
                change = (std::max)(change, std::abs(scales[c] - 1.0f));
            }
        }
        if (!(change > options.change)) break;
    }
    return all;
}

/// The limits of a clamp behind a layer whose outputs were divided by `scales`: limit / s[c].
[[nodiscard]] inline std::vector<float> scaled_limit(float limit, std::span<const float> scales) {
    std::vector<float> all;
    for (const float s : scales) all.push_back(limit / s);
    return all;
}

/// How much of a channel's bias can move past a ReLU: max(0, mean - 3·stddev) of the values before it, which next to none
/// fall below. With a least value that was observed instead: `least` as mean, 0 as stddev.
/// @throws shape_error  if the lengths differ
[[nodiscard]] inline std::vector<float> absorbable_bias(std::span<const float> mean, std::span<const float> stddev) {
    if (mean.size() != stddev.size())
        throw shape_error(message("absorbable bias: ", mean.size(), " means, ", stddev.size(), " standard deviations"));
    std::vector<float> all;
    for (std::size_t c = 0; c < mean.size(); ++c) all.push_back((std::max)(0.0f, mean[c] - 3.0f * stddev[c]));
    return all;
}

/// Takes `amounts` from the bias of `first` and adds what they come to, weighed, to that of `second`: the range between
/// them shrinks. Exact where the values between them are at least the amounts, nothing or a ReLU stands there (a limit
/// t becomes t - amount), and `second` does not pad: at a padded border zeros stand where the amounts would be.
/// Section 4.1.3 of the source. O(weights).
/// @param amounts  [channels], 0 or more
/// @throws shape_error  if the layers or amounts do not fit, or a layer has no bias
inline void absorb_bias(const layer_weights& first, const layer_weights& second, std::span<const float> amounts) {
    first.check();
    second.check();
    if (first.bias.empty() || second.bias.empty())
        throw shape_error("absorb bias: a layer has no bias; expected one, of zeros if need be");
    if (first.outputs() != second.inputs() || static_cast<index_t>(amounts.size()) != first.outputs())
        throw shape_error(message("absorb bias: ", amounts.size(), " amounts, ", first.outputs(), " outputs for ",
                                  second.inputs(), " inputs"));
    std::vector<double> moved(static_cast<std::size_t>(second.outputs()));
    detail::for_each_weight(second, [&](float w, index_t o, index_t i) {
        moved[static_cast<std::size_t>(o)] +=
            static_cast<double>(w) * static_cast<double>(amounts[static_cast<std::size_t>(i)]);
    });
    for (std::size_t c = 0; c < amounts.size(); ++c) first.bias[c] -= amounts[c];
    for (std::size_t o = 0; o < moved.size(); ++o)
        second.bias[o] = static_cast<float>(static_cast<double>(second.bias[o]) + moved[o]);
}

}  // namespace edge::quant
