// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs and packed bits: how Parquet stores levels, booleans and indexes into a dictionary.
///
///     rle_reader in(bytes, bit_width);
///     in.read(indexes);                           // fills the span
///     rle_writer out(bit_width); out.write(indexes); out.bytes();
///
/// Source: apache/parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".

#include <edge/core/error.hpp>
#include <edge/frame/buffer.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::parquet {

static_assert(std::endian::native == std::endian::little,
              "edge reads and writes Parquet on little-endian machines only");

[[nodiscard]] inline const std::uint8_t* octets(std::span<const std::byte> bytes) noexcept {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// Bits needed for values up to `largest`.
[[nodiscard]] constexpr int bits_for(std::uint32_t largest) noexcept {
    return static_cast<int>(std::bit_width(largest));
}

/// Value number `i` of values of `width` bits, packed from the low end of each byte on. `bytes` must hold it.
[[nodiscard]] inline std::uint64_t packed_value(std::span<const std::byte> bytes, std::size_t i,
                                                unsigned width) noexcept {
    const std::size_t bit = i * width;
    const std::size_t first = bit / 8;
    const unsigned shift = bit % 8;
    const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    const std::size_t left = bytes.size() - first;
    std::uint64_t low = 0;
    if (left >= 8) {
        std::memcpy(&low, bytes.data() + first, 8);
    } else {
        for (std::size_t k = left; k-- > 0;) low = low << 8 | std::to_integer<std::uint64_t>(bytes[first + k]);
    }
    low >>= shift;
    if (shift + width > 64) low |= std::to_integer<std::uint64_t>(bytes[first + 8]) << (64 - shift);
    return low & mask;
}

namespace detail {

/// Groups of eight values of W bits; eight bytes from the last byte of a group on must be there.
template <unsigned W>
void unpack_groups(const std::byte* from, std::size_t groups, std::uint32_t* to) noexcept {
    constexpr auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << W) - 1);
    const auto word = [&](unsigned byte) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, from + byte, 8);
        return bits;
    };
    for (; groups > 0; --groups, from += W, to += 8) {
        if constexpr (W <= 8) {
            const std::uint64_t all = word(0);
            for (unsigned j = 0; j < 8; ++j) to[j] = static_cast<std::uint32_t>(all >> (j * W)) & mask;
        } else {
            for (unsigned j = 0; j < 8; ++j) to[j] = static_cast<std::uint32_t>(word(j * W / 8) >> (j * W % 8)) & mask;
        }
    }
}

template <unsigned... W>
void unpack_groups_of(unsigned width, const std::byte* from, std::size_t groups, std::uint32_t* to,
                      std::integer_sequence<unsigned, W...>) noexcept {
    using unpack = void (*)(const std::byte*, std::size_t, std::uint32_t*) noexcept;
    static constexpr unpack by_width[] = {unpack_groups<W + 1>...};
    by_width[width - 1](from, groups, to);
}

}  // namespace detail

/// Values number `first` to `first + count` of values of `width` bits, 1 to 32, packed as above. `bytes` must hold them.
inline void unpack(std::span<const std::byte> bytes, std::size_t first, std::size_t count, unsigned width,
                   std::uint32_t* to) noexcept {
    std::size_t i = 0;
    const auto one_by_one = [&](std::size_t end) {
        for (; i < end; ++i) to[i] = static_cast<std::uint32_t>(packed_value(bytes, first + i, width));
    };
    one_by_one((std::min)(count, (8 - first % 8) % 8));
    const std::size_t begin = (first + i) / 8 * width;  // of the next group
    if (bytes.size() >= begin + width + 7) {
        const std::size_t groups = (std::min)((count - i) / 8, (bytes.size() - begin - 7) / width);
        detail::unpack_groups_of(width, bytes.data() + begin, groups, to + i,
                                 std::make_integer_sequence<unsigned, 32>());
        i += 8 * groups;
    }
    one_by_one(count);
}

/// Reads values of 0 ... 32 bits.
class rle_reader {
public:
    /// @throws parse_error  if the width is not one
    rle_reader(std::span<const std::byte> bytes, int width) : bytes_(bytes), width_(static_cast<unsigned>(width)) {
        if (width < 0 || width > 32) throw parse_error(message("bit width ", width, "; expected 0 to 32"));
    }

    /// Fills `out` with the next values.
    /// @throws parse_error  if there are fewer
    void read(std::span<std::uint32_t> out) {
        std::size_t done = 0;
        while (done < out.size()) {
            if (count_ == 0) next_run();
            const std::size_t n = (std::min)(count_, out.size() - done);
            std::uint32_t* to = out.data() + done;
            if (is_packed_) {
                unpack(packed_, at_, n, width_, to);
                at_ += n;
            } else {
                std::fill_n(to, n, value_);
            }
            count_ -= n;
            done += n;
        }
    }

    /// Appends the next `count` values, of one bit, to a bitmap. Returns how many are set.
    /// @throws parse_error  if there are fewer, or one is not 0 or 1
    std::size_t read_bits(std::size_t count, growing_bits& out) {
        std::size_t set = 0;
        for (std::size_t done = 0; done < count;) {
            if (count_ == 0) next_run();
            const std::size_t n = (std::min)(count_, count - done);
            if (is_packed_) {  // one bit a value, from the low end on: what a bitmap is
                const bit_view bits{octets(packed_), at_, n};
                set += bits.count();
                out.append(bits);
                at_ += n;
            } else {
                if (value_ > 1) throw parse_error(message("level ", value_, "; expected 0 or 1"));
                if (value_ == 1) set += n;
                out.append(n, value_ == 1);
            }
            count_ -= n;
            done += n;
        }
        return set;
    }

private:
    void next_run() {
        do {
            std::uint64_t head = 0;
            for (unsigned shift = 0;; shift += 7) {
                const std::uint64_t b = byte();
                if (shift == 63) throw parse_error("a run whose length has more than nine bytes");
                head |= (b & 127U) << shift;
                if (b < 128) break;
            }
            is_packed_ = (head & 1) != 0;
            if (is_packed_) {
                // Some writers leave out the padding of the last group, so what is there counts.
                const std::size_t left = bytes_.size() - position_;
                if (width_ == 0) {
                    count_ = static_cast<std::size_t>(head >> 1) * 8;
                } else {
                    const std::size_t groups = (std::min)(static_cast<std::size_t>(head >> 1), left / width_ + 1);
                    const std::size_t length = (std::min)(groups * width_, left);
                    packed_ = bytes_.subspan(position_, length);
                    position_ += length;
                    count_ = length * 8 / width_;
                }
                at_ = 0;
            } else {
                count_ = static_cast<std::size_t>(head >> 1);
                value_ = 0;
                for (unsigned i = 0; i < (width_ + 7) / 8; ++i) value_ |= static_cast<std::uint32_t>(byte()) << (8 * i);
            }
        } while (count_ == 0);
        if (is_packed_ && width_ == 0) {
            is_packed_ = false;
            value_ = 0;
        }
    }

    [[nodiscard]] std::uint64_t byte() {
        if (position_ == bytes_.size()) throw parse_error(message("runs end after ", position_, " bytes"));
        return std::to_integer<std::uint64_t>(bytes_[position_++]);
    }

    std::span<const std::byte> bytes_;
    std::span<const std::byte> packed_;  ///< of the run at hand
    std::size_t position_ = 0;
    std::size_t at_ = 0;     ///< next value in `packed_`
    std::size_t count_ = 0;  ///< left in the run at hand
    unsigned width_;
    std::uint32_t value_ = 0;
    bool is_packed_ = false;
};

/// Writes what `rle_reader` reads.
class rle_writer {
public:
    explicit rle_writer(int width) : width_(static_cast<unsigned>(width)) {}

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
    void clear() noexcept { bytes_.clear(); }

    /// All values of a page. A run is worth it from eight equal values on, at a boundary of eight.
    void write(std::span<const std::uint32_t> values) {
        std::size_t packed_from = 0;
        std::size_t i = 0;
        while (i < values.size()) {
            std::size_t end = i + 1;
            while (end < values.size() && values[end] == values[i]) ++end;
            const std::size_t start = packed_from + (i - packed_from + 7) / 8 * 8;  // fill up the group that was begun
            if (start < end && end - start >= 8) {
                write_packed(values.subspan(packed_from, start - packed_from));
                write_run(values[i], end - start);
                packed_from = end;
            }
            i = end;
        }
        write_packed(values.subspan(packed_from));
    }

    /// Bits of a bitmap, for a width of one: a run where they are all equal, else packed.
    void write(const bit_view& bits) {
        const std::size_t set = bits.count();
        if (set == 0 || set == bits.size) return write_run(set != 0 ? 1 : 0, bits.size);
        const std::size_t groups = bitmap_bytes(bits.size);
        varint(std::uint64_t{groups} << 1 | 1);
        for (std::size_t i = 0; i < bits.size; i += 8) {
            unsigned octet = 0;
            for (std::size_t k = 0; k < 8 && i + k < bits.size; ++k) octet |= (bits[i + k] ? 1U : 0U) << k;
            bytes_.push_back(static_cast<std::byte>(octet));
        }
    }

private:
    void varint(std::uint64_t value) {
        for (; value >= 128; value >>= 7) bytes_.push_back(static_cast<std::byte>((value & 127U) | 128U));
        bytes_.push_back(static_cast<std::byte>(value));
    }
    void write_run(std::uint32_t value, std::size_t count) {
        varint(std::uint64_t{count} << 1);
        for (unsigned i = 0; i < (width_ + 7) / 8; ++i)
            bytes_.push_back(static_cast<std::byte>(value >> (8 * i) & 255U));
    }
    void write_packed(std::span<const std::uint32_t> values) {
        if (values.empty()) return;
        const std::size_t groups = (values.size() + 7) / 8;
        varint(std::uint64_t{groups} << 1 | 1);
        std::uint64_t pending = 0;
        unsigned bits = 0;
        const std::size_t end = bytes_.size() + groups * width_;
        for (const std::uint32_t v : values) {
            pending |= std::uint64_t{v} << bits;
            for (bits += width_; bits >= 8; bits -= 8, pending >>= 8)
                bytes_.push_back(static_cast<std::byte>(pending & 255U));
        }
        if (bits != 0) bytes_.push_back(static_cast<std::byte>(pending & 255U));
        bytes_.resize(end);  // whole groups of eight
    }

    std::vector<std::byte> bytes_;
    unsigned width_;
};

}  // namespace edge::frame::parquet
