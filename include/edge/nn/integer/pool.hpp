// SPDX-License-Identifier: MIT
#pragma once

/// @file Pooling of quantized NHWC images: the largest or the mean of a window, and the mean of whole images.
///
///     const auto g = edge::nn::pooling_of({1, 14, 14, 64}, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2});
///     edge::nn::integer::average_pool(x, y, g, {.x_scale = 0.1f, .y_scale = 0.05f}, false, threads);
///     edge::nn::integer::global_average_pool(x, y, batch, 7 * 7, 1280, mean, threads);
///
/// Sums are exact, and rounded once. The bits depend neither on the architecture nor on the number of threads.

#include <edge/nn/pool.hpp>
#include <edge/quant/parameters.hpp>
#include <edge/simd/interleave.hpp>

namespace edge::nn::integer {

/// Mean of n quantized values, in the scale of the result:
///
///     y = clamp(round(float(Σx - n · x_zero) · (x_scale / (float(n) · y_scale))) + zero_point)
struct byte_mean {
    float x_scale = 1.0f;
    float y_scale = 1.0f;
    std::int32_t x_zero = 0;
    std::int32_t zero_point = 0;
    quant::limits range = {0, 255};
};

namespace detail {

/// Calls `f(bytes of a tap)` for those of a window, from channel `c` on; lanes past `count` hold anything.
template <class A, class F>
EDGE_ALWAYS_INLINE void for_each_tap(const nn::detail::taps& rows, const nn::detail::taps& columns,
                                     const std::uint8_t* image, const convolution& g, index_t c, index_t count,
                                     const F& f) noexcept {
    using bytes = simd::bytes<A>;
    for (index_t ky = rows.first; ky < rows.last; ++ky)
        for (index_t kx = columns.first; kx < columns.last; ++kx) {
            const std::uint8_t* from = image + (ky * g.window.dilation_h * g.in_w + kx * g.window.dilation_w) * g.in_c;
            std::uint8_t some[bytes::size] = {};
            if (count != static_cast<index_t>(bytes::size)) {
                std::memcpy(some, from + c, static_cast<std::size_t>(count));
                f(bytes::load_unaligned(some));
            } else {
                f(bytes::load_unaligned(from + c));
            }
        }
}

template <class A>
void store_bytes(const simd::bytes<A>& x, std::uint8_t* to, index_t count) noexcept {
    constexpr auto lanes = static_cast<index_t>(simd::bytes<A>::size);
    if (count == lanes) return x.store_unaligned(to);
    std::uint8_t all[lanes];
    x.store_unaligned(all);
    std::memcpy(to, all, static_cast<std::size_t>(count));
}

/// The mean of a window for `channels` channels.
/// @param n  what the sum is divided by
template <class Arch>
void mean_of_window(const nn::detail::taps& rows, const nn::detail::taps& columns, const std::uint8_t* image,
                    std::uint8_t* to, const convolution& g, index_t channels, index_t n,
                    const byte_mean& mean) noexcept {
    using A = simd::byte_arch<Arch>;
    using integers = simd::batch<std::int32_t, A>;
    using floats = simd::batch<float, A>;
    constexpr auto lanes = static_cast<index_t>(simd::bytes<A>::size);
    const auto inside = [](const nn::detail::taps& t) { return (std::max)(index_t{0}, t.last - t.first); };
    const integers start(static_cast<std::int32_t>(-inside(rows) * inside(columns) * mean.x_zero));
    const floats multiplier(mean.x_scale / (static_cast<float>(n) * mean.y_scale));
    const floats low(static_cast<float>(mean.range.low - mean.zero_point));
    const floats high(static_cast<float>(mean.range.high - mean.zero_point));
    for (index_t c = 0; c < channels; c += lanes) {
        const index_t count = (std::min)(lanes, channels - c);
        integers sum[4] = {start, start, start, start};
        for_each_tap<A>(rows, columns, image, g, c, count, [&](const simd::bytes<A>& x) {
            integers part[4];
            simd::widen_bytes<A>(x, part);
            simd::unrolled<4>([&](auto j) { sum[j] = sum[j] + part[j]; });
        });
        simd::unrolled<4>([&](auto j) {
            const floats v = xsimd::to_float(sum[j]) * multiplier;
            sum[j] = simd::round_to_int<A>(simd::at_most(simd::at_least(low, v), high));
        });
        store_bytes<A>(simd::narrow_bytes<A>(sum, static_cast<std::int16_t>(mean.zero_point)), to + c, count);
    }
}

}  // namespace detail

/// @param x  [n, h, w, c] of `g`
/// @param y  [n, out_h, out_w, c], quantized as x; 0 where a window lies in the padding alone
template <class Arch = nn::detail::native>
void max_pool(const std::uint8_t* x, std::uint8_t* y, const convolution& g, int threads = 0) {
    using A = simd::byte_arch<Arch>;
    using bytes = simd::bytes<A>;
    constexpr auto lanes = static_cast<index_t>(bytes::size);
    nn::detail::for_each_window(
        x, y, g, threads, [&](const auto& rows, const auto& columns, const std::uint8_t* image, std::uint8_t* to) {
            for (index_t c = 0; c < g.in_c; c += lanes) {
                const index_t count = (std::min)(lanes, g.in_c - c);
                bytes most(std::uint8_t{0});
                detail::for_each_tap<A>(rows, columns, image, g, c, count,
                                        [&](const bytes& v) { most = xsimd::max(most, v); });
                detail::store_bytes<A>(most, to + c, count);
            }
        });
}

/// @param counts_padding  whether the mean is over all taps of the window, padding being `x_zero`, or over those inside
/// @param y  [n, out_h, out_w, c]; what stands for 0 where a window lies in the padding alone
template <class Arch = nn::detail::native>
void average_pool(const std::uint8_t* x, std::uint8_t* y, const convolution& g, const byte_mean& mean,
                  bool counts_padding = false, int threads = 0) {
    nn::detail::for_each_window(
        x, y, g, threads, [&](const auto& rows, const auto& columns, const std::uint8_t* image, std::uint8_t* to) {
            const auto inside = [](const nn::detail::taps& t) { return (std::max)(index_t{0}, t.last - t.first); };
            const index_t taps =
                counts_padding ? g.window.kernel_h * g.window.kernel_w : inside(rows) * inside(columns);
            detail::mean_of_window<Arch>(rows, columns, image, to, g, g.in_c, (std::max)(index_t{1}, taps), mean);
        });
}

/// @param x  [batch, pixels, channels], pixels < 2^23
/// @param y  [batch, channels]; what stands for 0 where there are no pixels
template <class Arch = nn::detail::native>
void global_average_pool(const std::uint8_t* x, std::uint8_t* y, index_t batch, index_t pixels, index_t channels,
                         const byte_mean& mean, int threads = 0) {
    constexpr index_t line = 64;  // channels in a cache line; threads share those of all images
    const index_t blocks = (channels + line - 1) / line;
    const index_t grain = (index_t{1} << 18) / (pixels * line + 1) + 1;
    const convolution g{.in_w = pixels, .in_c = channels};
    parallel_for(batch * blocks, {.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) {
            const index_t c = i % blocks * line;
            detail::mean_of_window<Arch>({0, 1}, {0, pixels}, x + i / blocks * pixels * channels + c,
                                         y + i / blocks * channels + c, g, (std::min)(channels - c, line),
                                         (std::max)(index_t{1}, pixels), mean);
        }
    });
}

}  // namespace edge::nn::integer
