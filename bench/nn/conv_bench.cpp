// SPDX-License-Identifier: MIT
// Convolutions and dense layers against the multiply-adds that this machine can do: floor_ratio is the share of that peak,
// measured in the same run, turned over. The argument is the number of threads, 1 by default. Layers are repeated, so
// their data are in the second cache where they fit: an input and output of more than 2 MB come from the third, and
// 12544 pixels by 96 channels, which are 4.8 MB, are bound by writing them; a dense layer of one row by reading weights.

#include <edge/core/tensor.hpp>
#include <edge/nn/conv.hpp>
#include <edge/perf.hpp>

#include "support/floor.hpp"
#include "support/layers.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

namespace {

using edge::index_t;
using edge::tensor;
using layer_bench::numbers;

struct job {
    index_t side, in_c, out_c;
    index_t kernel = 1, stride = 1, groups = 1;
    bool is_planar = false;
    bool has_activation = true;
};

constexpr bool linear = false;

/// The 1x1 layers of MobileNetV2 1.0 at 224 x 224, expanding with ReLU6 and projecting without; its first layer; and
/// layers of other networks.
constexpr job jobs[] = {
    {112, 32, 16, 1, 1, 1, false, linear},
    {112, 16, 96},
    {56, 96, 24, 1, 1, 1, false, linear},
    {56, 24, 144},
    {56, 144, 24, 1, 1, 1, false, linear},
    {28, 144, 32, 1, 1, 1, false, linear},
    {28, 32, 192},
    {28, 192, 32, 1, 1, 1, false, linear},
    {14, 192, 64, 1, 1, 1, false, linear},
    {14, 64, 384},
    {14, 384, 64, 1, 1, 1, false, linear},
    {14, 384, 96, 1, 1, 1, false, linear},
    {14, 96, 576},
    {14, 576, 96, 1, 1, 1, false, linear},
    {7, 576, 160, 1, 1, 1, false, linear},
    {7, 160, 960},
    {7, 960, 160, 1, 1, 1, false, linear},
    {7, 960, 320, 1, 1, 1, false, linear},
    {7, 320, 1280},
    {224, 3, 32, 3, 2, 1, true},
    {224, 3, 32, 3, 2},
    {224, 3, 64, 7, 2, 1, true},
    {56, 64, 64, 3},
    {28, 128, 128, 3},
    {14, 256, 256, 3},
    {7, 512, 512, 3},
    {56, 128, 128, 3, 2},
    {28, 128, 128, 3, 1, 32},
    {14, 1024, 256},
};

template <class Run>
void measure(const std::string& name, double work, double floor_seconds, int threads, const tensor<float>& y,
             const Run& run) {
    const auto result = edge::perf::compare(
        {.job = name, .n = static_cast<std::size_t>(work), .threads = threads, .floor_ms = floor_seconds * 1e3},
        std::tuple(), edge::perf::who{"edge", [&] {
                                          run();
                                          return double{y[0]} + double{y[y.size() / 2]} + double{y[y.size() - 1]};
                                      }});
    layer_bench::print(result);
}

void convolve(const job& j, int threads) {
    const index_t pad = j.kernel / 2;
    const edge::nn::window w{.kernel_h = j.kernel,
                             .kernel_w = j.kernel,
                             .stride_h = j.stride,
                             .stride_w = j.stride,
                             .pad_top = j.stride == 1 ? pad : 0,
                             .pad_left = j.stride == 1 ? pad : 0,
                             .pad_bottom = pad,
                             .pad_right = pad};
    const auto weights = numbers(j.out_c * j.in_c / j.groups * j.kernel * j.kernel);
    const auto bias = numbers(j.out_c);
    edge::nn::activation act;
    if (j.has_activation) act.limits = edge::nn::relu6;
    const edge::nn::conv_layer layer(weights.data(), bias.data(), j.in_c, j.out_c, j.groups, w, act);
    const auto g = layer.geometry(1, j.side, j.side);
    const auto x = numbers(j.side * j.side * j.in_c);
    tensor<float> y(g.output());
    tensor<float> scratch(
        {(j.is_planar ? layer.planes_scratch_bytes(g, threads) : layer.scratch_bytes(g, threads)) / 4});
    const double work = static_cast<double>(y.size()) * static_cast<double>(j.in_c / j.groups * j.kernel * j.kernel);
    std::string name = edge::message("conv ", j.side, "x", j.side, "x", j.in_c, " to ", j.out_c);
    if (j.kernel != 1) name += edge::message(", ", j.kernel, "x", j.kernel);
    if (j.stride != 1) name += edge::message(", stride ", j.stride);
    if (j.groups != 1) name += edge::message(", ", j.groups, " groups");
    if (j.is_planar) name += ", planar";
    measure(name, work, work / floors::peak(threads), threads, y, [&] {
        if (j.is_planar)
            layer.run_planes(x.data(), nullptr, y.data(), g, scratch.data(), threads);
        else
            layer.run(x.data(), nullptr, y.data(), g, scratch.data(), threads);
    });
}

/// One row: the floor is reading the weights.
void classify(index_t rows, int threads) {
    constexpr index_t k = 1280;
    constexpr index_t n = 1000;
    const auto weights = numbers(k * n);
    const edge::nn::dense_layer layer({weights.data(), k, n, n});
    const auto x = numbers(rows * k);
    tensor<float> y({rows, n});
    const double work = static_cast<double>(rows * k * n);
    const double read =
        floors::least_seconds(20, [&] { edge::perf::keep(floors::read(weights.data(), k * n, threads)); });
    measure(edge::message("dense ", rows, "x", k, " to ", n), work, std::max(read, work / floors::peak(threads)),
            threads, y, [&] { layer.run(x.data(), nullptr, y.data(), rows, threads); });
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    for (const job& j : jobs) convolve(j, threads);
    for (const index_t rows : {1, 4, 32}) classify(rows, threads);
}
