// SPDX-License-Identifier: MIT
#pragma once

/// @file Arithmetic on arrays: expressions that run as one loop, reductions, and the 8-bit kernels other layers build on.
///
///     edge::tensor<float> d = edge::eval(a * b + 2.0f * c - edge::sqrt(edge::abs(a)));   // one pass, no temporaries
///     edge::assign(out, edge::where(a > 0.0f, a, 0.0f));                                 // into your memory
///     float total = edge::sum(a * b);                                                    // nothing is stored
///     edge::tensor<float> means = edge::mean(d, 0, {.keepdims = true});
///
/// Everything runs on xsimd's registers of the architecture that the including file is compiled for: `-march=x86-64-v3`
/// is worth a factor on any x86 processor since 2013. Kernels are templates whose first parameter is that architecture.
/// Large arrays are shared among threads where the program has them (`edge/core/parallel.hpp`); the bits do not depend
/// on how many.

#include <edge/simd/argminmax.hpp>
#include <edge/simd/bits.hpp>
#include <edge/simd/cumulative.hpp>
#include <edge/simd/cast.hpp>
#include <edge/simd/dot.hpp>
#include <edge/simd/einsum.hpp>
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>
#include <edge/simd/exact.hpp>
#include <edge/simd/expression.hpp>
#include <edge/simd/gemm.hpp>
#include <edge/simd/lift.hpp>
#include <edge/simd/math.hpp>
#include <edge/simd/matmul.hpp>
#include <edge/simd/moments.hpp>
#include <edge/simd/packed_gemm.hpp>
#include <edge/simd/prefetch.hpp>
#include <edge/simd/reduce.hpp>
#include <edge/simd/stream.hpp>
#include <edge/simd/widen.hpp>
