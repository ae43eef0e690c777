// SPDX-License-Identifier: MIT
#include <edge/simd/matmul.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using edge::index_t;
using edge::tensor;

namespace {

/// c[i, j] = Σ a[i, p]·b[p, j]
template <class T>
tensor<T> product(edge::tensor_view<const T> a, edge::tensor_view<const T> b) {
    tensor<T> c({a.shape()[0], b.shape()[1]});
    for (index_t i = 0; i < a.shape()[0]; ++i)
        for (index_t j = 0; j < b.shape()[1]; ++j)
            for (index_t p = 0; p < a.shape()[1]; ++p) c(i, j) = static_cast<T>(c(i, j) + a(i, p) * b(p, j));
    return c;
}

}  // namespace

TEST_CASE("matmul takes vectors as rows and columns", "[simd][matmul]") {
    for (const index_t m : {1, 2, 7, 30})
        for (const index_t k : {1, 3, 16, 50})
            for (const index_t n : {1, 2, 9, 40}) {
                const auto a = numbers<double>({m, k});
                const auto b = numbers<double>({k, n}, 2);
                const auto c = product<double>(a, b);
                CHECK(equal(c, edge::matmul(a, b)));
                CHECK(equal(edge::eval(c.view().select(0, 0)), edge::matmul(a.view().select(0, 0), b)));
                CHECK(equal(edge::eval(c.view().select(1, 0)), edge::matmul(a, b.view().select(1, 0))));
                CHECK(edge::matmul(a.view().select(0, 0), b.view().select(1, 0))[0] == c(0, 0));
                CHECK(edge::dot(a.view().select(0, 0), b.view().select(1, 0)) == c(0, 0));
                CHECK(equal(edge::eval(c.view().transpose({1, 0})),
                            edge::matmul(b.view().transpose({1, 0}), a.view().transpose({1, 0}))));
            }
}

TEST_CASE("batches of matmul broadcast", "[simd][matmul]") {
    const auto a = numbers<float>({5, 1, 4, 6});
    const auto b = numbers<float>({3, 6, 2}, 2);
    const auto c = edge::matmul(a, b);
    REQUIRE(c.shape() == edge::shape{5, 3, 4, 2});
    for (index_t i = 0; i < 5; ++i)
        for (index_t j = 0; j < 3; ++j)
            CHECK(equal(edge::eval(c.view().select(0, i).select(0, j)),
                        product<float>(a.view().select(0, i).select(0, 0), b.view().select(0, j))));
    CHECK(edge::matmul(a, numbers<float>({6})).shape() == edge::shape{5, 1, 4});
    CHECK(edge::matmul(numbers<float>({6}), b).shape() == edge::shape{3, 2});
    CHECK(equal(edge::matmul(a.view().select(1, 0), b.view().select(0, 1)), edge::eval(c.view().select(1, 1))));
}

TEST_CASE("matmul of shapes that do not fit names both", "[simd][matmul]") {
    const tensor<float> a({2, 3});
    CHECK_THROWS_WITH(edge::matmul(a, a),
                      "matmul of shapes (2, 3) and (2, 3): the last axis of the first does not fit the second");
    CHECK_THROWS_WITH(edge::matmul(a, tensor<float>(edge::shape{})),
                      "matmul of shapes (2, 3) and (): a scalar is no matrix");
    CHECK_THROWS_WITH(edge::matmul(tensor<float>({2, 2, 3}), tensor<float>({3, 3, 3})),
                      "matmul of shapes (2, 2, 3) and (3, 3, 3): the axes before the last two do not broadcast");
    tensor<float> out({2, 2});
    CHECK_THROWS_WITH(edge::matmul(out, a, tensor<float>({3, 1})),
                      "matmul of shapes (2, 3) and (3, 1) is of shape (2, 1), not (2, 2)");
    CHECK_THROWS_AS(edge::dot(tensor<float>({2}), tensor<float>({3})), edge::shape_error);
    CHECK_THROWS_AS(edge::outer(a, a), edge::shape_error);
    CHECK_THROWS_AS(edge::trace(tensor<float>({3})), edge::shape_error);
}

TEST_CASE("matmul writes where it is told, also over its operands, and allocates nothing", "[simd][matmul]") {
    const auto a = numbers<float>({20, 20});
    const auto b = numbers<float>({20, 20}, 2);
    const auto c = edge::matmul(a, b);
    tensor<float> wide({20, 60}, 7.0f);
    edge::matmul(wide.view().slice(1, 1, 60, 3), a, b);
    CHECK(equal(c, edge::eval(wide.view().slice(1, 1, 60, 3))));
    CHECK(equal(edge::eval(wide.view().slice(1, 0, 60, 3)), tensor<float>({20, 20}, 7.0f)));
    tensor<float> out({20, 20});
    const auto before = allocations();
    edge::matmul(out, a, b, {.threads = 1});
    CHECK(allocations() == before);
    auto own = a;
    edge::matmul(own, own, b);
    CHECK(equal(own, c));
    tensor<float> zeros({20, 20}, 1.0f);
    edge::matmul(zeros, tensor<float>({20, 0}), tensor<float>({0, 20}));
    CHECK(equal(zeros, tensor<float>({20, 20})));
    CHECK(edge::matmul(tensor<float>({0, 3}), tensor<float>({3, 4})).shape() == edge::shape{0, 4});
}

TEST_CASE("dot adds in pairs, wherever the elements lie", "[simd][matmul]") {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    tensor<float> x({200000}), y({200000}), apart({200000, 2});
    double exact = 0;
    double size = 0;
    for (index_t i = 0; i < x.size(); ++i) {
        x[i] = normal(random);
        y[i] = normal(random);
        apart(i, 0) = x[i];
        exact += double{x[i]} * double{y[i]};
        size += std::fabs(double{x[i]} * double{y[i]});
    }
    const float one = edge::dot(x, y, {.threads = 1});
    CHECK(std::fabs(double{one} - exact) < 100 * size * 6e-8 / 2);
    for (const int threads : {2, 5}) CHECK(edge::dot(x, y, {.threads = threads}) == one);
    CHECK(edge::dot(apart.view().select(1, 0), y) == one);
    for (index_t n = 0; n < 150; ++n) {
        const auto a = numbers<std::int8_t>({n}, 8);
        std::int8_t sum = 0;
        for (const auto v : a) sum = static_cast<std::int8_t>(sum + v * v);
        CHECK(edge::dot(a, a) == sum);
    }
    const std::vector<float> v = {1, 2};
    CHECK(edge::dot(v, std::span(v)) == 5.0f);
    y[7] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(edge::dot(x, y)));
}

TEST_CASE("outer and trace are NumPy's", "[simd][matmul]") {
    const tensor<float> a({2}, {-1.0f, 3.0f});
    const tensor<float> b({3}, {0.0f, 2.0f, 5.0f});
    CHECK(equal(edge::outer(a, b), tensor<float>({2, 3}, {-0.0f, -2, -5, 0, 6, 15})));
    CHECK(std::signbit(edge::outer(a, b)[0]));
    const auto m = numbers<std::int32_t>({3, 5});
    const std::int64_t t = edge::trace(m);
    CHECK(t == m(0, 0) + m(1, 1) + m(2, 2));
    CHECK(edge::trace(m.view().transpose({1, 0})) == t);
    CHECK(edge::trace(edge::outer(a, a)) == edge::dot(a, a));
}
