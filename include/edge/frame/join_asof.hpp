// SPDX-License-Identifier: MIT
#pragma once

/// @file As-of join: to each row the row of another table that is nearest in time, on the side that is asked for.
///
///     table fused = join_asof(imu, gnss, {.on = "ts", .by = "vehicle", .tolerance = 50ms});
///     table next = join_asof(imu, gnss, {.on = "ts", .direction = asof::forward});
///
/// Every row of the left table stays, in its order, and gets the right table's other columns, missing where no row
/// matches. Neither table needs to be sorted; sorted ones are faster. Of right rows at the same time the one next to the
/// left row is taken: the last one looking backward, the first one looking forward. Missing keys and times match nothing.

#include <edge/frame/detail/joint_keys.hpp>
#include <edge/frame/sort.hpp>
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
    key_names by = {};              ///< columns that must be equal, in both tables
    time_span tolerance = {};       ///< greatest difference that still matches
    std::string suffix = "_right";  ///< for right columns whose name the left table has
    asof direction = asof::backward;
    bool exact = true;  ///< whether a row at the same time matches
    parallel_options threads = {};
};

namespace detail {

/// Rows of one table that can match, by time; equal times in the order of the rows.
/// @tparam T  int64 or double, in which both tables' times are compared
template <class T>
class asof_side {
public:
    asof_side(const column& c, std::span<const std::uint32_t> ids, const parallel_options& threads) {
        if (stored_kind(c.kind()) == kind_of<T>) {
            time = c.values<T>().data();
        } else {
            T* to = times_.extend(c.size());
            dispatch_stored(c.kind(), [&]<class S>() {
                const S* at = c.values<S>().data();
                for (std::size_t i = 0; i < c.size(); ++i) {
                    if constexpr (std::is_same_v<S, std::uint64_t> && std::is_integral_v<T>)
                        to[i] = static_cast<T>(at[i] ^ (std::uint64_t{1} << 63));  // down by 2^63: the same order
                    else
                        to[i] = static_cast<T>(at[i]);
                }
            });
            time = to;
        }
        id = ids.empty() ? nullptr : ids.data();
        size = c.size();
        if (c.null_count() == 0 && ascends(threads)) return;

        const sort_key by[] = {{"on"}};
        std::vector<std::size_t> order = sorted_rows(table{{"on", c}}, by, threads);
        const auto is_there = [&](std::size_t r) { return c.is_valid(r) && time[r] == time[r]; };
        while (!order.empty() && !is_there(order.back())) order.pop_back();  // they are sorted last
        size = order.size();
        growing<T> times;
        T* sorted_times = times.extend(size);
        std::uint32_t* sorted_ids = id == nullptr ? nullptr : ids_.extend(size);
        std::uint32_t* sorted_rows = rows_.extend(size);
        for (std::size_t i = 0; i < size; ++i) {
            sorted_times[i] = time[order[i]];
            if (id != nullptr) sorted_ids[i] = id[order[i]];
            sorted_rows[i] = static_cast<std::uint32_t>(order[i]);
        }
        times_ = std::move(times);
        time = sorted_times;
        id = sorted_ids;
        row = sorted_rows;
    }

    [[nodiscard]] std::uint32_t id_at(std::size_t i) const noexcept { return id == nullptr ? 0 : id[i]; }
    [[nodiscard]] std::uint32_t row_at(std::size_t i) const noexcept {
        return row == nullptr ? static_cast<std::uint32_t>(i) : row[i];
    }

    const T* time = nullptr;
    const std::uint32_t* id = nullptr;   ///< none where there are no keys
    const std::uint32_t* row = nullptr;  ///< none where the rows are in order
    std::size_t size = 0;

private:
    /// Also false where a time is NaN.
    [[nodiscard]] bool ascends(const parallel_options& threads) const {
        std::atomic<bool> all{size == 0 || time[0] == time[0]};
        parallel_for(static_cast<index_t>(size) - 1, by_rows(threads), [&](index_t first, index_t last) {
            bool same = true;
            const T* t = time;
            for (index_t i = first; i < last; ++i) same &= t[i] <= t[i + 1];
            if (!same) all.store(false, std::memory_order_relaxed);
        });
        return all.load();
    }

    growing<T> times_;
    growing<std::uint32_t> ids_;
    growing<std::uint32_t> rows_;
};

/// Places in the right table for rows of the left one, or `no_id`.
template <class T, bool Forward>
growing<std::uint32_t> asof_places(const asof_side<T>& left, const asof_side<T>& right, std::size_t groups,
                                   const asof_options& o) {
    growing<std::uint32_t> found;
    std::uint32_t* to = found.extend(left.size);
    const auto is_before = [exact = o.exact](T r, T l) {  // whether the right row may match the left one
        return Forward ? (exact ? r >= l : r > l) : (exact ? r <= l : r < l);
    };
    const auto is_near = [&o](T l, T r) {
        if constexpr (std::is_integral_v<T>) {  // as unsigned: the difference of two int64 can be 2^64 - 1
            const auto a = static_cast<std::uint64_t>(Forward ? r : l);
            return a - static_cast<std::uint64_t>(Forward ? l : r) <= static_cast<std::uint64_t>(o.tolerance.ticks());
        } else {
            return l == r || (Forward ? r - l : l - r) <= o.tolerance.value();
        }
    };
    // Looking forward, both tables are gone through from their ends.
    const auto from_end = [](std::size_t size, std::size_t i) { return Forward ? size - 1 - i : i; };
    parallel_for(static_cast<index_t>(left.size), by_rows(o.threads), [&](index_t first, index_t last) {
        const auto begin = static_cast<std::size_t>(first);
        std::vector<std::uint32_t> latest(groups, no_id);
        // How many right rows come before the first left one; of each group, the last of them.
        std::size_t low = 0;
        std::size_t next = right.size;
        const T start = left.time[from_end(left.size, begin)];
        while (low < next) {
            const std::size_t middle = low + (next - low) / 2;
            if (is_before(right.time[from_end(right.size, middle)], start))
                low = middle + 1;
            else
                next = middle;
        }
        std::size_t missing = groups;
        for (std::size_t i = next; i-- > 0 && missing != 0;) {
            const std::size_t r = from_end(right.size, i);
            if (o.tolerance.is_set() && !is_near(start, right.time[r])) break;
            const std::uint32_t g = right.id_at(r);
            if (g == no_id || latest[g] != no_id) continue;
            latest[g] = static_cast<std::uint32_t>(r);
            --missing;
        }
        for (auto k = begin; k < static_cast<std::size_t>(last); ++k) {
            const std::size_t l = from_end(left.size, k);
            const T at = left.time[l];
            for (; next < right.size; ++next) {
                const std::size_t r = from_end(right.size, next);
                if (!is_before(right.time[r], at)) break;
                const std::uint32_t g = right.id_at(r);
                if (g != no_id) latest[g] = static_cast<std::uint32_t>(r);
            }
            const std::uint32_t g = left.id_at(l);
            std::uint32_t match = g == no_id ? no_id : latest[g];
            if (match != no_id && o.tolerance.is_set() && !is_near(at, right.time[match])) match = no_id;
            to[l] = match;
        }
    });
    return found;
}

/// For each left row the right row that matches, or `no_id`.
template <class T>
growing<std::uint32_t> asof_rows(const column& left, const column& right, const joint_ids& ids, const asof_options& o) {
    const asof_side<T> l(left, ids.left(), o.threads);
    const asof_side<T> r(right, ids.right(), o.threads);
    growing<std::uint32_t> places = o.direction == asof::forward ? asof_places<T, true>(l, r, ids.groups, o)
                                                                 : asof_places<T, false>(l, r, ids.groups, o);
    if (o.direction == asof::nearest) {
        const growing<std::uint32_t> after = asof_places<T, true>(l, r, ids.groups, o);
        for (std::size_t i = 0; i < l.size; ++i) {
            if (after[i] == no_id) continue;
            if (places[i] == no_id) {
                places[i] = after[i];
                continue;
            }
            const T at = l.time[i];
            const T b = r.time[places[i]];
            const T a = r.time[after[i]];
            if constexpr (std::is_integral_v<T>) {
                const auto now = static_cast<std::uint64_t>(at);
                if (static_cast<std::uint64_t>(a) - now < now - static_cast<std::uint64_t>(b)) places[i] = after[i];
            } else if (b != at && a - at < at - b) {
                places[i] = after[i];
            }
        }
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
/// @throws argument_error  if a column is not there or of the wrong kind, or the tolerance is negative or a duration
///                         where `on` holds no timestamps
[[nodiscard]] inline table join_asof(const table& left, const table& right, const asof_options& options) {
    const column& at = left.column(options.on);
    const column& from = right.column(options.on);
    const auto is_time = [](kind k) { return k == kind::date || k == kind::timestamp; };
    for (const column* c : {&at, &from})
        if (!is_number(c->kind()) && !is_time(c->kind()))
            throw argument_error(
                message("on '", options.on, "' of ", to_string(c->kind()), "; expected numbers or times"));
    const bool some = at.null_count() != at.size() && from.null_count() != from.size();
    if (some && at.kind() != from.kind() && (is_time(at.kind()) || is_time(from.kind())))
        throw argument_error(message("on '", options.on, "' is ", to_string(at.kind()), " on the left and ",
                                     to_string(from.kind()), " on the right"));
    if (at.null_count() != at.size()) detail::check_span(options.tolerance, at.kind(), "tolerance", options.on);
    if (options.tolerance.is_set() && !(options.tolerance.value() >= 0))
        throw argument_error(message("tolerance ", options.tolerance.value(), "; expected 0 or more"));

    detail::joint_ids ids{{}, 0, 1};
    if (!options.by.empty())
        ids = detail::number_jointly(left, right, options.by, options.threads);
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
    std::vector<std::string> dropped = options.by.list();
    dropped.push_back(options.on);
    detail::add_right_columns(joined, left, right, dropped, options.suffix,
                              [&](const column& c) { return detail::take_rows(c, list, all, options.threads); });
    return joined;
}

}  // namespace edge::frame
