// SPDX-License-Identifier: MIT
#pragma once

/// @file Mean and standard deviation of each channel, batch by batch.
///
///     edge::quant::channel_moments seen(1);                       // the axis of the channels
///     for (const auto& batch : calibration) seen.observe(batch);
///     const std::vector<float> mean = seen.mean(), stddev = seen.stddev();

#include <edge/core/tensor_view.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace edge::quant {

/// Sums in double; merging is exact up to their rounding. Source: Chan, Golub, LeVeque 1983, "Algorithms for computing the
/// sample variance".
class channel_moments {
public:
    /// @param axis  of the observed tensors; negative counts from the end
    explicit channel_moments(index_t axis) : axis_(axis) {}

    /// @param x  contiguous. O(n).
    /// @throws argument_error  at the first NaN or infinity; nothing of x is taken in then
    /// @throws shape_error     if x has no such axis or another number of channels than before
    void observe(tensor_view<const float> x) {
        const std::size_t a = x.shape().axis(axis_);
        const index_t channels = x.shape()[a];
        expect(static_cast<std::size_t>(channels));
        const auto values = x.flat();
        if (values.empty()) return;
        index_t inner = 1;
        for (std::size_t i = a + 1; i < x.rank(); ++i) inner *= x.shape()[i];
        // About the first value of each channel: of equal values exactly that one, and no squares of a far mean.
        std::vector<moments> batch(static_cast<std::size_t>(channels));
        for (std::size_t c = 0; c < batch.size(); ++c) batch[c].mean = values[c * static_cast<std::size_t>(inner)];
        std::vector<double> sums(batch.size());
        for (std::size_t i = 0; i < values.size();) {
            for (std::size_t c = 0; c < batch.size(); ++c) {
                const double about = batch[c].mean;
                double sum = 0.0, squares = 0.0;
                for (index_t j = 0; j < inner; ++j, ++i) {
                    const double d = static_cast<double>(values[i]) - about;
                    sum += d;
                    squares += d * d;
                }
                sums[c] += sum;
                batch[c].squares += squares;
            }
        }
        const auto n = static_cast<double>(x.size() / channels);
        for (std::size_t c = 0; c < batch.size(); ++c) {
            if (!std::isfinite(batch[c].mean) || !std::isfinite(batch[c].squares)) refuse(values);
            batch[c].mean += sums[c] / n;
            batch[c].squares = (std::max)(0.0, batch[c].squares - sums[c] * sums[c] / n);
        }
        join(batch, n);
    }

    /// As if `other`'s batches had been observed here.
    /// @throws shape_error  if it has seen another number of channels
    void merge(const channel_moments& other) {
        if (other.all_.empty()) return;
        expect(other.all_.size());
        join(other.all_, other.count_);
    }

    /// [channels], empty while nothing was observed.
    [[nodiscard]] std::vector<float> mean() const {
        std::vector<float> result;
        for (const moments& m : all_) result.push_back(static_cast<float>(m.mean));
        return result;
    }
    /// [channels], of all that was seen: divided by their number.
    [[nodiscard]] std::vector<float> stddev() const {
        std::vector<float> result;
        for (const moments& m : all_) result.push_back(static_cast<float>(std::sqrt(m.squares / count_)));
        return result;
    }

private:
    struct moments {
        double mean = 0.0;
        double squares = 0.0;  ///< sum of squared distances from the mean
    };

    void expect(std::size_t channels) const {
        if (!all_.empty() && all_.size() != channels)
            throw shape_error(message("observed ", channels, " channels; expected ", all_.size(), " as before"));
    }

    [[noreturn]] static void refuse(std::span<const float> values) {
        std::size_t i = 0;
        while (i + 1 < values.size() && std::isfinite(values[i])) ++i;
        throw argument_error(message("observed value ", i, " is ", values[i], "; expected a finite number"));
    }

    void join(const std::vector<moments>& other, double n) {
        all_.resize(other.size());
        const double total = count_ + n;
        for (std::size_t c = 0; c < other.size(); ++c) {
            const double apart = other[c].mean - all_[c].mean;
            all_[c].mean += apart * (n / total);
            all_[c].squares += other[c].squares + apart * apart * (count_ * n / total);
        }
        count_ = total;
    }

    index_t axis_;
    double count_ = 0.0;  ///< values of each channel
    std::vector<moments> all_;
};

}  // namespace edge::quant
