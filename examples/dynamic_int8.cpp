// SPDX-License-Identifier: MIT
// What do 8-bit weights bring where nothing is known of the inputs? Two perceptrons, TinyNet (128-64-32-10) and BiggerNet
// (1024-2048-2048-10), in floats and with linear layers that quantize their input on the spot: milliseconds a run.
//
//     dynamic_int8 [THREADS [FOLDER]]      FOLDER: where the models are written as ONNX, for others to run

#include <edge/core/random.hpp>
#include <edge/nn.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

using edge::index_t;
using edge::tensor;

tensor<float> random_values(const edge::shape& extents, std::uint64_t seed, float reach) {
    edge::splitmix64 random(seed);
    tensor<float> t(extents);
    for (float& v : t) v = reach * static_cast<float>(2 * random.uniform() - 1);
    return t;
}

edge::nn::graph perceptron(const std::vector<index_t>& widths) {
    edge::nn::graph g;
    g.inputs.push_back({"x", edge::dtype::f32, {{"n"}, {widths.front()}}});
    std::string h = "x";
    for (std::size_t i = 1; i < widths.size(); ++i) {
        const index_t k = widths[i - 1], n = widths[i];
        const float reach = std::sqrt(6.0f / static_cast<float>(k));  // as He et al. 2015 begin
        h = g.add("Gemm", {h, g.constant("w", random_values({n, k}, i, reach)), g.constant("b", tensor<float>({n}))},
                  {{"transB", 1}});
        if (i + 1 < widths.size()) h = g.add("Relu", {h});
    }
    g.outputs.push_back({h, edge::dtype::f32, {{"n"}, {widths.back()}}});
    return g;
}

/// The median of some runs that take a tenth of a second.
double milliseconds(edge::nn::session& run, const tensor<float>& x) {
    using clock = std::chrono::steady_clock;
    std::vector<double> times;
    for (double all = 0; all < 100 || times.size() < 11; all += times.back()) {
        const auto start = clock::now();
        run(x);
        times.push_back(std::chrono::duration<double, std::milli>(clock::now() - start).count());
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
}

int main(int argc, char** argv) try {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const struct {
        const char* name;
        std::vector<index_t> widths;
    } networks[] = {{"TinyNet", {128, 64, 32, 10}}, {"BiggerNet", {1024, 2048, 2048, 10}}};
    std::printf("network    batch   float ms    int8 ms   faster   error of the largest\n");
    for (const auto& [name, widths] : networks) {
        const auto model = perceptron(widths);
        const auto int8 = edge::nn::quantize_dynamic(model);
        if (argc > 2) {
            const std::filesystem::path folder(argv[2]);
            edge::nn::save_onnx(model, folder / (std::string(name) + ".onnx"));
            edge::nn::save_onnx(int8, folder / (std::string(name) + ".int8.onnx"));
        }
        edge::nn::session real{model, {.threads = threads}};
        edge::nn::session fast{int8, {.threads = threads}};
        for (const index_t batch : {1, 32}) {
            const auto x = random_values({batch, widths.front()}, 9, 1.0f);
            const auto& expected = real(x)[0].as<float>();
            const auto& y = fast(x)[0].as<float>();
            float most = 0, error = 0;
            for (index_t i = 0; i < y.size(); ++i) {
                most = std::max(most, std::abs(expected.data()[i]));
                error = std::max(error, std::abs(expected.data()[i] - y.data()[i]));
            }
            const double slow_ms = milliseconds(real, x);
            const double fast_ms = milliseconds(fast, x);
            std::printf("%-10s %5d %10.4f %10.4f %8.2f   %.4f\n", name, static_cast<int>(batch), slow_ms, fast_ms,
                        slow_ms / fast_ms, static_cast<double>(error / most));
        }
    }
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "dynamic_int8: error: %s\n", e.what());
    return 1;
}
