// SPDX-License-Identifier: MIT
// CSV on real threads. Made for the thread sanitizer.
#include <edge/frame/csv.hpp>

#include "support/catch.hpp"
#include "threads/fresh_threads.hpp"

#include <string>
#include <vector>

using namespace edge::frame;

TEST_CASE("CSV is read and written on several threads as on one", "[threads][csv]") {
    std::string text = "i,f,s,b,t,late\n";
    for (int i = 0; i < 3000; ++i)
        text += edge::message(i, ",", i, ".5,",
                              i % 3 == 0   ? "\"a,\n\""
                              : i % 3 == 1 ? "word"
                                           : "",
                              ",", i % 2 == 0 ? "true" : "", ",2024-03-01T00:00:00Z,", i == 2500 ? "x" : "1", "\n");
    std::uint64_t last = 0;
    const csv_options options{.dictionary = true,
                              .progress = [&last](std::uint64_t done, std::uint64_t) { last = done; }};
    const std::string alone = to_csv(parse_csv(text));
    fresh_threads pool;
    edge::set_thread_pool(&pool);
    const table t = detail::parse_csv_in_pieces(text, "a.csv", options, 1024);
    table wide;
    for (int i = 0; i < 3000; ++i) wide.add(edge::message("c", i), t.column("f").slice(0, 400));
    const std::string written = to_csv(wide, {.threads = 3});
    const std::string together = to_csv(t, {.threads = 3});
    edge::set_thread_pool(nullptr);
    CHECK(together == alone);
    CHECK(written == to_csv(wide, {.threads = 1}));
    CHECK(last > 0);
}
