// SPDX-License-Identifier: MIT
#pragma once

/// @file The rewrites that make a graph fast to run: what a session does with a model first. A pass a header.
///
///     edge::nn::run_passes(graph);
///     edge::nn::session run{graph, {.passes = {.fuse_blocks = false}}};
///
/// Inputs and outputs keep their names, types and layouts, and results their values: the same bits, but where batch
/// normalization goes into the weights of a convolution.

#include <edge/nn/detail/engine.hpp>
#include <edge/nn/graph.hpp>

namespace edge::nn {

struct pass_options {
    bool rewrite = true;         ///< false: run the nodes as they are
    bool integer_layers = true;  ///< compute quantized layers in integers, where false takes the file by its letter
    bool fuse_blocks = true;     ///< inverted residual blocks as one layer each
    /// Values that are wanted although they are no outputs, to be seen by `session::observe`.
    std::vector<std::string> keep{};
};

/// @throws argument_error  as `graph::sort`
void run_passes(graph& g, const pass_options& options = {});

}  // namespace edge::nn

#if EDGE_NN_HAS_ENGINE
#include <edge/nn/passes/blocks.hpp>
#include <edge/nn/passes/dynamic_layers.hpp>
#include <edge/nn/passes/fold_constants.hpp>
#include <edge/nn/passes/fold_into_conv.hpp>
#include <edge/nn/passes/hard_swish.hpp>
#include <edge/nn/passes/identities.hpp>
#include <edge/nn/passes/integer_layers.hpp>
#include <edge/nn/passes/pixels.hpp>
#include <edge/nn/quantized_form.hpp>

namespace edge::nn {

EDGE_NN_FUNCTION void run_passes(graph& g, const pass_options& options) {
    const auto is_contributed = [](const node& n) { return n.domain == detail::contributed_domain; };
    if (std::any_of(g.nodes.begin(), g.nodes.end(), is_contributed))
        detail::qdq_rewrite(g, detail::qdq_scope::contributed).run();
    if (!options.rewrite) return;
    // What is kept is an output for the time being.
    const std::size_t outputs = g.outputs.size();
    for (const auto& name : options.keep) g.outputs.emplace_back(name, dtype::f32);
    g.sort();
    g.remove_unused();
    remove_identities(g);
    if (options.integer_layers) {
        fold_constants(g, {.quantization = false});  // before constants of integers become floats
        detail::qdq_rewrite(g, detail::qdq_scope::constant).run();
        use_integer_layers(g);
        use_dynamic_layers(g);
    }
    fold_constants(g);
    use_hard_swish(g);
    g.remove_unused();  // else what was replaced still counts as a reader
    fold_into_convolutions(g);
    use_pixels(g);
    if (options.fuse_blocks) fuse_blocks(g);
    g.sort();
    g.remove_unused();
    g.outputs.erase(g.outputs.begin() + static_cast<std::ptrdiff_t>(outputs), g.outputs.end());
}

}  // namespace edge::nn
#endif
