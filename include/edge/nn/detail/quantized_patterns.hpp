// SPDX-License-Identifier: MIT
#pragma once

/// @file Finds layers between dequantized and quantized values, and what stands around them.

#include <edge/nn/detail/quantization_nodes.hpp>
#include <edge/quant/quantize.hpp>

namespace edge::nn::detail {

/// The QuantizeLinear behind a value that nothing else reads, and the integers that pass what lies between.
struct quantized_end {
    std::size_t quantize;  ///< position in the nodes
    quantization y;
    quant::limits range;

    /// Of the type.
    [[nodiscard]] quant::limits all() const {
        return y.type == dtype::u8 ? quant::limits_of<std::uint8_t> : quant::limits_of<std::int8_t>;
    }
};

/// A Clip of integers to what `end` leaves of their type.
[[nodiscard]] inline node integer_clip(graph& g, const std::string& x, const quantized_end& end, const std::string& y) {
    const auto bound = [&](int v) {
        return end.y.type == dtype::u8
                   ? g.constant("bound", tensor<std::uint8_t>(edge::shape{}, static_cast<std::uint8_t>(v)))
                   : g.constant("bound", tensor<std::int8_t>(edge::shape{}, static_cast<std::int8_t>(v)));
    };
    return {"Clip", y, {x, bound(end.range.low), bound(end.range.high)}, {y}};
}

/// A Conv, Gemm or MatMul of a quantized activation and quantized constant weights.
struct quantized_layer {
    quantization x;  ///< of one scale
    quantization w;  ///< of one scale, or one a channel
    bool turned;     ///< a Gemm whose weights are [n, k]
    index_t channels;
    std::string bias;                  ///< int32 of scale x_scale · w_scale, or ""
    std::optional<quantized_end> end;  ///< where the result is quantized
};

/// Of a graph as it was when this was made, but for nodes that come new.
class quantized_patterns {
public:
    explicit quantized_patterns(const graph& g) : g_(g), index_(g) {}

    /// A value that is an activation: 8 bits, one scale, made by a node or an input of the graph.
    [[nodiscard]] std::optional<quantization> activation_at(const node& n, std::size_t i) const {
        auto x = find_dequantized(n, i);
        if (!x || !x->is_per_tensor() || !x->is_byte() || g_.find_initializer(x->integers) != nullptr) return {};
        return x;
    }

    /// What ends in a QuantizeLinear of one scale, by way of ReLU and Clip alone.
    [[nodiscard]] std::optional<quantized_end> ending_of(std::string value) const {
        clamp limits;
        for (;;) {
            const std::size_t reader = index_.only_reader(value);
            if (reader == graph_index::none) return {};
            const node& n = g_.nodes[reader];
            if (!n.domain.empty() || n.inputs[0] != value || !n.has_output(0)) return {};
            if (n.op_type == "QuantizeLinear") {
                auto y = quantization_of(g_, n, n.outputs[0]);
                if (!y || !y->is_per_tensor() || y->zero.empty() || !y->is_byte()) return {};
                quantized_end end{reader, std::move(*y), {}};
                // Quantization is monotonic, so limits may be applied after it.
                const auto limit = [&](float v) {
                    return end.y.type == dtype::u8 ? int{quant::quantize_one<std::uint8_t>(v, end.y.one(), end.all())}
                                                   : int{quant::quantize_one<std::int8_t>(v, end.y.one(), end.all())};
                };
                end.range = {limit(limits.low), limit(limits.high)};
                return end;
            }
            const auto bounds = clip_bounds(g_, n);
            if (!bounds) return {};
            limits.low = std::clamp(limits.low, bounds->low, bounds->high);
            limits.high = std::clamp(limits.high, bounds->low, bounds->high);
            value = n.outputs[0];
        }
    }

    /// A node of ONNX's own domain that is such a layer.
    [[nodiscard]] std::optional<quantized_layer> layer_at(const node& n) const {
        const bool is_conv = n.op_type == "Conv";
        const bool is_gemm = n.op_type == "Gemm";
        if ((!is_conv && !is_gemm && n.op_type != "MatMul") || n.inputs.size() < 2) return {};
        auto x = activation_at(n, 0);
        auto w = find_dequantized(n, 1);
        const any_tensor* weights = w ? g_.find_initializer(w->integers) : nullptr;
        if (!x || x->zero.empty() || weights == nullptr || !w->is_byte() || weights->dtype() != w->type ||
            (is_conv ? weights->shape().rank() < 3 : weights->shape().rank() != 2))
            return {};
        const bool turned = is_gemm && n.integer("transB", 0) != 0;
        if (is_gemm && (n.integer("transA", 0) != 0 || n.real("alpha", 1) != 1 || n.real("beta", 1) != 1)) return {};
        const std::size_t channel_axis = is_conv || turned ? 0 : 1;
        const index_t channels = weights->shape()[channel_axis];
        if (!w->is_per_tensor() &&
            (static_cast<index_t>(w->scales.size()) != channels || weights->shape().axis(w->axis) != channel_axis))
            return {};
        auto bias = bias_of(n, *x, *w, channels);
        if (!bias) return {};
        return quantized_layer{std::move(*x), std::move(*w),    turned,
                               channels,      std::move(*bias), ending_of(n.outputs[0])};
    }

private:
    [[nodiscard]] std::optional<quantization> find_dequantized(const node& n, std::size_t i) const {
        return n.has_input(i) ? dequantized(g_, index_, n.inputs[i]) : std::nullopt;
    }

    /// An int32 bias for `channels` results, "" for none, or nothing if it is of another kind.
    [[nodiscard]] std::optional<std::string> bias_of(const node& n, const quantization& x, const quantization& w,
                                                     index_t channels) const {
        if (!n.has_input(2)) return "";
        const auto b = find_dequantized(n, 2);
        const any_tensor* values = b ? g_.find_initializer(b->integers) : nullptr;
        if (values == nullptr || !values->is<std::int32_t>() || values->size() != channels ||
            values->shape().back() != channels)
            return {};
        for (index_t i = 0; i < channels; ++i) {
            const float sums = x.scales[0] * w.scale_of(i);
            if (b->zero_of(i) != 0 || std::abs(b->scale_of(i) - sums) > 1e-5f * sums) return {};
        }
        return b->integers;
    }

    const graph& g_;
    graph_index index_;
};

}  // namespace edge::nn::detail
