// SPDX-License-Identifier: MIT
#pragma once

/// @file Building the text of an error: what, the offending value, where, what was expected.
///
///     throw edge::parse_error(edge::message(path, ": row ", row, ": '", text, "' is not a float"));
///
/// Numbers are printed in the shortest form that reads back the same.

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace edge {

namespace detail {

inline void append_text(std::string& out, std::string_view text) { out += text; }
inline void append_text(std::string& out, const char* text) { out += text; }
inline void append_text(std::string& out, char c) { out += c; }
inline void append_text(std::string& out, bool value) { out += value ? "true" : "false"; }

template <class T>
    requires(std::integral<T> || std::floating_point<T>)
void append_text(std::string& out, T value) {
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

/// Anything that says how to print itself: a type with a free `to_string` beside it, such as a shape.
template <class T>
    requires requires(const T& value) {
        { to_string(value) } -> std::convertible_to<std::string>;
    }
void append_text(std::string& out, const T& value) {
    out += to_string(value);
}

}  // namespace detail

/// The parts, one after the other.
template <class... Parts>
[[nodiscard]] std::string message(const Parts&... parts) {
    std::string text;
    (detail::append_text(text, parts), ...);
    return text;
}

}  // namespace edge
