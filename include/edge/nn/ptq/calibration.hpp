// SPDX-License-Identifier: MIT
#pragma once

/// @file What runs of the float model show: the range of each value that becomes integers, the mean of each channel of a
/// layer's result, and some inputs, to be run again.

#include <edge/nn/ptq/options.hpp>
#include <edge/nn/ptq/plan.hpp>
#include <edge/nn/session.hpp>
#include <edge/quant/channel_moments.hpp>

namespace edge::nn::ptq {

/// One run's inputs, in the order of the graph.
using sample = std::vector<any_tensor>;

/// Axis of the channels of a layer's result.
[[nodiscard]] inline std::size_t result_axis(const node& n, const edge::shape& y) {
    return n.op_type == "Conv" ? 1 : y.rank() - 1;
}

class calibration {
public:
    /// Runs the float model; `run_all` gives the session its inputs.
    template <class F>
    calibration(const graph& g, const plan& p, const quantize_options& options, F&& run_all) : like_(p.values()) {
        std::set<std::string, std::less<>> keep;
        for (const auto& [name, like] : p.values()) {
            keep.insert(name);
            const quant::any_observer& o = seen_.try_emplace(like, options.observer).first->second;
            if (options.histograms && o.seen() == nullptr) histograms_.try_emplace(like);
        }
        std::map<std::string, const node*, std::less<>> layers;
        for (std::size_t i = 0; i < g.nodes.size(); ++i)
            if (p.at(i) == role::layer && options.correct_bias) layers.emplace(g.nodes[i].outputs[0], &g.nodes[i]);
        for (const auto& [name, layer] : layers) keep.insert(name);
        session run(g, {.threads = options.threads, .passes = {.keep = {keep.begin(), keep.end()}}});
        std::size_t runs = 0;
        std::size_t inputs = 0;  // of this run, so far
        const auto most = static_cast<std::size_t>((std::max)(options.samples, 0));
        run.observe([&](std::string_view name, const any_view& value) {
            // A run shows its inputs first.
            for (const value_info& in : g.inputs) {
                if (in.name != name) continue;
                if (inputs == 0) ++runs;
                if (runs <= most && inputs == 0) samples_.emplace_back();
                if (runs <= most) samples_.back().push_back(value.copy());
                inputs = (inputs + 1) % g.inputs.size();
            }
            if (value.dtype() != dtype::f32) return;
            const tensor_view<const float> x = value.as<float>();
            if (const auto found = layers.find(name); found != layers.end() && runs <= most && x.rank() > 1)
                means_.try_emplace(found->first, static_cast<index_t>(result_axis(*found->second, x.shape())))
                    .first->second.observe(x);
            if (const auto found = seen_.find(name); found != seen_.end()) {
                try {
                    found->second.observe(x.flat());
                    if (const auto h = histograms_.find(name); h != histograms_.end())
                        h->second.observe(x.flat(), options.threads);
                } catch (const argument_error& e) {
                    const node* maker = g.producer(name);
                    throw argument_error(
                        message("calibration run ", runs - 1, " (from 0): ",
                                maker == nullptr ? "input '" + std::string(name) + "'" : "node " + to_string(*maker),
                                ": ", e.what()));
                }
            }
        });
        run_all(run);
        for (const auto& [name, observed] : seen_) {
            if (observed.is_empty()) throw argument_error(message("value '", name, "': calibration saw none"));
            parameters_.emplace(name, observed.parameters_for(dtype::u8));
        }
    }

    /// @param value  one of the plan's
    [[nodiscard]] const quant::parameters& parameters(std::string_view value) const {
        return parameters_.find(like_.find(value)->second)->second;
    }

    /// Least and greatest value seen.
    [[nodiscard]] quant::value_range range(std::string_view value) const {
        return seen_.find(like_.find(value)->second)->second.range();
    }

    /// Or nullptr where none was kept.
    [[nodiscard]] const quant::histogram* histogram(std::string_view value) const {
        const std::string& like = like_.find(value)->second;
        const auto found = histograms_.find(like);
        return found != histograms_.end() ? &found->second : seen_.find(like)->second.seen();
    }

    [[nodiscard]] const std::vector<sample>& samples() const noexcept { return samples_; }

    /// Means of a layer's result in the runs of `samples`, or nullptr.
    [[nodiscard]] const quant::channel_moments* means_of(std::string_view value) const {
        const auto found = means_.find(value);
        return found == means_.end() ? nullptr : &found->second;
    }

private:
    std::map<std::string, std::string, std::less<>> like_;
    std::map<std::string, quant::histogram, std::less<>> histograms_;
    std::map<std::string, quant::any_observer, std::less<>> seen_;
    std::map<std::string, quant::parameters, std::less<>> parameters_;
    std::map<std::string, quant::channel_moments, std::less<>> means_;
    std::vector<sample> samples_;
};

}  // namespace edge::nn::ptq
