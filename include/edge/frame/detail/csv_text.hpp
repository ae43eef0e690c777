// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows of a table as CSV text.

#include <edge/frame/detail/number_text.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame::detail {

/// Whether a text cannot stand in a cell as it is: an empty one would be missing, and a mark at the start of a file is no
/// part of the text.
[[nodiscard]] inline bool needs_quotes(std::string_view text, char delimiter) noexcept {
    if (text.empty() || text.starts_with("\xEF\xBB\xBF")) return true;
    constexpr std::uint64_t ones = 0x0101010101010101U;
    const std::uint64_t separators = ones * static_cast<unsigned char>(delimiter);
    std::uint64_t found = 0;
    while (text.size() >= 8) {
        const std::uint64_t word = simd::load_word(text.data());
        using simd::detail::zero_bytes;
        found |= zero_bytes(word ^ separators) | zero_bytes(word ^ ones * '"') | zero_bytes(word ^ ones * '\n') |
                 zero_bytes(word ^ ones * '\r');
        text.remove_prefix(8);
    }
    for (const char c : text) found |= c == delimiter || c == '"' || c == '\n' || c == '\r';
    return found != 0;
}

/// Writes a text as a cell; it takes at most 2 * size + 2 bytes.
inline char* put_text(char* to, std::string_view text, char delimiter) noexcept {
    if (!needs_quotes(text, delimiter)) {
        std::memcpy(to, text.data(), text.size());
        return to + text.size();
    }
    *to++ = '"';
    for (const char c : text) {
        if (c == '"') *to++ = '"';
        *to++ = c;
    }
    *to++ = '"';
    return to;
}

[[nodiscard]] inline std::string csv_header(const table& t, char delimiter) {
    std::string line;
    for (const std::string& name : t.names()) {
        const std::size_t before = line.size();
        line.resize(before + 2 * name.size() + 3);
        const char* const end = put_text(line.data() + before, name, delimiter);
        line.resize(static_cast<std::size_t>(end - line.data()));
        line += delimiter;
    }
    if (line.empty()) return "\n";
    line.back() = '\n';
    return line;
}

/// Rows of one table, made into text block after block.
class csv_text {
public:
    void begin(const table& t, char delimiter) {
        delimiter_ = delimiter;
        columns_.clear();
        for (const column& c : t.columns())
            columns_.push_back({&c, c.kind(), c.raw_values(), c.validity(), {}, {}, {}, {}});
        for (cells& c : columns_)
            if (c.of->is_dictionary()) encode_words(c);
    }

    void put_rows(std::size_t first, std::size_t last) {
        text_.shrink(0);
        const std::size_t room = columns_.size() * (number_room + 1);
        for (std::size_t row = first; row < last; ++row) {
            char* to = make_room(room);
            for (cells& c : columns_) {
                if (c.valid[row])
                    to = put(to, c, row);
                else if (columns_.size() == 1) {  // an empty line is no row
                    *to++ = '"';
                    *to++ = '"';
                }
                *to++ = delimiter_;
            }
            to[-1] = '\n';
            text_.shrink(static_cast<std::size_t>(to - text_.data()));
        }
    }

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

private:
    struct cells {
        const column* of;
        frame::kind kind;
        const std::byte* values;
        bit_view valid;
        float_writer<double> doubles;
        float_writer<float> floats;
        time_writer times;
        std::vector<std::string> words;  ///< of a dictionary, as cells
    };

    /// `bytes` more at the end, not counted as text yet.
    char* make_room(std::size_t bytes) {
        char* const to = text_.extend(bytes);
        text_.shrink(text_.size() - bytes);
        return to;
    }

    /// A place for a cell of `bytes` bytes, with as much behind it as the rest of the row needs.
    char* room_for(char* to, std::size_t bytes) {
        text_.shrink(static_cast<std::size_t>(to - text_.data()));
        return make_room(bytes + columns_.size() * (number_room + 1));
    }

    void encode_words(cells& c) const {
        const column& dictionary = c.of->dictionary();
        for (std::size_t i = 0; i < dictionary.size(); ++i) {
            std::string word(2 * dictionary.text(i).size() + 2, '\0');
            word.resize(static_cast<std::size_t>(put_text(word.data(), dictionary.text(i), delimiter_) - word.data()));
            c.words.push_back(std::move(word));
        }
    }

    template <class T>
    [[nodiscard]] static T value(const cells& c, std::size_t row) noexcept {
        return reinterpret_cast<const T*>(c.values)[row];
    }

    char* put(char* to, cells& c, std::size_t row) {
        switch (c.kind) {
            case kind::boolean: {
                const std::string_view word = c.of->booleans()[row] ? "true" : "false";
                std::memcpy(to, word.data(), word.size());
                return to + word.size();
            }
            case kind::int8: return put_signed(to, value<std::int8_t>(c, row));
            case kind::int16: return put_signed(to, value<std::int16_t>(c, row));
            case kind::int32: return put_signed(to, value<std::int32_t>(c, row));
            case kind::int64: return put_signed(to, value<std::int64_t>(c, row));
            case kind::uint8: return put_unsigned(to, value<std::uint8_t>(c, row));
            case kind::uint16: return put_unsigned(to, value<std::uint16_t>(c, row));
            case kind::uint32: return put_unsigned(to, value<std::uint32_t>(c, row));
            case kind::uint64: return put_unsigned(to, value<std::uint64_t>(c, row));
            case kind::float32: return c.floats.put(to, value<float>(c, row));
            case kind::float64: return c.doubles.put(to, value<double>(c, row));
            case kind::date: return c.times.put_date(to, value<std::int32_t>(c, row));
            case kind::timestamp: return put_time(to, c, row);
            case kind::string: break;
        }
        if (c.of->is_dictionary()) {
            const std::string& word = c.words[static_cast<std::size_t>(c.of->codes()[row])];
            to = room_for(to, word.size());
            std::memcpy(to, word.data(), word.size());
            return to + word.size();
        }
        const std::string_view text = c.of->text(row);
        return put_text(room_for(to, 2 * text.size() + 2), text, delimiter_);
    }

    char* put_time(char* to, cells& c, std::size_t row) {
        if (delimiter_ != ':') return c.times.put_timestamp(to, value<std::int64_t>(c, row));
        *to++ = '"';
        to = c.times.put_timestamp(to, value<std::int64_t>(c, row));
        *to++ = '"';
        return to;
    }

    char delimiter_ = ',';
    std::vector<cells> columns_;
    growing<char> text_;
};

}  // namespace edge::frame::detail
