// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of floats by an integer key of few values, in one pass over memory.
///
/// To read each value once, neither the range of the keys nor that of the values is looked for first. A few rows say in
/// which window of some thousand numbers the keys are likely to lie, and a key's place in it is its slot; when one lies
/// elsewhere the rows are grouped in the usual way. The window, and where rows are cut into blocks, depend on the rows
/// alone, so the bits are the same for any number of threads.

#include <edge/frame/detail/group_aggregates.hpp>
#include <edge/frame/detail/key_codes.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// States of all rows; slots are those of a key from the least that occurs to the greatest.
struct keyed_sums {
    key_codes::range keys;
    group_aggregates states;
};

/// Numbers of keys that may lie in a window.
inline constexpr std::size_t key_window = 2048;

/// The least key, in ordered bits, of a window about the keys of some rows, if they leave enough of it for others.
/// @param keys  a few thousand or more
template <class Key>
[[nodiscard]] std::optional<std::uint64_t> guessed_window(std::span<const Key> keys) {
    constexpr std::size_t places = 16;  // the first rows, the last ones, and some in between
    constexpr std::size_t each = 64;
    Key least = keys.front();
    Key greatest = least;
    for (std::size_t p = 0; p < places; ++p)
        for (const Key k : keys.subspan((keys.size() - each) / (places - 1) * p, each)) {
            least = (std::min)(least, k);
            greatest = (std::max)(greatest, k);
        }
    const std::uint64_t lowest = to_ordered((std::numeric_limits<Key>::min)());
    const std::uint64_t highest = to_ordered((std::numeric_limits<Key>::max)()) - (key_window - 1);
    const std::uint64_t span = to_ordered(greatest) - to_ordered(least);
    if (span >= key_window / 4 * 3) return {};
    const std::uint64_t margin = (std::min)((key_window - span) / 2, to_ordered(least) - lowest);
    return (std::min)(to_ordered(least) - margin, highest);
}

/// @param least  key of slot 0
template <class Key>
[[nodiscard]] std::optional<keyed_sums> sums_in_window(std::span<const Key> keys, Key least,
                                                       const std::shared_ptr<const aggregate_plan>& plan,
                                                       const std::vector<column>& columns,
                                                       const parallel_options& threads) {
    // A block takes memory for states, which is written and read again beside the rows: half a million rows or more each,
    // but for eight threads fewer.
    const std::size_t blocks =
        std::clamp(std::bit_floor(keys.size() >> 19), (std::min)(keys.size() >> 15, std::size_t{8}), std::size_t{64});
    const std::size_t each = (keys.size() / blocks + row_block::most) / row_block::most * row_block::most;
    std::vector<group_aggregates> parts;
    for (std::size_t b = 0; b < blocks; ++b) parts.emplace_back(plan, columns);
    std::atomic<bool> is_outside{false};
    parallel_for(static_cast<index_t>(blocks), threads, [&](index_t first_block, index_t last_block) {
        const auto work = std::make_unique<group_aggregates::scratch>();
        for (auto b = static_cast<std::size_t>(first_block); b < static_cast<std::size_t>(last_block); ++b) {
            group_aggregates& mine = parts[b];
            mine.resize(key_window);
            mine.expect_rows();
            const std::size_t end = (std::min)(keys.size(), (b + 1) * each);
            for (std::size_t first = b * each; first < end && !is_outside; first += float_sum_state::most_at_once) {
                const std::size_t count = (std::min)(float_sum_state::most_at_once, end - first);
                const Key* const here = keys.data() + first;
                Key any = 0;
                each_of(count, [&](std::size_t i) { any |= here[i] - least; });
                if (any >= key_window)
                    is_outside = true;
                else
                    mine.add_keys(here, least, first, count, *work);
            }
            mine.settle();
        }
    });
    if (is_outside) return {};

    const auto has_rows = [&](std::size_t slot) {
        return std::any_of(parts.begin(), parts.end(),
                           [slot](const group_aggregates& part) { return part.sizes()[slot] != 0; });
    };
    std::size_t begin = 0;
    std::size_t end = key_window;
    while (!has_rows(begin)) ++begin;
    while (!has_rows(end - 1)) --end;
    keyed_sums found{{begin, end - 1}, group_aggregates(plan, columns)};
    found.states.resize(end - begin);
    std::vector<std::uint32_t> sources;
    for (std::size_t s = begin; s < end; ++s) sources.push_back(static_cast<std::uint32_t>(s));
    parallel_for(static_cast<index_t>(sources.size()), {.threads = threads.threads, .grain = 1 << 10},
                 [&](index_t first, index_t last) {
                     for (const group_aggregates& part : parts)
                         found.states.merge(part, {sources.data()}, static_cast<std::size_t>(first),
                                            static_cast<std::size_t>(last));
                 });
    return found;
}

/// Nothing where this is not the way, or keys lie outside of the window.
[[nodiscard]] inline std::optional<keyed_sums> sums_by_key(const column& key,
                                                           const std::shared_ptr<const aggregate_plan>& plan,
                                                           const table& t, const parallel_options& threads) {
    constexpr std::size_t fewest = 32 * key_window;  // rows, of which any keys of a window make few groups
    const std::size_t rows = t.rows();
    if (rows < fewest || rows >> 32 != 0 || key.null_count() != 0 || !plan->is_of_float_sums()) return {};
    if (!is_integer(key.kind()) || value_bytes(key.kind()) < 4) return {};
    return dispatch_stored(key.kind(), [&]<class T>() -> std::optional<keyed_sums> {
        if constexpr (std::is_integral_v<T> && sizeof(T) >= 4) {
            using bits = std::make_unsigned_t<T>;
            const std::span<const T> keys = key.values<T>();
            const std::optional<std::uint64_t> least = guessed_window(keys);
            if (!least) return {};
            const std::span<const bits> as_bits(reinterpret_cast<const bits*>(keys.data()), keys.size());
            auto found =
                sums_in_window(as_bits, static_cast<bits>(from_ordered<T>(*least)), plan, plan->columns(t), threads);
            if (found) {
                found->keys.least += *least;
                found->keys.greatest += *least;
            }
            return found;
        }
        return {};
    });
}

}  // namespace edge::frame::detail
