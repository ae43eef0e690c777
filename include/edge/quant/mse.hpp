// SPDX-License-Identifier: MIT
#pragma once

/// @file The range whose quantization loses least: of the expected squared error, over a histogram.
///
///     edge::quant::mse_observer seen;
///     for (const auto& batch : calibration) seen.observe(batch);
///     const auto p = seen.parameters_for(edge::dtype::u8);
///     const double error = edge::quant::expected_error(seen.seen())(p, {0, 255});    // mean of (x - x')²
///
/// Source of the idea: Nagel et al. 2021, "A white paper on neural network quantization", section 3.1.

#include <edge/quant/histogram_observer.hpp>

namespace edge::quant {

/// The mean squared error that quantization gives the values of a histogram, taken to be even within a bin.
///
///     const edge::quant::expected_error error(seen);      // once
///     error({0.05f, 3}, {0, 255});                        // for any parameters
class expected_error {
public:
    /// @throws argument_error  if nothing was observed
    explicit expected_error(const histogram& h) {
        const auto [first, last] = h.ends();
        const auto total = static_cast<double>(h.total());
        double density = 0.0;  // of the bin before
        for (int k = first; k <= last; ++k) {
            const auto [from, to] = h.interval(k);
            const double share = static_cast<double>(h.counts()[static_cast<std::size_t>(h.bins() + k)]) / total;
            // Bins at the ends may hold next to no interval: a spike, as the 6 of a ReLU6.
            const bool is_spike = to - from < 1e-3 * h.width();
            if (is_spike) spikes_.push_back({to, share});
            const double next = is_spike ? 0.0 : share / (to - from);
            if (next != density) edges_.push_back({from, density - next});
            density = next;
            if (k == last) edges_.push_back({to, density});
        }
    }

    /// O(bins).
    /// @throws argument_error  if the parameters make no sense
    [[nodiscard]] double operator()(const parameters& p, const limits& range) const {
        check(p, range);
        const auto step = static_cast<double>(p.scale);
        const double inverse = 1.0 / step;
        const auto low = static_cast<double>(range.low - p.zero_point);
        const auto high = static_cast<double>(range.high - p.zero_point);
        // The squared error integrated from 0 to an edge, in steps: within one, r³/3 about its level; 1/12 for a whole
        // one; past the last level as the cube of the distance. It is continuous, so edges weigh what densities differ.
        double sum = 0.0, smaller = 0.0;
        for (const auto& [x, weight] : edges_) {
            const double steps = x * inverse;
            const double held = steps < low ? low : steps > high ? high : steps;
            const double level = nearest(held);
            const double within = held - level, past = steps - held;
            sum += weight * (level * (1.0 / 12.0) + (within * within * within + past * past * past) * (1.0 / 3.0));
        }
        for (const auto& [x, share] : spikes_) {
            const double steps = x * inverse;
            const double off = steps - nearest(steps < low ? low : steps > high ? high : steps);
            smaller += share * off * off;
        }
        return step * step * (step * sum + smaller);
    }

private:
    struct weighed {
        double x, weight;
    };

    static double nearest(double x) noexcept {
        constexpr double shift = 0x1.8p52;  // beyond it a double has no places for a fraction: adding rounds
        return (x + shift) - shift;
    }

    std::vector<weighed> edges_;
    std::vector<weighed> spikes_;
};

/// Tries ends from the extremes inwards, by factors of 2^(1/8) and then finer: both together, and for affine formats each
/// alone, in turn. O(some hundred times bins). Nearly equal errors leave the wider range.
struct mse_rule {
    static constexpr auto kind = detail::stored_kind::mse;

    void check() const noexcept {}

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] value_range range(const histogram& h, const format& f) const {
        const expected_error error(h);
        const auto low = (std::min)(h.range().low, 0.0f);
        const auto high = (std::max)(h.range().high, 0.0f);
        const auto error_of = [&](double a, double b) {
            return error(choose_parameters(part(low, a), part(high, b), f), f.range);
        };
        double a = 1.0;  // shares of both ends
        double least = error_of(1.0, 1.0);
        search(least, a, [&](double t) { return error_of(t, t); });
        double b = a;
        if (!f.is_symmetric && low < 0.0f && high > 0.0f)
            for (int round = 0; round < 2; ++round) {
                search(least, b, [&](double t) { return error_of(a, t); });
                search(least, a, [&](double t) { return error_of(t, b); });
            }
        return {part(low, a), part(high, b)};
    }

    friend bool operator==(const mse_rule&, const mse_rule&) = default;

    void put(detail::byte_writer&) const noexcept {}
    static mse_rule take(detail::byte_reader&) noexcept { return {}; }

private:
    static float part(float end, double share) noexcept { return static_cast<float>(share * static_cast<double>(end)); }

    /// The share in (0, 1] of least error, where that is less than what is known.
    template <class Error>
    static void search(double& least, double& best, const Error& error_at) {
        const auto attempt = [&](double t) {
            const double e = error_at(t);
            if (!(e < least * (1.0 - 1e-9))) return;
            least = e;
            best = t;
        };
        constexpr double ratio = 1.0905077326652577;  // 2^(1/8)
        double t = 1.0;
        for (int i = 0; i < 80; ++i, t /= ratio) attempt(t);
        double reach = best * (ratio - 1.0);
        for (int finer = 0; finer < 2; ++finer, reach /= 8.0) {
            const double middle = best;
            for (int i = -8; i <= 8; ++i) attempt((std::min)(1.0, middle + reach * i / 8.0));
        }
    }
};

using mse_observer = histogram_observer<mse_rule>;
static_assert(observer<mse_observer>);

}  // namespace edge::quant
