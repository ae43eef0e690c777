// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/depthwise.hpp>
#include <edge/nn/reference.hpp>

#include "nn/random_windows.hpp"
#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

#include <algorithm>
#include <cmath>
#include <string>

using edge::index_t;
using edge::nn::activation;
using edge::nn::activation_kind;
using edge::nn::convolution;
using edge::nn::depthwise_layer;
using edge::nn::window;

namespace {

double activated(const activation& a, double v) {
    if (a.kind == activation_kind::hard_swish) return v * std::clamp(v / 6.0 + 0.5, 0.0, 1.0);
    return std::clamp(v, static_cast<double>(a.limits.low), static_cast<double>(a.limits.high));
}

std::string text(const convolution& g) {
    const window& w = g.window;
    return edge::message(g.batch, "x", g.in_h, "x", g.in_w, "x", g.in_c, ", kernel ", w.kernel_h, " ", w.kernel_w,
                         ", stride ", w.stride_h, " ", w.stride_w, ", pads ", w.pad_top, " ", w.pad_left, " ",
                         w.pad_bottom, " ", w.pad_right, ", dilation ", w.dilation_h, " ", w.dilation_w);
}

/// On every architecture: near the sum in double, and the same bits as the plain loop, with any number of threads.
void check(index_t batch, index_t in_h, index_t in_w, index_t channels, const window& win, const activation& act,
           bool has_bias, edge::splitmix64& random) {
    const auto w = random_floats(win.kernel_h * win.kernel_w * channels, random);
    const auto bias = random_floats(channels, random);
    const float* b = has_bias ? bias.data() : nullptr;
    const auto x = random_floats(batch * in_h * in_w * channels, random);
    const convolution g = depthwise_layer<>(w.data(), b, channels, win).geometry(batch, in_h, in_w);
    INFO(text(g));
    const auto packed = edge::nn::detail::depthwise_weights(w.data(), channels, win);
    const auto size = static_cast<std::size_t>(batch * g.out_h * g.out_w * channels);
    std::vector<double> expected(size);
    edge::nn::reference::convolve<double>(x.data(), packed.data(), b, expected.data(), g);
    for_each_architecture([&]<class Arch>() {
        const depthwise_layer<Arch> layer(w.data(), b, channels, win, act);
        std::vector<float> plain(size);
        const edge::nn::detail::float_ends<Arch> ends{b, plain.data(), channels, act};
        constexpr auto lanes = static_cast<index_t>(edge::simd::lanes<float, Arch>);
        for (index_t pixel = 0; pixel < batch * g.out_h * g.out_w; ++pixel) {
            const float* image = x.data() + pixel / (g.out_h * g.out_w) * in_h * in_w * channels;
            const auto row_at = [&](index_t iy) { return image + iy * in_w * channels; };
            for (index_t c = 0; c < channels; c += lanes)
                edge::nn::detail::depthwise_point<Arch, float>(row_at, packed.data(), ends, g,
                                                               pixel / g.out_w % g.out_h, pixel % g.out_w, pixel, c,
                                                               std::min(lanes, channels - c));
        }
        for (std::size_t i = 0; i < size; ++i)
            REQUIRE(std::abs(static_cast<double>(plain[i]) - activated(act, expected[i])) <= 1e-5);
        for (const int threads : {1, 3}) {
            guarded<float> y(size, 4);
            layer.run(x.data(), y.data(), batch, in_h, in_w, threads);
            REQUIRE(y.is_intact());
            REQUIRE(y.values() == plain);
        }
    });
}

constexpr activation none{};
constexpr activation relu6{.limits = edge::nn::relu6};
constexpr activation hard_swish{activation_kind::hard_swish};

}  // namespace

TEST_CASE("depthwise layers of random shapes equal the sum in double and the plain loop", "[nn][depthwise]") {
    edge::splitmix64 random(1);
    const random_extents any{random};
    for (int i = 0; i < 60; ++i) {
        const index_t kernel = i % 2 == 0 ? 3 : 5;
        const window w = any.window(kernel, kernel);
        check(any(1, 2), any(1, 9), any(1, 37), any(1, 3) * any(1, 19), w, i % 3 == 0 ? relu6 : none, i % 4 != 0,
              random);
    }
}

TEST_CASE("depthwise layers of networks equal the sum in double and the plain loop", "[nn][depthwise]") {
    edge::splitmix64 random(2);
    const window same{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    window tensorflow{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_bottom = 1, .pad_right = 1};
    check(1, 7, 7, 96, same, relu6, true, random);
    check(1, 3, 35, 32, same, hard_swish, true, random);
    check(1, 6, 14, 48, tensorflow, relu6, true, random);
    tensorflow.kernel_h = tensorflow.kernel_w = 5;
    tensorflow.pad_left = 1;
    tensorflow.pad_right = 2;
    check(1, 6, 28, 40, tensorflow, hard_swish, true, random);
}

TEST_CASE("depthwise layers with windows of any kind take the plain loop", "[nn][depthwise]") {
    edge::splitmix64 random(3);
    check(2, 6, 6, 9, {.kernel_h = 5, .kernel_w = 4, .pad_top = 2, .pad_left = 2}, none, true, random);
    check(1, 7, 9, 18, {.kernel_h = 3, .kernel_w = 3, .pad_top = 2, .pad_left = 2, .dilation_h = 2, .dilation_w = 2},
          relu6, false, random);
    check(1, 9, 8, 17, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 1}, none, true, random);
    check(1, 9, 8, 16, {.kernel_h = 3, .kernel_w = 3, .stride_h = 3, .stride_w = 3}, hard_swish, true, random);
    check(1, 1, 1, 16, {.kernel_h = 3, .kernel_w = 3}, none, true, random);  // no place for the window: no results
    check(0, 4, 4, 16, {.kernel_h = 3, .kernel_w = 3}, none, true, random);
}

TEST_CASE("a NaN reaches the depthwise results whose windows see it, and infinite weights no others",
          "[nn][depthwise]") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const window same{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    constexpr index_t side = 20;
    constexpr index_t channels = 16;
    for_each_architecture([&]<class Arch>() {
        std::vector<float> w(9 * channels, 1.0f);
        w[0] = infinity;  // above and to the left, of channel 0
        const depthwise_layer<Arch> layer(w.data(), nullptr, channels, same, relu6);
        std::vector<float> x(side * side * channels, 1.0f), y(x.size());
        x[(5 * side + 9) * channels + 3] = nan;
        layer.run(x.data(), y.data(), 1, side, side, 1);
        for (index_t iy = 0; iy < side; ++iy)
            for (index_t ix = 0; ix < side; ++ix)
                for (index_t c = 0; c < channels; ++c) {
                    const float value = y[static_cast<std::size_t>((iy * side + ix) * channels + c)];
                    const bool sees = c == 3 && iy >= 4 && iy <= 6 && ix >= 8 && ix <= 10;
                    REQUIRE(std::isnan(value) == sees);
                    if (!sees) REQUIRE((value == 6.0f || ((iy == 0 || iy == side - 1) && value == 4.0f)));
                }
    });
}

TEST_CASE("a depthwise layer allocates nothing when it runs", "[nn][depthwise]") {
    const window same{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const std::vector<float> w(9 * 24, 0.5f), bias(24, 1.0f), x(10 * 10 * 24, 1.0f);
    std::vector<float> y(x.size());
    const depthwise_layer<> layer(w.data(), bias.data(), 24, same);
    const auto before = allocations();
    layer.run(x.data(), y.data(), 1, 10, 10, 1);
    CHECK(allocations() == before);
    CHECK(y[11 * 24] == 5.5f);
}

TEST_CASE("depthwise layers refuse windows that make no sense", "[nn][depthwise]") {
    const float w[9] = {};
    CHECK_THROWS_AS(depthwise_layer<>(w, nullptr, 1, {.kernel_h = 0}), edge::argument_error);
}
