// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators that scale by what they find in the data: softmax, and normalization by mean and variance.

#include <edge/nn/operator.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/move.hpp>
#include <edge/nn/softmax.hpp>

#include <cmath>

namespace edge::nn::operators {

namespace detail {

template <class T>
void log_softmax_of(const T* x, T* y, index_t outer, index_t n, index_t inner) {
    for (index_t o = 0; o < outer; ++o)
        for (index_t i = 0; i < inner; ++i) {
            const T* from = x + o * n * inner + i;
            T* to = y + o * n * inner + i;
            double most = -std::numeric_limits<double>::infinity();
            for (index_t k = 0; k < n; ++k) most = (std::max)(most, static_cast<double>(from[k * inner]));
            double sum = 0;
            for (index_t k = 0; k < n; ++k) sum += std::exp(static_cast<double>(from[k * inner]) - most);
            const double shift = most + std::log(sum);
            for (index_t k = 0; k < n; ++k)
                to[k * inner] = static_cast<T>(static_cast<double>(from[k * inner]) - shift);
        }
}

/// Along one axis from opset 13 on; before, along all axes from `axis` to the last.
inline kernel softmax(preparation& p, bool log) {
    const edge::shape& x = p.shape(0);
    const bool one_axis = p.opset() >= 13;
    const auto wish = static_cast<index_t>(p.node().integer("axis", one_axis ? -1 : 1));
    const std::size_t axis = !one_axis && wish == static_cast<index_t>(x.rank()) ? x.rank() : x.axis(wish);
    split_shape around(x, one_axis ? axis : (std::min)(axis, x.rank() - 1));
    index_t n = one_axis ? x[axis] : 1;
    if (!one_axis) {
        around = split_shape(edge::shape{}, 0);
        for (std::size_t i = 0; i < x.rank(); ++i) (i < axis ? around.outer : n) *= x[i];
    }
    p.output(0, p.type(0), x);
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return [around, n, log](const arguments& a) {
            if (n == 0) return;
            if (log)
                log_softmax_of(a.input<T>(0), a.output<T>(0), around.outer, n, around.inner);
            else
                nn::detail::softmax_f32<nn::detail::native>(a.input<T>(0), a.output<T>(0), around.outer, n,
                                                            around.inner);
        };
    });
}

/// The number of elements of each of these inputs is `count`, and their type that of input 0.
inline void need_lists(const preparation& p, std::initializer_list<std::size_t> list, index_t count) {
    for (const std::size_t i : list) {
        need_equal_types(p, 0, i);
        if (p.shape(i).size() != count)
            throw shape_error(message("input ", i, " has shape ", p.shape(i), "; expected ", count, " elements"));
    }
}

/// y[n, c, …] = x · a[c] + b[c], with a and b made of statistics that are given.
inline kernel batch_normalization(preparation& p) {
    const edge::shape& x = p.shape(0);
    if (x.rank() < 2) throw shape_error(message("input has shape ", x, "; expected [n, c, …]"));
    if (p.node().integer("training_mode", 0) != 0 || p.wants(1))
        throw unsupported_error("training mode is not supported");
    need_lists(p, {1, 2, 3, 4}, x[1]);
    p.output(0, p.type(0), x);
    const float epsilon = p.node().real("epsilon", 1e-5f);
    const split_shape around(x, 1);
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return [around, channels = x[1], epsilon](const arguments& a) {
            const T* from = a.input<T>(0);
            T* to = a.output<T>(0);
            for (index_t n = 0; n < around.outer; ++n)
                for (index_t c = 0; c < channels; ++c) {
                    const T scale = a.input<T>(1)[c] / std::sqrt(a.input<T>(4)[c] + static_cast<T>(epsilon));
                    const T shift = a.input<T>(2)[c] - a.input<T>(3)[c] * scale;
                    for (index_t i = 0; i < around.inner; ++i) *to++ = *from++ * scale + shift;
                }
        };
    });
}

struct statistics {
    double mean, inverse_deviation;
};

template <class T>
statistics statistics_of(const T* x, index_t n, double epsilon) {
    double sum = 0;
    for (index_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
    const double mean = sum / static_cast<double>(n);
    double squares = 0;
    for (index_t i = 0; i < n; ++i) squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
    return {mean, 1 / std::sqrt(squares / static_cast<double>(n) + epsilon)};
}

/// Over the axes from `axis` on; scale and bias have their shape.
inline kernel layer_normalization(preparation& p) {
    const edge::shape& x = p.shape(0);
    const std::size_t axis = x.axis(static_cast<index_t>(p.node().integer("axis", -1)));
    index_list kept = x.extents();
    index_t outer = 1;
    index_t n = 1;
    for (std::size_t i = 0; i < x.rank(); ++i) {
        (i < axis ? outer : n) *= x[i];
        if (i >= axis) kept[i] = 1;
    }
    need_lists(p, {1}, n);
    if (p.has(2)) need_lists(p, {2}, n);
    p.output(0, p.type(0), x);
    p.output(1, p.type(0), edge::shape(kept));
    p.output(2, p.type(0), edge::shape(kept));
    const auto epsilon = static_cast<double>(p.node().real("epsilon", 1e-5f));
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return
            [outer, n, epsilon, has_bias = p.has(2), wants = std::array{p.wants(1), p.wants(2)}](const arguments& a) {
                for (index_t o = 0; o < outer; ++o) {
                    const T* from = a.input<T>(0) + o * n;
                    T* to = a.output<T>(0) + o * n;
                    const auto s = statistics_of(from, n, epsilon);
                    for (index_t i = 0; i < n; ++i) {
                        const double v = (static_cast<double>(from[i]) - s.mean) * s.inverse_deviation;
                        to[i] = static_cast<T>(v) * a.input<T>(1)[i] + (has_bias ? a.input<T>(2)[i] : T{0});
                    }
                    if (wants[0]) a.output<T>(1)[o] = static_cast<T>(s.mean);
                    if (wants[1]) a.output<T>(2)[o] = static_cast<T>(s.inverse_deviation);
                }
            };
    });
}

/// Over each channel of each image (InstanceNormalization), or over groups of channels (GroupNormalization).
inline kernel channel_normalization(preparation& p) {
    const edge::shape& x = p.shape(0);
    if (x.rank() < 2) throw shape_error(message("input has shape ", x, "; expected [n, c, …]"));
    const auto groups = static_cast<index_t>(p.node().integer("num_groups", x[1]));
    if (groups < 1 || x[1] % groups != 0)
        throw argument_error(message("num_groups ", groups, " for ", x[1], " channels"));
    // Up to opset 20, GroupNormalization has one scale a group.
    const index_t scales = p.shape(1).size() == groups ? groups : x[1];
    need_lists(p, {1, 2}, scales);
    p.output(0, p.type(0), x);
    const auto epsilon = static_cast<double>(p.node().real("epsilon", 1e-5f));
    const index_t pixels = split_shape(x, 1).inner;
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return [=, images = x[0], channels = x[1]](const arguments& a) {
            const index_t n = channels / groups * pixels;
            for (index_t block = 0; block < images * groups; ++block) {
                const T* from = a.input<T>(0) + block * n;
                T* to = a.output<T>(0) + block * n;
                const auto s = statistics_of(from, n, epsilon);
                for (index_t i = 0; i < n; ++i) {
                    const index_t channel = block % groups * (channels / groups) + i / pixels;
                    const auto at = scales == channels ? channel : block % groups;
                    const double v = (static_cast<double>(from[i]) - s.mean) * s.inverse_deviation;
                    to[i] = static_cast<T>(v) * a.input<T>(1)[at] + a.input<T>(2)[at];
                }
            }
        };
    });
}

inline kernel lp_normalization(preparation& p) {
    const edge::shape& x = p.shape(0);
    const std::size_t axis = x.axis(static_cast<index_t>(p.node().integer("axis", -1)));
    const auto order = p.node().integer("p", 2);
    if (order != 1 && order != 2) throw argument_error(message("p ", order, "; expected 1 or 2"));
    p.output(0, p.type(0), x);
    const split_shape around(x, axis);
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return [around, order, n = x[axis]](const arguments& a) {
            for (index_t o = 0; o < around.outer; ++o)
                for (index_t i = 0; i < around.inner; ++i) {
                    const index_t start = o * n * around.inner + i;
                    double sum = 0;
                    for (index_t k = 0; k < n; ++k) {
                        const auto v = static_cast<double>(a.input<T>(0)[start + k * around.inner]);
                        sum += order == 1 ? std::abs(v) : v * v;
                    }
                    const double norm = order == 1 ? sum : std::sqrt(sum);
                    for (index_t k = 0; k < n; ++k) {
                        const auto v = static_cast<double>(a.input<T>(0)[start + k * around.inner]);
                        a.output<T>(0)[start + k * around.inner] = static_cast<T>(norm == 0 ? 0 : v / norm);
                    }
                }
        };
    });
}

}  // namespace detail

inline constexpr operator_row normalizations[] = {
    {"Softmax", [](preparation& p) { return detail::softmax(p, false); }},
    {"LogSoftmax", [](preparation& p) { return detail::softmax(p, true); }},
    {"BatchNormalization", detail::batch_normalization},
    {"LayerNormalization", detail::layer_normalization},
    {"InstanceNormalization", detail::channel_normalization},
    {"GroupNormalization", detail::channel_normalization},
    {"LpNormalization", detail::lp_normalization},
};

}  // namespace edge::nn::operators
