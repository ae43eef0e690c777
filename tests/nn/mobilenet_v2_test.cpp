// SPDX-License-Identifier: MIT
#include <edge/nn/mobilenet_v2.hpp>
#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

using edge::index_t;
using edge::tensor;
using edge::nn::graph;
using edge::nn::mobilenet_v2;
using edge::nn::session;

namespace {

/// Weights of every name and shape a network asks for.
edge::named_tensors all_weights(double width, const edge::nn::weight_source& from) {
    edge::named_tensors all;
    (void)mobilenet_v2(width, 32, 10, {.weights = [&](const std::string& name, const edge::shape& shape) {
                           const auto w = from(name, shape);
                           all.emplace(name, w);
                           return w;
                       }});
    return all;
}

std::vector<float> run(graph g, const tensor<float>& x) {
    session s(std::move(g), {.threads = 1});
    const auto flat = s(x)[0].as<float>().flat();
    return {flat.begin(), flat.end()};
}

tensor<float> image(index_t side) {
    tensor<float> x({1, 3, side, side});
    edge::splitmix64 random(3);
    for (float& v : x) v = static_cast<float>(random.uniform(-1, 1));
    return x;
}

const edge::nn::weight_source zeros = [](const std::string&, const edge::shape& shape) { return tensor<float>(shape); };

}  // namespace

TEST_CASE("MobileNetV2 costs what its paper says", "[nn][mobilenet]") {
    const struct {
        double width;
        index_t resolution;
        double macs, parameters;
    } published[] = {{1.0, 224, 300e6, 3.47e6}, {1.4, 224, 582e6, 6.06e6}, {0.35, 224, 59e6, 1.66e6}};
    // Source: table 4 of the paper, and tensorflow/models, slim/nets/mobilenet/README.md.
    for (const auto& row : published) {
        CAPTURE(row.width, row.resolution);
        const graph g = mobilenet_v2(row.width, row.resolution, row.width == 1.0 ? 1000 : 1001, {.weights = zeros});
        double parameters = 0;
        double macs = 0;
        // Each weight of a layer is used once for each pixel of the layer's result.
        index_t side = row.resolution;
        for (const auto& n : g.nodes) {
            if (n.op_type != "Conv" && n.op_type != "Gemm") continue;
            const auto weights = static_cast<double>(g.find_initializer(n.inputs[1])->size());
            parameters += weights + static_cast<double>(g.find_initializer(n.inputs[2])->size());
            if (n.op_type == "Conv" && n.integers("strides")[0] == 2) side = (side + 1) / 2;
            macs += n.op_type == "Gemm" ? weights : weights * static_cast<double>(side * side);
        }
        CHECK(macs == Approx(row.macs).epsilon(0.02));
        CHECK(parameters == Approx(row.parameters).epsilon(0.02));
    }
    CHECK(says<edge::argument_error>([] { (void)mobilenet_v2(0); }, "width 0"));
    CHECK(says<edge::argument_error>([] { (void)mobilenet_v2(1, 31); }, "resolution 31"));
    CHECK(says<edge::argument_error>([] { (void)mobilenet_v2(1, 32, 0); }, "classes 0"));
}

TEST_CASE("a seed gives the same network, and paddings differ at stride 2 alone", "[nn][mobilenet]") {
    const auto he = [](std::uint64_t seed, bool tensorflow) {
        return mobilenet_v2(0.1, 40, 7, {.weights = edge::nn::he_weights(seed), .tensorflow_padding = tensorflow});
    };
    const auto x = image(40);
    const auto y = run(he(1, false), x);
    REQUIRE(y.size() == 7);
    CHECK(run(he(1, false), x) == y);
    CHECK(run(he(2, false), x) != y);
    CHECK(run(he(1, true), x) != y);
    const graph a = he(1, false);
    const graph b = he(1, true);
    int differ = 0;
    for (std::size_t i = 0; i < a.nodes.size(); ++i)
        if (a.nodes[i].op_type == "Conv" && a.nodes[i].integers("pads") != b.nodes[i].integers("pads")) {
            ++differ;
            CHECK(b.nodes[i].integers("pads") == std::vector<std::int64_t>{0, 0, 1, 1});
        }
    CHECK(differ == 3);  // 40, 20, 10, 5, 3: the last two are of odd sizes
}

TEST_CASE("weights come from another graph, a folder, or tensors with names", "[nn][mobilenet]") {
    const auto x = image(32);
    const graph original = mobilenet_v2(0.1, 32, 10);
    const auto y = run(original, x);
    CHECK(run(mobilenet_v2(0.1, 32, 10, {.weights = edge::nn::weights_of(original)}), x) == y);

    const auto weights = all_weights(0.1, edge::nn::he_weights());
    CHECK(run(mobilenet_v2(0.1, 32, 10, {.weights = edge::nn::named_weights(weights)}), x) == y);
    const temporary_folder folder;
    const auto& one = weights.at("features.17.dw.weight").as<float>();
    edge::save_npy(folder / "features.17.dw.weight.npy", one);
    const auto from_files = edge::nn::npy_weights(folder.path());
    CHECK(from_files("features.17.dw.weight", one.shape())[7] == one[7]);
    CHECK(says<edge::io_error>([&] { (void)from_files("features.17.dw.bias", {16}); }, "features.17.dw.bias.npy"));

    CHECK(
        says<edge::shape_error>([&] { (void)mobilenet_v2(0.1, 32, 11, {.weights = edge::nn::named_weights(weights)}); },
                                "weight 'classifier.weight' is float32 (10, 1280); expected float32 (11, 1280)"));
    CHECK(says<edge::argument_error>([&] { (void)mobilenet_v2(0.1, 32, 10, {.weights = edge::nn::named_weights({})}); },
                                     "there is no weight 'features.0.conv.weight'"));
    CHECK(says<edge::argument_error>([&] { (void)mobilenet_v2(0.1, 32, 10, {.weights = edge::nn::weights_of({})}); },
                                     "no weight left for 'features.0.conv.weight'"));
}

TEST_CASE("batch normalization under torchvision's names is folded into the layers", "[nn][mobilenet]") {
    const auto plain = all_weights(0.1, edge::nn::he_weights());
    edge::named_tensors torch;
    const auto add = [&](const std::string& layer, const std::string& conv, const std::string& norm) {
        const auto& w = plain.at(layer + ".weight").as<float>();
        torch.emplace(conv + ".weight", w);
        const edge::shape n{w.shape()[0]};
        torch.emplace(norm + ".weight", tensor<float>(n, 3.0f));
        torch.emplace(norm + ".bias", tensor<float>(n, 0.5f));
        torch.emplace(norm + ".running_mean", tensor<float>(n, 0.25f));
        torch.emplace(norm + ".running_var", tensor<float>(n, 4.0f - 1e-5f));
    };
    // Names as torchvision's state_dict() prints them.
    add("features.0.conv", "features.0.0", "features.0.1");
    add("features.1.dw", "features.1.conv.0.0", "features.1.conv.0.1");
    add("features.1.project", "features.1.conv.1", "features.1.conv.2");
    for (int i = 2; i <= 17; ++i) {
        const std::string block = "features." + std::to_string(i);
        add(block + ".expand", block + ".conv.0.0", block + ".conv.0.1");
        add(block + ".dw", block + ".conv.1.0", block + ".conv.1.1");
        add(block + ".project", block + ".conv.2", block + ".conv.3");
    }
    add("features.18.conv", "features.18.0", "features.18.1");
    for (const char* kind : {".weight", ".bias"})
        torch.emplace(std::string("classifier.1") + kind, plain.at(std::string("classifier") + kind));
    for (const auto& [name, folded] : all_weights(0.1, edge::nn::torchvision_weights(torch))) {
        INFO(name);
        const auto& before = plain.at(name).as<float>();
        const bool is_last = name.rfind("classifier", 0) == 0;
        const auto& got = folded.as<float>();
        REQUIRE(got.shape() == before.shape());
        const bool is_weight = name.find(".weight") != std::string::npos;
        CHECK(got[0] == Approx(is_last ? before[0] : is_weight ? 1.5f * before[0] : 0.5 - 0.25 * 1.5).epsilon(1e-5));
    }
}

TEST_CASE("with the weights of the real file, the network built in code gives the same bits", "[nn][mobilenet]") {
    const auto path = test_data("mobilenet_v2_1.0_224.onnx");
    if (!path) return;
    const graph real = edge::nn::load_onnx(*path);
    const auto x = image(224);
    graph built = mobilenet_v2(1.0, 224, 1000, {.weights = edge::nn::weights_of(real), .tensorflow_padding = true});
    CHECK(run(std::move(built), x) == run(real, x));
}
