// SPDX-License-Identifier: MIT
#pragma once

/// @file Which statistics there are of which kinds of column, and of what kind they are.

#include <edge/frame/aggregate.hpp>
#include <edge/frame/column_builder.hpp>

#include <cstddef>
#include <string_view>

namespace edge::frame::detail {

/// @throws argument_error  if the statistic has no meaning for the kind; `name` is the column's
inline void check_kind(const aggregate& a, kind k, std::string_view name) {
    const bool top = a.what == statistic::largest || a.what == statistic::smallest;
    const bool any = a.what == statistic::count || a.what == statistic::min || a.what == statistic::max ||
                     (a.what >= statistic::first && a.what < statistic::largest) || (top && k != kind::string);
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

/// Kind of a count, sum, least or greatest value, or a mean and the like, of a column of numbers or times.
[[nodiscard]] constexpr kind result_kind(statistic what, kind of) noexcept {
    switch (what) {
        case statistic::count: return kind::int64;
        case statistic::sum: return is_float(of) ? kind::float64 : of == kind::uint64 ? of : kind::int64;
        case statistic::min:
        case statistic::max: return of;
        default: return kind::float64;
    }
}

}  // namespace edge::frame::detail
