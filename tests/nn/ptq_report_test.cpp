// SPDX-License-Identifier: MIT
#include <edge/nn/ptq.hpp>

#include "small_models.hpp"
#include "support/catch.hpp"

using edge::nn::granularity;
using edge::nn::static_quantizer;
using namespace small_models;

namespace {

static_quantizer calibrated(graph model, const tensor<float>& x, edge::nn::quantize_options options = {}) {
    options.threads = 1;
    static_quantizer q(std::move(model), std::move(options));
    q.calibrate([&](session& s) { s(x); });
    return q;
}

double sqnr(const tensor<float>& wanted, const tensor<float>& y) { return edge::quant::sqnr(wanted.flat(), y.flat()); }

}  // namespace

TEST_CASE("learned rounding keeps more of a layer's results", "[nn][ptq]") {
    const auto gain = [](const graph& model, const tensor<float>& x) {
        const auto wanted = run(model, x);
        const auto with = [&](bool learn) {
            return sqnr(wanted, run(calibrated(model, x, {.learn_rounding = learn}).quantize(), x, false));
        };
        return with(true) - with(false);
    };
    // Inputs that go together: 12 of them, made of 2.
    const auto of = random_tensor({400, 2}, 1), to = random_tensor({2, 12}, 2);
    tensor<float> rows({400, 12});
    for (index_t i = 0; i < 400; ++i)
        for (index_t j = 0; j < 12; ++j) rows(i, j) = of(i, 0) * to(0, j) + of(i, 1) * to(1, j);
    for (const int turned : {0, 1}) {
        graph g;
        g.inputs.push_back({"x", edge::dtype::f32, {{-1}, {12}}});
        tensor<float> w = random_tensor(turned != 0 ? edge::shape{8, 12} : edge::shape{12, 8}, 3);
        for (index_t i = 0; i < 8; ++i) (turned != 0 ? w(i, 0) : w(0, i)) = 20.0f;  // the others' scale is coarse
        g.outputs.push_back({g.add("Gemm", {"x", g.constant("w", w)}, {{"transB", turned}}), edge::dtype::f32});
        CHECK(gain(g, rows) > 2.0);
    }
    // Neighbours in a smooth image go together, too.
    tensor<float> image = random_tensor({16, 2, 10, 10}, 6, 0.05);
    for (index_t i = 0; i < image.size(); ++i) image.data()[i] += static_cast<float>(i / 100 % 17 - 8) / 8.0f;
    for (const index_t groups : {1, 2}) {
        graph g;
        g.inputs.push_back({"x", edge::dtype::f32, {{16}, {2}, {10}, {10}}});
        tensor<float> w = random_tensor({4, 2 / groups, 3, 3}, 4, 0.05);
        for (index_t i = 0; i < 4; ++i) w.data()[i * w.size() / 4] = 4.0f;
        g.outputs.push_back(
            {g.add("Conv", {"x", g.constant("w", w)}, {{"group", groups}, {"pads", {1, 1, 1, 1}}, {"strides", {2, 1}}}),
             edge::dtype::f32});
        CHECK(gain(g, image) > 1.0);
    }
}

TEST_CASE("sensitivity tells which layer a model can bear least", "[nn][ptq]") {
    graph model = mlp(false);
    // One weight of the middle layer is so large that the others round to nothing.
    for (auto& [name, value] : model.initializers)
        if (value.shape() == edge::shape{16, 32}) value.as<float>()(0, 0) = 300.0f;
    const auto x = random_tensor({100, 12}, 3);
    auto q = calibrated(model, x, {.weights = granularity::per_tensor, .equalize = false});
    const auto found = edge::nn::sensitivities(q, [&](const graph& g) { return sqnr(run(model, x), run(g, x)); });
    REQUIRE(found.size() == 3);
    CHECK(found[0].name == "Gemm");
    CHECK(found[1].sqnr < found[0].sqnr - 3);
    CHECK(found[1].sqnr < found[2].sqnr - 3);
    CHECK(found[1].metric == Approx(found[1].sqnr).margin(1.0));

    const auto loss = [&](const graph& g) { return -sqnr(run(model, x), run(g, x)); };
    const double all = loss(q.quantize());
    CHECK(edge::nn::keep_most_sensitive(q, loss, all + 1).empty());
    const auto kept = edge::nn::keep_most_sensitive(q, loss, all - 0.5);
    CHECK(kept == std::vector<std::string>{"Gemm_2"});
    CHECK(loss(q.quantize()) <= all - 0.5);
    CHECK(count(q.quantize(), "Gemm") == 3);
    CHECK_THROWS_WITH(edge::nn::keep_most_sensitive(q, loss, -1000), Catch::Contains("needs all layers to stay float"));
}

TEST_CASE("a report tells of each value and layer", "[nn][ptq]") {
    const auto x = random_tensor({16, 3, 12, 12}, 1);
    std::size_t told = 0;
    const auto q = calibrated(convnet(), x,
                              {.observer = edge::nn::observer_kind::minmax,
                               .histograms = true,
                               .progress = [&](std::string_view, std::size_t done, std::size_t total) {
                                   CHECK(done <= total);
                                   ++told;
                               }});
    const auto report = edge::nn::report_of(q);
    CHECK(told > 7);
    REQUIRE(report.values.size() == 7);
    CHECK(report.values[0].name == "image");
    CHECK(report.values[1].op_type == "Conv");
    CHECK(report.values[1].range.low >= 0.0f);  // behind its Clip
    for (const auto& v : report.values) {
        INFO(v.name);
        CHECK(v.sqnr > 20);
        CHECK(v.sqnr < 60);
        REQUIRE(v.counts.size() == 64);
        double sum = 0;
        for (const double share : v.counts) sum += share;
        CHECK(sum == Approx(1));
        CHECK(v.low() <= v.range.low + v.parameters.scale);
        CHECK(v.high() >= v.range.high - v.parameters.scale);
    }
    REQUIRE(report.layers.size() == 4);
    CHECK(report.layers[0].bytes_before == 4 * (8 * 27 + 8));
    CHECK(report.layers[0].scale_min < report.layers[0].scale_max);
    for (const auto& l : report.layers) CHECK(l.weights_sqnr > 30);
    CHECK(report.sqnr > 25);
    CHECK(report.bytes_after < report.bytes_before);
}

TEST_CASE("dynamic quantization needs no data and is near the float model", "[nn][ptq]") {
    const auto x = random_tensor({50, 12}, 4);
    for (const bool matmul : {false, true}) {
        const graph model = mlp(matmul);
        const auto wanted = run(model, x);
        for (const granularity weights : {granularity::per_tensor, granularity::per_channel}) {
            const graph made = edge::nn::quantize_dynamic(model, weights);
            CHECK(count(made, "MatMulInteger") == 3);
            CHECK(count(made, "DynamicQuantizeLinear") == 3);
            CHECK(largest_difference(run(made, x), wanted) < 0.02f);
            CHECK(largest_difference(run(made, x), wanted) > 0.0f);
        }
    }
    CHECK_THROWS_WITH(edge::nn::quantize_dynamic(edge::nn::quantize_dynamic(mlp(false))),
                      Catch::Contains("the model is quantized already"));
}

TEST_CASE("weights alone can be quantized", "[nn][ptq]") {
    const auto x = random_tensor({4, 3, 12, 12}, 5);
    const graph model = convnet();
    const graph made = edge::nn::quantize_weights(model);
    CHECK(count(made, "DequantizeLinear") == 4);
    CHECK(count(made, "QuantizeLinear") == 0);
    CHECK(sqnr(run(model, x), run(made, x)) > 35);
    for (const auto& [name, value] : made.initializers)
        CHECK((!value.is<float>() || value.shape().rank() < 2));  // what is left of them are scales and biases
}
