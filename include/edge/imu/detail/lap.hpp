// SPDX-License-Identifier: MIT
#pragma once

/// @file The way that a scenario's vehicle drives: a closed lap.
///
///     const edge::imu::detail::lap lap(100, true, 800, random);
///     const auto p = lap.at(123.4);      // x, y, heading, curvature after that many metres
///
/// Half a lap turns by 180° in all and the other half is the same again, so the lap closes whatever the half looks
/// like.

#include <edge/imu/motion.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace edge::imu::detail {

inline constexpr double pi = 3.14159265358979323846;

/// 0 to 1 with no slope at either end.
constexpr double smooth(double u) noexcept { return u <= 0 ? 0 : u >= 1 ? 1 : u * u * (3 - 2 * u); }
/// Its derivative.
constexpr double smooth_slope(double u) noexcept { return u <= 0 || u >= 1 ? 0 : 6 * u * (1 - u); }
/// Its integral from 0.
constexpr double smooth_area(double u) noexcept { return u <= 0 ? 0 : u >= 1 ? u - 0.5 : u * u * u * (1 - 0.5 * u); }

class lap {
public:
    struct place {
        double x, y;       ///< m
        double heading;    ///< rad in (-π, π]
        double curvature;  ///< 1/m, positive to the left
    };

    lap() = default;

    /// Straight, corner, straight with a chicane, corner, and that again; then scaled so that whole laps make `round`.
    /// @param corner_m  length of a corner of 90°, before scaling
    /// @param round     m; 0 for no scaling
    lap(double corner_m, bool turns_left, double round, random_source& random);

    [[nodiscard]] double length() const noexcept { return 2 * half_; }

    /// @param distance  m, at least 0
    [[nodiscard]] place at(double distance) const noexcept;

private:
    struct knot {
        double x, y, heading, cos_heading, sin_heading, curvature;
    };

    std::vector<knot> knots_;  ///< of the half lap
    double half_ = 0;          ///< m
    double step_ = 1;          ///< m between knots
};

inline lap::lap(double corner_m, bool turns_left, double round, random_source& random) {
    struct piece {
        double length, turn, sway;
    };
    const double corner = (std::max)(corner_m, 1.0);
    const double side = turns_left ? 1 : -1;
    const double chicane = 0.9 * corner * random.uniform(0.8, 1.2);
    const double sway = 0.35 * random.uniform(0.7, 1.3);
    const double last = 0.2 * corner * random.uniform(0.5, 1.5);
    const piece pieces[] = {{0.5 * corner, 0, 0}, {corner, side * pi / 2, 0}, {0.4 * corner, 0, 0},
                            {chicane, 0, sway},   {corner, side * pi / 2, 0}, {last, 0, 0}};
    double length = 0;
    for (const auto& p : pieces) length += p.length;
    const double laps = (std::max)(1.0, std::round(round / (2 * length)));
    const double scale = round > 0 ? round / laps / (2 * length) : 1;
    half_ = length * scale;

    const auto count = static_cast<std::size_t>(std::clamp(std::ceil(half_ / 0.5), 64.0, 8192.0));
    step_ = half_ / static_cast<double>(count);
    // A corner's curvature rises and falls over 30 % of it each; a chicane's heading is a whole wave of 1 - cos.
    const auto curvature_at = [&](double s) {
        for (const auto& p : pieces) {
            const double l = p.length * scale;
            if (s <= l) {
                const double u = s / l;
                return p.turn / (0.7 * l) * smooth(u / 0.3) * smooth((1 - u) / 0.3) +
                       p.sway * pi / l * std::sin(2 * pi * u);
            }
            s -= l;
        }
        return 0.0;
    };
    knots_.resize(count + 1);
    double heading = 0;
    for (std::size_t i = 0; i <= count; ++i) {
        knots_[i].curvature = curvature_at(step_ * static_cast<double>(i));
        if (i > 0) heading += 0.5 * step_ * (knots_[i - 1].curvature + knots_[i].curvature);
        knots_[i].heading = heading;
    }
    // The sum is off π by what the steps cost; take that out of curvature and heading alike.
    const double correct = side * pi / heading;
    for (auto& k : knots_) {
        k.heading *= correct;
        k.curvature *= correct;
        k.cos_heading = std::cos(k.heading);
        k.sin_heading = std::sin(k.heading);
    }
    // Simpson's rule; the heading half way between two knots follows from a curvature that is straight there.
    knots_[0].x = knots_[0].y = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const knot& a = knots_[i];
        knot& b = knots_[i + 1];
        const double mid = a.heading + step_ * (0.375 * a.curvature + 0.125 * b.curvature);
        b.x = a.x + step_ / 6 * (a.cos_heading + 4 * std::cos(mid) + b.cos_heading);
        b.y = a.y + step_ / 6 * (a.sin_heading + 4 * std::sin(mid) + b.sin_heading);
    }
}

inline lap::place lap::at(double distance) const noexcept {
    distance -= std::floor(distance / (2 * half_)) * 2 * half_;
    const bool second = distance >= half_;
    const double at = (second ? distance - half_ : distance) / step_;
    const auto i = (std::min)(static_cast<std::size_t>(at), knots_.size() - 2);
    const double u = at - static_cast<double>(i);
    const knot& a = knots_[i];
    const knot& b = knots_[i + 1];
    place p{};
    p.curvature = a.curvature + u * (b.curvature - a.curvature);
    p.heading = a.heading + step_ * u * (a.curvature + 0.5 * u * (b.curvature - a.curvature));
    // Cubic Hermite through both ends and their directions.
    const double u2 = u * u, u3 = u2 * u;
    const double h01 = 3 * u2 - 2 * u3, h10 = u3 - 2 * u2 + u, h11 = u3 - u2;
    p.x = a.x + h01 * (b.x - a.x) + step_ * (h10 * a.cos_heading + h11 * b.cos_heading);
    p.y = a.y + h01 * (b.y - a.y) + step_ * (h10 * a.sin_heading + h11 * b.sin_heading);
    if (second) {
        p.x = knots_.back().x - p.x;
        p.y = knots_.back().y - p.y;
        p.heading += pi;
    }
    while (p.heading > pi) p.heading -= 2 * pi;
    while (p.heading <= -pi) p.heading += 2 * pi;
    return p;
}

}  // namespace edge::imu::detail
