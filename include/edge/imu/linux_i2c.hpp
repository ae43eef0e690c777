// SPDX-License-Identifier: MIT
#pragma once

/// @file A real I2C bus of Linux, /dev/i2c-N.
///
///     edge::imu::linux_i2c bus{"/dev/i2c-1"};
///     if (!bus.is_open()) std::perror("/dev/i2c-1");        // errno of the failed open
///     edge::imu::mpu6050 imu{bus};
///
/// Transfers go through ioctl(I2C_RDWR), so that a write and the read behind it are one. The user needs to be in the
/// group `i2c`. Source: Linux Documentation/i2c/dev-interface.rst and fault-codes.rst.

#if !defined(__linux__)
#error "edge/imu/linux_i2c.hpp is for Linux; elsewhere write a class that models edge::imu::i2c_bus"
#endif

#include <edge/imu/bus.hpp>

#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

namespace edge::imu {

class linux_i2c {
public:
    /// Opens the bus; where that fails every transfer is `bus_closed` and `last_errno` says why.
    /// @param timeout_ms  of one transfer, in steps of 10
    explicit linux_i2c(const char* path, unsigned timeout_ms = 50) noexcept : fd_(::open(path, O_RDWR | O_CLOEXEC)) {
        if (fd_ < 0) {
            errno_ = errno;
            return;
        }
        unsigned long functions = 0;
        if (::ioctl(fd_, I2C_FUNCS, &functions) < 0 || (functions & I2C_FUNC_I2C) == 0) {
            errno_ = errno != 0 ? errno : EOPNOTSUPP;
            close();
            return;
        }
        // An adapter may refuse these; its own defaults hold then.
        (void)::ioctl(fd_, I2C_TIMEOUT, static_cast<unsigned long>((timeout_ms + 9) / 10));
        (void)::ioctl(fd_, I2C_RETRIES, 0UL);
    }
    linux_i2c(linux_i2c&& other) noexcept : fd_(std::exchange(other.fd_, -1)), errno_(other.errno_) {}
    linux_i2c& operator=(linux_i2c&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(errno_, other.errno_);
        return *this;
    }
    ~linux_i2c() { close(); }

    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

    /// errno of the last failure, 0 before any.
    [[nodiscard]] int last_errno() const noexcept { return errno_; }

    edge::expected<void, error> write(std::uint8_t address, std::span<const std::uint8_t> bytes) noexcept {
        i2c_msg out = message(address, bytes);
        return transfer(&out, 1);
    }

    edge::expected<void, error> write_read(std::uint8_t address, std::span<const std::uint8_t> bytes,
                                           std::span<std::uint8_t> into) noexcept {
        i2c_msg both[2] = {message(address, bytes), message(address, into)};
        both[1].flags = I2C_M_RD;
        return bytes.empty() ? transfer(both + 1, 1) : transfer(both, 2);
    }

    void wait_us(std::uint32_t us) noexcept {
        timespec left{static_cast<time_t>(us / 1000000U), static_cast<long>(us % 1000000U) * 1000L};
        while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
        }
    }

private:
    /// The kernel's structure has no const; it does not write to the buffer of a message without I2C_M_RD.
    static i2c_msg message(std::uint8_t address, std::span<const std::uint8_t> bytes) noexcept {
        i2c_msg m{};
        m.addr = address;
        m.len = static_cast<std::uint16_t>(bytes.size());
        m.buf = const_cast<std::uint8_t*>(bytes.data());
        return m;
    }

    edge::expected<void, error> transfer(i2c_msg* messages, unsigned count) noexcept {
        if (fd_ < 0) return detail::fail(error::bus_closed);
        i2c_rdwr_ioctl_data all{messages, count};
        const int done = ::ioctl(fd_, I2C_RDWR, &all);
        if (done == static_cast<int>(count)) return {};
        if (done >= 0) return detail::fail(error::short_transfer);
        errno_ = errno;
        switch (errno_) {
            case ENXIO:
            case EREMOTEIO: return detail::fail(error::nack);
            case ETIMEDOUT: return detail::fail(error::timeout);
            case EAGAIN:
            case EBUSY: return detail::fail(error::bus_stuck);
            case EIO: return detail::fail(error::nack);  // what several adapters say instead of ENXIO
            default: return detail::fail(error::bus_closed);
        }
    }

    void close() noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    int fd_;
    int errno_ = 0;
};
static_assert(i2c_bus<linux_i2c>);

}  // namespace edge::imu
