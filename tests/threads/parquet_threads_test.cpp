// SPDX-License-Identifier: MIT
// Parquet on real threads. Made for the thread sanitizer.
#include <edge/frame/csv.hpp>
#include <edge/frame/parquet.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "threads/fresh_threads.hpp"

#include <string>
#include <vector>

using namespace edge::frame;

TEST_CASE("Parquet is read and written on several threads as on one", "[threads][parquet]") {
    std::vector<std::string> few(3000);
    std::vector<std::string> many(3000);
    std::vector<double> x(3000);
    std::vector<bool> valid(3000);
    for (std::size_t i = 0; i < few.size(); ++i) {
        few[i] = edge::message("w", i % 7 + i / 500);
        many[i] = i < 1000 ? few[i] : edge::message("text ", i * i);
        x[i] = static_cast<double>(i) / 7;
        valid[i] = i % 5 != 0;
    }
    const table t{{"few", column(few, valid)}, {"many", column(many)}, {"x", column(x, valid)}};
    const temporary_folder folder;
    write_parquet(folder / "a.parquet", t, {.row_group_rows = 200, .threads = 1});
    fresh_threads pool;
    edge::set_thread_pool(&pool);
    write_parquet(folder / "b.parquet", t, {.row_group_rows = 200, .dictionary = false, .threads = 3});
    std::vector<std::string> read;
    for (const std::string name : {"a.parquet", "b.parquet"})
        for (const bool dictionary : {false, true})
            read.push_back(to_csv(read_parquet(folder / name, {.dictionary = dictionary, .threads = 3})));
    edge::set_thread_pool(nullptr);
    for (const std::string& text : read) CHECK(text == to_csv(t));
}
