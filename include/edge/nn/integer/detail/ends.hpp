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
    using batch = simd::batch<float, Arch>;
    using integers = simd::batch<std::int32_t, Arch>;
    static constexpr auto n = static_cast<index_t>(batch::size);

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
        if (takes_registers() && count == width) return to_rows<vectors>(sums, rows, column, to, y_row);
        alignas(64) std::uint8_t bytes[simd::detail::byte_buffer<Arch>];
        if (is_tame) {
            to_rows<vectors>(sums, rows, column, bytes, width);
        } else {
            for (index_t i = 0; i < rows; ++i)
                quant::detail::requantize<Arch>(sums + i * width, bytes + i * width, width, rule, column);
        }
        if (residual != nullptr && !adds_rows()) {
            alignas(64) std::uint8_t other[simd::detail::byte_buffer<Arch>] = {};
            simd::copy_block<Arch>(residual + row * y_row + column, y_row, 1, other, width, 1, rows, count);
            detail::add<Arch>(bytes, other, bytes, rows * width, *sum);
        }
        simd::copy_block<Arch>(static_cast<const std::uint8_t*>(bytes), width, 1, to, y_row, 1, rows, count);
    }

    [[nodiscard]] bool takes_registers() const noexcept { return is_tame && (residual == nullptr || adds_rows()); }

    /// Adds the residual to rows that are still in a near cache.
    void rows_done(index_t row, index_t rows, index_t column, index_t columns) const noexcept {
        if (!adds_rows()) return;
        const index_t run = columns == y_row ? rows * columns : columns;
        for (index_t i = row * y_row + column; rows > 0; rows -= run / columns, i += y_row)
            detail::add<Arch>(y + i, residual + i, y + i, run, *sum);
    }

    /// A whole tile in registers.
    template <std::size_t rows, std::size_t vectors>
    EDGE_ALWAYS_INLINE void take(const integers (&sums)[rows][vectors], index_t row, index_t column) const noexcept {
        const packer<static_cast<int>(vectors)> pack(*this, column);
        std::uint8_t* const to = y + row * y_row + column;
        if (pack.is_plain)
            take_as<true>(sums, pack, to, y_row);
        else
            take_as<false>(sums, pack, to, y_row);
    }

private:
    /// Whether a residual waits until rows are done: not where it lies in y.
    [[nodiscard]] bool adds_rows() const noexcept { return residual != nullptr && residual != y; }

    /// Four registers of sums as one of bytes: 20 instructions, 16 if plain.
    template <int vectors>
    struct packer {
        batch multiplier[vectors];
        std::int16_t zero;
        std::uint8_t low, high;
        bool is_plain;

        EDGE_ALWAYS_INLINE packer(const byte_sums& end, index_t column) noexcept
            : zero(static_cast<std::int16_t>(end.rule.zero_point)),
              low(static_cast<std::uint8_t>(end.rule.range.low)),
              high(static_cast<std::uint8_t>(end.rule.range.high)),
              is_plain(zero == 0 && low == 0 && high == 255) {
            unrolled<vectors>(
                [&](auto j) { multiplier[j] = batch::load_unaligned(end.rule.multiplier + column + j * n); });
        }

        /// @param sum_of  called with 0, 1, 2 and 3
        template <bool plain, class Sum>
        [[nodiscard]] EDGE_ALWAYS_INLINE simd::batch<std::uint8_t, Arch> bytes(const Sum& sum_of) const noexcept {
            integers v[4];
            unrolled<4>(
                [&](auto t) { v[t] = simd::round_to_int<Arch>(xsimd::to_float(sum_of(t)) * multiplier[t % vectors]); });
            return simd::narrowed<Arch, plain>(v[0], v[1], v[2], v[3], zero, low, high);
        }
    };

    template <bool plain, class Pack, std::size_t rows, std::size_t vectors>
    EDGE_ALWAYS_INLINE static void take_as(const integers (&sums)[rows][vectors], const Pack& pack, std::uint8_t* to,
                                           index_t to_row) noexcept {
        constexpr int across = static_cast<int>(vectors);
        constexpr int all = static_cast<int>(rows) * across;
        constexpr int each = 4 / across;
        unrolled<(all + 3) / 4>([&](auto run) {
            // The last run may have too few registers: the last one again and again.
            const auto bytes = pack.template bytes<plain>([&](auto t) {
                constexpr int i = run * 4 + t < all ? run * 4 + t : all - 1;
                return sums[i / across][i % across];
            });
            if constexpr (run * 4 + 4 <= all)
                simd::store_parts<Arch, each>(bytes, to, to_row);
            else
                store<each>(bytes, static_cast<index_t>(rows) - run * each, to, to_row);
            to += each * to_row;
        });
    }

    /// As many parts of a register as there are rows.
    template <int parts>
    EDGE_ALWAYS_INLINE static void store(const simd::batch<std::uint8_t, Arch>& bytes, index_t rows, std::uint8_t* to,
                                         index_t to_row) noexcept {
        if (rows >= parts) return simd::store_parts<Arch, parts>(bytes, to, to_row);
        alignas(64) std::uint8_t last[4 * n];
        bytes.store_aligned(last);
        for (index_t i = 0; i < rows; ++i)
            std::memcpy(to + i * to_row, last + i * (4 * n / parts), static_cast<std::size_t>(4 * n / parts));
    }

    /// Sums [rows, vectors · n].
    template <int vectors>
    void to_rows(const std::int32_t* sums, index_t rows, index_t column, std::uint8_t* to,
                 index_t to_row) const noexcept {
        const packer<vectors> pack(*this, column);
        if (pack.is_plain)
            to_rows_as<true>(sums, rows, pack, to, to_row);
        else
            to_rows_as<false>(sums, rows, pack, to, to_row);
    }

    template <bool plain, int vectors>
    EDGE_ALWAYS_INLINE static void to_rows_as(const std::int32_t* sums, index_t rows, packer<vectors> pack,
                                              std::uint8_t* to, index_t to_row) noexcept {
        constexpr index_t each = 4 / vectors;
        for (; rows > 0; rows -= each, sums += 4 * n, to += each * to_row) {
            const auto bytes = pack.template bytes<plain>([&](auto t) { return integers::load_aligned(sums + t * n); });
            store<each>(bytes, rows, to, to_row);
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
