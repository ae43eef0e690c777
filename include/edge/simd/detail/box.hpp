// SPDX-License-Identifier: MIT
#pragma once

/// @file The loop over arrays whose rows are short or strided: box by box, through buffers that stay in the first cache.
///
/// A box is a part of the loop of at most 1024 elements. Arrays whose elements do not lie one after the other in it are
/// copied into a buffer along their own shortest step, the kernel runs once over the whole box, and a result that is
/// strided is copied back. So a transposed operand is read a cache line at a time, and rows of three elements cost what
/// long ones do. What an array is stretched over is copied once.

#include <edge/simd/detail/loop.hpp>

#include <cstring>

namespace edge::simd::detail {

inline constexpr index_t box_elements = 1024;

/// Copies `count` elements of `bytes` each, at any distances in bytes.
template <std::size_t bytes>
inline void copy_apart(const char* from, index_t from_step, char* to, index_t to_step, index_t count) noexcept {
    for (index_t i = 0; i < count; ++i) std::memcpy(to + i * to_step, from + i * from_step, bytes);
}

inline void copy_line(index_t bytes, const char* from, index_t from_step, char* to, index_t to_step,
                      index_t count) noexcept {
    if (from_step == bytes && to_step == bytes) {
        std::memcpy(to, from, static_cast<std::size_t>(count * bytes));
    } else if (bytes == 4) {
        copy_apart<4>(from, from_step, to, to_step, count);
    } else if (bytes == 8) {
        copy_apart<8>(from, from_step, to, to_step, count);
    } else if (bytes == 2) {
        copy_apart<2>(from, from_step, to, to_step, count);
    } else {
        copy_apart<1>(from, from_step, to, to_step, count);
    }
}

/// Copies a box of elements. Steps are in elements.
/// @param by  the steps whose shortest one the innermost loop takes
inline void copy_box(index_t bytes, const index_list& extents, const char* from, const strides& from_steps, char* to,
                     const strides& to_steps, const strides& by) noexcept {
    std::size_t inner = extents.size() - 1;
    const auto length = [&](std::size_t axis) { return by[axis] < 0 ? -by[axis] : by[axis]; };
    for (std::size_t axis = 0; axis < extents.size(); ++axis)
        if (extents[axis] > 1 && (extents[inner] == 1 || length(axis) < length(inner))) inner = axis;
    index_list position = extents;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) position[axis] = 0;
    for (;;) {
        copy_line(bytes, from, from_steps[inner] * bytes, to, to_steps[inner] * bytes, extents[inner]);
        std::size_t axis = extents.size();
        for (;;) {
            if (axis == 0) return;
            --axis;
            if (axis == inner) continue;
            const bool is_last = ++position[axis] == extents[axis];
            if (is_last) position[axis] = 0;
            const index_t moves = (is_last ? 1 - extents[axis] : 1) * bytes;
            from += from_steps[axis] * moves;
            to += to_steps[axis] * moves;
            if (!is_last) break;
        }
    }
}

/// How a loop is cut into boxes.
struct box_plan {
    index_list extents;  ///< of a whole box; those at the far ends may be smaller
    index_list counts;   ///< boxes along each axis
    index_t total = 1;

    box_plan(std::span<const any_array> arrays, const index_list& loop) : extents(loop), counts(loop) {
        const std::size_t last = loop.size() - 1;
        for (std::size_t axis = 0; axis <= last; ++axis) extents[axis] = 1;
        index_t room = box_elements;
        const auto take = [&](std::size_t axis, index_t most) {
            extents[axis] = (std::min)({loop[axis], most, room});
            room /= extents[axis];
        };
        // An array that runs along another axis: square boxes, so that a line of it is used whole.
        std::size_t across = last;
        for (const any_array& a : arrays)
            for (std::size_t axis = 0; axis < last; ++axis)
                if (a.steps[last] != 0 && (a.steps[axis] == 1 || a.steps[axis] == -1)) across = axis;
        if (across != last) {
            take(across, 32);
            take(last, 32);
        } else {
            take(last, box_elements);
        }
        for (std::size_t axis = last; axis-- > 0 && extents[axis + 1] == loop[axis + 1];)
            if (extents[axis] == 1) take(axis, box_elements);
        for (std::size_t axis = 0; axis <= last; ++axis) {
            counts[axis] = (loop[axis] + extents[axis] - 1) / extents[axis];
            total *= counts[axis];
        }
    }
};

/// Whether boxes pay: rows are short, or an array's neighbours are apart.
[[nodiscard]] inline bool wants_boxes(std::span<const any_array> arrays, const index_list& loop) noexcept {
    if (loop.size() > 1 && loop.back() < 64) return true;
    for (const any_array& a : arrays)
        if (a.steps.back() != 0 && a.steps.back() != 1) return true;
    return arrays.back().steps.back() != 1;
}

/// Whether the elements of a box lie one after the other.
[[nodiscard]] inline bool is_flat_box(const strides& steps, const index_list& extents) noexcept {
    index_t step = 1;
    for (std::size_t axis = extents.size(); axis-- > 0;) {
        if (extents[axis] != 1 && steps[axis] != step) return false;
        step *= extents[axis];
    }
    return true;
}

/// What is the same for boxes of all types: where the arrays of a box are, or the copies of them.
class box_walk {
public:
    box_walk(std::span<const any_array> arrays, std::span<any_row* const> rows, const index_list& loop,
             const box_plan& plan, char (*buffers)[box_elements * 8]) noexcept
        : arrays_(arrays), rows_(rows), loop_(loop), plan_(plan), buffers_(buffers), extents_(loop), steps_(loop) {}

    /// Makes the rows those of box `i`.
    /// @return  the number of its elements
    index_t enter(index_t i) noexcept {
        index_list origin = loop_;
        bool is_new = size_ == 0;
        for (std::size_t axis = loop_.size(); axis-- > 0;) {
            origin[axis] = i % plan_.counts[axis] * plan_.extents[axis];
            i /= plan_.counts[axis];
            const index_t extent = (std::min)(plan_.extents[axis], loop_[axis] - origin[axis]);
            is_new = is_new || extent != extents_[axis];
            extents_[axis] = extent;
        }
        if (is_new) {
            size_ = 1;
            for (std::size_t axis = loop_.size(); axis-- > 0;) {
                steps_[axis] = size_;
                size_ *= extents_[axis];
            }
        }
        for (std::size_t k = 0; k < arrays_.size(); ++k) {
            const any_array& a = arrays_[k];
            const char* begin = a.begin;
            for (std::size_t axis = 0; axis < loop_.size(); ++axis) begin += origin[axis] * a.steps[axis] * a.bytes;
            const bool is_result = k + 1 == arrays_.size();
            if (is_flat_box(a.steps, extents_)) {
                rows_[k]->begin = begin;
                if (is_result) result_ = nullptr;
                continue;
            }
            if (is_result) {
                result_ = const_cast<char*>(begin);
            } else if (is_new || copied_[k] != begin) {
                copy_box(a.bytes, extents_, begin, a.steps, buffers_[k], steps_, a.steps);
                copied_[k] = begin;
            }
            rows_[k]->begin = buffers_[k];
        }
        return size_;
    }

    /// Copies the result to where it belongs.
    void leave() noexcept {
        const any_array& a = arrays_.back();
        if (result_ != nullptr)
            copy_box(a.bytes, extents_, buffers_[arrays_.size() - 1], steps_, result_, a.steps, a.steps);
    }

private:
    std::span<const any_array> arrays_;
    std::span<any_row* const> rows_;
    const index_list& loop_;
    const box_plan& plan_;
    char (*buffers_)[box_elements * 8];
    index_list extents_;
    strides steps_;  ///< of a buffer
    index_t size_ = 0;
    char* result_ = nullptr;
    const char* copied_[64] = {};
};

/// Boxes [first, last) of a loop.
template <class Lane, class Arch, class Expression, class Result>
void run_boxes(Expression expression, Result& result, std::span<const any_array> arrays, const index_list& loop,
               const box_plan& plan, index_t first, index_t last) noexcept {
    constexpr std::size_t count = Expression::arrays + Result::arrays;
    static_assert(count <= 64, "an expression of more than 63 arrays");
    alignas(alignment) char buffers[count][box_elements * 8];
    row_list<count> rows;
    expression.collect(rows);
    result.collect(rows);
    box_walk walk(arrays, rows.span(), loop, plan, buffers);
    for (index_t i = first; i < last; ++i) {
        const index_t size = walk.enter(i);
        run_contiguous<Lane, Arch>(expression, result, 0, size);
        walk.leave();
    }
}

}  // namespace edge::simd::detail
