// SPDX-License-Identifier: MIT
#pragma once

/// @file Tensors of small whole numbers, of which every order of sums and products gives the same.

#include <edge/core/tensor.hpp>

#include <algorithm>
#include <random>

/// Whole numbers from -6 to 6.
template <class T>
edge::tensor<T> numbers(const edge::shape& extents, unsigned seed = 1) {
    std::mt19937 random(seed);
    edge::tensor<T> t(extents);
    for (T& v : t) v = static_cast<T>(static_cast<int>(random() % 13) - 6);
    return t;
}

template <class T>
bool equal(const edge::tensor<T>& a, const edge::tensor<T>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}
