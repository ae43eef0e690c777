// SPDX-License-Identifier: MIT
// edge's side of the comparison of array libraries, and what no library can beat: plain loops over the same memory.

#include <edge/simd.hpp>

#include "peer.hpp"
#include "support/floor.hpp"

#include <cmath>
#include <memory>
#include <vector>

namespace {

using edge::index_t;
using edge::tensor;
using arch = edge::simd::detail::default_arch;
using lanes = edge::simd::batch<float, arch>;
constexpr auto width = static_cast<index_t>(edge::simd::lanes<float, arch>);

tensor<float> input(const edge::shape& extents, long seed) {
    auto x = tensor<float>::uninitialized(extents);
    for (index_t i = 0; i < x.size(); ++i) x[i] = peer::value(i, seed);
    return x;
}

struct arrays {
    tensor<float> a, b, c, out, positive;
    explicit arrays(long n)
        : a(input({n}, 0)), b(input({n}, 7)), c(input({n}, 99)), out({n}), positive(edge::eval(edge::abs(a) + 0.5f)) {}
};

struct matrix : tensor<float> {
    explicit matrix(long n) : tensor<float>(input({n / 10000, 10000}, 0)) {}
};

/// A job over a, b, c and out.
template <class F>
peer::job over_arrays(F f) {
    return [f](long n, int threads) {
        auto x = peer::inputs<arrays>(n);
        return std::function<void()>([x, f, threads] {
            f(*x, edge::compute_options{.threads = threads});
            peer::keep(x->out);
        });
    };
}

/// What a hand-written loop over registers does to memory: `f(i)` for each register, in as many parts as threads.
template <class F>
void by_register(index_t n, int threads, F f) {
    edge::parallel_for(n, {.threads = threads, .align = 64}, [&](index_t first, index_t last) {
        for (index_t i = first; i + width <= last; i += width) f(i);
        edge::simd::stream_fence();
    });
}

lanes load(const tensor<float>& x, index_t i) { return lanes::load_unaligned(x.data() + i); }

/// A job over a matrix of n elements.
template <class F>
peer::job over_rows(F f) {
    return [f](long n, int threads) {
        auto x = peer::inputs<matrix>(n);
        return std::function<void()>([x, f, threads] { f(static_cast<const tensor<float>&>(*x), threads); });
    };
}

}  // namespace

int main() {
    std::map<std::string, peer::job> jobs;
    jobs["multiply"] = over_arrays([](arrays& x, const auto& options) { edge::assign(x.out, x.a * x.b, options); });
    jobs["multiply_new"] =
        over_arrays([](arrays& x, const auto& options) { peer::keep(edge::eval(x.a * x.b, options)); });
    jobs["fused"] = over_arrays([](arrays& x, const auto& options) {
        edge::assign(x.out, x.a * x.b + 2.0f * x.c - edge::sqrt(edge::abs(x.a)), options);
    });
    jobs["exp"] = over_arrays([](arrays& x, const auto& options) { edge::assign(x.out, edge::exp(x.a), options); });
    jobs["log"] =
        over_arrays([](arrays& x, const auto& options) { edge::assign(x.out, edge::log(x.positive), options); });
    jobs["tanh"] = over_arrays([](arrays& x, const auto& options) { edge::assign(x.out, edge::tanh(x.a), options); });
    jobs["erf"] = over_arrays([](arrays& x, const auto& options) { edge::assign(x.out, edge::erf(x.a), options); });
    jobs["sin"] = over_arrays([](arrays& x, const auto& options) { edge::assign(x.out, edge::sin(x.a), options); });
    jobs["sum"] = over_rows([](const auto& x, int threads) { peer::keep(edge::sum(x, {.threads = threads})); });
    jobs["mean"] = over_rows([](const auto& x, int threads) { peer::keep(edge::mean(x, {.threads = threads})); });
    jobs["var"] = over_rows([](const auto& x, int threads) { peer::keep(edge::var(x, {.threads = threads})); });
    jobs["argmax"] = over_rows([](const auto& x, int threads) { peer::keep(edge::argmax(x, {.threads = threads})); });
    for (const int axis : {0, 1}) {
        const auto name = [axis](const char* job) { return job + ("_axis" + std::to_string(axis)); };
        jobs[name("sum")] =
            over_rows([axis](const auto& x, int threads) { peer::keep(edge::sum(x, axis, {.threads = threads})); });
        jobs[name("mean")] =
            over_rows([axis](const auto& x, int threads) { peer::keep(edge::mean(x, axis, {.threads = threads})); });
        jobs[name("var")] =
            over_rows([axis](const auto& x, int threads) { peer::keep(edge::var(x, axis, {.threads = threads})); });
        jobs[name("argmax")] =
            over_rows([axis](const auto& x, int threads) { peer::keep(edge::argmax(x, axis, {.threads = threads})); });
    }

    jobs["matmul"] = [](long n, int threads) {
        struct squares {
            tensor<float> a, b, c;
            explicit squares(long size) : a(input({size, size}, 0)), b(input({size, size}, 7)), c({size, size}) {}
        };
        auto x = peer::inputs<squares>(n);
        return std::function<void()>([x, threads] {
            edge::matmul(x->c, x->a, x->b, {.threads = threads});
            peer::keep(x->c);
        });
    };

    // Floors: the same bytes, or the same multiply-adds, in loops that do nothing else.
    jobs["floor_multiply"] = over_arrays([](arrays& x, const auto& options) {
        by_register(x.a.size(), options.threads,
                    [&](index_t i) { edge::simd::stream_store(load(x.a, i) * load(x.b, i), x.out.data() + i); });
    });
    jobs["floor_fused"] = over_arrays([](arrays& x, const auto& options) {
        by_register(x.a.size(), options.threads, [&](index_t i) {
            edge::simd::stream_store(load(x.a, i) + load(x.b, i) + load(x.c, i), x.out.data() + i);
        });
    });
    jobs["floor_read"] =
        over_rows([](const auto& x, int threads) { peer::keep(floors::read(x.data(), x.size(), threads)); });
    jobs["floor_matmul"] = [](long n, int threads) {
        return std::function<void()>([=] {
            const auto size = static_cast<double>(n);
            peer::keep(floors::multiply_add(size * size * size, threads));
        });
    };
    return peer::serve(jobs);
}
