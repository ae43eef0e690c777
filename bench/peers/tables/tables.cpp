// SPDX-License-Identifier: MIT
// edge's part of tables.py, which says what each job is.
//
//     edge_peer_tables make FOLDER SCALE [PANDAS]   the inputs, as Parquet and CSV; SCALE 1: those of the table of the page
//     edge_peer_tables make_large FOLDER ROWS       the input of `stream`
//     edge_peer_tables serve FOLDER                 reads `run JOB` and `check JOB`, as peer.mjs says
//     edge_peer_tables stream FOLDER JOB            a job over a Parquet file, row group by row group
#include <edge/core/npy.hpp>
#include <edge/frame.hpp>
#include <edge/frame/dictionary.hpp>

#include "frame/db_benchmark.hpp"
#include "support/floor.hpp"

#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <map>
#include <random>

namespace {

using namespace edge::frame;
namespace fs = std::filesystem;

const std::vector<std::string> floats{"ax", "ay", "az", "gx", "gy", "gz", "temp"};
constexpr std::int64_t begin_ns = 1'709'251'200'000'000'000;  // 2024-03-01

/// 0 up to `below`.
std::uint64_t draw(std::uint64_t row, std::uint64_t what, std::uint64_t below) {
    return db_benchmark::random(what << 40 | row, db_benchmark::column::id1) % below;
}

template <class F>
column numbers(std::size_t rows, F f) {
    std::vector<decltype(f(std::size_t{}))> values(rows);
    for (std::size_t i = 0; i < rows; ++i) values[i] = f(i);
    return column(std::move(values));
}

/// Times that grow by about 5 ms a row.
column times(std::size_t rows, std::uint64_t what) {
    std::vector<std::int64_t> ns(rows);
    std::int64_t at = begin_ns;
    for (std::size_t i = 0; i < rows; ++i) ns[i] = at += 1'000 * static_cast<std::int64_t>(draw(i, what, 10'000));
    return column::timestamps(std::move(ns));
}

table made(const std::string& name, double scale) {
    const auto rows = [&](double n) { return static_cast<std::size_t>(n * scale); };
    const auto id = [](std::uint64_t what, std::uint64_t many) {
        return [=](std::size_t i) { return static_cast<std::int32_t>(draw(i, what, many)); };
    };
    const auto real = [](std::uint64_t what) {
        return [=](std::size_t i) { return static_cast<double>(draw(i, what, 1'000'000)) / 1e4; };
    };
    if (name == "readings") return {{"id", numbers(rows(5e6), id(1, 1000))}, {"x", numbers(rows(5e6), real(2))}};
    if (name == "imu")
        return {
            {"ts", times(rows(1e6), 3)}, {"id", numbers(rows(1e6), id(4, 100))}, {"x", numbers(rows(1e6), real(5))}};
    if (name == "gnss")
        return {
            {"ts", times(rows(1e6), 6)}, {"id", numbers(rows(1e6), id(7, 100))}, {"y", numbers(rows(1e6), real(8))}};
    if (name == "keys")
        return {{"k1", numbers(rows(1e7), id(9, 1000))},
                {"k2",
                 numbers(rows(1e7), [](std::size_t i) { return static_cast<std::int64_t>(draw(i, 10, 1ULL << 62)); })},
                {"v", numbers(rows(1e7), real(11))}};
    if (name == "x") return db_benchmark::rows(rows(1e7), 100);
    table sensors{{"ts", times(rows(1e6), 12)}, {"id", numbers(rows(1e6), id(13, 100))}};
    for (std::size_t c = 0; c < floats.size(); ++c)
        sensors.add(floats[c], numbers(rows(1e6), [c](std::size_t i) {
                        return static_cast<double>(draw(i, 14 + c, 20'000'000)) / 1e6 + 1;
                    }));
    return sensors;
}

/// A file a column, named by its place and name; words as numbers, and a file of the words.
void write_npy(const fs::path& folder, const table& t) {
    fs::create_directories(folder);
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        const column& from = t.columns()[c];
        const fs::path path = folder / edge::message(c, "-", t.names()[c], ".npy");
        const auto save = [&]<class T>(std::span<const T> values) {
            edge::save_npy(path,
                           edge::tensor_view<const T>(values.data(), {static_cast<edge::index_t>(values.size())}));
        };
        if (from.kind() != kind::string) {
            dispatch_stored(from.kind(), [&]<class T>() { save(from.values<T>()); });
            continue;
        }
        const grouping words = table{{"word", from}}.group_by("word");
        const std::vector<std::int32_t> codes(words.ids().begin(), words.ids().end());
        save(std::span(codes));
        std::string lines;
        for (std::size_t i = 0; i < words.groups(); ++i) (lines += words.keys().columns()[0].text(i)) += '\n';
        edge::write_file(fs::path(path).replace_extension(".txt"), lines);
    }
}

void make(const fs::path& folder, double scale, bool pandas) {
    fs::create_directories(folder);
    for (const std::string name : {"readings", "imu", "gnss", "keys", "x", "sensors"}) {
        const table t = made(name, scale);
        write_parquet(folder / (name + ".parquet"), t);
        if (name == "sensors") write_csv(folder / "sensors.csv", t);
        if (pandas) write_npy(folder / name, t);
    }
}

void make_large(const fs::path& folder, std::size_t rows) {
    fs::create_directories(folder);
    parquet_writer to(folder / "x.parquet");
    constexpr std::size_t part = 1 << 21;
    for (std::size_t first = 0; first < rows; first += part) to.write(db_benchmark::rows(rows, 100, {}, first, part));
    to.close();
}

/// A group-by, and what becomes of its result.
struct question {
    std::vector<std::string> keys;
    std::vector<aggregate> wanted;
    table (*end)(const table&) = nullptr;

    [[nodiscard]] table ended(table t) const { return end != nullptr ? end(t) : t; }
};

struct job {
    std::vector<std::string> inputs;
    std::function<table(const std::map<std::string, table>&)> run;
    bool is_ordered = false;
};

std::vector<aggregate> each(aggregate (*function)(std::string), const std::vector<std::string>& columns) {
    std::vector<aggregate> all;
    for (const std::string& c : columns) all.push_back(function(c).as(c));
    return all;
}

/// The ten of the public group-by benchmark.
std::map<std::string, question> questions() {
    std::map<std::string, question> all;
    all["q1"] = {{"id1"}, {sum("v1").as("v1")}};
    all["q2"] = {{"id1", "id2"}, {sum("v1").as("v1")}};
    all["q3"] = {{"id3"}, {sum("v1").as("v1"), mean("v3").as("v3")}};
    all["q4"] = {{"id4"}, each(mean, {"v1", "v2", "v3"})};
    all["q5"] = {{"id6"}, each(sum, {"v1", "v2", "v3"})};
    all["q6"] = {{"id4", "id5"}, {median("v3").as("median_v3"), stddev("v3").as("sd_v3")}};
    all["q7"] = {{"id3"}, {max("v1"), min("v2")}, [](const table& t) {
                     const auto range = view<std::int32_t>(t.column("v1_max")) - view<std::int32_t>(t.column("v2_min"));
                     return t.select("id3").with("range_v1_v2", to_column(range));
                 }};
    all["q8"] = {{"id6"}, {largest("v3", 2).as("v3")}};
    all["q9"] = {{"id2", "id4"}, {corr("v1", "v2").as("r2")}, [](const table& t) {
                     const auto r = view<double>(t.column("r2"));
                     return t.select("id2", "id4").with("r2", to_column(r * r));
                 }};
    all["q10"] = {{"id1", "id2", "id3", "id4", "id5", "id6"}, {sum("v3").as("v3"), count().as("count")}};
    return all;
}

std::map<std::string, job> jobs_of(const fs::path& folder) {
    using inputs = const std::map<std::string, table>&;
    std::map<std::string, job> jobs;
    for (const auto& [name, q] : questions())
        jobs[name] = {{"x"}, [q = q](inputs in) { return q.ended(in.at("x").group_by(q.keys).agg(q.wanted)); }};
    jobs["group_mean"] = {{"readings"},
                          [](inputs in) { return in.at("readings").group_by("id").agg(mean("x").as("x")); }};
    jobs["csv_read"] = {{}, [=](inputs) { return read_csv(folder / "sensors.csv"); }};
    jobs["csv_write"] = {{"sensors"}, [=](inputs in) {
                             write_csv(folder / "edge.csv", in.at("sensors"));
                             return table();
                         }};
    jobs["rolling"] = {
        {"sensors"}, [](inputs in) {
            return rolling(in.at("sensors"),
                           {mean("ax").as("mean"), min("ax").as("min"), max("ax").as("max"), stddev("ax").as("std")},
                           {.rows = 100, .by = "id"});
        }};
    jobs["asof"] = {{"imu", "gnss"},
                    [](inputs in) { return join_asof(in.at("imu"), in.at("gnss"), {.on = "ts", .by = "id"}); }};
    jobs["sort"] = {{"keys"}, [](inputs in) { return sort(in.at("keys"), {{"k1"}, {"k2"}}); }, true};
    jobs["pipeline"] = {{}, [=](inputs) {
                            std::vector<std::string> columns{"id"};
                            columns.insert(columns.end(), floats.begin(), floats.end());
                            const table t = read_csv(folder / "sensors.csv", {.columns = columns});
                            write_parquet(folder / "edge.parquet", t.group_by("id").agg(each(mean, floats)));
                            return table();
                        }};
    jobs["floor_group_mean"] = {{"readings"}, [](inputs in) {
                                    const int threads = edge::threads();
                                    const column& id = in.at("readings").column("id");
                                    const column& x = in.at("readings").column("x");
                                    const auto read = [&](const column& c, std::size_t floats_each) {
                                        return floors::read(c.value_buffer().as<float>(),
                                                            static_cast<edge::index_t>(c.size() * floats_each),
                                                            threads);
                                    };
                                    return table{{"read", column(std::vector<float>{read(id, 1) + read(x, 2)})}};
                                }};
    return jobs;
}

/// Rows, and of each column of numbers or times (as seconds) the sum.
void print_sums(const table& t, bool is_ordered, const std::string& before = "") {
    std::cout << '{' << before << "\"rows\": " << t.rows();
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        const column& from = t.columns()[c];
        if (from.kind() == kind::string || from.kind() == kind::boolean) continue;
        long double sum = 0;
        dispatch_stored(from.kind(), [&]<class T>() {
            const auto values = from.values<T>();
            for (std::size_t i = 0; i < values.size(); ++i)
                if (from.is_valid(i) && values[i] == values[i])
                    sum += static_cast<long double>(values[i]) * (is_ordered ? static_cast<long double>(i % 1009) : 1);
        });
        if (from.kind() == kind::timestamp) sum /= 1e9L;
        std::cout << ", \"" << t.names()[c] << "\": " << edge::message(static_cast<double>(sum));
    }
    std::cout << '}' << std::endl;
}

/// Words that repeat are encoded, as the peers have them too.
table loaded(const fs::path& path) {
    const table from = read_parquet(path);
    table t;
    for (std::size_t c = 0; c < from.names().size(); ++c) {
        const column& values = from.columns()[c];
        t.add(from.names()[c], values.kind() == kind::string ? dictionary_encoded(values) : values);
    }
    return t;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Reads the columns that the question needs, a million rows at a time.
void stream(const fs::path& folder, const std::string& name) {
    const question q = questions().at(name);
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::string> columns = q.keys;
    for (const aggregate& a : q.wanted)
        for (const std::string& c : {a.column, a.other})
            if (!c.empty() && std::find(columns.begin(), columns.end(), c) == columns.end()) columns.push_back(c);
    parquet_reader reader(folder / "x.parquet", {.columns = columns, .dictionary = true});
    group_accumulator groups(q.keys, q.wanted);
    for (std::size_t first = 0, last = 0; first < reader.row_groups(); first = last) {
        last = reader.row_groups_with(first, 1'000'000);
        groups.update(reader.read_row_groups(first, last));
    }
    const table result = q.ended(std::move(groups).finish());
    print_sums(result, false, edge::message("\"seconds\": ", seconds_since(begin), ", "));
}

void serve(const fs::path& folder) {
    const std::map<std::string, job> jobs = jobs_of(folder);
    std::map<std::string, table> inputs;
    std::string what;
    std::string name;
    while (std::cin >> what >> name) {
        const auto found = jobs.find(name);
        if (found == jobs.end()) {
            std::cout << "{}" << std::endl;
            continue;
        }
        const job& j = found->second;
        std::erase_if(inputs, [&](const auto& in) {
            return std::find(j.inputs.begin(), j.inputs.end(), in.first) == j.inputs.end();
        });
        for (const std::string& input : j.inputs)
            if (!inputs.contains(input)) inputs[input] = loaded(folder / (input + ".parquet"));
        const auto begin = std::chrono::steady_clock::now();
        table result = j.run(inputs);
        const double seconds = seconds_since(begin);
        if (what == "run") {
            std::cout << "{\"seconds\": " << edge::message(seconds) << '}' << std::endl;
            continue;
        }
        if (name == "csv_write") result = read_csv(folder / "edge.csv");
        if (name == "pipeline") result = read_parquet(folder / "edge.parquet");
        print_sums(result, j.is_ordered);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    try {
        if (words.size() >= 3 && words[0] == "make")
            make(words[1], std::stod(words[2]), words.size() > 3);
        else if (words.size() == 3 && words[0] == "make_large")
            make_large(words[1], std::stoull(words[2]));
        else if (words.size() == 2 && words[0] == "serve")
            serve(words[1]);
        else if (words.size() == 3 && words[0] == "stream")
            stream(words[1], words[2]);
        else
            throw edge::argument_error("edge_peer_tables: see the top of tables.cpp");
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
