// SPDX-License-Identifier: MIT
#pragma once

/// @file How CSV is written down, and what of it is wanted.
///
///     read_csv("log.csv", {.delimiter = ';', .kinds = {{"ax", kind::float32}}, .comment = '#', .missing = {"NA"}});

#include <edge/frame/kind.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

/// What becomes of a row that has not as many cells as the first.
enum class ragged_rows : std::uint8_t {
    error,  ///< it is refused, by its number
    pad,    ///< cells that it lacks are missing values; one that has more cells is refused
    skip    ///< it is left out, and counted
};

/// What reading found beside the table.
struct csv_report {
    std::uint64_t rows = 0;          ///< in the table
    std::uint64_t rows_skipped = 0;  ///< left out by `ragged_rows::skip`
};

struct csv_options {
    char delimiter = ',';  ///< none that a number, a quote or a line end is made of
    bool header = true;    ///< the first row names the columns; without one they are column0, column1 ...
    std::vector<std::pair<std::string, kind>> kinds = {};  ///< of columns whose kind is known; the others are inferred
    std::vector<std::string> columns = {};  ///< to be read, in this order; none: all. Others are not parsed
    char quote = '"';                       ///< around a cell that holds delimiters or line ends; '\0': none ever is
    char comment = '\0';                    ///< lines that begin with it are left out; '\0': there are none
    std::vector<std::string> missing = {};  ///< words that, unquoted, mean a missing value, as an empty cell does
    ragged_rows ragged = ragged_rows::error;
    std::size_t skip_lines = 0;                                        ///< to leave out before anything is read
    std::size_t max_rows = (std::numeric_limits<std::size_t>::max)();  ///< to read; what follows is not looked at
    bool dictionary = false;  ///< strings of which there are at most half as many as rows are dictionary-encoded
    int threads = 0;          ///< 0: the process default
    std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};  ///< bytes; from one thread at a time
    csv_report* report = nullptr;                                                ///< filled in at the end
};

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

/// Whether a character may be part of a number, a name or a line end, and so cannot mean anything else.
[[nodiscard]] constexpr bool is_of_cells(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '\n' || c == '\r' ||
           c == '.' || c == '+' || c == '-' || static_cast<unsigned char>(c) >= 128;
}

/// @throws argument_error  for a character that numbers, quotes or line ends are made of
inline void check_csv_delimiter(char delimiter) {
    if (is_of_cells(delimiter) || delimiter == '"' || delimiter == '\0')
        throw argument_error(
            message("delimiter '", shown({&delimiter, 1}), "' of csv; expected a comma, semicolon, tab or bar"));
}

/// @throws argument_error  for characters that numbers, names or line ends are made of, or that mean two things
inline void check_csv(const csv_options& options) {
    check_csv_delimiter(options.delimiter);
    const auto check = [&](const char* what, char c) {
        if (c != '\0' && (is_of_cells(c) || c == options.delimiter || c == ' ' || c == '\t'))
            throw argument_error(message(what, " '", shown({&c, 1}), "' of csv; expected a sign that is no delimiter"));
    };
    check("quote", options.quote);
    check("comment", options.comment);
    if (options.comment != '\0' && options.comment == options.quote)
        throw argument_error(message("quote and comment of csv are both '", options.quote, "'"));
}

}  // namespace detail
}  // namespace edge::frame
