// SPDX-License-Identifier: MIT
#pragma once

/// @file What a call says when it throws.
///
///     CHECK(thrown<edge::parse_error>([&] { read(bytes); }).find("row 3") != npos);
///     CHECK(says<edge::parse_error>([&] { read(bytes); }, "row 3"));

#include "support/catch.hpp"

#include <exception>
#include <string>

/// Message of the exception of type E that `f` throws; another type, or none, fails the test.
template <class E, class F>
std::string thrown(F&& f) {
    try {
        f();
    } catch (const E& e) {
        return e.what();
    } catch (const std::exception& e) {
        FAIL_CHECK("thrown was something else: " << e.what());
        return {};
    }
    FAIL_CHECK("nothing was thrown");
    return {};
}

/// Whether that message has `text` in it; shows it where it has not.
template <class E, class F>
bool says(F&& f, const std::string& text) {
    const std::string what = thrown<E>(f);
    if (what.find(text) != std::string::npos) return true;
    WARN("\"" << what << "\" does not say \"" << text << "\"");
    return false;
}
