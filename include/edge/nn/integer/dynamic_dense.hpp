// SPDX-License-Identifier: MIT
#pragma once

/// @file Dense layer with int8 weights and float results; its input is quantized on the spot, or was before.
///
///     edge::nn::integer::dynamic_dense_layer layer({w, k, n, n}, scales, bias, edge::nn::relu);     // packs the weights
///     layer.run(x, y, rows, scratch, threads);        // floats; scratch: layer.scratch_bytes(rows, threads)
///     layer.run(x8, parameters, y, rows, scratch, threads);                                         // bytes
///
/// y = float(sum) · (x_scale · w_scale[c]) + bias[c], each operation rounded to float: what ONNX's DynamicQuantizeLinear,
/// MatMulInteger, Cast, Mul and Add come to. With one row, the time is that of reading the weights, a quarter of float's.

#include <edge/nn/integer/dense.hpp>
#include <edge/quant/dynamic.hpp>

#include <span>

namespace edge::nn::integer {

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = nn::detail::native>
class dynamic_dense_layer {
public:
    /// @param w       [k, n], or ONNX's [n, k] by `transposed()`; zero point 0, any of [-128, 127]
    /// @param scales  of the weights: one, or [n]
    /// @param bias    [n], or null
    /// @throws argument_error  if there are neither one nor n scales
    dynamic_dense_layer(const simd::matrix<const std::int8_t>& w, std::span<const float> scales,
                        const float* bias = nullptr, const clamp& limits = {})
        : weights_(w),
          sums_(simd::column_sums<Arch>(w)),
          bias_(detail::padded<Arch>(bias, w.columns)),
          limits_(limits) {
        if (scales.size() != 1 && static_cast<index_t>(scales.size()) != w.columns)
            throw argument_error(message(scales.size(), " scales for ", w.columns, " columns"));
        scales_.assign(static_cast<std::size_t>(w.columns), scales[0]);
        if (scales.size() != 1) scales_.assign(scales.begin(), scales.end());
    }

    [[nodiscard]] index_t inputs() const noexcept { return weights_.rows(); }
    [[nodiscard]] index_t outputs() const noexcept { return weights_.columns(); }

    /// Of packed weights, scales and bias.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return weights_.bytes() + (sums_.size() + scales_.size() + bias_.size()) * 4;
    }

    /// Memory that a run needs besides its input and output.
    [[nodiscard]] index_t scratch_bytes(index_t rows, int threads = 0) const {
        return ends_bytes() + rounded_up(rows * inputs()) +
               detail::scratch_bytes(weights_, rows) * (threads != 0 ? threads : edge::threads());
    }

    /// Quantizes all rows to uint8 with one scale and zero point, those of their own range.
    /// @param x        [rows, inputs], finite
    /// @param y        [rows, outputs]; must not overlap x
    /// @param scratch  `scratch_bytes(rows, threads)`, aligned to 64
    /// @param threads  0: the process default
    void run(const float* x, float* y, index_t rows, void* scratch, int threads = 0) const {
        auto* const bytes = static_cast<std::uint8_t*>(scratch);
        const index_t count = rows * inputs();
        const quant::parameters p = quant::dynamic_parameters<Arch>(x, count);
        parallel_for(count, {.threads = threads, .grain = 1 << 15, .align = 64}, [&](index_t first, index_t last) {
            quant::detail::quantize<Arch>(x + first, bytes + first, last - first, p, quant::limits_of<std::uint8_t>);
        });
        run(bytes, p, y, rows, bytes + rounded_up(count), threads);
    }

    /// The same of rows that are quantized already: the end of a network whose result is not.
    /// @param p  of x
    void run(const std::uint8_t* x, const quant::parameters& p, float* y, index_t rows, void* scratch,
             int threads = 0) const {
        auto* const start = static_cast<std::int32_t*>(scratch);
        auto* const scale = reinterpret_cast<float*>(start + sums_.size());
        for (std::size_t c = 0; c < sums_.size(); ++c) start[c] = simd::byte_start<Arch>(sums_[c], p.zero_point);
        for (std::size_t c = 0; c < scales_.size(); ++c) scale[c] = p.scale * scales_[c];
        std::fill(scale + scales_.size(), scale + sums_.size(), 0.0f);
        detail::multiply_rows(x, inputs(), rows, weights_, start, static_cast<char*>(scratch) + ends_bytes(), threads,
                              detail::float_sums<Arch>{scale, bias_.data(), limits_, y, outputs()});
    }

private:
    [[nodiscard]] static index_t rounded_up(index_t bytes) noexcept { return (bytes + 63) / 64 * 64; }
    [[nodiscard]] index_t ends_bytes() const noexcept { return rounded_up(static_cast<index_t>(sums_.size()) * 8); }

    simd::packed_bytes<Arch> weights_;
    std::vector<std::uint32_t> sums_;  ///< of the weights of each column
    std::vector<float> scales_;
    std::vector<float> bias_;
    clamp limits_;
};

}  // namespace edge::nn::integer
