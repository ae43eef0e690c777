// SPDX-License-Identifier: MIT
#include <edge/simd/einsum.hpp>

#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <random>
#include <vector>

using edge::index_t;
using edge::tensor;
namespace detail = edge::simd::detail;

namespace {

/// Small whole numbers: every order of sums gives the same.
template <class T>
tensor<T> numbers(const edge::shape& extents, unsigned seed = 1) {
    std::mt19937 random(seed);
    tensor<T> t(extents);
    for (T& v : t) v = static_cast<T>(static_cast<int>(random() % 13) - 6);
    return t;
}

template <class T>
bool equal(const tensor<T>& a, const tensor<T>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace

TEST_CASE("matrix products equal the sum of products for every size", "[simd][einsum]") {
    for_each_arch([]<class Arch>(arch_tag<Arch>) {
        const auto check = [&]<class T>(T) {
            for (const index_t m : {1, 3, 4, 9})
                for (const index_t k : {0, 1, 5})
                    for (index_t n = 1; n <= 2 * detail::panel<Arch, T> + 1; n += 3) {
                        const auto a = numbers<T>({m, k + 1});
                        const auto b = numbers<T>({k, n}, 2);
                        guarded<T> c(static_cast<std::size_t>(m * n), 1);
                        std::vector<T> packed(static_cast<std::size_t>((k + 1) * detail::panel<Arch, T>));
                        for (index_t column = 0; column < n; column += detail::panel<Arch, T>) {
                            detail::pack_panel<Arch>(b.view(), column, packed.data());
                            detail::multiply_panel<Arch>(a.data(), k + 1, packed.data(), m, k, c.data() + column, n,
                                                         std::min(detail::panel<Arch, T>, n - column));
                        }
                        bool ok = c.is_intact();
                        for (index_t i = 0; i < m; ++i)
                            for (index_t j = 0; j < n; ++j) {
                                T sum = 0;
                                for (index_t x = 0; x < k; ++x) sum = static_cast<T>(sum + a(i, x) * b(x, j));
                                ok = ok && c.data()[i * n + j] == sum;
                            }
                        REQUIRE(ok);
                    }
        };
        check(float{});
        check(std::int32_t{});
    });
}

TEST_CASE("einsum sums over the labels that the result lacks", "[simd][einsum]") {
    const auto a = numbers<float>({3, 4});
    const auto b = numbers<float>({4, 5}, 2);
    const auto product = edge::einsum("ij,jk->ik", a, b);
    CHECK(equal(product, edge::einsum(" ij , jk ", a, b)));
    CHECK(
        equal(product, edge::einsum("ji,kj->ik", edge::eval(a.view().transpose({1, 0})), b.view().transpose({1, 0}))));
    CHECK(equal(edge::einsum("ij->ji", product), edge::einsum("ij,jk->ki", a, b)));
    CHECK(edge::einsum("ij->", a)[0] == edge::sum(a));
    CHECK(equal(edge::einsum("ij->j", a), edge::sum(a, 0)));
    CHECK(equal(edge::einsum("ij,ij->i", a, a), edge::sum(a * a, 1)));
    CHECK(equal(edge::einsum("ij,jk,kl->il", a, b, numbers<float>({5, 2})),
                edge::einsum("ij,jk->ik", product, numbers<float>({5, 2}))));
    const auto square = numbers<std::int64_t>({4, 4});
    CHECK(edge::einsum("ii->", square)[0] == square(0, 0) + square(1, 1) + square(2, 2) + square(3, 3));
    CHECK(edge::einsum("ii->i", square)[2] == square(2, 2));
}

TEST_CASE("einsum does not depend on the number of threads", "[simd][einsum]") {
    const auto a = numbers<float>({4, 60, 50});
    const auto b = numbers<float>({4, 50, 70}, 2);
    const edge::tensor_view<const float> both[] = {a, b};
    const auto run = [&](int threads) { return edge::einsum<float>("bij,bjk->bik", both, {.threads = threads}); };
    const auto one = run(1);
    CHECK(equal(one, run(2)));
    CHECK(equal(one, run(5)));
}

TEST_CASE("a bad equation is refused with what is wrong", "[simd][einsum]") {
    const auto a = numbers<float>({3, 4});
    CHECK_THROWS_WITH(edge::einsum("ij,jk->ik", a, a),
                      "einsum 'ij,jk->ik': operand 1 of shape (3, 4) has extent 3 along axis 0, expected 4");
    CHECK_THROWS_WITH(edge::einsum("ij,jk->ik", a), "einsum 'ij,jk->ik': more terms than the 1 operands");
    CHECK_THROWS_WITH(edge::einsum("ij", a, a), "einsum 'ij': 1 terms for 2 operands");
    CHECK_THROWS_WITH(edge::einsum("ijk->i", a), "einsum 'ijk->i': 'ijk' does not fit operand 0 of shape (3, 4)");
    CHECK_THROWS_WITH(edge::einsum("ij->ii", a), "einsum 'ij->ii': label 'i' is twice in the result");
    CHECK_THROWS_WITH(edge::einsum("ij->iz", a), "einsum 'ij->iz': label 'z' is in no operand");
    CHECK_THROWS_WITH(edge::einsum("i.j->ij", a), "einsum 'i.j->ij': 'i.j' is not letters with at most one '...'");
    CHECK_THROWS_WITH(edge::einsum("...j->j", a), "einsum '...j->j': the result drops the axes of '...'");
    CHECK_THROWS_AS(edge::einsum("ii->i", a), edge::shape_error);
    CHECK_THROWS_AS(edge::einsum("ij->i\xc3\xa9", a), edge::argument_error);
}
