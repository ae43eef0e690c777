// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs quantized models in integers: DequantizeLinear → layer → QuantizeLinear becomes one integer layer.
///
///     edge::nn::use_integer_layers(graph);     // what a session does with a model before it runs it
///
/// A file says with pairs of QuantizeLinear and DequantizeLinear which values are 8 bits wide; read literally, its
/// layers compute in float. Here Conv becomes QLinearConv, and Gemm and MatMul become `edge.QLinearGemm`: exact int32
/// sums, one rounding. ReLU and Clip between a layer and its QuantizeLinear go into the range of the integers. A layer
/// stays as it is where something is not constant, or its bias is not int32 of scale x_scale · w_scale.

#include <edge/nn/graph.hpp>
#include <edge/quant/quantize.hpp>

#include <optional>

namespace edge::nn {

namespace detail {

/// The constants of a QuantizeLinear or DequantizeLinear, and the value on its integer side.
struct quantization {
    std::string integers;
    std::string scale, zero;
    dtype type{};
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;
    index_t axis = 1;

    [[nodiscard]] quant::parameters one() const { return {scales[0], zeros[0]}; }
};

class integer_rewrite {
public:
    explicit integer_rewrite(graph& g) : g_(g) {}

    void run() {
        const std::size_t count = g_.nodes.size();  // those that come new are at the end
        for (std::size_t i = 0; i < count; ++i) {
            const node n = g_.nodes[i];
            if (!n.domain.empty()) continue;
            if (n.op_type == "Conv" || n.op_type == "Gemm" || n.op_type == "MatMul") rewrite(i, n);
        }
        g_.sort();
        g_.remove_unused();
    }

private:
    /// What a value is quantized with, if the constants of `n` are known.
    [[nodiscard]] std::optional<quantization> constants_of(const node& n, const std::string& integers) const {
        const any_tensor* scale = n.has_input(1) ? g_.find_initializer(n.inputs[1]) : nullptr;
        const any_tensor* zero = n.has_input(2) ? g_.find_initializer(n.inputs[2]) : nullptr;
        if (!n.domain.empty() || n.has("block_size") || scale == nullptr || !scale->is<float>()) return {};
        if (n.has_input(2) && (zero == nullptr || zero->size() != scale->size())) return {};
        quantization q;
        q.integers = integers;
        q.scale = n.inputs[1];
        q.zero = zero != nullptr ? n.inputs[2] : "";
        const auto scales = scale->as<float>().flat();
        q.scales.assign(scales.begin(), scales.end());
        q.zeros.assign(scales.size(), 0);
        const any_tensor* constant = g_.find_initializer(integers);
        q.type = zero != nullptr ? zero->dtype() : constant != nullptr ? constant->dtype() : dtype::u8;
        if (q.scales.empty() || (q.type != dtype::u8 && q.type != dtype::i8 && q.type != dtype::i32)) return {};
        if (zero != nullptr)
            for (std::size_t i = 0; i < q.zeros.size(); ++i)
                q.zeros[i] = q.type == dtype::u8   ? zero->as<std::uint8_t>().data()[i]
                             : q.type == dtype::i8 ? zero->as<std::int8_t>().data()[i]
                                                   : zero->as<std::int32_t>().data()[i];
        q.axis = static_cast<index_t>(n.integer("axis", 1));
        return q;
    }

    [[nodiscard]] std::optional<quantization> dequantized(const std::string& value) const {
        const node* d = g_.producer(value);
        if (d == nullptr || d->op_type != "DequantizeLinear") return {};
        return constants_of(*d, d->inputs[0]);
    }

    [[nodiscard]] static bool is_byte(dtype t) { return t == dtype::u8 || t == dtype::i8; }

    /// An int32 bias for `channels` results, "" for none, or nothing if it is of another kind.
    [[nodiscard]] std::optional<std::string> bias_of(const node& n, const quantization& x, const quantization& w,
                                                     index_t channels) {
        if (!n.has_input(2)) return "";
        const auto b = dequantized(n.inputs[2]);
        const any_tensor* values = b ? g_.find_initializer(b->integers) : nullptr;
        if (values == nullptr || !values->is<std::int32_t>() || values->size() != channels ||
            values->shape().back() != channels)
            return {};
        for (index_t i = 0; i < channels; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const float own = b->scales[b->scales.size() == 1 ? 0 : at];
            const float sums = x.scales[0] * w.scales[w.scales.size() == 1 ? 0 : at];
            if (b->zeros[b->zeros.size() == 1 ? 0 : at] != 0 || std::abs(own - sums) > 1e-5f * sums) return {};
        }
        return b->integers;
    }

    /// The QuantizeLinear behind a value that nothing else reads, and the integers that pass what lies between.
    struct ending {
        std::size_t quantize;  ///< position in the nodes
        quantization y;
        quant::limits range;
    };
    [[nodiscard]] std::optional<ending> ending_of(std::string value) const {
        float low = -std::numeric_limits<float>::infinity();
        float high = std::numeric_limits<float>::infinity();
        for (;;) {
            const auto readers = g_.consumers(value);
            if (readers.size() != 1 || g_.is_output(value)) return {};
            const node& n = g_.nodes[readers[0]];
            if (!n.domain.empty() || n.inputs[0] != value) return {};
            if (n.op_type == "QuantizeLinear") {
                auto y = constants_of(n, n.outputs[0]);
                if (!y || y->scales.size() != 1 || y->zero.empty() || !is_byte(y->type)) return {};
                const quant::limits all =
                    y->type == dtype::u8 ? quant::limits_of<std::uint8_t> : quant::limits_of<std::int8_t>;
                // Quantization is monotonic, so limits may be applied after it.
                const auto limit = [&](float v) {
                    return y->type == dtype::u8 ? int{quant::quantize_one<std::uint8_t>(v, y->one(), all)}
                                                : int{quant::quantize_one<std::int8_t>(v, y->one(), all)};
                };
                const quant::limits range{limit(low), limit(high)};
                return ending{readers[0], std::move(*y), range};
            }
            if (n.op_type == "Relu") {
                low = (std::max)(low, 0.0f);
                high = (std::max)(high, 0.0f);
            } else if (n.op_type == "Clip" && n.attributes.empty()) {
                for (const std::size_t i : {1U, 2U}) {
                    if (!n.has_input(i)) continue;
                    const any_tensor* bound = g_.find_initializer(n.inputs[i]);
                    if (bound == nullptr || !bound->is<float>() || bound->size() != 1) return {};
                    const float v = bound->as<float>()[0];
                    if (!(v == v)) return {};
                    low = i == 1 ? (std::max)(low, v) : (std::min)(low, v);
                    high = i == 1 ? (std::max)(high, v) : (std::min)(high, v);
                }
            } else {
                return {};
            }
            value = n.outputs[0];
        }
    }

    void rewrite(std::size_t at, const node& n) {
        const bool is_conv = n.op_type == "Conv";
        const bool is_gemm = n.op_type == "Gemm";
        if (n.inputs.size() < 2 || n.outputs.size() != 1) return;
        const auto x = dequantized(n.inputs[0]);
        auto w = dequantized(n.inputs[1]);
        const any_tensor* weights = w ? g_.find_initializer(w->integers) : nullptr;
        if (!x || x->scales.size() != 1 || x->zero.empty() || !is_byte(x->type) || weights == nullptr ||
            !is_byte(weights->dtype()) || (is_conv ? weights->shape().rank() < 3 : weights->shape().rank() != 2))
            return;
        const bool turned = is_gemm && n.integer("transB", 0) != 0;
        if (is_gemm && (n.integer("transA", 0) != 0 || n.real("alpha", 1) != 1 || n.real("beta", 1) != 1)) return;
        const std::size_t channel_axis = is_conv || turned ? 0 : 1;
        const index_t channels = weights->shape()[channel_axis];
        if (w->scales.size() != 1 &&
            (static_cast<index_t>(w->scales.size()) != channels || weights->shape().axis(w->axis) != channel_axis))
            return;
        const auto bias = bias_of(n, *x, *w, channels);
        if (!bias) return;
        const auto end = ending_of(n.outputs[0]);
        if (is_conv && !end) return;  // QLinearConv has no float results
        if (w->zero.empty())
            w->zero = weights->dtype() == dtype::i8 ? g_.constant("zero_point", tensor<std::int8_t>(edge::shape{}))
                                                    : g_.constant("zero_point", tensor<std::uint8_t>(edge::shape{}));

        node made{is_conv ? "QLinearConv" : "QLinearGemm",
                  n.name,
                  {x->integers, x->scale, x->zero, w->integers, w->scale, w->zero, end ? end->y.scale : "",
                   end ? end->y.zero : "", *bias},
                  {n.outputs[0]},
                  {},
                  is_conv ? "" : "edge"};
        if (is_conv) made.attributes = n.attributes;
        if (turned) made.attributes.emplace("transB", 1);
        if (!end) {
            g_.nodes[at] = std::move(made);
            return;
        }
        node& last = g_.nodes[end->quantize];
        const quant::limits all =
            end->y.type == dtype::u8 ? quant::limits_of<std::uint8_t> : quant::limits_of<std::int8_t>;
        made.outputs = {last.outputs[0]};
        if (end->range == all) {
            last = std::move(made);
            return;
        }
        const std::string sums = g_.fresh_name(n.outputs[0] + "_integers");
        made.outputs = {sums};
        const auto bound = [&](int v) {
            return end->y.type == dtype::u8
                       ? g_.constant("bound", tensor<std::uint8_t>(edge::shape{}, static_cast<std::uint8_t>(v)))
                       : g_.constant("bound", tensor<std::int8_t>(edge::shape{}, static_cast<std::int8_t>(v)));
        };
        last = node{"Clip", last.name, {sums, bound(end->range.low), bound(end->range.high)}, last.outputs};
        g_.nodes.push_back(std::move(made));
    }

    graph& g_;
};

}  // namespace detail

/// Makes integer layers of what can be one. Graphs without quantized values stay as they are. O(nodes²).
/// @throws argument_error  as `graph::sort`
inline void use_integer_layers(graph& g) {
    const bool is_quantized =
        std::any_of(g.nodes.begin(), g.nodes.end(), [](const node& n) { return n.op_type == "DequantizeLinear"; });
    if (is_quantized) detail::integer_rewrite(g).run();
}

}  // namespace edge::nn
