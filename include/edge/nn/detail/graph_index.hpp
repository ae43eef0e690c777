// SPDX-License-Identifier: MIT
#pragma once

/// @file Who makes and who reads the values of a graph, looked up once for a whole pass.

#include <edge/nn/graph.hpp>
#include <edge/nn/window.hpp>

#include <optional>
#include <span>

namespace edge::nn::detail {

/// Of the graph as it was when this was made.
class graph_index {
public:
    explicit graph_index(const graph& g) : g_(g) {
        for (std::size_t i = 0; i < g.nodes.size(); ++i) {
            for (const auto& id : g.nodes[i].outputs)
                if (!id.empty()) made_by_.emplace(id, i);
            for (const auto& id : g.nodes[i].inputs)
                if (!id.empty()) read_by_[id].push_back(i);
        }
        for (const auto& v : g.outputs) outputs_.insert(v.name);
    }

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// Position of the node that makes a value, or none.
    [[nodiscard]] std::size_t maker(std::string_view id) const {
        const auto found = made_by_.find(id);
        return found == made_by_.end() ? none : found->second;
    }
    /// Positions of the nodes that read a value, once for each time.
    [[nodiscard]] std::span<const std::size_t> readers(std::string_view id) const {
        const auto found = read_by_.find(id);
        return found == read_by_.end() ? std::span<const std::size_t>{} : std::span<const std::size_t>(found->second);
    }
    /// The node that alone reads a value that is no output, or none.
    [[nodiscard]] std::size_t only_reader(std::string_view id) const {
        const auto list = readers(id);
        return list.size() == 1 && outputs_.count(id) == 0 ? list[0] : none;
    }
    /// The node that makes a value, if it is of that type and of ONNX's own domain and has its first inputs, else nullptr.
    [[nodiscard]] const node* made_by(std::string_view id, std::string_view op_type, std::size_t inputs = 1) const {
        const std::size_t at = maker(id);
        if (at == none) return nullptr;
        const node& n = g_.nodes[at];
        const bool fits = n.domain.empty() && n.op_type == op_type && n.inputs.size() >= inputs;
        return fits ? &n : nullptr;
    }
    [[nodiscard]] bool is_output(std::string_view id) const { return outputs_.count(id) != 0; }

private:
    const graph& g_;
    std::map<std::string, std::size_t, std::less<>> made_by_;
    std::map<std::string, std::vector<std::size_t>, std::less<>> read_by_;
    std::set<std::string, std::less<>> outputs_;
};

/// Whether numbers of a window are such as one can compute with. A file may say anything; what makes no sense is refused
/// when the node is prepared.
[[nodiscard]] inline bool is_sane(std::span<const std::int64_t> list) {
    return std::all_of(list.begin(), list.end(), [](std::int64_t v) { return v >= 0 && v <= 1 << 20; });
}

/// The one number that a constant of float holds, if it is such a constant.
[[nodiscard]] inline const float* one_float(const graph& g, const node& n, std::size_t input) {
    const any_tensor* t = n.has_input(input) ? g.find_initializer(n.inputs[input]) : nullptr;
    return t != nullptr && t->is<float>() && t->size() == 1 ? t->as<float>().data() : nullptr;
}

/// What a ReLU or a Clip limits its results to, if that is constant and makes sense.
[[nodiscard]] inline std::optional<clamp> clip_bounds(const graph& g, const node& n) {
    if (!n.domain.empty() || n.outputs.size() != 1) return {};
    if (n.op_type == "Relu") return relu;
    if (n.op_type != "Clip") return {};
    clamp b;
    b.low = n.real("min", b.low);  // up to opset 10
    b.high = n.real("max", b.high);
    for (const std::size_t i : {1U, 2U}) {
        if (!n.has_input(i)) continue;
        const float* bound = one_float(g, n, i);
        if (bound == nullptr) return {};
        (i == 1 ? b.low : b.high) = *bound;
    }
    return b.low <= b.high ? std::optional(b) : std::nullopt;  // neither is NaN
}

/// Whether a ReduceMean of an image [n, c, h, w] is over its height and width.
[[nodiscard]] inline bool is_spatial_mean(const graph& g, const node& n) {
    std::vector<std::int64_t> axes = n.integers("axes");
    if (n.has_input(1)) {
        const any_tensor* t = g.find_initializer(n.inputs[1]);
        if (t == nullptr || !t->is<std::int64_t>()) return false;
        axes.assign(t->as<std::int64_t>().begin(), t->as<std::int64_t>().end());
    }
    for (auto& axis : axes) axis += axis < 0 ? 4 : 0;
    std::sort(axes.begin(), axes.end());
    return axes == std::vector<std::int64_t>{2, 3};
}

}  // namespace edge::nn::detail
