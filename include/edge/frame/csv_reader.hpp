// SPDX-License-Identifier: MIT
#pragma once

/// @file Reading CSV that fits in memory.
///
///     table t = read_csv("imu.csv");                                  // kinds are found out from all rows
///     table u = read_csv("imu.csv", {.kinds = {{"ax", kind::float32}}, .columns = {"ts", "ax"}});
///
/// Kinds are tried in the order int64, uint64, float64, boolean, date, timestamp, string; the first that fits every cell
/// is taken. An empty cell is a missing value; an empty text is written "". Dates and timestamps together are timestamps.
/// The file is mapped, not copied, and read on all threads: the columns are the same for any number of them.

#include <edge/core/mapped_file.hpp>
#include <edge/frame/csv_options.hpp>
#include <edge/frame/detail/csv_parse.hpp>
#include <edge/frame/table.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

/// @param text  UTF-8, with or without a byte order mark
/// @param name  of the source, for messages
/// @throws parse_error     if it is not CSV, a row has more or fewer cells than the first (but see `ragged`), or a cell
/// is not of the kind given
/// @throws argument_error  if an option names a column that is not there, or a character that cannot be what it says
[[nodiscard]] table parse_csv(std::string_view text, std::string_view name = "csv", const csv_options& options = {});

/// @throws io_error        if the file cannot be read
/// @throws parse_error, argument_error  as `parse_csv`
[[nodiscard]] inline table read_csv(const std::filesystem::path& path, const csv_options& options = {}) {
    const mapped_file file(path);
    const auto bytes = file.bytes();
    return parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), options);
}

namespace detail {

/// What stands before the rows.
struct csv_start {
    std::vector<std::string> names;
    csv_place place;        ///< of what follows
    std::size_t bytes = 0;  ///< of the text that were read
};

/// Reads what is before the first row of values.
/// @param text  from the beginning
inline csv_start read_csv_start(std::string_view text, std::string_view name, const csv_options& options) {
    check_csv(options);
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
        throw parse_error(message(name, ": begins as UTF-16; expected UTF-8"));
    const std::size_t mark = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    csv_scanner scan(text.substr(mark), options, {name, 0, 0, 0});
    scan.skip_lines(options.skip_lines);
    csv_scanner names = scan;
    if (!names.next_row()) throw parse_error(message(name, ": is empty; expected a row of column names"));
    csv_start start{csv_names(names, options.header), {name, 0, 0, 0}, 0};
    const csv_scanner& end = options.header ? names : scan;
    start.bytes = mark + end.position();
    start.place = {name, end.rows(), end.lines(), start.bytes};
    if (const std::size_t bad = valid_utf8(text.substr(0, start.bytes)); bad != start.bytes)
        throw parse_error(message(name, ": byte ", bad, " is not UTF-8"));
    return start;
}

/// The first `rows` rows of a text, not counting those that are left out because they have not `cells` cells.
inline std::string_view first_rows(std::string_view text, const csv_options& options, std::size_t rows,
                                   std::size_t cells) {
    csv_scanner scan(text, options, {});
    try {
        while (rows != 0 && scan.next_row()) {
            std::size_t count = 0;
            for (; scan.more(); ++count) (void)scan.next();
            rows -= count == cells || options.ragged != ragged_rows::skip;
        }
    } catch (const parse_error&) {
        return text;  // will be refused with its place
    }
    return text.substr(0, scan.position());
}

inline table parse_csv_in_pieces(std::string_view text, std::string_view name, const csv_options& options,
                                 std::size_t piece_bytes) {
    const csv_start start = read_csv_start(text, name, options);
    csv_schema schema = csv_schema_of(start.names, name, options);
    text.remove_prefix(start.bytes);
    if (options.max_rows != (std::numeric_limits<std::size_t>::max)())
        text = first_rows(text, options, options.max_rows, schema.cells);
    csv_rows read = parse_rows(text, start.place, schema, options, true, piece_bytes);
    if (options.report != nullptr) *options.report = {read.rows, read.skipped};
    std::vector<std::string> names;
    for (const csv_column& c : schema.columns) names.push_back(c.name());
    return table(std::move(names), std::move(read.columns));
}

}  // namespace detail

inline table parse_csv(std::string_view text, std::string_view name, const csv_options& options) {
    return detail::parse_csv_in_pieces(text, name, options, detail::csv_piece_bytes);
}

}  // namespace edge::frame
