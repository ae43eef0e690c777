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
    std::size_t groups = 0;

    [[nodiscard]] std::span<const std::uint32_t> all() const noexcept { return {of_row.data(), of_row.size()}; }
    [[nodiscard]] std::span<const std::uint32_t> left() const noexcept { return all().first(left_rows); }
    [[nodiscard]] std::span<const std::uint32_t> right() const noexcept { return all().subspan(left_rows); }
};

/// @param keys  at least one
/// @throws argument_error  if a key is not in both tables, or of kinds that do not compare
[[nodiscard]] inline joint_ids number_jointly(const table& left, const table& right, const key_names& keys,
                                              const parallel_options& threads) {
    check_row_numbers(left.rows() + right.rows());
    const table both[] = {left.select(keys.list()), right.select(keys.list())};
    const table all = concat(both);
    row_ids n = number_rows_of(all.columns(), all.rows(), threads);
    const auto drop = [&](auto&& is_there) {
        for (std::size_t row = 0; row < all.rows(); ++row)
            if (!is_there(row)) n.of_row[row] = no_id;
    };
    for (const column& c : all.columns()) {
        if (c.null_count() != 0) drop([valid = c.validity()](std::size_t row) { return valid[row]; });
        if (is_float(c.kind()))
            dispatch_stored(c.kind(), [&]<class T>() {
                drop([x = c.values<T>().data()](std::size_t row) { return x[row] == x[row]; });
            });
    }
    return {std::move(n.of_row), left.rows(), n.groups};
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
