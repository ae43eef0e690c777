// SPDX-License-Identifier: MIT
#pragma once

/// @file The encodings that store differences, and the one that stores the bytes of numbers apart.
///
///     const std::size_t used = read_delta(bytes, numbers);          // DELTA_BINARY_PACKED
///     read_delta_strings(bytes, views, arena);                      // DELTA_BYTE_ARRAY
///
/// Source: apache/parquet-format, Encodings.md, "Delta Encoding", "Delta-length byte array", "Delta Strings", "Byte
/// Stream Split".

#include <edge/frame/parquet/rle.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame::parquet {

/// Fills `out` from DELTA_BINARY_PACKED bytes, which must hold exactly as many values. Returns how many bytes they
/// took. Arithmetic wraps, as the format asks.
/// @throws parse_error  if the bytes are not that
template <class T>
std::size_t read_delta(std::span<const std::byte> bytes, std::span<T> out) {
    std::size_t position = 0;
    const auto varint = [&] {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (position == bytes.size()) throw parse_error("DELTA_BINARY_PACKED: the bytes end");
            const auto b = std::to_integer<std::uint64_t>(bytes[position++]);
            value |= (b & 127U) << shift;
            if (b < 128) return value;
        }
        throw parse_error("DELTA_BINARY_PACKED: a number of more than ten bytes");
    };
    const auto zigzag = [&] {
        const std::uint64_t v = varint();
        return v >> 1 ^ (~(v & 1) + 1);
    };
    const std::uint64_t block = varint();
    const std::uint64_t parts = varint();
    const std::uint64_t total = varint();
    std::uint64_t value = zigzag();
    if (block == 0 || block > (1U << 24) || parts == 0 || parts > block || block % parts != 0 || block / parts % 8 != 0)
        throw parse_error(message("DELTA_BINARY_PACKED: blocks of ", block, " values in ", parts, " parts"));
    if (total != out.size())
        throw parse_error(message("DELTA_BINARY_PACKED: ", total, " values; expected ", out.size()));
    if (out.empty()) return position;
    out[0] = static_cast<T>(value);
    const std::size_t each = static_cast<std::size_t>(block / parts);
    for (std::size_t done = 1; done < out.size();) {
        const std::uint64_t least = zigzag();
        if (bytes.size() - position < parts) throw parse_error("DELTA_BINARY_PACKED: the bytes end");
        const auto widths = bytes.subspan(position, static_cast<std::size_t>(parts));
        position += widths.size();
        for (std::size_t part = 0; part < widths.size() && done < out.size(); ++part) {
            const auto width = std::to_integer<unsigned>(widths[part]);
            if (width > 64) throw parse_error(message("DELTA_BINARY_PACKED: bit width ", width));
            const std::size_t n = (std::min)(each, out.size() - done);
            const std::size_t length = (std::min)(each / 8 * width, bytes.size() - position);
            if (length < (n * width + 7) / 8) throw parse_error("DELTA_BINARY_PACKED: the bytes end");
            const auto packed = bytes.subspan(position, length);
            position += length;
            for (std::size_t i = 0; i < n; ++i) {
                value += least + (width == 0 ? 0 : packed_value(packed, i, width));
                out[done++] = static_cast<T>(value);
            }
        }
    }
    return position;
}

/// Fills `out` with DELTA_LENGTH_BYTE_ARRAY strings, which lie in `bytes`. Returns how many bytes they took.
/// @throws parse_error  if the bytes are not that
inline std::size_t read_delta_lengths(std::span<const std::byte> bytes, std::span<std::string_view> out) {
    std::vector<std::int64_t> lengths(out.size());
    std::size_t position = read_delta(bytes, std::span(lengths));
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (lengths[i] < 0 || static_cast<std::uint64_t>(lengths[i]) > bytes.size() - position)
            throw parse_error(message("string ", i, " of ", lengths[i], " bytes, ", bytes.size() - position, " left"));
        const auto n = static_cast<std::size_t>(lengths[i]);
        out[i] = {reinterpret_cast<const char*>(bytes.data()) + position, n};
        position += n;
    }
    return position;
}

/// Fills `out` with DELTA_BYTE_ARRAY strings, put together in `arena`, of which at most `most` bytes are used.
/// @throws parse_error  if the bytes are not that, or the strings are longer together
inline void read_delta_strings(std::span<const std::byte> bytes, std::span<std::string_view> out, std::string& arena,
                               std::size_t most) {
    std::vector<std::int64_t> prefixes(out.size());
    const std::size_t used = read_delta(bytes, std::span(prefixes));
    read_delta_lengths(bytes.subspan(used), out);
    std::size_t total = 0;
    std::size_t before = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (prefixes[i] < 0 || static_cast<std::uint64_t>(prefixes[i]) > before)
            throw parse_error(message("string ", i, " shares ", prefixes[i], " bytes with one of ", before));
        before = static_cast<std::size_t>(prefixes[i]) + out[i].size();
        if (before > most - total) throw parse_error(message("more than ", most, " bytes of strings in a page"));
        total += before;
    }
    arena.clear();
    arena.reserve(total);  // so that the views into it stay
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t start = arena.size();
        if (i != 0) arena.append(out[i - 1].substr(0, static_cast<std::size_t>(prefixes[i])));
        arena.append(out[i]);
        out[i] = std::string_view(arena).substr(start);
    }
}

/// Puts `out.size() / width` values of `width` bytes together again from BYTE_STREAM_SPLIT bytes.
/// @throws parse_error  if there are not exactly as many
inline void read_split(std::span<const std::byte> bytes, std::size_t width, std::span<std::byte> out) {
    if (bytes.size() != out.size())
        throw parse_error(message("BYTE_STREAM_SPLIT: ", bytes.size(), " bytes; expected ", out.size()));
    const std::size_t n = width == 0 ? 0 : out.size() / width;
    for (std::size_t k = 0; k < width; ++k)
        for (std::size_t i = 0; i < n; ++i) out[i * width + k] = bytes[k * n + i];
}

}  // namespace edge::frame::parquet
