// SPDX-License-Identifier: MIT
#pragma once

/// @file Expressions: what is to be computed for each element, before anything is.
///
///     auto e = a * b + 2.0f * c;             // nothing is computed, nothing is allocated
///     edge::tensor<float> d = edge::eval(e);
///
/// A node sees the arrays it was made from, or holds the array itself where that was a temporary; it lives no longer than
/// the arrays it sees. Shapes are broadcast as in NumPy: aligned at the last axis, extents of one are stretched.
/// All arrays of an expression have one element type; scalars take it; comparisons give bool.

#include <edge/core/dtype.hpp>
#include <edge/core/tensor.hpp>
#include <edge/simd/detail/loop.hpp>
#include <edge/simd/detail/operation.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

namespace edge {

/// A type that arrays of expressions have.
template <class T>
concept element = std::same_as<T, bool> || std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t> ||
    std::same_as<T, std::int16_t> || std::same_as<T, std::uint16_t> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::uint32_t> || std::same_as<T, std::int64_t> || std::same_as<T, std::uint64_t> ||
    std::same_as<T, float> || std::same_as<T, double>;

/// The shape of two arrays together, by NumPy's rule.
/// @throws shape_error  if they do not fit; the message names both
[[nodiscard]] inline shape broadcast(const shape& a, const shape& b) {
    const shape& longer = a.rank() >= b.rank() ? a : b;
    const shape& shorter = a.rank() >= b.rank() ? b : a;
    index_list extents = longer.extents();
    const std::size_t added = longer.rank() - shorter.rank();
    for (std::size_t i = 0; i < shorter.rank(); ++i) {
        if (extents[added + i] == 1) {
            extents[added + i] = shorter[i];
        } else if (shorter[i] != 1 && shorter[i] != extents[added + i]) {
            throw shape_error(message("shapes ", a, " and ", b, " do not broadcast"));
        }
    }
    return shape(extents);
}

/// What nodes have in common. It is here so that operators on them are found.
struct expression_base {};

namespace detail {

template <class T>
struct tensor_traits : std::false_type {};
template <class T>
struct tensor_traits<tensor<T>> : std::true_type {};
template <class T>
struct tensor_traits<tensor_view<T>> : std::true_type {};

}  // namespace detail

/// A node of an expression.
template <class E>
concept expression = std::derived_from<std::remove_cvref_t<E>, expression_base>;

/// An array of this library, or an expression of such.
template <class X>
concept edge_array = expression<X> || detail::tensor_traits<std::remove_cvref_t<X>>::value;

namespace detail {

template <class X>
using range_value = std::remove_cvref_t<decltype(*std::data(std::declval<X&>()))>;

}  // namespace detail

/// A contiguous range of elements that outlives the call: std::span, or an lvalue std::vector or std::array.
template <class X>
concept element_range = !edge_array<X> && contiguous_values<X> && element<detail::range_value<X>>;

/// What an expression can be made of.
template <class X>
concept array = edge_array<X> || element_range<X>;

namespace detail {

/// The elements of an array in a loop.
template <element T>
struct bound_array {
    static constexpr std::size_t arrays = 1;
    static constexpr bool is_long = false;
    simd::detail::row<const T> from;
    template <class At>
    EDGE_ALWAYS_INLINE auto get(const At& at) const noexcept {
        return at.load(from);
    }
    template <class List>
    void collect(List& rows) {
        rows.add(&from);
    }
};

/// Where a result goes that is contiguous: its shape and its bytes.
struct flat_result {
    const edge::shape& shape;
    const char* first;
    const char* last;
    std::size_t element_bytes;
};

/// Whether contiguous elements of `extents` from `data` on go beside those of the result one by one: the shapes are the
/// same, and what is written was read before.
template <class T>
[[nodiscard]] EDGE_ALWAYS_INLINE bool goes_flat(const T* data, const shape& extents, const flat_result& to) noexcept {
    const auto* first = reinterpret_cast<const char*>(data);
    if (!(extents == to.shape)) return false;
    if (first == to.first) return sizeof(T) == to.element_bytes;
    return !simd::detail::meet(first, reinterpret_cast<const char*>(data + extents.size()), to.first, to.last);
}

/// A node that sees an array through a view.
template <element T>
class array_node : public expression_base {
public:
    using value_type = T;
    using lane_type = std::conditional_t<std::is_same_v<T, bool>, void, T>;

    explicit array_node(tensor_view<const T> view) : view_(view) {}

    [[nodiscard]] const edge::shape& shape() const noexcept { return view_.shape(); }
    [[nodiscard]] tensor_view<const T> view() const noexcept { return view_; }
    void check() const {}
    [[nodiscard]] bool is_flat(const flat_result& to) const noexcept {
        return view_.is_contiguous() && goes_flat(view_.data(), view_.shape(), to);
    }
    [[nodiscard]] bound_array<T> bind() const noexcept { return {simd::detail::row<const T>(view_.data())}; }
    template <class List>
    void describe(List& arrays, const edge::shape& to) const {
        arrays.add({view_.data(), static_cast<index_t>(sizeof(T)), view_.shape(), view_.strides(), to});
    }

private:
    tensor_view<const T> view_;
};

/// A node of a tensor: one that lives elsewhere, or its own where `Held` is no reference.
template <class Held>
class tensor_node : public expression_base {
public:
    using value_type = typename std::remove_cvref_t<Held>::value_type;
    using lane_type = typename array_node<value_type>::lane_type;

    explicit tensor_node(Held&& values) : values_(std::forward<Held>(values)) {}

    [[nodiscard]] const edge::shape& shape() const noexcept { return values_.shape(); }
    [[nodiscard]] tensor_view<const value_type> view() const noexcept { return values_; }
    void check() const {}
    [[nodiscard]] bool is_flat(const flat_result& to) const noexcept {
        return goes_flat(values_.data(), values_.shape(), to);
    }
    [[nodiscard]] bound_array<value_type> bind() const noexcept {
        return {simd::detail::row<const value_type>(values_.data())};
    }
    template <class List>
    void describe(List& arrays, const edge::shape& to) const {
        array_node<value_type>(view()).describe(arrays, to);
    }

private:
    Held values_;
};

/// A node of one value, of any shape.
template <element T>
class constant_node : public expression_base {
public:
    using value_type = T;
    using lane_type = T;

    explicit constant_node(T value) : value_(value) {}

    [[nodiscard]] edge::shape shape() const noexcept { return {}; }
    [[nodiscard]] T value() const noexcept { return value_; }
    void check() const {}
    [[nodiscard]] bool is_flat(const flat_result&) const noexcept { return true; }

    struct bound {
        static constexpr std::size_t arrays = 0;
        static constexpr bool is_long = false;
        T value;
        template <class At>
        EDGE_ALWAYS_INLINE auto get(const At&) const noexcept {
            return simd::batch<T, typename At::arch>(value);
        }
        template <class List>
        void collect(List&) const {}
    };
    [[nodiscard]] bound bind() const noexcept { return {value_}; }
    template <class List>
    void describe(List&, const edge::shape&) const {}

private:
    T value_;
};

/// A function that is long, for the ends of rows: every expression would hold copies of it otherwise.
template <class Op, class... V>
EDGE_NEVER_INLINE auto called(const Op op, V... v) {
    return op.apply(v...);
}

template <class At, class Op, class... V>
EDGE_ALWAYS_INLINE auto applied(const Op& op, const V&... v) {
    if constexpr (Op::is_long && !At::is_hot) {
        return called<Op>(op, v...);
    } else {
        return op.apply(v...);
    }
}

template <class Op, class... B>
struct bound_operation;

template <class Op, class A>
struct bound_operation<Op, A> {
    static constexpr std::size_t arrays = A::arrays;
    static constexpr bool is_long = Op::is_long || A::is_long;
    [[no_unique_address]] Op op;
    A a;
    template <class At>
    EDGE_ALWAYS_INLINE auto get(const At& at) const noexcept {
        return applied<At>(op, a.get(at));
    }
    template <class List>
    void collect(List& list) {
        a.collect(list);
    }
};

template <class Op, class A, class B>
struct bound_operation<Op, A, B> {
    static constexpr std::size_t arrays = A::arrays + B::arrays;
    static constexpr bool is_long = Op::is_long || A::is_long || B::is_long;
    [[no_unique_address]] Op op;
    A a;
    B b;
    template <class At>
    EDGE_ALWAYS_INLINE auto get(const At& at) const noexcept {
        return applied<At>(op, a.get(at), b.get(at));
    }
    template <class List>
    void collect(List& list) {
        a.collect(list);
        b.collect(list);
    }
};

template <class Op, class A, class B, class C>
struct bound_operation<Op, A, B, C> {
    static constexpr std::size_t arrays = A::arrays + B::arrays + C::arrays;
    static constexpr bool is_long = Op::is_long || A::is_long || B::is_long || C::is_long;
    [[no_unique_address]] Op op;
    A a;
    B b;
    C c;
    template <class At>
    EDGE_ALWAYS_INLINE auto get(const At& at) const noexcept {
        return applied<At>(op, a.get(at), b.get(at), c.get(at));
    }
    template <class List>
    void collect(List& list) {
        a.collect(list);
        b.collect(list);
        c.collect(list);
    }
};

/// The lane type of the first operand that has one; bool arrays have none of their own.
template <class... T>
struct first_lane {
    using type = void;
};
template <class T, class... Rest>
struct first_lane<T, Rest...> {
    using type = std::conditional_t<std::is_void_v<T>, typename first_lane<Rest...>::type, T>;
};

/// Throws if an element of a divisor is zero. Reads it once, before anything is written.
template <class E>
void check_divisor(const E& divisor);

/// A node that applies an operation to the elements of its operands.
template <class Op, expression... E>
class operation_node : public expression_base {
public:
    using lane_type = typename first_lane<typename E::lane_type...>::type;
    using value_type = std::conditional_t<Op::result == simd::detail::op::gives::truth, bool, lane_type>;

    explicit operation_node(E... operands) : operands_(std::move(operands)...) {}
    operation_node(Op op, E... operands) : op_(std::move(op)), operands_(std::move(operands)...) {}

    /// @throws shape_error  if the operands do not broadcast
    [[nodiscard]] edge::shape shape() const {
        return std::apply(
            [](const auto& first, const auto&... rest) {
                edge::shape result = first.shape();
                ((result = broadcast(result, rest.shape())), ...);
                return result;
            },
            operands_);
    }

    /// @throws argument_error  if an integer is to be divided by zero
    void check() const {
        std::apply([](const auto&... e) { (e.check(), ...); }, operands_);
        if constexpr (Op::divides && std::is_integral_v<lane_type>) check_divisor(std::get<1>(operands_));
    }

    /// Whether this goes element by element with a contiguous result, in one run and with nothing overwritten too early.
    [[nodiscard]] bool is_flat(const flat_result& to) const noexcept {
        return std::apply([&](const auto&... e) { return (e.is_flat(to) && ...); }, operands_);
    }
    [[nodiscard]] auto bind() const noexcept {
        return std::apply(
            [this](const auto&... e) {
                return bound_operation<Op, decltype(e.bind())...>{op_, e.bind()...};
            },
            operands_);
    }
    /// Adds the arrays below this node, stretched to the shape of the result.
    template <class List>
    void describe(List& arrays, const edge::shape& to) const {
        std::apply([&](const auto&... e) { (e.describe(arrays, to), ...); }, operands_);
    }

private:
    [[no_unique_address]] Op op_{};
    std::tuple<E...> operands_;
};

/// The node of an operand: itself, a view of it, or, for a temporary tensor, its own.
template <array X>
[[nodiscard]] auto as_node(X&& x) {
    using D = std::remove_cvref_t<X>;
    if constexpr (expression<X>) {
        return D(std::forward<X>(x));
    } else if constexpr (tensor_traits<D>::value) {
        using T = typename D::value_type;
        if constexpr (!std::is_same_v<D, tensor<T>>) {
            return array_node<T>(tensor_view<const T>(x));
        } else if constexpr (std::is_rvalue_reference_v<X&&> && !std::is_const_v<std::remove_reference_t<X>>) {
            return tensor_node<tensor<T>>(std::move(x));
        } else {
            return tensor_node<const tensor<T>&>(x);
        }
    } else {
        using T = range_value<X>;
        return array_node<T>(tensor_view<const T>(edge::view(x)));
    }
}

template <array X>
using node_of = decltype(as_node(std::declval<X>()));

}  // namespace detail

/// Type of the elements of an array or expression.
template <array X>
using value_type_of = typename detail::node_of<X>::value_type;

/// An array of numbers: truth values do not add up.
template <class X>
concept number_array = array<X> && !std::same_as<value_type_of<X>, bool>;

/// An array of truth values, such as a comparison.
template <class X>
concept truth_array = array<X> && std::same_as < value_type_of<X>,
bool > ;

/// Arrays that one loop can go over: for other types convert one of them first.
template <class A, class B>
concept same_element_types = number_array<A> && number_array<B> && std::same_as<value_type_of<A>, value_type_of<B>>;

/// A number that an array of T takes: any for floats, a whole one for integers.
template <class S, class T>
concept scalar_for = std::is_arithmetic_v<std::remove_cvref_t<S>> && !std::same_as<std::remove_cvref_t<S>, bool> &&
                     !std::same_as<T, bool> && (std::floating_point<T> || std::integral<std::remove_cvref_t<S>>);

namespace detail {

/// @throws argument_error  if an integer is not one of T
template <element T, class S>
[[nodiscard]] constant_node<T> as_constant(S value) {
    if constexpr (std::is_integral_v<T> && std::is_integral_v<S>) {
        if (!std::in_range<T>(value))
            throw argument_error(message("scalar ", value, " is outside the range of ", dtype_of<T>));
    }
    return constant_node<T>(static_cast<T>(value));
}

/// The node of an array of T, or that of a scalar beside one.
template <element T, class X>
[[nodiscard]] auto as_operand(X&& x) {
    if constexpr (array<X>) {
        return as_node(std::forward<X>(x));
    } else {
        return as_constant<T>(x);
    }
}

/// Values that are in a register: what stands for an array inside a lifted function. Operations on it are done at once.
template <class T, class Arch>
struct pack : expression_base {
    using value_type = T;
    using lane_type = T;
    using arch = Arch;
    simd::batch<T, Arch> values;
    explicit pack(const simd::batch<T, Arch>& v) : values(v) {}
};

/// The same of truth values; `T` is the type of what they are about.
template <class T, class Arch>
struct truth_pack : expression_base {
    using value_type = bool;
    using lane_type = T;
    using arch = Arch;
    simd::batch_bool<T, Arch> values;
    explicit truth_pack(const simd::batch_bool<T, Arch>& v) : values(v) {}
};

template <class T, class Arch>
[[nodiscard]] auto as_pack(const simd::batch<T, Arch>& v) {
    return pack<T, Arch>(v);
}
template <class T, class Arch>
[[nodiscard]] auto as_pack(const simd::batch_bool<T, Arch>& v) {
    return truth_pack<T, Arch>(v);
}

template <class E>
inline constexpr bool is_pack = requires(const E& e) {
    e.values;
};

/// The architecture of the first operand that is in a register.
template <class... E>
struct arch_of {
    using type = void;
};
template <class E, class... Rest>
struct arch_of<E, Rest...> : arch_of<Rest...> {};
template <class E, class... Rest>
requires is_pack<E>
struct arch_of<E, Rest...> {
    using type = typename E::arch;
};

/// The register of an operand: its own, or one full of a constant.
template <class Arch, class E>
[[nodiscard]] EDGE_ALWAYS_INLINE auto register_of(const E& e) {
    if constexpr (is_pack<E>) {
        return e.values;
    } else {
        static_assert(
            requires { e.value(); }, "a lifted function takes arrays as arguments; it cannot capture them");
        return simd::batch<typename E::value_type, Arch>(e.value());
    }
}

/// The operation on its operands: a node, or, of registers, its result.
template <class Op, class... E>
[[nodiscard]] EDGE_ALWAYS_INLINE auto make_node(E... operands) {
    if constexpr ((is_pack<E> || ...)) {
        using arch = typename arch_of<E...>::type;
        return as_pack(Op::apply(register_of<arch>(operands)...));
    } else {
        return operation_node<Op, E...>(std::move(operands)...);
    }
}

}  // namespace detail
}  // namespace edge
