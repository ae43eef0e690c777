// SPDX-License-Identifier: MIT
#pragma once

/// @file How often a classifier is right on a folder of images.
///
///     const auto score = evaluate(session, read_labels("imagenet-sample"), read_preprocessing("…/preprocess.json"));

#include "common/image.hpp"
#include "common/labelled_images.hpp"
#include "common/progress.hpp"

#include <edge/nn/session.hpp>
#include <edge/perf/latency.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

struct accuracy {
    std::size_t images = 0;
    std::size_t top1 = 0;  ///< images whose label has the largest score
    std::size_t top5 = 0;  ///< … one of the five largest
    std::size_t same = 0;  ///< … whose largest score is of the same class as another network's
    edge::perf::latency run{};

    [[nodiscard]] double percent(std::size_t right) const {
        return 100.0 * static_cast<double>(right) / static_cast<double>(images);
    }
};

/// How many scores come before that of a class: the larger ones, and equal ones of an earlier class. NaN comes last.
inline std::size_t rank_of(std::span<const float> scores, std::size_t label) {
    std::size_t rank = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const bool before = scores[i] > scores[label] || (i < label && scores[i] == scores[label]);
        if (before || (i != label && scores[label] != scores[label])) ++rank;
    }
    return rank;
}

/// Position of the largest, the first of equal ones.
inline edge::index_t first_class(const edge::tensor<float>& scores) {
    return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

/// @param session  one image in, one list of scores out
/// @param other    such a network, to be compared with; or null
/// @throws edge::argument_error  if a label is no class of the network
inline accuracy evaluate(edge::nn::session& session, const std::vector<labelled_image>& images,
                         const preprocessing& how, edge::nn::session* other = nullptr) {
    accuracy result;
    progress bar("evaluate", images.size());
    for (const auto& image : images) {
        const auto x = network_input(load_image(image.file), how);
        const auto& scores = [&]() -> const edge::any_tensor& {
            const edge::perf::timer t(result.run);
            return session(x).front();
        }()
                                          .as<float>();
        if (image.label < 0 || image.label >= scores.size())
            throw edge::argument_error(edge::message(image.file.string(), ": label ", image.label, "; the network has ",
                                                     scores.size(), " classes"));
        const auto rank = rank_of(scores.flat(), static_cast<std::size_t>(image.label));
        ++result.images;
        result.top1 += rank < 1 ? 1 : 0;
        result.top5 += rank < 5 ? 1 : 0;
        if (other != nullptr && first_class((*other)(x).front().as<float>()) == first_class(scores)) ++result.same;
        bar.advance();
    }
    return result;
}
