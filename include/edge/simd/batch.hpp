// SPDX-License-Identifier: MIT
#pragma once

/// @file Batches: the lanes that kernels of every layer work on, and the architecture of the including file.
///
///     template <class Arch>
///     float first_of_sums(const float* x, const float* y) {
///         using batch = edge::simd::batch<float, Arch>;
///         return (batch::load_unaligned(x) + batch::load_unaligned(y)).get(0);
///     }
///
/// They are xsimd's; what its versions name or do differently is the same here for all of them.

#include <edge/simd/detail/xsimd_compat.hpp>
