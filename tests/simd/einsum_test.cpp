// SPDX-License-Identifier: MIT
#include <edge/simd/einsum.hpp>
#include <edge/simd/reduce.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

#include <random>
#include <string>
#include <vector>

using edge::index_t;
using edge::tensor;

namespace {

/// A random equation of letters a to f, its operands, and the sum of products for each element, term by term.
struct random_case {
    std::string equation;
    std::vector<edge::tensor_view<const std::int32_t>> views;
    std::vector<std::int32_t> expected;

    explicit random_case(std::mt19937& random) {
        const auto below = [&](unsigned n) { return static_cast<index_t>(random() % n); };
        index_t extents[6];
        for (index_t& e : extents) e = 1 + below(random() % 8 == 0 ? 9 : 4);
        const index_t operands = 1 + below(4);
        std::vector<std::string> terms;
        std::string used;
        tensors_.reserve(4);
        for (index_t i = 0; i < operands; ++i) {
            std::string term;
            edge::index_list shape;
            for (index_t axis = below(5); axis > 0; --axis) {
                const char label = static_cast<char>('a' + below(6));
                const bool is_repeated = term.find(label) != term.npos;
                const index_t extent = extents[label - 'a'];
                term += label;
                shape.push_back(!is_repeated && random() % 12 == 0 ? 1 : extent);
                if (is_repeated) shape[shape.size() - 1] = shape[term.find(label)];
                if (used.find(label) == used.npos) used += label;
            }
            tensors_.push_back(numbers<std::int32_t>(edge::shape(shape), static_cast<unsigned>(random())));
            edge::index_list order;  // axes turned around, in memory
            for (std::size_t axis = shape.size(); axis-- > 0;) order.push_back(static_cast<index_t>(axis));
            const bool is_turned = random() % 2 == 0;
            if (is_turned) {
                views.push_back(std::as_const(tensors_.back()).view().transpose(order));
                term.assign(term.rbegin(), term.rend());
            } else {
                views.push_back(tensors_.back());
            }
            terms.push_back(term);
            equation += (i == 0 ? "" : ",") + term;
        }
        for (const char label : used) {  // what only operands of extent 1 have, has extent 1
            index_t most = 1;
            for (std::size_t i = 0; i < terms.size(); ++i)
                for (std::size_t axis = 0; axis < terms[i].size(); ++axis)
                    if (terms[i][axis] == label) most = std::max(most, views[i].shape()[axis]);
            extents[label - 'a'] = most;
        }
        std::shuffle(used.begin(), used.end(), random);
        const std::string result =
            used.substr(0, static_cast<std::size_t>(below(static_cast<unsigned>(used.size() + 1))));
        equation += "->" + result;
        std::string all = result;  // the result's labels first: its elements in order
        for (const char label : used)
            if (result.find(label) == result.npos) all += label;
        index_t inner = 1;
        index_t count = 1;
        for (std::size_t i = 0; i < all.size(); ++i) (i < result.size() ? count : inner) *= extents[all[i] - 'a'];
        expected.assign(static_cast<std::size_t>(count), 0);
        for (index_t i = 0; i < count * inner; ++i) {
            index_t at[6] = {};
            index_t rest = i;
            for (std::size_t k = all.size(); k-- > 0; rest /= extents[all[k] - 'a'])
                at[all[k] - 'a'] = rest % extents[all[k] - 'a'];
            std::int32_t product = 1;
            for (std::size_t o = 0; o < terms.size(); ++o) {
                index_t offset = 0;
                for (std::size_t axis = 0; axis < terms[o].size(); ++axis)
                    if (views[o].shape()[axis] != 1) offset += at[terms[o][axis] - 'a'] * views[o].strides()[axis];
                product *= views[o].data()[offset];
            }
            expected[static_cast<std::size_t>(i / inner)] += product;
        }
    }

private:
    std::vector<tensor<std::int32_t>> tensors_;
};

}  // namespace

TEST_CASE("einsum equals the sum of products, term by term, for random equations", "[simd][einsum]") {
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
        const random_case c(random);
        INFO(c.equation << ", case " << i);
        const auto result =
            edge::einsum<std::int32_t>(c.equation, std::span<const edge::tensor_view<const std::int32_t>>(c.views));
        REQUIRE(std::equal(result.begin(), result.end(), c.expected.begin(), c.expected.end()));
    }
}

TEST_CASE("einsum of larger arrays equals itself cut in pieces", "[simd][einsum]") {
    const auto q = numbers<float>({2, 37, 3, 20});
    const auto k = numbers<float>({2, 41, 3, 20}, 2);
    const auto scores = edge::einsum("bqhd,bkhd->bhqk", q, k);
    for (index_t b = 0; b < 2; ++b)
        for (index_t h = 0; h < 3; ++h) {
            const auto one =
                edge::einsum("qd,kd->qk", q.view().select(2, h).select(0, b), k.view().select(2, h).select(0, b));
            CHECK(equal(one, edge::eval(scores.view().select(1, h).select(0, b))));
        }
    // Axes that are many and short: copied to be one.
    const auto x = numbers<float>({2, 3, 2, 3, 2, 3, 2, 3}, 3);
    const auto y = numbers<float>({3, 2, 3, 2, 3, 2, 3, 2}, 4);
    const auto z = edge::einsum("abcdefgh,bidkfmho->aickemgo", x, y);
    const auto rows = edge::eval(x.view().transpose({0, 2, 4, 6, 1, 3, 5, 7}));
    const auto columns = edge::eval(y.view().transpose({0, 2, 4, 6, 1, 3, 5, 7}));
    const auto flat = edge::einsum("ij,jk->ik", rows.view().reshape({16, 81}), columns.view().reshape({81, 16}));
    const auto turned = edge::eval(z.view().transpose({0, 2, 4, 6, 1, 3, 5, 7}));
    CHECK(std::equal(flat.begin(), flat.end(), turned.begin(), turned.end()));
}

TEST_CASE("einsum joins many operands in the order that is cheapest", "[simd][einsum]") {
    // From the left: 10^9 multiplications and more; the other way 10^6.
    const auto m = numbers<float>({1000, 1000});
    const auto v = numbers<float>({1000}, 2);
    const auto right = edge::einsum("ij,j->i", m, v);
    CHECK(equal(edge::einsum("ij,jk,k->i", m, m, v), edge::einsum("ij,j->i", m, right)));
    const auto small = numbers<std::int64_t>({2, 2}, 3);
    auto product = small;
    std::string equation = "ab";
    std::vector<edge::tensor_view<const std::int64_t>> views = {small};
    for (char c = 'b'; c < 'l'; ++c) {  // eleven, beyond what is searched whole
        equation += std::string(",") + c + static_cast<char>(c + 1);
        views.emplace_back(small);
        product = edge::einsum("ij,jk->ik", product, small);
        CHECK(
            equal(product, edge::einsum<std::int64_t>(equation + "->a" + static_cast<char>(c + 1),
                                                      std::span<const edge::tensor_view<const std::int64_t>>(views))));
    }
}

TEST_CASE("einsum of nothing is zeros or nothing", "[simd][einsum]") {
    const auto result = edge::einsum("ij,jk->ik", tensor<float>({2, 0}), tensor<float>({0, 3}));
    CHECK(equal(result, tensor<float>({2, 3}, 0.0f)));
    CHECK(edge::einsum("ij,jk->ik", tensor<float>({0, 2}), tensor<float>({2, 3})).shape() == edge::shape{0, 3});
    CHECK(edge::einsum("i->", tensor<float>(edge::shape{0}))[0] == 0.0f);
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
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    tensor<float> x({300, 700});
    for (float& v : x) v = normal(random);
    for (const char* equation : {"ij,ij->", "ij,ij->i", "ij,ij->j", "ij,ij->ij"}) {
        const edge::tensor_view<const float> pair[] = {x, x};
        const auto alone = edge::einsum<float>(equation, pair, {.threads = 1});
        CHECK(equal(alone, edge::einsum<float>(equation, pair, {.threads = 2})));
        CHECK(equal(alone, edge::einsum<float>(equation, pair, {.threads = 5})));
    }
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
