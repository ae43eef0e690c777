// SPDX-License-Identifier: MIT
#pragma once

/// @file Making the folder that a program writes to.

#include <edge/core/error.hpp>

#include <filesystem>
#include <system_error>

/// Makes a folder, and those above it, where it is not there.
/// @throws edge::io_error  if that fails; the message names it
inline void create_folder(const std::filesystem::path& folder) {
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec || !std::filesystem::is_directory(folder, ec))
        throw edge::io_error(edge::message(folder.string(), ": cannot make this folder",
                                           ec ? ": " + ec.message() : std::string(": a file of this name is there")));
}
