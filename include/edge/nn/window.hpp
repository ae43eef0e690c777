// SPDX-License-Identifier: MIT
#pragma once

/// @file Where a convolution or pooling window goes, and the shapes that follow from it.
///
///     edge::nn::window w{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1};
///     auto g = edge::nn::convolution_of({1, 224, 224, 3}, {3, 3, 3, 32}, w, 1);   // g.out_h == 112
///
/// Activations are [n, h, w, c]; weights are [kernel_h, kernel_w, c_in / groups, c_out], so that the innermost loop
/// runs over output channels that lie next to each other, and a dense layer's [k, n] is the 1x1 case.

#include <edge/core/shape.hpp>

#include <limits>

namespace edge::nn {

struct window {
    index_t kernel_h = 1, kernel_w = 1;
    index_t stride_h = 1, stride_w = 1;
    index_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
    index_t dilation_h = 1, dilation_w = 1;
};

/// Limits of a layer's results, for an activation that is folded into it; NaN passes.
struct clamp {
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();

    friend bool operator==(const clamp&, const clamp&) = default;
};

inline constexpr clamp relu{0.0f, std::numeric_limits<float>::infinity()};
inline constexpr clamp relu6{0.0f, 6.0f};

/// Number of positions along one axis of a window of `width` taps, rounded down; 0 if the window does not fit once. Arguments as checked by
/// `check`.
[[nodiscard]] constexpr index_t output_extent(index_t in, index_t width, index_t stride, index_t pad_before,
                                              index_t pad_after, index_t dilation) noexcept {
    const index_t room = in + pad_before + pad_after - ((width - 1) * dilation + 1);
    return room < 0 ? 0 : room / stride + 1;
}

/// @throws argument_error  if a kernel, stride or dilation is not positive, a padding is negative, or one is absurd
inline void check(const window& w) {
    // Far beyond any use, and small enough that no product of two of them overflows.
    constexpr index_t most = 1 << 20;
    for (const index_t v : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w})
        if (v < 1 || v > most)
            throw argument_error(message("kernel, stride or dilation ", v, "; expected 1 to ", most));
    for (const index_t v : {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right})
        if (v < 0 || v > most) throw argument_error(message("padding ", v, "; expected 0 to ", most));
}

/// Every extent a convolution kernel needs.
struct convolution {
    index_t batch = 1;
    index_t in_h = 1, in_w = 1, in_c = 1;
    index_t out_h = 1, out_w = 1, out_c = 1;
    index_t groups = 1;
    nn::window window = {};

    [[nodiscard]] index_t group_in() const noexcept { return in_c / groups; }
    [[nodiscard]] index_t group_out() const noexcept { return out_c / groups; }
    [[nodiscard]] shape output() const { return {batch, out_h, out_w, out_c}; }
    [[nodiscard]] bool is_depthwise() const noexcept { return groups == in_c && out_c == in_c; }
    [[nodiscard]] bool is_pointwise() const noexcept {
        return window.kernel_h == 1 && window.kernel_w == 1 && groups == 1 && window.pad_top == 0 &&
               window.pad_left == 0 && window.pad_bottom == 0 && window.pad_right == 0;
    }
};

/// Each channel of images [batch, in_h, in_w, channels] with a kernel of its own. Arguments as checked by `check`.
[[nodiscard]] inline convolution depthwise_convolution(index_t batch, index_t in_h, index_t in_w, index_t channels,
                                                       const window& w) noexcept {
    return {.batch = batch,
            .in_h = in_h,
            .in_w = in_w,
            .in_c = channels,
            .out_h = output_extent(in_h, w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom, w.dilation_h),
            .out_w = output_extent(in_w, w.kernel_w, w.stride_w, w.pad_left, w.pad_right, w.dilation_w),
            .out_c = channels,
            .groups = channels,
            .window = w};
}

/// @param input    [n, h, w, c_in]
/// @param weights  [kernel_h, kernel_w, c_in / groups, c_out]
/// @throws shape_error     if the shapes do not fit each other or the window
/// @throws argument_error  as `check`
[[nodiscard]] inline convolution convolution_of(const shape& input, const shape& weights, const window& w,
                                                index_t groups) {
    check(w);
    const auto wrong = [&](const char* what) {
        return shape_error(
            message("convolution of input ", input, " with weights ", weights, " in ", groups, " groups: ", what));
    };
    if (input.rank() != 4 || weights.rank() != 4)
        throw wrong("expected [n, h, w, c] and [kh, kw, c_in / groups, c_out]");
    if (weights[0] != w.kernel_h || weights[1] != w.kernel_w) throw wrong("the weights are not of the window's size");
    if (groups < 1 || input[3] % groups != 0 || weights[3] % groups != 0 || input[3] / groups != weights[2])
        throw wrong("the channels do not fit");
    convolution g = depthwise_convolution(input[0], input[1], input[2], input[3], w);
    g.out_c = weights[3];
    g.groups = groups;
    return g;
}

namespace detail {

/// The taps [first, last) of `width` that fall inside [0, extent) when its first is at `start`.
struct taps {
    index_t first, last;
};
[[nodiscard]] constexpr taps taps_inside(index_t start, index_t width, index_t dilation, index_t extent) noexcept {
    const index_t first = start < 0 ? (-start + dilation - 1) / dilation : 0;
    const index_t room = extent - start;
    const index_t last = room <= 0 ? 0 : (room + dilation - 1) / dilation;
    return {first, last < width ? last : width};
}

}  // namespace detail
}  // namespace edge::nn
