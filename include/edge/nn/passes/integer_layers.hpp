// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs quantized models in integers: DequantizeLinear → layer → QuantizeLinear becomes one integer layer.
///
/// A file says with pairs of QuantizeLinear and DequantizeLinear which values are 8 bits wide; read literally, its
/// layers compute in float. Here convolutions, sums and averages of uint8 images become the integer nodes of
/// detail/pixel_nodes.hpp, and Gemm and MatMul `edge.QLinearGemm`: exact int32 sums, one rounding. ReLU and Clip between
/// a layer and its QuantizeLinear go into the range of the integers. Convolutions of another rank, or with zero points of
/// weights, become QLinearConv. A layer stays as it is where something is not constant, or its bias is not int32 of scale
/// x_scale · w_scale.

#include <edge/nn/detail/pixel_nodes.hpp>
#include <edge/nn/detail/quantized_patterns.hpp>
#include <edge/nn/passes/quantized_values.hpp>

namespace edge::nn {

namespace detail {

class integer_rewrite {
public:
    explicit integer_rewrite(graph& g) : g_(g), patterns_(g) {}

    void run() {
        const std::size_t count = g_.nodes.size();  // those that come new are at the end
        for (std::size_t i = 0; i < count; ++i) {
            const node n = g_.nodes[i];
            if (!n.domain.empty() || n.outputs.size() != 1 || !n.has_output(0) || !n.has_input(0)) continue;
            layer(i, n);
            if (n.op_type == "Add") sum(n);
            if (n.op_type == "GlobalAveragePool" || n.op_type == "AveragePool") average(n);
            if (n.op_type == "ReduceMean") average(n);
        }
        g_.sort();
        g_.remove_unused();
    }

private:
    /// Lets `made` give what a QuantizeLinear gave.
    void put(const quantized_end& end, node made) {
        node& last = g_.nodes[end.quantize];
        made.outputs = {last.outputs[0]};
        last = std::move(made);
    }

    void layer(std::size_t at, const node& n) {
        auto found = patterns_.layer_at(n);
        if (!found) return;
        const bool is_conv = n.op_type == "Conv";
        const quantization& x = found->x;
        const auto& end = found->end;
        const std::string& bias = found->bias;
        quantization& w = found->w;
        if (is_conv && !end) return;  // QLinearConv has no float results
        if (is_conv && integer_conv(n, *found)) return;
        if (const std::string centred = is_conv ? "" : centred_weights(w); !centred.empty() && w.type == dtype::u8) {
            w.integers = centred;
            w.type = dtype::i8;
            w.zero.clear();
        }
        if (w.zero.empty())
            w.zero = w.type == dtype::i8 ? g_.constant("zero_point", tensor<std::int8_t>(edge::shape{}))
                                         : g_.constant("zero_point", tensor<std::uint8_t>(edge::shape{}));

        node made{is_conv ? "QLinearConv" : "QLinearGemm",
                  n.name,
                  {x.integers, x.scale, x.zero, w.integers, w.scale, w.zero, end ? end->y.scale : "",
                   end ? end->y.zero : "", bias},
                  {n.outputs[0]},
                  {},
                  is_conv ? "" : "edge"};
        if (is_conv) made.attributes = n.attributes;
        if (found->turned) made.attributes.emplace("transB", 1);
        if (!end) {
            g_.nodes[at] = std::move(made);
            return;
        }
        if (end->range == end->all()) {
            put(*end, std::move(made));
            return;
        }
        made.outputs = {g_.fresh_name(n.outputs[0] + "_integers")};
        node& last = g_.nodes[end->quantize];
        last = integer_clip(g_, made.outputs[0], *end, last.outputs[0]);
        g_.nodes.push_back(std::move(made));
    }

    /// Weights whose zero points are in the middle of their type, as int8; "" for others.
    [[nodiscard]] std::string centred_weights(const quantization& w) {
        const std::int32_t middle = w.type == dtype::u8 ? 128 : 0;
        if (std::any_of(w.zeros.begin(), w.zeros.end(), [&](std::int32_t z) { return z != middle; })) return "";
        if (w.type == dtype::i8) return w.integers;
        const tensor<std::uint8_t>& from = g_.find_initializer(w.integers)->as<std::uint8_t>();
        tensor<std::int8_t> to(from.shape());
        for (index_t i = 0; i < from.size(); ++i) to.data()[i] = static_cast<std::int8_t>(int{from.data()[i]} - middle);
        return g_.constant(w.integers + "_int8", std::move(to));
    }

    /// A convolution of images by the kernels of nn/integer, if it is one.
    bool integer_conv(const node& n, const quantized_layer& found) {
        const quantization& x = found.x;
        const quantization& w = found.w;
        const quantized_end& end = *found.end;
        const edge::shape weights = g_.find_initializer(w.integers)->shape();
        if (x.type != dtype::u8 || end.y.type != dtype::u8 || weights.rank() != 4 || weights.size() == 0) return false;
        tensor<float> multipliers({weights[0]});
        for (index_t i = 0; i < weights[0]; ++i) {
            const float m = x.scales[0] * w.scale_of(i) / end.y.scales[0];
            if (!(m > 0) || !std::isfinite(m)) return false;
            multipliers[i] = m;
        }
        const std::string centred = centred_weights(w);
        if (centred.empty()) return false;
        node made{"QConv", n.name, {x.integers, centred, found.bias}, {}, n.attributes, "edge"};
        made.inputs.push_back(g_.constant(n.outputs[0] + "_multipliers", std::move(multipliers)));
        made.attributes.insert_or_assign("x_zero", std::int64_t{x.zeros[0]});
        set_byte_end(made, "", {{}, end.y.zeros[0], end.range});
        images_.insert(x.integers);
        images_.insert(end.y.integers);
        put(end, std::move(made));
        return true;
    }

    void sum(const node& n) {
        const auto a = patterns_.activation_at(n, 0);
        const auto b = patterns_.activation_at(n, 1);
        const auto end = a && b ? patterns_.ending_of(n.outputs[0]) : std::nullopt;
        if (!end || a->type != dtype::u8 || b->type != dtype::u8 || end->y.type != dtype::u8) return;
        const integer::byte_sum rule{.x_scale = a->scales[0] / end->y.scales[0],
                                     .other_scale = b->scales[0] / end->y.scales[0],
                                     .x_zero = a->zeros[0],
                                     .other_zero = b->zeros[0],
                                     .zero_point = end->y.zeros[0],
                                     .range = end->range};
        if (!std::isfinite(rule.x_scale) || !std::isfinite(rule.other_scale)) return;
        if (images_.count(a->integers) != 0 || images_.count(b->integers) != 0) images_.insert(end->y.integers);
        node made{"QAdd", n.name, {a->integers, b->integers}, {}, {}, "edge"};
        set_byte_sum(made, rule);
        put(*end, std::move(made));
    }

    void average(const node& n) {
        const auto x = patterns_.activation_at(n, 0);
        const auto end = x && images_.count(x->integers) != 0 ? patterns_.ending_of(n.outputs[0]) : std::nullopt;
        if (!end || x->type != dtype::u8 || end->y.type != dtype::u8) return;
        node made{"Q" + n.op_type, n.name, {x->integers}, {}, n.attributes, "edge"};
        if (n.op_type == "AveragePool" && (n.integers("kernel_shape").size() != 2 || n.integer("ceil_mode", 0) != 0))
            return;
        if (n.op_type == "ReduceMean") {
            if (!is_spatial_mean(g_, n)) return;
            made.op_type = "QGlobalAveragePool";
            made.attributes = {{"keepdims", n.integer("keepdims", 1)}};
        }
        made.attributes.insert_or_assign("x_zero", std::int64_t{x->zeros[0]});
        made.attributes.insert_or_assign("x_scale", x->scales[0]);
        made.attributes.insert_or_assign("y_scale", end->y.scales[0]);
        set_byte_end(made, "", {{}, end->y.zeros[0], end->range});
        images_.insert(end->y.integers);
        put(*end, std::move(made));
    }

    graph& g_;
    quantized_patterns patterns_;
    std::set<std::string, std::less<>> images_;  ///< integers that are known to be [n, c, h, w]
};

}  // namespace detail

/// Makes integer layers of what can be one. Graphs without quantized values stay as they are. The nodes must be sorted.
/// @throws argument_error  as `graph::sort`
inline void use_integer_layers(graph& g) {
    const bool is_quantized =
        std::any_of(g.nodes.begin(), g.nodes.end(), [](const node& n) { return n.op_type == "DequantizeLinear"; });
    if (!is_quantized) return;
    unify_quantized_values(g);
    detail::integer_rewrite(g).run();
}

}  // namespace edge::nn
