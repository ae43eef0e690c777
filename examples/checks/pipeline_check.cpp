// SPDX-License-Identifier: MIT
// The pipeline from outside, and what it is made of.

#include <edge/frame/parquet.hpp>

#include "checks/run_program.hpp"
#include "common/svg.hpp"
#include "pipeline/history.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace fs = std::filesystem;

namespace {

/// Seconds of rest, turning back and forth, and hard shaking, as somebody else's logger writes them.
std::string recording() {
    std::string csv = "t,ax,ay,az,gx,gy,gz\n";
    for (int i = 0; i < 3000; ++i) {
        const double t = i * 0.01;
        const double noise = 0.02 * std::sin(i * 12.9898) * std::cos(i * 78.233);
        double a = noise;
        double w = 0.002 + noise * 0.05;
        if (t >= 10 && t < 20) w += 0.9 * std::sin(2 * t);                       // rad/s
        if (t >= 20) a += 20 * std::sin(35 * t), w += 5 * std::sin(35 * t + 1);  // 5.6 Hz
        csv += edge::message(t, ",", a, ",", 0.3 * a, ",", 9.80665 + 0.5 * a, ",", w, ",", 0.4 * w, ",", noise * 0.05,
                             "\n");
    }
    return csv;
}

}  // namespace

TEST_CASE("the pipeline samples, logs, decides and reports") {
    if (!is_built("edge_pipeline")) return;
    const scratch folder;
    const auto r = run("edge_pipeline", {"--seconds", "25.5", "--rate", "100", "--out", folder / "o", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto s = nlohmann::json::parse(r.out);
    CHECK(nlohmann::json::parse(folder.read("o/summary.json")) == s);
    CHECK(s["samples"] == 2550);
    CHECK(s["lost"] == 0);
    CHECK(s["windows"] == 26);
    CHECK(s["seconds"].get<double>() == doctest::Approx(25.5));
    double in_states = 0;
    for (const auto& [name, seconds] : s["states"].items()) in_states += seconds.get<double>();
    CHECK(in_states == 26);
    CHECK(s["agreement"].get<double>() >= 0.9);
    double in_zones = s["seconds_outside_zones"].get<double>();
    for (const auto& zone : s["zones"]) in_zones += zone["seconds"].get<double>();
    CHECK(in_zones == 26);
    REQUIRE(s["stages"].size() == 6);
    for (const auto& stage : s["stages"]) {
        CHECK(stage["calls"].get<int>() > 0);
        CHECK(stage["p50_us"].get<double>() <= stage["p99_us"].get<double>());
    }

    // What was logged is what was sampled, a file for each ten seconds, and nothing else is in the folder.
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder / "o/imu")) files += entry.path().extension() == ".parquet";
    CHECK(files == s["files"].get<std::size_t>());
    CHECK(files == 3);
    const auto log = edge::frame::read_parquet(folder / "o/imu");
    REQUIRE(log.rows() == 2550);
    const auto ts = log.column("ts").values<std::int64_t>();
    for (std::size_t i = 1; i < ts.size(); ++i) REQUIRE(ts[i] - ts[i - 1] == 10'000'000);
    CHECK(log.column("x").size() - log.column("x").null_count() == 26);
    const auto windows = edge::frame::read_parquet(folder / "o/windows");
    CHECK(windows.rows() == 26);
    std::map<std::string, double> states;
    for (std::size_t i = 0; i < windows.rows(); ++i) states[std::string(windows.column("state").text(i))] += 1;
    for (const auto& [name, seconds] : states) CHECK(s["states"][name] == seconds);

    const std::string page = folder.read("o/report.html");
    CHECK(page.find("http://") == std::string::npos);  // it needs nothing from anywhere
    CHECK(page.find("https://") == std::string::npos);
    CHECK(page.find("quarry track") != std::string::npos);
    CHECK(std::count(page.begin(), page.end(), '<') == std::count(page.begin(), page.end(), '>'));
}

TEST_CASE("two runs of the same drive log the same samples, and the second keeps those of the first") {
    if (!is_built("edge_pipeline")) return;
    const scratch folder;
    for (int i = 0; i < 2; ++i)
        REQUIRE(run("edge_pipeline", {"--seconds", "5", "--out", folder / "o", "--json"}).status == 0);
    CHECK(folder.read("o/imu/00000001.parquet") == folder.read("o/imu/00000002.parquet"));
}

TEST_CASE("a recording is replayed whole and told apart") {
    if (!is_built("edge_pipeline")) return;
    const scratch folder;
    folder.write("trace.csv", recording());
    const auto r = run("edge_pipeline", {"--trace", folder / "trace.csv", "--out", folder / "o", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto s = nlohmann::json::parse(r.out);
    CHECK(s["seconds"].get<double>() == doctest::Approx(30).epsilon(0.01));
    CHECK_FALSE(s["has_positions"].get<bool>());
    CHECK(s["agreement"].is_null());
    CHECK(std::abs(s["states"]["STILL"].get<double>() - 10) <= 1);
    CHECK(std::abs(s["states"]["MOVING"].get<double>() - 10) <= 1);
    CHECK(std::abs(s["states"]["SHAKING"].get<double>() - 10) <= 1);
}

TEST_CASE("the pipeline refuses what it cannot use, in a line") {
    if (!is_built("edge_pipeline")) return;
    const scratch folder;
    folder.write("wrong.csv", "a,b\n1,2\n");
    folder.write("torn.csv", "t,ax,ay,az,gx,gy,gz\n0,1,2,3,4,5,\"6");
    folder.write("garbage.onnx", "this is no model");
    folder.write("zones.geojson", "{");
    folder.write("file", "");
    const std::string out = folder / "o";
    check_refusal("edge_pipeline", {}, 2, "--out is required");
    check_refusal("edge_pipeline", {"--out", out, "--sceonds", "3"}, 2, "--sceonds");
    check_refusal("edge_pipeline", {"--out", out, "--seconds", "-3"}, 2, "--seconds");
    check_refusal("edge_pipeline", {"--out", out, "--rate", "5000"}, 1, "--rate 5000");
    check_refusal("edge_pipeline", {"--out", out, "--trace", folder / "none.csv"}, 1, "none.csv");
    check_refusal("edge_pipeline", {"--out", out, "--trace", folder / "wrong.csv"}, 1, "wrong.csv");
    check_refusal("edge_pipeline", {"--out", out, "--trace", folder / "torn.csv"}, 1, "torn.csv");
    check_refusal("edge_pipeline", {"--out", out, "--model", folder / "garbage.onnx"}, 1, "garbage.onnx");
    check_refusal("edge_pipeline", {"--out", out, "--zones", folder / "zones.geojson"}, 1, "zones.geojson");
    check_refusal("edge_pipeline", {"--out", out, "--i2c", "/dev/i2c-none"}, 1, "/dev/i2c-none");
    CHECK_FALSE(fs::exists(out));
    check_refusal("edge_pipeline", {"--seconds", "1", "--out", folder / "file"}, 1, "file");
}

TEST_CASE("the history keeps its size, its time and its extremes") {
    pipeline::history seen(64);
    for (int i = 0; i < 1000; ++i) {
        pipeline::history_entry e;
        e.start_s = i;
        e.end_s = i + 1;
        e.low[0] = i == 777 ? -5 : 0;
        e.high[0] = i == 123 ? 5 : 0;
        e.features[0] = 1;
        e.windows_in_state[i < 500 ? 0 : 1] = 1;
        seen.add(e);
        REQUIRE(seen.entries().size() <= 64);
    }
    double low = 0;
    double high = 0;
    int windows = 0;
    double until = 0;
    for (const auto& e : seen.entries()) {
        CHECK(e.start_s == until);
        until = e.end_s;
        low = (std::min)(low, e.low[0]);
        high = (std::max)(high, e.high[0]);
        windows += e.windows();
        CHECK(e.features[0] == doctest::Approx(1));
        CHECK(e.main_state() == (e.start_s < 490 ? 0U : e.start_s < 500 ? e.main_state() : 1U));
    }
    CHECK(until == 1000);
    CHECK(windows == 1000);
    CHECK(low == -5);
    CHECK(high == 5);
}

TEST_CASE("ticks are round and inside") {
    const svg::axis a{-0.31, 0.92, "", true};
    const auto ticks = a.ticks(5);
    REQUIRE(ticks.size() >= 4);
    for (const double t : ticks) {
        CHECK(t >= a.low);
        CHECK(t <= a.high + 1e-9);
    }
    CHECK(ticks[1] - ticks[0] == doctest::Approx(0.2));
    CHECK(svg::escape("<a & \"b\">") == "&lt;a &amp; &quot;b&quot;&gt;");
    CHECK(svg::number(2.50, 2) == "2.5");
    CHECK(svg::number(-0.001, 1) == "0");
    const std::vector<double> nothing{std::nan("")};
    const auto empty = svg::axis::around(nothing, "");
    CHECK(empty.low < empty.high);
}
