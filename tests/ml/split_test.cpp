// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/ml/split.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

using edge::index_t;
using edge::ml::stratified_split;

TEST_CASE("every row is on one side, and each class on both in proportion", "[ml][split]") {
    edge::splitmix64 random(1);
    for (int round = 0; round < 300; ++round) {
        const auto classes = 1 + random.below(9);
        std::vector<int> labels;
        for (std::uint64_t c = 0; c < classes; ++c)
            labels.insert(labels.end(), 2 + random.below(30), static_cast<int>(c * 7) - 20);
        random.shuffle(std::span(labels));
        const double fraction = random.uniform(0.2, 0.8);
        const auto n = static_cast<index_t>(labels.size());
        if (std::floor(static_cast<double>(n) * fraction + 0.5) < 1) continue;
        CAPTURE(round, n, fraction);
        const auto s = stratified_split(labels, {.test_fraction = fraction, .seed = random()});
        CHECK(std::is_sorted(s.train.begin(), s.train.end()));
        CHECK(std::is_sorted(s.test.begin(), s.test.end()));
        auto all = s.train;
        all.insert(all.end(), s.test.begin(), s.test.end());
        std::sort(all.begin(), all.end());
        REQUIRE(static_cast<index_t>(all.size()) == n);
        for (index_t i = 0; i < n; ++i) REQUIRE(all[static_cast<std::size_t>(i)] == i);
        CHECK(std::abs(static_cast<double>(s.test.size()) - static_cast<double>(n) * fraction) <= 0.5 + 1e-9);
        std::map<int, double> whole;
        std::map<int, double> test;
        for (const int l : labels) whole[l] += 1;
        for (const index_t i : s.test) test[labels[static_cast<std::size_t>(i)]] += 1;
        for (const auto& [label, count] : whole) REQUIRE(std::abs(test[label] - count * fraction) < 1);
    }
}

TEST_CASE("a split is the same for the same seed, on every platform", "[ml][split]") {
    const std::vector<std::string> labels{"a", "b", "a", "b", "a", "b", "a", "b", "c", "c", "c", "c"};
    const auto s = stratified_split(labels, {.test_fraction = 0.25, .seed = 42});
    CHECK(s.test == std::vector<index_t>{4, 5, 8});
    CHECK(stratified_split(labels, {.test_fraction = 0.25, .seed = 42}).test == s.test);
    bool differs = false;
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        differs = differs || stratified_split(labels, {.test_fraction = 0.25, .seed = seed}).test != s.test;
    CHECK(differs);
}

TEST_CASE("every row of a class has its chance", "[ml][split]") {
    const std::vector<int> labels(10, 1);
    std::vector<int> seen(10);
    for (std::uint64_t seed = 0; seed < 2000; ++seed)
        for (const index_t i : stratified_split(labels, {.test_fraction = 0.3, .seed = seed}).test)
            ++seen[static_cast<std::size_t>(i)];
    for (const int times : seen) CHECK(std::abs(times - 600) < 100);  // a standard deviation is 20
}

TEST_CASE("remainders go to the classes that lack most, then to the lowest", "[ml][split]") {
    // 0.5 each: of four rows two are for the test, and the first two classes give one.
    const std::vector<int> labels{4, 4, 3, 3, 2, 2, 1, 1};
    const auto s = stratified_split(labels, {.test_fraction = 0.25});
    REQUIRE(s.test.size() == 2);
    CHECK((s.test[0] == 4 || s.test[0] == 5));
    CHECK((s.test[1] == 6 || s.test[1] == 7));
}

TEST_CASE("what cannot be split is refused by name", "[ml][split]") {
    const std::vector<std::string> lone{"x", "y", "x"};
    CHECK_THROWS_WITH(stratified_split(lone), "class 'y' has one row, 1; expected at least 2");
    const std::vector<double> odd{1, 1, std::nan("")};
    CHECK_THROWS_WITH(stratified_split(odd), "label of row 2 is nan");
    const std::vector<int> two{1, 1};
    CHECK_THROWS_WITH(stratified_split(two, {.test_fraction = 0.1}), "test_fraction 0.1 of 2 rows leaves a side empty");
    CHECK_THROWS_AS(stratified_split(two, {.test_fraction = 0.9}), edge::argument_error);
    CHECK_THROWS_AS(stratified_split(std::vector<int>{}), edge::argument_error);
    for (const double f : {0.0, 1.0, -0.5, 2.0, std::nan("")})
        CHECK_THROWS_AS(stratified_split(two, {.test_fraction = f}), edge::argument_error);
}
