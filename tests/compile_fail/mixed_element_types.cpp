// SPDX-License-Identifier: MIT
// must say: number_operands
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

edge::tensor<float> sum(const edge::tensor<float>& a, const edge::tensor<float>& b, const edge::tensor<double>& c);
edge::tensor<float> sum(const edge::tensor<float>& a, const edge::tensor<float>& b,
                        [[maybe_unused]] const edge::tensor<double>& c) {
#ifdef MISTAKE
    return edge::eval(a + c);
#endif
    return edge::eval(a + b);
}
