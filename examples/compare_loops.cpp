// SPDX-License-Identifier: MIT

/// @file One screen of edge::perf: three ways to add numbers up, side by side, and how long single calls took.

#include <edge/perf.hpp>

#include <cstdio>
#include <numeric>
#include <span>
#include <vector>

namespace {

double one_by_one(std::span<const double> x) { return std::accumulate(x.begin(), x.end(), 0.0); }

/// Four sums that do not wait for each other.
double by_fours(std::span<const double> x) {
    double sum[4] = {};
    for (std::size_t i = 0; i + 4 <= x.size(); i += 4)
        for (std::size_t k = 0; k < 4; ++k) sum[k] += x[i + k];
    for (std::size_t i = x.size() / 4 * 4; i < x.size(); ++i) sum[0] += x[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double in_float(std::span<const double> x) {
    float sum = 0;
    for (const double v : x) sum += static_cast<float>(v);
    return static_cast<double>(sum);
}

}  // namespace

int main() {
    using edge::perf::who;
    const std::vector<double> x(100'000, 0.125);
    const auto r =
        edge::perf::compare({.job = "sum", .n = x.size(), .tolerance = 1e-3}, std::tuple(std::span(x)),
                            who{"one by one", one_by_one}, who{"by fours", by_fours}, who{"in float", in_float});
    std::fputs(r.table().c_str(), stdout);

    edge::perf::latency calls;
    for (int i = 0; i < 200; ++i) {
        const edge::perf::timer t(calls);
        edge::perf::keep(by_fours(x));
    }
    std::printf("by fours, %d calls: P50 %.4f ms, P95 %.4f ms, P99 %.4f ms\n", static_cast<int>(calls.count()),
                calls.milliseconds(0.5), calls.milliseconds(0.95), calls.milliseconds(0.99));
}
