// SPDX-License-Identifier: MIT
// must say: float_array
#include <edge/simd/evaluate.hpp>
#include <edge/simd/math.hpp>

edge::tensor<float> logarithm(const edge::tensor<std::int32_t>& a);
edge::tensor<float> logarithm(const edge::tensor<std::int32_t>& a) {
#ifdef MISTAKE
    return edge::eval(edge::log(a));
#endif
    return edge::eval(edge::log(edge::cast<float>(a)));
}
