// SPDX-License-Identifier: MIT
#pragma once

/// @file The peaks of this machine, measured once by a bench.

#include <edge/core/tensor.hpp>

#include "support/floor.hpp"

struct rates {
    double multiply_adds;  ///< a second
    double bytes = 0;      ///< read and written a second, in the second cache of each thread

    explicit rates(int threads) : multiply_adds(floors::peak(threads)) {
        constexpr int copies = 20;
        const edge::index_t floats = edge::index_t{65536} * threads;
        edge::tensor<float> from({floats}), to({floats});
        const double seconds = floors::least_seconds(20, [&] {
            for (int i = 0; i < copies; ++i) floors::copy(from.data(), to.data(), floats, threads);
        });
        bytes = copies * 2 * static_cast<double>(floats) * sizeof(float) / seconds;
    }
};
