// SPDX-License-Identifier: MIT
#pragma once

/// @file The peaks of this machine, measured once by a bench.

#include <edge/core/tensor.hpp>
#include <edge/perf.hpp>

#include "support/floor.hpp"

#include <algorithm>
#include <chrono>

struct rates {
    double multiply_adds = 0;  ///< a second
    double bytes = 0;          ///< read and written a second, in the second cache of each thread

    /// The best of some rounds.
    explicit rates(int threads) {
        const auto seconds = [](auto&& f) {
            const auto start = std::chrono::steady_clock::now();
            f();
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        };
        const double count = 2.4e7 * threads;
        const edge::index_t floats = edge::index_t{65536} * threads;
        edge::tensor<float> from({floats}), to({floats});
        for (int round = 0; round < 20; ++round) {
            const double arithmetic = seconds([&] { edge::perf::keep(floors::multiply_add(count, threads)); });
            multiply_adds = std::max(multiply_adds, count / arithmetic);
            const double memory = seconds([&] {
                for (int i = 0; i < 20; ++i) floors::copy(from.data(), to.data(), floats, threads);
            });
            bytes = std::max(bytes, 20 * 2 * static_cast<double>(floats) * sizeof(float) / memory);
        }
    }
};
