// SPDX-License-Identifier: MIT

/// @file Windows, joins and sorts of tables of a sensor number, a value and a time.
///
///     edge_bench_frame_order [ROWS]
///
/// Prints JSON lines; `floor_ratio` is the time over that of copying the value column once.

#include <edge/frame/join.hpp>
#include <edge/frame/join_asof.hpp>
#include <edge/frame/sort.hpp>
#include <edge/frame/window.hpp>

#include "support/median_time.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace edge::frame;

table readings(std::size_t rows, unsigned seed, const std::string& value, std::int64_t first) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<std::int32_t> id(rows);
    std::vector<double> x(rows);
    std::vector<std::int64_t> ts(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        id[i] = static_cast<std::int32_t>(random() % 1000);
        x[i] = normal(random);
        ts[i] = first + static_cast<std::int64_t>(i) * 1'000'000;
    }
    return {{"id", column(id)}, {value, column(x)}, {"ts", column::timestamps(ts)}};
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rows = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
    const table left = readings(rows, 1, "x", 0);
    const table right = readings(rows, 2, "v", 17);
    std::vector<double> copied(rows);
    const double floor = seconds_of(
        [&] { std::memcpy(copied.data(), left.column("x").values<double>().data(), rows * sizeof(double)); });
    const table sensors = readings(1000, 3, "place", 0).select("id", "place");
    const std::vector<aggregate> four{mean("x"), min("x"), max("x"), stddev("x")};
    std::size_t checked = 0;
    for (const int n : {1, 2}) {
        const edge::parallel_options threads{.threads = n};
        const auto report = [&](const char* job, const auto& run) {
            const double seconds = seconds_of([&] { checked += run().rows(); });
            std::printf("{\"job\":\"%s\",\"n\":%zu,\"threads\":%d,\"median_ms\":%.2f,\"floor_ratio\":%.2f}\n", job,
                        rows, n, seconds * 1e3, seconds / floor);
        };
        rolling_options window{.rows = 100};
        window.threads = threads;
        report("rolling mean, min, max, std", [&] { return rolling(left, four, window); });
        window.by = "id";
        report("rolling mean, min, max, std by id", [&] { return rolling(left, four, window); });
        report("asof by id", [&] { return join_asof(left, right, {.on = "ts", .by = "id", .threads = threads}); });
        report("inner join", [&] { return join(left, sensors, {.on = "id", .threads = threads}); });
        report("sort by id, x", [&] { return sort(left, {{"id"}, {"x"}}, threads); });
    }
    std::fprintf(stderr, "%zu rows, %g\n", checked, copied[rows / 2]);
}
