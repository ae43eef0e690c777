// SPDX-License-Identifier: MIT
#include <edge/simd/evaluate.hpp>
#include <edge/simd/lift.hpp>
#include <edge/simd/math.hpp>

#include "support/catch.hpp"
#include "support/raised.hpp"

#include <cmath>
#include <vector>

using edge::index_t;
using edge::tensor;

namespace {

constexpr auto softsign = edge::lift([](auto x) {
    using std::abs;
    return x / (1 + abs(x));
});

tensor<float> ramp(index_t n) {
    tensor<float> t({n});
    for (index_t i = 0; i < n; ++i) t[i] = 0.25f * static_cast<float>(i) - 9.0f;
    return t;
}

}  // namespace

TEST_CASE("a function of registers works on arrays, and on numbers", "[simd][lift]") {
    const auto x = ramp(77);
    const auto y = edge::eval(softsign(x) * 2.0f + x);
    for (index_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == softsign(x[i]) * 2.0f + x[i]);
    REQUIRE(softsign(3.0) == 0.75);
}

TEST_CASE("a lifted function may branch, compare and take several arguments", "[simd][lift]") {
    const auto x = ramp(40);
    const auto smooth = edge::lift([](const auto& a, const auto& b, const auto& slope) {
        const auto e = exp(a);  // used twice, computed once
        return where((a > b) & (b < 5), e + e, fma(a, slope, b));
    });
    const auto is_inside = edge::lift([](auto a, auto b) { return (a >= b) & ~(a > 3.0f); });
    const auto y = edge::eval(smooth(x, x.view().slice(0, 3, 4), 0.5f));
    const auto inside = edge::eval(is_inside(x, 1.0f));
    const auto exps = edge::eval(edge::exp(x));
    for (index_t i = 0; i < x.size(); ++i) {
        REQUIRE(y[i] == (x[i] > x[3] ? 2 * exps[i] : x[i] * 0.5f + x[3]));
        REQUIRE(inside[i] == (x[i] >= 1.0f && !(x[i] > 3.0f)));
    }
}

TEST_CASE("a function of numbers is called for each element", "[simd][lift]") {
    const auto x = ramp(33);
    const std::vector<float> v(33, 2.5f);
    const auto lgamma = edge::lift([](float a) { return std::lgamma(a); });
    const auto power = edge::lift_scalar([](auto a, auto b) { return std::pow(std::fabs(a), b); });
    const auto y = edge::eval(lgamma(v) + power(x, 3.0f));
    for (index_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == std::lgamma(2.5f) + std::pow(std::fabs(x[i]), 3.0f));
}

TEST_CASE("a lifted function keeps what it captured", "[simd][lift]") {
    const float alpha = 0.1f;
    const auto leaky = edge::lift([alpha](auto a) { return where(a > 0, a, alpha * a); });
    const auto x = ramp(100);
    const auto y = edge::eval(leaky(x));
    for (index_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == (x[i] > 0 ? x[i] : alpha * x[i]));
}

TEST_CASE("integers in a lifted function divide by zero to zero, and take no number that is none of theirs",
          "[simd][lift]") {
    const tensor<std::int8_t> a({20}, 7);
    const tensor<std::int8_t> zero({20}, 0);
    const auto divided = edge::eval(edge::lift([](auto x, auto y) { return x / y + x % y; })(a, zero));
    for (const auto v : divided) REQUIRE(v == 0);
    const auto too_large = edge::lift([](auto x) { return x + 300; });
    REQUIRE_THROWS_AS(too_large(a), edge::argument_error);
}
