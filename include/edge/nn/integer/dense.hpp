// SPDX-License-Identifier: MIT
#pragma once

/// @file Dense layer of integers: uint8 rows, int8 weights, exact sums; results are bytes, or floats.
///
///     edge::nn::integer::dense_layer layer({w, k, n, n}, bias, x_zero, end);        // packs the weights
///     layer.run(x, nullptr, y, rows, scratch, threads);             // scratch: layer.scratch_bytes(rows, threads)
///
/// The bits of a result depend on its row of x and its column of w alone: not on the architecture, the number of rows or
/// the number of threads.

#include <edge/nn/integer/detail/ends.hpp>

#include <optional>

namespace edge::nn::integer {

namespace detail {

/// Memory for widened rows that each thread needs.
template <class Arch>
[[nodiscard]] index_t scratch_bytes(const simd::packed_bytes<Arch>& w, index_t rows) noexcept {
    if (simd::reads_bytes<Arch>) return 0;
    const index_t most = (std::min)(rows, simd::packed_byte_rows<Arch>(w.rows(), w.columns()));
    return (most * simd::widened_row<Arch>(w.rows()) * 2 + 63) / 64 * 64;
}

/// Products of rows that lie in memory, `x_row` apart.
/// @param scratch  `scratch_bytes(w, rows)` for each thread
template <class Arch, class Finish>
void multiply_rows(const std::uint8_t* x, index_t x_row, index_t rows, const simd::packed_bytes<Arch>& w,
                   const std::int32_t* start, void* scratch, int threads, const Finish& finish) {
    simd::share_bytes(rows, w, threads, [&](int cell, index_t i0, index_t i1, index_t v0, index_t v1) {
        void* const widened = static_cast<char*>(scratch) + cell * scratch_bytes(w, rows);
        const auto block = [&](index_t i, index_t count) {
            return simd::rows_of_bytes<Arch>(x + i * x_row, x_row, count, w.rows(), widened);
        };
        simd::multiply_bytes<Arch>(block, i0, i1, w, v0, v1, start, finish);
    });
}

/// Weights of a layer and what its sums start with.
template <class Arch>
class byte_weights {
public:
    byte_weights(const simd::matrix<const std::int8_t>& w, const std::int32_t* bias, std::int32_t x_zero) : packed_(w) {
        for (const std::uint32_t sum : simd::column_sums<Arch>(w)) {
            const auto c = start_.size();
            const bool has_bias = bias != nullptr && static_cast<index_t>(c) < w.columns;
            start_.push_back(simd::byte_start<Arch>(sum, x_zero, has_bias ? bias[c] : 0));
        }
    }

    [[nodiscard]] const simd::packed_bytes<Arch>& packed() const noexcept { return packed_; }
    [[nodiscard]] const std::int32_t* start() const noexcept { return start_.data(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return packed_.bytes() + start_.size() * sizeof(std::int32_t); }

    /// Memory for widened rows that each thread needs.
    [[nodiscard]] index_t scratch_bytes(index_t rows) const noexcept { return detail::scratch_bytes(packed_, rows); }

    /// Products of rows that lie in memory.
    template <class Finish>
    void multiply(const std::uint8_t* x, index_t x_row, index_t rows, void* scratch, int threads,
                  const Finish& finish) const {
        multiply_rows(x, x_row, rows, packed_, start_.data(), scratch, threads, finish);
    }

private:
    simd::packed_bytes<Arch> packed_;
    std::vector<std::int32_t> start_;
};

/// `byte_end` as the kernels read it.
template <class Arch>
class byte_rule {
public:
    /// @throws argument_error  if there is not one multiplier for each of the columns, or a range is not of bytes
    byte_rule(const byte_end& end, index_t columns, std::int32_t x_zero, index_t k, const std::int32_t* bias)
        : multipliers_(padded<Arch>(end.multipliers.data(), static_cast<index_t>(end.multipliers.size()))),
          zero_point_(end.zero_point),
          range_(end.range) {
        if (static_cast<index_t>(end.multipliers.size()) != columns)
            throw argument_error(message(end.multipliers.size(), " multipliers for ", columns, " columns"));
        quant::check({1.0f, end.zero_point}, quant::limits_of<std::uint8_t>);
        const quant::format held(dtype::u8, range_, false);
        // Sums wrap where k is absurd: then any int32 may come.
        const double most = 128.0 * static_cast<double>((std::max)(x_zero, 255 - x_zero)) * static_cast<double>(k);
        for (index_t c = 0; c < columns; ++c) {
            const double sum = most + (bias == nullptr ? 0.0 : std::abs(static_cast<double>(bias[c])));
            const auto multiplier = static_cast<double>(end.multipliers[static_cast<std::size_t>(c)]);
            is_tame_ = is_tame_ && (std::min)(sum, 2147483648.0) * std::abs(multiplier) < 1073741824.0;
        }
    }

    [[nodiscard]] byte_sums<Arch> sums(std::uint8_t* y, index_t y_row, const std::uint8_t* residual,
                                       const byte_sum* sum) const noexcept {
        return {{multipliers_.data(), zero_point_, range_}, is_tame_, y, y_row, residual, sum};
    }

private:
    std::vector<float> multipliers_;
    std::int32_t zero_point_;
    quant::limits range_;
    bool is_tame_ = true;
};

}  // namespace detail

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = nn::detail::native>
class dense_layer {
public:
    /// @param w       [k, n], or ONNX's [n, k] by `transposed()`; zero point 0, any of [-128, 127]
    /// @param bias    [n] of scale x_scale · w_scale[c], or null
    /// @param x_zero  zero point of x
    /// @param sum     how a residual is added to y; its x is y before that
    /// @throws argument_error  if `end` does not fit
    dense_layer(const simd::matrix<const std::int8_t>& w, const std::int32_t* bias, std::int32_t x_zero,
                const byte_end& end, const std::optional<byte_sum>& sum = std::nullopt)
        : weights_(w, bias, x_zero), rule_(end, w.columns, x_zero, w.rows, bias), sum_(sum) {}

    [[nodiscard]] index_t inputs() const noexcept { return weights_.packed().rows(); }
    [[nodiscard]] index_t outputs() const noexcept { return weights_.packed().columns(); }

    /// Of packed weights and bias.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return weights_.bytes() + static_cast<std::size_t>(outputs()) * sizeof(float);
    }

    /// Memory that a run needs besides its input and output; it may be 0.
    [[nodiscard]] index_t scratch_bytes(index_t rows, int threads = 0) const {
        return weights_.scratch_bytes(rows) * (threads != 0 ? threads : edge::threads());
    }

    /// @param x         [rows, inputs]
    /// @param residual  [rows, outputs], or null; taken with the `byte_sum` of the constructor alone
    /// @param y         [rows, outputs]; must not overlap x; may be the residual
    /// @param scratch   `scratch_bytes(rows, threads)`, aligned to 64; null where that is 0
    /// @param threads   0: the process default
    void run(const std::uint8_t* x, const std::uint8_t* residual, std::uint8_t* y, index_t rows, void* scratch,
             int threads = 0) const {
        const auto finish = rule_.sums(y, outputs(), sum_ ? residual : nullptr, sum_ ? &*sum_ : nullptr);
        weights_.multiply(x, inputs(), rows, scratch, threads, finish);
    }

private:
    detail::byte_weights<Arch> weights_;
    detail::byte_rule<Arch> rule_;
    std::optional<byte_sum> sum_;
};

}  // namespace edge::nn::integer
