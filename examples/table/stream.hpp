// SPDX-License-Identifier: MIT
#pragma once

/// @file The rows of files in batches, for files that do not fit in memory.
///
///     table_stream rows(files_of({"imu/"}), [](const table&) { return std::vector<std::string>{"id", "ax"}; });
///     while (auto batch = rows.next()) sums.update(*batch);
///
/// Parquet comes by some row groups at a time, CSV in pieces of some megabytes, JSON whole. The kinds of CSV columns are
/// those that the beginning of the first file has.

#include "../common/progress.hpp"
#include "../common/table_file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <unistd.h>
#endif

/// Every file that the inputs name, in order; none of standard input.
inline std::vector<std::filesystem::path> files_of(const std::vector<std::string>& inputs) {
    std::vector<std::filesystem::path> files;
    for (const std::string& input : inputs) {
        if (input == "-") return {};
        for (auto& path : table_file::paths_of(input)) files.push_back(std::move(path));
    }
    return files;
}

inline std::uint64_t bytes_of(const std::vector<std::filesystem::path>& files) {
    std::uint64_t bytes = 0;
    for (const auto& path : files) {
        std::error_code ec;
        const auto size = std::filesystem::file_size(path, ec);
        if (!ec) bytes += size;
    }
    return bytes;
}

/// Bytes of memory that the machine has; a gigabyte where it does not say.
inline std::uint64_t memory_of_machine() {
#if defined(__unix__)
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_bytes > 0) return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
#endif
    return std::uint64_t{1} << 30;
}

class table_stream {
public:
    /// Names of the columns that will be used, of a table that has the columns of the first file.
    using choice = std::function<std::vector<std::string>(const edge::frame::table&)>;

    /// @param used  none: all columns are read. JSON has them all in any case.
    explicit table_stream(std::vector<std::filesystem::path> files, choice used = {})
        : files_(std::move(files)), used_(std::move(used)), bar_("edge_table", bytes_of(files_)) {}

    /// The next rows; at least one batch, perhaps of no rows.
    std::optional<edge::frame::table> next() {
        for (; file_ < files_.size(); close()) {
            const std::filesystem::path& path = files_[file_];
            const std::string extension = table_file::extension_of(path);
            if (extension == ".parquet") {
                if (!parquet_) open_parquet(path);
                if (parquet_->row_groups() == 0 && !std::exchange(is_open_, true)) return parquet_->read();
                if (group_ < parquet_->row_groups()) {
                    bar_.at(done_ + bytes_of({path}) * group_ / parquet_->row_groups());
                    const std::size_t first = group_;
                    group_ = parquet_->row_groups_with(first, rows_at_once);
                    return parquet_->read_row_groups(first, group_);
                }
            } else if (extension == ".csv") {
                if (!csv_) open_csv(path);
                if (auto batch = csv_->next()) {
                    if (kinds_.empty())
                        for (std::size_t c = 0; c < batch->names().size(); ++c)
                            kinds_.emplace_back(batch->names()[c], batch->columns()[c].kind());
                    return batch;
                }
            } else if (!std::exchange(is_open_, true)) {
                return table_file::read_one(path);
            }
        }
        return std::nullopt;
    }

private:
    using names = std::vector<std::string>;

    static constexpr std::uint64_t rows_at_once = std::uint64_t{1} << 19;

    void choose(const edge::frame::table& all) {
        columns_ = used_(all);
        if (columns_->empty() && !all.names().empty()) columns_->push_back(all.names().front());  // so that rows count
    }

    void open_parquet(const std::filesystem::path& path) {
        if (used_ && !columns_) {
            edge::frame::table all;
            for (const auto& [name, kind] : edge::frame::parquet_reader(path).schema())
                all.add(name, edge::frame::column::missing(kind, 0));
            choose(all);
        }
        parquet_.emplace(path,
                         edge::frame::parquet_read_options{.columns = columns_.value_or(names{}), .dictionary = true});
    }

    void open_csv(const std::filesystem::path& path) {
        if (used_ && !columns_) choose(edge::frame::csv_reader(path, {.max_rows = 0}).next().value());
        csv_.emplace(path, edge::frame::csv_options{.kinds = kinds_, .columns = columns_.value_or(names{})});
    }

    void close() {
        done_ += bytes_of({files_[file_]});
        bar_.at(done_);
        ++file_;
        group_ = 0;
        is_open_ = false;
        parquet_.reset();
        csv_.reset();
    }

    std::vector<std::filesystem::path> files_;
    choice used_;
    std::optional<names> columns_;  ///< that are read, once they are known
    std::size_t file_ = 0;
    std::size_t group_ = 0;
    bool is_open_ = false;
    std::optional<edge::frame::parquet_reader> parquet_;
    std::optional<edge::frame::csv_reader> csv_;
    std::vector<std::pair<std::string, edge::frame::kind>> kinds_;
    std::uint64_t done_ = 0;
    progress bar_;
};
