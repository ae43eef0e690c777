// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbering of keys: equal keys get equal small numbers, 0, 1, 2 … in the order they first appear.
///
/// The number of a row indexes plain arrays from then on, so only this file knows about hashing.

#include <edge/frame/table.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace edge::frame::detail {

/// Of a row whose key is missing.
inline constexpr std::uint32_t no_id = static_cast<std::uint32_t>(-1);

/// Bijective on 64 bits, so integers with equal hashes are equal.
/// Source: Appleby, MurmurHash3, fmix64.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t k) noexcept {
    k ^= k >> 33;
    k *= 0xFF51AFD7ED558CCDULL;
    k ^= k >> 33;
    k *= 0xC4CEB9FE1A85EC53ULL;
    k ^= k >> 33;
    return k;
}

/// Hash table from keys to ids. It holds hashes and ids; what the keys are, its caller knows.
class id_index {
public:
    [[nodiscard]] std::size_t size() const noexcept { return hashes_.size(); }

    /// The id of the key with this hash for which `is_key_of(id)` holds, or else the next id.
    template <class IsKeyOf>
    std::uint32_t insert(std::uint64_t hash, IsKeyOf&& is_key_of) {
        if (2 * (hashes_.size() + 1) > slots_.size()) grow();
        std::size_t at = hash & (slots_.size() - 1);
        for (; slots_[at] != no_id; at = (at + 1) & (slots_.size() - 1))
            if (hashes_[slots_[at]] == hash && is_key_of(slots_[at])) return slots_[at];
        if (hashes_.size() == no_id) throw unsupported_error("more than 4294967295 different keys");
        slots_[at] = static_cast<std::uint32_t>(hashes_.size());
        hashes_.push_back(hash);
        return slots_[at];
    }

    /// The id of an integer.
    std::uint32_t insert(std::uint64_t key) {
        return insert(mix(key), [](std::uint32_t) { return true; });
    }

private:
    void grow() {
        slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), no_id);
        for (std::size_t id = 0; id < hashes_.size(); ++id) {
            std::size_t at = hashes_[id] & (slots_.size() - 1);
            while (slots_[at] != no_id) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = static_cast<std::uint32_t>(id);
        }
    }

    std::vector<std::uint32_t> slots_;   // at most half full
    std::vector<std::uint64_t> hashes_;  // of each id
};

struct numbering {
    std::vector<std::uint32_t> of_row;  ///< id, or `no_id` where the key is missing
    std::vector<std::size_t> rows;      ///< where each id appears first
};

/// Calls `id_of(row)` for the rows that have a key, and notes the ids.
template <class HasKey, class IdOf>
numbering number_rows(std::size_t rows, HasKey&& has_key, IdOf&& id_of) {
    numbering n;
    n.of_row.resize(rows, no_id);
    for (std::size_t row = 0; row < rows; ++row) {
        if (!has_key(row)) continue;
        n.of_row[row] = id_of(row);
        if (n.of_row[row] == n.rows.size()) n.rows.push_back(row);
    }
    return n;
}

/// The 64 bits that stand for a number as a key: equal exactly when the numbers are, NaN aside.
template <stored T>
[[nodiscard]] std::uint64_t key_bits(T value) noexcept {
    if constexpr (std::is_floating_point_v<T>)
        return std::bit_cast<std::uint64_t>(static_cast<double>(value) + 0.0);  // -0 becomes 0
    else
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

/// Numbers the values of a column; missing values and NaN have no id.
inline numbering number_values(const column& c) {
    const bit_view valid = c.validity();
    id_index index;
    switch (c.kind()) {
        case kind::boolean:
            return number_rows(
                c.size(), [&](std::size_t row) { return valid[row]; },
                [&](std::size_t row) { return index.insert(c.boolean(row) ? 1U : 0U); });
        case kind::string: {
            std::vector<std::string_view> texts;
            return number_rows(
                c.size(), [&](std::size_t row) { return valid[row]; },
                [&](std::size_t row) {
                    const std::string_view text = c.text(row);
                    const auto id = index.insert(mix(std::hash<std::string_view>{}(text)),
                                                 [&](std::uint32_t i) { return texts[i] == text; });
                    if (id == texts.size()) texts.push_back(text);
                    return id;
                });
        }
        default:
            return dispatch_stored(c.kind(), [&]<class T>() {
                const std::span<const T> values = c.values<T>();
                std::uint64_t last = 0;
                std::uint32_t last_id = no_id;
                return number_rows(
                    c.size(), [&](std::size_t row) { return valid[row] && values[row] == values[row]; },
                    [&](std::size_t row) {
                        const std::uint64_t key = key_bits(values[row]);
                        if (last_id == no_id || key != last) {  // keys often come in runs
                            last = key;
                            last_id = index.insert(key);
                        }
                        return last_id;
                    });
            });
    }
}

/// Numbers the pairs of two numberings of the same rows; a row without one of them has no id.
inline numbering number_pairs(const numbering& a, const numbering& b) {
    id_index index;
    const std::uint64_t width = b.rows.size();  // ids are below 2^32, so a pair fits 64 bits
    return number_rows(
        a.of_row.size(), [&](std::size_t row) { return a.of_row[row] != no_id && b.of_row[row] != no_id; },
        [&](std::size_t row) { return index.insert(a.of_row[row] * width + b.of_row[row]); });
}

/// Gives the rows without a key an id of their own.
inline numbering with_missing(numbering n) {
    const auto id = static_cast<std::uint32_t>(n.rows.size());
    for (std::size_t row = 0; row < n.of_row.size(); ++row) {
        if (n.of_row[row] != no_id) continue;
        if (n.rows.size() == id) n.rows.push_back(row);
        n.of_row[row] = id;
    }
    return n;
}

/// Numbers the combinations of values of several columns; a missing value is a value too. With no column, all rows are
/// one key.
inline numbering number_keys(std::span<const column> keys, std::size_t rows) {
    if (keys.empty()) return {std::vector<std::uint32_t>(rows, 0), {0}};
    numbering all = with_missing(number_values(keys.front()));
    for (const column& c : keys.subspan(1)) all = number_pairs(all, with_missing(number_values(c)));
    return all;
}

}  // namespace edge::frame::detail
