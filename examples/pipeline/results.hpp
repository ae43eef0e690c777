// SPDX-License-Identifier: MIT
#pragma once

/// @file What a run of the pipeline found: filled by the stages, read by the report and the summary.

#include "pipeline/history.hpp"
#include "pipeline/motion.hpp"

#include <edge/geo/polygon.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pipeline {

/// How long one call of a stage took, and how much went through it.
struct stage_time {
    std::string name;
    std::string per;  ///< what one call handles: a sample, a chunk, a window
    std::uint64_t calls = 0;
    std::uint64_t rows = 0;
    double p50_us = 0;
    double p95_us = 0;
    double p99_us = 0;
    double max_us = 0;
    double busy_s = 0;  ///< of all calls together

    [[nodiscard]] double rows_per_s() const { return busy_s > 0 ? static_cast<double>(rows) / busy_s : 0; }
};

struct zone_visit {
    std::string name;
    edge::geo::polygon outline;
    double seconds = 0;
};

struct results {
    std::string source;
    std::string model;
    std::string folder;
    double rate_hz = 0;
    double seconds = 0;  ///< of sensor time
    double wall_s = 0;
    std::uint64_t samples = 0;
    std::uint64_t lost = 0;  ///< overwritten before they were read, or refused by the bus
    std::uint64_t saturated = 0;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t windows = 0;
    double window_s = 1;
    bool has_positions = false;
    std::array<double, motion_states> seconds_in_state{};
    std::optional<double> agreement;  ///< share of windows whose state is the scenario's truth; simulated drives only
    double rms_accel = 0;             ///< m/s², gravity included
    double peak_gyro = 0;             ///< °/s
    double mean_temperature = 0;      ///< °C
    std::vector<zone_visit> zones;
    double seconds_outside = 0;  ///< with a position, near no zone
    std::vector<stage_time> stages;
    history seen{1024};

    [[nodiscard]] double speed() const { return wall_s > 0 ? seconds / wall_s : 0; }
};

/// The content of summary.json.
[[nodiscard]] inline nlohmann::ordered_json summary(const results& r) {
    nlohmann::ordered_json out;
    out["source"] = r.source;
    out["model"] = r.model;
    out["folder"] = r.folder;
    out["rate_hz"] = r.rate_hz;
    out["seconds"] = r.seconds;
    out["wall_s"] = r.wall_s;
    out["times_real_time"] = r.speed();
    out["samples"] = r.samples;
    out["lost"] = r.lost;
    out["saturated"] = r.saturated;
    out["files"] = r.files;
    out["bytes"] = r.bytes;
    out["windows"] = r.windows;
    out["window_s"] = r.window_s;
    out["rms_accel_m_s2"] = r.rms_accel;
    out["peak_gyro_deg_s"] = r.peak_gyro;
    out["mean_temperature_c"] = r.mean_temperature;
    for (std::size_t i = 0; i < motion_states; ++i) out["states"][motion_state_names[i]] = r.seconds_in_state[i];
    out["agreement"] = r.agreement ? nlohmann::ordered_json(*r.agreement) : nlohmann::ordered_json(nullptr);
    out["has_positions"] = r.has_positions;
    out["zones"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < r.zones.size(); ++i)
        out["zones"].push_back({{"index", i}, {"name", r.zones[i].name}, {"seconds", r.zones[i].seconds}});
    out["seconds_outside_zones"] = r.seconds_outside;
    out["stages"] = nlohmann::ordered_json::array();
    for (const auto& s : r.stages)
        out["stages"].push_back({{"name", s.name},
                                 {"per", s.per},
                                 {"calls", s.calls},
                                 {"rows", s.rows},
                                 {"p50_us", s.p50_us},
                                 {"p95_us", s.p95_us},
                                 {"p99_us", s.p99_us},
                                 {"max_us", s.max_us},
                                 {"rows_per_s", s.rows_per_s()}});
    return out;
}

}  // namespace pipeline
