// SPDX-License-Identifier: MIT
#pragma once

/// @file Column: values of one kind, some of which may be missing.
///
///     column ax{std::vector<float>{0.1f, 9.8f}};
///     column name{std::vector<std::string>{"left", "right"}, {true, false}};   // the second is missing
///     for (float v : ax.values<float>()) …
///     if (name.is_valid(0)) std::cout << name.text(0);
///
/// Memory is Arrow's, so a column can be handed on without a copy: values one after the other, booleans as bits,
/// strings as int64 offsets into UTF-8 bytes, and a validity bitmap that is absent where nothing is missing. Columns do
/// not change once made, so a copy or a slice shares the memory. A column that grows is a `column_builder`.

#include <edge/frame/buffer.hpp>
#include <edge/frame/kind.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

class column {
public:
    /// No rows, of float64.
    column() = default;

    /// Takes the vector's memory. `valid[i]` says whether row i has a value; empty: every row has.
    /// @throws argument_error  if `valid` has another length
    template <stored T>
    explicit column(std::vector<T> values, const std::vector<bool>& valid = {})
        : column(adopt(kind_of<T>, std::move(values), valid)) {}

    explicit column(const std::vector<bool>& values, const std::vector<bool>& valid = {})
        : column(frame::kind::boolean, values.size(), pack(valid, values.size()), pack(values, values.size())) {}

    /// @param values  UTF-8
    explicit column(const std::vector<std::string>& values, const std::vector<bool>& valid = {});

    /// @param ns  nanoseconds since 1970-01-01T00:00:00 UTC
    [[nodiscard]] static column timestamps(std::vector<std::int64_t> ns, const std::vector<bool>& valid = {}) {
        return adopt(frame::kind::timestamp, std::move(ns), valid);
    }

    /// `size` missing values.
    [[nodiscard]] static column missing(frame::kind kind, std::size_t size);

    /// A column over buffers that are already there, laid out as said above. O(size / 64).
    /// @param validity  bitmap, or no bytes where nothing is missing
    /// @param values    of the kind; for strings size + 1 offsets, which must not decrease and stay inside `text`
    /// @throws argument_error  if a buffer is too small
    column(frame::kind kind, std::size_t size, buffer validity, buffer values, buffer text = {});

    [[nodiscard]] frame::kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t null_count() const noexcept { return nulls_; }
    [[nodiscard]] bool is_valid(std::size_t i) const noexcept { return validity()[i]; }

    /// A bit a row, set where there is a value; `bytes` is null where nothing is missing.
    [[nodiscard]] bit_view validity() const noexcept {
        return {nulls_ == 0 ? nullptr : memory_->validity.as<std::uint8_t>(), offset_, size_};
    }

    /// All values of a column of numbers or timestamps (as int64). What stands in a missing row means nothing.
    /// @throws argument_error  if the column stores another type
    template <stored T>
    [[nodiscard]] std::span<const T> values() const {
        if (!is_stored_as<T>(kind_))
            throw argument_error(message("column of ", to_string(kind_), " read as ", to_string(kind_of<T>)));
        return {raw<T>() + offset_, size_};
    }

    /// Value of row `i` of a boolean column.
    /// @throws argument_error  if it is not one
    [[nodiscard]] bool boolean(std::size_t i) const { return booleans()[i]; }

    /// All values of a boolean column, as bits.
    /// @throws argument_error  if it is not one
    [[nodiscard]] bit_view booleans() const {
        expect(frame::kind::boolean);
        return {raw<std::uint8_t>(), offset_, size_};
    }

    /// Value of row `i` of a string column, valid while a copy of the column lives; empty where missing.
    /// @throws argument_error  if it is not one
    [[nodiscard]] std::string_view text(std::size_t i) const {
        const auto at = offsets();
        return {text_bytes() + at[i], static_cast<std::size_t>(at[i + 1] - at[i])};
    }

    /// Where each string begins and the last one ends: size() + 1 offsets into `text_bytes`.
    /// @throws argument_error  if it is not a string column
    [[nodiscard]] std::span<const std::int64_t> offsets() const {
        expect(frame::kind::string);
        return {raw<std::int64_t>() + offset_, size_ + 1};
    }

    /// Bytes that `offsets` point into.
    [[nodiscard]] const char* text_bytes() const noexcept { return memory_->text.as<char>(); }

    /// `count` rows from `first` on; shares the memory. O(count / 64).
    /// @throws argument_error  if there are fewer
    [[nodiscard]] column slice(std::size_t first, std::size_t count) const;

    /// The buffers as they are and the row at which this column begins in them, as Arrow's C data interface asks.
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    [[nodiscard]] const buffer& validity_buffer() const noexcept { return memory_->validity; }
    [[nodiscard]] const buffer& value_buffer() const noexcept { return memory_->values; }
    [[nodiscard]] const buffer& text_buffer() const noexcept { return memory_->text; }

private:
    /// The buffers together, so that copying a column counts one owner and not three.
    struct memory {
        buffer validity;
        buffer values;
        buffer text;
    };

    [[nodiscard]] static const std::shared_ptr<const memory>& no_memory() {
        static const auto none = std::make_shared<const memory>();
        return none;
    }

    template <class T>
    [[nodiscard]] const T* raw() const noexcept {
        return memory_->values.as<T>();
    }

    template <stored T>
    static column adopt(frame::kind kind, std::vector<T> values, const std::vector<bool>& valid) {
        const std::size_t size = values.size();  // before the vector gives its memory away
        return column(kind, size, pack(valid, size), buffer(std::move(values)));
    }

    /// Bits of `bits`, or no bytes where it is empty.
    static buffer pack(const std::vector<bool>& bits, std::size_t size) {
        if (!bits.empty() && bits.size() != size)
            throw argument_error(message("validity of ", bits.size(), " rows for ", size, " values"));
        growing_bits packed;
        packed.reserve(bits.size());
        for (const bool bit : bits) packed.push_back(bit);
        return packed.finish();
    }

    void expect(frame::kind wanted) const {
        if (kind_ != wanted)
            throw argument_error(message("column of ", to_string(kind_), " read as ", to_string(wanted)));
    }

    frame::kind kind_ = frame::kind::float64;
    std::size_t offset_ = 0;
    std::size_t size_ = 0;
    std::size_t nulls_ = 0;
    std::shared_ptr<const memory> memory_ = no_memory();
};

inline column::column(frame::kind kind, std::size_t size, buffer validity, buffer values, buffer text)
    : kind_(kind), size_(size) {
    const auto need = [&](const char* what, std::size_t have, std::size_t want) {
        if (have < want)
            throw argument_error(
                message("column of ", size, " ", to_string(kind), ": ", have, " bytes of ", what, "; expected ", want));
    };
    if (size > static_cast<std::size_t>(-1) / 16) throw argument_error(message("column of ", size, " rows"));
    switch (kind) {
        case frame::kind::boolean: need("values", values.size(), bitmap_bytes(size)); break;
        case frame::kind::string: {
            need("offsets", values.size(), (size + 1) * sizeof(std::int64_t));
            const std::int64_t end = values.as<std::int64_t>()[size];
            if (end < 0 || static_cast<std::uint64_t>(end) > text.size())
                throw argument_error(
                    message("column of ", size, " string: last offset ", end, " of ", text.size(), " bytes"));
            break;
        }
        default:
            dispatch_stored(
                kind, [&]<class T>() { need("values", values.size() / sizeof(T) * sizeof(T), size * sizeof(T)); });
    }
    if (!validity.empty()) {
        need("validity", validity.size(), bitmap_bytes(size));
        nulls_ = size - bit_view{validity.as<std::uint8_t>(), 0, size}.count();
        if (nulls_ == 0) validity = {};
    }
    memory_ = std::make_shared<const memory>(memory{std::move(validity), std::move(values), std::move(text)});
}

inline column::column(const std::vector<std::string>& values, const std::vector<bool>& valid) {
    growing<std::int64_t> offsets;
    growing<char> text;
    offsets.reserve(values.size() + 1);
    offsets.push_back(0);
    for (const std::string& value : values) {
        text.append(value);
        offsets.push_back(static_cast<std::int64_t>(text.size()));
    }
    *this = column(frame::kind::string, values.size(), pack(valid, values.size()), offsets.finish(), text.finish());
}

inline column column::missing(frame::kind kind, std::size_t size) {
    growing_bits validity;
    validity.append(size, false);
    growing<std::uint8_t> zeros;
    zeros.append((size + 1) * sizeof(std::int64_t), 0);
    return column(kind, size, validity.finish(), zeros.finish());
}

inline column column::slice(std::size_t first, std::size_t count) const {
    if (first > size_ || count > size_ - first)
        throw argument_error(message("rows ", first, " to ", first + count, " of a column of ", size_));
    column part = *this;
    part.offset_ += first;
    part.size_ = count;
    part.nulls_ = nulls_ == 0 ? 0 : count - bit_view{memory_->validity.as<std::uint8_t>(), part.offset_, count}.count();
    return part;
}

}  // namespace edge::frame
