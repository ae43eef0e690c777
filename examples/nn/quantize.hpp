// SPDX-License-Identifier: MIT
#pragma once

/// @file `edge_nn quantize`: a float model and a folder of typical inputs in, a model of 8-bit integers out.

#include "common/program.hpp"
#include "common/progress.hpp"
#include "nn/image_folder.hpp"
#include "nn/quantize_report.hpp"

#include <edge/core/file.hpp>
#include <edge/core/npy.hpp>
#include <edge/nn/onnx.hpp>
#include <edge/nn/ptq.hpp>
#include <edge/nn/quantized_form.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

/// What the command line asks for.
struct quantize_request {
    image_folder inputs;
    std::string weights = "per-channel";
    std::string observer = "mse";
    std::string format = "qdq";
    std::string to;
    std::string report;
    bool dynamic = false;
    bool weights_only = false;
    bool equalize = false;
    bool bias_correct = true;
    bool learned_rounding = true;
    std::size_t keep_float = 0;
    int threads = 0;
    CLI::Option* equalize_option = nullptr;

    void add_options(CLI::App& command) {
        command.add_option("--calibrate", inputs.path,
                           "Folder of typical inputs: images with a labels.csv, or .npy files");
        inputs.add_options(command);
        command.add_option("--weights", weights, "What shares a scale")
            ->check(CLI::IsMember({"per-channel", "per-tensor"}))
            ->capture_default_str();
        command.add_option("--observer", observer, "How ranges of activations are found")
            ->check(CLI::IsMember({"minmax", "percentile", "mse", "entropy"}))
            ->capture_default_str();
        equalize_option = command.add_flag("--equalize,!--no-equalize", equalize,
                                           "Give channels between layers like ranges first (default: per tensor)");
        command.add_flag("--bias-correct,!--no-bias-correct", bias_correct,
                         "Bring means of channels back (default: yes)");
        command.add_flag("--learned-rounding,!--no-learned-rounding", learned_rounding,
                         "Round weights for the results of their layer (default: yes)");
        command.add_option("--keep-float", keep_float, "Leave the so many layers float that lose most by 8 bits");
        command.add_flag("--dynamic", dynamic, "Linear layers alone, inputs quantized as they come: needs no data");
        command.add_flag("--weights-only", weights_only, "Weights alone: a small file that computes in floats");
        command
            .add_option("--format", format,
                        "Layers between pairs of QuantizeLinear and DequantizeLinear, or QLinearConv …")
            ->check(CLI::IsMember({"qdq", "qoperator"}))
            ->capture_default_str();
        command.add_option("--threads", threads, "0: as many as there are")->check(CLI::Range(0, 1024));
        command.add_option("--report", report, "HTML page to write: ranges, errors and sizes with charts");
        command.add_option("-o,--output", to, "ONNX file to write")->required();
    }

    [[nodiscard]] edge::nn::granularity shared() const {
        return weights == "per-tensor" ? edge::nn::granularity::per_tensor : edge::nn::granularity::per_channel;
    }
};

/// The files that a calibration runs on, and each as an input of the model.
class calibration_files {
public:
    /// @throws edge::argument_error  if there is none
    explicit calibration_files(const image_folder& folder) : how_(folder.how()) {
        if (!std::filesystem::is_directory(folder.path))
            throw edge::io_error(edge::message(folder.path, ": is no folder to calibrate on"));
        are_images_ = std::filesystem::exists(std::filesystem::path(folder.path) / "labels.csv");
        if (are_images_) {
            for (auto& image : read_labels(folder.path, folder.wanted)) files_.push_back(std::move(image.file));
        } else {
            for (const auto& entry : std::filesystem::directory_iterator(folder.path))
                if (entry.path().extension() == ".npy") files_.push_back(entry.path());
            std::sort(files_.begin(), files_.end());
            files_.resize((std::min)(files_.size(), folder.wanted.limit));
        }
        if (files_.empty())
            throw edge::argument_error(
                edge::message(folder.path, ": has no .npy file and no labels.csv to calibrate on"));
    }

    [[nodiscard]] std::size_t size() const noexcept { return files_.size(); }

    /// Runs all of them. What fails names the file.
    void run(edge::nn::session& session) const {
        progress bar("calibrate", files_.size());
        for (const auto& file : files_) {
            const edge::any_tensor x =
                are_images_ ? edge::any_tensor(network_input(load_image(file), how_)) : edge::load_npy(file);
            try {
                session(x);
            } catch (const edge::error& e) {
                throw edge::argument_error(edge::message(file.string(), ": ", e.what()));
            }
            bar.advance();
        }
    }

private:
    preprocessing how_;
    bool are_images_ = false;
    std::vector<std::filesystem::path> files_;
};

/// One bar after the other, as the phases come.
class phase_bars {
public:
    void operator()(std::string_view phase, std::size_t done, std::size_t total) {
        if (done >= total || phase != phase_) bar_.reset();
        phase_ = phase;
        if (done >= total) return;
        if (bar_ == nullptr) bar_ = std::make_unique<progress>(phase_, total);
        bar_->at(done);
    }

private:
    std::string phase_;
    std::unique_ptr<progress> bar_;
};

inline void quantize(const program& app, const std::string& path, const quantize_request& request) {
    edge::nn::graph model = edge::nn::load_onnx(path);
    const auto bytes_before = std::filesystem::file_size(path);
    nlohmann::ordered_json said = {{"file", request.to}};
    std::string how;
    edge::nn::graph made;
    if (request.dynamic || request.weights_only) {
        if (!request.report.empty())
            throw edge::argument_error(
                "--report tells of a calibration; there is none with --dynamic or --weights-only");
        made = request.dynamic ? edge::nn::quantize_dynamic(std::move(model), request.shared())
                               : edge::nn::quantize_weights(std::move(model), request.shared());
        how = request.dynamic ? "linear layers" : "weights";
    } else {
        if (request.inputs.path.empty()) throw edge::argument_error("--calibrate DIR is required without --dynamic");
        need_one_input(model, path);
        const calibration_files files(request.inputs);
        phase_bars bars;
        edge::nn::quantize_options options{.weights = request.shared(),
                                           .observer = edge::quant::observer_kind_from_string(request.observer),
                                           .correct_bias = request.bias_correct,
                                           .learn_rounding = request.learned_rounding,
                                           .histograms = !request.report.empty(),
                                           .threads = request.threads,
                                           .progress = std::ref(bars)};
        if (request.equalize_option->count() != 0) options.equalize = request.equalize;
        edge::nn::static_quantizer quantizer(std::move(model), options);
        quantizer.calibrate([&](edge::nn::session& session) { files.run(session); });
        if (request.keep_float != 0) {
            auto order = edge::nn::sensitivities(quantizer);
            std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.sqnr < b.sqnr; });
            std::vector<std::string> names;
            for (std::size_t i = 0; i < (std::min)(request.keep_float, order.size()); ++i)
                names.push_back(order[i].name);
            quantizer.keep_float(names);
            said["float_layers"] = names;
        }
        made = quantizer.quantize();
        said["calibration_files"] = files.size();
        how = edge::message("calibrated on ", files.size(), " files");
        if (!request.report.empty() || app.json) {
            const edge::nn::quantization_report report = edge::nn::report_of(quantizer);
            const std::string settings =
                edge::message(request.weights, ", ", request.observer, ", ", files.size(), " files");
            if (!request.report.empty())
                edge::write_file(
                    request.report,
                    quantize_report::page(report, std::filesystem::path(path).filename().string(), settings));
            said["report"] = quantize_report::to_json(report);
        }
    }
    if (request.format == "qoperator") made = edge::nn::to_qoperator(std::move(made));
    edge::nn::save_onnx(made, request.to);
    const auto bytes = std::filesystem::file_size(request.to);
    said["bytes_before"] = bytes_before;
    said["bytes"] = bytes;
    if (app.json)
        app.print_json(said);
    else
        std::cout << request.to << "  " << how << ", " << bytes << " bytes, "
                  << 100 * static_cast<double>(bytes) / static_cast<double>(bytes_before)
                  << " % of the float model's\n";
}
