// SPDX-License-Identifier: MIT
#pragma once

/// @file A column of a table as numbers, whatever kind of number it holds.
///
///     const std::vector<double> x = numbers(table, "x", "points.csv");   // NaN where a value is missing

#include <edge/frame/table.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

/// @param source  begins the messages
/// @throws edge::argument_error  if there is no such column, or it does not hold numbers; the message gives the first
///                               text that is none, with its row from 0
[[nodiscard]] inline std::vector<double> numbers(const edge::frame::table& t, const std::string& name,
                                                 const std::string& source) {
    using edge::frame::kind;
    if (!t.has(name)) {
        std::string there;
        for (const std::string& other : t.names()) there += (there.empty() ? "" : ", ") + other;
        throw edge::argument_error(edge::message(source, ": no column '", name, "'; there are: ", there));
    }
    const edge::frame::column& c = t.column(name);
    std::vector<double> values(c.size(), std::numeric_limits<double>::quiet_NaN());
    const auto refuse = [&](std::size_t row, const std::string& value) {
        throw edge::argument_error(
            edge::message(source, ": column '", name, "', row ", row, " (from 0): ", value, " is not a number"));
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!c.is_valid(i)) continue;
        switch (c.kind()) {
            case kind::int32: values[i] = c.values<std::int32_t>()[i]; break;
            case kind::int64: values[i] = static_cast<double>(c.values<std::int64_t>()[i]); break;
            case kind::float32: values[i] = static_cast<double>(c.values<float>()[i]); break;
            case kind::float64: values[i] = c.values<double>()[i]; break;
            case kind::string: {
                std::string_view text = c.text(i);
                while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
                while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
                const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), values[i]);
                if (wrong != std::errc() || end != text.data() + text.size())
                    refuse(i, nlohmann::json(text.substr(0, 60))
                                  .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
                break;
            }
            default: refuse(i, "a " + edge::frame::to_string(c.kind()));
        }
    }
    return values;
}
