// SPDX-License-Identifier: MIT

// Any bytes are a model or refused; a model is written and read back with the same bytes; one that a session takes runs,
// or says why not, in little memory.

#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

/// On zeros, if inputs and work are small. Extents that the model leaves open are 2.
void run(edge::nn::graph g) {
    edge::nn::session session(std::move(g), {.threads = 1, .max_bytes = 1 << 20});
    std::vector<edge::shape> shapes;
    for (const auto& in : session.model().inputs) {
        edge::index_list extents;
        for (const auto& d : in.dims) extents.push_back(d.size < 0 ? 2 : d.size);
        shapes.emplace_back(extents);
        if (shapes.back().size() > 4096) return;
    }
    session.plan(shapes);
    edge::index_t macs = 0;
    for (const auto& layer : session.layers()) macs += layer.macs;
    if (macs > 1'000'000) return;
    std::vector<edge::any_tensor> inputs;
    for (std::size_t i = 0; i < shapes.size(); ++i)
        inputs.push_back(edge::dispatch(session.model().inputs[i].type,
                                        [&]<class T>() -> edge::any_tensor { return edge::tensor<T>(shapes[i]); }));
    const std::vector<edge::nn::any_view> views(inputs.begin(), inputs.end());
    session(std::span(views));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    try {
        (void)edge::nn::parse_onnx_tensor(bytes, "tensor");
    } catch (const edge::error&) {
    }
    try {
        auto model = edge::nn::parse_onnx(bytes, "model");
        const auto written = edge::nn::to_onnx(model);
        if (edge::nn::to_onnx(edge::nn::parse_onnx(std::as_bytes(std::span(written)), "copy")) != written) std::abort();
        run(std::move(model));
    } catch (const edge::error&) {
    }
    return 0;
}
