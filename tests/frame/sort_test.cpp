// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>
#include <edge/frame/dictionary.hpp>
#include <edge/frame/sort.hpp>
#include <edge/frame/unique.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <limits>
#include <numeric>
#include <random>

using namespace edge::frame;
using edge::argument_error;

namespace {

using ints = std::vector<std::int64_t>;
using rows_list = std::vector<std::size_t>;

/// Columns that are hard to sort: extremes, ties, long and short strings, missing values.
table hard(std::size_t rows, unsigned seed, bool some_missing) {
    std::mt19937_64 random(seed);
    const double inf = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> reals{0.0, -0.0, inf, -inf, nan, 5e-324, -1e308, 1, 1.5};
    const ints wholes{INT64_MIN, INT64_MAX, 0, -1, 1};
    const std::vector<std::string> words{
        "", "a", "ab", std::string("a\0", 2), "sensor_0001", "sensor_0002", "sensor_00010", "ÿ", "b"};
    std::vector<double> real(rows);
    ints whole(rows);
    std::vector<std::uint64_t> u(rows);
    std::vector<std::int8_t> few(rows);
    std::vector<float> single(rows);
    std::vector<std::string> text(rows);
    std::vector<bool> flag(rows), there(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        real[r] =
            random() % 2 == 0 ? reals[random() % reals.size()] : std::ldexp(static_cast<double>(random() % 100), -5);
        whole[r] = random() % 2 == 0 ? wholes[random() % wholes.size()] : static_cast<std::int64_t>(random());
        u[r] = random() % 3 == 0 ? ~std::uint64_t{0} : random() % 3;
        few[r] = static_cast<std::int8_t>(random() % 5 - 2);
        single[r] = static_cast<float>(random() % 7) - 3.5F;
        text[r] = words[random() % words.size()];
        flag[r] = random() % 2 != 0;
        there[r] = !some_missing || random() % 4 != 0;
    }
    const column words_column(text, there);
    return {{"real", column(real, there)}, {"whole", column(whole, there)},
            {"u", column(u, there)},       {"few", column(few)},
            {"single", column(single)},    {"text", words_column},
            {"flag", column(flag, there)}, {"code", dictionary_encoded(words_column)}};
}

/// -1, 0, 1 as the row comes before, with or after the other; missing and NaN last in both directions, or first.
int compared(const column& c, std::size_t a, std::size_t b, bool descending, bool nulls_first) {
    const auto missing = [&](std::size_t r) {
        if (!c.is_valid(r)) return true;
        return is_float(c.kind()) &&
               dispatch_stored(c.kind(), [&]<class T>() { return std::isnan(static_cast<double>(c.values<T>()[r])); });
    };
    if (missing(a) || missing(b)) return missing(a) == missing(b) ? 0 : missing(b) != nulls_first ? -1 : 1;
    const auto sign = [&](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
    const int order =
        c.kind() == kind::string ? sign(c.text(a), c.text(b))
        : c.kind() == kind::boolean
            ? sign(c.boolean(a), c.boolean(b))
            : dispatch_stored(c.kind(), [&]<class T>() { return sign(c.values<T>()[a], c.values<T>()[b]); });
    return descending ? -order : order;
}

rows_list sorted_slowly(const table& t, const std::vector<sort_key>& keys) {
    rows_list rows(t.rows());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
        for (const sort_key& k : keys)
            if (const int c = compared(t.column(k.column), a, b, k.order == order::descending, k.nulls == nulls::first))
                return c < 0;
        return false;
    });
    return rows;
}

}  // namespace

TEST_CASE("rows sort as a stable sort that compares them does", "[frame][sort]") {
    const std::vector<std::vector<sort_key>> all{{{"real"}},
                                                 {{"real", order::descending}},
                                                 {{"whole"}},
                                                 {{"whole", order::descending}},
                                                 {{"u"}},
                                                 {{"text"}},
                                                 {{"text", order::descending}},
                                                 {{"code"}, {"few"}},
                                                 {{"flag"}, {"single", order::descending}},
                                                 {{"few"}, {"real"}},
                                                 {{"u", order::descending}, {"whole"}, {"real"}},
                                                 {{"few"}, {"text", order::descending}, {"whole"}, {"flag"}, {"u"}},
                                                 {{"single"}, {"few", order::descending}},
                                                 {{"real", order::ascending, nulls::first}},
                                                 {{"text", order::descending, nulls::first}},
                                                 {{"u", order::ascending, nulls::first}, {"whole"}},
                                                 {"few", {"whole", order::descending, nulls::first}, "code"}};
    for (const std::size_t rows : {0U, 1U, 2U, 23U, 24U, 25U, 100U, 3000U})
        for (const bool missing : {false, true}) {
            const table t = hard(rows, static_cast<unsigned>(rows) + 1, missing);
            for (const auto& keys : all) {
                const rows_list expected = sorted_slowly(t, keys);
                REQUIRE(sorted_rows(t, keys) == expected);
                if (rows == 3000)
                    REQUIRE(to_csv(sort(t.head(100), keys)) ==
                            to_csv(take(t.head(100), sorted_slowly(t.head(100), keys))));
                for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{40}})
                    REQUIRE(to_csv(top(t, keys, n)) == to_csv(take(t, expected).head(n)));
            }
        }
}

TEST_CASE("many rows sort the same with any number of threads, and in many passes", "[frame][sort]") {
    std::mt19937_64 random(4);
    const std::size_t rows = 70000;
    ints few(rows), wide(rows);
    std::vector<double> real(rows);
    std::normal_distribution<double> normal;
    for (std::size_t r = 0; r < rows; ++r) {
        few[r] = static_cast<std::int64_t>(random() % 3);
        wide[r] = random() % 100 == 0 ? static_cast<std::int64_t>(random()) : 7;
        real[r] = normal(random);
    }
    const table t{{"few", column(few)}, {"wide", column(wide)}, {"real", column(real)}};
    for (const std::vector<sort_key>& keys : {std::vector<sort_key>{{"few"}},
                                              {{"few"}, {"real"}},
                                              {{"wide"}, {"few"}},
                                              {{"wide"}, {"real", order::descending}}}) {
        const rows_list expected = sorted_slowly(t, keys);
        for (const int threads : {1, 2, 5}) REQUIRE(sorted_rows(t, keys, {.threads = threads}) == expected);
        REQUIRE(to_csv(sort(t, keys, {.threads = 2})) == to_csv(take(t, expected)));
    }
}

TEST_CASE("a key to sort by may be no more than a name", "[frame][sort]") {
    const table t{{"k", column(ints{2, 1, 2})}, {"v", column(ints{4, 3, 1})}};
    const std::string name = "k";
    const auto rows = [](const table& sorted) { return to_csv(sorted.select("v")); };
    for (const table& sorted : {sort(t, "k"), sort(t, name), sort(t, {"k"}), sort(t, {name}), sort(t, {{"k"}})})
        CHECK(rows(sorted) == "v\n3\n4\n1\n");
    for (const table& sorted :
         {sort(t, {"k", "v"}), sort(t, {name, "v"}), sort(t, {{"k"}, {"v"}}), sort(t, {"k", {"v"}})})
        CHECK(rows(sorted) == "v\n3\n1\n4\n");
    CHECK(rows(sort(t, {"k", order::descending})) == "v\n4\n1\n3\n");
    CHECK(rows(top(t, "v", 1)) == "v\n1\n");
}

TEST_CASE("a sorted table is not copied", "[frame][sort]") {
    const table t{{"k", column(ints{1, 2, 2, 5})}, {"v", column(ints{4, 3, 2, 1})}};
    CHECK(sort(t, {{"k"}}).column("v").values<std::int64_t>().data() == t.column("v").values<std::int64_t>().data());
    CHECK_THROWS_AS(top(t, {{"none"}}, 1), argument_error);
}

TEST_CASE("rows of every kind are taken, also on several threads, and none is missing", "[frame][take]") {
    const table t = hard(900, 2, true);
    std::mt19937_64 random(3);
    for (const bool some_none : {false, true}) {
        rows_list rows(40000);
        for (std::size_t& r : rows) r = some_none && random() % 5 == 0 ? no_row : random() % t.rows();
        const table taken = take(t, rows, {.threads = 3});
        for (const std::string& name : t.names()) {
            const column& from = t.column(name);
            const column& to = taken.column(name);
            bool same = from.kind() == to.kind() && from.is_dictionary() == to.is_dictionary();
            for (std::size_t i = 0; same && i < rows.size(); ++i) {
                const bool there = rows[i] != no_row && from.is_valid(rows[i]);
                same = there == to.is_valid(i);
                if (!there || !same) continue;
                if (from.kind() == kind::string)
                    same = from.text(rows[i]) == to.text(i);
                else if (from.kind() == kind::boolean)
                    same = from.boolean(rows[i]) == to.boolean(i);
                else
                    same = std::equal(from.raw_values() + rows[i] * value_bytes(from.kind()),
                                      from.raw_values() + (rows[i] + 1) * value_bytes(from.kind()),
                                      to.raw_values() + i * value_bytes(from.kind()));
            }
            CHECK(same);
        }
    }
}

TEST_CASE("unique keeps the first, the last, or what appears once, in order", "[frame][unique]") {
    const table t{{"k", column(ints{3, 1, 0, 3, 2, 0, 1}, {true, true, false, true, true, false, true})},
                  {"x", column(std::vector<double>{1, 2, 3, 4, 5, 6, 7})}};
    const auto rows = [&](const key_names& keys, keep which) { return to_csv(unique(t, keys, which)); };
    CHECK(rows("k", keep::first) == "k,x\n3,1.0\n1,2.0\n,3.0\n2,5.0\n");
    CHECK(rows("k", keep::last) == "k,x\n3,4.0\n2,5.0\n,6.0\n1,7.0\n");
    CHECK(rows("k", keep::none) == "k,x\n2,5.0\n");
    CHECK(unique(t).rows() == 7);
    CHECK(unique(t.head(0), "k").rows() == 0);
    CHECK_THROWS_AS(unique(t, "none"), argument_error);
    CHECK(to_csv(value_counts(t, "k")) == "k,count\n3,2\n1,2\n,2\n2,1\n");
}
