// SPDX-License-Identifier: MIT
// The library's end of the test with ONNX Runtime.
//
//     onnx_peer DIR COUNT     writes COUNT random networks of images with an input each, and what the library makes of it;
//                             every fourth of them quantized as well, in both forms that files have for that
//
// NAME.onnx, and NAME.json: {"tolerance", "input": {"name", "dims", "data"}, "outputs": [{"name", "dims", "data"}]}, of
// which each data is the name of a file of little-endian float32.

#include <edge/core/file.hpp>
#include <edge/nn.hpp>
#include <edge/nn/quantized_form.hpp>

#include <nlohmann/json.hpp>

#include <exception>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

using namespace edge;
using nlohmann::ordered_json;

namespace {

/// A network that grows node by node; the value at its end is [1, channels, h, w].
class network {
public:
    explicit network(unsigned seed) : random_(seed) {
        g_.opset = 14;
        channels_ = pick({1, 3, 3, 3, 7});
        h_ = between(5, 40);
        w_ = between(5, 40);
        g_.inputs.push_back({"x", dtype::f32, {{"n"}, {channels_}, {"h"}, {"w"}}});
        input_ = values({between(1, 2), channels_, h_, w_}, 1.0f);
        at_ = "x";
    }

    nn::graph make() {
        const index_t layers = between(3, 12);
        for (index_t i = 0; i < layers; ++i) add_layer();
        output(at_);
        if (between(0, 1) == 0) {
            const auto flat = g_.add("Flatten", {g_.add("GlobalAveragePool", {at_})});
            const auto y = g_.add("Gemm", {flat, constant({11, channels_}), constant({11})}, {{"transB", 1}});
            output(g_.add("Softmax", {y}, {{"axis", -1}}));
        }
        return g_;
    }
    [[nodiscard]] const tensor<float>& input() const { return input_; }

private:
    index_t between(index_t low, index_t high) {
        return low + static_cast<index_t>(random_() % static_cast<unsigned long>(high - low + 1));
    }
    index_t pick(std::vector<index_t> of) {
        return of[static_cast<std::size_t>(between(0, static_cast<index_t>(of.size()) - 1))];
    }

    tensor<float> values(const shape& extents, float size) {
        tensor<float> t(extents);
        for (float& v : t) v = size * (static_cast<float>(between(-1000, 1000)) / 1000.0f);
        return t;
    }
    std::string constant(const shape& extents) {
        // Sums keep their size from layer to layer.
        const index_t products = extents.rank() > 1 ? extents.size() / extents[0] : 1;
        return g_.constant("w", values(extents, 1.7f / std::sqrt(static_cast<float>(products))));
    }
    std::string number(float v) { return g_.constant("number", tensor<float>(shape{}, v)); }
    void output(const std::string& id) {
        if (!g_.is_output(id)) g_.outputs.push_back({id, dtype::f32});
    }

    void add_layer() {
        switch (between(0, 9)) {
            case 0: return pool();
            case 1: return block();
            case 2: return excite();
            case 3: return branch();
            default: return convolution();
        }
    }

    /// Gives the convolution of `x`, whose extents it changes.
    std::string conv(const std::string& x, index_t out, index_t kernel_h, index_t kernel_w, index_t stride,
                     index_t groups) {
        const index_t dilation = between(0, 4) == 0 ? 2 : 1;
        const index_t reach_h = (kernel_h - 1) * dilation + 1;
        const index_t reach_w = (kernel_w - 1) * dilation + 1;
        std::vector<std::int64_t> pads{between(0, reach_h / 2), between(0, reach_w / 2), between(0, reach_h / 2),
                                       between(0, reach_w / 2)};
        pads[0] += (std::max)(index_t{0}, reach_h - h_);
        pads[1] += (std::max)(index_t{0}, reach_w - w_);
        std::vector<std::string> inputs{x, constant({out, channels_ / groups, kernel_h, kernel_w})};
        if (between(0, 3) != 0) inputs.push_back(constant({out}));
        h_ = (h_ + pads[0] + pads[2] - reach_h) / stride + 1;
        w_ = (w_ + pads[1] + pads[3] - reach_w) / stride + 1;
        channels_ = out;
        return g_.add(
            "Conv", inputs,
            {{"strides", {stride, stride}}, {"pads", pads}, {"group", groups}, {"dilations", {dilation, dilation}}});
    }

    std::string activation(const std::string& x) {
        switch (between(0, 5)) {
            case 0: return g_.add("Relu", {x});
            case 1: return g_.add("Clip", {x, number(0), number(6)});
            case 2: return g_.add("HardSwish", {x});
            case 3: return g_.add("Mul", {x, g_.add("Sigmoid", {x})});
            case 4: return g_.add("Clip", {x, number(-0.5f)});
            default: return x;
        }
    }

    void convolution() {
        const index_t kind = between(0, 3);
        const index_t kernel = pick({1, 1, 2, 3, 3, 5, 7});
        const index_t stride = pick({1, 1, 2, 3});
        if (kind == 0) {
            at_ = conv(at_, channels_, kernel, kernel, stride, channels_);
        } else if (kind == 1 && channels_ % 2 == 0) {
            at_ = conv(at_, 2 * between(1, 40), kernel, pick({1, 3}), stride, 2);
        } else {
            at_ = conv(at_, between(1, 200), kernel, kernel, stride, 1);
        }
        if (between(0, 3) == 0) {
            tensor<float> variance({channels_}, 0.8f);
            at_ = g_.add("BatchNormalization", {at_, constant({channels_}), constant({channels_}),
                                                constant({channels_}), g_.constant("variance", variance)});
        }
        at_ = activation(at_);
    }

    void pool() {
        const index_t kernel = between(2, 3);
        if (h_ < kernel || w_ < kernel) return;
        const index_t pad = between(0, 1);
        nn::attributes settings{{"kernel_shape", {kernel, kernel}}, {"strides", {2, 2}}, {"pads", {pad, pad, 0, 0}}};
        const bool is_max = between(0, 1) == 0;
        if (!is_max && between(0, 1) == 0) settings.emplace("count_include_pad", 1);
        at_ = g_.add(is_max ? "MaxPool" : "AveragePool", {at_}, settings);
        h_ = (h_ + pad - kernel) / 2 + 1;
        w_ = (w_ + pad - kernel) / 2 + 1;
    }

    /// An inverted residual with an addition.
    void block() {
        const std::string from = at_;
        const index_t c = channels_;
        const index_t h = h_;
        const index_t w = w_;
        const index_t hidden = between(c, 6 * c);
        std::string x = g_.add("Clip", {pointwise(from, hidden), number(0), number(6)});
        const index_t kernel = pick({3, 3, 5});
        x = g_.add("Conv", {x, constant({hidden, 1, kernel, kernel}), constant({hidden})},
                   {{"group", hidden}, {"pads", {kernel / 2, kernel / 2, kernel / 2, kernel / 2}}});
        x = pointwise(g_.add("Clip", {x, number(0), number(6)}), c);
        at_ = between(0, 3) == 0 ? activation(g_.add("Add", {x, from})) : g_.add("Add", {from, x});
        channels_ = c;
        h_ = h;
        w_ = w;
    }
    std::string pointwise(const std::string& x, index_t out) {
        const std::string y = g_.add("Conv", {x, constant({out, channels_, 1, 1}), constant({out})});
        channels_ = out;
        return y;
    }

    /// Squeeze and excitation.
    void excite() {
        const index_t c = channels_;
        std::string s = g_.add("Relu", {pointwise(g_.add("GlobalAveragePool", {at_}), between(1, 16))});
        s = g_.add("HardSigmoid", {pointwise(s, c)});
        at_ = g_.add("Mul", {at_, s});
    }

    void branch() {
        const index_t c = channels_;
        const std::string a = activation(pointwise(at_, between(1, 30)));
        const index_t first = channels_;
        channels_ = c;
        const std::string b = pointwise(at_, between(1, 30));
        channels_ += first;
        if (between(0, 2) == 0) output(a);
        at_ = g_.add("Concat", {a, b}, {{"axis", 1}});
    }

    nn::graph g_;
    std::mt19937 random_;
    tensor<float> input_;
    std::string at_;
    index_t channels_, h_, w_;
};

ordered_json save(const std::filesystem::path& folder, const std::string& file, const std::string& name,
                  const tensor<float>& t) {
    write_file(folder / file,
               {reinterpret_cast<const char*>(t.data()), static_cast<std::size_t>(t.size()) * sizeof(float)});
    ordered_json dims = ordered_json::array();
    for (const index_t n : t.shape()) dims.push_back(n);
    return {{"name", name}, {"dims", dims}, {"data", file}};
}

/// A model, its input and what the library makes of it. `tolerance` is of the largest element of an output.
void save_case(const std::filesystem::path& folder, const std::string& name, const nn::graph& g, const tensor<float>& x,
               const nn::session_options& options, double tolerance) {
    nn::save_onnx(g, folder / (name + ".onnx"));
    nn::session run{g, options};
    const auto& results = run(x);
    ordered_json all{{"tolerance", tolerance}, {"input", save(folder, name + ".in", "x", x)}};
    all["outputs"] = ordered_json::array();
    for (std::size_t k = 0; k < results.size(); ++k)
        all["outputs"].push_back(
            save(folder, name + ".out" + std::to_string(k), g.outputs[k].name, results[k].as<float>()));
    write_file(folder / (name + ".json"), all.dump());
}

void write(const std::filesystem::path& folder, unsigned count) {
    constexpr double float_sums = 1e-4;  // in another order
    constexpr double step = 2.02 / 255;  // of the last quantizer, where a value lies between two integers
    std::filesystem::create_directories(folder);
    for (unsigned i = 0; i < count; ++i) {
        network n(i + 1);
        const nn::graph g = n.make();
        const nn::session_options options{.threads = 1 + static_cast<int>(i % 2),
                                          .passes = {.fuse_blocks = i % 3 != 0}};
        save_case(folder, "net_" + std::to_string(i), g, n.input(), options, float_sums);
        if (i % 4 != 0) continue;
        const bool per_channel = i % 8 == 0;
        const nn::graph pairs =
            nn::quantize_static(g, {n.input()},
                                {.weights = per_channel ? nn::granularity::per_channel : nn::granularity::per_tensor,
                                 .learn_rounding = false,
                                 .threads = 1});
        save_case(folder, "pairs_" + std::to_string(i), pairs, n.input(), options, step);
        save_case(folder, "layers_" + std::to_string(i), nn::to_qoperator(pairs), n.input(), options, step);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 3) throw argument_error("usage: onnx_peer DIR COUNT");
        write(argv[1], static_cast<unsigned>(std::stoul(argv[2])));
    } catch (const std::exception& e) {
        std::cerr << "onnx_peer: " << e.what() << '\n';
        return 1;
    }
    return 0;
}
