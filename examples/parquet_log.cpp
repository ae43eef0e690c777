// SPDX-License-Identifier: MIT
// Logs a signal to a folder of Parquet files and reads it back. Kill it at any moment: every file in the folder is whole,
// and started again it goes on after the last one.
//
//     parquet_log DIR [ROWS]

#include <edge/frame/parquet.hpp>
#include <edge/frame/parquet_log.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    using namespace edge::frame;
    if (argc < 2) {
        std::cerr << "usage: parquet_log DIR [ROWS]\n";
        return 2;
    }
    const std::int64_t rows = argc > 2 ? std::atoll(argv[2]) : 20'000;
    try {
        // A file each ten seconds of data: with 200 rows a second, of 2000 rows.
        parquet_log_options options;
        options.columns = {
            {"row", kind::int64}, {"ts", kind::timestamp}, {"ax", kind::float32}, {"state", kind::string}};
        options.rotate_seconds = 10;
        parquet_log log(argv[1], options);
        for (std::int64_t row = 0; row < rows; ++row) {
            const double seconds = static_cast<double>(row) / 200;
            const auto ax = static_cast<float>(9.81 * std::sin(seconds));
            log.append_row(row, 1'700'000'000'000'000'000 + row * 5'000'000, ax, ax > 5 ? "fast" : "slow");
        }
        log.close();

        const table back = read_parquet(argv[1], {.columns = {"ax"}});
        std::cout << log.files_written() << " files, " << log.rows_written() << " rows; the folder has " << back.rows()
                  << '\n';
    } catch (const std::exception& e) {
        std::cerr << "parquet_log: error: " << e.what() << '\n';
        return 1;
    }
}
