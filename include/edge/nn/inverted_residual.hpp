// SPDX-License-Identifier: MIT
#pragma once

/// @file Inverted residual: a pointwise layer to more channels, a depthwise layer, a pointwise layer to few channels, and
/// the input or another tensor added; in one pass, so that the many channels never leave a near cache.
///
///     edge::nn::inverted_residual block({.inputs = 16, .hidden = 96, .outputs = 24, .window = win, …});   // once
///     block.run(x, nullptr, y, batch, in_h, in_w, scratch, threads);                                     // often
///
/// Rows are expanded into a ring that holds as many as the depthwise layer needs, and its results are projected while
/// they are still near. Threads own strips of rows; where images are so small that expanding the rows between two strips
/// twice would cost more than it saves, one layer follows the other. The bits are the same.
/// Source: Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks", section 3 and 5.1.

#include <edge/nn/dense.hpp>
#include <edge/nn/depthwise.hpp>

#include <optional>

namespace edge::nn {

/// The layers of a block, weights as ONNX has them. Biases may be null.
struct inverted_residual_layers {
    index_t inputs = 0;
    index_t hidden = 0;
    index_t outputs = 0;
    nn::window window = {};                 ///< of the depthwise layer
    const float* expand = nullptr;          ///< [hidden, inputs, 1, 1]; null where the depthwise layer comes first
    const float* expand_bias = nullptr;     ///< [hidden]
    const float* depthwise = nullptr;       ///< [hidden, 1, kernel_h, kernel_w]
    const float* depthwise_bias = nullptr;  ///< [hidden]
    const float* project = nullptr;         ///< [outputs, hidden, 1, 1]
    const float* project_bias = nullptr;    ///< [outputs]
    activation after_expand = {};
    activation after_depthwise = {};
    activation after_project = {};  ///< and after the residual
};

/// Weights in the order of the kernels, immutable: sessions and threads may share it. `Arch` is that of the kernels.
template <class Arch = detail::native>
class inverted_residual {
public:
    /// @throws argument_error  if the channels do not fit each other, or as `check` of the window
    explicit inverted_residual(const inverted_residual_layers& layers)
        : inputs_(layers.inputs),
          hidden_(layers.hidden),
          depthwise_(layers.depthwise, layers.depthwise_bias, layers.hidden, layers.window, layers.after_depthwise),
          project_(pointwise(layers.project, layers.hidden, layers.outputs), layers.project_bias,
                   layers.after_project) {
        if (layers.expand != nullptr)
            expand_.emplace(pointwise(layers.expand, inputs_, hidden_), layers.expand_bias, layers.after_expand);
        else if (inputs_ != hidden_)
            throw argument_error(message("inverted residual of ", inputs_, " inputs with ", hidden_,
                                         " hidden channels and no layer that expands"));
    }

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
        const index_t together =
            runs_layers(g, parts) ? (in_h * in_w + g.out_h * g.out_w) * hidden_ : parts * strips(g, parts).size();
        return static_cast<std::size_t>((std::max)(apart, together)) * sizeof(float);
    }

    /// @param x         [batch, in_h, in_w, inputs]
    /// @param residual  [batch, out_h, out_w, outputs], or null; x itself where the shapes are the same
    /// @param y         [batch, out_h, out_w, outputs]; must not overlap x or the residual
    /// @param scratch   `scratch_bytes` of the same size and threads, aligned to 64 bytes
    /// @param threads   0: the process default
    void run(const float* x, const float* residual, float* y, index_t batch, index_t in_h, index_t in_w, void* scratch,
             int threads = 0) const {
        const convolution g = geometry(1, in_h, in_w);
        const index_t pixels = g.out_h * g.out_w;
        const auto residual_of = [&](index_t n) {
            return residual == nullptr ? nullptr : residual + n * pixels * outputs();
        };
        float* const memory = static_cast<float*>(scratch);
        const int parts = parts_of(g, threads);
        if (pixels == 0) return;
        if (batch >= parts && parts > 1) {
            const ring rows = strips(g, 1);
            parallel_parts(parts, [&](int part) {
                const auto [first, last] = partition(batch, parts, part);
                for (index_t n = first; n < last; ++n)
                    run_strip(x + n * in_h * in_w * inputs_, residual_of(n), y + n * pixels * outputs(), g, rows, 0,
                              g.out_h, memory + part * rows.size());
            });
            return;
        }
        const bool in_layers = runs_layers(g, parts);
        const ring rows = strips(g, parts);
        for (index_t n = 0; n < batch; ++n) {
            const float* image = x + n * in_h * in_w * inputs_;
            float* out = y + n * pixels * outputs();
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

private:
    /// Of a strip: 256 KiB, half of a second cache of 512 KiB; where the weights, which are read once a strip, are larger
    /// than that, up to twice as much.
    [[nodiscard]] index_t strip_floats() const noexcept {
        constexpr index_t half = 65536;
        return std::clamp(hidden_ * (inputs_ + outputs()), half, 2 * half);
    }

    /// Multiply-adds that pay for waking a thread.
    static constexpr index_t grain = index_t{1} << 18;

    [[nodiscard]] static simd::matrix<const float> pointwise(const float* w, index_t inputs, index_t outputs) noexcept {
        return simd::matrix<const float>{w, outputs, inputs, inputs}.transposed();
    }

    /// The memory of a strip: expanded rows, of which row i lies in place i % rows, then results of the depthwise layer.
    struct ring {
        index_t rows;
        index_t row_floats;
        index_t results;  ///< rows of results that are made at a time
        index_t result_floats;

        [[nodiscard]] index_t size() const noexcept { return rows * row_floats + results * result_floats; }
    };

    /// As many rows at a time as fit; the more, the fewer times weights are read from the second cache.
    [[nodiscard]] ring strips(const convolution& g, int parts) const noexcept {
        const nn::window& win = g.window;
        const index_t reach = (win.kernel_h - 1) * win.dilation_h + 1;
        const index_t most = (std::max)(index_t{1}, (g.out_h + parts - 1) / parts);
        ring r{0, expand_ ? g.in_w * hidden_ : 0, 0, g.out_w * hidden_};
        do {
            ++r.results;
            r.rows = reach + (r.results - 1) * win.stride_h;
        } while (r.results < most && r.size() + win.stride_h * r.row_floats + r.result_floats <= strip_floats());
        return r;
    }

    [[nodiscard]] int parts_of(const convolution& g, int threads) const {
        const index_t expanding = expand_ ? g.in_h * g.in_w * inputs_ : 0;
        const index_t rest = g.out_h * g.out_w * (outputs() + g.window.kernel_h * g.window.kernel_w);
        return parts_for((expanding + rest) * hidden_, {.threads = threads, .grain = grain});
    }

    /// Where strips would expand more than a sixth of the rows twice.
    [[nodiscard]] bool runs_layers(const convolution& g, int parts) const noexcept {
        const index_t twice = (g.window.kernel_h - 1) * g.window.dilation_h + 1 - g.window.stride_h;
        return expand_ && parts > 1 && (g.out_h < parts || twice * (parts - 1) * 6 > g.in_h);
    }

    /// Rows [first, last) of the results of an image, on this thread.
    void run_strip(const float* x, const float* residual, float* y, const convolution& g, const ring& r, index_t first,
                   index_t last, float* memory) const {
        const nn::window& win = g.window;
        const index_t in_row = g.in_w * inputs_;
        const index_t out_row = g.out_w * outputs();
        float* const results = memory + r.rows * r.row_floats;
        const auto row_at = [&](index_t iy) -> const float* {
            return expand_ ? memory + iy % r.rows * r.row_floats : x + iy * in_row;
        };
        index_t next = (std::max)(index_t{0}, first * win.stride_h - win.pad_top);  // row to expand
        for (index_t oy = first; oy < last; oy += r.results) {
            const index_t end = (std::min)(last, oy + r.results);
            const index_t bottom = (end - 1) * win.stride_h - win.pad_top + (win.kernel_h - 1) * win.dilation_h + 1;
            while (expand_ && next < (std::min)(g.in_h, bottom)) {
                const index_t place = next % r.rows;
                const index_t count = (std::min)((std::min)(g.in_h, bottom) - next, r.rows - place);
                expand_->run(x + next * in_row, nullptr, memory + place * r.row_floats, count * g.in_w, 1);
                next += count;
            }
            depthwise_.run_rows(row_at, results, g, oy, end, 0, hidden_);
            project_.run(results, residual == nullptr ? nullptr : residual + oy * out_row, y + oy * out_row,
                         (end - oy) * g.out_w, 1);
        }
    }

    /// A whole image, one layer after the other.
    void run_layers(const float* x, const float* residual, float* y, const convolution& g, int threads,
                    float* memory) const {
        float* const results = memory + g.in_h * g.in_w * hidden_;
        expand_->run(x, nullptr, memory, g.in_h * g.in_w, threads);
        depthwise_.run(memory, results, 1, g.in_h, g.in_w, threads);
        project_.run(results, residual, y, g.out_h * g.out_w, threads);
    }

    index_t inputs_;
    index_t hidden_;
    std::optional<dense_layer<Arch>> expand_;
    depthwise_layer<Arch> depthwise_;
    dense_layer<Arch> project_;
};

}  // namespace edge::nn
