// SPDX-License-Identifier: MIT
#pragma once

/// @file Column builder: a column that grows, value by value or many at once.
///
///     column_builder b{kind::float32};
///     b.append(9.81f);
///     b.append_null();
///     b.append_values<float>(samples);              // one copy of the memory
///     column c = b.finish();                        // no copy; the builder is then empty and can be used again

#include <edge/frame/column.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace edge::frame {

class column_builder {
public:
    explicit column_builder(frame::kind kind) : kind_(kind) {}

    [[nodiscard]] frame::kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t null_count() const noexcept { return nulls_; }

    /// Room for `rows` rows in all, and `text_bytes` bytes of strings.
    void reserve(std::size_t rows, std::size_t text_bytes = 0);

    /// One value, of exactly the type that the kind stores.
    /// @throws argument_error  if the kind is another
    template <stored T>
    void append(T value) {
        expect_stored<T>();
        values_.push_back(value);
        add_valid(1);
    }

    /// One value of a boolean column.
    /// @throws argument_error  if the kind is another
    void append(std::same_as<bool> auto value) {
        expect(frame::kind::boolean);
        bits_.push_back(value);
        add_valid(1);
    }

    /// One value of a string column, copied.
    /// @param text  UTF-8
    /// @throws argument_error  if the kind is another
    void append(std::string_view text) {
        expect(frame::kind::string);
        begin_text();
        text_.append(text);
        values_.push_back(static_cast<std::int64_t>(text_.size()));
        add_valid(1);
    }
    void append(const char* text) { append(std::string_view(text)); }

    void append_null(std::size_t count = 1);

    /// Room for `count` more values, all valid, which the caller fills.
    /// @throws argument_error  if the kind does not store T
    template <stored T>
    [[nodiscard]] std::span<T> extend(std::size_t count) {
        expect_stored<T>();
        T* first = values_.extend<T>(count);
        add_valid(count);
        return {first, count};
    }

    /// Many values, all valid: one copy.
    /// @throws argument_error  if the kind does not store T
    template <stored T>
    void append_values(std::span<const T> values) {
        expect_stored<T>();
        values_.append(values.data(), values.size_bytes());
        add_valid(values.size());
    }

    /// Many rows, of which those with `valid[i] != 0` have the next one of `values`: what a Parquet page holds.
    /// @throws argument_error  if the kind does not store T, or `values` and the rows that are valid differ in number
    template <stored T>
    void append_values(std::span<const T> values, std::span<const std::uint8_t> valid);

    /// All rows of a column of this kind.
    /// @throws argument_error  if it is of another kind
    void append(const column& rows);

    /// What was appended; the builder is then empty.
    [[nodiscard]] column finish();

private:
    template <stored T>
    void expect_stored() const {
        if (!is_stored_as<T>(kind_))
            throw argument_error(message("a ", to_string(kind_of<T>), " for a column of ", to_string(kind_)));
    }

    void expect(frame::kind given) const {
        if (kind_ != given)
            throw argument_error(message("a ", to_string(given), " for a column of ", to_string(kind_)));
    }

    void append_texts(const column& rows);

    void begin_text() {
        if (values_.bytes() == 0) values_.push_back(std::int64_t{0});
    }

    void add_valid(std::size_t count) {
        size_ += count;
        if (nulls_ == 0) return;  // the bitmap begins with the first missing value
        if (count == 1)
            validity_.push_back(true);
        else
            validity_.append(count, true);
    }

    frame::kind kind_;
    std::size_t size_ = 0;
    std::size_t nulls_ = 0;
    growing_bits validity_;
    growing_bits bits_;      // booleans
    growing_values values_;  // numbers and times; of strings size + 1 offsets into the text, none before the first row
    growing<char> text_;
};

inline void column_builder::reserve(std::size_t rows, std::size_t text_bytes) {
    switch (kind_) {
        case frame::kind::boolean: return bits_.reserve(rows);
        case frame::kind::string:
            values_.reserve_bytes((rows + 1) * sizeof(std::int64_t));
            return text_.reserve(text_bytes);
        default: values_.reserve_bytes(rows * value_bytes(kind_));
    }
}

inline void column_builder::append_null(std::size_t count) {
    if (count == 0) return;
    switch (kind_) {
        case frame::kind::boolean: bits_.append(count, false); break;
        case frame::kind::string: {
            begin_text();
            std::int64_t* ends = values_.extend<std::int64_t>(count);
            std::fill_n(ends, count, static_cast<std::int64_t>(text_.size()));
            break;
        }
        default: values_.append_zeros(count * value_bytes(kind_));
    }
    if (nulls_ == 0) validity_.append(size_, true);
    validity_.append(count, false);
    nulls_ += count;
    size_ += count;
}

template <stored T>
void column_builder::append_values(std::span<const T> values, std::span<const std::uint8_t> valid) {
    expect_stored<T>();
    const auto present =
        static_cast<std::size_t>(std::count_if(valid.begin(), valid.end(), [](auto v) { return v != 0; }));
    if (present != values.size())
        throw argument_error(message(values.size(), " values for ", present, " rows that have one"));
    if (present == valid.size()) return append_values(values);
    if (nulls_ == 0) validity_.append(size_, true);
    T* row = values_.extend<T>(valid.size());
    const T* next = values.data();
    for (const std::uint8_t v : valid) {
        *row++ = v != 0 ? *next++ : T{};
        validity_.push_back(v != 0);
    }
    nulls_ += valid.size() - present;
    size_ += valid.size();
}

inline void column_builder::append(const column& rows) {
    expect(rows.kind());
    if (rows.size() == 0) return;
    switch (kind_) {
        case frame::kind::boolean: bits_.append(rows.booleans()); break;
        case frame::kind::string: append_texts(rows); break;
        default: values_.append(rows.raw_values(), rows.size() * value_bytes(kind_));
    }
    if (rows.null_count() == 0) return add_valid(rows.size());
    if (nulls_ == 0) validity_.append(size_, true);
    validity_.append(rows.validity());
    nulls_ += rows.null_count();
    size_ += rows.size();
}

inline void column_builder::append_texts(const column& rows) {
    begin_text();
    std::int64_t* to = values_.extend<std::int64_t>(rows.size());
    if (rows.is_dictionary()) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            text_.append(rows.text(i));
            to[i] = static_cast<std::int64_t>(text_.size());
        }
        return;
    }
    const auto from = rows.offsets();
    const std::int64_t shift = static_cast<std::int64_t>(text_.size()) - from.front();
    text_.append(std::span(rows.text_bytes() + from.front(), static_cast<std::size_t>(from.back() - from.front())));
    for (std::size_t i = 0; i < rows.size(); ++i) to[i] = from[i + 1] + shift;
}

inline column column_builder::finish() {
    buffer validity = nulls_ == 0 ? buffer() : validity_.finish();
    const std::size_t size = size_;
    size_ = nulls_ = 0;
    switch (kind_) {
        case frame::kind::boolean: return column(kind_, size, std::move(validity), bits_.finish());
        case frame::kind::string:
            begin_text();
            return column(kind_, size, std::move(validity), values_.finish(), text_.finish());
        default: return column(kind_, size, std::move(validity), values_.finish());
    }
}

}  // namespace edge::frame
