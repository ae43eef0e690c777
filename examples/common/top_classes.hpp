// SPDX-License-Identifier: MIT
#pragma once

/// @file What a classifier's scores say: the likeliest classes, with their names and probabilities.
///
///     const auto names = read_class_names("imagenet_classes.txt");        // a line each class
///     for (const auto& c : top_classes(scores, 5)) std::puts(class_name(names, c.index).c_str());

#include <edge/core/file.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

/// @throws edge::io_error  if the file cannot be read
inline std::vector<std::string> read_class_names(const std::filesystem::path& path) {
    const std::string text = edge::read_text_file(path);
    std::vector<std::string> names;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = (std::min)(text.find('\n', at), text.size());
        names.push_back(text.substr(at, end - at));
        if (!names.back().empty() && names.back().back() == '\r') names.back().pop_back();
        at = end + 1;
    }
    return names;
}

/// Its number where it has no name.
inline std::string class_name(const std::vector<std::string>& names, std::size_t index) {
    return index < names.size() ? names[index] : "class " + std::to_string(index);
}

struct scored_class {
    std::size_t index = 0;
    double probability = 0;
};

/// The likeliest first. Scores that are probabilities already, above 0 and 1 in sum, are taken as they are; others go
/// through a softmax.
inline std::vector<scored_class> top_classes(std::span<const float> scores, std::size_t count) {
    std::vector<double> p(scores.begin(), scores.end());
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    const bool are_probabilities =
        std::abs(sum - 1) < 1e-3 && std::all_of(p.begin(), p.end(), [](double v) { return v >= 0; });
    if (!are_probabilities && !p.empty()) {
        const double most = *std::max_element(p.begin(), p.end());
        double total = 0;
        for (double& v : p) total += v = std::exp(v - most);
        for (double& v : p) v /= total;
    }
    std::vector<scored_class> classes;
    for (std::size_t i = 0; i < p.size(); ++i) classes.push_back({i, p[i]});
    const auto kept = (std::min)(count, classes.size());
    std::partial_sort(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(kept), classes.end(),
                      [](const auto& a, const auto& b) {
                          return a.probability > b.probability || (a.probability == b.probability && a.index < b.index);
                      });
    classes.resize(kept);
    return classes;
}
