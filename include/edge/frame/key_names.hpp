// SPDX-License-Identifier: MIT
#pragma once

/// @file Names of key columns as an option takes them: none, one, or several.
///
///     {.by = "sensor"}
///     {.by = {"vehicle", "sensor"}}

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

class key_names {
public:
    key_names() = default;
    key_names(std::string name) {  // NOLINT: a name is a list of one; an empty one of none
        if (!name.empty()) names_.push_back(std::move(name));
    }
    key_names(const char* name) : key_names(std::string(name)) {}            // NOLINT
    key_names(std::vector<std::string> names) : names_(std::move(names)) {}  // NOLINT
    key_names(std::initializer_list<std::string_view> names) : names_(names.begin(), names.end()) {}

    [[nodiscard]] bool empty() const noexcept { return names_.empty(); }
    [[nodiscard]] const std::vector<std::string>& list() const noexcept { return names_; }
    [[nodiscard]] bool has(std::string_view name) const noexcept {
        for (const std::string& n : names_)
            if (n == name) return true;
        return false;
    }

private:
    std::vector<std::string> names_;
};

}  // namespace edge::frame
