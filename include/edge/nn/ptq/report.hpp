// SPDX-License-Identifier: MIT
#pragma once

/// @file What quantization did to a model, value by value and layer by layer: for people, and for charts.
///
///     edge::nn::static_quantizer q(model, {.histograms = true});
///     q.calibrate(run_all);
///     const auto report = edge::nn::report_of(q);

#include <edge/nn/ptq/sensitivity.hpp>

namespace edge::nn {

/// A value that is 8 bits wide now.
struct value_report {
    std::string name;
    std::string node;              ///< that makes it, with the activations that belong to it; "" for an input
    std::string op_type;           ///< of that node
    quant::value_range range{};    ///< that calibration saw
    quant::parameters parameters;  ///< uint8
    double sqnr = 0;               ///< dB, in the quantized model, against the float one
    std::vector<double>
        counts{};  ///< shares of the values in as many bins from `range.low` to `range.high`; may be empty

    /// The real values that the integers reach.
    [[nodiscard]] float low() const { return static_cast<float>(0 - parameters.zero_point) * parameters.scale; }
    [[nodiscard]] float high() const { return static_cast<float>(255 - parameters.zero_point) * parameters.scale; }
};

/// A layer with weights.
struct layer_report {
    std::string name;
    std::string op_type;
    float scale_min = 0, scale_max = 0;  ///< of its weights
    double weights_sqnr = 0;             ///< dB, of the weights as integers
    index_t bytes_before = 0, bytes_after = 0;
};

struct quantization_report {
    std::vector<value_report> values;  ///< in the order of the model
    std::vector<layer_report> layers;
    double sqnr = 0;                            ///< dB, of the first output
    std::size_t samples = 0;                    ///< runs that SQNRs are of
    index_t bytes_before = 0, bytes_after = 0;  ///< of all constants
};

namespace ptq {

/// Shares of a histogram's values in `bins` of equal width over its range.
[[nodiscard]] inline std::vector<double> shares_of(const quant::histogram& h, std::size_t bins) {
    std::vector<double> shares(bins);
    const auto low = static_cast<double>(h.range().low);
    const double width = (static_cast<double>(h.range().high) - low) / static_cast<double>(bins);
    if (h.total() == 0 || !(width > 0)) return {};
    const auto [first, last] = h.ends();
    for (int k = first; k <= last; ++k) {
        const double count = static_cast<double>(h.counts()[static_cast<std::size_t>(h.bins() + k)]);
        const auto [from, to] = h.interval(k);
        const double middle = (from + to) / 2;
        const auto bin = static_cast<std::size_t>((std::max)(0.0, (middle - low) / width));
        shares[(std::min)(bin, bins - 1)] += count / static_cast<double>(h.total());
    }
    return shares;
}

[[nodiscard]] inline index_t bytes_of(const graph& g) {
    index_t bytes = 0;
    for (const auto& [name, value] : g.initializers) bytes += static_cast<index_t>(value.bytes());
    return bytes;
}

/// The value that comes back from 8 bits in a graph of QDQ pairs.
[[nodiscard]] inline std::string dequantized_name(const graph& g, const std::string& value) {
    for (const std::size_t q : g.consumers(value))
        if (g.nodes[q].op_type == "QuantizeLinear")
            for (const std::size_t d : g.consumers(g.nodes[q].outputs[0]))
                if (g.nodes[d].op_type == "DequantizeLinear") return g.nodes[d].outputs[0];
    return value;
}

}  // namespace ptq

/// Runs both models on the samples of the calibration, at most `samples` of them. Memory: all values of one run.
/// @param q  calibrated
[[nodiscard]] inline quantization_report report_of(const static_quantizer& q, std::size_t samples = 8) {
    constexpr std::size_t bins = 64;
    const graph& g = q.model();
    const graph int8 = q.quantize();
    quantization_report report;
    report.bytes_before = ptq::bytes_of(g);
    report.bytes_after = ptq::bytes_of(int8);
    report.samples = (std::min)(samples, q.seen().samples().size());

    std::map<std::string, std::string, std::less<>> real_name;  // of what comes back from 8 bits
    session_options real{.threads = q.options().threads};
    session_options letter{.threads = q.options().threads, .integer_layers = false};
    for (const auto& [name, like] : q.plan().values()) {
        const std::string back = ptq::dequantized_name(int8, name);
        real_name.emplace(back, name);
        real.passes.keep.push_back(name);
        letter.passes.keep.push_back(back);
    }
    std::map<std::string, std::vector<float>, std::less<>> wanted;
    std::map<std::string, quant::signal_and_noise, std::less<>> noise;
    session run_real(g, real);
    session run_int8(int8, letter);
    run_real.observe([&](std::string_view name, const any_view& x) {
        if (q.plan().values().find(name) == q.plan().values().end()) return;
        const auto values = x.as<float>().flat();
        wanted[std::string(name)].assign(values.begin(), values.end());
    });
    run_int8.observe([&](std::string_view name, const any_view& x) {
        const auto found = real_name.find(name);
        if (found == real_name.end() || x.dtype() != dtype::f32) return;
        noise[found->second].observe(wanted[found->second], x.as<float>().flat());
    });
    quant::signal_and_noise all;
    for (std::size_t k = 0; k < report.samples; ++k) {
        if (q.options().progress) q.options().progress("report", k, report.samples);
        const std::vector<any_view> x(q.seen().samples()[k].begin(), q.seen().samples()[k].end());
        const auto& y = run_real(x)[0];
        if (const auto& y8 = run_int8(x)[0]; y.is<float>()) all.observe(y.as<float>().flat(), y8.as<float>().flat());
    }
    report.sqnr = all.sqnr();

    const auto add_value = [&](const std::string& name, const std::string& node_name, const std::string& op) {
        value_report v{name, node_name, op, q.seen().range(name), q.seen().parameters(name)};
        v.sqnr = noise[name].sqnr();
        if (const quant::histogram* h = q.seen().histogram(name)) v.counts = ptq::shares_of(*h, bins);
        report.values.push_back(std::move(v));
    };
    const auto& values = q.plan().values();
    for (const value_info& in : g.inputs)
        if (values.count(in.name) != 0) add_value(in.name, "", "input");
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
        const node& n = g.nodes[i];
        if (q.plan().at(i) == ptq::role::layer) {
            const ptq::quantized_weights& w = q.weights().find(n.outputs[0])->second;
            const auto& before = g.find_initializer(n.inputs[1])->as<float>();
            layer_report l{ptq::name_of(n), n.op_type};
            const auto [least, most] =
                std::minmax_element(w.parameters.begin(), w.parameters.end(),
                                    [](const auto& a, const auto& b) { return a.scale < b.scale; });
            l.scale_min = least->scale;
            l.scale_max = most->scale;
            l.weights_sqnr = quant::sqnr(before.flat(), w.real().flat());
            const auto scales = static_cast<index_t>(w.parameters.size());
            l.bytes_before = 4 * (before.size() + (n.has_input(2) ? static_cast<index_t>(w.bias.size()) : 0));
            l.bytes_after = before.size() + 4 * scales + 4 * static_cast<index_t>(w.bias.size());
            report.layers.push_back(std::move(l));
        }
        const std::string& end = q.plan().end_of(g, i);
        const bool is_new = std::none_of(report.values.begin(), report.values.end(),
                                         [&](const value_report& v) { return v.name == end; });
        if (values.count(end) != 0 && is_new) add_value(end, ptq::name_of(n), n.op_type);
    }
    if (q.options().progress) q.options().progress("report", report.samples, report.samples);
    return report;
}

}  // namespace edge::nn
