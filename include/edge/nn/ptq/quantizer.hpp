// SPDX-License-Identifier: MIT
#pragma once

/// @file The steps of static quantization, for those who want them one by one.
///
///     edge::nn::static_quantizer q(model, {.weights = edge::nn::granularity::per_channel});
///     q.calibrate([&](edge::nn::session& run) { for (const auto& x : images) run(x); });
///     const edge::nn::graph int8 = q.quantize();

#include <edge/nn/passes/fold_into_conv.hpp>
#include <edge/nn/passes/identities.hpp>
#include <edge/nn/ptq/dynamic.hpp>
#include <edge/nn/ptq/equalize.hpp>
#include <edge/nn/ptq/layer_by_layer.hpp>

#include <concepts>
#include <memory>

namespace edge::nn {

class static_quantizer {
public:
    /// @throws unsupported_error  if the model is of an opset before 13
    /// @throws argument_error     if it is quantized already, or has nothing to quantize
    explicit static_quantizer(graph model, quantize_options options = {}) : options_(std::move(options)) {
        ptq::refuse_quantized(model);
        model.sort();
        remove_identities(model);
        fold_into_convolutions(model);
        model.sort();
        model.remove_unused();
        join_bias(model);
        g_ = std::make_shared<const graph>(std::move(model));
        make_plan();
        if (plan_->values().empty())
            throw argument_error("the model has no Conv, Gemm or MatMul with constant weights");
    }

    /// Runs the float model; `run_all` gives the session its inputs: the same ones, should it be called twice.
    /// @throws argument_error  if a value is not finite, or nothing was run; names the run and the node
    template <class F>
    void calibrate(F&& run_all) {
        if (options_.equalize.value_or(options_.weights == granularity::per_tensor)) {
            graph equal = *g_;
            ptq::equalize(equal, *plan_, ptq::observe_channels(*g_, *plan_, {.threads = options_.threads}, run_all));
            g_ = std::make_shared<const graph>(std::move(equal));
            make_plan();
        }
        seen_ = std::make_shared<const ptq::calibration>(*g_, *plan_, options_, run_all);
        learn();
    }

    /// Lets these layers stay float as well, without another calibration.
    /// @param layers  names of nodes or of their first outputs
    void keep_float(const std::vector<std::string>& layers) {
        options_.keep_float.insert(options_.keep_float.end(), layers.begin(), layers.end());
        make_plan();
        if (seen_ != nullptr) learn();
    }

    /// The model with pairs of QuantizeLinear and DequantizeLinear.
    [[nodiscard]] graph quantize() const { return written(*plan_, weights_); }

    /// The model with some layers quantized and the rest float. Weights are rounded to the nearest and biases as they were:
    /// what is learned of a layer is true only behind quantized ones.
    /// @param is_wanted  asked with each layer's node
    template <std::predicate<const node&> F>
    [[nodiscard]] graph quantize_only(F&& is_wanted) const {
        const ptq::plan some(*g_, [&](const node& n) { return !stays_float(n) && is_wanted(n); });
        return written(some, nearest(some));
    }

    /// The float model that is quantized: folded, and equalized where that was wanted.
    [[nodiscard]] const graph& model() const noexcept { return *g_; }
    [[nodiscard]] const quantize_options& options() const noexcept { return options_; }
    [[nodiscard]] const ptq::plan& plan() const noexcept { return *plan_; }
    /// What calibration saw. Only after `calibrate`.
    [[nodiscard]] const ptq::calibration& seen() const noexcept { return *seen_; }
    [[nodiscard]] const ptq::weights_by_result& weights() const noexcept { return weights_; }

private:
    void make_plan() {
        plan_ = std::make_shared<const ptq::plan>(*g_, [&](const node& n) { return !stays_float(n); });
    }

    void learn() {
        weights_ = nearest(*plan_);
        if (options_.correct_bias || options_.learn_rounding)
            ptq::layer_by_layer(*g_, *plan_, *seen_, options_).run(weights_);
    }

    [[nodiscard]] ptq::weights_by_result nearest(const ptq::plan& p) const {
        ptq::weights_by_result all;
        for (std::size_t i = 0; i < g_->nodes.size(); ++i) {
            if (p.at(i) != ptq::role::layer) continue;
            const node& n = g_->nodes[i];
            ptq::quantized_weights q = ptq::quantize_weights(*g_, n, options_.weights);
            ptq::make_room_for_bias(q, seen_->parameters(n.inputs[0]).scale);
            ptq::round_weights(q, g_->find_initializer(n.inputs[1])->as<float>());
            all.insert_or_assign(n.outputs[0], std::move(q));
        }
        return all;
    }

    [[nodiscard]] graph written(const ptq::plan& p, const ptq::weights_by_result& weights) const {
        graph made = *g_;
        ptq::qdq_writer write(made);
        for (std::size_t i = 0; i < g_->nodes.size(); ++i) {
            const node& n = g_->nodes[i];
            if (p.at(i) == ptq::role::layer)
                write.layer(i, weights.find(n.outputs[0])->second, seen_->parameters(n.inputs[0]));
            drop_activations(made, p, i);
        }
        for (const auto& [name, like] : p.values()) write.value(name, seen_->parameters(name));
        std::erase_if(made.nodes, [](const node& n) { return n.outputs.empty(); });
        made.sort();
        made.remove_unused();
        return made;
    }

    [[nodiscard]] bool stays_float(const node& n) const {
        const auto& list = options_.keep_float;
        return std::find(list.begin(), list.end(), ptq::name_of(n)) != list.end() ||
               std::find(list.begin(), list.end(), n.outputs[0]) != list.end();
    }

    /// Takes out the activations behind node `i` that the range of the integers implies.
    void drop_activations(graph& made, const ptq::plan& p, std::size_t i) const {
        const auto behind = p.activations_of(*g_, i);
        if (behind.empty()) return;
        const std::string& end = p.end_of(*g_, i);
        for (const std::size_t a : behind)
            if (!ptq::is_implied(*nn::detail::clip_bounds(*g_, g_->nodes[a]), seen_->parameters(end))) return;
        made.nodes[i].outputs[0] = end;
        for (const std::size_t a : behind) made.nodes[a] = {};
    }

    /// MatMul of matrices and the Add of its bias become a Gemm, whose bias joins the exact sums.
    static void join_bias(graph& g) {
        const std::set<std::string, std::less<>> matrices = values_of_rank_2(g);
        for (node& n : g.nodes) {
            if (n.op_type != "MatMul" || matrices.count(n.inputs[0]) == 0 || g.is_output(n.outputs[0])) continue;
            const auto found = ptq::find_layer(g, n);
            const auto readers = g.consumers(n.outputs[0]);
            if (!found || readers.size() != 1) continue;
            node& add = g.nodes[readers[0]];
            if (add.op_type != "Add" || !add.domain.empty()) continue;
            const std::string& bias = add.inputs[add.inputs[0] == n.outputs[0] ? 1 : 0];
            if (!ptq::is_bias(g, bias, found->channels) || g.find_initializer(bias)->shape().rank() > 2) continue;
            add = node{"Gemm", n.name, {n.inputs[0], n.inputs[1], bias}, add.outputs};
            n = {};  // nothing reads it any more
        }
        std::erase_if(g.nodes, [](const node& n) { return n.outputs.empty(); });
    }

    /// As far as the shapes of the inputs say; extents that are open are taken as 1.
    [[nodiscard]] static std::set<std::string, std::less<>> values_of_rank_2(const graph& g) {
        std::set<std::string, std::less<>> found;
        if (std::none_of(g.nodes.begin(), g.nodes.end(), [](const node& n) { return n.op_type == "MatMul"; }))
            return found;
        std::vector<edge::shape> shapes;
        for (const auto& v : g.inputs) {
            edge::index_list extents;
            for (const auto& d : v.dims) extents.push_back(d.size >= 0 ? d.size : 1);
            shapes.emplace_back(extents);
            if (extents.size() == 2) found.insert(v.name);
        }
        session probe(g, {.passes = {.rewrite = false}});
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

    quantize_options options_;
    std::shared_ptr<const graph> g_;
    std::shared_ptr<const ptq::plan> plan_;
    std::shared_ptr<const ptq::calibration> seen_;
    ptq::weights_by_result weights_;
};

}  // namespace edge::nn
