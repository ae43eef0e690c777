// SPDX-License-Identifier: MIT
// Any bytes are read as GeoJSON or refused with an error of edge, and what was read can be matched.

#include <edge/geo/matcher.hpp>

#include "common/geojson.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto zones = parse_geojson({reinterpret_cast<const char*>(data), size}, "input");
        std::vector<edge::geo::polygon> shapes;
        for (const zone& z : zones) shapes.push_back(z.shape);
        const edge::geo::matcher nearby(shapes, {.max_distance = 1});
        const edge::geo::matcher around(shapes, {.mode = edge::geo::match_mode::contains});
        for (const auto& shape : shapes) {
            if (nearby.match(shape.centre()) == edge::geo::no_match) std::abort();
            for (const auto vertex : shape.ring_vertices(0))
                if (!shape.contains(vertex) || around.match(vertex) == edge::geo::no_match) std::abort();
        }
    } catch (const edge::error&) {
    }
    return 0;
}
