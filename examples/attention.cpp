// SPDX-License-Identifier: MIT
// Attention, softmax(Q·Kᵀ/√d)·V, in five lines: two heads look at the same five words, one at the word itself, the other
// at the one before.

#include <edge/simd.hpp>

#include <cmath>
#include <cstdio>

namespace {

/// @param q, k, v  [batch, heads, words, d]
edge::tensor<float> attention(const edge::tensor<float>& q, const edge::tensor<float>& k,
                              const edge::tensor<float>& v) {
    const auto d = static_cast<float>(q.shape().back());
    const auto scores = edge::einsum("bhsd,bhtd->bhst", q, k);
    const auto highest = edge::max(scores, -1, {.keepdims = true});  // so that no exponential overflows
    const auto weights = edge::eval(edge::exp((scores - highest) / std::sqrt(d)));
    const auto total = edge::sum(weights, -1, {.keepdims = true});
    return edge::eval(edge::einsum("bhst,bhtd->bhsd", weights, v) / total);
}

}  // namespace

int main() {
    constexpr edge::index_t words = 5;
    edge::tensor<float> q({1, 2, words, words}), k({1, 2, words, words}), v({1, 2, words, words});
    for (edge::index_t word = 0; word < words; ++word)
        for (edge::index_t head = 0; head < 2; ++head) {
            k(0, head, word, word) = 1.0f;  // a direction of its own for each word
            v(0, head, word, word) = 100.0f;
            q(0, head, word, (word + words - head) % words) = 9.0f;  // and the one that is looked for
        }
    const auto seen = attention(q, k, v);
    for (edge::index_t head = 0; head < 2; ++head) {
        std::printf("head %d: how much of each word, in percent\n", static_cast<int>(head));
        for (edge::index_t word = 0; word < words; ++word)
            for (edge::index_t from = 0; from < words; ++from)
                std::printf("%4.0f%s", double{seen(0, head, word, from)}, from + 1 == words ? "\n" : "");
    }
}
