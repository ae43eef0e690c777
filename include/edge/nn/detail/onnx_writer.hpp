// SPDX-License-Identifier: MIT
#pragma once

/// @file A graph as the messages of onnx.proto. Field numbers are those of onnx.proto.

#include <edge/core/npy.hpp>
#include <edge/core/version.hpp>
#include <edge/nn/detail/onnx_types.hpp>
#include <edge/nn/graph.hpp>

#include <protozero/pbf_writer.hpp>

#include <bit>
#include <set>

namespace edge::nn::detail {

class onnx_writer {
    using writer = protozero::pbf_writer;

public:
    std::string model(graph g) {
        g.sort();
        distinguish_names(g);
        std::string bytes;
        writer out(bytes);
        out.add_int64(1, ir_version(g.opset));
        out.add_string(2, "edge");
        out.add_string(3, version);
        {
            writer body(out, 7);
            write_graph(body, g);
        }
        std::set<std::string> domains{""};
        for (const node& n : g.nodes) domains.insert(n.domain);
        for (const auto& domain : domains) {
            writer set(out, 8);
            set.add_string(1, domain);
            set.add_int64(2, domain.empty() ? g.opset : 1);
        }
        return bytes;
    }

private:
    /// The lowest version of the format that may hold these operators, but 4 at least: initializers are no inputs.
    /// Source: onnx/docs/Versioning.md.
    static std::int64_t ir_version(int opset) {
        return opset <= 9    ? 4
               : opset == 10 ? 5
               : opset == 11 ? 6
               : opset <= 14 ? 7
               : opset <= 18 ? 8
               : opset <= 20 ? 9
                             : 10;
    }

    static void write_graph(writer& out, const graph& g) {
        for (const node& n : g.nodes) {
            writer body(out, 1);
            write_node(body, n);
        }
        out.add_string(2, g.name.empty() ? "graph" : g.name);
        for (const auto& [name, value] : g.initializers) {
            writer body(out, 5);
            write_tensor(body, name, value);
        }
        for (const auto* list : {&g.inputs, &g.outputs})
            for (const value_info& v : *list) {
                writer body(out, list == &g.inputs ? 11 : 12);
                write_value(body, v);
            }
    }

    /// Other readers refuse two nodes of one name.
    static void distinguish_names(graph& g) {
        std::set<std::string> names;
        for (node& n : g.nodes) {
            const std::string wish = n.name;
            for (int i = 2; !n.name.empty() && !names.insert(n.name).second; ++i) n.name = message(wish, "_", i);
        }
    }

    static void write_node(writer& out, const node& n) {
        for (const auto& id : n.inputs) out.add_string(1, id);
        for (const auto& id : n.outputs) out.add_string(2, id);
        out.add_string(3, n.name);
        out.add_string(4, n.op_type);
        if (!n.domain.empty()) out.add_string(7, n.domain);
        for (const auto& [key, value] : n.attributes) {
            writer body(out, 5);
            body.add_string(1, key);
            value.visit([&](const auto& v) { write_attribute(body, v); });
        }
    }

    static void write_attribute(writer& out, float v) {
        out.add_float(2, v);
        out.add_int32(20, 1);
    }
    static void write_attribute(writer& out, std::int64_t v) {
        out.add_int64(3, v);
        out.add_int32(20, 2);
    }
    static void write_attribute(writer& out, const std::string& v) {
        out.add_string(4, v);
        out.add_int32(20, 3);
    }
    static void write_attribute(writer& out, const any_tensor& v) {
        {
            writer body(out, 5);
            write_tensor(body, "", v);
        }
        out.add_int32(20, 4);
    }
    // Not packed, as onnx.proto (proto2) declares them.
    static void write_attribute(writer& out, const std::vector<float>& list) {
        for (const float v : list) out.add_float(7, v);
        out.add_int32(20, 6);
    }
    static void write_attribute(writer& out, const std::vector<std::int64_t>& list) {
        for (const auto v : list) out.add_int64(8, v);
        out.add_int32(20, 7);
    }
    static void write_attribute(writer& out, const std::vector<std::string>& list) {
        for (const auto& v : list) out.add_string(9, v);
        out.add_int32(20, 8);
    }

    static void write_tensor(writer& out, const std::string& name, const any_tensor& t) {
        for (const index_t n : t.shape()) out.add_int64(1, n);
        out.add_int32(2, onnx_number(t.dtype()));
        if (!name.empty()) out.add_string(8, name);
        if constexpr (std::endian::native == std::endian::big) {
            any_tensor little = t;
            edge::detail::swap_bytes({static_cast<std::byte*>(little.data()), little.bytes()}, size_of(t.dtype()));
            out.add_bytes(9, static_cast<const char*>(little.data()), little.bytes());
        } else {
            out.add_bytes(9, static_cast<const char*>(t.data()), t.bytes());
        }
    }

    static void write_value(writer& out, const value_info& v) {
        out.add_string(1, v.name);
        writer type(out, 2);
        writer tensor_type(type, 1);
        tensor_type.add_int32(1, onnx_number(v.type));
        if (v.any_rank) return;
        // protozero takes a message back that nothing was written to, and here an empty one says something.
        if (v.dims.empty()) tensor_type.add_message(2, "", 0);
        writer shape(tensor_type, 2);
        for (const dimension& d : v.dims) {
            if (d.size < 0 && d.symbol.empty()) {
                shape.add_message(1, "", 0);
                continue;
            }
            writer dim(shape, 1);
            if (d.size >= 0)
                dim.add_int64(1, d.size);
            else if (!d.symbol.empty())
                dim.add_string(2, d.symbol);
        }
    }
};

}  // namespace edge::nn::detail
