// SPDX-License-Identifier: MIT
// edge_imu from outside: what it logs, how it ends, and what it says of a bus that fails.

#include <edge/frame/csv.hpp>
#include <edge/frame/parquet.hpp>

#include "checks/run_program.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <set>

namespace {

/// A recording at rest: 100 Hz, 2 s, gravity along z, 10 °/s about x.
std::string still_recording() {
    std::string text = "t,ax,ay,az,gx,gy,gz\n";
    for (int i = 0; i <= 200; ++i) text += edge::message(i * 0.01, ",0,0,9.80665,0.17453292519943295,0,0\n");
    return text;
}

}  // namespace

TEST_CASE("edge_imu log writes every sample, with units, in files of the length asked for") {
    if (!is_built("edge_imu")) return;
    const scratch folder;
    const auto r = run("edge_imu", {"log", "--sim", "--seconds", "30", "--rate", "100", "--rotate-seconds", "10",
                                    "--out", folder / "log", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto summary = nlohmann::json::parse(r.out);
    CHECK(summary.at("samples") == 3000);
    CHECK(summary.at("files") == 3);
    CHECK(summary.at("seconds").get<double>() == doctest::Approx(30));

    const auto t = edge::frame::read_parquet(folder / "log");
    REQUIRE(t.rows() == 3000);
    const std::vector<std::string> names(t.names().begin(), t.names().end());
    CHECK(names == std::vector<std::string>{"ts", "ax", "ay", "az", "gx", "gy", "gz", "temp"});
    CHECK(t.column("ts").kind() == edge::frame::kind::timestamp);
    const auto ts = t.column("ts").values<std::int64_t>();
    for (std::size_t i = 1; i < 3000; ++i) REQUIRE(ts[i] - ts[i - 1] == 10'000'000);
    double mean = 0;
    for (std::size_t i = 0; i < 500; ++i) mean += static_cast<double>(t.column("az").values<float>()[i]) / 500;
    CHECK(mean == doctest::Approx(9.8).epsilon(0.06));
}

TEST_CASE("edge_imu replays a recording to its end, and its own log after that") {
    if (!is_built("edge_imu")) return;
    const scratch folder;
    folder.write("still.csv", still_recording());
    for (const char* trace : {"still.csv", "again.csv"}) {
        const std::string out = folder / (std::string(trace) + ".log");
        const auto r = run("edge_imu", {"log", "--trace", folder / trace, "--rate", "50", "--out", out});
        CAPTURE(r.err);
        REQUIRE(r.status == 0);
        const auto t = edge::frame::read_parquet(out);
        CHECK(t.rows() >= 98);
        CHECK(t.rows() <= 101);
        CHECK(std::abs(t.column("az").values<float>()[50] - 9.80665F) < 0.003F);
        CHECK(std::abs(t.column("gx").values<float>()[50] - 10) < 0.04F);
        edge::frame::write_csv(folder / "again.csv", t);
    }
}

TEST_CASE("edge_imu keeps what it has when the bus fails") {
    if (!is_built("edge_imu")) return;
    const scratch folder;
    int number = 0;
    for (const char* fault : {"nack", "timeout", "stuck", "short", "frozen"}) {
        const std::string out = folder / std::to_string(number++);
        check_refusal("edge_imu", {"log", "--sim", "--fault", fault, "--fault-at", "2", "--out", out}, 1,
                      "samples before that are in");
        const std::size_t rows = edge::frame::read_parquet(out).rows();
        CHECK(rows >= 398);
        CHECK(rows <= 400);
    }
    check_refusal("edge_imu", {"show", "--sim", "--fault", "wrong-id"}, 1, "WHO_AM_I");
    check_refusal("edge_imu", {"log", "--i2c", "/dev/none", "--out", folder / "none"}, 1, "/dev/none");
    check_refusal("edge_imu", {"show", "--i2c", "/dev/null"}, 1, "I2C");
}

TEST_CASE("edge_imu show prints ten lines a second, or one object") {
    if (!is_built("edge_imu")) return;
    const auto lines = run("edge_imu", {"show", "--sim", "--seconds", "2"});
    CHECK(lines.status == 0);
    CHECK(std::count(lines.out.begin(), lines.out.end(), '\n') == 22);
    const auto r = run("edge_imu", {"show", "--seconds", "2", "--json", "--seed", "5"});
    REQUIRE(r.status == 0);
    const auto shown = nlohmann::json::parse(r.out);
    CHECK(shown.at("rows").size() == 20);
    CHECK(shown.at("columns").size() == 8);
    CHECK(run("edge_imu", {"show", "--seconds", "2", "--json", "--seed", "5"}).out == r.out);
    CHECK(run("edge_imu", {"show", "--seconds", "2", "--json", "--seed", "6"}).out != r.out);
}

TEST_CASE("edge_imu registers and selftest tell of the chip") {
    if (!is_built("edge_imu")) return;
    const auto r = run("edge_imu", {"registers", "--sim", "--json"});
    REQUIRE(r.status == 0);
    bool found = false;
    const auto all = nlohmann::json::parse(r.out);
    for (const auto& entry : all.at("registers"))
        if (entry.at("name") == "WHO_AM_I") found = entry.at("value") == 0x68 && entry.at("address") == 0x75;
    CHECK(found);
    const auto test = run("edge_imu", {"selftest", "--sim", "--json"});
    CHECK(test.status == 0);
    CHECK(nlohmann::json::parse(test.out).at("passed") == true);
}

TEST_CASE("edge_imu refuses what makes no sense with status 2") {
    if (!is_built("edge_imu")) return;
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{},
                                                  {"log"},
                                                  {"show", "--rate", "3"},
                                                  {"show", "--rate", "9000"},
                                                  {"show", "--accel-range", "3"},
                                                  {"show", "--fault", "fire"},
                                                  {"show", "--sim", "--i2c", "/dev/i2c-1"},
                                                  {"dance"},
                                                  {"show", "--seconds", "-1"}}) {
        const auto r = run("edge_imu", wrong);
        CAPTURE(r.err);
        CHECK(r.status == 2);
        CHECK(r.out.empty());
        CHECK(r.err.rfind("edge_imu: error: ", 0) == 0);
    }
    const scratch folder;
    folder.write("bad.csv", "a,b\n1,2\n");
    check_refusal("edge_imu", {"show", "--trace", folder / "bad.csv"}, 1, "bad.csv");
    check_refusal("edge_imu", {"show", "--trace", folder / "none.csv"}, 1, "none.csv");
}

TEST_CASE("imu_read shows ten samples of a simulated chip, and refuses a bus that is none") {
    if (!is_built("imu_read")) return;
    const auto r = run("imu_read", {});
    CHECK(r.status == 0);
    CHECK(std::count(r.out.begin(), r.out.end(), '\n') == 10);
    CHECK(run("imu_read", {"/dev/none"}).status == 1);
}
