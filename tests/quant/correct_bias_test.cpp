// SPDX-License-Identifier: MIT
#include <edge/core/tensor.hpp>
#include <edge/quant/correct_bias.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace quant = edge::quant;

TEST_CASE("moments of channels are those of all values, however they come", "[quant][moments]") {
    edge::tensor<float> x({6, 3, 5}, random_floats(90, 1));
    for (float& v : x) v += 1000.0f;
    for (const index_t axis : {0, 1, 2, -1}) {
        const std::size_t a = x.shape().axis(axis);
        quant::channel_moments whole(axis), first(axis), second(axis);
        whole.observe(x);
        if (a == 0) {
            first = whole;
        } else {
            first.observe(x.view().slice(0, 0, 2));
            second.observe(x.view().slice(0, 2, 5));
            first.merge(quant::channel_moments(axis));
            first.merge(second);
            first.observe(x.view().slice(0, 5, 6));
        }
        for (index_t c = 0; c < x.shape()[a]; ++c) {
            const auto values = edge::copy(x.view().select(axis, c));
            double mean = 0.0, squares = 0.0;
            for (const float v : values) mean += static_cast<double>(v) / static_cast<double>(values.size());
            for (const float v : values) squares += std::pow(static_cast<double>(v) - mean, 2.0);
            const auto i = static_cast<std::size_t>(c);
            for (const auto& seen : {whole, first}) {
                CHECK(static_cast<double>(seen.mean()[i]) == Approx(mean).epsilon(1e-7));
                CHECK(static_cast<double>(seen.stddev()[i]) ==
                      Approx(std::sqrt(squares / static_cast<double>(values.size()))).epsilon(1e-6));
            }
        }
    }
    quant::channel_moments seen(0);
    x[7] = std::nanf("");
    CHECK_THROWS_WITH(seen.observe(x), "observed value 7 is nan; expected a finite number");
    CHECK(seen.mean().empty());
    seen.observe(edge::tensor<float>({2, 3}));
    CHECK(seen.stddev() == std::vector<float>{0.0f, 0.0f});
    CHECK_THROWS_AS(seen.observe(x), edge::shape_error);
}

TEST_CASE("the mean of a clamped normal is that of many draws", "[quant][bias]") {
    edge::splitmix64 random(2);
    std::vector<double> normal;
    for (int i = 0; i < 20000; ++i) {  // Box and Muller, both halves and their negatives: no error of the mean
        const double r = std::sqrt(-2.0 * std::log(1.0 - random.uniform())), a = random.uniform(0.0, 6.283185307179586);
        for (const double v : {r * std::cos(a), r * std::sin(a)}) normal.insert(normal.end(), {v, -v});
    }
    for (const float mean : {-2.0f, 0.0f, 0.5f, 7.0f})
        for (const float stddev : {0.1f, 1.0f, 4.0f})
            for (const float high : {6.0f, std::numeric_limits<float>::infinity()}) {
                double sum = 0.0;
                for (const double v : normal)
                    sum += std::clamp(static_cast<double>(mean + stddev * static_cast<float>(v)), 0.0,
                                      static_cast<double>(high));
                sum /= static_cast<double>(normal.size());
                INFO(mean << " ± " << stddev << " up to " << high);
                CHECK(static_cast<double>(quant::clamped_mean(mean, stddev, 0.0f, high)) ==
                      Approx(sum).epsilon(0.02).margin(1e-3));
            }
    CHECK(quant::clamped_mean(-3.0f, 0.0f, 0.0f, 6.0f) == 0.0f);
    CHECK(quant::clamped_mean(8.0f, 0.0f, 0.0f, 6.0f) == 6.0f);
    CHECK(quant::clamped_mean(1e30f, 1.0f, 0.0f, 6.0f) == 6.0f);
    CHECK(quant::clamped_mean(2.0f, 1.0f, -HUGE_VALF, HUGE_VALF) == Approx(2.0f));
}

TEST_CASE("both corrections bring the mean of a layer's outputs back", "[quant][bias]") {
    constexpr index_t m = 200, n = 4, k = 9;
    edge::tensor<float> x({m, k}, random_floats(m * k, 3)), w({n, k}, random_floats(n * k, 4));
    for (float& v : x) v += 1.5f;
    auto q = w;
    for (float& v : q) v = std::floor(v * 4.0f) / 4.0f;  // biased on purpose
    const auto run = [&](const edge::tensor<float>& weights, const std::vector<float>& bias) {
        edge::tensor<float> y({m, n});
        for (index_t i = 0; i < m; ++i)
            for (index_t o = 0; o < n; ++o) {
                double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
                for (index_t j = 0; j < k; ++j)
                    sum += static_cast<double>(x(i, j)) * static_cast<double>(weights(o, j));
                y(i, o) = static_cast<float>(sum);
            }
        quant::channel_moments seen(1);
        seen.observe(y);
        return seen.mean();
    };
    const std::vector<float> bias = random_floats(n, 5);
    auto empirical = bias, analytic = bias;
    quant::correct_bias(empirical, run(w, bias), run(q, bias));
    quant::channel_moments inputs(1);
    inputs.observe(x);
    quant::correct_bias({w.view(), analytic}, q, inputs.mean());
    for (std::size_t o = 0; o < 4; ++o) {
        CHECK(std::abs(run(w, bias)[o] - run(q, bias)[o]) > 0.5f);
        CHECK(run(q, empirical)[o] == Approx(run(w, bias)[o]).margin(1e-5));
        CHECK(run(q, analytic)[o] == Approx(run(w, bias)[o]).margin(1e-5));
    }
    CHECK_THROWS_AS(quant::correct_bias(empirical, inputs.mean(), inputs.mean()), edge::shape_error);
    CHECK_THROWS_AS(quant::correct_bias({w.view()}, q, inputs.mean()), edge::shape_error);
    CHECK_THROWS_AS(quant::correct_bias({w.view(), analytic}, q, bias), edge::shape_error);
    // A depthwise layer reads each channel alone, through all positions of its kernel.
    const edge::tensor<float> dw({2, 1, 1, 2}, {1.0f, 2.0f, 3.0f, 4.0f}), dq({2, 1, 1, 2}, {1.5f, 2.0f, 3.0f, 3.0f});
    CHECK(quant::output_shift({dw.view(), {}, 2}, dq, std::vector<float>{10.0f, 100.0f}) ==
          std::vector<float>{5.0f, -100.0f});
}
