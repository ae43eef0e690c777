// SPDX-License-Identifier: MIT
// Labelled windows for the motion model: drives with other vehicles, roads, mounts, hands and chips, through the
// simulated registers and the pipeline's own features.
//
//     motion_data --seed 1 --scenarios 200 -x train_x.npy -y train_y.npy
//
// x: [n, 9] float32, y: [n] int32 with 0 STILL, 1 MOVING, 2 SHAKING. A window is kept where one label holds for 95 % of
// its samples.

#include "common/program.hpp"
#include "common/progress.hpp"
#include "pipeline/samples.hpp"
#include "pipeline/windows.hpp"

#include <edge/core/npy.hpp>

int main(int argc, char** argv) {
    program app("motion_data", "Labelled windows of simulated drives, for training the motion model.");
    std::uint64_t seed = 1;
    int scenarios = 100;
    std::string x_path;
    std::string y_path;
    app.cli.add_option("--seed", seed, "Of the first scenario");
    app.cli.add_option("--scenarios", scenarios, "Number of drives");
    app.cli.add_option("-x", x_path, "Features, .npy")->required();
    app.cli.add_option("-y", y_path, "Labels, .npy")->required();
    return app.run(argc, argv, [&] {
        std::vector<float> features;
        std::vector<std::int32_t> labels;
        progress bar("drives", static_cast<std::uint64_t>(scenarios));
        for (int i = 0; i < scenarios; ++i, bar.advance()) {
            const std::uint64_t s = seed + static_cast<std::uint64_t>(i);
            edge::splitmix64 random(s);
            const double rate = (std::array{50.0, 100.0, 200.0, 250.0, 333.0})[random.below(5)];
            // Wider than a scenario's own: slow turns and quick ones in a hand, chips with more noise than typical.
            const auto spread = [&](double low, double high) { return low * std::pow(high / low, random.uniform()); };
            auto way = edge::imu::random_scenario(s);
            way.carried = {.hz = spread(0.1, 1.5), .rate_rad_s = spread(0.3, 8), .force_mps2 = spread(0.2, 8)};
            auto chip = edge::imu::random_device(s);
            chip.noise = spread(1, 8);
            const auto from = pipeline::simulated_drive(rate, way, chip);
            const double seconds = edge::imu::scenario(way).period();

            std::vector<pipeline::reading> readings;
            for (pipeline::reading r; readings.size() < static_cast<std::size_t>(seconds * rate);) {
                from->next(r);
                readings.push_back(r);
            }
            const std::int64_t origin = readings.front().ts_ns;
            const auto windows =
                pipeline::summarize(pipeline::to_table(readings), {.origin_ns = origin, .rate_hz = from->rate_hz()});
            const auto rows = pipeline::features_of(windows);

            std::vector<std::array<int, pipeline::motion_states>> truth(windows.rows());
            const auto window = windows.column("window").values<std::int64_t>();
            std::size_t at = 0;
            for (const auto& r : readings) {
                while (window[at] != (r.ts_ns - origin) / 1'000'000'000) ++at;
                ++truth[at][static_cast<std::size_t>(r.truth)];
            }
            for (std::size_t w = 0; w < windows.rows(); ++w) {
                const auto most = std::max_element(truth[w].begin(), truth[w].end());
                if (*most < 0.95 * rate) continue;
                labels.push_back(static_cast<std::int32_t>(most - truth[w].begin()));
                for (std::size_t f = 0; f < pipeline::motion_features; ++f)
                    features.push_back(rows(static_cast<edge::index_t>(w), static_cast<edge::index_t>(f)));
            }
        }
        const auto n = static_cast<edge::index_t>(labels.size());
        const auto width = static_cast<edge::index_t>(pipeline::motion_features);
        edge::save_npy(x_path, edge::tensor<float>({n, width}, std::span<const float>(features)));
        edge::save_npy(y_path, edge::tensor<std::int32_t>({n}, std::span<const std::int32_t>(labels)));
        std::cerr << n << " windows\n";
    });
}
