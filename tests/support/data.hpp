// SPDX-License-Identifier: MIT
#pragma once

/// @file Where the larger test files are: the folder named by the environment variable EDGE_TEST_DATA.
///
///     const auto folder = test_data("parquet/good");
///     if (!folder) return;                              // the test says that it was skipped, and why

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

/// A folder or file of the test data, or nothing where EDGE_TEST_DATA is unset.
/// A set name with nothing behind it fails the test: a wrong path must not look like a skipped one.
inline std::optional<std::filesystem::path> test_data(const std::string& part) {
    const char* root = std::getenv("EDGE_TEST_DATA");
    if (root == nullptr || *root == '\0') {
        WARN("skipped: EDGE_TEST_DATA is not set, so there is no " << part);
        return std::nullopt;
    }
    std::filesystem::path path = std::filesystem::path(root) / part;
    INFO("EDGE_TEST_DATA is " << root);
    REQUIRE(std::filesystem::exists(path));
    return path;
}
