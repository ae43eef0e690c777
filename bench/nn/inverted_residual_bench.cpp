// SPDX-License-Identifier: MIT
// The blocks of MobileNetV2 in one pass against their layers one after the other, and against their multiply-adds at the
// peak of this machine. The argument is the number of threads, 1 by default.

#include <edge/core/tensor.hpp>
#include <edge/nn/inverted_residual.hpp>
#include <edge/perf.hpp>

#include "support/layers.hpp"
#include "support/rates.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;
using edge::perf::who;
using layer_bench::numbers;
using layer_bench::same;

void run(index_t inputs, index_t hidden, index_t outputs, index_t side, index_t stride, const rates& machine,
         int threads) {
    using edge::simd::matrix;
    const edge::nn::activation relu6{.limits = edge::nn::relu6};
    const bool expands = inputs != hidden;
    const tensor<float> expand = numbers(inputs * hidden), filter = numbers(9 * hidden);
    const tensor<float> project = numbers(hidden * outputs), bias = numbers(hidden);
    const edge::nn::inverted_residual_layers layers{.inputs = inputs,
                                                    .hidden = hidden,
                                                    .outputs = outputs,
                                                    .window = same(3, stride),
                                                    .expand = expands ? expand.data() : nullptr,
                                                    .expand_bias = bias.data(),
                                                    .depthwise = filter.data(),
                                                    .depthwise_bias = bias.data(),
                                                    .project = project.data(),
                                                    .project_bias = bias.data(),
                                                    .after_expand = relu6,
                                                    .after_depthwise = relu6};
    const edge::nn::inverted_residual<> fused(layers);
    std::optional<edge::nn::dense_layer<>> first;
    if (expands)
        first.emplace(matrix<const float>{expand.data(), hidden, inputs, inputs}.transposed(), bias.data(), relu6);
    const edge::nn::depthwise_layer<> second(filter.data(), bias.data(), hidden, layers.window, relu6);
    const edge::nn::dense_layer<> third(matrix<const float>{project.data(), outputs, hidden, hidden}.transposed(),
                                        bias.data());
    const edge::nn::convolution g = fused.geometry(1, side, side);
    const index_t in_pixels = side * side;
    const index_t out_pixels = g.out_h * g.out_w;
    const tensor<float> x = numbers(in_pixels * inputs);
    tensor<float> wide({in_pixels * hidden}), filtered({out_pixels * hidden}), y({out_pixels * outputs});
    tensor<float> scratch({static_cast<index_t>(fused.scratch_bytes(side, side, threads) / sizeof(float))});
    const float* residual = stride == 1 && inputs == outputs ? x.data() : nullptr;
    const double work =
        static_cast<double>((expands ? in_pixels * inputs * hidden : 0) + out_pixels * hidden * (9 + outputs));
    const auto checksum = [&] { return double{y[0]} + double{y[y.size() / 2]} + double{y[y.size() - 1]}; };
    const auto result =
        edge::perf::compare({.job = "block " + std::to_string(inputs) + "-" + std::to_string(hidden) + "-" +
                                    std::to_string(outputs) + " " + std::to_string(side) + "/" + std::to_string(stride),
                             .n = static_cast<std::size_t>(work),
                             .threads = threads,
                             .floor_ms = work / machine.multiply_adds * 1e3},
                            std::tuple(),
                            who{"layers",
                                [&] {
                                    const float* in = x.data();
                                    if (expands) {
                                        first->run(in, nullptr, wide.data(), in_pixels, threads);
                                        in = wide.data();
                                    }
                                    second.run(in, filtered.data(), 1, side, side, threads);
                                    third.run(filtered.data(), residual, y.data(), out_pixels, threads);
                                    return checksum();
                                }},
                            who{"one pass", [&] {
                                    fused.run(x.data(), residual, y.data(), 1, side, side, scratch.data(), threads);
                                    return checksum();
                                }});
    layer_bench::print(result);
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const rates machine(threads);
    const index_t blocks[][5] = {{32, 32, 16, 112, 1},  {16, 96, 24, 112, 2},  {24, 144, 24, 56, 1},
                                 {24, 144, 32, 56, 2},  {32, 192, 32, 28, 1},  {32, 192, 64, 28, 2},
                                 {64, 384, 64, 14, 1},  {64, 384, 96, 14, 1},  {96, 576, 96, 14, 1},
                                 {96, 576, 160, 14, 2}, {160, 960, 160, 7, 1}, {160, 960, 320, 7, 1}};
    for (const auto& [inputs, hidden, outputs, side, stride] : blocks)
        run(inputs, hidden, outputs, side, stride, machine, threads);
}
