// SPDX-License-Identifier: MIT
#pragma once

/// @file How pages are compressed: not at all, Snappy, Zstandard, or gzip.
///
///     if (is_available(codec::zstd)) options.codec = codec::zstd;
///
/// Each is there when its header is (Debian: libsnappy-dev, libzstd-dev, zlib1g-dev) and must then be linked (CMake:
/// edge::snappy, edge::zstd, edge::zlib). Define EDGE_WITHOUT_SNAPPY, EDGE_WITHOUT_ZSTD or EDGE_WITHOUT_ZLIB, the same in
/// every file of a program, to leave one out although its header is there.

#include <edge/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

#if __has_include(<snappy-c.h>) && !defined(EDGE_WITHOUT_SNAPPY)
#define EDGE_HAS_SNAPPY 1
#include <snappy-c.h>
#endif
#if __has_include(<zstd.h>) && !defined(EDGE_WITHOUT_ZSTD)
#define EDGE_HAS_ZSTD 1
#include <zstd.h>
#endif
#if __has_include(<zlib.h>) && !defined(EDGE_WITHOUT_ZLIB)
#define EDGE_HAS_ZLIB 1
#include <zlib.h>
#endif

namespace edge::frame {

/// Compression of a Parquet file's pages.
enum class codec : std::uint8_t { none, snappy, zstd, gzip };

[[nodiscard]] inline std::string to_string(codec c) {
    constexpr std::string_view names[] = {"none", "snappy", "zstd", "gzip"};
    return std::string(names[static_cast<std::size_t>(c)]);
}

/// @throws argument_error  if there is none of that name
[[nodiscard]] inline codec codec_from_string(std::string_view name) {
    for (const codec c : {codec::none, codec::snappy, codec::zstd, codec::gzip})
        if (to_string(c) == name) return c;
    throw argument_error(message("codec '", name, "' is unknown; expected none, snappy, zstd or gzip"));
}

/// Whether this program was compiled with the codec.
[[nodiscard]] constexpr bool is_available(codec c) noexcept {
#if defined(EDGE_HAS_SNAPPY)
    if (c == codec::snappy) return true;
#endif
#if defined(EDGE_HAS_ZSTD)
    if (c == codec::zstd) return true;
#endif
#if defined(EDGE_HAS_ZLIB)
    if (c == codec::gzip) return true;
#endif
    return c == codec::none;
}

namespace parquet {

/// Memory that is used again and again, never cleared.
class scratch {
public:
    /// `size` bytes of any value; what was handed out before is gone.
    [[nodiscard]] std::span<std::byte> take(std::size_t size) {
        if (size > capacity_) {
            bytes_.reset();
            bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
            capacity_ = size;
        }
        return {bytes_.get(), size};
    }

private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t capacity_ = 0;
};

/// The codec of a number in a file.
/// @throws unsupported_error  for the others, by name, and for those this program was compiled without
[[nodiscard]] inline codec codec_of(std::int32_t number) {
    static constexpr std::string_view names[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
                                                 "BROTLI",       "LZ4",    "ZSTD", "LZ4_RAW"};
    codec c = codec::none;
    if (number == 1)
        c = codec::snappy;
    else if (number == 2)
        c = codec::gzip;
    else if (number == 6)
        c = codec::zstd;
    else if (number < 0 || number > 7)
        throw parse_error(message("codec ", number, " is unknown"));
    else if (number != 0)
        throw unsupported_error(
            message("codec ", names[number], " is not read; expected UNCOMPRESSED, SNAPPY, GZIP or ZSTD"));
    if (!is_available(c))
        throw unsupported_error(message("codec ", names[number], ": this program was compiled without it; it needs ",
                                        c == codec::snappy ? "libsnappy-dev"
                                        : c == codec::gzip ? "zlib1g-dev"
                                                           : "libzstd-dev"));
    return c;
}

[[nodiscard]] constexpr std::int32_t number_of(codec c) noexcept {
    return c == codec::none ? 0 : c == codec::snappy ? 1 : c == codec::gzip ? 2 : 6;
}

/// Undoes compression, page after page, in memory of its own.
class decompressor {
public:
    /// Exactly `size` bytes, valid until the next call; `from` itself where it is not compressed.
    /// @throws parse_error  if the bytes give fewer, more, or cannot be decompressed
    [[nodiscard]] std::span<const std::byte> operator()(codec c, std::span<const std::byte> from, std::size_t size) {
        if (c == codec::none) {
            if (from.size() != size) throw parse_error(message("page of ", from.size(), " bytes that claims ", size));
            return from;
        }
        // No codec makes more of a byte than this, so a small page cannot ask for much memory: Snappy's longest copy is
        // 64 bytes from 3; Zstandard's densest block is 128 KiB from 4 (RFC 8878, section 3.1.1.2); deflate's longest
        // match is 258 bytes from 2 bits (RFC 1951, section 3.2.5).
        const std::size_t most = c == codec::snappy ? 22 : c == codec::gzip ? 1032 : 32768;
        if (size / most > from.size())
            throw parse_error(message("page of ", from.size(), " bytes that claims ", size, " uncompressed"));
        if (size == 0) return {};
        [[maybe_unused]] const std::span<std::byte> to = memory_.take(size);
#if defined(EDGE_HAS_SNAPPY)
        if (c == codec::snappy) {
            std::size_t length = 0;
            const char* bytes = reinterpret_cast<const char*>(from.data());
            if (snappy_uncompressed_length(bytes, from.size(), &length) != SNAPPY_OK || length != size)
                throw parse_error(message("Snappy page of ", length, " bytes that claims ", size));
            if (snappy_uncompress(bytes, from.size(), reinterpret_cast<char*>(to.data()), &length) != SNAPPY_OK)
                throw parse_error("Snappy cannot decompress the page");
            return to;
        }
#endif
#if defined(EDGE_HAS_ZSTD)
        if (c == codec::zstd) {
            if (context_ == nullptr) context_.reset(ZSTD_createDCtx());
            if (context_ == nullptr) throw std::bad_alloc();
            const std::size_t got = ZSTD_decompressDCtx(context_.get(), to.data(), size, from.data(), from.size());
            if (ZSTD_isError(got) != 0) throw parse_error(message("Zstandard: ", ZSTD_getErrorName(got)));
            if (got != size) throw parse_error(message("Zstandard page of ", got, " bytes that claims ", size));
            return to;
        }
#endif
#if defined(EDGE_HAS_ZLIB)
        if (c == codec::gzip) {
            gunzip(from, to);
            return to;
        }
#endif
        return {};
    }

private:
    scratch memory_;
#if defined(EDGE_HAS_ZSTD)
    struct free_context {
        void operator()(ZSTD_DCtx* c) const noexcept { ZSTD_freeDCtx(c); }
    };
    std::unique_ptr<ZSTD_DCtx, free_context> context_;
#endif
#if defined(EDGE_HAS_ZLIB)
    /// Members one after the other (RFC 1952), which together fill `to`; zlib's own form (RFC 1950) is taken too.
    static void gunzip(std::span<const std::byte> from, std::span<std::byte> to) {
        if (from.size() > 0x7FFFFFFF || to.size() > 0x7FFFFFFF)
            throw unsupported_error(message("gzip page of ", to.size(), " bytes; expected less than 2 GiB"));
        z_stream stream{};
        if (inflateInit2(&stream, 15 + 32) != Z_OK) throw std::bad_alloc();
        struct at_end {
            z_stream* s;
            ~at_end() { inflateEnd(s); }
        } const guard{&stream};
        stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()));  // which it does not write to
        stream.avail_in = static_cast<uInt>(from.size());
        stream.next_out = reinterpret_cast<Bytef*>(to.data());
        stream.avail_out = static_cast<uInt>(to.size());
        for (;;) {
            const int result = inflate(&stream, Z_FINISH);
            if (result != Z_STREAM_END)
                throw parse_error(
                    message("gzip: ", stream.msg != nullptr ? stream.msg : "the page is not what it claims"));
            if (stream.avail_in == 0) break;
            inflateReset(&stream);
        }
        if (stream.avail_out != 0)
            throw parse_error(message("gzip page of ", to.size() - stream.avail_out, " bytes that claims ", to.size()));
    }
#endif
};

/// Compresses, page after page, in memory of its own.
class compressor {
public:
    /// @throws unsupported_error  if this program was compiled without the codec
    explicit compressor(frame::codec c, int level = 3) : codec_(c), level_(level) {
        if (!is_available(c))
            throw unsupported_error(message("codec ", to_string(c), ": this program was compiled without it"));
    }

    [[nodiscard]] std::int32_t number() const noexcept { return number_of(codec_); }

    /// The compressed bytes, valid until the next call; `from` itself where nothing is to be done.
    [[nodiscard]] std::span<const std::byte> operator()(std::span<const std::byte> from) {
#if defined(EDGE_HAS_SNAPPY)
        if (codec_ == codec::snappy) {
            std::size_t length = snappy_max_compressed_length(from.size());
            const std::span<std::byte> to = memory_.take(length);
            snappy_compress(reinterpret_cast<const char*>(from.data()), from.size(), reinterpret_cast<char*>(to.data()),
                            &length);  // cannot fail: the room is what it asked for
            return to.first(length);
        }
#endif
#if defined(EDGE_HAS_ZSTD)
        if (codec_ == codec::zstd) {
            if (context_ == nullptr) context_.reset(ZSTD_createCCtx());
            if (context_ == nullptr) throw std::bad_alloc();
            const std::span<std::byte> to = memory_.take(ZSTD_compressBound(from.size()));
            const std::size_t length =
                ZSTD_compressCCtx(context_.get(), to.data(), to.size(), from.data(), from.size(), level_);
            if (ZSTD_isError(length) != 0) throw error(message("Zstandard: ", ZSTD_getErrorName(length)));
            return to.first(length);
        }
#endif
#if defined(EDGE_HAS_ZLIB)
        if (codec_ == codec::gzip) return gzip(from);
#endif
        return from;
    }

private:
    frame::codec codec_;
    [[maybe_unused]] int level_;  ///< of Zstandard
    scratch memory_;
#if defined(EDGE_HAS_ZSTD)
    struct free_context {
        void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
    };
    std::unique_ptr<ZSTD_CCtx, free_context> context_;
#endif
#if defined(EDGE_HAS_ZLIB)
    [[nodiscard]] std::span<const std::byte> gzip(std::span<const std::byte> from) {
        if (from.size() > 0x7FFFFFFF) throw unsupported_error(message("gzip page of ", from.size(), " bytes"));
        z_stream stream{};
        if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
        const std::span<std::byte> to = memory_.take(deflateBound(&stream, static_cast<uLong>(from.size())));
        stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()));
        stream.avail_in = static_cast<uInt>(from.size());
        stream.next_out = reinterpret_cast<Bytef*>(to.data());
        stream.avail_out = static_cast<uInt>(to.size());
        deflate(&stream, Z_FINISH);  // cannot fail: the room is what it asked for
        const std::size_t length = to.size() - stream.avail_out;
        deflateEnd(&stream);
        return to.first(length);
    }
#endif
};

}  // namespace parquet
}  // namespace edge::frame
