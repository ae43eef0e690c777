// SPDX-License-Identifier: MIT
#pragma once

/// @file What the report shows of a run, in a fixed amount of memory however long the run was.
///
///     history seen(2048);
///     seen.add(window);            // when it is full, neighbours are merged and each entry covers twice the time

#include "pipeline/motion.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace pipeline {

/// The measured quantities, in the order of the columns of the log.
inline constexpr std::array<const char*, 7> signal_names = {"ax", "ay", "az", "gx", "gy", "gz", "temp"};
inline constexpr std::size_t signals = signal_names.size();

/// One stretch of time: the range of every signal in it, what the model said, and where it was.
struct history_entry {
    double start_s = 0;
    double end_s = 0;
    std::array<double, signals> low{};
    std::array<double, signals> high{};
    std::array<double, motion_features> features{};
    std::array<int, motion_states> windows_in_state{};
    double x = std::numeric_limits<double>::quiet_NaN();  ///< position in m; NaN where unknown
    double y = std::numeric_limits<double>::quiet_NaN();

    [[nodiscard]] int windows() const {
        int n = 0;
        for (const int k : windows_in_state) n += k;
        return n;
    }
    [[nodiscard]] std::size_t main_state() const {
        return static_cast<std::size_t>(std::max_element(windows_in_state.begin(), windows_in_state.end()) -
                                        windows_in_state.begin());
    }

    /// The two stretches as one; the position is the later one's, where it is known.
    void merge(const history_entry& later) {
        const double a = windows();
        const double b = later.windows();
        end_s = later.end_s;
        for (std::size_t i = 0; i < signals; ++i) {
            low[i] = (std::min)(low[i], later.low[i]);
            high[i] = (std::max)(high[i], later.high[i]);
        }
        for (std::size_t i = 0; i < motion_features; ++i)
            features[i] = (features[i] * a + later.features[i] * b) / (a + b);
        for (std::size_t i = 0; i < motion_states; ++i) windows_in_state[i] += later.windows_in_state[i];
        if (std::isfinite(later.x)) {
            x = later.x;
            y = later.y;
        }
    }
};

class history {
public:
    explicit history(std::size_t capacity) : capacity_(capacity) { entries_.reserve(capacity); }

    /// Amortized O(1).
    void add(const history_entry& window) {
        if (pending_ == 0) {
            if (entries_.size() == capacity_) halve();
            entries_.push_back(window);
        } else {
            entries_.back().merge(window);
        }
        if (++pending_ == windows_per_entry_) pending_ = 0;
    }

    [[nodiscard]] const std::vector<history_entry>& entries() const noexcept { return entries_; }

private:
    void halve() {
        for (std::size_t i = 0; i < entries_.size() / 2; ++i) {
            entries_[i] = entries_[2 * i];
            entries_[i].merge(entries_[2 * i + 1]);
        }
        entries_.resize(entries_.size() / 2);
        windows_per_entry_ *= 2;
    }

    std::size_t capacity_;
    std::vector<history_entry> entries_;
    int windows_per_entry_ = 1;
    int pending_ = 0;
};

}  // namespace pipeline
