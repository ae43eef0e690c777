// SPDX-License-Identifier: MIT
#include <edge/simd/argminmax.hpp>

#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <limits>
#include <random>

using edge::index_t;
using edge::tensor;
namespace detail = edge::simd::detail;

namespace {

/// The definition: the first that no other beats, NaN before all.
template <class T>
index_t first_largest(const edge::tensor_view<const T>& x, bool lowest = false) {
    index_t best = 0;
    for (index_t i = 0; i < x.size(); ++i) {
        if (x(i) != x(i)) return i;
        if (lowest ? x(i) < x(best) : x(i) > x(best)) best = i;
    }
    return best;
}

/// Few different values, so that many are equal, and a NaN in one of `nan_in`.
template <class T>
tensor<T> few_values(const edge::shape& extents, std::mt19937& random, unsigned nan_in = 0) {
    tensor<T> t(extents);
    for (T& v : t) {
        v = static_cast<T>(random() % 100);
        if constexpr (std::is_floating_point_v<T>)
            if (nan_in != 0 && random() % nan_in == 0) v = std::numeric_limits<T>::quiet_NaN();
    }
    return t;
}

}  // namespace

TEST_CASE("the first extreme of neighbours is found on every architecture", "[simd][argminmax]") {
    std::mt19937 random(1);
    for_each_arch([&]<class Arch>(arch_tag<Arch>) {
        bool ok = true;
        for (const index_t count : {1, 2, 7, 31, 32, 33, 100, 2047, 2048, 2049, 5000})
            for (const unsigned nan_in : {0U, 50U, 3000U}) {
                const auto x = few_values<float>({count}, random, nan_in);
                ok = ok &&
                     detail::find_in_row<Arch, detail::is_higher>(x.data(), count).at == first_largest<float>(x.view());
                ok = ok && detail::find_in_row<Arch, detail::is_lower>(x.data(), count).at ==
                               first_largest<float>(x.view(), true);
            }
        CHECK(ok);
    });
}

TEMPLATE_TEST_CASE("along any axis, positions are those of each slice", "[simd][argminmax]", float, std::int8_t) {
    using T = TestType;
    std::mt19937 random(2);
    for (const edge::shape& extents : {edge::shape{2, 700, 3}, edge::shape{3, 50, 33}, edge::shape{1, 300, 70},
                                       edge::shape{40, 9, 1}, edge::shape{1, 40000, 2}, edge::shape{2, 70000, 1}})
        for (const unsigned nan_in : {0U, 200U}) {
            INFO("shape " << to_string(extents) << ", NaN in " << nan_in);
            const auto x = few_values<T>(extents, random, nan_in);
            const auto high = edge::argmax(x, 1, {.threads = 2});
            const auto low = edge::argmin(x, -2, {.keepdims = true});
            CHECK(low.shape() == edge::shape{extents[0], 1, extents[2]});
            const auto of_expression = edge::argmax(x + x, 1);
            const auto doubled = edge::eval(x + x);
            bool ok = true;
            for (index_t o = 0; o < extents[0]; ++o)
                for (index_t c = 0; c < extents[2]; ++c) {
                    const edge::tensor_view<const T> slice = x.view().select(0, o).select(1, c);
                    const index_t i = o * extents[2] + c;
                    ok = ok && high[i] == first_largest(slice) && low[i] == first_largest(slice, true) &&
                         of_expression[i] ==
                             first_largest<T>(edge::tensor_view<const T>(doubled).select(0, o).select(1, c));
                }
            CHECK(ok);
            CHECK(edge::argmax(x) == first_largest<T>(x.view().reshape({x.size()})));
        }
}

TEST_CASE("equal values, zeros of both signs and NaN: the first of them", "[simd][argminmax]") {
    CHECK(edge::argmax(tensor<double>({5}, {3, 1, 4, 1, 4})) == 2);
    CHECK(edge::argmin(tensor<double>({5}, {3, 1, 4, 1, 4})) == 1);
    CHECK(edge::argmax(tensor<float>({3}, {-0.0f, 0.0f, -1.0f})) == 0);
    CHECK(edge::argmin(tensor<float>({3}, {0.0f, -0.0f, 1.0f})) == 0);
    CHECK(edge::argmax(tensor<bool>({3}, {false, true, true})) == 1);
    for (const index_t at : {0, 5, 31, 40, 69999}) {
        tensor<float> x({70000}, 1.0f);
        x[at] = std::numeric_limits<float>::quiet_NaN();
        x[69999] = std::numeric_limits<float>::quiet_NaN();
        CHECK(edge::argmax(x) == at);
        CHECK(edge::argmin(x, {.threads = 3}) == at);
        CHECK(edge::argmax(x.view().reshape({700, 100}), 0)[at % 100] == at / 100);
    }
    CHECK(edge::argmax(tensor<float>(edge::shape{}, 7.0f)) == 0);
}

TEST_CASE("of nothing there is no position", "[simd][argminmax]") {
    const tensor<float> none({0, 3});
    CHECK(edge::argmax(none, 1).empty());
    CHECK_THROWS_WITH(edge::argmin(none, 0), "argmin of no elements: shape (0, 3)");
    CHECK_THROWS_WITH(edge::argmax(none), "argmax of no elements: shape (0, 3)");
    CHECK_THROWS_WITH(edge::argmax(none, 2), "axis 2 is out of range for shape (0, 3)");
}
