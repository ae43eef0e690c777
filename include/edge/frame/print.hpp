// SPDX-License-Identifier: MIT
#pragma once

/// @file Tables as a person reads them: on a terminal, or in a page.
///
///     std::cout << to_text(t, {.width = 100, .max_rows = 20});
///
///     ts                           id       ax  …  place
///     timestamp                 int32  float64  …  string
///     2024-03-01T08:00:00.005Z      7     9.81  …  left
///     …                             …        …  …  …
///     2024-03-01T09:12:44.120Z      3     null  …  right
///     1000000 rows, 9 columns
///
///     page += to_html(t, {.max_rows = 100});

#include <edge/frame/detail/display_width.hpp>
#include <edge/frame/table.hpp>
#include <edge/frame/timestamp.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame {

struct text_options {
    std::size_t width = 80;     ///< columns of the terminal; columns of the table that do not fit are left out in the
                                ///< middle. 0: all are shown
    std::size_t max_rows = 20;  ///< more are left out in the middle. 0: all are shown
    int digits = 6;             ///< significant ones of a float; 0: as many as it takes to read it back
    std::size_t max_text = 40;  ///< columns of a string, at most; what is longer is cut
};

struct html_options {
    std::size_t max_rows = 100;  ///< more are left out in the middle. 0: all are shown
    int digits = 6;              ///< significant ones of a float; 0: as many as it takes to read it back
};

namespace detail {

inline constexpr std::size_t no_gap = static_cast<std::size_t>(-1);

/// The rows that are shown: all, or the first and the last ones.
[[nodiscard]] inline std::vector<std::size_t> shown_rows(std::size_t rows, std::size_t most) {
    const std::size_t shown = most == 0 ? rows : (std::min)(rows, most);
    const std::size_t first = shown - shown / 2;
    std::vector<std::size_t> chosen(shown);
    for (std::size_t i = 0; i < shown; ++i) chosen[i] = i < first ? i : rows - shown + i;
    return chosen;
}

[[nodiscard]] inline std::string shown_value(const column& c, std::size_t row, int digits) {
    if (!c.is_valid(row)) return "null";
    switch (c.kind()) {
        case kind::boolean: return c.boolean(row) ? "true" : "false";
        case kind::string: return std::string(c.text(row));
        case kind::date: return format_date(c.values<std::int32_t>()[row]);
        case kind::timestamp: return format_timestamp(c.values<std::int64_t>()[row]);
        default: break;
    }
    return dispatch_stored(c.kind(), [&]<class T>() -> std::string {
        const T value = c.values<T>()[row];
        if constexpr (std::is_floating_point_v<T>) {
            if (digits > 0) {
                char text[64];
                const int most = (std::min)(digits, 17);
                return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, most).ptr};
            }
        }
        return message(value);
    });
}

/// A column of a printed table: its lines, and how wide they are.
struct printed_column {
    std::vector<std::string> lines;
    std::size_t width = 0;
    bool is_right = false;

    void add(std::string line) {
        width = (std::max)(width, display_width(line));
        lines.push_back(std::move(line));
    }
};

/// Which columns fit beside each other, with two blanks between them: of the first and the last ones, as many as there is
/// room for, and one at least.
/// @return  how many of the first, and how many of the last
[[nodiscard]] inline std::pair<std::size_t, std::size_t> fitting(const std::vector<printed_column>& columns,
                                                                 std::size_t width) {
    std::size_t all = 0;
    for (const printed_column& c : columns) all += c.width + 2;
    if (width == 0 || columns.empty() || all <= width + 2) return {columns.size(), 0};
    std::size_t first = 1;
    std::size_t last = 0;
    std::size_t used = columns.front().width + 3;  // and "…" with its blanks
    for (;;) {
        const bool at_end = last < first;
        const printed_column& next = at_end ? columns[columns.size() - 1 - last] : columns[first];
        if (first + last == columns.size() || used + next.width + 2 > width) return {first, last};
        used += next.width + 2;
        ++(at_end ? last : first);
    }
}

inline void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
}

}  // namespace detail

/// Names, kinds below them, a line each row, and a line that says how many there are. Numbers are right-aligned.
[[nodiscard]] inline std::string to_text(const table& t, const text_options& options = {}) {
    const std::vector<std::size_t> rows = detail::shown_rows(t.rows(), options.max_rows);
    const std::size_t gap = rows.size() < t.rows() ? rows.size() - rows.size() / 2 : detail::no_gap;
    std::vector<detail::printed_column> columns(t.names().size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const column& c = t.columns()[i];
        detail::printed_column& to = columns[i];
        to.is_right = is_number(c.kind());
        to.add(detail::displayed(t.names()[i], options.max_text));
        to.add(to_string(c.kind()));
        for (std::size_t r = 0; r <= rows.size(); ++r) {
            if (r == gap) to.add("…");
            if (r == rows.size()) break;
            to.add(detail::displayed(detail::shown_value(c, rows[r], options.digits), options.max_text));
        }
    }
    const auto [first, last] = detail::fitting(columns, options.width);
    std::string text;
    for (std::size_t l = 0; !columns.empty() && l < columns.front().lines.size(); ++l) {
        std::string line;
        const auto append = [&](const detail::printed_column& c) {
            if (!line.empty()) line += "  ";
            const std::string& cell = c.lines[l];
            const std::size_t blanks = c.width - detail::display_width(cell);
            if (c.is_right) line.append(blanks, ' ');
            line += cell;
            if (!c.is_right) line.append(blanks, ' ');
        };
        for (std::size_t i = 0; i < first; ++i) append(columns[i]);
        if (first + last < columns.size()) line += "  …";
        for (std::size_t i = columns.size() - last; i < columns.size(); ++i) append(columns[i]);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text + message(t.rows(), t.rows() == 1 ? " row, " : " rows, ", columns.size(),
                          columns.size() == 1 ? " column\n" : " columns\n");
}

/// A <table> of class "edge-table": names and kinds in its head; cells of numbers have the class "number", missing values
/// "null", and the row that stands for those that are left out "gap".
[[nodiscard]] inline std::string to_html(const table& t, const html_options& options = {}) {
    const std::vector<std::size_t> rows = detail::shown_rows(t.rows(), options.max_rows);
    const std::size_t gap = rows.size() < t.rows() ? rows.size() - rows.size() / 2 : detail::no_gap;
    std::string html = "<table class=\"edge-table\">\n<thead>\n<tr>";
    for (const std::string& name : t.names()) {
        html += "<th>";
        detail::append_escaped(html, name);
        html += "</th>";
    }
    html += "</tr>\n<tr class=\"kinds\">";
    for (const column& c : t.columns()) html += "<td>" + to_string(c.kind()) + "</td>";
    html += "</tr>\n</thead>\n<tbody>\n";
    for (std::size_t r = 0; r <= rows.size(); ++r) {
        if (r == gap)
            html += message("<tr class=\"gap\"><td colspan=\"", t.names().size(), "\">… ", t.rows() - rows.size(),
                            " more</td></tr>\n");
        if (r == rows.size()) break;
        html += "<tr>";
        for (const column& c : t.columns()) {
            html += !c.is_valid(rows[r])  ? "<td class=\"null\">"
                    : is_number(c.kind()) ? "<td class=\"number\">"
                                          : "<td>";
            detail::append_escaped(html, detail::shown_value(c, rows[r], options.digits));
            html += "</td>";
        }
        html += "</tr>\n";
    }
    return html + "</tbody>\n</table>\n";
}

}  // namespace edge::frame
