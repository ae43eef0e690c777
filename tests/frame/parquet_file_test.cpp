// SPDX-License-Identifier: MIT
// Whole Parquet files: what is written is read again; what is damaged is refused.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

#include <edge/frame/parquet.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace edge;
using namespace edge::frame;

namespace {

/// Why the tables differ, or nothing. Floats are compared by their bits, so that NaN and -0 count.
std::string difference(const table& a, const table& b) {
    if (a.names().size() != b.names().size() || a.rows() != b.rows())
        return message(a.rows(), " rows of ", a.names().size(), " columns, ", b.rows(), " of ", b.names().size());
    for (std::size_t c = 0; c < a.names().size(); ++c) {
        const column& x = a.columns()[c];
        const column& y = b.columns()[c];
        if (a.names()[c] != b.names()[c] || x.kind() != y.kind())
            return message("column ", c, ": ", a.names()[c], " of ", to_string(x.kind()), ", ", b.names()[c], " of ",
                           to_string(y.kind()));
        for (std::size_t i = 0; i < x.size(); ++i) {
            bool same = x.is_valid(i) == y.is_valid(i);
            if (same && x.is_valid(i)) {
                switch (x.kind()) {
                    case kind::boolean: same = x.boolean(i) == y.boolean(i); break;
                    case kind::string: same = x.text(i) == y.text(i); break;
                    default:
                        same = dispatch_stored(x.kind(), [&]<class T>() {
                            return std::memcmp(&x.values<T>()[i], &y.values<T>()[i], sizeof(T)) == 0;
                        });
                }
            }
            if (!same) return message("column '", a.names()[c], "', row ", i);
        }
    }
    return {};
}

template <class T>
std::vector<T> awkward(std::size_t rows) {
    using limits = std::numeric_limits<T>;
    std::vector<T> seeds{T{0}, T{1}, static_cast<T>(-1), (limits::max)(), limits::lowest()};
    if constexpr (std::is_floating_point_v<T>)
        for (const T v : {-T{0}, limits::quiet_NaN(), limits::infinity(), -limits::infinity(), limits::denorm_min(),
                          (limits::min)()})
            seeds.push_back(v);
    std::vector<T> values(rows);
    for (std::size_t i = 0; i < rows; ++i) values[i] = seeds[i % seeds.size()];
    return values;
}

/// Every kind, each with and without missing values, with the values that are easily lost.
table every_kind(std::size_t rows, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::vector<bool> valid(rows);
    std::vector<bool> none(rows, false);
    std::vector<bool> flags(rows);
    std::vector<std::string> words(rows);
    std::vector<std::string> lines(rows);
    std::vector<std::int64_t> ns(rows);
    std::vector<double> readings(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        valid[i] = random() % 3 != 0;
        flags[i] = random() % 2 != 0;
        words[i] = std::vector<std::string>{"", "left", "na\xC3\xAFve", std::string("nul\0inside", 10),
                                            "\xF0\x9F\x9A\x80"}[random() % 5];
        lines[i] = "line " + std::to_string(random());
        ns[i] = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 5'000'000;
        readings[i] = static_cast<double>(random()) / 1e5;
    }
    table t;
    for (const bool gaps : {false, true}) {
        const std::vector<bool>& v = gaps ? valid : std::vector<bool>{};
        const std::string end = gaps ? "_gaps" : "";
        t.add("flag" + end, column(flags, v));
        t.add("i32" + end, column(awkward<std::int32_t>(rows), v));
        t.add("i64" + end, column(awkward<std::int64_t>(rows), v));
        t.add("f32" + end, column(awkward<float>(rows), v));
        t.add("f64" + end, column(awkward<double>(rows), v));
        t.add("reading" + end, column(readings, v));
        t.add("ts" + end, column::timestamps(ns, v));
        t.add("word" + end, column(words, v));
        t.add("line" + end, column(lines, v));
        t.add("i8" + end, column(awkward<std::int8_t>(rows), v));
        t.add("i16" + end, column(awkward<std::int16_t>(rows), v));
        t.add("u8" + end, column(awkward<std::uint8_t>(rows), v));
        t.add("u16" + end, column(awkward<std::uint16_t>(rows), v));
        t.add("u32" + end, column(awkward<std::uint32_t>(rows), v));
        t.add("u64" + end, column(awkward<std::uint64_t>(rows), v));
        t.add("date" + end, column::dates(awkward<std::int32_t>(rows), v));
    }
    for (const std::string_view name : kind_names)
        t.add(message("missing_", name), column::missing(kind_from_string(name), rows));
    return t;
}

std::vector<std::byte> file_of(const table& t, const parquet_options& options = {}) {
    const temporary_folder folder;
    write_parquet(folder / "t.parquet", t, options);
    return read_file(folder / "t.parquet");
}

table parse(std::span<const std::byte> bytes, const parquet_read_options& options = {}) {
    return parquet_reader(bytes, "t.parquet", options).read();
}

std::vector<codec> codecs() {
    std::vector<codec> all;
    for (const codec c : {codec::none, codec::snappy, codec::zstd, codec::gzip})
        if (is_available(c)) all.push_back(c);
    return all;
}

}  // namespace

TEST_CASE("what is written is read again, every kind, codec and layout", "[frame][parquet]") {
    for (const std::size_t rows : std::vector<std::size_t>{0, 1, 7, 8, 9, 1000}) {
        const table t = every_kind(rows);
        for (const codec c : codecs())
            for (const bool dictionary : {false, true})
                for (const std::size_t group : std::vector<std::size_t>{7, 64, 100'000}) {
                    if (rows == 1000 && group == 7) continue;
                    INFO(rows << " rows, " << to_string(c) << ", dictionary " << dictionary << ", row groups of "
                              << group);
                    const auto bytes =
                        file_of(t, {.codec = c, .row_group_rows = group, .page_bytes = 200, .dictionary = dictionary});
                    CHECK(difference(parse(bytes), t) == "");
                }
    }
}

TEST_CASE("slices are written as they are seen", "[frame][parquet]") {
    const table t = every_kind(100);
    for (const std::size_t first : std::vector<std::size_t>{1, 3, 8, 50})
        CHECK(difference(parse(file_of(t.slice(first, 37))), t.slice(first, 37)) == "");
}

TEST_CASE("a file is read by row groups and by columns", "[frame][parquet]") {
    const temporary_folder folder;
    const table t = every_kind(250);
    write_parquet(folder / "t.parquet", t, {.row_group_rows = 100});
    parquet_reader file(folder / "t.parquet");
    CHECK(file.rows() == 250);
    REQUIRE(file.row_groups() == 3);
    for (std::size_t g = 0; g < 3; ++g)
        CHECK(difference(file.read_row_group(g), t.slice(g * 100, g == 2 ? 50 : 100)) == "");
    CHECK(difference(file.read_row_groups(1, 3), t.slice(100, 150)) == "");
    CHECK_THROWS_AS(file.read_row_groups(2, 2), argument_error);
    CHECK(file.row_groups_with(0, 1) == 1);
    CHECK(file.row_groups_with(0, 101) == 2);
    CHECK(file.row_groups_with(1, 1000) == 3);
    CHECK(file.row_groups_with(2, 0) == 3);
    CHECK(file.row_groups_with(3, 1) == 3);
    CHECK(difference(file.read_row_group(1, {"word", "i32"}), t.select("word", "i32").slice(100, 100)) == "");
    CHECK(difference(read_parquet(folder / "t.parquet", {.columns = {"ts", "flag"}}), t.select("ts", "flag")) == "");
    CHECK(file.schema().front() == std::pair<std::string, kind>("flag", kind::boolean));
    CHECK(says<argument_error>([&] { static_cast<void>(file.read_row_group(3)); },
                               "row groups 3 to 4, end excluded, of 3"));
    CHECK(says<argument_error>([&] { parquet_reader(folder / "t.parquet", {.columns = {"nope"}}); },
                               "no column 'nope'; there are: flag, i32"));
}

TEST_CASE("any number of threads reads the same", "[frame][parquet]") {
    const table t = every_kind(500);
    const auto bytes = file_of(t, {.row_group_rows = 70, .page_bytes = 256});
    for (const int threads : {1, 2, 3}) CHECK(difference(t, parse(bytes, {.threads = threads})).empty());
}

TEST_CASE("any number of threads, and both encodings of strings, write the same bytes", "[frame][parquet]") {
    const table t = every_kind(500);
    const auto bytes = file_of(t, {.row_group_rows = 70, .threads = 1});
    CHECK(file_of(t, {.row_group_rows = 70, .threads = 3}) == bytes);
    table coded = t;
    for (std::size_t c = 0; c < t.names().size(); ++c)
        if (t.columns()[c].kind() == kind::string) coded = coded.with(t.names()[c], dictionary_encoded(t.columns()[c]));
    CHECK(file_of(coded, {.row_group_rows = 70}) == bytes);
}

TEST_CASE("strings are read as codes where that is asked for", "[frame][parquet]") {
    const table t = every_kind(500);
    for (const bool dictionary : {false, true}) {
        const auto bytes = file_of(t, {.row_group_rows = 70, .page_bytes = 256, .dictionary = dictionary});
        const table coded = parse(bytes, {.dictionary = true});
        CHECK(difference(t, coded).empty());
        CHECK(coded.column("word_gaps").is_dictionary());
        CHECK(coded.column("word").dictionary().size() == 5);
        CHECK(difference(t, parse(file_of(coded), {})).empty());
    }
}

TEST_CASE("row groups of strings are read apart, and are one column as if one after the other", "[frame][parquet]") {
    // Row groups of 100: few words, others, only missing, some of both, all different, few again.
    std::vector<std::string> texts(550);
    std::vector<bool> valid(550);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::size_t group = i / 100;
        valid[i] = group != 2 && (group != 3 || i % 3 == 0);
        texts[i] = group == 4 ? message("a text of its own, ", i * i) : message("w", i % (3 + 2 * group));
    }
    const table few{{"w", column(texts, valid)}};
    const table encoded_first = few.slice(0, 400);
    for (const bool dictionary : {false, true}) {
        const auto bytes =
            file_of(few, {.row_group_rows = 100, .page_bytes = 200, .dictionary = dictionary, .threads = 1});
        for (const int threads : {1, 2, 7}) {
            CHECK(difference(few, parse(bytes, {.threads = threads})) == "");
            const table coded = parse(bytes, {.dictionary = true, .threads = threads});
            CHECK(difference(few, coded) == "");
            const column alone = parse(bytes, {.dictionary = true, .threads = 1}).column("w");
            REQUIRE(coded.column("w").is_dictionary());
            CHECK(
                std::equal(coded.column("w").codes().begin(), coded.column("w").codes().end(), alone.codes().begin()));
            CHECK(difference({{"w", coded.column("w").dictionary()}}, {{"w", alone.dictionary()}}) == "");
            const parquet_read_options options{.dictionary = true, .threads = threads};
            parquet_reader file(bytes, "t", options);
            CHECK(difference(file.read_row_groups(0, 4), encoded_first) == "");
            CHECK(difference(file.read_row_groups(2, 3), few.slice(200, 100)) == "");
            CHECK(difference(file.read_row_groups(1, 6), few.slice(100, 450)) == "");
        }
    }
}

TEST_CASE("strings that are nearly all different stay texts, whichever row group they are in", "[frame][parquet]") {
    std::vector<std::string> texts(60'000);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = message(i / 20'000 == 1 ? i : i % 50);
    const table t{{"w", column(texts)}};
    for (const bool dictionary : {false, true}) {  // in the file: a page has its texts, or the writer chooses
        const auto bytes = file_of(t, {.row_group_rows = 20'000, .dictionary = dictionary});
        for (const int threads : {1, 2}) {
            parquet_reader file(bytes, "t", {.dictionary = true, .threads = threads});
            const table all = file.read();
            CHECK(difference(all, t) == "");
            CHECK(!all.column("w").is_dictionary());
            CHECK(file.read_row_group(0).column("w").is_dictionary());
            CHECK(!file.read_row_group(1).column("w").is_dictionary());
            CHECK(difference(file.read_row_groups(1, 3), t.slice(20'000, 40'000)) == "");
        }
    }
}

TEST_CASE("parts of a column of strings count their codes in dictionaries of their own", "[frame][parquet]") {
    parquet::byte_budget budget(1 << 20);
    const auto texts = [](const std::vector<std::string>& all) {
        auto sink = std::make_shared<parquet::column_sink>(kind::string);
        for (const std::string& t : all) {
            sink->text.append(t);
            sink->values.push_back(static_cast<std::int64_t>(sink->text.size()));
        }
        sink->rows = all.size();
        sink->validity.append(all.size(), true);
        return sink;
    };
    const auto part = [](std::shared_ptr<const parquet::column_sink> dictionary,
                         const std::vector<std::int32_t>& codes) {
        parquet::column_sink sink(kind::string, true);
        sink.stored = std::move(dictionary);
        for (const std::int32_t code : codes) {
            sink.values.push_back((std::max)(code, 0));
            sink.validity.push_back(code >= 0);  // -1: missing
        }
        sink.rows = codes.size();
        return sink;
    };
    const auto first = texts({"b", "a", "b"});  // one text twice
    const auto second = texts({"c", "a"});
    const std::vector<std::string> wanted{"b", "b", "a", "", "c", "", "a"};
    for (const int plain_at : {-1, 0, 1}) {
        parquet::column_sink all(kind::string, true);
        std::vector<parquet::column_sink> parts;
        parts.push_back(part(first, {0, 2, 1, -1}));
        parts.push_back(part(second, {0, -1, 1}));
        for (int p = 0; p < 2; ++p) {
            if (p == plain_at) parts[static_cast<std::size_t>(p)].write_out(budget);
            all.append(std::move(parts[static_cast<std::size_t>(p)]), budget);
        }
        const column c = all.finish();
        CHECK(c.is_dictionary() == (plain_at < 0));
        if (plain_at < 0) CHECK(c.dictionary().size() == 3);
        REQUIRE(c.size() == wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            CHECK(c.is_valid(i) == !wanted[i].empty());
            if (c.is_valid(i)) CHECK(c.text(i) == wanted[i]);
            if (!c.is_valid(i) && plain_at < 0) CHECK(c.codes()[i] == 0);
        }
    }
    parquet::column_sink numbered = part(first, {2, -1, 1});
    numbered.number_stored();
    CHECK(numbered.words->size() == 2);
    CHECK((*numbered.words)[static_cast<std::size_t>(numbered.values.as<std::int32_t>()[0])] == "b");
    CHECK((*numbered.words)[static_cast<std::size_t>(numbered.values.as<std::int32_t>()[2])] == "a");
}

TEST_CASE("the files of a folder are one table", "[frame][parquet]") {
    const temporary_folder folder;
    const table t = every_kind(90);
    write_parquet(folder / "1.parquet", t.slice(0, 40));
    write_parquet(folder / "2.parquet", t.slice(40, 0));
    table turned;  // the same columns in another order
    for (std::size_t c = t.names().size(); c-- > 0;) turned.add(t.names()[c], t.columns()[c].slice(40, 50));
    write_parquet(folder / "3.parquet", turned);
    CHECK(difference(read_parquet(folder.path()), t) == "");
    CHECK(difference(read_parquet(folder / "?.parquet"), t) == "");
}

TEST_CASE("files that do not go together are refused by name", "[frame][parquet]") {
    const temporary_folder folder;
    write_parquet(folder / "1.parquet", table{{"x", column(std::vector<int>{1})}, {"y", column(std::vector<int>{1})}});
    write_parquet(folder / "2.parquet", table{{"x", column(std::vector<int>{2})}});
    CHECK(says<argument_error>([&] { static_cast<void>(read_parquet(folder / "?.parquet")); },
                               "2.parquet: no column 'y'"));
    CHECK(read_parquet(folder.path(), {.columns = {"x"}}).rows() == 2);
    write_parquet(folder / "2.parquet",
                  table{{"x", column(std::vector<double>{2})}, {"y", column(std::vector<int>{1})}});
    CHECK(says<argument_error>([&] { static_cast<void>(read_parquet(folder.path())); },
                               "2.parquet: column 'x' is of float64; expected int32"));
    CHECK_THROWS_AS(read_parquet(folder / "missing.parquet"), io_error);
    CHECK_THROWS_AS(read_parquet(folder / "*.nothing"), io_error);
}

TEST_CASE("statistics hold what readers may rely on", "[frame][parquet]") {
    const auto bounds = [](const column& c) {
        const auto bytes = file_of(table{{"x", c}});
        return parquet_reader(bytes, "t").metadata().row_groups.front().columns.front().statistics;
    };
    const auto number = [](const std::optional<std::string>& text, auto like) {
        REQUIRE(text);
        REQUIRE(text->size() == sizeof like);
        std::memcpy(&like, text->data(), sizeof like);
        return like;
    };
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    const auto s = bounds(column(std::vector<std::int32_t>{5, -3, 9, 100}, {true, true, true, false}));
    CHECK(number(s.min, 0) == -3);
    CHECK(number(s.max, 0) == 9);  // what is missing counts for nothing
    CHECK(s.null_count == 1);
    const auto f = bounds(column(std::vector<double>{nan, 2.0, nan, 1.0}));
    CHECK(number(f.min, 0.0) == 1.0);
    CHECK(number(f.max, 0.0) == 2.0);
    // A reader cannot know which zero was meant, so the bounds hold both.
    const auto z = bounds(column(std::vector<double>{0.0, 0.0}));
    CHECK(std::signbit(number(z.min, 0.0)));
    CHECK_FALSE(std::signbit(number(bounds(column(std::vector<double>{-0.0})).max, 0.0)));
    CHECK_FALSE(bounds(column(std::vector<double>{nan})).min);
    CHECK_FALSE(bounds(column::missing(kind::int64, 3)).max);
    CHECK(bounds(column::missing(kind::int64, 3)).null_count == 3);
    const auto text = bounds(column(std::vector<std::string>{"b", "\xC3\xA4", "a"}));
    CHECK(text.min == "a");
    CHECK(text.max == "\xC3\xA4");  // bytes are compared unsigned
    CHECK_FALSE(bounds(column(std::vector<std::string>{std::string(1000, 'x')})).min);
    const auto flags = bounds(column(std::vector<bool>{true, true}));
    CHECK(flags.min == std::string(1, '\1'));
}

TEST_CASE("the footer names the writer, the types and the encodings", "[frame][parquet]") {
    const auto bytes = file_of(every_kind(5000));
    const parquet_reader reader(bytes, "t");
    const auto& file = reader.metadata();
    CHECK(file.created_by.starts_with("edge version 0.1.0 (build "));
    CHECK(file.rows == 5000);
    const auto has = [&](const char* name, parquet::encoding e) {
        for (std::size_t c = 0; c < file.row_groups[0].columns.size(); ++c)
            if (file.schema[c + 1].name == name)
                return (file.row_groups[0].columns[c].dictionary_page_offset != 0) ==
                       (e == parquet::encoding::rle_dictionary);
        return false;
    };
    CHECK(has("word", parquet::encoding::rle_dictionary));  // few distinct
    CHECK(has("i64_gaps", parquet::encoding::rle_dictionary));
    CHECK(has("reading", parquet::encoding::plain));  // all distinct
    CHECK(has("ts", parquet::encoding::plain));
    CHECK(has("line_gaps", parquet::encoding::plain));
    CHECK(file.schema[7].meaning == parquet::logical::timestamp);
    CHECK(file.schema[8].meaning == parquet::logical::string);
}

TEST_CASE("strings that are not UTF-8 are kept, as plain bytes", "[frame][parquet]") {
    const table t{{"raw", column(std::vector<std::string>{"fine", "\xFF\xFE"})},
                  {"text", column(std::vector<std::string>{"a", "b"})}};
    const auto bytes = file_of(t);
    const parquet_reader reader(bytes, "t");
    CHECK(reader.metadata().schema[1].meaning == parquet::logical::none);
    CHECK(reader.metadata().schema[2].meaning == parquet::logical::string);
    CHECK(difference(parse(bytes), t) == "");
}

TEST_CASE("a writer takes tables of one schema, and nothing appears before it closes", "[frame][parquet]") {
    const temporary_folder folder;
    const auto path = folder / "t.parquet";
    const table t = every_kind(30);
    {
        parquet_writer file(path);
        file.write(t.slice(0, 10));
        file.write(t.slice(10, 0));
        file.write(t.slice(10, 20));
        CHECK(file.rows() == 30);
        CHECK(says<argument_error>([&] { file.write(t.select("ts")); },
                                   message("1 columns; expected ", t.names().size())));
        CHECK(says<argument_error>([&] { file.write(table{{"x", column()}}); }, "columns"));
        CHECK(std::filesystem::is_empty(folder.path()));
        file.close();
        CHECK_THROWS_AS(file.close(), io_error);
    }
    CHECK(difference(read_parquet(path), t) == "");
    {
        parquet_writer abandoned(folder / "u.parquet");
        abandoned.write(t);
    }
    CHECK_FALSE(std::filesystem::exists(folder / "u.parquet"));
    CHECK_THROWS_AS(write_parquet(folder / "none.parquet", table{}), argument_error);
    CHECK_THROWS_AS(parquet_writer(folder / "t2", {.row_group_rows = 0}), argument_error);
    CHECK_THROWS_AS(parquet_writer(folder / "no" / "such" / "t"), io_error);
}

TEST_CASE("no part of a file is taken for the whole", "[frame][parquet]") {
    const auto bytes = file_of(every_kind(20));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        INFO("the first " << n << " of " << bytes.size() << " bytes");
        REQUIRE_THROWS_AS(parse(std::span(bytes).first(n)), error);
        // Cut at the front, too: the offsets then point elsewhere.
        if (n != 0) REQUIRE_THROWS_AS(parse(std::span(bytes).subspan(n)), error);
    }
}

TEST_CASE("a damaged file is refused or read, and no damage inside a page goes unseen", "[frame][parquet]") {
    for (const codec c : codecs()) {
        const table t =
            every_kind(20).select("flag_gaps", "i32", "f64_gaps", "ts", "word_gaps", "line", "missing_int64");
        const auto good = file_of(t, {.codec = c});
        // The bytes that a checksum guards: all of a page but its header.
        std::vector<bool> guarded(good.size(), false);
        const parquet_reader whole(good, "t");
        for (const auto& chunk : whole.metadata().row_groups[0].columns) {
            auto at = static_cast<std::size_t>(chunk.dictionary_page_offset != 0 ? chunk.dictionary_page_offset
                                                                                 : chunk.data_page_offset);
            const std::size_t end = at + static_cast<std::size_t>(chunk.compressed_bytes);
            while (at < end) {
                const auto [header, length] = parquet::read_page_header(std::span(good).subspan(at));
                const auto size = static_cast<std::size_t>(header.compressed_bytes);
                for (std::size_t i = 0; i < size; ++i) guarded[at + length + i] = true;
                at += length + size;
            }
            CHECK(at == end);
        }
        std::size_t refused = 0;
        auto bytes = good;
        for (std::size_t at = 0; at < good.size(); ++at)
            for (const unsigned flip : {0x01U, 0xFFU}) {
                bytes[at] = good[at] ^ static_cast<std::byte>(flip);
                bool is_refused = false;
                try {
                    static_cast<void>(parse(bytes));
                } catch (const error&) {
                    is_refused = true;
                }
                bytes[at] = good[at];
                refused += is_refused ? 1 : 0;
                INFO(to_string(c) << ", byte " << at << " ^ " << flip);
                if (guarded[at]) REQUIRE(is_refused);
            }
        CHECK(refused < 2 * good.size());  // a name, for one, may be any
    }
}

TEST_CASE("an error says which file, column, row group and page", "[frame][parquet]") {
    const table t{{"ts", column(std::vector<std::int64_t>{1, 2, 3})}, {"ax", column(std::vector<double>{1, 2, 3})}};
    auto bytes = file_of(t, {.codec = codec::none, .row_group_rows = 2});
    const parquet_reader reader(bytes, "t");
    const auto page = static_cast<std::size_t>(reader.metadata().row_groups[1].columns[1].data_page_offset);
    const auto body = page + static_cast<std::size_t>(reader.metadata().row_groups[1].columns[1].compressed_bytes) - 1;
    bytes[body] ^= std::byte{1};
    CHECK(says<parse_error>([&] { static_cast<void>(parse(bytes)); },
                            message("t.parquet: column 'ax', row group 1: page at byte ", page, ": checksum")));
    CHECK(parse(bytes, {.verify_checksums = false}).rows() == 3);
    CHECK(parse(bytes, {.columns = {"ts"}}).rows() == 3);  // what is not asked for is not looked at
    CHECK(says<parse_error>([&] { static_cast<void>(parse(std::span(bytes).first(5))); },
                            "t.parquet: of 5 bytes is not a Parquet file"));
}

TEST_CASE("of several damaged row groups of strings the first is named, on any number of threads", "[frame][parquet]") {
    std::vector<std::string> texts(800);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = message("text ", i * i);
    auto bytes = file_of({{"w", column(texts)}}, {.codec = codec::none, .row_group_rows = 100});
    const parquet_reader reader(bytes, "t");
    for (const std::size_t group : {std::size_t{6}, std::size_t{2}, std::size_t{5}}) {
        const parquet::column_chunk& chunk = reader.metadata().row_groups[group].columns[0];
        bytes[static_cast<std::size_t>(chunk.data_page_offset + chunk.compressed_bytes) - 1] ^= std::byte{1};
        for (const int threads : {1, 2, 4})
            for (const bool dictionary : {false, true})
                CHECK(says<parse_error>(
                    [&] { static_cast<void>(parse(bytes, {.dictionary = dictionary, .threads = threads})); },
                    message("t.parquet: column 'w', row group ", group == 6 ? 6 : 2, ": page at byte ")));
    }
}

TEST_CASE("what a file can claim in few bytes has a limit", "[frame][parquet]") {
    const table t{{"x", column(std::vector<std::int64_t>(100'000, 7))}};  // a dictionary of one, indexes of no bits
    const auto bytes = file_of(t);
    CHECK(bytes.size() < 1000);
    CHECK(parse(bytes).rows() == 100'000);
    CHECK(says<parse_error>([&] { static_cast<void>(parse(bytes, {.max_bytes = 700'000})); }, "max_bytes"));
    CHECK(says<parse_error>([&] { static_cast<void>(parse(bytes, {.max_page_bytes = 3})); }, "max_page_bytes"));
    const table words{{"w", column(std::vector<std::string>(1000, std::string(5000, 'w')))}};
    CHECK(says<parse_error>([&] { static_cast<void>(parse(file_of(words), {.max_bytes = 4'000'000})); }, "max_bytes"));
    const auto groups = file_of(words, {.row_group_rows = 100});
    for (const int threads : {1, 2})
        CHECK(says<parse_error>([&] { static_cast<void>(parse(groups, {.max_bytes = 4'000'000, .threads = threads})); },
                                "max_bytes"));
}

TEST_CASE("conversions of types that are not ours", "[frame][parquet]") {
    using namespace edge::frame::parquet;
    // A page of stored values through the reader of a field with that meaning.
    const auto read = [](field f, const std::vector<std::byte>& bytes, std::size_t n, bool null_out_of_range = false) {
        byte_budget budget(1 << 20);
        value_reader values(f, budget, null_out_of_range);
        column_sink sink(f.kind);
        sink.validity.append(n, true);
        values.read(encoding::plain, bytes, n, n, sink.validity.view(), sink);
        sink.rows = n;
        return sink.finish();
    };
    const auto field_like = [](physical type, schema_element e) {
        file_metadata file;
        schema_element root;
        root.children = 1;
        e.type = type;
        file.schema = {root, e};
        return fields_of(file).front();
    };
    const auto stored_as = []<class T>(std::vector<T> values) {
        const auto view = std::as_bytes(std::span(values));
        return std::vector<std::byte>(view.begin(), view.end());
    };
    schema_element e;

    e.meaning = logical::timestamp;
    e.unit = time_unit::milliseconds;
    const auto ms = field_like(physical::int64, e);
    CHECK(ms.kind == kind::timestamp);
    const auto times = stored_as(std::vector<std::int64_t>{1, -1, 9'223'372'036'854});
    CHECK(read(ms, times, 3).values<std::int64_t>()[2] == 9'223'372'036'854'000'000);
    const auto late = stored_as(std::vector<std::int64_t>{1, 9'223'372'036'855});
    CHECK(says<unsupported_error>([&] { static_cast<void>(read(ms, late, 2)); }, "1677 to 2262"));
    CHECK(read(ms, late, 2, true).null_count() == 1);
    CHECK_FALSE(read(ms, late, 2, true).is_valid(1));

    e.meaning = logical::date;
    CHECK(read(field_like(physical::int32, e), stored_as(std::vector<std::int32_t>{-1}), 1).values<std::int32_t>()[0] ==
          -1);

    e.meaning = logical::integer;
    e.is_signed = false;
    e.bits = 32;
    CHECK(read(field_like(physical::int32, e), stored_as(std::vector<std::uint32_t>{4'000'000'000}), 1)
              .values<std::uint32_t>()[0] == 4'000'000'000);
    e.bits = 64;
    const auto u64 = field_like(physical::int64, e);
    CHECK(read(u64, stored_as(std::vector<std::uint64_t>{1ULL << 63}), 1).values<std::uint64_t>()[0] == 1ULL << 63);
    e.bits = 8;
    const auto u8 = field_like(physical::int32, e);
    CHECK(read(u8, stored_as(std::vector<std::int32_t>{255}), 1).values<std::uint8_t>()[0] == 255);
    CHECK(says<parse_error>([&] { static_cast<void>(read(u8, stored_as(std::vector<std::int32_t>{256}), 1)); },
                            "value 256 in a column of uint8"));

    e = {};
    e.meaning = logical::decimal;
    e.scale = 2;
    CHECK(read(field_like(physical::int32, e), stored_as(std::vector<std::int32_t>{-1234}), 1).values<double>()[0] ==
          -12.34);
    e.type_length = 3;
    const std::vector<std::byte> three{std::byte{0xFF}, std::byte{0xFB}, std::byte{0x2E}};  // -1234
    CHECK(read(field_like(physical::fixed_byte_array, e), three, 1).values<double>()[0] == -12.34);

    e = {};
    e.meaning = logical::float16;
    e.type_length = 2;
    const auto halves = stored_as(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x7C00, 0x0001, 0x8000, 0x7E00, 0x3555});
    const column h = read(field_like(physical::fixed_byte_array, e), halves, 7);
    CHECK(h.values<float>()[0] == 1.0F);
    CHECK(h.values<float>()[1] == -2.0F);
    CHECK(std::isinf(h.values<float>()[2]));
    CHECK(h.values<float>()[3] == std::ldexp(1.0F, -24));
    CHECK(std::signbit(h.values<float>()[4]));
    CHECK(std::isnan(h.values<float>()[5]));
    CHECK(h.values<float>()[6] == 0.333251953125F);

    e.meaning = logical::uuid;
    e.type_length = 16;
    std::vector<std::byte> uuid;
    for (unsigned i = 0; i < 16; ++i) uuid.push_back(static_cast<std::byte>(i * 17));
    CHECK(read(field_like(physical::fixed_byte_array, e), uuid, 1).text(0) == "00112233-4455-6677-8899-aabbccddeeff");
}
