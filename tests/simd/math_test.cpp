// SPDX-License-Identifier: MIT
#include <edge/simd/evaluate.hpp>
#include <edge/simd/math.hpp>

#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace op = edge::simd::detail::op;

namespace {

/// Distance from the true value in units of the last place of a correctly rounded result.
template <class T>
double ulps(T got, long double want) {
    const T rounded = static_cast<T>(want);
    if (std::isnan(got) || std::isnan(rounded)) return std::isnan(got) == std::isnan(rounded) ? 0 : 1e9;
    if (got == rounded) return std::signbit(got) == std::signbit(rounded) ? 0 : 1e9;
    if (std::isinf(got) || std::isinf(rounded)) return 1e9;
    int exponent = 0;
    std::frexp(rounded, &exponent);
    using limits = std::numeric_limits<T>;
    const long double unit = std::ldexp(1.0L, (std::max)(exponent, limits::min_exponent) - limits::digits);
    return static_cast<double>(std::fabs(static_cast<long double>(got) - want) / unit);
}

/// Ends of ranges, multiples of π/2 and their neighbours, any bits, and plain numbers.
template <class T>
std::vector<T> arguments() {
    using limits = std::numeric_limits<T>;
    std::vector<T> values{T(0),
                          -T(0),
                          limits::infinity(),
                          -limits::infinity(),
                          limits::quiet_NaN(),
                          limits::min(),
                          limits::denorm_min(),
                          limits::max(),
                          limits::lowest(),
                          T(1),
                          T(-1),
                          T(88.3762626647949),
                          T(88.5),
                          T(88.72283),
                          T(88.7229),
                          T(-87.3),
                          T(-103.97),
                          T(-104.5),
                          T(709.4361),
                          T(709.78),
                          T(709.79),
                          T(-708.4),
                          T(-745.1),
                          T(-745.2),
                          T(1e10),
                          T(1e22)};
    for (int k = -40; k <= 40; ++k) {
        const T multiple = static_cast<T>(k * 1.5707963267948966192313L);
        values.insert(values.end(), {multiple, std::nextafter(multiple, T(1e9)), std::nextafter(multiple, T(-1e9)),
                                     static_cast<T>(k) / 2, static_cast<T>(k) + T(0.49999997)});
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 3000; ++i) {
        T any;
        const std::uint64_t bits = random();
        std::memcpy(&any, &bits, sizeof any);
        values.push_back(any);
        for (const double range : {2.0, 100.0, 1000.0, 1e6})
            values.push_back(static_cast<T>(std::uniform_real_distribution<double>(-range, range)(random)));
    }
    while (values.size() % 16 != 0) values.push_back(T(1));
    return values;
}

template <class Op, class T, class F>
void check_within(const char* name, double most, F reference) {
    const auto x = arguments<T>();
    std::vector<long double> want;
    for (const T v : x) want.push_back(reference(static_cast<long double>(v)));
    for_each_arch([&]<class Arch>(arch_tag<Arch>) {
        constexpr std::size_t n = edge::simd::lanes<T, Arch>;
        double worst = 0;
        T at = 0;
        for (std::size_t i = 0; i < x.size(); i += n) {
            T y[n];
            Op::apply(edge::simd::batch<T, Arch>::load_unaligned(&x[i])).store_unaligned(y);
            for (std::size_t k = 0; k < n; ++k)
                if (const double u = ulps(y[k], want[i + k]); u > worst) {
                    worst = u;
                    at = x[i + k];
                }
        }
        INFO(name << " of " << (sizeof(T) == 4 ? "float" : "double") << " is off by " << worst << " ulp at " << at);
        CHECK(worst <= most);
    });
}

}  // namespace

TEMPLATE_TEST_CASE("functions are within 2 ulp over the whole range", "[simd][math]", float, double) {
    check_within<op::exp, TestType>("exp", 2, [](long double x) { return std::exp(x); });
    check_within<op::log, TestType>("log", 2, [](long double x) { return std::log(x); });
    check_within<op::tanh, TestType>("tanh", 2, [](long double x) { return std::tanh(x); });
    check_within<op::sin, TestType>("sin", 2, [](long double x) { return std::sin(x); });
    check_within<op::cos, TestType>("cos", 2, [](long double x) { return std::cos(x); });
    check_within<op::expm1, TestType>("expm1", 2, [](long double x) { return std::expm1(x); });
    check_within<op::log1p, TestType>("log1p", 2, [](long double x) { return std::log1p(x); });
}

TEMPLATE_TEST_CASE("rounding is exact", "[simd][math]", float, double) {
    check_within<op::floor, TestType>("floor", 0, [](long double x) { return std::floor(x); });
    check_within<op::ceil, TestType>("ceil", 0, [](long double x) { return std::ceil(x); });
    check_within<op::trunc, TestType>("trunc", 0, [](long double x) { return std::trunc(x); });
    check_within<op::round, TestType>("round", 0, [](long double x) { return std::nearbyint(x); });
}

TEST_CASE("an element does not depend on its neighbours", "[simd][math]") {
    edge::tensor<float> x({1000});
    for (edge::index_t i = 0; i < x.size(); ++i) x[i] = 0.37f * static_cast<float>(i % 7 == 0 ? i * i * i : i);
    const auto all = edge::eval(edge::sin(x) + edge::exp(x * 0.001f));
    for (edge::index_t i = 0; i < x.size(); ++i) {
        const auto one = x.view().slice(0, i, i + 1);
        const float alone = edge::eval(edge::sin(one) + edge::exp(one * 0.001f))[0];
        REQUIRE(std::bit_cast<std::uint32_t>(alone) == std::bit_cast<std::uint32_t>(all[i]));
    }
}
