// SPDX-License-Identifier: MIT
#pragma once

/// @file Convolution of 8-bit integers with exact int32 sums, any window, grouped, strided, padded, dilated.
///
///     edge::nn::integer_convolution<std::int8_t> layer(g, w, bias, x_zero);           // packs the weights, once
///     layer.run<Arch>(x, edge::quant::detail::to_bytes<Arch, std::uint8_t>{y, g.out_c, rule}, threads);
///
/// sum = bias + Σ (x - x_zero)·(w - w_zero), padding being x_zero. Exact while the true result fits int32, that is for
/// up to 33025 products; beyond, it wraps modulo 2^32, on every architecture alike. What becomes of the sums is said by
/// `finish` as in quant/dense.hpp, whose rows are the pixels.

#include <edge/nn/depthwise.hpp>
#include <edge/quant/dense.hpp>

#include <vector>

namespace edge::nn {

namespace detail {

/// As `float_ends`, for bytes: the sums are whole numbers, and the bias joins them as int32.
template <class Arch, class X, class Finish>
struct byte_ends {
    using batch = xsimd::batch<float, Arch>;
    static constexpr bool has_many_tiles = false;  // there is one for each way to make bytes of sums
    float x_zero;
    const std::int32_t* bias;
    const Finish& after;

    [[nodiscard]] batch load(const X* p, index_t count) const noexcept {
        if (count == static_cast<index_t>(batch::size)) return simd::load_as_float<Arch>(p) - batch(x_zero);
        X bytes[batch::size] = {};
        std::memcpy(bytes, p, static_cast<std::size_t>(count));
        return simd::load_as_float<Arch>(bytes) - batch(x_zero);
    }
    [[nodiscard]] batch start(index_t, index_t) const noexcept { return batch(0.0f); }
    void finish(const batch& sum, index_t pixel, index_t channel, index_t count) const noexcept {
        alignas(alignment) std::int32_t sums[batch::size];
        simd::round_to_int<Arch>(sum).store_aligned(sums);
        for (index_t i = 0; i < count; ++i)
            sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) +
                                                static_cast<std::uint32_t>(bias[channel + i]));
        after(sums, pixel, channel, count);
    }
    template <int n>
    void finish(batch (&sum)[n], index_t exist, index_t pixel, index_t channel) const noexcept {
        for (index_t r = 0; r < exist; ++r) finish(sum[r], pixel + r, channel, static_cast<index_t>(batch::size));
    }
};

}  // namespace detail

/// The weights of a convolution as its kernel wants them.
template <quant::byte_integer W>
class integer_convolution {
public:
    /// @param w       [kernel_h, kernel_w, c_in / groups, c_out]
    /// @param bias    [c_out], or null
    /// @param w_zero  [c_out], or null where all are 0
    integer_convolution(const convolution& g, const W* w, const std::int32_t* bias, std::int32_t x_zero,
                        const std::int32_t* w_zero = nullptr)
        : g_(g), x_zero_(x_zero) {
        const auto channels = static_cast<std::size_t>(g.out_c);
        bias_.assign(channels, 0);
        if (bias != nullptr) bias_.assign(bias, bias + g.out_c);
        if (w_zero != nullptr && std::any_of(w_zero, w_zero + g.out_c, [](std::int32_t z) { return z != 0; }))
            w_zero_.assign(w_zero, w_zero + g.out_c);
        taps_ = g.window.kernel_h * g.window.kernel_w;
        if (is_depthwise())
            pack_depthwise(w);
        else
            pack(w);
    }

    [[nodiscard]] const convolution& geometry() const noexcept { return g_; }

    /// @param x       [n, h, w, c_in]
    /// @param finish  takes (sums, pixel, first channel, count); pixels are those of [n, out_h, out_w] in order
    template <class Arch, quant::byte_integer X, class Finish>
    void run(const X* x, const Finish& finish, int threads) const {
        if (is_depthwise()) {
            const detail::byte_ends<Arch, X, Finish> ends{static_cast<float>(x_zero_), bias_.data(), finish};
            return detail::depthwise<Arch>(x, depthwise_.data(), ends, g_, threads);
        }
        const std::int32_t* w_zero = w_zero_.empty() ? nullptr : w_zero_.data();
        if (g_.is_pointwise() && g_.window.stride_h == 1 && g_.window.stride_w == 1)
            return quant::detail::dense_i8<Arch>(x, g_.in_c, weights_.data(), start_.data(), w_zero,
                                                 g_.batch * g_.out_h * g_.out_w, g_.out_c, g_.in_c, finish, threads);
        parallel_for(g_.batch * g_.out_h, {.threads = threads}, [&](index_t first, index_t last) {
            for (index_t row = first; row < last; ++row) {
                const X* image = x + row / g_.out_h * g_.in_h * g_.in_w * g_.in_c;
                if (g_.is_pointwise())  // a dense layer on every stride_w-th pixel of every stride_h-th row
                    quant::detail::dense_i8<Arch>(image + row % g_.out_h * g_.window.stride_h * g_.in_w * g_.in_c,
                                                  g_.window.stride_w * g_.in_c, weights_.data(), start_.data(), w_zero,
                                                  g_.out_w, 0, g_.out_c, g_.in_c,
                                                  quant::detail::from_row<Finish>{finish, row * g_.out_w});
                else
                    for (index_t ox = 0; ox < g_.out_w; ++ox) point<Arch>(image, row, ox, finish);
            }
        });
    }

private:
    [[nodiscard]] bool is_depthwise() const noexcept { return g_.is_depthwise() && taps_ <= detail::exact_taps; }
    [[nodiscard]] std::int32_t w_zero(index_t o) const noexcept {
        return w_zero_.empty() ? 0 : w_zero_[static_cast<std::size_t>(o)];
    }

    /// [kernel_h, kernel_w, c] as floats, their zero points taken off.
    void pack_depthwise(const W* w) {
        for (index_t tap = 0; tap < taps_; ++tap)
            for (index_t c = 0; c < g_.out_c; ++c)
                depthwise_.push_back(static_cast<float>(w[tap * g_.out_c + c] - w_zero(c)));
    }

    /// [c_out, kernel_h, kernel_w, c_in / groups], the sums of each tap, and where sums of whole windows start.
    void pack(const W* w) {
        const index_t depth = g_.group_in();
        weights_.resize(static_cast<std::size_t>(g_.out_c * taps_ * depth));
        tap_sums_.assign(static_cast<std::size_t>(taps_ * g_.out_c), 0);
        for (index_t o = 0; o < g_.out_c; ++o) {
            W* to = weights_.data() + o * taps_ * depth;
            for (index_t tap = 0; tap < taps_; ++tap) {
                std::int32_t sum = 0;
                for (index_t c = 0; c < depth; ++c) {
                    *to = w[(tap * depth + c) * g_.out_c + o];
                    sum += *to++ - w_zero(o);
                }
                tap_sums_[static_cast<std::size_t>(tap * g_.out_c + o)] = static_cast<std::uint32_t>(sum);
            }
            start_.push_back(quant::detail::dense_start(weights_.data() + o * taps_ * depth, taps_ * depth,
                                                        bias_[static_cast<std::size_t>(o)], x_zero_, w_zero(o)));
        }
    }

    /// One pixel. A row of taps is one product where its bytes lie next to each other.
    template <class Arch, class X, class Finish>
    void point(const X* image, index_t row, index_t ox, const Finish& finish) const noexcept {
        constexpr index_t most = quant::detail::channels_at_once;
        const nn::window& win = g_.window;
        const index_t top = row % g_.out_h * win.stride_h - win.pad_top;
        const index_t left = ox * win.stride_w - win.pad_left;
        const detail::taps rows = detail::taps_inside(top, win.kernel_h, win.dilation_h, g_.in_h);
        const detail::taps columns = detail::taps_inside(left, win.kernel_w, win.dilation_w, g_.in_w);
        const index_t across = (std::max)(index_t{0}, columns.last - columns.first);
        const bool whole = (std::max)(index_t{0}, rows.last - rows.first) * across == taps_;
        const index_t depth = g_.group_in();
        const index_t run = g_.groups == 1 && win.dilation_w == 1 ? across : 1;  // taps that are multiplied at once
        // Calls f(x, tap, taps) for the runs of taps inside the image.
        const auto for_each_run = [&](const X* in, auto&& f) {
            for (index_t ky = rows.first; ky < rows.last; ++ky)
                for (index_t kx = columns.first; kx < columns.last; kx += run)
                    f(in + ((top + ky * win.dilation_h) * g_.in_w + left + kx * win.dilation_w) * g_.in_c,
                      ky * win.kernel_w + kx, run);
        };
        std::int32_t sums[most];
        for (index_t group = 0; group < g_.groups; ++group) {
            const X* in = image + group * depth;
            std::uint32_t total = 0;
            if (!w_zero_.empty())
                for_each_run(in,
                             [&](const X* at, index_t, index_t n) { total += quant::detail::sum_of(at, n * depth); });
            const index_t last = (group + 1) * g_.group_out();
            for (index_t o = group * g_.group_out(); o < last; o += most) {
                const index_t count = (std::min)(most, last - o);
                for (index_t c = 0; c < count; ++c) {
                    const W* w = weights_.data() + (o + c) * taps_ * depth;
                    const auto channel = static_cast<std::size_t>(o + c);
                    auto sum = static_cast<std::uint32_t>(whole ? start_[channel] : bias_[channel]);
                    for_each_run(in, [&](const X* at, index_t tap, index_t n) {
                        sum += static_cast<std::uint32_t>(simd::dot<Arch>(at, w + tap * depth, n * depth));
                        if (whole) return;
                        for (index_t t = tap; t < tap + n; ++t)
                            sum -= static_cast<std::uint32_t>(x_zero_) *
                                   tap_sums_[static_cast<std::size_t>(t * g_.out_c + o + c)];
                    });
                    sum -= static_cast<std::uint32_t>(w_zero(o + c)) * total;
                    sums[c] = static_cast<std::int32_t>(sum);
                }
                finish(sums, row * g_.out_w + ox, o, count);
            }
        }
    }

    convolution g_;
    std::int32_t x_zero_;
    index_t taps_ = 0;
    std::vector<std::int32_t> bias_, w_zero_, start_;
    std::vector<W> weights_;
    std::vector<std::uint32_t> tap_sums_;
    std::vector<float> depthwise_;
};

}  // namespace edge::nn
