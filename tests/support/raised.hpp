// SPDX-License-Identifier: MIT
#pragma once

/// @file What an error says, for tests of messages.
///
///     CHECK(raised<edge::parse_error>([&] { parse_csv("a\n\"", "x.csv"); }) == "x.csv: row 2 …");

#include <string>
#include <utility>

/// The text of the exception of type Error that `f` throws, or a note that it threw none.
template <class Error, class F>
std::string raised(F&& f) {
    try {
        std::forward<F>(f)();
    } catch (const Error& e) {
        return e.what();
    }
    return "(nothing was thrown)";
}
