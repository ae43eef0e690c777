// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/quant/linear.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

#include <cmath>

using edge::index_t;
namespace quant = edge::quant;

namespace {

template <class T>
std::vector<T> random_bytes(index_t n, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    std::vector<T> v;
    v.reserve(static_cast<std::size_t>(n) + 1);  // a pointer that may be moved along, even where there is nothing
    v.resize(static_cast<std::size_t>(n));
    for (T& x : v) x = static_cast<T>(random());
    return v;
}

/// Σ (x - x_zero)·(w - w_zero) + bias in int64, for one row and one channel.
template <class X, class W>
std::int64_t exact(const X* x, const W* w, index_t k, std::int64_t x_zero, std::int64_t w_zero, std::int64_t bias) {
    std::int64_t sum = bias;
    for (index_t i = 0; i < k; ++i) sum += (std::int64_t{x[i]} - x_zero) * (std::int64_t{w[i]} - w_zero);
    return sum;
}

template <class X, class W>
void check_dense(index_t m, index_t n, index_t k, bool zeros) {
    const auto x = random_bytes<X>(m * k, 1);
    const auto w = random_bytes<W>(n * k, 2);
    const std::int32_t x_zero = std::is_signed_v<X> ? -3 : 131;
    std::vector<std::int32_t> start, w_zero;
    for (index_t j = 0; j < n; ++j) {
        w_zero.push_back(zeros ? static_cast<std::int32_t>(j % 120) : 0);
        start.push_back(quant::detail::dense_start(w.data() + j * k, k, static_cast<std::int32_t>(1000 - j), x_zero,
                                                   w_zero.back()));
    }
    for_each_architecture([&]<class Arch>() {
        for (const int threads : {1, 3}) {
            guarded<std::int32_t> y(static_cast<std::size_t>(m * n), 4);
            quant::detail::dense_i8<Arch>(x.data(), k, w.data(), start.data(), zeros ? w_zero.data() : nullptr, m, n, k,
                                          quant::detail::to_int32{y.data(), n}, threads);
            REQUIRE(y.is_intact());
            for (index_t i = 0; i < m; ++i)
                for (index_t j = 0; j < n; ++j)
                    REQUIRE(y.data()[i * n + j] == exact(x.data() + i * k, w.data() + j * k, k, x_zero,
                                                         w_zero[static_cast<std::size_t>(j)], 1000 - j));
        }
    });
}

}  // namespace

TEST_CASE("integer dense is exact for every sign, zero point, remainder and thread count", "[quant][dense]") {
    for (const bool zeros : {false, true}) {
        for (const index_t k : {0, 1, 15, 16, 17, 63, 130})
            for (const index_t n : {0, 1, 15, 16, 17, 35}) {
                check_dense<std::uint8_t, std::int8_t>(3, n, k, zeros);
                check_dense<std::int8_t, std::int8_t>(2, n, k, zeros);
            }
        check_dense<std::uint8_t, std::uint8_t>(5, 19, 70, zeros);
        check_dense<std::int8_t, std::uint8_t>(5, 19, 70, zeros);
        check_dense<std::uint8_t, std::int8_t>(65, 70, 65, zeros);
    }
}

TEST_CASE("the extremes neither saturate nor overflow over a long sum", "[quant][dense]") {
    for_each_architecture([]<class Arch>() {
        for (const index_t k : {1, 64, 1280, 33025}) {
            for (const int w_value : {-128, -127, 127}) {
                const std::vector<std::uint8_t> x(static_cast<std::size_t>(k), 255);
                const std::vector<std::int8_t> w(static_cast<std::size_t>(k), static_cast<std::int8_t>(w_value));
                for (const std::int32_t x_zero : {0, 255}) {
                    const std::int32_t start = quant::detail::dense_start(w.data(), k, 0, x_zero, 0);
                    std::int32_t y = 1;
                    quant::detail::dense_i8<Arch>(x.data(), k, w.data(), &start, nullptr, 1, 0, 1, k,
                                                  quant::detail::to_int32{&y, 1});
                    REQUIRE(std::int64_t{y} == std::int64_t{255 - x_zero} * w_value * k);
                }
            }
        }
    });
}

TEST_CASE("a linear layer is near its float original", "[quant][linear]") {
    const index_t m = 7, n = 5, k = 40;
    const edge::tensor<float> w({n, k}, random_floats(n * k, 3));
    const auto bias = random_floats(n, 4);
    const edge::tensor<float> x({m, k}, random_floats(m * k, 5));
    edge::tensor<float> expected({m, n});
    float most = 0.0f;
    for (index_t i = 0; i < m; ++i)
        for (index_t j = 0; j < n; ++j) {
            double sum = static_cast<double>(bias[static_cast<std::size_t>(j)]);
            for (index_t p = 0; p < k; ++p) sum += static_cast<double>(x(i, p)) * static_cast<double>(w(j, p));
            expected(i, j) = static_cast<float>(sum);
            most = (std::max)(most, std::abs(expected(i, j)));
        }
    for (const bool per_channel : {true, false}) {
        const quant::linear layer(w, bias, {.per_channel = per_channel});
        const auto y = layer(x);
        const auto px = quant::choose_parameters(-1.0f, 1.0f, edge::dtype::u8);
        const auto py = quant::choose_parameters(-most, most, edge::dtype::u8);
        const quant::linear_u8 fixed(layer, px, py);
        const quant::linear_u8 rectified(layer, px, py, {py.zero_point, 255});
        const auto x8 = quant::quantize<std::uint8_t>(x, px);
        edge::tensor<std::uint8_t> y8({m, n}), r8({m, n}), t8({m, n});
        fixed(x8, y8);
        fixed(x8, t8, 3);
        rectified(x8, r8);
        for (index_t i = 0; i < m * n; ++i) {
            // Each product is off by half a step of x and of w, of a range of about 2 in 255 steps.
            CHECK(std::abs(y[i] - expected[i]) < 0.06f);
            CHECK(std::abs(quant::dequantize_one(y8[i], py) - expected[i]) < 0.06f + py.scale / 2.0f);
            CHECK(y8[i] == t8[i]);
            CHECK(int{r8[i]} == (std::max)(int{y8[i]}, py.zero_point));
        }
    }
}

TEST_CASE("a bias becomes an integer of the sums' scale and saturates", "[quant][linear]") {
    CHECK(quant::quantize_bias(1.0f, 0.5f, 0.25f) == 8);
    CHECK(quant::quantize_bias(-0.3125f, 0.5f, 0.25f) == -2);  // -2.5, half to even
    CHECK(quant::quantize_bias(1e30f, 1e-3f, 1e-3f) == 2147483647);
    CHECK(quant::quantize_bias(-1e30f, 1e-3f, 1e-3f) == -2147483647);
}

TEST_CASE("a linear layer refuses what does not fit", "[quant][linear]") {
    const edge::tensor<float> w({2, 3}, 1.0f);
    const std::vector<float> bad{0.0f, HUGE_VALF};
    CHECK_THROWS_WITH(quant::linear(w, bad), "linear: bias 1 is inf; expected a finite number");
    CHECK_THROWS_AS(quant::linear(w, std::span(bad).first(1)), edge::shape_error);
    CHECK_THROWS_AS(quant::linear(w.view().select(0, 0), {}), edge::shape_error);
    const quant::linear layer(w, {});
    CHECK_THROWS_WITH(layer(edge::tensor<float>({4, 2})), "linear: input (4, 2) for weights (2, 3)");
    CHECK(layer(edge::tensor<float>({0, 3})).shape() == edge::shape{0, 2});
    const quant::linear_u8 fixed(layer, {}, {});
    edge::tensor<std::uint8_t> x({1, 3}), y({1, 3});
    CHECK_THROWS_AS(fixed(x, y), edge::shape_error);
    CHECK_THROWS_AS(quant::linear_u8(layer, {0.0f, 0}, {}), edge::argument_error);
    CHECK_THROWS_AS(quant::linear(edge::tensor<std::int8_t>({2, 3}), {1.0f, 1.0f, 1.0f}, {}), edge::shape_error);
}
