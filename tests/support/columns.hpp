// SPDX-License-Identifier: MIT
#pragma once

/// @file What tests of tables make columns of, and how they look at them.

#include <edge/frame/csv_writer.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> values_of(const edge::frame::column& c) {
    const auto v = c.values<T>();
    return {v.begin(), v.end()};
}

/// A value as CSV has it; nothing where it is missing.
inline std::string cell_text(const edge::frame::column& c, std::size_t row) {
    if (!c.is_valid(row)) return {};
    std::string line = edge::frame::to_csv(edge::frame::table{{"x", c.slice(row, 1)}}, {.header = false});
    line.pop_back();
    return line;
}
