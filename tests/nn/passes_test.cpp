// SPDX-License-Identifier: MIT
#include <edge/nn/detail/arena.hpp>
#include <edge/nn/session.hpp>

#include "small_models.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <random>

using edge::dtype;
using edge::index_t;
using edge::tensor;
using edge::nn::graph;
using edge::nn::session;
using edge::nn::session_options;
using small_models::largest_difference;
using small_models::same_bits;

namespace {

/// A graph of an image [n, 3, h, w] and random weights.
struct builder {
    graph g;
    std::mt19937 random;

    explicit builder(unsigned seed = 1, index_t channels = 3) : random(seed) {
        g.opset = 14;
        g.inputs.push_back({"x", dtype::f32, {{"n"}, {channels}, {"h"}, {"w"}}});
    }
    tensor<float> values(const edge::shape& extents) {
        tensor<float> t(extents);
        for (float& v : t) v = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 1500.0f;
        return t;
    }
    std::string constant(const edge::shape& extents) { return g.constant("w", values(extents)); }
    std::string conv(const std::string& x, index_t in, index_t out, index_t kernel, index_t stride = 1,
                     index_t groups = 1, bool bias = true) {
        const index_t before = (kernel - 1) / 2;
        const index_t after = stride == 2 ? kernel / 2 : before;
        std::vector<std::string> inputs{x, constant({out, in / groups, kernel, kernel})};
        if (bias) inputs.push_back(constant({out}));
        return g.add("Conv", inputs,
                     {{"strides", {stride, stride}}, {"pads", {before, before, after, after}}, {"group", groups}});
    }
    std::string relu6(const std::string& x) {
        return g.add("Clip", {x, g.constant("low", tensor<float>(edge::shape{}, 0.0f)),
                              g.constant("high", tensor<float>(edge::shape{}, 6.0f))});
    }
    std::string number(float v) { return g.constant("number", tensor<float>(edge::shape{}, v)); }
    void output(const std::string& id) { g.outputs.push_back({id, dtype::f32}); }
};

std::vector<tensor<float>> results(const graph& g, const tensor<float>& x, const session_options& options) {
    session run{g, options};
    std::vector<tensor<float>> list;
    for (const auto& r : run(x)) list.push_back(r.as<float>());
    return list;
}

std::vector<std::string> operators(const graph& g, const session_options& options = {}) {
    session run{g, options};
    std::vector<std::string> list;
    for (const auto& n : run.model().nodes) list.push_back(n.op_type);
    return list;
}

using strings = std::vector<std::string>;

/// Inverted residuals with stride 1 and 2, with and without an addition; their output and one in the middle.
builder blocks() {
    builder b;
    auto x = b.relu6(b.conv("x", 3, 8, 3, 2));
    x = b.conv(b.relu6(b.conv(x, 8, 8, 3, 1, 8)), 8, 12, 1);  // no expansion
    auto h = b.relu6(b.conv(b.relu6(b.conv(x, 12, 40, 1)), 40, 40, 3, 1, 40));
    x = b.g.add("Add", {b.conv(h, 40, 12, 1), x});
    b.output(x);
    h = b.g.add("HardSwish", {b.conv(b.g.add("HardSwish", {b.conv(x, 12, 37, 1, 1, 1, false)}), 37, 37, 5, 2, 37)});
    x = b.conv(h, 37, 20, 1);
    b.output(b.g.add("Flatten", {b.g.add("GlobalAveragePool", {x})}));
    return b;
}

}  // namespace

TEST_CASE("blocks become one layer each, and keep their bits", "[nn][passes]") {
    const builder b = blocks();
    CHECK(operators(b.g) == strings{"Conv", "InvertedResidual", "InvertedResidual", "InvertedResidual",
                                    "GlobalAveragePool", "Transpose", "Transpose", "Flatten"});
    for (const edge::shape& s : {edge::shape{1, 3, 32, 32}, edge::shape{2, 3, 17, 23}, edge::shape{3, 3, 5, 4}}) {
        const tensor<float> x = builder(7).values(s);
        const auto plain = results(b.g, x, {.threads = 1, .passes = {.fuse_blocks = false}});
        for (const int threads : {1, 2, 3}) {
            const auto fused = results(b.g, x, {.threads = threads});
            REQUIRE(fused.size() == 2);
            CHECK(same_bits(fused[0], plain[0]));
            CHECK(same_bits(fused[1], plain[1]));
        }
        const auto untouched = results(b.g, x, {.passes = {.rewrite = false}});
        CHECK(largest_difference(plain[0], untouched[0]) < 1e-4);
        CHECK(largest_difference(plain[1], untouched[1]) < 1e-4);
    }
}

TEST_CASE("sessions of one model share its weights and give the same", "[nn][session]") {
    const builder b = blocks();
    const tensor<float> x = builder(3).values({1, 3, 20, 20});
    session first{b.g, {.threads = 1}};
    const tensor<float> expected = first(x)[1].as<float>();
    session second = first.share();
    CHECK(same_bits(second(x)[1].as<float>(), expected));
    first(builder(3).values({2, 3, 9, 9}));  // other shapes there do nothing here
    CHECK(same_bits(second(x)[1].as<float>(), expected));
    CHECK(&first.model() == &second.model());
    const auto before = allocations();
    second(x);
    CHECK(allocations() == before);
}

TEST_CASE("values lie in one arena, hardly larger than what is alive at a time", "[nn][session]") {
    const builder b = blocks();
    for (const bool fuse : {false, true}) {
        session run{b.g, {.threads = 1, .passes = {.fuse_blocks = fuse}, .profile = true}};
        const edge::shape planned[] = {{1, 3, 64, 64}};
        run.plan(planned);
        std::vector<edge::nn::detail::arena_block> list;
        for (const auto& v : run.memory_plan()) list.push_back({v.bytes, v.first, v.last, v.offset});
        REQUIRE(list.size() > 4);
        CHECK(10 * run.arena_bytes() <= 11 * edge::nn::detail::largest_live_set(list));
        for (std::size_t i = 0; i < list.size(); ++i)
            for (std::size_t k = 0; k < i; ++k)
                if (list[i].meets(list[k]))
                    CHECK((list[i].offset >= list[k].offset + list[k].bytes ||
                           list[k].offset >= list[i].offset + list[i].bytes));
        run(builder(1).values({1, 3, 64, 64}));
        CHECK(run.layers()[0].seconds > 0);
    }
}

TEST_CASE("batch normalization, padding and identities go into convolutions", "[nn][passes]") {
    builder b;
    const auto pads = b.g.constant("pads", tensor<std::int64_t>({8}, {0, 0, 1, 0, 0, 0, 2, 1}));
    auto x = b.g.add("Pad", {b.g.add("Identity", {"x"}), pads});
    x = b.conv(x, 3, 6, 3, 2);
    x = b.g.add("BatchNormalization",
                {b.g.add("Dropout", {x}), b.constant({6}), b.constant({6}), b.constant({6}),
                 b.g.constant("variance", tensor<float>({6}, {1, 2, 0.5f, 0.25f, 1, 3}))},
                {{"epsilon", 1e-3f}});
    b.output(b.g.add("Identity", {b.g.add("Relu", {x})}));
    CHECK(operators(b.g) == strings{"Conv", "Transpose"});
    const tensor<float> image = builder(2).values({2, 3, 11, 8});
    const auto plain = results(b.g, image, {.passes = {.rewrite = false}});
    CHECK(largest_difference(results(b.g, image, {})[0], plain[0]) < 1e-5);
}

TEST_CASE("hard swish is found where it is spelled out", "[nn][passes]") {
    for (int form = 0; form < 4; ++form) {
        INFO("form " << form);
        builder b;
        const auto x = b.conv("x", 3, 5, 3);
        const auto clip = b.g.add("Clip", {b.g.add("Add", {b.number(3), x}), b.number(0), b.number(6)});
        if (form == 0) b.output(b.g.add("Mul", {b.g.add("HardSigmoid", {x}, {{"alpha", 1.0f / 6}}), x}));
        if (form == 1) b.output(b.g.add("Mul", {x, b.g.add("Div", {clip, b.number(6)})}));
        if (form == 2) b.output(b.g.add("Div", {b.g.add("Mul", {x, clip}), b.number(6)}));
        if (form == 3)
            b.output(b.g.add("Mul", {b.g.add("HardSigmoid", {x}, {{"alpha", 0.2f}}), x}));  // another function
        const tensor<float> image = builder(2).values({1, 3, 9, 9});
        const auto plain = results(b.g, image, {.passes = {.rewrite = false}});
        CHECK(largest_difference(results(b.g, image, {})[0], plain[0]) < 1e-5);
        CHECK(operators(b.g).size() == (form == 3 ? 4 : 2));
    }
}

TEST_CASE("what cannot be pixels stays as it was, with a transpose in between", "[nn][passes]") {
    builder b;
    const auto a = b.conv("x", 3, 8, 3, 2);
    const auto relu = b.g.add("Relu", {a});  // a is read twice: the activation stays a node
    const auto sum = b.g.add("Add", {a, relu});
    // Squeeze and excitation, with constants by channel.
    auto s = b.g.add("GlobalAveragePool", {sum});
    s = b.g.add("HardSigmoid", {b.conv(b.g.add("Relu", {b.conv(s, 8, 4, 1)}), 4, 8, 1)});
    auto y = b.g.add("Mul", {sum, s});
    y = b.g.add("Sub", {b.g.add("Mul", {y, b.constant({8, 1, 1})}), b.constant({1, 8, 1, 1})});
    y = b.g.add("Add", {b.number(0.5f), y});
    y = b.g.add("Concat", {y, relu}, {{"axis", 1}});
    y = b.conv(y, 16, 4, 1, 1, 2);
    b.output(b.g.add("Softmax", {y}, {{"axis", 1}}));
    b.output(b.g.add("ReduceMean", {y}, {{"axes", {2, 3}}, {"keepdims", 0}}));
    b.output(b.g.add("ReduceMean", {y}, {{"axes", {-1, -2}}}));
    const tensor<float> image = builder(2).values({2, 3, 14, 10});
    const auto plain = results(b.g, image, {.passes = {.rewrite = false}});
    const auto fast = results(b.g, image, {});
    REQUIRE(fast.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(largest_difference(fast[i], plain[i]) < 1e-5);
}

TEST_CASE("what is kept is seen, although it is no output", "[nn][passes]") {
    const builder b = blocks();
    const tensor<float> image = builder(5).values({1, 3, 16, 16});
    std::map<std::string, tensor<float>, std::less<>> seen;
    session plain{b.g, {.passes = {.rewrite = false}}};
    plain.observe([&](std::string_view name, const edge::nn::any_view& v) {
        seen.insert_or_assign(std::string(name), v.copy().as<float>());
    });
    plain(image);
    std::size_t found = 0;
    session kept{b.g, {.passes = {.keep = {"Clip", "Conv_3", "Clip_4", "HardSwish"}}}};
    CHECK(kept.model().outputs.size() == 2);
    kept.observe([&](std::string_view name, const edge::nn::any_view& v) {
        if (name != "Clip" && name != "Conv_3" && name != "Clip_4" && name != "HardSwish") return;
        ++found;
        CHECK(largest_difference(v.copy().as<float>(), seen.at(std::string(name))) < 1e-5);
    });
    kept(image);
    CHECK(found == 4);
    CHECK_THROWS_AS((session{b.g, {.passes = {.keep = {"nothing"}}}}), edge::argument_error);
}

TEST_CASE("what does not fit is refused by name after a rewrite too", "[nn][passes]") {
    builder b;
    b.output(b.g.add("Conv", {"x", b.constant({4, 2, 1, 1})}));
    session run{b.g};
    CHECK_THROWS_WITH(run(tensor<float>({1, 3, 4, 4})), Catch::Contains("node Conv 'Conv'"));
}

TEST_CASE("nodes of passes that a file brings along are checked like any other", "[nn][passes]") {
    for (const char* op : {"Conv", "InvertedResidual", "GlobalAveragePool", "AveragePool", "MaxPool", "QLinearGemm"})
        for (std::size_t inputs = 0; inputs < 9; ++inputs)
            for (const edge::shape& s :
                 {edge::shape{1, 4, 4, 4}, edge::shape{4, 1, 3, 3}, edge::shape{4}, edge::shape{}}) {
                INFO(op << " of " << inputs << " inputs " << edge::to_string(s));
                builder b;
                edge::nn::node n{op, "", {}, {"y"}, {}, "edge"};
                for (std::size_t i = 0; i < inputs; ++i) n.inputs.push_back(i == 0 ? "x" : b.constant(s));
                b.g.nodes.push_back(n);
                b.output("y");
                try {
                    session run{b.g};
                    run(tensor<float>({1, 3, 4, 4}));
                } catch (const edge::error&) {
                    continue;
                }
                CHECK(std::string(op).find("Pool") != std::string::npos);
            }
}
