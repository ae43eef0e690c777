// SPDX-License-Identifier: MIT
// Models that are meant to do harm: each is refused with a line, before memory is taken for what it says.

#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

using edge::any_tensor;
using edge::dtype;
using edge::tensor;
using edge::nn::attributes;
using edge::nn::graph;
using edge::nn::session;
using ints = tensor<std::int64_t>;

namespace {

constexpr std::int64_t huge = std::int64_t{1} << 40;
constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)();
constexpr std::int64_t least = (std::numeric_limits<std::int64_t>::min)();

/// A model of one node: x of shape `extents`, then constants. `outputs` of them are wanted.
graph one_node(const std::string& op, std::vector<edge::nn::dimension> extents, std::vector<any_tensor> constants = {},
               attributes how = {}, std::size_t outputs = 1, int opset = 18) {
    graph g;
    g.opset = opset;
    g.inputs.push_back({"x", dtype::f32, std::move(extents)});
    edge::nn::node n{op, "bad", {"x"}, {}, std::move(how)};
    for (auto& c : constants) n.inputs.push_back(g.constant("c", std::move(c)));
    for (std::size_t i = 0; i < outputs; ++i) {
        n.outputs.push_back("y" + std::to_string(i));
        g.outputs.push_back({n.outputs.back(), dtype::f32});
    }
    g.nodes.push_back(std::move(n));
    return g;
}

/// What is said about a model on its way from bytes to a session and, where its input is small, through a run. "" if
/// nothing is. No allocation may be larger than 128 MiB, whatever is said.
std::string said_about(const graph& g) {
    const std::string bytes = edge::nn::to_onnx(g);
    (void)largest_allocation();
    std::string said;
    try {
        session run(edge::nn::parse_onnx(std::as_bytes(std::span(bytes)), "m"), {.threads = 1, .max_bytes = 1 << 26});
        edge::index_list extents;
        for (const auto& d : run.model().inputs[0].dims) extents.push_back(d.size);
        const edge::shape shape(extents);
        if (shape.size() <= 1 << 16) run(tensor<float>(shape, 1.0f));
    } catch (const edge::error& e) {
        said = e.what();
    }
    CHECK(largest_allocation() <= std::size_t{1} << 27);
    CHECK(said.find('\n') == std::string::npos);
    return said;
}

bool refused(const graph& g, const std::string& why) {
    const std::string said = said_about(g);
    if (!said.empty() && said.find(why) != std::string::npos) return true;
    WARN("\"" << said << "\" does not say \"" << why << "\"");
    return false;
}

}  // namespace

TEST_CASE("shapes that no memory holds are refused or never allocated", "[nn][onnx][hostile]") {
    CHECK(refused(one_node("Relu", {huge, huge}), "overflows"));
    CHECK(refused(one_node("Relu", {0, huge, huge}), "overflows"));
    CHECK(refused(one_node("Relu", {huge}), "limit"));
    const struct {
        const char* op;
        std::vector<any_tensor> constants;
        attributes how;
    } nodes[] = {
        {"Transpose", {}, {}},
        {"Softmax", {}, {}},
        {"Flatten", {}, {}},
        {"Dropout", {}, {}},
        {"Pad", {ints({4}, 1)}, {}},
        {"Slice", {ints({1}, 0), ints({1}, most)}, {}},
        {"Tile", {ints({2}, 2)}, {}},
        {"Expand", {ints({2}, 1)}, {}},
        {"ReduceSum", {}, {}},
        {"ReduceMean", {}, {{"axes", {0}}}},
        {"ReduceLogSumExp", {}, {}},
        {"ArgMax", {}, {}},
        {"CumSum", {ints({1}, 0)}, {}},
        {"TopK", {ints({1}, 1)}, {}},
        {"Resize", {tensor<float>({0}), tensor<float>({2}, 2.0f)}, {}},
        {"Resize", {tensor<float>({0}), tensor<float>({2}, 2.0f)}, {{"mode", "linear"}}},
        {"Gemm", {tensor<float>({1, 1})}, {{"transA", 1}}},
        {"MatMul", {tensor<float>({1, 1})}, {}},
        {"Split", {}, {}},
        {"Cast", {}, {{"to", 11}}},
        {"LpNormalization", {}, {}},
        {"Shape", {}, {}},
    };
    for (const auto& n : nodes)
        for (const std::int64_t rows : {huge, std::int64_t{1} << 33, std::int64_t{1} << 28}) {
            INFO(n.op << ' ' << rows);
            (void)said_about(one_node(n.op, {rows, 1}, n.constants, n.how, n.op == std::string("Dropout") ? 2 : 1));
            (void)said_about(one_node(n.op, {1, rows}, n.constants, n.how));
        }
}

TEST_CASE("small inputs do not become huge results", "[nn][onnx][hostile]") {
    CHECK(refused(one_node("Expand", {1}, {ints({1}, huge)}), "node Expand 'bad'"));
    CHECK(refused(one_node("Expand", {1}, {ints({3}, huge)}), "overflows"));
    CHECK(refused(one_node("Expand", {1}, {ints({1}, -5)}), "node Expand"));
    CHECK(refused(one_node("Tile", {2}, {ints({1}, most)}), "node Tile"));
    CHECK(refused(one_node("Tile", {2}, {ints({1}, -1)}), "node Tile"));
    CHECK(refused(one_node("Tile", {2}, {ints({1}, 1 << 29)}), "node Tile"));
    CHECK(refused(one_node("Tile", {0, 1, 1, 1}, {ints({4}, 1 << 23)}), "node Tile"));
    CHECK(refused(one_node("Pad", {1, 1, 1, 1}, {ints({8}, 1 << 23)}), "node Pad"));
    CHECK(refused(one_node("Pad", {2}, {ints({2}, 1 << 29)}), "node Pad"));
    CHECK(refused(one_node("Pad", {2}, {ints({2}, most)}), "node Pad"));
    CHECK(refused(one_node("Pad", {2}, {ints({2}, least)}), "node Pad"));
    CHECK(refused(one_node("Reshape", {4}, {ints({2}, std::int64_t{1} << 32)}), "node Reshape"));
    CHECK(refused(one_node("Reshape", {4}, {ints({2}, -1)}), "node Reshape"));
    CHECK(refused(one_node("Reshape", {4}, {ints({1}, least)}), "node Reshape"));
    CHECK(refused(one_node("Resize", {2}, {tensor<float>({0}), tensor<float>({1}, 1e9f)}), "node Resize"));
    CHECK(refused(one_node("Resize", {2}, {tensor<float>({0}), tensor<float>({0}), ints({1}, most)}), "node Resize"));
    CHECK(refused(one_node("DepthToSpace", {1, 4, 1, 1}, {}, {{"blocksize", most}}), "node DepthToSpace"));
    CHECK(refused(one_node("DepthToSpace", {1, 4, 1, 1}, {}, {{"blocksize", 0}}), "node DepthToSpace"));
    graph g = one_node("Add", {1}, {tensor<float>({1}, 1.0f)});
    g.nodes.push_back({"ConstantOfShape", "big", {g.constant("s", ints({2}, 1 << 20))}, {"z"}});
    g.outputs.push_back({"z", dtype::f32});
    CHECK(refused(g, "node ConstantOfShape 'big'"));
    g.nodes.back() = {"Range", "long", {"a", "b", "d"}, {"z"}};
    for (const auto& [name, value] : {std::pair{"a", std::int64_t{0}}, {"b", most}, {"d", std::int64_t{1}}})
        g.initializers.emplace(name, ints(edge::shape{}, value));
    CHECK(refused(g, "node Range 'long'"));
}

TEST_CASE("attributes and inputs out of their range are refused", "[nn][onnx][hostile]") {
    const tensor<float> w({2, 1, 3, 3}, 1.0f);
    const auto conv = [&](attributes how, const any_tensor& weights) {
        return one_node("Conv", {1, 2, 5, 5}, {weights}, std::move(how));
    };
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, huge, most, least})
        CHECK(refused(conv({{"group", bad}}, w), "node Conv 'bad'"));
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, least}) {
        CHECK(refused(conv({{"group", 2}, {"strides", {bad, 1}}}, w), "node Conv 'bad'"));
        CHECK(refused(conv({{"group", 2}, {"dilations", {1, bad}}}, w), "node Conv 'bad'"));
        CHECK(refused(conv({{"group", 2}, {"kernel_shape", {bad, 3}}}, w), "node Conv 'bad'"));
        CHECK(refused(one_node("MaxPool", {1, 1, 4, 4}, {}, {{"kernel_shape", {bad, 2}}}), "node MaxPool"));
        CHECK(refused(one_node("AveragePool", {1, 1, 4, 4}, {}, {{"kernel_shape", {2, 2}}, {"strides", {bad, 2}}}),
                      "node AveragePool"));
    }
    for (const std::int64_t bad : {huge, most, least}) {
        CHECK(refused(conv({{"group", 2}, {"pads", {bad, 0, 0, 0}}}, w), "node Conv 'bad'"));
        CHECK(refused(conv({{"group", 2}, {"dilations", {bad, 1}}}, w), "node Conv 'bad'"));
        CHECK(refused(one_node("Transpose", {2, 2}, {}, {{"perm", {0, bad}}}), "node Transpose"));
        CHECK(refused(one_node("Softmax", {2, 2}, {}, {{"axis", bad}}), "node Softmax"));
        CHECK(refused(one_node("ReduceSum", {2, 2}, {ints({1}, bad)}), "node ReduceSum"));
        CHECK(refused(one_node("Concat", {2, 2}, {}, {{"axis", bad}}), "node Concat"));
        CHECK(refused(one_node("Split", {2, 2}, {ints({2}, bad)}, {}, 2), "node Split"));
        CHECK(refused(one_node("Gather", {2, 2}, {ints({1}, bad)}), "node Gather"));
        CHECK(refused(one_node("GatherND", {2, 2}, {ints({1}, bad)}), "node GatherND"));
        CHECK(refused(one_node("TopK", {2, 2}, {ints({1}, bad)}), "node TopK"));
        CHECK(refused(one_node("Unsqueeze", {2}, {ints({1}, bad)}), "node Unsqueeze"));
        CHECK(refused(one_node("Squeeze", {1}, {ints({1}, bad)}), "node Squeeze"));
    }
    CHECK(refused(conv({{"group", 2}}, tensor<double>({2, 1, 3, 3})), "node Conv 'bad'"));
    CHECK(refused(conv({{"group", 2}}, tensor<float>({2, 1, 9, 9})), "node Conv 'bad'"));
    (void)said_about(conv({{"group", 2}}, tensor<float>({0, 1, 3, 3})));
    CHECK(refused(conv({{"group", "two"}}, w), "attribute 'group' is not an integer"));
    CHECK(refused(conv({{"auto_pad", "WHATEVER"}}, w), "node Conv 'bad'"));
    CHECK(refused(one_node("Add", {2}, {ints({2}, 1)}), "node Add 'bad'"));
    CHECK(refused(one_node("Reshape", {2}, {tensor<float>({1}, 2.0f)}), "node Reshape"));
    CHECK(refused(one_node("Gather", {2}, {tensor<float>({1}, 0.0f)}), "node Gather"));
    CHECK(refused(one_node("Cast", {2}, {}, {{"to", 99}}), "node Cast"));
    CHECK(refused(one_node("MatMul", {2, 3}, {tensor<float>({4, 2})}), "node MatMul"));
    CHECK(refused(one_node("Gemm", {2, 3}, {tensor<float>({3, 2}), tensor<float>({7})}), "node Gemm"));
    CHECK(refused(one_node("Einsum", {2, 3}, {}, {{"equation", "ijk->"}}), "node Einsum"));
    CHECK(refused(one_node("Conv", {1, 2, 5, 5}), "node Conv"));
    CHECK(refused(one_node("Nonsense", {1}), "operator Nonsense is not supported"));
    CHECK(refused(one_node("BatchNormalization", {1, 2, 3},
                           {tensor<float>({2}), tensor<float>({2}), tensor<float>({3}), tensor<float>({2})}),
                  "node BatchNormalization"));
}

TEST_CASE("a chain of three thousand nodes is sorted and run", "[nn][onnx][hostile]") {
    graph g;
    g.inputs.push_back({"v0", dtype::f32, {1}});
    constexpr int length = 3000;
    for (int i = length; i-- > 0;)
        g.nodes.push_back({"Relu", "", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)}});
    g.outputs.push_back({"v" + std::to_string(length), dtype::f32});
    CHECK(said_about(g).empty());
    g.nodes.front().inputs.push_back("v7");  // an input that Relu has not
    g.nodes.back().inputs[0] = "v" + std::to_string(length);
    std::string bytes;
    CHECK_THROWS_AS(bytes = edge::nn::to_onnx(g), edge::argument_error);
}
