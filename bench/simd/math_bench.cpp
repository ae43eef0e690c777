// SPDX-License-Identifier: MIT
// Functions element by element, one thread: nanoseconds for each element of float32, in the first cache and in memory, and
// beside the time that reading and writing the bytes alone takes. Others' are in bench/peers/arrays.

#include <edge/perf.hpp>
#include <edge/simd.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

using edge::index_t;
using edge::tensor;

/// The best of some runs, in nanoseconds for each element.
template <class F>
double time_of(index_t n, F f) {
    double best = 1e9;
    const index_t repeats = std::max<index_t>(1, 300000 / n);
    for (int round = 0; round < 15; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (index_t i = 0; i < repeats; ++i) f();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / static_cast<double>(n * repeats));
    }
    return best;
}

void run(index_t n) {
    tensor<float> x({n}), positive({n}), part({n}), out({n});
    for (index_t i = 0; i < n; ++i) {
        x[i] = static_cast<float>(i * 7919 % 1000003) / 1000003.0f * 16.0f - 8.0f;
        positive[i] = std::abs(x[i]) + 0.001f;
        part[i] = x[i] / 8.0f;
    }
    const edge::compute_options one{.threads = 1};
    const double floor = time_of(n, [&] { edge::assign(out, x, one); });
    const auto job = [&](const char* name, const auto& expression) {
        const double each = time_of(n, [&] { edge::assign(out, expression, one); });
        edge::perf::keep(out[n / 2]);
        std::printf("{\"job\": \"%s\", \"n\": %lld, \"ns\": %.3f, \"floor_ratio\": %.2f}\n", name,
                    static_cast<long long>(n), each, each / floor);
    };
    job("sqrt", edge::sqrt(positive));
    job("exp", edge::exp(x));
    job("exp2", edge::exp2(x));
    job("expm1", edge::expm1(x));
    job("log", edge::log(positive));
    job("log1p", edge::log1p(positive));
    job("sin", edge::sin(x));
    job("cos", edge::cos(x));
    job("tan", edge::tan(x));
    job("asin", edge::asin(part));
    job("atan", edge::atan(x));
    job("atan2", edge::atan2(x, positive));
    job("sinh", edge::sinh(x));
    job("tanh", edge::tanh(x));
    job("asinh", edge::asinh(x));
    job("erf", edge::erf(x));
    job("sigmoid", edge::sigmoid(x));
    job("gelu", edge::gelu(x));
    job("cbrt", edge::cbrt(x));
    job("hypot", edge::hypot(x, part));
    job("pow", edge::pow(positive, part));
}

}  // namespace

int main() {
    for (const index_t n : {4096, 1000000}) run(n);
}
