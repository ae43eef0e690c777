// SPDX-License-Identifier: MIT
#pragma once

/// @file Keys as small integers: each row's values in the key columns become one integer of up to 64 bits, in the order
/// of the keys.
///
/// A column of numbers counts from its least value, one of strings is numbered in their order; a missing value or NaN is
/// the last code. The codes of several columns lie side by side in one integer, the first column's highest.

#include <edge/core/parallel.hpp>
#include <edge/frame/column_builder.hpp>
#include <edge/frame/detail/number_keys.hpp>
#include <edge/frame/detail/ordered_bits.hpp>
#include <edge/frame/detail/text_numbers.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// One column as codes from 0 to `last_code()`.
class key_codes {
public:
    /// In ordered bits; `least` above `greatest` where there is no value.
    struct range {
        std::uint64_t least = static_cast<std::uint64_t>(-1);
        std::uint64_t greatest = 0;
        bool has_nan = false;
    };

    /// O(rows): the least and the greatest value, or the numbers of strings.
    key_codes(const column& c, const parallel_options& threads) : column_(c) {
        missing_ = c.null_count() != 0;
        switch (c.kind()) {
            case kind::boolean: span_ = 1; break;
            case kind::string: c.is_dictionary() ? order_dictionary(threads) : number(threads); break;
            default:
                find_range(threads);
                if (missing_ && span_ == static_cast<std::uint64_t>(-1)) number_values(threads);  // no code is left
        }
    }

    /// Of a column of numbers, whose range is known.
    key_codes(const column& c, const range& r) : column_(c), missing_(c.null_count() != 0 || r.has_nan) {
        count_from(r);
    }

    /// Whether missing values or NaN have a code, the last one.
    [[nodiscard]] bool has_missing() const noexcept { return missing_; }
    [[nodiscard]] std::uint64_t last_code() const noexcept { return span_ + (missing_ ? 1 : 0); }
    [[nodiscard]] int bits() const noexcept { return static_cast<int>(std::bit_width(last_code())); }
    [[nodiscard]] const column& source() const noexcept { return column_; }

    /// Codes of rows [first, first + count). @tparam Out  uint64_t, or uint32_t where 32 bits hold them
    template <class Out>
    void load(std::size_t first, std::size_t count, Out* out) const {
        switch (column_.kind()) {
            case kind::boolean: {
                const bit_view bits = column_.booleans();
                for (std::size_t i = 0; i < count; ++i) out[i] = bits[first + i];
                break;
            }
            case kind::string:
                if (!column_.is_dictionary()) {
                    std::copy_n(numbers_.data() + first, count, out);
                } else {
                    const std::int32_t* codes = column_.codes().data() + first;
                    if (place_.empty())
                        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Out>(codes[i]);
                    else
                        for (std::size_t i = 0; i < count; ++i) out[i] = place_[static_cast<std::size_t>(codes[i])];
                }
                break;
            default:
                if (different_.size() != 0) {
                    std::copy_n(numbers_.data() + first, count, out);
                    break;
                }
                dispatch_stored(column_.kind(), [&]<class T>() {
                    const T* values = column_.values<T>().data() + first;
                    // Modulo 2^32 where that is enough: conversions that the compiler makes many at a time.
                    const auto least = static_cast<Out>(least_);
                    if constexpr (std::is_floating_point_v<T>) {
                        const auto none = static_cast<Out>(last_code());
                        for (std::size_t i = 0; i < count; ++i)
                            out[i] =
                                values[i] == values[i] ? static_cast<Out>(to_ordered_key(values[i])) - least : none;
                    } else {
                        for (std::size_t i = 0; i < count; ++i)
                            out[i] = static_cast<Out>(static_cast<Out>(values[i]) - least);
                    }
                });
        }
        if (column_.null_count() == 0) return;
        const bit_view valid = column_.validity();
        for (std::size_t i = 0; i < count; ++i)
            if (!valid[first + i]) out[i] = static_cast<Out>(last_code());
    }

    /// The text of a code, or for numbers what `to_ordered` says of the value.
    [[nodiscard]] std::string_view text(std::uint64_t code) const noexcept { return texts_[code]; }
    [[nodiscard]] std::uint64_t ordered(std::uint64_t code) const noexcept {
        return different_.size() == 0 ? code + least_ordered_ : different_[code];
    }

private:
    friend class key_column;

    template <class T>
    [[nodiscard]] static range range_of(const T* values, const bit_view& valid, std::size_t first, std::size_t last) {
        range r;
        if (std::is_integral_v<T> && valid.bytes == nullptr) {
            // Several at a time, which a compiler makes vectors of.
            constexpr std::size_t lanes = 64;
            T low[lanes];
            T high[lanes];
            std::fill_n(low, lanes, values[first]);
            std::fill_n(high, lanes, values[first]);
            for (; first + lanes <= last; first += lanes)
                for (std::size_t j = 0; j < lanes; ++j) {
                    low[j] = values[first + j] < low[j] ? values[first + j] : low[j];
                    high[j] = values[first + j] > high[j] ? values[first + j] : high[j];
                }
            for (; first < last; ++first) {
                low[0] = (std::min)(low[0], values[first]);
                high[0] = (std::max)(high[0], values[first]);
            }
            for (std::size_t j = 0; j < lanes; ++j) {
                r.least = (std::min)(r.least, to_ordered(low[j]));
                r.greatest = (std::max)(r.greatest, to_ordered(high[j]));
            }
            return r;
        }
        for (std::size_t i = first; i < last; ++i) {
            if (!valid[i]) continue;
            if (values[i] != values[i]) {
                r.has_nan = true;
                continue;
            }
            const std::uint64_t value = to_ordered_key(values[i]);
            r.least = (std::min)(r.least, value);
            r.greatest = (std::max)(r.greatest, value);
        }
        return r;
    }

    void find_range(const parallel_options& threads) {
        range all;
        std::mutex both;
        const bit_view valid = column_.validity();
        parallel_for(static_cast<index_t>(column_.size()), {.threads = threads.threads, .grain = 1 << 14},
                     [&](index_t begin, index_t end) {
                         const range found = dispatch_stored(column_.kind(), [&]<class T>() {
                             return range_of(column_.values<T>().data(), valid, static_cast<std::size_t>(begin),
                                             static_cast<std::size_t>(end));
                         });
                         const std::lock_guard lock(both);
                         all.has_nan = all.has_nan || found.has_nan;
                         all.least = (std::min)(all.least, found.least);
                         all.greatest = (std::max)(all.greatest, found.greatest);
                     });
        missing_ = missing_ || all.has_nan;
        count_from(all);
    }

    void count_from(range r) {
        dispatch_stored(column_.kind(), [&]<class T>() {
            if (r.least > r.greatest) r.least = r.greatest = to_ordered_key(T{});  // no value
            least_ = std::is_floating_point_v<T> ? r.least : static_cast<std::uint64_t>(from_ordered<T>(r.least));
        });
        least_ordered_ = r.least;
        span_ = r.greatest - r.least;
    }

    void order_dictionary(const parallel_options& threads) {
        const column& words = column_.dictionary();
        std::vector<std::string_view> texts(words.size());
        for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = words.text(i);
        span_ = texts.empty() ? 0 : texts.size() - 1;
        if (std::is_sorted(texts.begin(), texts.end())) {
            texts_ = std::move(texts);
            return;
        }
        order_ = order_of_texts(texts, threads);
        place_ = places_in(order_);
        for (const std::uint32_t i : order_) texts_.push_back(texts[i]);
    }

    void number(const parallel_options& threads) {
        text_numbers found = number_texts(column_, threads);
        numbers_ = std::move(found.of_row);
        texts_ = std::move(found.texts);
        span_ = texts_.empty() ? 0 : texts_.size() - 1;
    }

    void number_values(const parallel_options& threads) {
        growing<std::uint64_t> keys;
        std::uint64_t* const to = keys.extend(column_.size());
        dispatch_stored(column_.kind(), [&]<class T>() {
            for (std::size_t i = 0; i < column_.size(); ++i) to[i] = to_ordered_key(column_.values<T>()[i]);
        });
        numbered_keys n = number_keys_of(std::span<const std::uint64_t>(to, column_.size()), 64, threads);
        number_rows(n, threads);
        numbers_ = std::move(n.of_row);
        different_ = std::move(n.keys);
        span_ = different_.size() - 1;
    }

    column column_;
    bool missing_ = false;
    std::uint64_t span_ = 0;   ///< greatest code of a value
    std::uint64_t least_ = 0;  ///< of integers the least value modulo 2^64, of floats what `to_ordered_key` says of it
    std::uint64_t least_ordered_ = 0;
    std::vector<std::uint32_t> order_;  ///< of the dictionary's entries; none where they are in order
    std::vector<std::uint32_t> place_;  ///< the inverse
    std::vector<std::string_view> texts_;
    growing<std::uint32_t> numbers_;    ///< of each row, for plain strings and where codes are numbers of values
    growing<std::uint64_t> different_;  ///< ordered bits of these values
};

/// Column of the values of codes that come in parts.
class key_column {
public:
    /// @param from  outlives this
    void start(const key_codes& from, std::size_t count) {
        from_ = &from;
        count_ = count;
        const kind k = from.column_.kind();
        if (from.missing_) (void)there_.extend(bitmap_bytes(count));
        if (k == kind::boolean)
            (void)bits_.extend(bitmap_bytes(count));
        else
            (void)values_.extend<std::byte>(count * (k == kind::string ? sizeof(std::uint32_t) : value_bytes(k)));
    }

    /// Codes of values `first` and on. Parts that begin at multiples of 64 may be put at the same time.
    void put(std::size_t first, std::span<const std::uint64_t> codes) {
        const key_codes& from = *from_;
        const std::uint64_t none = from.missing_ ? from.last_code() : static_cast<std::uint64_t>(-1);
        const auto bits = [&](growing<std::uint8_t>& to, auto&& bit) {
            for (std::size_t i = 0; i < codes.size(); i += 8) {
                unsigned byte = 0;
                for (std::size_t j = i; j < (std::min)(i + 8, codes.size()); ++j)
                    byte |= unsigned{bit(codes[j])} << (j - i);
                to[(first + i) / 8] = static_cast<std::uint8_t>(byte);
            }
        };
        if (from.missing_) bits(there_, [&](std::uint64_t code) { return code != none; });
        const kind k = from.column_.kind();
        if (k == kind::boolean) return bits(bits_, [](std::uint64_t code) { return code == 1; });
        if (k == kind::string) {
            std::uint32_t* const to = values_.as<std::uint32_t>() + first;
            for (std::size_t i = 0; i < codes.size(); ++i) to[i] = static_cast<std::uint32_t>(codes[i]);
            if (from.missing_ || from.texts_.empty())
                for (std::size_t i = 0; i < codes.size(); ++i)
                    if (codes[i] == none || from.texts_.empty()) to[i] = 0;
            if (!from.order_.empty())
                for (std::size_t i = 0; i < codes.size(); ++i) to[i] = from.order_[to[i]];
            return;
        }
        dispatch_stored(k, [&]<class T>() {
            T* const to = values_.as<T>() + first;
            for (std::size_t i = 0; i < codes.size(); ++i) to[i] = from_ordered<T>(from.ordered(codes[i]));
        });
    }

    [[nodiscard]] column finish(const parallel_options& threads);

private:
    const key_codes* from_ = nullptr;
    std::size_t count_ = 0;
    growing<std::uint8_t> there_;
    growing<std::uint8_t> bits_;
    growing_values values_;  ///< of strings 32-bit codes
};

inline column key_column::finish(const parallel_options& threads) {
    const kind k = from_->column_.kind();
    const bit_view there{from_->missing_ ? there_.data() : nullptr, 0, count_};
    buffer validity = from_->missing_ ? there_.finish() : buffer();
    if (k == kind::boolean) return column(k, count_, std::move(validity), bits_.finish());
    if (k == kind::string && from_->column_.is_dictionary())
        return column::encoded(count_, std::move(validity), values_.finish(), from_->column_.dictionary());
    if (k != kind::string) return column(k, count_, std::move(validity), values_.finish());
    const std::uint32_t* const code = values_.as<std::uint32_t>();
    const auto text = [&](std::size_t i) { return there[i] ? from_->texts_[code[i]] : std::string_view(); };
    growing<std::int64_t> offsets;
    growing<char> bytes;
    std::int64_t* const at = offsets.extend(count_ + 1);
    at[0] = 0;
    for (std::size_t i = 0; i < count_; ++i) at[i + 1] = at[i] + static_cast<std::int64_t>(text(i).size());
    char* const to = bytes.extend(static_cast<std::size_t>(at[count_]));
    parallel_for(static_cast<index_t>(count_), {.threads = threads.threads, .grain = 1 << 14},
                 [&](index_t begin, index_t end) {
                     for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                         if (const std::string_view t = text(i); !t.empty())
                             std::memcpy(to + at[i], t.data(), t.size());
                 });
    return column(k, count_, std::move(validity), offsets.finish(), bytes.finish());
}

}  // namespace edge::frame::detail
