// SPDX-License-Identifier: MIT
// must say: integer_operands
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

edge::tensor<float> rest(const edge::tensor<float>& a, const edge::tensor<float>& b);
edge::tensor<float> rest(const edge::tensor<float>& a, const edge::tensor<float>& b) {
#ifdef MISTAKE
    return edge::eval(a % b);
#endif
    return edge::eval(edge::fmod(a, b));
}
