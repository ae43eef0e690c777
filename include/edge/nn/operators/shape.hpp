// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators that keep the elements, in their order, under another shape, and those that tell what the shape is.

#include <edge/nn/operator.hpp>

#include <algorithm>

namespace edge::nn::operators {

namespace detail {

/// What an operator keeps a list of is that long at most: so many positions of an axis, offsets, or rows.
inline constexpr index_t longest_list = index_t{1} << 24;

/// The same number, where a list may be that long. A file can name extents that no memory holds.
/// @throws argument_error  else
inline index_t listed(index_t n) {
    if (n < 0 || n > longest_list)
        throw argument_error(message("a list of ", n, " positions; expected at most ", longest_list));
    return n;
}

/// The same for a list for each axis of a shape, together.
inline void need_positions(const edge::shape& s) {
    index_t total = 0;
    for (const index_t n : s) total = listed(total + listed(n));
}

/// Output 0 has the elements of input 0 in another shape.
inline kernel reshaped(preparation& p, const edge::shape& shape) {
    if (shape.size() != p.shape(0).size()) throw shape_error(message("cannot reshape ", p.shape(0), " to ", shape));
    p.output(0, p.type(0), shape);
    return [bytes = static_cast<std::size_t>(p.input(0).bytes())](const arguments& a) {
        std::copy_n(a.input<char>(0), bytes, a.output<char>(0));
    };
}

/// Axes from input 1 (opset 13 on) or the attribute, counted from the front for a result of `rank`, as a bit each.
inline unsigned axis_bits(const std::vector<std::int64_t>& axes, std::size_t rank) {
    const auto n = static_cast<std::int64_t>(rank);
    unsigned bits = 0;
    for (const auto axis : axes) {
        if (axis < -n || axis >= n) throw argument_error(message("axis ", axis, " is out of range for rank ", rank));
        const unsigned bit = 1U << (axis < 0 ? axis + n : axis);
        if ((bits & bit) != 0) throw argument_error(message("axis ", axis, " is given twice"));
        bits |= bit;
    }
    return bits;
}

inline std::vector<std::int64_t> axes_of(preparation& p) {
    return p.has(1) ? p.integers(1) : p.node().integers("axes");
}

inline kernel reshape(preparation& p) {
    const auto wish = p.integers(1);
    const bool zero_is_zero = p.node().integer("allowzero", 0) != 0;
    const edge::shape& from = p.shape(0);
    index_list extents;
    std::size_t open = max_rank;
    index_t rest = 1;
    for (std::size_t i = 0; i < wish.size(); ++i) {
        auto n = static_cast<index_t>(wish[i]);
        if (n == 0 && !zero_is_zero) {
            if (i >= from.rank())
                throw shape_error(message("extent ", i, " of shape ", from, " is to be kept, but there is none"));
            n = from[i];
        }
        if (n < -1 || (n == -1 && open != max_rank))
            throw shape_error(message("extent ", n, " at position ", i, "; expected one -1 at most"));
        if (n == -1)
            open = i;
        else
            rest = checked_multiply(rest, n);
        extents.push_back(n);
    }
    if (open != max_rank) {
        if (rest == 0 || from.size() % rest != 0)
            throw shape_error(message("cannot reshape ", from, ": ", rest, " does not divide ", from.size()));
        extents[open] = from.size() / rest;
    }
    return reshaped(p, edge::shape(extents));
}

inline kernel flatten(preparation& p) {
    const edge::shape& from = p.shape(0);
    const auto rank = static_cast<index_t>(from.rank());
    const auto axis = static_cast<index_t>(p.node().integer("axis", 1));
    if (axis < -rank || axis > rank) throw argument_error(message("axis ", axis, " is out of range for shape ", from));
    index_t rows = 1;
    index_t columns = 1;
    const index_t at = axis < 0 ? axis + rank : axis;
    for (index_t i = 0; i < rank; ++i) (i < at ? rows : columns) *= from[static_cast<std::size_t>(i)];
    return reshaped(p, {rows, columns});
}

inline kernel squeeze(preparation& p) {
    const edge::shape& from = p.shape(0);
    const bool all = !p.has(1) && !p.node().has("axes");
    const unsigned gone = all ? 0 : axis_bits(axes_of(p), from.rank());
    index_list extents;
    for (std::size_t i = 0; i < from.rank(); ++i) {
        const bool drop = all ? from[i] == 1 : (gone >> i & 1U) != 0;
        if (drop && from[i] != 1) throw shape_error(message("axis ", i, " of shape ", from, " is not 1"));
        if (!drop) extents.push_back(from[i]);
    }
    return reshaped(p, edge::shape(extents));
}

inline kernel unsqueeze(preparation& p) {
    const edge::shape& from = p.shape(0);
    const auto axes = axes_of(p);
    const std::size_t rank = from.rank() + axes.size();
    if (rank > max_rank) throw shape_error(message("rank above ", max_rank, " is not supported"));
    const unsigned fresh = axis_bits(axes, rank);
    index_list extents;
    std::size_t next = 0;
    for (std::size_t i = 0; i < rank; ++i) extents.push_back((fresh >> i & 1U) != 0 ? 1 : from[next++]);
    return reshaped(p, edge::shape(extents));
}

inline kernel shape_of(preparation& p) {
    const edge::shape& from = p.shape(0);
    const auto rank = static_cast<std::int64_t>(from.rank());
    const auto bound = [&](const char* key, std::int64_t otherwise) {
        const auto at = p.node().integer(key, otherwise);
        return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
    };
    const auto start = bound("start", 0);
    const auto end = (std::max)(start, bound("end", rank));
    tensor<std::int64_t> extents({static_cast<index_t>(end - start)});
    for (auto i = start; i < end; ++i) extents[static_cast<index_t>(i - start)] = from[static_cast<std::size_t>(i)];
    p.output(0, any_tensor(std::move(extents)));
    return {};
}

inline kernel size_of_input(preparation& p) {
    p.output(0, any_tensor(tensor<std::int64_t>(edge::shape{}, static_cast<std::int64_t>(p.shape(0).size()))));
    return {};
}

}  // namespace detail

inline constexpr operator_row shapes[] = {
    {"Reshape", detail::reshape},     {"Flatten", detail::flatten}, {"Squeeze", detail::squeeze},
    {"Unsqueeze", detail::unsqueeze}, {"Shape", detail::shape_of},  {"Size", detail::size_of_input},
};

}  // namespace edge::nn::operators
