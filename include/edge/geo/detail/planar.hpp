// SPDX-License-Identifier: MIT
#pragma once

/// @file Points and segments: on which side, how far, inside or not. The signs are exact, the distances rounded.
///
/// Rings here are closed: the first vertex is repeated at the end, so an edge is a pair of neighbours.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>

namespace edge::geo {

struct point {
    double x = 0;
    double y = 0;
    friend bool operator==(const point&, const point&) = default;
};

namespace detail {

/// Coordinates beyond this are refused: a product of two differences still fits, with room for sums.
inline constexpr double largest_coordinate = 1e150;

/// Sign of the sum of the products ±a·b, without rounding. Source: Shewchuk 1997, "Adaptive precision floating-point
/// arithmetic and fast robust geometric predicates", Grow-Expansion (figure 6).
class exact_sum {
public:
    void add_product(double a, double b) noexcept {
        const double high = a * b;
        add(std::fma(a, b, -high));  // what rounding took away
        add(high);
    }

    /// The components do not overlap and grow, so the last that is not zero decides.
    [[nodiscard]] double sign() const noexcept { return count_ == 0 ? 0.0 : parts_[count_ - 1]; }

private:
    void add(double value) noexcept {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const double sum = value + parts_[i];
            const double part = sum - value;
            const double lost = (value - (sum - part)) + (parts_[i] - part);
            value = sum;
            if (lost != 0) parts_[kept++] = lost;
        }
        if (value != 0) parts_[kept++] = value;
        count_ = kept;
    }

    std::array<double, 12> parts_{};
    std::size_t count_ = 0;
};

/// Positive when p is left of the way from a to b, negative when right of it, zero exactly on its line.
///
/// Exact as long as no product of two coordinates falls below the normal numbers (they do from about 1e-154 down).
/// Almost always the rounded determinant is large enough to be sure of its sign. Source of the bound: Shewchuk,
/// section 4.2.
[[nodiscard]] inline double side(point a, point b, point p) noexcept {
    constexpr double half_ulp = std::numeric_limits<double>::epsilon() / 2;
    constexpr double bound = (3 + 16 * half_ulp) * half_ulp;
    const double left = (a.x - p.x) * (b.y - p.y);
    const double right = (a.y - p.y) * (b.x - p.x);
    const double determinant = left - right;
    if (std::abs(determinant) > bound * (std::abs(left) + std::abs(right))) return determinant;
    exact_sum sum;
    sum.add_product(a.x, b.y);
    sum.add_product(-a.x, p.y);
    sum.add_product(-p.x, b.y);
    sum.add_product(-a.y, b.x);
    sum.add_product(a.y, p.x);
    sum.add_product(p.y, b.x);
    return sum.sign();
}

/// Twice the signed area of a closed ring, and what its terms add up to in size.
struct shoelace_sum {
    double twice = 0;
    double magnitude = 0;
};

/// In twice the working precision, rounded once: neither the first vertex nor the direction changes the size, so equal
/// rings tie. Relative to the first vertex, so what is far from the origin loses nothing.
/// Source: Ogita, Rump, Oishi 2005, "Accurate sum and dot product", Dot2, over differences kept with their rounding.
[[nodiscard]] inline shoelace_sum shoelace(std::span<const point> ring) noexcept {
    double high = 0;
    double low = 0;
    const auto add = [&](double v) {
        const double sum = high + v;
        const double part = sum - high;
        low += (high - (sum - part)) + (v - part);
        high = sum;
    };
    const auto add_product = [&](double a, double b) {
        const double product = a * b;
        add(product);
        low += std::fma(a, b, -product);
    };
    struct difference {
        double value, lost;
        difference(double a, double b) : value(a - b), lost(0) {
            const double part = value - a;
            lost = (a - (value - part)) - (b + part);
        }
    };
    double magnitude = 0;
    const point origin = ring[0];
    for (std::size_t i = 2; i + 1 < ring.size(); ++i) {
        const difference ax(ring[i - 1].x, origin.x);
        const difference ay(ring[i - 1].y, origin.y);
        const difference bx(ring[i].x, origin.x);
        const difference by(ring[i].y, origin.y);
        add_product(ax.value, by.value);
        add_product(-bx.value, ay.value);
        low += (ax.value * by.lost + ax.lost * by.value) - (bx.value * ay.lost + bx.lost * ay.value);
        magnitude += std::abs(ax.value * by.value) + std::abs(bx.value * ay.value);
    }
    return {high + low, magnitude};
}

/// Squared distance of p to the segment from a to b. Exact to a few units in the last place of the coordinates.
[[nodiscard]] inline double squared_distance(point p, point a, point b) noexcept {
    const double dx = b.x - a.x;
    const double dy = b.y - a.y;
    const double ax = p.x - a.x;
    const double ay = p.y - a.y;
    const double along = ax * dx + ay * dy;
    const double length2 = dx * dx + dy * dy;
    if (!(along > 0)) return ax * ax + ay * ay;  // a is nearest; so it is for an edge of no length
    if (along >= length2) {
        const double bx = p.x - b.x;
        const double by = p.y - b.y;
        return bx * bx + by * by;
    }
    const double t = along / length2;
    const double x = ax - t * dx;
    const double y = ay - t * dy;
    return x * x + y * y;
}

/// Squared distance to a closed ring's edges, or the first one that is not above `enough`.
[[nodiscard]] inline double squared_distance(point p, std::span<const point> ring, double enough) noexcept {
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < ring.size(); ++i) {
        const double d = squared_distance(p, ring[i - 1], ring[i]);
        if (d < best) best = d;
        if (best <= enough) break;
    }
    return best;
}

enum class place { outside, inside, boundary };

/// Where p is by the even-odd rule, exactly. O(vertices), nearly all of them decided by comparing coordinates.
[[nodiscard]] inline place locate(point p, std::span<const point> ring) noexcept {
    bool inside = false;
    for (std::size_t i = 1; i < ring.size(); ++i) {
        point low = ring[i - 1];
        point high = ring[i];
        if (high.y < low.y) std::swap(low, high);
        if (p.y < low.y || p.y > high.y) continue;
        const double left = low.x < high.x ? low.x : high.x;
        const double right = low.x < high.x ? high.x : low.x;
        if (p.x > right) continue;
        if (low.y == high.y) {
            if (p.x >= left) return place::boundary;
            continue;
        }
        if (p.x >= left) {
            const double s = side(low, high, p);
            if (s == 0) return place::boundary;
            if (s < 0) continue;
        }
        if (p.y < high.y) inside = !inside;  // a vertex belongs to the edge above it
    }
    return inside ? place::inside : place::outside;
}

}  // namespace detail
}  // namespace edge::geo
