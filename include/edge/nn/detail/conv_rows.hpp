// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows of a product for a general convolution: for each pixel of the result, what its window sees, side by side.
///
/// They are made for a few dozen pixels at a time, which all panels of the weights then read from a near cache. Copying
/// costs about one part in the number of output channels; places outside the image are zeros, or their zero point, which
/// the chain of sums takes like any other.

#include <edge/nn/window.hpp>

#include <algorithm>
#include <cstring>

namespace edge::nn::detail {

/// Elements from one row to the next: whole cache lines, but not whole pages, of which few fit the first cache.
template <class T>
[[nodiscard]] constexpr index_t gathered_row(index_t k) noexcept {
    constexpr auto line = static_cast<index_t>(64 / sizeof(T));
    const index_t whole = (k + line - 1) / line * line;
    return whole % (16 * line) == 0 ? whole + line : whole;
}

/// As many runs of elements, in steps. Short ones are copied `size` bytes at a time, which takes no call: what is too much
/// of one is overwritten by what follows.
template <int size, class T>
void copy_runs(const T* from, index_t from_step, T* to, index_t to_step, index_t run, index_t count) noexcept {
    for (index_t i = 0; i < count; ++i, from += from_step, to += to_step)
        std::memcpy(to, from, size != 0 ? static_cast<std::size_t>(size) : static_cast<std::size_t>(run) * sizeof(T));
}

/// [first, first + count) of the pixels [n, out_h, out_w] of a convolution, for one group of its channels.
///
/// @param x        [n, in_h, in_w, in_c]
/// @param to       [count, kernel_h, kernel_w, group_in], rows `gathered_row` apart
/// @param outside  what is around the image
template <class T>
void gather_rows(const T* x, const convolution& g, index_t first, index_t count, T* to, T outside = T{},
                 index_t group = 0) noexcept {
    const nn::window& win = g.window;
    const index_t depth = g.group_in();
    const index_t k = win.kernel_h * win.kernel_w * depth;
    const index_t step = gathered_row<T>(k);
    const T* const end = x + g.batch * g.in_h * g.in_w * g.in_c;
    const bool is_dense = win.dilation_w == 1 && g.groups == 1;  // the taps of a row of the window lie side by side
    const index_t run = is_dense ? win.kernel_w * depth : depth;
    const index_t tap_step = win.dilation_w * g.in_c;
    const index_t pixel_step = win.stride_w * g.in_c;
    // Pixels of a line whose windows are inside it.
    const index_t reach = (win.kernel_w - 1) * win.dilation_w;
    const index_t inside_first = (win.pad_left + win.stride_w - 1) / win.stride_w;
    const index_t room = g.in_w - 1 - reach + win.pad_left;
    const index_t inside_last = room < 0 ? 0 : room / win.stride_w + 1;
    while (count > 0) {
        const index_t row = first / g.out_w;
        const index_t start = first % g.out_w;
        const index_t stop = (std::min)(g.out_w, start + count);
        const index_t a = std::clamp(inside_first, start, stop);
        const index_t b = std::clamp(inside_last, a, stop);
        const index_t top = row % g.out_h * win.stride_h - win.pad_top;
        const T* const image = x + row / g.out_h * g.in_h * g.in_w * g.in_c + group * depth;
        for (index_t ky = 0; ky < win.kernel_h; ++ky) {
            const index_t iy = top + ky * win.dilation_h;
            T* const out = to + ky * win.kernel_w * depth;
            if (iy < 0 || iy >= g.in_h) {
                for (index_t i = 0; i < stop - start; ++i) std::fill_n(out + i * step, win.kernel_w * depth, outside);
                continue;
            }
            const T* const line = image + iy * g.in_w * g.in_c;
            const auto at_border = [&](index_t ox) {
                T* at = out + (ox - start) * step;
                for (index_t kx = 0; kx < win.kernel_w; ++kx, at += depth) {
                    const index_t ix = ox * win.stride_w - win.pad_left + kx * win.dilation_w;
                    if (ix < 0 || ix >= g.in_w)
                        std::fill_n(at, depth, outside);
                    else
                        std::copy_n(line + ix * g.in_c, depth, at);
                }
            };
            for (index_t ox = start; ox < a; ++ox) at_border(ox);
            for (index_t tap = 0; a < b && tap < win.kernel_w * depth; tap += run) {
                const T* const in = line + (a * win.stride_w - win.pad_left) * g.in_c + tap / depth * tap_step;
                T* const at = out + (a - start) * step + tap;
                // A longer copy must stay inside the image and the row.
                const auto fits = [&](index_t bytes) {
                    const index_t most = bytes / static_cast<index_t>(sizeof(T));
                    return run <= most && in + (b - a - 1) * pixel_step + most <= end && k - run + most <= step;
                };
                if (fits(16))
                    copy_runs<16>(in, pixel_step, at, step, run, b - a);
                else if (fits(32))
                    copy_runs<32>(in, pixel_step, at, step, run, b - a);
                else
                    copy_runs<0>(in, pixel_step, at, step, run, b - a);
            }
            for (index_t ox = b; ox < stop; ++ox) at_border(ox);
        }
        to += (stop - start) * step;
        count -= stop - start;
        first += stop - start;
    }
}

}  // namespace edge::nn::detail
