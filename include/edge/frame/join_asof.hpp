// SPDX-License-Identifier: MIT
#pragma once

/// @file As-of join: to each row the row of another table that is nearest in time, on the side that is asked for.
///
///     table fused = join_asof(imu, gnss, {.on = "ts", .by = "vehicle", .tolerance = 50ms});
///     table next = join_asof(imu, gnss, {.on = "ts", .direction = asof::forward});
///     table named = join_asof(imu, trips, {.on = "ts", .right_on = "start", .by = "vehicle", .right_by = "car"});
///
/// Every row of the left table stays, in its order, and gets the right table's columns but its times and keys, missing
/// where no row matches; with `gnss.with("fix", gnss.column("ts"))` its times come, too. Neither table needs to be
/// sorted; sorted ones are faster. Of right rows at the same time the one next to the left row is taken: the last one
/// looking backward, the first one looking forward. Missing keys and times match nothing.

#include <edge/frame/detail/asof_search.hpp>
#include <edge/frame/detail/joint_keys.hpp>
#include <edge/frame/time_span.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame {

/// Which right rows may match.
enum class asof : std::uint8_t {
    backward,  ///< the latest that is not later
    forward,   ///< the earliest that is not earlier
    nearest    ///< the nearer of both, the earlier where they are equally near
};

struct asof_options {
    std::string on = {};            ///< column of numbers or times in both tables
    std::string right_on = {};      ///< its name in the right table, where it is another
    key_names by = {};              ///< columns of both tables that must be equal
    key_names right_by = {};        ///< their names in the right table, in that order, where they are others
    time_span tolerance = {};       ///< greatest difference that still matches
    std::string suffix = "_right";  ///< for right columns whose name the left table has
    asof direction = asof::backward;
    bool exact = true;  ///< whether a row at the same time matches
    parallel_options threads = {};
};

namespace detail {

/// For each left row the right row that matches, or `no_id`.
template <class T>
growing<std::uint32_t> asof_rows(const column& left, const column& right, const joint_ids& ids, const asof_options& o) {
    const asof_side<T> l(left, ids.left, o.threads);
    const asof_side<T> r(right, ids.right, o.threads);
    const asof_rule rule{ids.groups, ids.least, ids.some_without_key, o.exact, o.tolerance, o.threads};
    growing<std::uint32_t> places = o.direction == asof::forward ? asof_search<T, true>(l, r, rule).places()
                                                                 : asof_search<T, false>(l, r, rule).places();
    if (o.direction == asof::nearest) {
        const growing<std::uint32_t> after = asof_search<T, true>(l, r, rule).places();
        const auto is_nearer = [](T at, T b, T a) -> std::uint32_t {
            if constexpr (std::is_integral_v<T>) {
                const auto now = static_cast<std::uint64_t>(at);
                return static_cast<std::uint64_t>(a) - now < now - static_cast<std::uint64_t>(b);
            } else {
                return std::uint32_t{b != at} & std::uint32_t{a - at < at - b};
            }
        };
        parallel_for(static_cast<index_t>(l.size), by_rows(o.threads), [&](index_t first, index_t last) {
            for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
                const std::uint32_t a = after[i];
                const std::uint32_t b = places[i];
                if (a == no_id) continue;
                // Which one is nearer cannot be predicted: no branch.
                places[i] = b == no_id ? a : b ^ ((b ^ a) & (0U - is_nearer(l.time[i], r.time[b], r.time[a])));
            }
        });
    }
    if (l.row == nullptr && r.row == nullptr) return places;
    growing<std::uint32_t> rows;
    rows.append(left.size(), no_id);
    for (std::size_t i = 0; i < l.size; ++i)
        if (places[i] != no_id) rows[l.row_at(i)] = r.row_at(places[i]);
    return rows;
}

}  // namespace detail

/// O(n + m) where both tables are sorted by `on`; else they are sorted first.
/// @throws argument_error  if a column is not there or of the wrong kind, `right_by` is of another length than `by`, a
///                         name is taken, or the tolerance is negative or a duration where `on` holds no timestamps
[[nodiscard]] inline table join_asof(const table& left, const table& right, const asof_options& options) {
    const std::string& right_on = options.right_on.empty() ? options.on : options.right_on;
    const key_names& right_by = options.right_by.empty() ? options.by : options.right_by;
    const column& at = detail::key_of(left, "left", options.on);
    const column& from = detail::key_of(right, "right", right_on);
    const auto is_time = [](kind k) { return k == kind::date || k == kind::timestamp; };
    for (const column* c : {&at, &from})
        if (!is_number(c->kind()) && !is_time(c->kind()))
            throw argument_error(message("on '", c == &at ? options.on : right_on, "' of ", to_string(c->kind()),
                                         "; expected numbers or times"));
    const bool some = at.null_count() != at.size() && from.null_count() != from.size();
    if (some && at.kind() != from.kind() && (is_time(at.kind()) || is_time(from.kind())))
        detail::refuse_keys(options.on, at.kind(), right_on, from.kind());
    if (at.null_count() != at.size()) detail::check_span(options.tolerance, at.kind(), "tolerance", options.on);
    if (options.tolerance.is_set() && !(options.tolerance.value() >= 0))
        throw argument_error(message("tolerance ", options.tolerance.value(), "; expected 0 or more"));

    detail::joint_ids ids;
    if (!right_by.empty())
        ids = detail::number_jointly(left, right, options.by, right_by, "by", options.threads, true);
    else
        detail::check_row_numbers(left.rows() + right.rows());
    const bool mixed = (at.kind() == kind::uint64) != (from.kind() == kind::uint64);
    const bool floats = is_float(at.kind()) || is_float(from.kind()) || mixed;
    growing<std::uint32_t> rows;
    if (!some)
        rows.append(left.rows(), detail::no_id);
    else
        rows = floats ? detail::asof_rows<double>(at, from, ids, options)
                      : detail::asof_rows<std::int64_t>(at, from, ids, options);
    const std::span<const std::uint32_t> list{rows.data(), rows.size()};
    const bool all = detail::names_all(list, options.threads);
    table joined = left;
    std::vector<std::string> dropped = right_by.list();
    dropped.push_back(right_on);
    detail::add_right_columns(joined, left, right, dropped, options.suffix,
                              [&](const column& c) { return detail::take_rows(c, list, all, options.threads); });
    return joined;
}

}  // namespace edge::frame
