// SPDX-License-Identifier: MIT
#pragma once

/// @file Einsum, by `edge::einsum`, in float or double. It makes its result and what lies between anew in each run, so it
/// is the one operator that allocates there.

#include <edge/nn/operator.hpp>
#include <edge/simd/einsum.hpp>

namespace edge::nn::operators {

namespace detail {

inline kernel einsum(preparation& p) {
    const auto equation = p.node().text("equation", "");
    std::vector<edge::shape> shapes;
    for (std::size_t i = 0; i < p.inputs(); ++i) {
        if (p.type(i) != p.type(0))
            throw argument_error(message("input ", i, " is of ", p.type(i), ", input 0 of ", p.type(0)));
        shapes.push_back(p.shape(i));
    }
    if (shapes.empty()) throw argument_error("there are no inputs");
    p.output(0, p.type(0), edge::einsum_shape(equation, shapes));
    return nn::detail::for_types<float, double>::call(p.type(0), [&]<class T>() -> kernel {
        return [equation, shapes = std::move(shapes), threads = p.threads()](const arguments& a) {
            std::vector<tensor_view<const T>> operands;
            for (std::size_t i = 0; i < shapes.size(); ++i) operands.emplace_back(a.input<T>(i), shapes[i]);
            const auto result =
                edge::einsum<T>(equation, std::span<const tensor_view<const T>>(operands), {.threads = threads});
            std::copy_n(result.data(), result.size(), a.output<T>(0));
        };
    });
}

}  // namespace detail

inline constexpr operator_row contractions[] = {{"Einsum", detail::einsum}};

}  // namespace edge::nn::operators
