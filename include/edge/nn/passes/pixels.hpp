// SPDX-License-Identifier: MIT
#pragma once

/// @file Lets convolutions and what lies between them work on [n, h, w, c], the layout of the kernels, and gives them the
/// activations and additions that follow.
///
/// A Transpose stands where a value comes from a node of ONNX's layout or goes to one; the first convolution of an image
/// reads [n, c, h, w] itself.

#include <edge/nn/detail/graph_index.hpp>
#include <edge/nn/detail/pixel_nodes.hpp>

#include <array>
#include <optional>
#include <tuple>

namespace edge::nn {

namespace detail {

class pixel_rewrite {
public:
    explicit pixel_rewrite(graph& g) : g_(g), index_(g) {
        for (const auto& [id, value] : g_.initializers) taken_.insert(id);
        for (const auto& v : g_.inputs) taken_.insert(v.name);
        for (const node& n : g_.nodes) taken_.insert(n.outputs.begin(), n.outputs.end());
    }

    void run() {
        const auto can_start = [&](const node& n) { return is_convolution(n); };
        if (std::none_of(g_.nodes.begin(), g_.nodes.end(), can_start)) return;
        for (node& n : g_.nodes)
            if (!rewrite(n)) made_.push_back(std::move(n));
        turn_back();
        g_.nodes = std::move(made_);
        g_.sort();
    }

private:
    /// A value that there is as [n, h, w, c].
    struct pixels {
        std::string name;
        index_t channels = -1;  ///< -1: not known
        int extents = 0;        ///< values of the same number have the same n, h and w
        std::size_t maker = 0;  ///< position in `made_`
    };

    [[nodiscard]] static bool is_integer_convolution(const node& n) {
        return n.domain == "edge" && n.op_type == "QConv";
    }

    [[nodiscard]] bool is_convolution(const node& n) const {
        if (is_integer_convolution(n)) return true;
        if (!n.domain.empty() || n.op_type != "Conv" || !n.has_input(0) || !n.has_input(1) || !n.has_output(0))
            return false;
        const any_tensor* w = g_.find_initializer(n.inputs[1]);
        const any_tensor* b = n.has_input(2) ? g_.find_initializer(n.inputs[2]) : nullptr;
        const auto group = n.integer("group", 1);
        return w != nullptr && w->is<float>() && w->shape().rank() == 4 && w->size() > 0 && group >= 1 &&
               group <= w->shape()[0] &&
               (!n.has_input(2) || (b != nullptr && b->is<float>() && b->size() == w->shape()[0]));
    }

    [[nodiscard]] std::string fresh(const std::string& name) {
        std::string id = name + "_pixels";
        for (int i = 2; !taken_.insert(id).second; ++i) id = name + "_pixels_" + std::to_string(i);
        return id;
    }

    [[nodiscard]] const pixels* find(const std::string& value) const {
        const auto found = pixels_.find(value);
        return found == pixels_.end() ? nullptr : &found->second;
    }

    /// The value as pixels, turned if there is none yet.
    const pixels& as_pixels(const std::string& value, index_t channels) {
        const auto found = pixels_.find(value);
        if (found != pixels_.end()) return found->second;
        const std::string id = fresh(value);
        if (!quantize_as_pixels(value, id)) made_.push_back({"Transpose", id, {value}, {id}, {{"perm", {0, 2, 3, 1}}}});
        return add(value, id, channels, new_extents());
    }

    /// Where a QuantizeLinear makes a value that nothing else reads, lets it make pixels.
    bool quantize_as_pixels(const std::string& value, const std::string& id) {
        if (index_.only_reader(value) == graph_index::none) return false;
        for (node& n : made_) {
            if (n.outputs.empty() || n.outputs[0] != value) continue;
            const any_tensor* zero = n.has_input(2) ? g_.find_initializer(n.inputs[2]) : nullptr;
            if (!is_byte_quantization(n) || n.op_type != "QuantizeLinear" || zero == nullptr ||
                zero->dtype() != dtype::u8)
                return false;
            n.op_type = "QuantizePixels";
            n.domain = "edge";
            n.outputs = {id};
            return true;
        }
        return false;
    }

    /// Whether a node is a QuantizeLinear or DequantizeLinear of one scale.
    [[nodiscard]] bool is_byte_quantization(const node& n) const {
        if (!n.domain.empty() || (n.op_type != "QuantizeLinear" && n.op_type != "DequantizeLinear")) return false;
        const any_tensor* scale = n.has_input(1) ? g_.find_initializer(n.inputs[1]) : nullptr;
        if (scale == nullptr || !scale->is<float>() || scale->shape().rank() != 0) return false;
        const float s = scale->as<float>().data()[0];
        return s > 0 && s < std::numeric_limits<float>::infinity();
    }

    const pixels& add(const std::string& value, const std::string& id, index_t channels, int extents) {
        return pixels_.insert_or_assign(value, pixels{id, channels, extents, made_.size() - 1}).first->second;
    }

    [[nodiscard]] int new_extents() noexcept { return ++last_extents_; }

    bool rewrite(node& n) {
        if (is_convolution(n)) return convolution(n), true;
        if (n.outputs.size() != 1 || !n.has_output(0) || !n.has_input(0)) return false;
        if (n.domain == "edge") return n.op_type == "QAdd" ? binary(n) : integer_average(n);
        if (!n.domain.empty()) return false;
        if (is_byte_quantization(n)) return unary(n);
        if (n.op_type == "GlobalAveragePool") return pool(n, true);
        if (n.op_type == "AveragePool" || n.op_type == "MaxPool") return pool(n, false);
        if (n.op_type == "ReduceMean") return mean(n);
        for (const char* one : {"Relu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "LeakyRelu", "Elu", "Tanh",
                                "Softplus", "Abs", "Sqrt", "Exp", "Neg", "Erf"})
            if (n.op_type == one) return unary(n);
        for (const char* two : {"Add", "Mul", "Sub", "Div"})
            if (n.op_type == two) return binary(n);
        return false;
    }

    /// Same extents follow from same extents and the same window.
    [[nodiscard]] int extents_after(int before, const node& n, const edge::shape& w) {
        const std::vector<std::int64_t> ones(2, 1);
        const auto strides = n.integers("strides", ones);
        const auto dilations = n.integers("dilations", ones);
        const auto pads = n.integers("pads", std::vector<std::int64_t>(4, 0));
        if (strides.size() != 2 || dilations.size() != 2 || pads.size() != 4) return new_extents();
        if (!is_sane(dilations) || !is_sane(pads) || n.text("auto_pad", "NOTSET") != "NOTSET") return new_extents();
        std::array<std::int64_t, 4> shrinks{};  // stride, and what is lost at the borders, along both axes
        for (std::size_t i = 0; i < 2; ++i) {
            shrinks[2 * i] = strides[i];
            shrinks[2 * i + 1] = (w[2 + i] - 1) * dilations[i] - pads[i] - pads[2 + i];
        }
        if (shrinks == std::array<std::int64_t, 4>{1, 0, 1, 0}) return before;
        const auto [found, is_new] = extents_.try_emplace(std::make_pair(before, shrinks), 0);
        if (is_new) found->second = new_extents();
        return found->second;
    }

    void convolution(node& n) {
        constexpr index_t most_planar = 4;  // channels of an image
        const edge::shape& w = g_.find_initializer(n.inputs[1])->shape();
        const index_t channels = w[1] * static_cast<index_t>(n.integer("group", 1));
        const bool is_planar = n.op_type == "Conv" && find(n.inputs[0]) == nullptr && channels <= most_planar &&
                               n.integer("group", 1) == 1 && w[0] > 1;
        int extents = new_extents();
        if (is_planar) {
            n.attributes.insert_or_assign("planar", 1);
        } else {
            const pixels& x = as_pixels(n.inputs[0], channels);
            n.inputs[0] = x.name;
            extents = extents_after(x.extents, n, w);
        }
        const std::string value = n.outputs[0];
        n.domain = "edge";
        n.outputs = {fresh(value)};
        made_.push_back(std::move(n));
        add(value, made_.back().outputs[0], w[0], extents);
    }

    /// The convolution that makes a value which nothing else reads, to be given more to do; or nullptr.
    [[nodiscard]] node* open_convolution(const std::string& value, std::string_view op_type) {
        const pixels* x = find(value);
        if (x == nullptr || index_.only_reader(value) == graph_index::none) return nullptr;
        node& n = made_[x->maker];
        const bool is_open = n.domain == "edge" && n.op_type == op_type && n.outputs[0] == x->name &&
                             (op_type == "QConv" || activation_of(n) == activation{});
        return is_open ? &n : nullptr;
    }

    /// What a node does to each element, if a convolution can do it.
    [[nodiscard]] std::optional<activation> activation_for(const node& n) const {
        if (n.op_type == "HardSwish") return activation{activation_kind::hard_swish};
        const auto bounds = clip_bounds(g_, n);
        return bounds ? std::optional(activation{.limits = *bounds}) : std::nullopt;
    }

    bool unary(node& n) {
        const pixels* x = find(n.inputs[0]);
        if (x == nullptr) return false;
        const auto a = activation_for(n);
        node* open = a ? open_convolution(n.inputs[0], "Conv") : nullptr;
        if (open != nullptr) {
            set_activation(*open, "", *a);
            pixels_.insert_or_assign(n.outputs[0], *x);
            return true;
        }
        replace(n, {n.inputs[0]}, *x);
        return true;
    }

    /// The node on pixels, with an output like `x`.
    void replace(node& n, const std::vector<std::string>& values, pixels x) {
        for (std::size_t i = 0; i < values.size(); ++i)
            if (const pixels* p = find(values[i])) n.inputs[i] = p->name;
        const std::string value = n.outputs[0];
        n.outputs = {fresh(value)};
        made_.push_back(std::move(n));
        add(value, made_.back().outputs[0], x.channels, x.extents);
    }

    /// A constant [c, 1, 1] or [1, c, 1, 1] as [c], one number as it is; "" for any other.
    [[nodiscard]] std::string channel_constant(const std::string& value, index_t channels) {
        const any_tensor* t = g_.find_initializer(value);
        if (t == nullptr || !t->is<float>() || t->shape().rank() > 4) return "";
        const edge::shape& s = t->shape();
        if (t->size() == 1) {
            if (s.rank() == 0) return value;
        } else {
            if (t->size() != channels || s.rank() < 3 || s[s.rank() - 3] != channels) return "";
        }
        const std::string id = fresh(value);
        any_tensor flat = *t;
        flat.reshape({t->size()});
        g_.initializers.insert_or_assign(id, std::move(flat));
        return id;
    }

    bool binary(node& n) {
        if (n.inputs.size() != 2) return false;
        const pixels* a = find(n.inputs[0]);
        const pixels* b = find(n.inputs[1]);
        if (a == nullptr && b == nullptr) return false;
        if (a == nullptr || b == nullptr) {
            const std::size_t other = a == nullptr ? 0 : 1;
            const pixels& x = a == nullptr ? *b : *a;
            const std::string constant = channel_constant(n.inputs[other], x.channels);
            if (constant.empty()) return false;
            n.inputs[other] = constant;
            n.inputs[1 - other] = x.name;
            replace(n, {}, x);
            return true;
        }
        const bool same = a->extents == b->extents && a->channels == b->channels && a->channels > 0;
        if (same && join(n)) return true;
        replace(n, {n.inputs[0], n.inputs[1]}, same ? *a : pixels{"", -1, new_extents()});
        return true;
    }

    /// Lets a convolution that makes one image of a sum add the other, of the same size.
    bool join(const node& n) {
        const bool is_integer = n.op_type == "QAdd";
        if ((!is_integer && n.op_type != "Add") || n.inputs[0] == n.inputs[1]) return false;
        const std::size_t residual = is_integer ? 4 : 3;
        for (const std::size_t i : {0U, 1U}) {
            node* open = open_convolution(n.inputs[i], is_integer ? "QConv" : "Conv");
            if (open == nullptr || open->has_input(residual)) continue;
            open->inputs.resize(residual + 1);
            open->inputs[residual] = find(n.inputs[1 - i])->name;
            if (is_integer) {
                integer::byte_sum sum = byte_sum_of(n);
                if (i == 1) {
                    std::swap(sum.x_scale, sum.other_scale);
                    std::swap(sum.x_zero, sum.other_zero);
                }
                set_byte_sum(*open, sum);
            }
            pixels_.insert_or_assign(n.outputs[0], *find(n.inputs[i]));
            return true;
        }
        return false;
    }

    bool integer_average(node& n) {
        if (n.op_type != "QGlobalAveragePool" && n.op_type != "QAveragePool") return false;
        const pixels x = as_pixels(n.inputs[0], -1);
        n.inputs[0] = x.name;
        if (n.integer("keepdims", 1) != 0)
            replace(n, {}, {"", x.channels, new_extents()});
        else
            made_.push_back(std::move(n));
        return true;
    }

    bool pool(node& n, bool is_global) {
        const pixels* x = find(n.inputs[0]);
        const bool fits = is_global || (n.integers("kernel_shape").size() == 2 && n.integer("ceil_mode", 0) == 0);
        if (x == nullptr || !fits) return false;
        n.domain = "edge";
        replace(n, {n.inputs[0]}, {"", x->channels, new_extents()});
        return true;
    }

    bool mean(node& n) {
        const pixels* x = find(n.inputs[0]);
        if (x == nullptr || !is_spatial_mean(g_, n)) return false;
        const bool keeps = n.integer("keepdims", 1) != 0;
        node global{"GlobalAveragePool", n.name, {n.inputs[0]}, n.outputs, {}, "edge"};
        if (!keeps) global.attributes.emplace("keepdims", 0);
        if (keeps) {
            replace(global, {n.inputs[0]}, {"", x->channels, new_extents()});
        } else {
            global.inputs[0] = x->name;
            made_.push_back(std::move(global));
        }
        return true;
    }

    /// Gives nodes and outputs of ONNX's layout what they read.
    void turn_back() {
        std::set<std::string, std::less<>> there;
        for (const auto& v : g_.inputs) there.insert(v.name);
        for (const node& n : made_) there.insert(n.outputs.begin(), n.outputs.end());
        std::set<std::string, std::less<>> wanted;
        const auto want = [&](const std::string& value) {
            if (find(value) != nullptr && there.count(value) == 0 && g_.find_initializer(value) == nullptr)
                wanted.insert(value);
        };
        for (const auto& v : g_.outputs) want(v.name);
        for (const node& n : made_)
            for (const auto& id : n.inputs) want(id);
        for (const auto& value : wanted)
            made_.push_back({"Transpose", value, {find(value)->name}, {value}, {{"perm", {0, 3, 1, 2}}}});
    }

    graph& g_;
    graph_index index_;
    std::set<std::string, std::less<>> taken_;
    std::map<std::string, pixels, std::less<>> pixels_;
    std::map<std::pair<int, std::array<std::int64_t, 4>>, int> extents_;
    int last_extents_ = 0;
    std::vector<node> made_;
};

}  // namespace detail

/// Rewrites convolutions of float with constant weights and two spatial axes, and pools, activations and arithmetic of
/// their results. The nodes must be sorted. O(nodes · log nodes).
inline void use_pixels(graph& g) { detail::pixel_rewrite(g).run(); }

}  // namespace edge::nn
