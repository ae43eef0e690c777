// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/ml/kmeans.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <vector>

using edge::index_t;
using edge::tensor;
using edge::ml::kmeans;
using edge::ml::kmeans_options;

namespace {

template <class T>
tensor<T> random_rows(std::uint64_t seed, index_t n, index_t d, double spread = 1, double offset = 0) {
    edge::splitmix64 random(seed);
    auto x = tensor<T>::uninitialized({n, d});
    for (T& v : x) v = static_cast<T>(offset + spread * random.uniform(-1, 1));
    return x;
}

/// Rows about (0, 0), (10, 0) and (0, 10), in turn.
tensor<float> three_blobs(index_t n) {
    auto x = random_rows<float>(3, n, 2);
    for (index_t i = 0; i < n; ++i) {
        if (i % 3 == 1) x(i, 0) += 10;
        if (i % 3 == 2) x(i, 1) += 10;
    }
    return x;
}

template <class T>
double squared_distance(const tensor<T>& x, index_t i, const tensor<T>& centres, index_t c) {
    double sum = 0;
    for (index_t j = 0; j < x.shape()[1]; ++j) {
        const double off = static_cast<double>(x(i, j)) - static_cast<double>(centres(c, j));
        sum += off * off;
    }
    return sum;
}

/// Everything that is true of any result.
template <class T>
void check_result(const tensor<T>& x, const edge::ml::kmeans_result<T>& r, int k) {
    const double accuracy = sizeof(T) == 4 ? 1e-5 : 1e-12;
    REQUIRE(r.centres.shape() == edge::shape{k, x.shape()[1]});
    REQUIRE(r.labels.shape() == edge::shape{x.shape()[0]});
    double inertia = 0;
    for (index_t i = 0; i < x.shape()[0]; ++i) {
        REQUIRE((r.labels[i] >= 0 && r.labels[i] < k));
        const double own = squared_distance(x, i, r.centres, r.labels[i]);
        inertia += own;
        for (index_t c = 0; c < k; ++c) REQUIRE(own <= squared_distance(x, i, r.centres, c) * (1 + accuracy) + 1e-30);
    }
    CHECK(r.inertia == Approx(inertia).epsilon(accuracy));
    const auto again = edge::ml::nearest_centres(x, r.centres);
    for (index_t i = 0; i < x.shape()[0]; ++i) REQUIRE(again[i] == r.labels[i]);
}

}  // namespace

TEST_CASE("groups that lie apart are found", "[ml][kmeans]") {
    const auto x = three_blobs(300);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto r = kmeans(x, {.clusters = 3, .seed = seed});
        check_result(x, r, 3);
        CHECK(r.converged);
        for (index_t i = 3; i < 300; ++i) REQUIRE(r.labels[i] == r.labels[i % 3]);
        CHECK(std::set<std::int32_t>{r.labels[0], r.labels[1], r.labels[2]}.size() == 3);
        CHECK(std::abs(r.centres(r.labels[1], 0) - 10) < 0.2);
    }
}

TEST_CASE("labels, inertia and centres agree with each other", "[ml][kmeans]") {
    // Sizes on both sides of every register width and tile of rows.
    for (const int k : {1, 2, 3, 4, 7, 8, 9, 16, 17, 33})
        for (const index_t d : {1, 2, 5}) {
            CAPTURE(k, d);
            const auto x = random_rows<float>(static_cast<std::uint64_t>(k), 203, d);
            check_result(x, kmeans(x, {.clusters = k}), k);
            const auto y = random_rows<double>(static_cast<std::uint64_t>(k), 97, d, 1e-3, 1e5);
            check_result(y, kmeans(y, {.clusters = k}), k);
        }
}

TEST_CASE("at a fixed point each centre is the mean of its rows", "[ml][kmeans]") {
    const auto x = random_rows<double>(7, 500, 3);
    const auto r = kmeans(x, {.clusters = 6, .tolerance = 0});
    REQUIRE(r.converged);
    for (index_t c = 0; c < 6; ++c)
        for (index_t j = 0; j < 3; ++j) {
            double sum = 0;
            int n = 0;
            for (index_t i = 0; i < 500; ++i)
                if (r.labels[i] == c) {
                    sum += x(i, j);
                    ++n;
                }
            REQUIRE(n > 0);
            CHECK(r.centres(c, j) == Approx(sum / n).margin(1e-12));
        }
}

TEST_CASE("more iterations never cost inertia", "[ml][kmeans]") {
    const auto x = random_rows<double>(8, 2000, 4);
    double before = std::numeric_limits<double>::infinity();
    for (int most = 1; most < 20; ++most) {
        const auto r = kmeans(x, {.clusters = 10, .max_iterations = most, .tolerance = 0});
        CHECK(r.iterations <= most);
        CHECK(r.inertia <= before * (1 + 1e-12));
        before = r.inertia;
    }
}

TEST_CASE("restarts reach the best of all partitions of a few rows", "[ml][kmeans]") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto x = random_rows<double>(100 + seed, 11, 2);
        double best = std::numeric_limits<double>::infinity();
        for (unsigned set = 1; set < 1U << 10; ++set) {  // row 10 is always on the other side
            double inertia = 0;
            for (const bool side : {false, true})
                for (index_t j = 0; j < 2; ++j) {
                    double sum = 0;
                    double squares = 0;
                    double n = 0;
                    for (index_t i = 0; i < 11; ++i)
                        if (((set >> i & 1U) != 0) == side) {
                            sum += x(i, j);
                            squares += x(i, j) * x(i, j);
                            n += 1;
                        }
                    inertia += squares - sum * sum / n;
                }
            best = (std::min)(best, inertia);
        }
        CHECK(kmeans(x, {.clusters = 2, .restarts = 30, .tolerance = 0}).inertia == Approx(best));
    }
}

TEST_CASE("one group is the mean, as many groups as rows are the rows", "[ml][kmeans]") {
    const tensor<float> x({4, 1}, {1, 2, 4, 9});
    const auto one = kmeans(x, {.clusters = 1});
    CHECK(one.centres[0] == 4);
    CHECK(one.inertia == 9 + 4 + 0 + 25);
    const auto all = kmeans(x, {.clusters = 4});
    CHECK(all.inertia == 0);
    CHECK(std::set<std::int32_t>(all.labels.begin(), all.labels.end()).size() == 4);
}

TEST_CASE("an empty group takes the row that lies farthest from its centre", "[ml][kmeans]") {
    // Both rows beyond 20 are far off; nothing is near the second and the third centre.
    const tensor<double> x({6, 1}, {0, 1, 2, 30, 50, 3});
    const tensor<double> first({3, 1}, {1, 1000, 2000});
    const auto once = kmeans(x, first, {.max_iterations = 1});
    CHECK(once.centres[0] == (0 + 1 + 2 + 3) / 4.0);
    CHECK(once.centres[1] == 50);
    CHECK(once.centres[2] == 30);
    CHECK(kmeans(x, first, {.tolerance = 0}).inertia == 5);
    // Of equally far rows the lowest; the last row of a group stays.
    const tensor<double> even({2, 1}, {-1, 1});
    CHECK(kmeans(even, tensor<double>({2, 1}, {0, 9}), {}).centres[1] == -1);
    // Every row on its centre: there is nothing to take, and the centre stays where it was.
    const tensor<double> equal({3, 1}, {4, 4, 4});
    const auto r = kmeans(equal, tensor<double>({2, 1}, {4, 7}), {});
    CHECK(r.inertia == 0);
    CHECK(r.centres[1] == 7);
    CHECK(r.converged);
}

TEST_CASE("no group stays empty while rows lie off their centres", "[ml][kmeans]") {
    edge::splitmix64 random(5);
    for (int round = 0; round < 500; ++round) {
        const auto n = static_cast<index_t>(4 + random.below(20));
        const auto k = static_cast<index_t>(2 + random.below(static_cast<std::uint64_t>(n) - 2));
        const auto x = random_rows<double>(random(), n, 2);
        const auto r = kmeans(x, random_rows<double>(random(), k, 2, 100), {.tolerance = 0});
        CHECK(std::set<std::int32_t>(r.labels.begin(), r.labels.end()).size() == static_cast<std::size_t>(k));
        check_result(x, r, static_cast<int>(k));
    }
}

TEST_CASE("fewer distinct rows than groups leave groups empty", "[ml][kmeans]") {
    const tensor<float> x({6, 1}, {2, 2, 5, 5, 5, 2});
    const auto r = kmeans(x, {.clusters = 4});
    CHECK(r.inertia == 0);
    check_result(x, r, 4);
    CHECK(std::set<std::int32_t>(r.labels.begin(), r.labels.end()).size() == 2);
}

TEST_CASE("starting from the centres found changes nothing", "[ml][kmeans]") {
    const auto x = random_rows<float>(12, 1000, 3);
    const auto r = kmeans(x, {.clusters = 5, .tolerance = 0});
    const auto again = kmeans(x, r.centres, {});
    CHECK(again.iterations == 1);
    CHECK(again.inertia == r.inertia);
    CHECK(std::equal(r.centres.begin(), r.centres.end(), again.centres.begin()));
    CHECK_THROWS_AS(kmeans(x, random_rows<float>(1, 2, 4), {}), edge::shape_error);
    CHECK_THROWS_AS(kmeans(x, random_rows<float>(1, 1001, 3), {}), edge::argument_error);
}

TEST_CASE("a result is the same for any number of threads and any strides", "[ml][kmeans]") {
    const auto x = random_rows<float>(6, 20011, 3);
    const auto want = kmeans(x, {.clusters = 12, .restarts = 2, .seed = 9, .threads = 1});
    const auto same = [&](const edge::ml::kmeans_result<float>& r) {
        CHECK(r.inertia == want.inertia);
        CHECK(r.iterations == want.iterations);
        CHECK(std::equal(want.labels.begin(), want.labels.end(), r.labels.begin()));
        CHECK(std::equal(want.centres.begin(), want.centres.end(), r.centres.begin()));
    };
    for (const int threads : {2, 3, 8}) same(kmeans(x, {.clusters = 12, .restarts = 2, .seed = 9, .threads = threads}));
    auto turned = tensor<float>::uninitialized({3, 20011});
    for (index_t i = 0; i < 20011; ++i)
        for (index_t j = 0; j < 3; ++j) turned(j, i) = x(i, j);
    same(kmeans(turned.view().transpose({1, 0}), {.clusters = 12, .restarts = 2, .seed = 9}));
    CHECK(kmeans(x, {.clusters = 12, .restarts = 2, .seed = 10}).inertia != want.inertia);
}

TEST_CASE("what k-means cannot take is refused by name", "[ml][kmeans]") {
    const tensor<float> x({3, 2}, {1, 2, 3, 4, 5, 6});
    CHECK_THROWS_WITH(kmeans(x, {.clusters = 4}), "clusters 4; expected 1 to the number of rows, 3, and at most 2^24");
    CHECK_THROWS_AS(kmeans(x, {.clusters = 0}), edge::argument_error);
    CHECK_THROWS_AS(kmeans(tensor<float>({0, 2}), {.clusters = 1}), edge::argument_error);
    CHECK_THROWS_AS(kmeans(x, {.clusters = 1, .restarts = 0}), edge::argument_error);
    CHECK_THROWS_AS(kmeans(x, {.clusters = 1, .max_iterations = 0}), edge::argument_error);
    CHECK_THROWS_AS(kmeans(x, {.clusters = 1, .tolerance = -1}), edge::argument_error);
    CHECK_THROWS_AS(kmeans(x, {.clusters = 1, .tolerance = std::nan("")}), edge::argument_error);
    CHECK_THROWS_AS(kmeans(tensor<float>({6}), {.clusters = 1}), edge::shape_error);
    CHECK_THROWS_AS(kmeans(tensor<float>({6, 0}), {.clusters = 1}), edge::shape_error);
    const tensor<float> odd({2, 2}, {1, 2, std::numeric_limits<float>::quiet_NaN(), 4});
    CHECK_THROWS_WITH(kmeans(odd, {.clusters = 1}), "k-means: row 1, column 0 is nan; expected a finite number");
    const tensor<float> large({2, 1}, {3e38F, -3e38F});
    CHECK_THROWS_WITH(kmeans(large, {.clusters = 1}), "k-means: a squared distance overflows; expected smaller values");
    CHECK_THROWS_AS(edge::ml::nearest_centres(x, tensor<float>({1, 3})), edge::shape_error);
    CHECK_THROWS_AS(edge::ml::nearest_centres(x, tensor<float>({0, 2})), edge::argument_error);
    CHECK(edge::ml::nearest_centres(tensor<float>({0, 2}), x).empty());
}
