// SPDX-License-Identifier: MIT
#include <edge/frame/arrow.hpp>

#include "support/catch.hpp"
#include "support/raised.hpp"

#include <limits>

using namespace edge::frame;
using edge::argument_error;
using edge::unsupported_error;

namespace {

using ints = std::vector<std::int64_t>;
using texts = std::vector<std::string>;

/// A producer's array that says how often it was released.
struct foreign {
    ArrowSchema schema{};
    ArrowArray array{};
    std::vector<const void*> buffers;
    std::vector<ArrowSchema*> child_schemas;
    std::vector<ArrowArray*> children;
    int schema_released = 0;
    int array_released = 0;

    foreign(const char* format, std::int64_t length, std::vector<const void*> from, const char* name = "c")
        : buffers(std::move(from)) {
        schema.format = format;
        schema.name = name;
        schema.private_data = this;
        schema.release = [](ArrowSchema* s) {
            ++static_cast<foreign*>(s->private_data)->schema_released;
            s->release = nullptr;
        };
        array.length = length;
        array.null_count = buffers.empty() || buffers[0] == nullptr ? 0 : -1;
        array.n_buffers = static_cast<std::int64_t>(buffers.size());
        array.buffers = buffers.data();
        array.private_data = this;
        array.release = [](ArrowArray* a) {
            ++static_cast<foreign*>(a->private_data)->array_released;
            a->release = nullptr;
        };
    }
    foreign(const foreign&) = delete;
    foreign& operator=(const foreign&) = delete;

    void add(foreign& child) {
        child_schemas.push_back(&child.schema);
        children.push_back(&child.array);
        schema.n_children = array.n_children = static_cast<std::int64_t>(children.size());
        schema.children = child_schemas.data();
        array.children = children.data();
    }
    void encode(foreign& words) {
        schema.dictionary = &words.schema;
        array.dictionary = &words.array;
    }
    column take() { return column_from_arrow(arrow_data(schema, array)); }
    table take_table() { return table_from_arrow(arrow_data(schema, array)); }
};

std::string shown(const column& c) {
    std::string all;
    for (std::size_t i = 0; i < c.size(); ++i) {
        if (i != 0) all += ' ';
        if (!c.is_valid(i))
            all += '-';
        else if (c.kind() == kind::string)
            all += c.text(i);
        else if (c.kind() == kind::boolean)
            all += c.boolean(i) ? 't' : 'f';
        else
            dispatch_stored(c.kind(), [&]<class T>() { all += edge::message(c.values<T>()[i]); });
    }
    return all;
}

table every_kind() {
    const std::vector<bool> gaps{true, false, true, true, false};
    table t{{"boolean", column(std::vector<bool>{true, false, true, false, true}, gaps)},
            {"i8", column(std::vector<std::int8_t>{-128, 1, 2, 3, 4})},
            {"i16", column(std::vector<std::int16_t>{-1, 1, 2, 3, 4}, gaps)},
            {"i32", column(std::vector<std::int32_t>{-1, 1, 2, 3, 4})},
            {"i64", column(ints{(std::numeric_limits<std::int64_t>::min)(), 1, 2, 3, 4}, gaps)},
            {"u8", column(std::vector<std::uint8_t>{255, 1, 2, 3, 4})},
            {"u16", column(std::vector<std::uint16_t>{65535, 1, 2, 3, 4})},
            {"u32", column(std::vector<std::uint32_t>{1, 1, 2, 3, 4})},
            {"u64", column(std::vector<std::uint64_t>{~std::uint64_t{0}, 1, 2, 3, 4}, gaps)},
            {"f32", column(std::vector<float>{0.5f, 1, 2, 3, 4}, gaps)},
            {"f64", column(std::vector<double>{0.1, 1, 2, 3, 4})},
            {"day", column::dates({-1, 1, 2, 3, 4}, gaps)},
            {"ts", column::timestamps({-1, 1, 2, 3, 4}, gaps)},
            {"text", column(texts{"a", "bb", "", "größe", "e"}, gaps)},
            {"missing", column::missing(kind::float64, 5)}};
    t.add("word", dictionary_encoded(column(texts{"x", "y", "x", "z", "y"}, gaps)));
    return t;
}

}  // namespace

TEST_CASE("a table goes to Arrow and back without a copy, slices too", "[frame][arrow]") {
    const table whole = every_kind();
    for (const table& t : {whole, whole.slice(1, 3), whole.slice(2, 0), table()}) {
        const table back = table_from_arrow(to_arrow(t));
        REQUIRE(back.names().size() == t.names().size());
        REQUIRE(back.rows() == t.rows());
        for (std::size_t i = 0; i < t.names().size(); ++i) {
            INFO("column " << t.names()[i]);
            const column& from = t.columns()[i];
            const column& to = back.columns()[i];
            CHECK(back.names()[i] == t.names()[i]);
            CHECK(to.kind() == from.kind());
            CHECK(to.null_count() == from.null_count());
            CHECK(to.is_dictionary() == from.is_dictionary());
            CHECK(shown(to) == shown(from));
            if (t.rows() == 0) continue;
            if (from.kind() == kind::string || from.kind() == kind::boolean) {
                if (from.is_dictionary())
                    CHECK(to.codes().data() == from.codes().data());
                else
                    CHECK(to.value_buffer().data() == from.value_buffer().data());
            } else {
                CHECK(to.raw_values() == from.raw_values());
            }
        }
    }
}

TEST_CASE("columns have the formats that the specification gives them", "[frame][arrow]") {
    arrow_data data = to_arrow(every_kind());
    std::string formats;
    for (std::int64_t i = 0; i < data.schema()->n_children; ++i)
        formats += std::string(data.schema()->children[i]->format) + ' ';
    CHECK(formats == "b c s i l C S I L f g tdD tsn:UTC U g i ");
    CHECK(std::string(data.schema()->format) == "+s");
    CHECK(std::string(data.schema()->children[15]->dictionary->format) == "U");
    CHECK(data.array()->children[13]->n_buffers == 3);
    CHECK(data.array()->children[1]->buffers[0] == nullptr);
    arrow_data unmarked = to_arrow(column::timestamps({1}), "ts", {.mark_utc = false});
    CHECK(std::string(unmarked.schema()->format) == "tsn:");
    CHECK(std::string(unmarked.schema()->name) == "ts");
}

TEST_CASE("memory lives as long as a consumer has it and is then let go", "[frame][arrow]") {
    const auto memory = std::make_shared<std::vector<std::int64_t>>(ints{1, 2, 3});
    const auto made = [&] {
        return table{{"a", column(kind::int64, 3, {}, buffer(memory, memory->data(), 24))},
                     {"b", column(texts{"x", "y", "z"})}};
    };
    arrow_data data = to_arrow(made());
    CHECK(memory.use_count() == 2);
    SECTION("released by its owner") {}
    SECTION("taken over") {
        ArrowArray taken = *data.array();
        data.array()->release = nullptr;
        data = {};
        CHECK(memory.use_count() == 2);
        CHECK(static_cast<const std::int64_t*>(taken.children[0]->buffers[1])[2] == 3);
        taken.release(&taken);
        CHECK(taken.release == nullptr);
    }
    SECTION("a child taken out, and the parent released first") {
        ArrowArray child = *data.array()->children[0];
        data.array()->children[0]->release = nullptr;
        data = {};
        CHECK(memory.use_count() == 2);
        child.release(&child);
    }
    SECTION("come back as a table, of which one column stays") {
        const column a = table_from_arrow(std::move(data)).column("a");
        CHECK(memory.use_count() == 2);
        CHECK(shown(a) == "1 2 3");
    }
    data = {};
    CHECK(memory.use_count() == 1);
}

TEST_CASE("arrays of another producer are read in place and released once", "[frame][arrow]") {
    const std::vector<std::int32_t> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const std::uint8_t valid[] = {0b11101111, 0b10};
    foreign numbers("i", 6, {valid, values.data()}, "n");
    numbers.array.offset = 3;
    foreign flags("b", 9, {nullptr, valid}, "f");
    foreign whole("+s", 5, {nullptr}, "");
    whole.add(numbers);
    whole.add(flags);
    whole.array.offset = 1;
    {
        column kept;
        {
            const table t = whole.take_table();
            CHECK(shown(t.column("n")) == "- 6 7 8 -");
            CHECK(shown(t.column("f")) == "t t t f t");
            CHECK(t.column("n").values<std::int32_t>().data() == values.data() + 4);
            CHECK(whole.schema_released == 1);
            kept = t.column("n");
        }
        CHECK(whole.array_released == 0);
    }
    CHECK(whole.array_released == 1);
}

TEST_CASE("what is laid out in another way is converted", "[frame][arrow]") {
    const std::uint8_t valid[] = {0b1011};
    SECTION("offsets of 32 bits") {
        const std::int32_t offsets[] = {2, 3, 5, 5, 7};
        foreign f("u", 3, {valid, offsets, "__abbéé"});
        f.array.offset = 1;
        CHECK(shown(f.take()) == "bb - é");
    }
    SECTION("strings in views") {
        const std::string long_text = "a text of more than twelve bytes";
        const std::int64_t size = static_cast<std::int64_t>(long_text.size());
        struct view {
            std::int32_t size;
            char first[4];
            std::int32_t buffer, at;
        };
        std::vector<view> views{{3, {'a', 'b', 'c', 0}, 0, 0}, {static_cast<std::int32_t>(size - 2), {}, 0, 2}, {}};
        foreign f("vu", 3, {nullptr, views.data(), long_text.data(), &size});
        CHECK(shown(f.take()) == "abc text of more than twelve bytes ");
        views[1].at = 3;
        foreign beyond("vu", 3, {nullptr, views.data(), long_text.data(), &size});
        CHECK(raised<argument_error>([&] { beyond.take(); }) ==
              "arrow: column 'c' of format 'vu': row 1: a text outside its buffer");
    }
    SECTION("memory that is not aligned") {
        alignas(8) char bytes[25] = {};
        const std::int64_t values[] = {7, 8, 9};
        std::memcpy(bytes + 1, values, 24);
        CHECK(shown(foreign("l", 3, {nullptr, bytes + 1}).take()) == "7 8 9");
    }
    SECTION("times") {
        const std::int64_t times[] = {-1, 0, 1, 86'400'000};
        CHECK(shown(foreign("tss:", 4, {valid, times}).take()) == "-1000000000 0 - 86400000000000000");
        CHECK(shown(foreign("tsm:Europe/Berlin", 3, {nullptr, times}).take()) == "-1000000 0 1000000");
        CHECK(shown(foreign("tsu:", 3, {nullptr, times}).take()) == "-1000 0 1000");
        CHECK(shown(foreign("tdm", 4, {nullptr, times}).take()) == "-1 0 0 1");
        const std::int64_t far[] = {10'000'000'000};
        CHECK(raised<argument_error>([&] {
                  foreign("tss:", 1, {nullptr, far}).take();
              }) == "arrow: column 'c' of format 'tss:': row 0: 10000000000 is too far from 1970");
    }
    SECTION("decimals") {
        const std::int64_t words[] = {12345, 0, -12345, -1, 0, 1};
        CHECK(shown(foreign("d:20,0,128", 1, {nullptr, words}).take()) == "12345");
        CHECK(raised<unsupported_error>([&] {
                  foreign("d:20,2,256", 1, {nullptr, words}).take();
              }) == "arrow: column 'c' has format 'd:20,2,256'; expected decimals of 128 bits");
        CHECK(shown(foreign("d:20,2", 3, {nullptr, words}).take()) == "123.45 -123.45 184467440737095520");
    }
    SECTION("nothing at all") {
        foreign f("n", 3, {});
        CHECK(f.take().null_count() == 3);
    }
    SECTION("codes of other integers, a dictionary with a text twice and one that is missing") {
        const std::int64_t offsets[] = {0, 1, 2, 3, 4};
        const std::uint8_t codes[] = {3, 2, 200, 1};
        const std::uint8_t known[] = {0b1101};
        for (const bool odd : {false, true}) {
            foreign words("U", 4, {odd ? known : nullptr, offsets, odd ? "abca" : "abcd"});
            foreign f("C", 4, {valid, codes});
            f.encode(words);
            const column c = f.take();
            CHECK(shown(c) == (odd ? "a c - -" : "d c - b"));
            CHECK(c.is_dictionary());
            CHECK(c.dictionary().size() == (odd ? 2 : 4));
        }
    }
}

TEST_CASE("what cannot be a column is refused by name and released", "[frame][arrow]") {
    const std::int64_t numbers[] = {0, 2, 1};
    const auto refused = [](foreign& f) {
        const std::string why = raised<edge::error>([&] { f.take(); });
        CHECK(f.schema_released == 1);
        CHECK(f.array_released == 1);
        return why;
    };
    foreign list("+l", 1, {nullptr, numbers});
    CHECK(refused(list) ==
          "arrow: column 'c' has format '+l'; expected booleans, numbers, decimals of 128 bits, dates, timestamps or "
          "strings");
    foreign interval("tiM", 1, {nullptr, numbers});
    CHECK(refused(interval).find("'tiM'") != std::string::npos);
    foreign text("U", 2, {nullptr, numbers, "ab"});
    CHECK(refused(text) == "arrow: column 'c' of format 'U': offsets that decrease");
    foreign none("l", 2, {nullptr, nullptr});
    CHECK(refused(none) == "arrow: column 'c' of format 'l': no buffer 1; expected 16 bytes");
    foreign few("l", 2, {nullptr});
    CHECK(refused(few) == "arrow: column 'c' of format 'l': 1 buffers; expected 2");
    foreign negative("l", -1, {nullptr, numbers});
    CHECK(refused(negative) == "arrow: column 'c' of format 'l': length -1, offset 0, null count 0");
    foreign nulls("l", 2, {nullptr, numbers});
    nulls.array.null_count = 1;
    CHECK(refused(nulls) == "arrow: column 'c' of format 'l': no bitmap for 1 missing values");
    foreign words("u", 0, {nullptr, nullptr, nullptr});
    foreign coded("l", 3, {nullptr, numbers});
    coded.encode(words);
    CHECK(refused(coded) == "arrow: column 'c' of format 'l': row 0: no such place in a dictionary of 0");

    foreign number("l", 3, {nullptr, numbers});
    CHECK(raised<argument_error>([&] { number.take_table(); }) ==
          "arrow: format 'l'; expected a table, which is a struct: '+s'");
    CHECK(raised<argument_error>([&] { number.take_table(); }) == "arrow: a schema or an array that was released");
    foreign a("l", 3, {nullptr, numbers}, "same");
    foreign b("l", 3, {nullptr, numbers}, "same");
    foreign twice("+s", 3, {nullptr});
    twice.add(a);
    twice.add(b);
    CHECK(raised<argument_error>([&] { twice.take_table(); }) == "column 'same' is there already");
    foreign longer("+s", 4, {nullptr});
    longer.add(a);
    CHECK(raised<argument_error>([&] { longer.take_table(); }) == "arrow: column 'same' has 3 rows; expected 4");
}

TEST_CASE("a stream gives a table in parts, and says when its producer failed", "[frame][arrow]") {
    const table t = every_kind();
    arrow_stream parts = to_arrow_stream(t, 2);
    arrow_stream moved(*parts.get());
    CHECK(raised<argument_error>([&] { (void)parts.next(); }) == "arrow: a stream that was released");
    std::vector<table> got;
    while (auto part = moved.next()) got.push_back(std::move(*part));
    CHECK(got.size() == 3);
    CHECK(shown(concat(got).column("word")) == shown(t.column("word")));
    CHECK_FALSE(moved.next());

    // Strings of the parts as those of the first are; another kind is an error.
    const column plain_words(texts{"a", "b"});
    const table encoded{{"w", dictionary_encoded(plain_words)}};
    std::vector<table> queue{table{{"w", column(ints{1, 2})}}, encoded, table{{"w", plain_words}}};
    arrow_stream mixed = to_arrow_stream(encoded, [&]() -> std::optional<table> {
        const table next = queue.back();
        queue.pop_back();
        return next;
    });
    CHECK(mixed.next()->column("w").is_dictionary());
    CHECK(shown(mixed.next()->column("w")) == "a b");
    CHECK(raised<edge::io_error>([&] { (void)mixed.next(); }) ==
          "arrow: the producer of a stream failed: arrow: column 'w' of a stream is of int64; expected string (5)");
}
