// SPDX-License-Identifier: MIT
#pragma once

/// @file A value of a column as CSV has it: short to compare.

#include <edge/frame/csv_writer.hpp>

#include <cstddef>
#include <string>

/// Of a row that has a value.
inline std::string cell_text(const edge::frame::column& c, std::size_t row) {
    std::string line = edge::frame::to_csv(edge::frame::table{{"x", c.slice(row, 1)}}, {.header = false});
    line.pop_back();
    return line;
}
