// SPDX-License-Identifier: MIT
#pragma once

/// @file Takes out nodes that pass their input on: Identity, and Dropout, which does nothing after training.

#include <edge/nn/graph.hpp>

namespace edge::nn {

namespace detail {

[[nodiscard]] inline bool is_identity(const graph& g, const node& n) {
    if (!n.domain.empty() || !n.has_input(0) || !n.has_output(0)) return false;
    if (n.op_type == "Identity") return true;
    if (n.op_type != "Dropout" || n.has_input(2)) return false;  // input 2 may say that it is training
    return !n.has_output(1) || (!g.is_output(n.outputs[1]) && g.consumers(n.outputs[1]).empty());
}

}  // namespace detail

/// An output of the graph that is an input or a constant keeps its Identity. The nodes must be sorted. O(nodes²).
inline void remove_identities(graph& g) {
    for (std::size_t i = 0; i < g.nodes.size();) {
        const node n = g.nodes[i];
        const bool gives_output = detail::is_identity(g, n) && g.is_output(n.outputs[0]);
        const node* maker = gives_output ? g.producer(n.inputs[0]) : nullptr;
        if (!detail::is_identity(g, n) || (gives_output && (maker == nullptr || g.is_output(n.inputs[0])))) {
            ++i;
            continue;
        }
        if (gives_output) {
            node& renamed = g.nodes[static_cast<std::size_t>(maker - g.nodes.data())];
            std::replace(renamed.outputs.begin(), renamed.outputs.end(), n.inputs[0], n.outputs[0]);
        }
        g.nodes.erase(g.nodes.begin() + static_cast<std::ptrdiff_t>(i));
        if (gives_output)
            g.replace_uses(n.inputs[0], n.outputs[0]);
        else
            g.replace_uses(n.outputs[0], n.inputs[0]);
    }
}

}  // namespace edge::nn
