// SPDX-License-Identifier: MIT
#pragma once

/// @file Finds HardSwish where a file spells it out: x · HardSigmoid(x), or x · clip(x + 3, 0, 6) / 6.

#include <edge/nn/detail/graph_index.hpp>

#include <cmath>

namespace edge::nn {

namespace detail {

class hard_swish_rewrite {
public:
    explicit hard_swish_rewrite(graph& g) : g_(g), index_(g) {}

    void run() {
        for (node& n : g_.nodes) {
            if (!n.domain.empty() || n.inputs.size() != 2) continue;
            std::string x;
            if (n.op_type == "Mul") {
                x = gated(n.inputs[0], n.inputs[1]);
                if (x.empty()) x = gated(n.inputs[1], n.inputs[0]);
            } else if (n.op_type == "Div" && is_number(n, 1, 6)) {  // (x · clip(x + 3)) / 6
                const node* product = index_.made_by(n.inputs[0], "Mul", 2);
                if (product != nullptr && index_.only_reader(n.inputs[0]) != graph_index::none)
                    for (const std::size_t i : {0U, 1U})
                        if (is_clip(product->inputs[1 - i], product->inputs[i])) x = product->inputs[i];
            }
            if (!x.empty()) n = {"HardSwish", n.name, {x}, n.outputs};
        }
    }

private:
    [[nodiscard]] bool is_number(const node& n, std::size_t input, float expected) const {
        const float* v = one_float(g_, n, input);
        return v != nullptr && *v == expected;
    }

    /// Whether `value` is clip(x + 3, 0, 6).
    [[nodiscard]] bool is_clip(const std::string& value, const std::string& x) const {
        const node* clip = index_.made_by(value, "Clip");
        if (clip == nullptr) return false;
        const bool limits = clip->has_input(1) ? is_number(*clip, 1, 0) && is_number(*clip, 2, 6)
                                               : clip->real("min", -1) == 0 && clip->real("max", -1) == 6;
        const node* sum = limits ? index_.made_by(clip->inputs[0], "Add", 2) : nullptr;
        return sum != nullptr &&
               ((sum->inputs[0] == x && is_number(*sum, 1, 3)) || (sum->inputs[1] == x && is_number(*sum, 0, 3)));
    }

    /// `x` if `gate` is the number that HardSwish multiplies it by, else "".
    [[nodiscard]] std::string gated(const std::string& x, const std::string& gate) const {
        if (const node* sigmoid = index_.made_by(gate, "HardSigmoid"))
            return sigmoid->inputs[0] == x && std::abs(sigmoid->real("alpha", 0.2f) - 1.0f / 6) < 1e-6f &&
                           sigmoid->real("beta", 0.5f) == 0.5f
                       ? x
                       : "";
        const node* sixth = index_.made_by(gate, "Div", 2);
        return sixth != nullptr && is_number(*sixth, 1, 6) && is_clip(sixth->inputs[0], x) ? x : "";
    }

    graph& g_;
    graph_index index_;
};

}  // namespace detail

/// Results may differ in the last bits.
inline void use_hard_swish(graph& g) { detail::hard_swish_rewrite(g).run(); }

}  // namespace edge::nn
