// SPDX-License-Identifier: MIT
#include <edge/frame/filter.hpp>
#include <edge/frame/sort.hpp>

#include "support/catch.hpp"
#include "support/columns.hpp"
#include "support/raised.hpp"

#include <limits>
#include <random>

using namespace edge::frame;
using edge::argument_error;

namespace {

using ints = std::vector<std::int64_t>;
using texts = std::vector<std::string>;

/// A column as text, a missing value as "-": short to compare.
std::string shown(const column& c) {
    std::string all;
    for (std::size_t i = 0; i < c.size(); ++i) {
        if (i != 0) all += ' ';
        if (c.is_valid(i))
            all += cell_text(c, i);
        else
            all += '-';
    }
    return all;
}

table sensors() {
    return {{"id", column(ints{3, 1, 2, 1})},
            {"x", column(std::vector<double>{0.5, not_a_number, -1, 2}, {true, true, true, false})},
            {"name", column(texts{"c", "a", "", "b"}, {true, true, true, false})}};
}

}  // namespace

TEST_CASE("kinds have names, and one that holds both of two", "[frame][column]") {
    for (std::size_t i = 0; i < kind_names.size(); ++i)
        CHECK(to_string(kind_from_string(kind_names[i])) == kind_names[i]);
    CHECK(raised<argument_error>([&] { (void)kind_from_string("int"); }).find("int8, int16") != std::string::npos);
    CHECK(common_kind(kind::int8, kind::uint8) == kind::int16);
    CHECK(common_kind(kind::uint32, kind::int16) == kind::int64);
    CHECK(common_kind(kind::int64, kind::uint8) == kind::int64);
    CHECK(common_kind(kind::uint64, kind::int8) == kind::float64);
    CHECK(common_kind(kind::uint16, kind::uint32) == kind::uint32);
    CHECK(common_kind(kind::float32, kind::int8) == kind::float64);
    CHECK(common_kind(kind::timestamp, kind::date) == kind::timestamp);
    CHECK_FALSE(common_kind(kind::date, kind::int32));
}

TEST_CASE("numbers and times are converted to kinds that hold them", "[frame][column]") {
    const column small(std::vector<std::uint32_t>{4'000'000'000U, 7}, {true, false});
    CHECK(values_of<std::int64_t>(convert(small, kind::int64))[0] == 4'000'000'000);
    CHECK_FALSE(convert(small, kind::float64).is_valid(1));
    CHECK(shown(convert(column(std::vector<std::uint64_t>{~std::uint64_t{0}}), kind::float64)) ==
          "18446744073709551616.0");
    CHECK(shown(convert(column(std::vector<std::int8_t>{-128}), kind::int16)) == "-128");
    CHECK(raised<argument_error>([&] { (void)convert(small, kind::int32); }) ==
          "a column of uint32 does not become one of int32");
    const column days = column::dates({0, -1, 19'787}, {true, true, true});
    CHECK(shown(days) == "1970-01-01 1969-12-31 2024-03-05");
    CHECK(shown(convert(days, kind::timestamp)) == "1970-01-01T00:00:00Z 1969-12-31T00:00:00Z 2024-03-05T00:00:00Z");
    CHECK(raised<argument_error>([&] {
              (void)convert(column::dates({0, 106'752}), kind::timestamp);
          }) == "row 1: day 106752 is beyond what a timestamp holds");
}

TEST_CASE("strings may be codes into a dictionary", "[frame][column]") {
    const column words(texts{"b", "", "a", "b", "x"}, {true, true, true, true, false});
    const column coded = dictionary_encoded(words);
    CHECK(coded.is_dictionary());
    CHECK(coded.kind() == kind::string);
    CHECK(shown(coded) == shown(words));
    CHECK(words.text(4).empty());  // what is missing, whatever its memory holds
    CHECK(coded.text(4).empty());
    CHECK(coded.dictionary().size() == 3);
    CHECK(std::vector<std::int32_t>(coded.codes().begin(), coded.codes().end()) ==
          std::vector<std::int32_t>{0, 1, 2, 0, 0});
    CHECK(shown(coded.slice(2, 3)) == "a b -");
    CHECK_FALSE(plain(coded).is_dictionary());
    CHECK(shown(plain(coded.slice(1, 3))) == "\"\" a b");
    CHECK(raised<argument_error>([&] { (void)coded.offsets(); }).starts_with("dictionary-encoded strings"));
    CHECK(raised<argument_error>([&] { (void)words.codes(); }).starts_with("column of string without a dictionary"));
    CHECK(dictionary_encoded(column::missing(kind::string, 2)).text(1).empty());
    const auto bad_code = [&](std::int32_t code) {
        return raised<argument_error>(
            [&] { (void)column::encoded(1, {}, buffer(std::vector<std::int32_t>{code}), column(texts{"a"})); });
    };
    CHECK(bad_code(1) == "code 1 of a dictionary of 1 strings");
    CHECK(bad_code(-1) == "code -1 of a dictionary of 1 strings");
    CHECK(bad_code(0) == "(nothing was thrown)");

    const table both = concat(std::vector<table>{{{"s", dictionary_encoded(column(texts{"p", "q"}))}},
                                                 {{"s", dictionary_encoded(column(texts{"r", "p"}))}}});
    CHECK(both.column("s").is_dictionary());
    CHECK(both.column("s").dictionary().size() == 3);
    CHECK(shown(both.column("s")) == "p q r p");
    CHECK(shown(concat(std::vector<table>{{{"s", coded}}, {{"s", words}}}).column("s")) == "b \"\" a b - b \"\" a b -");
}

TEST_CASE("a column takes a vector's memory and knows what is missing", "[frame][column]") {
    std::vector<float> samples{1, 2, 3};
    const float* memory = samples.data();
    const column c(std::move(samples), {true, false, true});
    CHECK(c.values<float>().data() == memory);
    CHECK(c.kind() == kind::float32);
    CHECK(c.null_count() == 1);
    CHECK(c.is_valid(0));
    CHECK_FALSE(c.is_valid(1));
    CHECK(raised<argument_error>([&] { (void)c.values<double>(); }) == "column of float32 read as float64");
    CHECK(raised<argument_error>([&] { (void)c.text(0); }) == "column of float32 read as string");
    CHECK_THROWS_AS(column(ints{1, 2}, {true}), argument_error);
}

TEST_CASE("a column in which nothing is missing has no bitmap", "[frame][column]") {
    CHECK(column(ints{1, 2}, {true, true}).validity_buffer().empty());
    CHECK(column(ints{1, 2}, {true, true}).validity().bytes == nullptr);
}

TEST_CASE("strings and booleans are kept as Arrow keeps them", "[frame][column]") {
    const column s(texts{"a", "", "größe"}, {true, false, true});
    CHECK(s.text(2) == "größe");
    CHECK(s.offsets()[3] == 8);
    CHECK(std::string(s.text_bytes(), 8) == "agröße");
    const column b(std::vector<bool>{true, false, true, true, false, false, false, false, true});
    CHECK(b.value_buffer().size() == 2);
    CHECK(std::to_integer<int>(b.value_buffer().data()[0]) == 0b00001101);
    CHECK(b.boolean(8));
}

TEST_CASE("buffers that are too small for a column are refused", "[frame][column]") {
    CHECK_THROWS_AS(column(kind::int64, 2, {}, buffer(std::vector<std::int32_t>{1, 2, 3})), argument_error);
    CHECK_THROWS_AS(column(kind::string, 1, {}, buffer(ints{0, 5}), buffer(std::vector<char>{'a'})), argument_error);
    CHECK_THROWS_AS(column(kind::boolean, 9, {}, buffer(std::vector<std::uint8_t>{1})), argument_error);
    CHECK_THROWS_AS(column(kind::int32, 9, buffer(std::vector<std::uint8_t>{1}), buffer(std::vector<std::int32_t>(9))),
                    argument_error);
}

TEST_CASE("a slice is the rows it names, at any bit", "[frame][column]") {
    std::mt19937 random(7);
    std::vector<bool> bits(200), valid(200);
    ints numbers(200);
    for (std::size_t i = 0; i < 200; ++i) {
        bits[i] = random() % 2 != 0;
        valid[i] = random() % 3 != 0;
        numbers[i] = static_cast<std::int64_t>(random());
    }
    const column b(bits, valid);
    const column n(numbers, valid);
    for (const std::size_t first : std::vector<std::size_t>{0, 1, 7, 8, 63, 64, 100}) {
        for (const std::size_t count : std::vector<std::size_t>{0, 1, 8, 65, 100}) {
            const column bs = b.slice(first, count);
            const column ns = n.slice(first, count).slice(0, count);
            std::size_t nulls = 0;
            for (std::size_t i = 0; i < count; ++i) {
                nulls += !valid[first + i];
                CHECK(bs.is_valid(i) == valid[first + i]);
                CHECK(bs.boolean(i) == bits[first + i]);
                CHECK(ns.values<std::int64_t>()[i] == numbers[first + i]);
            }
            CHECK(bs.null_count() == nulls);
            // and appending it somewhere else, at another bit, changes nothing
            column_builder builder(kind::boolean);
            builder.append(true);
            builder.append(bs);
            CHECK(shown(builder.finish().slice(1, count)) == shown(bs));
        }
    }
    CHECK_THROWS_AS(n.slice(199, 2), argument_error);
    CHECK_THROWS_AS(n.slice(201, 0), argument_error);
}

TEST_CASE("a builder gives the same column value by value and in bulk", "[frame][column]") {
    const std::vector<std::uint8_t> valid{1, 0, 0, 1, 1};
    const std::vector<double> dense{1.5, 2.5, 3.5};
    column_builder one(kind::float64), many(kind::float64);
    one.append(0.5);
    many.append(0.5);
    std::size_t next = 0;
    for (const auto v : valid) {
        if (v != 0)
            one.append(dense[next++]);
        else
            one.append_null();
    }
    many.append_values<double>(dense, valid);
    one.append(9.0);
    many.append_values<double>(std::vector<double>{9.0});
    CHECK(many.null_count() == 2);
    CHECK(shown(one.finish()) == "0.5 1.5 - - 2.5 3.5 9.0");
    CHECK(shown(many.finish()) == "0.5 1.5 - - 2.5 3.5 9.0");
    CHECK(one.size() == 0);
    one.append(4.0);  // it can be used again, and remembers nothing
    CHECK(shown(one.finish()) == "4.0");
    CHECK_THROWS_AS(many.append_values<double>(dense, std::vector<std::uint8_t>{1, 1}), argument_error);
    CHECK_THROWS_AS(many.append(1.0F), argument_error);
    CHECK_THROWS_AS(many.append("text"), argument_error);
    CHECK_THROWS_AS(many.append(true), argument_error);
}

TEST_CASE("a builder of every kind holds nulls, also at the beginning", "[frame][column]") {
    for (const kind k :
         {kind::boolean, kind::int32, kind::int64, kind::float32, kind::float64, kind::timestamp, kind::string}) {
        column_builder b(k);
        b.append_null(2);
        b.append(column::missing(k, 1));
        const column c = b.finish();
        CHECK(c.kind() == k);
        CHECK(c.size() == 3);
        CHECK(c.null_count() == 3);
        CHECK(kind_from_string(to_string(k)) == k);
    }
    CHECK_THROWS_AS(kind_from_string("decimal"), argument_error);
}

TEST_CASE("a table names the columns that exist when one does not", "[frame][table]") {
    const table t = sensors();
    CHECK(raised<argument_error>([&] { (void)t.column("y"); }) == "no column 'y'; there are: id, x, name");
    CHECK(raised<argument_error>([] { (void)table().column("y"); }) == "no column 'y'; there are: none");
    CHECK_THROWS_AS(t.select("id", "id"), argument_error);
    table wrong = t;
    CHECK_THROWS_AS(wrong.add("id", column(ints{1, 2, 3, 4})), argument_error);
    CHECK_THROWS_AS(wrong.add("short", column(ints{1})), argument_error);
    CHECK_THROWS_AS(table(texts{"a", "a"}, {column(), column()}), argument_error);
    CHECK_THROWS_AS(table(texts{"a", "b"}, {column(), column(ints{1})}), argument_error);
    CHECK_THROWS_AS(table(texts{"a"}, {}), argument_error);
}

TEST_CASE("the parts of a table, one after the other, are the table", "[frame][table]") {
    const table t = sensors();
    for (std::size_t cut = 0; cut <= t.rows(); ++cut) {
        const table parts[] = {t.slice(0, cut), t.slice(cut, t.rows() - cut)};
        CHECK(to_csv(concat(parts)) == to_csv(t));
    }
    CHECK(to_csv(t.head(99)) == to_csv(t));
    CHECK(t.head(0).rows() == 0);
    CHECK(concat({}).rows() == 0);
}

TEST_CASE("tables of integers and floats join as floats, other kinds do not", "[frame][table]") {
    const table a{{"x", column(ints{1, 2})}};
    const table b{{"x", column(std::vector<float>{0.5F})}};
    const table none{{"x", column::missing(kind::string, 1)}};
    const table text{{"x", column(texts{"a"})}};
    const table ab[] = {a, b, none};
    CHECK(shown(concat(ab).column("x")) == "1.0 2.0 0.5 -");
    const table at[] = {a, text};
    CHECK(raised<argument_error>([&] { (void)concat(at); }) ==
          "table 1: column 'x' is of string; expected int64 as before");
    const table other[] = {a, table{{"y", column(ints{1})}}};
    CHECK(raised<argument_error>([&] { (void)concat(other); }) == "table 1 has no column 'x' as the first");
}

TEST_CASE("tables with columns in another order come one after the other by name", "[frame][table]") {
    const table a{{"x", column(ints{1})}, {"y", column(texts{"a"})}};
    const table b{{"y", column(texts{"b", "c"})}, {"x", column(std::vector<double>{2.5, 3})}};
    CHECK(to_csv(concat({a, b, a})) == "x,y\n1.0,a\n2.5,b\n3.0,c\n1.0,a\n");
    CHECK(to_csv(concat({b, a})) == "y,x\nb,2.5\nc,3.0\na,1.0\n");
    CHECK_THROWS_AS(concat({a, b.select("x")}), argument_error);
}

TEST_CASE("rows are taken in any order, and none gives a missing value", "[frame][take]") {
    const table t = take(sensors(), std::vector<std::size_t>{2, no_row, 0, 0});
    CHECK(shown(t.column("id")) == "2 - 3 3");
    CHECK(shown(t.column("x")) == "-1.0 - 0.5 0.5");
    CHECK(shown(t.column("name")) == "\"\" - c c");
}

TEST_CASE("sorting is stable and puts missing values and NaN last, up and down", "[frame][sort]") {
    const table t = sensors();
    CHECK(shown(sort(t, {{"id"}}).column("name")) == "a - \"\" c");
    CHECK(shown(sort(t, {{"id", order::descending}}).column("name")) == "c \"\" a -");
    CHECK(shown(sort(t, {{"x"}}).column("x")) == "-1.0 0.5 nan -");
    CHECK(shown(sort(t, {{"x", order::descending}}).column("x")) == "0.5 -1.0 nan -");
    CHECK(shown(sort(t, {{"name", order::descending}}).column("name")) == "c a \"\" -");
    CHECK(shown(sort(t, {{"id"}, {"name", order::descending}}).column("name")) == "a - \"\" c");
    CHECK(shown(sort(t, {}).column("id")) == "3 1 2 1");
    CHECK_THROWS_AS(sort(t, {{"none"}}), argument_error);
}

TEST_CASE("numbers sort as they compare, at their extremes too", "[frame][sort]") {
    const double inf = std::numeric_limits<double>::infinity();
    const table f{{"x", column(std::vector<double>{inf, -0.0, 5e-324, -inf, 0.0, -1e308, 1})}};
    CHECK(sorted_rows(f, std::vector<sort_key>{{"x"}}) == std::vector<std::size_t>{3, 5, 1, 4, 2, 6, 0});
    const table i{{"x", column(ints{0, INT64_MAX, -1, INT64_MIN})},
                  {"b", column(std::vector<bool>{true, false, true, false})}};
    CHECK(shown(sort(i, {{"x"}}).column("x")) == "-9223372036854775808 -1 0 9223372036854775807");
    CHECK(shown(sort(i, {{"b"}, {"x"}}).column("x")) == "-9223372036854775808 9223372036854775807 -1 0");
}

TEST_CASE("sorting by one key and then another is sorting by both", "[frame][sort]") {
    std::mt19937 random(11);
    ints a(300), b(300);
    for (auto* v : {&a, &b})
        for (auto& x : *v) x = static_cast<std::int64_t>(random() % 7);
    const table t{{"a", column(a)}, {"b", column(b)}};
    const table both = sort(t, {{"a"}, {"b", order::descending}});
    CHECK(to_csv(both) == to_csv(sort(sort(t, {{"b", order::descending}}), {{"a"}})));
    const auto x = both.column("a").values<std::int64_t>();
    const auto y = both.column("b").values<std::int64_t>();
    for (std::size_t i = 1; i < 300; ++i) CHECK((x[i - 1] < x[i] || (x[i - 1] == x[i] && y[i - 1] >= y[i])));
}

TEST_CASE("a filter keeps the rows that compare, and never missing ones", "[frame][filter]") {
    const table t = sensors();
    CHECK(shown(filter(t, "id >= 2").column("id")) == "3 2");
    CHECK(shown(filter(t, "x != 0.5").column("id")) == "2");
    CHECK(shown(filter(t, "x < 10").column("id")) == "3 2");
    CHECK(shown(filter(t, "name == a").column("id")) == "1");
    CHECK(shown(filter(t, "name = ''").column("id")) == "2");
    CHECK(shown(filter(t, "name > 'a'").column("id")) == "3");
    const table odd{{"a<b", column(ints{1, 2})},
                    {"ok", column(std::vector<bool>{true, false})},
                    {"ts", column::timestamps({0, 1'500'000'000})}};
    CHECK(shown(filter(odd, "a<b<2").column("a<b")) == "1");
    CHECK(shown(filter(odd, "ok == true").column("a<b")) == "1");
    CHECK(shown(filter(odd, "ts > 1970-01-01T00:00:01Z").column("a<b")) == "2");
    CHECK(shown(filter(odd, "ts <= 0").column("a<b")) == "1");
}

TEST_CASE("integers compare exactly with numbers that are none", "[frame][filter]") {
    const ints values{INT64_MIN, -3, -2, 0, 2, 3, INT64_MAX};
    const table t{{"x", column(values)}};
    const auto count = [&](const char* where) { return filter(t, where).rows(); };
    CHECK(count("x < 2.5") == 5);
    CHECK(count("x <= 2.5") == 5);
    CHECK(count("x > 2.5") == 2);
    CHECK(count("x >= 2.5") == 2);
    CHECK(count("x > -2.5") == 5);
    CHECK(count("x < -2.5") == 2);
    CHECK(count("x == 2.5") == 0);
    CHECK(count("x != 2.5") == 7);
    CHECK(count("x == 3.0") == 1);
    CHECK(count("x <= 9223372036854775807") == 7);
    CHECK(count("x < 9223372036854775807") == 6);
    CHECK(count("x < 1e30") == 7);
    CHECK(count("x > 1e30") == 0);
    CHECK(count("x > -1e30") == 7);
    CHECK(count("x < -1e30") == 0);
    CHECK(count("x == nan") == 0);
    CHECK(count("x > -9223372036854775808.5") == 7);  // which is -2^63 as a double
    CHECK(count("x > -9223372036854775809") == 7);
    CHECK(count("x == -9223372036854775809") == 0);
    CHECK(count("x >= -9223372036854775808.0") == 7);
    CHECK(count("x <= 2.99999999999999999999") == 5);  // 3 as a double
    CHECK(count("x > 9223372036854775806.5") == 1);
    CHECK(count("x > 9223372036854775807.5") == 0);
    CHECK(count("x > -.5") == 4);
    CHECK(count("x == +3.") == 1);
    CHECK(count("x < 25e-1") == 5);
    const table u{{"x", column(std::vector<std::uint64_t>{0, 3, UINT64_MAX})}};
    CHECK(filter(u, "x > -0.5").rows() == 3);
    CHECK(filter(u, "x <= -0.0").rows() == 1);
    CHECK(filter(u, "x < 18446744073709551615.5").rows() == 3);
    CHECK(filter(u, "x == 18446744073709551616").rows() == 0);
    CHECK(filter(u, "x > 18446744073709551614.5").rows() == 1);
}

TEST_CASE("a filter that makes no sense says so", "[frame][filter]") {
    const table t = sensors();
    CHECK(raised<argument_error>([&] { (void)filter(t, "id 3"); }) ==
          "'id 3' is not a comparison; expected COLUMN OP VALUE with OP == != < <= > or >=");
    CHECK(raised<argument_error>([&] { (void)filter(t, "idd > 3"); }) == "no column 'idd'; there are: id, x, name");
    CHECK(raised<argument_error>([&] { (void)filter(t, "x > warm"); }) ==
          "'warm' compared with column 'x' of float64; expected a number");
    CHECK_THROWS_AS(filter(table{{"b", column(std::vector<bool>{true})}}, "b == 1"), argument_error);
    CHECK_THROWS_AS(filter(table{{"t", column::timestamps({0})}}, "t > today"), argument_error);
}
