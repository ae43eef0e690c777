// SPDX-License-Identifier: MIT
#pragma once

/// @file The layers of uint8 [n, h, w, c] that passes make: detail/pixel_nodes.hpp says what they are.

#include <edge/nn/detail/broadcast.hpp>
#include <edge/nn/integer/add.hpp>
#include <edge/nn/integer/conv.hpp>
#include <edge/nn/integer/depthwise.hpp>
#include <edge/nn/integer/inverted_residual.hpp>
#include <edge/nn/integer/pool.hpp>
#include <edge/nn/integer/quantize_pixels.hpp>
#include <edge/nn/operators/pixels.hpp>

namespace edge::nn::operators {

namespace detail {

template <class T>
const T* layer_constant(const preparation& p, std::size_t i, index_t size) {
    const T* values = p.constant<T>(i);
    if (values == nullptr || p.shape(i).size() != size)
        throw argument_error(
            message("input ", i, " is ", p.input(i), "; expected ", size, " constants of ", dtype_of<T>));
    return values;
}

/// Of the layer whose multipliers are input `multipliers`.
inline integer::byte_end byte_end_with(const preparation& p, std::size_t multipliers, index_t channels,
                                       std::string_view layer = "") {
    integer::byte_end end = nn::detail::byte_end_of(p.node(), layer);
    const float* values = layer_constant<float>(p, multipliers, channels);
    end.multipliers.assign(values, values + channels);
    return end;
}

inline const std::int32_t* integer_bias(const preparation& p, std::size_t i, index_t channels) {
    return p.has(i) ? layer_constant<std::int32_t>(p, i, channels) : nullptr;
}

inline void need_bytes(const preparation& p) {
    if (p.type(0) != dtype::u8) throw argument_error(message("input is ", p.input(0), "; expected uint8"));
}

inline std::int32_t zero_of(const preparation& p) { return static_cast<std::int32_t>(p.node().integer("x_zero", 0)); }

inline std::optional<integer::byte_sum> residual_rule(const preparation& p, std::size_t residual) {
    return p.has(residual) ? std::optional(nn::detail::byte_sum_of(p.node())) : std::nullopt;
}

inline kernel integer_pixel_conv(preparation& p) {
    need_bytes(p);
    const convolution g =
        pixel_convolution(p, planes_of(p.shape(0)), 1, static_cast<index_t>(p.node().integer("group", 1)));
    p.output(0, dtype::u8, g.output());
    p.count_macs(g.output().size() * g.group_in() * g.window.kernel_h * g.window.kernel_w);
    if (p.has(4) && p.shape(4) != g.output()) throw shape_error(message("residual of shape ", p.shape(4)));
    const auto weights = [&] { return layer_constant<std::int8_t>(p, 1, p.shape(1).size()); };
    if (g.is_depthwise() && !p.has(4)) {
        using layer_type = integer::depthwise_layer<nn::detail::native>;
        const auto layer = p.packed<layer_type>([&] {
            return layer_type(weights(), integer_bias(p, 2, g.out_c), g.out_c, g.window, zero_of(p),
                              byte_end_with(p, 3, g.out_c));
        });
        return [layer, g, threads = p.threads()](const arguments& a) {
            layer->run(a.input<std::uint8_t>(0), a.output<std::uint8_t>(0), g.batch, g.in_h, g.in_w, threads);
        };
    }
    using layer_type = integer::conv_layer<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] {
        return layer_type(weights(), integer_bias(p, 2, g.out_c), zero_of(p), g.in_c, g.out_c, g.groups, g.window,
                          byte_end_with(p, 3, g.out_c), residual_rule(p, 4));
    });
    p.scratch(static_cast<index_t>(layer->scratch_bytes(g, p.threads())));
    return [layer, g, has_residual = p.has(4), threads = p.threads()](const arguments& a) {
        layer->run(a.input<std::uint8_t>(0), has_residual ? a.input<std::uint8_t>(4) : nullptr,
                   a.output<std::uint8_t>(0), g, a.scratch, threads);
    };
}

inline kernel integer_block(preparation& p) {
    need_bytes(p);
    const block_shapes shapes(p, 3);
    using layer_type = integer::inverted_residual<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] {
        integer::inverted_residual_layers layers;
        layers.inputs = shapes.x[1];
        layers.hidden = shapes.hidden;
        layers.outputs = shapes.outputs;
        layers.window = shapes.window;
        layers.x_zero = zero_of(p);
        const auto weights = [&](std::size_t i) { return layer_constant<std::int8_t>(p, i, p.shape(i).size()); };
        if (shapes.expands) {
            layers.expand = weights(1);
            layers.expand_bias = integer_bias(p, 2, shapes.hidden);
            layers.after_expand = byte_end_with(p, 3, shapes.hidden, "expand_");
        }
        layers.depthwise = weights(4);
        layers.depthwise_bias = integer_bias(p, 5, shapes.hidden);
        layers.after_depthwise = byte_end_with(p, 6, shapes.hidden, "depthwise_");
        layers.project = weights(7);
        layers.project_bias = integer_bias(p, 8, shapes.outputs);
        layers.after_project = byte_end_with(p, 9, shapes.outputs, "project_");
        layers.sum = residual_rule(p, 10);
        return layer_type(layers);
    });
    p.scratch(static_cast<index_t>(layer->scratch_bytes(shapes.x[2], shapes.x[3], p.threads())));
    return block_kernel<std::uint8_t>(p, layer, shapes);
}

/// Any layout; shapes as ONNX's Add takes them.
inline kernel integer_add(preparation& p) {
    need_bytes(p);
    need_equal_types(p, 0, 1);
    const integer::byte_sum sum = nn::detail::byte_sum_of(p.node());
    const nn::detail::broadcast<2> plan({p.shape(0), p.shape(1)});
    p.output(0, dtype::u8, plan.result());
    return [=, threads = p.threads()](const arguments& a) {
        plan.rows([&](index_t out, const std::array<index_t, 2>& at, index_t n) {
            const auto* x = a.input<std::uint8_t>(0) + at[0];
            const auto* other = a.input<std::uint8_t>(1) + at[1];
            auto* y = a.output<std::uint8_t>(0) + out;
            if (plan.step(0) == 1 && plan.step(1) == 1) return integer::add(x, other, y, n, sum, threads);
            constexpr index_t some = 256;  // of one element that is added to all
            std::uint8_t one[some], more[some];
            std::memset(one, *x, some);
            std::memset(more, *other, some);
            for (index_t i = 0; i < n; i += some)
                integer::add(plan.step(0) == 0 ? one : x + i, plan.step(1) == 0 ? more : other + i, y + i,
                             (std::min)(some, n - i), sum, 1);
        });
    };
}

inline kernel integer_average(preparation& p, bool is_global) {
    need_bytes(p);
    const edge::shape x = planes_of(p.shape(0));
    const integer::byte_end end = nn::detail::byte_end_of(p.node());
    const integer::byte_mean rule{p.node().real("x_scale", 1), p.node().real("y_scale", 1), zero_of(p), end.zero_point,
                                  end.range};
    if (is_global) {
        if (x[2] * x[3] == 0) throw shape_error(message("nothing to pool in shape ", p.shape(0)));
        p.output(0, dtype::u8,
                 p.node().integer("keepdims", 1) != 0 ? edge::shape{x[0], 1, 1, x[1]} : edge::shape{x[0], x[1]});
        return [rule, n = x[0], c = x[1], pixels = x[2] * x[3], threads = p.threads()](const arguments& a) {
            integer::global_average_pool(a.input<std::uint8_t>(0), a.output<std::uint8_t>(0), n, pixels, c, rule,
                                         threads);
        };
    }
    const convolution g = pooling_of(p.shape(0), window_from(pool_window(p, x)));
    p.output(0, dtype::u8, g.output());
    const bool counts_padding = p.node().integer("count_include_pad", 0) != 0;
    return [=, threads = p.threads()](const arguments& a) {
        integer::average_pool(a.input<std::uint8_t>(0), a.output<std::uint8_t>(0), g, rule, counts_padding, threads);
    };
}

inline kernel quantize_pixels(preparation& p) {
    const edge::shape& x = p.shape(0);
    if (x.rank() != 4) throw shape_error(message("input of shape ", x, "; expected [n, c, h, w]"));
    const quant::parameters by{*layer_constant<float>(p, 1, 1), *layer_constant<std::uint8_t>(p, 2, 1)};
    quant::check(by, quant::limits_of<std::uint8_t>);
    if (p.type(0) != dtype::f32) throw unsupported_error(message("elements of ", p.type(0), " are not supported"));
    p.output(0, dtype::u8, {x[0], x[2], x[3], x[1]});
    return [by, n = x[0], c = x[1], pixels = x[2] * x[3], threads = p.threads()](const arguments& a) {
        integer::quantize_pixels(a.input<float>(0), a.output<std::uint8_t>(0), n, c, pixels, by, threads);
    };
}

}  // namespace detail

inline constexpr operator_row integer_pixel_layers[] = {
    {"QConv", detail::integer_pixel_conv},
    {"QInvertedResidual", detail::integer_block},
    {"QAdd", detail::integer_add},
    {"QAveragePool", [](preparation& p) { return detail::integer_average(p, false); }},
    {"QGlobalAveragePool", [](preparation& p) { return detail::integer_average(p, true); }},
    {"QuantizePixels", detail::quantize_pixels},
};

}  // namespace edge::nn::operators
