// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators of quantized values: to integers and back, and products and convolutions with exact int32 sums.
///
/// q = saturate(round(x / scale) + zero_point), halves to even; x = (q - zero_point) · scale. A result's multiplier is
/// s_x · s_w / s_y in float, in that order.

#include <edge/nn/conv_i8.hpp>
#include <edge/nn/operators/conv.hpp>
#include <edge/nn/operators/gemm.hpp>
#include <edge/nn/operators/move.hpp>
#include <edge/quant/dense.hpp>
#include <edge/quant/dynamic.hpp>
#include <edge/quant/requantize.hpp>

#include <cmath>
#include <memory>

namespace edge::nn::operators {

namespace detail {

using for_bytes = for_types<std::uint8_t, std::int8_t>;
using native = nn::detail::native;

/// saturate(round(v) + zero_point); NaN becomes the lowest.
template <class Q>
Q saturated(float v, std::int32_t zero_point) noexcept {
    constexpr quant::limits range = quant::limits_of<Q>;
    const auto low = static_cast<float>(range.low - zero_point);
    const auto high = static_cast<float>(range.high - zero_point);
    const float raised = v > low ? v : low;
    const float held = raised < high ? raised : high;
    return static_cast<Q>(static_cast<std::int32_t>(std::nearbyint(held)) + zero_point);
}

/// Which scale belongs to which element: one for all, one a position along an axis, or one a block of positions.
struct scale_layout {
    index_t outer = 1, n = 1, inner = 1;  ///< of the data, around the axis
    index_t block = 1;                    ///< positions that share a scale
    bool blocked = false;                 ///< scales differ along the other axes as well

    /// Calls f(first element, count, scale index) for runs of one scale.
    template <class F>
    void runs(F&& f) const {
        for (index_t o = 0; o < outer; ++o)
            for (index_t k = 0; k < n; ++k) {
                const index_t first = (o * n + k) * inner;
                const index_t row = (o * ((n + block - 1) / block) + k / block) * inner;
                if (!blocked)
                    f(first, inner, k);
                else
                    for (index_t i = 0; i < inner; ++i) f(first + i, 1, row + i);
            }
    }
};

inline scale_layout scales_of(const preparation& p) {
    const edge::shape& x = p.shape(0);
    const edge::shape& s = p.shape(1);
    const auto block = static_cast<index_t>(p.node().integer("block_size", 0));
    scale_layout layout;
    if (p.has(2) && p.shape(2) != s)
        throw shape_error(message("scale of shape ", s, ", zero point of shape ", p.shape(2)));
    if (block == 0 && s.size() == 1 && (s.rank() == 0 || x.rank() != 1 || x[0] != 1)) {
        layout.inner = x.size();
        return layout;
    }
    const std::size_t axis = x.axis(static_cast<index_t>(p.node().integer("axis", 1)));
    const split_shape around(x, axis);
    layout = {around.outer, x[axis], around.inner, 1, false};
    if (block > 0) {
        layout.block = block;
        layout.blocked = true;
        if (s.rank() != x.rank() || s != with_extent(x, axis, (x[axis] + block - 1) / block))
            throw shape_error(message("scale of shape ", s, " for blocks of ", block, " of ", x));
    } else if (s.rank() > 1 || s.size() != x[axis]) {
        throw shape_error(message("scale of shape ", s, " for axis ", axis, " of ", x));
    }
    return layout;
}

inline kernel quantize_linear(preparation& p) {
    dtype to = dtype::u8;
    if (const auto wish = p.node().integer("output_dtype", 0)) to = nn::detail::onnx_dtype(wish);
    if (p.has(2)) to = p.type(2);
    const scale_layout layout = scales_of(p);
    p.output(0, to, p.shape(0));
    if (p.type(1) != dtype::f32) throw unsupported_error(message("scales of ", p.type(1), " are not supported"));
    using quantized = for_types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t>;
    return quantized::call(to, [&]<class Q>() -> kernel {
        return for_types<float, std::int32_t>::call(p.type(0), [&]<class X>() -> kernel {
            return [layout, has_zero = p.has(2)](const arguments& a) {
                layout.runs([&](index_t first, index_t count, index_t s) {
                    const float scale = a.input<float>(1)[s];
                    const std::int32_t zero = has_zero ? a.input<Q>(2)[s] : 0;
                    const X* x = a.input<X>(0) + first;
                    Q* y = a.output<Q>(0) + first;
                    if constexpr (sizeof(Q) == 1 && std::is_same_v<X, float>) {
                        quant::detail::quantize<native>(x, y, count, {scale, zero}, quant::limits_of<Q>);
                    } else {
                        for (index_t i = 0; i < count; ++i) y[i] = saturated<Q>(static_cast<float>(x[i]) / scale, zero);
                    }
                });
            };
        });
    });
}

inline kernel dequantize_linear(preparation& p) {
    const scale_layout layout = scales_of(p);
    p.output(0, dtype::f32, p.shape(0));
    if (p.type(1) != dtype::f32) throw unsupported_error(message("scales of ", p.type(1), " are not supported"));
    if (p.has(2)) need_equal_types(p, 0, 2);
    using quantized = for_types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::int32_t>;
    return quantized::call(p.type(0), [&]<class Q>() -> kernel {
        return [layout, has_zero = p.has(2)](const arguments& a) {
            layout.runs([&](index_t first, index_t count, index_t s) {
                const float scale = a.input<float>(1)[s];
                const auto zero = has_zero ? static_cast<std::int32_t>(a.input<Q>(2)[s]) : 0;
                const Q* x = a.input<Q>(0) + first;
                float* y = a.output<float>(0) + first;
                if constexpr (sizeof(Q) == 1) {
                    quant::detail::dequantize<native>(x, y, count, {scale, zero});
                } else {
                    for (index_t i = 0; i < count; ++i)
                        y[i] = static_cast<float>(static_cast<std::int64_t>(x[i]) - zero) * scale;
                }
            });
        };
    });
}

/// uint8 with the scale and zero point of the data's own range, extended to hold 0.
inline kernel dynamic_quantize(preparation& p) {
    p.output(0, dtype::u8, p.shape(0));
    p.output(1, dtype::f32, edge::shape{});
    p.output(2, dtype::u8, edge::shape{});
    if (p.type(0) != dtype::f32) throw unsupported_error(message("elements of ", p.type(0), " are not supported"));
    return [n = p.shape(0).size()](const arguments& a) {
        const float* x = a.input<float>(0);
        const quant::parameters own = quant::dynamic_parameters<native>(x, n);
        quant::detail::quantize<native>(x, a.output<std::uint8_t>(0), n, own,
                                        quant::limits_of<std::uint8_t>);
        *a.output<float>(1) = own.scale;
        *a.output<std::uint8_t>(2) = static_cast<std::uint8_t>(own.zero_point);
    };
}

/// Where a quantized operator has its inputs; 0 for one that it has not.
struct places {
    std::size_t x, w, x_zero, w_zero;
    std::size_t x_scale, w_scale, y_scale, y_zero, bias;
};

/// A zero point of the input (one) or of the weights (one, or one a channel) is of the input's type.
inline void check_zero_point(const preparation& p, std::size_t zero, std::size_t of, index_t channels) {
    if (zero == 0 || !p.has(zero)) return;
    need_equal_types(p, of, zero);
    if (p.shape(zero).size() != 1 && p.shape(zero).size() != channels)
        throw unsupported_error(
            message("zero point of shape ", p.shape(zero), " for ", channels, " channels is not supported"));
}

inline void check_scales(const preparation& p, const places& at, index_t channels) {
    for (const std::size_t i : {at.x_scale, at.w_scale, at.y_scale}) {
        if (p.type(i) != dtype::f32) throw unsupported_error(message("scales of ", p.type(i), " are not supported"));
        if (p.shape(i).size() != 1 && (i != at.w_scale || p.shape(i).size() != channels))
            throw unsupported_error(
                message("scale of shape ", p.shape(i), " for ", channels, " channels is not supported"));
    }
    if (p.shape(at.y_zero).size() != 1)
        throw shape_error(message("zero point of shape ", p.shape(at.y_zero), "; expected one"));
}

/// The zero points of the weights, one a channel, and where each channel's sum starts.
struct weight_zeros {
    std::size_t at;
    index_t given;
    std::vector<std::int32_t> zero, start;

    weight_zeros(const preparation& p, const places& where, index_t channels)
        : at(where.w_zero),
          given(at == 0 || !p.has(at) ? 0 : p.shape(at).size()),
          zero(static_cast<std::size_t>(channels)),
          start(static_cast<std::size_t>(channels)) {}

    template <class W>
    void look_up(const arguments& a) {
        for (std::size_t i = 0; i < zero.size(); ++i) zero[i] = given == 0 ? 0 : a.input<W>(at)[given == 1 ? 0 : i];
    }
    [[nodiscard]] const std::int32_t* or_null() const {
        return std::all_of(zero.begin(), zero.end(), [](auto z) { return z == 0; }) ? nullptr : zero.data();
    }
};

/// A kernel that lets `sums` write int32, the channels of a place side by side, and makes bytes of them.
inline kernel rescaled(const preparation& p, dtype to, kernel sums, const places& at, index_t channels,
                       std::size_t size) {
    auto memory = std::make_shared<std::vector<std::int32_t>>(size);
    auto multiplier = std::make_shared<std::vector<float>>(static_cast<std::size_t>(channels));
    const index_t scales = p.shape(at.w_scale).size();
    return for_bytes::call(to, [&]<class Y>() -> kernel {
        return [=, sums = std::move(sums)](const arguments& a) {
            void* out[1] = {memory->data()};
            sums({a.in, out});
            for (index_t i = 0; i < channels; ++i)
                (*multiplier)[static_cast<std::size_t>(i)] = *a.input<float>(at.x_scale) *
                                                             a.input<float>(at.w_scale)[scales == 1 ? 0 : i] /
                                                             *a.input<float>(at.y_scale);
            const quant::requantizer rule{multiplier->data(), *a.input<Y>(at.y_zero), quant::limits_of<Y>};
            for (std::size_t i = 0; i < size; i += static_cast<std::size_t>(channels))
                quant::detail::requantize<native>(memory->data() + i, a.output<Y>(0) + i, channels, rule);
        };
    });
}

/// x [..., m, k] · w [..., k, n] of bytes. The result is int32, or of the type of y's zero point.
inline kernel quantized_matmul(preparation& p, const places& at) {
    matmul_plan plan(p.shape(at.x), p.shape(at.w));
    const dtype to = at.y_zero == 0 ? dtype::i32 : p.type(at.y_zero);
    p.output(0, to, plan.result);
    p.count_macs(plan.macs());
    check_zero_point(p, at.x_zero, at.x, 1);
    check_zero_point(p, at.w_zero, at.w, plan.n);
    if (at.w_scale != 0) check_scales(p, at, plan.n);
    const bool has_x_zero = at.x_zero != 0 && p.has(at.x_zero);
    kernel sums = for_bytes::call(p.type(at.x), [&]<class X>() -> kernel {
        return for_bytes::call(p.type(at.w), [&]<class W>() -> kernel {
            auto memory = std::make_shared<weight_zeros>(p, at, plan.n);
            auto turned = std::make_shared<std::vector<W>>(static_cast<std::size_t>(plan.n * plan.k));
            // One matrix of constant weights is turned here, others when they come.
            const W* constant = plan.pairs.size() == 1 ? p.constant<W>(at.w) : nullptr;
            if (constant != nullptr) turn(constant, plan.k, plan.n, turned->data());
            return [=, packed = constant != nullptr, threads = p.threads()](const arguments& a) {
                memory->look_up<W>(a);
                const std::int32_t x_zero = has_x_zero ? *a.input<X>(at.x_zero) : 0;
                std::int32_t* y = a.output<std::int32_t>(0);
                for (const auto& [x, w] : plan.pairs) {
                    if (!packed) turn(a.input<W>(at.w) + w, plan.k, plan.n, turned->data());
                    for (index_t j = 0; j < plan.n; ++j) {
                        const auto i = static_cast<std::size_t>(j);
                        memory->start[i] =
                            quant::detail::dense_start(turned->data() + j * plan.k, plan.k, 0, x_zero, memory->zero[i]);
                    }
                    quant::detail::dense_i8<native>(a.input<X>(at.x) + x, plan.k, turned->data(), memory->start.data(),
                                                    memory->or_null(), plan.m, plan.n, plan.k,
                                                    quant::detail::to_int32{y, plan.n}, threads);
                    y += plan.m * plan.n;
                }
            };
        });
    });
    if (to == dtype::i32) return sums;
    return rescaled(p, to, std::move(sums), at, plan.n, static_cast<std::size_t>(plan.result.size()));
}

inline kernel quantized_conv(preparation& p, const places& at) {
    const dtype to = at.y_zero == 0 ? dtype::i32 : p.type(at.y_zero);
    const convolution g = convolution_for(p, at.w, to);
    check_zero_point(p, at.x_zero, at.x, 1);
    check_zero_point(p, at.w_zero, at.w, g.out_c);
    if (at.w_scale != 0) check_scales(p, at, g.out_c);
    const bool has_x_zero = at.x_zero != 0 && p.has(at.x_zero);
    const bool has_bias = at.bias != 0 && p.has(at.bias);
    if (has_bias && (p.type(at.bias) != dtype::i32 || p.shape(at.bias).size() != g.out_c))
        throw argument_error(message("bias is ", p.input(at.bias), "; expected ", g.out_c, " int32"));
    // Pixels with their channels side by side: the order of the kernels, not yet that of ONNX.
    kernel sums = for_bytes::call(p.type(at.x), [&]<class X>() -> kernel {
        return for_bytes::call(p.type(at.w), [&]<class W>() -> kernel {
            auto pixels = std::make_shared<std::vector<X>>(static_cast<std::size_t>(p.shape(at.x).size()));
            const auto pack = [g, at, has_x_zero, has_bias, zeros = weight_zeros(p, at, g.out_c)](const arguments& a) {
                weight_zeros own = zeros;
                own.look_up<W>(a);
                std::vector<W> w(
                    static_cast<std::size_t>(g.window.kernel_h * g.window.kernel_w * g.group_in() * g.out_c));
                pack_weights(a.input<W>(at.w), g, w.data());
                return std::make_shared<const integer_convolution<W>>(
                    g, w.data(), has_bias ? a.input<std::int32_t>(at.bias) : nullptr,
                    has_x_zero ? *a.input<X>(at.x_zero) : 0, own.or_null());
            };
            // Packed here and now if all that is packed is constant, else in each run.
            std::array<const void*, 9> constants{};
            constants[at.w] = p.constant<W>(at.w);
            if (has_x_zero) constants[at.x_zero] = p.constant<X>(at.x_zero);
            if (at.w_zero != 0 && p.has(at.w_zero)) constants[at.w_zero] = p.constant<W>(at.w_zero);
            if (has_bias) constants[at.bias] = p.constant<std::int32_t>(at.bias);
            const bool is_constant = constants[at.w] != nullptr && (!has_x_zero || constants[at.x_zero] != nullptr) &&
                                     (at.w_zero == 0 || !p.has(at.w_zero) || constants[at.w_zero] != nullptr) &&
                                     (!has_bias || constants[at.bias] != nullptr);
            const auto layer = is_constant ? pack({constants.data(), nullptr}) : nullptr;
            return [=, threads = p.threads()](const arguments& a) {
                planes_to_pixels(a.input<X>(at.x), g.batch, g.in_c, g.in_h * g.in_w, pixels->data());
                const auto now = layer != nullptr ? layer : pack(a);
                now->template run<native>(pixels->data(), quant::detail::to_int32{a.output<std::int32_t>(0), g.out_c},
                                          threads);
            };
        });
    });
    const auto size = static_cast<std::size_t>(g.output().size());
    if (to == dtype::i32) return to_planes<std::int32_t>(std::move(sums), g);
    kernel bytes = rescaled(p, to, std::move(sums), at, g.out_c, size);
    return to == dtype::u8 ? to_planes<std::uint8_t>(std::move(bytes), g) : to_planes<std::int8_t>(std::move(bytes), g);
}

inline constexpr places integer_places{
    .x = 0, .w = 1, .x_zero = 2, .w_zero = 3, .x_scale = 0, .w_scale = 0, .y_scale = 0, .y_zero = 0, .bias = 0};
inline constexpr places linear_places{
    .x = 0, .w = 3, .x_zero = 2, .w_zero = 5, .x_scale = 1, .w_scale = 4, .y_scale = 6, .y_zero = 7, .bias = 8};

}  // namespace detail

inline constexpr operator_row quantized[] = {
    {"QuantizeLinear", detail::quantize_linear},
    {"DequantizeLinear", detail::dequantize_linear},
    {"DynamicQuantizeLinear", detail::dynamic_quantize},
    {"MatMulInteger", [](preparation& p) { return detail::quantized_matmul(p, detail::integer_places); }},
    {"QLinearMatMul", [](preparation& p) { return detail::quantized_matmul(p, detail::linear_places); }},
    {"ConvInteger", [](preparation& p) { return detail::quantized_conv(p, detail::integer_places); }},
    {"QLinearConv", [](preparation& p) { return detail::quantized_conv(p, detail::linear_places); }},
};

}  // namespace edge::nn::operators
