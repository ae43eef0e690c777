// SPDX-License-Identifier: MIT
#pragma once

/// @file The values of a page, in any encoding, into a column.
///
///     value_reader values(field, budget);
///     values.read_dictionary(bytes, n);
///     values.read(encoding::rle_dictionary, bytes, rows, present, validity, sink);
///
/// Numbers are decoded to where they stay, then moved apart from the back where rows are missing. Conversions are done
/// on the dictionary, once a distinct value, where there is one.

#include <edge/frame/parquet/codec.hpp>
#include <edge/frame/parquet/column_sink.hpp>
#include <edge/frame/parquet/delta.hpp>
#include <edge/frame/parquet/rle.hpp>
#include <edge/frame/parquet/schema.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame::parquet {

class value_reader {
public:
    /// @param null_out_of_range  timestamps that do not fit become `out_of_range`, and are no error
    value_reader(const field& f, byte_budget& budget, bool null_out_of_range)
        : field_(f), budget_(budget), null_out_of_range_(null_out_of_range) {}

    /// Dictionary of `count` values, for the pages that follow.
    /// @throws parse_error  if there are fewer
    void read_dictionary(encoding e, std::span<const std::byte> bytes, std::size_t count) {
        if (e != encoding::plain && e != encoding::plain_dictionary)
            throw unsupported_error(message("dictionary in encoding ", to_string(e), "; expected PLAIN"));
        if (field_.type == physical::boolean) throw parse_error("dictionary of a BOOLEAN column");
        need(bytes, count, 1);  // before the memory is asked for; each type takes more
        budget_.charge(count, column_sink(field_.kind).row_bytes());
        dictionary_ = std::make_shared<column_sink>(field_.kind);
        read_stored(encoding::plain, bytes, count, count, {}, *dictionary_);
        dictionary_->rows = count;
        codes_.clear();
    }

    /// Page of `rows` rows, `present` of them with a value: those whose bit is set in `validity`.
    /// @throws parse_error        if the bytes are not that
    /// @throws unsupported_error  for an encoding that the type does not have
    void read(encoding e, std::span<const std::byte> bytes, std::size_t rows, std::size_t present,
              const bit_view& validity, column_sink& to) {
        budget_.charge(rows, to.row_bytes());
        if (null_out_of_range_ && to.kind == kind::timestamp) to.has_out_of_range = true;
        if (e == encoding::plain_dictionary || e == encoding::rle_dictionary)
            read_indexes(bytes, rows, present, validity, to);
        else
            read_stored(e, bytes, rows, present, validity, to);
    }

private:
    [[noreturn]] void refuse(encoding e) const {
        throw unsupported_error(message("encoding ", to_string(e), " of ", to_string(field_.type), " is not read"));
    }

    static void need(std::span<const std::byte> bytes, std::uint64_t count, std::uint64_t each) {
        if (each != 0 && count > bytes.size() / each)
            throw parse_error(message(count, " values of ", each, " bytes in a page that has ", bytes.size()));
    }

    void read_stored(encoding e, std::span<const std::byte> bytes, std::size_t rows, std::size_t present,
                     const bit_view& validity, column_sink& to) {
        switch (field_.type) {
            case physical::boolean: return read_booleans(e, bytes, rows, present, validity, to);
            case physical::int32: return read_numbers<std::int32_t>(e, bytes, rows, present, validity, to);
            case physical::int64: return read_numbers<std::int64_t>(e, bytes, rows, present, validity, to);
            case physical::float32: return read_numbers<float>(e, bytes, rows, present, validity, to);
            case physical::float64: return read_numbers<double>(e, bytes, rows, present, validity, to);
            case physical::int96:
            case physical::byte_array:
            case physical::fixed_byte_array: return read_binary(e, bytes, rows, present, validity, to);
        }
    }

    // ---- rows without a value --------------------------------------------------------------------------------------

    /// Moves the first `present` of `rows` values to the rows that have one.
    template <class T>
    static void spread(T* values, std::size_t rows, std::size_t present, const bit_view& validity) noexcept {
        for (std::size_t row = rows; present != row;) {
            --row;
            values[row] = validity[row] ? values[--present] : T{};
        }
    }

    // ---- booleans --------------------------------------------------------------------------------------------------

    void read_booleans(encoding e, std::span<const std::byte> bytes, std::size_t rows, std::size_t present,
                       const bit_view& validity, column_sink& to) {
        growing_bits apart;
        growing_bits& dense = present == rows ? to.bits : apart;
        if (e == encoding::plain) {
            need(bytes, bitmap_bytes(present), 1);
            dense.append(bit_view{octets(bytes), 0, present});
        } else if (e == encoding::rle) {
            if (present != 0) {
                need(bytes, 4, 1);
                rle_reader(bytes.subspan(4), 1).read_bits(present, dense);
            }
        } else {
            refuse(e);
        }
        if (present == rows) return;
        const bit_view values = dense.view();
        for (std::size_t row = 0, next = 0; row < rows; ++row) to.bits.push_back(validity[row] && values[next++]);
    }

    // ---- numbers ---------------------------------------------------------------------------------------------------

    /// P is how the file stores them; the kind of the column says what they become.
    template <class P>
    void read_numbers(encoding e, std::span<const std::byte> bytes, std::size_t rows, std::size_t present,
                      const bit_view& validity, column_sink& to) {
        dispatch_stored(to.kind, [&]<class T>() {
            T* out = to.values.extend<T>(rows);
            if constexpr (std::is_same_v<P, T>) {
                if (field_.conversion == conversion::none || field_.conversion == conversion::scale) {
                    decode<P>(e, bytes, {out, present});
                    if (field_.factor != 1) convert<P, T>({out, present}, out);
                    return spread(out, rows, present, validity);
                }
            }
            if constexpr (std::is_integral_v<P>) {
                const std::span<P> stored(reinterpret_cast<P*>(stored_.take(present * sizeof(P)).data()), present);
                decode<P>(e, bytes, stored);
                convert<P, T>(stored, out);
                spread(out, rows, present, validity);
            }
        });
    }

    template <class P>
    void decode(encoding e, std::span<const std::byte> bytes, std::span<P> out) const {
        switch (e) {
            case encoding::plain:
                need(bytes, out.size(), sizeof(P));
                if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size_bytes());
                return;
            case encoding::byte_stream_split: return read_split(bytes, sizeof(P), std::as_writable_bytes(out));
            case encoding::delta_binary_packed:
                if constexpr (std::is_integral_v<P>) {
                    if (!out.empty()) read_delta(bytes, out);
                    return;
                }
                [[fallthrough]];
            default: refuse(e);
        }
    }

    /// `out` may be where the values are.
    template <class P, class T>
    void convert(std::span<const P> values, T* out) const {
        switch (field_.conversion) {
            case conversion::scale:
                if constexpr (std::is_same_v<T, std::int64_t>) {
                    const std::int64_t most = (std::numeric_limits<std::int64_t>::max)() / field_.factor;
                    for (std::size_t i = 0; i < values.size(); ++i) {
                        const std::int64_t v = values[i];
                        out[i] = static_cast<T>(v >= -most && v <= most ? v * field_.factor : refuse_time(v));
                    }
                }
                return;
            case conversion::decimal:
                for (std::size_t i = 0; i < values.size(); ++i)
                    out[i] = static_cast<T>(static_cast<double>(values[i]) / field_.divisor);
                return;
            default:
                for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<T>(values[i]);
                if constexpr (std::is_integral_v<T> && sizeof(T) < sizeof(P))
                    for (std::size_t i = 0; i < values.size(); ++i)
                        if (static_cast<P>(out[i]) != values[i])
                            throw parse_error(message("value ", values[i], " in a column of ", to_string(field_.kind)));
        }
    }

    std::int64_t refuse_time(std::int64_t value) const {
        if (null_out_of_range_ && field_.kind == kind::timestamp) return out_of_range;
        throw unsupported_error(
            message("time ", value, " x ", field_.factor,
                    " ns does not fit 64 bits (1677 to 2262); option null_out_of_range reads it as missing"));
    }

    // ---- bytes -----------------------------------------------------------------------------------------------------

    /// The values as they lie in the page, or in `arena_`.
    std::span<const std::string_view> read_views(encoding e, std::span<const std::byte> bytes, std::size_t count) {
        const bool has_lengths = field_.type == physical::byte_array;
        const std::size_t width = field_.width;
        if (e == encoding::plain || e == encoding::byte_stream_split)
            need(bytes, count, has_lengths ? 4 : width);
        else
            budget_.charge(count, sizeof(std::string_view) + sizeof(std::int64_t));
        views_.resize(count);
        if (e == encoding::byte_stream_split && !has_lengths) {
            arena_.resize(count * width);
            read_split(bytes, width, std::as_writable_bytes(std::span(arena_)));
            for (std::size_t i = 0; i < count; ++i) views_[i] = std::string_view(arena_).substr(i * width, width);
        } else if (e == encoding::plain && !has_lengths) {
            const auto* first = reinterpret_cast<const char*>(bytes.data());
            for (std::size_t i = 0; i < count; ++i) views_[i] = {first + i * width, width};
        } else if (e == encoding::plain) {
            const auto* first = reinterpret_cast<const char*>(bytes.data());
            std::size_t at = 0;
            for (std::size_t i = 0; i < count; ++i) {
                std::uint32_t n = 0;
                if (bytes.size() - at < 4) throw parse_error(message("string ", i, " of ", count, ": the page ends"));
                std::memcpy(&n, first + at, 4);
                at += 4;
                if (n > bytes.size() - at)
                    throw parse_error(message("string ", i, " of ", n, " bytes, ", bytes.size() - at, " left"));
                views_[i] = {first + at, n};
                at += n;
            }
        } else if (e == encoding::delta_byte_array) {
            if (count != 0) read_delta_strings(bytes, views_, arena_, max_arena);
        } else if (e == encoding::delta_length_byte_array && has_lengths) {
            if (count != 0) read_delta_lengths(bytes, views_);
        } else {
            refuse(e);
        }
        if (!has_lengths)
            for (const std::string_view v : views_)
                if (v.size() != width) throw parse_error(message("value of ", v.size(), " bytes; expected ", width));
        return views_;
    }

    void read_binary(encoding e, std::span<const std::byte> bytes, std::size_t rows, std::size_t present,
                     const bit_view& validity, column_sink& to) {
        const bool is_text = to.kind == kind::string && field_.conversion != conversion::uuid;
        if (is_text && e == encoding::plain && field_.type == physical::byte_array && !to.words)
            return append_plain(bytes, rows, present, validity, to);
        const std::span<const std::string_view> values = read_views(e, bytes, present);
        if (to.words && number_texts(rows, present, validity, to, [&](std::size_t i) {
                return is_text ? values[i] : std::string_view(uuid_, write_uuid(values[i], uuid_));
            }))
            return;
        switch (field_.conversion) {
            case conversion::decimal:
                return convert_each<double>(values, rows, validity, to,
                                            [&](std::string_view v) { return decimal(v) / field_.divisor; });
            case conversion::int96:
                return convert_each<std::int64_t>(values, rows, validity, to,
                                                  [&](std::string_view v) { return int96(v); });
            case conversion::float16:
                return convert_each<float>(values, rows, validity, to, [](std::string_view v) { return float16(v); });
            case conversion::uuid:
                return append_texts(rows, present, validity, to, 36 * present,
                                    [&](std::size_t i, char* at) { return write_uuid(values[i], at); });
            default: break;
        }
        std::size_t total = 0;
        for (const std::string_view v : values) total += v.size();
        append_texts(rows, present, validity, to, total, [&](std::size_t i, char* at) {
            if (!values[i].empty()) std::memcpy(at, values[i].data(), values[i].size());
            return values[i].size();
        });
    }

    template <class T, class F>
    void convert_each(std::span<const std::string_view> values, std::size_t rows, const bit_view& validity,
                      column_sink& to, F&& f) {
        T* out = to.values.extend<T>(rows);
        for (std::size_t i = 0; i < values.size(); ++i) out[i] = f(values[i]);
        spread(out, rows, values.size(), validity);
    }

    /// Codes of strings, the i-th of which is `text(i)`. False, and nothing is done but that the column is now one of plain
    /// strings, where nearly all of the first are new: those of a column with few different ones seldom are.
    template <class F>
    bool number_texts(std::size_t rows, std::size_t present, const bit_view& validity, column_sink& to, F&& text) {
        constexpr std::size_t enough = std::size_t{1} << 14;
        to.number_stored();
        to.has_plain_pages = true;
        const std::size_t known = to.words->size();
        std::size_t allowed = 0;  // bytes that the budget was asked for
        auto* codes = to.values.extend<std::int32_t>(rows);
        for (std::size_t i = 0; i < present; ++i) {
            const std::string_view t = text(i);
            if (to.words->size() > known + enough / 8 * 7 && i < enough) {
                to.values.shrink(to.rows * to.row_bytes());
                to.write_out(budget_);
                budget_.charge(rows, to.row_bytes());
                return false;
            }
            if (t.size() > allowed) budget_.charge(allowed = (std::max)(t.size(), std::size_t{1} << 16), 1);
            allowed -= t.size();
            codes[i] = to.words->code(t);
        }
        spread(codes, rows, present, validity);
        return true;
    }

    /// Plain strings as they lie in a page, each after its length.
    void append_plain(std::span<const std::byte> bytes, std::size_t rows, std::size_t present, const bit_view& validity,
                      column_sink& to) {
        need(bytes, present, 4);
        const std::size_t most = bytes.size() - 4 * present;
        budget_.charge(most, 1);
        const std::size_t before = to.text.size();
        auto* offsets = to.values.extend<std::int64_t>(rows);
        (void)to.text.extend(most + short_text);
        char* const first = to.text.data();
        const auto* from = reinterpret_cast<const char*>(bytes.data());
        const char* const last = from + bytes.size();
        std::size_t end = before;
        std::size_t row = 0;
        for (std::size_t i = 0; i < present; ++i) {
            while (present != rows && !validity[row]) offsets[row++] = static_cast<std::int64_t>(end);
            std::uint32_t n = 0;
            if (last - from < 4) throw parse_error(message("string ", i, " of ", present, ": the page ends"));
            std::memcpy(&n, from, 4);
            from += 4;
            const auto left = static_cast<std::size_t>(last - from);
            if (n > left) throw parse_error(message("string ", i, " of ", n, " bytes, ", left, " left"));
            if (n <= short_text && left >= short_text)  // a copy of a fixed length takes no call
                std::memcpy(first + end, from, short_text);
            else if (n != 0)
                std::memcpy(first + end, from, n);
            from += n;
            end += n;
            offsets[row++] = static_cast<std::int64_t>(end);
        }
        while (row < rows) offsets[row++] = static_cast<std::int64_t>(end);
        to.text.shrink(end);
    }

    /// Strings of `total` bytes together: `write(i, at)` puts the i-th at `at` and returns its length.
    template <class F>
    void append_texts(std::size_t rows, std::size_t present, const bit_view& validity, column_sink& to,
                      std::size_t total, F&& write) {
        budget_.charge(total, 1);
        auto end = static_cast<std::int64_t>(to.text.size());
        auto* offsets = to.values.extend<std::int64_t>(rows);
        char* at = to.text.extend(total);
        const bool has_gaps = present != rows;
        for (std::size_t row = 0, next = 0; row < rows; ++row) {
            if (!has_gaps || validity[row]) {
                const std::size_t n = write(next++, at);
                at += n;
                end += static_cast<std::int64_t>(n);
            }
            offsets[row] = end;
        }
    }

    /// Two's complement, the highest byte first. Exact up to 53 bits, then within 2e-15 of the value.
    static double decimal(std::string_view v) noexcept {
        double x = v.empty() ? 0.0 : static_cast<double>(static_cast<signed char>(v[0]));
        for (std::size_t i = 1; i < v.size(); ++i)
            x = x * 256.0 + static_cast<double>(static_cast<unsigned char>(v[i]));
        return x;
    }

    /// Nanoseconds of the day, then the Julian day number; day 2440588 is 1970-01-01.
    std::int64_t int96(std::string_view v) const {
        std::int64_t nanoseconds = 0;
        std::int32_t julian = 0;
        std::memcpy(&nanoseconds, v.data(), 8);
        std::memcpy(&julian, v.data() + 8, 4);
        constexpr std::int64_t day = 86'400'000'000'000;
        constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)() / day - 1;
        const std::int64_t days = std::int64_t{julian} - 2'440'588;
        if (days >= -most && days <= most && nanoseconds >= 0 && nanoseconds <= day) return days * day + nanoseconds;
        if (null_out_of_range_) return out_of_range;
        throw unsupported_error(
            message("INT96 time of Julian day ", julian, " and ", nanoseconds,
                    " ns does not fit 64 bits (1677 to 2262); option null_out_of_range reads it as missing"));
    }

    /// IEEE 754 half precision.
    static float float16(std::string_view v) noexcept {
        std::uint16_t h = 0;
        std::memcpy(&h, v.data(), 2);
        const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000U) << 16;
        const std::uint32_t exponent = h >> 10 & 31U;
        const std::uint32_t fraction = h & 0x3FFU;
        if (exponent == 0) {  // zero and subnormals: a multiple of 2^-24
            const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
            return sign != 0 ? -magnitude : magnitude;
        }
        const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
        return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
    }

    static std::size_t write_uuid(std::string_view v, char* at) noexcept {
        static constexpr char digits[] = "0123456789abcdef";
        for (std::size_t i = 0; i < 16; ++i) {
            if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
            const auto b = static_cast<unsigned char>(v[i]);
            *at++ = digits[b >> 4];
            *at++ = digits[b & 15];
        }
        return 36;
    }

    // ---- dictionary ------------------------------------------------------------------------------------------------

    void read_indexes(std::span<const std::byte> bytes, std::size_t rows, std::size_t present, const bit_view& validity,
                      column_sink& to) {
        if (present == 0) {
            if (to.kind == kind::string && !to.words)
                std::fill_n(to.values.extend<std::int64_t>(rows), rows, static_cast<std::int64_t>(to.text.size()));
            else
                to.values.append_zeros(rows * to.row_bytes());
            return;
        }
        if (!dictionary_) throw parse_error("indexes into a dictionary that is not there");
        if (bytes.empty()) throw parse_error("the page ends before its indexes");
        rle_reader indexes(bytes.subspan(1), std::to_integer<int>(bytes[0]));
        if (to.words) return gather_codes(indexes, rows, present, validity, to);
        if (to.kind == kind::string) return gather_texts(indexes, rows, present, validity, to);
        dispatch_stored(to.kind, [&]<class T>() {
            const T* values = dictionary_->values.as<T>();
            T* out = to.values.extend<T>(rows);
            for (std::size_t done = 0; done < present;) {
                const std::span<const std::uint32_t> some = next_indexes(indexes, present - done);
                for (const std::uint32_t i : some) out[done++] = values[i];
            }
            spread(out, rows, present, validity);
        });
    }

    void gather_codes(rle_reader& indexes, std::size_t rows, std::size_t present, const bit_view& validity,
                      column_sink& to) {
        if (to.takes_stored && to.words->size() == 0 && (!to.stored || to.stored == dictionary_)) {
            to.stored = dictionary_;
            auto* out = to.values.extend<std::int32_t>(rows);
            for (std::size_t done = 0; done < present;)
                for (const std::uint32_t i : next_indexes(indexes, present - done))
                    out[done++] = static_cast<std::int32_t>(i);
            return spread(out, rows, present, validity);
        }
        to.number_stored();
        if (codes_.size() != dictionary_->rows)  // the first page of a column chunk
            for (std::size_t i = 0; i < dictionary_->rows; ++i)
                codes_.push_back(to.words->code(dictionary_->stored_text(i)));
        auto* out = to.values.extend<std::int32_t>(rows);
        for (std::size_t done = 0; done < present;) {
            const std::span<const std::uint32_t> some = next_indexes(indexes, present - done);
            for (const std::uint32_t i : some) out[done++] = codes_[i];
        }
        spread(out, rows, present, validity);
    }

    void gather_texts(rle_reader& indexes, std::size_t rows, std::size_t present, const bit_view& validity,
                      column_sink& to) {
        const auto* at = dictionary_->values.as<std::int64_t>();
        const char* text = dictionary_->text.data();
        auto end = static_cast<std::int64_t>(to.text.size());
        auto* offsets = to.values.extend<std::int64_t>(rows);
        std::size_t row = 0;
        for (std::size_t done = 0; done < present;) {
            const std::span<const std::uint32_t> some = next_indexes(indexes, present - done);
            done += some.size();
            std::int64_t total = 0;
            for (const std::uint32_t i : some) total += at[i + 1] - at[i];
            budget_.charge(static_cast<std::uint64_t>(total), 1);
            char* out = to.text.extend(static_cast<std::size_t>(total));
            for (const std::uint32_t i : some) {
                while (present != rows && !validity[row]) offsets[row++] = end;
                const auto n = static_cast<std::size_t>(at[i + 1] - at[i]);
                if (n != 0) std::memcpy(out, text + at[i], n);
                out += n;
                end += static_cast<std::int64_t>(n);
                offsets[row++] = end;
            }
        }
        while (row < rows) offsets[row++] = end;
    }

    /// Some of the indexes, each inside the dictionary; at most `wanted`.
    std::span<const std::uint32_t> next_indexes(rle_reader& indexes, std::size_t wanted) {
        const std::span<std::uint32_t> some(indexes_, (std::min)(wanted, std::size(indexes_)));
        indexes.read(some);
        std::uint32_t largest = 0;
        for (const std::uint32_t i : some) largest = (std::max)(largest, i);
        if (largest >= dictionary_->rows)
            throw parse_error(message("index ", largest, " into a dictionary of ", dictionary_->rows));
        return some;
    }

    static constexpr std::size_t short_text = 16;
    static constexpr std::size_t max_arena = std::size_t{256} << 20;

    const field& field_;
    byte_budget& budget_;
    bool null_out_of_range_;
    std::shared_ptr<column_sink> dictionary_;
    scratch stored_;
    std::vector<std::string_view> views_;
    std::string arena_;
    char uuid_[36];                    ///< one as text
    std::vector<std::int32_t> codes_;  ///< of the dictionary's texts in the column's dictionary
    std::uint32_t indexes_[1024];
};

}  // namespace edge::frame::parquet
