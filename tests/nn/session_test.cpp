// SPDX-License-Identifier: MIT
#include <edge/nn/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <limits>

using edge::any_tensor;
using edge::dtype;
using edge::tensor;
using edge::nn::any_view;
using edge::nn::graph;
using edge::nn::session;

namespace {

using ints = tensor<std::int64_t>;

/// x [n, 3] to probabilities [n, 2] through a hidden layer of 4.
graph classifier() {
    graph g;
    g.inputs.push_back({"x", dtype::f32, {{"n"}, {3}}});
    const auto w0 = g.constant("w0", tensor<float>({4, 3}, {1, 2, 3, 0, -1, 0, 0.5f, 0, 0.5f, -1, -1, -1}));
    const auto b0 = g.constant("b0", tensor<float>({4}, {0.5f, 0, -1, 2}));
    const auto w1 = g.constant("w1", tensor<float>({4, 2}, {1, 0, 0, 1, -1, 1, 0.25f, -2}));
    const auto h = g.add("Relu", {g.add("Gemm", {"x", w0, b0}, {{"transB", 1}})});
    const auto y = g.add("Softmax", {g.add("MatMul", {h, w1})}, {{"axis", -1}});
    g.outputs.push_back({y, dtype::f32, {{"n"}, {2}}});
    return g;
}

std::vector<double> classify(const float* x) {
    const double h[4] = {x[0] + 2 * x[1] + 3 * x[2] + 0.5, -x[1], 0.5 * x[0] + 0.5 * x[2] - 1, 2 - x[0] - x[1] - x[2]};
    const auto relu = [&](int i) { return h[i] > 0 ? h[i] : 0.0; };
    const double a = relu(0) - relu(2) + 0.25 * relu(3);
    const double b = relu(1) + relu(2) - 2 * relu(3);
    return {1 / (1 + std::exp(b - a)), 1 / (1 + std::exp(a - b))};
}

/// A graph of one node, whose inputs are given in each run.
graph one_node(const std::string& op, std::initializer_list<dtype> inputs, dtype output,
               edge::nn::attributes attributes = {}) {
    graph g;
    g.opset = 18;
    std::vector<std::string> names;
    for (const dtype type : inputs) {
        names.push_back("x" + std::to_string(names.size()));
        g.inputs.push_back({names.back(), type});
    }
    g.outputs.push_back({g.add(op, names, std::move(attributes)), output});
    return g;
}

template <class T>
std::vector<T> list(const any_tensor& t) {
    const auto flat = t.as<T>().flat();
    return {flat.begin(), flat.end()};
}

}  // namespace

TEST_CASE("a session computes what the graph says, for any number of rows", "[nn][session]") {
    session run{classifier(), {.threads = 1}};
    for (const edge::index_t rows : {1, 5, 2, 0, 5}) {
        tensor<float> x({rows, 3});
        for (edge::index_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(3 * i + rows));
        const auto& y = run(x);
        REQUIRE(y.size() == 1);
        REQUIRE(y[0].shape() == edge::shape{rows, 2});
        for (edge::index_t r = 0; r < rows; ++r)
            for (edge::index_t c = 0; c < 2; ++c)
                CHECK(y[0].as<float>()(r, c) ==
                      Approx(classify(x.data() + r * 3)[static_cast<std::size_t>(c)]).margin(1e-6));
    }
}

TEST_CASE("inputs go by order or by name, and wrong ones are refused", "[nn][session]") {
    session run{one_node("Sub", {dtype::f32, dtype::f32}, dtype::f32)};
    const tensor<float> a({2}, {5, 7});
    const tensor<float> b({2}, {1, 2});
    CHECK(list<float>(run({a, b})[0]) == std::vector<float>{4, 5});
    CHECK(list<float>(run({{"x1", a}, {"x0", b}})[0]) == std::vector<float>{-4, -5});
    CHECK_THROWS_WITH(run(a), "1 inputs; expected 2");
    CHECK_THROWS_WITH(run({{"x0", a}, {"y", b}}), "the graph has no input 'y'");
    CHECK_THROWS_WITH(run({{"x0", a}, {"x0", b}}), "input 'x1' is missing");
    CHECK_THROWS_WITH(run({a, tensor<int>({2})}), "input 'x1' is of int32; expected float32");

    session fixed{classifier()};
    CHECK_THROWS_WITH(fixed(tensor<float>({2, 4})), "input 'x' has shape (2, 4); expected (n, 3)");
    graph same = one_node("Add", {dtype::f32, dtype::f32}, dtype::f32);
    same.inputs[0] = {"x0", dtype::f32, {{"n"}}};
    same.inputs[1] = {"x1", dtype::f32, {{"n"}}};
    session both{same};
    CHECK_THROWS_WITH(both({a, tensor<float>({3})}), "input 'x1' has shape (3,); expected (n)");
    CHECK(list<float>(both({a, b})[0]) == std::vector<float>{6, 9});
}

TEST_CASE("runs of the same shape allocate nothing", "[nn][session]") {
    graph g = classifier();
    g.inputs.push_back({"image", dtype::f32, {{1}, {2}, {6}, {6}}});
    const auto w = g.constant("w", tensor<float>({2, 1, 3, 3}, 0.5f));
    const auto c = g.add("Conv", {"image", w}, {{"group", 2}, {"pads", {1, 1, 1, 1}}});
    const auto clipped =
        g.add("Clip", {c, g.constant("low", tensor<float>({}, {0})), g.constant("high", tensor<float>({}, {6}))});
    const auto pooled = g.add("Flatten", {g.add("GlobalAveragePool", {g.add("Add", {clipped, c})})});
    g.outputs.push_back({g.add("Transpose", {pooled}), dtype::f32});
    session run{g, {.threads = 1}};
    const tensor<float> x({4, 3}, 0.25f);
    const tensor<float> image({1, 2, 6, 6}, 1.0f);
    const any_view inputs[] = {x, image};
    run(inputs);
    const float first = run(inputs)[1].as<float>()[0];
    const auto before = allocations();
    for (int i = 0; i < 3; ++i) run(inputs);
    CHECK(allocations() == before);
    CHECK(run(inputs)[1].as<float>()[0] == first);
    CHECK(first == Approx(2 * (16 * 4.5 + 16 * 3.0 + 4 * 2.0) / 36));
}

TEST_CASE("what depends on shapes alone is computed when they are known, and anew when they change", "[nn][session]") {
    graph g;
    g.inputs.push_back({"x", dtype::f32, {{"n"}, {2}, {3}}});
    const auto n = g.add("Gather", {g.add("Shape", {"x"}), g.constant("zero", ints({}, {0}))});
    const auto shape = g.add(
        "Concat", {g.add("Unsqueeze", {n, g.constant("axes", ints({1}, {0}))}), g.constant("rest", ints({1}, {-1}))},
        {{"axis", 0}});
    g.outputs.push_back({g.add("Reshape", {"x", shape}), dtype::f32});
    session run{g};
    CHECK(run(tensor<float>({4, 2, 3}))[0].shape() == edge::shape{4, 6});
    CHECK(run(tensor<float>({1, 2, 3}))[0].shape() == edge::shape{1, 6});
    const edge::shape planned[] = {{7, 2, 3}};
    run.plan(planned);
    const auto layers = run.layers();
    REQUIRE(layers.size() == 5);
    for (std::size_t i = 0; i < 4; ++i) CHECK(layers[i].is_folded);
    CHECK_FALSE(layers[4].is_folded);
    REQUIRE(layers[4].outputs.size() == 1);
    CHECK(layers[4].outputs[0].shape == edge::shape{7, 6});
}

TEST_CASE("a shape that comes as a value holds for that run alone, and so does what follows from it", "[nn][session]") {
    graph g;
    g.inputs.push_back({"x", dtype::f32, {{6}}});
    g.inputs.push_back({"shape", dtype::i64, {{2}}});
    const auto y = g.add("Reshape", {"x", "shape"});
    g.outputs.push_back({y, dtype::f32});
    g.outputs.push_back({g.add("Shape", {y}), dtype::i64});
    session run{g};
    CHECK(run.layers()[0].outputs.empty());
    const tensor<float> x({6}, {1, 2, 3, 4, 5, 6});
    for (const std::int64_t rows : {2, 3, 2, 6}) {
        const ints wish({2}, {rows, -1});
        const auto& r = run({x, wish});
        CHECK(r[0].shape() == edge::shape{static_cast<edge::index_t>(rows), static_cast<edge::index_t>(6 / rows)});
        CHECK(list<std::int64_t>(r[1]) == std::vector<std::int64_t>{rows, 6 / rows});
    }
    CHECK_THROWS_WITH(run({x, ints({2}, {4, -1})}), "node Reshape 'Reshape': cannot reshape (6,): 4 does not divide 6");
    CHECK(run({x, ints({2}, {1, 6})})[0].shape() == edge::shape{1, 6});
}

TEST_CASE("an observer sees inputs and every value that is computed", "[nn][session]") {
    session run{classifier()};
    std::vector<std::string> seen;
    run.observe(
        [&](std::string_view name, const any_view& value) { seen.push_back(edge::message(name, " ", value.type())); });
    run(tensor<float>({2, 3}));
    CHECK(seen == std::vector<std::string>{"x float32 (2, 3)", "Gemm float32 (2, 4)", "Relu float32 (2, 4)",
                                           "MatMul float32 (2, 2)", "Softmax float32 (2, 2)"});
    run.observe({});
    run(tensor<float>({2, 3}));
    CHECK(seen.size() == 5);
}

TEST_CASE("an output may be an input, a constant, or another output", "[nn][session]") {
    graph g;
    g.inputs.push_back({"x", dtype::i32, {{2}}});
    const auto c = g.constant("c", tensor<float>({1}, 3.0f));
    const auto y = g.add("Identity", {"x"});
    const auto folded = g.add("Neg", {c});
    for (const auto& id : {std::string("x"), c, y, y, folded}) g.outputs.push_back({id, dtype::f32});
    session made{g};
    session run{std::move(made)};
    const auto& r = run(tensor<int>({2}, {4, 5}));
    CHECK(list<int>(r[0]) == std::vector<int>{4, 5});
    CHECK(list<float>(r[1]) == std::vector<float>{3});
    CHECK(list<int>(r[2]) == std::vector<int>{4, 5});
    CHECK(list<int>(r[3]) == std::vector<int>{4, 5});
    CHECK(list<float>(r[4]) == std::vector<float>{-3});
}

TEST_CASE("what cannot be run is refused with the node's name", "[nn][session]") {
    CHECK_THROWS_AS(session{one_node("Frobnicate", {dtype::f32}, dtype::f32)}, edge::unsupported_error);
    CHECK_THROWS_WITH(session{one_node("Frobnicate", {dtype::f32}, dtype::f32)},
                      "node Frobnicate 'Frobnicate': operator Frobnicate is not supported");
    session add{one_node("Add", {dtype::f32, dtype::f32}, dtype::f32)};
    CHECK_THROWS_WITH(add({tensor<float>({2}), tensor<float>({3})}),
                      "node Add 'Add': shapes (2,) (3,) do not broadcast");
    session big{one_node("Expand", {dtype::f32, dtype::i64}, dtype::f32), {.max_bytes = 1 << 20}};
    CHECK_THROWS_WITH(big({tensor<float>({1}), ints({1}, {std::int64_t{1} << 19})}),
                      "node Expand 'Expand': output 0 is float32 (524288,): above the limit of 1048576 bytes");
    session gather{one_node("Gather", {dtype::f32, dtype::i64}, dtype::f32)};
    CHECK_THROWS_WITH(gather({tensor<float>({3}), ints({1}, {3})}),
                      "node Gather 'Gather': index 3 is out of range for an axis of 3");
    session divide{one_node("Div", {dtype::i32, dtype::i32}, dtype::i32)};
    CHECK_THROWS_WITH(divide({tensor<int>({2}, 1), tensor<int>({2}, {1, 0})}),
                      "node Div 'Div': division by zero at element 1 of the divisor");
}

TEST_CASE("layers tell what they cost", "[nn][session]") {
    session run{classifier()};
    const edge::shape planned[] = {{8, 3}};
    run.plan(planned);
    const auto layers = run.layers();
    REQUIRE(layers.size() == 4);
    CHECK(layers[0].macs == 8 * 3 * 4);
    CHECK(layers[0].parameters == 16);
    CHECK(layers[1].macs == 0);
    CHECK(layers[2].macs == 8 * 4 * 2);
    CHECK(layers[2].parameters == 8);
    // Gemm's input and output, and Relu's, are the most that is alive: 8 x (4 + 4) floats.
    CHECK(run.peak_bytes() == 8 * 8 * 4);
}

TEST_CASE("integers wrap and NaN wins, as in NumPy", "[nn][operators]") {
    constexpr auto lowest = (std::numeric_limits<std::int32_t>::min)();
    session divide{one_node("Div", {dtype::i32, dtype::i32}, dtype::i32)};
    CHECK(list<std::int32_t>(divide({tensor<int>({3}, {lowest, 7, -7}), tensor<int>({3}, {-1, 2, 2})})[0]) ==
          std::vector<int>{lowest, 3, -3});
    session add{one_node("Add", {dtype::u8, dtype::u8}, dtype::u8)};
    CHECK(list<std::uint8_t>(add({tensor<std::uint8_t>({1}, 200), tensor<std::uint8_t>({1}, 100)})[0]) ==
          std::vector<std::uint8_t>{44});
    session multiply{one_node("Mul", {dtype::i64, dtype::i64}, dtype::i64)};
    CHECK(list<std::int64_t>(multiply({ints({1}, (std::numeric_limits<std::int64_t>::max)()), ints({1}, 2)})[0]) ==
          std::vector<std::int64_t>{-2});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const char* op : {"Max", "Min"}) {
        session extreme{one_node(op, {dtype::f32, dtype::f32}, dtype::f32)};
        const auto& r = extreme({tensor<float>({3}, {nan, 1, 2}), tensor<float>({3}, {1, nan, 3})});
        CHECK(std::isnan(r[0].as<float>()[0]));
        CHECK(std::isnan(r[0].as<float>()[1]));
        CHECK(r[0].as<float>()[2] == (op == std::string("Max") ? 3.0f : 2.0f));
    }
    session clip{one_node("Clip", {dtype::f32}, dtype::f32, {{"min", 0.0f}, {"max", 6.0f}})};
    const auto& clipped = clip(tensor<float>({4}, {-1, 3, 9, nan}));
    CHECK(list<float>(clipped[0])[0] == 0);
    CHECK(list<float>(clipped[0])[1] == 3);
    CHECK(list<float>(clipped[0])[2] == 6);
    CHECK(std::isnan(list<float>(clipped[0])[3]));
    session cast{one_node("Cast", {dtype::f32}, dtype::u8, {{"to", 2}})};
    CHECK(list<std::uint8_t>(cast(tensor<float>({4}, {-1, 3.9f, 300, nan}))[0]) ==
          std::vector<std::uint8_t>{0, 3, 255, 0});
}

TEST_CASE("broadcasting gives what indexing gives, for every pair of shapes", "[nn][operators]") {
    session subtract{one_node("Sub", {dtype::f32, dtype::f32}, dtype::f32)};
    session wide{one_node("Sub", {dtype::i16, dtype::i16}, dtype::i16)};
    const edge::shape shapes[] = {{},        {1},       {3},       {2, 3},    {2, 1},      {1, 3},
                                  {4, 2, 3}, {4, 1, 1}, {4, 2, 1}, {1, 2, 3}, {300, 2, 3}, {1, 2, 300}};
    for (const auto& a : shapes)
        for (const auto& b : shapes) {
            INFO(edge::to_string(a) << " " << edge::to_string(b));
            std::vector<edge::index_t> extents;
            bool fits = true;
            for (std::size_t i = 0; i < 3; ++i) {
                const auto n = i + a.rank() < 3 ? 1 : a[i + a.rank() - 3];
                const auto m = i + b.rank() < 3 ? 1 : b[i + b.rank() - 3];
                fits = fits && (n == m || n == 1 || m == 1);
                extents.push_back(n == 1 ? m : n);
            }
            tensor<float> x(a), y(b);
            tensor<std::int16_t> u(a), v(b);
            for (edge::index_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(u[i] = static_cast<std::int16_t>(i));
            for (edge::index_t i = 0; i < y.size(); ++i)
                y[i] = static_cast<float>(v[i] = static_cast<std::int16_t>(7 * i));
            if (!fits) {
                CHECK_THROWS_AS(subtract({x, y}), edge::shape_error);
                continue;
            }
            const auto at = [&](const edge::shape& s, const edge::index_t* p) {
                edge::index_t offset = 0;
                for (std::size_t i = 0; i < s.rank(); ++i)
                    offset = offset * s[i] + (s[i] == 1 ? 0 : p[i + 3 - s.rank()]);
                return offset;
            };
            const auto& r = subtract({x, y})[0].as<float>();
            const auto& w = wide({u, v})[0].as<std::int16_t>();
            REQUIRE(r.size() == extents[0] * extents[1] * extents[2]);
            edge::index_t wrong = 0;
            edge::index_t k = 0;
            for (edge::index_t p0 = 0; p0 < extents[0]; ++p0)
                for (edge::index_t p1 = 0; p1 < extents[1]; ++p1)
                    for (edge::index_t p2 = 0; p2 < extents[2]; ++p2, ++k) {
                        const edge::index_t p[] = {p0, p1, p2};
                        const float expected = x[at(a, p)] - y[at(b, p)];
                        wrong += r[k] != expected || w[k] != static_cast<std::int16_t>(expected);
                    }
            CHECK(wrong == 0);
        }
}

TEST_CASE("moving elements there and back changes nothing", "[nn][operators]") {
    tensor<float> x({2, 3, 4});
    for (edge::index_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    const auto back = [&](const graph& g) {
        session run{g};
        const auto& r = run(x);
        return r[0].shape() == x.shape() && list<float>(r[0]) == list<float>(any_tensor(x));
    };
    const auto start = [] {
        graph g;
        g.opset = 18;
        g.inputs.push_back({"x", dtype::f32});
        return g;
    };
    const auto end = [](graph& g, const std::string& id) -> graph& {
        g.outputs.push_back({id, dtype::f32});
        return g;
    };
    graph g = start();
    CHECK(back(end(g, g.add("Transpose", {g.add("Transpose", {"x"}, {{"perm", {2, 0, 1}}})}, {{"perm", {1, 2, 0}}}))));

    g = start();
    g.nodes.push_back({"Split", "s", {"x", g.constant("parts", ints({2}, {1, 3}))}, {"a", "b"}, {{"axis", 2}}});
    CHECK(back(end(g, g.add("Concat", {"a", "b"}, {{"axis", -1}}))));

    g = start();
    const auto padded = g.add("Pad", {"x", g.constant("pads", ints({6}, {1, 0, 2, 0, 1, 3}))});
    const auto cropped = g.add("Pad", {padded, g.constant("crops", ints({6}, {-1, 0, -2, 0, -1, -3}))});
    CHECK(back(end(g, cropped)));

    g = start();
    const auto reversed = [&](const std::string& id) {
        return g.add("Slice", {id, g.constant("from", ints({1}, {-1})),
                               g.constant("to", ints({1}, (std::numeric_limits<std::int64_t>::min)())),
                               g.constant("axis", ints({1}, {1})), g.constant("step", ints({1}, {-1}))});
    };
    const auto once = reversed("x");
    CHECK(back(end(g, reversed(once))));

    g = start();
    CHECK(back(end(g, g.add("Squeeze", {g.add("Unsqueeze", {"x", g.constant("axes", ints({2}, {0, -1}))})}))));
}
