// SPDX-License-Identifier: MIT
#pragma once

/// @file The sum of two quantized tensors in registers: one rule for a layer's residual and for a layer that adds.

#include <edge/nn/integer/byte_end.hpp>
#include <edge/simd/exact.hpp>

namespace edge::nn::integer::detail {

/// The numbers of a `byte_sum`.
template <class Arch>
struct sum_lanes {
    using floats = simd::batch<float, Arch>;
    using integers = simd::batch<std::int32_t, Arch>;
    floats x_scale, other_scale, x_zero, other_zero, low, high;

    explicit sum_lanes(const byte_sum& s) noexcept
        : x_scale(s.x_scale),
          other_scale(s.other_scale),
          x_zero(static_cast<float>(s.x_zero)),
          other_zero(static_cast<float>(s.other_zero)),
          low(static_cast<float>(s.range.low - s.zero_point)),
          high(static_cast<float>(s.range.high - s.zero_point)) {}

    /// The sum, rounded and inside its limits, less its zero point.
    /// @param x      less `x_zero`
    /// @param other  less `other_zero`
    [[nodiscard]] EDGE_ALWAYS_INLINE integers operator()(const floats& x, const floats& other) const noexcept {
        const floats v = simd::detail::rounded(x * x_scale) + simd::detail::rounded(other * other_scale);
        // In this order, NaN, the difference of two infinities, becomes the lower limit.
        return simd::round_to_int<Arch>(simd::at_most(simd::at_least(low, v), high));
    }
};

}  // namespace edge::nn::integer::detail
