// SPDX-License-Identifier: MIT
#pragma once

/// @file Which values of a graph become 8 bits wide, and which of them share their scale.
///
/// Layers with constant weights are quantized; so are additions, pools and activations all of whose inputs are quantized
/// anyway. What only moves values (MaxPool, Flatten, Reshape, Transpose …) has the scale of its input. ReLU and Clip behind
/// one of these belong to it: the range of the integers does what they do. What no quantized node reads stays float
/// behind Gemm and MatMul, so that the last layer keeps its resolution.

#include <edge/nn/detail/graph_index.hpp>
#include <edge/nn/ptq/layer.hpp>

namespace edge::nn::ptq {

/// What a node is to quantization.
enum class role : std::uint8_t {
    none,        ///< stays float
    layer,       ///< has weights
    arithmetic,  ///< computes: its result has a scale of its own
    move,        ///< only moves values, or chooses some: its result has the scale of its input
    activation   ///< ReLU or Clip with constant bounds
};

[[nodiscard]] inline role role_of(const graph& g, const node& n) {
    if (find_layer(g, n)) return role::layer;
    if (!n.domain.empty() || n.inputs.empty() || n.outputs.size() != 1) return role::none;
    if (detail::clip_bounds(g, n)) return role::activation;
    for (const char* op : {"Add", "AveragePool", "GlobalAveragePool", "ReduceMean"})
        if (n.op_type == op) return role::arithmetic;
    for (const char* op : {"MaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity"})
        if (n.op_type == op) return role::move;
    return role::none;
}

class plan {
public:
    /// @param g         sorted
    /// @param is_wanted  whether a layer is to be quantized
    template <class F>
    plan(const graph& g, F&& is_wanted) : index_(g) {
        // A value is there as integers if a layer reads it, or it comes from what is quantized.
        std::set<std::string, std::less<>> there;
        roles_.resize(g.nodes.size());
        for (std::size_t i = 0; i < g.nodes.size(); ++i) {
            roles_[i] = role_of(g, g.nodes[i]);
            if (roles_[i] != role::layer) continue;
            if (is_wanted(g.nodes[i]))
                there.insert(g.nodes[i].inputs[0]);
            else
                roles_[i] = role::none;
        }
        for (std::size_t i = 0; i < g.nodes.size(); ++i) {
            const node& n = g.nodes[i];
            const bool adds = n.op_type == "Add";
            if (roles_[i] != role::none && roles_[i] != role::layer &&
                (there.count(n.inputs[0]) == 0 || (adds && there.count(n.inputs[1]) == 0)))
                roles_[i] = role::none;
            if (roles_[i] != role::none) there.insert(n.outputs[0]);
        }
        // From the end: which of them are needed as integers.
        std::set<std::string, std::less<>> needed;
        for (std::size_t i = g.nodes.size(); i-- > 0;) {
            const node& n = g.nodes[i];
            if (roles_[i] == role::none || is_folded(g, i)) continue;
            const std::string y = end_of(g, i);
            const bool is_product = n.op_type == "Gemm" || n.op_type == "MatMul";
            const bool is_optional = roles_[i] == role::move || roles_[i] == role::activation || is_product;
            if (is_optional && needed.count(y) == 0) {
                for (const std::size_t behind : activations_of(g, i)) roles_[behind] = role::none;
                if (!is_product) roles_[i] = role::none;
                if (!is_product) continue;
            } else {
                needed.insert(y);
            }
            needed.insert(n.inputs[0]);
            if (n.op_type == "Add") needed.insert(n.inputs[1]);
        }
        for (std::size_t i = 0; i < g.nodes.size(); ++i) {
            const node& n = g.nodes[i];
            for (const std::string& id : n.inputs)
                if (needed.count(id) != 0) like_.try_emplace(id, id);
            if (roles_[i] == role::none || is_folded(g, i)) continue;
            const std::string& y = end_of(g, i);
            if (needed.count(y) != 0) like_.try_emplace(y, roles_[i] == role::move ? like_.at(n.inputs[0]) : y);
        }
    }

    [[nodiscard]] role at(std::size_t i) const { return roles_[i]; }

    /// Each value that becomes integers, with the one whose scale it has: itself, or another.
    [[nodiscard]] const std::map<std::string, std::string, std::less<>>& values() const noexcept { return like_; }

    /// The activations behind node `i` that belong to it, first to last.
    [[nodiscard]] std::vector<std::size_t> activations_of(const graph& g, std::size_t i) const {
        std::vector<std::size_t> found;
        if (roles_[i] != role::layer && roles_[i] != role::arithmetic) return found;
        for (std::size_t at = index_.only_reader(g.nodes[i].outputs[0]);
             at != detail::graph_index::none && roles_[at] == role::activation;
             at = index_.only_reader(g.nodes[at].outputs[0]))
            found.push_back(at);
        return found;
    }

    /// The value behind the activations of node `i`.
    [[nodiscard]] const std::string& end_of(const graph& g, std::size_t i) const {
        const auto list = activations_of(g, i);
        return g.nodes[list.empty() ? i : list.back()].outputs[0];
    }

private:
    /// Whether node `i` is an activation that belongs to the one before it.
    [[nodiscard]] bool is_folded(const graph& g, std::size_t i) const {
        if (roles_[i] != role::activation) return false;
        const std::size_t from = index_.maker(g.nodes[i].inputs[0]);
        if (from == detail::graph_index::none || index_.only_reader(g.nodes[i].inputs[0]) != i) return false;
        return roles_[from] == role::layer || roles_[from] == role::arithmetic || is_folded(g, from);
    }

    detail::graph_index index_;
    std::vector<role> roles_;
    std::map<std::string, std::string, std::less<>> like_;
};

}  // namespace edge::nn::ptq
