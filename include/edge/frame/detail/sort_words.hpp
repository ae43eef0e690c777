// SPDX-License-Identifier: MIT
#pragma once

/// @file Keys to sort by as unsigned numbers, packed one after the other into 64-bit words.
///
/// A column's codes take only as many bits as its range does, so often all keys of a row fit one word, and then sorting
/// compares nothing else.

#include <edge/frame/detail/key_codes.hpp>
#include <edge/frame/detail/row_sort.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::frame::detail {

/// A column to sort by, as unsigned numbers in its order: a missing value or NaN is the greatest in either direction,
/// or the least.
class sort_field {
public:
    sort_field(const column& c, bool descending, bool missing_first, const parallel_options& threads)
        : codes_(c, threads), descending_(descending), missing_first_(missing_first && codes_.has_missing()) {}

    [[nodiscard]] unsigned bits() const noexcept { return static_cast<unsigned>(codes_.bits()); }

    /// Numbers of rows [first, first + count).
    void load(std::size_t first, std::size_t count, std::uint64_t* to) const {
        codes_.load(first, count, to);
        const std::uint64_t last = codes_.last_code();  // of missing ones, where there are some
        if (!descending_) {
            for (std::size_t i = 0; missing_first_ && i < count; ++i) to[i] = to[i] == last ? 0 : to[i] + 1;
        } else if (missing_first_ || !codes_.has_missing()) {
            for (std::size_t i = 0; i < count; ++i) to[i] = last - to[i];
        } else {
            for (std::size_t i = 0; i < count; ++i) to[i] = to[i] == last ? last : last - 1 - to[i];
        }
    }

private:
    key_codes codes_;
    bool descending_;
    bool missing_first_;
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
    for (const sort_field& f : fields) made.bits += f.bits();
    made.words.resize((made.bits + 63) / 64);
    for (auto& w : made.words) (void)w.extend(rows);
    if (made.words.empty()) return made;
    std::atomic<bool> sorted{true};
    parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t begin, index_t end) {
        constexpr std::size_t block = 1024;
        std::uint64_t field[block];
        const auto last = static_cast<std::size_t>(end);
        bool in_order = true;
        for (auto first = static_cast<std::size_t>(begin); first < last; first += block) {
            const std::size_t count = (std::min)(last - first, block);
            for (auto& w : made.words) std::fill_n(w.data() + first, count, std::uint64_t{0});
            unsigned at =
                64 * static_cast<unsigned>(made.words.size()) - made.bits;  // the first word's high bits are 0
            const auto put = [&](unsigned bits) {
                const unsigned word = at / 64;
                const unsigned end_bit = at % 64 + bits;
                at += bits;
                std::uint64_t* to = made.words[word].data() + first;
                if (end_bit <= 64) {
                    for (std::size_t i = 0; i < count; ++i) to[i] |= field[i] << (64 - end_bit);
                    return;
                }
                std::uint64_t* low = made.words[word + 1].data() + first;
                for (std::size_t i = 0; i < count; ++i) {
                    to[i] |= field[i] >> (end_bit - 64);
                    low[i] |= field[i] << (128 - end_bit);
                }
            };
            for (const sort_field& f : fields) {
                if (f.bits() == 0) continue;
                f.load(first, count, field);
                put(f.bits());
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
