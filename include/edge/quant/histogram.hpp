// SPDX-License-Identifier: MIT
#pragma once

/// @file How often values come up: a histogram whose bins widen by powers of two as the values ask for it.
///
///     edge::quant::histogram seen;
///     for (const auto& batch : calibration) seen.observe(batch);
///     seen.counts()[static_cast<std::size_t>(seen.bins() + k)];      // values in [k·width, (k + 1)·width)
///
/// Bins begin at multiples of their width, which is the least power of two that all values fit. Widening joins pairs of
/// bins, so the counts depend on the values alone: not on their order, batches, threads, or what was merged with what.

#include <edge/core/parallel.hpp>
#include <edge/quant/observer.hpp>

namespace edge::quant {

namespace detail {

/// tables[(i % 4) · 2·bins + bins + k] += 1 for each value, where k = trunc(x·inverse), one less for negative ones.
/// Four tables: adding to one counter again and again, as for the zeros behind a ReLU, takes the time of a store and a
/// load, six cycles, else. All x·inverse are above -bins and below bins.
template <class Arch>
void count_values(const float* x, index_t n, float inverse, std::int32_t bins, std::uint32_t* tables) noexcept {
    using batch = simd::batch<float, Arch>;
    using integers = simd::batch<std::int32_t, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    constexpr index_t block = 512;
    const index_t table = 2 * index_t{bins};
    alignas(alignment) std::int32_t at[block];
    const batch factor(inverse), zero(0.0f);
    const auto from_zero = simd::detail::bitwise_cast<float>(integers(bins));
    const auto below_zero = simd::detail::bitwise_cast<float>(integers(bins - 1));
    for (index_t first = 0; first < n; first += block) {
        const index_t count = (std::min)(block, n - first);
        index_t i = 0;
        for (; i + lanes <= count; i += lanes) {
            const batch v = batch::load_unaligned(x + first + i);
            const batch offset = xsimd::select(v < zero, below_zero, from_zero);
            (xsimd::to_int(v * factor) + simd::detail::bitwise_cast<std::int32_t>(offset)).store_aligned(at + i);
        }
        for (; i < count; ++i) {
            const float v = x[first + i];
            at[i] = static_cast<std::int32_t>(v * inverse) + (v < 0.0f ? bins - 1 : bins);
        }
        for (i = 0; i + 4 <= count; i += 4) {
            ++tables[at[i]];
            ++tables[table + at[i + 1]];
            ++tables[2 * table + at[i + 2]];
            ++tables[3 * table + at[i + 3]];
        }
        for (; i < count; ++i) ++tables[at[i]];
    }
}

}  // namespace detail

/// Counts of values in bins of one width, and their least and greatest value.
class histogram {
public:
    /// @param bins  on each side of zero: a power of two, 16 to 65536. Memory: 16 bytes for each.
    /// @throws argument_error  if there is another number of bins
    explicit histogram(int bins = 2048) : bins_(bins) {
        if (bins < 16 || bins > 65536 || !std::has_single_bit(static_cast<unsigned>(bins)))
            throw argument_error(message("histogram of ", bins, " bins; expected a power of two, 16 to 65536"));
    }

    /// @param x        values of any shape, flattened; may be empty. O(n): about a nanosecond a value.
    /// @param threads  0: the process default
    /// @throws argument_error  at the first NaN or infinity, and nothing of x is taken in then
    void observe(std::span<const float> x, int threads = 0) {
        const value_range seen = detail::range_of(x);
        if (seen.is_empty()) return;
        extend(seen);
        const auto n = static_cast<index_t>(x.size());
        const int parts = parts_for(n, {.threads = threads, .grain = index_t{1} << 18});
        const std::size_t size = counts_.size();
        const float inverse = std::ldexp(1.0f, -exponent_);
        // A counter of 32 bits does not overflow within `most` values.
        constexpr index_t most = index_t{1} << 31;
        std::vector<std::uint32_t> tables(4 * size * static_cast<std::size_t>(parts));
        for (index_t first = 0; first < n; first += most) {
            const index_t count = (std::min)(most, n - first);
            parallel_parts(parts, [&](int i) {
                const auto [from, to] = partition(count, parts, i);
                detail::count_values<simd::detail::default_arch>(
                    x.data() + first + from, to - from, inverse, bins_,
                    tables.data() + 4 * size * static_cast<std::size_t>(i));
            });
            for (std::size_t t = 0; t < tables.size(); t += size)
                for (std::size_t i = 0; i < size; ++i) counts_[i] += std::exchange(tables[t + i], 0);
        }
        total_ += x.size();
    }

    /// As if `other`'s values had been observed here, to the last count. Commutes.
    /// @throws argument_error  if it has another number of bins
    void merge(const histogram& other) {
        if (other.bins_ != bins_)
            throw argument_error(message("merging histograms of ", other.bins_, " and ", bins_, " bins"));
        if (other.range_.is_empty()) return;
        extend(other.range_);
        const int shift = (std::min)(exponent_ - other.exponent_, 31);
        for (int k = -bins_; k < bins_; ++k) counts_[slot(k >> shift)] += other.counts_[slot(k)];
        total_ += other.total_;
    }

    /// On each side of zero.
    [[nodiscard]] int bins() const noexcept { return bins_; }
    /// Of a bin: a power of two.
    [[nodiscard]] double width() const noexcept { return std::ldexp(1.0, exponent_); }
    /// [2·bins]: `counts()[bins + k]` values are in [k·width, (k + 1)·width), or for negative k in (k·width,
    /// (k + 1)·width]. Empty while nothing was observed.
    [[nodiscard]] std::span<const std::uint64_t> counts() const noexcept { return counts_; }
    /// Of all values.
    [[nodiscard]] const value_range& range() const noexcept { return range_; }
    /// How many values there were.
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

    /// The bins that hold the least and the greatest value, as k.
    /// @throws argument_error  if nothing was observed
    [[nodiscard]] std::pair<int, int> ends() const {
        if (range_.is_empty()) throw argument_error("parameters of an observer that has seen no value");
        return {bin_of(range_.low), bin_of(range_.high)};
    }

    /// Where the values of a bin are: its edges, within the range of all values.
    [[nodiscard]] std::pair<double, double> interval(int k) const noexcept {
        const double low = k * width(), high = (k + 1) * width();
        return {std::clamp(low, static_cast<double>(range_.low), static_cast<double>(range_.high)),
                std::clamp(high, static_cast<double>(range_.low), static_cast<double>(range_.high))};
    }

    friend bool operator==(const histogram&, const histogram&) = default;

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        detail::byte_writer to(detail::stored_kind::histogram);
        put(to);
        return std::move(to).bytes();
    }
    /// @throws parse_error  if the bytes are not those of a histogram
    [[nodiscard]] static histogram from_bytes(std::span<const std::byte> bytes) {
        detail::byte_reader from(bytes, detail::stored_kind::histogram);
        histogram h = take(from);
        from.expect_end();
        return h;
    }

    /// Its part of the byte form of an observer that keeps one.
    void put(detail::byte_writer& to) const {
        to.put(std::int32_t{bins_});
        detail::put(to, range_);
        if (range_.is_empty()) return;
        const auto [first, last] = ends();
        for (int k = first; k <= last; ++k) to.put(counts_[slot(k)]);
    }
    /// @throws parse_error  if the bytes do not hold it
    [[nodiscard]] static histogram take(detail::byte_reader& from) {
        const auto bins = from.take<std::int32_t>();
        if (bins < 16 || bins > 65536 || !std::has_single_bit(static_cast<std::uint32_t>(bins)))
            throw parse_error(message("observer: a histogram of ", bins, " bins"));
        histogram h(bins);
        const value_range range = detail::take_range(from);
        if (range.is_empty()) return h;
        h.extend(range);
        const auto [first, last] = h.ends();
        for (int k = first; k <= last; ++k) {
            std::uint64_t& count = h.counts_[h.slot(k)] = from.take<std::uint64_t>();
            if (count > (std::uint64_t{1} << 63) - h.total_) throw parse_error("observer: counts beyond 2^63");
            h.total_ += count;
        }
        if (h.counts_[h.slot(first)] == 0 || h.counts_[h.slot(last)] == 0)
            throw parse_error("observer: no value in the bin of the least or greatest");
        return h;
    }

private:
    /// Bins are never narrower: far below any scale in use (`choose_parameters`).
    static constexpr int least_exponent = -60;

    [[nodiscard]] std::size_t slot(int k) const noexcept { return static_cast<std::size_t>(bins_ + k); }
    [[nodiscard]] int bin_of(float x) const noexcept {
        return static_cast<int>(std::ldexp(static_cast<double>(x), -exponent_)) - (x < 0.0f ? 1 : 0);
    }

    /// Widens bins until the range fits, |x| < bins · width.
    void extend(const value_range& seen) {
        if (counts_.empty()) counts_.resize(2 * static_cast<std::size_t>(bins_));
        range_.extend(seen);
        const float most = (std::max)(range_.high, -range_.low);
        int exponent = least_exponent;  // most < 2^exponent
        if (most > 0.0f) std::frexp(most, &exponent);
        exponent = (std::max)(least_exponent, exponent - std::countr_zero(static_cast<unsigned>(bins_)));
        const int shift = exponent - exponent_;
        if (shift <= 0) return;
        exponent_ = exponent;
        if (total_ == 0) return;
        std::vector<std::uint64_t> wide(counts_.size());
        for (int k = -bins_; k < bins_; ++k) wide[slot(k >> (std::min)(shift, 31))] += counts_[slot(k)];
        counts_ = std::move(wide);
    }

    int bins_;
    int exponent_ = least_exponent;
    value_range range_;
    std::uint64_t total_ = 0;
    std::vector<std::uint64_t> counts_;
};

}  // namespace edge::quant
