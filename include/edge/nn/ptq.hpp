// SPDX-License-Identifier: MIT
#pragma once

/// @file Post-training quantization: a float model and typical inputs in, a model of 8-bit integers out.
///
///     const auto model = edge::nn::load_onnx("model.onnx");
///     const auto int8 = edge::nn::quantize_static(model, {rows}, {.weights = edge::nn::granularity::per_channel});
///     edge::nn::save_onnx(int8, "model.int8.onnx");
///
/// The result is standard ONNX of opset 13: pairs of QuantizeLinear and DequantizeLinear around Conv, Gemm and MatMul,
/// which sessions here, ONNX Runtime and others run in integers. Activations are uint8 with one scale; weights int8 on
/// [-127, 127]; biases int32 of scale x_scale · w_scale. Other operators stay float, as do results of Gemm and MatMul
/// that no quantized layer reads: the input of a Softmax keeps its resolution.

#include <edge/nn/session.hpp>
#include <edge/quant/any_observer.hpp>
#include <edge/quant/linear.hpp>

#include <concepts>

namespace edge::nn {

/// What shares a scale of the weights: all of a layer, or the weights of one result.
enum class granularity : std::uint8_t { per_tensor, per_channel };

/// How the range of an activation follows from what calibration saw.
using quant::observer_kind;

struct quantize_options {
    granularity weights = granularity::per_channel;
    observer_kind observer = observer_kind::minmax;
    int threads = 0;  ///< of the calibration runs; 0: the process default
};

namespace detail {

class static_quantizer {
public:
    static_quantizer(graph model, const quantize_options& options) : g_(std::move(model)), options_(options) {
        if (g_.opset < 13) throw unsupported_error(message("model of opset ", g_.opset, "; expected 13 or newer"));
        for (const node& n : g_.nodes)
            if (n.op_type == "DequantizeLinear" || n.op_type.starts_with("QLinear"))
                throw argument_error(message("node ", n, ": the model is quantized already"));
        g_.sort();
    }

    /// Runs the float model; `calibrate` gives the session its inputs.
    template <class F>
    void observe(F&& calibrate) {
        std::set<std::string, std::less<>> wanted;
        for (const node& n : g_.nodes) {
            if (!find_layer(n)) continue;
            wanted.insert(n.inputs[0]);
            if (n.op_type == "Conv") wanted.insert(after_activation(n.outputs[0]));
        }
        if (wanted.empty()) throw argument_error("the model has no Conv, Gemm or MatMul with constant weights");
        session run(g_, {.threads = options_.threads, .passes = {.keep = {wanted.begin(), wanted.end()}}});
        run.observe([&](std::string_view name, const any_view& value) {
            if (wanted.find(name) == wanted.end() || value.dtype() != dtype::f32) return;
            activation& a =
                activations_.try_emplace(std::string(name), activation{quant::any_observer(options_.observer), 0})
                    .first->second;
            a.rank = value.shape().rank();
            try {
                a.seen.observe(value.as<float>().flat());
            } catch (const argument_error& e) {
                throw argument_error(message("value '", name, "': ", e.what()));
            }
        });
        calibrate(run);
        for (const auto& name : wanted)
            if (activations_.find(name) == activations_.end() || activations_.at(name).seen.is_empty())
                throw argument_error(message("value '", name, "': calibration saw none"));
    }

    [[nodiscard]] graph quantize() {
        join_bias();
        for (std::size_t i = 0; i < g_.nodes.size(); ++i)
            if (const auto found = find_layer(g_.nodes[i])) quantize(i, *found);
        for (const auto& [name, a] : activations_) quantize(name, a);
        g_.sort();
        g_.remove_unused();
        return std::move(g_);
    }

private:
    struct activation {
        quant::any_observer seen;
        std::size_t rank = 0;
        [[nodiscard]] quant::parameters parameters() const { return seen.parameters_for(dtype::u8); }
    };

    struct layer {
        index_t channel_axis;  ///< of the weights
        index_t channels;
    };

    /// Whether a node is one that can be quantized.
    [[nodiscard]] std::optional<layer> find_layer(const node& n) const {
        if (!n.domain.empty() || n.inputs.size() < 2 || g_.find_initializer(n.inputs[0]) != nullptr) return {};
        const any_tensor* w = g_.find_initializer(n.inputs[1]);
        if (w == nullptr || !w->is<float>() || w->size() == 0) return {};
        layer found{};
        if (n.op_type == "Conv") {
            if (w->shape().rank() < 3) return {};
        } else if (n.op_type == "Gemm" || n.op_type == "MatMul") {
            if (w->shape().rank() != 2 || n.integer("transA", 0) != 0 || n.real("alpha", 1) != 1) return {};
            found.channel_axis = n.integer("transB", 0) != 0 ? 0 : 1;
        } else {
            return {};
        }
        found.channels = w->shape()[static_cast<std::size_t>(found.channel_axis)];
        if (n.has_input(2) && (n.real("beta", 1) != 1 || !is_bias(n.inputs[2], found.channels))) return {};
        return found;
    }

    [[nodiscard]] bool is_bias(const std::string& id, index_t channels) const {
        const any_tensor* b = g_.find_initializer(id);
        return b != nullptr && b->is<float>() && b->shape().rank() > 0 && b->size() == channels &&
               b->shape().back() == channels;
    }

    /// The value behind a ReLU or Clip that alone reads this one, else this one.
    [[nodiscard]] std::string after_activation(const std::string& value) const {
        const auto readers = g_.consumers(value);
        if (readers.size() != 1 || g_.is_output(value)) return value;
        const node& n = g_.nodes[readers[0]];
        return n.op_type == "Relu" || (n.op_type == "Clip" && n.inputs[0] == value) ? n.outputs[0] : value;
    }

    /// MatMul and the Add of its bias become a Gemm, whose bias joins the exact sums.
    void join_bias() {
        for (node& n : g_.nodes) {
            const auto found = n.op_type == "MatMul" ? find_layer(n) : std::nullopt;
            if (!found || activations_.at(n.inputs[0]).rank != 2 || g_.is_output(n.outputs[0])) continue;
            const auto readers = g_.consumers(n.outputs[0]);
            if (readers.size() != 1) continue;
            node& add = g_.nodes[readers[0]];
            if (add.op_type != "Add" || !add.domain.empty()) continue;
            const std::string& bias = add.inputs[add.inputs[0] == n.outputs[0] ? 1 : 0];
            const any_tensor* b = g_.find_initializer(bias);
            if (!is_bias(bias, found->channels) || b->shape().rank() > 2) continue;
            add = node{"Gemm", n.name, {n.inputs[0], n.inputs[1], bias}, add.outputs};
            n.inputs.clear();  // nothing reads it any more
        }
        std::erase_if(g_.nodes, [](const node& n) { return n.op_type == "MatMul" && n.inputs.empty(); });
    }

    /// DequantizeLinear of constants. Returns its output's name.
    std::string dequantize(const std::string& wish, any_tensor integers, any_tensor scale, any_tensor zero,
                           index_t axis) {
        const std::string from = g_.constant(wish + "_quantized", std::move(integers));
        const bool per_channel = scale.shape().rank() != 0;
        const std::string scales = g_.constant(wish + "_scale", std::move(scale));
        const std::string zeros = g_.constant(wish + "_zero_point", std::move(zero));
        const std::string to = g_.fresh_name(wish + "_dequantized");
        g_.nodes.push_back({"DequantizeLinear", to, {from, scales, zeros}, {to}});
        if (per_channel) g_.nodes.back().attributes.emplace("axis", axis);
        return to;
    }

    /// Weights and bias of one layer.
    void quantize(std::size_t at, const layer& found) {
        const std::string w_name = g_.nodes[at].inputs[1];
        const std::string b_name = g_.nodes[at].has_input(2) ? g_.nodes[at].inputs[2] : "";
        const tensor<float>& w = g_.find_initializer(w_name)->as<float>();
        const tensor<float>* b = b_name.empty() ? nullptr : &g_.find_initializer(b_name)->as<float>();
        const float x_scale = activations_.at(g_.nodes[at].inputs[0]).parameters().scale;
        const bool per_channel = options_.weights == granularity::per_channel;

        std::vector<quant::parameters> p;
        try {
            if (per_channel) {
                quant::channel_minmax_observer seen(found.channel_axis);
                seen.observe(w);
                p = seen.parameters_for(dtype::i8);
            } else {
                quant::minmax_observer seen;
                seen.observe(w.flat());
                p.push_back(seen.parameters_for(dtype::i8));
            }
            if (b != nullptr) quant::minmax_observer().observe(b->flat());
        } catch (const argument_error& e) {
            throw argument_error(message("node ", g_.nodes[at], ": weights or bias: ", e.what()));
        }
        // Where weights are next to nothing, their scale would be too fine for an int32 bias.
        for (index_t i = 0; b != nullptr && i < b->size(); ++i) {
            quant::parameters& own = p[per_channel ? static_cast<std::size_t>(i) : 0];
            own.scale = (std::max)(own.scale, std::abs((*b)[i]) / (x_scale * 0x1p30f));
        }

        constexpr quant::limits range{-127, 127};
        const edge::shape each = per_channel ? edge::shape{found.channels} : edge::shape{};
        tensor<float> scales(each);
        for (std::size_t i = 0; i < p.size(); ++i) scales[static_cast<index_t>(i)] = p[i].scale;
        std::string w_to = dequantize(w_name,
                                      per_channel ? quant::quantize<std::int8_t>(w, p, found.channel_axis, range)
                                                  : quant::quantize<std::int8_t>(w, p[0], range),
                                      scales, tensor<std::int8_t>(each), found.channel_axis);
        std::string b_to;
        if (b != nullptr) {
            tensor<std::int32_t> q({found.channels});
            for (index_t i = 0; i < b->size(); ++i)
                q[i] = quant::quantize_bias((*b)[i], x_scale, p[per_channel ? static_cast<std::size_t>(i) : 0].scale);
            for (float& s : scales) s *= x_scale;
            b_to = dequantize(b_name, std::move(q), scales, tensor<std::int32_t>(each), 0);
        }
        node& n = g_.nodes[at];  // the vector has grown
        n.inputs[1] = std::move(w_to);
        if (b != nullptr) n.inputs[2] = std::move(b_to);
    }

    /// An activation: all who read it read what comes back from 8 bits.
    void quantize(const std::string& name, const activation& a) {
        const quant::parameters p = a.parameters();
        const std::string scale = g_.constant(name + "_scale", tensor<float>(edge::shape{}, p.scale));
        const std::string zero = g_.constant(
            name + "_zero_point", tensor<std::uint8_t>(edge::shape{}, static_cast<std::uint8_t>(p.zero_point)));
        const std::string q = g_.fresh_name(name + "_quantized");
        g_.nodes.push_back({"QuantizeLinear", q, {}, {q}});
        const std::string back = g_.fresh_name(name + "_dequantized");
        g_.replace_uses(name, back);
        g_.nodes.back().inputs = {name, scale, zero};
        g_.nodes.push_back({"DequantizeLinear", back, {q, scale, zero}, {back}});
    }

    graph g_;
    quantize_options options_;
    std::map<std::string, activation, std::less<>> activations_;
};

}  // namespace detail

/// Quantizes a model with ranges from runs of it.
/// @param calibrate  called once with a session of the float model, to run it on typical inputs
/// @throws unsupported_error  if the model is of an opset before 13
/// @throws argument_error     if there is nothing to quantize, a value or weight is not finite, or calibration ran nothing
template <std::invocable<session&> Calibrate>
[[nodiscard]] graph quantize_static(graph model, Calibrate&& calibrate, const quantize_options& options = {}) {
    detail::static_quantizer quantizer(std::move(model), options);
    quantizer.observe(calibrate);
    return quantizer.quantize();
}

/// The same for a model of one input.
/// @param inputs  typical values of it, one run each
[[nodiscard]] inline graph quantize_static(graph model, std::span<const any_view> inputs,
                                           const quantize_options& options = {}) {
    return quantize_static(
        std::move(model),
        [&](session& run) {
            for (const any_view& x : inputs) run(x);
        },
        options);
}
[[nodiscard]] inline graph quantize_static(graph model, std::initializer_list<any_view> inputs,
                                           const quantize_options& options = {}) {
    return quantize_static(std::move(model), std::span<const any_view>(inputs.begin(), inputs.size()), options);
}

}  // namespace edge::nn
