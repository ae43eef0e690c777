// SPDX-License-Identifier: MIT
#pragma once

/// @file A folder of images for a network, as the options of a command name it.

#include "common/image.hpp"
#include "common/labelled_images.hpp"

#include <edge/nn/graph.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

/// A folder, which images of it, and what was said about their preprocessing on the command line.
struct image_folder {
    std::string path;
    label_selection wanted{};
    std::vector<float> mean{}, std{};
    std::string channels{};
    edge::index_t resize = 0, crop = 0;

    void add_options(CLI::App& command) {
        command.add_option("--split", wanted.split, "Rows of labels.csv to take, by their column split");
        command.add_option("--limit", wanted.limit, "Take the first so many images")->check(CLI::PositiveNumber);
        command.add_option("--mean", mean, "Mean of red, green, blue in [0, 255]; one number for all, or three")
            ->delimiter(',');
        command.add_option("--std", std, "What the rest is divided by, in the same way")->delimiter(',');
        command.add_option("--channels", channels, "Order of channels: RGB or BGR");
        command.add_option("--resize", resize, "Length that the shorter side is resized to");
        command.add_option("--crop", crop, "Side of the middle square that is taken");
    }

    /// What DIR/preprocess.json says, where an option does not say otherwise.
    [[nodiscard]] preprocessing how() const {
        preprocessing p = read_preprocessing(std::filesystem::path(path) / "preprocess.json");
        if (!mean.empty()) p.mean = three_numbers(mean, "--mean");
        if (!std.empty()) p.std = three_numbers(std, "--std");
        if (!channels.empty()) p.channels = channels;
        if (resize != 0) p.resize = resize;
        if (crop != 0) p.crop = crop;
        check_preprocessing(p);
        return p;
    }
};

inline void need_one_input(const edge::nn::graph& model, const std::string& path) {
    if (model.inputs.size() != 1)
        throw edge::unsupported_error(edge::message(path, ": has ", model.inputs.size(), " inputs; expected one"));
}
