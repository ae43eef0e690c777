// SPDX-License-Identifier: MIT
#pragma once

/// @file Products of vectors and matrices, as NumPy's matmul, dot, outer and trace.
///
///     auto c = edge::matmul(a, b);               // [m, k] x [k, n]; batches [..., m, k] broadcast
///     edge::matmul(out, a, b, {.threads = 2});   // into your memory
///     float s = edge::dot(x, y);
///
/// A vector on the left is a row and one on the right a column; the result lacks that axis. Operands may be transposed or
/// otherwise apart in memory at no cost. Integers keep their type and wrap. The bits do not depend on the number of threads.

#include <edge/simd/detail/contract.hpp>
#include <edge/simd/elementwise.hpp>
#include <edge/simd/reduce.hpp>

namespace edge {

namespace detail {

/// A view of an array, or what an expression comes to.
template <number_array X>
[[nodiscard]] auto as_operand(X&& x) {
    using T = value_type_of<X>;
    if constexpr (expression<X>) {
        return eval(x);
    } else if constexpr (edge_array<X>) {
        return tensor_view<const T>(x);
    } else {
        return tensor_view<const T>(edge::view(x));
    }
}

/// Shapes of a matrix product, by NumPy's rules.
struct matmul_shapes {
    shape result;
    index_t m = 1;
    index_t k;
    index_t n = 1;

    /// @throws shape_error  if they do not fit
    matmul_shapes(const shape& a, const shape& b) {
        const auto refuse = [&](const char* why) {
            throw shape_error(message("matmul of shapes ", a, " and ", b, ": ", why));
        };
        if (a.rank() == 0 || b.rank() == 0) refuse("a scalar is no matrix");
        k = a.back();
        if (k != b[b.rank() == 1 ? 0 : b.rank() - 2]) refuse("the last axis of the first does not fit the second");
        index_list left;
        index_list right;
        for (std::size_t i = 0; i + 2 < a.rank(); ++i) left.push_back(a[i]);
        for (std::size_t i = 0; i + 2 < b.rank(); ++i) right.push_back(b[i]);
        index_list extents;
        try {
            extents = broadcast(shape(left), shape(right)).extents();
        } catch (const shape_error&) {
            refuse("the axes before the last two do not broadcast");
        }
        if (a.rank() > 1) {
            m = a[a.rank() - 2];
            extents.push_back(m);
        }
        if (b.rank() > 1) {
            n = b.back();
            extents.push_back(n);
        }
        result = shape(extents);
    }
};

/// Whether writing to `out` could change what is read from `in`.
template <class T>
[[nodiscard]] bool overlap(const tensor_view<T>& out, const tensor_view<const T>& in) noexcept {
    const auto reach_of = [](const auto& v) {
        return simd::detail::reach(reinterpret_cast<const char*>(v.data()), sizeof(T), v.shape().extents(),
                                   v.strides());
    };
    const auto to = reach_of(out);
    const auto from = reach_of(in);
    return simd::detail::meet(from.first, from.second, to.first, to.second);
}

template <class T>
void matmul_into(const tensor_view<T>& out, const tensor_view<const T>& a, const tensor_view<const T>& b,
                 const matmul_shapes& shapes, int threads) {
    if (out.empty()) return;
    if (shapes.k == 0) {
        static constexpr T zero{};
        return assign(out, tensor_view<const T>(&zero, shape{}), {.threads = threads});
    }
    const std::size_t a_rank = a.rank();
    const std::size_t b_rank = b.rank();
    const std::size_t matrix_axes = (a_rank > 1 ? 1U : 0U) + (b_rank > 1 ? 1U : 0U);
    const std::size_t batch_axes = out.rank() - matrix_axes;
    simd::detail::product_plan plan;
    for (std::size_t i = 0; i < batch_axes; ++i) {
        const index_t extent = out.shape()[i];
        const auto step_of = [&](const tensor_view<const T>& v) -> index_t {
            const std::size_t missing = batch_axes + 2 - (std::max)(v.rank(), std::size_t{2});
            return i < missing || v.shape()[i - missing] == 1 ? 0 : v.strides()[i - missing];
        };
        const index_t a_step = step_of(a);
        const index_t b_step = step_of(b);
        // A batch of one operand alone is more of its rows or columns.
        auto& kind = b_step == 0 ? plan.rows : a_step == 0 ? plan.columns : plan.batch;
        kind.add({extent, a_step, b_step, out.strides()[i]});
    }
    if (a_rank > 1) plan.rows.add({shapes.m, a.strides()[a_rank - 2], 0, out.strides()[batch_axes]});
    if (b_rank > 1) plan.columns.add({shapes.n, 0, b.strides()[b_rank - 1], out.strides()[out.rank() - 1]});
    plan.inner.add({shapes.k, a.strides()[a_rank - 1], b.strides()[b_rank == 1 ? 0 : b_rank - 2], 0});
    plan.join();
    simd::detail::run_product(a.data(), b.data(), out.data(), plan, threads);
}

}  // namespace detail

/// Matrix product of [..., m, k] and [..., k, n]; the axes before the last two broadcast.
/// @throws shape_error  if the shapes do not fit; the message names both
template <number_array A, number_array B>
requires same_element_types<A, B>
[[nodiscard]] auto matmul(A&& a, B&& b, const compute_options& options = {}) {
    using T = value_type_of<A>;
    const auto& left = detail::as_operand(a);
    const auto& right = detail::as_operand(b);
    const detail::matmul_shapes shapes(left.shape(), right.shape());
    auto out = tensor<T>::uninitialized(shapes.result);
    detail::matmul_into<T>(out, left, right, shapes, options.threads);
    return out;
}

/// The same into memory that is there. It may be that of an operand; the product is made apart then.
/// @throws shape_error  if the shapes do not fit; nothing is written then
template <class Out, number_array A, number_array B>
requires edge_array<Out> && same_element_types<A, B> && same_element_types<Out, A>
void matmul(Out&& out, A&& a, B&& b, const compute_options& options = {}) {
    using T = value_type_of<A>;
    const auto& left = detail::as_operand(a);
    const auto& right = detail::as_operand(b);
    const tensor_view<T> to(out);
    const detail::matmul_shapes shapes(left.shape(), right.shape());
    if (!(shapes.result == to.shape()))
        throw shape_error(message("matmul of shapes ", left.shape(), " and ", right.shape(), " is of shape ",
                                  shapes.result, ", not ", to.shape()));
    if (detail::overlap<T>(to, left) || detail::overlap<T>(to, right)) {
        auto apart = tensor<T>::uninitialized(shapes.result);
        detail::matmul_into<T>(apart, left, right, shapes, options.threads);
        assign(to, apart, options);
    } else {
        detail::matmul_into<T>(to, left, right, shapes, options.threads);
    }
}

/// Σ a[i]·b[i] of two vectors, in pairs: the error grows with log n. Integers keep their type and wrap.
/// @throws shape_error  if they are not vectors of one length
template <number_array A, number_array B>
requires same_element_types<A, B>
[[nodiscard]] auto dot(A&& a, B&& b, const compute_options& options = {}) {
    using T = value_type_of<A>;
    const auto& x = detail::as_operand(a);
    const auto& y = detail::as_operand(b);
    if (x.rank() != 1 || !(x.shape() == y.shape()))
        throw shape_error(message("dot of shapes ", x.shape(), " and ", y.shape(), "; expected vectors of one length"));
    T sum{};
    if (!x.empty())
        detail::matmul_into<T>(tensor_view<T>(&sum, shape{}), x, y, {x.shape(), y.shape()}, options.threads);
    return sum;
}

/// a[i]·b[j] of two vectors.
/// @throws shape_error  if they are not vectors
template <number_array A, number_array B>
requires same_element_types<A, B>
[[nodiscard]] auto outer(A&& a, B&& b, const compute_options& options = {}) {
    using T = value_type_of<A>;
    const auto& x = detail::as_operand(a);
    const auto& y = detail::as_operand(b);
    if (x.rank() != 1 || y.rank() != 1)
        throw shape_error(message("outer of shapes ", x.shape(), " and ", y.shape(), "; expected vectors"));
    const tensor_view<const T> row(x);
    const tensor_view<const T> column(row.data(), {row.shape()[0], 1}, {row.strides()[0], 0});
    return eval(column * tensor_view<const T>(y), options);
}

/// Sum of the diagonal of a matrix, of the type of sums: 64 bits for integers.
/// @throws shape_error  if it is no matrix
template <number_array A>
[[nodiscard]] auto trace(A&& a) {
    using T = value_type_of<A>;
    const auto& x = detail::as_operand(a);
    const tensor_view<const T> m(x);
    if (m.rank() != 2) throw shape_error(message("trace of shape ", m.shape(), "; expected a matrix"));
    const index_t count = (std::min)(m.shape()[0], m.shape()[1]);
    return sum(tensor_view<const T>(m.data(), {count}, {m.strides()[0] + m.strides()[1]}));
}

}  // namespace edge
