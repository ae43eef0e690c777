// SPDX-License-Identifier: MIT
#pragma once

/// @file Tumbling windows: one after the other, each row in one of them.
///
///     t.add("second", tumbling(t.column("ts"), 1'000'000'000));           // start of the row's second
///     table per_second = t.group_by("second").agg(stddev("ax"));

#include <edge/frame/column_builder.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace edge::frame {

/// Start of the window that each row falls in: windows of `width`, one after the other, one of which starts at 0.
/// @param at     integers or timestamps; missing where they are
/// @param width  in units of the column, nanoseconds for timestamps; above 0
/// @return       of the kind of `at`, but int64 for int32
/// @throws argument_error  if `at` is of another kind, the width is not above 0, or a window starts before all int64
[[nodiscard]] inline column tumbling(const column& at, std::int64_t width) {
    if (width <= 0) throw argument_error(message("windows of ", width, "; expected more than 0"));
    if (at.kind() != kind::int32 && at.kind() != kind::int64 && at.kind() != kind::timestamp)
        throw argument_error(message("windows over ", to_string(at.kind()), "; expected integers or timestamps"));
    column_builder starts(at.kind() == kind::timestamp ? kind::timestamp : kind::int64);
    starts.reserve(at.size());
    dispatch_stored(at.kind(), [&]<class T>() {
        const auto values = at.values<T>();
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!at.is_valid(i)) {
                starts.append_null();
                continue;
            }
            const auto value = static_cast<std::int64_t>(values[i]);
            std::int64_t past = value % width;
            if (past < 0) past += width;
            if (value < (std::numeric_limits<std::int64_t>::min)() + past)
                throw argument_error(message("row ", i, ": the window of ", value, " starts before all int64"));
            starts.append(value - past);
        }
    });
    return starts.finish();
}

}  // namespace edge::frame
