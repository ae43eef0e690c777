// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/raised.hpp"

#include <mutex>
#include <random>

using namespace edge::frame;
using edge::parse_error;

namespace {

std::string parse_failure(const std::string& text, const csv_options& options = {}) {
    return raised<parse_error>([&] { (void)parse_csv(text, "a.csv", options); });
}

/// The table as text, or what is wrong with it.
std::string outcome(const std::string& text, const csv_options& options, std::size_t piece_bytes) {
    try {
        const table t = detail::parse_csv_in_pieces(text, "a.csv", options, piece_bytes);
        std::string all = to_csv(t);
        for (const column& c : t.columns()) all += to_string(c.kind()) + (c.is_dictionary() ? "* " : " ");
        return all;
    } catch (const edge::error& e) {
        return e.what();
    }
}

}  // namespace

TEST_CASE("columns are chosen and put in order", "[frame][csv]") {
    const table t = parse_csv("a,b,c\n1,x,3\n4,y,6\n", "a.csv", {.columns = {"c", "a"}});
    CHECK(to_csv(t) == "c,a\n3,1\n6,4\n");
    CHECK_THROWS_AS(parse_csv("a,b\n1,2\n", "a.csv", {.columns = {"z"}}), edge::argument_error);
    CHECK_THROWS_AS(parse_csv("a,b\n1,2\n", "a.csv", {.columns = {"a", "a"}}), edge::argument_error);
    CHECK(parse_csv("a,b\n1,oops\n", "a.csv", {.kinds = {{"b", kind::int8}}, .columns = {"a"}}).rows() == 1);
}

TEST_CASE("words mean missing values where they are not quoted", "[frame][csv]") {
    const csv_options options{.missing = {"NA", "-999", "null"}};
    const table t = parse_csv("i,s,b\n1,NA,true\n-999,\"NA\",NA\n NA ,null,false\n", "a.csv", options);
    CHECK(t.column("i").kind() == kind::int64);
    CHECK(t.column("i").null_count() == 2);
    CHECK(t.column("s").null_count() == 2);
    CHECK(t.column("s").text(1) == "NA");
    CHECK(t.column("b").kind() == kind::boolean);
    CHECK_FALSE(t.column("b").is_valid(1));
}

TEST_CASE("ragged rows are refused, padded or left out", "[frame][csv]") {
    const std::string text = "a,b,c\n1,2,3\n4\n5,6\n7,8,9,10\n11,12,13\n";
    CHECK(parse_failure(text) == "a.csv: row 3 (line 3): 1 cell; expected 3 as in the first row");
    CHECK(parse_failure(text, {.ragged = ragged_rows::pad}) ==
          "a.csv: row 5 (line 5): 4 cells; expected 3 as in the first row");
    const table padded = parse_csv("a,b,c\n1,2,3\n4\n5,6\n", "a.csv", {.ragged = ragged_rows::pad});
    CHECK(to_csv(padded) == "a,b,c\n1,2,3\n4,,\n5,6,\n");
    csv_report report;
    const table kept = parse_csv(text, "a.csv", {.ragged = ragged_rows::skip, .report = &report});
    CHECK(to_csv(kept) == "a,b,c\n1,2,3\n11,12,13\n");
    CHECK(report.rows == 2);
    CHECK(report.rows_skipped == 3);
    CHECK(to_csv(parse_csv(text, "a.csv", {.ragged = ragged_rows::skip, .max_rows = 2})) == "a,b,c\n1,2,3\n11,12,13\n");
    std::string bomb(100'000, ',');
    bomb += '\n';
    for (int i = 0; i < 100'000; ++i) bomb += "1\n";
    CHECK_THROWS_AS(parse_csv(bomb, "a.csv", {.ragged = ragged_rows::pad}), edge::unsupported_error);
    CHECK_THROWS_AS(parse_csv(bomb), parse_error);
}

TEST_CASE("comments, lines before the header, and rows after the last are left out", "[frame][csv]") {
    const csv_options options{.comment = '#', .skip_lines = 2, .max_rows = 2};
    CHECK(to_csv(parse_csv("made by \"x\n\n# \"names\na,b\n#1,2\n3,4\n\n# x\n5,#6\n7,8\n", "a.csv", options)) ==
          "a,b\n3,4\n5,#6\n");
    CHECK(parse_failure("x\n# y\na,b\n1,2\n#\n3\n", {.comment = '#', .skip_lines = 1}) ==
          "a.csv: row 3 (line 6): 1 cell; expected 2 as in the first row");
    CHECK(to_csv(parse_csv("a,b\n# c\n#", "a.csv", {.comment = '#'})) == "a,b\n");
    CHECK(parse_csv("a\n1\n2\nx\n", "a.csv", {.max_rows = 2}).column("a").kind() == kind::int64);
    CHECK_THROWS_AS(parse_csv("a\n", "a.csv", {.comment = ','}), edge::argument_error);
    CHECK_THROWS_AS(parse_csv("a\n", "a.csv", {.quote = 'x'}), edge::argument_error);
}

TEST_CASE("quotes may be another sign, or none", "[frame][csv]") {
    CHECK(parse_csv("a,b\n'x,''y',\"\n", "a.csv", {.quote = '\''}).columns()[0].text(0) == "x,'y");
    CHECK(parse_csv("a,b\n\"x,y\"\n", "a.csv", {.quote = '\0'}).columns()[0].text(0) == "\"x");
}

TEST_CASE("every kind can be given, and a value out of its range is named", "[frame][csv]") {
    for (const auto name : kind_names) {
        const kind k = kind_from_string(name);
        const std::string value = k == kind::boolean                        ? "true"
                                  : k == kind::date || k == kind::timestamp ? "2024-02-29"
                                                                            : "100";
        INFO(name);
        const table t = parse_csv("x,y\n" + value + ",1\n\"" + value + "\",2\n,3\n", "a.csv", {.kinds = {{"x", k}}});
        CHECK(t.column("x").kind() == k);
        CHECK(t.column("x").null_count() == 1);
        const table again = parse_csv(to_csv(t), "a.csv", {.kinds = {{"x", k}}});
        CHECK(to_csv(again) == to_csv(t));
    }
    const std::pair<kind, const char*> beyond[] = {{kind::int8, "128"},
                                                   {kind::int8, "-129"},
                                                   {kind::int16, "32768"},
                                                   {kind::int32, "2147483648"},
                                                   {kind::int64, "9223372036854775808"},
                                                   {kind::uint8, "256"},
                                                   {kind::uint8, "-1"},
                                                   {kind::uint16, "65536"},
                                                   {kind::uint32, "4294967296"},
                                                   {kind::uint64, "18446744073709551616"},
                                                   {kind::float32, "1e39"},
                                                   {kind::date, "2024-02-29T00:00:00Z"}};
    for (const auto& [k, value] : beyond)
        CHECK(parse_failure(edge::message("x,y\n,\n", value, ",\n"), {.kinds = {{"x", k}}}) ==
              edge::message("a.csv: row 3 (line 3), column 'x': '", value, "' is not of kind ", to_string(k)));
    const table edges =
        parse_csv("a,b\n127,-128\n-128,127\n", "a.csv", {.kinds = {{"a", kind::int8}, {"b", kind::int8}}});
    CHECK(edges.column("a").values<std::int8_t>()[1] == -128);
}

TEST_CASE("few different strings become codes where that is asked for", "[frame][csv]") {
    const table t = parse_csv("few,many\na,1x\nb,2x\n,3x\na,4x\n", "a.csv", {.dictionary = true});
    CHECK(t.column("few").is_dictionary());
    CHECK(t.column("few").text(3) == "a");
    CHECK_FALSE(t.column("few").is_valid(2));
    CHECK_FALSE(t.column("many").is_dictionary());
}

TEST_CASE("a table does not depend on how its text was cut, nor on threads", "[frame][csv]") {
    std::vector<std::string> texts{"a,b\n1,\"x\"\"\ny\"\n2,\n",
                                   "a\n\"\"\n\n\"\"",
                                   "a,b\r\n1,2\r\n\r\n3,4\r\n",
                                   "a,b\n1,x\"y\"\n2,\"z\"\n\"3\",\n",
                                   "a,b\n\"1\"x,2\n",
                                   "a,b\n1,\"torn\n2,3\n4,5\n",
                                   "\n\n\na,b\n\n1,2\n\n",
                                   "a,b\n,\n,\n",
                                   "a,b\n1,2\n3\n4,5,6\n",
                                   "a,b\n1,\xFF\n",
                                   "#c\na,b\n#\"\n1,2\n#,,,\n3,\"#4\"\n",
                                   "a,b\n\"x\",\"\"\"\"\n\"\"\"\",\"y\"\"\"\n"};
    std::mt19937 random(7);
    const char* const cells[] = {"1",          "-2.5",
                                 "x",          "\"q,\n\"",
                                 "\"\"",       "",
                                 "2024-01-01", "2024-01-01T00:00:00Z",
                                 "true",       "\"a\"\"b\"",
                                 "NA",         "18446744073709551615",
                                 "s\"t",       "\xE2\x82\xAC"};
    for (int i = 0; i < 60; ++i) {
        std::string text = "a,b,c\n";
        const std::size_t some = 1 + random() % std::size(cells);
        for (std::size_t row = random() % 40; row > 0; --row) {
            for (int c = 0; c < 3; ++c) text += std::string(c == 0 ? "" : ",") + cells[random() % some];
            text += random() % 5 == 0 ? "\r\n" : random() % 9 == 0 ? "\n#x\n" : "\n";
            if (random() % 60 == 0) text += "1,2\n";
        }
        texts.push_back(text);
    }
    if (const auto folder = test_data("csv/fuzz"))
        for (const auto& entry : std::filesystem::directory_iterator(*folder))
            if (entry.file_size() < 2000) texts.push_back(edge::read_text_file(entry.path()));
    const csv_options variants[] = {{},
                                    {.comment = '#', .missing = {"NA"}, .ragged = ragged_rows::skip, .threads = 1},
                                    {.header = false, .ragged = ragged_rows::pad, .dictionary = true}};
    for (const std::string& text : texts) {
        for (csv_options options : variants) {
            options.threads = 1;
            const std::string expected = outcome(text, options, std::size_t{1} << 20);
            for (const std::size_t bytes : {64U, 192U}) {
                options.threads = bytes == 64 ? 3 : 2;
                INFO("pieces of " << bytes << " bytes of:\n" << text);
                REQUIRE(outcome(text, options, bytes) == expected);
            }
        }
    }
}

TEST_CASE("progress grows to the whole, from one thread at a time", "[frame][csv]") {
    std::string text = "a,b\n";
    for (int i = 0; i < 2000; ++i) text += "12,34\n";
    std::uint64_t last = 0;
    const csv_options options{.threads = 2, .progress = [&](std::uint64_t done, std::uint64_t total) {
                                  CHECK(done > last);
                                  CHECK(total == 12'000);
                                  last = done;
                              }};
    (void)detail::parse_csv_in_pieces(text, "a.csv", options, 512);
    CHECK(last == 12'000);
}
