// SPDX-License-Identifier: MIT
#pragma once

/// @file Polygons in the plane, with holes.
///
///     edge::geo::polygon yard({{0, 0}, {40, 0}, {40, 30}, {0, 30}});
///     yard.area();                   // 1200
///     yard.contains({40, 10});       // true: the boundary belongs to it
///     yard.distance({50, 10});       // 10; 0 inside
///
/// Every polygon that exists has finite vertices and an area. Coordinates are plain numbers of one unit, such as
/// metres; on degrees, distances are in degrees.

#include <edge/core/error.hpp>
#include <edge/geo/detail/planar.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace edge::geo {

/// Vertices in order, either way round; the first may be repeated at the end.
using ring = std::vector<point>;

/// An axis-aligned rectangle; its border belongs to it.
struct box {
    point low;
    point high;

    [[nodiscard]] bool contains(point p) const noexcept {
        return p.x >= low.x && p.x <= high.x && p.y >= low.y && p.y <= high.y;
    }
};

/// An outer ring and holes in it. Rings that cross themselves or each other are not looked for: what is inside is then
/// said by the even-odd rule, and the area stays that of the shoelace formula.
class polygon {
public:
    /// @throws argument_error  if a ring has fewer than three vertices, a coordinate that is not finite or beyond
    /// 1e150,
    ///                         or no area beyond rounding, or if the holes leave none
    explicit polygon(const ring& outer, const std::vector<ring>& holes = {});

    /// Of the outer ring less the holes, > 0. A copy far away has the same area, and so has one that begins
    /// at another vertex or goes the other way round.
    [[nodiscard]] double area() const noexcept { return area_; }

    /// Mean of the outer ring's vertices (not the centroid of the area).
    [[nodiscard]] point centre() const noexcept { return centre_; }

    [[nodiscard]] const box& bounds() const noexcept { return bounds_; }

    /// Whether p is inside or on the boundary, which a hole's rim is part of. Exact for the coordinates as they are:
    /// polygons that share an edge leave no gap. False for NaN.
    [[nodiscard]] bool contains(point p) const noexcept {
        if (!bounds_.contains(p)) return false;
        bool inside = false;
        for (std::size_t i = 0; i < rings(); ++i) {
            const auto found = detail::locate(p, closed_ring(i));
            if (found == detail::place::boundary) return true;
            if (found == detail::place::inside) inside = !inside;
        }
        return inside;
    }

    /// From p to the nearest point of the polygon; 0 exactly where it contains p. NaN for NaN.
    [[nodiscard]] double distance(point p) const noexcept {
        if (std::isnan(p.x) || std::isnan(p.y)) return std::numeric_limits<double>::quiet_NaN();
        if (contains(p)) return 0;
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < rings(); ++i)
            best = (std::min)(best, detail::squared_distance(p, closed_ring(i), 0));
        return (std::max)(std::sqrt(best), std::numeric_limits<double>::denorm_min());  // a square may underflow
    }

    /// 1 and the number of holes.
    [[nodiscard]] std::size_t rings() const noexcept { return ends_.size(); }

    /// Vertices of the outer ring (0) or of a hole (1 …), each once.
    [[nodiscard]] std::span<const point> ring_vertices(std::size_t i) const noexcept {
        const auto closed = closed_ring(i);
        return closed.first(closed.size() - 1);
    }

    /// The same with the first vertex once more at the end.
    [[nodiscard]] std::span<const point> closed_ring(std::size_t i) const noexcept {
        const std::size_t first = i == 0 ? 0 : ends_[i - 1];
        return std::span(points_).subspan(first, ends_[i] - first);
    }

private:
    double add_ring(const ring& vertices, const char* what);

    std::vector<point> points_;      ///< of all rings, each closed
    std::vector<std::size_t> ends_;  ///< of each ring in `points_`
    box bounds_;
    point centre_;
    double area_ = 0;
};

/// One polygon a ring.
/// @throws argument_error  as `polygon`, with the index of the first that is refused
[[nodiscard]] inline std::vector<polygon> make_polygons(std::span<const ring> rings) {
    std::vector<polygon> result;
    result.reserve(rings.size());
    for (std::size_t i = 0; i < rings.size(); ++i) try {
            result.emplace_back(rings[i]);
        } catch (const argument_error& e) {
            throw argument_error(message("polygon ", i, ": ", e.what()));
        }
    return result;
}

inline polygon::polygon(const ring& outer, const std::vector<ring>& holes) {
    area_ = add_ring(outer, "outer ring");
    const point origin = points_[0];
    bounds_ = {origin, origin};
    double dx = 0;
    double dy = 0;
    for (const point p : ring_vertices(0)) {
        bounds_.low = {(std::min)(bounds_.low.x, p.x), (std::min)(bounds_.low.y, p.y)};
        bounds_.high = {(std::max)(bounds_.high.x, p.x), (std::max)(bounds_.high.y, p.y)};
        dx += p.x - origin.x;
        dy += p.y - origin.y;
    }
    const auto n = static_cast<double>(ends_[0] - 1);
    centre_ = {origin.x + dx / n, origin.y + dy / n};
    for (std::size_t i = 0; i < holes.size(); ++i) area_ -= add_ring(holes[i], message("hole ", i).c_str());
    if (!(area_ > 0)) throw argument_error(message("its holes leave no area (", area_, ")"));
}

/// Checks and appends; returns the area.
inline double polygon::add_ring(const ring& vertices, const char* what) {
    std::size_t n = vertices.size();
    if (n > 1 && vertices.front() == vertices.back()) --n;
    if (n < 3) throw argument_error(message(what, " has ", n, " vertices; expected at least 3"));
    for (std::size_t i = 0; i < n; ++i)
        for (const double v : {vertices[i].x, vertices[i].y})
            if (!(std::abs(v) <= detail::largest_coordinate))
                throw argument_error(message(what, ", vertex ", i, ": (", vertices[i].x, ", ", vertices[i].y,
                                             "); expected finite coordinates within 1e150"));
    const std::size_t first = points_.size();
    points_.insert(points_.end(), vertices.begin(), vertices.begin() + static_cast<std::ptrdiff_t>(n));
    points_.push_back(vertices[0]);
    ends_.push_back(points_.size());
    const auto [twice, magnitude] = detail::shoelace(std::span(points_).subspan(first));
    // Less than the rounding of the vertices is none: decimal fractions on one line are not quite on one as doubles.
    if (!(std::abs(twice) > 4 * std::numeric_limits<double>::epsilon() * magnitude))
        throw argument_error(message(what, " of ", n, " vertices has no area"));
    return std::abs(twice) / 2;
}

}  // namespace edge::geo
