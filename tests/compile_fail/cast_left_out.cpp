// SPDX-License-Identifier: MIT
// must say: number_operands
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

edge::tensor<float> scaled(const edge::tensor<std::uint8_t>& pixels, const edge::tensor<float>& scale);
edge::tensor<float> scaled(const edge::tensor<std::uint8_t>& pixels, const edge::tensor<float>& scale) {
#ifdef MISTAKE
    return edge::eval(pixels * scale);
#endif
    return edge::eval(edge::cast<float>(pixels) * scale);
}
