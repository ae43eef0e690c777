// SPDX-License-Identifier: MIT
#pragma once

/// @file Memory of owning arrays: 64-byte aligned, on huge pages where the array is large, and used again.
///
///     auto c = edge::eval(a * b);                  // 200 MB: in the memory of the last array of that size
///     edge::set_recycled_bytes(0);                 // keep nothing from now on
///     edge::release_recycled();                    // give back what is kept
///
/// A first touch of a fresh 4 KiB page costs more than the arithmetic on what it holds; with 2 MiB pages there are 512
/// times fewer of them, and memory that was touched before costs nothing. So large arrays that are freed are kept for
/// the next ones: at most 32, and a sixteenth of the machine's memory, unless told otherwise.

#include <edge/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace edge {

/// Of every owning array, on every architecture: a cache line, and the widest vector register there is.
inline constexpr std::size_t alignment = 64;

namespace detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Arrays from this size on are aligned to huge pages, ask the kernel for such, and are used again.
inline constexpr std::size_t large_block = 2 * huge_page;

inline void* allocate_block(std::size_t bytes) {
    const std::size_t align = bytes >= large_block ? huge_page : alignment;
    void* p = ::operator new (bytes, std::align_val_t{align});
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (align == huge_page) ::madvise(p, bytes, MADV_HUGEPAGE);  // a wish: refused is as good as not asked
#endif
    return p;
}

inline void free_block(void* p, std::size_t bytes) noexcept {
    ::operator delete (p, std::align_val_t{bytes >= large_block ? huge_page : alignment});
}

/// Large blocks that nobody uses, the oldest first.
class block_pool {
public:
    /// A block of at least `bytes`, and not much more; nullptr if there is none.
    /// @param size  set to that of the block
    [[nodiscard]] void* take(std::size_t bytes, std::size_t& size) noexcept {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = count_; i-- > 0;) {
            if (blocks_[i].size < bytes || blocks_[i].size - bytes > bytes / 4) continue;
            size = blocks_[i].size;
            return remove(i);
        }
        return nullptr;
    }

    /// Keeps a block, and frees the oldest ones, or the block itself, if there is no room.
    void put(void* p, std::size_t size) noexcept {
        std::unique_lock lock(mutex_);
        if (size > limit_) {
            lock.unlock();
            return free_block(p, size);
        }
        shrink(limit_ - size, blocks_.size() - 1);
        blocks_[count_++] = {p, size};
        bytes_ += size;
    }

    void set_limit(std::size_t bytes) noexcept {
        const std::lock_guard lock(mutex_);
        limit_ = bytes;
        shrink(limit_, blocks_.size());
    }

    void clear() noexcept {
        const std::lock_guard lock(mutex_);
        shrink(0, 0);
    }

    [[nodiscard]] std::size_t bytes() noexcept {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }

private:
    struct block {
        void* data;
        std::size_t size;
    };

    void* remove(std::size_t i) noexcept {
        void* p = blocks_[i].data;
        bytes_ -= blocks_[i].size;
        for (--count_; i < count_; ++i) blocks_[i] = blocks_[i + 1];
        return p;
    }

    void shrink(std::size_t bytes, std::size_t count) noexcept {
        while (count_ > count || bytes_ > bytes) {
            const std::size_t size = blocks_[0].size;
            free_block(remove(0), size);
        }
    }

    /// None under the address sanitizer, which would not see a block used after it was freed.
    [[nodiscard]] static std::size_t default_limit() noexcept {
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
        const long pages = ::sysconf(_SC_PHYS_PAGES);
        const long page = ::sysconf(_SC_PAGESIZE);
        return pages > 0 && page > 0 ? static_cast<std::size_t>(pages) / 16 * static_cast<std::size_t>(page) : 0;
#else
        return 0;
#endif
    }

    std::mutex mutex_;
    std::array<block, 32> blocks_{};
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
    std::size_t limit_ = default_limit();
};

/// The process's. Never destroyed: arrays of static storage may be freed after everything else.
inline block_pool& recycled_blocks() noexcept {
    static auto& pool = *new block_pool;
    return pool;
}

struct aligned_delete {
    std::size_t size = 0;  ///< of the block, in bytes
    void operator()(void* p) const noexcept {
        size >= large_block ? recycled_blocks().put(p, size) : free_block(p, size);
    }
};

/// Uninitialized bytes. `bytes` is rounded up to whole cache lines, so a vector load at the end stays inside.
inline std::unique_ptr<void, aligned_delete> allocate_bytes(std::size_t bytes) {
    std::size_t size = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
    if (size >= large_block) {
        if (void* p = recycled_blocks().take(size, size)) return {p, aligned_delete{size}};
    }
    void* p = allocate_block(size);
    return {p, aligned_delete{size}};
}

}  // namespace detail

/// How many bytes of large arrays (4 MiB and more) this process keeps when they are freed, for the next ones; 0 for none.
/// The default is a sixteenth of the machine's memory on Linux, elsewhere 0.
inline void set_recycled_bytes(std::size_t limit) noexcept { detail::recycled_blocks().set_limit(limit); }

/// Bytes that are kept now.
[[nodiscard]] inline std::size_t recycled_bytes() noexcept { return detail::recycled_blocks().bytes(); }

/// Gives all that is kept back to the system.
inline void release_recycled() noexcept { detail::recycled_blocks().clear(); }

}  // namespace edge
