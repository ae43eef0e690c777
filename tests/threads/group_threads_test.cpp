// SPDX-License-Identifier: MIT
// Group-by on real threads, whatever the way. Made for the thread sanitizer.
#include <edge/core/parallel.hpp>
#include <edge/frame/csv.hpp>
#include <edge/frame/group_accumulator.hpp>

#include "support/catch.hpp"
#include "threads/fresh_threads.hpp"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

using namespace edge::frame;

TEST_CASE("groups are the same on several threads, found in every way", "[threads]") {
    const std::size_t rows = 120'000;
    std::vector<std::int32_t> few(rows);
    std::vector<std::int64_t> hashed(rows), many(rows);
    std::vector<std::string> text(rows);
    std::vector<double> x(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        few[r] = static_cast<std::int32_t>(r * 7 % 50);
        hashed[r] = static_cast<std::int64_t>(r * 13 % 400) << 40;
        many[r] = static_cast<std::int64_t>(r * 7919 % 100'003) << 20;
        text[r] = "t" + std::to_string(r % 30);
        x[r] = static_cast<double>(r % 1000) / 7;
    }
    const table t{{"few", column(few)},
                  {"hashed", column(hashed)},
                  {"many", column(many)},
                  {"text", column(text)},
                  {"x", column(x)}};
    const std::vector<aggregate> wanted{count(),        mean("x"),     stddev("x"),      max("x"),       median("x"),
                                        nunique("few"), first("text"), corr("x", "few"), largest("x", 2)};
    fresh_threads pool;
    for (const std::vector<std::string>& keys :
         std::vector<std::vector<std::string>>{{"few"}, {"hashed"}, {"many"}, {"text", "few"}}) {
        const std::string one = to_csv(t.group_by(keys).agg(wanted, {.threads = 1}));
        const std::string one_mean = to_csv(t.group_by(keys).agg({mean("x")}, {.threads = 1}));
        group_accumulator alone(keys, wanted);
        alone.update(t, {.threads = 1});
        edge::set_thread_pool(&pool);
        const bool same = to_csv(t.group_by(keys).agg(wanted, {.threads = 3})) == one;
        const bool same_mean = to_csv(t.group_by(keys).agg({mean("x")}, {.threads = 3})) == one_mean;
        group_accumulator acc(keys, wanted);
        acc.update(t, {.threads = 3});
        const bool same_stream = to_csv(acc.finish({.threads = 3})) == to_csv(alone.finish({.threads = 1}));
        const grouping shared = t.group_by(keys);
        std::size_t groups[2] = {};
        std::thread other([&] { groups[0] = shared.ids().size(); });
        groups[1] = shared.agg(count()).rows();
        other.join();
        edge::set_thread_pool(nullptr);
        INFO(keys.front());
        CHECK(same);
        CHECK(same_mean);
        CHECK(same_stream);
        CHECK(groups[0] == rows);
        CHECK(groups[1] == shared.groups());
    }
}

TEST_CASE("streams of many groups are the same on several threads", "[threads]") {
    const std::size_t rows = 60'000;
    std::vector<std::int32_t> number(rows);
    std::vector<std::string> text(rows);
    std::vector<double> x(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        number[r] = static_cast<std::int32_t>(r * 7919 % 20'011);
        text[r] = "t" + std::to_string(r * 7907 % 30'011);
        x[r] = static_cast<double>(r % 1000) / 7;
    }
    const table t{{"number", column(number)}, {"text", column(text)}, {"x", column(x)}};
    fresh_threads pool;
    for (const std::string key : {"number", "text"}) {
        const auto streamed = [&](int threads) {
            group_accumulator groups(key, {count(), mean("x"), stddev("x"), median("x"), largest("x", 2)});
            for (std::size_t part = 0; part < 3; ++part) {  // a chunk each
                groups.update(t.slice(part * 20'000, 20'000), {.threads = threads});
                groups = group_accumulator::from_bytes(groups.bytes());
            }
            return to_csv(groups.finish({.threads = threads}));
        };
        const std::string alone = streamed(1);
        edge::set_thread_pool(&pool);
        const bool same = streamed(3) == alone;
        edge::set_thread_pool(nullptr);
        INFO(key);
        CHECK(same);
    }
}
