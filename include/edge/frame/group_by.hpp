// SPDX-License-Identifier: MIT
#pragma once

/// @file Group-by: rows with equal keys, and what is computed of each group.
///
///     table g = t.group_by("sensor", "trip").agg(count(), mean("ax"), stddev("ax").as("shake"));
///     grouping by = t.group_by("sensor").ordered(group_order::first_seen);         // to be used again
///     by.ids()[row];                              // the row's group
///     for (std::uint32_t row : by.rows()[0]) …    // the first group's rows
///     table ax = by.collect("ts", "ax");          // the rows again, group after group
///
/// The result has a row for each group, in ascending order of the keys unless told otherwise. Rows whose key is missing or
/// NaN are a group too, the last one in ascending order. The bits of the result do not depend on the number of threads.

#include <edge/core/parallel.hpp>
#include <edge/frame/detail/aggregate_rows.hpp>
#include <edge/frame/detail/sums_by_key.hpp>
#include <edge/frame/sort.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace edge::frame {

enum class group_order : std::uint8_t {
    sorted,     ///< ascending by the keys
    first_seen  ///< as their first rows come
};

/// Rows of each group, in their order.
class group_rows {
public:
    group_rows(std::vector<std::uint32_t> begins, std::vector<std::uint32_t> rows)
        : begins_(std::move(begins)), rows_(std::move(rows)) {}

    [[nodiscard]] std::size_t groups() const noexcept { return begins_.size() - 1; }
    [[nodiscard]] std::span<const std::uint32_t> operator[](std::size_t group) const& noexcept {
        return std::span(rows_).subspan(begins_[group], begins_[group + 1] - begins_[group]);
    }
    void operator[](std::size_t) const&& = delete;  // of rows that are gone at the end of the line

    /// Where the rows of each group begin in `all()`, and the end of the last: groups() + 1 numbers.
    [[nodiscard]] std::span<const std::uint32_t> begins() const& noexcept { return begins_; }
    [[nodiscard]] std::span<const std::uint32_t> all() const& noexcept { return rows_; }

private:
    std::vector<std::uint32_t> begins_;
    std::vector<std::uint32_t> rows_;
};

/// Nothing is computed before it is asked for. What does not depend on the aggregates is kept for the next call; several
/// threads may ask.
class grouping {
public:
    /// @param keys  columns of any kind; with none, all rows are one group
    /// @throws argument_error  if one is not there, or is named twice
    grouping(table t, const std::vector<std::string>& keys);

    /// These groups, in another order.
    [[nodiscard]] grouping ordered(group_order order) const;

    /// @throws unsupported_error  as all below, of 2^32 - 1 rows or more
    [[nodiscard]] std::size_t groups() const { return found().size(); }

    /// The key columns, a row for each group.
    [[nodiscard]] table keys() const;

    /// Group of each row, below `groups()`.
    [[nodiscard]] std::span<const std::uint32_t> ids() const&;
    void ids() const&& = delete;  // of a grouping that is gone at the end of the line

    [[nodiscard]] group_rows rows() const;

    /// The rows, group after group: the keys and these columns.
    /// @throws argument_error  if a column is not there, or is named twice
    [[nodiscard]] table collect(const std::vector<std::string>& columns) const;
    template <std::convertible_to<std::string_view>... Names>
    [[nodiscard]] table collect(const Names&... columns) const {
        return collect(std::vector<std::string>{std::string(std::string_view(columns))...});
    }

    /// The keys and the aggregates, a row for each group; more of them with `largest` and `smallest`.
    /// @throws argument_error  if a column is not there or not of a kind to be aggregated so, or a name is taken
    [[nodiscard]] table agg(const std::vector<aggregate>& wanted, const parallel_options& threads = {}) const;
    template <std::same_as<aggregate>... Aggregates>
    [[nodiscard]] table agg(const Aggregates&... wanted) const {
        std::vector<aggregate> list;
        (list.push_back(wanted), ...);
        return agg(list);
    }

private:
    struct shared {
        std::mutex mutex;
        std::unique_ptr<detail::row_groups> groups;
        std::optional<detail::slot_list> found;  ///< those that have rows
        std::vector<std::uint32_t> ids;
    };

    detail::row_groups& slots_of_rows(const parallel_options& threads) const;
    [[nodiscard]] std::optional<detail::group_aggregates> sum_by_key(
        const std::shared_ptr<const detail::aggregate_plan>& plan, const parallel_options& threads) const;
    [[nodiscard]] const detail::slot_list& found() const;
    const detail::slot_list& find(const detail::group_aggregates* sizes) const;

    table table_;
    std::vector<std::string> keys_;
    group_order order_ = group_order::sorted;
    std::shared_ptr<shared> shared_ = std::make_shared<shared>();
};

inline grouping table::group_by(const std::vector<std::string>& keys) const { return grouping(*this, keys); }

template <std::convertible_to<std::string_view>... Names>
grouping table::group_by(const Names&... keys) const {
    return grouping(*this, std::vector<std::string>{std::string(std::string_view(keys))...});
}

inline grouping::grouping(table t, const std::vector<std::string>& keys) : table_(std::move(t)), keys_(keys) {
    (void)table_.select(keys);
}

inline grouping grouping::ordered(group_order order) const {
    grouping other(table_, keys_);
    other.order_ = order;
    return other;
}

/// With the mutex held, as the next ones.
inline detail::row_groups& grouping::slots_of_rows(const parallel_options& threads) const {
    if (shared_->groups == nullptr) {
        std::vector<column> keys;
        for (const std::string& key : keys_) keys.push_back(table_.column(key));
        shared_->groups = std::make_unique<detail::row_groups>(keys, table_.rows(), threads);
    }
    return *shared_->groups;
}

/// The slots and the aggregates at once, where that can be. @param plan  of a grouping by one column
inline std::optional<detail::group_aggregates> grouping::sum_by_key(
    const std::shared_ptr<const detail::aggregate_plan>& plan, const parallel_options& threads) const {
    const column& key = table_.column(keys_[0]);
    std::optional<detail::keyed_sums> found = detail::sums_by_key(key, plan, table_, threads);
    if (!found) return {};
    shared_->groups = std::make_unique<detail::row_groups>(detail::key_codes(key, found->keys), table_.rows(), threads);
    return std::move(found->states);
}

/// @param states  of all rows; of slots that all have rows they need not be known
inline const detail::slot_list& grouping::find(const detail::group_aggregates* states) const {
    if (shared_->found) return *shared_->found;
    const detail::row_groups& groups = *shared_->groups;
    if (order_ == group_order::first_seen) {
        std::vector<std::uint32_t> slots = groups.slots_as_seen();
        if (keys_.empty() && slots.empty()) slots.push_back(0);
        return shared_->found.emplace(std::move(slots));
    }
    if (!groups.is_direct() || keys_.empty()) return shared_->found.emplace(groups.slots());
    std::vector<std::uint32_t> slots;
    for (std::size_t s = 0; s < groups.slots(); ++s)
        if (states->sizes()[s] != 0) slots.push_back(static_cast<std::uint32_t>(s));
    return shared_->found.emplace(std::move(slots));
}

inline const detail::slot_list& grouping::found() const {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->found) return *shared_->found;
    const auto plan = std::make_shared<detail::aggregate_plan>(std::vector<aggregate>{}, table_);
    detail::row_groups& groups = slots_of_rows({});
    if (!groups.is_direct()) return find(nullptr);
    const detail::group_aggregates states = detail::aggregate_rows(groups, plan, table_, {});
    return find(&states);
}

inline table grouping::keys() const {
    const detail::slot_list& slots = found();
    return table(keys_, shared_->groups->keys(slots));
}

inline std::span<const std::uint32_t> grouping::ids() const& {
    const detail::slot_list& slots = found();
    const std::lock_guard lock(shared_->mutex);
    if (shared_->ids.size() == table_.rows()) return shared_->ids;
    std::vector<std::uint32_t> group_of(shared_->groups->slots());
    for (std::size_t g = 0; g < slots.size(); ++g) group_of[slots[g]] = static_cast<std::uint32_t>(g);
    shared_->ids.resize(table_.rows());
    shared_->groups->numbers(shared_->ids);
    for (std::uint32_t& id : shared_->ids) id = group_of[id];
    return shared_->ids;
}

inline group_rows grouping::rows() const {
    const detail::slot_list& slots = found();
    const std::lock_guard lock(shared_->mutex);
    shared_->groups->find_rows();
    const std::span<const std::uint32_t> places = shared_->groups->begins();
    std::vector<std::uint32_t> begins{0};
    std::vector<std::uint32_t> rows;
    begins.reserve(slots.size() + 1);
    rows.reserve(table_.rows());
    for (std::size_t g = 0; g < slots.size(); ++g) {
        const std::uint32_t s = slots[g];
        for (std::size_t i = places[s]; i < places[s + 1]; ++i) rows.push_back(shared_->groups->row_at(i));
        begins.push_back(static_cast<std::uint32_t>(rows.size()));
    }
    return {std::move(begins), std::move(rows)};
}

inline table grouping::collect(const std::vector<std::string>& columns) const {
    std::vector<std::string> names = keys_;
    names.insert(names.end(), columns.begin(), columns.end());
    const table chosen = table_.select(names);
    const group_rows by = rows();
    return take(chosen, std::vector<std::size_t>(by.all().begin(), by.all().end()));
}

namespace detail {

/// How many rows each group has in the result: as many as its longest list, and at least one.
[[nodiscard]] inline std::vector<std::size_t> list_lengths(const group_aggregates& all, const slot_list& slots) {
    std::vector<std::size_t> lengths(slots.size(), 1);
    const aggregate_plan& plan = all.plan();
    for (std::size_t s = 0; s < plan.states.size(); ++s) {
        if (plan.states[s].k == 0) continue;
        const auto& top = static_cast<const top_state&>(all.state(s));
        for (std::size_t g = 0; g < slots.size(); ++g) lengths[g] = (std::max)(lengths[g], top.values(slots[g]).size());
    }
    return lengths;
}

/// Column of the lists of aggregate `i`, one after the other, each with as many rows as its group has.
[[nodiscard]] inline column lists(const group_aggregates& all, std::size_t i, const slot_list& slots,
                                  std::span<const std::size_t> lengths) {
    const auto& top = static_cast<const top_state&>(all.state(all.plan().results[i].state));
    const kind k = all.plan().sources[all.plan().results[i].source].kind;
    std::vector<std::uint64_t> values;
    std::vector<bool> there;
    for (std::size_t g = 0; g < slots.size(); ++g) {
        const auto best = top.values(slots[g]);
        for (std::size_t n = 0; n < lengths[g]; ++n) {
            there.push_back(n < best.size());
            values.push_back(n < best.size() ? best[n] ^ top.flip() : 0);
        }
    }
    return column_of_ordered(
        k, values.size(), [&](std::size_t row) { return there[row]; }, [&](std::size_t row) { return values[row]; });
}

/// The keys and the columns of the aggregates, of which those without lists have a row for each group, as one table.
/// @param all  where there are lists
[[nodiscard]] inline table with_lists(const table& keys, const aggregate_plan& plan, const group_aggregates* all,
                                      std::vector<column> columns, const slot_list& slots) {
    table result = keys;
    if (!plan.has_lists()) {
        for (std::size_t i = 0; i < columns.size(); ++i) result.add(plan.wanted[i].result_name(), columns[i]);
        return result;
    }
    const std::vector<std::size_t> lengths = list_lengths(*all, slots);
    std::vector<std::size_t> group_of;
    for (std::size_t g = 0; g < slots.size(); ++g) group_of.insert(group_of.end(), lengths[g], g);
    if (!keys.names().empty()) result = take(keys, group_of);
    for (std::size_t i = 0; i < columns.size(); ++i)
        result.add(plan.wanted[i].result_name(),
                   plan.wanted[i].k != 0 ? lists(*all, i, slots, lengths) : take(columns[i], group_of));
    return result;
}

}  // namespace detail

inline table grouping::agg(const std::vector<aggregate>& wanted, const parallel_options& threads) const {
    const auto plan = std::make_shared<detail::aggregate_plan>(wanted, table_);
    const std::lock_guard lock(shared_->mutex);
    std::optional<detail::group_aggregates> states;
    if (shared_->groups == nullptr && keys_.size() == 1) states = sum_by_key(plan, threads);
    detail::row_groups& groups = slots_of_rows(threads);
    std::vector<column> columns;
    if (!states && detail::goes_by_slots(groups) && !plan->has_lists())
        columns = detail::results_by_slot(groups, plan, table_, threads);
    else if (!states)
        states.emplace(detail::aggregate_rows(groups, plan, table_, threads));
    const detail::slot_list& slots = find(states ? &*states : nullptr);
    if (!states && slots.is_list()) {
        std::vector<std::size_t> order(slots.size());
        for (std::size_t g = 0; g < order.size(); ++g) order[g] = slots[g];
        for (column& c : columns)
            if (c.size() != 0) c = take(c, order, threads);
    }
    columns.resize(wanted.size());
    detail::slot_values values;
    std::string values_of;  // the column they are of
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const aggregate& a = wanted[i];
        if (a.what == statistic::nunique) {
            columns[i] = detail::different_values(groups, table_.column(a.column), slots, threads);
        } else if (detail::is_of_all_values(a.what)) {
            const column& c = table_.column(a.column);
            if (values_of != a.column) values = detail::values_by_slot(groups, c, threads);
            values_of = a.column;
            columns[i] = detail::quantiles(values, c.kind(), slots, a.what == statistic::median ? 0.5 : a.q, threads);
        } else if (states && a.k == 0) {
            columns[i] = states->result(i, slots, a.column.empty() ? column() : table_.column(a.column), threads);
        }
    }
    return detail::with_lists(table(keys_, groups.keys(slots)), *plan, states ? &*states : nullptr, std::move(columns),
                              slots);
}

}  // namespace edge::frame
