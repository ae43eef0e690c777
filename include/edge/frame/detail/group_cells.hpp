// SPDX-License-Identifier: MIT
#pragma once

/// @file What is kept of a group while its values come by: one cell for each aggregate.
///
/// A cell takes one value, and takes in another cell as if its values had come after its own. Bits do not depend on where
/// a stream of values is cut except for the rounding of `float_sum`, `spread` and `relation`.

#include <edge/frame/detail/value_block.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace edge::frame::detail {

/// Sum of integers, modulo 2^64. Exact for fewer than 2^32 values of up to 32 bits.
template <bool Signed>
struct narrow_sum {
    std::uint64_t total = 0;

    static const std::uint64_t* input(const value_block& b) noexcept { return b.integers; }
    void add(std::uint64_t x) noexcept { total += x; }
    void merge(const narrow_sum& other) noexcept { total += other.total; }
    [[nodiscard]] std::uint64_t sum() const noexcept { return total; }
    [[nodiscard]] double value() const noexcept {
        return Signed ? static_cast<double>(static_cast<std::int64_t>(total)) : static_cast<double>(total);
    }
};

/// Sum of 64-bit integers, modulo 2^128: exact.
template <bool Signed>
struct wide_sum {
    std::uint64_t total = 0;
    std::uint64_t above = 0;

    static const std::uint64_t* input(const value_block& b) noexcept { return b.integers; }
    void add(std::uint64_t x) noexcept {
        total += x;
        above += total < x;
        if constexpr (Signed) above -= x >> 63;
    }
    void merge(const wide_sum& other) noexcept {
        total += other.total;
        above += other.above + (total < other.total);
    }
    [[nodiscard]] std::uint64_t sum() const noexcept { return total; }
    [[nodiscard]] double value() const noexcept {
        constexpr double two_64 = 18446744073709551616.0;
        if (Signed && above >> 63 != 0) {
            const std::uint64_t low = ~total + 1;
            return -(static_cast<double>(~above + (low == 0)) * two_64 + static_cast<double>(low));
        }
        return static_cast<double>(above) * two_64 + static_cast<double>(total);
    }
};

/// Sum that carries its rounding errors along (Knuth's two-sum): its error is about one rounding of the result, and that
/// of n² ε² of the sum of absolute values.
/// Source: Ogita, Rump, Oishi 2005, "Accurate sum and dot product", Sum2.
struct float_sum {
    double total = 0;
    double error = 0;

    static const double* input(const value_block& b) noexcept { return b.numbers; }
    void add(double x) noexcept {
        const double s = total + x;
        const double back = s - total;
        error += (total - (s - back)) + (x - back);
        total = s;
    }
    void merge(const float_sum& other) noexcept {
        add(other.total);
        error += other.error;
    }
    [[nodiscard]] double value() const noexcept { return std::isfinite(error) ? total + error : total; }
    [[nodiscard]] double sum() const noexcept { return value(); }
};

/// Σ (x - mean)², by Welford's way; merging is Chan's.
/// Source: Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", eq. 1.5.
struct spread {
    double count = 0;
    double mean = 0;
    double m2 = 0;

    static const double* input(const value_block& b) noexcept { return b.numbers; }
    void add(double x) noexcept {
        count += 1;
        const double delta = x - mean;
        mean += delta / count;
        m2 += delta * (x - mean);
    }
    void merge(const spread& other) noexcept {
        if (other.count == 0) return;
        if (count == 0) {
            *this = other;
            return;
        }
        const double both = count + other.count;
        const double delta = other.mean - mean;
        mean += delta * (other.count / both);
        m2 += other.m2 + delta * delta * (count * other.count / both);
        count = both;
    }
    /// With n - 1; not for fewer than two values.
    [[nodiscard]] double variance() const noexcept { return m2 / (count - 1); }
};

/// As `spread`, of two columns and of their products.
struct relation {
    double count = 0;
    double mean_x = 0;
    double mean_y = 0;
    double xx = 0;
    double yy = 0;
    double xy = 0;

    void add(double x, double y) noexcept {
        count += 1;
        const double part = 1 / count;
        const double dx = x - mean_x;
        const double dy = y - mean_y;
        mean_x += dx * part;
        mean_y += dy * part;
        const double rest = y - mean_y;
        xx += dx * (x - mean_x);
        yy += dy * rest;
        xy += dx * rest;
    }
    void merge(const relation& other) noexcept {
        if (other.count == 0) return;
        if (count == 0) {
            *this = other;
            return;
        }
        const double both = count + other.count;
        const double share = other.count / both;
        const double dx = other.mean_x - mean_x;
        const double dy = other.mean_y - mean_y;
        mean_x += dx * share;
        mean_y += dy * share;
        xx += other.xx + dx * dx * (count * share);
        yy += other.yy + dy * dy * (count * share);
        xy += other.xy + dx * dy * (count * share);
        count = both;
    }
    /// NaN where either column is constant, or there are fewer than two values.
    [[nodiscard]] double value() const noexcept {
        const double r = xy / (std::sqrt(xx) * std::sqrt(yy));
        return r > 1 ? 1 : r < -1 ? -1 : r;
    }
};

struct least {
    std::uint64_t value = static_cast<std::uint64_t>(-1);

    static const std::uint64_t* input(const value_block& b) noexcept { return b.ordered; }
    void add(std::uint64_t x) noexcept { value = (std::min)(value, x); }
    void merge(const least& other) noexcept { add(other.value); }
};

struct greatest {
    std::uint64_t value = 0;

    static const std::uint64_t* input(const value_block& b) noexcept { return b.ordered; }
    void add(std::uint64_t x) noexcept { value = (std::max)(value, x); }
    void merge(const greatest& other) noexcept { add(other.value); }
};

}  // namespace edge::frame::detail
