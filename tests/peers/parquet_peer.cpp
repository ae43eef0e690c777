// SPDX-License-Identifier: MIT
// The library's end of the test with DuckDB.
//
//     parquet_peer write DIR     writes files of every kind, layout and codec, with their values beside them as JSON
//     parquet_peer read FILE     prints the values of a file as JSON
//
// Values are text, so that none is rounded on the way: {"columns": [{"name", "kind", "values": [text or null]}]}.

#include <edge/frame/parquet.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace edge;
using namespace edge::frame;
using nlohmann::ordered_json;

namespace {

/// As JavaScript's Number() reads it.
template <class T>
std::string number(T v) {
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(v)) return "NaN";
        if (std::isinf(v)) return v < 0 ? "-Infinity" : "Infinity";
        return message(static_cast<double>(v));  // a float's value as it is, not its shortest text
    } else {
        return message(v);
    }
}

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string text;
    for (const char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

ordered_json to_json(const table& t) {
    ordered_json columns = ordered_json::array();
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        const column& from = t.columns()[c];
        bool is_text = true;
        for (std::size_t i = 0; from.kind() == kind::string && i < from.size(); ++i)
            is_text = is_text && parquet::is_utf8(from.text(i));
        ordered_json values = ordered_json::array();
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (!from.is_valid(i)) {
                values.push_back(nullptr);
                continue;
            }
            switch (from.kind()) {
                case kind::boolean: values.push_back(from.boolean(i) ? "true" : "false"); break;
                case kind::string: values.push_back(is_text ? std::string(from.text(i)) : hex(from.text(i))); break;
                default:
                    dispatch_stored(from.kind(), [&]<class T>() { values.push_back(number(from.values<T>()[i])); });
            }
        }
        columns.push_back(
            {{"name", t.names()[c]}, {"kind", is_text ? to_string(from.kind()) : "bytes"}, {"values", values}});
    }
    return {{"columns", columns}};
}

template <class T>
std::vector<T> awkward(std::size_t rows) {
    using limits = std::numeric_limits<T>;
    std::vector<T> seeds{T{0}, T{1}, static_cast<T>(-1), (limits::max)(), limits::lowest()};
    if constexpr (std::is_floating_point_v<T>)
        for (const T v : {-T{0}, limits::quiet_NaN(), limits::infinity(), -limits::infinity(), limits::denorm_min(),
                          (limits::min)(), T(0.1)})
            seeds.push_back(v);
    std::vector<T> values(rows);
    for (std::size_t i = 0; i < rows; ++i) values[i] = seeds[i % seeds.size()];
    return values;
}

table samples(std::size_t rows) {
    std::mt19937 random(2);
    std::vector<bool> valid(rows);
    std::vector<bool> flags(rows);
    std::vector<std::string> words(rows);
    std::vector<std::string> lines(rows);
    std::vector<std::string> bytes(rows);
    std::vector<std::int64_t> ns(rows);
    std::vector<std::int32_t> days(rows);
    std::vector<double> finite(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        valid[i] = random() % 3 != 0;
        flags[i] = random() % 2 != 0;
        words[i] = std::vector<std::string>{"", "left", "na\xC3\xAFve", "\xF0\x9F\x9A\x80",
                                            "quote \" and\nline"}[random() % 5];
        lines[i] = "line " + std::to_string(random());
        bytes[i] = std::string("\xFF\x00", 2) + static_cast<char>(random());
        ns[i] = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 5'000'001;
        days[i] = static_cast<std::int32_t>(random() % 2'000'000) - 1'000'000;
        finite[i] = (static_cast<double>(random()) - 2e9) / 1e5;
    }
    if (rows > 2) {
        ns[0] = -9'214'560'000'000'000'001;  // at the beginning of 1678: DuckDB has no numbers for the last days
        ns[1] = (std::numeric_limits<std::int64_t>::max)() - 1;
        ns[2] = 0;
    }
    table t;
    for (const bool gaps : {false, true}) {
        const std::vector<bool> v = gaps ? valid : std::vector<bool>{};
        const std::string end = gaps ? "_gaps" : "";
        t.add("flag" + end, column(flags, v));
        t.add("i8" + end, column(awkward<std::int8_t>(rows), v));
        t.add("i16" + end, column(awkward<std::int16_t>(rows), v));
        t.add("i32" + end, column(awkward<std::int32_t>(rows), v));
        t.add("u8" + end, column(awkward<std::uint8_t>(rows), v));
        t.add("u16" + end, column(awkward<std::uint16_t>(rows), v));
        t.add("u32" + end, column(awkward<std::uint32_t>(rows), v));
        t.add("u64" + end, column(awkward<std::uint64_t>(rows), v));
        t.add("date" + end, column::dates(days, v));
        t.add("i64" + end, column(awkward<std::int64_t>(rows), v));
        t.add("f32" + end, column(awkward<float>(rows), v));
        t.add("f64" + end, column(awkward<double>(rows), v));
        t.add("finite" + end, column(finite, v));
        t.add("ts" + end, column::timestamps(ns, v));
        t.add("word" + end, column(words, v));
        t.add("line" + end, column(lines, v));
        t.add("bytes" + end, column(bytes, v));
    }
    t.add("odd \"name\"", column(flags));
    for (const std::string_view name : kind_names)
        t.add(message("missing_", name), column::missing(kind_from_string(name), rows));
    return t;
}

void write(const std::filesystem::path& folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    for (const std::size_t rows : std::vector<std::size_t>{0, 1, 100, 5000}) {
        const table t = samples(rows);
        for (const codec c : {codec::none, codec::snappy, codec::zstd})
            for (const bool dictionary : {false, true}) {
                if (!is_available(c)) continue;
                const std::string name = message(rows, "_rows_", to_string(c), dictionary ? "_dictionary" : "");
                write_parquet(folder / (name + ".parquet"), t,
                              {.codec = c, .row_group_rows = 2047, .page_bytes = 3000, .dictionary = dictionary});
                write_file(folder / (name + ".json"), to_json(t).dump());
            }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc == 3 ? argv[1] : "";
    try {
        if (mode == "write") {
            write(argv[2]);
        } else if (mode == "read") {
            std::cout << to_json(read_parquet(argv[2])).dump() << '\n';
        } else {
            std::cerr << "usage: parquet_peer write DIR | read FILE\n";
            return 2;
        }
    } catch (const std::exception& e) {
        std::cerr << "parquet_peer: error: " << e.what() << '\n';
        return 1;
    }
}
