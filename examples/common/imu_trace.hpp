// SPDX-License-Identifier: MIT
#pragma once

/// @file A recording of an inertial sensor from a CSV file, whatever its author called the columns.
///
///     const edge::imu::trace recording = read_imu_trace("drive.csv");
///     std::cerr << describe(recording) << '\n';            // "6616 rows, 90.1 Hz, 72.8 s; 1 gap, …"
///
/// Recognized from the header, with a time column t, time, time_s, timestamp_seconds, timestamp or ts, or none:
///
/// | columns                                                          | units              |
/// |------------------------------------------------------------------|--------------------|
/// | ax ay az gx gy gz [temp]                                         | m/s², rad/s, °C    |
/// | the same with ts: a log of edge_imu                              | m/s², °/s, °C      |
/// | raw_acceleration_{x,y,z}_gs raw_angular_rate_{x,y,z}_deg_per_s [temperature_celsius] | g, °/s, °C |
/// | accel_{x,y,z} gyro_{x,y,z} [temp], whole numbers                 | counts at ±2 g, ±250 °/s |
///
/// Numbers in ts are nanoseconds, in the other time columns seconds. Anything else needs names and units from the user.

#include "common/numbers.hpp"

#include <edge/frame/csv.hpp>
#include <edge/imu/trace.hpp>

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct imu_trace_options {
    std::vector<std::string> columns =
        {};  ///< time, 3 × acceleration, 3 × rate [, temperature]; "-" for no time; empty: recognized
    std::string accel_unit = {};   ///< m/s2, g or raw; empty: recognized, m/s2 with columns given
    std::string gyro_unit = {};    ///< rad/s, deg/s or raw; empty: recognized, rad/s with columns given
    double rate_hz = 100;          ///< where there is no time
    bool hold = false;             ///< each row holds until the next; counts always do
    double close_gaps_over_s = 1;  ///< longer holes in the time are closed; 0: none
};

namespace detail {

struct imu_scheme {
    std::array<const char*, 3> accel, gyro;
    const char* temperature;
    const char* accel_unit;
    const char* gyro_unit;
};

inline constexpr imu_scheme imu_schemes[] = {
    {{"ax", "ay", "az"}, {"gx", "gy", "gz"}, "temp", "m/s2", "rad/s"},
    {{"raw_acceleration_x_gs", "raw_acceleration_y_gs", "raw_acceleration_z_gs"},
     {"raw_angular_rate_x_deg_per_s", "raw_angular_rate_y_deg_per_s", "raw_angular_rate_z_deg_per_s"},
     "temperature_celsius",
     "g",
     "deg/s"},
    {{"accel_x", "accel_y", "accel_z"}, {"gyro_x", "gyro_y", "gyro_z"}, "temp", "raw", "raw"},
};

inline constexpr const char* imu_time_names[] = {"t", "time", "time_s", "timestamp_seconds", "timestamp", "ts"};

/// Seconds since the first row.
inline std::vector<double> imu_seconds(const edge::frame::table& t, const std::string& name,
                                       const std::string& source) {
    if (t.has(name) && t.column(name).size() > 0) {
        const auto& c = t.column(name);
        const bool is_timestamp = c.kind() == edge::frame::kind::timestamp;
        if ((is_timestamp || (name == "ts" && c.kind() == edge::frame::kind::int64)) && c.null_count() == 0) {
            const auto ns = c.values<std::int64_t>();
            std::vector<double> seconds(ns.size());
            // Differences first: a double cannot hold nanoseconds since 1970.
            for (std::size_t i = 0; i < ns.size(); ++i)
                seconds[i] = static_cast<double>(static_cast<std::int64_t>(static_cast<std::uint64_t>(ns[i]) -
                                                                           static_cast<std::uint64_t>(ns[0]))) *
                             1e-9;
            return seconds;
        }
    }
    return numbers(t, name, source);
}

}  // namespace detail

/// @throws edge::io_error        if the file cannot be read
/// @throws edge::parse_error     if it is no table, is no recording of an inertial sensor, or its time goes back
/// @throws edge::argument_error  if the options name a column or unit that does not exist
[[nodiscard]] inline edge::imu::trace read_imu_trace(const std::string& path, const imu_trace_options& options = {}) {
    const edge::frame::table table = edge::frame::read_csv(path);

    std::string time, temperature, accel_unit, gyro_unit;
    std::array<std::string, 3> accel, gyro;
    if (!options.columns.empty()) {
        const auto& c = options.columns;
        if (c.size() != 7 && c.size() != 8)
            throw edge::argument_error(
                edge::message(c.size(), " trace columns; expected time,ax,ay,az,gx,gy,gz[,temperature]"));
        time = c[0] == "-" ? "" : c[0];
        accel = {c[1], c[2], c[3]};
        gyro = {c[4], c[5], c[6]};
        if (c.size() == 8) temperature = c[7];
        accel_unit = "m/s2";
        gyro_unit = "rad/s";
    } else {
        for (const char* name : detail::imu_time_names)
            if (time.empty() && table.has(name)) time = name;
        for (const auto& s : detail::imu_schemes) {
            bool all = true;
            for (const auto& group : {s.accel, s.gyro})
                for (const char* name : group) all = all && table.has(name);
            if (!all) continue;
            accel = {s.accel[0], s.accel[1], s.accel[2]};
            gyro = {s.gyro[0], s.gyro[1], s.gyro[2]};
            if (table.has(s.temperature)) temperature = s.temperature;
            accel_unit = s.accel_unit;
            gyro_unit = accel[0] == "ax" && time == "ts" ? "deg/s" : s.gyro_unit;
            break;
        }
        if (accel_unit.empty())
            throw edge::parse_error(
                edge::message(path,
                              ": no columns of an accelerometer and a gyroscope; expected "
                              "ax,ay,az,gx,gy,gz or raw_acceleration_x_gs,... or accel_x,...,gyro_z"));
        if (accel_unit == "raw" && options.accel_unit.empty() && table.rows() > 0 &&
            table.column(accel[0]).kind() != edge::frame::kind::int64)
            throw edge::parse_error(
                edge::message(path, ": column '", accel[0], "' does not hold whole numbers; its unit has to be given"));
    }
    if (!options.accel_unit.empty()) accel_unit = options.accel_unit;
    if (!options.gyro_unit.empty()) gyro_unit = options.gyro_unit;

    const edge::imu::trace_options raw = edge::imu::raw_counts();
    edge::imu::trace_options how;
    how.rate_hz = options.rate_hz;
    how.close_gaps_over_s = options.close_gaps_over_s;
    if (accel_unit == "g")
        how.accel_to_mps2 = edge::imu::standard_gravity;
    else if (accel_unit == "raw")
        how.accel_to_mps2 = raw.accel_to_mps2;
    else if (accel_unit != "m/s2")
        throw edge::argument_error(edge::message("unit of acceleration '", accel_unit, "'; expected m/s2, g or raw"));
    if (gyro_unit == "deg/s")
        how.gyro_to_rad_s = 0.017453292519943295;
    else if (gyro_unit == "raw")
        how.gyro_to_rad_s = raw.gyro_to_rad_s;
    else if (gyro_unit != "rad/s")
        throw edge::argument_error(
            edge::message("unit of angular rate '", gyro_unit, "'; expected rad/s, deg/s or raw"));
    const bool counts = accel_unit == "raw";
    if (counts) {
        how.temperature_scale = raw.temperature_scale;
        how.temperature_offset = raw.temperature_offset;
    }
    if (counts || options.hold) how.between = edge::imu::interpolation::hold;

    std::vector<double> values[8];
    if (!time.empty()) values[0] = detail::imu_seconds(table, time, path);
    for (std::size_t i = 0; i < 3; ++i) {
        values[1 + i] = numbers(table, accel[i], path);
        values[4 + i] = numbers(table, gyro[i], path);
    }
    if (!temperature.empty()) values[7] = numbers(table, temperature, path);

    const auto made = edge::imu::trace::from({.time = values[0],
                                              .accel = {values[1], values[2], values[3]},
                                              .gyro = {values[4], values[5], values[6]},
                                              .temperature = values[7]},
                                             how);
    if (made) return *made;
    const auto& problem = made.error();
    if (problem.what == edge::imu::trace_problem::bad_options)
        throw edge::argument_error(edge::message("trace: ", to_string(problem.what)));
    if (problem.what == edge::imu::trace_problem::time_goes_back)
        throw edge::parse_error(edge::message(path, ": column '", time, "', row ", problem.row,
                                              " (from 0): the time is not later than in the row before"));
    throw edge::parse_error(edge::message(path, ": ", to_string(problem.what)));
}

/// One line for people: rows, rate, length, and what is not as it should be.
[[nodiscard]] inline std::string describe(const edge::imu::trace& t) {
    char text[96];
    std::snprintf(text, sizeof text, "%zu rows, %.4g Hz, %.1f s", t.rows(), t.rate_hz(), t.duration());
    std::string line = text;
    if (!t.gaps().empty()) {
        const auto* longest = &t.gaps()[0];
        for (const auto& g : t.gaps())
            if (g.seconds > longest->seconds) longest = &g;
        std::snprintf(text, sizeof text, "; %zu gap%s, the longest %.1f s before row %zu (from 0)", t.gaps().size(),
                      t.gaps().size() == 1 ? "" : "s", longest->seconds, longest->row);
        line += text;
    }
    if (t.missing() > 0) line += edge::message("; ", t.missing(), " missing values");
    return line;
}
