// SPDX-License-Identifier: MIT
#pragma once

/// @file How long a model takes, and how that compares with what this machine can multiply and add.
///
///     const auto inputs = filled_inputs(session.model());
///     const run_times t = time_runs(session, inputs, 100);
///     const double share = 2e-6 * macs / t.quantile(0.5) / peak_gflops(threads);

#include "common/progress.hpp"
#include "support/floor.hpp"

#include <edge/core/random.hpp>
#include <edge/nn/session.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

/// Milliseconds of each run, sorted.
struct run_times {
    std::vector<double> ms;

    /// By nearest rank.
    [[nodiscard]] double quantile(double q) const {
        const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(ms.size())));
        return ms[rank == 0 ? 0 : rank - 1];
    }
};

/// Inputs of the sizes that a model says, 1 where it leaves them open: floats spread over [-1, 1], zeros of other types.
inline std::vector<edge::any_tensor> filled_inputs(const edge::nn::graph& model) {
    std::vector<edge::any_tensor> inputs;
    edge::splitmix64 random(1);
    for (const auto& in : model.inputs) {
        edge::index_list extents;
        for (const auto& d : in.dims) extents.push_back(d.size < 0 ? 1 : d.size);
        edge::any_tensor x = edge::dispatch(
            in.type, [&]<class T>() -> edge::any_tensor { return edge::tensor<T>(edge::shape(extents)); });
        if (x.is<float>())
            for (float& v : x.as<float>()) v = static_cast<float>(2 * random.uniform() - 1);
        inputs.push_back(std::move(x));
    }
    return inputs;
}

inline run_times time_runs(edge::nn::session& session, const std::vector<edge::any_tensor>& inputs, int runs) {
    using clock = std::chrono::steady_clock;
    const std::vector<edge::nn::any_view> views(inputs.begin(), inputs.end());
    for (int i = 0; i < 3; ++i) session(std::span(views));
    run_times times;
    progress bar("bench", static_cast<std::uint64_t>(runs));
    for (int i = 0; i < runs; ++i) {
        const auto start = clock::now();
        session(std::span(views));
        times.ms.push_back(std::chrono::duration<double, std::milli>(clock::now() - start).count());
        bar.advance();
    }
    std::sort(times.ms.begin(), times.ms.end());
    return times;
}

/// The most multiply-adds of float that these threads do in a second, in 1e9 operations, two each. Takes a tenth of a
/// second.
inline double peak_gflops(int threads) {
    using clock = std::chrono::steady_clock;
    double best = 0;
    [[maybe_unused]] volatile float sink = 0;
    for (int i = 0; i < 12; ++i) {
        const double count = 2e8 * threads;
        const auto start = clock::now();
        sink = floors::multiply_add(count, threads);
        best = (std::max)(best, 2e-9 * count / std::chrono::duration<double>(clock::now() - start).count());
    }
    return best;
}
