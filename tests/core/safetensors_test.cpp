// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/core/safetensors.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

using edge::parse_safetensors;

namespace {

std::string file(const std::string& header, const std::string& data) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
    return bytes + header + data;
}

edge::named_tensors parsed(const std::string& bytes) { return parse_safetensors(std::as_bytes(std::span(bytes)), "w"); }

bool refused(const std::string& bytes, const std::string& why) {
    return says<edge::error>([&] { (void)parsed(bytes); }, why);
}
bool refused(const std::string& header, const std::string& data, const std::string& why) {
    return refused(file(header, data), why);
}

const std::string good = file(
    R"( {"__metadata__": {"format":"pt"}, "b\u00e9\n\ud83d\ude00" : {"dtype":"F32","shape":[2,1],"data_offsets":[4,12]},)"
    R"("a":{"data_offsets":[0,4],"shape":[2],"dtype":"F16"},"s":{"dtype":"I64","shape":[],"data_offsets":[12,20]},)"
    R"("empty":{"dtype":"U8","shape":[0,3],"data_offsets":[20,20]},"t":{"dtype":"BOOL","shape":[2],"data_offsets":[20,22]},)"
    R"("h":{"dtype":"BF16","shape":[1],"data_offsets":[22,24]}}  )",
    std::string("\x00\x3c\x00\xc0", 4) + std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8) +
        std::string("\x01\x02\x00\x00\x00\x00\x00\x00", 8) + std::string("\x01\x00", 2) + std::string("\xc0\x3f", 2));

}  // namespace

TEST_CASE("tensors are read by name, halves as float", "[core][safetensors]") {
    const auto all = parsed(good);
    REQUIRE(all.size() == 6);
    const auto& a = all.at("a").as<float>();
    CHECK((a.shape() == edge::shape{2} && a[0] == 1.0f && a[1] == -2.0f));
    const auto& b = all.at("b\xc3\xa9\n\xf0\x9f\x98\x80").as<float>();
    CHECK((b.shape() == edge::shape{2, 1} && b[0] == 1.0f && b[1] == -2.0f));
    CHECK(all.at("s").as<std::int64_t>()[0] == 513);
    CHECK(all.at("empty").shape() == edge::shape{0, 3});
    CHECK((all.at("t").as<bool>()[0] && !all.at("t").as<bool>()[1]));
    CHECK(all.at("h").as<float>()[0] == 1.5f);
    CHECK(parsed(file("{}", "")).empty());
    const temporary_folder folder;
    edge::write_file(folder / "w.safetensors", good);
    CHECK(edge::load_safetensors(folder / "w.safetensors").size() == 6);
}

TEST_CASE("what is no safetensors file is refused, with its place", "[core][safetensors]") {
    CHECK(refused("", "w: 0 bytes; expected 8"));
    CHECK(refused(std::string(8, '\xff') + "{}", "a header of 18446744073709551615 bytes"));
    CHECK(refused(std::string("\x03\0\0\0\0\0\0\0{}", 10), "a header of 3 bytes in a file of 10"));
    CHECK(refused("[]", "", "w: byte 0 of the header: expected '{'"));
    CHECK(refused("{} x", "", "something after the end"));
    CHECK(refused(R"({"a":1})", "", "expected '{'"));
    CHECK(refused(R"({"a)", "", "a text without an end"));
    CHECK(refused(R"({"\q":{}})", "", "an unknown escape"));
    CHECK(refused(R"({"\ud800":{}})", "", "half a character"));
    CHECK(refused(R"({"\u12":{}})", "", "an unknown escape"));
    CHECK(refused(R"({"a":{"dtype":"F32","shape":[1]}})", "", "tensor 'a' has no dtype, shape or two data_offsets"));
    CHECK(refused(R"({"a":{"dtype":"F32","dtype":"F32"}})", "", "key 'dtype' of tensor 'a'"));
    CHECK(refused(R"({"a":{"kind":"F32"}})", "", "key 'kind' of tensor 'a'"));
    const auto one = [](const std::string& type, const std::string& shape, const std::string& range) {
        return R"({"a":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + range + "}}";
    };
    const std::string four(4, '\0');
    CHECK(refused(one("F8_E4M3", "[4]", "[0,4]"), four, "tensor 'a': elements of F8_E4M3 are not supported"));
    CHECK(refused(one("F32", "[2]", "[0,4]"), four, "tensor 'a': shape (2,) of F32, but 4 bytes"));
    CHECK(refused(one("F32", "[4294967296,4294967296]", "[0,4]"), four, "overflows"));
    CHECK(refused(one("F32", "[18446744073709551615]", "[0,4]"), four, "an extent of 18446744073709551615"));
    CHECK(refused(one("F32", "[99999999999999999999]", "[0,4]"), four, "expected a whole number"));
    CHECK(refused(one("F32", "[-1]", "[0,4]"), four, "expected a whole number"));
    CHECK(refused(one("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), four, "rank 9"));
    CHECK(refused(one("F32", "[1]", "[0,8]"), four, "bytes 0 to 8 of 4"));
    CHECK(refused(one("F32", "[1]", "[4,0]"), four, "bytes 4 to 0 of 4"));
    CHECK(refused(one("U8", "[1]", "[0,1]"), four, "3 bytes belong to no tensor"));
    CHECK(refused(
        R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
        four, "tensor 'b': bytes 2 to 4 of 4; expected to begin at 3"));
    CHECK(refused(
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
        four, "tensor 'a': is there twice"));
}

TEST_CASE("a damaged file is read or refused, never anything else", "[core][safetensors]") {
    const auto try_it = [](const std::string& bytes) {
        try {
            (void)parsed(bytes);
        } catch (const edge::parse_error&) {
        } catch (const edge::unsupported_error&) {
        }
    };
    for (std::size_t n = 0; n < good.size(); ++n) try_it(good.substr(0, n));
    edge::splitmix64 random(1);
    for (int round = 0; round < 3000; ++round) {
        std::string bad = good;
        for (int flips = 0; flips <= round % 3; ++flips) bad[random.below(bad.size())] = static_cast<char>(random());
        try_it(bad);
    }
    SUCCEED("nothing else was thrown");
}
