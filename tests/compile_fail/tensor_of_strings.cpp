// SPDX-License-Identifier: MIT
// must say: edge::tensor holds plain numbers
#include <edge/core/tensor.hpp>

#include <string>

edge::tensor<float> numbers({3});
#ifdef MISTAKE
edge::tensor<std::string> words({3});
#endif
