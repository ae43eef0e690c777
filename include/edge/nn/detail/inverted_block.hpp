// SPDX-License-Identifier: MIT
#pragma once

/// @file Inverted residuals, whatever their layers compute with.
///
/// Rows are expanded into a ring that holds as many as the depthwise layer needs, and its results are projected while
/// they are still near. Threads own strips of rows; where images are so small that expanding the rows between two strips
/// twice would cost more than it saves, one layer follows the other. The bits are the same.

#include <edge/core/parallel.hpp>
#include <edge/nn/window.hpp>

#include <algorithm>
#include <concepts>
#include <optional>

namespace edge::nn::detail {

/// A pointwise layer that expands or none, a depthwise layer, and a pointwise layer that projects, of numbers T.
template <class T, class Dense, class Depthwise>
class inverted_block {
public:
    [[nodiscard]] index_t inputs() const noexcept { return inputs_; }
    [[nodiscard]] index_t outputs() const noexcept { return project_.outputs(); }

    /// What the depthwise layer makes of images of a size.
    [[nodiscard]] convolution geometry(index_t batch, index_t in_h, index_t in_w) const noexcept {
        return depthwise_.geometry(batch, in_h, in_w);
    }

    /// Memory that `run` needs for images of a size on as many threads.
    [[nodiscard]] std::size_t scratch_bytes(index_t in_h, index_t in_w, int threads) const {
        const convolution g = geometry(1, in_h, in_w);
        const int parts = parts_of(g, threads);
        const index_t apart = parts * strips(g, 1).size();
        const index_t together = runs_layers(g, parts) ? layers_size(g, parts) : parts * strips(g, parts).size();
        return static_cast<std::size_t>((std::max)(apart, together)) * sizeof(T);
    }

    /// @param x         [batch, in_h, in_w, inputs]
    /// @param residual  [batch, out_h, out_w, outputs], or null; x itself where the shapes are the same
    /// @param y         [batch, out_h, out_w, outputs]; must not overlap x or the residual
    /// @param scratch   `scratch_bytes` of the same size and threads, aligned to 64 bytes
    /// @param threads   0: the process default
    void run(const T* x, const T* residual, T* y, index_t batch, index_t in_h, index_t in_w, void* scratch,
             int threads = 0) const {
        const convolution g = geometry(1, in_h, in_w);
        const index_t in_image = g.in_h * g.in_w * inputs();
        const index_t out_image = g.out_h * g.out_w * outputs();
        const auto residual_of = [&](index_t n) { return residual == nullptr ? nullptr : residual + n * out_image; };
        T* const memory = static_cast<T*>(scratch);
        const int parts = parts_of(g, threads);
        if (out_image == 0) return;
        if (batch >= parts && parts > 1) {
            const ring rows = strips(g, 1);
            parallel_parts(parts, [&](int part) {
                const auto [first, last] = partition(batch, parts, part);
                for (index_t n = first; n < last; ++n)
                    run_strip(x + n * in_image, residual_of(n), y + n * out_image, g, rows, 0, g.out_h,
                              memory + part * rows.size());
            });
            return;
        }
        const bool in_layers = runs_layers(g, parts);
        const ring rows = strips(g, parts);
        for (index_t n = 0; n < batch; ++n) {
            const T* const image = x + n * in_image;
            T* const out = y + n * out_image;
            if (in_layers) {
                run_layers(image, residual_of(n), out, g, parts, memory);
                continue;
            }
            parallel_parts(parts, [&](int part) {
                const auto [first, last] = partition(g.out_h, parts, part);
                run_strip(image, residual_of(n), out, g, rows, first, last, memory + part * rows.size());
            });
        }
    }

protected:
    /// @throws argument_error  if nothing expands and the channels are not the same
    inverted_block(index_t inputs, std::optional<Dense> expand, Depthwise depthwise, Dense project)
        : inputs_(inputs), expand_(std::move(expand)), depthwise_(std::move(depthwise)), project_(std::move(project)) {
        if (!expand_ && inputs_ != hidden())
            throw argument_error(message("inverted residual of ", inputs_, " inputs with ", hidden(),
                                         " hidden channels and no layer that expands"));
    }

private:
    /// Multiply-adds that pay for waking a thread.
    static constexpr index_t grain = (index_t{1} << 20) / static_cast<index_t>(sizeof(T));

    [[nodiscard]] index_t hidden() const noexcept { return depthwise_.channels(); }

    /// Rounds a number of elements up to whole cache lines.
    [[nodiscard]] static constexpr index_t lines(index_t elements) noexcept {
        constexpr index_t line = 64 / sizeof(T);
        return (elements + line - 1) / line * line;
    }

    /// Elements that pointwise layers need for so many pixels.
    [[nodiscard]] index_t pointwise_scratch([[maybe_unused]] index_t pixels, [[maybe_unused]] int threads) const {
        if constexpr (std::same_as<T, float>) {
            return 0;
        } else {
            const index_t after = project_.scratch_bytes(pixels, threads);
            return lines(expand_ ? (std::max)(after, expand_->scratch_bytes(pixels, threads)) : after);
        }
    }
    static void run_pointwise(const Dense& layer, const T* x, const T* residual, T* y, index_t pixels,
                              [[maybe_unused]] void* scratch, int threads) {
        if constexpr (std::same_as<T, float>) {
            layer.run(x, residual, y, pixels, threads);
        } else {
            layer.run(x, residual, y, pixels, scratch, threads);
        }
    }

    /// Of a strip: 256 KiB, half of a second cache of 512 KiB; where the weights, which are read once a strip, are larger
    /// than that, up to twice as much. Without expanded rows, which come from afar, 96 KiB.
    [[nodiscard]] index_t most_elements() const noexcept {
        constexpr index_t half = 262144 / sizeof(T);
        if (!expand_) return half * 3 / 8;
        return std::clamp(hidden() * (inputs() + outputs()), half, 2 * half);
    }

    /// The memory of a strip: expanded rows, of which row i lies in place i % rows, results of the depthwise layer, and
    /// what the pointwise layers need.
    struct ring {
        index_t rows;
        index_t row_size;
        index_t results;  ///< rows of results that are made at a time
        index_t result_size;
        index_t scratch;

        [[nodiscard]] index_t expanded() const noexcept { return lines(rows * row_size); }
        [[nodiscard]] index_t filtered() const noexcept { return lines(results * result_size); }
        [[nodiscard]] index_t size() const noexcept { return expanded() + filtered() + scratch; }
    };

    /// As many rows at a time as fit; the more, the fewer times weights are read from the second cache.
    [[nodiscard]] ring strips(const convolution& g, int parts) const {
        const nn::window& win = g.window;
        const index_t reach = (win.kernel_h - 1) * win.dilation_h + 1;
        const index_t most = (std::max)(index_t{1}, (g.out_h + parts - 1) / parts);
        ring r{0, expand_ ? g.in_w * hidden() : 0, 0, g.out_w * hidden(), 0};
        do {
            ++r.results;
            r.rows = reach + (r.results - 1) * win.stride_h;
        } while (r.results < most && r.size() + win.stride_h * r.row_size + r.result_size <= most_elements());
        r.scratch = pointwise_scratch((std::max)(r.rows * g.in_w, r.results * g.out_w), 1);
        return r;
    }

    [[nodiscard]] int parts_of(const convolution& g, int threads) const {
        const index_t expanding = expand_ ? g.in_h * g.in_w * inputs_ : 0;
        const index_t rest = g.out_h * g.out_w * (outputs() + g.window.kernel_h * g.window.kernel_w);
        return parts_for((expanding + rest) * hidden(), {.threads = threads, .grain = grain});
    }

    /// Where strips would expand more than a sixth of the rows twice.
    [[nodiscard]] bool runs_layers(const convolution& g, int parts) const noexcept {
        const index_t twice = (g.window.kernel_h - 1) * g.window.dilation_h + 1 - g.window.stride_h;
        return expand_ && parts > 1 && (g.out_h < parts || twice * (parts - 1) * 6 > g.in_h);
    }

    /// Rows [first, last) of the results of an image, on this thread.
    void run_strip(const T* x, const T* residual, T* y, const convolution& g, const ring& r, index_t first,
                   index_t last, T* memory) const {
        const nn::window& win = g.window;
        const index_t in_row = g.in_w * inputs();
        const index_t out_row = g.out_w * outputs();
        T* const results = memory + r.expanded();
        T* const scratch = results + r.filtered();
        const auto row_at = [&](index_t iy) -> const T* {
            return expand_ ? memory + iy % r.rows * r.row_size : x + iy * in_row;
        };
        index_t next = (std::max)(index_t{0}, first * win.stride_h - win.pad_top);  // row to expand
        for (index_t oy = first; oy < last; oy += r.results) {
            const index_t end = (std::min)(last, oy + r.results);
            const index_t bottom = (end - 1) * win.stride_h - win.pad_top + (win.kernel_h - 1) * win.dilation_h + 1;
            while (expand_ && next < (std::min)(g.in_h, bottom)) {
                const index_t place = next % r.rows;
                const index_t count = (std::min)((std::min)(g.in_h, bottom) - next, r.rows - place);
                run_pointwise(*expand_, x + next * in_row, nullptr, memory + place * r.row_size, count * g.in_w,
                              scratch, 1);
                next += count;
            }
            depthwise_.run_rows(row_at, results, g, oy, end);
            run_pointwise(project_, results, residual == nullptr ? nullptr : residual + oy * out_row, y + oy * out_row,
                          (end - oy) * g.out_w, scratch, 1);
        }
    }

    /// Elements of the memory for a whole image, one layer after the other.
    [[nodiscard]] index_t layers_size(const convolution& g, int parts) const {
        const index_t in = g.in_h * g.in_w;
        const index_t out = g.out_h * g.out_w;
        return lines(in * hidden()) + lines(out * hidden()) + pointwise_scratch((std::max)(in, out), parts);
    }

    void run_layers(const T* x, const T* residual, T* y, const convolution& g, int threads, T* memory) const {
        const index_t in = g.in_h * g.in_w;
        const index_t out = g.out_h * g.out_w;
        T* const results = memory + lines(in * hidden());
        T* const scratch = results + lines(out * hidden());
        run_pointwise(*expand_, x, nullptr, memory, in, scratch, threads);
        depthwise_.run(memory, results, 1, g.in_h, g.in_w, threads);
        run_pointwise(project_, results, residual, y, out, scratch, threads);
    }

    index_t inputs_;
    std::optional<Dense> expand_;
    Depthwise depthwise_;
    Dense project_;
};

}  // namespace edge::nn::detail
