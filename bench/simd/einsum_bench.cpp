// SPDX-License-Identifier: MIT
// Equations of einsum against loops written by hand. The argument is the number of threads, 1 by default.

#include <edge/perf.hpp>
#include <edge/simd.hpp>

#include <cstdio>
#include <cstdlib>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;
using edge::perf::who;

tensor<float> numbers(const edge::shape& extents) {
    tensor<float> t(extents);
    for (index_t i = 0; i < t.size(); ++i) t[i] = static_cast<float>(i % 13) - 6.0f;  // sums are exact
    return t;
}

/// `loop` fills its argument, which has the shape of the result.
template <class Loop, class... Tensors>
void run(const char* equation, int threads, Loop loop, const Tensors&... operands) {
    tensor<float> out(edge::einsum(equation, operands...).shape());
    const auto checksum = [](const tensor<float>& t) {
        return double{t[0]} + double{t[t.size() / 2]} + double{t[t.size() - 1]};
    };
    const edge::tensor_view<const float> views[] = {operands...};
    const auto result = edge::perf::compare(
        {.job = equation, .n = static_cast<std::size_t>(out.size()), .threads = threads}, std::tuple(),
        who{"loop",
            [&] {
                loop(out);
                return checksum(out);
            }},
        who{"edge", [&] { return checksum(edge::einsum<float>(equation, views, {.threads = threads})); }});
    std::fputs(result.table().c_str(), stderr);
    std::fputs(result.json_lines().c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    for (const index_t n : {4, 500}) {
        const auto a = numbers({n, n});
        const auto b = numbers({n, n});
        const auto x = numbers({n});
        run(
            "ij->ji", threads,
            [&](tensor<float>& out) {
                for (index_t i = 0; i < n; ++i)
                    for (index_t j = 0; j < n; ++j) out(j, i) = a(i, j);
            },
            a);
        run(
            "ij->j", threads,
            [&](tensor<float>& out) {
                for (float& v : out) v = 0;
                for (index_t i = 0; i < n; ++i)
                    for (index_t j = 0; j < n; ++j) out[j] += a(i, j);
            },
            a);
        run(
            "ij,j->i", threads,
            [&](tensor<float>& out) {
                for (index_t i = 0; i < n; ++i) {
                    float sum = 0;
                    for (index_t j = 0; j < n; ++j) sum += a(i, j) * x[j];
                    out[i] = sum;
                }
            },
            a, x);
        run(
            "ij,ij->i", threads,
            [&](tensor<float>& out) {
                for (index_t i = 0; i < n; ++i) {
                    float sum = 0;
                    for (index_t j = 0; j < n; ++j) sum += a(i, j) * b(i, j);
                    out[i] = sum;
                }
            },
            a, b);
        run(
            "ij,jk->ik", threads,
            [&](tensor<float>& out) {
                for (float& v : out) v = 0;
                for (index_t i = 0; i < n; ++i)
                    for (index_t j = 0; j < n; ++j)
                        for (index_t k = 0; k < n; ++k) out(i, k) += a(i, j) * b(j, k);
            },
            a, b);
    }
    const auto q = numbers({8, 12, 256, 64});
    const auto k = numbers({8, 12, 256, 64});
    run(
        "bhsd,bhtd->bhst", threads,
        [&](tensor<float>& out) {
            const float* from = q.data();
            float* to = out.data();
            for (index_t bh = 0; bh < 8 * 12; ++bh)
                for (index_t s = 0; s < 256; ++s, from += 64)
                    for (index_t t = 0; t < 256; ++t) {
                        const float* with = k.data() + (bh * 256 + t) * 64;
                        float sum = 0;
                        for (index_t d = 0; d < 64; ++d) sum += from[d] * with[d];
                        *to++ = sum;
                    }
        },
        q, k);
}
