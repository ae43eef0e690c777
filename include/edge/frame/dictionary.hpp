// SPDX-License-Identifier: MIT
#pragma once

/// @file Dictionary encoding of strings: each different text once, and a small number a row.
///
///     column sensor = dictionary_encoded(t.column("sensor"));    // 4 bytes a row, and fast to group, join and compare
///     column again = plain(sensor);                              // text after text

#include <edge/frame/column_builder.hpp>
#include <edge/frame/detail/text_index.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace edge::frame {

/// Different texts, numbered in the order in which they come.
class string_dictionary {
public:
    string_dictionary() { ends_.push_back(0); }
    string_dictionary(const string_dictionary& other) : index_(other.index_) {
        ends_.append({other.ends_.data(), other.ends_.size()});
        text_.append({other.text_.data(), other.text_.size()});
    }
    string_dictionary(string_dictionary&&) noexcept = default;
    string_dictionary& operator=(const string_dictionary& other) { return *this = string_dictionary(other); }
    string_dictionary& operator=(string_dictionary&&) noexcept = default;
    ~string_dictionary() = default;

    [[nodiscard]] std::size_t size() const noexcept { return ends_.size() - 1; }

    /// The number of a text, which is copied if it is new. O(1) expected.
    /// @throws unsupported_error  beyond 2^31 - 1 texts
    std::int32_t code(std::string_view text) {
        const std::uint32_t number = index_.insert(text, [this](std::uint32_t known) { return (*this)[known]; });
        if (number == size()) {
            if (number > 0x7FFFFFFE) throw unsupported_error("a dictionary of more than 2147483647 strings");
            text_.append(text);
            ends_.push_back(static_cast<std::int64_t>(text_.size()));
        }
        return static_cast<std::int32_t>(number);
    }

    /// Numbers of the texts `text(i)` for i in [first, last), 2^32 - 1 where one has none.
    template <class Text>
    void find(std::size_t first, std::size_t last, Text&& text, std::uint32_t* out) const {
        index_.find(
            first, last, text, [this](std::uint32_t known) { return (*this)[known]; }, out);
    }

    /// Text of a number.
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
        return {text_.data() + ends_[i], static_cast<std::size_t>(ends_[i + 1] - ends_[i])};
    }

    /// The texts, as plain strings; the dictionary is then empty.
    [[nodiscard]] column finish() {
        const std::size_t words = size();
        index_.clear();
        column all(kind::string, words, buffer(), ends_.finish(), text_.finish());
        ends_.push_back(0);
        return all;
    }

private:
    detail::text_index index_;
    growing<std::int64_t> ends_;  // of each text, after a 0
    growing<char> text_;
};

/// Strings as text after text; other columns, and plain ones, as they are. O(bytes).
[[nodiscard]] inline column plain(const column& c) {
    if (!c.is_dictionary()) return c;
    column_builder texts(kind::string);
    texts.append(c);
    return texts.finish();
}

/// Strings with each different text stored once; those that are so already as they are. O(bytes).
/// @throws argument_error  if it is not a string column
[[nodiscard]] inline column dictionary_encoded(const column& c) {
    if (c.kind() != kind::string)
        throw argument_error(message("dictionary of a column of ", to_string(c.kind()), "; expected strings"));
    if (c.is_dictionary()) return c;
    string_dictionary words;
    growing<std::int32_t> codes;
    std::int32_t* code = codes.extend(c.size());
    const bit_view valid = c.validity();
    for (std::size_t i = 0; i < c.size(); ++i) code[i] = valid[i] ? words.code(c.text(i)) : 0;
    growing_bits validity;
    if (c.null_count() != 0) validity.append(valid);
    return column::encoded(c.size(), validity.finish(), codes.finish(), words.finish());
}

namespace detail {

/// Dictionary-encoded columns one after the other, over a dictionary of all their texts.
inline column concat_encoded(std::span<const column> parts) {
    string_dictionary words;
    growing<std::int32_t> codes;
    growing_bits validity;
    std::size_t rows = 0;
    std::size_t nulls = 0;
    for (const column& part : parts) {
        std::vector<std::int32_t> here(part.dictionary().size() + 1);  // one more for the code of what is missing
        for (std::size_t i = 0; i < part.dictionary().size(); ++i) here[i] = words.code(part.dictionary().text(i));
        std::int32_t* to = codes.extend(part.size());
        for (const std::int32_t code : part.codes()) *to++ = here[static_cast<std::size_t>(code)];
        validity.append(part.validity());
        rows += part.size();
        nulls += part.null_count();
    }
    return column::encoded(rows, nulls == 0 ? buffer() : validity.finish(), codes.finish(), words.finish());
}

}  // namespace detail

}  // namespace edge::frame
