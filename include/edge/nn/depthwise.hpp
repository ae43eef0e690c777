// SPDX-License-Identifier: MIT
#pragma once

/// @file Depthwise convolution: each channel with a kernel of its own, of floats or bytes.
///
///     edge::nn::depthwise_layer layer(w, bias, channels, window, {.limits = edge::nn::relu6});   // once
///     layer.run(x, y, batch, in_h, in_w, threads);                                               // often
///
/// Vectors run over channels. 3x3 and 5x5 kernels with stride 1 or 2 and no dilation make several results of a row at
/// once; every other window takes the plain loop. Both start at the bias and add the taps that lie inside the image by
/// row, then column, so they give the same bits. Bytes are multiplied as floats, which is exact: sums of up to
/// `exact_taps` products of 8-bit differences are whole numbers below 2^24.

#include <edge/core/parallel.hpp>
#include <edge/nn/activation.hpp>
#include <edge/simd/exact.hpp>

#include <algorithm>
#include <vector>

namespace edge::nn {

namespace detail {

/// (2^24 - 1) / 255².
inline constexpr index_t exact_taps = 258;

/// How results of floats begin and end: bias, activation, store. `pixel` counts results of all channels.
template <class Arch>
struct float_ends {
    using batch = simd::batch<float, Arch>;
    static constexpr bool has_many_tiles = true;  ///< tiles for 5x5 too, and faster ones away from the edges
    const float* bias;                            ///< or null
    float* y;
    index_t ldy;
    nn::activation activation;

    [[nodiscard]] batch load(const float* p, index_t count) const noexcept { return load_some<Arch>(p, count); }
    [[nodiscard]] batch start(index_t channel, index_t count) const noexcept {
        return bias == nullptr ? batch(0.0f) : load_some<Arch>(bias + channel, count);
    }
    void finish(const batch& sum, index_t pixel, index_t channel, index_t count) const noexcept {
        store_some<Arch>(y + pixel * ldy + channel, activated(activation, sum), count);
    }
    /// The first `exist` of some results side by side, of whole vectors of channels.
    template <int n>
    EDGE_ALWAYS_INLINE void finish(batch (&sum)[n], index_t exist, index_t pixel, index_t channel) const noexcept {
        if (activation.kind == activation_kind::clamp) {
            const float low = activation.limits.low;
            const float high = activation.limits.high;
            unrolled<n>([&](auto r) { sum[r] = simd::at_most(simd::at_least(sum[r], low), high); });
        } else {
            unrolled<n>([&](auto r) { sum[r] = activated(activation, sum[r]); });
        }
        store_first<0>(y + pixel * ldy + channel, sum, exist);
    }

private:
    template <int r, int n>
    EDGE_ALWAYS_INLINE void store_first(float* to, const batch (&sum)[n], index_t exist) const noexcept {
        sum[r].store_unaligned(to);
        if constexpr (r + 1 < n)
            if (r + 1 < exist) store_first<r + 1>(to + ldy, sum, exist);
    }
};

/// Results that are made at once: about as many chains as two ports of multiply-adds with a latency of four cycles need,
/// and no fewer columns than images at the end of a network have. 16 registers: 7 beside 5 weights and an input.
template <class Arch>
inline constexpr int depthwise_results = simd::lanes<float, Arch> == 16 || simd::detail::is_neon64<Arch> ? 16 : 7;

/// Channels that are done at a time: about as many as have the `rows` of an image that a row of results needs in half of a
/// first cache of 48 KiB. Where these would be few, all, since the lines of a column are fetched best one after the other;
/// but no more than leave the weights in that cache.
[[nodiscard]] constexpr index_t depthwise_channels(index_t rows, index_t in_w) noexcept {
    const index_t fit = 6144 / (rows * in_w);
    return fit < 48 || fit > 224 ? 224 : fit < 96 ? 96 : fit;
}

/// Where a tile of results lies.
template <class X>
struct depthwise_place {
    const X* const* rows;  ///< of the input, from that of the first tap on
    taps inside;           ///< those rows that exist
    index_t left;          ///< input column of the first tap of the first result
    int first, last;       ///< input columns that exist, counted from there
    index_t exist;         ///< results
    index_t pixel;         ///< of the first result
};

/// Which input columns and results of a tile may lie outside the image.
enum class depthwise_edge { none, columns, results };

/// Adds what the input columns from `Column` on give to each result of a tile.
template <int Kernel, int Stride, depthwise_edge Edge, int Column, class X, class Batch, int Results, class Ends>
EDGE_ALWAYS_INLINE void depthwise_columns(const X* at, index_t step, int first, int last, const Batch (&weight)[Kernel],
                                          Batch (&sum)[Results], const Ends& ends) noexcept {
    constexpr int columns = (Results - 1) * Stride + Kernel;
    if constexpr (Column < columns) {
        constexpr bool may_be_left = Edge != depthwise_edge::none && Column < Kernel - 1;
        constexpr bool may_be_right =
            Edge == depthwise_edge::results || (Edge == depthwise_edge::columns && Column > columns - Kernel);
        if (may_be_right && Column >= last) return;
        if (!may_be_left || Column >= first) {
            const Batch in = simd::detail::rounded(ends.load(at, static_cast<index_t>(Batch::size)));
            unrolled<Results>([&](auto r) {
                constexpr int kx = Column - r * Stride;
                if constexpr (kx >= 0 && kx < Kernel) sum[r] = simd::fma(in, weight[kx], sum[r]);
            });
        }
        depthwise_columns<Kernel, Stride, Edge, Column + 1>(at + step, step, first, last, weight, sum, ends);
    }
}

/// Some results side by side, for whole vectors of channels, `count` of them from `channel` on; where they do not fill the
/// last vector, it overlaps the one before it.
///
/// Per row of a 3x3 kernel with stride 1, 3 weights and 9 inputs are loaded for 7 results and their 21 multiply-adds on two
/// ports, so the multiplies are the limit. What may lie outside costs a jump that is always foreseen.
template <class Arch, int Kernel, int Stride, depthwise_edge Edge, class X, class Ends>
EDGE_NEVER_INLINE void depthwise_tile(const depthwise_place<X>& place, const float* w, const Ends& given, index_t step,
                                      index_t channel, index_t count) noexcept {
    using batch = simd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    constexpr int results = depthwise_results<Arch>;
    const Ends ends = given;  // a copy that stores cannot change
    const taps inside = place.inside;
    const index_t at_left = place.left * step;
    const index_t exist = Edge == depthwise_edge::results ? place.exist : results;
    const index_t pixel = place.pixel;
    const int first = place.first;
    const int last = place.last;
    const X* const* const rows = place.rows;
    for (index_t done = 0; done < count; done += lanes) {
        const index_t c = channel + (std::min)(done, count - lanes);
        batch sum[results];
        unrolled<results>([&](auto r) { sum[r] = ends.start(c, lanes); });
        const float* taps_of_row = w + inside.first * Kernel * step + c;
        for (index_t ky = inside.first; ky < inside.last; ++ky, taps_of_row += Kernel * step) {
            batch weight[Kernel];
            unrolled<Kernel>([&](auto kx) { weight[kx] = batch::load_unaligned(taps_of_row + kx * step); });
            depthwise_columns<Kernel, Stride, Edge, 0>(rows[ky] + at_left + c, step, first, last, weight, sum, ends);
        }
        ends.finish(sum, exist, pixel, c);
    }
}

/// A row of results for `count` channels, a whole vector or more, from `channel` on.
template <class Arch, int Kernel, int Stride, class X, class Ends>
void depthwise_row(const X* const* rows, taps inside, const float* w, const Ends& ends, const convolution& g,
                   index_t pixel, index_t channel, index_t count) noexcept {
    constexpr index_t results = depthwise_results<Arch>;
    constexpr index_t inputs = (results - 1) * Stride + Kernel;
    for (index_t ox = 0; ox < g.out_w; ox += results) {
        const index_t left = ox * Stride - g.window.pad_left;
        const depthwise_place<X> place{rows,
                                       inside,
                                       left,
                                       static_cast<int>((std::max)(-left, index_t{0})),
                                       static_cast<int>((std::min)(g.in_w - left, inputs)),
                                       (std::min)(g.out_w - ox, results),
                                       pixel + ox};
        const auto tile = [&]<depthwise_edge edge>() {
            depthwise_tile<Arch, Kernel, Stride, edge>(place, w, ends, g.in_c, channel, count);
        };
        if constexpr (Ends::has_many_tiles) {
            if (place.exist == results && place.first == 0 && place.last == inputs) {
                tile.template operator()<depthwise_edge::none>();
                continue;
            }
            if (place.exist == results && place.first < Kernel && place.last > inputs - Kernel) {
                tile.template operator()<depthwise_edge::columns>();
                continue;
            }
        }
        tile.template operator()<depthwise_edge::results>();
    }
}

/// One result for `count` channels, 1 to a whole vector, any window.
template <class Arch, class X, class RowAt, class Ends>
inline void depthwise_point(const RowAt& row_at, const float* w, const Ends& ends, const convolution& g, index_t oy,
                            index_t ox, index_t pixel, index_t channel, index_t count) noexcept {
    const nn::window& win = g.window;
    const index_t top = oy * win.stride_h - win.pad_top;
    const index_t left = ox * win.stride_w - win.pad_left;
    const taps rows = taps_inside(top, win.kernel_h, win.dilation_h, g.in_h);
    const taps columns = taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
    auto sum = ends.start(channel, count);
    for (index_t ky = rows.first; ky < rows.last; ++ky) {
        const X* row = row_at(top + ky * win.dilation_h);
        for (index_t kx = columns.first; kx < columns.last; ++kx) {
            const index_t tap = ky * win.kernel_w + kx;
            sum = simd::fma(ends.load(row + (left + kx * win.dilation_w) * g.in_c + channel, count),
                            load_some<Arch>(w + tap * g.in_c + channel, count), sum);
        }
    }
    ends.finish(sum, pixel, channel, count);
}

/// Rows [first, last) of the results of one image, for `count` channels from `channel` on.
/// @param row_at  gives the row of the image with a number
/// @param pixel   that of the first result
template <class Arch, class X, class RowAt, class Ends>
void depthwise_rows(const RowAt& row_at, const float* w, const Ends& ends, const convolution& g, index_t first,
                    index_t last, index_t pixel, index_t channel, index_t count) noexcept {
    constexpr auto lanes = static_cast<index_t>(simd::lanes<float, Arch>);
    const nn::window& win = g.window;
    const auto tiled = [&]<int kernel, int stride>() {
        if (win.kernel_h != kernel || win.kernel_w != kernel || win.stride_h != stride || win.stride_w != stride ||
            win.dilation_h != 1 || win.dilation_w != 1 || win.pad_left >= kernel || count < lanes)
            return false;
        constexpr index_t line = 16;
        const index_t most = depthwise_channels(kernel + stride, g.in_w);
        const index_t blocks = (count + most - 1) / most;
        const index_t each = ((count + blocks - 1) / blocks + line - 1) / line * line;
        for (index_t c = 0; c < count; c += each) {
            const index_t some = count - c - each < lanes ? count - c : each;
            for (index_t oy = first; oy < last; ++oy) {
                const index_t top = oy * stride - win.pad_top;
                const taps inside = taps_inside(top, kernel, 1, g.in_h);
                const X* rows[kernel] = {};
                for (index_t ky = inside.first; ky < inside.last; ++ky) rows[ky] = row_at(top + ky);
                depthwise_row<Arch, kernel, stride>(rows, inside, w, ends, g, pixel + (oy - first) * g.out_w,
                                                    channel + c, some);
            }
            if (some != each) break;
        }
        return true;
    };
    if (tiled.template operator()<3, 1>() || tiled.template operator()<3, 2>()) return;
    if constexpr (Ends::has_many_tiles)
        if (tiled.template operator()<5, 1>() || tiled.template operator()<5, 2>()) return;
    for (index_t oy = first; oy < last; ++oy)
        for (index_t ox = 0; ox < g.out_w; ++ox, ++pixel)
            for (index_t c = 0; c < count; c += lanes)
                depthwise_point<Arch, X>(row_at, w, ends, g, oy, ox, pixel, channel + c, (std::min)(lanes, count - c));
}

/// Multiply-adds that pay for waking a thread.
inline constexpr index_t depthwise_grain = index_t{1} << 16;

/// x [n, h, w, c], w [kernel_h, kernel_w, c]. Threads share rows, or the channels of images that have few.
template <class Arch, class X, class Ends>
void depthwise(const X* x, const float* w, const Ends& ends, const convolution& g, int threads) {
    constexpr index_t line = 16;  // channels of floats in a cache line, and in the largest vector
    const index_t rows = g.batch * g.out_h;
    const auto part = [&](index_t first, index_t last, index_t channel, index_t count) {
        while (first < last) {
            const index_t n = first / g.out_h;
            const index_t end = (std::min)(last, (n + 1) * g.out_h);
            const auto row_at = [&](index_t iy) { return x + (n * g.in_h + iy) * g.in_w * g.in_c; };
            depthwise_rows<Arch, X>(row_at, w, ends, g, first - n * g.out_h, end - n * g.out_h, first * g.out_w,
                                    channel, count);
            first = end;
        }
    };
    const index_t work = rows * g.out_w * g.window.kernel_h * g.window.kernel_w * g.in_c;
    const int parts = parts_for(work, {.threads = threads, .grain = depthwise_grain});
    if (rows < 8 * parts && g.in_c >= 2 * line * parts)
        parallel_for(g.in_c, {.threads = parts, .align = line},
                     [&](index_t first, index_t last) { part(0, rows, first, last - first); });
    else
        parallel_for(rows, {.threads = parts}, [&](index_t first, index_t last) { part(first, last, 0, g.in_c); });
}

/// [channels, 1, kernel_h, kernel_w] as [kernel_h, kernel_w, channels].
[[nodiscard]] inline std::vector<float> depthwise_weights(const float* w, index_t channels, const window& win) {
    const index_t taps = win.kernel_h * win.kernel_w;
    std::vector<float> packed(static_cast<std::size_t>(checked_multiply(channels, taps, "number of weights")));
    for (index_t c = 0; c < channels; ++c)
        for (index_t tap = 0; tap < taps; ++tap) packed[static_cast<std::size_t>(tap * channels + c)] = *w++;
    return packed;
}

}  // namespace detail

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = detail::native>
class depthwise_layer {
public:
    /// @param w     [channels, 1, kernel_h, kernel_w], as ONNX has it
    /// @param bias  [channels], or null
    /// @throws argument_error  as `check` of the window
    depthwise_layer(const float* w, const float* bias, index_t channels, const window& win, const activation& act = {})
        : channels_(channels), window_(win), activation_(act) {
        check(win);
        weights_ = detail::depthwise_weights(w, channels, win);
        if (bias != nullptr) bias_.assign(bias, bias + channels);
    }

    [[nodiscard]] index_t channels() const noexcept { return channels_; }
    [[nodiscard]] const nn::window& window() const noexcept { return window_; }

    /// What becomes of images of a size.
    [[nodiscard]] convolution geometry(index_t batch, index_t in_h, index_t in_w) const noexcept {
        return depthwise_convolution(batch, in_h, in_w, channels_, window_);
    }

    /// @param x        [batch, in_h, in_w, channels]
    /// @param y        [batch, out_h, out_w, channels]; must not overlap x
    /// @param threads  0: the process default
    void run(const float* x, float* y, index_t batch, index_t in_h, index_t in_w, int threads = 0) const {
        detail::depthwise<Arch>(x, weights_.data(), ends(y), geometry(batch, in_h, in_w), threads);
    }

    /// Rows [first, last) of the results of one image, on this thread.
    /// @param row_at  gives the row of the image with a number, [in_w, channels]
    /// @param y       [last - first, out_w, channels]
    template <class RowAt>
    void run_rows(const RowAt& row_at, float* y, const convolution& g, index_t first, index_t last) const noexcept {
        detail::depthwise_rows<Arch, float>(row_at, weights_.data(), ends(y), g, first, last, 0, 0, channels_);
    }

private:
    [[nodiscard]] detail::float_ends<Arch> ends(float* y) const noexcept {
        return {bias_.empty() ? nullptr : bias_.data(), y, channels_, activation_};
    }

    index_t channels_;
    nn::window window_;
    activation activation_;
    std::vector<float> weights_;
    std::vector<float> bias_;
};

}  // namespace edge::nn
