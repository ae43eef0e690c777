// SPDX-License-Identifier: MIT
#include <edge/frame/detail/decimal.hpp>
#include <edge/frame/detail/time_text.hpp>

#include "support/architectures.hpp"
#include "support/catch.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

using namespace edge::frame::detail;

namespace {

/// Whether the fast way reads the text, after checking that it then says what std::from_chars says.
template <class T>
bool reads(const std::string& text) {
    const std::string padded = std::string(32, '7') + text + "5";
    const char* const begin = padded.data() + 32;
    const char* const end = begin + text.size();
    T fast{}, slow{};
    const bool is_read = read_short_decimal(begin, end, fast);
    for_each_architecture([&]<class Arch>() {
        T its{};
        if (read_short_decimal<Arch>(begin, end, its) != is_read || std::memcmp(&fast, &its, sizeof fast) != 0)
            FAIL_CHECK(text);
    });
    if (!is_read) return false;
    const auto [at, error] = std::from_chars(begin, end, slow);
    if (error != std::errc{} || at != end || std::memcmp(&fast, &slow, sizeof fast) != 0) FAIL_CHECK(text);
    return true;
}

template <class F>
std::string shortest(F value) {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

TEST_CASE("short decimals have the bits that std::from_chars gives", "[frame][decimal]") {
    std::mt19937_64 random(11);
    std::size_t read = 0;
    for (int i = 0; i < 40'000; ++i) {
        std::string text;
        switch (random() % 6) {
            case 0:  // anything
                for (std::size_t n = 1 + random() % 24; n > 0; --n) text += "0123456789.-+eE ,"[random() % 17];
                break;
            case 1:  // digits with a point
                for (std::size_t n = 1 + random() % 21; n > 0; --n) text += static_cast<char>('0' + random() % 10);
                if (random() % 4 != 0) text.insert(random() % (text.size() + 1), ".");
                if (random() % 2 != 0) text.insert(0, "-");
                break;
            case 2: text = shortest(std::ldexp(static_cast<double>(random()), -static_cast<int>(random() % 80))); break;
            case 3: text = shortest(std::ldexp(static_cast<float>(random()), -static_cast<int>(random() % 80))); break;
            case 4:  // every length, every place of the point, and what is next to digits
                text = std::to_string(random() >> random() % 64);
                text.insert(random() % (text.size() + 1), random() % 2 != 0 ? "." : "");
                if (random() % 4 == 0) text[random() % text.size()] = "/:.\x19\x1e\xff"[random() % 6];
                break;
            default:  // between two doubles
                text = std::to_string((std::uint64_t{1} << 53) + random() % (std::uint64_t{1} << 53));
                text.insert(random() % (text.size() + 1), ".");
        }
        read += reads<double>(text);
        read += reads<float>(text);
        read += reads<std::int64_t>(text);
        read += reads<std::uint64_t>(text);
        read += reads<std::int8_t>(text);
    }
    CHECK(read > 60'000);
    for (const char* text : {"0", "-0", "5.", ".5", "-.5", "9007199254740993", "9223372036854775807", "0.1", "99999999",
                             "123456789.12345678", "0.12345678901234567", "1.000000000000000001"})
        CHECK(reads<double>(text));
    for (const char* text : {"", "-", ".", "-.", "1e5", "+1", " 1", "1 ", "1..2", "--1", "12345678901234567890"})
        CHECK((*text == '\0' || !reads<double>(text)));
    CHECK(reads<std::int64_t>("-9223372036854775808"));
    CHECK_FALSE(reads<std::int64_t>("9223372036854775808"));
    CHECK_FALSE(reads<std::int64_t>("-9223372036854775809"));
    CHECK(reads<std::uint64_t>("9999999999999999999"));
}

TEST_CASE("timestamps are read quickly as they are read slowly", "[frame][timestamp]") {
    std::mt19937_64 random(13);
    day_reader days;
    std::size_t read = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = edge::frame::format_timestamp(static_cast<std::int64_t>(random() >> random() % 20));
        if (random() % 2 != 0) text.resize(text.size() - 1 - random() % 11);
        if (random() % 8 == 0) text[random() % text.size()] = "0123456789:-T .Z"[random() % 16];
        const std::string padded = std::string(32, '0') + text;
        std::int64_t fast = 0;
        std::int32_t day = 0;
        if (days.read_timestamp(padded.data() + 32, padded.data() + padded.size(), fast)) {
            ++read;
            if (edge::frame::parse_timestamp(text) != fast) FAIL_CHECK(text);
        }
        if (days.read_date(padded.data() + 32, padded.data() + padded.size(), day))
            CHECK(edge::frame::parse_date(text) == day);
    }
    CHECK(read > 10'000);
}
