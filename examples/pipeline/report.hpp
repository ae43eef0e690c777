// SPDX-License-Identifier: MIT
#pragma once

/// @file report.html: one page that opens offline, drawn from the results of a run.

#include "common/page.hpp"
#include "common/svg.hpp"
#include "pipeline/results.hpp"

#include <edge/core/version.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace pipeline {

namespace detail {

using page::card;
using page::count;
using page::key;

inline constexpr std::array<const char*, 3> axis_colors = {"#4477aa", "#ee6677", "#228833"};
inline constexpr std::array<const char*, motion_states> state_colors = {"#228833", "#4477aa", "#ee6677"};
inline constexpr std::array<const char*, 8> zone_colors = {"#66ccee", "#ccbb44", "#aa3377", "#228833",
                                                           "#4477aa", "#ee7733", "#bbbbbb", "#009988"};

/// Seconds as a person says them.
inline std::string duration(double seconds) {
    if (seconds < 120) return svg::number(seconds, 1) + " s";
    if (seconds < 7200) return svg::number(seconds / 60, 1) + " min";
    return svg::number(seconds / 3600, 1) + " h";
}

struct time_axis {
    svg::axis axis;
    double per_unit;  ///< seconds
};

inline time_axis time_axis_of(const results& r) {
    const double end = r.seen.entries().empty() ? 1 : r.seen.entries().back().end_s;
    if (end < 300) return {{0, end, "s", true}, 1};
    if (end < 7200) return {{0, end / 60, "min", true}, 60};
    return {{0, end / 3600, "h", true}, 3600};
}

/// The range of some signals over time, one band each.
inline std::string signal_plot(const results& r, std::string_view title, std::span<const std::size_t> which,
                               std::string_view unit) {
    const auto time = time_axis_of(r);
    const auto& entries = r.seen.entries();
    std::vector<double> t;
    std::vector<std::vector<double>> low(which.size());
    std::vector<std::vector<double>> high(which.size());
    std::vector<double> all;
    for (const auto& e : entries) {
        t.push_back((e.start_s + e.end_s) / 2 / time.per_unit);
        for (std::size_t i = 0; i < which.size(); ++i) {
            low[i].push_back(e.low[which[i]]);
            high[i].push_back(e.high[which[i]]);
            all.push_back(e.low[which[i]]);
            all.push_back(e.high[which[i]]);
        }
    }
    svg::plot plot(960, 190, time.axis, svg::axis::around(all, std::string(unit)));
    std::string keys;
    for (std::size_t i = 0; i < which.size(); ++i) {
        plot.envelope(t, low[i], high[i], axis_colors[i % axis_colors.size()]);
        keys += key(axis_colors[i % axis_colors.size()], signal_names[which[i]]);
    }
    return "<h2>" + std::string(title) + "</h2>" + keys + plot.str();
}

inline std::string state_timeline(const results& r) {
    const auto time = time_axis_of(r);
    svg::plot plot(960, 70, time.axis, {0, 1, "", false}, {56, 30, 6, 24});
    const auto& entries = r.seen.entries();
    for (std::size_t i = 0; i < entries.size();) {
        std::size_t j = i + 1;
        while (j < entries.size() && entries[j].main_state() == entries[i].main_state()) ++j;
        const auto state = entries[i].main_state();
        plot.block(entries[i].start_s / time.per_unit, entries[j - 1].end_s / time.per_unit, 0, 1, state_colors[state],
                   edge::message(motion_state_names[state], ", ", svg::number(entries[i].start_s), " s to ",
                                 svg::number(entries[j - 1].end_s), " s"));
        i = j;
    }
    std::string keys;
    for (std::size_t i = 0; i < motion_states; ++i)
        keys += key(state_colors[i], edge::message(motion_state_names[i], " ", duration(r.seconds_in_state[i])));
    return "<h2>Motion state</h2>" + keys + plot.str();
}

inline std::string feature_plots(const results& r) {
    const auto time = time_axis_of(r);
    const auto& entries = r.seen.entries();
    std::vector<double> t;
    for (const auto& e : entries) t.push_back((e.start_s + e.end_s) / 2 / time.per_unit);
    std::string out = "<h2>What the model sees of each window</h2>";
    for (std::size_t f = 0; f < motion_features; ++f) {
        std::vector<double> y;
        for (const auto& e : entries) y.push_back(e.features[f]);
        svg::plot plot(960, 86, time.axis, svg::axis::around(y, motion_feature_names[f], 0.15), {56, 30, 6, 18});
        plot.curve(t, y, axis_colors[0]);
        out += plot.str();
    }
    return out;
}

/// Zones and track, with equal scales on both axes.
inline std::string map(const results& r) {
    if (!r.has_positions)
        return "<h2>Track and zones</h2><p>This recording has no positions, so no zone was matched.</p>";
    std::vector<double> xs;
    std::vector<double> ys;
    std::vector<double> all_x;
    std::vector<double> all_y;
    for (const auto& e : r.seen.entries()) {
        xs.push_back(e.x);
        ys.push_back(e.y);
    }
    all_x = xs;
    all_y = ys;
    for (const auto& z : r.zones)
        for (const auto& p : z.outline.ring_vertices(0)) {
            all_x.push_back(p.x);
            all_y.push_back(p.y);
        }
    svg::axis x = svg::axis::around(all_x, "m");
    svg::axis y = svg::axis::around(all_y, "m");
    constexpr double width = 960;
    constexpr double height = 520;
    const svg::margins m;
    const double per_pixel =
        (std::max)((x.high - x.low) / (width - m.left - m.right), (y.high - y.low) / (height - m.top - m.bottom));
    const auto widen = [per_pixel](svg::axis& a, double pixels) {
        const double extra = (per_pixel * pixels - (a.high - a.low)) / 2;
        a.low -= extra;
        a.high += extra;
    };
    widen(x, width - m.left - m.right);
    widen(y, height - m.top - m.bottom);
    svg::plot plot(width, height, x, y);
    for (std::size_t i = 0; i < r.zones.size(); ++i) {
        const auto& z = r.zones[i];
        std::vector<double> zx;
        std::vector<double> zy;
        for (const auto& p : z.outline.ring_vertices(0)) {
            zx.push_back(p.x);
            zy.push_back(p.y);
        }
        plot.polygon(zx, zy, zone_colors[i % zone_colors.size()], edge::message(z.name, ": ", duration(z.seconds)));
    }
    plot.curve(xs, ys, "#7a8594", 1);
    std::string keys;
    for (std::size_t i = 0; i < motion_states; ++i) keys += key(state_colors[i], motion_state_names[i]);
    for (const auto& e : r.seen.entries()) {
        if (!std::isfinite(e.x)) continue;
        const auto state = e.main_state();
        plot.dot(e.x, e.y, 2.2, state_colors[state],
                 edge::message(svg::number(e.start_s), " s: ", motion_state_names[state]));
    }
    for (const auto& z : r.zones) {
        plot.label(z.outline.centre().x, z.outline.bounds().high.y, z.name, "middle", -5);
    }
    return "<h2>Track and zones</h2>" + keys + plot.str();
}

inline std::string zone_table(const results& r) {
    std::string out = "<div class=\"scroll\"><table><tr><th>zone</th><th>area m²</th><th>time</th></tr>";
    for (const auto& z : r.zones)
        out += "<tr><td>" + svg::escape(z.name) + "</td><td>" + svg::number(z.outline.area(), 0) + "</td><td>" +
               duration(z.seconds) + "</td></tr>";
    return out + "<tr><td>outside all zones</td><td></td><td>" + duration(r.seconds_outside) +
           "</td></tr></table></div>";
}

/// P50 to P99 of every stage on a logarithmic axis, and the figures.
inline std::string latencies(const results& r) {
    double low = 1e9;
    double high = 0;
    for (const auto& s : r.stages) {
        low = (std::min)(low, s.p50_us);
        high = (std::max)(high, s.p99_us);
    }
    low = std::floor(std::log10((std::max)(low, 0.01)));
    high = std::ceil(std::log10((std::max)(high, 0.1)));
    if (high <= low) high = low + 1;
    const auto n = static_cast<double>(r.stages.size());
    svg::plot plot(960, 40 + 26 * n, {low, high, "log10 µs", true}, {0, n, "", false}, {120, 60, 6, 24});
    std::string rows;
    for (std::size_t i = 0; i < r.stages.size(); ++i) {
        const auto& s = r.stages[i];
        const double top = n - static_cast<double>(i);
        const auto at = [&](double us) { return std::log10((std::max)(us, 0.01)); };
        plot.block(
            at(s.p50_us), at(s.p99_us), top - 0.7, top - 0.3, detail::axis_colors[0],
            edge::message(s.name, ": P50 ", svg::number(s.p50_us, 2), " µs, P99 ", svg::number(s.p99_us, 2), " µs"));
        plot.label(low - (high - low) * 0.01, top - 0.62, s.name, "end");
        rows += "<tr><td>" + svg::escape(s.name) + "</td><td>" + svg::escape(s.per) + "</td><td>" + count(s.calls) +
                "</td><td>" + svg::number(s.p50_us, 2) + "</td><td>" + svg::number(s.p95_us, 2) + "</td><td>" +
                svg::number(s.p99_us, 2) + "</td><td>" + svg::number(s.max_us, 1) + "</td><td>" +
                count(static_cast<std::uint64_t>(s.rows_per_s())) + "</td></tr>";
    }
    return "<h2>How long each stage takes</h2><p>Bars from P50 to P99 of one call.</p>" + plot.str() +
           "<div class=\"scroll\"><table><tr><th>stage</th><th>one call</th><th>calls</th><th>P50 µs</th><th>P95 "
           "µs</th>"
           "<th>P99 µs</th><th>max µs</th><th>rows/s</th></tr>" +
           rows + "</table></div>";
}

}  // namespace detail

/// The whole page.
[[nodiscard]] inline std::string report(const results& r) {
    using namespace detail;
    static constexpr std::array<std::size_t, 3> accel = {0, 1, 2};
    static constexpr std::array<std::size_t, 3> gyro = {3, 4, 5};
    static constexpr std::array<std::size_t, 1> temperature = {6};
    std::string html = page::start("edge pipeline report") + "<h1>From sensor to decision</h1><p>" +
                       svg::escape(r.source) + ", " + svg::number(r.rate_hz) + " Hz · model " + svg::escape(r.model) +
                       " · edge " + edge::version + "</p>";
    html += "<div class=\"cards\">" + card(duration(r.seconds), "recorded") + card(count(r.samples), "samples") +
            card(count(r.files), edge::message("Parquet files, ", count(r.bytes / 1024), " KiB")) +
            card(count(r.windows), edge::message("windows of ", svg::number(r.window_s), " s")) +
            card(svg::number(r.speed(), 0) + "x", "real time") +
            card(svg::number(r.rms_accel, 2) + " m/s²", "RMS acceleration") +
            card(svg::number(r.peak_gyro, 0) + " °/s", "peak rotation") +
            card(svg::number(r.mean_temperature, 1) + " °C", "temperature");
    if (r.agreement) html += card(svg::number(*r.agreement * 100, 1) + " %", "windows agree with the scenario");
    if (r.lost != 0) html += card(count(r.lost), "samples lost");
    if (r.saturated != 0) html += card(count(r.saturated), "samples at the end of the range");
    html += "</div>";
    if (!r.seen.entries().empty()) {
        html += "<section>" + state_timeline(r) + "</section>";
        html += "<section>" + signal_plot(r, "Acceleration", accel, "m/s²") + "</section>";
        html += "<section>" + signal_plot(r, "Rotation", gyro, "°/s") + "</section>";
        html += "<section>" + signal_plot(r, "Temperature", temperature, "°C") + "</section>";
        html += "<section>" + map(r) + (r.has_positions ? zone_table(r) : "") + "</section>";
        html += "<section>" + feature_plots(r) + "</section>";
    }
    html += "<section>" + latencies(r) + "</section>" + page::end;
    return html;
}

}  // namespace pipeline
