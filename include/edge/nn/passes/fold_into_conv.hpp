// SPDX-License-Identifier: MIT
#pragma once

/// @file Lets convolutions do what their neighbours ask: padding before them, batch normalization after them.

#include <edge/nn/detail/graph_index.hpp>

#include <cmath>
#include <optional>

namespace edge::nn {

namespace detail {

class conv_rewrite {
public:
    explicit conv_rewrite(graph& g) : g_(g), index_(g) {}

    void run() {
        for (node& n : g_.nodes) {
            if (!n.domain.empty()) continue;
            if (n.op_type == "Conv") fold_pad(n);
            if (n.op_type == "BatchNormalization") fold_batch_norm(n);
        }
        std::erase_if(g_.nodes, [](const node& n) { return n.outputs.empty(); });
    }

private:
    [[nodiscard]] const tensor<float>* floats(const node& n, std::size_t input) const {
        const any_tensor* t = n.has_input(input) ? g_.find_initializer(n.inputs[input]) : nullptr;
        return t != nullptr && t->is<float>() ? &t->as<float>() : nullptr;
    }

    /// Pads of zeros along spatial axes only: [before…, after…], one for each axis of the input.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> zero_pads(const node& pad) const {
        if (pad.text("mode", "constant") != "constant" || pad.has_input(3)) return {};
        std::vector<std::int64_t> pads = pad.integers("pads");
        if (pad.has_input(1)) {
            const any_tensor* t = g_.find_initializer(pad.inputs[1]);
            if (t == nullptr || !t->is<std::int64_t>()) return {};
            pads.assign(t->as<std::int64_t>().begin(), t->as<std::int64_t>().end());
        }
        if (pad.has_input(2)) {
            const float* value = one_float(g_, pad, 2);
            if (value == nullptr || *value != 0) return {};
        }
        const std::size_t rank = pads.size() / 2;
        if (pads.size() % 2 != 0 || rank < 3 || pad.real("value", 0) != 0) return {};
        for (std::size_t i = 0; i < pads.size(); ++i)
            if (pads[i] < 0 || (i % rank < 2 && pads[i] != 0)) return {};
        return pads;
    }

    void fold_pad(node& conv) {
        if (!conv.has_input(0)) return;
        const node* pad = index_.made_by(conv.inputs[0], "Pad");
        const any_tensor* w = conv.has_input(1) ? g_.find_initializer(conv.inputs[1]) : nullptr;
        if (pad == nullptr || w == nullptr) return;
        const auto more = zero_pads(*pad);
        const auto automatic = conv.text("auto_pad", "NOTSET");
        if (!more || (automatic != "NOTSET" && automatic != "VALID") || w->shape().rank() != more->size() / 2) return;
        const std::size_t rank = more->size() / 2;
        std::vector<std::int64_t> pads(2 * (rank - 2), 0);
        if (automatic == "NOTSET") pads = conv.integers("pads", pads);
        if (pads.size() != 2 * (rank - 2) || !is_sane(pads) || !is_sane(*more)) return;
        for (std::size_t i = 0; i < rank - 2; ++i) {
            pads[i] += (*more)[2 + i];
            pads[rank - 2 + i] += (*more)[rank + 2 + i];
        }
        conv.attributes.erase("auto_pad");
        conv.attributes.insert_or_assign("pads", pads);
        conv.inputs[0] = pad->inputs[0];
    }

    /// y = (x - mean) / sqrt(variance + epsilon) · scale + offset, of each channel, goes into weights and bias.
    void fold_batch_norm(node& norm) {
        if (norm.inputs.size() < 5 || norm.integer("training_mode", 0) != 0) return;
        for (std::size_t i = 1; i < norm.outputs.size(); ++i)
            if (norm.has_output(i)) return;
        const std::size_t at = index_.maker(norm.inputs[0]);
        if (at == graph_index::none || index_.only_reader(norm.inputs[0]) == graph_index::none) return;
        node& conv = g_.nodes[at];
        if (!conv.domain.empty() || conv.op_type != "Conv" || !conv.has_input(0)) return;
        const tensor<float>* w = floats(conv, 1);
        const tensor<float>* b = floats(conv, 2);
        const tensor<float>* of[] = {floats(norm, 1), floats(norm, 2), floats(norm, 3), floats(norm, 4)};
        if (w == nullptr || w->shape().rank() < 3 || w->size() == 0 || (conv.has_input(2) && b == nullptr)) return;
        const index_t channels = w->shape()[0];
        if (b != nullptr && b->size() != channels) return;
        for (const auto* t : of)
            if (t == nullptr || t->size() != channels) return;
        const auto& [scale, offset, mean, variance] = of;
        tensor<float> weights(w->shape());
        tensor<float> bias({channels});
        const index_t each = w->size() / channels;
        for (index_t c = 0; c < channels; ++c) {
            const double factor =
                static_cast<double>((*scale)[c]) /
                std::sqrt(static_cast<double>((*variance)[c]) + static_cast<double>(norm.real("epsilon", 1e-5f)));
            for (index_t i = c * each; i < (c + 1) * each; ++i)
                weights.data()[i] = static_cast<float>(static_cast<double>(w->data()[i]) * factor);
            const double from = b != nullptr ? static_cast<double>((*b)[c]) : 0;
            bias[c] = static_cast<float>((from - static_cast<double>((*mean)[c])) * factor +
                                         static_cast<double>((*offset)[c]));
        }
        const std::string w_name = g_.constant(conv.inputs[1] + "_folded", std::move(weights));
        const std::string b_name = g_.constant(conv.outputs[0] + "_bias", std::move(bias));
        conv.inputs = {conv.inputs[0], w_name, b_name};
        // The convolution takes the place of the normalization, and may be followed by another one.
        node made = std::move(conv);
        conv = {};
        made.outputs = {norm.outputs[0]};
        norm = std::move(made);
    }

    graph& g_;
    graph_index index_;
};

}  // namespace detail

/// Takes in Pad nodes of zeros, and BatchNormalization whose input nothing else reads.
inline void fold_into_convolutions(graph& g) { detail::conv_rewrite(g).run(); }

}  // namespace edge::nn
