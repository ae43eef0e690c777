// SPDX-License-Identifier: MIT
#include <edge/frame/dictionary.hpp>
#include <edge/frame/print.hpp>

#include "support/catch.hpp"

using namespace edge::frame;

namespace {

using ints = std::vector<std::int64_t>;
using texts = std::vector<std::string>;

table small() {
    return {{"ts", column::timestamps({0, 1'500'000'000})},
            {"n", column(ints{7, -1234}, {true, false})},
            {"x", column(std::vector<double>{1.0 / 3, 1e20})},
            {"place", dictionary_encoded(column(texts{"left", "größe"}))},
            {"ok", column(std::vector<bool>{true, false})}};
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all(1);
    for (const char c : text) {
        if (c == '\n')
            all.emplace_back();
        else
            all.back() += c;
    }
    all.pop_back();
    return all;
}

}  // namespace

TEST_CASE("a table is printed with kinds below names and numbers to the right", "[frame][print]") {
    CHECK(to_text(small()) ==
          "ts                            n         x  place   ok\n"
          "timestamp                 int64   float64  string  boolean\n"
          "1970-01-01T00:00:00Z          7  0.333333  left    true\n"
          "1970-01-01T00:00:01.500Z   null     1e+20  größe   false\n"
          "2 rows, 5 columns\n");
}

TEST_CASE("rows and columns that do not fit are left out in the middle", "[frame][print]") {
    table wide;
    for (int c = 0; c < 30; ++c) {
        ints values(100);
        for (std::size_t i = 0; i < 100; ++i) values[i] = static_cast<std::int64_t>(i);
        wide.add("column" + std::to_string(c), column(values));
    }
    CHECK(to_text(wide, {.width = 40, .max_rows = 3}) ==
          "column0  column1  …  column28  column29\n"
          "  int64    int64  …     int64     int64\n"
          "      0        0  …         0         0\n"
          "      1        1  …         1         1\n"
          "      …        …  …         …         …\n"
          "     99       99  …        99        99\n"
          "100 rows, 30 columns\n");
    for (const std::size_t width : {1U, 10U, 20U, 33U, 39U, 80U, 100U, 1000U}) {
        const auto printed = lines(to_text(wide, {.width = width}));
        CHECK(printed.size() == 24);
        for (const std::string& line : printed)
            CHECK(detail::display_width(line) <=
                  (std::max)(width, std::size_t{20}));  // a column and the last line, always
    }
    CHECK(lines(to_text(wide, {.width = 0, .max_rows = 0})).size() == 103);
    CHECK(lines(to_text(wide, {.width = 0, .max_rows = 0}))[0].find("column15") != std::string::npos);
    CHECK(lines(to_text(wide, {.max_rows = 1}))[3].find("…") != std::string::npos);
    CHECK(to_text(table()) == "0 rows, 0 columns\n");
    CHECK(to_text(wide.select("column3").slice(0, 1)) == "column3\n  int64\n      0\n1 row, 1 column\n");
}

TEST_CASE("text takes the columns that a terminal gives it, and no control characters", "[frame][print]") {
    CHECK(detail::display_width("größe") == 5);
    CHECK(detail::display_width("日本") == 4);
    CHECK(detail::display_width("\xF0\x9F\x9A\x80") == 2);
    CHECK(detail::display_width("e\xCC\x81") == 1);     // a letter and its accent
    CHECK(detail::display_width("\xFF\xC3") == 2);      // no UTF-8
    CHECK(detail::display_width("\xED\xA0\x80") == 3);  // half of a pair
    CHECK(detail::displayed("a\nb\x1B[31m", 40) == "a\\nb\xEF\xBF\xBD[31m");
    CHECK(detail::displayed("\xFF!", 40) == "\xEF\xBF\xBD!");
    CHECK(detail::displayed("abcdef", 6) == "abcdef");
    CHECK(detail::displayed("abcdefg", 6) == "abcde…");
    CHECK(detail::displayed("日本語", 5) == "日本…");
    CHECK(detail::displayed("日本語", 4) == "日…");
    const table t{{"名前", column(texts{"日本", "a"})}, {"n", column(ints{1, 22})}};
    CHECK(to_text(t) == "名前        n\nstring  int64\n日本        1\na          22\n2 rows, 2 columns\n");
    CHECK(to_text(table{{"t", column(texts{std::string(100, 'x')})}}, {.max_text = 10}) ==
          "t\nstring\nxxxxxxxxx…\n1 row, 1 column\n");
}

TEST_CASE("floats are printed as short as asked", "[frame][print]") {
    const table t{{"x", column(std::vector<double>{0.1 + 0.2, 100, 1e-9})}};
    CHECK(to_text(t, {.digits = 3}) == "      x\nfloat64\n    0.3\n    100\n  1e-09\n3 rows, 1 column\n");
    CHECK(to_text(t, {.digits = 0}).find("0.30000000000000004") != std::string::npos);
}

TEST_CASE("a table in a page is escaped and says what is missing", "[frame][print]") {
    const table t{{"a<b", column(texts{"x & \"y\"", "<script>", "c", "d"}, {true, true, false, true})},
                  {"n", column(ints{1, 2, 3, 4})}};
    CHECK(to_html(t, {.max_rows = 3}) ==
          "<table class=\"edge-table\">\n<thead>\n<tr><th>a&lt;b</th><th>n</th></tr>\n"
          "<tr class=\"kinds\"><td>string</td><td>int64</td></tr>\n</thead>\n<tbody>\n"
          "<tr><td>x &amp; &quot;y&quot;</td><td class=\"number\">1</td></tr>\n"
          "<tr><td>&lt;script&gt;</td><td class=\"number\">2</td></tr>\n"
          "<tr class=\"gap\"><td colspan=\"2\">… 1 more</td></tr>\n"
          "<tr><td>d</td><td class=\"number\">4</td></tr>\n</tbody>\n</table>\n");
    CHECK(to_html(t).find("<td class=\"null\">null</td>") != std::string::npos);
}
