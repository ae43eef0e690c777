// SPDX-License-Identifier: MIT
#pragma once

/// @file The range that holds a given share of the values, so that few outliers do not cost everybody resolution.
///
///     edge::quant::percentile_observer seen({.keep = 0.9999});
///     for (const auto& batch : calibration) seen.observe(batch);
///     const auto p = seen.parameters_for(edge::dtype::u8);

#include <edge/quant/histogram_observer.hpp>

namespace edge::quant {

/// Leaves out half of the rest at either end. Values are taken to be even within a bin, which the error of the range
/// is at most. O(bins). Source: Wu et al. 2020, "Integer quantization for deep learning inference: principles and
/// empirical evaluation", section 5.2.
struct percentile_rule {
    static constexpr auto kind = detail::stored_kind::percentile;

    double keep = 0.9999;  ///< share of values that stay inside, in (0.5, 1]

    void check() const {
        if (!(keep > 0.5 && keep <= 1.0))
            throw argument_error(message("keep ", keep, " of the values; expected above 0.5, at most 1"));
    }

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] value_range range(const histogram& h, const format&) const {
        const auto [first, last] = h.ends();
        const double cut = (1.0 - keep) / 2.0 * static_cast<double>(h.total());
        return {at_rank(h, first, last + 1, 1, cut), at_rank(h, last, first - 1, -1, cut)};
    }

    friend bool operator==(const percentile_rule&, const percentile_rule&) = default;

    void put(detail::byte_writer& to) const { to.put(keep); }
    static percentile_rule take(detail::byte_reader& from) { return {from.take<double>()}; }

private:
    /// The value that `cut` others lie before, on the way from bin `first` to `end`.
    static float at_rank(const histogram& h, int first, int end, int step, double cut) {
        double passed = 0.0;
        for (int k = first; k != end; k += step) {
            const auto count = static_cast<double>(h.counts()[static_cast<std::size_t>(h.bins() + k)]);
            if (count > 0.0 && passed + count >= cut) {
                const auto [low, high] = h.interval(k);
                const double share = (cut - passed) / count;
                return static_cast<float>(step > 0 ? low + share * (high - low) : high - share * (high - low));
            }
            passed += count;
        }
        return step > 0 ? h.range().high : h.range().low;  // rounding has eaten the last one
    }
};

using percentile_observer = histogram_observer<percentile_rule>;
static_assert(observer<percentile_observer>);

}  // namespace edge::quant
