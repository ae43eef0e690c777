// SPDX-License-Identifier: MIT
// must say: integer_operands
#include <edge/simd/bits.hpp>
#include <edge/simd/evaluate.hpp>

edge::tensor<std::int32_t> masked(const edge::tensor<std::int32_t>& a, const edge::tensor<float>& b);
edge::tensor<std::int32_t> masked(const edge::tensor<std::int32_t>& a, [[maybe_unused]] const edge::tensor<float>& b) {
#ifdef MISTAKE
    return edge::eval(b << 2);
#endif
    return edge::eval(a << 2);
}
