// SPDX-License-Identifier: MIT
// The depthwise layers of MobileNetV2 against what this machine can do: their multiply-adds at the peak, or reading and
// writing their images at the speed of the second cache, whichever takes longer. The argument is the number of threads, 1
// by default.

#include <edge/core/tensor.hpp>
#include <edge/nn/depthwise.hpp>
#include <edge/perf.hpp>

#include "support/floor.hpp"
#include "support/layers.hpp"
#include "support/rates.hpp"

#include <cstdlib>
#include <string>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;

void run(index_t channels, index_t side, index_t stride, const rates& machine, int threads) {
    const auto win = layer_bench::same(3, stride);
    const tensor<float> w = layer_bench::numbers(channels * 9), bias = layer_bench::numbers(channels);
    const tensor<float> x = layer_bench::numbers(side * side * channels);
    const edge::nn::depthwise_layer<> layer(w.data(), bias.data(), channels, win, {.limits = edge::nn::relu6});
    const edge::nn::convolution g = layer.geometry(1, side, side);
    tensor<float> y(g.output());
    index_t taps = 0;  // inside the image, along one axis
    for (index_t i = 0; i < g.out_h; ++i) {
        const edge::nn::detail::taps t = edge::nn::detail::taps_inside(i * stride - 1, 3, 1, side);
        taps += t.last - t.first;
    }
    const double work = static_cast<double>(taps * taps * channels);
    const double bytes = static_cast<double>(x.size() + y.size()) * sizeof(float);
    const auto result = edge::perf::compare(
        {.job = "depthwise " + std::to_string(channels) + "x" + std::to_string(side) + "/" + std::to_string(stride),
         .n = static_cast<std::size_t>(work),
         .threads = threads,
         .floor_ms = std::max(work / machine.multiply_adds, bytes / machine.bytes) * 1e3},
        std::tuple(), edge::perf::who{"edge", [&] {
                                          layer.run(x.data(), y.data(), 1, side, side, threads);
                                          return double{y[0]} + double{y[y.size() - 1]};
                                      }});
    layer_bench::print(result);
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const rates machine(threads);
    const index_t layers[][3] = {{32, 112, 1}, {96, 112, 2}, {144, 56, 1}, {144, 56, 2}, {192, 28, 1},
                                 {192, 28, 2}, {384, 14, 1}, {576, 14, 1}, {576, 14, 2}, {960, 7, 1}};
    for (const auto& [channels, side, stride] : layers) run(channels, side, stride, machine, threads);
}
