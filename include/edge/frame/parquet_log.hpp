// SPDX-License-Identifier: MIT
#pragma once

/// @file Logging to a folder of Parquet files, of which each is complete when it appears.
///
///     parquet_log log("imu", {.columns = {{"ts", kind::timestamp}, {"ax", kind::float32}}, .rotate_seconds = 10});
///     while (sample(s)) log.append_row(s.ts, s.ax);          // or log.append(table), and no columns said
///     log.close();                                           // writes the rows that do not fill a file yet
///
/// Files are named 00000001.parquet and so on; a log that starts again in the same folder goes on after the last one.
/// Losing power or being killed loses the rows that are not in a file yet, and nothing else: a file is synced and then
/// named. `read_parquet("imu")` reads them all; so does DuckDB with 'imu/*.parquet', even while more are written.

#include <edge/frame/parquet/writer.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame {

struct parquet_log_options {
    std::vector<std::pair<std::string, frame::kind>> columns = {};  ///< none: those of the first table appended
    std::size_t rotate_rows = 100'000;                              ///< a file has at most so many rows
    double rotate_seconds = 0;       ///< and spans less than this, by its time column; 0: only rows count
    std::string time_column = "ts";  ///< a timestamp
    parquet_options file = {};
};

/// Rows that arrive over time, written a file at a time. Memory: the rows of one file.
///
/// A call that throws has taken none of the rows it was given, and lost none of those before: when the device is full
/// the file that could not be written stays in memory, and the next call tries again before it takes more.
class parquet_log {
public:
    /// Makes the folder if it is not there.
    /// @throws argument_error  if two columns have one name, or an option is out of its range
    /// @throws io_error        if the folder cannot be made or listed
    explicit parquet_log(std::filesystem::path folder, parquet_log_options options = {});

    parquet_log(const parquet_log&) = delete;
    parquet_log& operator=(const parquet_log&) = delete;

    /// Closes if it can. To know that it did, call `close` before.
    ~parquet_log() {
        try {
            if (!is_closed_) flush();
        } catch (const std::exception&) {  // a destructor has no way to say so
        }
    }

    /// One row: a value a column, of the type that its kind stores (int64_t for a timestamp; text for a string). NaN is
    /// a value; for a missing one, append a table. Amortized O(1), without an allocation but when the arrays grow.
    /// @throws argument_error  if the values do not fit the columns
    /// @throws io_error        if an earlier file could not be written, and still cannot
    template <class... Values>
    void append_row(const Values&... values);

    /// All rows of a table with the same columns, in the same order.
    /// @throws argument_error  if it has others
    /// @throws io_error        if an earlier file could not be written, and still cannot
    void append(const table& rows);

    /// Writes the rows that are not in a file yet as one.
    /// @throws io_error  if the device is full or fails; the rows are then still there
    void flush() {
        if (is_closed_) return;
        make_room();
        seal();
        write_full();
    }

    /// Flushes; nothing can be appended afterwards.
    /// @throws io_error  as `flush`; the log is then still open
    void close() {
        flush();
        is_closed_ = true;
    }

    /// The files written since this was last called, in order.
    [[nodiscard]] std::vector<std::filesystem::path> take_completed() {
        std::vector<std::filesystem::path> paths;
        for (const std::uint64_t number : completed_) paths.push_back(path_of(number));
        completed_.clear();
        return paths;
    }

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    [[nodiscard]] std::uint64_t files_written() const noexcept { return files_; }
    [[nodiscard]] std::uint64_t rows_written() const noexcept { return rows_written_; }

    /// Rows that are in memory only.
    [[nodiscard]] std::size_t rows_pending() const noexcept { return pending_rows() + full_.rows(); }

private:
    static constexpr std::size_t no_time = static_cast<std::size_t>(-1);

    [[nodiscard]] std::size_t pending_rows() const noexcept { return columns_.empty() ? 0 : columns_.front().size(); }

    [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const {
        std::string digits = std::to_string(number);
        if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
        return folder_ / (digits + ".parquet");
    }

    void set_columns(std::vector<std::pair<std::string, frame::kind>> columns);

    void take_time(std::int64_t ns) noexcept {
        if (has_begin_) return;
        begin_ = ns;
        has_begin_ = true;
    }
    /// Whether a row of this time belongs to the next file. The difference is unsigned: it may take 64 bits.
    [[nodiscard]] bool is_next(std::int64_t ns) const noexcept {
        return has_begin_ && ns > begin_ &&
               static_cast<std::uint64_t>(ns) - static_cast<std::uint64_t>(begin_) >=
                   static_cast<std::uint64_t>(duration_);
    }

    template <class V>
    void expect(std::size_t c, const V&) const {
        bool fits = false;
        if constexpr (std::is_same_v<V, bool>)
            fits = options_.columns[c].second == kind::boolean;
        else if constexpr (stored<V>)
            fits = is_stored_as<V>(options_.columns[c].second);
        else
            fits = std::is_convertible_v<V, std::string_view> && options_.columns[c].second == kind::string;
        if (!fits)
            throw argument_error(message("column '", options_.columns[c].first, "': the value is not of ",
                                         to_string(options_.columns[c].second)));
    }

    /// Turns the pending rows into the table of the next file.
    void seal() {
        if (full_.rows() != 0 || pending_rows() == 0) return;
        const std::size_t rows = pending_rows();
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            full_.add(options_.columns[c].first, columns_[c].finish());
            columns_[c].reserve((std::min)(rows, options_.rotate_rows));
        }
        has_begin_ = false;
    }

    void write_full();

    /// Writes what an earlier failure left behind, so that fewer rows are pending than fill a file.
    void make_room() {
        if (is_closed_) throw argument_error(message(folder_.string(), ": the log is closed"));
        for (;; seal()) {
            write_full();
            if (pending_rows() < options_.rotate_rows) return;
        }
    }

    /// As `write_full`, for a call that has taken its rows: the next call says what failed.
    void try_write_full() {
        try {
            write_full();
        } catch (const io_error&) {
        }
    }

    std::filesystem::path folder_;
    parquet_log_options options_;
    std::size_t time_ = no_time;  ///< the time column
    std::int64_t duration_ = 0;   ///< of a file, ns
    std::vector<column_builder> columns_;
    std::int64_t begin_ = 0;  ///< time of the first row pending
    bool has_begin_ = false;
    table full_;  ///< a file's rows that could not be written yet
    std::uint64_t number_ = 1;
    std::uint64_t files_ = 0;
    std::vector<std::uint64_t> completed_;
    bool is_closed_ = false;
    std::uint64_t rows_written_ = 0;
};

inline parquet_log::parquet_log(std::filesystem::path folder, parquet_log_options options)
    : folder_(std::move(folder)), options_(std::move(options)) {
    const std::string where = folder_.string();
    if (options_.rotate_rows == 0) throw argument_error(message(where, ": rotate_rows 0; expected 1 or more"));
    if (!(options_.rotate_seconds >= 0) || options_.rotate_seconds > 9e9)
        throw argument_error(message(where, ": rotate_seconds ", options_.rotate_seconds, "; expected 0 to 9e9"));
    duration_ = static_cast<std::int64_t>(std::llround(options_.rotate_seconds * 1e9));
    std::error_code ec;
    std::filesystem::create_directories(folder_, ec);
    if (ec) throw io_error(message(where, ": cannot make the folder: ", ec.message()));
    std::filesystem::directory_iterator it(folder_, ec);
    for (; !ec && it != std::filesystem::directory_iterator(); it.increment(ec)) {
        const std::string name = it->path().stem().string();
        std::uint64_t number = 0;
        const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (bad == std::errc() && end == name.data() + name.size() && it->path().extension() == ".parquet" &&
            number < (std::numeric_limits<std::uint64_t>::max)())
            number_ = (std::max)(number_, number + 1);
    }
    if (ec) throw io_error(message(where, ": cannot list the folder: ", ec.message()));
    if (!options_.columns.empty()) set_columns(std::move(options_.columns));
}

inline void parquet_log::set_columns(std::vector<std::pair<std::string, frame::kind>> columns) {
    const std::string where = folder_.string();
    if (columns.empty()) throw argument_error(message(where, ": a log without columns"));
    std::size_t time = no_time;
    for (std::size_t c = 0; c < columns.size(); ++c) {
        for (std::size_t other = 0; other < c; ++other)
            if (columns[other].first == columns[c].first)
                throw argument_error(message(where, ": two columns '", columns[c].first, "'"));
        if (columns[c].first == options_.time_column && columns[c].second == kind::timestamp) time = c;
    }
    if (duration_ != 0 && time == no_time)
        throw argument_error(message(where, ": rotate_seconds needs a timestamp column '", options_.time_column, "'"));
    if (duration_ != 0) time_ = time;
    for (const auto& [name, kind] : columns) columns_.emplace_back(kind);
    options_.columns = std::move(columns);
}

template <class... Values>
void parquet_log::append_row(const Values&... values) {
    static_assert(
        ((stored<Values> || std::is_same_v<Values, bool> || std::is_convertible_v<Values, std::string_view>)&&...),
        "a row's values are bool, int32_t, int64_t, float, double or text");
    if (sizeof...(values) != options_.columns.size())
        throw argument_error(message("row of ", sizeof...(values), " values; expected ", options_.columns.size()));
    std::size_t c = 0;
    (expect(c++, values), ...);
    make_room();
    c = 0;
    const auto look_at_time = [&](const auto& value) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::int64_t>) {
            if (c == time_) {
                if (is_next(value)) seal();
                take_time(value);
            }
        }
        ++c;
    };
    if (time_ != no_time) (look_at_time(values), ...);
    c = 0;
    const auto take = [&](const auto& value) {
        if constexpr (stored<std::remove_cvref_t<decltype(value)>> ||
                      std::is_same_v<std::remove_cvref_t<decltype(value)>, bool>)
            columns_[c++].append(value);
        else
            columns_[c++].append(std::string_view(value));
    };
    (take(values), ...);
    if (full_.rows() != 0) try_write_full();
    if (pending_rows() >= options_.rotate_rows) {
        seal();
        try_write_full();
    }
}

inline void parquet_log::append(const table& rows) {
    if (columns_.empty()) {
        std::vector<std::pair<std::string, frame::kind>> columns;
        for (std::size_t c = 0; c < rows.names().size(); ++c)
            columns.emplace_back(rows.names()[c], rows.columns()[c].kind());
        set_columns(std::move(columns));
    }
    if (rows.names().size() != options_.columns.size())
        throw argument_error(message("table of ", rows.names().size(), " columns; expected ", options_.columns.size()));
    for (std::size_t c = 0; c < options_.columns.size(); ++c)
        if (rows.names()[c] != options_.columns[c].first || rows.columns()[c].kind() != options_.columns[c].second)
            throw argument_error(message("column ", c, " is '", rows.names()[c], "' of ",
                                         to_string(rows.columns()[c].kind()), "; expected '", options_.columns[c].first,
                                         "' of ", to_string(options_.columns[c].second)));
    make_room();
    for (std::size_t first = 0; first < rows.rows();) {
        // Up to the end of the file, or of the batch while a file waits to be written.
        std::size_t last = rows.rows();
        if (full_.rows() == 0) {
            last = (std::min)(last, first + options_.rotate_rows - pending_rows());
            if (time_ != no_time) {
                const column& times = rows.columns()[time_];
                const auto ns = times.values<std::int64_t>();
                for (std::size_t i = first; i < last; ++i) {
                    if (!times.is_valid(i)) continue;
                    if (is_next(ns[i]))
                        last = i;
                    else
                        take_time(ns[i]);
                }
            }
        }
        for (std::size_t c = 0; c < columns_.size() && last != first; ++c)
            columns_[c].append(rows.columns()[c].slice(first, last - first));
        if (full_.rows() == 0 && (last != rows.rows() || pending_rows() >= options_.rotate_rows)) {
            seal();
            try_write_full();
        }
        first = last;
    }
}

inline void parquet_log::write_full() {
    if (full_.rows() == 0) return;
    std::error_code ec;
    // A name that somebody else took meanwhile is not ours to replace.
    while (std::filesystem::exists(path_of(number_), ec)) ++number_;
    write_parquet(path_of(number_), full_, options_.file);
    completed_.push_back(number_++);
    ++files_;
    rows_written_ += full_.rows();
    full_ = {};
}

}  // namespace edge::frame
