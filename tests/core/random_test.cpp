// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <vector>

TEST_CASE("the numbers are those of the published generator", "[core][random]") {
    edge::splitmix64 random(1234567);  // values of the reference C code, as listed at rosettacode.org
    for (const std::uint64_t want : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                     4593380528125082431U, 16408922859458223821U})
        CHECK(random() == want);
}

TEST_CASE("below() takes every value about as often", "[core][random]") {
    edge::splitmix64 random(1);
    std::array<int, 7> seen{};
    for (int i = 0; i < 70000; ++i) ++seen[static_cast<std::size_t>(random.below(7))];
    for (const int n : seen) CHECK(std::abs(n - 10000) < 400);  // four standard deviations are 370
    for (int i = 0; i < 100; ++i) CHECK(random.below(1) == 0);
}

TEST_CASE("uniform() stays in its range and fills it", "[core][random]") {
    edge::splitmix64 random(2);
    double sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const double u = random.uniform();
        REQUIRE((u >= 0 && u < 1));
        sum += u;
    }
    CHECK(sum == Approx(5000).epsilon(0.02));
    const double v = random.uniform(-3, -2);
    CHECK((v >= -3 && v < -2));
}

TEST_CASE("shuffling keeps the elements", "[core][random]") {
    std::vector<int> values(100);
    for (int i = 0; i < 100; ++i) values[static_cast<std::size_t>(i)] = i;
    const auto before = values;
    edge::splitmix64(3).shuffle(std::span(values));
    CHECK(values != before);
    std::sort(values.begin(), values.end());
    CHECK(values == before);
    edge::splitmix64(3).shuffle(std::span<int>());
}
