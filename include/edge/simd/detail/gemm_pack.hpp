// SPDX-License-Identifier: MIT
#pragma once

/// @file Panels: parts of a matrix in the order in which the tiles of a product read them.

#include <edge/core/memory.hpp>
#include <edge/simd/detail/gemm_tile.hpp>

namespace edge::simd::detail {

/// Memory of this thread, kept for its next call.
inline void* thread_scratch(std::size_t bytes) {
    struct kept {
        std::unique_ptr<void, edge::detail::aligned_delete> memory;
        std::size_t bytes = 0;
    };
    thread_local kept scratch;
    if (scratch.bytes < bytes) {
        scratch.bytes = 0;
        scratch.memory.reset();
        scratch.memory = edge::detail::allocate_bytes(bytes);
        scratch.bytes = bytes;
    }
    return scratch.memory.get();
}

/// `count` lines of k elements as panels of `width` lines, [k, width] each. Lines past the last are zero.
template <index_t width, class T>
void pack_panels(const T* from, index_t line_step, index_t step, index_t count, index_t k, T* to) noexcept {
    for (index_t line = 0; line < count; line += width, from += width * line_step) {
        if (count - line < width) {
            for (index_t p = 0; p < k; ++p)
                for (index_t i = 0; i < width; ++i) *to++ = i < count - line ? from[i * line_step + p * step] : T{};
        } else if (line_step == 1) {
            for (index_t p = 0; p < k; ++p, to += width) std::copy_n(from + p * step, width, to);
        } else {
            for (index_t p = 0; p < k; ++p, to += width)
                unrolled<static_cast<int>(width)>([&](auto i) { to[i] = from[i * line_step + p * step]; });
        }
    }
}

/// Rows of k elements, `packed_row` apart.
template <class T>
void pack_rows(const T* from, index_t row_step, index_t step, index_t rows, index_t k, T* to) noexcept {
    if (step == 1) {
        for (index_t i = 0; i < rows; ++i) std::copy_n(from + i * row_step, k, to + i * packed_row<T>);
    } else {
        for (index_t p = 0; p < k; ++p)
            for (index_t i = 0; i < rows; ++i) to[i * packed_row<T> + p] = from[i * row_step + p * step];
    }
}

/// Parts that `count` is cut into, none longer than `most`, about equal, multiples of `align` but for the last.
struct even_blocks {
    index_t each;

    even_blocks(index_t count, index_t most, index_t align) noexcept {
        const index_t blocks = count <= most ? 1 : (count + most - 1) / most;
        each = blocks == 1 ? count : (count + blocks - 1) / blocks;
        each = (std::max)(index_t{1}, (each + align - 1) / align * align);
    }
};

/// Blocks of a product, in elements.
///
/// 24 rows of a, 512 floats deep, are 48 KiB: they stay in the first cache or near it while the panels of b stream by.
/// Those are contiguous, which a prefetcher likes; the rows of c that a higher block of a would visit in turn are apart,
/// often by a power of two. Measured at 512 to 2048: 24 rows reach 0.85 to 0.88 of the peak, 168 rows 0.62 to 0.72. The
/// deeper a block, the less often c is read and written: 512 instead of 256 are worth 0.04 at 2048, nothing at 512. A
/// block of b, 1 MiB, stays in a second or third cache.
template <class Arch, class T>
struct gemm_blocks {
    static constexpr auto size = static_cast<index_t>(sizeof(T));
    static constexpr index_t k = gemm_depth<T>;
    static constexpr index_t rows = 24 / gemm_tile<Arch, T>::rows * gemm_tile<Arch, T>::rows;
    static constexpr index_t columns = 2048 / size;
};

}  // namespace edge::simd::detail
