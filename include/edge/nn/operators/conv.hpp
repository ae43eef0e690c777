// SPDX-License-Identifier: MIT
#pragma once

/// @file Convolution of [n, c, w] or [n, c, h, w], through the kernels of [n, h, w, c].

#include <edge/nn/conv.hpp>
#include <edge/nn/operator.hpp>
#include <edge/nn/operators/gemm.hpp>
#include <edge/nn/operators/pool.hpp>
#include <edge/nn/reference.hpp>

#include <memory>

namespace edge::nn::operators {

namespace detail {

/// The last two axes of a window.
inline window window_from(const window_over& around) {
    const auto& [unused, h, v] = around.axes;
    return {.kernel_h = h.kernel,
            .kernel_w = v.kernel,
            .stride_h = h.stride,
            .stride_w = v.stride,
            .pad_top = h.before,
            .pad_left = v.before,
            .pad_bottom = h.after,
            .pad_right = v.after,
            .dilation_h = h.dilation,
            .dilation_w = v.dilation};
}

/// Shapes of a convolution as the kernels want them, and its result as ONNX has it. Says the output's shape.
/// @param weights  which input the weights are
inline convolution convolution_for(preparation& p, std::size_t weights, dtype result_type) {
    const edge::shape& x = p.shape(0);
    const edge::shape& w = p.shape(weights);
    if (w.rank() != x.rank() || w.rank() < 3)
        throw shape_error(message("input of shape ", x, ", weights of shape ", w));
    if (x.rank() > 4)
        throw unsupported_error(message("convolution of shape ", x, " (three spatial axes) is not supported"));
    const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
    if (p.node().integers("kernel_shape", kernel) != kernel)
        throw shape_error(message("kernel_shape is not that of the weights, ", w));
    const auto around = window_of(p, x, kernel);
    const auto& [unused, h, v] = around.axes;
    const window win = window_from(around);
    const auto g = convolution_of({x[0], h.in, v.in, x[1]}, {h.kernel, v.kernel, w[1], w[0]}, win,
                                  static_cast<index_t>(p.node().integer("group", 1)));
    p.output(0, result_type, around.result(w[0]));
    p.count_macs(g.output().size() * g.group_in() * win.kernel_h * win.kernel_w);
    return g;
}

/// [o, c, kh·kw] to [kh·kw, c, o].
template <class T>
void pack_weights(const T* w, const convolution& g, T* packed) {
    const index_t taps = g.window.kernel_h * g.window.kernel_w;
    const index_t depth = g.group_in();
    for (index_t o = 0; o < g.out_c; ++o)
        for (index_t c = 0; c < depth; ++c)
            for (index_t t = 0; t < taps; ++t) packed[(t * depth + c) * g.out_c + o] = w[(o * depth + c) * taps + t];
}

/// Each image of `channels` planes turned so that the channels of a pixel lie together.
template <class T>
void planes_to_pixels(const T* x, index_t images, index_t channels, index_t pixels, T* y) {
    for (index_t n = 0; n < images; ++n) turn(x + n * channels * pixels, channels, pixels, y + n * channels * pixels);
}

/// A kernel that lets `pixels` write [n, h, w, c] and turns that into [n, c, h, w].
template <class Y>
kernel to_planes(kernel pixels, const convolution& g) {
    auto memory = std::make_shared<std::vector<Y>>(static_cast<std::size_t>(g.output().size()));
    return [pixels = std::move(pixels), memory, g](const arguments& a) {
        void* out[1] = {memory->data()};
        pixels({a.in, out});
        const index_t size = g.out_c * g.out_h * g.out_w;
        for (index_t n = 0; n < g.batch; ++n)
            turn(memory->data() + n * size, g.out_h * g.out_w, g.out_c, a.output<Y>(0) + n * size);
    };
}

inline kernel conv(preparation& p) {
    need_equal_types(p, 0, 1);
    const convolution g = convolution_for(p, 1, p.type(0));
    const bool has_bias = p.has(2);
    if (has_bias) {
        need_equal_types(p, 0, 2);
        if (p.shape(2).size() != g.out_c)
            throw shape_error(message("bias of shape ", p.shape(2), "; expected ", g.out_c));
    }
    if (p.type(0) != dtype::f32) throw unsupported_error(message("elements of ", p.type(0), " are not supported"));
    using layer_type = conv_layer<nn::detail::native>;
    const auto make = [g](const float* w, const float* bias) {
        return layer_type(w, bias, g.in_c, g.out_c, g.groups, g.window);
    };
    // Weights that come with each run are packed in each.
    const float* const weights = p.constant<float>(1);
    const bool is_constant = weights != nullptr && (!has_bias || p.constant<float>(2) != nullptr);
    std::shared_ptr<const layer_type> layer;
    if (is_constant)
        layer = p.packed<layer_type>([&] { return make(weights, has_bias ? p.constant<float>(2) : nullptr); });
    const auto aligned = [](index_t floats) { return (floats * 4 + 63) / 64 * 64; };
    const index_t in_bytes = aligned(g.batch * g.in_h * g.in_w * g.in_c);
    const index_t out_bytes = aligned(g.output().size());
    index_t own_bytes = 0;
    if (is_constant) own_bytes = layer->scratch_bytes(g, p.threads());
    p.scratch(in_bytes + out_bytes + own_bytes);
    return [=, threads = p.threads()](const arguments& a) {
        auto* const memory = static_cast<std::byte*>(a.scratch);
        auto* const x = reinterpret_cast<float*>(memory);
        auto* const y = reinterpret_cast<float*>(memory + in_bytes);
        planes_to_pixels(a.input<float>(0), g.batch, g.in_c, g.in_h * g.in_w, x);
        if (layer != nullptr) {
            layer->run(x, nullptr, y, g, memory + in_bytes + out_bytes, threads);
        } else {
            const layer_type now = make(a.input<float>(1), has_bias ? a.input<float>(2) : nullptr);
            auto own = tensor<float>::uninitialized({now.scratch_bytes(g, threads) / 4 + 1});
            now.run(x, nullptr, y, g, own.data(), threads);
        }
        const index_t size = g.out_c * g.out_h * g.out_w;
        for (index_t n = 0; n < g.batch; ++n)
            turn(y + n * size, g.out_h * g.out_w, g.out_c, a.output<float>(0) + n * size);
    };
}

}  // namespace detail

inline constexpr operator_row convolutions[] = {{"Conv", detail::conv}};

}  // namespace edge::nn::operators
