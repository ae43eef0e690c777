// SPDX-License-Identifier: MIT
#pragma once

/// @file ReLU, ReLU6 and clipping of a whole tensor. Where they follow a layer, give the layer its `limits` instead.
///
///     edge::nn::clip(x.flat(), y.flat(), edge::nn::relu6);    // y may be x
///
/// NaN stays NaN, as in NumPy.

#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/window.hpp>
#include <edge/simd/exact.hpp>

#include <cstdint>
#include <span>

namespace edge::nn {

/// What becomes of a layer's sums before they are stored.
enum class activation_kind : std::uint8_t {
    clamp,       ///< none, ReLU, ReLU6: into `limits`
    hard_swish,  ///< x · clamp(x / 6 + 1/2, 0, 1), as in ONNX
};

struct activation {
    activation_kind kind = activation_kind::clamp;
    clamp limits = {};

    friend bool operator==(const activation&, const activation&) = default;
};

namespace detail {

/// Of one register. The same bits, in a layer or on its own.
template <class Arch>
[[nodiscard]] inline simd::batch<float, Arch> activated(const activation& a,
                                                        const simd::batch<float, Arch>& v) noexcept {
    using batch = simd::batch<float, Arch>;
    if (a.kind == activation_kind::hard_swish)
        return v * clamped(simd::fma(v, batch(1.0f / 6.0f), batch(0.5f)), batch(0.0f), batch(1.0f));
    return clamped(v, batch(a.limits.low), batch(a.limits.high));
}

template <class Arch>
void clip_f32(const float* x, float* y, index_t n, const clamp& limits) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const batch low(limits.low);
    const batch high(limits.high);
    for (index_t i = 0; i < n; i += lanes) {
        const index_t count = n - i < lanes ? n - i : lanes;
        store_some<Arch>(y + i, clamped(load_some<Arch>(x + i, count), low, high), count);
    }
}

}  // namespace detail

/// @param y  as long as x; x itself or apart from it
/// @throws shape_error  if the lengths differ
inline void clip(std::span<const float> x, std::span<float> y, const clamp& limits) {
    if (x.size() != y.size()) throw shape_error(message("clip: ", x.size(), " inputs, ", y.size(), " outputs"));
    detail::clip_f32<detail::native>(x.data(), y.data(), static_cast<index_t>(x.size()), limits);
}

}  // namespace edge::nn
