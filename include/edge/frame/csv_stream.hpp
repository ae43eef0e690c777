// SPDX-License-Identifier: MIT
#pragma once

/// @file CSV batch by batch, in memory that does not depend on its length.
///
///     csv_reader reader("drive.csv", {.threads = 2});
///     while (auto batch = reader.next()) sums.update(*batch);
///
///     csv_reader input(std::make_unique<file_source>(stdin, "standard input"), "standard input");

#include <edge/frame/byte_source.hpp>
#include <edge/frame/csv_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

/// Tables of the rows of a CSV source, one after the other.
///
/// Kinds that are not given are found from the first batch and stay; a later cell that does not fit is an error, which
/// names it. Memory: `batch_bytes` of text, and of the batch some 8 bytes a cell; a row must fit in `batch_bytes`.
class csv_reader {
public:
    static constexpr std::size_t default_batch_bytes = std::size_t{16} << 20;

    /// @throws io_error        if it cannot be opened
    /// @throws argument_error  if an option is out of its range
    explicit csv_reader(const std::filesystem::path& path, csv_options options = {},
                        std::size_t batch_bytes = default_batch_bytes)
        : csv_reader(std::make_unique<file_source>(path), path.string(), std::move(options), batch_bytes) {}

    /// @param name  of the source, for messages
    csv_reader(std::unique_ptr<byte_source> source, std::string name, csv_options options = {},
               std::size_t batch_bytes = default_batch_bytes)
        : source_(std::move(source)), name_(std::move(name)), options_(std::move(options)), batch_bytes_(batch_bytes) {
        detail::check_csv(options_);
        if (batch_bytes < 64) throw argument_error(message("batches of ", batch_bytes, " bytes; expected 64 or more"));
        std::swap(progress_, options_.progress);
    }

    /// The next rows, all of them after all batches. The first batch is there even if it has no rows; others have some.
    /// @throws io_error, parse_error, argument_error  as `read_csv`
    [[nodiscard]] std::optional<table> next();

    [[nodiscard]] std::uint64_t rows() const noexcept { return report_.rows; }
    [[nodiscard]] std::uint64_t rows_skipped() const noexcept { return report_.rows_skipped; }

private:
    [[nodiscard]] std::string_view unread() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }

    /// As many bytes as there are and fit.
    void fill() {
        if (buffer_.size() == 0) (void)buffer_.extend(batch_bytes_);
        std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
        end_ -= begin_;
        begin_ = 0;
        const std::size_t room = buffer_.size() - end_;
        const std::size_t got = at_end_ ? 0 : source_->read(std::span(buffer_.data() + end_, room));
        at_end_ = got < room;
        end_ += got;
    }

    void begin() {
        const detail::csv_start start = detail::read_csv_start(unread(), name_, options_);
        if (start.bytes == unread().size() && !at_end_) refuse_long_row();
        schema_ = detail::csv_schema_of(start.names, name_, options_);
        place_ = start.place;
        begin_ = start.bytes;
        for (const detail::csv_column& c : schema_.columns) names_.push_back(c.name());
    }

    [[noreturn]] void refuse_long_row() const {
        throw unsupported_error(message(name_, ": row ", place_.rows + 1, " (line ", place_.lines + 1,
                                        "): has no end within ", batch_bytes_, " bytes, which is all of a batch"));
    }

    /// The `bytes` that come next were read.
    void pass(std::size_t bytes, std::size_t rows) {
        const std::string_view text = unread().substr(0, bytes);
        std::size_t lines = 0;
        for (std::size_t i = 0; i < bytes; ++i)
            lines += text[i] == '\n' || (text[i] == '\r' && (i + 1 == bytes || text[i + 1] != '\n'));
        begin_ += bytes;
        place_.rows += rows;
        place_.lines += lines;
        place_.bytes += bytes;
    }

    std::unique_ptr<byte_source> source_;
    std::string name_;
    csv_options options_;
    std::size_t batch_bytes_;
    std::function<void(std::uint64_t, std::uint64_t)> progress_;
    growing<char> buffer_;
    std::size_t begin_ = 0;  ///< of what was not read yet
    std::size_t end_ = 0;
    bool at_end_ = false;  ///< whether the source has no more
    bool begun_ = false;
    bool settled_ = false;  ///< whether the kinds are known
    detail::csv_schema schema_;
    detail::csv_place place_{};
    std::vector<std::string> names_;
    csv_report report_;
};

inline std::optional<table> csv_reader::next() {
    for (;;) {
        if (begun_ && ((at_end_ && begin_ == end_ && settled_) || report_.rows >= options_.max_rows))
            return std::nullopt;
        fill();
        if (!begun_) begin();
        begun_ = true;
        place_.name = name_;
        detail::csv_rows read = detail::parse_rows(unread(), place_, schema_, options_, at_end_);
        if (read.end == 0 && !at_end_) refuse_long_row();
        pass(at_end_ ? end_ - begin_ : read.end, read.rows + read.skipped);
        report_.rows_skipped += read.skipped;
        if (progress_) progress_(source_->position(), source_->size());
        if (read.rows == 0 && (settled_ || !at_end_)) continue;
        if (!std::exchange(settled_, true)) {
            for (detail::csv_column& c : schema_.columns) c.settle();
            schema_.sampled = read.rows;
        }
        table batch(names_, std::move(read.columns));
        if (batch.rows() > options_.max_rows - report_.rows)
            batch = batch.head(static_cast<std::size_t>(options_.max_rows - report_.rows));
        report_.rows += batch.rows();
        if (options_.report != nullptr) *options_.report = report_;
        return batch;
    }
}

}  // namespace edge::frame
