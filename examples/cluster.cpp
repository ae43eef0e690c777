// SPDX-License-Identifier: MIT

/// @file One screen of edge::ml: a machine's states, found in unlabelled readings, and a fair split of them.

#include <edge/core/random.hpp>
#include <edge/ml.hpp>

#include <cstdio>

int main() {
    // Vibration (m/s²) and temperature (°C) of a pump that is off, idling, or under load.
    const float states[3][2] = {{0.1f, 20}, {1.5f, 35}, {4.0f, 60}};
    edge::splitmix64 random(7);
    edge::tensor<float> readings({600, 2});
    for (edge::index_t i = 0; i < 600; ++i)
        for (edge::index_t j = 0; j < 2; ++j)
            readings(i, j) = states[i % 3][j] * static_cast<float>(random.uniform(0.8, 1.2));

    const auto found = edge::ml::kmeans(readings, {.clusters = 3, .restarts = 4});
    for (edge::index_t c = 0; c < 3; ++c)
        std::printf("state %d: %4.1f m/s2, %4.1f C\n", static_cast<int>(c), static_cast<double>(found.centres(c, 0)),
                    static_cast<double>(found.centres(c, 1)));

    const edge::tensor<float> now({1, 2}, {3.8f, 57});
    std::printf("the latest reading is of state %d\n", edge::ml::nearest_centres(now, found.centres)[0]);

    const auto parts = edge::ml::stratified_split(found.labels.flat(), {.test_fraction = 0.2, .seed = 1});
    std::printf("%zu readings to learn from, %zu to judge by\n", parts.train.size(), parts.test.size());
}
