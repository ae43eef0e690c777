// SPDX-License-Identifier: MIT
// must say: read-only|returns a const value
#include <edge/core/tensor_view.hpp>

void set_first(edge::tensor_view<float> writable, edge::tensor_view<const float> readable) {
    writable(0) = 1.0F;
    readable = writable;
#ifdef MISTAKE
    readable(0) = 1.0F;
#endif
}
