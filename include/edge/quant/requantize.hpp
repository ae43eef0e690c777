// SPDX-License-Identifier: MIT
#pragma once

/// @file Exact int32 sums back to 8 bits: q = saturate(round(float(sum) · multiplier) + zero_point).
///
///     edge::quant::requantizer r{multiplier.data(), y.zero_point};      // multiplier[c] = s_x · s_w[c] / s_y
///     edge::quant::detail::requantize<Arch>(sums, q, channels, r);
///
/// One conversion, one float multiply, one rounding (half to even): the rule of ONNX Runtime's reference, and the same
/// bits on every architecture. ReLU is `range.low = zero_point`, ReLU6 the matching `range.high`.

#include <edge/quant/quantize.hpp>

#include <vector>

namespace edge::quant {

/// How the sums of a layer become its results.
struct requantizer {
    const float* multiplier = nullptr;  ///< [channels]
    std::int32_t zero_point = 0;        ///< of the result
    limits range = {};                  ///< of the result, inside its type's
};

template <byte_integer Q>
[[nodiscard]] inline Q requantize_one(std::int32_t sum, float multiplier, std::int32_t zero_point,
                                      const limits& range) noexcept {
    // As quantize_one: the clamp also keeps the compiler from fusing the multiply with what follows.
    const auto low = static_cast<float>(range.low - zero_point);
    const auto high = static_cast<float>(range.high - zero_point);
    const float v = static_cast<float>(sum) * multiplier;
    const float raised = v > low ? v : low;
    const float held = raised < high ? raised : high;
    return static_cast<Q>(static_cast<std::int32_t>(std::nearbyint(held)) + zero_point);
}

/// s_x · s_w / s_y for each channel, computed in float and in that order, as ONNX Runtime does.
/// @throws argument_error  if a scale is not valid or a product leaves the range of float
[[nodiscard]] inline std::vector<float> multipliers(float x_scale, std::span<const float> w_scales, float y_scale) {
    std::vector<float> all;
    all.reserve(w_scales.size());
    for (const float w : w_scales) {
        const float m = x_scale * w / y_scale;
        if (!(x_scale > 0.0f && w > 0.0f && y_scale > 0.0f) || !(m > 0.0f) || !std::isfinite(m))
            throw argument_error(message("scales ", x_scale, " (input), ", w, " (weights), ", y_scale,
                                         " (output); expected positive numbers whose ratio is a float"));
        all.push_back(m);
    }
    return all;
}

namespace detail {

/// Results [0, n) of one row of channels.
template <class Arch, byte_integer Q>
void requantize(const std::int32_t* sums, Q* q, index_t n, const requantizer& r, index_t first_channel = 0) noexcept {
    using batch = xsimd::batch<float, Arch>;
    using integers = xsimd::batch<std::int32_t, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const batch low(static_cast<float>(r.range.low - r.zero_point));
    const batch high(static_cast<float>(r.range.high - r.zero_point));
    const integers zero(r.zero_point);
    const float* multiplier = r.multiplier + first_channel;
    index_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const batch v = xsimd::to_float(integers::load_unaligned(sums + i)) * batch::load_unaligned(multiplier + i);
        const batch raised = xsimd::select(v > low, v, low);
        const batch held = xsimd::select(raised < high, raised, high);
        simd::store_saturated<Arch>(simd::round_to_int<Arch>(held) + zero, q + i);
    }
    for (; i < n; ++i) q[i] = requantize_one<Q>(sums[i], multiplier[i], r.zero_point, r.range);
}

}  // namespace detail
}  // namespace edge::quant
