// SPDX-License-Identifier: MIT
#pragma once

/// @file Learning of which weights are rounded up and which down, by gradients: the second way of learned_rounding.hpp.
///
/// A weight is floor + h(v), where h is a sigmoid stretched to [-0.1, 1.1] and clipped to [0, 1]. Minimized is the error of
/// the outputs, in steps and for a gram matrix of mean diagonal 1, plus `pull`·Σ (1 - |2h - 1|^β): β falls from 20 to 2, and
/// the sum pulls each h to 0 or 1 in the end. Source: Nagel et al. 2020, "Up or down?", equations 21 to 24. The gram matrix
/// stands for all of the data, so there is nothing random. Optimizer: Kingma, Ba 2015, "Adam".

#include <edge/quant/detail/rounding_descent.hpp>
#include <edge/simd/gemm.hpp>

namespace edge::quant {

struct up_or_down_options {
    int steps = 1000;
    float rate = 0.05f;  ///< of Adam
    float pull = 0.5f;   ///< of the regularizer
    float free = 0.2f;   ///< share of the steps without it
    /// Called with the share that is done, from 0 to 1, and `context`, by whichever thread is at it; null for none.
    void (*progress)(void* context, double done) = nullptr;
    void* context = nullptr;
};

namespace detail {

/// x^n for n of 1 to 31.
template <class B>
[[nodiscard]] B to_the(B x, int n) noexcept {
    B result(1.0f);
    for (; n > 0; n >>= 1, x = x * x)
        if ((n & 1) != 0) result = result * x;
    return result;
}

template <class Arch>
void learn_up_or_down(rounding_block& rows, const rounding_problem& p, const up_or_down_options& options) {
    using batch = simd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const index_t n = rows.rows(), k = p.k;
    const index_t size = (n * k + lanes - 1) / lanes * lanes;
    const auto padded = static_cast<std::size_t>(size);
    // All [n, k].
    std::vector<float> v(padded), below(padded), rest(padded), share(padded), error(padded), slope(padded);
    std::vector<float> first(padded), second(padded);
    for (index_t r = 0; r < n; ++r) {
        const limits bounds = rows.bounds(r);
        for (index_t j = 0; j < k; ++j) {
            const auto i = static_cast<std::size_t>(r * k + j);
            const auto low = static_cast<float>(bounds.low), high = static_cast<float>(bounds.high);
            below[i] = std::clamp(std::floor(rows.real(r, j)), low, high - 1.0f);
            rest[i] = rows.real(r, j) - below[i];
            v[i] = -std::log(1.2f / (std::clamp(rest[i], 0.01f, 0.99f) + 0.1f) - 1.0f);  // h(v) = rest
        }
    }
    const batch one(1.0f), zero(0.0f), two(2.0f);
    const auto stretched = [](const batch& s) { return s * batch(1.2f) - batch(0.1f); };
    double fade1 = 1.0, fade2 = 1.0;
    for (int step = 0; step < options.steps; ++step) {
        for (index_t i = 0; i < size; i += lanes) {
            const batch s = one / (one + xsimd::exp(-batch::load_unaligned(v.data() + i)));
            s.store_unaligned(share.data() + i);
            const batch h = stretched(s);
            const batch clipped = xsimd::select(h < zero, zero, xsimd::select(h > one, one, h));
            (clipped - batch::load_unaligned(rest.data() + i)).store_unaligned(error.data() + i);
        }
        simd::gemm<Arch, float>({error.data(), n, k, k}, {p.gram.data(), k, k, k}, {slope.data(), n, k, k},
                                {.threads = 1});
        const double done = static_cast<double>(step) / options.steps;
        const double annealed =
            (std::max)(0.0, (done - static_cast<double>(options.free)) / (1.0 - static_cast<double>(options.free)));
        const int beta = static_cast<int>(std::lround(20.0 - 18.0 * annealed));
        const batch pull(done < static_cast<double>(options.free) ? 0.0f : options.pull * static_cast<float>(2 * beta));
        fade1 *= 0.9;
        fade2 *= 0.999;
        const batch rate(static_cast<float>(static_cast<double>(options.rate) / (1.0 - fade1)));
        const batch unbiased(static_cast<float>(1.0 / (1.0 - fade2)));
        for (index_t i = 0; i < size; i += lanes) {
            const batch x = batch::load_unaligned(v.data() + i);
            const batch s = batch::load_unaligned(share.data() + i);
            const batch h = stretched(s);
            // d(1 - |2h - 1|^β)/dh = -2β·|2h - 1|^(β - 1)·sign(2h - 1)
            const batch side = two * h - one;
            const batch off = xsimd::abs(side);
            const batch regular = pull * to_the(off, beta - 1);
            batch g = two * batch::load_unaligned(slope.data() + i) - xsimd::select(side < zero, -regular, regular);
            g = g * batch(1.2f) * s * (one - s);
            g = xsimd::select((h < zero) | (h > one), zero, g);
            const batch m = batch(0.9f) * batch::load_unaligned(first.data() + i) + batch(0.1f) * g;
            const batch q = batch(0.999f) * batch::load_unaligned(second.data() + i) + batch(0.001f) * g * g;
            m.store_unaligned(first.data() + i);
            q.store_unaligned(second.data() + i);
            (x - rate * m / (xsimd::sqrt(q * unbiased) + batch(1e-8f))).store_unaligned(v.data() + i);
        }
        if (options.progress != nullptr && step % 50 == 0) options.progress(options.context, done);
    }
    for (index_t r = 0; r < n; ++r)
        for (index_t j = 0; j < k; ++j) {
            const auto i = static_cast<std::size_t>(r * k + j);
            rows.choose(r, j, below[i] + (v[i] >= 0.0f ? 1.0f : 0.0f));  // h(0) = 1/2
        }
    if (options.progress != nullptr) options.progress(options.context, 1.0);
}

}  // namespace detail
}  // namespace edge::quant
