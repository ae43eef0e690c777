// SPDX-License-Identifier: MIT
#pragma once

/// @file The chip's self-test: each sensor is pushed by itself, and answers as it did in the factory or is broken.
///
///     const auto result = edge::imu::self_test(imu);       // the sensor has to lie still; takes about a second
///     if (result && !result->passed()) for (const auto& axis : result->accel) print(axis.change_percent);
///
/// Source: RM-MPU-6000A sections 4.1, 4.4 and 4.5; limits of ±14 % from PS-MPU-6000A sections 6.1 and 6.2.

#include <edge/imu/mpu6050.hpp>

#include <array>
#include <cstdint>

namespace edge::imu {

struct self_test_axis {
    float response = 0;        ///< counts, with the test on less with it off
    float factory = 0;         ///< counts; 0 where the chip holds no trim, as some copies do
    float change_percent = 0;  ///< from the factory's
    bool passed = false;       ///< within 14 %; never without a trim
};

struct self_test_result {
    std::array<self_test_axis, 3> accel{}, gyro{};

    [[nodiscard]] constexpr bool passed() const noexcept {
        for (const auto* sensor : {&accel, &gyro})
            for (const auto& axis : *sensor)
                if (!axis.passed) return false;
        return true;
    }
};

namespace detail {

/// Mean of a hundred samples, in counts: three of acceleration, three of angular rate.
template <i2c_bus Bus>
expected<std::array<float, 6>, error> mean_counts(mpu6050<Bus>& imu) {
    constexpr int samples = 100;
    std::array<std::int32_t, 6> sum{};
    for (int n = 0; n < samples; ++n) {
        if (auto ready = imu.wait_ready(); !ready) return fail(ready.error());
        const auto raw = imu.read();
        if (!raw) return fail(raw.error());
        for (std::size_t i = 0; i < 3; ++i) {
            sum[i] += raw->accel[i];
            sum[i + 3] += raw->gyro[i];
        }
    }
    std::array<float, 6> mean{};
    for (std::size_t i = 0; i < 6; ++i) mean[i] = static_cast<float>(sum[i]) / samples;
    return mean;
}

}  // namespace detail

/// Leaves the chip configured as it was before, with the FIFO off. `unsupported` on the MPU-6500 family, whose trim means
/// something else.
template <i2c_bus Bus>
expected<self_test_result, error> self_test(mpu6050<Bus>& imu) {
    const config before = imu.settings();
    if (auto done = imu.configure({.rate_hz = 200, .accel = g8, .gyro = dps250, .dlpf = hz42}); !done)
        return detail::fail(done.error());
    if (imu.chip() != chip::mpu6050) return detail::fail(error::unsupported);

    std::array<std::uint8_t, 4> codes{};
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto code = imu.read_register(static_cast<std::uint8_t>(reg::self_test_x + i));
        if (!code) return detail::fail(code.error());
        codes[i] = *code;
    }
    const auto off = detail::mean_counts(imu);
    if (!off) return detail::fail(off.error());
    constexpr unsigned all = unsigned{bits::self_test_x} | bits::self_test_y | bits::self_test_z;
    if (auto done = imu.write_register(reg::gyro_config, static_cast<std::uint8_t>(bits::full_scale(dps250) | all));
        !done)
        return detail::fail(done.error());
    if (auto done = imu.write_register(reg::accel_config, static_cast<std::uint8_t>(bits::full_scale(g8) | all)); !done)
        return detail::fail(done.error());
    // The sensors take a while to follow: a fifth of a second of samples is thrown away.
    for (int i = 0; i < 40; ++i)
        if (auto ready = imu.wait_ready(); !ready) return detail::fail(ready.error());
    const auto on = detail::mean_counts(imu);
    if (!on) return detail::fail(on.error());
    if (auto done = imu.configure(before); !done) return detail::fail(done.error());

    self_test_result result;
    const auto judge = [](float response, float factory) {
        self_test_axis a{.response = response, .factory = factory};
        if (factory == 0) return a;
        a.change_percent = 100 * (response - factory) / factory;
        a.passed = a.change_percent >= -14 && a.change_percent <= 14;
        return a;
    };
    for (unsigned i = 0; i < 3; ++i) {
        const unsigned accel_code = (unsigned{codes[i]} >> 5U) << 2U | (unsigned{codes[3]} >> (4 - 2 * i) & 3U);
        result.accel[i] = judge((*on)[i] - (*off)[i], accel_factory_trim(accel_code));
        result.gyro[i] = judge((*on)[i + 3] - (*off)[i + 3], gyro_factory_trim(codes[i] & 31U, i));
    }
    return result;
}

}  // namespace edge::imu
