// SPDX-License-Identifier: MIT
#include <edge/nn/integer/add.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

using edge::index_t;
using edge::nn::integer::byte_sum;

namespace {

std::uint8_t added(std::uint8_t x, std::uint8_t other, const byte_sum& s) {
    const volatile float own = static_cast<float>(x - s.x_zero) * s.x_scale;  // volatile: rounded before they are added
    const volatile float that = static_cast<float>(other - s.other_zero) * s.other_scale;
    const double z = double{std::nearbyint(own + that)} + s.zero_point;
    return static_cast<std::uint8_t>(std::clamp<double>(z, s.range.low, s.range.high));
}

constexpr byte_sum sums[] = {
    {.x_scale = 0.7f, .other_scale = 1.3f, .x_zero = 3, .other_zero = 128, .zero_point = 100},
    {.x_scale = 0.5f, .other_scale = 0.5f},  // halves
    {.x_scale = 0.25f, .other_scale = 0.75f, .x_zero = 255, .other_zero = 255, .zero_point = 255, .range = {7, 250}},
    {.x_scale = 1e30f, .other_scale = 1e30f, .x_zero = 128, .other_zero = 127, .zero_point = 1},
    {.x_scale = 1e-8f, .other_scale = 1e-30f, .zero_point = 9, .range = {9, 255}},
};

}  // namespace

TEST_CASE("every pair of bytes is added by the rule", "[nn][integer]") {
    std::vector<std::uint8_t> x(65536), other(65536);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<std::uint8_t>(i);
        other[i] = static_cast<std::uint8_t>(i >> 8);
    }
    for (const byte_sum& sum : sums) {
        std::vector<std::uint8_t> expected(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) expected[i] = added(x[i], other[i], sum);
        for_each_architecture([&]<class Arch>() {
            std::vector<std::uint8_t> y(x.size());
            edge::nn::integer::add<Arch>(x.data(), other.data(), y.data(), 65536, sum, 1);
            REQUIRE(y == expected);
        });
    }
}

TEST_CASE("bytes of any number are added, in place too, by any number of threads", "[nn][integer]") {
    edge::splitmix64 random(1);
    for_each_architecture([&]<class Arch>() {
        for (const index_t n : {0, 1, 15, 16, 17, 63, 64, 65, 130, 600000}) {
            const auto x = random_bytes(n, random);
            const auto other = random_bytes(n, random);
            std::vector<std::uint8_t> expected(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) expected[i] = added(x[i], other[i], sums[0]);
            guarded<std::uint8_t> y(x.size(), 3);
            std::copy(x.begin(), x.end(), y.data());
            edge::nn::integer::add<Arch>(y.data(), other.data(), y.data(), n, sums[0], static_cast<int>(n % 4) + 1);
            REQUIRE(y.is_intact());
            REQUIRE(y.values() == expected);
        }
    });
}

TEST_CASE("two infinite parts of a sum give its lowest byte", "[nn][integer]") {
    const byte_sum sum{.x_scale = 3e38f, .other_scale = 3e38f, .other_zero = 255, .range = {5, 250}};
    const std::uint8_t x = 255, other = 0;
    for_each_architecture([&]<class Arch>() {
        std::uint8_t y = 0;
        edge::nn::integer::add<Arch>(&x, &other, &y, 1, sum, 1);
        REQUIRE(y == 5);
    });
}
