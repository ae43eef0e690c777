// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/dense.hpp>
#include <edge/nn/reference.hpp>

#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using edge::index_t;

namespace {

std::vector<double> reference(const std::vector<float>& x, const std::vector<float>& w, const float* bias, index_t m,
                              index_t n, index_t k) {
    std::vector<double> y(static_cast<std::size_t>(m * n));
    const edge::nn::convolution g{.batch = m, .in_c = k, .out_c = n};
    edge::nn::reference::convolve<double>(x.data(), w.data(), bias, y.data(), g);
    return y;
}

}  // namespace

TEST_CASE("dense equals the sum in double for every remainder of rows and columns", "[nn][dense]") {
    for_each_architecture([]<class Arch>() {
        const auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
        for (const index_t k : {0, 1, 7, 64}) {
            for (index_t m = 0; m <= 9; ++m) {
                for (index_t n = 0; n <= 3 * lanes + 1; ++n) {
                    const auto x = random_floats(m * k, 1);
                    const auto w = random_floats(k * n, 2);
                    const auto bias = random_floats(n, 3);
                    const float* b = m % 2 == 0 ? nullptr : bias.data();
                    const auto expected = reference(x, w, b, m, n, k);
                    guarded<float> y(static_cast<std::size_t>(m * n), static_cast<std::size_t>(4 * (n % 3)));
                    edge::nn::detail::dense_f32<Arch>(x.data(), k, w.data(), n, b, y.data(), n, m, n, k, {});
                    INFO("m " << m << ", n " << n << ", k " << k);
                    REQUIRE(y.is_intact());
                    for (index_t i = 0; i < m * n; ++i)
                        REQUIRE(std::abs(static_cast<double>(y.data()[i]) - expected[static_cast<std::size_t>(i)]) <=
                                1e-6 * static_cast<double>(k + 1));
                }
            }
        }
    });
}

TEST_CASE("a row of dense has the same bits alone, among others and on any number of threads", "[nn][dense]") {
    const index_t m = 37, n = 45, k = 129;
    const auto x = random_floats(m * k, 4);
    const auto w = random_floats(k * n, 5);
    const auto bias = random_floats(n, 6);
    for_each_architecture([&]<class Arch>() {
        std::vector<float> one(static_cast<std::size_t>(m * n));
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j)
                edge::nn::detail::dense_f32<Arch>(x.data() + i * k, k, w.data() + j, n, bias.data() + j,
                                                  one.data() + i * n + j, n, 1, 1, k, edge::nn::relu);
        for (const int threads : {1, 2, 3, 7}) {
            std::vector<float> y(one.size());
            edge::nn::detail::dense_f32<Arch>(x.data(), k, w.data(), n, bias.data(), y.data(), n, m, n, k,
                                              edge::nn::relu, threads);
            REQUIRE(std::memcmp(y.data(), one.data(), y.size() * sizeof(float)) == 0);
        }
    });
}

TEST_CASE("a dense layer has the bits of a product that packs nothing", "[nn][dense]") {
    for_each_architecture([]<class Arch>() {
        for (const index_t m : {1, 5, 33})
            for (const index_t n : {1, 24, 97}) {
                const index_t k = 70;
                const auto x = random_floats(m * k, 4);
                const auto w = random_floats(k * n, 5);
                const auto bias = random_floats(n, 6);
                const auto residual = random_floats(m * n, 7);
                std::vector<float> expected(static_cast<std::size_t>(m * n)), turned(w.size());
                edge::nn::detail::dense_f32<Arch>(x.data(), k, w.data(), n, bias.data(), expected.data(), n, m, n, k,
                                                  {});
                for (std::size_t i = 0; i < expected.size(); ++i)
                    expected[i] = std::max(0.0f, expected[i] + residual[i]);
                for (index_t p = 0; p < k; ++p)
                    for (index_t j = 0; j < n; ++j)
                        turned[static_cast<std::size_t>(j * k + p)] = w[static_cast<std::size_t>(p * n + j)];
                const edge::nn::dense_layer<Arch> layer({w.data(), k, n, n}, bias.data(), {.limits = edge::nn::relu});
                const edge::nn::dense_layer<Arch> same(
                    edge::simd::matrix<const float>{turned.data(), n, k, k}.transposed(), bias.data(),
                    {.limits = edge::nn::relu});
                REQUIRE(layer.inputs() == k);
                REQUIRE(layer.outputs() == n);
                REQUIRE(layer.bytes() >= (w.size() + bias.size()) * sizeof(float));
                for (const int threads : {1, 2, 4}) {
                    guarded<float> y(expected.size(), 4);
                    layer.run(x.data(), residual.data(), y.data(), m, threads);
                    REQUIRE(y.is_intact());
                    REQUIRE(y.values() == expected);
                    same.run(x.data(), residual.data(), y.data(), m, threads);
                    REQUIRE(y.values() == expected);
                }
            }
    });
}

TEST_CASE("a dense layer keeps NaN, and its runs allocate nothing", "[nn][dense]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float x[] = {-1.0f, 2.0f, 100.0f, nan};
    const float w[] = {1.0f};
    float y[4];
    const edge::nn::dense_layer clamps({w, 1, 1, 1}, nullptr, {.limits = edge::nn::relu6});
    const edge::nn::dense_layer swishes({w, 1, 1, 1}, nullptr, {.kind = edge::nn::activation_kind::hard_swish});
    const auto before = allocations();
    clamps.run(x, nullptr, y, 4, 1);
    CHECK(allocations() == before);
    CHECK(y[0] == 0.0f);
    CHECK(y[1] == 2.0f);
    CHECK(y[2] == 6.0f);
    CHECK(std::isnan(y[3]));
    swishes.run(x, nullptr, y, 4, 1);
    CHECK(std::abs(y[0] + 1.0f / 3.0f) < 1e-6f);
    CHECK(y[2] == 100.0f);
    CHECK(std::isnan(y[3]));
}
