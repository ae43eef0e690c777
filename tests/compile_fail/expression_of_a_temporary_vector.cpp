// SPDX-License-Identifier: MIT
// must say: no match for|invalid operands
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

#include <vector>

std::vector<float> samples();
edge::tensor<float> doubled() {
    const std::vector<float> kept = samples();
#ifdef MISTAKE
    return edge::eval(samples() + edge::view(kept));
#endif
    return edge::eval(kept + edge::view(kept));
}
