// SPDX-License-Identifier: MIT
#pragma once

/// @file Count, sum, mean, least, greatest and spread of one column for many groups at once.

#include <edge/frame/aggregate.hpp>
#include <edge/frame/column_builder.hpp>
#include <edge/frame/detail/keys.hpp>
#include <edge/frame/detail/running.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace edge::frame::detail {

/// Whether `moments` gives this statistic.
[[nodiscard]] constexpr bool is_moment(statistic s) noexcept { return s <= statistic::var; }
[[nodiscard]] constexpr bool is_spread(statistic s) noexcept { return s == statistic::std || s == statistic::var; }

/// @throws argument_error  if the statistic has no meaning for the kind; `name` is the column's
inline void check_kind(const aggregate& a, kind k, std::string_view name) {
    const bool any = a.what == statistic::count || a.what == statistic::min || a.what == statistic::max ||
                     a.what >= statistic::first;
    if (any || is_number(k)) return;
    if (k == kind::boolean && (a.what == statistic::sum || a.what == statistic::mean)) return;
    throw argument_error(message(a.function(), " of column '", name, "' of ", to_string(k), "; expected numbers"));
}

/// Booleans as 0 and 1, other columns as they are.
[[nodiscard]] inline column booleans_as_numbers(const column& c) {
    if (c.kind() != kind::boolean) return c;
    column_builder numbers(kind::int32);
    numbers.reserve(c.size());
    for (std::size_t i = 0; i < c.size(); ++i) {
        if (c.is_valid(i))
            numbers.append(std::int32_t{c.boolean(i)});
        else
            numbers.append_null();
    }
    return numbers.finish();
}

/// Kind of a statistic of a column of numbers or timestamps.
[[nodiscard]] constexpr kind result_kind(statistic what, kind of) noexcept {
    switch (what) {
        case statistic::count: return kind::int64;
        case statistic::sum: return is_float(of) ? kind::float64 : kind::int64;
        case statistic::min:
        case statistic::max: return of;
        default: return kind::float64;
    }
}

/// Fewer values than this have no such statistic.
[[nodiscard]] constexpr std::int64_t fewest_values(statistic what) noexcept {
    return what == statistic::count || what == statistic::sum ? 0 : is_spread(what) ? 2 : 1;
}

/// One row of a column of `result_kind`.
template <class W>
void append_statistic(column_builder& to, const running<W>& of, statistic what, std::int64_t fewest) {
    if (of.count < fewest) return to.append_null();
    switch (what) {
        case statistic::count: return to.append(of.count);
        case statistic::sum:
            if constexpr (std::is_integral_v<W>) return to.append(static_cast<std::int64_t>(of.exact));
            return to.append(of.sum());
        case statistic::mean: return to.append(of.sum() / static_cast<double>(of.count));
        case statistic::std: return to.append(std::sqrt(of.variance()));
        case statistic::var: return to.append(of.variance());
        default: break;
    }
    dispatch_stored(to.kind(),
                    [&]<class T>() { to.append(static_cast<T>(what == statistic::min ? of.least : of.greatest)); });
}

class moments {
public:
    /// @param spread  whether the standard deviation or variance will be asked for
    moments(kind k, bool spread) : kind_(k), spread_(spread) {
        if (is_float(k))
            groups_ = std::vector<running<double>>{};
        else
            groups_ = std::vector<running<std::int64_t>>{};
    }

    void resize(std::size_t groups) {
        std::visit([&](auto& of) { of.resize(groups); }, groups_);
    }

    /// Rows [begin, end) of a column of numbers or timestamps; row i belongs to group `ids[i]`.
    void add(const column& c, std::span<const std::uint32_t> ids, std::size_t begin, std::size_t end) {
        dispatch_stored(c.kind(), [&]<class T>() {
            auto& of = std::get<std::vector<running<wide<T>>>>(groups_);
            const auto rows = [&]<bool Spread>() {
                const T* values = c.values<T>().data();
                const bit_view valid = c.validity();
                const auto put = [&](std::size_t i) {
                    if (values[i] == values[i]) of[ids[i]].template add<Spread>(static_cast<wide<T>>(values[i]));
                };
                if (c.null_count() == 0) {
                    for (std::size_t i = begin; i < end; ++i) put(i);
                } else {
                    for (std::size_t i = begin; i < end; ++i)
                        if (valid[i]) put(i);
                }
            };
            if (spread_)
                rows.template operator()<true>();
            else
                rows.template operator()<false>();
        });
    }

    /// Group i of `other` joins group `to[i]` of this.
    void merge(const moments& other, std::span<const std::uint32_t> to) {
        std::visit(
            [&](auto& of) {
                const auto& others = std::get<std::remove_reference_t<decltype(of)>>(other.groups_);
                for (std::size_t i = 0; i < others.size(); ++i) of[to[i]].merge(others[i]);
            },
            groups_);
    }

    /// One row for each group, in the order given.
    [[nodiscard]] column result(statistic what, std::span<const std::size_t> order) const {
        column_builder values(result_kind(what, kind_));
        values.reserve(order.size());
        std::visit(
            [&](const auto& of) {
                for (const std::size_t group : order) append_statistic(values, of[group], what, fewest_values(what));
            },
            groups_);
        return values.finish();
    }

private:
    kind kind_;
    bool spread_;
    std::variant<std::vector<running<std::int64_t>>, std::vector<running<double>>> groups_;
};

}  // namespace edge::frame::detail
