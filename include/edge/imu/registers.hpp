// SPDX-License-Identifier: MIT
#pragma once

/// @file The registers of an MPU-6050: addresses, bits, scales, and what they hold after power-on.
///
///     imu.write_register(reg::gyro_config, bits::full_scale(gyro_range::dps500));
///     const float g = count / lsb_per_g(accel_range::g4);
///     for (const auto& r : register_map) std::printf("%02x %s\n", r.address, r.name);
///
/// Source: InvenSense RM-MPU-6000A-00 revision 4.2 (register map) and PS-MPU-6000A-00 revision 3.4 (product
/// specification). Multi-byte values are big-endian two's complement.

#include <array>
#include <cstdint>

namespace edge::imu {

inline constexpr std::uint8_t default_address = 0x68;  ///< with AD0 low; 0x69 with AD0 high

namespace reg {
inline constexpr std::uint8_t self_test_x = 0x0D;
inline constexpr std::uint8_t self_test_y = 0x0E;
inline constexpr std::uint8_t self_test_z = 0x0F;
inline constexpr std::uint8_t self_test_a = 0x10;
inline constexpr std::uint8_t smplrt_div = 0x19;
inline constexpr std::uint8_t config = 0x1A;
inline constexpr std::uint8_t gyro_config = 0x1B;
inline constexpr std::uint8_t accel_config = 0x1C;
inline constexpr std::uint8_t accel_config_2 = 0x1D;  ///< MPU-6500 and its successors only: accelerometer filter
inline constexpr std::uint8_t fifo_en = 0x23;
inline constexpr std::uint8_t int_pin_cfg = 0x37;
inline constexpr std::uint8_t int_enable = 0x38;
inline constexpr std::uint8_t int_status = 0x3A;
inline constexpr std::uint8_t accel_xout_h = 0x3B;
inline constexpr std::uint8_t temp_out_h = 0x41;
inline constexpr std::uint8_t gyro_xout_h = 0x43;
inline constexpr std::uint8_t signal_path_reset = 0x68;
inline constexpr std::uint8_t user_ctrl = 0x6A;
inline constexpr std::uint8_t pwr_mgmt_1 = 0x6B;
inline constexpr std::uint8_t pwr_mgmt_2 = 0x6C;
inline constexpr std::uint8_t fifo_count_h = 0x72;
inline constexpr std::uint8_t fifo_r_w = 0x74;
inline constexpr std::uint8_t who_am_i = 0x75;
}  // namespace reg

/// Full scale of the accelerometer: AFS_SEL.
enum class accel_range : std::uint8_t { g2, g4, g8, g16 };

/// Full scale of the gyroscope: FS_SEL.
enum class gyro_range : std::uint8_t { dps250, dps500, dps1000, dps2000 };

/// Digital low-pass filter, named by the gyroscope's bandwidth: DLPF_CFG. `hz256` runs the gyroscope at 8 kHz, the
/// others at 1 kHz; the accelerometer runs at 1 kHz always.
enum class filter : std::uint8_t { hz256, hz188, hz98, hz42, hz20, hz10, hz5 };

using enum accel_range;
using enum gyro_range;
using enum filter;

namespace bits {
// CONFIG, GYRO_CONFIG, ACCEL_CONFIG
inline constexpr std::uint8_t dlpf_cfg = 0x07;
inline constexpr std::uint8_t fs_sel = 0x18;       ///< and AFS_SEL
inline constexpr std::uint8_t self_test_x = 0x80;  ///< of either sensor
inline constexpr std::uint8_t self_test_y = 0x40;
inline constexpr std::uint8_t self_test_z = 0x20;
// FIFO_EN
inline constexpr std::uint8_t fifo_temp = 0x80;
inline constexpr std::uint8_t fifo_gyro_x = 0x40;
inline constexpr std::uint8_t fifo_gyro_y = 0x20;
inline constexpr std::uint8_t fifo_gyro_z = 0x10;
inline constexpr std::uint8_t fifo_accel = 0x08;
inline constexpr std::uint8_t fifo_all = 0xF8;  ///< the same 14 bytes, in the same order, as from ACCEL_XOUT_H on
// INT_PIN_CFG
inline constexpr std::uint8_t latch_int_en = 0x20;
inline constexpr std::uint8_t int_rd_clear = 0x10;
// INT_ENABLE, INT_STATUS
inline constexpr std::uint8_t fifo_overflow = 0x10;
inline constexpr std::uint8_t data_ready = 0x01;
// USER_CTRL
inline constexpr std::uint8_t fifo_enable = 0x40;
inline constexpr std::uint8_t fifo_reset = 0x04;
inline constexpr std::uint8_t sig_cond_reset = 0x01;
// PWR_MGMT_1
inline constexpr std::uint8_t device_reset = 0x80;
inline constexpr std::uint8_t sleep = 0x40;
inline constexpr std::uint8_t clksel = 0x07;
inline constexpr std::uint8_t clock_gyro_x = 0x01;  ///< PLL on the x gyroscope, steadier than the internal 8 MHz

[[nodiscard]] constexpr std::uint8_t full_scale(accel_range r) noexcept {
    return static_cast<std::uint8_t>(static_cast<unsigned>(r) << 3U);
}
[[nodiscard]] constexpr std::uint8_t full_scale(gyro_range r) noexcept {
    return static_cast<std::uint8_t>(static_cast<unsigned>(r) << 3U);
}
}  // namespace bits

inline constexpr double standard_gravity = 9.80665;  ///< m/s² of one g

/// 16384 at ±2 g, halved with each step. RM-MPU-6000A section 4.17.
[[nodiscard]] constexpr float lsb_per_g(accel_range r) noexcept {
    return 16384.0F / static_cast<float>(1U << static_cast<unsigned>(r));
}

/// 131, 65.5, 32.8, 16.4: the rounded sensitivities of the data sheet, not 32768 / range. RM-MPU-6000A section 4.19.
[[nodiscard]] constexpr float lsb_per_dps(gyro_range r) noexcept {
    constexpr float table[4] = {131.0F, 65.5F, 32.8F, 16.4F};
    return table[static_cast<unsigned>(r) & 3U];
}

/// Bandwidths in Hz by DLPF_CFG. RM-MPU-6000A section 4.3.
[[nodiscard]] constexpr int accel_bandwidth_hz(filter f) noexcept {
    constexpr int table[8] = {260, 184, 94, 44, 21, 10, 5, 260};
    return table[static_cast<unsigned>(f) & 7U];
}
[[nodiscard]] constexpr int gyro_bandwidth_hz(filter f) noexcept {
    constexpr int table[8] = {256, 188, 98, 42, 20, 10, 5, 256};
    return table[static_cast<unsigned>(f) & 7U];
}

/// Factory trim: the self-test response of a good part in counts at ±8 g and ±250 °/s, by the 5-bit code of SELF_TEST_X
/// to SELF_TEST_A; 0 where the code is 0, for none. RM-MPU-6000A section 4.1.
[[nodiscard]] constexpr float accel_factory_trim(unsigned code) noexcept {
    if (code == 0) return 0;
    float trim = 4096.0F * 0.34F;
    for (unsigned i = 1; i < code; ++i) trim *= 1.0337376F;  // (0.92 / 0.34)^(1/30)
    return trim;
}
/// @param axis  0, 1, 2 for x, y, z; y responds the other way
[[nodiscard]] constexpr float gyro_factory_trim(unsigned code, unsigned axis) noexcept {
    if (code == 0) return 0;
    float trim = axis == 1 ? -25.0F * 131.0F : 25.0F * 131.0F;
    for (unsigned i = 1; i < code; ++i) trim *= 1.046F;
    return trim;
}

/// One line of the register map.
struct register_info {
    std::uint8_t address;
    bool writable;
    std::uint8_t reset;  ///< value after power-on or DEVICE_RESET
    const char* name;    ///< as in the data sheet
    const char* fields;  ///< bits as NAME high:low
};

/// Every documented register, by address.
inline constexpr std::array<register_info, 82> register_map = {{
    // clang-format off
    {0x0D, true, 0x00, "SELF_TEST_X", "XA_TEST[4:2] 7:5, XG_TEST[4:0] 4:0"},
    {0x0E, true, 0x00, "SELF_TEST_Y", "YA_TEST[4:2] 7:5, YG_TEST[4:0] 4:0"},
    {0x0F, true, 0x00, "SELF_TEST_Z", "ZA_TEST[4:2] 7:5, ZG_TEST[4:0] 4:0"},
    {0x10, true, 0x00, "SELF_TEST_A", "XA_TEST[1:0] 5:4, YA_TEST[1:0] 3:2, ZA_TEST[1:0] 1:0"},
    {0x19, true, 0x00, "SMPLRT_DIV", "sample rate = base / (1 + value); base 8 kHz, or 1 kHz with the filter on"},
    {0x1A, true, 0x00, "CONFIG", "EXT_SYNC_SET 5:3, DLPF_CFG 2:0"},
    {0x1B, true, 0x00, "GYRO_CONFIG", "XG_ST 7, YG_ST 6, ZG_ST 5, FS_SEL 4:3 (250 500 1000 2000 °/s)"},
    {0x1C, true, 0x00, "ACCEL_CONFIG", "XA_ST 7, YA_ST 6, ZA_ST 5, AFS_SEL 4:3 (2 4 8 16 g)"},
    {0x23, true, 0x00, "FIFO_EN", "TEMP 7, XG 6, YG 5, ZG 4, ACCEL 3, SLV2 2, SLV1 1, SLV0 0"},
    {0x24, true, 0x00, "I2C_MST_CTRL", "MULT_MST_EN 7, WAIT_FOR_ES 6, SLV_3_FIFO_EN 5, I2C_MST_P_NSR 4, I2C_MST_CLK 3:0"},
    {0x25, true, 0x00, "I2C_SLV0_ADDR", "RW 7, address 6:0"},
    {0x26, true, 0x00, "I2C_SLV0_REG", "first register"},
    {0x27, true, 0x00, "I2C_SLV0_CTRL", "EN 7, BYTE_SW 6, REG_DIS 5, GRP 4, LEN 3:0"},
    {0x28, true, 0x00, "I2C_SLV1_ADDR", "RW 7, address 6:0"},
    {0x29, true, 0x00, "I2C_SLV1_REG", "first register"},
    {0x2A, true, 0x00, "I2C_SLV1_CTRL", "EN 7, BYTE_SW 6, REG_DIS 5, GRP 4, LEN 3:0"},
    {0x2B, true, 0x00, "I2C_SLV2_ADDR", "RW 7, address 6:0"},
    {0x2C, true, 0x00, "I2C_SLV2_REG", "first register"},
    {0x2D, true, 0x00, "I2C_SLV2_CTRL", "EN 7, BYTE_SW 6, REG_DIS 5, GRP 4, LEN 3:0"},
    {0x2E, true, 0x00, "I2C_SLV3_ADDR", "RW 7, address 6:0"},
    {0x2F, true, 0x00, "I2C_SLV3_REG", "first register"},
    {0x30, true, 0x00, "I2C_SLV3_CTRL", "EN 7, BYTE_SW 6, REG_DIS 5, GRP 4, LEN 3:0"},
    {0x31, true, 0x00, "I2C_SLV4_ADDR", "RW 7, address 6:0"},
    {0x32, true, 0x00, "I2C_SLV4_REG", "register"},
    {0x33, true, 0x00, "I2C_SLV4_DO", "byte to write"},
    {0x34, true, 0x00, "I2C_SLV4_CTRL", "EN 7, INT_EN 6, REG_DIS 5, I2C_MST_DLY 4:0"},
    {0x35, false, 0x00, "I2C_SLV4_DI", "byte read"},
    {0x36, false, 0x00, "I2C_MST_STATUS", "PASS_THROUGH 7, SLV4_DONE 6, LOST_ARB 5, SLV4_NACK 4, SLV3..0_NACK 3:0"},
    {0x37, true, 0x00, "INT_PIN_CFG", "INT_LEVEL 7, INT_OPEN 6, LATCH_INT_EN 5, INT_RD_CLEAR 4, FSYNC_INT_LEVEL 3, FSYNC_INT_EN 2, I2C_BYPASS_EN 1"},
    {0x38, true, 0x00, "INT_ENABLE", "FIFO_OFLOW_EN 4, I2C_MST_INT_EN 3, DATA_RDY_EN 0"},
    {0x3A, false, 0x00, "INT_STATUS", "FIFO_OFLOW_INT 4, I2C_MST_INT 3, DATA_RDY_INT 0; cleared by reading"},
    {0x3B, false, 0x00, "ACCEL_XOUT_H", "acceleration x, high byte"},
    {0x3C, false, 0x00, "ACCEL_XOUT_L", "acceleration x, low byte"},
    {0x3D, false, 0x00, "ACCEL_YOUT_H", "acceleration y, high byte"},
    {0x3E, false, 0x00, "ACCEL_YOUT_L", "acceleration y, low byte"},
    {0x3F, false, 0x00, "ACCEL_ZOUT_H", "acceleration z, high byte"},
    {0x40, false, 0x00, "ACCEL_ZOUT_L", "acceleration z, low byte"},
    {0x41, false, 0x00, "TEMP_OUT_H", "°C = value / 340 + 36.53, high byte"},
    {0x42, false, 0x00, "TEMP_OUT_L", "°C = value / 340 + 36.53, low byte"},
    {0x43, false, 0x00, "GYRO_XOUT_H", "angular rate x, high byte"},
    {0x44, false, 0x00, "GYRO_XOUT_L", "angular rate x, low byte"},
    {0x45, false, 0x00, "GYRO_YOUT_H", "angular rate y, high byte"},
    {0x46, false, 0x00, "GYRO_YOUT_L", "angular rate y, low byte"},
    {0x47, false, 0x00, "GYRO_ZOUT_H", "angular rate z, high byte"},
    {0x48, false, 0x00, "GYRO_ZOUT_L", "angular rate z, low byte"},
    {0x49, false, 0x00, "EXT_SENS_DATA_00", "byte of an external sensor"},
    {0x4A, false, 0x00, "EXT_SENS_DATA_01", "byte of an external sensor"},
    {0x4B, false, 0x00, "EXT_SENS_DATA_02", "byte of an external sensor"},
    {0x4C, false, 0x00, "EXT_SENS_DATA_03", "byte of an external sensor"},
    {0x4D, false, 0x00, "EXT_SENS_DATA_04", "byte of an external sensor"},
    {0x4E, false, 0x00, "EXT_SENS_DATA_05", "byte of an external sensor"},
    {0x4F, false, 0x00, "EXT_SENS_DATA_06", "byte of an external sensor"},
    {0x50, false, 0x00, "EXT_SENS_DATA_07", "byte of an external sensor"},
    {0x51, false, 0x00, "EXT_SENS_DATA_08", "byte of an external sensor"},
    {0x52, false, 0x00, "EXT_SENS_DATA_09", "byte of an external sensor"},
    {0x53, false, 0x00, "EXT_SENS_DATA_10", "byte of an external sensor"},
    {0x54, false, 0x00, "EXT_SENS_DATA_11", "byte of an external sensor"},
    {0x55, false, 0x00, "EXT_SENS_DATA_12", "byte of an external sensor"},
    {0x56, false, 0x00, "EXT_SENS_DATA_13", "byte of an external sensor"},
    {0x57, false, 0x00, "EXT_SENS_DATA_14", "byte of an external sensor"},
    {0x58, false, 0x00, "EXT_SENS_DATA_15", "byte of an external sensor"},
    {0x59, false, 0x00, "EXT_SENS_DATA_16", "byte of an external sensor"},
    {0x5A, false, 0x00, "EXT_SENS_DATA_17", "byte of an external sensor"},
    {0x5B, false, 0x00, "EXT_SENS_DATA_18", "byte of an external sensor"},
    {0x5C, false, 0x00, "EXT_SENS_DATA_19", "byte of an external sensor"},
    {0x5D, false, 0x00, "EXT_SENS_DATA_20", "byte of an external sensor"},
    {0x5E, false, 0x00, "EXT_SENS_DATA_21", "byte of an external sensor"},
    {0x5F, false, 0x00, "EXT_SENS_DATA_22", "byte of an external sensor"},
    {0x60, false, 0x00, "EXT_SENS_DATA_23", "byte of an external sensor"},
    {0x63, true, 0x00, "I2C_SLV0_DO", "byte to write"},
    {0x64, true, 0x00, "I2C_SLV1_DO", "byte to write"},
    {0x65, true, 0x00, "I2C_SLV2_DO", "byte to write"},
    {0x66, true, 0x00, "I2C_SLV3_DO", "byte to write"},
    {0x67, true, 0x00, "I2C_MST_DELAY_CTRL", "DELAY_ES_SHADOW 7, SLV4..0_DLY_EN 4:0"},
    {0x68, true, 0x00, "SIGNAL_PATH_RESET", "GYRO_RESET 2, ACCEL_RESET 1, TEMP_RESET 0"},
    {0x6A, true, 0x00, "USER_CTRL", "FIFO_EN 6, I2C_MST_EN 5, I2C_IF_DIS 4, FIFO_RESET 2, I2C_MST_RESET 1, SIG_COND_RESET 0"},
    {0x6B, true, 0x40, "PWR_MGMT_1", "DEVICE_RESET 7, SLEEP 6, CYCLE 5, TEMP_DIS 3, CLKSEL 2:0"},
    {0x6C, true, 0x00, "PWR_MGMT_2", "LP_WAKE_CTRL 7:6, STBY_XA 5, STBY_YA 4, STBY_ZA 3, STBY_XG 2, STBY_YG 1, STBY_ZG 0"},
    {0x72, false, 0x00, "FIFO_COUNT_H", "bytes in the FIFO, high byte"},
    {0x73, false, 0x00, "FIFO_COUNT_L", "bytes in the FIFO, low byte"},
    {0x74, true, 0x00, "FIFO_R_W", "next byte of the FIFO; does not advance in a burst"},
    {0x75, false, 0x68, "WHO_AM_I", "identity 6:1"},
    // clang-format on
}};

}  // namespace edge::imu
