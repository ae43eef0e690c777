// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/perf.hpp>

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <sstream>
#include <vector>

using edge::perf::compare;
using edge::perf::latency;
using edge::perf::who;
using std::chrono::nanoseconds;

TEST_CASE("quantiles are within 1/128 of the sorted durations'", "[perf][latency]") {
    edge::splitmix64 random(1);
    for (const double decades : {0.5, 3.0, 12.0}) {
        latency l;
        std::vector<std::int64_t> all;
        for (int i = 0; i < 5000; ++i) {
            all.push_back(static_cast<std::int64_t>(std::pow(10.0, random.uniform(0, decades))));
            l.record(nanoseconds(all.back()));
        }
        std::sort(all.begin(), all.end());
        REQUIRE(l.count() == all.size());
        CHECK(l.min() == nanoseconds(all.front()));
        CHECK(l.max() == nanoseconds(all.back()));
        const double mean = std::accumulate(all.begin(), all.end(), 0.0) / 5000;
        CHECK(std::abs(static_cast<double>(l.mean().count()) - mean) <= 0.51 + 1e-9 * mean);
        for (int k = 0; k <= 1000; ++k) {
            const double q = k / 1000.0;
            const auto rank = (std::max)(std::size_t{1}, static_cast<std::size_t>(std::ceil(q * 5000)));
            const auto want = static_cast<double>(all[rank - 1]);
            const auto got = static_cast<double>(l.quantile(q).count());
            REQUIRE(std::abs(got - want) <= want / 128);
            if (want < 128) REQUIRE(got == want);
        }
        CHECK(l.milliseconds(0.5) == Approx(1e-6 * static_cast<double>(l.quantile(0.5).count())));
    }
}

TEST_CASE("every duration that fits in 64 bits has a bin, and keeps its size", "[perf][latency]") {
    for (int shift = 0; shift < 63; ++shift)
        for (const std::int64_t near : {-1, 0, 1}) {
            const std::int64_t ns = (std::int64_t{1} << shift) + near;
            latency l;
            l.record(nanoseconds(ns));
            l.record(nanoseconds(ns));
            l.record((nanoseconds::max)());  // so that the quantile is not the exact maximum
            l.record(nanoseconds(-5));       // nor the exact minimum
            const double got = static_cast<double>(l.quantile(0.5).count());
            REQUIRE(std::abs(got - static_cast<double>(ns)) <= static_cast<double>(ns) / 128);
            REQUIRE(l.min() == nanoseconds(0));
            REQUIRE(l.max() == (nanoseconds::max)());
        }
}

TEST_CASE("merging two recorders equals recording into one", "[perf][latency]") {
    edge::splitmix64 random(2);
    latency left;
    latency right;
    latency both;
    for (int i = 0; i < 1000; ++i) {
        const nanoseconds d(static_cast<std::int64_t>(random.below(1'000'000'000)));
        (i % 3 == 0 ? left : right).record(d);
        both.record(d);
    }
    latency none;
    left.merge(right);
    left.merge(none);
    none.merge(left);
    for (const double q : {0.0, 0.25, 0.5, 0.95, 0.99, 1.0}) {
        CHECK(left.quantile(q) == both.quantile(q));
        CHECK(none.quantile(q) == both.quantile(q));
    }
    CHECK(left.mean() == both.mean());
}

TEST_CASE("a timer records once", "[perf][latency]") {
    latency l;
    { edge::perf::timer t(l); }
    CHECK(l.count() == 1);
    CHECK(l.max() < std::chrono::seconds(60));
}

TEST_CASE("no quantile of nothing, nor out of range", "[perf][latency]") {
    latency l;
    CHECK_THROWS_WITH(l.quantile(0.5), "no latency was recorded");
    CHECK_THROWS_AS(l.mean(), edge::argument_error);
    l.record(nanoseconds(7));
    CHECK_THROWS_WITH(l.quantile(1.5), "quantile 1.5; expected 0 to 1");
    CHECK_THROWS_AS(l.quantile(std::nan("")), edge::argument_error);
    CHECK(l.quantile(0.3) == nanoseconds(7));
}

namespace {

double forward(std::span<const double> x) { return std::accumulate(x.begin(), x.end(), 0.0); }
double backward(std::span<const double> x) { return std::accumulate(x.rbegin(), x.rend(), 0.0); }
double four_times(std::span<const double> x) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) {
        sum = forward(x);
        edge::perf::keep(sum);
    }
    return sum;
}

}  // namespace

TEST_CASE("implementations are run side by side and their times reported", "[perf][compare]") {
    std::vector<double> x(20000, 0.5);
    const auto r = compare({.job = "a \"sum\"\n", .n = x.size(), .rounds = 11, .least_ms = 0.2, .floor_ms = 1e-3},
                           std::tuple(std::span<const double>(x)), who{"four times", four_times},
                           who{"forward", forward}, who{"backward", backward});
    REQUIRE(r.rows.size() == 3);
    CHECK(r.rows[0].ratio == 1);
    CHECK(r.rows[1].ratio > 1.5);  // it does a quarter of the work
    for (const auto& row : r.rows) {
        CHECK(row.median_ms > 0);
        CHECK(row.ratio_low <= row.ratio);
        CHECK(row.ratio <= row.ratio_high);
    }
    CHECK(r.table().find("backward") != std::string::npos);
    CHECK(r.table().find("n = 20000, 1 thread\n") != std::string::npos);

    std::istringstream lines(r.json_lines());
    std::string line;
    int n = 0;
    for (; std::getline(lines, line); ++n) {
        const auto row = nlohmann::json::parse(line);
        CHECK(row.at("job") == "a \"sum\"\n");
        CHECK(row.at("n") == 20000);
        CHECK(row.at("threads") == 1);
        CHECK(row.at("who") == r.rows[static_cast<std::size_t>(n)].who);
        CHECK(row.at("median_ms").get<double>() == r.rows[static_cast<std::size_t>(n)].median_ms);
        CHECK(row.at("floor_ratio").get<double>() == Approx(row.at("median_ms").get<double>() * 1000));
        CHECK_FALSE(row.at("cpu").get<std::string>().empty());
    }
    CHECK(n == 3);
}

TEST_CASE("results that differ are refused by name", "[perf][compare]") {
    const edge::perf::compare_options quick{.job = "j", .rounds = 1, .least_ms = 0};
    const auto one = [](int v) { return v + 1.0; };
    const auto other = [](int v) { return v + 1.001; };
    CHECK_THROWS_WITH(compare(quick, std::tuple(1), who{"one", one}, who{"other", other}),
                      "j: 'other' does not agree with 'one'");
    auto loose = quick;
    loose.tolerance = 1e-2;
    CHECK(compare(loose, std::tuple(1), who{"one", one}, who{"other", other}).rows.size() == 2);
    auto unchecked = quick;
    unchecked.check = false;
    CHECK(compare(unchecked, std::tuple(1), who{"one", one}, who{"other", other}).rows[1].who == "other");
    CHECK(nlohmann::json::parse(compare(unchecked, std::tuple(1), who{"one", one}).json_lines())
              .at("floor_ratio")
              .is_null());

    const double not_a_number = std::numeric_limits<double>::quiet_NaN();
    const auto list = [&] { return std::vector<double>{1, not_a_number}; };
    const auto same = [&] { return std::vector<double>{1, not_a_number}; };
    const auto longer = [&] { return std::vector<double>{1, not_a_number, 2}; };
    CHECK(compare(quick, std::tuple(), who{"list", list}, who{"same", same}).rows.size() == 2);
    CHECK_THROWS_AS(compare(quick, std::tuple(), who{"list", list}, who{"longer", longer}), edge::argument_error);
    struct odd {};
    CHECK_THROWS_AS(compare(quick, std::tuple(), who{"a", [] { return odd{}; }}, who{"b", [] { return odd{}; }}),
                    edge::argument_error);
    int calls = 0;
    CHECK(compare(quick, std::tuple(), who{"nothing", [&] { ++calls; }}).rows.size() == 1);
    CHECK(calls >= 3);
    CHECK_THROWS_AS(compare({.rounds = 0}, std::tuple(), who{"nothing", [] {}}), edge::argument_error);
}
