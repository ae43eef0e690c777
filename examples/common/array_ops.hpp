// SPDX-License-Identifier: MIT
#pragma once

/// @file Operations on arrays whose types are known only at run time, by NumPy's names.
///
///     edge::any_tensor c = array_ops::elementwise("add", {a, b});
///     edge::any_tensor m = array_ops::reduce("mean", a, axis, keepdims);
///
/// Types are promoted as NumPy does. To keep the number of compiled loops small, integers are computed as int64 or uint64
/// and narrowed again: sums and products modulo 2^n are the same; and a loop takes what it does to registers by a pointer.

#include <edge/core/any_tensor.hpp>
#include <edge/simd/argminmax.hpp>
#include <edge/simd/bits.hpp>
#include <edge/simd/einsum.hpp>
#include <edge/simd/lift.hpp>
#include <edge/simd/math.hpp>
#include <edge/simd/moments.hpp>
#include <edge/simd/reduce.hpp>

#include <algorithm>
#include <array>
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
inline dtype lane_type(dtype t) { return is_float(t) || t == dtype::u64 ? t : dtype::i64; }

/// Calls f with the C++ type; `t` is one that `lane_type` gives.
template <class F>
decltype(auto) dispatch_lane(dtype t, F&& f) {
    switch (t) {
        case dtype::f32: return f.template operator()<float>();
        case dtype::f64: return f.template operator()<double>();
        case dtype::u64: return f.template operator()<std::uint64_t>();
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

/// A register of elements, and the answers to a question about them.
template <class T>
using x = edge::packed<T>;
template <class T>
using answers = decltype(std::declval<x<T>>() == std::declval<x<T>>());

/// What is done to registers, by its name: one loop then serves all functions of a kind.
template <class Result, class... Operands>
struct named {
    std::string_view name;
    Result (*apply)(Operands...);
};
template <class T>
using function1 = named<x<T>, x<T>>;
template <class T>
using function2 = named<x<T>, x<T>, x<T>>;
template <class T>
using question1 = named<answers<T>, x<T>>;
template <class T>
using question2 = named<answers<T>, x<T>, x<T>>;

template <class T>
constexpr auto functions_of_numbers() {
    return std::to_array<function1<T>>({
        {"abs", [](x<T> a) { return abs(a); }},
        {"negative", [](x<T> a) { return -a; }},
        {"sign", [](x<T> a) { return sign(a); }},
        {"square", [](x<T> a) { return square(a); }},
        {"relu", [](x<T> a) { return relu(a); }},
    });
}
template <class T>
constexpr auto functions_of_floats() {
    return std::to_array<function1<T>>({
        {"floor", [](x<T> a) { return floor(a); }},
        {"ceil", [](x<T> a) { return ceil(a); }},
        {"trunc", [](x<T> a) { return trunc(a); }},
        {"rint", [](x<T> a) { return rint(a); }},
        {"round", [](x<T> a) { return rint(a); }},
        {"sqrt", [](x<T> a) { return sqrt(a); }},
        {"cbrt", [](x<T> a) { return cbrt(a); }},
        {"reciprocal", [](x<T> a) { return reciprocal(a); }},
        {"rsqrt", [](x<T> a) { return rsqrt(a); }},
        {"exp", [](x<T> a) { return exp(a); }},
        {"exp2", [](x<T> a) { return exp2(a); }},
        {"expm1", [](x<T> a) { return expm1(a); }},
        {"log", [](x<T> a) { return log(a); }},
        {"log2", [](x<T> a) { return log2(a); }},
        {"log10", [](x<T> a) { return log10(a); }},
        {"log1p", [](x<T> a) { return log1p(a); }},
        {"sin", [](x<T> a) { return sin(a); }},
        {"cos", [](x<T> a) { return cos(a); }},
        {"tan", [](x<T> a) { return tan(a); }},
        {"arcsin", [](x<T> a) { return asin(a); }},
        {"arccos", [](x<T> a) { return acos(a); }},
        {"arctan", [](x<T> a) { return atan(a); }},
        {"sinh", [](x<T> a) { return sinh(a); }},
        {"cosh", [](x<T> a) { return cosh(a); }},
        {"tanh", [](x<T> a) { return tanh(a); }},
        {"arcsinh", [](x<T> a) { return asinh(a); }},
        {"arccosh", [](x<T> a) { return acosh(a); }},
        {"arctanh", [](x<T> a) { return atanh(a); }},
        {"erf", [](x<T> a) { return erf(a); }},
        {"erfc", [](x<T> a) { return erfc(a); }},
        {"sigmoid", [](x<T> a) { return sigmoid(a); }},
        {"softplus", [](x<T> a) { return softplus(a); }},
        {"silu", [](x<T> a) { return silu(a); }},
        {"gelu", [](x<T> a) { return gelu(a); }},
        {"gelu_tanh", [](x<T> a) { return gelu_tanh(a); }},
    });
}
template <class T>
constexpr auto functions_of_integers() {
    return std::to_array<function1<T>>({
        {"invert", [](x<T> a) { return ~a; }},
    });
}
template <class T>
constexpr auto operations_on_numbers() {
    return std::to_array<function2<T>>({
        {"add", [](x<T> a, x<T> b) { return a + b; }},
        {"subtract", [](x<T> a, x<T> b) { return a - b; }},
        {"multiply", [](x<T> a, x<T> b) { return a * b; }},
        {"minimum", [](x<T> a, x<T> b) { return minimum(a, b); }},
        {"maximum", [](x<T> a, x<T> b) { return maximum(a, b); }},
        {"fmin", [](x<T> a, x<T> b) { return fmin(a, b); }},
        {"fmax", [](x<T> a, x<T> b) { return fmax(a, b); }},
        {"fmod", [](x<T> a, x<T> b) { return fmod(a, b); }},
        {"remainder", [](x<T> a, x<T> b) { return remainder(a, b); }},
        {"floor_divide", [](x<T> a, x<T> b) { return floor_divide(a, b); }},
    });
}
template <class T>
constexpr auto operations_on_floats() {
    return std::to_array<function2<T>>({
        {"divide", [](x<T> a, x<T> b) { return a / b; }},
        {"power", [](x<T> a, x<T> b) { return pow(a, b); }},
        {"arctan2", [](x<T> a, x<T> b) { return atan2(a, b); }},
        {"hypot", [](x<T> a, x<T> b) { return hypot(a, b); }},
        {"copysign", [](x<T> a, x<T> b) { return copysign(a, b); }},
        {"nextafter", [](x<T> a, x<T> b) { return nextafter(a, b); }},
    });
}
template <class T>
constexpr auto operations_on_integers() {
    return std::to_array<function2<T>>({
        {"bitwise_and", [](x<T> a, x<T> b) { return a & b; }},
        {"bitwise_or", [](x<T> a, x<T> b) { return a | b; }},
        {"bitwise_xor", [](x<T> a, x<T> b) { return a ^ b; }},
        {"left_shift", [](x<T> a, x<T> b) { return a << b; }},
        {"right_shift", [](x<T> a, x<T> b) { return a >> b; }},
    });
}
template <class T>
constexpr auto questions_of_floats() {
    return std::to_array<question1<T>>({
        {"isnan", [](x<T> a) { return isnan(a); }},
        {"isinf", [](x<T> a) { return isinf(a); }},
        {"isfinite", [](x<T> a) { return isfinite(a); }},
        {"signbit", [](x<T> a) { return signbit(a); }},
    });
}
template <class T>
constexpr auto comparisons() {
    return std::to_array<question2<T>>({
        {"equal", [](x<T> a, x<T> b) { return a == b; }},
        {"not_equal", [](x<T> a, x<T> b) { return a != b; }},
        {"less", [](x<T> a, x<T> b) { return a < b; }},
        {"less_equal", [](x<T> a, x<T> b) { return a <= b; }},
        {"greater", [](x<T> a, x<T> b) { return a > b; }},
        {"greater_equal", [](x<T> a, x<T> b) { return a >= b; }},
    });
}

inline constexpr std::string_view logical_names[] = {"logical_and", "logical_or", "logical_xor", "logical_not"};

template <class Table>
auto find(const Table& table, std::string_view name) {
    const auto at = std::find_if(table.begin(), table.end(), [&](const auto& f) { return f.name == name; });
    return at == table.end() ? nullptr : at->apply;
}
template <class... Tables>
std::string names_in(const Tables&... tables) {
    std::string text;
    const auto add = [&](const auto& f) { text.append(text.empty() ? "" : " ").append(f.name); };
    (std::for_each(tables.begin(), tables.end(), add), ...);
    return text;
}
inline std::string unary_names() {
    return names_in(functions_of_numbers<double>(), functions_of_floats<double>(),
                    functions_of_integers<std::int64_t>(), questions_of_floats<double>()) +
           " logical_not";
}
inline std::string binary_names() {
    return names_in(operations_on_numbers<double>(), operations_on_floats<double>(),
                    operations_on_integers<std::int64_t>(), comparisons<double>()) +
           " logical_and logical_or logical_xor";
}

/// `apply` of the elements, shapes broadcast.
template <class T, class F, class... Tensors>
any_tensor computed(F apply, const Tensors&... operands) {
    return edge::eval(edge::lift(apply)(static_cast<const edge::tensor<T>&>(operands)...));
}

/// An operation whose answer is a truth value.
/// @return  nothing if there is none of that name
inline std::optional<any_tensor> ask(std::string_view name, const any_tensor& a) {
    if (find(questions_of_floats<double>(), name) == nullptr) return {};
    const any_tensor floats = is_float(a.dtype()) ? a : convert(a, dtype::f64);
    return floats.is<float>() ? computed<float>(find(questions_of_floats<float>(), name), floats.as<float>())
                              : computed<double>(find(questions_of_floats<double>(), name), floats.as<double>());
}

inline any_tensor logical(std::string_view name, const std::vector<any_tensor>& operands) {
    const any_tensor first = convert(operands.front(), dtype::boolean);
    const any_tensor second = convert(operands.back(), dtype::boolean);
    const auto& a = first.as<bool>();
    const auto& b = second.as<bool>();
    if (name == "logical_not") return edge::eval(~a);
    if (name == "logical_and") return edge::eval(a & b);
    return name == "logical_or" ? edge::eval(a | b) : edge::eval(a ^ b);
}

inline any_tensor unary(std::string_view name, const any_tensor& a) {
    if (auto answer = ask(name, a)) return *std::move(answer);
    if (a.dtype() == dtype::boolean) throw edge::unsupported_error(edge::message(name, " of bool is not supported"));
    if (find(functions_of_floats<double>(), name) != nullptr && !is_float(a.dtype()))
        return unary(name, convert(a, dtype::f64));  // NumPy computes these in float64
    const any_tensor result = dispatch_lane(lane_type(a.dtype()), [&]<class T>() -> any_tensor {
        const operand<T> values(a);
        if (const auto f = find(functions_of_numbers<T>(), name)) return computed<T>(f, values);
        if constexpr (std::is_floating_point_v<T>) {
            if (const auto f = find(functions_of_floats<T>(), name)) return computed<T>(f, values);
        } else {
            if (const auto f = find(functions_of_integers<T>(), name)) return computed<T>(f, values);
        }
        throw edge::unsupported_error(edge::message(name, " of ", a.dtype(), " is not supported"));
    });
    return convert(result, a.dtype());
}

inline any_tensor binary(std::string_view name, const any_tensor& a, const any_tensor& b) {
    dtype type = promote(a.dtype(), b.dtype());
    const bool compares = find(comparisons<double>(), name) != nullptr;
    const bool divides = name == "fmod" || name == "remainder" || name == "floor_divide";
    if (find(operations_on_floats<double>(), name) != nullptr && !is_float(type))
        type = dtype::f64;  // as NumPy's true_divide
    if (type == dtype::boolean && !compares)
        throw edge::unsupported_error(edge::message(name, " of bool is not supported"));
    // Brought to the common type first: NumPy rounds and wraps there.
    const any_tensor left = convert(a, type);
    const any_tensor right = convert(b, type);
    const any_tensor result = dispatch_lane(lane_type(type), [&]<class T>() -> any_tensor {
        const operand<T> first(left);
        const operand<T> second(right);
        if (const auto f = find(comparisons<T>(), name)) return computed<T>(f, first, second);
        if constexpr (std::is_floating_point_v<T>) {
            if (const auto f = find(operations_on_floats<T>(), name)) return computed<T>(f, first, second);
        } else {
            if (divides && edge::any(static_cast<const edge::tensor<T>&>(second) == T{0}))
                throw edge::argument_error("integer division by zero");
            if (const auto f = find(operations_on_integers<T>(), name)) return computed<T>(f, first, second);
        }
        if (const auto f = find(operations_on_numbers<T>(), name)) return computed<T>(f, first, second);
        throw edge::unsupported_error(edge::message(name, " of ", type, " is not supported"));
    });
    return compares ? result : convert(result, type);
}

/// An operation element by element; one operand or two, by its name.
/// @throws argument_error     if there is no such operation, or it takes another number of operands
/// @throws unsupported_error  if it does not take the type
inline any_tensor elementwise(std::string_view name, const std::vector<any_tensor>& operands) {
    const auto is_one_of = [&](const std::string& names) {
        return !name.empty() && (" " + names + " ").find(" " + std::string(name) + " ") != std::string::npos;
    };
    const bool is_unary = is_one_of(unary_names());
    if (!is_unary && !is_one_of(binary_names()))
        throw edge::argument_error(
            edge::message("no operation '", name, "'; expected one of ", unary_names(), " ", binary_names()));
    const std::size_t expected = is_unary ? 1 : 2;
    if (operands.size() != expected)
        throw edge::argument_error(edge::message(name, " takes ", expected, " operand", expected == 1 ? "" : "s", ", ",
                                                 operands.size(), " given"));
    if (has(logical_names, name)) return logical(name, operands);
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
