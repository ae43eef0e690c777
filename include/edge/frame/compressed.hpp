// SPDX-License-Identifier: MIT
#pragma once

/// @file Compressed text, decompressed as it is read: gzip and Zstandard.
///
///     table t = read_compressed_csv("imu.csv.gz");             // or not compressed: the first bytes tell
///     csv_reader reader(open_source("imu.csv.zst"), "imu.csv.zst");
///
/// A program that includes this links zlib and zstd where their headers are there (Debian: zlib1g-dev, libzstd-dev;
/// CMake: edge::zlib, edge::zstd), or defines EDGE_WITHOUT_ZLIB, EDGE_WITHOUT_ZSTD.

#include <edge/frame/byte_source.hpp>
#include <edge/frame/csv_reader.hpp>
#include <edge/frame/parquet/codec.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

namespace detail {

/// Compressed bytes on their way to a decompressor.
class compressed_source : public byte_source {
public:
    compressed_source(std::unique_ptr<byte_source> from, std::string name)
        : name_(std::move(name)), from_(std::move(from)) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return from_->size(); }
    [[nodiscard]] std::uint64_t position() const noexcept override { return from_->position(); }

protected:
    /// What was not decompressed yet; empty at the end.
    [[nodiscard]] std::span<char> input() {
        if (first_ == last_) {
            first_ = 0;
            last_ = from_->read(bytes_);
        }
        return std::span(bytes_).subspan(first_, last_ - first_);
    }
    void pass(std::size_t bytes) noexcept { first_ += bytes; }

    [[noreturn]] void refuse(std::string_view why) const { throw parse_error(message(name_, ": ", why)); }

    std::string name_;

private:
    std::unique_ptr<byte_source> from_;
    std::vector<char> bytes_ = std::vector<char>(std::size_t{1} << 17);
    std::size_t first_ = 0;
    std::size_t last_ = 0;
};

#if defined(EDGE_HAS_ZLIB)

/// Members one after the other (RFC 1952).
class gzip_source final : public compressed_source {
public:
    gzip_source(std::unique_ptr<byte_source> from, std::string name)
        : compressed_source(std::move(from), std::move(name)) {
        if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
    }
    gzip_source(const gzip_source&) = delete;
    gzip_source& operator=(const gzip_source&) = delete;
    ~gzip_source() override { inflateEnd(&stream_); }

    std::size_t read(std::span<char> to) override {
        std::size_t got = 0;
        while (got < to.size()) {
            const std::span<char> in = input();
            if (in.empty()) {
                if (!between_) refuse("the gzip data end early");
                break;
            }
            const std::size_t room = (std::min)(to.size() - got, std::size_t{1} << 30);
            stream_.next_in = reinterpret_cast<Bytef*>(in.data());
            stream_.avail_in = static_cast<uInt>(in.size());
            stream_.next_out = reinterpret_cast<Bytef*>(to.data() + got);
            stream_.avail_out = static_cast<uInt>(room);
            between_ = false;
            const int result = inflate(&stream_, Z_NO_FLUSH);
            if (result != Z_OK && result != Z_STREAM_END)
                refuse(message("gzip: ", stream_.msg != nullptr ? stream_.msg : "cannot decompress"));
            pass(in.size() - stream_.avail_in);
            got += room - stream_.avail_out;
            if (result == Z_STREAM_END) {
                between_ = true;
                inflateReset(&stream_);
            }
        }
        return got;
    }

private:
    z_stream stream_{};
    bool between_ = true;  ///< whether no member is begun
};

#endif
#if defined(EDGE_HAS_ZSTD)

/// Frames one after the other (RFC 8878).
class zstd_source final : public compressed_source {
public:
    zstd_source(std::unique_ptr<byte_source> from, std::string name)
        : compressed_source(std::move(from), std::move(name)), context_(ZSTD_createDCtx()) {
        if (context_ == nullptr) throw std::bad_alloc();
    }
    zstd_source(const zstd_source&) = delete;
    zstd_source& operator=(const zstd_source&) = delete;
    ~zstd_source() override { ZSTD_freeDCtx(context_); }

    std::size_t read(std::span<char> to) override {
        ZSTD_outBuffer out{to.data(), to.size(), 0};
        while (out.pos < out.size) {
            const std::span<char> bytes = input();
            if (bytes.empty() && wanted_ == 0) break;
            ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
            const std::size_t before = out.pos;
            wanted_ = ZSTD_decompressStream(context_, &out, &in);
            if (ZSTD_isError(wanted_) != 0) refuse(message("Zstandard: ", ZSTD_getErrorName(wanted_)));
            if (bytes.empty() && out.pos == before) refuse("the Zstandard data end early");
            pass(in.pos);
        }
        return out.pos;
    }

private:
    ZSTD_DCtx* context_;
    std::size_t wanted_ = 0;  ///< 0 at the end of a frame
};

#endif

/// Bytes that were read already, and those after them.
class rejoined_source final : public byte_source {
public:
    rejoined_source(std::vector<char> first, std::unique_ptr<byte_source> rest)
        : first_(std::move(first)), rest_(std::move(rest)) {}
    std::size_t read(std::span<char> to) override {
        const std::size_t here = (std::min)(to.size(), first_.size() - at_);
        std::copy_n(first_.data() + at_, here, to.data());
        at_ += here;
        return here == to.size() ? here : here + rest_->read(to.subspan(here));
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return rest_->size(); }
    [[nodiscard]] std::uint64_t position() const noexcept override { return rest_->position(); }

private:
    std::vector<char> first_;
    std::unique_ptr<byte_source> rest_;
    std::size_t at_ = 0;
};

}  // namespace detail

/// The bytes, decompressed if they begin as gzip or Zstandard data do.
/// @param name  for messages
/// @throws unsupported_error  if this program was compiled without the codec that they need
[[nodiscard]] inline std::unique_ptr<byte_source> decompressed(std::unique_ptr<byte_source> from,
                                                               [[maybe_unused]] const std::string& name) {
    std::vector<char> first(4);
    first.resize(from->read(first));
    const std::string_view mark(first.data(), first.size());
    const bool gzip = mark.starts_with("\x1F\x8B");
    const bool zstd = mark == "\x28\xB5\x2F\xFD";
    auto all = std::make_unique<detail::rejoined_source>(std::move(first), std::move(from));
    if (gzip) {
#if defined(EDGE_HAS_ZLIB)
        return std::make_unique<detail::gzip_source>(std::move(all), name);
#else
        throw unsupported_error(
            message(name, ": is compressed with gzip; this program was compiled without zlib1g-dev"));
#endif
    }
    if (zstd) {
#if defined(EDGE_HAS_ZSTD)
        return std::make_unique<detail::zstd_source>(std::move(all), name);
#else
        throw unsupported_error(
            message(name, ": is compressed with Zstandard; this program was compiled without libzstd-dev"));
#endif
    }
    return all;
}

/// The bytes of a file, decompressed if they are compressed.
/// @throws io_error  if it cannot be opened
[[nodiscard]] inline std::unique_ptr<byte_source> open_source(const std::filesystem::path& path) {
    return decompressed(std::make_unique<file_source>(path), path.string());
}

/// A CSV file that may be compressed.
/// @throws io_error, parse_error, argument_error  as `read_csv`
[[nodiscard]] inline table read_compressed_csv(const std::filesystem::path& path, const csv_options& options = {}) {
    const auto source = open_source(path);
    growing<char> text;
    for (std::size_t bytes = std::size_t{1} << 20;; bytes = text.size()) {  // twice as much each time
        const std::size_t got = source->read(std::span(text.extend(bytes), bytes));
        text.shrink(text.size() - bytes + got);
        if (got < bytes) break;
    }
    return parse_csv({text.data(), text.size()}, path.string(), options);
}

}  // namespace edge::frame
