// SPDX-License-Identifier: MIT
#pragma once

/// @file Small models to quantize, and what is asked of them.

#include <edge/core/random.hpp>
#include <edge/nn/session.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstring>

namespace small_models {

using edge::index_t;
using edge::tensor;
using edge::nn::graph;
using edge::nn::session;

inline tensor<float> random_tensor(const edge::shape& s, std::uint64_t seed, double reach = 1.0) {
    edge::splitmix64 random(seed);
    tensor<float> t(s);
    for (float& x : t) x = static_cast<float>(random.uniform(-reach, reach));
    return t;
}

/// Two hidden layers of ReLU and a softmax; the layers as Gemm (weights turned or not) or as MatMul and Add.
inline graph mlp(bool matmul) {
    graph g;
    g.inputs.push_back({"x", edge::dtype::f32, {{-1}, {12}}});
    const index_t widths[] = {12, 32, 16, 3};
    std::string h = "x";
    for (int i = 0; i < 3; ++i) {
        const bool turned = i == 1 && !matmul;
        const index_t k = widths[i], n = widths[i + 1];
        const auto seed = static_cast<std::uint64_t>(i);
        const std::string w =
            g.constant("w", random_tensor(turned ? edge::shape{n, k} : edge::shape{k, n}, 10 + seed, 0.5));
        const std::string b = g.constant("b", random_tensor({n}, 20 + seed, 0.3));
        if (matmul)
            h = g.add("Add", {b, g.add("MatMul", {h, w})});
        else
            h = g.add("Gemm", {h, w, b}, {{"transB", turned ? 1 : 0}});
        if (i != 2) h = g.add("Relu", {h});
    }
    h = g.add("Softmax", {h}, {{"axis", -1}});
    g.outputs.push_back({h, edge::dtype::f32});
    return g;
}

/// A small image network: stem, depthwise and pointwise convolution with a residual, mean, and a linear layer.
inline graph convnet() {
    graph g;
    g.inputs.push_back({"image", edge::dtype::f32, {{-1}, {3}, {12}, {12}}});
    const auto conv = [&](const std::string& x, index_t in, index_t out, index_t k, index_t stride, index_t groups,
                          std::uint64_t seed) {
        const std::string w = g.constant("w", random_tensor({out, in / groups, k, k}, seed, 0.5));
        const std::string b = g.constant("b", random_tensor({out}, seed + 50, 0.2));
        return g.add("Conv", {x, w, b},
                     {{"group", groups}, {"strides", {stride, stride}}, {"pads", {k / 2, k / 2, k / 2, k / 2}}});
    };
    const auto relu6 = [&](const std::string& x) {
        return g.add("Clip", {x, g.constant("low", tensor<float>(edge::shape{}, 0.0f)),
                              g.constant("high", tensor<float>(edge::shape{}, 6.0f))});
    };
    std::string h = relu6(conv("image", 3, 8, 3, 2, 1, 1));
    const std::string before = h;
    h = relu6(conv(h, 8, 8, 3, 1, 8, 2));
    h = g.add("Add", {before, conv(h, 8, 8, 1, 1, 1, 3)});
    h = g.add("Flatten", {g.add("GlobalAveragePool", {h})});
    h = g.add("Gemm", {h, g.constant("w", random_tensor({5, 8}, 4)), g.constant("b", random_tensor({5}, 5))},
              {{"transB", 1}});
    g.outputs.push_back({h, edge::dtype::f32});
    return g;
}

inline std::size_t count(const graph& g, std::string_view op_type) {
    return static_cast<std::size_t>(
        std::count_if(g.nodes.begin(), g.nodes.end(), [&](const auto& n) { return n.op_type == op_type; }));
}

inline bool same_bits(const tensor<float>& a, const tensor<float>& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

inline float largest_difference(const tensor<float>& a, const tensor<float>& b) {
    REQUIRE(a.shape() == b.shape());
    float most = 0.0f;
    for (index_t i = 0; i < a.size(); ++i) most = (std::max)(most, std::abs(a.data()[i] - b.data()[i]));
    return most;
}

inline tensor<float> run(const graph& g, const tensor<float>& x, bool integer_layers = true) {
    return session(g, {.threads = 1, .integer_layers = integer_layers})(x)[0].as<float>();
}

}  // namespace small_models
