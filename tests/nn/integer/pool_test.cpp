// SPDX-License-Identifier: MIT
#include <edge/nn/integer/pool.hpp>

#include "nn/random_windows.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_bytes.hpp"

#include <algorithm>
#include <cmath>

using edge::index_t;
using edge::nn::convolution;
using edge::nn::window;
using edge::nn::integer::byte_mean;

namespace {

std::uint8_t rounded(std::int64_t sum, index_t n, const byte_mean& m) {
    const volatile float divisor = static_cast<float>(n) * m.y_scale;
    const volatile float multiplier = m.x_scale / divisor;
    const volatile float v = static_cast<float>(sum) * multiplier;
    const double q = std::nearbyint(double{v}) + m.zero_point;
    return static_cast<std::uint8_t>(std::clamp<double>(q, m.range.low, m.range.high));
}

/// Of each window: the largest byte, and the mean over the taps inside or over all.
struct expectation {
    std::vector<std::uint8_t> most, inside, all;

    expectation(const std::vector<std::uint8_t>& x, const convolution& g, const byte_mean& m) {
        for (index_t i = 0; i < g.batch * g.out_h * g.out_w * g.in_c; ++i) {
            const index_t pixel = i / g.in_c;
            std::uint8_t largest = 0;
            std::int64_t sum = 0;
            index_t taps = 0;
            for (index_t ky = 0; ky < g.window.kernel_h; ++ky)
                for (index_t kx = 0; kx < g.window.kernel_w; ++kx) {
                    const index_t iy =
                        pixel / g.out_w % g.out_h * g.window.stride_h - g.window.pad_top + ky * g.window.dilation_h;
                    const index_t ix =
                        pixel % g.out_w * g.window.stride_w - g.window.pad_left + kx * g.window.dilation_w;
                    if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) continue;
                    const index_t n = pixel / g.out_w / g.out_h;
                    const auto v = x[static_cast<std::size_t>(((n * g.in_h + iy) * g.in_w + ix) * g.in_c + i % g.in_c)];
                    largest = std::max(largest, v);
                    sum += v - m.x_zero;
                    ++taps;
                }
            most.push_back(largest);
            inside.push_back(rounded(sum, std::max<index_t>(taps, 1), m));
            all.push_back(rounded(sum, g.window.kernel_h * g.window.kernel_w, m));
        }
    }
};

}  // namespace

TEST_CASE("pools of bytes equal sums in 64 bits, for random windows", "[nn][integer]") {
    edge::splitmix64 random(1);
    const random_extents any{random};
    for (int i = 0; i < 40; ++i) {
        const window w{.kernel_h = any(1, 4),
                       .kernel_w = any(1, 4),
                       .stride_h = any(1, 3),
                       .stride_w = any(1, 3),
                       .pad_top = any(0, 4),
                       .pad_left = any(0, 4),
                       .pad_bottom = any(0, 4),
                       .pad_right = any(0, 4),
                       .dilation_h = any(1, 2),
                       .dilation_w = any(1, 2)};
        const convolution g = edge::nn::pooling_of({any(1, 2), any(1, 9), any(1, 9), any(1, 140)}, w);
        const byte_mean mean{.x_scale = static_cast<float>(random.uniform(0.1, 2.0)),
                             .y_scale = static_cast<float>(random.uniform(0.1, 2.0)),
                             .x_zero = static_cast<std::int32_t>(any(0, 255)),
                             .zero_point = static_cast<std::int32_t>(any(0, 255)),
                             .range = {3, 251}};
        const auto x = random_bytes(g.batch * g.in_h * g.in_w * g.in_c, random);
        const expectation right(x, g, mean);
        for_each_architecture([&]<class Arch>() {
            for (int threads = 1; threads <= 3; threads += 2) {
                guarded<std::uint8_t> y(right.most.size(), 5);
                edge::nn::integer::max_pool<Arch>(x.data(), y.data(), g, threads);
                REQUIRE(y.values() == right.most);
                edge::nn::integer::average_pool<Arch>(x.data(), y.data(), g, mean, false, threads);
                REQUIRE(y.values() == right.inside);
                edge::nn::integer::average_pool<Arch>(x.data(), y.data(), g, mean, true, threads);
                REQUIRE(y.values() == right.all);
                REQUIRE(y.is_intact());
            }
        });
    }
}

TEST_CASE("means of whole images of bytes are exact and rounded once, at any scale", "[nn][integer]") {
    edge::splitmix64 random(2);
    const std::pair<index_t, index_t> shapes[] = {{49, 1280}, {1, 3}, {7, 64}, {20, 65}, {3000, 90}, {0, 5}};
    for (const auto& shape : shapes)
        for (const float x_scale : {1e-12f, 0.5f, 1e30f}) {
            const index_t pixels = shape.first;
            const index_t channels = shape.second;
            const byte_mean mean{.x_scale = x_scale, .y_scale = 0.25f, .x_zero = 128, .zero_point = 40};
            auto x = random_bytes(2 * pixels * channels, random);
            for (std::size_t i = 0; i < x.size(); i += static_cast<std::size_t>(channels)) x[i] = 255;
            std::vector<std::uint8_t> right;
            for (index_t i = 0; i < 2 * channels; ++i) {
                std::int64_t sum = 0;
                for (index_t p = 0; p < pixels; ++p)
                    sum += x[static_cast<std::size_t>((i / channels * pixels + p) * channels + i % channels)] - 128;
                right.push_back(rounded(sum, std::max<index_t>(pixels, 1), mean));
            }
            for_each_architecture([&]<class Arch>() {
                for (int threads = 1; threads <= 4; threads += 3) {
                    guarded<std::uint8_t> y(right.size(), 1);
                    edge::nn::integer::global_average_pool<Arch>(x.data(), y.data(), 2, pixels, channels, mean,
                                                                 threads);
                    REQUIRE(y.is_intact());
                    REQUIRE(y.values() == right);
                }
            });
        }
}
