// SPDX-License-Identifier: MIT
#pragma once

/// @file The page of `edge_nn quantize --report`: what 8 bits cost each value and layer, with charts. Opens offline.

#include "common/page.hpp"

#include <edge/core/version.hpp>
#include <edge/nn/ptq/report.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace quantize_report {

using edge::nn::layer_report;
using edge::nn::quantization_report;
using edge::nn::value_report;

namespace detail {

inline const char* color_of(std::string_view op_type) {
    static constexpr std::pair<const char*, const char*> colors[] = {
        {"Conv", "#4477aa"}, {"Gemm", "#aa3377"}, {"MatMul", "#aa3377"}, {"Add", "#ee6677"}, {"input", "#ccbb44"}};
    for (const auto& [op, color] : colors)
        if (op == op_type) return color;
    return "#228833";
}

inline std::string decibels(double db) { return std::isfinite(db) ? svg::number(db, 1) + " dB" : "no error"; }

inline std::string kibibytes(edge::index_t bytes) {
    return svg::number(static_cast<double>(bytes) / 1024, bytes < 10240 ? 1 : 0);
}

/// Four significant digits.
inline std::string real(float v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", static_cast<double>(v));
    return text;
}

/// One bar a value, in the order of the model.
inline std::string sqnr_bars(const quantization_report& r) {
    const auto n = static_cast<double>(r.values.size());
    double most = 10;
    for (const auto& v : r.values)
        if (std::isfinite(v.sqnr)) most = (std::max)(most, v.sqnr);
    svg::plot plot(960, 260, {0, n, "", true}, {0, most * 1.05, "dB", true});
    std::map<std::string, std::string> keys;
    for (std::size_t i = 0; i < r.values.size(); ++i) {
        const value_report& v = r.values[i];
        const auto at = static_cast<double>(i);
        const double height = std::isfinite(v.sqnr) ? (std::max)(v.sqnr, 0.0) : most;
        plot.block(at + 0.12, at + 0.88, 0, height, color_of(v.op_type),
                   edge::message(i, " ", v.name, " (", v.op_type, "): ", decibels(v.sqnr)));
        keys.emplace(v.op_type, page::key(color_of(v.op_type), v.op_type));
    }
    std::string all;
    for (const auto& [op, key] : keys) all += key;
    return "<h2>Signal to quantization noise of each value</h2><p>In the quantized model, against the float one: "
           "errors of "
           "all layers before it count. Higher is better; 20 dB is an error of a tenth.</p>" +
           all + plot.str();
}

/// The values of one activation, on a logarithmic scale, and the part of them that integers reach.
inline std::string histogram(const value_report& v, std::size_t index) {
    const auto low = static_cast<double>((std::min)(v.range.low, v.low()));
    const auto high = static_cast<double>((std::max)(v.range.high, v.high()));
    svg::plot plot(300, 110, {low, high, "", true}, {-6, 0, "", false}, {8, 8, 6, 18}, 4);
    plot.block(static_cast<double>(v.low()), static_cast<double>(v.high()), -6, 0, "#8888881c",
               edge::message("integers reach from ", real(v.low()), " to ", real(v.high())));
    std::vector<double> x, top, bottom;
    const double width = static_cast<double>(v.range.high - v.range.low) / static_cast<double>(v.counts.size());
    for (std::size_t i = 0; i < v.counts.size(); ++i)
        for (const std::size_t edge : {i, i + 1}) {
            x.push_back(static_cast<double>(v.range.low) + width * static_cast<double>(edge));
            top.push_back((std::max)(-6.0, std::log10((std::max)(v.counts[i], 1e-9))));
            bottom.push_back(-6.0);
        }
    plot.envelope(x, bottom, top, color_of(v.op_type));
    return "<figure><figcaption><b>" + std::to_string(index) + "</b> " + svg::escape(v.node.empty() ? v.name : v.node) +
           "<span>" + decibels(v.sqnr) + "</span></figcaption>" + plot.str() + "</figure>";
}

inline std::string histograms(const quantization_report& r) {
    std::string all;
    for (std::size_t i = 0; i < r.values.size(); ++i)
        if (!r.values[i].counts.empty()) all += histogram(r.values[i], i);
    if (all.empty()) return "";
    return "<section><h2>Where the values are</h2><p>Shares of the values in calibration, from one in a million to "
           "all, on "
           "a logarithmic scale. The grey ground is what the integers reach: what lies outside is clamped.</p><div "
           "class=\"grid3\">" +
           all + "</div></section>";
}

/// Scales of the channels' weights of each layer, least to greatest, and how exact the integers are.
inline std::string weights(const quantization_report& r) {
    double low = 10, high = -10;
    for (const auto& l : r.layers) {
        low = (std::min)(low, std::log10(static_cast<double>(l.scale_min)));
        high = (std::max)(high, std::log10(static_cast<double>(l.scale_max)));
    }
    const auto n = static_cast<double>(r.layers.size());
    svg::plot plot(960, 200, {0, n, "", true}, {std::floor(low), std::ceil(high + 1e-6), "log10 scale", true});
    for (std::size_t i = 0; i < r.layers.size(); ++i) {
        const layer_report& l = r.layers[i];
        const auto at = static_cast<double>(i);
        const double from = std::log10(static_cast<double>(l.scale_min)),
                     to = std::log10(static_cast<double>(l.scale_max));
        const double thin = (high - low) * 0.006;
        plot.block(at + 0.15, at + 0.85, from - thin, to + thin, color_of(l.op_type),
                   edge::message(i, " ", l.name, ": scales ", real(l.scale_min), " to ", real(l.scale_max),
                                 ", weights ", decibels(l.weights_sqnr)));
    }
    return "<h2>Scales of the weights</h2><p>From the finest channel of a layer to its coarsest. Long bars are layers "
           "that "
           "need a scale a channel.</p>" +
           plot.str();
}

inline std::string sizes(const quantization_report& r) {
    const auto n = static_cast<double>(r.layers.size());
    double most = 1;
    for (const auto& l : r.layers) most = (std::max)(most, static_cast<double>(l.bytes_before) / 1024);
    svg::plot plot(960, 200, {0, n, "", true}, {0, most * 1.05, "KiB", true});
    for (std::size_t i = 0; i < r.layers.size(); ++i) {
        const layer_report& l = r.layers[i];
        const auto at = static_cast<double>(i);
        const std::string tip = edge::message(i, " ", l.name, ": ", kibibytes(l.bytes_before), " KiB, now ",
                                              kibibytes(l.bytes_after), " KiB");
        plot.block(at + 0.1, at + 0.9, 0, static_cast<double>(l.bytes_before) / 1024, "#bbbbbb", tip);
        plot.block(at + 0.1, at + 0.9, 0, static_cast<double>(l.bytes_after) / 1024, "#4477aa", tip);
    }
    return "<h2>Size of the layers</h2>" + page::key("#bbbbbb", "float") + page::key("#4477aa", "integers") +
           plot.str();
}

inline std::string value_table(const quantization_report& r) {
    std::string rows;
    for (std::size_t i = 0; i < r.values.size(); ++i) {
        const value_report& v = r.values[i];
        rows += "<tr><td>" + std::to_string(i) + " " + svg::escape(v.name) + "</td><td>" + svg::escape(v.op_type) +
                "</td><td>" + real(v.range.low) + "</td><td>" + real(v.range.high) + "</td><td>" + real(v.low()) +
                "</td><td>" + real(v.high()) + "</td><td>" + real(v.parameters.scale) + "</td><td>" +
                std::to_string(v.parameters.zero_point) + "</td><td>" + decibels(v.sqnr) + "</td></tr>";
    }
    return "<h2>Values</h2><div class=\"scroll\"><table><tr><th>value</th><th>made "
           "by</th><th>least</th><th>greatest</th>"
           "<th>reached from</th><th>to</th><th>scale</th><th>zero point</th><th>SQNR</th></tr>" +
           rows + "</table></div>";
}

inline std::string layer_table(const quantization_report& r) {
    std::string rows;
    for (std::size_t i = 0; i < r.layers.size(); ++i) {
        const layer_report& l = r.layers[i];
        rows += "<tr><td>" + std::to_string(i) + " " + svg::escape(l.name) + "</td><td>" + svg::escape(l.op_type) +
                "</td><td>" + real(l.scale_min) + "</td><td>" + real(l.scale_max) + "</td><td>" +
                decibels(l.weights_sqnr) + "</td><td>" + kibibytes(l.bytes_before) + "</td><td>" +
                kibibytes(l.bytes_after) + "</td></tr>";
    }
    return "<h2>Layers</h2><div class=\"scroll\"><table><tr><th>layer</th><th>operator</th><th>finest "
           "scale</th><th>coarsest"
           "</th><th>weights SQNR</th><th>KiB before</th><th>after</th></tr>" +
           rows + "</table></div>";
}

}  // namespace detail

/// @param settings  how it was quantized, in a few words
[[nodiscard]] inline std::string page(const quantization_report& r, const std::string& model,
                                      const std::string& settings) {
    using namespace detail;
    std::string html = ::page::start("edge quantization report");
    html +=
        "<style>.grid3{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:10px 16px}"
        ".card{overflow-wrap:anywhere}figure{margin:0}figcaption{font-size:12px;color:var(--soft);overflow:hidden;"
        "white-space:nowrap;"
        "text-overflow:ellipsis}figcaption span{float:right}</style>";
    html += "<h1>From floats to 8 bits</h1><p>" + svg::escape(model) + " · " + svg::escape(settings) + " · edge " +
            edge::version + "</p>";
    const value_report* worst = nullptr;
    for (const auto& v : r.values)
        if (worst == nullptr || v.sqnr < worst->sqnr) worst = &v;
    const double share = 100 * static_cast<double>(r.bytes_after) / static_cast<double>(r.bytes_before);
    html += "<div class=\"cards\">" + ::page::card(decibels(r.sqnr), "SQNR of the result") +
            ::page::card(svg::number(share, 1) + " %", "of the constants' bytes") +
            ::page::card(kibibytes(r.bytes_after) + " KiB", "of " + kibibytes(r.bytes_before) + " KiB") +
            ::page::card(std::to_string(r.layers.size()), "layers of integers") +
            ::page::card(std::to_string(r.values.size()), "values of 8 bits");
    if (worst != nullptr) html += ::page::card(decibels(worst->sqnr), "the least, at " + worst->name);
    html += "</div><section>" + sqnr_bars(r) + "</section>" + histograms(r);
    if (!r.layers.empty()) html += "<section>" + weights(r) + "</section><section>" + sizes(r) + "</section>";
    html += "<section>" + layer_table(r) + "</section><section>" + value_table(r) + "</section>";
    return html + ::page::end;
}

[[nodiscard]] inline nlohmann::ordered_json to_json(const quantization_report& r) {
    using json = nlohmann::ordered_json;
    json values = json::array(), layers = json::array();
    for (const auto& v : r.values) {
        values.push_back({{"name", v.name},
                          {"node", v.node},
                          {"op", v.op_type},
                          {"low", v.range.low},
                          {"high", v.range.high},
                          {"scale", v.parameters.scale},
                          {"zero_point", v.parameters.zero_point},
                          {"sqnr_db", v.sqnr}});
        if (!v.counts.empty()) values.back()["histogram"] = v.counts;
    }
    for (const auto& l : r.layers)
        layers.push_back({{"name", l.name},
                          {"op", l.op_type},
                          {"scale_min", l.scale_min},
                          {"scale_max", l.scale_max},
                          {"weights_sqnr_db", l.weights_sqnr},
                          {"bytes_before", l.bytes_before},
                          {"bytes_after", l.bytes_after}});
    return {
        {"sqnr_db", r.sqnr}, {"samples", r.samples}, {"bytes_before", r.bytes_before}, {"bytes_after", r.bytes_after},
        {"layers", layers},  {"values", values}};
}

}  // namespace quantize_report
