// SPDX-License-Identifier: MIT
#pragma once

/// @file Table: named columns of one length, in an order.
///
///     table t;
///     t.add("ts", column::timestamps(ts));
///     t.add("ax", column(ax));
///     const auto x = t.column("ax").values<float>();
///     table last = t.select("ts", "ax").slice(t.rows() - 10, 10);
///
/// A table holds no values itself: copies, selections and slices share the columns' memory.

#include <edge/frame/dictionary.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

class grouping;  // group_by.hpp

class table {
public:
    table() = default;

    /// @throws argument_error  as `add`
    table(std::initializer_list<std::pair<std::string, frame::column>> columns) {
        for (const auto& [name, values] : columns) add(name, values);
    }

    /// Many columns at once. O(n log n), where n times `add` is O(n²).
    /// @throws argument_error  if there are not as many names as columns, or as `add`
    table(std::vector<std::string> names, std::vector<frame::column> columns);

    /// @throws argument_error  if the name is taken, or the column is not as long as the others
    void add(std::string name, frame::column values) {
        if (find(name)) throw argument_error(message("column '", name, "' is there already"));
        if (!columns_.empty() && values.size() != rows())
            throw argument_error(message("column '", name, "' has ", values.size(), " rows; expected ", rows()));
        names_.push_back(std::move(name));
        columns_.push_back(std::move(values));
    }

    [[nodiscard]] std::size_t rows() const noexcept { return columns_.empty() ? 0 : columns_.front().size(); }
    [[nodiscard]] std::span<const frame::column> columns() const noexcept { return columns_; }
    [[nodiscard]] std::span<const std::string> names() const noexcept { return names_; }
    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name).has_value(); }

    /// @throws argument_error  if there is none of that name; the message names those that exist
    [[nodiscard]] const frame::column& column(std::string_view name) const { return columns_[index(name)]; }

    /// Place of a column in the order.
    /// @throws argument_error  as `column`
    [[nodiscard]] std::size_t index(std::string_view name) const;

    /// These columns, in this order.
    /// @throws argument_error  if one is not there, or is named twice
    [[nodiscard]] table select(const std::vector<std::string>& names) const {
        table chosen;
        for (const std::string& name : names) chosen.add(name, column(name));
        return chosen;
    }
    template <std::convertible_to<std::string_view>... Names>
    [[nodiscard]] table select(const Names&... names) const {
        return select(std::vector<std::string>{std::string(std::string_view(names))...});
    }

    /// With this column too, or in place of the one of that name.
    /// @throws argument_error  if it is not as long as the others
    [[nodiscard]] table with(std::string name, frame::column values) const;

    /// Without these columns.
    /// @throws argument_error  if one is not there
    [[nodiscard]] table drop(const std::vector<std::string>& names) const;
    template <std::convertible_to<std::string_view>... Names>
    [[nodiscard]] table drop(const Names&... names) const {
        return drop(std::vector<std::string>{std::string(std::string_view(names))...});
    }

    /// With another name for one column.
    /// @throws argument_error  if it is not there, or the new name is taken
    [[nodiscard]] table rename(std::string_view from, std::string to) const;

    /// `count` rows from `first` on; shares the memory.
    /// @throws argument_error  if there are fewer
    [[nodiscard]] table slice(std::size_t first, std::size_t count) const {
        table part;
        part.names_ = names_;
        part.columns_.reserve(columns_.size());
        for (const auto& c : columns_) part.columns_.push_back(c.slice(first, count));
        return part;
    }

    /// The first `count` rows, or all where there are fewer.
    [[nodiscard]] table head(std::size_t count) const { return slice(0, (std::min)(count, rows())); }

    /// The last `count` rows, or all where there are fewer.
    [[nodiscard]] table tail(std::size_t count) const {
        const std::size_t kept = (std::min)(count, rows());
        return slice(rows() - kept, kept);
    }

    /// Rows with equal values in these columns, to be aggregated: `t.group_by("k").agg(mean("x"))`. In group_by.hpp.
    [[nodiscard]] grouping group_by(const std::vector<std::string>& keys) const;
    template <std::convertible_to<std::string_view>... Names>
    [[nodiscard]] grouping group_by(const Names&... keys) const;

private:
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept {
        const auto it = std::find(names_.begin(), names_.end(), name);
        if (it == names_.end()) return std::nullopt;
        return static_cast<std::size_t>(it - names_.begin());
    }

    std::vector<std::string> names_;
    std::vector<frame::column> columns_;
};

inline table::table(std::vector<std::string> names, std::vector<frame::column> columns)
    : names_(std::move(names)), columns_(std::move(columns)) {
    if (names_.size() != columns_.size())
        throw argument_error(message(names_.size(), " names for ", columns_.size(), " columns"));
    for (std::size_t i = 0; i < columns_.size(); ++i)
        if (columns_[i].size() != rows())
            throw argument_error(
                message("column '", names_[i], "' has ", columns_[i].size(), " rows; expected ", rows()));
    std::vector<std::string_view> sorted(names_.begin(), names_.end());
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) throw argument_error(message("column '", *twice, "' is there already"));
}

inline table table::with(std::string name, frame::column values) const {
    table changed = *this;
    const auto place = find(name);
    if (!place) {
        changed.add(std::move(name), std::move(values));
        return changed;
    }
    if (columns_.size() > 1 && values.size() != rows())
        throw argument_error(message("column '", name, "' has ", values.size(), " rows; expected ", rows()));
    changed.columns_[*place] = std::move(values);
    return changed;
}

inline table table::drop(const std::vector<std::string>& names) const {
    std::vector<bool> dropped(columns_.size());
    for (const std::string& name : names) dropped[index(name)] = true;
    table kept;
    for (std::size_t i = 0; i < columns_.size(); ++i)
        if (!dropped[i]) kept.add(names_[i], columns_[i]);
    return kept;
}

inline table table::rename(std::string_view from, std::string to) const {
    const std::size_t place = index(from);
    if (const auto taken = find(to); taken && *taken != place)
        throw argument_error(message("column '", to, "' is there already"));
    table renamed = *this;
    renamed.names_[place] = std::move(to);
    return renamed;
}

inline std::size_t table::index(std::string_view name) const {
    if (const auto i = find(name)) return *i;
    constexpr std::size_t most = 20;
    std::string known;
    for (std::size_t i = 0; i < (std::min)(most, names_.size()); ++i) known += (i == 0 ? "" : ", ") + names_[i];
    if (names_.size() > most) known += message(" and ", names_.size() - most, " more");
    throw argument_error(message("no column '", name, "'; there are: ", known.empty() ? "none" : known));
}

namespace detail {

/// Where `to` holds all values of `from`: each of `c`, whether there or not, as what `to` stores.
inline buffer converted_values(const column& c, kind to) {
    growing_values out;
    if (to == kind::float64) {
        double* values = out.extend<double>(c.size());
        dispatch_stored(c.kind(), [&]<class From>() {
            for (const From value : c.values<From>()) *values++ = static_cast<double>(value);
        });
        return out.finish();
    }
    // Over int64, whose bits are right for uint64 as well: a loop for each type there and back, not for each pair.
    std::vector<std::int64_t> wide;
    wide.reserve(c.size());
    dispatch_stored(c.kind(), [&]<class From>() {
        for (const From value : c.values<From>()) wide.push_back(static_cast<std::int64_t>(value));
    });
    constexpr std::int64_t ns_per_day = 86'400'000'000'000;
    constexpr std::int64_t most_days = (std::numeric_limits<std::int64_t>::max)() / ns_per_day;
    for (std::size_t i = 0; c.kind() == kind::date && i < wide.size(); ++i) {
        const bool fits = wide[i] >= -most_days && wide[i] <= most_days;
        if (!fits && c.is_valid(i))
            throw argument_error(message("row ", i, ": day ", wide[i], " is beyond what a timestamp holds"));
        wide[i] = fits ? wide[i] * ns_per_day : 0;
    }
    dispatch_stored(to, [&]<class To>() {
        To* values = out.extend<To>(c.size());
        for (const std::int64_t value : wide) *values++ = static_cast<To>(value);
    });
    return out.finish();
}

}  // namespace detail

/// Numbers and times as a kind that holds them all; a column without any value as any kind.
/// @throws argument_error  if it is neither
[[nodiscard]] inline column convert(const column& c, kind to) {
    if (c.kind() == to) return c;
    if (c.null_count() == c.size()) return column::missing(to, c.size());
    if (common_kind(c.kind(), to) != to)
        throw argument_error(message("a column of ", to_string(c.kind()), " does not become one of ", to_string(to)));
    growing_bits validity;
    if (c.null_count() != 0) validity.append(c.validity());
    return column(to, c.size(), validity.finish(), detail::converted_values(c, to));
}

/// The rows of all, one table after the other: `concat({a, b})`. All must have columns of the same names, which come in
/// the first table's order; their kinds must have one that holds both, and a column without any value fits every kind.
/// @throws argument_error  if they do not; the message names the table and the column
[[nodiscard]] inline table concat(std::span<const table> parts) {
    if (parts.empty()) return {};
    if (parts.size() == 1) return parts.front();
    const table& first = parts.front();
    for (std::size_t p = 1; p < parts.size(); ++p)
        if (parts[p].names().size() != first.names().size())
            throw argument_error(message("table ", p, " has ", parts[p].names().size(), " columns; expected ",
                                         first.names().size(), " as the first"));
    table all;
    for (std::size_t c = 0; c < first.names().size(); ++c) {
        const std::string& name = first.names()[c];
        std::size_t rows = 0;
        std::optional<kind> wanted;
        std::vector<column> converted;
        for (std::size_t p = 0; p < parts.size(); ++p) {
            const bool is_in_place = parts[p].names()[c] == name;
            if (!is_in_place && !parts[p].has(name))
                throw argument_error(message("table ", p, " has no column '", name, "' as the first"));
            converted.push_back(is_in_place ? parts[p].columns()[c] : parts[p].column(name));
            const column& part = converted.back();
            rows += part.size();
            if (part.null_count() == part.size()) continue;
            const auto both = common_kind(wanted.value_or(part.kind()), part.kind());
            if (!both)
                throw argument_error(message("table ", p, ": column '", name, "' is of ", to_string(part.kind()),
                                             "; expected ", to_string(*wanted), " as before"));
            wanted = both;
        }
        bool is_encoded = true;
        for (column& part : converted) {
            part = convert(part, wanted.value_or(first.columns()[c].kind()));
            is_encoded = is_encoded && part.is_dictionary();
        }
        if (is_encoded) {
            all.add(name, detail::concat_encoded(converted));
            continue;
        }
        column_builder values(converted.front().kind());
        values.reserve(rows);
        for (const column& part : converted) values.append(part);
        all.add(name, values.finish());
    }
    return all;
}
[[nodiscard]] inline table concat(std::initializer_list<table> parts) {
    return concat(std::span(parts.begin(), parts.size()));
}

}  // namespace edge::frame
