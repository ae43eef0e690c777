// SPDX-License-Identifier: MIT
#pragma once

/// @file Depthwise convolution: each channel with a kernel of its own, of floats or bytes.
///
/// Vectors run over channels. 3x3 kernels with stride 1 or 2 and no dilation keep their nine weights in registers and
/// make several results of a row at once; every other window takes the plain loop. Both add taps in the same order, so
/// they give the same bits. Bytes are multiplied as floats, which is exact: sums of up to `exact_taps` products of
/// 8-bit differences are whole numbers below 2^24.

#include <edge/core/parallel.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/window.hpp>
#include <edge/simd/widen.hpp>

#include <algorithm>

namespace edge::nn::detail {

/// (2^24 - 1) / 255².
inline constexpr index_t exact_taps = 258;

/// How results of floats begin and end: bias, clamp, store. `pixel` counts results of all channels.
template <class Arch>
struct float_ends {
    using batch = xsimd::batch<float, Arch>;
    const float* bias;  ///< or null
    float* y;
    index_t ldy;
    clamp limits;

    [[nodiscard]] batch load(const float* p, index_t count) const noexcept { return load_some<Arch>(p, count); }
    [[nodiscard]] batch start(index_t channel, index_t count) const noexcept {
        return bias == nullptr ? batch(0.0f) : load_some<Arch>(bias + channel, count);
    }
    void finish(const batch& sum, index_t pixel, index_t channel, index_t count) const noexcept {
        store_some<Arch>(y + pixel * ldy + channel, clamped(sum, batch(limits.low), batch(limits.high)), count);
    }
};

/// One result for `count` channels, 1 to a whole vector, from `channel` on. `image` and `w` are at that channel.
template <class Arch, class X, class Ends>
inline void depthwise_point(const X* image, const float* w, const xsimd::batch<float, Arch>& start, const Ends& ends,
                            const convolution& g, index_t row, index_t ox, index_t channel, index_t count) noexcept {
    const nn::window& win = g.window;
    const index_t top = row % g.out_h * win.stride_h - win.pad_top;
    const index_t left = ox * win.stride_w - win.pad_left;
    const taps rows = taps_inside(top, win.kernel_h, win.dilation_h, g.in_h);
    const taps columns = taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
    auto sum = start;
    for (index_t ky = rows.first; ky < rows.last; ++ky) {
        for (index_t kx = columns.first; kx < columns.last; ++kx) {
            const X* at = image + ((top + ky * win.dilation_h) * g.in_w + left + kx * win.dilation_w) * g.in_c;
            sum = xsimd::fma(ends.load(at, count), load_some<Arch>(w + (ky * win.kernel_w + kx) * g.in_c, count), sum);
        }
    }
    ends.finish(sum, row * g.out_w + ox, channel, count);
}

/// Results [first, last) of a row, for one whole vector of channels; all nine taps of each are inside the image.
///
/// Registers (AVX2, Stride 1): 9 weights, 4 sums, 1 input; an input column serves up to three results from a register.
template <class Arch, int Stride, class X, class Ends>
inline void depthwise3x3(const X* image, const float* w, const xsimd::batch<float, Arch>& start, const Ends& ends,
                         const convolution& g, index_t row, index_t first, index_t last, index_t channel) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    constexpr int results = 4;
    constexpr int inputs = (results - 1) * Stride + 3;
    batch weight[9];
    unrolled<9>([&](auto t) { weight[t] = batch::load_unaligned(w + t * g.in_c); });
    const X* corner = image + ((row % g.out_h * Stride - g.window.pad_top) * g.in_w - g.window.pad_left) * g.in_c;
    const index_t pixel = row * g.out_w;
    index_t ox = first;
    for (; ox + results <= last; ox += results) {
        batch sum[results];
        unrolled<results>([&](auto r) { sum[r] = start; });
        unrolled<3>([&](auto ky) {
            const X* in_row = corner + (ky * g.in_w + ox * Stride) * g.in_c;
            unrolled<inputs>([&](auto column) {
                const batch in = ends.load(in_row + column * g.in_c, lanes);
                unrolled<results>([&](auto r) {
                    constexpr int kx = column - r * Stride;
                    if constexpr (kx >= 0 && kx < 3) sum[r] = xsimd::fma(in, weight[ky * 3 + kx], sum[r]);
                });
            });
        });
        unrolled<results>([&](auto r) { ends.finish(sum[r], pixel + ox + r, channel, lanes); });
    }
    for (; ox < last; ++ox) {
        batch sum = start;
        unrolled<9>([&](auto t) {
            const X* at = corner + ((t / 3) * g.in_w + ox * Stride + t % 3) * g.in_c;
            sum = xsimd::fma(ends.load(at, lanes), weight[t], sum);
        });
        ends.finish(sum, pixel + ox, channel, lanes);
    }
}

/// Row `row` of the results, counted over all images.
template <class Arch, class X, class Ends>
void depthwise_row(const X* x, const float* w, const Ends& ends, const convolution& g, index_t row) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const nn::window& win = g.window;
    const index_t top = row % g.out_h * win.stride_h - win.pad_top;
    const bool special = win.kernel_h == 3 && win.kernel_w == 3 && win.dilation_h == 1 && win.dilation_w == 1 &&
                         win.stride_h == win.stride_w && win.stride_w <= 2 && top >= 0 && top + 3 <= g.in_h;
    // Results [first, last) have all their columns inside the image; on a row at the border there are none.
    index_t first = g.out_w;
    index_t last = g.out_w;
    if (special) {
        const index_t room = g.in_w - 3 + win.pad_left;
        last = room < 0 ? 0 : (std::min)(g.out_w, room / win.stride_w + 1);
        first = (std::min)((win.pad_left + win.stride_w - 1) / win.stride_w, last);
    }
    const X* image = x + row / g.out_h * g.in_h * g.in_w * g.in_c;
    for (index_t c = 0; c < g.in_c; c += lanes) {
        const index_t count = (std::min)(lanes, g.in_c - c);
        const batch start = ends.start(c, count);
        const bool whole = special && count == lanes;
        const index_t from = whole ? first : g.out_w;
        const index_t to = whole ? last : g.out_w;
        for (index_t ox = 0; ox < from; ++ox)
            depthwise_point<Arch>(image + c, w + c, start, ends, g, row, ox, c, count);
        if (whole && win.stride_w == 1)
            depthwise3x3<Arch, 1>(image + c, w + c, start, ends, g, row, from, to, c);
        else if (whole)
            depthwise3x3<Arch, 2>(image + c, w + c, start, ends, g, row, from, to, c);
        for (index_t ox = to; ox < g.out_w; ++ox)
            depthwise_point<Arch>(image + c, w + c, start, ends, g, row, ox, c, count);
    }
}

/// x [n, h, w, c], w [kernel_h, kernel_w, c].
template <class Arch, class X, class Ends>
void depthwise(const X* x, const float* w, const Ends& ends, const convolution& g, int threads) {
    parallel_for(g.batch * g.out_h, {.threads = threads, .grain = 4}, [&](index_t first, index_t last) {
        for (index_t row = first; row < last; ++row) depthwise_row<Arch>(x, w, ends, g, row);
    });
}

}  // namespace edge::nn::detail
