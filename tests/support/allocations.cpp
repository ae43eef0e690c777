// SPDX-License-Identifier: MIT
// The global operators new, counted. Array forms call these.

#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> count{0};
std::atomic<std::size_t> largest{0};

void note(std::size_t bytes) noexcept {
    ++count;
    std::size_t seen = largest.load(std::memory_order_relaxed);
    while (bytes > seen && !largest.compare_exchange_weak(seen, bytes)) {
    }
}
}  // namespace

std::size_t allocations() noexcept { return count.load(); }
std::size_t largest_allocation() noexcept { return largest.exchange(0); }

void* operator new(std::size_t bytes) {
    note(bytes);
    if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    note(bytes);
    const auto align = static_cast<std::size_t>(alignment);
    const std::size_t padded = (bytes + align - 1) / align * align;
    if (void* p = std::aligned_alloc(align, padded == 0 ? align : padded)) return p;
    throw std::bad_alloc();
}
// By name: AddressSanitizer has a nothrow form of its own, whose memory free() would not take.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    note(bytes);
    return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
