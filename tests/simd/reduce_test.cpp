// SPDX-License-Identifier: MIT
#include <edge/simd/reduce.hpp>

#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <vector>

using edge::index_t;
using edge::tensor;
namespace detail = edge::simd::detail;

namespace {

template <class T>
bool same_bits(T a, T b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

tensor<float> normal(const edge::shape& extents, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> values(1.0f, 3.0f);
    tensor<float> t(extents);
    for (float& v : t) v = values(random);
    return t;
}

/// The order of additions that the header promises, written down plainly.
float pairwise(const float* x, index_t count) {
    constexpr index_t width = 32;
    std::vector<std::vector<float>> blocks;  // of sixteen rows
    const index_t rows = count / width;
    for (index_t first = 0; first < rows; first += 16) {
        std::vector<float> block(x + first * width, x + (first + 1) * width);
        for (index_t r = first + 1; r < std::min(rows, first + 16); ++r)
            for (index_t i = 0; i < width; ++i) block[static_cast<std::size_t>(i)] += x[r * width + i];
        blocks.push_back(block);
    }
    // A binary tree: full subtrees from the left, then those from the right.
    const std::function<std::vector<float>(std::size_t, std::size_t)> tree = [&](std::size_t first, std::size_t n) {
        if (n == 1) return blocks[first];
        std::size_t left = 1;
        while (left * 2 < n) left *= 2;
        auto a = tree(first, left);
        const auto b = tree(first + left, n - left);
        for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
        return a;
    };
    std::vector<float> total = rows == 0 ? std::vector<float>(x, x + count) : tree(0, blocks.size());
    if (rows != 0)
        for (index_t i = rows * width; i < count; ++i) total[static_cast<std::size_t>(i - rows * width)] += x[i];
    while (total.size() > 1) {
        const std::size_t half = (total.size() + 1) / 2;
        for (std::size_t i = 0; i + half < total.size(); ++i) total[i] += total[i + half];
        total.resize(half);
    }
    return total[0];
}

}  // namespace

TEST_CASE("a sum has the promised order for every count and alignment", "[simd][reduce]") {
    const auto x = normal({40000});
    for (const index_t count :
         {1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025, 1536, 5000, 32768})
        for (const index_t misaligned : {0, 1, 3}) {
            INFO("count " << count << ", misaligned by " << misaligned);
            const float got = edge::sum(edge::tensor_view<const float>(x.data() + misaligned, {count}));
            CHECK(same_bits(got, pairwise(x.data() + misaligned, count)));
        }
}

TEST_CASE("rows add up to the same bits on every architecture, whatever their width", "[simd][reduce]") {
    const auto x = normal({170, 70});
    for_each_arch([&]<class Arch>(arch_tag<Arch>) {
        bool same = true;
        for (const index_t rows : {1, 2, 16, 17, 32, 33, 100, 170})
            for (const index_t ahead : {4, 16, 48})
                for (const index_t width : {1, 5, 32, 37, 64, 70}) {
                    const auto read = [&](index_t first, index_t) {
                        return detail::rows_at<float>{x.data() + first * 70, 70};
                    };
                    guarded<float> scratch(static_cast<std::size_t>(detail::scratch_size<float>(1, rows, width)));
                    const float* totals = detail::reduce_tree<Arch, detail::total_of<detail::sum_of>, float>(
                        {}, read, rows, ahead, width, scratch.data());
                    for (index_t i = 0; i < width; ++i) {
                        std::vector<float> column;  // as 32 columns, of which one has the values
                        for (index_t r = 0; r < rows; ++r) {
                            column.insert(column.end(), 32, 0.0f);
                            column[static_cast<std::size_t>(r * 32)] = x(r, i);
                        }
                        same = same && same_bits(totals[i], pairwise(column.data(), rows * 32));
                    }
                    same = same && scratch.is_intact();
                }
        CHECK(same);
    });
}

TEST_CASE("sums do not depend on the number of threads", "[simd][reduce]") {
    const auto x = normal({3, 200001});
    const auto m = normal({501, 403});
    const float one = edge::sum(x, {.threads = 1});
    const float expression = edge::sum(x * x + 1.0f, {.threads = 1});
    const auto columns = edge::sum(m, 0, {.threads = 1});
    const auto rows = edge::sum(x, 1, {.threads = 1});
    for (const int threads : {2, 5}) {
        CHECK(same_bits(one, edge::sum(x, {.threads = threads})));
        CHECK(same_bits(expression, edge::sum(x * x + 1.0f, {.threads = threads})));
        const auto c = edge::sum(m, 0, {.threads = threads});
        CHECK(std::equal(c.begin(), c.end(), columns.begin(), same_bits<float>));
        const auto r = edge::sum(x, 1, {.threads = threads});
        CHECK(std::equal(r.begin(), r.end(), rows.begin(), same_bits<float>));
    }
}

TEST_CASE("the sum of an expression has the bits of the sum of its values", "[simd][reduce]") {
    for (const index_t n : {1, 31, 33, 4096, 5000, 40000}) {
        const auto x = normal({n});
        const auto squares = edge::eval(x * x);
        CHECK(same_bits(edge::sum(x * x), edge::sum(squares)));
    }
    const auto m = normal({60, 77});
    CHECK(same_bits(edge::sum(m.view().transpose({1, 0})), edge::sum(edge::eval(m.view().transpose({1, 0}) * 1.0f))));
}

TEST_CASE("the error of a sum grows with the logarithm of the count", "[simd][reduce]") {
    const tensor<float> tenth({1 << 22}, 0.1f);
    const double exact = 0.1f * double(1 << 22);
    CHECK(std::abs(double{edge::sum(tenth)} - exact) <= 8 * exact * std::numeric_limits<float>::epsilon());
    tensor<float> offset({1000000});
    std::mt19937 random(3);
    double total = 0;
    for (float& v : offset) {
        v = 1e6f + static_cast<float>(random() % 1000);
        total += double{v};
    }
    CHECK(std::abs(double{edge::sum(offset)} - total) <= 16 * total * std::numeric_limits<float>::epsilon());
}

TEST_CASE("along an axis, a reduction is that of each slice", "[simd][reduce]") {
    tensor<std::int32_t> t({4, 5, 37});
    std::mt19937 random(5);
    for (auto& v : t) v = static_cast<std::int32_t>(random() % 1000) - 500;
    for (index_t axis = -3; axis < 3; ++axis) {
        const std::size_t a = t.shape().axis(axis);
        const auto sums = edge::sum(t, axis);
        const auto highs = edge::max(t, axis);
        const auto means = edge::mean(t, axis, {.keepdims = true});
        CHECK(means.shape()[a] == 1);
        CHECK(means.size() == sums.size());
        bool ok = true;
        index_t i = 0;
        edge::index_list rest = t.shape().extents();
        rest.erase(a);
        for (index_t p = 0; p < rest[0]; ++p)
            for (index_t q = 0; q < rest[1]; ++q, ++i) {
                const auto slice = a == 0   ? t.view().select(1, p).select(1, q)
                                   : a == 1 ? t.view().select(0, p).select(1, q)
                                            : t.view().select(0, p).select(0, q);
                std::int64_t sum = 0;
                std::int32_t high = slice(0);
                for (index_t k = 0; k < slice.size(); ++k) {
                    sum += slice(k);
                    high = std::max(high, slice(k));
                }
                ok = ok && sums[i] == sum && highs[i] == high &&
                     means[i] == static_cast<double>(sum) / static_cast<double>(slice.size());
            }
        CHECK(ok);
    }
}

TEST_CASE("integers add up in 64 bits and wrap there", "[simd][reduce]") {
    static_assert(std::is_same_v<decltype(edge::sum(tensor<std::int8_t>({1}))), std::int64_t>);
    static_assert(std::is_same_v<decltype(edge::sum(tensor<std::uint8_t>({1}))), std::uint64_t>);
    static_assert(std::is_same_v<decltype(edge::mean(tensor<std::int32_t>({1}))), double>);
    CHECK(edge::sum(tensor<std::int8_t>({100000}, -128)) == -12800000);
    CHECK(edge::sum(tensor<bool>({100000}, true)) == 100000);
    CHECK(edge::sum(tensor<std::int64_t>({3}, INT64_MAX)) == INT64_MAX - 2);
    CHECK(edge::prod(tensor<std::int32_t>({3}, {1000000, 1000000, -1000000})) == -1000000000000000000);
}

TEST_CASE("NaN wins a minimum or maximum", "[simd][reduce]") {
    for (const index_t at : {0, 5, 31, 40, 699}) {
        tensor<float> x({700}, 1.0f);
        x[at] = std::numeric_limits<float>::quiet_NaN();
        CHECK(std::isnan(edge::min(x)));
        CHECK(std::isnan(edge::max(x)));
        CHECK(std::isnan(edge::max(edge::view(x.flat()).reshape({7, 100}), 1)[at / 100]));
    }
}

TEST_CASE("of nothing there is a sum and a product, but no smallest element", "[simd][reduce]") {
    const tensor<float> none({0, 3});
    CHECK(edge::sum(none) == 0.0f);
    CHECK(edge::prod(none) == 1.0f);
    CHECK(std::isnan(edge::mean(none)));
    CHECK(edge::sum(none, 0)[2] == 0.0f);
    CHECK(edge::sum(none, 1).empty());
    CHECK(edge::sum(tensor<float>({3, 0}), 0).empty());
    CHECK_FALSE(edge::any(none));
    CHECK(edge::all(none));
    CHECK(edge::max(none, 1).empty());
    CHECK_THROWS_WITH(edge::max(none), "max of no elements: shape (0, 3)");
    CHECK_THROWS_WITH(edge::sum(none, 2), "axis 2 is out of range for shape (0, 3)");
    CHECK_THROWS_AS(edge::sum(tensor<int>({2}) / 0), edge::argument_error);
}

TEST_CASE("any and all ask whether elements are not zero", "[simd][reduce]") {
    const tensor<int> x({2, 3}, {0, 1, 2, 0, 0, 3});
    CHECK(edge::any(x));
    CHECK_FALSE(edge::all(x));
    CHECK(edge::all(x < 4));
    const auto columns = edge::all(x, 0);
    CHECK_FALSE(columns[0]);
    CHECK(columns[2]);
    CHECK_FALSE(edge::any(x, 0)[0]);
    CHECK(edge::any(tensor<double>({1}, std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("several axes reduce as one after the other", "[simd][reduce]") {
    tensor<std::int64_t> t({3, 4, 5, 6});
    for (index_t i = 0; i < t.size(); ++i) t[i] = i * i % 101 - 50;
    const auto equal = [](const auto& a, const auto& b) {
        return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
    };
    CHECK(equal(edge::sum(t, {0, 2}), edge::sum(edge::sum(t, 2), 0)));
    CHECK(equal(edge::sum(t, {-1, 1}), edge::sum(edge::sum(t, 3), 1)));
    CHECK(equal(edge::max(t, {1, 2}), edge::max(edge::max(t, 2), 1)));
    CHECK(
        equal(edge::min(t, {3, 0, 1}, {.keepdims = true}),
              edge::min(edge::min(edge::min(t, 3, {.keepdims = true}), 1, {.keepdims = true}), 0, {.keepdims = true})));
    CHECK(equal(edge::sum(t, edge::index_list{}), t));
    const auto means = edge::mean(t, {0, 3});
    CHECK(means.shape() == edge::shape{4, 5});
    CHECK(means[7] == static_cast<double>(edge::sum(t, {0, 3})[7]) / 18);
    CHECK(edge::sum(t, {0, 1, 2, 3})[0] == edge::sum(t));
    CHECK(edge::sum(tensor<float>({2, 0, 3}), {0, 1})[2] == 0.0f);
    CHECK_THROWS_WITH(edge::sum(t, {1, -3}), "axis -3 is given twice");
    CHECK_THROWS_AS(edge::sum(t, {0, 4}), edge::argument_error);
    CHECK_THROWS_WITH(edge::max(tensor<float>({2, 0, 3}), {0, 1}), "max of no elements: shape (2, 0, 3)");
}

TEST_CASE("along any axis the sum is exact where floats are whole numbers", "[simd][reduce]") {
    // Narrow and wide rows, short and long axes, values and expressions.
    for (const edge::shape& extents :
         {edge::shape{1, 2000, 3}, edge::shape{3, 70, 31}, edge::shape{2, 40, 32}, edge::shape{1, 600, 33},
          edge::shape{1, 20, 5000}, edge::shape{1, 300, 17000}, edge::shape{500, 7, 1}, edge::shape{40, 200, 2}}) {
        INFO("shape " << to_string(extents));
        tensor<float> x(extents);
        for (index_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 256 - 128);
        const auto sums = edge::sum(x, 1);
        const auto doubled = edge::sum(x + x, 1);
        tensor<std::int16_t> small(extents);
        std::transform(x.begin(), x.end(), small.begin(), [](float v) { return static_cast<std::int16_t>(v); });
        const auto integers = edge::sum(small, 1);
        const auto twice = edge::sum(small + small, 1);
        bool ok = true;
        for (index_t o = 0; o < extents[0]; ++o)
            for (index_t c = 0; c < extents[2]; ++c) {
                std::int64_t expected = 0;
                for (index_t r = 0; r < extents[1]; ++r) expected += static_cast<std::int64_t>(x(o, r, c));
                const auto i = o * extents[2] + c;
                ok = ok && sums[i] == static_cast<float>(expected) && doubled[i] == static_cast<float>(2 * expected) &&
                     integers[i] == expected && twice[i] == 2 * expected;
            }
        CHECK(ok);
    }
}

TEMPLATE_TEST_CASE("small integers add up exactly for every count", "[simd][reduce]", std::int8_t, std::uint8_t,
                   std::int16_t, std::uint16_t, std::int32_t, std::uint32_t) {
    using T = TestType;
    using S = edge::sum_type<T>;
    std::mt19937 random(7);
    tensor<T> x({200000});
    for (T& v : x) v = static_cast<T>(random());
    for (const T extreme : {(std::numeric_limits<T>::max)(), (std::numeric_limits<T>::min)()}) {
        std::fill(x.begin() + 70000, x.end(), extreme);  // fields would overflow here
        for (const index_t count : {1, 3, 31, 32, 33, 1000, 8191, 8193, 65536, 140001, 200000}) {
            S expected = 0;
            for (index_t i = 0; i < count; ++i) expected = static_cast<S>(expected + static_cast<S>(x[i]));
            CHECK(edge::sum(edge::tensor_view<const T>(x.data(), {count}), {.threads = 2}) == expected);
        }
    }
}

TEST_CASE("norms are those of the elements as one vector", "[simd][reduce]") {
    const tensor<float> x({2, 2}, {3, -4, 0, 12});
    CHECK(edge::norm(x) == 13.0f);
    CHECK(edge::norm(x, {.order = 1}) == 19.0f);
    CHECK(edge::norm(x, {.order = std::numeric_limits<double>::infinity()}) == 12.0f);
    CHECK(edge::norm(x, 1)[0] == 5.0f);
    CHECK(edge::norm(x, {0, 1})[0] == 13.0f);
    CHECK(edge::norm(x, 0, {.order = 1, .keepdims = true}).shape() == edge::shape{1, 2});
    CHECK(edge::norm(tensor<float>({0})) == 0.0f);
    CHECK(edge::norm(tensor<float>({0}), {.order = std::numeric_limits<double>::infinity()}) == 0.0f);
    CHECK_THROWS_WITH(edge::norm(x, {.order = 3}), "norm of order 3; expected 1, 2 or infinity");
}

TEST_CASE("elements that are not zero are counted", "[simd][reduce]") {
    const tensor<double> x({2, 3}, {0, -0.0, 2, std::numeric_limits<double>::quiet_NaN(), 0, 3});
    CHECK(edge::count_nonzero(x) == 3);
    CHECK(edge::count_nonzero(x, 1)[1] == 2);
    CHECK(edge::count_nonzero(x < 1.0) == 3);
}
