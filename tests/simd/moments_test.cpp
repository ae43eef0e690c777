// SPDX-License-Identifier: MIT
#include <edge/simd/moments.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using edge::index_t;
using edge::tensor;

namespace {

template <class T>
tensor<T> normal(const edge::shape& extents, double mean, double spread, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> values(mean, spread);
    tensor<T> t(extents);
    for (T& v : t) v = static_cast<T>(values(random));
    return t;
}

/// The definition, in as many bits as there are.
template <class T>
double variance(const edge::tensor_view<const T>& x, index_t ddof = 0) {
    long double sum = 0;
    for (index_t i = 0; i < x.size(); ++i) sum += x(i);
    const long double mean = sum / static_cast<long double>(x.size());
    long double squares = 0;
    for (index_t i = 0; i < x.size(); ++i) squares += (x(i) - mean) * (x(i) - mean);
    return static_cast<double>(squares / static_cast<long double>(x.size() - ddof));
}

}  // namespace

TEST_CASE("a variance is that of its definition to a few roundings", "[simd][moments]") {
    for (const index_t n : {1, 2, 3, 31, 32, 33, 64, 100, 4097, 32768, 32769, 100001}) {
        INFO("n " << n);
        const auto x = normal<float>({n}, 3, 2);
        const double exact = variance<float>(x);
        CHECK(std::abs(edge::var(x) - exact) <= 4e-7 * exact);
        const auto y = normal<double>({n}, -3, 0.01);
        const double exact_y = variance<double>(y);
        CHECK(std::abs(edge::var(y) - exact_y) <= 1e-14 * exact_y);
    }
}

TEST_CASE("values far from zero, or from the first ones, lose nothing", "[simd][moments]") {
    const auto far = normal<double>({100001}, 1e8, 1);
    CHECK(std::abs(edge::var(far) - variance<double>(far)) <= 1e-9);
    auto step = normal<float>({40000}, 0, 1e-3);
    for (index_t i = 128; i < step.size(); ++i) step[i] += 10000;  // rounds to 1e4, but for 128 values
    const double exact = variance<float>(step);
    CHECK(std::abs(edge::var(step) - exact) <= 4e-7 * exact);
    const auto columns = edge::var(step.view().reshape({400, 100}), 0);
    for (index_t c = 0; c < 100; ++c) {
        const double of_column = variance<float>(step.view().reshape({400, 100}).select(1, c));
        REQUIRE(std::abs(columns[c] - of_column) <= 1e-6 * of_column);
    }
    CHECK(edge::var(tensor<float>({100000}, 0.1f)) == 0.0f);
    CHECK(edge::var(tensor<float>({3, 7}, 0.1f), 1)[2] == 0.0f);
}

TEST_CASE("along axes, a variance is that of each slice", "[simd][moments]") {
    for (const edge::shape& extents :
         {edge::shape{2, 1000, 3}, edge::shape{1, 700, 40}, edge::shape{30, 5, 1}, edge::shape{1, 300, 17000}}) {
        INFO("shape " << to_string(extents));
        const auto x = normal<float>(extents, 5, 1);
        const auto v = edge::var(x, 1);
        const auto of_expression = edge::var(x + 1.0f, 1, {.ddof = 1, .keepdims = true});
        CHECK(of_expression.shape() == edge::shape{extents[0], 1, extents[2]});
        double worst = 0;
        for (index_t o = 0; o < extents[0]; ++o)
            for (index_t c = 0; c < extents[2]; c += 1 + c / 64) {
                const edge::tensor_view<const float> slice = x.view().select(0, o).select(1, c);
                const double exact = variance(slice);
                const double sample = exact * static_cast<double>(extents[1]) / static_cast<double>(extents[1] - 1);
                worst = std::max(worst, std::abs(v[o * extents[2] + c] / exact - 1));
                worst = std::max(worst, std::abs(of_expression[o * extents[2] + c] / sample - 1));
            }
        CHECK(worst <= 2e-6);
    }
}

TEST_CASE("over several axes, the squares within and between add up", "[simd][moments]") {
    const auto x = normal<double>({6, 5, 40}, 2, 1);
    const auto v = edge::var(x, {0, 2});
    for (index_t i = 0; i < 5; ++i) {
        const auto slice = edge::eval(x.view().select(1, i));
        CHECK(std::abs(v[i] / variance<double>(slice.view().reshape({240})) - 1) <= 1e-14);
    }
    CHECK(std::abs(edge::var(x, {0, 1, 2})[0] - edge::var(x)) == 0.0);
}

TEST_CASE("the bits of a variance do not depend on the number of threads", "[simd][moments]") {
    const auto x = normal<float>({3000, 101}, 1, 3);
    const float one = edge::var(x, {.threads = 1});
    const auto columns = edge::stddev(x, 0, {.threads = 1});
    for (const int threads : {2, 5}) {
        const float many = edge::var(x, {.threads = threads});
        CHECK(std::memcmp(&one, &many, sizeof one) == 0);
        const auto c = edge::stddev(x, 0, {.threads = threads});
        CHECK(std::memcmp(c.data(), columns.data(), 101 * sizeof(float)) == 0);
    }
}

TEST_CASE("a variance of little, of integers, of what is no number", "[simd][moments]") {
    const tensor<float> x({4}, {10000.0f, 10001.0f, 10002.0f, 10003.0f});
    CHECK(edge::var(x) == 1.25f);
    CHECK(edge::stddev(x) == std::sqrt(1.25f));
    CHECK(edge::var(x, {.ddof = 1}) == 5.0f / 3.0f);
    CHECK(edge::var(x.view().reshape({2, 2}), 0)[1] == 1.0f);
    CHECK(edge::var(tensor<std::int32_t>({2}, {1, 4})) == 2.25);
    CHECK(edge::var(tensor<bool>({4}, {true, false, true, false})) == 0.25);
    CHECK(std::isnan(edge::var(tensor<float>({0, 3}))));
    CHECK(std::isnan(edge::var(tensor<float>({0, 3}), 0)[1]));
    CHECK(std::isnan(edge::var(tensor<float>({1}), {.ddof = 1})));
    CHECK(edge::var(tensor<float>({3, 0}), 0).empty());
    CHECK(std::isnan(edge::var(tensor<float>({2}, {1, std::numeric_limits<float>::infinity()}))));
    CHECK_THROWS_AS(edge::var(x, 1), edge::argument_error);
}
