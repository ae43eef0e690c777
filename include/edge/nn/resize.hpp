// SPDX-License-Identifier: MIT
#pragma once

/// @file Resizing of NHWC images of bytes or floats, also as Pillow does it, to the bit.
///
///     edge::nn::image_resizer to_256(375, 500, 256, 341, {.filter = edge::nn::resize_filter::linear, .antialias = true});
///     to_256.run(photo, small, 1, 3, scratch, threads);       // as Image.resize((341, 256), Image.BILINEAR)
///
/// Each axis is resized on its own, rows first; a result along an axis is a weighted sum of its taps. Bytes are rounded
/// after each axis, with weights of 22 fractional bits, as Pillow does. The bits do not depend on the number of threads.

#include <edge/core/parallel.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/simd/exact.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <vector>

namespace edge::nn {

enum class resize_filter : std::uint8_t { nearest, linear, cubic };

/// Where a result lies among the sources, as ONNX names it.
enum class resize_coordinates : std::uint8_t {
    half_pixel,     ///< pixels are squares: (i + 1/2)·from/to - 1/2
    align_corners,  ///< the first and last pixels lie on each other: i·(from - 1)/(to - 1)
    asymmetric,     ///< i·from/to
};

struct resize_options {
    resize_filter filter = resize_filter::linear;
    resize_coordinates coordinates = resize_coordinates::half_pixel;
    bool antialias = false;  ///< makes the filter as wide as the sources that a result stands for
    double cubic = -0.5;     ///< of Keys' kernel; Pillow's, and ONNX's with antialias, is -0.5, ONNX's own -0.75
};

namespace detail {

/// One axis: for each result its first source, and `most` weights, the rest of which are 0.
struct resized_axis {
    index_t from, to;
    index_t most = 1;
    std::vector<index_t> first{};
    std::vector<index_t> count{};
    std::vector<double> weights{};

    resized_axis(index_t from_extent, index_t to_extent, const resize_options& options)
        : from(from_extent), to(to_extent) {
        if (from < 1 || to < 1 || from > index_t{1} << 24 || to > index_t{1} << 24)
            throw argument_error(message("resize from ", from, " to ", to, " pixels; expected 1 to 16777216"));
        const double scale = static_cast<double>(from) / static_cast<double>(to);
        const double wide = options.antialias ? (std::max)(scale, 1.0) : 1.0;
        const double reach = (options.filter == resize_filter::cubic ? 2.0 : 1.0) * wide;
        if (options.filter != resize_filter::nearest)
            most = (std::min)(from, static_cast<index_t>(std::ceil(reach)) * 2 + 1);
        weights.assign(static_cast<std::size_t>(checked_multiply(most, to, "number of weights")), 0.0);
        for (index_t i = 0; i < to; ++i) {
            double* const w = weights.data() + i * most;
            if (options.filter == resize_filter::nearest) {
                first.push_back(nearest(i, options.coordinates));
                count.push_back(1);
                w[0] = 1.0;
                continue;
            }
            const double center = center_of(i, scale, options.coordinates);
            // Sources past the border are those at it, or, as in Pillow, left out where the filter is wider.
            const auto low = static_cast<index_t>(std::floor(center - reach + 0.5));
            const auto high = static_cast<index_t>(std::floor(center + reach + 0.5));
            index_t start = 0;
            index_t n = 0;
            double sum = 0.0;
            for (index_t at = low; at < high; ++at) {
                if (options.antialias && (at < 0 || at >= from)) continue;
                const double v = kernel((static_cast<double>(at) - center + 0.5) * (1.0 / wide), options);
                if (v == 0.0) continue;  // whatever the source is, infinities too
                const index_t source = std::clamp(at, index_t{0}, from - 1);
                if (n == 0) start = source;
                w[source - start] += v;
                n = source - start + 1;
                sum += v;
            }
            for (index_t k = 0; k < n; ++k) w[k] /= sum;
            first.push_back(start);
            count.push_back(n);
        }
    }

private:
    /// The pixel that a result's middle lies in; with `asymmetric`, that its corner lies in.
    [[nodiscard]] index_t nearest(index_t i, resize_coordinates coordinates) const noexcept {
        if (coordinates == resize_coordinates::half_pixel) return (2 * i + 1) * from / (2 * to);
        if (coordinates == resize_coordinates::asymmetric) return i * from / to;
        return to == 1 ? 0 : (2 * i * (from - 1) + to - 1) / (2 * (to - 1));
    }

    /// In a system where source i is the interval [i, i + 1).
    [[nodiscard]] double center_of(index_t i, double scale, resize_coordinates coordinates) const noexcept {
        const auto at = static_cast<double>(i);
        if (coordinates == resize_coordinates::half_pixel) return (at + 0.5) * scale;
        if (coordinates == resize_coordinates::asymmetric) return at * scale + 0.5;
        return to == 1 ? 0.5 : at * static_cast<double>(from - 1) / static_cast<double>(to - 1) + 0.5;
    }

    /// A triangle, or Keys' cubic. Source: Keys 1981, "Cubic convolution interpolation for digital image processing".
    [[nodiscard]] static double kernel(double distance, const resize_options& options) noexcept {
        const double d = std::abs(distance);
        const double a = options.cubic;
        if (options.filter == resize_filter::linear) return (std::max)(0.0, 1.0 - d);
        if (d < 1.0) return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
        return d < 2.0 ? (((d - 5.0) * d + 8.0) * d - 4.0) * a : 0.0;
    }
};

/// Fractional bits of weights of bytes: 32 less 8 of a byte and 2 for the sums of a cubic. Source: Pillow, Resample.c.
inline constexpr int resize_bits = 22;

template <class T>
using resize_weight = std::conditional_t<std::same_as<T, float>, float, std::int32_t>;

/// to[i] = Σ_k w[k]·from[i + k·step], rounded and saturated where T is a byte.
template <class Arch, class T>
void weighted_sum(const T* from, index_t step, const resize_weight<T>* w, index_t taps, T* to, index_t n) noexcept {
    if constexpr (std::same_as<T, float>) {
        using batch = simd::batch<float, Arch>;
        constexpr auto lanes = static_cast<index_t>(batch::size);
        for (index_t i = 0; i < n; i += lanes) {
            const index_t count = (std::min)(lanes, n - i);
            batch sum = batch(w[0]) * load_some<Arch>(from + i, count);
            for (index_t k = 1; k < taps; ++k)
                sum = simd::fma(batch(w[k]), load_some<Arch>(from + i + k * step, count), sum);
            store_some<Arch>(to + i, sum, count);
        }
    } else {
        using batch = simd::batch<std::int32_t, Arch>;
        constexpr auto lanes = static_cast<index_t>(batch::size);
        constexpr std::int32_t half = std::int32_t{1} << (resize_bits - 1);
        index_t i = 0;
        for (; i + lanes <= n; i += lanes) {
            batch sum(half);
            for (index_t k = 0; k < taps; ++k) sum = sum + batch(w[k]) * simd::load_as_int<Arch>(from + i + k * step);
            simd::store_saturated<Arch>(sum >> resize_bits, to + i);
        }
        for (; i < n; ++i) {
            std::int32_t sum = half;
            for (index_t k = 0; k < taps; ++k) sum += w[k] * from[i + k * step];
            to[i] = static_cast<T>(std::clamp(sum >> resize_bits, 0, 255));
        }
    }
}

}  // namespace detail

/// From images of one size to images of another; immutable. T is float or std::uint8_t.
template <class T, class Arch = detail::native>
requires std::same_as<T, float> || std::same_as<T, std::uint8_t>
class image_resizer {
public:
    /// @throws argument_error  if an extent is not positive, or absurd
    image_resizer(index_t in_h, index_t in_w, index_t out_h, index_t out_w, const resize_options& options = {})
        : rows_(in_h, out_h, options), columns_(in_w, out_w, options) {
        row_weights_ = weights_of(rows_);
        column_weights_ = weights_of(columns_);
    }

    /// Memory that `run` needs.
    [[nodiscard]] std::size_t scratch_bytes(index_t channels) const {
        return sizeof(T) *
               static_cast<std::size_t>(checked_multiply(checked_multiply(rows_.from, columns_.to, "number of pixels"),
                                                         channels, "number of elements"));
    }

    /// @param x        [batch, in_h, in_w, channels]
    /// @param y        [batch, out_h, out_w, channels]; must not overlap x
    /// @param threads  0: the process default
    void run(const T* x, T* y, index_t batch, index_t channels, void* scratch, int threads = 0) const {
        const index_t in_row = columns_.from * channels;
        const index_t out_row = columns_.to * channels;
        const bool resizes_columns = columns_.from != columns_.to;
        for (index_t n = 0; n < batch; ++n) {
            const T* image = x + n * rows_.from * in_row;
            T* const result = y + n * rows_.to * out_row;
            const bool resizes_rows = rows_.from != rows_.to || !resizes_columns;
            if (resizes_columns) {
                T* const between = resizes_rows ? static_cast<T*>(scratch) : result;
                parallel_for(rows_.from, {.threads = threads, .grain = 16}, [&](index_t first, index_t last) {
                    for (index_t row = first; row < last; ++row)
                        for (index_t i = 0; i < columns_.to; ++i) {
                            const auto at = static_cast<std::size_t>(i);
                            detail::weighted_sum<Arch>(image + row * in_row + columns_.first[at] * channels, channels,
                                                       column_weights_.data() + i * columns_.most, columns_.count[at],
                                                       between + row * out_row + i * channels, channels);
                        }
                });
                image = between;
            }
            if (!resizes_rows) continue;
            parallel_for(rows_.to, {.threads = threads, .grain = 16}, [&](index_t first, index_t last) {
                for (index_t row = first; row < last; ++row) {
                    const auto at = static_cast<std::size_t>(row);
                    detail::weighted_sum<Arch>(image + rows_.first[at] * out_row, out_row,
                                               row_weights_.data() + row * rows_.most, rows_.count[at],
                                               result + row * out_row, out_row);
                }
            });
        }
    }

private:
    using weight = detail::resize_weight<T>;

    [[nodiscard]] static std::vector<weight> weights_of(const detail::resized_axis& axis) {
        std::vector<weight> result;
        for (const double w : axis.weights) {
            if constexpr (std::same_as<T, float>)
                result.push_back(static_cast<float>(w));
            else
                result.push_back(static_cast<std::int32_t>(w * (1 << detail::resize_bits) + (w < 0 ? -0.5 : 0.5)));
        }
        return result;
    }

    detail::resized_axis rows_;
    detail::resized_axis columns_;
    std::vector<weight> row_weights_;
    std::vector<weight> column_weights_;
};

}  // namespace edge::nn
