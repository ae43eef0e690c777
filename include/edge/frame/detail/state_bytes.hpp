// SPDX-License-Identifier: MIT
#pragma once

/// @file Bytes of accumulators: numbers and arrays one after the other, little-endian, and columns; reading trusts nothing.

#include <edge/frame/dictionary.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace edge::frame::detail {

static_assert(std::endian::native == std::endian::little);

class byte_writer {
public:
    template <class T>
    requires std::is_trivially_copyable_v<T>
    void put(const T& value) { put_bytes(&value, sizeof value); }

    template <class T>
    void put_array(std::span<const T> values) {
        put(static_cast<std::uint64_t>(values.size()));
        put_bytes(values.data(), values.size_bytes());
    }
    void put_text(std::string_view text) { put_array(std::span(text.data(), text.size())); }

    void put_column(const column& c) {
        const column whole = plain(c);
        put(static_cast<std::uint8_t>(whole.kind()));
        put(static_cast<std::uint64_t>(whole.size()));
        std::vector<std::uint8_t> valid;
        if (whole.null_count() != 0) {
            growing_bits bits;
            bits.append(whole.validity());
            const buffer bytes = bits.finish();
            valid.assign(bytes.as<std::uint8_t>(), bytes.as<std::uint8_t>() + bytes.size());
        }
        put_array(std::span<const std::uint8_t>(valid));
        if (whole.kind() == kind::boolean) {
            growing_bits bits;
            bits.append(whole.booleans());
            const buffer bytes = bits.finish();
            put_array(std::span(bytes.as<std::uint8_t>(), bytes.size()));
        } else if (whole.kind() == kind::string) {
            for (std::size_t i = 0; i < whole.size(); ++i) put_text(whole.text(i));
        } else {
            dispatch_stored(whole.kind(), [&]<class T>() { put_array(whole.values<T>()); });
        }
    }

    [[nodiscard]] std::vector<std::byte> finish() { return std::move(bytes_); }

private:
    void put_bytes(const void* from, std::size_t size) {
        if (size == 0) return;
        const auto* first = static_cast<const std::byte*>(from);
        bytes_.insert(bytes_.end(), first, first + size);
    }

    std::vector<std::byte> bytes_;
};

/// @throws parse_error  from each function, where the bytes do not hold what is read
class byte_reader {
public:
    explicit byte_reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }
    [[noreturn]] void fail(const char* what) const {
        throw parse_error(message("group accumulator: byte ", at_, " of ", bytes_.size(), ": ", what));
    }

    template <class T>
    requires std::is_trivially_copyable_v<T>
    [[nodiscard]] T get() {
        T value;
        get_bytes(&value, sizeof value);
        return value;
    }

    /// @param most  values there may be
    template <class T>
    [[nodiscard]] std::vector<T> get_array(std::size_t most) {
        const auto size = get<std::uint64_t>();
        if (size > most || size > left() / sizeof(T)) fail("an array longer than expected");
        std::vector<T> values(static_cast<std::size_t>(size));
        get_bytes(values.data(), values.size() * sizeof(T));
        return values;
    }
    [[nodiscard]] std::string get_text() {
        const std::vector<char> text = get_array<char>(left());
        return {text.begin(), text.end()};
    }

    [[nodiscard]] column get_column() {
        const auto code = get<std::uint8_t>();
        if (code >= kind_names.size()) fail("a column of no known kind");
        const auto k = static_cast<kind>(code);
        const auto size64 = get<std::uint64_t>();
        if (size64 > 8 * static_cast<std::uint64_t>(left())) fail("a column longer than the bytes");
        const auto size = static_cast<std::size_t>(size64);
        buffer valid{get_array<std::uint8_t>(bitmap_bytes(size))};
        if (valid.size() != 0 && valid.size() != bitmap_bytes(size)) fail("a validity of another length");
        if (k == kind::boolean) {
            buffer bits{get_array<std::uint8_t>(bitmap_bytes(size))};
            if (bits.size() != bitmap_bytes(size)) fail("booleans of another number");
            return column(k, size, std::move(valid), std::move(bits));
        }
        if (k == kind::string) {
            growing<std::int64_t> offsets;
            growing<char> bytes;
            offsets.push_back(0);
            for (std::size_t i = 0; i < size; ++i) {
                const std::string text = get_text();
                bytes.append(std::span(text.data(), text.size()));
                offsets.push_back(static_cast<std::int64_t>(bytes.size()));
            }
            return column(k, size, std::move(valid), offsets.finish(), bytes.finish());
        }
        return dispatch_stored(k, [&]<class T>() {
            std::vector<T> values = get_array<T>(size);
            if (values.size() != size) fail("values of another number");
            return column(k, size, std::move(valid), buffer(std::move(values)));
        });
    }

private:
    void get_bytes(void* to, std::size_t size) {
        if (size > left()) fail("the bytes end too soon");
        if (size != 0) std::memcpy(to, bytes_.data() + at_, size);
        at_ += size;
    }

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

}  // namespace edge::frame::detail
