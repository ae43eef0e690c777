// SPDX-License-Identifier: MIT
#pragma once

/// @file Depthwise convolution of bytes: each channel with a kernel of its own, exact int32 sums, bytes again.
///
///     edge::nn::integer::depthwise_layer layer(w, bias, channels, window, x_zero, end);    // once
///     layer.run(x, y, batch, in_h, in_w, threads);                                         // often
///
/// sum = bias + Σ (x - x_zero)·w, wrapping modulo 2^32; padding is x_zero, so that it counts for nothing. 3x3 and 5x5
/// kernels with stride 1 or 2 and no dilation, of 16 channels or more, go along a row: the bytes of a column are
/// interleaved once and multiplied for each result that they belong to. Everything else takes a plain loop with the same
/// bits.

#include <edge/core/parallel.hpp>
#include <edge/core/tensor.hpp>
#include <edge/nn/detail/lanes.hpp>
#include <edge/nn/integer/byte_end.hpp>
#include <edge/nn/window.hpp>
#include <edge/quant/requantize.hpp>
#include <edge/simd/interleave.hpp>

#include <array>

namespace edge::nn::integer {

namespace detail {

using nn::detail::taps;
using nn::detail::taps_inside;

/// Rows of the input, one above the other, from the first column on.
template <int count>
struct depthwise_rows {
    const std::uint8_t* row[count];
    index_t mask[count];          ///< all bits, or none of a row that is padding
    const std::uint8_t* padding;  ///< a register of the input's zero point
    index_t columns;
    index_t step;  ///< bytes from a column to the next
};

/// What becomes of sums that are small enough for an int32 after they were multiplied.
struct narrow_end {
    std::int16_t zero_point;
    std::uint8_t low, high;
    bool is_bounded;  ///< by less than what a byte holds
};

/// One row of results, or two that share their input, for a register of channels.
///
/// The bytes of a column are interleaved once and kept for each result that they belong to. Per result of 64 channels with
/// AVX-512 VNNI, kernel 3x3, stride 1: 4 interleavings, 12 products and 19 instructions that make bytes, on two ports.
template <class A, int rows, int Kernel, int Stride>
class depthwise_lines {
public:
    static constexpr int together = Stride == 1 ? 2 : 1;       ///< rows of results
    static constexpr int inputs = Kernel + together - 1;       ///< rows of the input
    static constexpr int groups = (inputs + rows - 1) / rows;  ///< of rows that are multiplied at once
    static_assert(groups == (Kernel + rows - 1) / rows, "the second row of results costs no products");

    /// @param packed  starts, multipliers and weights in the order of the parts, aligned
    /// @param left    column of the first tap of the first result
    /// @param y       `count` rows of results, pixels `in.step` apart
    template <int count>
    EDGE_NEVER_INLINE static void run(const depthwise_rows<inputs>& given, const std::uint8_t* packed, index_t left,
                                      std::uint8_t* y, index_t out_w, const narrow_end& given_end) noexcept {
        const depthwise_rows<inputs> in = given;  // a copy that stores cannot change
        const narrow_end end = given_end;
        const index_t row = out_w * in.step;
        const bytes low(end.low), high(end.high);
        integers kept[Kernel][groups * 4];
        index_t column = left;
        simd::unrolled<Kernel - Stride>([&](auto k) { interleave(in, column, kept[k]); });
        for (index_t i = 0; i < out_w; ++i, y += in.step) {
            simd::unrolled<Stride>([&](auto k) { interleave(in, column, kept[Kernel - Stride + k]); });
            integers sum[count][4];
            multiply<count>(kept, packed, sum);
            simd::unrolled<count>([&](auto r) {
                bytes q = simd::narrow_bytes<A>(sum[r], end.zero_point);
                if (end.is_bounded) q = xsimd::min(xsimd::max(q, low), high);
                q.store_unaligned(y + r * row);
            });
            simd::unrolled<Kernel - Stride>(
                [&](auto k) { simd::unrolled<groups * 4>([&](auto j) { kept[k][j] = kept[k + Stride][j]; }); });
        }
    }

private:
    using products = simd::byte_taps<A, rows>;
    using bytes = simd::bytes<A>;
    using integers = simd::batch<std::int32_t, A>;
    using floats = simd::batch<float, A>;
    static constexpr auto lanes = static_cast<index_t>(integers::size);

    /// The factors of a column, and on to the next.
    EDGE_ALWAYS_INLINE static void interleave(const depthwise_rows<inputs>& in, index_t& column,
                                              integers (&to)[groups * 4]) noexcept {
        bytes x[inputs];
        const bool is_inside = column >= 0 && column < in.columns;
        const index_t at = column * in.step;
        simd::unrolled<inputs>(
            [&](auto i) { x[i] = bytes::load_unaligned(is_inside ? in.row[i] + (at & in.mask[i]) : in.padding); });
        interleave_group<0>(x, to);
        ++column;
    }

    template <int group>
    EDGE_ALWAYS_INLINE static void interleave_group(const bytes (&x)[inputs], integers (&to)[groups * 4]) noexcept {
        constexpr int first = group * rows;
        if constexpr (first < inputs) {
            constexpr int some = inputs - first < rows ? inputs - first : rows;
            bytes of_group[some];
            simd::unrolled<some>([&](auto i) { of_group[i] = x[first + i]; });
            integers factors[4];
            products::template interleave<some>(of_group, factors);
            simd::unrolled<4>([&](auto j) { to[group * 4 + j] = factors[j]; });
            interleave_group<group + 1>(x, to);
        }
    }

    /// Sums from the columns of a result, times their multipliers, rounded.
    template <int count>
    EDGE_ALWAYS_INLINE static void multiply(const integers (&factors)[Kernel][groups * 4], const std::uint8_t* packed,
                                            integers (&sum)[count][4]) noexcept {
        const auto* const starts = reinterpret_cast<const std::int32_t*>(packed);
        const auto* const multipliers = reinterpret_cast<const float*>(packed + 16 * lanes);
        simd::unrolled<count>([&](auto r) {
            simd::unrolled<4>([&](auto j) { sum[r][j] = integers::load_aligned(starts + j * lanes); });
        });
        add_tap<count, 0>(factors, reinterpret_cast<const std::int32_t*>(packed + 32 * lanes), sum);
        simd::unrolled<4>([&](auto j) {
            const floats by = floats::load_aligned(multipliers + j * lanes);
            simd::unrolled<count>([&](auto r) { sum[r][j] = simd::round_to_int<A>(xsimd::to_float(sum[r][j]) * by); });
        });
    }

    template <int count, int tap>
    EDGE_ALWAYS_INLINE static void add_tap(const integers (&factors)[Kernel][groups * 4], const std::int32_t* w,
                                           integers (&sum)[count][4]) noexcept {
        if constexpr (tap < groups * Kernel) {
            integers in[4];
            simd::unrolled<4>([&](auto j) { in[j] = factors[tap / groups][tap % groups * 4 + j]; });
            simd::unrolled<count>([&](auto r) {
                integers by[4];
                const std::int32_t* const weights = w + (r * groups * Kernel + tap) * 4 * lanes;
                simd::unrolled<4>([&](auto j) { by[j] = integers::load_aligned(weights + j * lanes); });
                products::multiply_add(sum[r], in, by);
            });
            add_tap<count, tap + 1>(factors, w, sum);
        }
    }
};

/// Channels that a register takes from the layer.
struct depthwise_block {
    index_t channel;
    int width;           ///< bytes of the register
    std::size_t packed;  ///< where starts, multipliers and weights begin
};

}  // namespace detail

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = nn::detail::native>
class depthwise_layer {
public:
    /// @param w       [channels, 1, kernel_h, kernel_w], as ONNX has it
    /// @param bias    [channels], or null
    /// @param x_zero  of the input, in [0, 255]
    /// @throws argument_error  as `check` of the window and of the end
    depthwise_layer(const std::int8_t* w, const std::int32_t* bias, index_t channels, const window& win,
                    std::int32_t x_zero, const byte_end& end)
        : channels_(channels), window_(win), x_zero_(x_zero), end_(end) {
        nn::check(win);
        check(end, channels);
        if (x_zero < 0 || x_zero > 255)
            throw argument_error(message("zero point ", x_zero, " of bytes; expected 0 to 255"));
        bias_.assign(static_cast<std::size_t>(channels), 0);
        if (bias != nullptr) bias_.assign(bias, bias + channels);
        if constexpr (simd::interleaves_bytes<wide>)
            if (goes_along_rows(w)) pack(w);
        if (blocks_.empty()) weights_ = by_channel(w);
    }

    [[nodiscard]] index_t channels() const noexcept { return channels_; }
    [[nodiscard]] const nn::window& window() const noexcept { return window_; }

    /// What becomes of images of a size.
    [[nodiscard]] convolution geometry(index_t batch, index_t in_h, index_t in_w) const noexcept {
        return depthwise_convolution(batch, in_h, in_w, channels_, window_);
    }

    /// @param x        [batch, in_h, in_w, channels]
    /// @param y        [batch, out_h, out_w, channels]; must not overlap x
    /// @param threads  0: the process default
    void run(const std::uint8_t* x, std::uint8_t* y, index_t batch, index_t in_h, index_t in_w, int threads = 0) const {
        const convolution g = geometry(batch, in_h, in_w);
        const index_t rows = batch * g.out_h;
        if (rows * g.out_w == 0) return;
        const auto blocks = static_cast<index_t>(blocks_.size());
        const auto part = [&](index_t first, index_t last, index_t first_block, index_t last_block) {
            while (first < last) {
                const index_t n = first / g.out_h;
                const index_t end = (std::min)(last, (n + 1) * g.out_h);
                const auto row_at = [&](index_t iy) { return x + (n * in_h + iy) * in_w * channels_; };
                run_some(row_at, y + first * g.out_w * channels_, g, first - n * g.out_h, end - n * g.out_h,
                         first_block, last_block);
                first = end;
            }
        };
        // Multiply-adds that pay for waking a thread.
        constexpr index_t grain = index_t{1} << 18;
        const index_t work = rows * g.out_w * window_.kernel_h * window_.kernel_w * channels_;
        const int parts = parts_for(work, {.threads = threads, .grain = grain});
        const auto largest = [&](index_t n) { return (n + parts - 1) / parts; };  // of the parts of n
        if (largest(blocks) * rows < largest(rows) * blocks)
            parallel_for(blocks, {.threads = parts}, [&](index_t first, index_t last) { part(0, rows, first, last); });
        else
            parallel_for(rows, {.threads = parts}, [&](index_t first, index_t last) { part(first, last, 0, blocks); });
    }

    /// Rows [first, last) of the results of one image, on this thread.
    /// @param row_at  gives the row of the image with a number, [in_w, channels]
    /// @param y       [last - first, out_w, channels]
    template <class RowAt>
    void run_rows(const RowAt& row_at, std::uint8_t* y, const convolution& g, index_t first,
                  index_t last) const noexcept {
        run_some(row_at, y, g, first, last, 0, static_cast<index_t>(blocks_.size()));
    }

private:
    using wide = simd::byte_arch<Arch>;
    using half = simd::half_arch<wide>;
    using quarter = simd::half_arch<half>;
    static constexpr int rows_at_once = simd::taps_at_once<Arch>;
    template <class A>
    static constexpr auto width = static_cast<index_t>(simd::bytes<A>::size);

    [[nodiscard]] std::int64_t weight_sum(const std::int8_t* w, index_t c) const noexcept {
        const index_t taps = window_.kernel_h * window_.kernel_w;
        std::int64_t sum = 0;
        for (index_t tap = 0; tap < taps; ++tap) sum += w[c * taps + tap];
        return sum;
    }

    [[nodiscard]] bool goes_along_rows(const std::int8_t* w) const noexcept {
        const nn::window& win = window_;
        if ((win.kernel_h != 3 && win.kernel_h != 5) || win.kernel_w != win.kernel_h ||
            (win.stride_h != 1 && win.stride_h != 2) || win.stride_w != win.stride_h || win.dilation_h != 1 ||
            win.dilation_w != 1 || channels_ < width<quarter>)
            return false;
        // Sums times their multiplier must be integers of 32 bits.
        const index_t taps = win.kernel_h * win.kernel_w;
        for (index_t c = 0; c < channels_; ++c) {
            double most = std::abs(static_cast<double>(bias_[static_cast<std::size_t>(c)]));
            for (index_t tap = 0; tap < taps; ++tap) most += 255.0 * std::abs(static_cast<double>(w[c * taps + tap]));
            if (most * static_cast<double>(end_.multipliers[static_cast<std::size_t>(c)]) > 0x1p30) return false;
        }
        return true;
    }

    /// [kernel_h, kernel_w, channels].
    [[nodiscard]] std::vector<std::int8_t> by_channel(const std::int8_t* w) const {
        const index_t taps = window_.kernel_h * window_.kernel_w;
        std::vector<std::int8_t> packed(
            static_cast<std::size_t>(checked_multiply(channels_, taps, "number of weights")));
        for (index_t c = 0; c < channels_; ++c)
            for (index_t tap = 0; tap < taps; ++tap) packed[static_cast<std::size_t>(tap * channels_ + c)] = *w++;
        return packed;
    }

    /// Calls `f.operator()<A>()` with the registers of a width.
    template <class F>
    static void with_registers(int bytes, const F& f) {
        if (bytes == width<wide>)
            f.template operator()<wide>();
        else if (bytes == width<half>)
            f.template operator()<half>();
        else
            f.template operator()<quarter>();
    }

    /// Rows of results that share weights' registers, one row lower each.
    [[nodiscard]] index_t together() const noexcept { return window_.stride_h == 1 ? 2 : 1; }
    [[nodiscard]] index_t groups() const noexcept { return (window_.kernel_h + rows_at_once - 1) / rows_at_once; }

    [[nodiscard]] index_t block_bytes(index_t bytes) const noexcept {
        return bytes * (8 + together() * groups() * window_.kernel_w * 4);
    }

    /// Cuts the channels into registers: the widest, then the narrowest that hold the rest, or what there is of them. The
    /// last overlaps the one before it where it has room for more.
    void pack(const std::int8_t* w) {
        index_t size = 0;
        for (index_t c = 0; c < channels_;) {
            const index_t rest = channels_ - c;
            index_t bytes = width<wide>;
            for (const index_t narrower : {width<half>, width<quarter>})
                if (narrower >= rest || bytes > channels_) bytes = narrower;
            blocks_.push_back(
                {(std::min)(c, channels_ - bytes), static_cast<int>(bytes), static_cast<std::size_t>(size)});
            size += block_bytes(bytes);
            c += bytes;
        }
        padding_ = static_cast<std::size_t>(size);
        packed_ = tensor<std::uint8_t>({size + width<wide>});  // zeros: rows that a group has no use for
        std::fill(packed_.data() + size, packed_.data() + size + width<wide>, static_cast<std::uint8_t>(x_zero_));
        for (const detail::depthwise_block& block : blocks_)
            with_registers(block.width, [&]<class A>() { pack_block<A>(w, block); });
    }

    template <class A>
    void pack_block(const std::int8_t* w, const detail::depthwise_block& block) {
        using products = simd::byte_taps<A, rows_at_once>;
        using weight = typename products::weight;
        std::uint8_t* const to = packed_.data() + block.packed;
        const auto put = [](std::uint8_t* at, auto value) { std::memcpy(at, &value, sizeof value); };
        for (std::size_t i = 0; i < products::width; ++i) {
            const index_t c = block.channel + static_cast<index_t>(i);
            const std::size_t place = 4 * simd::quarter_place<A>(i);
            const std::int64_t start =
                bias_[static_cast<std::size_t>(c)] - (x_zero_ - products::offset) * weight_sum(w, c);
            put(to + place, static_cast<std::uint32_t>(start));
            put(to + 4 * products::width + place, end_.multipliers[static_cast<std::size_t>(c)]);
            for (index_t lower = 0; lower < together(); ++lower)
                for (index_t ky = 0; ky < window_.kernel_h; ++ky)
                    for (index_t kx = 0; kx < window_.kernel_w; ++kx) {
                        const index_t tap = (lower * window_.kernel_w + kx) * groups() + (ky + lower) / rows_at_once;
                        const std::size_t at =
                            static_cast<std::size_t>(tap) * products::weights +
                            products::place(static_cast<std::size_t>((ky + lower) % rows_at_once), i);
                        put(to + 8 * products::width + at * sizeof(weight),
                            static_cast<weight>(w[(c * window_.kernel_h + ky) * window_.kernel_w + kx]));
                    }
        }
    }

    template <class RowAt>
    void run_some(const RowAt& row_at, std::uint8_t* y, const convolution& g, index_t first, index_t last,
                  index_t first_block, index_t last_block) const noexcept {
        if constexpr (simd::interleaves_bytes<wide>) {
            const auto lines = [&]<int kernel, int stride>() {
                if (window_.kernel_h != kernel || window_.stride_h != stride) return false;
                run_lines<kernel, stride>(row_at, y, g, first, last, first_block, last_block);
                return true;
            };
            if (!blocks_.empty() && (lines.template operator()<3, 1>() || lines.template operator()<3, 2>() ||
                                     lines.template operator()<5, 1>() || lines.template operator()<5, 2>()))
                return;
        }
        for (index_t oy = first; oy < last; ++oy) plain_row(row_at, y + (oy - first) * g.out_w * channels_, g, oy);
    }

    template <int Kernel, int Stride, class RowAt>
    void run_lines(const RowAt& row_at, std::uint8_t* y, const convolution& g, index_t first, index_t last,
                   index_t first_block, index_t last_block) const noexcept {
        using lines = detail::depthwise_lines<wide, rows_at_once, Kernel, Stride>;
        constexpr int inputs = lines::inputs;
        const std::uint8_t* const padding = packed_.data() + padding_;
        const detail::narrow_end end{
            static_cast<std::int16_t>(end_.zero_point), static_cast<std::uint8_t>(end_.range.low),
            static_cast<std::uint8_t>(end_.range.high), end_.range != quant::limits_of<std::uint8_t>};
        for (index_t oy = first; oy < last; oy += lines::together) {
            const index_t count = (std::min)(last - oy, index_t{lines::together});
            const index_t top = oy * Stride - g.window.pad_top;
            const index_t bottom =
                (std::min)(g.in_h, top + (count - 1) * Stride + Kernel);  // of the rows that are needed
            const std::uint8_t* rows[inputs];
            for (index_t k = 0; k < inputs; ++k) rows[k] = top + k >= 0 && top + k < bottom ? row_at(top + k) : nullptr;
            for (index_t b = first_block; b < last_block; ++b) {
                const detail::depthwise_block& block = blocks_[static_cast<std::size_t>(b)];
                detail::depthwise_rows<inputs> in{{}, {}, padding, g.in_w, channels_};
                for (int k = 0; k < inputs; ++k) {
                    in.row[k] = rows[k] == nullptr ? padding : rows[k] + block.channel;
                    in.mask[k] = rows[k] == nullptr ? 0 : -1;
                }
                with_registers(block.width, [&]<class A>() {
                    using lines_of = detail::depthwise_lines<A, rows_at_once, Kernel, Stride>;
                    const std::uint8_t* const packed = packed_.data() + block.packed;
                    std::uint8_t* const to = y + (oy - first) * g.out_w * channels_ + block.channel;
                    if (count == 2)
                        lines_of::template run<lines::together>(in, packed, -g.window.pad_left, to, g.out_w, end);
                    else
                        lines_of::template run<1>(in, packed, -g.window.pad_left, to, g.out_w, end);
                });
            }
        }
    }

    /// Any window, any multiplier.
    template <class RowAt>
    void plain_row(const RowAt& row_at, std::uint8_t* y, const convolution& g, index_t oy) const noexcept {
        const nn::window& win = g.window;
        const index_t top = oy * win.stride_h - win.pad_top;
        const detail::taps rows = detail::taps_inside(top, win.kernel_h, win.dilation_h, g.in_h);
        for (index_t ox = 0; ox < g.out_w; ++ox, y += channels_) {
            const index_t left = ox * win.stride_w - win.pad_left;
            const detail::taps columns = detail::taps_inside(left, win.kernel_w, win.dilation_w, g.in_w);
            for (index_t c = 0; c < channels_; ++c) {
                auto sum =
                    static_cast<std::uint32_t>(bias_[static_cast<std::size_t>(c)]);  // unsigned, so that it wraps
                for (index_t ky = rows.first; ky < rows.last; ++ky) {
                    const std::uint8_t* row = row_at(top + ky * win.dilation_h);
                    for (index_t kx = columns.first; kx < columns.last; ++kx) {
                        const std::int32_t x = row[(left + kx * win.dilation_w) * channels_ + c] - x_zero_;
                        const std::int32_t w =
                            weights_[static_cast<std::size_t>((ky * win.kernel_w + kx) * channels_ + c)];
                        sum += static_cast<std::uint32_t>(x * w);
                    }
                }
                y[c] = quant::requantize_one<std::uint8_t>(static_cast<std::int32_t>(sum),
                                                           end_.multipliers[static_cast<std::size_t>(c)],
                                                           end_.zero_point, end_.range);
            }
        }
    }

    index_t channels_;
    nn::window window_;
    std::int32_t x_zero_;
    byte_end end_;
    std::vector<std::int32_t> bias_;
    std::vector<std::int8_t> weights_;  ///< of the plain loop
    std::vector<detail::depthwise_block> blocks_;
    tensor<std::uint8_t> packed_;  ///< blocks, then a register of padding
    std::size_t padding_ = 0;
};

}  // namespace edge::nn::integer
