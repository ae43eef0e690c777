// SPDX-License-Identifier: MIT
#pragma once

/// @file The layers of an inverted residual block, one after the other.

#include <edge/nn/activation.hpp>
#include <edge/nn/conv.hpp>
namespace edge::nn {
struct inverted_residual_weights {
    index_t in_c, hidden, out_c;
    nn::window window;
    const float *expand_weights, *expand_bias, *depthwise_weights, *depthwise_bias, *project_weights, *project_bias;
    activation expand_activation, depthwise_activation, project_activation;
};
class inverted_residual {
public:
    using L = conv_layer<detail::native>;
    inverted_residual(const inverted_residual_weights& w) : w_(w) {
        if (w.expand_weights)
            e_.emplace_back(w.expand_weights, w.expand_bias, w.in_c, w.hidden, 1, nn::window{}, w.expand_activation);
        e_.emplace_back(w.depthwise_weights, w.depthwise_bias, w.hidden, w.hidden, w.hidden, w.window,
                        w.depthwise_activation);
        e_.emplace_back(w.project_weights, w.project_bias, w.hidden, w.out_c, 1, nn::window{}, w.project_activation);
    }
    index_t scratch_bytes(index_t n, index_t h, index_t wd, int) const { return 2 * 4 * n * h * wd * w_.hidden + 256; }
    void run(const float* x, const float* r, float* y, index_t n, index_t h, index_t wd, void* scratch,
             int threads) const {
        float* s = static_cast<float*>(scratch) + 0;
        float* a = s;
        float* b = a + n * h * wd * w_.hidden;
        const float* in = x;
        if (e_.size() == 3) {
            auto g = e_[0].geometry(n, h, wd);
            e_[0].run(x, nullptr, a, g, s, threads);
            in = a;
        }
        auto g = e_[e_.size() - 2].geometry(n, h, wd);
        e_[e_.size() - 2].run(in, nullptr, b, g, s, threads);
        auto g2 = e_.back().geometry(n, g.out_h, g.out_w);
        e_.back().run(b, r, y, g2, s, threads);
    }
    inverted_residual_weights w_;
    std::vector<L> e_;
};
}  // namespace edge::nn
