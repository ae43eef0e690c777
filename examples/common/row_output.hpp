// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows to a file of any format that the programs know, all at once or as they come.
///
///     write_table("out.parquet", t, "zstd");
///     row_output out("fast.json");
///     while (auto batch = rows.next()) out.write(*batch);
///     out.close();                                      // until then there is no file of that name

#include "table_file.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>

class row_output {
public:
    /// @param to     by extension; - is standard output, as CSV
    /// @param codec  of Parquet: none, snappy, zstd or gzip; empty: the writer's choice
    explicit row_output(const std::string& to, const std::string& codec = {}) {
        const std::string extension = to == "-" ? ".csv" : table_file::extension_of(to);
        if (extension == ".parquet") {
            edge::frame::parquet_options options;
            if (!codec.empty()) options.codec = edge::frame::codec_from_string(codec);
            parquet_.emplace(to, options);
        } else if (extension == ".json") {
            json_.emplace(to);
            json_->write("[");
        } else if (to != "-") {
            csv_.emplace(to);
        }
    }

    /// The first table says which columns there are.
    void write(const edge::frame::table& t) {
        if (parquet_) return parquet_->write(t);
        if (csv_) return csv_->write(t);
        for (std::size_t row = 0; row < t.rows() || !(json_ || has_header_); row += rows_at_once) {
            const std::size_t last = (std::min)(row + rows_at_once, t.rows());
            if (json_) {
                std::string text;
                table_file::append_records(text, t, row, last, std::exchange(has_records_, true));
                json_->write(text);
            } else {
                std::cout << edge::frame::to_csv(t.slice(row, last - row),
                                                 {.header = !std::exchange(has_header_, true)});
            }
        }
    }

    void close() {
        if (parquet_) parquet_->close();
        if (csv_) csv_->close();
        if (!json_) return;
        json_->write("\n]\n");
        json_->commit();
    }

private:
    static constexpr std::size_t rows_at_once = std::size_t{1} << 16;

    std::optional<edge::frame::parquet_writer> parquet_;
    std::optional<edge::frame::csv_writer> csv_;
    std::optional<edge::output_file> json_;
    bool has_header_ = false;
    bool has_records_ = false;
};

inline void write_table(const std::string& output, const edge::frame::table& t, const std::string& codec = {}) {
    row_output out(output, codec);
    out.write(t);
    out.close();
}
