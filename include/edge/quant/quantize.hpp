// SPDX-License-Identifier: MIT
#pragma once

/// @file Real numbers to integers of 8 or 16 bits and back, by the rule of ONNX QuantizeLinear and DequantizeLinear.
///
///     edge::quant::quantize<std::uint8_t>(x, q, p);             // q = saturate(round(x / scale) + zero_point)
///     edge::quant::dequantize<std::uint8_t>(q, y, p);           // y = (q - zero_point) * scale
///     auto w8 = edge::quant::quantize<std::int8_t>(w, per_row, 0, {-127, 127});   // a tensor, one scale a row
///
/// Division and rounding are those of float, halves to even; infinities saturate; NaN becomes the lowest integer in
/// use. The bits are the same on every architecture.

#include <edge/core/tensor.hpp>
#include <edge/quant/parameters.hpp>
#include <edge/simd/exact.hpp>
#include <edge/simd/widen.hpp>

#include <concepts>
#include <span>

namespace edge::quant {

using simd::byte_integer;

/// An integer of 8 or 16 bits, signed or not.
template <class T>
concept small_integer = byte_integer<T> || std::same_as<T, std::int16_t> || std::same_as<T, std::uint16_t>;

/// The rule itself, for one value.
template <small_integer Q>
[[nodiscard]] inline Q quantize_one(float x, const parameters& p, const limits& range = limits_of<Q>) noexcept {
    const auto low = static_cast<float>(range.low - p.zero_point);
    const auto high = static_cast<float>(range.high - p.zero_point);
    const float v = x / p.scale;
    const float raised = v > low ? v : low;  // NaN fails the comparison
    const float held = raised < high ? raised : high;
    return static_cast<Q>(static_cast<std::int32_t>(std::nearbyint(held)) + p.zero_point);
}

template <small_integer Q>
[[nodiscard]] constexpr float dequantize_one(Q q, const parameters& p) noexcept {
    return static_cast<float>(q - p.zero_point) * p.scale;
}

namespace detail {

template <class Arch, small_integer Q>
void quantize(const float* x, Q* q, index_t n, const parameters& p, const limits& range) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    const batch scale(p.scale);
    const batch low(static_cast<float>(range.low - p.zero_point));
    const batch high(static_cast<float>(range.high - p.zero_point));
    const xsimd::batch<std::int32_t, Arch> zero(p.zero_point);
    index_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const batch v = simd::divide(batch::load_unaligned(x + i), scale);
        const batch raised = xsimd::select(v > low, v, low);
        const batch held = xsimd::select(raised < high, raised, high);
        const auto integers = simd::round_to_int<Arch>(held) + zero;
        if constexpr (byte_integer<Q>) {
            simd::store_saturated<Arch>(integers, q + i);
        } else {
            alignas(alignment) std::int32_t wide[batch::size];
            integers.store_aligned(wide);
            for (std::size_t lane = 0; lane < batch::size; ++lane)
                q[i + static_cast<index_t>(lane)] = static_cast<Q>(wide[lane]);
        }
    }
    for (; i < n; ++i) q[i] = quantize_one<Q>(x[i], p, range);
}

template <class Arch, small_integer Q>
void dequantize(const Q* q, float* x, index_t n, const parameters& p) noexcept {
    index_t i = 0;
    if constexpr (byte_integer<Q>) {
        using batch = xsimd::batch<float, Arch>;
        constexpr auto lanes = static_cast<index_t>(batch::size);
        const batch scale(p.scale);
        const batch zero(static_cast<float>(p.zero_point));
        for (; i + lanes <= n; i += lanes) ((simd::load_as_float<Arch>(q + i) - zero) * scale).store_unaligned(x + i);
    }
    for (; i < n; ++i) x[i] = dequantize_one(q[i], p);
}

/// Calls `f(first, count, channel)` for each run of a contiguous tensor that belongs to one channel.
/// @throws shape_error  if there is not one entry of `per_channel` for each position along the axis
template <class F>
void for_each_channel_run(const shape& s, std::span<const parameters> per_channel, index_t axis, F&& f) {
    const std::size_t a = s.axis(axis);
    if (static_cast<index_t>(per_channel.size()) != s[a])
        throw shape_error(message(per_channel.size(), " scales for axis ", axis, " of shape ", s));
    index_t inner = 1;
    for (std::size_t i = a + 1; i < s.rank(); ++i) inner *= s[i];
    if (s.size() == 0) return;
    for (index_t row = 0; row < s.size() / inner; ++row)
        f(row * inner, inner, per_channel[static_cast<std::size_t>(row % s[a])]);
}

inline void same_length(std::size_t in, std::size_t out, const char* what) {
    if (in != out) throw shape_error(message(what, ": ", in, " inputs, ", out, " outputs"));
}

}  // namespace detail

/// @param range  the integers in use; results saturate there
/// @throws argument_error  if scale or zero_point is not valid
/// @throws shape_error     if the lengths differ
template <small_integer Q>
void quantize(std::span<const float> x, std::span<Q> q, const parameters& p, const limits& range = limits_of<Q>) {
    check(p, range);
    detail::same_length(x.size(), q.size(), "quantize");
    detail::quantize<simd::detail::default_arch>(x.data(), q.data(), static_cast<index_t>(x.size()), p, range);
}

template <small_integer Q>
void dequantize(std::span<const Q> q, std::span<float> x, const parameters& p) {
    check(p, limits_of<Q>);
    detail::same_length(q.size(), x.size(), "dequantize");
    detail::dequantize<simd::detail::default_arch>(q.data(), x.data(), static_cast<index_t>(x.size()), p);
}

/// A contiguous view as a tensor of integers.
template <small_integer Q>
[[nodiscard]] tensor<Q> quantize(tensor_view<const float> x, const parameters& p, const limits& range = limits_of<Q>) {
    auto q = tensor<Q>::uninitialized(x.shape());
    quantize<Q>(x.flat(), q.flat(), p, range);
    return q;
}

template <small_integer Q>
[[nodiscard]] tensor<float> dequantize(const tensor<Q>& q, const parameters& p) {
    auto x = tensor<float>::uninitialized(q.shape());
    dequantize<Q>(q.flat(), x.flat(), p);
    return x;
}

/// With parameters of its own for each position along `axis`.
/// @throws shape_error  if their number is not the extent of the axis, or x is not contiguous
template <small_integer Q>
[[nodiscard]] tensor<Q> quantize(tensor_view<const float> x, std::span<const parameters> per_channel, index_t axis,
                                 const limits& range = limits_of<Q>) {
    for (const parameters& p : per_channel) check(p, range);
    auto q = tensor<Q>::uninitialized(x.shape());
    const float* from = x.flat().data();
    detail::for_each_channel_run(x.shape(), per_channel, axis, [&](index_t first, index_t n, const parameters& p) {
        detail::quantize<simd::detail::default_arch>(from + first, q.data() + first, n, p, range);
    });
    return q;
}

template <small_integer Q>
[[nodiscard]] tensor<float> dequantize(const tensor<Q>& q, std::span<const parameters> per_channel, index_t axis) {
    for (const parameters& p : per_channel) check(p, limits_of<Q>);
    auto x = tensor<float>::uninitialized(q.shape());
    detail::for_each_channel_run(q.shape(), per_channel, axis, [&](index_t first, index_t n, const parameters& p) {
        detail::dequantize<simd::detail::default_arch>(q.data() + first, x.data() + first, n, p);
    });
    return x;
}

}  // namespace edge::quant
