// SPDX-License-Identifier: MIT
#pragma once

/// @file Joins: rows of two tables whose keys are equal.
///
///     table both = join(readings, sensors, {.on = "sensor"});                       // rows that have a partner
///     table all = join(readings, sensors, {.on = {"site", "sensor"}, .how = join_how::left});
///     table lost = join(readings, sensors, {.on = "sensor", .how = join_how::anti});
///     table named = join(readings, devices, {.on = "sensor", .right_on = "id"});     // devices calls it id
///
/// Rows come in the order of the left table, and for each in the order of the right one. Keys are of any kind; integers
/// and floats compare as numbers. A missing or NaN key is equal to none.
///
/// The result has the left table's columns, then the right's but its keys, renamed with the suffix where the left has
/// one of that name. Keys keep the left's names; a full join has those of right rows without a partner there, too.

#include <edge/frame/detail/joint_keys.hpp>
#include <edge/frame/detail/sequences.hpp>
#include <edge/frame/take.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

enum class join_how : std::uint8_t {
    inner,  ///< pairs of rows with equal keys
    left,   ///< those, and left rows without a partner
    full,   ///< those, and at the end right rows without one
    semi,   ///< left rows that have a partner, once each, with the left columns only
    anti    ///< left rows that have none
};

struct join_options {
    key_names on = {};        ///< columns of both tables that must be equal
    key_names right_on = {};  ///< their names in the right table, in that order, where they are others
    join_how how = join_how::inner;
    std::string suffix = "_right";  ///< for right columns whose name the left table has
    parallel_options threads = {};
};

namespace detail {

/// Right rows by their key.
struct rows_of_keys {
    rows_of_keys(const joint_ids& ids, const parallel_options& threads) {
        std::vector<std::uint32_t> all(ids.right.begin(), ids.right.end());
        for (std::uint32_t& id : all) id = (std::min)(id, static_cast<std::uint32_t>(ids.groups));
        const sequences places = sequences_by_id(all, ids.groups + 1, threads);  // the last is of rows without a key
        begin = places.begin;
        rows = rows_by_place(places, all.size(), threads);
    }

    [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t id) const noexcept {
        if (id == no_id) return {};
        return {rows.data() + begin[id], begin[id + 1] - begin[id]};
    }

    std::vector<std::size_t> begin;
    growing<std::uint32_t> rows;
};

struct row_pairs {
    growing<std::uint32_t> left;
    growing<std::uint32_t> right;  ///< `no_id` where there is none
};

/// Writes a list that parts of the rows add to: how much each adds is counted first.
/// @param count  count(row): how many entries it adds
/// @param put    put(row, place): writes them
template <class Reserve, class Count, class Put>
void write_in_parts(std::size_t rows, const parallel_options& threads, Reserve&& reserve, Count&& count, Put&& put) {
    const int parts = parts_for(static_cast<index_t>(rows), by_rows(threads));
    std::vector<std::size_t> begin(static_cast<std::size_t>(parts) + 1);
    const auto each_part = [&](auto&& f) {
        parallel_parts(parts, [&](int p) {
            const auto [first, last] = partition(static_cast<index_t>(rows), parts, p);
            f(static_cast<std::size_t>(p), static_cast<std::size_t>(first), static_cast<std::size_t>(last));
        });
    };
    each_part([&](std::size_t p, std::size_t first, std::size_t last) {
        std::size_t n = 0;
        for (std::size_t i = first; i < last; ++i) n += count(i);
        begin[p + 1] = n;
    });
    for (std::size_t p = 1; p < begin.size(); ++p) begin[p] += begin[p - 1];
    check_row_numbers(begin.back());
    reserve(begin.back());
    each_part([&](std::size_t p, std::size_t first, std::size_t last) {
        std::size_t at = begin[p];
        for (std::size_t i = first; i < last; ++i) {
            put(i, at);
            at += count(i);
        }
    });
}

[[nodiscard]] inline row_pairs matching_rows(const joint_ids& ids, const rows_of_keys& right, bool keep_all,
                                             const parallel_options& threads) {
    row_pairs pairs;
    std::uint32_t* l = nullptr;
    std::uint32_t* r = nullptr;
    const auto reserve = [&](std::size_t count) {
        l = pairs.left.extend(count);
        r = pairs.right.extend(count);
    };
    const std::size_t least = keep_all ? 1 : 0;
    const auto count = [&](std::size_t row) { return (std::max)(right.of(ids.left[row]).size(), least); };
    write_in_parts(ids.left.size(), threads, reserve, count, [&](std::size_t row, std::size_t at) {
        const std::span<const std::uint32_t> matches = right.of(ids.left[row]);
        if (matches.empty() && keep_all) {
            l[at] = static_cast<std::uint32_t>(row);
            r[at] = no_id;
        }
        for (std::size_t i = 0; i < matches.size(); ++i) {
            l[at + i] = static_cast<std::uint32_t>(row);
            r[at + i] = matches[i];
        }
    });
    return pairs;
}

/// Rows of which `is_chosen(row)`.
template <class IsChosen>
[[nodiscard]] growing<std::uint32_t> chosen_rows(std::size_t rows, const parallel_options& threads,
                                                 IsChosen&& is_chosen) {
    growing<std::uint32_t> chosen;
    std::uint32_t* to = nullptr;
    write_in_parts(
        rows, threads, [&](std::size_t count) { to = chosen.extend(count); },
        [&](std::size_t row) { return is_chosen(row) ? std::size_t{1} : std::size_t{0}; },
        [&](std::size_t row, std::size_t at) {
            if (is_chosen(row)) to[at] = static_cast<std::uint32_t>(row);
        });
    return chosen;
}

[[nodiscard]] inline row_list<std::uint32_t> list_of(const growing<std::uint32_t>& rows) noexcept {
    return {rows.data(), rows.size()};
}

}  // namespace detail

/// O(n + m + rows of the result).
/// @throws argument_error     if `on` is empty or `right_on` of another length, a key is not there or of kinds that do
///                            not compare, or a name is taken
/// @throws unsupported_error  if the result has 2^32 rows or more
[[nodiscard]] inline table join(const table& left, const table& right, const join_options& options) {
    if (options.on.empty()) throw argument_error("a join on no column; expected one or more");
    const auto& threads = options.threads;
    const key_names& right_on = options.right_on.empty() ? options.on : options.right_on;
    const detail::joint_ids ids = detail::number_jointly(left, right, options.on, right_on, "on", threads);
    if (options.how == join_how::semi || options.how == join_how::anti) {
        std::vector<std::uint8_t> has(ids.groups);
        for (const std::uint32_t id : ids.right)
            if (id != detail::no_id) has[id] = 1;
        const auto rows = detail::chosen_rows(left.rows(), threads, [&](std::size_t row) {
            const std::uint32_t id = ids.left[row];
            return (id != detail::no_id && has[id] != 0) == (options.how == join_how::semi);
        });
        return detail::take_rows(left, detail::list_of(rows), threads);
    }

    const detail::rows_of_keys by_key(ids, threads);
    const detail::row_pairs pairs = detail::matching_rows(ids, by_key, options.how != join_how::inner, threads);
    table joined = detail::take_rows(left, detail::list_of(pairs.left), threads);
    const auto add_right = [&](table& to, const growing<std::uint32_t>& rows) {
        const bool all = detail::names_all(detail::list_of(rows), threads);
        detail::add_right_columns(to, left, right, right_on, options.suffix, [&](const column& c) {
            return detail::take_rows(c, detail::list_of(rows), all, threads);
        });
    };
    add_right(joined, pairs.right);
    if (options.how != join_how::full) return joined;

    std::vector<std::uint8_t> has(ids.groups);
    for (const std::uint32_t id : ids.left)
        if (id != detail::no_id) has[id] = 1;
    const auto rest = detail::chosen_rows(right.rows(), threads, [&](std::size_t row) {
        const std::uint32_t id = ids.right[row];
        return id == detail::no_id || has[id] == 0;
    });
    table alone;
    for (std::size_t c = 0; c < left.names().size(); ++c) {
        const std::string& name = left.names()[c];
        const std::vector<std::string>& keys = options.on.list();
        const auto key = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), name) - keys.begin());
        alone.add(name, key == keys.size() ? column::missing(left.columns()[c].kind(), rest.size())
                                           : detail::take_rows(right.column(right_on.list()[key]),
                                                               detail::list_of(rest), true, threads));
    }
    add_right(alone, rest);
    const table both[] = {joined, alone};
    return concat(both);
}

}  // namespace edge::frame
