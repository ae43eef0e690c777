// SPDX-License-Identifier: MIT
#pragma once

/// @file The weights of one linear layer, dense or convolution, as what is done to them before quantizing sees them.
///
///     edge::quant::layer_weights dense{w.view(), b};                          // [n, k], [n]
///     edge::quant::layer_weights depthwise{w.view(), b, channels};            // [channels, 1, kh, kw]

#include <edge/core/tensor_view.hpp>

#include <cmath>
#include <span>
#include <vector>

namespace edge::quant {

/// `T` is float, or const float where a layer is only read.
template <class T>
struct basic_layer {
    tensor_view<T> weights;  ///< [outputs, inputs / groups, …], any strides: a dense layer, or a convolution's kernels
    std::span<T> bias = {};  ///< [outputs], or empty where there is none
    index_t groups = 1;      ///< of a convolution

    operator basic_layer<const T>() const requires(!std::is_const_v<T>) { return {weights, bias, groups}; }

    [[nodiscard]] index_t outputs() const { return weights.shape()[0]; }
    [[nodiscard]] index_t inputs() const { return weights.shape()[1] * groups; }

    /// @throws shape_error  if weights, bias and groups do not fit each other
    void check() const {
        if (weights.rank() < 2 || groups < 1 || outputs() % groups != 0)
            throw shape_error(message("layer: weights ", weights.shape(), " in ", groups,
                                      " groups; expected [outputs, inputs / groups, ...]"));
        if (!bias.empty() && static_cast<index_t>(bias.size()) != outputs())
            throw shape_error(message("layer: ", bias.size(), " biases for weights ", weights.shape()));
    }
};
using layer_weights = basic_layer<float>;
using const_layer_weights = basic_layer<const float>;

namespace detail {

/// Calls `f(weight, output, input)` for each, kernel positions together; inputs are counted through all groups.
template <class T, class F>
void for_each_weight(const basic_layer<T>& layer, F&& f) {
    const auto& s = layer.weights.shape();
    const auto& steps = layer.weights.strides();
    const index_t each = layer.outputs() / layer.groups;  // outputs of a group
    index_t positions = 1;
    for (std::size_t a = 2; a < s.rank(); ++a) positions *= s[a];
    for (index_t o = 0; o < s[0]; ++o)
        for (index_t i = 0; i < s[1]; ++i)
            for (index_t p = 0; p < positions; ++p) {
                index_t at = o * steps[0] + i * steps[1];
                index_t rest = p;
                for (std::size_t a = s.rank(); a-- > 2; rest /= s[a]) at += rest % s[a] * steps[a];
                f(layer.weights.data()[at], o, o / each * s[1] + i);
            }
}

}  // namespace detail
}  // namespace edge::quant
