// SPDX-License-Identifier: MIT
#pragma once

/// @file Loops over registers, written out.
///
///     batch sums[8];
///     edge::simd::unrolled<8>([&](auto k) { sums[k] = sums[k] + load(k); });

#include <edge/simd/detail/xsimd_compat.hpp>

#include <utility>

namespace edge::simd {

/// Calls `f` with 0, 1 … N-1 as compile-time constants, so that arrays of registers indexed by them stay in registers.
template <int N, class F>
EDGE_ALWAYS_INLINE void unrolled(F&& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) { (f(std::integral_constant<int, I>{}), ...); }
    (std::make_integer_sequence<int, N>{});
}

namespace detail {
using simd::unrolled;
}

}  // namespace edge::simd
