// SPDX-License-Identifier: MIT
#pragma once

/// @file A recording, played back to the simulator as what the chip feels.
///
///     const auto recording = edge::imu::trace::from({.time = t, .accel = {ax, ay, az}, .gyro = {gx, gy, gz}},
///                                                   {.accel_to_mps2 = edge::imu::standard_gravity});
///     if (!recording) return fail(to_string(recording.error().what), recording.error().row);
///     edge::imu::simulator device{[&](double s) { return recording->at(s); }, {.noise = 0, .low_pass = false}};
///
/// Time starts at 0 with the first row. Between two rows values are straight lines, or hold the earlier row's. Over a
/// hole in the time they hold, and a long hole is closed where the options say so. Before the first and after the last
/// row the nearest row holds. A value that is missing (NaN) is the one before it.

#include <edge/core/expected.hpp>
#include <edge/imu/motion.hpp>
#include <edge/imu/registers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edge::imu {

/// The columns of a recording. `time` in seconds, empty where there is none; `temperature` may be empty too.
struct trace_columns {
    std::span<const double> time{};
    std::array<std::span<const double>, 3> accel{};
    std::array<std::span<const double>, 3> gyro{};
    std::span<const double> temperature{};
};

enum class interpolation : std::uint8_t { linear, hold };

struct trace_options {
    double accel_to_mps2 = 1;      ///< from the column's unit; standard_gravity for g
    double gyro_to_rad_s = 1;      ///< π / 180 for °/s
    double temperature_scale = 1;  ///< °C = scale · value + offset
    double temperature_offset = 0;
    double temperature_c = 25;  ///< where there is no such column
    double rate_hz = 100;       ///< of the rows, where there is no time
    interpolation between = interpolation::linear;
    double gap_factor = 10;        ///< a step that many times the median step is a hole
    double close_gaps_over_s = 0;  ///< holes longer than this shrink to the median step; 0: they stay
};

/// Counts of a raw recording to units: an MPU-6050 at these ranges.
[[nodiscard]] inline trace_options raw_counts(accel_range accel = g2, gyro_range gyro = dps250) noexcept {
    trace_options o;
    o.accel_to_mps2 = standard_gravity / static_cast<double>(lsb_per_g(accel));
    o.gyro_to_rad_s = 0.017453292519943295 / static_cast<double>(lsb_per_dps(gyro));
    o.temperature_scale = 1 / 340.0;
    o.temperature_offset = 36.53;
    o.between = interpolation::hold;
    return o;
}

enum class trace_problem : std::uint8_t {
    no_rows,
    lengths_differ,  ///< `row` is the shorter length
    time_goes_back,  ///< or stands still, or is not finite; `row` is the later one
    bad_options,
};

[[nodiscard]] constexpr const char* to_string(trace_problem p) noexcept {
    constexpr const char* texts[] = {"there are no rows", "the columns differ in length", "time does not increase",
                                     "a scale, rate or gap is not positive and finite"};
    return texts[static_cast<unsigned>(p)];
}

struct trace_error {
    trace_problem what;
    std::size_t row = 0;
};

/// A hole in the time of a recording.
struct trace_gap {
    std::size_t row;  ///< the row after it
    double seconds;   ///< as recorded
};

class trace {
public:
    /// Copies the columns. O(rows).
    static edge::expected<trace, trace_error> from(const trace_columns& columns, const trace_options& options = {});

    /// @param seconds  since the first row, any order. O(log rows).
    [[nodiscard]] stimulus at(double seconds) const noexcept;

    [[nodiscard]] std::size_t rows() const noexcept { return time_.size(); }
    [[nodiscard]] double duration() const noexcept { return time_.back(); }  ///< s, first to last row
    [[nodiscard]] double rate_hz() const noexcept { return 1 / median_step_; }
    [[nodiscard]] const std::vector<trace_gap>& gaps() const noexcept { return gaps_; }
    [[nodiscard]] std::size_t missing() const noexcept { return missing_; }  ///< values that were NaN

private:
    trace() = default;

    std::vector<double> time_;  ///< from 0
    std::vector<stimulus> felt_;
    std::vector<trace_gap> gaps_;
    interpolation between_ = interpolation::linear;
    double median_step_ = 0.01;
    double hole_ = 0;  ///< steps longer than this hold
    std::size_t missing_ = 0;
};

inline edge::expected<trace, trace_error> trace::from(const trace_columns& columns, const trace_options& options) {
    const auto bad = [](trace_problem what, std::size_t row = 0) { return edge::unexpected<trace_error>({what, row}); };
    const std::size_t n = columns.accel[0].size();
    if (n == 0) return bad(trace_problem::no_rows);
    for (const auto* group : {&columns.accel, &columns.gyro})
        for (const auto& c : *group)
            if (c.size() != n) return bad(trace_problem::lengths_differ, (std::min)(n, c.size()));
    for (const auto* c : {&columns.time, &columns.temperature})
        if (!c->empty() && c->size() != n) return bad(trace_problem::lengths_differ, (std::min)(n, c->size()));
    const auto positive = [](double v) { return std::isfinite(v) && v > 0; };
    if (!std::isfinite(options.accel_to_mps2) || !std::isfinite(options.gyro_to_rad_s) ||
        !positive(options.gap_factor) || (columns.time.empty() && !positive(options.rate_hz)) ||
        !(options.close_gaps_over_s >= 0))
        return bad(trace_problem::bad_options);

    trace t;
    t.between_ = options.between;
    t.time_.resize(n);
    if (columns.time.empty()) {
        t.median_step_ = 1 / options.rate_hz;
        for (std::size_t i = 0; i < n; ++i) t.time_[i] = static_cast<double>(i) * t.median_step_;
        t.hole_ = 2 * t.median_step_;
    } else {
        std::vector<double> steps(n - 1);
        if (!std::isfinite(columns.time[0])) return bad(trace_problem::time_goes_back, 0);
        for (std::size_t i = 1; i < n; ++i) {
            steps[i - 1] = columns.time[i] - columns.time[i - 1];
            if (!positive(steps[i - 1])) return bad(trace_problem::time_goes_back, i);
        }
        if (n > 1) {
            const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
            std::nth_element(steps.begin(), middle, steps.end());
            t.median_step_ = *middle;
        }
        t.hole_ = options.gap_factor * t.median_step_;
        double closed = 0;
        for (std::size_t i = 1; i < n; ++i) {
            const double step = columns.time[i] - columns.time[i - 1];
            if (step > t.hole_) t.gaps_.push_back({i, step});
            if (step > t.hole_ && options.close_gaps_over_s > 0 && step > options.close_gaps_over_s)
                closed += step - t.median_step_;
            t.time_[i] = columns.time[i] - columns.time[0] - closed;
        }
    }

    t.felt_.resize(n);
    stimulus last{{0, 0, 0}, {0, 0, 0}, options.temperature_c};
    const auto take = [&t](double value, double scale, double offset, double& into) {
        if (std::isnan(value))
            ++t.missing_;
        else
            into = value * scale + offset;
    };
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
            take(columns.accel[k][i], options.accel_to_mps2, 0, last.specific_force[k]);
            take(columns.gyro[k][i], options.gyro_to_rad_s, 0, last.angular_rate[k]);
        }
        if (!columns.temperature.empty())
            take(columns.temperature[i], options.temperature_scale, options.temperature_offset, last.temperature);
        t.felt_[i] = last;
    }
    return t;
}

inline stimulus trace::at(double seconds) const noexcept {
    if (!(seconds > 0)) return felt_.front();
    const auto later = std::upper_bound(time_.begin(), time_.end(), seconds);
    if (later == time_.end()) return felt_.back();
    const auto i = static_cast<std::size_t>(later - time_.begin());
    const stimulus& a = felt_[i - 1];
    const double step = time_[i] - time_[i - 1];
    if (between_ == interpolation::hold || step > hole_) return a;
    const stimulus& b = felt_[i];
    const double u = (seconds - time_[i - 1]) / step;
    stimulus s;
    for (std::size_t k = 0; k < 3; ++k) {
        s.specific_force[k] = a.specific_force[k] + u * (b.specific_force[k] - a.specific_force[k]);
        s.angular_rate[k] = a.angular_rate[k] + u * (b.angular_rate[k] - a.angular_rate[k]);
    }
    s.temperature = a.temperature + u * (b.temperature - a.temperature);
    return s;
}

}  // namespace edge::imu
