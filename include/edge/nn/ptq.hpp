// SPDX-License-Identifier: MIT
#pragma once

/// @file Post-training quantization: a float model and typical inputs in, a model of 8-bit integers out.
///
///     const auto model = edge::nn::load_onnx("model.onnx");
///     const auto int8 = edge::nn::quantize_static(model, {rows}, {.weights = edge::nn::granularity::per_channel});
///     edge::nn::save_onnx(int8, "model.int8.onnx");
///
/// The result is standard ONNX of opset 13: pairs of QuantizeLinear and DequantizeLinear around layers, additions, pools
/// and what moves their values, which sessions here, ONNX Runtime and others run in integers. Activations are uint8 with
/// one scale; weights int8 on [-127, 127]; biases int32 of scale x_scale · w_scale. Between the first QuantizeLinear and
/// the last layer all is integers; results of Gemm and MatMul that no quantized layer reads stay float: the input of a
/// Softmax keeps its resolution. Other operators stay float.

#include <edge/nn/ptq/dynamic.hpp>
#include <edge/nn/ptq/quantizer.hpp>
#include <edge/nn/ptq/report.hpp>
#include <edge/nn/ptq/sensitivity.hpp>

#include <concepts>

namespace edge::nn {

/// Quantizes a model with ranges from runs of it.
/// @param calibrate  called with a session of the float model, to run it on typical inputs: once, or twice to equalize
/// @throws unsupported_error  if the model is of an opset before 13
/// @throws argument_error     if there is nothing to quantize, a value or weight is not finite, or calibration ran nothing
template <std::invocable<session&> Calibrate>
[[nodiscard]] graph quantize_static(graph model, Calibrate&& calibrate, const quantize_options& options = {}) {
    static_quantizer quantizer(std::move(model), options);
    quantizer.calibrate(calibrate);
    return quantizer.quantize();
}

/// The same for a model of one input.
/// @param inputs  typical values of it, one run each
[[nodiscard]] inline graph quantize_static(graph model, std::span<const any_view> inputs,
                                           const quantize_options& options = {}) {
    return quantize_static(
        std::move(model),
        [&](session& run) {
            for (const any_view& x : inputs) run(x);
        },
        options);
}
[[nodiscard]] inline graph quantize_static(graph model, std::initializer_list<any_view> inputs,
                                           const quantize_options& options = {}) {
    return quantize_static(std::move(model), std::span<const any_view>(inputs.begin(), inputs.size()), options);
}

}  // namespace edge::nn
