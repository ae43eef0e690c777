// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs a test for every xsimd architecture that the flags of this file allow; in builds with asserts for the narrowest
/// and the widest alone, and with sanitizers, which make each one slow to compile, for the widest.
///
///     for_each_architecture([]<class Arch>() { REQUIRE(f<Arch>(x) == reference(x)); });

#include "support/catch.hpp"

#include <xsimd/xsimd.hpp>

template <class Arch>
struct arch_tag {};

/// Calls `f(arch_tag<Arch>{})` for each architecture.
template <class F>
void for_each_arch([[maybe_unused]] F&& f) {
    const auto one = [&]<class Arch>(arch_tag<Arch> tag) {
        INFO("architecture " << Arch::name());
        f(tag);
    };
#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__)
    one(arch_tag<xsimd::sse2>{});
#endif
#if defined(__SSE4_2__) && defined(NDEBUG)
    one(arch_tag<xsimd::sse4_2>{});
#endif
#if defined(__AVX__) && defined(NDEBUG)
    one(arch_tag<xsimd::avx>{});
#endif
#if defined(__AVX2__) && defined(NDEBUG)
    one(arch_tag<xsimd::avx2>{});
#endif
#if defined(__AVX2__) && defined(__FMA__)
    one(arch_tag<xsimd::fma3<xsimd::avx2>>{});
#endif
#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512CD__)
    one(arch_tag<xsimd::avx512bw>{});
#endif
#if defined(__aarch64__)
    one(arch_tag<xsimd::neon64>{});
#endif
}

/// Calls `f.operator()<Arch>()` for each architecture.
template <class F>
void for_each_architecture(F&& f) {
    for_each_arch([&]<class Arch>(arch_tag<Arch>) { f.template operator()<Arch>(); });
}
