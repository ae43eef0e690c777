// SPDX-License-Identifier: MIT
#pragma once

/// @file Some rows of weights, the integers they become, and what moving one of them does to the error of a row's output.
///
/// Lanes are rows: the rows of a layer share one gram matrix and need the same sums at the same time.

#include <edge/quant/detail/cholesky.hpp>
#include <edge/quant/parameters.hpp>
#include <edge/simd/exact.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace edge::quant::detail {

/// Rows that are worked on together: errors of 32 rows of 960 weights fill 120 KB.
inline constexpr index_t rows_at_once = 32;

/// A gram matrix made ready.
struct rounding_problem {
    index_t k = 0;
    double scale = 1.0;           ///< of the gram matrix: its mean diagonal
    std::vector<float> gram;      ///< [k, k], divided by `scale`, damped
    std::vector<float> pure;      ///< [k, k], divided by `scale`, not damped
    std::vector<index_t> order;   ///< weights, the ones that count least first
    std::vector<float> feedback;  ///< [k, k]: row j: what the errors of the weights after j in `order` weigh for j

    /// @throws argument_error  if a moment is not finite
    template <class Arch>
    static rounding_problem made(const float* moments, index_t k, double damping) {
        rounding_problem p;
        p.k = k;
        const auto size = static_cast<std::size_t>(k * k);
        double trace = 0.0;
        for (index_t i = 0; i < k * k; ++i) {
            if (!std::isfinite(moments[i])) throw argument_error(message("rounding: moment ", i, " is ", moments[i]));
            if (i % (k + 1) == 0) trace += static_cast<double>(moments[i]);
        }
        p.scale = trace > 0.0 ? trace / static_cast<double>(k) : 1.0;
        p.pure.resize(size);
        p.gram.resize(size);
        for (std::size_t i = 0; i < size; ++i) {
            const double pure = static_cast<double>(moments[i]) / p.scale;
            p.pure[i] = static_cast<float>(pure);
            // A weight that no input ever reached is left to the damping, of which there is always some.
            const double own = i % static_cast<std::size_t>(k + 1) == 0 ? (std::max)(damping, 1e-6) : 0.0;
            p.gram[i] = static_cast<float>(pure + own);
        }
        p.order.resize(static_cast<std::size_t>(k));
        std::iota(p.order.begin(), p.order.end(), index_t{0});
        std::stable_sort(p.order.begin(), p.order.end(),
                         [&](index_t a, index_t b) { return moments[a * (k + 1)] < moments[b * (k + 1)]; });
        std::vector<double> factor(size);
        double extra = 0.0;
        do {
            for (index_t i = 0; i < k; ++i)
                for (index_t j = 0; j < k; ++j)
                    factor[static_cast<std::size_t>(i * k + j)] =
                        static_cast<double>(p.gram[static_cast<std::size_t>(p.order[static_cast<std::size_t>(i)] * k +
                                                                            p.order[static_cast<std::size_t>(j)])]) +
                        (i == j ? extra : 0.0);
            extra = extra == 0.0 ? 1e-4 : 10.0 * extra;  // moments that are no moments of anything: more damping
        } while (!cholesky<Arch>(factor.data(), k));
        p.feedback.resize(size);
        for (index_t j = 0; j < k; ++j)
            for (index_t i = j + 1; i < k; ++i)
                p.feedback[static_cast<std::size_t>(j * k + i)] = static_cast<float>(
                    factor[static_cast<std::size_t>(i * k + j)] / factor[static_cast<std::size_t>(j * k + j)]);
        return p;
    }
};

/// [k, rows_at_once]: real weights in steps of their scale, the integers chosen, less the zero point, and their difference.
class rounding_block {
public:
    rounding_block(index_t k, const limits& range) : k_(k), range_(range) {
        const auto size = static_cast<std::size_t>(k * rows_at_once);
        for (auto* all : {&real_, &chosen_, &error_}) all->resize(size);
        low_.resize(rows_at_once);
        high_.resize(rows_at_once);
        zero_.resize(rows_at_once);
    }

    /// `n` rows from `w`; the nearest integers are chosen. Rows beyond are zeros.
    template <class Parameters>
    void load(const float* w, index_t n, const Parameters& parameters_of) {
        n_ = n;
        for (index_t r = 0; r < rows_at_once; ++r) {
            const bool exists = r < n;
            const auto at = static_cast<std::size_t>(r);
            const parameters p = exists ? parameters_of(r) : parameters{1.0f, range_.low};
            zero_[at] = p.zero_point;
            low_[at] = static_cast<float>(range_.low - p.zero_point);
            high_[at] = static_cast<float>(range_.high - p.zero_point);
            for (index_t j = 0; j < k_; ++j) {
                const auto i = static_cast<std::size_t>(j * rows_at_once + r);
                real_[i] = exists ? w[r * k_ + j] / p.scale : 0.0f;
                chosen_[i] = std::nearbyint(std::clamp(real_[i], low_[at], high_[at]));
                error_[i] = chosen_[i] - real_[i];
            }
        }
    }

    /// Rounds the weights one after the other, those that count most first, each so that it makes up for the errors of
    /// those before it.
    template <class Arch>
    void feed_back(const rounding_problem& p) {
        using batch = simd::batch<float, Arch>;
        constexpr auto parts = static_cast<std::size_t>(rows_at_once) / batch::size;
        const std::vector<float> nearest = error_;
        std::vector<float> ordered(error_.size());  // errors in the problem's order
        for (index_t j = k_; j-- > 0;) {
            const float* weighs = p.feedback.data() + j * k_;
            batch sums[parts];
            for (auto& s : sums) s = batch(0.0f);
            for (index_t i = j + 1; i < k_; ++i) {
                const batch by(weighs[i]);
                for (std::size_t v = 0; v < parts; ++v)
                    sums[v] = simd::fma(by, batch::load_unaligned(ordered.data() + i * rows_at_once + v * batch::size),
                                        sums[v]);
            }
            const auto at = static_cast<std::size_t>(p.order[static_cast<std::size_t>(j)] * rows_at_once);
            for (std::size_t v = 0; v < parts; ++v) {
                const std::size_t r = v * batch::size;
                const batch real = batch::load_unaligned(real_.data() + at + r);
                const batch to = held(real - sums[v], r);
                to.store_unaligned(chosen_.data() + at + r);
                (to - real).store_unaligned(error_.data() + at + r);
                (to - real).store_unaligned(ordered.data() + static_cast<std::size_t>(j * rows_at_once) + r);
            }
        }
        // Where limits cut in, the nearest integers may have been better.
        std::vector<double> fed(rows_at_once), plain(rows_at_once);
        errors<Arch>(p, fed.data());
        const std::vector<float> other = error_;
        error_ = nearest;
        errors<Arch>(p, plain.data());
        error_ = other;
        for (index_t r = 0; r < n_; ++r)
            if (plain[static_cast<std::size_t>(r)] < fed[static_cast<std::size_t>(r)])
                for (index_t j = 0; j < k_; ++j) {
                    const auto i = static_cast<std::size_t>(j * rows_at_once + r);
                    error_[i] = nearest[i];
                    chosen_[i] = real_[i] + nearest[i];
                    chosen_[i] = std::nearbyint(chosen_[i]);
                }
    }

    /// Moves each weight to the integer that is best as the others are, again until none moves: the error never rises.
    template <class Arch>
    void descend(const rounding_problem& p, int rounds) {
        using batch = simd::batch<float, Arch>;
        constexpr auto parts = static_cast<std::size_t>(rows_at_once) / batch::size;
        std::vector<float> slope(error_.size());  // gram · error
        const auto add = [&](index_t j, const batch(&by)[parts]) {
            const float* row = p.gram.data() + j * k_;
            for (index_t i = 0; i < k_; ++i) {
                const batch weight(row[i]);
                float* to = slope.data() + i * rows_at_once;
                for (std::size_t v = 0; v < parts; ++v)
                    simd::fma(weight, by[v], batch::load_unaligned(to + v * batch::size))
                        .store_unaligned(to + v * batch::size);
            }
        };
        batch moved[parts];
        for (index_t j = 0; j < k_; ++j) {
            for (std::size_t v = 0; v < parts; ++v)
                moved[v] =
                    batch::load_unaligned(error_.data() + static_cast<std::size_t>(j * rows_at_once) + v * batch::size);
            add(j, moved);
        }
        bool any = true;
        for (int round = 0; round < rounds && any; ++round) {
            any = false;
            for (index_t j = 0; j < k_; ++j) {
                const auto at = static_cast<std::size_t>(j * rows_at_once);
                const batch curvature(1.0f / p.gram[static_cast<std::size_t>(j * (k_ + 1))]);
                bool here = false;
                for (std::size_t v = 0; v < parts; ++v) {
                    const std::size_t r = v * batch::size;
                    const batch from = batch::load_unaligned(chosen_.data() + at + r);
                    const batch step = batch::load_unaligned(slope.data() + at + r) * curvature;
                    // Half a step and a little: or two integers as good as each other would take turns.
                    const batch wish = held(from - step, r);
                    const auto stays = xsimd::abs(step) < batch(0.5001f);
                    const batch to = xsimd::select(stays, from, wish);
                    moved[v] = to - from;
                    here = here || xsimd::any(moved[v] != batch(0.0f));
                    to.store_unaligned(chosen_.data() + at + r);
                    (to - batch::load_unaligned(real_.data() + at + r)).store_unaligned(error_.data() + at + r);
                }
                if (here) add(j, moved);
                any = any || here;
            }
        }
    }

    /// What each row's error comes to, in squared steps: errorᵀ · gram · error, not damped. O(k²).
    template <class Arch>
    void errors(const rounding_problem& p, double* to) const {
        using batch = simd::batch<float, Arch>;
        constexpr auto parts = static_cast<std::size_t>(rows_at_once) / batch::size;
        double sums[rows_at_once] = {};
        alignas(alignment) float products[rows_at_once];
        for (index_t i = 0; i < k_; ++i) {
            const float* row = p.pure.data() + i * k_;
            batch slope[parts];
            for (auto& s : slope) s = batch(0.0f);
            for (index_t j = 0; j < k_; ++j) {
                const batch weight(row[j]);
                const float* from = error_.data() + j * rows_at_once;
                for (std::size_t v = 0; v < parts; ++v)
                    slope[v] = simd::fma(weight, batch::load_unaligned(from + v * batch::size), slope[v]);
            }
            const float* own = error_.data() + i * rows_at_once;
            for (std::size_t v = 0; v < parts; ++v)
                (slope[v] * batch::load_unaligned(own + v * batch::size)).store_aligned(products + v * batch::size);
            for (index_t r = 0; r < rows_at_once; ++r) sums[r] += static_cast<double>(products[r]);
        }
        for (index_t r = 0; r < n_; ++r) to[r] = (std::max)(0.0, sums[r] * p.scale);
    }

    template <class Q>
    void store(Q* to) const {
        for (index_t r = 0; r < n_; ++r)
            for (index_t j = 0; j < k_; ++j)
                to[r * k_ + j] =
                    static_cast<Q>(static_cast<std::int32_t>(chosen_[static_cast<std::size_t>(j * rows_at_once + r)]) +
                                   zero_[static_cast<std::size_t>(r)]);
    }

    [[nodiscard]] index_t rows() const noexcept { return n_; }
    [[nodiscard]] float real(index_t row, index_t j) const {
        return real_[static_cast<std::size_t>(j * rows_at_once + row)];
    }
    [[nodiscard]] limits bounds(index_t row) const {
        const auto r = static_cast<std::size_t>(row);
        return {static_cast<int>(low_[r]), static_cast<int>(high_[r])};
    }
    void choose(index_t row, index_t j, float integer) {
        const auto i = static_cast<std::size_t>(j * rows_at_once + row);
        chosen_[i] = integer;
        error_[i] = integer - real_[i];
    }

private:
    /// The integer in use nearest to x, of rows r on.
    template <class T, class Arch>
    [[nodiscard]] simd::batch<T, Arch> held(const simd::batch<T, Arch>& x, std::size_t r) const {
        using batch = simd::batch<T, Arch>;
        const batch low = batch::load_unaligned(low_.data() + r), high = batch::load_unaligned(high_.data() + r);
        const batch inside = xsimd::select(x < low, low, xsimd::select(x > high, high, x));
        return xsimd::to_float(simd::round_to_int<Arch>(inside));
    }

    index_t k_;
    limits range_;
    index_t n_ = 0;
    std::vector<float> real_, chosen_, error_;
    std::vector<float> low_, high_;
    std::vector<std::int32_t> zero_;
};

}  // namespace edge::quant::detail
