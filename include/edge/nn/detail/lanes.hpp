// SPDX-License-Identifier: MIT
#pragma once

/// @file What the float kernels share: clamps that keep NaN, loads and stores of part of a vector, unrolled loops.

#include <edge/core/shape.hpp>
#include <edge/simd/exact.hpp>
#include <edge/simd/unrolled.hpp>

#include <xsimd/xsimd.hpp>

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace edge::nn::detail {

/// The architecture that the including file is compiled for.
using native = xsimd::default_arch;

using simd::unrolled;

/// `count` floats, 1 to a whole vector; lanes past them hold `fill`.
template <class Arch>
inline xsimd::batch<float, Arch> load_some(const float* p, index_t count, float fill = 0.0f) noexcept {
    using batch = xsimd::batch<float, Arch>;
    if (count == static_cast<index_t>(batch::size)) return batch::load_unaligned(p);
    alignas(64) float lanes[batch::size];
    for (float& lane : lanes) lane = fill;
    std::memcpy(lanes, p, static_cast<std::size_t>(count) * sizeof(float));
    return batch::load_aligned(lanes);
}

template <class Arch>
inline void store_some(float* p, const xsimd::batch<float, Arch>& v, index_t count) noexcept {
    using batch = xsimd::batch<float, Arch>;
    if (count == static_cast<index_t>(batch::size)) return v.store_unaligned(p);
    alignas(64) float lanes[batch::size];
    v.store_aligned(lanes);
    std::memcpy(p, lanes, static_cast<std::size_t>(count) * sizeof(float));
}

/// NaN stays NaN. (xsimd's own min and max differ on it between versions.)
template <class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE simd::batch<float, Arch> clamped(const simd::batch<float, Arch>& v,
                                                                  const simd::batch<float, Arch>& low,
                                                                  const simd::batch<float, Arch>& high) noexcept {
    return simd::at_most(simd::at_least(v, low), high);
}

}  // namespace edge::nn::detail
