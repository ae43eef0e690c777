// SPDX-License-Identifier: MIT
#pragma once

/// @file Memory asked for before its time.
///
///     edge::simd::prefetch(values + i + 4096);

namespace edge::simd {

/// Asks for the cache line at `p` to be there soon. Any address will do.
/// @tparam nearness  3: in the nearest cache; 2: in the one behind it, which lasts longer
template <int nearness = 2>
inline void prefetch([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, nearness);
#endif
}

}  // namespace edge::simd
