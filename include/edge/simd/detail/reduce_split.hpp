// SPDX-License-Identifier: MIT
#pragma once

/// @file Reductions along an axis: how it is cut into parts, which threads share, and how those are joined again.
///
///     const axis_split split({5000, 10000}, 0, false);               // [outer, extent, inner] = [1, 5000, 10000]
///     reduce_split<simd::detail::sum_of>(values.source(), split, totals, threads);
///
/// Rows are read whole, or in wide tiles, and their totals are kept in the second cache: a narrow tile would visit a page
/// for each row, and the processor would not read ahead. Parts of the axis, not tiles, are what threads share.

#include <edge/simd/detail/reduce_source.hpp>

namespace edge::detail {

/// An axis of a row-major array, or neighbouring axes, as [outer, extent, inner].
struct axis_split {
    index_t outer = 1;
    index_t extent = 1;
    index_t inner = 1;
    shape reduced;

    axis_split(const shape& extents, index_t axis, bool keepdims)
        : axis_split(extents, extents.axis(axis), 1, keepdims) {}

    /// `count` axes from the `first` on.
    axis_split(const shape& extents, std::size_t first, std::size_t count, bool keepdims) {
        index_list rest;
        for (std::size_t i = 0; i < extents.rank(); ++i) {
            const bool is_reduced = i >= first && i < first + count;
            (is_reduced ? extent : i < first ? outer : inner) *= extents[i];
            if (!is_reduced || keepdims) rest.push_back(is_reduced ? 1 : extents[i]);
        }
        reduced = shape(rest);
    }
};

/// How the slices of a split are cut. The parts fix the bits, so that they follow from the shape alone.
template <class T>
struct part_plan {
    index_t group;   ///< rows that are taken as one, since they are short
    index_t extent;  ///< of a part, along the axis
    index_t parts;
    index_t tile;  ///< columns that are reduced at a time; of no influence on the bits
    index_t tiles;

    explicit part_plan(const axis_split& split) {
        constexpr index_t narrow = simd::detail::columns<T>;
        constexpr index_t part_elements = 64 * simd::detail::rows_per_block * narrow;
        group = split.inner < narrow ? narrow : 1;
        // Few parts of wide rows, since each has totals of its own to join, but enough for the threads of small processors.
        const index_t eighth = (split.extent + 127) / 128 * simd::detail::rows_per_block;
        extent =
            (std::max)(part_elements / split.inner / narrow * narrow, std::clamp(eighth, index_t{256}, index_t{1024}));
        extent = (std::min)(extent, split.extent);
        parts = (split.extent + extent - 1) / extent;
        tile = (std::min)(split.inner, index_t{16384});
        tiles = (split.inner + tile - 1) / tile;
    }

    /// Parts of all slices and their tiles.
    [[nodiscard]] index_t items(const axis_split& split) const { return split.outer * parts * tiles; }
    [[nodiscard]] index_t grain() const { return (std::max)(index_t{1}, elements_per_thread / (extent * tile)); }
};

/// One part of one slice, or a tile of it.
struct part_item {
    index_t slice;
    index_t part;
    index_t column;
    index_t width;
    index_t begin;  ///< along the axis
    index_t extent;

    template <class T>
    part_item(const axis_split& split, const part_plan<T>& plan, index_t i)
        : slice(i / plan.tiles / plan.parts),
          part(i / plan.tiles % plan.parts),
          column(i % plan.tiles * plan.tile),
          width((std::min)(plan.tile, split.inner - column)),
          begin(part * plan.extent),
          extent((std::min)(plan.extent, split.extent - begin)) {}

    /// Position of its first element in the array.
    [[nodiscard]] index_t first(const axis_split& split) const {
        return (slice * split.extent + begin) * split.inner + column;
    }
};

/// Reads parts, with the memory that takes.
/// @tparam kept  most totals of a column that are asked for
template <index_t kept, class T>
class part_reducer {
public:
    part_reducer(const source<T>& from, const axis_split& split, const part_plan<T>& plan)
        : from_(from),
          split_(split),
          plan_(plan),
          row_(plan.group * plan.tile),
          ahead_(rows_ahead(row_)),
          totals_(simd::detail::scratch_size<T>(kept, (std::max)(index_t{1}, plan.extent / plan.group), row_)),
          rest_(plan.group == 1 ? 0 : kept * row_),
          buffer_(from.data != nullptr ? 0 : (std::max)(buffered_elements, ahead_ * row_)) {}

    /// The totals of a part's columns, as [Kernel::totals, pitch], until the next call.
    template <class Kernel>
    [[nodiscard]] T* reduce(const Kernel& kernel, const part_item& item, index_t last_slice) {
        const source<T> from = window(item, last_slice);
        const index_t first = item.first(split_) - window_first_;
        if (plan_.group == 1) {
            const auto read = [&](index_t r, index_t count) {
                return from.read(first + r * split_.inner, count, split_.inner, item.width, buffer_.data());
            };
            return simd::detail::reduce_tree<arch, Kernel, T>(kernel, read, item.extent, ahead_, item.width,
                                                              totals_.data());
        }
        const index_t rows = item.extent / plan_.group;
        const index_t rest = (item.extent - rows * plan_.group) * split_.inner;
        T* totals = totals_.data();
        if (rows != 0) {
            const auto read = [&](index_t r, index_t count) {
                return from.read(first + r * row_, count, row_, row_, buffer_.data());
            };
            totals = simd::detail::reduce_tree<arch, Kernel, T>(kernel, read, rows, ahead_, row_, totals);
        }
        if (rest != 0) {
            const T* last = from.read(first + rows * row_, 1, rest, rest, buffer_.data()).from;
            T* to = rows == 0 ? totals : rest_.data();
            simd::detail::reduce_block<arch>(kernel, simd::detail::rows_at<T>{last, rest}, 1, rest, to, row_);
            for (index_t k = 0; rows != 0 && k < Kernel::totals; ++k)
                simd::detail::join_totals<arch, typename Kernel::join>(totals + k * row_, to + k * row_, rest);
        }
        for (index_t k = 0; k < Kernel::totals; ++k)
            simd::detail::fold<arch, typename Kernel::join>(totals + k * row_, (std::min)(item.extent, plan_.group),
                                                            split_.inner);
        return totals;
    }

    /// Distance between totals of one kind and those of the next.
    [[nodiscard]] index_t pitch(const part_item& item) const {
        return simd::detail::padded<T>(plan_.group == 1 ? item.width : row_);
    }

private:
    using arch = simd::detail::default_arch;

    /// As many rows of an expression as fit the first cache, but two at least: whole blocks, or an even part of one.
    static constexpr index_t rows_ahead(index_t row) {
        constexpr index_t block = simd::detail::rows_per_block;
        const index_t fit = buffered_elements / row;
        if (fit >= block) return fit / block * block;
        return fit >= 8 ? 8 : fit >= 4 ? 4 : 2;
    }

    /// Small slices of an expression are computed many at a time.
    source<T> window(const part_item& item, index_t last_slice) {
        const index_t slice = split_.extent * split_.inner;
        if (from_.data != nullptr || slice > buffered_elements || plan_.tiles != 1) return from_;
        if (item.slice >= window_last_) {
            window_last_ = (std::min)(last_slice, item.slice + buffered_elements / slice);
            window_first_ = item.slice * slice;
            from_.compute(from_.node, window_first_, window_last_ * slice - window_first_, buffer_.data());
        }
        return {buffer_.data()};
    }

    const source<T>& from_;
    const axis_split& split_;
    const part_plan<T>& plan_;
    index_t row_;
    index_t ahead_;
    scratch<T> totals_;
    scratch<T> rest_;
    scratch<T> buffer_;
    index_t window_first_ = 0;
    index_t window_last_ = 0;
};

/// Totals along the axis, whose extent is at least one.
/// @param to  [outer, inner]
template <class Join, class T>
void reduce_split(const source<T>& from, const axis_split& split, T* to, int threads) {
    if (split.outer * split.inner == 0) return;
    using kernel = simd::detail::total_of<Join>;
    const part_plan<T> plan(split);
    auto partial = plan.parts == 1 ? tensor<T>() : tensor<T>::uninitialized({split.outer * plan.parts * split.inner});
    T* totals = plan.parts == 1 ? to : partial.data();
    run_parts(plan.items(split), parallel_options{.threads = threads, .grain = plan.grain()},
              [&](index_t first, index_t last) {
                  part_reducer<1, T> reducer(from, split, plan);
                  for (index_t i = first; i < last; ++i) {
                      const part_item item(split, plan, i);
                      const T* of = reducer.reduce(kernel(), item, (last - 1) / plan.tiles / plan.parts + 1);
                      std::copy_n(of, item.width,
                                  totals + (item.slice * plan.parts + item.part) * split.inner + item.column);
                  }
              });
    if (plan.parts == 1) return;
    for (index_t o = 0; o < split.outer; ++o) {
        T* parts = totals + o * plan.parts * split.inner;
        simd::detail::fold<simd::detail::default_arch, Join>(parts, plan.parts, split.inner);
        std::copy_n(parts, split.inner, to + o * split.inner);
    }
}

/// The same of contiguous memory, as a tensor.
template <class Join, class T>
[[nodiscard]] tensor<T> reduce_axis(const T* from, const axis_split& split, int threads) {
    auto result = tensor<T>::uninitialized(split.reduced);
    reduce_split<Join>(source<T>{from}, split, result.data(), threads);
    return result;
}

}  // namespace edge::detail
