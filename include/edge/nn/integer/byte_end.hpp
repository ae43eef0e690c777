// SPDX-License-Identifier: MIT
#pragma once

/// @file How the exact sums of an integer layer become bytes: the quantized counterpart of bias, activation and residual.
///
///     y = clamp(round(float(sum) · multiplier[c]) + zero_point)             multiplier[c] = x_scale · w_scale[c] / y_scale
///
/// Rounding is half to even. An activation is part of the limits: ReLU6 of scale 6/255 is [zero_point, 255]. Nothing here
/// depends on the machine, so the bits of a layer do not.

#include <edge/quant/parameters.hpp>

#include <vector>

namespace edge::nn::integer {

/// Rule of a layer, one multiplier a channel.
struct byte_end {
    std::vector<float> multipliers;
    std::int32_t zero_point = 0;
    quant::limits range = {0, 255};
};

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
