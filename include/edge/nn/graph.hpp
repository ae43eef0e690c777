// SPDX-License-Identifier: MIT
#pragma once

/// @file Graphs: a model as data, easy to build, to read and to rewrite. `edge::nn::session` runs them.
///
///     edge::nn::graph g;
///     g.inputs.push_back({"x", edge::dtype::f32, {{-1}, {48}}});              // any number of rows
///     auto h = g.add("Gemm", {"x", g.constant("w", w), g.constant("b", b)}, {{"transB", 1}});
///     g.outputs.push_back({g.add("Softmax", {g.add("Relu", {h})}), edge::dtype::f32});
///
/// Operators, their attributes and their layout (NCHW) are those of ONNX at `opset`. Values are known by their names;
/// each name is given once, by an input, an initializer or a node. A rewrite changes `nodes` and `initializers` in
/// place, in any order, then calls `sort()` and `remove_unused()`.

#include <edge/core/any_tensor.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace edge::nn {

/// A setting of a node: a number, a text, a list of them, or a tensor.
class attribute {
public:
    using storage = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                                 std::vector<std::string>, any_tensor>;

    template <std::integral T>
    attribute(T value) : value_(static_cast<std::int64_t>(value)) {}
    template <std::floating_point T>
    attribute(T value) : value_(static_cast<float>(value)) {}
    attribute(const char* value) : value_(std::string(value)) {}
    attribute(std::string value) : value_(std::move(value)) {}
    attribute(std::vector<std::int64_t> values) : value_(std::move(values)) {}
    attribute(std::initializer_list<std::int64_t> values) : value_(std::vector<std::int64_t>(values)) {}
    attribute(std::vector<float> values) : value_(std::move(values)) {}
    attribute(std::vector<std::string> values) : value_(std::move(values)) {}
    attribute(any_tensor value) : value_(std::move(value)) {}

    /// The value if it is of that type, else nullptr.
    template <class T>
    [[nodiscard]] const T* get_if() const noexcept {
        return std::get_if<T>(&value_);
    }
    template <class F>
    decltype(auto) visit(F&& f) const {
        return std::visit(std::forward<F>(f), value_);
    }

private:
    storage value_;
};

using attributes = std::map<std::string, attribute, std::less<>>;

/// One operation.
struct node {
    std::string op_type;
    std::string name;                  ///< for people and messages; may be empty
    std::vector<std::string> inputs;   ///< "" where an optional one is left out
    std::vector<std::string> outputs;  ///< "" where an optional one is not wanted
    nn::attributes attributes{};
    std::string domain{};  ///< "" is ONNX's own

    /// Whether input or output `i` is there.
    [[nodiscard]] bool has_input(std::size_t i) const { return i < inputs.size() && !inputs[i].empty(); }
    [[nodiscard]] bool has_output(std::size_t i) const { return i < outputs.size() && !outputs[i].empty(); }
    [[nodiscard]] bool has(std::string_view attribute_name) const {
        return attributes.find(attribute_name) != attributes.end();
    }

    /// Attributes by name, or what is given where there is none.
    /// @throws argument_error  if the attribute is of another type
    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t otherwise) const {
        return get(key, otherwise, "an integer");
    }
    [[nodiscard]] float real(std::string_view key, float otherwise) const { return get(key, otherwise, "a float"); }
    [[nodiscard]] std::string text(std::string_view key, std::string otherwise) const {
        return get(key, std::move(otherwise), "a string");
    }
    [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key,
                                                     std::vector<std::int64_t> otherwise = {}) const {
        return get(key, std::move(otherwise), "a list of integers");
    }
    [[nodiscard]] std::vector<float> reals(std::string_view key, std::vector<float> otherwise = {}) const {
        return get(key, std::move(otherwise), "a list of floats");
    }

private:
    template <class T>
    T get(std::string_view key, T otherwise, std::string_view expected) const;
};

/// `Conv 'features.0.conv'`: how messages name a node, by its first output where it has no name of its own. The domain of
/// nodes that rewrites make, "edge", is not said: it is not in the file.
[[nodiscard]] inline std::string to_string(const node& n) {
    const bool is_ours = n.domain.empty() || n.domain == "edge";
    return message(is_ours ? "" : n.domain, is_ours ? "" : ".", n.op_type, " '",
                   n.name.empty() && !n.outputs.empty() ? n.outputs.front() : n.name, "'");
}

template <class T>
T node::get(std::string_view key, T otherwise, std::string_view expected) const {
    const auto found = attributes.find(key);
    if (found == attributes.end()) return otherwise;
    if (const T* value = found->second.get_if<T>()) return *value;
    throw argument_error(message("node ", *this, ": attribute '", key, "' is not ", expected));
}

/// One extent of an input or output: a size, or -1 for any, which all extents of the same symbol then share.
struct dimension {
    index_t size = -1;
    std::string symbol{};

    dimension(index_t n = -1) : size(n) {}
    dimension(std::string name) : symbol(std::move(name)) {}
};

/// What goes into a graph or comes out of it.
struct value_info {
    std::string name;
    dtype type = dtype::f32;
    std::vector<dimension> dims{};
    bool any_rank = false;  ///< nothing is said about the shape; `dims` is empty

    value_info(std::string id, dtype element) : name(std::move(id)), type(element), any_rank(true) {}
    value_info(std::string id, dtype element, std::vector<dimension> extents)
        : name(std::move(id)), type(element), dims(std::move(extents)) {}
};

/// A model.
struct graph {
    std::string name{};
    int opset = 13;
    std::vector<value_info> inputs{};  ///< without those that are initializers
    std::vector<value_info> outputs{};
    std::map<std::string, any_tensor, std::less<>> initializers{};
    std::vector<node> nodes{};
    std::vector<std::string> notes{};  ///< what the reader of a file did that its owner may want to know

    /// A name that no value has yet: `wish`, or `wish_2`, `wish_3` …
    [[nodiscard]] std::string fresh_name(std::string_view wish) const;

    /// Keeps a tensor under a fresh name. Returns the name.
    std::string constant(std::string_view wish, any_tensor value) {
        std::string id = fresh_name(wish);
        initializers.insert_or_assign(id, std::move(value));
        return id;
    }

    /// Adds a node of one output at the end. Returns the output's name: fresh, made of the operator's.
    std::string add(std::string op_type, std::vector<std::string> node_inputs, nn::attributes node_attributes = {}) {
        std::string id = fresh_name(op_type);
        nodes.push_back({std::move(op_type), id, std::move(node_inputs), {id}, std::move(node_attributes)});
        return id;
    }

    /// The value of an initializer, or nullptr.
    [[nodiscard]] const any_tensor* find_initializer(std::string_view id) const {
        const auto found = initializers.find(id);
        return found == initializers.end() ? nullptr : &found->second;
    }
    /// The node that makes a value, or nullptr. O(nodes).
    [[nodiscard]] const node* producer(std::string_view id) const;
    /// Positions in `nodes` of those that read a value. O(nodes).
    [[nodiscard]] std::vector<std::size_t> consumers(std::string_view id) const;
    [[nodiscard]] bool is_output(std::string_view id) const {
        return std::any_of(outputs.begin(), outputs.end(), [&](const value_info& v) { return v.name == id; });
    }

    /// Lets every node that reads `from` read `to` instead. Outputs of the graph keep their names.
    void replace_uses(std::string_view from, const std::string& to) {
        for (node& n : nodes)
            for (std::string& id : n.inputs)
                if (id == from) id = to;
    }

    /// Puts the nodes in an order in which each comes after those it reads from, otherwise as they were.
    /// @throws argument_error  if a value is given twice or never, or the graph has a cycle; names the node
    void sort();

    /// Removes nodes and initializers that no output of the graph depends on. The nodes must be sorted.
    void remove_unused();
};

inline std::string graph::fresh_name(std::string_view wish) const {
    std::string id(wish.empty() ? "value" : wish);
    const auto is_wish = [&](const value_info& v) { return v.name == id; };
    if (find_initializer(id) == nullptr && producer(id) == nullptr && !is_output(id) &&
        std::none_of(inputs.begin(), inputs.end(), is_wish))
        return id;
    std::set<std::string_view> taken;
    for (const auto& v : inputs) taken.insert(v.name);
    for (const auto& v : outputs) taken.insert(v.name);
    for (const auto& [key, value] : initializers) taken.insert(key);
    for (const node& n : nodes) taken.insert(n.outputs.begin(), n.outputs.end());
    for (int i = 2; taken.count(id) != 0; ++i) id = message(wish, "_", i);
    return id;
}

inline const node* graph::producer(std::string_view id) const {
    if (id.empty()) return nullptr;
    for (const node& n : nodes)
        if (std::find(n.outputs.begin(), n.outputs.end(), id) != n.outputs.end()) return &n;
    return nullptr;
}

inline std::vector<std::size_t> graph::consumers(std::string_view id) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (std::find(nodes[i].inputs.begin(), nodes[i].inputs.end(), id) != nodes[i].inputs.end()) found.push_back(i);
    return found;
}

inline void graph::sort() {
    constexpr std::size_t from_outside = static_cast<std::size_t>(-1);
    std::map<std::string_view, std::size_t> maker;
    for (const auto& [id, value] : initializers) maker.emplace(id, from_outside);
    for (const auto& v : inputs)
        if (!maker.emplace(v.name, from_outside).second)
            throw argument_error(message("value '", v.name, "' is given twice"));
    for (std::size_t i = 0; i < nodes.size(); ++i)
        for (const auto& id : nodes[i].outputs)
            if (!id.empty() && !maker.emplace(id, i).second)
                throw argument_error(message("node ", nodes[i], ": value '", id, "' is given twice"));

    // Kahn's algorithm; of the nodes that are ready, the first one in the present order goes next.
    std::vector<std::size_t> waits_for(nodes.size(), 0);
    std::vector<std::vector<std::size_t>> readers(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const auto& id : nodes[i].inputs) {
            if (id.empty()) continue;
            const auto found = maker.find(id);
            if (found == maker.end())
                throw argument_error(message("node ", nodes[i], ": nothing gives its input '", id, "'"));
            if (found->second == from_outside) continue;
            readers[found->second].push_back(i);
            ++waits_for[i];
        }
    }
    for (const auto& v : outputs)
        if (maker.find(v.name) == maker.end())
            throw argument_error(message("nothing gives the graph's output '", v.name, "'"));
    std::set<std::size_t> ready;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (waits_for[i] == 0) ready.insert(i);
    std::vector<std::size_t> order;
    order.reserve(nodes.size());
    while (!ready.empty()) {
        const std::size_t i = *ready.begin();
        ready.erase(ready.begin());
        order.push_back(i);
        for (const std::size_t reader : readers[i])
            if (--waits_for[reader] == 0) ready.insert(reader);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (waits_for[i] != 0) throw argument_error(message("node ", nodes[i], " is part of a cycle, or behind one"));
    std::vector<node> sorted;
    sorted.reserve(nodes.size());
    for (const std::size_t i : order) sorted.push_back(std::move(nodes[i]));
    nodes = std::move(sorted);
}

inline void graph::remove_unused() {
    std::set<std::string, std::less<>> used;
    for (const auto& v : outputs) used.insert(v.name);
    std::vector<node> kept;
    for (std::size_t i = nodes.size(); i-- > 0;) {
        node& n = nodes[i];
        if (std::none_of(n.outputs.begin(), n.outputs.end(), [&](const auto& id) { return used.count(id) != 0; }))
            continue;
        used.insert(n.inputs.begin(), n.inputs.end());
        kept.push_back(std::move(n));
    }
    std::reverse(kept.begin(), kept.end());
    nodes = std::move(kept);
    for (auto it = initializers.begin(); it != initializers.end();)
        it = used.count(it->first) != 0 ? std::next(it) : initializers.erase(it);
}

}  // namespace edge::nn
