// SPDX-License-Identifier: MIT
#pragma once

/// @file The two ways in which ONNX files say that a model is quantized, and from one to the other.
///
///     auto pairs = edge::nn::to_qdq(model);             // QuantizeLinear and DequantizeLinear around float operators
///     auto layers = edge::nn::to_qoperator(model);      // QLinearConv, QLinearMatMul, com.microsoft.QLinearAdd …
///
/// Sessions read both, and compute the same: what the integers mean is the same. ONNX Runtime's tools write both; nodes of
/// the domain com.microsoft are its own, as its documentation of contributed operators describes them.

#include <edge/nn/graph.hpp>

namespace edge::nn {

/// With pairs of QuantizeLinear and DequantizeLinear in place of operators of integers. Others stay.
/// @throws argument_error  as `graph::sort`
[[nodiscard]] graph to_qdq(graph g);

/// With operators of integers where a layer stands between DequantizeLinear and QuantizeLinear: QLinearConv, QLinearMatMul,
/// and of the domain com.microsoft QGemm, QLinearAdd, QLinearGlobalAveragePool and QLinearAveragePool. What is not such a
/// layer keeps its pairs.
/// @throws argument_error  as `graph::sort`
[[nodiscard]] graph to_qoperator(graph g);

}  // namespace edge::nn

#include <edge/nn/detail/engine.hpp>
#if EDGE_NN_HAS_ENGINE
#include <edge/nn/detail/quantized_patterns.hpp>
#include <edge/nn/passes/fold_constants.hpp>
#include <edge/nn/passes/quantized_values.hpp>

namespace edge::nn {

namespace detail {

inline constexpr std::string_view contributed_domain = "com.microsoft";

/// Which operators of integers become pairs: all, those whose other inputs are constant (the ones that layers are made
/// of), or those that are not ONNX's own.
enum class qdq_scope : std::uint8_t { all, constant, contributed };

/// Puts pairs around the operator that a node of integers stands for.
class qdq_rewrite {
public:
    explicit qdq_rewrite(graph& g, qdq_scope scope = qdq_scope::all) : g_(g), scope_(scope) {}

    void run() {
        const std::size_t count = g_.nodes.size();  // those that come new are at the end
        for (std::size_t i = 0; i < count; ++i)
            if (auto last = rewrite(node(g_.nodes[i]))) g_.nodes[i] = std::move(*last);
        if (g_.nodes.size() == count) return;
        g_.sort();
        g_.remove_unused();
    }

private:
    /// The node that gives what `n` did, with others in front of it.
    std::optional<node> rewrite(const node& n) {
        if (n.outputs.size() != 1 || (!n.domain.empty() && n.domain != contributed_domain)) return {};
        const bool is_own = n.domain == contributed_domain;
        if (!is_own && (scope_ == qdq_scope::contributed || (scope_ == qdq_scope::constant && !is_constant(n))))
            return {};
        // Inputs in threes: integers, scale, zero point.
        if (!is_own && n.op_type == "QLinearConv" && n.inputs.size() >= 8) return convolution(n);
        if (!is_own && n.op_type == "QLinearMatMul" && n.inputs.size() == 8)
            return quantized(n, "MatMul", {dequantize(n, 0), dequantize(n, 3)}, 6, {});
        if (!is_own) return {};
        if ((n.op_type == "QLinearAdd" || n.op_type == "QLinearMul") && n.inputs.size() >= 7)
            return quantized(n, n.op_type.substr(7), {dequantize(n, 0), dequantize(n, 3)}, 6, {});
        if (n.op_type == "QGemm" && n.inputs.size() >= 6) return gemm(n);
        if (n.op_type == "QLinearConcat" && n.inputs.size() >= 5 && n.inputs.size() % 3 == 2) {
            std::vector<std::string> parts;
            for (std::size_t i = 2; i < n.inputs.size(); i += 3) parts.push_back(dequantize(n, i));
            return quantized(n, "Concat", std::move(parts), 0, n.attributes);
        }
        if (!is_unary(n) || n.inputs.size() < 4 || n.integer("channels_last", 0) != 0) return {};
        attributes kept = n.attributes;
        kept.erase("channels_last");
        return quantized(n, n.op_type.substr(7), {dequantize(n, 0)}, 3, std::move(kept));
    }

    /// All inputs but the first.
    [[nodiscard]] bool is_constant(const node& n) const {
        return n.inputs.size() > 1 && std::all_of(n.inputs.begin() + 1, n.inputs.end(), [&](const std::string& id) {
                   return id.empty() || g_.find_initializer(id) != nullptr;
               });
    }

    static bool is_unary(const node& n) {
        for (const char* one : {"QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearSigmoid", "QLinearLeakyRelu"})
            if (n.op_type == one) return true;
        return false;
    }

    /// @param axis  that scales lie along where there are several
    std::string dequantize(const node& n, std::size_t i, std::int64_t axis = -1) {
        const any_tensor* scale = g_.find_initializer(n.inputs[i + 1]);
        node d{"DequantizeLinear", "", {n.inputs[i], n.inputs[i + 1]}, {}};
        if (n.has_input(i + 2)) d.inputs.push_back(n.inputs[i + 2]);
        if (scale != nullptr && scale->size() > 1) d.attributes.emplace("axis", axis);
        return put(std::move(d), n.inputs[i] + "_dequantized");
    }

    std::string put(node made, const std::string& wish) {
        std::string id = g_.fresh_name(wish);
        made.name = id;
        made.outputs = {id};
        g_.nodes.push_back(std::move(made));
        return id;
    }

    /// A float operator, quantized by the scale that is an input of `n`, and the zero point behind it.
    node quantized(const node& n, const std::string& op_type, std::vector<std::string> inputs, std::size_t scale,
                   attributes kept) {
        const std::string real = put({op_type, "", std::move(inputs), {}, std::move(kept)}, n.outputs[0] + "_real");
        node q{"QuantizeLinear", n.name, {real, n.inputs[scale]}, n.outputs};
        if (n.has_input(scale + 1)) q.inputs.push_back(n.inputs[scale + 1]);
        return q;
    }

    /// A bias of scale x_scale · w_scale, or "" where one of them is not constant.
    std::string dequantize_bias(const node& n, std::size_t bias, std::size_t x_scale, std::size_t w_scale) {
        const any_tensor* x = g_.find_initializer(n.inputs[x_scale]);
        const any_tensor* w = g_.find_initializer(n.inputs[w_scale]);
        if (x == nullptr || w == nullptr || !x->is<float>() || !w->is<float>() || x->size() != 1) return "";
        const bool one = w->size() == 1;
        tensor<float> scales(one ? edge::shape{} : edge::shape{w->size()});
        for (index_t i = 0; i < w->size(); ++i) scales.data()[i] = x->as<float>().data()[0] * w->as<float>().data()[i];
        const std::string scale = g_.constant(n.inputs[bias] + "_scale", std::move(scales));
        node d{"DequantizeLinear", "", {n.inputs[bias], scale}, {}};
        if (!one) d.attributes.emplace("axis", 0);
        return put(std::move(d), n.inputs[bias] + "_dequantized");
    }

    std::optional<node> convolution(const node& n) {
        std::vector<std::string> inputs{dequantize(n, 0), dequantize(n, 3, 0)};
        if (n.has_input(8)) inputs.push_back(dequantize_bias(n, 8, 1, 4));
        if (inputs.back().empty()) return {};
        return quantized(n, "Conv", std::move(inputs), 6, n.attributes);
    }

    /// Without scale and zero point of a result, the result is real.
    std::optional<node> gemm(const node& n) {
        std::vector<std::string> inputs{dequantize(n, 0), dequantize(n, 3, n.integer("transB", 0) != 0 ? 0 : 1)};
        if (n.has_input(6)) inputs.push_back(dequantize_bias(n, 6, 1, 4));
        if (inputs.back().empty()) return {};
        if (n.has_input(7)) return quantized(n, "Gemm", std::move(inputs), 7, n.attributes);
        return node{"Gemm", n.name, std::move(inputs), n.outputs, n.attributes};
    }

    graph& g_;
    qdq_scope scope_;
};

/// Takes pairs away around layers.
class qoperator_rewrite {
public:
    explicit qoperator_rewrite(graph& g) : g_(g), patterns_(g) {}

    void run() {
        const std::size_t count = g_.nodes.size();
        for (std::size_t i = 0; i < count; ++i) {
            const node n = g_.nodes[i];
            if (!n.domain.empty() || n.outputs.size() != 1 || !n.has_output(0) || !n.has_input(0)) continue;
            layer(i, n);
            if (n.op_type == "Add") sum(n);
            if (n.op_type == "GlobalAveragePool" || n.op_type == "AveragePool") average(n);
        }
        g_.sort();
        g_.remove_unused();
    }

private:
    /// @return  the zero point's name, that of a new constant where there is none
    std::string zero_of(const quantization& q) {
        if (!q.zero.empty()) return q.zero;
        return q.type == dtype::i8 ? g_.constant("zero_point", tensor<std::int8_t>(edge::shape{}))
                                   : g_.constant("zero_point", tensor<std::uint8_t>(edge::shape{}));
    }

    void layer(std::size_t at, const node& n) {
        const auto found = patterns_.layer_at(n);
        if (!found || (!found->end && n.op_type != "Gemm")) return;
        const bool is_conv = n.op_type == "Conv";
        node made{is_conv ? "QLinearConv" : "QGemm", n.name, {}, n.outputs, n.attributes,
                  is_conv ? "" : "com.microsoft"};
        for (const quantization* q : {&found->x, &found->w})
            made.inputs.insert(made.inputs.end(), {q->integers, q->scale, zero_of(*q)});
        if (n.op_type == "MatMul") {
            if (!found->bias.empty() || !found->w.is_per_tensor()) return;
            made.op_type = "QLinearMatMul";
            made.domain = "";
        } else if (!is_conv) {
            made.inputs.push_back(found->bias);
            made.attributes.erase("beta");
        }
        if (found->end) {
            made.inputs.insert(made.inputs.end(), {found->end->y.scale, found->end->y.zero});
            if (is_conv && !found->bias.empty()) made.inputs.push_back(found->bias);
            return put(*found->end, std::move(made));
        }
        g_.nodes[at] = std::move(made);
    }

    void sum(const node& n) {
        const auto a = patterns_.activation_at(n, 0);
        const auto b = patterns_.activation_at(n, 1);
        const auto end = a && b ? patterns_.ending_of(n.outputs[0]) : std::nullopt;
        if (!end || a->type != end->y.type || b->type != end->y.type) return;
        put(*end, {"QLinearAdd",
                   n.name,
                   {a->integers, a->scale, zero_of(*a), b->integers, b->scale, zero_of(*b), end->y.scale, end->y.zero},
                   {},
                   {},
                   std::string(contributed_domain)});
    }

    void average(const node& n) {
        const auto x = patterns_.activation_at(n, 0);
        const auto end = x ? patterns_.ending_of(n.outputs[0]) : std::nullopt;
        if (!end || x->type != end->y.type) return;
        put(*end, {"QLinear" + n.op_type,
                   n.name,
                   {x->integers, x->scale, zero_of(*x), end->y.scale, end->y.zero},
                   {},
                   n.attributes,
                   std::string(contributed_domain)});
    }

    /// Lets `made` give what a QuantizeLinear gave; a Clip of integers is put behind where one was not the type's own.
    void put(const quantized_end& end, node made) {
        node& last = g_.nodes[end.quantize];
        made.outputs = {last.outputs[0]};
        if (end.range == end.all()) {
            last = std::move(made);
            return;
        }
        made.outputs = {g_.fresh_name(last.outputs[0] + "_unclipped")};
        last = integer_clip(g_, made.outputs[0], end, last.outputs[0]);
        g_.nodes.push_back(std::move(made));
    }

    graph& g_;
    quantized_patterns patterns_;
};

}  // namespace detail

EDGE_NN_FUNCTION graph to_qdq(graph g) {
    detail::qdq_rewrite(g).run();
    return g;
}

EDGE_NN_FUNCTION graph to_qoperator(graph g) {
    g.sort();
    fold_constants(g, {.quantization = false});
    unify_quantized_values(g);
    detail::qoperator_rewrite(g).run();
    return g;
}

}  // namespace edge::nn
#endif
