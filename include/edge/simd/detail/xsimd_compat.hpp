// SPDX-License-Identifier: MIT
#pragma once

/// @file What differs between xsimd 8.1 and 14, in one place; nothing else asks for xsimd's version.
///
/// The architecture of the including file is `default_arch`. It is used inside `detail` only: a name that depends on
/// compiler flags must not reach a public signature.

#include <edge/core/memory.hpp>

#include <xsimd/xsimd.hpp>

#include <cstddef>
#include <cstring>

/// For the parts of a kernel's inner loop, where a call would cost more than its body, and for what is too long for it.
#if defined(__GNUC__)
#define EDGE_ALWAYS_INLINE [[gnu::always_inline]] inline
#define EDGE_NEVER_INLINE [[gnu::noinline]]
#else
#define EDGE_ALWAYS_INLINE inline
#define EDGE_NEVER_INLINE
#endif

namespace edge::simd {

template <class T, class Arch>
using batch = xsimd::batch<T, Arch>;

template <class T, class Arch>
using batch_bool = xsimd::batch_bool<T, Arch>;

/// Elements of type T that fit a register of Arch.
template <class T, class Arch>
inline constexpr std::size_t lanes = xsimd::batch<T, Arch>::size;

namespace detail {

using default_arch = xsimd::default_arch;

/// The bits of each lane as another type of the same width.
template <class To, class From, class Arch>
[[nodiscard]] inline batch<To, Arch> bitwise_cast(const batch<From, Arch>& x) noexcept {
#if XSIMD_VERSION_MAJOR < 11
    return xsimd::bitwise_cast<batch<To, Arch>>(x);
#else
    return xsimd::bitwise_cast<To>(x);
#endif
}

/// `x`, rounded: g++ may otherwise join a product and the sum that follows into one instruction that rounds once, even
/// across intrinsics, and the result would depend on the compiler and on how an expression is cut.
template <class B>
EDGE_ALWAYS_INLINE B rounded(B x) noexcept {
#if defined(__GNUC__) && !defined(__clang__)
#if defined(__FMA__) || defined(__FMA4__)
    __asm__("" : "+v"(x.data));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x.data));
#endif
#endif
    return x;
}

/// The sum of the lanes, in whichever order the instruction set adds them: for integers, where it does not matter.
template <class T, class Arch>
[[nodiscard]] inline T reduce_add(const batch<T, Arch>& x) noexcept {
#if XSIMD_VERSION_MAJOR < 9
    return xsimd::hadd(x);
#else
    return xsimd::reduce_add(x);
#endif
}

}  // namespace detail
}  // namespace edge::simd
