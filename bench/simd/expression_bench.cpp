// SPDX-License-Identifier: MIT
// Fused expressions and sums against loops written by hand, and against the time that the bytes alone take.

#include <edge/perf.hpp>
#include <edge/simd.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;
using edge::perf::who;

/// Bytes a second that a plain copy of `bytes` moves, reads and writes together: the floor of what only moves bytes.
double bandwidth(std::size_t bytes) {
    tensor<char> from({static_cast<index_t>(bytes / 2)}, 1);
    tensor<char> to({from.size()}, 2);
    double best = 0;
    const int copies = static_cast<int>(std::max<std::size_t>(1, (std::size_t{1} << 28) / bytes));
    for (int round = 0; round < 5; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < copies; ++i) {
            std::memcpy(to.data(), from.data(), static_cast<std::size_t>(from.size()));
            edge::perf::keep(to[0]);
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best = std::max(best, 2.0 * static_cast<double>(from.size()) * copies / took.count());
    }
    return best;
}

void report(const edge::perf::comparison& result) {
    std::fputs(result.table().c_str(), stderr);
    std::fputs(result.json_lines().c_str(), stdout);
}

void run(index_t n) {
    tensor<float> a({n}), b({n}), c({n}), out({n});
    for (index_t i = 0; i < n; ++i) {
        a[i] = static_cast<float>(i % 1000) * 0.25f - 100.0f;
        b[i] = static_cast<float>(i % 777) * 0.5f;
        c[i] = static_cast<float>(i % 333);
    }
    const auto floor_ms = [&](int arrays) {
        const double bytes = 4.0 * arrays * static_cast<double>(n);
        return bytes / bandwidth(static_cast<std::size_t>(bytes)) * 1e3;
    };
    const auto size = static_cast<std::size_t>(n);
    const auto checksum = [](const tensor<float>& t) { return double{t[0]} + double{t[t.size() / 2]}; };

    report(edge::perf::compare({.job = "c = a * b", .n = size, .floor_ms = floor_ms(3)}, std::tuple(),
                               who{"loop",
                                   [&] {
                                       const float* x = a.data();
                                       const float* y = b.data();
                                       float* z = out.data();
#if defined(_OPENMP)
#pragma omp simd  // as -O3 would, which is told nothing of overlaps
#endif
                                       for (index_t i = 0; i < n; ++i) z[i] = x[i] * y[i];
                                       return checksum(out);
                                   }},
                               who{"edge", [&] {
                                       edge::assign(out, a * b, {.threads = 1});
                                       return checksum(out);
                                   }}));
    report(edge::perf::compare({.job = "d = a * b + 2c - sqrt|a|", .n = size, .floor_ms = floor_ms(4)}, std::tuple(),
                               who{"loop",
                                   [&] {
                                       const float* x = a.data();
                                       const float* y = b.data();
                                       const float* w = c.data();
                                       float* z = out.data();
                                       for (index_t i = 0; i < n; ++i)
                                           z[i] = x[i] * y[i] + 2.0f * w[i] - std::sqrt(std::fabs(x[i]));
                                       return checksum(out);
                                   }},
                               who{"edge", [&] {
                                       edge::assign(out, a * b + 2.0f * c - edge::sqrt(edge::abs(a)), {.threads = 1});
                                       return checksum(out);
                                   }}));
    report(edge::perf::compare({.job = "sum(a * b)", .n = size, .tolerance = 1e-2, .floor_ms = floor_ms(2)},
                               std::tuple(),
                               who{"loop",
                                   [&] {
                                       double sum = 0;  // in double, to be right at all
                                       for (index_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
                                       return sum;
                                   }},
                               who{"edge", [&] { return double{edge::sum(a * b, {.threads = 1})}; }}));
}

}  // namespace

int main() {
    for (const index_t n : {1000, 30000, 400000, 16000000}) run(n);  // in L1, L2, L3 and memory
}
