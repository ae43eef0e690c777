// SPDX-License-Identifier: MIT
#pragma once

/// @file Convolution: y = activation(x * w + bias + residual), float, any window, grouped, strided, padded, dilated.
///
///     edge::nn::conv_layer layer(weights, bias, 32, 64, 1, window, {.limits = edge::nn::relu6});  // packs the weights
///     const auto g = layer.geometry(images, height, width);
///     layer.run(x, nullptr, y, g, scratch, threads);      // scratch: layer.scratch_bytes(g, threads)
///     layer.run_planes(x, nullptr, y, g, scratch, threads);                // x as images come: [n, c, h, w]
///
/// 1x1 windows are a product of pixels and weights that reads the image as it lies; wide rows, few channels, groups and
/// planes go line by line (detail/conv_lines.hpp), depthwise ones as in depthwise.hpp, the rest as a product of gathered
/// rows (detail/conv_rows.hpp). A result is one chain of multiply-adds over (ky, kx, channel), then + bias, then + residual,
/// then the activation, so its bits depend on neither the thread count nor the layout nor the path; depthwise chains
/// begin with the bias.

#include <edge/nn/dense.hpp>
#include <edge/nn/depthwise.hpp>
#include <edge/nn/detail/conv_lines.hpp>
#include <edge/nn/detail/conv_rows.hpp>

#include <cassert>
#include <vector>

namespace edge::nn {

/// Weights in the order of the kernels, immutable: sessions and threads may share it. Batch, height and width, strides
/// and paddings come with each run. `Arch` is that of the kernels.
template <class Arch = detail::native>
class conv_layer {
public:
    /// @param weights  [out_c, in_c / groups, kernel_h, kernel_w], as ONNX has them
    /// @param bias     [out_c], or null
    /// @param w        for `geometry`; runs take the window of theirs, whose kernel is of the same size
    /// @throws argument_error, shape_error  if the window or the groups make no sense
    conv_layer(const float* weights, const float* bias, index_t in_c, index_t out_c, index_t groups, const window& w,
               const activation& act = {})
        : shape_(convolution_of({1, 1, 1, in_c}, {w.kernel_h, w.kernel_w, in_c / (std::max)(groups, index_t{1}), out_c},
                                w, groups)),
          activation_(act) {
        if (bias != nullptr) bias_.assign(bias, bias + out_c);
        const index_t taps = w.kernel_h * w.kernel_w;
        const index_t depth = shape_.group_in();
        if (shape_.is_depthwise()) {
            depthwise_ = detail::depthwise_weights(weights, out_c, w);
            return;
        }
        const index_t k = taps * depth;
        const index_t columns = shape_.group_out();
        std::vector<float> turned;  // [group_out, taps, depth]
        weights_.reserve(static_cast<std::size_t>(groups));
        for (index_t group = 0; group < groups; ++group, weights += columns * k) {
            const float* from = weights;
            if (taps != 1 && depth != 1) {
                turned.resize(static_cast<std::size_t>(columns * k));
                float* to = turned.data();
                for (index_t o = 0; o < columns; ++o)
                    for (index_t t = 0; t < taps; ++t)
                        for (index_t c = 0; c < depth; ++c) *to++ = weights[(o * depth + c) * taps + t];
                from = turned.data();
            }
            weights_.emplace_back(simd::matrix<const float>{from, k, columns, 1, k});
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
        std::size_t all = (bias_.size() + depthwise_.size()) * sizeof(float);
        for (const auto& w : weights_) all += w.bytes();
        return all;
    }

    /// Memory that a run needs besides its input and output.
    [[nodiscard]] index_t scratch_bytes(const convolution& g, int threads = 0) const {
        if (shape_.is_depthwise() || reads_in_place(g)) return 0;
        return cells(threads) * (goes_by_lines(g) ? detail::conv_lines(g, false).bytes() : gathered_bytes(g));
    }

    /// @param x         [n, h, w, in_c]
    /// @param residual  as y, or null
    /// @param y         [n, out_h, out_w, out_c]; must not overlap x; may be the residual, if not depthwise
    /// @param g         as `geometry`, or with other strides, paddings and dilations
    /// @param scratch   `scratch_bytes(g, threads)`, aligned to 64; null where that is 0
    /// @param threads   0: the process default
    void run(const float* x, const float* residual, float* y, const convolution& g, void* scratch,
             int threads = 0) const {
        if (g.batch == 0 || g.out_h == 0 || g.out_w == 0) return;
        if (shape_.is_depthwise()) return run_depthwise(x, residual, y, g, threads);
        if (!reads_in_place(g) && goes_by_lines(g)) return run_lines(x, residual, y, g, false, scratch, threads);
        const index_t m = g.batch * g.out_h * g.out_w;
        const detail::layer_end<Arch> end = end_of(residual);
        const auto in_place = [&](index_t i, index_t) { return simd::left_block<float>{x + i * g.in_c, g.in_c, 1}; };
        if (reads_in_place(g)) {
            simd::share_packed(m, weights_[0], threads, [&](int, index_t i0, index_t i1, index_t v0, index_t v1) {
                simd::multiply_packed<Arch>(in_place, i0, i1, weights_[0], v0, v1, y, g.out_c, end);
            });
            return;
        }
        const index_t row = detail::gathered_row<float>(weights_[0].rows());
        simd::share_packed(m, weights_[0], threads, [&](int cell, index_t i0, index_t i1, index_t v0, index_t v1) {
            auto* const rows =
                static_cast<float*>(scratch) + cell * gathered_bytes(g) / static_cast<index_t>(sizeof(float));
            const auto gathered = [&](index_t i, index_t count) {
                detail::gather_rows(x, g, i, count, rows);
                return simd::left_block<float>{rows, row, 1};
            };
            simd::multiply_packed<Arch>(gathered, i0, i1, weights_[0], v0, v1, y, g.out_c, end);
        });
    }

    /// Whether `run_planes` can be used: not for depthwise convolutions.
    [[nodiscard]] bool takes_planes() const noexcept { return !shape_.is_depthwise(); }

    [[nodiscard]] index_t planes_scratch_bytes(const convolution& g, int threads = 0) const {
        return cells(threads) * detail::conv_lines(g, true).bytes();
    }

    /// As `run`, with the same bits, from x [n, in_c, h, w]. Made for few channels: each line is copied once for each row
    /// of the window.
    /// @param scratch  `planes_scratch_bytes(g, threads)`, aligned to 64
    void run_planes(const float* x, const float* residual, float* y, const convolution& g, void* scratch,
                    int threads = 0) const {
        assert(takes_planes());
        if (g.batch == 0 || g.out_h == 0 || g.out_w == 0) return;
        run_lines(x, residual, y, g, true, scratch, threads);
    }

private:
    /// Whether a row of results is worth tiles of its own: in the others, rows of the product run on from one to the next.
    [[nodiscard]] static bool goes_by_lines(const convolution& g) noexcept {
        return g.groups != 1 || (g.window.kernel_w > 1 && (g.in_c <= 4 || g.out_w >= 20));
    }

    /// Whether pixels of the image are the rows of the product. Not where rows are whole pages apart: too few of them fit
    /// the first cache at a time.
    [[nodiscard]] static bool reads_in_place(const convolution& g) noexcept {
        return g.is_pointwise() && g.window.stride_h == 1 && g.window.stride_w == 1 && g.in_c % 1024 != 0;
    }

    [[nodiscard]] static index_t cells(int threads) noexcept { return threads != 0 ? threads : edge::threads(); }

    [[nodiscard]] index_t gathered_bytes(const convolution& g) const noexcept {
        const index_t k = weights_[0].rows();
        const index_t most = simd::packed_rows<Arch, float>(k, weights_[0].columns());
        const index_t rows = (std::min)(most, g.batch * g.out_h * g.out_w);
        return rows * detail::gathered_row<float>(k) * static_cast<index_t>(sizeof(float));
    }

    [[nodiscard]] detail::layer_end<Arch> end_of(const float* residual) const noexcept {
        return {bias_.empty() ? nullptr : bias_.data(), residual, shape_.out_c, activation_};
    }

    void run_lines(const float* x, const float* residual, float* y, const convolution& g, bool planar, void* scratch,
                   int threads) const {
        const detail::conv_lines lines(g, planar);
        const detail::layer_end<Arch> end = end_of(residual);
        const int parts = simd::product_parts(g.batch * g.out_h * g.out_w, g.out_c, weights_[0].rows() + 1, threads);
        parallel_parts(parts, [&](int part) {
            auto* const memory = static_cast<unsigned char*>(scratch) + part * lines.bytes();
            auto* const places = reinterpret_cast<index_t*>(memory);
            auto* const copied = reinterpret_cast<float*>(memory + lines.table_bytes());
            lines.list(places);
            const auto [first, last] = partition(g.batch * g.out_h, parts, part);
            for (index_t row = first; row < last; ++row) {
                lines.copy(x, row, copied);
                const index_t start = row * g.out_w;
                const float* from = copied;
                index_t column = 0;
                for (const auto& w : weights_) {
                    const auto block = [&](index_t i, index_t) { return lines.block(from, i - start, places); };
                    simd::multiply_packed<Arch>(block, start, start + g.out_w, w, 0, w.vectors(), y, g.out_c, end,
                                                column);
                    from += lines.group_step();
                    column += w.columns();
                }
            }
        });
    }

    void run_depthwise(const float* x, const float* residual, float* y, const convolution& g, int threads) const {
        const float* const bias = bias_.empty() ? nullptr : bias_.data();
        const bool is_done = residual == nullptr;
        detail::depthwise<Arch>(x, depthwise_.data(),
                                detail::float_ends<Arch>{bias, y, g.out_c, is_done ? activation_ : activation{}}, g,
                                threads);
        if (is_done) return;
        const detail::layer_end<Arch> end{nullptr, residual, 0, activation_};
        constexpr auto lanes = static_cast<index_t>(simd::lanes<float, Arch>);
        const index_t n = g.output().size();
        parallel_for(n, {.threads = threads, .grain = 1 << 14, .align = lanes}, [&](index_t first, index_t last) {
            for (index_t i = first; i < last; i += lanes) {
                const index_t count = (std::min)(lanes, last - i);
                simd::batch<float, Arch> v[1][1] = {{detail::load_some<Arch>(y + i, count)}};
                end(v, 0, i, count);
                detail::store_some<Arch>(y + i, v[0][0], count);
            }
        });
    }

    convolution shape_;                                      ///< channels, groups and window
    std::vector<simd::packed_matrix<float, Arch>> weights_;  ///< of each group
    std::vector<float> depthwise_;                           ///< [kernel_h, kernel_w, c]
    std::vector<float> bias_;
    activation activation_;
};

}  // namespace edge::nn
