// SPDX-License-Identifier: MIT
#pragma once

/// @file Keys to sort by as unsigned numbers, packed one after the other into 64-bit words.
///
/// Each column's values are counted from its least one on, so they take only as many bits as their range does; missing
/// values and NaN come after the greatest. Often all keys of a row fit one word, and then sorting compares nothing else.
/// Strings are numbered first, and their number in sorted order stands for them.

#include <edge/frame/detail/keys.hpp>
#include <edge/frame/detail/row_sort.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

namespace edge::frame::detail {

/// Unsigned integer in the order of the number. Of NaN: any.
template <stored T>
[[nodiscard]] std::uint64_t order_bits(T value) noexcept {
    if constexpr (std::is_unsigned_v<T>) {
        return value;
    } else if constexpr (std::is_integral_v<T>) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) ^ (std::uint64_t{1} << 63);
    } else {
        using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        constexpr bits_of sign = bits_of{1} << (8 * sizeof(T) - 1);
        const auto bits = std::bit_cast<bits_of>(static_cast<T>(value + T{0}));  // -0 becomes 0
        return (bits & sign) != 0 ? static_cast<bits_of>(~bits) : bits | sign;
    }
}

/// Places of the strings, none of which is missing, in ascending order; equal strings share one.
[[nodiscard]] inline std::vector<std::uint32_t> text_ranks(const std::vector<std::string_view>& texts) {
    struct prefixed {
        std::uint64_t prefix;  // eight bytes after what all begin with, the first one highest
        std::uint32_t id;
    };
    std::size_t common = texts.empty() ? 0 : texts.front().size();
    for (const std::string_view t : texts) {
        common = (std::min)(common, t.size());
        while (t.substr(0, common) != texts.front().substr(0, common)) --common;
    }
    std::vector<prefixed> sorted(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string_view rest = texts[i].substr(common, 8);
        std::uint64_t prefix = 0;
        for (std::size_t k = 0; k < rest.size(); ++k)
            prefix |= std::uint64_t{static_cast<unsigned char>(rest[k])} << (56 - 8 * k);
        sorted[i] = {prefix, static_cast<std::uint32_t>(i)};
    }
    std::sort(sorted.begin(), sorted.end(), [&](const prefixed& a, const prefixed& b) {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        return texts[a.id].substr(common) < texts[b.id].substr(common);
    });
    std::vector<std::uint32_t> ranks(texts.size());
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i != 0 && texts[sorted[i - 1].id] != texts[sorted[i].id]) ++rank;
        ranks[sorted[i].id] = rank;
    }
    return ranks;
}

/// A column to sort by, as unsigned numbers in its order.
class sort_field {
public:
    sort_field(const column& c, bool descending, const parallel_options& threads)
        : values_(c), descending_(descending), rows_(c.size()) {
        if (c.kind() == kind::string) number_texts();
        find_range(threads);
    }

    /// Bits of a number.
    [[nodiscard]] unsigned bits() const noexcept { return bits_; }

    /// Whether what is missing does not fit the number, and takes a bit before it.
    [[nodiscard]] bool has_flag() const noexcept { return flag_; }

    /// Numbers of rows [first, first + count).
    /// @param missing  [count] set to 1 where there is no value or NaN, else 0
    void numbers(std::size_t first, std::size_t count, std::uint64_t* to, std::uint8_t* missing) const {
        raw(first, count, to, missing);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t number = (descending_ ? greatest_ - to[i] : to[i] - least_) >> shift_;
            to[i] = missing[i] != 0 ? missing_number_ : number;
        }
    }

private:
    void number_texts() {
        std::vector<std::string_view> texts;
        if (values_.is_dictionary()) {
            const column& words = values_.dictionary();
            for (std::size_t i = 0; i < words.size(); ++i) texts.push_back(words.text(i));
        } else {
            numbering n = number_values(values_);
            for (const std::size_t row : n.rows) texts.push_back(values_.text(row));
            ids_ = std::move(n.of_row);
        }
        ranks_ = text_ranks(texts);
    }

    void raw(std::size_t first, std::size_t count, std::uint64_t* to, std::uint8_t* missing) const {
        const bit_view valid = values_.validity();
        if (valid.bytes == nullptr)
            std::memset(missing, 0, count);
        else
            for (std::size_t i = 0; i < count; ++i) missing[i] = !valid[first + i];
        if (values_.kind() == kind::string) {
            const auto rank = [&](auto id_of) {
                for (std::size_t i = 0; i < count; ++i) to[i] = missing[i] != 0 ? 0 : ranks_[id_of(first + i)];
            };
            if (!values_.is_dictionary()) return rank([&](std::size_t row) { return ids_[row]; });
            const auto codes = values_.codes();
            return rank([&](std::size_t row) { return static_cast<std::size_t>(codes[row]); });
        }
        if (values_.kind() == kind::boolean) {
            const bit_view bits = values_.booleans();
            for (std::size_t i = 0; i < count; ++i) to[i] = bits[first + i];
            return;
        }
        dispatch_stored(values_.kind(), [&]<class T>() {
            const T* from = values_.values<T>().data() + first;
            for (std::size_t i = 0; i < count; ++i) to[i] = order_bits(from[i]);
            if constexpr (std::is_floating_point_v<T>)
                for (std::size_t i = 0; i < count; ++i) missing[i] |= static_cast<std::uint8_t>(from[i] != from[i]);
        });
    }

    void find_range(const parallel_options& threads) {
        struct range {
            std::uint64_t least = static_cast<std::uint64_t>(-1);
            std::uint64_t greatest = 0;
            std::uint64_t ones = 0;
            std::uint64_t zeros = 0;
            bool any = false;
            bool missing = false;
        };
        const int parts = parts_for(static_cast<index_t>(rows_), by_rows(threads));
        std::vector<range> ranges(static_cast<std::size_t>(parts));
        parallel_parts(parts, [&](int p) {
            const auto [begin, end] = partition(static_cast<index_t>(rows_), parts, p);
            range r;
            std::uint64_t block[1024];
            std::uint8_t missing[1024];
            for (auto first = static_cast<std::size_t>(begin); first < static_cast<std::size_t>(end); first += 1024) {
                const std::size_t count = (std::min)(static_cast<std::size_t>(end) - first, std::size_t{1024});
                raw(first, count, block, missing);
                for (std::size_t i = 0; i < count; ++i) {
                    if (missing[i] != 0) {
                        r.missing = true;
                        continue;
                    }
                    r.any = true;
                    r.least = (std::min)(r.least, block[i]);
                    r.greatest = (std::max)(r.greatest, block[i]);
                    r.ones |= block[i];
                    r.zeros |= ~block[i];
                }
            }
            ranges[static_cast<std::size_t>(p)] = r;
        });
        range all;
        for (const range& r : ranges) {
            all.least = (std::min)(all.least, r.least);
            all.greatest = (std::max)(all.greatest, r.greatest);
            all.ones |= r.ones;
            all.zeros |= r.zeros;
            all.any |= r.any;
            all.missing |= r.missing;
        }
        if (!all.any) return;  // all are missing, and equal
        least_ = all.least;
        greatest_ = all.greatest;
        shift_ = all.least == all.greatest ? 0 : static_cast<unsigned>(std::countr_zero(all.ones & all.zeros));
        const std::uint64_t most = (greatest_ - least_) >> shift_;
        flag_ = all.missing && most == static_cast<std::uint64_t>(-1);
        missing_number_ = flag_ || !all.missing ? 0 : most + 1;
        bits_ = static_cast<unsigned>(std::bit_width(most + (all.missing && !flag_ ? 1U : 0U)));
    }

    column values_;
    bool descending_;
    std::size_t rows_;
    std::vector<std::uint32_t> ids_;    ///< of plain strings
    std::vector<std::uint32_t> ranks_;  ///< of ids or codes
    bool flag_ = false;
    unsigned bits_ = 0;
    unsigned shift_ = 0;  ///< low bits that are the same in all values
    std::uint64_t least_ = 0;
    std::uint64_t greatest_ = 0;
    std::uint64_t missing_number_ = 0;
};

/// The words of all rows.
struct sort_words {
    std::vector<growing<std::uint64_t>> words;  ///< the most significant first; none where all rows are equal
    unsigned bits = 0;                          ///< of all words together
    bool sorted = true;                         ///< the rows are in order already

    [[nodiscard]] bool in_order(std::size_t row, std::size_t next) const noexcept {
        for (const auto& w : words)
            if (w[row] != w[next]) return w[row] < w[next];
        return true;
    }
};

[[nodiscard]] inline sort_words make_sort_words(std::span<const sort_field> fields, std::size_t rows,
                                                const parallel_options& threads) {
    sort_words made;
    for (const sort_field& f : fields) made.bits += f.bits() + (f.has_flag() ? 1U : 0U);
    made.words.resize((made.bits + 63) / 64);
    for (auto& w : made.words) (void)w.extend(rows);
    if (made.words.empty()) return made;
    std::atomic<bool> sorted{true};
    parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t begin, index_t end) {
        constexpr std::size_t block = 1024;
        std::uint64_t field[block];
        std::uint8_t missing[block];
        const auto last = static_cast<std::size_t>(end);
        bool in_order = true;
        for (auto first = static_cast<std::size_t>(begin); first < last; first += block) {
            const std::size_t count = (std::min)(last - first, block);
            for (auto& w : made.words) std::fill_n(w.data() + first, count, std::uint64_t{0});
            unsigned at =
                64 * static_cast<unsigned>(made.words.size()) - made.bits;  // the first word's high bits are 0
            const auto put = [&](const auto* from, unsigned bits) {
                const unsigned word = at / 64;
                const unsigned end_bit = at % 64 + bits;
                at += bits;
                std::uint64_t* to = made.words[word].data() + first;
                if (end_bit <= 64) {
                    for (std::size_t i = 0; i < count; ++i) to[i] |= std::uint64_t{from[i]} << (64 - end_bit);
                    return;
                }
                std::uint64_t* low = made.words[word + 1].data() + first;
                for (std::size_t i = 0; i < count; ++i) {
                    to[i] |= std::uint64_t{from[i]} >> (end_bit - 64);
                    low[i] |= std::uint64_t{from[i]} << (128 - end_bit);
                }
            };
            for (const sort_field& f : fields) {
                if (f.bits() == 0) continue;
                f.numbers(first, count, field, missing);
                if (f.has_flag()) put(missing, 1);
                put(field, f.bits());
            }
            for (std::size_t i = 1; in_order && i < count; ++i) in_order = made.in_order(first + i - 1, first + i);
            if (in_order && first != static_cast<std::size_t>(begin)) in_order = made.in_order(first - 1, first);
        }
        if (!in_order) sorted.store(false, std::memory_order_relaxed);
    });
    made.sorted = sorted.load();
    const int parts = parts_for(static_cast<index_t>(rows), by_rows(threads));
    for (int p = 1; p < parts && made.sorted; ++p) {
        const auto first = static_cast<std::size_t>(partition(static_cast<index_t>(rows), parts, p, 64).first);
        if (first != 0 && first < rows) made.sorted = made.in_order(first - 1, first);
    }
    return made;
}

}  // namespace edge::frame::detail
