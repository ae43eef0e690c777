// SPDX-License-Identifier: MIT
#pragma once

/// @file Random extents, and windows of them; the same for a seed on every machine.

#include <edge/core/random.hpp>
#include <edge/nn/window.hpp>

struct random_extents {
    edge::splitmix64& random;

    edge::index_t operator()(edge::index_t first, edge::index_t last) const {
        return first + static_cast<edge::index_t>(random.below(static_cast<std::uint64_t>(last - first + 1)));
    }

    /// A square kernel that takes one or two steps, with up to `most_pad` on each side.
    [[nodiscard]] edge::nn::window window(edge::index_t kernel, edge::index_t most_pad) const {
        const edge::index_t stride = (*this)(1, 2);
        return {.kernel_h = kernel,
                .kernel_w = kernel,
                .stride_h = stride,
                .stride_w = stride,
                .pad_top = (*this)(0, most_pad),
                .pad_left = (*this)(0, most_pad),
                .pad_bottom = (*this)(0, most_pad),
                .pad_right = (*this)(0, most_pad)};
    }
};
