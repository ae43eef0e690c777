// SPDX-License-Identifier: MIT
#pragma once

/// @file Sum, least, greatest and spread of windows whose both ends move forward: O(1) a row, whatever the window.
///
/// Rows are cut into blocks such that every window is the end of one block and the beginning of the next. States of both
/// are built by taking values only, and merged for each row: nothing is ever subtracted, so what has left a window, a
/// huge value or an infinity, leaves no trace in it. Several blocks are worked on at once, each in a lane of a vector.
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

// States of a window, each member a vector of lanes. A NaN is no value.

/// Σ x, with the rounding errors of all additions carried along, so that the result's error is about one rounding.
/// Source: Ogita, Rump, Oishi 2005, "Accurate sum and dot product", Sum2.
template <class V>
struct sum_state {
    std::array<V, 2> part{V(0.0), V(0.0)};  ///< the sum, and what was rounded away

    void add(const V& x) noexcept { add(xsimd::select(x == x, x, V(0.0)), V(0.0)); }
    void merge(const sum_state& other) noexcept { add(other.part[0], other.part[1]); }
    [[nodiscard]] V result() const noexcept {
        const V all = part[0] + part[1];
        return xsimd::select(part[1] - part[1] == V(0.0), all, part[0]);  // infinite, the rest is NaN
    }

private:
    void add(const V& x, const V& error) noexcept {
        const V s = part[0] + x;
        const V back = s - part[0];
        part[1] = part[1] + (((part[0] - (s - back)) + (x - back)) + error);
        part[0] = s;
    }
};

/// Σ x of integers, modulo 2^64. What is missing is 0.
template <class V>
struct wrapping_sum_state {
    std::array<V, 1> part{V(std::int64_t{0})};

    void add(const V& x) noexcept { part[0] = part[0] + x; }
    void merge(const wrapping_sum_state& other) noexcept { part[0] = part[0] + other.part[0]; }
    [[nodiscard]] V result() const noexcept { return part[0]; }
};

/// The least or greatest value. Of integers, what is missing is the value that loses against all.
template <class V, class X, bool Greatest>
struct extreme_state {
    static constexpr X nothing = std::is_same_v<X, double> ? (Greatest ? -std::numeric_limits<X>::infinity()
                                                                       : std::numeric_limits<X>::infinity())
                                 : Greatest                ? (std::numeric_limits<X>::lowest)()
                                                           : (std::numeric_limits<X>::max)();
    std::array<V, 1> part{V(nothing)};

    void add(const V& x) noexcept {  // the comparison is false of a NaN
        if constexpr (Greatest)
            part[0] = xsimd::select(x > part[0], x, part[0]);
        else
            part[0] = xsimd::select(x < part[0], x, part[0]);
    }
    void merge(const extreme_state& other) noexcept { add(other.part[0]); }
    [[nodiscard]] V result() const noexcept { return part[0]; }
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
        const V mean = part[1] + delta / count;
        const V m2 = part[2] + delta * (x - mean);
        part[0] = xsimd::select(there, count, part[0]);
        part[1] = xsimd::select(there, mean, part[1]);
        part[2] = xsimd::select(there, m2, part[2]);
    }
    void merge(const spread_state& other) noexcept {
        const V n = part[0] + other.part[0];
        const V delta = other.part[1] - part[1];
        const V share = other.part[0] / xsimd::max(n, V(1.0));
        const auto both = (part[0] > V(0.0)) && (other.part[0] > V(0.0));
        part[1] = xsimd::select(both, part[1] + delta * share, xsimd::select(part[0] > V(0.0), part[1], other.part[1]));
        part[2] = part[2] + other.part[2] + xsimd::select(both, delta * delta * (part[0] * share), V(0.0));
        part[0] = n;
    }
    [[nodiscard]] V result() const noexcept { return part[2] / xsimd::max(part[0] - V(1.0), V(1.0)); }
};

/// Statistic of the window of each row of the blocks.
template <template <class> class State, class X, class Arch = simd::detail::default_arch>
class rolling_lanes {
    using V = simd::batch<X, Arch>;
    using state = State<V>;
    static constexpr std::size_t parts = std::tuple_size_v<decltype(state::part)>;
    static constexpr std::size_t width = V::size;
    static constexpr std::size_t vectors = width >= 8 ? 1 : 8 / width;  // in flight: an addition takes four cycles
    static constexpr std::size_t steps = 64;                            // of a tile, which stays in the first cache

public:
    static constexpr std::size_t lanes = vectors * width;

    /// @param values   of all rows; NaN or what the state takes for none where missing
    /// @param missing  what stands for no value
    /// @param from     first row of each row's window
    /// @param blocks   at most `lanes`
    void run(const X* values, X missing, const std::uint32_t* from, std::span<const window_block> blocks, X* results) {
        remember_ends(values, missing, blocks);
        std::size_t longest = 0;
        for (const window_block& b : blocks) longest = (std::max)(longest, b.last - b.first);
        std::array<state, vectors> begin{};
        for (std::size_t at = 0; at < longest; at += steps) {
            const std::size_t count = (std::min)(steps, longest - at);
            for (std::size_t j = 0; j < blocks.size(); ++j) {
                const window_block& b = blocks[j];
                const std::size_t here = rows_at(b.last - b.first, at, count);
                const X* x = values + b.first + at;
                const std::uint32_t* first = from + b.first + at;
                for (std::size_t s = 0; s < here; ++s) input_[s * lanes + j] = x[s];
                for (std::size_t s = here; s < count; ++s) input_[s * lanes + j] = missing;
                for (std::size_t k = 0; k < parts; ++k) {
                    const X* ends = ends_[k].data() + ends_begin_[j] - b.before;
                    for (std::size_t s = 0; s < here; ++s) states_[k][s * lanes + j] = ends[first[s]];
                }
            }
            for (std::size_t s = 0; s < count; ++s) {
                for (std::size_t v = 0; v < vectors; ++v) {
                    const std::size_t i = s * lanes + v * width;
                    begin[v].add(V::load_aligned(input_ + i));
                    state both;
                    for (std::size_t k = 0; k < parts; ++k) both.part[k] = V::load_aligned(states_[k] + i);
                    both.merge(begin[v]);
                    both.result().store_aligned(input_ + i);
                }
            }
            for (std::size_t j = 0; j < blocks.size(); ++j) {
                const std::size_t here = rows_at(blocks[j].last - blocks[j].first, at, count);
                X* to = results + blocks[j].first + at;
                for (std::size_t s = 0; s < here; ++s) to[s] = input_[s * lanes + j];
            }
        }
    }

private:
    /// How many of `count` rows from `at` on a block of `size` has.
    [[nodiscard]] static std::size_t rows_at(std::size_t size, std::size_t at, std::size_t count) noexcept {
        return size > at ? (std::min)(size - at, count) : 0;
    }

    /// States from each row before a block up to the block; that of no rows comes last.
    void remember_ends(const X* values, X missing, std::span<const window_block> blocks) {
        std::size_t longest = 0;
        std::size_t all = 0;
        for (std::size_t j = 0; j < blocks.size(); ++j) {
            const std::size_t size = blocks[j].first - blocks[j].before;
            ends_begin_[j] = all;
            all += size + 1;
            longest = (std::max)(longest, size);
        }
        for (auto& e : ends_)
            if (e.size() < all) (void)e.extend(all - e.size());
        std::array<state, vectors> rest{};
        X nothing[parts][width];
        for (std::size_t k = 0; k < parts; ++k) {
            rest[0].part[k].store_unaligned(nothing[k]);
            for (std::size_t j = 0; j < blocks.size(); ++j)
                ends_[k][ends_begin_[j] + blocks[j].first - blocks[j].before] = nothing[k][0];
        }
        for (std::size_t at = 0; at < longest; at += steps) {
            const std::size_t count = (std::min)(steps, longest - at);
            for (std::size_t j = 0; j < blocks.size(); ++j) {
                const std::size_t here = rows_at(blocks[j].first - blocks[j].before, at, count);
                const X* x = values + blocks[j].first - at;  // from here on backward
                for (std::size_t s = 0; s < here; ++s) input_[s * lanes + j] = *(x - 1 - s);
                for (std::size_t s = here; s < count; ++s) input_[s * lanes + j] = missing;
            }
            for (std::size_t s = 0; s < count; ++s) {
                for (std::size_t v = 0; v < vectors; ++v) {
                    const std::size_t i = s * lanes + v * width;
                    rest[v].add(V::load_aligned(input_ + i));
                    for (std::size_t k = 0; k < parts; ++k) rest[v].part[k].store_aligned(states_[k] + i);
                }
            }
            for (std::size_t j = 0; j < blocks.size(); ++j) {
                const std::size_t size = blocks[j].first - blocks[j].before;
                const std::size_t here = rows_at(size, at, count);
                for (std::size_t k = 0; k < parts; ++k) {
                    X* to = ends_[k].data() + ends_begin_[j] + size - at;
                    for (std::size_t s = 0; s < here; ++s) *(to - 1 - s) = states_[k][s * lanes + j];
                }
            }
        }
    }

    alignas(64) X input_[steps * lanes] = {};
    alignas(64) X states_[parts][steps * lanes] = {};
    std::array<growing<X>, parts> ends_;
    std::array<std::size_t, lanes> ends_begin_{};
};

}  // namespace edge::frame::detail
