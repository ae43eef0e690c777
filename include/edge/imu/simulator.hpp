// SPDX-License-Identifier: MIT
#pragma once

/// @file An MPU-6050 and its bus in memory, register by register.
///
///     edge::imu::scenario drive;
///     edge::imu::simulator device{[&](double t) { return drive.motion_at(t); }};
///     edge::imu::mpu6050 imu{device};            // the driver cannot tell
///     device.advance(5'000'000);                 // 5 ms of device time; nothing looks at a clock
///     device.inject({.kind = edge::imu::fault_kind::nack, .after = 100, .count = 2});
///
/// What the data sheets leave open is decided here: DEVICE_RESET lasts 10 ms; the register address wraps from 0x7F to
/// 0; DLPF is a filter of first order at the stated bandwidth; interrupt status bits are set only where INT_ENABLE says
/// so. Not there: the auxiliary I2C master, CYCLE mode, the motion processor, bus time. Sources: registers.hpp.

#include <edge/imu/bus.hpp>
#include <edge/imu/motion.hpp>
#include <edge/imu/registers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>

namespace edge::imu {

/// The individual chip: where it differs from a perfect one.
struct simulator_options {
    std::uint64_t seed = 1;     ///< of the noise
    double noise = 1;           ///< multiple of the typical density: 400 µg/√Hz, 0.005 °/s/√Hz
    bool low_pass = true;       ///< DLPF filters what is felt; false: only the noise depends on it
    vec3 accel_bias{};          ///< m/s²
    vec3 gyro_bias{};           ///< rad/s
    vec3 accel_scale{1, 1, 1};  ///< 1.03 reads 3 % too much
    vec3 gyro_scale{1, 1, 1};
    std::array<std::uint8_t, 3> accel_trim{14, 15, 17};  ///< factory codes, 0 to 31
    std::array<std::uint8_t, 3> gyro_trim{12, 13, 15};
    vec3 accel_response{1, 1, 1};  ///< to the self-test, as a share of the factory's
    vec3 gyro_response{1, 1, 1};
    std::uint8_t address = default_address;
    std::uint8_t who_am_i = 0x68;  ///< others behave as the MPU-6500 family: temperature formula, 512-byte FIFO
};

/// A chip with errors drawn from the tolerances of PS-MPU-6000A sections 6.1 and 6.2, half of them used.
[[nodiscard]] inline simulator_options random_device(std::uint64_t seed) {
    detail::random_source random(seed ^ 0xD1CEU);
    simulator_options o;
    o.seed = random.bits();
    o.noise = random.uniform(0.5, 2);
    for (std::size_t i = 0; i < 3; ++i) {
        const double zero_g = (i == 2 ? 0.080 : 0.050) * standard_gravity;
        constexpr double zero_rate = 20 * 0.017453292519943295;
        o.accel_bias[i] = 0.5 * zero_g * random.uniform(-1, 1);
        o.gyro_bias[i] = 0.5 * zero_rate * random.uniform(-1, 1) * random.uniform();
        o.accel_scale[i] = 1 + 0.5 * 0.03 * random.uniform(-1, 1);
        o.gyro_scale[i] = 1 + 0.5 * 0.03 * random.uniform(-1, 1);
    }
    return o;
}

enum class fault_kind : std::uint8_t {
    none,
    nack,        ///< transfers are not acknowledged
    timeout,     ///< transfers time out
    stuck_bus,   ///< SDA is held low
    short_read,  ///< reads stop half way
    wrong_id,    ///< WHO_AM_I reads 0x00
    frozen,      ///< the chip answers, but samples no more
};

struct fault {
    fault_kind kind = fault_kind::none;
    std::uint64_t after = 0;                                            ///< transfers that still succeed
    std::uint64_t count = (std::numeric_limits<std::uint64_t>::max)();  ///< transfers that fail then
};

class simulator {
public:
    /// What the chip feels at a device time in seconds. Called with times that never decrease.
    using source = std::function<stimulus(double seconds)>;

    explicit simulator(source felt, const simulator_options& options = {})
        : source_(std::move(felt)), options_(options), random_(options.seed) {
        power_on();
    }

    /// All registers and the FIFO as after switching on; device time goes on.
    void power_on();

    /// Moves device time; samples that fall due are taken.
    void advance(std::int64_t ns);

    /// Moves to the instant of the next sample and takes it. False where the chip sleeps.
    bool advance_to_sample();

    [[nodiscard]] std::int64_t now_ns() const noexcept { return now_; }
    [[nodiscard]] std::int64_t sample_ns() const noexcept { return sampled_; }  ///< when the newest sample was taken
    [[nodiscard]] std::uint64_t samples() const noexcept { return samples_; }   ///< taken since the start
    [[nodiscard]] std::uint64_t clipped() const noexcept { return clipped_; }  ///< values that met the end of the range
    [[nodiscard]] std::uint64_t transfers() const noexcept { return transfers_; }

    void inject(const fault& f) noexcept {
        fault_ = f;
        fault_from_ = transfers_;
    }

    /// A register as the chip holds it, with no side effect.
    [[nodiscard]] std::uint8_t peek(std::uint8_t at) const noexcept { return registers_[at & 0x7FU]; }

    // i2c_bus
    edge::expected<void, error> write(std::uint8_t address, std::span<const std::uint8_t> bytes);
    edge::expected<void, error> write_read(std::uint8_t address, std::span<const std::uint8_t> bytes,
                                           std::span<std::uint8_t> into);
    void wait_us(std::uint32_t us) { advance(std::int64_t{us} * 1000); }

private:
    static constexpr std::int64_t reset_ns = 10'000'000;
    static constexpr std::int64_t never = (std::numeric_limits<std::int64_t>::max)();

    edge::expected<void, error> begin(std::uint8_t address);
    std::uint8_t load();
    void store(std::uint8_t value);
    void reschedule();
    void tick();
    void take_sample();
    void put(std::uint8_t at, double counts);
    void push_fifo();
    void raise(unsigned interrupt) noexcept {
        registers_[reg::int_status] =
            static_cast<std::uint8_t>(registers_[reg::int_status] | (registers_[reg::int_enable] & interrupt));
    }
    /// What the self-test bits make the sensors feel, in m/s² and rad/s.
    [[nodiscard]] double self_test_force(unsigned axis) const noexcept {
        if ((registers_[reg::accel_config] & (unsigned{bits::self_test_x} >> axis)) == 0) return 0;
        const auto trim = static_cast<double>(accel_factory_trim(options_.accel_trim[axis] & 31U));
        return options_.accel_response[axis] * trim / 4096 * standard_gravity;
    }
    [[nodiscard]] double self_test_rate(unsigned axis) const noexcept {
        if ((registers_[reg::gyro_config] & (unsigned{bits::self_test_x} >> axis)) == 0) return 0;
        const auto trim = static_cast<double>(gyro_factory_trim(options_.gyro_trim[axis] & 31U, axis));
        return options_.gyro_response[axis] * trim / 131 * 0.017453292519943295;
    }
    [[nodiscard]] bool faulty(fault_kind kind) const noexcept;
    [[nodiscard]] filter dlpf() const noexcept { return static_cast<filter>(registers_[reg::config] & bits::dlpf_cfg); }
    [[nodiscard]] bool is_6050() const noexcept { return options_.who_am_i == 0x68; }
    [[nodiscard]] std::size_t fifo_size() const noexcept { return is_6050() ? 1024 : 512; }

    source source_;
    simulator_options options_;
    detail::random_source random_;
    std::array<std::uint8_t, 128> registers_{};
    std::array<bool, 128> writable_{};
    std::uint8_t pointer_ = 0;

    std::int64_t now_ = 0;
    std::int64_t next_tick_ = never;
    std::int64_t tick_ns_ = 0;  ///< 1 ms where the filter runs, else the sample period
    std::int64_t reset_until_ = 0;
    std::int64_t sampled_ = 0;
    unsigned ticks_ = 0;
    unsigned ticks_per_sample_ = 1;

    stimulus felt_{};        ///< behind the filter
    bool primed_ = false;    ///< felt_ holds something
    double accel_gain_ = 1;  ///< of the filter
    double gyro_gain_ = 1;
    double accel_sigma_ = 0;  ///< m/s²
    double gyro_sigma_ = 0;   ///< rad/s

    std::array<std::uint8_t, 1024> fifo_{};
    std::size_t fifo_first_ = 0;
    std::size_t fifo_held_ = 0;
    std::uint8_t fifo_last_ = 0;

    fault fault_{};
    std::uint64_t fault_from_ = 0;
    std::uint64_t transfers_ = 0;
    std::uint64_t samples_ = 0;
    std::uint64_t clipped_ = 0;
};
static_assert(i2c_bus<simulator>);

inline void simulator::power_on() {
    registers_ = {};
    writable_ = {};
    for (const auto& r : register_map) {
        registers_[r.address] = r.reset;
        writable_[r.address] = r.writable;
    }
    registers_[reg::who_am_i] = options_.who_am_i;
    unsigned low_bits = 0;
    for (unsigned i = 0; i < 3; ++i) {
        registers_[reg::self_test_x + i] =
            static_cast<std::uint8_t>((options_.accel_trim[i] >> 2U & 7U) << 5U | (options_.gyro_trim[i] & 31U));
        low_bits |= (options_.accel_trim[i] & 3U) << (4 - 2 * i);
    }
    registers_[reg::self_test_a] = static_cast<std::uint8_t>(low_bits);
    if (!is_6050()) writable_[reg::accel_config_2] = true;
    fifo_first_ = fifo_held_ = 0;
    fifo_last_ = 0;
    primed_ = false;
    reschedule();
}

/// Sampling starts over, one period from now, with what the registers say.
inline void simulator::reschedule() {
    const bool slow = dlpf() != hz256 && static_cast<unsigned>(dlpf()) != 7;
    const unsigned divider = registers_[reg::smplrt_div] + 1U;
    const std::int64_t base_ns = slow ? 1'000'000 : 125'000;
    const bool filtering = slow && options_.low_pass;
    ticks_per_sample_ = filtering ? divider : 1;
    tick_ns_ = filtering ? base_ns : base_ns * divider;
    ticks_ = 0;
    const bool asleep = (registers_[reg::pwr_mgmt_1] & (bits::sleep | bits::device_reset)) != 0;
    next_tick_ = asleep ? never : now_ + tick_ns_;
    if (asleep) primed_ = false;

    const auto gain = [&](int hz) { return filtering ? 1 - std::exp(-2 * 3.14159265358979323846 * hz * 1e-3) : 1.0; };
    accel_gain_ = gain(accel_bandwidth_hz(dlpf()));
    gyro_gain_ = gain(gyro_bandwidth_hz(dlpf()));
    // PS-MPU-6000A section 6.1: 0.005 °/s/√Hz, which gives its 0.05 °/s at 100 Hz; section 6.2: 400 µg/√Hz.
    accel_sigma_ = options_.noise * 400e-6 * standard_gravity * std::sqrt(accel_bandwidth_hz(dlpf()));
    gyro_sigma_ = options_.noise * 0.005 * 0.017453292519943295 * std::sqrt(gyro_bandwidth_hz(dlpf()));
}

inline void simulator::advance(std::int64_t ns) {
    const std::int64_t until = now_ + (ns > 0 ? ns : 0);
    while (next_tick_ <= until) tick();
    now_ = until;
}

inline bool simulator::advance_to_sample() {
    if (next_tick_ == never) return false;
    for (const std::uint64_t before = samples_; samples_ == before;) tick();
    return true;
}

inline void simulator::tick() {
    now_ = next_tick_;
    next_tick_ += tick_ns_;
    const stimulus s = source_(static_cast<double>(now_) * 1e-9);
    if (!primed_ || accel_gain_ == 1.0) {
        felt_ = s;
        primed_ = true;
    } else {
        for (std::size_t i = 0; i < 3; ++i) {
            felt_.specific_force[i] += accel_gain_ * (s.specific_force[i] - felt_.specific_force[i]);
            felt_.angular_rate[i] += gyro_gain_ * (s.angular_rate[i] - felt_.angular_rate[i]);
        }
        felt_.temperature = s.temperature;
    }
    if (++ticks_ < ticks_per_sample_) return;
    ticks_ = 0;
    take_sample();
}

/// To the nearest count, and no further than the registers go. NaN reads as the lowest count.
inline void simulator::put(std::uint8_t at, double counts) {
    counts = std::floor(counts + 0.5);
    if (!(counts >= -32768)) {
        counts = -32768;
        ++clipped_;
    } else if (counts > 32767) {
        counts = 32767;
        ++clipped_;
    }
    const auto word = static_cast<std::uint16_t>(static_cast<std::int16_t>(counts));
    registers_[at] = static_cast<std::uint8_t>(word >> 8U);
    registers_[at + 1U] = static_cast<std::uint8_t>(word & 0xFFU);
}

inline void simulator::take_sample() {
    if (faulty(fault_kind::frozen)) {
        ++samples_;
        return;
    }
    const double accel_lsb =
        static_cast<double>(lsb_per_g(static_cast<accel_range>(registers_[reg::accel_config] >> 3U & 3U))) /
        standard_gravity;
    const double gyro_lsb =
        static_cast<double>(lsb_per_dps(static_cast<gyro_range>(registers_[reg::gyro_config] >> 3U & 3U))) *
        57.29577951308232;
    const unsigned standby = registers_[reg::pwr_mgmt_2];
    for (unsigned i = 0; i < 3; ++i) {
        if ((standby & (0x20U >> i)) == 0) {
            const double f =
                felt_.specific_force[i] * options_.accel_scale[i] + options_.accel_bias[i] + self_test_force(i);
            put(static_cast<std::uint8_t>(reg::accel_xout_h + 2 * i),
                (f + accel_sigma_ * random_.normal()) * accel_lsb);
        }
        if ((standby & (0x04U >> i)) == 0) {
            const double w = felt_.angular_rate[i] * options_.gyro_scale[i] + options_.gyro_bias[i] + self_test_rate(i);
            put(static_cast<std::uint8_t>(reg::gyro_xout_h + 2 * i), (w + gyro_sigma_ * random_.normal()) * gyro_lsb);
        }
    }
    put(reg::temp_out_h, is_6050() ? (felt_.temperature - 36.53) * 340.0 : (felt_.temperature - 21.0) * 333.87);

    sampled_ = now_;
    ++samples_;
    raise(bits::data_ready);
    if ((registers_[reg::user_ctrl] & bits::fifo_enable) != 0) push_fifo();
}

/// The enabled registers in the order of their addresses; the oldest bytes give way.
inline void simulator::push_fifo() {
    const unsigned enabled = registers_[reg::fifo_en];
    const auto push = [&](unsigned first, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            if (fifo_held_ == fifo_size()) {
                fifo_first_ = (fifo_first_ + 1) % fifo_size();
                --fifo_held_;
                raise(bits::fifo_overflow);
            }
            fifo_[(fifo_first_ + fifo_held_++) % fifo_size()] = registers_[first + i];
        }
    };
    if ((enabled & bits::fifo_accel) != 0) push(reg::accel_xout_h, 6);
    if ((enabled & bits::fifo_temp) != 0) push(reg::temp_out_h, 2);
    for (unsigned i = 0; i < 3; ++i)
        if ((enabled & (unsigned{bits::fifo_gyro_x} >> i)) != 0) push(reg::gyro_xout_h + 2 * i, 2);
}

inline bool simulator::faulty(fault_kind kind) const noexcept {
    if (fault_.kind != kind) return false;
    const std::uint64_t since = transfers_ - fault_from_;
    return since >= fault_.after && since - fault_.after < fault_.count;
}

inline edge::expected<void, error> simulator::begin(std::uint8_t address) {
    const bool nack = faulty(fault_kind::nack);
    const bool timeout = faulty(fault_kind::timeout);
    const bool stuck = faulty(fault_kind::stuck_bus);
    ++transfers_;
    if (stuck) return detail::fail(error::bus_stuck);
    if (timeout) return detail::fail(error::timeout);
    if (nack || address != options_.address) return detail::fail(error::nack);
    return {};
}

inline edge::expected<void, error> simulator::write(std::uint8_t address, std::span<const std::uint8_t> bytes) {
    if (auto ready = begin(address); !ready) return ready;
    if (bytes.empty()) return {};
    pointer_ = bytes[0] & 0x7FU;
    for (const std::uint8_t value : bytes.subspan(1)) store(value);
    return {};
}

inline edge::expected<void, error> simulator::write_read(std::uint8_t address, std::span<const std::uint8_t> bytes,
                                                         std::span<std::uint8_t> into) {
    const bool cut = faulty(fault_kind::short_read);
    const bool nobody = faulty(fault_kind::wrong_id);
    if (auto ready = begin(address); !ready) return ready;
    if (!bytes.empty()) {
        pointer_ = bytes[0] & 0x7FU;
        for (const std::uint8_t value : bytes.subspan(1)) store(value);
    }
    // No sample is taken within a transfer: time stands still, as the chip's shadow registers do. RM section 4.17.
    for (std::uint8_t& byte : cut ? into.first(into.size() / 2) : into) {
        const bool identity = pointer_ == reg::who_am_i;
        byte = load();
        if (identity && nobody) byte = 0;
    }
    if (cut) return detail::fail(error::short_transfer);
    return {};
}

inline std::uint8_t simulator::load() {
    const std::uint8_t at = pointer_;
    if (at != reg::fifo_r_w) pointer_ = (pointer_ + 1U) & 0x7FU;
    std::uint8_t value = registers_[at];
    switch (at) {
        case reg::int_status: registers_[at] = 0; return value;
        case reg::fifo_count_h: value = static_cast<std::uint8_t>(fifo_held_ >> 8U); break;
        case reg::fifo_count_h + 1: value = static_cast<std::uint8_t>(fifo_held_ & 0xFFU); break;
        case reg::fifo_r_w:
            if (fifo_held_ > 0) {  // an empty FIFO repeats its last byte. RM section 4.31
                fifo_last_ = fifo_[fifo_first_];
                fifo_first_ = (fifo_first_ + 1) % fifo_size();
                --fifo_held_;
            }
            value = fifo_last_;
            break;
        case reg::pwr_mgmt_1:
            if (now_ < reset_until_) value |= bits::device_reset;
            break;
        default: break;
    }
    if ((registers_[reg::int_pin_cfg] & bits::int_rd_clear) != 0) registers_[reg::int_status] = 0;
    return value;
}

inline void simulator::store(std::uint8_t value) {
    const std::uint8_t at = pointer_;
    if (at != reg::fifo_r_w) pointer_ = (pointer_ + 1U) & 0x7FU;
    if (!writable_[at] || now_ < reset_until_) return;
    switch (at) {
        case reg::pwr_mgmt_1:
            if ((value & bits::device_reset) != 0) {
                power_on();
                reset_until_ = now_ + reset_ns;
                return;
            }
            break;
        case reg::user_ctrl:
            if ((value & bits::fifo_reset) != 0 && (value & bits::fifo_enable) == 0) fifo_held_ = 0;
            if ((value & bits::sig_cond_reset) != 0)
                std::fill_n(registers_.begin() + reg::accel_xout_h, 14, std::uint8_t{0});
            value &= 0xF8U;  // the reset bits clear themselves
            break;
        case reg::signal_path_reset: value = 0; break;
        case reg::fifo_r_w: return;
        default: break;
    }
    const bool changed = registers_[at] != value;
    registers_[at] = value;
    const bool timing = at == reg::smplrt_div || at == reg::config || at == reg::pwr_mgmt_1;
    if (changed && timing) reschedule();
}

}  // namespace edge::imu
