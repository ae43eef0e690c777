// SPDX-License-Identifier: MIT
#pragma once

/// @file The processor: what this program was compiled for, and what the machine it runs on has.
///
///     edge::cpu::has(edge::cpu::feature::avx2);      // of the machine, and enabled by its operating system
///     edge::cpu::to_string(edge::cpu::compiled());   // "x86-64 sse2 sse4.2 avx avx2 fma"
///     edge::cpu::missing();                          // empty when this program can run here
///
/// Detection is our own: xsimd 8.1 reads wrong CPUID bits. Sources: Intel SDM volume 2A, CPUID leaves 1 and 7; Linux
/// arm64 ELF hwcaps documentation.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace edge::cpu {

enum class feature : std::uint8_t {
    sse2, ssse3, sse4_2, avx, fma, avx2, avx512f, avx512bw, avx512vnni, avxvnni, neon, dotprod, i8mm, sve,
};

/// A set of features and the family they belong to.
struct features {
    std::uint32_t bits = 0;

    [[nodiscard]] constexpr bool has(feature f) const noexcept { return (bits >> static_cast<unsigned>(f) & 1U) != 0; }
    constexpr void set(feature f, bool on = true) noexcept {
        if (on) bits |= 1U << static_cast<unsigned>(f);
    }
};

namespace detail {

inline constexpr std::array<std::string_view, 14> feature_names = {
    "sse2", "ssse3", "sse4.2", "avx", "fma", "avx2", "avx512f", "avx512bw", "avx512vnni", "avxvnni", "neon", "dotprod",
    "i8mm", "sve"};

inline constexpr std::string_view family =
#if defined(__x86_64__) || defined(_M_X64)
    "x86-64";
#elif defined(__aarch64__) || defined(_M_ARM64)
    "aarch64";
#elif defined(__arm__)
    "arm";
#elif defined(__riscv)
    "riscv";
#else
    "generic";
#endif

#if defined(__x86_64__) || defined(__i386__)
/// Which register files the operating system saves: XCR0. Only where CPUID says OSXSAVE.
inline std::uint64_t saved_state() noexcept {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return std::uint64_t{high} << 32 | low;
}
#endif

inline features detect() noexcept {
    features f;
#if defined(__x86_64__) || defined(__i386__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return f;
    const auto bit = [](unsigned word, int i) { return (word >> i & 1U) != 0; };
    f.set(feature::sse2, bit(d, 26));
    f.set(feature::ssse3, bit(c, 9));
    f.set(feature::sse4_2, bit(c, 20));
    const std::uint64_t state = bit(c, 27) ? saved_state() : 0;
    const bool ymm = (state & 0x6) == 0x6;    // XMM and YMM
    const bool zmm = (state & 0xe6) == 0xe6;  // and the masks and both halves of ZMM
    f.set(feature::avx, ymm && bit(c, 28));
    f.set(feature::fma, ymm && bit(c, 12));
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return f;
    f.set(feature::avx2, ymm && bit(b, 5));
    f.set(feature::avx512f, zmm && bit(b, 16));
    f.set(feature::avx512bw, zmm && bit(b, 30));
    f.set(feature::avx512vnni, zmm && bit(c, 11));
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) f.set(feature::avxvnni, ymm && bit(a, 4));
#elif defined(__aarch64__)
    f.set(feature::neon);  // part of the base architecture
#if defined(__linux__)
    // Bit numbers of asm/hwcap.h, spelled out since older headers lack the later ones.
    const unsigned long hwcap = ::getauxval(AT_HWCAP);
    const unsigned long hwcap2 = ::getauxval(AT_HWCAP2);
    f.set(feature::dotprod, (hwcap >> 20 & 1U) != 0);
    f.set(feature::sve, (hwcap >> 22 & 1U) != 0);
    f.set(feature::i8mm, (hwcap2 >> 13 & 1U) != 0);
#endif
#endif
    return f;
}

}  // namespace detail

/// What the compiler was told it may use in the including file; `static`, since it differs from file to file.
[[nodiscard]] static constexpr features compiled() noexcept {
    features f;
#if defined(__SSE2__)
    f.set(feature::sse2);
#endif
#if defined(__SSSE3__)
    f.set(feature::ssse3);
#endif
#if defined(__SSE4_2__)
    f.set(feature::sse4_2);
#endif
#if defined(__AVX__)
    f.set(feature::avx);
#endif
#if defined(__FMA__)
    f.set(feature::fma);
#endif
#if defined(__AVX2__)
    f.set(feature::avx2);
#endif
#if defined(__AVX512F__)
    f.set(feature::avx512f);
#endif
#if defined(__AVX512BW__)
    f.set(feature::avx512bw);
#endif
#if defined(__AVX512VNNI__)
    f.set(feature::avx512vnni);
#endif
#if defined(__AVXVNNI__)
    f.set(feature::avxvnni);
#endif
#if defined(__ARM_NEON)
    f.set(feature::neon);
#endif
#if defined(__ARM_FEATURE_DOTPROD)
    f.set(feature::dotprod);
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
    f.set(feature::i8mm);
#endif
#if defined(__ARM_FEATURE_SVE)
    f.set(feature::sve);
#endif
    return f;
}

/// What this machine has. Detected once.
[[nodiscard]] inline features machine() noexcept {
    static const features found = detail::detect();
    return found;
}

[[nodiscard]] inline bool has(feature f) noexcept { return machine().has(f); }

/// What the program was compiled for and this machine lacks: it must be empty, or an illegal instruction is near.
[[nodiscard]] static inline features missing() noexcept { return {compiled().bits & ~machine().bits}; }

/// The family and the features, oldest first.
[[nodiscard]] inline std::string to_string(features f) {
    std::string text(detail::family);
    for (std::size_t i = 0; i < detail::feature_names.size(); ++i)
        if (f.has(static_cast<feature>(i))) text.append(" ").append(detail::feature_names[i]);
    return text;
}

}  // namespace edge::cpu
