// SPDX-License-Identifier: MIT
#include <edge/frame/expression.hpp>
#include <edge/frame/filter.hpp>
#include <edge/frame/missing.hpp>

#include "support/catch.hpp"
#include "support/columns.hpp"
#include "support/raised.hpp"

using namespace edge::frame;
using edge::argument_error;

namespace {

table accelerations() {
    return {{"ax", column(std::vector<float>{3, 0, -1, 6})},
            {"ay", column(std::vector<float>{4, 1, 2, 8})},
            {"id", column(std::vector<std::int64_t>{1, 2, 3, 4})}};
}

}  // namespace

TEST_CASE("columns are computed from columns", "[frame][expression]") {
    const table t = accelerations();
    const auto ax = view<float>(t.column("ax"));
    const auto ay = view<float>(t.column("ay"));
    const table with = t.with("norm", to_column(edge::sqrt(ax * ax + ay * ay)));
    CHECK(values_of<float>(with.column("norm")) == std::vector<float>{5, 1, std::sqrt(5.0f), 10});
    CHECK(with.names().size() == 4);
    const column fast = to_column(ax > 2.0f);
    CHECK(fast.kind() == kind::boolean);
    CHECK(fast.boolean(0));
    CHECK_FALSE(fast.boolean(2));

    edge::tensor<float> moved(edge::shape{2}, 1.5f);
    const float* memory = moved.data();
    CHECK(to_column(std::move(moved)).values<float>().data() == memory);
    CHECK_THROWS_AS(to_column(edge::tensor<float>(edge::shape{2, 2}, 0.0f)), edge::shape_error);
}

TEST_CASE("rows are kept for which an expression holds", "[frame][expression]") {
    const table t = accelerations();
    const auto ax = view<float>(t.column("ax"));
    const auto ay = view<float>(t.column("ay"));
    CHECK(values_of<std::int64_t>(filter(t, (ax > 0.0f) & (ay < 8.0f)).column("id")) == std::vector<std::int64_t>{1});
    CHECK(filter(t, ax < ay).rows() == 4);
    CHECK(filter(t, ax != ax).rows() == 0);
    CHECK_THROWS_AS(filter(t, edge::tensor<bool>(edge::shape{3}, true)), edge::shape_error);
}

TEST_CASE("missing values are found, filled and dropped", "[frame][missing]") {
    const table t{{"x", column(std::vector<float>{1, 2, 3}, {true, false, true})},
                  {"s", column(std::vector<std::string>{"a", "b", "c"}, {false, true, true})},
                  {"f", column(std::vector<bool>{true, false, true}, {true, true, false})}};
    CHECK(raised<argument_error>([&] { (void)view<float>(t.column("x")); }).starts_with("a column that misses 1 of 3"));
    CHECK(values_of<float>(fill_missing(t.column("x"), -1.0f)) == std::vector<float>{1, -1, 3});
    CHECK(fill_missing(t.column("s"), "?").text(0) == "?");
    const column coded = fill_missing(dictionary_encoded(t.column("s")), "?");
    CHECK(coded.is_dictionary());
    CHECK(coded.text(0) == "?");
    CHECK(coded.text(2) == "c");
    CHECK(fill_missing(t.column("f"), true).boolean(2));
    CHECK(is_missing(t.column("x")).boolean(1));
    CHECK(drop_missing(t).rows() == 0);
    CHECK(drop_missing(t, "x").rows() == 2);
    CHECK(drop_missing(t, {"x", "f"}).rows() == 1);
    CHECK_THROWS_AS(fill_missing(t.column("x"), 1.0), argument_error);
}

TEST_CASE("columns are replaced, dropped and renamed", "[frame][table]") {
    const table t = accelerations();
    const table replaced = t.with("ax", column(std::vector<double>{1, 2, 3, 4}));
    CHECK(replaced.names().size() == 3);
    CHECK(replaced.columns()[0].kind() == kind::float64);
    CHECK(t.columns()[0].kind() == kind::float32);
    CHECK_THROWS_AS(t.with("ax", column(std::vector<double>{1})), argument_error);
    CHECK(t.drop({"ax", "ay"}).names().size() == 1);
    CHECK(t.drop("ax", "ay").names().size() == 1);
    CHECK(t.drop("ax").names().size() == 2);
    CHECK_THROWS_AS(t.drop({"nope"}), argument_error);
    CHECK(t.rename("ax", "x").names()[0] == "x");
    CHECK(t.rename("ax", "ax").names()[0] == "ax");
    CHECK_THROWS_AS(t.rename("ax", "ay"), argument_error);
    CHECK(values_of<std::int64_t>(t.tail(2).column("id")) == std::vector<std::int64_t>{3, 4});
    CHECK(t.tail(9).rows() == 4);
}
