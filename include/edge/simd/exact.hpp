// SPDX-License-Identifier: MIT
#pragma once

/// @file Division and square root of float lanes, correctly rounded on every architecture, as IEEE 754 asks.
///
///     auto q = edge::simd::divide(x, scale);
///
/// xsimd's are Newton steps from an estimate on Arm, a few units off in the last place, and wrong for infinities and
/// subnormals. Source: xsimd 8.1 and 14, xsimd_neon.hpp, `div` and `sqrt`; both are single instructions of AArch64.

#include <edge/simd/widen.hpp>

namespace edge::simd {

template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> divide(const batch<T, Arch>& a, const batch<T, Arch>& b) noexcept {
#if defined(__aarch64__)
    if constexpr (std::is_same_v<T, float> && detail::is_neon64<Arch>) return vdivq_f32(a, b);
#endif
    return a / b;
}

template <class T, class Arch>
[[nodiscard]] EDGE_ALWAYS_INLINE batch<T, Arch> square_root(const batch<T, Arch>& a) noexcept {
#if defined(__aarch64__)
    if constexpr (std::is_same_v<T, float> && detail::is_neon64<Arch>) return vsqrtq_f32(a);
#endif
    return xsimd::sqrt(a);
}

}  // namespace edge::simd
