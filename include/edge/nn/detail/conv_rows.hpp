// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows of a product for a general convolution: for each pixel of the result, what its window sees, side by side.
///
/// They are made for a few dozen pixels at a time, which all panels of the weights then read from a near cache. Copying
/// costs about one part in the number of output channels; places outside the image are zeros, which the chain of sums
/// takes like any other.

#include <edge/nn/window.hpp>

#include <algorithm>

namespace edge::nn::detail {

/// Floats from one row to the next: whole cache lines, but not whole pages, of which few fit the first cache.
[[nodiscard]] constexpr index_t gathered_row(index_t k) noexcept {
    const index_t whole = (k + 15) / 16 * 16;
    return whole % 256 == 0 ? whole + 16 : whole;
}

/// [first, first + count) of the pixels [n, out_h, out_w] of a convolution without groups.
///
/// @param x   [n, in_h, in_w, in_c]
/// @param to  [count, kernel_h, kernel_w, in_c], rows `gathered_row` apart
inline void gather_rows(const float* x, const convolution& g, index_t first, index_t count, float* to) noexcept {
    const nn::window& win = g.window;
    const index_t depth = g.in_c;
    const index_t step = gathered_row(win.kernel_h * win.kernel_w * depth);
    const bool is_dense = win.dilation_w == 1;  // the taps of a row of the window lie side by side
    for (index_t pixel = first; pixel < first + count; ++pixel, to += step) {
        const index_t row = pixel / g.out_w;
        const index_t top = row % g.out_h * win.stride_h - win.pad_top;
        const index_t left = pixel % g.out_w * win.stride_w - win.pad_left;
        const float* const image = x + row / g.out_h * g.in_h * g.in_w * g.in_c;
        const taps columns = taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
        const index_t inside = (std::max)(index_t{0}, columns.last - columns.first);
        float* out = to;
        for (index_t ky = 0; ky < win.kernel_h; ++ky, out += win.kernel_w * depth) {
            const index_t iy = top + ky * win.dilation_h;
            if (iy < 0 || iy >= g.in_h || inside == 0) {
                std::fill_n(out, win.kernel_w * depth, 0.0f);
                continue;
            }
            std::fill_n(out, columns.first * depth, 0.0f);
            const float* in = image + (iy * g.in_w + left + columns.first * win.dilation_w) * g.in_c;
            float* at = out + columns.first * depth;
            if (is_dense) {
                at = std::copy_n(in, inside * depth, at);
            } else {
                for (index_t i = 0; i < inside; ++i, in += win.dilation_w * g.in_c) at = std::copy_n(in, depth, at);
            }
            std::fill_n(at, (win.kernel_w - columns.last) * depth, 0.0f);
        }
    }
}

}  // namespace edge::nn::detail
