// SPDX-License-Identifier: MIT
#pragma once

/// @file Quantiles of windows whose both ends move forward.
///
/// The rows of a few windows are sorted once; from then on a value is its place in that order, a window is a set of bits,
/// and a quantile is the n-th bit that is set, near where it was a row ago.
/// Source of the idea: Suomela 2014, "Median filtering is equivalent to sorting".

#include <edge/frame/group_by.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace edge::frame::detail {

/// Set of small numbers that finds its n-th member fast where it lies near the one that was asked for before.
class rank_set {
public:
    void reset(std::size_t ranks) {
        words_.assign(ranks / 64 + 1, 0);
        size_ = at_ = before_ = 0;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void insert(std::size_t rank) noexcept {
        words_[rank / 64] |= std::uint64_t{1} << (rank % 64);
        ++size_;
        before_ += rank / 64 < at_ ? 1U : 0U;
    }
    void erase(std::size_t rank) noexcept {
        words_[rank / 64] &= ~(std::uint64_t{1} << (rank % 64));
        --size_;
        before_ -= rank / 64 < at_ ? 1U : 0U;
    }

    /// @param n  below size()
    [[nodiscard]] std::size_t nth(std::size_t n) noexcept {
        while (before_ > n) before_ -= count(--at_);
        for (std::size_t here = count(at_); before_ + here <= n; here = count(++at_)) before_ += here;
        std::uint64_t word = words_[at_];
        std::size_t rank = 64 * at_;
        std::size_t left = n - before_;
        for (unsigned half = 32; half != 0; half /= 2) {
            const std::uint64_t low = word & ((std::uint64_t{1} << half) - 1);
            const auto ones = static_cast<std::size_t>(std::popcount(low));
            if (left >= ones) {
                left -= ones;
                word >>= half;
                rank += half;
            } else {
                word = low;
            }
        }
        return rank;
    }

    /// The least member above `rank`, which there must be.
    [[nodiscard]] std::size_t after(std::size_t rank) const noexcept {
        std::size_t at = (rank + 1) / 64;
        std::uint64_t word = words_[at] & (~std::uint64_t{0} << ((rank + 1) % 64));
        while (word == 0) word = words_[++at];
        return 64 * at + static_cast<std::size_t>(std::countr_zero(word));
    }

private:
    [[nodiscard]] std::size_t count(std::size_t word) const noexcept {
        return static_cast<std::size_t>(std::popcount(words_[word]));
    }

    std::vector<std::uint64_t> words_;
    std::size_t size_ = 0;
    std::size_t at_ = 0;      ///< word of the last answer
    std::size_t before_ = 0;  ///< members in the words before it
};

/// Quantiles at rows [first, last) of windows [from[i], i].
class rolling_quantile {
public:
    explicit rolling_quantile(double q) : q_(q) {}

    /// Where rows that are worth sorting together with row `first` end.
    [[nodiscard]] static std::size_t end_of_run(const std::uint32_t* from, std::size_t first,
                                                std::size_t end) noexcept {
        const std::size_t window = (std::max)(first + 1 - from[first], std::size_t{32});
        return end - first < 3 * window ? end : first + 3 * window;
    }

    /// @param values  NaN where missing
    void run(const double* values, const std::uint32_t* from, std::size_t first, std::size_t last, double* results) {
        const std::size_t begin = from[first];
        sorted_.clear();
        for (std::size_t i = begin; i < last; ++i)
            if (values[i] == values[i]) sorted_.push_back({values[i], i});
        std::sort(sorted_.begin(), sorted_.end(), [](const placed& a, const placed& b) {
            return a.value < b.value || (a.value == b.value && a.row < b.row);
        });
        ranks_.resize(last - begin);
        for (std::size_t r = 0; r < sorted_.size(); ++r) ranks_[sorted_[r].row - begin] = r;
        window_.reset(sorted_.size());
        std::size_t out = begin;
        for (std::size_t i = begin; i < last; ++i) {
            if (values[i] == values[i]) window_.insert(ranks_[i - begin]);
            if (i < first) continue;
            for (; out < from[i]; ++out)
                if (values[out] == values[out]) window_.erase(ranks_[out - begin]);
            results[i] = quantile();
        }
    }

private:
    struct placed {
        double value;
        std::size_t row;
    };

    [[nodiscard]] double quantile() noexcept {
        if (window_.size() == 0) return std::numeric_limits<double>::quiet_NaN();
        const double place = q_ * static_cast<double>(window_.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        const std::size_t rank = window_.nth(below);
        const double part = place - static_cast<double>(below);
        if (part == 0) return sorted_[rank].value;
        return between(sorted_[rank].value, sorted_[window_.after(rank)].value, part);
    }

    double q_;
    std::vector<placed> sorted_;
    std::vector<std::size_t> ranks_;
    rank_set window_;
};

}  // namespace edge::frame::detail
