// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>

#include "support/catch.hpp"
#include "support/raised.hpp"
#include "support/temporary_folder.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace edge::frame;
using edge::parse_error;

namespace {

kind kind_of_cells(const std::string& cells) { return parse_csv("x,y\n" + cells).column("x").kind(); }

std::string parse_failure(const std::string& text, const csv_options& options = {}) {
    return raised<parse_error>([&] { (void)parse_csv(text, "a.csv", options); });
}

}  // namespace

TEST_CASE("the kind is the first that fits every cell", "[frame][csv]") {
    CHECK(kind_of_cells("1,\n-2,\n+3,\n 4 ,\n") == kind::int64);
    CHECK(kind_of_cells("1,\n2.5,\n") == kind::float64);
    CHECK(kind_of_cells("1,\nnan,\ninf,\n-1e-3,\n") == kind::float64);
    CHECK(kind_of_cells("9223372036854775808,\n") == kind::uint64);
    CHECK(kind_of_cells("9223372036854775808,\n-1,\n") == kind::float64);
    CHECK(kind_of_cells("18446744073709551616,\n") == kind::float64);
    CHECK(kind_of_cells("2024-03-01,\n1969-12-31,\n") == kind::date);
    CHECK(kind_of_cells("true,\nFalse,\n") == kind::boolean);
    CHECK(kind_of_cells("2024-03-01,\n2024-03-01T12:00:00.5Z,\n") == kind::timestamp);
    CHECK(kind_of_cells("1,\n2,\nx,\n") == kind::string);
    CHECK(kind_of_cells("true,\n1,\n") == kind::string);
    CHECK(kind_of_cells("1.5,\ntrue,\n") == kind::string);
    CHECK(kind_of_cells("2024-02-30,\n") == kind::string);
    CHECK(kind_of_cells(",\n,\n") == kind::float64);
    CHECK(kind_of_cells("\"\",\n,\n") == kind::string);
    CHECK(kind_of_cells("1e999,\n") == kind::string);
}

TEST_CASE("text that turns up late keeps what came before as it was written", "[frame][csv]") {
    const table t = parse_csv("x,y\n007,1\n\"\",2\n,3\nabc,4.5\n");
    CHECK(t.column("x").text(0) == "007");
    CHECK(t.column("x").is_valid(1));
    CHECK_FALSE(t.column("x").is_valid(2));
    CHECK(t.column("y").values<double>()[2] == 3.0);
}

TEST_CASE("quotes, line ends and the byte order mark are as RFC 4180 and its users have them", "[frame][csv]") {
    const table t = parse_csv("\xEF\xBB\xBF\"a \"\"b\"\"\",c\r\n\"1\n2\",\" x,y \"\r\n\r\n3,say \"hi\"\r4,");
    CHECK(t.names()[0] == "a \"b\"");
    CHECK(t.rows() == 3);
    CHECK(t.columns()[0].text(0) == "1\n2");
    CHECK(t.columns()[1].text(0) == " x,y ");
    CHECK(t.columns()[1].text(1) == "say \"hi\"");
    CHECK_FALSE(t.columns()[1].is_valid(2));
}

TEST_CASE("names that are empty or there already get a number", "[frame][csv]") {
    const table t = parse_csv("a,a,,a_1,a\n1,2,3,4,5\n");
    const std::vector<std::string> expected{"a", "a_2", "column2", "a_1", "a_3"};
    CHECK(std::vector<std::string>(t.names().begin(), t.names().end()) == expected);
    const table bare = parse_csv("1,2\n3,4\n", "bare", {.header = false});
    CHECK(bare.rows() == 2);
    CHECK(bare.column("column1").values<std::int64_t>()[1] == 4);
}

TEST_CASE("a kind that is given is kept to, and a cell that does not fit is named", "[frame][csv]") {
    const csv_options options{.kinds = {{"x", kind::int32}, {"s", kind::string}}};
    const table t = parse_csv("x,s\n1,2\n,\n", "a.csv", options);
    CHECK(t.column("x").kind() == kind::int32);
    CHECK(t.column("s").text(0) == "2");
    CHECK(parse_failure("x,s\n1,2\n1.2.3,2\n", options) ==
          "a.csv: row 3 (line 3), column 'x': '1.2.3' is not of kind int32");
    CHECK(parse_failure("x,s\n4294967296,2\n", options).find("is not of kind int32") != std::string::npos);
    CHECK_THROWS_AS(parse_csv("x\n1\n", "a.csv", options), edge::argument_error);
    CHECK_THROWS_AS(parse_csv("x\n1\n", "a.csv", {.delimiter = '"'}), edge::argument_error);
    CHECK_THROWS_AS(parse_csv("x\n1\n", "a.csv", {.delimiter = '.'}), edge::argument_error);
}

TEST_CASE("what is no CSV is refused with its row and line", "[frame][csv]") {
    CHECK(parse_failure("") == "a.csv: is empty; expected a row of column names");
    CHECK(parse_failure("a,b\n1,2\n\"x\ny\",2\n1,2,3\n") ==
          "a.csv: row 4 (line 5): 3 cells; expected 2 as in the first row");
    CHECK(parse_failure("a,b\n1\n") == "a.csv: row 2 (line 2): 1 cell; expected 2 as in the first row");
    CHECK(parse_failure("a,b\n1,\"torn\n3,4\n") == "a.csv: row 2 (line 2): a quote begins here and does not end");
    CHECK(parse_failure("a,b\n\"1\"x,2\n") ==
          "a.csv: row 2 (line 2): 'x' after a closing quote; expected ',' or the end of the line");
    CHECK(parse_failure("a\n\xFF\n") == "a.csv: byte 2 is not UTF-8");
    CHECK(parse_failure("a\n\xED\xA0\x80\n") == "a.csv: byte 2 is not UTF-8");
    CHECK(parse_failure("a\n\xC0\x80\n") == "a.csv: byte 2 is not UTF-8");
    CHECK(parse_failure("a\n\xF4\x90\x80\x80\n") == "a.csv: byte 2 is not UTF-8");
    CHECK(parse_failure("a\n\xE2\x82") == "a.csv: byte 2 is not UTF-8");
    CHECK(parse_failure(std::string("\xFF\xFE") + "a\0", {}) == "a.csv: begins as UTF-16; expected UTF-8");
    CHECK_THROWS_AS(parse_csv(std::string(200'000, ',')), edge::unsupported_error);
    CHECK_THROWS_AS(read_csv("/nonexistent/a.csv"), edge::io_error);
}

TEST_CASE("every cut of a file is a table or an error, and no cut inside quotes is a table", "[frame][csv]") {
    const std::string whole = "a,b\n1,\"x\"\"\ny\"\n2,\n";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        INFO("cut at " << cut);
        try {
            const table t = parse_csv(whole.substr(0, cut));
            CHECK(t.rows() <= 2);
            CHECK_FALSE((cut >= 7 && cut <= 12 && cut != 9));  // 9 ends at the first of two quotes
        } catch (const parse_error&) {
        }
    }
}

TEST_CASE("a table written and read back is the same, bit for bit", "[frame][csv]") {
    std::mt19937_64 random(3);
    const std::string alphabet[] = {"a", "\"", ",", "\n", "\r", "ö", " ", "1", ""};
    for (int round = 0; round < 20; ++round) {
        INFO("round " << round);
        const std::size_t rows = 1 + random() % 50;
        std::vector<double> f(rows);
        std::vector<std::int64_t> i(rows), ts(rows);
        std::vector<bool> b(rows), valid(rows);
        std::vector<std::string> s(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            f[r] = std::bit_cast<double>(random());
            i[r] = static_cast<std::int64_t>(random());
            ts[r] = static_cast<std::int64_t>(random());
            b[r] = random() % 2 != 0;
            valid[r] = random() % 4 != 0;
            for (std::size_t k = random() % 5; k > 0; --k) s[r] += alphabet[random() % std::size(alphabet)];
        }
        f[0] = 3.0;  // a whole number stays a float
        s[0] = "word";
        valid[0] = true;
        const table t{{"f", column(f, valid)},
                      {"i", column(i, valid)},
                      {"ts", column::timestamps(ts, valid)},
                      {"b", column(b, valid)},
                      {"s,\"", column(s, valid)}};
        const table again = parse_csv(to_csv(t));
        REQUIRE(again.rows() == rows);
        for (std::size_t c = 0; c < 5; ++c) {
            REQUIRE(again.columns()[c].kind() == t.columns()[c].kind());
            for (std::size_t r = 0; r < rows; ++r) CHECK(again.columns()[c].is_valid(r) == valid[r]);
        }
        for (std::size_t r = 0; r < rows; ++r) {
            if (!valid[r]) continue;
            const double x = again.column("f").values<double>()[r];
            CHECK((std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(f[r]) ||
                   (std::isnan(x) && std::isnan(f[r]))));
            CHECK(again.column("i").values<std::int64_t>()[r] == i[r]);
            CHECK(again.column("ts").values<std::int64_t>()[r] == ts[r]);
            CHECK(again.column("b").boolean(r) == b[r]);
            CHECK(again.column("s,\"").text(r) == s[r]);
        }
    }
}

TEST_CASE("a file is written whole, in chunks or not", "[frame][csv]") {
    const temporary_folder folder;
    std::vector<std::int64_t> many(10'000);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::int64_t>(i);
    const table t{{"x", column(many)}, {"y", column::missing(kind::string, many.size())}};
    write_csv(folder / "a.csv", t);
    CHECK(edge::read_text_file(folder / "a.csv") == to_csv(t));
    CHECK(read_csv(folder / "a.csv").rows() == 10'000);
    CHECK(to_csv(table{{"x", column(many)}}.head(0)) == "x\n");
    CHECK(to_csv(table{{"x", column::missing(kind::int64, 1)}}) == "x\n\"\"\n");  // an empty line would be no row
    CHECK_THROWS_AS(write_csv(folder / "none" / "a.csv", t), edge::io_error);
}

TEST_CASE("timestamps are read in the forms of ISO 8601 and written in one", "[frame][timestamp]") {
    CHECK(parse_timestamp("1970-01-01") == 0);
    CHECK(parse_timestamp("1970-01-01 00:01") == 60'000'000'000);
    CHECK(parse_timestamp("1969-12-31T23:59:59.999999999Z") == -1);
    CHECK(parse_timestamp("2024-02-29T12:00:00.25+01:00") == parse_timestamp("2024-02-29 11:00:00.250 UTC"));
    CHECK(parse_timestamp("2024-02-29T12:00:00-0530") == parse_timestamp("2024-02-29T17:30:00"));
    CHECK(parse_timestamp("2024-02-29T12:00:00+02") == parse_timestamp("2024-02-29T10:00:00Z"));
    CHECK(format_timestamp(*parse_timestamp("2024-03-01 12:00:00.5+01:00")) == "2024-03-01T11:00:00.500Z");
    CHECK(format_timestamp(-1) == "1969-12-31T23:59:59.999999999Z");
    CHECK(format_timestamp(1'000) == "1970-01-01T00:00:00.000001Z");
    for (const char* bad :
         {"", "2024", "2024-13-01", "2024-00-01", "2023-02-29", "2024-01-32", "2024-01-01T24:00", "2024-01-01T12",
          "2024-01-01T12:60", "2024-01-01T12:00:60", "2024-01-01T12:00:00.", "2024-01-01T12:00:00.0000000001",
          "2024-01-01T12:00Zx", "2024-01-01T12:00+1", "1677-09-21T00:12:43.145224191Z",
          "2262-04-11T23:47:16.854775808Z", "20240101", "24-01-01"}) {
        INFO(bad);
        CHECK_FALSE(parse_timestamp(bad));
    }
}

TEST_CASE("every instant of int64 nanoseconds is written and read back", "[frame][timestamp]") {
    CHECK(format_timestamp(INT64_MIN) == "1677-09-21T00:12:43.145224192Z");
    CHECK(format_timestamp(INT64_MAX) == "2262-04-11T23:47:16.854775807Z");
    std::mt19937_64 random(5);
    for (int i = 0; i < 2000; ++i) {
        const auto ns = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : static_cast<std::int64_t>(random());
        REQUIRE(parse_timestamp(format_timestamp(ns)) == ns);
    }
}
