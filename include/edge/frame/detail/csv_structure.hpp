// SPDX-License-Identifier: MIT
#pragma once

/// @file Where rows and cells of CSV text begin and end, found 64 bytes at a time.
///
/// Text is cut into pieces of some bytes that know nothing of each other. A first look counts the rows that begin in
/// each and where the first one does; a second look writes down where cells end. Whether a place is inside quotes is
/// whether the quotes before it are odd in number, which is right as long as every quote opens or closes a cell or is
/// doubled inside one; text of which that is not so, and pieces with rows that are not like the others, are read by
/// `csv_scanner`. Source: Langdale and Lemire 2019, "Parsing gigabytes of JSON per second", section 3.1.

#include <edge/core/parallel.hpp>
#include <edge/frame/buffer.hpp>
#include <edge/frame/detail/csv_scanner.hpp>
#include <edge/simd/byte_bits.hpp>
#include <edge/simd/prefetch.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Which of 64 characters mean something.
struct csv_marks {
    std::uint64_t line_ends, delimiters, quotes, high;
};

template <class Arch>
class csv_blocks {
public:
    csv_blocks(std::string_view text, const csv_options& options)
        : text_(text), delimiter_(options.delimiter), quote_(options.quote) {}

    /// Of the 64 characters from `at` on; beyond the text there are none that mean anything.
    [[nodiscard]] csv_marks operator()(std::size_t at) const noexcept {
        simd::prefetch(text_.data() + at + ahead);
        if (text_.size() - at >= 64) return marks(text_.data() + at);
        char padded[64] = {};
        std::memcpy(padded, text_.data() + at, text_.size() - at);
        return marks(padded);
    }

private:
    /// Text comes from memory a page at a time, which processors do not foresee; this is far enough for it to be there.
    static constexpr std::size_t ahead = 4096;

    [[nodiscard]] csv_marks marks(const char* from) const noexcept {
        const simd::byte_block<simd::byte_arch<Arch>> block(from);
        return {block.equal('\n') | block.equal('\r'), block.equal(delimiter_),
                quote_ != '\0' ? block.equal(quote_) : 0, block.high()};
    }

    std::string_view text_;
    char delimiter_;
    char quote_;
};

/// Rows that begin in a piece of the text.
struct csv_piece {
    std::size_t begin = 0;  ///< of the first row
    std::size_t end = 0;    ///< of the last one: where the next piece's first row begins
    std::size_t rows = 0;
};

/// The pieces of a text, in order; those in which no row begins are left out.
struct csv_pieces {
    std::vector<csv_piece> rows;
    std::size_t end = 0;     ///< of the last row that is complete
    bool regular = true;     ///< whether quotes are where the fast way expects them
    bool torn = false;       ///< whether the text ends inside quotes
    bool malformed = false;  ///< whether a row cannot be cut into cells
};

/// What a first look at a range of bytes finds, told whether the range begins inside quotes.
struct csv_look {
    std::size_t rows = 0;
    std::size_t first = 0;  ///< where the first row begins, if there is one
    std::size_t last = 0;
    std::size_t quotes = 0;
    bool stray = false;  ///< a quote stands where it neither opens nor closes a cell nor is doubled
};

template <class Arch>
[[nodiscard]] csv_look look_at(std::string_view text, const csv_options& options, std::size_t begin, std::size_t end,
                               bool inside) {
    const csv_blocks<Arch> blocks(text, options);
    csv_look seen;
    const char before = begin == 0 ? '\n' : text[begin - 1];
    const bool after_line = before == '\n' || before == '\r';
    std::uint64_t in = inside ? ~std::uint64_t{0} : 0;
    std::uint64_t line_end_before = !inside && after_line;
    std::uint64_t open_before = line_end_before != 0 || (!inside && before == options.delimiter) ||
                                (options.quote != '\0' && before == options.quote && !inside);
    std::uint64_t closed_before = options.quote != '\0' && before == options.quote && !inside && begin != 0;
    std::uint64_t last_begins = 1;
    std::size_t last_at = begin;
    for (std::size_t at = begin; at < end; at += 64) {
        csv_marks m = blocks(at);
        const std::uint64_t there = end - at >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (end - at)) - 1;
        if ((m.quotes | in) != 0) {
            seen.quotes += static_cast<std::size_t>(std::popcount(m.quotes & there));
            const std::uint64_t quoted = simd::prefix_xor(m.quotes) ^ in;
            in = static_cast<std::uint64_t>(static_cast<std::int64_t>(quoted) >> 63);
            const std::uint64_t opening = m.quotes & quoted;
            const std::uint64_t closing = m.quotes & ~quoted;
            const std::uint64_t may_open = m.line_ends | m.delimiters | closing;
            const std::uint64_t may_follow = m.line_ends | m.delimiters | m.quotes;
            const std::uint64_t stray =
                (opening & ~(may_open << 1 | open_before)) | ((closing << 1 | closed_before) & ~may_follow);
            seen.stray = seen.stray || (stray & there) != 0;
            m.line_ends &= ~quoted;
            m.delimiters &= ~quoted;
            closed_before = closing >> 63;
        } else {
            seen.stray = seen.stray || (closed_before & ~(m.line_ends | m.delimiters) & there) != 0;
            closed_before = 0;
        }
        open_before = (m.line_ends | m.delimiters) >> 63 | closed_before;
        std::uint64_t begins = (m.line_ends << 1 | line_end_before) & ~m.line_ends & there;
        line_end_before = m.line_ends >> 63;
        if (seen.rows == 0) seen.first = at + static_cast<std::size_t>(std::countr_zero(begins));
        last_begins = begins != 0 ? begins : last_begins;
        last_at = begins != 0 ? at : last_at;
        seen.rows += static_cast<std::size_t>(std::popcount(begins));
    }
    seen.last = last_at + 63 - static_cast<std::size_t>(std::countl_zero(last_begins));
    return seen;
}

/// Cuts by `csv_scanner`, one row after the other.
inline csv_pieces scan_pieces(std::string_view text, const csv_options& options, std::size_t piece_bytes) {
    csv_pieces pieces;
    pieces.regular = false;
    csv_scanner scan(text, options, {});
    try {
        while (scan.next_row()) {
            const std::size_t begin = scan.position();
            if (pieces.rows.empty() || begin - pieces.rows.back().begin >= piece_bytes) {
                if (!pieces.rows.empty()) pieces.rows.back().end = begin;
                pieces.rows.push_back({begin, begin, 0});
            }
            pieces.rows.back().end = pieces.end = begin;
            ++pieces.rows.back().rows;
            while (scan.more()) (void)scan.next();
        }
    } catch (const parse_error&) {
        pieces.torn = scan.is_torn();
        pieces.malformed = !pieces.torn;
    }
    return pieces;
}

/// @param is_whole  whether the text ends with its last row; otherwise that row is left for later
template <class Arch = xsimd::default_arch>
[[nodiscard]] csv_pieces find_pieces(std::string_view text, const csv_options& options, std::size_t piece_bytes,
                                     bool is_whole) {
    const std::size_t step = (piece_bytes + 63) / 64 * 64;
    const std::size_t ranges = (text.size() + step - 1) / step;
    std::vector<csv_look> looks(ranges);
    std::vector<std::uint8_t> inside(ranges + 1, 0);
    const auto look = [&] {
        parallel_for(static_cast<index_t>(ranges), {.threads = options.threads}, [&](index_t first, index_t last) {
            for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
                looks[i] =
                    look_at<Arch>(text, options, i * step, (std::min)((i + 1) * step, text.size()), inside[i] != 0);
        });
    };
    look();
    bool quotes = false;
    for (std::size_t i = 0; i < ranges; ++i) {
        inside[i + 1] = inside[i] ^ (looks[i].quotes & 1);
        quotes = quotes || looks[i].quotes != 0;
    }
    if (quotes && std::find(inside.begin(), inside.end(), 1) != inside.end()) look();

    csv_pieces pieces;
    pieces.torn = inside[ranges] != 0;
    const bool stray = std::any_of(looks.begin(), looks.end(), [](const csv_look& l) { return l.stray; });
    if (stray || (quotes && options.comment != '\0')) {
        pieces = scan_pieces(text, options, step);
    } else {
        for (const csv_look& l : looks) {
            if (l.rows == 0) continue;
            if (!pieces.rows.empty()) pieces.rows.back().end = l.first;
            pieces.rows.push_back({l.first, l.last, l.rows});
            pieces.end = l.last;
        }
    }
    if (pieces.rows.empty()) return pieces;
    if (is_whole) {
        pieces.rows.back().end = pieces.end = text.size();
    } else {
        pieces.rows.back().end = pieces.end;
        if (--pieces.rows.back().rows == 0) pieces.rows.pop_back();
    }
    return pieces;
}

/// Where the cells of a piece's rows are, in bytes from its begin.
///
/// A row begins at `begins[row]`; its cells end at `ends[row * columns ...]`, and each but the first begins one after the
/// end of the one before. A cell that begins at its end or beyond is empty.
struct csv_index {
    growing<std::uint32_t> begins;
    growing<std::uint32_t> ends;
    std::size_t columns = 0;
    std::size_t rows = 0;
    std::size_t skipped = 0;
    bool high = false;     ///< whether there is a byte that is not ASCII
    bool refused = false;  ///< whether a row cannot be read; `csv_scanner` knows why
};

/// Writes the place of each set bit, and up to 63 more that mean nothing.
/// @return  where the next one goes
inline std::uint32_t* put_places(std::uint32_t* to, std::uint64_t bits, std::size_t at) noexcept {
    const int count = std::popcount(bits);
    for (int i = 0; i < count; i += 8) {
        for (int k = 0; k < 8; ++k) {  // more than there are: no branch depends on how many
            to[i + k] = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(std::countr_zero(bits));
            bits &= bits - 1;
        }
    }
    return to + count;
}

/// @param text  of a piece
/// @return  false if a row has not `columns` cells
template <class Arch>
[[nodiscard]] bool index_regular(std::string_view text, const csv_options& options, csv_index& index) {
    const csv_blocks<Arch> blocks(text, options);
    std::uint64_t in = 0;
    std::uint64_t line_end_before = 0;
    std::uint64_t high = 0;
    std::size_t rows = 0;
    constexpr std::size_t bytes_at_once = 4096;  // for which there is room, all of them delimiters
    for (std::size_t from = 0; from < text.size(); from += bytes_at_once) {
        const std::size_t before = index.ends.size();
        std::uint32_t* const room = index.ends.extend(bytes_at_once + 64);
        std::uint32_t* to = room;
        for (std::size_t at = from; at < (std::min)(from + bytes_at_once, text.size()); at += 64) {
            csv_marks m = blocks(at);
            high |= m.high;
            if ((m.quotes | in) != 0) {
                const std::uint64_t quoted = simd::prefix_xor(m.quotes) ^ in;
                in = static_cast<std::uint64_t>(static_cast<std::int64_t>(quoted) >> 63);
                m.line_ends &= ~quoted;
                m.delimiters &= ~quoted;
            }
            const std::uint64_t line_ends = m.line_ends & ~(m.line_ends << 1 | line_end_before);  // first of several
            const std::size_t size = text.size() - at;
            line_end_before = m.line_ends >> (size >= 64 ? 63 : size - 1) & 1;
            rows += static_cast<std::size_t>(std::popcount(line_ends));
            to = put_places(to, line_ends | m.delimiters, at);
        }
        index.ends.shrink(before + static_cast<std::size_t>(to - room));
    }
    index.high = high != 0;
    if (line_end_before == 0) {
        index.ends.push_back(static_cast<std::uint32_t>(text.size()));
        ++rows;
    }
    if (in != 0 || index.ends.size() / index.columns != rows || index.ends.size() % index.columns != 0) return false;
    std::uint32_t* begins = index.begins.extend(rows + 1);
    *begins = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        std::size_t at = index.ends[(row + 1) * index.columns - 1];
        if (at != text.size() && text[at] != '\n' && text[at] != '\r') return false;
        while (at < text.size() && (text[at] == '\n' || text[at] == '\r')) ++at;
        begins[row + 1] = static_cast<std::uint32_t>(at);
    }
    index.rows = rows;
    return true;
}

/// Row by row, for what is not regular.
inline void index_scanned(std::string_view text, const csv_options& options, csv_index& index) {
    csv_scanner scan(text, options, {});
    try {
        while (scan.next_row()) {
            const std::size_t first = index.ends.size();
            const auto begin = static_cast<std::uint32_t>(scan.position());
            std::size_t cells = 0;
            for (; scan.more(); ++cells) {
                (void)scan.next();
                if (cells < index.columns) index.ends.push_back(static_cast<std::uint32_t>(scan.cell_end()));
            }
            if (cells == index.columns || (cells < index.columns && options.ragged == ragged_rows::pad)) {
                for (; cells < index.columns; ++cells) index.ends.push_back(index.ends.back());
                index.begins.push_back(begin);
                ++index.rows;
            } else if (options.ragged == ragged_rows::skip) {
                index.ends.shrink(first);
                ++index.skipped;
            } else {
                index.refused = true;
                return;
            }
        }
    } catch (const parse_error&) {
        index.refused = true;
    }
}

/// Places of all cells of a piece of the text.
template <class Arch = xsimd::default_arch>
void index_cells(std::string_view text, const csv_options& options, bool regular, std::size_t columns,
                 csv_index& index) {
    const auto clear = [&] {
        index.begins.shrink(0);
        index.ends.shrink(0);
        index.rows = index.skipped = 0;
        index.refused = false;
    };
    clear();
    index.columns = columns;
    index.high = true;
    if (text.size() > 0xFFFFFF00U) throw unsupported_error("rows of 4 GiB are not read");
    const bool has_comments = options.comment != '\0' && text.find(options.comment) != std::string_view::npos;
    if (regular && !has_comments && index_regular<Arch>(text, options, index)) return;
    clear();
    index_scanned(text, options, index);
}

}  // namespace edge::frame::detail
