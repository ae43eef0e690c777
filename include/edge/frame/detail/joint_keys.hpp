// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbering of the keys of two tables together, so that rows of either have the same number where keys are equal.

#include <edge/frame/detail/row_ids.hpp>
#include <edge/frame/key_names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame::detail {

struct joint_ids {
    growing<std::uint32_t> of_row;         ///< of the left table's rows, then the right's
    std::span<const std::uint32_t> left;   ///< `no_id` where a key is missing
    std::span<const std::uint32_t> right;  ///< likewise
    std::size_t groups = 1;
    std::uint32_t least = 0;        ///< ids are from here on, modulo 2^32
    bool some_without_key = false;  ///< whether any is `no_id`

    /// @param left_rows  how many of `of_row` are the left table's
    void split(std::size_t left_rows) noexcept {
        const std::span<const std::uint32_t> all{of_row.data(), of_row.size()};
        left = all.first(left_rows);
        right = all.subspan(left_rows);
    }
};

/// Numbers keys by how far they are from the least one. @return  false, and nothing, where that is too far, a key is
/// missing, or they are not of one kind of numbers
/// @param from_any  whether ids may begin with any number: then keys of 32 bits are ids as they are, where they are
[[nodiscard]] inline bool number_by_distance(const column& left, const column& right, const parallel_options& threads,
                                             bool from_any, joint_ids& ids) {
    if (left.kind() != right.kind() || left.kind() == kind::string) return false;
    const key_codes sides[] = {{left, threads}, {right, threads}};
    if (sides[0].has_missing() || sides[1].has_missing()) return false;
    const auto greatest_of = [](const key_codes& side) { return side.ordered(side.last_code()); };
    const std::uint64_t least = (std::min)(sides[0].ordered(0), sides[1].ordered(0));
    const std::uint64_t greatest = (std::max)(greatest_of(sides[0]), greatest_of(sides[1]));
    if (!is_direct(greatest - least, left.size() + right.size())) return false;
    ids.groups = static_cast<std::size_t>(greatest - least) + 1;
    if (from_any && is_integer(left.kind()) && value_bytes(left.kind()) == 4) {
        const auto as_ids = [](const column& c) {
            return std::span(reinterpret_cast<const std::uint32_t*>(c.raw_values()), c.size());
        };
        ids.left = as_ids(left);
        ids.right = as_ids(right);
        ids.least = left.kind() == kind::int32 ? static_cast<std::uint32_t>(from_ordered<std::int32_t>(least))
                                               : static_cast<std::uint32_t>(least);
        return true;
    }
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
    ids.split(left.size());
    return true;
}

/// @param side  "left" or "right"
/// @throws argument_error  if it is not there; the message names the table
[[nodiscard]] inline const column& key_of(const table& t, const char* side, const std::string& name) {
    try {
        return t.column(name);
    } catch (const argument_error& e) {
        throw argument_error(message("the ", side, " table has ", e.what()));
    }
}

/// @throws argument_error  always
[[noreturn]] inline void refuse_keys(const std::string& left, kind of_left, const std::string& right, kind of_right) {
    throw argument_error(message("'", left, "' of the left table is of ", to_string(of_left), ", '", right,
                                 "' of the right one of ", to_string(of_right), "; expected kinds that compare"));
}

/// @param on        columns of the left table, at least one
/// @param right_on  columns of the right table that they are to equal, one for each
/// @param option    name of the option that `on` is, for messages
/// @throws argument_error  if there are not as many of both, one is not there, or a pair is of kinds that do not compare
[[nodiscard]] inline joint_ids number_jointly(const table& left, const table& right, const key_names& on,
                                              const key_names& right_on, std::string_view option,
                                              const parallel_options& threads, bool from_any = false) {
    const std::size_t keys = on.list().size();
    if (right_on.list().size() != keys)
        throw argument_error(
            message("right_", option, " of length ", right_on.list().size(), "; expected ", keys, " as ", option));
    check_row_numbers(left.rows() + right.rows());
    table both[2];  // the right keys by the left ones' names
    for (std::size_t i = 0; i < keys; ++i) {
        const std::string& name = on.list()[i];
        const std::string& right_name = right_on.list()[i];
        const column& l = key_of(left, "left", name);
        const column& r = key_of(right, "right", right_name);
        const bool some = l.null_count() != l.size() && r.null_count() != r.size();
        if (some && !common_kind(l.kind(), r.kind())) refuse_keys(name, l.kind(), right_name, r.kind());
        both[0].add(name, l);
        both[1].add(name, r);
    }
    joint_ids ids;
    if (keys == 1 && left.rows() != 0 && right.rows() != 0 &&
        number_by_distance(both[0].columns()[0], both[1].columns()[0], threads, from_any, ids))
        return ids;
    const table all = concat(both);
    row_ids n = number_rows_of(all.columns(), all.rows(), threads);
    const auto drop = [&](auto&& is_there) {
        for (std::size_t row = 0; row < all.rows(); ++row) {
            if (is_there(row)) continue;
            n.of_row[row] = no_id;
            ids.some_without_key = true;
        }
    };
    for (const column& c : all.columns()) {
        if (c.null_count() != 0) drop([valid = c.validity()](std::size_t row) { return valid[row]; });
        if (is_float(c.kind()))
            dispatch_stored(c.kind(), [&]<class T>() {
                drop([x = c.values<T>().data()](std::size_t row) { return x[row] == x[row]; });
            });
    }
    ids.of_row = std::move(n.of_row);
    ids.groups = n.groups;
    ids.split(left.rows());
    return ids;
}

/// Columns of the right table but its keys, renamed where the left table has one of that name.
template <class TakeColumn>
void add_right_columns(table& joined, const table& left, const table& right, const key_names& keys,
                       const std::string& suffix, TakeColumn&& taken) {
    for (std::size_t c = 0; c < right.names().size(); ++c) {
        const std::string& name = right.names()[c];
        if (!keys.has(name)) joined.add(left.has(name) ? name + suffix : name, taken(right.columns()[c]));
    }
}

}  // namespace edge::frame::detail
