// SPDX-License-Identifier: MIT
// Every way to find groups, and every aggregate, against a look at each row; of tables and of streams.
#include <edge/frame/csv.hpp>
#include <edge/frame/dictionary.hpp>
#include <edge/frame/group_accumulator.hpp>

#include "support/catch.hpp"
#include "support/columns.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <random>

using namespace edge::frame;
using edge::argument_error;

namespace {

using ints = std::vector<std::int64_t>;
using floats = std::vector<double>;

__extension__ using int128 = __int128;

/// Rows of each group, by the text of the keys, NaN as missing.
std::map<std::string, std::vector<std::size_t>> groups_of(const table& t, const std::vector<std::string>& keys) {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t r = 0; r < t.rows(); ++r) {
        std::string key;
        for (const std::string& k : keys) {
            const std::string s = cell_text(t.column(k), r);
            key += (s == "nan" ? "" : s == "-0.0" ? "0.0" : s) + '|';
        }
        groups[key].push_back(r);
    }
    return groups;
}

/// Columns of all kinds; `spread` is how many different values there are of those that are keys.
table anything(std::size_t rows, std::uint64_t seed, std::uint64_t spread) {
    std::mt19937_64 random(seed);
    std::vector<bool> there(rows), flag(rows);
    std::vector<std::uint8_t> small(rows);
    std::vector<std::int16_t> medium(rows);
    std::vector<std::uint64_t> large(rows);
    std::vector<std::int32_t> days(rows);
    std::vector<float> f(rows);
    std::vector<std::string> name(rows), plain_name(rows);
    ints i(rows), wide(rows);
    floats d(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        there[r] = random() % 6 != 0;
        flag[r] = random() % 2 != 0;
        small[r] = static_cast<std::uint8_t>(random() % spread);
        medium[r] = static_cast<std::int16_t>(random() % spread * 100 - 300);
        large[r] = random() % spread * 0x0FFFFFFFFFFFFFFF;
        days[r] = static_cast<std::int32_t>(random() % spread) - 2;
        f[r] = random() % 5 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(random() % spread) - 1;
        if (random() % 9 == 0) f[r] = -0.0F;
        name[r] = "name" + std::string(random() % 5, 'x') + std::to_string(random() % spread);
        plain_name[r] =
            std::string(random() % 3, 'p') + std::to_string(random() % spread) + std::string(random() % 2 * 20, 'q');
        i[r] = static_cast<std::int64_t>(random() % 1000) - 500;
        wide[r] = random() % 3 == 0 ? (random() % 2 != 0 ? INT64_MAX : INT64_MIN)
                                    : static_cast<std::int64_t>(random() % spread);
        d[r] =
            random() % 7 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(random() % 10000) / 16;
    }
    return {{"there", column(flag, there)},
            {"small", column(small)},
            {"medium", column(medium, there)},
            {"large", column(large)},
            {"days", column::dates(days, there)},
            {"f", column(f)},
            {"name", dictionary_encoded(column(name, there))},
            {"text", column(plain_name, there)},
            {"wide", column(wide, there)},
            {"i", column(i)},
            {"d", column(d, there)},
            {"when", column::timestamps(i)}};
}

/// Values of all magnitudes, none, infinite and missing ones, here and there: what one pass over them meets.
table values_here_and_there(std::size_t rows) {
    std::mt19937_64 random(13);
    floats d(rows), plain(rows);
    std::vector<float> f(rows);
    std::vector<bool> there(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        plain[r] = static_cast<double>(random() % 1'000'000) / 64;
        d[r] = plain[r] - 5'000;
        f[r] = static_cast<float>(random() % 1000) / 8;
        there[r] = r < rows / 2 || random() % 6 != 0;
    }
    d[rows / 4] = 0x1p40;
    d[rows / 3] = 0x1p-40;
    for (std::size_t r = rows / 2; r < rows / 2 + 3'000; ++r) d[r] = r % 3 == 0 ? not_a_number : 0.0;
    d[rows - 700] = std::numeric_limits<double>::infinity();
    f[rows / 5] = std::numeric_limits<float>::quiet_NaN();
    f[rows / 4] = 0x1p-20F;
    return {{"d", column(d)}, {"plain", column(plain)}, {"f", column(f)}, {"g", column(f, there)}};
}

const std::vector<aggregate> all_aggregates{count(),
                                            count("d"),
                                            sum("i"),
                                            sum("large"),
                                            sum("d"),
                                            mean("small"),
                                            mean("large"),
                                            mean("d"),
                                            min("medium"),
                                            max("f"),
                                            min("text"),
                                            max("name"),
                                            min("there"),
                                            max("when"),
                                            stddev("d"),
                                            variance("i"),
                                            median("d"),
                                            quantile("i", 0.3),
                                            first("d"),
                                            last("text"),
                                            first("days"),
                                            nunique("text"),
                                            nunique("f"),
                                            nunique("name"),
                                            arg_min("i", "d"),
                                            arg_max("text", "i"),
                                            arg_max("i", "name"),
                                            arg_min("d", "text"),
                                            corr("d", "i")};

void same(const table& a, const table& b) {
    const std::string x = to_csv(a);
    const std::string y = to_csv(b);
    if (x == y) return;
    for (std::size_t i = 0; i < a.names().size(); ++i)
        for (std::size_t r = 0; r < (std::min)(a.rows(), b.rows()); ++r)
            if (cell_text(a.columns()[i], r) != cell_text(b.columns()[i], r)) {
                INFO("column " << a.names()[i] << ", row " << r);
                REQUIRE(cell_text(a.columns()[i], r) == cell_text(b.columns()[i], r));
            }
    REQUIRE(a.rows() == b.rows());
}

void same_sums(const table& t, const std::vector<std::string>& keys) {
    const auto expected = groups_of(t, keys);
    const table found = t.group_by(keys).agg(count(), sum("i"), max("d"), last("i"));
    REQUIRE(found.rows() == expected.size());
    for (std::size_t g = 0; g < found.rows(); ++g) {
        std::string key;
        for (const std::string& k : keys) key += cell_text(found.column(k), g) + '|';
        INFO("group " << key);
        const auto at = expected.find(key);
        REQUIRE(at != expected.end());
        std::int64_t total = 0;
        double most = -std::numeric_limits<double>::infinity();
        for (const std::size_t r : at->second) {
            total += t.column("i").values<std::int64_t>()[r];
            if (t.column("d").is_valid(r) && t.column("d").values<double>()[r] > most)
                most = t.column("d").values<double>()[r];
        }
        REQUIRE(found.column("count").values<std::int64_t>()[g] == static_cast<std::int64_t>(at->second.size()));
        REQUIRE(found.column("i_sum").values<std::int64_t>()[g] == total);
        REQUIRE(found.column("i_last").values<std::int64_t>()[g] ==
                t.column("i").values<std::int64_t>()[at->second.back()]);
        REQUIRE(found.column("d_max").is_valid(g) == std::isfinite(most));
        if (std::isfinite(most)) REQUIRE(found.column("d_max").values<double>()[g] == most);
    }
}

}  // namespace

TEST_CASE("columns of every kind are keys, alone and together", "[frame][group_by]") {
    const table t = anything(400, 1, 7);
    for (const char* key : {"there", "small", "medium", "large", "days", "f", "name", "text", "wide"}) {
        INFO(key);
        same_sums(t, {key});
    }
    same_sums(t, {"small", "there"});
    same_sums(t, {"text", "name", "days"});
    same_sums(t, {"wide", "large", "f", "medium", "text", "days"});
    const table none = t.slice(0, 0);
    CHECK(none.group_by("text", "wide").agg(all_aggregates).rows() == 0);
}

TEST_CASE("many groups are found by sorting, and sorted rows by their runs", "[frame][group_by]") {
    const std::size_t rows = 300'000;
    ints k(rows), sorted(rows), v(rows);
    std::mt19937_64 random(3);
    for (std::size_t r = 0; r < rows; ++r) {
        v[r] = static_cast<std::int64_t>(r);
        k[r] = static_cast<std::int64_t>((r * 7919) % 290'000 * 1'000'003);  // nearly all different
        sorted[r] = static_cast<std::int64_t>(r) / 2 * 5'000'000'000;
    }
    const table t{{"k", column(k)}, {"s", column(sorted)}, {"v", column(v)}, {"x", column(floats(rows, 0.5))}};
    for (const int threads : {1, 3}) {
        const table g =
            t.group_by("k").agg({count(), sum("v"), sum("x"), median("v"), first("v")}, {.threads = threads});
        REQUIRE(g.rows() == 290'000);
        std::int64_t total = 0, twice = 0, ordered = 1;
        for (std::size_t r = 0; r < g.rows(); ++r) {
            total += g.column("v_sum").values<std::int64_t>()[r];
            twice += g.column("count").values<std::int64_t>()[r] == 2;
            ordered = ordered != 0 &&
                      g.column("x_sum").values<double>()[r] ==
                          0.5 * static_cast<double>(g.column("count").values<std::int64_t>()[r]) &&
                      (r == 0 || g.column("k").values<std::int64_t>()[r - 1] < g.column("k").values<std::int64_t>()[r]);
        }
        CHECK(total == static_cast<std::int64_t>(rows * (rows - 1) / 2));
        CHECK(twice == 10'000);
        CHECK(ordered == 1);
    }
    const grouping runs = t.group_by("s");
    CHECK(runs.groups() == rows / 2);
    CHECK(runs.ids()[1001] == 500);
    const grouping seen = t.group_by("k").ordered(group_order::first_seen);
    CHECK(seen.ids()[1001] == 1001);
    CHECK(seen.ids()[290'007] == 7);
}

TEST_CASE("groups come as they are first seen where that is asked for", "[frame][group_by]") {
    const table t{{"k", column(std::vector<std::string>{"b", "a", "b", "c", "a"})}, {"x", column(ints{1, 2, 3, 4, 5})}};
    const grouping by = t.group_by("k").ordered(group_order::first_seen);
    CHECK(to_csv(by.agg(sum("x"))) == "k,x_sum\nb,4\na,7\nc,4\n");
    CHECK(to_csv(by.keys()) == "k\nb\na\nc\n");
    CHECK(to_csv(by.collect("x")) == "k,x\nb,1\nb,3\na,2\na,5\nc,4\n");
    const group_rows rows = by.rows();
    REQUIRE(rows.groups() == 3);
    CHECK(std::vector<std::uint32_t>(rows[1].begin(), rows[1].end()) == std::vector<std::uint32_t>{1, 4});
}

TEST_CASE("values of chosen rows, lists of the best, and correlations", "[frame][group_by]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const table t{{"k", column(ints{1, 1, 1, 2, 2, 3})},
                  {"ts", column::timestamps({1, 2, 3, 4, 5, 6})},
                  {"ax", column(floats{3, 9, 9, nan, -1, nan})},
                  {"ay", column(floats{6, 18, 18, 1, 1, 1})},
                  {"s", column(std::vector<std::string>{"x", "y", "y", "z", "z", "w"})}};
    CHECK(to_csv(t.group_by("k").agg(arg_max("s", "ax"), arg_min("ay", "s"), corr("ax", "ay"), count("ax"))) ==
          "k,s_argmax@ax,ay_argmin@s,ax_corr@ay,ax_count\n1,y,6.0,1.0,3\n2,z,1.0,,1\n3,,1.0,,0\n");
    CHECK(to_csv(t.group_by("k").agg(largest("ax", 2), smallest("ay", 3).as("low"), count())) ==
          "k,ax_largest@2,low,count\n1,9.0,6.0,3\n1,9.0,18.0,3\n1,,18.0,3\n2,-1.0,1.0,2\n2,,1.0,2\n3,,1.0,1\n");
    CHECK(to_csv(t.group_by().agg(largest("ts", 1))) == "ts_largest@1\n1970-01-01T00:00:00.000000006Z\n");
    CHECK_THROWS_AS(largest("ax", 0), argument_error);
    CHECK_THROWS_AS(largest("ax", 1025), argument_error);
    CHECK_THROWS_AS(t.group_by("k").agg(largest("s", 1)), argument_error);
    CHECK_THROWS_AS(t.group_by("k").agg(corr("ax", "s")), argument_error);
    CHECK_THROWS_AS(t.group_by("k").agg(arg_max("ax", "none")), argument_error);
    for (const char* name : {"argmin@ax", "argmax@b@c", "largest@3", "smallest@1", "corr@y"})
        CHECK(aggregate_from_string(name, "x").function() == name);
    for (const char* name : {"argmin", "argmax@", "largest@0", "largest@x", "largest", "corr", "corr@"})
        CHECK_THROWS_AS(aggregate_from_string(name, "x"), argument_error);
}

TEST_CASE("sums of integers are those of their kind, and means are exact", "[frame][group_by]") {
    const std::uint64_t most = UINT64_MAX;
    const table t{{"u", column(std::vector<std::uint64_t>{most, most - 1})},
                  {"w", column(ints{INT64_MAX, INT64_MAX})},
                  {"n", column(ints{INT64_MIN, INT64_MIN})},
                  {"b", column(std::vector<std::uint8_t>{255, 254})}};
    const table g = t.group_by().agg(sum("u"), mean("u"), max("u"), mean("w"), mean("n"), sum("b"), nunique("u"));
    CHECK(g.column("u_sum").values<std::uint64_t>()[0] == most - 2);
    CHECK(g.column("u_mean").values<double>()[0] == 18446744073709551616.0);
    CHECK(g.column("u_max").values<std::uint64_t>()[0] == most);
    CHECK(g.column("w_mean").values<double>()[0] == 9223372036854775808.0);
    CHECK(g.column("n_mean").values<double>()[0] == -9223372036854775808.0);
    CHECK(g.column("b_sum").values<std::int64_t>()[0] == 509);
}

TEST_CASE("sums by keys of few numbers are what they are beside other aggregates", "[frame][group_by]") {
    const std::vector<aggregate> sums{count(), count("d"), mean("d"), sum("plain"), mean("f"), sum("g"), mean("g")};
    std::vector<aggregate> more = sums;
    more.push_back(first("plain"));
    std::vector<std::string> names{"k"};
    for (const aggregate& a : sums) names.push_back(a.result_name());
    const std::size_t rows = 70'000;
    const table values = values_here_and_there(rows);
    const auto check = [&]<class Key>(const std::vector<Key>& keys) {
        const table t = values.with("k", column(keys));
        const table one = t.group_by("k").agg(sums, {.threads = 1});
        INFO(to_string(t.column("k").kind()) << " " << keys.front());
        CHECK(to_csv(one) == to_csv(t.group_by("k").agg(more).select(names)));
        CHECK(to_csv(one) == to_csv(t.group_by("k").agg(sums, {.threads = 3})));
    };
    const auto keys_from = [&]<class Key>(Key least, std::size_t span) {
        std::vector<Key> keys(rows);
        for (std::size_t r = 0; r < rows; ++r) keys[r] = static_cast<Key>(least + static_cast<Key>(r * 7919 % span));
        return keys;
    };
    check(keys_from(std::uint32_t{100}, 1'700));
    check(keys_from(std::int64_t{-20}, 30));
    const auto check_ends = [&]<class Key>(Key) {
        using limits = std::numeric_limits<Key>;
        constexpr Key middle = limits::max() / 2;
        constexpr Key last = limits::max() - 9;
        for (const auto& [least, far] : std::vector<std::pair<Key, Key>>{{limits::min(), limits::min()},
                                                                         {limits::min(), limits::max()},
                                                                         {last, last},
                                                                         {last, limits::min()},
                                                                         {middle, middle + 2'100},
                                                                         {middle, limits::min()}}) {
            std::vector<Key> keys = keys_from(least, 10);
            keys[rows / 8 + 77] = far;  // not among those from which the rest is guessed
            check(keys);
        }
    };
    check_ends(std::int32_t{});
    check_ends(std::uint64_t{});

    const grouping by =
        values.with("k", column(keys_from(std::int32_t{-5}, 12))).group_by("k").ordered(group_order::first_seen);
    CHECK(to_csv(by.agg(sums)) == to_csv(by.agg(more).select(names)));
    CHECK(by.groups() == 12);
    CHECK(by.ids()[0] == 0);
}

TEST_CASE("sums of floats are exact to one rounding, however the values lie", "[frame][group_by]") {
    const auto rows = std::size_t{150'000};
    std::mt19937_64 random(11);
    // Of each way, values that are whole multiples of 2^-50, and their exact sums in groups of three.
    const auto check = [&](auto&& value) {
        ints group(rows);
        floats x(rows);
        std::vector<int128> exact(3);
        for (std::size_t i = 0; i < rows; ++i) {
            group[i] = static_cast<std::int64_t>(random() % 3);
            x[i] = value(i);
            exact[static_cast<std::size_t>(group[i])] += static_cast<int128>(std::ldexp(x[i], 50));
        }
        const table t{{"k", column(group)}, {"x", column(x)}};
        const table one = t.group_by("k").agg({sum("x"), mean("x")}, {.threads = 1});
        const table three = t.group_by("k").agg({sum("x"), mean("x")}, {.threads = 3});
        for (std::size_t g = 0; g < 3; ++g) {
            const double sum = one.column("x_sum").values<double>()[g];
            CHECK(sum == std::ldexp(static_cast<double>(exact[g]), -50));
            CHECK(three.column("x_sum").values<double>()[g] == sum);
            CHECK(three.column("x_mean").values<double>()[g] == one.column("x_mean").values<double>()[g]);
        }
    };
    const auto whole = [&](std::uint64_t below) { return static_cast<double>(random() % below); };
    const auto sign = [](std::size_t i) { return i % 2 == 0 ? 1.0 : -1.0; };
    check([&](std::size_t) { return whole(1'000'000) / 1'048'576; });               // all alike
    check([&](std::size_t i) { return sign(i) * whole(std::uint64_t{1} << 52); });  // they nearly cancel
    check([&](std::size_t i) { return sign(i / 3) * std::ldexp(whole(1 << 20) + 0.5, static_cast<int>(i / 5'000)); });
    check([&](std::size_t i) {
        return sign(i / 3) * std::ldexp(whole(1 << 20) + 0.5, 30 - static_cast<int>(i / 5'000));
    });
    check([&](std::size_t i) { return i % 700 == 0 ? sign(i) * 0x1p52 : 0x1p-40; });  // far apart in a block
    check([&](std::size_t i) { return i % 5'000 < 2'500 ? 0.0 : sign(i) * std::ldexp(whole(1 << 30) + 1, -50); });
}

TEST_CASE("sums of more values than two parts of a number hold are exact to one rounding", "[frame][group_by]") {
    using namespace edge::frame::detail;
    std::mt19937_64 random(12);
    float_sum_state state;
    state.resize(1);
    state.expect_rows();
    int128 exact = 0;
    const std::vector<std::uint32_t> slots(row_block::most);
    floats x(row_block::most);
    for (int block = 0; block < 100; ++block) {  // 200,000 values
        for (double& value : x) {
            const auto bits = static_cast<std::int64_t>((std::uint64_t{1} << 53) - random() % (1 << 20) - 1);
            value = std::ldexp(static_cast<double>(bits), -52);
            exact += bits;
        }
        const row_block rows{0, nullptr, x.size(), slots.data()};
        const value_block values{x.size(), slots.data(), nullptr, x.data(), nullptr, nullptr};
        state.add({rows, values});
    }
    state.settle();
    CHECK(state[0].value() == std::ldexp(static_cast<double>(exact), -52));
}

TEST_CASE("sums of floats far apart and of both signs are exact to one rounding", "[frame][group_by]") {
    const std::size_t rows = 400'000;  // of one group so many that it is joined several times
    std::mt19937_64 random(17);
    const auto check = [&](int apart, auto&& value) {
        using T = decltype(value(0));
        constexpr int unit = std::numeric_limits<T>::digits - 1;
        std::vector<std::int32_t> group(rows);
        std::vector<T> x(rows);
        std::vector<int128> exact(5);
        std::vector<std::int64_t> counts(5);
        for (std::size_t i = 0; i < rows; ++i) {
            group[i] = i % 4 != 0 ? 0 : static_cast<std::int32_t>(random() % 4) + 1;
            // Of group 1 all negative, of 2 positive, of 3 and 4 both; of 4 there are only the least ones.
            const int exponent = group[i] == 4 ? 0 : static_cast<int>(random() % static_cast<unsigned>(apart + 1));
            x[i] = std::ldexp(value(random()), exponent);
            if (group[i] == 1 || (group[i] != 2 && random() % 2 == 0)) x[i] = -x[i];
            const auto g = static_cast<std::size_t>(group[i]);
            exact[g] += static_cast<int128>(std::ldexp(static_cast<double>(x[i]), unit));
            counts[g] += 1;
        }
        const table t{{"k", column(group)}, {"x", column(x)}};
        for (const int threads : {1, 3}) {
            const table sums = t.group_by("k").agg({count(), sum("x"), mean("x")}, {.threads = threads});
            for (std::size_t g = 0; g < 5; ++g) {
                INFO("exponents " << apart << " apart, group " << g);
                const double expected = std::ldexp(static_cast<double>(exact[g]), -unit);
                CHECK(sums.column("count").template values<std::int64_t>()[g] == counts[g]);
                CHECK(cell_text(sums.column("x_sum"), g) == cell_text(column(floats{expected}), 0));
                CHECK(sums.column("x_mean").template values<double>()[g] == expected / static_cast<double>(counts[g]));
            }
        }
    };
    // In [1, 2), the last bit set or any.
    const auto number = [](std::uint64_t bits) {
        return std::ldexp(static_cast<double>((bits >> 12 | std::uint64_t{1} << 52) | 1), -52);
    };
    const auto small_number = [](std::uint64_t bits) {
        return std::ldexp(static_cast<float>((bits >> 41 | std::uint64_t{1} << 23) | 1), -23);
    };
    for (const int apart : {0, 25, 26, 27, 40}) check(apart, number);
    for (const int apart : {0, 26, 54, 55, 56, 70}) check(apart, small_number);
    check(0, [](std::uint64_t) { return 2 - 0x1p-52; });  // the greatest there are
    check(3, [](std::uint64_t) { return 1 + 0x1p-30; });  // upper parts are rounded to even
}

TEST_CASE("infinite and tiny values and zeros add up as they do one by one", "[frame][group_by]") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    constexpr double tiny = std::numeric_limits<double>::denorm_min();
    const auto sums_of = [](const floats& x) {
        ints group;
        for (std::size_t i = 0; i < x.size(); ++i) group.push_back(static_cast<std::int64_t>(i % 2));
        const column sums = table{{"k", column(group)}, {"x", column(x)}}.group_by("k").agg(sum("x")).column("x_sum");
        return floats(sums.values<double>().begin(), sums.values<double>().end());
    };
    CHECK(sums_of({infinity, 1, 2, 3, 4, 5}) == floats{infinity, 9});
    CHECK(sums_of({1e308, -1, 1e308, -2, 1, -3}) == floats{infinity, -6});
    CHECK(sums_of({tiny, 1e-300, 2 * tiny, 1e-300}) == floats{3 * tiny, 2e-300});
    CHECK(sums_of({0, 0, 0, 0}) == floats{0, 0});
    const floats none = sums_of({infinity, 1, -infinity, 1});
    CHECK(none[0] != none[0]);
    CHECK(none[1] == 2);
}

TEST_CASE("a stream gives what its rows give as a table, for all aggregates and keys", "[frame][group_accumulator]") {
    const table t = anything(3000, 5, 9);
    std::vector<aggregate> wanted = all_aggregates;
    wanted.push_back(largest("d", 2));
    for (const std::vector<std::string>& keys :
         std::vector<std::vector<std::string>>{{"text"}, {"name", "small", "f"}, {"wide"}, {}}) {
        const table expected = t.group_by(keys).agg(wanted);
        group_accumulator acc(keys, wanted);
        for (std::size_t r = 0; r < t.rows(); r += 700)
            acc.update(t.slice(r, (std::min)(t.rows() - r, std::size_t{700})));
        same(acc.finish(), expected);
        same(group_accumulator::from_bytes(acc.bytes()).finish(), expected);
    }
    // Sums of the parts are rounded apart, so only what is exact is compared.
    std::vector<aggregate> exact;
    for (const aggregate& a : wanted)
        if (a.what != statistic::corr && a.what != statistic::std && a.what != statistic::var) exact.push_back(a);
    group_accumulator a({"name", "small"}, exact), b({"name", "small"}, exact);
    a.update(t.slice(0, 1000));
    b.update(t.slice(1000, 2000));
    group_accumulator restored = group_accumulator::from_bytes(b.bytes());
    a.merge(restored);
    CHECK(a.rows() == 3000);
    same(a.finish(), t.group_by("name", "small").agg(exact));
}

TEST_CASE("a stream of nearly as many groups as rows", "[frame][group_accumulator]") {
    const table t = anything(6000, 11, 3000);
    std::vector<aggregate> wanted;  // what needs no row of its chunk, and is not rounded
    for (const aggregate& a : all_aggregates)
        if (a.what <= statistic::nunique && a.what != statistic::std && a.what != statistic::var &&
            a.what != statistic::first && a.what != statistic::last && a.column != "text" && a.column != "name")
            wanted.push_back(a);
    wanted.push_back(nunique("name"));
    wanted.push_back(largest("d", 2));
    REQUIRE(wanted.size() > 15);
    for (const std::vector<std::string>& keys : std::vector<std::vector<std::string>>{
             {"text"}, {"name"}, {"days"}, {"large"}, {"f"}, {"there", "name", "i"}}) {
        INFO(keys.front());
        group_accumulator acc(keys, wanted);
        for (const std::size_t part : {0U, 1U, 2U}) {  // a chunk each
            acc.update(t.slice(part * 2000, 2000), {.threads = 2});
            acc = group_accumulator::from_bytes(acc.bytes());
        }
        same(acc.finish(), t.group_by(keys).agg(wanted));
    }
}

TEST_CASE("keys of strings are numbered as they first come, whatever the numbers of their texts",
          "[frame][group_accumulator]") {
    using texts = std::vector<std::string>;  // "-": missing
    const std::vector<std::vector<texts>> streams{
        {{"b", "a", "b"}, {"a", "b"}, {"c", "a", "d"}, {"d", "b"}},  // as the texts
        {{"b", "a"}, {"a", "-", "b"}, {"c", "-"}, {"b", "c", "a"}},  // after a missing one they are not
        {{"-", "a"}, {"b", "a"}, {"b", "a"}},
        {{"a", "b"}, {"b", "another text, a long one", "a", "b", "e"}, {"another text, a long one", "e", "b"}},
    };
    for (const auto& stream : streams)
        for (const bool encoded : {false, true}) {
            detail::stored_keys keys({kind::string});
            std::map<std::string, std::uint32_t> expected;
            for (const texts& batch : stream) {
                texts words{"not used", "nor this"};
                words.insert(words.end(), batch.begin(), batch.end());
                std::vector<bool> valid;
                for (const std::string& word : words) valid.push_back(word != "-");
                column c(words, valid);
                if (encoded) c = dictionary_encoded(c);
                c = c.slice(2, batch.size());
                const std::vector<column> numbered{keys.numbered(0, c, {.threads = 1})};
                const auto found = keys.insert(numbered, batch.size(), {.threads = 1});
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    const auto number = expected.emplace(batch[i], static_cast<std::uint32_t>(expected.size())).first;
                    CHECK(found[i] == number->second);
                }
            }
            CHECK(keys.size() == expected.size());
        }
}

TEST_CASE("an index of texts tells apart what has the same bytes but for its length", "[frame][group_accumulator]") {
    std::vector<std::string> texts;
    for (std::size_t size = 0; size < 40; ++size)
        for (const char c : {'\0', 'a', '\x7F', '\xFF'}) {
            texts.push_back(std::string(size, c));
            for (std::size_t at = 0; at < size; at += 3) {
                texts.push_back(std::string(size, c));
                texts.back()[at] = 'b';
            }
        }
    detail::text_index index;
    const auto known = [&](std::uint32_t number) { return std::string_view(texts[number]); };
    std::map<std::string, std::uint32_t> expected;
    std::vector<std::string> different;
    for (const std::string& t : texts)
        if (expected.emplace(t, static_cast<std::uint32_t>(different.size())).second) different.push_back(t);
    texts = different;
    for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(index.insert(texts[i], known) == i);
    REQUIRE(index.size() == texts.size());
    std::vector<std::string> asked;
    for (const std::string& t : texts) {
        asked.push_back(t);
        asked.push_back(t + "?");
    }
    std::vector<std::uint32_t> found(asked.size());
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{31}, std::size_t{33}, asked.size() - 7}) {
        index.find(
            7, 7 + count, [&](std::size_t i) { return std::string_view(asked[i]); }, known, found.data());
        for (std::size_t i = 0; i < count; ++i) {
            const auto it = expected.find(asked[7 + i]);
            REQUIRE(found[i] == (it == expected.end() ? detail::text_index::none : it->second));
        }
    }
    const detail::text_index copy = index;
    copy.find(
        0, asked.size(), [&](std::size_t i) { return std::string_view(asked[i]); }, known, found.data());
    CHECK(found[asked.size() - 2] == texts.size() - 1);
}

TEST_CASE("a stream longer than its chunks", "[frame][group_accumulator]") {
    const std::size_t rows = (std::size_t{1} << 20) + 5000;
    std::vector<std::int32_t> k(rows);
    ints v(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        k[r] = static_cast<std::int32_t>(r % 1000 * (r % 3));
        v[r] = static_cast<std::int64_t>(r * 31 % 10007);
    }
    const table t{{"k", column(k)}, {"v", column(v)}};
    const std::vector<aggregate> wanted{count(),   sum("v"),          max("v"),       first("v"),
                                        last("v"), arg_max("k", "v"), largest("v", 1)};
    const table expected = t.group_by("k").agg(wanted);
    group_accumulator acc("k", wanted);
    for (std::size_t r = 0; r < rows; r += 400'000)
        acc.update(t.slice(r, (std::min)(rows - r, std::size_t{400'000})), {.threads = 2});
    same(acc.finish(), expected);
}

TEST_CASE("bytes that are not an accumulator's are refused", "[frame][group_accumulator]") {
    const table t = anything(60, 8, 4);
    group_accumulator acc({"name", "small"},
                          {mean("d"), arg_max("text", "name"), nunique("text"), median("d"), largest("i", 2)});
    acc.update(t);
    const std::vector<std::byte> good = acc.bytes();
    std::mt19937 random(9);
    std::size_t refused = 0;
    for (std::size_t i = 0; i < 400; ++i) {
        std::vector<std::byte> bad = good;
        if (i % 2 == 0)
            bad.resize(random() % good.size());
        else
            for (int n = 0; n < 3; ++n) bad[random() % bad.size()] ^= static_cast<std::byte>(1 << random() % 8);
        try {
            (void)group_accumulator::from_bytes(bad).finish();
        } catch (const edge::error&) {
            ++refused;
        }
    }
    CHECK(refused >= 200);  // all that end too soon
    CHECK_THROWS_AS(group_accumulator::from_bytes({}), edge::parse_error);
}
