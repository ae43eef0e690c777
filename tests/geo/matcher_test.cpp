// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/geo.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>

using edge::index_t;
using edge::geo::match_mode;
using edge::geo::matcher;
using edge::geo::matcher_options;
using edge::geo::no_match;
using edge::geo::point;
using edge::geo::polygon;
using edge::geo::ring;

namespace {

polygon rectangle(double x, double y, double w, double h) {
    return polygon(ring{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}});
}

/// What the matcher says it does, in the fewest lines.
index_t slow_match(const std::vector<polygon>& polygons, point p, const matcher_options& o) {
    index_t best = no_match;
    for (std::size_t i = 0; i < polygons.size(); ++i) {
        const polygon& q = polygons[i];
        const double x = p.x - q.centre().x;
        const double y = p.y - q.centre().y;
        const bool fits = o.mode == match_mode::contains          ? q.contains(p)
                          : o.mode == match_mode::within_distance ? q.distance(p) <= o.max_distance
                                                                  : std::sqrt(x * x + y * y) <= o.max_distance;
        if (fits && (best == no_match || q.area() < polygons[static_cast<std::size_t>(best)].area()))
            best = static_cast<index_t>(i);
    }
    return best;
}

void compare_with_slow(const std::vector<polygon>& polygons, const std::vector<point>& points,
                       const matcher_options& o) {
    CAPTURE(polygons.size(), o.max_distance, static_cast<int>(o.mode));
    const auto got = matcher(polygons, o).match(points);
    REQUIRE(got.size() == points.size());
    for (std::size_t i = 0; i < points.size(); ++i)
        if (got[i] != slow_match(polygons, points[i], o)) {
            CAPTURE(i, points[i].x, points[i].y);
            REQUIRE(got[i] == slow_match(polygons, points[i], o));
        }
}

polygon random_polygon(edge::splitmix64& random, point centre, double radius) {
    const auto corners = 3 + random.below(12);
    ring r;
    for (std::uint64_t i = 0; i < corners; ++i) {
        const double angle = 6.283 * (static_cast<double>(i) + random.uniform(0, 0.9)) / static_cast<double>(corners);
        const double length = radius * random.uniform(0.2, 1);
        r.push_back({centre.x + length * std::cos(angle), centre.y + length * std::sin(angle)});
    }
    return polygon(r);
}

}  // namespace

TEST_CASE("the smallest polygon within reach is the match", "[geo][matcher]") {
    const std::vector<polygon> polygons{rectangle(0, 0, 100, 100), rectangle(10, 10, 20, 20), rectangle(200, 0, 5, 5)};
    const matcher m{polygons, {.max_distance = 10.0, .mode = match_mode::within_distance}};
    CHECK(m.match({50, 50}) == 0);
    CHECK(m.match({15, 15}) == 1);
    CHECK(m.match({40, 30}) == 1);    // inside the large one, 10 from the small one
    CHECK(m.match({40.5, 30}) == 0);  // 10.5 from the small one
    CHECK(m.match({195, 2}) == 2);
    CHECK(m.match({150, 50}) == no_match);
    CHECK(m.match({110, 50}) == 0);
    CHECK(m.match({111, 50}) == no_match);
    const std::vector<double> x{50, 15, 150};
    const std::vector<double> y{50, 15, 50};
    CHECK(m.match(x, y) == std::vector<index_t>{0, 1, no_match});
    CHECK_THROWS_AS(m.match(x, std::span(y).first(2)), edge::shape_error);
    std::vector<index_t> places(2);
    CHECK_THROWS_AS(m.match(std::vector<point>(3), places), edge::shape_error);

    const matcher inside{polygons, {.max_distance = 10.0, .mode = match_mode::contains}};
    CHECK(inside.match({40, 30}) == 0);
    CHECK(inside.match({195, 2}) == no_match);
    CHECK(inside.match({200, 5}) == 2);
}

TEST_CASE("near is measured from the mean of the vertices", "[geo][matcher]") {
    const std::vector<polygon> polygons{rectangle(0, 0, 100, 100), rectangle(46, 46, 4, 4), rectangle(200, 0, 5, 5)};
    const matcher m(polygons, {.max_distance = 10});
    CHECK(m.match({53, 54}) == 1);
    CHECK(m.match({54, 56}) == 1);         // 10 from the centre of the small one, exactly
    CHECK(m.match({58, 50}) == 0);         // 10.2 from it, 8 from the large one's
    CHECK(m.match({15, 15}) == no_match);  // inside, but far from the centre
    CHECK(m.match({195, 2.5}) == 2);       // outside, but near
    CHECK(matcher(polygons).options().max_distance == 10);
    CHECK(matcher(polygons, {.max_distance = 0}).match({48, 48}) == 1);
    CHECK(matcher(polygons, {.max_distance = 0}).match({48, 48.001}) == no_match);
    const std::vector<polygon> one{rectangle(0, 0, 1, 1)};
    CHECK(matcher(one, {.max_distance = 0}).match({0.5, 0.5}) == 0);
}

TEST_CASE("equal areas go to the lowest index", "[geo][matcher]") {
    std::vector<polygon> polygons{rectangle(-50, -50, 100, 100)};
    for (int i = 0; i < 5; ++i) polygons.push_back(rectangle(0, 0, 4, 4));
    polygons.push_back(rectangle(2, 2, 4, 4));
    polygons.push_back(polygon(ring{{4, 4}, {0, 4}, {0, 0}, {4, 0}}));
    const matcher m(polygons, {.mode = match_mode::contains});
    CHECK(m.match({3, 3}) == 1);
    CHECK(m.match({5, 5}) == 6);
    CHECK(m.match({-3, 3}) == 0);
    // Decimal fractions, the same ring from another vertex and the other way round: still equal.
    const ring r{{0.1, 0.7}, {12.3, 0.9}, {11.7, 5.3}, {0.3, 6.1}};
    const std::vector<polygon> turned{polygon(ring{r[2], r[1], r[0], r[3]}), polygon(r),
                                      polygon(ring{r[1], r[2], r[3], r[0]})};
    CHECK(matcher(turned, {.mode = match_mode::contains}).match({5, 3}) == 0);
}

TEST_CASE("nothing to match gives nothing", "[geo][matcher]") {
    CHECK(matcher({}).match({0, 0}) == no_match);
    CHECK(matcher({}).match(std::vector<point>{}).empty());
    const std::vector<polygon> polygons{rectangle(0, 0, 1, 1)};
    const matcher m(polygons, {.max_distance = 1e150, .mode = match_mode::within_distance});
    constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const point p :
         {point{not_a_number, 0}, {0, not_a_number}, {not_a_number, not_a_number}, {infinity, 0}, {0, -infinity}})
        CHECK(m.match(p) == no_match);
    CHECK(m.match({1e149, -1e149}) == 0);
    CHECK(m.match({1e200, 0}) == no_match);
}

TEST_CASE("options out of range are refused", "[geo][matcher]") {
    const std::vector<polygon> polygons{rectangle(0, 0, 1, 1)};
    CHECK_THROWS_WITH(matcher(polygons, {.max_distance = -1, .mode = match_mode::within_distance}),
                      "max_distance -1; expected 0 to 1e150");
    CHECK_THROWS_AS(matcher(polygons, {.max_distance = std::nan(""), .mode = match_mode::within_distance}),
                    edge::argument_error);
    CHECK_THROWS_AS(matcher(polygons, {.max_distance = 1e151, .mode = match_mode::within_distance}),
                    edge::argument_error);
}

TEST_CASE("the grid agrees with the definition on random polygons", "[geo][matcher]") {
    const auto seed = GENERATE(range(1U, 7U));
    CAPTURE(seed);
    edge::splitmix64 random(seed);
    const point offset = seed % 2 == 0 ? point{1e9, -1e9} : point{0, 0};
    const double scale = seed % 3 == 0 ? 1e-3 : 1;
    std::vector<polygon> polygons;
    for (int i = 0; i < 150; ++i) {
        const double radius = scale * std::pow(10.0, random.uniform(-1, 2));
        polygons.push_back(random_polygon(
            random, {offset.x + scale * random.uniform(-300, 300), offset.y + scale * random.uniform(-100, 100)},
            radius));
    }
    std::vector<point> points;
    for (int i = 0; i < 1500; ++i)
        points.push_back({offset.x + scale * random.uniform(-400, 400), offset.y + scale * random.uniform(-200, 200)});
    for (const polygon& p : polygons) points.push_back(p.centre());
    for (const polygon& p : polygons) points.push_back(p.ring_vertices(0)[0]);
    for (const double reach : {0.0, 0.3, 10.0, 1000.0}) {
        compare_with_slow(polygons, points, {.max_distance = reach * scale, .mode = match_mode::within_distance});
        compare_with_slow(polygons, points, {.max_distance = reach * scale, .mode = match_mode::contains});
        compare_with_slow(polygons, points, {.max_distance = reach * scale});
    }
}

TEST_CASE("the grid agrees with the definition where everything touches", "[geo][matcher]") {
    // Rectangles and triangles with corners on a 12 x 12 lattice: shared edges, nesting, identical ones, equal areas.
    const point offset = GENERATE(point{0, 0}, point{1e9, 1e9}, point{-0.5, 1e6});
    edge::splitmix64 random(99);
    const auto lattice = [&] { return static_cast<double>(random.below(12)); };
    std::vector<polygon> polygons;
    while (polygons.size() < 120) {
        ring r{{lattice(), lattice()}, {lattice(), lattice()}, {lattice(), lattice()}};
        if (random.below(2) == 0) r = {r[0], {r[1].x, r[0].y}, r[1], {r[0].x, r[1].y}};
        for (point& p : r) p = {p.x + offset.x, p.y + offset.y};
        try {
            polygons.emplace_back(r);
        } catch (const edge::argument_error&) {  // some lie on one line
        }
    }
    std::vector<point> points;
    for (int x = -6; x <= 30; ++x)
        for (int y = -6; y <= 30; ++y) points.push_back({offset.x + x / 2.0, offset.y + y / 2.0});
    for (const double reach : {0.0, 0.5, 1.0, 2.5})
        for (const auto mode : {match_mode::near_centre, match_mode::within_distance})
            compare_with_slow(polygons, points, {.max_distance = reach, .mode = mode});
    compare_with_slow(polygons, points, {.mode = match_mode::contains});
}

TEST_CASE("a polygon is found at exactly the distance asked for", "[geo][matcher]") {
    for (const double size : {1.0, 0.1, 1e-7, 3e5})
        for (const double reach : {10.0, 0.7, 1e-9, 12345.678}) {
            const std::vector<polygon> polygons{rectangle(0, 0, size, size)};
            const matcher m(polygons, {.max_distance = reach, .mode = match_mode::within_distance});
            for (const point p : {point{-reach, size / 2}, {size / 2, -reach}, {-reach * 0.6, -reach * 0.8}}) {
                const double d = polygons[0].distance(p);
                CHECK((m.match(p) == 0) == (d <= reach));
                CHECK((matcher(polygons, {.max_distance = d, .mode = match_mode::within_distance}).match(p) == 0));
                CHECK((matcher(polygons, {.max_distance = std::nextafter(d, 0.0), .mode = match_mode::within_distance})
                           .match(p) == no_match));
            }
            CHECK(m.match({-reach, size / 2}) == 0);
        }
}

TEST_CASE("the answers do not depend on the number of threads", "[geo][matcher]") {
    edge::splitmix64 random(4);
    std::vector<polygon> polygons;
    for (int i = 0; i < 300; ++i)
        polygons.push_back(random_polygon(random, {random.uniform(0, 1000), random.uniform(0, 1000)}, 40));
    std::vector<point> points(30000);
    for (point& p : points) p = {random.uniform(-50, 1050), random.uniform(-50, 1050)};
    const auto want =
        matcher(polygons, {.max_distance = 5, .mode = match_mode::within_distance, .threads = 1}).match(points);
    for (const int threads : {2, 3, 8})
        CHECK(matcher(polygons, {.max_distance = 5, .mode = match_mode::within_distance, .threads = threads})
                  .match(points) == want);
    CHECK_THROWS_AS(matcher(polygons, {.threads = -1}).match(points), edge::argument_error);
}

TEST_CASE("no extents make the grid large or wrong", "[geo][matcher]") {
    // Would need 10^30 cells at the size of the small ones, or 4e8 entries of those that cover everything.
    std::vector<polygon> polygons;
    edge::splitmix64 random(12);
    for (int i = 0; i < 3000; ++i) {
        const double half = 1e6 + i;
        polygons.push_back(rectangle(-half, -half, 2 * half, 2 * half));
    }
    polygons.push_back(rectangle(-1e15, 3, 1, 1e-3));
    polygons.push_back(rectangle(1e15, -1e15, 1, 1));
    polygons.push_back(rectangle(5, 5, 1e-6, 1e-6));
    polygons.push_back(rectangle(-1e9, 0, 2e9, 1e-9));
    std::vector<point> points{{5, 5},     {5 + 5e-7, 5 + 5e-7}, {0, 5e-10},  {0, 0},
                              {-1e15, 3}, {1e15, -1e15},        {1e6 + 2, 0}};
    for (int i = 0; i < 40; ++i) points.push_back({random.uniform(-2e6, 2e6), random.uniform(-2e6, 2e6)});
    for (const double reach : {0.0, 1e-3, 1e3, 1e20, 1e150})
        for (const auto mode : {match_mode::near_centre, match_mode::within_distance})
            compare_with_slow(polygons, points, {.max_distance = reach, .mode = mode});

    // As thin as numbers allow, alone.
    for (const auto& [w, h] : {std::pair{1e-300, 1e140}, std::pair{1e140, 1e-300}, std::pair{1e150, 1e150}}) {
        const std::vector<polygon> one{polygon(ring{{0, 0}, {w, 0}, {w, h}, {0, h}})};
        compare_with_slow(one, {{0, 0}, {w, h}, {w / 2, h / 2}, {-1, -1}, {w, 2 * h}},
                          {.max_distance = 0, .mode = match_mode::within_distance});
        compare_with_slow(one, {{0, 0}, {w, h}, {w / 2, h / 2}, {-1, -1}, {w, 2 * h}},
                          {.max_distance = 2, .mode = match_mode::within_distance});
    }
}

TEST_CASE("holes are left out of a match, but for their rims", "[geo][matcher]") {
    const std::vector<polygon> polygons{
        polygon({{0, 0}, {100, 0}, {100, 100}, {0, 100}}),
        polygon({{10, 10}, {90, 10}, {90, 90}, {10, 90}}, {{{20, 20}, {80, 20}, {80, 80}, {20, 80}}})};
    const std::vector<point> points{{50, 50}, {15, 15}, {20, 50}, {22, 50}, {30, 50}, {5, 5}};
    CHECK(matcher(polygons, {.mode = match_mode::contains}).match(points) == std::vector<index_t>{0, 1, 1, 0, 0, 0});
    CHECK(matcher(polygons, {.max_distance = 2, .mode = match_mode::within_distance}).match(points) ==
          std::vector<index_t>{0, 1, 1, 1, 0, 0});
    compare_with_slow(polygons, points, {.max_distance = 3, .mode = match_mode::within_distance});
}
