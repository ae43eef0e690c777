// SPDX-License-Identifier: MIT
#pragma once

/// @file Tables to Parquet files, which appear under their name when they are complete.
///
///     write_parquet("imu.parquet", samples, {.codec = codec::zstd});
///     parquet_writer file("long.parquet");                  // more than fits memory: a row group a write
///     while (next(samples)) file.write(samples);
///     file.close();
///
/// What is written: statistics a column and row group, a checksum a page, timestamps in nanoseconds, strings as UTF-8 (as
/// plain bytes where some are not). It opens in DuckDB with the same values, bit for bit; a test says so.

#include <edge/core/file.hpp>
#include <edge/core/parallel.hpp>
#include <edge/core/version.hpp>
#include <edge/frame/parquet/chunk_writer.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

struct parquet_options {
    std::optional<frame::codec> codec = {};  ///< none given: Snappy where the program has it, else none
    int zstd_level = 3;
    std::size_t row_group_rows = 131'072;           ///< at most; readers work on row groups in parallel
    std::size_t page_bytes = std::size_t{1} << 20;  ///< of values, about
    bool dictionary = true;                         ///< where it makes a column smaller
    int threads = 0;                                ///< 0: the process default
    bool mark_utc = false;  ///< timestamps as instants in UTC, of which DuckDB keeps microseconds only; else unmarked
};

/// A file that grows by row groups.
class parquet_writer {
public:
    /// @throws io_error           if the folder cannot be written to
    /// @throws argument_error     if an option is out of its range
    /// @throws unsupported_error  if the program was compiled without the codec
    explicit parquet_writer(const std::filesystem::path& path, const parquet_options& options = {})
        : options_(options),
          codec_(options.codec.value_or(is_available(codec::snappy) ? codec::snappy : codec::none)),
          file_(path) {
        if (!is_available(codec_))
            throw unsupported_error(message("codec ", to_string(codec_), ": this program was compiled without it"));
        if (options.row_group_rows == 0 || options.page_bytes == 0 || options.page_bytes > (std::size_t{1} << 28))
            throw argument_error(message("row_group_rows ", options.row_group_rows, ", page_bytes ", options.page_bytes,
                                         "; expected 1 or more, and pages of at most 2^28 bytes"));
        file_.write("PAR1");
    }

    /// Rows written so far.
    [[nodiscard]] std::uint64_t rows() const noexcept { return static_cast<std::uint64_t>(rows_); }

    /// Appends the rows, as one row group or more. The first table says which columns the file has.
    /// @throws argument_error  if there is no column, or the names and kinds are not those of the first table
    /// @throws io_error        if the device is full or fails; the file cannot be completed then
    void write(const table& rows) {
        check(rows);
        is_whole_ = false;
        for (std::size_t first = 0; first < rows.rows(); first += options_.row_group_rows)
            write_group(rows.slice(first, (std::min)(options_.row_group_rows, rows.rows() - first)));
        is_whole_ = true;
    }

    /// Writes the footer, syncs, and gives the file its name. Without it, nothing appears.
    /// @throws argument_error  if no table was written
    /// @throws io_error        if the device is full or fails, or did before
    void close() {
        if (schema_.empty()) throw argument_error(message(file_.path().string(), ": a Parquet file without columns"));
        if (!is_whole_) throw io_error(message(file_.path().string(), ": it is closed, or an earlier write failed"));
        is_whole_ = false;
        const std::uint64_t start = file_.bytes_written();
        write_footer();
        const auto length = static_cast<std::uint32_t>(file_.bytes_written() - start);
        file_.write(std::as_bytes(std::span(&length, 1)));
        file_.write("PAR1");
        file_.commit();
    }

private:
    struct written_column {
        std::string name;
        frame::kind kind;
        bool is_text = true;  ///< all strings so far are UTF-8
    };

    void check(const table& rows) {
        const std::string where = file_.path().string();
        if (schema_.empty()) {
            if (rows.names().empty()) throw argument_error(message(where, ": a Parquet file without columns"));
            for (std::size_t c = 0; c < rows.names().size(); ++c)
                schema_.push_back({rows.names()[c], rows.columns()[c].kind(), true});
        }
        if (rows.names().size() != schema_.size())
            throw argument_error(
                message(where, ": table of ", rows.names().size(), " columns; expected ", schema_.size()));
        for (std::size_t c = 0; c < schema_.size(); ++c)
            if (rows.names()[c] != schema_[c].name || rows.columns()[c].kind() != schema_[c].kind)
                throw argument_error(message(where, ": column ", c, " is '", rows.names()[c], "' of ",
                                             to_string(rows.columns()[c].kind()), "; expected '", schema_[c].name,
                                             "' of ", to_string(schema_[c].kind)));
    }

    void write_group(const table& rows) {
        parquet::row_group group;
        group.rows = static_cast<std::int64_t>(rows.rows());
        group.columns.resize(schema_.size());
        packed_.resize(schema_.size());
        const auto tasks = static_cast<index_t>(schema_.size());
        const parallel_options threads{.threads = options_.threads};
        for (auto parts = static_cast<std::size_t>(parts_for(tasks, threads)); writers_.size() < parts;)
            writers_.emplace_back(codec_, options_.zstd_level, options_.dictionary, options_.page_bytes);
        parallel_tasks(tasks, threads, [&](index_t task, int part) {
            const auto c = static_cast<std::size_t>(task);
            const column& values = rows.columns()[c];
            if (values.kind() == kind::string && schema_[c].is_text) schema_[c].is_text = is_text(values);
            packed_[c].clear();
            group.columns[c] = writers_[static_cast<std::size_t>(part)].write(values, schema_[c].name, packed_[c]);
        });
        for (std::size_t c = 0; c < schema_.size(); ++c) {
            parquet::column_chunk& chunk = group.columns[c];
            const auto begin = static_cast<std::int64_t>(file_.bytes_written());
            if (chunk.data_page_offset != 0) chunk.dictionary_page_offset = begin;  // what else would come before
            chunk.data_page_offset += begin;
            group.bytes += chunk.uncompressed_bytes;
            file_.write(packed_[c]);
        }
        groups_.push_back(std::move(group));
        rows_ += static_cast<std::int64_t>(rows.rows());
    }

    [[nodiscard]] static bool is_text(const column& values) noexcept {
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!parquet::is_utf8(values.text(i))) return false;
        return true;
    }

    void write_footer() {
        using parquet::thrift_type;
        parquet::thrift_writer out;
        out.structure([&] {
            out.i32(1, 2);                                         // version
            std::vector<const written_column*> elements{nullptr};  // the root, then a leaf a column
            for (const auto& c : schema_) elements.push_back(&c);
            out.list(2, thrift_type::structure, elements, [&](const written_column* c) {
                out.structure([&] { c == nullptr ? write_root(out) : write_leaf(out, *c); });
            });
            out.i64(3, rows_);
            out.list(4, thrift_type::structure, groups_, [&](const parquet::row_group& g) {
                out.structure([&] {
                    out.list(1, thrift_type::structure, g.columns, [&](const parquet::column_chunk& c) {
                        out.structure([&] {
                            out.i64(2, 0);  // file offset: deprecated, written as 0
                            out.structure(3, [&] { write_chunk(out, c); });
                        });
                    });
                    out.i64(2, g.bytes);
                    out.i64(3, g.rows);
                });
            });
            out.binary(6, message("edge version ", version, " (build header-only)"));
            // Every column in the order of its type: without it, readers ignore the bounds.
            out.list(7, thrift_type::structure, schema_,
                     [&](const written_column&) { out.structure([&] { out.structure(1, [] {}); }); });
        });
        file_.write(out.bytes());
    }

    void write_root(parquet::thrift_writer& out) const {
        out.binary(4, "schema");
        out.i32(5, static_cast<std::int32_t>(schema_.size()));
    }

    void write_leaf(parquet::thrift_writer& out, const written_column& c) const {
        out.i32(1, static_cast<std::int32_t>(parquet::physical_of(c.kind)));
        out.i32(3, static_cast<std::int32_t>(parquet::repetition::optional));
        out.binary(4, c.name);
        if (c.kind == kind::string && c.is_text) {
            out.i32(6, 0);  // UTF8, for readers older than logical types
            out.structure(10, [&] { out.structure(1, [] {}); });
        } else if (c.kind == kind::date) {
            out.i32(6, 6);
            out.structure(10, [&] { out.structure(6, [] {}); });
        } else if (is_integer(c.kind) && c.kind != kind::int32 && c.kind != kind::int64) {
            const bool is_signed = !is_unsigned(c.kind);
            const auto width = static_cast<std::int8_t>(8 * value_bytes(c.kind));
            out.i32(6, (is_signed ? 15 : 11) + (width == 8 ? 0 : width == 16 ? 1 : width == 32 ? 2 : 3));
            out.structure(10, [&] {
                out.structure(10, [&] {
                    out.i8(1, width);
                    out.boolean(2, is_signed);
                });
            });
        } else if (c.kind == kind::timestamp) {
            out.structure(10, [&] {
                out.structure(8, [&] {
                    out.boolean(1, options_.mark_utc);
                    out.structure(2, [&] { out.structure(3, [] {}); });  // nanoseconds
                });
            });
        }
    }

    static void write_chunk(parquet::thrift_writer& out, const parquet::column_chunk& c) {
        out.i32(1, static_cast<std::int32_t>(c.type));
        out.list(2, parquet::thrift_type::i32, c.encodings,
                 [&](parquet::encoding e) { out.element(static_cast<std::int32_t>(e)); });
        out.list(3, parquet::thrift_type::binary, c.path,
                 [&](const std::string& name) { out.element(std::string_view(name)); });
        out.i32(4, c.codec);
        out.i64(5, c.values);
        out.i64(6, c.uncompressed_bytes);
        out.i64(7, c.compressed_bytes);
        out.i64(9, c.data_page_offset);
        if (c.dictionary_page_offset != 0) out.i64(11, c.dictionary_page_offset);
        out.structure(12, [&] {
            if (c.statistics.null_count) out.i64(3, *c.statistics.null_count);
            if (c.statistics.max) out.binary(5, *c.statistics.max);
            if (c.statistics.min) out.binary(6, *c.statistics.min);
        });
    }

    parquet_options options_;
    frame::codec codec_;
    output_file file_;
    std::vector<parquet::chunk_writer> writers_;  ///< one for each thread that has written
    std::vector<std::vector<std::byte>> packed_;  ///< a column each, kept for their memory
    std::vector<written_column> schema_;
    std::vector<parquet::row_group> groups_;
    std::int64_t rows_ = 0;
    bool is_whole_ = true;
};

/// Writes a table as one file, atomically.
/// @throws as `parquet_writer`; a file that was there before is then untouched
inline void write_parquet(const std::filesystem::path& path, const table& rows, const parquet_options& options = {}) {
    parquet_writer file(path, options);
    file.write(rows);
    file.close();
}

}  // namespace edge::frame
