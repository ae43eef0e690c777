// SPDX-License-Identifier: MIT
// Points to polygons: the grid against trying every polygon, smallest first, behind a test of its bounds.

#include <edge/core/random.hpp>
#include <edge/geo.hpp>
#include <edge/perf.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace {

using edge::index_t;
using edge::geo::point;
using edge::geo::polygon;

/// Twelve-sided, of sizes that differ by a factor of ten; they cover the square about twice.
std::vector<polygon> zones(std::size_t count, double side) {
    edge::splitmix64 random(1);
    const double typical = side / std::sqrt(static_cast<double>(count));
    std::vector<polygon> result;
    for (std::size_t i = 0; i < count; ++i) {
        const point centre{random.uniform(0, side), random.uniform(0, side)};
        const double radius = typical * std::pow(10.0, random.uniform(-0.7, 0.3));
        edge::geo::ring r;
        for (int k = 0; k < 12; ++k) {
            const double length = radius * random.uniform(0.7, 1);
            r.push_back({centre.x + length * std::cos(k * 0.5236), centre.y + length * std::sin(k * 0.5236)});
        }
        result.emplace_back(r);
    }
    return result;
}

std::vector<index_t> all_pairs(const std::vector<polygon>& polygons, const std::vector<point>& points, double reach) {
    std::vector<std::size_t> order(polygons.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return polygons[a].area() < polygons[b].area(); });
    std::vector<index_t> result(points.size(), edge::geo::no_match);
    for (std::size_t i = 0; i < points.size(); ++i)
        for (const std::size_t k : order) {
            const auto& b = polygons[k].bounds();
            const point p = points[i];
            if (p.x < b.low.x - reach || p.x > b.high.x + reach || p.y < b.low.y - reach || p.y > b.high.y + reach)
                continue;
            if (polygons[k].distance(p) > reach) continue;
            result[i] = static_cast<index_t>(k);
            break;
        }
    return result;
}

void compare(std::size_t polygon_count, std::size_t point_count, int threads) {
    constexpr double side = 10000;
    constexpr double reach = 10;
    const auto polygons = zones(polygon_count, side);
    std::vector<point> points(point_count);
    edge::splitmix64 random(2);
    for (point& p : points) p = {random.uniform(0, side), random.uniform(0, side)};
    const edge::geo::matcher ready(
        polygons, {.max_distance = reach, .mode = edge::geo::match_mode::within_distance, .threads = threads});

    using edge::perf::who;
    const auto r = edge::perf::compare(
        {.job = edge::message("match to ", polygon_count, " polygons"), .n = point_count, .threads = threads},
        std::tuple(),  //
        who{"all pairs", [&] { return all_pairs(polygons, points, reach); }},
        who{"edge, with building", [&] { return edge::geo::matcher(polygons, ready.options()).match(points); }},
        who{"edge", [&] { return ready.match(points); }});
    std::fputs(r.table().c_str(), stderr);
    std::fputs(r.json_lines().c_str(), stdout);
}

}  // namespace

int main() {
    for (const int threads : {1, 2}) {
        compare(20, 20'000, threads);
        compare(1'000, 20'000, threads);
        compare(20'000, 2'000, threads);
    }
}
