// SPDX-License-Identifier: MIT
#pragma once

/// @file From samples to windows: one row of figures for each second, and what the motion model sees of them.
///
///     const auto windows = pipeline::summarize(samples, {.origin_ns = first, .rate_hz = 200});
///     const auto features = pipeline::features_of(windows);              // [windows, 9]

#include "pipeline/motion.hpp"

#include <edge/frame/group_by.hpp>
#include <edge/frame/table.hpp>
#include <edge/simd.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace pipeline {

struct window_options {
    std::int64_t origin_ns = 0;  ///< where window 0 begins
    std::int64_t length_ns = 1'000'000'000;
    double rate_hz = 200;  ///< of the samples
};

/// The samples of one row of `summarize`, at least: fewer say nothing about frequency.
inline constexpr std::int64_t fewest_samples = 8;

namespace detail {

inline edge::tensor_view<const float> values(const edge::frame::table& t, const char* name) {
    return edge::view(t.column(name).values<float>());
}

inline edge::frame::column to_column(const edge::tensor<float>& values) {
    return edge::frame::column(std::vector<float>(values.begin(), values.end()));
}

/// Length of the vector with these three columns, row by row.
inline edge::tensor<float> length(const edge::frame::table& t, const char* x, const char* y, const char* z) {
    const auto a = values(t, x);
    const auto b = values(t, y);
    const auto c = values(t, z);
    return edge::eval(edge::sqrt(a * a + b * b + c * c));
}

/// Rate of change per second; missing in the first row.
inline edge::frame::column slope(edge::tensor_view<const float> v, double rate_hz) {
    edge::frame::column_builder out(edge::frame::kind::float32);
    if (v.empty()) return out.finish();
    out.append_null();
    const auto n = v.size();
    const edge::tensor<float> change =
        edge::eval((v.slice(0, 1, n) - v.slice(0, 0, n - 1)) * static_cast<float>(rate_hz));
    out.append_values<float>(change.flat());
    return out.finish();
}

inline constexpr std::array<const char*, 6> inertial = {"ax", "ay", "az", "gx", "gy", "gz"};

}  // namespace detail

/// One row a window, in order of time: `window`, `samples`, least and greatest of each signal (`ax_min`, `ax_max` …),
/// `temp_mean`, mean position `x`, `y`, and the figures that `features_of` is made from.
///
/// @param samples  columns ts (timestamp), ax ay az (m/s²), gx gy gz (°/s), temp (°C), x y (m, may be missing)
[[nodiscard]] inline edge::frame::table summarize(const edge::frame::table& samples, const window_options& options) {
    using namespace edge::frame;
    table t = samples;
    const auto ts = samples.column("ts").values<std::int64_t>();
    std::vector<std::int64_t> window(ts.size());
    for (std::size_t i = 0; i < ts.size(); ++i) window[i] = (ts[i] - options.origin_ns) / options.length_ns;
    t.add("window", column(std::move(window)));

    const auto accel = detail::length(samples, "ax", "ay", "az");
    const auto gyro = detail::length(samples, "gx", "gy", "gz");
    t.add("accel", detail::to_column(accel));
    t.add("accel2", detail::to_column(edge::eval(accel * accel)));
    t.add("gyro", detail::to_column(gyro));
    for (const char* name : detail::inertial)
        t.add(std::string("d") + name, detail::slope(detail::values(samples, name), options.rate_hz));

    std::vector<aggregate> wanted = {count("ts").as("samples"),
                                     stddev("accel").as("accel_std"),
                                     min("accel").as("accel_min"),
                                     max("accel").as("accel_max"),
                                     mean("accel").as("accel_mean"),
                                     mean("accel2").as("accel2_mean"),
                                     mean("gyro").as("gyro_mean"),
                                     max("gyro").as("gyro_max"),
                                     mean("temp").as("temp_mean"),
                                     mean("x").as("x"),
                                     mean("y").as("y")};
    for (const char* name : {"ax", "ay", "az", "gx", "gy", "gz", "temp"}) {
        wanted.push_back(min(name).as(std::string(name) + "_min"));
        wanted.push_back(max(name).as(std::string(name) + "_max"));
    }
    for (const char* name : detail::inertial) {
        wanted.push_back(stddev(name).as(std::string(name) + "_std"));
        wanted.push_back(stddev(std::string("d") + name).as(std::string(name) + "_slope"));
    }
    return t.group_by("window").agg(wanted, {.threads = 1});  // a few thousand rows: less than starting threads
}

/// The features of each window, as `motion_feature_names` says.
/// @return  [windows, motion_features]; a window with too few samples has those of a sensor at rest
[[nodiscard]] inline edge::tensor<float> features_of(const edge::frame::table& windows) {
    const auto rows = static_cast<edge::index_t>(windows.rows());
    edge::tensor<float> out({rows, static_cast<edge::index_t>(motion_features)});
    const auto at = [&](const std::string& name, edge::index_t row) {
        const auto& c = windows.column(name);
        const auto i = static_cast<std::size_t>(row);
        if (!c.is_valid(i)) return 0.0;
        return c.kind() == edge::frame::kind::float32 ? static_cast<double>(c.values<float>()[i])
                                                      : c.values<double>()[i];
    };
    const auto spread = [&](const char* a, const char* b, const char* c, const char* what, edge::index_t row) {
        double sum = 0;
        for (const char* name : {a, b, c}) {
            const double s = at(std::string(name) + what, row);
            sum += s * s;
        }
        return std::sqrt(sum);
    };
    // The floors are the noise of the sensor: below them the logarithm would only amplify it.
    const auto log_above = [](double v, double floor) { return static_cast<float>(std::log10((std::max)(v, floor))); };
    for (edge::index_t r = 0; r < rows; ++r) {
        const double a_spread = spread("ax", "ay", "az", "_std", r);
        const double w_spread = spread("gx", "gy", "gz", "_std", r);
        const double a_slope = spread("ax", "ay", "az", "_slope", r);
        const double w_slope = spread("gx", "gy", "gz", "_slope", r);
        constexpr double gravity = 9.80665;
        out(r, 0) = log_above(at("accel_std", r), 0.01);
        out(r, 1) = log_above(at("accel_max", r) - at("accel_min", r), 0.03);
        out(r, 2) = static_cast<float>((std::min)(std::abs(at("accel_mean", r) - gravity), 20.0));
        out(r, 3) = log_above(a_spread, 0.02);
        out(r, 4) = log_above(a_slope / (std::max)(a_spread, 0.02), 0.1);
        out(r, 5) = log_above(at("gyro_mean", r), 0.1);
        out(r, 6) = log_above(at("gyro_max", r), 0.1);
        out(r, 7) = log_above(w_spread, 0.05);
        out(r, 8) = log_above(w_slope / (std::max)(w_spread, 0.05), 0.1);
    }
    return out;
}

}  // namespace pipeline
