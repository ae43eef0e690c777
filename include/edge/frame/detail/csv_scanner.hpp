// SPDX-License-Identifier: MIT
#pragma once

/// @file Cutting CSV text into cells, as RFC 4180 says, with LF, CR LF or CR line ends; empty lines are skipped.
///
/// A quote inside a cell that does not begin with one is an ordinary character. One pass, no look-back: O(bytes).

#include <edge/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edge::frame::detail {

struct csv_cell {
    std::string_view text;  ///< valid until the next cell is read
    bool quoted = false;
};

class csv_scanner {
public:
    csv_scanner(std::string_view text, std::string_view name, char delimiter)
        : at_(text.data()), end_(text.data() + text.size()), name_(name), delimiter_(delimiter) {
        for (const char c : {delimiter, '\n', '\r'}) ends_cell_[static_cast<unsigned char>(c)] = true;
    }

    /// Goes to the next line that is not empty; false at the end of the text.
    bool next_row() {
        while (at_ != end_ && is_line_end(*at_)) skip_line_end();
        if (at_ == end_) return false;
        ++row_;
        row_line_ = line_;
        more_ = true;
        return true;
    }

    /// Whether the row has another cell.
    [[nodiscard]] bool more() const noexcept { return more_; }

    /// @throws parse_error  if a quoted cell does not end, or ends in the middle of the cell
    csv_cell next() {
        csv_cell cell;
        if (at_ != end_ && *at_ == '"') {
            cell = quoted();
        } else {
            const char* begin = at_;
            while (at_ != end_ && !ends_cell_[static_cast<unsigned char>(*at_)]) ++at_;
            cell.text = {begin, static_cast<std::size_t>(at_ - begin)};
        }
        more_ = at_ != end_ && *at_ == delimiter_;
        if (more_)
            ++at_;
        else if (at_ != end_)
            skip_line_end();
        return cell;
    }

    /// The row that is being read, for messages; the header is row 1.
    [[nodiscard]] std::string where() const { return message(name_, ": row ", row_, " (line ", row_line_, ")"); }

private:
    static bool is_line_end(char c) noexcept { return c == '\n' || c == '\r'; }

    void skip_line_end() noexcept {
        if (*at_ == '\r' && at_ + 1 != end_ && at_[1] == '\n') ++at_;
        ++at_;
        ++line_;
    }

    csv_cell quoted() {
        const std::size_t first_line = line_;
        const char* begin = ++at_;
        bool doubled = false;
        scratch_.clear();
        for (;; ++at_) {
            if (at_ == end_)
                throw parse_error(
                    message(name_, ": row ", row_, " (line ", first_line, "): a quote begins here and does not end"));
            if (*at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] != '\n'))) ++line_;
            if (*at_ != '"') continue;
            if (at_ + 1 == end_ || at_[1] != '"') break;
            doubled = true;  // keeps one of the two
            scratch_.append(begin, at_ + 1);
            begin = ++at_ + 1;
        }
        csv_cell cell{{begin, static_cast<std::size_t>(at_ - begin)}, true};
        if (doubled) {
            scratch_.append(begin, at_);
            cell.text = scratch_;
        }
        ++at_;
        if (at_ != end_ && !ends_cell_[static_cast<unsigned char>(*at_)])
            throw parse_error(message(name_, ": row ", row_, " (line ", line_, "): '", *at_,
                                      "' after a closing quote; expected '", delimiter_, "' or the end of the line"));
        return cell;
    }

    const char* at_;
    const char* end_;
    std::string_view name_;
    std::string scratch_;
    std::size_t row_ = 0;
    std::size_t line_ = 1;
    std::size_t row_line_ = 1;
    std::array<bool, 256> ends_cell_{};
    char delimiter_;
    bool more_ = false;
};

/// Where text stops being UTF-8, or its size. Overlong forms, surrogates and what is above U+10FFFF are not UTF-8.
[[nodiscard]] inline std::size_t valid_utf8(std::string_view text) noexcept {
    const auto* s = reinterpret_cast<const unsigned char*>(text.data());
    const std::size_t n = text.size();
    std::size_t i = 0;
    while (i < n) {
        if (s[i] < 0x80) {
            ++i;
            continue;
        }
        const unsigned lead = s[i];
        const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead < 0xC2 || lead > 0xF4 || n - i < length) return i;
        const unsigned second_low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned second_high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (s[i + 1] < second_low || s[i + 1] > second_high) return i;
        for (std::size_t k = 2; k < length; ++k)
            if (s[i + k] < 0x80 || s[i + k] > 0xBF) return i;
        i += length;
    }
    return n;
}

}  // namespace edge::frame::detail
