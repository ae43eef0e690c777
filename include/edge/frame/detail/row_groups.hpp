// SPDX-License-Identifier: MIT
#pragma once

/// @file Which rows belong together: a slot for each row of a table, by its keys.
///
/// The way is chosen by the keys. Where few are possible, the key itself is the slot and nothing is stored; otherwise the
/// keys that occur are numbered.

#include <edge/core/error.hpp>
#include <edge/frame/detail/key_codes.hpp>
#include <edge/frame/detail/number_keys.hpp>
#include <edge/frame/detail/slot_list.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Sizes are 32 bits wide: one less than 2^32 rows.
inline void check_group_rows(std::size_t rows) {
    if (rows >= static_cast<std::uint32_t>(-1))
        throw unsupported_error(message("groups of ", rows, " rows; expected fewer than 4294967295"));
}

/// Puts what belongs to each slot side by side: `values`, and where each slot's begin and the last one's end. What belongs
/// to a slot stays in the order of the rows. O(rows + slots · threads).
/// @param each  `each(first, count, f)` calls `f(slot, value)` for rows [first, first + count), all of them or some;
///              count is 2048 or less
template <class T, class Each>
void gather_by_slot(std::size_t rows, std::size_t slots, Each&& each, const parallel_options& threads,
                    growing<T>& values, growing<std::uint32_t>& begins) {
    constexpr std::size_t block = 2048;
    const auto most =
        static_cast<int>((std::max)(std::size_t{1}, rows / (slots + 1)));  // counters no larger than the rows
    const int parts =
        (std::min)(most, parts_for(static_cast<index_t>(rows), {.threads = threads.threads, .grain = 1 << 14}));
    std::vector<std::vector<std::uint32_t>> next(static_cast<std::size_t>(parts), std::vector<std::uint32_t>(slots));
    T* const to = values.extend(rows);
    std::uint32_t* const at = begins.extend(slots + 1);
    const auto each_row = [&](int part, auto&& f) {
        const auto [first, last] = partition(static_cast<index_t>(rows), parts, part);
        std::uint32_t* const mine = next[static_cast<std::size_t>(part)].data();
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); i += block)
            each(i, (std::min)(block, static_cast<std::size_t>(last) - i),
                 [&](std::uint32_t slot, T value) { f(mine[slot], value); });
    };
    parallel_parts(parts, [&](int part) { each_row(part, [](std::uint32_t& n, T) { ++n; }); });
    std::uint32_t sum = 0;
    for (std::size_t s = 0; s < slots; ++s) {
        at[s] = sum;
        for (auto& mine : next) {
            const std::uint32_t here = mine[s];
            mine[s] = sum;
            sum += here;
        }
    }
    at[slots] = sum;
    parallel_parts(parts, [&](int part) { each_row(part, [&](std::uint32_t& n, T value) { to[n++] = value; }); });
}

/// Bits of a key: the codes of a column, or the numbers of other fields' keys together.
struct key_field {
    std::unique_ptr<key_codes> codes;  ///< of a column; null: as below
    std::size_t column = 0;            ///< its place among the keys
    std::vector<key_field> members;    ///< whose keys are numbered
    growing<std::uint64_t> keys;       ///< by number
    growing<std::uint32_t> numbers;    ///< of the rows
    std::uint64_t last = 0;            ///< greatest value
    int shift = 0;                     ///< of the field in the key it is part of

    [[nodiscard]] int bits() const noexcept { return static_cast<int>(std::bit_width(last)); }

    template <class Out>
    void load(std::size_t first, std::size_t count, Out* out) const {
        if (codes != nullptr)
            codes->load(first, count, out);
        else
            std::copy_n(numbers.data() + first, count, out);
    }

    /// Calls `f(field, codes)` for the field of each column. @param values  of the field, not kept
    template <class F>
    void split(std::span<std::uint64_t> values, F&& f) const {
        if (codes != nullptr) return f(*this, std::span<const std::uint64_t>(values));
        growing<std::uint64_t> part;
        std::uint64_t* const to = part.extend(values.size());
        for (const key_field& member : members) {
            const std::uint64_t mask =
                member.bits() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << member.bits()) - 1;
            for (std::size_t i = 0; i < values.size(); ++i) to[i] = keys[values[i]] >> member.shift & mask;
            member.split({to, values.size()}, f);
        }
    }
};

/// Places the fields side by side, the first one highest. @return  bits of all together
inline int place_fields(std::span<key_field> fields) {
    int bits = 0;
    for (std::size_t i = fields.size(); i-- > 0;) {
        fields[i].shift = bits;
        bits += fields[i].bits();
    }
    for (key_field& f : fields) f.shift = (std::min)(f.shift, 63);  // of a field without bits at the top
    return bits;
}

/// Keys of rows [first, first + count). @tparam Out  uint64_t, or uint32_t where the fields have fewer bits
/// @param lowest  bit that is needed
template <class Out>
void load_keys(std::span<const key_field> fields, std::size_t first, std::size_t count, Out* out, int lowest = 0) {
    while (!fields.empty() && fields.back().shift + fields.back().bits() <= lowest)
        fields = fields.first(fields.size() - 1);
    if (fields.empty()) {
        std::fill_n(out, count, Out{0});
        return;
    }
    fields.back().load(first, count, out);
    constexpr std::size_t block = 1024;
    Out more[block];
    if (fields.back().shift != 0)
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Out>(out[i] << fields.back().shift);
    for (std::size_t f = fields.size() - 1; f-- > 0;) {
        if (fields[f].bits() == 0) continue;
        for (std::size_t begin = 0; begin < count; begin += block) {
            const std::size_t here = (std::min)(block, count - begin);
            fields[f].load(first + begin, here, more);
            for (std::size_t i = 0; i < here; ++i) out[begin + i] |= static_cast<Out>(more[i] << fields[f].shift);
        }
    }
}

/// Numbers of the rows' keys, which have so many bits together, 64 at most.
[[nodiscard]] inline numbered_keys numbered(std::span<const key_field> fields, std::size_t rows, int bits,
                                            const parallel_options& threads) {
    const auto load = [&](std::size_t first, std::size_t count, int lowest, std::uint64_t* out) {
        load_keys(fields, first, count, out, lowest);
    };
    return number_keys_of({rows, load}, bits, threads);
}

/// One field of the numbers of these fields' keys, which have 64 bits at most; fewer than rows, so of 32 bits at most.
[[nodiscard]] inline key_field condensed(std::vector<key_field> members, std::size_t rows,
                                         const parallel_options& threads) {
    key_field field;
    const int bits = place_fields(members);
    numbered_keys n = numbered(members, rows, bits, threads);
    number_rows(n, threads);
    field.numbers = std::move(n.of_row);
    field.last = n.count == 0 ? 0 : n.count - 1;
    field.keys = std::move(n.keys);
    field.members = std::move(members);
    return field;
}

/// Fields of some columns, of 64 bits together.
[[nodiscard]] inline std::vector<key_field> key_fields(std::span<const column> keys, std::size_t rows,
                                                       const parallel_options& threads) {
    std::vector<key_field> fields;
    const auto condense = [&](std::size_t first, std::size_t count) {
        std::vector<key_field> members;
        for (std::size_t i = first; i < first + count; ++i) members.push_back(std::move(fields[i]));
        fields[first] = condensed(std::move(members), rows, threads);
        fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(first + 1),
                     fields.begin() + static_cast<std::ptrdiff_t>(first + count));
    };
    for (std::size_t i = 0; i < keys.size(); ++i) {
        key_field& field = fields.emplace_back();
        field.codes = std::make_unique<key_codes>(keys[i], threads);
        field.column = i;
        field.last = field.codes->last_code();
    }
    while (place_fields(fields) > 64) {
        const auto widest = std::max_element(
            fields.begin(), fields.end(), [](const key_field& a, const key_field& b) { return a.bits() < b.bits(); });
        if (widest->bits() > 32)
            condense(static_cast<std::size_t>(widest - fields.begin()), 1);
        else
            condense(0, 2);
    }
    return fields;
}

/// Whether so few keys are possible that each is its own slot. @param last  the greatest key
[[nodiscard]] constexpr bool is_direct(std::uint64_t last, std::size_t rows) noexcept {
    return last < (std::max)(std::size_t{1024}, rows / 32);
}

/// A slot for each row of a table. Slots are in the order of the keys, a missing one last.
class row_groups {
public:
    /// @param keys  columns of `rows` rows; none: all rows are one group
    row_groups(std::span<const column> keys, std::size_t rows, const parallel_options& threads)
        : rows_(rows), keys_(keys.size()), threads_(threads) {
        check_group_rows(rows);
        fields_ = key_fields(keys, rows, threads);
        find_slots();
    }
    /// Of one key column, whose codes are known already.
    row_groups(key_codes key, std::size_t rows, const parallel_options& threads)
        : rows_(rows), keys_(1), threads_(threads) {
        key_field& field = fields_.emplace_back();
        field.last = key.last_code();
        field.codes = std::make_unique<key_codes>(std::move(key));
        find_slots();
    }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t slots() const noexcept { return slots_; }

    /// Whether slots can be without rows.
    [[nodiscard]] bool is_direct() const noexcept { return is_direct_; }

    /// Slots of rows [first, first + count), unless only their order is known: `has_numbers`.
    void load(std::size_t first, std::size_t count, std::uint32_t* out) const {
        if (is_direct_)
            load_keys<std::uint32_t>(fields_, first, count, out);
        else
            std::copy_n(numbers_.of_row.data() + first, count, out);
    }
    [[nodiscard]] bool has_numbers() const noexcept { return is_direct_ || numbers_.has_numbers(); }

    /// Slots of all rows.
    void numbers(std::span<std::uint32_t> out) const {
        if (has_numbers()) return load(0, rows_, out.data());
        parallel_for(static_cast<index_t>(slots_), {.threads = threads_.threads, .grain = 1 << 12},
                     [&](index_t first, index_t last) {
                         for (auto s = static_cast<std::size_t>(first); s < static_cast<std::size_t>(last); ++s)
                             for (std::size_t i = begins()[s]; i < begins()[s + 1]; ++i)
                                 out[row_at(i)] = static_cast<std::uint32_t>(s);
                     });
    }

    /// Puts the rows in the order of the slots, each slot's in their own order.
    void find_rows() {
        if (has_rows()) return;
        gather_by_slot<std::uint32_t>(
            rows_, slots_,
            [this](std::size_t first, std::size_t count, auto&& f) {
                std::uint32_t slot[2048];
                load(first, count, slot);
                for (std::size_t i = 0; i < count; ++i) f(slot[i], static_cast<std::uint32_t>(first + i));
            },
            threads_, by_slot_, begins_);
    }
    [[nodiscard]] bool has_rows() const noexcept { return begins().size() != 0; }
    /// Place of each slot's first row in that order, and the end of the last's.
    [[nodiscard]] std::span<const std::uint32_t> begins() const noexcept {
        const growing<std::uint32_t>& all = has_numbers() ? begins_ : numbers_.begins;
        return {all.data(), all.size()};
    }
    /// The row at a place.
    [[nodiscard]] std::uint32_t row_at(std::size_t place) const noexcept {
        return has_numbers() ? by_slot_[place] : numbers_.sorted[place].row;
    }
    /// The rows from a place on, and their slots. @param slot  that of the first, or one before it
    void load_by_slot(std::size_t place, std::size_t count, std::size_t slot, std::uint32_t* rows,
                      std::uint32_t* slots) const {
        const std::uint32_t* const begin = begins().data();
        for (std::size_t i = 0; i < count; ++i) {
            while (begin[slot + 1] <= place + i) ++slot;
            slots[i] = static_cast<std::uint32_t>(slot);
        }
        if (has_numbers())
            std::copy_n(by_slot_.data() + place, count, rows);
        else
            for (std::size_t i = 0; i < count; ++i) rows[i] = numbers_.sorted[place + i].row;
    }

    /// Slots that have rows, as the first of them come. O(rows).
    [[nodiscard]] std::vector<std::uint32_t> slots_as_seen() const {
        std::vector<std::uint32_t> found;
        if (!has_numbers()) {
            std::vector<bool> is_first(rows_);
            for (std::size_t s = 0; s < slots_; ++s) is_first[row_at(begins()[s])] = true;
            std::vector<std::uint32_t> slot_of(rows_);
            numbers(slot_of);
            for (std::size_t i = 0; i < rows_; ++i)
                if (is_first[i]) found.push_back(slot_of[i]);
            return found;
        }
        std::vector<bool> seen(slots_);
        std::uint32_t slot[1024];
        for (std::size_t first = 0; first < rows_; first += std::size(slot)) {
            const std::size_t count = (std::min)(std::size(slot), rows_ - first);
            load(first, count, slot);
            for (std::size_t i = 0; i < count; ++i) {
                if (seen[slot[i]]) continue;
                seen[slot[i]] = true;
                found.push_back(slot[i]);
            }
        }
        return found;
    }

    /// Calls `f(field, codes)` with the field of each key column and its codes in some slots.
    template <class F>
    void each_key(std::span<const std::uint32_t> slots, F&& f) const {
        growing<std::uint64_t> keys;
        growing<std::uint64_t> part;
        std::uint64_t* const key = keys.extend(slots.size());
        std::uint64_t* const to = part.extend(slots.size());
        for (std::size_t i = 0; i < slots.size(); ++i) key[i] = is_direct_ ? slots[i] : numbers_.key(slots[i]);
        for (const key_field& field : fields_) {
            const std::uint64_t mask = field.bits() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << field.bits()) - 1;
            for (std::size_t i = 0; i < slots.size(); ++i) to[i] = key[i] >> field.shift & mask;
            field.split({to, slots.size()}, f);
        }
    }

    /// The key columns of the groups.
    [[nodiscard]] std::vector<column> keys(const slot_list& slots) const {
        std::vector<key_column> made(keys_);
        const auto start = [&](auto&& self, const key_field& field) -> void {
            if (field.codes != nullptr) made[field.column].start(*field.codes, slots.size());
            for (const key_field& member : field.members) self(self, member);
        };
        for (const key_field& field : fields_) start(start, field);
        slots.each_block(threads_, [&](std::size_t first, std::span<const std::uint32_t> block) {
            each_key(block, [&](const key_field& field, std::span<const std::uint64_t> codes) {
                made[field.column].put(first, codes);
            });
        });
        std::vector<column> columns;
        for (key_column& c : made) columns.push_back(c.finish(threads_));
        return columns;
    }

private:
    void find_slots() {
        const int bits = place_fields(fields_);
        std::uint64_t last = 0;
        for (const key_field& f : fields_) last |= f.bits() == 0 ? 0 : f.last << f.shift;
        is_direct_ = bits < 32 && detail::is_direct(last, rows_);
        slots_ = static_cast<std::size_t>(last) + 1;
        if (is_direct_) return;
        numbers_ = numbered(fields_, rows_, bits, threads_);
        slots_ = numbers_.count;
    }

    std::size_t rows_;
    std::size_t keys_;
    parallel_options threads_;
    std::vector<key_field> fields_;
    numbered_keys numbers_;
    growing<std::uint32_t> by_slot_;  ///< rows, where they were numbered and then found
    growing<std::uint32_t> begins_;
    bool is_direct_ = false;
    std::size_t slots_ = 0;
};

}  // namespace edge::frame::detail
