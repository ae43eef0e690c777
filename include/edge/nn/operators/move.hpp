// SPDX-License-Identifier: MIT
#pragma once

/// @file Operators that move elements without computing: transpose, expand, tile, slice, pad, concat, split, gather.
///
/// None looks at what an element is, so all work in units of 1, 2, 4 or 8 bytes. An axis has at most 2²⁴ positions where
/// it is not only copied.

#include <edge/nn/operator.hpp>
#include <edge/nn/operators/shape.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

namespace edge::nn::operators {

namespace detail {

/// For each axis of a result, where each of its positions lies in the source, in elements; -1: nowhere, so filled.
using placement = std::vector<std::vector<index_t>>;

/// Result (i, j, …) is source[places[0][i] + places[1][j] + …]. No extent of the result is 0.
template <std::size_t Width>
void write_placed(const char* x, const placement& places, const char* fill, char* y) {
    if (places.empty()) {
        std::memcpy(y, x, Width);
        return;
    }
    const auto& inner = places.back();
    const std::size_t outer = places.size() - 1;
    std::array<std::size_t, max_rank> at{};
    while (true) {
        index_t offset = 0;
        bool inside = true;
        for (std::size_t i = 0; i < outer; ++i) {
            inside = inside && places[i][at[i]] >= 0;
            offset += places[i][at[i]];
        }
        for (const index_t place : inner) {
            std::memcpy(y, inside && place >= 0 ? x + (offset + place) * static_cast<index_t>(Width) : fill, Width);
            y += Width;
        }
        std::size_t axis = outer;
        while (axis-- > 0) {
            if (++at[axis] < places[axis].size()) break;
            at[axis] = 0;
        }
        if (axis == static_cast<std::size_t>(-1)) return;
    }
}

/// Positions `first`, `first` + `step`, … of an axis, `count` of them.
inline std::vector<index_t> steps_along(index_t count, index_t stride, index_t first = 0, index_t step = 1) {
    std::vector<index_t> list(static_cast<std::size_t>(count));
    for (index_t i = 0; i < count; ++i) list[static_cast<std::size_t>(i)] = (first + i * step) * stride;
    return list;
}

inline edge::shape shape_of_places(const placement& places) {
    index_list extents;
    for (const auto& list : places) extents.push_back(static_cast<index_t>(list.size()));
    return edge::shape(extents);
}

/// A kernel that fills output 0 from input 0.
/// @param fill   the bytes of what is nowhere
/// @param given  the input of one element that is taken for it instead, where it is not 0
inline kernel placed(preparation& p, placement places, const edge::shape& result, const std::array<char, 8>& fill = {},
                     std::size_t given = 0) {
    p.output(0, p.type(0), result);
    const std::size_t width = size_of(p.type(0));
    const auto write = width == 1   ? write_placed<1>
                       : width == 2 ? write_placed<2>
                       : width == 4 ? write_placed<4>
                                    : write_placed<8>;
    return [places = std::move(places), empty = result.size() == 0, fill, given, write](const arguments& a) {
        if (!empty) write(a.input<char>(0), places, given == 0 ? fill.data() : a.input<char>(given), a.output<char>(0));
    };
}

/// x [rows, columns] turned into y [columns, rows], by blocks that fit the nearest cache.
template <class T>
void turn(const T* x, index_t rows, index_t columns, T* y) {
    constexpr index_t block = 16;
    for (index_t i0 = 0; i0 < rows; i0 += block)
        for (index_t j0 = 0; j0 < columns; j0 += block)
            for (index_t j = j0; j < (std::min)(j0 + block, columns); ++j)
                for (index_t i = i0; i < (std::min)(i0 + block, rows); ++i) y[j * rows + i] = x[i * columns + j];
}

/// Two groups of neighbouring axes that change places behind axes that stay.
struct turned_axes {
    index_t images = 1, rows = 1, columns = 1;
};

/// What a permutation of axes of `from` comes to, if it is such a one.
inline std::optional<turned_axes> turned_axes_of(const edge::shape& from, const index_list& order) {
    const auto rank = static_cast<index_t>(from.rank());
    turned_axes t;
    index_t first = 0;  // of the axes that do not stay
    for (; first < rank && order[static_cast<std::size_t>(first)] == first; ++first)
        t.images *= from[static_cast<std::size_t>(first)];
    if (first == rank) return {};
    const index_t cut = order[static_cast<std::size_t>(first)];
    for (index_t i = first; i < rank; ++i) {
        const index_t wanted = i - first < rank - cut ? cut + i - first : i - (rank - cut);
        if (cut <= first || order[static_cast<std::size_t>(i)] != wanted) return {};
        (i < cut ? t.rows : t.columns) *= from[static_cast<std::size_t>(i)];
    }
    return t;
}

template <class T>
kernel turned_images(const turned_axes& t) {
    return [t](const arguments& a) {
        const index_t size = t.rows * t.columns;
        for (index_t n = 0; n < t.images; ++n)
            turn(a.input<T>(0) + n * size, t.rows, t.columns, a.output<T>(0) + n * size);
    };
}

inline kernel transpose(preparation& p) {
    const edge::shape& from = p.shape(0);
    need_positions(from);
    index_list order;
    if (p.node().has("perm")) {
        for (const auto axis : p.node().integers("perm")) order.push_back(static_cast<index_t>(axis));
    } else {
        for (std::size_t i = from.rank(); i-- > 0;) order.push_back(static_cast<index_t>(i));
    }
    const auto turned = tensor_view<const char>(nullptr, from).transpose(order);
    // Where only axes of one element change places, the elements stay as they lie.
    index_t before = (std::numeric_limits<index_t>::max)();
    bool stays = true;
    for (std::size_t i = 0; i < from.rank(); ++i) {
        if (turned.shape()[i] == 1) continue;
        stays = stays && turned.strides()[i] < before;
        before = turned.strides()[i];
    }
    if (stays) return reshaped(p, turned.shape());
    const bool is_float = p.type(0) == dtype::f32;
    if (const auto two = turned_axes_of(from, order); two && (is_float || size_of(p.type(0)) == 1)) {
        p.output(0, p.type(0), turned.shape());
        return is_float ? turned_images<float>(*two) : turned_images<unsigned char>(*two);
    }
    placement places;
    for (std::size_t i = 0; i < from.rank(); ++i) places.push_back(steps_along(turned.shape()[i], turned.strides()[i]));
    return placed(p, std::move(places), turned.shape());
}

inline kernel expand(preparation& p) {
    index_list wish;
    for (const auto n : p.integers(1)) wish.push_back(static_cast<index_t>(n));
    const edge::shape& from = p.shape(0);
    const auto strides = from.strides();
    const std::size_t rank = (std::max)(from.rank(), wish.size());
    index_list extents;
    index_list steps;
    for (std::size_t i = 0; i < rank; ++i) {
        const index_t a = i + from.rank() >= rank ? from[i + from.rank() - rank] : 1;
        const index_t b = i + wish.size() >= rank ? wish[i + wish.size() - rank] : 1;
        if (a != 1 && b != 1 && a != b) throw shape_error(message("shape ", from, " does not expand to ", wish));
        extents.push_back(a == 1 ? b : a);
        steps.push_back(a == 1 ? 0 : strides[i + from.rank() - rank]);
    }
    const edge::shape to(extents);
    need_positions(to);
    placement places;
    for (std::size_t i = 0; i < rank; ++i) places.push_back(steps_along(to[i], steps[i]));
    return placed(p, std::move(places), to);
}

inline kernel tile(preparation& p) {
    const auto repeats = p.integers(1);
    const edge::shape& from = p.shape(0);
    if (repeats.size() != from.rank())
        throw shape_error(message(repeats.size(), " repeats for shape ", from, "; expected one for each axis"));
    index_list extents;
    for (std::size_t i = 0; i < from.rank(); ++i) {
        if (repeats[i] < 0) throw argument_error(message("repeats ", repeats[i], "; expected 0 or more"));
        extents.push_back(checked_multiply(from[i], static_cast<index_t>(repeats[i])));
    }
    const edge::shape to(extents);
    need_positions(to);
    const auto strides = from.strides();
    placement places;
    for (std::size_t i = 0; i < to.rank(); ++i) {
        auto list = steps_along(to[i], 1);
        for (index_t& place : list) place = place % from[i] * strides[i];
        places.push_back(std::move(list));
    }
    return placed(p, std::move(places), to);
}

/// Bounds are attributes up to opset 9, then inputs 1 to 4: starts, ends, axes, steps.
inline kernel slice(preparation& p) {
    const edge::shape& from = p.shape(0);
    const bool by_attribute = p.node().has("starts");
    const auto starts = by_attribute ? p.node().integers("starts") : p.integers(1);
    const auto ends = by_attribute ? p.node().integers("ends") : p.integers(2);
    auto axes = by_attribute ? p.node().integers("axes") : p.has(3) ? p.integers(3) : std::vector<std::int64_t>{};
    auto steps = p.has(4) ? p.integers(4) : std::vector<std::int64_t>(starts.size(), 1);
    if (axes.empty()) {
        axes.resize(starts.size());
        std::iota(axes.begin(), axes.end(), 0);
    }
    if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
        throw argument_error(message(starts.size(), " starts, ", ends.size(), " ends, ", axes.size(), " axes, ",
                                     steps.size(), " steps; expected as many of each"));
    axis_bits(axes, from.rank());
    need_positions(from);
    const auto strides = from.strides();
    placement places;
    for (std::size_t i = 0; i < from.rank(); ++i) places.push_back(steps_along(from[i], strides[i]));
    for (std::size_t k = 0; k < axes.size(); ++k) {
        const std::size_t axis = from.axis(static_cast<index_t>(axes[k]));
        const std::int64_t n = from[axis];
        const std::int64_t step = steps[k];
        if (step == 0) throw argument_error("step 0");
        const auto from_front = [n](std::int64_t at) { return at < 0 ? at + n : at; };  // lowest + n cannot overflow
        const std::int64_t first =
            std::clamp<std::int64_t>(from_front(starts[k]), 0, step > 0 ? n : (std::max)(n - 1, std::int64_t{0}));
        const std::int64_t last = std::clamp<std::int64_t>(from_front(ends[k]), step > 0 ? 0 : -1, n);
        const std::int64_t room = step > 0 ? last - first : first - last;
        const auto stride = static_cast<std::uint64_t>(step > 0 ? step : -(step + 1)) + (step > 0 ? 0 : 1);
        const auto count = room <= 0 || n == 0 ? 0 : (static_cast<std::uint64_t>(room) - 1) / stride + 1;
        places[axis] = steps_along(static_cast<index_t>(count), strides[axis], static_cast<index_t>(first),
                                   static_cast<index_t>(count > 1 ? step : 0));
    }
    const auto result = shape_of_places(places);
    return placed(p, std::move(places), result);
}

/// Pads may be negative, and then crop. They are an attribute up to opset 10, then input 1.
inline kernel pad(preparation& p) {
    const edge::shape& from = p.shape(0);
    const bool by_attribute = p.node().has("pads");
    const auto pads = by_attribute ? p.node().integers("pads") : p.integers(1);
    std::vector<std::int64_t> axes(from.rank());
    std::iota(axes.begin(), axes.end(), 0);
    if (p.has(3)) axes = p.integers(3);
    axis_bits(axes, from.rank());
    if (pads.size() != 2 * axes.size()) throw argument_error(message(pads.size(), " pads for ", axes.size(), " axes"));
    const auto mode = p.node().text("mode", "constant");
    if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
        throw unsupported_error(message("mode '", mode, "' is not supported"));
    need_positions(from);
    index_t total = 0;
    const auto strides = from.strides();
    placement places;
    for (std::size_t i = 0; i < from.rank(); ++i) places.push_back(steps_along(from[i], strides[i]));
    for (std::size_t k = 0; k < axes.size(); ++k) {
        const std::size_t axis = from.axis(static_cast<index_t>(axes[k]));
        const index_t n = from[axis];
        const auto before = static_cast<index_t>(pads[k]);
        const auto after = static_cast<index_t>(pads[k + axes.size()]);
        constexpr index_t most = index_t{1} << 30;
        if (before > most || after > most || before < -most || after < -most || n + before + after < 0)
            throw argument_error(message("pads ", before, " and ", after, " for axis ", axis, " of shape ", from));
        if (n == 0 && mode != "constant" && before + after > 0)
            throw shape_error(message("nothing to pad axis ", axis, " of shape ", from, " with"));
        std::vector<index_t> list;
        total = listed(total + listed(n + before + after));
        list.reserve(static_cast<std::size_t>(n + before + after));
        for (index_t i = -before; i < n + after; ++i) {
            index_t at = i;
            if (mode == "edge") {
                at = std::clamp<index_t>(i, 0, n - 1);
            } else if (mode == "wrap") {
                at = ((i % n) + n) % n;
            } else if (mode == "reflect") {
                const index_t period = n == 1 ? 1 : 2 * (n - 1);
                at = ((i % period) + period) % period;
                at = at < n ? at : period - at;
            }
            list.push_back(at < 0 || at >= n ? -1 : at * strides[axis]);
        }
        places[axis] = std::move(list);
    }
    if (p.has(2) && (p.type(2) != p.type(0) || p.shape(2).size() != 1))
        throw argument_error(message("the value to pad with is ", p.input(2), "; expected one ", p.type(0)));
    const auto result = shape_of_places(places);
    std::array<char, 8> fill{};
    const auto value = static_cast<double>(p.node().real("value", 0));
    nn::detail::write_wide(p.type(0), &value, 1, fill.data());
    return placed(p, std::move(places), result, fill, p.has(2) ? 2 : 0);
}

/// [outer, axis, inner] of a shape, in elements.
struct split_shape {
    index_t outer = 1;
    index_t inner = 1;
    split_shape(const edge::shape& s, std::size_t axis) {
        for (std::size_t i = 0; i < axis; ++i) outer *= s[i];
        for (std::size_t i = axis + 1; i < s.rank(); ++i) inner *= s[i];
    }
};

inline edge::shape with_extent(const edge::shape& s, std::size_t axis, index_t n) {
    index_list extents = s.extents();
    extents[axis] = n;
    return edge::shape(extents);
}

inline kernel concat(preparation& p) {
    const edge::shape& first = p.shape(0);
    const std::size_t axis = first.axis(static_cast<index_t>(p.node().integer("axis", 1)));
    const split_shape parts(first, axis);
    const auto width = static_cast<index_t>(size_of(p.type(0)));
    index_t total = 0;
    std::vector<std::size_t> bytes;  // a row of each input
    for (std::size_t i = 0; i < p.inputs(); ++i) {
        const edge::shape& s = p.shape(i);
        if (p.type(i) != p.type(0) || s.rank() != first.rank() ||
            with_extent(s, axis, 0) != with_extent(first, axis, 0))
            throw shape_error(message("cannot concatenate ", p.input(0), " and ", p.input(i), " along axis ", axis));
        total += s[axis];
        bytes.push_back(static_cast<std::size_t>(s[axis] * parts.inner * width));
    }
    p.output(0, p.type(0), with_extent(first, axis, total));
    return [bytes, outer = parts.outer](const arguments& a) {
        char* y = a.output<char>(0);
        for (index_t row = 0; row < outer; ++row)
            for (std::size_t i = 0; i < bytes.size(); ++i)
                y = std::copy_n(a.input<char>(i) + static_cast<std::size_t>(row) * bytes[i], bytes[i], y);
    };
}

/// Parts are an attribute up to opset 12, then input 1; without either they are equal, the last one smaller if need be.
inline kernel split(preparation& p) {
    const edge::shape& from = p.shape(0);
    const std::size_t axis = from.axis(static_cast<index_t>(p.node().integer("axis", 0)));
    auto parts = p.has(1) ? p.integers(1) : p.node().integers("split");
    const auto count = static_cast<index_t>(p.node().outputs.size());
    const index_t n = from[axis];
    if (parts.empty()) {
        const index_t each = (n + count - 1) / count;
        for (index_t i = 0; i < count; ++i) parts.push_back(std::clamp<index_t>(n - i * each, 0, each));
    }
    std::int64_t total = 0;
    for (const auto part : parts) {
        if (part < 0 || part > n) throw argument_error(message("part ", part, " of axis ", axis, " of shape ", from));
        total += part;
    }
    if (static_cast<index_t>(parts.size()) != count || total != n)
        throw argument_error(message(parts.size(), " parts, in sum ", total, ", for ", count, " outputs of axis ", axis,
                                     " of shape ", from));
    const split_shape around(from, axis);
    const auto width = static_cast<index_t>(size_of(p.type(0)));
    std::vector<std::size_t> bytes;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part = static_cast<index_t>(parts[i]);
        bytes.push_back(static_cast<std::size_t>(part * around.inner * width));
        p.output(i, p.type(0), with_extent(from, axis, part));
    }
    return [bytes, outer = around.outer](const arguments& a) {
        const char* x = a.input<char>(0);
        for (index_t row = 0; row < outer; ++row)
            for (std::size_t i = 0; i < bytes.size(); x += bytes[i++])
                if (a.out[i] != nullptr)
                    std::copy_n(x, bytes[i], a.output<char>(i) + static_cast<std::size_t>(row) * bytes[i]);
    };
}

inline void need_indices(dtype type) {
    if (type != dtype::i64 && type != dtype::i32)
        throw argument_error(message("indices of ", type, "; expected int64"));
}

/// Index i of a list: a position along an axis of n, from the end where it is negative.
inline index_t position_at(dtype type, const void* list, index_t i, index_t n) {
    const auto at = nn::detail::read_as<std::int64_t>(type, nn::detail::element(type, list, i));
    if (at < -static_cast<std::int64_t>(n) || at >= static_cast<std::int64_t>(n))
        throw argument_error(message("index ", at, " is out of range for an axis of ", n));
    return static_cast<index_t>(at < 0 ? at + n : at);
}

inline kernel gather(preparation& p) {
    const edge::shape& from = p.shape(0);
    const std::size_t axis = from.axis(static_cast<index_t>(p.node().integer("axis", 0)));
    index_list extents;
    for (std::size_t i = 0; i < axis; ++i) extents.push_back(from[i]);
    for (const index_t n : p.shape(1)) extents.push_back(n);
    for (std::size_t i = axis + 1; i < from.rank(); ++i) extents.push_back(from[i]);
    p.output(0, p.type(0), edge::shape(extents));
    const split_shape around(from, axis);
    const auto bytes = static_cast<std::size_t>(around.inner) * size_of(p.type(0));
    need_indices(p.type(1));
    return
        [outer = around.outer, n = from[axis], bytes, count = p.shape(1).size(), type = p.type(1)](const arguments& a) {
            char* y = a.output<char>(0);
            for (index_t row = 0; row < outer; ++row)
                for (index_t i = 0; i < count; ++i) {
                    const index_t at = row * n + position_at(type, a.in[1], i, n);
                    y = std::copy_n(a.input<char>(0) + static_cast<std::size_t>(at) * bytes, bytes, y);
                }
        };
}

inline kernel gather_elements(preparation& p) {
    const edge::shape& from = p.shape(0);
    const edge::shape& to = p.shape(1);
    const std::size_t axis = from.axis(static_cast<index_t>(p.node().integer("axis", 0)));
    bool fits = to.rank() == from.rank();
    for (std::size_t i = 0; fits && i < from.rank(); ++i) fits = i == axis || to[i] <= from[i];
    if (!fits) throw shape_error(message("indices of shape ", to, " do not fit ", from, " along axis ", axis));
    p.output(0, p.type(0), to);
    need_indices(p.type(1));
    return [from, to, axis, type = p.type(1), width = static_cast<index_t>(size_of(p.type(0)))](const arguments& a) {
        const auto strides = from.strides();
        index_list at = to.extents();
        for (std::size_t i = 0; i < at.size(); ++i) at[i] = 0;
        for (index_t k = 0; k < to.size(); ++k) {
            index_t offset = position_at(type, a.in[1], k, from[axis]) * strides[axis];
            for (std::size_t i = 0; i < at.size(); ++i) offset += i == axis ? 0 : at[i] * strides[i];
            std::copy_n(a.input<char>(0) + offset * width, width, a.output<char>(0) + k * width);
            for (std::size_t i = at.size(); i-- > 0;) {
                if (++at[i] < to[i]) break;
                at[i] = 0;
            }
        }
    };
}

/// Blocks of depth become squares of pixels, or the other way round: a transpose of [n, c, h, w] with c or h, w cut up.
inline kernel depth_and_space(preparation& p, bool to_space) {
    const edge::shape& from = p.shape(0);
    const auto block = static_cast<index_t>(p.node().integer("blocksize", 0));
    if (from.rank() != 4) throw shape_error(message("input has shape ", from, "; expected [n, c, h, w]"));
    if (block < 1 || block > 1 << 15) throw argument_error(message("blocksize ", block, "; expected 1 or more"));
    const auto mode = p.node().text("mode", "DCR");
    const index_t n = from[0], c = from[1], h = from[2], w = from[3];
    if (to_space ? c % (block * block) != 0 : h % block != 0 || w % block != 0)
        throw shape_error(message("blocksize ", block, " does not divide ", from));
    need_positions(from);
    edge::shape cut, result;
    index_list order;
    if (to_space) {
        const index_t depth = c / (block * block);
        cut = mode == "CRD" ? edge::shape{n, depth, block, block, h, w} : edge::shape{n, block, block, depth, h, w};
        order = mode == "CRD" ? index_list{0, 1, 4, 2, 5, 3} : index_list{0, 3, 4, 1, 5, 2};
        result = {n, depth, h * block, w * block};
    } else {
        cut = {n, c, h / block, block, w / block, block};
        order = {0, 3, 5, 1, 2, 4};
        result = {n, c * block * block, h / block, w / block};
    }
    const auto turned = tensor_view<const char>(nullptr, cut).transpose(order);
    placement places;
    for (std::size_t i = 0; i < 6; ++i) places.push_back(steps_along(turned.shape()[i], turned.strides()[i]));
    return placed(p, std::move(places), result);
}

inline kernel constant_of_shape(preparation& p) {
    index_list extents;
    for (const auto n : p.integers(0)) extents.push_back(static_cast<index_t>(n));
    any_tensor fill(tensor<float>({1}, 0.0f));
    if (const auto found = p.node().attributes.find("value"); found != p.node().attributes.end()) {
        const auto* given = found->second.get_if<any_tensor>();
        if (given == nullptr || given->size() != 1)
            throw argument_error("attribute 'value' is not a tensor of one element");
        fill = *given;
    }
    const edge::shape to(extents);
    p.output(0, fill.dtype(), to);
    std::array<char, 8> value{};
    std::memcpy(value.data(), fill.data(), fill.bytes());
    return [value, width = static_cast<index_t>(fill.bytes()), n = to.size()](const arguments& a) {
        for (index_t i = 0; i < n; ++i) std::copy_n(value.data(), width, a.output<char>(0) + i * width);
    };
}

}  // namespace detail

inline constexpr operator_row moves[] = {
    {"Transpose", detail::transpose},
    {"Expand", detail::expand},
    {"Tile", detail::tile},
    {"Slice", detail::slice},
    {"Pad", detail::pad},
    {"Concat", detail::concat},
    {"Split", detail::split},
    {"Gather", detail::gather},
    {"GatherElements", detail::gather_elements},
    {"DepthToSpace", [](preparation& p) { return detail::depth_and_space(p, true); }},
    {"SpaceToDepth", [](preparation& p) { return detail::depth_and_space(p, false); }},
    {"ConstantOfShape", detail::constant_of_shape},
};

}  // namespace edge::nn::operators
