// SPDX-License-Identifier: MIT

// Any bytes are a model or refused; a model is written and read back with the same bytes.

#include <edge/nn/onnx.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    try {
        (void)edge::nn::parse_onnx_tensor(bytes, "tensor");
    } catch (const edge::error&) {
    }
    try {
        const auto written = edge::nn::to_onnx(edge::nn::parse_onnx(bytes, "model"));
        if (edge::nn::to_onnx(edge::nn::parse_onnx(std::as_bytes(std::span(written)), "copy")) != written) std::abort();
    } catch (const edge::error&) {
    }
    return 0;
}
