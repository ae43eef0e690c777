// SPDX-License-Identifier: MIT
#pragma once

/// @file The small languages of edge_table's options: lists of columns, aggregates, rolling columns, sort keys, durations.
///
/// Names of columns may hold commas and colons: a text is cut where that gives names of columns that are there.

#include <edge/frame.hpp>

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace table_arguments {

using edge::message;
using namespace edge::frame;

/// Items of a list with commas between. An item may hold commas itself where that makes it one that is `known`.
template <class Known>
std::vector<std::string> split_list(const std::string& text, Known&& known) {
    std::vector<std::string> pieces{""};
    for (const char c : text) {
        if (c == ',')
            pieces.emplace_back();
        else
            pieces.back() += c;
    }
    std::vector<std::string> items;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        std::string item = pieces[i];
        std::size_t end = i;
        while (!known(item) && end + 1 < pieces.size()) item += "," + pieces[++end];
        if (known(item)) {
            items.push_back(item);
            i = end;
        } else {
            items.push_back(pieces[i]);
        }
    }
    return items;
}

inline std::vector<std::string> column_list(const std::string& text, const table& t) {
    return split_list(text, [&](const std::string& name) { return t.has(name); });
}

/// `fn:col[:name]`; `count` alone counts rows.
inline aggregate parse_aggregate(const std::string& text, const table& t) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
        const aggregate a = aggregate_from_string(text, "");
        if (a.what == statistic::count) return a;
        throw edge::argument_error(message("'", text, "' names no column; expected FUNCTION:COLUMN[:NAME]"));
    }
    const std::string function = text.substr(0, colon);
    const std::string rest = text.substr(colon + 1);
    const std::size_t last = rest.rfind(':');
    if (t.has(rest) || last == std::string::npos) return aggregate_from_string(function, rest);
    return aggregate_from_string(function, rest.substr(0, last)).as(rest.substr(last + 1));
}

inline std::vector<aggregate> aggregate_list(const std::string& text, const table& t) {
    const auto known = [&](const std::string& item) {
        const std::size_t colon = item.find(':');
        if (colon == std::string::npos) return item == "count";
        const std::string rest = item.substr(colon + 1);
        return t.has(rest) || t.has(rest.substr(0, rest.rfind(':')));
    };
    std::vector<aggregate> wanted;
    for (const std::string& item : split_list(text, known)) wanted.push_back(parse_aggregate(item, t));
    return wanted;
}

/// Adds what `fn:col:N[:name]` asks for.
inline void add_rolling(table& t, const std::string& text) {
    const std::size_t colon = text.find(':');
    for (std::size_t at = text.find(':', colon + 1); colon != std::string::npos && at != std::string::npos;
         at = text.find(':', at + 1)) {
        const std::string name = text.substr(colon + 1, at - colon - 1);
        if (!t.has(name) && text.find(':', at + 1) != std::string::npos) continue;
        const std::size_t next = text.find(':', at + 1);
        const std::string digits = text.substr(at + 1, next == std::string::npos ? next : next - at - 1);
        std::size_t rows = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rows);
        if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) continue;
        const aggregate a = aggregate_from_string(text.substr(0, colon), name);
        t.add(next == std::string::npos ? message(a.result_name(), "_", rows) : text.substr(next + 1),
              rolling(t, a, rows));
        return;
    }
    throw edge::argument_error(
        message("rolling '", text, "'; expected FUNCTION:COLUMN:ROWS[:NAME] of a column that is there"));
}

inline std::vector<sort_key> sort_list(const std::string& text, const table& t) {
    const auto parse = [&](const std::string& item) -> sort_key {
        if (!t.has(item) && item.ends_with(":desc")) return {item.substr(0, item.size() - 5), order::descending};
        return {item};
    };
    std::vector<sort_key> keys;
    for (const auto& item : split_list(text, [&](const std::string& i) { return t.has(parse(i).column); }))
        keys.push_back(parse(item));
    return keys;
}

/// `500`, in the units of the column, or a duration such as `50ms`, `1.5s`.
inline time_span parse_tolerance(const std::string& text) {
    constexpr std::pair<std::string_view, double> units[] = {{"ns", 1},     {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                                                             {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    std::int64_t whole = 0;
    double value = 0;
    const char* end = text.data() + text.size();
    if (const auto r = std::from_chars(text.data(), end, whole); r.ec == std::errc{} && r.ptr == end) return whole;
    const auto number = std::from_chars(text.data(), end, value);
    if (number.ec == std::errc{} && number.ptr == end) return value;
    for (const auto& [unit, ns] : units)
        if (number.ec == std::errc{} &&
            unit == std::string_view(number.ptr, static_cast<std::size_t>(end - number.ptr)))
            return std::chrono::duration<double, std::nano>(value * ns);
    throw edge::argument_error(message("tolerance '", text, "'; expected a number, or a duration such as 50ms"));
}

}  // namespace table_arguments
