// SPDX-License-Identifier: MIT
#pragma once

/// @file Fake quantization: real values as they come back from integers, with gradients for training.
///
///     edge::quant::fake_quantize(w, y, p, {-127, 127});                        // forward: y = dequantize(quantize(w))
///     const auto learned = edge::quant::fake_quantize_backward(w, dy, dw, p, {-127, 127});
///     scale -= rate * factor * learned.scale;                                  // where the scale is learned, too
///
/// Rounding counts as if it were not there: the gradient goes straight through where a value is inside the range and is 0
/// where it saturates. Sources: Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons";
/// for scales and zero points, as PyTorch: Esser et al. 2020, "Learned step size quantization", equation 3, and Bhalgat et
/// al. 2020, "LSQ+", equations 4 and 5.

#include <edge/quant/quantize.hpp>

#include <vector>

namespace edge::quant {

/// What a change of the parameters does to the loss.
struct parameter_gradients {
    float scale = 0.0f;  ///< Σ dy·(q - zero_point - x / scale) inside, Σ dy·(limit - zero_point) where saturated
    float zero_point = 0.0f;  ///< Σ -dy·scale where saturated

    friend bool operator==(const parameter_gradients&, const parameter_gradients&) = default;
};

/// By which the gradient of a learned scale is multiplied so that it moves at the pace of the values it scales:
/// 1 / √(values · highest integer). Esser et al., section 2.2.
/// @param values  that share the scale
[[nodiscard]] inline float learned_scale_factor(index_t values, const limits& range) noexcept {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>((std::max)(index_t{1}, values)) *
                                              static_cast<double>((std::max)(1, range.high))));
}

namespace detail {

/// Rounded steps from the zero point, one beyond the range where x saturates; NaN is below.
template <class Arch>
struct rounded_steps {
    using batch = simd::batch<float, Arch>;
    batch scale, low, high, below, above;

    rounded_steps(const parameters& p, const limits& range) noexcept
        : scale(p.scale),
          low(static_cast<float>(range.low - p.zero_point)),
          high(static_cast<float>(range.high - p.zero_point)),
          below(low - batch(1.0f)),
          above(high + batch(1.0f)) {}

    [[nodiscard]] batch operator()(const batch& steps) const noexcept {
        const batch raised = xsimd::select(steps > below, steps, below);
        return xsimd::to_float(simd::round_to_int<Arch>(xsimd::select(raised < above, raised, above)));
    }
    [[nodiscard]] batch clamped(const batch& rounded) const noexcept {
        return xsimd::select(rounded < low, low, xsimd::select(rounded > high, high, rounded));
    }
};

/// `f(first, lanes)` for whole batches of [0, n), then for the rest through buffers: at most three inputs and one output.
template <class Arch, class F>
void for_each_batch(index_t n, const float* a, const float* b, float* to, F&& f) noexcept {
    using batch = simd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    index_t i = 0;
    for (; i + lanes <= n; i += lanes)
        f(batch::load_unaligned(a + i), batch::load_unaligned(b + i), lanes).store_unaligned(to + i);
    if (i == n) return;
    alignas(alignment) float x[batch::size] = {}, y[batch::size] = {}, z[batch::size];
    for (index_t j = i; j < n; ++j) {
        x[j - i] = a[j];
        y[j - i] = b[j];
    }
    f(batch::load_aligned(x), batch::load_aligned(y), n - i).store_aligned(z);
    for (index_t j = i; j < n; ++j) to[j] = z[j - i];
}

template <class Arch>
void fake_quantize(const float* x, float* y, index_t n, const parameters& p, const limits& range) noexcept {
    const rounded_steps<Arch> round(p, range);
    using batch = simd::batch<float, Arch>;
    for_each_batch<Arch>(n, x, x, y, [&](const batch& v, const batch&, index_t) {
        return round.clamped(round(simd::divide(v, round.scale))) * round.scale;
    });
}

/// Sums are added value by value in double: the bits are the same on every architecture.
template <class Arch>
parameter_gradients fake_quantize_backward(const float* x, const float* dy, float* dx, index_t n, const parameters& p,
                                           const limits& range) noexcept {
    const rounded_steps<Arch> round(p, range);
    using batch = simd::batch<float, Arch>;
    double scale = 0.0, zero_point = 0.0;
    for_each_batch<Arch>(n, x, dy, dx, [&](const batch& v, const batch& d, index_t count) {
        const batch steps = simd::divide(v, round.scale);
        const batch to = round(steps);
        const batch held = round.clamped(to);
        const auto inside = to == held;
        const batch zero(0.0f);
        alignas(alignment) float for_scale[batch::size], saturated[batch::size];
        (d * xsimd::select(inside, held - steps, held)).store_aligned(for_scale);
        xsimd::select(inside, zero, d).store_aligned(saturated);
        for (index_t i = 0; i < count; ++i) {
            scale += static_cast<double>(for_scale[i]);
            zero_point -= static_cast<double>(saturated[i]);
        }
        return xsimd::select(inside, d, zero);
    });
    return {static_cast<float>(scale), static_cast<float>(zero_point * static_cast<double>(p.scale))};
}

}  // namespace detail

/// y = dequantize(quantize(x)), with the bits of these. NaN becomes the lowest value.
/// @param x, y  values of any shape, flattened; may be the same. O(n).
/// @throws argument_error  if the parameters make no sense
/// @throws shape_error     if the lengths differ
inline void fake_quantize(std::span<const float> x, std::span<float> y, const parameters& p, const limits& range) {
    check(p, range);
    detail::same_length(x.size(), y.size(), "fake quantize");
    detail::fake_quantize<simd::detail::default_arch>(x.data(), y.data(), static_cast<index_t>(x.size()), p, range);
}

/// dx = dy where x is inside the range, 0 where it saturates.
/// @param x   what went in
/// @param dy  gradients of what came out
/// @param dx  filled; may be dy. O(n).
/// @return  the gradients of the scale and the zero point; NaN where one of dy is
/// @throws argument_error  if the parameters make no sense
/// @throws shape_error     if the lengths differ
inline parameter_gradients fake_quantize_backward(std::span<const float> x, std::span<const float> dy,
                                                  std::span<float> dx, const parameters& p, const limits& range) {
    check(p, range);
    detail::same_length(x.size(), dy.size(), "fake quantize");
    detail::same_length(x.size(), dx.size(), "fake quantize");
    return detail::fake_quantize_backward<simd::detail::default_arch>(x.data(), dy.data(), dx.data(),
                                                                      static_cast<index_t>(x.size()), p, range);
}

/// Forward, with parameters of its own for each position along `axis`.
/// @param x  contiguous
/// @throws shape_error  if their number is not the extent of the axis, or x is not contiguous
[[nodiscard]] inline tensor<float> fake_quantize(tensor_view<const float> x, std::span<const parameters> per_channel,
                                                 index_t axis, const limits& range) {
    for (const parameters& p : per_channel) check(p, range);
    auto y = tensor<float>::uninitialized(x.shape());
    const float* from = x.flat().data();
    detail::for_each_channel_run(x.shape(), per_channel, axis, [&](index_t first, index_t n, const parameters& p) {
        detail::fake_quantize<simd::detail::default_arch>(from + first, y.data() + first, n, p, range);
    });
    return y;
}

/// Backward of it.
/// @param dy, dx  contiguous, of x's shape; may be the same
/// @return  gradients for each channel
/// @throws shape_error  if something does not fit
inline std::vector<parameter_gradients> fake_quantize_backward(tensor_view<const float> x, tensor_view<const float> dy,
                                                               tensor_view<float> dx,
                                                               std::span<const parameters> per_channel, index_t axis,
                                                               const limits& range) {
    for (const parameters& p : per_channel) check(p, range);
    if (dy.shape() != x.shape() || dx.shape() != x.shape())
        throw shape_error(message("fake quantize: ", x.shape(), ", gradients ", dy.shape(), " and ", dx.shape()));
    std::vector<parameter_gradients> all(per_channel.size());
    const float* from = x.flat().data();
    const float* gradients = dy.flat().data();
    float* to = dx.flat().data();
    detail::for_each_channel_run(x.shape(), per_channel, axis, [&](index_t first, index_t n, const parameters& p) {
        const auto part = detail::fake_quantize_backward<simd::detail::default_arch>(from + first, gradients + first,
                                                                                     to + first, n, p, range);
        parameter_gradients& sum = all[static_cast<std::size_t>(&p - per_channel.data())];
        sum.scale += part.scale;
        sum.zero_point += part.zero_point;
    });
    return all;
}

}  // namespace edge::quant
