// SPDX-License-Identifier: MIT
#pragma once

/// @file Bias correction: quantized weights shift the mean of what a layer gives; its bias takes that back.
///
///     // With data: means of a layer's outputs, before its activation, in the float and in the quantized model.
///     edge::quant::correct_bias(bias, float_outputs.mean(), quantized_outputs.mean());
///
///     // Without: from the mean and deviation of what stands before the activation that feeds the layer.
///     const auto x = edge::quant::clamped_means(mean, stddev, 0.0f, 6.0f);
///     edge::quant::correct_bias({w, bias}, w_quantized, x);
///
/// Source: Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction", section 4.2 and
/// appendix C. Where the values of a layer come from layers that are quantized too, correct them in order.

#include <edge/quant/channel_moments.hpp>
#include <edge/quant/layer_weights.hpp>

namespace edge::quant {

/// Empirical: adds to each bias what the mean of its output has lost.
/// @param bias       [channels]
/// @param wanted     [channels], means of the float layer's outputs: `channel_moments`
/// @param quantized  [channels], those of the quantized one's
/// @throws shape_error  if the lengths differ
inline void correct_bias(std::span<float> bias, std::span<const float> wanted, std::span<const float> quantized) {
    if (bias.size() != wanted.size() || bias.size() != quantized.size())
        throw shape_error(
            message("correct bias: ", bias.size(), " biases, ", wanted.size(), " and ", quantized.size(), " means"));
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] += wanted[c] - quantized[c];
}

/// The mean of clamp(x, low, high) where x is normal: low·Φ(a) + high·(1 - Φ(b)) + mean·(Φ(b) - Φ(a)) +
/// stddev·(φ(a) - φ(b)), with a = (low - mean) / stddev and b = (high - mean) / stddev. `high` may be infinite, as for a
/// ReLU. A stddev of 0 gives clamp(mean, low, high).
[[nodiscard]] inline float clamped_mean(float mean, float stddev, float low, float high) noexcept {
    const auto m = static_cast<double>(mean), s = static_cast<double>(stddev);
    const auto from = static_cast<double>(low), to = static_cast<double>(high);
    if (!(s > 0.0)) return static_cast<float>(m < from ? from : m > to ? to : m);
    const auto below = [](double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); };       // Φ
    const auto density = [](double z) { return std::exp(-0.5 * z * z) * 0.39894228040143267794; };  // φ
    const double a = (from - m) / s, b = (to - m) / s;
    const double at_low = std::isfinite(from) ? from * below(a) : 0.0;
    const double at_high = std::isfinite(to) ? to * below(-b) : 0.0;
    return static_cast<float>(at_low + at_high + m * (below(b) - below(a)) + s * (density(a) - density(b)));
}

/// The same for each channel.
/// @throws shape_error  if the lengths differ
[[nodiscard]] inline std::vector<float> clamped_means(std::span<const float> mean, std::span<const float> stddev,
                                                      float low, float high) {
    if (mean.size() != stddev.size())
        throw shape_error(message("clamped means: ", mean.size(), " means, ", stddev.size(), " standard deviations"));
    std::vector<float> all;
    for (std::size_t c = 0; c < mean.size(); ++c) all.push_back(clamped_mean(mean[c], stddev[c], low, high));
    return all;
}

/// How far the mean of each output moves when the layer's weights become `quantized`, for inputs of the means `x`:
/// Σ (quantized - weights)·x, over inputs and kernel positions. Padded borders count as if `x` stood there. O(weights).
/// @param quantized  as floats, contiguous, of the shape of the weights
/// @param x          [inputs]
/// @return  [outputs]
/// @throws shape_error  if they do not fit
[[nodiscard]] inline std::vector<float> output_shift(const const_layer_weights& layer,
                                                     tensor_view<const float> quantized, std::span<const float> x) {
    layer.check();
    if (quantized.shape() != layer.weights.shape() || static_cast<index_t>(x.size()) != layer.inputs())
        throw shape_error(message("output shift: quantized weights ", quantized.shape(), ", ", x.size(),
                                  " means for weights ", layer.weights.shape()));
    std::vector<double> sums(static_cast<std::size_t>(layer.outputs()));
    const float* q = quantized.flat().data();
    detail::for_each_weight(layer, [&](float w, index_t o, index_t i) {  // in the order of contiguous weights
        sums[static_cast<std::size_t>(o)] +=
            (static_cast<double>(*q++) - static_cast<double>(w)) * static_cast<double>(x[static_cast<std::size_t>(i)]);
    });
    return {sums.begin(), sums.end()};
}

/// Analytic: takes from each bias what the mean of its output gains.
/// @throws shape_error  if they do not fit, or there is no bias
inline void correct_bias(const layer_weights& layer, tensor_view<const float> quantized, std::span<const float> x) {
    const std::vector<float> shift = output_shift(layer, quantized, x);
    if (layer.bias.empty()) throw shape_error("correct bias: the layer has no bias; expected one, of zeros if need be");
    for (std::size_t o = 0; o < shift.size(); ++o) layer.bias[o] -= shift[o];
}

}  // namespace edge::quant
