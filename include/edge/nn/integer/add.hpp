// SPDX-License-Identifier: MIT
#pragma once

/// @file Sum of two quantized tensors, each with a scale of its own, by the rule of `byte_sum`.
///
///     edge::nn::integer::add(x, other, y, n, sum, threads);      // y may be x or other
///
/// The same bits as the residual of a layer has.

#include <edge/core/parallel.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/integer/detail/sum_lanes.hpp>
#include <edge/simd/interleave.hpp>

namespace edge::nn::integer {

namespace detail {

template <class Arch>
void add(const std::uint8_t* x, const std::uint8_t* other, std::uint8_t* y, index_t n, const byte_sum& sum) noexcept {
    using arch = simd::byte_arch<Arch>;
    using bytes = simd::bytes<arch>;
    using integers = simd::batch<std::int32_t, arch>;
    constexpr auto lanes = static_cast<index_t>(bytes::size);
    const sum_lanes<arch> rule(sum);
    const auto zero = static_cast<std::int16_t>(sum.zero_point);
    const auto one = [&](const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* to) {
        integers left[4], right[4];
        simd::widen_bytes<arch>(bytes::load_unaligned(a), left);
        simd::widen_bytes<arch>(bytes::load_unaligned(b), right);
        simd::unrolled<4>([&](auto j) {
            left[j] = rule(xsimd::to_float(left[j]) - rule.x_zero, xsimd::to_float(right[j]) - rule.other_zero);
        });
        simd::narrow_bytes<arch>(left, zero).store_unaligned(to);
    };
    index_t i = 0;
    for (; i + lanes <= n; i += lanes) one(x + i, other + i, y + i);
    if (i == n) return;
    const auto rest = static_cast<std::size_t>(n - i);
    std::uint8_t a[lanes] = {}, b[lanes] = {};
    std::memcpy(a, x + i, rest);
    std::memcpy(b, other + i, rest);
    one(a, b, a);
    std::memcpy(y + i, a, rest);
}

}  // namespace detail

/// @param x, other, y  [n]; y is apart from an operand or the same
/// @param threads      0: the process default
template <class Arch = nn::detail::native>
void add(const std::uint8_t* x, const std::uint8_t* other, std::uint8_t* y, index_t n, const byte_sum& sum,
         int threads = 0) {
    constexpr index_t line = 64;
    parallel_for(n, {.threads = threads, .grain = index_t{1} << 17, .align = line}, [&](index_t first, index_t last) {
        detail::add<Arch>(x + first, other + first, y + first, last - first, sum);
    });
}

}  // namespace edge::nn::integer
