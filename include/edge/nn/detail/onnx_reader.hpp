// SPDX-License-Identifier: MIT
#pragma once

/// @file The messages of onnx.proto, read into a graph. Field numbers are those of onnx.proto.
///
/// Messages nest to a fixed depth here (model, graph, node, attribute, tensor), so recursion is bounded by the code.
/// What is allocated is at most eight times the bytes that are there: the worst is a packed list of one-byte numbers.

#include <edge/core/file.hpp>
#include <edge/core/npy.hpp>
#include <edge/nn/detail/onnx_types.hpp>
#include <edge/nn/detail/wide.hpp>
#include <edge/nn/graph.hpp>

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>

namespace edge::nn::detail {

/// Calls `f` and puts the name of the file in front of what it throws.
template <class F>
auto onnx_call(std::string_view name, F&& f) {
    try {
        return f();
    } catch (const protozero::exception& e) {
        throw parse_error(message(name, ": not a protocol buffer: ", e.what()));
    } catch (const unsupported_error& e) {
        throw unsupported_error(message(name, ": ", e.what()));
    } catch (const io_error& e) {
        throw io_error(message(name, ": ", e.what()));
    } catch (const error& e) {
        throw parse_error(message(name, ": ", e.what()));
    }
}

class onnx_reader {
    using reader = protozero::pbf_reader;

public:
    /// @param folder  of the files that tensors may have their data in; "" for none
    explicit onnx_reader(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}

    struct named_tensor {
        std::string name;
        any_tensor value;
    };

    graph model(std::span<const std::byte> bytes) {
        graph g;
        bool has_graph = false;
        std::optional<std::int64_t> opset;
        std::optional<protozero::data_view> body;
        reader in = of(bytes);
        while (in.next()) {
            switch (in.tag()) {
                case 7:
                    body = view(in);
                    has_graph = true;
                    break;
                case 8:
                    if (const auto [domain, version] = operator_set(message_of(in));
                        domain.empty() || domain == "ai.onnx")
                        opset = version;
                    break;
                case 25: throw unsupported_error("functions of the model's own are not supported");
                default: in.skip();
            }
        }
        if (!has_graph) throw parse_error("there is no graph");
        if (!opset) throw parse_error("no version of ONNX's operators is given");
        if (*opset < 1 || *opset > 21)
            throw unsupported_error(message("operators of opset ", *opset, " are not supported; expected 1 to 21"));
        g.opset = static_cast<int>(*opset);
        read_graph(reader(*body), g);
        if (has_half_) g.notes.emplace_back("float16 is held and computed as float32");
        return g;
    }

    named_tensor tensor(std::span<const std::byte> bytes) { return tensor(of(bytes)); }

private:
    static reader of(std::span<const std::byte> bytes) {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    [[noreturn]] static void wrong_type(const reader& in) {
        throw parse_error(message("field ", static_cast<unsigned>(in.tag()), " has wire type ",
                                  static_cast<unsigned>(in.wire_type())));
    }
    // protozero only asserts that a field has the wire type that is asked for.
    static void need(const reader& in, protozero::pbf_wire_type type) {
        if (in.wire_type() != type) wrong_type(in);
    }
    static protozero::data_view view(reader& in) {
        need(in, protozero::pbf_wire_type::length_delimited);
        return in.get_view();
    }
    static reader message_of(reader& in) { return reader(view(in)); }
    static std::string text(reader& in) {
        const auto v = view(in);
        return {v.data(), v.size()};
    }
    static std::int64_t integer(reader& in) {
        need(in, protozero::pbf_wire_type::varint);
        return in.get_int64();
    }
    static float real(reader& in) {
        need(in, protozero::pbf_wire_type::fixed32);
        return in.get_float();
    }

    static std::pair<std::string, std::int64_t> operator_set(reader in) {
        std::pair<std::string, std::int64_t> result{"", 0};
        while (in.next()) {
            if (in.tag() == 1)
                result.first = text(in);
            else if (in.tag() == 2)
                result.second = integer(in);
            else
                in.skip();
        }
        return result;
    }

    void read_graph(reader in, graph& g) {
        std::vector<value_info> inputs;
        while (in.next()) {
            switch (in.tag()) {
                case 1: add_node(message_of(in), g); break;
                case 2: g.name = text(in); break;
                case 5: {
                    auto t = tensor(message_of(in));
                    if (t.name.empty()) throw parse_error("an initializer has no name");
                    if (!g.initializers.emplace(t.name, std::move(t.value)).second)
                        throw parse_error(message("initializer '", t.name, "' is given twice"));
                    break;
                }
                case 11: inputs.push_back(value(message_of(in))); break;
                case 12: g.outputs.push_back(value(message_of(in))); break;
                case 15: throw unsupported_error("sparse initializers are not supported");
                default: in.skip();
            }
        }
        // Up to IR version 3, every initializer was listed as an input as well.
        for (value_info& v : inputs)
            if (g.find_initializer(v.name) == nullptr) g.inputs.push_back(std::move(v));
        g.sort();
    }

    void add_node(reader in, graph& g) {
        node n;
        while (in.next()) {
            switch (in.tag()) {
                case 1: n.inputs.push_back(text(in)); break;
                case 2: n.outputs.push_back(text(in)); break;
                case 3: n.name = text(in); break;
                case 4: n.op_type = text(in); break;
                case 5: add_attribute(message_of(in), n); break;
                case 7: n.domain = text(in); break;
                default: in.skip();
            }
        }
        if (n.op_type.empty()) throw parse_error(message("node ", n, " has no operator"));
        if (n.domain == "ai.onnx") n.domain.clear();
        if (n.op_type == "Constant" && n.domain.empty()) {
            keep_constant(n, g);
            return;
        }
        if (auto to = n.attributes.find("to");
            n.op_type == "Cast" && to != n.attributes.end() && n.integer("to", 0) == onnx_float16) {
            to->second = onnx_number(dtype::f32);
            has_half_ = true;
        }
        g.nodes.push_back(std::move(n));
    }

    static void keep_constant(const node& n, graph& g) {
        if (n.outputs.size() != 1 || n.attributes.size() != 1)
            throw parse_error(message("node ", n, ": expected one output and one attribute"));
        const auto& [key, value] = *n.attributes.begin();
        std::optional<any_tensor> kept;
        if (const auto* t = value.get_if<any_tensor>(); t != nullptr && key == "value") kept = *t;
        if (const auto* v = value.get_if<float>(); v != nullptr && key == "value_float")
            kept = tensor_of<float>({}, {v, 1});
        if (const auto* v = value.get_if<std::int64_t>(); v != nullptr && key == "value_int")
            kept = tensor_of<std::int64_t>({}, {v, 1});
        if (const auto* v = value.get_if<std::vector<float>>(); v != nullptr && key == "value_floats")
            kept = tensor_of<float>({static_cast<index_t>(v->size())}, *v);
        if (const auto* v = value.get_if<std::vector<std::int64_t>>(); v != nullptr && key == "value_ints")
            kept = tensor_of<std::int64_t>({static_cast<index_t>(v->size())}, *v);
        if (!kept) throw unsupported_error(message("node ", n, ": a constant given by '", key, "' is not supported"));
        if (!g.initializers.emplace(n.outputs[0], std::move(*kept)).second)
            throw parse_error(message("node ", n, ": value '", n.outputs[0], "' is given twice"));
    }

    template <class T>
    static any_tensor tensor_of(const edge::shape& shape, std::span<const T> values) {
        return edge::tensor<T>(shape, values);
    }

    void add_attribute(reader in, node& n) {
        enum kind : std::int64_t { none, f, i, s, t, graph_, floats, ints, strings };
        std::string key;
        std::int64_t type = none;  // older files leave it out: it is then the field that is there
        float float_value = 0;
        std::int64_t int_value = 0;
        std::string string_value;
        std::optional<any_tensor> tensor_value;
        std::vector<float> float_list;
        std::vector<std::int64_t> int_list;
        std::vector<std::string> string_list;
        std::int64_t seen = none;
        while (in.next()) {
            switch (in.tag()) {
                case 1: key = text(in); break;
                case 2: float_value = real(in), seen = f; break;
                case 3: int_value = integer(in), seen = i; break;
                case 4: string_value = text(in), seen = s; break;
                case 5: tensor_value = tensor(message_of(in)).value, seen = t; break;
                case 7: append_floats(in, float_list), seen = floats; break;
                case 8: append_integers(in, int_list), seen = ints; break;
                case 9: string_list.push_back(text(in)), seen = strings; break;
                case 20: type = integer(in); break;
                case 6:
                case 10:
                case 11:
                case 14:
                case 15:
                case 22:
                case 23:
                    seen = graph_;
                    in.skip();
                    break;
                default: in.skip();
            }
        }
        if (type == none) type = seen;
        const auto add = [&](attribute value) {
            if (!n.attributes.emplace(key, std::move(value)).second)
                throw parse_error(message("node ", n, ": attribute '", key, "' is given twice"));
        };
        switch (type) {
            case f: return add(float_value);
            case i: return add(int_value);
            case s: return add(std::move(string_value));
            case t:
                if (!tensor_value) throw parse_error(message("node ", n, ": attribute '", key, "' has no tensor"));
                return add(std::move(*tensor_value));
            case floats: return add(std::move(float_list));
            case ints: return add(std::move(int_list));
            case strings: return add(std::move(string_list));
            default:
                throw unsupported_error(message("node ", n, ": attribute '", key, "' is of type ", type,
                                                " (a graph, sparse tensor or type), which is not supported"));
        }
    }

    // Lists of numbers come packed, or one a field.
    static void append_integers(reader& in, std::vector<std::int64_t>& list) {
        if (in.has_wire_type(protozero::pbf_wire_type::varint)) {
            list.push_back(in.get_int64());
            return;
        }
        need(in, protozero::pbf_wire_type::length_delimited);
        for (const auto v : in.get_packed_int64()) list.push_back(v);
    }
    template <class T>
    static void append_fixed(reader& in, protozero::pbf_wire_type single, T (reader::*get)(), std::vector<T>& list) {
        if (in.has_wire_type(single)) {
            list.push_back((in.*get)());
            return;
        }
        const auto bytes = view(in);
        if (bytes.size() % sizeof(T) != 0)
            throw parse_error(message("a list of ", dtype_of<T>, " has ", bytes.size(), " bytes"));
        const std::size_t at = list.size();
        list.resize(at + bytes.size() / sizeof(T));
        copy_elements(bytes.data(), bytes.size(), list.data() + at, sizeof(T));
    }
    static void append_floats(reader& in, std::vector<float>& list) {
        append_fixed<float>(in, protozero::pbf_wire_type::fixed32, &reader::get_float, list);
    }

    /// Little-endian bytes into memory.
    static void copy_elements(const char* from, std::size_t bytes, void* to, std::size_t each) {
        if (bytes == 0) return;
        std::memcpy(to, from, bytes);
        if constexpr (std::endian::native == std::endian::big)
            edge::detail::swap_bytes({static_cast<std::byte*>(to), bytes}, each);
        else
            (void)each;
    }

    /// Where the data of a tensor are, if they are in another file.
    struct external_data {
        bool is_used = false;
        std::string location, offset, length;

        void add(reader in) {
            std::string key, value;
            while (in.next()) {
                if (in.tag() == 1)
                    key = text(in);
                else if (in.tag() == 2)
                    value = text(in);
                else
                    in.skip();
            }
            if (key == "location") location = value;
            if (key == "offset") offset = value;
            if (key == "length") length = value;
        }

        /// `count` elements of `each` bytes. The file must lie in `folder`, also when links are followed, and hold them.
        [[nodiscard]] std::vector<std::byte> read(const std::filesystem::path& folder, std::uint64_t count,
                                                  std::size_t each) const {
            namespace fs = std::filesystem;
            if (folder.empty()) throw unsupported_error("has its data in another file, and it is not said where");
            const fs::path name(location);
            const bool climbs = std::find(name.begin(), name.end(), "..") != name.end();
            std::error_code ec;
            const fs::path within = fs::weakly_canonical(folder, ec);
            const fs::path path = fs::weakly_canonical(folder / name, ec);
            const auto [end, at] = std::mismatch(within.begin(), within.end(), path.begin(), path.end());
            if (ec || name.empty() || name.has_root_path() || climbs || end != within.end() || at == path.end())
                throw parse_error(message("data in '", location, "'; expected a file in the folder of the model"));
            if (!fs::is_regular_file(path, ec)) throw io_error(message("data in '", location, "', which is no file"));
            input_file file(path);
            const std::uint64_t first = offset.empty() ? 0 : number_of(offset, "offset");
            const bool fits = first <= file.size() && count <= (file.size() - first) / each;
            if (!fits || (!length.empty() && number_of(length, "length") != count * each))
                throw parse_error(message("data in '", location, "', ", file.size(), " bytes: offset '", offset,
                                          "', length '", length, "' for ", count, " elements of ", each, " bytes"));
            std::vector<std::byte> bytes(static_cast<std::size_t>(count * each));
            file.read(first, bytes);
            return bytes;
        }

        static std::uint64_t number_of(const std::string& digits, std::string_view what) {
            std::uint64_t n = 0;
            const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
            if (wrong != std::errc() || end != digits.data() + digits.size())
                throw parse_error(message(what, " '", digits, "' of its data is not a number"));
            return n;
        }
    };

    /// A shape out of a file. @throws unsupported_error above eight axes, parse_error otherwise
    static edge::shape shape_of(const std::vector<std::int64_t>& dims) {
        if (dims.size() > max_rank)
            throw unsupported_error(
                message("a tensor of rank ", dims.size(), " is not supported; expected at most ", max_rank));
        index_list extents;
        for (const auto n : dims) extents.push_back(static_cast<index_t>(n));
        return edge::shape(extents);
    }

    named_tensor tensor(reader in) {
        named_tensor result;
        std::vector<std::int64_t> dims, integers;
        std::vector<float> floats;
        std::vector<double> doubles;
        std::optional<protozero::data_view> raw;
        external_data external;
        std::int64_t number = 0;
        while (in.next()) {
            switch (in.tag()) {
                case 1: append_integers(in, dims); break;
                case 2: number = integer(in); break;
                case 3: throw unsupported_error("a tensor in segments is not supported");
                case 4: append_floats(in, floats); break;
                case 5:
                case 7:
                case 11: append_integers(in, integers); break;
                case 8: result.name = text(in); break;
                case 9: raw = view(in); break;
                case 10:
                    append_fixed<double>(in, protozero::pbf_wire_type::fixed64, &reader::get_double, doubles);
                    break;
                case 13: external.add(message_of(in)); break;
                case 14: external.is_used = integer(in) == 1; break;
                default: in.skip();
            }
        }
        try {
            const dtype type = onnx_dtype(number);
            const edge::shape shape = shape_of(dims);
            const std::size_t each = number == onnx_float16 ? 2 : size_of(type);
            std::vector<std::byte> read;
            if (external.is_used) {
                if (raw || !floats.empty() || !integers.empty() || !doubles.empty())
                    throw parse_error("has data here and in another file");
                const auto count = static_cast<std::uint64_t>(shape.size());
                read = external.read(folder_, count, each);
                raw.emplace(reinterpret_cast<const char*>(read.data()), read.size());
            }
            const std::size_t there = raw                                            ? raw->size() / each
                                      : type == dtype::f64                           ? doubles.size()
                                      : type == dtype::f32 && number != onnx_float16 ? floats.size()
                                                                                     : integers.size();
            if (static_cast<std::size_t>(shape.size()) != there || (raw && raw->size() % each != 0))
                throw parse_error(message("shape ", shape, " of ", type, ", but data for ", there, " elements"));
            result.value = any_tensor(type, shape);
            if (number == onnx_float16)
                read_half(raw, integers, result.value.as<float>());
            else if (raw && type == dtype::boolean)
                std::transform(raw->data(), raw->data() + raw->size(), result.value.as<bool>().data(),
                               [](char c) { return c != 0; });
            else if (raw)
                copy_elements(raw->data(), raw->size(), result.value.data(), each);
            else if (type == dtype::f32)
                copy_list(floats, result.value);
            else if (type == dtype::f64)
                copy_list(doubles, result.value);
            else
                write_wide(type, integers.data(), static_cast<index_t>(there), result.value.data());
        } catch (const unsupported_error& e) {
            throw unsupported_error(message("tensor '", result.name, "': ", e.what()));
        } catch (const io_error& e) {
            throw io_error(message("tensor '", result.name, "': ", e.what()));
        } catch (const error& e) {
            throw parse_error(message("tensor '", result.name, "': ", e.what()));
        }
        return result;
    }

    template <class T>
    static void copy_list(const std::vector<T>& from, any_tensor& to) {
        std::copy(from.begin(), from.end(), to.as<T>().data());
    }

    void read_half(const std::optional<protozero::data_view>& raw, const std::vector<std::int64_t>& integers,
                   edge::tensor<float>& to) {
        has_half_ = true;
        for (index_t i = 0; i < to.size(); ++i) {
            const auto k = static_cast<std::size_t>(i);
            const auto byte = [&](std::size_t at) {
                return static_cast<unsigned>(static_cast<unsigned char>(raw->data()[at]));
            };
            to[i] = edge::detail::half_to_float(static_cast<std::uint16_t>(
                raw ? byte(2 * k) | byte(2 * k + 1) << 8U : static_cast<unsigned>(integers[k] & 0xffff)));
        }
    }

    value_info value(reader in) {
        std::string name;
        std::optional<protozero::data_view> type;
        while (in.next()) {
            if (in.tag() == 1)
                name = text(in);
            else if (in.tag() == 2)
                type = view(in);
            else
                in.skip();
        }
        if (name.empty()) throw parse_error("an input or output of the graph has no name");
        if (!type) throw parse_error(message("value '", name, "' has no type"));
        std::optional<protozero::data_view> tensor_type;
        for (reader t(*type); t.next();) {
            if (t.tag() == 1)
                tensor_type = view(t);
            else if (t.tag() == 4 || t.tag() == 5 || t.tag() == 8 || t.tag() == 9)
                throw unsupported_error(message(
                    "value '", name, "' is a sequence, a map, a sparse tensor or optional, which is not supported"));
            else
                t.skip();
        }
        if (!tensor_type) throw parse_error(message("value '", name, "' has no type"));
        std::int64_t number = 0;
        std::optional<std::vector<dimension>> dims;
        for (reader t(*tensor_type); t.next();) {
            if (t.tag() == 1)
                number = integer(t);
            else if (t.tag() == 2)
                dims = dimensions(message_of(t), name);
            else
                t.skip();
        }
        has_half_ = has_half_ || number == onnx_float16;
        try {
            if (!dims) return {name, onnx_dtype(number)};
            return {name, onnx_dtype(number), std::move(*dims)};
        } catch (const unsupported_error& e) {
            throw unsupported_error(message("value '", name, "': ", e.what()));
        }
    }

    static std::vector<dimension> dimensions(reader in, const std::string& name) {
        std::vector<dimension> dims;
        while (in.next()) {
            if (in.tag() != 1) {
                in.skip();
                continue;
            }
            dimension d;
            for (reader field = message_of(in); field.next();) {
                if (field.tag() == 1)
                    d.size = static_cast<index_t>(integer(field));
                else if (field.tag() == 2)
                    d.symbol = text(field);
                else
                    field.skip();
            }
            if (d.size < -1) throw parse_error(message("value '", name, "' has an extent of ", d.size));
            dims.push_back(std::move(d));
        }
        if (dims.size() > max_rank)
            throw unsupported_error(
                message("value '", name, "' of rank ", dims.size(), " is not supported; expected at most ", max_rank));
        return dims;
    }

    std::filesystem::path folder_;
    bool has_half_ = false;
};

}  // namespace edge::nn::detail
