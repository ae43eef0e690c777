// SPDX-License-Identifier: MIT
#pragma once

/// @file Random numbers that are the same on every platform, compiler and standard library.
///
///     edge::splitmix64 random(seed);
///     double u = random.uniform();            // [0, 1)
///     auto i = random.below(6);               // 0 … 5
///     random.shuffle(std::span(order));
///
/// std::shuffle and the std distributions may differ between libraries; these do not. Not for secrets.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace edge {

/// Period 2^64; every seed is good. A uniform random bit generator, so the std distributions take it too.
/// Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", mix of section 5 as fixed by
/// Vigna's splitmix64.c (public domain).
class splitmix64 {
public:
    using result_type = std::uint64_t;

    constexpr explicit splitmix64(std::uint64_t seed = 0) noexcept : state_(seed) {}

    static constexpr result_type(min)() noexcept { return 0; }
    static constexpr result_type(max)() noexcept { return (std::numeric_limits<result_type>::max)(); }

    constexpr result_type operator()() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

    /// In [0, 1): a multiple of 2^-53.
    constexpr double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

    /// In [low, high), up to the rounding of `high`.
    constexpr double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

    /// In [0, n), each with the same chance; n > 0.
    constexpr std::uint64_t below(std::uint64_t n) noexcept {
        const std::uint64_t first = (0 - n) % n;  // 2^64 mod n: below it, the low remainders would come once too often
        std::uint64_t r = (*this)();
        while (r < first) r = (*this)();
        return r % n;
    }

    /// Every order with the same chance, up to the period. Fisher and Yates.
    template <class T>
    constexpr void shuffle(std::span<T> values) noexcept {
        for (std::size_t i = values.size(); i > 1; --i) {
            using std::swap;
            swap(values[i - 1], values[static_cast<std::size_t>(below(i))]);
        }
    }

private:
    std::uint64_t state_;
};

}  // namespace edge
