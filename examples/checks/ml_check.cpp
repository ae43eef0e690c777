// SPDX-License-Identifier: MIT
// edge_ml from outside, and the small programs of ml and perf.

#include <edge/core/npy.hpp>
#include <edge/core/random.hpp>
#include <edge/frame/csv.hpp>

#include "checks/run_program.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <set>

namespace {

/// Thirty rows about each of three places, in turn, and their class as a text.
std::string blobs() {
    edge::splitmix64 random(2);
    std::string text = "id,kind,a,b\n";
    for (int i = 0; i < 90; ++i)
        text += edge::message(i, ",k", i % 3, ",", (i % 3 == 1 ? 10 : 0) + random.uniform(), ",",
                              (i % 3 == 2 ? 10 : 0) + random.uniform(), "\n");
    return text;
}

}  // namespace

TEST_CASE("edge_ml kmeans adds the cluster of each row, the same at every run") {
    if (!is_built("edge_ml")) return;
    const scratch folder;
    folder.write("in.csv", blobs());
    const auto r = run("edge_ml", {"kmeans", folder / "in.csv", "-k", "3", "--columns", "a,b", "--centres",
                                   folder / "c.csv", "-o", folder / "out.csv", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto t = edge::frame::parse_csv(folder.read("out.csv"));
    REQUIRE(t.rows() == 90);
    CHECK(t.names().size() == 5);
    const auto cluster = t.column("cluster").values<std::int64_t>();
    for (std::size_t i = 3; i < 90; ++i) CHECK(cluster[i] == cluster[i % 3]);
    CHECK(std::set<std::int64_t>(cluster.begin(), cluster.end()) == std::set<std::int64_t>{0, 1, 2});
    const auto summary = nlohmann::json::parse(r.out);
    CHECK(summary.at("sizes") == std::vector<int>{30, 30, 30});
    CHECK(summary.at("columns") == std::vector<std::string>{"a", "b"});
    const auto centres = edge::frame::parse_csv(folder.read("c.csv"));
    for (std::size_t c = 0; c < 3; ++c)
        CHECK(centres.column("b").values<double>()[c] == summary.at("centres")[c][1].get<double>());

    const auto again = run("edge_ml", {"kmeans", folder / "in.csv", "-k", "3", "--columns", "a,b", "-o", "-"});
    CHECK(again.out == folder.read("out.csv"));
}

TEST_CASE("edge_ml kmeans takes and gives arrays") {
    if (!is_built("edge_ml")) return;
    const scratch folder;
    edge::tensor<float> x({60, 2});
    edge::splitmix64 random(1);
    for (float& v : x) v = static_cast<float>(random.uniform());
    edge::save_npy(folder / "x.npy", x);
    REQUIRE(
        run("edge_ml", {"kmeans", folder / "x.npy", "-k", "4", "--centres", folder / "c.npy", "-o", folder / "l.npy"})
            .status == 0);
    const auto labels = edge::load_npy(folder / "l.npy");
    CHECK(labels.as<std::int32_t>().shape() == edge::shape{60});
    const auto centres = edge::load_npy(folder / "c.npy");
    CHECK(centres.as<float>().shape() == edge::shape{4, 2});
}

TEST_CASE("edge_ml split marks rows in proportion, the same at every run") {
    if (!is_built("edge_ml")) return;
    const scratch folder;
    folder.write("in.csv", blobs());
    const std::vector<std::string> command{"split", folder / "in.csv", "--label", "kind", "--test-fraction", "0.2"};
    auto to_file = command;
    to_file.insert(to_file.end(), {"-o", folder / "out.csv", "--json"});
    const auto r = run("edge_ml", to_file);
    REQUIRE(r.status == 0);
    const auto t = edge::frame::parse_csv(folder.read("out.csv"));
    std::map<std::string, int> test;
    for (std::size_t i = 0; i < 90; ++i) {
        const auto side = t.column("split").text(i);
        CHECK((side == "test" || side == "train"));
        if (side == "test") ++test[std::string(t.column("kind").text(i))];
    }
    CHECK(test == std::map<std::string, int>{{"k0", 6}, {"k1", 6}, {"k2", 6}});
    CHECK(nlohmann::json::parse(r.out).at("classes").at("k1").at("train") == 24);
    auto to_out = command;
    to_out.insert(to_out.end(), {"-o", "-"});
    CHECK(run("edge_ml", to_out).out == folder.read("out.csv"));
    to_out.insert(to_out.end(), {"--seed", "1"});
    CHECK(run("edge_ml", to_out).out != folder.read("out.csv"));
}

TEST_CASE("edge_ml refuses in one line") {
    if (!is_built("edge_ml")) return;
    const scratch folder;
    folder.write("in.csv", blobs());
    folder.write("gap.csv", "a,b\n1,2\n3,\n5,6\n");
    folder.write("lone.csv", "kind\nx\nx\ny\n");
    const std::string in = folder / "in.csv";
    const std::string out = folder / "out.csv";
    check_refusal("edge_ml", {}, 2, "subcommand");
    check_refusal("edge_ml", {"kmeans", in, "-o", out}, 2, "--k");
    check_refusal("edge_ml", {"kmeans", in, "-k", "0", "-o", out}, 2, "--k");
    check_refusal("edge_ml", {"kmeans", in, "-k", "2", "-o", "-", "--json"}, 2, "standard output");
    check_refusal("edge_ml", {"split", in, "--label", "kind", "--test-fraction", "1", "-o", out}, 2, "between 0 and 1");
    check_refusal("edge_ml", {"kmeans", in, "-k", "91", "-o", out}, 1, "clusters 91");
    check_refusal("edge_ml", {"kmeans", in, "-k", "2", "--columns", "kind", "-o", out}, 1, "\"k0\" is not a number");
    check_refusal("edge_ml", {"kmeans", in, "-k", "2", "--columns", "q", "-o", out}, 1, "no column 'q'");
    check_refusal("edge_ml", {"kmeans", folder / "gap.csv", "-k", "2", "-o", out}, 1,
                  "column 'b', row 1 (from 0) is missing");
    check_refusal("edge_ml", {"split", folder / "lone.csv", "--label", "kind", "-o", out}, 1,
                  "class 'y' has one row, 2");
    check_refusal("edge_ml", {"split", in, "--label", "a", "-o", out}, 1, "column 'a' is of float64");
    CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("the small programs of ml and perf run") {
    const auto cluster = run("cluster", {});
    CHECK(cluster.status == 0);
    CHECK(cluster.out.find("480 readings to learn from, 120 to judge by") != std::string::npos);
    const auto loops = run("compare_loops", {});
    CHECK(loops.status == 0);
    CHECK(loops.out.find("by fours") != std::string::npos);
}

TEST_CASE("every program says what it is for") {
    for (const char* program : {"edge_match", "edge_ml"}) {
        if (!is_built(program)) continue;
        CHECK(run(program, {"--help"}).status == 0);
        CHECK(run(program, {"--help"}).out.find("Usage: ") != std::string::npos);
        CHECK(run(program, {"--version"}).out.rfind(program, 0) == 0);
    }
}
