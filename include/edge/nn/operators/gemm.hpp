// SPDX-License-Identifier: MIT
#pragma once

/// @file Matrix products: Gemm, MatMul, and MatMulInteger with exact int32 sums.

#include <edge/nn/dense.hpp>
#include <edge/nn/operator.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/move.hpp>
#include <edge/nn/operators/shape.hpp>

#include <memory>

namespace edge::nn::operators {

namespace detail {

/// y [m, n] = x [m, k] · w [k, n]. Integers wrap.
template <class T>
void multiply(const T* x, const T* w, const T* bias, T* y, index_t m, index_t n, index_t k, int threads) {
    if constexpr (std::is_same_v<T, float>) {
        nn::detail::dense_f32<nn::detail::native>(x, k, w, n, bias, y, n, m, n, k, clamp{}, threads);
    } else {
        for (index_t i = 0; i < m; ++i, y += n) {
            for (index_t j = 0; j < n; ++j) y[j] = bias == nullptr ? T{} : bias[j];
            for (index_t l = 0; l < k; ++l)
                for (index_t j = 0; j < n; ++j) y[j] = plus(y[j], times(x[i * k + l], w[l * n + j]));
        }
    }
}

using nn::detail::for_types;
using multiply_loop = void (*)(const void* x, const void* w, void* y, index_t m, index_t n, index_t k, int threads);

template <class T>
void multiply_any(const void* x, const void* w, void* y, index_t m, index_t n, index_t k, int threads) {
    multiply(static_cast<const T*>(x), static_cast<const T*>(w), static_cast<const T*>(nullptr), static_cast<T*>(y), m,
             n, k, threads);
}

inline multiply_loop multiply_of(dtype type) {
    switch (type) {
        case dtype::f32: return multiply_any<float>;
        case dtype::f64: return multiply_any<double>;
        case dtype::i32: return multiply_any<std::int32_t>;
        case dtype::i64: return multiply_any<std::int64_t>;
        default: throw unsupported_error(message("elements of ", type, " are not supported"));
    }
}

/// How the shapes of a MatMul fit: NumPy's rules.
struct matmul_plan {
    index_t m, n, k;
    edge::shape result;
    std::vector<std::array<index_t, 2>> pairs;  ///< of matrices: offsets into both inputs

    matmul_plan(const edge::shape& a, const edge::shape& b) {
        if (a.rank() == 0 || b.rank() == 0) throw shape_error("a scalar cannot be multiplied as a matrix");
        index_list left = a.extents();
        index_list right = b.extents();
        if (a.rank() == 1) left.insert(0, 1);
        if (b.rank() == 1) right.push_back(1);
        m = left[left.size() - 2];
        k = left.back();
        n = right.back();
        if (right[right.size() - 2] != k) throw shape_error(message("cannot multiply ", a, " by ", b));
        const auto batch_of = [](index_list s) {
            s.erase(s.size() - 1);
            s.erase(s.size() - 1);
            return edge::shape(s);
        };
        const broadcast<2> batch({batch_of(left), batch_of(right)});
        pairs.reserve(static_cast<std::size_t>(listed(batch.result().size())));
        batch.rows([&](index_t, const std::array<index_t, 2>& at, index_t count) {
            for (index_t i = 0; i < count; ++i)
                pairs.push_back({(at[0] + i * batch.step(0)) * m * k, (at[1] + i * batch.step(1)) * k * n});
        });
        index_list extents = batch.result().extents();
        if (a.rank() > 1) extents.push_back(m);
        if (b.rank() > 1) extents.push_back(n);
        result = edge::shape(extents);
        // Rows of one long matrix, where the right side is the same for all.
        const auto count = static_cast<index_t>(pairs.size());
        if (count > 1 && right.size() == 2) {
            pairs.resize(1);
            m *= count;
        }
    }
    [[nodiscard]] index_t macs() const { return static_cast<index_t>(pairs.size()) * m * n * k; }
};

/// A product with weights that are packed once.
inline kernel dense(preparation& p, const simd::matrix<const float>& w, const float* bias, index_t rows) {
    using layer_type = dense_layer<nn::detail::native>;
    const auto layer = p.packed<layer_type>([&] { return layer_type(w, bias); });
    return [layer, rows, threads = p.threads()](const arguments& a) {
        layer->run(a.input<float>(0), nullptr, a.output<float>(0), rows, threads);
    };
}

inline kernel matmul(preparation& p) {
    need_equal_types(p, 0, 1);
    matmul_plan plan(p.shape(0), p.shape(1));
    p.output(0, p.type(0), plan.result);
    p.count_macs(plan.macs());
    const dtype type = p.type(0);
    if (const float* w = p.constant<float>(1); w != nullptr && plan.pairs.size() == 1)
        return dense(p, {w, plan.k, plan.n, plan.n}, nullptr, plan.m);
    return [plan = std::move(plan), loop = multiply_of(type), type, threads = p.threads()](const arguments& a) {
        index_t done = 0;
        for (const auto& [x, w] : plan.pairs) {
            loop(element(type, a.in[0], x), element(type, a.in[1], w), element(type, a.out[0], done), plan.m, plan.n,
                 plan.k, threads);
            done += plan.m * plan.n;
        }
    };
}

/// alpha·A·B + beta·C, A and B turned if asked.
inline kernel gemm(preparation& p) {
    need_equal_types(p, 0, 1);
    const bool turn_a = p.node().integer("transA", 0) != 0;
    const bool turn_b = p.node().integer("transB", 0) != 0;
    const float alpha = p.node().real("alpha", 1);
    const float beta = p.node().real("beta", 1);
    const edge::shape& a_shape = p.shape(0);
    const edge::shape& b_shape = p.shape(1);
    if (a_shape.rank() != 2 || b_shape.rank() != 2)
        throw shape_error(message("inputs ", a_shape, " and ", b_shape, "; expected matrices"));
    const index_t m = a_shape[turn_a ? 1 : 0];
    const index_t k = a_shape[turn_a ? 0 : 1];
    const index_t n = b_shape[turn_b ? 0 : 1];
    if (b_shape[turn_b ? 1 : 0] != k)
        throw shape_error(
            message("cannot multiply ", a_shape, turn_a ? " turned" : "", " by ", b_shape, turn_b ? " turned" : ""));
    const edge::shape result{m, n};
    p.output(0, p.type(0), result);
    p.count_macs(m * n * k);
    const bool has_c = p.has(2) && beta != 0;
    if (has_c) need_equal_types(p, 0, 2);
    const broadcast<2> add({result, has_c ? p.shape(2) : edge::shape{}});
    if (add.result() != result)
        throw shape_error(message("input 2 of shape ", p.shape(2), " does not broadcast to ", result));
    // A row that is added as it is, as in every dense layer, is added while the products are summed.
    const bool is_bias =
        has_c && alpha == 1 && beta == 1 && p.shape(2).size() == n && p.shape(2).rank() >= 1 && p.shape(2).back() == n;
    if (const float* w = p.constant<float>(1);
        w != nullptr && !turn_a && alpha == 1 && (!has_c || (is_bias && p.constant<float>(2) != nullptr))) {
        const float* bias = has_c ? p.constant<float>(2) : nullptr;
        return dense(p, turn_b ? simd::matrix<const float>{w, k, n, 1, k} : simd::matrix<const float>{w, k, n, n}, bias,
                     m);
    }
    return for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        auto a_turned = std::make_shared<std::vector<T>>(static_cast<std::size_t>(turn_a ? listed(m * k) : 0));
        auto b_turned =
            std::make_shared<std::vector<T>>(static_cast<std::size_t>(!turn_b                       ? 0
                                                                      : p.constant<T>(1) != nullptr ? k * n
                                                                                                    : listed(k * n)));
        const T* constant = turn_b ? p.constant<T>(1) : nullptr;
        if (constant != nullptr) turn(constant, n, k, b_turned->data());
        const bool turn_now = turn_b && constant == nullptr;
        return [=, threads = p.threads()](const arguments& args) {
            const T* x = args.input<T>(0);
            const T* w = args.input<T>(1);
            T* y = args.output<T>(0);
            if (turn_a) {
                turn(x, k, m, a_turned->data());
                x = a_turned->data();
            }
            if (turn_b) {
                if (turn_now) turn(w, n, k, b_turned->data());
                w = b_turned->data();
            }
            multiply(x, w, is_bias ? args.input<T>(2) : nullptr, y, m, n, k, threads);
            if (is_bias) return;
            if (alpha != 1)
                for (index_t i = 0; i < m * n; ++i) y[i] = static_cast<T>(static_cast<T>(alpha) * y[i]);
            if (!has_c) return;
            const T* c = args.input<T>(2);
            add.rows([&](index_t out, const std::array<index_t, 2>& at, index_t count) {
                for (index_t i = 0; i < count; ++i)
                    y[out + i] = plus(y[out + i], static_cast<T>(static_cast<T>(beta) * c[at[1] + i * add.step(1)]));
            });
        };
    });
}

}  // namespace detail

inline constexpr operator_row products[] = {{"MatMul", detail::matmul}, {"Gemm", detail::gemm}};

}  // namespace edge::nn::operators
