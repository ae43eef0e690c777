// SPDX-License-Identifier: MIT
#pragma once

/// @file Operations on arrays whose types are known only at run time, by NumPy's names.
///
///     edge::any_tensor c = array_ops::elementwise("add", {a, b});
///     edge::any_tensor m = array_ops::reduce("mean", a, axis, keepdims);
///
/// Types are promoted as NumPy does. To keep the number of compiled loops small, integers are computed as int64 and
/// narrowed again: sums and products modulo 2^n are the same. Only the order of uint64 needs loops of its own.

#include <edge/core/any_tensor.hpp>
#include <edge/simd/argminmax.hpp>
#include <edge/simd/einsum.hpp>
#include <edge/simd/math.hpp>
#include <edge/simd/moments.hpp>
#include <edge/simd/reduce.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace array_ops {

using edge::any_tensor;
using edge::dtype;

/// The elements as another type, as a C++ conversion has it.
inline any_tensor convert(const any_tensor& from, dtype to) {
    if (from.dtype() == to) return from;
    return edge::dispatch(to, [&]<class T>() -> any_tensor {
        auto result = edge::tensor<T>::uninitialized(from.shape());
        from.visit([&](const auto& t) {
            std::transform(t.begin(), t.end(), result.begin(), [](auto v) { return static_cast<T>(v); });
        });
        return result;
    });
}

inline bool is_float(dtype t) { return t == dtype::f32 || t == dtype::f64; }
inline bool is_signed(dtype t) { return t == dtype::i8 || t == dtype::i16 || t == dtype::i32 || t == dtype::i64; }

/// The type that holds both, as NumPy's result_type.
inline dtype promote(dtype a, dtype b) {
    if (a == b || b == dtype::boolean) return a;
    if (a == dtype::boolean) return b;
    if (is_float(a) || is_float(b)) {
        const dtype narrow = is_float(a) ? b : a;
        const bool fits = (a == dtype::f32 || b == dtype::f32) && narrow != dtype::f64 && edge::size_of(narrow) <= 2;
        return fits ? dtype::f32 : dtype::f64;
    }
    if (is_signed(a) == is_signed(b)) return edge::size_of(a) >= edge::size_of(b) ? a : b;
    const dtype positive = is_signed(a) ? b : a;
    const dtype other = is_signed(a) ? a : b;
    if (edge::size_of(other) > edge::size_of(positive)) return other;
    switch (positive) {
        case dtype::u8: return dtype::i16;
        case dtype::u16: return dtype::i32;
        case dtype::u32: return dtype::i64;
        default: return dtype::f64;
    }
}

/// The type that a type is computed in.
inline dtype lane_type(dtype t) { return is_float(t) ? t : dtype::i64; }

/// Calls f with the C++ type; `t` is one that `lane_type` gives.
template <class F>
decltype(auto) dispatch_lane(dtype t, F&& f) {
    switch (t) {
        case dtype::f32: return f.template operator()<float>();
        case dtype::f64: return f.template operator()<double>();
        default: return f.template operator()<std::int64_t>();
    }
}

/// The elements in the type that T stands for, converted only where they are not.
template <class T>
class operand {
public:
    explicit operand(const any_tensor& a)
        : converted_(a.is<T>() ? any_tensor() : convert(a, edge::dtype_of<T>)), values_(a.is<T>() ? a : converted_) {}
    operator const edge::tensor<T>&() const { return values_.as<T>(); }

private:
    any_tensor converted_;
    const any_tensor& values_;
};

inline constexpr std::string_view unary_names[] = {"abs",   "negative", "sqrt", "floor", "ceil", "trunc",
                                                   "round", "exp",      "log",  "tanh",  "sin",  "cos"};
inline constexpr std::string_view binary_names[] = {"add",     "subtract",   "multiply", "divide",
                                                    "minimum", "maximum",    "equal",    "not_equal",
                                                    "less",    "less_equal", "greater",  "greater_equal"};
inline constexpr std::string_view reduction_names[] = {"sum", "prod",   "mean",   "var", "std", "min",
                                                       "max", "argmin", "argmax", "any", "all"};

template <std::size_t n>
std::string listed(const std::string_view (&names)[n]) {
    std::string text;
    for (const auto name : names) text.append(text.empty() ? "" : " ").append(name);
    return text;
}
template <std::size_t n>
bool has(const std::string_view (&names)[n], std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

inline any_tensor unary(std::string_view name, const any_tensor& a) {
    const bool any_number = name == "abs" || name == "negative";
    if (a.dtype() == dtype::boolean) throw edge::unsupported_error(edge::message(name, " of bool is not supported"));
    if (!any_number && !is_float(a.dtype())) {  // NumPy computes these in float64
        return unary(name, convert(a, dtype::f64));
    }
    const dtype lanes = lane_type(a.dtype());
    if (name == "abs" && a.dtype() == dtype::u64) return a;
    const any_tensor result = dispatch_lane(lanes, [&]<class T>() -> any_tensor {
        const operand<T> values(a);
        const edge::tensor<T>& x = values;
        if (name == "abs") return edge::eval(edge::abs(x));
        if (name == "negative") return edge::eval(-x);
        if constexpr (std::is_floating_point_v<T>) {
            if (name == "sqrt") return edge::eval(edge::sqrt(x));
            if (name == "floor") return edge::eval(edge::floor(x));
            if (name == "ceil") return edge::eval(edge::ceil(x));
            if (name == "trunc") return edge::eval(edge::trunc(x));
            if (name == "round") return edge::eval(edge::round(x));
            if (name == "exp") return edge::eval(edge::exp(x));
            if (name == "log") return edge::eval(edge::log(x));
            if (name == "tanh") return edge::eval(edge::tanh(x));
            if (name == "sin") return edge::eval(edge::sin(x));
            if (name == "cos") return edge::eval(edge::cos(x));
        }
        throw edge::argument_error(edge::message("no operation '", name, "'"));
    });
    return convert(result, a.dtype());
}

/// A comparison of arrays of one type: as float64, int64 or uint64, which hold all others.
inline any_tensor compare(std::string_view name, const any_tensor& a, const any_tensor& b) {
    const auto of = [&]<class T>() -> any_tensor {
        const operand<T> first(a);
        const operand<T> second(b);
        const edge::tensor<T>& x = first;
        const edge::tensor<T>& y = second;
        if (name == "equal") return edge::eval(x == y);
        if (name == "not_equal") return edge::eval(x != y);
        if (name == "less") return edge::eval(x < y);
        if (name == "greater") return edge::eval(y < x);
        if (name == "less_equal") return edge::eval(x <= y);
        return edge::eval(y <= x);
    };
    if (is_float(a.dtype())) return of.template operator()<double>();
    return a.dtype() == dtype::u64 ? of.template operator()<std::uint64_t>() : of.template operator()<std::int64_t>();
}

inline any_tensor binary(std::string_view name, const any_tensor& a, const any_tensor& b) {
    dtype type = promote(a.dtype(), b.dtype());
    const bool compares = name.find("equal") != name.npos || name == "less" || name == "greater";
    if (name == "divide" && !is_float(type)) type = dtype::f64;  // as NumPy's true_divide
    if (type == dtype::boolean && !compares)
        throw edge::unsupported_error(edge::message(name, " of bool is not supported"));
    // Brought to the common type first: NumPy rounds and wraps there.
    const any_tensor left = convert(a, type);
    const any_tensor right = convert(b, type);
    if (compares) return compare(name, left, right);
    if (type == dtype::u64 && (name == "minimum" || name == "maximum")) {
        const auto& x = left.as<std::uint64_t>();
        const auto& y = right.as<std::uint64_t>();
        return name == "minimum" ? edge::eval(edge::minimum(x, y)) : edge::eval(edge::maximum(x, y));
    }
    const any_tensor result = dispatch_lane(lane_type(type), [&]<class T>() -> any_tensor {
        const operand<T> first(left);
        const operand<T> second(right);
        const edge::tensor<T>& x = first;
        const edge::tensor<T>& y = second;
        if (name == "add") return edge::eval(x + y);
        if (name == "subtract") return edge::eval(x - y);
        if (name == "multiply") return edge::eval(x * y);
        if (name == "minimum") return edge::eval(edge::minimum(x, y));
        if (name == "maximum") return edge::eval(edge::maximum(x, y));
        if constexpr (std::is_floating_point_v<T>)
            if (name == "divide") return edge::eval(x / y);
        throw edge::argument_error(edge::message("no operation '", name, "'"));
    });
    return convert(result, type);
}

/// An operation element by element; one operand or two, by its name.
/// @throws argument_error     if there is no such operation, or it takes another number of operands
/// @throws unsupported_error  if it does not take the type
inline any_tensor elementwise(std::string_view name, const std::vector<any_tensor>& operands) {
    const bool is_unary = has(unary_names, name);
    if (!is_unary && !has(binary_names, name))
        throw edge::argument_error(edge::message("no operation '", name, "'; expected one of ", listed(unary_names),
                                                 " ", listed(binary_names)));
    const std::size_t expected = is_unary ? 1 : 2;
    if (operands.size() != expected)
        throw edge::argument_error(edge::message(name, " takes ", expected, " operand", expected == 1 ? "" : "s", ", ",
                                                 operands.size(), " given"));
    return is_unary ? unary(name, operands[0]) : binary(name, operands[0], operands[1]);
}

/// A reduction over all elements, or along an axis. A scalar may be reduced along axis 0 or -1, as NumPy allows for some.
/// @throws argument_error  if there is no such reduction or axis, or it has no value for no elements
inline any_tensor reduce(std::string_view name, const any_tensor& a, std::optional<edge::index_t> axis, bool keepdims) {
    if (!has(reduction_names, name))
        throw edge::argument_error(
            edge::message("no reduction '", name, "'; expected one of ", listed(reduction_names)));
    // Over all elements is along the only axis of the flattened array.
    const bool takes_scalars = name != "mean" && name != "var" && name != "std";
    const bool over_all = !axis || (a.shape().rank() == 0 && takes_scalars && (*axis == 0 || *axis == -1));
    any_tensor values = a;
    if (over_all) values.reshape({a.size()});
    const edge::index_t along = over_all ? 0 : *axis;
    const edge::reduce_options options{.keepdims = keepdims && !over_all};

    const auto compute = [&]() -> any_tensor {
        const dtype type = a.dtype();
        if (name == "any" || name == "all") {
            const any_tensor truth = convert(values, dtype::boolean);
            const auto& t = truth.as<bool>();
            return name == "any" ? edge::any(t, along, options) : edge::all(t, along, options);
        }
        if (name == "mean" || name == "var" || name == "std") {
            const auto spread = [&]<class T>(const edge::tensor<T>& x) -> any_tensor {
                if (name == "mean") return edge::mean(x, along, options);
                const edge::variance_options how{.keepdims = options.keepdims};
                if (name == "var") return edge::var(x, along, how);
                return edge::stddev(x, along, how);
            };
            if (type == dtype::f32) return spread(values.as<float>());
            return spread(convert(values, dtype::f64).as<double>());
        }
        const bool widens = name == "sum" || name == "prod";
        const bool is_unsigned = !is_signed(type) && !is_float(type) && type != dtype::boolean;
        const dtype lanes = is_unsigned ? dtype::u64 : lane_type(type);
        const any_tensor wide = convert(values, lanes);
        const auto result = wide.visit([&](const auto& x) -> any_tensor {
            using T = typename std::remove_cvref_t<decltype(x)>::value_type;
            if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int64_t> ||
                          std::is_same_v<T, std::uint64_t>) {
                if (name == "sum") return edge::sum(x, along, options);
                if (name == "prod") return edge::prod(x, along, options);
                if (name == "min") return edge::min(x, along, options);
                if (name == "max") return edge::max(x, along, options);
                if (name == "argmin") return edge::argmin(x, along, options);
                return edge::argmax(x, along, options);
            } else {
                throw edge::unsupported_error(edge::message(name, " of ", type, " is not supported"));
            }
        });
        return widens || name == "argmin" || name == "argmax" ? result : convert(result, type);
    };
    any_tensor result = compute();
    if (over_all && keepdims) {
        edge::index_list ones;
        for (std::size_t i = 0; i < a.shape().rank(); ++i) ones.push_back(1);
        result.reshape(edge::shape(ones));
    }
    return result;
}

/// @throws argument_error, shape_error  as edge::einsum
inline any_tensor einsum(std::string_view equation, const std::vector<any_tensor>& operands) {
    if (operands.empty()) throw edge::argument_error("einsum takes at least 1 operand");
    dtype type = operands[0].dtype();
    for (const auto& o : operands) type = promote(type, o.dtype());
    if (type == dtype::boolean) throw edge::unsupported_error("einsum of bool is not supported");
    const any_tensor result = dispatch_lane(lane_type(type), [&]<class T>() -> any_tensor {
        std::vector<any_tensor> converted;
        std::vector<edge::tensor_view<const T>> views;
        for (const auto& o : operands) converted.push_back(convert(o, edge::dtype_of<T>));
        for (const auto& o : converted) views.push_back(o.as<T>().view());
        return edge::einsum<T>(equation, std::span<const edge::tensor_view<const T>>(views));
    });
    return convert(result, type);
}

}  // namespace array_ops
