// SPDX-License-Identifier: MIT
#pragma once

/// @file Equalization across the layers of a graph: chains of layers with nothing or a ReLU between them get channels of
/// like ranges, so that one scale a tensor is enough.
///
/// The model's answers stay the same, and so do the ranges of activations, which have one scale a tensor too: a channel is
/// not made larger than the largest one is. A Clip, as ReLU6, stays as it is: channels that it holds back at times in
/// calibration are left alone, others stay below its limit. Without these bounds a channel that is next to constant, a
/// large bias on tiny weights, would be blown up.

#include <edge/nn/ptq/plan.hpp>
#include <edge/nn/session.hpp>
#include <edge/quant/equalize.hpp>
#include <edge/quant/observer.hpp>

namespace edge::nn::ptq {

namespace detail {

using nn::detail::graph_index;

/// The weights of a layer as equalization takes them, and its bias. They are the layer's own afterwards.
[[nodiscard]] inline quant::layer_weights weights_of(graph& g, node& n, const layer& found) {
    for (std::size_t i = 1; i < n.inputs.size(); ++i)
        if (n.has_input(i) && g.consumers(n.inputs[i]).size() > 1)
            n.inputs[i] = g.constant(n.inputs[i], *g.find_initializer(n.inputs[i]));
    tensor<float>& w = g.initializers.find(n.inputs[1])->second.as<float>();
    tensor_view<float> view = w.view();
    if (found.channel_axis == 1) view = view.transpose();
    std::span<float> bias;
    if (n.has_input(2)) bias = g.initializers.find(n.inputs[2])->second.as<float>().flat();
    return {view, bias, static_cast<index_t>(n.integer("group", 1))};
}

}  // namespace detail

/// Chains of at least two layers, as positions of nodes.
[[nodiscard]] inline std::vector<std::vector<std::size_t>> chains_of(const graph& g, const plan& p) {
    const detail::graph_index index(g);
    std::vector<std::vector<std::size_t>> chains;
    std::set<std::size_t> done;
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        if (p.at(i) != role::layer || done.count(i) != 0) continue;
        std::vector<std::size_t> chain{i};
        for (std::size_t at = i;;) {
            at = index.only_reader(g.nodes[at].outputs[0]);
            if (at == detail::graph_index::none) break;
            const node& n = g.nodes[at];
            const auto b = nn::detail::clip_bounds(g, n);
            if (b && b->low == 0 && p.at(at) == role::activation) continue;
            if (p.at(at) != role::layer) break;
            if ((n.op_type == "Conv") != (g.nodes[i].op_type == "Conv") || done.count(at) != 0) break;
            if (n.op_type == "Conv") {
                const auto& w = g.find_initializer(n.inputs[1])->shape();
                const auto& before = g.find_initializer(g.nodes[chain.back()].inputs[1])->shape();
                if (w[1] * static_cast<index_t>(n.integer("group", 1)) != before[0]) break;
            }
            chain.push_back(at);
            done.insert(at);
        }
        if (chain.size() > 1) chains.push_back(std::move(chain));
    }
    return chains;
}

/// Largest magnitude of each channel of layers' results, before their activations.
using channel_reaches = std::map<std::string, std::vector<float>, std::less<>>;

/// Runs the float model; `run_all` gives the session its inputs.
template <class F>
[[nodiscard]] channel_reaches observe_channels(const graph& g, const plan& p, const session_options& options,
                                               F&& run_all) {
    std::map<std::string, quant::channel_minmax_observer, std::less<>> seen;
    for (const auto& chain : chains_of(g, p))
        for (const std::size_t i : chain)
            if (i != chain.back())
                seen.try_emplace(g.nodes[i].outputs[0], g.nodes[i].op_type == "Conv" ? index_t{1} : index_t{-1});
    session_options keeping = options;
    for (const auto& [name, observer] : seen) keeping.passes.keep.push_back(name);
    session run(g, keeping);
    run.observe([&](std::string_view name, const any_view& value) {
        if (const auto found = seen.find(name); found != seen.end()) found->second.observe(value.as<float>());
    });
    run_all(run);
    channel_reaches all;
    for (const auto& [name, observer] : seen)
        for (const quant::value_range& r : observer.ranges()) all[name].push_back((std::max)(-r.low, r.high));
    return all;
}

/// @param p  the plan of `g`, which stays true
inline void equalize(graph& g, const plan& p, const channel_reaches& seen,
                     const quant::equalize_options& options = {}) {
    struct between {
        std::vector<float> least;   ///< of each channel's factor
        std::vector<float> factor;  ///< so far
        std::vector<bool> is_free;
    };
    for (const auto& chain : chains_of(g, p)) {
        std::vector<quant::layer_weights> layers;
        std::vector<between> links;
        for (const std::size_t i : chain) {
            layers.push_back(detail::weights_of(g, g.nodes[i], *find_layer(g, g.nodes[i])));
            if (i == chain.back()) break;
            const auto found = seen.find(g.nodes[i].outputs[0]);
            if (found == seen.end()) return;
            const std::vector<float>& reach = found->second;
            float limit = *std::max_element(reach.begin(), reach.end());
            for (const std::size_t a : p.activations_of(g, i))
                limit = (std::min)(limit, nn::detail::clip_bounds(g, g.nodes[a])->high);
            between link;
            for (const float r : reach) {
                link.least.push_back(limit > 0 ? r / limit : 1.0f);
                link.is_free.push_back(limit > 0 && r <= limit);
            }
            link.factor.assign(reach.size(), 1.0f);
            links.push_back(std::move(link));
        }
        for (int round = 0; round < options.rounds; ++round) {
            float change = 0.0f;
            for (std::size_t k = 0; k < links.size(); ++k) {
                between& link = links[k];
                const auto given = quant::output_ranges(layers[k]);
                const auto read = quant::input_ranges(layers[k + 1]);
                std::vector<float> step(given.size(), 1.0f);
                for (std::size_t c = 0; c < step.size(); ++c) {
                    if (!link.is_free[c] || !(given[c] > 0.0f) || !(read[c] > 0.0f)) continue;
                    const float wanted = link.factor[c] * std::sqrt(given[c] / read[c]);
                    step[c] = (std::max)(wanted, link.least[c]) / link.factor[c];
                    if (!(step[c] > 0.0f) || !std::isfinite(step[c])) step[c] = 1.0f;
                    link.factor[c] *= step[c];
                    change = (std::max)(change, std::abs(step[c] - 1.0f));
                }
                quant::divide_outputs(layers[k], step);
                quant::multiply_inputs(layers[k + 1], step);
            }
            if (!(change > options.change)) break;
        }
    }
}

}  // namespace edge::nn::ptq
