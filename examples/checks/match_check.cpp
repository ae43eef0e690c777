// SPDX-License-Identifier: MIT
// GeoJSON as it is read, and edge_match from outside.

#include <edge/core/random.hpp>
#include <edge/frame/csv.hpp>

#include "checks/run_program.hpp"
#include "common/geojson.hpp"
#include "common/numbers.hpp"

#include <cmath>

namespace {

std::string feature(const std::string& coordinates, const std::string& name = "a",
                    const std::string& type = "Polygon") {
    return R"({"type":"Feature","properties":{"name":")" + name + R"("},"geometry":{"type":")" + type +
           R"(","coordinates":)" + coordinates + "}}";
}
std::string collection(const std::string& features) {
    return R"({"type":"FeatureCollection","features":[)" + features + "]}";
}
const std::string square = "[[[0,0],[4,0],[4,4],[0,4],[0,0]]]";

std::string refusal(const std::string& text) {
    try {
        (void)parse_geojson(text, "z");
    } catch (const edge::error& e) {
        return e.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("GeoJSON polygons are read with their names, holes and altitudes") {
    const auto zones = parse_geojson(
        collection(
            feature(square, "yard") + "," +
            feature("[[[0,0,7],[9,0,7],[9,9,7],[0,9,7]],[[1,1],[2,1],[2,2],[1,1]]]", "lot") + "," +
            R"({"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}})"),
        "z");
    REQUIRE(zones.size() == 3);
    CHECK(zones[0].name == "yard");
    CHECK(zones[0].shape.area() == 16);
    CHECK(zones[1].shape.area() == 80.5);
    CHECK(zones[1].shape.rings() == 2);
    CHECK(zones[2].name == "zone 2");
    CHECK(parse_geojson(collection(""), "z").empty());
}

TEST_CASE("what is no collection of polygons is refused by the index of its feature") {
    CHECK(refusal("") ==
          "z: parse error at line 1, column 1: syntax error while parsing value - unexpected end of input; "
          "expected '[', '{', or a literal");
    CHECK(refusal("[]") == "z: is not a GeoJSON FeatureCollection");
    CHECK(refusal(feature(square)) == "z: is not a GeoJSON FeatureCollection");
    CHECK(refusal(R"({"type":"FeatureCollection"})") == "z: its features are not an array");
    CHECK(refusal(collection(feature(square) + ",3")) == "z: feature 1 is not a Feature");
    CHECK(refusal(collection(R"({"type":"Feature","geometry":null})")) ==
          "z: feature 0 has no geometry; expected a Polygon");
    CHECK(refusal(collection(feature("[" + square + "]", "a", "MultiPolygon"))) ==
          "z: feature 0 (\"a\"): geometry is \"MultiPolygon\"; expected \"Polygon\"");
    CHECK(refusal(collection(feature("[]"))) == "z: feature 0 (\"a\"): coordinates are not an array of rings");
    CHECK(refusal(collection(feature("[3]"))) == "z: feature 0 (\"a\"): ring 0 is not an array of positions");
    CHECK(refusal(collection(feature("[[[0,0],[1],[2,2]]]"))) ==
          "z: feature 0 (\"a\"): ring 0, position 1 is not an array of two numbers");
    CHECK(refusal(collection(feature("[[[0,0],[1,null],[2,2]]]"))) ==
          "z: feature 0 (\"a\"): ring 0, position 1 is not an array of two numbers");
    CHECK(refusal(collection(feature(square) + "," + feature("[[[0,0],[1,1],[2,2],[0,0]]]", "b\\n"))) ==
          "z: feature 1 (\"b\\n\"): outer ring of 3 vertices has no area");
    CHECK(refusal(collection(feature("[[[0,0],[1,1e999],[2,2]]]"))).find("number overflow") != std::string::npos);
    CHECK(refusal(std::string(100000, '[')) == "z: nested deeper than 64 levels");
}

TEST_CASE("edge_match agrees with the distances of all pairs") {
    if (!is_built("edge_match")) return;
    edge::splitmix64 random(3);
    std::string features;
    std::vector<edge::geo::polygon> polygons;
    for (int i = 0; i < 40; ++i) {
        const double x = random.uniform(0, 100);
        const double y = random.uniform(0, 100);
        edge::geo::ring ring;
        std::string text;
        for (int k = 0; k < 5; ++k) {
            ring.push_back({x + 15 * std::cos(1.25 * k) * random.uniform(0.2, 1), y + 15 * std::sin(1.25 * k)});
            text += edge::message(k == 0 ? "[" : ",[", ring.back().x, ",", ring.back().y, "]");
        }
        polygons.emplace_back(ring);
        features += (i == 0 ? "" : ",") + feature("[[" + text + "]]");
    }
    std::string points = "id,lat,lon\n";
    std::vector<edge::geo::point> at;
    for (int i = 0; i < 300; ++i) {
        at.push_back({random.uniform(-30, 130), random.uniform(-30, 130)});
        points += edge::message("p", i, ",", at.back().y, ",", at.back().x, "\n");
    }
    const scratch folder;
    folder.write("p.csv", points);
    folder.write("z.geojson", collection(features));
    for (const std::string mode : {"near", "contains"}) {
        const auto r = run("edge_match", {folder / "p.csv", folder / "z.geojson", "--max-distance", "7.5", "--mode",
                                          mode, "-o", folder / "out.csv", "--json"});
        CAPTURE(r.err);
        REQUIRE(r.status == 0);
        const auto t = edge::frame::parse_csv(folder.read("out.csv"));
        REQUIRE(t.rows() == at.size());
        REQUIRE(std::vector<std::string>(t.names().begin(), t.names().end()) ==
                std::vector<std::string>{"point", "polygon", "area"});
        std::size_t matched = 0;
        for (std::size_t i = 0; i < at.size(); ++i) {
            std::size_t best = polygons.size();
            for (std::size_t k = 0; k < polygons.size(); ++k) {
                const auto c = polygons[k].centre();
                const bool fits =
                    mode == "near" ? std::hypot(at[i].x - c.x, at[i].y - c.y) <= 7.5 : polygons[k].contains(at[i]);
                if (fits && (best == polygons.size() || polygons[k].area() < polygons[best].area())) best = k;
            }
            CHECK(t.column("point").values<std::int64_t>()[i] == static_cast<std::int64_t>(i));
            REQUIRE(t.column("polygon").is_valid(i) == (best < polygons.size()));
            CHECK(t.column("area").is_valid(i) == (best < polygons.size()));
            if (best == polygons.size()) continue;
            ++matched;
            CHECK(t.column("polygon").values<std::int64_t>()[i] == static_cast<std::int64_t>(best));
            CHECK(t.column("area").values<double>()[i] == polygons[best].area());
        }
        const auto summary = nlohmann::json::parse(r.out);
        CHECK(summary.at("points") == at.size());
        CHECK(summary.at("matched") == matched);
        CHECK(matched > 20);
    }
}

TEST_CASE("edge_match reads standard input, writes standard output, and leaves empty cells without a match") {
    if (!is_built("edge_match")) return;
    const scratch folder;
    folder.write("z.geojson", collection(feature(square)));
    const auto r = run("edge_match", {"-", folder / "z.geojson", "--mode", "contains", "-o", "-"},
                       "x,y\n1,1\n4,4\n5,5\n,1\nnan,1\n");
    CHECK(r.status == 0);
    CHECK(r.out == "point,polygon,area\n0,0,16.0\n1,0,16.0\n2,,\n3,,\n4,,\n");
    folder.write("p.csv", "x,y\n5,2\n");
    const auto zones =
        run("edge_match", {folder / "p.csv", "-", "-o", "-", "--max-distance", "3"}, collection(feature(square)));
    CHECK(zones.out == "point,polygon,area\n0,0,16.0\n");
}

TEST_CASE("edge_match refuses in one line, and leaves no output behind") {
    if (!is_built("edge_match")) return;
    const scratch folder;
    const std::string zones = folder / "z.geojson";
    const std::string points = folder / "p.csv";
    const std::string out = folder / "out.csv";
    folder.write("z.geojson", collection(feature(square)));
    folder.write("p.csv", "x,y\n1,2\n");
    check_refusal("edge_match", {points, zones}, 2, "--output");
    check_refusal("edge_match", {points, zones, "-o", out, "--mode", "far"}, 2, "--mode");
    check_refusal("edge_match", {points, zones, "-o", out, "--max-distance", "-1"}, 2, "expected 0 to 1e150");
    check_refusal("edge_match", {points, zones, "-o", out, "--max-distance", "nan"}, 2, "expected 0 to 1e150");
    check_refusal("edge_match", {"-", "-", "-o", out}, 2, "standard input");
    check_refusal("edge_match", {points, zones, "-o", "-", "--json"}, 2, "standard output");
    check_refusal("edge_match", {folder / "none.csv", zones, "-o", out}, 1, "none.csv: cannot open");
    check_refusal("edge_match", {points, points, "-o", out}, 1, "p.csv: parse error");
    folder.write("a.csv", "a,b\n1,2\n");
    check_refusal("edge_match", {folder / "a.csv", zones, "-o", out}, 1,
                  "columns are a, b; expected x and y, or lon and lat");
    folder.write("t.csv", "x,y\n1,2\nhere,3\n");
    check_refusal("edge_match", {folder / "t.csv", zones, "-o", out}, 1,
                  "column 'x', row 1 (from 0): \"here\" is not a number");
    folder.write("torn.csv", "x,y\n1,2\n3\n");
    check_refusal("edge_match", {folder / "torn.csv", zones, "-o", out}, 1, "1 cell; expected 2");
    CHECK_FALSE(std::filesystem::exists(out));
    check_refusal("edge_match", {points, zones, "-o", folder / "no/out.csv"}, 1, "no/out.csv: cannot create");
}

TEST_CASE("match_points prints the zone of each position") {
    CHECK(run("match_points", {}).out ==
          "( -30,    5)  -\n(   5,    5)  yard\n(  15,   30)  hall\n(  40,   40)  hall\n( 120,   60)  yard\n"
          "( 190,  110)  lot\n( 265,  150)  lot\n");
}
