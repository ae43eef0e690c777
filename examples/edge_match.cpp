// SPDX-License-Identifier: MIT
// Points to polygons: for each point of a CSV file the smallest polygon of a GeoJSON file that is near it.

#include <edge/frame/csv.hpp>
#include <edge/geo.hpp>

#include "common/geojson.hpp"
#include "common/numbers.hpp"
#include "common/program.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace {

using edge::frame::column;
using edge::geo::match_mode;

edge::frame::table read_points(const std::string& path) {
    if (path != "-") return edge::frame::read_csv(path);
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    return edge::frame::parse_csv(text, "standard input");
}

/// The names of the columns that hold the points: x and y, else lon and lat.
std::pair<std::string, std::string> point_columns(const edge::frame::table& points, const std::string& source) {
    for (const auto& names : {std::pair<std::string, std::string>("x", "y"), {"lon", "lat"}})
        if (points.has(names.first) && points.has(names.second)) return names;
    std::string there;
    for (const auto& name : points.names()) there += (there.empty() ? "" : ", ") + name;
    throw edge::argument_error(source + ": columns are " + there + "; expected x and y, or lon and lat");
}

/// point, polygon, area; the last two are missing where there is no match.
edge::frame::table as_table(const std::vector<edge::index_t>& match, const std::vector<zone>& zones) {
    std::vector<std::int64_t> point(match.size());
    std::vector<std::int64_t> polygon(match.size());
    std::vector<double> area(match.size());
    std::vector<bool> found(match.size());
    for (std::size_t i = 0; i < match.size(); ++i) {
        point[i] = static_cast<std::int64_t>(i);
        found[i] = match[i] != edge::geo::no_match;
        if (!found[i]) continue;
        polygon[i] = match[i];
        area[i] = zones[static_cast<std::size_t>(match[i])].shape.area();
    }
    edge::frame::table t;
    t.add("point", column(std::move(point)));
    t.add("polygon", column(std::move(polygon), found));
    t.add("area", column(std::move(area), found));
    return t;
}

}  // namespace

int main(int argc, char** argv) {
    program app("edge_match", "For each point the smallest polygon near it.");
    std::string points_path;
    std::string polygons_path;
    std::string out_path;
    edge::geo::matcher_options options;
    const std::map<std::string, match_mode> modes{{"near", match_mode::near_centre},
                                                  {"contains", match_mode::contains}};
    std::string mode = "near";
    app.cli.add_option("POINTS", points_path, "CSV with columns x and y, or lon and lat; - for standard input")
        ->required();
    app.cli.add_option("POLYGONS", polygons_path, "GeoJSON FeatureCollection of Polygons; - for standard input")
        ->required();
    app.cli
        .add_option("--max-distance", options.max_distance,
                    "Farthest that a point may lie from the mean of a polygon's vertices, in the unit of the "
                    "coordinates; not used with --mode contains")
        ->capture_default_str()
        ->type_name("D");
    app.cli.add_option("--mode", mode, "near: within the distance of the centre; contains: inside or on the boundary")
        ->capture_default_str()
        ->type_name("near|contains")
        ->check(CLI::IsMember({"near", "contains"}));
    app.cli
        .add_option("-o,--output", out_path, "CSV: point,polygon,area with indices from 0, empty where there is none")
        ->type_name("OUT")
        ->required();
    app.cli.footer(
        "Of several polygons the one of smallest area is taken, of equal areas the first. Boundaries belong to a\n"
        "polygon. A point with an empty or not finite coordinate has none. Degrees are taken as plain numbers.");
    app.cli.parse_complete_callback([&] {
        if (points_path == "-" && polygons_path == "-")
            throw CLI::ValidationError("POLYGONS", "standard input cannot be both POINTS and POLYGONS");
        if (!(options.max_distance >= 0 && options.max_distance <= 1e150))
            throw CLI::ValidationError("--max-distance", edge::message(options.max_distance, "; expected 0 to 1e150"));
        if (app.json && out_path == "-")
            throw CLI::ValidationError("--output", "standard output cannot hold both OUT and --json");
    });

    return app.run(argc, argv, [&] {
        options.mode = modes.at(mode);
        const edge::frame::table points = read_points(points_path);
        const std::string source = points_path == "-" ? "standard input" : points_path;
        const auto [x, y] = point_columns(points, source);
        const auto zones = read_geojson(polygons_path);
        std::vector<edge::geo::polygon> polygons;
        polygons.reserve(zones.size());
        for (const zone& z : zones) polygons.push_back(z.shape);

        const auto match =
            edge::geo::matcher(polygons, options).match(numbers(points, x, source), numbers(points, y, source));
        const auto result = as_table(match, zones);
        if (out_path == "-") {
            std::cout << edge::frame::to_csv(result);
        } else {
            edge::frame::write_csv(out_path, result);
        }
        if (app.json)
            app.print_json({{"points", match.size()},
                            {"polygons", polygons.size()},
                            {"matched", std::count_if(match.begin(), match.end(), [](auto m) { return m >= 0; })},
                            {"mode", mode},
                            {"max_distance", options.max_distance},
                            {"output", out_path}});
    });
}
