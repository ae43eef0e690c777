// SPDX-License-Identifier: MIT
// A program of somebody else's, with something of each kind of dependency: headers alone, threads, codecs.

#include <edge/core.hpp>
#include <edge/frame/csv.hpp>
#include <edge/frame/parquet.hpp>
#include <edge/geo.hpp>
#include <edge/simd.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

std::string second_file_version();
edge::index_t second_file_rows(const std::filesystem::path& file);

int main() {
    const edge::tensor<float> a({1000}, 2.0F);
    const edge::tensor<float> b = edge::eval(a * a + 1.0F);

    const std::vector<edge::geo::polygon> zones{edge::geo::polygon({{0, 0}, {1, 0}, {1, 1}})};
    const edge::geo::matcher nearby(zones, {.max_distance = 1});

    const auto file =
        std::filesystem::temp_directory_path() / ("edge-downstream-" + std::string(edge::version) + ".parquet");
    edge::index_t rows = 0;
    for (const auto codec : {edge::frame::codec::none, edge::frame::codec::snappy, edge::frame::codec::zstd,
                             edge::frame::codec::gzip}) {
        if (!edge::frame::is_available(codec)) continue;
        edge::frame::write_parquet(file, edge::frame::parse_csv("x,y\n1,0.5\n2,0.25\n"), {.codec = codec});
        rows += second_file_rows(file);
    }
    std::filesystem::remove(file);

    std::printf("edge %s, %d threads, %d rows\n", edge::version, edge::threads(), static_cast<int>(rows));
    return b.data()[999] == 5.0F && nearby.match({0.9, 0.1}) == 0 && rows >= 2 && second_file_version() == edge::version
               ? 0
               : 1;
}
