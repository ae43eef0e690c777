// SPDX-License-Identifier: MIT
#pragma once

/// @file Which layers bear 8 bits and which do not, and how many must stay float for a given loss.
///
///     edge::nn::static_quantizer q(model);
///     q.calibrate(run_all);
///     for (const auto& layer : edge::nn::sensitivities(q)) …layer.name, layer.sqnr…
///     const auto kept = edge::nn::keep_most_sensitive(q, [&](const graph& g) { return 92.0 - top1(g); }, 0.5);

#include <edge/nn/ptq/quantizer.hpp>
#include <edge/quant/sqnr.hpp>

namespace edge::nn {

/// What quantizing one layer does to the model's results.
struct layer_sensitivity {
    std::string name;
    std::string op_type;
    double sqnr = 0;    ///< dB, of the model's first output with this layer alone quantized; infinite for no error
    double metric = 0;  ///< what the caller's function says of that model, or 0
};

/// What a function says of a model: its accuracy, its loss …
using graph_metric = std::function<double(const graph&)>;

namespace ptq {

/// The first outputs of a model for the samples of a calibration.
[[nodiscard]] inline std::vector<any_tensor> results_of(const graph& g, const static_quantizer& q) {
    session run(g, {.threads = q.options().threads});
    std::vector<any_tensor> all;
    for (const sample& s : q.seen().samples()) all.push_back(run(std::vector<any_view>(s.begin(), s.end()))[0]);
    return all;
}

[[nodiscard]] inline double sqnr_of(const std::vector<any_tensor>& wanted, const std::vector<any_tensor>& got) {
    quant::signal_and_noise sums;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        sums.observe(wanted[i].as<float>().flat(), got[i].as<float>().flat());
    return sums.sqnr();
}

}  // namespace ptq

/// Quantizes one layer at a time, in the order of the model. O(layers) times a run of the samples.
/// @param q       calibrated
/// @param metric  asked about each of these models, if it is given
[[nodiscard]] inline std::vector<layer_sensitivity> sensitivities(const static_quantizer& q,
                                                                  const graph_metric& metric = {}) {
    const std::vector<any_tensor> wanted = ptq::results_of(q.model(), q);
    std::vector<layer_sensitivity> all;
    const auto& nodes = q.model().nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (q.options().progress) q.options().progress("sensitivity", i, nodes.size());
        if (q.plan().at(i) != ptq::role::layer) continue;
        const graph one = q.quantize_only([&](const node& n) { return n.outputs[0] == nodes[i].outputs[0]; });
        all.push_back({ptq::name_of(nodes[i]), nodes[i].op_type, ptq::sqnr_of(wanted, ptq::results_of(one, q)),
                       metric ? metric(one) : 0});
    }
    if (q.options().progress) q.options().progress("sensitivity", nodes.size(), nodes.size());
    return all;
}

/// Mixed precision: lets the most sensitive layers stay float, as few of them as keep the loss at most at `allowed`, by
/// bisection. Afterwards `q.quantize()` is that model.
/// @param q     calibrated
/// @param loss  of a model; more float layers are taken not to make it worse
/// @return  names of the layers that stay float now
/// @throws argument_error  if all layers but one float are not enough
inline std::vector<std::string> keep_most_sensitive(static_quantizer& q, const graph_metric& loss, double allowed) {
    if (loss(q.quantize()) <= allowed) return {};
    std::vector<layer_sensitivity> order = sensitivities(q);
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.sqnr < b.sqnr; });
    const auto first = [&](std::size_t count) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < count; ++i) names.push_back(order[i].name);
        return names;
    };
    const auto loss_with = [&](std::size_t count) {
        static_quantizer some = q;
        some.keep_float(first(count));
        return loss(some.quantize());
    };
    std::size_t too_few = 0;
    std::size_t enough = order.size() - 1;
    if (enough == 0 || !(loss_with(enough) <= allowed))
        throw argument_error(
            message("mixed precision: a loss of at most ", allowed, " needs all layers to stay float"));
    while (enough - too_few > 1) {
        const std::size_t middle = (too_few + enough) / 2;
        (loss_with(middle) <= allowed ? enough : too_few) = middle;
    }
    q.keep_float(first(enough));
    return first(enough);
}

}  // namespace edge::nn
