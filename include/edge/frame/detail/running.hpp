// SPDX-License-Identifier: MIT
#pragma once

/// @file Running statistics of a stream of numbers: they take one value at a time, and two of them merge.

#include <edge/frame/kind.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace edge::frame::detail {

/// The wider type in which values of T are accumulated; every T converts exactly, int64 included.
template <stored T>
using wide = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;

/// Count, sum, mean, spread, least and greatest. W: int64_t or double.
///
/// The sum carries its rounding errors along (Knuth's two-sum), so its error is about one rounding of the result, and
/// that of n² ε² of the sum of absolute values. The spread is Welford's; merging is Chan's.
/// Sources: Ogita, Rump, Oishi 2005, "Accurate sum and dot product", Sum2; Chan, Golub, LeVeque 1983, "Algorithms for
/// computing the sample variance", eq. 1.5.
template <class W>
struct running {
    std::int64_t count = 0;
    double total = 0;
    double error = 0;
    std::uint64_t exact = 0;  ///< sum of integers, modulo 2^64
    double mean = 0;
    double m2 = 0;  ///< Σ (x - mean)²
    W least = (std::numeric_limits<W>::max)();
    W greatest = std::numeric_limits<W>::lowest();

    /// @tparam Spread  whether m2 is wanted: a division a value
    template <bool Spread>
    void add(W x) noexcept {
        if (count == 0) least = greatest = x;  // infinities too
        least = x < least ? x : least;
        greatest = x > greatest ? x : greatest;
        ++count;
        const auto value = static_cast<double>(x);
        add_to_total(value);
        if constexpr (std::is_integral_v<W>) exact += static_cast<std::uint64_t>(x);
        if constexpr (Spread) {
            const double delta = value - mean;
            mean += delta / static_cast<double>(count);
            m2 += delta * (value - mean);
        }
    }

    void merge(const running& other) noexcept {
        if (other.count == 0) return;
        if (count == 0) {
            *this = other;
            return;
        }
        least = other.least < least ? other.least : least;
        greatest = other.greatest > greatest ? other.greatest : greatest;
        const auto n = static_cast<double>(count);
        const auto m = static_cast<double>(other.count);
        const double delta = other.mean - mean;
        mean += delta * (m / (n + m));
        m2 += other.m2 + delta * delta * (n * m / (n + m));
        count += other.count;
        add_to_total(other.total);
        error += other.error;
        exact += other.exact;
    }

    /// Σ x, in double.
    [[nodiscard]] double sum() const noexcept { return std::isfinite(error) ? total + error : total; }

    /// With n - 1; not for fewer than two values.
    [[nodiscard]] double variance() const noexcept { return m2 / static_cast<double>(count - 1); }

private:
    void add_to_total(double x) noexcept {
        const double s = total + x;
        const double back = s - total;
        error += (total - (s - back)) + (x - back);
        total = s;
    }
};

}  // namespace edge::frame::detail
