// SPDX-License-Identifier: MIT
#pragma once

/// @file How elements of any type and shape come to a function of one or two numbers.
///
///     return unary(p, [](double x) { return std::exp(x); });                       // floats, in double
///     return binary(p, []<class T>(T a, T b) { return a < b; }, takes::numbers, true);
///
/// A function is instantiated for the wide types alone (detail/wide.hpp); what walks through memory is not a template of
/// it. So an operator costs a few small loops and no kernel of its own.

#include <edge/nn/detail/broadcast.hpp>
#include <edge/nn/detail/wide.hpp>
#include <edge/nn/operator.hpp>

#include <algorithm>

namespace edge::nn::operators {

namespace detail {

using nn::detail::broadcast;
using nn::detail::element;
using nn::detail::read_wide;
using nn::detail::wide_block;
using nn::detail::with_wide;
using nn::detail::write_wide;

/// Which element types an operator takes.
enum class takes { floats, numbers, booleans, all };

inline void need(takes what, dtype type) {
    const bool is_float = type == dtype::f32 || type == dtype::f64;
    const bool fits = what == takes::all || (what == takes::booleans) == (type == dtype::boolean);
    if (!fits || (what == takes::floats && !is_float))
        throw unsupported_error(message("elements of ", type, " are not supported"));
}

inline void need_equal_types(const preparation& p, std::size_t a, std::size_t b) {
    if (p.type(a) != p.type(b))
        throw argument_error(message("input ", a, " is of ", p.type(a), ", input ", b, " of ", p.type(b)));
}

/// Attributes that the function of an operator reads.
struct settings {
    double a = 0, b = 0;
};

template <class W>
using unary_loop = void (*)(const W*, W*, index_t, const settings&);

template <class F, class W>
void unary_each(const W* x, W* y, index_t n, const settings& s) {
    for (index_t i = 0; i < n; ++i) {
        if constexpr (std::is_invocable_v<F, W>)
            y[i] = static_cast<W>(F{}(x[i]));
        else
            y[i] = static_cast<W>(F{}(x[i], s));
    }
}

/// y = f(x) over n elements.
template <class W>
kernel unary_kernel(dtype type, index_t n, unary_loop<W> loop, const settings& s, dtype result) {
    return [=](const arguments& a) {
        W x[wide_block];
        for (index_t i = 0; i < n; i += wide_block) {
            const index_t count = (std::min)(wide_block, n - i);
            read_wide(type, element(type, a.in[0], i), 1, count, x);
            loop(x, x, count, s);
            write_wide(result, x, count, element(result, a.out[0], i));
        }
    };
}

/// A function of floats, computed in double.
template <class F>
kernel unary(preparation& p, F, const settings& s = {}) {
    need(takes::floats, p.type(0));
    p.output(0, p.type(0), p.shape(0));
    return unary_kernel<double>(p.type(0), p.shape(0).size(), &unary_each<F, double>, s, p.type(0));
}

/// A function of numbers of any type.
template <class F>
kernel unary_any(preparation& p, F, takes what) {
    need(what, p.type(0));
    p.output(0, p.type(0), p.shape(0));
    return with_wide(p.type(0), [&]<class W>() {
        return unary_kernel<W>(p.type(0), p.shape(0).size(), &unary_each<F, W>, {}, p.type(0));
    });
}

/// A question about floats.
template <class F>
kernel question(preparation& p, F, const settings& s = {}) {
    need(takes::floats, p.type(0));
    p.output(0, dtype::boolean, p.shape(0));
    return unary_kernel<double>(p.type(0), p.shape(0).size(), &unary_each<F, double>, s, dtype::boolean);
}

inline settings settings_of(const preparation& p, const char* a, float a_default, const char* b = "",
                            float b_default = 0) {
    return {static_cast<double>(p.node().real(a, a_default)), static_cast<double>(p.node().real(b, b_default))};
}

template <class W>
using binary_loop = void (*)(const W*, const W*, W*, index_t);

template <class F, class W>
void binary_each(const W* l, const W* r, W* y, index_t n) {
    for (index_t i = 0; i < n; ++i) y[i] = static_cast<W>(F{}(l[i], r[i]));
}

/// y = f(l, r) over rows that broadcast, in W, a block at a time. What is walked with step 0 is spread over a block.
template <class W>
void binary_rows(const broadcast<2>& b, dtype type, const void* l, const void* r, dtype result, void* y,
                 binary_loop<W> loop) {
    W left[wide_block];
    W right[wide_block];
    b.rows([&](index_t out, const std::array<index_t, 2>& at, index_t n) {
        for (index_t i = 0; i < n; i += wide_block) {
            const index_t count = (std::min)(wide_block, n - i);
            read_wide(type, element(type, l, at[0] + i * b.step(0)), b.step(0), count, left);
            read_wide(type, element(type, r, at[1] + i * b.step(1)), b.step(1), count, right);
            loop(left, right, left, count);
            write_wide(result, left, count, element(result, y, out + i));
        }
    });
}

/// The same for float throughout, with no copies but of what is spread.
inline void binary_rows(const broadcast<2>& b, const float* l, const float* r, float* y, binary_loop<float> loop) {
    float spread[wide_block];
    b.rows([&](index_t out, const std::array<index_t, 2>& at, index_t n) {
        const float* left = l + at[0];
        const float* right = r + at[1];
        if (b.step(0) == b.step(1)) return loop(left, right, y + out, n);
        std::fill_n(spread, (std::min)(wide_block, n), b.step(0) == 0 ? *left : *right);
        for (index_t i = 0; i < n; i += wide_block) {
            const index_t count = (std::min)(wide_block, n - i);
            b.step(0) == 0 ? loop(spread, right + i, y + out + i, count) : loop(left + i, spread, y + out + i, count);
        }
    });
}

template <class W>
kernel binary_kernel(const broadcast<2>& b, dtype type, dtype result, binary_loop<W> loop) {
    return [=](const arguments& a) { binary_rows<W>(b, type, a.in[0], a.in[1], result, a.out[0], loop); };
}

/// @param boolean  whether the result is a truth value, else it is of the inputs' type
/// @param fast     the float loop of an operator that models spend time in
template <class F>
kernel binary(preparation& p, F, takes what, bool boolean = false, binary_loop<float> fast = nullptr) {
    if (p.node().has("broadcast"))
        throw unsupported_error("attribute 'broadcast' (opset 6 and older) is not supported");
    need(what, p.type(0));
    need_equal_types(p, 0, 1);
    const broadcast<2> b({p.shape(0), p.shape(1)});
    const dtype type = p.type(0);
    const dtype result = boolean ? dtype::boolean : type;
    p.output(0, result, b.result());
    if (type == dtype::f32 && fast != nullptr)
        return [b, fast](const arguments& a) {
            binary_rows(b, a.input<float>(0), a.input<float>(1), a.output<float>(0), fast);
        };
    return with_wide(type, [&]<class W>() { return binary_kernel<W>(b, type, result, &binary_each<F, W>); });
}

template <class F>
kernel binary_fast(preparation& p, F f) {
    return binary(p, f, takes::numbers, false, &binary_each<F, float>);
}

}  // namespace detail
}  // namespace edge::nn::operators
