// SPDX-License-Identifier: MIT
#pragma once

/// @file How a session prepares its graph, lays out memory and runs.

#include <edge/nn/detail/arena.hpp>
#include <edge/nn/operators.hpp>
#include <edge/nn/session.hpp>

#include <chrono>

namespace edge::nn {

namespace detail {

/// Calls `f` and puts the node in front of what it throws.
template <class F>
decltype(auto) naming(const node& n, F&& f) {
    try {
        return f();
    } catch (const unsupported_error& e) {
        throw unsupported_error(message("node ", n, ": ", e.what()));
    } catch (const shape_error& e) {
        throw shape_error(message("node ", n, ": ", e.what()));
    } catch (const argument_error& e) {
        throw argument_error(message("node ", n, ": ", e.what()));
    }
}

}  // namespace detail

EDGE_NN_FUNCTION session::session(graph g, const session_options& options)
    : session(
          [&] {
              auto model = std::make_shared<shared_model>();
              model->g = std::move(g);
              model->g.sort();
              pass_options passes = options.passes;
              passes.integer_layers = passes.integer_layers && options.integer_layers;
              run_passes(model->g, passes);
              return model;
          }(),
          options) {}

EDGE_NN_FUNCTION session::session(std::shared_ptr<shared_model> model, const session_options& options)
    : model_(std::move(model)), options_(options) {
    if (options_.threads == 0) options_.threads = edge::threads();  // scratch memory is made for as many
    const graph& g = model_->g;
    std::map<std::string_view, std::size_t> ids;
    const auto add = [&](const std::string& name) {
        slot& v = slots_.emplace_back();
        v.name = name;
        ids.emplace(name, slots_.size() - 1);
        return slots_.size() - 1;
    };
    slots_.reserve(g.initializers.size() + g.inputs.size() + g.nodes.size());
    for (const auto& [name, value] : g.initializers) {
        slot& v = slots_[add(name)];
        v.type = {value.dtype(), value.shape()};
        v.is_typed = true;
        v.constant = &value;
        v.data = value.data();
        v.from_initializers = true;
    }
    for (const auto& declared : g.inputs) input_slots_.push_back(add(declared.name));
    for (const node& n : g.nodes) {
        step& s = steps_.emplace_back();
        s.what = &n;
        s.prepare = find_operator(n);
        if (s.prepare == nullptr)
            throw unsupported_error(message("node ", n, ": operator ", n.op_type, " is not supported"));
        for (const auto& id : n.inputs) s.inputs.push_back(id.empty() ? none : ids.at(id));
        for (const auto& id : n.outputs) s.outputs.push_back(id.empty() ? none : add(id));
        s.in.resize(s.inputs.size());
        s.out.resize(s.outputs.size());
    }
    results_.resize(g.outputs.size());
    for (std::size_t i = 0; i < g.outputs.size(); ++i) {
        const std::size_t id = ids.at(g.outputs[i].name);
        output_slots_.push_back(id);
        const bool is_made = slots_[id].constant == nullptr &&
                             std::find(input_slots_.begin(), input_slots_.end(), id) == input_slots_.end();
        if (is_made && slots_[id].output == none) slots_[id].output = i;
    }
    ordered_.resize(input_slots_.size());
    for (std::size_t i = 0; i < input_slots_.size(); ++i) {
        const value_info& declared = g.inputs[i];
        index_list extents;
        bool is_fixed = !declared.any_rank;
        for (const dimension& d : declared.dims) {
            is_fixed = is_fixed && d.size >= 0;
            if (is_fixed) extents.push_back(d.size);
        }
        slot& v = slots_[input_slots_[i]];
        v.is_typed = is_fixed;
        v.type = {declared.type, is_fixed ? edge::shape(extents) : edge::shape{}};
        if (is_fixed && v.type.bytes() > options_.max_bytes)
            throw argument_error(message("input '", declared.name, "' is ", v.type, ": above the limit of ",
                                         options_.max_bytes, " bytes"));
    }
    prepare_all();
}

/// Prepares what can be prepared before a run.
EDGE_NN_FUNCTION void session::prepare_all() {
    for (step& s : steps_)
        if (!s.is_ready && !s.is_folded) prepare(s, false);
    plan_memory();
}

/// Whether its results are worth keeping: a few bytes in a file may ask for gigabytes.
EDGE_NN_FUNCTION bool session::is_small(const step& s) const {
    constexpr index_t most = index_t{1} << 26;
    return std::all_of(s.outputs.begin(), s.outputs.end(),
                       [&](std::size_t id) { return id == none || slots_[id].type.bytes() <= most; });
}

/// @return  whether the node is ready to run: false if a type or a value is not known yet
EDGE_NN_FUNCTION bool session::prepare(step& s, bool in_run) {
    std::vector<preparation::input_state> inputs(s.inputs.size());
    bool all_constant = true;
    bool from_initializers = true;
    for (std::size_t i = 0; i < s.inputs.size(); ++i) {
        if (s.inputs[i] == none) continue;
        const slot& v = slots_[s.inputs[i]];
        if (!v.is_typed) return false;
        const void* known = v.constant != nullptr ? v.constant->data() : in_run ? v.data : nullptr;
        inputs[i] = {true, v.type, known, v.constant != nullptr, v.from_initializers};
        all_constant = all_constant && v.constant != nullptr;
        from_initializers = from_initializers && v.from_initializers;
    }
    preparation p(*s.what, model_->g.opset, options_.threads, inputs, model_->packed);
    try {
        s.run = detail::naming(*s.what, [&] { return s.prepare(p); });
    } catch (const value_unknown&) {
        return false;
    }
    s.reads_values = p.reads_values();
    s.macs = p.macs();
    if (s.scratch_bytes < p.scratch_bytes()) s.scratch_offset = -1;
    s.scratch_bytes = p.scratch_bytes();
    s.is_ready = true;
    for (std::size_t i = 0; i < s.outputs.size(); ++i) {
        if (s.outputs[i] == none) continue;
        slot& v = slots_[s.outputs[i]];
        if (!p.outputs()[i]) throw unsupported_error(message("node ", *s.what, ": output ", i, " is not supported"));
        const value_type& type = *p.outputs()[i];
        detail::naming(*s.what, [&] {
            if (type.bytes() > options_.max_bytes)
                throw argument_error(
                    message("output ", i, " is ", type, ": above the limit of ", options_.max_bytes, " bytes"));
        });
        // What comes later, in this run or others, was prepared for something else.
        if (v.is_typed && v.type != type) forget_shapes(static_cast<std::size_t>(&s - steps_.data()) + 1);
        if (v.type != type) v.offset = -1;
        v.type = type;
        v.is_typed = true;
        if (p.output_values()[i]) {
            v.folded = std::move(*p.output_values()[i]);
            v.constant = &v.folded;
            v.data = v.folded.data();
        }
    }
    const bool all_given = std::all_of(s.outputs.begin(), s.outputs.end(),
                                       [&](std::size_t id) { return id == none || slots_[id].constant != nullptr; });
    if (all_given) {
        s.is_folded = true;
    } else if (all_constant && !s.reads_values && is_small(s)) {
        fold(s);
        for (const std::size_t id : s.outputs)
            if (id != none) slots_[id].from_initializers = from_initializers;
    }
    return true;
}

/// The last step that reads each value; one that none reads is needed in the step that makes it, outputs to the end.
EDGE_NN_FUNCTION std::vector<std::size_t> session::last_uses() const {
    std::vector<std::size_t> last(slots_.size(), 0);
    for (std::size_t i = 0; i < steps_.size(); ++i)
        for (const auto* list : {&steps_[i].inputs, &steps_[i].outputs})
            for (const std::size_t id : *list)
                if (id != none) last[id] = i;
    for (const std::size_t id : output_slots_) last[id] = steps_.size();
    return last;
}

/// Lays out the values and the scratch memory of the steps whose shapes are known.
EDGE_NN_FUNCTION void session::plan_memory() {
    const std::vector<std::size_t> last = last_uses();
    std::vector<detail::arena_block> blocks;
    std::vector<index_t*> offsets;
    plan_.clear();
    for (slot& v : slots_) v.offset = -1;
    const auto add = [&](const std::string& name, index_t bytes, std::size_t first, std::size_t until,
                         index_t* offset) {
        blocks.push_back({bytes, first, until});
        offsets.push_back(offset);
        plan_.push_back({name, 0, bytes, first, until});
    };
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        step& s = steps_[i];
        s.scratch_offset = -1;
        if (!s.is_ready || s.is_folded || s.reads_values) continue;
        if (s.scratch_bytes > 0) add(s.what->name + " (scratch)", s.scratch_bytes, i, i, &s.scratch_offset);
        for (const std::size_t id : s.outputs) {
            if (id == none || slots_[id].output != none || slots_[id].constant != nullptr) continue;
            add(slots_[id].name, slots_[id].type.bytes(), i, last[id], &slots_[id].offset);
        }
    }
    arena_bytes_ = detail::place(blocks, static_cast<index_t>(alignment));
    for (std::size_t i = 0; i < blocks.size(); ++i) *offsets[i] = plan_[i].offset = blocks[i].offset;
    if (arena_bytes_ <= arena_room_) return;
    arena_.reset();
    arena_ = edge::detail::allocate_bytes(static_cast<std::size_t>(arena_bytes_));
    arena_room_ = arena_bytes_;
}

/// Where the node's outputs go.
EDGE_NN_FUNCTION void session::point(step& s) {
    for (std::size_t i = 0; i < s.outputs.size(); ++i) {
        if (s.outputs[i] == none) continue;
        slot& v = slots_[s.outputs[i]];
        if (v.offset >= 0) {
            s.out[i] = static_cast<std::byte*>(arena_.get()) + v.offset;
        } else {
            any_tensor& to = v.output == none ? v.buffer : results_[v.output];
            if (to.dtype() != v.type.type || to.shape() != v.type.shape) to = any_tensor(v.type.type, v.type.shape);
            s.out[i] = to.data();
        }
        if (v.constant == nullptr) v.data = s.out[i];
    }
    for (std::size_t i = 0; i < s.inputs.size(); ++i)
        s.in[i] = s.inputs[i] == none ? nullptr : slots_[s.inputs[i]].data;
}

/// Calls the kernel on the pointers that the step has.
EDGE_NN_FUNCTION void session::call(step& s) {
    if (!s.run) return;
    void* scratch = nullptr;
    if (s.scratch_offset >= 0) {
        scratch = static_cast<std::byte*>(arena_.get()) + s.scratch_offset;
    } else if (s.scratch_bytes > 0) {
        if (s.own_scratch.size() < s.scratch_bytes)
            s.own_scratch = tensor<std::uint8_t>::uninitialized({s.scratch_bytes});
        scratch = s.own_scratch.data();
    }
    detail::naming(*s.what, [&] { s.run({s.in.data(), s.out.data(), scratch}); });
}

EDGE_NN_FUNCTION void session::fold(step& s) {
    for (std::size_t i = 0; i < s.inputs.size(); ++i)
        s.in[i] = s.inputs[i] == none ? nullptr : slots_[s.inputs[i]].data;
    for (std::size_t i = 0; i < s.outputs.size(); ++i) {
        if (s.outputs[i] == none) continue;
        slot& v = slots_[s.outputs[i]];
        v.folded = any_tensor(v.type.type, v.type.shape);
        s.out[i] = v.folded.data();
    }
    call(s);
    s.own_scratch = {};
    for (const std::size_t id : s.outputs) {
        if (id == none) continue;
        slots_[id].constant = &slots_[id].folded;
        slots_[id].data = slots_[id].folded.data();
    }
    s.run = nullptr;
    s.is_folded = true;
}

/// Takes back what was concluded from the shapes of inputs.
EDGE_NN_FUNCTION void session::forget_shapes(std::size_t first_step) {
    for (std::size_t i = first_step; i < steps_.size(); ++i) {
        step& s = steps_[i];
        const bool keep = s.is_folded && std::all_of(s.outputs.begin(), s.outputs.end(), [&](std::size_t id) {
                              return id == none || slots_[id].from_initializers;
                          });
        if (keep) continue;
        s.is_ready = s.is_folded = false;
        for (const std::size_t id : s.outputs) {
            if (id == none) continue;
            slots_[id].is_typed = false;
            slots_[id].constant = nullptr;
        }
    }
}

EDGE_NN_FUNCTION void session::check_input(std::size_t i, std::span<const any_view> inputs) const {
    const value_info& declared = model_->g.inputs[i];
    const any_view& given = inputs[i];
    if (given.dtype() != declared.type)
        throw argument_error(
            message("input '", declared.name, "' is of ", given.dtype(), "; expected ", declared.type));
    if (declared.any_rank) return;
    // What an extent must be because it was said, or because its symbol had a size before; -1 for any.
    const auto wanted = [&](std::size_t axis) {
        const dimension& d = declared.dims[axis];
        if (d.size >= 0 || d.symbol.empty()) return d.size;
        for (std::size_t k = 0; k <= i; ++k)
            for (std::size_t l = 0; l < model_->g.inputs[k].dims.size() && (k != i || l < axis); ++l)
                if (model_->g.inputs[k].dims[l].size < 0 && model_->g.inputs[k].dims[l].symbol == d.symbol)
                    return inputs[k].shape()[l];
        return index_t{-1};
    };
    bool fits = given.shape().rank() == declared.dims.size();
    for (std::size_t axis = 0; fits && axis < declared.dims.size(); ++axis)
        fits = wanted(axis) < 0 || wanted(axis) == given.shape()[axis];
    if (fits) return;
    std::string expected;
    for (const dimension& d : declared.dims)
        expected += message(expected.empty() ? "" : ", ", d.size >= 0        ? std::to_string(d.size)
                                                          : d.symbol.empty() ? std::string("?")
                                                                             : d.symbol);
    throw shape_error(message("input '", declared.name, "' has shape ", given.shape(), "; expected (", expected, ")"));
}

EDGE_NN_FUNCTION void session::bind(std::span<const any_view> inputs) {
    if (inputs.size() != input_slots_.size())
        throw argument_error(message(inputs.size(), " inputs; expected ", input_slots_.size()));
    bool changed = false;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        check_input(i, inputs);
        const slot& v = slots_[input_slots_[i]];
        changed = changed || !v.is_typed || v.type != inputs[i].type();
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        slot& v = slots_[input_slots_[i]];
        v.type = inputs[i].type();
        v.is_typed = true;
        v.data = inputs[i].data();
    }
    if (changed) {
        forget_shapes();
        prepare_all();
    }
}

EDGE_NN_FUNCTION void session::plan(std::span<const edge::shape> shapes) {
    std::vector<any_view> inputs;
    for (std::size_t i = 0; i < shapes.size() && i < model_->g.inputs.size(); ++i)
        inputs.push_back({{model_->g.inputs[i].type, shapes[i]}, nullptr});
    bind(inputs);
}

EDGE_NN_FUNCTION void session::run_step(step& s) {
    if (!s.is_ready || s.reads_values) {
        if (!prepare(s, true)) throw argument_error(message("node ", *s.what, ": an input has no elements in memory"));
        if (s.is_folded) return;
    }
    point(s);
    call(s);
    for (const std::size_t id : s.outputs) show(id);
}

EDGE_NN_FUNCTION const std::vector<any_tensor>& session::operator()(std::span<const any_view> inputs) {
    bind(inputs);
    for (const std::size_t id : input_slots_) show(id);
    for (step& s : steps_) {
        if (s.is_folded) continue;
        if (!options_.profile) {
            run_step(s);
            continue;
        }
        const auto start = std::chrono::steady_clock::now();
        run_step(s);
        s.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    ++runs_;
    for (std::size_t i = 0; i < output_slots_.size(); ++i) {
        const slot& v = slots_[output_slots_[i]];
        any_tensor& to = results_[i];
        if (v.constant == nullptr && v.output == i) continue;  // written in place
        if (to.dtype() != v.type.type || to.shape() != v.type.shape) to = any_tensor(v.type.type, v.type.shape);
        if (to.bytes() != 0) std::memcpy(to.data(), v.data, to.bytes());
    }
    return results_;
}

EDGE_NN_FUNCTION const std::vector<any_tensor>& session::operator()(std::span<const named_input> inputs) {
    for (const auto& [name, value] : inputs) {
        std::size_t at = 0;
        while (at < model_->g.inputs.size() && model_->g.inputs[at].name != name) ++at;
        if (at == model_->g.inputs.size()) throw argument_error(message("the graph has no input '", name, "'"));
        ordered_[at] = value;
    }
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
        const auto is_this = [&](const named_input& in) { return in.first == model_->g.inputs[i].name; };
        if (std::none_of(inputs.begin(), inputs.end(), is_this))
            throw argument_error(message("input '", model_->g.inputs[i].name, "' is missing"));
    }
    return (*this)(std::span<const any_view>(ordered_));
}

EDGE_NN_FUNCTION std::vector<layer_info> session::layers() const {
    std::vector<layer_info> list;
    std::set<std::size_t> counted;
    for (const step& s : steps_) {
        layer_info layer{s.what->name.empty() && !s.what->outputs.empty() ? s.what->outputs[0] : s.what->name,
                         s.what->op_type,
                         {},
                         s.macs,
                         0,
                         s.is_folded,
                         runs_ == 0 ? 0 : s.seconds / static_cast<double>(runs_)};
        for (const std::size_t id : s.outputs)
            if (id != none && slots_[id].is_typed) layer.outputs.push_back(slots_[id].type);
        for (const std::size_t id : s.inputs) {
            if (id == none || !slots_[id].from_initializers || model_->g.find_initializer(slots_[id].name) == nullptr)
                continue;
            if (slots_[id].type.type != dtype::i64 && counted.insert(id).second)
                layer.parameters += slots_[id].type.shape.size();
        }
        list.push_back(std::move(layer));
    }
    return list;
}

EDGE_NN_FUNCTION index_t session::peak_bytes() const {
    const std::vector<std::size_t> last = last_uses();
    const auto bytes = [&](std::size_t id) {
        return id == none || !slots_[id].is_typed || slots_[id].constant != nullptr ? 0 : slots_[id].type.bytes();
    };
    index_t now = 0;
    for (const std::size_t id : input_slots_) now += bytes(id);
    index_t peak = now;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        for (const std::size_t id : steps_[i].outputs) now += bytes(id);
        peak = (std::max)(peak, now);
        std::set<std::size_t> ended;
        for (const auto* list : {&steps_[i].inputs, &steps_[i].outputs})
            for (const std::size_t id : *list)
                if (id != none && last[id] <= i && ended.insert(id).second) now -= bytes(id);
    }
    return peak;
}

}  // namespace edge::nn
