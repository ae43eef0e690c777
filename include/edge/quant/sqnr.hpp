// SPDX-License-Identifier: MIT
#pragma once

/// @file Signal to quantization noise: how far a quantized tensor is from the real one, in dB.
///
///     double db = edge::quant::sqnr(reference, quantized);       // 20 dB: the error is a tenth of the values
///
///     edge::quant::signal_and_noise seen;                        // over batches
///     seen.observe(reference, quantized);
///     seen.sqnr();

#include <edge/core/error.hpp>
#include <edge/core/shape.hpp>
#include <edge/simd/exact.hpp>

#include <cmath>
#include <span>

namespace edge::quant {

namespace detail {

/// sums[0] += Σ x², sums[1] += Σ (x - y)², in double; the bits are the same on every architecture: sixteen chains, by the
/// index of a value modulo 16, are added at the end.
template <class Arch>
void add_squares(const float* x, const float* y, index_t n, double* sums) noexcept {
    using floats = simd::batch<float, Arch>;
    using doubles = simd::batch<double, Arch>;
    constexpr auto lanes = static_cast<index_t>(floats::size);
    constexpr index_t chains = 16;
    constexpr auto parts = static_cast<std::size_t>(chains / lanes);
    alignas(alignment) double signal[chains] = {}, noise[chains] = {};
    doubles s[2 * parts], d[2 * parts];
    for (auto& v : s) v = doubles(0.0);
    for (auto& v : d) v = doubles(0.0);
    const auto add = [](doubles& to, const doubles& v) { to += simd::detail::rounded(v * v); };
    index_t i = 0;
    for (; i + chains <= n; i += chains)
        for (std::size_t p = 0; p < parts; ++p) {
            const floats a = floats::load_unaligned(x + i + static_cast<index_t>(p) * lanes);
            const floats b = floats::load_unaligned(y + i + static_cast<index_t>(p) * lanes);
            const doubles low = simd::widen_low<Arch>(a), high = simd::widen_high<Arch>(a);
            add(s[2 * p], low);
            add(s[2 * p + 1], high);
            add(d[2 * p], low - simd::widen_low<Arch>(b));
            add(d[2 * p + 1], high - simd::widen_high<Arch>(b));
        }
    for (std::size_t p = 0; p < 2 * parts; ++p) {
        s[p].store_aligned(signal + p * doubles::size);
        d[p].store_aligned(noise + p * doubles::size);
    }
    for (std::size_t c = 0; i < n; ++i, ++c) {
        const double a = static_cast<double>(x[i]);
        const double off = a - static_cast<double>(y[i]);
        const volatile double square = a * a, other = off * off;  // rounded before they are added
        signal[c] += square;
        noise[c] += other;
    }
    for (index_t c = 0; c < chains; ++c) {
        sums[0] += signal[c];
        sums[1] += noise[c];
    }
}

}  // namespace detail

/// Sums of squares of the values and of the errors.
struct signal_and_noise {
    double signal = 0.0;
    double noise = 0.0;

    /// @param reference, quantized  values of any shape, flattened, of one length. O(n).
    /// @throws shape_error  if the lengths differ
    void observe(std::span<const float> reference, std::span<const float> quantized) {
        if (reference.size() != quantized.size())
            throw shape_error(message("sqnr: ", reference.size(), " and ", quantized.size(), " values"));
        double sums[2] = {};
        detail::add_squares<simd::detail::default_arch>(reference.data(), quantized.data(),
                                                        static_cast<index_t>(reference.size()), sums);
        signal += sums[0];
        noise += sums[1];
    }

    /// As if `other`'s values had been observed here, up to the rounding of the sums.
    void merge(const signal_and_noise& other) noexcept {
        signal += other.signal;
        noise += other.noise;
    }

    /// 10·log10(signal / noise); infinite where there is no error, NaN where a value is.
    [[nodiscard]] double sqnr() const noexcept {
        if (noise == 0.0) return HUGE_VAL;
        return 10.0 * std::log10(signal / noise);
    }
};

/// In dB. O(n).
/// @throws shape_error  if the lengths differ
[[nodiscard]] inline double sqnr(std::span<const float> reference, std::span<const float> quantized) {
    signal_and_noise sums;
    sums.observe(reference, quantized);
    return sums.sqnr();
}

}  // namespace edge::quant
