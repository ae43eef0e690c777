// SPDX-License-Identifier: MIT
#pragma once

/// @file Bytes of a Parquet file, from a file or from memory.
///
///     byte_source from("a.parquet");
///     const auto header = from.at(offset, 64);         // valid until the next call

#include <edge/core/file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame::parquet {

/// Of one thread; a copy is another reader of the same bytes, for another thread.
class byte_source {
public:
    /// @throws io_error  if it cannot be opened
    explicit byte_source(const std::filesystem::path& path)
        : name_(path.string()), file_(std::make_shared<shared_file>(path)), size_(file_->file.size()) {}

    /// Bytes that must outlive this.
    byte_source(std::span<const std::byte> bytes, std::string name)
        : name_(std::move(name)), memory_(bytes), size_(bytes.size()) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// `count` bytes from `offset` on, which must be there. Small reads that follow each other are served from one of
    /// a quarter of a megabyte.
    [[nodiscard]] std::span<const std::byte> at(std::uint64_t offset, std::size_t count) {
        if (!file_) return memory_.subspan(static_cast<std::size_t>(offset), count);
        if (offset < begin_ || offset - begin_ > filled_ || filled_ - (offset - begin_) < count) {
            // What is there of it already stays.
            const bool goes_on = offset >= begin_ && offset - begin_ <= filled_;
            const std::size_t have = goes_on ? filled_ - static_cast<std::size_t>(offset - begin_) : 0;
            if (have != 0) std::memmove(window_.data(), window_.data() + (filled_ - have), have);
            filled_ = 0;  // until it is read
            const std::uint64_t left = size_ - offset;
            const auto more = static_cast<std::size_t>((std::min)(left, std::uint64_t{(std::max)(count, window)}));
            if (more > window_.size()) window_.resize(more);
            begin_ = offset;
            std::unique_lock hold(file_->one_reader, std::defer_lock);
            if constexpr (!input_file::is_shared) hold.lock();
            file_->file.read(offset + have, std::span(window_).subspan(have, more - have));
            filled_ = more;
        }
        return std::span(window_).subspan(static_cast<std::size_t>(offset - begin_), count);
    }

private:
    /// Open once: under the same name there may be another file by now.
    struct shared_file {
        explicit shared_file(const std::filesystem::path& path) : file(path) {}
        input_file file;
        std::mutex one_reader;
    };

    static constexpr std::size_t window = std::size_t{256} << 10;

    std::string name_;
    std::shared_ptr<shared_file> file_;
    std::span<const std::byte> memory_;
    std::uint64_t size_;
    std::vector<std::byte> window_;
    std::uint64_t begin_ = 0;  ///< place in the file of the first byte of the window
    std::size_t filled_ = 0;   ///< bytes of it that were read
};

}  // namespace edge::frame::parquet
