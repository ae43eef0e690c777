// SPDX-License-Identifier: MIT
#pragma once

/// @file Memory of columns: shared bytes that do not change, growing arrays that become them, and bitmaps.
///
///     growing<float> values;
///     values.append(samples);                       // doubles when it is full; no zeros are written first
///     buffer shared = values.finish();              // no copy; aligned to 64 bytes
///
/// Bitmaps are Arrow's: bit i is bit i % 8, counted from the low end, of byte i / 8.

#include <edge/core/memory.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame {

/// Bytes that are shared and never change. A copy is another owner of the same bytes.
class buffer {
public:
    buffer() = default;

    /// Bytes that `owner` keeps alive.
    buffer(std::shared_ptr<const void> owner, const void* data, std::size_t size) noexcept
        : data_(std::move(owner), static_cast<const std::byte*>(data)), size_(size) {}

    /// Takes the vector's memory: no copy.
    template <class T>
    requires(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>) explicit buffer(std::vector<T> values) {
        auto owner = std::make_shared<const std::vector<T>>(std::move(values));
        size_ = owner->size() * sizeof(T);
        data_ = {owner, reinterpret_cast<const std::byte*>(owner->data())};
    }

    [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// The bytes as values of T, which they must hold.
    template <class T>
    [[nodiscard]] const T* as() const noexcept {
        return reinterpret_cast<const T*>(data_.get());
    }

    /// What keeps the bytes alive, for handing them on without a copy.
    [[nodiscard]] const std::shared_ptr<const std::byte>& owner() const noexcept { return data_; }

private:
    std::shared_ptr<const std::byte> data_;
    std::size_t size_ = 0;
};

/// Array that grows at its end, aligned to 64 bytes. Unlike a std::vector it can grow without writing zeros first, and
/// its memory becomes a `buffer` without a copy.
template <class T>
requires std::is_trivially_copyable_v<T>
class growing {
public:
    growing() = default;
    /// An empty array in memory that outlives it, as long as it does not grow beyond; not to be finished.
    growing(T* memory, std::size_t capacity) noexcept : data_(memory), capacity_(capacity) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T* data() noexcept { return data_; }
    [[nodiscard]] const T* data() const noexcept { return data_; }
    [[nodiscard]] T& operator[](std::size_t i) noexcept { return data_[i]; }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return data_[i]; }
    [[nodiscard]] T& back() noexcept { return data_[size_ - 1]; }

    void reserve(std::size_t capacity) {
        if (capacity > capacity_) move_to(capacity);
    }

    void push_back(T value) {
        if (size_ == capacity_) move_to(capacity_ < 32 ? 64 : 2 * capacity_);
        data_[size_++] = value;
    }

    /// Room for `count` more values, which the caller fills.
    [[nodiscard]] T* extend(std::size_t count) {
        if (count > capacity_ - size_) {
            if (count > static_cast<std::size_t>(-1) / sizeof(T) / 2 - size_) throw std::bad_alloc();
            const std::size_t twice = capacity_ < 32 ? 64 : 2 * capacity_;
            move_to(twice < size_ + count ? size_ + count : twice);
        }
        T* first = data_ + size_;
        size_ += count;
        return first;
    }

    /// Leaves out what is beyond the first `size` values.
    void shrink(std::size_t size) noexcept { size_ = size; }

    void append(std::span<const T> values) {
        if (values.empty()) return;
        std::memcpy(extend(values.size()), values.data(), values.size_bytes());
    }

    void append(std::size_t count, T value) {
        T* first = extend(count);
        for (std::size_t i = 0; i < count; ++i) first[i] = value;
    }

    /// The values as shared bytes; the array is then empty.
    [[nodiscard]] buffer finish() {
        const std::size_t bytes = size_ * sizeof(T);
        const void* data = data_;
        data_ = nullptr;
        size_ = capacity_ = 0;
        return buffer(std::shared_ptr<const void>(std::move(memory_)), data, bytes);
    }

private:
    void move_to(std::size_t capacity) {
        auto memory = edge::detail::allocate_bytes(capacity * sizeof(T));
        if (size_ != 0) std::memcpy(memory.get(), data_, size_ * sizeof(T));
        memory_ = std::move(memory);
        data_ = static_cast<T*>(memory_.get());
        capacity_ = capacity;
    }

    std::unique_ptr<void, edge::detail::aligned_delete> memory_;
    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// Array that grows at its end, of values whose type its user knows.
class growing_values {
public:
    growing_values() = default;
    /// As that of `growing`.
    growing_values(std::byte* memory, std::size_t bytes) noexcept : bytes_(memory, bytes) {}

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

    template <class T>
    [[nodiscard]] T* as() noexcept {
        return reinterpret_cast<T*>(bytes_.data());
    }
    template <class T>
    [[nodiscard]] const T* as() const noexcept {
        return reinterpret_cast<const T*>(bytes_.data());
    }

    /// Leaves out what is beyond the first `bytes`.
    void shrink(std::size_t bytes) noexcept { bytes_.shrink(bytes); }

    void reserve_bytes(std::size_t bytes) { bytes_.reserve(bytes); }

    template <class T>
    void push_back(T value) {
        std::memcpy(bytes_.extend(sizeof(T)), &value, sizeof(T));
    }

    /// Room for `count` more values, which the caller fills.
    template <class T>
    [[nodiscard]] T* extend(std::size_t count) {
        if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_alloc();
        return reinterpret_cast<T*>(bytes_.extend(count * sizeof(T)));
    }

    void append(const void* data, std::size_t bytes) {
        if (bytes != 0) std::memcpy(bytes_.extend(bytes), data, bytes);
    }
    void append_zeros(std::size_t bytes) { bytes_.append(bytes, std::byte{}); }

    [[nodiscard]] buffer finish() { return bytes_.finish(); }

private:
    growing<std::byte> bytes_;
};

[[nodiscard]] constexpr std::size_t bitmap_bytes(std::size_t bits) noexcept { return bits / 8 + (bits % 8 != 0); }

[[nodiscard]] inline bool get_bit(const std::uint8_t* bits, std::size_t i) noexcept {
    return (bits[i / 8] >> (i % 8) & 1) != 0;
}

/// Bits of a bitmap from a place on. With no bytes behind it, as for a column that misses nothing, every bit is set.
struct bit_view {
    const std::uint8_t* bytes = nullptr;
    std::size_t offset = 0;  ///< of the first bit, in bits
    std::size_t size = 0;    ///< in bits

    [[nodiscard]] bool operator[](std::size_t i) const noexcept {
        return bytes == nullptr || get_bit(bytes, offset + i);
    }

    /// Number of bits that are set. O(size / 64).
    [[nodiscard]] std::size_t count() const noexcept {
        if (bytes == nullptr) return size;
        std::size_t n = 0;
        std::size_t i = offset;
        const std::size_t end = offset + size;
        for (; i < end && i % 8 != 0; ++i) n += get_bit(bytes, i);
        for (; i + 64 <= end; i += 64) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes + i / 8, 8);
            n += static_cast<std::size_t>(std::popcount(word));
        }
        for (; i < end; ++i) n += get_bit(bytes, i);
        return n;
    }
};

/// Bitmap that grows at its end.
class growing_bits {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bit_view view() const noexcept { return {bytes_.data(), 0, size_}; }

    void reserve(std::size_t bits) { bytes_.reserve(bitmap_bytes(bits)); }

    void push_back(bool bit) {
        if (size_ % 8 == 0) bytes_.push_back(0);
        bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (bit ? 1U << (size_ % 8) : 0U));
        ++size_;
    }

    void append(std::size_t count, bool bit) {
        for (; count != 0 && size_ % 8 != 0; --count) push_back(bit);
        bytes_.append(count / 8, bit ? 0xFF : 0);
        size_ += count / 8 * 8;
        for (count %= 8; count != 0; --count) push_back(bit);
    }

    void append(const bit_view& bits) {
        if (bits.bytes == nullptr) return append(bits.size, true);
        if (size_ % 8 != 0 || bits.offset % 8 != 0) {
            for (std::size_t i = 0; i < bits.size; ++i) push_back(bits[i]);
            return;
        }
        const std::size_t whole = bits.size / 8;
        bytes_.append(std::span(bits.bytes + bits.offset / 8, whole));
        size_ += whole * 8;
        for (std::size_t i = whole * 8; i < bits.size; ++i) push_back(bits[i]);
    }

    [[nodiscard]] buffer finish() {
        size_ = 0;
        return bytes_.finish();
    }

private:
    growing<std::uint8_t> bytes_;  // bits past the end are 0
    std::size_t size_ = 0;
};

}  // namespace edge::frame
