// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>
#include <edge/frame/dictionary.hpp>
#include <edge/frame/join.hpp>
#include <edge/frame/join_asof.hpp>

#include "support/catch.hpp"
#include "support/raised.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <random>

using namespace edge::frame;
using edge::argument_error;

namespace {

using ints = std::vector<std::int64_t>;
using texts = std::vector<std::string>;

table keyed(std::size_t rows, unsigned seed, const std::string& value) {
    std::mt19937_64 random(seed);
    ints number(rows), row(rows);
    std::vector<double> real(rows);
    texts text(rows);
    std::vector<bool> there(rows), text_there(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        number[r] = random() % 5 == 0 ? INT64_MIN : static_cast<std::int64_t>(random() % 6);
        real[r] =
            random() % 6 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(random() % 4) - 0.0;
        text[r] = std::string(random() % 3, 'x');
        there[r] = random() % 7 != 0;
        text_there[r] = random() % 7 != 0;
        row[r] = static_cast<std::int64_t>(r);
    }
    return {{"n", column(number, there)}, {"x", column(real)}, {"s", column(text, text_there)}, {value, column(row)}};
}

/// Whether the keys are there and equal.
bool equal(const table& a, std::size_t i, const table& b, std::size_t k, const texts& keys) {
    for (const std::string& key : keys) {
        const column& x = a.column(key);
        const column& y = b.column(key);
        if (!x.is_valid(i) || !y.is_valid(k)) return false;
        if (x.kind() == kind::string    ? x.text(i) != y.text(k)
            : x.kind() == kind::float64 ? !(x.values<double>()[i] == y.values<double>()[k])
                                        : x.values<std::int64_t>()[i] != y.values<std::int64_t>()[k])
            return false;
    }
    return true;
}

using pair = std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>>;

std::vector<pair> pairs_of(const table& joined) {
    std::vector<pair> pairs(joined.rows());
    for (std::size_t r = 0; r < joined.rows(); ++r) {
        const auto at = [&](const char* name) -> std::optional<std::int64_t> {
            if (!joined.has(name) || !joined.column(name).is_valid(r)) return std::nullopt;
            return joined.column(name).values<std::int64_t>()[r];
        };
        pairs[r] = {at("l"), at("r")};
    }
    return pairs;
}

}  // namespace

TEST_CASE("a join finds what comparing all rows with all finds, in their order", "[frame][join]") {
    for (const texts& keys : {texts{"n"}, texts{"x"}, texts{"s"}, texts{"s", "n"}, texts{"n", "x", "s"}}) {
        for (const std::size_t rows : {0U, 1U, 60U}) {
            const table left = keyed(rows, 3, "l");
            const table right = keyed(rows == 1 ? 40 : rows / 2 + 7, 4, "r");
            std::vector<pair> inner, outer, full, semi, anti;
            std::vector<bool> found(right.rows());
            for (std::size_t i = 0; i < left.rows(); ++i) {
                const auto l = static_cast<std::int64_t>(i);
                bool any = false;
                for (std::size_t k = 0; k < right.rows(); ++k) {
                    if (!equal(left, i, right, k, keys)) continue;
                    any = found[k] = true;
                    inner.emplace_back(l, static_cast<std::int64_t>(k));
                    outer.push_back(inner.back());
                }
                if (!any) outer.emplace_back(l, std::nullopt);
                (any ? semi : anti).emplace_back(l, std::nullopt);
            }
            full = outer;
            for (std::size_t k = 0; k < right.rows(); ++k)
                if (!found[k]) full.emplace_back(std::nullopt, static_cast<std::int64_t>(k));
            for (const int threads : {1, 3}) {
                const auto joined = [&](join_how how, const table& l, const table& r) {
                    return pairs_of(join(l, r, {.on = keys, .how = how, .threads = {.threads = threads}}));
                };
                CHECK(joined(join_how::inner, left, right) == inner);
                CHECK(joined(join_how::left, left, right) == outer);
                CHECK(joined(join_how::full, left, right) == full);
                CHECK(joined(join_how::semi, left, right) == semi);
                CHECK(joined(join_how::anti, left, right) == anti);
            }
        }
    }
}

TEST_CASE("a join of many rows is the same for any number of threads", "[frame][join]") {
    const table left = keyed(40000, 5, "l").select("n", "s", "l");
    table right = keyed(200, 6, "r").select("n", "s", "r");
    const table one = join(left, right, {.on = {"n", "s"}, .how = join_how::full, .threads = {.threads = 1}});
    CHECK(one.rows() > 100000);
    CHECK(to_csv(join(left, right, {.on = {"n", "s"}, .how = join_how::full, .threads = {.threads = 4}})) ==
          to_csv(one));
}

TEST_CASE("a joined table has the left columns and the right ones, keys of both where it is full", "[frame][join]") {
    const table left{{"k", column(ints{1, 2, 3})}, {"v", column(texts{"a", "b", "c"})}};
    const table right{{"v", column(texts{"x", "y"})}, {"k", column(std::vector<std::int32_t>{3, 9})}};
    CHECK(to_csv(join(left, right, {.on = "k"})) == "k,v,v_right\n3,c,x\n");
    CHECK(to_csv(join(left, right, {.on = "k", .how = join_how::full, .suffix = "2"})) ==
          "k,v,v2\n1,a,\n2,b,\n3,c,x\n9,,y\n");
    CHECK(to_csv(join(left, right, {.on = "k", .how = join_how::anti})) == "k,v\n1,a\n2,b\n");
    CHECK_THROWS_AS(join(left, right, {}), argument_error);
    CHECK_THROWS_AS(join(left, right, {.on = "none"}), argument_error);
    CHECK_THROWS_AS(join(left, right, {.on = "k", .suffix = ""}), argument_error);
    CHECK_THROWS_AS(join(left, table{{"k", column(texts{"1"})}}, {.on = "k"}), argument_error);
}

TEST_CASE("keys may have other names in the right table, and keep the left ones", "[frame][join]") {
    const table left{
        {"sensor", column(ints{1, 2, 3})}, {"v", column(texts{"a", "b", "c"})}, {"id", column(ints{7, 8, 9})}};
    const table right{{"v", column(texts{"x", "y"})},
                      {"id", column(std::vector<std::int32_t>{3, 9})},
                      {"sensor", column(texts{"p", "q"})}};  // no key, though one of the left has its name
    const auto joined = [&](join_how how) {
        return to_csv(join(left, right, {.on = "sensor", .right_on = "id", .how = how}));
    };
    const std::string names = "sensor,v,id,v_right,sensor_right\n";
    CHECK(joined(join_how::inner) == names + "3,c,9,x,p\n");
    CHECK(joined(join_how::left) == names + "1,a,7,,\n2,b,8,,\n3,c,9,x,p\n");
    CHECK(joined(join_how::full) == names + "1,a,7,,\n2,b,8,,\n3,c,9,x,p\n9,,,y,q\n");
    CHECK(joined(join_how::semi) == "sensor,v,id\n3,c,9\n");
    CHECK(joined(join_how::anti) == "sensor,v,id\n1,a,7\n2,b,8\n");

    const table many = keyed(60, 7, "l");
    const table by_name = keyed(40, 8, "r");
    const table other = by_name.rename("n", "number").rename("s", "n").rename("x", "s");  // swapped, even
    for (const join_how how : {join_how::inner, join_how::left, join_how::full, join_how::semi, join_how::anti})
        CHECK(to_csv(join(many, other.select("n", "number", "r"),
                          {.on = {"n", "s"}, .right_on = {"number", "n"}, .how = how})) ==
              to_csv(join(many, by_name.select("n", "s", "r"), {.on = {"n", "s"}, .how = how})));
}

TEST_CASE("a join says which key of which table does not do", "[frame][join]") {
    const table left{{"site", column(ints{1})}, {"ts", column(ints{1})}};
    const table right{{"place", column(texts{"1"})}, {"at", column::timestamps(ints{1})}, {"n", column(ints{1})}};
    const auto said = [&](const join_options& o) {
        return raised<argument_error>([&] { (void)join(left, right, o); });
    };
    const auto asof_said = [&](const asof_options& o) {
        return raised<argument_error>([&] { (void)join_asof(left, right, o); });
    };
    CHECK(said({.on = {"site", "ts"}, .right_on = "place"}) == "right_on of length 1; expected 2 as on");
    CHECK(said({.right_on = "place"}) == "a join on no column; expected one or more");
    CHECK(said({.on = "site"}) == "the right table has no column 'site'; there are: place, at, n");
    CHECK(said({.on = "place", .right_on = "n"}) == "the left table has no column 'place'; there are: site, ts");
    CHECK(said({.on = "site", .right_on = "site"}) == "the right table has no column 'site'; there are: place, at, n");
    CHECK(said({.on = {"ts", "site"}, .right_on = {"n", "place"}}) ==
          "'site' of the left table is of int64, 'place' of the right one of string; expected kinds that compare");
    CHECK(asof_said({.on = "ts"}) == "the right table has no column 'ts'; there are: place, at, n");
    CHECK(asof_said({.on = "ts", .right_on = "place"}) == "on 'place' of string; expected numbers or times");
    CHECK(asof_said({.on = "ts", .right_on = "at"}) ==
          "'ts' of the left table is of int64, 'at' of the right one of timestamp; expected kinds that compare");
    CHECK(asof_said({.on = "ts", .right_on = "n", .by = "site"}) ==
          "the right table has no column 'site'; there are: place, at, n");
    CHECK(asof_said({.on = "ts", .right_on = "n", .right_by = "place"}) == "right_by of length 1; expected 0 as by");
    CHECK(asof_said({.on = "ts", .right_on = "n", .by = "site", .right_by = "place"}) ==
          "'site' of the left table is of int64, 'place' of the right one of string; expected kinds that compare");
}

TEST_CASE("an as-of join drops the right table's times and keys, whatever they are called", "[frame][join_asof]") {
    const table imu{{"ts", column(ints{1, 5, 9})}, {"car", column(ints{1, 2, 1})}, {"fix", column(ints{7, 8, 9})}};
    const table gnss{{"fix", column(ints{0, 4, 6})},
                     {"id", column(ints{1, 2, 1})},
                     {"ts", column(texts{"x", "y", "z"})},
                     {"lat", column(ints{10, 20, 30})}};
    CHECK(to_csv(join_asof(imu, gnss, {.on = "ts", .right_on = "fix", .by = "car", .right_by = "id"})) ==
          "ts,car,fix,ts_right,lat\n1,1,7,x,10\n5,2,8,y,20\n9,1,9,z,30\n");
    CHECK(
        to_csv(join_asof(imu, gnss.with("at", gnss.column("fix")), {.on = "ts", .right_on = "fix", .tolerance = 1})) ==
        "ts,car,fix,id,ts_right,lat,at\n1,1,7,1,x,10,0\n5,2,8,2,y,20,4\n9,1,9,,,,\n");
}

TEST_CASE("strings of different dictionaries join by their text", "[frame][join]") {
    const column a(texts{"red", "green", "red", "blue"});
    const column b(texts{"blue", "black", "red"});
    const std::string expected = "c,l,r\nred,0,2\nred,2,2\nblue,3,0\n";
    for (const column& l : {a, dictionary_encoded(a)})
        for (const column& r : {b, dictionary_encoded(b)})
            CHECK(to_csv(join({{"c", l}, {"l", column(ints{0, 1, 2, 3})}}, {{"c", r}, {"r", column(ints{0, 1, 2})}},
                              {.on = "c"})) == expected);
}

TEST_CASE("an as-of join looks both ways, by several keys, with or without what is at the same time",
          "[frame][join_asof]") {
    std::mt19937_64 random(8);
    const auto make = [&](std::size_t rows, const std::string& value, bool sorted, bool floats) {
        ints ts(rows), row(rows), k(rows);
        texts s(rows);
        std::vector<bool> there(rows), key_there(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            ts[r] = sorted ? static_cast<std::int64_t>(r / 2) : static_cast<std::int64_t>(random() % 100);
            row[r] = static_cast<std::int64_t>(r);
            k[r] = static_cast<std::int64_t>(random() % 3);
            s[r] = std::string(random() % 2, 'a');
            there[r] = sorted || random() % 9 != 0;
            key_there[r] = random() % 9 != 0;
        }
        const std::vector<double> real(ts.begin(), ts.end());
        return table{{"ts", floats ? column(real, there) : column(ts, there)},
                     {"k", column(k, key_there)},
                     {"s", column(s)},
                     {value, column(row)}};
    };
    for (const bool sorted : {true, false}) {
        const table left = make(70, "l", sorted, false);
        const table right = make(90, "r", sorted, !sorted);
        const auto time = [](const table& t, std::size_t r) {
            const column& c = t.column("ts");
            return c.kind() == kind::float64 ? c.values<double>()[r] : static_cast<double>(c.values<std::int64_t>()[r]);
        };
        for (const asof direction : {asof::backward, asof::forward, asof::nearest}) {
            for (const bool exact : {true, false}) {
                for (const int limit : {-1, 0, 4}) {
                    for (const texts& by : {texts{}, texts{"s", "k"}}) {
                        asof_options o{.on = "ts", .by = by, .direction = direction, .exact = exact};
                        if (limit >= 0) o.tolerance = limit;
                        o.threads.threads = 2;
                        const column got = join_asof(left, right, o).column("r");
                        for (std::size_t l = 0; l < left.rows(); ++l) {
                            std::size_t best = no_row;
                            double best_apart = 0;
                            for (std::size_t r = 0; r < right.rows() && left.column("ts").is_valid(l); ++r) {
                                if (!right.column("ts").is_valid(r) || !equal(left, l, right, r, by)) continue;
                                const double late = time(right, r) - time(left, l);
                                if ((late == 0 && !exact) || (limit >= 0 && std::abs(late) > limit)) continue;
                                if (direction == asof::backward ? late > 0 : direction == asof::forward && late < 0)
                                    continue;
                                const double apart = std::abs(late);
                                const bool later_row = late <= 0;  // before it, of equal times the last
                                if (best == no_row || apart < best_apart ||
                                    (apart == best_apart && later_row &&
                                     (time(right, best) == time(right, r) || time(right, best) > time(left, l)))) {
                                    best = r;
                                    best_apart = apart;
                                }
                            }
                            if (direction == asof::forward && best != no_row)  // of equal times the first
                                for (std::size_t r = 0; r < best; ++r)
                                    if (right.column("ts").is_valid(r) && time(right, r) == time(right, best) &&
                                        equal(left, l, right, r, by)) {
                                        best = r;
                                        break;
                                    }
                            INFO("row " << l << " direction " << static_cast<int>(direction) << " exact " << exact
                                        << " limit " << limit << " keys " << by.size() << " sorted " << sorted);
                            REQUIRE(got.is_valid(l) == (best != no_row));
                            if (best != no_row) CHECK(got.values<std::int64_t>()[l] == static_cast<std::int64_t>(best));
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("an as-of join of many sorted rows is the same for any number of threads", "[frame][join_asof]") {
    std::mt19937_64 random(9);
    const auto make = [&](std::size_t rows, const std::string& value) {
        ints ts(rows), k(rows), row(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            ts[r] = (r == 0 ? 0 : ts[r - 1]) + static_cast<std::int64_t>(random() % 3);
            k[r] = static_cast<std::int64_t>(random() % 20);
            row[r] = static_cast<std::int64_t>(r);
        }
        return table{{"ts", column::timestamps(ts)}, {"k", column(k)}, {value, column(row)}};
    };
    const table left = make(50000, "l");
    const table right = make(50000, "r");
    for (const asof direction : {asof::backward, asof::forward, asof::nearest}) {
        asof_options o{.on = "ts", .by = "k", .direction = direction, .threads = {.threads = 1}};
        const std::string one = to_csv(join_asof(left, right, o));
        o.threads.threads = 3;
        CHECK(to_csv(join_asof(left, right, o)) == one);
    }
    const table u{{"ts", column(std::vector<std::uint64_t>{1, ~std::uint64_t{0}})}, {"v", column(ints{1, 2})}};
    CHECK(to_csv(join_asof(u, u, {.on = "ts", .tolerance = 0}).select("v_right")) == "v_right\n1\n2\n");
}

TEST_CASE("keys of 32 bits are compared where they are, also in a slice", "[frame][join_asof]") {
    const table left{{"ts", column(ints{0, 1, 2, 3})}, {"k", column(std::vector<std::int32_t>{9, -1, -3, -1})}};
    const table right{{"ts", column(ints{0, 0, 1, 2})},
                      {"k", column(std::vector<std::int32_t>{5, -3, -1, -2})},
                      {"r", column(ints{7, 8, 9, 10})}};
    const auto found = [&](const table& l, const table& r) {
        return to_csv(join_asof(l, r, {.on = "ts", .by = "k"}).select("r"));
    };
    CHECK(found(left, right) == "r\n\"\"\n9\n8\n9\n");
    CHECK(found(left.slice(1, 3), right.slice(1, 3)) == "r\n9\n8\n9\n");
    CHECK(found(left.slice(2, 2), right.slice(2, 2)) == "r\n\"\"\n9\n");
}

TEST_CASE("an as-of join in several stretches finds what one pass over the rows finds", "[frame][join_asof]") {
    std::mt19937_64 random(10);
    const auto make = [&](std::size_t rows, std::int64_t from, std::int64_t keys, const std::string& value) {
        ints ts(rows), k(rows), row(rows);
        std::vector<bool> there(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            ts[r] = (r == 0 ? from : ts[r - 1]) + static_cast<std::int64_t>(random() % 3);
            k[r] = static_cast<std::int64_t>(random()) % keys;
            there[r] = random() % 8 != 0;
            row[r] = static_cast<std::int64_t>(r);
        }
        return table{{"ts", column(ts)}, {"k", column(k, there)}, {value, column(row)}};
    };
    const table left = make(40'000, 0, 4, "l");
    for (const auto& [rows, from] : {std::pair{40'000, 0}, {9000, 15'000}, {3000, -5000}, {3000, 50'000}, {0, 0}}) {
        const table right = make(static_cast<std::size_t>(rows), from, 3, "r");
        const std::int64_t* l = left.column("ts").values<std::int64_t>().data();
        const std::int64_t* r = right.column("ts").values<std::int64_t>().data();
        for (const bool forward : {false, true})
            for (const int limit : {-1, 7}) {
                std::vector<std::optional<std::size_t>> latest(7);
                std::vector<std::optional<std::size_t>> wanted(left.rows());
                std::size_t next = 0;
                for (std::size_t i = 0; i < left.rows(); ++i) {
                    const std::size_t a = forward ? left.rows() - 1 - i : i;
                    for (; next < right.rows(); ++next) {
                        const std::size_t b = forward ? right.rows() - 1 - next : next;
                        if (forward ? r[b] < l[a] : r[b] > l[a]) break;
                        if (right.column("k").is_valid(b))
                            latest[static_cast<std::size_t>(right.column("k").values<std::int64_t>()[b] + 3)] = b;
                    }
                    if (left.column("k").is_valid(a))
                        wanted[a] = latest[static_cast<std::size_t>(left.column("k").values<std::int64_t>()[a] + 3)];
                    if (limit >= 0 && wanted[a] && std::abs(r[*wanted[a]] - l[a]) > limit) wanted[a].reset();
                }
                for (const int threads : {1, 3}) {
                    asof_options o{.on = "ts", .by = "k", .direction = forward ? asof::forward : asof::backward};
                    if (limit >= 0) o.tolerance = limit;
                    o.threads.threads = threads;
                    const column found = join_asof(left, right, o).column("r");
                    std::size_t different = 0;
                    for (std::size_t i = 0; i < left.rows(); ++i)
                        different +=
                            found.is_valid(i) != wanted[i].has_value() ||
                            (wanted[i] && found.values<std::int64_t>()[i] != static_cast<std::int64_t>(*wanted[i]));
                    INFO(rows << " right rows from " << from << " forward " << forward << " limit " << limit);
                    CHECK(different == 0);
                }
            }
    }
}
