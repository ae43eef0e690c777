// SPDX-License-Identifier: MIT
#pragma once

/// @file Softmax: exp(x - max) over its sum, so that no input overflows.
///
///     edge::nn::softmax(logits, probabilities, -1);
///
/// Special values as in NumPy's: a NaN or +infinity among the values makes all of their results NaN; -infinity gives 0.

#include <edge/core/tensor_view.hpp>
#include <edge/nn/detail/lanes.hpp>

#include <algorithm>
#include <limits>

namespace edge::nn {

namespace detail {

/// Over n values that lie next to each other.
template <class Arch>
void softmax_f32_row(const float* x, float* y, index_t n) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    constexpr float lowest = -std::numeric_limits<float>::infinity();
    float most = lowest;
    for (index_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
    const batch shift(most);
    // 64 vectors are summed at a time, and then the sums, so that the error does not grow with n.
    double total = 0.0;
    batch sum(0.0f);
    alignas(64) float part[batch::size];
    for (index_t i = 0; i < n; i += lanes) {
        const index_t count = (std::min)(lanes, n - i);
        const batch e = xsimd::exp(load_some<Arch>(x + i, count, lowest) - shift);
        store_some<Arch>(y + i, e, count);
        sum += e;
        if (i % (64 * lanes) == 63 * lanes || i + lanes >= n) {
            sum.store_aligned(part);
            for (const float v : part) total += static_cast<double>(v);
            sum = batch(0.0f);
        }
    }
    const batch all(static_cast<float>(total));
    for (index_t i = 0; i < n; i += lanes) {
        const index_t count = (std::min)(lanes, n - i);
        store_some<Arch>(y + i, load_some<Arch>(y + i, count) / all, count);
    }
}

/// Over n values that are `inner` apart, summed 64 at a time, for `count` neighbours (1 to a whole vector) at once.
template <class Arch>
void softmax_f32_columns(const float* x, float* y, index_t n, index_t inner, index_t count) noexcept {
    using batch = xsimd::batch<float, Arch>;
    batch most(-std::numeric_limits<float>::infinity());
    for (index_t i = 0; i < n; ++i) {
        const batch v = load_some<Arch>(x + i * inner, count);
        most = xsimd::select(v > most, v, most);
    }
    batch total(0.0f);
    batch sum(0.0f);
    for (index_t i = 0; i < n; ++i) {
        const batch e = xsimd::exp(load_some<Arch>(x + i * inner, count) - most);
        store_some<Arch>(y + i * inner, e, count);
        sum += e;
        if (i % 64 == 63 || i + 1 == n) {
            total += sum;
            sum = batch(0.0f);
        }
    }
    for (index_t i = 0; i < n; ++i)
        store_some<Arch>(y + i * inner, load_some<Arch>(y + i * inner, count) / total, count);
}

/// x, y [outer, n, inner], over n.
template <class Arch>
void softmax_f32(const float* x, float* y, index_t outer, index_t n, index_t inner) noexcept {
    constexpr auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
    for (index_t o = 0; o < outer; ++o, x += n * inner, y += n * inner) {
        if (inner == 1) {
            softmax_f32_row<Arch>(x, y, n);
        } else {
            for (index_t c = 0; c < inner; c += lanes)
                softmax_f32_columns<Arch>(x + c, y + c, n, inner, (std::min)(lanes, inner - c));
        }
    }
}

}  // namespace detail

/// Softmax along one axis. y may be x.
/// @throws shape_error     if the shapes differ or a view is not contiguous
/// @throws argument_error  if there is no such axis
inline void softmax(tensor_view<const float> x, tensor_view<float> y, index_t axis = -1) {
    if (x.shape() != y.shape()) throw shape_error(message("softmax: input ", x.shape(), ", output ", y.shape()));
    const std::size_t a = x.shape().axis(axis);
    index_t outer = 1;
    index_t inner = 1;
    for (std::size_t i = 0; i < a; ++i) outer *= x.shape()[i];
    for (std::size_t i = a + 1; i < x.rank(); ++i) inner *= x.shape()[i];
    detail::softmax_f32<detail::native>(x.flat().data(), y.flat().data(), outer, x.shape()[a], inner);
}

}  // namespace edge::nn
