// SPDX-License-Identifier: MIT
#pragma once

/// @file Neural networks: kernels, graphs of them, and sessions that run a graph.
///
///     auto model = edge::nn::load_onnx("model.onnx");            // include <edge/nn/onnx.hpp>, which needs protozero
///     edge::nn::session run{std::move(model), {.threads = 2}};
///     const auto& results = run(image);                          // one edge::any_tensor for each output
///
/// A graph (graph.hpp) is data: built in code, read from a file, rewritten. A session (session.hpp) prepares its nodes
/// once and runs them as often as wanted. The kernels below it take pointers and can be called on their own: dense.hpp,
/// conv.hpp, conv_i8.hpp, depthwise.hpp, inverted_residual.hpp, pool.hpp, resize.hpp, softmax.hpp, activation.hpp; those of
/// 8-bit integers are in integer/, under the same names. ptq.hpp makes a model of 8-bit integers of a float one, in either of
/// the forms of quantized_form.hpp. `edge/nn/onnx.hpp` is included here where protozero is installed.

#include <edge/nn/activation.hpp>
#include <edge/nn/conv.hpp>
#include <edge/nn/conv_i8.hpp>
#include <edge/nn/dense.hpp>
#include <edge/nn/graph.hpp>
#include <edge/nn/inverted_residual.hpp>
#include <edge/nn/mobilenet_v2.hpp>
#include <edge/nn/pool.hpp>
#include <edge/nn/ptq.hpp>
#include <edge/nn/quantized_form.hpp>
#include <edge/nn/resize.hpp>
#include <edge/nn/session.hpp>
#include <edge/nn/softmax.hpp>
#include <edge/nn/window.hpp>

#if __has_include(<protozero/pbf_reader.hpp>)
#include <edge/nn/onnx.hpp>
#endif
