// SPDX-License-Identifier: MIT
#include <edge/core/tensor.hpp>
#include <edge/quant/equalize.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace quant = edge::quant;

namespace {

/// Weights whose outputs and inputs are of very different sizes.
edge::tensor<float> uneven(const edge::shape& s, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    edge::tensor<float> w(s, random_floats(s.size(), random));
    const index_t each = s.size() / s[0];
    for (index_t o = 0; o < s[0]; ++o) {
        const auto factor = static_cast<float>(std::exp(random.uniform(-4.0, 4.0)));
        for (index_t i = 0; i < each; ++i) w[o * each + i] *= factor;
    }
    return w;
}

struct layer {
    edge::tensor<float> w;
    std::vector<float> b;
    index_t groups = 1;
    quant::layer_weights view() { return {w.view(), b, groups}; }
};

/// What a 1×1 or valid convolution gives for one patch: x [inputs][positions] to [outputs].
std::vector<double> run(const layer& l, const std::vector<double>& x) {
    std::vector<double> y(l.b.begin(), l.b.end());
    const index_t positions = l.w.size() / (l.w.shape()[0] * l.w.shape()[1]);
    index_t at = 0;
    for (index_t o = 0; o < l.w.shape()[0]; ++o)
        for (index_t i = 0; i < l.w.shape()[1]; ++i)
            for (index_t p = 0; p < positions; ++p, ++at) {
                const index_t input = o / (l.w.shape()[0] / l.groups) * l.w.shape()[1] + i;
                y[static_cast<std::size_t>(o)] += static_cast<double>(l.w[at]) * x[static_cast<std::size_t>(input)] *
                                                  (1.0 + 0.1 * static_cast<double>(p));
            }
    return y;
}

std::vector<double> relu(std::vector<double> x) {
    for (double& v : x) v = (std::max)(v, 0.0);
    return x;
}

}  // namespace

TEST_CASE("two layers meet at the mean of their ranges and give the same answers", "[quant][equalize]") {
    layer a{uneven({6, 5}, 1), random_floats(6, 2)}, b{uneven({4, 6, 3, 3}, 3), random_floats(4, 4)};
    const layer a0 = a, b0 = b;
    const auto given = quant::output_ranges(a.view()), read = quant::input_ranges(b.view());
    const auto scales = quant::equalize(a.view(), b.view());
    const auto now_given = quant::output_ranges(a.view()), now_read = quant::input_ranges(b.view());
    for (std::size_t c = 0; c < 6; ++c) {
        CHECK(scales[c] == Approx(std::sqrt(given[c] * read[c]) / read[c]));
        CHECK(now_given[c] == Approx(std::sqrt(given[c] * read[c])));
        CHECK(now_read[c] == Approx(now_given[c]));
        CHECK(a.b[c] == Approx(a0.b[c] / scales[c]));
        CHECK(quant::scaled_limit(6.0f, scales)[c] == 6.0f / scales[c]);
    }
    CHECK(b.b == b0.b);
    const std::vector<double> x{0.5, -1.0, 0.25, 2.0, -0.75};
    const auto y = run(b, relu(run(a, x))), y0 = run(b0, relu(run(a0, x)));
    for (std::size_t o = 0; o < y.size(); ++o) CHECK(y[o] == Approx(y0[o]).epsilon(1e-5));
}

TEST_CASE("expand, depthwise and project meet at the cube root of their ranges", "[quant][equalize]") {
    layer chain[] = {{uneven({8, 3, 1, 1}, 5), random_floats(8, 6)},
                     {uneven({8, 1, 3, 3}, 7), random_floats(8, 8), 8},
                     {uneven({4, 8, 1, 1}, 9), random_floats(4, 10)}};
    std::vector<layer> before(std::begin(chain), std::end(chain));
    const auto r1 = quant::output_ranges(chain[0].view()), r2 = quant::output_ranges(chain[1].view()),
               r3 = quant::input_ranges(chain[2].view());
    const quant::layer_weights views[] = {chain[0].view(), chain[1].view(), chain[2].view()};
    const auto scales = quant::equalize(views, {.change = 1e-6f});
    const auto now1 = quant::output_ranges(views[0]), now2 = quant::output_ranges(views[1]),
               now3 = quant::input_ranges(views[2]);
    for (std::size_t c = 0; c < 8; ++c) {
        const float mean = std::cbrt(r1[c] * r2[c] * r3[c]);
        CHECK(now1[c] == Approx(mean).epsilon(1e-4));
        CHECK(now2[c] == Approx(mean).epsilon(1e-4));
        CHECK(now3[c] == Approx(mean).epsilon(1e-4));
        CHECK(chain[0].b[c] == Approx(before[0].b[c] / scales[0][c]).epsilon(1e-4));
        CHECK(chain[1].b[c] == Approx(before[1].b[c] / scales[1][c]).epsilon(1e-4));
    }
    const std::vector<double> x{0.5, -1.0, 0.25};
    const auto y = run(chain[2], relu(run(chain[1], relu(run(chain[0], x)))));
    const auto y0 = run(before[2], relu(run(before[1], relu(run(before[0], x)))));
    for (std::size_t o = 0; o < y.size(); ++o) CHECK(y[o] == Approx(y0[o]).epsilon(1e-5));
    CHECK(quant::equalize({}).empty());
}

TEST_CASE("channels without weights stay, and strided weights are taken as they lie", "[quant][equalize]") {
    edge::tensor<float> a({2, 2}, {0.0f, 0.0f, 8.0f, 4.0f}), b({2, 1}, {1.0f, 2.0f});  // b is [k, n] in memory
    const auto scales = quant::equalize({a.view()}, {b.view().transpose()});
    CHECK(scales == std::vector<float>{1.0f, 2.0f});
    CHECK(a[2] == 4.0f);
    CHECK(b[1] == 4.0f);
    CHECK(b[0] == 1.0f);
    a[3] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(quant::equalize({a.view()}, {b.view().transpose()}),
                      "equalize: a weight of channel 1 is not finite");
    CHECK_THROWS_AS(quant::equalize({a.view()}, {b.view()}), edge::shape_error);
    CHECK_THROWS_AS(quant::output_ranges({a.view(), {}, 3}), edge::shape_error);
}

TEST_CASE("a high bias moves past a ReLU and the answers stay", "[quant][equalize]") {
    layer a{uneven({3, 2}, 11), {50.0f, 0.5f, -1.0f}}, b{uneven({2, 3}, 12), random_floats(2, 13)};
    a.w[0] = 0.5f;
    a.w[1] = -0.25f;
    const layer a0 = a, b0 = b;
    const auto amounts = quant::absorbable_bias(std::vector<float>{50.0f, 0.5f, -1.0f}, std::vector<float>{2, 1, 1});
    CHECK(amounts == std::vector<float>{44.0f, 0.0f, 0.0f});
    quant::absorb_bias(a.view(), b.view(), amounts);
    CHECK(a.b == std::vector<float>{6.0f, 0.5f, -1.0f});
    const std::vector<double> x{3.0, -2.0};
    const auto y = run(b, relu(run(a, x))), y0 = run(b0, relu(run(a0, x)));
    for (std::size_t o = 0; o < y.size(); ++o) CHECK(y[o] == Approx(y0[o]).epsilon(1e-5));
    CHECK_THROWS_AS(quant::absorb_bias({a.w.view()}, b.view(), amounts), edge::shape_error);
}
