// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs a test for every xsimd architecture that this build can compile; in builds with asserts, whose sanitizers make
/// each one slow to compile, for the narrowest and the widest alone.
///
///     for_each_architecture([]<class Arch>() { REQUIRE(f<Arch>(x) == reference(x)); });

#include "support/catch.hpp"

#include <xsimd/xsimd.hpp>

#include <string>
#include <string_view>

template <class F>
void for_each_architecture(F&& f) {
    const auto run = [&]<class Arch>(std::string_view name) {
        INFO("architecture " << std::string(name));
        f.template operator()<Arch>();
    };
#if defined(__SSE2__)
    run.template operator()<xsimd::sse2>("sse2");
#endif
#if defined(__AVX__) && defined(NDEBUG)
    run.template operator()<xsimd::avx>("avx");
#endif
#if defined(__AVX2__) && defined(__FMA__)
    run.template operator()<xsimd::fma3<xsimd::avx2>>("avx2+fma");
#endif
#if defined(__AVX512BW__)
    run.template operator()<xsimd::avx512bw>("avx512bw");
#endif
#if defined(__aarch64__)
    run.template operator()<xsimd::neon64>("neon64");
#endif
}
