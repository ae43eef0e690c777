// SPDX-License-Identifier: MIT
#pragma once

/// @file The range whose quantized distribution tells least apart from the real one, by Kullback and Leibler.
///
///     edge::quant::entropy_observer seen;
///     for (const auto& batch : calibration) seen.observe(batch);
///     const auto p = seen.parameters_for(edge::dtype::u8);
///
/// Source: Migacz 2017, "8-bit inference with TensorRT", GPU Technology Conference, the slides on calibration.

#include <edge/quant/histogram_observer.hpp>

namespace edge::quant {

/// Over the magnitudes' histogram, for each end t: what lies past t is counted to the last bin before it; the levels of
/// the format share the bins up to t, each level's counts spread evenly over its bins that are not empty; the end of
/// least divergence is taken. A level is half the steps where values have both signs, else one step. The bin at zero
/// counts as the next one does: zeros, as behind a ReLU, have no error, but would hide all others.
///
/// O(bins · steps). Where there are as many levels as bins, as for 16 bits, the range is that of all values. Nearly
/// equal divergences leave the wider range.
struct entropy_rule {
    static constexpr auto kind = detail::stored_kind::entropy;

    void check() const noexcept {}

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] value_range range(const histogram& h, const format& f) const {
        const auto [first, last] = h.ends();
        const value_range all = h.range();
        const bool one_sided = all.low >= 0.0f || all.high <= 0.0f;
        const int steps = f.range.high - f.range.low;
        const auto levels = static_cast<std::size_t>(one_sided && !f.is_symmetric ? steps + 1 : (steps + 1) / 2);
        const auto used = static_cast<std::size_t>((std::max)(last + 1, -first));
        std::vector<double> counts(used);
        for (int k = first; k <= last; ++k)
            counts[static_cast<std::size_t>(k < 0 ? -1 - k : k)] +=
                static_cast<double>(h.counts()[static_cast<std::size_t>(h.bins() + k)]);
        if (used > 1) counts[0] = counts[1];
        const std::size_t end = best_end(counts, levels);
        if (end == used) return all;
        const auto t = static_cast<float>(static_cast<double>(end) * h.width());
        return {(std::max)(all.low, -t), (std::min)(all.high, t)};
    }

    friend bool operator==(const entropy_rule&, const entropy_rule&) = default;

    void put(detail::byte_writer&) const noexcept {}
    static entropy_rule take(detail::byte_reader&) noexcept { return {}; }

private:
    /// How many bins stay inside.
    static std::size_t best_end(const std::vector<double>& counts, std::size_t levels) {
        const std::size_t n = counts.size();
        std::vector<double> sums(n + 1), filled(n + 1), logs(n + 1);  // over the first bins: counts, bins, Σ c·log(c)
        for (std::size_t i = 0; i < n; ++i) {
            sums[i + 1] = sums[i] + counts[i];
            filled[i + 1] = filled[i] + (counts[i] > 0.0 ? 1.0 : 0.0);
            logs[i + 1] = logs[i] + times_log(counts[i]);
        }
        const double total = sums[n];
        std::size_t best = n;
        double least = -1.0;
        for (std::size_t end = n; end >= levels && end > 0; --end) {
            // Σ p·log(p / q) with p = counts / total and q = level's counts / bins of the level / sums[end], where the
            // p of the last bin holds all that lies past it.
            const double last = counts[end - 1] + total - sums[end];
            if (counts[end - 1] == 0.0 && last > 0.0) continue;  // where q is 0 and p is not, it is infinite
            double sum = logs[end - 1] + times_log(last);
            for (std::size_t level = 0, from = 0; level < levels; ++level) {
                const std::size_t to = (level + 1) * end / levels;
                const double inside = sums[to] - sums[from];
                const double p = to == end ? inside + total - sums[end] : inside;
                if (inside > 0.0) sum -= p * std::log(inside / (filled[to] - filled[from]));
                from = to;
            }
            const double divergence = (sum + total * (std::log(sums[end]) - std::log(total))) / total;
            if (least >= 0.0 && !(divergence < least - 1e-9)) continue;
            least = (std::max)(divergence, 0.0);
            best = end;
        }
        return best;
    }

    static double times_log(double c) noexcept { return c > 0.0 ? c * std::log(c) : 0.0; }
};

using entropy_observer = histogram_observer<entropy_rule>;
static_assert(observer<entropy_observer>);

}  // namespace edge::quant
