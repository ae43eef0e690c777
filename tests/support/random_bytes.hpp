// SPDX-License-Identifier: MIT
#pragma once

/// @file Random bytes, signed or not, over their whole range; the same for a seed on every machine.

#include <edge/core/random.hpp>
#include <edge/core/shape.hpp>

#include <vector>

template <class T = std::uint8_t>
std::vector<T> random_bytes(edge::index_t n, edge::splitmix64& random) {
    std::vector<T> v;
    v.reserve(static_cast<std::size_t>(n) + 1);  // a pointer that may be moved along, even where there is nothing
    v.resize(static_cast<std::size_t>(n));
    for (T& x : v) x = static_cast<T>(random());
    return v;
}
