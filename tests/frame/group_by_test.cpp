// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>
#include <edge/frame/describe.hpp>
#include <edge/frame/group_accumulator.hpp>
#include <edge/frame/join_asof.hpp>
#include <edge/frame/tumbling.hpp>
#include <edge/frame/window.hpp>

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

/// Random rows: a key of few values, some missing, and values of three kinds, some missing or NaN.
table readings(std::size_t rows, std::uint64_t seed, std::int64_t keys = 5) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    std::normal_distribution<double> noise(100, 3);
    ints k(rows), i(rows);
    std::vector<float> f(rows);
    floats d(rows);
    std::vector<bool> key_there(rows), there(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        k[r] = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(keys)) - 2;
        key_there[r] = random() % 10 != 0;
        i[r] = static_cast<std::int64_t>(random() % 2000) - 1000;
        f[r] = static_cast<float>(noise(random));
        d[r] = random() % 8 == 0 ? not_a_number : noise(random);
        there[r] = random() % 7 != 0;
    }
    return {{"k", column(k, key_there)}, {"i", column(i, there)}, {"f", column(f)}, {"d", column(d, there)}};
}

const std::vector<aggregate> moments{count(),  count("d"), sum("i"), sum("d"),    mean("i"),   mean("f"),
                                     min("i"), max("f"),   min("d"), stddev("i"), stddev("d"), variance("f")};

/// Values are equal within a relative error, and missing in the same rows.
void check_near(const table& a, const table& b, double tolerance) {
    REQUIRE(a.rows() == b.rows());
    REQUIRE(a.names().size() == b.names().size());
    for (std::size_t c = 0; c < a.names().size(); ++c) {
        CHECK(a.names()[c] == b.names()[c]);
        REQUIRE(a.columns()[c].kind() == b.columns()[c].kind());
        for (std::size_t r = 0; r < a.rows(); ++r) {
            INFO(a.names()[c] << ", row " << r << ": " << cell_text(a.columns()[c], r) << " and "
                              << cell_text(b.columns()[c], r));
            REQUIRE(a.columns()[c].is_valid(r) == b.columns()[c].is_valid(r));
            if (a.columns()[c].kind() == kind::float64 && a.columns()[c].is_valid(r)) {
                const double x = a.columns()[c].values<double>()[r];
                const double y = b.columns()[c].values<double>()[r];
                CHECK(std::abs(x - y) <= tolerance * std::abs(y));
            } else {
                CHECK(cell_text(a.columns()[c], r) == cell_text(b.columns()[c], r));
            }
        }
    }
}

}  // namespace

TEST_CASE("groups come in the order of their keys, and a missing key is the last group", "[frame][group_by]") {
    const table t{{"k", column(ints{2, 1, 0, 2}, {true, true, false, true})},
                  {"s", column(std::vector<std::string>{"b", "a", "b", ""})},
                  {"x", column(floats{1, 2, 4, 8})}};
    CHECK(to_csv(t.group_by("k").agg(count(), sum("x"))) == "k,count,x_sum\n1,1,2.0\n2,2,9.0\n,1,4.0\n");
    CHECK(to_csv(t.group_by("s").agg(mean("x").as("m"))) == "s,m\n\"\",8.0\na,2.0\nb,2.5\n");
    CHECK(to_csv(t.group_by("s", "k").agg(first("x"))) == "s,k,x_first\n\"\",2,8.0\na,1,2.0\nb,2,1.0\nb,,4.0\n");
    const grouping by = t.group_by("k");
    CHECK(by.groups() == 3);
    CHECK(std::vector<std::uint32_t>(by.ids().begin(), by.ids().end()) == std::vector<std::uint32_t>{1, 0, 2, 1});
}

TEST_CASE("keys of every kind make groups of equal values", "[frame][group_by]") {
    const table t{{"f", column(floats{0.0, -0.0, not_a_number, not_a_number})},
                  {"b", column(std::vector<bool>{true, false, true, true})},
                  {"n", column(std::vector<std::int32_t>{-1, -1, 7, 7})},
                  {"t", column::timestamps({5, 5, 5, 6})},
                  {"g", column(std::vector<float>{1, 2, 1, 2})}};
    CHECK(t.group_by("f").groups() == 2);
    CHECK(to_csv(t.group_by("b").agg(count())) == "b,count\nfalse,1\ntrue,3\n");
    CHECK(t.group_by("n", "t").groups() == 3);
    CHECK(t.group_by("g").agg(count()).column("g").kind() == kind::float32);
}

TEST_CASE("of no values there is a count and a sum of 0, and nothing else", "[frame][group_by]") {
    const table t{{"k", column(ints{1})}, {"x", column(floats{not_a_number})}, {"s", column::missing(kind::string, 1)}};
    CHECK(to_csv(t.group_by("k").agg(count("x"), sum("x"), mean("x"), min("x"), max("x"), stddev("x"), variance("x"),
                                     median("x"), quantile("x", 0.9), first("x"), last("x"), nunique("x"), count("s"),
                                     min("s"), nunique("s"))) ==
          "k,x_count,x_sum,x_mean,x_min,x_max,x_std,x_var,x_median,x_quantile@0.9,x_first,x_last,x_nunique,s_count,"
          "s_min,s_nunique\n1,0,0.0,,,,,,,,,,0,0,,0\n");
    const table none = t.head(0).group_by("k").agg(count(), sum("x"), first("s"));
    CHECK(none.rows() == 0);
    CHECK(none.column("count").kind() == kind::int64);
    CHECK(none.column("s_first").kind() == kind::string);
}

TEST_CASE("without keys, the table is one group", "[frame][group_by]") {
    const table t = readings(100, 1);
    const table all = t.group_by().agg(count(), sum("i"));
    CHECK(all.rows() == 1);
    CHECK(all.column("count").values<std::int64_t>()[0] == 100);
    CHECK(t.head(0).group_by().agg(count()).column("count").values<std::int64_t>()[0] == 0);
}

TEST_CASE("aggregates keep the kind that says most", "[frame][group_by]") {
    const table t{{"k", column(ints{1, 1})},
                  {"n", column(std::vector<std::int32_t>{2'000'000'000, 2'000'000'000})},
                  {"f", column(std::vector<float>{0.5F, 1})},
                  {"b", column(std::vector<bool>{true, false})},
                  {"t", column::timestamps({5, 9})},
                  {"s", column(std::vector<std::string>{"x", "ab"})}};
    const table g = t.group_by("k").agg(sum("n"), max("n"), min("f"), sum("b"), mean("b"), min("b"), count("b"),
                                        max("t"), count("t"), min("s"), last("s"), nunique("s"));
    CHECK(to_csv(g) ==
          "k,n_sum,n_max,f_min,b_sum,b_mean,b_min,b_count,t_max,t_count,s_min,s_last,s_nunique\n"
          "1,4000000000,2000000000,0.5,1,0.5,false,2,1970-01-01T00:00:00.000000009Z,2,ab,ab,2\n");
    CHECK(g.column("n_max").kind() == kind::int32);
    CHECK(g.column("f_min").kind() == kind::float32);
}

TEST_CASE("an aggregate that makes no sense says so", "[frame][group_by]") {
    const table t{{"k", column(ints{1})}, {"s", column(std::vector<std::string>{"a"})}, {"t", column::timestamps({1})}};
    CHECK(raised<argument_error>([&] { (void)t.group_by("k").agg(mean("s")); }) ==
          "mean of column 's' of string; expected numbers");
    CHECK_THROWS_AS(t.group_by("k").agg(sum("t")), argument_error);
    CHECK_THROWS_AS(t.group_by("k").agg(sum("none")), argument_error);
    CHECK_THROWS_AS(t.group_by("k").agg(sum("")), argument_error);
    CHECK_THROWS_AS(t.group_by("k").agg(count(), count()), argument_error);
    CHECK_THROWS_AS(t.group_by("none"), argument_error);
    CHECK_THROWS_AS(t.group_by("k", "k"), argument_error);
    CHECK_THROWS_AS(quantile("x", 1.5), argument_error);
    CHECK(aggregate_from_string("quantile@0.25", "x").q == 0.25);
    for (const char* bad : {"average", "quantile", "quantile@", "quantile@x", "quantile@2", "mean@0.5", ""})
        CHECK_THROWS_AS(aggregate_from_string(bad, "x"), argument_error);
}

TEST_CASE("aggregates equal those of the rows picked out one by one", "[frame][group_by]") {
    const table t = readings(500, 2);
    const table g = t.group_by("k").agg(count(), sum("i"), mean("d"), stddev("d"), median("d"), quantile("i", 0.3),
                                        first("d"), last("i"), nunique("i"));
    std::map<std::uint32_t, floats> d, i;
    const grouping by = t.group_by("k");
    for (std::size_t r = 0; r < t.rows(); ++r) {
        const double x = t.column("d").values<double>()[r];
        if (t.column("d").is_valid(r) && !std::isnan(x)) d[by.ids()[r]].push_back(x);
        if (t.column("i").is_valid(r))
            i[by.ids()[r]].push_back(static_cast<double>(t.column("i").values<std::int64_t>()[r]));
    }
    for (std::uint32_t k = 0; k < by.groups(); ++k) {
        INFO("group " << k);
        const auto value = [&](const char* name) { return g.column(name).values<double>()[k]; };
        double total = 0, square = 0;
        for (const double x : d[k]) total += x;
        const double m = total / static_cast<double>(d[k].size());
        for (const double x : d[k]) square += (x - m) * (x - m);
        CHECK(value("d_mean") == Approx(m).epsilon(1e-14));
        CHECK(value("d_std") == Approx(std::sqrt(square / static_cast<double>(d[k].size() - 1))).epsilon(1e-12));
        CHECK(value("d_first") == d[k].front());
        CHECK(g.column("i_last").values<std::int64_t>()[k] == static_cast<std::int64_t>(i[k].back()));
        std::sort(d[k].begin(), d[k].end());
        std::sort(i[k].begin(), i[k].end());
        const auto middle = d[k].size() / 2;
        CHECK(value("d_median") == Approx(d[k].size() % 2 != 0 ? d[k][middle] : (d[k][middle - 1] + d[k][middle]) / 2));
        const double place = 0.3 * static_cast<double>(i[k].size() - 1);
        const auto below = static_cast<std::size_t>(place);
        CHECK(value("i_quantile@0.3") ==
              Approx(i[k][below] + (i[k][below + 1] - i[k][below]) * (place - std::floor(place))));
        CHECK(g.column("i_nunique").values<std::int64_t>()[k] == std::unique(i[k].begin(), i[k].end()) - i[k].begin());
    }
}

TEST_CASE("the standard deviation does not lose its digits far from zero", "[frame][group_by]") {
    floats x;
    for (int i = 0; i < 1000; ++i) x.push_back(1e9 + (i % 2 != 0 ? 0.5 : -0.5));
    const table t{{"x", column(x)}};
    const table g = t.group_by().agg(stddev("x"), mean("x"));
    CHECK(g.column("x_std").values<double>()[0] == Approx(std::sqrt(0.25 * 1000 / 999)).epsilon(1e-9));
    CHECK(g.column("x_mean").values<double>()[0] == 1e9);
    const table big{{"x", column(floats{1e100, 1.0, -1e100})}};
    CHECK(big.group_by().agg(sum("x")).column("x_sum").values<double>()[0] == 1.0);
    const double inf = std::numeric_limits<double>::infinity();
    const table infinite{{"x", column(floats{inf, 1.0})}};
    CHECK(infinite.group_by().agg(sum("x")).column("x_sum").values<double>()[0] == inf);
}

TEST_CASE("any number of threads gives the same bits, over several blocks of rows", "[frame][group_by]") {
    const table t = readings(600'000, 3);
    const std::string one = to_csv(t.group_by("k").agg(moments, {.threads = 1}));
    for (const int threads : {2, 3, 8}) CHECK(to_csv(t.group_by("k").agg(moments, {.threads = threads})) == one);
}

TEST_CASE("a stream gives the same bits in batches of any size, and what the table gives",
          "[frame][group_accumulator]") {
    const table t = readings(2000, 4);
    group_accumulator whole("k", moments);
    whole.update(t);
    for (const std::size_t batch : std::vector<std::size_t>{1, 7, 64, 1999}) {
        group_accumulator acc("k", moments);
        for (std::size_t r = 0; r < t.rows(); r += batch) acc.update(t.slice(r, std::min(batch, t.rows() - r)));
        CHECK(acc.rows() == t.rows());
        CHECK(acc.groups() == 6);
        CHECK(to_csv(acc.finish()) == to_csv(whole.finish()));
    }
    CHECK(to_csv(whole.finish()) == to_csv(t.group_by("k").agg(moments)));
}

TEST_CASE("merging two accumulators is seeing both streams, in either order", "[frame][group_accumulator]") {
    const table t = readings(3000, 5, 40);
    for (const std::size_t cut : std::vector<std::size_t>{0, 1, 1500, 3000}) {
        group_accumulator a("k", moments), b("k", moments), other("k", moments);
        a.update(t.slice(0, cut));
        b.update(t.slice(cut, t.rows() - cut));
        other.update(t.slice(cut, t.rows() - cut));
        other.merge(a);
        a.merge(b);
        a.merge(group_accumulator("k", moments));
        check_near(a.finish(), t.group_by("k").agg(moments), 1e-12);
        check_near(other.finish(), a.finish(), 1e-12);
    }
}

TEST_CASE("an accumulator refuses a batch that does not fit, and is none the worse", "[frame][group_accumulator]") {
    const table t = readings(50, 6);
    group_accumulator acc("k", {mean("d")});
    CHECK(acc.finish().rows() == 0);
    acc.update(t);
    const std::string before = to_csv(acc.finish());
    CHECK_THROWS_AS(acc.update(t.select("k")), argument_error);
    CHECK_THROWS_AS(acc.update(t.select("d")), argument_error);
    CHECK_THROWS_AS(acc.update({{"k", t.column("k")}, {"d", t.column("f")}}), argument_error);
    CHECK_THROWS_AS(acc.update({{"k", t.column("f")}, {"d", t.column("d")}}), argument_error);
    CHECK_THROWS_AS(acc.merge(group_accumulator("k", {sum("d")})), argument_error);
    CHECK_THROWS_AS(acc.merge(group_accumulator("i", {mean("d")})), argument_error);
    CHECK(to_csv(acc.finish()) == before);
    CHECK_THROWS_AS(group_accumulator("k", {sum("")}), argument_error);
    CHECK_THROWS_AS(group_accumulator("k", {mean("d"), mean("d")}), argument_error);
}

TEST_CASE("integers at their extremes are keys like any other", "[frame][group_accumulator]") {
    const ints keys{INT64_MAX, INT64_MIN, 0, -1, 0, INT64_MIN};
    const table t{{"k", column(keys)}};
    group_accumulator acc("k", {count()});
    acc.update(t);
    const std::string expected = "k,count\n-9223372036854775808,2\n-1,1\n0,2\n9223372036854775807,1\n";
    CHECK(to_csv(acc.finish()) == expected);
    CHECK(to_csv(t.group_by("k").agg(count())) == expected);
}

TEST_CASE("a rolling statistic is that of the last rows, picked out", "[frame][window]") {
    const table t = readings(130, 7);
    for (const std::size_t window : std::vector<std::size_t>{1, 2, 3, 16, 129, 130, 1000}) {
        for (const char* name : {"i", "d", "f"}) {
            for (const aggregate& a : {count(name), sum(name), mean(name), min(name), max(name), stddev(name),
                                       variance(name), median(name), quantile(name, 0.2)}) {
                const column rolled = rolling(t, a, window);
                table picked{{"r", rolled.slice(0, 0)}};
                std::vector<table> parts;
                for (std::size_t r = 0; r < t.rows(); ++r) {
                    const std::size_t first = r + 1 >= window ? r + 1 - window : 0;
                    const table part = t.slice(first, r + 1 - first);
                    table one = part.group_by().agg(a.as("r"), count(name).as("n"));
                    if (a.what == statistic::sum && one.column("n").values<std::int64_t>()[0] == 0)
                        one = {{"r", column::missing(rolled.kind(), 1)}};  // of nothing; a group's is 0
                    parts.push_back(one.select("r"));
                }
                INFO(a.function() << " of " << name << " over " << window);
                check_near(table{{"r", rolled}}, concat(parts), 1e-10);
            }
        }
    }
}

TEST_CASE("a huge value leaves no trace in a window that it has left", "[frame][window]") {
    const table t{{"x", column(floats{1e300, 1, 2, 3, 4})}};
    CHECK(to_csv({{"r", rolling(t, mean("x"), 2)}}) == "r\n1e+300\n5e+299\n1.5\n2.5\n3.5\n");
    CHECK_THROWS_AS(rolling(t, mean("x"), 0), argument_error);
    CHECK_THROWS_AS(rolling(t, mean("y"), 2), argument_error);
    CHECK_THROWS_AS(rolling(table{{"s", column(std::vector<std::string>{"a"})}}, mean("s"), 2), argument_error);
    CHECK(rolling(t.head(0), mean("x"), 3).size() == 0);
}

TEST_CASE("tumbling windows begin at multiples of their width, before zero too", "[frame][window]") {
    const column at(ints{-11, -10, -1, 0, 9, 10}, {true, true, true, true, true, false});
    CHECK(to_csv({{"w", tumbling(at, 10)}, {"b", column(ints(6))}}) == "w,b\n-20,0\n-10,0\n-10,0\n0,0\n0,0\n,0\n");
    CHECK(tumbling(column::timestamps({1}), 10).kind() == kind::timestamp);
    CHECK(tumbling(column(std::vector<std::int32_t>{1}), 10).kind() == kind::int64);
    CHECK_THROWS_AS(tumbling(column(ints{INT64_MIN}), 1000), argument_error);
    CHECK_THROWS_AS(tumbling(at, 0), argument_error);
    CHECK_THROWS_AS(tumbling(column(floats{1}), 1), argument_error);
}

TEST_CASE("an as-of join finds what looking at every row finds", "[frame][join_asof]") {
    std::mt19937_64 random(8);
    const auto make = [&](std::size_t rows) {
        ints ts(rows), by(rows), v(rows);
        std::vector<bool> there(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            ts[r] = static_cast<std::int64_t>(random() % 200);  // not sorted, with ties
            by[r] = static_cast<std::int64_t>(random() % 3);
            v[r] = static_cast<std::int64_t>(r);
            there[r] = random() % 9 != 0;
        }
        return table{{"ts", column(ts, there)}, {"by", column(by)}, {"v", column(v)}};
    };
    const table left = make(100), right = make(80);
    for (const int limit : {-1, 0, 3, 50}) {
        asof_options options{.on = "ts", .by = "by"};
        if (limit >= 0) options.tolerance = limit;
        const table joined = join_asof(left, right, options);
        CHECK(to_csv(joined.select("ts", "by", "v")) == to_csv(left));
        for (std::size_t l = 0; l < left.rows(); ++l) {
            std::size_t best = no_row;
            const auto at = [](const table& t, std::size_t r, const char* name) {
                return t.column(name).values<std::int64_t>()[r];
            };
            for (std::size_t r = 0; r < right.rows() && left.column("ts").is_valid(l); ++r) {
                if (!right.column("ts").is_valid(r) || at(right, r, "by") != at(left, l, "by")) continue;
                const std::int64_t apart = at(left, l, "ts") - at(right, r, "ts");
                if (apart < 0 || (limit >= 0 && apart > limit)) continue;
                if (best == no_row || at(right, r, "ts") >= at(right, best, "ts")) best = r;
            }
            REQUIRE(joined.column("v_right").is_valid(l) == (best != no_row));
            if (best != no_row) CHECK(at(joined, l, "v_right") == static_cast<std::int64_t>(best));
        }
    }
}

TEST_CASE("a tolerance is in the units of the column, or a duration of timestamps", "[frame][join_asof]") {
    const table left{{"ts", column::timestamps({50'000'000, 50'000'001})}};
    const table right{{"ts", column::timestamps({0})}, {"v", column(ints{7})}};
    CHECK(join_asof(left, right, {.on = "ts", .tolerance = 50ms}).column("v").null_count() == 1);
    CHECK(join_asof(left, right, {.on = "ts", .tolerance = 50'000'000}).column("v").null_count() == 1);
    CHECK(join_asof(left, right, {.on = "ts", .tolerance = 0.5s}).column("v").null_count() == 0);
    CHECK(join_asof(left, right, {.on = "ts", .tolerance = 24h * 365 * 250}).column("v").null_count() == 0);
    CHECK(join_asof(left, right, {.on = "ts"}).column("v").null_count() == 0);
    const table ends{{"ts", column::timestamps({INT64_MAX})}};
    const table starts{{"ts", column::timestamps({INT64_MIN})}, {"v", column(ints{7})}};
    CHECK(join_asof(ends, starts, {.on = "ts", .tolerance = INT64_MAX}).column("v").null_count() == 1);
    const table number{{"ts", column(floats{0.25, not_a_number})}};
    const table numbers{{"ts", column(floats{not_a_number, 0.0})}, {"v", column(ints{1, 2})}};
    CHECK(to_csv(join_asof(number, numbers, {.on = "ts", .tolerance = 0.25})) == "ts,v\n0.25,2\nnan,\n");
    CHECK_THROWS_AS(join_asof(number, numbers, {.on = "ts", .tolerance = 50ms}), argument_error);
    CHECK_THROWS_AS(join_asof(number, numbers, {.on = "ts", .tolerance = -1}), argument_error);
    CHECK_THROWS_AS(join_asof(number, right, {.on = "ts"}), argument_error);
    CHECK_THROWS_AS(join_asof(number, numbers, {.on = "v"}), argument_error);
    CHECK_THROWS_AS(join_asof(number, numbers, {.on = "ts", .by = "v"}), argument_error);
}

TEST_CASE("describing a table gives eight rows for each column of numbers", "[frame][describe]") {
    const table t{{"x", column(ints{1, 2, 3, 4}, {true, true, true, true})},
                  {"s", column(std::vector<std::string>(4))},
                  {"y", column(floats{1, not_a_number, 3, 0}, {true, true, true, false})}};
    CHECK(to_csv(describe(t)) ==
          "statistic,x,y\ncount,4.0,2.0\nmean,2.5,2.0\nstd,1.2909944487358056,1.4142135623730951\nmin,1.0,1.0\n"
          "25%,1.75,1.5\n50%,2.5,2.0\n75%,3.25,2.5\nmax,4.0,3.0\n");
}
