// SPDX-License-Identifier: MIT
#pragma once

/// @file Writing CSV.
///
///     write_csv("out.csv", t);
///
///     csv_writer out("long.csv");
///     while (auto batch = reader.next()) out.write(*batch);
///     out.close();                                         // without it, no file appears
///
/// Floats are written in the shortest form that reads back the same, and as floats ("1.0"); an empty string is written
/// as "", which a missing value is not, so both read back as they were. The text is made on all threads and is the same
/// for any number of them.

#include <edge/core/file.hpp>
#include <edge/core/parallel.hpp>
#include <edge/frame/detail/csv_text.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

struct csv_write_options {
    char delimiter = ',';
    bool header = true;  ///< a first row with the names of the columns
    int threads = 0;     ///< 0: the process default
};

/// The whole table as CSV, a line each row.
[[nodiscard]] std::string to_csv(const table& t, const csv_write_options& options);
[[nodiscard]] inline std::string to_csv(const table& t, char delimiter = ',') {
    return to_csv(t, {.delimiter = delimiter});
}

/// A CSV file that is written in parts, and appears under its name when it is closed.
class csv_writer {
public:
    /// @throws io_error        if the folder cannot be written to
    /// @throws argument_error  if the delimiter is one that numbers, quotes or line ends are made of
    explicit csv_writer(const std::filesystem::path& path, const csv_write_options& options = {})
        : options_(options), file_(path) {
        detail::check_csv_delimiter(options.delimiter);
    }

    /// Rows written so far.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

    /// Appends the rows. The first table says which columns the file has.
    /// @throws argument_error  if the names are not those of the first table
    /// @throws io_error        if the device is full or fails; the file cannot be completed then
    void write(const table& t);

    /// Syncs, and gives the file its name. Without it, nothing appears.
    /// @throws io_error  if the device is full or fails, or did before
    void close() {
        if (!is_whole_) throw io_error(message(file_.path().string(), ": it is closed, or an earlier write failed"));
        is_whole_ = false;
        file_.commit();
    }

private:
    csv_write_options options_;
    output_file file_;
    std::vector<std::string> names_;
    std::uint64_t rows_ = 0;
    bool begun_ = false;
    bool is_whole_ = true;
};

/// Written whole or not at all.
/// @throws io_error  if it cannot be written
inline void write_csv(const std::filesystem::path& path, const table& t, const csv_write_options& options) {
    csv_writer file(path, options);
    file.write(t);
    file.close();
}
inline void write_csv(const std::filesystem::path& path, const table& t, char delimiter = ',') {
    write_csv(path, t, {.delimiter = delimiter});
}

namespace detail {

/// Calls `take(text)` with the rows in order, made by all threads: while one hands over its block, others make the next.
template <class Take>
void write_csv_rows(const table& t, const csv_write_options& options, Take&& take) {
    // Some megabytes of text for each thread: few meetings of threads, and little memory.
    constexpr std::size_t cells_at_once = std::size_t{1} << 19;
    const std::size_t rows_at_once =
        (std::max)(cells_at_once / (std::max)(t.columns().size(), std::size_t{1}), std::size_t{64});
    const std::size_t blocks = (t.rows() + rows_at_once - 1) / rows_at_once;
    const parallel_options threads{.threads = options.threads};
    std::vector<csv_text> texts(static_cast<std::size_t>(parts_for(static_cast<index_t>(blocks), threads)));
    for (csv_text& text : texts) text.begin(t, options.delimiter);
    std::mutex one_taker;
    std::condition_variable taken;
    index_t next = 0;  // block to be taken; blocks are made in this order, so the one that is waited for is being made
    bool failed = false;
    parallel_tasks(static_cast<index_t>(blocks), threads, [&](index_t block, int part) {
        try {
            csv_text& text = texts[static_cast<std::size_t>(part)];
            const std::size_t row = static_cast<std::size_t>(block) * rows_at_once;
            text.put_rows(row, (std::min)(row + rows_at_once, t.rows()));
            std::unique_lock turn(one_taker);
            taken.wait(turn, [&] { return next == block || failed; });
            if (failed) return;
            take(text.view());
            ++next;
        } catch (...) {
            const std::lock_guard turn(one_taker);
            failed = true;
            taken.notify_all();
            throw;
        }
        taken.notify_all();
    });
}

}  // namespace detail

inline std::string to_csv(const table& t, const csv_write_options& options) {
    detail::check_csv_delimiter(options.delimiter);
    std::string all = options.header ? detail::csv_header(t, options.delimiter) : std::string();
    detail::write_csv_rows(t, options, [&](std::string_view text) { all += text; });
    return all;
}

inline void csv_writer::write(const table& t) {
    if (begun_ && !std::equal(names_.begin(), names_.end(), t.names().begin(), t.names().end()))
        throw argument_error(message(file_.path().string(), ": a table with other columns than the first"));
    if (!is_whole_) throw io_error(message(file_.path().string(), ": it is closed, or an earlier write failed"));
    is_whole_ = false;
    if (!std::exchange(begun_, true)) {
        names_.assign(t.names().begin(), t.names().end());
        if (options_.header) file_.write(detail::csv_header(t, options_.delimiter));
    }
    detail::write_csv_rows(t, options_, [&](std::string_view text) { file_.write(text); });
    rows_ += t.rows();
    is_whole_ = true;
}

}  // namespace edge::frame
