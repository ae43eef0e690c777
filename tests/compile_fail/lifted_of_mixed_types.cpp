// SPDX-License-Identifier: MIT
// must say: lifted_operands
#include <edge/simd/evaluate.hpp>
#include <edge/simd/lift.hpp>

edge::tensor<float> mixed(const edge::tensor<float>& a, const edge::tensor<double>& b);
edge::tensor<float> mixed(const edge::tensor<float>& a, [[maybe_unused]] const edge::tensor<double>& b) {
    const auto mean = edge::lift([](auto x, auto y) { return (x + y) / 2; });
#ifdef MISTAKE
    return edge::eval(mean(a, b));
#endif
    return edge::eval(mean(a, a));
}
