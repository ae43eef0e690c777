// SPDX-License-Identifier: MIT
#pragma once

/// @file Cutting CSV text into cells one by one, as RFC 4180 says, with LF, CR LF or CR line ends; empty lines are
/// skipped.
///
/// A quote inside a cell that does not begin with one is an ordinary character. One pass, no look-back: O(bytes). This
/// is what every other way of reading must agree with: it reads the header, rows that are not like the others, and finds
/// the words for what is wrong.

#include <edge/core/error.hpp>
#include <edge/frame/csv_options.hpp>

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

/// Where a piece of text stands in the whole, for messages.
struct csv_place {
    std::string_view name;    ///< of the source
    std::uint64_t rows = 0;   ///< before it, the header included
    std::uint64_t lines = 0;  ///< before it
    std::uint64_t bytes = 0;  ///< before it
};

class csv_scanner {
public:
    csv_scanner(std::string_view text, const csv_options& options, const csv_place& place)
        : begin_(text.data()),
          at_(text.data()),
          end_(text.data() + text.size()),
          name_(place.name),
          row_(place.rows),
          line_(place.lines + 1),
          row_line_(line_),
          delimiter_(options.delimiter),
          quote_(options.quote),
          comment_(options.comment) {
        for (const char c : {delimiter_, '\n', '\r'}) ends_cell_[static_cast<unsigned char>(c)] = true;
    }

    /// Goes to the next line that is neither empty nor a comment; false at the end of the text.
    bool next_row() {
        for (;; skip_line()) {
            while (at_ != end_ && is_line_end(*at_)) skip_line_end();
            if (at_ == end_) return false;
            if (comment_ == '\0' || *at_ != comment_) break;
        }
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
        if (quote_ != '\0' && at_ != end_ && *at_ == quote_) {
            cell = quoted();
        } else {
            const char* begin = at_;
            while (at_ != end_ && !ends_cell_[static_cast<unsigned char>(*at_)]) ++at_;
            cell.text = {begin, static_cast<std::size_t>(at_ - begin)};
        }
        cell_end_ = at_;
        more_ = at_ != end_ && *at_ == delimiter_;
        if (more_)
            ++at_;
        else if (at_ != end_)
            skip_line_end();
        return cell;
    }

    /// Leaves out whole lines, whatever is in them.
    void skip_lines(std::size_t count) noexcept {
        for (; count != 0 && at_ != end_; --count) {
            skip_line();
            if (at_ != end_) skip_line_end();
        }
    }

    /// How far the text was read, and where the cell before ended, in bytes.
    [[nodiscard]] std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    [[nodiscard]] std::size_t cell_end() const noexcept { return static_cast<std::size_t>(cell_end_ - begin_); }

    /// Rows and lines up to here, those before the text included.
    [[nodiscard]] std::uint64_t rows() const noexcept { return row_; }
    [[nodiscard]] std::uint64_t lines() const noexcept { return line_ - 1; }

    /// Whether the text ended inside quotes.
    [[nodiscard]] bool is_torn() const noexcept { return torn_; }

    /// The row that is being read, for messages; the header is row 1.
    [[nodiscard]] std::string where() const { return message(name_, ": row ", row_, " (line ", row_line_, ")"); }

private:
    static bool is_line_end(char c) noexcept { return c == '\n' || c == '\r'; }

    void skip_line_end() noexcept {
        if (*at_ == '\r' && at_ + 1 != end_ && at_[1] == '\n') ++at_;
        ++at_;
        ++line_;
    }
    void skip_line() noexcept {
        while (at_ != end_ && !is_line_end(*at_)) ++at_;
    }

    csv_cell quoted() {
        const std::uint64_t first_line = line_;
        const char* begin = ++at_;
        bool doubled = false;
        scratch_.clear();
        for (;; ++at_) {
            if (at_ == end_) {
                torn_ = true;
                throw parse_error(
                    message(name_, ": row ", row_, " (line ", first_line, "): a quote begins here and does not end"));
            }
            if (*at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] != '\n'))) ++line_;
            if (*at_ != quote_) continue;
            if (at_ + 1 == end_ || at_[1] != quote_) break;
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
            throw parse_error(message(name_, ": row ", row_, " (line ", line_, "): '", shown({at_, 1}),
                                      "' after a closing quote; expected '", delimiter_, "' or the end of the line"));
        return cell;
    }

    const char* begin_;
    const char* at_;
    const char* end_;
    const char* cell_end_ = nullptr;
    std::string_view name_;
    std::string scratch_;
    std::uint64_t row_;
    std::uint64_t line_;
    std::uint64_t row_line_;
    std::array<bool, 256> ends_cell_{};
    char delimiter_;
    char quote_;
    char comment_;
    bool more_ = false;
    bool torn_ = false;
};

}  // namespace edge::frame::detail
