// SPDX-License-Identifier: MIT
// Recordings as CSV files: what their columns are taken for, and the real ones.

#include "common/imu_trace.hpp"

#include <edge/imu/mpu6050.hpp>
#include <edge/imu/simulator.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"

#include <cmath>
#include <fstream>

namespace {

std::string file(const temporary_folder& folder, const std::string& text) {
    const std::string path = (folder / "trace.csv").string();
    std::ofstream(path) << text;
    return path;
}

constexpr double g0 = edge::imu::standard_gravity;
constexpr double degree = 0.017453292519943295;

}  // namespace

TEST_CASE("columns and units of a recording are recognized from its header", "[imu][trace]") {
    const temporary_folder folder;
    auto t = read_imu_trace(file(folder, "t,ax,ay,az,gx,gy,gz,qw\n0,1,2,3,4,5,6,1\n0.01,1,2,3,4,5,6,1\n"));
    CHECK(t.at(0).specific_force == edge::imu::vec3{1, 2, 3});
    CHECK(t.at(0).angular_rate == edge::imu::vec3{4, 5, 6});
    CHECK(t.rate_hz() == Approx(100));

    t = read_imu_trace(file(folder,
                            "ts,ax,ay,az,gx,gy,gz,temp\n2026-01-01T00:00:00.000Z,1,2,3,90,0,0,31\n"
                            "2026-01-01T00:00:00.005Z,1,2,3,90,0,0,31\n"));
    CHECK(t.at(0).angular_rate[0] == Approx(90 * degree));
    CHECK(t.at(0).temperature == 31);
    CHECK(t.rate_hz() == Approx(200));

    t = read_imu_trace(file(folder,
                            "timestamp_seconds,raw_acceleration_x_gs,raw_acceleration_y_gs,raw_acceleration_z_gs,"
                            "raw_angular_rate_x_deg_per_s,raw_angular_rate_y_deg_per_s,raw_angular_rate_z_deg_per_s,"
                            "est_angular_rate_x_rad_per_s\n5,0,0,1,0,180,0,9\n5.5,0,0,1,0,180,0,9\n"));
    CHECK(t.at(0).specific_force[2] == Approx(g0));
    CHECK(t.at(0).angular_rate[1] == Approx(180 * degree));

    t = read_imu_trace(
        file(folder, "accel_x,accel_y,accel_z,temp,gyro_x,gyro_y,gyro_z\n16384,0,0,0,131,0,0\n0,0,0,0,0,0,0\n"),
        {.rate_hz = 10});
    CHECK(t.at(0.09).specific_force[0] == Approx(g0));
    CHECK(t.at(0.09).angular_rate[0] == Approx(degree));
    CHECK(t.at(0).temperature == Approx(36.53));
    CHECK(t.duration() == Approx(0.1));

    t = read_imu_trace(file(folder, "a,b,c,d,e,f,g\n0,1,0,0,1,0,0\n1,1,0,0,1,0,0\n"),
                       {.columns = {"a", "b", "c", "d", "e", "f", "g"}, .accel_unit = "g", .gyro_unit = "deg/s"});
    CHECK(t.at(0.5).specific_force[0] == Approx(g0));
    CHECK(t.at(0.5).angular_rate[0] == Approx(degree));
}

TEST_CASE("what is no recording is refused by name", "[imu][trace]") {
    const temporary_folder folder;
    /// Whether reading fails with a message that holds these words.
    const auto refused = [&](const std::string& text, const char* words, const imu_trace_options& o = {}) {
        try {
            (void)read_imu_trace(file(folder, text), o);
        } catch (const edge::error& e) {
            UNSCOPED_INFO(e.what());
            return std::string(e.what()).find(words) != std::string::npos;
        }
        return false;
    };
    CHECK(refused("a,b\n1,2\n", "no columns of an accelerometer"));
    CHECK(refused("t,ax,ay,az,gx,gy,gz\n", "no rows"));
    CHECK(refused("t,ax,ay,az,gx,gy,gz\n0,1,1,1,1,1,1\n2,1,1,1,1,1,1\n1,1,1,1,1,1,1\n", "column 't', row 2 (from 0)"));
    CHECK(refused("t,ax,ay,az,gx,gy,gz\n0,1,1,1,1,1,x\n", "'gz'"));
    CHECK(refused("accel_x,accel_y,accel_z,gyro_x,gyro_y,gyro_z\n0.1,1,1,1,1,1\n", "whole numbers"));
    CHECK(refused("t,ax,ay,az,gx,gy,gz\n0,1,1,1,1,1,1\n", "'ft'", {.accel_unit = "ft"}));
    CHECK(refused("t\n0\n", "2 trace columns", {.columns = {"t", "t"}}));
    CHECK(refused("t\n0\n", "'a'", {.columns = {"t", "a", "b", "c", "d", "e", "f"}}));
    CHECK_THROWS_AS(read_imu_trace((folder / "none.csv").string()), edge::io_error);
}

TEST_CASE("real recordings go through the registers and come back as published", "[imu][trace][data]") {
    const auto data = test_data("imu");
    if (!data) return;
    using namespace edge::imu;

    struct job {
        const char* file;
        imu_trace_options options;
        accel_range accel;
        double seconds;
        bool clips;
    };
    const job jobs[] = {
        {"flight/jackpot_launch_1.csv", {}, g16, 72.5, true},
        {"still/mpu_stationary_60s.csv", {.rate_hz = 10}, g2, 57.9, false},
        {"broad/26_disturbed_phone_vibration_A.csv", {}, g4, 59.9, false},
        {"broad/21_undisturbed_fast_combined.csv", {}, g16, 59.9, false},
    };
    for (const job& j : jobs) {
        INFO(j.file);
        const trace t = read_imu_trace((*data / j.file).string(), j.options);
        CHECK(t.duration() == Approx(j.seconds).epsilon(0.03));
        double offset = 0;
        stimulus truth;
        simulator device{[&](double s) { return truth = t.at(s - offset); }, {.noise = 0, .low_pass = false}};
        mpu6050 imu{device};
        REQUIRE(imu.configure({.rate_hz = 200, .accel = j.accel, .gyro = dps2000}));
        offset = static_cast<double>(device.now_ns()) * 1e-9;
        const double accel_step = g0 / static_cast<double>(lsb_per_g(j.accel));
        const double limit = 32767 * accel_step;
        double worst = 0;
        while (static_cast<double>(device.now_ns()) * 1e-9 - offset < t.duration()) {
            device.advance_to_sample();
            const auto raw = imu.read();
            REQUIRE(raw);
            const si_sample si = imu.to_si(*raw);
            for (std::size_t k = 0; k < 3; ++k) {
                const double felt = std::clamp(truth.specific_force[k], -limit - accel_step, limit);
                worst = (std::max)(worst, std::abs(static_cast<double>(si.accel_mps2[k]) - felt) / accel_step);
            }
        }
        CHECK(worst < 0.51);  // half a count
        CHECK((device.clipped() > 0) == j.clips);
    }

    const trace still = read_imu_trace((*data / "still/mpu_stationary_60s.csv").string(), {.rate_hz = 10});
    double mean = 0;
    for (int i = 0; i < 580; ++i) {
        const vec3 f = still.at(0.1 * i + 0.05).specific_force;
        mean += std::sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]) / 580;
    }
    CHECK(mean / g0 == Approx(0.992).margin(0.001));  // as its README says

    const trace flight = read_imu_trace((*data / "flight/jackpot_launch_1.csv").string());
    REQUIRE(flight.gaps().size() == 1);
    CHECK(flight.gaps()[0].seconds == Approx(1068.23).margin(0.01));
    CHECK(describe(flight).find("1 gap, the longest 1068.2 s before row 501 (from 0)") != std::string::npos);
}
