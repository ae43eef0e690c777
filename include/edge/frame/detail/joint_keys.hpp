// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbering of the keys of two tables together, so that rows of either have the same number where keys are equal.

#include <edge/frame/detail/row_ids.hpp>
#include <edge/frame/key_names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::frame::detail {

struct joint_ids {
    growing<std::uint32_t> of_row;  ///< of the left table's rows, then the right's; `no_id` where a key is missing
    std::size_t left_rows = 0;
    std::size_t groups = 1;
    bool some_without_key = false;  ///< whether any is `no_id`

    [[nodiscard]] std::span<const std::uint32_t> all() const noexcept { return {of_row.data(), of_row.size()}; }
    [[nodiscard]] std::span<const std::uint32_t> left() const noexcept { return all().first(left_rows); }
    [[nodiscard]] std::span<const std::uint32_t> right() const noexcept { return all().subspan(left_rows); }
};

/// Numbers keys by how far they are from the least one. @return  false, and nothing, where that is too far, a key is
/// missing, or they are not of one kind of numbers
[[nodiscard]] inline bool number_by_distance(const column& left, const column& right, const parallel_options& threads,
                                             joint_ids& ids) {
    if (left.kind() != right.kind() || left.kind() == kind::string) return false;
    const key_codes sides[] = {{left, threads}, {right, threads}};
    if (sides[0].has_missing() || sides[1].has_missing()) return false;
    const auto greatest_of = [](const key_codes& side) { return side.ordered(side.last_code()); };
    const std::uint64_t least = (std::min)(sides[0].ordered(0), sides[1].ordered(0));
    const std::uint64_t greatest = (std::max)(greatest_of(sides[0]), greatest_of(sides[1]));
    if (!is_direct(greatest - least, left.size() + right.size())) return false;
    std::uint32_t* to = ids.of_row.extend(left.size() + right.size());
    for (const key_codes& side : sides) {
        parallel_for(static_cast<index_t>(side.source().size()), by_rows(threads), [&](index_t first, index_t last) {
            const auto more = static_cast<std::uint32_t>(side.ordered(0) - least);
            side.load(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first), to + first);
            if (more != 0)
                for (index_t i = first; i < last; ++i) to[i] += more;
        });
        to += side.source().size();
    }
    ids.left_rows = left.size();
    ids.groups = static_cast<std::size_t>(greatest - least) + 1;
    return true;
}

/// @param keys  at least one
/// @throws argument_error  if a key is not in both tables, or of kinds that do not compare
[[nodiscard]] inline joint_ids number_jointly(const table& left, const table& right, const key_names& keys,
                                              const parallel_options& threads) {
    check_row_numbers(left.rows() + right.rows());
    joint_ids ids;
    if (keys.list().size() == 1 && left.rows() != 0 && right.rows() != 0 &&
        number_by_distance(left.column(keys.list()[0]), right.column(keys.list()[0]), threads, ids))
        return ids;
    const table both[] = {left.select(keys.list()), right.select(keys.list())};
    const table all = concat(both);
    row_ids n = number_rows_of(all.columns(), all.rows(), threads);
    bool some_without_key = false;
    const auto drop = [&](auto&& is_there) {
        for (std::size_t row = 0; row < all.rows(); ++row) {
            if (is_there(row)) continue;
            n.of_row[row] = no_id;
            some_without_key = true;
        }
    };
    for (const column& c : all.columns()) {
        if (c.null_count() != 0) drop([valid = c.validity()](std::size_t row) { return valid[row]; });
        if (is_float(c.kind()))
            dispatch_stored(c.kind(), [&]<class T>() {
                drop([x = c.values<T>().data()](std::size_t row) { return x[row] == x[row]; });
            });
    }
    return {std::move(n.of_row), left.rows(), n.groups, some_without_key};
}

/// Columns of the right table but the keys, renamed where the left table has one of that name.
template <class TakeColumn>
void add_right_columns(table& joined, const table& left, const table& right, const key_names& keys,
                       const std::string& suffix, TakeColumn&& taken) {
    for (std::size_t c = 0; c < right.names().size(); ++c) {
        const std::string& name = right.names()[c];
        if (!keys.has(name)) joined.add(left.has(name) ? name + suffix : name, taken(right.columns()[c]));
    }
}

}  // namespace edge::frame::detail
