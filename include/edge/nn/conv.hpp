// SPDX-License-Identifier: MIT
#pragma once

/// @file Convolution: y = clamp(x * w + bias), float, any window, grouped, strided, padded, dilated.
///
///     edge::nn::window w{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
///     auto g = edge::nn::convolution_of(x.shape(), weights.shape(), w, 1);
///     edge::tensor<float> y(g.output());
///     edge::nn::conv2d(x, weights, bias, y, w, 1, {.limits = edge::nn::relu6});
///
/// 1x1 windows run as a dense layer, depthwise ones as in depthwise.hpp, the rest with vectors over output channels.
/// A result's bits depend on neither the thread count nor the path.

#include <edge/nn/dense.hpp>
#include <edge/nn/depthwise.hpp>

namespace edge::nn {

namespace detail {

/// One result for `Vectors` vectors of output channels of one group (`columns` channels where it is less than a whole
/// one). x is the image at the group's first channel, w the weights at the first output channel.
template <class Arch, int Vectors, bool Whole>
inline void conv_f32_point(const float* x, const float* w, const float* bias, float* y, const convolution& g,
                           index_t oy, index_t ox, index_t columns, const clamp& limits) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const auto load = [&](const float* p, int j) {
        if constexpr (Whole) return batch::load_unaligned(p + j * lanes);
        return load_some<Arch>(p, columns);
    };
    const nn::window& win = g.window;
    const index_t top = oy * win.stride_h - win.pad_top;
    const index_t left = ox * win.stride_w - win.pad_left;
    const taps rows = taps_inside(top, win.kernel_h, win.dilation_h, g.in_h);
    const taps cols = taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
    const index_t depth = g.group_in();
    batch sum[Vectors];
    unrolled<Vectors>([&](auto j) { sum[j] = bias == nullptr ? batch(0.0f) : load(bias, j); });
    for (index_t ky = rows.first; ky < rows.last; ++ky) {
        for (index_t kx = cols.first; kx < cols.last; ++kx) {
            const float* in = x + ((top + ky * win.dilation_h) * g.in_w + left + kx * win.dilation_w) * g.in_c;
            const float* tap = w + (ky * win.kernel_w + kx) * depth * g.out_c;
            for (index_t c = 0; c < depth; ++c, tap += g.out_c) {
                const batch value(in[c]);
                unrolled<Vectors>([&](auto j) { sum[j] = xsimd::fma(value, load(tap, j), sum[j]); });
            }
        }
    }
    const batch low(limits.low);
    const batch high(limits.high);
    unrolled<Vectors>([&](auto j) {
        const batch v = clamped(sum[j], low, high);
        if constexpr (Whole)
            v.store_unaligned(y + j * lanes);
        else
            store_some<Arch>(y, v, columns);
    });
}

/// One row of results. x, y are those of one image.
template <class Arch>
void conv_f32_row(const float* x, const float* w, const float* bias, float* y, const convolution& g, index_t oy,
                  const clamp& limits) noexcept {
    constexpr auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
    for (index_t ox = 0; ox < g.out_w; ++ox) {
        float* out = y + (oy * g.out_w + ox) * g.out_c;
        for (index_t group = 0; group < g.groups; ++group) {
            const float* in = x + group * g.group_in();
            const index_t last = (group + 1) * g.group_out();
            const auto bias_at = [bias](index_t o) { return bias == nullptr ? nullptr : bias + o; };
            index_t o = group * g.group_out();
            for (; o + 4 * lanes <= last; o += 4 * lanes)
                conv_f32_point<Arch, 4, true>(in, w + o, bias_at(o), out + o, g, oy, ox, 0, limits);
            for (; o + lanes <= last; o += lanes)
                conv_f32_point<Arch, 1, true>(in, w + o, bias_at(o), out + o, g, oy, ox, 0, limits);
            if (o < last) conv_f32_point<Arch, 1, false>(in, w + o, bias_at(o), out + o, g, oy, ox, last - o, limits);
        }
    }
}

/// x [n, h, w, c_in], w [kernel_h, kernel_w, c_in / groups, c_out], bias [c_out] or null, y [n, out_h, out_w, c_out].
template <class Arch>
void conv_f32(const float* x, const float* w, const float* bias, float* y, const convolution& g, const clamp& limits,
              int threads) {
    if (g.is_depthwise())
        return depthwise<Arch>(x, w, float_ends<Arch>{bias, y, g.out_c, {.limits = limits}}, g, threads);
    if (g.is_pointwise() && g.window.stride_h == 1 && g.window.stride_w == 1)
        return dense_f32<Arch>(x, g.in_c, w, g.out_c, bias, y, g.out_c, g.batch * g.out_h * g.out_w, g.out_c, g.in_c,
                               limits, threads);
    parallel_for(g.batch * g.out_h, {.threads = threads}, [&](index_t first, index_t last) {
        for (index_t row = first; row < last; ++row) {
            const index_t n = row / g.out_h;
            const index_t oy = row % g.out_h;
            const float* image = x + n * g.in_h * g.in_w * g.in_c;
            float* out = y + n * g.out_h * g.out_w * g.out_c;
            if (g.is_pointwise())  // a dense layer on every stride_w-th pixel of every stride_h-th row
                dense_f32<Arch>(image + oy * g.window.stride_h * g.in_w * g.in_c, g.window.stride_w * g.in_c, w,
                                g.out_c, bias, out + oy * g.out_w * g.out_c, g.out_c, g.out_w, g.out_c, g.in_c, limits);
            else
                conv_f32_row<Arch>(image, w, bias, out, g, oy, limits);
        }
    });
}

}  // namespace detail

/// @param x        [n, h, w, c_in]
/// @param weights  [kernel_h, kernel_w, c_in / groups, c_out]
/// @param bias     [c_out], or empty for none
/// @param y        [n, out_h, out_w, c_out]; must not overlap the inputs
/// @throws shape_error, argument_error  if the shapes do not fit or a view is not contiguous
inline void conv2d(tensor_view<const float> x, tensor_view<const float> weights, std::span<const float> bias,
                   tensor_view<float> y, const window& w, index_t groups = 1, const layer_options& options = {}) {
    const convolution g = convolution_of(x.shape(), weights.shape(), w, groups);
    if (y.shape() != g.output()) throw shape_error(message("conv2d: output is ", y.shape(), "; expected ", g.output()));
    if (!bias.empty() && static_cast<index_t>(bias.size()) != g.out_c)
        throw shape_error(message("conv2d: ", bias.size(), " biases for weights ", weights.shape()));
    detail::conv_f32<detail::native>(x.flat().data(), weights.flat().data(), bias.empty() ? nullptr : bias.data(),
                                     y.flat().data(), g, options.limits, options.threads);
}

}  // namespace edge::nn
