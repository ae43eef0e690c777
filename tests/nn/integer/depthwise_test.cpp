// SPDX-License-Identifier: MIT
#include <edge/nn/integer/depthwise.hpp>

#include "nn/random_windows.hpp"
#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_bytes.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <cmath>

using edge::index_t;
using edge::nn::convolution;
using edge::nn::window;
using edge::nn::integer::byte_end;
using edge::nn::integer::depthwise_layer;

namespace {

/// A layer and an image for it.
struct problem {
    index_t batch, in_h, in_w, channels;
    window win;
    std::int32_t x_zero = 0;
    byte_end end = {};
    std::vector<std::int8_t> w = {};
    std::vector<std::int32_t> bias = {};
    std::vector<std::uint8_t> x = {};

    void fill(edge::splitmix64& random, double sums_per_byte = 400.0) {
        w = random_bytes<std::int8_t>(channels * win.kernel_h * win.kernel_w, random);
        x = random_bytes(batch * in_h * in_w * channels, random);
        for (index_t c = 0; c < channels; ++c) {
            bias.push_back(static_cast<std::int32_t>(random.uniform(-20000.0, 20000.0)));
            end.multipliers.push_back(static_cast<float>(random.uniform(0.1, 2.0) / sums_per_byte));
        }
    }

    [[nodiscard]] std::vector<std::uint8_t> expected(const convolution& g) const {
        std::vector<std::uint8_t> y;
        for (index_t i = 0; i < batch * g.out_h * g.out_w * channels; ++i) {
            const index_t c = i % channels;
            const index_t top = i / channels / g.out_w % g.out_h * win.stride_h - win.pad_top;
            const index_t left = i / channels % g.out_w * win.stride_w - win.pad_left;
            const index_t n = i / channels / g.out_w / g.out_h;
            std::int64_t sum = bias[static_cast<std::size_t>(c)];
            for (index_t ky = 0; ky < win.kernel_h; ++ky)
                for (index_t kx = 0; kx < win.kernel_w; ++kx) {
                    const index_t iy = top + ky * win.dilation_h;
                    const index_t ix = left + kx * win.dilation_w;
                    if (iy < 0 || iy >= in_h || ix < 0 || ix >= in_w) continue;
                    sum += (x[static_cast<std::size_t>(((n * in_h + iy) * in_w + ix) * channels + c)] - x_zero) *
                           w[static_cast<std::size_t>((c * win.kernel_h + ky) * win.kernel_w + kx)];
                }
            const auto wrapped = static_cast<float>(static_cast<std::int32_t>(sum));
            const volatile float scaled = wrapped * end.multipliers[static_cast<std::size_t>(c)];
            const double q = std::nearbyint(double{scaled}) + end.zero_point;
            y.push_back(static_cast<std::uint8_t>(std::clamp<double>(q, end.range.low, end.range.high)));
        }
        return y;
    }

    /// On every architecture and any number of threads: the bytes of the sums in 64 bits. Where `goes_along_rows`, with the
    /// products that are not the first choice too.
    void check() const {
        const convolution g =
            depthwise_layer<>(w.data(), bias.data(), channels, win, x_zero, end).geometry(batch, in_h, in_w);
        INFO(batch << "x" << in_h << "x" << in_w << "x" << channels << ", kernel " << win.kernel_h << " "
                   << win.kernel_w << ", stride " << win.stride_h << " " << win.stride_w << ", pads " << win.pad_top
                   << " " << win.pad_left << " " << win.pad_bottom << " " << win.pad_right << ", dilation "
                   << win.dilation_h << " " << win.dilation_w << ", zero point " << x_zero);
        const std::vector<std::uint8_t> right = expected(g);
        for_each_architecture([&]<class Arch>() {
            const depthwise_layer<Arch> layer(w.data(), bias.data(), channels, win, x_zero, end);
            for (int threads = 1; threads <= 4; threads += 3) {
                guarded<std::uint8_t> y(right.size(), 3);
                const std::vector<std::uint8_t> image(x);  // of its own size, so that a sanitizer sees what lies behind
                layer.run(image.data(), y.data(), batch, in_h, in_w, threads);
                REQUIRE(y.is_intact());
                REQUIRE(y.values() == right);
            }
        });
    }
};

constexpr window same3{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};

}  // namespace

TEST_CASE("depthwise layers of bytes equal sums in 64 bits, for windows that go along rows", "[nn][integer]") {
    edge::splitmix64 random(1);
    const random_extents any{random};
    for (int i = 0; i < 60; ++i) {
        const index_t kernel = i % 3 == 2 ? 5 : 3;
        problem p{.batch = any(1, 2),
                  .in_h = any(1, 9),
                  .in_w = any(1, 20),
                  .channels = any(1, 140),
                  .win = any.window(kernel, kernel),
                  .x_zero = static_cast<std::int32_t>(any(0, 255)),
                  .end = {{}, static_cast<std::int32_t>(any(0, 255)), {20, 240}}};
        p.fill(random);
        p.check();
    }
}

TEST_CASE("depthwise layers of bytes equal sums in 64 bits, for windows of any kind", "[nn][integer]") {
    edge::splitmix64 random(2);
    const random_extents any{random};
    for (int i = 0; i < 30; ++i) {
        problem p{.batch = any(1, 2),
                  .in_h = any(1, 12),
                  .in_w = any(1, 12),
                  .channels = any(1, 70),
                  .win = {.kernel_h = any(1, 7),
                          .kernel_w = any(1, 7),
                          .stride_h = any(1, 3),
                          .stride_w = any(1, 3),
                          .pad_top = any(0, 3),
                          .pad_left = any(0, 3),
                          .pad_bottom = any(0, 3),
                          .pad_right = any(0, 3),
                          .dilation_h = any(1, 2),
                          .dilation_w = any(1, 2)},
                  .x_zero = static_cast<std::int32_t>(any(0, 255)),
                  .end = {{}, static_cast<std::int32_t>(any(0, 255)), {}}};
        p.fill(random);
        p.check();
    }
}

TEST_CASE("depthwise layers of the largest and smallest bytes are exact", "[nn][integer]") {
    edge::splitmix64 random(3);
    for (const int weight : {-128, 127})
        for (const int byte : {0, 255})
            for (const int x_zero : {0, 255})
                for (const double sums_per_byte : {1e-9, 1.0, 1300.0, 1e12}) {
                    problem p{
                        .batch = 1, .in_h = 3, .in_w = 4, .channels = 83, .win = same3, .x_zero = x_zero, .end = {}};
                    p.end.zero_point = byte;
                    p.fill(random, sums_per_byte);
                    std::fill(p.w.begin(), p.w.end(), static_cast<std::int8_t>(weight));
                    std::fill(p.x.begin(), p.x.end(), static_cast<std::uint8_t>(byte));
                    p.bias[5] = (std::numeric_limits<std::int32_t>::max)();
                    p.bias[77] = (std::numeric_limits<std::int32_t>::min)();
                    p.check();
                }
}

TEST_CASE("depthwise layers of images with few rows share channels among threads", "[nn][integer]") {
    edge::splitmix64 random(4);
    problem p{.batch = 1, .in_h = 7, .in_w = 7, .channels = 960, .win = same3, .x_zero = 7};
    p.fill(random);
    p.check();
    p = {.batch = 1, .in_h = 42, .in_w = 42, .channels = 160, .win = same3, .x_zero = 200};
    p.fill(random);
    p.check();
}

TEST_CASE("a depthwise layer runs without allocating", "[nn][integer]") {
    edge::splitmix64 random(5);
    problem p{.batch = 1, .in_h = 9, .in_w = 9, .channels = 40, .win = same3, .x_zero = 0};
    p.fill(random);
    const depthwise_layer<> layer(p.w.data(), p.bias.data(), p.channels, p.win, p.x_zero, p.end);
    std::vector<std::uint8_t> y(p.x.size());
    const auto before = allocations();
    layer.run(p.x.data(), y.data(), 1, 9, 9, 1);
    CHECK(allocations() == before);
}

TEST_CASE("a depthwise layer refuses numbers that are not bytes", "[nn][integer]") {
    edge::splitmix64 random(6);
    problem p{.batch = 1, .in_h = 1, .in_w = 1, .channels = 2, .win = same3, .x_zero = 0};
    p.fill(random);
    const auto refuses = [&](std::int32_t x_zero, const byte_end& end, const char* text) {
        return says<edge::argument_error>(
            [&] { depthwise_layer<>(p.w.data(), p.bias.data(), p.channels, p.win, x_zero, end); }, text);
    };
    CHECK(refuses(256, p.end, "zero point 256"));
    CHECK(refuses(0, {{1.0f}, 0, {}}, "1 multipliers for 2 channels"));
    CHECK(refuses(0, {{1.0f, 0.0f}, 0, {}}, "multiplier 0"));
    CHECK(refuses(0, {{1.0f, 1.0f}, -1, {}}, "zero point -1"));
    CHECK(refuses(0, {{1.0f, 1.0f}, 0, {9, 8}}, "bytes from 9 to 8"));
}
