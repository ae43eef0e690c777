// SPDX-License-Identifier: MIT
#pragma once

/// @file From slots and values to aggregates: the loops over the rows of a table, on all threads.
///
/// Few groups: blocks of rows have states of their own, which are merged in the order of the blocks. Many: the rows are
/// taken group by group. Where rows are cut depends on their number and that of the slots alone, so the bits are the same
/// for any number of threads.

#include <edge/frame/detail/group_aggregates.hpp>
#include <edge/frame/detail/row_groups.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Rows are few for each slot, or only their order is known: they are taken slot by slot.
[[nodiscard]] inline bool goes_by_slots(const row_groups& groups) noexcept {
    constexpr std::size_t few_rows = 1 << 14;
    return !groups.has_numbers() || (groups.rows() > few_rows && groups.slots() > groups.rows() / 32);
}

/// Calls `f(first, last, work)` for ranges of `slot_list::block` slots, on all threads.
template <class F>
void each_slots(std::size_t slots, const parallel_options& threads, F&& f) {
    const auto blocks = static_cast<index_t>((slots + slot_list::block - 1) / slot_list::block);
    std::vector<std::unique_ptr<group_aggregates::scratch>> work(
        static_cast<std::size_t>(parts_for(blocks, {.threads = threads.threads})));
    parallel_tasks(blocks, {.threads = threads.threads}, [&](index_t block, int part) {
        auto& mine = work[static_cast<std::size_t>(part)];
        if (mine == nullptr) mine = std::make_unique<group_aggregates::scratch>();
        const std::size_t first = static_cast<std::size_t>(block) * slot_list::block;
        f(first, (std::min)(first + slot_list::block, slots), *mine);
    });
}

/// Adds the rows of slots [first, last). @param groups  whose rows are found @param begin  slot that is the first in `to`
inline void add_slots(const row_groups& groups, std::size_t first, std::size_t last, std::size_t begin,
                      group_aggregates& to, group_aggregates::scratch& work) {
    const std::span<const std::uint32_t> begins = groups.begins();
    std::uint32_t rows[row_block::most];
    std::uint32_t slots[row_block::most];
    std::size_t slot = first;
    for (std::size_t at = begins[first]; at < begins[last];) {
        const std::size_t count = (std::min)(row_block::most, begins[last] - at);
        groups.load_by_slot(at, count, slot, rows, slots);
        slot = slots[count - 1];
        for (std::size_t i = 0; i < count; ++i) slots[i] -= static_cast<std::uint32_t>(begin);
        to.add({0, rows, count, slots}, work);
        at += count;
    }
}

/// What comes out of all rows, a row for each slot, of the aggregates that are not of all values. The states of a few
/// thousand slots at a time stay in the cache, and nothing of the size of the result is made but the result.
/// @param groups  as `goes_by_slots` says
/// @param plan    without lists
[[nodiscard]] inline std::vector<column> results_by_slot(row_groups& groups,
                                                         const std::shared_ptr<const aggregate_plan>& plan,
                                                         const table& t, const parallel_options& threads) {
    groups.find_rows();
    const std::vector<column> columns = plan->columns(t);
    std::vector<std::unique_ptr<result_column>> made;
    for (const aggregate& a : plan->wanted)
        made.push_back(is_of_all_values(a.what) ? nullptr : std::make_unique<result_column>(groups.slots()));
    each_slots(groups.slots(), threads, [&](std::size_t first, std::size_t last, group_aggregates::scratch& work) {
        group_aggregates states(plan, columns);
        states.resize(last - first);
        add_slots(groups, first, last, first, states, work);
        std::uint32_t slots[slot_list::block];
        for (std::size_t i = 0; i < last - first; ++i) slots[i] = static_cast<std::uint32_t>(i);
        for (std::size_t i = 0; i < made.size(); ++i)
            if (made[i] != nullptr) states.put(i, first, {slots, last - first}, *made[i]);
    });
    std::vector<column> results(made.size());
    for (std::size_t i = 0; i < made.size(); ++i) {
        const std::string& from = plan->wanted[i].column;
        if (made[i] != nullptr)
            results[i] = plan->finish(i, *made[i], from.empty() ? column() : t.column(from), threads);
    }
    return results;
}

/// States of all rows.
[[nodiscard]] inline group_aggregates aggregate_rows(row_groups& groups, std::shared_ptr<const aggregate_plan> plan,
                                                     const table& t, const parallel_options& threads) {
    const std::vector<column> columns = plan->columns(t);
    group_aggregates all(plan, columns);
    const std::size_t rows = groups.rows();
    const std::size_t slots = groups.slots();
    all.resize(slots);
    if (rows == 0) return all;
    if (goes_by_slots(groups)) {
        groups.find_rows();
        each_slots(slots, threads, [&](std::size_t first, std::size_t last, group_aggregates::scratch& work) {
            add_slots(groups, first, last, 0, all, work);
        });
        return all;
    }
    // Merging costs at most a sixteenth of the work, and enough blocks are there for many threads.
    const std::size_t most = (std::min)(std::size_t{32}, (std::max)(rows >> 14, std::size_t{1}));
    const std::size_t blocks = (std::max)(std::size_t{1}, (std::min)(most, rows / (16 * slots)));
    const std::size_t each = ((rows + blocks - 1) / blocks + row_block::most - 1) / row_block::most * row_block::most;
    std::vector<group_aggregates> parts;
    for (std::size_t b = 1; b < blocks; ++b) parts.emplace_back(plan, columns);
    parallel_for(static_cast<index_t>(blocks), threads, [&](index_t first_block, index_t last_block) {
        const auto work = std::make_unique<group_aggregates::scratch>();
        std::uint32_t slot_of[row_block::most];
        for (auto b = static_cast<std::size_t>(first_block); b < static_cast<std::size_t>(last_block); ++b) {
            group_aggregates& mine = b == 0 ? all : parts[b - 1];
            if (b != 0) mine.resize(slots);
            if (each >= 16 * slots) mine.expect_rows();
            const std::size_t end = (std::min)(rows, (b + 1) * each);
            for (std::size_t first = b * each; first < end; first += row_block::most) {
                const std::size_t count = (std::min)(row_block::most, end - first);
                groups.load(first, count, slot_of);
                mine.add({first, nullptr, count, slot_of}, *work);
            }
            mine.settle();
        }
    });
    for (const group_aggregates& part : parts) all.prepare_merge(part);
    parallel_for(static_cast<index_t>(slots), {.threads = threads.threads, .grain = 1 << 10},
                 [&](index_t first, index_t last) {
                     for (const group_aggregates& part : parts)
                         all.merge(part, {}, static_cast<std::size_t>(first), static_cast<std::size_t>(last));
                 });
    return all;
}

/// What lies at `part` of the way from a to b.
[[nodiscard]] inline double between(double a, double b, double part) noexcept {
    if (part == 0 || a == b) return a;  // also where they are infinite
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
}

/// What lies at share q of `values`, which are reordered: `part` of the way from one to the next.
struct quantile_place {
    std::uint64_t below;
    std::uint64_t above;
    double part;
};

[[nodiscard]] inline quantile_place quantile_of(std::span<std::uint64_t> values, double q) {
    const double place = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(values.begin(), nth, values.end());
    const double part = place - static_cast<double>(below);
    return {*nth, part == 0 ? *nth : *std::min_element(nth + 1, values.end()), part};
}

/// The number there. @param k  of the values
[[nodiscard]] inline double value_at(const quantile_place& at, kind k) {
    const auto number = [k](std::uint64_t ordered) {
        return dispatch_stored(k, [&]<class T>() { return static_cast<double>(from_ordered<T>(ordered)); });
    };
    return between(number(at.below), number(at.above), at.part);
}

/// Ordered bits of the values of each slot, side by side.
struct slot_values {
    growing<std::uint64_t> values;
    growing<std::uint32_t> begins;  ///< of each slot's, and the end of the last

    [[nodiscard]] std::span<std::uint64_t> of(std::size_t slot) noexcept {
        return {values.data() + begins[slot], begins[slot + 1] - begins[slot]};
    }
};

/// @param c  numbers
[[nodiscard]] inline slot_values values_by_slot(const row_groups& groups, const column& c,
                                                const parallel_options& threads) {
    slot_values by;
    const std::span<const std::uint32_t> begins = groups.begins();
    gather_by_slot<std::uint64_t>(
        groups.rows(), groups.slots(),
        [&](std::size_t first, std::size_t count, auto&& f) {
            const auto reader = std::make_unique<value_reader>();
            std::uint32_t slot_of[row_block::most];
            std::uint32_t row_of[row_block::most];
            row_block rows{first, nullptr, count, slot_of};
            if (groups.has_numbers()) {
                groups.load(first, count, slot_of);
            } else {  // then they are known in the order of the slots
                const auto slot = static_cast<std::size_t>(
                    std::upper_bound(begins.begin(), begins.end(), static_cast<std::uint32_t>(first)) - begins.begin() -
                    1);
                groups.load_by_slot(first, count, slot, row_of, slot_of);
                rows.first = 0;
                rows.rows = row_of;
            }
            const value_block values = reader->read(c, {.ordered = true}, rows);
            for (std::size_t i = 0; i < values.count; ++i) f(values.slots[i], values.ordered[i]);
        },
        threads, by.values, by.begins);
    return by;
}

/// A quantile of the values of some slots, all of them different.
[[nodiscard]] inline column quantiles(slot_values& by, kind k, const slot_list& slots, double q,
                                      const parallel_options& threads) {
    growing<double> found;
    double* const to = found.extend(slots.size());
    buffer validity = validity_of(slots.size(), [&](std::size_t g) { return !by.of(slots[g]).empty(); });
    parallel_for(static_cast<index_t>(slots.size()), {.threads = threads.threads, .grain = 4},
                 [&](index_t first, index_t last) {
                     for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g) {
                         const auto values = by.of(slots[g]);
                         to[g] = values.empty() ? 0 : value_at(quantile_of(values, q), k);
                     }
                 });
    return column(kind::float64, slots.size(), std::move(validity), found.finish());
}

/// Number of different values of a column of any kind, of some slots.
[[nodiscard]] inline column different_values(row_groups& groups, const column& c, const slot_list& slots,
                                             const parallel_options& threads) {
    std::vector<key_field> fields = key_fields(std::span(&c, 1), groups.rows(), threads);
    if (fields[0].bits() > 32) {
        std::vector<key_field> members;
        members.push_back(std::move(fields[0]));
        fields[0] = condensed(std::move(members), groups.rows(), threads);
    }
    const int shift = fields[0].bits();
    std::vector<std::uint32_t> slot_of(groups.rows());
    groups.numbers(slot_of);
    const auto load = [&](std::size_t first, std::size_t count, int, std::uint64_t* out) {
        fields[0].load(first, count, out);
        for (std::size_t i = 0; i < count; ++i) out[i] |= static_cast<std::uint64_t>(slot_of[first + i]) << shift;
    };
    const numbered_keys pairs =
        number_keys_of({groups.rows(), load}, shift + static_cast<int>(std::bit_width(groups.slots())), threads);
    std::vector<std::int64_t> counts(groups.slots());
    for (std::size_t i = 0; i < pairs.count; ++i) ++counts[pairs.key(i) >> shift];
    const bit_view valid = c.validity();
    std::vector<bool> missing(groups.slots());
    const auto note = [&](std::size_t row) {
        if (missing[slot_of[row]]) return;
        missing[slot_of[row]] = true;  // all that is missing is one key
        --counts[slot_of[row]];
    };
    if (is_float(c.kind()))
        dispatch_stored(c.kind(), [&]<class T>() {
            const auto values = c.values<T>();
            for (std::size_t row = 0; row < values.size(); ++row)
                if (!valid[row] || values[row] != values[row]) note(row);
        });
    else if (c.null_count() != 0)
        for (std::size_t row = 0; row < c.size(); ++row)
            if (!valid[row]) note(row);
    std::vector<std::int64_t> of(slots.size());
    for (std::size_t g = 0; g < slots.size(); ++g) of[g] = counts[slots[g]];
    return column(std::move(of));
}

}  // namespace edge::frame::detail
