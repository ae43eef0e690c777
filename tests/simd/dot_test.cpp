// SPDX-License-Identifier: MIT
#include <edge/simd/dot.hpp>
#include <edge/simd/stream.hpp>
#include <edge/simd/widen.hpp>

#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace {

template <class T>
void fill(std::span<T> values, std::mt19937& random) {
    std::uniform_int_distribution<int> any((std::numeric_limits<T>::min)(), (std::numeric_limits<T>::max)());
    for (T& v : values) v = static_cast<T>(any(random));
}

template <class A, class B>
void check_dot() {
    std::mt19937 random(1);
    sweep(
        [&]<class Arch>(arch_tag<Arch>, std::size_t count, std::size_t misalignment) {
            guarded<A> a(count, misalignment);
            guarded<B> b(count, misalignment);
            fill(a.values(), random);
            fill(b.values(), random);
            std::int32_t expected = 0;
            for (std::size_t i = 0; i < count; ++i) expected += int{a.values()[i]} * int{b.values()[i]};
            REQUIRE(edge::simd::dot<Arch>(a.data(), b.data(), static_cast<std::ptrdiff_t>(count)) == expected);
        },
        2 * 64 + 1);
}

template <class T>
T saturated(double x) {
    if (std::isnan(x)) return (std::numeric_limits<T>::min)();
    const double rounded = std::nearbyint(x);
    if (rounded < double{(std::numeric_limits<T>::min)()}) return (std::numeric_limits<T>::min)();
    if (rounded > double{(std::numeric_limits<T>::max)()}) return (std::numeric_limits<T>::max)();
    return static_cast<T>(rounded);
}

}  // namespace

TEST_CASE("an integer dot product is exact for every pair of types, count and alignment", "[simd][dot]") {
    check_dot<std::uint8_t, std::int8_t>();
    check_dot<std::int8_t, std::uint8_t>();
    check_dot<std::int8_t, std::int8_t>();
    check_dot<std::uint8_t, std::uint8_t>();
}

TEST_CASE("a dot product does not saturate at the ends of the range", "[simd][dot]") {
    const std::vector<std::uint8_t> x(65793, 255);
    const std::vector<std::int8_t> w(65793, -128);
    for_each_arch([&]<class Arch>(arch_tag<Arch>) {
        // pmaddubsw would give -32768 for a pair where the sum is -65280.
        CHECK(edge::simd::dot<Arch>(x.data(), w.data(), 64) == 64 * 255 * -128);
        CHECK(edge::simd::dot<Arch>(x.data(), w.data(), 65793) == 65793 * (255 * -128));
        CHECK(edge::simd::dot<Arch>(w.data(), w.data(), 131071 / 2) == 131071 / 2 * 16384);
    });
}

TEST_CASE("bytes widen to the same int32 and float", "[simd][widen]") {
    for_each_arch([]<class Arch>(arch_tag<Arch>) {
        constexpr std::size_t n = edge::simd::lanes<float, Arch>;
        const auto check = [&]<class T>(T) {
            for (std::size_t misalignment = 0; misalignment < 3; ++misalignment)
                for (int first = (std::numeric_limits<T>::min)(); first <= (std::numeric_limits<T>::max)(); ++first) {
                    guarded<T> bytes(n, misalignment);
                    for (std::size_t i = 0; i < n; ++i)
                        bytes.values()[i] = static_cast<T>(first + 37 * static_cast<int>(i));
                    std::int32_t ints[n];
                    float floats[n];
                    edge::simd::load_as_int<Arch>(bytes.data()).store_unaligned(ints);
                    edge::simd::load_as_float<Arch>(bytes.data()).store_unaligned(floats);
                    for (std::size_t i = 0; i < n; ++i) {
                        REQUIRE(ints[i] == int{bytes.values()[i]});
                        REQUIRE(floats[i] == static_cast<float>(bytes.values()[i]));
                    }
                }
        };
        check(std::int8_t{});
        check(std::uint8_t{});
    });
}

TEST_CASE("floats narrow to bytes half to even, saturated, NaN to the lowest", "[simd][widen]") {
    std::vector<float> values{0.0f,   -0.0f,  0.5f,    1.5f,          2.5f,   -0.5f,  -1.5f,  -2.5f,
                              126.5f, 127.5f, 127.49f, -128.5f,       254.5f, 255.5f, 255.4f, 1e30f,
                              -1e30f, 3e9f,   -3e9f,   2147483648.0f, 1e-30f, 99.99f, -0.49f, 200.0f};
    values.push_back(std::numeric_limits<float>::infinity());
    values.push_back(-std::numeric_limits<float>::infinity());
    values.push_back(std::numeric_limits<float>::quiet_NaN());
    values.push_back(0.49999997f);
    for (int i = -1200; i <= 1200; ++i) values.push_back(static_cast<float>(i) * 0.25f);
    for_each_arch([&]<class Arch>(arch_tag<Arch>) {
        constexpr std::size_t n = edge::simd::lanes<float, Arch>;
        const auto check = [&]<class T>(T) {
            for (std::size_t first = 0; first + n <= values.size(); ++first) {
                guarded<T> bytes(n, first % 3);
                edge::simd::store_saturated<Arch>(edge::simd::batch<float, Arch>::load_unaligned(&values[first]),
                                                  bytes.data());
                REQUIRE(bytes.is_intact());
                for (std::size_t i = 0; i < n; ++i) {
                    INFO(values[first + i]);
                    REQUIRE(int{bytes.values()[i]} == int{saturated<T>(static_cast<double>(values[first + i]))});
                }
            }
        };
        check(std::int8_t{});
        check(std::uint8_t{});
    });
}

TEST_CASE("int32 narrows to bytes saturated", "[simd][widen]") {
    const std::vector<std::int32_t> values{0,
                                           1,
                                           -1,
                                           127,
                                           128,
                                           -128,
                                           -129,
                                           255,
                                           256,
                                           32767,
                                           32768,
                                           -32768,
                                           -32769,
                                           65535,
                                           65536,
                                           -65536,
                                           70000,
                                           -70000,
                                           100000,
                                           200,
                                           -200,
                                           (std::numeric_limits<int>::min)(),
                                           (std::numeric_limits<int>::max)(),
                                           5,
                                           6,
                                           7,
                                           8,
                                           9,
                                           10,
                                           11,
                                           12,
                                           13};
    for_each_arch([&]<class Arch>(arch_tag<Arch>) {
        constexpr std::size_t n = edge::simd::lanes<std::int32_t, Arch>;
        const auto check = [&]<class T>(T) {
            for (std::size_t first = 0; first + n <= values.size(); ++first) {
                guarded<T> bytes(n, first % 3);
                edge::simd::store_saturated<Arch>(edge::simd::batch<std::int32_t, Arch>::load_unaligned(&values[first]),
                                                  bytes.data());
                REQUIRE(bytes.is_intact());
                for (std::size_t i = 0; i < n; ++i)
                    REQUIRE(int{bytes.values()[i]} == int{saturated<T>(static_cast<double>(values[first + i]))});
            }
        };
        check(std::int8_t{});
        check(std::uint8_t{});
    });
}

TEST_CASE("a streaming store writes what a store writes", "[simd][stream]") {
    for_each_arch([]<class Arch>(arch_tag<Arch>) {
        const auto check = [&]<class T>(T) {
            constexpr std::size_t n = edge::simd::lanes<T, Arch>;
            guarded<T> out(n);
            edge::simd::stream_store(edge::simd::batch<T, Arch>(T{42}), out.data());
            edge::simd::stream_fence();
            REQUIRE(out.is_intact());
            for (const T v : out.values()) REQUIRE(v == T{42});
        };
        check(float{});
        check(double{});
        check(std::int32_t{});
        check(std::uint8_t{});
    });
}
