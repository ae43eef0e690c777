// SPDX-License-Identifier: MIT
// Random tables, and the same operation by this library and by DuckDB: the results must be equal, cell by cell.
//
//     random_peer LIBDUCKDB FOLDER SEED CASES       FOLDER for files that both read
//
// Tables have nulls, NaN, infinities, -0, the extremes of integers, no rows, one row, one group, as many groups as rows.
// The SQL says what this library does by itself: NaN counts as missing, and missing values come last. Floats may differ by
// 1e-9 of their size, for sums are added up in another order.

#include "duckdb.hpp"

#include <edge/frame.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace edge;
using namespace edge::frame;

namespace {

/// A draw of random numbers that is the same with every standard library.
struct dice {
    std::mt19937_64 bits;

    std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }
    bool chance(double p) { return static_cast<double>(bits() >> 11) * 0x1p-53 < p; }
    template <class T>
    const T& of(const std::vector<T>& list) {
        return list[below(list.size())];
    }
};

/// A value of a column: of few digits, so that sums are nearly exact, or with `wild` of the whole range.
template <class T>
T value(dice& d, bool wild) {
    using limits = std::numeric_limits<T>;
    if constexpr (std::is_floating_point_v<T>) {
        if (d.chance(0.05)) return limits::quiet_NaN();
        if (wild && d.chance(0.3))
            return d.of<T>({limits::infinity(), -limits::infinity(), -T{0}, (limits::max)(), limits::denorm_min()});
        return static_cast<T>(static_cast<double>(d.below(2'000'001)) / 1e3 - 1e3);
    } else {
        if (wild && d.chance(0.3)) return d.chance(0.5) ? (limits::max)() : limits::lowest();
        const auto least = std::is_signed_v<T> ? -60 : 0;
        return static_cast<T>(static_cast<int>(d.below(120)) + least);
    }
}

/// @param different  about how many different values there are
column random_column(dice& d, kind k, std::size_t rows, std::size_t different, double missing, bool wild) {
    std::vector<bool> valid;
    if (missing > 0)
        for (std::size_t i = 0; i < rows; ++i) valid.push_back(!d.chance(missing));
    std::vector<std::size_t> pick(rows);
    for (std::size_t& p : pick) p = d.below(different);
    if (k == kind::boolean) {
        std::vector<bool> flags(rows);
        for (std::size_t i = 0; i < rows; ++i) flags[i] = pick[i] % 2 != 0;
        return column(flags, valid);
    }
    if (k == kind::string) {
        std::vector<std::string> words(rows);
        for (std::size_t i = 0; i < rows; ++i) {
            words[i] = std::vector<std::string>{
                "", "a", "é", "long words of many bytes ", "\xF0\x9F\x9A\x80", "it's, "}[pick[i] % 6];
            if (pick[i] >= 6) words[i] += std::to_string(pick[i]);
        }
        const column plain(words, valid);
        return d.chance(0.5) ? dictionary_encoded(plain) : plain;
    }
    return dispatch_stored(k, [&]<class T>() {
        std::vector<T> pool(different);
        for (T& v : pool) v = value<T>(d, wild);
        std::vector<T> values(rows);
        for (std::size_t i = 0; i < rows; ++i) values[i] = pool[pick[i]];
        if constexpr (std::is_same_v<T, std::int64_t>)
            if (k == kind::timestamp) {
                for (T& v : values) v = v % 4'000'000'000 * 1'000'000'007 + 1'700'000'000'000'000'000;
                return column::timestamps(std::move(values), valid);
            }
        if constexpr (std::is_same_v<T, std::int32_t>)
            if (k == kind::date) {
                for (T& v : values) v = v % 1'000'000;
                return column::dates(std::move(values), valid);
            }
        return column(std::move(values), valid);
    });
}

const std::vector<kind> all_kinds{kind::boolean, kind::int8,   kind::int16,     kind::int32,  kind::int64,
                                  kind::uint8,   kind::uint16, kind::uint32,    kind::uint64, kind::float32,
                                  kind::float64, kind::date,   kind::timestamp, kind::string};

/// Row numbers, a third of them as steps, two keys, and a column of each kind by its name; `wild` ones as well.
table random_table(dice& d, std::size_t most) {
    const std::size_t rows = (std::min)(most, d.of<std::size_t>({0, 1, 2, 7, 60, 500, 3000}));
    const double missing = d.of<double>({0, 0.1, 0.9, 1});
    std::vector<std::int64_t> numbers(rows);
    for (std::size_t i = 0; i < rows; ++i) numbers[i] = static_cast<std::int64_t>(i);
    table t{{"row", column(numbers)}};
    for (std::int64_t& n : numbers) n /= 3;
    t.add("step", column(numbers));
    for (const std::string key : {"k1", "k2"})
        t.add(key, random_column(d, d.of(all_kinds), rows, d.of<std::size_t>({1, 3, 20, rows + 1}),
                                 d.of<double>({0, 0.1}), d.chance(0.5)));
    for (const kind k : all_kinds) t.add(to_string(k), random_column(d, k, rows, rows + 1, missing, false));
    t.add("wild_int64", random_column(d, kind::int64, rows, rows + 1, missing, true));
    t.add("wild_uint64", random_column(d, kind::uint64, rows, rows + 1, missing, true));
    t.add("wild_float64", random_column(d, kind::float64, rows, rows + 1, missing, true));
    return t;
}

/// A column in SQL, with NaN as missing.
std::string value_of(const table& t, const std::string& name, const std::string& from = "") {
    const std::string c = from + name;
    return is_float(t.column(name).kind()) ? "CASE WHEN isnan(" + c + ") THEN NULL ELSE " + c + " END" : c;
}

double number(const column& c, std::size_t i) {
    if (c.kind() == kind::boolean) return c.boolean(i) ? 1 : 0;
    return dispatch_stored(c.kind(), [&]<class T>() { return static_cast<double>(c.values<T>()[i]); });
}

/// An integer, or false in `is_one`; those of uint64 beyond int64 wrap, the same on both sides.
std::int64_t integer(const column& c, std::size_t i, bool& is_one) {
    is_one = c.kind() == kind::date || c.kind() == kind::timestamp || is_integer(c.kind());
    if (!is_one) return 0;
    return dispatch_stored(c.kind(), [&]<class T>() {
        if constexpr (std::is_integral_v<T>) return static_cast<std::int64_t>(c.values<T>()[i]);
        return std::int64_t{0};
    });
}

std::string shown(const column& c, std::size_t i) {
    if (!c.is_valid(i)) return "null";
    return c.kind() == kind::string ? "'" + std::string(c.text(i)) + "'" : message(number(c, i));
}

bool same(const column& a, const column& b, std::size_t i) {
    if (!a.is_valid(i) || !b.is_valid(i)) return a.is_valid(i) == b.is_valid(i);
    if (a.kind() == kind::string || b.kind() == kind::string) return a.kind() == b.kind() && a.text(i) == b.text(i);
    bool both = false;
    bool is_one = false;
    const std::int64_t x = integer(a, i, both);
    const std::int64_t y = integer(b, i, is_one);
    if (both && is_one) return x == y;
    const double p = number(a, i);
    const double q = number(b, i);
    if (p == q || (p != p && q != q)) return true;
    return std::abs(p - q) <= 1e-9 * (1e3 + (std::max)(std::abs(p), std::abs(q)));
}

/// The first difference, or nothing.
std::string difference(const table& ours, const table& theirs) {
    if (ours.rows() != theirs.rows()) return message(ours.rows(), " rows, DuckDB has ", theirs.rows());
    if (ours.rows() == 0) return "";
    if (ours.names().size() != theirs.names().size())
        return message(ours.names().size(), " columns, DuckDB has ", theirs.names().size());
    for (std::size_t c = 0; c < ours.names().size(); ++c)
        for (std::size_t i = 0; i < ours.rows(); ++i)
            if (!same(ours.columns()[c], theirs.columns()[c], i))
                return message("column ", ours.names()[c], ", row ", i, ": ", shown(ours.columns()[c], i),
                               ", DuckDB has ", shown(theirs.columns()[c], i));
    return "";
}

/// Columns of floats with NaN as missing.
table without_nan(const table& t, std::size_t columns) {
    table changed;
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        const column& from = t.columns()[c];
        if (c >= columns || !is_float(from.kind())) {
            changed.add(t.names()[c], from);
            continue;
        }
        std::vector<double> values(from.size());
        std::vector<bool> valid(from.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = number(from, i);
            valid[i] = from.is_valid(i) && values[i] == values[i];
        }
        changed.add(t.names()[c], column(values, valid));
    }
    return changed;
}

/// What was asked, and both answers.
struct outcome {
    std::string what;
    std::string sql;
    table ours;
    table theirs;
};

class comparison_with_duckdb {
public:
    comparison_with_duckdb(duckdb& db, std::filesystem::path folder, std::uint64_t seed)
        : db_(db), folder_(std::move(folder)), seed_(seed) {}

    outcome run(std::size_t number) {
        d_.bits.seed(seed_ * 1'000'003 + number);
        t_ = random_table(d_, 3000);
        load("t", t_);
        using operation = outcome (comparison_with_duckdb::*)();
        static constexpr operation operations[] = {
            &comparison_with_duckdb::group,  &comparison_with_duckdb::sorted, &comparison_with_duckdb::filtered,
            &comparison_with_duckdb::rolled, &comparison_with_duckdb::asof,   &comparison_with_duckdb::csv,
            &comparison_with_duckdb::joined, &comparison_with_duckdb::once,   &comparison_with_duckdb::greatest,
        };
        return (this->*operations[number % std::size(operations)])();
    }

private:
    /// In DuckDB's memory: over Arrow, or through a Parquet file.
    void load(const std::string& name, const table& t) {
        if (d_.chance(0.7)) return db_.create(name, t);
        const std::string file = (folder_ / (name + ".parquet")).string();
        write_parquet(file, t, {.row_group_rows = 1000});
        (void)db_.query("CREATE OR REPLACE TABLE " + name + " AS SELECT * FROM read_parquet('" + file + "')");
    }

    outcome ask(std::string what, std::string sql, table ours) {
        table theirs = db_.query(sql);
        return {std::move(what), std::move(sql), std::move(ours), std::move(theirs)};
    }

    std::string any_column(bool (*fits)(kind)) {
        for (;;) {
            const std::string& name = t_.names()[d_.below(t_.names().size())];
            if (fits(t_.column(name).kind())) return name;
        }
    }

    /// An aggregate that the column's kind has, and its SQL.
    std::pair<aggregate, std::string> any_aggregate(bool for_windows) {
        for (;;) {
            const std::string& name = t_.names()[d_.below(t_.names().size())];
            const kind k = t_.column(name).kind();
            const auto what = static_cast<statistic>(d_.below(for_windows ? 9 : 17));
            const bool is_wild = name.starts_with("wild") || name.starts_with("k");
            const std::string v = value_of(t_, name);
            const std::string numbers = k == kind::boolean ? v + "::INTEGER" : v;
            const std::string there = " FILTER (WHERE " + v + " IS NOT NULL)";
            const bool adds = is_number(k) && !is_wild;
            if (for_windows && !is_number(k)) continue;
            switch (what) {
                case statistic::count: return {count(name), "count(" + v + ")"};
                case statistic::sum:
                    if (!adds && k != kind::boolean) continue;
                    if (is_float(k)) return {sum(name), "coalesce(sum(" + v + "), 0)"};
                    return {sum(name), "CAST(coalesce(sum(" + numbers + "), 0) AS BIGINT)"};
                case statistic::mean:
                    if (!adds && k != kind::boolean) continue;
                    return {mean(name), "avg(" + numbers + ")"};
                case statistic::min: return {min(name), "min(" + v + ")"};
                case statistic::max: return {max(name), "max(" + v + ")"};
                case statistic::std:
                    if (!adds) continue;
                    return {stddev(name), "stddev_samp(" + v + ")"};
                case statistic::var:
                    if (!adds) continue;
                    return {variance(name), "var_samp(" + v + ")"};
                case statistic::median:
                    if (!adds) continue;
                    return {median(name), "quantile_cont(CAST(" + v + " AS DOUBLE), 0.5)"};
                case statistic::quantile: {
                    if (!adds) continue;
                    const double q = d_.of<double>({0, 0.05, 0.25, 0.9, 1});
                    return {quantile(name, q), message("quantile_cont(CAST(", v, " AS DOUBLE), ", q, ')')};
                }
                case statistic::first: return {first(name), "arg_min(" + name + ", row)" + there};
                case statistic::last: return {last(name), "arg_max(" + name + ", row)" + there};
                case statistic::nunique: return {nunique(name), "count(DISTINCT " + v + ")"};
                case statistic::arg_min:
                case statistic::arg_max: {
                    const std::string by =
                        d_.of<std::string>({"int8", "float32", "wild_float64", "timestamp", "string"});
                    const std::string at = value_of(t_, by);
                    const std::string known = " FILTER (WHERE " + at + " IS NOT NULL)";
                    if (what == statistic::arg_min)
                        return {arg_min(name, by), "arg_min_null(" + name + ", {a: " + at + ", b: row})" + known};
                    return {arg_max(name, by), "arg_max_null(" + name + ", {a: " + at + ", b: -row})" + known};
                }
                case statistic::corr:  // of integers, in which a constant is one
                    if (!adds || is_float(k)) continue;
                    return {corr(name, "int16"),
                            "CASE WHEN isfinite(corr(" + v + ", int16)) THEN corr(" + v + ", int16) END"};
                default: continue;
            }
        }
    }

    outcome group() {
        std::vector<std::string> keys{"k1", "k2"};
        keys.resize(1 + d_.below(2));
        std::vector<aggregate> wanted{count().as("rows")};
        std::string select;
        std::string by;
        for (const std::string& key : keys) {
            select += value_of(t_, key) + " AS " + key + ", ";
            by += (by.empty() ? "" : ", ") + value_of(t_, key);
        }
        select += "count(*) AS rows";
        for (int i = 0; i < 6; ++i) {
            const auto [a, sql] = any_aggregate(false);
            wanted.push_back(a.as(message(a.result_name(), '_', i)));
            select += message(", ", sql, " AS a", i);
        }
        std::string order;
        for (const std::string& key : keys) order += (order.empty() ? "" : ", ") + key + " NULLS LAST";
        const bool by_parts = d_.chance(0.4);
        const bool as_seen = !by_parts && d_.chance(0.3);
        if (as_seen) order = "seen";
        const table ours = by_parts  ? accumulated(keys, wanted)
                           : as_seen ? t_.group_by(keys).ordered(group_order::first_seen).agg(wanted)
                                     : t_.group_by(keys).agg(wanted);
        return ask("group by " + by,
                   "SELECT * EXCLUDE seen FROM (SELECT " + select + ", min(row) AS seen FROM t GROUP BY " + by +
                       ") ORDER BY " + order,
                   without_nan(ours, keys.size()));
    }

    /// By batches of two accumulators, one of which goes through bytes.
    table accumulated(const std::vector<std::string>& keys, const std::vector<aggregate>& wanted) {
        group_accumulator all(keys, wanted);
        group_accumulator rest(keys, wanted);
        const std::size_t third = t_.rows() / 3;
        const std::size_t step = 1 + d_.below(700);
        all.update(t_.head(0));
        for (std::size_t i = 0; i < third; i += step) all.update(t_.slice(i, (std::min)(step, third - i)));
        rest.update(t_.slice(third, third));
        all.merge(group_accumulator::from_bytes(rest.bytes()));
        all.update(t_.slice(2 * third, t_.rows() - 2 * third));
        return all.finish();
    }

    outcome sorted() {
        std::vector<sort_key> keys;
        std::string order;
        for (std::size_t i = 0; i < 1 + d_.below(3); ++i) {
            const std::string name = i == 0 && d_.chance(0.7) ? "k1" : any_column([](kind) { return true; });
            const bool descending = d_.chance(0.5);
            const bool first = d_.chance(0.3);
            keys.push_back(
                {name, descending ? order::descending : order::ascending, first ? nulls::first : nulls::last});
            order +=
                value_of(t_, name) + (descending ? " DESC" : " ASC") + (first ? " NULLS FIRST, " : " NULLS LAST, ");
        }
        return ask("sort", "SELECT row FROM t ORDER BY " + order + "row", sort(t_, keys).select("row"));
    }

    outcome filtered() {
        const std::string name = any_column([](kind k) { return k != kind::date; });
        const column& c = t_.column(name);
        const std::string sign = d_.of<std::string>({"==", "!=", "<", "<=", ">", ">="});
        std::string literal = "0";
        if (c.size() != 0) {
            const std::size_t i = d_.below(c.size());
            if (c.kind() == kind::string)
                literal = c.text(i);
            else if (c.is_valid(i) && number(c, i) == number(c, i))
                dispatch_text(c, i, literal);
        }
        std::string v = value_of(t_, name);
        std::string sql_literal = literal;
        if (c.kind() == kind::string) sql_literal = quoted(literal);
        if (c.kind() == kind::boolean) sql_literal = literal = d_.chance(0.5) ? "true" : "false";
        if (c.kind() == kind::timestamp) v = "epoch_ns(" + v + ")";
        if (is_float(c.kind())) {
            v = "CAST(" + v + " AS DOUBLE)";
            sql_literal = "CAST('" + literal + "' AS DOUBLE)";
        } else if (is_integer(c.kind()) && literal.size() < 16 && d_.chance(0.3)) {  // that a double holds
            literal += ".5";
            sql_literal = literal;
            v = "CAST(" + v + " AS DECIMAL(38, 2))";
        }
        return ask(
            "filter " + name + sign + literal,
            "SELECT row FROM t WHERE " + v + ' ' + (sign == "==" ? "=" : sign) + ' ' + sql_literal + " ORDER BY row",
            filter(t_, name + ' ' + sign + " \"" + literal + '"').select("row"));
    }

    outcome rolled() {
        const std::size_t window = d_.of<std::size_t>({1, 2, 3, 10, 100, 5000});
        const std::string by = d_.of<std::string>({"", "k1", "string"});
        const bool by_time = d_.chance(0.3);
        rolling_options options{.by = by};
        if (by_time) {
            options.time = static_cast<std::int64_t>(window);
            options.on = "step";
        } else {
            options.rows = window;
        }
        std::string select = "row";
        std::vector<aggregate> wanted;
        for (int i = 0; i < 4; ++i) {
            const auto [a, sql] = any_aggregate(true);
            std::string windowed = sql;
            const bool is_sum = a.what == statistic::sum;  // of no values a rolling sum is missing
            if (is_sum) windowed = "sum(" + value_of(t_, a.column) + ')';
            windowed += " OVER w";
            if (is_sum && !is_float(t_.column(a.column).kind())) windowed = "CAST(" + windowed + " AS BIGINT)";
            select += message(", ", windowed, " AS a", i);
            wanted.push_back(a.as(message('a', i)));
        }
        table ours{{"row", t_.column("row")}};
        const table computed = rolling(t_, wanted, options);
        for (const aggregate& a : wanted) ours.add(a.name, computed.column(a.name));
        return ask(
            message("rolling ", window),
            message("SELECT ", select, " FROM t WINDOW w AS (", by.empty() ? "" : "PARTITION BY " + value_of(t_, by),
                    by_time ? " ORDER BY step RANGE" : " ORDER BY row ROWS", " BETWEEN ", window - 1,
                    " PRECEDING AND CURRENT ROW) ORDER BY row"),
            ours);
    }

    /// Two small tables, l and r.
    std::pair<table, table> two_tables() {
        const table left = t_.head(300);
        dice other{std::mt19937_64(d_.bits())};
        const table right = random_table(other, 300);
        load("l", left);
        load("r", right);
        return {left, right};
    }

    /// These columns of the right table and the row; the keys by other names, or by the left table's.
    std::pair<table, std::vector<std::string>> right_keys(const table& right, std::vector<std::string> keys) {
        std::vector<std::string> columns = keys;
        columns.push_back("row");
        table chosen = right.select(columns);
        if (d_.chance(0.5)) return {chosen, {}};
        for (std::string& key : keys) {
            chosen = chosen.rename(key, "its_" + key);
            key = "its_" + key;
        }
        return {chosen, keys};
    }

    outcome asof() {
        using side = edge::frame::asof;
        const auto tables = two_tables();
        const std::string on = d_.of<std::string>({"int32", "uint16", "int64", "float64", "timestamp"});
        const auto by = d_.of<std::vector<std::string>>({{}, {"boolean"}, {"int8"}, {"boolean", "int8"}});
        const auto limit = d_.of<std::int64_t>({-1, 0, 10, 1'000'000'000'000});
        const auto direction = d_.of<side>({side::backward, side::forward, side::nearest});
        const bool exact = d_.chance(0.7);
        const auto time_of = [&](const char* from) {
            const std::string v = value_of(t_, on, from);
            return on == "timestamp" ? "epoch_ns(" + v + ")::HUGEINT" : on == "float64" ? v : v + "::HUGEINT";
        };
        const std::string at = time_of("l.");
        const std::string from = time_of("r.");
        const std::string equal = exact ? "=" : "";
        std::string match = "true";
        for (const std::string& key : by) match += " AND l." + key + " = r." + key;
        if (limit >= 0) match += message(" AND abs(", at, " - ", from, ") <= ", limit);
        asof_options options{.on = on, .by = by};
        options.direction = direction;
        options.exact = exact;
        if (limit >= 0) options.tolerance = limit;
        const std::string before = " FILTER (WHERE " + from + " <" + equal + ' ' + at + ')';
        const std::string after = " FILTER (WHERE " + from + " >" + equal + ' ' + at + ')';
        const std::string place = "{seen: " + from + ", place: r.row}";
        const std::string chosen = direction == side::backward ? "b"
                                   : direction == side::forward
                                       ? "f"
                                       : "CASE WHEN f IS NULL OR here - bt <= ft - here THEN b ELSE f END";
        std::vector<std::string> keys{on};
        keys.insert(keys.end(), by.begin(), by.end());
        const auto [right, right_names] = right_keys(tables.second, keys);
        if (!right_names.empty()) {
            options.right_on = right_names.front();
            options.right_by = std::vector<std::string>(right_names.begin() + 1, right_names.end());
        }
        return ask("asof on " + on,
                   "SELECT row, " + chosen + " AS found FROM (SELECT l.row AS row, any_value(" + at +
                       ") AS here, max_by(r.row, " + place + ")" + before + " AS b, max(" + from + ")" + before +
                       " AS bt, min_by(r.row, " + place + ")" + after + " AS f, min(" + from + ")" + after +
                       " AS ft FROM l LEFT JOIN r ON " + match + " GROUP BY l.row) ORDER BY row",
                   join_asof(tables.first, right, options).select("row", "row_right"));
    }

    outcome joined() {
        const auto tables = two_tables();
        const auto on = d_.of<std::vector<std::string>>({{"int8"},
                                                         {"boolean", "uint8"},
                                                         {"string"},
                                                         {"float32"},
                                                         {"date", "boolean"},
                                                         {"wild_float64"},
                                                         {"wild_uint64"}});
        const auto how =
            d_.of<join_how>({join_how::inner, join_how::left, join_how::full, join_how::semi, join_how::anti});
        std::string match = "true";
        for (const std::string& key : on) match += " AND " + value_of(t_, key, "l.") + " = " + value_of(t_, key, "r.");
        const auto [right, right_on] = right_keys(tables.second, on);
        const table ours = join(tables.first, right, {.on = on, .right_on = right_on, .how = how});
        if (how == join_how::semi || how == join_how::anti)
            return ask("join",
                       std::string("SELECT row FROM l WHERE ") + (how == join_how::anti ? "NOT " : "") +
                           "EXISTS (SELECT 1 FROM r WHERE " + match + ") ORDER BY row",
                       ours.select("row"));
        const char* words = how == join_how::inner ? "" : how == join_how::left ? "LEFT" : "FULL";
        return ask("join",
                   message("SELECT l.row AS row, r.row AS row_right FROM l ", words, " JOIN r ON ", match,
                           " ORDER BY l.row NULLS LAST, r.row"),
                   ours.select("row", "row_right"));
    }

    /// Unique rows.
    outcome once() {
        const auto keys =
            d_.of<std::vector<std::string>>({{"k1"}, {"k1", "k2"}, {"boolean", "int8"}, {"string"}, {"float32"}});
        const auto which = d_.of<keep>({keep::first, keep::last, keep::none});
        std::string by;
        for (const std::string& key : keys) by += (by.empty() ? "" : ", ") + value_of(t_, key);
        return ask("unique " + by,
                   std::string("SELECT ") + (which == keep::last ? "max" : "min") + "(row) AS row FROM t GROUP BY " +
                       by + (which == keep::none ? " HAVING count(*) = 1" : "") + " ORDER BY row",
                   unique(t_, keys, which).select("row"));
    }

    /// The k greatest or least values of each group.
    outcome greatest() {
        const std::string name = any_column([](kind k) { return is_number(k); });
        const std::size_t k = d_.of<std::size_t>({1, 2, 10});
        const bool least = d_.chance(0.5);
        const std::string key = value_of(t_, "k1");
        const std::string v = value_of(t_, name);
        const table ours = t_.group_by("k1").agg((least ? smallest(name, k) : largest(name, k)).as("v"));
        return ask(
            "greatest " + name,
            message("SELECT key, v FROM (SELECT ", key, " AS key, ", v, " AS v, row_number() OVER (PARTITION BY ", key,
                    " ORDER BY ", v, least ? " ASC" : " DESC", " NULLS LAST) AS n, count(", v, ") OVER (PARTITION BY ",
                    key, ") AS there FROM t) WHERE n <= greatest(1, least(there, ", k, ")) ORDER BY key NULLS LAST, n"),
            without_nan(ours, 1));
    }

    outcome csv() {
        const bool ours_writes = d_.chance(0.5);
        const std::string file = (folder_ / "t.csv").string();
        std::string types;
        std::vector<std::pair<std::string, kind>> kinds;
        const table t = t_;
        for (std::size_t c = 0; c < t.names().size(); ++c) {
            static const char* names[] = {"BOOLEAN",  "TINYINT",   "SMALLINT",     "INTEGER", "BIGINT",
                                          "UTINYINT", "USMALLINT", "UINTEGER",     "UBIGINT", "FLOAT",
                                          "DOUBLE",   "DATE",      "TIMESTAMP_NS", "VARCHAR"};
            const kind k = t.columns()[c].kind();
            kinds.emplace_back(t.names()[c], k);
            types += message(c == 0 ? "" : ", ", '\'', t.names()[c], "': '", names[static_cast<std::size_t>(k)], '\'');
        }
        if (ours_writes) {
            write_csv(file, t);
            return ask("csv of ours",
                       "SELECT * FROM read_csv('" + file +
                           "', header = true, delim = ',', quote = '\"', escape = '\"', "
                           "nullstr = '', allow_quoted_nulls = false, columns = {" +
                           types + "})",
                       t);
        }
        (void)db_.query("COPY (SELECT * FROM t ORDER BY row) TO '" + file + "' (FORMAT csv, HEADER)");
        return ask("csv of DuckDB's", "SELECT * FROM t ORDER BY row", read_csv(file, {.kinds = kinds}));
    }

    static std::string quoted(const std::string& text) {
        std::string all = "'";
        for (const char c : text) all += c == '\'' ? "''" : std::string(1, c);
        return all + '\'';
    }
    static void dispatch_text(const column& c, std::size_t i, std::string& text) {
        if (c.kind() == kind::boolean) return;
        dispatch_stored(c.kind(), [&]<class T>() {
            if constexpr (std::is_floating_point_v<T>)
                text = message(static_cast<double>(c.values<T>()[i]));
            else
                text = message(+c.values<T>()[i]);
        });
    }

    duckdb& db_;
    std::filesystem::path folder_;
    std::uint64_t seed_;
    dice d_;
    table t_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: random_peer LIBDUCKDB FOLDER SEED CASES\n";
        return 2;
    }
    try {
        const std::filesystem::path folder = argv[2];
        std::filesystem::create_directories(folder);
        const std::uint64_t seed = std::stoull(argv[3]);
        const std::size_t cases = std::stoul(argv[4]);
        duckdb db(argv[1]);
        comparison_with_duckdb comparison(db, folder, seed);
        std::size_t failed = 0;
        std::size_t rows = 0;
        for (std::size_t i = 0; i < cases && failed < 10; ++i) {
            std::string why;
            outcome o;
            try {
                o = comparison.run(i);
                why = difference(o.ours, o.theirs);
                rows += o.ours.rows();
            } catch (const std::exception& e) {
                why = e.what();
            }
            if (why.empty()) continue;
            ++failed;
            std::cout << "seed " << seed << ", case " << i << ": " << o.what << ": " << why << "\n    " << o.sql
                      << '\n';
        }
        std::cout << cases << " cases, " << rows << " rows of results, " << failed << " failed\n";
        return failed == 0 && rows > cases ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << "random_peer: error: " << e.what() << '\n';
        return 1;
    }
}
