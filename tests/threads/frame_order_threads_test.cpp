// SPDX-License-Identifier: MIT
// Sorts, windows and joins of tables on real threads, for the thread sanitizer; and the same as on one.
#include <edge/frame/join.hpp>
#include <edge/frame/join_asof.hpp>
#include <edge/frame/sort.hpp>
#include <edge/frame/window.hpp>

#include "support/catch.hpp"
#include "threads/fresh_threads.hpp"

#include <random>
#include <string>
#include <vector>

using namespace edge::frame;

namespace {

table readings(std::size_t rows, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<std::int64_t> time(rows);
    std::vector<std::int32_t> key(rows);
    std::vector<double> x(rows);
    std::vector<std::string> text(rows);
    std::vector<bool> there(rows);
    for (std::size_t r = 0; r < rows; ++r) {
        time[r] = (r == 0 ? 0 : time[r - 1]) + static_cast<std::int64_t>(random() % 3);
        key[r] = static_cast<std::int32_t>(random() % 30);
        x[r] = static_cast<double>(random() % 1000) / 7;
        text[r] = std::string(random() % 4, 'x');
        there[r] = random() % 10 != 0;
    }
    return {{"time", column(time)}, {"key", column(key)}, {"x", column(x, there)}, {"text", column(text, there)}};
}

bool same(const table& a, const table& b) {
    if (a.rows() != b.rows() || a.columns().size() != b.columns().size()) return false;
    for (std::size_t c = 0; c < a.columns().size(); ++c) {
        const column& x = a.columns()[c];
        const column& y = b.columns()[c];
        if (x.kind() != y.kind()) return false;
        for (std::size_t r = 0; r < x.size(); ++r) {
            if (x.is_valid(r) != y.is_valid(r)) return false;
            if (!x.is_valid(r)) continue;
            if (x.kind() == kind::string) {
                if (x.text(r) != y.text(r)) return false;
            } else if (!dispatch_stored(x.kind(), [&]<class T>() { return x.values<T>()[r] == y.values<T>()[r]; })) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

TEST_CASE("tables are sorted, rolled and joined on threads as on one", "[threads][frame]") {
    const table t = readings(70000, 1);
    const table other = readings(50000, 2).select("time", "key", "text");
    const table few = readings(40, 3).select("key", "text");
    const auto all = [&](int n) {
        const edge::parallel_options threads{.threads = n};
        rolling_options rows{.rows = 20, .by = "key"};
        rolling_options time{.time = 30, .on = "time"};
        rows.threads = time.threads = threads;
        const std::vector<aggregate> wanted{mean("x"),   min("x"),      stddev("x"),
                                            median("x"), first("text"), count("text")};
        return std::vector<table>{
            sort(t, {{"key"}, {"x", order::descending}}, threads),
            sort(t, {{"text"}, {"x"}}, threads),
            rolling(t, wanted, rows),
            rolling(t, wanted, time),
            join_asof(t, other, {.on = "time", .by = "key", .direction = asof::nearest, .threads = threads}),
            join(t, few, {.on = "key", .how = join_how::full, .threads = threads}),
            join(t, few, {.on = {"key", "text"}, .how = join_how::anti, .threads = threads})};
    };
    const std::vector<table> expected = all(1);
    fresh_threads pool;
    edge::set_thread_pool(&pool);
    const std::vector<table> got = all(3);
    edge::set_thread_pool(nullptr);
    for (std::size_t i = 0; i < got.size(); ++i) {
        INFO("table " << i);
        CHECK(same(got[i], expected[i]));
    }
}
