// SPDX-License-Identifier: MIT
#pragma once

/// @file Drives with known truth: what a sensor in a vehicle feels, where the vehicle is, and what it is doing.
///
///     edge::imu::scenario drive;                     // rest, drive, rough road, rest, shake, …; again and again
///     const auto now = drive.motion_at(42.0);        // specific force, angular rate, position, heading, state
///     edge::imu::scenario other{edge::imu::random_scenario(7)};
///
/// The same parameters give the same motion. Position, speed, heading, yaw rate and horizontal acceleration belong to
/// each other exactly; vibration, shaking and handling are put on top without moving the vehicle. `motion_at` allocates
/// nothing.
///
/// The way is a closed lap whose second half is the first turned by 180°, so it closes whatever the half looks like;
/// its length is what the plan drives in one round. Road vibration is noise over the distance driven, engine vibration
/// a wave over time and distance, shaking and handling turn the sensor about two axes, one inside the other, with the
/// rates and the gravity that follow from that.

#include <edge/imu/detail/lap.hpp>
#include <edge/imu/motion.hpp>
#include <edge/imu/registers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace edge::imu {

/// A part of a plan. The speed changes smoothly at its start, at 2 m/s² at most where the time allows, and holds then.
struct scenario_segment {
    motion_state state = motion_state::rest;
    double seconds = 10;  ///< at least 0.1
    double speed = 0;     ///< m/s at its end; at least 0
};

/// The sensor being turned and pushed about.
struct swing_parameters {
    double hz = 6;           ///< main frequency; it wanders by a tenth
    double rate_rad_s = 5;   ///< amplitude of the angular rate about the main axis
    double force_mps2 = 25;  ///< amplitude of the push
};

struct scenario_parameters {
    std::uint64_t seed = 1;  ///< of the noise, the axes and the phases
    std::vector<scenario_segment> plan = {
        {motion_state::rest, 6, 0},    {motion_state::drive, 22, 12}, {motion_state::rough_road, 12, 8},
        {motion_state::drive, 5, 0},   {motion_state::rest, 4, 0},    {motion_state::shake, 6, 0},
        {motion_state::rest, 5, 0},    {motion_state::drive, 28, 13}, {motion_state::rough_road, 10, 9},
        {motion_state::drive, 6.5, 0}, {motion_state::rest, 6, 0},    {motion_state::shake, 4, 0},
        {motion_state::rest, 4, 0},
    };  ///< repeats for ever; its last segment ends at rest whatever it says
    std::array<double, 4> mount = {1, 0, 0,
                                   0};  ///< quaternion w, x, y, z: the sensor's axes in the vehicle's (x forward, z up)
    double corner_m = 100;              ///< length of a corner of 90°, before the lap is fitted to the plan
    bool turns_left = true;
    double engine_mps2 = 0.15;  ///< rms at idle, vertical; 0 is an engine that is off
    double idle_hz = 24;        ///< of firing
    double engine_hz_per_mps = 2.5;
    double road_mps2 = 0.6;    ///< rms at 10 m/s, vertical; grows with the speed
    double road_rad_s = 0.02;  ///< rms at 10 m/s
    double rough_factor = 4;   ///< rough road is that much rougher
    swing_parameters shake{};
    swing_parameters carried{.hz = 0.5, .rate_rad_s = 1.2, .force_mps2 = 2};
    double temperature_c = 24;  ///< of the die when it starts
    double warming_c = 9;       ///< above that after a long time
};

/// Parameters drawn over what real vehicles and mounts do, for training something that has to work on others.
/// Every state is in the plan; the mount is any rotation.
[[nodiscard]] scenario_parameters random_scenario(std::uint64_t seed);

class scenario {
public:
    explicit scenario(scenario_parameters parameters = {});

    /// @param seconds  since the start, at least 0; any order. About 100 ns.
    [[nodiscard]] motion motion_at(double seconds) const noexcept;

    [[nodiscard]] double period() const noexcept { return period_; }     ///< s, of the plan
    [[nodiscard]] double lap() const noexcept { return lap_.length(); }  ///< m
    [[nodiscard]] const scenario_parameters& parameters() const noexcept { return parameters_; }

private:
    struct leg {
        double start;     ///< s
        double distance;  ///< m driven before it, in this round
        double from, to;  ///< m/s
        double ramp;      ///< s that the change of speed takes
        double seconds;
        double rough_from, rough_to;
        motion_state state;
    };
    struct swing_axes {
        vec3 turn[2];
        vec3 push[2];
        double phase[4];
    };

    static constexpr std::size_t noise_size = 4096;

    void plan_legs();
    void vibrate(double seconds, double distance, double speed, double rough, vec3& force, vec3& rate) const noexcept;
    void swing(const swing_parameters& p, const swing_axes& axes, double t, double length, vec3& force,
               vec3& rate) const noexcept;
    [[nodiscard]] double noise(double at, std::size_t channel) const noexcept;

    scenario_parameters parameters_;
    std::vector<leg> legs_;
    detail::lap lap_;
    std::vector<float> noise_;         ///< rms 1, periodic
    std::array<float, 257> engine_{};  ///< one turn of the firing order
    std::array<double, 9> mount_{};    ///< row-major; vehicle to sensor
    swing_axes shake_{}, carried_{};
    double period_ = 0;
    double round_ = 0;  ///< m driven in one round of the plan
};

namespace detail {

inline vec3 unit_vector(random_source& random) noexcept {
    for (;;) {
        const vec3 v = {random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-1, 1)};
        const double n = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
        if (n < 0.01 || n > 1) continue;
        const double s = 1 / std::sqrt(n);
        return {v[0] * s, v[1] * s, v[2] * s};
    }
}

/// v in axes that were turned by `angle` about the unit vector n. Rodrigues' formula with the angle reversed.
inline vec3 seen_from_turned(const vec3& v, const vec3& n, double cosine, double sine) noexcept {
    const double dot = (n[0] * v[0] + n[1] * v[1] + n[2] * v[2]) * (1 - cosine);
    return {v[0] * cosine - (n[1] * v[2] - n[2] * v[1]) * sine + n[0] * dot,
            v[1] * cosine - (n[2] * v[0] - n[0] * v[2]) * sine + n[1] * dot,
            v[2] * cosine - (n[0] * v[1] - n[1] * v[0]) * sine + n[2] * dot};
}

}  // namespace detail

inline scenario::scenario(scenario_parameters parameters) : parameters_(std::move(parameters)) {
    detail::random_source random(parameters_.seed);
    plan_legs();
    lap_ = detail::lap(parameters_.corner_m, parameters_.turns_left, round_, random);

    // Smoothed a little, so that the straight lines between its values cost less of its power.
    std::vector<double> white(noise_size);
    for (double& w : white) w = random.normal();
    double power = 0;
    noise_.resize(noise_size + 1);
    for (std::size_t i = 0; i < noise_size; ++i) {
        const double v =
            0.25 * white[(i + noise_size - 1) % noise_size] + 0.5 * white[i] + 0.25 * white[(i + 1) % noise_size];
        noise_[i] = static_cast<float>(v);
        power += v * v;
    }
    const auto scale = static_cast<float>(1 / std::sqrt(power / noise_size));
    for (float& v : noise_) v *= scale;
    noise_[noise_size] = noise_[0];

    // Firing, its half order and its first harmonic; rms 1.
    const double a[3] = {1, 0.5 * random.uniform(), 0.6 * random.uniform()};
    const double p[3] = {0, random.uniform(0, 2 * detail::pi), random.uniform(0, 2 * detail::pi)};
    const double rms = std::sqrt(0.5 * (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]));
    for (std::size_t i = 0; i < engine_.size(); ++i) {
        const double turn = 2 * detail::pi * static_cast<double>(i) / 256.0;  // one turn fires twice
        engine_[i] = static_cast<float>(
            (a[0] * std::sin(2 * turn + p[0]) + a[1] * std::sin(turn + p[1]) + a[2] * std::sin(4 * turn + p[2])) / rms);
    }

    auto [w, x, y, z] = parameters_.mount;
    const double n = w * w + x * x + y * y + z * z;
    const double s = n > 0 ? 2 / n : 0;
    mount_ = {1 - s * (y * y + z * z), s * (x * y + w * z),     s * (x * z - w * y),
              s * (x * y - w * z),     1 - s * (x * x + z * z), s * (y * z + w * x),
              s * (x * z + w * y),     s * (y * z - w * x),     1 - s * (x * x + y * y)};

    for (swing_axes* axes : {&shake_, &carried_}) {
        for (vec3& v : axes->turn) v = detail::unit_vector(random);
        for (vec3& v : axes->push) v = detail::unit_vector(random);
        for (double& v : axes->phase) v = random.uniform(0, 2 * detail::pi);
    }
}

inline void scenario::plan_legs() {
    if (parameters_.plan.empty()) parameters_.plan.push_back({});
    parameters_.plan.back().speed = 0;
    double rough = 1;
    double speed = 0;
    for (const auto& part : parameters_.plan) {
        leg l{};
        l.start = period_;
        l.distance = round_;
        l.seconds = (std::max)(part.seconds, 0.1);
        l.from = speed;
        l.to = (std::max)(part.speed, 0.0);
        l.ramp =
            (std::min)(l.seconds, (std::max)(0.75 * std::abs(l.to - l.from), 1e-3));  // slope 1.5 of smooth() is 2 m/s²
        l.rough_from = rough;
        l.rough_to = rough = part.state == motion_state::rough_road ? parameters_.rough_factor : 1.0;
        l.state = part.state;
        legs_.push_back(l);
        period_ += l.seconds;
        round_ += l.from * l.seconds + (l.to - l.from) * l.ramp * detail::smooth_area(l.seconds / l.ramp);
        speed = l.to;
    }
}

inline double scenario::noise(double at, std::size_t channel) const noexcept {
    const double whole = std::floor(at);
    const std::size_t i =
        (static_cast<std::size_t>(static_cast<std::int64_t>(whole)) + channel * 683U) & (noise_size - 1);
    const double u = at - whole;
    return noise_[i] + u * static_cast<double>(noise_[i + 1] - noise_[i]);
}

/// In the vehicle's axes.
inline void scenario::vibrate(double seconds, double distance, double speed, double rough, vec3& force,
                              vec3& rate) const noexcept {
    const auto& p = parameters_;
    const double turns =
        0.5 * (p.idle_hz * seconds + p.engine_hz_per_mps * distance);  // half an engine cycle fires once
    const double engine = p.engine_mps2 * (1 + 0.1 * speed);
    constexpr double engine_share[3] = {0.4, 0.6, 1};
    constexpr double road_share[3] = {0.5, 0.6, 1};
    constexpr double rate_share[3] = {1, 0.8, 0.3};
    // Long waves every 0.8 m (body and wheels, below 12 Hz at 10 m/s) and texture every 0.12 m.
    const double road = p.road_mps2 * rough * 0.1 * speed;
    const double turn = p.road_rad_s * rough * 0.1 * speed;
    for (std::size_t i = 0; i < 3; ++i) {
        if (engine > 0) {
            const double phase = turns + 0.29 * static_cast<double>(i);
            const double at = 256 * (phase - std::floor(phase));
            const auto k = (std::min)(static_cast<std::size_t>(at), std::size_t{255});
            force[i] += engine * engine_share[i] *
                        (engine_[k] + (at - static_cast<double>(k)) * static_cast<double>(engine_[k + 1] - engine_[k]));
        }
        if (road > 0) {
            force[i] += road * road_share[i] * (0.8 * noise(distance / 0.8, i) + 0.6 * noise(distance / 0.12, i + 3));
            rate[i] += turn * rate_share[i] * (0.9 * noise(distance / 1.1, i + 3) + 0.44 * noise(distance / 0.25, i));
        }
    }
}

/// Two hinges, one inside the other: the outer turns with the main frequency, the inner with 0.7 of it and half as
/// much.
inline void scenario::swing(const swing_parameters& p, const swing_axes& axes, double t, double length, vec3& force,
                            vec3& rate) const noexcept {
    constexpr double fade = 0.4;
    const double edge = (std::min)(t, length - t);
    const double envelope = detail::smooth(edge / fade);
    const double envelope_rate = detail::smooth_slope(edge / fade) / fade * (t < length - t ? 1 : -1);
    // Frequency hz·(1 + 0.1·cos(wander)): the phase is its integral.
    constexpr double wander_rate = 2 * detail::pi * 0.31;
    const double wander = wander_rate * t + axes.phase[0];
    const double omega = 2 * detail::pi * p.hz;
    const double phase = omega * (t + 0.1 / wander_rate * std::sin(wander)) + axes.phase[1];
    const double phase_rate = omega * (1 + 0.1 * std::cos(wander));

    const double push = envelope * p.force_mps2;
    const double first = push * 0.85 * std::sin(phase + axes.phase[2]);
    const double second = push * 0.35 * std::sin(2 * phase + axes.phase[3]);
    for (std::size_t i = 0; i < 3; ++i) force[i] += first * axes.push[0][i] + second * axes.push[1][i];

    constexpr double order[2] = {1, 0.7};
    constexpr double share[2] = {1, 0.5};
    for (std::size_t h = 0; h < 2; ++h) {
        const double amplitude = share[h] * p.rate_rad_s / (order[h] * omega);
        const double at = order[h] * phase + axes.phase[h + 2];
        const double sine = std::sin(at);
        const double angle = envelope * amplitude * sine;
        const double angle_rate = amplitude * (envelope_rate * sine + envelope * order[h] * phase_rate * std::cos(at));
        const double c = std::cos(angle), s = std::sin(angle);
        force = detail::seen_from_turned(force, axes.turn[h], c, s);
        rate = detail::seen_from_turned(rate, axes.turn[h], c, s);
        for (std::size_t i = 0; i < 3; ++i) rate[i] += angle_rate * axes.turn[h][i];
    }
}

inline motion scenario::motion_at(double seconds) const noexcept {
    seconds = seconds > 0 ? seconds : 0;
    const double rounds = std::floor(seconds / period_);
    const double t = seconds - rounds * period_;
    const auto next =
        std::upper_bound(legs_.begin() + 1, legs_.end(), t, [](double v, const leg& l) { return v < l.start; });
    const leg& l = *(next - 1);
    const double since = t - l.start;
    const double u = since / l.ramp;
    const double change = l.to - l.from;
    const double distance = l.distance + l.from * since + change * l.ramp * detail::smooth_area(u);

    motion m;
    m.state = l.state;
    m.speed = l.from + change * detail::smooth(u);
    const detail::lap::place where = lap_.at(distance);
    m.x = where.x;
    m.y = where.y;
    m.heading = where.heading;

    vec3 force = {change / l.ramp * detail::smooth_slope(u), m.speed * m.speed * where.curvature, standard_gravity};
    vec3 rate = {0, 0, m.speed * where.curvature};
    const double rough = l.rough_from + (l.rough_to - l.rough_from) * detail::smooth(since / 0.5);
    vibrate(seconds, rounds * round_ + distance, m.speed, rough, force, rate);
    for (std::size_t i = 0; i < 3; ++i) {
        const double* row = mount_.data() + 3 * i;
        m.specific_force[i] = row[0] * force[0] + row[1] * force[1] + row[2] * force[2];
        m.angular_rate[i] = row[0] * rate[0] + row[1] * rate[1] + row[2] * rate[2];
    }
    if (l.state == motion_state::shake)
        swing(parameters_.shake, shake_, since, l.seconds, m.specific_force, m.angular_rate);
    else if (l.state == motion_state::carried)
        swing(parameters_.carried, carried_, since, l.seconds, m.specific_force, m.angular_rate);
    m.temperature = parameters_.temperature_c + parameters_.warming_c * seconds / (seconds + 300);
    return m;
}

inline scenario_parameters random_scenario(std::uint64_t seed) {
    detail::random_source random(seed * 2654435761U + 17);
    // Amplitudes spread evenly over their order of magnitude.
    const auto spread = [&](double low, double high) { return low * std::pow(high / low, random.uniform()); };
    scenario_parameters p;
    p.seed = random.bits();
    for (double& q : p.mount) q = random.normal();
    p.corner_m = random.uniform(80, 140);
    p.turns_left = random.uniform() < 0.5;
    p.engine_mps2 = random.uniform() < 0.35 ? 0 : spread(0.02, 0.5);
    p.idle_hz = random.uniform(11, 32);
    p.engine_hz_per_mps = random.uniform(1, 4);
    p.road_mps2 = spread(0.25, 1.5);
    p.road_rad_s = spread(0.008, 0.06);
    p.rough_factor = random.uniform(2.5, 6);
    p.shake = {.hz = spread(3, 12), .rate_rad_s = spread(2, 10), .force_mps2 = spread(10, 45)};
    p.carried = {.hz = spread(0.2, 1.5), .rate_rad_s = spread(0.4, 3.5), .force_mps2 = spread(0.5, 6)};
    p.temperature_c = random.uniform(-5, 40);
    p.warming_c = random.uniform(2, 12);

    p.plan.clear();
    std::array<motion_state, 10> order = {
        motion_state::rest, motion_state::drive, motion_state::rough_road, motion_state::shake, motion_state::carried,
        motion_state::rest, motion_state::drive, motion_state::rough_road, motion_state::shake, motion_state::rest};
    for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[static_cast<std::size_t>(random.uniform(0, static_cast<double>(i)))]);
    double speed = 0;
    const auto brake = [&] {
        if (speed > 0) p.plan.push_back({motion_state::drive, 0.75 * speed, 0});
        speed = 0;
    };
    for (const motion_state state : order) {
        const double seconds = random.uniform(5, 14);
        switch (state) {
            case motion_state::drive: speed = random.uniform(4, 16); break;
            case motion_state::rough_road: speed = random.uniform(3, 11); break;
            case motion_state::shake:  // one in four comes loose while driving
                if (random.uniform() > 0.25) brake();
                break;
            case motion_state::rest:
            case motion_state::carried: brake(); break;
        }
        // Getting up to speed on a rough road would be a rest at first.
        if (state == motion_state::rough_road && (p.plan.empty() || p.plan.back().speed == 0))
            p.plan.push_back({motion_state::drive, 4, speed});
        p.plan.push_back({state, seconds, speed});
    }
    brake();
    return p;
}

}  // namespace edge::imu
