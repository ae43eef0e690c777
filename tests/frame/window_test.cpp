// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>
#include <edge/frame/window.hpp>

#include "support/catch.hpp"
#include "support/columns.hpp"
#include "support/raised.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

using namespace edge::frame;
using namespace std::chrono_literals;
using edge::argument_error;

namespace {

using ints = std::vector<std::int64_t>;
using floats = std::vector<double>;

constexpr double inf = std::numeric_limits<double>::infinity();

/// Keys, times that ascend with ties, and values of several kinds, some of which are missing.
table readings(std::size_t rows, unsigned seed, std::size_t keys = 4) {
    std::mt19937_64 random(seed);
    ints key(rows), time(rows), wide(rows);
    floats real(rows);
    std::vector<std::int16_t> narrow(rows);
    std::vector<std::string> text(rows);
    std::vector<bool> there(rows), key_there(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        key[r] = static_cast<std::int64_t>(random() % keys);
        key_there[r] = random() % 11 != 0;
        time[r] = (r == 0 ? -50 : time[r - 1]) + static_cast<std::int64_t>(random() % 4);
        wide[r] = static_cast<std::int64_t>(random());  // beyond what a double holds
        narrow[r] = static_cast<std::int16_t>(random());
        real[r] = random() % 9 == 0
                      ? not_a_number
                      : std::ldexp(static_cast<double>(random() % 1000) - 500, static_cast<int>(random() % 9));
        text[r] = std::to_string(random() % 100);
        there[r] = random() % 5 != 0;
    }
    return {{"key", column(key, key_there)}, {"time", column(time)},        {"wide", column(wide, there)},
            {"narrow", column(narrow)},      {"real", column(real, there)}, {"text", column(text, there)}};
}

bool same_key(const table& t, std::size_t a, std::size_t b, bool by) {
    const column& k = t.column("key");
    if (!by) return true;
    if (k.is_valid(a) != k.is_valid(b)) return false;
    return !k.is_valid(a) || k.values<std::int64_t>()[a] == k.values<std::int64_t>()[b];
}

void check_same(const column& got, const column& wanted, std::size_t at, std::size_t from) {
    REQUIRE(got.kind() == wanted.kind());
    REQUIRE(got.is_valid(at) == wanted.is_valid(from));
    if (!got.is_valid(at)) return;
    if (got.kind() != kind::float64) {
        CHECK(to_csv({{"v", got.slice(at, 1)}}) == to_csv({{"v", wanted.slice(from, 1)}}));
        return;
    }
    const double x = got.values<double>()[at];
    const double y = wanted.values<double>()[from];
    CHECK(
        (x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 1e-12 * std::max(std::abs(x), std::abs(y))));
}

const std::vector<aggregate> all_of(const std::string& name) {
    std::vector<aggregate> all{count(name), first(name), last(name)};
    if (name != "text")
        for (const aggregate& a : {sum(name), mean(name), min(name), max(name), stddev(name), variance(name),
                                   median(name), quantile(name, 0.3)})
            all.push_back(a);
    return all;
}

/// Rows of each row's window, picked one by one, and aggregated by a group-by.
template <class IsInside>
void check_windows(const table& t, const rolling_options& options, IsInside&& is_inside) {
    for (const char* name : {"wide", "narrow", "real", "text"}) {
        const std::vector<aggregate> wanted = all_of(name);
        const table rolled = rolling(t, wanted, options);
        REQUIRE(rolled.rows() == t.rows());
        for (std::size_t r = 0; r < t.rows(); ++r) {
            std::vector<std::size_t> rows;
            for (std::size_t i = 0; i < t.rows(); ++i)
                if (is_inside(i, r)) rows.push_back(i);
            const table picked = take(t, rows).group_by().agg(wanted);
            const auto values = static_cast<std::size_t>(
                picked.column(std::string(name) + "_count").template values<std::int64_t>()[0]);
            for (const aggregate& a : wanted) {
                INFO(a.function() << " of " << name << " at row " << r);
                const column& got = rolled.column(a.result_name());
                if (a.what != statistic::count && values < std::max<std::size_t>(options.min_periods, 1))
                    CHECK_FALSE(got.is_valid(r));
                else
                    check_same(got, picked.column(a.result_name()), r, 0);
            }
        }
    }
}

}  // namespace

TEST_CASE("a rolling window holds the last rows of its key", "[frame][window]") {
    for (const std::size_t rows : {1U, 2U, 7U, 40U, 1000U}) {
        for (const bool by : {false, true}) {
            const table t = readings(75, static_cast<unsigned>(rows));
            rolling_options options{.rows = rows, .min_periods = rows == 7 ? 3U : 1U};
            if (by) options.by = "key";
            INFO(rows << " rows, by key " << by);
            check_windows(t, options, [&](std::size_t i, std::size_t r) {
                if (i > r || !same_key(t, i, r, by)) return false;
                std::size_t between = 0;
                for (std::size_t k = i; k < r; ++k) between += same_key(t, k, r, by);
                return between < rows;
            });
        }
    }
}

TEST_CASE("a rolling window by time holds what is less old than it, at the same time too", "[frame][window]") {
    for (const std::int64_t span : {1, 5, 30, 100000}) {
        for (const bool by : {false, true}) {
            const table t = readings(60, static_cast<unsigned>(span));
            rolling_options options{.time = span, .on = "time"};
            if (by) options.by = {"key"};
            const auto at = t.column("time").values<std::int64_t>();
            check_windows(t, options, [&](std::size_t i, std::size_t r) {
                return same_key(t, i, r, by) && at[i] > at[r] - span && at[i] <= at[r];
            });
        }
    }
}

TEST_CASE("windows of many blocks, long and short, are those of a slice", "[frame][window]") {
    const table t = readings(3000, 5, 50);
    for (const std::size_t rows : {3U, 100U, 700U}) {
        const std::vector<aggregate> wanted = all_of("real");
        const table whole = rolling(t, wanted, {.rows = rows});
        for (std::size_t r = rows - 1; r < t.rows(); r += 173) {
            const table part = rolling(t.slice(r + 1 - rows, rows), wanted, {.rows = rows});
            for (const aggregate& a : wanted)
                check_same(whole.column(a.result_name()), part.column(a.result_name()), r, rows - 1);
        }
    }
}

TEST_CASE("what has left a window leaves no trace", "[frame][window]") {
    floats x(300);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1e-3 * static_cast<double>(i % 7);
    x[20] = 1e300;
    x[21] = -1e300;
    x[60] = inf;
    x[100] = -inf;
    x[130] = std::numeric_limits<double>::max();
    x[131] = std::numeric_limits<double>::max();
    const table t{{"x", column(x)}};
    const table rolled = rolling(t, {sum("x"), mean("x"), stddev("x"), min("x"), max("x")}, {.rows = 10});
    for (const std::size_t r : {31U, 50U, 59U, 70U, 99U, 110U, 141U, 299U}) {
        const table clean = t.slice(r - 9, 10).group_by().agg(sum("x"), mean("x"), stddev("x"), min("x"), max("x"));
        for (const std::string& name : clean.names())
            CHECK(rolled.column(name).values<double>()[r] ==
                  Approx(clean.column(name).values<double>()[0]).epsilon(1e-13));
    }
    CHECK(rolled.column("x_sum").values<double>()[25] == Approx(0.024).epsilon(1e-9));  // 1e300 - 1e300 is nothing
    CHECK(rolled.column("x_sum").values<double>()[65] == inf);
    CHECK(rolled.column("x_max").values<double>()[65] == inf);
    CHECK(rolled.column("x_min").values<double>()[105] == -inf);
    CHECK(rolled.column("x_sum").values<double>()[131] == inf);
}

TEST_CASE("the spread of large numbers close to each other is found", "[frame][window]") {
    floats x(500);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1e9 + 1e-3 * static_cast<double>(i % 2);
    const column s = rolling({{"x", column(x)}}, stddev("x"), {.rows = 100});
    for (std::size_t r = 99; r < 500; ++r) CHECK(s.values<double>()[r] == Approx(5.0252e-4).epsilon(1e-3));
}

TEST_CASE("a thread more or less changes no bit of a window", "[frame][window]") {
    const table t = readings(40000, 6, 30);
    for (const char* by : {"", "key"}) {
        for (const rolling_options& o : {rolling_options{.rows = 50, .by = by}, {.time = 40, .on = "time", .by = by}}) {
            rolling_options options = o;
            options.threads.threads = 1;
            const std::string one = to_csv(rolling(t, all_of("real"), options));
            for (const int threads : {2, 5}) {
                options.threads.threads = threads;
                CHECK(to_csv(rolling(t, all_of("real"), options)) == one);
            }
        }
    }
}

TEST_CASE("extremes of integers stay exact in a window", "[frame][window]") {
    const std::vector<std::uint64_t> u{0, ~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1};
    const ints i{INT64_MIN, INT64_MAX, -1, INT64_MIN + 1};
    const table t{{"u", column(u)}, {"i", column(i)}, {"t", column::timestamps(i, {true, true, false, true})}};
    const auto text = [&](const aggregate& a) { return to_csv({{"r", rolling(t, a, 2)}}); };
    CHECK(text(min("u")) == "r\n0\n0\n9223372036854775808\n9223372036854775807\n");
    CHECK(text(max("u")) == "r\n0\n18446744073709551615\n18446744073709551615\n9223372036854775808\n");
    CHECK(text(min("i")) == "r\n-9223372036854775808\n-9223372036854775808\n-1\n-9223372036854775807\n");
    CHECK(text(sum("i")) == "r\n-9223372036854775808\n-1\n9223372036854775806\n-9223372036854775808\n");
    CHECK(rolling(t, max("t"), 2).kind() == kind::timestamp);
    CHECK(rolling(t, max("t"), 2).values<std::int64_t>()[2] == INT64_MAX);
}

TEST_CASE("windows of times are given as durations, and windows that make no sense say so", "[frame][window]") {
    const table t{{"ts", column::timestamps({0, 1'000'000'000, 1'999'999'999, 2'000'000'000})},
                  {"x", column(ints{1, 2, 4, 8})},
                  {"back", column(ints{1, 3, 2, 4})},
                  {"gone", column(ints{1, 2, 3, 4}, {true, true, false, true})},
                  {"s", column(std::vector<std::string>{"a", "b", "c", "d"})}};
    CHECK(to_csv({{"r", rolling(t, sum("x"), {.time = 1s, .on = "ts"})}}) == "r\n1\n2\n6\n12\n");
    CHECK(to_csv({{"r", rolling(t, first("s"), {.time = 2s, .on = "ts"})}}) == "r\na\na\na\nb\n");
    const auto problem = [&](const aggregate& a, const rolling_options& o) {
        return raised<argument_error>([&] { (void)rolling(t, a, o); });
    };
    CHECK(problem(sum("x"), {}) == "rolling over 0 rows; expected 1 or more rows, or a time");
    CHECK(problem(sum("x"), {.time = 3, .on = "back"}) == "on 'back': row 2 is before row 1; expected ascending times");
    CHECK(problem(sum("x"), {.time = 3, .on = "gone"}) == "on 'gone': row 2 is missing; expected a time in every row");
    CHECK(problem(sum("x"), {.time = 1s, .on = "x"}) ==
          "a duration as the time of 'x' of int64; expected a number in its units");
    CHECK(problem(sum("x"), {.time = -1, .on = "x"}) == "rolling over a time of -1; expected more than 0");
    CHECK(problem(mean("s"), {.rows = 2}) == "mean of column 's' of string; expected numbers");
    CHECK(problem(nunique("x"), {.rows = 2}).starts_with("rolling nunique is not there"));
    CHECK_THROWS_AS(rolling(t, sum("x"), {.rows = 2, .time = 3, .on = "x"}), argument_error);
    CHECK_THROWS_AS(rolling(t, sum("none"), {.rows = 2}), argument_error);
    CHECK_THROWS_AS(rolling(t, sum("x"), {.rows = 2, .by = "none"}), argument_error);
    CHECK_THROWS_AS(rolling(t, sum("x"), {.time = 2, .on = "s"}), argument_error);
    CHECK(rolling(t.head(0), mean("x"), 3).size() == 0);
    CHECK(rolling(t.head(0), mean("x"), {.time = 3s, .on = "ts", .by = "s"}).size() == 0);
}
