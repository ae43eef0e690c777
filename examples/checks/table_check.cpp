// SPDX-License-Identifier: MIT
// edge_table from outside: the same answers whether the files are read whole or in pieces.

#include <edge/core/random.hpp>
#include <edge/frame.hpp>

#include "checks/run_program.hpp"

#include <nlohmann/json.hpp>

namespace {

using namespace edge::frame;

/// Readings of three sensors; the first rows hold a value of each kind, so that a look at them tells the kinds.
table readings(std::size_t rows, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    std::vector<std::int64_t> ts(rows);
    std::vector<std::int64_t> trip(rows);
    std::vector<double> ax(rows);
    std::vector<std::string> sensor(rows);
    std::vector<bool> there(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        ts[i] = static_cast<std::int64_t>(i) * 5'000'000;
        trip[i] = static_cast<std::int64_t>(random() % 7);
        ax[i] = static_cast<double>(random() % 4000) / 1000 - 2;
        sensor[i] = std::vector<std::string>{"left", "right", "front wheel, \"new\""}[random() % 3];
        there[i] = random() % 5 != 0;
    }
    return {
        {"ts", column::timestamps(ts)}, {"sensor", column(sensor)}, {"trip", column(trip)}, {"ax", column(ax, there)}};
}

struct files {
    files() {
        std::filesystem::create_directories(folder / "in");
        write_csv(folder / "in/a.csv", readings(3000, 1));
        write_csv(folder / "in/b.csv", readings(2000, 2));
        std::filesystem::create_directories(folder / "parquet");
        write_parquet(folder / "parquet/a.parquet", readings(3000, 1), {.row_group_rows = 700});
        write_parquet(folder / "parquet/b.parquet", readings(2000, 2), {.row_group_rows = 700});
    }

    /// What the steps give, read whole and in pieces; both must be the same.
    std::string both(const std::string& input, const std::vector<std::string>& steps, const std::string& extension) {
        std::string whole;
        for (const char* memory : {"1GiB", "1"}) {
            std::vector<std::string> arguments{folder / input, "--memory", memory, "-o", folder / ("out" + extension)};
            arguments.insert(arguments.end(), steps.begin(), steps.end());
            const auto r = run("edge_table", arguments);
            CAPTURE(r.err);
            REQUIRE(r.status == 0);
            if (whole.empty())
                whole = folder.read("out" + extension);
            else
                CHECK(folder.read("out" + extension) == whole);
        }
        return whole;
    }

    scratch folder;
};

}  // namespace

TEST_CASE("edge_table gives the same of files in pieces as of files in memory") {
    if (!is_built("edge_table")) return;
    files f;
    for (const std::string input : {"in", "parquet"}) {
        CAPTURE(input);
        const auto all = parse_csv(f.both(input, {}, ".csv"));
        CHECK(all.rows() == 5000);
        CHECK(all.column("sensor").text(2999) == readings(3000, 1).column("sensor").text(2999));
        const auto some = parse_csv(f.both(input, {"--filter", "ax > 1.5", "--select", "trip,ax"}, ".csv"));
        CHECK(some.names().size() == 2);
        CHECK(some.rows() > 300);
        CHECK(parse_csv(f.both(input, {"--head", "3100"}, ".csv")).rows() == 3100);
        const auto groups =
            parse_csv(f.both(input, {"--group-by", "sensor,trip", "--agg", "count,max:ax,nunique:trip"}, ".csv"));
        CHECK(groups.rows() == 21);
        CHECK(groups.column("trip_nunique").values<std::int64_t>()[0] == 1);
        CHECK(nlohmann::json::parse(f.both(input, {"--filter", "trip == 3"}, ".json")).size() > 600);
        CHECK(nlohmann::json::parse(f.both(input, {"--filter", "trip == 99"}, ".json")).empty());
        const auto summary = parse_csv(f.both(input, {"--describe"}, ".csv"));
        CHECK(summary.column("trip").values<double>()[0] == 5000);
        CHECK(summary.column("trip").values<double>()[5] == 3);
    }
}

TEST_CASE("edge_table joins files in pieces with one in memory") {
    if (!is_built("edge_table")) return;
    files f;
    write_csv(f.folder / "places.csv", table{{"ts", column::timestamps({0, 2'000'000'000, 9'000'000'000})},
                                             {"place", column(std::vector<std::string>{"a", "b", "c"})}});
    const auto joined = parse_csv(
        f.both("in/a.csv",
               {"--asof", f.folder / "places.csv", "--on", "ts", "--tolerance", "3s", "--select", "ts,place"}, ".csv"));
    CHECK(joined.column("place").text(399) == "a");
    CHECK(joined.column("place").text(400) == "b");
    CHECK_FALSE(joined.column("place").is_valid(1100));
    CHECK(joined.column("place").text(1800) == "c");
}

TEST_CASE("edge_table shows a table that goes to no file") {
    if (!is_built("edge_table")) return;
    files f;
    for (const char* memory : {"1GiB", "1"}) {
        const auto r =
            run("edge_table", {f.folder / "in", "--group-by", "sensor", "--agg", "count", "--memory", memory});
        CHECK(r.status == 0);
        CHECK(r.out.find("sensor") != std::string::npos);
        CHECK(r.out.find("front wheel, \"new\"") != std::string::npos);
        const auto first = run("edge_table", {f.folder / "in", "--head", "2", "--memory", memory});
        CHECK(first.status == 0);
        CHECK(first.out.find("1970-01-01") != std::string::npos);
    }
    CHECK(run("edge_table", {f.folder / "in", "--json"}).status == 2);
}

TEST_CASE("edge_table names the cell that does not fit the kinds of the beginning") {
    if (!is_built("edge_table")) return;
    const scratch folder;
    folder.write("a.csv", "x,y\n1,2\n");
    folder.write("b.csv", "x,y\n1,2\n1,left\n");
    const auto r = run("edge_table", {folder / "a.csv", folder / "b.csv", "--memory", "1", "-o", folder / "out.csv"});
    CHECK(r.status == 1);
    CHECK(r.err.find("b.csv") != std::string::npos);
    CHECK(r.err.find("'y'") != std::string::npos);
    CHECK(r.err.find("left") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "out.csv"));
}

TEST_CASE("edge_table does not read columns of files in pieces that no step uses") {
    if (!is_built("edge_table")) return;
    const scratch folder;
    std::filesystem::create_directories(folder / "in");
    folder.write("in/a.csv", "x,noise,y\n1,2,3\n5,2,3\n");
    folder.write("in/b.csv", "x,noise,y\n1,left,4\n");  // no number, as it was in the first file
    std::vector<std::int64_t> x(1000, 1);
    std::vector<double> noise(1000);
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<double>(i) / 7;
    std::filesystem::create_directories(folder / "parquet");
    write_parquet(folder / "parquet/a.parquet", table{{"x", column(x)}, {"noise", column(noise)}, {"y", column(x)}});
    const auto chunk = parquet_reader(folder / "parquet/a.parquet").metadata().row_groups[0].columns[1];
    std::string bytes = folder.read("parquet/a.parquet");
    for (std::size_t i = 0; i < 100; ++i) bytes[static_cast<std::size_t>(chunk.data_page_offset) + i] ^= '\x55';
    folder.write("parquet/a.parquet", bytes);
    for (const char* input : {"in", "parquet"}) {
        CAPTURE(input);
        const auto of = [&](std::vector<std::string> steps) {
            steps.insert(steps.begin(), {folder / input, "--memory", "1", "-o", folder / "out.csv"});
            return run("edge_table", steps);
        };
        for (const std::vector<std::string>& steps :
             std::vector<std::vector<std::string>>{{"--select", "y", "--filter", "x < 3"},
                                                   {"--group-by", "x", "--agg", "mean:y", "--filter", "x < 3"},
                                                   {"--agg", "count", "--filter", "y > 0"}}) {
            const auto r = of(steps);
            CAPTURE(r.err);
            CHECK(r.status == 0);
        }
        CHECK(of({"--agg", "count"}).status == 0);
        CHECK(parse_csv(folder.read("out.csv")).column("count").values<std::int64_t>()[0] ==
              (input == std::string("in") ? 3 : 1000));
        CHECK(of({"--select", "noise"}).status == 1);
        CHECK(of({"--agg", "mean:noise"}).status == 1);
        CHECK(of({}).status == 1);
        const auto wrong = of({"--select", "y", "--filter", "z < 3"});
        CHECK(wrong.status == 1);
        CHECK(wrong.err.find("'z'") != std::string::npos);
    }
}
