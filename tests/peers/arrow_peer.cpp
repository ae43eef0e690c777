// SPDX-License-Identifier: MIT
// Tables that DuckDB reads from this program's memory, and results of DuckDB that become tables here: over the Arrow C
// interfaces, in one process.
//
//     arrow_peer LIBDUCKDB            the shared library, which is loaded at run time

#include "duckdb.hpp"

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

namespace {

template <class T>
column numbers(std::size_t rows, std::mt19937_64& random, const std::vector<bool>& valid) {
    std::vector<T> values(rows);
    for (T& v : values) {
        if constexpr (std::is_floating_point_v<T>)
            v = random() % 7 == 0 ? std::numeric_limits<T>::infinity()
                                  : static_cast<T>(static_cast<double>(random()) / 1e15);
        else
            v = random() % 7 == 0 ? std::numeric_limits<T>::lowest() : static_cast<T>(random());
    }
    return column(std::move(values), valid);
}

table samples(std::size_t rows) {
    std::mt19937_64 random(3);
    std::vector<bool> valid(rows);
    std::vector<bool> flags(rows);
    std::vector<std::string> words(rows);
    std::vector<std::string> lines(rows);
    std::vector<std::int64_t> ns(rows);
    std::vector<std::int32_t> days(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        valid[i] = random() % 4 != 0;
        flags[i] = random() % 2 != 0;
        words[i] = std::vector<std::string>{"left", "na\xC3\xAFve", "",
                                            "\xF0\x9F\x9A\x80 and more bytes than twelve"}[random() % 4];
        lines[i] = std::string(random() % 30, 'x') + std::to_string(i);
        ns[i] = static_cast<std::int64_t>(random() % 2'000'000'000'000'000'000) - 500'000'000'000'000'000;
        days[i] = static_cast<std::int32_t>(random() % 100'000) - 50'000;
    }
    table t;
    for (const bool gaps : {false, true}) {
        const std::vector<bool> v = gaps ? valid : std::vector<bool>{};
        const std::string end = gaps ? "_gaps" : "";
        t.add("flag" + end, column(flags, v));
        t.add("i8" + end, numbers<std::int8_t>(rows, random, v));
        t.add("i16" + end, numbers<std::int16_t>(rows, random, v));
        t.add("i32" + end, numbers<std::int32_t>(rows, random, v));
        t.add("i64" + end, numbers<std::int64_t>(rows, random, v));
        t.add("u8" + end, numbers<std::uint8_t>(rows, random, v));
        t.add("u16" + end, numbers<std::uint16_t>(rows, random, v));
        t.add("u32" + end, numbers<std::uint32_t>(rows, random, v));
        t.add("u64" + end, numbers<std::uint64_t>(rows, random, v));
        t.add("f32" + end, numbers<float>(rows, random, v));
        t.add("f64" + end, numbers<double>(rows, random, v));
        t.add("day" + end, column::dates(days, v));
        t.add("ts" + end, column::timestamps(ns, v));
        t.add("line" + end, column(lines, v));
        t.add("word" + end, dictionary_encoded(column(words, v)));
    }
    return t;
}

/// The first difference of two columns, or nothing.
std::string difference(const column& a, const column& b) {
    if (a.kind() != b.kind()) return message("is of ", to_string(b.kind()), ", not ", to_string(a.kind()));
    if (a.size() != b.size()) return message("has ", b.size(), " rows, not ", a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        bool same = a.is_valid(i) == b.is_valid(i);
        if (same && a.is_valid(i)) {
            if (a.kind() == kind::string)
                same = a.text(i) == b.text(i);
            else if (a.kind() == kind::boolean)
                same = a.boolean(i) == b.boolean(i);
            else
                dispatch_stored(a.kind(), [&]<class T>() { same = a.values<T>()[i] == b.values<T>()[i]; });
        }
        if (!same) return message("differs in row ", i);
    }
    return "";
}

int compare(duckdb& db) {
    int checks = 0;
    int failed = 0;
    const auto check = [&](const std::string& what, const std::string& why) {
        ++checks;
        if (why.empty()) return;
        ++failed;
        std::cout << what << ": " << why << '\n';
    };
    const table all = samples(20'000);
    for (const table& t : {all, all.slice(7, 9'001), all.slice(3, 1), all.slice(5, 0)}) {
        // Marked as instants in UTC, DuckDB rounds times to microseconds.
        arrow_stream stream = to_arrow_stream(t, 6'000, {.mark_utc = false});
        db.scan("t", stream);
        const table back = db.query("SELECT * FROM t");
        if (t.rows() == 0) {  // DuckDB gives no part then
            check("no rows", back.rows() == 0 ? "" : "has rows");
            continue;
        }
        for (std::size_t i = 0; i < t.names().size(); ++i) {
            const std::string& name = t.names()[i];
            const std::string what = message(t.rows(), " rows, column ", name);
            check(what, back.has(name) ? difference(t.columns()[i], back.column(name)) : "is not there");
        }
    }

    // What DuckDB computes of it: sums of integers are decimals there.
    std::int64_t sum = 0;
    const auto ints = all.column("i32_gaps").values<std::int32_t>();
    for (std::size_t i = 0; i < ints.size(); ++i) sum += all.column("i32_gaps").is_valid(i) ? ints[i] : 0;
    arrow_stream stream = to_arrow_stream(all);
    db.scan("t", stream);
    // Of all columns: of a few, the function would expect a stream that knows which.
    (void)db.query("CREATE TABLE kept AS SELECT * FROM t");
    const table got = db.query("SELECT sum(i32_gaps) AS sum, count(DISTINCT word) AS words, max(ts) AS last FROM kept");
    check("sum", got.column("sum").values<double>()[0] == static_cast<double>(sum) ? "" : "differs");
    check("words", got.column("words").values<std::int64_t>()[0] == 4 ? "" : "differs");
    check("an instant", got.column("last").kind() == kind::timestamp ? "" : "is not a timestamp");

    // Types of DuckDB's own.
    const table own = db.query(
        "SELECT 'word ' || (i % 3) AS text, make_timestamp(i * 1000003) AS us, CAST(i / 4 AS DECIMAL(18, 2)) AS "
        "decimal, "
        "CASE WHEN i % 2 = 0 THEN 'even' END::ENUM('odd', 'even') AS choice, NULL AS nothing FROM range(5000) t(i)");
    check("text", own.column("text").text(4999) == "word 1" ? "" : "differs");
    check("us", own.column("us").values<std::int64_t>()[4999] == 4999LL * 1'000'003'000 ? "" : "differs");
    check("decimal", own.column("decimal").values<double>()[4999] == 1249.75 ? "" : "differs");
    check("choice", own.column("choice").text(4998) == "even" && !own.column("choice").is_valid(4999) ? "" : "differs");
    check("choice", own.column("choice").is_dictionary() ? "" : "has lost its dictionary");
    check("nothing", own.column("nothing").null_count() == 5000 ? "" : "differs");
    try {
        (void)db.query("SELECT [1, 2] AS list");
        check("a list", "is not refused");
    } catch (const unsupported_error& e) {
        check("a list", std::string(e.what()).find("'list'") != std::string::npos ? "" : "is not named");
    }
    std::cout << checks << " checks, " << failed << " failed\n";
    return failed == 0 && checks > 80 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: arrow_peer LIBDUCKDB\n";
        return 2;
    }
    try {
        duckdb db(argv[1]);
        return compare(db);
    } catch (const std::exception& e) {
        std::cerr << "arrow_peer: error: " << e.what() << '\n';
        return 1;
    }
}
