// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators that choose by position or rank: GatherND, OneHot, TopK; and Range, which makes positions.

#include <edge/nn/operator.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/move.hpp>

#include <algorithm>
#include <memory>
#include <numeric>

namespace edge::nn::operators {

namespace detail {

/// Slices of input 0, each at the position that a row of input 1 gives along the axes after the first `batch_dims`.
inline kernel gather_nd(preparation& p) {
    const edge::shape& from = p.shape(0);
    const edge::shape& rows = p.shape(1);
    const auto batch = p.node().integer("batch_dims", 0);
    const bool has_rows = from.rank() > 0 && rows.rank() > 0;
    const index_t depth = has_rows ? rows.back() : 0;
    bool fits = has_rows && batch >= 0 && batch < static_cast<std::int64_t>((std::min)(from.rank(), rows.rank())) &&
                depth >= 1 && depth <= static_cast<index_t>(from.rank()) - static_cast<index_t>(batch);
    const auto shared = fits ? static_cast<std::size_t>(batch) : 0;
    index_list extents;
    index_t batches = 1;
    for (std::size_t i = 0; fits && i < shared; ++i) {
        fits = from[i] == rows[i];
        batches *= from[i];
    }
    if (!fits) throw shape_error(message("indices of shape ", rows, " do not fit ", from, " with batch_dims ", batch));
    for (std::size_t i = 0; i + 1 < rows.rank(); ++i) extents.push_back(rows[i]);
    const std::size_t first_kept = shared + static_cast<std::size_t>(depth);
    index_t slice = 1;
    for (std::size_t i = first_kept; i < from.rank(); ++i) {
        extents.push_back(from[i]);
        slice *= from[i];
    }
    p.output(0, p.type(0), edge::shape(extents));
    need_indices(p.type(1));
    std::vector<std::array<index_t, 2>> axes;  // extent and stride of those that a row gives a position for
    const auto strides = from.strides();
    for (std::size_t i = shared; i < first_kept; ++i) axes.push_back({from[i], strides[i]});
    const index_t count = rows.size() / depth;
    const index_t each = batches == 0 ? 0 : count / batches;
    const index_t step = batches == 0 ? 0 : from.size() / batches;
    const auto width = static_cast<index_t>(size_of(p.type(0)));
    return [=, axes = std::move(axes), type = p.type(1)](const arguments& a) {
        char* y = a.output<char>(0);
        for (index_t row = 0; row < count; ++row) {
            index_t at = row / each * step;
            for (std::size_t k = 0; k < axes.size(); ++k)
                at += position_at(type, a.in[1], row * depth + static_cast<index_t>(k), axes[k][0]) * axes[k][1];
            y = std::copy_n(a.input<char>(0) + at * width, slice * width, y);
        }
    };
}

/// Along a new axis, one element is `values[1]`, the others `values[0]`; a position out of range leaves all as they are.
inline kernel one_hot(preparation& p) {
    const edge::shape& from = p.shape(0);
    const auto depth = static_cast<index_t>(p.scalar<std::int64_t>(1));
    if (p.shape(2).size() != 2) throw shape_error(message("values of shape ", p.shape(2), "; expected two"));
    const auto rank = static_cast<std::int64_t>(from.rank()) + 1;
    const auto wish = p.node().integer("axis", -1);
    if (wish < -rank || wish >= rank) throw argument_error(message("axis ", wish, " is out of range for rank ", rank));
    const auto axis = static_cast<std::size_t>(wish < 0 ? wish + rank : wish);
    index_list extents = from.extents();
    extents.insert(axis, depth);
    const edge::shape to(extents);
    p.output(0, p.type(2), to);
    const split_shape around(to, axis);
    const auto width = static_cast<index_t>(size_of(p.type(2)));
    return [=, count = from.size(), size = to.size(), type = p.type(0)](const arguments& a) {
        const char* values = a.input<char>(2);
        char* y = a.output<char>(0);
        for (index_t i = 0; i < size; ++i) std::copy_n(values, width, y + i * width);
        for (index_t i = 0; i < count; ++i) {
            const auto given = nn::detail::read_as<std::int64_t>(type, element(type, a.in[0], i));
            if (given < -static_cast<std::int64_t>(depth) || given >= static_cast<std::int64_t>(depth)) continue;
            const auto at = static_cast<index_t>(given < 0 ? given + depth : given);
            const index_t place = (i / around.inner * depth + at) * around.inner + i % around.inner;
            std::copy_n(values + width, width, y + place * width);
        }
    };
}

/// The k largest or smallest along an axis, in order, and their positions; of equal ones the first. NaN is the largest.
/// The number is an attribute up to opset 9, then input 1.
inline kernel top_k(preparation& p) {
    const edge::shape& from = p.shape(0);
    const std::size_t axis = from.axis(static_cast<index_t>(p.node().integer("axis", -1)));
    const auto k = p.has(1) ? p.scalar<std::int64_t>(1) : p.node().integer("k", -1);
    if (from[axis] > longest_list / 2)
        throw argument_error(message("an axis of ", from[axis], " is too long to be sorted"));
    if (k < 0 || k > from[axis]) throw argument_error(message("k ", k, "; expected 0 to ", from[axis]));
    const auto kept = static_cast<index_t>(k);
    const edge::shape to = with_extent(from, axis, kept);
    p.output(0, p.type(0), to);
    p.output(1, dtype::i64, to);
    need(takes::numbers, p.type(0));
    const bool largest = p.node().integer("largest", 1) != 0;
    const split_shape around(from, axis);
    const auto width = static_cast<index_t>(size_of(p.type(0)));
    return with_wide(p.type(0), [&]<class W>() -> kernel {
        struct entry {
            W value;
            index_t at;
        };
        const auto row = std::make_shared<std::vector<entry>>(static_cast<std::size_t>(from[axis]));
        return [=, type = p.type(0), wants_places = p.wants(1)](const arguments& a) {
            const auto above = [](W l, W r) { return l > r || (l != l && r == r); };
            const auto comes_first = [&](const entry& l, const entry& r) {
                const bool first = largest ? above(l.value, r.value) : above(r.value, l.value);
                const bool second = largest ? above(r.value, l.value) : above(l.value, r.value);
                return first || (!second && l.at < r.at);
            };
            const auto n = static_cast<index_t>(row->size());
            for (index_t o = 0; o < around.outer; ++o)
                for (index_t i = 0; i < around.inner; ++i) {
                    for (index_t j = 0; j < n; ++j) {
                        entry& e = (*row)[static_cast<std::size_t>(j)];
                        read_wide(type, element(type, a.in[0], (o * n + j) * around.inner + i), 1, 1, &e.value);
                        e.at = j;
                    }
                    std::partial_sort(row->begin(), row->begin() + kept, row->end(), comes_first);
                    for (index_t j = 0; j < kept; ++j) {
                        const index_t at = (*row)[static_cast<std::size_t>(j)].at;
                        const index_t place = (o * kept + j) * around.inner + i;
                        if (a.out[0] != nullptr)
                            std::copy_n(a.input<char>(0) + ((o * n + at) * around.inner + i) * width, width,
                                        a.output<char>(0) + place * width);
                        if (wants_places) a.output<std::int64_t>(1)[place] = at;
                    }
                }
        };
    });
}

/// start, start + delta, … below limit, or above it where delta is negative.
inline kernel range(preparation& p) {
    need_equal_types(p, 0, 1);
    need_equal_types(p, 0, 2);
    need(takes::numbers, p.type(0));
    return with_wide(p.type(0), [&]<class W>() -> kernel {
        const W start = p.scalar<W>(0);
        const W delta = p.scalar<W>(2);
        const double steps =
            std::ceil((static_cast<double>(p.scalar<W>(1)) - static_cast<double>(start)) / static_cast<double>(delta));
        if (!(steps < 1e15)) throw argument_error(message("from ", start, " in steps of ", delta, " there is no end"));
        const index_t n = steps > 0 ? static_cast<index_t>(steps) : 0;
        p.output(0, p.type(0), edge::shape{n});
        return [=, type = p.type(0)](const arguments& a) {
            for (index_t i = 0; i < n; ++i) {
                const W v = plus(start, times(static_cast<W>(i), delta));
                write_wide(type, &v, 1, element(type, a.out[0], i));
            }
        };
    });
}

}  // namespace detail

inline constexpr operator_row selections[] = {
    {"GatherND", detail::gather_nd},
    {"OneHot", detail::one_hot},
    {"TopK", detail::top_k},
    {"Range", detail::range},
};

}  // namespace edge::nn::operators
