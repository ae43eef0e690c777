// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/integer/conv.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"

#include <memory>

using edge::index_t;
using edge::nn::window;
namespace integer = edge::nn::integer;

namespace {

std::size_t size(index_t n) { return static_cast<std::size_t>(n); }

struct example {
    index_t batch, side, in_c, out_c, groups = 1;
    edge::nn::window window;
    std::int32_t x_zero = 100;
};

/// A convolution by its definition, in 64 bits, against the layer.
template <class Arch>
void check(const example& e, int threads = 1, bool with_residual = false) {
    const index_t depth = e.in_c / e.groups;
    const window& w = e.window;
    const index_t taps = w.kernel_h * w.kernel_w;
    edge::splitmix64 random(7);
    std::vector<std::int8_t> weights;
    for (index_t i = 0; i < e.out_c * depth * taps; ++i) weights.push_back(static_cast<std::int8_t>(random() >> 50));
    std::vector<std::int32_t> bias;
    integer::byte_end end;
    for (index_t i = 0; i < e.out_c; ++i) {
        bias.push_back(static_cast<std::int32_t>(random() >> 52) - 2048);
        end.multipliers.push_back(static_cast<float>(random() >> 40) * 0x1p-24f * 0.01f);
    }
    end.zero_point = 90;
    end.range = {5, 255};
    const integer::byte_sum sum{.x_scale = 0.8f, .other_scale = 0.4f, .x_zero = 90, .other_zero = 7, .zero_point = 60};
    const integer::conv_layer<Arch> layer(weights.data(), bias.data(), e.x_zero, e.in_c, e.out_c, e.groups, w, end,
                                          with_residual ? std::optional(sum) : std::nullopt);
    const auto g = layer.geometry(e.batch, e.side, e.side + 1);
    const index_t pixels = e.batch * e.side * (e.side + 1) * e.in_c;
    const std::unique_ptr<std::uint8_t[]> x(new std::uint8_t[size(pixels)]);  // of the exact size, for sanitizers
    for (index_t i = 0; i < pixels; ++i) x[size(i)] = static_cast<std::uint8_t>(random() >> 50);
    std::vector<std::uint8_t> residual, expected;
    for (index_t pixel = 0; pixel < g.batch * g.out_h * g.out_w; ++pixel)
        for (index_t o = 0; o < e.out_c; ++o) {
            std::int64_t s = bias[size(o)];
            for (index_t ky = 0; ky < w.kernel_h; ++ky)
                for (index_t kx = 0; kx < w.kernel_w; ++kx) {
                    const index_t iy = pixel / g.out_w % g.out_h * w.stride_h - w.pad_top + ky * w.dilation_h;
                    const index_t ix = pixel % g.out_w * w.stride_w - w.pad_left + kx * w.dilation_w;
                    if (iy < 0 || ix < 0 || iy >= g.in_h || ix >= g.in_w) continue;
                    const index_t at = ((pixel / g.out_w / g.out_h * g.in_h + iy) * g.in_w + ix) * e.in_c;
                    for (index_t c = 0; c < depth; ++c)
                        s += std::int64_t{x[size(at + o / (e.out_c / e.groups) * depth + c)] - e.x_zero} *
                             weights[size((o * depth + c) * taps + ky * w.kernel_w + kx)];
                }
            expected.push_back(edge::quant::requantize_one<std::uint8_t>(
                static_cast<std::int32_t>(s), end.multipliers[size(o)], end.zero_point, end.range));
            residual.push_back(static_cast<std::uint8_t>(random() >> 50));
        }
    if (with_residual)
        integer::add<>(expected.data(), residual.data(), expected.data(), static_cast<index_t>(expected.size()), sum,
                       1);
    guarded<unsigned char> scratch(size(layer.scratch_bytes(g, threads)));
    guarded<std::uint8_t> y(expected.size(), 5);
    layer.run(x.get(), with_residual ? residual.data() : nullptr, y.data(), g, scratch.data(), threads);
    INFO("side " << e.side << ", channels " << e.in_c << " to " << e.out_c << ", groups " << e.groups << ", kernel "
                 << w.kernel_h << "x" << w.kernel_w << ", stride " << w.stride_h << ", threads " << threads);
    REQUIRE(y.is_intact());
    REQUIRE(scratch.is_intact());
    REQUIRE(y.values() == expected);
}

window square(index_t kernel, index_t stride, index_t pad, index_t dilation = 1) {
    return {kernel, kernel, stride, stride, pad, pad, pad, pad, dilation, dilation};
}

}  // namespace

TEST_CASE("an integer convolution is exact for every kind of window", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        check<Arch>({2, 7, 5, 9, 1, square(1, 1, 0)});
        check<Arch>({1, 9, 16, 33, 1, square(1, 2, 0)});
        check<Arch>({1, 6, 4, 5, 1, square(1, 1, 1)});
        check<Arch>({2, 15, 3, 32, 1, square(3, 2, 1)});           // as a first layer
        check<Arch>({1, 15, 3, 32, 1, {3, 3, 2, 2, 0, 0, 1, 1}});  // and with the padding of other frameworks
        check<Arch>({1, 12, 3, 17, 1, square(7, 2, 3)});
        check<Arch>({1, 8, 20, 24, 1, square(3, 1, 1), 0});
        check<Arch>({1, 8, 20, 24, 1, square(3, 1, 2, 2), 255});
        check<Arch>({2, 5, 6, 7, 1, {2, 5, 1, 2, 3, 4, 0, 6}});
        check<Arch>({1, 3, 2, 3, 1, square(5, 1, 2)});
        check<Arch>({1, 2, 1, 1, 1, square(3, 3, 5, 2)});
        check<Arch>({1, 6, 12, 20, 4, square(3, 1, 1)});
        check<Arch>({2, 5, 6, 9, 3, square(1, 1, 0)});
        check<Arch>({1, 5, 70, 70, 70, square(3, 1, 1)});
        check<Arch>({1, 1, 2048, 3, 1, square(1, 1, 0)});
    });
}

TEST_CASE("an integer convolution has the same bits on any number of threads", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (int threads = 1; threads <= 4; ++threads) {
            check<Arch>({1, 20, 40, 70, 1, square(3, 1, 1)}, threads);
            check<Arch>({1, 20, 40, 80, 2, square(3, 1, 1)}, threads);
        }
    });
}

TEST_CASE("a residual joins an integer convolution after its own rounding", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        check<Arch>({1, 7, 24, 24, 1, square(1, 1, 0)}, 1, true);
        check<Arch>({1, 7, 8, 30, 2, square(3, 1, 1)}, 1, true);
    });
}
