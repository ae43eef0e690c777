// SPDX-License-Identifier: MIT
#pragma once

/// @file A folder of an ONNX backend test: model.onnx beside test_data_set_*/input_*.pb and output_*.pb.
///
///     const auto r = check_onnx_folder("test_relu", {.rtol = 1e-3, .atol = 1e-5});
///     if (!r.difference.empty()) std::puts(r.difference.c_str());

#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

struct tolerance {
    double rtol = 1e-3;  ///< of floats, relative to what is expected
    double atol = 1e-5;
};

struct folder_result {
    int sets = 0;
    int outputs = 0;
    std::string difference;  ///< the first one, or empty
};

/// Where two tensors differ: "" or one line. Integers must be equal; so must NaN and infinities.
inline std::string difference(const edge::any_tensor& got, const edge::any_tensor& want, const tolerance& t) {
    if (got.dtype() != want.dtype() || got.shape() != want.shape())
        return edge::message("is ", got.dtype(), " ", got.shape(), "; expected ", want.dtype(), " ", want.shape());
    const auto strides = want.shape().strides();
    for (edge::index_t i = 0; i < want.size(); ++i) {
        const auto at = [&](const edge::any_tensor& x) { return edge::nn::detail::element(x.dtype(), x.data(), i); };
        bool same = std::memcmp(at(got), at(want), edge::size_of(want.dtype())) == 0;
        const auto g = edge::nn::detail::read_as<double>(got.dtype(), at(got));
        const auto w = edge::nn::detail::read_as<double>(want.dtype(), at(want));
        if (want.dtype() == edge::dtype::f32 || want.dtype() == edge::dtype::f64)
            same =
                g == w || (g != g && w != w) || (std::isfinite(g) && std::abs(g - w) <= t.atol + t.rtol * std::abs(w));
        if (same) continue;
        edge::index_list position;
        for (std::size_t k = 0; k < want.shape().rank(); ++k) position.push_back(i / strides[k] % want.shape()[k]);
        const auto text = [&](double v) {
            return want.dtype() == edge::dtype::f32 ? edge::message(static_cast<float>(v)) : edge::message(v);
        };
        return edge::message("at ", position, " is ", text(g), "; expected ", text(w));
    }
    return "";
}

/// @throws edge::error  if the folder is no test, or the model cannot be read or run
inline folder_result check_onnx_folder(const std::filesystem::path& folder, const tolerance& t = {}) {
    namespace fs = std::filesystem;
    const auto tensors = [](const fs::path& set, const std::string& kind) {
        std::vector<edge::any_tensor> list;
        for (int i = 0; fs::exists(set / (kind + std::to_string(i) + ".pb")); ++i) {
            const auto file = set / (kind + std::to_string(i) + ".pb");
            list.push_back(edge::nn::parse_onnx_tensor(edge::read_file(file), file.string()));
        }
        return list;
    };
    edge::nn::session run{edge::nn::load_onnx(folder / "model.onnx")};
    std::vector<fs::path> sets;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().filename().string().rfind("test_data_set_", 0) == 0) sets.push_back(entry.path());
    std::sort(sets.begin(), sets.end());
    if (sets.empty()) throw edge::argument_error(edge::message(folder.string(), ": has no test_data_set_*"));
    folder_result result;
    for (const auto& set : sets) {
        const auto inputs = tensors(set, "input_");
        const auto expected = tensors(set, "output_");
        const std::vector<edge::nn::any_view> views(inputs.begin(), inputs.end());
        const auto& got = run(std::span<const edge::nn::any_view>(views));
        if (got.size() != expected.size())
            throw edge::argument_error(
                edge::message(set.string(), ": ", expected.size(), " outputs; the model has ", got.size()));
        ++result.sets;
        for (std::size_t i = 0; i < got.size(); ++i, ++result.outputs) {
            const auto what = difference(got[i], expected[i], t);
            if (!what.empty() && result.difference.empty())
                result.difference = edge::message(set.string(), ": output '", run.model().outputs[i].name, "' ", what);
        }
    }
    return result;
}
