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

/// float32 is compared with float64, which is quick; float64 with long double, where that has more bits.
template <class T>
using reference = std::conditional_t<sizeof(T) == 4, double, long double>;

/// Distance from the true value in units of the last place of a correctly rounded result.
template <class T, class R>
double ulps(T got, R want) {
    const T rounded = static_cast<T>(want);
    if (std::isnan(got) || std::isnan(rounded)) return std::isnan(got) == std::isnan(rounded) ? 0 : 1e9;
    if (got == rounded) return std::signbit(got) == std::signbit(rounded) ? 0 : 1e9;
    if (std::isinf(got) || std::isinf(rounded)) return 1e9;
    int exponent = 0;
    std::frexp(rounded, &exponent);
    using limits = std::numeric_limits<T>;
    const R unit = std::ldexp(R(1), (std::max)(exponent, limits::min_exponent) - limits::digits);
    return static_cast<double>(std::fabs(static_cast<R>(got) - want) / unit);
}

#if defined(__x86_64__)
constexpr int samples = 1;
#else
constexpr int samples = 12;  // one in so many: emulated, and long double is computed in software
#endif

template <class T>
const std::vector<T>& special_values() {
    using limits = std::numeric_limits<T>;
    static const std::vector<T> values{T(0),
                                       -T(0),
                                       limits::infinity(),
                                       -limits::infinity(),
                                       limits::quiet_NaN(),
                                       limits::min(),
                                       limits::denorm_min(),
                                       -limits::denorm_min(),
                                       limits::max(),
                                       limits::lowest(),
                                       T(1),
                                       T(-1),
                                       T(0.5),
                                       T(-0.5),
                                       T(2),
                                       T(-2),
                                       T(3),
                                       T(-3),
                                       T(2.5)};
    return values;
}

/// Special values, ends of ranges, multiples of π/2 and their neighbours; of float32 numbers of every exponent and both
/// signs, of float64 any bits; and plain numbers.
template <class T>
const std::vector<T>& arguments() {
    static const std::vector<T> all = [] {
        std::vector<T> values = special_values<T>();
        for (const double end :
             {88.3762626647949, 88.5,   88.72283, 88.7229,  -87.3,  -103.97, -104.5,  89.41,   89.42,     128.0,
              -149.0,           -149.5, -150.0,   709.4361, 709.78, 709.79,  -708.4,  -745.1,  -745.2,    710.47,
              710.48,           1024.0, -1074.0,  -1075.0,  1e10,   1e22,    65535.9, 65536.1, 1647099.0, 1647100.0})
            values.push_back(static_cast<T>(end));
        for (int k = -40; k <= 40; ++k) {
            const T multiple = static_cast<T>(k * 1.5707963267948966192313L);
            values.insert(values.end(), {multiple, std::nextafter(multiple, T(1e9)), std::nextafter(multiple, T(-1e9)),
                                         static_cast<T>(k) / 2, static_cast<T>(k) + T(0.49999997)});
        }
        std::mt19937_64 random(1);
        for (int exponent = 0; exponent < (sizeof(T) == 4 ? 256 : 0); ++exponent)
            for (std::uint32_t i = 0; i < 1536 / samples; ++i) {
                const auto bits = static_cast<std::uint32_t>(exponent) << 23 | (i % 2) << 31 |
                                  static_cast<std::uint32_t>(random() & 0x7fffff);
                values.push_back(static_cast<T>(std::bit_cast<float>(bits)));
            }
        for (int i = 0; i < 2500 / samples; ++i) {
            T any;
            const std::uint64_t bits = random();
            std::memcpy(&any, &bits, sizeof any);
            values.push_back(any);
            for (const double range : {1.0, 10.0, 100.0, 1000.0, 1e6})
                values.push_back(static_cast<T>(std::uniform_real_distribution<double>(-range, range)(random)));
        }
        while (values.size() % 16 != 0) values.push_back(T(1));
        return values;
    }();
    return all;
}

/// The least and the most that this file is compiled for.
template <class F>
void for_two_archs(F f) {
#if defined(__SSE2__)
    f(arch_tag<xsimd::sse2>{});
#endif
    if constexpr (!std::is_same_v<edge::simd::detail::default_arch, xsimd::sse2>)
        f(arch_tag<edge::simd::detail::default_arch>{});
}

template <class T>
struct worst_case {
    double ulp = 0;
    T x = 0;
    T y = 0;
    template <class R>
    void see(T got, R want, T a, T b = 0) {
        if (const double u = ulps(got, want); u > ulp) *this = {u, a, b};
    }
};

template <class Op, class T>
void check_within(const char* name, double most, reference<T> (*f)(reference<T>)) {
    const auto& x = arguments<T>();
    std::vector<reference<T>> want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) want[i] = f(static_cast<reference<T>>(x[i]));
    for_two_archs([&]<class Arch>(arch_tag<Arch>) {
        constexpr std::size_t n = edge::simd::lanes<T, Arch>;
        worst_case<T> worst;
        for (std::size_t i = 0; i < x.size(); i += n) {
            T y[n];
            Op::apply(edge::simd::batch<T, Arch>::load_unaligned(&x[i])).store_unaligned(y);
            for (std::size_t k = 0; k < n; ++k) worst.see(y[k], want[i + k], x[i + k]);
        }
        INFO(name << (sizeof(T) == 4 ? " float " : " double ") << Arch::name() << ": off by " << worst.ulp << " ulp at "
                  << worst.x);
        CHECK(worst.ulp <= most);
    });
}

/// Pairs of special values, all of them, and of numbers of one size.
template <class Op, class T>
void check_pairs_within(const char* name, double most, reference<T> (*f)(reference<T>, reference<T>)) {
    std::vector<T> x, y;
    for (const T a : special_values<T>())
        for (const T b : special_values<T>()) {
            x.push_back(a);
            y.push_back(b);
        }
    std::mt19937_64 random(2);
    const auto& all = arguments<T>();
    for (int i = 0; i < 20000 / samples; ++i) {
        x.push_back(all[random() % all.size()]);
        y.push_back(i % 2 == 0 ? all[random() % all.size()]
                               : static_cast<T>(std::uniform_real_distribution<double>(-30, 30)(random)));
    }
    while (x.size() % 16 != 0) x.push_back(T(1)), y.push_back(T(1));
    for_two_archs([&]<class Arch>(arch_tag<Arch>) {
        using B = edge::simd::batch<T, Arch>;
        worst_case<T> worst;
        for (std::size_t i = 0; i < x.size(); i += B::size) {
            T got[B::size];
            Op::apply(B::load_unaligned(&x[i]), B::load_unaligned(&y[i])).store_unaligned(got);
            for (std::size_t k = i; k < i + B::size; ++k)
                worst.see(got[k - i], f(static_cast<reference<T>>(x[k]), static_cast<reference<T>>(y[k])), x[k], y[k]);
        }
        INFO(name << (sizeof(T) == 4 ? " float " : " double ") << Arch::name() << ": off by " << worst.ulp << " ulp at "
                  << worst.x << ", " << worst.y);
        CHECK(worst.ulp <= most);
    });
}

}  // namespace

TEMPLATE_TEST_CASE("functions are within 2 ulp over the whole range", "[simd][math]", float, double) {
    using T = TestType;
    using R = reference<T>;
    check_within<op::exp, T>("exp", 2, [](R x) { return std::exp(x); });
    check_within<op::exp2, T>("exp2", 2, [](R x) { return std::exp2(x); });
    check_within<op::expm1, T>("expm1", 2, [](R x) { return std::expm1(x); });
    check_within<op::log, T>("log", 2, [](R x) { return std::log(x); });
    check_within<op::log2, T>("log2", 2, [](R x) { return std::log2(x); });
    check_within<op::log10, T>("log10", 2, [](R x) { return std::log10(x); });
    check_within<op::log1p, T>("log1p", 2, [](R x) { return std::log1p(x); });
    check_within<op::sin, T>("sin", 2, [](R x) { return std::sin(x); });
    check_within<op::cos, T>("cos", 2, [](R x) { return std::cos(x); });
    check_within<op::tan, T>("tan", 2, [](R x) { return std::tan(x); });
    check_within<op::asin, T>("asin", 2, [](R x) { return std::asin(x); });
    check_within<op::acos, T>("acos", 2, [](R x) { return std::acos(x); });
    check_within<op::atan, T>("atan", 2, [](R x) { return std::atan(x); });
    check_within<op::sinh, T>("sinh", 2, [](R x) { return std::sinh(x); });
    check_within<op::cosh, T>("cosh", 2, [](R x) { return std::cosh(x); });
    check_within<op::tanh, T>("tanh", 2, [](R x) { return std::tanh(x); });
    check_within<op::asinh, T>("asinh", 2, [](R x) { return std::asinh(x); });
    check_within<op::acosh, T>("acosh", 2, [](R x) { return std::acosh(x); });
    check_within<op::atanh, T>("atanh", 2, [](R x) { return std::atanh(x); });
    check_within<op::cbrt, T>("cbrt", 2, [](R x) { return std::cbrt(x); });
    check_within<op::rsqrt, T>("rsqrt", 2, [](R x) { return 1 / std::sqrt(x); });
    check_within<op::erf, T>("erf", 2, [](R x) { return std::erf(x); });
    check_within<op::sigmoid, T>("sigmoid", 2, [](R x) { return 1 / (1 + std::exp(-x)); });
    check_pairs_within<op::atan2, T>("atan2", 2, [](R y, R x) { return std::atan2(y, x); });
    check_pairs_within<op::hypot, T>("hypot", 2, [](R x, R y) { return std::hypot(x, y); });
    check_pairs_within<op::pow, T>("pow", 2, [](R x, R y) { return std::pow(x, y); });
}

TEMPLATE_TEST_CASE("rounding and copying of bits are exact", "[simd][math]", float, double) {
    using T = TestType;
    using R = reference<T>;
    check_within<op::floor, T>("floor", 0, [](R x) { return std::floor(x); });
    check_within<op::ceil, T>("ceil", 0, [](R x) { return std::ceil(x); });
    check_within<op::trunc, T>("trunc", 0, [](R x) { return std::trunc(x); });
    check_within<op::round, T>("round", 0, [](R x) { return std::nearbyint(x); });
    check_within<op::reciprocal, T>("reciprocal", 0.5, [](R x) { return 1 / x; });
    check_pairs_within<op::copysign, T>("copysign", 0, [](R x, R y) { return std::copysign(x, y); });
    check_pairs_within<op::fmod, T>("fmod", 0, [](R x, R y) { return std::fmod(x, y); });
    check_pairs_within<op::nextafter, T>(
        "nextafter", 0, [](R x, R y) { return static_cast<R>(std::nextafter(static_cast<T>(x), static_cast<T>(y))); });
}

TEST_CASE("functions of networks are near their definitions", "[simd][math]") {
    edge::tensor<float> x({2001});
    for (edge::index_t i = 0; i < x.size(); ++i) x[i] = 0.01f * static_cast<float>(i - 1000);
    const auto silu = edge::eval(edge::silu(x));
    const auto softplus = edge::eval(edge::softplus(x));
    const auto gelu = edge::eval(edge::gelu(x));
    const auto gelu_tanh = edge::eval(edge::gelu_tanh(x));
    const auto relu = edge::eval(edge::relu(x));
    const auto erfc = edge::eval(edge::erfc(x));
    for (edge::index_t i = 0; i < x.size(); ++i) {
        const double v = double{x[i]};
        const double margin = 4e-7 * (std::fabs(v) + 0.1);
        CHECK(std::fabs(silu[i] - v / (1 + std::exp(-v))) <= margin);
        CHECK(std::fabs(softplus[i] - std::log1p(std::exp(v))) <= margin);
        CHECK(std::fabs(gelu[i] - v / 2 * (1 + std::erf(v / std::sqrt(2.0)))) <= margin);
        CHECK(std::fabs(gelu_tanh[i] -
                        v / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (v + 0.044715 * v * v * v)))) <=
              margin);
        CHECK(relu[i] == (x[i] > 0 ? x[i] : 0.0f));
        CHECK(ulps(erfc[i], std::erfc(v)) <= 2);
    }
}

TEST_CASE("an element does not depend on its neighbours nor on its place", "[simd][math]") {
    edge::tensor<float> x({1003});
    for (edge::index_t i = 0; i < x.size(); ++i) x[i] = 0.37f * static_cast<float>(i % 7 == 0 ? i * i * i : i) - 20.0f;
    const auto f = [](const auto& v) {
        return edge::sin(v) + edge::exp(v * 0.001f) * edge::log(v) - edge::tanh(v) * edge::erf(v * 0.1f) +
               edge::sigmoid(v);
    };
    const auto all = edge::eval(f(x));
    for (edge::index_t i = 0; i < x.size(); ++i) {
        const auto one = x.view().slice(0, i, i + 1);
        const float alone = edge::eval(f(one))[0];
        REQUIRE(std::bit_cast<std::uint32_t>(alone) == std::bit_cast<std::uint32_t>(all[i]));
    }
}
