// SPDX-License-Identifier: MIT
#pragma once

/// @file What benches of layers share: their numbers, their windows, and where results go.

#include <edge/core/tensor.hpp>
#include <edge/nn/window.hpp>
#include <edge/perf.hpp>

#include <cstdio>

namespace layer_bench {

using edge::index_t;

/// Whole numbers that look random: from -125 to 125, wrapping where `T` holds less.
template <class T = float>
edge::tensor<T> numbers(index_t count) {
    edge::tensor<T> t({count});
    for (index_t i = 0; i < count; ++i) t[i] = static_cast<T>(i * 7919 % 251 - 125);
    return t;
}

/// Of a square kernel, with as much padding on each side as keeps the size at a stride of 1.
inline edge::nn::window same(index_t kernel, index_t stride) {
    const index_t pad = kernel / 2;
    return {.kernel_h = kernel,
            .kernel_w = kernel,
            .stride_h = stride,
            .stride_w = stride,
            .pad_top = pad,
            .pad_left = pad,
            .pad_bottom = pad,
            .pad_right = pad};
}

/// The table for people, the lines for programs.
inline void print(const edge::perf::comparison& result) {
    std::fputs(result.table().c_str(), stderr);
    std::fputs(result.json_lines().c_str(), stdout);
}

}  // namespace layer_bench
