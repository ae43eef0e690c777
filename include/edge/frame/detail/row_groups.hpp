// SPDX-License-Identifier: MIT
#pragma once

/// @file Which rows belong together: a slot for each row of a table, by its keys.
///
/// The way is chosen by the keys. Where few are possible, the key itself is the slot and nothing is stored; otherwise the
/// keys that occur are numbered.

#include <edge/core/error.hpp>
#include <edge/frame/detail/key_codes.hpp>
#include <edge/frame/detail/number_keys.hpp>

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
template <class Out>
void load_keys(std::span<const key_field> fields, std::size_t first, std::size_t count, Out* out) {
    if (fields.empty()) {
        std::fill_n(out, count, Out{0});
        return;
    }
    fields.back().load(first, count, out);
    constexpr std::size_t block = 1024;
    Out more[block];
    for (std::size_t f = fields.size() - 1; f-- > 0;) {
        if (fields[f].bits() == 0) continue;
        for (std::size_t begin = 0; begin < count; begin += block) {
            const std::size_t here = (std::min)(block, count - begin);
            fields[f].load(first + begin, here, more);
            for (std::size_t i = 0; i < here; ++i) out[begin + i] |= static_cast<Out>(more[i] << fields[f].shift);
        }
    }
}

/// Keys of all rows.
[[nodiscard]] inline growing<std::uint64_t> keys_of_rows(std::span<const key_field> fields, std::size_t rows,
                                                         const parallel_options& threads) {
    growing<std::uint64_t> keys;
    std::uint64_t* const to = keys.extend(rows);
    parallel_for(static_cast<index_t>(rows), {.threads = threads.threads, .grain = 1 << 14},
                 [&](index_t begin, index_t end) {
                     const auto first = static_cast<std::size_t>(begin);
                     load_keys(fields, first, static_cast<std::size_t>(end) - first, to + first);
                 });
    return keys;
}

/// One field of the numbers of these fields' keys, which have 64 bits at most; fewer than rows, so of 32 bits at most.
[[nodiscard]] inline key_field condensed(std::vector<key_field> members, std::size_t rows,
                                         const parallel_options& threads) {
    key_field field;
    const int bits = place_fields(members);
    const growing<std::uint64_t> keys = keys_of_rows(members, rows, threads);
    numbered_keys n = number_keys_of({keys.data(), keys.size()}, bits, threads);
    field.numbers = numbers_of_rows(n);
    field.last = n.keys.size() == 0 ? 0 : n.keys.size() - 1;
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
        const int bits = place_fields(fields_);
        std::uint64_t last = 0;
        for (const key_field& f : fields_) last |= f.bits() == 0 ? 0 : f.last << f.shift;
        is_direct_ = bits < 32 && detail::is_direct(last, rows);
        slots_ = static_cast<std::size_t>(last) + 1;
        if (is_direct_) return;
        const growing<std::uint64_t> all = keys_of_rows(fields_, rows, threads);
        numbers_ = number_keys_of({all.data(), all.size()}, bits, threads);
        slots_ = numbers_.keys.size();
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
    [[nodiscard]] bool has_numbers() const noexcept { return is_direct_ || numbers_.of_row.size() == rows_; }

    /// Slots of all rows.
    void numbers(std::span<std::uint32_t> out) const {
        if (has_numbers()) return load(0, rows_, out.data());
        for (std::uint32_t s = 0; s < slots_; ++s)
            for (std::size_t i = begins()[s]; i < begins()[s + 1]; ++i) out[by_slot()[i]] = s;
    }

    /// The rows of slot s are `by_slot()[begins()[s]]` and so on before `begins()[s + 1]`, in their order, once they are
    /// found.
    void find_rows() {
        if (numbers_.begins.size() != 0) return;
        gather_by_slot<std::uint32_t>(
            rows_, slots_,
            [this](std::size_t first, std::size_t count, auto&& f) {
                std::uint32_t slot[2048];
                load(first, count, slot);
                for (std::size_t i = 0; i < count; ++i) f(slot[i], static_cast<std::uint32_t>(first + i));
            },
            threads_, numbers_.rows, numbers_.begins);
    }
    [[nodiscard]] bool has_rows() const noexcept { return numbers_.begins.size() != 0; }
    [[nodiscard]] std::span<const std::uint32_t> by_slot() const noexcept {
        return {numbers_.rows.data(), numbers_.rows.size()};
    }
    [[nodiscard]] std::span<const std::uint32_t> begins() const noexcept {
        return {numbers_.begins.data(), numbers_.begins.size()};
    }

    [[nodiscard]] std::span<const std::uint32_t> rows_of(std::size_t slot) const noexcept {
        return by_slot().subspan(begins()[slot], begins()[slot + 1] - begins()[slot]);
    }

    /// Slots that have rows, as the first of them come. O(rows).
    [[nodiscard]] std::vector<std::uint32_t> slots_as_seen() const {
        std::vector<std::uint32_t> found;
        if (!has_numbers()) {
            std::vector<bool> is_first(rows_);
            for (std::size_t s = 0; s < slots_; ++s) is_first[by_slot()[begins()[s]]] = true;
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
        growing<std::uint64_t> part;
        std::uint64_t* const to = part.extend(slots.size());
        for (const key_field& field : fields_) {
            const std::uint64_t mask = field.bits() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << field.bits()) - 1;
            parallel_for(static_cast<index_t>(slots.size()), {.threads = threads_.threads, .grain = 1 << 14},
                         [&](index_t begin, index_t end) {
                             for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                                 to[i] = (is_direct_ ? slots[i] : numbers_.keys[slots[i]]) >> field.shift & mask;
                         });
            field.split({to, slots.size()}, f);
        }
    }

    /// The key columns of some slots.
    [[nodiscard]] std::vector<column> keys(std::span<const std::uint32_t> slots) const {
        std::vector<column> columns(keys_);
        each_key(slots, [&](const key_field& field, std::span<const std::uint64_t> codes) {
            columns[field.column] = field.codes->values(codes, threads_);
        });
        return columns;
    }

private:
    std::size_t rows_;
    std::size_t keys_;
    parallel_options threads_;
    std::vector<key_field> fields_;
    numbered_keys numbers_;
    bool is_direct_ = false;
    std::size_t slots_ = 0;
};

}  // namespace edge::frame::detail
