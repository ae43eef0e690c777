// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs the quantized model over the samples of a calibration, one node at a time, and lets something be learned of
/// each layer before the next one runs: what a layer reads is then what it will read in the end.
///
/// Integers are kept as bytes in between. Memory: the values of all samples that live at the same time.

#include <edge/nn/ptq/calibration.hpp>
#include <edge/nn/ptq/qdq.hpp>
#include <edge/quant/correct_bias.hpp>
#include <edge/quant/input_moments.hpp>
#include <edge/quant/learned_rounding.hpp>

namespace edge::nn::ptq {

using weights_by_result = std::map<std::string, quantized_weights, std::less<>>;  ///< by the layer's result

class layer_by_layer {
public:
    layer_by_layer(const graph& g, const plan& p, const calibration& seen, const quantize_options& options)
        : g_(g), plan_(p), seen_(seen), options_(options), last_use_(g.nodes.size()) {
        std::map<std::string_view, std::size_t> last;
        for (std::size_t i = 0; i < g.nodes.size(); ++i)
            for (const auto& id : g.nodes[i].inputs) last[id] = i;
        for (const auto& [id, i] : last) last_use_[i].emplace_back(id);
        for (std::size_t k = 0; k < g.inputs.size(); ++k)
            for (const sample& s : seen.samples()) keep(g.inputs[k].name, s[k]);
    }

    /// Learns the rounding of all weights and corrects all biases, as the options say.
    void run(weights_by_result& weights) {
        for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
            if (options_.progress) options_.progress("learn from layers", i, g_.nodes.size());
            if (!is_folded(i)) step(i, weights);
            for (const std::string& id : last_use_[i]) values_.erase(id);
        }
        if (options_.progress) options_.progress("learn from layers", g_.nodes.size(), g_.nodes.size());
    }

private:
    [[nodiscard]] bool is_folded(std::size_t i) const { return folded_.count(i) != 0; }

    void keep(const std::string& name, const any_tensor& x) {
        const auto like = plan_.values().find(name);
        if (like == plan_.values().end() || !x.is<float>()) {
            values_[name].push_back(x);
        } else {
            values_[name].push_back(quant::quantize<std::uint8_t>(x.as<float>(), seen_.parameters(name)));
        }
    }

    [[nodiscard]] any_tensor real(const std::string& name, std::size_t k) const {
        const any_tensor& x = values_.find(name)->second[k];
        const auto like = plan_.values().find(name);
        if (like == plan_.values().end() || !x.is<std::uint8_t>()) return x;
        return quant::dequantize(x.as<std::uint8_t>(), seen_.parameters(name));
    }

    void step(std::size_t i, weights_by_result& weights) {
        const node& n = g_.nodes[i];
        const bool is_layer = plan_.at(i) == role::layer;
        const auto behind = plan_.activations_of(g_, i);
        folded_.insert(behind.begin(), behind.end());
        graph one;
        one.opset = g_.opset;
        one.nodes.push_back(n);
        std::vector<std::string> inputs;
        for (const std::string& id : n.inputs) {
            if (const any_tensor* constant = g_.find_initializer(id))
                one.initializers.insert_or_assign(id, *constant);
            else if (!id.empty() && std::find(inputs.begin(), inputs.end(), id) == inputs.end())
                inputs.push_back(id);
        }
        for (const std::string& id : inputs) {
            const auto found = values_.find(id);
            if (found == values_.end() || found->second.empty()) return;
            const dtype type = found->second[0].dtype();
            one.inputs.emplace_back(id, plan_.values().count(id) != 0 ? dtype::f32 : type);
        }
        quantized_weights* q = is_layer ? &weights.find(n.outputs[0])->second : nullptr;
        if (is_layer) {
            if (options_.learn_rounding) learn_rounding(n, *q);
            one.nodes[0].inputs[1] = "weights";
            one.initializers.insert_or_assign("weights", q->real());
            if (!q->bias.empty()) {
                const float x_scale = seen_.parameters(n.inputs[0]).scale;
                one.nodes[0].inputs.resize(3);
                one.nodes[0].inputs[2] = "bias";
                one.initializers.insert_or_assign("bias", q->real_bias(x_scale));
            }
        }
        for (const std::string& id : n.outputs)
            if (!id.empty()) one.outputs.emplace_back(id, dtype::f32);
        one.sort();
        one.remove_unused();
        session run(one, {.threads = options_.threads});
        std::vector<std::vector<any_tensor>> results;
        for (std::size_t k = 0; k < seen_.samples().size(); ++k) {
            std::vector<any_tensor> x;
            for (const std::string& id : inputs) x.push_back(real(id, k));
            results.push_back(run(std::vector<any_view>(x.begin(), x.end())));
        }
        if (is_layer && options_.correct_bias) correct(n, *q, results);
        const std::string& end = plan_.end_of(g_, i);
        for (auto& result : results) {
            for (const std::size_t a : behind) limit(*nn::detail::clip_bounds(g_, g_.nodes[a]), result[0].as<float>());
            for (std::size_t j = 0, k = 0; j < n.outputs.size(); ++j)
                if (!n.outputs[j].empty()) keep(j == 0 ? end : n.outputs[j], result[k++]);
        }
    }

    /// Where the weights of a convolution look, if it is one that moments can be taken of.
    [[nodiscard]] static std::optional<quant::patches> patches_of(const node& n, const edge::shape& w) {
        const std::vector<std::int64_t> ones(2, 1);
        const auto strides = n.integers("strides", ones);
        const auto dilations = n.integers("dilations", ones);
        const auto pads = n.integers("pads", std::vector<std::int64_t>(4, 0));
        const auto automatic = n.text("auto_pad", "NOTSET");
        if (w.rank() != 4 || strides.size() != 2 || dilations.size() != 2 || pads.size() != 4) return {};
        if (automatic != "NOTSET" && automatic != "VALID") return {};
        return quant::patches{w[2],
                              w[3],
                              static_cast<index_t>(strides[0]),
                              static_cast<index_t>(strides[1]),
                              static_cast<index_t>(pads[0]),
                              static_cast<index_t>(pads[1]),
                              static_cast<index_t>(pads[2]),
                              static_cast<index_t>(pads[3]),
                              static_cast<index_t>(dilations[0]),
                              static_cast<index_t>(dilations[1])};
    }

    void learn_rounding(const node& n, quantized_weights& q) const {
        constexpr index_t enough = 8192;  // patches
        constexpr index_t most = 2048;    // products of a result: the time grows with their cube
        const tensor<float>& w = g_.find_initializer(n.inputs[1])->as<float>();
        const bool is_conv = n.op_type == "Conv";
        auto at = is_conv ? patches_of(n, w.shape()) : quant::patches{};
        if (!at || w.size() / w.shape()[static_cast<std::size_t>(q.channel_axis)] > most) return;
        const bool turned = q.channel_axis == 1;
        const tensor<float> rows = turned ? copy(w.view().transpose()) : w;
        const index_t groups = is_conv ? static_cast<index_t>(n.integer("group", 1)) : 1;
        quant::input_moments seen(rows.size() / rows.shape()[0], groups);
        const std::size_t samples = seen_.samples().size();
        for (std::size_t k = 0; k < samples; ++k) {
            const any_tensor x = real(n.inputs[0], k);
            const tensor_view<const float> view = x.as<float>().view();
            if (is_conv) {
                const index_t positions = x.size() / x.shape()[1] / (at->stride_h * at->stride_w);
                at->every = (std::max)(index_t{1}, positions * static_cast<index_t>(samples) / enough);
                seen.observe(view, *at, options_.threads);
            } else {
                seen.observe(view.reshape({x.size() / x.shape().back(), x.shape().back()}), options_.threads);
            }
        }
        std::vector<tensor<float>> grams;
        for (index_t group = 0; group < groups; ++group)
            grams.push_back(options_.correct_bias ? seen.covariance(group) : seen.moments(group));
        auto rounded =
            quant::round_weights<std::int8_t>(rows, q.parameters, {-127, 127}, grams, {.threads = options_.threads});
        q.values = turned ? copy(rounded.weights.view().transpose()) : std::move(rounded.weights);
    }

    static void limit(const clamp& b, tensor<float>& x) {
        for (float& v : x) v = (std::min)((std::max)(v, b.low), b.high);
    }

    /// Adds to the bias, and to the results, what the means lack.
    void correct(const node& n, quantized_weights& q, std::vector<std::vector<any_tensor>>& results) const {
        const quant::channel_moments* wanted = seen_.means_of(n.outputs[0]);
        if (wanted == nullptr || results.empty()) return;
        const std::size_t axis = result_axis(n, results[0][0].shape());
        quant::channel_moments now(static_cast<index_t>(axis));
        for (const auto& r : results) now.observe(r[0].as<float>());
        const std::vector<float> before = q.bias;
        q.bias.resize(static_cast<std::size_t>(results[0][0].shape()[axis]));
        quant::correct_bias(q.bias, wanted->mean(), now.mean());
        std::vector<float> added = q.bias;
        for (std::size_t c = 0; c < before.size(); ++c) added[c] -= before[c];
        for (auto& r : results) {
            tensor<float>& y = r[0].as<float>();
            index_t inner = 1;
            for (std::size_t a = axis + 1; a < y.rank(); ++a) inner *= y.shape()[a];
            const auto channels = static_cast<index_t>(added.size());
            for (index_t at = 0; at < y.size(); ++at)
                y.data()[at] += added[static_cast<std::size_t>(at / inner % channels)];
        }
    }

    const graph& g_;
    const plan& plan_;
    const calibration& seen_;
    const quantize_options& options_;
    std::vector<std::vector<std::string>> last_use_;
    std::map<std::string, std::vector<any_tensor>, std::less<>> values_;
    std::set<std::size_t> folded_;
};

}  // namespace edge::nn::ptq
