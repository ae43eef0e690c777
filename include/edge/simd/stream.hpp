// SPDX-License-Identifier: MIT
#pragma once

/// @file Stores that go past the caches, for results larger than they are.
///
///     edge::simd::stream_store(x, out + i);       // out + i aligned to a register
///     edge::simd::stream_fence();                 // once, before another thread reads the result
///
/// An ordinary store reads the line it is about to overwrite; a streaming one saves that third of the traffic of
/// `c = a * b`, and costs a miss to whoever reads the result next. A plain store where the instruction set has none.

#include <edge/simd/widen.hpp>

#include <cstdint>

namespace edge::simd {

namespace detail {

template <class Arch>
inline constexpr bool streams_past_caches = is_sse2<Arch> || is_avx<Arch> || is_avx512<Arch>;

}  // namespace detail

/// As `x.store_aligned(to)`, with no copy kept in the caches.
template <class Arch, class T>
inline void stream_store(const batch<T, Arch>& x, T* to) noexcept {
#if defined(__AVX512F__)
    if constexpr (detail::is_avx512<Arch>) {
        return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), detail::bitwise_cast<std::int32_t>(x));
    }
#endif
#if defined(__AVX__)
    if constexpr (detail::is_avx<Arch>) {
        if constexpr (std::is_same_v<T, float>) {
            return _mm256_stream_ps(to, x);
        } else if constexpr (std::is_same_v<T, double>) {
            return _mm256_stream_pd(to, x);
        } else {
            return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), x);
        }
    }
#endif
#if defined(__SSE2__)
    if constexpr (detail::is_sse2<Arch>) {
        if constexpr (std::is_same_v<T, float>) {
            return _mm_stream_ps(to, x);
        } else if constexpr (std::is_same_v<T, double>) {
            return _mm_stream_pd(to, x);
        } else {
            return _mm_stream_si128(reinterpret_cast<__m128i*>(to), x);
        }
    }
#endif
    x.store_aligned(to);
}

/// Orders the streaming stores before it ahead of every store after it.
inline void stream_fence() noexcept {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

}  // namespace edge::simd
