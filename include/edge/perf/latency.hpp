// SPDX-License-Identifier: MIT
#pragma once

/// @file Latency: how long something took, over many times, in memory that does not grow.
///
///     edge::perf::latency read;
///     for (…) { edge::perf::timer t(read); sensor.read(); }
///     std::printf("P99 %.3f ms\n", read.milliseconds(0.99));
///
/// One recorder a thread; `merge` adds them up.

#include <edge/core/error.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace edge::perf {

/// Counts of durations in bins whose width is 1/64 of their beginning or less, from 1 ns to 584 years.
///
/// A quantile is off by at most 1/128 of its value; below 128 ns, and at the minimum and the maximum, it is exact.
/// 30 kB, no allocation. Source of the layout: Tene's HdrHistogram, with 6 bits below the leading one.
class latency {
public:
    /// Negative durations, from clocks that were set back, count as 0.
    void record(std::chrono::nanoseconds duration) noexcept {
        const auto ns = duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
        ++counts_[bin(ns)];
        ++count_;
        sum_ += static_cast<double>(ns);
        if (ns < min_) min_ = ns;
        if (ns > max_) max_ = ns;
    }

    /// As if what `other` recorded had been recorded here.
    void merge(const latency& other) noexcept {
        for (std::size_t i = 0; i < bins; ++i) counts_[i] += other.counts_[i];
        count_ += other.count_;
        sum_ += other.sum_;
        if (other.min_ < min_) min_ = other.min_;
        if (other.max_ > max_) max_ = other.max_;
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    /// The least duration that a share `q` of all do not exceed (nearest rank). O(bins).
    /// @param q  in [0, 1]; 0.5 is the median, 1 the maximum
    /// @throws argument_error  if q is out of its range or nothing was recorded
    [[nodiscard]] std::chrono::nanoseconds quantile(double q) const {
        if (!(q >= 0 && q <= 1)) throw argument_error(message("quantile ", q, "; expected 0 to 1"));
        need_some();
        const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
        if (rank <= 1) return std::chrono::nanoseconds(min_);
        if (rank >= count_) return std::chrono::nanoseconds(max_);
        std::uint64_t seen = 0;
        std::size_t i = 0;
        while ((seen += counts_[i]) < rank) ++i;
        const std::uint64_t value = middle(i);
        return std::chrono::nanoseconds(value < min_ ? min_ : value > max_ ? max_ : value);
    }

    /// The same in milliseconds.
    [[nodiscard]] double milliseconds(double q) const { return 1e-6 * static_cast<double>(quantile(q).count()); }

    /// Exact, as are `min` and `max`.
    /// @throws argument_error  if nothing was recorded
    [[nodiscard]] std::chrono::nanoseconds mean() const {
        need_some();
        return std::chrono::nanoseconds(std::llround(sum_ / static_cast<double>(count_)));
    }
    [[nodiscard]] std::chrono::nanoseconds min() const { return quantile(0); }
    [[nodiscard]] std::chrono::nanoseconds max() const { return quantile(1); }

private:
    static constexpr int bits = 6;
    static constexpr std::size_t bins = (std::size_t{64 - bits - 1} << bits) + (std::size_t{2} << bits);

    /// Durations below 2^(bits + 1) have a bin each; above, each doubling is cut into 2^bits bins.
    static constexpr std::size_t bin(std::uint64_t ns) noexcept {
        const int shift = static_cast<int>(std::bit_width(ns | ((std::uint64_t{2} << bits) - 1))) - (bits + 1);
        return (static_cast<std::size_t>(shift) << bits) + static_cast<std::size_t>(ns >> shift);
    }
    static constexpr std::uint64_t middle(std::size_t i) noexcept {
        if (i < std::size_t{2} << bits) return i;
        const std::size_t shift = (i >> bits) - 1;
        const std::uint64_t low = static_cast<std::uint64_t>(i - (shift << bits)) << shift;
        return low + ((std::uint64_t{1} << shift) - 1) / 2;
    }

    void need_some() const {
        if (count_ == 0) throw argument_error("no latency was recorded");
    }

    std::array<std::uint64_t, bins> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t min_ = (std::numeric_limits<std::uint64_t>::max)();
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

/// Records the time from its making to its end.
class timer {
public:
    explicit timer(latency& into) noexcept : into_(into), start_(std::chrono::steady_clock::now()) {}
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { into_.record(std::chrono::steady_clock::now() - start_); }

private:
    latency& into_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace edge::perf
