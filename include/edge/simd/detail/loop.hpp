// SPDX-License-Identifier: MIT
#pragma once

/// @file The loop under every elementwise operation: over rows of elements, a register at a time.
///
/// An array of an expression is where it begins, and how far apart its neighbours are along each axis of the result; zero
/// along an axis it is stretched over. Axes that lie one after the other in all arrays are joined, so that contiguous
/// arrays of one shape are a single row, whatever their rank. The kernels see rows alone.

#include <edge/core/shape.hpp>
#include <edge/core/tensor_view.hpp>
#include <edge/simd/stream.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace edge::simd::detail {

/// The elements of one array along the current row of a loop: all that a kernel sees of it.
struct any_row {
    const char* begin = nullptr;
    index_t step = 1;  ///< in elements
};

/// `T` may be const.
template <class T>
struct row : any_row {
    row() = default;
    explicit row(T* data) : any_row{reinterpret_cast<const char*>(data), 1} {}
    [[nodiscard]] EDGE_ALWAYS_INLINE T* data() const noexcept { return reinterpret_cast<T*>(const_cast<char*>(begin)); }
};

/// Where the elements of an array lie, whatever they are. What need not know them is compiled once for all expressions.
struct any_array {
    const char* begin = nullptr;
    index_t bytes = 0;  ///< of an element
    strides steps;      ///< along each axis of the loop

    any_array() = default;

    /// @param to  shape of the result; the array is stretched to it by the rule of broadcasting
    any_array(const void* data, index_t each, const shape& extents, const strides& steps_of, const shape& to)
        : begin(static_cast<const char*>(data)), bytes(each) {
        const std::size_t added = to.rank() - extents.rank();
        for (std::size_t i = 0; i < to.rank(); ++i)
            steps.push_back(i < added || extents[i - added] == 1 ? 0 : steps_of[i - added]);
    }
};

/// The arrays of an expression and of its result, or their rows, in the order of the expression.
template <class Item, std::size_t n>
struct item_list {
    Item all[n == 0 ? 1 : n];
    std::size_t count = 0;

    void add(const Item& item) noexcept { all[count++] = item; }
    [[nodiscard]] std::span<Item> span() noexcept { return {all, count}; }
    [[nodiscard]] std::span<const Item> span() const noexcept { return {all, count}; }
};

template <std::size_t n>
using array_list = item_list<any_array, n>;
template <std::size_t n>
using row_list = item_list<any_row*, n>;

/// The arrays of one loop, with as few axes as they allow.
/// @return  the extents of the loop, at least one
inline index_list join_axes(const shape& extents, std::span<any_array> arrays) {
    index_list loop = extents.extents();
    for (std::size_t axis = loop.size(); axis-- > 0;) {
        if (loop[axis] != 1) continue;
        loop.erase(axis);
        for (any_array& a : arrays) a.steps.erase(axis);
    }
    for (std::size_t axis = loop.size(); axis-- > 1;) {
        bool follow = true;
        for (const any_array& a : arrays) follow = follow && a.steps[axis - 1] == a.steps[axis] * loop[axis];
        if (!follow) continue;
        loop[axis - 1] *= loop[axis];
        loop.erase(axis);
        for (any_array& a : arrays) {
            a.steps[axis - 1] = a.steps[axis];
            a.steps.erase(axis);
        }
    }
    if (loop.empty()) {
        loop.push_back(1);
        for (any_array& a : arrays) a.steps.push_back(1);
    }
    return loop;
}

/// The first byte that elements at some steps reach, and the one after the last. No extent is zero.
[[nodiscard]] inline std::pair<const char*, const char*> reach(const char* begin, index_t bytes,
                                                               const index_list& extents,
                                                               const strides& steps) noexcept {
    index_t low = 0;
    index_t high = 0;
    for (std::size_t i = 0; i < extents.size(); ++i) (steps[i] < 0 ? low : high) += steps[i] * (extents[i] - 1);
    return {begin + low * bytes, begin + (high + 1) * bytes};
}

/// Whether two ranges of bytes have one in common.
[[nodiscard]] inline bool meet(const char* first, const char* last, const char* other_first,
                               const char* other_last) noexcept {
    const auto at = [](const char* p) { return reinterpret_cast<std::uintptr_t>(p); };
    return at(other_first) < at(last) && at(first) < at(other_last);
}

/// Whether writing to the last array could change what is read from another later. Element by element in the same place
/// is fine.
[[nodiscard]] inline bool overlaps(std::span<const any_array> arrays, const index_list& loop) noexcept {
    const auto reach_of = [&](const any_array& a) { return reach(a.begin, a.bytes, loop, a.steps); };
    const any_array& result = arrays.back();
    const auto to = reach_of(result);
    for (const any_array& a : arrays.first(arrays.size() - 1)) {
        if (a.begin == result.begin && a.steps == result.steps && a.bytes == result.bytes) continue;
        const auto from = reach_of(a);
        if (meet(from.first, from.second, to.first, to.second)) return true;
    }
    return false;
}

/// The rows, or parts of such, that make up elements [first, last) of a loop in row-major order.
class row_walk {
public:
    /// @param rows  set by each `next()`; as many as there are arrays
    row_walk(std::span<const any_array> arrays, std::span<any_row* const> rows, const index_list& loop, index_t first,
             index_t last) noexcept
        : arrays_(arrays), rows_(rows), loop_(loop), position_(loop), left_(last - first) {
        if (left_ <= 0) return;
        index_t outer = first / loop.back();
        column = first % loop.back();
        end = column;
        for (std::size_t axis = loop.size() - 1; axis-- > 0;) {
            position_[axis] = outer % loop[axis];
            outer /= loop[axis];
        }
        for (std::size_t i = 0; i < arrays.size(); ++i) {
            const any_array& a = arrays[i];
            index_t offset = 0;
            for (std::size_t axis = 0; axis + 1 < loop.size(); ++axis) offset += position_[axis] * a.steps[axis];
            rows[i]->begin = a.begin + offset * a.bytes;
            rows[i]->step = a.steps.back();
            is_contiguous = is_contiguous && rows[i]->step == 1;
        }
    }

    /// Moves to the next row; its part is [column, end).
    bool next() noexcept {
        if (left_ <= 0) return false;
        if (end == loop_.back()) {
            column = 0;
            for (std::size_t axis = loop_.size() - 1; axis-- > 0;) {
                const bool is_last = ++position_[axis] == loop_[axis];
                if (is_last) position_[axis] = 0;
                for (std::size_t i = 0; i < arrays_.size(); ++i)
                    rows_[i]->begin += (is_last ? 1 - loop_[axis] : 1) * arrays_[i].steps[axis] * arrays_[i].bytes;
                if (!is_last) break;
            }
        }
        end = (std::min)(loop_.back(), column + left_);
        left_ -= end - column;
        return true;
    }

    index_t column = 0;
    index_t end = 0;
    bool is_contiguous = true;

private:
    std::span<const any_array> arrays_;
    std::span<any_row* const> rows_;
    const index_list& loop_;
    index_list position_;
    index_t left_;
};

/// A register full of neighbours.
template <class Lane, class Arch>
struct whole {
    using arch = Arch;
    static constexpr bool is_hot = true;  ///< the loop that takes the time: what it does is worth a copy
    index_t i;

    template <class T>
    EDGE_ALWAYS_INLINE auto load(const row<const T>& from) const noexcept {
        if constexpr (std::is_same_v<T, bool>) {
            return batch_bool<Lane, Arch>::load_unaligned(from.data() + i);
        } else {
            return batch<T, Arch>::load_unaligned(from.data() + i);
        }
    }
    template <class T, class Value>
    EDGE_ALWAYS_INLINE void store(const row<T>& to, const Value& value) const noexcept {
        value.store_unaligned(to.data() + i);
    }
};

/// The same for a place that is computed once.
template <class Lane, class Arch>
struct whole_once : whole<Lane, Arch> {
    static constexpr bool is_hot = false;
};

/// The same for a result that no cache holds: stored past them. Its address is that of a register's alignment.
template <class Lane, class Arch>
struct whole_past_caches : whole<Lane, Arch> {
    static constexpr bool is_hot = false;
    template <class T, class Value>
    EDGE_ALWAYS_INLINE void store(const row<T>& to, const Value& value) const noexcept {
        stream_store(value, to.data() + this->i);
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
    static constexpr bool is_hot = false;
    static constexpr auto n = static_cast<index_t>(lanes<Lane, Arch>);
    index_t i;
    index_t count;

    template <class T>
    EDGE_ALWAYS_INLINE auto load(const row<const T>& from) const noexcept {
        using value = std::conditional_t<std::is_same_v<T, bool>, batch_bool<Lane, Arch>, batch<T, Arch>>;
        const T* at = from.data() + i * from.step;
        if (from.step == 0) return value(*at);
        if (from.step == 1 && count == n) return value::load_unaligned(at);
        return load_apart<value, n>(at, from.step, count);
    }
    template <class T, class Value>
    EDGE_ALWAYS_INLINE void store(const row<T>& to, const Value& value) const noexcept {
        T* at = to.data() + i * to.step;
        if (to.step == 1 && count == n) return value.store_unaligned(at);
        store_apart<n>(value, at, to.step, count);
    }
};

/// Elements [first, last) of rows at any distance, up to a register of them at a time.
template <class Lane, class Arch, class Expression, class Result>
EDGE_NEVER_INLINE void run_apart(const Expression& shared, Result& result, index_t first, index_t last) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<Lane, Arch>);
    const Expression expression = shared;
    Result to = result;
    for (index_t i = first; i < last; i += n) {
        const part<Lane, Arch> at{i, (std::min)(n, last - i)};
        to.take(at, expression.get(at));
    }
    result = to;
}

/// Elements [first, last) of rows whose neighbours are neighbours in memory. Of a copy of the expression: the compiler then
/// keeps pointers and constants in registers. The last register of elements is computed first and stored last, over some
/// that were there already: so that no end is shorter than a register, also where the result is an operand.
template <class Lane, class Arch, class Expression, class Result>
EDGE_NEVER_INLINE void run_contiguous(const Expression& shared, Result& result, index_t first, index_t last) noexcept {
    constexpr auto n = static_cast<index_t>(lanes<Lane, Arch>);
    if (last - first < n) return run_apart<Lane, Arch>(shared, result, first, last);
    const Expression expression = shared;
    Result to = result;
    const whole_once<Lane, Arch> end{{last - n}};
    const auto end_value = expression.get(end);
    index_t i = first;
    if constexpr (Result::can_stream && streams_past_caches<Arch>) {
        if (to.is_large) {
            for (; i + n < last; i += n) {
                const whole_past_caches<Lane, Arch> at{{i}};
                to.take(at, expression.get(at));
            }
            stream_fence();
        }
    }
    if constexpr (!Expression::is_long) {  // four at a time: in the first cache, counting costs a third of an addition
        for (; i + 4 * n < last; i += 4 * n) {
            const auto at = [i](index_t k) { return whole<Lane, Arch>{i + k * n}; };
            const auto v0 = expression.get(at(0));
            const auto v1 = expression.get(at(1));
            const auto v2 = expression.get(at(2));
            const auto v3 = expression.get(at(3));
            to.take(at(0), v0);
            to.take(at(1), v1);
            to.take(at(2), v2);
            to.take(at(3), v3);
        }
    }
    for (; i + n < last; i += n) {
        const whole<Lane, Arch> at{i};
        to.take(at, expression.get(at));
    }
    to.take(end, end_value);
    result = to;
}

/// Elements [first, last) of the whole loop, in row-major order.
template <class Lane, class Arch, class Expression, class Result>
void run_range(Expression expression, Result& result, std::span<const any_array> arrays, const index_list& loop,
               index_t first, index_t last) noexcept {
    row_list<Expression::arrays + Result::arrays> rows;
    expression.collect(rows);
    result.collect(rows);
    row_walk walk(arrays, rows.span(), loop, first, last);
    while (walk.next()) {
        if (walk.is_contiguous) {
            run_contiguous<Lane, Arch>(expression, result, walk.column, walk.end);
        } else {
            run_apart<Lane, Arch>(expression, result, walk.column, walk.end);
        }
    }
}

/// Stores what it takes.
template <class T>
struct store_result {
    static constexpr std::size_t arrays = 1;
    static constexpr bool can_stream = !std::is_same_v<T, bool>;
    row<T> to;
    bool is_large = false;  ///< one aligned row that no cache holds

    template <class At, class Value>
    EDGE_ALWAYS_INLINE void take(const At& at, const Value& value) const noexcept {
        at.store(to, value);
    }
    template <class List>
    void collect(List& list) {
        list.add(&to);
    }
};

/// Notes whether it took a zero.
struct find_zero {
    static constexpr std::size_t arrays = 0;
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
