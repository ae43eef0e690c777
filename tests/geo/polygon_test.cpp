// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/geo/polygon.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

using edge::geo::point;
using edge::geo::polygon;
using edge::geo::ring;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
const ring unit_square{{0, 0}, {1, 0}, {1, 1}, {0, 1}};

ring moved(ring r, double dx, double dy, double scale = 1) {
    for (point& p : r) p = {p.x * scale + dx, p.y * scale + dy};
    return r;
}

/// A star-shaped ring: its corners go once round a centre.
ring random_ring(edge::splitmix64& random, point centre, double radius, int corners) {
    std::vector<double> angles;
    for (int i = 0; i < corners; ++i) angles.push_back(random.uniform(0, 6.28));
    std::sort(angles.begin(), angles.end());
    ring r;
    for (const double a : angles) {
        const double length = radius * random.uniform(0.3, 1);
        r.push_back({centre.x + length * std::cos(a), centre.y + length * std::sin(a)});
    }
    return r;
}

/// Inside by the winding angle: slow and rounded, but nothing like the code under test.
bool winds_around(const ring& r, point p) {
    double sum = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
        const point a = r[i];
        const point b = r[(i + 1) % r.size()];
        const double cross = (a.x - p.x) * (b.y - p.y) - (a.y - p.y) * (b.x - p.x);
        const double dot = (a.x - p.x) * (b.x - p.x) + (a.y - p.y) * (b.y - p.y);
        sum += std::atan2(cross, dot);
    }
    return std::abs(sum) > 3;
}

/// Nearest of many points along the edges, so never less than the distance.
double sampled_distance(const ring& r, point p, int samples) {
    double best = infinity;
    for (std::size_t i = 0; i < r.size(); ++i) {
        const point a = r[i];
        const point b = r[(i + 1) % r.size()];
        for (int k = 0; k <= samples; ++k) {
            const double t = static_cast<double>(k) / samples;
            best = (std::min)(best, std::hypot(a.x + t * (b.x - a.x) - p.x, a.y + t * (b.y - a.y) - p.y));
        }
    }
    return best;
}

std::string refusal(const ring& outer, const std::vector<ring>& holes = {}) {
    try {
        polygon p(outer, holes);
    } catch (const edge::argument_error& e) {
        return e.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("a polygon knows its area, centre and bounds", "[geo][polygon]") {
    const polygon p({{0, 0}, {40, 0}, {40, 30}, {0, 30}});
    CHECK(p.area() == 1200);
    CHECK(p.centre() == point{20, 15});
    CHECK(p.bounds().low == point{0, 0});
    CHECK(p.bounds().high == point{40, 30});
    CHECK(polygon({{0, 0}, {4, 0}, {0, 3}}).area() == 6);
    CHECK(polygon({{0, 0}, {4, 0}, {4, 1}, {1, 1}, {1, 4}, {0, 4}}).area() == 7);  // an L
}

TEST_CASE("the centre is the mean of the vertices, not of the area", "[geo][polygon]") {
    CHECK(polygon({{0, 0}, {2, 0}, {4, 0}, {4, 4}}).centre() == point{2.5, 1});
}

TEST_CASE("a vertex repeated at the end changes nothing", "[geo][polygon]") {
    const polygon open(unit_square);
    auto closed_ring = unit_square;
    closed_ring.push_back(closed_ring[0]);
    const polygon closed(closed_ring);
    CHECK(closed.area() == open.area());
    CHECK(closed.centre() == open.centre());
    CHECK(closed.ring_vertices(0).size() == 4);
    CHECK(closed.closed_ring(0).size() == 5);
}

TEST_CASE("a copy far away has the same area", "[geo][polygon]") {
    for (const double far : {1e6, 1e9, -3e12}) {
        const ring r{{0, 0}, {8, 0.5}, {9.25, 7}, {1, 6.75}};  // multiples of 1/4: moved without rounding
        CHECK(polygon(moved(r, far, -far)).area() == polygon(r).area());
        CHECK(polygon(moved(r, far, far)).centre() == point{4.5625 + far, 3.5625 + far});
    }
}

TEST_CASE("the area depends neither on the first vertex nor on the direction", "[geo][polygon]") {
    edge::splitmix64 random(11);
    for (int round = 0; round < 200; ++round) {
        ring r = random_ring(random, {random.uniform(-1e6, 1e6), random.uniform(-10, 10)}, random.uniform(0.1, 100), 9);
        const double area = polygon(r).area();
        for (std::size_t i = 0; i < r.size(); ++i) {
            std::rotate(r.begin(), r.begin() + 1, r.end());
            REQUIRE(polygon(r).area() == area);
            REQUIRE(polygon(ring(r.rbegin(), r.rend())).area() == area);
        }
    }
}

TEST_CASE("what is no polygon is refused, and the message says why", "[geo][polygon]") {
    CHECK(refusal({}) == "outer ring has 0 vertices; expected at least 3");
    CHECK(refusal({{0, 0}, {1, 1}}) == "outer ring has 2 vertices; expected at least 3");
    CHECK(refusal({{0, 0}, {1, 1}, {0, 0}}) == "outer ring has 2 vertices; expected at least 3");
    CHECK(refusal({{0, 0}, {1, not_a_number}, {0, 1}}) ==
          "outer ring, vertex 1: (1, nan); expected finite coordinates within 1e150");
    CHECK(refusal({{0, 0}, {1, 0}, {-infinity, 1}}) ==
          "outer ring, vertex 2: (-inf, 1); expected finite coordinates within 1e150");
    CHECK(refusal({{0, 0}, {1e200, 0}, {0, 1e200}}) ==
          "outer ring, vertex 1: (1e+200, 0); expected finite coordinates within 1e150");
    CHECK(refusal({{1, 1}, {1, 1}, {1, 1}, {1, 1}}) == "outer ring of 3 vertices has no area");
    CHECK(refusal({{0, 0}, {1, 1}, {2, 2}}) == "outer ring of 3 vertices has no area");
    CHECK(refusal({{0, 0}, {0.1, 0.2}, {0.3, 0.6}}) ==
          "outer ring of 3 vertices has no area");  // on a line but for rounding
    CHECK(refusal({{0, 0}, {1, 1}, {1, 0}, {0, 1}}) == "outer ring of 4 vertices has no area");  // a bow tie
    CHECK(refusal({{0, 0}, {1e-200, 0}, {0, 1e-200}}) == "outer ring of 3 vertices has no area");
    CHECK(refusal(unit_square, {{{0, 0}, {1, 0}}}) == "hole 0 has 2 vertices; expected at least 3");
    CHECK(refusal(unit_square, {unit_square}) == "its holes leave no area (0)");
    CHECK(refusal({{-1e150, -1e150}, {1e150, -1e150}, {1e150, 1e150}, {-1e150, 1e150}}) == "accepted");

    const std::vector<ring> rings{unit_square, {{0, 0}, {1, 0}, {not_a_number, 1}}, {}};
    CHECK_THROWS_WITH(edge::geo::make_polygons(rings),
                      "polygon 1: outer ring, vertex 2: (nan, 1); expected finite coordinates within 1e150");
    CHECK(edge::geo::make_polygons(std::span(rings).first(1)).size() == 1);
}

TEST_CASE("the boundary belongs to a polygon", "[geo][polygon]") {
    const polygon p({{0, 0}, {4, 0}, {4, 4}, {2, 2}, {0, 4}});
    for (const point on : {point{0, 0}, {4, 4}, {2, 2}, {2, 0}, {0, 3}, {3, 3}, {1, 3}, {4, 1}}) {
        CHECK(p.contains(on));
        CHECK(p.distance(on) == 0);
    }
    for (const point in : {point{1, 1}, {2, 1.99}, {3, 2}, {1, 2}}) CHECK(p.contains(in));
    for (const point out : {point{2, 3}, {-1, 0}, {5, 0}, {5, 4}, {-1, 4}, {2, 4}, {2, -1e-300}, {4.0000001, 2}})
        CHECK_FALSE(p.contains(out));
    CHECK_FALSE(p.contains({not_a_number, 1}));
    CHECK_FALSE(p.contains({1, not_a_number}));
    CHECK_FALSE(p.contains({infinity, 1}));
}

TEST_CASE("a ray through vertices and along edges is counted once", "[geo][polygon]") {
    // A comb whose teeth, valleys and flats all lie on the heights asked about.
    const polygon p({{0, 0}, {8, 0}, {8, 2}, {7, 1}, {6, 2}, {5, 1}, {4, 1}, {3, 2}, {2, 2}, {1, 1}, {1, 2}, {0, 1}});
    CHECK(p.contains({0.5, 1}));
    CHECK(p.contains({1.5, 1}));
    CHECK(p.contains({2.5, 1}));
    CHECK_FALSE(p.contains({-0.5, 1}));
    CHECK_FALSE(p.contains({-0.5, 0}));
    CHECK_FALSE(p.contains({-0.5, 2}));
    CHECK_FALSE(p.contains({0.5, 2}));
    CHECK(p.contains({2.5, 2}));
    CHECK_FALSE(p.contains({5, 2}));
    CHECK_FALSE(p.contains({8.5, 1}));
    CHECK(p.contains({7.5, 1.25}));
    CHECK_FALSE(p.contains({4.5, 1.5}));
}

TEST_CASE("inside agrees with the winding number, away from the boundary", "[geo][polygon]") {
    edge::splitmix64 random(5);
    for (int round = 0; round < 100; ++round) {
        const double scale = std::pow(10.0, random.uniform(-6, 6));
        const point centre{random.uniform(-9, 9) * scale, random.uniform(-9, 9) * scale};
        const ring r = random_ring(random, centre, scale, 3 + static_cast<int>(random.below(20)));
        const polygon p(r);
        for (int i = 0; i < 200; ++i) {
            const point q{centre.x + random.uniform(-1.2, 1.2) * scale, centre.y + random.uniform(-1.2, 1.2) * scale};
            const double d = sampled_distance(r, q, 50);
            if (d < 1e-9 * scale) continue;
            CAPTURE(round, i, q.x, q.y);
            REQUIRE(p.contains(q) == winds_around(r, q));
            if (p.contains(q)) {
                REQUIRE(p.distance(q) == 0);
            } else {
                REQUIRE(p.distance(q) <= d * (1 + 1e-12));
                REQUIRE(p.distance(q) == Approx(d).margin(0.05 * scale));
            }
        }
    }
}

TEST_CASE("polygons that share an edge leave no gap and no double inside", "[geo][polygon]") {
    // Two triangles on either side of a slanted edge; the points lie within a few ulps of it.
    const point a{0.1, 0.2};
    const point b{12.3, 17.9};
    const polygon left({a, b, {-20, 30}});
    const polygon right({a, b, {30, -20}});
    edge::splitmix64 random(8);
    int both = 0;
    for (int i = 0; i < 20000; ++i) {
        const double t = random.uniform();
        point p{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
        for (int k = static_cast<int>(random.below(4)); k > 0; --k) p.x = std::nextafter(p.x, 100.0);
        for (int k = static_cast<int>(random.below(4)); k > 0; --k) p.y = std::nextafter(p.y, 100.0);
        REQUIRE((left.contains(p) || right.contains(p)));
        both += left.contains(p) && right.contains(p) ? 1 : 0;
    }
    CHECK(both < 20000 / 2);  // only what is exactly on the edge
}

TEST_CASE("the side of a line is exact", "[geo][planar]") {
    // Multiples of 2^-53 next to the line through (12, 12) and (24, 24): rounding alone says anything here.
    // Source of the example: Kettner, Mehlhorn, Pion, Schirra, Yap 2008, "Classroom examples of robustness problems".
    __extension__ using wide = __int128;
    const auto scaled = [](double v) { return static_cast<wide>(v * 0x1p53); };
    const point a{12, 12};
    const point b{24, 24};
    for (int i = 0; i < 64; ++i)
        for (int k = 0; k < 64; ++k) {
            const point p{0.5 + i * 0x1p-53, 0.5 + k * 0x1p-53};
            const wide exact = (scaled(a.x) - scaled(p.x)) * (scaled(b.y) - scaled(p.y)) -
                               (scaled(a.y) - scaled(p.y)) * (scaled(b.x) - scaled(p.x));
            const double got = edge::geo::detail::side(a, b, p);
            REQUIRE((got > 0) == (exact > 0));
            REQUIRE((got < 0) == (exact < 0));
            const double turned = edge::geo::detail::side(b, a, p);
            REQUIRE((turned > 0) == (exact < 0));
        }
}

TEST_CASE("a hole is outside, its rim is not", "[geo][polygon]") {
    const polygon p({{0, 0}, {10, 0}, {10, 10}, {0, 10}}, {{{2, 2}, {8, 2}, {8, 8}, {2, 8}}});
    CHECK(p.area() == 64);
    CHECK(p.rings() == 2);
    CHECK(p.contains({1, 1}));
    CHECK(p.contains({2, 5}));
    CHECK_FALSE(p.contains({5, 5}));
    CHECK(p.distance({5, 4}) == 2);
    CHECK(p.distance({12, 5}) == 2);
    CHECK(p.centre() == point{5, 5});
}

TEST_CASE("distance is to the nearest edge or corner", "[geo][polygon]") {
    const polygon p(unit_square);
    CHECK(p.distance({0.5, 3}) == 2);
    CHECK(p.distance({4, 5}) == 5);
    CHECK(p.distance({-3, -4}) == 5);
    CHECK(p.distance({1.0 / 3, -10}) == 10);
    CHECK(std::isnan(p.distance({not_a_number, 0})));
    CHECK(p.distance({infinity, 0}) == infinity);
    const polygon far(moved(unit_square, 1e9, 1e9));
    CHECK(far.distance({1e9 - 3, 1e9 + 0.5}) == 3);
    // Repeated and collinear vertices add nothing.
    const polygon odd({{0, 0}, {0, 0}, {0.5, 0}, {1, 0}, {1, 1}, {1, 1}, {0, 1}});
    CHECK(odd.area() == 1);
    CHECK(odd.distance({4, 5}) == 5);
    CHECK(odd.contains({0.5, 0.5}));
    CHECK(odd.contains({0, 0}));
}
