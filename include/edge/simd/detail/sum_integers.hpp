// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of 8-, 16- and 32-bit integers in 64 bits. Exact modulo 2^64, so in any order.
///
/// Lanes are added as fields of 32-bit registers, twice as wide as the integers, and widened before they can overflow:
/// no instruction set needs more than additions, shifts and masks for that.

#include <edge/simd/detail/reduce_split.hpp>

namespace edge::simd::detail {

/// The sum of up to 65536 integers; signed ones are taken above their lowest value, which the caller subtracts.
template <class Arch, class V>
[[nodiscard]] std::uint64_t sum_of_fields(const V* from, index_t count) noexcept {
    using B = batch<std::uint32_t, Arch>;
    constexpr int bits = 8 * static_cast<int>(sizeof(V));
    constexpr auto each = static_cast<index_t>(lanes<std::uint32_t, Arch>);
    constexpr auto n = static_cast<index_t>(each * 4 / static_cast<index_t>(sizeof(V)));
    constexpr auto sign = std::is_signed_v<V> ? static_cast<std::uint32_t>(bits == 8    ? 0x80808080
                                                                           : bits == 16 ? 0x80008000
                                                                                        : 0x80000000)
                                              : std::uint32_t{0};
    const B flip(sign);
    const B halves(0xffffU);
    B low(0U);
    B high(0U);
    index_t i = 0;
    const auto load = [&](index_t at) {
        return detail::bitwise_cast<std::uint32_t>(batch<V, Arch>::load_unaligned(from + at)) ^ flip;
    };
    if constexpr (bits == 8) {
        const B bytes(0x00ff00ffU);
        while (i + n <= count) {
            B even(0U);
            B odd(0U);
            for (int k = 0; k < 256 && i + n <= count; ++k, i += n) {  // 256 bytes fit the 16 bits of a field
                const B x = load(i);
                even = even + (x & bytes);
                odd = odd + ((x >> 8) & bytes);
            }
            low = low + (even & halves) + (odd & halves);
            high = high + (even >> 16) + (odd >> 16);
        }
    } else {
        for (; i + n <= count; i += n) {
            const B x = load(i);
            low = low + (x & halves);
            high = high + (x >> 16);
        }
    }
    alignas(alignment) std::uint32_t lows[lanes<std::uint32_t, Arch>];
    alignas(alignment) std::uint32_t highs[lanes<std::uint32_t, Arch>];
    low.store_aligned(lows);
    high.store_aligned(highs);
    std::uint64_t total = 0;
    for (index_t k = 0; k < each; ++k) total += lows[k] + (std::uint64_t{highs[k]} << (bits == 32 ? 16 : 0));
    using U = std::make_unsigned_t<V>;
    for (; i < count; ++i) total += static_cast<U>(static_cast<U>(from[i]) ^ static_cast<U>(sign));
    return total;
}

/// The sum of any number of neighbours.
template <class Arch, class V>
[[nodiscard]] std::uint64_t sum_of_integers(const V* from, index_t count) noexcept {
    std::uint64_t total = 0;
    for (index_t first = 0; first < count; first += 65536)
        total += sum_of_fields<Arch>(from + first, (std::min)(index_t{65536}, count - first));
    if constexpr (std::is_signed_v<V>)
        total -= static_cast<std::uint64_t>(count) << (8 * static_cast<int>(sizeof(V)) - 1);
    return total;
}

/// Adds up to sixteen rows to the totals of their columns.
template <class V, class S>
void add_rows(const V* from, index_t rows, index_t stride, index_t width, S* totals) noexcept {
    constexpr index_t chunk = 32;
    for (index_t i = 0; i < width; i += chunk) {
        std::uint64_t sums[chunk] = {};
        const index_t n = (std::min)(chunk, width - i);
        for (index_t r = 0; r < rows; ++r) {
            const V* row = from + r * stride + i;
            if (n == chunk) {
                for (index_t k = 0; k < chunk; ++k) sums[k] += static_cast<std::uint64_t>(row[k]);
            } else {
                for (index_t k = 0; k < n; ++k) sums[k] += static_cast<std::uint64_t>(row[k]);
            }
        }
        for (index_t k = 0; k < n; ++k)
            totals[i + k] = static_cast<S>(static_cast<std::uint64_t>(totals[i + k]) + sums[k]);
    }
}

}  // namespace edge::simd::detail

namespace edge::detail {

/// Whether sums of V are taken as above.
template <class V>
inline constexpr bool is_small_integer = std::is_integral_v<V> && !std::is_same_v<V, bool> && sizeof(V) < 8;

/// As `reduce_split`, of integers in 64 bits.
template <class V, class S>
void sum_split(const source<V>& from, const axis_split& split, S* to, int threads) {
    if (split.outer * split.inner == 0) return;
    using arch = simd::detail::default_arch;
    const part_plan<V> plan(split);
    tensor<S> partial({split.outer * plan.parts * split.inner});
    run_parts(plan.items(split), parallel_options{.threads = threads, .grain = plan.grain()},
              [&](index_t first, index_t last) {
                  constexpr index_t rows_each = simd::detail::rows_per_block;
                  const index_t at_a_time = split.inner == 1 ? buffered_elements : rows_each;
                  scratch<V> buffer(from.data != nullptr ? 0 : at_a_time * plan.tile);
                  for (index_t i = first; i < last; ++i) {
                      const part_item item(split, plan, i);
                      S* sums = partial.data() + (item.slice * plan.parts + item.part) * split.inner + item.column;
                      const index_t step = from.data != nullptr && split.inner == 1 ? item.extent : at_a_time;
                      for (index_t r = 0; r < item.extent; r += step) {
                          const index_t rows = (std::min)(step, item.extent - r);
                          const auto read = from.read(item.first(split) + r * split.inner, rows, split.inner,
                                                      item.width, buffer.data());
                          if (split.inner == 1) {
                              *sums = static_cast<S>(static_cast<std::uint64_t>(*sums) +
                                                     simd::detail::sum_of_integers<arch>(read.from, rows));
                          } else {
                              simd::detail::add_rows(read.from, rows, read.stride, item.width, sums);
                          }
                      }
                  }
              });
    for (index_t o = 0; o < split.outer; ++o) {
        S* parts = partial.data() + o * plan.parts * split.inner;
        simd::detail::fold<arch, simd::detail::sum_of>(parts, plan.parts, split.inner);
        std::copy_n(parts, split.inner, to + o * split.inner);
    }
}

}  // namespace edge::detail
