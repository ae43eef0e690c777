// SPDX-License-Identifier: MIT
#include <edge/quant/sqnr.hpp>

#include "support/architectures.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace quant = edge::quant;

TEST_CASE("signal and noise are added in the same order on every architecture", "[quant][sqnr]") {
    const auto x = random_floats(75, 1), y = random_floats(75, 2);
    for (index_t n = 0; n <= 75; ++n) {
        double signal[16] = {}, noise[16] = {}, expected[2] = {};
        for (index_t i = 0; i < n; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const double a = static_cast<double>(x[at]), off = a - static_cast<double>(y[at]);
            const volatile double square = a * a, other = off * off;
            signal[i % 16] += square;
            noise[i % 16] += other;
        }
        for (int c = 0; c < 16; ++c) {
            expected[0] += signal[c];
            expected[1] += noise[c];
        }
        for_each_architecture([&]<class Arch>() {
            double sums[2] = {};
            quant::detail::add_squares<Arch>(x.data(), y.data(), n, sums);
            REQUIRE(sums[0] == expected[0]);
            REQUIRE(sums[1] == expected[1]);
        });
    }
}

TEST_CASE("a tenth of the values as error is 20 dB", "[quant][sqnr]") {
    const std::vector<float> x{1.0f, -2.0f, 3.0f}, y{1.1f, -2.2f, 2.7f};
    CHECK(quant::sqnr(x, y) == Approx(20.0).epsilon(1e-5));
    CHECK(quant::sqnr(x, x) == HUGE_VAL);
    CHECK(quant::sqnr({}, {}) == HUGE_VAL);
    CHECK(quant::sqnr(std::vector<float>{0.0f}, std::vector<float>{1.0f}) == -HUGE_VAL);
    CHECK(std::isnan(quant::sqnr(std::vector<float>{std::nanf("")}, std::vector<float>{1.0f})));
    CHECK_THROWS_AS(quant::sqnr(x, {}), edge::shape_error);
    quant::signal_and_noise a, b;
    a.observe(x, y);
    b.observe(x, x);
    a.merge(b);
    CHECK(a.sqnr() == Approx(20.0 + 10.0 * std::log10(2.0)).epsilon(1e-5));
}
