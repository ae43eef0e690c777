// SPDX-License-Identifier: MIT
#pragma once

/// @file Convolution of integers: uint8 images, int8 weights, exact sums, any window, grouped, strided, padded, dilated.
///
///     edge::nn::integer::conv_layer layer(weights, bias, x_zero, 32, 64, 1, window, end);        // packs the weights
///     const auto g = layer.geometry(images, height, width);
///     layer.run(x, nullptr, y, g, scratch, threads);              // scratch: layer.scratch_bytes(g, threads)
///
/// 1x1 windows are a product of pixels and weights that reads the image as it lies; all others one of gathered rows
/// (detail/conv_rows.hpp). Padding is x_zero. The bits depend on neither the architecture nor the thread count. One
/// channel a group works, slowly: depthwise.hpp is for that.

#include <edge/nn/detail/conv_rows.hpp>
#include <edge/nn/integer/dense.hpp>

namespace edge::nn::integer {

/// Weights in the order of the kernels, immutable: sessions and threads may share it. Batch, height and width, strides
/// and paddings come with each run. `Arch` is that of the kernels.
template <class Arch = nn::detail::native>
class conv_layer {
public:
    /// @param weights  [out_c, in_c / groups, kernel_h, kernel_w], as ONNX has them; zero point 0, any of [-128, 127]
    /// @param bias     [out_c] of scale x_scale · w_scale[c], or null
    /// @param x_zero   zero point of x
    /// @param w        for `geometry`; runs take the window of theirs, whose kernel is of the same size
    /// @param sum      how a residual is added to y; its x is y before that
    /// @throws argument_error, shape_error  if the window, the groups or `end` make no sense
    conv_layer(const std::int8_t* weights, const std::int32_t* bias, std::int32_t x_zero, index_t in_c, index_t out_c,
               index_t groups, const window& w, const byte_end& end, const std::optional<byte_sum>& sum = std::nullopt)
        : shape_(convolution_of({1, 1, 1, in_c}, {w.kernel_h, w.kernel_w, in_c / (std::max)(groups, index_t{1}), out_c},
                                w, groups)),
          x_zero_(x_zero),
          rule_(end, out_c, x_zero, w.kernel_h * w.kernel_w * shape_.group_in(), bias),
          sum_(sum) {
        quant::check({1.0f, x_zero}, quant::limits_of<std::uint8_t>);
        const index_t taps = w.kernel_h * w.kernel_w;
        const index_t depth = shape_.group_in();
        const index_t columns = shape_.group_out();
        std::vector<std::int8_t> turned(static_cast<std::size_t>(columns * taps * depth));  // [group_out, taps, depth]
        weights_.reserve(static_cast<std::size_t>(groups));
        for (index_t group = 0; group < groups; ++group, weights += columns * taps * depth) {
            std::int8_t* to = turned.data();
            for (index_t o = 0; o < columns; ++o)
                for (index_t t = 0; t < taps; ++t)
                    for (index_t c = 0; c < depth; ++c) *to++ = weights[(o * depth + c) * taps + t];
            weights_.emplace_back(
                simd::matrix<const std::int8_t>{turned.data(), taps * depth, columns, 1, taps * depth},
                bias == nullptr ? nullptr : bias + group * columns, x_zero);
        }
    }

    /// Of a run on images of this size.
    /// @throws argument_error, shape_error  as `convolution_of`
    [[nodiscard]] convolution geometry(index_t batch, index_t height, index_t width) const {
        const window& w = shape_.window;
        return convolution_of({batch, height, width, shape_.in_c},
                              {w.kernel_h, w.kernel_w, shape_.group_in(), shape_.out_c}, w, shape_.groups);
    }

    /// Of packed weights and bias.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t all = static_cast<std::size_t>(shape_.out_c) * sizeof(float);
        for (const auto& w : weights_) all += w.bytes();
        return all;
    }

    /// Memory that a run needs besides its input and output; it may be 0.
    [[nodiscard]] index_t scratch_bytes(const convolution& g, int threads = 0) const {
        const index_t m = g.batch * g.out_h * g.out_w;
        return (gathered_bytes(g) + weights_[0].scratch_bytes(m)) * (threads != 0 ? threads : edge::threads());
    }

    /// @param x         [n, h, w, in_c]
    /// @param residual  as y, or null; taken with the `byte_sum` of the constructor alone
    /// @param y         [n, out_h, out_w, out_c]; must not overlap x; may be the residual
    /// @param g         as `geometry`, or with other strides, paddings and dilations
    /// @param scratch   `scratch_bytes(g, threads)`, aligned to 64; null where that is 0
    /// @param threads   0: the process default
    void run(const std::uint8_t* x, const std::uint8_t* residual, std::uint8_t* y, const convolution& g, void* scratch,
             int threads = 0) const {
        const index_t m = g.batch * g.out_h * g.out_w;
        if (m == 0) return;
        const auto finish = rule_.sums(y, g.out_c, sum_ ? residual : nullptr, sum_ ? &*sum_ : nullptr);
        if (reads_in_place(g)) return weights_[0].multiply(x, g.in_c, m, scratch, threads, finish);
        const index_t k = weights_[0].packed().rows();
        const index_t row = nn::detail::gathered_row<std::uint8_t>(k);
        const auto part = [&](int cell, index_t i0, index_t i1, index_t v0, index_t v1) {
            auto* const rows =
                static_cast<std::uint8_t*>(scratch) + cell * (gathered_bytes(g) + weights_[0].scratch_bytes(m));
            for (index_t group = 0; group < g.groups; ++group) {
                const auto& w = weights_[static_cast<std::size_t>(group)];
                const auto gathered = [&](index_t i, index_t count) {
                    nn::detail::gather_rows(x, g, i, count, rows, static_cast<std::uint8_t>(x_zero_), group);
                    auto block = simd::rows_of_bytes<Arch>(rows, row, count, k, rows + gathered_bytes(g));
                    block.is_padded = true;
                    return block;
                };
                simd::multiply_bytes<Arch>(gathered, i0, i1, w.packed(), v0, v1, w.start(), finish,
                                           group * g.group_out());
            }
        };
        if (g.groups == 1) return simd::share_bytes(m, weights_[0].packed(), threads, part);
        const int parts = simd::product_parts(m, g.out_c, k / 4 + 1, threads);
        parallel_parts(parts, [&](int i) {
            const auto [i0, i1] = partition(m, parts, i);
            if (i0 < i1) part(i, i0, i1, 0, weights_[0].packed().vectors());
        });
    }

private:
    /// Whether pixels of the image are the rows of the product. Not where rows are whole pages apart: too few of them fit
    /// the first cache at a time.
    [[nodiscard]] static bool reads_in_place(const convolution& g) noexcept {
        return g.is_pointwise() && g.window.stride_h == 1 && g.window.stride_w == 1 && g.in_c % 2048 != 0;
    }

    /// For gathered rows of one thread.
    [[nodiscard]] index_t gathered_bytes(const convolution& g) const noexcept {
        if (reads_in_place(g)) return 0;
        const auto& w = weights_[0].packed();
        const index_t most = simd::packed_byte_rows<Arch>(w.rows(), w.columns());
        return (std::min)(most, g.batch * g.out_h * g.out_w) * nn::detail::gathered_row<std::uint8_t>(w.rows());
    }

    convolution shape_;  ///< channels, groups and window
    std::int32_t x_zero_;
    detail::byte_rule<Arch> rule_;
    std::optional<byte_sum> sum_;
    std::vector<detail::byte_weights<Arch>> weights_;  ///< of each group
};

}  // namespace edge::nn::integer
