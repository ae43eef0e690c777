// SPDX-License-Identifier: MIT
#pragma once

/// @file Rounding of weights that is best for a layer's outputs, not for each weight alone.
///
///     edge::quant::input_moments seen(k);                              // of the layer's inputs, over calibration
///     const edge::tensor<float> gram[] = {seen.moments()};
///     const auto rounded = edge::quant::round_weights<std::int8_t>(w, rows, {-127, 127}, gram);
///     rounded.weights;                                                 // int8, of w's shape
///     rounded.nearest_error, rounded.error;                            // mean squared errors of the outputs
///
/// What a row of weights w, rounded to v, costs is (v - w)ᵀ·gram·(v - w). Three ways to lower it from that of the nearest
/// integers:
///
/// - `descent`: weights are rounded one after the other, each taking in the errors of those before it, weighed by the
///   Cholesky factor of the gram matrix; then weight by weight moves to the integer that is best for the row as the others
///   are, until none moves. Sources: Frantar et al. 2023, "GPTQ: accurate post-training quantization for generative
///   pre-trained transformers"; Babai 1986, "On Lovász' lattice reduction and the nearest lattice point problem".
/// - `up_or_down`: a continuous choice between the integers below and above for each weight, learned by gradients and
///   pushed to one of them in the end. Source: Nagel et al. 2020, "Up or down? Adaptive rounding for post-training
///   quantization". The descent goes on from its result.
/// - `nearest`: as it is.
///
/// Measured on the convolutions of MobileNetV2 (int8, a scale a channel, covariances of the inputs of 24 images), as the
/// error on 24 other images over that of the nearest integers, geometric means: descent 0.59 (depthwise) and 0.66 (others)
/// in 0.9 s on one core, up_or_down 0.56 and 0.63 in 29 s.

#include <edge/core/parallel.hpp>
#include <edge/quant/detail/rounding_descent.hpp>
#include <edge/quant/detail/up_or_down.hpp>
#include <edge/quant/input_moments.hpp>
#include <edge/quant/quantize.hpp>

namespace edge::quant {

enum class rounding : std::uint8_t { nearest, descent, up_or_down };

struct rounding_options {
    rounding method = rounding::descent;
    double damping = 0.1;  ///< of the mean diagonal of the gram matrix, added to it: 0 trusts the data fully
    int rounds = 30;       ///< of the descent at most; few rows need more than ten
    up_or_down_options learning = {};
    int threads = 0;  ///< 0: the process default; the bits do not depend on it
};

template <byte_integer Q>
struct rounded_weights {
    tensor<Q> weights;           ///< of the shape of the real ones
    double nearest_error = 0.0;  ///< mean over the outputs of the mean squared error with nearest integers
    double error = 0.0;          ///< the same with these
};

/// @param w      [outputs, …], contiguous, the rest of the shape k numbers: dense, or a convolution's kernels
/// @param p      one for all, or one for each output
/// @param range  the integers in use
/// @param grams  [groups] of [k, k]: `input_moments::moments`, or `covariance` where the bias takes the mean back
/// @throws shape_error     if they do not fit
/// @throws argument_error  if parameters or options make no sense, or a weight or moment is not finite
///
/// O(outputs·k²) a round, and O(k³) for each group.
template <byte_integer Q>
[[nodiscard]] rounded_weights<Q> round_weights(tensor_view<const float> w, std::span<const parameters> p,
                                               const limits& range, std::span<const tensor<float>> grams,
                                               const rounding_options& options = {}) {
    const index_t outputs = w.rank() == 0 ? 0 : w.shape()[0];
    const auto groups = static_cast<index_t>(grams.size());
    if (outputs == 0 || w.size() == 0 || groups == 0 || outputs % groups != 0 ||
        (p.size() != 1 && static_cast<index_t>(p.size()) != outputs))
        throw shape_error(message("rounding: weights ", w.shape(), ", ", p.size(), " scales, ", groups, " groups"));
    const index_t k = w.size() / outputs;
    if (!(options.damping >= 0.0) || options.rounds < 0)
        throw argument_error(message("rounding: damping ", options.damping, ", ", options.rounds, " rounds"));
    for (const parameters& each : p) check(each, range);
    const float* weights = w.flat().data();
    for (index_t i = 0; i < w.size(); ++i)
        if (!std::isfinite(weights[i])) throw argument_error(message("rounding: weight ", i, " is ", weights[i]));

    using arch = simd::detail::default_arch;
    constexpr index_t block = detail::rows_at_once;
    rounded_weights<Q> result{tensor<Q>::uninitialized(w.shape())};
    std::vector<double> before(static_cast<std::size_t>(outputs)), after(before.size());
    const index_t each = outputs / groups;
    const auto run = [&](index_t group, const detail::rounding_problem& problem, index_t from, index_t to) {
        detail::rounding_block rows(k, range);
        for (index_t first = group * each + from; first < group * each + to; first += block) {
            const index_t n = (std::min)(block, group * each + to - first);
            rows.load(weights + first * k, n, [&](index_t r) -> const parameters& {
                return p[p.size() == 1 ? 0 : static_cast<std::size_t>(first + r)];
            });
            rows.errors<arch>(problem, before.data() + first);
            if (options.method == rounding::descent) {
                rows.feed_back<arch>(problem);
                rows.descend<arch>(problem, options.rounds);
            } else if (options.method == rounding::up_or_down) {
                detail::learn_up_or_down<arch>(rows, problem, options.learning);
                rows.descend<arch>(problem, options.rounds);
            }
            rows.errors<arch>(problem, after.data() + first);
            rows.store(result.weights.data() + first * k);
        }
    };
    // Groups of few rows are dealt to the threads whole; else the blocks of rows are.
    const auto prepare = [&](index_t group) {
        const tensor<float>& gram = grams[static_cast<std::size_t>(group)];
        if (gram.shape() != shape{k, k})
            throw shape_error(message("rounding: gram matrix ", gram.shape(), " for rows of ", k, " weights"));
        return detail::rounding_problem::made<arch>(gram.data(), k, options.damping);
    };
    if (each <= block) {
        parallel_for(groups, {.threads = options.threads}, [&](index_t first, index_t last) {
            for (index_t group = first; group < last; ++group) run(group, prepare(group), 0, each);
        });
    } else {
        for (index_t group = 0; group < groups; ++group) {
            const auto problem = prepare(group);
            parallel_for(each, {.threads = options.threads, .align = block},
                         [&](index_t first, index_t last) { run(group, problem, first, last); });
        }
    }
    for (std::size_t o = 0; o < before.size(); ++o) {
        const double scale = static_cast<double>(p[p.size() == 1 ? 0 : o].scale);
        const double share = scale * scale / static_cast<double>(outputs);
        result.nearest_error += before[o] * share;
        result.error += after[o] * share;
    }
    return result;
}

/// Weights that give the wanted outputs for the inputs that the quantized model really has: the w' of least
/// mean (w·x - w'·x')² + damping·(w' - w)², where x are the real inputs and x' those of the layers before, quantized.
/// Round these, with the moments of x'.
/// @param w        [outputs, …], contiguous, the rest of the shape k numbers
/// @param stacked  [groups] of [2k, 2k]: moments of x' and x together, x' first: `input_moments(2·k)` of [x', x] along the
///                 channels, or of x'[0], x[0], x'[1], x[1] … for a depthwise layer
/// @param damping  of the mean diagonal of the moments of x'
/// @throws shape_error     if they do not fit
/// @throws argument_error  if a moment is not finite or damping not above 0
///
/// O(outputs·k² + k³·groups). The asymmetric reconstruction of the source, section 4.2, solved before rounding.
[[nodiscard]] inline tensor<float> compensated_weights(tensor_view<const float> w,
                                                       std::span<const tensor<float>> stacked, double damping = 0.01) {
    const index_t outputs = w.rank() == 0 ? 0 : w.shape()[0];
    const auto groups = static_cast<index_t>(stacked.size());
    if (outputs == 0 || w.size() == 0 || groups == 0 || outputs % groups != 0)
        throw shape_error(message("compensated weights: weights ", w.shape(), " in ", groups, " groups"));
    if (!(damping > 0.0)) throw argument_error(message("compensated weights: damping ", damping, "; expected above 0"));
    using arch = simd::detail::default_arch;
    const index_t k = w.size() / outputs;
    auto result = tensor<float>::uninitialized(w.shape());
    std::vector<double> factor(static_cast<std::size_t>(k * k)), right(static_cast<std::size_t>(k));
    for (index_t group = 0; group < groups; ++group) {
        const tensor<float>& moments = stacked[static_cast<std::size_t>(group)];
        if (moments.shape() != shape{2 * k, 2 * k})
            throw shape_error(
                message("compensated weights: moments ", moments.shape(), " for rows of ", k, " weights"));
        double trace = 0.0;
        for (index_t i = 0; i < k; ++i) trace += static_cast<double>(moments(i, i));
        const double own = trace > 0.0 ? damping * trace / static_cast<double>(k) : 1.0;
        for (index_t i = 0; i < k; ++i)
            for (index_t j = 0; j < k; ++j)
                factor[static_cast<std::size_t>(i * k + j)] = static_cast<double>(moments(i, j)) + (i == j ? own : 0.0);
        if (!detail::cholesky<arch>(factor.data(), k))
            throw argument_error(
                message("compensated weights: the moments of group ", group, " are none of any inputs"));
        const index_t each = outputs / groups;
        for (index_t o = group * each; o < (group + 1) * each; ++o) {
            const float* from = w.flat().data() + o * k;
            float* to = result.data() + o * k;
            for (index_t i = 0; i < k; ++i) {
                double sum = own * static_cast<double>(from[i]);
                for (index_t j = 0; j < k; ++j)
                    sum += static_cast<double>(moments(i, k + j)) * static_cast<double>(from[j]);
                right[static_cast<std::size_t>(i)] = sum;
            }
            detail::solve<arch>(factor.data(), right.data(), k);
            for (index_t i = 0; i < k; ++i) to[i] = static_cast<float>(right[static_cast<std::size_t>(i)]);
        }
    }
    return result;
}

}  // namespace edge::quant
