// SPDX-License-Identifier: MIT
#include <edge/core/npy.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace {

/// A file of format `major`.0 from the text of its header and its elements.
std::vector<std::byte> make(const std::string& header, const std::string& elements, int major = 1) {
    std::string text = "\x93NUMPY";
    text += {static_cast<char>(major), '\0', static_cast<char>(header.size() & 0xff),
             static_cast<char>(header.size() >> 8)};
    if (major > 1) text += {'\0', '\0'};
    text += header + elements;
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string little(std::initializer_list<std::uint16_t> words) {
    std::string text;
    for (const auto w : words) text += {static_cast<char>(w & 0xff), static_cast<char>(w >> 8)};
    return text;
}

std::string refusal(std::span<const std::byte> bytes) {
    try {
        (void)edge::parse_npy(bytes, "x.npy");
    } catch (const edge::error& e) {
        return e.what();
    }
    return "accepted";
}
std::string refusal(const std::string& header, const std::string& elements = "", int major = 1) {
    return refusal(make(header, elements, major));
}

}  // namespace

TEMPLATE_TEST_CASE("a saved array loads as it was", "[core][npy]", bool, std::int8_t, std::uint8_t, std::int16_t,
                   std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float, double) {
    const temporary_folder folder;
    for (const auto& shape : {edge::shape{}, edge::shape{0}, edge::shape{5}, edge::shape{2, 0, 3}, edge::shape{2, 3, 4},
                              edge::shape{1, 1, 1, 1, 1, 1, 1, 2}}) {
        edge::tensor<TestType> saved(shape);
        for (edge::index_t i = 0; i < saved.size(); ++i) saved[i] = static_cast<TestType>(i * 7 % 3);
        edge::save_npy(folder / "a.npy", saved);
        const edge::any_tensor loaded = edge::load_npy(folder / "a.npy");
        REQUIRE(loaded.dtype() == edge::dtype_of<TestType>);
        REQUIRE(loaded.shape() == shape);
        REQUIRE(std::equal(saved.begin(), saved.end(), loaded.as<TestType>().begin()));
        REQUIRE((edge::read_file(folder / "a.npy").size() - saved.flat().size_bytes()) % 64 == 0);
    }
}

TEST_CASE("special values survive to the bit", "[core][npy]") {
    const temporary_folder folder;
    const float inf = std::numeric_limits<float>::infinity();
    const edge::tensor<float> saved({6}, {0.0f, -0.0f, inf, -inf, std::nanf("7"), 1e-45f});
    edge::save_npy(folder / "a.npy", saved);
    const auto loaded = edge::load_npy(folder / "a.npy");
    CHECK(std::memcmp(saved.data(), loaded.data(), 24) == 0);
}

TEST_CASE("a view with strides is saved in the order of its indices", "[core][npy]") {
    const temporary_folder folder;
    edge::tensor<int> t({2, 3}, {1, 2, 3, 4, 5, 6});
    edge::save_npy(folder / "a.npy", t.view().transpose({1, 0}));
    const auto loaded = edge::load_npy(folder / "a.npy");
    CHECK(loaded.shape() == edge::shape{3, 2});
    const int expected[] = {1, 4, 2, 5, 3, 6};
    CHECK(std::equal(std::begin(expected), std::end(expected), loaded.as<int>().begin()));
}

TEST_CASE("a refused save leaves the file that was there", "[core][npy]") {
    const temporary_folder folder;
    CHECK_THROWS_AS(edge::save_npy(folder / "none" / "a.npy", edge::tensor<float>({1})), edge::io_error);
    CHECK_THROWS_AS(edge::load_npy(folder / "none.npy"), edge::io_error);
    CHECK_THROWS_AS(edge::load_npy(folder.path()), edge::io_error);
}

TEST_CASE("headers may differ in what Python allows", "[core][npy]") {
    const std::string elements = little({1, 2, 3, 4, 5, 6});
    for (const std::string header : {
             "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }",
             "{\"shape\":(2L,3L),\"descr\":\"<u2\",\"fortran_order\":False}",
             "  {'fortran_order' : False , 'shape' : ( 2 , 3 , ) , 'descr' : '=i2' , }  \n",
         })
        for (const int major : {1, 2, 3}) {
            const auto t = edge::parse_npy(make(header, elements, major), "x.npy");
            CHECK(t.shape() == edge::shape{2, 3});
            CHECK(size_of(t.dtype()) == 2);
        }
    const auto longer = edge::parse_npy(make("{'descr': '<i2', 'fortran_order': False, 'shape': (2,)}", elements), "x");
    CHECK(longer.size() == 2);
    const auto truth =
        edge::parse_npy(make("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", std::string("\0\1\7", 3)), "x");
    CHECK(static_cast<const std::uint8_t*>(truth.data())[2] == 1);
}

TEST_CASE("byte order and Fortran order are undone", "[core][npy]") {
    const auto big =
        edge::parse_npy(make("{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}", little({0x0100, 0x0203})), "x");
    CHECK(big.as<std::int16_t>()[0] == 1);
    CHECK(big.as<std::int16_t>()[1] == 0x0302);
    const auto fortran = edge::parse_npy(
        make("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3)}", little({1, 4, 2, 5, 3, 6})), "x");
    CHECK(fortran.shape() == edge::shape{2, 3});
    for (int i = 0; i < 6; ++i) CHECK(fortran.as<std::int16_t>()[i] == i + 1);
}

TEST_CASE("float16 widens exactly", "[core][npy]") {
    const auto t = edge::parse_npy(make("{'descr': '<f2', 'fortran_order': False, 'shape': (8,)}",
                                        little({0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x7e00, 0x03ff})),
                                   "x");
    const auto& x = t.as<float>();
    CHECK(x[0] == 1.0f);
    CHECK(x[1] == -2.0f);
    CHECK(x[2] == 65504.0f);
    CHECK(x[3] == 0x1p-24f);
    CHECK((x[4] == 0.0f && std::signbit(x[4])));
    CHECK(std::isinf(x[5]));
    CHECK(std::isnan(x[6]));
    CHECK(x[7] == 1023.0f * 0x1p-24f);
}

TEST_CASE("what is not a .npy file is refused with its name and the byte", "[core][npy]") {
    const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    CHECK(refusal(good, "12345678") == "accepted");
    CHECK(refusal(good, "1234567") == "x.npy: shape (2,) of float32 needs 2 x 4 bytes, 7 are there");
    CHECK(refusal(std::span<const std::byte>()) == "x.npy: byte 0: not a .npy file; expected \\x93NUMPY");
    CHECK(refusal(good, "", 4) == "x.npy: byte 6: format 4.0; expected 1.0, 2.0 or 3.0");
    CHECK(refusal("{'descr': '<c8', 'fortran_order': False, 'shape': ()}") ==
          "x.npy: byte 20: element type '<c8' is not supported; expected bool, int, uint or float");
    CHECK(refusal("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': ()}") ==
          "x.npy: byte 20: structured element types are not supported");
    CHECK(refusal("{'descr': '|O', 'fortran_order': False, 'shape': ()}").find("'|O' is not supported") !=
          std::string::npos);
    CHECK(refusal("{'descr': '<f4', 'shape': ()}") == "x.npy: byte 10: no key 'fortran_order'");
    CHECK(refusal("{'descr': '<f4', 'descr': '<f4'}") == "x.npy: byte 27: key 'descr' is there twice");
    CHECK(refusal("{'color': 1}") == "x.npy: byte 11: key 'color' is not one of descr, fortran_order, shape");
    CHECK(refusal("{'shape': (-1,)}") == "x.npy: byte 21: expected an extent, 0 to 2^63 - 1");
    CHECK(refusal("{'shape': (1.5,)}") == "x.npy: byte 22: '.'; expected ','");
    CHECK(refusal("{'shape': (99999999999999999999,)}").find("expected an extent") != std::string::npos);
    CHECK(refusal("{'shape': (3000000000, 3000000000, 3000000000)}").find("overflows") != std::string::npos);
    CHECK(refusal("{'shape': (1,1,1,1,1,1,1,1,1)}") == "x.npy: byte 19: rank above 8");
    CHECK(refusal("{'fortran_order': Maybe}") == "x.npy: byte 28: expected True or False");
    CHECK(refusal(good + "x").find("text after the header") != std::string::npos);
    CHECK(refusal("") == "x.npy: byte 10: header ends; expected '{'");
    CHECK(refusal(std::string(70000, ' '), "", 2).find("header of 4464 bytes") == std::string::npos);
    // Nothing is allocated for a size that the bytes do not back.
    CHECK(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}", "12345678")
              .find("8 are there") != std::string::npos);
}

TEST_CASE("every truncation and every damaged byte of a good file is refused or read", "[core][npy]") {
    const auto good = make("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n", std::string(24, '\1'));
    for (std::size_t n = 0; n < good.size(); ++n) REQUIRE(refusal(std::span(good).first(n)) != "accepted");
    std::mt19937 random(3);
    for (int round = 0; round < 20000; ++round) {
        auto bad = good;
        for (auto hits = 1 + random() % 3; hits-- > 0;)
            bad[random() % bad.size()] = static_cast<std::byte>(random() & 0xff);
        (void)refusal(bad);  // no crash, no huge allocation
    }
}

TEST_CASE("NumPy's own files load", "[core][npy][conformance]") {
    const auto folder = test_data("numpy/npy");
    if (!folder) return;
    const auto expected = edge::load_npy(*folder / "v1.npy");
    for (const char* name : {"v2", "v3", "fortran", "big", "order", "py2"}) {
        INFO(name);
        const auto t = edge::load_npy(*folder / (std::string(name) + ".npy"));
        REQUIRE(t.shape() == expected.shape());
        CHECK(std::memcmp(t.data(), expected.data(), expected.bytes()) == 0);
    }
    CHECK(edge::load_npy(*folder / "zero_d.npy").shape() == edge::shape{});
    CHECK(edge::load_npy(*folder / "empty.npy").shape() == edge::shape{0, 4});
    CHECK(edge::load_npy(*folder / "fortran3.npy").shape() == edge::shape{2, 3, 4});
    CHECK(edge::load_npy(*folder / "f16.npy").is<float>());
}
