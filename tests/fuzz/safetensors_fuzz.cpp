// SPDX-License-Identifier: MIT
// Any bytes are read as a safetensors file or refused with an error of edge; no element is made of bytes that are not there.

#include <edge/core/safetensors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        std::size_t bytes = 0;
        for (const auto& [name, value] : edge::parse_safetensors(std::as_bytes(std::span(data, size)), "input"))
            bytes += value.bytes();
        if (bytes > 2 * size) std::abort();  // halves become floats
    } catch (const edge::error&) {
    }
    return 0;
}
