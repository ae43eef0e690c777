// SPDX-License-Identifier: MIT
// The parts between a Parquet file's bytes and a column, each by itself.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

#include <edge/frame/parquet.hpp>
#include <edge/frame/paths.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace edge;
using namespace edge::frame;
using namespace edge::frame::parquet;

namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
    std::vector<std::byte> bytes;
    for (const unsigned v : values) bytes.push_back(static_cast<std::byte>(v));
    return bytes;
}

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("CRC-32 is gzip's", "[frame][parquet]") {
    CHECK(crc32(bytes_of("")) == 0);
    CHECK(crc32(bytes_of("123456789")) == 0xCBF43926U);
    const std::string text = "the quick brown fox jumps over the lazy dog";
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        CHECK(crc32(bytes_of(text.substr(cut)), crc32(bytes_of(text.substr(0, cut)))) == crc32(bytes_of(text)));
    std::string many;  // so many that pieces of them are worked on side by side
    for (int i = 0; i < 700; ++i) many += std::to_string(i * 7919);
    std::uint32_t by_parts = 0;
    for (std::size_t at = 0; at < many.size(); at += 5) by_parts = crc32(bytes_of(many.substr(at, 5)), by_parts);
    CHECK(many.size() > 3072);
    CHECK(crc32(bytes_of(many)) == by_parts);
}

TEST_CASE("the compact protocol is written as its specification says", "[frame][parquet]") {
    thrift_writer out;
    out.structure([&] {
        out.i32(1, -1);
        out.boolean(2, true);
        out.binary(20, "hi");  // more than 15 after the last: its number is spelled out
        out.structure(21, [&] { out.i64(1, 300); });
        out.list(22, thrift_type::i32, std::vector<int>{1, 2}, [&](int v) { out.element(std::int32_t{v}); });
    });
    const auto want = bytes_of(
        {0x15, 0x01, 0x11, 0x08, 0x28, 0x02, 'h', 'i', 0x1C, 0x16, 0xD8, 0x04, 0x00, 0x19, 0x25, 0x02, 0x04, 0x00});
    CHECK(std::vector<std::byte>(out.bytes().begin(), out.bytes().end()) == want);

    // Every field is skipped whole, by whoever does not know it.
    thrift_reader in(out.bytes());
    std::vector<int> fields;
    in.structure([&](int field, thrift_type type) {
        fields.push_back(field);
        in.skip(type);
    });
    CHECK(fields == std::vector<int>{1, 2, 20, 21, 22});
    CHECK(in.position() == want.size());

    // And none is read where the bytes end before it does.
    for (std::size_t n = 0; n < want.size(); ++n) {
        thrift_reader cut{std::span(want).first(n)};
        CHECK_THROWS_AS(cut.structure([&](int, thrift_type type) { cut.skip(type); }), parse_error);
    }
}

TEST_CASE("the compact protocol is not trusted", "[frame][parquet]") {
    const auto skip_all = [](const std::vector<std::byte>& bytes) {
        thrift_reader in(bytes);
        in.structure([&](int, thrift_type type) { in.skip(type); });
    };
    const auto list_of_2_60 = bytes_of({0x19, 0xF5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0});
    CHECK(says<parse_error>([&] { static_cast<void>(skip_all(list_of_2_60)); }, "elements, 1 bytes left"));
    const auto string_of_2_34 = bytes_of({0x18, 0x80, 0x80, 0x80, 0x80, 0x40, 'x'});
    CHECK(says<parse_error>([&] { static_cast<void>(skip_all(string_of_2_34)); }, "17179869184 bytes, 1 left"));
    CHECK(says<parse_error>([&] { static_cast<void>(skip_all(bytes_of({0x1E, 0}))); }, "unknown type 14"));
    CHECK_THROWS_AS(skip_all(std::vector<std::byte>(100'000, std::byte{0x1C})),
                    parse_error);  // structures, inside each other
    CHECK_THROWS_AS(skip_all(std::vector<std::byte>(100'000, std::byte{0x19})), parse_error);  // lists
    CHECK_THROWS_AS(skip_all(bytes_of({0x15, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0})),
                    parse_error);
}

TEST_CASE("runs and packed bits are read as they were written", "[frame][parquet]") {
    std::mt19937 random(7);
    int cuts = 0;
    for (int width = 0; width <= 32; ++width) {
        const std::uint64_t distinct = std::uint64_t{1} << width;
        for (const std::size_t n : std::vector<std::size_t>{0, 1, 7, 8, 9, 63, 64, 65, 1000}) {
            std::vector<std::uint32_t> values(n);
            std::uint32_t current = 0;
            for (auto& v : values) {  // runs of all lengths
                if (random() % 3 == 0 || random() % 40 == 0) current = static_cast<std::uint32_t>(random() % distinct);
                if (n > 500 && random() % 100 < 3) current = static_cast<std::uint32_t>(distinct - 1);
                v = current;
            }
            INFO("width " << width << ", " << n << " values, seed 7");
            rle_writer out(width);
            out.write(values);
            rle_reader in(out.bytes(), width);
            std::vector<std::uint32_t> back(n, 77);
            for (std::size_t at = 0, step = 1; at < n; at += step, ++step)  // in pieces of all sizes
                in.read(std::span(back).subspan(at, (std::min)(step, n - at)));
            CHECK(back == values);
            // Without the last byte, unless it is padding, there are fewer.
            if (n != 0 && width > 0) {
                rle_reader cut(out.bytes().first(out.bytes().size() - 1), width);
                std::vector<std::uint32_t> some(n, 77);
                bool is_short = false;
                try {
                    cut.read(some);
                } catch (const parse_error&) {
                    is_short = true;
                }
                CHECK((is_short || some == values));
                cuts += is_short ? 1 : 0;
            }
        }
    }
    CHECK(cuts > 32);
}

TEST_CASE("the example of the format's text is what packed bits are", "[frame][parquet]") {
    // Encodings.md: the numbers 0 to 7 in three bits are 10001000 11000110 11111010.
    const auto bytes = bytes_of({0x03, 0x88, 0xC6, 0xFA, 0x10, 0x05});  // then a run of eight fives
    rle_reader in(bytes, 3);
    std::vector<std::uint32_t> values(16);
    in.read(values);
    CHECK(values == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 5, 5, 5, 5, 5});
    CHECK_THROWS_AS(in.read(std::span(values).first(1)), parse_error);
    CHECK_THROWS_AS(rle_reader(bytes, 33), parse_error);
}

TEST_CASE("bits of a bitmap survive, at every offset", "[frame][parquet]") {
    std::mt19937 random(3);
    growing_bits source;
    for (int i = 0; i < 300; ++i) source.push_back(random() % 4 != 0);
    for (std::size_t first = 0; first < 20; ++first)
        for (const std::size_t n : std::vector<std::size_t>{1, 8, 15, 16, 64, 200}) {
            const bit_view bits{source.view().bytes, first, n};
            rle_writer out(1);
            out.write(bits);
            growing_bits back;
            back.append(first, false);
            CHECK(rle_reader(out.bytes(), 1).read_bits(n, back) == bits.count());
            for (std::size_t i = 0; i < n; ++i) REQUIRE(back.view()[first + i] == bits[i]);
        }
    rle_writer run(1);
    run.write(bit_view{nullptr, 0, 100'000});
    CHECK(run.bytes().size() == 4);  // nothing missing: one run
    growing_bits none;
    CHECK_THROWS_AS(rle_reader(bytes_of({0x10, 0x02}), 1).read_bits(8, none), parse_error);  // a level of two
}

TEST_CASE("DELTA_BINARY_PACKED reads the format's example and wraps", "[frame][parquet]") {
    // Encodings.md: 7 5 3 1 2 3 4 5 are deltas -2 -2 -2 1 1 1 1; least -2; 0 0 0 3 3 3 3 in two bits.
    const auto bytes = bytes_of({8, 1, 8, 14, 3, 2, 0xC0, 0x3F});
    std::vector<std::int32_t> values(8);
    CHECK(read_delta(bytes, std::span(values)) == bytes.size());
    CHECK(values == std::vector<std::int32_t>{7, 5, 3, 1, 2, 3, 4, 5});
    for (std::size_t n = 0; n < bytes.size(); ++n)
        CHECK_THROWS_AS(read_delta(std::span(bytes).first(n), std::span(values)), parse_error);
    CHECK_THROWS_AS(read_delta(bytes, std::span(values).first(7)), parse_error);
    // From the largest number, one more: the smallest.
    const auto wrap = bytes_of({8, 1, 2, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 2, 0});
    std::vector<std::int64_t> two(2);
    read_delta(wrap, std::span(two));
    CHECK(two[0] == (std::numeric_limits<std::int64_t>::max)());
    CHECK(two[1] == (std::numeric_limits<std::int64_t>::min)());
    CHECK_THROWS_AS(read_delta(bytes_of({0, 1, 2, 0}), std::span(two)), parse_error);
    CHECK_THROWS_AS(read_delta(bytes_of({8, 0, 2, 0}), std::span(two)), parse_error);
    CHECK_THROWS_AS(read_delta(bytes_of({8, 1, 2, 0, 0, 65, 0, 0}), std::span(two)), parse_error);
}

TEST_CASE("delta strings share a beginning with the one before", "[frame][parquet]") {
    // "axis", "axle", "", "babble": prefixes 0 2 0 0, suffixes axis le "" babble.
    const auto lengths = [](std::initializer_list<unsigned> v) {  // of values 0 to 15 around a least delta
        std::vector<std::byte> out = bytes_of({8, 1, static_cast<unsigned>(v.size()), *v.begin() * 2});
        int least = 100;
        for (const auto* i = v.begin() + 1; i < v.end(); ++i)
            least = (std::min)(least, static_cast<int>(*i) - static_cast<int>(i[-1]));
        out.push_back(static_cast<std::byte>(least < 0 ? -2 * least - 1 : 2 * least));
        out.push_back(std::byte{8});
        for (const auto* i = v.begin() + 1; i < v.end(); ++i)
            out.push_back(static_cast<std::byte>(static_cast<int>(*i) - static_cast<int>(i[-1]) - least));
        out.resize(out.size() + 8 - (v.size() - 1));
        return out;
    };
    auto bytes = lengths({0, 2, 0, 0});
    for (const std::byte b : lengths({4, 2, 0, 6})) bytes.push_back(b);
    for (const std::byte b : bytes_of("axislebabble")) bytes.push_back(b);
    std::vector<std::string_view> values(4);
    std::string arena;
    read_delta_strings(bytes, values, arena, 1000);
    CHECK(values == std::vector<std::string_view>{"axis", "axle", "", "babble"});
    CHECK_THROWS_AS(read_delta_strings(bytes, values, arena, 5), parse_error);
    CHECK_THROWS_AS(read_delta_strings(std::span(bytes).first(bytes.size() - 1), values, arena, 1000), parse_error);
    bytes[5] = std::byte{3};  // the first shares a beginning with nothing
    CHECK_THROWS_AS(read_delta_strings(bytes, values, arena, 1000), parse_error);
}

TEST_CASE("codecs give back what they were given, and no more than was claimed", "[frame][parquet]") {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += std::to_string(i * i);
    const auto bytes = bytes_of(text);
    for (const codec c : {codec::none, codec::snappy, codec::zstd, codec::gzip}) {
        INFO(to_string(c));
        CHECK(codec_from_string(to_string(c)) == c);
        if (!is_available(c)) {
            WARN("skipped: compiled without " << to_string(c));
            CHECK_THROWS_AS(compressor(c), unsupported_error);
            continue;
        }
        CHECK(codec_of(number_of(c)) == c);
        compressor pack(c);
        decompressor unpack;
        const auto view = pack(bytes);
        const std::vector<std::byte> packed(view.begin(), view.end());
        const auto back = unpack(c, packed, bytes.size());
        CHECK(std::equal(back.begin(), back.end(), bytes.begin(), bytes.end()));
        CHECK_THROWS_AS(unpack(c, packed, bytes.size() - 1), parse_error);
        CHECK_THROWS_AS(unpack(c, packed, bytes.size() + 1), parse_error);
        CHECK_THROWS_AS(unpack(c, packed, std::size_t{1} << 40), parse_error);
        CHECK_THROWS_AS(unpack(c, std::span(packed).first(packed.size() / 2), bytes.size()), parse_error);
        CHECK(unpack(c, pack({}), 0).empty());
    }
    CHECK(says<unsupported_error>([&] { static_cast<void>(codec_of(3)); }, "LZO"));
    CHECK_THROWS_AS(codec_of(99), parse_error);
    CHECK_THROWS_AS(codec_from_string("lzo"), argument_error);
}

TEST_CASE("UTF-8 is told from other bytes", "[frame][parquet]") {
    for (const char* good : {"", "plain", "na\xC3\xAFve", "\xE2\x82\xAC", "\xF0\x9F\x9A\x80", "\xF4\x8F\xBF\xBF",
                             "\xED\x9F\xBF", "a much longer line \xC2\xA0"})
        CHECK(is_utf8(good));
    for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF8\x88\x80\x80\x80", "\xE2\x82", "12345678\xFF", "\xC3("})
        CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("a name stands for a file, a folder's files, or those that match", "[frame][paths]") {
    const temporary_folder folder;
    std::filesystem::create_directories(folder / "a1/x.parquet");  // a folder of that name is no file
    std::filesystem::create_directories(folder / "a2");
    for (const char* name :
         {"a1/2.parquet", "a1/1.parquet", "a1/.hidden.parquet", "a1/3.csv", "a2/9.parquet", "b*.csv"})
        std::ofstream(folder / name) << "x";
    const auto names = [&](const std::string& input) {
        std::string all;
        for (const auto& path : input_paths(folder / input, ".parquet"))
            all += path.lexically_relative(folder.path()).generic_string() + " ";
        return all;
    };
    CHECK(names("a1") == "a1/1.parquet a1/2.parquet ");
    CHECK(names("a1/3.csv") == "a1/3.csv ");
    CHECK(names("a?/*.parquet") == "a1/1.parquet a1/2.parquet a2/9.parquet ");
    CHECK(names("*/9*") == "a2/9.parquet ");
    CHECK(names("b*.csv") == "b*.csv ");                    // there is a file of just that name
    CHECK(names("missing.parquet") == "missing.parquet ");  // whoever opens it says so
    CHECK_THROWS_AS(names("*.nothing"), io_error);
    CHECK_THROWS_AS(names("a?/z*"), io_error);
    CHECK(says<io_error>([&] { static_cast<void>(names(".")); }, "no .parquet file"));
    using edge::frame::detail::matches;
    CHECK(matches("abcabd", "*abd"));
    CHECK(matches("", "*"));
    CHECK_FALSE(matches("abc", "ab"));
    CHECK_FALSE(matches(std::string(2000, 'a'), "*a*a*a*a*a*b"));
}
