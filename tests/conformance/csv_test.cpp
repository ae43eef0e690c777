// SPDX-License-Identifier: MIT

/// @file CSV of other projects' test suites: values where they are agreed on, no crash where they are not.

#include <edge/frame/csv.hpp>

#include "support/catch.hpp"
#include "support/data.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <set>

namespace {

using namespace edge::frame;
using json = nlohmann::ordered_json;  // the order of the keys is that of the columns

/// The rows that a case expects, with the names first, or nothing where it is about an option that is not asked for here.
std::vector<std::vector<std::string>> expected_rows(const json& given) {
    std::vector<std::vector<std::string>> rows;
    if (given.is_array()) {  // records
        if (given.empty()) return {};
        rows.emplace_back();
        for (const auto& [key, value] : given[0].items()) rows[0].push_back(key);
        for (const auto& record : given) {
            rows.emplace_back();
            for (const auto& key : rows[0]) rows.back().push_back(record.at(key));
        }
        return rows;
    }
    if (given["delimiter"] != "," || given["quote"] != "\"" || given["escape"] != "\"" || given.contains("convention"))
        return {};
    if (given.contains("records")) return expected_rows(given["records"]);
    if (!given.value("header", false) || !given.contains("rows")) return {};
    rows = given["rows"].get<std::vector<std::vector<std::string>>>();
    const std::set<std::string> names(rows[0].begin(), rows[0].end());
    const bool even = std::all_of(rows.begin(), rows.end(), [&](const auto& r) { return r.size() == rows[0].size(); });
    if (!even || names.size() != rows[0].size() || names.contains("")) return {};
    return rows;
}

/// Whether what was read is what the text says.
bool says(const column& c, std::size_t row, const std::string& text) {
    if (!c.is_valid(row)) return text.empty();
    switch (c.kind()) {
        case kind::string: return c.text(row) == text;
        case kind::boolean: return detail::parse_boolean(text) == c.boolean(row);
        case kind::timestamp: return parse_timestamp(detail::trim(text)) == c.values<std::int64_t>()[row];
        case kind::date: return parse_date(detail::trim(text)) == c.values<std::int32_t>()[row];
        default: break;
    }
    const std::string digits(detail::trim(text));
    const double value = dispatch_stored(c.kind(), [&]<class T>() { return static_cast<double>(c.values<T>()[row]); });
    return !digits.empty() && std::strtod(digits.c_str(), nullptr) == value;
}

void check_folder(const std::string& part, std::size_t at_least) {
    const auto folder = test_data(part);
    if (!folder) return;
    std::size_t checked = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
        if (entry.path().extension() != ".csv") continue;
        INFO(entry.path().string());
        auto expectation = entry.path();
        std::ifstream in(expectation.replace_extension(".json"));
        const auto rows = expected_rows(json::parse(in));
        if (rows.empty()) continue;
        ++checked;
        const table t = read_csv(entry.path());
        CHECK(std::vector<std::string>(t.names().begin(), t.names().end()) == rows[0]);
        REQUIRE(t.rows() == rows.size() - 1);
        for (std::size_t r = 1; r < rows.size(); ++r) {
            for (std::size_t c = 0; c < rows[r].size(); ++c) {
                INFO("row " << r << ", column " << rows[0][c] << ": expected '" << rows[r][c] << "'");
                if (!says(t.columns()[c], r - 1, rows[r][c])) FAIL_CHECK("differs");
            }
        }
    }
    CHECK(checked >= at_least);
}

}  // namespace

TEST_CASE("csv-spectrum is read as it says", "[conformance][csv]") { check_folder("csv", 6); }

TEST_CASE("CSV that other readers agree on is read as they do", "[conformance][csv]") { check_folder("csv/peer", 100); }

TEST_CASE("CSV that broke other readers is a table or an error", "[conformance][csv]") {
    const auto folder = test_data("csv/fuzz");
    if (!folder) return;
    std::size_t tables = 0, errors = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
        INFO(entry.path().string());
        try {
            const table t = read_csv(entry.path());
            CHECK(to_csv(parse_csv(to_csv(t))) == to_csv(t));
            ++tables;
        } catch (const edge::error&) {
            ++errors;
        }
    }
    CHECK(tables > 0);
    CHECK(errors > 0);
}
