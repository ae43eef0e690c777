// SPDX-License-Identifier: MIT
#pragma once

/// @file The loop under every elementwise operation: over rows of elements, a register at a time.
///
/// Each array of an expression is a cursor: where it begins, and how far apart its neighbours are along each axis of the
/// result; zero along an axis it is stretched over. Axes that lie one after the other in all arrays are joined, so that
/// contiguous arrays of one shape are a single row, whatever their rank.

#include <edge/core/shape.hpp>
#include <edge/core/tensor_view.hpp>
#include <edge/simd/stream.hpp>

#include <algorithm>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>

namespace edge::simd::detail {

/// One array in a loop, whatever its elements. What need not know the elements is here, compiled once for all expressions.
struct any_cursor {
    const char* begin = nullptr;
    index_t bytes = 0;   ///< of an element
    strides steps;       ///< along each axis of the loop
    index_t origin = 0;  ///< position of the first element, where the array begins later than the loop
    index_t offset = 0;  ///< of the current row
    index_t step = 1;    ///< within it

    any_cursor() = default;
    any_cursor(const void* data, index_t each, const shape& extents, const strides& strides_of, const shape& result)
        : begin(static_cast<const char*>(data)), bytes(each) {
        const std::size_t added = result.rank() - extents.rank();
        for (std::size_t i = 0; i < result.rank(); ++i)
            steps.push_back(i < added || extents[i - added] == 1 ? 0 : strides_of[i - added]);
    }

    void seek(const index_list& position) noexcept {
        offset = -origin;
        for (std::size_t i = 0; i + 1 < steps.size(); ++i) offset += position[i] * steps[i];
    }
};

/// One array in a loop. `T` may be const.
template <class T>
struct cursor : any_cursor {
    T* data = nullptr;

    cursor() = default;

    /// @param extents  of the result; `view` is stretched to them by the rule of broadcasting
    cursor(const tensor_view<T>& view, const shape& extents)
        : any_cursor(view.data(), static_cast<index_t>(sizeof(T)), view.shape(), view.strides(), extents),
          data(view.data()) {}
};

/// The cursors of an expression and of its result.
template <std::size_t n>
struct cursor_list {
    any_cursor* all[n == 0 ? 1 : n];
    std::size_t count = 0;

    template <class... Nodes>
    explicit cursor_list(Nodes&... nodes) {
        (nodes.collect(*this), ...);
    }
    void add(any_cursor& c) noexcept { all[count++] = &c; }
    [[nodiscard]] std::span<any_cursor* const> span() const noexcept { return {all, count}; }
};

/// Cursors in one shape, with as few axes as they allow.
/// @return  the extents of the loop, at least one
inline index_list join_axes(const shape& extents, std::span<any_cursor* const> cursors) {
    index_list loop = extents.extents();
    for (std::size_t axis = loop.size(); axis-- > 0;) {
        if (loop[axis] != 1) continue;
        loop.erase(axis);
        for (any_cursor* c : cursors) c->steps.erase(axis);
    }
    for (std::size_t axis = loop.size(); axis-- > 1;) {
        bool follow = true;
        for (const any_cursor* c : cursors) follow = follow && c->steps[axis - 1] == c->steps[axis] * loop[axis];
        if (!follow) continue;
        loop[axis - 1] *= loop[axis];
        loop.erase(axis);
        for (any_cursor* c : cursors) {
            c->steps[axis - 1] = c->steps[axis];
            c->steps.erase(axis);
        }
    }
    if (loop.empty()) {
        loop.push_back(1);
        for (any_cursor* c : cursors) c->steps.push_back(1);
    }
    for (any_cursor* c : cursors) c->step = c->steps.back();
    return loop;
}

/// Whether writing through the last cursor could change what another reads later. Element by element in the same place is
/// fine.
inline bool overlaps(std::span<any_cursor* const> cursors, const index_list& loop) noexcept {
    const auto reach = [&](const any_cursor& c) {
        index_t low = 0;
        index_t high = 0;
        for (std::size_t i = 0; i < loop.size(); ++i) (c.steps[i] < 0 ? low : high) += c.steps[i] * (loop[i] - 1);
        return std::pair(c.begin + low * c.bytes, c.begin + (high + 1) * c.bytes);
    };
    const any_cursor& result = *cursors.back();
    const auto to = reach(result);
    const std::less<const char*> before;
    for (const any_cursor* c : cursors.first(cursors.size() - 1)) {
        if (c->begin == result.begin && c->steps == result.steps && c->bytes == result.bytes) continue;
        const auto from = reach(*c);
        if (before(from.first, to.second) && before(to.first, from.second)) return true;
    }
    return false;
}

/// The rows, or parts of such, that make up elements [first, last) of a loop in row-major order.
class row_walk {
public:
    row_walk(std::span<any_cursor* const> cursors, const index_list& loop, index_t first, index_t last) noexcept
        : cursors_(cursors), loop_(loop), position_(loop), left_(last - first) {
        if (left_ <= 0) return;
        index_t row = first / loop.back();
        column = first % loop.back();
        end = column;
        for (std::size_t axis = loop.size() - 1; axis-- > 0;) {
            position_[axis] = row % loop[axis];
            row /= loop[axis];
        }
        for (const any_cursor* c : cursors) is_contiguous = is_contiguous && c->step == 1;
    }

    /// Moves the cursors to the next row; its part is [column, end).
    bool next() noexcept {
        if (left_ <= 0) return false;
        if (end == loop_.back()) {
            column = 0;
            for (std::size_t axis = loop_.size() - 1; axis-- > 0;) {
                if (++position_[axis] < loop_[axis]) break;
                position_[axis] = 0;
            }
        }
        for (any_cursor* c : cursors_) c->seek(position_);
        end = (std::min)(loop_.back(), column + left_);
        left_ -= end - column;
        return true;
    }

    index_t column = 0;
    index_t end = 0;
    bool is_contiguous = true;

private:
    std::span<any_cursor* const> cursors_;
    const index_list& loop_;
    index_list position_;
    index_t left_;
};

/// A register full of neighbours.
template <class Lane, class Arch>
struct whole {
    using arch = Arch;
    index_t i;

    template <class T>
    EDGE_ALWAYS_INLINE auto load(const cursor<const T>& c) const noexcept {
        if constexpr (std::is_same_v<T, bool>) {
            return batch_bool<Lane, Arch>::load_unaligned(c.data + c.offset + i);
        } else {
            return batch<T, Arch>::load_unaligned(c.data + c.offset + i);
        }
    }
    template <class T, class Value>
    EDGE_ALWAYS_INLINE void store(const cursor<T>& c, const Value& value) const noexcept {
        value.store_unaligned(c.data + c.offset + i);
    }
};

/// The same for a result that no cache holds: stored past them. Its address is that of a register's alignment.
template <class Lane, class Arch>
struct whole_past_caches : whole<Lane, Arch> {
    template <class T, class Value>
    EDGE_ALWAYS_INLINE void store(const cursor<T>& c, const Value& value) const noexcept {
        stream_store(value, c.data + c.offset + this->i);
    }
};

/// Lanes from elements at any distance; those past the last repeat it. Out of line: every array of every expression has
/// one of these, and it is for ends of rows and strided views.
template <class Value, index_t n, class T>
EDGE_NEVER_INLINE Value load_apart(const T* from, index_t step, index_t count) noexcept {
    alignas(alignment) T values[n];
    for (index_t k = 0; k < n; ++k) values[k] = from[(k < count ? k : count - 1) * step];
    return Value::load_aligned(values);
}

template <index_t n, class T, class Value>
EDGE_NEVER_INLINE void store_apart(const Value& value, T* to, index_t step, index_t count) noexcept {
    alignas(alignment) T values[n];
    value.store_aligned(values);
    for (index_t k = 0; k < count; ++k) to[k * step] = values[k];
}

/// Up to a register of elements at any distance.
template <class Lane, class Arch>
struct part {
    using arch = Arch;
    static constexpr auto n = static_cast<index_t>(lanes<Lane, Arch>);
    index_t i;
    index_t count;

    template <class T>
    EDGE_ALWAYS_INLINE auto load(const cursor<const T>& c) const noexcept {
        using value = std::conditional_t<std::is_same_v<T, bool>, batch_bool<Lane, Arch>, batch<T, Arch>>;
        const T* from = c.data + c.offset + i * c.step;
        if (c.step == 0) return value(*from);
        if (c.step == 1 && count == n) return value::load_unaligned(from);
        return load_apart<value, n>(from, c.step, count);
    }
    template <class T, class Value>
    EDGE_ALWAYS_INLINE void store(const cursor<T>& c, const Value& value) const noexcept {
        T* to = c.data + c.offset + i * c.step;
        if (c.step == 1 && count == n) return value.store_unaligned(to);
        store_apart<n>(value, to, c.step, count);
    }
};

/// Elements [first, last) of one row. By value: the compiler then keeps pointers and constants in registers.
template <class Lane, class Arch, class Expression, class Result>
void run_row(const Expression expression, Result& result, index_t first, index_t last, bool is_contiguous) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<Lane, Arch>);
    Result to = result;
    index_t i = first;
    if constexpr (Result::can_stream && streams_past_caches<Arch>) {
        if (is_contiguous && to.is_large) {
            for (; i + n <= last; i += n) {
                const whole_past_caches<Lane, Arch> at{{i}};
                to.take(at, expression.get(at));
            }
            stream_fence();
        }
    }
    if (is_contiguous) {
        for (; i + n <= last; i += n) {
            const whole<Lane, Arch> at{i};
            to.take(at, expression.get(at));
        }
    }
    for (; i < last; i += n) {
        const part<Lane, Arch> at{i, (std::min)(n, last - i)};
        to.take(at, expression.get(at));
    }
    result = to;
}

/// Elements [first, last) of the whole loop, in row-major order.
template <class Lane, class Arch, class Expression, class Result>
void run_range(Expression expression, Result& result, const index_list& loop, index_t first, index_t last) noexcept {
    const cursor_list<Expression::cursors + Result::cursors> list(expression, result);
    row_walk walk(list.span(), loop, first, last);
    while (walk.next()) run_row<Lane, Arch>(expression, result, walk.column, walk.end, walk.is_contiguous);
}

/// Stores what it takes.
template <class T>
struct store_result {
    static constexpr std::size_t cursors = 1;
    static constexpr bool can_stream = !std::is_same_v<T, bool>;
    cursor<T> to;
    bool is_large = false;  ///< one aligned row that no cache holds

    template <class At, class Value>
    EDGE_ALWAYS_INLINE void take(const At& at, const Value& value) const noexcept {
        at.store(to, value);
    }
    template <class List>
    void collect(List& list) {
        list.add(to);
    }
};

/// Notes whether it took a zero.
struct find_zero {
    static constexpr std::size_t cursors = 0;
    static constexpr bool can_stream = false;
    bool found = false;

    template <class At, class Value>
    EDGE_ALWAYS_INLINE void take(const At&, const Value& value) noexcept {
        found = found || xsimd::any(value == Value(0));
    }
    template <class List>
    void collect(List&) const {}
};

}  // namespace edge::simd::detail
