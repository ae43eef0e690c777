// SPDX-License-Identifier: MIT
#pragma once

/// @file MobileNetV2 as a graph, of any width, resolution and number of classes, and where its weights come from.
///
///     auto fresh = edge::nn::mobilenet_v2(0.5, 160, 10);                                      // random weights
///     auto same = edge::nn::mobilenet_v2(1.0, 224, 1000, {.weights = weights_of(load_onnx("v2.onnx"))});
///     auto mine = edge::nn::mobilenet_v2(1.0, 224, 1000, {.weights = npy_weights("weights/")});
///     auto hub = edge::nn::mobilenet_v2(1.0, 224, 1000, {.weights = torchvision_weights(load_safetensors("v2.st"))});
///
/// Layers are named features.0.conv, features.N.expand, .dw and .project for N from 1 to 17, features.18.conv and
/// classifier; each has a weight and a bias, batch normalization being part of them.
/// Source: Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks", table 2.

#include <edge/core/npy.hpp>
#include <edge/core/random.hpp>
#include <edge/core/safetensors.hpp>
#include <edge/nn/graph.hpp>

#include <cmath>
#include <functional>
#include <memory>

namespace edge::nn {

/// The weights of a layer, called once for each in the order of the network.
/// @param name   such as "features.0.conv.weight" or "classifier.bias"
/// @param shape  of what is wanted: [out, in / group, height, width], [classes, features], or [out]
using weight_source = std::function<tensor<float>(const std::string& name, const edge::shape& shape)>;

/// Biases of 0 and weights uniform in ±√(6 / inputs of a sum), the same for a seed on every machine.
/// Source: He et al. 2015, "Delving deep into rectifiers", section 2.2.
[[nodiscard]] inline weight_source he_weights(std::uint64_t seed = 1) {
    return [random = std::make_shared<splitmix64>(seed)](const std::string&, const edge::shape& shape) {
        tensor<float> w(shape);
        if (shape.rank() < 2) return w;
        const double reach = std::sqrt(6.0 * static_cast<double>(shape[0]) / static_cast<double>(shape.size()));
        for (float& v : w) v = static_cast<float>(random->uniform(-reach, reach));
        return w;
    };
}

namespace detail {

inline tensor<float> checked_weight(const any_tensor& found, const std::string& name, const edge::shape& shape) {
    if (!found.is<float>() || found.shape() != shape)
        throw shape_error(
            message("weight '", name, "' is ", found.dtype(), " ", found.shape(), "; expected float32 ", shape));
    return found.as<float>();
}

inline tensor<float> turned(const tensor<float>& w) {
    if (w.shape().rank() != 2) throw shape_error(message("weights of shape ", w.shape(), "; expected a matrix"));
    auto to = tensor<float>::uninitialized({w.shape()[1], w.shape()[0]});
    for (index_t i = 0; i < w.shape()[0]; ++i)
        for (index_t j = 0; j < w.shape()[1]; ++j) to(j, i) = w(i, j);
    return to;
}

}  // namespace detail

/// NAME.npy of a folder.
/// @throws io_error, parse_error, shape_error  when it is called, if a file is missing, no array, or of another shape
[[nodiscard]] inline weight_source npy_weights(std::filesystem::path folder) {
    return [folder = std::move(folder)](const std::string& name, const edge::shape& shape) {
        return detail::checked_weight(load_npy(folder / (name + ".npy")), name, shape);
    };
}

/// Tensors of these names.
/// @throws argument_error, shape_error  when it is called, if one is missing, or of another type or shape
[[nodiscard]] inline weight_source named_weights(named_tensors tensors) {
    return [all = std::make_shared<const named_tensors>(std::move(tensors))](const std::string& name,
                                                                             const edge::shape& shape) {
        const auto found = all->find(name);
        if (found == all->end()) throw argument_error(message("there is no weight '", name, "'"));
        return detail::checked_weight(found->second, name, shape);
    };
}

/// What the Conv and Gemm nodes of another graph read, in their order, whatever their names are.
/// @throws argument_error, shape_error  when it is called, if there are fewer layers, or one has another shape
[[nodiscard]] inline weight_source weights_of(graph g) {
    g.sort();
    const auto list = std::make_shared<std::vector<any_tensor>>();
    for (const node& n : g.nodes) {
        if (n.op_type != "Conv" && n.op_type != "Gemm") continue;
        for (std::size_t i = 1; i < 3; ++i) {
            const any_tensor* w = n.has_input(i) ? g.find_initializer(n.inputs[i]) : nullptr;
            if (w == nullptr) throw argument_error(message("node ", n, " has no constant weights and biases"));
            if (i == 1 && n.op_type == "Gemm" && n.integer("transB", 0) == 0)
                list->emplace_back(detail::turned(w->as<float>()));
            else
                list->push_back(*w);
        }
    }
    return [list, next = std::size_t{0}](const std::string& name, const edge::shape& shape) mutable {
        if (next == list->size()) throw argument_error(message("there is no weight left for '", name, "'"));
        return detail::checked_weight((*list)[next++], name, shape);
    };
}

/// Weights under the names that torchvision's mobilenet_v2 gives them, batch normalization folded into the layers.
/// Source: torchvision 0.13, models/mobilenetv2.py; its epsilon is 1e-5.
/// @throws argument_error, shape_error  when it is called, if one is missing, or of another type or shape
[[nodiscard]] inline weight_source torchvision_weights(named_tensors tensors) {
    return [source = named_weights(std::move(tensors))](const std::string& name, const edge::shape& shape) {
        const std::size_t dot = name.rfind('.');
        const std::string layer = name.substr(0, dot);
        const std::string kind = name.substr(dot + 1);
        if (layer == "classifier") return source("classifier.1." + kind, shape);
        const std::size_t end = layer.rfind('.');
        const std::string block = layer.substr(0, end);
        const std::string part = layer.substr(end + 1);
        // Within a block: a layer and its normalization, or two numbers of a list. The first block has no expansion.
        const bool is_first = block == "features.1";
        const std::string inner = part == "conv"     ? ".0"
                                  : part == "expand" ? ".conv.0.0"
                                  : part == "dw"     ? (is_first ? ".conv.0.0" : ".conv.1.0")
                                                     : (is_first ? ".conv.1" : ".conv.2");
        std::string norm = block + inner;
        norm.back() = static_cast<char>(norm.back() + 1);
        const edge::shape channels{shape[0]};
        const auto gamma = source(norm + ".weight", channels);
        const auto variance = source(norm + ".running_var", channels);
        const auto factor = [&](index_t c) { return gamma[c] / std::sqrt(variance[c] + 1e-5f); };
        if (kind == "bias") {
            auto bias = source(norm + ".bias", channels);
            const auto mean = source(norm + ".running_mean", channels);
            for (index_t c = 0; c < bias.size(); ++c) bias[c] -= mean[c] * factor(c);
            return bias;
        }
        auto w = source(block + inner + ".weight", shape);
        const index_t each = shape[0] == 0 ? 0 : shape.size() / shape[0];
        for (index_t i = 0; i < w.size(); ++i) w[i] *= factor(i / each);
        return w;
    };
}

struct mobilenet_v2_options {
    weight_source weights = he_weights();
    /// Layers of stride 2 are padded after the data only, where their size is even, as TensorFlow does; PyTorch pads
    /// both sides.
    bool tensorflow_padding = false;
};

namespace detail {

/// Channels of a layer at a width: to a multiple of 8, and not less than nine tenths.
/// Source: tensorflow/models, slim/nets/mobilenet/mobilenet.py, make_divisible.
[[nodiscard]] inline index_t scaled_channels(double channels) {
    const auto rounded = (std::max)(index_t{8}, static_cast<index_t>((channels + 4) / 8) * 8);
    return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

class mobilenet_v2_builder {
public:
    mobilenet_v2_builder(index_t resolution, const mobilenet_v2_options& options)
        : options_(options), size_(resolution) {
        g_.initializers.emplace("relu6_min", tensor<float>(edge::shape{}, 0.0f));
        g_.initializers.emplace("relu6_max", tensor<float>(edge::shape{}, 6.0f));
    }

    graph build(double width, index_t classes) {
        g_.name = "mobilenet_v2";
        g_.inputs.push_back({"input", dtype::f32, {{"N"}, {3}, {size_}, {size_}}});
        struct row {
            index_t expansion, channels, blocks, stride;
        };
        constexpr row table[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                 {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
        index_t channels = scaled_channels(32 * width);
        std::string value = conv("features.0.conv", "input", 3, channels, {.kernel = 3, .stride = 2});
        int index = 1;
        for (const row& r : table)
            for (index_t i = 0; i < r.blocks; ++i, ++index) {
                const index_t to = scaled_channels(static_cast<double>(r.channels) * width);
                value = block(message("features.", index), value, channels, to, r.expansion, i == 0 ? r.stride : 1);
                channels = to;
            }
        const index_t last = scaled_channels(1280 * (std::max)(1.0, width));
        value = conv("features.18.conv", value, channels, last, {});
        value = node("GlobalAveragePool", "pool", {value});
        value = node("Flatten", "flatten", {value}, {{"axis", 1}});
        value = node("Gemm", "classifier",
                     {value, weight("classifier.weight", {classes, last}), weight("classifier.bias", {classes})},
                     {{"transB", 1}}, "logits");
        g_.outputs.push_back({value, dtype::f32, {{"N"}, {classes}}});
        return std::move(g_);
    }

private:
    struct layer {
        index_t kernel = 1, stride = 1, group = 1;
        bool is_linear = false;
    };

    std::string node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                     attributes settings = {}, std::string output = {}) {
        if (output.empty()) output = name + ".out";
        g_.nodes.push_back({op, name, std::move(inputs), {output}, std::move(settings)});
        return output;
    }

    std::string weight(const std::string& name, const edge::shape& shape) {
        g_.initializers.emplace(name, checked_weight(options_.weights(name, shape), name, shape));
        return name;
    }

    std::string conv(const std::string& name, const std::string& x, index_t from, index_t to, const layer& how) {
        const std::int64_t whole = how.kernel / 2;
        const bool after_only = options_.tensorflow_padding && how.stride == 2 && size_ % 2 == 0;
        const std::int64_t before = after_only ? 0 : whole;
        if (how.stride == 2) size_ = (size_ + 1) / 2;
        const auto w = weight(name + ".weight", {to, from / how.group, how.kernel, how.kernel});
        const auto b = weight(name + ".bias", {to});
        const auto y = node("Conv", name, {x, w, b},
                            {{"dilations", {1, 1}},
                             {"group", how.group},
                             {"kernel_shape", {how.kernel, how.kernel}},
                             {"pads", {before, before, whole, whole}},
                             {"strides", {how.stride, how.stride}}});
        return how.is_linear ? y : node("Clip", name + ".clip", {y, "relu6_min", "relu6_max"});
    }

    /// Expand, convolve each channel on its own, project; added to the input where the shapes are the same.
    std::string block(const std::string& name, const std::string& x, index_t from, index_t to, index_t expansion,
                      index_t stride) {
        const index_t wide = from * expansion;
        std::string y = expansion == 1 ? x : conv(name + ".expand", x, from, wide, {});
        y = conv(name + ".dw", y, wide, wide, {.kernel = 3, .stride = stride, .group = wide});
        y = conv(name + ".project", y, wide, to, {.is_linear = true});
        return stride == 1 && from == to ? node("Add", name + ".add", {x, y}) : y;
    }

    const mobilenet_v2_options& options_;
    graph g_;
    index_t size_;
};

}  // namespace detail

/// @param width       multiplies the channels of all layers; in (0, 8]
/// @param resolution  of the image, [n, 3, resolution, resolution]; 32 to 4096
/// @throws argument_error  if one is out of its range; and what the source of weights throws
[[nodiscard]] inline graph mobilenet_v2(double width = 1.0, index_t resolution = 224, index_t classes = 1000,
                                        const mobilenet_v2_options& options = {}) {
    if (!(width > 0 && width <= 8)) throw argument_error(message("width ", width, "; expected above 0, at most 8"));
    if (resolution < 32 || resolution > 4096)
        throw argument_error(message("resolution ", resolution, "; expected 32 to 4096"));
    if (classes < 1 || classes > 1 << 24) throw argument_error(message("classes ", classes, "; expected 1 or more"));
    return detail::mobilenet_v2_builder(resolution, options).build(width, classes);
}

}  // namespace edge::nn
