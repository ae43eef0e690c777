// SPDX-License-Identifier: MIT
#pragma once

/// @file GeoJSON: named polygons from a FeatureCollection.
///
///     for (const zone& z : read_geojson("zones.geojson")) std::cout << z.name << ' ' << z.shape.area() << '\n';
///
/// Every feature must be a Polygon, with holes or without; anything else is refused by the index of its feature.
/// Coordinates are taken as plain numbers. Source: RFC 7946, sections 3.1.6, 3.2 and 3.3.

#include <edge/core/file.hpp>
#include <edge/geo/polygon.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

struct zone {
    std::string name;  ///< property "name" where it is a text, else "zone N"
    edge::geo::polygon shape;
};

namespace geojson {

using nlohmann::json;

inline constexpr int deepest = 64;  ///< levels of brackets; a Polygon needs 8

/// @param where  begins the messages, as "zones.geojson: feature 3"
inline edge::geo::ring ring_from(const json& positions, const std::string& where) {
    if (!positions.is_array()) throw edge::parse_error(where + " is not an array of positions");
    edge::geo::ring ring;
    ring.reserve(positions.size());
    for (const json& position : positions) {
        if (!position.is_array() || position.size() < 2 || !position[0].is_number() || !position[1].is_number())
            throw edge::parse_error(
                edge::message(where, ", position ", ring.size(), " is not an array of two numbers"));
        ring.push_back({position[0].get<double>(), position[1].get<double>()});
    }
    return ring;
}

inline edge::geo::polygon polygon_from(const json& feature, const std::string& where) {
    const auto text = [](const json& object, const char* key) {
        const auto found = object.find(key);
        return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (!feature.is_object() || text(feature, "type") != "Feature")
        throw edge::parse_error(where + " is not a Feature");
    const auto geometry = feature.find("geometry");
    if (geometry == feature.end() || !geometry->is_object())
        throw edge::parse_error(where + " has no geometry; expected a Polygon");
    if (const auto type = text(*geometry, "type"); type != "Polygon")
        throw edge::unsupported_error(
            edge::message(where, ": geometry is ", json(type).dump(), "; expected \"Polygon\""));
    const auto rings = geometry->find("coordinates");
    if (rings == geometry->end() || !rings->is_array() || rings->empty())
        throw edge::parse_error(where + ": coordinates are not an array of rings");
    const auto outer = ring_from((*rings)[0], where + ": ring 0");
    std::vector<edge::geo::ring> holes;
    for (std::size_t i = 1; i < rings->size(); ++i)
        holes.push_back(ring_from((*rings)[i], edge::message(where, ": ring ", i)));
    try {
        return edge::geo::polygon(outer, holes);
    } catch (const edge::argument_error& e) {
        throw edge::argument_error(edge::message(where, ": ", e.what()));
    }
}

}  // namespace geojson

/// @param source  what messages call the text
/// @throws edge::parse_error, unsupported_error, argument_error  with the index of the feature, from 0
[[nodiscard]] inline std::vector<zone> parse_geojson(std::string_view text, const std::string& source) {
    using nlohmann::json;
    json document;
    try {
        const auto bounded = [&](int depth, json::parse_event_t, json&) {
            if (depth > geojson::deepest)
                throw edge::parse_error(edge::message(source, ": nested deeper than ", geojson::deepest, " levels"));
            return true;
        };
        document = json::parse(text.begin(), text.end(), bounded);
    } catch (const json::exception& e) {
        std::string_view why = e.what();  // begins with "[json.exception.…] "
        if (const auto at = why.find("] "); at != why.npos) why.remove_prefix(at + 2);
        throw edge::parse_error(edge::message(source, ": ", why));
    }
    const auto type = document.is_object() ? document.value("type", json()) : json();
    if (type != "FeatureCollection") throw edge::parse_error(source + ": is not a GeoJSON FeatureCollection");
    const auto features = document.find("features");
    if (features == document.end() || !features->is_array())
        throw edge::parse_error(source + ": its features are not an array");

    std::vector<zone> zones;
    zones.reserve(features->size());
    for (const json& feature : *features) {
        std::string name = edge::message("zone ", zones.size());
        std::string where = edge::message(source, ": feature ", zones.size());
        if (feature.is_object())
            if (const auto properties = feature.find("properties");
                properties != feature.end() && properties->is_object())
                if (const auto given = properties->find("name"); given != properties->end() && given->is_string()) {
                    name = given->get<std::string>();
                    where += " (" + given->dump() + ")";
                }
        zones.push_back({std::move(name), geojson::polygon_from(feature, where)});
    }
    return zones;
}

/// @param path  "-" for standard input
[[nodiscard]] inline std::vector<zone> read_geojson(const std::string& path) {
    if (path != "-") return parse_geojson(edge::read_text_file(path), path);
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    return parse_geojson(text, "standard input");
}
