// SPDX-License-Identifier: MIT
#pragma once

/// @file How long a job takes: the median of eleven runs.

#include <algorithm>
#include <chrono>
#include <vector>

/// Seconds.
inline double seconds_of(const auto& job) {
    std::vector<double> all;
    for (int run = 0; run < 11; ++run) {
        const auto begin = std::chrono::steady_clock::now();
        job();
        all.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    std::nth_element(all.begin(), all.begin() + 5, all.end());
    return all[5];
}
