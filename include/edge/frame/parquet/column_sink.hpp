// SPDX-License-Identifier: MIT
#pragma once

/// @file A column while it is read: arrays that pages are decoded into, in place.
///
/// Unlike a `column_builder` it hands out its arrays, so that a page of values with gaps is decoded to where it will
/// stay. A dictionary is one too.

#include <edge/frame/dictionary.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame::parquet {

/// How many more bytes a read may take, on all threads together. A file of a few bytes can claim, within the format, any
/// number of rows.
class byte_budget {
public:
    explicit byte_budget(std::uint64_t limit) : limit_(limit), left_(limit) {}

    /// @throws parse_error  when it is used up
    void charge(std::uint64_t count, std::uint64_t each) {
        std::uint64_t left = left_.load();
        do {
            if (each != 0 && count > left / each)
                throw parse_error(message("its values take more than ", limit_,
                                          " bytes, the limit for a file of this size; "
                                          "option max_bytes sets another"));
        } while (!left_.compare_exchange_weak(left, left - count * each));
    }

private:
    std::uint64_t limit_;
    std::atomic<std::uint64_t> left_;
};

/// What stands for a time that does not fit until the column is complete, where that is asked for. It is what NumPy
/// calls NaT.
inline constexpr std::int64_t out_of_range = (std::numeric_limits<std::int64_t>::min)();

struct column_sink {
    /// @param dictionary  whether strings become codes
    explicit column_sink(frame::kind k, bool dictionary = false) : kind(k) {
        if (k != kind::string) return;
        if (dictionary)
            words.emplace();
        else
            values.push_back(std::int64_t{0});
    }

    frame::kind kind;
    std::size_t rows = 0;
    std::size_t reserved = 0;
    growing_bits validity;  ///< a bit a row
    growing_bits bits;      ///< booleans
    growing_values values;  ///< numbers and times; of strings rows + 1 offsets into the text, or a code a row
    std::optional<string_dictionary> words;  ///< of strings that become codes
    growing<char> text;
    bool takes_stored = false;  ///< of a part: codes may be places in the file's dictionary, which `append` numbers
    std::shared_ptr<const column_sink> stored;  ///< that dictionary, while codes are places in it and `words` is empty
    bool has_plain_pages = false;               ///< some codes are of texts that the file has one by one
    bool has_out_of_range = false;              ///< some times are `out_of_range`, and will be missing

    /// Bytes that a row takes, strings without their text.
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return kind == kind::boolean  ? 1
               : kind != kind::string ? value_bytes(kind)
               : words                ? sizeof(std::int32_t)
                                      : sizeof(std::int64_t);
    }

    /// Room for more rows. Twice what there was, at least, so that many small files cost no more than one large.
    void reserve(std::size_t more) {
        if (rows + more <= reserved) return;
        reserved = (std::max)(rows + more, 2 * reserved);
        validity.reserve(reserved);
        if (kind == frame::kind::boolean) return bits.reserve(reserved);
        values.reserve_bytes((reserved + 1) * row_bytes());
    }

    /// Whether codes are no longer worth it: more than half of the texts are different.
    [[nodiscard]] bool has_many_words() const noexcept { return words && words->size() > rows / 2 + 1024; }

    /// From codes to texts, for the rows that are there and those to come.
    void write_out(byte_budget& budget) {
        growing_values offsets;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < rows; ++i) bytes += word(i).size();
        budget.charge(bytes, 1);
        budget.charge(rows, sizeof(std::int64_t));
        text.reserve(bytes);
        reserved = (std::max)(reserved, rows);
        offsets.reserve_bytes((reserved + 1) * sizeof(std::int64_t));
        auto* at = offsets.extend<std::int64_t>(rows + 1);
        *at = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            text.append(word(i));
            *++at = static_cast<std::int64_t>(text.size());
        }
        values = std::move(offsets);
        words.reset();
        stored.reset();
    }

    /// Text of a value; of a dictionary.
    [[nodiscard]] std::string_view stored_text(std::size_t i) const noexcept {
        const auto* at = values.as<std::int64_t>() + i;
        return {text.data() + at[0], static_cast<std::size_t>(at[1] - at[0])};
    }

    /// Makes codes that are places in `stored` those of `words`.
    void number_stored() {
        if (!stored) return;
        renumber(0, values.bytes() / sizeof(std::int32_t), numbers_of(*this));
        stored.reset();
    }

    /// Appends the rows of a part of this column of strings, which is then used up. Whether they stay codes and which
    /// ones does not depend on where the parts were read.
    void append(column_sink part, byte_budget& budget) {
        if (words && !part.words) write_out(budget);
        if (!words && part.words) part.write_out(budget);
        validity.append(part.validity.view());
        if (words) {
            const auto* from = part.values.as<std::int32_t>();
            std::copy_n(from, part.rows, values.extend<std::int32_t>(part.rows));
            renumber(rows, part.rows, numbers_of(part));
        } else {
            const auto* from = part.values.as<std::int64_t>();
            const auto end = static_cast<std::int64_t>(text.size());
            auto* to = values.extend<std::int64_t>(part.rows);
            for (std::size_t i = 0; i < part.rows; ++i) to[i] = end + from[i + 1];
            text.append({part.text.data(), part.text.size()});
        }
        rows += part.rows;
        if (part.has_plain_pages && has_many_words()) write_out(budget);
    }

    /// The column; the sink is then used up.
    [[nodiscard]] column finish() {
        if (has_out_of_range) {
            const bit_view had = validity.view();
            growing_bits has;
            for (std::size_t i = 0; i < rows; ++i)
                has.push_back(had[i] && values.as<std::int64_t>()[i] != out_of_range);
            validity = std::move(has);
        }
        switch (kind) {
            case frame::kind::boolean: return column(kind, rows, validity.finish(), bits.finish());
            case frame::kind::string:
                if (words) return column::encoded(rows, validity.finish(), values.finish(), words->finish());
                return column(kind, rows, validity.finish(), values.finish(), text.finish());
            default: return column(kind, rows, validity.finish(), values.finish());
        }
    }

private:
    [[nodiscard]] std::string_view word(std::size_t row) {
        if (!validity.view()[row]) return {};
        const auto code = static_cast<std::size_t>(values.as<std::int32_t>()[row]);
        return stored ? stored->stored_text(code) : (*words)[code];
    }

    /// Numbers in `words` of the texts of a part, which may be this, as its codes count them.
    [[nodiscard]] std::vector<std::int32_t> numbers_of(const column_sink& part) {
        const std::size_t count = part.stored ? part.stored->rows : part.words->size();
        std::vector<std::int32_t> numbers(count);
        for (std::size_t i = 0; i < count; ++i)
            numbers[i] = words->code(part.stored ? part.stored->stored_text(i) : (*part.words)[i]);
        return numbers;
    }

    /// Codes of the rows from `first` on become what `numbers` says; those of missing ones stay 0.
    void renumber(std::size_t first, std::size_t count, const std::vector<std::int32_t>& numbers) noexcept {
        auto* codes = values.as<std::int32_t>() + first;
        const bit_view valid = {validity.view().bytes, first, count};
        if (valid.count() == count) {
            for (std::size_t i = 0; i < count; ++i) codes[i] = numbers[static_cast<std::size_t>(codes[i])];
        } else {
            for (std::size_t i = 0; i < count; ++i)
                codes[i] = valid[i] ? numbers[static_cast<std::size_t>(codes[i])] : 0;
        }
    }
};

}  // namespace edge::frame::parquet
