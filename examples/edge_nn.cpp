// SPDX-License-Identifier: MIT

// Models: what is in one, running it on files, how right and how fast it is, quantizing it.

#include "common/onnx_test_folder.hpp"
#include "common/program.hpp"
#include "nn/bench.hpp"
#include "nn/evaluate.hpp"
#include "nn/image_folder.hpp"
#include "nn/quantize.hpp"

#include <edge/core/npy.hpp>
#include <edge/nn.hpp>

#include <iomanip>
#include <optional>
#include <set>

namespace {

using json = nlohmann::ordered_json;

std::string shape_text(const edge::nn::value_info& v) {
    if (v.any_rank) return "any shape";
    std::string text;
    for (const auto& d : v.dims)
        text += edge::message(text.empty() ? "" : "x", d.size >= 0        ? std::to_string(d.size)
                                                       : d.symbol.empty() ? "?"
                                                                          : d.symbol);
    return text.empty() ? "scalar" : text;
}

json json_of(const edge::shape& s) {
    auto list = json::array();
    for (const auto n : s) list.push_back(n);
    return list;
}

json json_of(const std::vector<edge::nn::value_info>& values) {
    auto list = json::array();
    for (const auto& v : values) {
        json dims = json::array();
        for (const auto& d : v.dims)
            dims.push_back(d.size >= 0 ? json(d.size) : d.symbol.empty() ? json(nullptr) : json(d.symbol));
        list.push_back(
            {{"name", v.name}, {"dtype", edge::to_string(v.type)}, {"shape", v.any_rank ? json(nullptr) : dims}});
    }
    return list;
}

/// Extents that the model leaves open are taken as 1.
void info(const program& app, const std::string& path) {
    edge::nn::session session{edge::nn::load_onnx(path)};
    const edge::nn::graph& g = session.model();
    std::vector<edge::shape> shapes;
    for (const auto& v : g.inputs) {
        edge::index_list extents;
        for (const auto& d : v.dims) extents.push_back(d.size >= 0 ? d.size : 1);
        shapes.emplace_back(extents);
    }
    session.plan(shapes);
    const auto layers = session.layers();
    edge::index_t macs = 0;
    edge::index_t parameters = 0;
    for (const auto& layer : layers) {
        macs += layer.macs;
        parameters += layer.parameters;
    }
    if (app.json) {
        json list = json::array();
        for (const auto& layer : layers) {
            json outputs = json::array();
            for (const auto& o : layer.outputs)
                outputs.push_back({{"dtype", edge::to_string(o.type)}, {"shape", json_of(o.shape)}});
            list.push_back({{"name", layer.name},
                            {"op", layer.op_type},
                            {"outputs", outputs},
                            {"macs", layer.macs},
                            {"parameters", layer.parameters},
                            {"folded", layer.is_folded}});
        }
        app.print_json({{"name", g.name},
                        {"opset", g.opset},
                        {"inputs", json_of(g.inputs)},
                        {"outputs", json_of(g.outputs)},
                        {"macs", macs},
                        {"parameters", parameters},
                        {"peak_activation_bytes", session.peak_bytes()},
                        {"arena_bytes", session.arena_bytes()},
                        {"notes", g.notes},
                        {"layers", list}});
        return;
    }
    std::cout << "model    " << g.name << ", opset " << g.opset << '\n';
    for (const auto& v : g.inputs)
        std::cout << "input    " << v.name << "  " << edge::to_string(v.type) << ' ' << shape_text(v) << '\n';
    for (const auto& v : g.outputs)
        std::cout << "output   " << v.name << "  " << edge::to_string(v.type) << ' ' << shape_text(v) << '\n';
    for (const auto& note : g.notes) std::cout << "note     " << note << '\n';
    std::cout << '\n'
              << std::left << std::setw(36) << "layer" << std::setw(22) << "operator" << std::setw(28) << "result"
              << std::right << std::setw(14) << "MACs" << std::setw(12) << "parameters" << '\n';
    for (const auto& layer : layers) {
        const std::string result =
            layer.outputs.empty() ? "not known before a run" : edge::nn::to_string(layer.outputs[0]);
        std::cout << std::left << std::setw(36) << layer.name << std::setw(22)
                  << layer.op_type + (layer.is_folded ? " (folded)" : "") << std::setw(28) << result << std::right
                  << std::setw(14) << layer.macs << std::setw(12) << layer.parameters << '\n';
    }
    std::cout << '\n'
              << layers.size() << " layers, " << static_cast<double>(macs) / 1e6 << " M MACs, "
              << static_cast<double>(parameters) / 1e6 << " M parameters, "
              << static_cast<double>(session.peak_bytes()) / 1024 << " KiB of activations at the most, "
              << static_cast<double>(session.arena_bytes()) / 1024 << " KiB of arena\n";
}

/// A name of a value as one of a file: what is not a letter, digit, '.', '-' or '_' becomes '_', and so does a leading '.'.
std::string file_name(const std::string& value, std::set<std::string>& taken) {
    std::string name;
    for (const char c : value) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || (c == '.' && !name.empty());
        name += plain ? c : '_';
    }
    if (name.empty()) name = "output";
    std::string free = name;
    for (int i = 2; !taken.insert(free).second; ++i) free = name + "_" + std::to_string(i);
    return free;
}

void run(const program& app, const std::string& path, const std::vector<std::string>& inputs,
         const std::string& folder) {
    edge::nn::session session{edge::nn::load_onnx(path)};
    std::vector<std::pair<std::string, edge::any_tensor>> tensors;
    for (const auto& input : inputs) {
        const auto cut = input.find('=');
        if (cut == std::string::npos) throw edge::argument_error("-i " + input + ": expected NAME=FILE.npy");
        tensors.emplace_back(input.substr(0, cut), edge::load_npy(input.substr(cut + 1)));
    }
    std::vector<edge::nn::session::named_input> named;
    for (const auto& [name, tensor] : tensors) named.emplace_back(name, tensor);
    const auto& results = session(std::span<const edge::nn::session::named_input>(named));
    std::filesystem::create_directories(folder);
    std::set<std::string> taken;
    json outputs = json::array();
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto& name = session.model().outputs[i].name;
        const auto file = std::filesystem::path(folder) / (file_name(name, taken) + ".npy");
        edge::save_npy(file, results[i]);
        outputs.push_back({{"name", name},
                           {"dtype", edge::to_string(results[i].dtype())},
                           {"shape", json_of(results[i].shape())},
                           {"file", file.string()}});
        if (!app.json)
            std::cout << name << "  " << edge::to_string(results[i].dtype()) << ' '
                      << edge::to_string(results[i].shape()) << "  " << file.string() << '\n';
    }
    if (app.json) app.print_json({{"outputs", outputs}});
}

/// @param against  another model, whose answers are compared; or ""
void eval(const program& app, const std::string& path, const std::string& against, const image_folder& folder,
          int threads) {
    edge::nn::session session{edge::nn::load_onnx(path), {.threads = threads}};
    need_one_input(session.model(), path);
    std::optional<edge::nn::session> other;
    if (!against.empty()) {
        other.emplace(edge::nn::load_onnx(against), edge::nn::session_options{.threads = threads});
        need_one_input(other->model(), against);
    }
    const accuracy score =
        evaluate(session, read_labels(folder.path, folder.wanted), folder.how(), other ? &*other : nullptr);
    if (app.json) {
        json told{{"top1", score.percent(score.top1)},
                  {"top5", score.percent(score.top5)},
                  {"images", score.images},
                  {"p50_ms", score.run.milliseconds(0.5)}};
        if (other) told["agreement"] = score.percent(score.same);
        app.print_json(told);
        return;
    }
    std::cout << "images  " << score.images << "\ntop-1   " << score.percent(score.top1) << " %\ntop-5   "
              << score.percent(score.top5) << " %\nP50     " << score.run.milliseconds(0.5) << " ms\n";
    if (other) std::cout << "agrees  " << score.percent(score.same) << " %, with " << against << '\n';
}

void bench(const program& app, const std::string& path, int threads, int runs) {
    using clock = std::chrono::steady_clock;
    const int used = threads == 0 ? edge::threads() : threads;
    const auto start = clock::now();
    edge::nn::session session{edge::nn::load_onnx(path), {.threads = used, .profile = true}};
    const auto inputs = filled_inputs(session.model());
    std::vector<edge::shape> shapes;
    for (const auto& x : inputs) shapes.push_back(x.shape());
    session.plan(shapes);
    const double load_ms = std::chrono::duration<double, std::milli>(clock::now() - start).count();
    const run_times times = time_runs(session, inputs, runs);
    const auto layers = session.layers();
    const bool in_integers =
        std::any_of(layers.begin(), layers.end(), [](const auto& layer) { return layer.op_type.starts_with("QConv"); });
    const double peak = in_integers ? 2e-9 * floors::integer_peak(used) : peak_gflops(used);
    edge::index_t macs = 0;
    for (const auto& layer : layers) macs += layer.macs;
    const double p50 = times.quantile(0.5);
    const double gflops = 2e-6 * static_cast<double>(macs) / p50;
    if (app.json) {
        json list = json::array();
        for (const auto& layer : layers)
            list.push_back({{"name", layer.name},
                            {"op", layer.op_type},
                            {"macs", layer.macs},
                            {"ms", 1e3 * layer.seconds},
                            {"folded", layer.is_folded}});
        app.print_json({{"threads", used},
                        {"runs", runs},
                        {"load_ms", load_ms},
                        {"p50_ms", p50},
                        {"p95_ms", times.quantile(0.95)},
                        {"p99_ms", times.quantile(0.99)},
                        {"min_ms", times.ms.front()},
                        {"fps", 1e3 / p50},
                        {"arena_bytes", session.arena_bytes()},
                        {"macs", macs},
                        {"gflops", gflops},
                        {"peak_gflops", peak},
                        {"share_of_peak", gflops / peak},
                        {"layers", list}});
        return;
    }
    std::cout << std::fixed << std::left << std::setw(36) << "layer" << std::setw(22) << "operator" << std::right
              << std::setw(12) << "MACs" << std::setw(10) << "ms" << std::setw(8) << "%" << std::setw(10) << "GFLOP/s"
              << '\n';
    double all = 0;
    for (const auto& layer : layers) all += layer.seconds;
    for (const auto& layer : layers) {
        if (layer.is_folded) continue;
        const double speed = layer.seconds > 0 ? 2e-9 * static_cast<double>(layer.macs) / layer.seconds : 0;
        std::cout << std::left << std::setw(36) << layer.name << std::setw(22) << layer.op_type << std::right
                  << std::setw(12) << layer.macs << std::setprecision(3) << std::setw(10) << 1e3 * layer.seconds
                  << std::setprecision(1) << std::setw(8) << (all > 0 ? 100 * layer.seconds / all : 0) << std::setw(10)
                  << speed << '\n';
    }
    std::cout << std::setprecision(2) << "\nthreads  " << used << "\nload     " << load_ms << " ms\nP50      " << p50
              << " ms\nP95      " << times.quantile(0.95) << " ms\nP99      " << times.quantile(0.99)
              << " ms\nFPS      " << 1e3 / p50 << "\narena    " << session.arena_bytes() << " bytes\nGFLOP/s  "
              << gflops << ", " << 100 * gflops / peak << " % of this machine's " << peak << '\n';
}

void check(const program& app, const std::string& folder, const tolerance& t) {
    const auto result = check_onnx_folder(folder, t);
    if (!result.difference.empty()) throw edge::error(result.difference);
    if (app.json)
        app.print_json({{"sets", result.sets}, {"outputs", result.outputs}, {"agree", true}});
    else
        std::cout << result.outputs << " outputs of " << result.sets << " data sets agree\n";
}

}  // namespace

int main(int argc, char** argv) {
    program app("edge_nn", "Neural networks from ONNX files.");
    app.cli.require_subcommand(1);

    std::string model;
    auto* info_command =
        app.cli.add_subcommand("info", "Layers, shapes, multiply-adds, parameters and memory of a model");
    info_command->add_option("MODEL", model, "ONNX file")->required();

    std::vector<std::string> inputs;
    std::string folder;
    auto* run_command = app.cli.add_subcommand("run", "Run a model on .npy files");
    run_command->add_option("MODEL", model, "ONNX file")->required();
    run_command->add_option("-i,--input", inputs, "NAME=FILE.npy, one for each input of the model");
    run_command->add_option("-o,--output", folder, "Folder for one OUTPUT.npy for each output")->required();

    image_folder images;
    int threads = 0;
    auto* eval_command = app.cli.add_subcommand("eval", "How often a classifier is right on a folder of images");
    eval_command->add_option("MODEL", model, "ONNX file")->required();
    eval_command
        ->add_option("--images", images.path,
                     "Folder with labels.csv (file,label_index,split) and, if any, preprocess.json")
        ->required();
    std::string against;
    eval_command->add_option("--against", against, "Another model: on how many images both say the same");
    images.add_options(*eval_command);
    eval_command->add_option("--threads", threads, "0: as many as there are")->check(CLI::Range(0, 1024));

    int runs = 100;
    auto* bench_command = app.cli.add_subcommand("bench", "How long a model takes");
    bench_command->add_option("MODEL", model, "ONNX file")->required();
    bench_command->add_option("--threads", threads, "0: as many as there are")->check(CLI::Range(0, 1024));
    bench_command->add_option("--runs", runs, "How often it is run")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();

    quantize_request request;
    auto* quantize_command = app.cli.add_subcommand("quantize", "Make a model of 8-bit integers of a float model");
    quantize_command->add_option("MODEL", model, "ONNX file")->required();
    request.add_options(*quantize_command);

    tolerance t;
    auto* check_command = app.cli.add_subcommand("check", "Run an ONNX backend test and compare");
    check_command->add_option("TEST_DIR", folder, "Folder with model.onnx and test_data_set_*")->required();
    check_command->add_option("--rtol", t.rtol, "Relative tolerance of floats")->capture_default_str();
    check_command->add_option("--atol", t.atol, "Absolute tolerance of floats")->capture_default_str();

    return app.run(argc, argv, [&] {
        if (info_command->parsed()) info(app, model);
        if (run_command->parsed()) run(app, model, inputs, folder);
        if (eval_command->parsed()) eval(app, model, against, images, threads);
        if (bench_command->parsed()) bench(app, model, threads, runs);
        if (quantize_command->parsed()) quantize(app, model, request);
        if (check_command->parsed()) check(app, folder, t);
    });
}
