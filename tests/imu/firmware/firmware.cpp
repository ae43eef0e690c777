// SPDX-License-Identifier: MIT
// What a microcontroller's program takes from edge: compiled, not run, by embedded_test.cpp with the flags of firmware.

#include <edge/imu/bus.hpp>
#include <edge/imu/mpu6050.hpp>
#include <edge/imu/ring.hpp>

namespace imu = edge::imu;

struct board_bus {
    edge::expected<void, imu::error> write(std::uint8_t address, std::span<const std::uint8_t> bytes);
    edge::expected<void, imu::error> write_read(std::uint8_t address, std::span<const std::uint8_t> bytes,
                                                std::span<std::uint8_t> into);
    void wait_us(std::uint32_t us);
};

static board_bus wires;
static imu::retrying_bus again{wires};
static imu::mpu6050 sensor{again};
static imu::ring<imu::raw_sample, 64> queue;
static imu::raw_sample batch[32];

extern "C" int start() {
    const auto ok = sensor.configure({.rate_hz = 200, .accel = imu::g4, .gyro = imu::dps500, .dlpf = imu::hz42});
    if (!ok) return 1 + static_cast<int>(ok.error());
    return sensor.start_fifo() ? 0 : -1;
}

extern "C" void interrupt() {
    const auto got = sensor.read_fifo(batch);
    if (!got) return;
    for (std::size_t i = 0; i < got->count; ++i) queue.push(batch[i]);
}

extern "C" int work() {
    if (!sensor.wait_ready()) return 1;
    if (const auto now = sensor.read()) queue.push(*now);
    imu::raw_sample sample;
    float sum = 0;
    while (queue.pop(sample)) sum += sensor.to_si(sample).accel_mps2[2];
    return sum > 0 ? 0 : 2;
}
