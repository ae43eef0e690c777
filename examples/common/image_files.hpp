// SPDX-License-Identifier: MIT
#pragma once

/// @file The images of a folder: files called .jpg, .jpeg or .png, by name.

#include <edge/core/error.hpp>

#include <algorithm>
#include <filesystem>
#include <vector>

/// @throws edge::io_error        if there is no such folder
/// @throws edge::argument_error  if there is no image in it
inline std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder) {
    std::error_code ec;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
        std::string extension = entry.path().extension().string();
        for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        if (extension == ".jpg" || extension == ".jpeg" || extension == ".png") files.push_back(entry.path());
    }
    if (ec) throw edge::io_error(edge::message(folder.string(), ": cannot list this folder: ", ec.message()));
    if (files.empty()) throw edge::argument_error(edge::message(folder.string(), ": has no .jpg, .jpeg or .png file"));
    std::sort(files.begin(), files.end());
    return files;
}
