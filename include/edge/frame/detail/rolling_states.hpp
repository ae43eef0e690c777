// SPDX-License-Identifier: MIT
#pragma once

/// @file Sum, least, greatest and spread of windows whose both ends move forward: O(1) a row, whatever the window.
///
/// Rows are cut into blocks such that every window is the end of one block and the beginning of the next. States of both
/// are built by taking values only, and merged for each row: nothing is ever subtracted, so what has left a window, a
/// huge value or an infinity, leaves no trace in it.
/// Source: van Herk 1992, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels".

#include <edge/frame/buffer.hpp>
#include <edge/simd/batch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>
#include <vector>

namespace edge::frame::detail {

/// Rows [first, last) whose windows reach back into rows [before, first), but not further.
struct window_block {
    std::size_t before;
    std::size_t first;
    std::size_t last;
};

/// Blocks of rows [begin, end), the window of row i being rows [from[i], i].
inline void cut_blocks(std::span<const std::uint32_t> from, std::size_t begin, std::size_t end,
                       std::vector<window_block>& blocks) {
    for (std::size_t before = begin, first = begin; first < end;) {
        std::size_t last = first + 1;
        while (last < end && from[last] <= first) ++last;
        blocks.push_back({before, first, last});
        before = first;
        first = last;
    }
}

// States of a window, each member a vector of lanes. A NaN is no value. `result(more)`: as if what `more` was given had
// been given to this one too.

template <class V, std::size_t Count>
[[nodiscard]] std::array<V, Count> zeros() noexcept {
    std::array<V, Count> all;
    all.fill(V(typename V::value_type{0}));
    return all;
}

/// Σ x, with the rounding errors of all additions carried along, so that the result's error is about one rounding.
/// Source: Ogita, Rump, Oishi 2005, "Accurate sum and dot product", Sum2.
template <class V, std::size_t Parts>
struct exact_sum {
    std::array<V, Parts> part = zeros<V, Parts>();  ///< the sum, and what was rounded away

    void add(const V& x) noexcept { add(xsimd::select(x == x, x, V(0.0)), V(0.0)); }
    [[nodiscard]] V result(const exact_sum& more) const noexcept {
        exact_sum both = *this;
        both.add(more.part[0], more.part[1]);
        const V rest = both.part[1];
        return xsimd::select(rest - rest == V(0.0), both.part[0] + rest, both.part[0]);  // of infinities it is NaN
    }

private:
    void add(const V& x, const V& error) noexcept {
        const V s = part[0] + x;
        const V back = s - part[0];
        part[1] = part[1] + (((part[0] - (s - back)) + (x - back)) + error);
        part[0] = s;
    }
};

template <class V>
struct sum_state : exact_sum<V, 2> {};

/// The sum and, as its last part, the count of values.
template <class V>
struct mean_state : exact_sum<V, 3> {
    using sum = exact_sum<V, 3>;

    void add(const V& x) noexcept {
        sum::add(x);
        sum::part[2] = sum::part[2] + xsimd::select(x == x, V(1.0), V(0.0));
    }
    [[nodiscard]] V result(const mean_state& more) const noexcept {
        return sum::result(more) / (sum::part[2] + more.part[2]);
    }
};

/// Σ x of integers, modulo 2^64. What is missing is 0.
template <class V>
struct wrapping_sum_state {
    std::array<V, 1> part{V(std::int64_t{0})};

    void add(const V& x) noexcept { part[0] = part[0] + x; }
    [[nodiscard]] V result(const wrapping_sum_state& more) const noexcept { return part[0] + more.part[0]; }
};

/// The least or greatest value. Of integers, what is missing is the value that loses against all.
template <class V, class X, bool Greatest>
struct extreme_state {
    static constexpr X nothing = std::is_same_v<X, double> ? (Greatest ? -std::numeric_limits<X>::infinity()
                                                                       : std::numeric_limits<X>::infinity())
                                 : Greatest                ? (std::numeric_limits<X>::lowest)()
                                                           : (std::numeric_limits<X>::max)();
    std::array<V, 1> part{V(nothing)};

    void add(const V& x) noexcept { part[0] = result({{x}}); }
    [[nodiscard]] V result(const extreme_state& more) const noexcept {  // the comparison is false of a NaN
        const V& x = more.part[0];
        if constexpr (Greatest)
            return xsimd::select(x > part[0], x, part[0]);
        else
            return xsimd::select(x < part[0], x, part[0]);
    }
};
template <class V>
using least_state = extreme_state<V, typename V::value_type, false>;
template <class V>
using greatest_state = extreme_state<V, typename V::value_type, true>;

/// Variance with n - 1: Welford's updates, merged as Chan does.
/// Source: Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", eq. 1.5.
template <class V>
struct spread_state {
    std::array<V, 3> part{V(0.0), V(0.0), V(0.0)};  ///< count, mean, Σ (x - mean)²

    void add(const V& x) noexcept {
        const auto there = x == x;
        const V count = part[0] + V(1.0);
        const V delta = x - part[1];
        const V mean = part[1] + delta * (V(1.0) / count);  // the division waits for no sum
        const V m2 = part[2] + delta * (x - mean);
        part[0] = xsimd::select(there, count, part[0]);
        part[1] = xsimd::select(there, mean, part[1]);
        part[2] = xsimd::select(there, m2, part[2]);
    }
    [[nodiscard]] V result(const spread_state& more) const noexcept {
        const V n = part[0] + more.part[0];
        const V pairs = part[0] * more.part[0];
        const V delta = more.part[1] - part[1];
        const V scale = V(1.0) / xsimd::max(n * (n - V(1.0)), V(1.0));  // divisions cost most
        const V between = xsimd::select(pairs > V(0.0), delta * delta * (pairs * scale), V(0.0));
        return (part[2] + more.part[2]) * (n * scale) + between;
    }
};

/// The root of the variance.
template <class V>
struct deviation_state : spread_state<V> {
    [[nodiscard]] V result(const deviation_state& more) const noexcept {
        return xsimd::sqrt(spread_state<V>::result(more));
    }
};

}  // namespace edge::frame::detail
