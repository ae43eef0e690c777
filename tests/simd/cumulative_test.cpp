// SPDX-License-Identifier: MIT
#include <edge/simd/cumulative.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using edge::index_t;
using edge::tensor;

TEST_CASE("each element becomes the sum of all up to it", "[simd][cumulative]") {
    const tensor<std::int32_t> x({2, 3}, {1, 2, 3, 4, 5, 6});
    const auto flat = edge::cumsum(x);
    CHECK(flat.shape() == edge::shape{6});
    CHECK(equal(flat, tensor<std::int64_t>({6}, {1, 3, 6, 10, 15, 21})));
    CHECK(equal(edge::cumsum(x, 0), tensor<std::int64_t>({2, 3}, {1, 2, 3, 5, 7, 9})));
    CHECK(equal(edge::cumsum(x, -1), tensor<std::int64_t>({2, 3}, {1, 3, 6, 4, 9, 15})));
    CHECK(equal(edge::cumprod(x, 1), tensor<std::int64_t>({2, 3}, {1, 2, 6, 4, 20, 120})));
    CHECK(equal(edge::cumprod(tensor<float>({3}, {2, 0.5f, 3})), tensor<float>({3}, {2, 1, 3})));
}

TEST_CASE("a running sum has the bits of a loop, for views, expressions and any threads", "[simd][cumulative]") {
    tensor<float> x({3, 211, 170});
    for (index_t i = 0; i < x.size(); ++i) x[i] = 0.1f * static_cast<float>(i % 97);
    tensor<float> expected = edge::eval(x + x);
    for (index_t o = 0; o < 3; ++o)
        for (index_t r = 1; r < 211; ++r)
            for (index_t c = 0; c < 170; ++c) expected(o, r, c) += expected(o, r - 1, c);
    for (const int threads : {1, 3}) CHECK(equal(edge::cumsum(x + x, 1, {.threads = threads}), expected));
    const tensor<bool> truth({4}, {true, false, true, true});
    CHECK(equal(edge::cumsum(truth), tensor<std::int64_t>({4}, {1, 1, 2, 3})));
    const auto column = x.view().select(0, 0).select(1, 0);
    CHECK(edge::cumsum(column)[2] == x(0, 0, 0) + x(0, 1, 0) + x(0, 2, 0));
}

TEST_CASE("nothing has no running sum, and a scalar has itself", "[simd][cumulative]") {
    CHECK(edge::cumsum(tensor<float>({0, 3}), 0).shape() == edge::shape{0, 3});
    CHECK(edge::cumsum(tensor<float>(edge::shape{})).shape() == edge::shape{1});
    CHECK_THROWS_AS(edge::cumsum(tensor<float>({2}), 1), edge::argument_error);
}
