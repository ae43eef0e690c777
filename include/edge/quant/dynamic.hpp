// SPDX-License-Identifier: MIT
#pragma once

/// @file Quantization by the range that a tensor has: the rule of ONNX DynamicQuantizeLinear.
///
///     const auto p = edge::quant::dynamic_parameters<Arch>(x, n);
///     edge::quant::detail::quantize<Arch>(x, q, n, p, edge::quant::limits_of<std::uint8_t>);

#include <edge/quant/quantize.hpp>

namespace edge::quant {

/// Parameters of uint8 for [least, most] of x and 0. NaN is passed over; the others must be finite.
///
/// scale = (most - least) / 255, zero_point = round(-least / scale), halves to even; a tensor of zeros has scale 1. The
/// bits do not depend on the architecture.
template <class Arch>
[[nodiscard]] parameters dynamic_parameters(const float* x, index_t n) noexcept {
    using batch = simd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    batch least(0.0f), most(0.0f);
    index_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const batch v = batch::load_unaligned(x + i);
        least = xsimd::select(v < least, v, least);
        most = xsimd::select(v > most, v, most);
    }
    alignas(alignment) float ends[2][batch::size];
    least.store_aligned(ends[0]);
    most.store_aligned(ends[1]);
    float low = 0, high = 0;
    for (std::size_t j = 0; j < batch::size; ++j) {
        low = ends[0][j] < low ? ends[0][j] : low;
        high = ends[1][j] > high ? ends[1][j] : high;
    }
    for (; i < n; ++i) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    if (low == high) return {1.0f, 0};
    const float scale = (high - low) / 255.0f;
    const float zero = std::nearbyint(0.0f - low / scale);
    return {scale, zero > 0.0f ? static_cast<std::int32_t>((std::min)(zero, 255.0f)) : 0};
}

}  // namespace edge::quant
