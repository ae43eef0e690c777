// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/conv_i8.hpp>
#include <edge/nn/reference.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"

using edge::index_t;
using edge::nn::convolution;
using edge::nn::window;
namespace quant = edge::quant;

namespace {

template <class T>
std::vector<T> random_bytes(index_t n, std::uint64_t seed, bool extreme) {
    edge::splitmix64 random(seed);
    std::vector<T> v(static_cast<std::size_t>(n));
    for (T& x : v)
        x = extreme ? (random.below(8) == 0 ? (std::numeric_limits<T>::min)() : (std::numeric_limits<T>::max)())
                    : static_cast<T>(random());
    return v;
}

template <class X, class W>
void check_types(const edge::shape& input, index_t out_c, const window& win, index_t groups, bool zeros) {
    const edge::shape weights{win.kernel_h, win.kernel_w, input[3] / groups, out_c};
    const convolution g = edge::nn::convolution_of(input, weights, win, groups);
    const auto x = random_bytes<X>(input.size(), 1, !zeros);
    const auto w = random_bytes<W>(weights.size(), 2, !zeros);
    const std::int32_t x_zero = std::is_signed_v<X> ? -128 : 255;
    std::vector<std::int32_t> bias, w_zero;
    for (index_t o = 0; o < out_c; ++o) {
        bias.push_back(static_cast<std::int32_t>(100000000 * (o % 2) - o));
        w_zero.push_back(zeros ? static_cast<std::int32_t>(o % 100) : 0);
    }
    const auto count = static_cast<std::size_t>(g.output().size());
    std::vector<std::int32_t> sums(count);
    edge::nn::reference::convolve<std::int32_t>(x.data(), w.data(), bias.data(), sums.data(), g, x_zero, w_zero.data());
    const std::vector<float> multiplier(static_cast<std::size_t>(out_c), 1e-3f);
    const quant::requantizer rule{multiplier.data(), 10, {10, 200}};
    const edge::nn::integer_convolution<W> layer(g, w.data(), bias.data(), x_zero, w_zero.data());
    INFO("input " << to_string(input) << ", weights " << to_string(weights) << ", stride " << win.stride_h << " "
                  << win.stride_w << ", pads " << win.pad_top << " " << win.pad_left << ", groups " << groups);
    for_each_architecture([&]<class Arch>() {
        for (const int threads : {1, 3}) {
            guarded<std::int32_t> y(count, 4);
            guarded<std::uint8_t> q(count, 3);
            layer.template run<Arch>(x.data(), quant::detail::to_int32{y.data(), out_c}, threads);
            layer.template run<Arch>(x.data(), quant::detail::to_bytes<Arch, std::uint8_t>{q.data(), out_c, rule},
                                     threads);
            REQUIRE((y.is_intact() && q.is_intact()));
            REQUIRE(y.values() == sums);
            for (std::size_t i = 0; i < count; ++i)
                REQUIRE(q.data()[i] == quant::requantize_one<std::uint8_t>(sums[i], 1e-3f, 10, {10, 200}));
        }
    });
}

void check(const edge::shape& input, index_t out_c, const window& win, index_t groups) {
    check_types<std::uint8_t, std::int8_t>(input, out_c, win, groups, false);
    check_types<std::uint8_t, std::uint8_t>(input, out_c, win, groups, true);
    check_types<std::int8_t, std::int8_t>(input, out_c, win, groups, true);
}

}  // namespace

TEST_CASE("integer convolution is exact for windows of every kind", "[nn][conv][i8]") {
    check({1, 7, 9, 3}, 37,
          {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_bottom = 1, .pad_right = 1}, 1);
    check({2, 5, 6, 4}, 6, {.kernel_h = 3, .kernel_w = 2, .pad_top = 1, .pad_left = 1, .pad_bottom = 2}, 2);
    check({1, 9, 8, 2}, 9,
          {.kernel_h = 3, .kernel_w = 3, .pad_top = 3, .pad_left = 2, .dilation_h = 2, .dilation_w = 3}, 1);
    check({1, 4, 4, 3}, 12, {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, 3);
    check({1, 1, 20, 5}, 8, {.kernel_w = 5, .stride_w = 3, .pad_left = 2, .pad_right = 2}, 1);
    check({1, 2, 2, 3}, 5, {.kernel_h = 5, .kernel_w = 5, .pad_top = 9, .pad_left = 9, .pad_bottom = 9, .pad_right = 9},
          1);
    check({1, 20, 20, 3}, 3, {.kernel_h = 17, .kernel_w = 17, .pad_top = 3, .pad_left = 3},
          3);  // too many taps for float
}

TEST_CASE("integer 1x1 convolution is exact, strided or not", "[nn][conv][i8]") {
    check({2, 5, 7, 19}, 40, {}, 1);
    check({2, 5, 7, 19}, 24, {.stride_h = 2, .stride_w = 3}, 1);
    check({1, 3, 3, 8}, 8, {.pad_top = 1, .pad_left = 1}, 1);
}

TEST_CASE("integer depthwise convolution is exact for every remainder", "[nn][conv][depthwise][i8]") {
    for (const index_t stride : {1, 2, 3})
        for (const index_t pad : {0, 1, 2})
            for (const index_t c : {1, 5, 16, 27})
                for (const index_t width : {1, 2, 6, 11})
                    check({1, 5, width, c}, c,
                          {.kernel_h = 3,
                           .kernel_w = 3,
                           .stride_h = stride,
                           .stride_w = stride,
                           .pad_top = pad,
                           .pad_left = pad,
                           .pad_bottom = 1,
                           .pad_right = 1},
                          c);
    check({2, 6, 6, 9}, 9, {.kernel_h = 5, .kernel_w = 4, .pad_top = 2, .pad_left = 2}, 9);
    check({1, 20, 20, 2}, 2, {.kernel_h = 16, .kernel_w = 16, .pad_top = 3, .pad_left = 3},
          2);  // the most that is exact
}
