// SPDX-License-Identifier: MIT

/// @file CSV read and written: a million rows of a time, a number of a device, and seven floats.
///
///     edge_bench_frame_csv [ROWS]
///
/// Prints JSON lines; `floor_ratio` is the time over that of touching the file's bytes once.

#include <edge/frame/csv.hpp>

#include "support/median_time.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

using namespace edge::frame;

table sensors(std::size_t rows) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> value(0, 9.81);
    std::vector<std::int64_t> time(rows);
    std::vector<std::int32_t> id(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        time[i] = 1'704'067'200'000'000'000 + static_cast<std::int64_t>(i) * 5'000'000;
        id[i] = static_cast<std::int32_t>(random() % 1000);
    }
    table t{{"ts", column::timestamps(time)}, {"id", column(id)}};
    for (const char* name : {"ax", "ay", "az", "gx", "gy", "gz", "temperature"}) {
        std::vector<double> x(rows);
        for (double& v : x) v = std::round(value(random) * 1e5) / 1e5;
        t.add(name, column(std::move(x)));
    }
    return t;
}

void print(const char* job, int threads, double seconds, double floor, std::size_t bytes) {
    std::printf("{\"job\":\"%s\",\"threads\":%d,\"median_ms\":%.2f,\"gb_per_s\":%.2f,\"floor_ratio\":%.2f}\n", job,
                threads, seconds * 1e3, static_cast<double>(bytes) / seconds / 1e9, seconds / floor);
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rows = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
    const table t = sensors(rows);
    const auto path = std::filesystem::temp_directory_path() / edge::message("edge-bench-", rows, ".csv");
    write_csv(path, t);
    const auto bytes = static_cast<std::size_t>(std::filesystem::file_size(path));
    const double floor = seconds_of([&] {
        const edge::mapped_file file(path);
        if (std::memchr(file.bytes().data(), 1, bytes) != nullptr) std::abort();
    });
    std::size_t seen = 0;
    for (const int threads : {1, 2}) {
        print("read_csv", threads, seconds_of([&] { seen += read_csv(path, {.threads = threads}).rows(); }), floor,
              bytes);
        print("csv_reader", threads, seconds_of([&] {
                  csv_reader reader(path, {.threads = threads});
                  while (const auto batch = reader.next()) seen += batch->rows();
              }),
              floor, bytes);
        print("to_csv", threads, seconds_of([&] { seen += to_csv(t, {.threads = threads}).size(); }), floor, bytes);
        print("write_csv", threads, seconds_of([&] { write_csv(path, t, {.threads = threads}); }), floor, bytes);
    }
    std::filesystem::remove(path);
    std::fprintf(stderr, "%zu bytes, checksum %zu\n", bytes, seen);
}
