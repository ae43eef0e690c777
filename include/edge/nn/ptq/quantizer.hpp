// SPDX-License-Identifier: MIT
#pragma once

/// @file The steps of static quantization, for those who want them one by one.
///
///     edge::nn::static_quantizer q(model, {.weights = edge::nn::granularity::per_channel});
///     q.calibrate([&](edge::nn::session& run) { for (const auto& x : images) run(x); });
///     const edge::nn::graph int8 = q.quantize();

#include <edge/nn/passes/fold_into_conv.hpp>
#include <edge/nn/passes/identities.hpp>
#include <edge/nn/ptq/equalize.hpp>
#include <edge/nn/ptq/layer_by_layer.hpp>

#include <memory>

namespace edge::nn {

class static_quantizer {
public:
    /// @throws unsupported_error  if the model is of an opset before 13
    /// @throws argument_error     if it is quantized already, or has nothing to quantize
    explicit static_quantizer(graph model, quantize_options options = {})
        : g_(std::move(model)), options_(std::move(options)) {
        if (g_.opset < 13) throw unsupported_error(message("model of opset ", g_.opset, "; expected 13 or newer"));
        for (const node& n : g_.nodes)
            if (n.op_type == "DequantizeLinear" || n.op_type == "QuantizeLinear" || n.op_type.starts_with("QLinear") ||
                n.op_type.ends_with("Integer") || n.op_type == "DynamicQuantizeLinear")
                throw argument_error(message("node ", n, ": the model is quantized already"));
        g_.sort();
        remove_identities(g_);
        fold_into_convolutions(g_);
        g_.sort();
        g_.remove_unused();
        join_bias();
        plan_ = std::make_unique<ptq::plan>(g_, [&](const node& n) { return !stays_float(n); });
        if (plan_->values().empty())
            throw argument_error("the model has no Conv, Gemm or MatMul with constant weights");
    }

    /// Runs the float model; `run_all` gives the session its inputs: the same ones, should it be called twice.
    /// @throws argument_error  if a value is not finite, or nothing was run; names the run and the node
    template <class F>
    void calibrate(F&& run_all) {
        if (options_.equalize.value_or(options_.weights == granularity::per_tensor))
            ptq::equalize(g_, *plan_, ptq::observe_channels(g_, *plan_, {.threads = options_.threads}, run_all));
        seen_ = std::make_unique<ptq::calibration>(g_, *plan_, options_, run_all);
        weights_.clear();
        for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
            if (plan_->at(i) != ptq::role::layer) continue;
            const node& n = g_.nodes[i];
            ptq::quantized_weights q = ptq::quantize_weights(g_, n, options_.weights);
            ptq::make_room_for_bias(q, scale_of(n.inputs[0]));
            ptq::round_weights(q, g_.find_initializer(n.inputs[1])->as<float>());
            weights_.insert_or_assign(n.outputs[0], std::move(q));
        }
        if (options_.correct_bias) ptq::layer_by_layer(g_, *plan_, *seen_, options_).correct_biases(weights_);
    }

    /// The model with pairs of QuantizeLinear and DequantizeLinear.
    [[nodiscard]] graph quantize() const {
        graph made = g_;
        ptq::qdq_writer write(made);
        std::set<std::string, std::less<>> implied;
        for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
            if (plan_->at(i) == ptq::role::layer)
                write.layer(i, weights_.find(g_.nodes[i].outputs[0])->second, scale_of(g_.nodes[i].inputs[0]));
            drop_activations(made, i);
        }
        for (const auto& [name, like] : plan_->values()) write.value(name, seen_->parameters(like));
        std::erase_if(made.nodes, [](const node& n) { return n.outputs.empty(); });
        made.sort();
        made.remove_unused();
        return made;
    }

private:
    [[nodiscard]] bool stays_float(const node& n) const {
        const auto& list = options_.keep_float;
        return std::find(list.begin(), list.end(), ptq::name_of(n)) != list.end() ||
               std::find(list.begin(), list.end(), n.outputs[0]) != list.end();
    }

    [[nodiscard]] float scale_of(const std::string& value) const {
        return seen_->parameters(plan_->values().find(value)->second).scale;
    }

    /// Takes out the activations behind node `i` that the range of the integers implies.
    void drop_activations(graph& made, std::size_t i) const {
        const auto behind = plan_->activations_of(g_, i);
        if (behind.empty()) return;
        const auto like = plan_->values().find(plan_->end_of(g_, i));
        const quant::parameters p = seen_->parameters(like->second);
        for (const std::size_t a : behind)
            if (!ptq::is_implied(*ptq::bounds_of(g_, g_.nodes[a]), p)) return;
        made.nodes[i].outputs[0] = like->first;
        for (const std::size_t a : behind) made.nodes[a] = {};
    }

    /// MatMul of matrices and the Add of its bias become a Gemm, whose bias joins the exact sums.
    void join_bias() {
        const std::set<std::string, std::less<>> matrices = values_of_rank_2();
        for (node& n : g_.nodes) {
            if (n.op_type != "MatMul" || matrices.count(n.inputs[0]) == 0 || g_.is_output(n.outputs[0])) continue;
            const auto found = ptq::find_layer(g_, n);
            const auto readers = g_.consumers(n.outputs[0]);
            if (!found || readers.size() != 1) continue;
            node& add = g_.nodes[readers[0]];
            if (add.op_type != "Add" || !add.domain.empty()) continue;
            const std::string& bias = add.inputs[add.inputs[0] == n.outputs[0] ? 1 : 0];
            if (!ptq::is_bias(g_, bias, found->channels) || g_.find_initializer(bias)->shape().rank() > 2) continue;
            add = node{"Gemm", n.name, {n.inputs[0], n.inputs[1], bias}, add.outputs};
            n = {};  // nothing reads it any more
        }
        std::erase_if(g_.nodes, [](const node& n) { return n.outputs.empty(); });
    }

    /// As far as the shapes of the inputs say; extents that are open are taken as 1.
    [[nodiscard]] std::set<std::string, std::less<>> values_of_rank_2() const {
        std::set<std::string, std::less<>> found;
        if (std::none_of(g_.nodes.begin(), g_.nodes.end(), [](const node& n) { return n.op_type == "MatMul"; }))
            return found;
        std::vector<edge::shape> shapes;
        for (const auto& v : g_.inputs) {
            edge::index_list extents;
            for (const auto& d : v.dims) extents.push_back(d.size >= 0 ? d.size : 1);
            shapes.emplace_back(extents);
            if (extents.size() == 2) found.insert(v.name);
        }
        session probe(g_, {.passes = {.rewrite = false}});
        try {
            probe.plan(shapes);
        } catch (const error&) {
            return found;  // the shapes of a run may fit where these do not
        }
        const auto layers = probe.layers();
        for (std::size_t i = 0; i < layers.size(); ++i)
            for (std::size_t k = 0; k < layers[i].outputs.size(); ++k)
                if (layers[i].outputs[k].shape.rank() == 2 && probe.model().nodes[i].has_output(k))
                    found.insert(probe.model().nodes[i].outputs[k]);
        return found;
    }

    graph g_;
    quantize_options options_;
    std::unique_ptr<ptq::plan> plan_;
    std::unique_ptr<ptq::calibration> seen_;
    ptq::weights_by_result weights_;
};

}  // namespace edge::nn
