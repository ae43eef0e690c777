// SPDX-License-Identifier: MIT
#include <edge/nn/integer/add.hpp>
#include <edge/nn/integer/inverted_residual.hpp>

#include "nn/random_windows.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/random_bytes.hpp"
#include "support/thrown.hpp"

using edge::index_t;
using edge::nn::window;
using edge::nn::integer::byte_end;
using edge::nn::integer::byte_sum;
using edge::nn::integer::inverted_residual;
using edge::nn::integer::inverted_residual_layers;

namespace {

/// A block of random weights.
struct block {
    std::vector<std::int8_t> expand, depthwise, project;
    std::vector<std::int32_t> bias;
    inverted_residual_layers layers;

    block(index_t inputs, index_t hidden, index_t outputs, const window& win, bool has_expand, edge::splitmix64& random)
        : expand(random_bytes<std::int8_t>(inputs * hidden, random)),
          depthwise(random_bytes<std::int8_t>(hidden * win.kernel_h * win.kernel_w, random)),
          project(random_bytes<std::int8_t>(hidden * outputs, random)) {
        for (index_t i = 0; i < (std::max)(hidden, outputs); ++i)
            bias.push_back(static_cast<std::int32_t>(random.uniform(-3000.0, 3000.0)));
        layers = {
            .inputs = inputs,
            .hidden = hidden,
            .outputs = outputs,
            .window = win,
            .expand = has_expand ? expand.data() : nullptr,
            .expand_bias = bias.data(),
            .depthwise = depthwise.data(),
            .depthwise_bias = bias.data(),
            .project = project.data(),
            .project_bias = bias.data(),
            .x_zero = 120,
            .after_expand = end(inputs, hidden, 3, random),
            .after_depthwise = end(win.kernel_h * win.kernel_w, hidden, 0, random),
            .after_project = end(hidden, outputs, 130, random),
            .sum = byte_sum{.x_scale = 0.8f, .other_scale = 0.6f, .x_zero = 130, .other_zero = 120, .zero_point = 99}};
    }
    block(const block&) = delete;
    block& operator=(const block&) = delete;

    static byte_end end(index_t products, index_t channels, std::int32_t zero_point, edge::splitmix64& random) {
        byte_end e{{}, zero_point, {zero_point == 130 ? 0 : zero_point, 255}};
        const double spread = 8000.0 * std::sqrt(static_cast<double>(products));
        for (index_t c = 0; c < channels; ++c)
            e.multipliers.push_back(static_cast<float>(random.uniform(50.0, 150.0) / spread));
        return e;
    }
};

/// The narrowest and the widest: the layers are tested on all of them, and each takes long to compile.
template <class F>
void for_two_architectures(const F& f) {
#if defined(__SSE2__)
    f.template operator()<xsimd::sse2>();
#endif
    f.template operator()<edge::nn::detail::native>();
}

/// On two architectures and several threads: the bits of the layers one after the other, and of the first architecture.
void check(const block& b, index_t batch, index_t in_h, index_t in_w, bool has_residual, edge::splitmix64& random) {
    namespace integer = edge::nn::integer;
    const inverted_residual_layers& l = b.layers;
    const auto x = random_bytes(batch * in_h * in_w * l.inputs, random);
    INFO(batch << "x" << in_h << "x" << in_w << ", channels " << l.inputs << " " << l.hidden << " " << l.outputs
               << ", kernel " << l.window.kernel_h << ", stride " << l.window.stride_h << ", pads " << l.window.pad_top
               << " " << l.window.pad_left << ", expands " << (l.expand != nullptr));
    std::vector<std::uint8_t> residual, first;
    for_two_architectures([&]<class Arch>() {
        const inverted_residual<Arch> fused(l);
        const auto g = fused.geometry(batch, in_h, in_w);
        const index_t pixels = batch * g.out_h * g.out_w;
        if (residual.empty()) residual = random_bytes(pixels * l.outputs, random);
        guarded<std::uint8_t> memory(std::size_t{1} << 20);  // of the layers
        const auto pointwise = [&](const std::vector<std::int8_t>& w, index_t k, index_t n, std::int32_t zero,
                                   const byte_end& end, const std::vector<std::uint8_t>& in) {
            const edge::simd::matrix<const std::int8_t> weights{w.data(), n, k, k};
            const integer::dense_layer<Arch> layer(weights.transposed(), b.bias.data(), zero, end);
            const auto rows = static_cast<index_t>(in.size()) / k;
            REQUIRE(layer.scratch_bytes(rows, 1) <= static_cast<index_t>(memory.count()));
            std::vector<std::uint8_t> out(static_cast<std::size_t>(rows * n));
            layer.run(in.data(), nullptr, out.data(), rows, memory.data(), 1);
            return out;
        };
        std::vector<std::uint8_t> wide = x;
        if (l.expand != nullptr) wide = pointwise(b.expand, l.inputs, l.hidden, l.x_zero, l.after_expand, x);
        std::vector<std::uint8_t> filtered(static_cast<std::size_t>(pixels * l.hidden));
        const integer::depthwise_layer<Arch> depthwise(l.depthwise, l.depthwise_bias, l.hidden, l.window,
                                                       l.expand != nullptr ? l.after_expand.zero_point : l.x_zero,
                                                       l.after_depthwise);
        depthwise.run(wide.data(), filtered.data(), batch, in_h, in_w, 1);
        std::vector<std::uint8_t> expected =
            pointwise(b.project, l.hidden, l.outputs, l.after_depthwise.zero_point, l.after_project, filtered);
        if (has_residual)
            integer::add<Arch>(expected.data(), residual.data(), expected.data(), pixels * l.outputs, *l.sum, 1);
        if (first.empty()) first = expected;
        REQUIRE(expected == first);

        for (int threads = 1; threads <= 4; ++threads) {
            guarded<std::uint8_t> scratch(fused.scratch_bytes(in_h, in_w, threads));
            guarded<std::uint8_t> y(expected.size(), 4);
            fused.run(x.data(), has_residual ? residual.data() : nullptr, y.data(), batch, in_h, in_w, scratch.data(),
                      threads);
            REQUIRE(scratch.is_intact());
            REQUIRE(y.is_intact());
            REQUIRE(y.values() == expected);
        }
    });
}

}  // namespace

TEST_CASE("an inverted residual of bytes has the bits of its layers, for random shapes", "[nn][integer]") {
    edge::splitmix64 random(1);
    const random_extents any{random};
    for (int i = 0; i < 16; ++i) {
        const index_t kernel = i % 2 == 0 ? 3 : 5;
        const window w = any.window(kernel, kernel / 2);
        const bool has_expand = i % 4 != 3;
        const index_t inputs = any(1, 20);
        const block b(inputs, has_expand ? any(1, 50) : inputs, any(1, 40), w, has_expand, random);
        check(b, any(0, 3), any(1, 20), any(1, 20), i % 3 == 0, random);
    }
}

TEST_CASE("an inverted residual of bytes has the bits of its layers where threads share rows, layers or images",
          "[nn][integer]") {
    edge::splitmix64 random(2);
    const window same{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const window half{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_bottom = 1, .pad_right = 1};
    check(block(16, 96, 24, half, true, random), 1, 90, 80, false, random);   // several strips
    check(block(40, 240, 40, same, true, random), 1, 7, 7, true, random);     // channels
    check(block(24, 104, 24, same, true, random), 3, 9, 17, true, random);    // images
    check(block(64, 64, 16, same, false, random), 1, 40, 70, false, random);  // strips of the input itself
}

TEST_CASE("an inverted residual of bytes runs without allocating", "[nn][integer]") {
    edge::splitmix64 random(3);
    const block b(8, 32, 8, {.kernel_h = 3, .kernel_w = 3}, true, random);
    const inverted_residual<> fused(b.layers);
    const auto x = random_bytes(20 * 20 * 8, random);
    std::vector<std::uint8_t> y(18 * 18 * 8);
    guarded<std::uint8_t> scratch(fused.scratch_bytes(20, 20, 1));
    const auto before = allocations();
    fused.run(x.data(), nullptr, y.data(), 1, 20, 20, scratch.data(), 1);
    CHECK(allocations() == before);
}

TEST_CASE("an inverted residual of bytes that does not expand needs as many inputs as hidden channels",
          "[nn][integer]") {
    edge::splitmix64 random(4);
    const block b(8, 32, 8, {.kernel_h = 3, .kernel_w = 3}, false, random);
    CHECK(says<edge::argument_error>([&] { inverted_residual<> fused(b.layers); }, "8 inputs with 32 hidden"));
}
