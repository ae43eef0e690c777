// SPDX-License-Identifier: MIT
#pragma once

/// @file Makes one layer of each inverted residual block: expand (1x1), depthwise, project (1x1), as in MobileNetV2 and V3.
///
/// Its kernel goes row by row, so that the expanded values, by far the largest of such a network, are never written out.

#include <edge/nn/detail/graph_index.hpp>
#include <edge/nn/detail/pixel_nodes.hpp>

namespace edge::nn {

namespace detail {

class block_rewrite {
public:
    explicit block_rewrite(graph& g) : g_(g), index_(g) {}

    void run() {
        for (std::size_t i = 0; i < g_.nodes.size(); ++i)
            if (is_depthwise(g_.nodes[i])) fuse(i);
        std::erase_if(g_.nodes, [](const node& n) { return n.outputs.empty(); });
    }

private:
    [[nodiscard]] static bool is_integer(const node& n) { return n.op_type == "QConv"; }

    /// Inputs of a convolution that are constants of it: weights and bias, and in integers multipliers.
    [[nodiscard]] static std::size_t constants(const node& n) { return is_integer(n) ? 3 : 2; }

    [[nodiscard]] static bool has_residual(const node& n) { return n.has_input(1 + constants(n)); }

    [[nodiscard]] const edge::shape* weights_of(const node& n) const {
        const bool is_conv = n.domain == "edge" && (n.op_type == "Conv" || is_integer(n)) && n.has_input(1) &&
                             n.has_output(0) && n.integer("planar", 0) == 0;
        const any_tensor* w = is_conv ? g_.find_initializer(n.inputs[1]) : nullptr;
        return w == nullptr || w->shape().rank() != 4 ? nullptr : &w->shape();
    }

    [[nodiscard]] bool is_depthwise(const node& n) const {
        const edge::shape* w = weights_of(n);
        if (w == nullptr || has_residual(n) || n.text("auto_pad", "NOTSET") != "NOTSET") return false;
        const std::vector<std::int64_t> ones(2, 1);
        const auto strides = n.integers("strides", ones);
        return (*w)[0] > 1 && (*w)[1] == 1 && n.integer("group", 1) == (*w)[0] && (*w)[2] == (*w)[3] &&
               ((*w)[2] == 3 || (*w)[2] == 5) && n.integers("dilations", ones) == ones && strides.size() == 2 &&
               strides[0] == strides[1] && strides[0] <= 2;
    }

    [[nodiscard]] bool is_pointwise(const node& n) const {
        const edge::shape* w = weights_of(n);
        if (w == nullptr || (*w)[2] != 1 || (*w)[3] != 1 || n.integer("group", 1) != 1) return false;
        const auto are = [&](const char* key, std::size_t count, std::int64_t value) {
            const std::vector<std::int64_t> all(count, value);
            return n.integers(key, all) == all;
        };
        return are("strides", 2, 1) && are("pads", 4, 0);
    }

    /// The constants of a layer go behind the inputs that are there, what becomes of its sums to the attributes.
    static void append(node& block, const node& layer, const std::string& prefix) {
        for (std::size_t i = 1; i <= constants(layer); ++i)
            block.inputs.push_back(layer.has_input(i) ? layer.inputs[i] : "");
        if (is_integer(layer))
            set_byte_end(block, prefix, byte_end_of(layer));
        else
            set_activation(block, prefix, activation_of(layer));
    }

    /// Whether one layer's result is the other's input as it is: a file may read integers by another zero point.
    [[nodiscard]] static bool follows(const node& layer, const node& before) {
        return is_integer(layer) == is_integer(before) &&
               (!is_integer(layer) || layer.integer("x_zero", 0) == before.integer("y_zero", 0));
    }

    void fuse(std::size_t at) {
        const node depthwise = g_.nodes[at];
        const std::size_t last = index_.only_reader(depthwise.outputs[0]);
        if (last == graph_index::none || !is_pointwise(g_.nodes[last]) ||
            g_.nodes[last].inputs[0] != depthwise.outputs[0] || !follows(g_.nodes[last], depthwise))
            return;
        const node project = g_.nodes[last];
        node made{is_integer(depthwise) ? "QInvertedResidual" : "InvertedResidual",
                  project.name,
                  {depthwise.inputs[0]},
                  project.outputs,
                  depthwise.attributes,
                  "edge"};
        for (const char* key : {"activation", "low", "high", "y_zero"}) made.attributes.erase(key);
        const std::size_t first = index_.maker(depthwise.inputs[0]);
        if (first != graph_index::none && is_pointwise(g_.nodes[first]) && !has_residual(g_.nodes[first]) &&
            follows(depthwise, g_.nodes[first]) && index_.only_reader(depthwise.inputs[0]) != graph_index::none) {
            made.inputs[0] = g_.nodes[first].inputs[0];
            if (is_integer(depthwise)) made.attributes.insert_or_assign("x_zero", g_.nodes[first].integer("x_zero", 0));
            append(made, g_.nodes[first], "expand_");
            g_.nodes[first] = {};
        } else {
            made.inputs.resize(1 + constants(depthwise));
        }
        append(made, depthwise, "depthwise_");
        append(made, project, "project_");
        if (has_residual(project)) {
            made.inputs.push_back(project.inputs.back());
            if (is_integer(project)) set_byte_sum(made, byte_sum_of(project));
        }
        g_.nodes[at] = {};
        g_.nodes[last] = std::move(made);
    }

    graph& g_;
    graph_index index_;
};

}  // namespace detail

/// After `use_pixels`. Results keep their bits.
inline void fuse_blocks(graph& g) { detail::block_rewrite(g).run(); }

}  // namespace edge::nn
