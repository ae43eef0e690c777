// SPDX-License-Identifier: MIT
#pragma once

/// @file A table at a glance: eight statistics of each column of numbers.
///
///     write_csv("summary.csv", describe(t));
///     // statistic,ax,ay …
///     // count,1000.0,998.0 …

#include <edge/frame/group_by.hpp>

#include <string>
#include <vector>

namespace edge::frame {

namespace detail {

[[nodiscard]] inline std::vector<std::string> described_statistics() {
    return {"count", "mean", "std", "min", "25%", "50%", "75%", "max"};
}

/// Name of a column's statistics, beside the column that names the rows.
[[nodiscard]] inline std::string described_name(const std::string& name) {
    return name == "statistic" ? "statistic_1" : name;
}

}  // namespace detail

/// Count, mean, std, min, 25%, 50%, 75% and max, a row each; a column of float64 for each column of numbers, and the
/// column `statistic` that names the rows.
[[nodiscard]] inline table describe(const table& t) {
    table summary{{"statistic", column(detail::described_statistics())}};
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        if (!is_number(t.columns()[c].kind())) continue;
        const table one{{"x", t.columns()[c]}};
        const table values = one.group_by().agg(count("x"), mean("x"), stddev("x"), min("x"), quantile("x", 0.25),
                                                quantile("x", 0.5), quantile("x", 0.75), max("x"));
        column_builder all(kind::float64);
        for (const column& value : values.columns()) all.append(convert(value, kind::float64));
        summary.add(detail::described_name(t.names()[c]), all.finish());
    }
    return summary;
}

}  // namespace edge::frame
