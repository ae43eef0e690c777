// SPDX-License-Identifier: MIT
#include <edge/nn/graph.hpp>

#include "support/catch.hpp"

using edge::dtype;
using edge::nn::graph;
using edge::nn::node;

namespace {

graph two_layers() {
    graph g;
    g.inputs.push_back({"x", dtype::f32, {{-1}, {4}}});
    const auto w = g.constant("w", edge::tensor<float>({3, 4}, 1.0f));
    const auto b = g.constant("w", edge::tensor<float>({3}, 0.5f));
    g.outputs.push_back({g.add("Relu", {g.add("Gemm", {"x", w, b}, {{"transB", 1}, {"alpha", 0.5}})}), dtype::f32});
    return g;
}

}  // namespace

TEST_CASE("a graph is built node by node, with names of its own making", "[nn][graph]") {
    graph g = two_layers();
    REQUIRE(g.nodes.size() == 2);
    CHECK(g.nodes[0].inputs == std::vector<std::string>{"x", "w", "w_2"});
    CHECK(g.nodes[1].inputs == g.nodes[0].outputs);
    CHECK(g.add("Relu", {"Relu"}) == "Relu_2");
    CHECK(g.producer("Relu") == &g.nodes[1]);
    CHECK(g.producer("x") == nullptr);
    CHECK(g.consumers("Relu") == std::vector<std::size_t>{2});
    REQUIRE(g.find_initializer("w_2") != nullptr);
    CHECK(g.find_initializer("w_2")->shape() == edge::shape{3});
    CHECK(g.find_initializer("x") == nullptr);
    CHECK(g.is_output("Relu"));
    CHECK_FALSE(g.is_output("Relu_2"));
}

TEST_CASE("attributes are read by type, and one of another type is refused by name", "[nn][graph]") {
    const node n{"Conv",
                 "c1",
                 {"x", "", "b"},
                 {"y"},
                 {{"pads", {1, 1, 1, 1}}, {"auto_pad", "VALID"}, {"alpha", 2.0f}, {"group", 3}}};
    CHECK(n.integers("pads") == std::vector<std::int64_t>{1, 1, 1, 1});
    CHECK(n.text("auto_pad", "NOTSET") == "VALID");
    CHECK(n.real("alpha", 1.0f) == 2.0f);
    CHECK(n.integer("group", 1) == 3);
    CHECK(n.integer("absent", -7) == -7);
    CHECK(n.reals("absent").empty());
    CHECK(n.has("group"));
    CHECK_FALSE(n.has("absent"));
    CHECK(n.has_input(0));
    CHECK_FALSE(n.has_input(1));
    CHECK_FALSE(n.has_input(3));
    CHECK_THROWS_WITH(n.integer("pads", 1), "node Conv 'c1': attribute 'pads' is not an integer");
}

TEST_CASE("sorting puts each node after those it reads from", "[nn][graph]") {
    graph g = two_layers();
    std::swap(g.nodes[0], g.nodes[1]);
    g.sort();
    CHECK(g.nodes[0].op_type == "Gemm");
    CHECK(g.nodes[1].op_type == "Relu");
    const auto before = g.nodes[0].name;
    g.sort();
    CHECK(g.nodes[0].name == before);

    SECTION("a cycle is refused") {
        g.nodes[0].inputs[0] = "Relu";
        CHECK_THROWS_WITH(g.sort(), "node Gemm 'Gemm' is part of a cycle, or behind one");
    }
    SECTION("a value that nothing gives is refused") {
        g.nodes[0].inputs[1] = "v";
        CHECK_THROWS_WITH(g.sort(), "node Gemm 'Gemm': nothing gives its input 'v'");
    }
    SECTION("an output that nothing gives is refused") {
        g.outputs.push_back({"v", dtype::f32});
        CHECK_THROWS_WITH(g.sort(), "nothing gives the graph's output 'v'");
    }
    SECTION("a value that is given twice is refused") {
        g.nodes[1].outputs = {"x"};
        CHECK_THROWS_WITH(g.sort(), "node Relu 'Relu': value 'x' is given twice");
    }
}

TEST_CASE("what no output depends on is removed", "[nn][graph]") {
    graph g = two_layers();
    const auto w = g.constant("unused", edge::tensor<float>({2}, 1.0f));
    g.add("Add", {"Relu", w});
    g.remove_unused();
    CHECK(g.nodes.size() == 2);
    CHECK(g.initializers.size() == 2);

    g.replace_uses("Gemm", "x");
    g.remove_unused();
    CHECK(g.nodes.size() == 1);
    CHECK(g.initializers.empty());
    CHECK(g.nodes[0].inputs == std::vector<std::string>{"x"});
}
