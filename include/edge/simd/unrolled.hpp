// SPDX-License-Identifier: MIT
#pragma once

/// @file Loops over registers, written out.
///
///     batch sums[8];
///     edge::simd::unrolled<8>([&](auto k) { sums[k] = sums[k] + load(k); });

#include <edge/simd/detail/xsimd_compat.hpp>

#include <utility>

namespace edge::simd {

namespace detail {

template <class F, int... I>
EDGE_ALWAYS_INLINE void call_each(F& f, std::integer_sequence<int, I...>) {
    (f(std::integral_constant<int, I>{}), ...);
}

}  // namespace detail

/// Calls `f` with 0, 1 … N-1 as compile-time constants, so that arrays of registers indexed by them stay in registers.
template <int N, class F>
EDGE_ALWAYS_INLINE void unrolled(F&& f) {
    detail::call_each(f, std::make_integer_sequence<int, N>{});
}

namespace detail {
using simd::unrolled;
}

}  // namespace edge::simd
