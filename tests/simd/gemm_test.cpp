// SPDX-License-Identifier: MIT
#include <edge/core/tensor.hpp>
#include <edge/simd/packed_gemm.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using edge::index_t;
using edge::simd::gemm;
using edge::simd::matrix;
using edge::simd::packed_matrix;
using native = edge::simd::detail::default_arch;

namespace {

/// A matrix whose rows and columns may be apart, in memory of its own.
template <class T>
struct laid_out {
    std::vector<T> memory;
    matrix<T> view;

    /// @param layout  0: contiguous, 1: turned, 2: rows and columns apart, 3: upside down
    laid_out(index_t rows, index_t columns, int layout, T fill = T{}) {
        const index_t wide = columns + (layout == 0 ? 0 : 3);
        const index_t high = rows + 2;
        memory.assign(static_cast<std::size_t>(2 * high * wide + 2 * columns * high + 1), fill);
        view = {memory.data(), rows, columns, wide, 1};
        if (layout == 1) view = {memory.data(), rows, columns, 1, high};
        if (layout == 2) view = {memory.data(), rows, columns, 2 * wide, 2};
        if (layout == 3) view = {memory.data() + rows * wide, rows, columns, -wide, 1};
    }
    T& at(index_t i, index_t j) { return view.data[i * view.row_step + j * view.column_step]; }
};

template <class T>
laid_out<T> numbers(index_t rows, index_t columns, int layout, std::mt19937& random) {
    laid_out<T> m(rows, columns, layout);
    // Small whole numbers: every order of sums gives the same.
    for (T& v : m.memory) v = static_cast<T>(static_cast<int>(random() % 13) - 6);
    return m;
}

/// Real numbers: every order of sums gives something else.
edge::tensor<float> reals(index_t rows, index_t columns, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    edge::tensor<float> t({rows, columns});
    for (float& v : t) v = normal(random);
    return t;
}
matrix<const float> as_matrix(const edge::tensor<float>& t) {
    return {t.data(), t.shape()[0], t.shape()[1], t.shape()[1]};
}
matrix<float> as_matrix(edge::tensor<float>& t) { return {t.data(), t.shape()[0], t.shape()[1], t.shape()[1]}; }
bool same_bits(const edge::tensor<float>& a, const edge::tensor<float>& b) {
    return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

template <class Arch, class T>
void check_sizes(index_t most, index_t by) {
    std::mt19937 random(1);
    for (index_t m = 0; m <= most; m += by)
        for (index_t n = 0; n <= most; n += by)
            for (index_t k = 0; k <= most; k += by) {
                const auto layouts = random();
                auto a = numbers<T>(m, k, layouts & 3, random);
                auto b = numbers<T>(k, n, layouts >> 2 & 3, random);
                const bool packed = (layouts >> 7 & 3) == 0;
                const bool accumulate = (layouts >> 6 & 1) != 0;
                laid_out<T> c(m, n, packed ? 3 * (layouts >> 4 & 1) : layouts >> 4 & 3, T{55});
                if (packed) {
                    gemm<Arch, T>(a.view, packed_matrix<T, Arch>(b.view), c.view,
                                  {.accumulate = accumulate, .threads = 1});
                } else {
                    gemm<Arch, T>(a.view, b.view, c.view, {.accumulate = accumulate, .threads = 1});
                }
                bool ok = true;
                for (index_t i = 0; i < m; ++i)
                    for (index_t j = 0; j < n; ++j) {
                        double sum = accumulate ? 55 : 0;
                        for (index_t p = 0; p < k; ++p)
                            sum += static_cast<double>(a.at(i, p)) * static_cast<double>(b.at(p, j));
                        ok = ok && c.at(i, j) == static_cast<T>(static_cast<std::int64_t>(sum));
                        c.at(i, j) = T{55};
                    }
                for (const T v : c.memory) ok = ok && v == T{55};  // nothing else was written
                INFO(m << " x " << k << " x " << n << ", layouts " << (layouts & 511));
                REQUIRE(ok);
            }
}

}  // namespace

TEST_CASE("matrix products equal the sums of products for every size and layout", "[simd][gemm]") {
    for_each_arch([]<class Arch>(arch_tag<Arch>) { check_sizes<Arch, float>(20, 1); });
    check_sizes<native, double>(20, 1);
}

TEST_CASE("matrix products of integers wrap", "[simd][gemm]") {
    check_sizes<native, std::int32_t>(12, 1);
    check_sizes<native, std::uint8_t>(12, 2);
    check_sizes<native, std::int64_t>(12, 2);
    const std::int32_t big[] = {1 << 30, 3};
    std::int32_t c = 0;
    gemm<native, std::int32_t>({big, 1, 2, 2}, {big, 2, 1, 1}, {&c, 1, 1, 1});
    CHECK(c == 9);  // 2^60 + 9
}

TEST_CASE("the bits of a product do not depend on tiles, blocks or threads", "[simd][gemm]") {
    for_each_arch([]<class Arch>(arch_tag<Arch>) {
        const index_t m = 59;
        const index_t k = 601;
        const index_t n = 77;
        const auto a = reals(m, k, 1);
        const auto b = reals(k, n, 2);
        edge::tensor<float> one({m, n});
        for (index_t i = 0; i < m; ++i)  // each element by itself
            for (index_t j = 0; j < n; ++j)
                gemm<Arch, float>(as_matrix(a).block(i, 0, 1, k), as_matrix(b).block(0, j, k, 1),
                                  as_matrix(one).block(i, j, 1, 1));
        for (const int threads : {1, 2, 5}) {
            edge::tensor<float> c({m, n});
            gemm<Arch, float>(as_matrix(a), as_matrix(b), as_matrix(c), {.threads = threads});
            CHECK(same_bits(one, c));
            gemm<Arch, float>(as_matrix(a), packed_matrix<float, Arch>(as_matrix(b)), as_matrix(c),
                              {.threads = threads});
            CHECK(same_bits(one, c));
            gemm<Arch, float>(as_matrix(b).transposed(), as_matrix(a).transposed(), as_matrix(c).transposed(),
                              {.threads = threads});
            CHECK(same_bits(one, c));
            gemm<Arch, float>(as_matrix(a).block(0, 0, m, 100), as_matrix(b).block(0, 0, 100, n), as_matrix(c),
                              {.threads = threads});
            gemm<Arch, float>(as_matrix(a).block(0, 100, m, k - 100), as_matrix(b).block(100, 0, k - 100, n),
                              as_matrix(c), {.accumulate = true, .threads = threads});
            CHECK(same_bits(one, c));
        }
    });
}

TEST_CASE("batches of products may share an operand and have several axes", "[simd][gemm]") {
    const auto a = reals(2 * 3 * 7, 40, 3);  // [2, 3, 7, 40]
    const auto b = reals(3 * 40, 33, 4);     // [3, 40, 33]
    edge::tensor<float> c({2 * 3 * 7, 33});
    edge::tensor<float> one({2 * 3 * 7, 33});
    for (index_t i = 0; i < 2; ++i)
        for (index_t j = 0; j < 3; ++j)
            gemm<native, float>(as_matrix(a).block((i * 3 + j) * 7, 0, 7, 40), as_matrix(b).block(j * 40, 0, 40, 33),
                                as_matrix(one).block((i * 3 + j) * 7, 0, 7, 33));
    for (const int threads : {1, 2, 5}) {
        gemm<native, float>({{2, 3}, {3 * 7 * 40, 7 * 40}, {0, 40 * 33}, {3 * 7 * 33, 7 * 33}},
                            as_matrix(a).block(0, 0, 7, 40), as_matrix(b).block(0, 0, 40, 33),
                            as_matrix(c).block(0, 0, 7, 33), {.threads = threads});
        CHECK(same_bits(one, c));
    }
}

TEST_CASE("a product passes NaN and infinity to the elements they belong to", "[simd][gemm]") {
    const float inf = std::numeric_limits<float>::infinity();
    edge::tensor<float> a({9, 30}, 1.0f);
    edge::tensor<float> b({30, 21}, 1.0f);
    edge::tensor<float> c({9, 21});
    a(4, 7) = std::numeric_limits<float>::quiet_NaN();
    a(8, 0) = inf;
    b(29, 20) = -inf;
    gemm<native, float>(as_matrix(a), as_matrix(b), as_matrix(c));
    for (index_t i = 0; i < 9; ++i)
        for (index_t j = 0; j < 21; ++j) {
            if (i == 4 || (i == 8 && j == 20)) {
                CHECK(std::isnan(c(i, j)));
            } else {
                CHECK(c(i, j) == (i == 8 ? inf : j == 20 ? -inf : 30.0f));
            }
        }
}

TEST_CASE("sums are finished once, each with its row and its columns", "[simd][gemm]") {
    const index_t m = 23;
    const index_t k = 523;
    const index_t n = 45;
    const auto a = reals(m, k, 5);
    const auto b = reals(k, n, 6);
    const auto add = reals(m, n, 7);
    edge::tensor<float> plain({m, n});
    gemm<native, float>(as_matrix(a), as_matrix(b), as_matrix(plain));
    using batch = edge::simd::batch<float, native>;
    const auto finish = [&](auto& sums, index_t row, index_t column, index_t count) {
        for (std::size_t i = 0; i < std::size(sums); ++i)
            for (std::size_t j = 0; j < std::size(sums[i]); ++j) {
                alignas(64) float lanes[batch::size] = {};
                const auto at = static_cast<index_t>(j * batch::size);
                std::copy_n(&add(row + static_cast<index_t>(i), column + at),
                            std::clamp(count - at, index_t{0}, static_cast<index_t>(batch::size)), lanes);
                sums[i][j] = edge::simd::at_least(sums[i][j] + batch::load_aligned(lanes), 0.0f);
            }
    };
    for (const int threads : {1, 3}) {
        edge::tensor<float> c({m, n});
        edge::tensor<float> d({m, n});
        gemm<native, float>(as_matrix(a), as_matrix(b), as_matrix(c), {.threads = threads}, finish);
        gemm<native, float>(as_matrix(a), packed_matrix<float, native>(as_matrix(b)), as_matrix(d),
                            {.threads = threads}, finish);
        bool ok = true;
        for (index_t i = 0; i < c.size(); ++i) ok = ok && c[i] == std::max(0.0f, plain[i] + add[i]) && c[i] == d[i];
        CHECK(ok);
    }
}

TEST_CASE("a product allocates nothing after the first", "[simd][gemm]") {
    const auto a = reals(60, 300, 8);
    const auto b = reals(300, 100, 9);
    edge::tensor<float> c({60, 100});
    gemm<native, float>(as_matrix(a), as_matrix(b), as_matrix(c), {.threads = 1});
    const auto before = allocations();
    gemm<native, float>(as_matrix(a), as_matrix(b), as_matrix(c), {.threads = 1});
    CHECK(allocations() == before);
}
