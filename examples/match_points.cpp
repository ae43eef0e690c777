// SPDX-License-Identifier: MIT
// Which zone is each position in? The smallest one within ten metres counts.

#include <edge/geo.hpp>

#include <cstdio>

int main() {
    const std::vector<edge::geo::ring> rings{
        {{0, 0}, {200, 0}, {200, 120}, {0, 120}},          // the yard
        {{20, 20}, {60, 20}, {60, 50}, {20, 50}},          // a hall in it
        {{180, 100}, {260, 100}, {260, 180}, {180, 180}},  // a lot that overlaps its corner
    };
    const char* names[] = {"yard", "hall", "lot"};
    const auto zones = edge::geo::make_polygons(rings);
    const edge::geo::matcher near_zone{zones, {.max_distance = 10.0, .mode = edge::geo::match_mode::within_distance}};

    const std::vector<edge::geo::point> track{{-30, 5}, {5, 5}, {15, 30}, {40, 40}, {120, 60}, {190, 110}, {265, 150}};
    const auto match = near_zone.match(track);
    for (std::size_t i = 0; i < track.size(); ++i)
        std::printf("(%4.0f, %4.0f)  %s\n", track[i].x, track[i].y,
                    match[i] == edge::geo::no_match ? "-" : names[match[i]]);
}
