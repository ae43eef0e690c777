// SPDX-License-Identifier: MIT
// The depthwise layers of MobileNetV2 in bytes against floats and against what this machine can do: their multiply-adds at
// the peak of dot products, or reading and writing their images at the speed of the second cache, whichever takes longer.
// Then its blocks in bytes, in one pass against one layer after the other. The argument is the number of threads, 1 by
// default.

#include <edge/core/tensor.hpp>
#include <edge/nn/depthwise.hpp>
#include <edge/nn/integer/inverted_residual.hpp>
#include <edge/perf.hpp>

#include "support/floor.hpp"
#include "support/layers.hpp"
#include "support/rates.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;
using edge::nn::integer::byte_end;
using edge::perf::who;
using layer_bench::numbers;
using layer_bench::print;
using layer_bench::same;

/// What this machine does in a second.
struct peaks {
    double products;  ///< of bytes
    double bytes;     ///< read and written in the second cache
};

byte_end end_of(index_t products, index_t channels) {
    return {std::vector<float>(static_cast<std::size_t>(channels), 0.01f / static_cast<float>(products)), 0, {0, 255}};
}

void run_layer(index_t channels, index_t side, index_t stride, const peaks& machine, int threads) {
    const auto w = numbers<std::int8_t>(channels * 9);
    const auto x = numbers<std::uint8_t>(side * side * channels);
    const auto float_w = numbers<float>(channels * 9);
    const auto float_x = numbers<float>(side * side * channels);
    const auto win = same(3, stride);
    const edge::nn::integer::depthwise_layer<> layer(w.data(), nullptr, channels, win, 0, end_of(9, channels));
    const edge::nn::depthwise_layer<> float_layer(float_w.data(), nullptr, channels, win, {.limits = edge::nn::relu6});
    const edge::nn::convolution g = layer.geometry(1, side, side);
    tensor<std::uint8_t> y(g.output());
    tensor<float> float_y(g.output());
    const double work = 9.0 * static_cast<double>(y.size());
    const auto bytes = static_cast<double>(x.size() + y.size());
    print(edge::perf::compare(
        {.job = "depthwise u8 " + std::to_string(channels) + "x" + std::to_string(side) + "/" + std::to_string(stride),
         .n = static_cast<std::size_t>(work),
         .threads = threads,
         .floor_ms = std::max(work / machine.products, bytes / machine.bytes) * 1e3},
        std::tuple(),
        who{"floats",
            [&] {
                float_layer.run(float_x.data(), float_y.data(), 1, side, side, threads);
                return double{float_y[0]};
            }},
        who{"bytes", [&] {
                layer.run(x.data(), y.data(), 1, side, side, threads);
                return double{float_y[0]};
            }}));
}

void run_block(index_t inputs, index_t hidden, index_t outputs, index_t side, index_t stride, const peaks& machine,
               int threads) {
    namespace integer = edge::nn::integer;
    using edge::simd::matrix;
    const bool expands = inputs != hidden;
    const auto expand = numbers<std::int8_t>(inputs * hidden);
    const auto filter = numbers<std::int8_t>(9 * hidden);
    const auto project = numbers<std::int8_t>(hidden * outputs);
    const integer::inverted_residual_layers layers{
        .inputs = inputs,
        .hidden = hidden,
        .outputs = outputs,
        .window = same(3, stride),
        .expand = expands ? expand.data() : nullptr,
        .depthwise = filter.data(),
        .project = project.data(),
        .x_zero = 128,
        .after_expand = end_of(inputs, hidden),
        .after_depthwise = end_of(9, hidden),
        .after_project = {end_of(hidden, outputs).multipliers, 128, {0, 255}},
        .sum = integer::byte_sum{.x_zero = 128, .other_zero = 128, .zero_point = 128, .range = {0, 255}}};
    const integer::inverted_residual<> fused(layers);
    std::optional<integer::dense_layer<>> first;
    if (expands)
        first.emplace(matrix<const std::int8_t>{expand.data(), hidden, inputs, inputs}.transposed(), nullptr, 128,
                      layers.after_expand);
    const integer::depthwise_layer<> second(filter.data(), nullptr, hidden, layers.window, expands ? 0 : 128,
                                            layers.after_depthwise);
    const integer::dense_layer<> third(matrix<const std::int8_t>{project.data(), outputs, hidden, hidden}.transposed(),
                                       nullptr, 0, layers.after_project, layers.sum);
    const edge::nn::convolution g = fused.geometry(1, side, side);
    const index_t in_pixels = side * side;
    const index_t out_pixels = g.out_h * g.out_w;
    const auto x = numbers<std::uint8_t>(in_pixels * inputs);
    tensor<std::uint8_t> wide({in_pixels * hidden}), filtered({out_pixels * hidden}), y({out_pixels * outputs});
    tensor<std::uint8_t> memory(
        {std::max(expands ? first->scratch_bytes(in_pixels, threads) : 0, third.scratch_bytes(out_pixels, threads))});
    tensor<std::uint8_t> scratch({static_cast<index_t>(fused.scratch_bytes(side, side, threads))});
    const std::uint8_t* residual = stride == 1 && inputs == outputs ? x.data() : nullptr;
    const double work =
        static_cast<double>((expands ? in_pixels * inputs * hidden : 0) + out_pixels * hidden * (9 + outputs));
    const auto checksum = [&] { return double(y[0]) + double(y[y.size() / 2]) + double(y[y.size() - 1]); };
    print(
        edge::perf::compare({.job = "block u8 " + std::to_string(inputs) + "-" + std::to_string(hidden) + "-" +
                                    std::to_string(outputs) + " " + std::to_string(side) + "/" + std::to_string(stride),
                             .n = static_cast<std::size_t>(work),
                             .threads = threads,
                             .floor_ms = work / machine.products * 1e3},
                            std::tuple(),
                            who{"layers",
                                [&] {
                                    const std::uint8_t* in = x.data();
                                    if (expands) {
                                        first->run(in, nullptr, wide.data(), in_pixels, memory.data(), threads);
                                        in = wide.data();
                                    }
                                    second.run(in, filtered.data(), 1, side, side, threads);
                                    third.run(filtered.data(), residual, y.data(), out_pixels, memory.data(), threads);
                                    return checksum();
                                }},
                            who{"one pass", [&] {
                                    fused.run(x.data(), residual, y.data(), 1, side, side, scratch.data(), threads);
                                    return checksum();
                                }}));
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const peaks machine{floors::integer_peak(threads), rates(threads).bytes};
    const index_t layers[][3] = {{32, 112, 1}, {96, 112, 2}, {144, 56, 1}, {144, 56, 2}, {192, 28, 1},
                                 {192, 28, 2}, {384, 14, 1}, {576, 14, 1}, {576, 14, 2}, {960, 7, 1}};
    for (const auto& [channels, side, stride] : layers) run_layer(channels, side, stride, machine, threads);
    const index_t blocks[][5] = {{32, 32, 16, 112, 1},  {16, 96, 24, 112, 2},  {24, 144, 24, 56, 1},
                                 {24, 144, 32, 56, 2},  {32, 192, 32, 28, 1},  {32, 192, 64, 28, 2},
                                 {64, 384, 64, 14, 1},  {64, 384, 96, 14, 1},  {96, 576, 96, 14, 1},
                                 {96, 576, 160, 14, 2}, {160, 960, 160, 7, 1}, {160, 960, 320, 7, 1}};
    for (const auto& [inputs, hidden, outputs, side, stride] : blocks)
        run_block(inputs, hidden, outputs, side, stride, machine, threads);
}
