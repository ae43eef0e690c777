// SPDX-License-Identifier: MIT
// Classical learning on files: k-means, stratified split.

#include <edge/core/npy.hpp>
#include <edge/ml.hpp>

#include "common/numbers.hpp"
#include "common/program.hpp"
#include "common/row_output.hpp"
#include "common/table_file.hpp"

#include <cmath>
#include <map>

namespace {

using edge::index_t;
using edge::message;
using edge::tensor;
using edge::frame::kind;
using edge::frame::table;

bool is_npy(const std::string& path) { return std::filesystem::path(path).extension() == ".npy"; }

struct arguments {
    std::vector<std::string> inputs;
    std::string output;
    std::vector<std::string> columns;
    std::string centres;
    std::string label;
    edge::ml::kmeans_options kmeans;
    edge::ml::split_options split;
};

// ---- kmeans ----------------------------------------------------------------------------------------------------------

/// The numeric columns asked for, or all of them, as [rows, columns].
tensor<double> matrix_of(const table& t, std::vector<std::string>& columns, const std::string& source) {
    if (columns.empty())
        for (std::size_t i = 0; i < t.names().size(); ++i)
            if (const kind k = t.columns()[i].kind();
                k == kind::int32 || k == kind::int64 || k == kind::float32 || k == kind::float64)
                columns.push_back(t.names()[i]);
    if (columns.empty()) throw edge::argument_error(source + ": has no column of numbers");
    const auto d = static_cast<index_t>(columns.size());
    auto x = tensor<double>::uninitialized({static_cast<index_t>(t.rows()), d});
    for (index_t j = 0; j < d; ++j) {
        const std::string& name = columns[static_cast<std::size_t>(j)];
        const auto values = numbers(t, name, source);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!std::isfinite(values[i]))
                throw edge::argument_error(
                    message(source, ": column '", name, "', row ", i, " (from 0) is ",
                            t.column(name).is_valid(i) ? message(values[i]) : std::string("missing"),
                            "; expected a finite number"));
            x(static_cast<index_t>(i), j) = values[i];
        }
    }
    return x;
}

/// Values of any element type as double; float stays what it is.
template <class F>
void with_floats(const edge::any_tensor& t, F&& use) {
    if (t.is<float>()) return use(t.as<float>());
    if (t.is<double>()) return use(t.as<double>());
    t.visit([&](const auto& values) {
        auto x = tensor<double>::uninitialized(values.shape());
        for (index_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(values[i]);
        use(x);
    });
}

template <class T>
void write_centres(const std::string& path, const tensor<T>& centres, const std::vector<std::string>& columns) {
    if (is_npy(path)) return edge::save_npy(path, centres);
    table t;
    for (std::size_t j = 0; j < columns.size(); ++j) {
        std::vector<double> values;
        for (index_t c = 0; c < centres.shape()[0]; ++c)
            values.push_back(static_cast<double>(centres(c, static_cast<index_t>(j))));
        t.add(columns[j], edge::frame::column(std::move(values)));
    }
    write_table(path, t);
}

void run_kmeans(const program& app, const arguments& a) {
    const std::string source = a.inputs.size() == 1 ? a.inputs[0] : message(a.inputs.size(), " inputs");
    table t;
    std::vector<std::string> columns = a.columns;
    const auto cluster = [&](const auto& x) {
        const auto found = edge::ml::kmeans(x, a.kmeans);
        if (is_npy(a.output)) {
            edge::save_npy(a.output, found.labels);
        } else {
            t.add("cluster", edge::frame::column(std::vector<std::int32_t>(found.labels.begin(), found.labels.end())));
            write_table(a.output, t);
        }
        if (!a.centres.empty()) write_centres(a.centres, found.centres, columns);
        std::vector<index_t> sizes(static_cast<std::size_t>(a.kmeans.clusters));
        for (const std::int32_t label : found.labels) ++sizes[static_cast<std::size_t>(label)];
        if (!app.json) {
            std::cerr << message(a.kmeans.clusters, " clusters of ", x.shape()[0], " rows, inertia ", found.inertia,
                                 " after ", found.iterations, " iterations",
                                 found.converged ? "" : " (stopped before it settled)", "\n");
            return;
        }
        std::vector<std::vector<double>> centres;
        for (index_t c = 0; c < a.kmeans.clusters; ++c) {
            centres.emplace_back();
            for (index_t j = 0; j < x.shape()[1]; ++j)
                centres.back().push_back(static_cast<double>(found.centres(c, j)));
        }
        app.print_json({{"rows", x.shape()[0]},
                        {"columns", columns},
                        {"clusters", a.kmeans.clusters},
                        {"inertia", found.inertia},
                        {"iterations", found.iterations},
                        {"converged", found.converged},
                        {"sizes", sizes},
                        {"centres", centres},
                        {"output", a.output}});
    };
    if (!is_npy(a.inputs[0])) {
        t = read_tables(a.inputs);
        if (t.has("cluster") && !is_npy(a.output))
            throw edge::argument_error(source + ": has a column 'cluster' already");
        return cluster(matrix_of(t, columns, source));
    }
    with_floats(edge::load_npy(a.inputs[0]), [&](const auto& x) {
        if (x.rank() != 2)
            throw edge::shape_error(message(source, ": shape ", x.shape(), "; expected [rows, columns]"));
        for (index_t j = 0; j < x.shape()[1]; ++j) {
            columns.push_back(message("x", j));
            std::vector<double> values;
            for (index_t i = 0; i < x.shape()[0]; ++i) values.push_back(static_cast<double>(x(i, j)));
            t.add(columns.back(), edge::frame::column(std::move(values)));
        }
        cluster(x);
    });
}

// ---- split -----------------------------------------------------------------------------------------------------------

void run_split(const program& app, const arguments& a) {
    const std::string source = a.inputs.size() == 1 ? a.inputs[0] : message(a.inputs.size(), " inputs");
    table t = read_tables(a.inputs);
    if (t.has("split")) throw edge::argument_error(source + ": has a column 'split' already");
    const edge::frame::column& c = t.column(a.label);
    // As texts, so that labels of every kind are told apart and shown alike.
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < c.size(); ++i) {
        if (!c.is_valid(i))
            throw edge::argument_error(message(source, ": column '", a.label, "', row ", i, " (from 0) is missing"));
        switch (c.kind()) {
            case kind::int32: labels.push_back(message(c.values<std::int32_t>()[i])); break;
            case kind::int64: labels.push_back(message(c.values<std::int64_t>()[i])); break;
            case kind::boolean: labels.push_back(message(c.boolean(i))); break;
            case kind::string: labels.emplace_back(c.text(i)); break;
            default:
                throw edge::argument_error(message(source, ": column '", a.label, "' is of ",
                                                   edge::frame::to_string(c.kind()),
                                                   "; expected integers, booleans or texts"));
        }
    }
    const auto s = edge::ml::stratified_split(labels, a.split);
    std::vector<std::string> side(labels.size(), "train");
    for (const index_t i : s.test) side[static_cast<std::size_t>(i)] = "test";
    t.add("split", edge::frame::column(side));
    write_table(a.output, t);
    if (!app.json) {
        std::cerr << message(labels.size(), " rows: ", s.train.size(), " to train, ", s.test.size(), " to test\n");
        return;
    }
    nlohmann::ordered_json classes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        auto& counts = classes[labels[i]];
        if (counts.is_null()) counts = {{"train", 0}, {"test", 0}};
        counts[side[i]] = counts[side[i]].get<int>() + 1;
    }
    app.print_json({{"rows", labels.size()},
                    {"train", s.train.size()},
                    {"test", s.test.size()},
                    {"classes", classes},
                    {"output", a.output}});
}

}  // namespace

int main(int argc, char** argv) {
    program app("edge_ml", "Classical learning on files.");
    arguments a;
    app.cli.require_subcommand(1);

    auto& kmeans = *app.cli.add_subcommand("kmeans", "Group rows about k centres (k-means++, then Lloyd's iteration)");
    auto& split = *app.cli.add_subcommand("split", "Mark rows as train or test, each class in proportion");
    for (auto* command : {&kmeans, &split}) {
        command
            ->add_option("IN", a.inputs, "Tables: .csv .parquet .json, folders of them, or - for CSV on standard input")
            ->required();
        command->add_option("-o,--output", a.output)->type_name("OUT")->required();
    }
    kmeans.get_option("IN")->description(
        "Tables: .csv .parquet .json, folders of them, - for CSV on standard input;\n"
        "or one .npy of shape [rows, columns]");
    kmeans.get_option("-o")->description(
        "The table with a column 'cluster' (.csv .parquet .json, - for CSV);\n"
        "or .npy: the clusters alone, int32");
    split.get_option("-o")->description(
        "The table with a column 'split': train or test (.csv .parquet .json, - for CSV)");

    kmeans.add_option("-k,--k", a.kmeans.clusters, "Number of clusters")
        ->type_name("K")
        ->check(CLI::Range(1, 1 << 24))
        ->required();
    kmeans.add_option("--columns", a.columns, "Columns to go by, with commas between (default: all that hold numbers)")
        ->type_name("A,B")
        ->delimiter(',');
    kmeans.add_option("--centres", a.centres, "Also write the centres, row c being that of cluster c")
        ->type_name("FILE");
    kmeans.add_option("--restarts", a.kmeans.restarts, "Runs from other first centres; the best is kept")
        ->type_name("N")
        ->check(CLI::Range(1, 1 << 24))
        ->capture_default_str();
    kmeans.add_option("--max-iterations", a.kmeans.max_iterations, "Of each run")
        ->type_name("N")
        ->check(CLI::Range(1, 1 << 24))
        ->capture_default_str();
    kmeans
        .add_option("--tolerance", a.kmeans.tolerance,
                    "Stop when the centres move less, squared, in mean variances of the columns")
        ->type_name("T")
        ->capture_default_str();
    kmeans.add_option("--seed", a.kmeans.seed, "Of the random numbers; the same seed gives the same result")
        ->type_name("S")
        ->capture_default_str();
    split.add_option("--label", a.label, "Column that holds the class")->type_name("COLUMN")->required();
    split.add_option("--test-fraction", a.split.test_fraction, "Share of the rows to test with, between 0 and 1")
        ->type_name("F")
        ->capture_default_str();
    split.add_option("--seed", a.split.seed, "Of the random numbers; the same seed gives the same split")
        ->type_name("S")
        ->capture_default_str();

    app.cli.parse_complete_callback([&] {
        if (app.json && a.output == "-")
            throw CLI::ValidationError("--output", "standard output cannot hold both OUT and --json");
        if (kmeans.parsed() && is_npy(a.inputs[0]) && (a.inputs.size() > 1 || !a.columns.empty()))
            throw CLI::ValidationError("IN", "one .npy is taken alone and whole: no other inputs, no --columns");
        if (split.parsed() && !(a.split.test_fraction > 0 && a.split.test_fraction < 1))
            throw CLI::ValidationError("--test-fraction", message(a.split.test_fraction, "; expected between 0 and 1"));
        if (kmeans.parsed() && !(a.kmeans.tolerance >= 0))
            throw CLI::ValidationError("--tolerance", message(a.kmeans.tolerance, "; expected 0 or more"));
    });
    return app.run(argc, argv, [&] { kmeans.parsed() ? run_kmeans(app, a) : run_split(app, a); });
}
