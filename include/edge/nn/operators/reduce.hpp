// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators that combine the elements along some axes into one: sums, means, extremes and where those are; and
/// running sums.
///
/// float is summed in double, integers in 64 bits, wrapping.

#include <edge/nn/operator.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/shape.hpp>

#include <cmath>
#include <limits>

namespace edge::nn::operators {

namespace detail {

/// The elements of a tensor by kept axes (outer) and reduced axes (inner).
struct reduction {
    edge::shape result;
    std::vector<index_t> outer;  ///< offset of the first element of each result
    std::vector<index_t> inner;  ///< offsets of those that are combined, from there
};

inline std::vector<index_t> offsets_of(const index_list& extents, const index_list& steps) {
    std::vector<index_t> list(static_cast<std::size_t>(listed(edge::shape(extents).size())));
    index_list at = extents;
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = 0;
    index_t offset = 0;
    for (index_t& entry : list) {
        entry = offset;
        for (std::size_t i = extents.size(); i-- > 0;) {
            offset += steps[i];
            if (++at[i] < extents[i]) break;
            offset -= steps[i] * extents[i];
            at[i] = 0;
        }
    }
    return list;
}

inline reduction reduce_over(const edge::shape& shape, const std::vector<std::int64_t>& axes, bool keep_dims) {
    unsigned reduced = axes.empty() ? (1U << shape.rank()) - 1 : 0;
    for (const auto axis : axes) reduced |= 1U << shape.axis(static_cast<index_t>(axis));
    const auto strides = shape.strides();
    index_list result, kept, kept_steps, gone, gone_steps;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        const bool is_gone = (reduced >> i & 1U) != 0;
        (is_gone ? gone : kept).push_back(shape[i]);
        (is_gone ? gone_steps : kept_steps).push_back(strides[i]);
        if (!is_gone) result.push_back(shape[i]);
        if (is_gone && keep_dims) result.push_back(1);
    }
    return {edge::shape(result), offsets_of(kept, kept_steps), offsets_of(gone, gone_steps)};
}

/// How elements of the wide type W are combined: the first value, a step for each element, and the result.
template <class W>
struct combination {
    W start{};
    W (*step)(W, W) = nullptr;
    W (*finish)(W, index_t) = nullptr;  ///< of the combined value and the count, or nullptr
    W (*before)(W) = nullptr;           ///< done to each element first, or nullptr
};

template <class W>
kernel reduce_kernel(reduction plan, dtype type, const combination<W>& c) {
    return [plan = std::move(plan), type, c](const arguments& a) {
        const auto count = static_cast<index_t>(plan.inner.size());
        for (std::size_t i = 0; i < plan.outer.size(); ++i) {
            W state = c.start;
            for (const index_t offset : plan.inner) {
                W x{};
                read_wide(type, element(type, a.in[0], plan.outer[i] + offset), 1, 1, &x);
                state = c.step(state, c.before == nullptr ? x : c.before(x));
            }
            if (c.finish != nullptr) state = c.finish(state, count);
            write_wide(type, &state, 1, element(type, a.out[0], static_cast<index_t>(i)));
        }
    };
}

/// Axes are an attribute, or input 1 from opset 13 (ReduceSum) or 18 (the others) on; none means all of them.
/// @param f  gives the combination for a wide type: f.template operator()<W>()
template <class F>
kernel reduce(preparation& p, takes what, F f) {
    need(what, p.type(0));
    const auto axes = p.has(1) ? p.integers(1) : p.node().integers("axes");
    if (axes.empty() && p.node().integer("noop_with_empty_axes", 0) != 0) {
        p.output(0, p.type(0), p.shape(0));
        return copied(p);
    }
    auto plan = reduce_over(p.shape(0), axes, p.node().integer("keepdims", 1) != 0);
    p.output(0, p.type(0), plan.result);
    if (what == takes::floats)
        return reduce_kernel<double>(std::move(plan), p.type(0), f.template operator()<double>());
    return with_wide(
        p.type(0), [&]<class W>() { return reduce_kernel<W>(std::move(plan), p.type(0), f.template operator()<W>()); });
}

template <class W>
constexpr W lowest() {
    if constexpr (std::is_floating_point_v<W>)
        return -std::numeric_limits<W>::infinity();
    else
        return (std::numeric_limits<W>::lowest)();
}
template <class W>
constexpr W highest() {
    if constexpr (std::is_floating_point_v<W>)
        return std::numeric_limits<W>::infinity();
    else
        return (std::numeric_limits<W>::max)();
}

template <class W>
W magnitude(W x) {
    if constexpr (std::is_floating_point_v<W>)
        return std::abs(x);
    else
        return x < W{} ? minus(W{}, x) : x;
}

/// The extreme of the type itself, where there is nothing to compare.
template <class W>
W start_of(dtype type, bool lowest_one) {
    if (std::is_floating_point_v<W> || type == dtype::u64 || type == dtype::i64)
        return lowest_one ? lowest<W>() : highest<W>();
    const int bits = 8 * static_cast<int>(size_of(type));
    const bool has_sign = type == dtype::i8 || type == dtype::i16 || type == dtype::i32;
    const std::int64_t top = (std::int64_t{1} << (has_sign ? bits - 1 : bits)) - 1;
    return static_cast<W>(lowest_one ? (has_sign ? -top - 1 : 0) : top);
}

inline kernel log_sum_exp(preparation& p) {
    need(takes::floats, p.type(0));
    const auto axes = p.has(1) ? p.integers(1) : p.node().integers("axes");
    auto plan = reduce_over(p.shape(0), axes, p.node().integer("keepdims", 1) != 0);
    p.output(0, p.type(0), plan.result);
    return [plan = std::move(plan), type = p.type(0)](const arguments& a) {
        for (std::size_t i = 0; i < plan.outer.size(); ++i) {
            const auto at = [&](index_t offset) {
                return nn::detail::read_as<double>(type, element(type, a.in[0], plan.outer[i] + offset));
            };
            double most = lowest<double>();  // relative to the largest, nothing overflows
            for (const index_t offset : plan.inner) most = larger(most, at(offset));
            double sum = 0;
            for (const index_t offset : plan.inner) sum += std::exp(at(offset) - most);
            const double result = std::isfinite(most) ? most + std::log(sum) : most;
            write_wide(type, &result, 1, element(type, a.out[0], static_cast<index_t>(i)));
        }
    };
}

/// ArgMax and ArgMin: the first position, or with select_last_index the last one.
inline kernel arg_extreme(preparation& p, bool largest) {
    need(takes::numbers, p.type(0));
    const auto axis = p.node().integer("axis", 0);
    const bool last = p.node().integer("select_last_index", 0) != 0;
    auto plan = reduce_over(p.shape(0), {axis}, p.node().integer("keepdims", 1) != 0);
    if (plan.inner.empty()) throw shape_error(message("no elements along axis ", axis, " of shape ", p.shape(0)));
    p.output(0, dtype::i64, plan.result);
    return with_wide(p.type(0), [&]<class W>() -> kernel {
        return [plan = std::move(plan), largest, last, type = p.type(0)](const arguments& a) {
            for (std::size_t i = 0; i < plan.outer.size(); ++i) {
                W best{};
                std::size_t where = 0;
                for (std::size_t k = 0; k < plan.inner.size(); ++k) {
                    W x{};
                    read_wide(type, element(type, a.in[0], plan.outer[i] + plan.inner[k]), 1, 1, &x);
                    if (k != 0 && !(largest ? x > best : x < best) && !(last && x == best)) continue;
                    best = x;
                    where = k;
                }
                a.output<std::int64_t>(0)[i] = static_cast<std::int64_t>(where);
            }
        };
    });
}

template <class W>
W add_up(W s, W x) {
    return plus(s, x);
}

/// Running sums along the axis that input 1 names.
inline kernel cumulative_sum(preparation& p) {
    need(takes::numbers, p.type(0));
    const edge::shape& shape = p.shape(0);
    const auto axis = static_cast<std::int64_t>(shape.axis(static_cast<index_t>(p.scalar<std::int64_t>(1))));
    const bool exclusive = p.node().integer("exclusive", 0) != 0;
    const bool reverse = p.node().integer("reverse", 0) != 0;
    auto plan = reduce_over(shape, {axis}, true);
    p.output(0, p.type(0), shape);
    if (reverse) std::reverse(plan.inner.begin(), plan.inner.end());
    return with_wide(p.type(0), [&]<class W>() -> kernel {
        return [plan = std::move(plan), exclusive, type = p.type(0)](const arguments& a) {
            for (const index_t first : plan.outer) {
                W sum{};
                for (const index_t offset : plan.inner) {
                    W x{};
                    read_wide(type, element(type, a.in[0], first + offset), 1, 1, &x);
                    const W before = sum;
                    sum = plus(sum, x);
                    write_wide(type, exclusive ? &before : &sum, 1, element(type, a.out[0], first + offset));
                }
            }
        };
    });
}

}  // namespace detail

inline constexpr operator_row reductions[] = {
    {"ReduceSum",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, []<class W>() {
             return detail::combination<W>{W{}, detail::add_up<W>};
         });
     }},
    {"ReduceMean",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, []<class W>() {
             return detail::combination<W>{
                 W{}, detail::add_up<W>, [](W s, index_t n) {
                     return std::is_integral_v<W> && n == 0 ? W{} : detail::over(s, static_cast<W>(n));
                 }};
         });
     }},
    {"ReduceSumSquare",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, []<class W>() {
             return detail::combination<W>{W{}, detail::add_up<W>, nullptr, [](W x) { return detail::times(x, x); }};
         });
     }},
    {"ReduceL1",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, []<class W>() {
             return detail::combination<W>{W{}, detail::add_up<W>, nullptr, detail::magnitude<W>};
         });
     }},
    {"ReduceL2",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::floats, []<class W>() {
             return detail::combination<W>{W{}, detail::add_up<W>,
                                           [](W s, index_t) { return static_cast<W>(std::sqrt(s)); },
                                           [](W x) { return detail::times(x, x); }};
         });
     }},
    {"ReduceLogSum",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::floats, []<class W>() {
             return detail::combination<W>{W{}, detail::add_up<W>,
                                           [](W s, index_t) { return static_cast<W>(std::log(s)); }};
         });
     }},
    {"ReduceLogSumExp", detail::log_sum_exp},
    {"ReduceProd",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, []<class W>() {
             return detail::combination<W>{W{1}, [](W s, W x) { return detail::times(s, x); }};
         });
     }},
    {"ReduceMax",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, [&p]<class W>() {
             return detail::combination<W>{detail::start_of<W>(p.type(0), true),
                                           [](W s, W x) { return detail::larger(s, x); }};
         });
     }},
    {"ReduceMin",
     [](preparation& p) {
         return detail::reduce(p, detail::takes::numbers, [&p]<class W>() {
             return detail::combination<W>{detail::start_of<W>(p.type(0), false),
                                           [](W s, W x) { return detail::smaller(s, x); }};
         });
     }},
    {"CumSum", detail::cumulative_sum},
    {"ArgMax", [](preparation& p) { return detail::arg_extreme(p, true); }},
    {"ArgMin", [](preparation& p) { return detail::arg_extreme(p, false); }},
};

}  // namespace edge::nn::operators
