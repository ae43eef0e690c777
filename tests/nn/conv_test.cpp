// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/core/tensor.hpp>
#include <edge/nn/conv.hpp>
#include <edge/nn/reference.hpp>

#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

using edge::index_t;
using edge::nn::convolution;
using edge::nn::window;

namespace {

/// A layer made and run once, of weights [kernel_h, kernel_w, in_c / groups, out_c].
template <class Arch>
void convolve(const float* x, const float* w, const float* bias, float* y, const convolution& g, int threads) {
    const index_t taps = g.window.kernel_h * g.window.kernel_w;
    const index_t depth = g.group_in();
    std::vector<float> turned;
    for (index_t o = 0; o < g.out_c; ++o)
        for (index_t c = 0; c < depth; ++c)
            for (index_t t = 0; t < taps; ++t) turned.push_back(w[(t * depth + c) * g.out_c + o]);
    const edge::nn::conv_layer<Arch> layer(turned.data(), bias, g.in_c, g.out_c, g.groups, g.window);
    const auto scratch = edge::detail::allocate_bytes(static_cast<std::size_t>(layer.scratch_bytes(g, threads)));
    layer.run(x, nullptr, y, g, scratch.get(), threads);
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
        convolve<Arch>(x.data(), w.data(), bias.data(), y.data(), g, 1);
        convolve<Arch>(x.data(), w.data(), bias.data(), z.data(), g, 3);
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
        convolve<Arch>(x.data(), k.data(), nullptr, all.data(), g, 1);
        for (std::size_t c = 0; c < 16; ++c) {
            std::vector<float> x1(64), k1(9), y1(64);
            for (std::size_t i = 0; i < 64; ++i) x1[i] = x[i * 16 + c];
            for (std::size_t i = 0; i < 9; ++i) k1[i] = k[i * 16 + c];
            const auto g1 = edge::nn::convolution_of({1, 8, 8, 1}, {3, 3, 1, 1}, w, 1);
            convolve<Arch>(x1.data(), k1.data(), nullptr, y1.data(), g1, 1);
            for (std::size_t i = 0; i < 64; ++i) REQUIRE(y1[i] == all[i * 16 + c]);
        }
    });
}

namespace {

/// What ONNX says a convolution is, as one chain of multiply-adds for each result.
std::vector<float> chains(const std::vector<float>& x, const std::vector<float>& w, const float* bias,
                          const float* residual, const convolution& g) {
    std::vector<float> y;
    for (index_t n = 0; n < g.batch; ++n)
        for (index_t oy = 0; oy < g.out_h; ++oy)
            for (index_t ox = 0; ox < g.out_w; ++ox)
                for (index_t o = 0; o < g.out_c; ++o) {
                    const window& win = g.window;
                    const index_t depth = g.group_in();
                    float sum = g.is_depthwise() && bias != nullptr ? bias[o] : 0.0f;
                    for (index_t ky = 0; ky < win.kernel_h; ++ky)
                        for (index_t kx = 0; kx < win.kernel_w; ++kx)
                            for (index_t c = 0; c < depth; ++c) {
                                const index_t iy = oy * win.stride_h - win.pad_top + ky * win.dilation_h;
                                const index_t ix = ox * win.stride_w - win.pad_left + kx * win.dilation_w;
                                if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) continue;
                                const index_t in = o / g.group_out() * depth + c;
                                sum = std::fma(
                                    x[static_cast<std::size_t>(((n * g.in_h + iy) * g.in_w + ix) * g.in_c + in)],
                                    w[static_cast<std::size_t>(((o * depth + c) * win.kernel_h + ky) * win.kernel_w +
                                                               kx)],
                                    sum);
                            }
                    if (bias != nullptr && !g.is_depthwise()) sum += bias[o];
                    if (residual != nullptr) sum += residual[y.size()];
                    y.push_back(sum);
                }
    return y;
}

float activated(const edge::nn::activation& a, float v) {
    if (a.kind == edge::nn::activation_kind::hard_swish)
        return v * std::clamp(std::fma(v, 1.0f / 6.0f, 0.5f), 0.0f, 1.0f);
    return std::isnan(v) ? v : std::clamp(v, a.limits.low, a.limits.high);
}

std::vector<float> planes_of(const std::vector<float>& x, const convolution& g) {
    std::vector<float> planes;
    const auto size = static_cast<std::size_t>(g.in_h * g.in_w);
    const auto c = static_cast<std::size_t>(g.in_c);
    for (std::size_t n = 0; n < static_cast<std::size_t>(g.batch); ++n)
        for (std::size_t i = 0; i < c; ++i)
            for (std::size_t p = 0; p < size; ++p) planes.push_back(x[(n * size + p) * c + i]);
    return planes;
}

struct layer_case {
    convolution g;
    bool has_bias = true;
    bool has_residual = false;
    edge::nn::activation act{};
};

/// Whether `Arch` rounds once.
template <class Arch>
constexpr bool is_fused = xsimd::batch<float, Arch>::size == 16
#if defined(__FMA__)
                          || std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>
#endif
#if defined(__aarch64__)
                          || std::is_same_v<Arch, xsimd::neon64>
#endif
    ;

/// Runs a layer on every architecture with 1 to 4 threads, from pixels and from planes.
void check_layer(const layer_case& c) {
    const convolution& g = c.g;
    const window& win = g.window;
    const index_t taps = win.kernel_h * win.kernel_w;
    const auto x = random_floats(g.batch * g.in_h * g.in_w * g.in_c, 1);
    const auto w = random_floats(g.out_c * g.group_in() * taps, 2);
    const auto bias = random_floats(g.out_c, 3);
    const auto residual = random_floats(g.output().size(), 4);
    const float* b = c.has_bias ? bias.data() : nullptr;
    const float* r = c.has_residual ? residual.data() : nullptr;
    auto expected = chains(x, w, b, r, g);
    for (float& v : expected) v = activated(c.act, v);
    INFO("input " << g.batch << " " << g.in_h << " " << g.in_w << " " << g.in_c << ", output " << g.out_c << ", kernel "
                  << win.kernel_h << " " << win.kernel_w << ", stride " << win.stride_h << " " << win.stride_w
                  << ", pads " << win.pad_top << " " << win.pad_left << " " << win.pad_bottom << " " << win.pad_right
                  << ", dilation " << win.dilation_h << " " << win.dilation_w << ", groups " << g.groups << ", bias "
                  << c.has_bias << ", residual " << c.has_residual << ", hard swish "
                  << (c.act.kind == edge::nn::activation_kind::hard_swish));
    const double terms = static_cast<double>(g.group_in() * taps + 2);
    for_each_architecture([&]<class Arch>() {
        const edge::nn::conv_layer<Arch> layer(w.data(), b, g.in_c, g.out_c, g.groups, win, c.act);
        std::vector<float> first;
        const auto run = [&](int threads, bool planar) {
            guarded<float> y(expected.size(), static_cast<std::size_t>(4 * threads));
            const index_t bytes = planar ? layer.planes_scratch_bytes(g, threads) : layer.scratch_bytes(g, threads);
            guarded<unsigned char> scratch(static_cast<std::size_t>(bytes));
            std::fill_n(scratch.data(), bytes, static_cast<unsigned char>(0xff));  // NaN
            if (planar)
                layer.run_planes(planes_of(x, g).data(), r, y.data(), g, scratch.data(), threads);
            else
                layer.run(x.data(), r, y.data(), g, scratch.data(), threads);
            REQUIRE(y.is_intact());
            REQUIRE(scratch.is_intact());
            if (first.empty()) first = y.values();
            REQUIRE(y.values() == first);
        };
        for (int threads = 1; threads <= 4; ++threads) run(threads, false);
        if (layer.takes_planes()) run(2, true);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            if (is_fused<Arch>)
                REQUIRE(first[i] == expected[i]);
            else
                REQUIRE(std::abs(first[i] - expected[i]) <= 2e-7 * terms);
        }
    });
}

}  // namespace

TEST_CASE("a layer gives each result as one chain, on any threads, from pixels and planes", "[nn][conv]") {
    const std::uint64_t seed = 20240519;
    INFO("seed " << seed);
    edge::splitmix64 random(seed);
    const auto upto = [&](index_t least, index_t most) {
        return least + static_cast<index_t>(random() % static_cast<std::uint64_t>(most - least + 1));
    };
    for (int i = 0; i < 60; ++i) {
        window win{.kernel_h = upto(1, 4),
                   .kernel_w = upto(1, 4),
                   .stride_h = upto(1, 3),
                   .stride_w = upto(1, 3),
                   .pad_top = upto(0, 3),
                   .pad_left = upto(0, 3),
                   .pad_bottom = upto(0, 3),
                   .pad_right = upto(0, 3),
                   .dilation_h = upto(1, 2),
                   .dilation_w = upto(1, 2)};
        index_t groups = 1, in_c = upto(1, 60), out_c = upto(1, 60);
        if (i % 6 == 0) win = {};                                                // a product in place
        if (i % 6 == 1) win = {.stride_h = upto(1, 3), .stride_w = upto(1, 3)};  // of some pixels
        if (i % 6 == 2) in_c = upto(1, 4);                                       // line by line
        if (i % 6 == 3) groups = upto(2, 4), in_c = groups * upto(1, 9), out_c = groups * upto(1, 9);
        if (i % 6 == 4) in_c = out_c = groups = upto(1, 200);  // depthwise
        if (i % 12 == 0) in_c = upto(100, 200), out_c = upto(100, 200);
        const auto g = edge::nn::convolution_of({upto(1, 2), upto(1, 9), upto(1, 9), in_c},
                                                {win.kernel_h, win.kernel_w, in_c / groups, out_c}, win, groups);
        const edge::nn::activation acts[] = {
            {}, {.limits = edge::nn::relu6}, {.kind = edge::nn::activation_kind::hard_swish}};
        check_layer({g, upto(0, 3) != 0, upto(0, 1) == 0, acts[upto(0, 2)]});
    }
}

TEST_CASE("a layer of many pixels or channels is shared among threads and keeps its bits", "[nn][conv]") {
    const auto layer = [](const edge::shape& x, index_t out_c, const window& win) {
        check_layer({edge::nn::convolution_of(x, {win.kernel_h, win.kernel_w, x[3], out_c}, win, 1),
                     true,
                     true,
                     {.limits = edge::nn::relu6}});
    };
    layer({1, 7, 7, 200}, 170, {});
    layer({1, 33, 31, 19}, 24, {});
    layer({1, 3, 2, 1024}, 150, {});  // rows that are whole pages apart
    layer({1, 41, 39, 3}, 32, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_right = 1});
    layer({1, 15, 13, 24}, 40, {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_right = 1});
}

TEST_CASE("a layer keeps NaN where windows see it and nowhere else", "[nn][conv]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const window win{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    for (const index_t c : {3, 17})
        for (const edge::nn::activation& act : {edge::nn::activation{.limits = edge::nn::relu6},
                                                edge::nn::activation{.kind = edge::nn::activation_kind::hard_swish}}) {
            std::vector<float> x(static_cast<std::size_t>(6 * 6 * c), 1.0f), y(6 * 6 * 5);
            x[static_cast<std::size_t>((2 * 6 + 3) * c)] = nan;
            const std::vector<float> w(static_cast<std::size_t>(5 * 9 * c), 1.0f);
            const edge::nn::conv_layer layer(w.data(), nullptr, c, 5, 1, win, act);
            const auto g = layer.geometry(1, 6, 6);
            std::vector<float> scratch(static_cast<std::size_t>(layer.scratch_bytes(g, 1)) / 4);
            layer.run(x.data(), nullptr, y.data(), g, scratch.data(), 1);
            for (index_t i = 0; i < 36; ++i) {
                const bool sees = std::abs(i / 6 - 2) <= 1 && std::abs(i % 6 - 3) <= 1;
                REQUIRE(std::isnan(y[static_cast<std::size_t>(i * 5)]) == sees);
            }
        }
}

TEST_CASE("a layer adds into the residual's own memory, and its runs allocate nothing", "[nn][conv]") {
    const window win{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const auto x = random_floats(9 * 8 * 20, 1);
    const auto w = random_floats(30 * 20 * 9, 2);
    const auto residual = random_floats(9 * 8 * 30, 3);
    const edge::nn::conv_layer layer(w.data(), nullptr, 20, 30, 1, win);
    const auto g = layer.geometry(1, 9, 8);
    const auto scratch = edge::detail::allocate_bytes(static_cast<std::size_t>(layer.scratch_bytes(g, 1)));
    std::vector<float> y(residual.size()), sum = residual;
    const auto before = allocations();
    layer.run(x.data(), residual.data(), y.data(), g, scratch.get(), 1);
    layer.run(x.data(), sum.data(), sum.data(), g, scratch.get(), 1);
    CHECK(allocations() == before);
    CHECK(y == sum);
    CHECK(layer.bytes() >= w.size() * sizeof(float));
}

TEST_CASE("a layer refuses groups and windows that make no sense", "[nn][conv]") {
    const std::vector<float> w(100);
    CHECK_THROWS_AS(edge::nn::conv_layer(w.data(), nullptr, 6, 4, 4, {}), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::conv_layer(w.data(), nullptr, 6, 4, 0, {}), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::conv_layer(w.data(), nullptr, 6, 4, 1, {.stride_w = 0}), edge::argument_error);
}

TEST_CASE("windows that make no sense are refused", "[nn][conv]") {
    CHECK_THROWS_AS(edge::nn::check({.stride_h = 0}), edge::argument_error);
    CHECK_THROWS_AS(edge::nn::check({.pad_left = -1}), edge::argument_error);
    CHECK_THROWS_AS(edge::nn::check({.kernel_w = index_t{1} << 40}), edge::argument_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({1, 4, 4, 3}, {1, 1, 2, 8}, {}, 1), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({1, 4, 4, 3}, {1, 1, 3, 8}, {}, 0), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({1, 4, 4, 3}, {3, 1, 3, 8}, {}, 1), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::convolution_of({4, 4, 3}, {1, 1, 3, 8}, {}, 1), edge::shape_error);
}
