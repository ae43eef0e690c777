// SPDX-License-Identifier: MIT
#pragma once

/// @file Bytes that come one after the other: from a file, a pipe, a decompressor (compressed.hpp), or a program.
///
///     csv_reader reader(std::make_unique<file_source>(stdin, "standard input"), "standard input");

#include <edge/core/file.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace edge::frame {

class byte_source {
public:
    virtual ~byte_source() = default;

    /// Fills `to` as far as there are bytes.
    /// @return  how many; fewer than asked for at the end only
    /// @throws io_error, parse_error  if they cannot be had
    virtual std::size_t read(std::span<char> to) = 0;

    /// Bytes in all, compressed as they are, or 0 where that is not known; and how many of them were read.
    [[nodiscard]] virtual std::uint64_t size() const noexcept { return 0; }
    [[nodiscard]] virtual std::uint64_t position() const noexcept { return 0; }
};

class file_source final : public byte_source {
public:
    /// @throws io_error  if it cannot be opened or is a folder
    explicit file_source(const std::filesystem::path& path) : name_(path.string()), owned_(true) {
        std::error_code ec;
        if (std::filesystem::is_directory(path, ec)) throw io_error(message(name_, ": is a folder, not a file"));
        file_ = std::fopen(name_.c_str(), "rb");
        if (file_ == nullptr) edge::detail::throw_io(path, "cannot open", errno);
        const auto bytes = std::filesystem::file_size(path, ec);
        size_ = ec ? 0 : bytes;
    }

    /// An open file, which stays open.
    file_source(std::FILE* file, std::string name) : name_(std::move(name)), file_(file) {}

    file_source(const file_source&) = delete;
    file_source& operator=(const file_source&) = delete;
    ~file_source() override {
        if (owned_) std::fclose(file_);
    }

    std::size_t read(std::span<char> to) override {
        const std::size_t got = std::fread(to.data(), 1, to.size(), file_);
        if (got != to.size() && std::ferror(file_) != 0) edge::detail::throw_io(name_, "cannot read", errno);
        position_ += got;
        return got;
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
    [[nodiscard]] std::uint64_t position() const noexcept override { return position_; }

private:
    std::string name_;
    std::FILE* file_ = nullptr;
    std::uint64_t size_ = 0;
    std::uint64_t position_ = 0;
    bool owned_ = false;
};

}  // namespace edge::frame
