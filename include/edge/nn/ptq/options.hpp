// SPDX-License-Identifier: MIT
#pragma once

/// @file What post-training quantization can be told.

#include <edge/quant/any_observer.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edge::nn {

/// What shares a scale of the weights: all of a layer, or the weights of one result.
enum class granularity : std::uint8_t { per_tensor, per_channel };

/// How the range of an activation follows from what calibration saw.
using quant::observer_kind;

struct quantize_options {
    granularity weights = granularity::per_channel;
    observer_kind observer = observer_kind::mse;

    /// Gives the channels between layers like ranges first. Where nothing is said: for weights that share a scale, which
    /// need it. Calibration then runs twice.
    std::optional<bool> equalize{};

    /// Adds to each bias what quantization takes from the mean of its channel, layer by layer.
    bool correct_bias = true;

    /// Rounds weights so that the results of a layer change least, not each weight: by the second moments of what the
    /// layer reads in the quantized model. Not for layers of more than 2048 products a result, which would take minutes.
    bool learn_rounding = true;

    /// Runs of the calibration that are kept, to be run again layer by layer for what is learned of layers' results.
    int samples = 32;

    /// Layers that stay float, by the names of their nodes or of their first outputs.
    std::vector<std::string> keep_float{};

    bool histograms = false;  ///< keeps one of each activation, for a report, also where no range is chosen by it

    int threads = 0;  ///< of all runs; 0: the process default

    /// Called with the name of what comes after calibration, how much of it is done, and how much there is.
    std::function<void(std::string_view phase, std::size_t done, std::size_t total)> progress{};
};

}  // namespace edge::nn
