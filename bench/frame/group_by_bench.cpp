// SPDX-License-Identifier: MIT

/// @file The questions of the public group-by benchmark, and a mean by a thousand numbers.
///
///     edge_bench_frame_group_by [ROWS]
///
/// Prints JSON lines; `floor_ratio` is the time over that of reading the columns once.

#include <edge/frame/dictionary.hpp>
#include <edge/frame/group_by.hpp>

#include "frame/db_benchmark.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace edge::frame;

double seconds_of(int runs, const auto& job) {
    std::vector<double> all;
    for (int run = 0; run < runs; ++run) {
        const auto begin = std::chrono::steady_clock::now();
        job();
        all.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    std::nth_element(all.begin(), all.begin() + runs / 2, all.end());
    return all[static_cast<std::size_t>(runs / 2)];
}

/// Sum of the words of some columns, so that they are read.
std::uint64_t read(const table& t, const std::vector<std::string>& names, int threads) {
    std::atomic<std::uint64_t> total{0};
    for (const std::string& name : names) {
        const edge::frame::buffer& bytes = t.column(name).value_buffer();
        edge::parallel_for(static_cast<edge::index_t>(bytes.size() / 8), {.threads = threads},
                           [&](edge::index_t first, edge::index_t last) {
                               std::uint64_t sum = 0;
                               for (auto i = first; i < last; ++i) sum += bytes.as<std::uint64_t>()[i];
                               total += sum;
                           });
    }
    return total;
}

struct question {
    const char* name;
    std::vector<std::string> keys;
    std::vector<aggregate> wanted;
};

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rows = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
    const table made = db_benchmark::rows(rows, 100);
    table t;
    for (const std::string& name : made.names()) {
        const column& c = made.column(name);
        t.add(name, c.kind() == kind::string ? dictionary_encoded(c) : c);
    }
    const std::vector<question> questions{
        {"sum by a string", {"id1"}, {sum("v1")}},
        {"sum by two strings", {"id1", "id2"}, {sum("v1")}},
        {"sum and mean by many strings", {"id3"}, {sum("v1"), mean("v3")}},
        {"means by a number", {"id4"}, {mean("v1"), mean("v2"), mean("v3")}},
        {"sums by many numbers", {"id6"}, {sum("v1"), sum("v2"), sum("v3")}},
        {"median and deviation", {"id4", "id5"}, {median("v3"), stddev("v3")}},
        {"greatest and least", {"id3"}, {max("v1"), min("v2")}},
        {"two largest", {"id6"}, {largest("v3", 2)}},
        {"correlation", {"id2", "id4"}, {corr("v1", "v2")}},
        {"each row alone", {"id1", "id2", "id3", "id4", "id5", "id6"}, {sum("v3"), count()}},
        {"mean by a number", {"id6"}, {mean("v3")}}};
    for (const int threads : {1, 2}) {
        for (const question& q : questions) {
            std::vector<std::string> used = q.keys;
            for (const aggregate& a : q.wanted)
                for (const std::string& name : {a.column, a.other})
                    if (!name.empty() && std::find(used.begin(), used.end(), name) == used.end()) used.push_back(name);
            std::uint64_t checksum = 0;
            const double floor = seconds_of(11, [&] { checksum += read(t, used, threads); });
            std::size_t groups = 0;
            const double seconds =
                seconds_of(5, [&] { groups = t.group_by(q.keys).agg(q.wanted, {.threads = threads}).rows(); });
            std::printf(
                "{\"job\":\"%s\",\"n\":%zu,\"groups\":%zu,\"threads\":%d,\"median_ms\":%.2f,"
                "\"floor_ratio\":%.2f,\"checksum\":%llu}\n",
                q.name, rows, groups, threads, seconds * 1e3, seconds / floor,
                static_cast<unsigned long long>(checksum));
        }
    }
    return 0;
}
