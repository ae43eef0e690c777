// SPDX-License-Identifier: MIT
#include <edge/quant/int4.hpp>

#include "support/architectures.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace quant = edge::quant;

TEST_CASE("a layer of 4-bit weights gives the product with what its weights stand for", "[quant][int4]") {
    for (const auto& [m, n, k, group] : std::vector<std::array<index_t, 4>>{
             {1, 3, 64, 32}, {4, 2, 100, 32}, {5, 7, 1, 32}, {9, 4, 257, 128}, {0, 2, 8, 32}, {2, 0, 8, 32}}) {
        const edge::tensor<float> w({n, k}, random_floats(n * k, 1)), x({m, k}, random_floats(m * k, 2));
        const auto bias = random_floats(n, 3);
        const quant::linear_int4 layer(w, bias, {.group = group});
        const auto back = layer.weights();
        for (index_t o = 0; o < n; ++o)
            for (index_t i = 0; i < k; ++i) {
                float most = 0.0f;
                for (index_t j = i / group * group; j < (std::min)(k, i / group * group + group); ++j)
                    most = (std::max)(most, std::abs(w(o, j)));
                REQUIRE(std::abs(back(o, i) - w(o, i)) <= most / 14.0f * 1.0001f);
            }
        const auto y = layer(x);
        REQUIRE(y.shape() == edge::shape{m, n});
        for (index_t i = 0; i < m; ++i)
            for (index_t o = 0; o < n; ++o) {
                double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
                for (index_t j = 0; j < k; ++j) sum += static_cast<double>(x(i, j)) * static_cast<double>(back(o, j));
                REQUIRE(static_cast<double>(y(i, o)) == Approx(sum).margin(1e-5));
            }
        const auto again = layer(x, 3);
        CHECK(std::equal(y.begin(), y.end(), again.begin()));
        if (m > 0) {
            const auto alone = layer(x.view().slice(0, m - 1, m));
            CHECK(std::equal(alone.begin(), alone.end(), y.begin() + (m - 1) * n));
        }
    }
}

TEST_CASE("every architecture unpacks the same weights", "[quant][int4]") {
    std::vector<std::uint8_t> w(32);
    edge::splitmix64 random(4);
    for (auto& b : w) b = static_cast<std::uint8_t>(random());
    std::vector<float> x(64);
    for (float& v : x) v = static_cast<float>(random.below(17)) - 8.0f;  // sums are exact
    const float scales[] = {0.5f, 2.0f};
    float sums[2] = {}, expected = 0.0f;
    for (index_t i = 0; i < 64; ++i) {
        const int byte = w[static_cast<std::size_t>(i / 32 * 16 + i % 16)];
        const int q = (i % 32 < 16 ? byte & 15 : byte >> 4) - 8;
        expected += static_cast<float>(q) * x[static_cast<std::size_t>(i)] * scales[i / 32];
        sums[i / 32] += 8.0f * x[static_cast<std::size_t>(i)];
    }
    for_each_architecture([&]<class Arch>() {
        float y = 0.0f;
        quant::detail::int4_dots<Arch, 1>(x.data(), 64, sums, w.data(), scales, 2, 32, &y);
        CHECK(y == expected);
    });
}

TEST_CASE("4-bit weights can be given as integers", "[quant][int4]") {
    edge::tensor<std::int8_t> q({2, 40});
    for (index_t i = 0; i < 80; ++i) q[i] = static_cast<std::int8_t>(i % 16 - 8);
    const edge::tensor<float> scales({2, 2}, {1.0f, 2.0f, 3.0f, 4.0f});
    const quant::linear_int4 layer(q, scales, {}, {.group = 32});
    const auto w = layer.weights();
    for (index_t o = 0; o < 2; ++o)
        for (index_t i = 0; i < 40; ++i) CHECK(w(o, i) == static_cast<float>(q(o, i)) * scales(o, i / 32));
    CHECK(layer.bytes() == 2 * 64 / 2 + 4 * 4);
    CHECK_THROWS_AS(quant::linear_int4(q, edge::tensor<float>({2, 3}, 1.0f), {}, {.group = 32}), edge::shape_error);
    q[5] = 8;
    CHECK_THROWS_WITH(quant::linear_int4(q, scales, {}, {.group = 32}), "int4: weight 5 is 8");
    CHECK_THROWS_AS(quant::linear_int4(w, {}, {.group = 48}), edge::argument_error);
    CHECK_THROWS_AS(quant::linear_int4(w, scales.flat(), {}), edge::shape_error);
    CHECK_THROWS_AS(layer(edge::tensor<float>({2, 41})), edge::shape_error);
    auto bad = w;
    bad[3] = HUGE_VALF;
    CHECK_THROWS_WITH(quant::linear_int4(bad, {}), "int4: weight 3 is inf; expected a finite number");
}
