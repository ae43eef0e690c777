// SPDX-License-Identifier: MIT
// Scenarios, recordings, and the ring between two threads.

#include <edge/imu/scenario.hpp>

#include <edge/imu/mpu6050.hpp>
#include <edge/imu/ring.hpp>
#include <edge/imu/simulator.hpp>
#include <edge/imu/trace.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <thread>
#include <vector>

using namespace edge::imu;

namespace {

constexpr double pi = 3.14159265358979323846;

double norm(const vec3& v) { return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

/// Nothing but what the plan does: no vibration.
scenario_parameters smooth_drive() {
    scenario_parameters p;
    p.engine_mps2 = p.road_mps2 = p.road_rad_s = 0;
    return p;
}

}  // namespace

TEST_CASE("position, speed, heading, yaw rate and acceleration belong to each other", "[imu][scenario]") {
    std::vector<scenario_parameters> all = {smooth_drive()};
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        all.push_back(random_scenario(seed));
        all.back().engine_mps2 = all.back().road_mps2 = all.back().road_rad_s = 0;
        all.back().mount = {1, 0, 0, 0};
    }
    for (const auto& p : all) {
        const scenario s{p};
        INFO("seed " << p.seed);
        constexpr double dt = 1e-3;
        double velocity_error = 0, yaw_error = 0, ahead_error = 0, across_error = 0;
        motion a = s.motion_at(0);
        for (double t = 0; t < 2.2 * s.period(); t += dt) {
            const motion b = s.motion_at(t + dt);
            const motion mid = s.motion_at(t + dt / 2);
            velocity_error =
                (std::max)(velocity_error, std::hypot((b.x - a.x) / dt - mid.speed * std::cos(mid.heading),
                                                      (b.y - a.y) / dt - mid.speed * std::sin(mid.heading)));
            const double yaw = std::remainder(b.heading - a.heading, 2 * pi) / dt;
            if (mid.state != motion_state::shake && mid.state != motion_state::carried) {
                yaw_error = (std::max)(yaw_error, std::abs(yaw - mid.angular_rate[2]));
                ahead_error = (std::max)(ahead_error, std::abs((b.speed - a.speed) / dt - mid.specific_force[0]));
                across_error = (std::max)(across_error, std::abs(mid.speed * yaw - mid.specific_force[1]));
                REQUIRE(mid.specific_force[2] == Approx(standard_gravity));
                REQUIRE(norm({mid.specific_force[0], mid.specific_force[1], 0}) < 9);  // tyres hold
            }
            a = b;
        }
        CHECK(velocity_error < 1e-4);
        CHECK(yaw_error < 1e-3);
        CHECK(ahead_error < 1e-2);
        CHECK(across_error < 1e-2);
    }
}

TEST_CASE("a round ends where it began, an hour later too", "[imu][scenario]") {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        const scenario s{seed == 0 ? scenario_parameters{} : random_scenario(seed)};
        for (const double rounds : {1.0, 2.0, 31.0}) {
            const motion m = s.motion_at(rounds * s.period());
            CHECK(std::hypot(m.x, m.y) < 1e-6);
            CHECK(std::abs(std::remainder(m.heading, 2 * pi)) < 1e-9);
            CHECK(m.speed == Approx(0).margin(1e-9));
        }
        // What is felt has no jump at the seam beyond what vibration makes of a tenth of a millisecond.
        const motion before = s.motion_at(s.period() - 5e-5), after = s.motion_at(s.period() + 5e-5);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(before.specific_force[i] == Approx(after.specific_force[i]).margin(0.1));
            CHECK(before.angular_rate[i] == Approx(after.angular_rate[i]).margin(0.02));
        }
    }
}

TEST_CASE("the built-in drive shows every label within a minute", "[imu][scenario]") {
    const scenario s;
    std::map<motion_label, int> seen;
    double farthest = 0;
    for (double t = 0; t < 60; t += 0.1) {
        const motion m = s.motion_at(t);
        ++seen[label_of(m.state)];
        farthest = (std::max)(farthest, std::hypot(m.x, m.y));
    }
    CHECK(seen[motion_label::still] > 50);
    CHECK(seen[motion_label::moving] > 200);
    CHECK(seen[motion_label::shaking] > 50);
    CHECK(farthest > 100);
}

TEST_CASE("at rest gravity is all there is; shaking is several g and hundreds of degrees a second", "[imu][scenario]") {
    const scenario s;
    double still = 0, rough = 0, smooth = 0, push = 0, turn = 0;
    for (double t = 0; t < s.period(); t += 0.005) {
        const motion m = s.motion_at(t);
        const double off = norm(m.specific_force) - standard_gravity;
        if (m.state == motion_state::rest) still = (std::max)(still, std::abs(off));
        if (m.state == motion_state::drive && m.speed > 9)
            smooth = (std::max)(smooth, std::abs(m.specific_force[2] - standard_gravity));
        if (m.state == motion_state::rough_road)
            rough = (std::max)(rough, std::abs(m.specific_force[2] - standard_gravity));
        if (m.state == motion_state::shake) {
            push = (std::max)(push, norm(m.specific_force));
            turn = (std::max)(turn, norm(m.angular_rate));
        }
    }
    CHECK(still < 0.6);
    CHECK(smooth > 1);
    CHECK(rough > 2 * smooth);
    CHECK(push > 3 * standard_gravity);
    CHECK(turn > 250 * pi / 180);
}

TEST_CASE("a turning sensor sees gravity turn as its rates say", "[imu][scenario]") {
    // Carried without being pushed: what is felt is gravity, and d/dt of it is -ω × f.
    scenario_parameters p = smooth_drive();
    p.plan = {{motion_state::carried, 20, 0}, {motion_state::rest, 1, 0}};
    p.carried = {.hz = 0.6, .rate_rad_s = 2, .force_mps2 = 0};
    const scenario s{p};
    double largest = 0;
    for (double t = 0.1; t < 19.9; t += 0.01) {
        constexpr double h = 1e-6;
        const vec3 before = s.motion_at(t - h).specific_force, after = s.motion_at(t + h).specific_force;
        const motion m = s.motion_at(t);
        const vec3 &f = m.specific_force, &w = m.angular_rate;
        REQUIRE(norm(f) == Approx(standard_gravity));
        const vec3 turned = {w[1] * f[2] - w[2] * f[1], w[2] * f[0] - w[0] * f[2], w[0] * f[1] - w[1] * f[0]};
        for (std::size_t i = 0; i < 3; ++i)
            REQUIRE((after[i] - before[i]) / (2 * h) == Approx(-turned[i]).margin(1e-3));
        largest = (std::max)(largest, std::abs(norm(w)));
    }
    CHECK(largest > 1.5);
}

TEST_CASE("the mount turns what is felt and changes nothing else", "[imu][scenario]") {
    scenario_parameters p;
    p.mount = {1, 1, 0, 0};  // a quarter turn about x: the sensor's y is the vehicle's z
    const scenario plain, turned{p};
    for (const double t : {3.0, 20.0, 35.0, 70.0}) {
        const motion a = plain.motion_at(t), b = turned.motion_at(t);
        CHECK(b.specific_force[0] == Approx(a.specific_force[0]).margin(1e-9));
        CHECK(b.specific_force[1] == Approx(a.specific_force[2]).margin(1e-9));
        CHECK(b.specific_force[2] == Approx(-a.specific_force[1]).margin(1e-9));
        CHECK(b.angular_rate[1] == Approx(a.angular_rate[2]).margin(1e-9));
        CHECK(a.x == b.x);
    }
}

TEST_CASE("random scenarios have every state, differ by seed and repeat with it", "[imu][scenario]") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const scenario s{random_scenario(seed)}, same{random_scenario(seed)}, other{random_scenario(seed + 100)};
        std::map<motion_state, double> seconds;
        bool differs = false;
        for (double t = 0; t < s.period(); t += 0.05) {
            const motion m = s.motion_at(t), n = same.motion_at(t);
            REQUIRE(m.specific_force == n.specific_force);
            REQUIRE(m.angular_rate == n.angular_rate);
            REQUIRE(std::isfinite(norm(m.specific_force) + norm(m.angular_rate)));
            if (m.state == motion_state::rest) REQUIRE(m.speed == Approx(0).margin(1e-6));
            differs = differs || m.specific_force != other.motion_at(t).specific_force;
            seconds[m.state] += 0.05;
        }
        INFO("seed " << seed);
        CHECK(differs);
        CHECK(seconds.size() == 5);
        for (const auto& [state, s_of] : seconds) CHECK(s_of > 4);
        CHECK(random_device(seed).accel_bias == random_device(seed).accel_bias);
        CHECK(random_device(seed).accel_bias != random_device(seed + 1).accel_bias);
    }
}

TEST_CASE("plans that make no sense are put right", "[imu][scenario]") {
    scenario_parameters p;
    SECTION("empty") { p.plan.clear(); }
    SECTION("never at rest, backwards, no time") {
        p.plan = {{motion_state::drive, -3, 9}, {motion_state::drive, 0, -4}, {motion_state::drive, 5, 7}};
    }
    SECTION("no mount") { p.mount = {0, 0, 0, 0}; }
    const scenario s{p};
    for (double t = 0; t < 20; t += 0.1) {
        const motion m = s.motion_at(t);
        REQUIRE(std::isfinite(m.x + m.y + m.heading + norm(m.specific_force) + norm(m.angular_rate)));
        REQUIRE(m.speed >= 0);
    }
}

TEST_CASE("raw counts replayed at the recording's rate come back as they were", "[imu][trace]") {
    std::vector<double> column[7];
    edge::imu::detail::random_source random(4);
    for (int i = 0; i < 300; ++i)
        for (auto& c : column) c.push_back(std::floor(random.uniform(-32768, 32768)));
    trace_options options = raw_counts();
    options.rate_hz = 100;
    const auto recording = trace::from({.accel = {column[0], column[1], column[2]},
                                        .gyro = {column[4], column[5], column[6]},
                                        .temperature = column[3]},
                                       options);
    REQUIRE(recording);
    CHECK(recording->duration() == Approx(2.99));
    double offset = 0;
    simulator device{[&](double t) { return recording->at(t - offset); }, {.noise = 0, .low_pass = false}};
    mpu6050 imu{device};
    REQUIRE(imu.configure({.rate_hz = 100, .accel = g2, .gyro = dps250, .dlpf = hz42}));
    offset = static_cast<double>(device.now_ns()) * 1e-9 + 0.005;  // half a row behind its start
    for (std::size_t i = 0; i < 300; ++i) {
        REQUIRE(device.advance_to_sample());
        const auto raw = imu.read();
        REQUIRE(raw);
        for (std::size_t k = 0; k < 3; ++k) {
            REQUIRE(raw->accel[k] == column[k][i]);
            REQUIRE(raw->gyro[k] == column[4 + k][i]);
        }
        REQUIRE(raw->temperature == column[3][i]);
    }
}

TEST_CASE("between rows a trace is straight or holds; over a hole it holds; long holes close", "[imu][trace]") {
    const std::vector<double> time = {10, 10.1, 10.2, 10.3, 20.3, 20.4};
    const std::vector<double> ramp = {0, 1, 2, 3, 4, 5}, zero(6);
    const trace_columns columns{.time = time, .accel = {ramp, zero, zero}, .gyro = {zero, zero, ramp}};

    auto t = trace::from(columns);
    REQUIRE(t);
    CHECK(t->at(0.05).specific_force[0] == Approx(0.5));
    CHECK(t->at(0.25).angular_rate[2] == Approx(2.5));
    CHECK(t->at(5).specific_force[0] == 3);
    CHECK(t->at(10.35).specific_force[0] == Approx(4.5));
    CHECK(t->at(-1).specific_force[0] == 0);
    CHECK(t->at(99).specific_force[0] == 5);
    CHECK(t->duration() == Approx(10.4));
    REQUIRE(t->gaps().size() == 1);
    CHECK(t->gaps()[0].row == 4);
    CHECK(t->gaps()[0].seconds == Approx(10));
    CHECK(t->rate_hz() == Approx(10));

    t = trace::from(columns, {.between = interpolation::hold, .close_gaps_over_s = 1});
    REQUIRE(t);
    CHECK(t->at(0.05).specific_force[0] == 0);
    CHECK(t->duration() == Approx(0.5));
    CHECK(t->at(0.45).specific_force[0] == 4);
    CHECK(t->gaps().size() == 1);
}

TEST_CASE("a recording beyond the range saturates", "[imu][trace]") {
    const std::vector<double> x = {0, 18.8, -18.8}, zero(3);
    const auto t = trace::from({.accel = {x, zero, zero}, .gyro = {zero, zero, zero}},
                               {.accel_to_mps2 = standard_gravity, .rate_hz = 1, .between = interpolation::hold});
    REQUIRE(t);
    simulator device{[&](double s) { return t->at(s); }, {.noise = 0, .low_pass = false}};
    mpu6050 imu{device};
    REQUIRE(imu.configure({.rate_hz = 100, .accel = g16}));
    device.advance(1'500'000'000 - device.now_ns());
    CHECK(imu.read()->accel[0] == 32767);
    device.advance(1'000'000'000);
    CHECK(imu.read()->accel[0] == -32768);
    CHECK(device.clipped() > 100);
}

TEST_CASE("bad recordings are refused with the row", "[imu][trace]") {
    const std::vector<double> three = {1, 2, 3}, two = {1, 2}, back = {1, 3, 2}, none;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> broken = {1, nan, 3};
    const auto problem = [](const trace_columns& c, const trace_options& o = {}) {
        const auto t = trace::from(c, o);
        REQUIRE_FALSE(t);
        return t.error();
    };
    CHECK(problem({}).what == trace_problem::no_rows);
    CHECK(problem({.accel = {three, three, two}, .gyro = {three, three, three}}).what == trace_problem::lengths_differ);
    CHECK(problem({.time = two, .accel = {three, three, three}, .gyro = {three, three, three}}).row == 2);
    const auto went_back = problem({.time = back, .accel = {three, three, three}, .gyro = {three, three, three}});
    CHECK(went_back.what == trace_problem::time_goes_back);
    CHECK(went_back.row == 2);
    CHECK(problem({.time = broken, .accel = {three, three, three}, .gyro = {three, three, three}}).row == 1);
    CHECK(problem({.accel = {three, three, three}, .gyro = {three, three, three}}, {.rate_hz = 0}).what ==
          trace_problem::bad_options);

    const auto t = trace::from({.accel = {broken, three, three}, .gyro = {three, three, three}}, {.rate_hz = 1});
    REQUIRE(t);
    CHECK(t->missing() == 1);
    CHECK(t->at(1).specific_force[0] == 1);
}

TEST_CASE("a full ring drops the new and counts it; what is in it comes out in order", "[imu][ring]") {
    ring<int, 8> r;
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 11; ++i) CHECK(r.push(100 * round + i) == (i < 8));
        CHECK(r.size() == 8);
        CHECK(r.overflows() == 3U * static_cast<unsigned>(round + 1));
        int batch[5] = {};
        CHECK(r.pop(batch) == 5);
        CHECK(batch[4] == 100 * round + 4);
        CHECK(r.pop(batch) == 3);
        CHECK(batch[2] == 100 * round + 7);
        CHECK(r.pop(batch) == 0);
        CHECK_FALSE(r.pop(batch[0]));
    }
}

TEST_CASE("two threads pass every value through a ring once, in order", "[imu][ring]") {
    struct item {
        std::uint64_t number, square;
    };
    constexpr std::uint64_t count = 200'000;
    ring<item, 64> r;
    std::thread producer([&] {
        for (std::uint64_t i = 0; i < count;)
            if (r.push({i, i * i}))
                ++i;
            else
                std::this_thread::yield();
    });
    std::uint64_t next = 0, wrong = 0;
    item batch[16];
    while (next < count) {
        const std::size_t n = r.pop(batch);
        if (n == 0) std::this_thread::yield();
        for (std::size_t i = 0; i < n; ++i, ++next) wrong += batch[i].number != next || batch[i].square != next * next;
    }
    producer.join();
    CHECK(wrong == 0);
    CHECK(r.size() == 0);
}
