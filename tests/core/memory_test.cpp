// SPDX-License-Identifier: MIT
#include <edge/core/memory.hpp>
#include <edge/core/tensor.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t MiB = std::size_t{1} << 20;

/// A limit for one test; the pool is empty before and after.
struct recycling {
    explicit recycling(std::size_t limit) {
        edge::release_recycled();
        edge::set_recycled_bytes(limit);
    }
    ~recycling() {
        edge::release_recycled();
        edge::set_recycled_bytes(0);
    }
};

edge::tensor<char> bytes(std::size_t n) { return edge::tensor<char>::uninitialized({static_cast<edge::index_t>(n)}); }

}  // namespace

TEST_CASE("the memory of a large array is used again", "[core][memory]") {
    const recycling limit(64 * MiB);
    const void* first = bytes(8 * MiB).data();
    CHECK(edge::recycled_bytes() == 8 * MiB);
    const auto again = bytes(8 * MiB - 5);
    CHECK(static_cast<const void*>(again.data()) == first);
    CHECK(edge::recycled_bytes() == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(again.data()) % (2 * MiB) == 0);
}

TEST_CASE("an array never takes much more memory than it asked for", "[core][memory]") {
    const recycling limit(64 * MiB);
    { const auto large = bytes(32 * MiB); }
    const auto small = bytes(8 * MiB);
    CHECK(edge::recycled_bytes() == 32 * MiB);
    const auto larger = bytes(33 * MiB);  // nor less
    CHECK(edge::recycled_bytes() == 32 * MiB);
}

TEST_CASE("what is kept stays within the limit, the newest first", "[core][memory]") {
    const recycling limit(16 * MiB);
    { const auto a = bytes(8 * MiB), b = bytes(8 * MiB), c = bytes(8 * MiB), d = bytes(17 * MiB); }
    CHECK(edge::recycled_bytes() == 16 * MiB);
    { const auto small = bytes(MiB); }
    CHECK(edge::recycled_bytes() == 16 * MiB);
    edge::set_recycled_bytes(9 * MiB);
    CHECK(edge::recycled_bytes() == 8 * MiB);
    edge::release_recycled();
    CHECK(edge::recycled_bytes() == 0);
    { const auto e = bytes(8 * MiB); }
    CHECK(edge::recycled_bytes() == 8 * MiB);
    edge::set_recycled_bytes(0);
    CHECK(edge::recycled_bytes() == 0);
}

TEST_CASE("at most 32 blocks are kept", "[core][memory]") {
    const recycling limit(1024 * MiB);
    {
        std::vector<edge::tensor<char>> all;
        for (int i = 0; i < 40; ++i) all.push_back(bytes(4 * MiB));
    }
    CHECK(edge::recycled_bytes() == 128 * MiB);
}

TEST_CASE("threads that share the pool never share a block", "[core][memory]") {
    const recycling limit(64 * MiB);
    std::vector<int> wrong(4);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t)
        threads.emplace_back([&, t] {
            for (int round = 0; round < 200; ++round) {
                auto mine = bytes(4 * MiB);
                mine[0] = mine[4095] = static_cast<char>(t);
                std::this_thread::yield();
                if (mine[0] != static_cast<char>(t) || mine[4095] != static_cast<char>(t)) ++wrong[t];
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(wrong == std::vector<int>(4));
}
