// SPDX-License-Identifier: MIT
#include <edge/simd/bits.hpp>
#include <edge/simd/evaluate.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <vector>

using edge::index_t;
using edge::tensor;

namespace {

/// Ends of the range and small numbers, each with each.
template <class T>
void pairs(tensor<T>& a, tensor<T>& b, bool without_zero) {
    using limits = std::numeric_limits<T>;
    const std::vector<T> some{limits::min(),
                              static_cast<T>(limits::min() + 1),
                              limits::max(),
                              T(1),
                              T(2),
                              T(3),
                              T(7),
                              T(8),
                              static_cast<T>(-1),
                              static_cast<T>(-2),
                              static_cast<T>(-7),
                              T(31),
                              T(64),
                              T(100),
                              T(0)};
    std::vector<T> x, y;
    for (const T i : some)
        for (const T j : some)
            if (j != 0 || !without_zero) {
                x.push_back(i);
                y.push_back(j);
            }
    a = tensor<T>({static_cast<index_t>(x.size())});
    b = tensor<T>({static_cast<index_t>(x.size())});
    std::copy(x.begin(), x.end(), a.begin());
    std::copy(y.begin(), y.end(), b.begin());
}

}  // namespace

TEMPLATE_TEST_CASE("integers divide toward zero or down, and the rest goes with it", "[simd][elementwise]", std::int8_t,
                   std::uint64_t) {
    using T = TestType;
    tensor<T> a, b;
    pairs(a, b, true);
    const auto rest = edge::eval(a % b);
    const auto same = edge::eval(edge::fmod(a, b) == rest);
    const auto quotient = edge::eval(a / b);
    const auto down = edge::eval(edge::floor_divide(a, b));
    const auto modulo = edge::eval(edge::remainder(a, b));
    for (index_t i = 0; i < a.size(); ++i) {
        INFO(+a[i] << " by " << +b[i]);
        if (std::is_signed_v<T> && b[i] == static_cast<T>(-1)) {
            REQUIRE(rest[i] == 0);
            REQUIRE(modulo[i] == 0);
            REQUIRE(down[i] == quotient[i]);
            continue;
        }
        REQUIRE(rest[i] == static_cast<T>(a[i] % b[i]));
        REQUIRE(same[i]);
        const bool adjusts = a[i] % b[i] != 0 && (a[i] < 0) != (b[i] < 0);
        REQUIRE(down[i] == static_cast<T>(a[i] / b[i] - (adjusts ? 1 : 0)));
        REQUIRE(modulo[i] == static_cast<T>(a[i] % b[i] + (adjusts ? b[i] : 0)));
    }
    b[3] = 0;
    REQUIRE_THROWS_AS(edge::eval(a % b), edge::argument_error);
    REQUIRE_THROWS_AS(edge::eval(edge::remainder(a, b)), edge::argument_error);
    REQUIRE_THROWS_AS(edge::eval(edge::floor_divide(a, T(0))), edge::argument_error);
}

TEMPLATE_TEST_CASE("bits of integers, and shifts by any count", "[simd][elementwise]", std::int8_t, std::int64_t) {
    using T = TestType;
    tensor<T> a, b;
    pairs(a, b, false);
    const auto all = edge::eval((a & b) ^ (a | ~b));
    const auto left = edge::eval(a << b);
    const auto right = edge::eval(a >> b);
    constexpr auto width = static_cast<T>(8 * sizeof(T));
    for (index_t i = 0; i < a.size(); ++i) {
        INFO(+a[i] << " and " << +b[i]);
        const bool fits = b[i] >= 0 && b[i] < width;
        REQUIRE(all[i] == static_cast<T>((a[i] & b[i]) ^ (a[i] | ~b[i])));
        REQUIRE(left[i] == (fits ? static_cast<T>(static_cast<std::uint64_t>(a[i]) << b[i]) : T(0)));
        REQUIRE(right[i] == (fits ? static_cast<T>(a[i] >> b[i]) : a[i] < 0 ? static_cast<T>(-1) : T(0)));
    }
}

TEST_CASE("floats divide as NumPy's", "[simd][elementwise]") {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    struct row {
        float a, b, modulo, down;
    };
    for (const row r : std::vector<row>{{7, 3, 1, 2},
                                        {-7, 3, 2, -3},
                                        {7, -3, -2, -3},
                                        {-7, -3, -1, 2},
                                        {6, -3, -0.0f, -2},
                                        {5, inf, 5, 0},
                                        {-5, inf, inf, -1},
                                        {inf, 2, nan, nan},
                                        {nan, 2, nan, nan},
                                        {-0.0f, 2, 0, -0.0f},
                                        {1, 0, nan, inf}}) {
        const tensor<float> a({9}, r.a);
        const tensor<float> b({9}, r.b);
        const float modulo = edge::eval(edge::remainder(a, b))[8];
        const float down = edge::eval(edge::floor_divide(a, b))[8];
        INFO(r.a << " by " << r.b);
        CHECK(((std::isnan(modulo) && std::isnan(r.modulo)) || modulo == r.modulo));
        CHECK(((std::isnan(down) && std::isnan(r.down)) ||
               (down == r.down && std::signbit(down) == std::signbit(r.down))));
    }
}

TEST_CASE("signs, squares and questions about floats", "[simd][elementwise]") {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> v{-2.5f, -0.0f, 0.0f, 3, inf, -inf, nan, -nan, 1e-45f};
    const auto x = edge::view(v);
    const auto sign = edge::eval(edge::sign(x));
    const auto nans = edge::eval(edge::isnan(x));
    const auto infs = edge::eval(edge::isinf(x));
    const auto finites = edge::eval(edge::isfinite(x));
    const auto negative = edge::eval(edge::signbit(x));
    const auto least = edge::eval(edge::fmin(x, 1.0f));
    const auto most = edge::eval(edge::fmax(1.0f, x));
    const auto squares = edge::eval(edge::square(x));
    for (index_t i = 0; i < x.size(); ++i) {
        const float a = x(i);
        INFO(a);
        CHECK((std::isnan(a) ? std::isnan(sign[i]) : sign[i] == static_cast<float>((a > 0) - (a < 0))));
        CHECK(nans[i] == std::isnan(a));
        CHECK(infs[i] == std::isinf(a));
        CHECK(finites[i] == std::isfinite(a));
        CHECK(negative[i] == std::signbit(a));
        CHECK(least[i] == std::fmin(a, 1.0f));
        CHECK(most[i] == std::fmax(a, 1.0f));
        CHECK((std::isnan(a) || squares[i] == a * a));
    }
    const std::vector<std::int8_t> w{-128, -1, 0, 1, 127};
    const auto signs = edge::eval(edge::sign(edge::view(w)));
    for (index_t i = 0; i < 5; ++i)
        CHECK(signs[i] == (w[static_cast<std::size_t>(i)] > 0) - (w[static_cast<std::size_t>(i)] < 0));
}

TEST_CASE("logic by name takes numbers for whether they are not zero", "[simd][elementwise]") {
    const std::vector<float> a{0, 1, -0.0f, 2};
    const std::vector<float> b{0, 0, 3, -1};
    const auto x = edge::view(a);
    const auto y = edge::view(b);
    const auto both = edge::eval(edge::logical_and(x, y));
    const auto any = edge::eval(edge::logical_or(x, y > 0.0f));
    const auto one = edge::eval(edge::logical_xor(x, y));
    const auto none = edge::eval(edge::logical_not(x));
    const auto direct = edge::eval((x != 0.0f) ^ (y != 0.0f));
    for (index_t i = 0; i < 4; ++i) {
        CHECK(both[i] == (x(i) != 0 && y(i) != 0));
        CHECK(any[i] == (x(i) != 0 || y(i) > 0));
        CHECK(one[i] == ((x(i) != 0) != (y(i) != 0)));
        CHECK(none[i] == (x(i) == 0));
        CHECK(direct[i] == one[i]);
    }
}

namespace unqualified {
using namespace edge;
using namespace std;

TEST_CASE("names beside those of std are not ambiguous", "[simd][elementwise]") {
    const tensor<float> x({3}, -2.0f);
    CHECK(eval(abs(x))[0] == 2.0f);
    CHECK(abs(-2) == 2);
    CHECK(fmin(1.0, 2.0) == 1.0);
    CHECK(eval(fmin(x, 1.0f))[0] == -2.0f);
}
}  // namespace unqualified
