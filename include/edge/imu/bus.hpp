// SPDX-License-Identifier: MIT
#pragma once

/// @file What a driver asks of an I2C bus, and a bus that tries again.
///
///     struct my_bus {   // on a microcontroller: over its peripheral registers
///         edge::expected<void, edge::imu::error> write(std::uint8_t address, std::span<const std::uint8_t> bytes);
///         edge::expected<void, edge::imu::error> write_read(std::uint8_t address, std::span<const std::uint8_t> bytes,
///                                                           std::span<std::uint8_t> into);
///         void wait_us(std::uint32_t us);
///     };
///     edge::imu::retrying_bus bus{peripheral, {.attempts = 3}};
///
/// There are `linux_i2c` for /dev/i2c-N and `simulator`, which is bus and device in one.

#include <edge/imu/error.hpp>

#include <concepts>
#include <cstdint>
#include <span>

namespace edge::imu {

/// An I2C bus as its master sees it; addresses are 7-bit.
///
/// `write_read` writes, then reads behind a repeated start, as one transfer. Every transfer ends within a time of the
/// bus's own. `wait_us` returns no earlier than that many microseconds from now; a simulated bus moves its clock.
template <class B>
concept i2c_bus = requires(B bus, std::uint8_t address, std::span<const std::uint8_t> bytes,
                           std::span<std::uint8_t> into) {
    { bus.write(address, bytes) } -> std::same_as<edge::expected<void, error>>;
    { bus.write_read(address, bytes, into) } -> std::same_as<edge::expected<void, error>>;
    bus.wait_us(std::uint32_t{});
};

struct retry_options {
    std::uint8_t attempts = 3;     ///< in all, at least 1
    std::uint32_t pause_us = 500;  ///< before each further one
};

/// A bus whose failed transfers are done again, but for reads of FIFO_R_W: one that failed half way has eaten bytes, so
/// the caller has to look at the FIFO's count first.
template <i2c_bus Bus>
class retrying_bus {
public:
    explicit retrying_bus(Bus& bus, retry_options options = {}) noexcept : bus_(&bus), options_(options) {}

    edge::expected<void, error> write(std::uint8_t address, std::span<const std::uint8_t> bytes) {
        return again(true, [&] { return bus_->write(address, bytes); });
    }
    edge::expected<void, error> write_read(std::uint8_t address, std::span<const std::uint8_t> bytes,
                                           std::span<std::uint8_t> into) {
        constexpr std::uint8_t fifo_r_w = 0x74;
        const bool repeatable = bytes.empty() || bytes[0] != fifo_r_w;
        return again(repeatable, [&] { return bus_->write_read(address, bytes, into); });
    }
    void wait_us(std::uint32_t us) { bus_->wait_us(us); }

    /// Transfers that were done again since the start.
    [[nodiscard]] std::uint32_t retries() const noexcept { return retries_; }

private:
    template <class Transfer>
    edge::expected<void, error> again(bool repeatable, Transfer transfer) {
        auto done = transfer();
        for (int i = 1; !done && repeatable && i < options_.attempts; ++i) {
            ++retries_;
            bus_->wait_us(options_.pause_us);
            done = transfer();
        }
        return done;
    }

    Bus* bus_;
    retry_options options_;
    std::uint32_t retries_ = 0;
};

}  // namespace edge::imu
