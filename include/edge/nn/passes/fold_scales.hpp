// SPDX-License-Identifier: MIT
#pragma once

/// @file Multiplies constants: scales that a file gives as products of others, as those of biases are x_scale · w_scale.

#include <edge/nn/graph.hpp>

namespace edge::nn {

/// Mul of two constants of float, one of them a single number, becomes a constant.
inline void fold_scales(graph& g) {
    std::erase_if(g.nodes, [&](const node& n) {
        if (!n.domain.empty() || n.op_type != "Mul" || n.inputs.size() != 2 || n.outputs.size() != 1 ||
            g.is_output(n.outputs[0]))
            return false;
        const any_tensor* a = g.find_initializer(n.inputs[0]);
        const any_tensor* b = g.find_initializer(n.inputs[1]);
        if (a == nullptr || b == nullptr || !a->is<float>() || !b->is<float>()) return false;
        if (a->shape().rank() == 0) std::swap(a, b);
        if (b->shape().rank() != 0) return false;
        tensor<float> product = a->as<float>();
        for (float& v : product) v *= b->as<float>().data()[0];
        g.initializers.insert_or_assign(n.outputs[0], std::move(product));
        return true;
    });
}

}  // namespace edge::nn
