// SPDX-License-Identifier: MIT
#pragma once

/// @file Computes what depends on initializers alone, so that other passes see weights as constants.

#include <edge/nn/operators.hpp>

namespace edge::nn {

/// What is computed.
struct folding {
    bool quantization = true;  ///< false: QuantizeLinear and DequantizeLinear stay, for what makes layers of integers
};

/// Results become initializers, unless they are large. A node that cannot be computed stays: the session will say why.
/// The nodes must be sorted.
inline void fold_constants(graph& g, const folding& what = {}) {
    constexpr index_t most = index_t{1} << 26;  // bytes
    packed_store store;
    std::vector<node> kept;
    for (node& n : g.nodes) {
        const auto is_constant = [&](const std::string& id) { return id.empty() || g.find_initializer(id) != nullptr; };
        const bool is_wanted = what.quantization || (n.op_type != "QuantizeLinear" && n.op_type != "DequantizeLinear");
        const prepare_function prepare = is_wanted ? find_operator(n) : nullptr;
        if (n.inputs.empty() || prepare == nullptr || !std::all_of(n.inputs.begin(), n.inputs.end(), is_constant)) {
            kept.push_back(std::move(n));
            continue;
        }
        std::vector<preparation::input_state> inputs;
        std::vector<const void*> in;
        for (const auto& id : n.inputs) {
            const any_tensor* value = id.empty() ? nullptr : g.find_initializer(id);
            in.push_back(value == nullptr ? nullptr : value->data());
            if (value == nullptr)
                inputs.emplace_back();
            else
                inputs.push_back({true, {value->dtype(), value->shape()}, value->data(), true, true});
        }
        try {
            preparation p(n, g.opset, 1, inputs, store);
            const kernel run = prepare(p);
            std::vector<any_tensor> results(n.outputs.size());
            std::vector<void*> out(n.outputs.size());
            bool fits = true;
            for (std::size_t i = 0; i < results.size(); ++i) {
                if (!n.has_output(i)) continue;
                fits = fits && p.outputs()[i] && p.outputs()[i]->bytes() <= most;
                if (!fits) break;
                if (p.output_values()[i]) {
                    results[i] = std::move(*p.output_values()[i]);
                } else {
                    results[i] = any_tensor(p.outputs()[i]->type, p.outputs()[i]->shape);
                    out[i] = results[i].data();
                }
            }
            if (!fits) {
                kept.push_back(std::move(n));
                continue;
            }
            auto scratch = tensor<std::uint8_t>::uninitialized({p.scratch_bytes()});
            if (run) run({in.data(), out.data(), scratch.data()});
            for (std::size_t i = 0; i < results.size(); ++i)
                if (n.has_output(i)) g.initializers.insert_or_assign(n.outputs[i], std::move(results[i]));
        } catch (const error&) {
            kept.push_back(std::move(n));
        }
    }
    g.nodes = std::move(kept);
}

}  // namespace edge::nn
