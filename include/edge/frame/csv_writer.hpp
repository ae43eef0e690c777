// SPDX-License-Identifier: MIT
#pragma once

/// @file Writing CSV.
///
///     write_csv("out.csv", t);
///
/// Floats are written in the shortest form that reads back the same, and as floats ("1.0"); an empty string is written
/// as "", which a missing value is not, so both read back as they were.

#include <edge/core/file.hpp>
#include <edge/frame/csv_options.hpp>
#include <edge/frame/table.hpp>
#include <edge/frame/timestamp.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace edge::frame {

/// The whole table as CSV, a line each row, with a header.
[[nodiscard]] std::string to_csv(const table& t, char delimiter = ',');

/// Written whole or not at all.
/// @throws io_error  if it cannot be written
void write_csv(const std::filesystem::path& path, const table& t, char delimiter = ',');

namespace detail {

inline void append_csv_text(std::string& out, std::string_view text, char delimiter) {
    const char special[] = {delimiter, '"', '\n', '\r'};
    const bool mark = text.starts_with("\xEF\xBB\xBF");  // which at the start of a file is no part of the text
    if (!text.empty() && !mark &&
        text.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

template <stored T>
void append_csv_number(std::string& out, T value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text;
    if constexpr (std::is_floating_point_v<T>)  // "1" would read back as an integer, "1.0" does not; "nan" has an n
        if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
}

inline void append_csv_value(std::string& out, const column& c, std::size_t row, char delimiter) {
    switch (c.kind()) {
        case kind::boolean: out += c.boolean(row) ? "true" : "false"; break;
        case kind::timestamp: append_csv_text(out, format_timestamp(c.values<std::int64_t>()[row]), delimiter); break;
        case kind::date: append_csv_text(out, format_date(c.values<std::int32_t>()[row]), delimiter); break;
        case kind::string: append_csv_text(out, c.text(row), delimiter); break;
        default: dispatch_stored(c.kind(), [&]<class T>() { append_csv_number(out, c.values<T>()[row]); });
    }
}

inline void append_csv_header(std::string& out, const table& t, char delimiter) {
    check_csv_delimiter(delimiter);
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        if (c != 0) out += delimiter;
        append_csv_text(out, t.names()[c], delimiter);
    }
    out += '\n';
}

inline void append_csv_rows(std::string& out, const table& t, std::size_t first, std::size_t last, char delimiter) {
    for (std::size_t row = first; row < last; ++row) {
        for (std::size_t c = 0; c < t.columns().size(); ++c) {
            if (c != 0) out += delimiter;
            if (t.columns()[c].is_valid(row))
                append_csv_value(out, t.columns()[c], row, delimiter);
            else if (t.columns().size() == 1)
                out += "\"\"";  // an empty line is no row
        }
        out += '\n';
    }
}

}  // namespace detail

inline std::string to_csv(const table& t, char delimiter) {
    std::string out;
    detail::append_csv_header(out, t, delimiter);
    detail::append_csv_rows(out, t, 0, t.rows(), delimiter);
    return out;
}

inline void write_csv(const std::filesystem::path& path, const table& t, char delimiter) {
    constexpr std::size_t rows_at_once = 4096;
    output_file file(path);
    std::string text;
    detail::append_csv_header(text, t, delimiter);
    for (std::size_t row = 0; row < t.rows(); row += rows_at_once) {
        detail::append_csv_rows(text, t, row, (std::min)(row + rows_at_once, t.rows()), delimiter);
        file.write(text);
        text.clear();
    }
    file.write(text);
    file.commit();
}

}  // namespace edge::frame
