// SPDX-License-Identifier: MIT
#pragma once

/// @file Random numbers from -1 to 1, the same for a seed on every machine.

#include <edge/core/random.hpp>
#include <edge/core/shape.hpp>

#include <vector>

inline std::vector<float> random_floats(edge::index_t n, edge::splitmix64& random) {
    std::vector<float> v;
    v.reserve(static_cast<std::size_t>(n) + 1);  // a pointer that may be moved along, even where there is nothing
    v.resize(static_cast<std::size_t>(n));
    for (float& x : v) x = static_cast<float>(random.uniform(-1.0, 1.0));
    return v;
}

inline std::vector<float> random_floats(edge::index_t n, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    return random_floats(n, random);
}
