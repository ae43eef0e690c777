// SPDX-License-Identifier: MIT
#include <edge/nn/session.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

using edge::any_tensor;
using edge::dtype;
using edge::tensor;
using edge::nn::graph;
using edge::nn::session;
using ints = tensor<std::int64_t>;

namespace {

/// What a node of these inputs gives, one tensor an output.
std::vector<any_tensor> results(const std::string& op, std::vector<any_tensor> inputs,
                                edge::nn::attributes attributes = {}, std::size_t outputs = 1, int opset = 18) {
    graph g;
    g.opset = opset;
    edge::nn::node n{op, "", {}, {}, std::move(attributes)};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        n.inputs.push_back(inputs[i].shape().rank() == 1 && inputs[i].size() == 0 ? "" : "x" + std::to_string(i));
        if (i == 0)
            g.inputs.push_back({"x0", inputs[0].dtype()});
        else if (!n.inputs.back().empty())
            g.initializers.emplace(n.inputs.back(), inputs[i]);
    }
    for (std::size_t i = 0; i < outputs; ++i) {
        n.outputs.push_back("y" + std::to_string(i));
        g.outputs.push_back({n.outputs.back(), dtype::f32});
    }
    g.nodes.push_back(std::move(n));
    session run(std::move(g));
    return run(inputs[0]);
}

template <class T>
std::vector<T> list(const any_tensor& t) {
    const auto flat = t.as<T>().flat();
    return {flat.begin(), flat.end()};
}

using floats = std::vector<float>;
using longs = std::vector<std::int64_t>;
const tensor<float> left_out({0});

}  // namespace

TEST_CASE("resizing by the nearest element takes any type, along any axes", "[nn][resize]") {
    const tensor<std::uint8_t> x({1, 2, 2}, {1, 2, 3, 4});
    const auto twice = results("Resize", {x, left_out, tensor<float>({3}, {1, 2, 2})});
    CHECK(twice[0].shape() == edge::shape{1, 4, 4});
    CHECK(list<std::uint8_t>(twice[0]) == std::vector<std::uint8_t>{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
    const auto one_axis = results("Resize", {x, left_out, left_out, ints({1}, {1})}, {{"axes", {-1}}});
    CHECK(list<std::uint8_t>(one_axis[0]) == std::vector<std::uint8_t>{1, 3});
    const auto old = results("Upsample", {x, tensor<float>({3}, {1, 1, 2})}, {{"mode", "nearest"}}, 1, 9);
    CHECK(list<std::uint8_t>(old[0]) == std::vector<std::uint8_t>{1, 1, 2, 2, 3, 3, 4, 4});
}

TEST_CASE("linear and cubic resizing keep a constant, and a ramp inside", "[nn][resize]") {
    const tensor<float> flat({1, 1, 3, 5}, 0.7f);
    tensor<float> ramp({1, 1, 1, 8});
    for (edge::index_t i = 0; i < 8; ++i) ramp[i] = static_cast<float>(i);
    for (const char* mode : {"linear", "cubic"})
        for (const std::int64_t antialias : {0, 1})
            for (const std::int64_t width : {3, 4, 7, 16}) {
                CAPTURE(mode, antialias, width);
                const edge::nn::attributes how{{"mode", mode}, {"antialias", antialias}, {"cubic_coeff_a", -0.5}};
                const auto same = results("Resize", {flat, left_out, left_out, ints({4}, {1, 1, 2, width})}, how);
                for (const float v : list<float>(same[0])) CHECK(v == Approx(0.7).epsilon(1e-6));
                if (antialias != 0) continue;
                const auto line =
                    list<float>(results("Resize", {ramp, left_out, left_out, ints({4}, {1, 1, 1, width})}, how)[0]);
                const double step = 8.0 / static_cast<double>(width);
                for (std::size_t i = 0; i < line.size(); ++i) {
                    const double at = (static_cast<double>(i) + 0.5) * step - 0.5;
                    if (at >= 2 && at <= 5) CHECK(line[i] == Approx(at).epsilon(1e-5));
                }
            }
    const auto corners = results("Resize", {ramp, left_out, left_out, ints({4}, {1, 1, 1, 15})},
                                 {{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}});
    for (edge::index_t i = 0; i < 15; ++i) CHECK(corners[0].as<float>()[i] == static_cast<float>(i) / 2);
}

TEST_CASE("what cannot be resized is refused", "[nn][resize]") {
    const tensor<float> x({1, 1, 2, 2}, 1.0f);
    const auto refuses = [&](any_tensor scales, edge::nn::attributes how, const std::string& why) {
        return says<edge::error>([&] { (void)results("Resize", {x, left_out, scales}, how); }, why);
    };
    CHECK(refuses(tensor<float>({3}, 1.0f), {}, "3 scales and 0 sizes for 4 axes"));
    CHECK(refuses(tensor<float>({4}, {1, 1, -1, 1}), {}, "axis 2 of shape"));
    CHECK(refuses(tensor<float>({4}, {1, 1, 1e30f, 1}), {}, "axis 2 of shape"));
    CHECK(refuses(tensor<float>({4}, 1.0f), {{"mode", "area"}}, "mode 'area'"));
    CHECK(refuses(tensor<float>({4}, 1.0f), {{"coordinate_transformation_mode", "tf_crop_and_resize"}}, "tf_crop"));
}

TEST_CASE("the largest and smallest come in order, equal ones as they were, NaN as the largest", "[nn][select]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const tensor<float> x({2, 4}, {1, 3, 3, -1, 5, nan, 7, 2});
    const auto top = results("TopK", {x, ints({1}, {2})}, {}, 2);
    CHECK(list<std::int64_t>(top[1]) == longs{1, 2, 1, 2});
    CHECK(list<float>(top[0])[0] == 3);
    const auto low = results("TopK", {x, ints({1}, {3})}, {{"largest", 0}, {"axis", 1}}, 2);
    CHECK(list<std::int64_t>(low[1]) == longs{3, 0, 1, 3, 0, 2});
    const auto down = results("TopK", {x, ints({1}, {1})}, {{"axis", 0}}, 2);
    CHECK(list<std::int64_t>(down[1]) == longs{1, 1, 1, 1});
    CHECK(says<edge::argument_error>(
        [&] {
            (void)results("TopK", {x, ints({1}, {5})}, {}, 2);
        },
        "k 5; expected 0 to 4"));
}

TEST_CASE("one-hot puts one value at each position, and none where it is out of range", "[nn][select]") {
    const ints x({4}, {1, -1, 3, -4});
    const auto y = results("OneHot", {x, ints({1}, {3}), tensor<float>({2}, {0, 5})}, {{"axis", 0}});
    CHECK(y[0].shape() == edge::shape{3, 4});
    CHECK(list<float>(y[0]) == floats{0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0, 0});
    CHECK(says<edge::error>(
        [&] {
            (void)results("OneHot", {x, ints({1}, {std::int64_t{1} << 60}), tensor<float>({2}, {0, 5})});
        },
        "OneHot"));
    CHECK(says<edge::error>(
        [&] {
            (void)results("OneHot", {x, ints({1}, {-3}), tensor<float>({2}, {0, 5})});
        },
        "OneHot"));
}

TEST_CASE("slices are gathered by rows of positions", "[nn][select]") {
    const tensor<float> x({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(list<float>(results("GatherND", {x, ints({2, 2}, {0, 1, -1, 0})})[0]) == floats{2, 3, 4, 5});
    CHECK(list<float>(results("GatherND", {x, ints({2, 1}, {1, 0})}, {{"batch_dims", 1}})[0]) == floats{2, 3, 4, 5});
    CHECK(says<edge::argument_error>(
        [&] {
            (void)results("GatherND", {x, ints({1, 1}, {2})});
        },
        "index 2 is out of range"));
    CHECK(says<edge::shape_error>([&] { (void)results("GatherND", {x, ints({1, 4}, 0)}); }, "do not fit"));
    CHECK(says<edge::shape_error>(
        [&] {
            (void)results("GatherND", {x, ints({1, 1}, 0)}, {{"batch_dims", 1}});
        },
        "do not fit"));
}

TEST_CASE("a range has an end", "[nn][select]") {
    const auto scalar = [](std::int64_t v) { return any_tensor(ints(edge::shape{}, v)); };
    CHECK(list<std::int64_t>(results("Range", {scalar(1), scalar(8), scalar(3)})[0]) == longs{1, 4, 7});
    CHECK(list<std::int64_t>(results("Range", {scalar(1), scalar(-2), scalar(-1)})[0]) == longs{1, 0, -1});
    CHECK(results("Range", {scalar(3), scalar(1), scalar(1)})[0].size() == 0);
    CHECK(says<edge::argument_error>([&] { (void)results("Range", {scalar(0), scalar(1), scalar(0)}); }, "no end"));
}

TEST_CASE("sums run along an axis, either way", "[nn][reduce]") {
    const tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
    const ints last({1}, {-1});
    CHECK(list<float>(results("CumSum", {x, last})[0]) == floats{1, 3, 6, 4, 9, 15});
    CHECK(list<float>(results("CumSum", {x, last}, {{"reverse", 1}, {"exclusive", 1}})[0]) ==
          floats{5, 3, 0, 11, 6, 0});
}

TEST_CASE("products are contracted by an equation", "[nn][einsum]") {
    const tensor<float> x({2, 2}, {1, 2, 3, 4});
    CHECK(list<float>(results("Einsum", {x, x}, {{"equation", "ij,jk->ki"}})[0]) == floats{7, 15, 10, 22});
    const tensor<double> d({2, 2}, {1, 2, 3, 4});
    CHECK(list<double>(results("Einsum", {d}, {{"equation", "ii->"}})[0]) == std::vector<double>{5});
    CHECK(says<edge::argument_error>([&] { (void)results("Einsum", {x}, {{"equation", "i->i"}}); }, "node Einsum"));
}
