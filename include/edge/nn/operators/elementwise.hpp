// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators that make each element from those at the same place: arithmetic, comparisons, casts.
///
/// Inputs broadcast as in NumPy. Integers wrap; integer division by zero is an `argument_error`. An operator is a
/// function of one or two numbers; how elements of any type and shape come to it is the same for all (each.hpp).

#include <edge/nn/detail/onnx_types.hpp>
#include <edge/nn/operators/each.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace edge::nn::operators {

namespace detail {

// Arithmetic of integers goes through uint64, where wrapping is defined.
template <class T>
using wrapping = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;

inline constexpr auto plus = []<class T>(T a, T b) {
    return static_cast<T>(static_cast<wrapping<T>>(a) + static_cast<wrapping<T>>(b));
};
inline constexpr auto minus = []<class T>(T a, T b) {
    return static_cast<T>(static_cast<wrapping<T>>(a) - static_cast<wrapping<T>>(b));
};
inline constexpr auto times = []<class T>(T a, T b) {
    return static_cast<T>(static_cast<wrapping<T>>(a) * static_cast<wrapping<T>>(b));
};
inline constexpr auto over = []<class T>(T a, T b) {
    if constexpr (std::is_floating_point_v<T>)
        return a / b;
    else if constexpr (std::is_signed_v<T>)
        return b == -1 ? minus(T{0}, a) : static_cast<T>(a / b);  // lowest / -1 wraps
    else
        return static_cast<T>(a / b);
};
inline constexpr auto larger = []<class T>(T a, T b) { return a > b || a != a ? a : b; };  // NaN wins, as in NumPy
inline constexpr auto smaller = []<class T>(T a, T b) { return a < b || a != a ? a : b; };

/// The remainder with the sign of the divisor, as in Python.
inline constexpr auto python_remainder = []<class T>(T a, T b) {
    T r{};
    if constexpr (std::is_floating_point_v<T>)
        r = std::fmod(a, b);
    else if constexpr (std::is_signed_v<T>)
        r = b == -1 ? T{0} : static_cast<T>(a % b);
    else
        r = static_cast<T>(a % b);
    return r != T{} && (r < T{}) != (b < T{}) ? static_cast<T>(r + b) : r;
};
/// The remainder with the sign of the dividend, as in C.
inline constexpr auto c_remainder = []<class T>(T a, T b) {
    if constexpr (std::is_floating_point_v<T>)
        return static_cast<T>(std::fmod(a, b));
    else if constexpr (std::is_signed_v<T>)
        return b == -1 ? T{0} : static_cast<T>(a % b);
    else
        return static_cast<T>(a % b);
};

/// Guards a kernel whose second input divides integers.
inline kernel refusing_zero(kernel divide, dtype type, index_t n) {
    if (type == dtype::f32 || type == dtype::f64) return divide;
    return [divide = std::move(divide), type, n](const arguments& a) {
        for (index_t i = 0; i < n; ++i)
            if (nn::detail::read_as<std::uint64_t>(type, element(type, a.in[1], i)) == 0)
                throw argument_error(message("division by zero at element ", i, " of the divisor"));
        divide(a);
    };
}

inline kernel divide(preparation& p) { return refusing_zero(binary_fast(p, over), p.type(0), p.shape(1).size()); }

inline kernel modulo(preparation& p) {
    const bool as_in_c = p.node().integer("fmod", 0) != 0;
    return refusing_zero(as_in_c ? binary(p, c_remainder, takes::numbers) : binary(p, python_remainder, takes::numbers),
                         p.type(0), p.shape(1).size());
}

template <class W>
kernel variadic_kernel(std::vector<broadcast<2>> steps, dtype type, index_t n, binary_loop<W> loop, bool mean) {
    return [steps = std::move(steps), type, n, loop, mean](const arguments& a) {
        const binary_loop<W> second = [](const W*, const W* x, W* y, index_t count) { std::copy_n(x, count, y); };
        void* y = a.out[0];
        std::fill_n(static_cast<char*>(y), static_cast<std::size_t>(n) * size_of(type), char{0});
        for (std::size_t i = 0; i < steps.size(); ++i)
            binary_rows<W>(steps[i], type, y, a.in[i], type, y, i == 0 ? second : loop);
        if (!mean) return;
        W block[wide_block];
        for (index_t i = 0; i < n; i += wide_block) {
            const index_t m = (std::min)(wide_block, n - i);
            read_wide(type, element(type, y, i), 1, m, block);
            for (index_t k = 0; k < m; ++k) block[k] = over(block[k], static_cast<W>(steps.size()));
            write_wide(type, block, m, element(type, y, i));
        }
    };
}

/// Sum, Mean, Max, Min: one input or more, combined from left to right.
template <class F>
kernel variadic(preparation& p, F, takes what, bool mean = false) {
    need(what, p.type(0));
    edge::shape shape = p.shape(0);
    for (std::size_t i = 1; i < p.inputs(); ++i) {
        need_equal_types(p, 0, i);
        shape = broadcast<2>({shape, p.shape(i)}).result();
    }
    p.output(0, p.type(0), shape);
    std::vector<broadcast<2>> steps;
    for (std::size_t i = 0; i < p.inputs(); ++i) steps.push_back(broadcast<2>({shape, p.shape(i)}));
    return with_wide(p.type(0), [&]<class W>() {
        return variadic_kernel<W>(std::move(steps), p.type(0), shape.size(), &binary_each<F, W>, mean);
    });
}

inline kernel cast_to(preparation& p, dtype to) {
    p.output(0, to, p.shape(0));
    return with_wide(p.type(0), [&]<class W>() {
        return unary_kernel<W>(
            p.type(0), p.shape(0).size(), [](const W*, W*, index_t, const settings&) {}, {}, to);
    });
}

/// A whole power of an integer, wrapping. Of negative ones, only those of 1 and -1 are not 0.
inline std::int64_t whole_power(std::int64_t base, std::int64_t exponent) {
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    std::int64_t r = 1;
    for (std::int64_t square = base; exponent > 0; exponent /= 2, square = times(square, square))
        if (exponent % 2 == 1) r = times(r, square);
    return r;
}

/// x to the power of y, which may be of another type.
inline kernel power(preparation& p) {
    if (p.node().has("broadcast"))
        throw unsupported_error("attribute 'broadcast' (opset 6 and older) is not supported");
    need(takes::numbers, p.type(0));
    need(takes::numbers, p.type(1));
    const broadcast<2> b({p.shape(0), p.shape(1)});
    const dtype base = p.type(0);
    const dtype exponent = p.type(1);
    const auto is_float = [](dtype t) { return t == dtype::f32 || t == dtype::f64; };
    p.output(0, base, b.result());
    const bool whole = !is_float(base) && !is_float(exponent);
    return [=](const arguments& a) {
        b.rows([&](index_t out, const std::array<index_t, 2>& at, index_t n) {
            for (index_t i = 0; i < n; ++i) {
                const void* x = element(base, a.in[0], at[0] + i * b.step(0));
                const void* y = element(exponent, a.in[1], at[1] + i * b.step(1));
                void* to = element(base, a.out[0], out + i);
                if (whole) {
                    const auto v = whole_power(nn::detail::read_as<std::int64_t>(base, x),
                                               nn::detail::read_as<std::int64_t>(exponent, y));
                    write_wide(base, &v, 1, to);
                } else {
                    const double v =
                        std::pow(nn::detail::read_as<double>(base, x), nn::detail::read_as<double>(exponent, y));
                    write_wide(base, &v, 1, to);
                }
            }
        });
    };
}

inline kernel where(preparation& p) {
    if (p.type(0) != dtype::boolean)
        throw argument_error(message("the condition is of ", p.type(0), "; expected bool"));
    need_equal_types(p, 1, 2);
    const broadcast<3> b({p.shape(0), p.shape(1), p.shape(2)});
    p.output(0, p.type(1), b.result());
    return [b, width = static_cast<index_t>(size_of(p.type(1)))](const arguments& a) {
        b.rows([&](index_t out, const std::array<index_t, 3>& at, index_t n) {
            for (index_t i = 0; i < n; ++i) {
                const std::size_t k = a.input<bool>(0)[at[0] + i * b.step(0)] ? 1 : 2;
                std::copy_n(a.input<char>(k) + (at[k] + i * b.step(k)) * width, width,
                            a.output<char>(0) + (out + i) * width);
            }
        });
    };
}

/// Clip: bounds are attributes up to opset 10, then inputs that may be left out.
template <class T, class W>
void clip_elements(dtype type, index_t n, const arguments& a, W low, W high) {
    if constexpr (std::is_same_v<T, float>) {
        const float lo = static_cast<float>(low);
        const float hi = static_cast<float>(high);
        const float* x = a.input<float>(0);
        float* y = a.output<float>(0);
        for (index_t i = 0; i < n; ++i) {
            const float raised = x[i] < lo ? lo : x[i];  // NaN stays NaN
            y[i] = raised > hi ? hi : raised;
        }
    } else {
        for (index_t i = 0; i < n; ++i) {
            W v{};
            read_wide(type, element(type, a.in[0], i), 1, 1, &v);
            v = v < low ? low : v;
            v = v > high ? high : v;
            write_wide(type, &v, 1, element(type, a.out[0], i));
        }
    }
}

inline kernel clip(preparation& p) {
    const dtype type = p.type(0);
    need(takes::numbers, type);
    for (std::size_t i = 1; i <= 2; ++i) {
        if (!p.has(i)) continue;
        need_equal_types(p, 0, i);
        if (p.shape(i).size() != 1)
            throw shape_error(message("input ", i, " has shape ", p.shape(i), "; expected one number"));
    }
    p.output(0, type, p.shape(0));
    const settings bounds =
        settings_of(p, "min", -std::numeric_limits<float>::infinity(), "max", std::numeric_limits<float>::infinity());
    return with_wide(type, [&]<class W>() -> kernel {
        return [=, n = p.shape(0).size(), has_low = p.has(1), has_high = p.has(2)](const arguments& a) {
            W low = nn::detail::converted<W>(bounds.a);
            W high = nn::detail::converted<W>(bounds.b);
            if (has_low) read_wide(type, a.in[1], 1, 1, &low);
            if (has_high) read_wide(type, a.in[2], 1, 1, &high);
            if (type == dtype::f32)
                clip_elements<float>(type, n, a, low, high);
            else
                clip_elements<W>(type, n, a, low, high);
        };
    });
}

/// Input 0 as it is.
inline kernel copied(const preparation& p) {
    return [bytes = static_cast<std::size_t>(p.input(0).bytes())](const arguments& a) {
        std::copy_n(a.input<char>(0), bytes, a.output<char>(0));
    };
}

/// Identity, and Dropout when it is not training: the mask is all true.
inline kernel identity(preparation& p) {
    if (p.node().op_type == "Dropout" && p.has(2) && p.scalar<bool>(2))
        throw unsupported_error("training mode of Dropout is not supported");
    p.output(0, p.type(0), p.shape(0));
    p.output(1, dtype::boolean, p.shape(0));
    if (!p.wants(1)) return copied(p);
    if (p.opset() < 10) throw unsupported_error("the mask of Dropout before opset 10 is not supported");
    return [copy = copied(p), n = p.shape(0).size()](const arguments& a) {
        if (a.out[0] != nullptr) copy(a);
        std::fill_n(a.output<bool>(1), n, true);
    };
}

inline kernel prelu(preparation& p) {
    const auto slope = []<class T>(T x, T s) { return x < T{} ? times(x, s) : x; };
    if (broadcast<2>({p.shape(0), p.shape(1)}).result() != p.shape(0))
        throw shape_error(message("slope of shape ", p.shape(1), " does not broadcast to ", p.shape(0)));
    return binary_fast(p, slope);
}

/// Relu, for the type that models spend time in, and for the others.
inline kernel rectify(preparation& p) {
    if (p.type(0) != dtype::f32)
        return unary_any(
            p, []<class T>(T x) { return x < T{} ? T{} : x; }, takes::numbers);
    p.output(0, dtype::f32, p.shape(0));
    return [n = p.shape(0).size()](const arguments& a) {
        const float* x = a.input<float>(0);
        float* y = a.output<float>(0);
        for (index_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? 0.0f : x[i];
    };
}

inline double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
inline double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
inline double unit(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
inline double gelu(double x) { return 0.5 * x * (1 + std::erf(x * 0.7071067811865476)); }
inline double gelu_tanh(double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }

}  // namespace detail

inline constexpr operator_row elementwise[] = {
    {"Identity", detail::identity},
    {"Dropout", detail::identity},
    {"Relu", detail::rectify},
    {"Clip", detail::clip},
    {"PRelu", detail::prelu},
    {"Cast", [](preparation& p) { return detail::cast_to(p, nn::detail::onnx_dtype(p.node().integer("to", 0))); }},
    {"CastLike", [](preparation& p) { return detail::cast_to(p, p.type(1)); }},
    {"Where", detail::where},
    {"Pow", detail::power},
    {"Div", detail::divide},
    {"Mod", detail::modulo},
    {"Add", [](preparation& p) { return detail::binary_fast(p, detail::plus); }},
    {"Sub", [](preparation& p) { return detail::binary_fast(p, detail::minus); }},
    {"Mul", [](preparation& p) { return detail::binary_fast(p, detail::times); }},
    {"Sum", [](preparation& p) { return detail::variadic(p, detail::plus, detail::takes::floats); }},
    {"Mean", [](preparation& p) { return detail::variadic(p, detail::plus, detail::takes::floats, true); }},
    {"Max", [](preparation& p) { return detail::variadic(p, detail::larger, detail::takes::numbers); }},
    {"Min", [](preparation& p) { return detail::variadic(p, detail::smaller, detail::takes::numbers); }},
    {"Equal",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a == b; }, detail::takes::all, true);
     }},
    {"Less",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a < b; }, detail::takes::numbers, true);
     }},
    {"Greater",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a > b; }, detail::takes::numbers, true);
     }},
    {"LessOrEqual",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a <= b; }, detail::takes::numbers, true);
     }},
    {"GreaterOrEqual",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a >= b; }, detail::takes::numbers, true);
     }},
    {"And",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a != 0 && b != 0; }, detail::takes::booleans);
     }},
    {"Or",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a != 0 || b != 0; }, detail::takes::booleans);
     }},
    {"Xor",
     [](preparation& p) {
         return detail::binary(
             p, [](auto a, auto b) { return a != b; }, detail::takes::booleans);
     }},
    {"Not",
     [](preparation& p) {
         return detail::unary_any(
             p, [](auto x) { return x == 0; }, detail::takes::booleans);
     }},
    {"Abs",
     [](preparation& p) {
         return detail::unary_any(
             p,
             []<class T>(T x) {
                 if constexpr (std::is_floating_point_v<T>)
                     return std::abs(x);
                 else
                     return x < T{} ? detail::minus(T{}, x) : x;
             },
             detail::takes::numbers);
     }},
    {"Neg",
     [](preparation& p) {
         return detail::unary_any(
             p,
             []<class T>(T x) {
                 if constexpr (std::is_floating_point_v<T>)
                     return -x;
                 else
                     return detail::minus(T{}, x);
             },
             detail::takes::numbers);
     }},
    {"Sign",
     [](preparation& p) {
         return detail::unary_any(
             p, []<class T>(T x) { return x != x ? x : static_cast<T>((x > T{}) - (x < T{})); },
             detail::takes::numbers);
     }},
    {"Ceil", [](preparation& p) { return detail::unary(p, [](double x) { return std::ceil(x); }); }},
    {"Floor", [](preparation& p) { return detail::unary(p, [](double x) { return std::floor(x); }); }},
    {"Round", [](preparation& p) { return detail::unary(p, [](double x) { return std::nearbyint(x); }); }},
    {"Sqrt", [](preparation& p) { return detail::unary(p, [](double x) { return std::sqrt(x); }); }},
    {"Reciprocal", [](preparation& p) { return detail::unary(p, [](double x) { return 1 / x; }); }},
    {"Exp", [](preparation& p) { return detail::unary(p, [](double x) { return std::exp(x); }); }},
    {"Log", [](preparation& p) { return detail::unary(p, [](double x) { return std::log(x); }); }},
    {"Sin", [](preparation& p) { return detail::unary(p, [](double x) { return std::sin(x); }); }},
    {"Cos", [](preparation& p) { return detail::unary(p, [](double x) { return std::cos(x); }); }},
    {"Tan", [](preparation& p) { return detail::unary(p, [](double x) { return std::tan(x); }); }},
    {"Asin", [](preparation& p) { return detail::unary(p, [](double x) { return std::asin(x); }); }},
    {"Acos", [](preparation& p) { return detail::unary(p, [](double x) { return std::acos(x); }); }},
    {"Atan", [](preparation& p) { return detail::unary(p, [](double x) { return std::atan(x); }); }},
    {"Tanh", [](preparation& p) { return detail::unary(p, [](double x) { return std::tanh(x); }); }},
    {"Erf", [](preparation& p) { return detail::unary(p, [](double x) { return std::erf(x); }); }},
    {"Sigmoid", [](preparation& p) { return detail::unary(p, [](double x) { return detail::sigmoid(x); }); }},
    {"Softplus", [](preparation& p) { return detail::unary(p, [](double x) { return detail::softplus(x); }); }},
    {"Softsign", [](preparation& p) { return detail::unary(p, [](double x) { return x / (1 + std::abs(x)); }); }},
    {"Mish",
     [](preparation& p) { return detail::unary(p, [](double x) { return x * std::tanh(detail::softplus(x)); }); }},
    {"HardSwish",
     [](preparation& p) { return detail::unary(p, [](double x) { return x * detail::unit(x / 6 + 0.5); }); }},
    {"HardSigmoid",
     [](preparation& p) {
         return detail::unary(
             p, [](double x, const detail::settings& s) { return detail::unit(s.a * x + s.b); },
             detail::settings_of(p, "alpha", 0.2f, "beta", 0.5f));
     }},
    {"LeakyRelu",
     [](preparation& p) {
         return detail::unary(
             p, [](double x, const detail::settings& s) { return x < 0 ? s.a * x : x; },
             detail::settings_of(p, "alpha", 0.01f));
     }},
    {"ThresholdedRelu",
     [](preparation& p) {
         return detail::unary(
             p, [](double x, const detail::settings& s) { return x > s.a ? x : 0; },
             detail::settings_of(p, "alpha", 1));
     }},
    {"Elu",
     [](preparation& p) {
         return detail::unary(
             p, [](double x, const detail::settings& s) { return x < 0 ? s.a * std::expm1(x) : x; },
             detail::settings_of(p, "alpha", 1));
     }},
    {"Selu",
     [](preparation& p) {
         return detail::unary(
             p, [](double x, const detail::settings& s) { return s.b * (x > 0 ? x : s.a * std::expm1(x)); },
             detail::settings_of(p, "alpha", 1.67326319f, "gamma", 1.05070102f));
     }},
    {"Gelu",
     [](preparation& p) {
         return p.node().text("approximate", "none") == "tanh"
                    ? detail::unary(p, [](double x) { return detail::gelu_tanh(x); })
                    : detail::unary(p, [](double x) { return detail::gelu(x); });
     }},
    {"IsNaN", [](preparation& p) { return detail::question(p, [](double x) { return x != x; }); }},
    {"IsInf",
     [](preparation& p) {
         return detail::question(
             p, [](double x, const detail::settings& s) { return std::isinf(x) && (x < 0 ? s.a != 0 : s.b != 0); },
             {static_cast<double>(p.node().integer("detect_negative", 1)),
              static_cast<double>(p.node().integer("detect_positive", 1))});
     }},
};

}  // namespace edge::nn::operators
