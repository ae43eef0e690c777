// SPDX-License-Identifier: MIT
#pragma once

/// @file The operators that there are, by their ONNX names. A family a file, each with its own table.
///
///     if (edge::nn::find_operator(node) == nullptr) …
///
/// To add one: write its `prepare` function in the family's file, and its row in the table there.
///
/// All of them are compiled wherever a session is made, which takes a while. A program of several files may compile them
/// once: define EDGE_NN_EXTERN_OPERATORS for all of its files, and in one of them EDGE_NN_DEFINE_OPERATORS as well before
/// this header.

#include <edge/nn/operators/conv.hpp>
#include <edge/nn/operators/einsum.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/gemm.hpp>
#include <edge/nn/operators/integer_gemm.hpp>
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

namespace detail {

[[nodiscard]] inline prepare_function search_operators(const node& n) {
    prepare_function found = nullptr;
    const auto search = [&](std::span<const operator_row> rows) {
        for (const operator_row& row : rows)
            if (row.op_type == n.op_type) found = row.prepare;
    };
    if (n.domain == "edge") {
        search(operators::integer_layers);
        search(operators::pixel_layers);
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

}  // namespace detail

/// How a node is prepared, or nullptr if there is no such operator. The domain "edge" is that of nodes
/// that rewrites of graphs make; of others than it and ONNX's own there is none.
#if defined(EDGE_NN_EXTERN_OPERATORS)
[[nodiscard]] prepare_function find_operator(const node& n);
#else
[[nodiscard]] inline prepare_function find_operator(const node& n) { return detail::search_operators(n); }
#endif
#if defined(EDGE_NN_DEFINE_OPERATORS)
prepare_function find_operator(const node& n) { return detail::search_operators(n); }
#endif

}  // namespace edge::nn
