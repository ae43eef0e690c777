// SPDX-License-Identifier: MIT
#pragma once

/// @file One column of one row group, written: statistics, dictionary where it pays, pages.
///
/// Pages are of version 1, which every reader knows, with a checksum each. Columns are OPTIONAL always, so that a chunk
/// without a missing value has the same schema as the next one with some; its levels are then one run.

#include <edge/frame/column.hpp>
#include <edge/frame/parquet/codec.hpp>
#include <edge/frame/parquet/crc32.hpp>
#include <edge/frame/parquet/dictionary.hpp>
#include <edge/frame/parquet/metadata.hpp>
#include <edge/frame/parquet/rle.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::parquet {

[[nodiscard]] constexpr physical physical_of(kind k) noexcept {
    switch (k) {
        case kind::boolean: return physical::boolean;
        case kind::float32: return physical::float32;
        case kind::float64: return physical::float64;
        case kind::string: return physical::byte_array;
        default: return value_bytes(k) == 8 ? physical::int64 : physical::int32;
    }
}

/// Whether the bytes are UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. RFC 3629, section 4.
[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const auto* end = p + text.size();
    while (p != end) {
        std::uint64_t eight = 0;
        while (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080U) == 0)) p += 8;
        if (p == end) break;
        if (*p < 0x80) {
            ++p;
            continue;
        }
        const int more = *p >= 0xC2 && *p <= 0xDF ? 1 : *p >= 0xE0 && *p <= 0xEF ? 2 : *p >= 0xF0 && *p <= 0xF4 ? 3 : 0;
        if (more == 0 || end - p <= more) return false;
        for (int i = 1; i <= more; ++i)
            if ((p[i] & 0xC0U) != 0x80U) return false;
        if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) || (*p == 0xF0 && p[1] < 0x90) ||
            (*p == 0xF4 && p[1] > 0x8F))
            return false;
        p += more + 1;
    }
    return true;
}

namespace detail {

/// The unsigned integer whose bits a file holds of a T: narrow integers are stored in 32 bits.
template <class T>
using bits_of = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

template <class T>
[[nodiscard]] bits_of<T> stored_bits(T value) noexcept {
    if constexpr (std::is_floating_point_v<T>)
        return std::bit_cast<bits_of<T>>(value);
    else
        return static_cast<bits_of<T>>(value);  // sign-extended where it is signed
}

template <class T>
[[nodiscard]] std::string plain_text(T value) {
    std::string text(sizeof value, '\0');
    std::memcpy(text.data(), &value, sizeof value);
    return text;
}

/// Smallest and largest as readers may rely on them: NaN counts for nothing, and a zero stands for both zeros.
/// Source: apache/parquet-format, parquet.thrift, at ColumnOrder.
template <class T>
void set_bounds(std::span<const T> values, statistics& s) {
    std::optional<std::pair<T, T>> bounds;
    for (const T v : values) {
        if (v != v) continue;
        if (!bounds) bounds.emplace(v, v);
        if (v < bounds->first) bounds->first = v;
        if (bounds->second < v) bounds->second = v;
    }
    if (!bounds) return;
    if constexpr (std::is_floating_point_v<T>) {
        if (bounds->first == 0) bounds->first = -T{0};
        if (bounds->second == 0) bounds->second = T{0};
    }
    s.min = plain_text(stored_bits(bounds->first));
    s.max = plain_text(stored_bits(bounds->second));
}

}  // namespace detail

class chunk_writer {
public:
    /// @param page_bytes  of the values of a page, about
    /// @throws unsupported_error  if the program was compiled without the codec
    chunk_writer(codec c, int level, bool dictionary, std::size_t page_bytes)
        : pack_(c, level), may_use_dictionary_(dictionary), page_bytes_(page_bytes) {}

    /// The chunk's pages into `to`, which is empty. A dictionary comes first; where the data begins is said from there.
    [[nodiscard]] column_chunk write(const column& values, const std::string& name, std::vector<std::byte>& to) {
        to_ = &to;
        has_data_ = false;
        chunk_ = {};
        chunk_.type = physical_of(values.kind());
        chunk_.codec = pack_.number();
        chunk_.path = {name};
        chunk_.values = static_cast<std::int64_t>(values.size());
        chunk_.statistics.null_count = static_cast<std::int64_t>(values.null_count());
        chunk_.encodings = {encoding::plain, encoding::rle};
        const bit_view validity = values.validity();
        const std::size_t present = values.size() - values.null_count();
        switch (values.kind()) {
            case kind::boolean: write_booleans(values, validity); break;
            case kind::string: write_texts(values, validity, present); break;
            default:
                dispatch_stored(values.kind(),
                                [&]<class T>() { write_numbers(values.values<T>(), validity, present); });
        }
        return std::move(chunk_);
    }

private:
    // ---- values ----------------------------------------------------------------------------------------------------

    void write_booleans(const column& values, const bit_view& validity) {
        const bit_view all = values.booleans();
        bool seen[2] = {false, false};
        pages(values.size(), 8 * page_bytes_, [&](std::size_t first, std::size_t count) {
            begin_page(validity, first, count);
            unsigned octet = 0;
            unsigned used = 0;
            for (std::size_t i = first; i < first + count; ++i) {
                if (!validity[i]) continue;
                const bool bit = all[i];
                seen[bit ? 1 : 0] = true;
                octet |= (bit ? 1U : 0U) << used;
                if (++used == 8) {
                    page_.push_back(static_cast<std::byte>(octet));
                    octet = used = 0;
                }
            }
            if (used != 0) page_.push_back(static_cast<std::byte>(octet));
            end_page(encoding::plain, count);
        });
        if (!seen[0] && !seen[1]) return;
        chunk_.statistics.min = std::string(1, seen[0] ? '\0' : '\1');
        chunk_.statistics.max = std::string(1, seen[1] ? '\1' : '\0');
    }

    template <class T>
    void write_numbers(std::span<const T> rows, const bit_view& validity, std::size_t present) {
        using bits = detail::bits_of<T>;
        std::vector<T> kept;  // those that have a value, side by side
        std::span<const T> values = rows;
        if (present != rows.size()) {
            kept.reserve(present);
            for (std::size_t i = 0; i < rows.size(); ++i)
                if (validity[i]) kept.push_back(rows[i]);
            values = kept;
        }
        detail::set_bounds(values, chunk_.statistics);
        std::vector<bits> stored(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) stored[i] = detail::stored_bits(values[i]);
        write_stored<bits>(stored, validity, rows.size());
    }

    template <class B>
    void write_stored(std::span<const B> values, const bit_view& validity, std::size_t rows) {
        if (may_use_dictionary_) {
            auto& distinct = words<B>();
            if (distinct.build(values) &&
                pays(distinct.values().size_bytes(), distinct.values().size(), values.size(), values.size_bytes())) {
                page_.clear();
                append(distinct.values().data(), distinct.values().size_bytes());
                return write_indexes(distinct.values().size(), distinct.indexes(), validity, rows);
            }
        }
        std::size_t next = 0;
        pages(rows, page_bytes_ / sizeof(B), [&](std::size_t first, std::size_t count) {
            const std::size_t n = begin_page(validity, first, count);
            append(values.data() + next, n * sizeof(B));
            next += n;
            end_page(encoding::plain, count);
        });
    }

    void write_texts(const column& rows, const bit_view& validity, std::size_t present) {
        std::vector<std::string_view> values;
        values.reserve(present);
        std::size_t total = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (!validity[i]) continue;
            values.push_back(rows.text(i));
            total += values.back().size() + 4;
        }
        if (!values.empty()) {
            const auto [least, most] = std::minmax_element(values.begin(), values.end());
            if (least->size() <= max_bound && most->size() <= max_bound) {
                chunk_.statistics.min = std::string(*least);
                chunk_.statistics.max = std::string(*most);
            }
        }
        if (may_use_dictionary_ && rows.is_dictionary()) {
            std::vector<std::uint32_t> codes;
            codes.reserve(present);
            for (std::size_t i = 0; i < rows.size(); ++i)
                if (validity[i]) codes.push_back(static_cast<std::uint32_t>(rows.codes()[i]));
            if (narrow_.build(codes) &&
                write_dictionary(narrow_, total, validity, rows.size(),
                                 [&](std::uint32_t code) { return rows.dictionary().text(code); }))
                return;
        } else if (may_use_dictionary_ && words_.build(values)) {
            if (write_dictionary(words_, total, validity, rows.size(), [](std::string_view word) { return word; }))
                return;
        }
        // As many rows as the average says fill a page; a page may be larger where strings are.
        std::size_t next = 0;
        const std::size_t each = (std::max)(total / (std::max)(rows.size(), std::size_t{1}), std::size_t{1});
        pages(rows.size(), page_bytes_ / each, [&](std::size_t first, std::size_t count) {
            const std::size_t n = begin_page(validity, first, count);
            for (std::size_t i = 0; i < n; ++i) append_text(values[next++]);
            end_page(encoding::plain, count);
        });
    }

    /// Writes the different texts and the indexes where that is smaller than the texts. `text_of(key)` is a key's text.
    template <class K, class TextOf>
    bool write_dictionary(const dictionary_builder<K>& distinct, std::size_t plain_bytes, const bit_view& validity,
                          std::size_t rows, TextOf&& text_of) {
        std::size_t bytes = 0;
        for (const K& key : distinct.values()) bytes += text_of(key).size() + 4;
        if (bytes > page_bytes_ || !pays(bytes, distinct.values().size(), distinct.indexes().size(), plain_bytes))
            return false;
        page_.clear();
        for (const K& key : distinct.values()) append_text(text_of(key));
        write_indexes(distinct.values().size(), distinct.indexes(), validity, rows);
        return true;
    }

    /// Whether indexes and a dictionary are clearly smaller than the values.
    static bool pays(std::size_t dictionary_bytes, std::size_t distinct, std::size_t count,
                     std::size_t plain_bytes) noexcept {
        const auto width = static_cast<std::size_t>(bits_for(static_cast<std::uint32_t>(distinct - 1)));
        return dictionary_bytes + count * width / 8 < plain_bytes / 4 * 3;
    }

    /// The dictionary, which is in `page_`, and the pages of indexes into it.
    void write_indexes(std::size_t distinct, std::span<const std::uint32_t> indexes, const bit_view& validity,
                       std::size_t rows) {
        chunk_.encodings.push_back(encoding::rle_dictionary);
        write_page(page_type::dictionary, encoding::plain, distinct);
        const int width = bits_for(static_cast<std::uint32_t>(distinct - 1));
        rle_writer runs(width);
        std::size_t next = 0;
        pages(rows, page_bytes_, [&](std::size_t first, std::size_t count) {
            const std::size_t n = begin_page(validity, first, count);
            page_.push_back(static_cast<std::byte>(width));
            runs.clear();
            runs.write(indexes.subspan(next, n));
            page_.insert(page_.end(), runs.bytes().begin(), runs.bytes().end());
            next += n;
            end_page(encoding::rle_dictionary, count);
        });
    }

    // ---- pages -----------------------------------------------------------------------------------------------------

    /// Calls `write(first, count)` for parts of the rows; once where there are none, since a chunk has a page.
    template <class F>
    static void pages(std::size_t rows, std::size_t each, F&& write) {
        each = (std::max)(each / 8 * 8, std::size_t{8});
        for (std::size_t first = 0; first < rows || first == 0; first += each)
            write(first, (std::min)(each, rows - first));
    }

    /// Levels of some rows. Returns how many have a value.
    std::size_t begin_page(const bit_view& validity, std::size_t first, std::size_t count) {
        const bit_view some{validity.bytes, validity.offset + first, count};
        levels_.clear();
        if (count != 0) levels_.write(some);
        page_.clear();
        const auto length = static_cast<std::uint32_t>(levels_.bytes().size());
        append(&length, 4);
        append(levels_.bytes().data(), length);
        return some.count();
    }

    void end_page(encoding e, std::size_t rows) {
        if (!std::exchange(has_data_, true)) chunk_.data_page_offset = static_cast<std::int64_t>(to_->size());
        write_page(page_type::data, e, rows);
    }

    void write_page(page_type type, encoding e, std::size_t count) {
        if (page_.size() > (std::size_t{1} << 30))  // sizes in the format have 31 bits
            throw unsupported_error(
                message("column '", chunk_.path.front(), "': ", page_.size(), " bytes of strings in a page"));
        const std::span<const std::byte> packed = pack_(page_);
        header_.clear();
        header_.structure([&] {
            header_.i32(1, static_cast<std::int32_t>(type));
            header_.i32(2, static_cast<std::int32_t>(page_.size()));
            header_.i32(3, static_cast<std::int32_t>(packed.size()));
            header_.i32(4, static_cast<std::int32_t>(crc32(packed)));
            header_.structure(type == page_type::data ? 5 : 7, [&] {
                header_.i32(1, static_cast<std::int32_t>(count));
                header_.i32(2, static_cast<std::int32_t>(e));
                if (type != page_type::data) return;
                header_.i32(3, static_cast<std::int32_t>(encoding::rle));
                header_.i32(4, static_cast<std::int32_t>(encoding::rle));
            });
        });
        to_->insert(to_->end(), header_.bytes().begin(), header_.bytes().end());
        to_->insert(to_->end(), packed.begin(), packed.end());
        chunk_.uncompressed_bytes += static_cast<std::int64_t>(header_.bytes().size() + page_.size());
        chunk_.compressed_bytes += static_cast<std::int64_t>(header_.bytes().size() + packed.size());
    }

    void append(const void* data, std::size_t size) {
        const auto* bytes = static_cast<const std::byte*>(data);
        page_.insert(page_.end(), bytes, bytes + size);
    }
    void append_text(std::string_view text) {
        const auto length = static_cast<std::uint32_t>(text.size());
        append(&length, 4);
        append(text.data(), text.size());
    }

    template <class K>
    dictionary_builder<K>& words() noexcept {
        if constexpr (std::is_same_v<K, std::uint32_t>) return narrow_;
        if constexpr (std::is_same_v<K, std::uint64_t>) return wide_;
    }

    static constexpr std::size_t max_bound = 256;  // longer strings are no use as a bound, and swell the footer

    std::vector<std::byte>* to_ = nullptr;
    bool has_data_ = false;
    compressor pack_;
    bool may_use_dictionary_;
    std::size_t page_bytes_;
    column_chunk chunk_;
    std::vector<std::byte> page_;
    rle_writer levels_{1};
    thrift_writer header_;
    dictionary_builder<std::uint32_t> narrow_;
    dictionary_builder<std::uint64_t> wide_;
    dictionary_builder<std::string_view> words_;
};

}  // namespace edge::frame::parquet
