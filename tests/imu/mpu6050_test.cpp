// SPDX-License-Identifier: MIT
// The driver against the simulated chip, and the simulated chip against the data sheet.

#include <edge/imu/mpu6050.hpp>

#include <edge/imu/linux_i2c.hpp>
#include <edge/imu/self_test.hpp>
#include <edge/imu/simulator.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace edge::imu;

namespace {

constexpr double pi = 3.14159265358979323846;

/// A chip that feels the same all the time, with no noise.
simulator steady(const stimulus& s, simulator_options options = {.noise = 0}) {
    return simulator{[s](double) { return s; }, options};
}

const stimulus flat{{0, 0, standard_gravity}, {0, 0, 0}, 25};

std::uint8_t get(simulator& device, std::uint8_t at) {
    std::uint8_t value = 0;
    REQUIRE(device.write_read(0x68, {&at, 1}, {&value, 1}));
    return value;
}

void set(simulator& device, std::uint8_t at, unsigned value) {
    const std::uint8_t bytes[2] = {at, static_cast<std::uint8_t>(value)};
    REQUIRE(device.write(0x68, bytes));
}

std::int16_t word(simulator& device, unsigned at) {
    const auto first = static_cast<std::uint8_t>(at);
    std::uint8_t b[2] = {};
    REQUIRE(device.write_read(0x68, {&first, 1}, b));
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(b[0] << 8 | b[1]));
}

}  // namespace

TEST_CASE("the register map is sorted, has no doubles, and resets to zero but for two", "[imu][registers]") {
    for (std::size_t i = 1; i < register_map.size(); ++i) CHECK(register_map[i - 1].address < register_map[i].address);
    for (const auto& r : register_map) {
        const int expected = r.address == 0x6B ? 0x40 : r.address == 0x75 ? 0x68 : 0;
        INFO(r.name);
        CHECK(int{r.reset} == expected);
    }
    const auto named = [](const char* name) {
        const auto at = std::find_if(register_map.begin(), register_map.end(),
                                     [&](const auto& r) { return std::string(r.name) == name; });
        REQUIRE(at != register_map.end());
        return at->address;
    };
    CHECK(named("SMPLRT_DIV") == reg::smplrt_div);
    CHECK(named("ACCEL_XOUT_H") == reg::accel_xout_h);
    CHECK(named("GYRO_ZOUT_L") == reg::gyro_xout_h + 5);
    CHECK(named("INT_STATUS") == reg::int_status);
    CHECK(named("FIFO_R_W") == reg::fifo_r_w);
}

TEST_CASE("after power-on the chip sleeps and its registers are reset", "[imu][simulator]") {
    auto device = steady(flat, {.noise = 0, .accel_trim = {}, .gyro_trim = {}});
    device.advance(1'000'000'000);
    CHECK(device.samples() == 0);
    CHECK_FALSE(device.advance_to_sample());
    CHECK(word(device, reg::accel_xout_h + 4) == 0);
    for (const auto& r : register_map) {
        INFO(r.name);
        CHECK(get(device, r.address) == r.reset);
    }
}

TEST_CASE("DEVICE_RESET clears itself after a while and resets what was written", "[imu][simulator]") {
    auto device = steady(flat);
    set(device, reg::pwr_mgmt_1, bits::clock_gyro_x);
    set(device, reg::smplrt_div, 9);
    CHECK(get(device, reg::smplrt_div) == 9);
    set(device, reg::pwr_mgmt_1, bits::device_reset);
    CHECK((get(device, reg::pwr_mgmt_1) & bits::device_reset) != 0);
    device.advance(20'000'000);
    CHECK(get(device, reg::pwr_mgmt_1) == 0x40);
    CHECK(get(device, reg::smplrt_div) == 0);
}

TEST_CASE("read-only registers and reserved addresses cannot be written", "[imu][simulator]") {
    auto device = steady(flat);
    for (const unsigned at : {0x75U, 0x3BU, 0x3AU, 0x00U, 0x7FU}) {
        const std::uint8_t before = get(device, static_cast<std::uint8_t>(at));
        set(device, static_cast<std::uint8_t>(at), 0xA5);
        CHECK(get(device, static_cast<std::uint8_t>(at)) == before);
    }
}

TEST_CASE("a burst goes on to the next register and wraps behind the last", "[imu][simulator]") {
    auto device = steady(flat, {.noise = 0, .accel_trim = {}, .gyro_trim = {}});
    const std::uint8_t identity = reg::who_am_i;
    std::vector<std::uint8_t> bytes(128);
    REQUIRE(device.write_read(0x68, {&identity, 1}, bytes));
    CHECK(bytes[0] == 0x68);
    CHECK(bytes[(0x6B - 0x75) & 0x7F] == 0x40);
    CHECK(std::count(bytes.begin(), bytes.end(), 0) == 126);
    // FIFO_R_W hands out the FIFO, however long the burst.
    const std::uint8_t count = reg::fifo_count_h;
    REQUIRE(device.write_read(0x68, {&count, 1}, bytes));
    CHECK(std::count(bytes.begin(), bytes.end(), 0x68) == 0);
}

TEST_CASE("output rate is 8 kHz or 1 kHz, divided", "[imu][simulator]") {
    for (const bool low_pass : {true, false})
        for (const unsigned dlpf : {0U, 1U, 3U, 6U, 7U})
            for (const unsigned divider : {0U, 1U, 4U, 99U, 255U}) {
                auto device = steady(flat, {.noise = 0, .low_pass = low_pass});
                set(device, reg::config, dlpf);
                set(device, reg::smplrt_div, divider);
                set(device, reg::pwr_mgmt_1, bits::clock_gyro_x);
                device.advance(1'000'000'000);
                const unsigned base = dlpf == 0 || dlpf == 7 ? 8000 : 1000;
                INFO("dlpf " << dlpf << " divider " << divider);
                CHECK(device.samples() == base / (divider + 1));
            }
}

TEST_CASE("each range has the data sheet's scale and saturates at its ends", "[imu][simulator][mpu6050]") {
    const double g_full[] = {2, 4, 8, 16};
    const double lsb[] = {131, 65.5, 32.8, 16.4};
    for (unsigned r = 0; r < 4; ++r) {
        const double half = 0.5 * g_full[r];
        auto device = steady({{half * standard_gravity, -half * standard_gravity, 1.01 * g_full[r] * standard_gravity},
                              {1000 / lsb[r] * pi / 180, -20000 / lsb[r] * pi / 180, -2200 * pi / 180},
                              25});
        mpu6050 imu{device};
        REQUIRE(imu.configure({.accel = static_cast<accel_range>(r), .gyro = static_cast<gyro_range>(r)}));
        REQUIRE(imu.wait_ready());
        const auto raw = imu.read();
        REQUIRE(raw);
        INFO("range " << r);
        CHECK(raw->accel == std::array<std::int16_t, 3>{16384, -16384, 32767});
        CHECK(raw->gyro == std::array<std::int16_t, 3>{1000, -20000, -32768});
        const si_sample si = imu.to_si(*raw);
        CHECK(si.accel_mps2[0] == Approx(half * standard_gravity).epsilon(1e-6));
        CHECK(si.gyro_dps[0] == Approx(1000 / lsb[r]).epsilon(1e-6));
        CHECK(si.gyro_rad_s()[1] == Approx(-20000 / lsb[r] * pi / 180).epsilon(1e-6));
        CHECK(device.clipped() > 0);
    }
}

TEST_CASE("temperature follows the chip's formula, within half a count", "[imu][mpu6050]") {
    for (const double celsius : {-40.0, 0.0, 25.0, 36.53, 85.0}) {
        for (const std::uint8_t id : {std::uint8_t{0x68}, std::uint8_t{0x70}}) {
            auto device = steady({{0, 0, standard_gravity}, {}, celsius}, {.noise = 0, .who_am_i = id});
            mpu6050 imu{device};
            REQUIRE(imu.configure({}));
            REQUIRE(imu.wait_ready());
            CHECK(imu.to_si(*imu.read()).temperature_c == Approx(celsius).margin(0.51 / 333));
        }
    }
    auto device = steady(flat);
    const mpu6050 imu{device};
    CHECK(imu.temperature_c(0) == Approx(36.53));       // RM-MPU-6000A section 4.18
    CHECK(imu.temperature_c(-521) == Approx(34.9976));  // the offset in PS-MPU-6000A section 6.3: -521 at 35 °C
}

TEST_CASE("configure writes what it was asked and takes the nearest rate", "[imu][mpu6050]") {
    auto device = steady(flat);
    mpu6050 imu{device};
    REQUIRE(imu.configure({.rate_hz = 200, .accel = g8, .gyro = dps1000, .dlpf = hz20}));
    CHECK(device.peek(reg::smplrt_div) == 4);
    CHECK(device.peek(reg::config) == 4);
    CHECK(device.peek(reg::gyro_config) == 0x10);
    CHECK(device.peek(reg::accel_config) == 0x10);
    CHECK(device.peek(reg::pwr_mgmt_1) == 0x01);
    CHECK(imu.period_us() == 5000);
    CHECK(imu.chip() == chip::mpu6050);

    REQUIRE(imu.configure({.rate_hz = 8000, .dlpf = hz256}));
    CHECK(imu.period_us() == 125);
    REQUIRE(imu.configure({.rate_hz = 60, .dlpf = hz20}));
    CHECK(imu.period_us() == 17000);  // 1000 / 17 = 58.8 Hz
    for (const config& c : {config{.rate_hz = 0}, config{.rate_hz = 3}, config{.rate_hz = 1001},
                            config{.rate_hz = 8001, .dlpf = hz256}, config{.rate_hz = 31, .dlpf = hz256}}) {
        const auto refused = imu.configure(c);
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == error::bad_config);
    }
}

TEST_CASE("relatives are recognized, strangers refused", "[imu][mpu6050]") {
    for (const chip c : {chip::mpu6050, chip::mpu6500, chip::mpu9250, chip::mpu9255, chip::mpu6515}) {
        auto device = steady(flat, {.noise = 0, .who_am_i = static_cast<std::uint8_t>(c)});
        mpu6050 imu{device};
        REQUIRE(imu.configure({.dlpf = hz20}));
        CHECK(imu.chip() == c);
        CHECK(device.peek(reg::accel_config_2) == (c == chip::mpu6050 ? 0 : 4));
    }
    auto device = steady(flat, {.noise = 0, .who_am_i = 0x42});
    mpu6050 imu{device};
    const auto found = imu.configure({});
    REQUIRE_FALSE(found);
    CHECK(found.error() == error::wrong_identity);
}

TEST_CASE("data ready comes with a sample and goes with a look", "[imu][mpu6050]") {
    auto device = steady(flat);
    mpu6050 imu{device};
    REQUIRE(imu.configure({.rate_hz = 100}));
    REQUIRE(imu.wait_ready());
    CHECK_FALSE(*imu.data_ready());
    REQUIRE(device.advance_to_sample());
    CHECK(*imu.data_ready());
    CHECK_FALSE(*imu.data_ready());
    // Waiting takes the time that it takes the chip, to an eighth of a period.
    const std::int64_t before = device.sample_ns();
    REQUIRE(imu.wait_ready());
    CHECK(device.sample_ns() - before == 10'000'000);
    CHECK(device.now_ns() - device.sample_ns() < 1'250'001);
}

TEST_CASE("a burst is of one instant", "[imu][mpu6050]") {
    // Each axis counts the samples, so a mixture would show.
    simulator device{[](double t) {
                         const double n = std::round(t * 1000);
                         const double a = n * standard_gravity / 16384, w = n / 131 * pi / 180;
                         return stimulus{{a, a, a}, {w, w, w}, 36.53 + n / 340};
                     },
                     {.noise = 0, .low_pass = false}};
    mpu6050 imu{device};
    REQUIRE(imu.configure({.rate_hz = 1000, .accel = g2, .gyro = dps250, .dlpf = hz188}));
    for (int i = 0; i < 200; ++i) {
        device.wait_us(static_cast<std::uint32_t>(300 + 7 * i));
        const auto raw = imu.read();
        REQUIRE(raw);
        const std::int16_t n = raw->accel[0];
        CHECK(n == device.sample_ns() / 1'000'000);
        CHECK(*raw == raw_sample{{n, n, n}, n, {n, n, n}});
    }
}

TEST_CASE("noise has the density of the data sheet and repeats with its seed", "[imu][simulator]") {
    const auto collect = [](filter dlpf, std::uint64_t seed) {
        auto device = steady(flat, {.seed = seed});
        mpu6050 imu{device};
        REQUIRE(imu.configure({.rate_hz = 1000, .accel = g2, .gyro = dps250, .dlpf = dlpf}));
        std::vector<raw_sample> all;
        for (int i = 0; i < 20000; ++i) {
            device.advance_to_sample();
            all.push_back(*imu.read());
        }
        return all;
    };
    for (const filter f : {hz98, hz20}) {
        double mean = 0, accel = 0, gyro = 0;
        const auto all = collect(f, 3);
        for (const auto& s : all) mean += s.accel[2] / static_cast<double>(all.size());
        for (const auto& s : all) {
            accel += std::pow(s.accel[2] - mean, 2) / static_cast<double>(all.size());
            gyro += std::pow(s.gyro[0], 2) / static_cast<double>(all.size());
        }
        const double rounding = 1.0 / 12;
        CHECK(mean == Approx(16384).margin(2));
        CHECK(std::sqrt(accel - rounding) == Approx(400e-6 * 16384 * std::sqrt(accel_bandwidth_hz(f))).epsilon(0.03));
        CHECK(std::sqrt(gyro - rounding) == Approx(0.005 * 131 * std::sqrt(gyro_bandwidth_hz(f))).epsilon(0.03));
    }
    CHECK(collect(hz20, 5) == collect(hz20, 5));
    CHECK_FALSE(collect(hz20, 5) == collect(hz20, 6));
}

TEST_CASE("the low-pass filter halves the power at its bandwidth and leaves slow motion alone", "[imu][simulator]") {
    for (const double hz : {1.0, 21.0}) {
        simulator device{[hz](double t) {
                             return stimulus{{10 * std::sin(2 * pi * hz * t), 0, 0}, {}, 25};
                         },
                         {.noise = 0}};
        mpu6050 imu{device};
        REQUIRE(imu.configure({.rate_hz = 1000, .accel = g2, .dlpf = hz20}));
        device.advance(1'000'000'000);
        double power = 0;
        for (int i = 0; i < 1000; ++i) {
            device.advance_to_sample();
            power += std::pow(imu.to_si(*imu.read()).accel_mps2[0], 2) / 1000;
        }
        CHECK(power / 50 == Approx(hz == 1.0 ? 1.0 : 0.5).epsilon(0.05));
    }
}

TEST_CASE("the FIFO hands over every sample once, in order", "[imu][mpu6050][fifo]") {
    simulator device{[](double t) {
                         return stimulus{{std::round(t * 1000) * standard_gravity / 16384, 0, 0}, {}, 25};
                     },
                     {.noise = 0, .low_pass = false}};
    mpu6050 imu{device};
    REQUIRE(imu.configure({.rate_hz = 1000, .accel = g2, .dlpf = hz188}));
    REQUIRE(imu.start_fifo());
    std::vector<raw_sample> batch(50);
    int next = static_cast<int>(device.now_ns() / 1'000'000) + 1;
    for (const int ms : {1, 0, 7, 49, 60, 12, 0, 30}) {
        device.advance(std::int64_t{ms} * 1'000'000);
        std::size_t remaining = 1;
        while (remaining > 0) {
            const auto got = imu.read_fifo(batch);
            REQUIRE(got);
            REQUIRE_FALSE(got->overflow);
            for (std::size_t i = 0; i < got->count; ++i) REQUIRE(batch[i].accel[0] == next++);
            remaining = got->remaining;
        }
    }
    CHECK(next == static_cast<int>(device.now_ns() / 1'000'000) + 1);
}

TEST_CASE("a FIFO that ran over is reported once, with a clean start behind it", "[imu][mpu6050][fifo]") {
    for (const std::uint8_t id : {std::uint8_t{0x68}, std::uint8_t{0x70}}) {
        auto device = steady(flat, {.noise = 0, .who_am_i = id});
        mpu6050 imu{device};
        REQUIRE(imu.configure({.rate_hz = 1000, .accel = g2}));
        REQUIRE(imu.start_fifo());
        std::vector<raw_sample> batch(100);
        device.advance(200'000'000);
        CHECK(*imu.data_ready());  // this read of INT_STATUS must not swallow the overflow
        const auto got = imu.read_fifo(batch);
        REQUIRE(got);
        CHECK(got->overflow);
        CHECK(got->count == 0);
        CHECK(got->lost == (id == 0x68 ? 1024U : 512U) / 14);
        device.advance(10'000'000);
        const auto then = imu.read_fifo(batch);
        REQUIRE(then);
        CHECK_FALSE(then->overflow);
        CHECK(then->count == 10);
        CHECK(batch[9].accel[2] == 16384);
    }
}

TEST_CASE("the chip's FIFO keeps the newest bytes, repeats its last, and resets only while off",
          "[imu][simulator][fifo]") {
    auto device = steady(flat);
    set(device, reg::int_enable, bits::fifo_overflow);
    set(device, reg::fifo_en, bits::fifo_temp);
    set(device, reg::user_ctrl, bits::fifo_enable);
    set(device, reg::config, 1);
    set(device, reg::pwr_mgmt_1, 1);
    device.advance(512'000'000);
    CHECK(word(device, reg::fifo_count_h) == 1024);
    CHECK((get(device, reg::int_status) & bits::fifo_overflow) == 0);
    device.advance(1'000'000);
    CHECK(word(device, reg::fifo_count_h) == 1024);
    CHECK((get(device, reg::int_status) & bits::fifo_overflow) != 0);
    CHECK((get(device, reg::int_status) & bits::fifo_overflow) == 0);
    set(device, reg::user_ctrl, bits::fifo_enable | bits::fifo_reset);
    CHECK(word(device, reg::fifo_count_h) == 1024);
    set(device, reg::user_ctrl, 0);
    const std::uint8_t last = [&] {
        std::uint8_t b = 0;
        for (int i = 0; i < 1024; ++i) b = get(device, reg::fifo_r_w);
        return b;
    }();
    CHECK(word(device, reg::fifo_count_h) == 0);
    CHECK(get(device, reg::fifo_r_w) == last);
}

TEST_CASE("every fault comes out as its error, and a transient one is ridden over by a retrying bus", "[imu][fault]") {
    struct expectation {
        fault_kind kind;
        error what;
    };
    for (const auto& e : {expectation{fault_kind::nack, error::nack}, expectation{fault_kind::timeout, error::timeout},
                          expectation{fault_kind::stuck_bus, error::bus_stuck},
                          expectation{fault_kind::short_read, error::short_transfer},
                          expectation{fault_kind::frozen, error::no_data}}) {
        auto device = steady(flat);
        mpu6050 imu{device};
        REQUIRE(imu.configure({}));
        device.inject({.kind = e.kind, .after = 4});
        auto ok = edge::expected<void, error>{};
        for (int i = 0; i < 10 && ok; ++i) ok = imu.wait_ready();
        INFO(to_string(e.what));
        REQUIRE_FALSE(ok);
        CHECK(ok.error() == e.what);
        device.inject({});
        CHECK(imu.configure({}));
        CHECK(imu.wait_ready());
    }

    auto device = steady(flat);
    retrying_bus again{device, {.attempts = 3, .pause_us = 100}};
    mpu6050 imu{again};
    REQUIRE(imu.configure({}));
    device.inject({.kind = fault_kind::nack, .after = 0, .count = 2});
    CHECK(imu.read());
    CHECK(again.retries() == 2);
    device.inject({.kind = fault_kind::nack, .after = 0, .count = 3});
    CHECK_FALSE(imu.read());

    device.inject({.kind = fault_kind::wrong_id});
    const auto id = imu.identify();
    REQUIRE_FALSE(id);
    CHECK(id.error() == error::wrong_identity);

    // A burst from the FIFO is not done again: its bytes are gone.
    device.inject({});
    REQUIRE(imu.start_fifo());
    device.advance(100'000'000);
    std::vector<raw_sample> batch(64);
    device.inject({.kind = fault_kind::short_read, .after = 2, .count = 1});
    const std::uint32_t before = again.retries();
    CHECK_FALSE(imu.read_fifo(batch));
    CHECK(again.retries() == before);

    mpu6050 elsewhere{device, 0x69};
    CHECK(elsewhere.identify().error() == error::nack);
}

TEST_CASE("configuring finds out when registers do not hold", "[imu][fault]") {
    /// Drops the data of one write, as a chip does that missed a byte.
    struct forgetful {
        simulator& device;
        int countdown;
        edge::expected<void, error> write(std::uint8_t a, std::span<const std::uint8_t> b) {
            return --countdown == 0 ? edge::expected<void, error>{} : device.write(a, b);
        }
        edge::expected<void, error> write_read(std::uint8_t a, std::span<const std::uint8_t> b,
                                               std::span<std::uint8_t> c) {
            return device.write_read(a, b, c);
        }
        void wait_us(std::uint32_t us) { device.wait_us(us); }
    };
    auto device = steady(flat);
    forgetful bus{device, 3};  // reset, wake, then the settings
    mpu6050 imu{bus};
    const auto ok = imu.configure({});
    REQUIRE_FALSE(ok);
    CHECK(ok.error() == error::readback);
}

TEST_CASE("factory trim follows the data sheet's formulas", "[imu][self_test]") {
    for (unsigned code = 1; code < 32; ++code) {
        CHECK(accel_factory_trim(code) == Approx(4096 * 0.34 * std::pow(0.92 / 0.34, (code - 1) / 30.0)).epsilon(1e-5));
        CHECK(gyro_factory_trim(code, 0) == Approx(25 * 131 * std::pow(1.046, code - 1)).epsilon(1e-5));
        CHECK(gyro_factory_trim(code, 1) == -gyro_factory_trim(code, 2));
    }
    CHECK(accel_factory_trim(0) == 0);
    CHECK(gyro_factory_trim(0, 0) == 0);
}

TEST_CASE("the self-test passes a good chip, and names the axis of a bad one", "[imu][self_test]") {
    const stimulus tilted{{3, -4, 8.4}, {0.01, 0, 0}, 25};
    auto good = steady(tilted, {.noise = 1, .accel_response = {1.1, 0.9, 1}, .gyro_response = {1, 0.88, 1.13}});
    mpu6050 imu{good};
    REQUIRE(imu.configure({.rate_hz = 100, .accel = g2, .gyro = dps2000, .dlpf = hz10}));
    auto result = self_test(imu);
    REQUIRE(result);
    CHECK(result->passed());
    CHECK(result->accel[0].change_percent == Approx(10).margin(1));
    CHECK(result->gyro[1].change_percent == Approx(-12).margin(1));
    CHECK(result->gyro[1].factory == gyro_factory_trim(13, 1));
    CHECK(good.peek(reg::accel_config) == bits::full_scale(g2));  // as it was before
    CHECK(good.peek(reg::gyro_config) == bits::full_scale(dps2000));
    CHECK(imu.period_us() == 10000);

    auto bad = steady(tilted, {.accel_response = {1, 1, 0.8}, .gyro_response = {0, 1, 1}});
    mpu6050 broken{bad};
    result = self_test(broken);
    REQUIRE(result);
    CHECK_FALSE(result->passed());
    CHECK(result->accel[1].passed);
    CHECK_FALSE(result->accel[2].passed);
    CHECK_FALSE(result->gyro[0].passed);
    CHECK(result->gyro[2].passed);

    auto untrimmed = steady(tilted, {.accel_trim = {0, 9, 9}});
    mpu6050 copy{untrimmed};
    result = self_test(copy);
    REQUIRE(result);
    CHECK_FALSE(result->accel[0].passed);

    auto relative = steady(tilted, {.who_am_i = 0x70});
    mpu6050 other{relative};
    CHECK(self_test(other).error() == error::unsupported);
}

TEST_CASE("a bus of Linux that is not there says so", "[imu][linux]") {
    linux_i2c none{"/dev/i2c-this-is-none"};
    CHECK_FALSE(none.is_open());
    CHECK(none.last_errno() == ENOENT);
    mpu6050 imu{none};
    CHECK(imu.identify().error() == error::bus_closed);

    linux_i2c other{"/dev/null"};  // opens, but does no I2C
    CHECK_FALSE(other.is_open());
    const int why = other.last_errno();
    CHECK((why == ENOTTY || why == ENOSYS));  // the latter from qemu-user, which knows few ioctls
}
