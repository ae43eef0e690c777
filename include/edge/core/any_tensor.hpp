// SPDX-License-Identifier: MIT
#pragma once

/// @file A tensor whose element type is known only at run time, as it comes out of a file or a model.
///
///     edge::any_tensor t = edge::load_npy("x.npy");
///     const edge::tensor<float>& x = t.as<float>();                       // argument_error if it is not float32
///     t.visit([](const auto& tensor) { std::puts(to_string(tensor.shape()).c_str()); });

#include <edge/core/dtype.hpp>
#include <edge/core/tensor.hpp>

#include <utility>
#include <variant>

namespace edge {

class any_tensor {
public:
    any_tensor() : value_(tensor<float>()) {}

    template <class T>
    any_tensor(tensor<T> value) : value_(std::move(value)) {}

    /// Uninitialized elements.
    any_tensor(edge::dtype type, const edge::shape& extents)
        : value_(edge::dispatch(type, [&]<class T>() -> storage { return tensor<T>::uninitialized(extents); })) {}

    /// Calls `f` with the tensor in its own type.
    template <class F>
    decltype(auto) visit(F&& f) const {
        return std::visit(std::forward<F>(f), value_);
    }
    template <class F>
    decltype(auto) visit(F&& f) {
        return std::visit(std::forward<F>(f), value_);
    }

    [[nodiscard]] edge::dtype dtype() const noexcept { return static_cast<edge::dtype>(value_.index()); }
    [[nodiscard]] const edge::shape& shape() const {
        return visit([](const auto& t) -> const edge::shape& { return t.shape(); });
    }
    [[nodiscard]] index_t size() const { return shape().size(); }

    template <class T>
    [[nodiscard]] bool is() const noexcept {
        return std::holds_alternative<tensor<T>>(value_);
    }

    /// @throws argument_error  if the elements are of another type
    template <class T>
    [[nodiscard]] const tensor<T>& as() const {
        if (const auto* t = std::get_if<tensor<T>>(&value_)) return *t;
        throw argument_error(message("tensor of ", dtype(), ", not of ", dtype_of<T>));
    }
    template <class T>
    [[nodiscard]] tensor<T>& as() {
        return const_cast<tensor<T>&>(std::as_const(*this).template as<T>());
    }

    [[nodiscard]] void* data() {
        return visit([](auto& t) -> void* { return t.data(); });
    }
    [[nodiscard]] const void* data() const {
        return visit([](const auto& t) -> const void* { return t.data(); });
    }
    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(dtype()); }

    void reshape(const edge::shape& extents) {
        visit([&](auto& t) { t.reshape(extents); });
    }

private:
    using storage = std::variant<tensor<bool>, tensor<std::int8_t>, tensor<std::uint8_t>, tensor<std::int16_t>,
                                 tensor<std::uint16_t>, tensor<std::int32_t>, tensor<std::uint32_t>,
                                 tensor<std::int64_t>, tensor<std::uint64_t>, tensor<float>, tensor<double>>;
    static_assert(std::variant_size_v<storage> == std::size(detail::dtype_rows), "one alternative a dtype, in order");
    storage value_;
};

}  // namespace edge
