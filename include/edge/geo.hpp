// SPDX-License-Identifier: MIT
#pragma once

/// @file Places: polygons in the plane, and which of them a point belongs to.
///
///     std::vector<edge::geo::polygon> zones{edge::geo::polygon({{0, 0}, {40, 0}, {40, 30}, {0, 30}}),
///                                           edge::geo::polygon({{5, 5}, {9, 5}, {9, 9}})};
///     edge::geo::matcher m{zones, {.max_distance = 10.0}};
///     auto best = m.match(points);                          // the smallest zone near each point, or none
///
/// polygon.hpp   area, centre, contains, distance
/// matcher.hpp   many points against many polygons, by a grid

#include <edge/geo/matcher.hpp>
#include <edge/geo/polygon.hpp>
