// SPDX-License-Identifier: MIT
#include <edge/core/any_tensor.hpp>
#include <edge/core/tensor.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

using edge::index_t;

TEST_CASE("a tensor is row-major and 64-byte aligned", "[core][tensor]") {
    for (const index_t n : {0, 1, 3, 1000, 3 << 20}) {
        edge::tensor<float> t({n, 2}, 7.0f);
        CHECK(reinterpret_cast<std::uintptr_t>(t.data()) % edge::alignment == 0);
        CHECK(t.size() == 2 * n);
        for (const float v : t) REQUIRE(v == 7.0f);
    }
    edge::tensor<int> t({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(t(1, 0) == 4);
    CHECK(t.view().select(1, 2)(1) == 6);
}

TEST_CASE("a moved-from tensor is empty", "[core][tensor]") {
    edge::tensor<int> a({2}, {1, 2});
    edge::tensor<int> b = std::move(a);
    CHECK(a.size() == 0);
    CHECK(b[1] == 2);
    a = b;
    b[1] = 5;
    CHECK(a[1] == 2);
}

TEST_CASE("a copy of a transposed view is in row-major order", "[core][tensor]") {
    edge::tensor<int> t({2, 3, 4});
    std::iota(t.begin(), t.end(), 0);
    const auto swapped = edge::copy(t.view().transpose({2, 0, 1}));
    REQUIRE(swapped.shape() == edge::shape{4, 2, 3});
    for (index_t i = 0; i < 2; ++i)
        for (index_t j = 0; j < 3; ++j)
            for (index_t k = 0; k < 4; ++k) REQUIRE(swapped(k, i, j) == t(i, j, k));
    CHECK(edge::copy(t.view().slice(2, 0, 4, 3))(1, 2, 1) == t(1, 2, 3));
}

TEST_CASE("slices go by any step, backward too", "[core][tensor]") {
    edge::tensor<int> t({10});
    std::iota(t.begin(), t.end(), 0);
    const auto values = [&](index_t first, index_t last, index_t step) {
        const auto part = edge::copy(t.view().slice(0, first, last, step));
        return std::vector<int>(part.begin(), part.end());
    };
    CHECK(values(2, 9, 3) == std::vector{2, 5, 8});
    CHECK(values(9, -1, -4) == std::vector{9, 5, 1});
    CHECK(values(9, 1, -4) == std::vector{9, 5});
    CHECK(values(3, 3, -1).empty());
    CHECK(values(10, 10, 2).empty());
    CHECK(edge::copy(t.view().reverse(0))[0] == 9);
    CHECK(t.view().slice(0, 0, 0).reverse(0).empty());
    CHECK_THROWS_WITH(t.view().slice(0, 10, 2, -1), "slice [10, 2) by -1 is out of range for axis 0 of shape (10,)");
    CHECK_THROWS_AS(t.view().slice(0, 0, 5, 0), edge::argument_error);
    CHECK_THROWS_AS(t.view().slice(0, 0, 5, -1), edge::argument_error);
}

TEST_CASE("axes come and go without a copy", "[core][tensor]") {
    edge::tensor<int> t({2, 3});
    CHECK(t.view().expand_dims(0).shape() == edge::shape{1, 2, 3});
    CHECK(t.view().expand_dims(-1).shape() == edge::shape{2, 3, 1});
    CHECK(t.view().expand_dims(1).squeeze(1).strides() == t.view().strides());
    CHECK(t.view().transpose().shape() == edge::shape{3, 2});
    CHECK_THROWS_WITH(t.view().squeeze(1), "axis 1 of shape (2, 3) has extent 3, expected 1");
    CHECK_THROWS_AS(t.view().expand_dims(3), edge::argument_error);
}

TEST_CASE("a strided view is reshaped where its axes are evenly spaced", "[core][tensor]") {
    edge::tensor<int> t({4, 6, 5});
    std::iota(t.begin(), t.end(), 0);
    const auto same = [](auto strided, const edge::shape& extents) {
        const auto there = strided.reshape(extents);
        const auto copied = edge::copy(strided);
        const auto expected = edge::tensor<int>(extents, std::span<const int>(copied.flat()));
        const auto result = edge::copy(there);
        return result.shape() == extents && std::equal(result.begin(), result.end(), expected.begin());
    };
    const auto v = t.view();
    CHECK(same(v.slice(2, 0, 5, 2), {24, 3}));
    CHECK(same(v.slice(2, 0, 5, 2), {2, 1, 2, 3, 2, 3}));
    CHECK(same(v.slice(0, 3, -1, -2), {2, 30}));
    CHECK(same(v.slice(0, 3, -1, -2), {2, 5, 6, 1}));
    CHECK(same(v.transpose({2, 0, 1}), {5, 24}));
    CHECK(same(v.transpose({2, 0, 1}).expand_dims(1), {5, 2, 12}));
    CHECK(same(v.select(2, 1), {24}));
    CHECK(same(v.select(2, 1).slice(0, 1, 2).slice(1, 2, 3), {}));
    CHECK(same(v.transpose().slice(0, 0, 0), {0, 7}));
    CHECK_THROWS_WITH(v.transpose().reshape({30, 4}),
                      "cannot reshape (5, 6, 4) with strides (1, 5, 30) to (30, 4) without a copy");
    CHECK_THROWS_AS(v.slice(1, 0, 4).reshape({16, 5}), edge::shape_error);
    CHECK_THROWS_AS(v.reshape({7}), edge::shape_error);
}

TEST_CASE("shapes that do not fit are refused, naming them", "[core][shape]") {
    const index_t big = index_t{1} << 40;
    CHECK_THROWS_AS((edge::shape{big, big}), edge::shape_error);
    CHECK_THROWS_AS((edge::shape{0, big, big}), edge::shape_error);
    CHECK_THROWS_AS((edge::shape{-1}), edge::shape_error);
    CHECK_THROWS_AS((edge::shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), edge::shape_error);
    CHECK_THROWS_AS((edge::tensor<double>(edge::shape{(index_t{1} << 60) - 1, 4})), edge::shape_error);
    CHECK_THROWS_WITH((edge::tensor<int>({2, 2}, {1})), "1 values do not fill shape (2, 2)");
    edge::tensor<int> t({2, 3});
    CHECK_THROWS_WITH(t.reshape({4, 2}), "cannot reshape (2, 3) to (4, 2)");
    CHECK_THROWS_AS(t.view().transpose({0, 0}), edge::argument_error);
    CHECK_THROWS_AS(t.view().select(2, 0), edge::argument_error);
}

TEST_CASE("a shape prints as NumPy prints it", "[core][shape]") {
    CHECK(to_string(edge::shape{}) == "()");
    CHECK(to_string(edge::shape{3}) == "(3,)");
    CHECK(to_string(edge::shape{2, 3}) == "(2, 3)");
    CHECK(edge::shape{}.size() == 1);
    CHECK(edge::shape{2, 0, 4}.strides() == edge::strides{4, 4, 1});
}

TEST_CASE("a tensor of run-time type knows its type", "[core][any_tensor]") {
    edge::any_tensor t = edge::tensor<std::uint8_t>({2}, {1, 2});
    CHECK(t.dtype() == edge::dtype::u8);
    CHECK(t.as<std::uint8_t>()[1] == 2);
    CHECK_THROWS_WITH(t.as<float>(), "tensor of uint8, not of float32");
    CHECK(edge::any_tensor(edge::dtype::f64, {3}).bytes() == 24);
    CHECK(edge::dtype_of<long> == (sizeof(long) == 8 ? edge::dtype::i64 : edge::dtype::i32));
    CHECK(edge::dtype_of<bool> == edge::dtype::boolean);
}
