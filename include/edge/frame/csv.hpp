// SPDX-License-Identifier: MIT
#pragma once

/// @file CSV: tables as text, read and written (RFC 4180, UTF-8).
///
///     table t = read_csv("imu.csv");                                  // kinds are found out from all rows
///     table u = read_csv("imu.csv", {.kinds = {{"ax", kind::float32}}});
///     write_csv("out.csv", t);
///
/// Kinds are tried in the order int64, float64, boolean, timestamp, string; the first that fits every cell is taken. An
/// empty cell is a missing value. Floats are written in the shortest form that reads back the same, and as floats
/// ("1.0"); an empty string is written as "", which a missing value is not, so both read back as they were.

#include <edge/core/file.hpp>
#include <edge/frame/detail/csv_scanner.hpp>
#include <edge/frame/table.hpp>
#include <edge/frame/timestamp.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace edge::frame {

struct csv_options {
    char delimiter = ',';  ///< none that a number, a quote or a line end is made of
    bool header = true;    ///< the first row names the columns; without one they are column0, column1 ...
    std::vector<std::pair<std::string, kind>> kinds = {};  ///< of columns whose kind is known; the others are inferred
};

/// @param text  UTF-8, with or without a byte order mark
/// @param name  of the source, for messages
/// @throws parse_error     if it is not CSV, a row has more or fewer cells than the first, or a cell is not of the kind
/// given
/// @throws argument_error  if `kinds` names a column that is not there
[[nodiscard]] table parse_csv(std::string_view text, std::string_view name = "csv", const csv_options& options = {});

/// @throws io_error        if the file cannot be read
/// @throws parse_error, argument_error  as `parse_csv`
[[nodiscard]] inline table read_csv(const std::filesystem::path& path, const csv_options& options = {}) {
    return parse_csv(read_text_file(path), path.string(), options);
}

/// The whole table as CSV, a line each row, with a header.
[[nodiscard]] std::string to_csv(const table& t, char delimiter = ',');

/// Written whole or not at all.
/// @throws io_error  if it cannot be written
void write_csv(const std::filesystem::path& path, const table& t, char delimiter = ',');

namespace detail {

[[nodiscard]] inline std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Text from outside as a message shows it: on one line, and not all of it where it is long.
[[nodiscard]] inline std::string shown(std::string_view text) {
    constexpr std::size_t most = 60;
    std::string line(text.substr(0, most));
    for (char& c : line)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
    return text.size() > most ? line + "..." : line;
}

/// A number that is the whole text but for blanks around it and a plus sign. "nan" and "inf" are floats.
template <stored T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) noexcept {
    text = trim(text);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
    if (text.empty() || text.back() == ')') return std::nullopt;  // from_chars also takes "nan(...)"
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// true or false, in lower case, in upper case, or with a capital.
[[nodiscard]] inline std::optional<bool> parse_boolean(std::string_view text) noexcept {
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return std::nullopt;
}

/// A column of CSV on its way to a kind: it goes down the list of kinds as cells do not fit.
class csv_column {
public:
    csv_column(std::string name, std::optional<frame::kind> given) : name_(std::move(name)), given_(given) {}

    [[nodiscard]] std::string& name() noexcept { return name_; }
    [[nodiscard]] column finish() { return builder_.finish(); }

    void add(const csv_cell& cell, const csv_scanner& at) {
        if (state_ != state::reading) return;
        if (cell.text.empty() && !(cell.quoted && builder_.kind() == kind::string)) {
            empty_text_ = empty_text_ || cell.quoted;
            return builder_.append_null();
        }
        while (!append(cell.text)) {
            if (given_)
                throw parse_error(message(at.where(), ", column '", shown(name_), "': '", shown(cell.text),
                                          "' is not of kind ", to_string(*given_)));
            step_down();
            if (state_ == state::lost) return;
        }
    }

    /// To be called when all rows were seen.
    /// @return  whether the column is complete; if not, all rows must be shown again
    bool end_pass() {
        if (state_ == state::complete) return true;
        if (!given_ && !has_values()) {
            if (empty_text_) {
                step_ = std::size(ladder) - 1;
                state_ = state::lost;
            } else {
                become(kind::float64);  // no value, so no kind of its own: the one that means least
            }
        }
        if (state_ == state::lost) {
            builder_ = column_builder(ladder[step_]);
            empty_text_ = false;
            state_ = state::reading;
            return false;
        }
        state_ = state::complete;
        return true;
    }

private:
    enum class state : std::uint8_t { reading, lost, complete };
    static constexpr kind ladder[] = {kind::int64, kind::float64, kind::boolean, kind::timestamp, kind::string};

    [[nodiscard]] bool has_values() const noexcept { return builder_.size() != builder_.null_count(); }

    void become(kind k) {
        const std::size_t rows = builder_.size();
        builder_ = column_builder(k);
        builder_.append_null(rows);
    }

    bool append(std::string_view text) {
        switch (builder_.kind()) {
            case kind::boolean: return append_parsed(parse_boolean(trim(text)));
            case kind::timestamp: return append_parsed(parse_timestamp(trim(text)));
            case kind::date: return append_parsed(parse_date(trim(text)));
            case kind::string: builder_.append(text); return true;
            default:
                return dispatch_stored(builder_.kind(),
                                       [&]<class T>() { return append_parsed(parse_number<T>(text)); });
        }
    }

    template <class T>
    bool append_parsed(const std::optional<T>& value) {
        if (value) builder_.append(*value);
        return value.has_value();
    }

    /// The next kind. What was read so far is kept where that is the same as reading it again; otherwise this pass is
    /// lost for the column and there will be another, at most one for each kind.
    void step_down() {
        const kind from = ladder[step_++];
        if (!has_values()) {
            if (ladder[step_] == kind::string && empty_text_)
                state_ = state::lost;  // cells written "" were taken for missing values
            else
                become(ladder[step_]);
        } else if (from == kind::int64) {
            const column integers = builder_.finish();
            const auto values = integers.values<std::int64_t>();
            builder_ = column_builder(kind::float64);
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (integers.is_valid(i))
                    builder_.append(static_cast<double>(values[i]));
                else
                    builder_.append_null();
            }
        } else {
            state_ = state::lost;
        }
    }

    std::string name_;
    std::optional<frame::kind> given_;
    std::size_t step_ = 0;
    column_builder builder_{given_.value_or(kind::int64)};
    bool empty_text_ = false;  ///< a cell written "" was appended as missing
    state state_ = state::reading;
};

/// Far more than a table of use has, so that a file of commas cannot take a thousand times its size in memory.
inline constexpr std::size_t csv_max_columns = std::size_t{1} << 17;

/// Names of the columns: the first row's cells, with a number put to those that are there already.
inline std::vector<std::string> csv_names(csv_scanner& scan, bool header) {
    std::vector<std::string> names;
    while (scan.more()) {
        const csv_cell cell = scan.next();
        if (names.size() == csv_max_columns)
            throw unsupported_error(message(scan.where(), ": more than ", csv_max_columns, " columns"));
        names.push_back(header && !cell.text.empty() ? std::string(cell.text) : message("column", names.size()));
    }
    std::unordered_map<std::string, std::size_t> seen;  // and how many names were made from each
    for (const std::string& name : names) seen.emplace(name, 0);
    if (seen.size() == names.size()) return names;
    std::unordered_set<std::string> used;
    for (std::string& name : names) {
        if (used.insert(name).second) continue;
        std::size_t& made = seen[name];
        std::string fresh;
        do fresh = message(name, "_", ++made);
        while (seen.contains(fresh) || !used.insert(fresh).second);
        name = std::move(fresh);
    }
    return names;
}

inline std::vector<csv_column> csv_columns(csv_scanner& scan, std::string_view name, const csv_options& options) {
    std::unordered_map<std::string_view, kind> given;
    for (const auto& [column_name, its_kind] : options.kinds) given.emplace(column_name, its_kind);
    std::vector<csv_column> columns;
    for (std::string& column_name : csv_names(scan, options.header)) {
        const auto known = given.find(column_name);
        columns.emplace_back(column_name, known == given.end() ? std::nullopt : std::optional(known->second));
        if (known != given.end()) given.erase(known);
    }
    if (!given.empty())
        throw argument_error(
            message(name, ": no column '", given.begin()->first, "' to be read as ", to_string(given.begin()->second)));
    return columns;
}

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

/// @throws argument_error  for a character that numbers, quotes or line ends are made of
inline void check_csv_delimiter(char delimiter) {
    const bool letter = (delimiter >= 'a' && delimiter <= 'z') || (delimiter >= 'A' && delimiter <= 'Z');
    if (letter || (delimiter >= '0' && delimiter <= '9') ||
        std::string_view("\"\n\r.+-").find(delimiter) != std::string_view::npos)
        throw argument_error(
            message("delimiter '", shown({&delimiter, 1}), "' of csv; expected a comma, semicolon, tab or bar"));
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

inline table parse_csv(std::string_view text, std::string_view name, const csv_options& options) {
    detail::check_csv_delimiter(options.delimiter);
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
        throw parse_error(message(name, ": begins as UTF-16; expected UTF-8"));
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (const std::size_t bad = detail::valid_utf8(text); bad != text.size())
        throw parse_error(message(name, ": byte ", bad, " is not UTF-8"));

    detail::csv_scanner begin(text, name, options.delimiter);
    detail::csv_scanner names = begin;
    if (!names.next_row()) throw parse_error(message(name, ": is empty; expected a row of column names"));
    std::vector<detail::csv_column> columns = detail::csv_columns(names, name, options);
    if (options.header) begin = names;

    for (bool complete = false; !complete;) {
        detail::csv_scanner scan = begin;
        while (scan.next_row()) {
            std::size_t cells = 0;
            for (; scan.more(); ++cells) {
                const detail::csv_cell cell = scan.next();
                if (cells < columns.size()) columns[cells].add(cell, scan);
            }
            if (cells != columns.size())
                throw parse_error(message(scan.where(), ": ", cells, cells == 1 ? " cell" : " cells", "; expected ",
                                          columns.size(), " as in the first row"));
        }
        complete = true;
        for (auto& c : columns) complete = c.end_pass() && complete;
    }

    std::vector<std::string> column_names;
    std::vector<column> values;
    for (auto& c : columns) {
        column_names.push_back(std::move(c.name()));
        values.push_back(c.finish());
    }
    return table(std::move(column_names), std::move(values));
}

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
