// SPDX-License-Identifier: MIT
// Any bytes are read as a .npy file or refused with an error of edge; what was read is the same when written and read.

#include <edge/core/npy.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const edge::any_tensor first = edge::parse_npy(std::as_bytes(std::span(data, size)), "input");
        std::string file = edge::detail::make_npy_header(first.dtype(), first.shape());
        file.append(static_cast<const char*>(first.data()), first.bytes());
        const edge::any_tensor second = edge::parse_npy(std::as_bytes(std::span(file)), "copy");
        if (second.dtype() != first.dtype() || second.shape() != first.shape()) std::abort();
        if (first.bytes() != 0 && std::memcmp(first.data(), second.data(), first.bytes()) != 0) std::abort();
    } catch (const edge::error&) {
    }
    return 0;
}
