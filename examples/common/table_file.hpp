// SPDX-License-Identifier: MIT
#pragma once

/// @file Tables from files of the formats that the programs know, by extension: .csv, .parquet, .json (records).
///
///     edge::frame::table t = read_tables({"imu/", "more.csv"});     // one after the other
///
/// `-` is standard input, as CSV. JSON: an array of objects; NaN is null, infinities are "inf" and "-inf". To write them,
/// see row_output.hpp.

#include <edge/frame.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace table_file {

using edge::message;
using edge::frame::kind;
using edge::frame::table;

// ---- JSON records ----------------------------------------------------------------------------------------------------

inline kind kind_of_json(const nlohmann::ordered_json& value, const std::string& where) {
    if (value.is_boolean()) return kind::boolean;
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return kind::float64;
    if (value.is_number_integer()) return kind::int64;
    if (value.is_number_float()) return kind::float64;
    if (value.is_string()) return kind::string;
    throw edge::unsupported_error(
        message(where, " holds an ", value.type_name(), "; expected a number, text or a boolean"));
}

/// An array of objects, each a row. A key that a row lacks is missing there, as null is.
inline table parse_records(const std::string& text, const std::string& name) {
    nlohmann::ordered_json rows;
    try {
        rows = nlohmann::ordered_json::parse(text);
    } catch (const nlohmann::json::parse_error& e) {
        throw edge::parse_error(message(name, ": not JSON at byte ", e.byte));
    }
    if (!rows.is_array())
        throw edge::parse_error(message(name, ": JSON of type ", rows.type_name(), "; expected an array of objects"));
    std::vector<std::string> names;
    std::vector<std::optional<kind>> kinds;
    std::unordered_map<std::string, std::size_t> place;
    const auto where = [&](std::size_t row, const std::string& key) {
        return message(name, ": record ", row, ", '", key, "'");
    };
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (!rows[row].is_object())
            throw edge::parse_error(
                message(name, ": record ", row, " is of type ", rows[row].type_name(), "; expected an object"));
        for (const auto& [key, value] : rows[row].items()) {
            const auto [at, is_new] = place.emplace(key, names.size());
            if (is_new) {
                names.push_back(key);
                kinds.emplace_back();
            }
            if (value.is_null()) continue;
            std::optional<kind>& known = kinds[at->second];
            const kind k = kind_of_json(value, where(row, key));
            const auto both = edge::frame::common_kind(known.value_or(k), k);
            if (!both)
                throw edge::parse_error(message(where(row, key), " is ", edge::frame::to_string(k), "; expected ",
                                                edge::frame::to_string(*known), " as before"));
            known = both;
        }
    }
    std::vector<edge::frame::column_builder> columns;
    for (const auto& k : kinds) columns.emplace_back(k.value_or(kind::float64));
    for (const auto& row : rows) {
        for (const auto& [key, value] : row.items()) {
            auto& to = columns[place.at(key)];
            if (value.is_null())
                to.append_null();
            else if (to.kind() == kind::boolean)
                to.append(value.get<bool>());
            else if (to.kind() == kind::int64)
                to.append(value.get<std::int64_t>());
            else if (to.kind() == kind::float64)
                to.append(value.get<double>());
            else
                to.append(value.get_ref<const std::string&>());
        }
        for (auto& to : columns)
            if (to.size() < columns[0].size()) to.append_null();
    }
    std::vector<edge::frame::column> values;
    for (auto& c : columns) values.push_back(c.finish());
    return table(std::move(names), std::move(values));
}

inline std::string json_text(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline std::string json_value(const edge::frame::column& c, std::size_t row) {
    if (!c.is_valid(row)) return "null";
    switch (c.kind()) {
        case kind::boolean: return c.boolean(row) ? "true" : "false";
        case kind::string: return json_text(c.text(row));
        case kind::timestamp: return json_text(edge::frame::format_timestamp(c.values<std::int64_t>()[row]));
        default: break;
    }
    return edge::frame::dispatch_stored(c.kind(), [&]<class T>() {
        const T value = c.values<T>()[row];
        if constexpr (std::is_floating_point_v<T>) {
            if (std::isnan(value)) return std::string("null");
            if (std::isinf(value)) return std::string(value > 0 ? "\"inf\"" : "\"-inf\"");
        }
        const std::string digits = message(value);
        const bool whole = std::is_floating_point_v<T> && digits.find_first_of(".e") == std::string::npos;
        return whole ? digits + ".0" : digits;
    });
}

/// Rows [first, last) as elements of an array, each on a line; after others where `follows` is set.
inline void append_records(std::string& out, const table& t, std::size_t first, std::size_t last, bool follows) {
    for (std::size_t row = first; row < last; ++row) {
        out += follows || row != first ? ",\n{" : "\n{";
        for (std::size_t c = 0; c < t.names().size(); ++c) {
            if (c != 0) out += ", ";
            out += json_text(t.names()[c]);
            out += ": ";
            out += json_value(t.columns()[c], row);
        }
        out += '}';
    }
}

// ---- any format ------------------------------------------------------------------------------------------------------

inline std::string extension_of(const std::filesystem::path& path) {
    const std::string e = path.extension().string();
    if (e != ".csv" && e != ".parquet" && e != ".json")
        throw edge::argument_error(message(path.string(), ": extension '", e, "'; expected .csv, .parquet or .json"));
    return e;
}

inline table read_one(const std::filesystem::path& path) {
    const std::string extension = extension_of(path);
    if (extension == ".parquet") return edge::frame::read_parquet(path);
    if (extension == ".csv") return edge::frame::read_csv(path);
    return parse_records(edge::read_text_file(path), path.string());
}

/// The files of a folder, which must be of one format, of a pattern, or the one file.
inline std::vector<std::filesystem::path> paths_of(const std::string& input) {
    std::error_code ec;
    if (!std::filesystem::is_directory(input, ec)) return edge::frame::input_paths(input, "");
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator(input)) {
        const std::string e = entry.path().extension().string();
        if ((e != ".csv" && e != ".parquet" && e != ".json") || entry.path().filename().string().front() == '.')
            continue;
        if (!found.empty() && found != e)
            throw edge::argument_error(message(input, ": holds ", found, " and ", e, " files; expected one format"));
        found = e;
    }
    if (found.empty()) throw edge::io_error(message(input, ": no .csv, .parquet or .json file in this folder"));
    return edge::frame::input_paths(input, found);
}

/// A file, or a folder or a pattern of files of one format; `-` is standard input.
inline table read_input(const std::string& input) {
    if (input == "-") {
        const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
        return edge::frame::parse_csv(text, "standard input");
    }
    std::error_code ec;
    const bool is_folder = std::filesystem::is_directory(input, ec);
    const auto paths = paths_of(input);
    if (is_folder && paths.front().extension() == ".parquet") return edge::frame::read_parquet(input);
    std::vector<table> parts;
    for (const auto& path : paths) parts.push_back(read_one(path));
    return edge::frame::concat(parts);
}

}  // namespace table_file

/// The rows of all inputs, one after the other.
inline edge::frame::table read_tables(const std::vector<std::string>& inputs) {
    std::vector<edge::frame::table> parts;
    for (const std::string& input : inputs) parts.push_back(table_file::read_input(input));
    return edge::frame::concat(parts);
}
