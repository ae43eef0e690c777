// SPDX-License-Identifier: MIT
// A log never loses a row that it took, never shows half a file, and goes on after a restart or a full disk.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

#include <edge/frame/parquet.hpp>
#include <edge/frame/parquet_log.hpp>

#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#if defined(__unix__)
#include <sys/resource.h>
#include <csignal>
#endif

using namespace edge;
using namespace edge::frame;

namespace {

table rows_from(std::int64_t first, std::size_t count) {
    std::vector<std::int64_t> n(count);
    std::vector<std::int64_t> ns(count);
    std::vector<std::string> text(count);
    for (std::size_t i = 0; i < count; ++i) {
        n[i] = first + static_cast<std::int64_t>(i);
        ns[i] = n[i] * 100'000'000;
        text[i] = "row " + std::to_string(n[i]);
    }
    return {{"n", column(n)}, {"ts", column::timestamps(ns)}, {"text", column(text)}};
}

/// Rows of each file, and whether all of them together are 0, 1, 2 ...
std::vector<std::size_t> files_in(const std::filesystem::path& folder) {
    std::vector<std::size_t> sizes;
    std::int64_t next = 0;
    for (const auto& path : input_paths(folder, ".parquet")) {
        const table t = read_parquet(path);
        sizes.push_back(t.rows());
        for (const std::int64_t n : t.column("n").values<std::int64_t>()) REQUIRE(n == next++);
    }
    return sizes;
}

std::size_t entries_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

using sizes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a log rotates by rows, however they come", "[frame][parquet_log]") {
    std::mt19937 random(5);
    for (int round = 0; round < 8; ++round) {
        const temporary_folder folder;
        std::int64_t n = 0;
        {
            parquet_log log(folder.path(), {.rotate_rows = 10});
            while (n < 95) {
                const auto count = static_cast<std::size_t>(
                    (std::min)(std::int64_t{95} - n, static_cast<std::int64_t>(random() % 37)));
                log.append(rows_from(n, count));
                n += static_cast<std::int64_t>(count);
                CHECK(log.rows_pending() < 10);
                CHECK(log.rows_written() + log.rows_pending() == static_cast<std::uint64_t>(n));
                CHECK(entries_in(folder.path()) == log.files_written());
            }
        }  // the end writes the rest
        INFO("round " << round << ", seed 5");
        CHECK(files_in(folder.path()) == sizes{10, 10, 10, 10, 10, 10, 10, 10, 10, 5});
    }
}

TEST_CASE("a log rotates by the time of its rows", "[frame][parquet_log]") {
    for (const bool by_row : {false, true}) {
        const temporary_folder folder;
        parquet_log log(folder.path(),
                        {.columns = {{"n", kind::int64}, {"ts", kind::timestamp}, {"text", kind::string}},
                         .rotate_rows = 8,
                         .rotate_seconds = 0.5});
        if (by_row)
            for (std::int64_t n = 0; n < 12; ++n) log.append_row(n, n * 100'000'000, "x");
        else
            log.append(rows_from(0, 12));
        CHECK(log.rows_pending() == 2);
        log.append(table{{"n", column(std::vector<std::int64_t>{12, 13})},
                         {"ts", column::timestamps({9'000'000'000, 0}, {true, false})},  // a leap, and a missing time
                         {"text", column(std::vector<std::string>{"", ""})}});
        CHECK(log.take_completed().size() == 3);
        CHECK(log.take_completed().empty());
        log.flush();
        log.flush();  // nothing to write: no empty file
        CHECK(log.take_completed() == std::vector<std::filesystem::path>{folder / "00000004.parquet"});
        CHECK(files_in(folder.path()) == sizes{5, 5, 2, 2});
        log.append(rows_from(14, 9));  // rows count as well
        log.close();
        CHECK(files_in(folder.path()) == sizes{5, 5, 2, 2, 5, 4});
    }
}

TEST_CASE("a row is taken whole or not at all", "[frame][parquet_log]") {
    const temporary_folder folder;
    parquet_log_options options;
    options.columns = {
        {"ok", kind::boolean}, {"i", kind::int32}, {"f", kind::float32}, {"d", kind::float64}, {"s", kind::string}};
    parquet_log log(folder / "deep" / "er", options);
    log.append_row(true, 7, 1.5F, 2.5, std::string("text"));
    CHECK(says<argument_error>([&] { log.append_row(true, 7, 1.5F, 2.5); }, "row of 4 values; expected 5"));
    CHECK(says<argument_error>([&] { log.append_row(true, 7, 1.5, 2.5, "text"); },
                               "column 'f': the value is not of float32"));
    CHECK(says<argument_error>([&] { log.append_row(true, 7, 1.5F, 2.5, 1); }, "column 's'"));
    CHECK(says<argument_error>([&] { log.append(rows_from(0, 1)); }, "table of 3 columns; expected 5"));
    CHECK(log.rows_pending() == 1);
    log.append_row(false, -7, 0.0F, 0.0, "");
    log.close();
    CHECK_THROWS_AS(log.append_row(true, 7, 1.5F, 2.5, "text"), argument_error);
    const table t = read_parquet(log.folder());
    CHECK(t.rows() == 2);
    CHECK(t.column("s").text(0) == "text");
    CHECK(t.column("f").values<float>()[0] == 1.5F);
}

TEST_CASE("a log goes on after the last file, and replaces none", "[frame][parquet_log]") {
    const temporary_folder folder;
    for (const char* other : {"notes.txt", "x7.parquet", "99999999999999999999999.parquet"})
        std::ofstream(folder / other) << "mine";
    parquet_log(folder.path(), {.rotate_rows = 10}).append(rows_from(0, 20));
    std::filesystem::remove(folder / "00000001.parquet");
    parquet_log second(folder.path(), {.rotate_rows = 10});
    std::ofstream(folder / "00000004.parquet") << "mine";  // of somebody else, meanwhile
    second.append(rows_from(20, 30));
    CHECK(second.take_completed() == std::vector<std::filesystem::path>{folder / "00000003.parquet",
                                                                        folder / "00000005.parquet",
                                                                        folder / "00000006.parquet"});
    CHECK(read_text_file(folder / "00000004.parquet") == "mine");
    CHECK(read_text_file(folder / "x7.parquet") == "mine");
    CHECK(read_parquet(folder / "00000002.parquet").column("n").values<std::int64_t>()[0] == 10);
}

TEST_CASE("a log refuses what it cannot be", "[frame][parquet_log]") {
    const temporary_folder folder;
    const auto make = [&](const parquet_log_options& options) { parquet_log(folder.path(), options); };
    CHECK_THROWS_AS(make({.rotate_rows = 0}), argument_error);
    CHECK_THROWS_AS(make({.rotate_seconds = -1}), argument_error);
    CHECK(says<argument_error>(
        [&] {
            make({.columns = {{"x", kind::int32}, {"x", kind::int64}}});
        },
        "two columns 'x'"));
    CHECK(says<argument_error>(
        [&] {
            make({.columns = {{"ts", kind::int64}}, .rotate_seconds = 1});
        },
        "needs a timestamp column 'ts'"));
    CHECK(says<argument_error>([&] { parquet_log(folder.path()).append(table{}); }, "without columns"));
    CHECK(says<argument_error>([&] { parquet_log(folder.path()).append_row(1.0); }, "row of 1 values; expected 0"));
    std::ofstream(folder / "file") << "x";
    CHECK_THROWS_AS(parquet_log(folder / "file"), io_error);
}

#if defined(__unix__)
TEST_CASE("a full disk loses no row that was taken", "[frame][parquet_log]") {
    // Files of this process cannot grow past a size for a while: what the system says is not that the device is full,
    // but the calls that fail are the same.
    const temporary_folder folder;
    struct limit {
        limit() {
            ::getrlimit(RLIMIT_FSIZE, &before);
            handler = std::signal(SIGXFSZ, SIG_IGN);
        }
        ~limit() {
            set(before.rlim_cur);
            std::signal(SIGXFSZ, handler);
        }
        void set(rlim_t bytes) const {
            rlimit now = before;
            now.rlim_cur = bytes;
            ::setrlimit(RLIMIT_FSIZE, &now);
        }
        rlimit before{};
        void (*handler)(int) = nullptr;
    };

    parquet_log log(folder.path(), {.rotate_rows = 100});
    log.append(rows_from(0, 250));
    {
        const limit small;
        small.set(200);
        log.append(rows_from(250, 300));  // taken; what failed is said next
        CHECK(log.rows_pending() == 350);
        for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(log.append(rows_from(550, 10)), io_error);
        CHECK_THROWS_AS(log.append_row(std::int64_t{550}, std::int64_t{0}, "row"), io_error);
        CHECK_THROWS_AS(log.flush(), io_error);
        CHECK(log.rows_pending() == 350);
        CHECK(files_in(folder.path()) == sizes{100, 100});  // those before are whole, and nothing lies beside them
        CHECK(entries_in(folder.path()) == 2);
    }
    log.append(rows_from(550, 10));
    log.close();
    CHECK(log.rows_written() == 560);
    std::size_t total = 0;
    for (const std::size_t n : files_in(folder.path())) total += n;
    CHECK(total == 560);
}
#endif
