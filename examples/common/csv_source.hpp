// SPDX-License-Identifier: MIT
#pragma once

/// @file A CSV file or standard input as a table, and its columns as numbers.
///
///     const csv_source in("points.csv");                  // "-" for standard input
///     const std::vector<double> x = in.numbers("x");      // NaN where a cell is empty

#include <edge/frame/csv.hpp>

#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

class csv_source {
public:
    explicit csv_source(const std::string& path) {
        if (path == "-") {
            name_ = "standard input";
            text_.assign(std::istreambuf_iterator<char>(std::cin), {});
        } else {
            name_ = path;
            text_ = edge::read_text_file(path);
        }
        table_ = edge::frame::parse_csv(text_, name_);
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const edge::frame::table& table() const noexcept { return table_; }

    /// @throws edge::argument_error  if there is no such column
    /// @throws edge::parse_error     at the first cell that is not a number
    [[nodiscard]] std::vector<double> numbers(const std::string& column) const {
        using edge::frame::kind;
        edge::frame::column c = find(column);
        if (c.kind() != kind::int64 &&
            c.kind() != kind::float64)  // read again as what it should be: it says where it is not
            c = edge::frame::parse_csv(text_, name_, {.kinds = {{column, kind::float64}}}).column(column);
        std::vector<double> values(c.size(), std::numeric_limits<double>::quiet_NaN());
        const auto fill = [&](const auto& from) {
            for (std::size_t i = 0; i < values.size(); ++i)
                if (c.is_valid(i)) values[i] = static_cast<double>(from[i]);
        };
        if (c.kind() == kind::int64) {
            fill(c.values<std::int64_t>());
        } else {
            fill(c.values<double>());
        }
        return values;
    }

private:
    [[nodiscard]] edge::frame::column find(const std::string& column) const {
        try {
            return table_.column(column);
        } catch (const edge::argument_error& e) {
            throw edge::argument_error(name_ + ": " + e.what());
        }
    }

    std::string name_;
    std::string text_;
    edge::frame::table table_;
};

/// @param path  "-" for standard output
inline void write_table(const std::string& path, const edge::frame::table& t) {
    if (path == "-") {
        std::cout << edge::frame::to_csv(t);
    } else {
        edge::frame::write_csv(path, t);
    }
}
