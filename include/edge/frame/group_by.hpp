// SPDX-License-Identifier: MIT
#pragma once

/// @file Group-by: rows with equal keys, and what is computed of each group.
///
///     table g = t.group_by("sensor", "trip").agg(count(), mean("ax"), stddev("ax").as("shake"));
///     grouping by = t.group_by("sensor");         // to be used again
///     by.ids()[row];                              // the row's group
///
/// The result has a row for each group, in ascending order of the keys. Rows whose key is missing or NaN are a group too,
/// the last one. The bits of the result do not depend on the number of threads.

#include <edge/core/parallel.hpp>
#include <edge/frame/detail/moments.hpp>
#include <edge/frame/sort.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace edge::frame {

class grouping {
public:
    /// @param keys  columns of any kind; with none, all rows are one group
    /// @throws argument_error  if one is not there, or is named twice
    grouping(table t, const std::vector<std::string>& keys);

    [[nodiscard]] std::size_t groups() const noexcept { return groups_; }

    /// The key columns, a row for each group.
    [[nodiscard]] const table& keys() const& noexcept { return keys_; }

    /// Group of each row, below `groups()`.
    [[nodiscard]] std::span<const std::uint32_t> ids() const& noexcept { return ids_; }
    void ids() const&& = delete;  // of a grouping that is gone at the end of the line

    /// The keys and the aggregates, a row for each group.
    /// @throws argument_error  if a column is not there or not of a kind to be aggregated so, or a name is taken
    [[nodiscard]] table agg(const std::vector<aggregate>& wanted, const parallel_options& threads = {}) const;
    template <std::same_as<aggregate>... Aggregates>
    [[nodiscard]] table agg(const Aggregates&... wanted) const {
        std::vector<aggregate> list;
        (list.push_back(wanted), ...);
        return agg(list);
    }

private:
    [[nodiscard]] std::vector<std::optional<column>> moment_results(const std::vector<aggregate>& wanted,
                                                                    const parallel_options& threads) const;
    [[nodiscard]] column result(const aggregate& a) const;
    [[nodiscard]] column group_sizes() const;
    [[nodiscard]] column extreme_rows(const column& c, statistic what) const;
    [[nodiscard]] column quantiles(const column& c, double q) const;
    [[nodiscard]] column distinct(const column& c) const;

    table table_;
    table keys_;
    std::vector<std::uint32_t> ids_;
    std::size_t groups_ = 0;
};

inline grouping table::group_by(const std::vector<std::string>& keys) const { return grouping(*this, keys); }

template <std::convertible_to<std::string_view>... Names>
grouping table::group_by(const Names&... keys) const {
    return grouping(*this, std::vector<std::string>{std::string(std::string_view(keys))...});
}

namespace detail {

/// Whether the row counts: its value is there and is a number where it is a float.
[[nodiscard]] inline std::vector<bool> present(const column& c) {
    std::vector<bool> there(c.size());
    const bit_view valid = c.validity();
    for (std::size_t i = 0; i < there.size(); ++i) there[i] = valid[i];
    if (is_float(c.kind()))
        dispatch_stored(c.kind(), [&]<class T>() {
            const auto values = c.values<T>();
            for (std::size_t i = 0; i < there.size(); ++i) there[i] = there[i] && values[i] == values[i];
        });
    return there;
}

/// What lies at `part` of the way from a to b.
[[nodiscard]] inline double between(double a, double b, double part) noexcept {
    if (part == 0 || a == b) return a;  // also where they are infinite
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
}

/// Value at share q of `values`, which are reordered: between two of them where q falls between.
[[nodiscard]] inline double quantile_of(std::span<double> values, double q) {
    const double place = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(values.begin(), nth, values.end());
    const double part = place - static_cast<double>(below);
    if (part == 0) return *nth;  // there may be none after it
    return between(*nth, *std::min_element(nth + 1, values.end()), part);
}

}  // namespace detail

inline grouping::grouping(table t, const std::vector<std::string>& keys) : table_(std::move(t)) {
    const table chosen = table_.select(keys);
    detail::numbering n = detail::number_keys(chosen.columns(), table_.rows());
    ids_ = std::move(n.of_row);
    groups_ = n.rows.size();
    if (keys.empty()) return;
    const table unsorted = take(chosen, n.rows);
    std::vector<sort_key> by;
    for (const std::string& key : keys) by.push_back({key});
    const std::vector<std::size_t> order = sorted_rows(unsorted, by);
    keys_ = take(unsorted, order);
    std::vector<std::uint32_t> place(groups_);
    for (std::size_t i = 0; i < groups_; ++i) place[order[i]] = static_cast<std::uint32_t>(i);
    for (std::uint32_t& id : ids_) id = place[id];
}

inline table grouping::agg(const std::vector<aggregate>& wanted, const parallel_options& threads) const {
    for (const aggregate& a : wanted) {
        if (!a.column.empty())
            detail::check_kind(a, table_.column(a.column).kind(), a.column);
        else if (a.what != statistic::count)
            throw argument_error(message(a.function(), " of no column; expected the name of one"));
    }
    table result_table = keys_;
    const auto moments = moment_results(wanted, threads);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        result_table.add(wanted[i].result_name(), moments[i] ? *moments[i] : result(wanted[i]));
    return result_table;
}

/// Columns of those aggregates that running statistics give.
inline std::vector<std::optional<column>> grouping::moment_results(const std::vector<aggregate>& wanted,
                                                                   const parallel_options& threads) const {
    struct source {
        std::string name;
        column values;
        bool spread = false;
        std::vector<detail::moments> blocks = {};
    };
    std::vector<source> sources;
    std::vector<std::size_t> source_of(wanted.size(), no_row);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const aggregate& a = wanted[i];
        if (a.column.empty() || !detail::is_moment(a.what)) continue;
        const column& c = table_.column(a.column);
        const bool by_row = a.what == statistic::min || a.what == statistic::max || a.what == statistic::count;
        if (c.kind() == kind::string || (c.kind() == kind::boolean && by_row)) continue;
        const auto at =
            std::find_if(sources.begin(), sources.end(), [&](const source& s) { return s.name == a.column; });
        source_of[i] = static_cast<std::size_t>(at - sources.begin());
        if (at == sources.end()) sources.push_back({a.column, detail::booleans_as_numbers(c)});
        sources[source_of[i]].spread |= detail::is_spread(a.what);
    }

    // Rows are cut into blocks by their number alone, and the blocks are merged in order: the same bits for any number
    // of threads. With many groups the blocks' states would outgrow the rows, so then there is one block.
    constexpr std::size_t block_rows = std::size_t{1} << 18;
    const std::size_t rows = ids_.size();
    const std::size_t blocks = groups_ > block_rows / 64 || rows == 0 ? 1 : (rows + block_rows - 1) / block_rows;
    const std::size_t rows_each = blocks == 1 ? rows : block_rows;
    for (source& s : sources) s.blocks.assign(blocks, detail::moments(s.values.kind(), s.spread));
    parallel_for(static_cast<index_t>(sources.size() * blocks), threads, [&](index_t first, index_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            source& s = sources[i / blocks];
            const std::size_t begin = i % blocks * rows_each;
            s.blocks[i % blocks].resize(groups_);
            s.blocks[i % blocks].add(s.values, ids_, begin, (std::min)(begin + rows_each, rows));
        }
    });
    std::vector<std::uint32_t> same(groups_);
    std::vector<std::size_t> order(groups_);
    for (std::size_t i = 0; i < groups_; ++i) {
        same[i] = static_cast<std::uint32_t>(i);
        order[i] = i;
    }
    for (source& s : sources)
        for (std::size_t b = 1; b < blocks; ++b) s.blocks.front().merge(s.blocks[b], same);

    std::vector<std::optional<column>> results(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (source_of[i] != no_row) results[i] = sources[source_of[i]].blocks.front().result(wanted[i].what, order);
    return results;
}

inline column grouping::result(const aggregate& a) const {
    if (a.column.empty()) return group_sizes();
    const column& c = table_.column(a.column);
    switch (a.what) {
        case statistic::median: return quantiles(c, 0.5);
        case statistic::quantile: return quantiles(c, a.q);
        case statistic::nunique: return distinct(c);
        case statistic::count: {
            std::vector<std::int64_t> counts(groups_);
            for (std::size_t i = 0; i < ids_.size(); ++i)
                if (c.is_valid(i)) ++counts[ids_[i]];
            return column(std::move(counts));
        }
        default: return extreme_rows(c, a.what);
    }
}

inline column grouping::group_sizes() const {
    std::vector<std::int64_t> counts(groups_);
    for (const std::uint32_t id : ids_) ++counts[id];
    return column(std::move(counts));
}

/// First, last, least or greatest value of each group, found as a row.
inline column grouping::extreme_rows(const column& c, statistic what) const {
    std::vector<std::size_t> chosen(groups_, no_row);
    const std::vector<bool> there = detail::present(c);
    const auto choose = [&](auto&& replaces) {
        for (std::size_t row = 0; row < ids_.size(); ++row) {
            if (!there[row]) continue;
            std::size_t& at = chosen[ids_[row]];
            if (at == no_row || replaces(row, at)) at = row;
        }
    };
    const auto extreme = [&](auto&& key) {
        if (what == statistic::min)
            choose([&](std::size_t row, std::size_t at) { return key(row) < key(at); });
        else
            choose([&](std::size_t row, std::size_t at) { return key(at) < key(row); });
    };
    if (what == statistic::first)
        choose([](std::size_t, std::size_t) { return false; });
    else if (what == statistic::last)
        choose([](std::size_t, std::size_t) { return true; });
    else if (c.kind() == kind::string)
        extreme([&](std::size_t row) { return c.text(row); });
    else
        extreme([&](std::size_t row) { return c.boolean(row); });
    return take(c, chosen);
}

inline column grouping::quantiles(const column& c, double q) const {
    const std::vector<bool> there = detail::present(c);
    std::vector<std::size_t> end(groups_ + 1);  // of each group's values, once they are put in
    for (std::size_t row = 0; row < ids_.size(); ++row)
        if (there[row]) ++end[ids_[row] + 1];
    for (std::size_t g = 0; g < groups_; ++g) end[g + 1] += end[g];
    std::vector<double> values(end.back());
    dispatch_stored(c.kind(), [&]<class T>() {
        const auto from = c.values<T>();
        for (std::size_t row = 0; row < ids_.size(); ++row)
            if (there[row]) values[end[ids_[row]]++] = static_cast<double>(from[row]);
    });
    column_builder result(kind::float64);
    std::size_t begin = 0;
    for (std::size_t g = 0; g < groups_; ++g) {
        if (end[g] == begin)
            result.append_null();
        else
            result.append(detail::quantile_of(std::span(values).subspan(begin, end[g] - begin), q));
        begin = end[g];
    }
    return result.finish();
}

inline column grouping::distinct(const column& c) const {
    detail::numbering by_group;
    by_group.of_row = ids_;
    const detail::numbering values = detail::number_values(c);
    const detail::numbering pairs = detail::number_pairs(by_group, values);
    std::vector<std::int64_t> counts(groups_);
    for (const std::size_t row : pairs.rows) ++counts[ids_[row]];
    return column(std::move(counts));
}

}  // namespace edge::frame
