// SPDX-License-Identifier: MIT
#include <edge/frame/csv.hpp>
#include <edge/frame/dictionary.hpp>

#include "support/catch.hpp"
#include "support/raised.hpp"
#include "support/temporary_folder.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

using namespace edge::frame;

namespace {

/// As std::to_chars writes it, and as a float.
template <class T>
std::string slowly(T value) {
    char digits[64];
    std::string text(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    if constexpr (std::is_floating_point_v<T>)
        if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
}

template <class Writer, class T>
void check_float(Writer& writer, T value) {
    char text[2 * detail::number_room];
    const std::string quick(text, writer.put(text, value));
    if (quick != slowly(value)) FAIL_CHECK(quick << " for " << slowly(value));
}

}  // namespace

TEST_CASE("numbers are written as std::to_chars writes them", "[frame][csv]") {
    std::mt19937_64 random(5);
    detail::float_writer<double> doubles;
    detail::float_writer<float> floats;
    char text[2 * detail::number_room];
    for (int i = 0; i < 40'000; ++i) {
        double v = 0;
        const double power = std::pow(10.0, static_cast<double>(random() % 18));
        switch (random() % 6) {
            case 0: v = std::bit_cast<double>(random()); break;
            case 1: v = static_cast<double>(random() % 2'000'000'000'000) / power; break;
            case 2: v = static_cast<double>(random() % 1000) * power; break;
            case 3: v = static_cast<double>(random() >> (11 + random() % 50)); break;
            case 4: v = static_cast<double>(random()) / power; break;
            default: v = static_cast<double>(random() % 1000) / 1000;
        }
        if (random() % 2 != 0) v = -v;
        check_float(doubles, v);
        check_float(floats, static_cast<float>(v));
        const std::uint64_t u = random() >> random() % 64;
        CHECK(std::string(text, detail::put_unsigned(text, u)) == slowly(u));
        CHECK(std::string(text, detail::put_signed(text, -static_cast<std::int64_t>(u >> 1))) ==
              slowly(-static_cast<std::int64_t>(u >> 1)));
    }
    for (const double v : {0.0, -0.0, 1.0, 1e5, 1e15, 999999999999999.0, 0.1, 1e-4, 5e-324, 0.1 + 0.2, 1e300})
        check_float(doubles, v);
    for (const float v : {2775240.25F, 16777216.0F, 8.065563e13F, 0.3F, 1e-45F}) check_float(floats, v);
    check_float(doubles, std::numeric_limits<double>::infinity());
    check_float(doubles, std::numeric_limits<double>::quiet_NaN());
    CHECK(std::string(text, detail::put_signed(text, (std::numeric_limits<std::int64_t>::min)())) ==
          "-9223372036854775808");
}

TEST_CASE("every kind is written, and the same by any number of threads", "[frame][csv]") {
    std::mt19937_64 random(6);
    table t;
    const std::size_t rows = 60'000;
    std::vector<std::int64_t> times(rows);
    std::vector<double> values(rows);
    std::vector<std::string> words(rows);
    std::vector<bool> valid(rows);
    const char* const some[] = {"word", "a,b", "\"", "a longer text, of two\nlines", "", "\xEF\xBB\xBFx"};
    for (std::size_t i = 0; i < rows; ++i) {
        times[i] = static_cast<std::int64_t>(random());
        values[i] = static_cast<double>(random() % 100'000) / 100;
        words[i] = some[random() % std::size(some)];
        valid[i] = random() % 3 != 0;
    }
    t.add("time", column::timestamps(times, valid));
    for (int i = 0; i < 20; ++i) t.add(edge::message("v", i), column(values));
    t.add("word", column(words, valid));
    t.add("code", dictionary_encoded(t.column("word")));
    const std::string one = to_csv(t, {.threads = 1});
    CHECK(one == to_csv(t, {.threads = 3}));
    const table again = parse_csv(one);
    REQUIRE(again.rows() == rows);
    std::size_t different = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        different +=
            again.column("time").is_valid(i) != valid[i] || again.column("v0").values<double>()[i] != values[i];
        if (!valid[i]) continue;
        different += again.column("time").values<std::int64_t>()[i] != times[i] ||
                     again.column("word").text(i) != words[i] || again.column("code").text(i) != words[i];
    }
    CHECK(different == 0);

    const temporary_folder folder;
    csv_writer out(folder / "a.csv", {.threads = 2});
    out.write(t.slice(0, 1000));
    out.write(t.slice(1000, rows - 1000));
    CHECK_FALSE(std::filesystem::exists(folder / "a.csv"));
    CHECK_THROWS_AS(out.write(table{{"time", column::missing(kind::date, 1)}}), edge::argument_error);
    out.close();
    CHECK(out.rows() == rows);
    CHECK(edge::read_text_file(folder / "a.csv") == one);
    CHECK_THROWS_AS(out.write(t), edge::io_error);
    CHECK_THROWS_AS(out.close(), edge::io_error);
}

TEST_CASE("delimiters and dates that would be read wrong are quoted", "[frame][csv]") {
    const table t{{"d", column::dates({19'782, -1})}, {"t", column::timestamps({0, 1'500'000'000})}};
    CHECK(to_csv(t) == "d,t\n2024-02-29,1970-01-01T00:00:00Z\n1969-12-31,1970-01-01T00:00:01.500Z\n");
    CHECK(parse_csv(to_csv(t, ':'), "a", {.delimiter = ':'}).column("t").values<std::int64_t>()[1] == 1'500'000'000);
    CHECK(to_csv(t, {.header = false}).starts_with("2024"));
    CHECK(to_csv(table{}) == "\n");
    CHECK_THROWS_AS(to_csv(t, '.'), edge::argument_error);
}

TEST_CASE("every date of int32 days is written and read back", "[frame][timestamp]") {
    std::mt19937_64 random(8);
    for (int i = 0; i < 2000; ++i) {
        const auto days = i == 0   ? INT32_MIN
                          : i == 1 ? INT32_MAX
                                   : static_cast<std::int32_t>(random()) >> random() % 16;
        REQUIRE(parse_date(format_date(days)) == days);
    }
    CHECK(format_date(2'932'897) == "+10000-01-01");
    CHECK(parse_csv("x,y\n-0001-01-01,\n+10000-01-01,\n").column("x").kind() == kind::date);
    for (const char* bad :
         {"", "+", "-1-01-01", "+123-01-01", "2024-1-01", "+9999999-01-01", "20240-01-01", "2024-01-01Z"})
        CHECK_FALSE(parse_date(bad));
}
