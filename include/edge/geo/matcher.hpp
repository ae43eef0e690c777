// SPDX-License-Identifier: MIT
#pragma once

/// @file Points to polygons: for each point the smallest polygon near it, or around it.
///
///     edge::geo::matcher m{polygons, {.max_distance = 10.0}};
///     std::vector<edge::index_t> best = m.match(points);     // index into polygons, or edge::geo::no_match
///     std::vector<edge::index_t> same = m.match(xs, ys);     // of two columns
///
/// Built once, asked by any number of threads. The answers do not depend on the number of threads.

#include <edge/core/error.hpp>
#include <edge/core/parallel.hpp>
#include <edge/geo/polygon.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace edge::geo {

/// What `matcher` answers for a point that has no polygon.
inline constexpr index_t no_match = -1;

enum class match_mode : std::uint8_t {
    near_centre,      ///< the point is no farther than `max_distance` from `polygon.centre()`
    within_distance,  ///< `polygon.distance(p) <= max_distance`, so inside or on the boundary counts as 0
    contains,         ///< `polygon.contains(p)`: inside or on the boundary, exactly; `max_distance` is not used
};

struct matcher_options {
    double max_distance = 10;  ///< in the unit of the coordinates, in [0, 1e150]
    match_mode mode = match_mode::near_centre;
    int threads = 0;  ///< of the calls that take many points; 0: the process default
};

/// Of the polygons that a point may go to, the one of smallest area is its match; the lowest index where areas are
/// equal.
///
/// A uniform grid over the boxes around all places that may go to a polygon. A cell lists the polygons whose box touches
/// it, smallest first, so the first one that fits is the answer. There are at most 4 cells and 16 list entries a
/// polygon (and 256 of each): the grid is made coarser until they suffice, whatever the extents. A grid over a few
/// polygons very far from the others is coarse where the others are, and slower.
class matcher {
public:
    /// @throws argument_error  if an option is out of its range or there are 2^32 - 1 polygons or more
    explicit matcher(std::span<const polygon> polygons, const matcher_options& options = {});

    /// The match of one point, or `no_match`: also for a point with a NaN or an infinity.
    [[nodiscard]] index_t match(point p) const noexcept;

    /// The match of each point.
    [[nodiscard]] std::vector<index_t> match(std::span<const point> points) const {
        std::vector<index_t> result(points.size());
        match(points, result);
        return result;
    }

    /// The same into memory of the caller. Allocates nothing.
    /// @throws shape_error  if there is not one place a point
    void match(std::span<const point> points, std::span<index_t> result) const {
        if (result.size() != points.size())
            throw shape_error(message(result.size(), " places for ", points.size(), " points"));
        each(result, [&](std::size_t i) { return points[i]; });
    }

    /// The match of each (x[i], y[i]).
    /// @throws shape_error  if the lengths differ
    [[nodiscard]] std::vector<index_t> match(std::span<const double> x, std::span<const double> y) const {
        if (x.size() != y.size()) throw shape_error(message(x.size(), " x for ", y.size(), " y"));
        std::vector<index_t> result(x.size());
        each(result, [&](std::size_t i) { return point{x[i], y[i]}; });
        return result;
    }

    [[nodiscard]] std::size_t polygons() const noexcept { return order_.size(); }
    [[nodiscard]] const matcher_options& options() const noexcept { return options_; }

private:
    /// A polygon as the search needs it; `first_ring` … the next one's are its rings.
    struct candidate {
        box bounds;  ///< of the polygon
        box reach;   ///< around all points that may go to it
        point centre;
        std::size_t first_ring = 0;
    };
    struct span_of_cells {
        std::size_t left, right, bottom, top;  ///< the last of each included
    };

    template <class PointAt>
    void each(std::span<index_t> result, PointAt&& at) const {
        const parallel_options parts{.threads = options_.threads, .grain = 2048, .align = 8};
        parallel_for(static_cast<index_t>(result.size()), parts, [&](index_t first, index_t last) {
            for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
                result[i] = match(at(i));
        });
    }

    [[nodiscard]] box reach_of(const polygon& shape) const noexcept;
    void make_grid();
    [[nodiscard]] bool fits(std::uint32_t rank, point p) const noexcept;
    [[nodiscard]] std::span<const point> ring_at(std::size_t i) const noexcept {
        return std::span(points_).subspan(ring_begin_[i], ring_begin_[i + 1] - ring_begin_[i]);
    }

    /// Never falls as v grows, so a point inside a box is in one of the box's cells whatever the rounding.
    [[nodiscard]] static std::size_t cell(double v, double low, double per_unit, std::size_t count) noexcept {
        const double i = (v - low) * per_unit;
        return i < static_cast<double>(count) ? static_cast<std::size_t>(i) : count - 1;
    }
    [[nodiscard]] span_of_cells cells_of(const box& b) const noexcept {
        return {cell(b.low.x, extent_.low.x, columns_per_unit_, columns_),
                cell(b.high.x, extent_.low.x, columns_per_unit_, columns_),
                cell(b.low.y, extent_.low.y, rows_per_unit_, rows_),
                cell(b.high.y, extent_.low.y, rows_per_unit_, rows_)};
    }

    matcher_options options_;
    double enough_ = 0;                    ///< the largest square of a distance that is not above max_distance
    std::vector<std::uint32_t> order_;     ///< index of the polygon at each rank: by area, then index
    std::vector<candidate> candidates_;    ///< by rank, and one more for its first_ring
    std::vector<std::size_t> ring_begin_;  ///< in points_
    std::vector<point> points_;            ///< closed rings, by rank
    box extent_;
    std::size_t columns_ = 0;
    std::size_t rows_ = 0;
    double columns_per_unit_ = 0;
    double rows_per_unit_ = 0;
    std::vector<std::size_t> cell_begin_;  ///< in listed_
    std::vector<std::uint32_t> listed_;    ///< ranks, ascending in each cell
};

inline matcher::matcher(std::span<const polygon> polygons, const matcher_options& options) : options_(options) {
    const double reach = options.max_distance;
    if (!(reach >= 0 && reach <= detail::largest_coordinate))
        throw argument_error(message("max_distance ", reach, "; expected 0 to 1e150"));
    if (polygons.size() >= (std::numeric_limits<std::uint32_t>::max)())
        throw argument_error(message(polygons.size(), " polygons; expected fewer than 2^32 - 1"));
    if (options.mode == match_mode::contains) options_.max_distance = 0;

    // sqrt is correctly rounded and never falls, so one comparison of squares says the same as one of distances.
    const double d = options_.max_distance;
    enough_ = d * d;
    while (std::sqrt(enough_) > d) enough_ = std::nextafter(enough_, 0.0);
    for (double next = enough_; std::sqrt(next) <= d; next = std::nextafter(next, HUGE_VAL)) enough_ = next;

    order_.resize(polygons.size());
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return polygons[a].area() < polygons[b].area(); });

    candidates_.reserve(polygons.size() + 1);
    ring_begin_.push_back(0);
    for (const std::uint32_t index : order_) {
        const polygon& shape = polygons[index];
        candidates_.push_back({shape.bounds(), reach_of(shape), shape.centre(), ring_begin_.size() - 1});
        for (std::size_t i = 0; i < shape.rings(); ++i) {
            const auto vertices = shape.closed_ring(i);
            points_.insert(points_.end(), vertices.begin(), vertices.end());
            ring_begin_.push_back(points_.size());
        }
    }
    candidates_.push_back({{}, {}, {}, ring_begin_.size() - 1});
    if (!polygons.empty()) make_grid();
}

inline box matcher::reach_of(const polygon& shape) const noexcept {
    const double d = options_.max_distance;
    const box b = options_.mode == match_mode::near_centre ? box{shape.centre(), shape.centre()} : shape.bounds();
    // Wide enough for the rounding of what is compared with it.
    const double most = (std::max)({std::abs(b.low.x), std::abs(b.low.y), std::abs(b.high.x), std::abs(b.high.y)});
    const double wide = d == 0 ? 0 : d + 8 * std::numeric_limits<double>::epsilon() * (most + d);
    box r{{b.low.x - wide, b.low.y - wide}, {b.high.x + wide, b.high.y + wide}};
    if (options_.mode == match_mode::near_centre)  // never without extent, as bounds are not
        r = {{std::nextafter(r.low.x, -HUGE_VAL), std::nextafter(r.low.y, -HUGE_VAL)},
             {std::nextafter(r.high.x, HUGE_VAL), std::nextafter(r.high.y, HUGE_VAL)}};
    return r;
}

inline void matcher::make_grid() {
    const auto polygons = std::span(candidates_).first(order_.size());
    extent_ = polygons[0].reach;
    for (const candidate& c : polygons) {
        extent_.low = {(std::min)(extent_.low.x, c.reach.low.x), (std::min)(extent_.low.y, c.reach.low.y)};
        extent_.high = {(std::max)(extent_.high.x, c.reach.high.x), (std::max)(extent_.high.y, c.reach.high.y)};
    }
    const double width = extent_.high.x - extent_.low.x;
    const double height = extent_.high.y - extent_.low.y;

    std::size_t most_cells = (std::max)(std::size_t{256}, 4 * polygons.size());
    const std::size_t most_listed = (std::max)(std::size_t{256}, 16 * polygons.size());
    std::size_t total = 0;
    for (;; most_cells /= 2) {
        // Cells about as wide as high.
        const double across = std::sqrt(static_cast<double>(most_cells) * (width / height));
        columns_ = across >= static_cast<double>(most_cells)
                       ? most_cells
                       : (std::max)(std::size_t{1}, static_cast<std::size_t>(across));
        rows_ = most_cells / columns_;
        columns_per_unit_ = static_cast<double>(columns_) / width;
        rows_per_unit_ = static_cast<double>(rows_) / height;
        total = 0;
        for (const candidate& c : polygons) {
            const auto s = cells_of(c.reach);
            total += (s.right - s.left + 1) * (s.top - s.bottom + 1);
        }
        if (total <= most_listed || most_cells == 1) break;
    }

    cell_begin_.assign(columns_ * rows_ + 1, 0);
    const auto for_each_cell = [&](auto&& visit) {
        for (std::uint32_t rank = 0; rank < polygons.size(); ++rank) {
            const auto s = cells_of(polygons[rank].reach);
            for (std::size_t y = s.bottom; y <= s.top; ++y)
                for (std::size_t x = s.left; x <= s.right; ++x) visit(y * columns_ + x, rank);
        }
    };
    for_each_cell([&](std::size_t c, std::uint32_t) { ++cell_begin_[c + 1]; });
    std::partial_sum(cell_begin_.begin(), cell_begin_.end(), cell_begin_.begin());
    listed_.resize(total);
    auto next = cell_begin_;
    for_each_cell([&](std::size_t c, std::uint32_t rank) { listed_[next[c]++] = rank; });
}

inline bool matcher::fits(std::uint32_t rank, point p) const noexcept {
    const candidate& c = candidates_[rank];
    if (!c.reach.contains(p)) return false;
    if (options_.mode == match_mode::near_centre) {
        const double x = p.x - c.centre.x;
        const double y = p.y - c.centre.y;
        return x * x + y * y <= enough_;
    }
    const std::size_t first = c.first_ring;
    const std::size_t last = candidates_[rank + 1].first_ring;
    if (c.bounds.contains(p)) {
        bool inside = false;
        for (std::size_t i = first; i < last; ++i) {
            const auto found = detail::locate(p, ring_at(i));
            if (found == detail::place::boundary) return true;
            if (found == detail::place::inside) inside = !inside;
        }
        if (inside) return true;
    }
    if (options_.max_distance == 0) return false;
    for (std::size_t i = first; i < last; ++i)
        if (detail::squared_distance(p, ring_at(i), enough_) <= enough_) return true;
    return false;
}

inline index_t matcher::match(point p) const noexcept {
    if (order_.empty() || !extent_.contains(p)) return no_match;
    const std::size_t c = cell(p.y, extent_.low.y, rows_per_unit_, rows_) * columns_ +
                          cell(p.x, extent_.low.x, columns_per_unit_, columns_);
    for (std::size_t i = cell_begin_[c]; i < cell_begin_[c + 1]; ++i)
        if (fits(listed_[i], p)) return static_cast<index_t>(order_[listed_[i]]);
    return no_match;
}

}  // namespace edge::geo
