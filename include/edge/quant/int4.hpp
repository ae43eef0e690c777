// SPDX-License-Identifier: MIT
#pragma once

/// @file Weights of 4 bits, two a byte, with a scale for each group of some dozen: a linear layer for real inputs.
///
///     edge::quant::linear_int4 layer(weights, bias, {.group = 64});        // float [n, k], [n]
///     edge::tensor<float> y = layer(x);                                    // x [m, k]; y = x·dequantize(w)ᵀ + bias
///
/// For layers that wait for their weights: those of few rows of x read an eighth of what floats would take. Weights are
/// unpacked in registers, four rows of x at a time.

#include <edge/core/parallel.hpp>
#include <edge/quant/quantize.hpp>

#include <utility>
#include <vector>

namespace edge::quant {

struct int4_options {
    index_t group = 64;  ///< weights of a row that share a scale: a multiple of 32
};

namespace detail {

/// Weights that are packed together: byte i of 16 holds weight i below and weight i + 16 above, 8 more than each is, so
/// that registers of 4 to 16 lanes take them as they lie.
inline constexpr index_t int4_block = 32;

/// Σ x·w over each row of x, for one row of weights. The sums are sixteen chains on every architecture, added at the end.
/// @param x     Rows rows of `groups`·`group` values, `ldx` apart
/// @param sums  [Rows, groups], those of 8·x in each group
template <class Arch, int Rows>
void int4_dots(const float* x, index_t ldx, const float* sums, const std::uint8_t* w, const float* scales,
               index_t groups, index_t group, float* to) noexcept {
    using batch = simd::batch<float, Arch>;
    using integers = simd::batch<std::int32_t, Arch>;
    constexpr index_t half = int4_block / 2;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    constexpr auto parts = static_cast<std::size_t>(half / lanes);
    const integers low_bits(15);
    double total[Rows] = {};
    for (index_t g = 0; g < groups; ++g) {
        batch dots[Rows][parts];
        for (auto& row : dots)
            for (auto& d : row) d = batch(0.0f);
        for (index_t at = g * group; at < (g + 1) * group; at += int4_block, w += half)
            for (std::size_t p = 0; p < parts; ++p) {
                const index_t first = static_cast<index_t>(p) * lanes;
                const integers both = simd::load_as_int<Arch>(w + first);
                const batch low = xsimd::to_float(both & low_bits), high = xsimd::to_float(both >> 4);
                for (int r = 0; r < Rows; ++r) {
                    const float* from = x + r * ldx + at + first;
                    dots[r][p] = simd::fma(low, batch::load_unaligned(from), dots[r][p]);
                    dots[r][p] = simd::fma(high, batch::load_unaligned(from + half), dots[r][p]);
                }
            }
        for (int r = 0; r < Rows; ++r) {
            alignas(alignment) float chains[half];
            for (std::size_t p = 0; p < parts; ++p) dots[r][p].store_aligned(chains + p * batch::size);
            float sum = 0.0f;
            for (index_t c = half; c > 1; c /= 2)
                for (index_t i = 0; i < c / 2; ++i) chains[i] += chains[i + c / 2];
            sum = chains[0] - sums[r * groups + g];
            total[r] += static_cast<double>(sum) * static_cast<double>(scales[g]);
        }
    }
    for (int r = 0; r < Rows; ++r) to[r] = static_cast<float>(total[r]);
}

}  // namespace detail

/// 4-bit weights [n, k], symmetric on [-7, 7] (or -8 where given), and a float bias.
class linear_int4 {
public:
    /// Quantizes float weights, each group of a row by its own range.
    /// @param weights  [n, k], contiguous
    /// @param bias     [n], or empty for none
    /// @throws shape_error     if they do not fit each other
    /// @throws argument_error  if a weight or bias is not finite, or the group is no multiple of 32
    linear_int4(tensor_view<const float> weights, std::span<const float> bias, const int4_options& options = {})
        : linear_int4(checked(weights.shape()), bias, options) {
        const format f(dtype::i8, {-7, 7}, true);
        const float* from = weights.flat().data();
        for (index_t row = 0; row < n_; ++row)
            for (index_t g = 0; g < groups_; ++g) {
                const index_t first = g * group_, count = (std::min)(group_, k_ - first);
                float most = 0.0f;
                for (index_t i = 0; i < count; ++i) {
                    const float w = from[row * k_ + first + i];
                    if (!std::isfinite(w))
                        throw argument_error(
                            message("int4: weight ", row * k_ + first + i, " is ", w, "; expected a finite number"));
                    most = (std::max)(most, std::abs(w));
                }
                const parameters p = choose_parameters(-most, most, f);
                scales_[static_cast<std::size_t>(row * groups_ + g)] = p.scale;
                for (index_t i = 0; i < count; ++i)
                    put(row, first + i, quantize_one<std::int8_t>(from[row * k_ + first + i], p, f.range));
            }
    }

    /// Takes integers that were chosen already, as by `round_weights`.
    /// @param integers  [n, k], each in [-8, 7]
    /// @param scales    [n, ⌈k / group⌉]
    /// @throws shape_error     if they do not fit each other
    /// @throws argument_error  if an integer or scale is out of its range
    linear_int4(const tensor<std::int8_t>& integers, const tensor<float>& scales, std::span<const float> bias,
                const int4_options& options = {})
        : linear_int4(checked(integers.shape()), bias, options) {
        if (scales.shape() != shape{n_, groups_})
            throw shape_error(message("int4: scales ", scales.shape(), "; expected ", shape{n_, groups_}));
        for (const float s : scales) check(parameters{s, 0}, limits_of<std::int8_t>);
        scales_.assign(scales.begin(), scales.end());
        for (index_t row = 0; row < n_; ++row)
            for (index_t i = 0; i < k_; ++i) {
                const std::int8_t q = integers[row * k_ + i];
                if (q < -8 || q > 7) throw argument_error(message("int4: weight ", row * k_ + i, " is ", int{q}));
                put(row, i, q);
            }
    }

    [[nodiscard]] index_t inputs() const noexcept { return k_; }
    [[nodiscard]] index_t outputs() const noexcept { return n_; }
    /// Of weights and scales.
    [[nodiscard]] std::size_t bytes() const noexcept { return packed_.size() + scales_.size() * sizeof(float); }

    /// The weights as floats, [n, k].
    [[nodiscard]] tensor<float> weights() const {
        tensor<float> w({n_, k_});
        for (index_t row = 0; row < n_; ++row)
            for (index_t i = 0; i < k_; ++i) {
                const auto [byte, shift] = place(row, i);
                w(row, i) = static_cast<float>((packed_[byte] >> shift & 15) - 8) *
                            scales_[static_cast<std::size_t>(row * groups_ + i / group_)];
            }
        return w;
    }

    /// y = x·wᵀ + bias. The bits do not depend on the number of threads or of rows.
    /// @param x  [m, k], contiguous
    /// @return  [m, n]
    /// @throws shape_error  if x does not fit
    [[nodiscard]] tensor<float> operator()(tensor_view<const float> x, int threads = 0) const {
        if (x.rank() != 2 || x.shape()[1] != k_)
            throw shape_error(message("int4: input ", x.shape(), " for weights ", shape{n_, k_}));
        const index_t m = x.shape()[0], padded = groups_ * group_;
        std::vector<float> rows;
        const float* from = x.flat().data();
        if (padded != k_) {
            rows.resize(static_cast<std::size_t>(m * padded));
            for (index_t i = 0; i < m; ++i) std::copy_n(from + i * k_, k_, rows.data() + i * padded);
            from = rows.data();
        }
        std::vector<float> sums(
            static_cast<std::size_t>(m * groups_));  // what the 8 that each weight is stored higher adds
        for (index_t i = 0; i < m * groups_; ++i) {
            double sum = 0.0;
            for (index_t j = 0; j < group_; ++j) sum += static_cast<double>(from[i * group_ + j]);
            sums[static_cast<std::size_t>(i)] = static_cast<float>(8.0 * sum);
        }
        auto y = tensor<float>::uninitialized({m, n_});
        using arch = simd::detail::default_arch;
        const index_t grain = (std::max)(index_t{1}, (index_t{1} << 16) / (std::max)(index_t{1}, m * k_));
        parallel_for(n_, {.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
            float dots[4];
            for (index_t o = first; o < last; ++o) {
                const std::uint8_t* w = packed_.data() + o * padded / 2;
                const float* scales = scales_.data() + o * groups_;
                const float bias = bias_.empty() ? 0.0f : bias_[static_cast<std::size_t>(o)];
                for (index_t i = 0; i < m;) {
                    const index_t count = m - i >= 4 ? 4 : 1;
                    const float* some = from + i * padded;
                    if (count == 4)
                        detail::int4_dots<arch, 4>(some, padded, sums.data() + i * groups_, w, scales, groups_, group_,
                                                   dots);
                    else
                        detail::int4_dots<arch, 1>(some, padded, sums.data() + i * groups_, w, scales, groups_, group_,
                                                   dots);
                    for (index_t r = 0; r < count; ++r) y(i + r, o) = dots[r] + bias;
                    i += count;
                }
            }
        });
        return y;
    }

private:
    static const shape& checked(const shape& s) {
        if (s.rank() != 2) throw shape_error(message("int4: weights ", s, "; expected [n, k]"));
        return s;
    }

    linear_int4(const shape& s, std::span<const float> bias, const int4_options& options)
        : n_(s[0]), k_(s[1]), group_(options.group), bias_(bias.begin(), bias.end()) {
        if (group_ < detail::int4_block || group_ % detail::int4_block != 0)
            throw argument_error(message("int4: group ", group_, "; expected a multiple of ", detail::int4_block));
        if (!bias.empty() && static_cast<index_t>(bias.size()) != n_)
            throw shape_error(message("int4: ", bias.size(), " biases for weights ", s));
        for (std::size_t i = 0; i < bias.size(); ++i)
            if (!std::isfinite(bias[i]))
                throw argument_error(message("int4: bias ", i, " is ", bias[i], "; expected a finite number"));
        groups_ = (k_ + group_ - 1) / group_;
        packed_.resize(static_cast<std::size_t>(n_ * groups_ * group_ / 2), 0x88);  // zeros
        scales_.resize(static_cast<std::size_t>(n_ * groups_), 1.0f);
    }

    /// Byte and lowest bit of a weight.
    [[nodiscard]] std::pair<std::size_t, int> place(index_t row, index_t i) const noexcept {
        constexpr index_t half = detail::int4_block / 2;
        const index_t at = row * groups_ * group_ + i;
        return {static_cast<std::size_t>(at / detail::int4_block * half + at % half),
                at % detail::int4_block < half ? 0 : 4};
    }
    void put(index_t row, index_t i, std::int8_t q) noexcept {
        const auto [byte, shift] = place(row, i);
        packed_[byte] = static_cast<std::uint8_t>((packed_[byte] & ~(15 << shift)) | (q + 8) << shift);
    }

    index_t n_, k_, group_;
    index_t groups_ = 0;
    std::vector<std::uint8_t> packed_;
    std::vector<float> scales_;
    std::vector<float> bias_;
};

}  // namespace edge::quant
