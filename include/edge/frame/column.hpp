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
/// strings as int64 offsets into UTF-8 bytes or as int32 codes into a dictionary of such strings, and a validity bitmap
/// that is absent where nothing is missing. Columns do not change once made, so a copy or a slice shares the memory. A
/// column that grows is a `column_builder`; dictionary.hpp makes one encoding of strings from the other.

#include <edge/frame/buffer.hpp>
#include <edge/frame/kind.hpp>

#include <algorithm>
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

    /// @param days  since 1970-01-01
    [[nodiscard]] static column dates(std::vector<std::int32_t> days, const std::vector<bool>& valid = {}) {
        return adopt(frame::kind::date, std::move(days), valid);
    }

    /// Strings as codes: row i is `dictionary.text(codes[i])`. O(size).
    /// @param validity    bitmap, or no bytes where nothing is missing
    /// @param codes       int32, each below the dictionary's size; 0 where missing
    /// @param dictionary  plain strings, none missing and no two equal
    /// @throws argument_error  if a buffer is too small, a code too large, or the dictionary something else
    [[nodiscard]] static column encoded(std::size_t size, buffer validity, buffer codes, column dictionary);

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

    /// The first value of a column of numbers or times, whatever their type; `value_bytes(kind())` bytes each.
    [[nodiscard]] const std::byte* raw_values() const noexcept {
        return memory_->values.data() + offset_ * value_bytes(kind_);
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
        expect(frame::kind::string);
        if (!is_valid(i)) return {};
        if (memory_->dictionary == nullptr) return plain_text(i + offset_);
        const column& words = *memory_->dictionary;
        return words.size_ == 0 ? std::string_view() : words.plain_text(words.offset_ + code(i));
    }

    /// Whether the strings are codes into a dictionary.
    [[nodiscard]] bool is_dictionary() const noexcept { return memory_->dictionary != nullptr; }

    /// Place of each row's text in `dictionary()`; 0 where missing.
    /// @throws argument_error  if the column is not dictionary-encoded
    [[nodiscard]] std::span<const std::int32_t> codes() const {
        (void)dictionary();
        return {raw<std::int32_t>() + offset_, size_};
    }

    /// The different strings of a dictionary-encoded column, plain, in no order; some may not be used.
    /// @throws argument_error  if the column is not dictionary-encoded
    [[nodiscard]] const column& dictionary() const {
        if (memory_->dictionary == nullptr)
            throw argument_error(
                message("column of ", to_string(kind_), " without a dictionary; dictionary_encoded() makes one"));
        return *memory_->dictionary;
    }

    /// Where each string begins and the last one ends: size() + 1 offsets into `text_bytes`.
    /// @throws argument_error  if it is not a string column, or a dictionary-encoded one
    [[nodiscard]] std::span<const std::int64_t> offsets() const {
        expect(frame::kind::string);
        if (is_dictionary()) throw argument_error("dictionary-encoded strings read as plain ones; plain() makes them");
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
        std::shared_ptr<const column> dictionary = nullptr;  ///< of strings that are codes
    };

    [[nodiscard]] std::string_view plain_text(std::size_t at) const noexcept {
        const auto* offsets = raw<std::int64_t>() + at;
        return {text_bytes() + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0])};
    }
    [[nodiscard]] std::size_t code(std::size_t i) const noexcept {
        return static_cast<std::size_t>(raw<std::int32_t>()[offset_ + i]);
    }
    void set_validity(buffer& validity);

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

namespace detail {

inline void need_bytes(std::size_t rows, frame::kind kind, const char* what, std::size_t have, std::size_t want) {
    if (have < want)
        throw argument_error(
            message("column of ", rows, " ", to_string(kind), ": ", have, " bytes of ", what, "; expected ", want));
}

}  // namespace detail

/// Counts what is missing; a bitmap that says that nothing is becomes no bytes.
inline void column::set_validity(buffer& validity) {
    if (size_ > static_cast<std::size_t>(-1) / 16) throw argument_error(message("column of ", size_, " rows"));
    if (validity.empty()) return;
    detail::need_bytes(size_, kind_, "validity", validity.size(), bitmap_bytes(size_));
    nulls_ = size_ - bit_view{validity.as<std::uint8_t>(), 0, size_}.count();
    if (nulls_ == 0) validity = {};
}

inline column::column(frame::kind kind, std::size_t size, buffer validity, buffer values, buffer text)
    : kind_(kind), size_(size) {
    set_validity(validity);
    if (kind == frame::kind::boolean) {
        detail::need_bytes(size, kind, "values", values.size(), bitmap_bytes(size));
    } else if (kind == frame::kind::string) {
        detail::need_bytes(size, kind, "offsets", values.size(), (size + 1) * sizeof(std::int64_t));
        const std::int64_t end = values.as<std::int64_t>()[size];
        if (end < 0 || static_cast<std::uint64_t>(end) > text.size())
            throw argument_error(
                message("column of ", size, " string: last offset ", end, " of ", text.size(), " bytes"));
    } else {
        detail::need_bytes(size, kind, "values", values.size(), size * value_bytes(kind));
    }
    memory_ = std::make_shared<const memory>(memory{std::move(validity), std::move(values), std::move(text)});
}

inline column column::encoded(std::size_t size, buffer validity, buffer codes, column dictionary) {
    if (dictionary.kind_ != frame::kind::string || dictionary.is_dictionary() || dictionary.nulls_ != 0)
        throw argument_error(message("dictionary of ", to_string(dictionary.kind_),
                                     dictionary.nulls_ != 0 ? " with missing values" : "", "; expected plain strings"));
    column c;
    c.kind_ = frame::kind::string;
    c.size_ = size;
    c.set_validity(validity);
    detail::need_bytes(size, c.kind_, "codes", codes.size(), size * sizeof(std::int32_t));
    std::uint32_t largest = 0;  // of the codes as unsigned: a negative one is large
    for (std::size_t i = 0; i < size; ++i) largest = (std::max)(largest, codes.as<std::uint32_t>()[i]);
    if (largest != 0 ? largest >= dictionary.size_ : dictionary.size_ == 0 && c.nulls_ != size)
        throw argument_error(
            message("code ", static_cast<std::int32_t>(largest), " of a dictionary of ", dictionary.size_, " strings"));
    c.memory_ = std::make_shared<const memory>(
        memory{std::move(validity), std::move(codes), buffer(), std::make_shared<const column>(std::move(dictionary))});
    return c;
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
