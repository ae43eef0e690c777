// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>
#include <edge/frame/cumulative.hpp>
#include <edge/frame/ewm.hpp>
#include <edge/frame/gaps.hpp>
#include <edge/frame/interpolate.hpp>
#include <edge/frame/shift.hpp>
#include <edge/frame/tumbling.hpp>

#include "support/catch.hpp"
#include "support/columns.hpp"
#include "support/raised.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <random>

using namespace edge::frame;
using namespace std::chrono_literals;
using edge::argument_error;

namespace {

using ints = std::vector<std::int64_t>;
using floats = std::vector<double>;

/// Its lines, a missing value as an empty one.
std::string text(const column& c) {
    const std::string two = to_csv({{"v", c}, {"w", column::missing(kind::int64, c.size())}});
    std::string lines;
    for (const char letter : two.substr(4))
        if (letter != ',') lines += letter;
    return lines;
}

/// Two keys that alternate, with a missing and a NaN value.
table meters() {
    return {{"m", column(std::vector<std::string>{"a", "b", "a", "b", "a", "a"})},
            {"ts", column(ints{0, 5, 10, 15, 40, 70})},
            {"x", column(floats{1, 10, not_a_number, 30, 4, 8}, {true, true, true, true, true, false})},
            {"n", column(ints{7, 6, 5, INT64_MIN, INT64_MAX, 1}, {true, true, false, true, true, true})}};
}

}  // namespace

TEST_CASE("lag and lead are the rows before and after of the same key", "[frame][shift]") {
    const table t = meters();
    CHECK(text(lag(t, "n")) == "\n7\n6\n\n-9223372036854775808\n9223372036854775807\n");
    CHECK(text(lag(t, "n", {.by = "m"})) == "\n\n7\n6\n\n9223372036854775807\n");
    CHECK(text(lead(t, "m", {.rows = 2})) == "a\nb\na\na\n\n\n");
    CHECK(text(lead(t, "ts", {.rows = 2, .by = "m"})) == "40\n\n70\n\n\n\n");
    CHECK(text(lag(t, "ts", {.rows = 0})) == text(t.column("ts")));
    CHECK(lag(t, "ts", {.rows = 100}).null_count() == 6);
    CHECK(lag(t, "ts", {.rows = static_cast<std::size_t>(-1)}).null_count() == 6);
    CHECK(lag(t.head(0), "ts").size() == 0);
}

TEST_CASE("differences are exact, and changes are shares", "[frame][shift]") {
    const table t = meters();
    CHECK(text(diff(t, "ts", {.by = "m"})) == "\n\n10\n10\n30\n30\n");
    CHECK(text(diff(t, "n")) == "\n-1\n\n\n-1\n-9223372036854775806\n");
    CHECK(text(diff(t, "x", {.rows = 2, .by = "m"})) == "\n\n\n\n3.0\n\n");
    CHECK(diff({{"t", column::timestamps({5, 9})}}, "t").kind() == kind::int64);
    CHECK(text(pct_change(t, "x", {.by = "m"})) == "\n\nnan\n2.0\nnan\n\n");
    CHECK_THROWS_AS(pct_change(t, "m"), argument_error);
    CHECK_THROWS_AS(diff(t, "m"), argument_error);
}

TEST_CASE("running totals skip what is missing, and start anew at each key", "[frame][cumulative]") {
    const table t = meters();
    CHECK(text(cum_sum(t, "x", {.by = "m"})) == "1.0\n10.0\n\n40.0\n5.0\n\n");
    CHECK(text(cum_sum(t, "n")) == "7\n13\n\n-9223372036854775795\n12\n13\n");
    CHECK(text(cum_min(t, "n", {.by = "m"})) == "7\n6\n\n-9223372036854775808\n7\n1\n");
    CHECK(text(cum_max(t, "x")) == "1.0\n10.0\n\n30.0\n30.0\n\n");
    CHECK(text(cum_count(t, "x", {.by = "m"})) == "1\n1\n1\n2\n2\n2\n");
    const table u{{"u", column(std::vector<std::uint64_t>{1, ~std::uint64_t{0}, 0})}};
    CHECK(text(cum_max(u, "u")) == "1\n18446744073709551615\n18446744073709551615\n");
    CHECK(text(cum_min(u, "u")) == "1\n1\n0\n");
    const table big{{"x", column(floats{1e100, 1, -1e100})}};
    CHECK(cum_sum(big, "x").values<double>()[2] == 1);
    CHECK(cum_min({{"t", column::timestamps({5, 3})}}, "t").kind() == kind::timestamp);
    CHECK_THROWS_AS(cum_sum(t, "m"), argument_error);
}

TEST_CASE("a weighted mean weighs as it says", "[frame][ewm]") {
    std::mt19937_64 random(3);
    floats x(60);
    std::vector<bool> there(60);
    ints ts(60);
    for (std::size_t i = 0; i < 60; ++i) {
        x[i] = static_cast<double>(random() % 100);
        there[i] = random() % 4 != 0;
        ts[i] = (i == 0 ? 0 : ts[i - 1]) + static_cast<std::int64_t>(random() % 5);
    }
    const table t{{"x", column(x, there)}, {"ts", column(ts)}};
    const column rows = ewm_mean(t, "x", {.alpha = 0.2});
    const column time = ewm_mean(t, "x", {.half_life = 3, .on = "ts"});
    const column half = ewm_mean(t, "x", {.half_life = 3});
    const column three = ewm_mean(t, "x", {.alpha = 0.2, .min_periods = 3});
    std::size_t seen = 0;
    for (std::size_t r = 0; r < 60; ++r) {
        double sums[3] = {}, weights[3] = {};
        for (std::size_t i = 0; i <= r; ++i) {
            if (!there[i]) continue;
            const double w[] = {std::pow(0.8, r - i), std::exp2(static_cast<double>(ts[i] - ts[r]) / 3),
                                std::exp2((static_cast<double>(i) - static_cast<double>(r)) / 3)};
            for (int k = 0; k < 3; ++k) {
                sums[k] += w[k] * x[i];
                weights[k] += w[k];
            }
        }
        seen += there[r];
        CHECK(rows.is_valid(r) == (seen > 0));
        CHECK(three.is_valid(r) == (seen > 2));
        if (seen == 0) continue;
        CHECK(rows.values<double>()[r] == Approx(sums[0] / weights[0]));
        CHECK(time.values<double>()[r] == Approx(sums[1] / weights[1]));
        CHECK(half.values<double>()[r] == Approx(sums[2] / weights[2]));
    }
    const table plain{{"k", column(ints{1, 2, 1, 2})}, {"x", column(floats{4, 100, 8, 100})}};
    CHECK(text(ewm_mean(plain, "x", {.alpha = 0.25, .adjust = false, .by = "k"})) == "4.0\n100.0\n5.0\n100.0\n");
    CHECK_THROWS_AS(ewm_mean(t, "x", {}), argument_error);
    CHECK_THROWS_AS(ewm_mean(t, "x", {.alpha = 1.5}), argument_error);
    CHECK_THROWS_AS(ewm_mean(t, "x", {.alpha = 0.5, .half_life = 3}), argument_error);
    CHECK_THROWS_AS(ewm_mean(t, "x", {.alpha = 0.5, .on = "ts"}), argument_error);
    CHECK_THROWS_AS(ewm_mean(t, "x", {.half_life = 3s}), argument_error);
}

TEST_CASE("gaps are where the next row of a key comes too late", "[frame][gaps]") {
    const table t = meters();
    CHECK(to_csv(gaps(t, {.on = "ts", .longer_than = 10, .by = "m"})) ==
          "m,start,end,duration\na,10,40,30\na,40,70,30\n");
    CHECK(to_csv(gaps(t, {.on = "ts", .longer_than = 25})) == "start,end,duration\n40,70,30\n");
    CHECK(gaps(t, {.on = "ts", .longer_than = 30}).rows() == 0);
    const table ends{{"t", column::timestamps({INT64_MIN, INT64_MAX})}};
    CHECK(gaps(ends, {.on = "t", .longer_than = 1s}).column("duration").values<std::int64_t>()[0] == INT64_MAX);
    CHECK_THROWS_AS(gaps(t, {.on = "ts"}), argument_error);
    CHECK_THROWS_AS(gaps(t, {.on = "ts", .longer_than = 1s}), argument_error);
    CHECK_THROWS_AS(gaps(t, {.on = "m", .longer_than = 1}), argument_error);
}

TEST_CASE("missing values are filled in along rows or time, but not beyond the ends", "[frame][interpolate]") {
    const table t{{"k", column(ints{1, 1, 1, 2, 1, 2, 1})},
                  {"ts", column(ints{0, 1, 2, 3, 10, 11, 12})},
                  {"x", column(floats{0, 2, not_a_number, 7, 20, 9, 0}, {false, true, true, true, true, true, false})},
                  {"s", column(std::vector<std::string>{"", "a", "", "b", "c", "d", ""},
                               {false, true, false, true, true, true, false})}};
    CHECK(text(interpolate(t, "x")) == "\n2.0\n4.5\n7.0\n20.0\n9.0\n\n");
    CHECK(text(interpolate(t, "x", {.by = "k"})) == "\n2.0\n11.0\n7.0\n20.0\n9.0\n\n");
    CHECK(text(interpolate(t, "x", {.on = "ts", .by = "k"})) == "\n2.0\n4.0\n7.0\n20.0\n9.0\n\n");
    CHECK(text(interpolate(t, "x", {.how = fill::previous, .by = "k"})) == "\n2.0\n2.0\n7.0\n20.0\n9.0\n20.0\n");
    CHECK(text(interpolate(t, "s", {.how = fill::next, .by = "k"})) == "a\na\nc\nb\nc\nd\n\n");
    CHECK(text(interpolate(t, "s")) == text(interpolate(t, "s", {.how = fill::previous})));
}

TEST_CASE("a table on a regular grid has a row at each of its points between the first and last", "[frame][resample]") {
    const table t{{"k", column(ints{1, 2, 1, 2, 1})},
                  {"ts", column::timestamps({-15, 0, 5, 3, 20})},
                  {"x", column(floats{0, 1, 10, 2, 40})},
                  {"s", column(std::vector<std::string>{"a", "b", "c", "d", "e"})}};
    CHECK(to_csv(resample(t, {.on = "ts", .every = 10, .by = "k", .how = fill::linear}).select("k", "x", "s")) ==
          "k,x,s\n1,2.5,a\n1,7.5,a\n1,20.0,c\n1,40.0,e\n2,1.0,b\n");
    const table last = resample(t, {.on = "ts", .every = 10ns, .by = "k"});
    CHECK(to_csv(last.select("k", "x")) == "k,x\n1,0.0\n1,0.0\n1,10.0\n1,40.0\n2,1.0\n");
    CHECK(last.column("ts").kind() == kind::timestamp);
    const auto ts = last.column("ts").values<std::int64_t>();
    CHECK(std::vector<std::int64_t>(ts.begin(), ts.end()) == ints{-10, 0, 10, 20, 0});
    CHECK(resample(t, {.on = "ts", .every = 1000, .by = "k"}).rows() == 2);
    CHECK(resample(t.head(0), {.on = "ts", .every = 10}).rows() == 0);
    CHECK_THROWS_AS(resample(t, {.on = "ts", .every = 10}), argument_error);
    CHECK_THROWS_AS(resample(t, {.on = "ts", .every = 0, .by = "k"}), argument_error);
    const table years{{"ts", column::timestamps({INT64_MIN, INT64_MAX})}};
    CHECK_THROWS_AS(resample(years, {.on = "ts", .every = 1}), edge::unsupported_error);
    CHECK(resample(years, {.on = "ts", .every = INT64_MAX}).rows() == 3);
}

TEST_CASE("hopping windows hold the rows of their times", "[frame][tumbling]") {
    std::mt19937_64 random(12);
    for (const auto& [every, period, offset] :
         std::vector<std::array<std::int64_t, 3>>{{10, 10, 0}, {10, 25, 3}, {10, 4, 7}, {3, 9, 100}}) {
        ints ts(80), k(80), v(80);
        std::vector<bool> there(80);
        for (std::size_t i = 0; i < 80; ++i) {
            ts[i] = static_cast<std::int64_t>(random() % 100) - 50;
            k[i] = static_cast<std::int64_t>(random() % 2);
            v[i] = static_cast<std::int64_t>(random() % 1000);
            there[i] = random() % 10 != 0;
        }
        std::map<std::pair<std::int64_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> expected;
        for (std::size_t i = 0; i < 80; ++i)
            for (std::int64_t start = offset - 500; start <= ts[i] && there[i]; ++start)
                if ((start - offset) % every == 0 && ts[i] < start + period) {
                    auto& [count, sum] = expected[{k[i], start}];
                    ++count;
                    sum += v[i];
                }
        const table t{{"k", column(k)}, {"ts", column(ts, there)}, {"v", column(v)}};
        const table got = hopping(t, {.on = "ts", .every = every, .period = period, .offset = offset, .by = "k"},
                                  {count(), sum("v"), min("ts").as("from")});
        REQUIRE(got.rows() == expected.size());
        std::size_t r = 0;
        for (const auto& [key, value] : expected) {
            const auto at = [&](const char* name) { return got.column(name).values<std::int64_t>()[r]; };
            CHECK(at("k") == key.first);
            CHECK(at("ts") == key.second);
            CHECK(at("count") == value.first);
            CHECK(at("v_sum") == value.second);
            CHECK(at("from") >= key.second);
            ++r;
        }
    }
}

TEST_CASE("windows of times are of times, and lengths that make no sense are refused", "[frame][tumbling]") {
    const table t{
        {"ts", column::timestamps({0, 1'500'000'000})}, {"d", column::dates({-1, 6})}, {"x", column(ints{1, 2})}};
    const table s = hopping(t, {.on = "ts", .every = 1s}, {sum("x")});
    CHECK(s.column("ts").kind() == kind::timestamp);
    CHECK(s.rows() == 2);
    CHECK(hopping(t, {.on = "d", .every = 7}, {count()}).column("d").kind() == kind::date);
    CHECK(tumbling(t.column("d"), 7).values<std::int32_t>()[0] == -7);
    CHECK_THROWS_AS(hopping(t, {.on = "ts", .every = 0}, {count()}), argument_error);
    CHECK_THROWS_AS(hopping(t, {.on = "ts", .every = 1, .period = -1}, {count()}), argument_error);
    CHECK_THROWS_AS(hopping(t, {.on = "x", .every = 1s}, {count()}), argument_error);
    CHECK_THROWS_AS(hopping(t, {.on = "x", .every = 1, .period = 1e18}, {count()}), edge::unsupported_error);
}
