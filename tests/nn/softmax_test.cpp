// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/core/tensor.hpp>
#include <edge/nn/activation.hpp>
#include <edge/nn/reference.hpp>
#include <edge/nn/softmax.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"

#include <cmath>

using edge::index_t;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// |y - expected| in units of the last place of the expected value, at least those of the smallest normal.
double ulps(float y, double expected) {
    const double least = static_cast<double>((std::numeric_limits<float>::min)());
    const double unit = std::exp2(std::floor(std::log2((std::max)(std::abs(expected), least))) - 23.0);
    return std::abs(static_cast<double>(y) - expected) / unit;
}

}  // namespace

TEST_CASE("softmax is within 8 units in the last place of double, along any axis", "[nn][softmax]") {
    for_each_architecture([]<class Arch>() {
        edge::splitmix64 random(11);
        for (const index_t inner : {1, 2, 9}) {
            for (const index_t n : {1, 2, 3, 7, 8, 9, 16, 33, 1000, 5000}) {
                const index_t outer = 2;
                std::vector<float> x(static_cast<std::size_t>(outer * n * inner));
                // Differences stay small enough for the rounding of x - max to be exact in its effect.
                for (float& v : x) v = static_cast<float>(std::round(random.uniform(-640.0, 640.0)) / 64.0);
                guarded<float> y(x.size(), 4);
                edge::nn::detail::softmax_f32<Arch>(x.data(), y.data(), outer, n, inner);
                REQUIRE(y.is_intact());
                for (index_t o = 0; o < outer; ++o)
                    for (index_t c = 0; c < inner; ++c) {
                        std::vector<double> row;
                        for (index_t i = 0; i < n; ++i)
                            row.push_back(static_cast<double>(x[static_cast<std::size_t>((o * n + i) * inner + c)]));
                        const auto expected = edge::nn::reference::softmax(row);
                        for (index_t i = 0; i < n; ++i) {
                            INFO("n " << n << ", inner " << inner << ", value " << i);
                            REQUIRE(ulps(y.data()[(o * n + i) * inner + c], expected[static_cast<std::size_t>(i)]) <=
                                    8.0);
                        }
                    }
            }
        }
    });
}

TEST_CASE("softmax does not overflow and treats special values as NumPy does", "[nn][softmax]") {
    const auto softmax = [](std::vector<float> x, const edge::shape& s, index_t axis) {
        edge::nn::softmax(edge::tensor_view<const float>(x.data(), s), edge::tensor_view<float>(x.data(), s), axis);
        return x;
    };
    CHECK(softmax({3e38f, 3e38f, -3e38f}, {3}, 0) == std::vector<float>{0.5f, 0.5f, 0.0f});
    CHECK(softmax({-infinity, 1.0f}, {1, 2}, -1) == std::vector<float>{0.0f, 1.0f});
    CHECK(softmax({-infinity, 1.0f}, {2, 1}, 0) == std::vector<float>{0.0f, 1.0f});
    for (const float special : {infinity, nan_value})
        for (const edge::shape& s : {edge::shape{1, 3}, edge::shape{3, 1}})
            for (const float v : softmax({0.0f, special, 1.0f}, s, s[0] == 3 ? 0 : 1)) CHECK(std::isnan(v));
    for (const float v : softmax({-infinity, -infinity}, {2}, 0)) CHECK(std::isnan(v));
    CHECK(softmax({}, {0, 3}, 1).empty());
}

TEST_CASE("softmax refuses shapes that differ and axes that are not there", "[nn][softmax]") {
    edge::tensor<float> x({2, 3}), y({3, 2});
    CHECK_THROWS_AS(edge::nn::softmax(x, y), edge::shape_error);
    CHECK_THROWS_AS(edge::nn::softmax(x, x, 2), edge::argument_error);
}

TEST_CASE("clip keeps NaN, takes any length and may work in place", "[nn][activation]") {
    for_each_architecture([]<class Arch>() {
        const auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
        for (index_t n = 0; n <= 2 * lanes + 1; ++n)
            for (const std::size_t misalignment : {0U, 4U, 20U}) {
                guarded<float> y(static_cast<std::size_t>(n), misalignment);
                const float pattern[] = {-infinity, -1.0f, -0.0f, 0.0f, 3.0f, 6.0f, 7.0f, infinity, nan_value};
                for (index_t i = 0; i < n; ++i) y.data()[i] = pattern[i % 9];
                edge::nn::detail::clip_f32<Arch>(y.data(), y.data(), n, edge::nn::relu6);
                REQUIRE(y.is_intact());
                const float expected[] = {0.0f, 0.0f, 0.0f, 0.0f, 3.0f, 6.0f, 6.0f, 6.0f, nan_value};
                for (index_t i = 0; i < n; ++i) {
                    if (i % 9 == 8)
                        REQUIRE(std::isnan(y.data()[i]));
                    else
                        REQUIRE(y.data()[i] == expected[i % 9]);
                }
            }
    });
    std::vector<float> x(3);
    CHECK_THROWS_WITH(edge::nn::clip(x, std::span(x).first(2), edge::nn::relu), "clip: 3 inputs, 2 outputs");
}
