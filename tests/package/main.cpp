// SPDX-License-Identifier: MIT
// A program of somebody else's. Its two files include the same headers: what is not inline would be defined twice.

#include <edge/core/tensor.hpp>
#include <edge/core/version.hpp>

#include <cstdio>
#include <string>

std::string second_file_version();

int main() {
    edge::tensor<float> t({2, 3}, 1.0F);
    std::printf("edge %s\n", edge::version);
    return second_file_version() == edge::version && t.size() == 6 ? 0 : 1;
}
