// SPDX-License-Identifier: MIT
// Acceleration of a moving board, from raw counts to what a person wants to know: one loop for each line, no temporaries.

#include <edge/simd.hpp>

#include <cmath>
#include <cstdio>

int main() {
    // 100 samples of x, y, z in counts of an MPU6050 at ±2 g: 16384 counts are 1 g.
    edge::tensor<float> counts({100, 3});
    for (edge::index_t i = 0; i < 100; ++i) {
        counts(i, 0) = 3000.0f * std::sin(0.2f * static_cast<float>(i));
        counts(i, 1) = i == 60 ? 30000.0f : 200.0f;
        counts(i, 2) = 16384.0f;
    }
    const edge::tensor<float> offset({3}, {12.0f, -35.0f, 80.0f});  // broadcast over the samples

    const auto a = edge::eval((counts - offset) * (9.80665f / 16384.0f));  // m/s²
    const auto x = a.view().select(1, 0);                                  // columns, without a copy
    const auto y = a.view().select(1, 1);
    const auto z = a.view().select(1, 2);
    const auto strength = edge::eval(edge::sqrt(x * x + y * y + z * z));
    const auto mean = edge::mean(a, 0);

    std::printf("mean of x, y, z   %6.2f %6.2f %6.2f m/s²\n", double{mean[0]}, double{mean[1]}, double{mean[2]});
    std::printf("strongest         %6.2f m/s² at sample %ld\n", double{edge::max(strength)},
                static_cast<long>(edge::argmax(strength)));
    std::printf("RMS without 1 g   %6.2f m/s²\n",
                std::sqrt(double{edge::mean((strength - 9.80665f) * (strength - 9.80665f))}));
    std::printf("samples over 12   %6ld\n", static_cast<long>(edge::sum(strength > 12.0f)));
}
