// SPDX-License-Identifier: MIT
#pragma once

/// @file Samples as rows of a table: the columns of the log.
///
///     const edge::frame::table rows = pipeline::to_table(readings);
///
/// ts (timestamp, ns, UTC) · ax ay az (float32, m/s²) · gx gy gz (float32, °/s) · temp (float32, °C) ·
/// x y (float32, m; missing but for one row a second)

#include "pipeline/source.hpp"

#include <edge/frame/table.hpp>

#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace pipeline {

[[nodiscard]] inline edge::frame::table to_table(std::span<const reading> readings) {
    using edge::frame::column_builder;
    using edge::frame::kind;
    const std::size_t n = readings.size();
    column_builder ts(kind::timestamp);
    const auto times = ts.extend<std::int64_t>(n);
    for (std::size_t i = 0; i < n; ++i) times[i] = readings[i].ts_ns;

    edge::frame::table t;
    t.add("ts", ts.finish());
    const auto add = [&](const char* name, auto&& value) {
        column_builder builder(kind::float32);
        const auto values = builder.extend<float>(n);
        for (std::size_t i = 0; i < n; ++i) values[i] = value(readings[i]);
        t.add(name, builder.finish());
    };
    constexpr std::array<const char*, 3> accel = {"ax", "ay", "az"};
    constexpr std::array<const char*, 3> gyro = {"gx", "gy", "gz"};
    for (std::size_t k = 0; k < 3; ++k) add(accel[k], [k](const reading& r) { return r.values.accel_mps2[k]; });
    for (std::size_t k = 0; k < 3; ++k) add(gyro[k], [k](const reading& r) { return r.values.gyro_dps[k]; });
    add("temp", [](const reading& r) { return r.values.temperature_c; });

    const auto add_position = [&](const char* name, float reading::*place) {
        column_builder builder(kind::float32);
        builder.reserve(n);
        for (const reading& r : readings) {
            if (std::isfinite(r.*place)) {
                builder.append(r.*place);
            } else {
                builder.append_null();
            }
        }
        t.add(name, builder.finish());
    };
    add_position("x", &reading::x);
    add_position("y", &reading::y);
    return t;
}

}  // namespace pipeline
