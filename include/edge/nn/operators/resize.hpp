// SPDX-License-Identifier: MIT
#pragma once

/// @file Resize, and Upsample as it was called before: nearest, linear and cubic, along any axes.
///
/// Each axis is resized on its own, the last one first; a result along an axis is a weighted sum of a few sources, its
/// taps, which are found at preparation. Nearest takes elements of any type as they are, the others float.

#include <edge/nn/operator.hpp>
#include <edge/nn/operators/elementwise.hpp>
#include <edge/nn/operators/move.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

namespace edge::nn::operators {

namespace detail {

/// How the axes of one Resize are read. Source of all formulas: the definition of Resize in ONNX 1.16.
struct resize_rule {
    std::string mode, coordinates, nearest;
    double cubic = -0.75;
    bool antialias = false;
    bool exclude_outside = false;

    explicit resize_rule(const preparation& p) {
        const nn::node& n = p.node();
        const bool first = p.opset() < 11;  // Upsample too: no attributes but the mode
        mode = n.text("mode", "nearest");
        coordinates = first ? "asymmetric" : n.text("coordinate_transformation_mode", "half_pixel");
        nearest = first ? "floor" : n.text("nearest_mode", "round_prefer_floor");
        cubic = static_cast<double>(n.real("cubic_coeff_a", -0.75f));
        antialias = n.integer("antialias", 0) != 0;
        exclude_outside = n.integer("exclude_outside", 0) != 0;
        need(mode, "mode", {"nearest", "linear", "cubic"});
        need(nearest, "nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
        need(coordinates, "coordinate_transformation_mode",
             {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"});
    }

    /// Where result `x` of an axis of `to` lies among the `from` sources, `scale` times as many.
    [[nodiscard]] double source(double x, double from, double to, double scale) const {
        if (coordinates == "align_corners") return to == 1 ? 0 : x * (from - 1) / (to - 1);
        if (coordinates == "asymmetric") return x / scale;
        if (coordinates == "pytorch_half_pixel" && to == 1) return 0;
        const double offset = coordinates == "half_pixel_symmetric" ? from / 2 * (1 - to / (scale * from)) : 0;
        return offset + (x + 0.5) / scale - 0.5;
    }

    [[nodiscard]] double round(double at) const {
        return nearest == "floor"               ? std::floor(at)
               : nearest == "ceil"              ? std::ceil(at)
               : nearest == "round_prefer_ceil" ? std::floor(at + 0.5)
                                                : std::ceil(at - 0.5);
    }

    /// The weight of a source at a distance: a triangle, or Keys' cubic.
    [[nodiscard]] double weight(double distance) const {
        const double d = std::abs(distance);
        if (mode == "linear") return (std::max)(0.0, 1 - d);
        if (d < 1) return ((cubic + 2) * d - (cubic + 3)) * d * d + 1;
        return d < 2 ? ((cubic * d - 5 * cubic) * d + 8 * cubic) * d - 4 * cubic : 0;
    }

private:
    static void need(const std::string& text, const char* key, std::initializer_list<std::string_view> known) {
        if (std::find(known.begin(), known.end(), text) == known.end())
            throw unsupported_error(message(key, " '", text, "' is not supported"));
    }
};

/// One axis: its results, from how many sources, and `taps` weights and sources for each.
struct resized_axis {
    index_t from = 1, to = 1;
    double scale = 1;
    std::size_t taps = 1;
    std::vector<index_t> sources{};
    std::vector<float> weights{};

    void find_nearest(const resize_rule& rule) {
        for (index_t i = 0; i < to; ++i) {
            const double at =
                rule.source(static_cast<double>(i), static_cast<double>(from), static_cast<double>(to), scale);
            sources.push_back(static_cast<index_t>(std::clamp(rule.round(at), 0.0, static_cast<double>(from - 1))));
        }
    }

    /// Sources before the first and after the last are those, or nothing where they are to be left out.
    /// @return  how many there are
    index_t find_taps(const resize_rule& rule) {
        const double stretch = rule.antialias ? (std::min)(scale, 1.0) : 1;
        const double reach = rule.mode == "linear" ? 1 : 2;
        const auto first = static_cast<index_t>(std::floor(-reach / stretch)) + 1;
        taps = static_cast<std::size_t>(2 - 2 * first);
        listed(checked_multiply(2 - 2 * first, to));
        for (index_t i = 0; i < to; ++i) {
            const double at =
                rule.source(static_cast<double>(i), static_cast<double>(from), static_cast<double>(to), scale);
            const double base = std::ceil(at) - 1;
            std::vector<double> row;
            double sum = 0;
            for (std::size_t k = 0; k < taps; ++k) {
                const double source = base + static_cast<double>(first) + static_cast<double>(k);
                const bool is_inside = source >= 0 && source < static_cast<double>(from);
                row.push_back(rule.exclude_outside && !is_inside ? 0 : rule.weight((source - at) * stretch));
                sum += row.back();
                sources.push_back(static_cast<index_t>(std::clamp(source, 0.0, static_cast<double>(from - 1))));
            }
            const bool to_one = rule.antialias || rule.exclude_outside;
            for (const double w : row) weights.push_back(static_cast<float>(to_one ? w / sum : w));
        }
        return static_cast<index_t>(weights.size());
    }
};

/// The axes as input scales, input sizes or attribute say; those that stay as they are have a scale of 1.
inline std::vector<resized_axis> resized_axes(preparation& p) {
    const edge::shape& from = p.shape(0);
    const bool before_roi = p.opset() < 11;
    const std::size_t at = before_roi ? 1 : 2;
    const auto axes = p.node().integers("axes");
    std::vector<std::size_t> where;
    axis_bits(axes, from.rank());
    for (const auto axis : axes) where.push_back(from.axis(static_cast<index_t>(axis)));
    if (axes.empty())
        for (std::size_t i = 0; i < from.rank(); ++i) where.push_back(i);

    std::vector<float> scales = p.node().reals("scales");
    std::vector<std::int64_t> sizes;
    if (p.has(at) && p.shape(at).size() != 0) {
        const any_view given = p.value(at);
        const auto list = given.as<float>().flat();
        scales.assign(list.begin(), list.end());
    } else if (!before_roi && p.has(3)) {
        sizes = p.integers(3);
    }
    if ((sizes.empty() ? scales.size() : sizes.size()) != where.size())
        throw shape_error(message(scales.size(), " scales and ", sizes.size(), " sizes for ", where.size(), " axes"));

    std::vector<resized_axis> result(from.rank());
    for (std::size_t i = 0; i < from.rank(); ++i) result[i].from = result[i].to = from[i];
    const auto policy = p.node().text("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller")
        throw unsupported_error(message("keep_aspect_ratio_policy '", policy, "' is not supported"));
    double common = 0;
    for (std::size_t k = 0; k < sizes.size(); ++k) {
        const double ratio =
            static_cast<double>(sizes[k]) / static_cast<double>((std::max)(from[where[k]], index_t{1}));
        common = k == 0 ? ratio : policy == "not_larger" ? (std::min)(common, ratio) : (std::max)(common, ratio);
    }
    constexpr auto most = static_cast<double>(longest_list);
    for (std::size_t k = 0; k < where.size(); ++k) {
        resized_axis& axis = result[where[k]];
        const auto n = static_cast<double>(axis.from);
        double size = 0;
        if (sizes.empty()) {
            axis.scale = static_cast<double>(scales[k]);
            size = std::floor(n * axis.scale);
        } else {
            size = policy == "stretch" ? static_cast<double>(sizes[k]) : std::floor(common * n + 0.5);
            axis.scale = policy == "stretch" ? size / n : common;
        }
        if (!(size >= 0 && size <= most) || (!(axis.scale > 0) && size > 0) || (axis.from == 0 && size > 0))
            throw argument_error(message("axis ", where[k], " of shape ", from, " cannot become ", size, " long"));
        axis.to = static_cast<index_t>(size);
    }
    return result;
}

/// y [outer, to, inner] of x [outer, from, inner].
inline void resize_along(const resized_axis& axis, index_t outer, index_t inner, const float* x, float* y) {
    for (index_t o = 0; o < outer; ++o, x += axis.from * inner)
        for (std::size_t i = 0; i < static_cast<std::size_t>(axis.to); ++i, y += inner) {
            std::fill_n(y, inner, 0.0f);
            for (std::size_t k = i * axis.taps; k < (i + 1) * axis.taps; ++k) {
                const float* from = x + axis.sources[k] * inner;
                const float w = axis.weights[k];
                for (index_t j = 0; j < inner; ++j) y[j] += w * from[j];
            }
        }
}

inline kernel resize(preparation& p) {
    const resize_rule rule(p);
    auto axes = resized_axes(p);
    const edge::shape& from = p.shape(0);
    index_list extents;
    for (const auto& axis : axes) extents.push_back(axis.to);
    const edge::shape to(extents);
    p.output(0, p.type(0), to);
    if (to.size() == 0) return {};
    need_positions(from);
    need_positions(to);
    const auto is_same = [](const resized_axis& axis) { return axis.from == axis.to && axis.scale == 1; };
    if (rule.mode == "nearest") {
        const auto strides = from.strides();
        placement places;
        for (std::size_t i = 0; i < axes.size(); ++i) {
            if (is_same(axes[i])) {
                places.push_back(steps_along(from[i], strides[i]));
                continue;
            }
            axes[i].find_nearest(rule);
            for (index_t& source : axes[i].sources) source *= strides[i];
            places.push_back(std::move(axes[i].sources));
        }
        return placed(p, std::move(places), to);
    }
    if (p.type(0) != dtype::f32) throw unsupported_error(message("elements of ", p.type(0), " are not supported"));

    struct pass {
        resized_axis axis;
        index_t outer, inner;
    };
    std::vector<pass> passes;
    edge::shape now = from;
    index_t most = 0;
    index_t taps = 0;
    for (std::size_t i = axes.size(); i-- > 0;) {
        if (is_same(axes[i])) continue;
        taps = listed(taps + axes[i].find_taps(rule));
        const split_shape around(now, i);
        now = with_extent(now, i, axes[i].to);
        most = (std::max)(most, now.size());
        passes.push_back({std::move(axes[i]), around.outer, around.inner});
    }
    if (passes.empty()) return copied(p);
    // Between passes, values go from one of two buffers to the other.
    const auto length = passes.size() > 1 ? static_cast<std::size_t>(most) : 0;
    const auto buffers = std::make_shared<std::array<std::vector<float>, 2>>();
    for (auto& b : *buffers) b.resize(length);
    return [passes = std::move(passes), buffers](const arguments& a) {
        const float* x = a.input<float>(0);
        for (std::size_t i = 0; i < passes.size(); ++i) {
            float* y = i + 1 == passes.size() ? a.output<float>(0) : (*buffers)[i % 2].data();
            resize_along(passes[i].axis, passes[i].outer, passes[i].inner, x, y);
            x = y;
        }
    };
}

}  // namespace detail

inline constexpr operator_row resizes[] = {{"Resize", detail::resize}, {"Upsample", detail::resize}};

}  // namespace edge::nn::operators
