// SPDX-License-Identifier: MIT
#pragma once

/// @file What becomes of the sums of integer layers: bytes or floats. `finish`es of simd/packed_gemm_i8.hpp.

#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/integer/byte_end.hpp>
#include <edge/nn/window.hpp>
#include <edge/quant/requantize.hpp>
#include <edge/simd/packed_gemm_i8.hpp>

namespace edge::nn::integer::detail {

using simd::unrolled;

/// z[i] = the sum of x[i] and other[i] as `byte_sum` says; z may be one of them.
template <class Arch>
inline void add_bytes(const std::uint8_t* x, const std::uint8_t* other, std::uint8_t* z, index_t count,
                      const byte_sum& rule) noexcept {
    using batch = simd::batch<float, Arch>;
    using integers = simd::batch<std::int32_t, Arch>;
    constexpr auto n = static_cast<index_t>(batch::size);
    const integers x_zero(rule.x_zero), other_zero(rule.other_zero), zero(rule.zero_point);
    const batch x_scale(rule.x_scale), other_scale(rule.other_scale);
    const batch low(static_cast<float>(rule.range.low - rule.zero_point));
    const batch high(static_cast<float>(rule.range.high - rule.zero_point));
    const auto sum = [&](const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* to) {
        const batch one = xsimd::to_float(simd::load_as_int<Arch>(a) - x_zero) * x_scale;
        const batch two = xsimd::to_float(simd::load_as_int<Arch>(b) - other_zero) * other_scale;
        const batch v = simd::detail::rounded(one) + simd::detail::rounded(two);
        const batch raised = xsimd::select(v > low, v, low);
        const batch held = xsimd::select(raised < high, raised, high);
        simd::store_saturated<Arch>(simd::round_to_int<Arch>(held) + zero, to);
    };
    index_t i = 0;
    for (; i + n <= count; i += n) sum(x + i, other + i, z + i);
    if (i == count) return;
    std::uint8_t a[batch::size] = {};
    std::uint8_t b[batch::size] = {};
    std::copy_n(x + i, count - i, a);
    std::copy_n(other + i, count - i, b);
    sum(a, b, a);
    std::copy_n(a, count - i, z + i);
}

/// Sums to bytes, and a residual to those.
template <class Arch>
struct byte_sums {
    quant::requantizer rule;  ///< its multipliers to whole registers
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
            const std::uint8_t* const other = residual + row * y_row + column;
            for (index_t i = 0; i < rows; ++i)
                add_bytes<Arch>(bytes + i * width, other + i * y_row, to + i * y_row, count, *sum);
        } else {
            simd::copy_block<Arch>(static_cast<const std::uint8_t*>(bytes), width, 1, to, y_row, 1, rows, count);
        }
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
    const float* scale;  ///< to whole registers
    const float* bias;   ///< to whole registers
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

/// As many numbers as there are lanes, the last ones 0.
template <class Arch>
[[nodiscard]] inline std::vector<float> padded(const float* from, index_t count) {
    constexpr auto n = static_cast<index_t>(simd::lanes<float, Arch>);
    std::vector<float> all(static_cast<std::size_t>((count + n - 1) / n * n), 0.0f);
    if (from != nullptr) std::copy_n(from, count, all.begin());
    return all;
}

}  // namespace edge::nn::integer::detail
