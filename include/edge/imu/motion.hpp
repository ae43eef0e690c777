// SPDX-License-Identifier: MIT
#pragma once

/// @file What a sensor feels, and what its carrier is doing: the words that scenarios, traces and the simulator share.
///
///     const edge::imu::motion m = drive.motion_at(12.5);
///     m.specific_force[2];                     // m/s², in the axes of the sensor
///     to_string(label_of(m.state));            // "MOVING"

#include <array>
#include <cstdint>

namespace edge::imu {

using vec3 = std::array<double, 3>;

/// What a sensor is exposed to at an instant, in its own axes.
struct stimulus {
    vec3 specific_force{};    ///< m/s²; +9.80665 upwards at rest
    vec3 angular_rate{};      ///< rad/s, right-handed
    double temperature = 25;  ///< °C, of the die
};

enum class motion_state : std::uint8_t { rest, drive, rough_road, shake, carried };
enum class motion_label : std::uint8_t { still, moving, shaking };

/// The truth of a scenario at an instant.
struct motion : stimulus {
    double x = 0;        ///< m, in a local plane
    double y = 0;        ///< m
    double heading = 0;  ///< rad in (-π, π], counter-clockwise from +x
    double speed = 0;    ///< m/s, along the heading
    motion_state state = motion_state::rest;
};

[[nodiscard]] constexpr motion_label label_of(motion_state s) noexcept {
    switch (s) {
        case motion_state::rest: return motion_label::still;
        case motion_state::shake: return motion_label::shaking;
        case motion_state::drive:
        case motion_state::rough_road:
        case motion_state::carried: break;
    }
    return motion_label::moving;
}

[[nodiscard]] constexpr const char* to_string(motion_state s) noexcept {
    constexpr const char* names[] = {"rest", "drive", "rough road", "shake", "carried"};
    return names[static_cast<unsigned>(s)];
}
[[nodiscard]] constexpr const char* to_string(motion_label l) noexcept {
    constexpr const char* names[] = {"STILL", "MOVING", "SHAKING"};
    return names[static_cast<unsigned>(l)];
}

namespace detail {

/// Random numbers that are the same on every machine and standard library. Steele et al. 2014, "Fast splittable
/// pseudorandom number generators" (SplitMix64).
class random_source {
public:
    explicit constexpr random_source(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t bits() noexcept {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }

    /// In [low, high).
    constexpr double uniform(double low = 0, double high = 1) noexcept {
        return low + (high - low) * static_cast<double>(bits() >> 11U) * 0x1p-53;
    }

    /// Mean 0, variance 1: four 16-bit uniforms added, so no more than 3.46 out. One multiply per number.
    constexpr double normal() noexcept {
        const std::uint64_t b = bits();
        const auto sum =
            static_cast<std::int32_t>((b & 0xFFFFU) + (b >> 16U & 0xFFFFU) + (b >> 32U & 0xFFFFU) + (b >> 48U));
        return (sum - 2 * 0xFFFF) * (1.7320508075688772 / 65536);
    }

private:
    std::uint64_t state_;
};

}  // namespace detail
}  // namespace edge::imu
