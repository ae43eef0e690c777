// SPDX-License-Identifier: MIT
#pragma once

/// @file The pages of a column chunk: found, checked, decompressed, levels read, values handed on.

#include <edge/frame/parquet/codec.hpp>
#include <edge/frame/parquet/crc32.hpp>
#include <edge/frame/parquet/metadata.hpp>
#include <edge/frame/parquet/source.hpp>
#include <edge/frame/parquet/values.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace edge::frame::parquet {

struct page_limits {
    std::size_t max_page_bytes = 0;
    bool verify_checksums = true;
    bool null_out_of_range = false;
};

/// Calls `f`; what it throws about bytes gets `where()` in front.
template <class Where, class F>
decltype(auto) located(Where&& where, F&& f) {
    try {
        return std::forward<F>(f)();
    } catch (const unsupported_error& e) {
        throw unsupported_error(message(where(), ": ", e.what()));
    } catch (const parse_error& e) {
        throw parse_error(message(where(), ": ", e.what()));
    }
}

/// Reads one column of one row group.
class chunk_reader {
public:
    /// @param end  where the pages must have ended: the footer begins
    chunk_reader(byte_source& from, std::uint64_t end, const field& f, byte_budget& budget, const page_limits& limits,
                 decompressor& unpack)
        : from_(from),
          end_(end),
          field_(f),
          budget_(budget),
          limits_(limits),
          unpack_(unpack),
          values_(f, budget, limits.null_out_of_range) {}

    /// Appends the `rows` rows of a chunk.
    /// @throws parse_error        if the bytes are not that; the message gives the page
    /// @throws unsupported_error  for a codec or an encoding that is not read
    void read(const column_chunk& chunk, std::uint64_t rows, column_sink& to) {
        if (!chunk.is_readable) throw unsupported_error("it is encrypted or in another file");
        if (chunk.type != field_.type)
            throw parse_error(
                message("its values are ", to_string(chunk.type), ", in the schema ", to_string(field_.type)));
        const codec c = codec_of(chunk.codec);
        // Some writers give an offset of 0 where there is no dictionary.
        const bool has_dictionary =
            chunk.dictionary_page_offset > 0 && chunk.dictionary_page_offset < chunk.data_page_offset;
        const std::int64_t start = has_dictionary ? chunk.dictionary_page_offset : chunk.data_page_offset;
        if (start < 0 || static_cast<std::uint64_t>(start) >= end_)
            if (rows != 0) throw parse_error(message("its pages begin at byte ", start, " of ", end_));
        auto offset = static_cast<std::uint64_t>(start);
        for (std::uint64_t left = rows; left != 0;) {
            const std::uint64_t page = offset;
            located([&] { return message("page at byte ", page); }, [&] { read_page(c, offset, left, to); });
        }
    }

private:
    /// The header at `offset`, which is moved past it. Headers hold statistics, so there is no telling how long one is.
    page_header read_header(std::uint64_t& offset) {
        const std::uint64_t left = end_ - offset;
        for (std::uint64_t room = 256;; room *= 16) {
            const auto bytes = from_.at(offset, static_cast<std::size_t>((std::min)(room, left)));
            try {
                const auto [header, length] = read_page_header(bytes);
                offset += length;
                return header;
            } catch (const parse_error&) {
                if (room >= left || room >= max_header) throw;
            }
        }
    }

    void read_page(codec c, std::uint64_t& offset, std::uint64_t& left, column_sink& to) {
        if (offset >= end_) throw parse_error(message("the pages end, ", left, " rows are missing"));
        const page_header page = read_header(offset);
        const auto size = static_cast<std::size_t>(page.compressed_bytes);
        const auto unpacked = static_cast<std::size_t>(page.uncompressed_bytes);
        if (size > end_ - offset)
            throw parse_error(message("of ", size, " bytes, ", end_ - offset, " left in the file"));
        if (unpacked > limits_.max_page_bytes || size > limits_.max_page_bytes)
            throw parse_error(
                message("of ", unpacked, " bytes; option max_page_bytes allows ", limits_.max_page_bytes));
        if (page.type == page_type::index) {
            offset += size;
            return;
        }
        const std::span<const std::byte> bytes = from_.at(offset, size);
        offset += size;
        if (limits_.verify_checksums && page.crc && *page.crc != crc32(bytes))
            throw parse_error(message("checksum ", crc32(bytes), "; expected ", *page.crc,
                                      " (option verify_checksums = false reads it all the same)"));
        const auto count = static_cast<std::size_t>(page.values);
        if (page.type == page_type::dictionary)
            return values_.read_dictionary(page.encoding, unpack_(c, bytes, unpacked), count);
        if (count > left) throw parse_error(message("of ", count, " values, ", left, " rows left in the row group"));
        if (page.type == page_type::data)
            read_data(page, unpack_(c, bytes, unpacked), count, to);
        else
            read_data_v2(c, page, bytes, unpacked, count, to);
        to.rows += count;
        left -= count;
        const bool has_indexes =
            page.encoding == encoding::plain_dictionary || page.encoding == encoding::rle_dictionary;
        if (!has_indexes && to.has_many_words()) to.write_out(budget_);
    }

    void read_data(const page_header& page, std::span<const std::byte> bytes, std::size_t rows, column_sink& to) {
        std::size_t present = rows;
        if (!field_.is_optional) {
            to.validity.append(rows, true);
        } else if (page.level_encoding == encoding::bit_packed) {  // the old one, from the high end of each byte on
            const std::size_t length = bitmap_bytes(rows);
            if (length > bytes.size())
                throw parse_error(message("levels of ", length, " bytes, ", bytes.size(), " left"));
            present = 0;
            for (std::size_t i = 0; i < rows; ++i) {
                const bool bit = (octets(bytes)[i / 8] >> (7 - i % 8) & 1) != 0;
                present += bit ? 1 : 0;
                to.validity.push_back(bit);
            }
            bytes = bytes.subspan(length);
        } else if (page.level_encoding == encoding::rle) {
            std::uint32_t length = 0;
            if (bytes.size() < 4) throw parse_error("the page ends before its levels");
            std::memcpy(&length, bytes.data(), 4);
            bytes = bytes.subspan(4);
            if (length > bytes.size())
                throw parse_error(message("levels of ", length, " bytes, ", bytes.size(), " left"));
            present = rle_reader(bytes.first(length), 1).read_bits(rows, to.validity);
            bytes = bytes.subspan(length);
        } else {
            throw unsupported_error(message("levels in encoding ", to_string(page.level_encoding)));
        }
        hand_on(page, bytes, rows, present, to);
    }

    void read_data_v2(codec c, const page_header& page, std::span<const std::byte> bytes, std::size_t unpacked,
                      std::size_t rows, column_sink& to) {
        if (page.definition_level_bytes < 0 || page.repetition_level_bytes < 0)
            throw parse_error(
                message("levels of ", page.definition_level_bytes, " and ", page.repetition_level_bytes, " bytes"));
        const auto repetition = static_cast<std::size_t>(page.repetition_level_bytes);
        const auto definition = static_cast<std::size_t>(page.definition_level_bytes);
        const std::size_t levels = repetition + definition;
        if (levels > bytes.size() || levels > unpacked)
            throw parse_error(message("levels of ", levels, " bytes in a page of ", bytes.size()));
        std::size_t present = rows;
        if (field_.is_optional)
            present = rle_reader(bytes.subspan(repetition, definition), 1).read_bits(rows, to.validity);
        else
            to.validity.append(rows, true);
        if (page.nulls < 0 || static_cast<std::size_t>(page.nulls) != rows - present)
            throw parse_error(
                message("of ", page.nulls, " missing values by its header, ", rows - present, " by its levels"));
        bytes = bytes.subspan(levels);
        if (page.is_compressed && !bytes.empty()) bytes = unpack_(c, bytes, unpacked - levels);
        hand_on(page, bytes, rows, present, to);
    }

    void hand_on(const page_header& page, std::span<const std::byte> bytes, std::size_t rows, std::size_t present,
                 column_sink& to) {
        const bit_view all = to.validity.view();
        values_.read(page.encoding, bytes, rows, present, {all.bytes, all.size - rows, rows}, to);
    }

    static constexpr std::uint64_t max_header = std::uint64_t{16} << 20;

    byte_source& from_;
    std::uint64_t end_;
    const field& field_;
    byte_budget& budget_;
    const page_limits& limits_;
    decompressor& unpack_;
    value_reader values_;
};

}  // namespace edge::frame::parquet
