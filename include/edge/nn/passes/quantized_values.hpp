// SPDX-License-Identifier: MIT
#pragma once

/// @file Brings quantized values into one form, so that fewer cases are left for what makes integer layers of them.
///
/// - Activations of int8 become uint8, zero points 128 higher. Results keep their values.
/// - Reshape, Flatten, Transpose, Squeeze, Unsqueeze and MaxPool of dequantized values are done to the integers: they move
///   or pick elements, and dequantization is monotonic.
/// - A value that is quantized again by the parameters it was dequantized with stays what it was.

#include <edge/nn/detail/quantization_nodes.hpp>

namespace edge::nn {

namespace detail {

/// The node itself and all DequantizeLinear behind it, if nothing else reads what it makes.
inline std::optional<std::vector<std::size_t>> signed_group(const graph& g, const graph_index& index, std::size_t at) {
    const node& n = g.nodes[at];
    const auto q = n.op_type == "QuantizeLinear" && n.outputs.size() == 1 && !n.has("output_dtype")
                       ? quantization_of(g, n, n.outputs[0])
                       : std::nullopt;
    if (!q || q->type != dtype::i8 || !q->is_per_tensor() || index.is_output(n.outputs[0])) return {};
    std::vector<std::size_t> group{at};
    for (const std::size_t reader : index.readers(n.outputs[0])) {
        const node& d = g.nodes[reader];
        const auto own =
            d.op_type == "DequantizeLinear" && d.has_input(2) ? quantization_of(g, d, d.inputs[0]) : std::nullopt;
        if (!own || !own->is_per_tensor()) return {};
        group.push_back(reader);
    }
    return group;
}

inline void use_unsigned(graph& g) {
    const graph_index index(g);
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        const auto group = signed_group(g, index, i);
        if (!group) continue;
        for (const std::size_t at : *group) {
            const any_tensor& zero = *g.find_initializer(g.nodes[at].inputs[2]);
            tensor<std::uint8_t> raised(zero.shape());
            raised.data()[0] = static_cast<std::uint8_t>(zero.as<std::int8_t>().data()[0] + 128);
            g.nodes[at].inputs[2] = g.constant("zero_point", std::move(raised));
        }
    }
}

/// Whether an operator's only result holds elements of its first input, or the largest of some.
[[nodiscard]] inline bool moves_elements(const node& n) {
    if (!n.domain.empty() || n.outputs.size() != 1 || !n.has_output(0) || !n.has_input(0)) return false;
    for (const char* one : {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "MaxPool"})
        if (n.op_type == one) return true;
    return false;
}

/// The nodes must be sorted; those that dequantize later come at the end.
inline void move_integers(graph& g) {
    std::map<std::string, std::size_t, std::less<>> makers;
    for (std::size_t i = 0; i < g.nodes.size(); ++i)
        for (const auto& id : g.nodes[i].outputs) makers.emplace(id, i);
    const std::size_t count = g.nodes.size();
    for (std::size_t i = 0; i < count; ++i) {
        if (!moves_elements(g.nodes[i]) || g.is_output(g.nodes[i].outputs[0])) continue;
        const auto found = makers.find(g.nodes[i].inputs[0]);
        if (found == makers.end()) continue;
        node d = g.nodes[found->second];
        if (d.op_type != "DequantizeLinear" || g.find_initializer(d.inputs[0]) != nullptr) continue;
        const auto q = quantization_of(g, d, d.inputs[0]);
        if (!q || !q->is_per_tensor() || !q->is_byte()) continue;
        node& n = g.nodes[i];
        d.outputs = n.outputs;
        d.name = n.outputs[0];
        n.inputs[0] = d.inputs[0];
        n.outputs[0] = g.fresh_name(d.outputs[0] + "_integers");
        d.inputs[0] = n.outputs[0];
        makers[d.outputs[0]] = g.nodes.size();
        g.nodes.push_back(std::move(d));
    }
    g.sort();
}

inline void skip_requantization(graph& g) {
    const graph_index index(g);
    std::map<std::string, std::string, std::less<>> same;
    for (const node& n : g.nodes) {
        if (n.op_type != "QuantizeLinear" || n.outputs.size() != 1 || index.is_output(n.outputs[0])) continue;
        const auto from = dequantized(g, index, n.inputs[0]);
        const auto to = quantization_of(g, n, n.outputs[0]);
        if (!from || !to || from->type != to->type || !from->is_per_tensor() || !to->is_per_tensor() ||
            from->one() != to->one())
            continue;
        const auto before = same.find(from->integers);
        same.emplace(n.outputs[0], before == same.end() ? from->integers : before->second);
    }
    for (node& n : g.nodes)
        for (std::string& id : n.inputs)
            if (const auto found = same.find(id); found != same.end()) id = found->second;
}

}  // namespace detail

/// The nodes must be sorted, and are after. O(nodes · log nodes).
inline void unify_quantized_values(graph& g) {
    detail::use_unsigned(g);
    detail::move_integers(g);
    detail::skip_requantization(g);
    g.remove_unused();
}

}  // namespace edge::nn
