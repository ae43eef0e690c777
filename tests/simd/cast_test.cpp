// SPDX-License-Identifier: MIT
#include <edge/simd/cast.hpp>
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using edge::index_t;
using edge::tensor;

namespace {

/// What the documentation says, in the plainest words.
template <class To, class From>
To meant(From x) {
    if constexpr (std::is_same_v<To, bool>) {
        return x != From(0);
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
        if (std::isnan(x)) return 0;
        const long double whole = std::trunc(static_cast<long double>(x));
        if (whole <= static_cast<long double>((std::numeric_limits<To>::min)()))
            return (std::numeric_limits<To>::min)();
        if (whole >= static_cast<long double>((std::numeric_limits<To>::max)()))
            return (std::numeric_limits<To>::max)();
        return static_cast<To>(whole);
    } else {
        return static_cast<To>(x);
    }
}

/// Any bits, and floats about the size of integers.
template <class T>
tensor<T> values(index_t n) {
    std::mt19937_64 random(7);
    tensor<T> t({n});
    for (index_t i = 0; i < n; ++i) {
        const std::uint64_t bits = random();
        if constexpr (std::is_same_v<T, bool>) {
            t[i] = bits % 2 == 0;
        } else if constexpr (std::is_floating_point_v<T>) {
            static constexpr double ends[] = {127.0,
                                              128.0,
                                              -128.9,
                                              255.9,
                                              256.0,
                                              2147483647.0,
                                              2147483648.0,
                                              -2147483649.0,
                                              9223372036854775807.0,
                                              18446744073709551616.0,
                                              -1.0,
                                              -0.5};
            if (i % 3 == 0) std::memcpy(&t[i], &bits, sizeof(T));
            if (i % 3 == 1) t[i] = static_cast<T>(ends[bits % std::size(ends)]);
            if (i % 3 == 2) t[i] = static_cast<T>(static_cast<double>(bits % 100000) / 7 - 5000);
        } else {
            t[i] = static_cast<T>(bits);
        }
    }
    return t;
}

template <class T>
bool same(T a, T b) {
    if constexpr (std::is_floating_point_v<T>)
        if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b;
}

template <class To, class From>
void check() {
    for (const index_t n : {1, 5, 203}) {  // less than a register, an end, many
        const auto from = values<From>(n);
        const auto to = edge::eval(edge::cast<To>(from));
        for (index_t i = 0; i < n; ++i) {
            INFO(to_string(edge::dtype_of<From>) << " to " << to_string(edge::dtype_of<To>) << ", element " << i);
            REQUIRE(same(to[i], meant<To>(from[i])));
        }
    }
}

template <class From>
void check_all() {
    check<bool, From>();
    check<std::uint8_t, From>();
    check<std::int16_t, From>();
    check<std::int32_t, From>();
    check<std::uint64_t, From>();
    check<float, From>();
    check<double, From>();
}

}  // namespace

TEST_CASE("every element type is converted to every other", "[simd][cast]") {
    check_all<bool>();
    check_all<std::uint16_t>();
    check_all<std::int32_t>();
    check_all<float>();
    check_all<double>();
}

TEST_CASE("types meet in one expression, also strided and stretched", "[simd][cast]") {
    auto u = values<std::uint8_t>(400);
    u.reshape({20, 20});
    const auto s = values<std::int16_t>(20);
    auto d = values<std::int32_t>(400);
    d.reshape({20, 20});
    const auto y = edge::eval((edge::cast<float>(u + u) - 127.5f) * edge::cast<float>(s) +
                              edge::cast<float>(edge::cast<double>(d) * 0.25));
    const auto turned = edge::eval(edge::cast<double>(u.view().transpose({1, 0})) + edge::cast<double>(d));
    for (index_t i = 0; i < 20; ++i)
        for (index_t j = 0; j < 20; ++j) {
            const auto twice = static_cast<std::uint8_t>(2 * u(i, j));
            const float product = (static_cast<float>(twice) - 127.5f) * static_cast<float>(s(j));
            REQUIRE(y(i, j) == product + static_cast<float>(d(i, j) * 0.25));
            REQUIRE(turned(i, j) == static_cast<double>(u(j, i)) + static_cast<double>(d(i, j)));
        }
}

TEST_CASE("a condition about one type chooses among another", "[simd][cast]") {
    const auto d = values<double>(99);
    const auto u = values<std::uint8_t>(99);
    const auto b = values<bool>(99);
    const auto chosen = edge::eval(edge::where((d > 0.0) & (u < 200) & b, edge::cast<float>(u), -1.0f));
    const auto counted = edge::eval(edge::cast<std::int32_t>(d > 0.0) + edge::cast<std::int32_t>(b));
    const auto either = edge::eval(edge::logical_xor(u, d) | edge::logical_not(u));
    for (index_t i = 0; i < 99; ++i) {
        REQUIRE(chosen[i] == (d[i] > 0 && u[i] < 200 && b[i] ? static_cast<float>(u[i]) : -1.0f));
        REQUIRE(counted[i] == (d[i] > 0) + b[i]);
        REQUIRE(either[i] == (((u[i] != 0) != (d[i] != 0)) || u[i] == 0));
    }
}

TEST_CASE("a conversion over its own operand reads before it writes", "[simd][cast]") {
    tensor<std::int32_t> a({50}, 3);
    edge::assign(a, edge::cast<std::int32_t>(edge::cast<double>(a) * 1.5));
    for (const auto v : a) REQUIRE(v == 4);
}
