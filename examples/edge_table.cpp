// SPDX-License-Identifier: MIT

/// @file Tables on the command line: select, filter, join in time, smooth, group, sort, summarize, convert.
///
///     edge_table imu/ --filter 'ax > 2' --group-by sensor --agg mean:ax,quantile@0.95:ay:p95 -o busy.csv
///     edge_table imu.csv --asof gnss.csv --on ts --by vehicle --tolerance 50ms -o fused.parquet
///
/// The steps run in this order, whatever that of the options: as-of join, filters, rolling, group-by, sort, head, select,
/// describe.

#include "common/program.hpp"
#include "common/table_file.hpp"

#include <chrono>

namespace {

using edge::message;
using namespace edge::frame;

/// Items of a list with commas between. An item may hold commas itself where that makes it one that is `known`.
template <class Known>
std::vector<std::string> split_list(const std::string& text, Known&& known) {
    std::vector<std::string> pieces{""};
    for (const char c : text) {
        if (c == ',')
            pieces.emplace_back();
        else
            pieces.back() += c;
    }
    std::vector<std::string> items;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        std::string item = pieces[i];
        std::size_t end = i;
        while (!known(item) && end + 1 < pieces.size()) item += "," + pieces[++end];
        if (known(item)) {
            items.push_back(item);
            i = end;
        } else {
            items.push_back(pieces[i]);
        }
    }
    return items;
}

std::vector<std::string> column_list(const std::string& text, const table& t) {
    return split_list(text, [&](const std::string& name) { return t.has(name); });
}

/// `fn:col[:name]`; `count` alone counts rows.
aggregate parse_aggregate(const std::string& text, const table& t) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
        const aggregate a = aggregate_from_string(text, "");
        if (a.what == statistic::count) return a;
        throw edge::argument_error(message("'", text, "' names no column; expected FUNCTION:COLUMN[:NAME]"));
    }
    const std::string function = text.substr(0, colon);
    const std::string rest = text.substr(colon + 1);
    const std::size_t last = rest.rfind(':');
    if (t.has(rest) || last == std::string::npos) return aggregate_from_string(function, rest);
    return aggregate_from_string(function, rest.substr(0, last)).as(rest.substr(last + 1));
}

std::vector<aggregate> aggregate_list(const std::string& text, const table& t) {
    const auto known = [&](const std::string& item) {
        const std::size_t colon = item.find(':');
        if (colon == std::string::npos) return item == "count";
        const std::string rest = item.substr(colon + 1);
        return t.has(rest) || t.has(rest.substr(0, rest.rfind(':')));
    };
    std::vector<aggregate> wanted;
    for (const std::string& item : split_list(text, known)) wanted.push_back(parse_aggregate(item, t));
    return wanted;
}

/// Adds what `fn:col:N[:name]` asks for.
void add_rolling(table& t, const std::string& text) {
    const std::size_t colon = text.find(':');
    for (std::size_t at = text.find(':', colon + 1); colon != std::string::npos && at != std::string::npos;
         at = text.find(':', at + 1)) {
        const std::string name = text.substr(colon + 1, at - colon - 1);
        if (!t.has(name) && text.find(':', at + 1) != std::string::npos) continue;
        const std::size_t next = text.find(':', at + 1);
        const std::string digits = text.substr(at + 1, next == std::string::npos ? next : next - at - 1);
        std::size_t rows = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rows);
        if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) continue;
        const aggregate a = aggregate_from_string(text.substr(0, colon), name);
        t.add(next == std::string::npos ? message(a.result_name(), "_", rows) : text.substr(next + 1),
              rolling(t, a, rows));
        return;
    }
    throw edge::argument_error(
        message("rolling '", text, "'; expected FUNCTION:COLUMN:ROWS[:NAME] of a column that is there"));
}

std::vector<sort_key> sort_list(const std::string& text, const table& t) {
    const auto parse = [&](const std::string& item) -> sort_key {
        if (!t.has(item) && item.ends_with(":desc")) return {item.substr(0, item.size() - 5), order::descending};
        return {item};
    };
    std::vector<sort_key> keys;
    for (const auto& item : split_list(text, [&](const std::string& i) { return t.has(parse(i).column); }))
        keys.push_back(parse(item));
    return keys;
}

/// `500`, in the units of the column, or a duration such as `50ms`, `1.5s`.
time_span parse_tolerance(const std::string& text) {
    constexpr std::pair<std::string_view, double> units[] = {{"ns", 1},     {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                                                             {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    std::int64_t whole = 0;
    double value = 0;
    const char* end = text.data() + text.size();
    if (const auto r = std::from_chars(text.data(), end, whole); r.ec == std::errc{} && r.ptr == end) return whole;
    const auto number = std::from_chars(text.data(), end, value);
    if (number.ec == std::errc{} && number.ptr == end) return value;
    for (const auto& [unit, ns] : units)
        if (number.ec == std::errc{} &&
            unit == std::string_view(number.ptr, static_cast<std::size_t>(end - number.ptr)))
            return std::chrono::duration<double, std::nano>(value * ns);
    throw edge::argument_error(message("tolerance '", text, "'; expected a number, or a duration such as 50ms"));
}

}  // namespace

int main(int argc, char** argv) {
    program app("edge_table", "Tables in CSV, Parquet and JSON: filter, join, group, sort, convert.");
    std::vector<std::string> inputs, filters, rollings;
    std::string select, group_by, aggregates, asof, on, by, within, sort_by, codec, output;
    std::int64_t head = 0;
    bool summary = false;
    auto& cli = app.cli;
    cli.add_option("IN", inputs, "Files, folders or patterns of .csv, .parquet, .json; - is standard input (CSV)")
        ->required();
    cli.add_option("--select", select, "Columns to keep: c,...");
    cli.add_option("--filter", filters, "Rows to keep: 'COLUMN OP VALUE', OP one of == != < <= > >=; may be repeated")
        ->allow_extra_args(false);
    auto* keys = cli.add_option("--group-by", group_by, "Columns that make groups: k,...");
    auto* agg = cli.add_option("--agg", aggregates,
                               "Of each group: fn:col[:name],... with count sum mean min max std var median quantile@q "
                               "first last nunique");
    cli.add_option("--rolling", rollings, "Column of the last N rows at each row: fn:col:N[:name],...")
        ->allow_extra_args(false);
    auto* join = cli.add_option("--asof", asof, "To each row, the latest row of this file that is not later");
    auto* at = cli.add_option("--on", on, "Column of time of the join");
    cli.add_option("--by", by, "Column that must be equal in the join")->needs(join);
    auto* limit =
        cli.add_option("--tolerance", within, "How much earlier: units of the column, or 50ms for timestamps");
    cli.add_option("--sort", sort_by, "Columns to sort by: c[:desc],...");
    auto* first = cli.add_option("--head", head, "First N rows")->check([](const std::string& n) {
        return std::string(n.starts_with('-') ? "expected 0 or more" : "");
    });
    cli.add_flag("--describe", summary, "Statistics of each column of numbers instead of the rows");
    auto* compression = cli.add_option("--codec", codec, "Of Parquet: none, snappy or zstd")
                            ->check(CLI::IsMember({"none", "snappy", "zstd"}));
    cli.add_option("-o,--output", output, "File to write, by extension; - is standard output (CSV)")->required();
    keys->needs(agg);
    join->needs(at);
    at->needs(join);
    limit->needs(join);
    cli.callback([&] {
        if (app.json && output == "-") throw CLI::ValidationError("--json and -o - both want standard output");
        if (compression->count() != 0 && !output.ends_with(".parquet"))
            throw CLI::ValidationError("--codec is for .parquet, not for " + output);
    });

    return app.run(argc, argv, [&] {
        if (output != "-") (void)table_file::extension_of(output);  // before any work
        table t = read_tables(inputs);
        if (!asof.empty()) {
            asof_options options{.on = on, .by = by};
            if (!within.empty()) options.tolerance = parse_tolerance(within);
            t = join_asof(t, read_tables({asof}), options);
        }
        for (const std::string& where : filters) t = filter(t, where);
        for (const std::string& list : rollings)
            for (const std::string& item : split_list(list, [](const std::string&) { return false; }))
                add_rolling(t, item);
        if (agg->count() != 0)
            t = t.group_by(keys->count() != 0 ? column_list(group_by, t) : std::vector<std::string>{})
                    .agg(aggregate_list(aggregates, t));
        if (!sort_by.empty()) t = sort(t, sort_list(sort_by, t));
        if (first->count() != 0) t = t.head(static_cast<std::size_t>(head));
        if (!select.empty()) t = t.select(column_list(select, t));
        if (summary) t = describe(t);
        write_table(output, t, codec);
        if (app.json) {
            nlohmann::ordered_json columns = nlohmann::ordered_json::array();
            for (std::size_t c = 0; c < t.names().size(); ++c)
                columns.push_back({{"name", t.names()[c]}, {"kind", to_string(t.columns()[c].kind())}});
            app.print_json({{"output", output}, {"rows", t.rows()}, {"columns", columns}});
        } else if (output != "-") {
            std::cerr << "edge_table: " << t.rows() << " rows, " << t.names().size() << " columns -> " << output
                      << '\n';
        }
    });
}
