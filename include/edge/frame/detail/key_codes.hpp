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

    /// Column of the values of some codes.
    [[nodiscard]] column values(std::span<const std::uint64_t> codes, const parallel_options& threads) const;

private:
    /// In ordered bits; `least` above `greatest` where there is no value.
    struct range {
        std::uint64_t least = static_cast<std::uint64_t>(-1);
        std::uint64_t greatest = 0;
        bool has_nan = false;
    };

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
        std::uint64_t least = static_cast<std::uint64_t>(-1);
        std::uint64_t greatest = 0;
        std::mutex both;
        const bit_view valid = column_.validity();
        parallel_for(static_cast<index_t>(column_.size()), {.threads = threads.threads, .grain = 1 << 14},
                     [&](index_t begin, index_t end) {
                         const range found = dispatch_stored(column_.kind(), [&]<class T>() {
                             return range_of(column_.values<T>().data(), valid, static_cast<std::size_t>(begin),
                                             static_cast<std::size_t>(end));
                         });
                         const std::lock_guard lock(both);
                         missing_ = missing_ || found.has_nan;
                         least = (std::min)(least, found.least);
                         greatest = (std::max)(greatest, found.greatest);
                     });
        dispatch_stored(column_.kind(), [&]<class T>() {
            if (least > greatest) least = greatest = to_ordered_key(T{});  // no value
            least_ = std::is_floating_point_v<T> ? least : static_cast<std::uint64_t>(from_ordered<T>(least));
        });
        least_ordered_ = least;
        span_ = greatest - least;
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
        numbered_keys n = number_keys_of({to, column_.size()}, 64, threads);
        numbers_ = numbers_of_rows(n);
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

/// Bitmap of `f(i)` for i in [0, count); no bytes where it is always true.
template <class F>
[[nodiscard]] buffer validity_of(std::size_t count, F&& f) {
    std::size_t there = 0;
    while (there < count && f(there)) ++there;
    if (there == count) return {};
    growing_bits bits;
    bits.reserve(count);
    bits.append(there, true);
    for (std::size_t i = there; i < count; ++i) bits.push_back(f(i));
    return bits.finish();
}

/// Column of values of which `ordered` is what `to_ordered` said, of booleans 0 or 1; anything where they are missing.
[[nodiscard]] inline column column_from_ordered(kind k, std::span<const std::uint64_t> ordered, buffer validity) {
    if (k == kind::boolean) {
        growing_bits bits;
        for (const std::uint64_t value : ordered) bits.push_back(value == 1);
        return column(k, ordered.size(), std::move(validity), bits.finish());
    }
    return dispatch_stored(k, [&]<class T>() {
        growing<T> values;
        T* const to = values.extend(ordered.size());
        for (std::size_t i = 0; i < ordered.size(); ++i) to[i] = from_ordered<T>(ordered[i]);
        return column(k, ordered.size(), std::move(validity), values.finish());
    });
}

inline column key_codes::values(std::span<const std::uint64_t> codes, const parallel_options& threads) const {
    const auto is_none = [&](std::size_t i) { return missing_ && codes[i] == last_code(); };
    buffer validity;
    if (missing_) validity = validity_of(codes.size(), [&](std::size_t i) { return !is_none(i); });
    const auto each = [&](auto&& f) {
        parallel_for(static_cast<index_t>(codes.size()), {.threads = threads.threads, .grain = 1 << 14},
                     [&](index_t begin, index_t end) {
                         for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) f(i);
                     });
    };
    const kind k = column_.kind();
    if (k == kind::boolean)
        return column(k, codes.size(), std::move(validity), [&] {
            growing_bits bits;
            for (const std::uint64_t code : codes) bits.push_back(code == 1);
            return bits.finish();
        }());
    if (k == kind::string && column_.is_dictionary()) {
        growing<std::int32_t> numbers;
        std::int32_t* to = numbers.extend(codes.size());
        each([&](std::size_t i) {
            to[i] = is_none(i) || texts_.empty() ? 0
                    : order_.empty()             ? static_cast<std::int32_t>(codes[i])
                                                 : static_cast<std::int32_t>(order_[codes[i]]);
        });
        return column::encoded(codes.size(), std::move(validity), numbers.finish(), column_.dictionary());
    }
    if (k == kind::string) {
        growing<std::int64_t> offsets;
        growing<char> bytes;
        std::int64_t* at = offsets.extend(codes.size() + 1);
        std::int64_t size = 0;
        for (std::size_t i = 0; i < codes.size(); ++i) {
            at[i] = size;
            if (!is_none(i)) size += static_cast<std::int64_t>(texts_[codes[i]].size());
        }
        at[codes.size()] = size;
        char* to = bytes.extend(static_cast<std::size_t>(size));
        each([&](std::size_t i) {
            if (at[i + 1] != at[i]) std::memcpy(to + at[i], texts_[codes[i]].data(), texts_[codes[i]].size());
        });
        return column(k, codes.size(), std::move(validity), offsets.finish(), bytes.finish());
    }
    growing<std::uint64_t> ordered_codes;
    std::uint64_t* const to = ordered_codes.extend(codes.size());
    each([&](std::size_t i) { to[i] = ordered(codes[i]); });
    return column_from_ordered(k, {to, codes.size()}, std::move(validity));
}

}  // namespace edge::frame::detail
