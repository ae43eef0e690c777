// SPDX-License-Identifier: MIT
#pragma once

/// @file Linear layers in integers: what passes make of Gemm and MatMul between quantized values, and of MatMulInteger.
///
/// `edge.QLinearGemm` has the inputs of ONNX QLinearConv, in its order: x [..., k], x_scale, x_zero, w [k, n] (or [n, k]
/// with transB), w_scale, w_zero, y_scale, y_zero, bias (int32 [n], of scale x_scale · w_scale). All but x are constants.
/// Without y_scale the result is float: float(sum) · (x_scale · w_scale). `edge.DynamicGemm`: passes/dynamic_layers.hpp.

#include <edge/nn/detail/pixel_nodes.hpp>
#include <edge/nn/integer/dynamic_dense.hpp>
#include <edge/nn/operator.hpp>
#include <edge/quant/dense.hpp>
#include <edge/simd/batch.hpp>

#include <memory>

namespace edge::nn::operators {

namespace detail {

/// One of the constants: a single value, or one a channel.
template <class T>
T integer_gemm_constant(const preparation& p, std::size_t i, index_t channel) {
    const T* values = p.constant<T>(i);
    if (values == nullptr) throw unsupported_error(message("input ", i, " is not a constant ", dtype_of<T>));
    const index_t size = p.shape(i).size();
    if (size != 1 && channel >= size) throw shape_error(message("input ", i, " has shape ", p.shape(i)));
    return values[size == 1 ? 0 : channel];
}

/// x [..., k] by n columns.
inline edge::shape rows_times(const edge::shape& x, index_t k, index_t n) {
    index_list extents = x.extents();
    if (extents.empty() || extents.back() != k)
        throw shape_error(message("cannot multiply ", x, " by ", n, " times ", k, " weights"));
    extents[extents.size() - 1] = n;
    return edge::shape(extents);
}

/// Weights of a matrix [k, n], or [n, k] with transB.
struct gemm_weights {
    simd::matrix<const std::int8_t> w;

    gemm_weights(const preparation& p, std::size_t i) : w{} {
        const bool turned = p.node().integer("transB", 0) != 0;
        if (p.shape(i).rank() != 2) throw shape_error(message("weights of shape ", p.shape(i), "; expected a matrix"));
        w = {p.constant<std::int8_t>(i), p.shape(i)[0], p.shape(i)[1], p.shape(i)[1]};
        if (turned) w = w.transposed();
    }
};

/// Where the activation is uint8 and the zero points of the weights are 0: packed, on the kernels of nn/integer.
inline kernel packed_gemm(preparation& p) {
    const simd::matrix<const std::int8_t> w = gemm_weights(p, 3).w;
    const edge::shape result = rows_times(p.shape(0), w.rows, w.columns);
    const index_t m = w.columns == 0 ? 0 : result.size() / w.columns;
    p.count_macs(m * w.columns * w.rows);
    const quant::parameters x{integer_gemm_constant<float>(p, 1, 0), integer_gemm_constant<std::uint8_t>(p, 2, 0)};
    const auto bias = [&](index_t j) { return p.has(8) ? integer_gemm_constant<std::int32_t>(p, 8, j) : 0; };
    if (!p.has(6)) {
        p.output(0, dtype::f32, result);
        using layer_type = integer::dynamic_dense_layer<nn::detail::native>;
        const auto layer = p.packed<layer_type>([&] {
            std::vector<float> scales, biases;
            for (index_t j = 0; j < w.columns; ++j) {
                scales.push_back(integer_gemm_constant<float>(p, 4, j));
                biases.push_back(static_cast<float>(bias(j)) * (x.scale * scales.back()));
            }
            return layer_type(w, scales, biases.data());
        });
        p.scratch(layer->scratch_bytes(m, p.threads()));
        return [=, threads = p.threads()](const arguments& a) {
            layer->run(a.input<std::uint8_t>(0), x, a.output<float>(0), m, a.scratch, threads);
        };
    }
    p.output(0, dtype::u8, result);
    using layer_type = integer::dense_layer<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] {
        integer::byte_end end{{}, integer_gemm_constant<std::uint8_t>(p, 7, 0), quant::limits_of<std::uint8_t>};
        std::vector<std::int32_t> biases;
        for (index_t j = 0; j < w.columns; ++j) {
            end.multipliers.push_back(x.scale * integer_gemm_constant<float>(p, 4, j) /
                                      integer_gemm_constant<float>(p, 6, 0));
            biases.push_back(bias(j));
        }
        return layer_type(w, biases.data(), x.zero_point, end);
    });
    p.scratch(layer->scratch_bytes(m, p.threads()));
    return [=, threads = p.threads()](const arguments& a) {
        layer->run(a.input<std::uint8_t>(0), nullptr, a.output<std::uint8_t>(0), m, a.scratch, threads);
    };
}

inline bool is_packed_gemm(const preparation& p) {
    if (p.type(0) != dtype::u8 || p.constant<std::int8_t>(3) == nullptr || (p.has(6) && p.type(7) != dtype::u8))
        return false;
    for (index_t j = 0; j < p.shape(5).size(); ++j)
        if (integer_gemm_constant<std::int8_t>(p, 5, j) != 0) return false;
    return true;
}

inline kernel dynamic_gemm(preparation& p) {
    const simd::matrix<const std::int8_t> w = gemm_weights(p, 1).w;
    const edge::shape result = rows_times(p.shape(0), w.rows, w.columns);
    const index_t m = w.columns == 0 ? 0 : result.size() / w.columns;
    if (p.type(0) != dtype::f32 || w.data == nullptr || p.constant<float>(2) == nullptr)
        throw argument_error(message("input ", p.input(0), ", weights ", p.input(1), "; expected float32, int8"));
    p.output(0, dtype::f32, result);
    p.count_macs(m * w.columns * w.rows);
    using layer_type = integer::dynamic_dense_layer<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] {
        return layer_type(w, std::span(p.constant<float>(2), static_cast<std::size_t>(p.shape(2).size())),
                          p.has(3) ? p.constant<float>(3) : nullptr, nn::detail::activation_of(p.node()).limits);
    });
    p.scratch(layer->scratch_bytes(m, p.threads()));
    return [=, threads = p.threads()](const arguments& a) {
        layer->run(a.input<float>(0), a.output<float>(0), m, a.scratch, threads);
    };
}

template <class X, class W>
kernel integer_gemm_of(preparation& p) {
    struct layer {
        std::vector<W> w;  ///< [n, k]
        std::vector<std::int32_t> start, w_zero;
        std::vector<float> multiplier;
    };
    if (p.shape(0).rank() == 0 || p.shape(3).rank() != 2)
        throw shape_error(message("inputs ", p.shape(0), " and ", p.shape(3), "; expected [..., k] and a matrix"));
    const bool turned = p.node().integer("transB", 0) != 0;
    const index_t k = p.shape(3)[turned ? 1 : 0];
    const index_t n = p.shape(3)[turned ? 0 : 1];
    const edge::shape result = rows_times(p.shape(0), k, n);
    const index_t m = n == 0 ? 0 : result.size() / n;
    p.count_macs(m * n * k);

    const bool to_bytes = p.has(6);
    const auto x_scale = integer_gemm_constant<float>(p, 1, 0);
    const auto x_zero = static_cast<std::int32_t>(integer_gemm_constant<X>(p, 2, 0));
    const float y_scale = to_bytes ? integer_gemm_constant<float>(p, 6, 0) : 1.0f;
    const W* w = p.constant<W>(3);
    if (w == nullptr) throw unsupported_error("weights that are not constant");
    auto made = std::make_shared<layer>();
    made->w.resize(static_cast<std::size_t>(n * k));
    bool all_zero = true;
    for (index_t j = 0; j < n; ++j) {
        W* row = made->w.data() + j * k;
        for (index_t i = 0; i < k; ++i) row[i] = turned ? w[j * k + i] : w[i * n + j];
        const auto w_zero = static_cast<std::int32_t>(integer_gemm_constant<W>(p, 5, j));
        const std::int32_t bias = p.has(8) ? integer_gemm_constant<std::int32_t>(p, 8, j) : 0;
        all_zero = all_zero && w_zero == 0;
        made->w_zero.push_back(w_zero);
        made->start.push_back(quant::detail::dense_start(row, k, bias, x_zero, w_zero));
        made->multiplier.push_back(x_scale * integer_gemm_constant<float>(p, 4, j) / y_scale);
    }
    if (all_zero) made->w_zero.clear();

    using arch = simd::detail::default_arch;
    const auto run = [made, m, n, k, threads = p.threads()](const arguments& a, const auto& finish) {
        quant::detail::dense_i8<arch>(a.input<X>(0), k, made->w.data(), made->start.data(),
                                      made->w_zero.empty() ? nullptr : made->w_zero.data(), m, n, k, finish, threads);
    };
    if (!to_bytes) {
        p.output(0, dtype::f32, result);
        return [run, made, n](const arguments& a) {
            run(a, quant::detail::to_float{a.output<float>(0), n, made->multiplier.data(), nullptr});
        };
    }
    const auto bytes = [&]<class Y>() -> kernel {
        p.output(0, dtype_of<Y>, result);
        const auto y_zero = static_cast<std::int32_t>(integer_gemm_constant<Y>(p, 7, 0));
        return [run, made, n, y_zero](const arguments& a) {
            const quant::requantizer rule{made->multiplier.data(), y_zero, quant::limits_of<Y>};
            run(a, quant::detail::to_bytes<arch, Y>{a.output<Y>(0), n, rule});
        };
    };
    return p.type(7) == dtype::i8 ? bytes.template operator()<std::int8_t>()
                                  : bytes.template operator()<std::uint8_t>();
}

inline kernel integer_gemm(preparation& p) {
    if (is_packed_gemm(p)) return packed_gemm(p);
    const auto of = [&]<class X>() {
        return p.type(3) == dtype::i8 ? integer_gemm_of<X, std::int8_t>(p) : integer_gemm_of<X, std::uint8_t>(p);
    };
    return p.type(0) == dtype::i8 ? of.template operator()<std::int8_t>() : of.template operator()<std::uint8_t>();
}

}  // namespace detail

/// Of the domain "edge": made by rewrites of graphs, never read from a file.
inline constexpr operator_row integer_layers[] = {{"QLinearGemm", detail::integer_gemm},
                                                  {"DynamicGemm", detail::dynamic_gemm}};

}  // namespace edge::nn::operators
