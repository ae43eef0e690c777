// SPDX-License-Identifier: MIT
#pragma once

/// @file What an operator is: a function that prepares one node for inputs of known types and shapes.
///
///     nn::kernel prepare_relu(nn::preparation& p) {
///         p.output(0, p.type(0), p.shape(0));
///         return [n = p.shape(0).size()](const nn::arguments& a) { relu(a.input<float>(0), a.output<float>(0), n); };
///     }
///
/// All checks, choices by type, packing of constant weights and memory for scratch belong to the preparation. The kernel
/// that comes of it takes pointers alone and allocates nothing. It is prepared again when a shape changes.

#include <edge/nn/detail/wide.hpp>
#include <edge/nn/graph.hpp>

#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace edge::nn {

/// Element type and shape of a value.
struct value_type {
    dtype type = dtype::f32;
    edge::shape shape{};

    [[nodiscard]] index_t bytes() const {
        return checked_multiply(shape.size(), static_cast<index_t>(size_of(type)), "number of bytes");
    }
    friend bool operator==(const value_type&, const value_type&) = default;
};

/// `float32 (1, 3, 224, 224)`
[[nodiscard]] inline std::string to_string(const value_type& v) { return message(v.type, " ", v.shape); }

/// Somebody else's tensor, row-major and contiguous: how inputs come in and values are shown.
class any_view {
public:
    any_view() = default;
    any_view(const value_type& type, const void* data) : type_(type), data_(data) {}
    any_view(const any_tensor& t) : type_{t.dtype(), t.shape()}, data_(t.data()) {}
    template <class T>
    any_view(const tensor<T>& t) : type_{dtype_of<T>, t.shape()}, data_(t.data()) {}
    /// @throws shape_error  if the view is not contiguous
    template <class T>
    any_view(const tensor_view<T>& t) : type_{dtype_of<T>, t.shape()}, data_(t.flat().data()) {}

    [[nodiscard]] const value_type& type() const noexcept { return type_; }
    [[nodiscard]] edge::dtype dtype() const noexcept { return type_.type; }
    [[nodiscard]] const edge::shape& shape() const noexcept { return type_.shape; }
    [[nodiscard]] const void* data() const noexcept { return data_; }

    /// @throws argument_error  if the elements are of another type
    template <class T>
    [[nodiscard]] tensor_view<const T> as() const {
        if (dtype() != dtype_of<T>) throw argument_error(message("tensor of ", dtype(), ", not of ", dtype_of<T>));
        return {static_cast<const T*>(data_), shape()};
    }

    /// A copy that owns its elements.
    [[nodiscard]] any_tensor copy() const {
        any_tensor result(dtype(), shape());
        if (result.bytes() != 0) std::memcpy(result.data(), data_, result.bytes());
        return result;
    }

private:
    value_type type_{};
    const void* data_ = nullptr;
};

/// Where the inputs and outputs of a node lie in one run.
struct arguments {
    const void* const* in;
    void* const* out;
    void* scratch = nullptr;  ///< as many bytes as the preparation asked for, aligned as tensors are

    template <class T>
    [[nodiscard]] const T* input(std::size_t i) const noexcept {
        return static_cast<const T*>(in[i]);
    }
    template <class T>
    [[nodiscard]] T* output(std::size_t i) const noexcept {
        return static_cast<T*>(out[i]);
    }
};

/// A prepared node.
using kernel = std::function<void(const arguments&)>;

/// What nodes made of their constant inputs, once for all sessions of a model. Safe from several threads.
class packed_store {
public:
    /// What `make` returned the first time that this node asked.
    template <class T, class Make>
    [[nodiscard]] std::shared_ptr<const T> get(const nn::node* n, Make&& make) {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<const void>& kept = packed_[n];
        if (kept == nullptr) kept = std::make_shared<const T>(make());
        return std::static_pointer_cast<const T>(kept);
    }

private:
    std::mutex mutex_;
    std::map<const nn::node*, std::shared_ptr<const void>> packed_;
};

/// Thrown by `preparation::value` for a value that only a run will give; the session then prepares the node in the run.
struct value_unknown {};

/// A node on its way to a kernel: what is known of its inputs, and what it says about its outputs.
class preparation {
public:
    struct input_state {
        bool present = false;
        value_type type{};
        const void* known = nullptr;  ///< the elements, where they are known now
        bool constant = false;        ///< known until a shape changes
        bool initializer = false;     ///< known once and for all
    };

    preparation(const nn::node& n, int opset, int threads, std::span<const input_state> inputs, packed_store& store)
        : node_(n),
          opset_(opset),
          threads_(threads),
          inputs_(inputs),
          store_(store),
          outputs_(n.outputs.size()),
          values_(n.outputs.size()) {}

    [[nodiscard]] const nn::node& node() const noexcept { return node_; }
    [[nodiscard]] int opset() const noexcept { return opset_; }
    [[nodiscard]] int threads() const noexcept { return threads_; }

    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_.size(); }
    [[nodiscard]] bool has(std::size_t i) const noexcept { return i < inputs_.size() && inputs_[i].present; }

    /// @throws argument_error  if there is no such input
    [[nodiscard]] const value_type& input(std::size_t i) const {
        if (!has(i)) throw argument_error(message("input ", i, " is missing"));
        return inputs_[i].type;
    }
    [[nodiscard]] dtype type(std::size_t i) const { return input(i).type; }
    [[nodiscard]] const edge::shape& shape(std::size_t i) const { return input(i).shape; }

    /// The elements of a constant input, to be packed once; nullptr for one that changes from run to run.
    template <class T>
    [[nodiscard]] const T* constant(std::size_t i) const {
        return has(i) && inputs_[i].constant && type(i) == dtype_of<T> ? static_cast<const T*>(inputs_[i].known)
                                                                       : nullptr;
    }

    /// What `make` returns, a T made of constant inputs alone: weights in the order of a kernel. Made once and shared, by
    /// all preparations of the node and by all sessions of the model. One to a node.
    template <class T, class Make>
    [[nodiscard]] std::shared_ptr<const T> packed(Make&& make) {
        const bool lasts = std::all_of(inputs_.begin(), inputs_.end(), [](const input_state& in) {
            return !in.present || !in.constant || in.initializer;
        });
        return lasts ? store_.get<T>(&node_, make) : std::make_shared<const T>(make());
    }

    /// An input that decides the outputs' shapes or the choice of kernel. If it is no constant, the node is prepared
    /// anew in each run.
    /// @throws value_unknown  if there is no run yet
    [[nodiscard]] any_view value(std::size_t i) {
        const value_type& t = input(i);
        if (!inputs_[i].constant) reads_values_ = true;
        if (inputs_[i].known == nullptr) throw value_unknown{};
        return {t, inputs_[i].known};
    }
    /// The same, for a list of int64 or int32.
    /// @throws argument_error  if it is of another type
    [[nodiscard]] std::vector<std::int64_t> integers(std::size_t i);
    /// The same, for one number of any type, as T.
    /// @throws shape_error  if there is not exactly one
    template <class T>
    [[nodiscard]] T scalar(std::size_t i);

    /// Says what output `i` will be.
    void output(std::size_t i, dtype type, const edge::shape& shape) {
        if (i < outputs_.size()) outputs_[i] = value_type{type, shape};
    }
    /// Gives output `i` here and now: it depends on the inputs' types and shapes alone.
    void output(std::size_t i, any_tensor value) {
        output(i, value.dtype(), value.shape());
        if (i < values_.size()) values_[i] = std::move(value);
    }
    [[nodiscard]] bool wants(std::size_t i) const { return node_.has_output(i); }

    /// Asks for memory of the kernel's own, for the time of a call.
    void scratch(index_t bytes) noexcept { scratch_ = bytes; }

    /// Multiply-adds of the kernel, for people who ask what a model costs.
    void count_macs(index_t n) noexcept { macs_ = n; }

    /// For the session.
    [[nodiscard]] std::vector<std::optional<value_type>>& outputs() noexcept { return outputs_; }
    [[nodiscard]] std::vector<std::optional<any_tensor>>& output_values() noexcept { return values_; }
    [[nodiscard]] bool reads_values() const noexcept { return reads_values_; }
    [[nodiscard]] index_t macs() const noexcept { return macs_; }
    [[nodiscard]] index_t scratch_bytes() const noexcept { return scratch_; }

private:
    const nn::node& node_;
    int opset_;
    int threads_;
    std::span<const input_state> inputs_;
    packed_store& store_;
    std::vector<std::optional<value_type>> outputs_;
    std::vector<std::optional<any_tensor>> values_;
    bool reads_values_ = false;
    index_t macs_ = 0;
    index_t scratch_ = 0;
};

using prepare_function = kernel (*)(preparation&);

/// One row of the table of operators.
struct operator_row {
    std::string_view op_type;
    prepare_function prepare;
};

inline std::vector<std::int64_t> preparation::integers(std::size_t i) {
    const any_view v = value(i);
    if (v.dtype() != dtype::i64 && v.dtype() != dtype::i32)
        throw argument_error(message("input ", i, " is of ", v.dtype(), "; expected int64"));
    std::vector<std::int64_t> list(static_cast<std::size_t>(v.shape().size()));
    detail::read_wide(v.dtype(), v.data(), 1, v.shape().size(), list.data());
    return list;
}

template <class T>
T preparation::scalar(std::size_t i) {
    const any_view v = value(i);
    if (v.shape().size() != 1)
        throw shape_error(message("input ", i, " has shape ", v.shape(), "; expected one number"));
    return detail::read_as<T>(v.dtype(), v.data());
}

namespace detail {

/// Calls `f.template operator()<T>()` for the types an operator takes; the others are refused by name.
template <class... T>
struct for_types {
    template <class F>
    static kernel call(dtype type, F&& f) {
        kernel result;
        const bool found = ((type == dtype_of<T> && ((result = f.template operator()<T>()), true)) || ...);
        if (!found) throw unsupported_error(message("elements of ", type, " are not supported"));
        return result;
    }
};
}  // namespace detail
}  // namespace edge::nn
