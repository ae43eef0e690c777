// SPDX-License-Identifier: MIT
#pragma once

/// @file What can go wrong between a program and an inertial sensor.
///
///     const auto sample = imu.read();
///     if (!sample) std::puts(edge::imu::to_string(sample.error()));

#include <edge/core/expected.hpp>

#include <cstdint>

namespace edge::imu {

enum class error : std::uint8_t {
    nack,            ///< nobody acknowledged the address or a byte
    timeout,         ///< the transfer took longer than the bus allows
    bus_stuck,       ///< a line is held low, or arbitration was lost
    short_transfer,  ///< fewer bytes moved than were asked for
    bus_closed,      ///< the bus could not be opened, or does not do I2C transfers
    wrong_identity,  ///< WHO_AM_I is not that of a chip the driver knows
    bad_config,      ///< no register setting stands for the configuration
    readback,        ///< the registers do not hold what was written
    no_data,         ///< no sample became ready in time
    unsupported,     ///< this chip of the family does it in another way
};

/// One lower-case line.
[[nodiscard]] constexpr const char* to_string(error e) noexcept {
    switch (e) {
        case error::nack: return "no acknowledge from the device";
        case error::timeout: return "bus transfer timed out";
        case error::bus_stuck: return "bus is stuck or arbitration was lost";
        case error::short_transfer: return "bus moved fewer bytes than asked for";
        case error::bus_closed: return "bus is not open";
        case error::wrong_identity: return "WHO_AM_I is not that of a known chip";
        case error::bad_config: return "the chip cannot be configured like this";
        case error::readback: return "registers do not hold what was written to them";
        case error::no_data: return "no sample became ready in time";
        case error::unsupported: return "not known for this chip";
    }
    return "unknown error";
}

namespace detail {

constexpr edge::unexpected<error> fail(error e) { return edge::unexpected<error>(e); }

}  // namespace detail
}  // namespace edge::imu
