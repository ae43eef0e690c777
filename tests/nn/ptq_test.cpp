// SPDX-License-Identifier: MIT
#include <edge/nn/onnx.hpp>
#include <edge/nn/ptq.hpp>

#include "small_models.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cmath>

using edge::index_t;
using edge::tensor;
using edge::nn::granularity;
using edge::nn::graph;
using edge::nn::session;
using namespace small_models;

TEST_CASE("a quantized perceptron runs in integers and is near the float model", "[nn][ptq]") {
    const auto calibration = random_tensor({200, 12}, 1);
    const auto x = random_tensor({300, 12}, 2);
    for (const bool matmul : {false, true}) {
        const graph model = mlp(matmul);
        const auto expected = run(model, x);
        for (const granularity weights : {granularity::per_tensor, granularity::per_channel}) {
            const graph int8 = edge::nn::quantize_static(
                model, {calibration},
                {.weights = weights, .observer = edge::nn::observer_kind::minmax, .equalize = false});
            const session made{int8};
            CHECK(count(made.model(), "QLinearGemm") == 3);
            CHECK(count(made.model(), "Gemm") + count(made.model(), "MatMul") + count(made.model(), "Relu") == 0);
            // The layers hand each other bytes: one conversion at the start, none back.
            CHECK(count(made.model(), "QuantizeLinear") == 1);
            CHECK(count(made.model(), "DequantizeLinear") == 0);
            const auto y = run(int8, x);
            CHECK(largest_difference(y, expected) < 0.03f);
            CHECK(largest_difference(y, expected) > 0.0f);
            // By its letter the file says the same, up to a step of a value that lies between two integers.
            CHECK(largest_difference(y, run(int8, x, false)) < 0.02f);
        }
    }
}

TEST_CASE("scales of their own for each channel keep more than one for all", "[nn][ptq]") {
    graph model = mlp(false);
    // One channel of the first layer is a hundred times as large as the others.
    for (auto& [name, value] : model.initializers)
        if (value.shape() == edge::shape{12, 32})
            for (index_t i = 0; i < 12; ++i) value.as<float>()(i, 0) *= 100.0f;
    const auto x = random_tensor({200, 12}, 3);
    const auto expected = run(model, x);
    const auto difference = [&](granularity weights) {
        return largest_difference(
            run(edge::nn::quantize_static(model, {x}, {.weights = weights, .equalize = false}), x), expected);
    };
    CHECK(difference(granularity::per_channel) < difference(granularity::per_tensor));
}

TEST_CASE("a quantized image network runs its layers in integers", "[nn][ptq]") {
    const graph model = convnet();
    const auto calibration = random_tensor({16, 3, 12, 12}, 1);
    const auto x = random_tensor({4, 3, 12, 12}, 2);
    const auto expected = run(model, x);
    float most = 0.0f;
    for (const float v : expected) most = (std::max)(most, std::abs(v));
    const graph int8 = edge::nn::quantize_static(model, {calibration});
    const session made{int8};
    CHECK(count(made.model(), "QConv") == 1);
    CHECK(count(made.model(), "QInvertedResidual") == 1);
    CHECK(count(made.model(), "QLinearGemm") == 1);
    CHECK(count(made.model(), "Conv") + count(made.model(), "Gemm") == 0);
    CHECK(largest_difference(run(int8, x), expected) < 0.05f * most);
    CHECK(largest_difference(run(int8, x), run(int8, x, false)) < 0.02f * most);
}

TEST_CASE("between the first QuantizeLinear and the last layer all values are 8 bits", "[nn][ptq]") {
    const graph int8 = edge::nn::quantize_static(convnet(), {random_tensor({4, 3, 12, 12}, 1)});
    const auto made_by = [&](const std::string& value) {
        const auto* n = int8.producer(value);
        return n == nullptr ? std::string("none") : n->op_type;
    };
    for (const auto& n : int8.nodes) {
        if (n.op_type == "QuantizeLinear" || n.op_type == "DequantizeLinear" || n.op_type == "Mul") continue;
        INFO(to_string(n));
        CHECK(made_by(n.inputs[0]) == "DequantizeLinear");
        if (n.op_type == "Add") CHECK(made_by(n.inputs[1]) == "DequantizeLinear");
        if (n.op_type == "Gemm") continue;
        const auto readers = int8.consumers(n.outputs[0]);
        REQUIRE(readers.size() == 1);
        CHECK(int8.nodes[readers[0]].op_type == "QuantizeLinear");
    }
    CHECK(count(int8, "Conv") == 3);
    CHECK(count(int8, "Clip") == 0);  // the ranges of the integers do it
    // The image, three convolutions, their sum, its mean, and that again as a row.
    CHECK(count(int8, "QuantizeLinear") == 7);
    // What only moves values keeps its scale.
    const auto* flatten = int8.producer(int8.nodes[int8.consumers("Flatten")[0]].inputs[0]);
    const auto& mean_scale = int8.nodes[int8.consumers("GlobalAveragePool")[0]].inputs[1];
    const auto& flat_scale = int8.nodes[int8.consumers("Flatten")[0]].inputs[1];
    CHECK(flatten->op_type == "Flatten");
    CHECK(int8.find_initializer(mean_scale)->as<float>()[0] == int8.find_initializer(flat_scale)->as<float>()[0]);
}

TEST_CASE("an activation stays where the range of the integers does not imply it", "[nn][ptq]") {
    graph g;
    g.inputs.push_back({"x", edge::dtype::f32, {{1}, {2}, {4}, {4}}});
    const std::string y = g.add("Conv", {"x", g.constant("w", random_tensor({3, 2, 1, 1}, 1))});
    const std::string low = g.constant("low", tensor<float>(edge::shape{}, 0.1f));
    g.outputs.push_back({g.add("GlobalAveragePool", {g.add("Clip", {g.add("Relu", {y}), low})}), edge::dtype::f32});
    const auto x = random_tensor({1, 2, 4, 4}, 2);
    const graph int8 = edge::nn::quantize_static(g, {x});
    CHECK(count(int8, "Clip") == 1);  // integers start at 0, not at 0.1
    CHECK(largest_difference(run(int8, x), run(g, x)) < 0.02f);
    CHECK(largest_difference(run(int8, x), run(int8, x, false)) < 0.01f);
    // The output keeps its name and is made of integers.
    CHECK(int8.producer(g.outputs[0].name)->op_type == "DequantizeLinear");
}

TEST_CASE("layers that are named stay float", "[nn][ptq]") {
    const graph model = convnet();
    const auto x = random_tensor({4, 3, 12, 12}, 1);
    const graph int8 = edge::nn::quantize_static(model, {x}, {.keep_float = {"Conv", "Gemm"}});
    const std::size_t weights =
        static_cast<std::size_t>(std::count_if(int8.initializers.begin(), int8.initializers.end(), [](const auto& i) {
            return i.second.template is<std::int8_t>() && i.second.size() > 8;
        }));
    CHECK(weights == 2);
    CHECK(largest_difference(run(int8, x), run(int8, x, false)) < 0.05f);
}

TEST_CASE("equalization keeps the answers and lets one scale do for all weights of a layer", "[nn][ptq]") {
    graph model = convnet();
    // Channels of the first convolution differ a hundredfold, and the second one makes up for it.
    std::vector<tensor<float>*> w;
    for (auto& [name, value] : model.initializers)
        if (value.shape() == edge::shape{8, 3, 3, 3} || value.shape() == edge::shape{8, 1, 3, 3})
            w.push_back(&value.as<float>());
    REQUIRE(w.size() == 2);
    tensor<float>& first = w[0]->shape()[1] == 3 ? *w[0] : *w[1];
    for (index_t c = 0; c < 8; ++c)
        for (index_t i = 0; i < 27; ++i) first.data()[c * 27 + i] *= std::pow(0.5f, static_cast<float>(c));
    // Without the residual, which would tie the channels.
    for (auto& n : model.nodes)
        if (n.op_type == "Add") n = {"Relu", n.name, {n.inputs[1]}, n.outputs};
    const auto x = random_tensor({16, 3, 12, 12}, 1);
    const auto expected = run(model, x);

    edge::nn::ptq::plan plan(model, [](const auto&) { return true; });
    graph equal = model;
    const auto reaches = edge::nn::ptq::observe_channels(equal, plan, {.threads = 1}, [&](session& s) { s(x); });
    edge::nn::ptq::equalize(equal, plan, reaches);
    CHECK(largest_difference(run(equal, x), expected) < 1e-5f);
    CHECK(count(equal, "Clip") == 2);

    const auto difference = [&](bool equalized) {
        const auto int8 = edge::nn::quantize_static(
            model, {x}, {.weights = granularity::per_tensor, .equalize = equalized, .learn_rounding = false});
        return largest_difference(run(int8, x), expected);
    };
    CHECK(difference(true) < 0.7f * difference(false));
}

TEST_CASE("correcting biases brings the means of the results back", "[nn][ptq]") {
    const graph model = convnet();
    const auto x = random_tensor({64, 3, 12, 12}, 1);
    const auto expected = run(model, x);
    const auto error_of_means = [&](bool corrected) {
        const auto y = run(edge::nn::quantize_static(model, {x}, {.correct_bias = corrected}), x);
        double most = 0;
        for (index_t c = 0; c < 5; ++c) {
            double sum = 0;
            for (index_t i = 0; i < 64; ++i) sum += static_cast<double>(y(i, c) - expected(i, c));
            most = (std::max)(most, std::abs(sum / 64));
        }
        return most;
    };
    CHECK(error_of_means(true) < 0.25 * error_of_means(false));
}

TEST_CASE("integer layers give the same bits for any number of threads and rows", "[nn][ptq]") {
    const auto x = random_tensor({64, 12}, 4);
    const graph int8 = edge::nn::quantize_static(mlp(false), {x});
    const auto all = run(int8, x);
    session one{int8, {.threads = 3}};
    for (index_t i = 0; i < 64; ++i) {
        const tensor<float> row = edge::copy(x.view().slice(0, i, i + 1));
        const tensor<float>& y = one(row)[0].as<float>();
        for (index_t j = 0; j < 3; ++j) REQUIRE(y(0, j) == all(i, j));
    }
}

TEST_CASE("a quantized model keeps its bits through a file", "[nn][ptq]") {
    const temporary_folder folder;
    for (const auto& [model, x] :
         {std::pair{mlp(true), random_tensor({50, 12}, 5)}, std::pair{convnet(), random_tensor({2, 3, 12, 12}, 6)}}) {
        const graph int8 = edge::nn::quantize_static(model, {x});
        edge::nn::save_onnx(int8, folder / "model.onnx");
        CHECK(largest_difference(run(edge::nn::load_onnx(folder / "model.onnx"), x), run(int8, x)) == 0.0f);
    }
}

TEST_CASE("calibration in parts equals calibration at once", "[nn][ptq]") {
    const auto x = random_tensor({40, 12}, 7);
    const auto first = edge::copy(x.view().slice(0, 0, 10));
    const auto second = edge::copy(x.view().slice(0, 10, 40));
    const auto at_once = run(edge::nn::quantize_static(mlp(false), {x}), x);
    CHECK(largest_difference(run(edge::nn::quantize_static(mlp(false), {first, second}), x), at_once) == 0.0f);
    const auto by_hand = edge::nn::quantize_static(mlp(false), [&](session& s) { s({{"x", x}}); });
    CHECK(largest_difference(run(by_hand, x), at_once) == 0.0f);
}

TEST_CASE("a large bias survives weights that are next to nothing", "[nn][ptq]") {
    graph g;
    g.inputs.push_back({"x", edge::dtype::f32, {{-1}, {2}}});
    const std::string w = g.constant("w", tensor<float>({2, 2}, {0.0f, 1.0f, 0.0f, 1.0f}));
    const std::string b = g.constant("b", tensor<float>({2}, {1000.0f, 0.0f}));
    g.outputs.push_back({g.add("Gemm", {"x", w, b}), edge::dtype::f32});
    const tensor<float> x({1, 2}, {1.0f, 0.5f});
    for (const granularity weights : {granularity::per_tensor, granularity::per_channel}) {
        const auto y = run(edge::nn::quantize_static(g, {x}, {.weights = weights}), x);
        CHECK(y[0] == Approx(1000.0f).epsilon(1e-3));
        CHECK(y[1] == Approx(1.5f).margin(0.02));
    }
}

TEST_CASE("what cannot be quantized is refused by name", "[nn][ptq]") {
    const auto x = random_tensor({10, 12}, 8);
    graph old = mlp(false);
    old.opset = 12;
    CHECK_THROWS_WITH(edge::nn::quantize_static(old, {x}), "model of opset 12; expected 13 or newer");
    CHECK_THROWS_AS(edge::nn::quantize_static(edge::nn::quantize_static(mlp(false), {x}), {x}), edge::argument_error);
    CHECK_THROWS_WITH(edge::nn::quantize_static(mlp(false), std::span<const edge::nn::any_view>()),
                      Catch::Contains("calibration saw none"));
    auto bad = x;
    bad[5] = std::nanf("");
    CHECK_THROWS_WITH(edge::nn::quantize_static(mlp(false), {x, bad}),
                      "calibration run 1 (from 0): input 'x': observed value 5 is nan; expected a finite number");
    graph g;
    g.inputs.push_back({"x", edge::dtype::f32, {{-1}}});
    g.outputs.push_back({g.add("Relu", {"x"}), edge::dtype::f32});
    CHECK_THROWS_WITH(edge::nn::quantize_static(g, {random_tensor({3}, 1)}),
                      "the model has no Conv, Gemm or MatMul with constant weights");
}
