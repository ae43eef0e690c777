// SPDX-License-Identifier: MIT
#pragma once

/// @file Which files a name stands for: itself, those of a folder, or those that match a pattern.
///
///     for (const auto& path : input_paths("imu", ".parquet")) …          // imu/*.parquet, in the order of their names
///     for (const auto& path : input_paths("2024-*/a?.csv", ".csv")) …

#include <edge/core/error.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame {

namespace detail {

/// Whether `name` matches a pattern of `*` (any characters) and `?` (one). O(name x pattern) at worst.
[[nodiscard]] inline bool matches(std::string_view name, std::string_view pattern) noexcept {
    std::size_t n = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;  // the last one, and what it stands for so far
    std::size_t taken = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            taken = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

/// What a folder holds, by name; hidden names are left out, as they are of files being written.
[[nodiscard]] inline std::vector<std::filesystem::path> entries(const std::filesystem::path& folder,
                                                                std::string_view pattern) {
    std::vector<std::filesystem::path> found;
    std::error_code ec;
    std::filesystem::directory_iterator it(folder.empty() ? std::filesystem::path(".") : folder, ec);
    for (; !ec && it != std::filesystem::directory_iterator(); it.increment(ec)) {
        const std::string name = it->path().filename().string();
        if (name.front() != '.' && matches(name, pattern)) found.push_back(folder / name);
    }
    if (ec) throw io_error(message(folder.string(), ": cannot list the folder: ", ec.message()));
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace detail

/// @param input      a file, a folder (its files that end in `extension`), or a path with `*` and `?` in any of its
/// parts
/// @return           in the order of their names, never empty
/// @throws io_error  if there is nothing of that name
[[nodiscard]] inline std::vector<std::filesystem::path> input_paths(const std::filesystem::path& input,
                                                                    std::string_view extension) {
    std::error_code ec;
    if (std::filesystem::is_directory(input, ec)) {
        std::vector<std::filesystem::path> found = detail::entries(input, message("*", extension));
        std::erase_if(found, [&](const auto& path) { return std::filesystem::is_directory(path, ec); });
        if (found.empty()) throw io_error(message(input.string(), ": no ", extension, " file in this folder"));
        return found;
    }
    if (input.string().find_first_of("*?") == std::string::npos || std::filesystem::exists(input, ec)) return {input};
    std::vector<std::filesystem::path> found{{}};
    for (const auto& part : input) {
        std::vector<std::filesystem::path> next;
        const bool is_pattern = part.string().find_first_of("*?") != std::string::npos;
        for (const auto& base : found) {
            if (!is_pattern) {
                if (std::filesystem::exists(base / part, ec)) next.push_back(base / part);
            } else if (base.empty() || std::filesystem::is_directory(base, ec)) {
                for (auto& path : detail::entries(base, part.string())) next.push_back(std::move(path));
            }
        }
        found = std::move(next);
    }
    std::erase_if(found, [&](const auto& path) { return std::filesystem::is_directory(path, ec); });
    if (found.empty()) throw io_error(message(input.string(), ": no file matches"));
    return found;
}

}  // namespace edge::frame
