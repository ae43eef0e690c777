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

/// Count, mean, std, min, 25%, 50%, 75% and max, a row each; a column of float64 for each column of numbers, and the
/// column `statistic` that names the rows.
[[nodiscard]] inline table describe(const table& t) {
    const std::vector<std::string> rows{"count", "mean", "std", "min", "25%", "50%", "75%", "max"};
    table summary{{"statistic", column(rows)}};
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        if (!is_number(t.columns()[c].kind())) continue;
        const table one{{"x", t.columns()[c]}};
        const table values = one.group_by().agg(count("x"), mean("x"), stddev("x"), min("x"), quantile("x", 0.25),
                                                quantile("x", 0.5), quantile("x", 0.75), max("x"));
        column_builder all(kind::float64);
        for (const column& value : values.columns()) all.append(convert(value, kind::float64));
        summary.add(t.names()[c] == "statistic" ? "statistic_1" : t.names()[c], all.finish());
    }
    return summary;
}

}  // namespace edge::frame
