// SPDX-License-Identifier: MIT
#pragma once

/// @file Pooling of NHWC images: the largest or the mean of a window, and the mean of whole images.
///
///     const auto g = edge::nn::pooling_of({1, 112, 112, 64}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2});
///     edge::nn::max_pool(x, y, g, threads);
///     edge::nn::global_average_pool(x, y, batch, 7 * 7, 1280, threads);
///
/// Vectors run over channels. NaN in a window makes its result NaN. The bits do not depend on the number of threads.

#include <edge/core/parallel.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/window.hpp>
#include <edge/simd/exact.hpp>

#include <algorithm>

namespace edge::nn {

/// The extents of pooling, as of a depthwise convolution.
/// @param input  [n, h, w, c]
/// @throws shape_error     if it is not of rank 4
/// @throws argument_error  as `check`
[[nodiscard]] inline convolution pooling_of(const shape& input, const window& w) {
    if (input.rank() != 4) throw shape_error(message("pooling of ", input, "; expected [n, h, w, c]"));
    return convolution_of(input, {w.kernel_h, w.kernel_w, 1, input[3]}, w, input[3]);
}

namespace detail {

/// Calls `f(taps of rows, taps of columns, image, result)` for each pixel of the results, which threads share by rows.
template <class T, class F>
void for_each_window(const T* x, T* y, const convolution& g, int threads, const F& f) {
    const nn::window& win = g.window;
    const index_t row_work = (std::max)(index_t{1}, g.out_w * g.in_c * win.kernel_h * win.kernel_w);
    const index_t grain = (index_t{1} << 15) / row_work + 1;
    parallel_for(g.batch * g.out_h, {.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
        for (index_t row = first; row < last; ++row) {
            const index_t top = row % g.out_h * win.stride_h - win.pad_top;
            const taps rows = taps_inside(top, win.kernel_h, win.dilation_h, g.in_h);
            for (index_t ox = 0; ox < g.out_w; ++ox) {
                const index_t left = ox * win.stride_w - win.pad_left;
                const taps columns = taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
                f(rows, columns, x + ((row / g.out_h * g.in_h + top) * g.in_w + left) * g.in_c,
                  y + (row * g.out_w + ox) * g.in_c);
            }
        }
    });
}

/// to[c] = f(… f(start, tap), … tap) for each channel, over the taps that exist, in order.
template <class Arch, class F, class End>
void pool_window(const taps& rows, const taps& columns, const float* image, float* to, const convolution& g,
                 float start, const F& f, const End& end) noexcept {
    using batch = simd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const index_t row_step = g.window.dilation_h * g.in_w * g.in_c;
    const index_t column_step = g.window.dilation_w * g.in_c;
    for (index_t c = 0; c < g.in_c; c += lanes) {
        const index_t count = (std::min)(lanes, g.in_c - c);
        batch value(start);
        for (index_t ky = rows.first; ky < rows.last; ++ky)
            for (index_t kx = columns.first; kx < columns.last; ++kx)
                value = f(value, load_some<Arch>(image + ky * row_step + kx * column_step + c, count));
        store_some<Arch>(to + c, end(value), count);
    }
}

/// Means over `pixels` of `channels` channels, as sums in double in the order of the pixels.
template <class Arch>
void mean_of_pixels(const float* x, float* y, index_t pixels, index_t step, index_t channels) noexcept {
    using batch = simd::batch<float, Arch>;
    using wide = simd::batch<double, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const wide count(static_cast<double>(pixels));
    for (index_t c = 0; c < channels; c += lanes) {
        const index_t some = (std::min)(lanes, channels - c);
        wide low(0.0), high(0.0);
        for (index_t i = 0; i < pixels; ++i) {
            const batch v = load_some<Arch>(x + i * step + c, some);
            low = low + simd::widen_low(v);
            high = high + simd::widen_high(v);
        }
        store_some<Arch>(y + c, simd::narrow<Arch>(simd::divide(low, count), simd::divide(high, count)), some);
    }
}

}  // namespace detail

/// @param x  [n, h, w, c] of `g`
/// @param y  [n, out_h, out_w, c]; -infinity where a window lies in the padding alone
template <class Arch = detail::native>
void max_pool(const float* x, float* y, const convolution& g, int threads = 0) {
    using batch = simd::batch<float, Arch>;
    detail::for_each_window(x, y, g, threads, [&](const auto& rows, const auto& columns, const float* in, float* to) {
        detail::pool_window<Arch>(
            rows, columns, in, to, g, -std::numeric_limits<float>::infinity(),
            [](const batch& most, const batch& v) { return xsimd::select((most >= v) | ~(most == most), most, v); },
            [](const batch& most) { return most; });
    });
}

/// @param counts_padding  whether the mean is over all taps of the window, padding being 0, or over those inside the image
/// @param y  [n, out_h, out_w, c]; 0 where a window lies in the padding alone
template <class Arch = detail::native>
void average_pool(const float* x, float* y, const convolution& g, bool counts_padding = false, int threads = 0) {
    using batch = simd::batch<float, Arch>;
    detail::for_each_window(x, y, g, threads, [&](const auto& rows, const auto& columns, const float* in, float* to) {
        const auto inside = [](const detail::taps& t) { return (std::max)(index_t{0}, t.last - t.first); };
        const index_t taps = counts_padding ? g.window.kernel_h * g.window.kernel_w : inside(rows) * inside(columns);
        const batch count(static_cast<float>((std::max)(index_t{1}, taps)));
        detail::pool_window<Arch>(
            rows, columns, in, to, g, 0.0f, [](const batch& sum, const batch& v) { return sum + v; },
            [&](const batch& sum) { return simd::divide(sum, count); });
    });
}

/// The mean over the pixels of each image, in double, rounded once.
/// @param x  [batch, pixels, channels]
/// @param y  [batch, channels]; 0/0 where there are no pixels
template <class Arch = detail::native>
void global_average_pool(const float* x, float* y, index_t batch, index_t pixels, index_t channels, int threads = 0) {
    constexpr index_t line = 16;  // channels in a cache line; threads share those of all images
    const index_t blocks = (channels + line - 1) / line;
    const index_t grain = (index_t{1} << 15) / (pixels * line + 1) + 1;
    parallel_for(batch * blocks, {.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
        while (first < last) {
            const index_t n = first / blocks;
            const index_t end = (std::min)(last, (n + 1) * blocks);
            const index_t c = (first - n * blocks) * line;
            detail::mean_of_pixels<Arch>(x + n * pixels * channels + c, y + n * channels + c, pixels, channels,
                                         (std::min)(channels, (end - n * blocks) * line) - c);
            first = end;
        }
    });
}

}  // namespace edge::nn
