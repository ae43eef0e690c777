// SPDX-License-Identifier: MIT
// Layers of bytes against the exact multiply-adds that this machine can do: floor_ratio is the share of that peak, measured
// in the same run, turned over. Making bytes of a sum takes 4 to 5 instructions of the same ports for four sums each, so
// that with k inputs and products of g bytes at a time at most k / (k + 5 g) of the peak are there to be had: with AVX-512
// VNNI 0.44 at k = 16, 0.62 at 32, 0.83 at 96. The argument is the number of threads, 1 by default.

#include <edge/core/tensor.hpp>
#include <edge/nn/dense.hpp>
#include <edge/nn/integer/conv.hpp>
#include <edge/nn/integer/dynamic_dense.hpp>
#include <edge/perf.hpp>

#include "support/floor.hpp"
#include "support/layers.hpp"

#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

namespace {

using edge::index_t;
using edge::tensor;
namespace integer = edge::nn::integer;
using layer_bench::numbers;
using layer_bench::same;

struct job {
    index_t side, in_c, out_c;
    index_t kernel = 1, stride = 1;
};

/// The 1x1 layers of MobileNetV2 1.0 at 224 x 224, its first layer, and layers of other networks.
constexpr job jobs[] = {
    {112, 32, 16},  {112, 16, 96},      {56, 96, 24},    {56, 24, 144},     {56, 144, 24},        {28, 144, 32},
    {28, 32, 192},  {28, 192, 32},      {14, 192, 64},   {14, 64, 384},     {14, 384, 64},        {14, 384, 96},
    {14, 96, 576},  {14, 576, 96},      {7, 576, 160},   {7, 160, 960},     {7, 960, 160},        {7, 960, 320},
    {7, 320, 1280}, {224, 3, 32, 3, 2}, {56, 64, 64, 3}, {14, 256, 256, 3}, {56, 128, 128, 3, 2},
};

template <class Y, class... Run>
void measure(const std::string& name, double work, double floor_seconds, int threads, const tensor<Y>& y,
             edge::perf::who<Run>... runs) {
    const auto result = edge::perf::compare(
        {.job = name,
         .n = static_cast<std::size_t>(work),
         .threads = threads,
         .check = false,
         .floor_ms = floor_seconds * 1e3},
        std::tuple(), edge::perf::who{runs.name, [&] {
                                          runs.run();
                                          return static_cast<double>(y[0]) + static_cast<double>(y[y.size() - 1]);
                                      }}...);
    layer_bench::print(result);
}

void convolve(const job& j, int threads) {
    const edge::nn::window w = same(j.kernel, j.stride);
    const auto weights = numbers<std::int8_t>(j.out_c * j.in_c * j.kernel * j.kernel);
    const auto bias = numbers<std::int32_t>(j.out_c);
    const integer::byte_end end{std::vector<float>(static_cast<std::size_t>(j.out_c), 1e-3f), 0, {0, 255}};
    const integer::conv_layer layer(weights.data(), bias.data(), 3, j.in_c, j.out_c, 1, w, end);
    const auto g = layer.geometry(1, j.side, j.side);
    const auto x = numbers<std::uint8_t>(j.side * j.side * j.in_c);
    tensor<std::uint8_t> y(g.output());
    tensor<unsigned char> scratch({layer.scratch_bytes(g, threads)});
    const double work = static_cast<double>(y.size()) * static_cast<double>(j.in_c * j.kernel * j.kernel);
    std::string name = edge::message("integer conv ", j.side, "x", j.side, "x", j.in_c, " to ", j.out_c);
    if (j.kernel != 1) name += edge::message(", ", j.kernel, "x", j.kernel);
    if (j.stride != 1) name += edge::message(", stride ", j.stride);
    measure(name, work, work / floors::integer_peak(threads), threads, y,
            edge::perf::who{"edge", [&] { layer.run(x.data(), nullptr, y.data(), g, scratch.data(), threads); }});
}

/// Layers of a network that is quantized as it runs, and the same in float. Few rows: the floor is reading the weights.
void classify(index_t rows, index_t k, index_t n, int threads) {
    const auto weights = numbers<std::int8_t>(k * n);
    const auto x = numbers<float>(rows * k);
    const float scale = 0.01f;
    const integer::dynamic_dense_layer layer({weights.data(), k, n, n}, {&scale, 1});
    const auto floats = numbers<float>(k * n);
    const edge::nn::dense_layer peer({floats.data(), k, n, n});
    tensor<float> y({rows, n});
    tensor<unsigned char> scratch({layer.scratch_bytes(rows, threads)});
    const double work = static_cast<double>(rows * k * n);
    const double read =
        floors::least_seconds(20, [&] { edge::perf::keep(floors::read(floats.data(), k * n / 4, threads)); });
    measure(edge::message("dynamic dense ", rows, "x", k, " to ", n), work,
            std::max(read, work / floors::integer_peak(threads)), threads, y,
            edge::perf::who{"float", [&] { peer.run(x.data(), nullptr, y.data(), rows, threads); }},
            edge::perf::who{"edge", [&] { layer.run(x.data(), y.data(), rows, scratch.data(), threads); }});
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    for (const job& j : jobs) convolve(j, threads);
    for (const index_t rows : {1, 32}) {
        classify(rows, 1024, 2048, threads);
        classify(rows, 2048, 2048, threads);
    }
}
