// SPDX-License-Identifier: MIT
#pragma once

/// @file Cells of a column of CSV, parsed piece by piece into the memory of the whole column.

#include <edge/frame/column.hpp>
#include <edge/frame/detail/csv_structure.hpp>
#include <edge/frame/detail/decimal.hpp>
#include <edge/frame/detail/time_text.hpp>
#include <edge/frame/dictionary.hpp>
#include <edge/frame/timestamp.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame::detail {

/// The kinds in the order in which they are tried: the first that fits every cell is taken.
inline constexpr std::array<kind, 7> csv_ladder{kind::int64, kind::uint64,    kind::float64, kind::boolean,
                                                kind::date,  kind::timestamp, kind::string};
inline constexpr int csv_lowest_step = static_cast<int>(csv_ladder.size()) - 1;

/// Whether a cell that is not missing is a value of the kind.
[[nodiscard]] inline bool fits(kind k, std::string_view text) {
    switch (k) {
        case kind::boolean: return parse_boolean(trim(text)).has_value();
        case kind::date: return parse_date(trim(text)).has_value();
        case kind::timestamp: return parse_timestamp(trim(text)).has_value();
        case kind::string: return true;
        default: return dispatch_stored(k, [&]<class T>() { return parse_number<T>(text).has_value(); });
    }
}

/// How cells are told from text: which are missing, and what is between quotes.
class csv_cells {
public:
    csv_cells(const csv_options& options) : quote_(options.quote), words_(&options.missing) {
        for (const std::string& word : options.missing) longest_ = (std::max)(longest_, word.size());
    }

    [[nodiscard]] char quote() const noexcept { return quote_; }
    [[nodiscard]] bool has_words() const noexcept { return longest_ != 0; }

    /// Whether an unquoted cell is one of the words that mean a missing value.
    [[nodiscard]] bool is_missing(std::string_view text) const noexcept {
        if (longest_ == 0) return false;
        text = trim(text);
        return text.size() <= longest_ && std::find(words_->begin(), words_->end(), text) != words_->end();
    }

    /// Text between the quotes of a cell that has them.
    /// @param scratch  holds it where a quote is doubled
    [[nodiscard]] std::string_view unquoted(std::string_view cell, std::string& scratch) const {
        cell.remove_prefix(1);
        cell.remove_suffix(1);
        std::size_t at = cell.find(quote_);
        if (at == std::string_view::npos) return cell;
        scratch.clear();
        for (; at != std::string_view::npos; at = cell.find(quote_)) {
            scratch.append(cell.substr(0, at + 1));
            cell.remove_prefix(at + 2);
        }
        scratch.append(cell);
        return scratch;
    }

private:
    char quote_;
    const std::vector<std::string>* words_;
    std::size_t longest_ = 0;
};

/// What the cells of a piece of the text are in one column, beside the values, which have their place already.
struct csv_part {
    growing<std::uint64_t> valid;            ///< a bit a row; none where nothing is missing
    growing<std::uint64_t> bits;             ///< values of a column of booleans
    growing<char> text;                      ///< of strings
    std::optional<string_dictionary> words;  ///< of strings as codes
    std::size_t nulls = 0;
    bool empty_text = false;  ///< a cell written "" was taken for a missing value
    int lost = -1;            ///< the step of the ladder that a cell needs which does not fit, or any for a given kind

    void set_missing(std::size_t row, std::size_t rows) {
        if (valid.size() == 0) valid.append((rows + 63) / 64, ~std::uint64_t{0});
        valid[row / 64] &= ~(std::uint64_t{1} << (row % 64));
        ++nulls;
    }
};

/// A piece of the text that is being read into columns.
struct csv_piece_view {
    const char* text;      ///< of the piece
    const char* readable;  ///< from where on bytes can be read
    const csv_index* index;
    const csv_cells* cells;

    [[nodiscard]] const char* end(std::size_t row, std::size_t place) const noexcept {
        return text + index->ends[row * index->columns + place];
    }
    [[nodiscard]] const char* begin(std::size_t row, std::size_t place) const noexcept {
        return place == 0 ? text + index->begins[row] : end(row, place - 1) + 1;
    }

    /// The cell's text, without quotes; empty and unquoted where it is missing.
    /// @param scratch  holds it where a quote is doubled
    [[nodiscard]] csv_cell value(std::size_t row, std::size_t place, std::string& scratch) const {
        const char* first = begin(row, place);
        const char* last = end(row, place);
        if (first >= last) return {};
        const std::string_view cell(first, static_cast<std::size_t>(last - first));
        if (cells->quote() != '\0' && *first == cells->quote()) return {cells->unquoted(cell, scratch), true};
        if (cells->is_missing(cell)) return {};
        return {cell, false};
    }
};

/// A column on its way from text.
class csv_column {
public:
    /// @param encodes  whether strings become codes, if few are different
    csv_column(std::string name, std::optional<frame::kind> given, std::size_t place, bool encodes)
        : name_(std::move(name)), given_(given), place_(place), encodes_(encodes) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] frame::kind kind() const noexcept {
        return given_.value_or(csv_ladder[static_cast<std::size_t>(step_)]);
    }
    [[nodiscard]] const std::optional<frame::kind>& given() const noexcept { return given_; }
    [[nodiscard]] std::size_t place() const noexcept { return place_; }

    /// From now on of the kind that was found.
    void settle() noexcept {
        is_settled_ = !given_;
        given_ = kind();
    }
    [[nodiscard]] bool is_settled() const noexcept { return is_settled_; }

    /// Before the rows of another text.
    void restart() noexcept { is_complete_ = false; }

    /// Goes down the ladder until each of the first `rows` cells of a piece fits.
    void sample(const csv_piece_view& piece, std::size_t rows) {
        if (given_) return;
        std::string scratch;
        for (std::size_t row = 0; row < (std::min)(rows, piece.index->rows) && step_ != csv_lowest_step; ++row)
            if (const auto cell = piece.value(row, place_, scratch); !cell.text.empty())
                step_ = step_for(cell.text, step_);
    }

    /// Room for `rows` rows in `pieces` pieces of text; what was parsed before is gone.
    void begin(std::size_t rows, std::size_t pieces) {
        values_ = {};
        std::byte* at = values_.extend<std::byte>((rows + has_offsets()) * width());
        parts_.clear();
        parts_.resize(pieces);
        if (has_offsets()) std::memset(at, 0, width());
        is_complete_ = is_refused_ = false;
    }

    /// Parses the cells of a piece.
    /// @param row  where the first one goes
    void parse(const csv_piece_view& piece, std::size_t number, std::size_t row);

    /// The values of a piece move up from row `from` to row `to`, because rows before it were left out.
    void move(std::size_t from, std::size_t to, std::size_t count) {
        std::byte* first = values_.as<std::byte>() + has_offsets() * width();
        if (width() * count != 0) std::memmove(first + to * width(), first + from * width(), count * width());
    }

    /// To be called when all pieces were parsed.
    /// @return  whether the column is complete; if not, all cells must be parsed again, as another kind
    bool end_pass(std::size_t rows) {
        int lost = -1;
        std::size_t nulls = 0;
        bool empty_text = false;
        for (const csv_part& part : parts_) {
            lost = (std::max)(lost, part.lost);
            nulls += part.nulls;
            empty_text = empty_text || part.empty_text;
        }
        if (lost < 0 && !given_ && nulls == rows && kind() != frame::kind::string) {
            if (empty_text)
                lost = csv_lowest_step;
            else if (kind() != frame::kind::float64)  // no value, so no kind of its own: the one that means least
                lost = 2;
        }
        if (lost >= 0 && !given_) step_ = lost;
        is_refused_ = lost >= 0 && given_;
        is_complete_ = lost < 0;
        return is_complete_;
    }
    [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }

    /// Whether a cell was not of the kind that was given.
    [[nodiscard]] bool is_refused() const noexcept { return is_refused_; }

    /// @param rows  of each piece
    [[nodiscard]] column finish(const std::vector<std::size_t>& rows);

private:
    /// Whether values are the ends of texts, one more than rows.
    [[nodiscard]] bool has_offsets() const noexcept { return kind() == frame::kind::string && !encodes_; }

    /// Bytes of a row's value.
    [[nodiscard]] std::size_t width() const noexcept {
        return kind() == frame::kind::string ? (encodes_ ? 4 : 8) : value_bytes(kind());
    }

    /// The first step from `step` on whose kind a cell fits.
    [[nodiscard]] static int step_for(std::string_view text, int step) {
        while (!fits(csv_ladder[static_cast<std::size_t>(step)], text)) ++step;
        return step;
    }

    template <class Fast, class Slow>
    void parse_cells(const csv_piece_view& piece, csv_part& part, Fast&& fast, Slow&& slow) const;
    template <class Wide>
    void parse_integers(const csv_piece_view& piece, csv_part& part, std::byte* to) const;
    template <class T>
    void parse_floats(const csv_piece_view& piece, csv_part& part, T* to) const;
    void parse_times(const csv_piece_view& piece, csv_part& part, std::byte* to) const;
    void parse_booleans(const csv_piece_view& piece, csv_part& part) const;
    void parse_texts(const csv_piece_view& piece, csv_part& part, std::int64_t* ends) const;
    void parse_codes(const csv_piece_view& piece, csv_part& part, std::int32_t* codes) const;
    column finish_codes(std::size_t rows, buffer validity, const std::vector<std::size_t>& of_parts);
    column finish_texts(std::size_t rows, buffer validity, const std::vector<std::size_t>& of_parts);

    std::string name_;
    std::optional<frame::kind> given_;
    std::size_t place_;
    bool encodes_;
    int step_ = 0;
    bool is_complete_ = false;
    bool is_refused_ = false;
    bool is_settled_ = false;
    growing_values values_;
    std::vector<csv_part> parts_;
};

/// @param fast  reads text that is what the kind usually looks like: (begin, end, row), true if it did
/// @param slow  reads any text: (text, row), false if it is not of the kind
template <class Fast, class Slow>
void csv_column::parse_cells(const csv_piece_view& piece, csv_part& part, Fast&& fast, Slow&& slow) const {
    const std::size_t rows = piece.index->rows;
    const std::size_t columns = piece.index->columns;
    const std::uint32_t* ends = piece.index->ends.data() + place_;
    const std::uint32_t* begins = place_ == 0 ? piece.index->begins.data() : ends - 1;
    const std::size_t step = place_ == 0 ? 1 : columns;
    const std::size_t after = place_ == 0 ? 0 : 1;
    const bool words = piece.cells->has_words();
    std::string scratch;
    for (std::size_t row = 0; row < rows; ++row) {
        const char* begin = piece.text + begins[row * step] + after;
        const char* end = piece.text + ends[row * columns];
        if (begin < end && end - piece.readable >= decimal_reach && !words && fast(begin, end, row)) continue;
        const csv_cell cell = piece.value(row, place_, scratch);
        if (cell.text.empty()) {
            part.empty_text = part.empty_text || cell.quoted;
            part.set_missing(row, rows);
            slow({}, row);
        } else if (!slow(cell.text, row)) {
            part.lost = given_ ? 0 : step_for(cell.text, step_);
            return;
        }
    }
}

/// Integers of every width, stored as the kind has them.
template <class Wide>
void csv_column::parse_integers(const csv_piece_view& piece, csv_part& part, std::byte* to) const {
    const std::size_t width = value_bytes(kind());
    const int unused = 64 - 8 * static_cast<int>(width);
    const auto most = static_cast<Wide>((std::numeric_limits<Wide>::max)() >> unused);
    const auto least = static_cast<Wide>((std::numeric_limits<Wide>::min)() >> unused);
    const auto store = [=](Wide value, std::size_t row) {
        if (value > most || value < least) return false;
        switch (width) {
            case 1: reinterpret_cast<std::int8_t*>(to)[row] = static_cast<std::int8_t>(value); break;
            case 2: reinterpret_cast<std::int16_t*>(to)[row] = static_cast<std::int16_t>(value); break;
            case 4: reinterpret_cast<std::int32_t*>(to)[row] = static_cast<std::int32_t>(value); break;
            default: reinterpret_cast<std::int64_t*>(to)[row] = static_cast<std::int64_t>(value);
        }
        return true;
    };
    parse_cells(
        piece, part,
        [=](const char* begin, const char* end, std::size_t row) {
            Wide value;
            return read_short_decimal(begin, end, value) && store(value, row);
        },
        [=](std::string_view text, std::size_t row) {
            if (text.empty()) return store(0, row);
            const auto value = parse_number<Wide>(text);
            return value && store(*value, row);
        });
}

template <class T>
void csv_column::parse_floats(const csv_piece_view& piece, csv_part& part, T* to) const {
    parse_cells(
        piece, part,
        [=](const char* begin, const char* end, std::size_t row) { return read_short_decimal(begin, end, to[row]); },
        [=](std::string_view text, std::size_t row) {
            const auto value = text.empty() ? T{0} : parse_number<T>(text);
            to[row] = value.value_or(T{0});
            return value.has_value();
        });
}

inline void csv_column::parse_times(const csv_piece_view& piece, csv_part& part, std::byte* to) const {
    day_reader days;
    if (kind() == frame::kind::date) {
        auto* values = reinterpret_cast<std::int32_t*>(to);
        parse_cells(
            piece, part,
            [=, &days](const char* begin, const char* end, std::size_t row) {
                return days.read_date(begin, end, values[row]);
            },
            [=](std::string_view text, std::size_t row) {
                const auto value = text.empty() ? 0 : parse_date(trim(text));
                values[row] = value.value_or(0);
                return value.has_value();
            });
    } else {
        auto* values = reinterpret_cast<std::int64_t*>(to);
        parse_cells(
            piece, part,
            [=, &days](const char* begin, const char* end, std::size_t row) {
                return days.read_timestamp(begin, end, values[row]);
            },
            [=](std::string_view text, std::size_t row) {
                const auto value = text.empty() ? 0 : parse_timestamp(trim(text));
                values[row] = value.value_or(0);
                return value.has_value();
            });
    }
}

inline void csv_column::parse_booleans(const csv_piece_view& piece, csv_part& part) const {
    part.bits.append((piece.index->rows + 63) / 64, 0);
    const auto read = [&part](std::string_view text, std::size_t row) {
        const auto value = text.empty() ? false : parse_boolean(trim(text));
        if (value.value_or(false)) part.bits[row / 64] |= std::uint64_t{1} << (row % 64);
        return value.has_value();
    };
    parse_cells(
        piece, part, [](const char*, const char*, std::size_t) { return false; }, read);
}

inline void csv_column::parse_texts(const csv_piece_view& piece, csv_part& part, std::int64_t* ends) const {
    std::string scratch;
    std::size_t bytes = 0;
    const std::size_t rows = piece.index->rows;
    for (std::size_t row = 0; row < rows; ++row) {
        const auto size = piece.end(row, place_) - piece.begin(row, place_);
        bytes += size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    part.text.reserve(bytes);
    for (std::size_t row = 0; row < rows; ++row) {
        const csv_cell cell = piece.value(row, place_, scratch);
        if (!cell.text.empty())
            part.text.append(cell.text);
        else if (!cell.quoted)
            part.set_missing(row, rows);
        ends[row] = static_cast<std::int64_t>(part.text.size());
    }
}

inline void csv_column::parse_codes(const csv_piece_view& piece, csv_part& part, std::int32_t* codes) const {
    std::string scratch;
    const std::size_t rows = piece.index->rows;
    part.words.emplace();
    for (std::size_t row = 0; row < rows; ++row) {
        const csv_cell cell = piece.value(row, place_, scratch);
        const bool missing = cell.text.empty() && !cell.quoted;
        if (missing) part.set_missing(row, rows);
        codes[row] = missing ? 0 : part.words->code(cell.text);
    }
}

inline void csv_column::parse(const csv_piece_view& piece, std::size_t number, std::size_t row) {
    if (piece.index->rows == 0) return;  // comments alone; the part is as it began
    csv_part part;
    std::byte* const to = values_.as<std::byte>() + row * width();
    switch (kind()) {
        case frame::kind::boolean: parse_booleans(piece, part); break;
        case frame::kind::string:
            if (encodes_)
                parse_codes(piece, part, reinterpret_cast<std::int32_t*>(to));
            else
                parse_texts(piece, part, reinterpret_cast<std::int64_t*>(to) + 1);
            break;
        case frame::kind::date:
        case frame::kind::timestamp: parse_times(piece, part, to); break;
        case frame::kind::float32: parse_floats(piece, part, reinterpret_cast<float*>(to)); break;
        case frame::kind::float64: parse_floats(piece, part, reinterpret_cast<double*>(to)); break;
        default:
            if (is_unsigned(kind()))
                parse_integers<std::uint64_t>(piece, part, to);
            else
                parse_integers<std::int64_t>(piece, part, to);
    }
    parts_[number] = std::move(part);
}

/// Bits one part after the other, as a bitmap of bytes. No bits of a part are `size` ones.
inline buffer join_bits(const std::vector<csv_part>& parts, growing<std::uint64_t> csv_part::*bits,
                        const std::vector<std::size_t>& rows) {
    std::size_t total = 0;
    for (const std::size_t r : rows) total += r;
    growing<std::uint64_t> words;
    words.append(total / 64 + 1, 0);
    std::size_t at = 0;
    for (std::size_t p = 0; p < parts.size(); at += rows[p++]) {
        const growing<std::uint64_t>& from = parts[p].*bits;
        for (std::size_t i = 0; i < rows[p]; i += 64) {
            std::uint64_t word = from.size() == 0 ? ~std::uint64_t{0} : from[i / 64];
            if (rows[p] - i < 64) word &= (std::uint64_t{1} << (rows[p] - i)) - 1;
            const std::size_t to = at + i;
            words[to / 64] |= word << (to % 64);
            if (to % 64 != 0 && to / 64 + 1 < words.size()) words[to / 64 + 1] |= word >> (64 - to % 64);
        }
    }
    if constexpr (std::endian::native == std::endian::big)
        for (std::size_t i = 0; i < words.size(); ++i)
            words[i] = simd::load_word(reinterpret_cast<const char*>(words.data() + i));
    return words.finish();
}

inline column csv_column::finish_texts(std::size_t rows, buffer validity, const std::vector<std::size_t>& of_parts) {
    std::size_t bytes = 0;
    for (const csv_part& part : parts_) bytes += part.text.size();
    growing<char> text;
    char* to = text.extend(bytes);
    std::int64_t* ends = values_.as<std::int64_t>() + 1;
    std::int64_t before = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        const growing<char> part = std::move(parts_[p].text);
        if (part.size() != 0) std::memcpy(to + before, part.data(), part.size());
        for (std::size_t i = 0; i < of_parts[p]; ++i) ends[i] += before;
        ends += of_parts[p];
        before += static_cast<std::int64_t>(part.size());
    }
    return column(frame::kind::string, rows, std::move(validity), values_.finish(), text.finish());
}

/// The dictionaries of the parts become one, in the order of the rows, if it is worth it.
inline column csv_column::finish_codes(std::size_t rows, buffer validity, const std::vector<std::size_t>& of_parts) {
    string_dictionary words;
    auto* codes = values_.as<std::int32_t>();
    for (std::size_t p = 0; p < parts_.size(); codes += of_parts[p++]) {
        if (!parts_[p].words) continue;
        const string_dictionary own = std::move(*parts_[p].words);
        std::vector<std::int32_t> here(own.size() + 1, 0);  // one more for the code of what is missing
        for (std::size_t i = 0; i < own.size(); ++i) here[i] = words.code(own[i]);
        for (std::size_t i = 0; i < of_parts[p]; ++i) codes[i] = here[static_cast<std::size_t>(codes[i])];
    }
    const std::size_t different = words.size();
    column c = column::encoded(rows, std::move(validity), values_.finish(), words.finish());
    return different != 0 && different <= rows / 2 ? c : plain(c);
}

inline column csv_column::finish(const std::vector<std::size_t>& rows) {
    std::size_t total = 0;
    std::size_t nulls = 0;
    for (const std::size_t r : rows) total += r;
    for (const csv_part& part : parts_) nulls += part.nulls;
    buffer validity = nulls == 0 ? buffer() : join_bits(parts_, &csv_part::valid, rows);
    if (kind() == frame::kind::string)
        return encodes_ ? finish_codes(total, std::move(validity), rows)
                        : finish_texts(total, std::move(validity), rows);
    if (kind() == frame::kind::boolean)
        return column(kind(), total, std::move(validity), join_bits(parts_, &csv_part::bits, rows));
    return column(kind(), total, std::move(validity), values_.finish());
}

}  // namespace edge::frame::detail
