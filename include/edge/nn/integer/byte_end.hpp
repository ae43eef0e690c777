// SPDX-License-Identifier: MIT
#pragma once

/// @file How the exact sums of an integer layer become bytes: the quantized counterpart of bias, activation and residual.
///
///     y = clamp(round(float(sum) · multiplier[c]) + zero_point)             multiplier[c] = x_scale · w_scale[c] / y_scale
///
/// Rounding is half to even. An activation is part of the limits: ReLU6 of scale 6/255 is [zero_point, 255]. Nothing here
/// depends on the machine, so the bits of a layer do not.

#include <edge/core/shape.hpp>
#include <edge/quant/parameters.hpp>

#include <vector>

namespace edge::nn::integer {

/// Rule of a layer, one multiplier a channel.
struct byte_end {
    std::vector<float> multipliers;
    std::int32_t zero_point = 0;
    quant::limits range = {0, 255};
};

/// @throws argument_error  if there is not one positive finite multiplier for each channel, or a limit or the zero point is
///                         not a byte
inline void check(const byte_end& end, index_t channels) {
    if (static_cast<index_t>(end.multipliers.size()) != channels)
        throw argument_error(message(end.multipliers.size(), " multipliers for ", channels, " channels"));
    for (const float m : end.multipliers)
        if (!(m > 0.0f) || !std::isfinite(m))
            throw argument_error(message("multiplier ", m, " of a layer; expected a positive finite number"));
    const auto [low, high] = end.range;
    if (low < 0 || low > high || high > 255 || end.zero_point < 0 || end.zero_point > 255)
        throw argument_error(message("bytes from ", low, " to ", high, " with zero point ", end.zero_point,
                                     "; expected numbers from 0 to 255"));
}

/// Sum of two quantized tensors, x and other, each with a scale of its own:
///
///     z = clamp(round(float(x - x_zero) · x_scale + float(other - other_zero) · other_scale) + zero_point)
///
/// Scales are those of the operands over that of the result. Both products are rounded to float, then their sum: never
/// fused, so that the bits are the same on every machine.
struct byte_sum {
    float x_scale = 1.0f;
    float other_scale = 1.0f;
    std::int32_t x_zero = 0;
    std::int32_t other_zero = 0;
    std::int32_t zero_point = 0;
    quant::limits range = {0, 255};
};

}  // namespace edge::nn::integer
