// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/inverted_residual.hpp>

#include "nn/random_windows.hpp"
#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

#include <algorithm>
#include <memory>

using edge::index_t;
using edge::nn::activation;
using edge::nn::activation_kind;
using edge::nn::inverted_residual;
using edge::nn::inverted_residual_layers;
using edge::nn::window;

namespace {

/// A block of random weights.
struct block {
    std::vector<float> expand, expand_bias, depthwise, depthwise_bias, project, project_bias;
    inverted_residual_layers layers;

    block(index_t inputs, index_t hidden, index_t outputs, const window& win, bool has_expand, edge::splitmix64& random)
        : expand(random_floats(inputs * hidden, random)),
          expand_bias(random_floats(hidden, random)),
          depthwise(random_floats(hidden * win.kernel_h * win.kernel_w, random)),
          depthwise_bias(random_floats(hidden, random)),
          project(random_floats(hidden * outputs, random)),
          project_bias(random_floats(outputs, random)),
          layers{.inputs = inputs,
                 .hidden = hidden,
                 .outputs = outputs,
                 .window = win,
                 .expand = has_expand ? expand.data() : nullptr,
                 .expand_bias = expand_bias.data(),
                 .depthwise = depthwise.data(),
                 .depthwise_bias = depthwise_bias.data(),
                 .project = project.data(),
                 .project_bias = project_bias.data(),
                 .after_expand = {.limits = edge::nn::relu6},
                 .after_depthwise = {activation_kind::hard_swish}} {}
    block(const block&) = delete;
    block& operator=(const block&) = delete;
};

/// On every architecture and several threads: the bits of the layers one after the other.
void check(const block& b, index_t batch, index_t in_h, index_t in_w, bool has_residual, edge::splitmix64& random) {
    const inverted_residual_layers& l = b.layers;
    const auto x = random_floats(batch * in_h * in_w * l.inputs, random);
    INFO(batch << "x" << in_h << "x" << in_w << ", channels " << l.inputs << " " << l.hidden << " " << l.outputs
               << ", kernel " << l.window.kernel_h << ", stride " << l.window.stride_h << ", pads " << l.window.pad_top
               << " " << l.window.pad_left << ", expands " << (l.expand != nullptr));
    for_each_architecture([&]<class Arch>() {
        const inverted_residual<Arch> fused(l);
        const auto g = fused.geometry(batch, in_h, in_w);
        const index_t pixels = batch * g.out_h * g.out_w;
        const auto residual = random_floats(pixels * l.outputs, random);
        const float* added = has_residual ? residual.data() : nullptr;

        std::vector<float> expanded = x;
        if (l.expand != nullptr) {
            const edge::simd::matrix<const float> w{l.expand, l.hidden, l.inputs, l.inputs};
            const edge::nn::dense_layer<Arch> layer(w.transposed(), l.expand_bias, l.after_expand);
            expanded.resize(static_cast<std::size_t>(batch * in_h * in_w * l.hidden));
            layer.run(x.data(), nullptr, expanded.data(), batch * in_h * in_w, 1);
        }
        std::vector<float> filtered(static_cast<std::size_t>(pixels * l.hidden));
        const edge::nn::depthwise_layer<Arch> depthwise(l.depthwise, l.depthwise_bias, l.hidden, l.window,
                                                        l.after_depthwise);
        depthwise.run(expanded.data(), filtered.data(), batch, in_h, in_w, 1);
        std::vector<float> expected(static_cast<std::size_t>(pixels * l.outputs));
        const edge::simd::matrix<const float> w{l.project, l.outputs, l.hidden, l.hidden};
        const edge::nn::dense_layer<Arch> project(w.transposed(), l.project_bias, l.after_project);
        project.run(filtered.data(), added, expected.data(), pixels, 1);

        for (int threads = 1; threads <= 4; ++threads) {
            guarded<float> scratch(fused.scratch_bytes(in_h, in_w, threads) / sizeof(float));
            guarded<float> y(expected.size(), 4);
            fused.run(x.data(), added, y.data(), batch, in_h, in_w, scratch.data(), threads);
            REQUIRE(scratch.is_intact());
            REQUIRE(y.is_intact());
            REQUIRE(y.values() == expected);
        }
    });
}

}  // namespace

TEST_CASE("an inverted residual has the bits of its layers, for random shapes", "[nn][inverted_residual]") {
    edge::splitmix64 random(1);
    const random_extents any{random};
    for (int i = 0; i < 24; ++i) {
        const index_t kernel = i % 2 == 0 ? 3 : 5;
        const window w = any.window(kernel, kernel / 2);
        const bool has_expand = i % 4 != 3;
        const index_t inputs = any(1, 20);
        const block b(inputs, has_expand ? any(1, 50) : inputs, any(1, 40), w, has_expand, random);
        check(b, any(0, 3), any(1, 20), any(1, 20), i % 3 == 0, random);
    }
}

TEST_CASE("an inverted residual has the bits of its layers where threads share rows, layers or images",
          "[nn][inverted_residual]") {
    edge::splitmix64 random(2);
    const window same{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const window half{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_bottom = 1, .pad_right = 1};
    check(block(16, 96, 24, half, true, random), 1, 56, 33, false, random);   // several strips
    check(block(40, 240, 40, same, true, random), 1, 7, 7, true, random);     // channels
    check(block(24, 104, 24, same, true, random), 4, 9, 9, true, random);     // images
    check(block(64, 64, 16, same, false, random), 1, 40, 40, false, random);  // strips of the input itself
}

TEST_CASE("an inverted residual adds its input", "[nn][inverted_residual]") {
    const float one[1] = {1.0f}, two[1] = {2.0f};
    const inverted_residual<> b(
        {.inputs = 1, .hidden = 1, .outputs = 1, .expand = two, .depthwise = one, .project = two, .project_bias = one});
    const float x[4] = {1, 2, 3, 4};
    float y[4];
    alignas(64) float scratch[64];
    REQUIRE(b.scratch_bytes(2, 2, 1) <= sizeof scratch);
    const auto before = allocations();
    b.run(x, x, y, 1, 2, 2, scratch, 1);
    CHECK(allocations() == before);
    for (int i = 0; i < 4; ++i) CHECK(y[i] == 5.0f * x[i] + 1.0f);
}

TEST_CASE("an inverted residual refuses channels that do not fit", "[nn][inverted_residual]") {
    const float w[4] = {};
    CHECK_THROWS_WITH(inverted_residual<>({.inputs = 1, .hidden = 2, .outputs = 1, .depthwise = w, .project = w}),
                      "inverted residual of 1 inputs with 2 hidden channels and no layer that expands");
}
