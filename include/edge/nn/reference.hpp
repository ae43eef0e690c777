// SPDX-License-Identifier: MIT
#pragma once

/// @file Layers in the fewest lines: what every kernel is checked against.
///
///     edge::nn::reference::convolve<double>(x, w, bias, y, geometry);               // float tensors, summed in double
///     edge::nn::reference::convolve<std::int32_t>(x, w, bias, y, geometry, 128);    // 8-bit tensors, exact
///
/// A dense layer [m, k]·[k, n] is a 1x1 convolution of an [m, 1, 1, k] image.

#include <edge/nn/window.hpp>

#include <cmath>
#include <vector>

namespace edge::nn::reference {

/// y = Σ (x - x_zero)·(w - w_zero[o]) + bias[o], padding being x_zero. Layouts as in window.hpp; `bias` and `w_zero`
/// [c_out] may be null.
template <class Sum, class X, class W, class Bias>
void convolve(const X* x, const W* w, const Bias* bias, Sum* y, const convolution& g, Sum x_zero = 0,
              const Sum* w_zero = nullptr) {
    for (index_t n = 0; n < g.batch; ++n)
        for (index_t oy = 0; oy < g.out_h; ++oy)
            for (index_t ox = 0; ox < g.out_w; ++ox)
                for (index_t o = 0; o < g.out_c; ++o) {
                    Sum sum = bias == nullptr ? Sum{} : static_cast<Sum>(bias[o]);
                    for (index_t ky = 0; ky < g.window.kernel_h; ++ky)
                        for (index_t kx = 0; kx < g.window.kernel_w; ++kx)
                            for (index_t c = 0; c < g.group_in(); ++c) {
                                const index_t iy = oy * g.window.stride_h - g.window.pad_top + ky * g.window.dilation_h;
                                const index_t ix =
                                    ox * g.window.stride_w - g.window.pad_left + kx * g.window.dilation_w;
                                if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) continue;
                                const index_t in = o / g.group_out() * g.group_in() + c;
                                const Sum a = static_cast<Sum>(x[((n * g.in_h + iy) * g.in_w + ix) * g.in_c + in]);
                                const Sum b = static_cast<Sum>(
                                    w[((ky * g.window.kernel_w + kx) * g.group_in() + c) * g.out_c + o]);
                                sum += (a - x_zero) * (b - (w_zero == nullptr ? Sum{} : w_zero[o]));
                            }
                    y[((n * g.out_h + oy) * g.out_w + ox) * g.out_c + o] = sum;
                }
}

/// Over n values, in double.
inline std::vector<double> softmax(const std::vector<double>& x) {
    double most = -std::numeric_limits<double>::infinity();
    for (const double v : x) most = v > most ? v : most;
    std::vector<double> y;
    double total = 0.0;
    for (const double v : x) total += y.emplace_back(std::exp(v - most));
    for (double& v : y) v /= total;
    return y;
}

}  // namespace edge::nn::reference
