// SPDX-License-Identifier: MIT
#pragma once

/// @file Linear layer with int8 weights: y = x·wᵀ + bias.
///
///     edge::quant::linear layer(weights, bias, {.per_channel = true});          // float [n, k], [n]
///     edge::tensor<float> y = layer(x);                                         // x is quantized on the spot
///     edge::quant::linear_u8 fixed(layer, x_parameters, y_parameters);          // bytes in, bytes out
///     fixed(x8, y8);
///
/// Sums are exact int32; the bits are the same on every architecture and for any number of threads.

#include <edge/quant/dense.hpp>
#include <edge/quant/observer.hpp>

#include <utility>

namespace edge::quant {

struct linear_options {
    bool per_channel = true;     ///< a scale for each row of the weights, else one for all
    limits range = {-127, 127};  ///< of the weights
};

/// int8 weights [n, k] with their scales, and a float bias.
class linear {
public:
    /// Quantizes float weights.
    /// @param weights  [n, k], contiguous
    /// @param bias     [n], or empty for none
    /// @throws argument_error  if a weight or bias is not finite
    linear(tensor_view<const float> weights, std::span<const float> bias, const linear_options& options = {})
        : bias_(bias.begin(), bias.end()) {
        if (weights.rank() != 2) throw shape_error(message("linear: weights ", weights.shape(), "; expected [n, k]"));
        const format f(dtype::i8, options.range, true);
        std::vector<parameters> rows(static_cast<std::size_t>(weights.shape()[0]));
        if (options.per_channel && weights.size() != 0) {
            channel_minmax_observer seen(0);
            seen.observe(weights);
            rows = seen.parameters_for(f);
        } else if (weights.size() != 0) {
            minmax_observer seen;
            seen.observe(weights.flat());
            rows.assign(rows.size(), seen.parameters_for(f));
        }
        weights_ = quantize<std::int8_t>(weights, rows, 0, options.range);
        for (const parameters& p : rows) scales_.push_back(p.scale);
        check_bias();
    }

    /// Takes weights that are quantized already, with a scale for each row or one for all.
    linear(tensor<std::int8_t> weights, std::vector<float> scales, std::span<const float> bias)
        : weights_(std::move(weights)), scales_(std::move(scales)), bias_(bias.begin(), bias.end()) {
        if (weights_.rank() != 2) throw shape_error(message("linear: weights ", weights_.shape(), "; expected [n, k]"));
        if (scales_.size() == 1) scales_.assign(static_cast<std::size_t>(outputs()), scales_[0]);
        if (static_cast<index_t>(scales_.size()) != outputs())
            throw shape_error(message("linear: ", scales_.size(), " scales for weights ", weights_.shape()));
        for (const float s : scales_) check(parameters{s, 0}, limits_of<std::int8_t>);
        check_bias();
    }

    [[nodiscard]] index_t inputs() const noexcept { return weights_.shape()[1]; }
    [[nodiscard]] index_t outputs() const noexcept { return weights_.shape()[0]; }
    [[nodiscard]] const tensor<std::int8_t>& weights() const noexcept { return weights_; }
    [[nodiscard]] std::span<const float> scales() const noexcept { return scales_; }
    [[nodiscard]] std::span<const float> bias() const noexcept { return bias_; }

    /// The dynamic form: x [m, k] is quantized to uint8 by its own range, and the result is float [m, n].
    /// @throws shape_error     if x does not fit
    /// @throws argument_error  if a value of x is not finite
    [[nodiscard]] tensor<float> operator()(tensor_view<const float> x, int threads = 0) const {
        minmax_observer seen;
        seen.observe(x.flat());
        return (*this)(x, x.empty() ? parameters{} : seen.parameters_for(dtype::u8), threads);
    }

    /// The same with the parameters of x given.
    [[nodiscard]] tensor<float> operator()(tensor_view<const float> x, const parameters& p, int threads = 0) const {
        if (x.rank() != 2 || x.shape()[1] != inputs())
            throw shape_error(message("linear: input ", x.shape(), " for weights ", weights_.shape()));
        const tensor<std::uint8_t> q = quantize<std::uint8_t>(x, p);
        std::vector<std::int32_t> start;
        std::vector<float> scales;
        for (index_t n = 0; n < outputs(); ++n) {
            start.push_back(detail::dense_start(weights_.data() + n * inputs(), inputs(), 0, p.zero_point, 0));
            scales.push_back(p.scale * scales_[static_cast<std::size_t>(n)]);
        }
        auto y = tensor<float>::uninitialized({x.shape()[0], outputs()});
        detail::dense_i8<simd::detail::default_arch>(
            q.data(), inputs(), weights_.data(), start.data(), nullptr, x.shape()[0], outputs(), inputs(),
            detail::to_float{y.data(), outputs(), scales.data(), bias_.empty() ? nullptr : bias_.data()}, threads);
        return y;
    }

private:
    void check_bias() const {
        if (!bias_.empty() && static_cast<index_t>(bias_.size()) != outputs())
            throw shape_error(message("linear: ", bias_.size(), " biases for weights ", weights_.shape()));
        for (std::size_t i = 0; i < bias_.size(); ++i)
            if (!std::isfinite(bias_[i]))
                throw argument_error(message("linear: bias ", i, " is ", bias_[i], "; expected a finite number"));
    }

    tensor<std::int8_t> weights_;
    std::vector<float> scales_;
    std::vector<float> bias_;
};

/// A bias as int32 of scale s_x·s_w, halves to even, saturated.
[[nodiscard]] inline std::int32_t quantize_bias(float bias, float x_scale, float w_scale) noexcept {
    const double q =
        std::nearbyint(static_cast<double>(bias) / (static_cast<double>(x_scale) * static_cast<double>(w_scale)));
    constexpr double most = (std::numeric_limits<std::int32_t>::max)();
    return static_cast<std::int32_t>(std::clamp(q, -most, most));
}

/// A linear layer whose input and output ranges are fixed: uint8 in, uint8 out, the bias int32.
class linear_u8 {
public:
    /// @param range  of the result; [y.zero_point, 255] folds a ReLU in
    linear_u8(linear layer, const parameters& x, const parameters& y, const limits& range = limits_of<std::uint8_t>)
        : layer_(std::move(layer)),
          multipliers_(multipliers(x.scale, layer_.scales(), y.scale)),
          y_zero_(y.zero_point),
          range_(range) {
        check(x, limits_of<std::uint8_t>);
        check(y, limits_of<std::uint8_t>);
        const index_t k = layer_.inputs();
        for (index_t n = 0; n < layer_.outputs(); ++n) {
            const auto i = static_cast<std::size_t>(n);
            const std::int32_t bias =
                layer_.bias().empty() ? 0 : quantize_bias(layer_.bias()[i], x.scale, layer_.scales()[i]);
            start_.push_back(detail::dense_start(layer_.weights().data() + n * k, k, bias, x.zero_point, 0));
        }
    }

    /// @param x  [m, k], contiguous
    /// @param y  [m, n], contiguous
    /// @throws shape_error  if they do not fit
    void operator()(tensor_view<const std::uint8_t> x, tensor_view<std::uint8_t> y, int threads = 0) const {
        const index_t k = layer_.inputs();
        const index_t n = layer_.outputs();
        if (x.rank() != 2 || x.shape()[1] != k || y.shape() != shape{x.shape()[0], n})
            throw shape_error(message("linear: input ", x.shape(), ", output ", y.shape(), " for weights ",
                                      layer_.weights().shape()));
        using arch = simd::detail::default_arch;
        detail::dense_i8<arch>(
            x.flat().data(), k, layer_.weights().data(), start_.data(), nullptr, x.shape()[0], n, k,
            detail::to_bytes<arch, std::uint8_t>{y.flat().data(), n, {multipliers_.data(), y_zero_, range_}}, threads);
    }

private:
    linear layer_;
    std::vector<float> multipliers_;
    std::vector<std::int32_t> start_;
    std::int32_t y_zero_;
    limits range_;
};

}  // namespace edge::quant
