// SPDX-License-Identifier: MIT
#pragma once

/// @file The layers of [n, h, w, c] that passes make: detail/pixel_nodes.hpp says what they are.

#include <edge/nn/detail/pixel_nodes.hpp>
#include <edge/nn/integer/pool.hpp>
#include <edge/nn/inverted_residual.hpp>
#include <edge/nn/operators/conv.hpp>
#include <edge/nn/pool.hpp>

namespace edge::nn::operators {

namespace detail {

/// [n, h, w, c] as ONNX has it.
inline edge::shape planes_of(const edge::shape& x) {
    if (x.rank() != 4) throw shape_error(message("input of shape ", x, "; expected [n, h, w, c]"));
    return {x[0], x[3], x[1], x[2]};
}

inline const edge::shape& weights_shape(const preparation& p, std::size_t i) {
    if (p.shape(i).rank() != 4) throw shape_error(message("weights of shape ", p.shape(i), "; expected [o, c, h, w]"));
    return p.shape(i);
}

/// The convolution of an [n, c, h, w] by the weights of input `weights`, with the window of the node.
inline convolution pixel_convolution(const preparation& p, const edge::shape& x, std::size_t weights, index_t groups) {
    const edge::shape& w = weights_shape(p, weights);
    const std::vector<std::int64_t> kernel{w[2], w[3]};
    if (p.node().integers("kernel_shape", kernel) != kernel)
        throw shape_error(message("kernel_shape is not that of the weights, ", w));
    const auto around = window_of(p, x, kernel);
    return convolution_of({x[0], x[2], x[3], x[1]}, {w[2], w[3], w[1], w[0]}, window_from(around), groups);
}

inline const float* bias_of(const preparation& p, std::size_t i, index_t channels) {
    if (!p.has(i)) return nullptr;
    if (p.shape(i).size() != channels)
        throw shape_error(message("bias of shape ", p.shape(i), "; expected ", channels));
    return p.constant<float>(i);
}

inline const float* weights_of(const preparation& p, std::size_t i) {
    const float* w = p.constant<float>(i);
    if (w == nullptr) throw argument_error(message("input ", i, " is no constant of float"));
    return w;
}

inline void need_floats(const preparation& p) {
    if (p.type(0) != dtype::f32) throw unsupported_error(message("elements of ", p.type(0), " are not supported"));
}

inline kernel pixel_conv(preparation& p) {
    need_floats(p);
    const bool planar = p.node().integer("planar", 0) != 0;
    const edge::shape x = planar ? p.shape(0) : planes_of(p.shape(0));
    const convolution g = pixel_convolution(p, x, 1, static_cast<index_t>(p.node().integer("group", 1)));
    p.output(0, dtype::f32, g.output());
    p.count_macs(g.output().size() * g.group_in() * g.window.kernel_h * g.window.kernel_w);
    if (p.has(3) && p.shape(3) != g.output()) throw shape_error(message("residual of shape ", p.shape(3)));
    using layer_type = conv_layer<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] {
        return layer_type(weights_of(p, 1), bias_of(p, 2, g.out_c), g.in_c, g.out_c, g.groups, g.window,
                          nn::detail::activation_of(p.node()));
    });
    if (planar && !layer->takes_planes()) throw argument_error("planes are not for depthwise weights");
    p.scratch(planar ? layer->planes_scratch_bytes(g, p.threads()) : layer->scratch_bytes(g, p.threads()));
    return [layer, g, planar, has_residual = p.has(3), threads = p.threads()](const arguments& a) {
        const float* residual = has_residual ? a.input<float>(3) : nullptr;
        if (planar)
            layer->run_planes(a.input<float>(0), residual, a.output<float>(0), g, a.scratch, threads);
        else
            layer->run(a.input<float>(0), residual, a.output<float>(0), g, a.scratch, threads);
    };
}

/// An inverted residual block: input 0 is x, then come the constants of three layers, so many of each, weights first, then
/// the residual. Says what the output is and costs.
struct block_shapes {
    edge::shape x;  ///< as ONNX has it
    bool expands;
    index_t hidden, outputs;
    std::size_t depthwise, project, residual;  ///< inputs
    nn::window window;

    block_shapes(preparation& p, std::size_t constants)
        : x(planes_of(p.shape(0))),
          expands(p.has(1)),
          hidden(weights_shape(p, 1 + constants)[0]),
          outputs(weights_shape(p, 1 + 2 * constants)[0]),
          depthwise(1 + constants),
          project(1 + 2 * constants),
          residual(1 + 3 * constants) {
        const convolution g = pixel_convolution(p, {x[0], hidden, x[2], x[3]}, depthwise, hidden);
        window = g.window;
        const edge::shape y{x[0], g.out_h, g.out_w, outputs};
        const edge::shape expand = expands ? weights_shape(p, 1) : edge::shape{hidden, x[1], 1, 1};
        if (expand != edge::shape{hidden, x[1], 1, 1} || (!expands && x[1] != hidden) ||
            p.shape(project) != edge::shape{outputs, hidden, 1, 1} || p.shape(depthwise)[1] != 1)
            throw shape_error(
                message("input ", p.shape(0), ", weights ", expand, ", ", p.shape(depthwise), ", ", p.shape(project)));
        if (p.has(residual) && p.shape(residual) != y)
            throw shape_error(message("residual of shape ", p.shape(residual), "; expected ", y));
        p.output(0, p.type(0), y);
        p.count_macs((expands ? x[0] * x[1] * x[2] * x[3] * hidden : 0) +
                     x[0] * g.out_h * g.out_w * hidden * (window.kernel_h * window.kernel_w + outputs));
    }
};

/// Runs a block of elements T.
template <class T, class Layer>
kernel block_kernel(const preparation& p, const std::shared_ptr<const Layer>& layer, const block_shapes& shapes) {
    return [layer, x = shapes.x, threads = p.threads(),
            residual = p.has(shapes.residual) ? shapes.residual : 0](const arguments& a) {
        layer->run(a.input<T>(0), residual != 0 ? a.input<T>(residual) : nullptr, a.output<T>(0), x[0], x[2], x[3],
                   a.scratch, threads);
    };
}

inline kernel inverted_residual_block(preparation& p) {
    need_floats(p);
    const block_shapes shapes(p, 2);
    using layer_type = inverted_residual<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] {
        using nn::detail::activation_of;
        return layer_type({
            .inputs = shapes.x[1],
            .hidden = shapes.hidden,
            .outputs = shapes.outputs,
            .window = shapes.window,
            .expand = shapes.expands ? weights_of(p, 1) : nullptr,
            .expand_bias = bias_of(p, 2, shapes.hidden),
            .depthwise = weights_of(p, 3),
            .depthwise_bias = bias_of(p, 4, shapes.hidden),
            .project = weights_of(p, 5),
            .project_bias = bias_of(p, 6, shapes.outputs),
            .after_expand = activation_of(p.node(), "expand_"),
            .after_depthwise = activation_of(p.node(), "depthwise_"),
            .after_project = activation_of(p.node(), "project_"),
        });
    });
    p.scratch(static_cast<index_t>(layer->scratch_bytes(shapes.x[2], shapes.x[3], p.threads())));
    return block_kernel<float>(p, layer, shapes);
}

/// Mean of each channel of [n, h, w, c]: [n, 1, 1, c], or [n, c] with keepdims 0.
inline kernel global_average(preparation& p) {
    need_floats(p);
    const edge::shape x = planes_of(p.shape(0));
    if (x[2] * x[3] == 0) throw shape_error(message("nothing to pool in shape ", p.shape(0)));
    p.output(0, dtype::f32,
             p.node().integer("keepdims", 1) != 0 ? edge::shape{x[0], 1, 1, x[1]} : edge::shape{x[0], x[1]});
    return [n = x[0], c = x[1], pixels = x[2] * x[3], threads = p.threads()](const arguments& a) {
        global_average_pool(a.input<float>(0), a.output<float>(0), n, pixels, c, threads);
    };
}

inline kernel pixel_pool(preparation& p, bool is_mean) {
    const window_over around = pool_window(p, planes_of(p.shape(0)));
    const convolution g = pooling_of(p.shape(0), window_from(around));
    const bool counts_padding = p.node().integer("count_include_pad", 0) != 0;
    p.output(0, p.type(0), g.output());
    if (p.type(0) == dtype::u8 && !is_mean)
        return [g, threads = p.threads()](const arguments& a) {
            integer::max_pool(a.input<std::uint8_t>(0), a.output<std::uint8_t>(0), g, threads);
        };
    need_floats(p);
    return [g, is_mean, counts_padding, threads = p.threads()](const arguments& a) {
        if (is_mean)
            average_pool(a.input<float>(0), a.output<float>(0), g, counts_padding, threads);
        else
            max_pool(a.input<float>(0), a.output<float>(0), g, threads);
    };
}

}  // namespace detail

inline constexpr operator_row pixel_layers[] = {
    {"Conv", detail::pixel_conv},
    {"InvertedResidual", detail::inverted_residual_block},
    {"GlobalAveragePool", detail::global_average},
    {"AveragePool", [](preparation& p) { return detail::pixel_pool(p, true); }},
    {"MaxPool", [](preparation& p) { return detail::pixel_pool(p, false); }},
};

}  // namespace edge::nn::operators
