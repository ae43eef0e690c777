// SPDX-License-Identifier: MIT

#include <edge/core.hpp>
#include <edge/frame/parquet.hpp>

#include <filesystem>
#include <string>

std::string second_file_version();
std::string second_file_version() { return edge::version; }

edge::index_t second_file_rows(const std::filesystem::path& file);
edge::index_t second_file_rows(const std::filesystem::path& file) {
    return static_cast<edge::index_t>(edge::frame::read_parquet(file).rows());
}
