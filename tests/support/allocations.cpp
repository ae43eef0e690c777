// SPDX-License-Identifier: MIT
// The global operators new, counted. Array forms call these.

#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> count{0};
}

std::size_t allocations() noexcept { return count.load(); }

void* operator new(std::size_t bytes) {
    ++count;
    if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    ++count;
    const auto align = static_cast<std::size_t>(alignment);
    const std::size_t padded = (bytes + align - 1) / align * align;
    if (void* p = std::aligned_alloc(align, padded == 0 ? align : padded)) return p;
    throw std::bad_alloc();
}
// By name: AddressSanitizer has a nothrow form of its own, whose memory free() would not take.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    ++count;
    return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
