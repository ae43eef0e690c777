// SPDX-License-Identifier: MIT
#pragma once

/// @file Stable sort of rows by keys of one or more 64-bit words, most significant first, on all threads.
///
/// Radix sort from the most significant bits that differ: large pieces are cut by all threads together, small ones by
/// one each, down to a few rows, which are inserted. Rows whose words are equal go on with the next word. Each level is
/// one pass over memory, and from the second on over memory that is in the cache.
/// Source: McIlroy, Bostic, McIlroy 1993, "Engineering radix sort".

#include <edge/frame/buffer.hpp>
#include <edge/frame/detail/tasks.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// A row beside the word that it is being sorted by.
struct keyed_row {
    std::uint64_t key;
    std::uint64_t row;
};

/// @tparam E  keyed_row; or uint64, the key in the high bits and the row in the low ones
/// @tparam Index  of the sorted rows
template <class E, class Index>
class radix_sorter {
public:
    /// @param words     of each row, from the second on: what decides between rows whose first words are equal
    /// @param row_bits  of a uint64 that are the row
    radix_sorter(std::span<const growing<std::uint64_t>> words, unsigned row_bits, Index* sorted)
        : words_(words), row_mask_((std::uint64_t{1} << row_bits) - 1), sorted_(sorted) {}

    /// @param from, other  [count] elements in the order of rows, and room for as many
    void sort(E* from, E* other, std::size_t count, const parallel_options& threads) {
        const int parts = parts_for(static_cast<index_t>(count), by_rows(threads));
        std::vector<piece> open{{from, other, 0, count, 0}};
        std::vector<piece> small;
        const std::size_t large = parts == 1 ? count : (std::max)(count / 16, static_cast<std::size_t>(rows_each));
        while (!open.empty()) {
            const piece p = open.back();
            open.pop_back();
            if (p.count > large || (parts > 1 && p.count == count))
                split_together(p, parts, open);
            else
                small.push_back(p);
        }
        run_tasks(small.size(), parts, [&](std::size_t i) { sort_piece(small[i]); });
    }

private:
    /// Elements that are equal so far.
    struct piece {
        E* from;
        E* other;
        std::size_t place;  ///< of the first in the result
        std::size_t count;
        std::size_t word;  ///< how many words were looked at
    };

    static constexpr std::size_t inserted = 24;  ///< below this, insertion is faster than counting
    static constexpr unsigned most_bits = 11;    ///< of a digit: that many places to write to fit the second cache

    [[nodiscard]] std::uint64_t key_of(const keyed_row& e) const noexcept { return e.key; }
    [[nodiscard]] std::uint64_t key_of(std::uint64_t e) const noexcept { return e & ~row_mask_; }
    [[nodiscard]] std::uint64_t row_of(const keyed_row& e) const noexcept { return e.row; }
    [[nodiscard]] std::uint64_t row_of(std::uint64_t e) const noexcept { return e & row_mask_; }

    [[nodiscard]] bool has_next(const piece& p) const noexcept { return p.word < words_.size(); }

    void load_next(const piece& p, std::size_t first, std::size_t last) const noexcept {
        if constexpr (std::is_same_v<E, keyed_row>) {
            const std::uint64_t* keys = words_[p.word].data();
            for (std::size_t i = first; i < last; ++i) p.from[i].key = keys[p.from[i].row];
        }
    }

    void finish(const piece& p, std::size_t first, std::size_t last) const noexcept {
        for (std::size_t i = first; i < last; ++i) sorted_[p.place + i] = static_cast<Index>(row_of(p.from[i]));
    }

    /// Bits in which the keys are not all equal.
    [[nodiscard]] std::uint64_t differing(const piece& p, std::size_t first, std::size_t last) const noexcept {
        const std::uint64_t key = key_of(p.from[0]);
        std::uint64_t bits = 0;
        for (std::size_t i = first; i < last; ++i) bits |= key_of(p.from[i]) ^ key;
        return bits;
    }

    void split_together(piece p, int parts, std::vector<piece>& open) {
        constexpr unsigned bits = 8;
        constexpr std::size_t digits = std::size_t{1} << bits;
        const auto each_part = [&](auto&& f) {
            parallel_parts(parts, [&](int i) {
                const auto [first, last] = partition(static_cast<index_t>(p.count), parts, i);
                f(static_cast<std::size_t>(i), static_cast<std::size_t>(first), static_cast<std::size_t>(last));
            });
        };
        std::vector<std::uint64_t> differ(static_cast<std::size_t>(parts));
        each_part([&](std::size_t i, std::size_t first, std::size_t last) { differ[i] = differing(p, first, last); });
        std::uint64_t any = 0;
        for (const std::uint64_t d : differ) any |= d;
        if (any == 0) {
            const bool more = has_next(p);
            each_part([&](std::size_t, std::size_t first, std::size_t last) {
                more ? load_next(p, first, last) : finish(p, first, last);
            });
            ++p.word;
            if (more) open.push_back(p);
            return;
        }
        const auto top = static_cast<unsigned>(std::bit_width(any));
        const unsigned shift = top > bits ? top - bits : 0;
        std::vector<std::array<std::size_t, digits>> next(static_cast<std::size_t>(parts));
        each_part([&](std::size_t i, std::size_t first, std::size_t last) {
            next[i].fill(0);
            for (std::size_t k = first; k < last; ++k) ++next[i][(key_of(p.from[k]) >> shift) % digits];
        });
        std::size_t at = 0;
        std::vector<piece> pieces;
        for (std::size_t d = 0; d < digits; ++d) {
            const std::size_t begin = at;
            for (auto& of_part : next) at += std::exchange(of_part[d], at);
            if (at != begin) pieces.push_back({p.other + begin, p.from + begin, p.place + begin, at - begin, p.word});
        }
        each_part([&](std::size_t i, std::size_t first, std::size_t last) {
            for (std::size_t k = first; k < last; ++k)
                p.other[next[i][(key_of(p.from[k]) >> shift) % digits]++] = p.from[k];
        });
        open.insert(open.end(), pieces.rbegin(), pieces.rend());
    }

    void sort_piece(piece p) const {
        while (p.count > inserted) {
            const std::uint64_t differ = differing(p, 0, p.count);
            if (differ != 0) return split(p, differ);
            if (!has_next(p)) return finish(p, 0, p.count);
            load_next(p, 0, p.count);
            ++p.word;
        }
        insert(p);
    }

    /// A digit about as wide as leaves a few elements each.
    void split(const piece& p, std::uint64_t differ) const {
        const auto top = static_cast<unsigned>(std::bit_width(differ));
        const auto wanted = static_cast<unsigned>(std::bit_width(p.count)) - 3;
        const unsigned bits = (std::min)({wanted, most_bits, top});
        const unsigned shift = top - bits;
        const std::size_t digits = std::size_t{1} << bits;
        std::array<std::uint32_t, std::size_t{1} << most_bits> small_ends;
        std::vector<std::size_t> large_ends;
        const auto scatter = [&](auto* ends) {
            using count = std::remove_reference_t<decltype(*ends)>;
            std::fill_n(ends, digits, count{0});
            for (std::size_t i = 0; i < p.count; ++i) ++ends[(key_of(p.from[i]) >> shift) % digits];
            count at = 0;
            for (std::size_t d = 0; d < digits; ++d) at = static_cast<count>(at + std::exchange(ends[d], at));
            for (std::size_t i = 0; i < p.count; ++i)
                p.other[ends[(key_of(p.from[i]) >> shift) % digits]++] = p.from[i];
            std::size_t begin = 0;
            for (std::size_t d = 0; d < digits; ++d) {
                const std::size_t end = ends[d];
                if (end != begin) sort_piece({p.other + begin, p.from + begin, p.place + begin, end - begin, p.word});
                begin = end;
            }
        };
        if (p.count <= (std::uint32_t(-1))) return scatter(small_ends.data());
        large_ends.resize(digits);
        scatter(large_ends.data());
    }

    void insert(piece p) const noexcept {
        for (std::size_t i = 1; i < p.count; ++i) {
            const E e = p.from[i];
            std::size_t k = i;
            for (; k > 0 && key_of(e) < key_of(p.from[k - 1]); --k) p.from[k] = p.from[k - 1];
            p.from[k] = e;
        }
        if (!has_next(p)) return finish(p, 0, p.count);
        for (std::size_t first = 0; first < p.count;) {
            std::size_t last = first + 1;
            while (last < p.count && key_of(p.from[last]) == key_of(p.from[first])) ++last;
            const piece run{p.from + first, p.other + first, p.place + first, last - first, p.word + 1};
            if (last - first == 1) {
                finish(run, 0, 1);
            } else {
                load_next({run.from, run.other, run.place, run.count, p.word}, 0, run.count);
                insert(run);
            }
            first = last;
        }
    }

    std::span<const growing<std::uint64_t>> words_;
    std::uint64_t row_mask_;
    Index* sorted_;
};

}  // namespace edge::frame::detail
