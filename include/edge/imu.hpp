// SPDX-License-Identifier: MIT
#pragma once

/// @file Inertial sensors: from the bus to samples in units, on a board, on Linux, or in simulation.
///
///     edge::imu::linux_i2c bus{"/dev/i2c-1"};                 // or simulator{…}, or a class of yours
///     edge::imu::mpu6050 imu{bus};
///     if (auto ok = imu.configure({.rate_hz = 200, .accel = edge::imu::g4}); !ok) return fail(to_string(ok.error()));
///     while (imu.wait_ready())
///         if (const auto raw = imu.read()) use(imu.to_si(*raw));   // m/s², °/s, °C
///
/// For a microcontroller (no exceptions, no RTTI, no allocation; the results are `edge::expected`):
/// - error.hpp      what can go wrong
/// - bus.hpp        `i2c_bus`, what a bus is; `retrying_bus`
/// - registers.hpp  the register map
/// - mpu6050.hpp    the driver
/// - self_test.hpp  the chip's own check against its factory trim
/// - ring.hpp       the queue between sampling and working
///
/// For a host:
/// - linux_i2c.hpp  /dev/i2c-N
/// - motion.hpp     what a sensor feels, and what its carrier does
/// - simulator.hpp  a chip in memory, with faults on request
/// - scenario.hpp   drives with known truth
/// - trace.hpp      recordings, played back into the simulator

#include <edge/imu/bus.hpp>
#include <edge/imu/error.hpp>
#include <edge/imu/motion.hpp>
#include <edge/imu/mpu6050.hpp>
#include <edge/imu/registers.hpp>
#include <edge/imu/ring.hpp>
#include <edge/imu/scenario.hpp>
#include <edge/imu/self_test.hpp>
#include <edge/imu/simulator.hpp>
#include <edge/imu/trace.hpp>
#if defined(__linux__)
#include <edge/imu/linux_i2c.hpp>
#endif
