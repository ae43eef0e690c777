// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/core/tensor.hpp>
#include <edge/nn/conv.hpp>
#include <edge/nn/reference.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"

#include <cmath>
#include <cstring>

using edge::index_t;
using edge::nn::convolution;
using edge::nn::window;

namespace {

std::vector<float> random_floats(index_t n, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    std::vector<float> v(static_cast<std::size_t>(n));
    for (float& x : v) x = static_cast<float>(random.uniform(-1.0, 1.0));
    return v;
}

/// Runs a convolution on every architecture, with 1 and 3 threads, against the sum in double.
void check(const edge::shape& input, index_t out_c, const window& win, index_t groups) {
    const edge::shape weights{win.kernel_h, win.kernel_w, input[3] / groups, out_c};
    const convolution g = edge::nn::convolution_of(input, weights, win, groups);
    const auto x = random_floats(input.size(), 1);
    const auto w = random_floats(weights.size(), 2);
    const auto bias = random_floats(out_c, 3);
    std::vector<double> expected(static_cast<std::size_t>(g.output().size()));
    edge::nn::reference::convolve<double>(x.data(), w.data(), bias.data(), expected.data(), g);
    INFO("input " << to_string(input) << ", weights " << to_string(weights) << ", stride " << win.stride_h << " "
                  << win.stride_w << ", pads " << win.pad_top << " " << win.pad_left << " " << win.pad_bottom << " "
                  << win.pad_right << ", dilation " << win.dilation_h << " " << win.dilation_w << ", groups "
                  << groups);
    for_each_architecture([&]<class Arch>() {
        guarded<float> y(expected.size(), 4);
        guarded<float> z(expected.size(), 8);
        edge::nn::detail::conv_f32<Arch>(x.data(), w.data(), bias.data(), y.data(), g, {}, 1);
        edge::nn::detail::conv_f32<Arch>(x.data(), w.data(), bias.data(), z.data(), g, {}, 3);
        REQUIRE(y.is_intact());
        REQUIRE(z.is_intact());
        REQUIRE(y.values() == z.values());
        for (std::size_t i = 0; i < expected.size(); ++i)
            REQUIRE(std::abs(static_cast<double>(y.data()[i]) - expected[i]) <= 1e-4);
    });
}

}  // namespace

TEST_CASE("convolution equals the sum in double for windows of every kind", "[nn][conv]") {
    check({1, 7, 9, 3}, 37,
          {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_bottom = 1, .pad_right = 1}, 1);
    check({2, 5, 6, 4}, 6, {.kernel_h = 3, .kernel_w = 2, .pad_top = 1, .pad_left = 1, .pad_bottom = 2}, 2);
    check({1, 9, 8, 2}, 9,
          {.kernel_h = 3, .kernel_w = 3, .pad_top = 3, .pad_left = 2, .dilation_h = 2, .dilation_w = 3}, 1);
    check({1, 4, 4, 3}, 12, {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, 3);
    check({1, 1, 20, 5}, 8, {.kernel_w = 5, .stride_w = 3, .pad_left = 2, .pad_right = 2}, 1);
    check({1, 2, 2, 3}, 5, {.kernel_h = 5, .kernel_w = 5, .pad_top = 9, .pad_left = 9, .pad_bottom = 9, .pad_right = 9},
          1);
    check({1, 2, 2, 3}, 5, {.kernel_h = 3, .kernel_w = 3}, 1);  // no place for the window: no results
    check({0, 4, 4, 3}, 5, {.kernel_h = 3, .kernel_w = 3}, 1);
}

TEST_CASE("a 1x1 convolution equals the sum in double, strided or not", "[nn][conv]") {
    check({2, 5, 7, 19}, 40, {}, 1);
    check({2, 5, 7, 19}, 24, {.stride_h = 2, .stride_w = 3}, 1);
    check({1, 3, 3, 8}, 8, {.pad_top = 1, .pad_left = 1}, 1);
}

TEST_CASE("depthwise convolution equals the sum in double for every remainder", "[nn][conv][depthwise]") {
    for (const index_t stride : {1, 2, 3})
        for (const index_t pad : {0, 1, 2})
            for (const index_t c : {1, 5, 16, 27})
                for (const index_t width : {1, 2, 3, 6, 11}) {
                    const window w{.kernel_h = 3,
                                   .kernel_w = 3,
                                   .stride_h = stride,
                                   .stride_w = stride,
                                   .pad_top = pad,
                                   .pad_left = pad,
                                   .pad_bottom = 1,
                                   .pad_right = 1};
                    check({1, 5, width, c}, c, w, c);
                }
    check({2, 6, 6, 9}, 9, {.kernel_h = 5, .kernel_w = 4, .pad_top = 2, .pad_left = 2}, 9);
    check({2, 7, 7, 9}, 9,
          {.kernel_h = 3, .kernel_w = 3, .pad_top = 2, .pad_left = 2, .dilation_h = 2, .dilation_w = 2}, 9);
}

TEST_CASE("a channel of depthwise has the same bits in a whole vector and in a remainder", "[nn][conv][depthwise]") {
    const window w{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const auto x = random_floats(8 * 8 * 16, 5);
    const auto k = random_floats(9 * 16, 6);
    for_each_architecture([&]<class Arch>() {
        const auto g = edge::nn::convolution_of({1, 8, 8, 16}, {3, 3, 1, 16}, w, 16);
        std::vector<float> all(8 * 8 * 16);
        edge::nn::detail::conv_f32<Arch>(x.data(), k.data(), nullptr, all.data(), g, {}, 1);
        for (std::size_t c = 0; c < 16; ++c) {
            std::vector<float> x1(64), k1(9), y1(64);
            for (std::size_t i = 0; i < 64; ++i) x1[i] = x[i * 16 + c];
            for (std::size_t i = 0; i < 9; ++i) k1[i] = k[i * 16 + c];
            const auto g1 = edge::nn::convolution_of({1, 8, 8, 1}, {3, 3, 1, 1}, w, 1);
            edge::nn::detail::conv_f32<Arch>(x1.data(), k1.data(), nullptr, y1.data(), g1, {}, 1);
            for (std::size_t i = 0; i < 64; ++i) REQUIRE(y1[i] == all[i * 16 + c]);
        }
    });
}

TEST_CASE("convolution folds the activation", "[nn][conv]") {
    const edge::tensor<float> x({1, 1, 3, 1}, {-2.0f, 3.0f, 50.0f});
    const edge::tensor<float> w({1, 1, 1, 1}, {1.0f});
    edge::tensor<float> y({1, 1, 3, 1});
    edge::nn::conv2d(x, w, {}, y, {}, 1, {.limits = edge::nn::relu6});
    CHECK(y[0] == 0.0f);
    CHECK(y[1] == 3.0f);
    CHECK(y[2] == 6.0f);
}

TEST_CASE("windows that make no sense are refused", "[nn][conv]") {
    CHECK_THROWS_AS(edge::nn::check({.stride_h = 0}), edge::argument_error);
    CHECK_THROWS_AS(edge::nn::check({.pad_left = -1}), edge::argument_error);
    CHECK_THROWS_AS(edge::nn::check({.kernel_w = index_t{1} << 40}), edge::argument_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({1, 4, 4, 3}, {1, 1, 2, 8}, {}, 1), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({1, 4, 4, 3}, {1, 1, 3, 8}, {}, 0), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({1, 4, 4, 3}, {3, 1, 3, 8}, {}, 1), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({4, 4, 3}, {1, 1, 3, 8}, {}, 1), edge::shape_error);
    edge::tensor<float> x({1, 4, 4, 3}), w({1, 1, 3, 8}), y({1, 4, 4, 7});
    CHECK_THROWS_WITH(edge::nn::conv2d(x, w, {}, y, {}), "conv2d: output is (1, 4, 4, 7); expected (1, 4, 4, 8)");
}
