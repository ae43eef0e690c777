// SPDX-License-Identifier: MIT
#pragma once

/// @file Byte form of observers: little-endian numbers behind a mark that names the kind.
///
///     byte_writer to(kind);  to.put(count);  return std::move(to).bytes();
///     byte_reader from(bytes, kind);  const auto count = from.take<std::uint64_t>();  from.expect_end();

#include <edge/core/error.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::quant::detail {

/// What a byte form holds; the numbers are part of the format.
enum class stored_kind : std::uint8_t {
    minmax = 0,
    moving_average = 1,
    percentile = 2,
    mse = 3,
    entropy = 4,
    channel_minmax = 5,
    histogram = 6,
    moments = 7,
};

/// "edgq", then the version of the format.
inline constexpr std::uint8_t stored_mark[] = {'e', 'd', 'g', 'q', 1};

/// An unsigned integer of the size of T.
template <class T>
using bits_of =
    std::conditional_t<sizeof(T) == 1, std::uint8_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;

class byte_writer {
public:
    explicit byte_writer(stored_kind kind) {
        for (const std::uint8_t c : stored_mark) put(c);
        put(static_cast<std::uint8_t>(kind));
    }

    /// @tparam T  of 1, 4 or 8 bytes
    template <class T>
    void put(T value) {
        const auto bits = std::bit_cast<bits_of<T>>(value);
        for (std::size_t i = 0; i < sizeof(T); ++i)
            bytes_.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(bits) >> (8 * i) & 255));
    }

    [[nodiscard]] std::vector<std::byte> bytes() && { return std::move(bytes_); }

private:
    std::vector<std::byte> bytes_;
};

class byte_reader {
public:
    /// @throws parse_error  if the mark or the kind is another
    byte_reader(std::span<const std::byte> bytes, stored_kind kind) : left_(bytes) {
        for (const std::uint8_t c : stored_mark)
            if (take<std::uint8_t>() != c) throw parse_error("observer: these are no bytes of an observer");
        if (const auto found = take<std::uint8_t>(); found != static_cast<std::uint8_t>(kind))
            throw parse_error(message("observer: bytes of kind ", int{found}, "; expected ", static_cast<int>(kind)));
    }

    /// The kind that bytes begin with.
    /// @throws parse_error  if there is none
    static stored_kind kind_of(std::span<const std::byte> bytes) {
        constexpr std::size_t at = std::size(stored_mark);
        if (bytes.size() <= at) throw parse_error(message("observer: ", bytes.size(), " bytes; expected more"));
        return static_cast<stored_kind>(bytes[at]);
    }

    template <class T>
    [[nodiscard]] T take() {
        if (left_.size() < sizeof(T)) throw parse_error("observer: the bytes end too early");
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) bits |= std::to_integer<std::uint64_t>(left_[i]) << (8 * i);
        left_ = left_.subspan(sizeof(T));
        return std::bit_cast<T>(static_cast<bits_of<T>>(bits));
    }

    /// A number of things of `each` bytes that follow.
    /// @throws parse_error  if there are not that many bytes
    [[nodiscard]] std::size_t take_count(std::size_t each) {
        const auto n = take<std::uint64_t>();
        if (n > left_.size() / each)
            throw parse_error(message("observer: ", n, " entries announced, ", left_.size(), " bytes there"));
        return static_cast<std::size_t>(n);
    }

    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }

    /// @throws parse_error  if bytes are left over
    void expect_end() const {
        if (!left_.empty()) throw parse_error(message("observer: ", left_.size(), " bytes too many"));
    }

private:
    std::span<const std::byte> left_;
};

}  // namespace edge::quant::detail
