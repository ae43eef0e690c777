// SPDX-License-Identifier: MIT
#pragma once

/// @file Dense layer of 8-bit integers with exact int32 sums.
///
///     sum[m, n] = start[n] + Σ_k x[m, k]·w[n, k] - w_zero[n]·Σ_k x[m, k]
///
/// `start` holds the bias and what the zero points come to (`dense_start`), so the loop multiplies bytes as they are.
/// Sums are exact while the true result fits int32, that is for k up to 33025; beyond, they wrap modulo 2^32, on every
/// architecture alike. What becomes of the sums is the caller's: `to_bytes`, `to_int32` and `to_float` are here.

#include <edge/core/parallel.hpp>
#include <edge/quant/requantize.hpp>
#include <edge/simd/dot.hpp>

namespace edge::quant::detail {

/// Sums are handed over in runs of at most this many channels.
inline constexpr index_t channels_at_once = 16;

/// Sums to 8-bit results.
template <class Arch, byte_integer Q>
struct to_bytes {
    Q* y;
    index_t ldy;
    requantizer rule;
    void operator()(const std::int32_t* sums, index_t row, index_t channel, index_t count) const noexcept {
        requantize<Arch>(sums, y + row * ldy + channel, count, rule, channel);
    }
};

/// Sums as they are.
struct to_int32 {
    std::int32_t* y;
    index_t ldy;
    void operator()(const std::int32_t* sums, index_t row, index_t channel, index_t count) const noexcept {
        for (index_t i = 0; i < count; ++i) y[row * ldy + channel + i] = sums[i];
    }
};

/// y = float(sum) · scale[channel] + bias[channel]: the end of a layer whose input was quantized on the spot.
struct to_float {
    float* y;
    index_t ldy;
    const float* scale;
    const float* bias;  ///< or null
    void operator()(const std::int32_t* sums, index_t row, index_t channel, index_t count) const noexcept {
        for (index_t i = 0; i < count; ++i) {
            // A product of two floats is exact in double: fused with the addition or not, the bits are the same.
            const double product =
                static_cast<double>(static_cast<float>(sums[i])) * static_cast<double>(scale[channel + i]);
            const double added = bias == nullptr ? 0.0 : static_cast<double>(bias[channel + i]);
            y[row * ldy + channel + i] = static_cast<float>(product + added);
        }
    }
};

/// The sum of k bytes, modulo 2^32.
template <byte_integer T>
[[nodiscard]] inline std::uint32_t sum_of(const T* x, index_t k) noexcept {
    std::uint32_t sum = 0;
    for (index_t i = 0; i < k; ++i) sum += static_cast<std::uint32_t>(std::int32_t{x[i]});
    return sum;
}

/// Where a channel's sum starts: bias - x_zero·Σ(w - w_zero).
template <byte_integer W>
[[nodiscard]] inline std::int32_t dense_start(const W* w, index_t k, std::int32_t bias, std::int32_t x_zero,
                                              std::int32_t w_zero) noexcept {
    const std::uint32_t weights = sum_of(w, k) - static_cast<std::uint32_t>(k) * static_cast<std::uint32_t>(w_zero);
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) - static_cast<std::uint32_t>(x_zero) * weights);
}

/// x [m, k] with rows `ldx` apart; w [n, k]: the weights of a result lie next to each other; start [n];
/// w_zero [n], or null where all are 0. `finish` is called with (sums, row, first channel, count).
template <class Arch, byte_integer X, byte_integer W, class Finish>
void dense_i8(const X* x, index_t ldx, const W* w, const std::int32_t* start, const std::int32_t* w_zero, index_t m,
              index_t first, index_t last, index_t k, const Finish& finish) noexcept {
    std::int32_t sums[channels_at_once];
    for (index_t j = first; j < last; j += channels_at_once) {  // these weights stay in cache for all rows
        const index_t count = last - j < channels_at_once ? last - j : channels_at_once;
        for (index_t i = 0; i < m; ++i) {
            const X* row = x + i * ldx;
            const std::uint32_t total = w_zero == nullptr ? 0 : sum_of(row, k);
            for (index_t c = 0; c < count; ++c) {
                auto sum = static_cast<std::uint32_t>(simd::dot<Arch>(row, w + (j + c) * k, k));
                sum += static_cast<std::uint32_t>(start[j + c]);
                if (w_zero != nullptr) sum -= static_cast<std::uint32_t>(w_zero[j + c]) * total;
                sums[c] = static_cast<std::int32_t>(sum);
            }
            finish(sums, i, j, count);
        }
    }
}

/// A `finish` for rows that are counted from `first`.
template <class Finish>
struct from_row {
    const Finish& finish;
    index_t first;
    void operator()(const std::int32_t* sums, index_t row, index_t channel, index_t count) const noexcept {
        finish(sums, first + row, channel, count);
    }
};

/// The same on several threads, cut by rows, or by channels where there are few rows.
template <class Arch, byte_integer X, byte_integer W, class Finish>
void dense_i8(const X* x, index_t ldx, const W* w, const std::int32_t* start, const std::int32_t* w_zero, index_t m,
              index_t n, index_t k, const Finish& finish, int threads) {
    constexpr index_t worth = 1 << 15;  // multiplies that pay for waking a thread
    const index_t each = (std::max)(index_t{1}, k);
    if (m >= n / channels_at_once) {
        const index_t grain = (std::max)(index_t{1}, worth / (std::max)(index_t{1}, n * each));
        parallel_for(m, {.threads = threads, .grain = grain}, [&](index_t from, index_t to) {
            dense_i8<Arch>(x + from * ldx, ldx, w, start, w_zero, to - from, 0, n, k, from_row<Finish>{finish, from});
        });
    } else {
        const index_t grain = (std::max)(channels_at_once, worth / (std::max)(index_t{1}, m * each));
        parallel_for(n, {.threads = threads, .grain = grain, .align = channels_at_once}, [&](index_t from, index_t to) {
            dense_i8<Arch>(x, ldx, w, start, w_zero, m, from, to, k, finish);
        });
    }
}

}  // namespace edge::quant::detail
