// SPDX-License-Identifier: MIT
#include <edge/quant/fake_quant.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace quant = edge::quant;
using quant::limits;
using quant::parameters;

TEST_CASE("fake quantization is quantizing there and back, on every architecture", "[quant][fake_quant]") {
    for_each_architecture([]<class Arch>() {
        const auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
        for (index_t n = 0; n <= 2 * lanes + 1; ++n) {
            auto x = random_floats(n, static_cast<std::uint64_t>(n));
            for (float& v : x) v = std::round(v * 400.0f) / 16.0f;
            if (n > 2) {
                x[0] = std::nanf("");
                x[1] = HUGE_VALF;
            }
            const parameters p{0.125f, 3};
            guarded<float> y(x.size(), 4);
            quant::detail::fake_quantize<Arch>(x.data(), y.data(), n, p, {-100, 90});
            REQUIRE(y.is_intact());
            for (std::size_t i = 0; i < x.size(); ++i)
                REQUIRE(y.data()[i] == quant::dequantize_one(quant::quantize_one<std::int8_t>(x[i], p, {-100, 90}), p));
        }
    });
}

TEST_CASE("gradients go straight through inside the range and nowhere else", "[quant][fake_quant]") {
    // Scale 1/2, integers 0 to 4, zero point 1: steps from -1 to 3. Halves are ties: -1.5 rounds to -2, 3.5 to 4.
    const std::vector<float> x{-0.8f, -0.75f, -0.74f, 0.0f, 0.6f, 1.74f, 1.75f, 9.0f}, dy{1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<float> expected{0, 0, 3, 4, 5, 6, 0, 0};
    const double scale = -1.0 * (1 + 2) + 3.0 * (7 + 8) + 3 * (-1.0 + 1.48) + 5 * (1.0 - 1.2) + 6 * (3.0 - 3.48);
    for_each_architecture([&]<class Arch>() {
        std::vector<float> dx(x.size());
        const auto d =
            quant::detail::fake_quantize_backward<Arch>(x.data(), dy.data(), dx.data(), 8, {0.5f, 1}, {0, 4});
        CHECK(dx == expected);
        CHECK(d.scale == Approx(scale));
        CHECK(d.zero_point == -0.5f * (1 + 2 + 7 + 8));
    });
}

TEST_CASE("learned parameters' gradients are the slopes of the loss where rounding does not jump",
          "[quant][fake_quant]") {
    // With rounding's own error taken out, y is scale·(limit - zero_point) where saturated: check against differences.
    const auto x = random_floats(300, 1), dy = random_floats(300, 2);
    std::vector<float> out_x, out_dy;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (std::abs(x[i]) > 0.6f) {
            out_x.push_back(x[i]);
            out_dy.push_back(dy[i]);
        }
    const limits range{-5, 4};
    const auto loss = [&](float s) {
        std::vector<float> y(out_x.size());
        quant::fake_quantize(out_x, y, {s, 0}, range);
        double sum = 0.0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(y[i]) * static_cast<double>(out_dy[i]);
        return sum;
    };
    std::vector<float> dx(out_x.size());
    const auto d = quant::fake_quantize_backward(out_x, out_dy, dx, {0.1f, 0}, range);
    CHECK(static_cast<double>(d.scale) == Approx((loss(0.101f) - loss(0.099f)) / 0.002).epsilon(1e-3));
    CHECK(quant::learned_scale_factor(400, {-128, 100}) == Approx(1.0 / 200.0));
}

TEST_CASE("fake quantization per channel is that of each channel alone", "[quant][fake_quant]") {
    const edge::tensor<float> x({2, 3, 5}, random_floats(30, 3)), dy({2, 3, 5}, random_floats(30, 4));
    const limits range{-7, 7};
    for (const index_t axis : {0, 1, 2, -1}) {
        const std::size_t a = x.shape().axis(axis);
        std::vector<parameters> p;
        for (index_t c = 0; c < x.shape()[a]; ++c)
            p.push_back({0.03f * static_cast<float>(c + 1), static_cast<int>(c) - 1});
        const auto y = quant::fake_quantize(x, p, axis, range);
        edge::tensor<float> dx(x.shape());
        const auto d = quant::fake_quantize_backward(x, dy, dx.view(), p, axis, range);
        for (std::size_t c = 0; c < p.size(); ++c) {
            const auto at = static_cast<index_t>(c);
            const auto xc = edge::copy(x.view().select(axis, at)), dyc = edge::copy(dy.view().select(axis, at));
            std::vector<float> yc(static_cast<std::size_t>(xc.size())), dxc(yc.size());
            quant::fake_quantize(xc.flat(), yc, p[c], range);
            const auto alone = quant::fake_quantize_backward(xc.flat(), dyc.flat(), dxc, p[c], range);
            const auto y_there = edge::copy(y.view().select(axis, at)),
                       dx_there = edge::copy(dx.view().select(axis, at));
            CHECK(std::equal(yc.begin(), yc.end(), y_there.begin()));
            CHECK(std::equal(dxc.begin(), dxc.end(), dx_there.begin()));
            CHECK(d[c].scale == Approx(alone.scale).margin(1e-6));
            CHECK(d[c].zero_point == Approx(alone.zero_point).margin(1e-6));
        }
    }
    std::vector<float> y(3);
    CHECK_THROWS_AS(quant::fake_quantize(x.flat(), y, {}, range), edge::shape_error);
    CHECK_THROWS_AS(quant::fake_quantize(y, y, {0.0f, 0}, range), edge::argument_error);
    CHECK_THROWS_AS(quant::fake_quantize(x, std::vector<parameters>(2), 1, range), edge::shape_error);
}
