// SPDX-License-Identifier: MIT
// The main job: from a sensor's registers to a decision and a page, in one program.

#include "common/folder.hpp"
#include "common/geojson.hpp"
#include "common/program.hpp"
#include "pipeline/report.hpp"
#include "pipeline/run.hpp"

#include "embedded/motion_model.hpp"
#include "embedded/zones.hpp"

#include <csignal>
#include <cstdio>
#include <limits>

namespace {

std::atomic<bool> stop{false};
extern "C" void on_signal(int) { stop = true; }

void print_table(const pipeline::results& r) {
    std::printf("%s, %g Hz\n", r.source.c_str(), r.rate_hz);
    std::printf(
        "%.1f s of samples in %.2f s (%.0f x real time), %llu samples, %llu lost, %llu at the end of the range\n\n",
        r.seconds, r.wall_s, r.speed(), static_cast<unsigned long long>(r.samples),
        static_cast<unsigned long long>(r.lost), static_cast<unsigned long long>(r.saturated));
    std::printf("%-14s %-8s %10s %10s %10s %10s %12s\n", "stage", "call", "calls", "P50 us", "P95 us", "P99 us",
                "rows/s");
    for (const auto& s : r.stages)
        std::printf("%-14s %-8s %10llu %10.2f %10.2f %10.2f %12.0f\n", s.name.c_str(), s.per.c_str(),
                    static_cast<unsigned long long>(s.calls), s.p50_us, s.p95_us, s.p99_us, s.rows_per_s());
    std::printf("\n%-24s %10s\n", "motion", "seconds");
    for (std::size_t i = 0; i < pipeline::motion_states; ++i)
        std::printf("%-24s %10.0f\n", pipeline::motion_state_names[i], r.seconds_in_state[i]);
    if (r.agreement) std::printf("%.1f %% of the windows agree with the scenario\n", *r.agreement * 100);
    if (!r.has_positions) {
        std::printf("\nno positions in this recording, so no zones\n");
        return;
    }
    std::printf("\n%-24s %10s\n", "zone", "seconds");
    for (const auto& z : r.zones) std::printf("%-24s %10.0f\n", z.name.c_str(), z.seconds);
    std::printf("%-24s %10.0f\n", "outside", r.seconds_outside);
}

}  // namespace

int main(int argc, char** argv) {
    program app(
        "edge_pipeline",
        "From a sensor to a decision: samples an MPU-6050 (simulated, replayed or real), logs to Parquet, reads it\n"
        "back, summarizes windows, tells the motion state with an INT8 model, matches positions to zones, and\n"
        "writes DIR/report.html and DIR/summary.json. Samples are in DIR/imu, windows in DIR/windows.");
    double seconds = 60;
    double rate = 200;
    std::string trace;
    std::string i2c;
    std::string model_path;
    std::string zones_path;
    pipeline::run_options options;
    auto* for_seconds = app.cli.add_option("--seconds", seconds, "Of sensor time; a recording is replayed whole")
                            ->check(CLI::PositiveNumber)
                            ->capture_default_str();
    app.cli.add_option("--rate", rate, "Samples a second, 4 to 1000")->capture_default_str();
    auto* from_trace = app.cli.add_option("--trace", trace, "Recording (.csv) to replay through the simulated chip");
    app.cli.add_option("--i2c", i2c, "Real sensor, on this bus (/dev/i2c-1)")->excludes(from_trace);
    app.cli.add_option("--model", model_path, "Motion model (.onnx) instead of the one inside");
    app.cli.add_option("--zones", zones_path, "Zones (.geojson), in metres, instead of those of the built-in drive");
    app.cli.add_flag("--realtime", options.realtime, "Simulated time passes as fast as the clock");
    app.cli.add_option("--out", options.folder, "Folder for the log, the report and the summary")->required();

    return app.run(argc, argv, [&] {
        options.seconds =
            !trace.empty() && for_seconds->count() == 0 ? std::numeric_limits<double>::infinity() : seconds;
        const auto source = !i2c.empty()     ? pipeline::i2c_board(i2c, rate)
                            : !trace.empty() ? pipeline::recorded(trace, rate)
                                             : pipeline::simulated_drive(rate);
        pipeline::classifier model =
            model_path.empty() ? pipeline::classifier(edge::nn::parse_onnx(embedded::motion_model(), "built-in model"),
                                                      "built in, INT8")
                               : pipeline::classifier(edge::nn::load_onnx(model_path), model_path);
        const auto inside = embedded::zones();
        const auto zones =
            zones_path.empty()
                ? parse_geojson({reinterpret_cast<const char*>(inside.data()), inside.size()}, "built-in zones")
                : read_geojson(zones_path);
        create_folder(options.folder);

        std::signal(SIGINT, on_signal);
        std::signal(SIGTERM, on_signal);
        const pipeline::results r = pipeline::run(*source, options, model, zones, stop);
        edge::write_file(options.folder / "report.html", pipeline::report(r));
        const auto summary = pipeline::summary(r);
        edge::write_file(options.folder / "summary.json", summary.dump(2) + "\n");
        if (app.json) {
            app.print_json(summary);
        } else {
            print_table(r);
        }
    });
}
