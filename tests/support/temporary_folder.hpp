// SPDX-License-Identifier: MIT
#pragma once

/// @file A folder of a test's own, empty at first and removed at its end.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

class temporary_folder {
public:
    temporary_folder() {
        static std::atomic<int> count{0};
        const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
        path_ = std::filesystem::temp_directory_path() /
                ("edge-test-" + std::to_string(now) + "-" + std::to_string(count++));
        std::filesystem::create_directories(path_);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& part) const { return path_ / part; }

private:
    std::filesystem::path path_;
};
