// SPDX-License-Identifier: MIT
#pragma once

/// @file Right rows that are nearest in time to left ones: what an as-of join is made of.

#include <edge/frame/detail/row_ids.hpp>
#include <edge/frame/sort.hpp>
#include <edge/frame/time_span.hpp>
#include <edge/simd/unrolled.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Rows of one table by time.
/// @tparam T  int64 or double, in which both tables' times are compared
template <class T>
struct asof_times {
    const T* time = nullptr;
    const std::uint32_t* id = nullptr;   ///< none where there are no keys
    const std::uint32_t* row = nullptr;  ///< none where the rows are in order
    std::size_t size = 0;
};

/// Rows of one table that can match, by time; equal times in the order of the rows.
template <class T>
class asof_side : public asof_times<T> {
public:
    using asof_times<T>::time, asof_times<T>::id, asof_times<T>::row, asof_times<T>::size;

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

    [[nodiscard]] std::uint32_t row_at(std::size_t i) const noexcept {
        return row == nullptr ? static_cast<std::uint32_t>(i) : row[i];
    }

private:
    /// Also false where a time is NaN.
    [[nodiscard]] bool ascends(const parallel_options& threads) const {
        std::atomic<bool> all{size == 0 || time[0] == time[0]};
        parallel_for(static_cast<index_t>(size) - 1, by_rows(threads), [&](index_t first, index_t last) {
            constexpr index_t block = 1024;
            const T* const t = time;
            for (index_t begin = first; begin < last; begin += block) {
                const index_t end = (std::min)(begin + block, last);
                std::int64_t ascents = 0;  // as wide as a time, for vectors
                for (index_t i = begin; i < end; ++i) ascents += t[i] <= t[i + 1] ? 1 : 0;
                if (ascents != end - begin) return all.store(false, std::memory_order_relaxed);
            }
        });
        return all.load();
    }

    growing<T> times_;
    growing<std::uint32_t> ids_;
    growing<std::uint32_t> rows_;
};

/// A stretch of both tables in the order of time, which ends with a left row. Looking forward, rows are counted from the
/// ends of the tables.
struct asof_stretch {
    std::size_t left;       ///< next row
    std::size_t right;      ///< next row
    std::size_t left_end;   ///< where the next stretch begins
    std::size_t right_end;  ///< likewise
    std::uint32_t* latest;  ///< the last right row so far: without a key, of group 0, of group 1 …

    [[nodiscard]] std::size_t steps() const noexcept { return left_end - left + right_end - right; }
};

/// What an as-of join of two sides looks for.
struct asof_rule {
    std::size_t groups;
    std::uint32_t least;    ///< id of the first group
    bool some_without_key;  ///< whether an id is `no_id`
    bool exact;             ///< whether a row at the same time matches
    const time_span& tolerance;
    const parallel_options& threads;
};

/// Places in the right table for rows of the left one, or `no_id`.
///
/// One pass over both tables in the order of time remembers the last right row of each group. Which table the next row is
/// from cannot be predicted, so no branch depends on it, and a thread goes through several stretches at once: while the
/// next row of one is found, so are those of the others.
template <class T, bool Forward>
class asof_search {
public:
    asof_search(const asof_times<T>& left, const asof_times<T>& right, const asof_rule& rule)
        : left_(left), right_(right), rule_(rule) {}

    [[nodiscard]] growing<std::uint32_t> places() const {
        growing<std::uint32_t> found;
        std::uint32_t* const to = found.extend(left_.size);
        // Left rows after all right ones are not gone through: so a next right row is always there.
        const std::size_t last = right_.size == 0 ? 0 : first_where(left_.size, [&](std::size_t l) {
            return is_before(right_time(right_.size - 1), left_time(l));
        });
        const std::size_t rows = last + rights_before(last);
        const int parts = parts_for(static_cast<index_t>(left_.size + rows), by_rows(rule_.threads));
        const std::size_t slots = rule_.groups + 1;
        const std::size_t each = rows / static_cast<std::size_t>(parts) / 16 > slots ? at_once : 1;
        const std::size_t count = static_cast<std::size_t>(parts) * each;
        // Of nothing, of each stretch, and of what comes after the last of them.
        std::vector<std::uint32_t> latest((count + 2) * slots, no_id);
        std::vector<asof_stretch> stretches(count);
        for (std::size_t s = count, end = last; s-- > 0;) {
            const std::size_t begin = s == 0 ? 0 : (std::min)(end, left_at(rows / count * s));
            stretches[s] = {begin, rights_before(begin), end, rights_before(end), latest.data() + (s + 1) * slots};
            end = begin;
        }
        const auto mine = [&](int part) {
            return std::span(stretches).subspan(static_cast<std::size_t>(part) * each, each);
        };
        parallel_parts(parts, [&](int part) {
            std::vector<asof_stretch> at(mine(part).begin(), mine(part).end());
            if (each == at_once) go<at_once>(at.data(), to);
            for (asof_stretch& s : at) go<1>(&s, to);
        });
        std::uint32_t* const after = latest.data() + (count + 1) * slots;
        for (std::size_t r = rights_before(last); r < right_.size; ++r)
            after[slot(right_, place(right_, r))] = static_cast<std::uint32_t>(place(right_, r));
        for (std::size_t i = slots; i < latest.size(); ++i)  // of all until the end of each
            if (latest[i] == no_id) latest[i] = latest[i - slots];
        parallel_parts(parts, [&](int part) {
            for (const asof_stretch& s : mine(part)) settle(s.left, s.left_end, s.latest - slots, to);
            const auto [first, end] = partition(static_cast<index_t>(left_.size - last), parts, part);
            const std::size_t begin = last + static_cast<std::size_t>(first);
            for (std::size_t l = begin; l < last + static_cast<std::size_t>(end); ++l) to[place(left_, l)] = no_id;
            settle(begin, last + static_cast<std::size_t>(end), after, to);
        });
        return found;
    }

private:
    static constexpr int at_once = 4;

    [[nodiscard]] static std::size_t place(const asof_times<T>& side, std::size_t i) noexcept {
        return Forward ? side.size - 1 - i : i;
    }
    [[nodiscard]] std::uint32_t slot(const asof_times<T>& side, std::size_t at) const noexcept {
        return side.id == nullptr ? 0 : side.id[at] - rule_.least + 1;  // of `no_id` 0
    }
    [[nodiscard]] T left_time(std::size_t i) const noexcept { return left_.time[place(left_, i)]; }
    [[nodiscard]] T right_time(std::size_t i) const noexcept { return right_.time[place(right_, i)]; }

    /// Whether a right row may match a left one, as far as the order goes.
    [[nodiscard]] bool is_before(T r, T l) const noexcept {
        const unsigned before = Forward ? r > l : r < l;
        const unsigned same = r == l;
        return (before | (same & unsigned{rule_.exact})) != 0;
    }
    [[nodiscard]] bool is_near(T l, T r) const {
        if constexpr (std::is_integral_v<T>) {  // as unsigned: the difference of two int64 can be 2^64 - 1
            const auto a = static_cast<std::uint64_t>(Forward ? r : l);
            return a - static_cast<std::uint64_t>(Forward ? l : r) <=
                   static_cast<std::uint64_t>(rule_.tolerance.ticks());
        } else {
            return l == r || (Forward ? r - l : l - r) <= rule_.tolerance.value();
        }
    }

    /// The least number for which `is_past` holds, of all from which on it does; `count` if there is none.
    template <class IsPast>
    [[nodiscard]] static std::size_t first_where(std::size_t count, const IsPast& is_past) {
        std::size_t low = 0;
        while (low < count) {
            const std::size_t middle = low + (count - low) / 2;
            if (is_past(middle))
                count = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    /// How many right rows come before the last of the first left rows.
    [[nodiscard]] std::size_t rights_before(std::size_t lefts) const {
        if (lefts == 0) return 0;
        return first_where(right_.size,
                           [&, at = left_time(lefts - 1)](std::size_t r) { return !is_before(right_time(r), at); });
    }

    /// How many left rows are among the first rows of both tables, nearly.
    [[nodiscard]] std::size_t left_at(std::size_t rows) const {
        return first_where(left_.size, [&](std::size_t l) { return l + rights_before(l) >= rows; });
    }

    /// Goes through `Count` stretches until one of them ends.
    template <int Count>
    void go(asof_stretch* stretches, std::uint32_t* to) const {
        asof_stretch at[Count];
        std::copy_n(stretches, Count, at);
        std::size_t steps = at[0].steps();
        for (const asof_stretch& s : at) steps = (std::min)(steps, s.steps());
        const asof_search here = *this;  // whose members no store through `to` changes
        for (std::size_t step = 0; step < steps; ++step)
            simd::unrolled<Count>([&](auto k) {
                asof_stretch& s = at[k];
                const std::size_t l = place(here.left_, s.left);
                const std::size_t r = place(here.right_, s.right);
                const std::uint32_t is_right = here.is_before(here.right_.time[r], here.left_.time[l]);
                const std::uint32_t mask = 0U - is_right;
                const std::uint32_t of_left = here.slot(here.left_, l);
                std::uint32_t& latest = s.latest[of_left ^ ((of_left ^ here.slot(here.right_, r)) & mask)];
                latest ^= (latest ^ static_cast<std::uint32_t>(r)) & mask;
                to[l] = latest;  // of a right row: written again until it is the left row's turn
                s.right += is_right;
                s.left += 1 - is_right;
            });
        std::copy_n(at, Count, stretches);
    }

    /// What is left to do for left rows [first, last): those of groups without a right row in their stretch, and what the
    /// rule says of keys and tolerance.
    /// @param before  the last right rows before the stretch
    void settle(std::size_t first, std::size_t last, const std::uint32_t* before, std::uint32_t* to) const {
        constexpr std::size_t block = 64;
        const bool has_more = rule_.some_without_key || rule_.tolerance.is_set();
        for (; first < last; first += (std::min)(block, last - first)) {
            const std::size_t end = (std::min)(last, first + block);
            const std::uint32_t* const some = to + (std::min)(place(left_, first), place(left_, end - 1));
            std::uint32_t largest = 0;
            for (std::size_t i = 0; i < end - first; ++i) largest = (std::max)(largest, some[i]);
            if (largest != no_id && !has_more) continue;
            for (std::size_t i = first; i < end; ++i) {
                const std::size_t l = place(left_, i);
                std::uint32_t match = to[l];
                if (match == no_id) match = before[slot(left_, l)];
                if (rule_.some_without_key && left_.id[l] == no_id) match = no_id;
                if (rule_.tolerance.is_set() && match != no_id && !is_near(left_.time[l], right_.time[match]))
                    match = no_id;
                to[l] = match;
            }
        }
    }

    asof_times<T> left_;
    asof_times<T> right_;
    asof_rule rule_;
};

}  // namespace edge::frame::detail
