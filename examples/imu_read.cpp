// SPDX-License-Identifier: MIT
// Ten samples of an MPU-6050: of a real one with `imu_read /dev/i2c-1`, of a simulated one without.

#include <edge/imu.hpp>

#include <cstdio>

namespace imu = edge::imu;

/// The same for every bus; on a microcontroller, over a class of your own.
template <imu::i2c_bus Bus>
edge::expected<void, imu::error> read_some(Bus& bus) {
    imu::mpu6050 sensor{bus};
    if (auto ok = sensor.configure({.rate_hz = 100, .accel = imu::g4, .gyro = imu::dps500, .dlpf = imu::hz20}); !ok)
        return ok;
    for (int i = 0; i < 10; ++i) {
        if (auto ready = sensor.wait_ready(); !ready) return ready;
        const auto raw = sensor.read();
        if (!raw) return edge::unexpected<imu::error>(raw.error());
        const imu::si_sample s = sensor.to_si(*raw);
        std::printf("%7.2f %7.2f %7.2f m/s²  %7.1f %7.1f %7.1f °/s  %5.1f °C\n", s.accel_mps2[0], s.accel_mps2[1],
                    s.accel_mps2[2], s.gyro_dps[0], s.gyro_dps[1], s.gyro_dps[2], s.temperature_c);
    }
    return {};
}

int main(int argc, char** argv) {
    edge::expected<void, imu::error> done;
#if defined(__linux__)
    if (argc > 1) {
        imu::linux_i2c board{argv[1]};
        if (!board.is_open()) return std::perror(argv[1]), 1;
        done = read_some(board);
    } else
#endif
    {
        const imu::scenario drive;
        imu::simulator chip{[&drive](double seconds) { return drive.motion_at(seconds + 10); }};
        done = read_some(chip);
    }
    if (!done) std::fprintf(stderr, "%s: %s\n", argc > 1 ? argv[1] : "simulated chip", to_string(done.error()));
    return done ? 0 : 1;
}
