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
    [[nodiscard]] const edge::shape* weights_of(const node& n) const {
        const bool is_conv = n.domain == "edge" && n.op_type == "Conv" && n.has_input(1) && n.has_output(0) &&
                             n.integer("planar", 0) == 0;
        const any_tensor* w = is_conv ? g_.find_initializer(n.inputs[1]) : nullptr;
        return w == nullptr || w->shape().rank() != 4 ? nullptr : &w->shape();
    }

    [[nodiscard]] bool is_depthwise(const node& n) const {
        const edge::shape* w = weights_of(n);
        if (w == nullptr || n.has_input(3) || n.text("auto_pad", "NOTSET") != "NOTSET") return false;
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

    void fuse(std::size_t at) {
        const node depthwise = g_.nodes[at];
        const std::size_t last = index_.only_reader(depthwise.outputs[0]);
        if (last == graph_index::none || !is_pointwise(g_.nodes[last]) ||
            g_.nodes[last].inputs[0] != depthwise.outputs[0])
            return;
        const node project = g_.nodes[last];
        node made{"InvertedResidual", project.name,         {depthwise.inputs[0], "", ""},
                  project.outputs,    depthwise.attributes, "edge"};
        for (const char* key : {"activation", "low", "high"}) made.attributes.erase(key);
        const std::size_t first = index_.maker(depthwise.inputs[0]);
        if (first != graph_index::none && is_pointwise(g_.nodes[first]) && !g_.nodes[first].has_input(3) &&
            index_.only_reader(depthwise.inputs[0]) != graph_index::none) {
            const node& expand = g_.nodes[first];
            made.inputs = {expand.inputs[0], expand.inputs[1], expand.has_input(2) ? expand.inputs[2] : ""};
            set_activation(made, "expand_", activation_of(expand));
            g_.nodes[first] = {};
        }
        for (const node* n : {&depthwise, &project}) {
            made.inputs.push_back(n->inputs[1]);
            made.inputs.push_back(n->has_input(2) ? n->inputs[2] : "");
        }
        if (project.has_input(3)) made.inputs.push_back(project.inputs[3]);
        set_activation(made, "depthwise_", activation_of(depthwise));
        set_activation(made, "project_", activation_of(project));
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
