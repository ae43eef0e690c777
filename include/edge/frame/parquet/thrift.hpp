// SPDX-License-Identifier: MIT
#pragma once

/// @file Thrift's compact protocol, as far as Parquet's footer and page headers use it.
///
///     thrift_reader in(bytes);
///     in.structure([&](int field, thrift_type type) {
///         if (field == 1) count = in.i32(type);
///         else in.skip(type);
///     });
///
/// Source: Apache Thrift, doc/specs/thrift-compact-protocol.md. Nothing here trusts a count or a depth: each element of
/// a list takes at least one byte, so a list is never longer than the bytes that are left.

#include <edge/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame::parquet {

enum class thrift_type : std::uint8_t {
    stop = 0,
    boolean_true = 1,
    boolean_false = 2,
    i8 = 3,
    i16 = 4,
    i32 = 5,
    i64 = 6,
    f64 = 7,
    binary = 8,
    list = 9,
    set = 10,
    map = 11,
    structure = 12,
};

/// Reads values off the front of bytes.
///
/// Every function throws parse_error, with the offset, at bytes that are missing or not what is asked for.
class thrift_reader {
public:
    explicit thrift_reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    /// Bytes read so far.
    [[nodiscard]] std::size_t position() const noexcept { return position_; }

    /// Calls `on_field(number, type)` for each field, which must read or skip it.
    template <class F>
    void structure(F&& on_field) {
        enter();
        int field = 0;
        for (;;) {
            const unsigned head = byte();
            const auto type = checked_type(head & 15U);
            if (type == thrift_type::stop) break;
            const int delta = static_cast<int>(head >> 4);
            field = delta != 0 ? field + delta : static_cast<int>(integer<std::int16_t>());
            on_field(field, type);
        }
        --depth_;
    }

    /// Calls `on_element(type)` for each element, which must read or skip it.
    template <class F>
    void list(thrift_type type, F&& on_element) {
        expect(type, thrift_type::list);
        enter();
        const auto [element, count] = list_head();
        for (std::size_t i = 0; i < count; ++i) on_element(element);
        --depth_;
    }

    [[nodiscard]] bool boolean(thrift_type type) {
        if (type != thrift_type::boolean_true && type != thrift_type::boolean_false)
            fail(message("type ", static_cast<int>(type), " where a boolean was expected"));
        return type == thrift_type::boolean_true;
    }
    [[nodiscard]] std::int8_t i8(thrift_type type) {
        expect(type, thrift_type::i8);
        return static_cast<std::int8_t>(byte());
    }
    [[nodiscard]] std::int16_t i16(thrift_type type) {
        expect(type, thrift_type::i16);
        return integer<std::int16_t>();
    }
    [[nodiscard]] std::int32_t i32(thrift_type type) {
        expect(type, thrift_type::i32);
        return integer<std::int32_t>();
    }
    [[nodiscard]] std::int64_t i64(thrift_type type) {
        expect(type, thrift_type::i64);
        return integer<std::int64_t>();
    }
    /// The bytes themselves, which must outlive the view.
    [[nodiscard]] std::string_view binary(thrift_type type) {
        expect(type, thrift_type::binary);
        const std::uint64_t n = varint();
        if (n > bytes_.size() - position_)
            fail(message("string of ", n, " bytes, ", bytes_.size() - position_, " left"));
        const auto* first = reinterpret_cast<const char*>(bytes_.data()) + position_;
        position_ += static_cast<std::size_t>(n);
        return {first, static_cast<std::size_t>(n)};
    }
    /// A field or element that is a structure.
    template <class F>
    void structure(thrift_type type, F&& on_field) {
        expect(type, thrift_type::structure);
        structure(std::forward<F>(on_field));
    }

    void skip(thrift_type type) { skip(type, false); }

private:
    static constexpr int max_depth = 24;  // Parquet's own structures nest seven deep

    [[noreturn]] void fail(const std::string& why) const {
        throw parse_error(message("thrift: ", why, " at byte ", position_));
    }
    void expect(thrift_type got, thrift_type wanted) const {
        if (got != wanted)
            fail(message("type ", static_cast<int>(got), " where type ", static_cast<int>(wanted), " was expected"));
    }
    void enter() {
        if (++depth_ > max_depth) fail(message("more than ", max_depth, " structures inside each other"));
    }
    [[nodiscard]] thrift_type checked_type(unsigned bits) const {
        if (bits > static_cast<unsigned>(thrift_type::structure)) fail(message("unknown type ", bits));
        return static_cast<thrift_type>(bits);
    }
    [[nodiscard]] unsigned byte() {
        if (position_ == bytes_.size()) fail("the bytes end");
        return std::to_integer<unsigned>(bytes_[position_++]);
    }
    [[nodiscard]] std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint64_t b = byte();
            value |= (b & 127U) << shift;
            if (b < 128) return value;
        }
        fail("a number of more than ten bytes");
    }
    template <class T>
    [[nodiscard]] T integer() {
        const std::uint64_t zigzag = varint();
        const auto value = static_cast<std::int64_t>((zigzag >> 1) ^ (~(zigzag & 1) + 1));
        if (static_cast<T>(value) != value) fail(message("number ", value, " does not fit ", sizeof(T) * 8, " bits"));
        return static_cast<T>(value);
    }
    struct list_header {
        thrift_type element;
        std::size_t count;
    };
    [[nodiscard]] list_header list_head() {
        const unsigned first = byte();
        const std::uint64_t count = first >> 4 == 15 ? varint() : first >> 4;
        if (count > bytes_.size() - position_)
            fail(message("list of ", count, " elements, ", bytes_.size() - position_, " bytes left"));
        return {checked_type(first & 15U), static_cast<std::size_t>(count)};
    }
    void skip(thrift_type type, bool inside_list) {
        switch (type) {
            case thrift_type::boolean_true:
            case thrift_type::boolean_false:
                if (inside_list) static_cast<void>(byte());  // a field's value is in its type, an element's in a byte
                break;
            case thrift_type::i8: static_cast<void>(byte()); break;
            case thrift_type::i16:
            case thrift_type::i32:
            case thrift_type::i64: static_cast<void>(varint()); break;
            case thrift_type::f64:
                if (bytes_.size() - position_ < 8) fail("the bytes end");
                position_ += 8;
                break;
            case thrift_type::binary: static_cast<void>(binary(type)); break;
            case thrift_type::list:
            case thrift_type::set: {
                enter();
                const auto [element, count] = list_head();
                for (std::size_t i = 0; i < count; ++i) skip(element, true);
                --depth_;
                break;
            }
            case thrift_type::map: {
                enter();
                const std::uint64_t count = varint();
                if (count > bytes_.size() - position_) fail(message("map of ", count, " entries"));
                if (count != 0) {
                    const unsigned types = byte();
                    const auto key = checked_type(types >> 4);
                    const auto value = checked_type(types & 15U);
                    for (std::uint64_t i = 0; i < count; ++i) {
                        skip(key, true);
                        skip(value, true);
                    }
                }
                --depth_;
                break;
            }
            case thrift_type::structure: structure([this](int, thrift_type inner) { skip(inner, false); }); break;
            case thrift_type::stop: fail("an element of no type");
        }
    }

    std::span<const std::byte> bytes_;
    std::size_t position_ = 0;
    int depth_ = 0;
};

/// Writes what `thrift_reader` reads. Fields in ascending order.
class thrift_writer {
public:
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
    void clear() noexcept { bytes_.clear(); }

    void boolean(int number, bool value) {
        head(number, value ? thrift_type::boolean_true : thrift_type::boolean_false);
    }
    void i8(int number, std::int8_t value) {
        head(number, thrift_type::i8);
        byte(static_cast<std::uint8_t>(value));
    }
    void i32(int number, std::int32_t value) {
        head(number, thrift_type::i32);
        element(value);
    }
    void i64(int number, std::int64_t value) {
        head(number, thrift_type::i64);
        zigzag(value);
    }
    void binary(int number, std::string_view value) {
        head(number, thrift_type::binary);
        element(value);
    }
    /// A structure whose fields `body` writes.
    template <class F>
    void structure(int number, F&& body) {
        head(number, thrift_type::structure);
        structure(body);
    }
    /// A list, whose elements `each(value)` writes with `element` or `structure`.
    template <class Range, class F>
    void list(int number, thrift_type type, const Range& values, F&& each) {
        head(number, thrift_type::list);
        const std::size_t n = std::size(values);
        byte(static_cast<std::uint8_t>((n < 15 ? n : 15) << 4 | static_cast<unsigned>(type)));
        if (n >= 15) varint(n);
        for (const auto& value : values) each(value);
    }
    void element(std::int32_t value) { zigzag(value); }
    void element(std::string_view value) {
        varint(value.size());
        const auto* first = reinterpret_cast<const std::byte*>(value.data());
        bytes_.insert(bytes_.end(), first, first + value.size());
    }
    template <class F>
    void structure(F&& body) {
        const int outer = last_;
        last_ = 0;
        body();
        byte(0);
        last_ = outer;
    }

private:
    void head(int number, thrift_type type) {
        const int delta = number - last_;
        last_ = number;
        byte(static_cast<std::uint8_t>(static_cast<unsigned>(delta > 0 && delta < 16 ? delta : 0) << 4 |
                                       static_cast<unsigned>(type)));
        if (delta <= 0 || delta > 15) zigzag(number);
    }
    void byte(std::uint8_t value) { bytes_.push_back(std::byte{value}); }
    void varint(std::uint64_t value) {
        for (; value >= 128; value >>= 7) byte(static_cast<std::uint8_t>(value | 128U));
        byte(static_cast<std::uint8_t>(value));
    }
    void zigzag(std::int64_t value) {
        varint(static_cast<std::uint64_t>(value) << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0));
    }

    std::vector<std::byte> bytes_;
    int last_ = 0;
};

}  // namespace edge::frame::parquet
