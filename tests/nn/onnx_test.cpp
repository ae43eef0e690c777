// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/onnx.hpp>

#include <protozero/pbf_writer.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

#include <cstdlib>

using edge::any_tensor;
using edge::dtype;
using edge::tensor;
using edge::nn::graph;
using edge::nn::parse_onnx;
using edge::nn::to_onnx;
using protozero::pbf_writer;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// A graph with every kind of attribute, every element type, open and fixed shapes.
graph everything() {
    graph g;
    g.name = "everything";
    g.opset = 17;
    g.inputs.push_back({"x", dtype::f32, {{"n"}, {3}, {-1}}});
    g.inputs.push_back({"scalar", dtype::u8, {}});
    g.inputs.push_back({"any", dtype::i64});
    g.constant("f32", tensor<float>({2, 2}, {1, -2.5f, 0, 1e30f}));
    g.constant("f64", tensor<double>({1}, 0.1));
    g.constant("i8", tensor<std::int8_t>({3}, {-128, 0, 127}));
    g.constant("u8", tensor<std::uint8_t>({0}));
    g.constant("i16", tensor<std::int16_t>({1}, -300));
    g.constant("u16", tensor<std::uint16_t>({1}, 65535));
    g.constant("i32", tensor<std::int32_t>(edge::shape{}, -7));
    g.constant("u32", tensor<std::uint32_t>({1}, 4000000000U));
    g.constant("i64", tensor<std::int64_t>({1}, std::int64_t{1} << 40));
    g.constant("u64", tensor<std::uint64_t>({1}, ~std::uint64_t{0}));
    g.constant("bool", tensor<bool>({2}, {true, false}));
    edge::nn::attributes a{{"i", -3}, {"f", 0.25f}, {"s", "text"}, {"ints", {1, -2, 3}}};
    a.emplace("floats", std::vector<float>{0.5f, -1});
    a.emplace("strings", std::vector<std::string>{"a", ""});
    a.emplace("t", any_tensor(tensor<float>({2}, {3, 4})));
    g.nodes.push_back({"Custom", "first", {"x", "", "f32"}, {"y", "", "z"}, std::move(a), "com.example"});
    g.nodes.push_back({"Add", "", {"y", "z"}, {"sum"}});
    g.outputs.push_back({"sum", dtype::f32, {{"n"}}});
    return g;
}

bool same(const any_tensor& a, const any_tensor& b) {
    return a.dtype() == b.dtype() && a.shape() == b.shape() &&
           (a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

/// A model around one initializer that `fill` writes, at `opset`.
template <class F>
std::string model_with(F fill, int opset = 13) {
    std::string bytes;
    pbf_writer model(bytes);
    {
        pbf_writer body(model, 7);
        pbf_writer t(body, 5);
        t.add_string(8, "t");
        fill(t);
    }
    {
        pbf_writer set(model, 8);
        set.add_int64(2, opset);
    }
    return bytes;
}

any_tensor initializer(const std::string& model) { return parse_onnx(bytes_of(model), "m").initializers.at("t"); }

/// Whether parsing ends well or is refused as it should be: anything else leaves the test.
void parse_or_refuse(std::span<const std::byte> bytes) {
    try {
        (void)parse_onnx(bytes, "m");
    } catch (const edge::parse_error&) {
    } catch (const edge::unsupported_error&) {
    }
}

}  // namespace

TEST_CASE("a graph that was written is read back the same", "[nn][onnx]") {
    const graph g = everything();
    const graph r = parse_onnx(bytes_of(to_onnx(g)), "m");
    CHECK(r.name == g.name);
    CHECK(r.opset == g.opset);
    CHECK(r.notes.empty());
    REQUIRE(r.inputs.size() == 3);
    CHECK(r.inputs[0].dims[0].symbol == "n");
    CHECK(r.inputs[0].dims[1].size == 3);
    CHECK((r.inputs[0].dims[2].size == -1 && r.inputs[0].dims[2].symbol.empty()));
    CHECK((r.inputs[1].type == dtype::u8 && r.inputs[1].dims.empty() && !r.inputs[1].any_rank));
    CHECK((r.inputs[2].type == dtype::i64 && r.inputs[2].any_rank));
    REQUIRE(r.initializers.size() == 11);
    for (const auto& [name, value] : g.initializers) {
        INFO(name);
        REQUIRE(r.find_initializer(name) != nullptr);
        CHECK(same(*r.find_initializer(name), value));
    }
    REQUIRE(r.nodes.size() == 2);
    const auto& n = r.nodes[0];
    CHECK((n.op_type == "Custom" && n.name == "first" && n.domain == "com.example"));
    CHECK(n.inputs == g.nodes[0].inputs);
    CHECK(n.outputs == g.nodes[0].outputs);
    CHECK(n.attributes.size() == 7);
    CHECK(n.integer("i", 0) == -3);
    CHECK(n.real("f", 0) == 0.25f);
    CHECK(n.text("s", "") == "text");
    CHECK(n.integers("ints") == std::vector<std::int64_t>{1, -2, 3});
    CHECK(n.reals("floats") == std::vector<float>{0.5f, -1});
    REQUIRE(n.attributes.at("t").get_if<any_tensor>() != nullptr);
    CHECK(same(*n.attributes.at("t").get_if<any_tensor>(), tensor<float>({2}, {3, 4})));
    CHECK(to_onnx(r) == to_onnx(g));
}

TEST_CASE("a graph is saved to a file and loaded from it, and onnx finds it valid", "[nn][onnx]") {
    const temporary_folder folder;
    graph g;
    g.inputs.push_back({"x", dtype::f32, {{"n"}, {2}}});
    const auto h =
        g.add("Gemm", {"x", g.constant("w", tensor<float>({2, 3}, 1.0f)), g.constant("b", tensor<float>({3}, 0.0f))},
              {{"alpha", 0.5}});
    g.outputs.push_back({g.add("Softmax", {h}, {{"axis", -1}}), dtype::f32, {{"n"}, {3}}});
    edge::nn::save_onnx(g, folder / "m.onnx");
    const graph r = edge::nn::load_onnx(folder / "m.onnx");
    CHECK(r.nodes.size() == 2);
    CHECK(says<edge::io_error>([&] { (void)edge::nn::load_onnx(folder / "none.onnx"); }, "none.onnx: cannot open"));
    std::string python;
    for (const char* name : {"python3", "/usr/bin/python3"})
        if (std::system((std::string(name) + " -c 'import onnx' >/dev/null 2>&1").c_str()) == 0) python = name;
    if (python.empty()) {
        WARN("skipped: there is no python3 with onnx to ask");
        return;
    }
    const std::string check =
        " -c 'import onnx,sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)' ";
    CHECK(std::system((python + check + (folder / "m.onnx").string()).c_str()) == 0);
}

TEST_CASE("elements are read from raw bytes and from typed lists, packed or not", "[nn][onnx]") {
    const auto dims = [](pbf_writer& t, std::int64_t n, int type) {
        t.add_int64(1, n);
        t.add_int32(2, type);
    };
    const std::int32_t small[] = {-3, 200, 0};
    CHECK(same(initializer(model_with([&](pbf_writer& t) {
                   dims(t, 3, 5);
                   t.add_packed_int32(5, std::begin(small), std::end(small));
               })),
               tensor<std::int16_t>({3}, {-3, 200, 0})));
    CHECK(same(initializer(model_with([&](pbf_writer& t) {
                   dims(t, 2, 9);
                   t.add_int32(5, 1);
                   t.add_int32(5, 0);
               })),
               tensor<bool>({2}, {true, false})));
    CHECK(same(initializer(model_with([&](pbf_writer& t) {
                   dims(t, 2, 9);
                   t.add_bytes(9, std::string("\x02\x00", 2));  // any byte but 0 is true
               })),
               tensor<bool>({2}, {true, false})));
    const float floats[] = {0.5f, -2};
    CHECK(same(initializer(model_with([&](pbf_writer& t) {
                   dims(t, 2, 1);
                   t.add_packed_float(4, std::begin(floats), std::end(floats));
               })),
               tensor<float>({2}, {0.5f, -2})));
    CHECK(same(initializer(model_with([&](pbf_writer& t) {
                   dims(t, 1, 11);
                   t.add_double(10, 0.1);
               })),
               tensor<double>({1}, 0.1)));
    CHECK(same(initializer(model_with([&](pbf_writer& t) {
                   dims(t, 1, 13);
                   t.add_uint64(11, ~std::uint64_t{0});
               })),
               tensor<std::uint64_t>({1}, ~std::uint64_t{0})));
    CHECK(same(initializer(model_with([&](pbf_writer& t) { t.add_int32(2, 6), t.add_int32(5, -9); })),
               tensor<std::int32_t>(edge::shape{}, -9)));
}

TEST_CASE("float16 becomes float, and a note says so", "[nn][onnx]") {
    const auto model = model_with([](pbf_writer& t) {
        t.add_int64(1, 3);
        t.add_int32(2, 10);
        t.add_bytes(9, std::string("\x00\x3c\x00\xc0\x01\x00", 6));
    });
    const graph g = parse_onnx(bytes_of(model), "m");
    CHECK(same(g.initializers.at("t"), tensor<float>({3}, {1, -2, 0x1p-24f})));
    CHECK(g.notes == std::vector<std::string>{"float16 is held and computed as float32"});
    CHECK(same(
        initializer(model_with([](pbf_writer& t) { t.add_int64(1, 1), t.add_int32(2, 10), t.add_int32(5, 0x3c00); })),
        tensor<float>({1}, 1.0f)));
}

TEST_CASE("sizes that do not fit the bytes are refused before anything is allocated", "[nn][onnx]") {
    const auto refused = [](std::int64_t n, int type, std::size_t bytes, const std::string& why) {
        const auto model = model_with([&](pbf_writer& t) {
            t.add_int64(1, n);
            t.add_int32(2, type);
            t.add_bytes(9, std::string(bytes, 'x'));
        });
        return says<edge::parse_error>([&] { (void)initializer(model); }, why);
    };
    CHECK(refused(std::int64_t{1} << 40, 1, 8,
                  "m: tensor 't': shape (1099511627776,) of float32, but data for 2 elements"));
    CHECK(refused((std::numeric_limits<std::int64_t>::max)(), 11, 8, "but data for 1 elements"));
    CHECK(refused(-1, 1, 4, "negative"));
    CHECK(refused(2, 1, 7, "but data for 1 elements"));
    CHECK(refused(1, 1, 7, "but data for 1 elements"));
    CHECK(refused(0, 1, 1, "shape (0,)"));
    CHECK(says<edge::parse_error>(
        [] {
            (void)initializer(model_with([](pbf_writer& t) {
                t.add_int64(1, std::int64_t{1} << 32);
                t.add_int64(1, std::int64_t{1} << 32);
                t.add_int32(2, 1);
            }));
        },
        "overflows"));
}

TEST_CASE("data in another file are read from the folder of the model, and from nowhere else", "[nn][onnx]") {
    namespace fs = std::filesystem;
    const temporary_folder folder;
    const fs::path inside = folder / "model";
    fs::create_directories(inside / "weights");
    const float values[] = {0, 1.5f, -2, 3};
    const std::string text(reinterpret_cast<const char*>(values), sizeof values);
    edge::write_file(inside / "weights" / "w.bin", text);
    edge::write_file(folder / "outside.bin", text);
    const auto load = [&](const std::string& location, const std::string& offset, const std::string& length,
                          int type = 1) {
        const auto model = model_with([&](pbf_writer& t) {
            t.add_int64(1, 2);
            t.add_int32(2, type);
            for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", location},
                                             {"offset", offset},
                                             {"length", length},
                                             {"checksum", "of no meaning"}}) {
                if (value.empty()) continue;
                pbf_writer entry(t, 13);
                entry.add_string(1, key);
                entry.add_string(2, value);
            }
            t.add_int32(14, 1);
        });
        edge::write_file(inside / "m.onnx", model);
        return edge::nn::load_onnx(inside / "m.onnx").initializers.at("t");
    };
    CHECK(same(load("weights/w.bin", "4", "8"), tensor<float>({2}, {1.5f, -2})));
    CHECK(same(load("weights/w.bin", "", ""), tensor<float>({2}, {0, 1.5f})));
    CHECK(same(load("weights/w.bin", "6", "4", 10), tensor<float>({2}, {1.9375f, 0})));  // halves 3fc0 and 0000
    const auto refused = [&](const std::string& location, const std::string& offset, const std::string& length,
                             const std::string& why) {
        return says<edge::parse_error>([&] { (void)load(location, offset, length); }, why);
    };
    CHECK(refused("../outside.bin", "", "", "tensor 't': data in '../outside.bin'; expected a file in the folder"));
    CHECK(refused("weights/../../outside.bin", "", "", "expected a file in the folder"));
    CHECK(refused((folder / "outside.bin").string(), "", "", "expected a file in the folder"));
    CHECK(refused("", "", "", "expected a file in the folder"));
    CHECK(refused(".", "", "", "expected a file in the folder"));
    CHECK(refused("weights/w.bin", "12", "8", "16 bytes: offset '12'"));
    CHECK(refused("weights/w.bin", "17", "", "16 bytes: offset '17'"));
    CHECK(refused("weights/w.bin", "0", "12", "length '12' for 2 elements"));
    CHECK(refused("weights/w.bin", "-1", "", "offset '-1' of its data is not a number"));
    CHECK(refused("weights/w.bin", "99999999999999999999", "", "is not a number"));
    CHECK(says<edge::io_error>([&] { (void)load("weights/none.bin", "", ""); }, "which is no file"));
    CHECK(says<edge::io_error>([&] { (void)load("weights", "", ""); }, "which is no file"));
    std::error_code ec;
    fs::create_symlink(folder / "outside.bin", inside / "link.bin", ec);
    if (!ec) CHECK(refused("link.bin", "", "", "expected a file in the folder"));
}

TEST_CASE("what is not read is refused by name", "[nn][onnx]") {
    const auto refused = [](const std::string& model, const std::string& why) {
        return says<edge::unsupported_error>([&] { (void)parse_onnx(bytes_of(model), "m"); }, why);
    };
    CHECK(refused(model_with([](pbf_writer& t) { t.add_int32(2, 8); }),
                  "m: tensor 't': element type 8 (string) is not supported"));
    CHECK(refused(model_with([](pbf_writer& t) { t.add_int32(2, 16); }), "bfloat16"));
    CHECK(refused(model_with([](pbf_writer& t) { t.add_int32(2, 22); }), "int4"));
    CHECK(refused(model_with([](pbf_writer& t) { t.add_int32(2, 1), t.add_int32(14, 1); }),
                  "tensor 't': has its data in another file, and it is not said where"));
    CHECK(refused(model_with([](pbf_writer& t) {
                      for (int i = 0; i < 9; ++i) t.add_int64(1, 1);
                      t.add_int32(2, 1);
                  }),
                  "rank 9"));
    CHECK(
        refused(model_with([](pbf_writer& t) { t.add_int32(2, 1), t.add_float(4, 1); }, 22), "operators of opset 22"));
    const auto node = [](auto fill) {
        std::string bytes;
        pbf_writer model(bytes);
        {
            pbf_writer body(model, 7);
            fill(body);
        }
        {
            pbf_writer set(model, 8);
            set.add_int64(2, 13);
        }
        return bytes;
    };
    CHECK(refused(node([](pbf_writer& body) {
                      pbf_writer n(body, 1);
                      n.add_string(3, "loop");
                      n.add_string(4, "Loop");
                      pbf_writer a(n, 5);
                      a.add_string(1, "body");
                      a.add_string(6, "");
                  }),
                  "node Loop 'loop': attribute 'body'"));
    CHECK(refused(node([](pbf_writer& body) {
                      pbf_writer v(body, 11);
                      v.add_string(1, "list");
                      pbf_writer type(v, 2);
                      type.add_string(4, "");
                  }),
                  "value 'list' is a sequence"));
}

TEST_CASE("bytes that are no model are refused", "[nn][onnx]") {
    const auto refused = [](const std::string& bytes, const std::string& why) {
        return says<edge::parse_error>([&] { (void)parse_onnx(bytes_of(bytes), "m"); }, why);
    };
    CHECK(refused("", "m: there is no graph"));
    CHECK(refused("hello, world", "m: "));
    CHECK(refused(std::string(100, '\xff'), "m: not a protocol buffer"));
    CHECK(refused(std::string("\x3a\x7f", 2), "m: not a protocol buffer"));  // a graph of 127 bytes that are not there
    CHECK(refused(std::string("\x38\x01", 2), "m: field 7 has wire type 0"));
    CHECK(refused(std::string("\x3a\x00", 2), "no version of ONNX's operators"));
    graph cycle = everything();
    cycle.nodes[0].inputs[0] = "sum";
    CHECK_THROWS_AS(to_onnx(cycle), edge::argument_error);
}

TEST_CASE("a damaged model is read or refused, never anything else", "[nn][onnx]") {
    const std::string good = to_onnx(everything());
    for (std::size_t n = 0; n < good.size(); ++n) parse_or_refuse(bytes_of(good).first(n));
    constexpr std::uint64_t seed = 1;
    CAPTURE(seed);
    edge::splitmix64 random(seed);
    for (int round = 0; round < 5000; ++round) {
        std::string bad = good;
        for (int flips = 0; flips <= round % 4; ++flips) bad[random() % bad.size()] = static_cast<char>(random());
        parse_or_refuse(bytes_of(bad));
    }
    SUCCEED("nothing else was thrown");
}
