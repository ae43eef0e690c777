// SPDX-License-Identifier: MIT
#pragma once

/// @file Float images of planes to uint8 images of pixels, as the first layer of a quantized network reads them.
///
///     edge::nn::integer::quantize_pixels(x, y, batch, channels, pixels, p, threads);

#include <edge/core/parallel.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/quant/quantize.hpp>

namespace edge::nn::integer {

namespace detail {

/// to[3 · i + c] = planes[c · step + i]. Four bytes a store: the last one is the next pixel's, and written again.
inline void interleave_three(const std::uint8_t* planes, index_t step, index_t pixels, std::uint8_t* to) noexcept {
    for (index_t i = 0; i + 1 < pixels; ++i) {
        const std::uint8_t pixel[4] = {planes[i], planes[step + i], planes[2 * step + i], 0};
        std::memcpy(to + 3 * i, pixel, 4);
    }
    for (index_t c = 0; c < 3 && pixels > 0; ++c) to[3 * (pixels - 1) + c] = planes[c * step + pixels - 1];
}

}  // namespace detail

/// @param x       [batch, channels, pixels]
/// @param y       [batch, pixels, channels], by the rule of quant/quantize.hpp
/// @param threads 0: the process default
template <class Arch = nn::detail::native>
void quantize_pixels(const float* x, std::uint8_t* y, index_t batch, index_t channels, index_t pixels,
                     const quant::parameters& p, int threads = 0) {
    constexpr index_t some = 512;       // pixels at a time, so that what is quantized stays in the first cache
    constexpr index_t most_planes = 4;  // and planes
    const index_t blocks = (pixels + some - 1) / some;
    const index_t grain = (index_t{1} << 15) / (some * channels + 1) + 1;
    parallel_for(batch * blocks, {.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
        std::uint8_t planes[most_planes * some];
        for (index_t block = first; block < last; ++block) {
            const index_t n = block / blocks;
            const index_t at = block % blocks * some;
            const index_t count = (std::min)(some, pixels - at);
            for (index_t c = 0; c < channels; c += most_planes) {
                const index_t together = (std::min)(most_planes, channels - c);
                for (index_t i = 0; i < together; ++i)
                    quant::detail::quantize<Arch>(x + (n * channels + c + i) * pixels + at, planes + i * some, count, p,
                                                  quant::limits_of<std::uint8_t>);
                std::uint8_t* const to = y + (n * pixels + at) * channels + c;
                if (channels == 3) {
                    detail::interleave_three(planes, some, count, to);
                } else {
                    for (index_t pixel = 0; pixel < count; ++pixel)
                        for (index_t i = 0; i < together; ++i) to[pixel * channels + i] = planes[i * some + pixel];
                }
            }
        }
    });
}

}  // namespace edge::nn::integer
