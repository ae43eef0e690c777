// SPDX-License-Identifier: MIT
#pragma once

/// @file Statistics of the windows of several blocks at once, each block in a lane of vectors.
///
/// Values are put into lanes once for all statistics. What a window has of the block before its own is found by how far
/// it reaches back: of windows by rows, equally far in all lanes.

#include <edge/frame/aggregate.hpp>
#include <edge/frame/detail/rolling_states.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

namespace edge::frame::detail {

/// How values lie: `lanes` values of a step side by side, `steps` of them at a time, which stay in the first cache.
template <class X, class Arch = simd::detail::default_arch>
struct rolling_tile {
    using vector = simd::batch<X, Arch>;
    static constexpr std::size_t width = vector::size;
    static constexpr std::size_t vectors = width >= 8 ? 1 : 8 / width;  // in flight: an addition takes four cycles
    static constexpr std::size_t lanes = vectors * width;
    static constexpr std::size_t steps = 64;
    static constexpr std::size_t size = steps * lanes;
};

/// One statistic of some blocks. What is not there is NaN, or what the state takes for nothing.
template <class X>
class rolling_statistic {
public:
    virtual ~rolling_statistic() = default;

    /// @param longest  rows before a block at most
    virtual void start(std::size_t longest) = 0;

    /// Rows before the blocks, going back. @param at  how many were taken already
    virtual void take_before(const X* values, std::size_t at, std::size_t count) = 0;

    /// Rows of the blocks, and the results of their windows.
    /// @param reach  how many rows before the block each window has
    virtual void take(const X* values, const std::uint32_t* reach, std::size_t count, X* results) = 0;

    /// The same where the first window has `reach` such rows, the next one less, and so on.
    virtual void take(const X* values, std::size_t reach, std::size_t count, X* results) = 0;
};

template <template <class> class State, class X, class Arch = simd::detail::default_arch>
class rolling_statistic_of final : public rolling_statistic<X> {
    using tile = rolling_tile<X, Arch>;
    using V = typename tile::vector;
    using state = State<V>;
    static constexpr std::size_t parts = std::tuple_size_v<decltype(state::part)>;
    static constexpr std::size_t lanes = tile::lanes;

public:
    void start(std::size_t longest) override {
        for (std::size_t k = 0; k < parts; ++k) {
            const std::size_t size = (longest + 1) * lanes;
            if (ends_[k].size() < size) (void)ends_[k].extend(size - ends_[k].size());
        }
        before_.fill(state());
        block_.fill(state());
        store(0);
    }

    void take_before(const X* values, std::size_t at, std::size_t count) override {
        for (std::size_t s = 0; s < count; ++s) {
            for (std::size_t v = 0; v < tile::vectors; ++v)
                before_[v].add(V::load_aligned(values + s * lanes + v * tile::width));
            store(at + s + 1);
        }
    }

    void take(const X* values, const std::uint32_t* reach, std::size_t count, X* results) override {
        std::array<const X*, parts> from;
        for (std::size_t k = 0; k < parts; ++k) {
            const X* ends = ends_[k].data();
            for (std::size_t i = 0; i < count * lanes; ++i) chosen_[k][i] = ends[reach[i] * lanes + i % lanes];
            from[k] = chosen_[k];
        }
        for (std::size_t s = 0; s < count; ++s) step(values + s * lanes, from, s * lanes, results + s * lanes);
    }

    void take(const X* values, std::size_t reach, std::size_t count, X* results) override {
        std::array<const X*, parts> from;
        for (std::size_t k = 0; k < parts; ++k) from[k] = ends_[k].data();
        for (std::size_t s = 0; s < count; ++s)
            step(values + s * lanes, from, (reach - (std::min)(s, reach)) * lanes, results + s * lanes);
    }

private:
    void store(std::size_t reach) noexcept {
        for (std::size_t v = 0; v < tile::vectors; ++v)
            for (std::size_t k = 0; k < parts; ++k)
                before_[v].part[k].store_aligned(ends_[k].data() + reach * lanes + v * tile::width);
    }

    EDGE_ALWAYS_INLINE void step(const X* values, const std::array<const X*, parts>& ends, std::size_t at,
                                 X* results) noexcept {
        for (std::size_t v = 0; v < tile::vectors; ++v) {
            block_[v].add(V::load_aligned(values + v * tile::width));
            state before;
            for (std::size_t k = 0; k < parts; ++k) before.part[k] = V::load_aligned(ends[k] + at + v * tile::width);
            before.result(block_[v]).store_aligned(results + v * tile::width);
        }
    }

    std::array<state, tile::vectors> before_;  ///< of rows before the block
    std::array<state, tile::vectors> block_;   ///< of the block's own
    std::array<growing<X>, parts> ends_;       ///< of as many rows before the block as the index says
    alignas(64) X chosen_[parts][tile::size] = {};
};

/// @param what  of doubles sum, mean, min, max, var or std; of integers sum, min or max
template <class X>
[[nodiscard]] std::unique_ptr<rolling_statistic<X>> make_rolling_statistic(statistic what) {
    if (what == statistic::min) return std::make_unique<rolling_statistic_of<least_state, X>>();
    if (what == statistic::max) return std::make_unique<rolling_statistic_of<greatest_state, X>>();
    if constexpr (std::is_integral_v<X>) {
        return std::make_unique<rolling_statistic_of<wrapping_sum_state, X>>();
    } else {
        switch (what) {
            case statistic::mean: return std::make_unique<rolling_statistic_of<mean_state, X>>();
            case statistic::var: return std::make_unique<rolling_statistic_of<spread_state, X>>();
            case statistic::std: return std::make_unique<rolling_statistic_of<deviation_state, X>>();
            default: return std::make_unique<rolling_statistic_of<sum_state, X>>();
        }
    }
}

/// Where results go: that of place i to `to[i * stride]`.
template <class X>
struct rolling_results {
    statistic what;
    X* to;
    std::size_t stride;
};

/// Results of some statistics of the same values.
template <class X>
class rolling_lanes {
    using tile = rolling_tile<X>;

public:
    static constexpr std::size_t lanes = tile::lanes;

    explicit rolling_lanes(std::span<const rolling_results<X>> results) : results_(results) {
        for (const rolling_results<X>& r : results) statistics_.push_back(make_rolling_statistic<X>(r.what));
    }

    /// @param values   of all places
    /// @param missing  what stands for no value
    /// @param from     first place of each place's window
    /// @param window   rows of each, or 0 where they differ
    /// @param blocks   at most `lanes`
    void run(const X* values, X missing, const std::uint32_t* from, std::size_t window,
             std::span<const window_block> blocks) {
        std::size_t before = 0;
        std::size_t longest = 0;
        for (const window_block& b : blocks) {
            before = (std::max)(before, b.first - b.before);
            longest = (std::max)(longest, b.last - b.first);
        }
        for (auto& s : statistics_) s->start(before);
        for (std::size_t at = 0; at < before; at += tile::steps) {
            const std::size_t count = (std::min)(tile::steps, before - at);
            fill(
                blocks, at, count, missing, [&](const window_block& b) { return b.first - b.before; },
                [&](const window_block& b, std::size_t s) { return values[b.first - 1 - at - s]; });
            for (auto& s : statistics_) s->take_before(values_, at, count);
        }
        for (std::size_t at = 0; at < longest; at += tile::steps) {
            const std::size_t count = (std::min)(tile::steps, longest - at);
            fill(blocks, at, count, missing, size_of,
                 [&](const window_block& b, std::size_t s) { return values[b.first + at + s]; });
            if (window == 0) find_reach(blocks, at, count, from);
            for (std::size_t i = 0; i < statistics_.size(); ++i) {
                if (window == 0)
                    statistics_[i]->take(values_, reach_, count, out_);
                else
                    statistics_[i]->take(values_, before == 0 ? 0 : window - 1 - at, count, out_);
                for (std::size_t j = 0; j < blocks.size(); ++j) {
                    const std::size_t here = rows_at(size_of(blocks[j]), at, count);
                    X* to = results_[i].to + (blocks[j].first + at) * results_[i].stride;
                    const X* result = out_ + j;
                    for (std::size_t s = 0; s < here; ++s) to[s * results_[i].stride] = result[s * lanes];
                }
            }
        }
    }

private:
    [[nodiscard]] static std::size_t size_of(const window_block& b) noexcept { return b.last - b.first; }

    /// How many of `count` rows from `at` on there are of `size`.
    [[nodiscard]] static std::size_t rows_at(std::size_t size, std::size_t at, std::size_t count) noexcept {
        return size > at ? (std::min)(size - at, count) : 0;
    }

    template <class Size, class Value>
    void fill(std::span<const window_block> blocks, std::size_t at, std::size_t count, X missing, const Size& size,
              const Value& value) noexcept {
        for (std::size_t j = 0; j < blocks.size(); ++j) {
            const std::size_t here = rows_at(size(blocks[j]), at, count);
            X* to = values_ + j;
            for (std::size_t s = 0; s < here; ++s) to[s * lanes] = value(blocks[j], s);
            for (std::size_t s = here; s < count; ++s) to[s * lanes] = missing;
        }
    }

    void find_reach(std::span<const window_block> blocks, std::size_t at, std::size_t count,
                    const std::uint32_t* from) noexcept {
        std::fill_n(reach_, count * lanes, 0U);
        for (std::size_t j = 0; j < blocks.size(); ++j) {
            const window_block& b = blocks[j];
            const std::size_t here = rows_at(size_of(b), at, count);
            for (std::size_t s = 0; s < here; ++s) {
                const std::size_t first = from[b.first + at + s];
                reach_[s * lanes + j] = static_cast<std::uint32_t>(first < b.first ? b.first - first : 0);
            }
        }
    }

    std::span<const rolling_results<X>> results_;
    std::vector<std::unique_ptr<rolling_statistic<X>>> statistics_;
    alignas(64) X values_[tile::size] = {};
    alignas(64) X out_[tile::size] = {};
    std::uint32_t reach_[tile::size] = {};
};

}  // namespace edge::frame::detail
