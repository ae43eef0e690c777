// SPDX-License-Identifier: MIT
#pragma once

/// @file Depthwise convolution: each channel with a kernel of its own, float.
///
/// Vectors run over channels. 3x3 kernels with stride 1 or 2 and no dilation keep their nine weights in registers and
/// make several results of a row at once; every other window takes the plain loop. Both add taps in the same order, so
/// they give the same bits.

#include <edge/core/parallel.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/window.hpp>

#include <algorithm>

namespace edge::nn::detail {

/// One result for `count` channels, 1 to a whole vector. `x` is the image at the first of these channels.
template <class Arch>
inline void depthwise_f32_point(const float* x, const float* w, const xsimd::batch<float, Arch>& start, float* y,
                                const convolution& g, index_t oy, index_t ox, index_t count,
                                const clamp& limits) noexcept {
    using batch = xsimd::batch<float, Arch>;
    const nn::window& win = g.window;
    const index_t top = oy * win.stride_h - win.pad_top;
    const index_t left = ox * win.stride_w - win.pad_left;
    const taps rows = taps_inside(top, win.kernel_h, win.dilation_h, g.in_h);
    const taps columns = taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
    batch sum = start;
    for (index_t ky = rows.first; ky < rows.last; ++ky) {
        for (index_t kx = columns.first; kx < columns.last; ++kx) {
            const float* at = x + ((top + ky * win.dilation_h) * g.in_w + left + kx * win.dilation_w) * g.in_c;
            sum = xsimd::fma(load_some<Arch>(at, count), load_some<Arch>(w + (ky * win.kernel_w + kx) * g.in_c, count),
                             sum);
        }
    }
    store_some<Arch>(y + ox * g.out_c, clamped(sum, batch(limits.low), batch(limits.high)), count);
}

/// Results [first, last) of a row, for one vector of channels; all nine taps of each are inside the image.
///
/// Registers (AVX2, Stride 1): 9 weights, 4 sums, 1 input; an input column serves up to three results from a register.
template <class Arch, int Stride>
inline void depthwise3x3_f32_row(const float* x, const float* w, const xsimd::batch<float, Arch>& start, float* y,
                                 const convolution& g, index_t oy, index_t first, index_t last,
                                 const clamp& limits) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr int results = 4;
    constexpr int inputs = (results - 1) * Stride + 3;
    batch weight[9];
    unrolled<9>([&](auto t) { weight[t] = batch::load_unaligned(w + t * g.in_c); });
    const batch low(limits.low);
    const batch high(limits.high);
    const float* corner = x + ((oy * Stride - g.window.pad_top) * g.in_w - g.window.pad_left) * g.in_c;
    index_t ox = first;
    for (; ox + results <= last; ox += results) {
        batch sum[results];
        unrolled<results>([&](auto r) { sum[r] = start; });
        unrolled<3>([&](auto ky) {
            const float* row = corner + (ky * g.in_w + ox * Stride) * g.in_c;
            unrolled<inputs>([&](auto column) {
                const batch in = batch::load_unaligned(row + column * g.in_c);
                unrolled<results>([&](auto r) {
                    constexpr int kx = column - r * Stride;
                    if constexpr (kx >= 0 && kx < 3) sum[r] = xsimd::fma(in, weight[ky * 3 + kx], sum[r]);
                });
            });
        });
        unrolled<results>([&](auto r) { clamped(sum[r], low, high).store_unaligned(y + (ox + r) * g.out_c); });
    }
    for (; ox < last; ++ox) {
        batch sum = start;
        unrolled<9>([&](auto t) {
            sum = xsimd::fma(batch::load_unaligned(corner + ((t / 3) * g.in_w + ox * Stride + t % 3) * g.in_c),
                             weight[t], sum);
        });
        clamped(sum, low, high).store_unaligned(y + ox * g.out_c);
    }
}

/// One row of results. x, y are those of one image.
template <class Arch>
void depthwise_f32_row(const float* x, const float* w, const float* bias, float* y, const convolution& g, index_t oy,
                       const clamp& limits) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const nn::window& win = g.window;
    // Results [first, last) have all their columns inside the image; on a row at the border there are none.
    const index_t top = oy * win.stride_h - win.pad_top;
    const bool special = win.kernel_h == 3 && win.kernel_w == 3 && win.dilation_h == 1 && win.dilation_w == 1 &&
                         win.stride_h == win.stride_w && win.stride_w <= 2 && top >= 0 && top + 3 <= g.in_h;
    index_t first = g.out_w;
    index_t last = g.out_w;
    if (special) {
        const index_t room = g.in_w - 3 + win.pad_left;
        last = room < 0 ? 0 : (std::min)(g.out_w, room / win.stride_w + 1);
        first = (std::min)((win.pad_left + win.stride_w - 1) / win.stride_w, last);
    }
    y += oy * g.out_w * g.out_c;
    for (index_t c = 0; c < g.in_c; c += lanes) {
        const index_t count = (std::min)(lanes, g.in_c - c);
        const batch start = bias == nullptr ? batch(0.0f) : load_some<Arch>(bias + c, count);
        const bool whole = special && count == lanes;
        const index_t from = whole ? first : g.out_w;
        const index_t to = whole ? last : g.out_w;
        for (index_t ox = 0; ox < from; ++ox)
            depthwise_f32_point<Arch>(x + c, w + c, start, y + c, g, oy, ox, count, limits);
        if (whole && win.stride_w == 1)
            depthwise3x3_f32_row<Arch, 1>(x + c, w + c, start, y + c, g, oy, from, to, limits);
        else if (whole)
            depthwise3x3_f32_row<Arch, 2>(x + c, w + c, start, y + c, g, oy, from, to, limits);
        for (index_t ox = to; ox < g.out_w; ++ox)
            depthwise_f32_point<Arch>(x + c, w + c, start, y + c, g, oy, ox, count, limits);
    }
}

/// x [n, h, w, c], w [kernel_h, kernel_w, c], bias [c] or null, y [n, out_h, out_w, c].
template <class Arch>
void depthwise_f32(const float* x, const float* w, const float* bias, float* y, const convolution& g,
                   const clamp& limits, int threads) {
    parallel_for(g.batch * g.out_h, {.threads = threads, .grain = 4}, [&](index_t first, index_t last) {
        for (index_t row = first; row < last; ++row) {
            const index_t n = row / g.out_h;
            depthwise_f32_row<Arch>(x + n * g.in_h * g.in_w * g.in_c, w, bias, y + n * g.out_h * g.out_w * g.out_c, g,
                                    row % g.out_h, limits);
        }
    });
}

}  // namespace edge::nn::detail
