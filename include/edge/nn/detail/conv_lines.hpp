// SPDX-License-Identifier: MIT
#pragma once

/// @file Lines of the image for a convolution: what the windows of one row of results see, with its padding.
///
/// They are copied for each row of results. Then element (ky, kx, c) of every window of the row lies at one place plus a
/// step for each pixel, so that a table of places and the tiles of a matrix product do the rest. A line is copied once
/// for each row of the window, not for each element of it; and the image may come as pixels or as planes, which makes a
/// difference to the table alone. That suits few channels, as in the first layer of a network, groups, and wide rows.

#include <edge/nn/window.hpp>
#include <edge/simd/packed_gemm.hpp>

#include <algorithm>

namespace edge::nn::detail {

class conv_lines {
public:
    /// @param planar  whether x is [n, c, h, w] instead of [n, h, w, c]
    conv_lines(const convolution& g, bool planar) noexcept
        : g_(g),
          width_((g.out_w - 1) * g.window.stride_w + (g.window.kernel_w - 1) * g.window.dilation_w + 1),
          planar_(planar) {}

    /// Of the table and the lines, for one thread; whole cache lines.
    [[nodiscard]] index_t bytes() const noexcept {
        return table_bytes() + padded(width_ * g_.in_c * g_.window.kernel_h * 4);
    }
    [[nodiscard]] index_t table_bytes() const noexcept {
        return padded(g_.window.kernel_h * g_.window.kernel_w * static_cast<index_t>(sizeof(index_t)));
    }

    /// From a group's first channel to that of the next.
    [[nodiscard]] index_t group_step() const noexcept { return g_.group_in() * channel(); }

    /// The left side of a product from pixel `ox` of the row on.
    /// @param from  the lines, at a group's first channel
    [[nodiscard]] simd::left_block<float> block(const float* from, index_t ox, const index_t* places) const noexcept {
        const index_t step = g_.window.stride_w * pixel();
        return {from + ox * step, step, channel(), places, run()};
    }

    /// The places at which runs of (ky, kx, c) begin, in the order of the weights.
    void list(index_t* to) const noexcept {
        const index_t taps = run() / g_.group_in();
        for (index_t ky = 0; ky < g_.window.kernel_h; ++ky)
            for (index_t kx = 0; kx < g_.window.kernel_w; kx += taps)
                *to++ = ky * line() + kx * g_.window.dilation_w * pixel();
    }

    /// The lines for row `row` of the results, counted over all images.
    void copy(const float* x, index_t row, float* to) const noexcept {
        const nn::window& win = g_.window;
        const index_t top = row % g_.out_h * win.stride_h - win.pad_top;
        const float* const image = x + row / g_.out_h * g_.in_c * g_.in_h * g_.in_w;
        const index_t planes = planar_ ? g_.in_c : 1;
        const index_t before = (std::min)(width_, win.pad_left) * pixel();
        const index_t inside = (std::min)(width_ * pixel() - before, g_.in_w * pixel());
        for (index_t p = 0; p < planes; ++p)
            for (index_t ky = 0; ky < win.kernel_h; ++ky, to += line()) {
                const index_t iy = top + ky * win.dilation_h;
                if (iy < 0 || iy >= g_.in_h) {
                    std::fill_n(to, line(), 0.0f);
                    continue;
                }
                float* out = std::fill_n(to, before, 0.0f);
                out = std::copy_n(image + (p * g_.in_h + iy) * g_.in_w * pixel(), inside, out);
                std::fill_n(out, line() - before - inside, 0.0f);
            }
    }

private:
    [[nodiscard]] static index_t padded(index_t bytes) noexcept { return (bytes + 63) / 64 * 64; }
    [[nodiscard]] index_t pixel() const noexcept { return planar_ ? 1 : g_.in_c; }
    [[nodiscard]] index_t channel() const noexcept { return planar_ ? g_.window.kernel_h * line() : 1; }
    [[nodiscard]] index_t line() const noexcept { return width_ * pixel(); }

    /// Elements of a window that lie side by side: the channels, of a row of the window where it is not dilated.
    [[nodiscard]] index_t run() const noexcept {
        const bool joins = !planar_ && g_.groups == 1 && g_.window.dilation_w == 1;
        return (joins ? g_.window.kernel_w : 1) * g_.group_in();
    }

    const convolution& g_;
    index_t width_;  ///< pixels
    bool planar_;
};

}  // namespace edge::nn::detail
