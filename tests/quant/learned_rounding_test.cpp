// SPDX-License-Identifier: MIT
#include <edge/quant/learned_rounding.hpp>
#include <edge/quant/observer.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace quant = edge::quant;
using quant::rounding;

namespace {

/// Inputs behind a ReLU that follow few hidden ones.
edge::tensor<float> correlated(index_t m, index_t k, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    const auto mix = random_floats(k * 3, 77);
    edge::tensor<float> x({m, k});
    for (index_t i = 0; i < m; ++i) {
        const auto hidden = random_floats(3, random);
        for (index_t j = 0; j < k; ++j) {
            float v = 0.3f + 0.2f * static_cast<float>(random.uniform(-1.0, 1.0));
            for (std::size_t h = 0; h < 3; ++h) v += mix[static_cast<std::size_t>(j) * 3 + h] * hidden[h];
            x(i, j) = (std::max)(0.0f, v);
        }
    }
    return x;
}

std::vector<quant::parameters> parameters_of(const edge::tensor<float>& w, const quant::format& f) {
    quant::channel_minmax_observer seen(0);
    seen.observe(w);
    return seen.parameters_for(f);
}

template <class Q>
double output_error(const edge::tensor<float>& w, const edge::tensor<Q>& q, const std::vector<quant::parameters>& p,
                    const edge::tensor<float>& x, const edge::tensor<float>& wanted_x) {
    const index_t n = w.shape()[0], k = w.shape()[1];
    double sum = 0.0;
    for (index_t i = 0; i < x.shape()[0]; ++i)
        for (index_t o = 0; o < n; ++o) {
            double off = 0.0;
            for (index_t j = 0; j < k; ++j)
                off += static_cast<double>(quant::dequantize_one(q(o, j), p[static_cast<std::size_t>(o)])) *
                           static_cast<double>(x(i, j)) -
                       static_cast<double>(w(o, j)) * static_cast<double>(wanted_x(i, j));
            sum += off * off;
        }
    return sum / static_cast<double>(x.shape()[0] * n);
}

}  // namespace

TEST_CASE("moments of a convolution's patches are those of its dense form", "[quant][moments]") {
    constexpr index_t n = 2, c = 70, h = 5, w = 6;
    edge::tensor<float> x({n, c, h, w}, random_floats(n * c * h * w, 1));
    const quant::patches at{.kernel_h = 3,
                            .kernel_w = 2,
                            .stride_h = 2,
                            .stride_w = 1,
                            .pad_top = 1,
                            .pad_left = 1,
                            .pad_bottom = 1,
                            .pad_right = 0,
                            .dilation_h = 1,
                            .dilation_w = 2};
    constexpr index_t out_h = 3, out_w = 5;
    for (const index_t groups : {index_t{1}, index_t{35}, index_t{70}}) {
        const index_t inputs = c / groups, k = inputs * 6;
        quant::input_moments seen(k, groups), half(k, groups);
        seen.observe(x.view().slice(0, 0, 1), at);
        half.observe(x.view().slice(0, 1, 2), at);
        seen.merge(quant::input_moments::from_bytes(half.to_bytes()));
        CHECK(seen.count() == n * out_h * out_w);
        // The same values, channels last.
        const edge::tensor<float> last = edge::copy(x.view().transpose({0, 2, 3, 1}));
        quant::input_moments other(k, groups);
        other.observe(last.view().transpose({0, 3, 1, 2}), at);
        for (const index_t g : {index_t{0}, groups - 1}) {
            quant::input_moments dense(k);
            edge::tensor<float> rows({n * out_h * out_w, k});
            for (index_t r = 0; r < rows.shape()[0]; ++r)
                for (index_t j = 0; j < k; ++j) {
                    const index_t y = r / out_w % out_h * 2 - 1 + j / 2 % 3, across = r % out_w - 1 + j % 2 * 2;
                    const bool inside = y >= 0 && y < h && across >= 0 && across < w;
                    rows(r, j) = inside ? x(r / (out_h * out_w), g * inputs + j / 6, y, across) : 0.0f;
                }
            dense.observe(rows);
            const auto expected = dense.moments(), centred = dense.covariance();
            for (const auto& s : {seen, other}) {
                const auto found = s.moments(g), around = s.covariance(g);
                for (index_t i = 0; i < k * k; i += 1 + k * k / 500) {
                    REQUIRE(found[i] == Approx(expected[i]).epsilon(1e-5).margin(1e-6));
                    REQUIRE(around[i] == Approx(centred[i]).epsilon(1e-5).margin(1e-6));
                }
                CHECK(s.mean(g).front() == Approx(dense.mean().front()).margin(1e-6));
                CHECK(s.mean(g).back() == Approx(dense.mean().back()).margin(1e-6));
            }
        }
    }
    quant::input_moments seen(6, 70), some(6, 70);
    CHECK_THROWS_AS(seen.observe(x), edge::shape_error);
    CHECK_THROWS_AS(quant::input_moments(7, 70).observe(x, at), edge::shape_error);
    CHECK_THROWS_AS(seen.observe(x, {.kernel_h = 0}), edge::argument_error);
    auto every = at;
    every.every = 7;
    some.observe(x, every);
    CHECK(some.count() == 6);
    x[33] = std::nanf("");
    CHECK_THROWS_WITH(seen.observe(x, at), "observed value 33 is nan; expected a finite number");
    CHECK(seen.count() == 0);
    const auto bytes = some.to_bytes();
    CHECK_THROWS_AS(quant::input_moments::from_bytes(std::span(bytes).first(bytes.size() - 8)), edge::parse_error);
    CHECK_THROWS_AS(quant::input_moments(0), edge::argument_error);
}

TEST_CASE("moments of a dense layer are sums of products, whatever the strides", "[quant][moments]") {
    const auto x = correlated(100, 7, 2);
    quant::input_moments seen(7), turned(7);
    seen.observe(x);
    const edge::tensor<float> columns = edge::copy(x.view().transpose());
    turned.observe(columns.view().transpose());
    const auto gram = seen.moments();
    for (index_t i = 0; i < 7; ++i)
        for (index_t j = 0; j < 7; ++j) {
            double sum = 0.0;
            for (index_t r = 0; r < 100; ++r) sum += static_cast<double>(x(r, i)) * static_cast<double>(x(r, j));
            CHECK(gram(i, j) == Approx(sum / 100.0).epsilon(1e-5));
            CHECK(turned.moments()(i, j) == gram(i, j));
        }
}

TEST_CASE("the errors that rounding reports are those of the outputs, and learned ones are lower",
          "[quant][rounding]") {
    constexpr index_t n = 45, k = 24;  // more than one block of rows, and a part
    const auto x = correlated(400, k, 3), other = correlated(400, k, 4);
    const edge::tensor<float> w({n, k}, random_floats(n * k, 5));
    quant::input_moments seen(k);
    seen.observe(x);
    const edge::tensor<float> gram[] = {seen.moments()};
    const auto check = [&]<class Q>(Q, const quant::format& f) {
        const auto p = parameters_of(w, f);
        const auto nearest = quant::round_weights<Q>(w, p, f.range, gram, {.method = rounding::nearest});
        CHECK(nearest.error == nearest.nearest_error);
        const auto plain = quant::quantize<Q>(w, p, 0, f.range);
        CHECK(std::equal(plain.begin(), plain.end(), nearest.weights.begin()));
        for (const auto method : {rounding::descent, rounding::up_or_down}) {
            const auto learned =
                quant::round_weights<Q>(w, p, f.range, gram, {.method = method, .learning = {.steps = 300}});
            CHECK(learned.nearest_error == nearest.nearest_error);
            CHECK(learned.error == Approx(output_error(w, learned.weights, p, x, x)).epsilon(1e-3));
            CHECK(learned.error < 0.5 * nearest.error);
            CHECK(output_error(w, learned.weights, p, other, other) < 0.7 * output_error(w, plain, p, other, other));
            for (const Q q : learned.weights) REQUIRE((q >= f.range.low && q <= f.range.high));
            const auto again = quant::round_weights<Q>(w, p, f.range, gram,
                                                       {.method = method, .learning = {.steps = 300}, .threads = 3});
            CHECK(std::equal(again.weights.begin(), again.weights.end(), learned.weights.begin()));
            CHECK(again.error == learned.error);
        }
    };
    check(std::int8_t{}, edge::dtype::i8);
    check(std::int8_t{}, {edge::dtype::i8, {-7, 7}, true});
    check(std::uint8_t{}, edge::dtype::u8);
}

TEST_CASE("no weight of a learned row is better one step up or down", "[quant][rounding]") {
    constexpr index_t k = 12;
    const edge::tensor<float> w({3, k}, random_floats(3 * k, 6));
    quant::input_moments seen(k);
    seen.observe(correlated(200, k, 7));
    const edge::tensor<float> gram[] = {seen.moments()};
    const quant::parameters p[] = {{0.3f, 0}};
    const auto found = quant::round_weights<std::int8_t>(w, p, {-3, 3}, gram, {.damping = 0.0});
    const auto cost = [&](index_t o, index_t moved, int by) {
        double sum = 0.0;
        std::vector<double> e;
        for (index_t j = 0; j < k; ++j)
            e.push_back(0.3f * static_cast<float>(found.weights(o, j) + (j == moved ? by : 0)) - w(o, j));
        for (index_t i = 0; i < k; ++i)
            for (index_t j = 0; j < k; ++j)
                sum += e[static_cast<std::size_t>(i)] * e[static_cast<std::size_t>(j)] *
                       static_cast<double>(gram[0](i, j));
        return sum;
    };
    for (index_t o = 0; o < 3; ++o)
        for (index_t j = 0; j < k; ++j)
            for (const int by : {-1, 1})
                if (std::abs(found.weights(o, j) + by) <= 3) CHECK(cost(o, j, by) >= cost(o, j, 0) * 0.999);
}

TEST_CASE("each group of a convolution is rounded by its own moments", "[quant][rounding]") {
    edge::splitmix64 random(8);
    const edge::tensor<float> w({6, 1, 3, 3}, random_floats(54, random));
    std::vector<edge::tensor<float>> grams;
    for (std::uint64_t g = 0; g < 3; ++g) {
        quant::input_moments seen(9);
        seen.observe(correlated(80, 9, 10 + g));
        grams.push_back(seen.moments());
    }
    const auto p = parameters_of(w, edge::dtype::i8);
    const auto all = quant::round_weights<std::int8_t>(w, p, {-127, 127}, grams);
    CHECK(all.error < all.nearest_error);
    for (index_t g = 0; g < 3; ++g) {
        const auto at = static_cast<std::size_t>(g);
        const auto alone =
            quant::round_weights<std::int8_t>(w.view().slice(0, 2 * g, 2 * g + 2), std::span(p).subspan(2 * at, 2),
                                              {-127, 127}, std::span(grams).subspan(at, 1));
        CHECK(std::equal(alone.weights.begin(), alone.weights.end(), all.weights.begin() + 18 * g));
    }
}

TEST_CASE("rounding is sound where moments say little", "[quant][rounding]") {
    const edge::tensor<float> w({2, 4}, {0.4f, -0.6f, 0.0f, 2.0f, 1e-30f, 1.0f, -1.0f, 0.5f});
    const quant::parameters p[] = {{0.5f, 0}};
    const auto plain = quant::quantize<std::int8_t>(w, p[0]);
    edge::tensor<float> zeros({4, 4}), odd({4, 4});
    for (index_t i = 0; i < 4; ++i) odd(i, 3 - i) = 1.0f;  // of no inputs at all: not positive
    for (const auto method : {rounding::descent, rounding::up_or_down}) {
        const auto found =
            quant::round_weights<std::int8_t>(w, p, {-127, 127}, std::span(&zeros, 1), {.method = method});
        CHECK(std::equal(found.weights.begin(), found.weights.end(), plain.begin()));
        CHECK(found.error == 0.0);
        CHECK_NOTHROW(quant::round_weights<std::int8_t>(w, p, {-127, 127}, std::span(&odd, 1), {.method = method}));
    }
    CHECK_THROWS_AS(quant::round_weights<std::int8_t>(w, p, {-127, 127}, {}), edge::shape_error);
    CHECK_THROWS_AS(quant::round_weights<std::int8_t>(w, p, {-127, 127}, std::vector{zeros, zeros, zeros}),
                    edge::shape_error);
    CHECK_THROWS_AS(quant::round_weights<std::int8_t>(w, p, {1, 127}, std::span(&zeros, 1)), edge::argument_error);
    zeros[5] = std::nanf("");
    CHECK_THROWS_WITH(quant::round_weights<std::int8_t>(w, p, {-127, 127}, std::span(&zeros, 1)),
                      "rounding: moment 5 is nan");
}

TEST_CASE("learning says how far it is", "[quant][rounding]") {
    const edge::tensor<float> w({1, 4}, random_floats(4, 9));
    const edge::tensor<float> gram[] = {edge::tensor<float>({4, 4}, 1.0f)};
    const quant::parameters p[] = {{0.1f, 0}};
    std::vector<double> told;
    (void)quant::round_weights<std::int8_t>(
        w, p, {-127, 127}, gram,
        {.method = rounding::up_or_down,
         .learning = {.steps = 120,
                      .progress = [](void* to, double done) { static_cast<std::vector<double>*>(to)->push_back(done); },
                      .context = &told}});
    CHECK(told == std::vector<double>{0.0, 50.0 / 120, 100.0 / 120, 1.0});
}

TEST_CASE("compensated weights make up for the errors of the inputs", "[quant][rounding]") {
    constexpr index_t k = 10, n = 6;
    const auto x = correlated(300, k, 11);
    edge::tensor<float> seen_x = x, both({300, 2 * k});
    for (float& v : seen_x) v = 0.25f * std::floor(v * 4.0f);  // coarse, and always too small
    for (index_t r = 0; r < 300; ++r)
        for (index_t j = 0; j < k; ++j) {
            both(r, j) = seen_x(r, j);
            both(r, k + j) = x(r, j);
        }
    quant::input_moments stacked(2 * k), inputs(k);
    stacked.observe(both);
    inputs.observe(seen_x);
    const edge::tensor<float> pairs[] = {stacked.moments()}, gram[] = {inputs.moments()};
    const edge::tensor<float> w({n, k}, random_floats(n * k, 12));
    const auto p = parameters_of(w, edge::dtype::i8);
    const auto wanted = quant::compensated_weights(w, pairs, 1e-3);
    const auto better = quant::round_weights<std::int8_t>(wanted, p, {-127, 127}, gram);
    const auto before = quant::round_weights<std::int8_t>(w, p, {-127, 127}, gram);
    CHECK(output_error(w, better.weights, p, seen_x, x) < 0.5 * output_error(w, before.weights, p, seen_x, x));
    CHECK_THROWS_AS(quant::compensated_weights(w, gram), edge::shape_error);
    CHECK_THROWS_AS(quant::compensated_weights(w, pairs, 0.0), edge::argument_error);
}
