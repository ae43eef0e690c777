// SPDX-License-Identifier: MIT
// Parquet files of other engines' test suites: values that two other readers agree on, and files that no reader may
// trust. `X.rows.json` beside `X.parquet` has the rows.

#include "support/catch.hpp"
#include "support/data.hpp"

#include <edge/frame/parquet.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace edge;
using namespace edge::frame;

namespace {

/// Cases that are not read yet, or on purpose, with the reason. One that passes all the same fails the test.
std::map<std::string, std::string> cases_not_read() {
    std::map<std::string, std::string> cases{
        {"lz4_raw_compressed_larger", "LZ4 pages: a later codec"},
        {"nested_lists.snappy", "nested columns: later"},
        {"datapage_v1-corrupt-checksum", "its checksums are wrong, and checksums are verified"},
        {"rle-dict-uncompressed-corrupt-checksum", "its checksums are wrong, and checksums are verified"},
        {"int96_from_spark", "a time in the year 9999: timestamps of 64-bit nanoseconds end in 2262"},
        {"duckdb_bug4903", "times from the year 970 on: timestamps of 64-bit nanoseconds begin in 1677"},
    };
    if (!is_available(codec::gzip))
        for (const char* name : {"concatenated_gzip_members", "data_index_bloom_encoding_stats", "duckdb_bug1554",
                                 "duckdb_lineitem-top10000.gzip", "parquet_byte_stream_split_extended.gzip"})
            cases.emplace(name, "gzip pages: this program was compiled without zlib");
    return cases;
}

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

/// Days since 1970-01-01 of a "2024-02-29". Howard Hinnant 2013, "chrono-compatible low-level date algorithms".
std::int64_t days_of(const std::string& text) {
    const std::int64_t month = std::stoi(text.substr(5, 2));
    const std::int64_t day = std::stoi(text.substr(8, 2));
    const std::int64_t year = std::stoi(text.substr(0, 4)) - (month <= 2 ? 1 : 0);
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t of_era = year - era * 400;
    const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

/// Whether row `i` is what the other readers say. Types that they print in ways of their own are compared as we hold
/// them; those that have no one form (TIME, UUID) need only be there.
bool agrees(const column& c, std::size_t i, const nlohmann::json& want, const std::string& type,
            const std::string& unit) {
    if (want.is_null()) return !c.is_valid(i) || (c.kind() == kind::float64 && std::isnan(c.values<double>()[i]));
    if (!c.is_valid(i)) return false;
    const std::string text = want.is_string() ? want.get<std::string>() : want.dump();
    switch (c.kind()) {
        case kind::boolean: return text == (c.boolean(i) ? "true" : "false");
        case kind::date: return c.values<std::int32_t>()[i] == days_of(text);
        case kind::float32: {
            const float w = std::strtof(text.c_str(), nullptr);
            return c.values<float>()[i] == w || (std::isnan(w) && std::isnan(c.values<float>()[i]));
        }
        case kind::float64: {
            const double w = std::strtod(text.c_str(), nullptr);
            const double v = c.values<double>()[i];
            if (type.starts_with("DECIMAL")) return std::abs(v - w) <= 4e-15 * std::abs(w);
            return v == w || (std::isnan(w) && std::isnan(v));
        }
        case kind::timestamp: {
            const std::int64_t v = c.values<std::int64_t>()[i];
            const std::int64_t ns = unit == "ms" ? 1'000'000 : unit == "us" ? 1'000 : 1;
            return v == std::strtoll(text.c_str(), nullptr, 10) * ns;
        }
        case kind::string: return type == "BLOB" ? text == hex(c.text(i)) : type == "UUID" || text == c.text(i);
        default:
            return type.starts_with("TIME") ||
                   dispatch_stored(c.kind(), [&]<class T>() { return text == edge::message(c.values<T>()[i]); });
    }
}

/// Why the file is not read as the others read it, or nothing.
std::string check(const std::filesystem::path& path) {
    nlohmann::json want;
    std::ifstream(std::filesystem::path(path).replace_extension(".rows.json")) >> want;
    try {
        const table t = read_parquet(path);
        const auto total = want["total_rows"].get<std::size_t>();
        if (t.rows() != total) return message(t.rows(), " rows, not ", total);
        const auto& columns = want["columns"];
        if (t.names().size() != columns.size()) return message(t.names().size(), " columns, not ", columns.size());
        for (std::size_t c = 0; c < columns.size(); ++c) {
            if (columns[c].contains("disputed")) continue;
            for (std::size_t i = 0; i < want["rows"].size(); ++i)
                if (!agrees(t.columns()[c], i, want["rows"][i][c], columns[c]["type"], columns[c].value("unit", "")))
                    return message("row ", i, ", column '", t.names()[c], "': not ", want["rows"][i][c].dump());
        }
    } catch (const error& e) {
        return e.what();
    }
    return {};
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    return input_paths(folder, ".parquet");
}

}  // namespace

TEST_CASE("files of other engines hold the values that other readers find", "[conformance][parquet]") {
    const auto data = test_data("parquet");
    if (!data) return;
    const auto not_read = cases_not_read();
    std::size_t passed = 0;
    std::size_t total = 0;
    for (const char* set : {"good", "more"})
        for (const auto& path : files_in(*data / set)) {
            if (!std::filesystem::exists(std::filesystem::path(path).replace_extension(".rows.json"))) continue;
            const std::string why = check(path);
            ++total;
            passed += why.empty() ? 1 : 0;
            INFO(path.string() << ": " << why);
            if (const auto known = not_read.find(path.stem().string()); known != not_read.end()) {
                INFO("listed as not read: " << known->second << "; take it off the list");
                CHECK_FALSE(why.empty());
            } else {
                CHECK(why.empty());
            }
        }
    CHECK(passed == total - not_read.size());
    WARN(passed << " of " << total << " read as the others do, " << not_read.size() << " listed with the reason");
}

TEST_CASE("times out of range are missing where that is asked for", "[conformance][parquet]") {
    const auto data = test_data("parquet/good/int96_from_spark.parquet");
    if (!data) return;
    const table t = read_parquet(*data, {.null_out_of_range = true});
    CHECK(t.rows() == 6);
    CHECK(t.columns()[0].values<std::int64_t>()[0] == 1'704'141'296'123'456'000);
    CHECK(t.columns()[0].null_count() == 3);  // one is missing, one in the year 9999, one in 290000
    CHECK_THROWS_AS(read_parquet(*data), unsupported_error);
}

TEST_CASE("flat columns are read from beside nested ones", "[conformance][parquet]") {
    const auto data = test_data("parquet/nested/parquet_datapage_v2.snappy.parquet");
    if (!data) return;
    CHECK_THROWS_AS(read_parquet(*data), unsupported_error);
    const table t = read_parquet(*data, {.columns = {"d", "a", "b"}});
    CHECK(t.rows() == 5);
    CHECK(t.column("a").text(0) == "abc");
    CHECK(t.column("b").values<std::int32_t>()[4] == 5);
    CHECK(t.column("d").boolean(0));
}

TEST_CASE("nothing that a file holds does harm", "[conformance][parquet]") {
    const auto data = test_data("parquet");
    if (!data) return;
    for (const char* set : {"nested", "unsupported", "odd", "bad", "fuzz"})
        for (const auto& path : files_in(*data / set))
            for (const bool lenient : {false, true}) {
                INFO(path.string());
                try {
                    parquet_reader file(path, {.null_out_of_range = lenient, .verify_checksums = !lenient});
                    const table t = file.read();
                    CHECK(t.rows() <= 1'000'000);
                } catch (const error& e) {
                    // The set's name is the file's promise: what is not supported is said to be so.
                    const std::string what = e.what();
                    CHECK(what.starts_with(path.string() + ": "));
                    CHECK(what.find('\n') == std::string::npos);
                    if (std::string_view(set) == "unsupported" || std::string_view(set) == "nested")
                        CHECK(dynamic_cast<const unsupported_error*>(&e) != nullptr);
                }
            }
}
