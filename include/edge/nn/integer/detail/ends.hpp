// SPDX-License-Identifier: MIT
#pragma once

/// @file What becomes of the sums of integer layers: bytes or floats. `finish`es of simd/packed_gemm_i8.hpp.

#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/integer/add.hpp>
#include <edge/nn/window.hpp>
#include <edge/quant/requantize.hpp>
#include <edge/simd/packed_gemm_i8.hpp>

namespace edge::nn::integer::detail {

using simd::unrolled;

/// Sums to bytes, and a residual to those.
template <class Arch>
struct byte_sums {
    quant::requantizer rule;  ///< its multipliers `padded`
    bool is_tame;             ///< whether |sum · multiplier| stays below 2^30
    std::uint8_t* y;
    index_t y_row;                 ///< between rows of y and of the residual
    const std::uint8_t* residual;  ///< or null
    const byte_sum* sum;           ///< how it is added

    template <int vectors>
    void operator()(std::integral_constant<int, vectors>, const std::int32_t* sums, index_t row, index_t rows,
                    index_t column, index_t count) const noexcept {
        constexpr index_t width = vectors * n;
        std::uint8_t* const to = y + row * y_row + column;
        const bool plain = rule.zero_point == 0 && rule.range == quant::limits{0, 255};
        if (is_tame && residual == nullptr && count == width) {
            if (plain) return to_rows<vectors, true>(sums, rows, column, to, y_row);
            return to_rows<vectors, false>(sums, rows, column, to, y_row);
        }
        alignas(64) std::uint8_t bytes[simd::detail::byte_buffer<Arch>];
        if (is_tame) {
            to_rows<vectors, false>(sums, rows, column, bytes, width);
        } else {
            for (index_t i = 0; i < rows; ++i)
                quant::detail::requantize<Arch>(sums + i * width, bytes + i * width, width, rule, column);
        }
        if (residual != nullptr) {
            alignas(64) std::uint8_t other[simd::detail::byte_buffer<Arch>] = {};
            simd::copy_block<Arch>(residual + row * y_row + column, y_row, 1, other, width, 1, rows, count);
            detail::add<Arch>(bytes, other, bytes, rows * width, *sum);
        }
        simd::copy_block<Arch>(static_cast<const std::uint8_t*>(bytes), width, 1, to, y_row, 1, rows, count);
    }

private:
    static constexpr auto n = static_cast<index_t>(simd::lanes<float, Arch>);

    /// Sums [rows, vectors · n] as bytes. 20 instructions for four registers, 16 if plain.
    template <int vectors, bool plain>
    void to_rows(const std::int32_t* sums, index_t rows, index_t column, std::uint8_t* to,
                 index_t to_row) const noexcept {
        using batch = simd::batch<float, Arch>;
        using integers = simd::batch<std::int32_t, Arch>;
        constexpr index_t each = 4 / vectors;
        batch multiplier[vectors];
        unrolled<vectors>([&](auto j) { multiplier[j] = batch::load_unaligned(rule.multiplier + column + j * n); });
        const auto zero = static_cast<std::int16_t>(rule.zero_point);
        const auto low = static_cast<std::uint8_t>(rule.range.low);
        const auto high = static_cast<std::uint8_t>(rule.range.high);
        for (; rows > 0; rows -= each, sums += 4 * n, to += each * to_row) {
            integers v[4];
            unrolled<4>([&](auto t) {
                const batch s = xsimd::to_float(integers::load_aligned(sums + t * n));
                v[t] = simd::round_to_int<Arch>(s * multiplier[t % vectors]);
            });
            const auto all = simd::narrowed<Arch, plain>(v[0], v[1], v[2], v[3], zero, low, high);
            if (rows >= each) {
                simd::store_parts<Arch, each>(all, to, to_row);
            } else {
                alignas(64) std::uint8_t last[4 * n];
                all.store_aligned(last);
                for (index_t i = 0; i < rows; ++i) std::memcpy(to + i * to_row, last + i * vectors * n, vectors * n);
            }
        }
    }
};

/// y = float(sum) · scale[c] + bias[c], both rounded, then held in `limits`: of layers whose result is not quantized.
template <class Arch>
struct float_sums {
    const float* scale;  ///< as many as there are lanes
    const float* bias;   ///< `padded`
    clamp limits;
    float* y;
    index_t y_row;

    template <int vectors>
    void operator()(std::integral_constant<int, vectors>, const std::int32_t* sums, index_t row, index_t rows,
                    index_t column, index_t count) const noexcept {
        using batch = simd::batch<float, Arch>;
        using integers = simd::batch<std::int32_t, Arch>;
        constexpr auto n = static_cast<index_t>(batch::size);
        constexpr index_t width = vectors * n;
        const batch low(limits.low), high(limits.high);
        float* to = y + row * y_row + column;
        for (index_t i = 0; i < rows; ++i, to += y_row, sums += width) {
            alignas(64) float apart[width];
            float* const here = count == width ? to : apart;
            unrolled<vectors>([&](auto j) {
                const batch s = xsimd::to_float(integers::load_aligned(sums + j * n));
                const batch product = simd::detail::rounded(s * batch::load_unaligned(scale + column + j * n));
                const batch v = product + batch::load_unaligned(bias + column + j * n);
                nn::detail::clamped<Arch>(v, low, high).store_unaligned(here + j * n);
            });
            if (count != width) std::memcpy(to, apart, static_cast<std::size_t>(count) * sizeof(float));
        }
    }
};

/// Numbers of columns, and some more, so that those of a tile can be read wherever it begins.
template <class Arch>
[[nodiscard]] inline std::vector<float> padded(const float* from, index_t count) {
    std::vector<float> all(static_cast<std::size_t>(count + simd::detail::byte_tile<Arch>::columns), 0.0f);
    if (from != nullptr) std::copy_n(from, count, all.begin());
    return all;
}

}  // namespace edge::nn::integer::detail
