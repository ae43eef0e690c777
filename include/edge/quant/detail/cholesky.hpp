// SPDX-License-Identifier: MIT
#pragma once

/// @file L·Lᵀ of a symmetric positive matrix, and solving with it.

#include <edge/core/shape.hpp>
#include <edge/simd/batch.hpp>

#include <cmath>
#include <vector>

namespace edge::quant::detail {

template <class Arch>
double dot(const double* a, const double* b, index_t n) noexcept {
    using batch = simd::batch<double, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    batch even(0.0), odd(0.0);
    index_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
        even += batch::load_unaligned(a + i) * batch::load_unaligned(b + i);
        odd += batch::load_unaligned(a + i + lanes) * batch::load_unaligned(b + i + lanes);
    }
    double sums[batch::size];
    (even + odd).store_unaligned(sums);
    double sum = 0.0;
    for (const double s : sums) sum += s;
    for (; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

/// The lower triangle of a [k, k] becomes L, in place. False where a pivot is not positive. O(k³ / 6).
template <class Arch>
[[nodiscard]] bool cholesky(double* a, index_t k) noexcept {
    for (index_t i = 0; i < k; ++i)
        for (index_t j = 0; j <= i; ++j) {
            const double rest = a[i * k + j] - dot<Arch>(a + i * k, a + j * k, j);
            if (j < i) {
                a[i * k + j] = rest / a[j * k + j];
            } else if (rest > 0.0 && std::isfinite(rest)) {
                a[i * k + i] = std::sqrt(rest);
            } else {
                return false;
            }
        }
    return true;
}

/// b becomes the solution of L·Lᵀ·x = b, [k]. O(k²).
template <class Arch>
void solve(const double* l, double* b, index_t k) noexcept {
    for (index_t i = 0; i < k; ++i) b[i] = (b[i] - dot<Arch>(l + i * k, b, i)) / l[i * k + i];
    for (index_t i = k; i-- > 0;) {
        b[i] /= l[i * k + i];
        for (index_t j = 0; j < i; ++j) b[j] -= l[i * k + j] * b[i];
    }
}

}  // namespace edge::quant::detail
