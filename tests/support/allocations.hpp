// SPDX-License-Identifier: MIT
#pragma once

/// @file How often a test allocated: for code that promises not to.
///
///     const auto before = allocations();
///     filter.update(x);
///     CHECK(allocations() == before);
///
/// Counts the operators `new` of the whole program, on all threads.

#include <cstddef>

[[nodiscard]] std::size_t allocations() noexcept;

/// Bytes of the largest one since this was last asked.
[[nodiscard]] std::size_t largest_allocation() noexcept;
