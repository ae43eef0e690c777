// SPDX-License-Identifier: MIT
#pragma once

/// @file What no library can beat: loops that only read, copy, or multiply and add.
///
/// Sums stay in registers only where no loop counts through their array, hence `unrolled` at each place.

#include <edge/core/parallel.hpp>
#include <edge/perf.hpp>
#include <edge/simd/dot/groups.hpp>
#include <edge/simd/exact.hpp>
#include <edge/simd/unrolled.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace floors {

using edge::index_t;
using arch = edge::simd::detail::default_arch;
using lanes = edge::simd::batch<float, arch>;
inline constexpr auto width = static_cast<index_t>(lanes::size);

/// Sum of the registers in `sums`, so that they are all computed.
template <int n>
float total(const lanes (&sums)[n]) {
    lanes all(0.0f);
    edge::simd::unrolled<n>([&](auto k) { all = all + sums[k]; });
    float values[lanes::size];
    all.store_unaligned(values);
    float sum = 0;
    for (const float v : values) sum += v;
    return sum;
}

/// Reads all elements, on as many threads; their sum, nearly.
inline float read(const float* from, index_t count, int threads) {
    std::vector<float> sums(static_cast<std::size_t>(threads));
    edge::parallel_parts(threads, [&](int part) {
        const auto [first, last] = edge::partition(count, threads, part, 64);
        lanes here[8];
        edge::simd::unrolled<8>([&](auto k) { here[k] = lanes(0.0f); });
        for (index_t i = first; i + 8 * width <= last; i += 8 * width)
            edge::simd::unrolled<8>([&](auto k) { here[k] = here[k] + lanes::load_unaligned(from + i + k * width); });
        sums[static_cast<std::size_t>(part)] = total(here);
    });
    float sum = 0;
    for (const float s : sums) sum += s;
    return sum;
}

/// Copies all elements, on as many threads. Of 512 KiB in all, half read and half written: what a second cache gives.
inline void copy(const float* from, float* to, index_t count, int threads) {
    edge::parallel_parts(threads, [&](int part) {
        const auto [first, last] = edge::partition(count, threads, part, 64);
        for (index_t i = first; i + 4 * width <= last; i += 4 * width)
            edge::simd::unrolled<4>(
                [&](auto k) { lanes::load_unaligned(from + i + k * width).store_unaligned(to + i + k * width); });
    });
}

/// About `count` multiply-adds, of which none waits for another, on as many threads.
inline float multiply_add(double count, int threads) {
    constexpr int chains = 12;
    const auto steps = static_cast<index_t>(count / threads / (chains * static_cast<double>(width)));
    std::vector<float> sums(static_cast<std::size_t>(threads));
    edge::parallel_parts(threads, [&](int part) {
        lanes s[chains];
        edge::simd::unrolled<chains>([&](auto k) { s[k] = lanes(static_cast<float>(part + k)); });
        const lanes x(0.999f), y(0.001f);
        for (index_t i = 0; i < steps; ++i)
            edge::simd::unrolled<chains>([&](auto k) { s[k] = edge::simd::fma(s[k], x, y); });
        sums[static_cast<std::size_t>(part)] = total(s);
    });
    return sums[0];
}

/// About `count` exact multiply-adds of bytes into int32, of which none waits for another, on as many threads.
inline int integer_multiply_add(double count, int threads) {
    using product = edge::simd::byte_product<arch>;
    constexpr int chains = 12;
    constexpr int columns = 4;  // as a tile has them: with the same operands for all, a compiler would multiply once
    constexpr auto each = static_cast<index_t>(product::sums::size) * product::group;
    const auto steps = static_cast<index_t>(count / threads / static_cast<double>(chains * each));
    std::vector<int> sums(static_cast<std::size_t>(threads));
    edge::parallel_parts(threads, [&](int part) {
        typename product::sums s[chains];
        edge::simd::unrolled<chains>([&](auto k) { s[k] = typename product::sums(part + k); });
        alignas(64) std::int8_t w[columns * each];
        alignas(64) typename product::left x[chains * product::group];
        std::fill(std::begin(w), std::end(w), static_cast<std::int8_t>(part + 3));
        std::fill(std::begin(x), std::end(x), static_cast<typename product::left>(part + 5));
        decltype(product::load(w)) right[columns];
        edge::simd::unrolled<columns>([&](auto j) { right[j] = product::load(w + j * each); });
        const auto* from = x;
        for (index_t i = 0; i < steps; ++i) {
            edge::perf::keep(from);
            decltype(product::broadcast(from)) left;
            edge::simd::unrolled<chains>([&](auto k) {
                if constexpr (k % columns == 0) left = product::broadcast(from + k / columns * product::group);
                s[k] = product::add(s[k], left, right[k % columns]);
            });
        }
        int sum = 0;
        edge::simd::unrolled<chains>([&](auto k) { sum += s[k].get(0); });
        sums[static_cast<std::size_t>(part)] = sum;
    });
    return sums[0];
}

/// The least of some rounds of `f`, in seconds.
template <class F>
double least_seconds(int rounds, F&& f) {
    double least = 1e9;
    for (int round = 0; round < rounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        f();
        least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return least;
}

/// Multiply-adds that this machine does in a second on as many threads.
inline double peak(int threads) {
    const double count = 2.4e7 * threads;
    return count / least_seconds(20, [&] { edge::perf::keep(multiply_add(count, threads)); });
}

/// Exact multiply-adds of bytes that this machine does in a second on as many threads.
inline double integer_peak(int threads) {
    const double count = 1e8 * threads;
    return count / least_seconds(20, [&] { edge::perf::keep(integer_multiply_add(count, threads)); });
}

}  // namespace floors
