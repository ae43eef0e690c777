// SPDX-License-Identifier: MIT
#pragma once

/// @file The operators that there are, by their ONNX names. A family a file, each with its own table.
///
///     if (edge::nn::find_operator(node) == nullptr) …
///
/// To add one: write its `prepare` function in the family's file, and its row in the table there.

#include <edge/nn/detail/engine.hpp>
#include <edge/nn/operator.hpp>

namespace edge::nn {

/// How a node is prepared, or nullptr if there is no such operator. The domain "edge" is that of nodes that rewrites of
/// graphs make; of others than it and ONNX's own there is none.
[[nodiscard]] prepare_function find_operator(const node& n);

}  // namespace edge::nn

#if EDGE_NN_HAS_ENGINE
#include <edge/nn/operators/conv.hpp>
#include <edge/nn/operators/einsum.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/gemm.hpp>
#include <edge/nn/operators/integer_gemm.hpp>
#include <edge/nn/operators/integer_pixels.hpp>
#include <edge/nn/operators/move.hpp>
#include <edge/nn/operators/normalize.hpp>
#include <edge/nn/operators/pixels.hpp>
#include <edge/nn/operators/pool.hpp>
#include <edge/nn/operators/quantized.hpp>
#include <edge/nn/operators/reduce.hpp>
#include <edge/nn/operators/resize.hpp>
#include <edge/nn/operators/select.hpp>
#include <edge/nn/operators/shape.hpp>

namespace edge::nn {

EDGE_NN_FUNCTION prepare_function find_operator(const node& n) {
    prepare_function found = nullptr;
    const auto search = [&](std::span<const operator_row> rows) {
        for (const operator_row& row : rows)
            if (row.op_type == n.op_type) found = row.prepare;
    };
    if (n.domain == "edge") {
        search(operators::integer_layers);
        search(operators::pixel_layers);
        search(operators::integer_pixel_layers);
    }
    if (!n.domain.empty() && n.domain != "ai.onnx") return found;
    search(operators::elementwise);
    search(operators::products);
    search(operators::convolutions);
    search(operators::pools);
    search(operators::shapes);
    search(operators::moves);
    search(operators::selections);
    search(operators::resizes);
    search(operators::contractions);
    search(operators::reductions);
    search(operators::normalizations);
    search(operators::quantized);
    return found;
}

}  // namespace edge::nn
#endif
