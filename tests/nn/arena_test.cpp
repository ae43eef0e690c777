// SPDX-License-Identifier: MIT
#include <edge/nn/detail/arena.hpp>

#include "support/catch.hpp"

#include <random>

using edge::index_t;
using edge::nn::detail::arena_block;
using edge::nn::detail::largest_live_set;
using edge::nn::detail::place;

TEST_CASE("values that do not live at the same time share bytes, others never", "[nn][arena]") {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        const std::size_t steps = 1 + random() % 40;
        std::vector<arena_block> blocks(random() % 60);
        for (arena_block& b : blocks) {
            b.bytes = static_cast<index_t>(random() % 5000);
            b.first = random() % steps;
            b.last = b.first + random() % 6;
        }
        const index_t bytes = place(blocks, 64);
        CHECK(bytes >= largest_live_set(blocks));
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            CHECK(blocks[i].offset % 64 == 0);
            CHECK(blocks[i].offset + blocks[i].bytes <= bytes);
            for (std::size_t k = 0; k < i; ++k) {
                const bool share = blocks[i].offset < blocks[k].offset + blocks[k].bytes &&
                                   blocks[k].offset < blocks[i].offset + blocks[i].bytes;
                CHECK_FALSE((share && blocks[i].meets(blocks[k])));
            }
        }
    }
}

TEST_CASE("a chain of layers needs two values at a time and no more", "[nn][arena]") {
    std::vector<arena_block> chain;
    for (std::size_t i = 0; i < 20; ++i) chain.push_back({64 * static_cast<index_t>(1 + i % 7), i, i + 1});
    CHECK(largest_live_set(chain) == 64 * (7 + 6));
    CHECK(place(chain, 64) == 64 * (7 + 6));
    CHECK(place({}, 64) == 0);
}
