// SPDX-License-Identifier: MIT
#pragma once

/// @file The MPU-6050, over any I2C bus: never throws, never allocates, fits a Cortex-M0.
///
///     edge::imu::mpu6050 imu{bus};
///     auto ok = imu.configure({.rate_hz = 200, .accel = g4, .gyro = dps500, .dlpf = hz42});
///     if (ok) ok = imu.wait_ready();
///     if (const auto raw = imu.read()) use(imu.to_si(*raw));   // m/s², °/s, °C
///
/// The MPU-6500 family answers at the same address with the same registers and is often sold under this name; it is
/// recognized by WHO_AM_I and read with its own temperature formula. Sources: registers.hpp.

#include <edge/imu/bus.hpp>
#include <edge/imu/registers.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace edge::imu {

/// Chips with these registers, by what WHO_AM_I reads.
enum class chip : std::uint8_t {
    mpu6050 = 0x68,  ///< and MPU-6000, MPU-9150
    mpu6500 = 0x70,
    mpu9250 = 0x71,
    mpu9255 = 0x73,
    mpu6515 = 0x74,
};

[[nodiscard]] constexpr const char* to_string(chip c) noexcept {
    switch (c) {
        case chip::mpu6050: return "MPU-6050";
        case chip::mpu6500: return "MPU-6500";
        case chip::mpu9250: return "MPU-9250";
        case chip::mpu9255: return "MPU-9255";
        case chip::mpu6515: return "MPU-6515";
    }
    return "unknown chip";
}

/// One sample in counts, in the order of the registers.
struct raw_sample {
    std::array<std::int16_t, 3> accel{};
    std::int16_t temperature = 0;
    std::array<std::int16_t, 3> gyro{};

    friend bool operator==(const raw_sample&, const raw_sample&) = default;
};
static_assert(sizeof(raw_sample) == 14, "a burst is read straight into samples");

/// One sample in units.
struct si_sample {
    std::array<float, 3> accel_mps2{};  ///< m/s², specific force: +1 g upwards at rest
    std::array<float, 3> gyro_dps{};    ///< °/s
    float temperature_c = 0;            ///< °C

    [[nodiscard]] constexpr std::array<float, 3> gyro_rad_s() const noexcept {
        constexpr float rad = 0.017453292519943295F;
        return {gyro_dps[0] * rad, gyro_dps[1] * rad, gyro_dps[2] * rad};
    }
};

struct config {
    std::uint16_t rate_hz = 200;  ///< 4 to 1000, or 32 to 8000 with dlpf hz256; the nearest base / n is taken
    accel_range accel = g4;
    gyro_range gyro = dps500;
    filter dlpf = hz42;
};

/// What a look at the FIFO found.
struct fifo_batch {
    std::size_t count = 0;      ///< samples written to the front of the span, oldest first
    std::size_t remaining = 0;  ///< whole samples left in the chip
    bool overflow = false;      ///< the FIFO ran over and was restarted: samples before this batch are lost
    std::size_t lost = 0;       ///< of them, the ones thrown away at the restart; how many ran over is not known
};

template <i2c_bus Bus>
class mpu6050 {
public:
    /// @param bus  must outlive the driver; nothing is sent yet
    explicit mpu6050(Bus& bus, std::uint8_t address = default_address) noexcept : bus_(&bus), address_(address) {}

    /// Reads WHO_AM_I. wrong_identity where it is none of `chip`.
    expected<imu::chip, error> identify();

    /// DEVICE_RESET, then waits until the chip has cleared the bit: 100 ms at most, else `timeout`. It sleeps
    /// afterwards.
    expected<void, error> reset();

    /// From whatever state to sampling: identify, reset, wake on the gyroscope's clock, ranges, filter, rate, read
    /// back. Takes about 50 ms, most of it the gyroscope's start-up. Stops the FIFO.
    expected<void, error> configure(const config& wanted);

    /// Whether a sample came since the last look. One register read, which clears the flag.
    expected<bool, error> data_ready();

    /// Waits for the next sample; no_data after `timeout_us`, by default four sample periods.
    expected<void, error> wait_ready(std::uint32_t timeout_us = 0);

    /// The newest sample: 14 bytes in one burst, so all seven values are of the same instant.
    expected<raw_sample, error> read();

    /// Empties the FIFO and starts to fill it with every sample from now on.
    expected<void, error> start_fifo();
    expected<void, error> stop_fifo() { return write_register(reg::user_ctrl, 0); }

    /// Takes what the FIFO holds, up to `into.size()` samples, in one burst straight into `into`.
    ///
    /// A FIFO that ran over starts anew, since where a sample begins in it is no longer certain; the result says so.
    expected<fifo_batch, error> read_fifo(std::span<raw_sample> into);

    [[nodiscard]] si_sample to_si(const raw_sample& raw) const noexcept;
    [[nodiscard]] float temperature_c(std::int16_t raw) const noexcept;

    /// Time between samples, exactly: the rate that `configure` chose.
    [[nodiscard]] std::uint32_t period_us() const noexcept { return period_us_; }
    [[nodiscard]] const config& settings() const noexcept { return config_; }
    [[nodiscard]] imu::chip chip() const noexcept { return chip_; }

    expected<std::uint8_t, error> read_register(std::uint8_t at) {
        std::uint8_t value = 0;
        if (auto done = bus_->write_read(address_, {&at, 1}, {&value, 1}); !done) return detail::fail(done.error());
        return value;
    }
    expected<void, error> write_register(std::uint8_t at, std::uint8_t value) {
        const std::uint8_t bytes[2] = {at, value};
        return bus_->write(address_, bytes);
    }

private:
    static void to_host(std::uint8_t* bytes, std::size_t samples) noexcept;
    expected<std::uint8_t, error> status();
    [[nodiscard]] std::size_t fifo_bytes() const noexcept { return chip_ == chip::mpu6050 ? 1024 : 512; }

    Bus* bus_;
    config config_{};
    std::uint32_t period_us_ = 5000;
    std::uint8_t address_;
    imu::chip chip_ = imu::chip::mpu6050;
    bool overflowed_ = false;  ///< seen in INT_STATUS, which forgets when read, and not yet reported
};

template <i2c_bus Bus>
expected<chip, error> mpu6050<Bus>::identify() {
    const auto id = read_register(reg::who_am_i);
    if (!id) return detail::fail(id.error());
    for (const imu::chip known : {chip::mpu6050, chip::mpu6500, chip::mpu9250, chip::mpu9255, chip::mpu6515})
        if (*id == static_cast<std::uint8_t>(known)) return chip_ = known;
    return detail::fail(error::wrong_identity);
}

template <i2c_bus Bus>
expected<void, error> mpu6050<Bus>::reset() {
    if (auto done = write_register(reg::pwr_mgmt_1, bits::device_reset); !done) return done;
    for (int ms = 0; ms < 100; ++ms) {
        bus_->wait_us(1000);
        // A chip in the middle of its reset may not acknowledge.
        if (const auto power = read_register(reg::pwr_mgmt_1); power && (*power & bits::device_reset) == 0) return {};
    }
    return detail::fail(error::timeout);
}

template <i2c_bus Bus>
expected<void, error> mpu6050<Bus>::configure(const config& wanted) {
    const std::uint32_t base_hz = wanted.dlpf == hz256 ? 8000 : 1000;
    const std::uint32_t divider = wanted.rate_hz == 0 ? 0 : (base_hz + wanted.rate_hz / 2U) / wanted.rate_hz;
    if (divider < 1 || divider > 256 || wanted.rate_hz > base_hz) return detail::fail(error::bad_config);

    if (const auto id = identify(); !id) return detail::fail(id.error());
    if (auto done = reset(); !done) return done;
    if (auto done = write_register(reg::pwr_mgmt_1, bits::clock_gyro_x); !done) return done;
    bus_->wait_us(35000);  // gyroscope start-up: 30 ms typical, PS-MPU-6000A section 6.1

    // SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG stand side by side.
    const std::uint8_t setup[5] = {reg::smplrt_div, static_cast<std::uint8_t>(divider - 1),
                                   static_cast<std::uint8_t>(wanted.dlpf), bits::full_scale(wanted.gyro),
                                   bits::full_scale(wanted.accel)};
    if (auto done = bus_->write(address_, setup); !done) return done;
    if (chip_ != chip::mpu6050) {  // these have a filter of its own for the accelerometer
        if (auto done = write_register(reg::accel_config_2, static_cast<std::uint8_t>(wanted.dlpf)); !done) return done;
    }
    if (auto done = write_register(reg::int_enable, bits::data_ready | bits::fifo_overflow); !done) return done;

    std::uint8_t held[4] = {};
    if (auto done = bus_->write_read(address_, {setup, 1}, held); !done) return done;
    if (std::memcmp(held, setup + 1, sizeof held) != 0) return detail::fail(error::readback);

    config_ = wanted;
    period_us_ = divider * (1000000U / base_hz);
    overflowed_ = false;
    return {};
}

template <i2c_bus Bus>
expected<std::uint8_t, error> mpu6050<Bus>::status() {
    auto bits_read = read_register(reg::int_status);
    if (bits_read && (*bits_read & bits::fifo_overflow) != 0) overflowed_ = true;
    return bits_read;
}

template <i2c_bus Bus>
expected<bool, error> mpu6050<Bus>::data_ready() {
    const auto now = status();
    if (!now) return detail::fail(now.error());
    return (*now & bits::data_ready) != 0;
}

template <i2c_bus Bus>
expected<void, error> mpu6050<Bus>::wait_ready(std::uint32_t timeout_us) {
    if (timeout_us == 0) timeout_us = 4 * period_us_;
    const std::uint32_t step = period_us_ < 800 ? 100 : period_us_ / 8;
    for (std::uint32_t waited = 0;; waited += step) {
        const auto ready = data_ready();
        if (!ready) return detail::fail(ready.error());
        if (*ready) return {};
        if (waited >= timeout_us) return detail::fail(error::no_data);
        bus_->wait_us(step);
    }
}

template <i2c_bus Bus>
expected<raw_sample, error> mpu6050<Bus>::read() {
    const std::uint8_t first = reg::accel_xout_h;
    raw_sample sample;
    auto* bytes = reinterpret_cast<std::uint8_t*>(&sample);
    if (auto done = bus_->write_read(address_, {&first, 1}, {bytes, sizeof sample}); !done)
        return detail::fail(done.error());
    to_host(bytes, 1);
    return sample;
}

template <i2c_bus Bus>
expected<void, error> mpu6050<Bus>::start_fifo() {
    overflowed_ = false;
    // FIFO_RESET works only while FIFO_EN is 0. RM-MPU-6000A section 4.27.
    if (auto done = write_register(reg::user_ctrl, 0); !done) return done;
    if (auto done = write_register(reg::fifo_en, bits::fifo_all); !done) return done;
    if (auto done = write_register(reg::user_ctrl, bits::fifo_reset); !done) return done;
    if (const auto stale = read_register(reg::int_status); !stale) return detail::fail(stale.error());
    return write_register(reg::user_ctrl, bits::fifo_enable);
}

template <i2c_bus Bus>
expected<fifo_batch, error> mpu6050<Bus>::read_fifo(std::span<raw_sample> into) {
    // Count first, then the flag: an overflow between the two is seen now, not one batch late.
    const std::uint8_t count_at = reg::fifo_count_h;
    std::uint8_t count[2] = {};
    if (auto done = bus_->write_read(address_, {&count_at, 1}, count); !done) return detail::fail(done.error());
    if (const auto now = status(); !now) return detail::fail(now.error());
    const auto held = static_cast<std::size_t>(count[0] << 8U | count[1]);
    if (overflowed_ || held > fifo_bytes() - sizeof(raw_sample)) {
        if (auto done = start_fifo(); !done) return detail::fail(done.error());
        return fifo_batch{.count = 0, .remaining = 0, .overflow = true, .lost = held / sizeof(raw_sample)};
    }
    const std::size_t there = held / sizeof(raw_sample);
    const std::size_t taken = there < into.size() ? there : into.size();
    if (taken > 0) {
        const std::uint8_t fifo_at = reg::fifo_r_w;
        auto* bytes = reinterpret_cast<std::uint8_t*>(into.data());
        if (auto done = bus_->write_read(address_, {&fifo_at, 1}, {bytes, taken * sizeof(raw_sample)}); !done)
            return detail::fail(done.error());
        to_host(bytes, taken);
    }
    return fifo_batch{.count = taken, .remaining = there - taken};
}

template <i2c_bus Bus>
si_sample mpu6050<Bus>::to_si(const raw_sample& raw) const noexcept {
    const float accel = static_cast<float>(standard_gravity) / lsb_per_g(config_.accel);
    const float gyro = 1.0F / lsb_per_dps(config_.gyro);
    si_sample si;
    for (std::size_t i = 0; i < 3; ++i) {
        si.accel_mps2[i] = accel * static_cast<float>(raw.accel[i]);
        si.gyro_dps[i] = gyro * static_cast<float>(raw.gyro[i]);
    }
    si.temperature_c = temperature_c(raw.temperature);
    return si;
}

/// MPU-6050: RM-MPU-6000A section 4.18. MPU-6500 family: RM-MPU-6500A section 4.23, PS-MPU-6500A table 2
/// (333.87 LSB/°C, 0 at 21 °C).
template <i2c_bus Bus>
float mpu6050<Bus>::temperature_c(std::int16_t raw) const noexcept {
    return chip_ == chip::mpu6050 ? static_cast<float>(raw) / 340.0F + 36.53F
                                  : static_cast<float>(raw) / 333.87F + 21.0F;
}

/// Big-endian words to the processor's, in place.
template <i2c_bus Bus>
void mpu6050<Bus>::to_host(std::uint8_t* bytes, std::size_t samples) noexcept {
    for (std::size_t i = 0; i < samples * sizeof(raw_sample); i += 2) {
        const auto word = static_cast<std::uint16_t>(bytes[i] << 8U | bytes[i + 1]);
        std::memcpy(bytes + i, &word, sizeof word);
    }
}

}  // namespace edge::imu
