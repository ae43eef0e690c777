// SPDX-License-Identifier: MIT
#pragma once

/// @file Makes one layer of what stands in files for a linear layer whose input is quantized as it comes:
///
///     x → DynamicQuantizeLinear → MatMulInteger → Cast → Mul by x_scale · w_scale → Add of a bias → ReLU or Clip
///
/// `edge.DynamicGemm` x (float [..., k]), w (int8 [k, n]), w_scale (float, one or [n]), bias (float [n]); the activation as
/// attributes.

#include <edge/nn/detail/graph_index.hpp>
#include <edge/nn/detail/pixel_nodes.hpp>

#include <optional>

namespace edge::nn {

namespace detail {

class dynamic_rewrite {
public:
    explicit dynamic_rewrite(graph& g) : g_(g), index_(g) {}

    void run() {
        for (std::size_t i = 0; i < g_.nodes.size(); ++i)
            if (g_.nodes[i].op_type == "MatMulInteger" && g_.nodes[i].domain.empty()) rewrite(node(g_.nodes[i]));
        g_.remove_unused();
    }

private:
    /// Where a value goes, if one node alone reads it: an operator of ONNX's own of that type.
    [[nodiscard]] std::size_t reader(std::string_view value, std::string_view op_type) const {
        const std::size_t at = index_.only_reader(value);
        const bool fits = at != graph_index::none && g_.nodes[at].op_type == op_type && g_.nodes[at].domain.empty() &&
                          g_.nodes[at].outputs.size() == 1;
        return fits ? at : graph_index::none;
    }

    /// The other input of a node of two.
    [[nodiscard]] static const std::string& other(const node& n, std::string_view one) {
        return n.inputs[n.inputs[0] == one ? 1 : 0];
    }

    /// A constant of float with `n` elements along its last axis, or one.
    [[nodiscard]] const any_tensor* row(const std::string& id, index_t n) const {
        const any_tensor* t = g_.find_initializer(id);
        const bool fits =
            t != nullptr && t->is<float>() && (t->size() == 1 || (t->size() == n && t->shape().back() == n));
        return fits ? t : nullptr;
    }

    void rewrite(const node& product) {
        const node* quantize = index_.made_by(product.inputs[0], "DynamicQuantizeLinear");
        const any_tensor* w = product.has_input(1) ? g_.find_initializer(product.inputs[1]) : nullptr;
        if (quantize == nullptr || quantize->outputs.size() != 3 || product.inputs[0] != quantize->outputs[0] ||
            !product.has_input(2) || product.inputs[2] != quantize->outputs[2] || w == nullptr ||
            !w->is<std::int8_t>() || w->shape().rank() != 2 || w->size() == 0)
            return;
        const index_t n = w->shape()[1];
        if (product.has_input(3)) {
            const any_tensor* zero = g_.find_initializer(product.inputs[3]);
            if (zero == nullptr || !zero->is<std::int8_t>()) return;
            for (const std::int8_t z : zero->as<std::int8_t>())
                if (z != 0) return;
        }
        const std::size_t cast = reader(product.outputs[0], "Cast");
        if (cast == graph_index::none || g_.nodes[cast].integer("to", 0) != 1) return;
        std::size_t last = reader(g_.nodes[cast].outputs[0], "Mul");
        if (last == graph_index::none) return;
        const std::string& factor = other(g_.nodes[last], g_.nodes[cast].outputs[0]);
        const node* scales = index_.made_by(factor, "Mul", 2);
        if (scales == nullptr) return;
        const std::string x_scale = quantize->outputs[1];
        if (scales->inputs[0] != x_scale && scales->inputs[1] != x_scale) return;
        const std::string w_scale = other(*scales, x_scale);
        if (row(w_scale, n) == nullptr) return;

        node made{"DynamicGemm", product.name, {quantize->inputs[0], product.inputs[1], w_scale, ""}, {}, {}, "edge"};
        const std::size_t add = reader(g_.nodes[last].outputs[0], "Add");
        if (add != graph_index::none) {
            const std::string bias = other(g_.nodes[add], g_.nodes[last].outputs[0]);
            if (const any_tensor* b = row(bias, n); b != nullptr && b->size() == n && b->shape().rank() <= 2) {
                made.inputs[3] = bias;
                last = add;
            }
        }
        made.outputs = g_.nodes[last].outputs;
        if (const std::size_t relu_at = reader(made.outputs[0], "Relu"); relu_at != graph_index::none) {
            set_activation(made, "", {.limits = relu});
            made.outputs = g_.nodes[relu_at].outputs;
            last = relu_at;
        }
        g_.nodes[last] = std::move(made);
    }

    graph& g_;
    graph_index index_;
};

}  // namespace detail

/// Graphs without such layers stay as they are. The nodes must be sorted.
inline void use_dynamic_layers(graph& g) {
    const bool is_dynamic =
        std::any_of(g.nodes.begin(), g.nodes.end(), [](const node& n) { return n.op_type == "MatMulInteger"; });
    if (is_dynamic) detail::dynamic_rewrite(g).run();
}

}  // namespace edge::nn
