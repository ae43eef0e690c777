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

    /// One value, of exactly the type that the kind stores: int32_t, int64_t (also timestamps), float or double.
    /// @throws argument_error  if the kind is another
    template <stored T>
    void append(T value) {
        array<T>().push_back(value);
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
        wide_.push_back(static_cast<std::int64_t>(text_.size()));
        add_valid(1);
    }
    void append(const char* text) { append(std::string_view(text)); }

    void append_null(std::size_t count = 1);

    /// Room for `count` more values, all valid, which the caller fills.
    /// @throws argument_error  if the kind does not store T
    template <stored T>
    [[nodiscard]] std::span<T> extend(std::size_t count) {
        T* first = array<T>().extend(count);
        add_valid(count);
        return {first, count};
    }

    /// Many values, all valid: one copy.
    /// @throws argument_error  if the kind does not store T
    template <stored T>
    void append_values(std::span<const T> values) {
        array<T>().append(values);
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
    growing<T>& array() {
        if (!is_stored_as<T>(kind_))
            throw argument_error(message("a ", to_string(kind_of<T>), " for a column of ", to_string(kind_)));
        return raw<T>();
    }
    template <stored T>
    growing<T>& raw() noexcept {
        if constexpr (std::is_same_v<T, std::int32_t>) return narrow_;
        if constexpr (std::is_same_v<T, std::int64_t>) return wide_;
        if constexpr (std::is_same_v<T, float>) return single_;
        if constexpr (std::is_same_v<T, double>) return double_;
    }

    void expect(frame::kind given) const {
        if (kind_ != given)
            throw argument_error(message("a ", to_string(given), " for a column of ", to_string(kind_)));
    }

    void begin_text() {
        if (wide_.size() == 0) wide_.push_back(0);
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
    growing_bits bits_;             // booleans
    growing<std::int32_t> narrow_;  // int32
    growing<std::int64_t> wide_;    // int64, timestamps, offsets of strings
    growing<float> single_;
    growing<double> double_;
    growing<char> text_;
};

inline void column_builder::reserve(std::size_t rows, std::size_t text_bytes) {
    switch (kind_) {
        case frame::kind::boolean: return bits_.reserve(rows);
        case frame::kind::string: wide_.reserve(rows + 1); return text_.reserve(text_bytes);
        default: dispatch_stored(kind_, [&]<class T>() { raw<T>().reserve(rows); });
    }
}

inline void column_builder::append_null(std::size_t count) {
    if (count == 0) return;
    switch (kind_) {
        case frame::kind::boolean: bits_.append(count, false); break;
        case frame::kind::string:
            begin_text();
            wide_.append(count, wide_.back());
            break;
        default: dispatch_stored(kind_, [&]<class T>() { raw<T>().append(count, T{}); });
    }
    if (nulls_ == 0) validity_.append(size_, true);
    validity_.append(count, false);
    nulls_ += count;
    size_ += count;
}

template <stored T>
void column_builder::append_values(std::span<const T> values, std::span<const std::uint8_t> valid) {
    growing<T>& to = array<T>();
    const auto present =
        static_cast<std::size_t>(std::count_if(valid.begin(), valid.end(), [](auto v) { return v != 0; }));
    if (present != values.size())
        throw argument_error(message(values.size(), " values for ", present, " rows that have one"));
    if (present == valid.size()) return append_values(values);
    if (nulls_ == 0) validity_.append(size_, true);
    T* row = to.extend(valid.size());
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
        case frame::kind::string: {
            begin_text();
            const auto from = rows.offsets();
            const std::int64_t shift = wide_.back() - from.front();
            text_.append(
                std::span(rows.text_bytes() + from.front(), static_cast<std::size_t>(from.back() - from.front())));
            std::int64_t* to = wide_.extend(rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i) to[i] = from[i + 1] + shift;
            break;
        }
        default: dispatch_stored(kind_, [&]<class T>() { raw<T>().append(rows.values<T>()); });
    }
    if (rows.null_count() == 0) return add_valid(rows.size());
    if (nulls_ == 0) validity_.append(size_, true);
    validity_.append(rows.validity());
    nulls_ += rows.null_count();
    size_ += rows.size();
}

inline column column_builder::finish() {
    buffer validity = nulls_ == 0 ? buffer() : validity_.finish();
    const std::size_t size = size_;
    size_ = nulls_ = 0;
    switch (kind_) {
        case frame::kind::boolean: return column(kind_, size, std::move(validity), bits_.finish());
        case frame::kind::string:
            begin_text();
            return column(kind_, size, std::move(validity), wide_.finish(), text_.finish());
        default:
            return dispatch_stored(
                kind_, [&]<class T>() { return column(kind_, size, std::move(validity), raw<T>().finish()); });
    }
}

}  // namespace edge::frame
