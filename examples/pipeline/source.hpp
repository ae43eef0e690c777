// SPDX-License-Identifier: MIT
#pragma once

/// @file Where the samples come from: a simulated drive, a recording replayed through the simulated chip, or a real one.
///
///     const auto from = pipeline::simulated_drive(200);
///     pipeline::reading r;
///     while (from->next(r)) queue.push(r);
///
/// All three go through the same driver, register by register.

#include "common/imu_trace.hpp"
#include "pipeline/motion.hpp"

#include <edge/core/random.hpp>
#include <edge/imu.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <edge/imu/linux_i2c.hpp>
#endif

namespace pipeline {

/// One sample in units, when and where it was taken, and what the carrier was truly doing.
struct reading {
    std::int64_t ts_ns = 0;  ///< since 1970, UTC
    edge::imu::si_sample values{};
    float x = std::numeric_limits<float>::quiet_NaN();  ///< m; a position comes once a second, NaN between two
    float y = std::numeric_limits<float>::quiet_NaN();
    bool saturated = false;  ///< a value stood at the end of its range
    std::int8_t truth = -1;  ///< index into motion_state_names; -1 where nobody knows
};

class source {
public:
    virtual ~source() = default;

    /// The next sample. False at the end of a recording.
    /// @throws edge::io_error  if the bus fails again and again
    virtual bool next(reading& into) = 0;

    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual double rate_hz() const = 0;
    [[nodiscard]] virtual bool is_live() const { return false; }  ///< it cannot wait: what is not taken is lost
    [[nodiscard]] virtual std::uint64_t lost() const { return 0; }
};

namespace detail {

/// ±8 g and ±1000 °/s hold what a vehicle and a hand do; a recorded flight is meant to run into the end of the range.
inline edge::imu::config settings(double rate_hz, edge::imu::accel_range accel = edge::imu::g8) {
    if (!(rate_hz >= 4 && rate_hz <= 1000))
        throw edge::argument_error(edge::message("--rate ", rate_hz, "; the chip samples at 4 to 1000 Hz"));
    return {.rate_hz = static_cast<std::uint16_t>(std::lround(rate_hz)),
            .accel = accel,
            .gyro = edge::imu::dps1000,
            .dlpf = rate_hz >= 100 ? edge::imu::hz42 : edge::imu::hz20};
}

template <class T>
void check(const edge::expected<T, edge::imu::error>& done, const std::string& doing) {
    if (!done) throw edge::io_error(edge::message(doing, ": ", edge::imu::to_string(done.error())));
}

[[nodiscard]] inline bool is_saturated(const edge::imu::raw_sample& raw) {
    for (const auto& axes : {raw.accel, raw.gyro})
        for (const std::int16_t v : axes)
            if (v == (std::numeric_limits<std::int16_t>::max)() || v == (std::numeric_limits<std::int16_t>::min)())
                return true;
    return false;
}

/// A receiver that gives a position a second, true to about a metre.
class receiver {
public:
    void locate(const edge::imu::motion& truth, std::int64_t at_ns, reading& into) {
        if (at_ns < next_ns_) return;
        next_ns_ = at_ns + 1'000'000'000;
        into.x = static_cast<float>(truth.x + error());
        into.y = static_cast<float>(truth.y + error());
    }

private:
    /// Mean 0, standard deviation 1 m: four uniforms added.
    double error() {
        double sum = -2;
        for (int i = 0; i < 4; ++i) sum += noise_.uniform();
        return sum * 1.7320508075688772;
    }

    edge::splitmix64 noise_{20};
    std::int64_t next_ns_ = 0;
};

/// The chip in memory, fed by a drive or a recording.
class simulated : public source {
public:
    simulated(edge::imu::simulator::source felt, const edge::imu::simulator_options& options,
              const edge::imu::config& wanted)
        : device_([this, felt = std::move(felt)](double t) { return felt((std::max)(t - start_s_, 0.0)); }, options),
          driver_(device_) {
        check(driver_.configure(wanted), "simulated MPU-6050");
        start_s_ = static_cast<double>(device_.now_ns()) * 1e-9;
        start_ns_ = device_.now_ns();
    }

    [[nodiscard]] double rate_hz() const override { return 1e6 / driver_.period_us(); }

protected:
    /// Device time of the sample since the start, in ns.
    std::int64_t take(reading& into) {
        device_.advance_to_sample();
        const auto raw = driver_.read();
        check(raw, "simulated MPU-6050");
        const std::int64_t since = device_.sample_ns() - start_ns_;
        into = {.ts_ns = epoch_ns + since, .values = driver_.to_si(*raw), .saturated = is_saturated(*raw)};
        return since;
    }

    /// Simulated time begins here, so that the same run writes the same files: 2026-01-01T00:00:00Z.
    static constexpr std::int64_t epoch_ns = 1'767'225'600'000'000'000;

private:
    double start_s_ = std::numeric_limits<double>::infinity();  ///< of device time; until then the chip rests
    std::int64_t start_ns_ = 0;
    edge::imu::simulator device_;
    edge::imu::mpu6050<edge::imu::simulator> driver_;
};

class drive final : public simulated {
public:
    drive(double rate_hz, std::shared_ptr<const edge::imu::scenario> scenario, const edge::imu::simulator_options& chip)
        : simulated([scenario](double t) -> edge::imu::stimulus { return scenario->motion_at(t); }, chip,
                    settings(rate_hz)),
          scenario_(std::move(scenario)) {}

    bool next(reading& into) override {
        const std::int64_t since = take(into);
        // The truth is looked up ten times a second: a state lasts seconds.
        if (since >= next_truth_ns_) {
            next_truth_ns_ = since + 100'000'000;
            truth_ = scenario_->motion_at(static_cast<double>(since) * 1e-9);
        }
        into.truth = static_cast<std::int8_t>(edge::imu::label_of(truth_.state));
        receiver_.locate(truth_, since, into);
        return true;
    }

    [[nodiscard]] std::string name() const override { return "simulated MPU-6050 on the built-in drive"; }

private:
    std::shared_ptr<const edge::imu::scenario> scenario_;
    edge::imu::motion truth_{};
    receiver receiver_;
    std::int64_t next_truth_ns_ = 0;
};

class replay final : public simulated {
public:
    replay(const std::string& path, double rate_hz, std::shared_ptr<const edge::imu::trace> recording)
        : simulated([recording](double t) { return recording->at(t); }, {.noise = 0, .low_pass = false},
                    settings(rate_hz, edge::imu::g16)),
          path_(path),
          end_ns_(static_cast<std::int64_t>(recording->duration() * 1e9)) {}

    bool next(reading& into) override { return take(into) <= end_ns_; }
    [[nodiscard]] std::string name() const override { return "recording " + path_ + " through a simulated MPU-6050"; }

private:
    std::string path_;
    std::int64_t end_ns_;
};

#if defined(__linux__)
class board final : public source {
public:
    board(const std::string& device, double rate_hz) : device_(device), bus_(device.c_str()), driver_(bus_) {
        if (!bus_.is_open())
            throw edge::io_error(edge::message(device, ": cannot open: ", std::strerror(bus_.last_errno())));
        check(driver_.configure(settings(rate_hz)), device);
    }

    /// A failed transfer is a lost sample; a second of them is a broken bus.
    bool next(reading& into) override {
        const auto patience = static_cast<std::uint64_t>(rate_hz());
        for (std::uint64_t failures = 0;; ++failures) {
            const auto ready = driver_.wait_ready();
            const auto raw = ready ? driver_.read()
                                   : edge::expected<edge::imu::raw_sample, edge::imu::error>(
                                         edge::unexpected<edge::imu::error>(ready.error()));
            if (raw) {
                const auto now = std::chrono::system_clock::now().time_since_epoch();
                into = {.ts_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(),
                        .values = driver_.to_si(*raw),
                        .saturated = is_saturated(*raw)};
                return true;
            }
            ++lost_;
            if (failures >= patience) check(raw, device_);
        }
    }

    [[nodiscard]] std::string name() const override {
        return edge::message(edge::imu::to_string(driver_.chip()), " on ", device_);
    }
    [[nodiscard]] double rate_hz() const override { return 1e6 / driver_.period_us(); }
    [[nodiscard]] bool is_live() const override { return true; }
    [[nodiscard]] std::uint64_t lost() const override { return lost_; }

private:
    std::string device_;
    edge::imu::linux_i2c bus_;
    edge::imu::mpu6050<edge::imu::linux_i2c> driver_;
    std::uint64_t lost_ = 0;
};
#endif

}  // namespace detail

/// A drive, for ever: the built-in one, or another.
/// @throws edge::argument_error  if the chip cannot sample at that rate
[[nodiscard]] inline std::unique_ptr<source> simulated_drive(
    double rate_hz, const edge::imu::scenario_parameters& way = {},
    const edge::imu::simulator_options& chip = edge::imu::random_device(1)) {
    return std::make_unique<detail::drive>(rate_hz, std::make_shared<const edge::imu::scenario>(way), chip);
}

/// @throws edge::error  if the file cannot be read or is no recording of an inertial sensor
[[nodiscard]] inline std::unique_ptr<source> recorded(const std::string& path, double rate_hz) {
    return std::make_unique<detail::replay>(path, rate_hz,
                                            std::make_shared<const edge::imu::trace>(read_imu_trace(path)));
}

/// @throws edge::error  if the bus cannot be opened or there is no such chip on it
[[nodiscard]] inline std::unique_ptr<source> i2c_board(const std::string& device, double rate_hz) {
#if defined(__linux__)
    return std::make_unique<detail::board>(device, rate_hz);
#else
    throw edge::unsupported_error(edge::message("--i2c ", device, ": only on Linux"));
#endif
}

}  // namespace pipeline
