// SPDX-License-Identifier: MIT
// What does it cost to keep measurements in 8 bits? A quarter of the size, and half a step of error.

#include <edge/quant.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    // A second of a decaying vibration, as an accelerometer would give it, in m/s².
    std::vector<float> x(200);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto t = static_cast<float>(i) / 200.0f;
        x[i] = 9.81f + 4.0f * std::exp(-3.0f * t) * std::sin(60.0f * t);
    }

    edge::quant::minmax_observer seen;
    seen.observe(x);
    const edge::quant::parameters p = seen.parameters_for(edge::dtype::u8);
    const auto q = edge::quant::quantize<std::uint8_t>(edge::view(x), p);
    const auto y = edge::quant::dequantize(q, p);

    float worst = 0.0f;
    for (std::size_t i = 0; i < x.size(); ++i)
        worst = std::max(worst, std::abs(x[i] - y[static_cast<edge::index_t>(i)]));
    std::printf("range      %.3f to %.3f m/s2\n", seen.range().low, seen.range().high);
    std::printf("parameters scale %.5f, zero point %d\n", p.scale, p.zero_point);
    std::printf("size       %zu bytes instead of %zu\n", q.flat().size_bytes(), x.size() * sizeof(float));
    std::printf("error      at most %.5f m/s2, half a step\n", worst);
    return worst <= p.scale * 0.501f ? 0 : 1;
}
