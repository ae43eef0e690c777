// SPDX-License-Identifier: MIT
#include <edge/nn/ptq.hpp>
#include <edge/nn/quantized_form.hpp>

#include "small_models.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <cmath>

using edge::dtype;
using edge::index_t;
using edge::tensor;
using edge::nn::graph;
using edge::nn::node;
using edge::nn::session;
using edge::nn::session_options;
using small_models::count;
using small_models::largest_difference;
using small_models::random_tensor;
using small_models::same_bits;

namespace {

struct builder {
    graph g;
    std::uint64_t seed = 1;

    std::string conv(const std::string& x, index_t in, index_t out, index_t kernel, index_t stride = 1,
                     index_t groups = 1) {
        const index_t pad = kernel / 2;
        const float reach = 2.0f / std::sqrt(static_cast<float>(in / groups * kernel * kernel));
        const auto w = random_tensor({out, in / groups, kernel, kernel}, ++seed, reach);
        return g.add("Conv", {x, g.constant("w", w), g.constant("b", random_tensor({out}, ++seed, 0.5f))},
                     {{"group", groups}, {"strides", {stride, stride}}, {"pads", {pad, pad, pad, pad}}});
    }
    std::string relu6(const std::string& x) {
        return g.add("Clip", {x, g.constant("low", tensor<float>(edge::shape{}, 0.0f)),
                              g.constant("high", tensor<float>(edge::shape{}, 6.0f))});
    }
    std::string block(const std::string& x, index_t in, index_t hidden, index_t out, index_t stride) {
        std::string h = hidden == in ? x : relu6(conv(x, in, hidden, 1));
        h = conv(relu6(conv(h, hidden, hidden, 3, stride, hidden)), hidden, out, 1);
        return stride == 1 && in == out ? g.add("Add", {x, h}) : h;
    }
};

/// As MobileNetV2 is built, small.
graph network() {
    builder b;
    b.g.opset = 13;
    b.g.inputs.push_back({"image", dtype::f32, {{"n"}, {3}, {"h"}, {"w"}}});
    std::string h = b.relu6(b.conv("image", 3, 8, 3, 2));
    h = b.block(h, 8, 8, 6, 1);
    h = b.block(h, 6, 36, 10, 2);
    h = b.block(h, 10, 40, 10, 1);
    h = b.relu6(b.conv(h, 10, 20, 1));
    h = b.g.add("Flatten", {b.g.add("GlobalAveragePool", {h})});
    h = b.g.add("Gemm", {h, b.g.constant("w", random_tensor({7, 20}, 90)), b.g.constant("b", random_tensor({7}, 91))},
                {{"transB", 1}});
    b.g.outputs.push_back({h, dtype::f32});
    return b.g;
}

const tensor<float>& images() {
    static const tensor<float> x = random_tensor({3, 3, 22, 26}, 7, 2.0f);
    return x;
}

const graph& quantized() {
    static const graph g = edge::nn::quantize_static(network(), {images()});
    return g;
}

tensor<float> result(const graph& g, const session_options& options = {.threads = 1}) {
    return session(g, options)(images())[0].as<float>();
}

float relative_difference(const tensor<float>& a, const tensor<float>& b) {
    float most = 0;
    for (const float v : b) most = (std::max)(most, std::abs(v));
    return largest_difference(a, b) / most;
}

/// The same model with int8 in place of uint8: zero points 128 lower.
graph with_signed_activations(graph g) {
    for (auto& [name, value] : g.initializers) {
        if (!value.is<std::uint8_t>() || value.size() != 1) continue;
        tensor<std::int8_t> lower(value.shape());
        lower.data()[0] = static_cast<std::int8_t>(int{value.as<std::uint8_t>().data()[0]} - 128);
        value = std::move(lower);
    }
    return g;
}

/// The same model with weights of uint8, whose zero points are 128.
graph with_unsigned_weights(graph g) {
    for (node& n : g.nodes) {
        if (n.op_type != "DequantizeLinear" || g.find_initializer(n.inputs[0]) == nullptr) continue;
        edge::any_tensor& q = g.initializers[n.inputs[0]];
        if (!q.is<std::int8_t>()) continue;
        tensor<std::uint8_t> raised(q.shape());
        for (index_t i = 0; i < raised.size(); ++i)
            raised.data()[i] = static_cast<std::uint8_t>(q.as<std::int8_t>().data()[i] + 128);
        q = std::move(raised);
        n.inputs.resize(3);
        n.inputs[2] = g.constant("zero_point", tensor<std::uint8_t>(g.initializers[n.inputs[1]].shape(), 128));
    }
    return g;
}

}  // namespace

TEST_CASE("a quantized image network runs in integers from the first layer to the last", "[nn][integer]") {
    const session fused{quantized(), {.threads = 1}};
    CHECK(count(fused.model(), "QuantizePixels") == 1);
    CHECK(count(fused.model(), "QInvertedResidual") == 3);
    CHECK(count(fused.model(), "QConv") == 2);
    CHECK(count(fused.model(), "QGlobalAveragePool") == 1);
    CHECK(count(fused.model(), "QLinearGemm") == 1);
    for (const char* other : {"Conv", "Add", "QAdd", "QuantizeLinear", "DequantizeLinear", "Clip"})
        CHECK(count(fused.model(), other) == 0);

    const auto expected = result(network());
    const auto letter = result(quantized(), {.threads = 1, .integer_layers = false});
    const auto y = result(quantized());
    CHECK(relative_difference(letter, expected) < 0.1);
    CHECK(relative_difference(y, expected) < 0.1);
    CHECK(relative_difference(y, letter) < 0.03);  // a step here and there
}

TEST_CASE("integer layers give the same bits fused or not, on any number of threads", "[nn][integer]") {
    const auto y = result(quantized());
    CHECK(same_bits(result(quantized(), {.threads = 1, .passes = {.fuse_blocks = false}}), y));
    for (const int threads : {2, 3, 4}) {
        CHECK(same_bits(result(quantized(), {.threads = threads}), y));
        CHECK(same_bits(result(quantized(), {.threads = threads, .passes = {.fuse_blocks = false}}), y));
    }
    session alone{quantized(), {.threads = 2}};
    const index_t size = images().size() / 3;
    for (index_t n = 0; n < 3; ++n) {
        const edge::nn::any_view image({dtype::f32, {1, 3, 22, 26}}, images().data() + n * size);
        const auto& one = alone(image)[0].as<float>();
        for (index_t i = 0; i < 7; ++i) CHECK(one.data()[i] == y.data()[n * 7 + i]);
    }
}

TEST_CASE("integers of either sign and either form of file give the same bits", "[nn][integer]") {
    const auto y = result(quantized());
    CHECK(same_bits(result(with_signed_activations(quantized())), y));
    CHECK(same_bits(result(with_unsigned_weights(quantized())), y));

    const graph layers = edge::nn::to_qoperator(quantized());
    CHECK(count(layers, "QLinearConv") == 10);
    CHECK(count(layers, "QLinearAdd") == 1);
    CHECK(count(layers, "QLinearGlobalAveragePool") == 1);
    CHECK(count(layers, "QGemm") == 1);
    CHECK(count(layers, "DequantizeLinear") == 0);
    CHECK(same_bits(result(layers), y));
    CHECK(count(session{layers, {.threads = 1}}.model(), "QInvertedResidual") == 3);

    const graph pairs = edge::nn::to_qdq(layers);
    CHECK(count(pairs, "Conv") == 10);
    CHECK(count(pairs, "QLinearConv") == 0);
    CHECK(same_bits(result(pairs), y));
    const auto letter = result(pairs, {.threads = 1, .integer_layers = false});
    CHECK(same_bits(letter, result(quantized(), {.threads = 1, .integer_layers = false})));
}

TEST_CASE("runs of integer layers allocate nothing", "[nn][integer]") {
    session run{quantized(), {.threads = 2}};
    run(images());
    const auto before = allocations();
    run(images());
    CHECK(allocations() == before);
}

TEST_CASE("sums of images of different sizes are broadcast", "[nn][integer]") {
    builder b;
    b.g.opset = 13;
    b.g.inputs.push_back({"image", dtype::f32, {{1}, {3}, {6}, {5}}});
    const std::string h = b.conv("image", 3, 8, 3);
    b.g.outputs.push_back({b.conv(b.g.add("Add", {h, b.g.add("GlobalAveragePool", {h})}), 8, 4, 1), dtype::f32});
    const auto x = random_tensor({1, 3, 6, 5}, 3);
    const graph int8 = edge::nn::quantize_static(b.g, {x});
    session run{int8, {.threads = 1}};
    CHECK(count(run.model(), "QAdd") == 1);
    const auto letter = session(int8, {.threads = 1, .integer_layers = false})(x)[0].as<float>();
    CHECK(relative_difference(run(x)[0].as<float>(), letter) < 0.02);
}
