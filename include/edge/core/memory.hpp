// SPDX-License-Identifier: MIT
#pragma once

/// @file Memory of owning arrays: 64-byte aligned, and on huge pages where the array is large.
///
/// A first touch of a fresh 4 KiB page costs more than the arithmetic on what it holds; with 2 MiB pages there are 512
/// times fewer of them.

#include <edge/core/error.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace edge {

/// Of every owning array, on every architecture: a cache line, and the widest vector register there is.
inline constexpr std::size_t alignment = 64;

namespace detail {

/// Arrays from this size on ask the kernel for huge pages.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

struct aligned_delete {
    std::size_t align = alignment;
    void operator()(void* p) const noexcept { ::operator delete(p, std::align_val_t{align}); }
};

/// Uninitialized bytes. `bytes` is rounded up to whole cache lines, so a vector load at the end stays inside.
inline std::unique_ptr<void, aligned_delete> allocate_bytes(std::size_t bytes) {
    const std::size_t padded = (bytes + alignment - 1) / alignment * alignment;
    const std::size_t align = padded >= 2 * huge_page ? huge_page : alignment;
    void* p = ::operator new(padded == 0 ? alignment : padded, std::align_val_t{align});
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (align == huge_page) ::madvise(p, padded, MADV_HUGEPAGE);  // a wish: refused is as good as not asked
#endif
    return {p, aligned_delete{align}};
}

}  // namespace detail
}  // namespace edge
