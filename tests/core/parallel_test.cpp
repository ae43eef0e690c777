// SPDX-License-Identifier: MIT
#include <edge/core/parallel.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

using edge::index_t;

TEST_CASE("the parts cover every element once, at aligned places", "[core][parallel]") {
    for (const index_t count : {0, 1, 7, 64, 1000})
        for (const int parts : {1, 2, 3, 16})
            for (const index_t align : {1, 8}) {
                index_t next = 0;
                for (int i = 0; i < parts; ++i) {
                    const auto [first, last] = edge::partition(count, parts, i, align);
                    if (first == last) continue;
                    REQUIRE(first == next);
                    REQUIRE(first % align == 0);
                    next = last;
                }
                REQUIRE(next == count);
            }
}

TEST_CASE("every element is visited once, with any number of threads", "[core][parallel]") {
    for (const int threads : {1, 2, 5}) {
        std::vector<int> seen(1000);
        edge::parallel_for(1000, {.threads = threads}, [&](index_t first, index_t last) {
            for (index_t i = first; i < last; ++i) ++seen[static_cast<std::size_t>(i)];
        });
        CHECK(std::accumulate(seen.begin(), seen.end(), 0) == 1000);
        CHECK(*std::max_element(seen.begin(), seen.end()) == 1);
    }
}

TEST_CASE("nested calls run serially", "[core][parallel]") {
    std::atomic<int> calls{0};
    edge::parallel_for(4, {.threads = 4}, [&](index_t, index_t) {
        edge::parallel_for(100, {.threads = 4}, [&](index_t first, index_t last) {
            REQUIRE(last - first == 100);
            ++calls;
        });
    });
    CHECK(calls == 4);
}

TEST_CASE("the exception of the lowest part comes out", "[core][parallel]") {
    CHECK_THROWS_WITH(edge::parallel_parts(4,
                                           [](int i) {
                                               if (i > 0) throw edge::argument_error(edge::message("part ", i));
                                           }),
                      "part 1");
    CHECK_THROWS_AS(edge::parts_for(1, {.threads = -1}), edge::argument_error);
}

TEST_CASE("tasks run once each, on parts that have a number", "[core][parallel]") {
    for (const int threads : {1, 2, 5}) {
        std::vector<int> seen(100);
        std::atomic<bool> is_part{true};
        edge::parallel_tasks(100, {.threads = threads}, [&](index_t i, int part) {
            ++seen[static_cast<std::size_t>(i)];
            if (part < 0 || part >= threads) is_part = false;
        });
        CHECK(seen == std::vector<int>(100, 1));
        CHECK(is_part);
        try {
            edge::parallel_tasks(100, {.threads = threads}, [&](index_t i, int) {
                if (i % 30 == 29) throw std::runtime_error(std::to_string(i));
            });
            FAIL("nothing was thrown");
        } catch (const std::runtime_error& e) {
            CHECK(std::string(e.what()) == "29");
        }
    }
    edge::parallel_tasks(0, {}, [](index_t, int) { FAIL("a task of none"); });
}

namespace {

class two_threads final : public edge::thread_pool {
public:
    [[nodiscard]] int size() const noexcept override { return 2; }
    void run(int parts, void (*part)(void*, int), void* context) override {
        std::thread other([&] {
            for (int i = 1; i < parts; i += 2) part(context, i);
        });
        for (int i = 0; i < parts; i += 2) part(context, i);
        other.join();
        ++runs;
    }
    int runs = 0;
};

}  // namespace

TEST_CASE("a program's own pool is used when it is plugged in", "[core][parallel]") {
    two_threads pool;
    edge::set_thread_pool(&pool);
    std::vector<int> seen(10);
    CHECK(edge::threads() == 2);
    edge::parallel_for(10, {}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    edge::set_thread_pool(nullptr);
    CHECK(pool.runs == 1);
    CHECK(std::accumulate(seen.begin(), seen.end(), 0) == 10);
}
