// SPDX-License-Identifier: MIT
#pragma once

/// @file The motion model, one window at a time.
///
///     pipeline::classifier model(edge::nn::load_onnx("motion.int8.onnx"), "motion.int8.onnx");
///     const std::size_t state = model.classify(features, time);      // index into motion_state_names

#include "pipeline/motion.hpp"

#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>
#include <edge/perf/latency.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace pipeline {

class classifier {
public:
    /// @throws edge::shape_error  if the model does not take the features of a window and give a number for each state
    classifier(edge::nn::graph model, std::string name)
        : name_(std::move(name)), session_(std::move(model), {.threads = 1}) {
        const edge::tensor<float> nothing({1, static_cast<edge::index_t>(motion_features)});
        const auto& out = session_(nothing);
        if (out.size() != 1 || !out[0].is<float>() || out[0].size() != static_cast<edge::index_t>(motion_states))
            throw edge::shape_error(edge::message(name_, ": not a motion model: expected float32 features (1, ",
                                                  motion_features, ") in, float32 (1, ", motion_states, ") out"));
    }

    /// The most probable state. The time that the model takes goes into `time`.
    [[nodiscard]] std::size_t classify(std::span<const float> features, edge::perf::latency& time) {
        const edge::tensor_view<const float> row(features.data(), {1, static_cast<edge::index_t>(motion_features)});
        const edge::perf::timer t(time);
        const auto& probabilities = session_(row)[0].as<float>();
        return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                        probabilities.begin());
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    edge::nn::session session_;
};

}  // namespace pipeline
