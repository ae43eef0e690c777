// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of products of two rows, for what is no matrix product: inner products, and rows added to a row.

#include <edge/core/parallel.hpp>
#include <edge/core/tensor.hpp>
#include <edge/simd/detail/operation.hpp>

#include <cmath>

namespace edge::simd::detail {

/// a·b + c, as `op::fma` has it for registers.
template <class T>
[[nodiscard]] EDGE_ALWAYS_INLINE T multiply_add(T a, T b, T c) noexcept {
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(std::uint64_t{1} * a * b + c);
    } else {
#if defined(__FMA__) || defined(__aarch64__)
        return std::fma(a, b, c);
#else
        return a * b + c;
#endif
    }
}

/// A sum in pairs: the error grows with the logarithm of how many there are.
template <class T>
class pairwise_sum {
public:
    void add(T v) noexcept {
        int level = 0;
        for (; (count_ >> level & 1) != 0; ++level) v = static_cast<T>(levels_[level] + v);
        levels_[level] = v;
        ++count_;
    }
    [[nodiscard]] T total() const noexcept {
        T sum{};
        bool is_first = true;
        for (int level = 0; count_ >> level != 0; ++level) {
            if ((count_ >> level & 1) == 0) continue;
            sum = is_first ? levels_[level] : static_cast<T>(levels_[level] + sum);
            is_first = false;
        }
        return sum;
    }

private:
    T levels_[48];
    std::uint64_t count_ = 0;
};

/// Elements of a row that are added up as 128 bytes of columns before these are joined.
template <class T>
inline constexpr index_t inner_block = 64 * index_t{128 / sizeof(T)};

/// Blocks that one thread adds up: a whole subtree of the sum in pairs, so that it does not matter which.
inline constexpr index_t inner_part = 32;

/// Σ a[i]·b[i] of at most a block.
template <class Arch, class T>
[[nodiscard]] T multiply_block(const T* a, const T* b, index_t count) noexcept {
    using B = batch<T, Arch>;
    constexpr index_t width = 128 / sizeof(T);
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    constexpr index_t registers = width / n;
    B sums[registers];
    for (B& s : sums) s = B(T{});
    index_t i = 0;
    for (; i + width <= count; i += width)
        for (index_t r = 0; r < registers; ++r)
            sums[r] = op::fma::apply(B::load_unaligned(a + i + r * n), B::load_unaligned(b + i + r * n), sums[r]);
    alignas(alignment) T columns[width];
    for (index_t r = 0; r < registers; ++r) sums[r].store_aligned(columns + r * n);
    for (index_t j = 0; i + j < count; ++j) columns[j] = multiply_add(a[i + j], b[i + j], columns[j]);
    for (index_t half = width / 2; half > 0; half /= 2)
        for (index_t j = 0; j < half; ++j) columns[j] = static_cast<T>(columns[j] + columns[j + half]);
    return columns[0];
}

/// `count` elements that are apart, side by side in `buffer`; or where they are.
template <class T>
[[nodiscard]] const T* side_by_side(const T* from, index_t step, index_t count, T* buffer) noexcept {
    if (step == 1) return from;
    for (index_t i = 0; i < count; ++i) buffer[i] = from[i * step];
    return buffer;
}

/// Σ a[i·a_step]·b[i·b_step] for i in [first, first + count), whole blocks but for the last.
template <class Arch, class T>
[[nodiscard]] T multiply_blocks(const T* a, index_t a_step, const T* b, index_t b_step, index_t count) noexcept {
    T a_buffer[inner_block<T>];
    T b_buffer[inner_block<T>];
    pairwise_sum<T> sum;
    for (index_t i = 0; i < count; i += inner_block<T>) {
        const index_t here = (std::min)(inner_block<T>, count - i);
        sum.add(multiply_block<Arch>(side_by_side(a + i * a_step, a_step, here, a_buffer),
                                     side_by_side(b + i * b_step, b_step, here, b_buffer), here));
    }
    return sum.total();
}

/// Σ a[i·a_step]·b[i·b_step]. The bits depend on the elements and their number alone. Integers wrap.
template <class Arch, class T>
[[nodiscard]] T inner_product(const T* a, index_t a_step, const T* b, index_t b_step, index_t count, int threads) {
    if (count < 16) {
        T sum{};
        for (index_t i = 0; i < count; ++i) sum = multiply_add(a[i * a_step], b[i * b_step], sum);
        return sum;
    }
    constexpr index_t part = inner_part * inner_block<T>;
    if (count <= part) return multiply_blocks<Arch>(a, a_step, b, b_step, count);
    const index_t parts = (count + part - 1) / part;
    auto totals = tensor<T>::uninitialized({parts});
    parallel_for(parts, {.threads = threads}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i)
            totals[i] = multiply_blocks<Arch>(a + i * part * a_step, a_step, b + i * part * b_step, b_step,
                                              (std::min)(part, count - i * part));
    });
    pairwise_sum<T> sum;
    for (const T v : totals) sum.add(v);
    return sum.total();
}

/// c[i] (+)= a[i]·b[i], where an operand that does not move is its first element throughout.
template <class Arch, bool a_moves, bool b_moves, class T>
void multiply_row(const T* a, const T* b, index_t count, bool accumulate, T* c) noexcept {
    using B = batch<T, Arch>;
    constexpr auto n = static_cast<index_t>(lanes<T, Arch>);
    const B a0(a[0]);
    const B b0(b[0]);
    const B zero(T{});
    index_t i = 0;
    for (; i + n <= count; i += n) {
        B left = a0;
        B right = b0;
        if constexpr (a_moves) left = B::load_unaligned(a + i);
        if constexpr (b_moves) right = B::load_unaligned(b + i);
        op::fma::apply(left, right, accumulate ? B::load_unaligned(c + i) : zero).store_unaligned(c + i);
    }
    for (; i < count; ++i) c[i] = multiply_add(a[a_moves ? i : 0], b[b_moves ? i : 0], accumulate ? c[i] : T{});
}

template <class Arch, class T>
void multiply_row(const T* a, bool a_moves, const T* b, bool b_moves, index_t count, bool accumulate, T* c) noexcept {
    if (!a_moves && !b_moves) return multiply_row<Arch, false, false>(a, b, count, accumulate, c);
    if (!a_moves) return multiply_row<Arch, false, true>(a, b, count, accumulate, c);
    if (!b_moves) return multiply_row<Arch, true, false>(a, b, count, accumulate, c);
    multiply_row<Arch, true, true>(a, b, count, accumulate, c);
}

}  // namespace edge::simd::detail
