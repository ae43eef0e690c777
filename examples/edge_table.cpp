// SPDX-License-Identifier: MIT

/// @file Tables on the command line: select, filter, join in time, smooth, group, sort, summarize, convert.
///
///     edge_table imu/ --filter 'ax > 2' --group-by sensor --agg mean:ax,quantile@0.95:ay:p95 -o busy.csv
///     edge_table imu.csv --asof gnss.csv --on ts --by vehicle --tolerance 50ms -o fused.parquet
///
/// Without -o the table is shown. The steps run in this order, whatever that of the options: as-of join, filters,
/// rolling, group-by, sort, head, select, describe. Files larger than memory are worked on in pieces where the steps
/// allow: all but rolling, and sorting rows.

#include "common/program.hpp"
#include "common/row_output.hpp"
#include "common/terminal.hpp"
#include "table/arguments.hpp"
#include "table/stream.hpp"

namespace {

using edge::message;
using namespace edge::frame;
using namespace table_arguments;

struct options {
    std::vector<std::string> inputs, filters, rollings;
    std::string select, group_by, aggregates, asof, on, by, within, sort_by, codec, output;
    std::optional<std::int64_t> head;
    bool grouped = false;
    bool describe = false;
    std::optional<std::uint64_t> memory;
};

/// What became of the rows: for the last line, or for --json.
struct outcome {
    std::vector<std::pair<std::string, kind>> columns;
    std::size_t rows = 0;
};

outcome outcome_of(const table& t) {
    outcome o;
    o.rows = t.rows();
    for (std::size_t c = 0; c < t.names().size(); ++c) o.columns.emplace_back(t.names()[c], t.columns()[c].kind());
    return o;
}

/// To the file, or to the reader of the terminal.
void give(const table& t, const options& o) {
    if (!o.output.empty()) return write_table(o.output, t, o.codec);
    std::cout << to_text(t, {.width = terminal_width()});
}

/// What comes before rows meet each other: the join with a table that is there whole, and the filters.
class row_steps {
public:
    explicit row_steps(const options& o) : options_(o) {
        join_ = {.on = o.on, .by = o.by};
        if (!o.within.empty()) join_.tolerance = parse_tolerance(o.within);
        if (!o.asof.empty()) right_ = read_tables({o.asof});
    }
    [[nodiscard]] table operator()(table t) const {
        if (right_) t = join_asof(t, *right_, join_);
        for (const std::string& where : options_.filters) t = filter(t, where);
        return t;
    }

private:
    const options& options_;
    asof_options join_;
    std::optional<table> right_;
};

/// What comes after: of rows that are there whole.
table finished(table t, const options& o) {
    if (!o.sort_by.empty()) t = sort(t, sort_list(o.sort_by, t));
    if (o.head) t = t.head(static_cast<std::size_t>(*o.head));
    if (!o.select.empty()) t = t.select(column_list(o.select, t));
    return o.describe ? describe(t) : t;
}

std::vector<std::string> keys_of(const options& o, const table& t) {
    return o.group_by.empty() ? std::vector<std::string>{} : column_list(o.group_by, t);
}

/// All rows in memory.
outcome run_whole(const options& o) {
    table t = row_steps(o)(read_tables(o.inputs));
    for (const std::string& list : o.rollings)
        for (const std::string& item : split_list(list, [](const std::string&) { return false; })) add_rolling(t, item);
    if (o.grouped) t = t.group_by(keys_of(o, t)).agg(aggregate_list(o.aggregates, t));
    t = finished(std::move(t), o);
    give(t, o);
    return outcome_of(t);
}

/// Whether the steps need no more than a batch of rows, the groups, or the answers at a time.
bool can_stream(const options& o) {
    const bool answers = o.grouped || o.describe || o.head;
    return o.rollings.empty() && (o.grouped || o.sort_by.empty()) && (answers || !o.output.empty());
}

/// Which columns the steps use; none where that may be all. Names are those of `t`, without what a join brings.
table_stream::choice columns_used(const options& o) {
    if (!o.asof.empty() || (!o.grouped && o.select.empty())) return {};
    return [&o](const table& t) {
        std::vector<std::string> used;
        const auto use = [&](const std::string& name) {
            if (!name.empty() && std::find(used.begin(), used.end(), name) == used.end()) used.push_back(name);
        };
        for (const std::string& name : o.grouped ? keys_of(o, t) : column_list(o.select, t)) use(name);
        for (const std::string& where : o.filters) use(parse_condition(where, t).column);
        if (!o.grouped) return used;
        for (const aggregate& a : aggregate_list(o.aggregates, t)) {
            use(a.column);
            use(a.other);
        }
        return used;
    };
}

outcome run_streamed(const options& o, const std::vector<std::filesystem::path>& files) {
    const row_steps steps(o);
    const table_stream::choice used = columns_used(o);
    if (o.grouped) {
        std::optional<group_accumulator> groups;
        table_stream rows(files, used);
        while (auto batch = rows.next()) {
            const table t = steps(std::move(*batch));
            if (!groups) groups.emplace(keys_of(o, t), aggregate_list(o.aggregates, t));
            groups->update(t);
        }
        const table t = finished(std::move(*groups).finish(), o);
        give(t, o);
        return outcome_of(t);
    }
    const auto each = [&](auto&& use) {
        auto left = o.head ? static_cast<std::size_t>(*o.head) : (std::numeric_limits<std::size_t>::max)();
        table_stream rows(files, used);
        while (auto batch = rows.next()) {
            table t = steps(std::move(*batch));
            t = t.head(left);
            left -= t.rows();
            use(o.select.empty() ? t : t.select(column_list(o.select, t)));
            if (left == 0) break;
        }
    };
    if (o.describe) {
        describe_accumulator all;
        do each([&](const table& t) { all.update(t); });
        while (all.next_pass());
        const table t = all.finish();
        give(t, o);
        return outcome_of(t);
    }
    outcome done;
    std::vector<table> shown;
    std::optional<row_output> out;
    if (!o.output.empty()) out.emplace(o.output, o.codec);
    each([&](const table& t) {
        out ? out->write(t) : shown.push_back(t);
        const std::size_t rows = done.rows + t.rows();
        done = outcome_of(t);
        done.rows = rows;
    });
    if (out)
        out->close();
    else
        give(concat(shown), o);
    return done;
}

}  // namespace

int main(int argc, char** argv) {
    program app("edge_table", "Tables in CSV, Parquet and JSON: filter, join, group, sort, convert.");
    options o;
    auto& cli = app.cli;
    cli.add_option("IN", o.inputs, "Files, folders or patterns of .csv, .parquet, .json; - is standard input (CSV)")
        ->required();
    cli.add_option("--select", o.select, "Columns to keep: c,...");
    cli.add_option("--filter", o.filters, "Rows to keep: 'COLUMN OP VALUE', OP one of == != < <= > >=; may be repeated")
        ->allow_extra_args(false);
    auto* keys = cli.add_option("--group-by", o.group_by, "Columns that make groups: k,...");
    auto* agg = cli.add_option("--agg", o.aggregates,
                               "Of each group: fn:col[:name],... with count sum mean min max std var median quantile@q "
                               "first last nunique");
    cli.add_option("--rolling", o.rollings, "Column of the last N rows at each row: fn:col:N[:name],...")
        ->allow_extra_args(false);
    auto* join = cli.add_option("--asof", o.asof, "To each row, the latest row of this file that is not later");
    auto* at = cli.add_option("--on", o.on, "Column of time of the join");
    cli.add_option("--by", o.by, "Column that must be equal in the join")->needs(join);
    auto* limit =
        cli.add_option("--tolerance", o.within, "How much earlier: units of the column, or 50ms for timestamps");
    cli.add_option("--sort", o.sort_by, "Columns to sort by: c[:desc],...");
    cli.add_option("--head", o.head, "First N rows")->check([](const std::string& n) {
        return std::string(n.starts_with('-') ? "expected 0 or more" : "");
    });
    cli.add_flag("--describe", o.describe, "Statistics of each column of numbers instead of the rows");
    auto* compression = cli.add_option("--codec", o.codec, "Of Parquet: none, snappy, zstd or gzip")
                            ->check(CLI::IsMember({"none", "snappy", "zstd", "gzip"}));
    cli.add_option("--memory", o.memory,
                   "Inputs of more bytes, such as 4GiB, are worked on in pieces, unless rows are sorted or smoothed; "
                   "an eighth of the machine's memory unless said otherwise")
        ->transform(CLI::AsSizeValue(false));
    cli.add_option("-o,--output", o.output,
                   "File to write, by extension; - is standard output (CSV). Without it, the table is shown");
    keys->needs(agg);
    join->needs(at);
    at->needs(join);
    limit->needs(join);
    cli.callback([&] {
        if (app.json && o.output == "-") throw CLI::ValidationError("--json and -o - both want standard output");
        if (app.json && o.output.empty())
            throw CLI::ValidationError("--json needs -o: a table that is shown is no JSON");
        if (compression->count() != 0 && !o.output.ends_with(".parquet"))
            throw CLI::ValidationError("--codec is for .parquet, not for " + o.output);
    });

    return app.run(argc, argv, [&] {
        if (!o.output.empty() && o.output != "-") (void)table_file::extension_of(o.output);  // before any work
        o.grouped = agg->count() != 0;
        const auto files = files_of(o.inputs);
        const bool streams =
            can_stream(o) && !files.empty() && bytes_of(files) > o.memory.value_or(memory_of_machine() / 8);
        const outcome done = streams ? run_streamed(o, files) : run_whole(o);
        if (app.json) {
            nlohmann::ordered_json columns = nlohmann::ordered_json::array();
            for (const auto& [name, kind] : done.columns)
                columns.push_back({{"name", name}, {"kind", to_string(kind)}});
            app.print_json({{"output", o.output}, {"rows", done.rows}, {"columns", columns}});
        } else if (!o.output.empty() && o.output != "-") {
            std::cerr << "edge_table: " << done.rows << " rows, " << done.columns.size() << " columns -> " << o.output
                      << '\n';
        }
    });
}
