// SPDX-License-Identifier: MIT
#pragma once

/// @file Parquet files to tables.
///
///     const table t = read_parquet("imu");                         // every file of the folder, one after the other
///     const table ax = read_parquet("imu/*.parquet", {.columns = {"ts", "ax"}});
///     parquet_reader file("a.parquet");                            // row group by row group, in little memory
///     for (std::size_t g = 0; g < file.row_groups(); ++g) use(file.read_row_group(g));
///
/// Columns are read at the same time, on as many threads as there are.
///
/// Nothing in a file is trusted: sizes are checked against the bytes that are there before memory is asked for, and
/// what a file can claim in a few bytes (a page of 2^31 equal values) has a limit. An error says which file, column,
/// row group and page.

#include <edge/core/parallel.hpp>
#include <edge/frame/parquet/pages.hpp>
#include <edge/frame/paths.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

struct parquet_read_options {
    std::vector<std::string> columns = {};  ///< these, in this order; empty: all
    bool null_out_of_range = false;         ///< read times before 1677 or after 2262 as missing; else they are refused
    bool dictionary = false;                ///< strings as codes into a dictionary, where few are different
    bool verify_checksums = true;           ///< of pages that have one
    std::size_t max_page_bytes = std::size_t{256} << 20;  ///< of one page, uncompressed
    std::uint64_t max_bytes = 0;  ///< of the values of one file; 0: 256 MiB and 1000 times the size of the file
    int threads = 0;              ///< 0: the process default
};

/// One file. One call at a time.
class parquet_reader {
public:
    /// @throws io_error           if it cannot be read
    /// @throws parse_error        if its footer is not Parquet's
    /// @throws unsupported_error  if it is encrypted, or a column that is asked for is nested
    /// @throws argument_error     if a column that is asked for is not there
    explicit parquet_reader(const std::filesystem::path& path, parquet_read_options options = {})
        : parquet_reader(parquet::byte_source(path), std::move(options)) {}

    /// A file in memory, which must outlive this. `name` is for messages.
    parquet_reader(std::span<const std::byte> bytes, std::string name, parquet_read_options options = {})
        : parquet_reader(parquet::byte_source(bytes, std::move(name)), std::move(options)) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t row_groups() const noexcept { return metadata_.row_groups.size(); }
    [[nodiscard]] const parquet::file_metadata& metadata() const noexcept { return metadata_; }

    /// The columns that are read, in order.
    [[nodiscard]] std::vector<std::pair<std::string, kind>> schema() const {
        std::vector<std::pair<std::string, kind>> all;
        for (const std::size_t i : chosen_) all.emplace_back(fields_[i].name, fields_[i].kind);
        return all;
    }

    /// @throws parse_error, unsupported_error, io_error  as the bytes deserve
    /// @throws argument_error  if there is no such row group, or a column that is asked for is not there
    [[nodiscard]] table read_row_group(std::size_t group, const std::vector<std::string>& columns = {}) {
        return read_row_groups(group, group + 1, columns);
    }

    /// Row groups [first, last), one after the other: fewer and larger pieces of a file that does not fit in memory.
    /// @throws as `read_row_group`
    [[nodiscard]] table read_row_groups(std::size_t first, std::size_t last,
                                        const std::vector<std::string>& columns = {}) {
        if (first >= last || last > row_groups())
            throw argument_error(
                message(source_.name(), ": row groups ", first, " to ", last, ", end excluded, of ", row_groups()));
        return read_groups(first, last, columns.empty() ? chosen_ : choose(columns));
    }

    /// One past the last of the row groups from `first` on that have `rows` rows together, or of all that are left.
    [[nodiscard]] std::size_t row_groups_with(std::size_t first, std::uint64_t rows) const noexcept {
        std::uint64_t have = 0;
        std::size_t last = first;
        while (last < row_groups() && (last == first || have < rows)) {
            const auto more =
                static_cast<std::uint64_t>((std::max)(metadata_.row_groups[last++].rows, std::int64_t{0}));
            have = more > rows ? rows : have + more;
        }
        return last;
    }

    /// All row groups.
    /// @throws as `read_row_group`
    [[nodiscard]] table read() { return read_groups(0, row_groups(), chosen_); }

    /// Appends all row groups to columns that are there already, one for each of `schema`.
    void append_to(std::span<parquet::column_sink> sinks) { append_groups(0, row_groups(), chosen_, sinks); }

private:
    struct worker {
        parquet::byte_source source;
        parquet::decompressor unpack;
    };

    parquet_reader(parquet::byte_source source, parquet_read_options options)
        : source_(std::move(source)), options_(std::move(options)) {
        limits_ = {options_.max_page_bytes, options_.verify_checksums, options_.null_out_of_range};
        parquet::located([&] { return source_.name(); }, [&] { read_footer(); });
        chosen_ = choose(options_.columns);
    }

    void read_footer() {
        const std::uint64_t size = source_.size();
        const auto magic = [&](std::uint64_t at) {
            const auto bytes = source_.at(at, 4);
            return std::string(reinterpret_cast<const char*>(bytes.data()), 4);
        };
        if (size < 12) throw parse_error(message("of ", size, " bytes is not a Parquet file"));
        const std::string last = magic(size - 4);
        if (last == "PARE") throw unsupported_error("its footer is encrypted");
        if (last != "PAR1" || magic(0) != "PAR1")
            throw parse_error("not a Parquet file, or cut short: it does not begin and end with PAR1");
        std::uint32_t length = 0;
        std::memcpy(&length, source_.at(size - 8, 4).data(), 4);
        if (length > size - 12) throw parse_error(message("footer of ", length, " bytes in a file of ", size));
        end_ = size - 8 - length;
        parquet::located([&] { return message("footer at byte ", end_); },
                         [&] {
                             metadata_ = parquet::read_metadata(source_.at(end_, length));
                             fields_ = parquet::fields_of(metadata_);
                         });
        for (std::size_t g = 0; g < metadata_.row_groups.size(); ++g) {
            const auto rows = static_cast<std::uint64_t>(metadata_.row_groups[g].rows);
            if (rows > static_cast<std::uint64_t>(PTRDIFF_MAX) - rows_)
                throw parse_error(message("row group ", g, " of ", rows, " rows"));
            rows_ += rows;
        }
    }

    /// Places of these columns among the fields; of all where none is named.
    [[nodiscard]] std::vector<std::size_t> choose(const std::vector<std::string>& names) const {
        std::vector<std::size_t> places;
        for (std::size_t i = 0; names.empty() && i < fields_.size(); ++i) places.push_back(i);
        for (const std::string& name : names) {
            const auto it = std::find_if(fields_.begin(), fields_.end(), [&](const auto& f) { return f.name == name; });
            if (it == fields_.end()) {
                std::string known;
                for (const auto& f : fields_) known += (known.empty() ? "" : ", ") + f.name;
                throw argument_error(
                    message(source_.name(), ": no column '", name, "'; there are: ", known.empty() ? "none" : known));
            }
            places.push_back(static_cast<std::size_t>(it - fields_.begin()));
        }
        for (const std::size_t i : places)
            if (!fields_[i].problem.empty())
                throw unsupported_error(
                    message(source_.name(), ": column '", fields_[i].name, "': ", fields_[i].problem));
        return places;
    }

    [[nodiscard]] parquet::byte_budget new_budget() const {
        const std::uint64_t size = (std::min)(source_.size(), ~std::uint64_t{0} / 2000);
        return parquet::byte_budget(options_.max_bytes != 0 ? options_.max_bytes
                                                            : (std::uint64_t{256} << 20) + 1000 * size);
    }

    [[nodiscard]] table read_groups(std::size_t first, std::size_t last, const std::vector<std::size_t>& columns) {
        std::vector<parquet::column_sink> sinks;
        for (const std::size_t c : columns) sinks.emplace_back(fields_[c].kind, options_.dictionary);
        append_groups(first, last, columns, sinks);
        table result;
        for (std::size_t i = 0; i < columns.size(); ++i) result.add(fields_[columns[i]].name, sinks[i].finish());
        return result;
    }

    /// Rows of these groups, as far as the bytes of the file make them likely: what a footer says is only a hint.
    [[nodiscard]] std::size_t expected_rows(const parquet::field& f, std::size_t first, std::size_t last) const {
        std::uint64_t rows = 0;
        for (std::size_t g = first; g < last; ++g) {
            const parquet::row_group& group = metadata_.row_groups[g];
            if (f.leaf >= group.columns.size() || group.columns[f.leaf].compressed_bytes < 0) continue;
            const auto bytes = (std::min)(static_cast<std::uint64_t>(group.columns[f.leaf].compressed_bytes), end_);
            rows += (std::min)(static_cast<std::uint64_t>(group.rows), 8 * bytes);
        }
        return static_cast<std::size_t>((std::min)(rows, 8 * end_));
    }

    /// A column of some row groups: a task of its own. Numbers go straight to their place in the column's array; strings
    /// are read apart, as nobody knows yet where theirs is.
    struct piece {
        std::size_t column;
        std::size_t first;
        std::size_t last;
        std::optional<parquet::column_sink> part = {};
        bool is_in_place = false;
        bool is_read = false;
    };

    /// Of a column of strings: who appends its pieces, one after the other in their order, whoever has read them.
    struct queue {
        std::mutex mutex;
        std::size_t next = 0;  ///< piece, and the one past the last
        std::size_t end = 0;
        bool is_used = false;
        bool is_served = false;             ///< somebody is appending
        std::atomic<bool> is_plain{false};  ///< there is no use, or no more, in making codes
    };

    /// Cuts a column into pieces: numbers into `count` of about as many row groups, if the rows of each are known;
    /// strings into row groups, so that what becomes codes is the same on any number of threads. Strings that are codes in
    /// the file are not cut: reading them takes less than a part of their own would.
    void cut(std::size_t column, const parquet::field& f, std::size_t first, std::size_t last, std::size_t count,
             parquet::column_sink& to, std::vector<piece>& pieces, queue& strings) const {
        std::uint64_t rows = 0;
        for (std::size_t g = first; g < last; ++g) rows += static_cast<std::uint64_t>(metadata_.row_groups[g].rows);
        if (f.kind == kind::string && (count > 1 || to.words) && !are_codes(f, first, last)) {
            strings.next = pieces.size();
            for (std::size_t g = first; g < last; ++g) pieces.push_back({column, g, g + 1});
            strings.end = pieces.size();
            strings.is_used = strings.end - strings.next > 1;
            strings.is_plain = !to.words;
            if (strings.is_used) to.reserve(expected_rows(f, first, last));
            return;
        }
        if (count < 2 || f.kind == kind::string || f.kind == kind::boolean || rows != expected_rows(f, first, last)) {
            pieces.push_back({column, first, last});
            return;
        }
        const std::size_t bytes = to.row_bytes();
        auto* at = to.values.extend<std::byte>(static_cast<std::size_t>(rows) * bytes);
        for (std::size_t p = 0; p < count; ++p) {
            const auto [begin, end] =
                partition(static_cast<index_t>(last - first), static_cast<int>(count), static_cast<int>(p));
            piece& next = pieces.emplace_back(
                piece{column, first + static_cast<std::size_t>(begin), first + static_cast<std::size_t>(end)});
            std::size_t here = 0;
            for (std::size_t g = next.first; g < next.last; ++g)
                here += static_cast<std::size_t>(metadata_.row_groups[g].rows);
            next.is_in_place = true;
            next.part.emplace(f.kind);
            next.part->reserved = here;
            next.part->values = growing_values(at, here * bytes);
            at += here * bytes;
        }
    }

    /// Whether the file takes so few bytes for each row of a column that what lies there can only be codes.
    [[nodiscard]] bool are_codes(const parquet::field& f, std::size_t first, std::size_t last) const {
        return std::all_of(metadata_.row_groups.begin() + static_cast<std::ptrdiff_t>(first),
                           metadata_.row_groups.begin() + static_cast<std::ptrdiff_t>(last),
                           [&](const parquet::row_group& group) {
                               return f.leaf < group.columns.size() &&
                                      group.columns[f.leaf].uncompressed_bytes / 2 < group.columns[f.leaf].values;
                           });
    }

    void append_groups(std::size_t first, std::size_t last, const std::vector<std::size_t>& columns,
                       std::span<parquet::column_sink> sinks) {
        parquet::byte_budget budget = new_budget();
        const parallel_options threads{.threads = options_.threads};
        const auto count = static_cast<std::size_t>(parts_for(static_cast<index_t>(last - first), threads));
        std::vector<piece> pieces;
        std::vector<queue> queues(columns.size());
        for (std::size_t i = 0; i < columns.size(); ++i)
            cut(i, fields_[columns[i]], first, last, count, sinks[i], pieces, queues[i]);
        const auto tasks = static_cast<index_t>(pieces.size());
        for (auto parts = static_cast<std::size_t>(parts_for(tasks, threads)); workers_.size() < parts;)
            workers_.push_back({source_, {}});
        parallel_tasks(tasks, threads, [&](index_t task, int thread) {
            piece& p = pieces[static_cast<std::size_t>(task)];
            const parquet::field& f = fields_[columns[p.column]];
            parquet::column_sink& to = sinks[p.column];
            queue& strings = queues[p.column];
            if (strings.is_used) {
                p.part.emplace(f.kind, !strings.is_plain);
                p.part->takes_stored = true;
            }
            append_column(f, p.first, p.last, budget, workers_[static_cast<std::size_t>(thread)],
                          p.part ? *p.part : to);
            if (!strings.is_used) return;
            if (!p.part->words) strings.is_plain = true;
            append_read(strings, pieces, p, f, to, budget);
        });
        for (piece& p : pieces) {
            if (!p.is_in_place) continue;
            parquet::column_sink& to = sinks[p.column];
            to.validity.append(p.part->validity.view());
            to.rows += p.part->rows;
            to.has_out_of_range = to.has_out_of_range || p.part->has_out_of_range;
        }
    }

    /// A piece of strings was read: those whose turn it is are appended, unless somebody is at it.
    void append_read(queue& strings, std::vector<piece>& pieces, piece& read, const parquet::field& f,
                     parquet::column_sink& to, parquet::byte_budget& budget) {
        std::unique_lock hold(strings.mutex);
        read.is_read = true;
        if (std::exchange(strings.is_served, true)) return;
        for (; strings.next < strings.end && pieces[strings.next].is_read; ++strings.next) {
            piece& p = pieces[strings.next];
            hold.unlock();
            parquet::located([&] { return where(f, p.first); },
                             [&] {
                                 if (to.rows == 0 && p.part->rows != 0 && !p.part->words) {
                                     const std::uint64_t each = p.part->text.size() / p.part->rows + 1;
                                     const std::uint64_t rows = to.reserved;
                                     to.text.reserve(static_cast<std::size_t>((std::min)(each, 8 * end_ / (rows + 1)) *
                                                                              rows));  // a guess, within limits
                                 }
                                 to.append(std::move(*p.part), budget);
                             });
            p.part.reset();
            hold.lock();
        }
        strings.is_served = false;
    }

    void append_column(const parquet::field& f, std::size_t first, std::size_t last, parquet::byte_budget& budget,
                       worker& by, parquet::column_sink& to) {
        to.reserve(expected_rows(f, first, last));
        for (std::size_t g = first; g < last; ++g) {
            parquet::located([&] { return where(f, g); },
                             [&] {
                                 const parquet::row_group& group = metadata_.row_groups[g];
                                 if (f.leaf >= group.columns.size())
                                     throw parse_error(message("it has ", group.columns.size(), " columns"));
                                 parquet::chunk_reader(by.source, end_, f, budget, limits_, by.unpack)
                                     .read(group.columns[f.leaf], static_cast<std::uint64_t>(group.rows), to);
                             });
        }
    }

    [[nodiscard]] std::string where(const parquet::field& f, std::size_t group) const {
        return message(source_.name(), ": column '", f.name, "', row group ", group);
    }

    parquet::byte_source source_;
    parquet_read_options options_;
    parquet::page_limits limits_;
    std::vector<worker> workers_;  ///< one for each thread that has read
    parquet::file_metadata metadata_;
    std::vector<parquet::field> fields_;
    std::vector<std::size_t> chosen_;
    std::uint64_t end_ = 0;  ///< of the pages: where the footer begins
    std::uint64_t rows_ = 0;
};

/// Every row of a file, of the files of a folder, or of those that match a pattern, in the order of their names.
///
/// The first file says which columns there are; the others must have them too, of the same kinds, in any order.
/// @throws io_error           if there is no such file, or it cannot be read
/// @throws parse_error        if the bytes are not Parquet
/// @throws unsupported_error  for what is not read: nested columns, encryption, other codecs
/// @throws argument_error     if a column is not there, or of another kind than in the first file
[[nodiscard]] inline table read_parquet(const std::filesystem::path& input, parquet_read_options options = {}) {
    std::vector<std::pair<std::string, kind>> schema;
    std::vector<parquet::column_sink> sinks;
    bool is_first = true;
    for (const auto& path : input_paths(input, ".parquet")) {
        parquet_reader file(path, options);
        if (std::exchange(is_first, false)) {
            schema = file.schema();
            options.columns.clear();
            for (const auto& [name, kind] : schema) {
                sinks.emplace_back(kind, options.dictionary);
                options.columns.push_back(name);
            }
        } else {
            const auto other = file.schema();
            for (std::size_t c = 0; c < schema.size(); ++c)
                if (other[c].second != schema[c].second)
                    throw argument_error(message(path.string(), ": column '", schema[c].first, "' is of ",
                                                 to_string(other[c].second), "; expected ", to_string(schema[c].second),
                                                 " as in the first file"));
        }
        file.append_to(sinks);
    }
    table result;
    for (std::size_t c = 0; c < sinks.size(); ++c) result.add(schema[c].first, sinks[c].finish());
    return result;
}

}  // namespace edge::frame
