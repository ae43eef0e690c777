// SPDX-License-Identifier: MIT
#pragma once

/// @file Quantization parameters: which real numbers the integers of a tensor stand for.
///
///     real = scale · (q - zero_point)
///
///     auto p = edge::quant::choose_parameters(-0.5f, 6.0f, edge::dtype::u8);    // scale 0.02549…, zero_point 20
///
/// Zero is always represented exactly: padding and ReLU cost no error. Source: Jacob et al. 2018, "Quantization and
/// training of neural networks for efficient integer-arithmetic-only inference", sections 2.1 and 3.

#include <edge/core/dtype.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace edge::quant {

struct parameters {
    float scale = 1.0f;           ///< > 0
    std::int32_t zero_point = 0;  ///< the integer that stands for 0; inside the range of the type

    friend bool operator==(const parameters&, const parameters&) = default;
};

/// The integers in use, lowest and highest; saturation stops there.
struct limits {
    int low = 0;
    int high = 255;

    friend bool operator==(const limits&, const limits&) = default;
};

/// All of a type's: [0, 255] or [-128, 127].
template <class Q>
inline constexpr limits limits_of{(std::numeric_limits<Q>::min)(), (std::numeric_limits<Q>::max)()};

/// An integer type, the part of its range in use, and whether zero_point is fixed in the middle.
struct format {
    dtype type;
    limits range;
    bool is_symmetric;

    /// What models mostly use: u8 and u16 are affine on all of their range, for activations; i8 is symmetric on
    /// [-127, 127], for weights; i16 symmetric on [-32767, 32767].
    /// @throws argument_error  for any other type
    constexpr format(dtype t)  // NOLINT(google-explicit-constructor): a type names its usual format
        : type(t), range(all_of(t)), is_symmetric(t == dtype::i8 || t == dtype::i16) {
        if (is_symmetric) ++range.low;
    }

    /// @throws argument_error  if the range is empty or the type does not hold it
    constexpr format(dtype t, limits r, bool symmetric) : format(t) {
        const limits all = all_of(t);
        if (r.low >= r.high || r.low < all.low || r.high > all.high)
            throw argument_error(message("range [", r.low, ", ", r.high, "] of ", t, "; expected a part of [", all.low,
                                         ", ", all.high, "]"));
        range = r;
        is_symmetric = symmetric;
    }

private:
    static constexpr limits all_of(dtype t) {
        switch (t) {
            case dtype::u8: return limits_of<std::uint8_t>;
            case dtype::i8: return limits_of<std::int8_t>;
            case dtype::u16: return limits_of<std::uint16_t>;
            case dtype::i16: return limits_of<std::int16_t>;
            default: throw argument_error(message("format of ", t, "; expected uint8, int8, uint16 or int16"));
        }
    }
};

/// Parameters for real values from `low` to `high`, extended to hold 0.
///
/// Symmetric: scale = max(|low|, |high|) / half the range, zero_point in its middle. Affine: scale = (high - low) /
/// range, zero_point = the integer nearest to the one that stands for `low` at the range's start. A scale below the
/// float epsilon, as of a tensor of zeros, becomes that epsilon, as in PyTorch.
/// @throws argument_error  if low or high is not finite or low > high
[[nodiscard]] inline parameters choose_parameters(float low, float high, const format& f) {
    if (!std::isfinite(low) || !std::isfinite(high) || low > high)
        throw argument_error(message("range of values [", low, ", ", high, "]; expected finite, low to high"));
    low = (std::min)(low, 0.0f);
    high = (std::max)(high, 0.0f);
    const auto steps = static_cast<float>(f.range.high - f.range.low);
    constexpr float least = std::numeric_limits<float>::epsilon();
    if (f.is_symmetric) {
        const float most = (std::max)(-low, high);
        return {(std::max)(most / (steps / 2.0f), least), (f.range.low + f.range.high + 1) >> 1};
    }
    const float width = high - low;
    // The difference of two finite floats may be infinite; its 255th part is not.
    const float scale = (std::max)(std::isfinite(width) ? width / steps : high / steps - low / steps, least);
    const auto zero = static_cast<float>(f.range.low) - std::nearbyint(low / scale);
    return {scale, std::clamp(static_cast<std::int32_t>(zero), f.range.low, f.range.high)};
}

/// @throws argument_error  if scale is not a positive finite number or zero_point is out of range
inline void check(const parameters& p, const limits& range) {
    if (!(p.scale > 0.0f) || !std::isfinite(p.scale))
        throw argument_error(message("scale ", p.scale, "; expected a positive finite number"));
    if (p.zero_point < range.low || p.zero_point > range.high)
        throw argument_error(message("zero point ", p.zero_point, "; expected ", range.low, " to ", range.high));
}

}  // namespace edge::quant
