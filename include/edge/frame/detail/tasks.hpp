// SPDX-License-Identifier: MIT
#pragma once

/// @file Pieces of work of uneven size, on all threads: who is free takes the next.

#include <edge/core/parallel.hpp>

#include <atomic>
#include <cstddef>

namespace edge::frame::detail {

/// Fewest rows that are worth a thread of their own.
inline constexpr index_t rows_each = index_t{1} << 14;

/// Rows cut so that a part's bits begin at a byte of their own.
[[nodiscard]] inline parallel_options by_rows(const parallel_options& threads) noexcept {
    return {.threads = threads.threads, .grain = rows_each, .align = 64};
}

/// Calls `f(i)` once for each i in [0, count), in any order; what it does must not depend on the order.
template <class F>
void run_tasks(std::size_t count, int threads, F&& f) {
    if (count <= 1 || threads <= 1) {
        for (std::size_t i = 0; i < count; ++i) f(i);
        return;
    }
    std::atomic<std::size_t> next{0};
    parallel_parts(threads, [&](int) {
        for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) f(i);
    });
}

}  // namespace edge::frame::detail
