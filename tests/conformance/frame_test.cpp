// SPDX-License-Identifier: MIT

/// @file Group-by, rolling, as-of joins and filters against pandas: every case, none left out.

#include <edge/frame/csv.hpp>
#include <edge/frame/filter.hpp>
#include <edge/frame/join_asof.hpp>
#include <edge/frame/window.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace {

using namespace edge::frame;
using nlohmann::json;

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts{""};
    for (const char c : text) {
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::string without_direction(const std::string& name) {
    return name.ends_with(":desc") ? name.substr(0, name.size() - 5) : name;
}

/// Columns by a list of names, of which one may hold a comma ("na,me").
std::vector<std::string> names(const std::string& list, const table& t) {
    std::vector<std::string> found;
    for (const std::string& piece : split(list, ',')) {
        if (!found.empty() && !t.has(without_direction(found.back())))
            found.back() += "," + piece;
        else
            found.push_back(piece);
    }
    return found;
}

aggregate parse(const std::vector<std::string>& parts) {
    return aggregate_from_string(parts[0], parts[1]).as(parts.back());
}

/// What a case's arguments ask for.
table apply(table t, const std::vector<std::string>& args, const std::filesystem::path& folder) {
    const auto value = [&](const std::string& option) -> const std::string* {
        const auto at = std::find(args.begin(), args.end(), option);
        return at == args.end() ? nullptr : &*(at + 1);
    };
    if (const auto* right = value("--asof")) {
        asof_options options{.on = *value("--on")};
        if (const auto* by = value("--by")) options.by = *by;
        if (const auto* limit = value("--tolerance")) options.tolerance = std::stoll(*limit);
        t = join_asof(t, read_csv(folder / *right), options);
    }
    if (const auto* where = value("--filter")) t = filter(t, *where);
    if (const auto* what = value("--rolling")) {
        const auto parts = split(*what, ':');
        t.add(parts[3], rolling(t, parse(parts), std::stoul(parts[2])));
    }
    if (const auto* keys = value("--group-by")) {
        std::vector<aggregate> wanted;
        for (const std::string& one : split(*value("--agg"), ',')) wanted.push_back(parse(split(one, ':')));
        t = t.group_by(names(*keys, t)).agg(wanted);
    }
    if (const auto* list = value("--sort")) {
        std::vector<sort_key> keys;
        for (const std::string& name : names(*list, t))
            keys.push_back({without_direction(name), name.ends_with(":desc") ? order::descending : order::ascending});
        t = sort(t, keys);
    }
    if (const auto* rows = value("--head")) t = t.head(std::stoul(*rows));
    if (const auto* list = value("--select")) t = t.select(split(*list, ','));
    return t;
}

bool equals(const column& c, std::size_t row, const json& expected, double rtol) {
    if (expected.is_null()) {
        if (!c.is_valid(row)) return true;
        return c.kind() == kind::float64 && std::isnan(c.values<double>()[row]);
    }
    if (!c.is_valid(row)) return false;
    if (c.kind() == kind::string) return expected.is_string() && c.text(row) == expected.get_ref<const std::string&>();
    if (c.kind() == kind::int64 && expected.is_number_integer())
        return c.values<std::int64_t>()[row] == expected.get<std::int64_t>();
    if (!is_number(c.kind()) || !expected.is_number()) return false;
    const double value = dispatch_stored(c.kind(), [&]<class T>() { return static_cast<double>(c.values<T>()[row]); });
    const double wanted = expected.get<double>();
    return std::abs(value - wanted) <= std::max(rtol * std::max(std::abs(value), std::abs(wanted)), 1e-300);
}

void check(const table& got, const json& expected, double rtol) {
    REQUIRE(got.rows() == expected.size());
    for (std::size_t row = 0; row < got.rows(); ++row) {
        for (const auto& [name, value] : expected[row].items()) {
            if (equals(got.column(name), row, value, rtol)) continue;
            INFO("row " << row << ", column " << name << ", expected " << value << "\n" << to_csv(got.slice(row, 1)));
            FAIL_CHECK("differs");
        }
    }
}

/// Rows in an order of their own: cases of which only the set of groups is given.
json sorted_by(const json& rows, const std::vector<std::string>& keys) {
    std::vector<json> sorted(rows.begin(), rows.end());
    std::stable_sort(sorted.begin(), sorted.end(), [&](const json& a, const json& b) {
        for (const auto& key : keys) {
            const json x = a.value(key, json());
            const json y = b.value(key, json());
            if (x.is_null() != y.is_null()) return y.is_null();  // missing comes last
            if (x != y) return x < y;
        }
        return false;
    });
    return sorted;
}

void check_set(const std::string& part, std::size_t at_least) {
    const auto folder = test_data("frame/" + part);
    if (!folder) return;
    std::ifstream in(*folder / "cases.json");
    const json cases = json::parse(in);
    CHECK(cases.size() >= at_least);
    for (const auto& c : cases) {
        INFO(part << ": " << c["name"]);
        const table input = read_csv(*folder / c["in"].get<std::string>());
        const auto args = c["args"].get<std::vector<std::string>>();
        json expected = c["expected"];
        if (c["order"] == "any") expected = sorted_by(expected, names(args[1], input));
        check(apply(input, args, *folder), expected, c["rtol"]);
    }
}

}  // namespace

TEST_CASE("group-by agrees with pandas", "[conformance][frame]") { check_set("groupby", 162); }
TEST_CASE("rolling windows agree with pandas", "[conformance][frame]") { check_set("rolling", 1020); }
TEST_CASE("as-of joins agree with pandas", "[conformance][frame]") { check_set("asof", 252); }
TEST_CASE("filters, sorts and selections agree with pandas", "[conformance][frame]") { check_set("select", 204); }

TEST_CASE("the first set of cases agrees with pandas", "[conformance][frame]") {
    const auto folder = test_data("frame");
    if (!folder) return;
    std::ifstream in(*folder / "cases.json");
    const json cases = json::parse(in);
    CHECK(cases.size() >= 12);
    for (const auto& c : cases) {
        INFO(c["csv"]);
        const table t = read_csv(*folder / c["csv"].get<std::string>());
        const auto keys = c["keys"].get<std::vector<std::string>>();
        // pandas drops the rows without a key here
        table kept = t;
        for (const auto& key : keys) {
            std::vector<std::size_t> rows;
            for (std::size_t r = 0; r < kept.rows(); ++r)
                if (kept.column(key).is_valid(r)) rows.push_back(r);
            kept = take(kept, rows);
        }
        check(kept.group_by(keys).agg(count("x"), mean("x"), sum("x"), min("x"), max("x"), stddev("x"), median("x"),
                                      sum("y"), first("y"), last("y")),
              c["groups"], 1e-9);
        const auto one_column = [](const json& values) {
            json rows = json::array();
            for (const auto& v : values) rows.push_back({{"v", v}});
            return rows;
        };
        check(table{{"v", rolling(t, mean("y"), 5)}}, one_column(c["rolling_y_mean_5"]), 1e-9);
        const table right = read_csv(*folder / c["right"].get<std::string>());
        check(join_asof(t, right, {.on = "ts", .by = "id", .tolerance = 500'000'000}).select("v"),
              one_column(c["asof_v_backward_tol_5e8"]), 1e-9);
    }
}
