// SPDX-License-Identifier: MIT

// Runs a model: the one that is named, on zeros, or a small one that is built here.

#include <edge/nn.hpp>

#include <cstdio>
#include <exception>

/// x·w + b through a softmax: three classes from four features.
edge::nn::graph small_model() {
    edge::nn::graph g;
    g.inputs.push_back({"x", edge::dtype::f32, {{"n"}, {4}}});
    const auto w = g.constant("w", edge::tensor<float>({4, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}));
    const auto b = g.constant("b", edge::tensor<float>({3}, {0, 0.5f, 1}));
    g.outputs.push_back({g.add("Softmax", {g.add("Gemm", {"x", w, b})}), edge::dtype::f32});
    return g;
}

int main(int argc, char** argv) try {
    edge::nn::session run{argc > 1 ? edge::nn::load_onnx(argv[1]) : small_model()};

    std::vector<edge::any_tensor> inputs;
    for (const auto& in : run.model().inputs) {
        edge::index_list extents;
        for (const auto& d : in.dims) extents.push_back(d.size < 0 ? 1 : d.size);  // one where the model says any
        inputs.push_back(edge::dispatch(
            in.type, [&]<class T>() -> edge::any_tensor { return edge::tensor<T>(edge::shape(extents)); }));
    }
    const std::vector<edge::nn::any_view> views(inputs.begin(), inputs.end());
    const auto& results = run(std::span(views));

    for (const auto& layer : run.layers())
        std::printf("%-24s %-20s %s\n", layer.name.c_str(), layer.op_type.c_str(),
                    layer.outputs.empty() ? "" : edge::nn::to_string(layer.outputs[0]).c_str());
    for (std::size_t i = 0; i < results.size(); ++i) {
        std::printf("%s %s\n", run.model().outputs[i].name.c_str(), edge::to_string(results[i].shape()).c_str());
        if (!results[i].is<float>()) continue;
        for (edge::index_t k = 0; k < results[i].size() && k < 8; ++k)
            std::printf("  %g", static_cast<double>(results[i].as<float>()[k]));
        std::printf("\n");
    }
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "run_onnx: error: %s\n", e.what());
    return 1;
}
