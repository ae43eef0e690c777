// SPDX-License-Identifier: MIT
#pragma once

/// @file Products of two arrays, summed over some of their axes: as batches of matrix products where they are such, else
/// as inner products or as rows, whichever lies side by side. Axes may be in any order and any distance; nothing is copied.

#include <edge/simd/detail/product_sums.hpp>
#include <edge/simd/evaluate.hpp>
#include <edge/simd/gemm.hpp>

namespace edge::simd::detail {

/// An axis of a product: how far apart its neighbours are in both operands and in the result; 0 where one lacks it.
struct product_axis {
    index_t extent;
    index_t a;
    index_t b;
    index_t c;
};

/// Axes of one kind.
class product_axes {
public:
    void add(const product_axis& axis) {
        if (axis.extent == 1) return;
        if (count_ == capacity) throw shape_error("a product of more than 16 axes of a kind is not supported");
        axes_[count_++] = axis;
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] const product_axis* begin() const noexcept { return axes_; }
    [[nodiscard]] const product_axis* end() const noexcept { return axes_ + count_; }
    [[nodiscard]] const product_axis& back() const noexcept { return axes_[count_ - 1]; }

    [[nodiscard]] index_t elements() const noexcept {
        index_t product = 1;
        for (const product_axis& axis : *this) product *= axis.extent;
        return product;
    }

    /// Outer axes first, and those that follow each other in all arrays as one.
    void join() noexcept {
        const auto size = [](index_t step) { return step < 0 ? -step : step; };
        const auto is_outer = [&](const product_axis& x, const product_axis& y) {
            if (size(x.c) != size(y.c)) return size(x.c) > size(y.c);
            if (size(x.a) != size(y.a)) return size(x.a) > size(y.a);
            return size(x.b) > size(y.b);
        };
        for (std::size_t i = 1; i < count_; ++i)
            for (std::size_t j = i; j > 0 && is_outer(axes_[j], axes_[j - 1]); --j) std::swap(axes_[j], axes_[j - 1]);
        std::size_t kept = 0;
        for (std::size_t i = 1; i < count_; ++i) {
            product_axis& outer = axes_[kept];
            const product_axis& inner = axes_[i];
            if (outer.a == inner.a * inner.extent && outer.b == inner.b * inner.extent &&
                outer.c == inner.c * inner.extent) {
                outer = {outer.extent * inner.extent, inner.a, inner.b, inner.c};
            } else {
                axes_[++kept] = inner;
            }
        }
        if (count_ != 0) count_ = kept + 1;
    }

    /// Takes the last axis out; one of a single element where there is none.
    product_axis take_back() noexcept { return count_ == 0 ? product_axis{1, 0, 0, 0} : axes_[--count_]; }

    /// Takes the longest axis out.
    product_axis take_longest() noexcept {
        if (count_ == 0) return {1, 0, 0, 0};
        std::size_t longest = 0;
        for (std::size_t i = 1; i < count_; ++i)
            if (axes_[i].extent > axes_[longest].extent) longest = i;
        const product_axis taken = axes_[longest];
        std::copy(axes_ + longest + 1, axes_ + count_, axes_ + longest);
        --count_;
        return taken;
    }

    /// Offsets of element i in row-major order.
    [[nodiscard]] product_axis at(index_t i) const noexcept {
        product_axis offset{0, 0, 0, 0};
        for (std::size_t axis = count_; axis-- > 0;) {
            const product_axis& here = axes_[axis];
            const index_t position = axis == 0 ? i : i % here.extent;
            if (axis != 0) i /= here.extent;
            offset.a += position * here.a;
            offset.b += position * here.b;
            offset.c += position * here.c;
        }
        return offset;
    }

private:
    static constexpr std::size_t capacity = 2 * max_rank;
    product_axis axes_[capacity];
    std::size_t count_ = 0;
};

/// c[batch, rows, columns] = Σ_inner a[batch, rows, inner]·b[batch, inner, columns], of one type.
struct product_plan {
    product_axes batch;
    product_axes rows;     ///< not in b
    product_axes columns;  ///< not in a
    product_axes inner;    ///< not in c

    void join() noexcept {
        for (product_axes* axes : {&batch, &rows, &columns, &inner}) axes->join();
    }
};

/// Rows or inner products: what has no rows or no columns. All axes but the inner ones are in `batch`.
template <class Arch, class T>
void sum_products(const T* a, const T* b, T* c, product_axes& batch, product_axes& inner, int threads) {
    batch.join();
    inner.join();
    const auto is_side_by_side = [](index_t step) { return step == 0 || step == 1; };
    const index_t work = batch.elements() * inner.elements();
    const int parts = parts_for(work, {.threads = threads, .grain = edge::detail::elements_per_thread});
    const bool has_inner_rows = !inner.empty() && is_side_by_side(inner.back().a) && is_side_by_side(inner.back().b);
    const bool has_rows = !batch.empty() && batch.back().c == 1;
    const bool rows_are_whole = has_rows && is_side_by_side(batch.back().a) && is_side_by_side(batch.back().b);
    const bool is_inner = has_inner_rows && !(rows_are_whole && batch.back().extent >= inner.back().extent);
    if (has_rows && !is_inner) {
        // Part of a row of c stays in the first cache while all that belongs to it is added.
        constexpr auto block = static_cast<index_t>(8192 / sizeof(T));
        const product_axis row = batch.take_back();
        const index_t blocks = (row.extent + block - 1) / block;
        const index_t depth = inner.elements();
        parallel_for(batch.elements() * blocks, {.threads = parts}, [&](index_t first, index_t last) {
            T buffers[2][block];
            for (index_t i = first; i < last; ++i) {
                const product_axis at = blocks == 1 ? batch.at(i) : batch.at(i / blocks);
                const index_t start = blocks == 1 ? 0 : i % blocks * block;
                const index_t count = (std::min)(block, row.extent - start);
                for (index_t p = 0; p < depth; ++p) {
                    const product_axis from = inner.at(p);
                    const T* left = a + at.a + from.a + start * row.a;
                    const T* right = b + at.b + from.b + start * row.b;
                    if (row.a != 0) left = side_by_side(left, row.a, count, buffers[0]);
                    if (row.b != 0) right = side_by_side(right, row.b, count, buffers[1]);
                    multiply_row<Arch>(left, row.a != 0, right, row.b != 0, count, p != 0, c + at.c + start);
                }
            }
        });
        return;
    }
    const product_axis row = inner.take_back();
    const index_t depth = inner.elements();
    parallel_for(batch.elements(), {.threads = parts}, [&](index_t first, index_t last) {
        for (index_t i = first; i < last; ++i) {
            const product_axis at = batch.at(i);
            T sum{};
            for (index_t p = 0; p < depth; ++p) {
                const product_axis from = inner.at(p);
                sum = static_cast<T>(
                    sum + inner_product<Arch>(a + at.a + from.a, row.a, b + at.b + from.b, row.b, row.extent, threads));
            }
            c[at.c] = sum;
        }
    });
}

/// Whether the axes of a plan, once joined, are too short one by one for matrix products of some size.
[[nodiscard]] inline bool is_fragmented(const product_plan& plan) noexcept {
    const auto longest = [](const product_axes& axes) {
        index_t most = 1;
        for (const product_axis& axis : axes) most = (std::max)(most, axis.extent);
        return most;
    };
    const index_t all = plan.rows.elements() * plan.columns.elements() * plan.inner.elements();
    const index_t at_once = longest(plan.rows) * longest(plan.columns) * longest(plan.inner);
    return all >= 16 * at_once && at_once < 32768;
}

template <class Arch, class T>
void multiply_matrices(const T* a, const T* b, T* c, product_plan& plan, int threads) {
    const product_axis row = plan.rows.take_longest();
    const product_axis column = plan.columns.take_longest();
    const product_axis step = plan.inner.take_longest();
    gemm_batch batch;
    for (const product_axes* axes : {&plan.batch, &plan.rows, &plan.columns})
        for (const product_axis& axis : *axes) {
            batch.extents.push_back(axis.extent);
            batch.a.push_back(axis.a);
            batch.b.push_back(axis.b);
            batch.c.push_back(axis.c);
        }
    const index_t depth = plan.inner.elements();
    for (index_t p = 0; p < depth; ++p) {
        const product_axis from = plan.inner.at(p);
        matrix<const T> left{a + from.a, row.extent, step.extent, row.a, step.a};
        matrix<const T> right{b + from.b, step.extent, column.extent, step.b, column.b};
        matrix<T> result{c, row.extent, column.extent, row.c, column.c};
        // Columns are what registers hold: side by side in the result, or at least enough of them.
        const auto some = static_cast<index_t>(lanes<T, Arch>);
        const bool is_narrow = 2 * column.extent <= some && row.extent > column.extent;
        const bool is_turned = column.c != 1 && row.c == 1 && (2 * row.extent > some || row.extent >= column.extent);
        if (is_narrow || is_turned) {
            std::swap(left, right);
            left = left.transposed();
            right = right.transposed();
            result = result.transposed();
            std::swap(batch.a, batch.b);
        }
        gemm<Arch, T>(batch, left, right, result, {.accumulate = p != 0, .threads = threads});
        if (is_narrow || is_turned) std::swap(batch.a, batch.b);
    }
}

/// Runs a plan whose axes are joined, and uses it up. No axis has an extent of 0, and c overlaps neither operand.
template <class T>
void run_product(const T* a, const T* b, T* c, product_plan& plan, int threads) {
    if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {  // the same bits, and half as many kernels
        using U = std::make_unsigned_t<T>;
        run_product(reinterpret_cast<const U*>(a), reinterpret_cast<const U*>(b), reinterpret_cast<U*>(c), plan,
                    threads);
    } else if (plan.rows.empty() || plan.columns.empty() || plan.inner.empty()) {
        for (const product_axes* axes : {&plan.rows, &plan.columns})
            for (const product_axis& axis : *axes) plan.batch.add(axis);
        sum_products<default_arch>(a, b, c, plan.batch, plan.inner, threads);
    } else {
        multiply_matrices<default_arch>(a, b, c, plan, threads);
    }
}

}  // namespace edge::simd::detail
